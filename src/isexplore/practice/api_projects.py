"""Projects over REST: finding them, forks, stars, members, labels, topics.

https://docs.gitlab.com/api/projects/, https://docs.gitlab.com/api/project_forks/
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from isexplore.practice import shapes
from isexplore.practice.api import (
    MAX_COUNT,
    MAX_OFFSET,
    Answer,
    Call,
    Json,
    Refusal,
    Route,
    answer,
    counted,
    missing,
    next_link,
    page_headers,
    paged,
    refuse,
    wanted_page,
)
from isexplore.practice.api_groups import find_group
from isexplore.practice.api_repository import find_commit
from isexplore.practice.database import stamp
from isexplore.practice.rows import LabelRow, MemberRow, NamespaceRow, ProjectRow
from isexplore.practice.shapes_issues import label
from isexplore.practice.store_people import DEVELOPER, OWNER

_ORDERS = ("id", "name", "path", "created_at", "updated_at", "last_activity_at", "star_count", "similarity")
_COLUMNS = {
    "id": "p.id",
    "name": "p.name",
    "path": "p.full_path",
    "created_at": "p.created_at",
    "updated_at": "p.last_activity_at",
    "last_activity_at": "p.last_activity_at",
    "star_count": "p.star_count",
    "similarity": "p.star_count",
}
_VISIBILITIES = ("public", "internal", "private")
_PATH = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")
_PATH_RULE = (
    "can contain only letters, digits, '_', '-' and '.'."
    " Cannot start with '-', end in '.git' or end in '.atom'"
)
_NAME = re.compile(r"[\w\u00a9-\U0001f9ff][\w\u00a9-\U0001f9ff. +-]*")
_NAME_RULE = (
    "can contain only letters, digits, emoji, '_', '.', '+', dashes, or spaces."
    " It must start with a letter, digit, emoji, or '_'."
)
_COMMON_TOPIC = 2_000
"""With more projects, walking the order and testing each is faster than sorting the topic's projects."""


class _Filter:
    """Collects conditions on `projects p` and their values."""

    def __init__(self) -> None:
        self.conditions: list[str] = []
        self.values: list[object] = []

    def add(self, condition: str, *values: object) -> None:
        self.conditions.append(condition)
        self.values.extend(values)

    @property
    def where(self) -> str:
        return f"WHERE {' AND '.join(self.conditions)}" if self.conditions else ""


def _like(word: str) -> str:
    return "%" + re.sub(r"([\\%_])", r"\\\1", word) + "%"


def _groups_sql(call: Call) -> str:
    return ", ".join(str(group) for group in sorted(call.joined_groups)) or "NULL"


def _joined_sql(call: Call) -> str:
    return (
        "(p.id IN (SELECT project_id FROM members WHERE username = ? AND access_level >= ?)"
        f" OR p.namespace_id IN ({_groups_sql(call)}))"
    )


def _only_visible(call: Call, wanted: _Filter) -> None:
    if call.user is None:
        wanted.add("p.visibility = 'public'")
        return
    open_to_all = "p.visibility = 'public'" if call.user.external else "p.visibility <> 'private'"
    wanted.add(f"({open_to_all} OR {_joined_sql(call)})", call.user.username, 10)


def visible_projects(call: Call, ids: Sequence[int], most: int) -> list[ProjectRow]:
    """Return those of some projects that the caller may see, newest first, `most` at most."""
    wanted = _Filter()
    wanted.add(f"p.id IN ({', '.join(map(str, ids)) or 'NULL'})")
    _only_visible(call, wanted)
    return call.store.rows(
        ProjectRow,
        f"SELECT p.* FROM projects p {wanted.where} ORDER BY p.id DESC LIMIT {most}",
        wanted.values,
    )


def _only_topics(call: Call, wanted: _Filter) -> bool:
    """Add the topic conditions; return False where a topic is unknown, so that nothing can match."""
    found = [
        call.store.number("SELECT id FROM topics WHERE name = ? COLLATE BINARY", (name,))
        for name in call.words("topic")
    ]
    number = call.number("topic_id")
    if number is not None:
        found.append(call.store.number("SELECT id FROM topics WHERE id = ?", (number,)))
    for topic in found:
        if not topic:
            return False
        if call.store.number("SELECT projects FROM topics WHERE id = ?", (topic,)) > _COMMON_TOPIC:
            wanted.add(
                "EXISTS (SELECT 1 FROM project_topics t WHERE t.topic_id = ? AND t.project_id = p.id)", topic
            )
        else:
            wanted.add("p.id IN (SELECT project_id FROM project_topics WHERE topic_id = ?)", topic)
    return True


