"""What happened on the practice forge: pushes are written down, everything else is read from the rows it left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from isexplore.practice.rows import EventRow, NoteRow, PushRow
from isexplore.practice.store_merge_requests import MergeRequests

# Every kind of event has its own ids: the row's, times this, plus the number of the kind.
_KINDS = 16
# Of what happened at one moment, the last in this list is the newest: approved, pushed, merged, closed.
_PARTS = (
    "'created' AS action, NULL AS target_type, NULL AS target_id, NULL AS target_iid, NULL AS title,"
    " creator AS author, created_at, id AS project_id, id AS row_id FROM projects WHERE creator <> ''",
    "'joined', NULL, NULL, NULL, NULL, m.username, m.created_at, m.project_id,"
    " m.project_id * 100000 + u.id FROM members m JOIN users u ON u.username = m.username",
    "'created', 'Issue', id, iid, title, author, created_at, project_id, id FROM issues",
    "'created', 'MergeRequest', id, iid, title, author, created_at, project_id, id FROM merge_requests",
    "'commented', 'Note', id, id, NULL, author, created_at, project_id, id FROM notes WHERE system = 0",
    "'approved', 'MergeRequest', r.id, r.iid, r.title, a.username, a.created_at, r.project_id,"
    " r.id * 100000 + u.id FROM approvals a JOIN merge_requests r ON r.id = a.merge_request_id"
    " JOIN users u ON u.username = a.username",
    "'pushed', NULL, NULL, NULL, NULL, author, created_at, project_id, id FROM pushes",
    "'merged', 'MergeRequest', id, iid, title, merge_user, merged_at, project_id, id FROM merge_requests"
    " WHERE state = 'merged' AND merge_user IS NOT NULL",
    "'closed', 'MergeRequest', id, iid, title, coalesce(closed_by, author), closed_at, project_id, id"
    " FROM merge_requests WHERE state = 'closed'",
    "'closed', 'Issue', id, iid, title, closed_by, closed_at, project_id, id FROM issues"
    " WHERE state = 'closed' AND closed_by IS NOT NULL",
    "'reopened', CASE noteable WHEN 'issue' THEN 'Issue' ELSE 'MergeRequest' END, noteable_id,"
    " noteable_iid, NULL, author, created_at, project_id, id FROM notes"
    " WHERE system = 1 AND body = 'reopened'",
)
_EVENTS = " UNION ALL ".join(f"SELECT {number} AS kind, {part}" for number, part in enumerate(_PARTS))


def events_sql(conditions: Sequence[str], sort: str) -> str:
    """Return the SELECT of the events (`EventRow`) that meet conditions on their columns, by their time."""
    where = " AND ".join(conditions) or "1 = 1"
    columns = "action, target_type, target_id, target_iid, title, author, created_at, project_id, row_id"
    return (
        f"SELECT row_id * {_KINDS} + kind AS id, {columns} FROM ({_EVENTS}) WHERE {where}"
        f" ORDER BY created_at {sort}, kind {sort}, row_id {sort}"
    )


class Events(MergeRequests):
    """Pushes, and what is told of them and of everything else."""

    def add_push(
        self,
        project_id: int,
        branch: str,
        *,
        author: str,
        before: str | None,
        after: str | None,
        commit_count: int,
        title: str | None,
        at: datetime | None = None,
    ) -> None:
        """Write down a push to one branch.

        Args:
            project_id: whose repository.
            branch: its name.
            author: who pushed.
            before: the branch's commit until then; None for a new branch.
            after: its commit now; None for a branch that was deleted.
            commit_count: how many commits came.
            title: first line of the newest.
            at: now when None.
        """
        self.insert(
            "pushes",
            {
                "project_id": project_id,
                "branch": branch,
                "author": author,
                "commit_from": before,
                "commit_to": after,
                "commit_count": commit_count,
                "commit_title": title,
                "created_at": at or self.now(),
            },
        )

    def event_details(
        self, events: Sequence[EventRow]
    ) -> tuple[dict[int, NoteRow], dict[int, PushRow], dict[tuple[str, int], str]]:
        """Return the notes and the pushes that events are about, by row id, and titles of what notes are on."""
        notes = {
            row.id: row
            for row in self.rows(
                NoteRow,
                f"SELECT * FROM notes WHERE id IN ({_ids(events, 'commented', 'reopened')})",
            )
        }
        pushes = {
            row.id: row
            for row in self.rows(PushRow, f"SELECT * FROM pushes WHERE id IN ({_ids(events, 'pushed')})")
        }
        titles: dict[tuple[str, int], str] = {}
        for noteable, table in (("issue", "issues"), ("merge_request", "merge_requests")):
            wanted = {row.noteable_id for row in notes.values() if row.noteable == noteable}
            found = self.tuples(f"SELECT id, title FROM {table} WHERE id IN ({', '.join(map(str, wanted))})")
            titles |= {(noteable, int(number or 0)): str(title) for number, title in found}
        return notes, pushes, titles


def _ids(events: Sequence[EventRow], *actions: str) -> str:
    return ", ".join(str(event.row_id) for event in events if event.action in actions)
