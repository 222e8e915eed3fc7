"""Starting the practice forge: in this process (`serve`), or as a child of it (`start_child`).

A data folder holds one world and serves one process at a time:

    lock          held by the process that serves it
    server.json   how to reach that process (0600); only while it runs
    server.log    what a child had to say
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec
from filelock import FileLock, Timeout
from msgspec import Struct

from isexplore.errors import EXIT_BUG, EXIT_OK, StateError, UsageError

if TYPE_CHECKING:
    from isexplore.practice.store import Store

HOST = "127.0.0.1"
NEWCOMER = "nia"
"""The account that the learner plays."""
_OWN_NAMES = (
    "world.sqlite3",
    "world.sqlite3-wal",
    "world.sqlite3-shm",
    "repositories",
    "hooks",
    "server.json",
)
_PATIENCE = 60.0
"""Seconds to wait for a child's first words; the first start writes the whole world."""
_TEMPLATE = {
    "CONTRIBUTING.md": "# Contributing\n\nOpen a merge request. We look at new ones within three working days.\n",
    "README.md": "# A synthetic project\n\nIt is here to fill the catalog of the practice forge.\n",
}
"""Files that every synthetic project shows, by name in git's order."""


class Announcement(Struct, frozen=True, kw_only=True):
    """The one line of JSON that a server prints when it is ready, and what server.json holds."""

    url: str
    token: str
    user: str
    data: str
    pid: int
    started: datetime
    former_origins: tuple[str, ...] = ()
    """Earlier addresses of this world: the remotes of older clones hold them."""


class Server:
    """A practice forge that runs, whoever started it."""

    def __init__(self, announcement: Announcement, process: subprocess.Popen[bytes] | None) -> None:
        """Take a running server.

        Args:
            announcement: how to reach it.
            process: the child; None for a server that somebody else started and will end.
        """
        self.announcement = announcement
        self.process = process

    @property
    def url(self) -> str:
        """Its origin, `http://127.0.0.1:PORT`."""
        return self.announcement.url

    @property
    def token(self) -> str:
        """The newcomer's token; changes with every start."""
        return self.announcement.token

    @property
    def user(self) -> str:
        """The newcomer's username."""
        return self.announcement.user

    @property
    def former_origins(self) -> tuple[str, ...]:
        """Earlier origins of the same world."""
        return self.announcement.former_origins

    def stop(self, patience: float = 5.0) -> None:
        """End the child, within `patience` seconds; a server of somebody else's stays."""
        process = self.process
        if process is None:
            return
        self.process = None
        with contextlib.suppress(OSError):
            if process.stdin:
                process.stdin.close()
            process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


# -- serving in this process


def serve(
    *,
    data: Path,
    port: int = 0,
    projects: int = 0,
    latency: int = 0,
    fresh: bool = False,
    parent_pipe: bool = False,
    pace: float = 1.0,
    out: IO[str] | None = None,
) -> int:
    """Run the practice forge until TERM or INT, or until the parent is gone; return the exit code.

    Prints one line of JSON (`Announcement`) when it answers.

    Args:
        data: the world's folder.
        port: which to listen on; 0 for the one of last time, or any.
        projects: how many synthetic projects there are at least.
        latency: milliseconds that every answer waits.
        fresh: make a new world first.
        parent_pipe: end when standard input ends.
        pace: factor for the time that the people of the world take; 1.0 is lifelike.
        out: where to print; standard output when None.

    Raises:
        StateError: the folder is in use, holds something else, or cannot be written.
        UsageError: the port cannot be had.
    """
    with _locked(data):
        if fresh:
            _wipe(data)
        _check_folder(data)
        return asyncio.run(_serve(data, port, projects, latency, parent_pipe, pace, out or sys.stdout))


@contextlib.contextmanager
def _locked(data: Path) -> Iterator[None]:
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(data / "lock", mode=0o600)
        lock.acquire(timeout=0)
    except Timeout:
        raise StateError(
            "Another practice forge runs on this world",
            f"{data} is in use.",
            "End it first, or give another folder with --data.",
        ) from None
    except OSError as error:
        raise StateError("The practice world's folder cannot be used", str(error), "Check --data.") from error
    try:
        yield
    finally:
        lock.release()


