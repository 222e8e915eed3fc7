"""Bringing the catalog up to date: every project with one of the tags, from every forge at once.

A full listing (the first time, and once a day) names everything and so also tells what is gone; in
between, one question for what changed since the last time is enough. What was listed is written as
it comes, together with the place where the list goes on, so a sync that is killed loses at most the
last batch, and the next one asks for the rest. A part that fails leaves its rows as they were, and a
word on why. What left the forge leaves the catalog only when every part has been listed to its end.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from filelock import FileLock, Timeout

from isexplore.catalog import across, words
from isexplore.catalog.database import Database
from isexplore.catalog.enrich import Look, Looker, Reading
from isexplore.catalog.pace import Pace
from isexplore.catalog.pause import LONGEST, Pause
from isexplore.catalog.reports import ForgeReport, ScopeFailure, SyncProgress, SyncReport, Together
from isexplore.catalog.shelf import Failure, JudgedIssue, Scopes, Shelf
from isexplore.catalog.store import Account
from isexplore.catalog.write import Details, Reached, Writer
from isexplore.errors import (
    ForgeError,
    InvalidError,
    IsexploreError,
    RateLimitedError,
    StateError,
    WrongAnswerError,
)
from isexplore.forge.base import Forge, GroupIssues, ProjectPage
from isexplore.models import Project, ProjectRef

T = TypeVar("T")
OnProgress = Callable[[SyncProgress], None]

FULL_EVERY = 86_400
"""Seconds after which everything is listed again, to learn what is gone."""
OVERLAP = 3_600
"""Seconds that "changed since" reaches back before the last sync: clocks differ."""
LOOK_AGAIN = 7 * 86_400
"""Seconds after which an unchanged project is looked at again."""
_BATCH, _LARGEST_BATCH = 1_000, 3_000
"""Projects written at once: few at first, so that they show soon; then many, which is faster."""
_FLUSH_EVERY = 1.0
_BACKLOG = 6_000
_REPEATS = 3
"""Pages in a row with nothing new on them before a listing counts as going in circles."""
_RESTARTS = 3
_LOOKS_AT_ONCE_WRITTEN = 25
_RERANK_EVERY = 72_000


@dataclass(frozen=True)
class Source:
    """A forge to sync, as the configuration wants it."""

    forge: Forge
    account: Account
    tags: tuple[str, ...]
    groups: tuple[str, ...] = ()
    """Only projects below one of these; all when empty."""


@dataclass(frozen=True)
class Options:
    """How much a sync does."""

    full: bool = False
    """List everything, whenever that was done last."""
    concurrency: int = 8
    """Conversations with one forge at a time."""
    looks: int = 300
    """Projects of each forge to look at more closely."""
    kept: tuple[ProjectRef, ...] = ()
    """Projects that somebody bookmarked: looked at first, with their guides put on the shelf."""
    longest_pause: float = LONGEST
    """Seconds to wait at most when a forge says "later"."""


class Sync:
    """Syncs forges, all at once."""

    def __init__(
        self,
        folder: str,
        sources: Sequence[Source],
        reading: Reading,
        options: Options | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare to sync.

        Args:
            folder: where the catalog's files are.
            sources: the forges.
            reading: rules for labels, verdicts and guides.
            options: how much to do.
            clock: seconds since 1970.
        """
        self._folder = folder
        self._sources = tuple(sources)
        self._reading = reading
        self._options = options or Options()
        self._clock = clock

    async def run(self, on_progress: OnProgress = lambda progress: None) -> SyncReport:
        """Sync; never raises for a forge that fails, the report tells. May be cancelled at any moment."""
        start = time.monotonic()
        tell = Together([source.account.forge for source in self._sources], on_progress)
        reports = await _together(self._one(source, tell) for source in self._sources)
        return SyncReport(forges=tuple(reports), seconds=time.monotonic() - start)

    async def _one(self, source: Source, on_progress: OnProgress) -> ForgeReport:
        for attempt in (1, 2):
            try:
                return await self._locked(source, on_progress)
            except StateError as error:
                # A file that turns out to be broken is made anew the next time it is opened.
                if attempt == 1 and error.title == "The catalog file is damaged":
                    continue
                failure = ScopeFailure(scope="", kind=error.kind, reason=_in_words(error))
                return ForgeReport(forge=source.account.forge, failures=(failure,))
        raise AssertionError("unreachable")

    async def _locked(self, source: Source, on_progress: OnProgress) -> ForgeReport:
        worker = ThreadPoolExecutor(1, thread_name_prefix="catalog")
        loop = asyncio.get_running_loop()
        try:
            database = await loop.run_in_executor(
                worker, lambda: Database(source.account, self._folder, clock=self._clock)
            )
            try:
                lock = FileLock(database.path + ".lock", timeout=0)
                with lock:
                    return await _ForgeSync(
                        source, database, worker, self._reading, self._options, self._clock, on_progress
                    ).run()
            except Timeout:
                return ForgeReport(forge=source.account.forge, busy=True)
            except OSError as error:
                raise StateError(
                    "The catalog cannot be locked", str(error), "Check the folder's rights."
                ) from error
            finally:
                # What is being written now must end before the file is closed.
                worker.shutdown(wait=True)
                database.close()
        finally:
            worker.shutdown(wait=True)


