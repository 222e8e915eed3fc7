"""Journeys: starting, probing and running them; what the screens and the command line drive."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from msgspec import structs

from isexplore.config.files import StateFile
from isexplore.config.schema import Config
from isexplore.errors import (
    BlockedError,
    ConfigError,
    ForbiddenError,
    GitError,
    IsexploreError,
    ScopeError,
    StateError,
    UnavailableError,
    UsageError,
)
from isexplore.forge.base import Forge
from isexplore.git.client import Git
from isexplore.git.facts import CloneFacts, Credential
from isexplore.git.folders import check_place, real_folder
from isexplore.git.names import check_branch_name
from isexplore.journey import steps
from isexplore.journey.addresses import path_on
from isexplore.journey.branch import refuse_default
from isexplore.journey.change import lacks_sign_off
from isexplore.journey.last_seen import LOCAL, RecordedWorld, as_last_seen, failed, not_yet, report_of
from isexplore.journey.lock import journey_lock
from isexplore.journey.propose import Proposal, Propose
from isexplore.journey.proposing import before_proposing
from isexplore.journey.states import (
    STEP_NAMES,
    Answers,
    Command,
    Explanation,
    JourneyReport,
    Progress,
    Question,
    StepName,
    StepReport,
    StepState,
)
from isexplore.journey.step import NO_ANSWERS
from isexplore.journey.store import Journey, JourneyStore, Outcome, root_of_clones, same_folder
from isexplore.journey.world import Surroundings, World, maybe
from isexplore.models import Issue, MergeRequestState, Project, ProjectRef

Forges = Mapping[str, Forge] | Callable[[str], Forge]
Credentials = Callable[[str], Credential | None]

_OUTCOMES: dict[MergeRequestState, Outcome] = {
    MergeRequestState.MERGED: "merged",
    MergeRequestState.CLOSED: "closed",
}


class Journeys:
    """All journeys of one state file."""

    def __init__(
        self,
        *,
        forges: Forges,
        git: Git,
        state: StateFile,
        credentials: Credentials,
        config: Config,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Set up.

        Args:
            forges: by name; a callable raises `IsexploreError` for a name that it does not know.
            git: runs git.
            state: where the record is.
            credentials: how git signs in to a forge, None for SSH.
            config: settings.
            clock: the time (aware).
            sleep: how waiting for a forge waits.
        """
        self._forges = forges
        self._state = state
        self._credentials = credentials
        self._config = config
        self._around = Surroundings(git=git, config=config, sleep=sleep, clock=clock)
        self._store = JourneyStore(state, clock)
        self._lasting: dict[str, dict[str, Any]] = {}

    # The record

    def list(self) -> list[Journey]:
        """Return all journeys, latest change first."""
        return self._store.list()

    def get(self, journey_id: str) -> Journey:
        """Return one journey.

        Raises:
            UsageError: there is none with this id.
        """
        return self._store.get(journey_id)

    def find(self, project: ProjectRef, issue: int | None = None) -> Journey | None:
        """Return the unfinished journey for a project and issue."""
        return next(
            (one for one in self.list() if one.ref == project and one.issue == issue and one.outcome is None),
            None,
        )

    def draft(
        self,
        project: Project,
        issue: Issue | int | None = None,
        *,
        folder: Path | None = None,
        branch: str = "",
    ) -> Journey:
        """Return what `start` would return, without recording it: `probe` and `plan_all` take it too.

        Raises:
            GitError: as `start`.
            BlockedError: as `start`.
        """
        wanted = _wanted(project, issue, folder, branch)
        known = next((one for one in self.list() if _continues(one, wanted)), None)
        return wanted if known is None else structs.replace(known, **_given(known, wanted))

    def start(
        self,
        project: Project,
        issue: Issue | int | None = None,
        *,
        folder: Path | None = None,
        branch: str = "",
    ) -> Journey:
        """Return the unfinished journey for this project and issue, or begin one.

        Args:
            project: what to contribute to.
            issue: what to solve; None for a change that has no issue.
            folder: the clone's own folder; None for the usual place.
            branch: name of the branch; another name than the known journey's begins another journey.

        Raises:
            GitError: reason "bad-branch" or "bad-path"; nothing is recorded.
            BlockedError: the branch is the project's default one, or the folder cannot hold a clone; nothing is
                recorded.
        """
        wanted = _wanted(project, issue, folder, branch)
        journey = self._store.start(wanted, lambda known: _continues(known, wanted))
        changes = _given(journey, wanted)
        return self._store.update(journey.id, changes) if changes else journey

    def forget(self, journey_id: str) -> None:
        """Drop the record; fork, clone and merge request stay as they are."""
        self._store.forget(journey_id)

    # Clones

    async def find_folder(self, folder: Path) -> Journey | None:
        """Return the journey of a clone, the one whose branch is checked out first."""
        top = _top_of_clone(folder)
        known = [one for one in self.list() if same_folder(one.folder, top)]
        if len(known) > 1:
            branch = (await self._around.git.facts(top)).branch
            known.sort(key=lambda one: (one.branch != branch, one.outcome is not None))
        return known[0] if known else None

    async def adopt(self, folder: Path, *, record: bool = True) -> Journey:
        """Return the journey of a clone; begin one for a clone or a branch that was made by hand.

        Args:
            folder: the clone, or a folder inside it.
            record: write a new journey down; False for a dry run.

        Raises:
            BlockedError: the folder is no clone, or of no project on a known forge.
        """
        top = _top_of_clone(folder)
        known = await self.find_folder(top)
        facts = await self._around.git.facts(top)
        if known is not None and not _is_another_branch(known, facts):
            return known
        if not facts.is_repo:
            raise BlockedError(
                f"{top} is not a git clone",
                "",
                "Name the clone's folder, or begin with: isexplore contribute PROJECT",
            )
        project = await self._project_of(facts.remotes)
        if project is None:
            raise BlockedError(
                f"{top} belongs to no forge that is set up",
                "Its remotes: " + (", ".join(sorted(facts.remotes.values())) or "none"),
                "Sign in to its forge with: isexplore login URL",
            )
        branch = facts.branch if facts.branch not in (None, project.default_branch) else None
        if known is not None and branch is None and known.outcome is None:
            return known
        begin = self.start if record else self.draft
        issue = _still_meant(known, branch)
        return await asyncio.to_thread(begin, project, issue, folder=top, branch=branch or "")

    async def made_by_hand(self) -> Sequence[Journey]:
        """Return what is checked out in the clones of known journeys and belongs to none of them, not recorded.

        Each is what `adopt` would begin. A branch that cannot be told from the default one, because the
        forge does not answer, is left out, and so is a clone that cannot be read.
        """
        known = self.list()
        found = []
        for folder in dict.fromkeys(one.folder for one in known if one.folder):
            with suppress(IsexploreError, OSError):
                branch = (await self._around.git.facts(Path(folder))).branch
                there = [one for one in known if same_folder(one.folder, Path(folder))]
                if (
                    branch is None
                    or not all(one.branch for one in there)
                    or branch in {one.branch for one in there}
                ):
                    continue
                journey = await self.adopt(Path(folder), record=False)
                if not journey.id and journey.branch:
                    found.append(journey)
        return found

    async def _project_of(self, remotes: Mapping[str, str]) -> Project | None:
        """Return the original project that a clone is of."""
        order = ("upstream", "origin", *sorted(remotes))
        for name in dict.fromkeys(one for one in order if one in remotes):
            for settings in self._config.forges:
                hosts = (settings.ssh_host,) if settings.ssh_host else ()
                path = path_on(remotes[name], settings.url, hosts)
                if path is None:
                    continue
                forge = self._forge(settings.name)
                project = await forge.project(path)
                original = project.forked_from_id or project.forked_from
                return project if original is None else await forge.project(original)
        return None

    # Probing

    def _forge(self, name: str) -> Forge:
        if callable(self._forges):
            return self._forges(name)
        try:
            return self._forges[name]
        except KeyError:
            raise ConfigError(
                f"The forge {name} is not set up", "", "Sign in to it with: isexplore login URL"
            ) from None

    def _world(self, journey: Journey, *, thorough: bool = True) -> World:
        return self._world_of(journey, self._forge(journey.forge), thorough=thorough)

    def _world_of(self, journey: Journey, forge: Forge, *, thorough: bool) -> World:
        others = [one for one in self.list() if one.id != journey.id]
        branches = frozenset(
            one.branch
            for one in others
            if one.branch and (one.forge, one.project) == (journey.forge, journey.project)
        )
        return World(
            journey,
            forge,
            self._around_clones(others),
            credential=self._credentials(journey.forge),
            lasting=self._lasting.setdefault(journey.forge, {}),
            other_branches=branches,
            thorough=thorough,
        )

    def _around_clones(self, others: Iterable[Journey]) -> Surroundings:
        """Return the surroundings; where the settings name no folder for clones, clones go where the last one went."""
        config = self._around.config
        if config.clone_folder is not None:
            return self._around
        root = next((root for one in others if (root := root_of_clones(one)) is not None), None)
        return structs.replace(self._around, config=structs.replace(config, clone_folder=root))

    async def _write_down(self, world: World) -> None:
        """Record what turned out to be different, while the event loop goes on: the file may be locked or slow."""
        learned = dict(world.learned)
        world.learned.clear()
        if not learned or not world.journey.id:
            return
        try:
            known = await asyncio.to_thread(self._store.update, world.journey.id, learned)
        except BaseException:
            world.learned = learned | world.learned
            raise
        world.journey = structs.replace(known, **world.learned)

    async def probe(
        self,
        journey: Journey,
        *,
        thorough: bool = True,
        all_plans: bool = False,
        answers: Mapping[StepName, Answers] | None = None,
        on_step: Callable[[StepReport], object] = lambda report: None,
    ) -> JourneyReport:
        """Return how all steps stand in the real world.

        Steps after the first one that is not done are not asked for; they are "blocked" with the detail
        "not yet". A step that could not be looked at is blocked, with the reason in its detail.

        Args:
            journey: as recorded, or a `draft`.
            thorough: ask for every row of the check's table; False asks only for what stops a journey.
            all_plans: say what later steps would run too, as far as can be foreseen.
            answers: with which those plans are made.
            on_step: told each step as soon as it was looked at.
        """
        try:
            world = self._world(journey, thorough=thorough)
            await world.look_ahead()
            request = await world.merge_request()
        except IsexploreError as error:
            return await self.last_seen(journey, error)
        ended = request is not None and request.state is not MergeRequestState.OPEN
        reports: list[StepReport] = []
        held_up: StepName | None = None
        for step in steps.STEPS:
            if ended and step.name != "review":
                reports.append(report_of(step.name, StepState(state="done", detail="")))
                continue
            if held_up is not None:
                reports.append(not_yet(step.name, held_up))
                continue
            report = await self._probe_step(world, step.name)
            on_step(report)
            reports.append(report)
            if report.state != "done" and step.name not in steps.OPTIONAL and request is None:
                held_up = step.name
        if all_plans:
            reports[:] = await self._with_plans(world, reports, answers or {})
        world.learn(outcome=None if request is None else _OUTCOMES.get(request.state))
        with suppress(StateError, UsageError):
            # The report is true whether or not it can be written down.
            await self._write_down(world)
        project = await world.project()
        return JourneyReport(
            journey=world.journey,
            steps=tuple(reports),
            current=next((one.name for one in reports if one.state != "done"), None),
            project=project,
            merge_request=request,
            issue=await maybe(world.issue()) if thorough and request is None else None,
        )

    async def last_seen(self, journey: Journey, error: IsexploreError) -> JourneyReport:
        """Return what the record and the clone tell while the forge cannot be asked, because of `error`."""
        world = self._world_of(journey, cast("Forge", None), thorough=False)
        reports = await as_last_seen(RecordedWorld(world, error))
        undone = next((one.name for one in reports if one.state != "done"), None)
        return JourneyReport(journey=journey, steps=reports, current=undone, as_last_seen=True)

    async def _world_for(self, journey: Journey, name: StepName) -> World:
        """Return the world for a step: for a local one as recorded where the forge does not answer."""
        world = self._world(journey)
        if name in LOCAL:
            try:
                await world.merge_request()
            except UnavailableError as error:
                return RecordedWorld(world, error)
        return world

    async def _probe_step(self, world: World, name: StepName) -> StepReport:
        step = steps.step(name)
        try:
            state = await step.probe(world)
            commands = () if state.state == "done" else await step.plan(world)
        except IsexploreError as error:
            return report_of(name, failed(error))
        return report_of(name, state, commands)

    async def _with_plans(
        self, world: World, reports: Iterable[StepReport], answers: Mapping[StepName, Answers]
    ) -> Iterable[StepReport]:
        """Return the reports with what later steps would run, on a world of its own: nothing is learned."""
        foreseen = self._world(world.journey)
        planned = []
        for report in reports:
            if report.state == "done":
                planned.append(report)
                continue
            try:
                answered = answers.get(report.name, NO_ANSWERS)
                commands = await steps.step(report.name).plan(foreseen, answered)
                if report.name == "fork" and answered.get("name"):
                    foreseen.learn(fork=f"{(await foreseen.me()).username}/{answered['name']}")
                if report.name == "branch" and not foreseen.journey.branch:
                    asked = await steps.step("branch").questions(foreseen)
                    foreseen.learn(branch=asked[0].default)
            except IsexploreError:
                commands = report.commands
            planned.append(structs.replace(report, commands=commands))
        return planned

    # Running

    def explain(self, name: StepName) -> Explanation:
        """Return what a step is for."""
        return steps.explain(name)

    async def questions(self, journey: Journey, name: StepName) -> tuple[Question, ...]:
        """Return what to ask before a step runs."""
        return await steps.step(name).questions(await self._world_for(journey, name))

    async def plan(
        self, journey: Journey, name: StepName, answers: Answers | None = None
    ) -> tuple[Command, ...]:
        """Return what a step would run with these answers."""
        return await steps.step(name).plan(await self._world_for(journey, name), answers or NO_ANSWERS)

    async def before_proposing(self, journey: Journey) -> tuple[str, ...]:
        """Return what is worth knowing before a clone is proposed as it is checked out, in sentences.

        Raises:
            BlockedError: it is not what the contribution is about, or cannot be proposed any more.
        """
        return await before_proposing(self._world(journey))

    async def untouched(self, journey: Journey, answers: Answers | None = None) -> tuple[str, ...]:
        """Return what of the project's template a new merge request would leave unanswered, in words."""
        return await Propose().untouched(self._world(journey), answers or NO_ANSWERS)

    async def proposal(self, journey: Journey, answers: Answers | None = None) -> Proposal | None:
        """Return what a new merge request would be sent with; None where there is one already."""
        return await Propose().proposal(self._world(journey), answers or NO_ANSWERS)

    async def template_path(self, journey: Journey) -> str:
        """Return the path of the project's template for descriptions; "" where it is no file, or not known."""
        return await maybe(self._world(journey).template_path()) or ""

    async def run(
        self, journey: Journey, name: StepName, answers: Answers | None = None
    ) -> AsyncIterator[Progress]:
        """Run one step; harmless when it is done already. What it found is written down as it goes.

        Raises:
            BlockedError: something else has to happen first.
            IsexploreError: the forge or git said no.
        """
        async with journey_lock(self._state.path, journey.id):
            world = await self._world_for(self._store.get(journey.id), name)
            running = steps.step(name).run(world, answers or NO_ANSWERS)
            try:
                async for progress in running:
                    # Before anybody acts on the news, and before the step goes on.
                    await self._write_down(world)
                    yield progress
            except BaseException:
                # What went wrong matters more than that it could not be written down.
                with suppress(StateError, UsageError):
                    await self._write_down(world)
                raise
            finally:
                await running.aclose()
            await self._write_down(world)

    async def run_until(
        self,
        journey: Journey,
        last: StepName,
        *,
        first: StepName = "check",
        answers: Mapping[StepName, Answers] | None = None,
    ) -> AsyncIterator[Progress]:
        """Run all steps from `first` to `last` that are not done, in order.

        "change" and "commit" are the user's: they are not run. Changes that are not committed stay where
        they are, as long as there is a commit to go on with.

        Raises:
            BlockedError: a step cannot run, or waits for the user; commits lack a sign-off that is insisted on.
        """
        given = answers or {}
        world = self._world(self._store.get(journey.id))
        await world.look_ahead()
        for name in STEP_NAMES[STEP_NAMES.index(first) : STEP_NAMES.index(last) + 1]:
            state = await steps.step(name).probe(world)
            with suppress(StateError):
                await self._write_down(world)
            if state.state == "done":
                if name == "commit" and await world.merge_request() is None:
                    refusal = await lacks_sign_off(world)
                    if refusal is not None:
                        raise refusal
                yield Progress(text=state.detail, fraction=1.0, step=name)
            elif name == "commit" and await world.commits():
                yield Progress(text=f"{state.detail}: left as it is", step=name)
            elif name in ("change", "commit"):
                raise BlockedError(
                    "There is nothing to propose yet"
                    + (f": {state.detail}" if name == "commit" else ", since nothing has changed"),
                    f"Looked at {world.folder()}",
                    "Commit your change first (git commit)" if name == "commit" else state.hint,
                )
            elif state.state == "blocked" and not given.get(name):
                raise BlockedError(state.detail[:1].upper() + state.detail[1:], "", state.hint)
            elif name in steps.OPTIONAL:
                try:
                    async for progress in self.run(journey, name, given.get(name)):
                        yield progress
                except (ScopeError, ForbiddenError) as error:
                    # The way goes on without it; whoever wants it done hears what it would take.
                    yield Progress(text=f"left out: {error.title}. {error.hint}", step=name)
                world = self._world(self._store.get(journey.id))
            else:
                async for progress in self.run(journey, name, given.get(name)):
                    yield progress
                # What ran has changed the world.
                world = self._world(self._store.get(journey.id))

    async def diff(self, journey: Journey) -> str:
        """Return what the clone changes as a patch: what is not committed, else the branch's commits.

        Empty where there is no clone, or nothing changed. New files that git does not know yet are not in it.
        """
        world = self._world(journey)
        facts = await world.clone()
        if not facts.is_repo:
            return ""
        base = None if facts.changes else await maybe(world.base())
        if not facts.changes and base is None:
            return ""
        return await self._around.git.diff(
            world.folder(), against=base, credential=await world.clone_credential()
        )

    # For --dry-run and copying

    async def plan_all(
        self, journey: Journey, answers: Mapping[StepName, Answers] | None = None
    ) -> JourneyReport:
        """Return the probed journey with what every step that is not done would run with these answers."""
        return await self.probe(journey, all_plans=True, answers=answers)


