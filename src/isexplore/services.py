"""The composition root: from paths and configuration to everything that a screen or a command needs.

Each part is made on first use, so that whoever starts pays for what is used: the first frame of the
screens needs neither HTTP nor git.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from functools import cached_property
from typing import TYPE_CHECKING

from isexplore.config.accounts import PRACTICE
from isexplore.config.load import load
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.config.secrets import Secret
from isexplore.connected import ConnectedServices
from isexplore.errors import ForgeError, IsexploreError, StateError, UnavailableError
from isexplore.journey.states import STEP_NAMES, Command, Explanation, JourneyReport, StepName, StepReport
from isexplore.journey.store import Journey
from isexplore.models import Document, ForgeKind, ProjectRef

if TYPE_CHECKING:
    from pathlib import Path

    from isexplore.catalog.issues import FirstIssue
    from isexplore.config.tokens import Grant
    from isexplore.journey.runner import Journeys
    from isexplore.login.sign_in import SignIn
    from isexplore.practice.launch import Server
    from isexplore.reading.facts import IssueLine as IssueLine
    from isexplore.reading.facts import IssueReading
    from isexplore.reading.facts import Reading as Reading
    from isexplore.updates import OnProgress
    from isexplore.updates import Refreshed as Refreshed

__all__ = [
    "STEP_NAMES",
    "Command",
    "Explanation",
    "Journey",
    "JourneyReport",
    "Services",
    "StepName",
    "StepReport",
]


class Services(ConnectedServices):
    """Everything, wired once; closed with `disconnect`."""

    def __init__(self, paths: Paths, config: Config, *, server: Server | None = None) -> None:
        """Wire the parts.

        Args:
            paths: where the files are.
            config: the configuration, checked.
            server: the practice forge, when this is the practice world.
        """
        super().__init__(paths, config, practising=server is not None)
        self.server = server
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
        await super().disconnect()
        self.__dict__.pop("journeys", None)

    def add_forge(self, forge: ForgeConfig, token: Secret, username: str, grant: Grant | None = None) -> None:
        """Take in a forge that was signed in to; readings and contributions are asked for anew."""
        super().add_forge(forge, token, username, grant)
        # Another account may see other projects, and other parts of the same ones.
        self.readings = {}
        self.__dict__.pop("journeys", None)

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
        from isexplore.reading.asking import read

        return await read(self, ref, self.readings, again=again)

    def kept(self, ref: ProjectRef) -> Reading | None:
        """Return what was kept of a project, for the time until the forge has answered; None for nothing."""
        from msgspec.structs import replace

        from isexplore.reading.kept import from_shelf

        with suppress(StateError):
            found = from_shelf(self, ref, UnavailableError("The forge has not answered yet"))
            if found is not None and (found.documents or found.issues):
                return replace(found, people="The forge has not answered yet.")
        return None

    async def read_file(self, reading: Reading, path: str) -> Document | str:
        """Return a file of a project; its web page where it is missing, a folder, or no text.

        Raises:
            ForgeError: the forge cannot be asked.
        """
        from isexplore.reading.asking import read_file

        return await read_file(self, reading, path)

    def issue_document(self, row: FirstIssue) -> str:
        """Return what the catalog knows of an issue, as Markdown."""
        from isexplore.reading.words import issue_document

        return issue_document(row)

    async def read_issue(self, ref: ProjectRef, number: int) -> IssueReading:
        """Return an issue with its comments and a fresh verdict, from the forge; the catalog learns the verdict too.

        Raises:
            ForgeError: it cannot be read.
        """
        from isexplore.reading.asking import read_issue

        return await read_issue(self, ref, number)

    async def read_or_kept_issue(self, ref: ProjectRef, number: int) -> IssueReading:
        """Return an issue from the forge, or what was kept of it when the forge cannot be asked.

        Raises:
            ForgeError: there is no such issue, or the forge cannot be asked and nothing was kept.
        """
        from isexplore.reading.asking import read_or_kept_issue

        return await read_or_kept_issue(self, ref, number)

    # The catalog

    async def refresh_beside(self, on_progress: OnProgress) -> Refreshed:
        """Refresh the catalog in a child process, so that nothing it does can delay a key.

        Raises:
            IsexploreError: the refresh as a whole failed.
        """
        from isexplore.updates import refresh_beside

        return await refresh_beside(self, on_progress)

    async def ask_forges(self, text: str) -> Refreshed:
        """Search on the forges themselves; what they find goes into the catalog.

        Raises:
            IsexploreError: no forge answered.
        """
        from isexplore.updates import ask_forges

        return await ask_forges(self, text)

    # Signing in

    def sign_in(self) -> SignIn:
        """Return what signs in to a forge; what it keeps is known to every part of the program at once.

        Raises:
            ConfigError: the configuration is wrong; told before anybody has made a token for nothing.
        """
        from isexplore.login.sign_in import SignIn

        return SignIn(self.paths, tokens=self.tokens)

    # Editing

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
            forges=self.connected,
            git=self.git,
            state=self.state,
            credentials=self.credential,
            config=self.config,
        )

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

    def branch_objection(self, name: str, default_branch: str) -> str:
        """Return why a branch cannot be called that, "" where it can; an empty name stands for the suggested one."""
        from isexplore.git.names import check_branch_name
        from isexplore.journey.branch import refuse_default

        try:
            refuse_default(check_branch_name(name), default_branch)
        except IsexploreError as error:
            return f"{error.title}: {error.detail}" if name else ""
        return ""

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
            line = (await self.read_issue(ref, issue)).line
            chosen = line.issue
            # What was begun may have been claimed already, and killed before that was written down.
            if self.journeys.find(project.ref, issue) is None:
                mind(line)
        make = self.journeys.start if record else self.journeys.draft
        # Another isexplore may have the record, and a disk may be slow.
        return await asyncio.to_thread(make, project, chosen, folder=folder, branch=branch)

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

    async def probe_by_hand(self) -> list[tuple[Journey, JourneyReport | IsexploreError]]:
        """Return what was begun by hand in the clones of contributions, not recorded, compared with the world.

        What has ended by hand too is no contribution that isexplore follows.
        """
        if not self.journey_store.list():
            return []
        await self.connect_all()
        async with aclosing(self.probe_all(await self.journeys.made_by_hand())) as probed:
            found = {journey: outcome async for journey, outcome in probed}
        return [
            (journey, outcome)
            for journey, outcome in found.items()
            if isinstance(outcome, IsexploreError) or outcome.current is not None
        ]

    async def adopt(self, folder: Path) -> Journey:
        """Return the contribution of what is checked out in a clone, recorded.

        Raises:
            BlockedError: the folder is no clone, or of no project on a known forge.
        """
        await self.connect_all()
        return await self.journeys.adopt(folder)


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
