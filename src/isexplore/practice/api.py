"""The ground that the practice forge's REST endpoints stand on: a call, its answer, routes and paging.

Follows GitLab's REST API v4 (https://docs.gitlab.com/api/rest/): its several error shapes, its offset and
keyset paging, and its entity tags.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Literal, TypeVar
from urllib.parse import quote, unquote, urlencode

import msgspec
from msgspec import Struct

from isexplore.practice.rows import ProjectRow, Row, UserRow
from isexplore.practice.store import Store
from isexplore.practice.store_people import GUEST

T = TypeVar("T")
R = TypeVar("R", bound=Row)
Json = dict[str, object]

MAX_OFFSET = 50_000
"""Offset paging of projects ends here, as on a GitLab with default limits."""
MAX_COUNT = 10_000
"""Totals are not told above this many rows."""
_FLAGS = {
    "true": True,
    "1": True,
    "t": True,
    "yes": True,
    "false": False,
    "0": False,
    "f": False,
    "no": False,
}


class Answer(Struct, frozen=True, kw_only=True):
    """What goes back over the wire."""

    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"
    headers: dict[str, str] = {}


class Refusal(Exception):
    """An endpoint says no; `document` is the JSON body."""

    def __init__(self, status: int, document: object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.answer = Answer(
            status=status,
            body=msgspec.json.encode(document),
            headers={"Cache-Control": "no-cache", **(headers or {})},
        )


def malformed() -> Refusal:
    """Return GitLab's refusal of text that is no UTF-8, or holds what no text holds."""
    refusal = Refusal(400, None)
    refusal.answer = Answer(status=400, body=b"Bad Request", media_type="text/plain")
    return refusal


def refuse(status: int, message: object) -> Refusal:
    """Return the refusal `{"message": message}`, GitLab's most common shape."""
    return Refusal(status, {"message": message})


def missing(what: str) -> Refusal:
    """Return the refusal `404 <what> Not Found`."""
    return refuse(404, f"404 {what} Not Found")


FORBIDDEN = "403 Forbidden"


