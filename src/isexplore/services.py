"""The composition root: from paths and configuration to everything that a screen or a command needs.

The only place that chooses adapters. Each part is made on first use, so that whoever starts pays
for what is used: the first frame of the screens needs neither HTTP nor git.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from isexplore.config.accounts import PRACTICE
from isexplore.config.load import load
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.config.secrets import Secret
from isexplore.errors import (
    AuthError,
    ConfigError,
    ForgeError,
    IsexploreError,
    UnavailableError,
)
from isexplore.journey.states import Command, Explanation, JourneyReport, StepName, StepReport
from isexplore.journey.store import Journey
from isexplore.local import LocalServices
from isexplore.models import ForgeKind, IssueVerdict, ProjectRef, TokenFacts

if TYPE_CHECKING:
    from pathlib import Path

    from isexplore.catalog.issues import FirstIssue
    from isexplore.config.tokens import Grant, Tokens
    from isexplore.connecting import Places
    from isexplore.forge.base import Forge
    from isexplore.git.client import Git
    from isexplore.git.facts import Credential
    from isexplore.journey.runner import Journeys
    from isexplore.login.device import DeviceFlow
    from isexplore.login.renewal import Renewals
    from isexplore.practice.launch import Server
    from isexplore.reading import IssueLine as IssueLine
    from isexplore.reading import Reading as Reading

__all__ = [
    "Command",
    "Explanation",
    "Journey",
    "JourneyReport",
    "Services",
    "StepName",
    "StepReport",
]


class Services(LocalServices):
    """Everything, wired once; closed with `close`."""

    def __init__(self, paths: Paths, config: Config, *, server: Server | None = None) -> None:
        """Wire the parts.

        Args:
            paths: where the files are.
            config: the configuration, checked.
            server: the practice forge, when this is the practice world.
        """
        super().__init__(paths, config, practising=server is not None)
        self.server = server
        self._forges: dict[str, Forge] = {}
        self._replaced: list[Forge] = []
        """Connections with a token that is no longer used: what was asked there may still be answered."""
        self._credentials: dict[str, Credential] = {}
        self._connecting: dict[str, asyncio.Lock] = {}
        self._signed_in_again: set[str] = set()
        """Forges whose token is another one than when connecting to them began."""
        self._places: Places = {}
        self.on_pause: Callable[[str, float], None] = lambda forge, seconds: None
        """Told when requests to a forge wait because it wants fewer of them, and how many seconds."""
        self.readings: dict[ProjectRef, Reading] = {}
        """Projects that were read, for going back and forth without asking again; the latest are last."""
        if server is not None:
            self.tokens.remember(config.forges[0], Secret(server.token), server.user)

    @classmethod
    def open(cls, paths: Paths) -> Services:
        """Return the services of the world below `paths`.

        Raises:
            ConfigError: the configuration is wrong; all its problems at once.
        """
        return cls(paths, load(paths).checked())

    async def disconnect(self) -> None:
        """Close the connections; they are made again when they are needed."""
        if "_renewals" in self.__dict__:
            await self._renewals.finish()
        for forge in (*self._replaced, *self._forges.values()):
            await forge.close()
        self._replaced.clear()
        self._forges.clear()
        self._connecting.clear()
        self.__dict__.pop("journeys", None)

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
            while name not in self._forges:
                self._signed_in_again.discard(name)
                made = await self._connect(self.forge_config(name))
                if name in self._signed_in_again:
                    self._replaced.append(made)
                else:
                    self._forges[name] = made
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

    @cached_property
    def _renewals(self) -> Renewals:
        from isexplore.login.renewal import Renewals

        return Renewals(self.tokens)

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
        if config.client_id:
            search = await self._renewals.find(config, lambda: self._device_flow(config))
        else:
            search = await self.tokens.find(config)
        if search.found is None:
            raise AuthError(
                f"No token for {config.name} is known",
                "\n".join(f"{note.source} {note.what}" for note in search.notes),
                f"isexplore login {config.url} asks for one and keeps it.",
                forge=config.name,
            )
        return search.found.secret

    async def expiry_notes(self, *, connect: bool = False) -> tuple[str, ...]:
        """Return a sentence for each token that runs out soon; never raises, and waits a few seconds at most.

        Args:
            connect: whether to connect forges that are not yet, where they have to be asked.
        """
        if self.practising or not (connect or self._forges):
            return ()
        from isexplore.login.expiry import expiry_notes

        async def ask(config: ForgeConfig) -> TokenFacts | None:
            if config.name not in self._forges and not connect:
                return None
            return await (await self.forge(config.name)).token_facts()

        return await expiry_notes(self.config.forges, self.paths, ask)

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

    def add_forge(self, forge: ForgeConfig, token: Secret, username: str, grant: Grant | None = None) -> None:
        """Take in a forge that was signed in to while the program runs; config.toml holds it already.

        Args:
            forge: as it is configured now.
            token: the new one, used from the next question on.
            username: whose it is.
            grant: what renews the token.
        """
        self.config = load(self.paths).checked()
        self.tokens.remember(forge, token, username, grant)
        # Another account may see other projects, and other parts of the same ones.
        self.readings = {}
        if "catalog" in self.__dict__:
            self.catalog.close()
        for derived in ("catalog", "git", "journeys", "tls"):
            self.__dict__.pop(derived, None)
        if (before := self._forges.pop(forge.name, None)) is not None:
            self._replaced.append(before)
        self._signed_in_again.add(forge.name)

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
        mind: Callable[[IssueLine], None] = lambda line: None,
    ) -> Journey:
        """Start a contribution, or return the one that exists for this project and issue.

        Args:
            ref: the project.
            issue: the issue's number; None for a change that has no issue.
            folder: the clone's own folder; None for the usual place.
            branch: name of the branch; empty for a suggestion.
            record: write it down; False for a dry run.
            mind: told the issue with its verdict before anything is written down, unless it was begun already;
                what it raises ends the beginning.

        Raises:
            ForgeError: the project or the issue cannot be read.
        """
        forge = await self.forge(ref.forge)
        project = await forge.project(ref.path)
        chosen = None
        if issue is not None:
            # Somebody may have taken it since the list was made; the list learns it before anything is claimed.
            from isexplore.reading import read_issue

            line = (await read_issue(self, ref, issue)).line
            chosen = line.issue
            # What was begun may have been claimed already, and killed before that was written down.
            if self.journeys.find(project.ref, issue) is None:
                mind(line)
        make = self.journeys.start if record else self.journeys.draft
        return make(project, chosen, folder=folder, branch=branch)

    def folder_to_ask_for(self, ref: ProjectRef) -> Path | None:
        """Return where a project's clone would go if nobody has ever said where clones go; None where that is known."""
        from isexplore.git.names import clone_folder
        from isexplore.journey.store import root_of_clones
        from isexplore.journey.world import DEFAULT_ROOT

        known = self.config.clone_folder is not None or any(
            one.folder and (one.ref == ref or root_of_clones(one) is not None)
            for one in self.journey_store.list()
        )
        return None if known else clone_folder(DEFAULT_ROOT.expanduser(), ref.path)

    async def probe_all(
        self, journeys: Sequence[Journey]
    ) -> AsyncGenerator[tuple[Journey, JourneyReport | IsexploreError], None]:
        """Compare contributions with the world; yields each as it is known.

        Whoever may stop before the last one closes it (`contextlib.aclosing`): the looks that are under way end then.
        """

        # Each of them asks several things at once.
        gate = asyncio.Semaphore(max(1, self.config.network.concurrency // 2))

        async def probe(journey: Journey) -> tuple[Journey, JourneyReport | IsexploreError]:
            try:
                async with gate:
                    journeys_of = await self.journeys_for(journey)
                    return journey, await journeys_of.probe(journey, thorough=False)
            except ForgeError as error:
                # It cannot even be connected.
                return journey, await self.journeys.last_seen(journey, error)
            except IsexploreError as error:
                return journey, error

        probes = [asyncio.ensure_future(probe(journey)) for journey in journeys]
        try:
            for done in asyncio.as_completed(probes):
                yield await done
        finally:
            for one in probes:
                one.cancel()
            await asyncio.gather(*probes, return_exceptions=True)


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
