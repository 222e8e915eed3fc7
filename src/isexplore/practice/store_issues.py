"""Issues, notes and discussions of the practice forge."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from isexplore.practice.rows import DiscussionRow, IssueRow, Noteable, NoteRow
from isexplore.practice.store_projects import Projects

_TABLES: dict[Noteable, str] = {"issue": "issues", "merge_request": "merge_requests"}


class Issues(Projects):
    """Issues, and the notes on issues and merge requests."""

    def create_issue(
        self,
        project_id: int,
        title: str,
        description: str = "",
        *,
        author: str,
        labels: Sequence[str] = (),
        assignee: str | None = None,
        state: Literal["opened", "closed"] = "opened",
        number: int | None = None,
        at: datetime | None = None,
    ) -> IssueRow:
        """Add an issue with the project's next number, or with `number`, which must be free."""
        now = at or self.now()
        with self.transaction():
            last = self.number("SELECT max(iid) FROM issues WHERE project_id = ?", (project_id,))
            iid = number or last + 1
            issue_id = self.insert(
                "issues",
                {
                    "iid": iid,
                    "project_id": project_id,
                    "title": title,
                    "description": description,
                    "state": state,
                    "author": author,
                    "assignees": (assignee,) if assignee else (),
                    "created_at": now,
                    "updated_at": now,
                    "closed_at": now if state == "closed" else None,
                },
            )
            self.set_issue_labels(issue_id, labels)
            if state == "opened":
                self.execute(
                    "UPDATE projects SET open_issues_count = open_issues_count + 1 WHERE id = ?",
                    (project_id,),
                )
        return self.issue_or_fail(issue_id)

    def issue(self, project_id: int, iid: int) -> IssueRow | None:
        """Return an issue by its number in its project."""
        return self.row(IssueRow, "SELECT * FROM issues WHERE project_id = ? AND iid = ?", (project_id, iid))

    def issue_or_fail(self, issue_id: int) -> IssueRow:
        """Return an issue, by row id, that must exist."""
        found = self.row(IssueRow, "SELECT * FROM issues WHERE id = ?", (issue_id,))
        if found is None:
            raise LookupError(f"no issue {issue_id}")
        return found

    def issues(self, project_id: int) -> list[IssueRow]:
        """Return a project's issues in the order of their numbers."""
        return self.rows(IssueRow, "SELECT * FROM issues WHERE project_id = ? ORDER BY iid", (project_id,))

    def set_issue_labels(self, issue_id: int, labels: Sequence[str]) -> None:
        """Replace an issue's labels; a label that its project lacks comes into being."""
        issue = self.issue_or_fail(issue_id)
        with self.transaction():
            self.execute("DELETE FROM issue_labels WHERE issue_id = ?", (issue_id,))
            for label in labels:
                self.create_label(issue.project_id, label)
                self.execute("INSERT OR IGNORE INTO issue_labels VALUES (?, ?)", (label, issue_id))
            self.update("issues", issue_id, {"labels": tuple(labels)})

    def assign_issue(self, issue_id: int, assignees: Sequence[str], *, by: str) -> None:
        """Replace an issue's assignees, noting it as the forge does."""
        issue = self.issue_or_fail(issue_id)
        with self.transaction():
            self.update("issues", issue_id, {"assignees": tuple(assignees), "updated_at": self.now()})
            for who in assignees:
                if who not in issue.assignees:
                    self.add_note("issue", issue_id, author=by, body=f"assigned to @{who}", system=True)
            for who in issue.assignees:
                if who not in assignees:
                    self.add_note("issue", issue_id, author=by, body=f"unassigned @{who}", system=True)

    def close_issue(self, issue_id: int, *, by: str, why: str = "closed", at: datetime | None = None) -> None:
        """Close an issue, noting `why`; one that is closed stays as it is."""
        issue = self.issue_or_fail(issue_id)
        if issue.state == "closed":
            return
        now = at or self.now()
        with self.transaction():
            closing = {"state": "closed", "closed_at": now, "closed_by": by, "updated_at": now}
            self.update("issues", issue_id, closing)
            self.execute(
                "UPDATE projects SET open_issues_count = max(0, open_issues_count - 1) WHERE id = ?",
                (issue.project_id,),
            )
            self.add_note("issue", issue_id, author=by, body=why, system=True, at=now)

    def reopen_issue(self, issue_id: int, *, by: str) -> None:
        """Open a closed issue again."""
        issue = self.issue_or_fail(issue_id)
        if issue.state == "opened":
            return
        with self.transaction():
            opening = {"state": "opened", "closed_at": None, "closed_by": None, "updated_at": self.now()}
            self.update("issues", issue_id, opening)
            self.execute(
                "UPDATE projects SET open_issues_count = open_issues_count + 1 WHERE id = ?",
                (issue.project_id,),
            )
            self.add_note("issue", issue_id, author=by, body="reopened", system=True)

    def add_note(
        self,
        noteable: Noteable,
        noteable_id: int,
        *,
        author: str,
        body: str,
        system: bool = False,
        at: datetime | None = None,
    ) -> NoteRow:
        """Add a remark to an issue or a merge request, by row id.

        Remarks of people move `updated_at` and the count of notes; the forge's own do neither.
        """
        return self._insert_note(noteable, noteable_id, author, body, at=at, system=system)

    def open_discussion(
        self,
        merge_request_id: int,
        *,
        author: str,
        body: str,
        file: str | None = None,
        line: int | None = None,
        head_sha: str | None = None,
        at: datetime | None = None,
    ) -> DiscussionRow:
        """Start a thread on a merge request that can be answered and resolved; a line if `file` is given."""
        note = self._insert_note(
            "merge_request",
            merge_request_id,
            author,
            body,
            at=at,
            thread=True,
            place=(file, line, head_sha),
        )
        return DiscussionRow(id=note.discussion_id, notes=(note,))

    def reply(
        self, discussion_id: str, *, author: str, body: str, at: datetime | None = None
    ) -> NoteRow | None:
        """Answer in a thread; None where there is no such thread."""
        first = self.row(NoteRow, "SELECT * FROM notes WHERE discussion_id = ? ORDER BY id", (discussion_id,))
        if first is None:
            return None
        with self.transaction():
            self.execute("UPDATE notes SET individual = 0 WHERE discussion_id = ?", (discussion_id,))
            return self._insert_note(
                first.noteable,
                first.noteable_id,
                author,
                body,
                at=at,
                thread=first.noteable == "merge_request",
                discussion_id=discussion_id,
                place=(first.file, first.line, first.head_sha),
            )

    def resolve_discussion(
        self, discussion_id: str, *, by: str, resolved: bool = True, at: datetime | None = None
    ) -> None:
        """Mark a thread as settled, or as open again."""
        self.execute(
            "UPDATE notes SET resolved_by = ?, resolved_at = ? WHERE discussion_id = ? AND resolvable = 1",
            (by if resolved else None, (at or self.now()) if resolved else None, discussion_id),
        )

    def notes(self, noteable: Noteable, noteable_id: int) -> list[NoteRow]:
        """Return the remarks on an issue or a merge request, oldest first."""
        return self.rows(
            NoteRow,
            "SELECT * FROM notes WHERE noteable = ? AND noteable_id = ? ORDER BY created_at, id",
            (noteable, noteable_id),
        )

    def discussions(self, noteable: Noteable, noteable_id: int) -> list[DiscussionRow]:
        """Return the threads on an issue or a merge request, oldest first; a remark alone is one too."""
        threads: dict[str, list[NoteRow]] = {}
        for note in self.notes(noteable, noteable_id):
            threads.setdefault(note.discussion_id, []).append(note)
        return [DiscussionRow(id=name, notes=tuple(notes)) for name, notes in threads.items()]

    def _insert_note(
        self,
        noteable: Noteable,
        noteable_id: int,
        author: str,
        body: str,
        *,
        at: datetime | None,
        system: bool = False,
        thread: bool = False,
        discussion_id: str | None = None,
        place: tuple[str | None, int | None, str | None] = (None, None, None),
    ) -> NoteRow:
        now = at or self.now()
        table = _TABLES[noteable]
        owner = self.tuples(f"SELECT project_id, iid FROM {table} WHERE id = ?", (noteable_id,))
        if not owner:
            raise LookupError(f"no {noteable} {noteable_id}")
        project_id, iid = owner[0]
        fields = {
            "project_id": project_id,
            "noteable": noteable,
            "noteable_id": noteable_id,
            "noteable_iid": iid,
            "discussion_id": discussion_id or secrets.token_hex(20),
            "individual": not thread,
            "author": author,
            "body": body,
            "system": system,
            "created_at": now,
            "updated_at": now,
            "resolvable": thread,
            "file": place[0],
            "line": place[1],
            "head_sha": place[2],
        }
        with self.transaction():
            note_id = self.insert("notes", fields)
            if not system:
                self.execute(
                    f"UPDATE {table} SET notes_count = notes_count + 1, updated_at = max(updated_at, ?)"
                    " WHERE id = ?",
                    (now, noteable_id),
                )
                self.execute(
                    "UPDATE projects SET last_activity_at = max(last_activity_at, ?) WHERE id = ?",
                    (now, project_id),
                )
        found = self.row(NoteRow, "SELECT * FROM notes WHERE id = ?", (note_id,))
        if found is None:
            raise LookupError(f"no note {note_id}")
        return found
