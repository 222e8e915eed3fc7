"""Where tokens come from, where they are kept, and that each goes to one forge only.

Order: what was typed in this session, `ISEXPLORE_TOKEN` (for one forge), the keyring, a file where that
was asked for, git's credential helper, the forge's `token_command`. What was just typed comes first,
so that a new token takes the place of a revoked one that another program still holds.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import stat
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from isexplore.config.commands import NoAnswerError, ask
from isexplore.config.environment import helper_environment
from isexplore.config.files import StateFile
from isexplore.config.keyring_store import KeyringStore, NoKeyringError
from isexplore.config.load import token_forge
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.config.secrets import Secret, check_token, redact, register_secret
from isexplore.config.values import nearest
from isexplore.errors import ConfigError, StateError
from isexplore.models import ForgeKind
from isexplore.text import clean_line

HELPER_SECONDS = 5.0
"""How long git's credential helper, `gh` or `glab` may take."""
COMMAND_SECONDS = 10.0
"""How long `token_command` may take; it may have to unlock something."""
_TOOLS_BEGIN = ("GH_", "GITHUB_", "GLAB_", "GITLAB_", "TEA_", "GITEA_")
"""How the variables begin that the forges' own tools read."""
_FILE = "tokens.toml"
_TABLE = "tokens"
SESSION = "this session"
"""The place of a token that is gone when isexplore ends."""


class FoundToken(NamedTuple):
    """A token and where it came from."""

    secret: Secret
    source: str
    """In words: "ISEXPLORE_TOKEN", "keyring (Secret Service)", "git's credential helper"."""
    username: str | None = None
    """The account, where the source tells it."""


class SourceNote(NamedTuple):
    """Why a source had no token to give, where that is worth telling."""

    source: str
    what: str


class TokenSearch(NamedTuple):
    """The outcome of looking for a forge's token."""

    found: FoundToken | None
    notes: tuple[SourceNote, ...] = ()


class Grant(NamedTuple):
    """What renews a token that lasts for hours only (OAuth, RFC 6749 section 6)."""

    refresh: Secret
    expires_at: datetime
    """When the token itself runs out (UTC)."""


class Kept(NamedTuple):
    """Where a token was put."""

    place: str
    """In words; "this session" when it is gone when isexplore ends."""
    lasting: bool
    note: str = ""
    """Why it is not where it should be, or empty."""