def _only_words(call: Call, wanted: _Filter) -> None:
    words = (call.text("search") or "").split()
    if not words:
        return
    columns = ["p.name", "p.full_path", "p.description"]
    if not call.flag("search_namespaces"):
        columns[1] = "substr(p.full_path, length(rtrim(p.full_path, replace(p.full_path, '/', ''))) + 1)"
    for word in words:
        wanted.add("instr(p.words, ?)", word.lower())
    every = [" AND ".join(f"{column} LIKE ? ESCAPE '\\'" for _ in words) for column in columns]
    wanted.add(
        f"({' OR '.join(f'({one})' for one in every)})", *(_like(word) for word in words * len(columns))
    )


def _only_mine(call: Call, wanted: _Filter) -> None:
    level = call.number("min_access_level")
    if call.flag("owned"):
        level = OWNER
    if level is not None or call.flag("membership") or _by_similarity(call):
        floor = level or 10
        groups = [
            str(group)
            for group in sorted(call.joined_groups)
            if (row := call.store.namespace_by_id(group))
            and call.store.group_level(row, call.username or "") >= floor
        ]
        wanted.add(
            "(p.id IN (SELECT project_id FROM members WHERE username = ? AND access_level >= ?)"
            f" OR p.namespace_id IN ({', '.join(groups) or 'NULL'}))",
            call.username,
            floor,
        )
    if call.flag("starred"):
        wanted.add("p.id IN (SELECT project_id FROM stars WHERE username = ?)", call.username)


def _by_similarity(call: Call) -> bool:
    """Whether projects are sorted by how well they fit: only with words, and only the caller's own."""
    return call.text("order_by") == "similarity" and bool((call.text("search") or "").strip())


def _only_facts(call: Call, wanted: _Filter) -> None:
    visibility = call.choice("visibility", _VISIBILITIES)
    if visibility:
        wanted.add("p.visibility = ?", visibility)
    for name, column in (
        ("archived", "p.archived"),
        ("with_issues_enabled", "p.issues_enabled"),
        ("with_merge_requests_enabled", "p.merge_requests_enabled"),
    ):
        flag = call.flag(name)
        if flag is not None:
            wanted.add(f"{column} = ?", int(flag))
    active = call.flag("active")
    if active is not None:
        wanted.add("p.archived = ?", int(not active))
    if call.flag("imported"):
        # Nothing here came from another server.
        wanted.add("0")
    for name, condition in (
        ("last_activity_after", "p.last_activity_at > ?"),
        ("last_activity_before", "p.last_activity_at < ?"),
        ("updated_after", "p.last_activity_at > ?"),
        ("updated_before", "p.last_activity_at < ?"),
    ):
        moment = call.moment(name)
        if moment is not None:
            wanted.add(condition, stamp(moment))
    for name, condition in (("id_after", "p.id > ?"), ("id_before", "p.id < ?")):
        number = call.number(name)
        if number is not None:
            wanted.add(condition, number)
    language = call.text("with_programming_language")
    if language:
        wanted.add("p.languages LIKE ? ESCAPE '\\'", _like(f'"{language}":'))


def _selection(call: Call, within: _Filter | None = None) -> _Filter | None:
    wanted = within or _Filter()
    if not _only_topics(call, wanted):
        return None
    _only_facts(call, wanted)
    _only_mine(call, wanted)
    _only_words(call, wanted)
    _only_visible(call, wanted)
    return wanted


