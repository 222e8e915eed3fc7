from __future__ import annotations

import os
import stat
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from isexplore.config.keyring_store import KeyringStore
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.config.secrets import Secret
from isexplore.config.tokens import Grant, Tokens, split_command
from isexplore.errors import StateError
from isexplore.models import ForgeKind

WORK = ForgeConfig(name="work", url="https://git.example.com", kind=ForgeKind.GITLAB)
OTHER = ForgeConfig(name="other", url="https://other.example.com")
SUBPATH = ForgeConfig(name="sub", url="https://git.example.com/second")


class FakeKeyring:
    __module__ = "keyring.backends.SecretService"

    def __init__(self, kept: dict[str, str] | None = None, hang: float = 0) -> None:
        self.kept = kept or {}
        self.hang = hang

    def get_password(self, service: str, username: str) -> str | None:
        time.sleep(self.hang)
        return self.kept.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[username]


class NoKeyring:
    __module__ = "keyring.backends.fail"

    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError

    set_password = delete_password = get_password


class World:
    """A configuration, its folders, and programs of ours in the PATH."""

    def __init__(self, root: Path) -> None:
        self.paths = Paths.under(root)
        self.programs = root / "bin"
        self.programs.mkdir()
        self.git_config = root / "gitconfig"
        self.git_config.touch()
        self.environment = {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "HOME": str(root),
            "GIT_CONFIG_GLOBAL": str(self.git_config),
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    def program(self, name: str, script: str) -> None:
        """Put a shell script into the PATH."""
        file = self.programs / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def helper(self, script: str) -> None:
        """Make a shell script git's credential helper."""
        self.program("git-credential-ours", script)
        self.git_config.write_text("[credential]\n\thelper = ours\n")

    def tokens(
        self, config: Config | None = None, keyring: object | None = None, seconds: float = 5.0
    ) -> Tokens:
        return Tokens(
            config or Config(forges=(WORK, OTHER, SUBPATH)),
            self.paths,
            environment=self.environment,
            keyring=KeyringStore(lambda: keyring or NoKeyring(), seconds=seconds),  # type: ignore[arg-type,return-value]
            helper_seconds=seconds,
            command_seconds=seconds,
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def source_of(tokens: Tokens, forge: ForgeConfig = WORK) -> tuple[str | None, str | None]:
    found = (await tokens.find(forge)).found
    return (found.secret.reveal(), found.source) if found else (None, None)


async def test_sources_are_asked_in_order(world: World) -> None:
    forge = ForgeConfig(name="work", url=WORK.url, token_command="printf 'from-command\\nmore\\n'")
    keyring = FakeKeyring()
    config = Config(forges=(forge,))
    file = world.tokens(Config(forges=(forge,), token_store="file"))
    assert await source_of(world.tokens(config, keyring), forge) == ("from-command", "token_command")
    world.helper("echo username=ada; echo password=from-helper")
    assert await source_of(world.tokens(config, keyring), forge) == ("from-helper", "git's credential helper")
    await file.store(forge, Secret("from-file"))
    assert (await source_of(world.tokens(config, keyring), forge))[0] == "from-file"
    keyring.kept[forge.url] = "from-keyring"
    assert await source_of(world.tokens(config, keyring), forge) == (
        "from-keyring",
        "keyring (Secret Service)",
    )
    world.environment["ISEXPLORE_TOKEN"] = " from-env\n"
    tokens = world.tokens(config, keyring)
    assert await source_of(tokens, forge) == ("from-env", "ISEXPLORE_TOKEN")
    tokens.remember(forge, Secret("just-typed"))
    assert await source_of(tokens, forge) == ("just-typed", "this session")


async def test_nothing_found_says_what_was_wrong(world: World) -> None:
    search = await world.tokens().find(WORK)
    assert search.found is None
    assert [(note.source, note.what) for note in search.notes] == [("keyring", "there is no keyring here")]


@pytest.mark.parametrize("name", ["work", "other", ""])
async def test_token_variable_goes_to_its_forge_only(world: World, name: str) -> None:
    world.environment |= {"ISEXPLORE_TOKEN": "canary-token", "ISEXPLORE_FORGE": name}
    tokens = world.tokens()
    got = {forge.name for forge in (WORK, OTHER, SUBPATH) if (await source_of(tokens, forge))[0]}
    assert got == ({name} if name else set())
    if not name:
        notes = (await tokens.find(WORK)).notes
        assert "unclear for which forge" in notes[0].what


async def test_token_in_the_keyring_goes_to_its_forge_only(world: World) -> None:
    tokens = world.tokens(keyring=FakeKeyring({WORK.url: "canary-token"}))
    assert (await source_of(tokens, WORK))[0] == "canary-token"
    assert (await source_of(tokens, OTHER))[0] is None
    assert (await source_of(tokens, SUBPATH))[0] is None


async def test_hanging_sources_cost_their_limit_once(world: World) -> None:
    world.helper("sleep 60")
    tokens = world.tokens(keyring=FakeKeyring(hang=2), seconds=0.2)
    started = time.monotonic()
    search = await tokens.find(WORK)
    assert search.found is None
    assert [note.what.partition(" within")[0] for note in search.notes] == [
        "the keyring did not answer",
        "did not answer",
    ]
    assert time.monotonic() - started < 1.5


async def test_credential_helper_is_told_exactly_which_forge(world: World, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    world.helper(f"cat >{asked}; echo username=ada; echo password=token-for-$1")
    forge = ForgeConfig(name="sub", url="https://git.example.com:8443/second", username="ada")
    found = (await world.tokens().find(forge)).found
    assert found is not None
    assert (found.secret.reveal(), found.username) == ("token-for-get", "ada")
    lines = asked.read_text().splitlines()
    assert {"protocol=https", "host=git.example.com:8443", "username=ada"} <= set(lines)


@pytest.mark.parametrize(
    "script",
    [
        "exit 1",
        "echo username=ada",
        "echo username=ada; echo password=",
        "echo username=ada; echo password=x; echo host=evil.example.com",
        "echo username=ada; printf 'password=caf\\303\\251 x\\n'",
        "echo quit=1",
    ],
)
async def test_credential_helper_without_a_token_for_it_gives_none(world: World, script: str) -> None:
    world.helper(script)
    assert await source_of(world.tokens()) == (None, None)


async def test_credential_helper_of_a_clone_is_not_run(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = tmp_path / "clone"
    (clone / ".git" / "objects").mkdir(parents=True)
    (clone / ".git" / "refs").mkdir()
    (clone / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (clone / ".git" / "config").write_text(
        f'[core]\n\trepositoryformatversion = 0\n[credential]\n\thelper = "!touch {tmp_path}/ran; echo password=x"\n'
    )
    monkeypatch.chdir(clone)
    assert await source_of(world.tokens()) == (None, None)
    # As a hook or an alias of git leaves it behind.
    world.environment |= {"GIT_DIR": str(clone / ".git"), "PATH": f"bin:{world.environment['PATH']}"}
    (clone / "bin").mkdir()
    (clone / "bin" / "git").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    (clone / "bin" / "git").chmod(0o755)
    assert await source_of(world.tokens()) == (None, None)
    assert not (tmp_path / "ran").exists()


async def test_helpers_and_commands_see_only_what_they_need(world: World, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    world.environment |= {"UNRELATED": "canary", "ISEXPLORE_TOKEN": "canary", "ISEXPLORE_FORGE": "other"}
    world.environment |= {"VAULT_ADDR": "https://vault"}
    world.helper(f"env >> {seen}")
    forge = ForgeConfig(name="work", url=WORK.url, token_command=f"sh -c 'env >> {seen}; echo token'")
    found = await world.tokens(Config(forges=(forge, OTHER))).find(forge)
    assert found.found is not None
    assert "canary" not in seen.read_text()
    assert seen.read_text().count("VAULT_ADDR=https://vault") == 2


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("exit-with-no-such-program", "is not installed"),
        ("sh -c 'echo glpat-canary1234 >&2; exit 4'", "failed with exit code 4: ***"),
        ("'unclosed", "No closing quotation"),
        ("true", "holds no usable token"),
        ("echo two words", "holds no usable token"),
    ],
)
async def test_token_command_that_fails_is_told(world: World, command: str, words: str) -> None:
    forge = ForgeConfig(name="x", url="https://x", token_command=command)
    search = await world.tokens().find(forge)
    assert search.found is None
    assert search.notes[-1].source == "token_command"
    assert words in search.notes[-1].what


async def test_token_command_runs_without_shell_and_without_our_token(world: World) -> None:
    world.environment |= {"ISEXPLORE_TOKEN": "canary", "ISEXPLORE_FORGE": "other"}
    code = "import os,sys; print(sys.argv[1] + str('ISEXPLORE_TOKEN' in os.environ))"
    forge = ForgeConfig(name="x", url="https://x", token_command=f'{sys.executable} -c "{code}" $HOME;`id`')
    assert await source_of(world.tokens(), forge) == ("$HOME;`id`False", "token_command")


def test_command_words_are_split_as_a_shell_does() -> None:
    assert split_command("pass show 'a b' ~/x") == ["pass", "show", "a b", os.path.expanduser("~/x")]
    with pytest.raises(ValueError, match="is empty"):
        split_command("  ")


# Keeping


async def test_keyring_keeps_the_token(world: World) -> None:
    keyring = FakeKeyring()
    tokens = world.tokens(keyring=keyring)
    assert await tokens.store(WORK, Secret("new-token")) == ("keyring (Secret Service)", True, "")
    assert keyring.kept == {WORK.url: "new-token"}
    assert (await source_of(world.tokens(keyring=keyring)))[0] == "new-token"


async def test_without_keyring_the_token_lasts_for_the_session(world: World) -> None:
    tokens = world.tokens()
    kept = await tokens.store(WORK, Secret("new-token"))
    assert kept == ("this session", False, "there is no keyring here")
    assert await source_of(tokens) == ("new-token", "this session")
    assert await source_of(world.tokens()) == (None, None)
    assert not world.paths.data_dir.exists()


async def test_without_keyring_a_file_is_used_once_somebody_said_so(world: World) -> None:
    grant = Grant(Secret("refresh:me"), datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
    kept = await world.tokens().store(WORK, Secret("token-x"), grant=grant, in_file=True)
    assert (kept.place, kept.lasting) == (f"the file {world.paths.data_dir / 'tokens.toml'}", True)
    assert (await source_of(world.tokens()))[0] == "token-x"
    # Renewed later, by a program that asks nobody.
    assert (await world.tokens().store(WORK, Secret("token-y"), grant=grant)).lasting
    assert (await source_of(world.tokens()))[0] == "token-y"
    assert not (await world.tokens().store(OTHER, Secret("token-z"))).lasting
    assert await source_of(world.tokens(), OTHER) == (None, None)


async def test_session_only_asks_no_keyring(world: World) -> None:
    keyring = FakeKeyring()
    tokens = world.tokens(Config(forges=(WORK,), token_store="session"), keyring)
    assert not (await tokens.store(WORK, Secret("new-token"))).lasting
    assert keyring.kept == {}


async def test_file_is_private_and_keeps_several(world: World) -> None:
    tokens = world.tokens(Config(forges=(WORK, OTHER), token_store="file"))
    for forge in (WORK, OTHER):
        kept = await tokens.store(forge, Secret(f"token-{forge.name}"))
    file = world.paths.data_dir / "tokens.toml"
    assert kept == (f"the file {file}", True, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert await source_of(world.tokens()) == ("token-work", f"the file {file}")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o755])
async def test_file_that_others_can_reach_is_refused(world: World, mode: int) -> None:
    await world.tokens(Config(forges=(WORK,), token_store="file")).store(WORK, Secret("token-x"))
    file = world.paths.data_dir / "tokens.toml"
    file.chmod(mode)
    search = await world.tokens().find(WORK)
    assert search.found is None
    assert "chmod 600" in search.notes[-1].what


async def test_file_that_cannot_be_written_is_told(world: World) -> None:
    world.paths.data_dir.parent.mkdir(exist_ok=True)
    world.paths.data_dir.write_text("in the way")
    with pytest.raises(StateError, match=r"tokens\.toml"):
        await world.tokens(Config(token_store="file")).store(WORK, Secret("token-x"))


@pytest.mark.parametrize("content", ["tokens = 3\n", '[tokens]\n"https://git.example.com" = 3\n', "broken ["])
async def test_file_edited_into_something_else_gives_none(world: World, content: str) -> None:
    file = world.paths.data_dir / "tokens.toml"
    file.parent.mkdir()
    file.write_text(content)
    file.chmod(0o600)
    assert await source_of(world.tokens()) == (None, None)


async def test_signing_out_removes_it_everywhere(world: World) -> None:
    keyring = FakeKeyring()
    await world.tokens(Config(forges=(WORK,), token_store="file"), keyring).store(WORK, Secret("token-x"))
    tokens = world.tokens(keyring=keyring)
    await tokens.store(WORK, Secret("token-y"))
    await tokens.store(OTHER, Secret("token-z"))
    file = world.paths.data_dir / "tokens.toml"
    assert await tokens.forget(WORK) == ("this session", "keyring", f"the file {file}")
    assert await tokens.forget(WORK) == ()
    assert await source_of(tokens) == (None, None)
    assert (await source_of(tokens, OTHER))[0] == "token-z"


@pytest.mark.parametrize("where", ["keyring", "file", "session"])
async def test_what_renews_a_token_is_kept_beside_it(
    world: World, where: Literal["keyring", "file", "session"]
) -> None:
    keyring = FakeKeyring()
    config = Config(forges=(WORK, OTHER), token_store=where)
    tokens = world.tokens(config, keyring)
    grant = Grant(Secret("refresh:me"), datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
    assert await tokens.grant(WORK) is None
    await tokens.store(WORK, Secret("token-x"), grant=grant)
    assert await tokens.grant(WORK) == grant
    again = world.tokens(config, keyring)
    assert await again.grant(WORK) == (None if where == "session" else grant)
    assert await again.grant(OTHER) is None
    await tokens.store(WORK, Secret("token-y"))
    assert await tokens.grant(WORK) is None
    assert await world.tokens(config, keyring).grant(WORK) is None
    await tokens.store(WORK, Secret("token-x"), grant=grant)
    await tokens.forget(WORK)
    assert await tokens.grant(WORK) is None
    assert keyring.kept == {}


async def test_renewal_by_another_instance_is_seen_on_request(world: World) -> None:
    keyring = FakeKeyring()
    one, two = world.tokens(keyring=keyring), world.tokens(keyring=keyring)
    await one.store(WORK, Secret("old-token"))
    await two.store(WORK, Secret("new-token"))
    assert (await source_of(one))[0] == "old-token"
    one.reread(WORK)
    assert (await source_of(one))[0] == "new-token"


@pytest.mark.parametrize("text", ["", "x:y", "1", "9" * 30 + ":x", "1:two words"])
async def test_renewal_that_cannot_be_read_is_none(world: World, text: str) -> None:
    tokens = world.tokens(keyring=FakeKeyring({f"{WORK.url}#renewal": text}))
    assert await tokens.grant(WORK) is None


# Logins of other programs


async def test_existing_logins_are_offered(world: World) -> None:
    world.program("gh", 'test "$*" = "auth token --hostname git.example.com" && echo gho_fromgh')
    world.program("glab", 'test "$*" = "config get token --host git.example.com" && echo glpat-fromglab')
    world.helper("echo username=ada; echo password=from-helper")
    found = await world.tokens().existing_logins(ForgeConfig(name="x", url="https://git.example.com"))
    assert [(each.secret.reveal(), each.source) for each in found] == [
        ("gho_fromgh", "gh"),
        ("glpat-fromglab", "glab"),
        ("from-helper", "git's credential helper"),
    ]
    assert [each.source for each in await world.tokens().existing_logins(WORK)] == [
        "glab",
        "git's credential helper",
    ]


async def test_other_programs_without_a_login_offer_nothing(world: World) -> None:
    world.program("gh", "echo nope; exit 1")
    world.program("glab", "exit 0")
    assert await world.tokens().existing_logins(ForgeConfig(name="x", url="https://git.example.com")) == ()


async def test_other_programs_are_asked_only_on_request(world: World, tmp_path: Path) -> None:
    for name in ("gh", "glab"):
        world.program(name, f"touch {tmp_path}/ran")
    await world.tokens().find(WORK)
    assert not (tmp_path / "ran").exists()
