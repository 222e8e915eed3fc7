"""What the first frame and a key press may cost, counted instead of timed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from isexplore.catalog.store import Account
from isexplore.tui.screens.explore import ExploreScreen
from isexplore.tui.widgets.rows import RowList
from isexplore.tui.widgets.search_bar import SearchBar
from tests.support.catalog import fill, made_up
from tests.support.pty_screen import environment
from tests.support.tui import until
from tests.support.world import at_the_screen, services_for

URL = "http://127.0.0.1:9"
LATE = [
    "httpx",
    "git",
    "keyring",
    "pydantic",
    "rich.markdown",
    "markdown_it",
    "pygments",
    "urllib.request",
    "starlette",
    "argparse",
    "html.entities",
    "isexplore.reading.facts",
    "shlex",
    "isexplore.suspects",
]
_PROGRAM = """
import sys
from isexplore.config.paths import Paths
from isexplore.services import Services
from isexplore.tui.app import ExploringApp
app = ExploringApp(Services.open(Paths.default()))
app.on_first_frame = lambda: (print(*sys.modules, file=sys.stderr), app.exit(0))
app.run(headless=True, size=(120, 40))
"""


def test_the_first_frame_loads_nothing_that_it_does_not_show(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.toml").write_text(
        f'refresh_after = "3650d"\n[forge.work]\nurl = "{URL}"\nkind = "gitlab"\n'
    )
    fill(tmp_path / "cache/catalog", made_up(60), account=Account("work", URL))
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    loaded = set(done.stderr.split())
    assert "isexplore.tui.screens.explore" in loaded
    assert loaded.isdisjoint(LATE), loaded.intersection(LATE)


def test_a_plain_search_loads_only_what_a_search_needs(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.toml").write_text(f'[forge.work]\nurl = "{URL}"\nkind = "gitlab"\n')
    fill(tmp_path / "cache/catalog", made_up(60), account=Account("work", URL))
    code = (
        "import sys; from isexplore.cli.main import main; code = main(['search', *sys.argv[1:]]); "
        "sys.stdout.flush(); print(*sys.modules, file=sys.stderr); sys.exit(code)"
    )

    def run(*words: str) -> tuple[str, set[str]]:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}", *words],
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        return done.stdout, set(done.stderr.split())

    first, loaded = run("service")
    assert "argparse" in loaded, "the accounts are not written down yet: the usual way"
    again, loaded = run("service")
    assert again == first
    heavy = [
        "argparse",
        "msgspec",
        "pathlib",
        "re",
        "typing",
        "json",
        "logging",
        "asyncio",
        "tomllib",
        "isexplore.services",
    ]
    assert loaded.isdisjoint(heavy), loaded.intersection(heavy)
    assert run("service", "--limit=3")[0] == run("service", "--limit", "3")[0]
    assert run("--json", "service")[0] == run("service", "--json")[0] == run("--js", "service")[0]


async def test_a_key_press_reads_a_bounded_part_of_the_catalog(tmp_path: Path) -> None:
    services = services_for(tmp_path, URL, "token")
    fill(services.paths.catalog_dir, made_up(6_000), account=Account("practice", "practice", "nia"))
    async with at_the_screen(services) as person:
        connection = services.catalog.stores[0].connection
        assert connection is not None
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        await person.press("slash", "s", "e")
        assert isinstance(person.app.screen, ExploreScreen)
        status = person.app.screen.query_one(SearchBar).status
        assert "+ of 6,000" in status
        connection.set_trace_callback(None)
        unbounded = [
            one for one in statements if " MATCH " in one and "LIMIT" not in one and "rowid =" not in one
        ]
        assert not unbounded

        rows = person.app.screen.query_one(RowList)
        known = len(rows.source)
        rows.focus()
        await person.press("end")
        await until(lambda: len(rows.source) > known)
        assert rows.count == len(rows.source) > known
        assert "+" not in person.app.screen.query_one(SearchBar).status
