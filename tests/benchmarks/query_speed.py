"""How fast the catalog answers while somebody types: `python -m tests.benchmarks.query_speed [SIZE ...]`.

Prints, for each size, the percentiles of a keystroke's search beside plain FTS5 with
`ORDER BY bm25(...)` over the same texts, and how the 99th percentile grows from size to size.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from isexplore.catalog import words
from isexplore.catalog.query import search
from isexplore.catalog.store import Catalog
from tests.support.catalog import ACCOUNT, FIRST, LAST, NOW, catalog, fill, made_up

_FILTERS = ("", " lang:python,go active:1y")
ROUNDS = 3


def typed(targets: int = 60) -> list[str]:
    """Return every beginning of `targets` searches of one or two words."""
    rng = random.Random(5)
    prefixes: list[str] = []
    for number in range(targets):
        target = rng.choice(FIRST) + (f" {rng.choice(LAST)}" if number % 2 else "")
        prefixes += [
            target[:end] for end in range(1, len(target) + 1) if target[:end].strip() == target[:end]
        ]
    return prefixes


def percentiles(seconds: list[float]) -> tuple[float, float]:
    """Return the 50th and 99th percentile in milliseconds."""
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2] * 1000, ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000


def time_catalog(view: Catalog, suffix: str) -> tuple[float, float]:
    """Time the program's own search."""
    seconds = []
    for _ in range(ROUNDS):
        for prefix in typed():
            start = time.perf_counter()
            search(view, prefix + suffix, typing=True, now=NOW.timestamp())
            seconds.append(time.perf_counter() - start)
    return percentiles(seconds)


def plain_index(path: Path) -> sqlite3.Connection:
    """Return an ordinary full-text table of the same texts."""
    plain = sqlite3.connect(":memory:")
    plain.execute("CREATE VIRTUAL TABLE p USING fts5(name, path, description, topics, prefix='1 2 3')")
    with sqlite3.connect(path) as source:
        plain.executemany(
            "INSERT INTO p VALUES (?, ?, ?, ?)",
            source.execute("SELECT name, path, description, topics FROM project ORDER BY pid"),
        )
    return plain


def time_plain(plain: sqlite3.Connection) -> tuple[float, float]:
    """Time the obvious query."""
    seconds = []
    for prefix in typed():
        match = " AND ".join(f"{words.quoted(word)} *" for word in prefix.split())
        start = time.perf_counter()
        plain.execute("SELECT rowid, * FROM p WHERE p MATCH ? ORDER BY bm25(p) LIMIT 50", (match,)).fetchall()
        seconds.append(time.perf_counter() - start)
    return percentiles(seconds)


def main() -> None:
    sizes = [int(each) for each in sys.argv[1:]] or [10_000, 100_000]
    before = None
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            fill(Path(folder), made_up(size), readmes=200)
            print(f"{size:>9,} projects   written in {time.perf_counter() - start:.1f} s")
            view = catalog(Path(folder))
            p50, p99 = time_catalog(view, _FILTERS[0])
            filtered = time_catalog(view, _FILTERS[1])
            obvious = time_plain(plain_index(Path(folder) / ACCOUNT.file_name))
            print(f"  as typed        p50 {p50:7.2f} ms   p99 {p99:7.2f} ms")
            print(f"  with filters    p50 {filtered[0]:7.2f} ms   p99 {filtered[1]:7.2f} ms")
            print(f"  ORDER BY bm25   p50 {obvious[0]:7.2f} ms   p99 {obvious[1]:7.2f} ms")
            print(f"  ratio to bm25   p50 {p50 / obvious[0]:7.3f}      p99 {p99 / obvious[1]:7.3f}")
            if before is not None:
                print(f"  growth of p99   {p99 / before:.2f} x")
            before = p99
            view.close()


if __name__ == "__main__":
    main()
