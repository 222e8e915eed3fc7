"""The pages of a Gitea's list of repositories while it changes, and when it makes no sense."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from isexplore.errors import WrongAnswerError
from isexplore.forge.gitea_listing import search
from isexplore.forge.http import ForgeClient
from isexplore.forge.paging import Params
from tests.support.forge import ForgeServer, Reply, Seen

BY_ID: Params = {"sort": "id", "order": "asc", "limit": 5}
LANES = 4


@pytest.fixture
async def server() -> AsyncIterator[ForgeServer]:
    async with ForgeServer().running() as running:
        yield running


@pytest.fixture
async def client(server: ForgeServer) -> AsyncIterator[ForgeClient]:
    async with ForgeClient(name="work", base_url=server.url, concurrency=LANES) as client:
        yield client


@pytest.mark.parametrize("lanes", [1, LANES])
async def test_nothing_is_passed_over_when_some_are_deleted_meanwhile(
    server: ForgeServer, client: ForgeClient, lanes: int
) -> None:
    known = list(range(1, 204))

    def numbered(seen: Seen) -> Reply:
        number = int(seen.query.get("page", 1))
        items = [{"id": each, "full_name": f"g/p{each}"} for each in known[5 * number - 5 : 5 * number]]
        headers = {"X-Total-Count": str(len(known))}
        if 5 * number < len(known):
            headers["Link"] = f'<{server.url}/repos/search?page={number + 1}>; rel="next"'
        return Reply(body={"ok": True, "data": items}, headers=headers)

    server.on("GET", "/repos/search", numbered)
    came: set[int] = set()
    async for page in search(client, BY_ID, lanes=lanes):
        came |= {item.id for item in page.items}
        if len(known) > 190:
            del known[0]
    assert came >= set(known)
    assert len(server.requests) < 41 + 13 * (LANES + 2), "only what may have moved is asked for again"


@pytest.mark.parametrize("named", ["9" * 5_000, "\u0663", "-2", "two", ""])
async def test_a_next_page_that_is_no_number_ends_the_list(
    server: ForgeServer, client: ForgeClient, named: str
) -> None:
    link = (
        f'<{server.url}/repos/search?page={"".join(f"%{each:02X}" for each in named.encode())}>; rel="next"'
    )
    reply = Reply(body={"ok": True, "data": [{"id": 1, "full_name": "g/p"}]}, headers={"Link": link[:16_000]})
    server.on("GET", "/repos/search", reply)
    with pytest.raises(WrongAnswerError, match="does not end"):
        _ = [page async for page in search(client, BY_ID, lanes=LANES)]
