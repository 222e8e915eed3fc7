"""What happened, over REST. https://docs.gitlab.com/api/events/"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from isexplore.practice.api import Answer, Call, Json, Refusal, Route, paged_rows
from isexplore.practice.rows import EventRow, NoteRow, PushRow
from isexplore.practice.shapes import person, time
from isexplore.practice.shapes_issues import note
from isexplore.practice.store_events import events_sql

_ACTIONS = ("created", "updated", "closed", "reopened", "pushed", "commented", "merged", "joined", "left",
            "destroyed", "expired", "approved")  # fmt: skip
_TARGETS = {
    "issue": "Issue",
    "milestone": "Milestone",
    "merge_request": "MergeRequest",
    "note": "Note",
    "project": "Project",
    "snippet": "Snippet",
    "user": "User",
    "wiki": "WikiPage::Meta",
    "design": "DesignManagement::Design",
}
_WORDS = {"created": "opened", "merged": "accepted", "commented": "commented on"}
"""What an event is called when it is told, where that is not what it is called when it is asked for."""


def _day(call: Call, name: str) -> date | None:
    text = call.text(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise Refusal(400, {"error": f"{name} is invalid"}) from None


def _answer(call: Call, conditions: list[str], values: list[object]) -> Answer:
    action, target = call.choice("action", _ACTIONS), call.choice("target_type", tuple(_TARGETS))
    if action:
        conditions.append("action = ?")
        values.append(action)
    if target:
        conditions.append("target_type = ?")
        values.append(_TARGETS[target])
    before, after = _day(call, "before"), _day(call, "after")
    if before is not None:
        conditions.append("created_at < ?")
        values.append(before.isoformat())
    if after is not None and after < date.max:
        # Neither day counts itself.
        conditions.append("created_at >= ?")
        values.append((after + timedelta(days=1)).isoformat())
    sort = call.choice("sort", ("asc", "desc")) or "desc"
    return paged_rows(call, EventRow, events_sql(conditions, sort), values, lambda rows: _shapes(call, rows))


def _shapes(call: Call, rows: Sequence[EventRow]) -> list[Json]:
    notes, pushes, titles = call.store.event_details(rows)
    return [_shape(call, row, notes, pushes, titles) for row in rows]


def _shape(
    call: Call,
    row: EventRow,
    notes: dict[int, NoteRow],
    pushes: dict[int, PushRow],
    titles: dict[tuple[str, int], str],
) -> Json:
    author = person(call, row.author)
    name = _WORDS.get(row.action, row.action) if row.target_type else row.action
    shape: Json = {
        "id": row.id,
        "project_id": row.project_id,
        "action_name": name,
        "target_id": row.target_id,
        "target_iid": row.target_iid,
        "target_type": row.target_type,
        "author_id": author["id"] if author else None,
        "target_title": row.title,
        "created_at": time(row.created_at),
        "author": author,
        "imported": False,
        "imported_from": "none",
        "author_username": row.author,
    }
    if row.action in ("commented", "reopened"):
        about = notes[row.row_id]
        shape["target_title"] = titles.get((about.noteable, about.noteable_id))
        if row.action == "commented":
            remark = note(call, about)
            shape.update(note=remark, target_type=remark["type"] or "Note")
    if row.action == "pushed":
        push = pushes[row.row_id]
        deleted, new = push.commit_to is None, push.commit_from is None
        shape["action_name"] = "deleted" if deleted else "pushed new" if new else "pushed to"
        shape["push_data"] = {
            "commit_count": push.commit_count,
            "action": "removed" if deleted else "created" if new else "pushed",
            "ref_type": "branch",
            "commit_from": push.commit_from,
            "commit_to": push.commit_to,
            "ref": push.branch,
            "commit_title": push.commit_title,
            "ref_count": None,
        }
    return shape


async def list_project_events(call: Call) -> Answer:
    """GET /projects/:id/events."""
    project = call.project()
    conditions = ["project_id = ?"]
    if not project.issues_enabled:
        conditions.append("target_type IS NOT 'Issue'")
    return _answer(call, conditions, [project.id])


def _visible(call: Call) -> tuple[str, list[object]]:
    seen, values = call.seen_projects
    return f"project_id IN (SELECT id FROM projects WHERE {seen})", values


async def list_own_events(call: Call) -> Answer:
    """GET /events: what the caller did; with `scope=all` what anybody did in the caller's projects."""
    user = call.signed_in()
    seen, values = _visible(call)
    if call.text("scope") == "all":
        mine = "project_id IN (SELECT project_id FROM members WHERE username = ?)"
        return _answer(call, [seen, mine], [*values, user.username])
    return _answer(call, [seen, "author = ?"], [*values, user.username])


async def list_user_events(call: Call) -> Answer:
    """GET /users/:id/events."""
    user = call.other_user()
    seen, values = _visible(call)
    return _answer(call, [seen, "author = ?"], [*values, user.username])


_READ = ("api", "read_api", "read_user")
ROUTES = (
    Route("GET", "/projects/:id/events", list_project_events),
    Route("GET", "/events", list_own_events, _READ),
    Route("GET", "/users/:id/events", list_user_events, _READ),
)
