"""The screens on a pseudo-terminal: what is painted, when, and what answers a key."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import pyte

LINES = 40
COLUMNS = 120


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return variables for a program whose world is below `folder`, as `Paths.under` has it."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "HOME": str(folder),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **{
            f"ISEXPLORE_{name.upper()}_DIR": str(folder / name)
            for name in ("config", "state", "cache", "data")
        },
        **more,
    }


LONG = 40.0
"""Seconds that something may take on a busy machine; a deadline only."""


class PtyScreen:
    """One program, its pseudo-terminal, and everything that it has written."""

    def __init__(
        self,
        command: Sequence[str],
        variables: Mapping[str, str],
        *,
        lines: int = LINES,
        columns: int = COLUMNS,
    ) -> None:
        self.lines, self.columns = lines, columns
        self.output = b""
        self._code: int | None = None
        self.started = time.perf_counter()
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
                os.execve(command[0], list(command), dict(variables))
            finally:
                os._exit(127)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.alive():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.descriptor)

    def send(self, keys: str) -> None:
        """Type."""
        os.write(self.descriptor, keys.encode())

    def read(self, seconds: float) -> bool:
        """Take in what is written within some seconds at most; tell whether anything was."""
        if not select.select([self.descriptor], [], [], seconds)[0]:
            return False
        try:
            got = os.read(self.descriptor, 1 << 16)
        except OSError:
            got = b""
        self.output += got
        return bool(got)

    def until(self, marker: str, *, since: int = 0, seconds: float = LONG) -> float:
        """Wait until the marker is in the output from byte `since` on; return seconds since the start."""
        wanted = marker.encode()
        deadline = time.monotonic() + seconds
        while self.output.find(wanted, since) < 0:
            left = deadline - time.monotonic()
            assert left > 0, f"{marker!r} was not painted; the screen:\n{self.text()}"
            assert self.read(left) or self.alive(), f"the program ended; it wrote:\n{self.text()}"
        return time.perf_counter() - self.started

    def quiet(self, seconds: float = 0.3) -> None:
        """Wait until nothing has been written for some time."""
        while self.read(seconds):
            pass

    def until_shows(self, fact: Callable[[list[str]], bool], what: str) -> None:
        """Wait until the lines of the screen are as they should be."""
        deadline = time.monotonic() + LONG
        while not fact(self.rows()):
            left = deadline - time.monotonic()
            assert left > 0, f"waited in vain for {what}; the screen:\n{self.text()}"
            assert self.read(left) or self.alive(), f"the program ended; it wrote:\n{self.text()}"

    def alive(self) -> bool:
        """Tell whether the program still runs."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code is None

    def end(self, seconds: float = LONG) -> int:
        """Wait for the program's own end, and return its exit code."""
        deadline = time.monotonic() + seconds
        while self.alive():
            assert time.monotonic() < deadline, f"it did not end; the screen:\n{self.text()}"
            self.read(0.02)
        while self.read(0):
            pass
        return self._code or 0

    def peak_memory(self) -> float:
        """Return the most MiB that the program has had in memory so far."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024

    def screen(self, output: bytes | None = None) -> pyte.Screen:
        """Return what the terminal shows after the output so far, or after this output."""
        screen = pyte.Screen(self.columns, self.lines)
        # The emulator would print the queries of the keyboard protocol, which it does not know.
        known = self.output if output is None else output
        for unknown in (b"\x1b[>1u", b"\x1b[<u", b"\x1b[?u"):
            known = known.replace(unknown, b"")
        pyte.ByteStream(screen).feed(known)
        return screen

    def rows(self, output: bytes | None = None) -> list[str]:
        """Return the lines of the screen, without the spaces at their ends."""
        return [line.rstrip() for line in self.screen(output).display]

    def text(self) -> str:
        """Return the screen as one text."""
        return "\n".join(self.rows())
