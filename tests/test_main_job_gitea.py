"""The main job on Gitea and Forgejo in their differing kinds: real HTTP, real git, the real command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import CommandLine, no_log_outlives
from tests.support.git import add_commit
from tests.support.gitea_flavours import FLAVOURS, FORGEJO, GITEA_NEW, GITEA_OLD, Flavour
from tests.support.gitea_server import GiteaServer, gitea_server
from tests.support.gitea_state import Repo, Topic
from tests.support.gitea_world import TOKEN, settle
from tests.support.newcomer import git

pytestmark = pytest.mark.timeout(180)
ABROAD = "http://localhost:3000"
"""The ROOT_URL that a container has when nobody has set it."""
Start = Callable[..., GiteaServer]


@pytest.fixture(autouse=True)
def no_log_outlives_the_test() -> Iterator[None]:
    """Take away the handlers that a command line adds to this process's log."""
    with no_log_outlives():
        yield


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CommandLine:
    """Yield the command line of a newcomer with an identity for git and a folder for clones."""
    home = tmp_path / "work"
    home.mkdir()
    monkeypatch.chdir(home)
    for name, value in (("NAME", "Nia Newcomer"), ("EMAIL", "nia@example.com")):
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    line = CommandLine(capsys, monkeypatch)
    line.secrets.add(TOKEN)
    return line


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Yield what starts a server."""
    with ExitStack() as stack:

        def begin(flavour: Flavour, **switches: Any) -> GiteaServer:
            return stack.enter_context(gitea_server(flavour, tmp_path / "server", **switches))

        yield begin


class Newcomer:
    """Does the main job step by step, and looks at each outcome."""

    def __init__(self, cli: CommandLine, server: GiteaServer, repo: Repo) -> None:
        self.cli = cli
        self.server = server
        self.repo = repo
        self.clone = Path()

    def json(self, *words: str, stdin: str | None = None) -> Any:
        return self.cli.done(*words, "--json", stdin=stdin).json

    def sign_in(self, *, token: str = TOKEN) -> Any:
        words = ("login", self.server.url, "--token-stdin", "--plain-file")
        return self.json(*words, stdin=f"{token}\n")

    def find(self) -> None:
        """Sync, search, show, issues."""
        self.json("sync")
        found = self.json("search", "retry")
        assert [each["path"] for each in found["projects"]] == [self.repo.path]
        assert found["projects"][0]["url"] == f"{self.server.url}/{self.repo.path}"
        shown = json.dumps(self.json("show", self.repo.path))
        assert '"python"' in shown
        assert "make test" in shown
        assert ABROAD not in shown
        issues = self.json("issues")["issues"]
        assert sorted(each["number"] for each in issues) == [1, 4]
        assert all(each["url"].startswith(self.server.url + "/") for each in issues)

    def contribute(self, *words: str) -> Any:
        begun = self.json("contribute", self.repo.path, "--issue", "1", *words)
        assert {step["name"]: step["state"] for step in begun["steps"]}["branch"] == "done"
        self.clone = Path(begun["clone"])
        config = (self.clone / ".git" / "config").read_text()
        assert TOKEN not in config
        assert self.server.url in config
        assert ABROAD not in config
        return begun

    def change(self, file: str = "README.md", message: str = "Say how long the delay is") -> None:
        with (self.clone / file).open("a", encoding="utf-8") as text:
            text.write("The delay is one second.\n")
        git(self.clone, "add", "--all")
        git(self.clone, "commit", "--quiet", "--message", message)

    def propose(self) -> Topic:
        told = self.json("propose", str(self.clone))["merge_request"]
        assert told["state"] == "open"
        assert told["url"] == f"{self.server.url}/{self.repo.path}/pulls/{told['number']}"
        return self.repo.topics_by_number[told["number"]]

    def status(self) -> Any:
        (contribution,) = self.json("status")["contributions"]
        steps = {step["name"]: step for step in contribution["steps"]}
        return steps["review"] | {"all": steps}

    def pulls(self) -> list[Topic]:
        """Return the newcomer's pull requests."""
        return [each for each in self.repo.topics_by_number.values() if each.is_pull and each.author == "nia"]


def walk(newcomer: Newcomer) -> None:
    """Do everything from the first search to the merge."""
    server, repo = newcomer.server, newcomer.repo
    newcomer.find()
    newcomer.contribute()
    newcomer.change()
    pull = newcomer.propose()
    assert "Closes #1" in pull.body
    assert "## Why" in pull.body
    assert (pull.base_branch, pull.head and pull.head.owner) == (repo.default_branch, "nia")
    assert newcomer.propose().number == pull.number
    assert newcomer.pulls() == [pull]
    assert newcomer.status()["state"] == "waiting"

    server.state.review(pull, "mara", "REQUEST_CHANGES", "Nearly there.", ("README.md", 4, "Which unit?"))
    asked = newcomer.status()
    assert asked["state"] == "ready", asked
    assert "Which unit?" in json.dumps(asked["facts"]) + asked["detail"]
    before = repo.commit(f"refs/pull/{pull.number}/head")
    newcomer.change(message="Name the unit")
    assert newcomer.propose().number == pull.number
    assert repo.commit(f"refs/pull/{pull.number}/head") != before

    server.state.review(pull, "mara", "APPROVED", "")
    server.state.merge(repo, pull)
    done = newcomer.status()
    assert done["state"] == "done", done
    assert "merged" in newcomer.cli.done("status").out
    assert not repo.topics_by_number[1].open
    assert [each for each in server.unknown if not known_to_be_asked(each)] == []


