"""Signing in and out, configuration, the doctor and completion, as somebody at a laptop uses them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import urllib.parse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from isexplore.config.network import git_environment, ssl_context
from isexplore.config.paths import Paths
from isexplore.config.schema import ForgeConfig, NetworkConfig
from isexplore.config.secrets import Secret
from isexplore.connecting import adapter
from isexplore.errors import IsexploreError
from isexplore.git.client import Git
from isexplore.git.facts import Credential
from isexplore.models import ForgeKind
from isexplore.practice.server import NEWCOMER, Grant
from tests.support.cli import CommandLine
from tests.support.newcomer import git
from tests.support.practice import RunningPractice, fetch, running_practice
from tests.support.proxy import ConnectProxy, in_a_thread
from tests.support.terminal import terminal
from tests.support.tls import Authority, Fault, https_server

TYPED = "typed-canary-token"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[RunningPractice]:
    """A forge with a certificate of the organisation's own authority."""
    folder = tmp_path_factory.mktemp("secure")
    with running_practice(folder, import_seconds=0.02, tls=authority.server_context()) as running:
        yield running


@pytest.fixture
def at_home(cli: CommandLine, forge: RunningPractice) -> CommandLine:
    """Yield the command line with nothing configured."""
    forge.forge.tokens[TYPED] = Grant(username=NEWCOMER)
    cli.secrets |= set(forge.forge.tokens)
    return cli


@pytest.fixture
def config_file() -> Path:
    file = Paths.default().config_file
    file.parent.mkdir(parents=True)
    return file


# Signing in


def test_from_an_address_and_a_token_to_results(at_home: CommandLine, forge: RunningPractice) -> None:
    signed = at_home.done("login", forge.url, "--token-stdin", "--plain-file", stdin=f"{forge.token}\n")
    assert f"{forge.url} is GitLab" in signed.out
    assert "Signed in as @nia (Nia Newcomer)." in signed.out
    assert "git over HTTPS can read tools/alpha" in signed.out
    assert signed.err == ""
    kept = Paths.default().data_dir / "tokens.toml"
    assert str(kept) in signed.out
    assert kept.stat().st_mode & 0o777 == 0o600
    assert forge.token not in Paths.default().config_file.read_text()
    assert "tools/alpha" in at_home.done("search", "retries").out
    assert "Whom to ask" in at_home.done("show", "alpha").out
    again = at_home.done("login", "127.0.0.1", "--token-stdin", "--plain-file", "--json", stdin=forge.token)
    assert again.json["user"] == "nia"
    assert again.json["kept"].endswith("tokens.toml")
    gone = at_home.done("logout")
    assert "is gone from the file" in gone.out
    assert "revoke it on the forge" in gone.out
    assert at_home.refused("contribute", "tools/alpha").kind == "auth"
    assert "kept no token" in at_home.done("logout", forge.url).out
    unknown = at_home("logout", "elsewhere")
    assert (unknown.code, unknown.err.splitlines()[0]) == (2, "isexplore: No forge is called elsewhere")


def test_without_a_keyring_the_token_is_not_kept_and_that_is_told(
    at_home: CommandLine, forge: RunningPractice
) -> None:
    signed = at_home("login", forge.url, "--token-stdin", stdin=forge.token)
    assert signed.code == 1
    assert "The token is good, it is of @nia" in signed.out
    assert "Signed in" not in signed.out
    assert "Now: isexplore" not in signed.out
    assert signed.err.count("The token is not kept") == 1
    assert "no keyring" in signed.err
    assert "--plain-file" in signed.err
    assert "ISEXPLORE_TOKEN" in signed.err
    document = at_home("login", forge.url, "--token-stdin", "--json", stdin=forge.token)
    assert (document.code, document.json["kept"]) == (1, None)


def test_for_this_session_only(at_home: CommandLine, forge: RunningPractice) -> None:
    signed = at_home.done("login", forge.url, "--token-stdin", "--session", stdin=forge.token)
    assert "It is forgotten when this command ends." in signed.out
    assert at_home.refused("contribute", "tools/alpha").kind == "auth"


