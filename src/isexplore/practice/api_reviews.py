"""What people and checks say of a merge request over REST: remarks, threads, approvals, pipelines, jobs.

https://docs.gitlab.com/api/discussions/, https://docs.gitlab.com/api/merge_request_approvals/,
https://docs.gitlab.com/api/pipelines/, https://docs.gitlab.com/api/jobs/
"""

from __future__ import annotations

from collections.abc import Sequence

from isexplore.practice import shapes_merge_requests as shapes
from isexplore.practice.api import (
    FORBIDDEN,
    Answer,
    Call,
    Json,
    Refusal,
    Route,
    answer,
    missing,
    paged,
    refuse,
)
from isexplore.practice.api_merge_requests import find, note_change
from isexplore.practice.quick_actions import commands, refused
from isexplore.practice.rows import DiscussionRow, JobRow, MergeRequestRow, PipelineRow, ProjectRow
from isexplore.practice.shapes import person, time
from isexplore.practice.shapes_issues import discussion, note
from isexplore.practice.store_people import DEVELOPER


async def list_notes(call: Call) -> Answer:
    """GET /projects/:id/merge_requests/:iid/notes."""
    _, found = await find(call)
    rows = call.store.notes("merge_request", found.id)
    key = call.choice("order_by", ("created_at", "updated_at")) or "created_at"
    rows.sort(key=lambda row: (row.updated_at if key == "updated_at" else row.created_at, row.id))
    if (call.choice("sort", ("asc", "desc")) or "desc") == "desc":
        rows.reverse()
    return paged(call, rows, lambda chosen: [note(call, row) for row in chosen])


async def create_note(call: Call) -> Answer:
    """POST /projects/:id/merge_requests/:iid/notes; 202 where the body holds quick actions only."""
    user = call.signed_in()
    project, found = await find(call)
    body = call.required("body")
    if project.archived:
        raise refuse(403, FORBIDDEN)
    given = commands(body)
    if given is not None:
        return await _obey(call, project, found, given)
    added = call.store.add_note("merge_request", found.id, author=user.username, body=body)
    return answer(call, note(call, added), 201)


async def _obey(
    call: Call, project: ProjectRow, found: MergeRequestRow, given: Sequence[tuple[str, str]]
) -> Answer:
    who, store = call.signed_in().username, call.store
    allowed = found.author == who or call.level(project) >= DEVELOPER
    changes: dict[str, object] = {}
    summary = []
    for name, _ in given:
        if not allowed or name not in _OBEYED:
            summary.append(refused(name))
            continue
        now = store.merge_request_or_fail(found.id)
        if name in ("draft", "ready"):
            changes["wip_event"] = name
            if now.draft != (name == "draft"):
                title = f"Draft: {now.title}" if name == "draft" else now.title_without_mark
                note_change(call, now, store.update_merge_request(found.id, {"title": title}))
        elif name == "close":
            changes["state_event"] = name
            store.close_merge_request(found.id, by=who)
        else:
            changes["state_event"] = name
            store.reopen_merge_request(found.id, by=who)
            await store.prepare(found.id)
        summary.append(_OBEYED[name])
    if not changes:
        raise refuse(400, {"base": summary})
    return answer(call, {"commands_changes": changes, "summary": summary}, 202)


_OBEYED = {
    "draft": "Marked this merge request as a draft.",
    "ready": "Marked this merge request as ready.",
    "close": "Closed this merge request.",
    "reopen": "Reopened this merge request.",
}


async def list_discussions(call: Call) -> Answer:
    """GET /projects/:id/merge_requests/:iid/discussions."""
    _, found = await find(call)
    rows = call.store.discussions("merge_request", found.id)
    return paged(call, rows, lambda chosen: [discussion(call, row) for row in chosen])


def _thread(call: Call, found: MergeRequestRow) -> DiscussionRow:
    for row in call.store.discussions("merge_request", found.id):
        if row.id == call.place["discussion"]:
            return row
    raise missing("Discussion")