class Call:
    """One request: who asks, for what, with which parameters."""

    def __init__(
        self,
        *,
        store: Store,
        user: UserRow | None,
        scopes: tuple[str, ...],
        expires_on: date | None,
        method: str,
        origin: str,
        path: str,
        query: Sequence[tuple[str, str]],
        body: Mapping[str, object],
        headers: Mapping[str, str],
        later: Callable[[Coroutine[object, object, object]], None],
    ) -> None:
        """Take the parts of a request.

        Args:
            store: the world.
            user: who asks; None for anonymous.
            scopes: of the token in use.
            expires_on: the token's last day.
            method: in capitals.
            origin: `http://127.0.0.1:PORT`, for links.
            path: still percent-encoded, for links.
            query: decoded pairs.
            body: the decoded JSON or form.
            headers: names in small letters.
            later: takes work that goes on after the answer.
        """
        self.store = store
        self.user = user
        self.scopes = scopes
        self.expires_on = expires_on
        self.method = method
        self.origin = origin
        self.path = path
        self.query = list(query)
        self.body = body
        self.headers = headers
        self.later = later
        self.place: dict[str, str] = {}
        """The decoded parts of the path that the route names, e.g. `id`."""

    # -- parameters

    def value(self, name: str) -> object | None:
        """Return a parameter from the body or the query, or None."""
        if name in self.body:
            return self.body[name]
        return next((value for key, value in reversed(self.query) if key == name), None)

    def given(self, name: str) -> bool:
        """Whether the caller sent a parameter at all, even an empty one."""
        return name in self.body or any(key in (name, f"{name}[]") for key, _ in self.query)

    def text(self, name: str) -> str | None:
        """Return a parameter as text; None where it is absent or null, 400 where it is a list or an object."""
        value = self.value(name)
        if isinstance(value, (list, dict)):
            raise Refusal(400, {"error": f"{name} is invalid"})
        return None if value is None else str(value)

    def required(self, name: str) -> str:
        """Return a parameter as text; 400 `<name> is missing` or `<name> is empty` without."""
        value = self.text(name)
        if value is None:
            raise Refusal(400, {"error": f"{name} is missing"})
        if not value.strip():
            raise Refusal(400, {"error": f"{name} is empty"})
        return value

    def number(self, name: str) -> int | None:
        """Return a whole number; 400 where it is something else."""
        value = self.text(name)
        if value is None or value == "":
            return None
        if not re.fullmatch(r"-?\d{1,18}", value):
            raise Refusal(400, {"error": f"{name} is invalid"})
        return int(value)

    def flag(self, name: str) -> bool | None:
        """Return a truth value; 400 where it is something else."""
        value = self.text(name)
        if value is None or value == "":
            return None
        if value.lower() not in _FLAGS:
            raise Refusal(400, {"error": f"{name} is invalid"})
        return _FLAGS[value.lower()]

    def choice(self, name: str, allowed: Sequence[str]) -> str | None:
        """Return one of the words that are allowed; 400 where it is something else."""
        value = self.text(name)
        if value is not None and value not in allowed:
            raise Refusal(400, {"error": f"{name} does not have a valid value"})
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """Return a list: `name[]=a&name[]=b`, a JSON array, or `a,b`; empty where absent."""
        many = [value for key, value in self.query if key == f"{name}[]"]
        value = self.body.get(f"{name}[]", self.value(name))
        if isinstance(value, (list, tuple)):
            many = [str(item) for item in value]
        elif value is not None and not many:
            many = str(value).split(",")
        return tuple(word.strip() for word in many if word.strip())

    def changed_labels(self, before: Sequence[str]) -> tuple[str, ...] | None:
        """Return labels after `labels`, `add_labels` and `remove_labels`; None where none of them is given."""
        names = ("labels", "add_labels", "remove_labels")
        if not any(self.given(name) for name in names):
            return None
        kept = self.words("labels") if self.given("labels") else tuple(before)
        removed = self.words("remove_labels")
        return tuple(
            name for name in dict.fromkeys((*kept, *self.words("add_labels"))) if name not in removed
        )

    def moment(self, name: str) -> datetime | None:
        """Return a time (ISO 8601, UTC unless it says otherwise); 400 where it is something else."""
        value = self.text(name)
        if not value:
            return None
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            raise Refusal(400, {"error": f"{name} is invalid"}) from None
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    def numbers(self, name: str) -> tuple[int, ...]:
        """Return a list of whole numbers; 400 where one is something else."""
        words = self.words(name)
        if not all(word.isdecimal() for word in words):
            raise Refusal(400, {"error": f"{name} is invalid"})
        return tuple(int(word) for word in words)

    # -- who and what

    @property
    def username(self) -> str | None:
        """Who asks, or None."""
        return self.user.username if self.user else None

    def signed_in(self) -> UserRow:
        """Return who asks; 401 for nobody."""
        if self.user is None:
            raise refuse(401, "401 Unauthorized")
        return self.user

    @cached_property
    def users(self) -> dict[str, UserRow]:
        """All accounts by name."""
        return self.store.users()

    def other_user(self) -> UserRow:
        """Return the account that the path names by id or username; 404 where there is none."""
        key = self.place["id"]
        found = self.store.user_by_id(int(key[:18])) if key.isdecimal() else self.store.user(key)
        if found is None:
            raise missing("User")
        return found

    @cached_property
    def seen_projects(self) -> tuple[str, list[object]]:
        """A condition on `projects` (without alias) that holds for those that the caller may see; its values."""
        if self.user is None:
            return "visibility = 'public'", []
        free = "visibility = 'public'" if self.user.external else "visibility <> 'private'"
        joined = ", ".join(map(str, sorted(self.joined_groups))) or "NULL"
        return (
            f"({free} OR namespace_id IN ({joined})"
            " OR id IN (SELECT project_id FROM members WHERE username = ?))",
            [self.user.username],
        )

    def can_see(self, project: ProjectRow) -> bool:
        """Whether who asks may see a project."""
        return visible(self.store, project, self.user)

    @cached_property
    def joined_groups(self) -> frozenset[int]:
        """Ids of the groups where the caller has a role, with everything below them."""
        if self.user is None:
            return frozenset()
        joined = self.store.namespaces_of(self.user.username)
        return frozenset(row.id for row in joined if row.kind == "group")

    def level(self, project: ProjectRow) -> int:
        """Return the caller's access level in a project."""
        return self.store.access_level(project, self.username)

    def find_project(self, key: str) -> ProjectRow | None:
        """Return a visible project by id or full path, or None."""
        if key.isdecimal():
            project = self.store.project(int(key[:18]))
        elif "/" in key:
            project = self.store.project_by_path(key)
            if project is not None and not self.store.visible_by_path(project):
                return None
        else:
            return None
        return project if project is not None and self.can_see(project) else None

    def project(self) -> ProjectRow:
        """Return the project that the path names; 404 where it is missing or hidden."""
        found = self.find_project(self.place["id"])
        if found is None:
            raise missing("Project")
        return found

    def iid(self) -> int:
        """Return the number of an issue or a merge request in the path; 400 where it is none."""
        text = self.place["iid"]
        if not text.isdecimal():
            raise Refusal(400, {"error": "iid is invalid"})
        return int(text) if len(text) < 18 else -1


