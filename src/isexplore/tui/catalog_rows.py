"""Rows of the catalog and of first issues, as lines of a list. Fetched by windows, so that a list can be any length."""

from __future__ import annotations

import time
from collections.abc import Hashable
from contextlib import suppress
from typing import TYPE_CHECKING

from isexplore.errors import StateError
from isexplore.models import ProjectRef
from isexplore.text import age, clean_line
from isexplore.tui.opening import description_words, fact_words, sparkline, weeks_in
from isexplore.tui.text import Span
from isexplore.tui.widgets.rows import RowLine, RowSource, RowText

if TYPE_CHECKING:
    from isexplore.catalog.issues import FirstIssue, FoundIssues
    from isexplore.catalog.query import Found
    from isexplore.catalog.store import Row as CatalogRow
    from isexplore.services import Services

WINDOW = 60
"""Rows fetched at once: more than any screen shows."""
ISSUES_AT_ONCE = 30
"""Issues read at once, each by itself."""
VERDICT_WIDTH = 2 + len("maybe taken")
VERDICTS = {"free": "good", "yours": "accent", "maybe-taken": "warning", "stale": "muted", "unknown": "muted"}


class FoundRows(RowSource):
    """What a search found."""

    def __init__(self, found: Found, services: Services, kept: frozenset[ProjectRef] | None = None) -> None:
        """Show what was found.

        Args:
            found: the hits; only the first ones are counted while there are `more`.
            services: knows the bookmarks.
            kept: the bookmarks as they were looked up before; None to look them up.
        """
        self.found = found
        self._length = found.total
        self._windows: dict[int, list[CatalogRow]] = (
            {0: list(found.rows)} if len(found.rows) >= WINDOW else {}
        )
        self._first = list(found.rows)
        self._bookmarks = services.bookmarks
        self._is_new = services.is_new
        self.kept: frozenset[ProjectRef] = kept or frozenset()
        """The projects that are bookmarked."""
        if kept is None:
            self.read_bookmarks()
        self._many_forges = len(services.config.forges) > 1

    def read_bookmarks(self) -> None:
        """Look up which projects are bookmarked."""
        with suppress(StateError):
            self.kept = frozenset(bookmark.ref for bookmark in self._bookmarks.list())

    def take_all(self, found: Found) -> None:
        """Go on with the same search, of which every hit is known now."""
        self.found = found
        self._length = found.total
        self._windows.clear()

    def __len__(self) -> int:
        return self._length

    def item(self, index: int) -> CatalogRow | None:
        """Return a hit; None where it has left the catalog since it was found, or the files were closed."""
        if index < len(self._first):
            return self._first[index]
        start = index - index % WINDOW
        if start not in self._windows:
            # Not a row more than is known: the next one would make the search look at every hit.
            self._windows[start] = self.found.window(start, min(WINDOW, self._length - start))
        window = self._windows[start]
        return window[index - start] if index - start < len(window) else None

    def key(self, index: int) -> Hashable:
        """Return forge and path; the position where the hit has left."""
        row = self.item(index)
        return (row.forge, row.path) if row is not None else index

    def index_of(self, key: Hashable) -> int | None:
        """Return where a project is among the hits known so far; a key press cannot wait for all the others."""
        forge, path = key if isinstance(key, tuple) else ("", "")
        index = self.found.index_of(forge, path)
        return index if index is not None and index < len(self) else None

    def row(self, index: int) -> RowText:
        """Return the three lines of a project; blank ones where it has left."""
        item = self.item(index)
        if item is None:
            return RowText(())
        kept = ProjectRef(item.forge, item.path) in self.kept
        return project_row(item, self.found, with_forge=self._many_forges, kept=kept, new=self._is_new(item))


def marked(text: str, found: Found | FoundIssues, style: str) -> list[Span]:
    """Return `text` as spans, with what matches the search marked."""
    spans: list[Span] = []
    at = 0
    for start, end in found.spans(text):
        spans += [(text[at:start], style), (text[start:end], "match")]
        at = end
    spans.append((text[at:], style))
    return [span for span in spans if span[0]]


def project_row(
    item: CatalogRow, found: Found, *, with_forge: bool, kept: bool, new: bool = False
) -> RowText:
    """Return name, activity and level; what it does; language, stars, first issues, last activity."""
    spark = sparkline(weeks_in(item.weeks)) if item.weeks else ""
    head = RowLine(
        [("★ ", "accent")] * kept + [("new ", "good")] * new + marked(item.path, found, "title"),
        [(f"{spark} " if spark else "", "accent"), (item.level, "muted")],
    )
    body: list[Span] = [("  ", ""), *marked(description_words(item), found, "")]
    return RowText((head, body, [("  " + fact_words(item, with_forge=with_forge), "muted")]))


def quick_overview(row: CatalogRow) -> str:
    """Return what the catalog knows of a project, as plain text, to be shown until more has been read."""
    lines = [" ".join(row.description.split()) or "No description.", ""]
    facts = [
        ("Visibility", row.visibility),
        ("Language", row.language or ""),
        ("Topics", ", ".join(row.topics)),
        ("Activity", f"{row.level} ({row.score})"),
        ("Address", row.url),
    ]
    return "\n".join([*lines, *(f"{name:<12}{clean_line(value)}" for name, value in facts if value)])


class FoundIssueRows(RowSource):
    """First issues that a search found."""

    def __init__(self, found: FoundIssues, services: Services) -> None:
        self.found = found
        self._is_new = services.is_new
        self._windows: dict[int, list[FirstIssue | None]] = {}

    def __len__(self) -> int:
        return self.found.total

    def item(self, index: int) -> FirstIssue | None:
        """Return an issue; None where it has left the catalog since it was found, or the files were closed."""
        start = index - index % ISSUES_AT_ONCE
        if start not in self._windows:
            self._windows[start] = self.found.window(start, ISSUES_AT_ONCE)
        window = self._windows[start]
        return window[index - start] if index - start < len(window) else None

    def key(self, index: int) -> Hashable:
        """Return forge, project and number."""
        return self.found.key(index)

    def index_of(self, key: Hashable) -> int | None:
        """Return where an issue is among the hits; none of their rows is read."""
        return self.found.index_of(*key) if isinstance(key, tuple) else None

    def row(self, index: int) -> RowText:
        """Return title and verdict, project, and the reasons; blank lines where it has left."""
        item = self.item(index)
        if item is None:
            return RowText(())
        words = item.verdict.replace("-", " ")
        # When it changed stands at the right end already.
        reasons = [reason for reason in item.reasons if not reason.startswith("last changed")]
        when = age(max(0.0, time.time() - item.updated_at)) if item.updated_at is not None else ""
        return RowText(
            (
                RowLine(
                    [
                        (f"{words:<{VERDICT_WIDTH}}", VERDICTS.get(item.verdict, "muted")),
                        ("new " if self._is_new(item) else "", "good"),
                        *marked(item.title, self.found, "title"),
                    ],
                    [(when, "muted")],
                ),
                [
                    (" " * VERDICT_WIDTH, ""),
                    *marked(item.project, self.found, ""),
                    (f" #{item.number}", ""),
                    ("  " + (item.language or "").lower(), "muted"),
                ],
                [("  " + "; ".join(reasons), "muted")],
            )
        )
