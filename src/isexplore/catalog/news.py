"""What is new in the catalog since somebody last looked: projects, and good first issues in bookmarks."""

from __future__ import annotations

from isexplore.catalog.issues import FirstIssue, issues_of
from isexplore.catalog.store import Catalog, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

LIMIT = 200
"""New projects that are named at most; `News.projects_total` counts all."""


class News:
    """What turned up since a moment."""

    __slots__ = ("issues", "projects", "projects_total", "since")

    def __init__(self, since: int | None) -> None:
        self.since = since
        """Seconds since 1970; None before the first visit, when nothing counts as new."""
        self.projects: list[Row] = []
        """Best first, at most `LIMIT`."""
        self.projects_total = 0
        self.issues: list[FirstIssue] = []
        """Good first issues in bookmarked projects, latest change first."""

    @property
    def words(self) -> str:
        """What is new, for a status line; empty when nothing is."""
        from isexplore.text import count

        parts = []
        if self.projects_total:
            parts.append(count(self.projects_total, "new project"))
        if self.issues:
            parts.append(count(len(self.issues), "new first issue") + " in your bookmarks")
        return ", ".join(parts) + " since your last visit" if parts else ""


def news(catalog: Catalog, since: int | None, bookmarks: Iterable[tuple[str, str]]) -> News:
    """Return what turned up after `since` (seconds since 1970).

    Args:
        catalog: where to look.
        since: the last visit; None for nothing.
        bookmarks: (forge, path) of the projects whose issues count.
    """
    found = News(since)
    if since is None:
        return found
    found.projects = catalog.new_since(since, LIMIT)
    found.projects_total = len(found.projects)
    if found.projects_total >= LIMIT:
        found.projects_total = catalog.count_new_since(since)
    for forge, path in bookmarks:
        store = catalog.store(forge)
        if store is not None:
            found.issues += issues_of(store, path, since=since)
    found.issues.sort(key=lambda issue: -(issue.updated_at or 0))
    return found
