"""A program in a terminal of its own, and somebody who types when asked."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEADLINE = 40.0
# The first terminal that a session's leader opens becomes the one that its questions go to.
_START = (
    "import os; os.open(os.ttyname(0), os.O_RDWR); "
    "from isexplore.__main__ import main; raise SystemExit(main())"
)


class Terminal:
    """What the program has written so far, and the keys that it gets."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master = master
        self.process = process
        self.seen = ""
        self._read_to = 0

    def until(self, words: str) -> None:
        """Read until `words` have been written after those that were waited for before."""
        end = time.monotonic() + DEADLINE
        while (found := self.seen.find(words, self._read_to)) < 0:
            assert time.monotonic() < end, f"waited in vain for {words!r}:\n{self.seen}"
            assert self._read(0.2), f"it ended without {words!r}:\n{self.seen}"
        self._read_to = found + len(words)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def interrupt(self) -> None:
        """Press ctrl+c once the program waits for an answer.

        Python sees a signal that comes just before it begins to read only after a line was read.
        """
        stat = Path(f"/proc/{self.process.pid}/stat")
        end = time.monotonic() + DEADLINE
        while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "S":
            assert time.monotonic() < end, f"it never waited for an answer:\n{self.seen}"
            time.sleep(0.002)
        self.type("\x03")

    def hides_what_is_typed(self) -> bool:
        """Tell whether the terminal does not echo."""
        return not termios.tcgetattr(self._master)[3] & termios.ECHO

    def end(self) -> int:
        """Wait until the program has ended; return its exit code."""
        end = time.monotonic() + DEADLINE
        while self._read(0.2):
            assert time.monotonic() < end, f"it did not end:\n{self.seen}"
        return self.process.wait(DEADLINE)

    def _read(self, seconds: float) -> bool:
        """Read what is there; False once there can be no more."""
        # Looked at first: what it writes just before its end must not be missed.
        has_ended = self.process.poll() is not None
        if not select.select([self._master], [], [], 0 if has_ended else seconds)[0]:
            return not has_ended
        try:
            data = os.read(self._master, 65_536)
        except OSError:
            # Linux tells like this that nobody has the other end open any more.
            return False
        self.seen += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(data)


@contextmanager
def terminal(*words: str, program: str = _START, columns: int = 0) -> Iterator[Terminal]:
    """Run `isexplore WORDS`, or another Python program, in a terminal while the block lasts.

    Args:
        words: the arguments.
        program: what to run.
        columns: how wide the terminal is; 0: it does not tell.
    """
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24 if columns else 0, columns))
    process = subprocess.Popen(
        [sys.executable, "-c", program, *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(master, process)
    finally:
        process.kill()
        process.wait(10)
        os.close(master)
