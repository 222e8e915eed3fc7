"""The step “review”: what the project's checks and people say, and answering them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from isexplore.errors import BlockedError
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
from isexplore.journey.step import NO_ANSWERS, yes
from isexplore.journey.world import World, maybe
from isexplore.models import (
    Comment,
    Discussion,
    MergeRequest,
    MergeRequestState,
    Pipeline,
    PipelineState,
)
from isexplore.models import (
    Review as People,
)
from isexplore.text import count, shorten

T = TypeVar("T")

WHOLE = "whole"
"""Answer for "the merge request as a whole" instead of a thread."""

MAX_WORDS = 2_000
"""Characters of a reviewer's remark that are shown."""

LOGS_READ = 3
"""Failed jobs whose logs are read for the reason."""
LAG = timedelta(seconds=2)
"""How much later than what changed it a forge may date the last change of a merge request."""
_RUNNING = (PipelineState.PENDING, PipelineState.RUNNING)


DRAFT = "It is a draft: reviewers wait until it is marked as ready"
"""What there is to do about an open draft."""


class Standing(Struct, frozen=True, kw_only=True):
    """How an open merge request stands."""

    todo: tuple[Fact, ...] = ()
    """What waits for its author."""
    news: tuple[Fact, ...] = ()
    """Everything else worth knowing."""
    running: bool = False
    """Checks are at work."""
    approved: bool = False
    answered: bool = False
    """Something was asked for, and the author has answered since, with words or a commit."""


async def _told(ask: Callable[[], Awaitable[T]]) -> T | None:
    """Return what the forge tells, if it does. Asks only once it runs: it may be cancelled before that."""
    return await maybe(ask())


async def standing(world: World, request: MergeRequest) -> Standing:
    """Return how an open merge request stands; what the forge does not tell is left out."""
    pipeline, people, threads = await asyncio.gather(
        _told(lambda: world.pipeline(request)),
        _told(lambda: world.review(request)),
        _told(lambda: world.discussions(request)),
    )
    pipeline = await _with_reasons(world, pipeline)
    pushed = await _pushed(world, request, people, threads or [])
    me = (await world.me()).username
    todo: list[Fact] = []
    news: list[Fact] = []
    if request.conflicts:
        base = await maybe(world.base()) or "the default branch"
        todo.append(
            Fact(
                "✗",
                "The branch conflicts with the project's",
                f"git fetch --all, git merge {base}, settle the conflicts, commit, push",
            )
        )
    _checks(pipeline, todo, news)
    answered = _threads(threads or [], me, pushed, todo, news)
    _people(people, bool(todo), me, _answered_by_push(threads or [], pushed), todo, news)
    if request.draft:
        todo.append(Fact("!", DRAFT, "Mark it as ready when it is finished"))
    return Standing(
        todo=tuple(todo),
        news=tuple(news),
        running=pipeline is not None and pipeline.state in _RUNNING,
        approved=people is not None and people.approved,
        answered=answered or bool(people and people.changes_requested_by),
    )


class Pushed(NamedTuple):
    """When the branch got its newest commit."""

    at: datetime
    sure: bool = True
    """False where the commit's date, which is the author's clock's, is later than anything the forge has seen."""


async def _pushed(
    world: World, request: MergeRequest, people: People | None, threads: list[Discussion]
) -> Pushed | None:
    """Return how new the branch is on the forge; None where that is not told, or nobody asked for a change.

    A push changes the merge request, so that the forge's own time of its last change is the latest that it
    can have been.
    """
    asked = any(thread.unresolved for thread in threads) or (
        people is not None and people.changes_requested_by
    )
    branch = await maybe(world.fork_branch()) if asked else None
    if branch is None or branch.committed_at is None:
        return None
    seen = request.updated_at
    if seen is not None and branch.committed_at > seen + LAG:
        return Pushed(seen - LAG, sure=False)
    return Pushed(branch.committed_at)


