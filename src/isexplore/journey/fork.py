"""The step “fork”: a copy of the project on the forge that one may push to."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

from isexplore.errors import (
    BlockedError,
    ConflictError,
    ForgeError,
    NotVisibleError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.journey.meanwhile import CloneMeanwhile, planned
from isexplore.journey.states import (
    Answers,
    Choice,
    Command,
    Explanation,
    Fact,
    Progress,
    Question,
    StepName,
    StepState,
)
from isexplore.journey.step import NO_ANSWERS
from isexplore.journey.world import World, maybe
from isexplore.models import ForkState, ForkTarget, Project

DEADLINE = 600.0
"""Seconds after which a fork that is still being made is left to itself."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


def pauses() -> Iterator[float]:
    """Yield how long to wait between looks, in seconds: most forks are ready within three."""
    yield 1.0
    yield 2.0
    yield 3.0
    while True:
        yield 5.0


class Fork:
    """Adopts the fork that is there, or makes one, and waits until it can be used."""

    name: StepName = "fork"
    explanation = Explanation(
        title="Fork",
        why="You cannot push to other teams' projects, and need not: a fork is your own copy on the forge. "
        "You push there, and ask the owners to take your change.",
        afterwards="Your fork exists, and its branches can be read.",
    )

    async def probe(self, world: World) -> StepState:
        """Return how far the fork is."""
        fork = await world.fork()
        if fork is None:
            return await self._missing(world)
        project = await world.project()
        if fork.id == project.id:
            return StepState(state="done", detail="not needed: you may push to the project itself")
        status = await world.fork_status()
        assert status is not None
        match status.state:
            case ForkState.READY:
                return await self._ready(world, fork)
            case ForkState.IMPORTING:
                return StepState(
                    state="waiting",
                    detail=f"{fork.path} is being made",
                    hint="Run it to wait until it is ready",
                )
            case ForkState.FAILED:
                return StepState(
                    state="blocked",
                    detail=f"the fork {fork.path} could not be made"
                    + (f": {status.detail}" if status.detail else ""),
                    hint=f"Delete the broken fork on the forge ({fork.url}), then try again",
                )

    @staticmethod
    async def _ready(world: World, fork: Project) -> StepState:
        behind = await world.behind()
        if not behind:
            return StepState(state="done", detail=fork.path)
        branch = (await world.project()).default_branch
        return StepState(
            state="done",
            detail=f"{fork.path}, {behind:,} behind upstream/{branch}",
            facts=(Fact("✓", "That does no harm: your branch begins at the original's newest state"),),
        )

    async def _missing(self, world: World) -> StepState:
        project = await world.project()
        if project.forking_enabled is False:
            return StepState(
                state="blocked",
                detail="the project cannot be forked",
                hint="Ask its owners to allow forks, or to give you the role Developer",
            )
        taken = await world.name_taken()
        if taken is not None:
            return StepState(
                state="ready",
                detail=f"{taken.path} exists and is no fork of {project.path}",
                hint="Choose another name for your fork",
            )
        return StepState(state="ready", detail="ready", hint="Run it to make your fork")

    async def questions(self, world: World) -> tuple[Question, ...]:
        """Ask for a name when the usual one is taken, and for a place when there are several."""
        if await world.fork() is not None:
            return ()
        asked = []
        project = await world.project()
        if await world.name_taken() is not None:
            asked.append(
                Question(
                    key="name",
                    label="Name of your fork",
                    default=f"{project.path.rsplit('/', 1)[-1]}-fork",
                    help="Your project of the same name is something else; it stays as it is.",
                    required=True,
                )
            )
        targets = await maybe(world.forge.fork_targets(project)) or []
        if len(targets) > 1:
            asked.append(
                Question(
                    key="namespace",
                    label="Where to",
                    kind="choice",
                    default=targets[0].path,
                    choices=tuple(
                        Choice(one.path, f"{one.path} (yours)" if one.personal else one.path)
                        for one in targets
                    ),
                    help="Your own namespace is right for nearly everybody.",
                )
            )
        return tuple(asked)

    async def plan(self, world: World, answers: Answers = NO_ANSWERS) -> tuple[Command, ...]:
        """Return the request, unless only waiting is left, and what git does meanwhile."""
        if await world.fork() is not None:
            status = await world.fork_status()
            waits = status is not None and status.state is ForkState.IMPORTING
            return await planned(world) if waits else ()
        project = await world.project()
        target = await self._target(world, project, answers)
        name = answers.get("name", "").strip()
        place = (await world.me()).username if target is None else target.path
        path = f"{place}/{name or project.path.rsplit('/', 1)[-1]}" if name or target is not None else ""
        request = world.requests.fork(project, target=target, name=name)
        return (request, *await planned(world, path))

    async def run(self, world: World, answers: Answers = NO_ANSWERS) -> AsyncGenerator[Progress, None]:
        """Make the fork unless there is one; wait for it, and clone meanwhile if it is known where to."""
        world.forget_facts()
        meanwhile = CloneMeanwhile(world)
        try:
            fork = await world.fork()
            if fork is None:
                project = await world.project()
                name = answers.get("name", "").strip()
                await self._check_name(world, name)
                target = await self._target(world, project, answers)
                yield Progress(text=f"Forking {project.path}", step=self.name)
                async for progress in meanwhile.begin():
                    yield progress
                making = meanwhile.work(self._make(world, project, target, name))
                async for progress in meanwhile.lines(making):
                    yield progress
                fork = await making
                world.learn(fork=fork.path, fork_id=fork.id)
            async for progress in self._wait(world, fork, meanwhile):
                yield progress
        finally:
            await meanwhile.end()

    async def _check_name(self, world: World, name: str) -> None:
        if name and not _NAME.fullmatch(name):
            raise BlockedError(
                f"“{name}” cannot be the name of a fork",
                "Letters, digits, dots, - and _ are allowed",
                "Choose another name",
            )
        taken = None if name else await world.name_taken()
        if taken is not None:
            raise BlockedError(
                f"{taken.path} exists and is no fork of {world.journey.project}",
                "Two projects cannot have one name, and yours stays as it is",
                "Choose another name for your fork",
            )

    async def _target(self, world: World, project: Project, answers: Answers) -> ForkTarget | None:
        wanted = answers.get("namespace", "")
        if not wanted or wanted == (await world.me()).username:
            return None
        targets = await world.forge.fork_targets(project)
        found = next((target for target in targets if target.path == wanted), None)
        if found is None:
            raise BlockedError(f"You may not fork into {wanted}", "", "Choose another place")
        return found

    async def _make(self, world: World, project: Project, target: ForkTarget | None, name: str) -> Project:
        """Make the fork; after an answer that leaves it open whether there is one now, look."""
        try:
            return await world.forge.fork(project, target=target, name=name)
        except (ConflictError, NotVisibleError, UnavailableError, WrongAnswerError) as error:
            found = await self._look_again(world, project)
            if found is not None:
                return found
            if isinstance(error, ConflictError):
                raise BlockedError(
                    "The name of the fork is taken by something else",
                    error.detail,
                    "Choose another name for your fork",
                ) from error
            raise

    async def _look_again(self, world: World, project: Project) -> Project | None:
        for pause in (0.0, 1.0, 2.0):
            if pause:
                await world.sleep(pause)
            try:
                found = await world.forge.my_fork(project, await world.me())
            except ForgeError:
                found = None
            if found is not None:
                return found
        return None

    async def _wait(self, world: World, fork: Project, meanwhile: CloneMeanwhile) -> AsyncIterator[Progress]:
        if fork.id == (await world.project()).id:
            yield Progress(text="No fork is needed: you may push to the project itself", step=self.name)
            return
        waited, started = 0.0, time.monotonic()
        for pause in pauses():
            status = await world.forge.fork_status(fork)
            if status.state is ForkState.READY:
                fraction = None if meanwhile.begun else 1.0
                yield Progress(text=f"{fork.path} is ready", fraction=fraction, step=self.name)
                async for progress in meanwhile.finish(fork):
                    yield progress
                return
            if status.state is ForkState.FAILED:
                raise BlockedError(
                    f"The forge could not make {fork.path}",
                    status.detail,
                    f"Delete it on the forge ({fork.url}), then try again",
                )
            if max(waited, time.monotonic() - started) >= DEADLINE:
                raise BlockedError(
                    f"{fork.path} is still not ready",
                    f"The forge has been at it for {DEADLINE / 60:.0f} minutes",
                    "Try again later: the fork goes on without isexplore",
                )
            yield Progress(text=f"Waiting until the branches of {fork.path} can be read", step=self.name)
            async for progress in meanwhile.begin():
                yield progress
            pausing = meanwhile.work(_pause(world, pause))
            async for progress in meanwhile.lines(pausing):
                yield progress
            await pausing
            waited += pause


async def _pause(world: World, seconds: float) -> None:
    await world.sleep(seconds)
