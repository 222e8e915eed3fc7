"""How fast a first sync is over HTTP: `python -m tests.benchmarks.sync_speed [SIZE [ROUNDS]]`.

A server in a process of its own answers as GitLab's keyset paging does, from memory and 50 ms late.
Round by round, with 16 connections: a bare asyncio client that only downloads (the floor), the
adapter's listing, the whole sync until everything can be searched; once, the same download one page
after the other. Then syncs without a change, with the number of requests; and how late a heartbeat
on the loop of the sync is, which runs in a process of its own in the program.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import multiprocessing.connection
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, urlsplit

from isexplore.catalog.store import Account
from isexplore.catalog.sync import Options, Source, Sync
from isexplore.forge.gitlab import GitLabForge
from isexplore.forge.http import ForgeClient
from tests.support.catalog import made_up
from tests.support.listing_forge import READING

LATENCY = 0.05
CONNECTIONS = 16
PAGE = 100
_FILLER = "x" * 2_400
"""Brings an entry to the 3.8 KB that GitLab sends for one."""


def entries(size: int) -> list[bytes]:
    """Return projects as GitLab lists them."""
    return [
        json.dumps(
            {
                "id": number,
                "name": one.name,
                "path_with_namespace": one.path,
                "description": one.description,
                "web_url": one.url,
                "http_url_to_repo": one.clone_url,
                "topics": one.topics,
                "star_count": one.stars,
                "forks_count": one.forks,
                "open_issues_count": one.open_issues,
                "created_at": one.created_at.isoformat() if one.created_at else None,
                "last_activity_at": one.last_activity.isoformat() if one.last_activity else None,
                "visibility": "internal",
                "archived": False,
                "default_branch": "main",
                "_links": {"filler": _FILLER},
            }
        ).encode()
        for number, one in enumerate(made_up(size), 1)
    ]


class Server:
    """The forge: `/topics` and `/projects` by keyset."""

    def __init__(self, size: int) -> None:
        self.entries = entries(size)
        self.pages: dict[tuple[int, int], bytes] = {}
        self.url = ""

    def answer(self, target: str) -> tuple[bytes, str]:
        """Return body and further headers."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query))
        size = len(self.entries)
        if parts.path.endswith("/topics"):
            topic = {"id": 1, "name": "innersource", "total_projects_count": size}
            return json.dumps([topic]).encode(), ""
        if "last_activity_after" in query:
            return b"[]", ""
        if query.get("sort") == "desc":
            return b"[" + self.entries[-1] + b"]", ""
        after = int(query.get("id_after", 0))
        end = min(after + PAGE, int(query.get("id_before", size + 1)) - 1, size)
        if (after, end) not in self.pages:
            self.pages[after, end] = b"[" + b",".join(self.entries[after:end]) + b"]"
        link = ""
        if end - after == PAGE and end < size:
            rest = "&".join(f"{name}={value}" for name, value in {**query, "id_after": end}.items())
            link = f'Link: <{self.url}{parts.path}?{rest}>; rel="next"\r\n'
        return self.pages[after, end], link

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests on one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                body, link = self.answer(head.split(b" ", 2)[1].decode())
                await asyncio.sleep(LATENCY)
                writer.write(
                    f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{link}"
                    f"Content-Length: {len(body)}\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def run_server(size: int, told: multiprocessing.connection.Connection) -> None:
    """Serve until killed."""

    async def work() -> None:
        forge = Server(size)
        server = await asyncio.start_server(forge.serve, "127.0.0.1", 0)
        forge.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        told.send(forge.url)
        await server.serve_forever()

    asyncio.run(work())


async def download_bare(url: str, size: int, connections: int = CONNECTIONS) -> None:
    """Download every page with as little as possible between it and the socket."""
    host, port = urlsplit(url).hostname, urlsplit(url).port
    starts = iter(range(0, size, PAGE))

    async def lane() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        for after in starts:
            writer.write(f"GET /api/v4/projects?id_after={after} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        writer.close()

    await asyncio.gather(*(lane() for _ in range(connections)))


def connect(url: str, asked: list[str]) -> GitLabForge:
    """Return the adapter, with a note of every request."""
    client = ForgeClient(
        name="work",
        base_url=f"{url}/api/v4",
        concurrency=CONNECTIONS,
        on_request=lambda method, path: asked.append(path),
    )
    return GitLabForge(name="work", url=url, client=client)


async def list_all(url: str, size: int) -> None:
    """List everything with the adapter."""
    forge = connect(url, [])
    seen = 0
    async for page in forge.find_projects(("innersource",)):
        seen += len(page.projects)
    await forge.close()
    assert seen == size, seen


async def sync_all(url: str, folder: str, asked: list[str], *, full: bool = False) -> None:
    """Sync, without looking closer at any project."""
    forge = connect(url, asked)
    source = Source(forge, Account("work", url, ""), ("innersource",))
    report = await Sync(folder, [source], READING, Options(looks=0, full=full, concurrency=CONNECTIONS)).run()
    assert report.complete, report
    await forge.close()


async def timed(work: Callable[[], Awaitable[None]]) -> float:
    """Return how long something takes, in seconds."""
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start


async def heartbeat(lags: list[float]) -> None:
    """Note how late each beat of 2 ms comes."""
    while True:
        start = time.perf_counter()
        await asyncio.sleep(0.002)
        lags.append(time.perf_counter() - start - 0.002)


async def measure(url: str, size: int, rounds: int) -> None:
    """Print everything."""
    floors, listings, syncs = [], [], []
    lags: list[float] = []
    for _ in range(rounds):
        floors.append(await timed(lambda: download_bare(url, size)))
        listings.append(await timed(lambda: list_all(url, size)))
        with tempfile.TemporaryDirectory() as folder:
            beat = asyncio.create_task(heartbeat(lags))
            syncs.append(await timed(lambda path=folder: sync_all(url, path, [])))  # type: ignore[misc]
            beat.cancel()
    alone = await timed(lambda: download_bare(url, size, 1))
    floor, listing, synced = (statistics.median(each) for each in (floors, listings, syncs))
    lags.sort()
    print(f"{size:,} projects, {LATENCY * 1000:.0f} ms, {CONNECTIONS} connections, median of {rounds}")
    print(f"  bare download          {floor:6.2f} s")
    print(f"  listed by the adapter  {listing:6.2f} s   {listing / floor:5.2f} x bare (target 1.3)")
    print(f"  synced and searchable  {synced:6.2f} s   {synced / floor:5.2f} x bare (target 3.7)")
    print(f"  one page at a time     {alone:6.2f} s   sync {synced / alone:.2f} x of it (target 0.3)")
    print(f"  the sync's own loop is late by {lags[int(len(lags) * 0.99)] * 1000:.1f} ms (99 %)")
    with tempfile.TemporaryDirectory() as folder:
        await sync_all(url, folder, [])
        for name, full in (("nothing changed", False), ("full, nothing changed", True)):
            asked: list[str] = []
            seconds = await timed(lambda a=asked, f=full: sync_all(url, folder, a, full=f))  # type: ignore[misc]
            print(f"  {name:22} {seconds:6.2f} s   {len(asked)} requests")


def main() -> None:
    """Start the server, measure, stop it."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=run_server, args=(size, theirs), daemon=True)
    server.start()
    try:
        asyncio.run(measure(ours.recv(), size, rounds))
    finally:
        server.kill()
        server.join()


if __name__ == "__main__":
    main()
