"""Cloning the original while the forge makes the fork: neither needs the other before the fork is ready."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from isexplore.errors import GitError, IsexploreError
from isexplore.git import commands
from isexplore.journey import plan
from isexplore.journey.output import percent
from isexplore.journey.states import Command, Progress, StepName
from isexplore.journey.world import World
from isexplore.models import ForkState, Project

T = TypeVar("T")

FORK = "origin"
UPSTREAM = "upstream"
_STEP: StepName = "fork"


async def clones_meanwhile(world: World) -> bool:
    """Return whether making the fork makes the clone too.

    So it is where the folder was chosen once and nothing is there, not even an empty folder.
    """
    if world.config.clone_folder is None and not world.journey.folder:
        return False
    project = await world.project()
    if not project.default_branch or await world.works_in_project():
        return False
    try:
        folder = world.folder()
        world.clone_url(project)
    except GitError:
        # The step “clone” says what is wrong.
        return False
    return not os.path.lexists(folder)


async def comes_with_fork(world: World) -> bool:
    """Return whether the clone is still to be made by the step “fork”."""
    if not await clones_meanwhile(world):
        return False
    status = await world.fork_status()
    return status is None or status.state is ForkState.IMPORTING


async def planned(world: World, path: str = "") -> tuple[Command, ...]:
    """Return the git commands that run while the fork is made, and those that put it into the clone.

    Args:
        world: the journey's facts.
        path: of the fork, where another one than the usual one was asked for.
    """
    if not await clones_meanwhile(world):
        return ()
    project, fork, folder = await world.project(), await world.expected_fork(path), world.folder()
    url = world.clone_url(project)
    try:
        fork_url = world.clone_url(fork)
    except GitError:
        fork_url = url
    branch = project.default_branch
    return tuple(
        plan.git(command)
        for command in (
            commands.clone_command(
                url, folder, remote=UPSTREAM, filter_blobs=world.leaves_out_old_files(url)
            ),
            commands.add_remote_command(folder, FORK, fork_url, head=branch),
            commands.fetch_command(folder, FORK),
            commands.follow_command(folder, branch, FORK),
        )
    )


class CloneMeanwhile:
    """The clone that grows while the step “fork” waits for the forge.

    It becomes what the step “clone” would have made: `origin` is the fork, which the default branch
    follows, `upstream` the original. The folder gets its name when all of that is true, so that there is
    the whole clone or nothing, and nothing where the fork cannot be made.
    """

    def __init__(self, world: World) -> None:
        """Begin nothing yet."""
        self._world = world
        self._said: asyncio.Queue[str | None] = asyncio.Queue()
        self._fork: asyncio.Future[Project] = asyncio.get_running_loop().create_future()
        self._clone: asyncio.Task[None] | None = None
        self._work: asyncio.Task[Any] | None = None

    @property
    def begun(self) -> bool:
        """Whether there is anything to wait for."""
        return self._clone is not None

    async def begin(self) -> AsyncIterator[Progress]:
        """Start the clone, once, where `clones_meanwhile` says so."""
        if self.begun or not await clones_meanwhile(self._world):
            return
        project, folder = await self._world.project(), self._world.folder()
        self._clone = asyncio.create_task(self._make(project, folder))
        yield Progress(text=f"Cloning {project.path} into {folder} meanwhile", step=_STEP)

    async def _make(self, project: Project, folder: Path) -> None:
        world = self._world
        url = world.clone_url(project)

        async def join(unnamed: Path) -> None:
            fork_url = world.clone_url(await self._fork)
            await world.git.add_remote(unnamed, FORK, fork_url, head=project.default_branch)
            await world.git.fetch(
                unnamed, FORK, credential=world.credential_for(fork_url), on_output=self._said.put_nowait
            )
            await world.git.follow(unnamed, project.default_branch, FORK)

        await world.git.clone(
            url,
            folder,
            credential=world.credential_for(url),
            on_output=self._said.put_nowait,
            filter_blobs=world.leaves_out_old_files(url),
            remote=UPSTREAM,
            root=world.root() if folder.is_relative_to(world.root()) else None,
            before_naming=join,
        )

    def work(self, doing: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start what else the step does; `lines` tells what git says until it is done."""
        task = asyncio.create_task(doing)
        self._work = task
        return task

    async def lines(self, task: asyncio.Task[Any]) -> AsyncIterator[Progress]:
        """Yield what git says until `task` is done, however it ended."""
        task.add_done_callback(lambda _: self._said.put_nowait(None))
        while (line := await self._said.get()) is not None:
            yield Progress(text=f"Cloning meanwhile: {line}", fraction=percent(line), step=_STEP)

    async def finish(self, fork: Project) -> AsyncIterator[Progress]:
        """Put the fork, which is ready, into the clone; a clone that fails is left to the step “clone”."""
        if self._clone is None:
            return
        self._fork.set_result(fork)
        async for progress in self.lines(self._clone):
            yield progress
        world, folder = self._world, self._world.folder()
        try:
            await self._clone
        except (IsexploreError, OSError) as error:
            if isinstance(error, GitError) and error.reason == "checkout-failed":
                world.learn(folder=str(folder), checkout_failed=True)
            why = error.title if isinstance(error, IsexploreError) else (error.strerror or "no access")
            text = f"The clone is still to be made or finished ({why}): the step “clone” does it"
        else:
            world.learn(folder=str(folder), checkout_failed=False)
            text = f"The clone is in {folder}"
        world.forget_facts()
        yield Progress(text=text, fraction=1.0, step=_STEP)

    async def end(self) -> None:
        """Stop what still runs, and wait until nothing of it is left."""
        running = [task for task in (self._work, self._clone) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
