"""`SearchBar`: one line to search with, whose results are on the screen in the frame that echoes the key.

    bar = SearchBar(search=self.show_results, complete=catalog.completions, placeholder="Search projects")
    bar.status = "37 of 1,284 · sort activity"     # right end, hidden while the text needs the room
    bar.error = "There is no filter lan:; did you mean lang:?"      # a second line, "" removes it

`search(text)` is called inside the change of the value, before the echo is drawn; a `Changed`
handler would run one frame (17 to 33 ms) later. It must take a few milliseconds at most.
`complete(text, cursor)` returns whole words to put in the place of the word that ends at the
cursor; the first is shown behind the cursor, tab accepts it, and tab again takes the next.

Messages: `Accepted` (enter), `Dismissed` (escape), `Moved(rows)` (up, down, page up, page down: what
the list below should do while the typing goes on).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import Reactive, reactive
from textual.strip import Strip
from textual.widgets import Input
from textual.widgets.input import Selection

from isexplore.text import clean_line, word_start
from isexplore.tui.text import cells, cut

Search = Callable[[str], None]
Complete = Callable[[str, int], list[str]]

PAGE = 10
"""Rows that page up and page down ask the list to move by."""


def no_completions(text: str, cursor: int) -> list[str]:
    """Return no completions."""
    return []


class SearchBar(Input):
    """A search line with a status at its right end and an error below."""

    DEFAULT_CSS = """
    SearchBar {
        height: 3;
        border: round $border-blurred;
        background: transparent;
        padding: 0 1;

        &:focus { border: round $border; background-tint: $foreground 0%; }
        &.-textual-compact { height: 1; border: none; padding: 0 1; }
        &.-error, &.-error:focus { height: 4; border: round $warning; }
        &.-error.-textual-compact { height: 2; border: none; }
        & > .search-bar--status { color: $text-muted; }
        & > .search-bar--error { color: $text-warning; }
        &:ansi > .search-bar--status { text-style: dim; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"search-bar--status", "search-bar--error"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss_search", "Back", show=False, id="search.back"),
        Binding("tab", "complete", "Complete", show=False, id="search.complete"),
        Binding("down", "ask_move(1)", "Down", show=False, id="search.down"),
        Binding("up", "ask_move(-1)", "Up", show=False, id="search.up"),
        Binding("pagedown", f"ask_move({PAGE})", "Page down", show=False, id="search.page-down"),
        Binding("pageup", f"ask_move({-PAGE})", "Page up", show=False, id="search.page-up"),
    ]

    virtual_size: Reactive[Size] = Reactive(Size(0, 0))
    """The length of the text: no reason to lay the screen out anew with each key, as `Input` does."""
    # What changes with a key is one line: the frame around it is drawn again with the styles only.
    value: Reactive[str] = Reactive("", init=False, repaint=False)
    selection: Reactive[Selection] = Reactive(Selection.cursor(0), repaint=False)
    _cursor_visible: Reactive[bool] = Reactive(True, repaint=False)
    status: reactive[str] = reactive("", init=False, repaint=False)
    """What was found, in a few words; shown at the right end."""
    error: reactive[str] = reactive("", init=False)
    """What is wrong with the text, in one line; shown below it."""

    class Accepted(Message):
        """Enter: the reader wants the results."""

        def __init__(self, bar: SearchBar, value: str) -> None:
            super().__init__()
            self.bar = bar
            self.value = value

        @property
        def control(self) -> SearchBar:
            """The search bar."""
            return self.bar

    class Dismissed(Message):
        """Escape: the reader wants to leave the bar; the text stays."""

        def __init__(self, bar: SearchBar, value: str) -> None:
            super().__init__()
            self.bar = bar
            self.value = value

        @property
        def control(self) -> SearchBar:
            """The search bar."""
            return self.bar

    class Moved(Message):
        """The list's cursor should move by that many rows, while the bar keeps the focus."""

        def __init__(self, bar: SearchBar, rows: int) -> None:
            super().__init__()
            self.bar = bar
            self.rows = rows

        @property
        def control(self) -> SearchBar:
            """The search bar."""
            return self.bar

    def __init__(
        self,
        value: str = "",
        *,
        search: Search | None = None,
        complete: Complete = no_completions,
        leave: Callable[[], None] | None = None,
        placeholder: str = "",
        compact: bool = False,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        self.search: Search | None = None
        """Called with the text at each change; None while nobody listens."""
        self.complete = complete
        """Asked for completions of the word at the cursor."""
        self.leave = leave
        """Called when enter or escape leaves the line; a focus that it sets has the keys typed after these."""
        self._candidates: list[str] = []
        self._cycle: tuple[str, int, list[str], int] | None = None
        self._styles_known: dict[str, Style] = {}
        super().__init__(
            value or None,
            placeholder=clean_line(placeholder),
            select_on_focus=False,
            validate_on=(),
            compact=compact,
            id=id,
            classes=classes,
        )
        self.search = search
        # The results are on the screen by then; nobody else waits for it.
        self.disable_messages(Input.Changed)

    # The text

    def select_for_anew(self) -> None:
        """Select the text, so that typing puts another in its place; arrow keys go on with it."""
        self.selection = Selection(0, len(self.value))

    def on_blur(self) -> None:
        """Leave nothing selected that the next letter would take away, or that would look chosen."""
        self.selection = Selection.cursor(self.cursor_position)

    def watch_value(self, value: str) -> None:
        """Search for the text, in the frame that shows it."""
        self._candidates = self._completions(value, len(value)) if value and value[-1] != " " else []
        if self._cycle is not None and value != self._cycle[0]:
            self._cycle = None
        if self.search is not None:
            self.search(value)
        self._refresh_text()

    def watch_selection(self) -> None:
        """Draw the cursor where it is now."""
        self._refresh_text()

    def watch__cursor_visible(self) -> None:
        """Let the cursor blink."""
        self._refresh_text()

    def watch_status(self) -> None:
        """Draw what was found."""
        self._refresh_text()

    def _refresh_text(self) -> None:
        """Draw the line of text again; the cursor may stand in the column behind its room."""
        self.refresh(Region(0, 0, self.content_size.width + 1, 1))

    def _completions(self, value: str, cursor: int) -> list[str]:
        """Return the completions that are one line of harmless text."""
        return [word for word in self.complete(value, cursor) if word.isprintable()]

    def validate_value(self, value: str) -> str:
        """Keep pasted control characters out."""
        return value if value.isprintable() else clean_line(value)

    def validate_status(self, status: str) -> str:
        """Keep it one line of harmless text."""
        return clean_line(status)

    def validate_error(self, error: str) -> str:
        """Keep it one line of harmless text."""
        return clean_line(error)

    def watch_error(self, error: str) -> None:
        """Make room for the second line, or take it away."""
        self.set_class(bool(error), "-error")
        self.refresh()

    # Drawing

    def notify_style_update(self) -> None:
        """Forget the former styles."""
        super().notify_style_update()
        self._styles_known.clear()

    def _style(self, name: str = "") -> Style:
        """Return the style of a part, or the bar's own; asked for with each key, made with each theme."""
        style = self._styles_known.get(name)
        if style is None:
            style = self.get_component_rich_style(name) if name else self.rich_style
            self._styles_known[name] = style
        return style

    def render_line(self, y: int) -> Strip:
        """Return the line of text with the status, or the error below it."""
        width = self.scrollable_content_region.width
        if y == 1 and self.error:
            text = cut(self.error, width)
            return Strip([Segment(text, self._style("search-bar--error"))]).adjust_cell_length(
                width, self._style()
            )
        if y:
            return super().render_line(y)
        used = (cells(self.value) if self.value else cells(self.placeholder)) + 2
        typed = self._typed(width) if self.value and used <= width else []
        if typed:
            used = max(used, sum(cells(text) for text, _, _ in typed) + 1)
            strip = Strip(typed)
        else:
            strip = super().render_line(y)
        status = self.status
        size = cells(status)
        if not status or width - used < size:
            return strip.adjust_cell_length(width + 1, self._style()) if typed else strip
        return Strip(
            [
                *strip.adjust_cell_length(width - size, self._style()),
                Segment(status, self._style("search-bar--status")),
                Segment(" ", self._style()),
            ],
            width + 1,
        )

    def _typed(self, width: int) -> list[Segment]:
        """Return the text, the cursor behind it, and the first completion from there on.

        This is what is drawn with each key; nothing where `Input` has more to draw: a cursor within the
        text, a selection, a text that is scrolled.
        """
        if not self.cursor_at_end or not self.selection.is_empty or round(self.scroll_x):
            return []
        rest = self._completion_rest() if self.has_focus else ""
        if cells(self.value) + cells(rest) >= width:
            rest = ""
        under = self._style()
        if self.has_focus and self._cursor_visible:
            under += self._style("input--cursor")
        segments = [Segment(self.value, self._style()), Segment(rest[:1] or " ", under)]
        return [*segments, Segment(rest[1:], self._style("input--suggestion"))] if rest[1:] else segments

    def _completion_rest(self) -> str:
        if not self._candidates or not self.cursor_at_end:
            return ""
        word = self.value[word_start(self.value, len(self.value)) :]
        candidate = self._candidates[0]
        return candidate[len(word) :] if word and candidate.startswith(word) else ""

    # Keys

    def action_complete(self) -> None:
        """Put the first completion in; pressed again, the next one. Moves the focus when there is none."""
        if self._cycle is not None and self._cycle[0] == self.value:
            _, start, words, at = self._cycle
            at = (at + 1) % len(words)
        else:
            words = self._candidates or self._completions(self.value, self.cursor_position)
            start, at = word_start(self.value, self.cursor_position), 0
            if not words or not self.cursor_at_end:
                raise SkipAction
        value = self.value[:start] + words[at]
        self._cycle = (value, start, words, at)
        self.value = value
        self.cursor_position = len(value)

    def action_cursor_right(self, select: bool = False) -> None:
        """Move right, or accept the completion at the end of the text."""
        if not select and self.cursor_at_end and self._completion_rest():
            self.action_complete()
        else:
            super().action_cursor_right(select)

    async def action_submit(self) -> None:
        """Tell that the results are wanted."""
        if self.leave is not None:
            self.leave()
        self.post_message(self.Accepted(self, self.value))

    def action_dismiss_search(self) -> None:
        """Tell that the bar is to be left."""
        if self.leave is not None:
            self.leave()
        self.post_message(self.Dismissed(self, self.value))

    def action_ask_move(self, rows: int) -> None:
        """Ask the list to move its cursor."""
        self.post_message(self.Moved(self, rows))

    async def on_key(self, event: events.Key) -> None:
        """Do what a key of this line does, before the next key is looked at.

        Textual does it once the key has come up to the application: after letters that were typed later,
        which a slow connection hands over together with it.
        """
        if self.screen.focused is not self:
            # Typed after the key that left the line, and on its way here already.
            event.prevent_default()
            return
        active = None if event.is_printable else self.screen.active_bindings.get(event.key)
        if (
            active is not None
            and active.node is self
            and active.enabled
            and await self.app.run_action(active.binding.action, default_namespace=self)
        ):
            event.stop()
            event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Take a pasted text as one line, whatever line ends it has."""
        event.prevent_default()
        event.stop()
        text = clean_line(event.text)
        if text:
            self.replace(text, *self.selection)
