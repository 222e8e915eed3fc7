"""What a frame sends of what has changed is what Textual's own would have sent, from fewer widgets' lines."""

from __future__ import annotations

import random

import pyte
from rich.console import Console
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Static

from isexplore.tui.painting import ChangedCells

SIZE = (40, 12)


class Counted(Static):
    """A text that knows which of its lines were asked for."""

    asked: list[Region]

    def render_lines(self, crop: Region) -> list[Strip]:
        self.asked = [*getattr(self, "asked", []), crop]
        return super().render_lines(crop)


class Panes(Screen[None]):
    """Two panes below a line, and something that lies over both."""

    CSS = """
    Panes { layers: below above; }
    #top { height: 3; border: round white; }
    #left { width: 15; border-right: solid red; }
    #right { width: 1fr; padding: 0 1; }
    #over { layer: above; offset: 10 5; width: 12; height: 3; background: blue; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._compositor = ChangedCells()

    def compose(self) -> ComposeResult:
        yield Counted("what is looked for", id="top")
        with Horizontal():
            yield Counted("\n".join(f"row {number} 漢字" for number in range(9)), id="left")
            with Vertical():
                yield Counted("\n".join("word " * 5 for _ in range(9)), id="right")
        yield Static("over\nboth\npanes", id="over")


class PanesApp(App[None]):
    def on_mount(self) -> None:
        self.push_screen(Panes())


def cells(update: str) -> list[tuple[str, str, str]]:
    """Return what a terminal full of dots shows after the update."""
    terminal = pyte.Screen(*SIZE)
    stream = pyte.Stream(terminal)
    stream.feed("\x1b[H" + "\r\n".join("." * SIZE[0] for _ in range(SIZE[1])))
    stream.feed(update)
    return [
        (cell.data, cell.fg, cell.bg)
        for y in range(SIZE[1])
        for cell in (terminal.buffer[y][x] for x in range(SIZE[0]))
    ]


async def test_a_frame_shows_what_textual_would_have_shown() -> None:
    chance = random.Random(11)
    console = Console(force_terminal=True, color_system="truecolor", width=SIZE[0])
    app = PanesApp()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        compositor = app.screen._compositor
        assert isinstance(compositor, ChangedCells)
        for _ in range(40):
            regions = set()
            for _ in range(chance.randint(1, 3)):
                x, y = chance.randrange(SIZE[0]), chance.randrange(SIZE[1])
                width, height = chance.randint(1, SIZE[0] - x), chance.randint(1, SIZE[1] - y)
                regions.add(Region(x, y, width, height))
            compositor._dirty_regions = set(regions)
            ours = compositor.render_partial_update()
            compositor._dirty_regions = set(regions)
            theirs = super(ChangedCells, compositor).render_partial_update()
            assert ours is not None
            assert theirs is not None
            assert cells(ours.render_segments(console)) == cells(theirs.render_segments(console)), regions


async def test_only_what_shows_something_that_changed_is_asked_for_lines() -> None:
    app = PanesApp()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        compositor = app.screen._compositor
        counted = {str(widget.id): widget for widget in app.screen.query(Counted)}
        for widget in counted.values():
            widget.asked = []
        compositor._dirty_regions = {Region(0, 1, SIZE[0], 1), Region(0, 9, 5, 1)}
        compositor.render_partial_update()
        assert [crop.line_span for crop in counted["top"].asked] == [(1, 2)]
        assert [crop.line_span for crop in counted["left"].asked] == [(6, 7)]
        assert counted["right"].asked == []


async def test_nothing_changed_is_nothing_to_send() -> None:
    app = PanesApp()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app.screen._compositor._dirty_regions = set()
        assert app.screen._compositor.render_partial_update() is None
