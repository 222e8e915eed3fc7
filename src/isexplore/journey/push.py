"""The step “push”: the branch goes to the fork, and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from isexplore.errors import BlockedError, GitError
from isexplore.git import commands
from isexplore.git.facts import CloneFacts
from isexplore.journey import plan
from isexplore.journey.change import refuse_no_change
from isexplore.journey.clone import missing_remotes
from isexplore.journey.output import running
from isexplore.journey.states import (
    Answers,
    Command,
    Explanation,
    Progress,
    Question,
    StepName,
    StepState,
)
from isexplore.journey.step import NO_ANSWERS
from isexplore.journey.world import World
from isexplore.text import count

_UNKNOWN_OUTCOME = frozenset({"network", "stalled", "tls", "failed"})
"""Reasons after which the forge may or may not have the commits."""


class Push:
    """Pushes the branch to the fork; never with force, never to another remote."""

    name: StepName = "push"
    explanation = Explanation(
        title="Push",
        why="Pushing copies your commits to your fork on the forge, where others can see them. "
        "isexplore pushes only this branch, only to your fork, and never overwrites anything there.",
        afterwards="The branch on your fork is the same as on your machine.",
    )

    async def probe(self, world: World) -> StepState:
        """Return whether the fork has what the clone has."""
        facts, branch = await world.clone(), world.journey.branch
        if not facts.is_repo:
            return StepState(state="done", detail="on the forge")
        if facts.branch != branch:
            return StepState(state="done", detail=f"{branch} is not checked out")
        there = await world.fork_branch()
        if there is None:
            if await world.merge_request() is not None:
                return StepState(state="done", detail="the branch on the fork is gone")
            return StepState(state="ready", detail=f"{branch} is not on your fork", hint="Run it to push")
        if there.sha == facts.head:
            return StepState(state="done", detail=f"{branch} is on your fork")
        missing_here, missing_there = await self._compare(world, there.sha)
        if missing_here == 0:
            return StepState(
                state="ready", detail=f"{count(missing_there, 'commit')} to push", hint="Run it to push"
            )
        if missing_there == 0 and missing_here is not None:
            remote = (await world.remotes()).fork
            return StepState(
                state="done",
                detail=f"your fork has {count(missing_here, 'commit')} that you lack here",
                hint=f"git pull --ff-only {remote} {branch}",
            )
        if missing_here is None and await self._nothing_new_here(world):
            return StepState(
                state="done",
                detail="your fork has newer commits than the clone",
                hint=f"git pull --ff-only {(await world.remotes()).fork} {branch}",
            )
        return await self._diverged(world)

    async def _nothing_new_here(self, world: World) -> bool:
        """Return whether all that is here was on the fork when it was last looked at."""
        facts = await world.clone()
        tracked = f"{(await world.remotes()).fork}/{world.journey.branch}"
        if tracked not in facts.remote_branches:
            return False
        return not await world.git.log(world.folder(), f"{tracked}..HEAD", limit=1)

    async def _compare(self, world: World, there: str) -> tuple[int | None, int]:
        """Return how many of the fork's commits are missing here, and of ours there; None for unknown."""
        folder = world.folder()
        try:
            here = len(await world.git.log(folder, f"HEAD..{there}"))
            return here, len(await world.git.log(folder, f"{there}..HEAD"))
        except GitError:
            return None, 0

    async def _diverged(self, world: World) -> StepState:
        remote = (await world.remotes()).fork or "origin"
        branch = world.journey.branch
        return StepState(
            state="blocked",
            detail=f"your fork has commits on {branch} that the clone lacks",
            hint=f"git pull --rebase {remote} {branch}, then try again (isexplore never overwrites them)",
        )

    async def questions(self, world: World) -> tuple[Question, ...]:
        """Return nothing."""
        return ()

    async def plan(self, world: World, answers: Answers = NO_ANSWERS) -> tuple[Command, ...]:
        """Return the push."""
        facts, remote = await world.clone(), (await world.remotes()).fork
        if remote is None and facts.is_repo:
            # The step “clone” adds it under a name that is free.
            fork = await world.expected_fork()
            remote = next((name for name, project in await missing_remotes(world) if project == fork), None)
        remote, branch = remote or "origin", world.journey.branch
        return (plan.git(commands.push_command(world.folder(), remote, branch)),) if branch else ()

    async def run(self, world: World, answers: Answers = NO_ANSWERS) -> AsyncGenerator[Progress, None]:
        """Push, unless the fork has it all; find out how it ended when the connection broke."""
        world.forget_facts()
        facts = await world.need_clone()
        fork, branch = await world.need_fork(), world.journey.branch
        await self._check(world, facts)
        state = await self.probe(world)
        if state.state == "blocked":
            raise BlockedError(state.detail[:1].upper() + state.detail[1:], "", state.hint)
        if state.state == "done":
            yield Progress(text=state.detail, step=self.name)
            return
        remote = await self._remote(world)
        protected = {(await world.project()).default_branch, fork.default_branch}
        yield Progress(text=f"Pushing {branch} to {fork.path}", step=self.name)
        try:
            async for progress in running(
                self.name,
                lambda say: world.git.push(
                    world.folder(),
                    remote,
                    branch,
                    credential=world.credential,
                    on_output=say,
                    protected=protected,
                ),
            ):
                yield progress
        except GitError as error:
            if error.reason == "rejected":
                said = await self._diverged(world)
                raise BlockedError(
                    said.detail[:1].upper() + said.detail[1:], error.detail, said.hint
                ) from error
            if error.reason not in _UNKNOWN_OUTCOME:
                raise
            yield Progress(text="The connection broke: looking whether the commits arrived", step=self.name)
            if not await self._arrived(world, remote, facts.head):
                raise
        world.forget_facts()
        yield Progress(text=f"{branch} is on {fork.path}", fraction=1.0, step=self.name)

    async def _check(self, world: World, facts: CloneFacts) -> None:
        branch = world.journey.branch
        if not branch or facts.branch != branch:
            raise BlockedError(
                f"{branch or 'A branch of your own'} is not checked out",
                f"The clone is on {facts.branch or 'no branch'}",
                "Run the step “branch” first",
            )
        if not await world.commits() and await world.merge_request() is None:
            raise BlockedError(
                "There is nothing to push", "No commit of yours is on the branch", "Commit your change first"
            )
        await refuse_no_change(world)

    async def _remote(self, world: World) -> str:
        """Return the remote that is the fork, for pushing too: `pushurl` may point elsewhere.

        Raises:
            BlockedError: it does not push to the fork.
        """
        fork, remote = await world.need_fork(), (await world.remotes()).fork
        if remote is None:
            raise BlockedError(
                "The clone has no remote for your fork", fork.path, "Run the step “clone”: it adds one"
            )
        url = await world.git.remote_url(world.folder(), remote, push=True)
        if not world.points_at(url, fork):
            raise BlockedError(
                f"The remote {remote} pushes somewhere else",
                f"It pushes to {url}, not to {fork.path}",
                f"git remote set-url --push {remote} {world.clone_url(fork)}",
            )
        return remote

    async def _arrived(self, world: World, remote: str, head: str | None) -> bool:
        try:
            there = await world.git.remote_branch(
                world.folder(), remote, world.journey.branch, credential=world.credential
            )
        except GitError:
            return False
        return there is not None and there == head
