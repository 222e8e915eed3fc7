"""Questions at the terminal, for those who run a subcommand by hand."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager


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
    print(question, end="", file=sys.stderr, flush=True)
    try:
        with interruptible():
            return input().strip()
    except EOFError:
        return None


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end a question at once: asyncio's own handler would wait for the answer first."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
