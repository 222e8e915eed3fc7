"""The line of keys: what fits, what is always there, and what a click does."""

from __future__ import annotations

from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from isexplore.tui.widgets.key_line import KeyLine


class Keyed(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "contribute", "Contribute"),
        Binding("b", "bookmark", "Bookmark"),
        Binding("B", "bookmark", "Bookmark"),
        Binding("x", "hidden", "Hidden", show=False),
        Binding("q,ctrl+q", "leave", "Quit", key_display="q"),
        Binding("question_mark", "help", "Help", key_display="?"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []
        self.may_bookmark = True

    def compose(self) -> ComposeResult:
        yield KeyLine()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.may_bookmark if action == "bookmark" else True

    def action_contribute(self) -> None:
        self.done.append("contribute")

    def action_leave(self) -> None:
        self.done.append("leave")


def words(app: Keyed) -> str:
    return app.query_one(KeyLine).render().plain.rstrip()


@pytest.mark.parametrize(
    ("width", "seen"),
    [
        (80, "c Contribute b Bookmark q Quit ? Help"),
        (37, "c Contribute b Bookmark q Quit ? Help"),
        (36, "c Contribute q Quit ? Help"),
        (20, "q Quit ? Help"),
    ],
)
async def test_what_does_not_fit_is_left_out_but_never_the_way_out(width: int, seen: str) -> None:
    app = Keyed()
    async with app.run_test(size=(width, 5)) as pilot:
        await pilot.pause()
        assert words(app) == seen


async def test_a_key_that_is_refused_for_now_is_not_named() -> None:
    app = Keyed()
    async with app.run_test(size=(80, 5)) as pilot:
        app.may_bookmark = False
        app.refresh_bindings()
        await pilot.pause()
        assert words(app) == "c Contribute q Quit ? Help"


async def test_a_click_presses_the_key_under_the_mouse() -> None:
    app = Keyed()
    async with app.run_test(size=(20, 5)) as pilot:
        await pilot.pause()
        await pilot.click(KeyLine, offset=(3, 0))
        await pilot.pause()
        assert app.done == ["leave"]


async def test_while_somebody_types_the_keys_that_are_no_text_are_named() -> None:
    app = Keyed()
    async with app.run_test(size=(80, 5)) as pilot:
        await app.mount(Input())
        app.query_one(Input).focus()
        await pilot.pause()
        assert words(app) == "ctrl+q Quit"
