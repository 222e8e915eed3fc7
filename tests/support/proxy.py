"""A proxy on the loopback that knows CONNECT, and sends every tunnel to a server of ours."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress


class ConnectProxy:
    """Counts tunnels; refuses them with `status` when that is not 200, or without `login` when one is set."""

    def __init__(self, to_port: int, *, status: str = "200 Connection established", login: str = "") -> None:
        self.to_port = to_port
        self.status = status
        self.login = login
        self.targets: list[str] = []
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ConnectProxy]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not await self._grant(reader, writer):
            # The connection stays open after a refusal: curl sends its login only when it was asked for one.
            pass
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to_port)
        try:
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        finally:
            far_writer.transport.abort()

    async def _grant(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and answer it; return whether there is a tunnel now."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self.targets.append(head.split(" ")[1])
        status = self.status
        if self.login:
            sent = next((line for line in head.split("\r\n") if line.lower().startswith("proxy-auth")), "")
            if not sent or b64decode(sent.rpartition(" ")[2]).decode() != self.login:
                status = "407 Proxy Authentication Required"
        ask = "Proxy-Authenticate: Basic realm=proxy\r\n" if status.startswith("407") else ""
        writer.write(f"HTTP/1.1 {status}\r\n{ask}Content-Length: 0\r\n\r\n".encode())
        await writer.drain()
        return status.startswith("2")


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
        writer.close()


@contextmanager
def in_a_thread(proxy: ConnectProxy) -> Iterator[ConnectProxy]:
    """Run a proxy beside a test that is not asynchronous itself."""
    loop = asyncio.new_event_loop()
    started, done = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with proxy.running():
            started.set()
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="proxy")
    thread.start()
    try:
        assert started.wait(5)
        yield proxy
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(10)
        assert not thread.is_alive()
        loop.close()