def _listing(call: Call, wanted: _Filter | None) -> Answer:
    order = call.choice("order_by", _ORDERS) or "created_at"
    sort = call.choice("sort", ("asc", "desc")) or "desc"
    if call.given("order_by") and order != "updated_at" and _updates(call):
        raise refuse(400, "400 Bad request - `updated_at` filter and `updated_at` sorting must be paired")
    if order == "similarity" and not _by_similarity(call):
        order = "created_at"
    if call.text("pagination") == "keyset":
        return _keyset(call, wanted, order, sort)
    page = wanted_page(call)
    if page.number * page.size > MAX_OFFSET:
        message = (
            f"Offset pagination has a maximum allowed offset of {MAX_OFFSET} for requests that return objects"
            " of type Project. Remaining records can be retrieved using keyset pagination."
        )
        raise Refusal(405, {"error": message})
    total = 0
    rows: list[ProjectRow] = []
    if wanted is not None:
        rows = call.store.rows(
            ProjectRow,
            f"SELECT p.* FROM projects p {wanted.where} ORDER BY {_COLUMNS[order]} {sort}, p.id {sort}"
            f" LIMIT {page.size + 1} OFFSET {page.offset}",
            wanted.values,
        )
        total = counted(call, page, len(rows), f"SELECT 1 FROM projects p {wanted.where}", wanted.values)
    headers = page_headers(
        call, page, more=len(rows) > page.size, total=total if total <= MAX_COUNT else None
    )
    simple = bool(call.flag("simple"))
    return answer(call, shapes.projects(call, rows[: page.size], simple=simple), headers=headers)


def _updates(call: Call) -> bool:
    return bool(call.text("updated_after") or call.text("updated_before"))


def _keyset(call: Call, wanted: _Filter | None, order: str, sort: str) -> Answer:
    if order != "id":
        raise Refusal(405, {"error": "Keyset pagination is not yet available for this type of request"})
    size = wanted_page(call).size
    rows: list[ProjectRow] = []
    if wanted is not None:
        rows = call.store.rows(
            ProjectRow,
            f"SELECT p.* FROM projects p {wanted.where} ORDER BY p.id {sort} LIMIT {size}",
            wanted.values,
        )
    headers = {"X-Per-Page": str(size)}
    if len(rows) == size:
        edge = "id_after" if sort == "asc" else "id_before"
        headers["Link"] = next_link(call, edge, str(rows[-1].id))
    return answer(call, shapes.projects(call, rows, simple=bool(call.flag("simple"))), headers=headers)


async def list_projects(call: Call) -> Answer:
    """GET /projects."""
    return _listing(call, _selection(call))


async def list_group_projects(call: Call) -> Answer:
    """GET /groups/:id/projects."""
    group = find_group(call)
    within = _Filter()
    if call.flag("include_subgroups"):
        within.add(
            "p.namespace_id IN (SELECT id FROM namespaces WHERE id = ? OR full_path LIKE ? ESCAPE '\\')",
            group.id,
            _like(f"{group.full_path}/")[1:],
        )
    else:
        within.add("p.namespace_id = ?", group.id)
    return _listing(call, _selection(call, within))


async def list_user_projects(call: Call) -> Answer:
    """GET /users/:id/projects."""
    holder = call.store.namespace(call.other_user().username)
    return _listing_where(call, "p.namespace_id = ?", holder.id if holder else 0)


async def list_starred_projects(call: Call) -> Answer:
    """GET /users/:id/starred_projects."""
    who = call.other_user().username
    return _listing_where(call, "p.id IN (SELECT project_id FROM stars WHERE username = ?)", who)


async def list_contributed_projects(call: Call) -> Answer:
    """GET /users/:id/contributed_projects: where somebody pushed, or opened or merged something, within a year."""
    who = call.other_user().username
    since = call.store.now() - timedelta(days=365)
    tables = (("pushes", "author"), ("issues", "author"), ("merge_requests", "author"),
              ("merge_requests", "merge_user"))  # fmt: skip
    parts = [
        f"SELECT project_id FROM {table} WHERE {column} = ? AND created_at > ?" for table, column in tables
    ]
    return _listing_where(call, f"p.id IN ({' UNION '.join(parts)})", *((who, stamp(since)) * len(parts)))


def _listing_where(call: Call, condition: str, *values: object) -> Answer:
    within = _Filter()
    within.add(condition, *values)
    return _listing(call, _selection(call, within))


async def get_project(call: Call) -> Answer:
    """GET /projects/:id."""
    return answer(call, shapes.project(call, call.project(), licence=bool(call.flag("license"))))


