"""Addresses, suggestions and plans: pure functions."""

from __future__ import annotations

import json
import shlex

import pytest

from isexplore.git.facts import CommitFacts
from isexplore.guide.digest import Digest, digest
from isexplore.guide.markup import Finding
from isexplore.journey import suggestions
from isexplore.journey.addresses import address_key, is_address_of, path_on, remote_of
from isexplore.journey.plan import Requests, api_base
from isexplore.models import Document, ForgeKind, ForkTarget, Issue, Project

PROJECT = Project(
    forge="work",
    id="812",
    path="Payments/Retry-Queue",
    name="retry-queue",
    url="https://git.example.org/Payments/Retry-Queue",
    clone_url="https://git.example.org/Payments/Retry-Queue.git",
    ssh_url="ssh://git@ssh.example.org:2222/Payments/Retry-Queue.git",
)
FORK = Project(
    forge="work",
    id="900",
    path="nia/retry-queue",
    name="retry-queue",
    url="https://git.example.org/nia/retry-queue",
    clone_url="https://git.example.org/nia/retry-queue.git",
)


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.org/Payments/Retry-Queue.git",
        "https://git.example.org/payments/retry-queue",
        "http://git.example.org/payments/retry-queue/",
        "https://nia@git.example.org:443/payments/retry-queue.git",
        "ssh://git@ssh.example.org/payments/retry-queue.git",
        "git@ssh.example.org:payments/retry-queue.git",
        "https://old.example.org/payments/retry-queue.git",
    ],
)
def test_spellings_of_one_project(url: str) -> None:
    assert is_address_of(url, PROJECT, {"https://old.example.org": "https://git.example.org"})


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.org/payments/retry-queue-2.git",
        "https://git.example.org:8443/payments/retry-queue.git",
        "https://git.example.org.evil.example/payments/retry-queue.git",
        "https://evil.example/git.example.org/payments/retry-queue.git",
        "git@git.example.org.evil:payments/retry-queue.git",
        "/home/nia/payments/retry-queue.git",
        "file:///payments/retry-queue",
        "https://[broken/payments",
        "",
    ],
)
def test_addresses_of_something_else(url: str) -> None:
    assert not is_address_of(url, PROJECT)


def test_local_paths_have_no_key() -> None:
    assert address_key("../x") is None
    assert address_key("C:\\src\\x") is None or address_key("C:\\src\\x") != address_key("https://c/src/x")


def test_remote_with_the_usual_name_is_preferred() -> None:
    remotes = {"backup": PROJECT.clone_url, "upstream": PROJECT.clone_url, "origin": FORK.clone_url}
    assert remote_of(remotes, PROJECT, ("upstream", "origin")) == "upstream"
    assert remote_of(remotes, FORK, ("origin",)) == "origin"
    assert remote_of({"backup": PROJECT.clone_url}, PROJECT, ("upstream",)) == "backup"
    assert remote_of({}, PROJECT) is None


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://git.example.org/forge/a/b.git", "a/b"),
        ("git@git.example.org:a/b.git", "a/b"),
        ("ssh://git@ssh.example.org:2222/a/b.git", "a/b"),
        ("https://git.example.org/a/b.git", None),
        ("https://elsewhere.example/forge/a/b.git", None),
    ],
)
def test_project_that_a_remote_names(url: str, path: str | None) -> None:
    assert path_on(url, "https://git.example.org/forge", ("ssh.example.org:2222",)) == path


def finding(text: str) -> Finding:
    return Finding(text=text, document="CONTRIBUTING.md", line=3)


