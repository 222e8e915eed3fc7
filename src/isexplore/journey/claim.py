"""The step “claim”: tell the others that somebody works on the issue."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from isexplore.errors import ForbiddenError, InvalidError, NotVisibleError
from isexplore.forge.base import Capability
from isexplore.guide.issues import verdict
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
from isexplore.journey.store import Claim as How
from isexplore.journey.world import World, maybe
from isexplore.models import Issue, Role, Verdict
from isexplore.text import shorten

ASK = "Hello! I would like to work on this issue. Is it still free?"
ASK_TAKEN = "Hello! I would like to help with this issue. Is it still being worked on?"

MAX_WORDS = 600
"""Characters of an answer that are shown."""

_WAYS: tuple[How, ...] = ("assign", "comment", "skip")


def _may_assign(world: World, role: Role) -> bool:
    return Capability.ASSIGN_NEEDS_ROLE not in world.forge.capabilities or role not in (Role.NONE, Role.GUEST)


class Claim:
    """Assigns the issue, or asks for it in a comment where outsiders may not assign."""

    name: StepName = "claim"
    explanation = Explanation(
        title="Claim the issue",
        why="Others look for work too, and two people solving one issue is a waste of both. "
        "Assigning it to yourself, or asking for it in a comment, tells everybody that you are on it.",
        afterwards="The issue shows that you work on it.",
    )

    async def probe(self, world: World) -> StepState:
        """Return done when the issue is assigned, asked for, skipped, or was never chosen."""
        if world.journey.issue is None:
            return StepState(state="done", detail="no issue chosen")
        if world.journey.claim == "skip":
            return StepState(state="done", detail="skipped")
        if await world.merge_request() is not None:
            return StepState(state="done", detail="proposed already")
        issue = await world.issue()
        assert issue is not None
        me = (await world.me()).username
        if me in issue.assignees:
            return StepState(state="done", detail="assigned to you", facts=await self._answer(world, me))
        if await self._asked(world, me):
            return StepState(state="done", detail="asked in a comment", facts=await self._answer(world, me))
        if issue.assignees:
            return StepState(
                state="ready",
                detail=f"assigned to @{', @'.join(issue.assignees)}",
                hint="Ask in a comment whether you can help, or skip",
            )
        if not issue.open:
            return StepState(
                state="ready",
                detail="the issue is closed",
                hint="Ask in a comment whether it is still wanted, or skip",
            )
        asked = verdict(issue, now=world.clock(), comments=await maybe(world.comments()), me=me)
        if asked.verdict is Verdict.MAYBE_TAKEN:
            return StepState(
                state="ready",
                detail="; ".join(asked.reasons),
                hint="Ask in a comment whether it is still being worked on, or skip",
            )
        return StepState(state="ready", detail="nobody has it", hint="Run it to tell the others")

    async def _asked(self, world: World, me: str) -> bool:
        return any(comment.author == me and not comment.system for comment in await world.comments())

    async def _answer(self, world: World, me: str) -> tuple[Fact, ...]:
        """Return the newest thing that somebody else said after this account did, or since the journey began."""
        if not world.thorough:
            return ()
        spoken = [one for one in await maybe(world.comments()) or () if not one.system]
        mine = [number for number, one in enumerate(spoken) if one.author == me]
        begun = world.journey.created_at
        later = [
            one
            for number, one in enumerate(spoken)
            if not one.bot
            and (number > mine[-1] if mine else bool(begun and one.created_at and one.created_at > begun))
        ]
        if not later:
            return ()
        last = later[-1]
        words = f"@{last.author} answered: {shorten(' '.join(last.body.split()), MAX_WORDS)}"
        issue = await world.issue()
        return (Fact("!", words, "" if issue is None else issue.url),)

    async def _default(self, world: World, issue: Issue) -> How:
        project = await world.project()
        others = bool(issue.assignees) or not issue.open
        return "assign" if _may_assign(world, project.role) and not others else "comment"

    async def questions(self, world: World) -> tuple[Question, ...]:
        """Ask how, and with which words."""
        issue = await world.issue()
        if issue is None:
            return ()
        return (
            Question(
                key="how",
                label="How do you want to claim it?",
                kind="choice",
                default=await self._default(world, issue),
                choices=(
                    Choice("assign", "Assign it to me"),
                    Choice("comment", "Ask in a comment"),
                    Choice("skip", "Do not claim it"),
                ),
                help="Where you may not assign yourself, isexplore asks in a comment instead.",
            ),
            Question(
                key="comment",
                label="Comment",
                kind="multiline",
                default=ASK_TAKEN if issue.assignees else ASK,
                help="Everybody who can see the project can read it.",
            ),
        )

    async def _chosen(self, world: World, issue: Issue, answers: Answers) -> tuple[How, str]:
        answer = answers.get("how") or await self._default(world, issue)
        how: How = next((way for way in _WAYS if way == answer), "assign")
        return how, answers.get("comment", "").strip() or (ASK_TAKEN if issue.assignees else ASK)

    async def plan(self, world: World, answers: Answers = NO_ANSWERS) -> tuple[Command, ...]:
        """Return the one request."""
        issue = await world.issue()
        if issue is None:
            return ()
        how, text = await self._chosen(world, issue, answers)
        project, me = await world.project(), await world.me()
        match how:
            case "assign":
                return (world.requests.assign(project, issue.number, username=me.username, user_id=me.id),)
            case "comment":
                return (world.requests.comment(project, issue.number, text),)
            case "skip":
                return ()

    async def run(self, world: World, answers: Answers = NO_ANSWERS) -> AsyncGenerator[Progress, None]:
        """Assign, else comment; never comment twice."""
        world.forget_facts()
        state = await self.probe(world)
        issue = await world.issue()
        if state.state == "done" or issue is None:
            yield Progress(text=state.detail, step=self.name)
            return
        how, text = await self._chosen(world, issue, answers)
        project, me = await world.project(), await world.me()
        if how == "assign":
            yield Progress(text=f"Assigning issue #{issue.number} to @{me.username}", step=self.name)
            try:
                issue = await world.forge.assign_issue(project, issue.number, me)
            except (ForbiddenError, InvalidError, NotVisibleError):
                assigned = False
            else:
                assigned = me.username in issue.assignees
            if assigned:
                world.learn(claim="assign")
                yield Progress(text="Assigned to you", step=self.name)
                return
            yield Progress(text="You may not assign yourself here: asking in a comment", step=self.name)
            how = "comment"
        if how == "comment":
            yield Progress(text=f"Commenting on issue #{issue.number}", step=self.name)
            await self._comment(world, issue, text)
        world.learn(claim=how)
        yield Progress(text="Skipped" if how == "skip" else "Asked in a comment", step=self.name)

    async def _comment(self, world: World, issue: Issue, text: str) -> None:
        try:
            await world.forge.comment_on_issue(await world.project(), issue.number, text)
        except ForbiddenError as error:
            raise ForbiddenError(
                "You may not comment on this issue",
                error.detail,
                "Skip this step: a merge request can be opened without claiming the issue",
                forge=error.forge,
                status=error.status,
                request=error.request,
            ) from error
