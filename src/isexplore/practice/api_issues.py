"""Issues and their remarks over REST. https://docs.gitlab.com/api/issues/, https://docs.gitlab.com/api/notes/"""

from __future__ import annotations

from collections.abc import Sequence

from isexplore.practice.api import (
    FORBIDDEN,
    Answer,
    Call,
    Route,
    answer,
    paged,
    paged_rows,
    refuse,
)
from isexplore.practice.api_groups import groups_below
from isexplore.practice.database import stamp
from isexplore.practice.quick_actions import commands, refused
from isexplore.practice.rows import IssueRow, LabelRow, MergeRequestRow, ProjectRow
from isexplore.practice.shapes_issues import discussion, issues, note
from isexplore.practice.shapes_merge_requests import merge_requests
from isexplore.practice.store_merge_requests import closed_issues, mentioned_issues
from isexplore.practice.store_people import REPORTER

_ORDERS = ("created_at", "updated_at", "popularity", "priority", "due_date", "relative_position", "title",
           "weight", "label_priority", "milestone_due")  # fmt: skip
_COLUMNS = {"updated_at": "i.updated_at", "title": "i.title"}
_SCOPES = ("all", "created_by_me", "assigned_to_me", "created-by-me", "assigned-to-me")


class _Wanted:
    """Conditions on `issues i`."""

    def __init__(self) -> None:
        self.conditions: list[str] = ["1 = 1"]
        self.values: list[object] = []

    def add(self, condition: str, *values: object) -> None:
        self.conditions.append(condition)
        self.values.extend(values)


def _labels(call: Call, wanted: _Wanted) -> None:
    for name in call.words("labels"):
        if name.lower() == "none":
            wanted.add("i.labels = '[]'")
        elif name.lower() == "any":
            wanted.add("i.labels <> '[]'")
        else:
            wanted.add("i.id IN (SELECT issue_id FROM issue_labels WHERE name = ?)", name)
    for name in call.words("not[labels]"):
        wanted.add("i.id NOT IN (SELECT issue_id FROM issue_labels WHERE name = ?)", name)


def _people(call: Call, wanted: _Wanted) -> None:
    assignee = call.text("assignee_id")
    if assignee is not None:
        if assignee.lower() in ("none", "0"):
            wanted.add("i.assignees = '[]'")
        elif assignee.lower() == "any":
            wanted.add("i.assignees <> '[]'")
        else:
            number = call.number("assignee_id") or 0
            user = call.store.user_by_id(number)
            _assigned(wanted, user.username if user else "")
    for name in call.words("assignee_username"):
        _assigned(wanted, name)
    author = call.text("author_username")
    if author is not None:
        wanted.add("i.author = ?", author)
    author_id = call.number("author_id")
    if author_id is not None:
        found = call.store.user_by_id(author_id)
        wanted.add("i.author = ?", found.username if found else "")


def _assigned(wanted: _Wanted, username: str) -> None:
    wanted.add("EXISTS (SELECT 1 FROM json_each(i.assignees) WHERE value = ?)", username)


def _scope(call: Call, wanted: _Wanted, default: str) -> None:
    scope = (call.choice("scope", _SCOPES) or default).replace("-", "_")
    if scope == "created_by_me":
        wanted.add("i.author = ?", call.signed_in().username)
    elif scope == "assigned_to_me":
        _assigned(wanted, call.signed_in().username)


def _words(call: Call, wanted: _Wanted) -> None:
    fields = [word for word in (call.text("in") or "title,description").split(",") if word]
    columns = [f"i.{field}" for field in fields if field in ("title", "description")]
    for word in (call.text("search") or "").split():
        marks = " OR ".join(f"instr(lower({column}), ?)" for column in columns)
        wanted.add(f"({marks})", *(word.lower() for _ in columns))