async def get_discussion(call: Call) -> Answer:
    """GET /projects/:id/merge_requests/:iid/discussions/:discussion."""
    _, found = await find(call)
    return answer(call, discussion(call, _thread(call, found)))


async def create_discussion(call: Call) -> Answer:
    """POST /projects/:id/merge_requests/:iid/discussions."""
    user = call.signed_in()
    _, found = await find(call)
    row = call.store.open_discussion(found.id, author=user.username, body=call.required("body"))
    return answer(call, discussion(call, row), 201)


async def reply(call: Call) -> Answer:
    """POST /projects/:id/merge_requests/:iid/discussions/:discussion/notes."""
    user = call.signed_in()
    _, found = await find(call)
    thread = _thread(call, found)
    if not thread.resolvable:
        raise refuse(400, "Discussion can not be replied to")
    added = call.store.reply(thread.id, author=user.username, body=call.required("body"))
    if added is None:
        raise missing("Discussion")
    return answer(call, note(call, added), 201)


async def resolve(call: Call) -> Answer:
    """PUT /projects/:id/merge_requests/:iid/discussions/:discussion: its author and the target's developers."""
    user = call.signed_in()
    project, found = await find(call)
    thread = _thread(call, found)
    resolved = call.flag("resolved")
    if resolved is None:
        raise Refusal(400, {"error": "resolved is missing"})
    if not thread.resolvable or (found.author != user.username and call.level(project) < DEVELOPER):
        raise refuse(403, FORBIDDEN)
    call.store.resolve_discussion(thread.id, by=user.username, resolved=resolved)
    return answer(call, discussion(call, _thread(call, found)))


async def approvals(call: Call) -> Answer:
    """GET /projects/:id/merge_requests/:iid/approvals."""
    project, found = await find(call)
    if call.user is None:
        raise refuse(404, "404 Not found")
    return answer(call, _approvals(call, project, found))


def _approvals(call: Call, project: ProjectRow, found: MergeRequestRow) -> Json:
    """Return what the free edition tells: who approved. That approvals are required is for paid ones."""
    given = call.store.approvals(found.id)
    mine = any(row.username == call.username for row in given)
    return {
        "user_has_approved": mine,
        "user_can_approve": not mine and _may_approve(call, project, found),
        "approved": bool(given),
        "approved_by": [
            {"user": person(call, row.username), "approved_at": time(row.created_at)} for row in given
        ],
    }


def _may_approve(call: Call, project: ProjectRow, found: MergeRequestRow) -> bool:
    return found.author != call.username and call.level(project) >= DEVELOPER


async def approve(call: Call) -> Answer:
    """POST /projects/:id/merge_requests/:iid/approve; never one's own."""
    return await _approve(call, wanted=True)


async def unapprove(call: Call) -> Answer:
    """POST /projects/:id/merge_requests/:iid/unapprove."""
    return await _approve(call, wanted=False)


async def _approve(call: Call, *, wanted: bool) -> Answer:
    user = call.signed_in()
    project, found = await find(call)
    if not _may_approve(call, project, found):
        raise refuse(403, FORBIDDEN)
    sha = call.text("sha")
    if wanted and sha is not None and sha != found.sha:
        raise refuse(409, f"SHA does not match HEAD of source branch: {found.sha}")
    given = any(row.username == user.username for row in call.store.approvals(found.id))
    if wanted and given:
        raise refuse(401, "401 Unauthorized")
    if wanted:
        call.store.approve(found.id, user.username)
    elif given:
        call.store.unapprove(found.id, user.username)
    else:
        raise refuse(404, "404 Not Found")
    return answer(call, _approvals(call, project, found), 201)


async def reviewers(call: Call) -> Answer:
    """GET /projects/:id/merge_requests/:iid/reviewers."""
    _, found = await find(call)
    approved = {row.username for row in call.store.approvals(found.id)}
    spoke = {row.author for row in call.store.notes("merge_request", found.id) if not row.system}

    def state(name: str) -> str:
        return "approved" if name in approved else "reviewed" if name in spoke else "unreviewed"

    return paged(
        call,
        found.reviewers,
        lambda names: [
            {"user": person(call, name), "state": state(name), "created_at": time(found.created_at)}
            for name in names
        ],
    )


