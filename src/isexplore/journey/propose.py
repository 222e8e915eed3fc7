"""The step “propose”: ask the owners to take the branch, once and never twice."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta

from msgspec import Struct

from isexplore.errors import (
    BlockedError,
    ConflictError,
    ForgeError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.forge.base import Capability
from isexplore.journey.leftovers import leftovers
from isexplore.journey.states import (
    Answers,
    Command,
    Explanation,
    Progress,
    Question,
    StepName,
    StepState,
)
from isexplore.journey.step import NO_ANSWERS, yes
from isexplore.journey.suggestions import merge_request_body, merge_request_title
from isexplore.journey.world import World, maybe
from isexplore.models import MergeRequest, MergeRequestState, NewMergeRequest, Project

IN_FLIGHT = timedelta(minutes=2)
"""How long a merge request that was sent without an answer may still come into being."""
PAUSES = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each look for a merge request that may be on its way."""


class Proposal(Struct, frozen=True):
    """What a new merge request would be sent with."""

    title: str
    body: str
    draft: bool


class Propose:
    """Opens the merge request, or adopts the one that is there."""

    name: StepName = "propose"
    explanation = Explanation(
        title="Propose",
        why="A merge request shows your change to the owners and asks them to take it over. "
        "It goes from the branch of your fork to the original project, in the words of its template.",
        afterwards="The owners see your merge request, and the project's checks begin.",
    )

    async def probe(self, world: World) -> StepState:
        """Return done when there is a merge request, however it was opened."""
        request = await world.merge_request()
        if request is not None:
            draft = ", a draft" if request.draft and request.state is MergeRequestState.OPEN else ""
            return StepState(state="done", detail=f"{world.called(request.number)} {request.title}{draft}")
        return StepState(
            state="ready",
            detail="ready",
            hint=f"Run it to open the {world.forge.merge_request_noun}",
        )

    async def _texts(self, world: World, answers: Answers) -> Proposal:
        journey, project = world.journey, await world.project()
        title = answers.get("title", "").strip() or journey.title
        body = answers.get("body", journey.body)
        if not title or not body:
            await maybe(world.issue())
            commits = await maybe(world.commits()) or []
            title = title or merge_request_title(commits, world.journey.issue_title, journey.branch)
            if not body and "body" not in answers:
                template = await maybe(world.template())
                body = merge_request_body(
                    template, journey.issue, commits, journey.branch, project.default_branch
                )
        draft = yes(answers["draft"]) if answers.get("draft") else journey.draft
        return Proposal(title, body.strip(), draft and Capability.DRAFTS in world.forge.capabilities)

    async def untouched(self, world: World, answers: Answers) -> tuple[str, ...]:
        """Return what of the template's questions the description leaves unanswered; a draft may."""
        if await world.merge_request() is not None:
            return ()
        texts = await self._texts(world, answers)
        return () if texts.draft else leftovers(texts.body, await maybe(world.template()))

    async def proposal(self, world: World, answers: Answers) -> Proposal | None:
        """Return what a new merge request would be sent with; None where there is one already."""
        return None if await world.merge_request() is not None else await self._texts(world, answers)

    async def questions(self, world: World) -> tuple[Question, ...]:
        """Ask for title, description and whether it is a draft."""
        if await world.merge_request() is not None:
            return ()
        texts, noun = await self._texts(world, {}), world.forge.merge_request_noun
        asked = [
            Question(
                key="title",
                label="Title",
                default=texts.title,
                help="What the change does, in one line.",
                required=True,
            ),
            Question(
                key="body",
                label="Description",
                kind="multiline",
                default=texts.body,
                help=f"“Closes #{world.journey.issue}” closes the issue with the merge."
                if world.journey.issue is not None
                else "What the reviewers should know.",
            ),
        ]
        if Capability.DRAFTS in world.forge.capabilities:
            asked.append(
                Question(
                    key="draft",
                    label=f"Open the {noun} as a draft",
                    kind="yesno",
                    default="yes" if texts.draft else "no",
                    help="A draft says: not finished, but you may look.",
                )
            )
        return tuple(asked)

    async def plan(self, world: World, answers: Answers = NO_ANSWERS) -> tuple[Command, ...]:
        """Return the request."""
        if await world.merge_request() is not None:
            return ()
        texts, target = await self._texts(world, answers), await world.project()
        return (
            world.requests.open_merge_request(
                await world.expected_fork(),
                target,
                branch=world.journey.branch,
                into=target.default_branch,
                title=texts.title,
                body=texts.body,
                draft=texts.draft,
            ),
        )

    async def run(self, world: World, answers: Answers = NO_ANSWERS) -> AsyncGenerator[Progress, None]:
        """Look for the merge request; open it if there is none; look again when the answer was lost."""
        world.forget_facts()
        noun, fork, target = world.forge.merge_request_noun, await world.need_fork(), await world.project()
        request = await world.merge_request()
        if request is None:
            await self._need_branch(world)
            texts = await self._texts(world, answers)
            if not texts.title:
                raise BlockedError(f"The {noun} needs a title", "", "Say in one line what the change does")
            world.learn(title=texts.title, body=texts.body, draft=texts.draft)
            yield Progress(text=f"Looking for a {noun} of {world.journey.branch}", step=self.name)
            request = await self._sent_before(world, fork, target)
        if request is None:
            # Written down before it is sent, so that a crash in between is known afterwards.
            world.learn(intent=world.clock())
            yield Progress(text=f"Opening the {noun} in {target.path}", step=self.name)
            request = await self._open(world, fork, target, texts)
        world.learn(merge_request=request.number, intent=None)
        world.forget_facts()
        called = world.called(request.number)
        yield Progress(
            text=f"{noun[:1].upper()}{noun[1:]} {called}: {request.url}", fraction=1.0, step=self.name
        )

    async def _need_branch(self, world: World) -> None:
        branch = world.journey.branch
        if not branch or await world.fork_branch() is None:
            raise BlockedError(
                f"{branch or 'Your branch'} is not on your fork yet", "", "Run the step “push” first"
            )

    async def _find(self, world: World, fork: Project, target: Project) -> MergeRequest | None:
        found = await world.forge.find_merge_request(target, source=fork, source_branch=world.journey.branch)
        return found if found is not None and found.state is MergeRequestState.OPEN else None

    async def _sent_before(self, world: World, fork: Project, target: Project) -> MergeRequest | None:
        """Return the merge request of an earlier try that was cut off, giving the forge time to finish it."""
        sent = world.journey.intent
        recent = sent is not None and world.clock() - sent < IN_FLIGHT
        for pause in PAUSES if recent else PAUSES[:1]:
            if pause:
                await world.sleep(pause)
            found = await self._find(world, fork, target)
            if found is not None:
                return found
        return None

    async def _open(self, world: World, fork: Project, target: Project, texts: Proposal) -> MergeRequest:
        new = NewMergeRequest(
            source=fork,
            target=target,
            source_branch=world.journey.branch,
            target_branch=target.default_branch,
            title=texts.title,
            description=texts.body,
            draft=texts.draft,
        )
        try:
            return await world.forge.open_merge_request(new)
        except ForgeError as error:
            unsure = isinstance(error, ConflictError | UnavailableError | WrongAnswerError)
            for pause in PAUSES if unsure else ():
                if pause:
                    await world.sleep(pause)
                found = await maybe(self._find(world, fork, target))
                if found is not None:
                    return found
            if not isinstance(error, UnavailableError | WrongAnswerError):
                # The forge said no for sure, so nothing is on its way.
                world.learn(intent=None)
            raise