def test_read_only_token_is_good_for_looking_around(at_home: CommandLine, forge: RunningPractice) -> None:
    signed = at_home.done("login", forge.url, "--token-stdin", "--plain-file", stdin="reading-canary-token")
    assert "Without api you can look around" in signed.out


def test_token_that_runs_out_soon_is_told_before_it_is_needed(
    at_home: CommandLine, forge: RunningPractice, tmp_path: Path
) -> None:
    today = datetime.now(UTC).date()
    forge.forge.tokens["ending-canary-token"] = Grant(username=NEWCOMER, expires_on=today + timedelta(days=5))
    at_home.secrets.add("ending-canary-token")
    words = ("login", forge.url, "--token-stdin", "--plain-file")
    assert "The token runs out in 5 days" in at_home.done(*words, stdin="ending-canary-token").out
    for command in (
        ("contribute", "tools/alpha", "--dry-run"),
        ("contribute", "tools/alpha", "--into", str(tmp_path / "clone"), "--json"),
        ("sync",),
    ):
        said = at_home.done(*command)
        assert "The token for 127.0.0.1 runs out in 5 days" in said.err, command
        assert f"isexplore login {forge.url} takes a new one." in said.err
        assert "runs out" not in said.out
    assert "runs out" not in str(at_home.done("search", "retries"))
    at_home.done(*words, stdin=TYPED)
    assert "runs out" not in at_home.done("sync").err


def test_variables_are_enough(connected: CommandLine, tmp_path: Path) -> None:
    """An address and a token in the environment, and no configuration: as in a pipeline."""
    connected.done("sync")
    assert "tools/alpha" in connected.done("search", "retries").out
    assert "Whom to ask" in connected.done("show", "tools/alpha").out
    connected.done("contribute", "tools/deep/beta", "--into", str(tmp_path / "beta"))
    assert "nia/beta.git" in git(tmp_path / "beta", "remote", "get-url", "origin")
    assert not Paths.default().config_file.exists()


def test_verbose_tells_requests_and_commands_without_secrets(connected: CommandLine, tmp_path: Path) -> None:
    quiet = connected.done("show", "tools/alpha")
    assert quiet.err == ""
    said = connected.done("contribute", "tools/alpha", "--into", str(tmp_path / "clone"), "--verbose")
    assert re.search(r"GET /api/v4/projects/tools%2Falpha -> 200, \d+ bytes", said.err)
    assert re.search(r"\bgit .*\bclone\b.* -> 0, \d+ ms", said.err)
    log = Paths.default().log_file
    assert "-> 200" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
    for secret in connected.secrets:
        assert secret not in log.read_text()


# Typing at a terminal


