"""The list of all projects of a GitLab or of one of its groups, read in several places at once.

Keyset paging has no upper end and names the next page only with the one before it, so a hundred
thousand projects would be a thousand round trips one after the other. But it goes by the project's
id, and any part of the ids may be asked for: whoever has nothing to do takes over the second half of
what somebody else still has before them. The list of a group has pages by number alone, which end at
50,000 projects and move up when a project is deleted meanwhile, so that one would be passed over; but it
knows `id_after` too, and with that only first pages are asked for.

https://docs.gitlab.com/api/rest/#keyset-based-pagination
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import Struct

from isexplore.errors import WrongAnswerError
from isexplore.forge.gitlab_wire import WireProject
from isexplore.forge.paging import Params

if TYPE_CHECKING:
    from isexplore.forge.http import ForgeClient

_ALONE = 3
"""Pages of a list that are read one after the other, before it is worth dividing."""
_SHARE = 2.0
"""Pages that somebody must still expect for it to be worth taking half of them."""
MOST_PAGES = 100_000
_ALL = ("projects",)


class Gaps:
    """The ids that are still to be read, as parts of all numbers."""

    def __init__(self, text: str = "0-") -> None:
        """Begin with everything, or where a text from `text` says; one that is no such text is everything."""
        self._parts: list[tuple[int, int | None]] = []
        try:
            for part in text.split(",") if text else ():
                after, _, before = part.partition("-")
                self._parts.append((int(after), int(before) if before else None))
        except ValueError:
            self._parts = [(0, None)]

    @property
    def text(self) -> str:
        """The parts as `after-before`, both excluded, without an end for the last; empty when all is read."""
        return ",".join(f"{after}-{'' if before is None else before}" for after, before in self._parts)

    @property
    def parts(self) -> list[tuple[int, int | None]]:
        """Each part as the numbers that it lies between; None for no upper end."""
        return list(self._parts)

    def close(self, after: int, last: int | None) -> None:
        """Take out the ids above `after`, up to and including `last`; to the end if that is None."""
        kept: list[tuple[int, int | None]] = []
        for begin, end in self._parts:
            if (end is not None and end <= after + 1) or (last is not None and begin >= last):
                kept.append((begin, end))
                continue
            if begin < after:
                kept.append((begin, after + 1))
            if last is not None and (end is None or last + 1 < end):
                kept.append((last, end))
        self._parts = kept


class Listed(Struct, frozen=True):
    """A page of the list."""

    items: tuple[WireProject, ...]
    total: int | None
    left: str
    """What is still to be read after this page and all before it (`Gaps.text`)."""


class _Read(Struct, frozen=True):
    """What one request brought: the projects above one id up to another, or to the end."""

    items: tuple[WireProject, ...]
    after: int
    last: int | None


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

    def __init__(
        self, client: ForgeClient, path: tuple[str, ...], params: Params, page_size: int, count: int
    ) -> None:
        self._client = client
        self._path = path
        self._params = params
        self._page_size = page_size
        self._numbered = "pagination" not in params
        self._count = count
        self._waiting: asyncio.Queue[_Part] = asyncio.Queue()
        self._idle = 0
        self._open = 0
        self._newest = 0
        # What is read ahead is lost with the program, and whoever takes it in is slower than the forge anyway.
        self._pages: asyncio.Queue[_Read | None] = asyncio.Queue(max(1, count // 2))

    async def read_gaps(self, gaps: Gaps, newest: int) -> AsyncGenerator[_Read]:
        """Yield the pages of some parts, as they come.

        Args:
            gaps: the parts.
            newest: id of the newest project.
        """
        self._newest = newest
        for after, before in gaps.parts:
            self._add(_Part(after, before, begin=after))
        async with aclosing(self._read()) as pages:
            async for page in pages:
                yield page

    async def read(self, after: int, newest: int, seen: int, expected: int) -> AsyncGenerator[_Read]:
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
        async with aclosing(self._read()) as pages:
            async for page in pages:
                yield page

    async def _read(self) -> AsyncGenerator[_Read]:
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
        """Read a part; return true where the rest is to be asked for anew.

        That is when its half was given away, and after each full page where those have numbers.
        """
        params = {**self._params, "id_after": part.after, "id_before": part.before}
        async with aclosing(
            self._client.pages(self._path, params, item=WireProject, most=MOST_PAGES)
        ) as pages:
            async for page in pages:
                ids = [project.id for project in page.items]
                if ids and min(ids) <= part.after:
                    raise WrongAnswerError(
                        f"A list of {self._client.host} does not go on",
                        f"Projects above id {part.after} were asked for, and {min(ids)} came.",
                        "Tell the forge's administrators; a proxy may be answering from its cache.",
                        forge=self._client.name,
                    )
                if not ids:
                    continue
                before, part.after = part.after, max(ids)
                await self._pages.put(_Read(page.items, before, part.after))
                part.seen += len(ids)
                if len(ids) >= self._page_size and (self._gave_half(part) or self._numbered):
                    return True
        await self._pages.put(_Read((), part.after, None if part.before is None else part.before - 1))
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
    client: ForgeClient,
    params: Params,
    *,
    page_size: int,
    lanes: int,
    expected: int = 0,
    group: str = "",
    gaps: str = "0-",
) -> AsyncGenerator[Listed]:
    """Yield the pages of the list of projects: in the order of ids at first, a long one then in any order.

    Args:
        client: whom to ask.
        params: filters.
        page_size: projects on a page.
        lanes: most requests under way at once.
        expected: how many projects there are, about; 0 for unknown.
        group: whose projects; everybody's if empty.
        gaps: what is to be read, where some was read before (`Listed.left`).

    Raises:
        WrongAnswerError: the list runs in circles, or the forge takes no account of the ids asked for.
    """
    path = ("groups", group, "projects") if group else _ALL
    ordered: Params = {**params, "order_by": "id", "sort": "asc", "per_page": page_size}
    if not group:
        ordered = {**ordered, "pagination": "keyset"}
    left = Gaps(gaps)
    total: int | None = None

    async def ask_newest() -> int:
        found = await client.get_json(
            path, {**ordered, "sort": "desc", "per_page": 1}, type=tuple[WireProject, ...]
        )
        return found[0].id if found else 0

    def lane_reader() -> _Lanes:
        return _Lanes(client, path, ordered, page_size, lanes)

    if gaps != "0-":
        if left.parts:
            async with aclosing(lane_reader().read_gaps(left, await ask_newest())) as rest:
                async for read in rest:
                    left.close(read.after, read.last)
                    yield Listed(read.items, None, left.text)
        return
    seen = last = number = 0
    long = lanes > 1 and expected >= 2 * _ALONE * page_size
    asked = asyncio.create_task(ask_newest()) if long else None
    try:
        async with aclosing(client.pages(path, ordered, item=WireProject, most=MOST_PAGES)) as pages:
            async for page in pages:
                number += 1
                seen += len(page.items)
                total = page.total if number == 1 else total
                last = max((project.id for project in page.items), default=last)
                left.close(0, last)
                yield Listed(page.items, total, left.text)
                full = len(page.items) >= page_size
                if full and lanes > 1 and (long or number == _ALONE):
                    break
                if full and group:
                    break
            else:
                return
        end = await asked if asked is not None else await ask_newest()
    finally:
        if asked is not None:
            asked.cancel()
    if end <= last:
        return
    async with aclosing(lane_reader().read(last, end, seen, max(0, (total or expected) - seen))) as rest:
        async for read in rest:
            left.close(read.after, read.last)
            yield Listed(read.items, total, left.text)
