"""The step “clone”: the project's files on this machine, with remotes for the fork and the original."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

from isexplore.errors import BlockedError, GitError
from isexplore.git import commands
from isexplore.git.facts import CloneFacts
from isexplore.git.folders import check_destination, real_folder
from isexplore.journey import plan
from isexplore.journey.meanwhile import comes_with_fork
from isexplore.journey.output import running
from isexplore.journey.review import is_my_turn
from isexplore.journey.states import (
    Answers,
    Command,
    Explanation,
    Fact,
    Progress,
    Question,
    StepName,
    StepState,
)
from isexplore.journey.step import NO_ANSWERS
from isexplore.journey.world import World
from isexplore.models import Project


def _free(names: tuple[str, ...], taken: set[str]) -> str:
    number = 2
    for name in names:
        if name not in taken:
            return name
    while f"{names[-1]}-{number}" in taken:
        number += 1
    return f"{names[-1]}-{number}"


async def missing_remotes(world: World) -> list[tuple[str, Project]]:
    """Return the remotes that the clone lacks, under names that are free; none is ever renamed."""
    facts, remotes = await world.clone(), await world.remotes()
    project, fork = await world.project(), await world.expected_fork()
    taken = set(facts.remotes)
    missing = []
    if remotes.fork is None:
        name = _free(("origin", "fork", (await world.me()).username or "mine"), taken)
        taken.add(name)
        missing.append((name, fork))
    if remotes.upstream is None:
        missing.append((_free(("upstream", "original"), taken), project))
    return missing


async def unknown_base(world: World) -> str | None:
    """Return the remote whose default branch the clone has never seen; None where that is not needed.

    So it is in a clone of a single branch, and after the default branch got another name.
    """
    if await world.base() is not None or await world.merge_request() is not None:
        return None
    remotes = await world.remotes()
    return (remotes.upstream or remotes.fork) if (await world.project()).default_branch else None


class Clone:
    """Clones the fork and adds the original as a second remote; adopts a clone that is there."""

    name: StepName = "clone"
    explanation = Explanation(
        title="Clone",
        why="A clone is the project with its history in a folder on your machine, for changing and testing. "
        "It knows two places: origin is your fork, where you push to, and upstream is the original, "
        "where news come from.",
        afterwards="The files are in a folder of their own, ready to be changed.",
    )

    async def probe(self, world: World) -> StepState:
        """Return whether the folder is the clone that is needed."""
        folder, facts = world.folder(), await world.clone()
        if not facts.is_repo:
            return await self._no_clone(world, folder, facts)
        if not await world.is_clone_of_project():
            return self._in_the_way(folder, "a clone of something else")
        if world.journey.checkout_failed and facts.changes:
            return StepState(
                state="ready",
                detail=f"not all files could be written to {folder}",
                hint="Run it to write them",
            )
        missing = await missing_remotes(world)
        if missing:
            words = " and ".join(name for name, _ in missing)
            return StepState(
                state="ready",
                detail=f"{folder} lacks the remote {words}",
                hint="Run it to add that; nothing is renamed",
            )
        remote = await unknown_base(world)
        if remote is not None:
            return StepState(
                state="ready",
                detail=f"{folder} lacks {remote}/{(await world.project()).default_branch}",
                hint="Run it to fetch that: your change is compared with it",
            )
        world.learn(folder=str(folder))
        return StepState(state="done", detail=str(folder), facts=await self._rows(world))

    async def _rows(self, world: World) -> tuple[Fact, ...]:
        facts, remotes = await world.clone(), await world.remotes()
        rows = []
        for name, meaning in ((remotes.fork, "you push there"), (remotes.upstream, "the original")):
            if name is not None:
                rows.append(Fact("✓", f"{name} is {facts.remotes[name]} ({meaning})"))
        return tuple(rows)

    async def _no_clone(self, world: World, folder: Path, facts: CloneFacts) -> StepState:
        try:
            check_destination(folder)
        except GitError as error:
            return self._in_the_way(folder, error.detail[:1].lower() + error.detail[1:])
        request = await world.merge_request()
        if request is not None and not await is_my_turn(world, request):
            return StepState(state="done", detail="not on this machine; the branch is on the forge")
        return StepState(state="ready", detail=f"into {folder}", hint="Run it to get the files")

    @staticmethod
    def _in_the_way(folder: Path, why: str) -> StepState:
        return StepState(
            state="blocked",
            detail=f"{folder} is in the way: {why}",
            hint="Choose another folder, or a clone of this project that you have",
        )

    async def questions(self, world: World) -> tuple[Question, ...]:
        """Ask for the folder when nobody has ever said where clones go, or when something is in the way."""
        state = await self.probe(world)
        if state.state == "done" or ((await world.clone()).is_repo and state.state != "blocked"):
            return ()
        if world.config.clone_folder is not None and state.state != "blocked":
            return ()
        folder = world.folder()
        if state.state == "blocked":
            number = 2
            while folder.with_name(f"{folder.name}-{number}").exists():
                number += 1
            folder = folder.with_name(f"{folder.name}-{number}")
        return (
            Question(
                key="folder",
                label="Clone into",
                kind="folder",
                default=str(folder),
                help="The folder is made. A clone of this project that you have already is used as it is.",
                required=state.state == "blocked",
            ),
        )

    async def plan(self, world: World, answers: Answers = NO_ANSWERS) -> tuple[Command, ...]:
        """Return clone and remote commands."""
        self._choose(world, answers)
        folder, facts = world.folder(), await world.clone()
        fork, project = await world.expected_fork(), await world.project()
        if facts.is_repo:
            if not await world.is_clone_of_project():
                return ()
            missing = await missing_remotes(world)
            added = tuple(
                plan.git(commands.add_remote_command(folder, name, world.clone_url(one)))
                for name, one in missing
            )
            known = (await world.remotes()).upstream
            remote = known or next((name for name, one in missing if one.id == project.id), None)
            if remote is None or await world.base() is not None or await world.merge_request() is not None:
                return added
            return (*added, plan.git(commands.fetch_command(folder, remote, project.default_branch)))
        if await comes_with_fork(world):
            # The step “fork” shows the commands, and runs them.
            return ()
        url = world.clone_url(fork)
        partial = world.leaves_out_old_files(url)
        lines = [plan.git(commands.clone_command(url, folder, filter_blobs=partial))]
        if fork.id != project.id:
            lines.append(plan.git(commands.add_remote_command(folder, "upstream", world.clone_url(project))))
        return tuple(lines)

    def _choose(self, world: World, answers: Answers) -> None:
        answer = answers.get("folder", "").strip()
        if answer:
            world.choose_folder(real_folder(Path(answer)))

    async def run(self, world: World, answers: Answers = NO_ANSWERS) -> AsyncGenerator[Progress, None]:
        """Clone what is missing, add remotes that are missing."""
        world.forget_facts()
        self._choose(world, answers)
        fork = await world.need_fork()
        folder, facts = world.folder(), await world.clone()
        if facts.is_repo and not await world.is_clone_of_project():
            raise self._blocked(folder, "It is a clone of something else")
        if not facts.is_repo:
            try:
                check_destination(folder)
            except GitError as error:
                raise self._blocked(folder, error.detail) from error
            url = world.clone_url(fork)
            inside = folder.is_relative_to(world.root())
            world.learn(folder=str(folder))
            yield Progress(text=f"Cloning {fork.path} into {folder}", step=self.name)
            try:
                async for progress in running(
                    self.name,
                    lambda say: world.git.clone(
                        url,
                        folder,
                        credential=world.credential_for(url),
                        on_output=say,
                        filter_blobs=world.leaves_out_old_files(url),
                        root=world.root() if inside else None,
                    ),
                ):
                    yield progress
            except GitError as error:
                if error.reason == "checkout-failed":
                    world.learn(checkout_failed=True)
                raise
            world.forget_facts()
        elif world.journey.checkout_failed and facts.changes:
            async for progress in self._finish(world, folder):
                yield progress
        for name, project in await missing_remotes(world):
            yield Progress(text=f"Adding the remote {name} for {project.path}", step=self.name)
            await world.git.add_remote(folder, name, world.clone_url(project))
            world.forget_facts()
        remote = await unknown_base(world)
        if remote is not None:
            async for progress in self._fetch(world, folder, remote):
                yield progress
        world.learn(folder=str(folder), checkout_failed=False)
        yield Progress(text=f"The clone is in {folder}", fraction=1.0, step=self.name)

    async def _fetch(self, world: World, folder: Path, remote: str) -> AsyncIterator[Progress]:
        branch = (await world.project()).default_branch
        yield Progress(text=f"Fetching {branch} from {remote}", step=self.name)
        credential = await world.clone_credential()
        async for progress in running(
            self.name,
            lambda say: world.git.fetch(folder, remote, branch=branch, credential=credential, on_output=say),
        ):
            yield progress
        world.forget_facts()

    async def _finish(self, world: World, folder: Path) -> AsyncIterator[Progress]:
        yield Progress(text="Writing the files that are missing", step=self.name)
        credential = await world.clone_credential()
        async for progress in running(
            self.name,
            lambda say: world.git.finish_checkout(folder, credential=credential, on_output=say),
        ):
            yield progress
        world.forget_facts()

    @staticmethod
    def _blocked(folder: Path, why: str) -> BlockedError:
        return BlockedError(
            f"{folder} is in the way", why, "Choose another folder, or a clone of this project that you have"
        )