def tool(folder: Path, name: str, script: str) -> None:
    """Put a program of this name in front of the others."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_typed_token_is_hidden_and_may_be_wrong_once(at_home: CommandLine, forge: RunningPractice) -> None:
    with terminal("login", forge.url, "--plain-file") as person:
        person.until("Paste the token")
        assert "You need a personal access token" in person.seen
        assert "api: needed to" in person.seen
        assert f"{forge.url}/-/user_settings/personal_access_tokens?name=isexplore&scopes=api" in person.seen
        assert person.hides_what_is_typed()
        person.type("mistyped-canary\n")
        person.until("does not accept the token")
        person.until("mistyped, expired or revoked: paste another one.")
        person.until("Paste the token")
        person.type(f"{TYPED}\n")
        assert person.end() == 0, person.seen
    assert "Signed in as @nia" in person.seen
    assert "canary" not in person.seen
    assert TYPED in (Paths.default().data_dir / "tokens.toml").read_text()


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("", 1)])
def test_without_a_keyring_a_person_is_asked_about_a_file(
    at_home: CommandLine, forge: RunningPractice, answer: str, code: int
) -> None:
    with terminal("login", forge.url) as person:
        person.until("Paste the token")
        person.type(f"{TYPED}\n")
        person.until("which only you can read? [y/N] ")
        person.type(f"{answer}\n")
        assert person.end() == code, person.seen
    assert "there is no keyring here" in person.seen
    assert (Paths.default().data_dir / "tokens.toml").exists() is (code == 0)


def test_one_interrupt_ends_the_question(at_home: CommandLine, forge: RunningPractice) -> None:
    with terminal("login", forge.url) as person:
        person.until("Paste the token")
        person.interrupt()
        assert person.end() == 130
    assert "Interrupted" in person.seen
    assert not Paths.default().config_file.exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_system_ends_the_question_as_well(
    at_home: CommandLine, forge: RunningPractice, number: int, code: int
) -> None:
    with terminal("login", forge.url) as person:
        person.until("Paste the token")
        person.process.send_signal(number)
        assert person.end() == code, person.seen
    assert "Stopped by SIG" in person.seen
    assert "Traceback" not in person.seen
    assert not Paths.default().config_file.exists()


def test_login_of_another_program_is_offered(
    at_home: CommandLine, forge: RunningPractice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = urllib.parse.urlsplit(forge.url).netloc
    tool(tmp_path / "bin", "glab", f'test "$*" = "config get token --host {host}" && echo {TYPED}')
    tool(tmp_path / "bin", "gh", "echo another-forges-token")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    with terminal("login", forge.url, "--plain-file") as person:
        person.until("glab holds a token. Use it? [Y/n] ")
        person.type("\n")
        assert person.end() == 0, person.seen
    assert "Signed in as @nia" in person.seen
    with terminal("login", forge.url, "--plain-file") as person:
        person.until("Use it? [Y/n] ")
        person.type("n\n")
        person.until("Paste the token")
        assert "gh holds" not in person.seen
        person.interrupt()
        assert person.end() == 130


def test_code_typed_in_the_browser_instead_of_a_token(
    at_home: CommandLine, forge: RunningPractice, config_file: Path
) -> None:
    asked: list[str] = []

    def answer(path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        asked.append(path)
        plain = {"Content-Type": "application/json"}
        if path == "/oauth/authorize_device":
            page = f"http://127.0.0.1:{port}/oauth/device"
            return (
                200,
                plain,
                f'{{"device_code": "device-canary", "user_code": "0A44-L90H", "verification_uri": "{page}",'
                ' "expires_in": 60, "interval": 1}'.encode(),
            )
        if path == "/oauth/token":
            return 200, plain, f'{{"access_token": "{TYPED}", "token_type": "Bearer"}}'.encode()
        return relayed(forge, path, headers)

    with https_server(None, answer) as port:
        config_file.write_text(
            f'[forge.work]\nurl = "http://127.0.0.1:{port}"\nkind = "gitlab"\nclient_id = "registered"\n'
        )
        with terminal("login", "work", "--plain-file") as person:
            assert person.end() == 0, person.seen
    assert f"Open http://127.0.0.1:{port}/oauth/device and enter the code 0A44-L90H" in person.seen
    assert "Signed in as @nia" in person.seen
    assert "canary" not in person.seen
    assert asked[:2] == ["/oauth/authorize_device", "/oauth/token"]
    assert TYPED in (Paths.default().data_dir / "tokens.toml").read_text()


# TLS and proxies


def relayed(
    forge: RunningPractice, path: str, headers: dict[str, str], origin: str = ""
) -> tuple[int, dict[str, str], bytes]:
    """Answer a GET as `forge` does, as if it were at `origin`."""
    wanted = {name: headers[name] for name in headers if name.lower() in ("authorization", "accept")}
    reply = fetch(f"{forge.url}{path}", headers=wanted)
    told = {
        name: reply.headers[name] for name in ("Content-Type", "WWW-Authenticate") if name in reply.headers
    }
    return reply.status, told, reply.body.replace(forge.url.encode(), origin.encode() or forge.url.encode())


def test_organisations_own_authority_for_requests_and_git(
    cli: CommandLine, secure: RunningPractice, authority: Authority, config_file: Path, tmp_path: Path
) -> None:
    written = f'# Ours.\n[network]\nca_file = "{authority.file}"\n'
    config_file.write_text(written)
    signed = cli.done("login", secure.url, "--token-stdin", "--plain-file", stdin=secure.token)
    assert "✓ git: git over HTTPS can read tools/alpha" in signed.out
    assert config_file.read_text().startswith(written)
    cli.done("contribute", "tools/alpha", "--into", str(tmp_path / "clone"))
    assert git(tmp_path / "clone", "remote", "get-url", "origin").strip() == f"{secure.url}/nia/alpha.git"
    report = cli("doctor", "--json")
    assert report.code == 0, report.out


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("good", "an authority that this machine does not know"),
        ("self-signed", "does not know"),
        ("expired", "expired"),
        ("not-yet-valid", "not valid yet"),
        ("wrong-host", "another name"),
    ],
)
def test_certificate_that_cannot_be_trusted(
    cli: CommandLine,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    words: str,
) -> None:
    if fault != "good":
        monkeypatch.setenv("ISEXPLORE_CA_FILE", str(authority.file))
    with https_server(authority.server_context(fault)) as port:
        told = cli.refused("login", f"https://localhost:{port}", "--token-stdin", stdin="x\n")
    assert told.kind == "unavailable"
    assert f"localhost:{port}" in told.title
    assert words in f"{told.title} {told.detail}".lower(), told
    assert told.hint
    assert "verif" not in told.hint.lower(), "nobody is led to turn verification off"


def test_through_a_proxy(
    at_home: CommandLine,
    forge: RunningPractice,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing but the proxy knows where git.agency.example is."""
    origin = "https://git.agency.example"
    monkeypatch.setenv("ISEXPLORE_CA_FILE", str(authority.file))
    at_home.secrets.add("proxy-canary")
    words = ("login", origin, "--token-stdin")
    with (
        https_server(
            authority.server_context(hosts=("git.agency.example",)),
            lambda path, headers: relayed(forge, path, headers, origin),
        ) as port,
        in_a_thread(ConnectProxy(port, login="ada:proxy-canary")) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        told = at_home.refused(*words, stdin=forge.token)
        assert "proxy" in told.title.lower()
        assert "407" in str(told)
        assert told.hint
        monkeypatch.setenv("HTTPS_PROXY", f"http://ada:proxy-canary@127.0.0.1:{proxy.port}")
        signed = at_home.done(*words, "--plain-file", "--verbose", stdin=forge.token)
        assert "✓ git: git over HTTPS can read tools/alpha" in signed.out, signed.out
        assert "tools/alpha" in at_home.done("search", "retries").out
        assert set(proxy.targets) == {"git.agency.example:443"}
    monkeypatch.delenv("HTTPS_PROXY")
    assert at_home.refused("contribute", "tools/alpha").title.startswith("The name git.agency.example")


async def test_proxy_and_its_exceptions_hold_for_requests_and_git_alike(
    secure: RunningPractice, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    network = NetworkConfig(ca_file=authority.file)
    origin = "https://git.agency.example"

    async def tried(url: str) -> tuple[str, str]:
        """Ask the forge at `url` by HTTP and by git; return what each of them was told."""
        told = []
        forge = ForgeConfig(name="one", url=url, kind=ForgeKind.GITLAB)
        asked = await adapter(forge, network, Secret(secure.token), ssl_context(network))
        git_client = Git(network_environment=git_environment(network, tmp_path))
        credential = Credential(origin=url, username="nia", token=Secret(secure.token))
        address = f"{url}/tools/alpha.git"
        for question in (
            asked.whoami(),
            git_client.remote_branch(None, address, "main", credential=credential),
        ):
            try:
                await question
                told.append("")
            except IsexploreError as error:
                told.append(error.title)
        await asked.close()
        return told[0], told[1]

    async with ConnectProxy(1, status="403 Forbidden").running() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        by_http, by_git = await tried(origin)
        assert "proxy does not let" in by_http
        assert "proxy does not let git through" in by_git
        assert set(proxy.targets) == {"git.agency.example:443"}
        proxy.targets.clear()
        # No proxy reaches this machine's own servers.
        assert await tried(secure.url) == ("", "")
        monkeypatch.setenv("NO_PROXY", ".agency.example")
        by_http, by_git = await tried(origin)
        assert "cannot be found" in by_http
        assert "could not be found" in by_git
        assert proxy.targets == []


# The organisation's profile


def test_profile_in_a_file_brings_everything_but_the_token(
    at_home: CommandLine, forge: RunningPractice, tmp_path: Path
) -> None:
    profile = tmp_path / "agency.toml"
    profile.write_text(f'tags = ["innersource"]\n[forge.agency]\nurl = "{forge.url}"\nkind = "gitlab"\n')
    words = ("login", "--profile", str(profile), "--token-stdin", "--plain-file")
    signed = at_home.done(*words, stdin=forge.token)
    assert f"The profile {profile} is in force." in signed.out
    assert "Signed in as @nia" in signed.out
    assert Paths.default().config_file.read_text() == f'profile = "{profile}"\n'
    assert f"# {profile}:1" in at_home.done("config", "show").out
    assert "tools/alpha" in at_home.done("search", "retries").out


def test_profile_with_several_forges_leaves_the_choice(
    at_home: CommandLine, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        forges = "".join(
            f'[forge.{name}]\nurl = "https://{name}.example.com"\nkind = "gitlab"\n' for name in ("a", "b")
        )
        return 200, {"Content-Type": "text/plain"}, forges.encode()

    monkeypatch.setenv("ISEXPLORE_CA_FILE", str(authority.file))
    with https_server(authority.server_context(), answer) as port:
        place = f"https://localhost:{port}/isexplore.toml"
        said = at_home.done("login", "--profile", place)
        assert said.out.splitlines() == [
            f"The profile {place} is in force.",
            "It brings these forges: a, b",
            "isexplore login NAME signs in to one.",
        ]
        document = at_home.done("login", "--profile", place, "--json").json
    assert document == {"profile": place, "forges": ["a", "b"]}


def test_profile_that_is_none(at_home: CommandLine, tmp_path: Path) -> None:
    told = at_home.refused("login", "--profile", str(tmp_path / "none.toml"), code=2)
    assert told.title == f"There is no organisation profile at {tmp_path / 'none.toml'}"
    (tmp_path / "bad.toml").write_text('tgas = ["x"]\n')
    told = at_home.refused("login", "--profile", str(tmp_path / "bad.toml"), code=2)
    assert "did you mean tags" in told.title
    assert "administrator" in told.hint
    assert not Paths.default().config_file.exists()


# Configuration, doctor, completion


def test_configuration_in_force_and_where_it_came_from(
    cli: CommandLine, config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.done("config", "path").out == f"{config_file}\n"
    assert "the defaults apply" in cli.done("config", "check").out
    config_file.write_text('theme = "nord"\n')
    monkeypatch.setenv("ISEXPLORE_TIMEOUT", "5s")
    shown = cli.done("config", "show").out
    assert f'theme = "nord"  # {config_file}:1' in shown
    assert 'timeout = "5s"  # ISEXPLORE_TIMEOUT' in shown
    document = cli.done("config", "show", "--json").json
    assert document["theme"] == {"value": '"nord"', "origin": f"{config_file}:1"}
    assert cli.done("config", "check").out == f"{config_file} is fine.\n"


def test_doctor_names_what_blocks(
    connected: CommandLine, forge: RunningPractice, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine = connected.done("doctor")
    assert "git" in fine.out
    assert forge.url in fine.out
    monkeypatch.setenv("ISEXPLORE_TOKEN", "expired-canary-token")
    blocked = connected("doctor")
    assert blocked.code == 1
    assert any("BAD" in line and "token" in line for line in blocked.out.splitlines()), blocked.out
    document = connected("doctor", "--json")
    assert document.code == 1
    assert document.err == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_that_its_shell_takes(cli: CommandLine, shell: str, tmp_path: Path) -> None:
    script = cli.done("completion", shell).out
    for word in ("contribute", "bookmark", "--dry-run"):
        assert word in script or word.removeprefix("--") in script
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "script").write_text(script)
    subprocess.run([program, "-n", str(tmp_path / "script")], check=True, timeout=20)
