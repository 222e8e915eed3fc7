"""The list of all projects of a GitLab, read in several places at once.

Keyset paging has no upper end and names the next page only with the one before it, so a hundred
thousand projects would be a thousand round trips one after the other. But it goes by the project's
id, and any part of the ids may be asked for: whoever has nothing to do takes over the second half of
what somebody else still has before them.

https://docs.gitlab.com/api/rest/#keyset-based-pagination
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isexplore.errors import WrongAnswerError
from isexplore.forge.gitlab_wire import WireProject
from isexplore.forge.paging import Page, Params

if TYPE_CHECKING:
    from isexplore.forge.http import ForgeClient

_ALONE = 3
"""Pages of a list that are read one after the other, before it is worth dividing."""
_SHARE = 2.0
"""Pages that somebody must still expect for it to be worth taking half of them."""
_PATH = ("projects",)


@dataclass
class _Part:
    """Projects whose id is above `after` and below `before`."""

    after: int
    before: int | None
    begin: int
    """Where this part began."""
    seen: int = 0


class _Lanes:
    """Reads parts side by side."""

    def __init__(self, client: ForgeClient, params: Params, page_size: int, count: int) -> None:
        self._client = client
        self._params = params
        self._page_size = page_size
        self._count = count
        self._waiting: asyncio.Queue[_Part] = asyncio.Queue()
        self._idle = 0
        self._open = 0
        self._newest = 0
        self._pages: asyncio.Queue[Page[WireProject] | None] = asyncio.Queue(2 * count)

    async def read(
        self, after: int, newest: int, seen: int, expected: int
    ) -> AsyncGenerator[Page[WireProject]]:
        """Yield the pages above `after`, as they come.

        Args:
            after: id of the last project read.
            newest: id of the newest project.
            seen: how many were read up to there, which tells how close together they are.
            expected: how many are still to come, as far as is known; 0 for unknown.
        """
        self._newest = newest
        shares = max(1, min(self._count, expected // (self._page_size * 2)))
        step = max(1, (newest - after) // shares)
        begins = range(after, newest, step)[:shares]
        for number, begin in enumerate(begins):
            end = begins[number + 1] + 1 if number + 1 < len(begins) else None
            # How close together the projects of a part are shows with its first page.
            self._add(_Part(begin, end, begin=begin, seen=0) if number else _Part(begin, end, 0, seen))
        lanes = [asyncio.create_task(self._lane()) for _ in range(self._count)]
        watch = asyncio.gather(*lanes)
        watch.add_done_callback(lambda _: self._wake())
        try:
            while not (watch.done() and self._pages.empty()):
                page = await self._pages.get()
                if page is not None:
                    yield page
            await watch
        finally:
            watch.cancel()
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)

    def _wake(self) -> None:
        if self._pages.empty():
            self._pages.put_nowait(None)

    def _add(self, part: _Part) -> None:
        self._open += 1
        self._waiting.put_nowait(part)

    async def _lane(self) -> None:
        while self._open:
            self._idle += 1
            try:
                part = await self._waiting.get()
            finally:
                self._idle -= 1
            if part.after < 0:
                return
            while await self._goes_on(part):
                pass
            self._open -= 1
        for _ in range(self._count):
            self._waiting.put_nowait(_Part(-1, None, begin=0))

    async def _goes_on(self, part: _Part) -> bool:
        """Read a part; return true where its second half was given away and the rest is still to be read."""
        params = {**self._params, "id_after": part.after, "id_before": part.before}
        async with aclosing(self._client.pages(_PATH, params, item=WireProject)) as pages:
            async for page in pages:
                ids = [project.id for project in page.items]
                if ids and min(ids) <= part.after:
                    raise WrongAnswerError(
                        f"A list of {self._client.host} does not go on",
                        f"Projects above id {part.after} were asked for, and {min(ids)} came.",
                        "Tell the forge's administrators; a proxy may be answering from its cache.",
                        forge=self._client.name,
                    )
                await self._pages.put(page)
                if not ids:
                    continue
                part.after = max(ids)
                part.seen += len(ids)
                if len(ids) >= self._page_size and self._gave_half(part):
                    return True
        return False

    def _gave_half(self, part: _Part) -> bool:
        """Give the second half of a part to somebody who waits for work; return whether it was worth it."""
        end = part.before if part.before is not None else self._newest + 1
        expected = (end - part.after) * part.seen / max(1, part.after - part.begin)
        if self._idle <= self._waiting.qsize() or expected < _SHARE * self._page_size:
            return False
        middle = part.after + (end - part.after) // 2
        self._add(_Part(middle, part.before, begin=middle))
        part.before = middle + 1
        return True


async def whole_list(
    client: ForgeClient, params: Params, *, page_size: int, lanes: int, expected: int = 0
) -> AsyncGenerator[Page[WireProject]]:
    """Yield the pages of the list of projects: in the order of ids at first, a long one then in any order.

    Args:
        client: whom to ask.
        params: filters.
        page_size: projects on a page.
        lanes: most requests under way at once.
        expected: how many projects there are, about; 0 for unknown.

    Raises:
        WrongAnswerError: the list runs in circles, or the forge takes no account of the ids asked for.
    """
    keyset: Params = {
        **params,
        "pagination": "keyset",
        "order_by": "id",
        "sort": "asc",
        "per_page": page_size,
    }
    newest: Params = {**keyset, "sort": "desc", "per_page": 1}

    async def ask_newest() -> int:
        found = await client.get_json(_PATH, newest, type=tuple[WireProject, ...])
        return found[0].id if found else 0

    seen = last = number = 0
    long = lanes > 1 and expected >= 2 * _ALONE * page_size
    asked = asyncio.create_task(ask_newest()) if long else None
    try:
        async with aclosing(client.pages(_PATH, keyset, item=WireProject)) as pages:
            async for page in pages:
                yield page
                number += 1
                seen += len(page.items)
                last = max((project.id for project in page.items), default=last)
                if lanes > 1 and (long or number == _ALONE) and len(page.items) >= page_size:
                    break
            else:
                return
        end = await asked if asked is not None else await ask_newest()
    finally:
        if asked is not None:
            asked.cancel()
    if end <= last:
        return
    rest = _Lanes(client, keyset, page_size, lanes).read(last, end, seen, max(0, expected - seen))
    async with aclosing(rest) as pages:
        async for page in pages:
            yield page
