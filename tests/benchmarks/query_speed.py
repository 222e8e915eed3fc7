"""How fast the catalog answers while somebody types: `python -m tests.benchmarks.query_speed [SIZE ...]`.

Prints, for each size, the percentiles of every kind of search twice: as a key press asks, which the
program cuts short after `QUERY_SECONDS` and leaves to a thread (the share of those is "late"), and to
the end. Up to `PLAIN` projects, plain FTS5 with `ORDER BY bm25(...)` over the same texts stands beside.
"""

from __future__ import annotations

import itertools
import random
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from isexplore.catalog import words
from isexplore.catalog.database import Database
from isexplore.catalog.facets import completions
from isexplore.catalog.query import search
from isexplore.catalog.store import Catalog
from isexplore.catalog.write import Details, Writer
from isexplore.local import QUERY_SECONDS
from tests.support.catalog import ACCOUNT, FIRST, LAST, NOW, catalog, made_up

ROUNDS = 3
PLAIN = 100_000
_BATCH = 5_000
_READMES = 20_000
"""Projects that have a README: a sync reads those of the best ones only."""
_SYLLABLES = ("ka", "lo", "mi", "nu", "re", "sta", "ver", "don", "gri", "pel", "tor", "zu")


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


def _text_words() -> list[str]:
    """Return words that stand in READMEs alone, the frequent ones first."""
    return ["".join(each) for each in itertools.product(_SYLLABLES, repeat=4)]


def readmes(count: int) -> list[str]:
    """Return READMEs of some 2 KB in words of which few are frequent and most are rare."""
    rng = random.Random(11)
    known = [*FIRST, *LAST, *_text_words()]
    weights = list(itertools.accumulate(1 / (place + 10) for place in range(len(known))))
    return [" ".join(rng.choices(known, cum_weights=weights, k=280)) for _ in range(count)]


_SHORT = ("s", "a", "se", "ser", "service", "kit", "li", "e")


def kinds() -> dict[str, list[str]]:
    """Return the searches of each kind."""
    beginnings = typed()
    rng = random.Random(3)
    slips = []
    for word in (*rng.sample([each for each in FIRST if len(each) > 5], 8), "kubernetes", "observability"):
        at = rng.randrange(1, len(word) - 1)
        slips.append(word[:at] + word[at + 1] + word[at] + word[at + 2 :])
    rare = _text_words()
    return {
        "as typed": beginnings,
        "with filters": [f"{each} lang:python,go active:1y" for each in beginnings],
        "one letter": [chr(code) for code in range(ord("a"), ord("z") + 1)],
        "two letters": sorted({each[:2] for each in beginnings if len(each) > 1}),
        "words of READMEs": [each[:end] for each in rare[5:3_000:150] for end in range(3, len(each) + 1)]
        + [f"{first} {second}" for first, second in zip(rare[:40:4], rare[2:42:4], strict=True)],
        "sort:stars": [f"sort:stars {each}" for each in _SHORT],
        "sort:activity": [f"sort:activity {each}" for each in _SHORT],
        "sort:name": [f"sort:name {each} lang:go" for each in _SHORT],
        "sort: alone": ["sort:name", "sort:stars lang:go", "sort:name active:1y", "sort:stars -test"],
        "nobody's value": [f"lang:cobol {each}" for each in _SHORT],
        "a rare value": [f"group:payments/team-3 {each}" for each in _SHORT]
        + [f"topic:analytics lang:elixir {each}" for each in _SHORT],
        "a span of time": [f"{span} {each}" for each in _SHORT for span in ("active:1d", "-active:5y")],
        "exclusions": ["-test", "-service", "-lang:go", "-s", "-api -sdk"],
        "phrases": ['"rate limit"', '"service client"', '"a kit"', '"and no more"', '"no more sdk"'],
        "many words": ["a kit for billing and payment included and no more service", "s a i k l o p e r t"],
        "slips": slips,
    }


def percentiles(seconds: list[float]) -> tuple[float, float]:
    """Return the 50th and 99th percentile in milliseconds."""
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2] * 1000, ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000


