"""The maintainer who lives on the practice forge: runs the checks, reviews, answers, approves, merges.

Everything is decided from what the store remembers, never from what an earlier tick knew: a restart at
any moment changes nothing, and two ticks at one moment do what one does. Each event has a due time,
counted from the one before; what fell due while nobody was looking is made up for, with its own time.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from msgspec import Struct

from isexplore.errors import GitError
from isexplore.practice import claims, phrases
from isexplore.practice.checks import DEFAULT_CHECKS, pipeline_status, reason, run_checks
from isexplore.practice.plumbing import Change
from isexplore.practice.rows import (
    DiscussionRow,
    MergeRequestRow,
    PipelineRow,
    PipelineStatus,
    ProjectRow,
)
from isexplore.practice.seed import NEWCOMER, ReviewSeed
from isexplore.practice.store import Store

START = timedelta(seconds=1.0)
"""From a push to the start of its checks."""
RUN = timedelta(seconds=1.5)
"""From the start of the checks to their end."""
REVIEW = timedelta(seconds=1.5)
"""From the end of the checks, or a remark, to the maintainer's answer."""
MERGE = timedelta(seconds=1.5)
"""From the approval to the merge."""

_FINISHED = ("success", "failed", "canceled", "skipped")
_SETTLED_BY_PUSHING = ("failed", "conflict")
"""Obstacles that a push can take away."""
_log = logging.getLogger(__name__)


class _Situation(Struct, frozen=True):
    """A merge request whose checks have finished, with everybody who has a part in it."""

    request: MergeRequestRow
    project: ProjectRow
    review: ReviewSeed
    words: phrases.Words
    due: datetime
    """When the maintainer has seen the outcome of the checks."""


