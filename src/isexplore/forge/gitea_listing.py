"""The list of repositories of a Gitea or Forgejo, several pages under way at once.

Pages are numbered, and each tells how many there are. In the order of ids a repository that is deleted
meanwhile moves the later ones up, so that the next page would pass over some: a listing that goes on where
another one stopped, or finds that there are fewer now, begins at or before the last one that was seen.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from msgspec import Struct

from isexplore.errors import WrongAnswerError
from isexplore.forge.answers import decode
from isexplore.forge.gitea_wire import WireFound, WireProject
from isexplore.forge.paging import next_query, query_pairs, total

if TYPE_CHECKING:
    from isexplore.forge.http import ForgeClient
    from isexplore.forge.paging import Params

MOST_PAGES = 100_000
_PATH = ("repos", "search")
_PAGE_NUMBER = re.compile(r"[0-9]{1,9}")


class Found(Struct, frozen=True):
    """A page of the list."""

    number: int
    items: tuple[WireProject, ...]
    total: int | None
    goes_on: bool
    """Whether the server names a next page."""

    @property
    def last(self) -> int:
        """The highest id on the page."""
        return max((item.id for item in self.items), default=0)


async def search(
    client: ForgeClient, params: Params, *, lanes: int, page: int = 1, last: int = 0
) -> AsyncGenerator[Found]:
    """Yield the pages of a search, in order; in the order of ids, one again when there are fewer now.

    Args:
        client: whom to ask.
        params: filters, order and size of a page.
        lanes: most pages under way at once.
        page: where to begin.
        last: the highest id that was seen before that page, in the order of ids; 0 for none.

    Raises:
        WrongAnswerError: the list runs in circles or does not end.
    """
    asked = client.asked("GET", _PATH)

    async def ask(number: int, size: int = 0) -> Found:
        query = [*query_pairs(params), ("page", str(number))] if number > 1 else query_pairs(params)
        answer = await client.send("GET", _PATH, query=query)
        items = tuple(decode(answer, WireFound, asked).data or ())
        seen = (number - 1) * (size or len(items)) + len(items)
        following = next_query(answer, query, origin=client.origin, seen=seen, count=len(items))
        named = dict(following or ()).get("page", "")
        goes_on = bool(items) and following is not None
        if goes_on and (not _PAGE_NUMBER.fullmatch(named) or int(named) <= number or number >= MOST_PAGES):
            raise WrongAnswerError(
                f"A list of {client.host} does not end",
                f"Page {number:,} names a next one that came before.",
                "Tell the forge's administrators; a proxy may be answering from its cache.",
                forge=client.name,
                request=asked.request,
            )
        return Found(number, items, total(answer), goes_on)

    async def begin() -> Found:
        first = await ask(max(1, page))
        step = 1
        while first.number > 1 and (not first.items or min(item.id for item in first.items) > last):
            first = await ask(max(1, first.number - step))
            step *= 2
        return first

    async def onwards(first: Found) -> AsyncGenerator[Found]:
        yield first
        if not first.goes_on:
            return
        size = len(first.items)
        pages = -(-first.total // size) if first.total is not None else 0
        number = first.number
        under_way: deque[asyncio.Task[Found]] = deque()
        try:
            while True:
                while len(under_way) < lanes and (number < pages or not under_way):
                    number += 1
                    under_way.append(asyncio.create_task(ask(number, size)))
                found = await under_way[0]
                under_way.popleft()
                yield found
                if not found.items or (not found.goes_on and not under_way):
                    return
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    by_id = params.get("sort") == "id"
    while True:
        total_before = 0
        async with aclosing(onwards(await begin())) as pages:
            async for found in pages:
                if by_id and found.total is not None and found.total < total_before:
                    page = found.number
                    break
                total_before = found.total or 0
                last = max(last, found.last)
                yield found
            else:
                return