async def list_forks(call: Call) -> Answer:
    """GET /projects/:id/forks."""
    return _listing_where(call, "p.forked_from_id = ?", call.project().id)


async def create_fork(call: Call) -> Answer:
    """POST /projects/:id/fork."""
    user = call.signed_in()
    origin = call.project()
    if not origin.forking_enabled:
        raise refuse(404, "404 Not Found")
    target = _fork_target(call)
    store = call.store
    branch = call.text("branches") or None
    if branch is not None and await find_commit(call, origin, f"refs/heads/{branch}") is None:
        raise missing("Source Branch")
    if target.id == origin.namespace_id or store.group_level(target, user.username) < DEVELOPER:
        raise missing("Target Namespace")
    path, name = call.text("path") or origin.path, call.text("name") or origin.name
    obstacles = _fork_obstacles(call, target, path, name)
    if obstacles:
        raise refuse(409, obstacles)
    # More than the original allows is not refused: it comes down to what is allowed.
    wanted = call.choice("visibility", _VISIBILITIES) or origin.visibility
    fork = store.create_fork(
        origin,
        target.full_path,
        owner=user.username,
        path=path,
        name=name,
        description=call.text("description"),
        visibility=max(wanted, origin.visibility, key=_VISIBILITIES.index),
        branch=branch,
    )
    call.later(store.import_fork(fork.id))
    return answer(call, shapes.project(call, fork), 201)


def _fork_obstacles(call: Call, target: NamespaceRow, path: str, name: str) -> list[str]:
    """Return why a namespace cannot have a project of this path and name, in GitLab's words and order."""
    found = []
    taken = "SELECT 1 FROM projects WHERE namespace_id = ? AND name = ?"
    if call.store.scalar(taken, (target.id, name)) is not None:
        found += ["Project namespace name has already been taken", "Name has already been taken"]
    if not _NAME.fullmatch(name):
        found.append(f"Name {_NAME_RULE}")
    if call.store.project_by_path(f"{target.full_path}/{path}") is not None:
        found.append("Path has already been taken")
    if not _PATH.fullmatch(path) or path.lower().endswith((".git", ".atom")):
        found.append(f"Path {_PATH_RULE}")
    return found


def _fork_target(call: Call) -> NamespaceRow:
    key = call.text("namespace_id") or call.text("namespace_path") or call.text("namespace")
    if key is None:
        key = call.signed_in().username
    store = call.store
    found = store.namespace_by_id(int(key[:18])) if key.isdecimal() else store.namespace(key)
    if found is None:
        raise missing("Namespace")
    own = found.kind == "user" and found.full_path == call.username
    if not own and found.id not in call.joined_groups:
        raise missing("Namespace")
    return found


async def get_import(call: Call) -> Answer:
    """GET /projects/:id/import."""
    project = call.project()
    call.signed_in()
    return answer(
        call,
        {
            "id": project.id,
            "description": project.description or None,
            "name": project.name,
            "path": project.path,
            "path_with_namespace": project.full_path,
            "created_at": shapes.time(project.created_at),
            "import_status": call.store.import_status(project),
            "import_type": None,
            "import_error": None,
            "failed_relations": [],
            "correlation_id": None,
            "stats": None,
        },
    )


async def star(call: Call) -> Answer:
    """POST /projects/:id/star."""
    project = call.project()
    if not call.store.star(project.id, call.signed_in().username):
        return Answer(status=304)
    return answer(call, shapes.project(call, call.store.project_or_fail(project.id)), 201)


async def unstar(call: Call) -> Answer:
    """POST /projects/:id/unstar."""
    project = call.project()
    if not call.store.unstar(project.id, call.signed_in().username):
        return Answer(status=304)
    return answer(call, shapes.project(call, call.store.project_or_fail(project.id)), 201)


async def languages(call: Call) -> Answer:
    """GET /projects/:id/languages."""
    shares = call.project().languages
    return answer(call, dict(sorted(shares.items(), key=lambda item: -item[1])))


async def list_members(call: Call) -> Answer:
    """GET /projects/:id/members: roles in the project itself."""
    return _members(call, inherited=False)


async def list_all_members(call: Call) -> Answer:
    """GET /projects/:id/members/all: inherited roles too."""
    return _members(call, inherited=True)


