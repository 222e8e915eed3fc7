"""Everything that a person or the world can get wrong, as the command line tells it."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from isexplore.config.paths import Paths
from isexplore.practice.server import Fault
from tests.support.cli import CommandLine
from tests.support.newcomer import git
from tests.support.practice import RunningPractice, running_practice
from tests.support.terminal import terminal
from tests.support.tls import https_server

PAGE = b"<!DOCTYPE html><html><head><title>Guest Wi-Fi</title></head><body>Accept our terms</body></html>"


@pytest.fixture
def config_file() -> Path:
    file = Paths.default().config_file
    file.parent.mkdir(parents=True)
    return file


@pytest.fixture
def state_file() -> Path:
    file = Paths.default().state_file
    file.parent.mkdir(parents=True)
    return file


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


# Addresses and networks


@pytest.mark.parametrize("url", ["://", "ftp://git.example.com", "https://", "htps:/git"])
def test_what_is_no_address(cli: CommandLine, url: str) -> None:
    told = cli.refused("login", url, "--token-stdin", code=2, stdin="x\n")
    assert told.title == "That is not the address of a forge"
    assert "https://gitlab.example.com" in told.hint


def test_an_address_with_a_password_in_it_is_not_repeated(cli: CommandLine) -> None:
    cli.secrets.add("canary-password")
    told = cli.refused("login", "https://ada:canary-password@git.example.com", "--token-stdin", code=2)
    assert told.hint == "Leave it out: https://git.example.com"


def test_nothing_listens(cli: CommandLine) -> None:
    port = closed_port()
    told = cli.refused("login", f"127.0.0.1:{port}", "--token-stdin", stdin="x\n")
    assert told.kind == "unavailable"
    assert told.title == f"127.0.0.1:{port} refused the connection"
    assert "VPN" in told.hint


def test_name_that_nobody_knows(cli: CommandLine) -> None:
    told = cli.refused("login", "https://no-such-host.invalid", "--token-stdin", stdin="x\n")
    assert told.title == "The name no-such-host.invalid cannot be found"
    assert "spelling" in told.hint


def test_port_is_closed_for_what_needs_the_forge(
    connected: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = f"127.0.0.1:{closed_port()}"
    monkeypatch.setenv("ISEXPLORE_URL", f"http://{host}")
    monkeypatch.setenv("ISEXPLORE_KIND", "gitlab")
    shown = connected("show", "tools/alpha", "--json")
    assert (shown.code, shown.json["error"]["title"]) == (1, f"{host} refused the connection")
    synced = connected("sync")
    assert synced.code == 1
    assert synced.out == ""
    assert "refused the connection" in synced.err
    assert "isexplore doctor" in synced.err


def test_page_of_a_captive_portal(cli: CommandLine) -> None:
    def portal(path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        return 200, {"Content-Type": "text/html"}, PAGE

    with https_server(None, portal) as port:
        told = cli.refused("login", f"http://127.0.0.1:{port}", "--token-stdin", stdin="x\n")
        spoken = cli("login", f"http://127.0.0.1:{port}", "--token-stdin", stdin="x\n")
    assert told.kind == "wrong-answer"
    assert "Guest Wi-Fi" in str(told)
    assert f"What was asked and run before is in {Paths.default().log_file}" in spoken.err
    assert "GET /api/v4/version -> 200" in Paths.default().log_file.read_text()


@pytest.mark.parametrize("words", [("--branch", "no good"), ("--into", "/dev/null")])
def test_names_that_git_never_saw_send_nobody_to_the_log(
    connected: CommandLine, words: tuple[str, str]
) -> None:
    connected.done("sync")
    spoken = connected("contribute", "tools/alpha", *words)
    assert spoken.code == 1
    assert "isexplore.log" not in spoken.err


def test_page_of_a_proxy_instead_of_an_answer(connected: CommandLine, forge: RunningPractice) -> None:
    assert connected("sync").code == 0

    def page() -> None:
        forge.knobs.faults[:] = [Fault(status=503, body=PAGE, media_type="text/html", path="/projects/")] * 40

    page()
    told = connected.refused("contribute", "tools/alpha")
    assert told.kind in ("unavailable", "wrong-answer")
    assert "Guest Wi-Fi" in told.detail
    assert "<html" not in str(told)


def test_what_stopped_a_contribution_is_told_with_how_to_go_on(
    connected: CommandLine, forge: RunningPractice, tmp_path: Path
) -> None:
    words = ("contribute", "tools/alpha", "--claim", "skip", "--into", str(tmp_path / "clone"))
    forge.knobs.faults[:] = [Fault(status=503, path="/fork", method="POST")] * 40
    told = connected(*words)
    assert told.code == 1
    assert told.err.rstrip().endswith("The same command then goes on where it was."), told.err
    forge.knobs.faults.clear()
    connected.done(*words)
    assert "goes on" not in connected(*words[:-1], str(tmp_path / "other"), "--branch", "no good").err


def test_login_wall(cli: CommandLine) -> None:
    def wall(path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        return 302, {"Location": "https://login.example.com/saml?from=" + path}, b""

    with https_server(None, wall) as port:
        told = cli.refused("login", f"http://127.0.0.1:{port}", "--token-stdin", stdin="x\n")
    assert told.kind in ("moved", "wrong-answer")
    assert "login.example.com" in str(told)
    assert told.hint


def test_tokens_are_not_sent_over_plain_http(config_file: Path, cli: CommandLine) -> None:
    told = cli.refused("login", "http://git.example.com", "--token-stdin", code=2, stdin="x\n")
    assert told.kind == "config"
    assert "https" in str(told)


# Tokens


@pytest.mark.parametrize(
    ("token", "detail"),
    [
        ("wrong-canary-token", "401 Unauthorized"),
        ("expired-canary-token", "Token is expired."),
        ("revoked-canary-token", "Token was revoked."),
    ],
)
def test_dead_token(
    connected: CommandLine,
    forge: RunningPractice,
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    detail: str,
) -> None:
    connected.secrets.add(token)
    host = forge.url.partition("//")[2]
    told = connected.refused("login", forge.url, "--token-stdin", stdin=f"{token}\n")
    assert (told.kind, told.title, told.detail) == ("auth", f"{host} does not accept the token", detail)
    assert f"isexplore login {forge.url}" in told.hint
    monkeypatch.setenv("ISEXPLORE_TOKEN", token)
    assert connected.refused("contribute", "tools/alpha") == told
    synced = connected("sync")
    assert (synced.code, synced.out) == (1, "")
    assert f"{told.title}: {detail}" in synced.err
    document = connected("sync", "--json")
    assert (document.code, document.err) == (1, "")
    assert document.json["forges"][0]["failures"][0]["kind"] == "auth"


def test_token_without_a_scope(
    connected: CommandLine, forge: RunningPractice, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = connected.refused("login", forge.url, "--token-stdin", stdin="little-canary-token\n")
    assert told.kind == "scope"
    assert "api" in told.title
    monkeypatch.setenv("ISEXPLORE_TOKEN", "reading-canary-token")
    told = connected.refused("contribute", "tools/empty")
    assert "api" in told.title
    assert "isexplore login" in told.hint
    assert connected("show", "tools/alpha").code == 0


def test_no_token_at_all(
    connected: CommandLine, forge: RunningPractice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ISEXPLORE_TOKEN")
    told = connected.refused("contribute", "tools/alpha")
    assert told.kind == "auth"
    assert told.hint == f"isexplore login {forge.url} asks for one and keeps it."


def test_standard_input_without_a_token(connected: CommandLine, forge: RunningPractice) -> None:
    told = connected.refused("login", forge.url, "--token-stdin", code=2, stdin="\n")
    assert told.title == "Standard input holds no token"
    told = connected.refused("login", forge.url, code=2)
    assert told.title == "There is no terminal to type a token on"
    assert "--token-stdin" in told.hint


# Projects and clones


def test_project_that_vanished_or_never_was(connected: CommandLine, forge: RunningPractice) -> None:
    for words in (["show", "tools/gone"], ["contribute", "tools/gone"]):
        told = connected.refused(*words)
        assert told.kind == "not-visible"
        assert told.title == "tools/gone does not exist, or this account may not see it"
        assert told.hint
    connected.done("sync")
    for words in (["show", "tools/alpah"], ["contribute", "tools/alpah"]):
        assert connected.refused(*words).hint == "Did you mean tools/alpha?"
    assert "Did you mean tools/alpha?" in connected("bookmark", "add", "tools/alpah").err
    unknown = connected.done("bookmark", "add", "nope/nope")
    assert (
        unknown.err
        == "isexplore: nope/nope is not in the catalog. isexplore show nope/nope asks the forge.\n"
    )
    assert connected.done("bookmark", "add", "tools/alpha").err == ""
    told = connected.refused("contribute", "tools/alpha", "--issue", "77")
    assert told.title == "tools/alpha #77 does not exist, or this account may not see it"


def test_ambiguous_project(cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = tmp_path / "repos.json"
    listed.write_text(
        '[{"id": 1, "name": "queue", "full_name": "red/queue", "html_url": "https://x.example/red/queue"},'
        ' {"id": 2, "name": "queue", "full_name": "blue/queue", "html_url": "https://x.example/blue/queue"}]'
    )
    monkeypatch.setenv("ISEXPLORE_SOURCES", str(listed))
    cli.done("sync")
    told = cli.refused("show", "queue", code=2)
    assert told.title == "queue may mean several projects"
    assert "red/queue" in told.detail
    assert "blue/queue" in told.detail
    told = cli.refused("bookmark", "add", "queue", code=2)
    assert told.hint == "Name one of them in full."


def test_folder_in_the_way(connected: CommandLine, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.txt").write_text("irreplaceable")
    told = connected.refused("contribute", "tools/alpha", "--into", str(full))
    assert told.kind == "blocked"
    assert str(full) in told.title
    assert "--into" in told.hint
    assert connected.done("status", "--json").json["contributions"] == [], "nothing was begun"
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    git(other, "remote", "add", "origin", "https://git.example.com/some/thing.git")
    told = connected.refused("contribute", "tools/alpha", "--into", str(other))
    assert "a clone of something else" in told.title
    assert [each.name for each in full.iterdir()] == ["thesis.txt"]
    assert "some/thing.git" in git(other, "remote", "-v")


def test_git_is_missing(connected: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    told = connected.refused("contribute", "tools/alpha", "--into", str(tmp_path / "clone"))
    assert "git" in told.title.lower()
    assert "Install" in told.hint
    assert not (tmp_path / "clone").exists()


def test_git_does_not_know_who_commits(connected: CommandLine, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    begun = connected.done("contribute", "tools/alpha", "--into", str(clone))
    assert "git config --global user.name" in begun.out
    (clone / "src" / "alpha.py").write_text("X = 3\n")
    told = connected.refused("propose", str(clone))
    assert "nothing to propose yet" in told.title
    assert "git config --global user.name" in told.hint
    assert "git config --global user.email" in told.hint
    git(clone, "commit", "-qam", "Count to three")
    assert connected.done("propose", str(clone), "--yes", "--json").json["merge_request"]["state"] == "open"


def test_questions_of_a_template_that_nobody_answered(connected: CommandLine, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    connected.done("contribute", "tools/alpha", "--into", str(clone))
    (clone / "src" / "alpha.py").write_text("X = 3\n")
    git(clone, "-c", "user.name=Nia", "-c", "user.email=nia@example.com", "commit", "-qam", "Count to three")
    with terminal("propose", str(clone)) as person:
        person.until(".gitlab/merge_request_templates/Default.md")
        person.until("nothing below “What”")
        person.until("Send it like this? [y/N, e edits it] ")
        person.type("\n")
        assert person.end() == 1
    assert "Nothing was proposed" in person.seen
    planned = connected.done("propose", str(clone), "--dry-run")
    assert "nothing below “What”" in planned.err
    body = tmp_path / "body.md"
    body.write_text("Counts to three.\n\nCloses #\n")
    planned = connected.done("propose", str(clone), "--dry-run", "--body-file", str(body))
    assert "no number: Closes #" in planned.err
    # Where nobody can answer, it is told, and nothing waits.
    told = connected.done("propose", str(clone))
    assert "nothing below “What”" in told.err
    assert "--body-file" in told.err
    assert "Open: " in told.out


def test_the_description_is_edited_before_it_is_sent(
    connected: CommandLine, forge: RunningPractice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = tmp_path / "clone"
    connected.done("contribute", "tools/alpha", "--into", str(clone), "--branch", "edited")
    (clone / "src" / "alpha.py").write_text("X = 4\n")
    git(clone, "-c", "user.name=Nia", "-c", "user.email=nia@example.com", "commit", "-qam", "Count to four")
    for written, code in (("", 1), ("Counts one further.", 0)):
        monkeypatch.setenv("VISUAL", f'sh -c \'grep What "$0" && echo "{written}" > "$0"\'')
        with terminal("propose", str(clone)) as person:
            person.until("[y/N, e edits it] ")
            person.type("e\n")
            assert person.end() == code, person.seen
        assert ("The description is empty" in person.seen) is (code == 1)
    [opened] = [
        each
        for each in forge.ask("/projects/tools%2Falpha/merge_requests").json
        if each["source_branch"] == "edited"
    ]
    assert opened["description"] == "Counts one further."


def test_what_is_no_clone(connected: CommandLine, tmp_path: Path) -> None:
    told = connected.refused("propose", str(tmp_path))
    assert told.title == f"{tmp_path} is not a git clone"
    assert "isexplore contribute" in told.hint
    told = connected.refused("propose", "--body-file", str(tmp_path / "none.md"), code=2)
    assert (told.detail, told.hint) == (
        "No such file or directory",
        "Give a text file, or - for standard input.",
    )


# Files of isexplore's own


def test_every_mistake_in_the_configuration_at_once(cli: CommandLine, config_file: Path) -> None:
    config_file.write_text(
        'tgas = ["x"]\nrefresh_after = "soon"\n[forge.work]\nurl = "git.example.com"\nkin = "gitlab"\n'
        "[network]\ntimeout = -3\n"
    )
    mistakes = (
        f"{config_file}:1: tgas is not a setting; did you mean tags?",
        f"{config_file}:2: refresh_after must be a duration such as 90s, 15m, 6h or 7d, not 'soon'",
        f"{config_file}:4: forge.work.url must begin with https://; did you mean https://git.example.com?",
        f"{config_file}:5: forge.work.kin is not a setting; did you mean kind?",
        f"{config_file}:7: network.timeout must be more than 0",
    )
    for words in (["search", "x"], ["status"], ["sync"], ["show", "a/b"], ["bookmark", "list"], ["logout"]):
        if words == ["logout"]:
            said = cli(*words)
            assert (said.code, said.out) == (2, "")
            continue
        told = cli.refused(*words, code=2)
        assert told.title == "5 things are wrong in the configuration"
        assert told.detail.splitlines() == list(mistakes)
        assert "config check" in told.hint
    checked = cli("config", "check")
    assert (checked.code, checked.out, checked.err.splitlines()) == (2, "", list(mistakes))
    lines = [each["line"] for each in cli("config", "check", "--json").json["problems"]]
    assert lines == [1, 2, 4, 5, 7]
    config_file.write_text('[keys]\n"catalog.serch" = "f5"\n')
    wrong = f"{config_file}:1: keys.catalog.serch names no key; did you mean catalog.search?"
    assert cli("config", "check").err.splitlines() == [wrong]
    config_file.write_text('tags = ["a"]\n[network\n')
    assert cli.refused("status", code=2).title.startswith(f"{config_file}:2: ")


def test_broken_state_file_is_kept_aside_and_told(cli: CommandLine, state_file: Path) -> None:
    for words in (["bookmark", "list"], ["status"]):
        state_file.write_text("this is [ no TOML")
        said = cli(*words)
        # Nothing to show is not the same as nothing that can be shown.
        assert said.code == (1 if words == ["status"] else 0)
        assert said.out == ""
        (aside,) = state_file.parent.glob("state.toml.corrupt-*")
        assert f"{state_file} could not be understood" in said.err
        assert f"{aside}: mend it" in said.err
        assert aside.read_text() == "this is [ no TOML"
        aside.unlink()


def test_search_tells_of_the_state_file_that_it_put_aside(connected: CommandLine, state_file: Path) -> None:
    connected.done("sync")
    connected.done("search")
    state_file.write_text("this is [ no TOML")
    said = connected.done("search", "alpha", "--json")
    assert [project["path"] for project in said.json["projects"]] == ["tools/alpha"]
    (aside,) = state_file.parent.glob("state.toml.corrupt-*")
    assert f"{aside}: mend it" in said.err


def test_state_file_of_a_newer_version_is_left_alone(connected: CommandLine, state_file: Path) -> None:
    state_file.write_text("schema = 99\n")
    told = connected.refused("bookmark", "add", "tools/alpha")
    assert told.title == f"{state_file} was written by a newer isexplore"
    assert "Update isexplore" in told.hint
    listed = connected("bookmark", "list")
    assert listed.code == 0
    assert "newer isexplore" in listed.err
    assert state_file.read_text() == "schema = 99\n"


def test_export_makes_no_folders(cli: CommandLine, tmp_path: Path) -> None:
    said = cli("export", str(tmp_path / "none" / "x.json"))
    assert said.code == 2
    assert f"There is no folder {tmp_path / 'none'}" in said.err
    said = cli("export", str(tmp_path / "x.xml"))
    assert said.code == 2
    assert "--format" in said.err
    assert list(tmp_path.iterdir()) == []


# Words


@pytest.mark.parametrize(
    ("words", "title", "nearest"),
    [
        (["searhc", "x"], "There is no command 'searhc'", "Did you mean search?"),
        (["contribute", "a/b", "--isue", "1"], "isexplore contribute does not take --isue 1", "--issue"),
        (["show"], "The following arguments are required: PROJECT", ""),
        (["search", "--limit", "0"], "Argument --limit: 0 shows nothing; give a number from 1 on", ""),
        (["search", "--limit", "-1"], "Argument --limit: -1 shows nothing; give a number from 1 on", ""),
        (["issues", "--limit", "0"], "Argument --limit: 0 shows nothing; give a number from 1 on", ""),
        (["search", "--limit", "many"], "Argument --limit: invalid int value: 'many'", ""),
        (["search", "color:red"], 'There is no filter "color:"', "lang:"),
        (["search", "has:nothing"], '"nothing" is no value of has:', "gfi"),
        (["issues", "verdict:fre"], '"fre" is no value of verdict:', "free"),
        (["issues", "verdict:perhaps"], '"perhaps" is no value of verdict:', "free"),
        (["bookmark", "add"], "Which project should be added", ""),
        (["login"], "Which forge?", ""),
        (["show", "a/b"], "No forge is connected yet", ""),
        (["sync"], "No forge is connected yet", ""),
    ],
)
def test_wrong_words(cli: CommandLine, words: list[str], title: str, nearest: str) -> None:
    told = cli.refused(*words, code=2)
    assert told.title == title
    assert nearest in told.detail
    assert told.hint


def test_screens_without_a_terminal(cli: CommandLine) -> None:
    said = cli()
    assert (said.code, said.out) == (2, "")
    assert "The screens need a terminal" in said.err
    assert "isexplore --help" in said.err


def test_screens_with_errors_sent_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    program = (
        "import sys; sys.stderr = open('errors', 'w'); from isexplore.__main__ import main; sys.exit(main())"
    )
    with terminal(program=program) as person:
        assert person.end() == 2
    assert "The screens need a terminal" in Path("errors").read_text()


# Real processes


def start(*words: str, path: str | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "isexplore", *words],
        env=os.environ | {"PATH": path or os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_reader_that_goes_away(cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = tmp_path / "repos.json"
    rows = (
        f'{{"id": {n}, "name": "p{n}", "full_name": "g/p{n}", "html_url": "https://x.example/g/p{n}"}}'
        for n in range(400)
    )
    listed.write_text(f"[{','.join(rows)}]")
    monkeypatch.setenv("ISEXPLORE_SOURCES", str(listed))
    cli.done("sync")
    for words in (["search", "--limit", "400"], ["search", "--limit", "400", "--json"], ["config", "show"]):
        running = start(*words)
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        with running.stderr:
            assert running.stderr.read() == "", words
        assert running.wait(20) == 0, words


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    "words",
    [
        "search ''",
        "search '' --limit 5 --json",
        "search x:y --json",
        "config path",
        "export - --format csv",
        "-h",
    ],
)
@pytest.mark.parametrize(
    ("output", "why"), [("/dev/full", "No space left on device"), ("&-", "Bad file descriptor")]
)
def test_output_that_cannot_be_written(words: str, output: str, why: str) -> None:
    line = f"{sys.executable} -m isexplore {words} >{output}"
    ended = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, f"isexplore: The output cannot be written: {why}\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("closed", ["2>/dev/full", "2>&-", "<&- 2>&-"])
def test_errors_that_cannot_be_written(closed: str) -> None:
    line = f"{sys.executable} -m isexplore search x:y {closed}"
    ended = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", "")


@pytest.fixture
def slow_forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningPractice]:
    """A forge whose forks are never ready."""
    with running_practice(tmp_path / "forge", import_seconds=600.0) as running:
        monkeypatch.setenv("ISEXPLORE_URL", running.url)
        monkeypatch.setenv("ISEXPLORE_TOKEN", running.token)
        yield running


@pytest.mark.parametrize("as_json", [False, True])
def test_interrupted(slow_forge: RunningPractice, tmp_path: Path, as_json: bool) -> None:
    words = ["contribute", "tools/alpha", "--into", str(tmp_path / "clone")]
    running = start(*words, *(["--json"] if as_json else []))
    slow_forge.wait("/projects?membership=true&owned=true", lambda found: len(found) == 1)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130, err
    assert "Traceback" not in err
    if as_json:
        assert '"kind": "cancelled"' in out
        assert err == ""
    else:
        assert err.splitlines()[-2:] == [
            "isexplore: Interrupted",
            "  Nothing is lost: the same command goes on where it was.",
        ]
    assert not (tmp_path / "clone").exists()
    assert slow_forge.token not in out + err


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_no_git_is_left_behind(connected: CommandLine, tmp_path: Path, number: int, code: int) -> None:
    """A clone that never ends is stopped with the program, and so is its half-made folder."""
    connected.done("sync")
    started, programs = tmp_path / "started", tmp_path / "programs"
    os.mkfifo(started)
    programs.mkdir()
    slow = programs / "git"
    slow.write_text(
        f"""#!/bin/sh
