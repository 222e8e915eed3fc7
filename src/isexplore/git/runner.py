"""Runs one git process: its own session, no terminal, bounded output, cancellable without leftovers."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct

from isexplore.config.secrets import redact
from isexplore.errors import GitError
from isexplore.text import clean_line

OnOutput = Callable[[str], None]

log = logging.getLogger(__name__)

MAX_OUTPUT = 16 << 20
"""Bytes of standard output kept; the rest is read and dropped."""
MAX_LINE = 2_000
"""Characters of a line of git's messages."""
KEPT_LINES = 200
"""Last lines of git's messages kept for an error."""
TERM_GRACE = 2.0
"""Seconds between asking git to stop and killing it."""
_PIPE_GRACE = 1.0
_PROGRESS_EVERY = 0.05
_LINE_END = re.compile(rb"\r\n|[\r\n]")


class Finished(Struct, frozen=True, kw_only=True):
    """A process that ended by itself."""

    returncode: int
    output: bytes
    """Standard output, at most `MAX_OUTPUT` bytes."""
    truncated: bool
    lines: tuple[str, ...]
    """The last lines of standard error, clean; progress that was overwritten is left out."""


class Messages:
    """Splits standard error into lines.

    `\\r` ends a line that the next one overwrites; `\\r\\n`, as ssh writes it, ends one like `\\n`.
    """

    def __init__(self, on_output: OnOutput | None, hide: Sequence[str]) -> None:
        self._on_output = on_output
        self._hide = tuple(secret for secret in hide if secret)
        self._rest = b""
        self._last = b""
        """The line that a `\\r` at the end of a piece ended: a `\\n` at the start of the next keeps it."""
        self._shown_at = 0.0
        self.kept: deque[str] = deque(maxlen=KEPT_LINES)

    def feed(self, data: bytes) -> None:
        """Take what came, in whatever pieces."""
        if self._last and data:
            if data.startswith(b"\n"):
                self._line(self._last, overwritten=False)
            self._last = b""
        data = self._rest + data
        start = 0
        for mark in _LINE_END.finditer(data):
            overwritten = mark.group() == b"\r"
            self._line(data[start : mark.start()], overwritten=overwritten)
            if overwritten and mark.end() == len(data):
                self._last = data[start : mark.start()]
            start = mark.end()
        # A line without an end must not grow without bound.
        self._rest = data[start:][-4 * MAX_LINE :]

    def close(self) -> None:
        """Take what is left as a line."""
        self._line(self._rest, overwritten=False)
        self._rest = b""

    def _line(self, raw: bytes, *, overwritten: bool) -> None:
        text = raw[: 8 * MAX_LINE].decode("utf-8", "replace")
        for secret in self._hide:
            text = text.replace(secret, "***")
        text = clean_line(redact(text), MAX_LINE)
        if not text:
            return
        if overwritten:
            now = time.monotonic()
            if now - self._shown_at < _PROGRESS_EVERY:
                return
            self._shown_at = now
        else:
            self.kept.append(text)
        if self._on_output is not None:
            self._on_output(text)


class _Process(asyncio.SubprocessProtocol):
    """Collects what a process writes, and tells when it ended and when its pipes closed.

    `asyncio.subprocess.Process.wait` waits for the pipes too, which a hook's forgotten child holds open.
    """

    def __init__(self, messages: Messages, *, hear_output: bool) -> None:
        loop = asyncio.get_running_loop()
        self.messages = messages
        self.output = bytearray()
        self.truncated = False
        self.heard_at = time.monotonic()
        self.exited: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self._hear_output = hear_output

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.heard_at = time.monotonic()
        if fd == 2 or self._hear_output:
            self.messages.feed(data)
        if fd == 1:
            room = MAX_OUTPUT - len(self.output)
            self.output += data[:room]
            self.truncated |= len(data) > room

    def process_exited(self) -> None:
        if not self.exited.done():
            self.exited.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


