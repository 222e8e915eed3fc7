"""Merge requests over REST. https://docs.gitlab.com/api/merge_requests/"""

from __future__ import annotations

from collections.abc import Sequence

from isexplore.errors import GitError
from isexplore.practice import shapes_merge_requests as shapes
from isexplore.practice.api import (
    FORBIDDEN,
    Answer,
    Call,
    Route,
    answer,
    missing,
    page_headers,
    paged,
    paged_rows,
    refuse,
    wanted_page,
)
from isexplore.practice.api_groups import groups_below
from isexplore.practice.api_repository import repository_of
from isexplore.practice.database import stamp
from isexplore.practice.rows import MergeRequestRow, ProjectRow
from isexplore.practice.shapes_issues import issues
from isexplore.practice.store_people import DEVELOPER, REPORTER

_STATES = ("opened", "closed", "locked", "merged", "all")
_SCOPES = ("all", "created_by_me", "assigned_to_me", "reviews_for_me", "created-by-me", "assigned-to-me")
_COLUMNS = {
    "created_at": "m.created_at",
    "updated_at": "m.updated_at",
    "merged_at": "m.merged_at",
    "title": "m.title",
}
_ORDERS = (*_COLUMNS, "label_priority", "milestone_due", "popularity", "priority")
_TEXTS = (
    ("author_username", "m.author = ?"),
    ("source_branch", "m.source_branch = ?"),
    ("target_branch", "m.target_branch = ?"),
    ("reviewer_username", "EXISTS (SELECT 1 FROM json_each(m.reviewers) WHERE value = ?)"),
    ("assignee_username", "EXISTS (SELECT 1 FROM json_each(m.assignees) WHERE value = ?)"),
)
_MAX_DESCRIPTION = 1_048_576


def _scoped(call: Call, conditions: list[str], values: list[object], default: str) -> None:
    scope = (call.choice("scope", _SCOPES) or default).replace("-", "_")
    if scope == "all":
        return
    column = {
        "created_by_me": "m.author = ?",
        "assigned_to_me": "EXISTS (SELECT 1 FROM json_each(m.assignees) WHERE value = ?)",
        "reviews_for_me": "EXISTS (SELECT 1 FROM json_each(m.reviewers) WHERE value = ?)",
    }[scope]
    conditions.append(column)
    values.append(call.signed_in().username)


async def _list(call: Call, conditions: list[str], values: list[object], default_scope: str) -> Answer:
    await call.store.prepare_due()
    _scoped(call, conditions, values, default_scope)
    state = call.choice("state", _STATES) or "all"
    if state != "all":
        conditions.append("m.state = ?")
        values.append(state)
    for name, condition in _TEXTS:
        text = call.text(name)
        if text:
            conditions.append(condition)
            values.append(text)
    author = call.number("author_id")
    if author is not None:
        user = call.store.user_by_id(author)
        conditions.append("m.author = ?")
        values.append(user.username if user else "")
    source = call.number("source_project_id")
    if source is not None:
        conditions.append("m.source_project_id = ?")
        values.append(source)
    numbers = call.numbers("iids")
    if numbers:
        conditions.append(f"m.iid IN ({', '.join(map(str, numbers))})")
    draft = call.text("draft") or call.text("wip")
    if draft is not None:
        sign = "" if draft.lower() in ("true", "yes") else "NOT "
        conditions.append(f"{sign}(lower(m.title) LIKE 'draft:%' OR lower(m.title) LIKE '[draft]%')")
    for name in call.words("labels"):
        if name.lower() in ("none", "any"):
            conditions.append(f"m.labels {'=' if name.lower() == 'none' else '<>'} '[]'")
        else:
            conditions.append("EXISTS (SELECT 1 FROM json_each(m.labels) WHERE value = ?)")
            values.append(name)
    milestone = call.text("milestone")
    if milestone and milestone.lower() != "none":
        # There are no milestones here.
        conditions.append("0")
    _searched(call, conditions, values)
    order = _COLUMNS.get(call.choice("order_by", _ORDERS) or "created_at", "m.created_at")
    sort = call.choice("sort", ("asc", "desc")) or "desc"
    where = " AND ".join(conditions)
    simple = call.text("view") == "simple"
    return paged_rows(
        call,
        MergeRequestRow,
        f"SELECT m.* FROM merge_requests m WHERE {where} ORDER BY {order} {sort}, m.id {sort}",
        values,
        lambda rows: shapes.merge_requests(call, rows, simple=simple),
    )


