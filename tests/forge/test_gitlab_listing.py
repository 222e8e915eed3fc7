"""The list of all projects of a GitLab, read in several places at once, over real sockets."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing
from typing import cast

import pytest

from isexplore.config.secrets import Secret
from isexplore.errors import ForbiddenError, NotVisibleError, WrongAnswerError
from isexplore.forge.base import ProjectPage
from isexplore.forge.gitlab import GitLabForge
from isexplore.forge.gitlab_listing import Gaps, whole_list
from isexplore.forge.http import ForgeClient
from tests.support.forge import ForgeServer, Reply, Seen

PAGE = 10
LANES = 4


@pytest.fixture
async def server() -> AsyncIterator[ForgeServer]:
    server = ForgeServer()
    async with server.running():
        yield server


@pytest.fixture
async def client(server: ForgeServer) -> AsyncIterator[ForgeClient]:
    async with ForgeClient(
        name="work", base_url=server.url, token=Secret("glpat-abcdefgh12345678"), concurrency=LANES
    ) as client:
        yield client


def keyset(ids: Iterable[int], url: str) -> Callable[[Seen], Reply]:
    """Answer as GitLab's keyset paging does."""
    known = sorted(ids)

    def answer(seen: Seen) -> Reply:
        size = int(seen.query["per_page"])
        after, before = int(seen.query.get("id_after", 0)), int(seen.query.get("id_before", 1 << 40))
        found = [each for each in known if after < each < before]
        if seen.query["sort"] == "desc":
            found.reverse()
        body = [{"id": each, "path_with_namespace": f"g/p{each}"} for each in found[:size]]
        headers = {}
        if len(found) > size and seen.query["sort"] == "asc":
            query = "&".join(
                f"{name}={value}" for name, value in {**seen.query, "id_after": str(body[-1]["id"])}.items()
            )
            headers["Link"] = f'<{url}{seen.path}?{query}>; rel="next"'
        return Reply(body=body, headers=headers)

    return answer


async def ids_of(client: ForgeClient, lanes: int = LANES, expected: int = 0) -> list[int]:
    pages = whole_list(client, {"archived": False}, page_size=PAGE, lanes=lanes, expected=expected)
    return [project.id async for page in pages for project in page.items]


@pytest.mark.parametrize(
    "ids",
    [
        range(1, 401),
        [*range(1, 41), *range(90_000, 90_300)],
        [each**2 for each in range(1, 300)],
        range(1, 31),
        range(1, 32),
        [7],
        [],
    ],
    ids=["dense", "two heaps", "ever sparser", "three pages", "three pages and one", "one", "none"],
)
@pytest.mark.parametrize("told", [0, 100, 400, 1_000_000])
async def test_every_project_comes_exactly_once(
    server: ForgeServer, client: ForgeClient, ids: Iterable[int], told: int
) -> None:
    expected = list(ids)
    server.on("GET", "/projects", keyset(expected, server.url))
    found = await ids_of(client, expected=told)
    assert Counter(found) == Counter(expected)


async def test_a_long_list_is_read_in_several_places_at_once(
    server: ForgeServer, client: ForgeClient
) -> None:
    answer = keyset(range(1, 1_001), server.url)
    under_way = most = 0

    async def slow(seen: Seen, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.005)  # the forge's latency
        under_way -= 1
        writer.write(answer(seen).wire("GET"))
        await writer.drain()

    server.on("GET", "/projects", slow)
    assert sorted(await ids_of(client)) == list(range(1, 1_001))
    assert most == LANES


async def test_reading_in_several_places_costs_few_requests_more(
    server: ForgeServer, client: ForgeClient
) -> None:
    server.on("GET", "/projects", keyset(range(1, 2_001), server.url))
    await ids_of(client, lanes=1)
    alone = len(server.requests)
    server.requests.clear()
    await ids_of(client)
    assert alone == 200
    assert len(server.requests) <= 1.25 * alone


async def test_a_short_list_costs_no_request_more(server: ForgeServer, client: ForgeClient) -> None:
    server.on("GET", "/projects", keyset(range(1, 26), server.url))
    await ids_of(client)
    assert len(server.requests) == 3


@pytest.mark.parametrize("group", ["", "platform"])
@pytest.mark.parametrize("stop", [1, 4, 30, 90])
async def test_a_list_goes_on_where_it_was_left(
    server: ForgeServer, client: ForgeClient, stop: int, group: str
) -> None:
    expected = [each * 3 for each in range(1, 1_001)]
    server.on("GET", f"/groups/{group}/projects" if group else "/projects", keyset(expected, server.url))
    first: list[int] = []
    left = "0-"
    pages = whole_list(client, {}, page_size=PAGE, lanes=LANES, expected=1_000, group=group)
    async with aclosing(pages) as listed:
        async for page in listed:
            first += [project.id for project in page.items]
            left = page.left
            stop -= 1
            if not stop:
                break
    server.requests.clear()
    rest = [
        project.id
        async for page in whole_list(client, {}, page_size=PAGE, lanes=LANES, gaps=left, group=group)
        for project in page.items
    ]
    assert sorted(first + rest) == expected
    needed = len(rest) / PAGE
    assert len(server.requests) <= 1.3 * needed + 3 * LANES


async def test_a_listing_that_is_closed_asks_for_nothing_more(server: ForgeServer) -> None:
    server.on("GET", "/topics", Reply(body=[{"id": 1, "name": "innersource", "total_projects_count": 5_000}]))
    server.on("GET", "/projects", keyset(range(1, 5_001), server.url))
    async with ForgeClient(name="work", base_url=server.url) as client:
        forge = GitLabForge(name="work", url=server.url, client=client)
        before = asyncio.all_tasks()
        pages = cast("AsyncGenerator[ProjectPage]", forge.find_projects(("innersource",)))
        async with aclosing(pages) as listed:
            number = 0
            async for _ in listed:
                number += 1
                if number == 6:
                    assert any("_lane" in repr(task) for task in asyncio.all_tasks()), "it reads ahead"
                    break
        assert not any("_lane" in repr(task) for task in asyncio.all_tasks() - before)


