"""One-line bars: the modes at the top, and what is going on at the bottom of a pane."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

from isexplore.errors import AuthError, IsexploreError, StateError
from isexplore.text import clean, clean_line
from isexplore.tui.keys import SIGNS_IN, by_key
from isexplore.tui.opening import IN_PART, MODES, mode_labels, name_in, place_in
from isexplore.tui.text import cells, cut

if TYPE_CHECKING:
    from isexplore.tui.app import IsexploreApp
    from isexplore.tui.widgets.rows import RowList


NOT_READ = "What was kept here is not known; the words below say why."
AGE_EVERY = 30.0
"""Seconds between two looks at how old the data is."""


class ModeBar(Widget):
    """The program's name, the four modes, and where the data is from and how old it is."""

    counts: reactive[dict[str, int]] = reactive(dict, layout=False)
    """Number shown behind a mode's words."""
    place: reactive[str] = reactive("")
    """Right-hand side: forge and age."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode
        self._places: list[tuple[int, int, str]] = []

    def on_mount(self) -> None:
        """Let the age grow while somebody only looks."""
        self.set_interval(AGE_EVERY, partial(fill_mode_bar, self.screen))

    def render(self) -> Content:
        """Return the bar."""
        width = self.size.width
        name = name_in(width)
        parts: list[tuple[str, str] | str] = [(name, "bold $text-accent"), " "]
        column = len(name) + 1
        self._places = []
        labels = mode_labels(width, self.mode, self.counts)
        for (mode, _, _), text in zip(MODES, labels, strict=True):
            parts.append((text, "bold reverse" if mode == self.mode else ""))
            parts.append(" ")
            self._places.append((column, column + len(text), mode))
            column += len(text) + 1
        room = width - column - 1
        place = place_in(room, clean_line(self.place))
        if place:
            parts.append(" " * (room - len(place)))
            parts.append((place, "$text-muted"))
        return Content.assemble(*parts)

    def on_click(self, event: events.Click) -> None:
        """Switch to the mode that was clicked."""
        for start, end, mode in self._places:
            if start <= event.x < end and self.app.check_action("mode", (mode,)):
                self.app.call_later(self.app.run_action, f"mode({mode!r})")


def fill_mode_bar(screen: Screen[Any]) -> None:
    """Show on a screen's mode bar how many contributions run, how many bookmarks there are, and the data's age."""
    app: IsexploreApp = cast("IsexploreApp", screen.app)
    bar = screen.query_one(ModeBar)
    bar.place = app.services.place_words() + (IN_PART if app.refreshed_in_part else "")
    # A state file that cannot be read is told by the screen that shows it.
    with suppress(StateError):
        bar.counts = {
            "contributions": sum(one.outcome is None for one in app.services.journey_store.list()),
            "bookmarks": len(app.services.bookmarks.list()),
        }


def tell_state(screen: Screen[Any], rows: RowList, empty: str) -> None:
    """Say on a screen what is wrong with the state file; a list that is empty for that is not called empty."""
    app: IsexploreApp = cast("IsexploreApp", screen.app)
    notice = app.services.state.notice
    rows.empty = NOT_READ if notice else empty
    screen.query_one(StatusLine).say(notice or "", error=bool(notice))


def sentence(words: str) -> str:
    """Return words with one full stop, or the mark that they end with already."""
    words = words.strip()
    return words if words.endswith(("!", "?", "...")) else words.rstrip(".") + "."


def error_words(error: IsexploreError, *more: str) -> str:
    """Return what happened, why, and what to do next, as sentences; `more` is what else may help."""
    hint = by_key(error.hint)
    if isinstance(error, AuthError):
        # Trying again helps only with another token.
        more = () if SIGNS_IN in hint or "L asks" in hint else (SIGNS_IN,)
    return " ".join(sentence(part) for part in (error.title, error.detail, hint, *more) if part.strip())


def one_stop(words: str) -> str:
    """Return words in which no sentence ends twice, where reasons that end in a full stop were put together."""
    return re.sub(r"(?<!\.)\.\.(?!\.)", ".", words)


BRIEFLY = 4.0
"""Seconds for which an answer to a key that can do nothing stays."""


class StatusLine(Widget):
    """What a pane has to say: progress, age, or an error with its next key. Never a stranger's markup."""

    message: reactive[str] = reactive("", layout=True)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._held: dict[object, str] = {}
        """The words of every `holding` that lasts, in the order in which they began."""
        self._later: tuple[str, bool] = ("", False)
        """What was said last, and whether that is an error: shown while nothing is held or said for a moment."""
        self._brief = False
        """Whether what stands here goes by itself."""

    @contextmanager
    def holding(self, words: str) -> Iterator[None]:
        """Show words while the block lasts, then what was said meanwhile: progress of something else, say.

        Blocks may overlap, as when one question takes another's place: the one that began last is told.
        """
        if not self._held:
            self._later = ("", False)
        hold = object()
        self._held[hold] = words
        self._show(words)
        try:
            yield
        finally:
            del self._held[hold]
            self._show(*self._standing())

    def _standing(self) -> tuple[str, bool]:
        """Return what is to be read unless something is said for a moment."""
        return (next(reversed(self._held.values())), False) if self._held else self._later

    def say(self, message: str, *, error: bool = False) -> None:
        """Show words; an error may take several lines."""
        self._later = (message, error)
        if not self._held:
            self._show(message, error)

    def _show(self, message: str, error: bool = False) -> None:
        self._brief = False
        self.set_class(error, "-error")
        self.message = clean(message)

    def say_briefly(self, words: str) -> None:
        """Show words for a moment, then what stood here before; unless something else is said meanwhile."""
        self._show(words)
        shown, self._brief = self.message, True

        def back() -> None:
            if self._brief and self.message == shown:
                self._show(*self._standing())

        self.set_timer(BRIEFLY, back)

    def say_error(self, error: IsexploreError, *more: str) -> None:
        """Show what happened, why, and what to do next."""
        self.say(error_words(error, *more), error=True)

    def render(self) -> Content:
        """Return the words."""
        return Content(self.message)


def say_below(node: Widget, words: str) -> None:
    """Answer a key that can do nothing: below what is looked at, as a toast where there is no place for it."""
    for line in node.screen.query(StatusLine):
        line.say_briefly(words)
        return
    node.app.notify(words)


class TitleLine(Widget):
    """One line: what this is at the left, how far it is at the right; the left is cut with "..."."""

    left: reactive[str] = reactive("")
    right: reactive[str] = reactive("")

    def say(self, left: str, right: str = "") -> None:
        """Show other words."""
        self.left, self.right = clean_line(left), clean_line(right)

    def render(self) -> Content:
        """Return the line."""
        width = self.content_size.width
        right = cut(self.right, width // 2)
        left = cut(self.left, width - cells(right) - 2)
        gap = " " * max(0, width - cells(left) - cells(right))
        return Content.assemble((left, "bold"), gap, (right, "$text-muted"))