class Maintainer:
    """Looks after the learner's merge requests and questions.

    Args:
        store: the world.
        learner: username of the account whose contributions are looked after; the past of others rests.
        pace: factor for all delays; 0 makes everything due at once.
    """

    def __init__(self, store: Store, *, learner: str = NEWCOMER, pace: float = 1.0) -> None:
        self._store = store
        self._learner = learner
        self._pace = pace
        self._turn = asyncio.Lock()
        self._reported: set[str] = set()

    async def tick(self, now: datetime) -> None:
        """Do everything that is due by `now`. Costs a few queries when there is nothing to do.

        A repository that cannot be read is logged and left for the next tick; other errors are bugs.
        """
        async with self._turn:
            try:
                await self._store.prepare_due()
            except GitError as error:
                self._report("preparing merge requests", error)
            claims.answer(self._store, self._learner, now, self._after(claims.PATIENCE))
            for request in self._store.open_merge_requests():
                if request.author == self._learner and request.sha is not None:
                    try:
                        await self._look_after(request.id, now)
                    except GitError as error:
                        self._report(f"merge request {request.id}", error)

    def _report(self, what: str, error: GitError) -> None:
        words = f"{what}: {error.title}. {error.detail}"
        if words not in self._reported:
            self._reported.add(words)
            _log.warning("%s", words)

    def _after(self, delay: timedelta) -> timedelta:
        return delay * self._pace

    async def _look_after(self, request_id: int, now: datetime) -> None:
        """Take every step that is due, one after the other."""
        for step in (self._run_checks, self._answer, self._merge):
            if not await step(self._store.merge_request_or_fail(request_id), now):
                return

    # Checks

    async def _run_checks(self, request: MergeRequestRow, now: datetime) -> bool:
        """Bring the pipeline to where it should be; return whether it has finished."""
        pushed = request.pushed_at or request.created_at
        started = pushed + self._after(START)
        ended = started + self._after(RUN)
        pipeline = self._store.head_pipeline(request)
        if pipeline is not None and pipeline.status in _FINISHED:
            return True
        project = self._store.project_or_fail(request.project_id)
        checks = project.checks or DEFAULT_CHECKS
        names = tuple(dict.fromkeys(check.name for check in checks))
        if now < ended:
            if now >= started:
                self._begin(request, pipeline, names, started)
            elif pipeline is None:
                self._store.set_pipeline(request.id, "pending", _jobs(names, "created"), at=pushed)
            return False
        results = await asyncio.to_thread(
            run_checks, checks, self._change(request), branch=request.source_branch
        )
        if self._store.merge_request_or_fail(request.id).sha != request.sha:
            return False
        with self._store.transaction():
            self._begin(request, pipeline, names, started)
            done: list[tuple[str, PipelineStatus, str]] = [(job.name, job.status, job.log) for job in results]
            self._store.set_pipeline(request.id, pipeline_status(results), done, at=ended)
        return True

    def _begin(
        self, request: MergeRequestRow, pipeline: PipelineRow | None, names: tuple[str, ...], at: datetime
    ) -> None:
        if pipeline is None or pipeline.status != "running":
            self._store.set_pipeline(request.id, "running", _jobs(names, "running"), at=at)

    def _change(self, request: MergeRequestRow) -> Change:
        repositories = (
            self._store.repository_path(request.project_id),
            self._store.repository_path(request.source_project_id),
        )
        return Change(repositories, target=f"refs/heads/{request.target_branch}", head=request.sha or "HEAD")

    # Review

    async def _answer(self, request: MergeRequestRow, now: datetime) -> bool:
        """Say what there is to say; return whether the merge request is approved and may be merged."""
        pipeline = self._store.head_pipeline(request)
        situation = await self._situation(request, pipeline) if pipeline else None
        if situation is None or pipeline is None or now < situation.due:
            return False
        obstacle = self._obstacle(situation, pipeline)
        self._resolve_settled(situation, pipeline)
        if obstacle is not None:
            self._say_once(situation, *obstacle)
            self._answer_words(situation, None, now)
            return False
        if "approved" in request.memo:
            return True
        thread = self._thread(request)
        if thread is None:
            return await self._review(situation)
        if request.sha in (request.memo.get("asked"), request.memo.get("missing")):
            self._answer_words(situation, thread, now)
            return False
        return await self._look_again(situation, thread)

    def _obstacle(self, situation: _Situation, pipeline: PipelineRow) -> tuple[str, str, str] | None:
        """Return what keeps the review from starting: a key and value to remember it by, and the words."""
        request, words = situation.request, situation.words
        sha = request.sha or ""
        if pipeline.status == "failed":
            return "failed", sha, words.failed(self._failures(pipeline))
        if request.draft:
            return "draft", "said", words.draft()
        if request.conflicts:
            return "conflict", sha, words.conflict()
        return None

    async def _situation(self, request: MergeRequestRow, pipeline: PipelineRow) -> _Situation | None:
        project = self._store.project_or_fail(request.project_id)
        reviewer = self._reviewer(project)
        if reviewer is None:
            return None
        review = project.review
        if review is None:
            if "wish" not in request.memo:
                change = self._change(request)
                log = await asyncio.to_thread(change.content, "CHANGELOG.md", at_base=True)
                self._remember(request, wish="any push" if log is None else "change log")
                request = self._store.merge_request_or_fail(request.id)
            review = phrases.default_review(reviewer, change_log=request.memo["wish"] == "change log")
        author = self._store.user(request.author)
        words = phrases.Words(review, request, author.name if author else request.author)
        # Marking a draft as ready is no push: the answer then comes a moment after the mark.
        seen = (
            max(pipeline.updated_at, request.updated_at) if "draft" in request.memo else pipeline.updated_at
        )
        return _Situation(request, project, review, words, seen + self._after(REVIEW))

    def _reviewer(self, project: ProjectRow) -> str | None:
        if project.review is not None:
            return project.review.reviewer
        if project.namespace_path == self._learner:
            return None
        members = self._store.all_members(project)
        names = [member.username for member in members if member.username != self._learner]
        return (
            names[0]
            if names
            else next(
                (
                    name
                    for name, user in self._store.users().items()
                    if name != self._learner and not user.bot
                ),
                None,
            )
        )

    def _failures(self, pipeline: PipelineRow) -> list[tuple[str, str]]:
        jobs = self._store.jobs(pipeline.id)
        return [(job.name, reason(job.log)) for job in jobs if job.status == "failed"]

    def _thread(self, request: MergeRequestRow) -> DiscussionRow | None:
        name = request.memo.get("thread")
        threads = self._store.discussions("merge_request", request.id) if name else []
        return next((thread for thread in threads if thread.id == name), None)

    def _remember(self, request: MergeRequestRow, **facts: str) -> None:
        known = self._store.merge_request_or_fail(request.id).memo
        self._store.set_memo(request.id, {**known, **facts})

    def _say_once(self, situation: _Situation, key: str, value: str, body: str) -> None:
        """Point at an obstacle once for each `value`: in a thread that stays open until it is gone.

        That something is a draft is no obstacle that the maintainer wants removed, so it opens none.
        """
        request, reviewer = situation.request, situation.review.reviewer
        if request.memo.get(key) == value:
            return
        with self._store.transaction():
            if key not in _SETTLED_BY_PUSHING:
                self._store.add_note(
                    "merge_request", request.id, author=reviewer, body=body, at=situation.due
                )
                self._remember(request, **{key: value})
                return
            name = request.memo.get(f"{key} thread", "")
            if not self._is_open(request, name) or not self._store.reply(
                name, author=reviewer, body=body, at=situation.due
            ):
                opened = self._store.open_discussion(request.id, author=reviewer, body=body, at=situation.due)
                name = opened.id
            self._remember(request, **{key: value, f"{key} thread": name})

    def _is_open(self, request: MergeRequestRow, name: str) -> bool:
        threads = self._store.discussions("merge_request", request.id) if name else []
        return any(thread.id == name and thread.unresolved for thread in threads)

    def _resolve_settled(self, situation: _Situation, pipeline: PipelineRow) -> None:
        """Resolve what was said of an obstacle that is gone."""
        request = situation.request
        still = {"failed": pipeline.status == "failed", "conflict": request.conflicts}
        for key in _SETTLED_BY_PUSHING:
            name = request.memo.get(f"{key} thread", "")
            if not still[key] and self._is_open(request, name):
                self._store.resolve_discussion(name, by=situation.review.reviewer, at=situation.due)

    def _resolve_all(self, request: MergeRequestRow, by: str, at: datetime) -> None:
        """Resolve every thread that is still open: with one, the forge would not let the request be merged."""
        for thread in self._store.discussions("merge_request", request.id):
            if thread.unresolved:
                self._store.resolve_discussion(thread.id, by=by, at=at)

    async def _review(self, situation: _Situation) -> bool:
        """Ask for the one change, unless it is there already; return whether that was so."""
        request, review = situation.request, situation.review
        change = self._change(request)
        satisfied = review.satisfied_by != "any-push" and await asyncio.to_thread(
            self._satisfied, review, change, request
        )
        files = await asyncio.to_thread(change.files)
        place = await asyncio.to_thread(_place, review, change, files)
        if self._store.merge_request_or_fail(request.id).sha != request.sha:
            return False
        with self._store.transaction():
            if review.reviewer not in request.reviewers:
                self._store.set_reviewers(
                    request.id, (*request.reviewers, review.reviewer), by=review.reviewer
                )
            if satisfied:
                self._approve(situation, situation.words.nothing_to_ask())
            else:
                thread = self._store.open_discussion(
                    request.id,
                    author=review.reviewer,
                    body=situation.words.request(files[0] if files else ""),
                    file=place[0] if place else None,
                    line=place[1] if place else None,
                    head_sha=request.sha if place else None,
                    at=situation.due,
                )
                self._remember(request, thread=thread.id, asked=request.sha or "")
        return satisfied

    async def _look_again(self, situation: _Situation, thread: DiscussionRow) -> bool:
        """Look at what was pushed since the review; return whether it is approved."""
        request, review = situation.request, situation.review
        satisfied = await asyncio.to_thread(self._satisfied, review, self._change(request), request)
        if self._store.merge_request_or_fail(request.id).sha != request.sha:
            return False
        with self._store.transaction():
            if satisfied:
                self._store.reply(
                    thread.id, author=review.reviewer, body=situation.words.thanks(), at=situation.due
                )
                self._approve(situation)
            else:
                body = situation.words.missing()
                self._store.reply(thread.id, author=review.reviewer, body=body, at=situation.due)
                self._remember(request, missing=request.sha or "")
        return satisfied

    def _approve(self, situation: _Situation, body: str | None = None) -> None:
        request, reviewer = situation.request, situation.review.reviewer
        if body:
            self._store.add_note("merge_request", request.id, author=reviewer, body=body, at=situation.due)
        self._resolve_all(request, reviewer, situation.due)
        self._store.approve(request.id, reviewer, at=situation.due)
        self._remember(request, approved=situation.due.isoformat())

    def _satisfied(self, review: ReviewSeed, change: Change, request: MergeRequestRow) -> bool:
        if review.satisfied_by == "changelog":
            return change.changes(review.path)
        if review.satisfied_by == "file-matches":
            return change.matches(review.path, review.pattern)
        asked = request.memo.get("asked")
        return asked is not None and change.tree_id() != change.tree_id(asked)

    def _answer_words(self, situation: _Situation, thread: DiscussionRow | None, now: datetime) -> None:
        """Answer somebody who writes instead of pushing, once for each push."""
        request = situation.request
        if request.memo.get("words") == request.sha:
            return
        said = self._unanswered(request, thread)
        if said is None or now < said[1] + self._after(REVIEW):
            return
        with self._store.transaction():
            self._store.reply(
                said[0],
                author=situation.review.reviewer,
                body=situation.words.waiting(),
                at=said[1] + self._after(REVIEW),
            )
            self._remember(request, words=request.sha or "")

    def _unanswered(
        self, request: MergeRequestRow, thread: DiscussionRow | None
    ) -> tuple[str, datetime] | None:
        """Return in which thread and when the learner last said something that nobody has answered."""
        notes = [note for note in self._store.notes("merge_request", request.id) if not note.system]
        answered = max((note.id for note in notes if note.author != self._learner), default=0)
        news = [note for note in notes if note.author == self._learner and note.id > answered]
        if news and answered:
            return news[-1].discussion_id, news[-1].created_at
        first = thread.notes[0] if thread else None
        if first is not None and first.resolved_at is not None and first.resolved_by == self._learner:
            return first.discussion_id, first.resolved_at
        return None

    # Merge

    async def _merge(self, request: MergeRequestRow, now: datetime) -> bool:
        pipeline = self._store.head_pipeline(request)
        reviewer = self._reviewer(self._store.project_or_fail(request.project_id))
        if pipeline is None or reviewer is None:
            return False
        approved = datetime.fromisoformat(request.memo["approved"])
        if now < max(approved, pipeline.updated_at) + self._after(MERGE):
            return False
        self._resolve_all(request, reviewer, now)
        try:
            await self._store.merge(request.id, reviewer)
        except GitError as error:
            if error.reason != "conflict":
                raise
            # The row says so from now on; the next tick tells what to do about it.
            return False
        return True


def _place(review: ReviewSeed, change: Change, files: tuple[str, ...]) -> tuple[str, int] | None:
    """Return the line that the request is about; None when it is about what the change lacks."""
    if review.satisfied_by == "any-push" and files:
        path = files[0]
    elif review.path in files:
        path = review.path
    else:
        return None
    line = change.first_line(path)
    return (path, line) if line else None


def _jobs(names: tuple[str, ...], status: PipelineStatus) -> list[tuple[str, PipelineStatus, str]]:
    return [(name, status, "") for name in names]