@pytest.mark.parametrize("size", [0, 700])
async def test_a_group_is_listed_with_its_subgroups_whatever_its_size(
    server: ForgeServer, client: ForgeClient, size: int
) -> None:
    server.on("GET", "/topics", Reply(body=[{"id": 1, "name": "innersource"}]))
    server.on("GET", "/groups/a%2Fb/projects", keyset(range(1, size + 1), server.url))
    forge = GitLabForge(name="work", url=server.url, client=client)
    found = [
        project.id
        async for page in forge.find_projects(("innersource",), groups=("a/b",))
        for project in page.projects
    ]
    assert len(found) == len(set(found)) == size
    for seen in server.requests[1:]:
        assert seen.query["include_subgroups"] == "true"
        assert seen.query["with_shared"] == "false"
        assert seen.query["topic"] == "innersource"
        assert "pagination" not in seen.query, "groups know pages by number alone"


async def test_a_group_behind_a_proxy_that_breaks_addresses(server: ForgeServer, client: ForgeClient) -> None:
    server.on("GET", "/topics", Reply(body=[{"id": 1, "name": "innersource"}]))
    server.on("GET", "/groups/a%2Fb/projects", Reply(404, {"error": "404 Not Found"}))
    forge = GitLabForge(name="work", url=server.url, client=client)
    with pytest.raises(NotVisibleError) as caught:
        _ = [page async for page in forge.find_projects(("innersource",), groups=("a/b",))]
    assert "group's number" in caught.value.hint
    assert caught.value.__cause__ is not caught.value


@pytest.mark.parametrize("lanes", [1, LANES])
async def test_a_group_loses_nothing_when_projects_are_deleted_while_it_is_listed(
    server: ForgeServer, client: ForgeClient, lanes: int
) -> None:
    known = list(range(1, 301))

    def numbered(seen: Seen) -> Reply:
        size, number = int(seen.query["per_page"]), int(seen.query.get("page", 1))
        if number > 5:
            return Reply(405, {"error": "Offset pagination has a maximum allowed offset of 50"})
        after, before = int(seen.query.get("id_after", 0)), int(seen.query.get("id_before", 1 << 40))
        found = [each for each in known if after < each < before]
        if seen.query["sort"] == "desc":
            found.reverse()
        part = found[(number - 1) * size : number * size]
        more = len(found) > number * size
        body = [{"id": each, "path_with_namespace": f"g/p{each}"} for each in part]
        return Reply(body=body, headers={"X-Next-Page": str(number + 1) if more else ""})

    server.on("GET", "/groups/platform/projects", numbered)
    pages = whole_list(client, {}, page_size=PAGE, lanes=lanes, group="platform")
    came: list[int] = []
    async for page in pages:
        came += [project.id for project in page.items]
        if page.items and len(known) > 250:
            known.remove(page.items[0].id)
    assert len(came) == len(set(came))
    assert set(came) >= set(known)


def test_gaps() -> None:
    gaps = Gaps()
    gaps.close(0, 10)
    assert gaps.text == "10-"
    gaps.close(50, 60)
    gaps.close(90, None)
    assert gaps.text == "10-51,60-91"
    gaps.close(60, 90)
    gaps.close(10, 30)
    assert Gaps(gaps.text).parts == [(30, 51)]
    gaps.close(0, None)
    assert gaps.text == ""
    assert Gaps("").parts == []
    assert Gaps("nonsense").parts == [(0, None)]


async def test_a_failing_place_fails_the_whole_list_and_ends_the_others(
    server: ForgeServer, client: ForgeClient
) -> None:
    answer = keyset(range(1, 1_001), server.url)

    def sometimes(seen: Seen) -> Reply:
        if int(seen.query.get("id_after", 0)) > 700:
            return Reply(403, {"message": "403 Forbidden"})
        return answer(seen)

    server.on("GET", "/projects", sometimes)
    before = asyncio.all_tasks()
    with pytest.raises(ForbiddenError):
        await ids_of(client)
    ours = {task for task in asyncio.all_tasks() - before if "_lane" in repr(task.get_coro())}
    assert not ours


async def test_whoever_stops_early_leaves_nobody_reading(server: ForgeServer, client: ForgeClient) -> None:
    server.on("GET", "/projects", keyset(range(1, 5_001), server.url))
    pages = whole_list(client, {}, page_size=PAGE, lanes=LANES)
    seen = 0
    async for _ in pages:
        seen += 1
        if seen == 20:
            break
    await pages.aclose()
    assert not [task for task in asyncio.all_tasks() if "_lane" in repr(task.get_coro())]
    assert len(server.requests) < 60


async def test_a_forge_that_takes_no_account_of_the_ids_is_named(
    server: ForgeServer, client: ForgeClient
) -> None:
    answer = keyset(range(1, 1_001), server.url)
    count = 0

    def stuck(seen: Seen) -> Reply:
        nonlocal count
        count += 1
        if count <= 4:
            return answer(seen)
        return Reply(body=[{"id": each, "path_with_namespace": f"g/p{each}"} for each in range(1, PAGE + 1)])

    server.on("GET", "/projects", stuck)
    with pytest.raises(WrongAnswerError) as caught:
        await ids_of(client)
    assert "does not go on" in caught.value.title
