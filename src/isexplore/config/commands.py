"""Asking another program for a token: no shell, no terminal, bounded in time and output."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

MAX_OUTPUT = 64 * 1024
"""Bytes that are read of an answer."""


class Answer(NamedTuple):
    """What a program said."""

    returncode: int
    output: str
    errors: str


class NoAnswerError(Exception):
    """The program is missing or did not answer in time; says which."""


async def ask(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    seconds: float,
    text: str = "",
    folder: str = "/",
) -> Answer:
    """Run a program in a session of its own, so that it cannot ask on the terminal, and return its answer.

    Args:
        arguments: the program and its arguments.
        environment: all of its variables.
        seconds: after this it is killed, with everything it started.
        text: for its standard input.
        folder: where it runs; not a clone, whose settings could name other programs.

    Raises:
        NoAnswerError: it cannot be started, took too long, or answered beyond `MAX_OUTPUT`.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )
    )
    try:
        # Cancelled in between, the event loop would kill the program alone and wait for its children.
        process = await asyncio.shield(starting)
    except asyncio.CancelledError:
        while not starting.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({starting})
        with suppress(OSError):
            await _end(starting.result())
        raise
    except FileNotFoundError:
        raise NoAnswerError("is not installed") from None
    except OSError as error:
        raise NoAnswerError(f"cannot be started: {error.strerror or type(error).__name__}") from None
    try:
        async with asyncio.timeout(seconds):
            output, errors = await _exchange(process, text)
            returncode = await process.wait()
    except TimeoutError:
        raise NoAnswerError(f"did not answer within {seconds:g} seconds") from None
    finally:
        await _end(process)
    return Answer(returncode, output.decode("utf-8", "replace"), errors.decode("utf-8", "replace"))


async def _exchange(process: asyncio.subprocess.Process, text: str) -> tuple[bytes, bytes]:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(text.encode())
        await process.stdin.drain()
    process.stdin.close()
    output, errors = await asyncio.gather(_read(process.stdout), _read(process.stderr))
    if len(output) > MAX_OUTPUT:
        raise NoAnswerError("answered with far too much")
    return output, errors


async def _read(stream: asyncio.StreamReader) -> bytes:
    """Return up to a byte more than `MAX_OUTPUT`; read on to the end so that the writer is not stuck."""
    kept = bytearray()
    while chunk := await stream.read(8192):
        kept += chunk[: max(0, MAX_OUTPUT + 1 - len(kept))]
    return bytes(kept)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill a program that has not ended, with its children; daemons of one that has may go on."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
