"""What tests of the screens need: a frame as text, a host for one widget, waiting until all is still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, TypeVar

from textual.app import App, ComposeResult
from textual.filter import LineFilter
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget
from textual.worker import WorkerCancelled

from isexplore.tui.text import SafeFilter
from tests.support.styles import share_styles

share_styles()

M = TypeVar("M", bound=Message)

CRASH_STRINGS = (
    "a [/] b",
    "[b]x[/i]",
    "see [link=https://e.vil]y[/link]",
    "[/",
    "[@click=app.quit]x[/]",
    "[WIP] a title",
    "repo [/foo]",
    "[type=x, v={'a[0]'}]",
    "ends in a backslash \\",
)
"""Plain strings that Textual's markup would crash on, hide, or turn into an action."""

TERMINAL_PAYLOADS = (
    "\x1b]0;PWN\x07",
    "\x1b]2;PWN\x1b\\",
    "\x1b]52;c;cHdu\x07",
    "\x1b[2J",
    "\x1b[10;10H",
    "\x1b[6n",
    "\x1b[c",
    "\x1b[8mhidden",
    "\x1bP+q\x1b\\",
    "\x1bc",
    "\x9b2J",
    "\x9d0;PWN\x9c",
    "\x1b]8;;https://e.vil\x1b\\x\x1b]8;;\x1b\\",
    "a\u202egnp.exe",
    "\u2066a\u2069",
    "ad\u200bmin",
    "\U000e0041\U000e0042",
    "\x00\x0e\x0f",
    "\u2028\u2029",
    "\x85",
    "a\x7fb",
    "a\x07\x08\x0b\x0c\rb",
    "\ud800",
    "\ue000\U000f0000",
    "\u0378\ufdd0",
)
"""Texts that do something to a terminal, or hide what they are (all 25 classes that were seen)."""


def forbidden(text: str) -> set[str]:
    """Return the characters of `text` that must not reach a terminal."""
    return {char for char in text if not char.isprintable() and char not in "\n\u200d\u00a0\u3000"}


class HostApp(App[None]):
    """An application around a few widgets, with the same safety net as the real one."""

    def __init__(self, *widgets: Widget | Callable[[], Widget], css: str = "", filtered: bool = True) -> None:
        super().__init__()
        self._widgets = widgets
        self._filtered = filtered
        self.seen: list[Message] = []
        """Every message that some widget got, in order."""
        if css:
            self.stylesheet.add_source(css)

    def compose(self) -> ComposeResult:
        """Show the widgets."""
        for widget in self._widgets:
            yield widget if isinstance(widget, Widget) else widget()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Add the net, unless the test wants to see what the widgets themselves let through."""
        filters = list(super().get_line_filters())
        return [*filters, SafeFilter()] if self._filtered else filters

    def told(self, kind: type[M]) -> list[M]:
        """Return the messages of a kind, once each."""
        unique: list[M] = []
        for message in self.seen:
            if isinstance(message, kind) and not any(message is other for other in unique):
                unique.append(message)
        return unique


def frame(app: App[Any]) -> str:
    """Return what the screen shows, as text; spaces at line ends are left out."""
    # The compositor is private; this is the one place that touches it.
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until no worker runs and every message has been handled."""
    with suppress(WorkerCancelled):
        await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def until(fact: Callable[[], object], *, seconds: float = 30.0) -> None:
    """Wait until `fact()` holds; fails when it does not within `seconds`."""
    deadline = monotonic() + seconds
    while not fact():
        assert monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.005)
