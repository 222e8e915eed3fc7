"""Bringing the catalog up to date: every project with one of the tags, from every forge at once.

A full listing (the first time, and once a day) names everything and so also tells what is gone; in
between, one question for what changed since the last time is enough. It tells what was archived too, and
by the forge's own count that something left: what did, a full listing tells, then sooner. What was listed is written as
it comes, together with the place where the list goes on, so a sync that is killed loses the batch that
was being written, the next one, and what the forge had on its way; the next sync asks for the rest.
A part that fails leaves its rows as they were, and a word on why. What left the forge leaves the
catalog only when every part has been listed to its end.
"""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from filelock import FileLock, Timeout

from isexplore.catalog import words
from isexplore.catalog.closer import Closer
from isexplore.catalog.database import Database
from isexplore.catalog.desk import Desk, OnProgress, Options, Source, in_words
from isexplore.catalog.enrich import Reading
from isexplore.catalog.pace import Pace
from isexplore.catalog.records import belongs
from isexplore.catalog.reports import ForgeReport, ScopeFailure, SyncReport, Together
from isexplore.catalog.shelf import Failure, Scopes
from isexplore.catalog.together import together
from isexplore.catalog.write import Reached
from isexplore.errors import ForgeError, InvalidError, RateLimitedError, StateError, WrongAnswerError
from isexplore.forge.base import ProjectPage
from isexplore.models import Project
from isexplore.text import count

__all__ = ["FULL_EVERY", "OnProgress", "Options", "Source", "Sync"]