def _only_what_there_is(call: Call, wanted: _Wanted) -> None:
    """Find nothing where what is asked for exists on no issue here: milestones, incidents, secrets, emoji."""
    kind = call.choice("issue_type", ("issue", "incident", "test_case", "task"))
    milestone, emoji = call.text("milestone"), call.text("my_reaction_emoji")
    if (
        kind not in (None, "issue")
        or call.flag("confidential")
        or (milestone and milestone.lower() != "none")
        or (emoji and emoji.lower() != "none")
    ):
        wanted.add("0")


def _select(call: Call, wanted: _Wanted, default_scope: str) -> tuple[str, list[object]]:
    _labels(call, wanted)
    _people(call, wanted)
    _scope(call, wanted, default_scope)
    _words(call, wanted)
    _only_what_there_is(call, wanted)
    state = call.choice("state", ("opened", "closed", "all"))
    if state in ("opened", "closed"):
        wanted.add("i.state = ?", state)
    numbers = call.numbers("iids")
    if numbers:
        wanted.add(f"i.iid IN ({', '.join('?' * len(numbers))})", *numbers)
    for name in ("created", "updated"):
        for suffix, sign in (("after", ">="), ("before", "<=")):
            moment = call.moment(f"{name}_{suffix}")
            if moment is not None:
                wanted.add(f"i.{name}_at {sign} ?", stamp(moment))
    order = _COLUMNS.get(call.choice("order_by", _ORDERS) or "created_at", "i.created_at")
    sort = call.choice("sort", ("asc", "desc")) or "desc"
    where = " AND ".join(wanted.conditions)
    return f"SELECT i.* FROM issues i WHERE {where} ORDER BY {order} {sort}, i.id {sort}", wanted.values


def _answer(call: Call, wanted: _Wanted, default_scope: str = "all") -> Answer:
    select, values = _select(call, wanted, default_scope)
    return paged_rows(call, IssueRow, select, values, lambda rows: _shapes(call, rows))


def _shapes(call: Call, rows: Sequence[IssueRow]) -> object:
    labels: dict[tuple[int, str], LabelRow] | None = None
    projects = {row.project_id for row in rows}
    if call.flag("with_labels_details"):
        labels = {
            (label.project_id, label.name): label for one in projects for label in call.store.labels(one)
        }
    return issues(call, rows, closing_counts(call, projects), labels)


def closing_counts(call: Call, project_ids: set[int]) -> dict[tuple[int, int], int]:
    """Return how many merge requests close which issue, by (project, number)."""
    counts: dict[tuple[int, int], int] = {}
    for project_id in project_ids:
        for merge_request in _with_references(call, project_id):
            for number in call.store.closing(merge_request):
                counts[project_id, number] = counts.get((project_id, number), 0) + 1
    return counts


def _with_references(call: Call, project_id: int) -> list[MergeRequestRow]:
    return call.store.rows(
        MergeRequestRow,
        "SELECT * FROM merge_requests WHERE project_id = ? AND instr(title || description, '#')",
        (project_id,),
    )


def with_issues(call: Call) -> ProjectRow:
    """Return the project of the path; 403 where it has no issues."""
    project = call.project()
    if not project.issues_enabled:
        raise refuse(403, FORBIDDEN)
    return project


async def list_issues(call: Call) -> Answer:
    """GET /projects/:id/issues."""
    wanted = _Wanted()
    wanted.add("i.project_id = ?", with_issues(call).id)
    return _answer(call, wanted)


async def list_group_issues(call: Call) -> Answer:
    """GET /groups/:id/issues: subgroups too, archived projects not."""
    wanted = _Wanted()
    _only_projects(call, wanted, groups_below(call), archived=call.flag("non_archived") is False)
    return _answer(call, wanted)


async def list_all_issues(call: Call) -> Answer:
    """GET /issues: the caller's own unless `scope` says otherwise."""
    call.signed_in()
    wanted = _Wanted()
    _only_projects(call, wanted, None, archived=False)
    return _answer(call, wanted, "created_by_me")


