"""The composition root: from paths and configuration to everything that a screen or a command needs.

The only place that chooses adapters. Each part is made on first use, so that whoever starts pays
for what is used: the first frame of the screens needs neither HTTP nor git.
"""

from __future__ import annotations

import asyncio
import shlex
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from isexplore.catalog.query import Found
from isexplore.catalog.store import Account, Catalog
from isexplore.config.accounts import PRACTICE, accounts_of
from isexplore.config.bookmarks import EXPLORE, Bookmarks, Visits
from isexplore.config.files import StateFile
from isexplore.config.load import load
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.config.secrets import Secret
from isexplore.errors import (
    AuthError,
    ConfigError,
    IsexploreError,
    StateError,
    UnavailableError,
    UsageError,
)
from isexplore.journey.states import Command, Explanation, JourneyReport, StepName, StepReport
from isexplore.journey.store import Journey, JourneyStore
from isexplore.models import ForgeKind, IssueVerdict, ProjectRef
from isexplore.reading import IssueLine, Reading
from isexplore.text import age

if TYPE_CHECKING:
    from pathlib import Path

    from isexplore.catalog.facets import Completion
    from isexplore.catalog.issues import FirstIssue, FoundIssues
    from isexplore.catalog.news import News
    from isexplore.catalog.store import Row
    from isexplore.config.tokens import Tokens
    from isexplore.connecting import Places
    from isexplore.forge.base import Forge
    from isexplore.git.client import Git
    from isexplore.git.facts import Credential
    from isexplore.journey.runner import Journeys
    from isexplore.login.device import DeviceFlow
    from isexplore.practice.launch import Server

__all__ = [
    "Command",
    "Explanation",
    "IssueLine",
    "Journey",
    "JourneyReport",
    "Reading",
    "Services",
    "StepName",
    "StepReport",
]

QUERY_SECONDS = 0.008
"""How long a search may hold up the echo of a key; what is found until then is shown."""


