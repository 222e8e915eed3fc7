"""Facts that workers report to screens. Each carries the request that it answers; stale ones are dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from isexplore.errors import IsexploreError
from isexplore.models import ProjectRef

if TYPE_CHECKING:
    from isexplore.catalog.reports import SyncProgress
    from isexplore.services import Reading
    from isexplore.updates import Refreshed


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
    """The catalog could not be refreshed at all."""

    def __init__(self, error: IsexploreError) -> None:
        super().__init__()
        self.error = error
