"""A forge on the loopback: real sockets, scripted answers, and a record of everything that was asked."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

RECORDED = Path(__file__).parent.parent / "forge" / "recorded"


@dataclass(frozen=True)
class Seen:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """Path as it was sent, percent-encoding and all."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Raw = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Reply:
    """An answer; `body` is sent as JSON unless it is bytes."""

    status: int = 200
    body: object = b""
    headers: dict[str, str] = field(default_factory=dict)

    def wire(self, method: str) -> bytes:
        headers = dict(self.headers)
        body = self.body
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        headers.setdefault("Content-Length", str(len(body)))
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = "Odd"
        lines = [f"HTTP/1.1 {self.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        return head if method == "HEAD" or self.status in (204, 304) else head + body


def html(title: str = "Sign in", status: int = 200, media_type: str = "text/html; charset=utf-8") -> Reply:
    body = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>Welcome</body></html>"
    return Reply(status, body.encode(), {"Content-Type": media_type})


def recorded(name: str) -> Reply:
    """Return an answer from `tests/forge/recorded/NAME.json`: `{"status", "headers", "body"}`."""
    data = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return Reply(data["status"], data["body"], dict(data.get("headers") or {}))


Answering = Reply | Raw | Callable[[Seen], Reply]


@dataclass
class _Route:
    method: str
    path: str
    query: Mapping[str, str]
    answers: list[Answering]

    def matches(self, seen: Seen) -> bool:
        if seen.method != self.method or unquote(seen.path) != unquote(self.path):
            return False
        return all(seen.query.get(name) == value for name, value in self.query.items())


class ForgeServer:
    """Answers on 127.0.0.1 by routes, the latest matching one first; anything else is a 404 like GitLab's.

    A route with several answers gives them one after the other and stays at the last one.
    """

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.requests: list[Seen] = []
        self.connections = 0
        """How often somebody connected."""
        self.url = ""
        self._routes: list[_Route] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    def on(self, method: str, path: str, *answers: Answering, query: Mapping[str, str] | None = None) -> None:
        """Answer `path` (below the prefix, decoded or not) with these."""
        self._routes.insert(0, _Route(method, self.prefix + path, query or {}, list(answers)))

    def asked(self, method: str, path: str) -> list[Seen]:
        """Return the requests for a path below the prefix."""
        whole = unquote(self.prefix + path)
        return [seen for seen in self.requests if seen.method == method and unquote(seen.path) == whole]

    def paths(self) -> list[str]:
        return [f"{seen.method} {seen.path.removeprefix(self.prefix)}" for seen in self.requests]

    @contextlib.asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[ForgeServer]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{'localhost' if tls else '127.0.0.1'}:{port}"
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for writer in self._writers:
                writer.transport.abort()
            await server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        self.connections += 1
        try:
            while not reader.at_eof() and await self._answer_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request_line, *lines = head.strip().split("\r\n")
        method, target, _ = request_line.split(" ", 2)
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (li.partition(":") for li in lines)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        seen = Seen(method, target, headers, body)
        self.requests.append(seen)
        answer = self._answer(seen)
        if isinstance(answer, Reply):
            writer.write(answer.wire(method))
            await writer.drain()
            return True
        outcome = answer(seen, writer)  # type: ignore[call-arg]
        assert isinstance(outcome, Awaitable)
        await outcome
        return False

    def _answer(self, seen: Seen) -> Answering:
        for route in self._routes:
            if route.matches(seen):
                answer = route.answers.pop(0) if len(route.answers) > 1 else route.answers[0]
                if not isinstance(answer, Reply) and not asyncio.iscoroutinefunction(answer):
                    return answer(seen)  # type: ignore[call-arg,return-value]
                return answer
        return Reply(404, {"error": "404 Not Found"})


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)
