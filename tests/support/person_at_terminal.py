"""A person at a real terminal: a pty that pyte reads, and keys as a keyboard sends them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import pyte

ENTER, ESCAPE, DOWN = "\r", "\x1b", "\x1b[B"
CTRL_S = "\x13"
LEAVES_ALTERNATE, ENTERS_ALTERNATE = b"\x1b[?1049l", b"\x1b[?1049h"
LONG = 40.0
"""Seconds that anything may take."""
_UNKNOWN_TO_PYTE = (b"\x1b[>1u", b"\x1b[<u", b"\x1b[?u")
_DIVIDERS = str.maketrans("│▏▌", "   ")
_TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class PersonAtTerminal:
    """A terminal, the program in it, and who looks at it."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], size: tuple[int, int]) -> None:
        columns, rows = size
        self.master, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *words],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env={**environment, "TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": str(rows)},
            start_new_session=True,
        )
        os.close(inner)
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.output = b""
        """Everything that was written."""

    @property
    def text(self) -> str:
        """What the screen shows, line by line."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def words(self) -> str:
        """What the screen shows, as one line, without the lines that divide it."""
        return " ".join(self.text.translate(_DIVIDERS).split())

    def read(self, seconds: float = 0.1) -> bool:
        """Take in what was written; return False at its end."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.output += data
        for unknown in _UNKNOWN_TO_PYTE:
            data = data.replace(unknown, b"")
        self._stream.feed(data)
        return bool(data)

    def until(self, fact: Callable[[], object], what: str, seconds: float = LONG) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + seconds
        while not fact():
            assert time.monotonic() < deadline, f"waited in vain for {what}; the screen:\n{self.text}"
            assert self.read() or fact(), f"it ended before {what}; the screen:\n{self.text}"

    def sees(self, *words: str) -> None:
        """Wait until all the words are on the screen."""
        self.until(lambda: all(word in self.words for word in words), str(words))

    def send(self, keys: str) -> None:
        """Press keys."""
        os.write(self.master, keys.encode())

    def end(self, seconds: float = LONG) -> int:
        """Wait for the program's end; return its exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end; the screen:\n{self.text}"
            self.read(0.02)
        while select.select([self.master], [], [], 0)[0] and self.read(0):
            pass
        return self.process.returncode

    @property
    def is_restored(self) -> bool:
        """Whether the alternate screen was left, and the cursor is shown."""
        left = self.output.rfind(LEAVES_ALTERNATE) > self.output.rfind(ENTERS_ALTERNATE) >= 0
        return left and not self.screen.cursor.hidden


@contextlib.contextmanager
def person_at_terminal(
    *words: str, environment: Mapping[str, str] | None = None, size: tuple[int, int] = (120, 40)
) -> Iterator[PersonAtTerminal]:
    """Run Python with these arguments in a terminal while the block lasts."""
    person = PersonAtTerminal([sys.executable, *words], {**os.environ, **(environment or {})}, size)
    try:
        yield person
    finally:
        if person.process.poll() is None:
            os.killpg(person.process.pid, signal.SIGKILL)
            person.process.wait()
        os.close(person.master)
