"""Facts that workers report to screens. Each carries the request that it answers; stale ones are dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from isexplore.errors import IsexploreError
from isexplore.models import ProjectRef

if TYPE_CHECKING:
    from isexplore.catalog.reports import SyncProgress
    from isexplore.services import JourneyReport, Reading, Refreshed, StepName, StepReport


class PreviewRead(Message):
    """A project was read for the preview."""

    def __init__(self, ref: ProjectRef, reading: Reading) -> None:
        super().__init__()
        self.ref = ref
        self.reading = reading


class PreviewFailed(Message):
    """A project could not be read."""

    def __init__(self, ref: ProjectRef, error: IsexploreError) -> None:
        super().__init__()
        self.ref = ref
        self.error = error


class CatalogProgressed(Message):
    """The catalog is being refreshed."""

    def __init__(self, progress: SyncProgress) -> None:
        super().__init__()
        self.progress = progress

    def can_replace(self, message: Message) -> bool:
        """Let only the newest of a burst be handled."""
        return isinstance(message, CatalogProgressed)


class CatalogRefreshed(Message):
    """The catalog was refreshed, wholly or in part."""

    def __init__(self, outcome: Refreshed) -> None:
        super().__init__()
        self.outcome = outcome


class CatalogRefreshFailed(Message):
    """The catalog could not be refreshed, or the forges not be searched, at all."""

    def __init__(self, error: IsexploreError, again: str = "r tries again") -> None:
        super().__init__()
        self.error = error
        self.again = again
        """The key that tries it again, in words."""


class JourneyProbed(Message):
    """A contribution was compared with the forge and git."""

    def __init__(self, report: JourneyReport, diff: str = "") -> None:
        super().__init__()
        self.report = report
        self.diff = diff
        """What the clone changes, as a patch."""


class StepProbed(Message):
    """One step was looked at; the steps after it still are."""

    def __init__(self, step: StepReport) -> None:
        super().__init__()
        self.step = step


class JourneyProbeFailed(Message):
    """The forge or git could not be asked how a contribution stands."""

    def __init__(self, error: IsexploreError) -> None:
        super().__init__()
        self.error = error


class StepProgressed(Message):
    """A running step gave a sign of life."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class StepFinished(Message):
    """A step ran to its end; `error` says why it did not."""

    def __init__(self, step: StepName, error: IsexploreError | None) -> None:
        super().__init__()
        self.step = step
        self.error = error
