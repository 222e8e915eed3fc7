"""A sync in a process of its own, so that nothing it does can delay a key press.

The child writes one JSON document a line on its standard output: `{"progress": {...}}` while it
runs and `{"report": {...}}` or `{"error": {...}}` at the end. It stops by itself when its standard
input is closed, which is what happens when whoever started it is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import IO

import msgspec

from isexplore.catalog.reports import SyncProgress, SyncReport
from isexplore.errors import CancelledError, IsexploreError, StateError
from isexplore.text import clean

_LINE = 1 << 20
_PATIENCE = 5.0
"""Seconds that a child has to end when asked to."""
_STEP = 0.1
"""Seconds between two lines of progress for one forge."""


class ErrorLine(msgspec.Struct, frozen=True):
    """An expected failure of the whole sync."""

    kind: str
    title: str
    detail: str = ""
    hint: str = ""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a child's output; exactly one field is set."""

    progress: SyncProgress | None = None
    report: SyncReport | None = None
    error: ErrorLine | None = None


Run = Callable[[Callable[[SyncProgress], None]], Awaitable[SyncReport]]


async def serve(run: Run, *, output: IO[bytes] | None = None, watch_input: bool = True) -> int:
    """Run a sync in a child process and write its progress as lines; return the exit code.

    Args:
        run: the sync, given where to tell progress.
        output: where the lines go; standard output if None.
        watch_input: stop when standard input is closed.
    """
    out = output if output is not None else sys.stdout.buffer
    encoder = msgspec.json.Encoder()
    loop = asyncio.get_running_loop()
    told: dict[str, tuple[str, float]] = {}

    def write(line: Line) -> None:
        # Nobody reading any more is no reason to lose what is being synced.
        with contextlib.suppress(BrokenPipeError, ValueError):
            out.write(encoder.encode(line) + b"\n")
            out.flush()

    def on_progress(progress: SyncProgress) -> None:
        phase, at = told.get(progress.forge, ("", 0.0))
        if phase != progress.phase or progress.waiting is not None or loop.time() - at >= _STEP:
            told[progress.forge] = (progress.phase, loop.time())
            write(Line(progress=progress))

    sync = asyncio.ensure_future(run(on_progress))
    if watch_input:
        _when_closed(loop, sync.cancel)
    try:
        write(Line(report=await sync))
    except asyncio.CancelledError:
        write(Line(error=ErrorLine(CancelledError.kind, "The sync was stopped")))
        return CancelledError.exit_code
    except IsexploreError as error:
        write(Line(error=ErrorLine(error.kind, error.title, error.detail, error.hint)))
        return error.exit_code
    return 0


def _when_closed(loop: asyncio.AbstractEventLoop, action: Callable[[], object]) -> None:
    """Do something once standard input is at its end."""
    try:
        descriptor = sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return

    def readable() -> None:
        try:
            ended = not os.read(descriptor, 4_096)
        except OSError:
            ended = True
        if ended:
            loop.remove_reader(descriptor)
            action()

    # A regular file as input cannot be watched, and is never closed on us.
    with contextlib.suppress(OSError, NotImplementedError):
        loop.add_reader(descriptor, readable)


class SyncProcess:
    """A sync that runs in a child process."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Prepare to start `command`, a program that calls `serve`.

        Args:
            command: program and arguments.
            environment: its variables; this process's if None.
        """
        self._command = tuple(command)
        self._environment = dict(environment) if environment is not None else None
        self._process: asyncio.subprocess.Process | None = None

    async def events(self) -> AsyncIterator[SyncProgress | SyncReport]:
        """Start it, and yield its progress and at last its report.

        Leaving the loop early, or cancelling, stops the child.

        Raises:
            StateError: the child cannot be started, or ended without a report.
            IsexploreError: the sync as a whole failed; the text is the child's.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment,
                start_new_session=True,
                limit=_LINE,
            )
        except OSError as error:
            raise StateError("The sync cannot be started", str(error), "Run: isexplore sync") from error
        self._process = process
        assert process.stdout is not None
        assert process.stderr is not None
        words = asyncio.create_task(process.stderr.read())
        decoder = msgspec.json.Decoder(Line)
        finished = False
        try:
            async for raw in process.stdout:
                try:
                    line = decoder.decode(raw)
                except msgspec.DecodeError:
                    continue
                if line.progress is not None:
                    yield line.progress
                elif line.report is not None:
                    finished = True
                    yield line.report
                elif line.error is not None:
                    raise _error(line.error)
            if not finished:
                code = await process.wait()
                detail = clean((await words).decode("utf-8", "replace")[-2_000:]).strip()
                raise StateError(
                    "The sync ended unexpectedly",
                    detail or f"The process ended with {code}.",
                    "What it had found is kept. Run: isexplore sync",
                )
        finally:
            await self.stop()
            words.cancel()

    async def stop(self) -> None:
        """Stop the child if it runs: what it has written stays."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_PATIENCE):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def _error(line: ErrorLine) -> IsexploreError:
    """Return the error that a child told, as the kind it was where that is known."""
    kinds: dict[str, type[IsexploreError]] = {}
    waiting: list[type[IsexploreError]] = [IsexploreError]
    while waiting:
        each = waiting.pop()
        kinds.setdefault(each.kind, each)
        waiting += each.__subclasses__()
    return kinds.get(line.kind, IsexploreError)(clean(line.title), clean(line.detail), clean(line.hint))
