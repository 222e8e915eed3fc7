"""How fast isexplore starts: `python -m tests.benchmarks.start_up [--size N] [--rounds N]`.

On a pseudo-terminal, round by round beside Textual's own parts (`tests/benchmarks/bare.py`), and
lazygit where it is installed: first rows painted (the splash), first real frame, first key answered,
peak memory; and a search from the command line beside a bare Python. Medians of per-round ratios;
sources are compiled first.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from isexplore.catalog.query import search
from isexplore.catalog.store import Account, Catalog
from isexplore.config.accounts import known_accounts
from isexplore.config.paths import Paths
from tests.support.catalog import fill, made_up
from tests.support.pty_screen import PtyScreen, environment

ROOT = Path(__file__).parents[2]
ACCOUNT = Account("work", "http://127.0.0.1:9", "mia")
CONFIG = f'refresh_after = "3650d"\n[forge.work]\nurl = "{ACCOUNT.url}"\nkind = "gitlab"\nusername = "mia"\n'
PYTHON = sys.executable
# What the installed script does.
PROGRAM = [PYTHON, "-c", "import sys; from isexplore.__main__ import main; sys.exit(main())"]
BARE = str(ROOT / "tests/benchmarks/bare.py")
Figures = tuple[float, ...]


def make_world(folder: Path, size: int) -> list[str]:
    """Fill a catalog; return the paths of the first two projects in the list."""
    paths = Paths.under(folder)
    paths.config_dir.mkdir(parents=True)
    paths.config_file.write_text(CONFIG)
    fill(paths.catalog_dir, made_up(size), account=ACCOUNT)
    known_accounts(paths)
    with Catalog.open(paths.catalog_dir, [ACCOUNT]) as catalog:
        return [row.path for row in search(catalog, "", limit=2).rows]


def compile_sources() -> None:
    """Compile what is measured: a start without compiled sources takes four times as long."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    compileall.compile_dir(str(ROOT / "src"), quiet=2)


def bare(name: str, folder: Path) -> Figures:
    """Return first paint, first key and peak memory of a program of Textual's parts."""
    with PtyScreen([PYTHON, BARE, name], environment(folder)) as screen:
        painted = screen.until("MARK")
        seen = len(screen.output)
        screen.send("\x1b[B")
        return painted, screen.until("KEY", since=seen), screen.peak_memory()


def ours(folder: Path, first: str, second: str, *, splash: bool) -> Figures:
    """Return first rows, first key, peak memory and first real frame of isexplore."""
    variables = environment(folder) | ({} if splash else {"LINES": "40", "COLUMNS": "120"})
    with PtyScreen(PROGRAM, variables) as screen:
        # The list cuts names; the preview, which only the real frame has, does not.
        rows = screen.until(first[:20])
        frame = rows if splash else screen.until(first)
        seen = len(screen.output)
        screen.send("j")
        return rows, screen.until(second, since=seen), screen.peak_memory(), frame


def lazygit(folder: Path) -> float | None:
    """Return when lazygit has painted, where it is installed."""
    program = shutil.which("lazygit")
    if program is None:
        return None
    with PtyScreen([program, "--path", str(ROOT)], environment(folder)) as screen:
        return screen.until("Commits")


def first_row(command: list[str], variables: dict[str, str]) -> float:
    """Return how long it takes until the first byte is there."""
    start = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=variables
    ) as program:
        assert program.stdout is not None
        assert program.stdout.read(1)
        taken = time.perf_counter() - start
        program.stdout.read()
    return taken


def report(name: str, ratios: list[float], target: float, words: str) -> None:
    """Print one line: what, the median ratio, the target."""
    found = median(ratios)
    print(f"{name:3} {words:58} {found:6.2f}  target {target:.2f}  {'met' if found <= target else 'NOT met'}")


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=7)
    chosen = options.parse_args()
    compile_sources()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        first, second = make_world(folder, chosen.size)
        rounds = []
        for _ in range(chosen.rounds + 1):
            rounds.append(
                (
                    bare("bare0", folder),
                    bare("bare1", folder),
                    ours(folder, first, second, splash=True),
                    ours(folder, first, second, splash=False),
                    lazygit(folder),
                )
            )
        del rounds[0]
        search_command = [*PROGRAM, "search", "retry", "queue"]
        variables = environment(folder)
        pairs = [
            (
                first_row([PYTHON, "-I", "-S", "-c", "print(1)"], variables),
                first_row(search_command, variables),
            )
            for _ in range(3 * chosen.rounds)
        ]
    columns = zip(*(zip(*(each[:3] for each in one[:4]), strict=True) for one in rounds), strict=True)
    for what, values in zip(("first rows, ms", "first key, ms", "peak MiB"), columns, strict=True):
        scale = 1 if "MiB" in what else 1000
        medians = [median(side) * scale for side in zip(*values, strict=True)]
        print(
            f"{what:15} bare0 {medians[0]:6.1f}  bare1 {medians[1]:6.1f}  "
            f"isexplore {medians[2]:6.1f}  without splash {medians[3]:6.1f}"
        )
    report("S1", [r[2][0] / r[0][0] for r in rounds], 0.15, "first rows / first paint of bare0")
    if rounds[0][4] is not None:
        report("S1", [r[2][0] / (r[4] or 1) for r in rounds], 0.5, "first rows / first paint of lazygit")
    report("S2", [r[3][3] / r[1][0] for r in rounds], 1.10, "no splash: first frame / first paint of bare1")
    report("S2", [r[3][1] / r[1][1] for r in rounds], 1.10, "no splash: first key / first key of bare1")
    # The fastest peer that runs on Textual (posting) answers its first key 3.4 times as late as bare1.
    report(
        "S3", [r[2][1] / r[1][1] / 3.4 for r in rounds], 0.35, "first key / first key of posting (by bare1)"
    )
    report("S5", [r[3][2] / r[0][2] for r in rounds], 1.25, "peak memory at the first key / bare0")
    report("C1", [b / a for a, b in pairs[2:]], 2.5, "search, first row / bare Python's print")


if __name__ == "__main__":
    main()