FULL_EVERY = 86_400
"""Seconds after which everything is listed again, to learn what is gone."""
_FULL_SOONEST = 3_600
"""Seconds that must have passed for every 10,000 projects before everything is listed sooner."""
_IN_ALL = "in_all"
"""Fact: how many projects the forge counted, and those that came since."""
OVERLAP = 3_600
"""Seconds that "changed since" reaches back before the last sync: clocks differ."""
_BATCH, _LARGEST_BATCH = 500, 1_000
"""Projects written at once. Larger ones are hardly faster, and more is lost when the program is killed."""
_FLUSH_EVERY = 1.0
_REPEATS = 3
"""Pages in a row with nothing new on them before a listing counts as going in circles."""
_RESTARTS = 3
_RERANK_EVERY = 72_000


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
        reports = await together(self._one(source, tell) for source in self._sources)
        return SyncReport(forges=tuple(reports), seconds=time.monotonic() - start)

    async def _one(self, source: Source, on_progress: OnProgress) -> ForgeReport:
        for attempt in (1, 2):
            try:
                return await self._locked(source, on_progress)
            except StateError as error:
                # A file that turns out to be broken is made anew the next time it is opened.
                if attempt == 1 and error.title == "The catalog file is damaged":
                    continue
                failure = ScopeFailure(scope="", kind=error.kind, reason=in_words(error))
                return ForgeReport(forge=source.account.forge, failures=(failure,))
        raise AssertionError("unreachable")

    async def _locked(self, source: Source, on_progress: OnProgress) -> ForgeReport:
        worker = ThreadPoolExecutor(1, thread_name_prefix="catalog")
        path = os.path.join(self._folder, source.account.file_name)
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            # Before the file is opened: what is broken, or of another version, is moved aside then, and
            # somebody may be writing into it.
            with FileLock(path + ".lock", timeout=0):
                return await self._opened(source, worker, on_progress)
        except Timeout:
            return ForgeReport(forge=source.account.forge, busy=True)
        except OSError as error:
            raise StateError(
                "The catalog cannot be written",
                f"{path}.lock: {error.strerror or error}",
                "Make the folder writable, or point ISEXPLORE_CACHE_DIR at one that is.",
            ) from error
        finally:
            worker.shutdown(wait=True)

    async def _opened(
        self, source: Source, worker: ThreadPoolExecutor, on_progress: OnProgress
    ) -> ForgeReport:
        database = await asyncio.get_running_loop().run_in_executor(
            worker, lambda: Database(source.account, self._folder, clock=self._clock)
        )
        try:
            return await _ForgeSync(
                source, database, worker, self._reading, self._options, self._clock, on_progress
            ).run()
        finally:
            # What is being written now must end before the file is closed.
            worker.shutdown(wait=True)
            database.close()


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
        self._desk = desk = Desk(source, database, worker, options, clock, on_progress)
        self._writer = desk.writer
        self._tally = desk.tally
        self._scopes = Scopes(database)
        self._options = options
        self._clock = clock
        self._write = desk.write
        self._closer = Closer(desk, reading)
        self._totals: dict[str, int] = {}
        """How many projects each part has, where the forge tells."""
        self._parts = 0
        self._cursors: dict[str, str] = {}
        """Where the listing of each part goes on after what is written."""
        self._in_all: dict[str, int | None] = {}
        """How many projects each part has by the forge's own count."""
        self._archived: list[str] = []
        """Projects that the forge says are archived."""
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
                full = await self._list_changes(started)
                if full:
                    self._seen.clear()
                    await self._list_everything(started)
            await self._closer.run(full=full and not self._tally.failures)
        finally:
            phase = "failed" if self._tally.failures else "done"
            self._desk.tell(phase, self._desk.before + self._tally.listed)
        tally = self._tally
        return ForgeReport(
            forge=self._source.account.forge,
            full=full,
            listed=self._desk.before + tally.listed,
            changed=tally.changed,
            removed=tally.removed,
            spared=tally.spared,
            enriched=tally.enriched,
            skipped=tally.skipped,
            failures=tuple(tally.failures),
            notices=tuple(tally.notices),
        )

    # Telling

    def _total(self) -> int | None:
        """Return how many projects there are, once every part has told; one listed before tells no more."""
        return sum(self._totals.values()) if self._parts and len(self._totals) >= self._parts else None

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
        self._desk.before = await self._write(lambda: self._writer.listed(run))
        for name in names:
            state = self._scopes.get(name)
            if state is not None and state.run == run:
                self._cursors[name] = state.cursor
        self._desk.pace = Pace(self._desk.before)
        self._parts = len(names)
        parts = ((tags, below) for tags in families.values() for below in self._source.groups or ("",))
        since = datetime.fromtimestamp(self._database.number("run_started") - OVERLAP, UTC)
        tasks = []
        for name, (tags, below) in zip(names, parts, strict=True):
            finished = self._finished_at(name, run)
            if finished is None:
                tasks.append(self._list_scope(name, tags, below, run))
            elif started - finished >= OVERLAP:
                tasks.append(self._list_news(name, tags, below, run, since))
        await together(tasks)
        self._tally.removed += await self._write(lambda: self._writer.remove(self._archived))
        # What had come before may have come again.
        self._tally.listed = await self._write(lambda: self._writer.listed(run)) - self._desk.before
        if self._tally.failures:
            await self._write(self._writer.finish)
            return
        run_started = self._database.number("run_started") or started
        dropped = await self._write(lambda: self._writer.drop_unlisted(run, excluded=self._is_excluded))
        removed, self._tally.spared, excluded = dropped
        self._tally.removed += removed
        counts = [self._in_all.get(name) for name in names]
        in_all = None if None in counts else sum(number or 0 for number in counts)
        await self._write(lambda: self._database.set_facts(**{_IN_ALL: in_all}))
        if excluded:
            verb = "is" if excluded == 1 else "are"
            self._tally.notices.append(
                f"{count(excluded, 'project')} {verb} outside the configured tags and groups, and left the catalog"
            )
        if self._tally.spared:
            told = count(self._tally.spared, "project")
            self._tally.notices.append(
                f"The forge no longer names {told}, which is many at once: kept until it says so again"
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

    def _is_excluded(self, path: str, topics: Sequence[str]) -> bool:
        """Return whether a project is none that the configuration asks for, so that the forge need not say so."""
        groups = [group.lower() for group in self._source.groups]
        # Of a group that is given by its number, nobody can tell here which projects are below it.
        if groups and not any(
            group.isdecimal() or path.lower().startswith(f"{group.strip('/')}/") for group in groups
        ):
            return True
        tags = {words.key(tag) for tag in self._source.tags}
        # Some forges list projects without their topics.
        return bool(tags and topics) and not any(words.key(topic) in tags for topic in topics)

    def _finished_at(self, name: str, run: str) -> int | None:
        state = self._scopes.get(name)
        return state.finished if state is not None and state.run == run else None

    async def _something_left(self, before: int, started: int) -> bool:
        """Return whether so many projects are missed by the forge's own count that a full listing is due.

        Which ones they are, only that listing tells. It is worth an hour for every 10,000 projects.

        Args:
            before: projects in the catalog before the changes were taken in.
            started: the present moment.
        """
        told, noted = self._in_all.get("changes"), self._database.fact(_IN_ALL)
        if told is None:
            return False
        if not isinstance(noted, int):
            # A listing that went on after a death may have had nothing left to ask for.
            await self._write(lambda: self._database.set_facts(**{_IN_ALL: told}))
            return False
        known = await self._write(self._writer.count)
        expected = noted + max(0, known - before)
        if told >= expected:
            await self._write(lambda: self._database.set_facts(**{_IN_ALL: told}))
            return False
        await self._write(lambda: self._database.set_facts(**{_IN_ALL: expected}))
        waited = started - self._database.number("listed_at")
        return waited >= _FULL_SOONEST * max(1.0, known / 10_000)

    async def _list_changes(self, started: int) -> bool:
        """Take in what changed; return whether everything is to be listed again, as something left."""
        since = (self._database.number("as_of") or self._database.number("listed_at")) - OVERLAP
        moment = datetime.fromtimestamp(since, UTC)
        forge = self._source.forge
        name = "changes"
        before = await self._write(self._writer.count)
        try:
            pages = forge.find_projects(self._source.tags, changed_after=moment, groups=self._source.groups)
            await self._take_in(name, pages, run="")
        except ForgeError as error:
            await self._failed(name, "", error)
            return False
        left = await self._something_left(before, started)
        self._tally.removed = await self._write(lambda: self._writer.remove(self._archived))
        changed = self._tally.changed or self._tally.removed
        await self._write(lambda: self._writer.finish(as_of=started) if changed else self._touch(started))
        await self._write(lambda: self._scopes.keep(self._scope_names()))
        return left

    def _touch(self, moment: int) -> None:
        self._database.set_facts(as_of=moment)

    async def _list_scope(self, name: str, tags: tuple[str, ...], group: str, run: str) -> None:
        groups = (group,) if group else ()
        async with self._desk.places:
            for attempt in range(_RESTARTS + 1):
                await self._desk.pause.wait()
                try:
                    await self._take_in(name, self._listing(name, tags, groups), run=run)
                except RateLimitedError as error:
                    try:
                        if attempt == _RESTARTS:
                            raise
                        self._desk.pause.limited(error)
                        continue
                    except RateLimitedError:
                        await self._failed(name, run, error)
                except ForgeError as error:
                    await self._failed(name, run, error)
                else:
                    await self._write(lambda: self._finished(name, run))
                return

    async def _list_news(
        self, name: str, tags: tuple[str, ...], group: str, run: str, since: datetime
    ) -> None:
        """Take in what changed in a part that was listed a while ago: since then another part has failed."""
        groups = (group,) if group else ()
        async with self._desk.places:
            await self._desk.pause.wait()
            try:
                pages = self._source.forge.find_projects(tags, changed_after=since, groups=groups)
                await self._take_in(name, pages, run=run, whole=False)
            except ForgeError as error:
                self._tally.fail(name, error)

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
        self._tally.fail(name, error)
        failure = Failure(error.kind, in_words(error))
        # An answer that makes no sense may be one to the cursor.
        anew = isinstance(error, WrongAnswerError | InvalidError)
        cursor = "" if anew else self._cursors.get(name, "")
        await self._write(lambda: self._scopes.put(name, run=run, cursor=cursor, failure=failure))

    async def _take_in(
        self, name: str, pages: AsyncIterator[ProjectPage], *, run: str, whole: bool = True
    ) -> None:
        """Write the projects of a listing as they come, and with them where it goes on.

        Args:
            name: of the part that is listed.
            pages: the listing.
            run: name of the full listing that it belongs to, or empty.
            whole: it names everything, not only what changed.
        """
        scope = name if run and whole else None
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
                if page.total is not None and whole:
                    self._totals[name] = page.total
                self._in_all[name] = page.in_all
                self._desk.tell("listing", self._desk.before + self._tally.listed, self._total())
                if writing is not None and (writing.done() or len(waiting) >= _LARGEST_BATCH):
                    # No more waits than is written at once: the forge is asked faster than that.
                    await writing
                    writing = None
                due = len(waiting) >= _BATCH or time.monotonic() - flushed >= _FLUSH_EVERY
                if waiting and due and writing is None:
                    writing = asyncio.create_task(self._flush(scope, waiting, run, cursor))
                    waiting, flushed = [], time.monotonic()
        finally:
            if isinstance(pages, AsyncGenerator):
                # It may be reading ahead.
                await pages.aclose()
            if writing is not None:
                await writing
            if waiting:
                await self._flush(scope, waiting, run, cursor)

    def _wanted(self, projects: Iterable[Project]) -> list[Project]:
        """Return the projects that belong in the catalog: no forks, none archived, each once."""
        found = []
        for project in projects:
            if project.archived:
                self._archived.append(project.id)
            if not belongs(project) or project.id in self._seen:
                continue
            self._seen.add(project.id)
            found.append(project)
        self._tally.listed += len(found)
        return found

    async def _flush(self, scope: str | None, projects: list[Project], run: str, cursor: str) -> None:
        reached = Reached(scope, cursor) if scope is not None else None
        self._tally.changed += await self._write(
            lambda: self._writer.upsert(projects, run=run, reached=reached)
        )
        if scope is not None:
            self._cursors[scope] = cursor
        if self._tally.listed >= self._count_at:
            self._count_at = 4 * self._tally.listed
            await self._write(self._writer.finish)