def _is_older(comment: Comment, pushed: Pushed | None) -> bool:
    return pushed is not None and comment.created_at is not None and comment.created_at < pushed.at


def _answered_by_push(threads: list[Discussion], pushed: Pushed | None) -> frozenset[str]:
    """Return who said something, and nothing after the newest commit."""
    spoken = [comment for thread in threads for comment in thread.comments if not comment.system]
    later = {comment.author for comment in spoken if not _is_older(comment, pushed)}
    return frozenset(comment.author for comment in spoken) - later


async def _with_reasons(world: World, pipeline: Pipeline | None) -> Pipeline | None:
    """Return the pipeline with what the logs of its failed jobs say, where a forge tells only that they failed."""
    if pipeline is None or pipeline.state is not PipelineState.FAILED:
        return pipeline
    failed = [job for job in pipeline.jobs if job.state is PipelineState.FAILED][:LOGS_READ]
    logs = await asyncio.gather(*(maybe(world.job_log(job, pipeline)) for job in failed))
    reasons = {
        job.id: reason for job, log in zip(failed, logs, strict=True) if (reason := reason_in(log or ""))
    }
    jobs = tuple(replace(job, detail=reasons.get(job.id, job.detail)) for job in pipeline.jobs)
    return replace(pipeline, jobs=jobs)


_FAULT = re.compile(r"^(?:FAILED|FAIL|E  |error\b|Error\b|ERROR\b|fatal:|not ok)")
_NOISE = re.compile(r"^(?:ERROR: Job failed|Cleaning up|Uploading|section_|Job failed|Job succeeded)")


def reason_in(log: str) -> str:
    """Return the line of a failed job's log that says most: its last fault with the line after it, else its end."""
    lines = [line.strip() for line in log.splitlines() if line.strip() and not _NOISE.match(line.strip())]
    for index in range(len(lines) - 1, -1, -1):
        if _FAULT.match(lines[index]):
            return " ".join(lines[index : index + 2])
    return lines[-1] if lines else ""


def _checks(pipeline: Pipeline | None, todo: list[Fact], news: list[Fact]) -> None:
    if pipeline is None:
        return
    match pipeline.state:
        case PipelineState.FAILED:
            failed = [job for job in pipeline.jobs if job.state is PipelineState.FAILED]
            for job in failed:
                reason = shorten(_last_line(job.detail), 400)
                todo.append(
                    Fact(
                        "✗",
                        f"The check “{job.name}” failed" + (f": {reason}" if reason else ""),
                        job.url or pipeline.url,
                    )
                )
            if not failed:
                todo.append(Fact("✗", "The checks failed", pipeline.url))
        case PipelineState.PASSED:
            news.append(Fact("✓", "All checks passed"))
        case PipelineState.WAITING:
            news.append(Fact("!", "The checks wait until somebody of the project starts them", pipeline.url))
        case PipelineState.CANCELLED | PipelineState.SKIPPED:
            news.append(Fact("!", f"The checks were {pipeline.state.value}", pipeline.url))
        case _:
            news.append(Fact("!", "The checks are running"))


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def place(thread: Discussion) -> str:
    """Return where a thread points: "src/a.py:12", or nothing."""
    if thread.file is None:
        return ""
    return thread.file if thread.line is None else f"{thread.file}:{thread.line}"


def _threads(
    threads: list[Discussion], me: str, pushed: Pushed | None, todo: list[Fact], news: list[Fact]
) -> bool:
    """Sort the remarks; return whether one of them was answered, with words or a push."""
    answered = False
    for thread in threads:
        spoken = [comment for comment in thread.comments if not comment.system]
        if not spoken:
            continue
        last = spoken[-1]
        where = f" in {place(thread)}" if place(thread) else ""
        words = f"@{last.author}{where}: {shorten(' '.join(last.body.split()), MAX_WORDS)}"
        if thread.unresolved and last.author != me and pushed is not None and _is_older(last, pushed):
            answered = True
            since = "You pushed after this;" if pushed.sure else "If you have pushed your answer,"
            news.append(Fact("✓" if pushed.sure else "!", f"{since} it is the reviewer's turn: {words}"))
        elif thread.unresolved and last.author != me:
            todo.append(Fact("!", words, "Change it and push, or answer"))
        elif thread.unresolved:
            answered = True
            news.append(Fact("✓", f"You answered{where}; it is the reviewer's turn"))
        elif not thread.resolvable and last.author != me and not last.bot:
            news.append(Fact("!", words))
    return answered