class Tokens:
    """The tokens of all forges. Never asks anybody; never raises because one source is broken."""

    def __init__(
        self,
        config: Config,
        paths: Paths,
        *,
        environment: Mapping[str, str] | None = None,
        keyring: KeyringStore | None = None,
        helper_seconds: float = HELPER_SECONDS,
        command_seconds: float = COMMAND_SECONDS,
    ) -> None:
        self._config = config
        self._environment = os.environ if environment is None else environment
        self._keyring = keyring or KeyringStore()
        self._file = paths.data_dir / _FILE
        self._session: dict[str, FoundToken] = {}
        self._grants: dict[str, Grant] = {}
        self._helper_seconds = helper_seconds
        self._command_seconds = command_seconds

    async def find(self, forge: ForgeConfig) -> TokenSearch:
        """Return the token for `forge`, and what kept the sources before it from giving one."""
        notes: list[SourceNote] = []
        if forge.url in self._session:
            return TokenSearch(self._session[forge.url])
        for source in (
            self._from_environment,
            self._from_keyring,
            self._from_file,
            self._from_git,
            self._from_command,
        ):
            found = await source(forge, notes)
            if found is not None:
                return TokenSearch(found, tuple(notes))
        return TokenSearch(None, tuple(notes))

    def remember(
        self, forge: ForgeConfig, secret: Secret, username: str | None = None, grant: Grant | None = None
    ) -> None:
        """Use `secret`, and what renews it, for this forge until the program ends."""
        self._session[forge.url] = FoundToken(secret, SESSION, username)
        self._grants.pop(forge.url, None)
        if grant is not None:
            register_secret(grant.refresh)
            self._grants[forge.url] = grant

    def reread(self, forge: ForgeConfig) -> None:
        """Forget what this session knows of a forge's token: another instance may have renewed it."""
        self._session.pop(forge.url, None)
        self._grants.pop(forge.url, None)

    def in_session(self, forge: ForgeConfig) -> bool:
        """Tell whether a token was typed in this session, and so may be nowhere else."""
        return forge.url in self._session

    @property
    def file(self) -> Path:
        """Where tokens are kept that somebody asked to have kept in a file."""
        return self._file

    async def store(
        self,
        forge: ForgeConfig,
        secret: Secret,
        username: str | None = None,
        grant: Grant | None = None,
        *,
        in_file: bool = False,
    ) -> Kept:
        """Keep a token, and what renews it, where `token_store` says; in this session at least.

        Without a keyring, a token goes to the file only where somebody asked for it: now (`in_file`), or
        when this forge's token was put there.

        Raises:
            StateError: it was to be kept in a file, which cannot be written.
        """
        self.remember(forge, secret, username, grant)
        where = "file" if in_file else self._config.token_store
        if where == "session":
            return Kept(SESSION, False)
        if where == "file":
            return self._keep_in_file(forge, secret, grant)
        try:
            await self._keyring.set(forge.url, secret.reveal())
            if grant is not None:
                await self._keyring.set(_grant_key(forge), _written(grant) or "")
            else:
                await self._keyring.remove(_grant_key(forge))
            return Kept(f"keyring ({await self._keyring.name()})", True)
        except NoKeyringError as error:
            if self._unsafe_file() is None and forge.url in _tokens(StateFile(self._file)):
                return self._keep_in_file(forge, secret, grant)
            return Kept(SESSION, False, str(error))

    def _keep_in_file(self, forge: ForgeConfig, secret: Secret, grant: Grant | None) -> Kept:
        self._write_file({forge.url: secret.reveal(), _grant_key(forge): _written(grant)})
        return Kept(f"the file {self._file}", True)

    async def grant(self, forge: ForgeConfig) -> Grant | None:
        """Return what renews the forge's token, or None where it does not run out or cannot be renewed."""
        if forge.url in self._session:
            return self._grants.get(forge.url)
        return await self.kept_grant(forge)

    async def kept_grant(self, forge: ForgeConfig) -> Grant | None:
        """Return what renews the forge's token as it is kept for all instances, whatever this session knows."""
        text: object = None
        with suppress(NoKeyringError):
            text = await self._keyring.get(_grant_key(forge))
        if text is None and self._unsafe_file() is None:
            text = _tokens(StateFile(self._file)).get(_grant_key(forge))
        return _read_grant(text) if isinstance(text, str) else None

    async def forget(self, forge: ForgeConfig) -> tuple[str, ...]:
        """Remove the token from wherever isexplore keeps it; return from where, in words.

        Raises:
            StateError: the file that holds it cannot be written.
        """
        removed = []
        self._grants.pop(forge.url, None)
        if self._session.pop(forge.url, None) is not None:
            removed.append(SESSION)
        try:
            if await self._keyring.remove(forge.url):
                removed.append("keyring")
            await self._keyring.remove(_grant_key(forge))
        except NoKeyringError:
            pass
        if self._file.exists() and forge.url in _tokens(StateFile(self._file)):
            self._write_file({forge.url: None, _grant_key(forge): None})
            removed.append(f"the file {self._file}")
        return tuple(removed)

    async def existing_logins(self, forge: ForgeConfig) -> tuple[FoundToken, ...]:
        """Return the tokens that `glab`, `gh` and git's credential helper hold for this forge.

        Runs these programs: call it when somebody signs in, not otherwise.
        """
        host = urlsplit(forge.url).netloc
        commands: list[tuple[str, tuple[str, ...]]] = []
        if forge.kind in (None, ForgeKind.GITHUB):
            commands.append(("gh", ("gh", "auth", "token", "--hostname", host)))
        if forge.kind in (None, ForgeKind.GITLAB):
            commands.append(("glab", ("glab", "config", "get", "token", "--host", host)))
        results = await asyncio.gather(
            self._from_git(forge, []), *(self._from_tool(tool, arguments) for tool, arguments in commands)
        )
        return tuple(found for found in (*results[1:], results[0]) if found is not None)

    async def keyring_name(self) -> str:
        """Return the name of the keyring in use, for `isexplore doctor`.

        Raises:
            NoKeyringError: why there is none.
        """
        return await self._keyring.name()

    # Sources

    async def _from_environment(self, forge: ForgeConfig, notes: list[SourceNote]) -> FoundToken | None:
        text = self._environment.get("ISEXPLORE_TOKEN", "")
        if not text.strip():
            return None
        bound = token_forge(self._config, self._environment)
        if bound is None:
            names = tuple(each.name for each in self._config.forges)
            wrong = self._environment.get("ISEXPLORE_FORGE", "")
            hint = f"ISEXPLORE_FORGE must name one of {', '.join(names)}"
            if wrong and nearest(wrong, names):
                hint += f", not {wrong}"
            notes.append(
                SourceNote("ISEXPLORE_TOKEN", f"is not used, as it is unclear for which forge it is: {hint}")
            )
            return None
        if bound.origin != forge.origin or bound.url != forge.url:
            return None
        return self._checked(text, "ISEXPLORE_TOKEN", None, notes)

    async def _from_keyring(self, forge: ForgeConfig, notes: list[SourceNote]) -> FoundToken | None:
        try:
            text = await self._keyring.get(forge.url)
            if text is None:
                return None
            return self._checked(text, f"keyring ({await self._keyring.name()})", None, notes)
        except NoKeyringError as error:
            notes.append(SourceNote("keyring", str(error)))
            return None

    async def _from_file(self, forge: ForgeConfig, notes: list[SourceNote]) -> FoundToken | None:
        if not self._file.exists():
            return None
        unsafe = self._unsafe_file()
        if unsafe is not None:
            notes.append(SourceNote(str(self._file), unsafe))
            return None
        state = StateFile(self._file)
        text = _tokens(state).get(forge.url)
        if state.notice:
            notes.append(SourceNote(str(self._file), state.notice))
        return self._checked(text, f"the file {self._file}", None, notes) if isinstance(text, str) else None

    async def _from_git(self, forge: ForgeConfig, notes: list[SourceNote]) -> FoundToken | None:
        parts = urlsplit(forge.url)
        question = f"protocol={parts.scheme}\nhost={parts.netloc}\n"
        if parts.path.strip("/"):
            question += f"path={parts.path.strip('/')}\n"
        if forge.username:
            question += f"username={forge.username}\n"
        quiet = {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",
            "SSH_ASKPASS": "",
            "GCM_INTERACTIVE": "never",
            "LC_ALL": "C.UTF-8",
        }
        try:
            answer = await ask(
                ("git", "credential", "fill"),
                environment=helper_environment(self._environment) | quiet,
                seconds=self._helper_seconds,
                text=question + "\n",
            )
        except NoAnswerError as error:
            notes.append(SourceNote("git's credential helper", str(error)))
            return None
        if answer.returncode:
            return None
        fields = dict(line.partition("=")[::2] for line in answer.output.splitlines())
        if (
            fields.get("host", parts.netloc) != parts.netloc
            or fields.get("protocol", parts.scheme) != parts.scheme
        ):
            return None
        password = fields.get("password", "")
        username = clean_line(fields.get("username", ""), 200) or None
        return self._checked(password, "git's credential helper", username, notes) if password else None

    async def _from_command(self, forge: ForgeConfig, notes: list[SourceNote]) -> FoundToken | None:
        if not forge.token_command:
            return None
        source = "token_command"
        try:
            answer = await ask(
                split_command(forge.token_command),
                environment=helper_environment(self._environment, command=forge.token_command),
                seconds=self._command_seconds,
            )
            if answer.returncode:
                said = clean_line(redact(answer.errors), 200)
                raise NoAnswerError(
                    f"failed with exit code {answer.returncode}" + (f": {said}" if said else "")
                )
        except (NoAnswerError, ValueError) as error:
            notes.append(SourceNote(source, str(error)))
            return None
        return self._checked(answer.output.strip().partition("\n")[0], source, None, notes)

    async def _from_tool(self, tool: str, arguments: tuple[str, ...]) -> FoundToken | None:
        try:
            environment = helper_environment(self._environment, begin=_TOOLS_BEGIN)
            answer = await ask(arguments, environment=environment, seconds=self._helper_seconds)
        except NoAnswerError:
            return None
        text = answer.output.strip()
        return self._checked(text, tool, None, []) if text and not answer.returncode else None

    def _checked(
        self, text: str, source: str, username: str | None, notes: list[SourceNote]
    ) -> FoundToken | None:
        try:
            return FoundToken(check_token(text), source, username)
        except ConfigError as error:
            notes.append(SourceNote(source, f"holds no usable token: {error.title}"))
            return None

    # The file

    def _unsafe_file(self) -> str | None:
        """Return why the file of tokens must not be used, or None."""
        try:
            status = self._file.stat()
        except OSError:
            return None
        if stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid not in (os.getuid(), 0):
            return (
                f"is not used, as others can read it: run `chmod 600 {self._file}`, "
                "and make new tokens in place of those in it"
            )
        return None

    def _write_file(self, changes: Mapping[str, str | None]) -> None:
        state = StateFile(self._file)
        with state.edit() as data:
            tokens = data.get(_TABLE)
            # What is None is left out when it is written.
            data[_TABLE] = (tokens if isinstance(tokens, dict) else {}) | dict(changes)
        if not state.persistent:
            raise StateError(f"{self._file} could not be saved", state.notice or "")


def _grant_key(forge: ForgeConfig) -> str:
    return f"{forge.url}#renewal"


def _written(grant: Grant | None) -> str | None:
    return None if grant is None else f"{int(grant.expires_at.timestamp())}:{grant.refresh.reveal()}"


def _read_grant(text: str) -> Grant | None:
    seconds, _, refresh = text.partition(":")
    try:
        expires_at = datetime.fromtimestamp(int(seconds), UTC)
        secret = check_token(refresh)
    except (ValueError, OverflowError, OSError, ConfigError):
        return None
    return Grant(secret, expires_at)


def split_command(command: str) -> list[str]:
    """Return the words of a command line, quotes and `~` resolved as a shell does, nothing else.

    Raises:
        ValueError: a quote is not closed, or there is no word.
    """
    words = [os.path.expanduser(word) for word in shlex.split(command)]
    if not words:
        raise ValueError("is empty")
    return words


def _tokens(state: StateFile) -> dict[str, object]:
    tokens = state.read().get(_TABLE)
    return tokens if isinstance(tokens, dict) else {}
