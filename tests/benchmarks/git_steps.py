"""What a git step costs beside the same plain command: `python -m tests.benchmarks.git_steps`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

from isexplore.git.client import Git

ROUNDS = 15
FILES = 300


def plain(folder: Path, *words: str) -> None:
    """Run git as a person does."""
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def make_origin(folder: Path) -> None:
    """Make a small repository."""
    folder.mkdir()
    plain(folder, "init", "-q", "-b", "main")
    for number in range(FILES):
        (folder / f"file-{number}.txt").write_text(f"line {number}\n" * 20)
    plain(folder, "add", ".")
    plain(folder, "-c", "user.name=Nia", "-c", "user.email=nia@example.org", "commit", "-q", "-m", "Begin")


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Return how long some work takes."""
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start


def timed_plain(folder: Path, *words: str) -> float:
    """Return how long a plain command takes."""
    start = time.perf_counter()
    plain(folder, *words)
    return time.perf_counter() - start


async def measure(root: Path) -> None:
    """Print the table."""
    clone = root / "origin"
    make_origin(clone)
    git = Git()
    pairs: dict[str, list[tuple[float, float]]] = {"switch -c": [], "diff": []}
    for turn in range(ROUNDS):
        theirs = timed_plain(clone, "switch", "-q", "-c", f"plain-{turn}", "main")
        mine = await timed(lambda turn=turn: git.create_branch(clone, f"ours-{turn}", "main"))  # type: ignore[misc]
        pairs["switch -c"].append((theirs, mine))
        pairs["diff"].append((timed_plain(clone, "diff", "HEAD"), await timed(lambda: git.diff(clone))))
    for name, rounds in pairs.items():
        theirs, mine = (median(side) * 1000 for side in zip(*rounds, strict=True))
        bound = 1.15 * theirs + 3
        verdict = "met" if mine <= bound else "NOT met"
        print(
            f"G1  {name:10} git {theirs:6.1f} ms  isexplore {mine:6.1f} ms  at most {bound:6.1f}  {verdict}"
        )


def main() -> None:
    """Measure in a folder of its own."""
    os.environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_SYSTEM=os.devnull)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder)))


if __name__ == "__main__":
    main()
