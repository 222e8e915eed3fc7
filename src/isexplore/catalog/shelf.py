"""What is kept beside the projects: how far a sync has come, guides to read offline, and issues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from isexplore.catalog.database import Database
from isexplore.catalog.store import pack_text
from isexplore.models import Document, Issue, IssueVerdict, Verdict
from isexplore.text import clean, clean_line

if TYPE_CHECKING:
    from sqlite3 import Connection


LARGEST_NUMBER = (1 << 63) - 1
"""Of an issue: the database holds no larger one, and no forge counts so far."""


class Failure(NamedTuple):
    """Why a part of a sync failed."""

    kind: str
    text: str


class ScopeState(NamedTuple):
    """How far listing one part of a forge has come."""

    run: str
    cursor: str
    finished: int | None


class JudgedIssue(NamedTuple):
    """A good first issue with its verdict."""

    issue: Issue
    verdict: IssueVerdict


class Scopes:
    """How far listing each part of a forge has come, and why one failed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> ScopeState | None:
        """Return how far listing the part `name` has come, or None when it never began."""
        found = self._database.ask("SELECT run, cursor, finished FROM scope WHERE name = ?", (name,))
        return ScopeState(*found[0]) if found else None

    def put(
        self,
        name: str,
        *,
        run: str,
        cursor: str = "",
        finished: int | None = None,
        failure: Failure | None = None,
    ) -> None:
        """Note how far listing the part `name` has come, or why it failed."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO scope VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    name,
                    run,
                    cursor,
                    finished,
                    failure.kind if failure else None,
                    failure.text if failure else None,
                    int(self._database.clock()) if failure else None,
                ),
            )

    def keep(self, names: Sequence[str]) -> None:
        """Forget every part but these: tags and groups that left the configuration."""
        with self._database.transaction() as db:
            marks = ", ".join("?" * len(names))
            db.execute(f"DELETE FROM scope WHERE name NOT IN ({marks})", tuple(names))


class Shelf:
    """Guides and good first issues, for reading without network."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put_documents(
        self, pid: str, documents: Iterable[Document], versions: dict[str, str] | None = None
    ) -> None:
        """Keep a project's guides for reading without network, in place of those kept before.

        Args:
            pid: the forge's project id.
            documents: what was read.
            versions: the forge's id of each text by its path, where it told one.
        """
        now = int(self._database.clock())
        known = versions or {}
        with self._database.transaction() as db:
            db.execute("DELETE FROM document WHERE pid = ?", (pid,))
            db.executemany(
                "INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        pid,
                        each.name,
                        each.path,
                        pack_text(each.text),
                        each.truncated,
                        known.get(each.path, ""),
                        now,
                    )
                    for each in documents
                ),
            )

    def issue_labels(self) -> list[str]:
        """Return the labels of all good first issues that are kept, each as often as it is there."""
        found = self._database.ask("SELECT labels FROM issue WHERE labels <> ''")
        return [label for (labels,) in found for label in str(labels).split("\n")]

    def issue_counts(self) -> dict[str, int]:
        """Return how many good first issues are kept of each project that has any, by its id."""
        found = self._database.ask("SELECT pid, count(*) FROM issue GROUP BY pid")
        return {str(pid): int(number) for pid, number in found}

    def drop_issue(self, pid: str, number: int) -> None:
        """Forget an issue that is closed or no longer for newcomers."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM issue WHERE pid = ? AND number = ?", (pid, number))

    def put_issues(self, pid: str, issues: Iterable[JudgedIssue], *, complete: bool = True) -> None:
        """Keep a project's good first issues; with `complete`, those not named are closed and leave."""
        self.put_issues_of_many({pid: issues}, complete=complete)

    def put_issues_of_many(
        self, found: Mapping[str, Iterable[JudgedIssue]], *, complete: bool = True
    ) -> None:
        """Keep the good first issues of several projects, by the forge's project id: all or nothing."""
        with self._database.transaction() as db:
            for pid, issues in found.items():
                self._put_issues(db, pid, issues, complete=complete)

    def _put_issues(self, db: Connection, pid: str, issues: Iterable[JudgedIssue], *, complete: bool) -> None:
        now = int(self._database.clock())
        columns = "number, first_seen, updated_at, verdict, reasons, judged_at"
        seen = {
            int(number): told
            for number, *told in db.execute(f"SELECT {columns} FROM issue WHERE pid = ?", (pid,))
        }
        looked = db.execute("SELECT enriched_at FROM project WHERE pid = ?", (pid,)).fetchone()
        fresh = not looked or looked[0] is None
        if complete:
            db.execute("DELETE FROM issue WHERE pid = ?", (pid,))
        for issue, verdict in issues:
            if not 0 < issue.number <= LARGEST_NUMBER:
                continue
            first, *before = seen.get(issue.number, (None if fresh else now,))
            updated = int(issue.updated_at.timestamp()) if issue.updated_at else None
            told = [verdict.verdict.value, "\n".join(verdict.reasons), now]
            if verdict.verdict is Verdict.UNKNOWN and updated is not None and before[:1] == [updated]:
                # Nobody has read it this time, and nothing has happened in it since somebody did.
                told = before[1:]
            db.execute(
                f"INSERT OR REPLACE INTO issue VALUES ({', '.join('?' * 16)})",
                (
                    pid,
                    issue.number,
                    clean_line(issue.title),
                    clean_line(issue.url, 2_000),
                    "\n".join(clean_line(each, 200) for each in issue.labels),
                    clean_line(issue.author, 200),
                    "\n".join(clean_line(each, 200) for each in issue.assignees),
                    max(0, min(issue.comments, LARGEST_NUMBER)),
                    int(issue.created_at.timestamp()) if issue.created_at else None,
                    updated,
                    *told[:2],
                    clean(issue.description, 8_000),
                    now,
                    first,
                    told[2],
                ),
            )
