"""What the parts of one forge's sync share: its file, its pause, its places, and what is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from isexplore.catalog.database import Database
from isexplore.catalog.pace import Pace
from isexplore.catalog.pause import LONGEST, Pause
from isexplore.catalog.reports import ScopeFailure, SyncProgress
from isexplore.catalog.shelf import Shelf
from isexplore.catalog.store import Account
from isexplore.catalog.write import Writer
from isexplore.errors import IsexploreError, RateLimitedError, StateError
from isexplore.forge.base import Forge
from isexplore.models import ProjectRef

T = TypeVar("T")
OnProgress = Callable[[SyncProgress], None]


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
    """Projects of each forge to look at more closely; with 0, the listing is all that is asked for."""
    kept: tuple[ProjectRef, ...] = ()
    """Projects that somebody bookmarked: looked at first, with their guides put on the shelf."""
    longest_pause: float = LONGEST
    """Seconds to wait at most when a forge says "later"."""


@dataclass
class Tally:
    """What a sync has done so far."""

    listed: int = 0
    changed: int = 0
    removed: int = 0
    spared: int = 0
    enriched: int = 0
    skipped: int = 0
    failures: list[ScopeFailure] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def fail(self, scope: str, error: IsexploreError) -> None:
        """Take note of what could not be asked for, and why."""
        self.failures.append(ScopeFailure(scope=scope, kind=error.kind, reason=in_words(error)))


def in_words(error: IsexploreError) -> str:
    """Return an error in one sentence or two."""
    words = f"{error.title}: {error.detail}" if error.detail else error.title
    # When it may be asked again is all that anybody can do about it; what is wrong here, only they can mend.
    told = isinstance(error, RateLimitedError | StateError) and error.hint
    return f"{words.rstrip('.')}. {error.hint}" if told else words


class Desk:
    """Where the parts of one forge's sync meet."""

    def __init__(
        self,
        source: Source,
        database: Database,
        worker: ThreadPoolExecutor,
        options: Options,
        clock: Callable[[], float],
        on_progress: OnProgress,
    ) -> None:
        """Begin.

        Args:
            source: the forge.
            database: its file.
            worker: the one thread that may use the file.
            options: how much to do.
            clock: seconds since 1970.
            on_progress: told of progress.
        """
        self.source = source
        self.database = database
        self.writer = Writer(database)
        self.shelf = Shelf(database)
        self.options = options
        self.clock = clock
        self.tally = Tally()
        self.pace = Pace()
        self.places = asyncio.Semaphore(max(1, options.concurrency))
        """Conversations with the forge."""
        self.pause = Pause(clock=clock, longest=options.longest_pause, on_pause=self._tell_pause)
        self.before = 0
        """Projects that an aborted run had named."""
        self._worker = worker
        self._on_progress = on_progress

    async def write(self, action: Callable[[], T]) -> T:
        """Do something with the database in its own thread, one thing at a time."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, action)

    def tell(self, phase: str, done: int, total: int | None = None) -> None:
        """Tell how far a phase is."""
        rate, left = self.pace.at(done, total)
        if total is not None:
            # Forges count what they do not show: hidden and archived ones.
            total = max(done, total)
        self._on_progress(
            SyncProgress(
                forge=self.source.account.forge,
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
                forge=self.source.account.forge,
                phase="listing",
                projects=self.before + self.tally.listed,
                waiting=until - self.clock(),
            )
        )