def known_to_be_asked(call: tuple[str, str]) -> bool:
    """Whether a server that does not know an address is rightly asked for it: that is how it is found out."""
    path = call[1]
    return (
        path in ("/token", "/settings/api") or path.endswith(("/timeline", "/forks")) or "/compare/" in path
    )


@pytest.mark.parametrize("flavour", FLAVOURS, ids=lambda flavour: flavour.name)
def test_the_main_job(cli: CommandLine, start: Start, flavour: Flavour) -> None:
    server = start(flavour)
    newcomer = Newcomer(cli, server, settle(server))
    newcomer.sign_in()
    assert cli("doctor").code == 0
    walk(newcomer)


def test_the_main_job_where_the_server_takes_another_address_for_its_own(
    cli: CommandLine, start: Start
) -> None:
    server = start(GITEA_OLD, root_url=ABROAD)
    newcomer = Newcomer(cli, server, settle(server, template=".forgejo/PULL_REQUEST_TEMPLATE.md"))
    newcomer.sign_in()
    walk(newcomer)


def test_the_main_job_for_members_only_below_a_path(cli: CommandLine, start: Start) -> None:
    server = start(GITEA_NEW, prefix="/git", members_only=True, stars=False, root_url=f"{ABROAD}/forge")
    newcomer = Newcomer(cli, server, settle(server, template=".github/pull_request_template.md"))
    newcomer.sign_in()
    walk(newcomer)