async def list_merge_request_pipelines(call: Call) -> Answer:
    """GET /projects/:id/merge_requests/:iid/pipelines, newest first."""
    _, found = await find(call)
    rows = call.store.pipelines(found.id)
    return paged(call, rows, lambda chosen: [shapes.pipeline(call, row) for row in chosen])


async def list_pipelines(call: Call) -> Answer:
    """GET /projects/:id/pipelines, newest first."""
    project = call.project()
    rows = call.store.rows(
        PipelineRow, "SELECT * FROM pipelines WHERE project_id = ? ORDER BY id DESC", (project.id,)
    )
    sha, status = call.text("sha"), call.text("status")
    rows = [row for row in rows if sha in (None, row.sha) and status in (None, row.status)]
    return paged(call, rows, lambda chosen: [shapes.pipeline(call, row) for row in chosen])


def _pipeline(call: Call) -> PipelineRow:
    project = call.project()
    key = call.place["pipeline"]
    found = (
        call.store.row(
            PipelineRow,
            "SELECT * FROM pipelines WHERE id = ? AND project_id = ?",
            (int(key[:18]), project.id),
        )
        if key.isdecimal()
        else None
    )
    if found is None:
        raise refuse(404, "404 Not found")
    return found


async def get_pipeline(call: Call) -> Answer:
    """GET /projects/:id/pipelines/:pipeline."""
    return answer(call, shapes.full_pipeline(call, _pipeline(call)))


async def list_jobs(call: Call) -> Answer:
    """GET /projects/:id/pipelines/:pipeline/jobs."""
    found = _pipeline(call)
    scopes = call.words("scope")
    rows = [row for row in call.store.jobs(found.id) if not scopes or row.status in scopes]
    return paged(call, rows, lambda chosen: [shapes.job(call, row, found) for row in chosen])


def _job(call: Call) -> JobRow:
    project = call.project()
    key = call.place["job"]
    found = (
        call.store.row(
            JobRow, "SELECT * FROM jobs WHERE id = ? AND project_id = ?", (int(key[:18]), project.id)
        )
        if key.isdecimal()
        else None
    )
    if found is None:
        raise refuse(404, "404 Not found")
    return found


async def get_job(call: Call) -> Answer:
    """GET /projects/:id/jobs/:job."""
    row = _job(call)
    return answer(call, shapes.job(call, row, call.store.pipeline_or_fail(row.pipeline_id)))


async def get_trace(call: Call) -> Answer:
    """GET /projects/:id/jobs/:job/trace: the log as plain text."""
    return Answer(body=_job(call).log.encode(), media_type="text/plain")


_MR = "/projects/:id/merge_requests/:iid"
ROUTES = (
    Route("GET", f"{_MR}/notes", list_notes),
    Route("POST", f"{_MR}/notes", create_note),
    Route("GET", f"{_MR}/discussions", list_discussions),
    Route("POST", f"{_MR}/discussions", create_discussion),
    Route("GET", f"{_MR}/discussions/:discussion", get_discussion),
    Route("PUT", f"{_MR}/discussions/:discussion", resolve),
    Route("POST", f"{_MR}/discussions/:discussion/notes", reply),
    Route("GET", f"{_MR}/approvals", approvals),
    Route("POST", f"{_MR}/approve", approve),
    Route("POST", f"{_MR}/unapprove", unapprove),
    Route("GET", f"{_MR}/reviewers", reviewers),
    Route("GET", f"{_MR}/pipelines", list_merge_request_pipelines),
    Route("GET", "/projects/:id/pipelines", list_pipelines),
    Route("GET", "/projects/:id/pipelines/:pipeline", get_pipeline),
    Route("GET", "/projects/:id/pipelines/:pipeline/jobs", list_jobs),
    Route("GET", "/projects/:id/jobs/:job", get_job),
    Route("GET", "/projects/:id/jobs/:job/trace", get_trace),
)
