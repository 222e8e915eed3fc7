"""How a journey stands while its forge cannot be asked: what the record says, and what the clone tells by itself."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any, cast
from urllib.parse import urlsplit

from msgspec import structs

from isexplore.config.schema import ForgeConfig
from isexplore.errors import GitError, IsexploreError
from isexplore.forge.base import Forge
from isexplore.guide.digest import Digest
from isexplore.journey import steps
from isexplore.journey.addresses import remote_of
from isexplore.journey.states import Command, Fact, StepName, StepReport, StepState
from isexplore.journey.store import Journey
from isexplore.journey.world import World
from isexplore.models import Issue, MergeRequest, MergeRequestState, Person, Project
from isexplore.text import age

LOCAL: frozenset[StepName] = frozenset({"change", "commit"})
"""Steps that need no forge."""
SEEN = "as last seen"

_DEFAULTS = ("main", "master", "trunk", "develop")
"""Names of default branches: a clone does not always tell which one it is."""
_CLAIMS = {"assign": "assigned to you", "comment": "asked in a comment", "skip": "skipped"}


class _Silent:
    """A forge that answers everything with the error of the last question."""

    def __init__(self, error: IsexploreError) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        raise self._error.with_traceback(None)


class RecordedWorld(World):
    """The world as the record and the clone tell it; whatever only the forge knows raises `error`."""

    def __init__(self, world: World, error: IsexploreError) -> None:
        self.__dict__.update(world.__dict__)
        self.forge = cast("Forge", _Silent(error))
        self.error = error
        self._facts = {}
        self._asking = defaultdict(asyncio.Lock)
        self.learned = {}

    def _place(self) -> ForgeConfig:
        if self.settings is None:
            raise self.error
        return self.settings

    @property
    def moved(self) -> dict[str, str]:
        """Former web addresses of the forge, with its present one."""
        place = self._place()
        return dict.fromkeys(place.former_urls, place.url)

    async def me(self) -> Person:
        """Return the account, as far as it is known."""
        known: Person | None = self._lasting.get("me")
        return known or Person(username=self._place().username or "")

    async def project(self) -> Project:
        """Return the project under its recorded names."""
        return await self._recorded(self.journey.project, self.journey.project_id)

    async def fork(self) -> Project | None:
        """Return the fork under its recorded names."""
        if not self.journey.fork:
            raise self.error
        return await self._recorded(self.journey.fork, self.journey.fork_id)

    async def works_in_project(self) -> bool:
        """Return whether the project itself is pushed to."""
        return self.journey.fork == self.journey.project

    async def _recorded(self, path: str, number: str) -> Project:
        place = self._place()
        host = place.ssh_host or urlsplit(place.url).hostname or ""

        def named(path: str) -> Project:
            return Project(
                forge=self.journey.forge,
                id=number,
                path=path,
                name=path.rpartition("/")[2],
                url=f"{place.url}/{path}",
                clone_url=f"{place.url}/{path}.git",
                ssh_url=f"git@{host.partition(':')[0]}:{path}.git",
            )

        facts = await self.clone()
        remote = remote_of(facts.remotes, named(self.journey.project), ("upstream", "origin"), self.moved)
        there = [name.partition("/")[2] for name in facts.remote_branches if name.startswith(f"{remote}/")]
        only = there[0] if len(there) == 1 else ""
        default = next((name for name in _DEFAULTS if name in there), only)
        return structs.replace(named(path), default_branch=default)

    async def rules(self) -> Digest:
        """Return what the project's guides ask, if they were read before."""
        known: Digest | None = self._lasting.get(f"rules {self.journey.project_id}")
        return known or Digest()

    async def issue(self) -> Issue | None:
        """Return the issue's number and title."""
        number = self.journey.issue
        if number is None:
            return None
        forge, project = self.journey.forge, self.journey.project
        return Issue(forge=forge, project=project, number=number, title=self.journey.issue_title, url="")

    async def merge_request(self) -> MergeRequest | None:
        """Return the recorded merge request."""
        journey = self.journey
        if journey.merge_request is None:
            return None
        return MergeRequest(
            forge=journey.forge,
            project=journey.project,
            number=journey.merge_request,
            title=journey.title,
            url="",
            state=MergeRequestState.OPEN,
            draft=journey.draft,
            source_branch=journey.branch,
        )