def _only_projects(
    call: Call, wanted: _Wanted, within: tuple[str, list[object]] | None, *, archived: bool
) -> None:
    seen, values = call.seen_projects
    inside, more = within or ("1 = 1", [])
    alive = "" if archived else " AND archived = 0"
    wanted.add(
        # For each issue rather than once for all projects, of which there may be a hundred thousand.
        f"EXISTS (SELECT 1 FROM projects WHERE id = i.project_id AND {seen} AND {inside}"
        f" AND issues_enabled = 1{alive})",
        *values,
        *more,
    )


def _issue(call: Call) -> tuple[ProjectRow, IssueRow]:
    project = with_issues(call)
    found = call.store.issue(project.id, call.iid())
    if found is None:
        raise refuse(404, "404 Not found")
    return project, found


def _shown(call: Call, issue: IssueRow, status: int = 200) -> Answer:
    shapes = issues(call, [issue], closing_counts(call, {issue.project_id}))
    return answer(call, {**shapes[0], "subscribed": issue.author == call.username}, status)


async def get_issue(call: Call) -> Answer:
    """GET /projects/:id/issues/:iid."""
    return _shown(call, _issue(call)[1])


async def create_issue(call: Call) -> Answer:
    """POST /projects/:id/issues; labels and assignees of outsiders are dropped."""
    user = call.signed_in()
    project = with_issues(call)
    title = call.required("title")
    if project.archived:
        raise refuse(403, FORBIDDEN)
    insider = call.level(project) >= REPORTER
    assignees = _usernames(call, call.numbers("assignee_ids")) if insider else ()
    found = call.store.create_issue(
        project.id,
        title,
        call.text("description") or "",
        author=user.username,
        labels=call.words("labels") if insider else (),
        assignee=assignees[0] if assignees else None,
    )
    return _shown(call, found, 201)


def _usernames(call: Call, ids: Sequence[int]) -> tuple[str, ...]:
    found = (call.store.user_by_id(number) for number in ids)
    return tuple(user.username for user in found if user is not None)


async def update_issue(call: Call) -> Answer:
    """PUT /projects/:id/issues/:iid.

    Reporters may do all; an author without a role may change the text and the state, and what they say of
    assignees and labels is dropped without a word; others get 403.
    """
    user = call.signed_in()
    project, issue = _issue(call)
    insider = call.level(project) >= REPORTER
    if (not insider and issue.author != user.username) or project.archived:
        raise refuse(403, FORBIDDEN)
    fields = {name: call.text(name) or "" for name in ("title", "description") if call.given(name)}
    if fields.get("title") == "":
        raise refuse(400, {"title": ["can't be blank"]})
    store = call.store
    with store.transaction():
        if fields:
            store.update("issues", issue.id, {**fields, "updated_at": store.now()})
        if insider and (call.given("assignee_ids") or call.given("assignee_id")):
            names = _usernames(call, call.numbers("assignee_ids") or call.numbers("assignee_id"))
            # Without a paid tier an issue has one assignee.
            store.assign_issue(issue.id, names[:1], by=user.username)
        labels = call.changed_labels(issue.labels) if insider else None
        if labels is not None:
            store.set_issue_labels(issue.id, labels)
        event = call.choice("state_event", ("close", "reopen"))
        if event == "close":
            store.close_issue(issue.id, by=user.username)
        elif event == "reopen":
            store.reopen_issue(issue.id, by=user.username)
    return _shown(call, store.issue_or_fail(issue.id))


async def statistics(call: Call) -> Answer:
    """GET /projects/:id/issues_statistics."""
    wanted = _Wanted()
    wanted.add("i.project_id = ?", with_issues(call).id)
    select, values = _select(call, wanted, "all")
    found = call.store.tuples(f"SELECT state, count(*) FROM ({select}) GROUP BY state", values)
    counts = {str(state): int(number or 0) for state, number in found}
    opened, closed = counts.get("opened", 0), counts.get("closed", 0)
    numbers = {"all": opened + closed, "closed": closed, "opened": opened}
    return answer(call, {"statistics": {"counts": numbers}})