def _searched(call: Call, conditions: list[str], values: list[object]) -> None:
    for word in (call.text("search") or "").split():
        conditions.append("instr(lower(m.title || ' ' || m.description), ?)")
        values.append(word.lower())
    for name in ("created", "updated"):
        for suffix, sign in (("after", ">="), ("before", "<=")):
            moment = call.moment(f"{name}_{suffix}")
            if moment is not None:
                conditions.append(f"m.{name}_at {sign} ?")
                values.append(stamp(moment))


async def list_merge_requests(call: Call) -> Answer:
    """GET /projects/:id/merge_requests."""
    return await _list(call, ["m.project_id = ?"], [call.project().id], "all")


async def list_all_merge_requests(call: Call) -> Answer:
    """GET /merge_requests: the caller's own unless `scope` says otherwise."""
    call.signed_in()
    seen, values = call.seen_projects
    where = f"m.project_id IN (SELECT id FROM projects WHERE {seen})"
    return await _list(call, [where], list(values), "created_by_me")


async def list_group_merge_requests(call: Call) -> Answer:
    """GET /groups/:id/merge_requests: subgroups too, archived projects not."""
    inside, more = groups_below(call)
    seen, values = call.seen_projects
    alive = "" if call.flag("non_archived") is False else " AND archived = 0"
    where = f"m.project_id IN (SELECT id FROM projects WHERE {seen} AND {inside}{alive})"
    return await _list(call, [where], [*values, *more], "all")


async def find(call: Call) -> tuple[ProjectRow, MergeRequestRow]:
    """Return the target project and the merge request of the path; 404 where one is missing or hidden."""
    project = call.project()
    await call.store.prepare_due()
    found = call.store.merge_request(project.id, call.iid())
    if found is None:
        raise refuse(404, "404 Not found")
    return project, found


async def get_merge_request(call: Call) -> Answer:
    """GET /projects/:id/merge_requests/:iid."""
    _, found = await find(call)
    shape = shapes.merge_request(call, found)
    if call.flag("include_diverged_commits_count"):
        shape["diverged_commits_count"] = await _diverged(call, found)
    if call.flag("include_rebase_in_progress"):
        shape["rebase_in_progress"] = False
    return answer(call, shape)


async def _diverged(call: Call, found: MergeRequestRow) -> int:
    if found.sha is None or found.state != "opened":
        return 0
    target = call.store.repository(found.project_id)
    return len(await target.commits(f"{found.sha}..refs/heads/{found.target_branch}"))


def _target(call: Call, source: ProjectRow) -> ProjectRow:
    key = call.text("target_project_id")
    if key is None:
        return source
    target = call.find_project(key)
    if target is None:
        raise missing("Project")
    return target