def _wipe(data: Path) -> None:
    for name in _OWN_NAMES:
        path = data / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _check_folder(data: Path) -> None:
    known = {*_OWN_NAMES, "lock", "server.log"}
    strange = [entry.name for entry in data.iterdir() if entry.name not in known]
    if strange and not (data / "world.sqlite3").exists():
        raise StateError(
            "The folder holds something else than a practice world",
            f"{data} contains {strange[0]}.",
            "Give an empty or a new folder with --data.",
        )


async def _serve(
    data: Path, port: int, projects: int, latency: int, parent_pipe: bool, pace: float, out: IO[str]
) -> int:
    import uvicorn

    from isexplore.practice.maintainer import Maintainer
    from isexplore.practice.server import Knobs, PracticeForge
    from isexplore.practice.store import Store

    class Announced(uvicorn.Server):
        """Tells when it answers, and leaves signals to us, so that TERM is a clean end."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                announce()

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    with contextlib.ExitStack() as closing:
        store = Store(data)
        closing.callback(store.close)
        await prepare_world(store, projects)
        origins = _origins(store)
        listener = _listen(port, origins[-1] if origins else None)
        origin = f"http://{HOST}:{listener.getsockname()[1]}"
        forge = PracticeForge(
            store,
            origin=origin,
            knobs=Knobs(latency=latency / 1000),
            maintainer=Maintainer(store, pace=pace),
        )
        server = Announced(
            uvicorn.Config(
                forge.app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=2
            )
        )

        def announce() -> None:
            former = tuple(known for known in origins if known != origin)
            store.set_fact("origins", json.dumps([*former, origin]))
            announcement = Announcement(
                url=origin,
                token=next(iter(forge.tokens)),
                user=NEWCOMER,
                data=str(data),
                pid=os.getpid(),
                started=datetime.now(UTC),
                former_origins=former,
            )
            closing.enter_context(_announced(data, announcement, out))

        def end() -> None:
            server.should_exit = True

        forge.when_failed = end
        with _ended_by(end, parent_pipe):
            await server.serve(sockets=[listener])
        return EXIT_OK if forge.failure is None else EXIT_BUG


async def prepare_world(store: Store, projects: int) -> None:
    """Fill an empty world, and add synthetic projects where there are fewer than asked for."""
    from isexplore.practice import synthetic, world

    if store.empty:
        world.populate(store, store.now())
    if store.user(NEWCOMER) is None:
        store.create_user(NEWCOMER, "Nia Newcomer")
    have = int(store.fact("synthetic") or 0)
    if projects > have:
        await write_template(store)
        with store.transaction():
            store.create_light_projects(islice(synthetic.rows(projects), have, None))
            store.set_fact("synthetic", str(projects))


async def write_template(store: Store) -> None:
    """Make the repository that synthetic projects share, complete or not at all."""
    from isexplore.practice.repository import Signature, create_bare

    target = store.template_path()
    if target.exists():
        return
    temporary = target.with_name(f".{target.name}-new")
    shutil.rmtree(temporary, ignore_errors=True)
    repository = await create_bare(temporary, "main")
    entries = []
    for name, text in _TEMPLATE.items():
        _, blob = await repository.git("hash-object", "-w", "--stdin", stdin=text.encode())
        entries.append(f"100644 blob {blob.decode().strip()}\t{name}\n")
    _, tree = await repository.git("mktree", stdin="".join(entries).encode())
    author = Signature(name="Practice Forge", email="forge@practice.example", when=store.now())
    commit = await repository.commit_tree(tree.decode().strip(), (), "Start the project\n", author)
    await repository.set_branch("main", commit)
    temporary.rename(target)


def _origins(store: Store) -> list[str]:
    """Return the addresses that this world had, the latest last."""
    return [str(known) for known in json.loads(store.fact("origins") or "[]")]


def _listen(port: int, last_origin: str | None) -> socket.socket:
    """Bind a port of the loopback interface: the one that was asked for, that of last time, or any."""
    wanted = [port] if port else [int(last_origin.rpartition(":")[2])] if last_origin else []
    for candidate in [*wanted, *([] if port else [0])]:
        # asyncio sends at once (TCP_NODELAY) only where the protocol is named; else answers wait 40 ms for an ACK.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, candidate))
        except (OSError, OverflowError) as error:
            listener.close()
            if port:
                raise UsageError(
                    f"Port {port} cannot be used", str(error), "Give another one with --port, or none."
                ) from error
            continue
        return listener
    raise StateError(
        "There is no free port", f"Nothing can be bound on {HOST}.", "Check the machine's limits."
    )


@contextlib.contextmanager
def _announced(data: Path, announcement: Announcement, out: IO[str]) -> Iterator[None]:
    """Tell how to reach the server, in server.json while it runs and once in a line of JSON."""
    document = msgspec.json.encode(announcement)
    path = data / "server.json"
    temporary = data / f"server.json.{os.getpid()}"
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(document)
    temporary.replace(path)
    try:
        print(document.decode(), file=out, flush=True)
        yield
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _ended_by(end: Callable[[], None], parent_pipe: bool) -> Iterator[None]:
    """Call `end` on TERM, INT and HUP, and when the parent is gone."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, end)
    if parent_pipe:
        descriptor = sys.stdin.fileno()

        def heard() -> None:
            # The parent never writes: what can be read is the end of the pipe, or is of no interest.
            if not os.read(descriptor, 4096):
                loop.remove_reader(descriptor)
                end()

        loop.add_reader(descriptor, heard)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
        if parent_pipe:
            loop.remove_reader(sys.stdin.fileno())