def visible(store: Store, project: ProjectRow, user: UserRow | None) -> bool:
    """Whether somebody may see a project: public for all, internal for accounts, private for members."""
    if project.visibility == "public":
        return True
    if user is None:
        return False
    if project.visibility == "internal" and not user.external:
        return True
    return store.access_level(project, user.username) >= GUEST


Endpoint = Callable[[Call], Awaitable[Answer]]


class Route(Struct, frozen=True):
    """One operation; `:name` in the pattern stands for one percent-encoded part of the path."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    pattern: str
    endpoint: Endpoint
    scopes: tuple[str, ...] = ()
    """Token scopes of which one is enough; empty for the usual ones of the method."""

    def allowed(self) -> tuple[str, ...]:
        """Return the token scopes of which one is enough."""
        if self.scopes:
            return self.scopes
        return ("api", "read_api") if self.method == "GET" else ("api",)


class Router:
    """Finds the route of a path by its parts, so that an encoded slash stays inside its part."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes: dict[tuple[str, int], list[tuple[tuple[str, ...], Route]]] = {}
        for route in routes:
            parts = tuple(route.pattern.strip("/").split("/"))
            self._routes.setdefault((route.method, len(parts)), []).append((parts, route))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the route of a percent-encoded path below `/api/v4` and its decoded parts, or None."""
        given = path.strip("/").split("/")
        verb = "GET" if method == "HEAD" else method
        for parts, route in self._routes.get((verb, len(given)), ()):
            if all(part[0] == ":" or part == word for part, word in zip(parts, given, strict=True)):
                named = zip(parts, given, strict=True)
                return route, {part[1:]: unquote(word) for part, word in named if part[0] == ":"}
        return None

    def methods(self, path: str) -> list[str]:
        """Return the methods that a path knows, as `Allow` lists them; none for an unknown path."""
        known = [method for method in ("GET", "HEAD", "POST", "PUT", "DELETE") if self.find(method, path)]
        return ["OPTIONS", *known] if known else []


def answer(
    call: Call, document: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return a JSON answer with an entity tag; 304 where the caller knows it already."""
    body = msgspec.json.encode(document)
    tag = f'W/"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
    out = {"Etag": tag, "Cache-Control": "max-age=0, private, must-revalidate", **(headers or {})}
    known = [word.strip() for word in call.headers.get("if-none-match", "").split(",")]
    if status == 200 and call.method in ("GET", "HEAD") and tag in known:
        return Answer(status=304, headers=out)
    return Answer(status=status, body=body, headers=out)


