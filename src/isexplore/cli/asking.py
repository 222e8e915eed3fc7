"""Questions at the terminal, for those who run a subcommand by hand."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from isexplore.cli.output import take_back
from isexplore.errors import CancelledError

ENDING = (signal.SIGTERM, signal.SIGHUP)
"""Signals by which the system ends a program: a time limit, a closed terminal."""


def yes(question: str, *, otherwise: bool = True) -> bool:
    """Ask on standard error; `otherwise` is what an empty answer means."""
    answer = answer_to(question)
    return answer in ("y", "yes") or (otherwise and answer == "")


def answer_to(question: str) -> str | None:
    """Ask on standard error; return the answer in small letters, None where nobody answers."""
    answer = line_for(question)
    return None if answer is None else answer.lower()


def line_for(question: str) -> str | None:
    """Ask on standard error; return the line as it was typed, None where nobody answers."""
    take_back()
    print(question, end="", file=sys.stderr, flush=True)
    try:
        with interruptible():
            return input().strip()
    except EOFError:
        return None


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C, TERM and HUP end a question at once: asyncio's own handlers would wait for the answer first."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise stopped_by(number)

    before = {signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler)}
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stopped_by(number: int) -> CancelledError:
    """Return what to tell about an end that the system asked for, with the exit code that shells expect."""
    return CancelledError(
        f"Stopped by {signal.Signals(number).name}",
        "",
        "Nothing is lost: the same command goes on where it was.",
        exit_code=128 + number,
    )