def report_of(name: StepName, state: StepState, commands: tuple[Command, ...] = ()) -> StepReport:
    """Return a step's state with its title."""
    return StepReport(
        name=name,
        title=steps.explain(name).title,
        state=state.state,
        detail=state.detail,
        hint=state.hint,
        facts=state.facts,
        commands=commands,
    )


def not_yet(name: StepName, after: StepName) -> StepReport:
    """Return a step that another one has to come before."""
    return StepReport(
        name=name,
        title=steps.explain(name).title,
        state="blocked",
        detail="not yet",
        hint=f"After the step “{after}”",
        after=after,
    )


def failed(error: IsexploreError) -> StepState:
    """Return the state of a step that could not be looked at."""
    words = error.title if not error.detail else f"{error.title}: {error.detail}"
    return StepState(state="blocked", detail=words, hint=error.hint)


async def as_last_seen(world: RecordedWorld) -> tuple[StepReport, ...]:
    """Return the steps: those that are recorded stay done, local ones are looked at, one tells of the error."""
    reports: list[StepReport] = []
    undone: StepName | None = None
    asks: StepName | None = None
    for step in steps.STEPS:
        name = step.name
        state = await _known(world, name)
        if state is None and name == "claim" and _begun(world.journey):
            # It holds nothing up, so it is not what the forge is needed for.
            state = StepState(state="done", detail="cannot be looked up now")
        if state is not None and state.state == "done":
            reports.append(report_of(name, state))
        elif state is not None and undone is None:
            undone = name
            reports.append(report_of(name, state, await _commands(world, name)))
        elif name in LOCAL and undone is not None:
            reports.append(not_yet(name, undone))
        elif asks is None:
            asks = name
            undone = undone or name
            reports.append(report_of(name, _with_age(world, failed(world.error))))
        else:
            reports.append(not_yet(name, asks))
    return tuple(reports)


def _begun(journey: Journey) -> bool:
    return bool(journey.claim or journey.fork or journey.branch or journey.merge_request is not None)


def _with_age(world: RecordedWorld, state: StepState) -> StepState:
    journey = world.journey
    if not _begun(journey) or journey.updated_at is None:
        return state
    since = max(0.0, (world.clock() - journey.updated_at).total_seconds())
    words = age(since)
    moment = words if words == "just now" else f"{words} ago"
    row = Fact("!", f"The steps before are {SEEN}; the record last changed {moment}")
    return StepState(state=state.state, detail=state.detail, hint=state.hint, facts=(row,))


async def _commands(world: RecordedWorld, name: StepName) -> tuple[Command, ...]:
    try:
        return await steps.step(name).plan(world)
    except IsexploreError:
        return ()


async def _known(world: RecordedWorld, name: StepName) -> StepState | None:
    """Return how a step stands; None where only the forge can tell."""
    if world.journey.outcome is not None:
        return _done(world.journey.outcome if name == "review" else "")
    if name in ("clone", "branch", "change", "commit", "push"):
        try:
            return await _in_clone(world, name)
        except GitError as error:
            return failed(error)
        except IsexploreError:
            return None
    return _recorded(world.journey, name)


def _done(words: str) -> StepState:
    return StepState(state="done", detail=f"{words}, {SEEN}" if words else SEEN)


def _recorded(journey: Journey, name: StepName) -> StepState | None:
    proposed = journey.merge_request is not None
    match name:
        case "check" if _begun(journey):
            return _done("")
        case "claim" if journey.issue is None:
            return StepState(state="done", detail="no issue chosen")
        case "claim" if journey.claim is not None:
            return _done(_CLAIMS[journey.claim])
        case "claim" if proposed:
            return _done("")
        case "fork" if journey.fork:
            return _done(journey.fork)
        case "propose" if proposed:
            return _done(journey.title)
        case _:
            return None


async def _in_clone(world: RecordedWorld, name: StepName) -> StepState | None:
    facts, proposed = await world.clone(), world.journey.merge_request is not None
    if not facts.is_repo:
        return _done("") if proposed else None
    if name == "push":
        remote, branch = (await world.remotes()).fork, world.journey.branch
        if branch and f"{remote}/{branch}" in facts.remote_branches and facts.branch == branch:
            new = await world.git.log(world.folder(), f"{remote}/{branch}..HEAD", limit=1)
            return None if new else _done(branch)
        return _done("") if proposed and facts.branch != branch else None
    if name == "branch" and proposed and facts.branch != world.journey.branch:
        return StepState(state="done", detail=f"{world.journey.branch}, not checked out")
    state = await steps.step(name).probe(world)
    return state if name in LOCAL or state.state == "done" else None
