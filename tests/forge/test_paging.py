"""Lists that go on, that end, and that never would."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from msgspec import Struct

from isexplore.config.secrets import Secret
from isexplore.errors import WrongAnswerError
from isexplore.forge.answers import Answer
from isexplore.forge.http import ForgeClient
from isexplore.forge.paging import MAX_PAGES, PAGE_ITEMS, PROJECT_PAGES, link, next_query
from tests.support.forge import ForgeServer, Reply, Seen


class Thing(Struct):
    id: int


@pytest.fixture
async def server() -> AsyncIterator[ForgeServer]:
    async with ForgeServer().running() as running:
        yield running


@pytest.fixture
async def client(server: ForgeServer) -> AsyncIterator[ForgeClient]:
    async with ForgeClient(name="work", base_url=server.url, token=Secret("glpat-canary")) as client:
        yield client


async def ids(client: ForgeClient, **params: int) -> list[int]:
    return [thing.id for thing in await client.get_all(("list",), params, item=Thing)]


def things(first: int, last: int, **headers: str) -> Reply:
    return Reply(
        body=[{"id": number} for number in range(first, last + 1)],
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


async def test_link_is_followed_with_the_filters_kept(server: ForgeServer, client: ForgeClient) -> None:
    server.on("GET", "/list", things(1, 2, Link=f'<{server.url}/list?page=2&limit=2>; rel="next"'))
    server.on(
        "GET", "/list", things(3, 3, Link=f'<{server.url}/list?page=1>; rel="prev"'), query={"page": "2"}
    )
    assert await ids(client, limit=2, state=1) == [1, 2, 3]
    assert server.requests[1].query == {"page": "2", "limit": "2", "state": "1"}


async def test_next_page_is_empty_on_the_last_one(server: ForgeServer, client: ForgeClient) -> None:
    server.on("GET", "/list", things(1, 2, X_Next_Page="2"))
    server.on("GET", "/list", things(3, 4, X_Next_Page=""), query={"page": "2"})
    assert await ids(client, per_page=2) == [1, 2, 3, 4]


async def test_a_total_without_links_is_counted_up_to(server: ForgeServer, client: ForgeClient) -> None:
    server.on("GET", "/list", things(1, 2, X_Total_Count="3"))
    server.on("GET", "/list", things(3, 3, X_Total_Count="3"), query={"page": "2"})
    assert await ids(client, limit=2) == [1, 2, 3]
    assert len(server.requests) == 2


async def test_an_empty_page_ends_a_list_whatever_its_total_says(
    server: ForgeServer, client: ForgeClient
) -> None:
    server.on("GET", "/list", things(1, 2, X_Total_Count="30"))
    server.on("GET", "/list", things(1, 0, X_Total_Count="30"), query={"page": "2"})
    assert await ids(client) == [1, 2]


async def test_an_empty_list_may_be_null(server: ForgeServer, client: ForgeClient) -> None:
    server.on("GET", "/list", Reply(body=None))
    assert await ids(client) == []


async def test_a_link_to_another_host_gives_its_page_and_never_the_token(
    server: ForgeServer, client: ForgeClient
) -> None:
    async with ForgeServer().running() as other:
        foreign = f'<{other.url}/evil?page=2&admin=1&private_token=x>; rel="next"'
        server.on("GET", "/list", things(1, 2, Link=foreign))
        server.on("GET", "/list", things(3, 3), query={"page": "2"})
        assert await ids(client) == [1, 2, 3]
        assert other.requests == []
    assert server.requests[1].query == {"page": "2"}


@pytest.mark.parametrize("cycle", [1, 2, 3])
async def test_a_list_in_a_circle_is_an_error_not_a_part(
    server: ForgeServer, client: ForgeClient, cycle: int
) -> None:
    for page in range(1, cycle + 1):
        follower = page % cycle + 1
        reply = things(1, 2, Link=f'<{server.url}/list?page={follower}>; rel="next"')
        server.on("GET", "/list", reply, query={"page": str(page)})
    with pytest.raises(WrongAnswerError) as caught:
        await ids(client, page=1)
    assert "does not end" in caught.value.title
    assert len(server.requests) == cycle


async def test_a_list_without_end_is_an_error(server: ForgeServer, client: ForgeClient) -> None:
    def next_one(seen: Seen) -> Reply:
        page = int(seen.query.get("page", "1"))
        return things(page, page, X_Next_Page=str(page + 1))

    server.on("GET", "/list", next_one)
    with pytest.raises(WrongAnswerError, match="too long to read") as caught:
        await ids(client)
    assert "the list is incomplete" in caught.value.detail
    assert len(server.requests) == MAX_PAGES == 100


async def test_a_list_of_very_long_pages_is_an_error(server: ForgeServer, client: ForgeClient) -> None:
    def next_one(seen: Seen) -> Reply:
        page = int(seen.query.get("page", "1"))
        return things(page * 4_000, page * 4_000 + 3_999, X_Next_Page=str(page + 1))

    server.on("GET", "/list", next_one)
    with pytest.raises(WrongAnswerError, match="too long to read"):
        await ids(client)
    assert len(server.requests) == 3


async def test_a_long_list_that_came_as_a_whole_is_taken(server: ForgeServer, client: ForgeClient) -> None:
    server.on("GET", "/list", things(1, MAX_PAGES * PAGE_ITEMS + 1))
    assert len(await ids(client)) == 10_001


async def test_a_list_of_projects_may_be_longer(server: ForgeServer, client: ForgeClient) -> None:
    def next_one(seen: Seen) -> Reply:
        page = int(seen.query.get("page", "1"))
        return things(page, page, X_Next_Page=str(page + 1) if page < 150 else "")

    server.on("GET", "/list", next_one)
    pages = [page async for page in client.pages(("list",), item=Thing, most=PROJECT_PAGES)]
    assert len(pages) == 150


async def test_a_limit_stops_asking(server: ForgeServer, client: ForgeClient) -> None:
    server.on("GET", "/list", things(1, 5, X_Next_Page="2"))
    assert [thing.id for thing in await client.get_all(("list",), item=Thing, limit=3)] == [1, 2, 3]
    assert len(server.requests) == 1


async def test_a_page_that_is_no_list_is_an_error(server: ForgeServer, client: ForgeClient) -> None:
    server.on("GET", "/list", Reply(body={"message": "hello"}))
    with pytest.raises(WrongAnswerError):
        await ids(client)


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ('<https://h/a?page=2>; rel="next"', "https://h/a?page=2"),
        ("<https://h/a?page=2>;rel=next", "https://h/a?page=2"),
        ('<https://h/1>; rel="prev",<https://h/2>; rel="next",<https://h/3>; rel="last"', "https://h/2"),
        ('<https://h/a,b;c>; title="x, y"; rel="last next"', "https://h/a,b;c"),
        ('<https://h/1>; rel="nextish"', None),
        ("garbage", None),
        ("<" * 10_000, None),
        ("", None),
    ],
)
def test_link_header(header: str, target: str | None) -> None:
    assert link(header, "next") == target


def test_a_link_that_cannot_be_read_ends_the_list() -> None:
    answer = Answer(200, {"link": '<http://[::1/x>; rel="next"'}, b"[]")
    assert next_query(answer, [], origin="https://h", seen=1, count=1) is None