async def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: bytes | None = None,
    on_output: OnOutput | None = None,
    quiet_limit: float | None = None,
    hide: Sequence[str] = (),
    hear_output: bool = False,
) -> Finished:
    """Run `command` to its end.

    Cancelling the task stops the whole process group (TERM, 2 seconds, KILL) before the cancellation
    goes on, so that nothing of it writes to the disk afterwards.

    Args:
        command: program and arguments; no shell sees them.
        environment: the whole environment.
        stdin: what the process reads; None gives it an empty file.
        on_output: called with every line of standard error, clean; progress at most 20 times a
            second. It must not raise.
        quiet_limit: seconds without a byte from the process after which it is stopped; None waits.
        hide: words that must not appear in lines.
        hear_output: treat standard output as messages too (hooks write there).

    Raises:
        GitError: reason "missing" when there is no such program, "failed" when the system cannot start it,
            "stalled" after `quiet_limit`.
    """
    loop = asyncio.get_running_loop()
    messages = Messages(on_output, hide)
    began = time.monotonic()
    try:
        starting = asyncio.ensure_future(
            loop.subprocess_exec(
                lambda: _Process(messages, hear_output=hear_output),
                *command,
                stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
                env=dict(environment),
                start_new_session=True,
            )
        )
        transport, process = await _started(starting)
    except (FileNotFoundError, PermissionError):
        raise GitError(
            "Git is not installed",
            f"No program “{clean_line(command[0], 80)}” was found on PATH",
            "Install git (https://git-scm.com/downloads), then try again",
            reason="missing",
        ) from None
    except OSError as error:
        # Too many open files or processes, no memory left, a command line that is too long.
        raise GitError(
            "Git cannot be started",
            f"The system refused it: {clean_line(error.strerror or type(error).__name__, 200)}",
            "Close what is not needed on this machine, then try again",
        ) from error
    try:
        if stdin is not None:
            pipe = transport.get_pipe_transport(0)
            assert isinstance(pipe, asyncio.WriteTransport)
            pipe.write(stdin)
            pipe.close()
        await _wait(process, quiet_limit)
        await asyncio.wait({process.closed}, timeout=_PIPE_GRACE)
    finally:
        try:
            if not process.exited.done():
                await _stop(transport.get_pid(), process)
        finally:
            transport.close()
    messages.close()
    returncode = transport.get_returncode()
    assert returncode is not None
    seconds = time.monotonic() - began
    log.debug("%s -> %d, %.0f ms", redact(" ".join(map(str, command))), returncode, seconds * 1_000)
    return Finished(
        returncode=returncode,
        output=bytes(process.output),
        truncated=process.truncated,
        lines=tuple(messages.kept),
    )


async def _started(
    starting: asyncio.Future[tuple[asyncio.SubprocessTransport, _Process]],
) -> tuple[asyncio.SubprocessTransport, _Process]:
    """Wait until a process runs; cancelled meanwhile, end it with its group, as if it had run already.

    The event loop itself would kill the process alone, and wait for children that hold its pipes.
    """
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        impatient = False
        while not starting.done():
            try:
                await asyncio.wait({starting})
            except asyncio.CancelledError:
                impatient = True
        with suppress(OSError):
            transport, process = starting.result()
            try:
                await _stop(transport.get_pid(), process, at_once=impatient)
            finally:
                transport.close()
        raise


async def _wait(process: _Process, quiet_limit: float | None) -> None:
    if quiet_limit is None:
        await asyncio.wait({process.exited})
        return
    while not process.exited.done():
        left = process.heard_at + quiet_limit - time.monotonic()
        if left <= 0:
            raise GitError(
                "Git heard nothing from the server for too long",
                f"No byte arrived for {quiet_limit:g} seconds, so isexplore stopped it",
                "Check the network or VPN, then try again; nothing is lost",
                reason="stalled",
            )
        await asyncio.wait({process.exited}, timeout=left)


async def _stop(group: int, process: _Process, *, at_once: bool = False) -> None:
    """End a process and everything in its group; at once, or a second cancellation, kills without asking first."""
    try:
        if not at_once:
            _signal(group, signal.SIGTERM)
            await asyncio.wait({process.exited}, timeout=TERM_GRACE)
    finally:
        # Transports such as git-remote-https may outlive their parent; with the last one the pipes close.
        _signal(group, signal.SIGKILL)
        await asyncio.wait({process.exited}, timeout=TERM_GRACE)
        await asyncio.wait({process.closed}, timeout=_PIPE_GRACE)


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
