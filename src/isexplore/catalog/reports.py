"""What a sync says: while it runs, and at its end. Plain data that survives JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from isexplore.text import count


class SyncProgress(Struct, frozen=True, kw_only=True):
    """How far the sync of one forge is."""

    forge: str
    phase: str
    """`listing`, `languages`, `details` (a closer look at the best projects), `done` or `failed`; `list` while
    a portal's list of projects is read."""
    projects: int = 0
    """Done so far in this phase."""
    total: int | None = None
    """How many there will be, where the forge tells."""
    rate: float = 0.0
    """Projects a second; 0 while that is not known."""
    left: float | None = None
    """Seconds that it still takes, as far as can be told."""
    waiting: float | None = None
    """Seconds that the forge asked everybody to wait."""
    beside: str = ""
    """The same of every forge that is synced, in words, where there are several."""

    @property
    def text(self) -> str:
        """The progress in words, for a line on a terminal: of all forges at once."""
        return self.beside or self.own_text

    @property
    def own_text(self) -> str:
        """The progress of this forge in words."""
        if self.waiting is not None:
            return f"{self.forge}: the forge asks to wait {self.waiting:.0f} s"
        if self.phase == "list":
            return f"{self.forge}: reading the list"
        of_all = f" of {self.total:,}" if self.total is not None else ""
        noun = "project" if self.projects == 1 and not of_all else "projects"
        what = {
            "languages": "languages of",
            "details": "looked at",
            "done": "done,",
            "failed": "failed after",
        }.get(self.phase, "found")
        words = f"{self.forge}: {what} {self.projects:,}{of_all} {noun}"
        if round(self.rate) and self.phase in ("listing", "languages", "details"):
            words += f", {self.rate:,.0f} a second"
        if self.left is not None and self.left >= 1:
            seconds = round(self.left)
            words += (
                f", {seconds} s left" if seconds < 100 else f", {count(round(self.left / 60), 'minute')} left"
            )
        return words


class Together:
    """Puts the progress of several forges into one line, each in its place."""

    def __init__(self, forges: Sequence[str], tell: Callable[[SyncProgress], None]) -> None:
        """Collect progress.

        Args:
            forges: all that are synced.
            tell: told of each progress, with the words for all of them.
        """
        self._words = dict.fromkeys(forges, "")
        self._tell = tell

    def __call__(self, progress: SyncProgress) -> None:
        """Take in how far one forge is."""
        self._words[progress.forge] = progress.own_text
        if len(self._words) > 1:
            progress = replace(progress, beside="; ".join(each for each in self._words.values() if each))
        self._tell(progress)


class ScopeFailure(Struct, frozen=True, kw_only=True):
    """A part of a forge that could not be listed. What was known of it is kept."""

    scope: str
    """Tag or group; empty for the forge as a whole."""
    kind: str
    """Kind of the error (`isexplore.errors`)."""
    reason: str

    @property
    def text(self) -> str:
        """What failed and why, one line."""
        return f"{self.scope}: {self.reason}" if self.scope else self.reason


class ForgeReport(Struct, frozen=True, kw_only=True):
    """What the sync of one forge did."""

    forge: str
    full: bool = False
    """Everything was listed, not only what changed."""
    listed: int = 0
    """Projects that the forge named, duplicates left out."""
    changed: int = 0
    removed: int = 0
    spared: int = 0
    """Missing projects that were kept because more than half would have gone at once."""
    enriched: int = 0
    skipped: int = 0
    """Projects whose details could not be read."""
    busy: bool = False
    """Another isexplore is at it already; nothing was done."""
    failures: tuple[ScopeFailure, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The report in words, one line."""
        if self.busy:
            return f"{self.forge}: another isexplore is syncing it"
        words = f"{self.forge}: {count(self.listed, 'project')}" + ("" if self.full else " listed again")
        words += f", {self.changed:,} new or changed"
        if self.removed:
            words += f", {self.removed:,} gone"
        for failure in self.failures:
            words += f"; {failure.text}"
        return words


class SyncReport(Struct, frozen=True, kw_only=True):
    """What a sync did."""

    forges: tuple[ForgeReport, ...] = ()
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether every part of every forge answered."""
        return not any(forge.failures or forge.busy for forge in self.forges)
