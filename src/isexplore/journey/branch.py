"""The step “branch”: a branch of its own for the change, from the original's newest state."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from isexplore.errors import BlockedError
from isexplore.git import commands, names
from isexplore.git.facts import CloneFacts
from isexplore.journey import plan
from isexplore.journey.output import running
from isexplore.journey.review import is_my_turn
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
from isexplore.journey.suggestions import branch_name
from isexplore.journey.world import World, maybe
from isexplore.models import MergeRequestState
from isexplore.text import count


def unfinished(facts: CloneFacts) -> StepState | None:
    """Return a blocked state when git waits for the end of something the user began."""
    if facts.in_progress is not None:
        ends = f"Finish it with git {facts.in_progress} --continue, or give it up with --abort"
        return StepState(
            state="blocked",
            detail=f"a {facts.in_progress} is not finished in the clone",
            hint="End it with git bisect reset" if facts.in_progress == "bisect" else ends,
        )
    return None


def refuse_default(name: str, default: str) -> None:
    """Raise BlockedError where a branch for a change would be the project's default one."""
    if name == default:
        raise BlockedError(
            f"{name} is the default branch",
            "A change on it cannot be told from the project's own work",
            "Choose another name",
        )


class Branch:
    """Creates the branch, or adopts the one that is checked out."""

    name: StepName = "branch"
    explanation = Explanation(
        title="Branch",
        why="A branch keeps this one change apart from everything else, so that you can work on two at once. "
        "It starts from the newest state of the original, not of your fork, which may be old.",
        afterwards="The new branch is checked out, and what you change belongs to it.",
    )

    async def probe(self, world: World) -> StepState:
        """Return whether a branch of one's own is checked out."""
        facts = await world.clone()
        if not facts.is_repo:
            return StepState(state="done", detail=world.journey.branch or "on the forge")
        wanted, current = world.journey.branch, facts.branch
        if wanted and current == wanted:
            return StepState(state="done", detail=wanted)
        request = await world.merge_request()
        if request is not None and not await is_my_turn(world, request):
            return StepState(state="done", detail=f"{wanted}, not checked out")
        busy = unfinished(facts)
        if busy is not None:
            return busy
        if await self._adoptable(world, facts):
            assert current is not None
            world.learn(branch=current)
            return StepState(state="done", detail=f"{current}, as you made it")
        if wanted and wanted in facts.branches:
            return StepState(
                state="ready", detail=f"{wanted} is not checked out", hint="Run it to switch to it"
            )
        name = await self._name(world, {})
        if current == (await world.project()).default_branch and await world.commits():
            return StepState(
                state="ready",
                detail=f"your commits are on {current}",
                hint=f"Run it: {name} takes them along, {current} is not proposed from",
            )
        return StepState(state="ready", detail=f"new branch {name}", hint="Run it to create the branch")

    async def _adoptable(self, world: World, facts: CloneFacts) -> bool:
        """Return whether the current branch was made by hand for this journey."""
        current = facts.branch
        if current is None or current in world.other_branches:
            return False
        if world.journey.branch and world.journey.branch in facts.branches:
            return False
        if world.journey.merge_request is not None:
            # The merge request is of another branch, which can be had from the fork.
            return False
        project, fork = await world.project(), await world.fork()
        defaults = {project.default_branch, fork.default_branch if fork is not None else ""}
        if world.journey.branch and not await world.commits():
            # Asked for by name and not made yet: an old branch that holds nothing is not it.
            return False
        return current not in defaults and not await self._has_served(world, current)

    @staticmethod
    async def _has_served(world: World, branch: str) -> bool:
        """Return whether the branch was proposed before, and that has ended: its commits are not this change's."""
        project, fork = await world.project(), await world.fork()
        if fork is None:
            return False
        found = await maybe(world.forge.find_merge_request(project, source=fork, source_branch=branch))
        return found is not None and found.state is not MergeRequestState.OPEN

    async def _name(self, world: World, answers: Answers) -> str:
        return answers.get("branch", "").strip() or world.journey.branch or await self._suggestion(world)

    async def _suggestion(self, world: World) -> str:
        facts, rules = await world.clone(), await maybe(world.rules())
        taken = {*world.other_branches, *facts.branches} | {
            name.split("/", 1)[-1] for name in facts.remote_branches
        }
        return branch_name(world.journey.issue, world.journey.issue_title, rules, taken)

    async def questions(self, world: World) -> tuple[Question, ...]:
        """Ask for the name."""
        facts = await world.clone()
        if world.journey.branch and world.journey.branch in facts.branches:
            return ()
        rules = await maybe(world.rules())
        return (
            Question(
                key="branch",
                label="Name of the branch",
                default=await self._name(world, {}),
                help="Short words with hyphens; the issue's number helps others."
                if rules is None or rules.branch_naming is None
                else f"{rules.branch_naming.document} says: {rules.branch_naming.text}",
            ),
        )

    async def _start(self, world: World, name: str) -> str:
        """Return where the new branch begins."""
        facts, remotes, project = await world.clone(), await world.remotes(), await world.project()
        if facts.branch == project.default_branch and await world.commits():
            return "HEAD"
        pushed = f"{remotes.fork}/{name}"
        if pushed in facts.remote_branches:
            return pushed
        return f"{remotes.upstream or remotes.fork or 'upstream'}/{project.default_branch}"

    async def plan(self, world: World, answers: Answers = NO_ANSWERS) -> tuple[Command, ...]:
        """Return fetch and switch."""
        folder, facts, remotes = world.folder(), await world.clone(), await world.remotes()
        if facts.is_repo and not answers.get("branch") and (await self.probe(world)).state == "done":
            return ()
        name = await self._name(world, answers)
        if name in facts.branches:
            return (plan.git(commands.switch_command(folder, name)),)
        same = await world.works_in_project()
        upstream = remotes.upstream or ("origin" if same else "upstream")
        fetched = await self._fetched(world, name) or (upstream,)
        start = await self._start(world, name) if facts.is_repo else ""
        if remotes.fork != remotes.upstream and remotes.fork in fetched and start != "HEAD":
            start = f"{remotes.fork}/{name}"
        return (
            *(plan.git(commands.fetch_command(folder, remote)) for remote in fetched),
            plan.git(
                commands.create_branch_command(
                    folder, name, start or f"{upstream}/{(await world.project()).default_branch}"
                )
            ),
        )

    async def run(self, world: World, answers: Answers = NO_ANSWERS) -> AsyncGenerator[Progress, None]:
        """Fetch, then create or switch."""
        world.forget_facts()
        facts = await world.need_clone()
        folder, project = world.folder(), await world.project()
        busy = unfinished(facts)
        if busy is not None:
            raise BlockedError(busy.detail[:1].upper() + busy.detail[1:], "", busy.hint)
        if (
            not answers.get("branch")
            and (await self.probe(world)).state == "done"
            and facts.branch is not None
        ):
            yield Progress(text=f"{facts.branch} is checked out", step=self.name)
            return
        name = names.check_branch_name(await self._name(world, answers))
        self._refuse(world, name, project.default_branch)
        if facts.branch != name:
            async for progress in self._make(world, name):
                yield progress
        world.learn(branch=name)
        world.forget_facts()
        yield Progress(text=f"{name} is checked out in {folder}", fraction=1.0, step=self.name)

    async def _make(self, world: World, name: str) -> AsyncIterator[Progress]:
        folder, facts = world.folder(), await world.clone()
        if facts.branch is None and facts.head is not None:
            await self._refuse_losing(world, name)
        credential = await world.clone_credential()
        if name in facts.branches:
            async for progress in running(
                self.name,
                lambda say: world.git.switch(folder, name, credential=credential, on_output=say),
            ):
                yield progress
            return
        for remote in await self._fetched(world, name):
            yield Progress(text=f"Fetching {remote}", step=self.name)
            async for progress in self._fetch(world, remote):
                yield progress
        world.forget_facts()
        start = await self._start(world, name)
        yield Progress(text=f"Creating {name} from {start}", step=self.name)
        async for progress in running(
            self.name,
            lambda say: world.git.create_branch(folder, name, start, credential=credential, on_output=say),
        ):
            yield progress

    @staticmethod
    async def _fetched(world: World, name: str) -> tuple[str, ...]:
        """Return the remotes to fetch before the branch is made: the fork only where it has the branch."""
        remotes = await world.remotes()
        fetched = [] if remotes.upstream is None else [remotes.upstream]
        if remotes.fork is not None and remotes.fork not in fetched and await world.fork_branch_exists(name):
            fetched.append(remotes.fork)
        return tuple(fetched)

    def _fetch(self, world: World, remote: str) -> AsyncIterator[Progress]:
        return running(
            self.name,
            lambda say: world.git.fetch(world.folder(), remote, credential=world.credential, on_output=say),
        )

    @staticmethod
    async def _refuse_losing(world: World, name: str) -> None:
        """Raise BlockedError where commits are checked out that would be hard to find again."""
        loose = await world.git.on_no_branch(world.folder())
        if loose:
            raise BlockedError(
                f"The clone is on no branch, with {count(loose, 'commit')} that no branch has",
                f"Looked at {world.folder()}. Switching to {name} would leave them behind.",
                "git switch -c NAME takes them to a branch of their own; then try again",
            )

    @staticmethod
    def _refuse(world: World, name: str, default: str) -> None:
        refuse_default(name, default)
        if name in world.other_branches:
            raise BlockedError(
                f"{name} belongs to another of your contributions", "", "Choose another name for this one"
            )
