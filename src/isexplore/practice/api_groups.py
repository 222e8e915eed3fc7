"""Groups and namespaces over REST. https://docs.gitlab.com/api/groups/, https://docs.gitlab.com/api/namespaces/"""

from __future__ import annotations

from isexplore.practice import shapes
from isexplore.practice.api import Answer, Call, Route, answer, missing, paged
from isexplore.practice.rows import NamespaceRow
from isexplore.practice.store_people import OWNER


def can_see(call: Call, group: NamespaceRow) -> bool:
    """Whether the caller may see a group: internal ones are for accounts of the house."""
    if call.user is not None and (not call.user.external or group.id in call.joined_groups):
        return True
    return call.store.is_public(group)


def find_group(call: Call) -> NamespaceRow:
    """Return the group that the path names by id or full path; 404 where it is missing or hidden."""
    key = call.place["id"]
    found = call.store.namespace_by_id(int(key[:18])) if key.isdecimal() else call.store.namespace(key)
    if found is None or found.kind != "group" or not can_see(call, found):
        raise missing("Group")
    return found


def groups_below(call: Call) -> tuple[str, list[object]]:
    """Return a condition on `projects` for those of the path's group and of its subgroups, and its values."""
    group = find_group(call)
    below = "SELECT id FROM namespaces WHERE kind = 'group' AND (id = ? OR substr(full_path, 1, ?) = ?)"
    beginning = f"{group.full_path}/"
    return f"namespace_id IN ({below})", [group.id, len(beginning), beginning]


async def list_groups(call: Call) -> Answer:
    """GET /groups."""
    found = call.store.rows(NamespaceRow, "SELECT * FROM namespaces WHERE kind = 'group' ORDER BY name, id")
    return _groups(call, found)


async def list_subgroups(call: Call) -> Answer:
    """GET /groups/:id/subgroups: those right below."""
    found = call.store.rows(
        NamespaceRow, "SELECT * FROM namespaces WHERE parent_id = ? ORDER BY name, id", (find_group(call).id,)
    )
    return _groups(call, found)


def _groups(call: Call, found: list[NamespaceRow]) -> Answer:
    level = call.number("min_access_level")
    if level is not None or call.flag("owned"):
        floor = OWNER if call.flag("owned") else level or 0
        name = call.signed_in().username
        found = [row for row in found if call.store.group_level(row, name) >= floor]
    if call.flag("top_level_only"):
        found = [row for row in found if row.parent_id is None]
    wanted = (call.text("search") or "").lower()
    found = [row for row in found if wanted in row.name.lower() or wanted in row.path.lower()]
    found = [row for row in found if can_see(call, row)]
    order = call.choice("order_by", ("name", "path", "id", "similarity")) or "name"
    if order == "path":
        found.sort(key=lambda row: row.full_path)
    elif order == "id":
        found.sort(key=lambda row: row.id)
    if call.choice("sort", ("asc", "desc")) == "desc":
        found.reverse()
    return paged(call, found, lambda rows: [shapes.full_group(call, row) for row in rows])


async def get_group(call: Call) -> Answer:
    """GET /groups/:id."""
    return answer(call, shapes.full_group(call, find_group(call)))


async def list_namespaces(call: Call) -> Answer:
    """GET /namespaces: those that the caller belongs to."""
    user = call.signed_in()
    found = call.store.namespaces_of(user.username)
    wanted = (call.text("search") or "").lower()
    found = [row for row in found if wanted in row.full_path.lower()]
    if call.flag("owned_only"):
        found = [row for row in found if call.store.group_level(row, user.username) >= OWNER]
    if call.flag("top_level_only"):
        found = [row for row in found if row.parent_id is None]
    return paged(call, found, lambda rows: [shapes.namespace(call, row) for row in rows])


async def get_namespace(call: Call) -> Answer:
    """GET /namespaces/:id, by id or full path: those that the caller belongs to."""
    user, key = call.signed_in(), call.place["id"]
    for row in call.store.namespaces_of(user.username):
        if key == str(row.id) or key.lower() == row.full_path.lower():
            return answer(call, shapes.namespace(call, row))
    raise missing("Namespace")


async def namespace_exists(call: Call) -> Answer:
    """GET /namespaces/:id/exists."""
    call.signed_in()
    return answer(call, {"exists": call.store.namespace(call.place["id"]) is not None, "suggests": []})


ROUTES = (
    Route("GET", "/groups", list_groups),
    Route("GET", "/groups/:id", get_group),
    Route("GET", "/groups/:id/subgroups", list_subgroups),
    Route("GET", "/namespaces", list_namespaces),
    Route("GET", "/namespaces/:id", get_namespace),
    Route("GET", "/namespaces/:id/exists", namespace_exists),
)