for last; do :; done
case " $* " in *" clone "*) mkdir "$last"; echo $$ >{started}; exec sleep 600;; esac
exec {shutil.which("git")} "$@"
"""
    )
    slow.chmod(0o755)
    # For this process alone: the forge clones as well.
    path = f"{programs}:{os.environ['PATH']}"
    running = start("contribute", "tools/alpha", "--into", str(tmp_path / "work" / "clone"), path=path)
    process = int(started.read_text())
    assert [path.name[:11] for path in (tmp_path / "work").iterdir()] == [".isx-clone-"]
    running.send_signal(number)
    _, err = running.communicate(timeout=20)
    assert running.returncode == code, err
    assert "Traceback" not in err
    assert err.splitlines()[-1] == "  Nothing is lost: the same command goes on where it was."
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert not (tmp_path / "work").exists()


def test_hangup_is_ignored_where_it_was(slow_forge: RunningPractice, tmp_path: Path) -> None:
    line = (
        f"trap '' HUP; exec {sys.executable} -m isexplore contribute tools/alpha --into {tmp_path / 'clone'}"
    )
    running = subprocess.Popen(["sh", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    slow_forge.wait("/projects?membership=true&owned=true", lambda found: len(found) == 1)
    running.send_signal(signal.SIGHUP)
    running.send_signal(signal.SIGTERM)
    _, err = running.communicate(timeout=20)
    assert running.returncode == 143, err


def test_a_bug_is_reported_with_its_log_and_without_secrets(
    connected: CommandLine, forge: RunningPractice, monkeypatch: pytest.MonkeyPatch
) -> None:
    from isexplore.cli import find

    def broken(options: object, paths: object) -> int:
        logging.getLogger("isexplore.test").debug("something happened")
        raise RuntimeError(f"no idea what to do with {forge.token}")

    connected.done("sync")
    monkeypatch.setattr(find, "sync", broken)
    said = connected("sync")
    assert (said.code, said.out) == (3, "")
    assert "RuntimeError: no idea what to do with ***" in said.err
    assert str(Paths.default().log_file) in said.err
    document = connected("sync", "--json").json
    assert document["error"]["kind"] == "bug"


def test_help_and_version(cli: CommandLine) -> None:
    assert cli("--version").out.startswith("isexplore ")
    assert shutil.which("git", path=os.environ["PATH"])
    assert "exit codes" in cli("--help").out
