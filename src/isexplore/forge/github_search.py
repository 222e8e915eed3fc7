"""Finding repositories on GitHub: one search for each topic, cut into slices above 1,000 results.

https://docs.github.com/rest/search/search#search-repositories
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from isexplore.errors import UnavailableError, WrongAnswerError
from isexplore.forge import github_parse as parse
from isexplore.forge.answers import decode
from isexplore.forge.base import ProjectPage
from isexplore.forge.github_wire import WireRepositories
from isexplore.forge.paging import next_query, query_pairs
from isexplore.models import Project
from isexplore.text import clean_line

if TYPE_CHECKING:
    from isexplore.forge.http import ForgeClient

PER_PAGE = 100
"""The most that GitHub puts on a page."""
MAX_RESULTS = 1_000
"""What a search gives out at most, whatever it counts."""
MAX_QUERY = 256
"""Characters of a query."""
PROPERTY = "prop:"
"""Begins a tag that is a custom property (`prop:innersource=true`) instead of a topic."""
_FOUNDED = datetime(2007, 10, 1, tzinfo=UTC)
_PAUSES = (2.0, 4.0)
"""Seconds before a search is asked again that timed out on the server."""
_PATH = ("search", "repositories")


class _Slice(Struct, frozen=True):
    """Repositories made between two moments, both included."""

    start: datetime
    end: datetime

    def halves(self) -> tuple[_Slice, _Slice]:
        middle = (self.start + (self.end - self.start) / 2).replace(microsecond=0)
        return _Slice(self.start, middle), _Slice(middle + timedelta(seconds=1), self.end)

    @property
    def words(self) -> str:
        return f"created:{_stamp(self.start)}..{_stamp(self.end)}"


class Come(Struct, frozen=True):
    """How far several searches have come: the cursor of their pages."""

    search: str = ""
    """The search that is under way; those before it are done."""
    slices: tuple[tuple[datetime, datetime], ...] = ()
    """What is left of it, the last one first; empty where it was not cut into slices."""


def come(cursor: str, searches: Sequence[str]) -> Come:
    """Return how far several searches had come, where they are still the same."""
    try:
        found = msgspec.json.decode(cursor, type=Come) if cursor else Come()
    except ValueError:
        return Come()
    return found if found.search in searches else Come()


async def search(
    client: ForgeClient,
    forge: str,
    query: str,
    now: datetime,
    slices: Sequence[tuple[datetime, datetime]] = (),
) -> AsyncIterator[ProjectPage]:
    """Yield every repository that a query finds; some twice where it had to be cut into slices.

    Args:
        client: whom to ask.
        forge: name of the forge.
        query: what to search for.
        now: the present.
        slices: what is left of a search that was begun before (`Come.slices`).

    Raises:
        UnavailableError: the server gave up in the middle, and again.
        WrongAnswerError: more than 1,000 were made in the same second.
    """
    total: int | None = None
    if slices:
        waiting = [_Slice(start, end) for start, end in slices]
    else:
        first, following = await _page(client, _pairs(query))
        total = first.total_count
        yield _projects(forge, first, total, _cursor(query, ()))
        if total <= MAX_RESULTS:
            async for found in _rest(client, following, seen=len(first.items or ())):
                yield _projects(forge, found, total, _cursor(query, ()))
            return
        whole = _Slice(_FOUNDED, now.astimezone(UTC).replace(microsecond=0) + timedelta(days=1))
        waiting = [*reversed(whole.halves())]
    while waiting:
        piece = waiting[-1]
        first, following = await _page(client, _pairs(f"{query} {piece.words}"))
        waiting.pop()
        if first.total_count <= MAX_RESULTS:
            last = [first]
            async for found in _rest(client, following, seen=len(first.items or ())):
                yield _projects(forge, last.pop(), total, _cursor(query, (*waiting, piece)))
                last.append(found)
            # A slice is read again from its beginning unless all of it had come.
            yield _projects(forge, last[0], total, _cursor(query, waiting))
        elif piece.end - piece.start >= timedelta(seconds=1):
            waiting.extend(reversed(piece.halves()))
        else:
            raise WrongAnswerError(
                f"{client.host} finds more projects than it gives out",
                f"More than {MAX_RESULTS:,} were made in the same second.",
                "Search in fewer groups: set groups for this forge in the configuration.",
                forge=forge,
                request="GET /search/repositories",
            )


async def _rest(
    client: ForgeClient, following: list[tuple[str, str]] | None, *, seen: int
) -> AsyncIterator[WireRepositories]:
    # The pages of a search end at the thousandth result, whatever the links say.
    while following is not None and seen < MAX_RESULTS:
        found, following = await _page(client, following, seen=seen)
        if not found.items:
            return
        seen += len(found.items)
        yield found


def _cursor(query: str, waiting: Sequence[_Slice]) -> str:
    return msgspec.json.encode(Come(query, tuple((each.start, each.end) for each in waiting))).decode()


def _pairs(query: str) -> list[tuple[str, str]]:
    return query_pairs({"q": query, "sort": "updated", "order": "desc", "per_page": PER_PAGE})


async def _page(
    client: ForgeClient, pairs: list[tuple[str, str]], *, seen: int = 0
) -> tuple[WireRepositories, list[tuple[str, str]] | None]:
    """Return a page, and the query of the next one; ask again when the search ran out of time."""
    for pause in (*_PAUSES, None):
        answer = await client.send("GET", _PATH, query=pairs)
        found = decode(answer, WireRepositories, client.asked("GET", _PATH))
        if not found.incomplete_results:
            count = len(found.items or ())
            link = next_query(answer, pairs, origin=client.origin, seen=seen + count, count=count)
            return found, link
        if pause is not None:
            await client.sleep(pause)
    raise UnavailableError(
        f"{client.host} could not finish the search",
        "It ran out of time and found a part only.",
        "Try again later, or search in fewer groups: set groups for this forge in the configuration.",
        forge=client.name,
        request="GET /search/repositories",
    )


def _projects(forge: str, found: WireRepositories, total: int | None, cursor: str) -> ProjectPage:
    projects: Iterable[Project] = (parse.parse_project(forge, wire) for wire in found.items or ())
    return ProjectPage(tuple(project for project in projects if not project.archived), total, cursor)


def markers(tags: Sequence[str]) -> list[str]:
    """Return the qualifier for each topic that a tag may be, and for each custom property.

    `topic:a topic:b` means both, so each is a search of its own.
    """
    found: dict[str, None] = {}
    for tag in tags:
        name, equals, value = tag.removeprefix(PROPERTY).partition("=")
        if tag.startswith(PROPERTY) and name and equals:
            found[f"props.{_word(name)}:{_quoted(value)}"] = None
        else:
            found.update(dict.fromkeys(f"topic:{topic}" for topic in parse.topic_spellings(tag)))
    return list(found)


def queries(
    marker: str, *, text: str = "", changed_after: datetime | None = None, groups: Sequence[str] = ()
) -> list[str]:
    """Return the searches for one marker (or "" for any project), each short enough for GitHub.

    Groups are alternatives, but only so many fit into a query.
    """
    parts = [part for part in (_text(text), marker, "archived:false") if part]
    if changed_after is not None:
        parts.append(f"pushed:>={_stamp(changed_after)}")
    base = " ".join(parts)
    # GitHub has no groups below groups.
    owners = [_word(group.strip("/").partition("/")[0]) for group in groups]
    places = [f"org:{owner}" for owner in dict.fromkeys(owners) if owner]
    if not places:
        return [base]
    found: list[str] = []
    query = base
    for place in places:
        if query != base and len(query) + 1 + len(place) + _SLICE_ROOM > MAX_QUERY:
            found.append(query)
            query = base
        query = f"{query} {place}"
    return [*found, query]


_SLICE_ROOM = len(" created:2007-10-01T00:00:00Z..2007-10-01T00:00:00Z")


def _text(text: str) -> str:
    """Return the user's words for a query, where they cannot be taken for qualifiers or operators."""
    words = [_quoted(word) for word in clean_line(text, 100).replace('"', " ").split()]
    return f"{' '.join(words)} in:name,description" if words else ""


def _quoted(word: str) -> str:
    word = word.replace('"', "").replace("\\", "")
    return word if re.fullmatch(r"\w[\w.-]*", word) and word not in ("AND", "OR", "NOT") else f'"{word}"'


def _word(name: str) -> str:
    return re.sub(r"[^\w.-]+", "", name)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