def time_of(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    start = time.perf_counter()
    work()
    took = time.perf_counter() - start
    # Under `chrt`, which keeps others' work out of the figures, whoever never rests is stopped for 50 ms.
    time.sleep(took / 10)
    return took


def times(work: Callable[[str], object], inputs: Iterable[str]) -> list[float]:
    """Return the seconds that `work` takes for each of the inputs, in several rounds."""
    texts = tuple(inputs) * ROUNDS
    return [time_of(lambda text=text: work(text)) for text in texts]  # type: ignore[misc]


def write(folder: Path, size: int) -> None:
    """Write the catalog file."""
    texts = readmes(min(size, _READMES))
    with Database(ACCOUNT, str(folder), clock=NOW.timestamp) as database:
        writer = Writer(database)
        projects = made_up(size)
        while some := list(itertools.islice(projects, _BATCH)):
            writer.upsert(some)
            share = -(-len(some) * min(size, _READMES) // size)
            writer.enrich((each.id, Details(readme=texts.pop())) for each in some[:share] if texts)
        writer.finish(as_of=int(NOW.timestamp()), optimize=True)


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

    def ask(prefix: str) -> object:
        match = " AND ".join(f"{words.quoted(word)} *" for word in prefix.split())
        return plain.execute(
            "SELECT rowid, * FROM p WHERE p MATCH ? ORDER BY bm25(p) LIMIT 50", (match,)
        ).fetchall()

    return percentiles(times(ask, typed()))


def report(name: str, found: tuple[float, float], rest: str = "") -> None:
    """Print one line."""
    print(f"  {name:<18} p50 {found[0]:8.2f}   p99 {found[1]:8.2f} ms {rest}", flush=True)


def measure(view: Catalog) -> dict[str, tuple[float, float]]:
    """Time and print every kind of question; return the percentiles of searches to the end."""
    ends: dict[str, tuple[float, float]] = {}
    for name, texts in kinds().items():
        late: list[bool] = []

        def press(text: str, late: list[bool] = late) -> None:
            found = search(view, text, limit=30, deadline=QUERY_SECONDS, typing=True, now=NOW.timestamp())
            late.append(found.late)

        keyed = percentiles(times(press, texts))
        ends[name] = percentiles(
            times(lambda text: search(view, text, typing=True, now=NOW.timestamp()), texts)
        )
        rest = "  to the end p50 {:8.2f}   p99 {:8.2f}".format(*ends[name])
        report(name, keyed, f"{rest}   late {sum(late) / len(late):4.0%}")
    finished = ("lang:", "lang:p", "topic:", "topic:s", "group:", "group:p", "group:payments/t", "la", "has:")
    report("completion", percentiles(times(lambda text: completions(view, text), finished)))
    for text in ("", "s", "service", "lang:go"):
        hits = search(view, text, typing=True)
        counted = [time_of(hits.facets) for _ in range(ROUNDS)]
        report(f"facets of {text!r}", percentiles(counted))
    return ends


def main() -> None:
    sizes = [int(each) for each in sys.argv[1:]] or [10_000, 100_000]
    before = None
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            write(Path(folder), size)
            took = time.perf_counter() - start
            path = Path(folder) / ACCOUNT.file_name
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            print(f"{size:>9,} projects, {path.stat().st_size >> 20:,} MiB, written in {took:.1f} s", end="")
            print(f" with at most {memory} MiB of memory")
            with catalog(Path(folder)) as view:
                ends = measure(view)
            if size <= PLAIN:
                obvious = time_plain(plain_index(path))
                report("ORDER BY bm25", obvious)
                ratio = [ours / theirs for ours, theirs in zip(ends["as typed"], obvious, strict=True)]
                print(f"  {'ratio to bm25':<18} p50 {ratio[0]:8.3f}   p99 {ratio[1]:8.3f}")
            if before is not None:
                print(f"  {'growth of p99':<18} {ends['as typed'][1] / before:.2f} x")
            before = ends["as typed"][1]


if __name__ == "__main__":
    main()