# -- as a child of this process


def start_child(
    data: Path, *, fresh: bool = False, projects: int = 0, latency: int = 0, port: int = 0
) -> Server:
    """Return the practice forge of a data folder: the one that runs, or a new child of this process.

    The child ends with this process, however that ends. Blocks until the server answers.

    Args:
        data: the world's folder.
        fresh: make a new world first.
        projects: how many synthetic projects there are at least.
        latency: milliseconds that every answer waits.
        port: as for `serve`.

    Raises:
        StateError: it does not start, or `fresh` is asked for while somebody else uses the world.
    """
    deadline = time.monotonic() + _PATIENCE
    tries = 0
    while True:
        running = find_running(data)
        if running is not None and fresh:
            raise StateError(
                "The practice world is in use, so it cannot be started over",
                f"Process {running.announcement.pid} serves it.",
                "Quit the other isexplore practice, then try again.",
            )
        if running is not None:
            return running
        options = [*(("--fresh",) if fresh else ()), "--port", str(port)]
        options += ["--projects", str(projects), "--latency", str(latency)]
        server = _spawn(data, options, deadline)
        if server is not None:
            return server
        tries += 1
        if time.monotonic() > deadline or (tries > 1 and not _is_locked(data)):
            # Who holds the folder will answer or let go in a moment. Whoever fails while it is free never will.
            raise StateError(
                "The practice forge does not start",
                _last_words(data),
                f"{data / 'server.log'} may tell more.",
            )
        time.sleep(0.1)


def _is_locked(data: Path) -> bool:
    try:
        with FileLock(data / "lock", timeout=0, mode=0o600):
            return False
    except (OSError, Timeout):
        return True


def find_running(data: Path) -> Server | None:
    """Return the server that serves a data folder and answers, or None."""
    try:
        announcement = msgspec.json.decode((data / "server.json").read_bytes(), type=Announcement)
    except (OSError, msgspec.MsgspecError):
        return None
    host, _, port = announcement.url.removeprefix("http://").partition(":")
    if host != HOST or not port.isdecimal():
        return None
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    try:
        connection.request("GET", "/api/v4/user", headers={"PRIVATE-TOKEN": announcement.token})
        answers = connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return Server(announcement, None) if answers else None


def _spawn(data: Path, options: list[str], deadline: float) -> Server | None:
    """Start a child and wait for its announcement; None where it ended without one."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(data / "server.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "isexplore",
                "practice",
                "serve",
                "--parent-pipe",
                "--data",
                str(data),
                *options,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            # Ctrl+C in the terminal is for the parent, which ends the child in its own time.
            start_new_session=True,
        )
    line = _first_line(process, deadline)
    try:
        announcement = msgspec.json.decode(line, type=Announcement)
    except msgspec.MsgspecError:
        Server(_nobody(data), process).stop()
        return None
    return Server(announcement, process)


def _nobody(data: Path) -> Announcement:
    return Announcement(url="", token="", user="", data=str(data), pid=0, started=datetime.now(UTC))


def _first_line(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """Return the child's first line; what there is of it when it ends or the deadline passes."""
    if process.stdout is None:
        return b""
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n") and selector.select(max(0.0, deadline - time.monotonic())):
            chunk = os.read(process.stdout.fileno(), 65_536)
            if not chunk:
                break
            line += chunk
    return line


def _last_words(data: Path) -> str:
    try:
        lines = (data / "server.log").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-5:])