class Services:
    """Everything, wired once; closed with `close`."""

    def __init__(self, paths: Paths, config: Config, *, server: Server | None = None) -> None:
        """Wire the parts.

        Args:
            paths: where the files are.
            config: the configuration, checked.
            server: the practice forge, when this is the practice world.
        """
        self.paths = paths
        self.config = config
        self.server = server
        self._forges: dict[str, Forge] = {}
        self._credentials: dict[str, Credential] = {}
        self._connecting: dict[str, asyncio.Lock] = {}
        self._places: Places = {}
        self.on_pause: Callable[[str, float], None] = lambda forge, seconds: None
        """Told when requests to a forge wait because it wants fewer of them, and how many seconds."""
        self.readings: dict[ProjectRef, Reading] = {}
        """Projects that were read, for going back and forth without asking again."""
        if server is not None:
            self.tokens.remember(config.forges[0], Secret(server.token), server.user)

    @classmethod
    def open(cls, paths: Paths) -> Services:
        """Return the services of the world below `paths`.

        Raises:
            ConfigError: the configuration is wrong; all its problems at once.
        """
        return cls(paths, load(paths).checked())

    @property
    def practising(self) -> bool:
        """Whether this is the practice world."""
        return self.server is not None

    async def disconnect(self) -> None:
        """Close the connections; they are made again when they are needed."""
        for forge in self._forges.values():
            await forge.close()
        self._forges.clear()
        self._connecting.clear()
        self.__dict__.pop("journeys", None)

    # What is on disk

    @cached_property
    def state(self) -> StateFile:
        """Bookmarks, journeys, visits."""
        return StateFile(self.paths.state_file)

    @cached_property
    def bookmarks(self) -> Bookmarks:
        """Projects to find again."""
        return Bookmarks(self.state)

    @cached_property
    def visits(self) -> Visits:
        """When what was last looked at."""
        return Visits(self.state)

    @cached_property
    def journey_store(self) -> JourneyStore:
        """The records of contributions, readable without forge or git."""
        return JourneyStore(self.state)

    def accounts(self) -> list[Account]:
        """Return whose view of which forge the catalog holds."""
        return [Account(*each) for each in accounts_of(self.config)]

    @cached_property
    def catalog(self) -> Catalog:
        """The local index."""
        return Catalog.open(self.paths.catalog_dir, self.accounts())

    # Forges and git

    def forge_config(self, name: str) -> ForgeConfig:
        """Return the configuration of a forge.

        Raises:
            ConfigError: there is none with this name.
        """
        found = self.config.forge(name)
        if found is None:
            known = ", ".join(forge.name for forge in self.config.forges) or "none"
            raise ConfigError(
                f"No forge is called {name!r}",
                f"Configured are: {known}.",
                "isexplore login URL connects to one.",
            )
        return found

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Whom to trust, for every forge."""
        from isexplore.config.network import ssl_context

        return ssl_context(self.config.network)

    async def forge(self, name: str) -> Forge:
        """Return a forge, connected with its token.

        Raises:
            ConfigError: not configured.
            AuthError: no token is known for it.
            ForgeError: what kind of forge it is cannot be found out.
        """
        lock = self._connecting.setdefault(name, asyncio.Lock())
        async with lock:
            if name not in self._forges:
                self._forges[name] = await self._connect(self.forge_config(name))
            return self._forges[name]

    async def _connect(self, config: ForgeConfig) -> Forge:
        from isexplore.connecting import adapter
        from isexplore.git.facts import Credential

        token = await self.token_for(config)
        forge = await adapter(
            config,
            self.config.network,
            token,
            self.tls,
            recognised=self._places,
            on_pause=lambda seconds: self.on_pause(config.name, seconds),
        )
        login = forge.git_login
        self._credentials[config.name] = Credential(origin=login.origin, username=login.username, token=token)
        return forge

    @cached_property
    def tokens(self) -> Tokens:
        """Where the tokens are."""
        from isexplore.config.tokens import Tokens

        return Tokens(self.config, self.paths)

    def has_session_tokens(self) -> bool:
        """Tell whether a token is known to this process only."""
        if self.practising or "tokens" not in self.__dict__:
            return False
        return any(self.tokens.in_session(forge) for forge in self.config.forges)

    def prepare(self) -> None:
        """Load what speaks to forges, and read the certificates: for a thread, before the first question."""
        from importlib import import_module

        for name in ("isexplore.connecting", "isexplore.config.tokens", "isexplore.guide.preview"):
            import_module(name)
        with suppress(IsexploreError):
            # What is wrong with the certificates is told when a forge is asked.
            _ = self.tls

    async def token_for(self, config: ForgeConfig) -> Secret:
        """Return the token for a forge.

        Raises:
            AuthError: no source has one; says what each of them answered.
        """
        search = await self.tokens.find(config)
        if search.found is not None and config.client_id:
            from isexplore.login.device import renewed

            return (
                await renewed(self.tokens, config, search.found, lambda: self._device_flow(config))
            ).secret
        if search.found is None:
            raise AuthError(
                f"No token for {config.name} is known",
                "\n".join(f"{note.source} {note.what}" for note in search.notes),
                f"isexplore login {config.url} asks for one and keeps it.",
                forge=config.name,
            )
        return search.found.secret

    def _device_flow(self, config: ForgeConfig) -> DeviceFlow:
        from isexplore.forge.http import ForgeClient
        from isexplore.login.device import DeviceFlow

        client = ForgeClient(
            name=config.name,
            base_url=config.url,
            verify=self.tls,
            timeout=self.config.network.timeout,
            allow_http=config.allow_http,
        )
        return DeviceFlow(client, config.kind or ForgeKind.GITLAB, config.client_id or "")

    async def refresh_profile(self) -> None:
        """Fetch the organisation profile again when it is old; what it changes holds from the next start on."""
        if self.config.profile is None or self.practising:
            return
        from isexplore.login.profile import refresh_profile

        await refresh_profile(load(self.paths), self.paths, tls=lambda: self.tls)

    @cached_property
    def git(self) -> Git:
        """Git, with the network's certificates and the forges' former addresses."""
        from isexplore.config.network import git_environment
        from isexplore.git.client import Git

        # Whole addresses: a former host may serve other things beside the forge, and sub-paths may differ.
        replaced = {
            former.rstrip("/"): forge.url.rstrip("/")
            for forge in self.config.forges
            for former in forge.former_urls
        }
        return Git(
            network_environment=git_environment(self.config.network, self.paths.cache_dir),
            replaced_origins=replaced,
        )

    def username(self, name: str) -> str:
        """Return the account on a forge as far as it is known here; "" when it is not."""
        config = self.config.forge(name)
        return (config.username or "") if config else ""

    def credential(self, name: str) -> Credential | None:
        """Return how git signs in to a forge that is connected."""
        return self._credentials.get(name)

    def add_forge(self, forge: ForgeConfig, token: Secret, username: str) -> None:
        """Take in a forge that was signed in to while the program runs; config.toml holds it already."""
        self.config = load(self.paths).checked()
        self.tokens.remember(forge, token, username)
        if "catalog" in self.__dict__:
            self.catalog.close()
        for derived in ("catalog", "git", "journeys", "tls"):
            self.__dict__.pop(derived, None)
        self._forges.pop(forge.name, None)

    # Searching: from disk, in the key path

    def search(self, text: str) -> Found:
        """Search the catalog.

        Raises:
            UsageError: an unknown filter or a bad value.
        """
        from isexplore.catalog.query import search

        return search(self.catalog, self.expanded(text), limit=30, deadline=QUERY_SECONDS, typing=True)

    def saved_searches(self) -> dict[str, str]:
        """Return the saved searches of the configuration by name; `@name` in a search stands for one."""
        return dict(self.config.searches)

    def expanded(self, text: str) -> str:
        """Return a search with `@name` replaced by what it stands for.

        Raises:
            UsageError: no saved search has the name.
        """
        if "@" not in text:
            return text
        from isexplore.catalog.language import expand

        return expand(text, self.config.searches, typing=True)

    def why(self, row: Row) -> tuple[str, ...]:
        """Return why a project stands where it stands among the others, strongest reason first."""
        return row.reasons()

    # What is new

    @cached_property
    def last_visit(self) -> int | None:
        """When the catalog was last looked at before now, in seconds since 1970; None for never."""
        return self.visits.last_second(EXPLORE)

    def is_new(self, seen: Row | FirstIssue) -> bool:
        """Tell whether a project or a first issue turned up since the last visit."""
        return (
            self.last_visit is not None and seen.first_seen is not None and seen.first_seen > self.last_visit
        )

    def news(self) -> News:
        """Return what turned up since the last visit; its `words` are for a status line."""
        from isexplore.catalog.news import news

        return news(self.catalog, self.last_visit, [one.ref for one in self.bookmarks.list()])

    def end_visit(self) -> None:
        """Note that the catalog was looked at until now; to be called on leaving, so that marks stay until then.

        Where it cannot be noted, what is new stays new.
        """
        with suppress(StateError):
            self.visits.mark(EXPLORE)

    def search_to_the_end(self, text: str) -> Found:
        """Search however long it takes: for a thread, after a search that its deadline cut short.

        Raises:
            UsageError: an unknown filter or a bad value.
        """
        from isexplore.catalog.query import search

        with self.catalog.again() as own:
            found = search(own, text, limit=30, typing=True)
        return found.rebound(self.catalog)

    def find_all(self, found: Found) -> Found:
        """Return a result of which every hit is known. Takes long where there are many: for a thread."""
        with self.catalog.again() as own:
            complete = found.rebound(own)
            complete.count()
        return complete.rebound(self.catalog)

    def complete(self, text: str, cursor: int) -> list[str]:
        """Return completions of the word at the cursor, best first."""
        from isexplore.catalog.facets import completions

        return self._saved_at(text, cursor) or _words(text, cursor, completions(self.catalog, text, cursor))

    def _saved_at(self, text: str, cursor: int) -> list[str]:
        begin = text.rfind(" ", 0, cursor) + 1
        typed = text[begin:cursor]
        if not typed.startswith("@"):
            return []
        return [f"@{name}" for name in self.config.searches if name.lower().startswith(typed[1:].lower())]

    def complete_issues(self, text: str, cursor: int) -> list[str]:
        """Return completions of the word at the cursor, for a search of issues."""
        from isexplore.catalog.facets import completions
        from isexplore.catalog.issues import ISSUE_FILTERS

        return self._saved_at(text, cursor) or _words(
            text, cursor, completions(self.catalog, text, cursor, filters=ISSUE_FILTERS)
        )

    def first_issues(self, text: str, *, limit: int = 2_000) -> FoundIssues:
        """Search the first issues of all projects.

        Raises:
            UsageError: an unknown filter or a bad value.
        """
        from isexplore.catalog.issues import first_issues

        return first_issues(self.catalog, self.expanded(text), limit=limit, typing=True)

    def catalog_size(self) -> int:
        """Return how many projects the catalog has."""
        return self.catalog.count()

    def reopen_catalog(self) -> None:
        """Look at the catalog's files anew, after a refresh by another process."""
        fresh = self.catalog.again()
        self.catalog.close()
        self.__dict__["catalog"] = fresh

    def catalog_is_old(self) -> bool:
        """Tell whether the catalog should be refreshed without being asked to."""
        as_of = self.catalog.as_of()
        return as_of is None or time.time() - as_of >= self.config.refresh_after

    @property
    def editor(self) -> tuple[str, ...]:
        """The editor that the configuration names, as a command; empty when it names none."""
        try:
            return tuple(shlex.split(self.config.editor or ""))
        except ValueError:
            return ()

    def place_words(self) -> str:
        """Return where the data is from, and how old it is: "git.agency.example · 4 minutes ago"."""
        names = ", ".join(forge.name for forge in self.config.forges) or "no forge"
        name = "practice forge" if self.practising else names
        as_of = self.catalog.as_of()
        if as_of is None:
            return name
        words = age(max(0.0, time.time() - as_of))
        return f"{name} · {words if words == 'just now' else words + ' ago'}"

    def resolve(self, text: str) -> ProjectRef:
        """Return the project that a person named: `group/name`, a URL, or an unambiguous end of one.

        Raises:
            UsageError: several projects end like that, or nothing is known that the name could mean.
        """
        found = self.catalog.resolve(text)
        if len(found) == 1:
            return ProjectRef(found[0].forge, found[0].path)
        if found:
            raise UsageError(
                f"{text} may mean several projects",
                "\n".join(f"{row.forge}: {row.path}" for row in found[:8]),
                "Name one of them in full.",
            )
        return self._not_in_catalog(text)

    def _not_in_catalog(self, text: str) -> ProjectRef:
        if not self.config.forges:
            raise ConfigError(
                "No forge is connected yet",
                "",
                "isexplore login URL connects to one; isexplore practice needs none.",
            )
        wanted = text.strip().rstrip("/").removesuffix(".git")
        if "://" in wanted:
            for forge in self.config.forges:
                if wanted.startswith(forge.url.rstrip("/") + "/"):
                    path = wanted[len(forge.url.rstrip("/")) + 1 :].split("/-/")[0]
                    return ProjectRef(forge.name, path)
            raise UsageError(
                f"{text} is on no forge that is connected",
                "Connected: " + ", ".join(forge.url for forge in self.config.forges),
                "isexplore login URL connects to another one.",
            )
        if "/" in wanted and len(self.config.forges) == 1:
            return ProjectRef(self.config.forges[0].name, wanted.strip("/"))
        raise UsageError(
            f"No project in the catalog is called {text}",
            "",
            "isexplore search finds it by its words; isexplore sync asks the forges for new ones.",
        )

    def page_of(self, ref: ProjectRef) -> str | None:
        """Return the web page of a project that the catalog knows."""
        row = self.catalog.project(*ref)
        return row.url if row else None

    # The practice world

    def start_over(self) -> None:
        """Forget what was done in the practice world, after the world itself was made anew; clones are kept aside."""
        from datetime import UTC, datetime

        moment = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
        for kept in (self.paths.state_file, self.config.clone_folder):
            if kept is not None and kept.exists():
                kept.rename(kept.with_name(f"{kept.name}.before-{moment}"))
        for stored in self.paths.catalog_dir.glob("*"):
            stored.unlink()

    # Reading

    async def read(self, ref: ProjectRef, *, again: bool = False) -> Reading:
        """Return a project to read: from the forge, or from what was kept when the forge cannot be asked.

        Raises:
            ForgeError: it can neither be asked for nor was it kept.
        """
        from isexplore.reading import read

        return await read(self, ref, again=again)

    def issue_document(self, row: FirstIssue) -> str:
        """Return what the catalog knows of an issue, as Markdown."""
        from isexplore.reading import issue_document

        return issue_document(row)

    async def read_issue(self, row: FirstIssue) -> str:
        """Return an issue with its comments, as Markdown, from the forge.

        Raises:
            ForgeError: it cannot be read.
        """
        from isexplore.reading import read_issue

        return (await read_issue(self, ProjectRef(row.forge, row.project), row.number)).as_markdown()

    async def refresh_verdict(self, ref: ProjectRef, number: int) -> IssueVerdict:
        """Return who would get in whose way on an issue right now; the list of first issues learns it too.

        Raises:
            ForgeError: it cannot be read.
        """
        from isexplore.reading import read_issue

        return (await read_issue(self, ref, number)).line.verdict

    async def files_to_edit(self, journey: Journey) -> tuple[list[str], str]:
        """Return the files of a clone, and the one that the issue or the review most likely means."""
        from isexplore.clones import files_to_edit

        return await files_to_edit(self, journey)

    # Contributions

    @cached_property
    def journeys(self) -> Journeys:
        """Contributions, run and probed; their forges must be connected (`journeys_for`)."""
        from isexplore.journey.runner import Journeys

        return Journeys(
            forges=self._connected,
            git=self.git,
            state=self.state,
            credentials=self.credential,
            config=self.config,
        )

    def _connected(self, name: str) -> Forge:
        found = self._forges.get(name)
        if found is None:
            self.forge_config(name)
            raise UnavailableError(f"{name} is not connected", "", "Try again.", forge=name)
        return found

    async def journeys_for(self, journey: Journey) -> Journeys:
        """Return the contributions with this one's forge connected.

        Raises:
            ConfigError: its forge is not configured.
            AuthError: no token is known for it.
            ForgeError: what kind of forge it is cannot be found out.
        """
        await self.forge(journey.forge)
        return self.journeys

    async def connect_all(self) -> None:
        """Connect every forge that can be; the others are found missing when they are needed."""
        await asyncio.gather(*(self.forge(each.name) for each in self.config.forges), return_exceptions=True)

    def explain(self, step: StepName) -> Explanation:
        """Return what a step is for, for someone who has never done it."""
        from isexplore.journey import steps

        return steps.explain(step)

    async def begin(
        self,
        ref: ProjectRef,
        issue: int | None = None,
        *,
        folder: Path | None = None,
        branch: str = "",
        record: bool = True,
    ) -> Journey:
        """Start a contribution, or return the one that exists for this project and issue.

        Args:
            ref: the project.
            issue: the issue's number; None for a change that has no issue.
            folder: the clone's own folder; None for the usual place.
            branch: name of the branch; empty for a suggestion.
            record: write it down; False for a dry run.

        Raises:
            ForgeError: the project or the issue cannot be read.
        """
        forge = await self.forge(ref.forge)
        project = await forge.project(ref.path)
        chosen = None
        if issue is not None:
            # Somebody may have taken it since the list was made; the list learns it before anything is claimed.
            from isexplore.reading import read_issue

            chosen = (await read_issue(self, ref, issue)).line.issue
        make = self.journeys.start if record else self.journeys.draft
        return make(project, chosen, folder=folder, branch=branch)

    async def probe_all(
        self, journeys: Sequence[Journey]
    ) -> AsyncIterator[tuple[Journey, JourneyReport | IsexploreError]]:
        """Compare contributions with the world; yields each as it is known."""

        async def probe(journey: Journey) -> tuple[Journey, JourneyReport | IsexploreError]:
            try:
                journeys_of = await self.journeys_for(journey)
                return journey, await journeys_of.probe(journey, thorough=False)
            except IsexploreError as error:
                return journey, error

        for done in asyncio.as_completed([probe(journey) for journey in journeys]):
            yield await done


def _words(text: str, cursor: int, found: Sequence[Completion]) -> list[str]:
    """Return completions as whole words: what stands before the changed part belongs to the word too."""
    begin = text.rfind(" ", 0, cursor) + 1
    return [text[begin : one.start] + one.text for one in found if one.start >= begin]


def open_practice(paths: Paths, server: Server) -> Services:
    """Return the services of the practice world.

    Raises:
        ConfigError: the practice world's own configuration is wrong.
    """
    import msgspec

    chosen = load(paths).checked()
    forge = ForgeConfig(
        name=PRACTICE,
        url=server.url,
        kind=ForgeKind.GITLAB,
        username=server.user,
        former_urls=tuple(server.former_origins),
    )
    config = msgspec.structs.replace(
        chosen,
        forges=(forge,),
        sources=(),
        clone_folder=chosen.clone_folder or paths.data_dir / "src",
        refresh_after=0.0,
    )
    return Services(paths, config, server=server)