async def create_merge_request(call: Call) -> Answer:
    """POST /projects/:id/merge_requests, where the path names the source project."""
    user = call.signed_in()
    source = call.project()
    title = call.required("title")
    source_branch, target_branch = call.required("source_branch"), call.required("target_branch")
    target = _target(call, source)
    if call.level(source) < DEVELOPER or not target.merge_requests_enabled or target.archived:
        raise refuse(403, FORBIDDEN)
    _check_relation(source, target, source_branch, target_branch)
    await _check_branches(call, source, target, source_branch, target_branch)
    store = call.store
    existing = [
        row
        for row in store.open_merge_requests()
        if (row.source_project_id, row.source_branch) == (source.id, source_branch)
        and (row.project_id, row.target_branch) == (target.id, target_branch)
    ]
    if existing:
        number = existing[0].iid
        raise refuse(409, [f"Another open merge request already exists for this source branch: !{number}"])
    description = call.text("description") or ""
    if len(description) > _MAX_DESCRIPTION:
        raise refuse(400, {"description": [f"is too long (maximum is {_MAX_DESCRIPTION} characters)"]})
    insider = call.level(target) >= REPORTER
    row = store.create_merge_request(
        target.id,
        source_project_id=source.id,
        source_branch=source_branch,
        target_branch=target_branch,
        title=title,
        description=description,
        author=user.username,
        reviewers=_usernames(call, call.numbers("reviewer_ids")) if insider else (),
        assignees=_usernames(call, call.numbers("assignee_ids")) if insider else (),
        labels=call.words("labels") if insider else (),
        allow_collaboration=bool(call.flag("allow_collaboration") or call.flag("allow_maintainer_to_push")),
        remove_source_branch=bool(call.flag("remove_source_branch")),
        squash=bool(call.flag("squash")),
    )
    shape = shapes.merge_request(call, row)
    shape["reference"] = f"{target.full_path}!{row.iid}"
    return answer(call, shape, 201)


def _check_relation(source: ProjectRow, target: ProjectRow, source_branch: str, target_branch: str) -> None:
    if source.id == target.id:
        if source_branch == target_branch:
            raise refuse(422, ["You can't use same project/branch for source and target"])
    elif source.forked_from_id != target.id and (
        source.forked_from_id is None or source.forked_from_id != target.forked_from_id
    ):
        raise refuse(422, ["Source project is not a fork of the target project"])


async def _check_branches(
    call: Call, source: ProjectRow, target: ProjectRow, source_branch: str, target_branch: str
) -> None:
    for project, branch, field in (
        (source, source_branch, "source_branch"),
        (target, target_branch, "target_branch"),
    ):
        repository = repository_of(call, project)
        if repository is None or await repository.commit_id(f"refs/heads/{branch}") is None:
            raise refuse(400, {field: ["does not exist"]})


def _usernames(call: Call, ids: Sequence[int]) -> tuple[str, ...]:
    found = (call.store.user_by_id(number) for number in ids)
    return tuple(user.username for user in found if user is not None)


async def update_merge_request(call: Call) -> Answer:
    """PUT /projects/:id/merge_requests/:iid: its author and the target's developers."""
    user = call.signed_in()
    project, found = await find(call)
    insider = call.level(project) >= DEVELOPER
    if not insider and found.author != user.username:
        raise refuse(403, FORBIDDEN)
    store = call.store
    fields: dict[str, object] = {}
    for name in ("title", "description", "target_branch"):
        if call.given(name):
            fields[name] = call.text(name) or ""
    if fields.get("title") == "":
        raise refuse(400, {"title": ["can't be blank"]})
    for name in ("allow_collaboration", "remove_source_branch", "squash"):
        flag = call.flag(name)
        if flag is not None:
            fields[name] = flag
    labels = call.changed_labels(found.labels) if insider else None
    if labels is not None:
        fields["labels"] = labels
    if insider and call.given("assignee_ids"):
        fields["assignees"] = _usernames(call, call.numbers("assignee_ids"))
    event = call.choice("state_event", ("close", "reopen"))
    with store.transaction():
        if fields:
            updated = store.update_merge_request(found.id, fields)
            note_change(call, found, updated)
        if insider and call.given("reviewer_ids"):
            names = _usernames(call, call.numbers("reviewer_ids"))
            store.set_reviewers(found.id, names, by=user.username)
        if event == "close":
            store.close_merge_request(found.id, by=user.username)
        elif event == "reopen":
            store.reopen_merge_request(found.id, by=user.username)
    if event == "reopen":
        await store.prepare(found.id)
    return answer(call, shapes.merge_request(call, store.merge_request_or_fail(found.id)))


