"""The step “check”: can I contribute here?"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from isexplore.errors import GitError
from isexplore.forge.base import Capability
from isexplore.forge.scopes import missing_scopes
from isexplore.guide.issues import verdict
from isexplore.guide.markup import Finding
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
from isexplore.journey.world import World, maybe
from isexplore.models import MergeRequestState, Project, Verdict, Visibility
from isexplore.text import count, shorten

NO_IDENTITY = "Git does not know your name and e-mail address yet"
"""What the check says of a machine on which nobody has committed."""
OLD_GIT = (2, 31)
"""Below this, git ignores the settings that keep a token from leaking (`GIT_CONFIG_COUNT`)."""


_VERDICTS = {
    Verdict.FREE: "is free",
    Verdict.MAYBE_TAKEN: "may be taken",
    Verdict.STALE: "has gone quiet",
    Verdict.UNKNOWN: "may be free",
}


def _where(said: Finding | None) -> str:
    return "" if said is None else f" ({said.document}, line {said.line})"


class Check:
    """Looks for everything that could stop a contribution, before any work is done."""

    name: StepName = "check"
    explanation = Explanation(
        title="Can I contribute here?",
        why="Some projects are read-only, accept no merge requests, or need more rights than your token has. "
        "isexplore looks at all of that first, so that you do not find out after the work is done.",
        afterwards="You know that nothing stands in the way, and what the project asks of a contribution.",
    )

    async def probe(self, world: World) -> StepState:
        """Return the table; blocked only by what really stops a contribution."""
        request = await world.merge_request()
        if request is not None:
            noun = world.forge.merge_request_noun
            return StepState(state="done", detail=f"{noun} {world.called(request.number)} is open already")
        facts = await self._account(world)
        facts += await self._project(world)
        if world.thorough:
            facts += await self._issue(world)
            facts += await self._machine(world)
            facts += await self._rules(world)
        blocked = [fact for fact in facts if fact.mark == "✗"]
        fine = sum(fact.mark == "✓" for fact in facts)
        rows = tuple(facts)
        if blocked:
            return StepState(state="blocked", detail=blocked[0].text, hint=blocked[0].fix, facts=rows)
        notes = len(facts) - fine
        words = f"{fine} of {len(facts)} fine" + (f", {count(notes, 'note')}" if notes else "")
        return StepState(state="done", detail=words, facts=rows)

    async def _account(self, world: World) -> list[Fact]:
        me, project = await world.me(), await world.project()
        facts = [Fact("✓", f"Signed in as @{me.username}")]
        if me.external and project.visibility is not Visibility.PUBLIC:
            facts.append(
                Fact(
                    "!",
                    "This is an external account: internal projects are hidden from it",
                    "Ask an administrator of the forge if you miss projects",
                )
            )
        token = await maybe(world.token()) if Capability.TOKEN_FACTS in world.forge.capabilities else None
        if token is None or token.scopes is None:
            facts.append(
                Fact(
                    "!", "The forge does not tell what the token may do", "A step that needs more will say so"
                )
            )
            return facts
        missing = missing_scopes(
            world.forge.kind, token.scopes, public=project.visibility is Visibility.PUBLIC
        )
        if missing:
            words = " and ".join(f"“{scope}”" for scope in missing)
            facts.append(
                Fact(
                    "✗",
                    f"The token lacks the scope {words}",
                    f"Make a token with {words} and sign in again (isexplore login)",
                )
            )
        else:
            facts.append(
                Fact(
                    "✓", f"The token may do all that is needed ({', '.join(token.scopes) or 'fine-grained'})"
                )
            )
        return facts

    async def _project(self, world: World) -> list[Fact]:
        project, noun = await world.project(), world.forge.merge_request_noun
        facts = []
        if project.archived:
            facts.append(
                Fact("✗", "The project is archived: it is read-only", "Ask its owners where work goes on")
            )
        if project.empty or not project.default_branch:
            facts.append(
                Fact(
                    "✗",
                    "The repository is empty: there is nothing to branch from",
                    "Ask its owners for a first commit",
                )
            )
        if not project.merge_requests_enabled:
            facts.append(Fact("✗", f"The project accepts no {noun}s", f"Ask its owners to turn {noun}s on"))
        elif project.can_propose is False:
            facts.append(
                Fact(
                    "✗",
                    f"This account may not open {noun}s here",
                    "Ask the project's owners how they take contributions",
                )
            )
        elif not project.archived:
            facts.append(Fact("✓", f"The project takes {noun}s"))
        facts.append(await self._fork(world, project))
        if project.visibility is not Visibility.PUBLIC:
            word = project.visibility.value
            facts.append(
                Fact(
                    "!",
                    f"The project is {word}: keep its code on {world.forge.name}",
                    "Your fork here stays as private as the project",
                )
            )
        return facts

    @staticmethod
    async def _my_forks(world: World) -> list[Project]:
        return (await maybe(world.my_forks()) or []) if world.thorough else []

    async def _fork(self, world: World, project: Project) -> Fact:
        fork = await world.fork()
        if await world.works_in_project():
            return Fact("✓", "You may push to the project itself: no fork is needed")
        if fork is not None:
            others = [one.path for one in await self._my_forks(world) if one.id != fork.id]
            if others:
                words = f"You have {len(others) + 1} forks: {fork.path} is used, not {' or '.join(others)}"
                return Fact("!", shorten(words, 200), f"The others stay as they are. To look: {fork.url}")
            return Fact("✓", f"You have a fork: {fork.path}")
        if project.forking_enabled is False:
            return Fact(
                "✗",
                "Forking is off, and you may not push",
                "Ask the owners to allow forks or to give you the role Developer",
            )
        if project.role.can_push:
            return Fact(
                "✓", f"Your role is {project.role.value}: a fork is not needed, but keeps your branches apart"
            )
        return Fact("✓", "You may fork it; you need no rights in the project itself")

    async def _issue(self, world: World) -> list[Fact]:
        issue = await world.issue()
        if issue is None:
            return []
        me = (await world.me()).username
        facts = []
        if not issue.open:
            facts.append(
                Fact(
                    "!",
                    f"Issue #{issue.number} is closed",
                    "Ask there whether it is still wanted, or choose another",
                )
            )
        judged = verdict(
            issue,
            now=world.clock(),
            comments=await maybe(world.comments()),
            linked=await maybe(world.linked()),
            me=me,
        )
        reasons = f" ({shorten('; '.join(judged.reasons), 120)})" if judged.reasons else ""
        if me in issue.assignees:
            facts.append(Fact("✓", f"Issue #{issue.number} is assigned to you"))
        elif issue.open and judged.verdict is Verdict.FREE:
            facts.append(Fact("✓", f"Issue #{issue.number} is free{reasons}"))
        elif issue.open:
            words = _VERDICTS[judged.verdict]
            if issue.assignees and judged.verdict is Verdict.MAYBE_TAKEN:
                # Somebody has it for sure; the verdict's own words are for what a comment says.
                words, reasons = "is taken", reasons.replace("taken by", "by", 1)
            facts.append(Fact("!", f"Issue #{issue.number} {words}{reasons}", "Ask there before you start"))
        linked = [
            one
            for one in await maybe(world.linked()) or ()
            if one.state is MergeRequestState.OPEN and one.author != me
        ]
        if linked:
            first, noun = linked[0], world.forge.merge_request_noun
            facts.append(
                Fact(
                    "!",
                    f"@{first.author} has an open {noun} for it: {shorten(first.title, 60)}",
                    first.url,
                )
            )
        return facts

    async def _machine(self, world: World) -> list[Fact]:
        facts = []
        try:
            version = await world.git_version()
        except GitError as error:
            return [Fact("✗", error.title, error.hint)]
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if numbers < OLD_GIT:
            facts.append(Fact("✗", f"Git {version} is too old", "Install git 2.31 or later"))
        else:
            facts.append(Fact("✓", f"Git {version} is installed"))
        identity = await maybe(world.identity())
        if identity is not None and identity.complete:
            facts.append(Fact("✓", f"Commits will be by {identity.name} <{identity.email}>"))
        else:
            facts.append(
                Fact(
                    "!",
                    NO_IDENTITY,
                    "The step “commit” asks for them",
                )
            )
        return facts

    async def _rules(self, world: World) -> list[Fact]:
        rules = await maybe(world.rules())
        if rules is None:
            return []
        facts = []
        if rules.sign_off_required:
            facts.append(
                Fact(
                    "✓",
                    f"Commits must be signed off{_where(rules.sign_off)}: "
                    "the step “commit” does that, and git commit -s by hand",
                )
            )
        if rules.agreement is not None:
            words = f"The project asks for a signed agreement{_where(rules.agreement)}"
            facts.append(Fact("!", words, shorten(rules.agreement.text, 120)))
        for title, said in (("Commit messages", rules.commit_style), ("Branch names", rules.branch_naming)):
            if said is not None:
                facts.append(Fact("✓", f"{title}: {shorten(said.text, 80)}{_where(said)}"))
        return facts

    async def questions(self, world: World) -> tuple[Question, ...]:
        """Return nothing: it only looks."""
        return ()

    async def plan(self, world: World, answers: Answers = NO_ANSWERS) -> tuple[Command, ...]:
        """Return nothing: it only looks."""
        return ()

    async def run(self, world: World, answers: Answers = NO_ANSWERS) -> AsyncGenerator[Progress, None]:
        """Look again."""
        state = await self.probe(world)
        yield Progress(text=state.detail, step=self.name)