async def list_notes(call: Call) -> Answer:
    """GET /projects/:id/issues/:iid/notes."""
    _, issue = _issue(call)
    rows = call.store.notes("issue", issue.id)
    key = call.choice("order_by", ("created_at", "updated_at")) or "created_at"
    rows.sort(key=lambda row: (row.updated_at if key == "updated_at" else row.created_at, row.id))
    if (call.choice("sort", ("asc", "desc")) or "desc") == "desc":
        rows.reverse()
    return paged(call, rows, lambda chosen: [note(call, row) for row in chosen])


async def create_note(call: Call) -> Answer:
    """POST /projects/:id/issues/:iid/notes; 202 where the body holds quick actions only."""
    user = call.signed_in()
    project, issue = _issue(call)
    body = call.required("body")
    if project.archived:
        raise refuse(403, FORBIDDEN)
    given = commands(body)
    if given is not None:
        return _obey(call, project, issue, given)
    added = call.store.add_note("issue", issue.id, author=user.username, body=body)
    return answer(call, note(call, added), 201)


def _obey(call: Call, project: ProjectRow, issue: IssueRow, given: Sequence[tuple[str, str]]) -> Answer:
    who = call.signed_in()
    changes: dict[str, object] = {}
    summary = []
    for name, rest in given:
        mine = name == "assign" and rest in ("me", "@me", f"@{who.username}")
        if mine and call.level(project) >= REPORTER:
            call.store.assign_issue(issue.id, (who.username,), by=who.username)
            changes["assignee_ids"] = [who.id]
            summary.append(f"Assigned @{who.username}.")
        else:
            summary.append(refused(name))
    if not changes:
        raise refuse(400, {"base": summary})
    return answer(call, {"commands_changes": changes, "summary": summary}, 202)


async def list_discussions(call: Call) -> Answer:
    """GET /projects/:id/issues/:iid/discussions."""
    _, issue = _issue(call)
    found = call.store.discussions("issue", issue.id)
    return paged(call, found, lambda rows: [discussion(call, row) for row in rows])


async def related_merge_requests(call: Call) -> Answer:
    """GET /projects/:id/issues/:iid/related_merge_requests: those that mention it."""
    project, issue = _issue(call)
    rows = [
        row
        for row in _with_references(call, project.id)
        if issue.iid in mentioned_issues(f"{row.title}\n{row.description}", project.full_path)
    ]
    return paged(call, rows, lambda chosen: merge_requests(call, chosen))


async def closed_by(call: Call) -> Answer:
    """GET /projects/:id/issues/:iid/closed_by: those that close it on merge."""
    project, issue = _issue(call)
    rows = [
        row
        for row in _with_references(call, project.id)
        if row.state != "closed"
        and issue.iid in closed_issues(f"{row.title}\n{row.description}", project.full_path)
    ]
    return paged(call, rows, lambda chosen: merge_requests(call, chosen))


async def get_note(call: Call) -> Answer:
    """GET /projects/:id/issues/:iid/notes/:note."""
    _, issue = _issue(call)
    wanted = call.place["note"]
    for row in call.store.notes("issue", issue.id):
        if str(row.id) == wanted:
            return answer(call, note(call, row))
    raise refuse(404, "404 Note Not Found")


ROUTES = (
    Route("GET", "/issues", list_all_issues),
    Route("GET", "/groups/:id/issues", list_group_issues),
    Route("GET", "/projects/:id/issues", list_issues),
    Route("POST", "/projects/:id/issues", create_issue),
    Route("GET", "/projects/:id/issues_statistics", statistics),
    Route("GET", "/projects/:id/issues/:iid", get_issue),
    Route("PUT", "/projects/:id/issues/:iid", update_issue),
    Route("GET", "/projects/:id/issues/:iid/notes", list_notes),
    Route("POST", "/projects/:id/issues/:iid/notes", create_note),
    Route("GET", "/projects/:id/issues/:iid/notes/:note", get_note),
    Route("GET", "/projects/:id/issues/:iid/discussions", list_discussions),
    Route("GET", "/projects/:id/issues/:iid/related_merge_requests", related_merge_requests),
    Route("GET", "/projects/:id/issues/:iid/closed_by", closed_by),
)