def test_an_address_and_a_token_in_variables_are_enough(
    cli: CommandLine, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(GITEA_OLD, members_only=True)
    repo = settle(server)
    monkeypatch.setenv("ISEXPLORE_URL", server.url)
    monkeypatch.setenv("ISEXPLORE_TOKEN", TOKEN)
    newcomer = Newcomer(cli, server, repo)
    newcomer.find()
    newcomer.contribute()
    newcomer.change()
    newcomer.propose()


@pytest.mark.parametrize(("flavour", "name"), [(FORGEJO, "Retry.Queue"), (GITEA_OLD, "my-queue")])
def test_a_fork_that_is_there_is_used_also_under_another_name(
    cli: CommandLine, start: Start, flavour: Flavour, name: str
) -> None:
    server = start(flavour, root_url=ABROAD)
    repo = settle(server)
    fork = server.state.fork(repo, "nia", name)
    newcomer = Newcomer(cli, server, repo)
    newcomer.sign_in()
    newcomer.contribute()
    newcomer.change()
    assert newcomer.propose().head is fork
    assert len(server.state.forks(repo)) == 2


@pytest.mark.parametrize("flavour", [FORGEJO, GITEA_OLD], ids=lambda flavour: flavour.name)
def test_a_fork_whose_answer_is_lost_is_found(cli: CommandLine, start: Start, flavour: Flavour) -> None:
    server = start(flavour)
    newcomer = Newcomer(cli, server, settle(server))
    newcomer.sign_in()
    server.lose_answers = {("POST", "/forks"), ("POST", "/pulls")}
    newcomer.contribute()
    newcomer.change()
    newcomer.propose()
    assert server.lose_answers == set()
    assert len(newcomer.pulls()) == 1


@pytest.mark.parametrize("flavour", [FORGEJO, GITEA_NEW], ids=lambda flavour: flavour.name)
@pytest.mark.parametrize("lacking", ["read:user", "write:repository", "write:issue"])
def test_a_scope_that_is_missing_is_named(
    cli: CommandLine, start: Start, flavour: Flavour, lacking: str
) -> None:
    server = start(flavour)
    settle(server)
    scopes = {"read:user", "read:organization", "read:repository", "read:issue"}
    scopes |= {"write:repository", "write:issue"}
    server.state.token("little-canary-token", "nia", " ".join(scopes - {lacking}))
    cli.secrets.add("little-canary-token")
    said = cli("login", server.url, "--token-stdin", "--plain-file", stdin="little-canary-token\n")
    assert lacking in said.out + said.err, said


def test_the_main_job_without_the_scope_for_organisations(cli: CommandLine, start: Start) -> None:
    server = start(FORGEJO)
    newcomer = Newcomer(cli, server, settle(server))
    server.state.token("canary-without-organisations", "nia", "read:user write:repository write:issue")
    newcomer.sign_in(token="canary-without-organisations")
    walk(newcomer)


@pytest.mark.parametrize("flavour", FLAVOURS, ids=lambda flavour: flavour.name)
def test_a_wrong_token_is_told(cli: CommandLine, start: Start, flavour: Flavour) -> None:
    server = start(flavour, members_only=True)
    settle(server)
    words = ("login", server.url, "--token-stdin", "--plain-file")
    refusal = cli.refused(*words, stdin="wrong-canary-token\n")
    assert refusal.kind == "auth", refusal


def test_projects_without_an_organisation_or_without_a_commit(cli: CommandLine, start: Start) -> None:
    server = start(GITEA_OLD)
    settle(server)
    newcomer = Newcomer(cli, server, server.state.repos["mara/notes"])
    newcomer.sign_in()
    newcomer.json("sync")
    people = json.dumps(newcomer.json("show", "mara/notes"))
    assert "mara" in people
    assert newcomer.json("show", "mara/hollow")
    begun = newcomer.json("contribute", "mara/notes")
    newcomer.clone = Path(begun["clone"])
    newcomer.change()
    assert newcomer.propose().base_branch == "master"


def test_a_project_of_ones_own_needs_no_fork(cli: CommandLine, start: Start) -> None:
    server = start(GITEA_NEW, root_url=ABROAD)
    settle(server)
    own = server.state.repo("nia", "My.Own", {"README.md": "# Own\n"}, branch="release/next")
    newcomer = Newcomer(cli, server, own)
    newcomer.sign_in()
    newcomer.clone = Path(newcomer.json("contribute", "nia/My.Own")["clone"])
    newcomer.change()
    pull = newcomer.propose()
    assert (pull.head, pull.base_branch) == (own, "release/next")
    assert newcomer.propose() is pull
    assert newcomer.status()["state"] == "waiting"


def test_a_private_project_stays_private(cli: CommandLine, start: Start) -> None:
    server = start(FORGEJO, root_url=ABROAD)
    repo = settle(server)
    repo.private = True
    repo.collaborators["nia"] = "read"
    newcomer = Newcomer(cli, server, repo)
    newcomer.sign_in()
    newcomer.contribute()
    newcomer.change()
    head = newcomer.propose().head
    assert head is not None
    assert head.private


@pytest.mark.parametrize("flavour", [FORGEJO, GITEA_OLD], ids=lambda flavour: flavour.name)
def test_a_catalog_of_several_pages_is_whole(cli: CommandLine, start: Start, flavour: Flavour) -> None:
    server = start(flavour, root_url=ABROAD)
    server.most = 20
    repo = settle(server)
    for number in range(60):
        light = Repo(server.state.next_id(), "Platform", f"part-{number}", repo.bare, topics=["innersource"])
        server.state.repos[light.path.lower()] = light
        light.default_branch = "trunk"
    newcomer = Newcomer(cli, server, repo)
    newcomer.sign_in()
    newcomer.json("sync")
    assert len(newcomer.json("search", "part", "--limit", "100")["projects"]) == 60


def test_renaming_project_and_fork_in_between_does_no_harm(cli: CommandLine, start: Start) -> None:
    server = start(GITEA_NEW, root_url=ABROAD)
    repo = settle(server)
    newcomer = Newcomer(cli, server, repo)
    newcomer.sign_in()
    newcomer.contribute()
    newcomer.change()
    server.state.rename(repo, "Queue")
    pull = newcomer.propose()
    server.state.rename(server.state.repos["nia/retry.queue"], "my-own")
    newcomer.change(message="Name the unit")
    assert newcomer.propose() is pull
    assert repo.git("log", "-1", "--format=%s", f"refs/pull/{pull.number}/head").strip() == "Name the unit"


@pytest.mark.parametrize("flavour", [FORGEJO, GITEA_OLD], ids=lambda flavour: flavour.name)
def test_work_begins_at_the_original_where_the_fork_is_old(
    cli: CommandLine, start: Start, flavour: Flavour
) -> None:
    server = start(flavour)
    repo = settle(server)
    server.state.fork(repo, "nia")
    add_commit(repo.bare, {"NEW.md": "New.\n"}, "Go on", branch="trunk")
    newcomer = Newcomer(cli, server, repo)
    newcomer.sign_in()
    newcomer.contribute()
    assert (newcomer.clone / "NEW.md").exists()
    newcomer.change()
    pull = newcomer.propose()
    assert repo.git("rev-list", "--count", f"trunk..refs/pull/{pull.number}/head").strip() == "1"


def test_a_fork_may_take_longer_than_other_answers(
    cli: CommandLine, start: Start, isolated_environment: Path
) -> None:
    server = start(FORGEJO)
    server.fork_takes = 1.2
    newcomer = Newcomer(cli, server, settle(server))
    newcomer.sign_in()
    (settings,) = isolated_environment.rglob("config.toml")
    with settings.open("a", encoding="utf-8") as text:
        text.write("\n[network]\ntimeout = 1.0\n")
    newcomer.contribute()
    assert len([path for method, path in server.calls if (method, path[-6:]) == ("POST", "/forks")]) == 2
