"""The page that is painted before the screens: the same words in the same places, and harmless."""

from __future__ import annotations

import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from isexplore.catalog.store import Account
from isexplore.config.accounts import known_accounts
from isexplore.config.bookmarks import Bookmarks
from isexplore.config.files import StateFile
from isexplore.config.paths import Paths
from isexplore.journey.store import Journey, JourneyStore
from isexplore.models import Project, ProjectRef
from isexplore.tui.opening import cells, cut, list_width
from tests.support.catalog import fill, made_up, project
from tests.support.pty_screen import PtyScreen, environment
from tests.support.tui import TERMINAL_PAYLOADS

URL = "http://127.0.0.1:9"
PROGRAM = [sys.executable, "-m", "isexplore"]
PAINTED = "\x1b[?1049h\x1b[?25l\x1b[H"
"""How the splash begins; the toolkit begins otherwise."""
BEGUN = "\x1b[?1000h"
"""What the toolkit writes first, when all of the splash is there."""


def world(folder: Path, projects: list[Project], *, config: str = "") -> Paths:
    """Make a world that knows one forge, and these projects of it."""
    paths = Paths.under(folder)
    paths.config_dir.mkdir()
    paths.config_file.write_text(
        f'{config}\nrefresh_after = "3650d"\n[forge.work]\nurl = "{URL}"\nkind = "gitlab"\nusername = "mia"\n'
    )
    fill(paths.catalog_dir, projects, account=Account("work", URL, "mia"))
    known_accounts(paths)
    return paths


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[PtyScreen]:
    world(tmp_path, list(made_up(60)))
    with PtyScreen(PROGRAM, environment(tmp_path)) as screen:
        yield screen


@pytest.mark.parametrize(("columns", "lines"), [(120, 40), (80, 24), (101, 33)])
def test_the_first_page_is_where_the_screens_put_it(tmp_path: Path, columns: int, lines: int) -> None:
    paths = world(tmp_path, list(made_up(60)))
    state = StateFile(paths.state_file)
    Bookmarks(state).add(ProjectRef("work", "tools/x"))
    journeys = JourneyStore(state)
    ended, _ = (
        journeys.start(Journey(id="", forge="work", project="tools/x", issue=issue), lambda known: False)
        for issue in (1, 2)
    )
    journeys.update(ended.id, {"outcome": "merged"})
    with PtyScreen(PROGRAM, environment(tmp_path), columns=columns, lines=lines) as screen:
        screen.until(PAINTED)
        screen.until(BEGUN)
        early = screen.rows(screen.output.split(BEGUN.encode())[0])
        screen.until("Quit")

        def listed(rows: list[str]) -> list[str]:
            return rows[:4] + [row[: list_width(columns)].rstrip() for row in rows[4 : lines - 2]]

        screen.until_shows(lambda late: listed(late) == listed(early), f"the same as {listed(early)}")
    assert "3 Contributions (1)   4 Bookmarks (1)" in early[0]
    assert any("★" in row for row in early)


def test_keys_typed_meanwhile_are_answered(opened: PtyScreen) -> None:
    opened.until(PAINTED)
    opened.send("/")
    opened.send("billing")
    opened.until("sort relevance")
    opened.until_shows(lambda rows: "│ billing" in rows[2], "what was typed")


def test_the_terminal_is_left_as_it_was(opened: PtyScreen) -> None:
    before = termios.tcgetattr(opened.descriptor)
    opened.until("Quit")
    opened.send("q")
    assert opened.end() == 0
    assert termios.tcgetattr(opened.descriptor)[:4] == before[:4]
    assert opened.output.rfind(b"\x1b[?1049l") > opened.output.rfind(b"\x1b[?1049h")


def test_a_start_that_fails_leaves_the_page_and_says_why(tmp_path: Path) -> None:
    world(tmp_path, list(made_up(60)))
    broken = tmp_path / "broken"
    (broken / "textual").mkdir(parents=True)
    (broken / "textual" / "__init__.py").write_text("raise ImportError('no toolkit')")
    with PtyScreen(PROGRAM, environment(tmp_path, PYTHONPATH=str(broken))) as screen:
        before = termios.tcgetattr(screen.descriptor)
        assert screen.end() == 3
        assert PAINTED.encode() in screen.output
        assert screen.output.rfind(b"\x1b[?1049l") < screen.output.find(b"bug in isexplore")
        assert termios.tcgetattr(screen.descriptor)[:4] == before[:4]


@pytest.mark.parametrize(
    "more",
    [{"TERM": "dumb"}, {"NO_COLOR": "1"}, {"COLUMNS": "100"}, {"TEXTUAL_THEME": "nord"}],
    ids=lambda more: next(iter(more)),
)
def test_an_unusual_terminal_has_no_splash(tmp_path: Path, more: dict[str, str]) -> None:
    world(tmp_path, list(made_up(10)))
    with PtyScreen(PROGRAM, environment(tmp_path, **more)) as screen:
        screen.until("Quit")
        assert PAINTED.encode() not in screen.output


@pytest.mark.parametrize("config", ['theme = "nord"', ""], ids=["theme", "empty catalog"])
def test_no_splash_where_it_would_be_another_page(tmp_path: Path, config: str) -> None:
    world(tmp_path, list(made_up(10)) if config else [], config=config)
    with PtyScreen(PROGRAM, environment(tmp_path)) as screen:
        screen.until("Quit")
        assert PAINTED.encode() not in screen.output


def test_hostile_names_never_reach_the_terminal(tmp_path: Path) -> None:
    hostile = [
        project(f"a/b{number}", id=str(number), description=f"x {payload} y")
        for number, payload in enumerate(TERMINAL_PAYLOADS)
        if payload.isprintable() or "\ud800" not in payload
    ]
    world(tmp_path, hostile)
    with PtyScreen(PROGRAM, environment(tmp_path), lines=100) as screen:
        screen.until(PAINTED)
        screen.until(BEGUN)
        page = screen.output.split(BEGUN.encode())[0]
    for payload in TERMINAL_PAYLOADS:
        if not payload.isprintable() and payload != "\ud800":
            assert payload.encode() not in page.split(b"\x1b[2J", 1)[1], ascii(payload)
    assert b"PWN" in page


def test_a_cut_text_fits() -> None:
    for text in ("plain words", "日本語のテキスト", "e\u0301e\u0301e\u0301e\u0301", "ab日本語"):
        for width in range(1, 12):
            assert cells(cut(text, width)) <= width
            assert cut(text, 40) == text