def _members(call: Call, *, inherited: bool) -> Answer:
    project = call.project()
    found = call.store.all_members(project) if inherited else call.store.direct_members(project.id)
    wanted = (call.text("query") or "").lower()
    chosen = [
        row
        for row in found
        if wanted in row.username.lower()
        or (row.username in call.users and wanted in call.users[row.username].name.lower())
    ]
    return paged(call, chosen, lambda rows: [shapes.member(call, row) for row in rows])


async def get_member(call: Call) -> Answer:
    """GET /projects/:id/members/:user."""
    return _member(call, call.store.direct_members(call.project().id))


async def get_any_member(call: Call) -> Answer:
    """GET /projects/:id/members/all/:user: inherited roles too."""
    return _member(call, call.store.all_members(call.project()))


def _member(call: Call, found: Sequence[MemberRow]) -> Answer:
    for row in found:
        user = call.users.get(row.username)
        if user is not None and str(user.id) == call.place["user"]:
            return answer(call, shapes.member(call, row))
    raise refuse(404, "404 Not found")


async def list_labels(call: Call) -> Answer:
    """GET /projects/:id/labels."""
    project = call.project()
    wanted = (call.text("search") or "").lower()
    rows = [row for row in call.store.labels(project.id) if wanted in row.name.lower()]
    counts = _label_counts(call, project, rows) if call.flag("with_counts") else None
    return paged(call, rows, lambda chosen: [label(row, counts) for row in chosen])


def _label_counts(call: Call, project: ProjectRow, rows: Sequence[LabelRow]) -> dict[str, tuple[int, int]]:
    names = {row.name for row in rows}
    found = call.store.tuples(
        "SELECT l.name, sum(i.state = 'opened'), sum(i.state = 'closed') FROM issues i"
        " JOIN issue_labels l ON l.issue_id = i.id WHERE i.project_id = ? GROUP BY l.name",
        (project.id,),
    )
    return {str(name): (int(a or 0), int(b or 0)) for name, a, b in found if name in names}


async def list_topics(call: Call) -> Answer:
    """GET /topics."""
    wanted = call.text("search")
    values: list[object] = [_like(wanted)] if wanted else []
    where = "WHERE name LIKE ? ESCAPE '\\'" if wanted else ""
    found = call.store.tuples(
        f"SELECT id, name, projects FROM topics {where} ORDER BY projects DESC, id", values
    )

    return paged(call, found, lambda rows: [_topic(row) for row in rows])


async def get_topic(call: Call) -> Answer:
    """GET /topics/:id."""
    found = call.store.tuples("SELECT id, name, projects FROM topics WHERE id = ?", (call.place["id"],))
    if not found:
        raise refuse(404, "404 Not found")
    return answer(call, _topic(found[0]))


def _topic(row: tuple[str | int | float | None, ...]) -> Json:
    topic, name, count = row
    return {
        "id": topic,
        "name": name,
        "title": name,
        "description": None,
        "total_projects_count": count,
        "organization_id": 1,
        "avatar_url": None,
    }


ROUTES = (
    Route("GET", "/projects", list_projects),
    Route("GET", "/projects/:id", get_project),
    Route("GET", "/projects/:id/forks", list_forks),
    Route("POST", "/projects/:id/fork", create_fork),
    Route("GET", "/projects/:id/import", get_import),
    Route("POST", "/projects/:id/star", star),
    Route("POST", "/projects/:id/unstar", unstar),
    Route("GET", "/projects/:id/languages", languages),
    Route("GET", "/projects/:id/members", list_members),
    Route("GET", "/projects/:id/members/all", list_all_members),
    Route("GET", "/projects/:id/members/:user", get_member),
    Route("GET", "/projects/:id/members/all/:user", get_any_member),
    Route("GET", "/projects/:id/labels", list_labels),
    Route("GET", "/topics", list_topics),
    Route("GET", "/topics/:id", get_topic),
    Route("GET", "/groups/:id/projects", list_group_projects),
    Route("GET", "/users/:id/projects", list_user_projects),
    Route("GET", "/users/:id/starred_projects", list_starred_projects),
    Route("GET", "/users/:id/contributed_projects", list_contributed_projects),
)
