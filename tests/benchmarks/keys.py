"""How fast keys are answered: `python -m tests.benchmarks.keys [--size N] [--issues N] [--keys N]`.

Typing in Explore on a pseudo-terminal: from the key to the results painted, beside the echo of a
plain `Input` of Textual; the same while another process synchronises (writes to the catalog all the
time); moving in the list; and the start with a long list beside a short one. Typing in First issues
with ten thousand of them beside a thousand.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

from isexplore.config.paths import Paths
from tests.benchmarks.start_up import (
    ACCOUNT,
    BARE,
    PROGRAM,
    PYTHON,
    compile_sources,
    make_world,
    ours,
    report,
)
from tests.support.catalog import fill_issues, made_up
from tests.support.pty_screen import PtyScreen, environment

TARGETS = ("retry queue", "billing api", "sensor fleet", "auth token", "gateway", "metric trace")
REST = 0.06
"""Seconds between two keys: a fast typist."""
_WRITER = """
import sys, itertools
from tests.support.catalog import NOW, made_up
from isexplore.catalog.database import Database
from isexplore.catalog.store import Account
from isexplore.catalog.write import Writer
with Database(Account(*sys.argv[2:5]), sys.argv[1], clock=NOW.timestamp) as database:
    writer = Writer(database)
    for turn in itertools.count():
        batch = list(itertools.islice(made_up(100_000, seed=7), (turn * 100) % 5000, (turn * 100) % 5000 + 100))
        writer.upsert(batch)
"""


def answered(screen: PtyScreen, key: str, marker: bytes) -> float:
    """Press a key; return the seconds until the marker has been painted anew."""
    # Adding to megabytes of former frames would take longer than the key.
    screen.output = b""
    start = time.perf_counter()
    screen.send(key)
    while marker not in screen.output:
        screen.read(1.0)
        assert time.perf_counter() - start < 5.0, f"no answer to {key!r}:\n{screen.text()}"
    taken = time.perf_counter() - start
    screen.quiet(REST)
    return taken


def echo(folder: Path, keys: int) -> list[float]:
    """Return how long a plain Input takes to echo."""
    with PtyScreen([PYTHON, BARE, "echo"], environment(folder)) as screen:
        screen.until("▔")
        screen.quiet()
        return [
            answered(screen, "abcdefgh"[turn % 8], b"abcdefgh"[turn % 8 : turn % 8 + 1])
            for turn in range(keys)
        ]


def typing(folder: Path, first: str, keys: int, *, mode: str = "") -> list[float]:
    """Return how long isexplore takes from a typed key to its results, in the screen that the key `mode` opens."""
    taken: list[float] = []
    with PtyScreen(PROGRAM, environment(folder)) as screen:
        screen.until(first)
        screen.quiet(0.6)
        if mode:
            screen.send(mode)
            screen.until("#1")
            # The words of all issues are read with the first key, in a thread.
            screen.send("/e")
            time.sleep(1.0)
            screen.send("\x15")
            screen.quiet()
        else:
            screen.send("/")
        screen.quiet()
        while len(taken) < keys:
            for target in TARGETS:
                # The list is painted in the frame of the key: its first row has the cursor's mark.
                taken += [answered(screen, key, "▌".encode()) for key in target]
                screen.send("\x15")
                screen.quiet(0.2)
    return taken[:keys]


def moving(folder: Path, first: str, keys: int) -> list[float]:
    """Return how long the cursor takes to move."""
    with PtyScreen(PROGRAM, environment(folder)) as screen:
        screen.until(first)
        screen.quiet(0.6)
        return [answered(screen, "j", "▌".encode()) for _ in range(keys)]


def words(name: str, times: list[float]) -> None:
    """Print median and 99th percentile in milliseconds."""
    print(f"{name:32} p50 {median(times) * 1000:6.1f}  p99 {_p99(times) * 1000:6.1f} ms")


def _p99(times: list[float]) -> float:
    return quantiles(times, n=100)[98]


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=100_000)
    options.add_argument("--issues", type=int, default=10_000)
    options.add_argument("--keys", type=int, default=100)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    compile_sources()
    with tempfile.TemporaryDirectory() as temporary:
        long, short = Path(temporary, "long"), Path(temporary, "short")
        first, second = make_world(long, chosen.size)
        first_short, second_short = make_world(short, 1_000)
        bare = echo(long, chosen.keys)
        typed = typing(long, first, chosen.keys)
        moved = moving(long, first, chosen.keys // 2)
        in_issues = {}
        for count in (chosen.issues, 1_000):
            folder = Path(temporary, f"issues-{count}")
            top, _ = make_world(folder, count // 5)
            fill_issues(Paths.under(folder).catalog_dir, made_up(count // 5), 5, account=ACCOUNT)
            in_issues[count] = typing(folder, top, chosen.keys, mode="2")
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(long / "cache" / "catalog"), *ACCOUNT])
        try:
            during = typing(long, first, chosen.keys)
        finally:
            writer.terminate()
            writer.wait()
        starts = [
            (
                ours(short, first_short, second_short, splash=False)[3],
                ours(long, first, second, splash=False)[3],
            )
            for _ in range(chosen.rounds)
        ]
    words("echo of a plain Input", bare)
    words(f"results at {chosen.size:,}", typed)
    words("the same during a sync", during)
    words("cursor", moved)
    for count, times in in_issues.items():
        words(f"first issues at {count:,}", times)
    report("K1", [median(typed) / median(bare)], 2.5, "p50: results / echo")
    report("K1", [_p99(typed) / median(bare)], 6.5, "p99: results / p50 of echo")
    # The handler of Input.Changed paints one frame later: 33.7 ms where the echo takes 3.7.
    report(
        "K2", [median(typed) / median(bare) * 3.7 / 33.7], 0.35, "p50: results / the on_input_changed idiom"
    )
    report("L1", [long_start / short_start for short_start, long_start in starts], 1.35, "ready: 100k / 1k")
    report("L1", [median(moved) / median(bare)], 1.5, "p50: cursor / echo")
    many, few = in_issues[chosen.issues], in_issues[1_000]
    report("K1", [median(many) / median(bare)], 6.5, "p50: first issues / echo")
    report("Q3", [_p99(many) / _p99(few)], 5.0, "p99: first issues at 10,000 / at 1,000")
    report("Y2", [_p99(during) / _p99(typed)], 1.5, "p99: results during a sync / idle")


if __name__ == "__main__":
    main()
