"""What GitLab tells of many projects at once: languages over GraphQL, labelled issues of a group or of all.

https://docs.gitlab.com/api/graphql/reference/#queryprojects, https://docs.gitlab.com/api/issues/
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, field

from isexplore.errors import InvalidError, UnavailableError, WrongAnswerError
from isexplore.forge.base import LANGUAGES_AT_ONCE
from isexplore.forge.gitlab_wire import WireIssue
from isexplore.text import clean_line

if TYPE_CHECKING:
    from isexplore.forge.http import ForgeClient
    from isexplore.forge.paging import Params

PER_PAGE = 100
"""The most that GitLab puts on a page."""
_LANES = 4
"""Pages of issues asked for at once: each is much work for the server."""
_LEAST = 10
"""Projects that are asked about together even where more are too much."""
_PROJECT = "gid://gitlab/Project/"
_TOO_LATE = "Timeout on "
"""How the error begins that GitLab gives for a part of a query for which its time did not suffice."""
# Eleven points of the 200 that an anonymous query may cost.
_LANGUAGES = """query($ids: [ID!]) {
  projects(ids: $ids, first: 100) { nodes { id languages { name share } } }
}"""


class _Language(Struct):
    name: str | None = None
    share: float | None = None


class _Project(Struct):
    id: str
    languages: list[_Language] | None = None


class _Projects(Struct):
    nodes: list[_Project | None] | None = None


class _Data(Struct):
    projects: _Projects | None = None


class _Error(Struct):
    message: str | None = None


class _Answer(Struct):
    data: _Data | None = None
    errors: list[_Error] = field(default_factory=list)


async def languages_of(client: ForgeClient, url: str, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the languages of up to `LANGUAGES_AT_ONCE` projects by id, largest share first.

    What is too much for the server at once is asked for in halves.

    Raises:
        InvalidError: GraphQL does not answer this (closed, or a version without it).
        NotVisibleError: the same.
    """
    ids = ids[:LANGUAGES_AT_ONCE]
    try:
        return await _ask_languages(client, url, ids)
    except UnavailableError:
        if len(ids) <= _LEAST:
            raise
    half = len(ids) // 2
    first = await languages_of(client, url, ids[:half])
    return first | await languages_of(client, url, ids[half:])


async def _ask_languages(client: ForgeClient, url: str, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    variables = {"ids": [f"{_PROJECT}{each}" for each in ids]}
    body = {"query": _LANGUAGES, "variables": variables}
    answer = await client.send_json("POST", f"{url}/api/graphql", body, type=_Answer)
    words = "; ".join(clean_line(error.message or "") for error in answer.errors)
    if any((error.message or "").startswith(_TOO_LATE) for error in answer.errors):
        # A good answer by its status; what it did not come to in time is null in it.
        raise UnavailableError(
            f"{client.host} takes too long to tell the languages of {len(ids)} projects",
            words,
            "Try again in a few minutes.",
            forge=client.name,
        )
    projects = answer.data.projects if answer.data is not None else None
    if projects is None or projects.nodes is None:
        raise InvalidError("This GitLab does not tell the languages of many projects at once", words)
    found: dict[str, tuple[str, ...]] = dict.fromkeys(ids, ())
    for project in projects.nodes:
        if project is None:
            continue
        shares = sorted(project.languages or (), key=lambda each: -(each.share or 0.0))
        names = (clean_line(each.name or "", 60) for each in shares)
        found[project.id.removeprefix(_PROJECT)] = tuple(name for name in names if name)
    return found


async def labelled_issues(
    client: ForgeClient, path: tuple[str, ...], label: str, *, limit: int
) -> list[WireIssue]:
    """Return up to `limit` open issues with a label, latest change first, several pages at a time.

    GitLab has no keyset paging here, and no totals above 10,000: where the list ends shows when a page
    is not full.
    """
    params: Params = {
        "state": "opened",
        "scope": "all",
        "labels": label,
        "order_by": "updated_at",
        "sort": "desc",
        "per_page": PER_PAGE,
    }
    pages: dict[int, tuple[WireIssue, ...]] = {}
    last = max(1, -(-limit // PER_PAGE))

    async def ask(number: int) -> bool:
        nonlocal last
        found = await client.get_json(path, {**params, "page": number}, type=tuple[WireIssue, ...])
        if number > 1 and found and found == pages.get(number - 1):
            raise WrongAnswerError(
                f"A list of {client.host} does not go on",
                f"Page {number} of the issues with the label is the one before it.",
                "Tell the forge's administrators; a proxy may be answering from its cache.",
                forge=client.name,
            )
        pages[number] = found
        if len(found) < PER_PAGE:
            last = min(last, number)
        return number < last

    if await ask(1):
        numbers = iter(range(2, last + 1))

        async def lane() -> None:
            for number in numbers:
                if number > last or not await ask(number):
                    return

        lanes = [asyncio.create_task(lane()) for _ in range(min(_LANES, client.concurrency))]
        try:
            await asyncio.gather(*lanes)
        finally:
            for each in lanes:
                each.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)
    wires = [wire for number in sorted(pages) for wire in pages[number]]
    return wires[:limit]