async def _together(tasks: Iterable[Coroutine[object, object, T]]) -> list[T]:
    """Run tasks side by side; the first that fails ends the others, and its error is raised itself."""
    try:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(task) for task in tasks]
    except BaseExceptionGroup as failed:
        error: BaseException = failed
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None
    return [task.result() for task in running]


def _in_words(error: IsexploreError) -> str:
    words = f"{error.title}: {error.detail}" if error.detail else error.title
    # When it may be asked again is all that anybody can do about it.
    return (
        f"{words.rstrip('.')}. {error.hint}" if isinstance(error, RateLimitedError) and error.hint else words
    )


@dataclass
class _Tally:
    listed: int = 0
    changed: int = 0
    removed: int = 0
    spared: int = 0
    enriched: int = 0
    skipped: int = 0
    failures: list[ScopeFailure] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


class _ForgeSync:
    """The sync of one forge, once."""

    def __init__(
        self,
        source: Source,
        database: Database,
        worker: ThreadPoolExecutor,
        reading: Reading,
        options: Options,
        clock: Callable[[], float],
        on_progress: OnProgress,
    ) -> None:
        self._source = source
        self._database = database
        self._writer = Writer(database)
        self._scopes = Scopes(database)
        self._shelf = Shelf(database)
        self._worker = worker
        self._options = options
        self._clock = clock
        self._on_progress = on_progress
        self._pause = Pause(clock=clock, longest=options.longest_pause, on_pause=self._tell_pause)
        self._reading = reading
        self._looker = Looker(source.forge, reading, self._pause)
        self._places = asyncio.Semaphore(max(1, options.concurrency))
        self._tally = _Tally()
        self._pace = Pace()
        self._totals: dict[str, int] = {}
        """How many projects each part has, where the forge tells."""
        self._parts = 0
        self._cursors: dict[str, str] = {}
        """Where the listing of each part goes on after what is written."""
        self._before = 0
        """Projects that an aborted run had named."""
        self._seen: set[str] = set()
        self._count_at = 1
        """Projects after which facets are counted next, so that a first sync can be filtered already."""

    async def run(self) -> ForgeReport:
        started = int(self._clock())
        if self._database.notice:
            self._tally.notices.append(self._database.notice)
        full = self._must_be_full(started)
        try:
            if full:
                await self._list_everything(started)
            else:
                await self._list_changes(started)
            await self._look_closer()
            if full:
                await self._ask_groups()
        finally:
            phase = "failed" if self._tally.failures else "done"
            self._tell(phase, self._before + self._tally.listed)
        tally = self._tally
        return ForgeReport(
            forge=self._source.account.forge,
            full=full,
            listed=self._before + tally.listed,
            changed=tally.changed,
            removed=tally.removed,
            spared=tally.spared,
            enriched=tally.enriched,
            skipped=tally.skipped,
            failures=tuple(tally.failures),
            notices=tuple(tally.notices),
        )

    async def _write(self, action: Callable[[], T]) -> T:
        """Do something with the database in its own thread, one thing at a time."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, action)

    # Telling

    def _total(self) -> int | None:
        """Return how many projects there are, once every part has told; one listed before tells no more."""
        return sum(self._totals.values()) if self._parts and len(self._totals) >= self._parts else None

    def _tell(self, phase: str, done: int, total: int | None = None) -> None:
        rate, left = self._pace.at(done, total)
        if total is not None:
            # Forges count what they do not show: hidden and archived ones.
            total = max(done, total)
        self._on_progress(
            SyncProgress(
                forge=self._source.account.forge,
                phase=phase,
                projects=done,
                total=total,
                rate=rate,
                left=left,
            )
        )

    def _tell_pause(self, until: float) -> None:
        self._on_progress(
            SyncProgress(
                forge=self._source.account.forge,
                phase="listing",
                projects=self._before + self._tally.listed,
                waiting=until - self._clock(),
            )
        )

    # Listing

    def _must_be_full(self, now: int) -> bool:
        listed = self._database.number("listed_at")
        asked_for = "\n".join(self._scope_names())
        return (
            self._options.full
            or not listed
            or now - listed >= FULL_EVERY
            or self._database.fact("asked_for") != asked_for
            or self._database.fact("run") is not None
        )

    def _families(self) -> dict[str, tuple[str, ...]]:
        """Return the tags by what they have in common: spellings of one tag are listed together."""
        families: dict[str, list[str]] = {}
        for tag in self._source.tags:
            families.setdefault(words.key(tag) or tag, []).append(tag)
        return {tags[0]: tuple(tags) for tags in families.values()}

    def _scope_names(self) -> list[str]:
        return [
            f"{tag} in {group}" if group else tag
            for tag in self._families() or {"": ()}
            for group in self._source.groups or ("",)
        ]

    async def _list_everything(self, started: int) -> None:
        """List every part, skipping those that an aborted run had finished."""
        run = str(self._database.fact("run") or "")
        if not run or started - self._database.number("run_started") > FULL_EVERY:
            run = uuid.uuid4().hex
            await self._write(lambda: self._writer.begin_listing(run))
        families = self._families() or {"": ()}
        names = self._scope_names()
        self._before = await self._write(lambda: self._writer.listed(run))
        for name in names:
            state = self._scopes.get(name)
            if state is not None and state.run == run:
                self._cursors[name] = state.cursor
        self._pace = Pace(self._before)
        self._parts = len(names)
        parts = ((tags, below) for tags in families.values() for below in self._source.groups or ("",))
        await _together(
            [
                self._list_scope(name, tags, below, run)
                for name, (tags, below) in zip(names, parts, strict=True)
                if not self._is_finished(name, run)
            ]
        )
        # What had come before may have come again.
        self._tally.listed = await self._write(lambda: self._writer.listed(run)) - self._before
        if self._tally.failures:
            await self._write(self._writer.finish)
            return
        run_started = self._database.number("run_started") or started
        self._tally.removed, self._tally.spared = await self._write(lambda: self._writer.drop_unlisted(run))
        if self._tally.spared:
            self._tally.notices.append(
                f"The forge no longer names {self._tally.spared:,} projects; they are kept until it says so again"
            )
        if not self._database.number("listed_at"):
            # A first fill has just scored them all.
            await self._write(lambda: self._database.set_facts(reranked_at=started))
        elif started - self._database.number("reranked_at") >= _RERANK_EVERY:
            await self._write(self._writer.rerank)
        large = self._tally.changed > 5_000
        await self._write(lambda: self._writer.finish(as_of=run_started, optimize=large))
        await self._write(lambda: self._scopes.keep(names))
        asked_for = "\n".join(names)
        await self._write(
            lambda: self._writer.end_listing(run, run=None, listed_at=run_started, asked_for=asked_for)
        )

    def _is_finished(self, name: str, run: str) -> bool:
        state = self._scopes.get(name)
        return state is not None and state.run == run and state.finished is not None

    async def _list_changes(self, started: int) -> None:
        since = (self._database.number("as_of") or self._database.number("listed_at")) - OVERLAP
        moment = datetime.fromtimestamp(since, UTC)
        forge = self._source.forge
        name = "changes"
        try:
            pages = forge.find_projects(self._source.tags, changed_after=moment, groups=self._source.groups)
            await self._take_in(name, pages, run="")
        except ForgeError as error:
            await self._failed(name, "", error)
            return
        await self._write(
            lambda: self._writer.finish(as_of=started) if self._tally.changed else self._touch(started)
        )
        await self._write(lambda: self._scopes.keep(self._scope_names()))

    def _touch(self, moment: int) -> None:
        self._database.set_facts(as_of=moment)

    async def _list_scope(self, name: str, tags: tuple[str, ...], group: str, run: str) -> None:
        groups = (group,) if group else ()
        async with self._places:
            for attempt in range(_RESTARTS + 1):
                await self._pause.wait()
                try:
                    await self._take_in(name, self._listing(name, tags, groups), run=run)
                except RateLimitedError as error:
                    try:
                        if attempt == _RESTARTS:
                            raise
                        self._pause.limited(error)
                        continue
                    except RateLimitedError:
                        await self._failed(name, run, error)
                except ForgeError as error:
                    await self._failed(name, run, error)
                else:
                    await self._write(lambda: self._finished(name, run))
                return

    def _listing(
        self, name: str, tags: tuple[str, ...], groups: tuple[str, ...]
    ) -> AsyncIterator[ProjectPage]:
        """Return the listing of a part, from where it had come."""
        cursor = self._cursors.get(name)
        if not cursor:
            return self._source.forge.find_projects(tags, groups=groups)
        return self._source.forge.find_projects(tags, groups=groups, resume=cursor)

    def _finished(self, name: str, run: str) -> None:
        self._scopes.put(name, run=run, finished=int(self._clock()))

    async def _failed(self, name: str, run: str, error: ForgeError) -> None:
        self._tally.failures.append(ScopeFailure(scope=name, kind=error.kind, reason=_in_words(error)))
        failure = Failure(error.kind, _in_words(error))
        # An answer that makes no sense may be one to the cursor.
        anew = isinstance(error, WrongAnswerError | InvalidError)
        cursor = "" if anew else self._cursors.get(name, "")
        await self._write(lambda: self._scopes.put(name, run=run, cursor=cursor, failure=failure))

    async def _take_in(self, name: str, pages: AsyncIterator[ProjectPage], *, run: str) -> None:
        """Write the projects of a listing as they come, and with them where it goes on."""
        waiting: list[Project] = []
        own: set[str] = set()
        idle = 0
        cursor = ""
        # The first page is due at once, however short a time the machine has been running.
        flushed = float("-inf")
        writing: asyncio.Task[None] | None = None
        try:
            async for page in pages:
                fresh = [project for project in page.projects if project.id not in own]
                own.update(project.id for project in fresh)
                idle = idle + 1 if page.projects and not fresh else 0
                if idle >= _REPEATS:
                    raise WrongAnswerError(
                        "The forge repeats its pages",
                        f"{_REPEATS} pages in a row held nothing new after {len(own):,} projects.",
                        "What came until then is in the catalog. Tell the forge's administrator.",
                        forge=self._source.account.forge,
                    )
                waiting += self._wanted(fresh)
                cursor = page.cursor
                if page.total is not None:
                    self._totals[name] = page.total
                self._tell("listing", self._before + self._tally.listed, self._total())
                batch = min(_LARGEST_BATCH, max(_BATCH, self._tally.listed // 5))
                due = len(waiting) >= batch or time.monotonic() - flushed >= _FLUSH_EVERY
                if waiting and due and (writing is None or writing.done()):
                    if writing is not None:
                        writing.result()
                    writing = asyncio.create_task(self._flush(name, waiting, run, cursor))
                    waiting, flushed = [], time.monotonic()
                elif len(waiting) >= _BACKLOG and writing is not None:
                    await writing
        finally:
            if isinstance(pages, AsyncGenerator):
                # It may be reading ahead.
                await pages.aclose()
            if writing is not None:
                await writing
            if waiting:
                await self._flush(name, waiting, run, cursor)

    def _wanted(self, projects: Iterable[Project]) -> list[Project]:
        """Return the projects that belong in the catalog: no forks, none archived, each once."""
        found = []
        for project in projects:
            if project.archived or project.forked_from is not None or project.forked_from_id is not None:
                continue
            if project.id in self._seen:
                continue
            self._seen.add(project.id)
            found.append(project)
        self._tally.listed += len(found)
        return found

    async def _flush(self, name: str, projects: list[Project], run: str, cursor: str) -> None:
        reached = Reached(name, cursor) if run else None
        self._tally.changed += await self._write(
            lambda: self._writer.upsert(projects, run=run, reached=reached)
        )
        self._cursors[name] = cursor
        if self._tally.listed >= self._count_at:
            self._count_at = 4 * self._tally.listed
            await self._write(self._writer.finish)

    # A closer look

    async def _look_closer(self) -> None:
        forge = self._source.account.forge
        kept = [ref.path for ref in self._options.kept if ref.forge == forge]
        oldest = int(self._clock()) - LOOK_AGAIN
        due = await self._write(
            lambda: self._writer.projects_to_enrich(self._options.looks, first=kept, older_than=oldest)
        )
        if not due:
            return
        self._pace = Pace()
        looks: list[Look] = []
        written = asyncio.Lock()
        stopped: list[ForgeError] = []

        async def look(project: Project) -> None:
            async with self._places:
                if stopped:
                    return
                try:
                    found = await self._looker.look(project, shelve=project.path in kept)
                except ForgeError as error:
                    stopped.append(error)
                    return
            looks.append(found)
            self._tally.enriched += 1
            self._tally.skipped += found.refused
            self._tell("details", self._tally.enriched, len(due))
            async with written:
                if len(looks) >= _LOOKS_AT_ONCE_WRITTEN:
                    await self._keep(looks)

        try:
            await _together([look(project) for project in due])
        finally:
            await self._keep(looks)
        await self._write(self._writer.finish)
        if stopped:
            error = stopped[0]
            reason = _in_words(error)
            self._tally.failures.append(ScopeFailure(scope="details", kind=error.kind, reason=reason))

    async def _ask_groups(self) -> None:
        """Learn about the first issues of projects whose turn for a closer look has not come."""
        forge = self._source.forge
        if not self._options.looks or self._tally.failures or not isinstance(forge, GroupIssues):
            return
        projects = await self._write(self._writer.never_looked_at)
        known = await self._write(self._shelf.issue_labels)
        try:
            async for found in across.gather(
                forge, self._reading, self._pause, projects, groups=self._source.groups, known=known
            ):
                await self._write(partial(self._keep_issues, found))
        except ForgeError as error:
            failure = ScopeFailure(scope="first issues", kind=error.kind, reason=_in_words(error))
            self._tally.failures.append(failure)

    def _keep_issues(self, found: Mapping[str, Sequence[JudgedIssue]]) -> None:
        before = self._shelf.with_issues()
        # Where there were none and are none, nothing has to be written.
        told = {pid: issues for pid, issues in found.items() if issues or pid in before}
        for pid, issues in told.items():
            self._shelf.put_issues(pid, issues)
        self._writer.enrich(
            ((pid, Details(good_first_issues=len(issues))) for pid, issues in told.items()), looked=False
        )

    async def _keep(self, looks: list[Look]) -> None:
        batch = looks[:]
        looks.clear()
        if batch:
            await self._write(lambda: self._keep_now(batch))

    def _keep_now(self, batch: Sequence[Look]) -> None:
        for look in batch:
            if look.issues is not None:
                self._shelf.put_issues(look.project.id, look.issues)
            if look.documents is not None:
                self._shelf.put_documents(look.project.id, look.documents)
        self._writer.enrich((look.project.id, look.details) for look in batch)
