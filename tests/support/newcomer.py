"""What a newcomer does in the practice world, by hand: change a file, commit with git."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
DEADLINE = 40.0


@contextmanager
def serving_practice() -> Iterator[dict[str, Any]]:
    """Serve the practice forge in the newcomer's world while the block lasts, with people who need not think long."""
    server = subprocess.Popen(
        [sys.executable, "-m", "isexplore", "practice", "serve", "--pace", "0.1"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        yield json.loads(server.stdout.readline())
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0
        server.stdout.close()


def git(folder: Path, *words: str) -> str:
    """Run git in a clone as Nia, who is configured nowhere else."""
    environment = {
        **os.environ,
        "GIT_AUTHOR_NAME": "Nia Newcomer",
        "GIT_AUTHOR_EMAIL": "nia@practice.example",
        "GIT_COMMITTER_NAME": "Nia Newcomer",
        "GIT_COMMITTER_EMAIL": "nia@practice.example",
    }
    done = subprocess.run(
        ["git", *words], cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout


def say_hello(clone: Path) -> None:
    """Do what issue 1 of docs/welcome asks: a line in the list of contributors, in its place."""
    file = clone / "CONTRIBUTORS.md"
    lines = file.read_text(encoding="utf-8").splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("- Priya"))
    lines.insert(place, "- Nia, first days of spring")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def note_the_change(clone: Path) -> None:
    """Do what the reviewer asks for: a line on top of the change log."""
    file = clone / "CHANGELOG.md"
    lines = file.read_text(encoding="utf-8").splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("- "))
    lines.insert(place, "- Add Nia to the contributors (Nia)")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def isexplore(*words: str, cwd: Path | None = None, code: int | None = 0) -> str:
    """Run the program as a process; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "isexplore", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if code is not None:
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def as_json(*words: str, code: int | None = 0) -> dict[str, Any]:
    """Run the program with --json; return its one document."""
    document: dict[str, Any] = msgspec.json.decode(isexplore(*words, "--json", code=code))
    return document


def until(look: Callable[[], T | None], what: str, *, pause: float = 0.2) -> T:
    """Look until there is something; a deadline, not a sleep, ends it."""
    end = time.monotonic() + DEADLINE
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(pause)
