"""What a search from the command line costs beside a bare Python: `python -m tests.benchmarks.search_start [SIZE]`.

Whole processes, alternating, with compiled sources; prints medians and the median of the ratios.
"""

from __future__ import annotations

import compileall
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.catalog import fill, made_up

SOURCE = Path(__file__).parents[2] / "src"
ROUNDS = 21
_SEARCH = """
import sys
sys.path.insert(0, {source!r})
from isexplore.cli.quick import LIMIT, open_briefly
from isexplore.catalog.query import search
with open_briefly({folder!r}, [("work", "https://git.example.com", "mia")]) as catalog:
    for row in search(catalog, "billing api", limit=LIMIT).rows:
        print(row.path)
"""


def seconds(code: str) -> float:
    """Return how long a fresh Python takes for `code`."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], stdout=subprocess.DEVNULL, check=True, env=environment
    )
    return time.perf_counter() - start


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    compileall.compile_dir(str(SOURCE / "isexplore"), quiet=2)
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), made_up(size))
        search = _SEARCH.format(source=str(SOURCE), folder=folder)
        pairs = [(seconds("print(1)"), seconds(search)) for _ in range(ROUNDS)]
    bare, ours = (statistics.median(each) * 1000 for each in zip(*pairs, strict=True))
    ratio = statistics.median(search / plain for plain, search in pairs)
    print(
        f"{size:,} projects: bare Python {bare:.1f} ms, search {ours:.1f} ms, ratio {ratio:.2f} (target 2.5)"
    )


if __name__ == "__main__":
    main()