def _people(
    people: People | None,
    asked: bool,
    me: str,
    answered: frozenset[str],
    todo: list[Fact],
    news: list[Fact],
) -> None:
    """Sort where the people stand; `answered` are those whose words are all older than the newest commit."""
    if people is None:
        return
    wanting = [name for name in people.changes_requested_by if name != me and name not in answered]
    if wanting and not asked:
        todo.append(
            Fact(
                "!",
                f"@{', @'.join(wanting)} asked for changes",
                "Change it and push; then ask for another look",
            )
        )
    if people.approved_by:
        news.append(Fact("✓", f"Approved by @{', @'.join(people.approved_by)}"))
    if not people.approved and people.approvals_required:
        left = max(1, people.approvals_required - len(people.approved_by))
        news.append(Fact("!", f"{count(left, 'approval')} still needed"))
    if people.reviewers and not people.approved_by:
        news.append(Fact("✓", f"Reviewed by @{', @'.join(people.reviewers)}"))


async def is_my_turn(world: World, request: MergeRequest) -> bool:
    """Return whether an open merge request waits for its author."""
    return bool((await standing(world, request)).todo)


class Review:
    """Follows the merge request to its end."""

    name: StepName = "review"
    explanation = Explanation(
        title="Review",
        why="Somebody of the project reads your change, and often asks for improvements: that is normal, and "
        "meant well. Change what was asked for, commit and push again; the merge request follows by itself.",
        afterwards="The change is merged: you are a contributor.",
    )

    async def probe(self, world: World) -> StepState:
        """Return whose turn it is."""
        request = await world.merge_request()
        noun = world.forge.merge_request_noun
        if request is None:
            return StepState(state="blocked", detail=f"no {noun} yet", hint="Run the step “propose” first")
        called = world.called(request.number)
        if request.state is MergeRequestState.MERGED:
            return StepState(
                state="done",
                detail=f"{called} is merged",
                facts=(Fact("✓", "Merged. Thank you!", request.url),),
            )
        if request.state is MergeRequestState.CLOSED:
            row = Fact("!", "Closed without a merge: the discussion says why", request.url)
            return StepState(state="done", detail=f"{called} was closed", facts=(row,))
        now = await standing(world, request)
        facts = (*now.todo, *now.news)
        if now.todo:
            return StepState(
                state="ready",
                detail=shorten(now.todo[0].text, 100)
                if len(now.todo) == 1
                else f"{count(len(now.todo), 'thing')} to do",
                hint=now.todo[0].fix
                if now.todo[0].text == DRAFT
                else "Change what was asked for, then commit and push; or answer",
                facts=facts,
            )
        if now.running:
            return StepState(
                state="waiting",
                detail="checks are running",
                hint="Nothing to do until they have ended",
                facts=facts,
            )
        if now.approved:
            return StepState(
                state="waiting", detail="approved; waiting for the merge", hint="Nothing to do", facts=facts
            )
        if now.answered:
            return StepState(
                state="waiting",
                detail="waiting for another look",
                hint="Nothing to do: it is the reviewers' turn since your answer",
                facts=facts,
            )
        rules = await maybe(world.rules())
        promise = f" ({shorten(rules.review.text, 80)})" if rules and rules.review else ""
        return StepState(
            state="waiting",
            detail="waiting for a review",
            hint=f"Nothing to do until somebody has looked at it{promise}",
            facts=facts,
        )

    async def _open(self, world: World) -> list[Discussion]:
        request = await world.merge_request()
        if request is None or request.state is not MergeRequestState.OPEN:
            return []
        return [thread for thread in await maybe(world.discussions(request)) or [] if thread.unresolved]

    async def questions(self, world: World) -> tuple[Question, ...]:
        """Ask for an answer to the reviewers, if one is to be sent."""
        request = await world.merge_request()
        if request is None or request.state is not MergeRequestState.OPEN:
            return ()
        threads = await self._open(world)
        asked = []
        if request.draft:
            asked.append(
                Question(
                    key="ready",
                    label="Mark it as ready",
                    kind="yesno",
                    default="no",
                    help="It is a draft; the reviewers wait until then.",
                )
            )
        asked.append(
            Question(
                key="reply",
                label="Answer to the reviewers",
                kind="multiline",
                help="Empty sends nothing. Changes need no answer: push them.",
            )
        )
        if threads:
            choices = [
                Choice(
                    thread.id,
                    shorten(" ".join(f"{place(thread)} {thread.comments[-1].body}".split()), 80)
                    if thread.comments
                    else thread.id,
                )
                for thread in threads
            ]
            asked.append(
                Question(
                    key="discussion",
                    label="In which thread?",
                    kind="choice",
                    default=threads[0].id,
                    choices=(*choices, Choice(WHOLE, "None: the whole of it")),
                )
            )
        return tuple(asked)

    async def _thread(self, world: World, answers: Answers) -> Discussion | None:
        threads = await self._open(world)
        wanted = answers.get("discussion", "")
        if wanted == WHOLE or not threads:
            return None
        return next((thread for thread in threads if thread.id == wanted), threads[0])

    async def plan(self, world: World, answers: Answers = NO_ANSWERS) -> tuple[Command, ...]:
        """Return the requests for what was chosen: none without an answer and a mark."""
        request, text = await world.merge_request(), answers.get("reply", "").strip()
        if request is None:
            return ()
        project, commands = await world.project(), []
        if self._marks_ready(request, answers):
            commands.append(world.requests.mark_ready(project, request.number, request.title))
        if text:
            thread = await self._thread(world, answers)
            where = None if thread is None else thread.id
            commands.append(world.requests.reply(project, request.number, text, discussion=where))
        return tuple(commands)

    @staticmethod
    def _marks_ready(request: MergeRequest, answers: Answers) -> bool:
        wanted = yes(answers.get("ready", ""))
        return wanted and request.draft and request.state is MergeRequestState.OPEN

    async def run(self, world: World, answers: Answers = NO_ANSWERS) -> AsyncGenerator[Progress, None]:
        """Take the draft mark off and send the answer, where that is not done yet; tell how it stands."""
        world.forget_facts()
        request, text = await world.merge_request(), answers.get("reply", "").strip()
        if request is None:
            raise BlockedError("There is nothing to review yet", "", "Run the step “propose” first")
        if self._marks_ready(request, answers):
            yield Progress(text="Marking it as ready", step=self.name)
            request = await world.forge.mark_ready(await world.project(), request)
            world.learn(draft=False)
            world.forget_facts()
        if text:
            thread = await self._thread(world, answers)
            if await self._said(world, thread, text):
                yield Progress(text="The answer is there already", step=self.name)
            else:
                yield Progress(text="Sending the answer", step=self.name)
                await world.forge.reply(await world.project(), request, text, discussion=thread)
                world.forget_facts()
        state = await self.probe(world)
        yield Progress(text=state.detail, step=self.name)

    async def _said(self, world: World, thread: Discussion | None, text: str) -> bool:
        """Return whether the last word is this very answer: its first sending may have lost its reply."""
        request = await world.merge_request()
        assert request is not None
        me = (await world.me()).username
        threads = await world.discussions(request) if thread is None else [thread]
        return any(
            one.comments and one.comments[-1].author == me and one.comments[-1].body.strip() == text
            for one in threads
        )
