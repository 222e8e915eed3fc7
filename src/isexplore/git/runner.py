"""Runs one git process: its own session, no terminal, bounded output, cancellable without leftovers."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct

from isexplore.errors import GitError
from isexplore.text import clean_line

OnOutput = Callable[[str], None]

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
_CHUNK = 1 << 16
_LINE_END = re.compile(rb"[\r\n]")


class Finished(Struct, frozen=True, kw_only=True):
    """A process that ended by itself."""

    returncode: int
    output: bytes
    """Standard output, at most `MAX_OUTPUT` bytes."""
    truncated: bool
    lines: tuple[str, ...]
    """The last lines of standard error, clean; progress that was overwritten is left out."""


class _Messages:
    """Splits standard error into lines; `\\r` ends a line that the next one overwrites."""

    def __init__(self, on_output: OnOutput | None, hide: Sequence[str]) -> None:
        self._on_output = on_output
        self._hide = tuple(secret for secret in hide if secret)
        self._rest = b""
        self._shown_at = 0.0
        self.kept: deque[str] = deque(maxlen=KEPT_LINES)

    def feed(self, data: bytes) -> None:
        data = self._rest + data
        start = 0
        for mark in _LINE_END.finditer(data):
            self._line(data[start : mark.start()], overwritten=mark.group() == b"\r")
            start = mark.end()
        # A line without an end must not grow without bound.
        self._rest = data[start:][-4 * MAX_LINE :]

    def close(self) -> None:
        self._line(self._rest, overwritten=False)
        self._rest = b""

    def _line(self, raw: bytes, *, overwritten: bool) -> None:
        text = raw[: 8 * MAX_LINE].decode("utf-8", "replace")
        for secret in self._hide:
            text = text.replace(secret, "***")
        text = clean_line(text, MAX_LINE)
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
        on_output: called with every line of standard error, clean; progress at most 20 times a second.
        quiet_limit: seconds without a byte from the process after which it is stopped; None waits.
        hide: words that must not appear in lines.
        hear_output: treat standard output as messages too (hooks write there).

    Raises:
        GitError: reason "missing" when there is no such program, "stalled" after `quiet_limit`.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environment),
            start_new_session=True,
            limit=_CHUNK,
        )
    except (FileNotFoundError, PermissionError):
        raise GitError(
            "Git is not installed",
            f"No program “{clean_line(command[0], 80)}” was found on PATH",
            "Install git (https://git-scm.com/downloads), then try again",
            reason="missing",
        ) from None
    messages = _Messages(on_output, hide)
    heard = [time.monotonic()]
    output = bytearray()
    seen = 0

    async def read_output(stream: asyncio.StreamReader) -> None:
        nonlocal seen
        while chunk := await stream.read(_CHUNK):
            heard[0] = time.monotonic()
            seen += len(chunk)
            output.extend(chunk[: max(0, MAX_OUTPUT - len(output))])
            if hear_output:
                messages.feed(chunk)

    async def read_messages(stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(_CHUNK):
            heard[0] = time.monotonic()
            messages.feed(chunk)

    assert process.stdout is not None
    assert process.stderr is not None
    readers = [
        asyncio.create_task(read_output(process.stdout)),
        asyncio.create_task(read_messages(process.stderr)),
    ]
    try:
        if stdin is not None and process.stdin is not None:
            with suppress(BrokenPipeError, ConnectionResetError):
                process.stdin.write(stdin)
                await process.stdin.drain()
            process.stdin.close()
        await _wait(process, heard, quiet_limit)
        # A hook may leave a child behind that holds the pipes open: do not wait for that one.
        await asyncio.wait(readers, timeout=_PIPE_GRACE)
    finally:
        if process.returncode is None:
            await _stop(process)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    messages.close()
    returncode = process.returncode
    assert returncode is not None
    return Finished(
        returncode=returncode,
        output=bytes(output),
        truncated=seen > len(output),
        lines=tuple(messages.kept),
    )


async def _wait(process: asyncio.subprocess.Process, heard: list[float], quiet_limit: float | None) -> None:
    if quiet_limit is None:
        await process.wait()
        return
    waiting = asyncio.ensure_future(process.wait())
    try:
        while True:
            left = heard[0] + quiet_limit - time.monotonic()
            if left <= 0:
                raise GitError(
                    "Git heard nothing from the server for too long",
                    f"No byte arrived for {quiet_limit:.0f} seconds, so isexplore stopped it",
                    "Check the network or VPN, then try again; nothing is lost",
                    reason="stalled",
                )
            done, _ = await asyncio.wait({waiting}, timeout=left)
            if done:
                return
    finally:
        waiting.cancel()


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End the process and everything in its group; a second cancellation kills at once."""
    try:
        _signal(process, signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), TERM_GRACE)
    finally:
        # Transports such as git-remote-https may outlive their parent.
        _signal(process, signal.SIGKILL)
    await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