class Page(Struct, frozen=True):
    """Which slice of a list is wanted."""

    number: int
    size: int

    @property
    def offset(self) -> int:
        """How many rows come before it."""
        return (self.number - 1) * self.size


def wanted_page(call: Call) -> Page:
    """Read `page` and `per_page` (1 and 20; at most 100)."""
    number = call.number("page")
    size = call.number("per_page")
    if number is not None and number < 1:
        number = 1
    if size == 0:
        raise Refusal(400, {"error": "per_page has a value not allowed"})
    return Page(number or 1, min(size, 100) if size is not None and size > 0 else 20)


def page_headers(call: Call, page: Page, *, more: bool, total: int | None) -> dict[str, str]:
    """Return the headers of an offset page; `total` is None where it is not told."""
    pages = None if total is None else max(1, -(-total // page.size))
    links = []
    if page.number > 1:
        links.append(_link(call, page.number - 1, page.size, "prev"))
    if more:
        links.append(_link(call, page.number + 1, page.size, "next"))
    links.append(_link(call, 1, page.size, "first"))
    headers = {
        "X-Page": str(page.number),
        "X-Per-Page": str(page.size),
        "X-Next-Page": str(page.number + 1) if more else "",
        "X-Prev-Page": str(page.number - 1) if page.number > 1 else "",
    }
    if pages is not None:
        links.append(_link(call, pages, page.size, "last"))
        headers["X-Total"] = str(total)
        headers["X-Total-Pages"] = str(pages)
    return {"Link": ", ".join(links), **headers}


def _link(call: Call, page: int, size: int, relation: str) -> str:
    query = [(key, value) for key, value in call.query if key not in ("page", "per_page")]
    query += [("page", str(page)), ("per_page", str(size))]
    return f'<{call.origin}{call.path}?{urlencode(sorted(query), quote_via=quote)}>; rel="{relation}"'


def next_link(call: Call, name: str, value: str) -> str:
    """Return the `Link` to the next page of a keyset, which begins after `value`."""
    query = [(key, word) for key, word in call.query if key not in (name, "page")] + [(name, value)]
    return f'<{call.origin}{call.path}?{urlencode(sorted(query), quote_via=quote)}>; rel="next"'


def paged(call: Call, items: Sequence[T], shape: Callable[[list[T]], object]) -> Answer:
    """Answer with the wanted page of a list that is in memory."""
    page = wanted_page(call)
    chosen = list(items[page.offset : page.offset + page.size])
    more = page.offset + page.size < len(items)
    return answer(call, shape(chosen), headers=page_headers(call, page, more=more, total=len(items)))


def counted(call: Call, page: Page, found: int, select: str, values: Sequence[object]) -> int:
    """Return how many rows a SELECT without LIMIT has, counting no further than needed.

    Args:
        call: the request.
        page: which slice was read.
        found: how many rows that gave, asked for one more than it has.
        select: the SELECT.
        values: its values.
    """
    if found <= page.size and (found or not page.offset):
        return page.offset + found
    return call.store.number(f"SELECT count(*) FROM (SELECT 1 FROM ({select}) LIMIT {MAX_COUNT + 1})", values)


def paged_rows(
    call: Call,
    kind: type[R],
    select: str,
    values: Sequence[object],
    shape: Callable[[list[R]], object],
) -> Answer:
    """Answer with the wanted page of what a SELECT without LIMIT finds."""
    page = wanted_page(call)
    rows = call.store.rows(kind, f"{select} LIMIT {page.size + 1} OFFSET {page.offset}", values)
    total = counted(call, page, len(rows), select, values)
    headers = page_headers(
        call, page, more=len(rows) > page.size, total=total if total <= MAX_COUNT else None
    )
    return answer(call, shape(rows[: page.size]), headers=headers)
