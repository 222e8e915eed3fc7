"""How issues, labels and remarks of the practice forge look in GitLab's JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from isexplore.practice.api import Call, Json
from isexplore.practice.rows import DiscussionRow, IssueRow, LabelRow, NoteRow
from isexplore.practice.shapes import person, time


def label(row: LabelRow, counts: Mapping[str, tuple[int, int]] | None = None) -> Json:
    """Return a label; with `counts` (open and closed issues by name) also how often it is used."""
    shape: Json = {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "description_html": row.description or "",
        "text_color": "#FFFFFF",
        "color": row.color,
        "archived": False,
        "subscribed": False,
        "priority": None,
        "is_project_label": True,
    }
    if counts is not None:
        opened, closed = counts.get(row.name, (0, 0))
        shape.update(open_issues_count=opened, closed_issues_count=closed, open_merge_requests_count=0)
    return shape


def issues(
    call: Call,
    rows: Sequence[IssueRow],
    mentions: Mapping[tuple[int, int], int],
    labels: Mapping[tuple[int, str], LabelRow] | None = None,
) -> list[Json]:
    """Return issues; `mentions` counts closing merge requests by (project, number).

    With `labels` (by project and name) labels become objects.
    """
    paths = {row.project_id: "" for row in rows}
    for project_id in paths:
        paths[project_id] = call.store.project_or_fail(project_id).full_path
    return [_issue(call, row, paths[row.project_id], mentions, labels) for row in rows]


def _issue(
    call: Call,
    row: IssueRow,
    path: str,
    mentions: Mapping[tuple[int, int], int],
    labels: Mapping[tuple[int, str], LabelRow] | None,
) -> Json:
    shown: list[object] = list(row.labels)
    if labels is not None:
        known = [labels.get((row.project_id, name)) for name in row.labels]
        shown = [label(found) for found in known if found is not None]
    assignees = [person(call, who) for who in row.assignees]
    own = f"{call.origin}/api/v4/projects/{row.project_id}"
    return {
        "id": row.id,
        "iid": row.iid,
        "project_id": row.project_id,
        "title": row.title,
        "description": row.description or None,
        "state": row.state,
        "created_at": time(row.created_at),
        "updated_at": time(row.updated_at),
        "closed_at": time(row.closed_at),
        "closed_by": person(call, row.closed_by),
        "labels": shown,
        "milestone": None,
        "assignees": assignees,
        "assignee": assignees[0] if assignees else None,
        "author": person(call, row.author),
        "type": "ISSUE",
        "issue_type": "issue",
        "user_notes_count": row.notes_count,
        "merge_requests_count": mentions.get((row.project_id, row.iid), 0),
        "upvotes": 0,
        "downvotes": 0,
        "due_date": None,
        "confidential": False,
        "discussion_locked": None,
        "web_url": f"{call.origin}/{path}/-/issues/{row.iid}",
        "time_stats": NO_TIME,
        "task_completion_status": tasks(row.description),
        "has_tasks": "- [" in row.description,
        "_links": {
            "self": f"{own}/issues/{row.iid}",
            "notes": f"{own}/issues/{row.iid}/notes",
            "award_emoji": f"{own}/issues/{row.iid}/award_emoji",
            "project": own,
        },
        "references": {"short": f"#{row.iid}", "relative": f"#{row.iid}", "full": f"{path}#{row.iid}"},
        "severity": "UNKNOWN",
        "moved_to_id": None,
        "service_desk_reply_to": None,
    }


NO_TIME: Json = {
    "time_estimate": 0,
    "total_time_spent": 0,
    "human_time_estimate": None,
    "human_total_time_spent": None,
}


def tasks(text: str) -> Json:
    """Return how many check boxes a Markdown text has, and how many are ticked."""
    boxes = re.findall(r"^\s*[-*] \[([ xX])\]", text, re.MULTILINE)
    return {"count": len(boxes), "completed_count": sum(box != " " for box in boxes)}


def note(call: Call, row: NoteRow) -> Json:
    """Return a remark."""
    thread = None if row.individual else "DiscussionNote"
    shape: Json = {
        "id": row.id,
        "type": "DiffNote" if row.file and row.resolvable else thread,
        "body": row.body,
        "attachment": None,
        "author": person(call, row.author),
        "created_at": time(row.created_at),
        "updated_at": time(row.updated_at),
        "system": row.system,
        "noteable_id": row.noteable_id,
        "noteable_type": "Issue" if row.noteable == "issue" else "MergeRequest",
        "project_id": row.project_id,
        "resolvable": row.resolvable,
        "confidential": False,
        "internal": False,
        "noteable_iid": row.noteable_iid,
        "commands_changes": {},
    }
    if row.resolvable:
        shape["resolved"] = row.resolved
        shape["resolved_by"] = person(call, row.resolved_by)
        shape["resolved_at"] = time(row.resolved_at)
    if row.file and row.resolvable:
        shape["position"] = {
            "base_sha": None,
            "start_sha": None,
            "head_sha": row.head_sha,
            "old_path": row.file,
            "new_path": row.file,
            "position_type": "text",
            "old_line": None,
            "new_line": row.line,
        }
    return shape


def discussion(call: Call, row: DiscussionRow) -> Json:
    """Return a thread."""
    return {
        "id": row.id,
        "individual_note": all(one.individual for one in row.notes),
        "notes": [note(call, one) for one in row.notes],
    }
