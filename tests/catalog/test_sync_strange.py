"""A sync with a forge that answers strangely, over real sockets: a message or a count, and the old rows stay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from isexplore.catalog.query import search
from isexplore.catalog.reports import ForgeReport
from isexplore.catalog.store import Account
from isexplore.catalog.sync import Options, Source, Sync
from isexplore.config.secrets import Secret
from isexplore.forge.gitea import GiteaForge
from isexplore.forge.gitlab import GitLabForge
from isexplore.forge.http import ForgeClient
from isexplore.models import Project
from tests.support.catalog import catalog
from tests.support.forge import ForgeServer, Reply, Seen, html
from tests.support.listing_forge import READING

LISTING = Options(looks=0, full=True)


def entry(number: int, **told: object) -> dict[str, object]:
    return {"id": number, "path_with_namespace": f"old/p{number}", "name": f"p{number}", **told}


OLD = [entry(number) for number in range(1, 4)]


class Strange:
    """A GitLab, at first in good health, and a catalog that was filled from it."""

    def __init__(self, server: ForgeServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.account = Account("work", server.url, "mia")
        self.timeout = 5.0

    def answer(self, answer: Any) -> None:
        self.server.on("GET", "/projects", answer)

    async def sync(self, options: Options = LISTING, **source: Any) -> ForgeReport:
        async with self._client() as client:
            forge = GitLabForge(name="work", url=self.server.url, client=client)
            sources = [Source(forge, self.account, ("innersource",), **source)]
            report = await Sync(str(self.folder), sources, READING, options).run()
        return report.forges[0]

    def _client(self) -> ForgeClient:
        client = ForgeClient(
            name="work", base_url=self.server.url, token=Secret("glpat-canary-1234567"), timeout=self.timeout
        )
        client.first_pause = 0.0
        return client

    async def file(self, limit: int) -> bytes | None:
        async with self._client() as client:
            project = Project(forge="work", id="1", path="old/p1", name="p1", url=self.server.url)
            forge = GitLabForge(name="work", url=self.server.url, client=client)
            return await forge.file(project, "README.md", limit=limit)

    def paths(self) -> list[str]:
        return sorted(row.path for row in search(catalog(self.folder, self.account), "", limit=500).rows)

    def incomplete(self) -> list[tuple[str, str]]:
        return catalog(self.folder, self.account).incomplete()


@pytest.fixture
async def strange(tmp_path: Path) -> AsyncIterator[Strange]:
    async with ForgeServer().running() as server:
        server.on("GET", "/topics", Reply(body=[{"id": 1, "name": "innersource"}]))
        there = Strange(server, tmp_path)
        there.answer(Reply(body=OLD))
        await there.sync()
        assert len(there.paths()) == 3
        yield there


def page_after(seen: Seen) -> int:
    return int(seen.query.get("id_after", "0"))


def linked(url: str, following: object, body: object) -> Reply:
    return Reply(body=body, headers={"Link": f'<{url}/projects?id_after={following}>; rel="next"'})


ENDLESS: dict[str, Callable[[str], Callable[[Seen], Reply]]] = {
    "the same page again and again": lambda url: lambda seen: linked(url, page_after(seen) + 1, OLD),
    "a page that names itself": lambda url: lambda seen: linked(url, page_after(seen), OLD),
    "a circle": lambda url: lambda seen: linked(url, 7 - page_after(seen), [entry(90 + page_after(seen))]),
    "empty pages": lambda url: lambda seen: linked(url, page_after(seen) + 100, []),
    "no list": lambda url: lambda seen: Reply(body={"projects": []}),
    "a web page": lambda url: lambda seen: html(),
    "half a list": lambda url: (
        lambda seen: Reply(body=b'[{"id": 1, "path_with_', headers={"Content-Type": "application/json"})
    ),
    "deeply nested": lambda url: (
        lambda seen: Reply(body=b"[" * 200_000, headers={"Content-Type": "application/json"})
    ),
    "entries of another kind": lambda url: lambda seen: Reply(body=[{"id": "one"}, 7, None]),
}


@pytest.mark.parametrize("what", ENDLESS)
async def test_a_listing_that_makes_no_sense_is_told_and_the_old_rows_stay(
    strange: Strange, what: str
) -> None:
    strange.answer(ENDLESS[what](strange.server.url))
    strange.server.requests.clear()
    report = await strange.sync()
    assert [(each.scope, each.kind) for each in report.failures] == [("innersource", "wrong-answer")]
    assert set(strange.paths()) >= {"old/p1", "old/p2", "old/p3"}
    assert strange.incomplete()[0][1].startswith("innersource: ")
    assert len(strange.server.requests) < 15


async def test_a_next_page_on_another_host_is_asked_for_here(strange: Strange) -> None:
    async with ForgeServer().running() as other:
        strange.answer(
            lambda seen: (
                Reply(body=[entry(9)]) if page_after(seen) == 3 else linked(f"{other.url}/evil", 3, OLD)
            )
        )
        report = await strange.sync()
        assert other.requests == []
    assert not report.failures
    assert strange.paths() == ["old/p1", "old/p2", "old/p3", "old/p9"]


async def test_one_project_under_two_ids_and_two_under_one_are_one_each(strange: Strange) -> None:
    twins = [entry(5, path_with_namespace="x/same"), entry(6, path_with_namespace="X/Same")]
    siblings = [entry(7, path_with_namespace="x/first"), entry(7, path_with_namespace="x/second")]
    strange.answer(Reply(body=[*OLD, *twins, *siblings]))
    report = await strange.sync()
    assert not report.failures
    paths = [path.lower() for path in strange.paths()]
    assert paths.count("x/same") == 1
    assert len({"x/first", "x/second"} & set(paths)) == 1
    assert len(paths) == 5
    assert not (await strange.sync()).failures


async def test_names_that_could_act_on_a_terminal_and_a_hundred_thousand_topics(strange: Strange) -> None:
    nasty = "\x00\x1b[31m[b]\u202eevil\u200b\r\n\x9b2J" + "\u0301" * 500
    wild = entry(8, name=nasty, description=nasty * 500, path_with_namespace=f"x/{nasty}", web_url=nasty)
    wild["topics"] = [f"t{number}" for number in range(100_000)]
    strange.answer(Reply(body=[*OLD, wild, entry(9, name="", path_with_namespace="")]))
    report = await strange.sync()
    assert not report.failures
    rows = search(catalog(strange.folder, strange.account), "topic:t1").rows
    assert len(rows) == 1
    text = "".join((rows[0].name, rows[0].path, rows[0].description, rows[0].url))
    assert not set(text) & set("\x00\x1b\u202e\u200b\r\x9b")
    assert len(rows[0].topics) <= 64


async def test_numbers_that_no_database_holds(strange: Strange) -> None:
    wild = entry(8, star_count=-5, forks_count=10**30, open_issues_count=10**30)
    strange.answer(Reply(body=[*OLD, wild]))
    report = await strange.sync()
    assert not report.failures
    (row,) = (one for one in search(catalog(strange.folder, strange.account), "").rows if one.id == "8")
    assert (row.stars, row.forks, row.open_issues) == (0, 1 << 53, 1 << 53)


async def drip(seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Answer a byte now and then, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def test_a_page_that_never_ends_is_given_up(strange: Strange) -> None:
    strange.timeout = 0.2
    strange.answer(drip)
    report = await strange.sync()
    assert [each.kind for each in report.failures] == ["unavailable"]
    assert strange.paths() == ["old/p1", "old/p2", "old/p3"]


async def test_a_page_without_end_is_refused_at_its_limit(strange: Strange) -> None:
    async def flood(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
        piece = b" " * (1 << 20)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()

    strange.answer(flood)
    report = await strange.sync()
    assert [each.kind for each in report.failures] == ["wrong-answer"]
    assert "larger than" in report.failures[0].reason


async def test_a_readme_without_end_is_read_to_its_limit(strange: Strange) -> None:
    sent = 0

    async def endless(seen: Seen, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while sent < 1 << 30 and not writer.is_closing():
            writer.write(b"words " * 10_000)
            sent += 60_000
            await writer.drain()

    strange.server.on("GET", "/projects/1/repository/files/README.md/raw", endless)
    data = await strange.file(32_768)
    assert data is not None
    assert len(data) == 32_768
    assert sent < 64 << 20, "the rest is not read"


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (Reply(404, {"message": "404 Group Not Found"}), "not-visible", ""),
        (Reply(403, {"message": "403 Forbidden"}), "forbidden", "403"),
        (Reply(500, {"message": "500 Internal Server Error"}), "unavailable", "500"),
        (Reply(429, b"Retry later\n", {"Retry-After": "86400"}), "rate-limited", "Try again at"),
    ],
    ids=["404", "403", "500", "429"],
)
async def test_one_group_of_two_fails_and_says_so(
    strange: Strange, reply: Reply, kind: str, words: str
) -> None:
    good = Reply(body=[entry(5, path_with_namespace="good/new")])
    strange.server.on("GET", "/groups/good/projects", good)
    strange.server.on("GET", "/groups/bad/projects", Reply(body=[entry(6, path_with_namespace="bad/old")]))
    both: dict[str, Any] = {"groups": ("good", "bad")}
    await strange.sync(**both)
    strange.server.on("GET", "/groups/bad/projects", reply)
    report = await strange.sync(**both)
    assert {each.scope for each in report.failures} >= {"innersource in bad"}
    failure = next(each for each in report.failures if each.scope == "innersource in bad")
    assert failure.kind == kind
    assert words in failure.reason
    assert {"good/new", "bad/old"} <= set(strange.paths())
    assert strange.incomplete()[0][0] == "work"
    assert "in bad: " in strange.incomplete()[0][1]


async def test_a_gitea_whose_pages_go_in_circles_is_told_and_loses_nothing(tmp_path: Path) -> None:
    async with ForgeServer().running() as server:
        account = Account("work", server.url, "mia")

        def found(numbers: range, page: object) -> Reply:
            data = [{"id": each, "full_name": f"old/p{each}", "name": f"p{each}"} for each in numbers]
            link = f'<{server.url}/api/v1/repos/search?page={page}>; rel="next"' if page else ""
            return Reply(body={"ok": True, "data": data}, headers={"Link": link})

        async def sync() -> ForgeReport:
            async with ForgeClient(name="work", base_url=server.url) as client:
                forge = GiteaForge(name="work", url=server.url, client=client)
                sources = [Source(forge, account, ("innersource",))]
                return (await Sync(str(tmp_path), sources, READING, LISTING).run()).forges[0]

        server.on("GET", "/repos/search", found(range(1, 6), None))
        assert (await sync()).listed == 5
        server.on("GET", "/repos/search", found(range(1, 3), 2))
        server.on("GET", "/repos/search", found(range(3, 4), 1), query={"page": "2"})
        report = await sync()
        assert [each.kind for each in report.failures] == ["wrong-answer"]
        assert catalog(tmp_path, account).count() == 5