def note_change(call: Call, before: MergeRequestRow, after: MergeRequestRow) -> None:
    """Note, as the forge does, that somebody changed a title or marked it as a draft or as ready."""
    who = call.signed_in().username
    if before.draft != after.draft:
        word = "draft" if after.draft else "ready"
        body = f"marked this merge request as **{word}**"
        call.store.add_note("merge_request", after.id, author=who, body=body, system=True)
    elif before.title != after.title:
        body = f"changed title from **{before.title}** to **{after.title}**"
        call.store.add_note("merge_request", after.id, author=who, body=body, system=True)


async def accept(call: Call) -> Answer:
    """PUT /projects/:id/merge_requests/:iid/merge: developers of the target, when nothing is in the way."""
    user = call.signed_in()
    project, found = await find(call)
    if call.level(project) < DEVELOPER:
        raise refuse(401, "401 Unauthorized")
    if shapes.merge_status(call, found, project, call.store.head_pipeline(found))[1] != "mergeable":
        raise refuse(405, "405 Method Not Allowed")
    wanted = call.text("sha")
    if wanted is not None and wanted != found.sha:
        raise refuse(409, f"SHA does not match HEAD of source branch: {found.sha}")
    try:
        merged = await call.store.merge(found.id, user.username)
    except GitError as error:
        raise refuse(422, "Branch cannot be merged") from error
    return answer(call, shapes.merge_request(call, merged))


async def list_commits(call: Call) -> Answer:
    """GET /projects/:id/merge_requests/:iid/commits."""
    project, found = await find(call)
    repository = repository_of(call, project)
    rows = (
        await repository.commits(f"{found.base_sha}..{found.sha}")
        if repository and found.sha and found.base_sha
        else []
    )
    return paged(call, rows, lambda chosen: [shapes.commit(call, row, project.full_path) for row in chosen])


async def list_diffs(call: Call) -> Answer:
    """GET /projects/:id/merge_requests/:iid/diffs."""
    project, found = await find(call)
    repository = repository_of(call, project)
    if repository is None or not found.sha or not found.base_sha:
        return paged(call, (), lambda _: [])
    base, sha = found.base_sha, found.sha
    changed = await repository.changed_files(base, sha)
    page = wanted_page(call)
    chosen = changed[page.offset : page.offset + page.size]
    shown = [
        shapes.change(change, await repository.diff(base, sha, change.path), generated=True)
        for change in chosen
    ]
    more = page.offset + page.size < len(changed)
    return answer(call, shown, headers=page_headers(call, page, more=more, total=len(changed)))


async def list_closed_issues(call: Call) -> Answer:
    """GET /projects/:id/merge_requests/:iid/closes_issues."""
    project, found = await find(call)
    numbers = call.store.closing(found)
    rows = [row for number in numbers if (row := call.store.issue(project.id, number)) is not None]
    return paged(call, rows, lambda chosen: issues(call, chosen, {}))


ROUTES = (
    Route("GET", "/merge_requests", list_all_merge_requests),
    Route("GET", "/groups/:id/merge_requests", list_group_merge_requests),
    Route("GET", "/projects/:id/merge_requests", list_merge_requests),
    Route("POST", "/projects/:id/merge_requests", create_merge_request),
    Route("GET", "/projects/:id/merge_requests/:iid", get_merge_request),
    Route("PUT", "/projects/:id/merge_requests/:iid", update_merge_request),
    Route("PUT", "/projects/:id/merge_requests/:iid/merge", accept),
    Route("GET", "/projects/:id/merge_requests/:iid/commits", list_commits),
    Route("GET", "/projects/:id/merge_requests/:iid/diffs", list_diffs),
    Route("GET", "/projects/:id/merge_requests/:iid/closes_issues", list_closed_issues),
)