@pytest.mark.parametrize(
    ("naming", "title", "name"),
    [
        (None, "Fix the crash", "41-fix-the-crash"),
        ("Name branches `feature/<topic>` or `fix/<topic>`.", "Fix the crash", "fix/41-fix-the-crash"),
        ("Name branches `feature/<topic>` or `fix/<topic>`.", "Add a timeout", "feature/41-add-a-timeout"),
        (
            "Branch names begin with feature/, fix/ or docs/.",
            "Explain the back-off",
            "docs/41-explain-the-back-off",
        ),
        ("Name your branch `feat/...`, please.", "Add a timeout", "feat/41-add-a-timeout"),
        ("Call the branch user/41-topic and/or ask us.", "Add a timeout", "user/41-add-a-timeout"),
        ("Name branches after the issue, e.g. 41-explain-the-back-off.", "Add a timeout", "41-add-a-timeout"),
        ("How to name branches: see docs/branches.md and/or ask.", "Add a timeout", "41-add-a-timeout"),
        ("Name branches as on https://wiki.example/fix/it is said.", "Add a timeout", "41-add-a-timeout"),
        ("Use short branch names.", "Add a timeout", "41-add-a-timeout"),
    ],
)
def test_branch_name_in_the_projects_style(naming: str | None, title: str, name: str) -> None:
    """From the guide's own words, as the digest quotes them."""
    guide = Document(name="CONTRIBUTING", path="CONTRIBUTING.md", text=f"# Rules\n\n- {naming}\n")
    rules = Digest() if naming is None else digest([guide])
    assert naming is None or rules.branch_naming is not None
    assert suggestions.branch_name(41, title, rules) == name
    assert suggestions.branch_name(41, title, rules, {name}) == f"{name}-2"


def issue(title: str) -> Issue:
    return Issue(forge="work", project="a/b", number=41, title=title, url="")


@pytest.mark.parametrize(
    ("style", "title", "subject"),
    [
        (None, "explain the back-off.", "Explain the back-off"),
        ("Commits follow Conventional Commits.", "Explain the back-off", "docs: explain the back-off"),
        ("Use `fix: ...` or `feat: ...`", "Crash on an empty queue", "fix: crash on an empty queue"),
        (None, "iOS crashes", "iOS crashes"),
        (None, "retry.py: wait longer", "retry.py: wait longer"),
        ("Use `fix: ...` or `feat: ...`", "README is wrong", "docs: README is wrong"),
        ("Write in the imperative.", "Crash on an empty queue", "Crash on an empty queue"),
    ],
)
def test_commit_message_in_the_projects_style(style: str | None, title: str, subject: str) -> None:
    rules = Digest(commit_style=None if style is None else finding(style))
    assert suggestions.commit_message(issue(title), rules) == f"{subject}\n\nCloses #41"


def commit(subject: str, body: str = "") -> CommitFacts:
    return CommitFacts(sha="1", subject=subject, author="Nia", email="nia@example.org", body=body)


def test_title_of_a_merge_request() -> None:
    assert suggestions.merge_request_title([commit("Explain it")], "Issue", "b") == "Explain it"
    assert suggestions.merge_request_title([commit("2"), commit("1")], "Issue", "b") == "Issue"
    assert suggestions.merge_request_title([commit("2"), commit("1")], "", "b") == "1"
    assert suggestions.merge_request_title([], "", "docs/41-explain-the-unit") == "explain the unit"
    assert suggestions.merge_request_title([commit("npm: say why")], "", "b") == "npm: say why"


@pytest.mark.parametrize(
    ("template", "body"),
    [
        (None, "Why.\n\nCloses #41"),
        ("", "Why.\n\nCloses #41"),
        ("Fixes #", "Fixes #41"),
        ("Closes: #<issue number>\n", "Closes: #41"),
        ("Closes #(issue)", "Closes #41"),
        ("Resolves #41.", "Resolves #41."),
        ("Closes #7", "Closes #7\n\nCloses #41"),
        ("<!-- write: Closes #41 -->", "<!-- write: Closes #41 -->\n\nCloses #41"),
        ("<!-- Closes # -->\nCloses #", "<!-- Closes # -->\nCloses #41"),
        ("%{first_multiline_commit}", "Why.\n\nCloses #41"),
        ("From %{source_branch} to %{target_branch}, %{unknown}", "From b to main, %{unknown}\n\nCloses #41"),
        ("See #prefixed", "See #prefixed\n\nCloses #41"),
        ("## What\n\n(one or two)\n\nCloses #", "## What\n\nWhy.\n\nCloses #41"),
        ("[Describe it]\n[more]\nCloses #", "Why.\n[more]\nCloses #41"),
        ("- [ ] ticked\n<!-- (here) -->\nCloses #", "- [ ] ticked\n<!-- (here) -->\nCloses #41"),
    ],
)
def test_template_filled_in(template: str | None, body: str) -> None:
    commits = [commit("Explain it", "Why.\n\nSigned-off-by: Nia <nia@example.org>")]
    assert suggestions.merge_request_body(template, 41, commits, "b", "main") == body


