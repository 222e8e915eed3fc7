"""Applications to compare with, of Textual's own parts: `python tests/benchmarks/bare.py bare0|bare1|echo`.

`bare0` is one `Static`; `bare1` has the parts of Explore (header, search line, list of 40, preview,
footer) and none of its code; `echo` is one `Input`.
"""

from __future__ import annotations

import sys

from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.widgets import Footer, Header, Input, OptionList, Static


class Bare0(App[None]):
    """One text."""

    def compose(self) -> ComposeResult:
        yield Static("MARK painted", id="text")

    def on_key(self) -> None:
        self.query_one("#text", Static).update("KEY answered")


class Bare1(App[None]):
    """The parts of Explore."""

    CSS = "OptionList { width: 44%; height: 1fr; } #preview { width: 1fr; height: 1fr; }"
    BINDINGS = [("c", "bell", "Contribute"), ("b", "bell", "Bookmark"), ("q", "quit", "Quit")]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        yield Header()
        yield Input(placeholder="Search projects")
        with Horizontal():
            yield OptionList(*(f"MARK row {number}" for number in range(40)))
            yield Static(id="preview")
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self.query_one("#preview", Static).update(f"KEY {event.option_index}" if event.option_index else "")


class Echo(App[None]):
    """One line to type in."""

    def compose(self) -> ComposeResult:
        yield Input()


if __name__ == "__main__":
    {"bare0": Bare0, "bare1": Bare1, "echo": Echo}[sys.argv[1]]().run()