def _wanted(project: Project, issue: Issue | int | None, folder: Path | None, branch: str) -> Journey:
    """Return a journey as it was asked for, not recorded."""
    if folder is not None:
        folder = real_folder(folder)
        try:
            check_place(folder)
        except GitError as error:
            raise BlockedError(
                f"{folder} is in the way" if error.reason == "exists" else error.title,
                error.detail,
                "Choose another folder, or a clone of this project that you have: --into DIR",
            ) from error
    if branch:
        refuse_default(check_branch_name(branch), project.default_branch)
    return Journey(
        id="",
        forge=project.forge,
        project=project.path,
        project_id=project.id,
        issue=issue.number if isinstance(issue, Issue) else issue,
        issue_title=issue.title if isinstance(issue, Issue) else "",
        folder="" if folder is None else str(folder),
        branch=branch,
    )


def _continues(known: Journey, wanted: Journey) -> bool:
    """Return whether what was asked for is this journey, which has not ended."""
    return (
        known.forge == wanted.forge
        and (known.project == wanted.project or known.project_id == wanted.project_id != "")
        and known.issue == wanted.issue
        and known.outcome is None
        and (not wanted.branch or not known.branch or known.branch == wanted.branch)
    )


def _is_another_branch(known: Journey, facts: CloneFacts) -> bool:
    """Return whether the clone is on another branch than the journey's, which is there too or has served."""
    if known.branch in ("", facts.branch) or (facts.branch is None and known.outcome is None):
        return False
    return known.outcome is not None or known.merge_request is not None or known.branch in facts.branches


def _still_meant(known: Journey | None, branch: str | None) -> int | None:
    """Return the issue of an unfinished journey if another branch of its clone is named after it too."""
    if known is None or known.issue is None or known.outcome is not None:
        return None
    return known.issue if re.search(rf"(?<!\d){known.issue}(?!\d)", branch or "") else None


def _given(known: Journey, wanted: Journey) -> dict[str, Any]:
    """Return the fields that were given and differ from what is known."""
    given = {"folder": wanted.folder, "branch": wanted.branch, "issue_title": wanted.issue_title}
    return {key: value for key, value in given.items() if value and getattr(known, key) != value}


def _top_of_clone(folder: Path) -> Path:
    """Return the folder itself, or the nearest one above it that holds a clone."""
    start = folder.expanduser().resolve()
    return next((one for one in (start, *start.parents) if (one / ".git").exists()), start)