def test_template_is_answered_with_the_subject_where_the_message_says_no_more() -> None:
    commits = [commit("Explain it", "Closes #41")]
    assert suggestions.merge_request_body("(what?)", 41, commits, "b", "main") == "Explain it\n\nCloses #41"


def test_template_without_an_issue_stays_as_it_is() -> None:
    assert suggestions.merge_request_body("Closes #", None, [], "b", "main") == "Closes #"


@pytest.mark.parametrize(
    ("kind", "url", "base"),
    [
        (ForgeKind.GITLAB, "https://git.example.org/forge", "https://git.example.org/forge/api/v4"),
        (ForgeKind.GITEA, "https://git.example.org", "https://git.example.org/api/v1"),
        (ForgeKind.GITHUB, "https://github.com", "https://api.github.com"),
        (ForgeKind.GITHUB, "https://git.example.org", "https://git.example.org/api/v3"),
    ],
)
def test_where_requests_go(kind: ForgeKind, url: str, base: str) -> None:
    assert api_base(kind, url) == base
    assert api_base(kind, url, "https://api.example.org/v4/") == "https://api.example.org/v4"


def curl(line: str) -> tuple[str, str, dict[str, object]]:
    """Return method, address and body of a curl line, as a shell would split it."""
    words = shlex.split(line)
    assert words[0] == "curl"
    method = words[words.index("--request") + 1]
    return method, words[-1], json.loads(words[words.index("--data") + 1])


def test_merge_request_on_gitlab() -> None:
    requests = Requests(ForgeKind.GITLAB, "https://git.example.org/api/v4")
    command = requests.open_merge_request(
        FORK, PROJECT, branch="41-x", into="main", title='It\'s "this"; $HOME', body="a\nb", draft=True
    )
    assert command.text.startswith(
        "POST /projects/900/merge_requests  source_branch=41-x  target_branch=main"
    )
    assert command.shell is not None
    assert "PRIVATE-TOKEN: $TOKEN" in command.shell
    assert curl(command.shell) == (
        "POST",
        "https://git.example.org/api/v4/projects/900/merge_requests",
        {
            "source_branch": "41-x",
            "target_branch": "main",
            "target_project_id": 812,
            "title": 'Draft: It\'s "this"; $HOME',
            "description": "a\nb",
            "allow_collaboration": True,
        },
    )


def test_pull_request_on_gitea() -> None:
    requests = Requests(ForgeKind.GITEA, "https://git.example.org/api/v1")
    command = requests.open_merge_request(
        FORK, PROJECT, branch="41-x", into="main", title="T", body="", draft=False
    )
    assert command.text.startswith("POST /repos/Payments/Retry-Queue/pulls  head=nia:41-x  base=main")


@pytest.mark.parametrize("kind", list(ForgeKind))
def test_every_request_can_be_written_for_every_forge(kind: ForgeKind) -> None:
    requests = Requests(kind, "https://git.example.org/api")
    commands = [
        requests.assign(PROJECT, 41, username="nia", user_id="7"),
        requests.comment(PROJECT, 41, "Hello"),
        requests.fork(PROJECT),
        requests.fork(PROJECT, target=ForkTarget(id="88", path="my-team"), name="rq"),
        requests.reply(PROJECT, 1, "Done", discussion="9"),
        requests.reply(PROJECT, 1, "Done", discussion=None),
    ]
    for command in commands:
        assert command.kind == "api"
        assert command.shell is not None
        method, address, _ = curl(command.shell)
        assert command.text.startswith(f"{method} ")
        assert address.startswith("https://git.example.org/api/")
        assert "\n" not in command.text


def test_project_without_an_id_is_named_by_its_path() -> None:
    requests = Requests(ForgeKind.GITLAB, "https://git.example.org/api/v4")
    expected = Project(forge="work", id="", path="nia/retry queue", name="x", url="")
    command = requests.open_merge_request(
        expected, PROJECT, branch="b", into="main", title="T", body="", draft=False
    )
    assert command.text.startswith("POST /projects/nia%2Fretry%20queue/merge_requests")
