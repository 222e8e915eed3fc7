"""`RowList`: a list of any length, drawn line by line; its cost follows the screen, not the rows.

    class Projects(RowSource):
        def __len__(self): return len(self.found)
        def row(self, index): return RowText(([("name", "title")], [("what it does", "muted")]))
        def key(self, index): return self.found[index].ref        # keeps the cursor on its row

    rows = RowList(row_height=3, empty="Nothing matches. Press / to search for something else.")
    rows.set_rows(Projects(...))                                  # no work per row
    rows.set_rows(ListRows(items, render, key=lambda item: item.ref))

Messages: `RowList.Highlighted` when the cursor comes to another row (also after `set_rows`, when
the row under it is another one), `RowList.Chosen` on enter or a second click. Style names of spans:
`title`, `strong`, `muted`, `accent`, `good`, `warning`, `bad`, `match`; anything else is plain.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from textwrap import wrap
from typing import ClassVar, Generic, NamedTuple, TypeVar

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip

from isexplore.text import clean
from isexplore.tui.text import Span, cells, cut_spans

T = TypeVar("T")

SEARCH_LIMIT = 500
"""Rows looked at for the cursor's key when a source has no `index_of` of its own."""
_MARK = "▌"


class RowLine(NamedTuple):
    """One line of a row: what is at the left, and what is kept at the right end."""

    left: Sequence[Span]
    right: Sequence[Span] = ()


class RowText(NamedTuple):
    """What one row shows: its lines, top to bottom; missing lines are blank, surplus ones are not shown."""

    lines: Sequence[str | Sequence[Span] | RowLine]


class RowSource:
    """Where a list gets its rows from; asked only for those on the screen."""

    def __len__(self) -> int:
        """Return the number of rows."""
        raise NotImplementedError

    def row(self, index: int) -> RowText:
        """Return what row `index` shows; called once per row that comes into sight."""
        raise NotImplementedError

    def key(self, index: int) -> Hashable:
        """Return what names row `index` when the rows are replaced; its position unless overridden."""
        return index

    def index_of(self, key: Hashable) -> int | None:
        """Return where the row with this key is now, looking at the first `SEARCH_LIMIT` rows only."""
        for index in range(min(len(self), SEARCH_LIMIT)):
            if self.key(index) == key:
                return index
        return None


class ListRows(RowSource, Generic[T]):
    """Rows of a list that is in memory."""

    def __init__(
        self,
        items: Sequence[T],
        render: Callable[[T], RowText],
        key: Callable[[T], Hashable] | None = None,
    ) -> None:
        self.items = items
        self._render = render
        self._key = key

    def __len__(self) -> int:
        return len(self.items)

    def row(self, index: int) -> RowText:
        """Return what item `index` shows."""
        return self._render(self.items[index])

    def key(self, index: int) -> Hashable:
        """Return the item's own key, or its position."""
        return index if self._key is None else self._key(self.items[index])


class _RowScrollBar(ScrollBar):
    """A scroll bar that is drawn with each key: every different cell once, not every line."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the cells of the bar."""
        bar = self.render()
        width, height = self.outer_size
        if not isinstance(bar, ScrollBarRender) or not isinstance(bar.style, Style) or crop.width != width:
            return super().render_lines(crop)
        drawn = bar.render_bar(
            size=height,
            virtual_size=bar.virtual_size,
            window_size=bar.window_size,
            position=bar.position,
            thickness=width,
            back_color=bar.style.bgcolor or RichColor.default(),
            bar_color=bar.style.color or RichColor.default(),
        ).segments
        under, background = self.visual_style.rich_style, self.background_colors[1]
        filters = self.get_line_filters()
        strips: list[Strip] = []
        last: Segment | None = None
        for segment in drawn[crop.y : crop.bottom]:
            if segment is last:
                strips.append(strips[-1])
                continue
            last = segment
            segments = [Segment(segment.text, under + segment.style)]
            for line_filter in filters:
                segments = line_filter.apply(segments, background)
            strips.append(Strip(segments, width))
        return strips


@lru_cache(maxsize=8)
def _wrapped(text: str, room: int) -> tuple[str, ...]:
    """Return the lines of a text, none longer than `room`; kept, as each line of the list asks for all of them."""
    return tuple(part for line in text.splitlines() for part in wrap(line, room) or [""])


class RowList(ScrollView, can_focus=True):
    """A virtual list with a cursor."""

    DEFAULT_CSS = """
    RowList {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
        scrollbar-gutter: stable;
        background: transparent;

        & > .row-list--title { text-style: bold; }
        & > .row-list--strong { text-style: bold; }
        & > .row-list--muted { color: $text-muted; }
        & > .row-list--accent { color: $text-accent; }
        & > .row-list--good { color: $text-success; }
        & > .row-list--warning { color: $text-warning; }
        & > .row-list--bad { color: $text-error; }
        & > .row-list--match { text-style: bold underline; color: $text-accent; }
        & > .row-list--mark { color: $foreground 40%; }
        & > .row-list--cursor { background: $foreground 8%; }
        & > .row-list--hover { background: $foreground 4%; }
        & > .row-list--empty { color: $text-muted; }
        &:focus > .row-list--mark { color: $accent; text-style: bold; }
        &:focus > .row-list--cursor { background: $primary 25%; }

        &:ansi {
            & > .row-list--muted, & > .row-list--empty { text-style: dim; }
            & > .row-list--cursor { text-style: bold; }
        }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"row-list--{name}"
        for name in (
            "title",
            "strong",
            "muted",
            "accent",
            "good",
            "warning",
            "bad",
            "match",
            "mark",
            "cursor",
            "hover",
            "empty",
        )
    }

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, id="list.page-down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="list.page-up"),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False, id="list.half-down"),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False, id="list.half-up"),
        Binding("home,g", "first", "First", show=False, id="list.first"),
        Binding("end,G", "last", "Last", show=False, id="list.last"),
        Binding("enter", "choose", "Open", show=False, id="list.choose"),
    ]

    cursor: reactive[int | None] = reactive(None, init=False, repaint=False)
    """Index of the row under the cursor; None while the list is empty."""
    row_height: reactive[int] = reactive(1, init=False)
    """Lines per row, 1 to 3."""
    _hovered: reactive[int | None] = reactive(None, init=False, repaint=False)

    class Highlighted(Message):
        """The cursor is on another row, or there is another row under it."""

        def __init__(self, row_list: RowList, index: int, key: Hashable) -> None:
            super().__init__()
            self.row_list = row_list
            self.index = index
            self.key = key
            """The row's key at that moment, to drop the message when the rows have changed since."""

        @property
        def control(self) -> RowList:
            """The list."""
            return self.row_list

        def can_replace(self, message: Message) -> bool:
            """Let a newer position take the place of one that nobody has looked at yet."""
            return isinstance(message, RowList.Highlighted) and message.row_list is self.row_list

    class Chosen(Message):
        """The row was chosen, by enter or by a click on the row under the cursor."""

        def __init__(self, row_list: RowList, index: int, key: Hashable) -> None:
            super().__init__()
            self.row_list = row_list
            self.index = index
            self.key = key

        @property
        def control(self) -> RowList:
            """The list."""
            return self.row_list

    def __init__(
        self,
        *,
        row_height: int = 1,
        empty: str = "",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._source: RowSource = ListRows[object]((), lambda item: RowText(()))
        self._count = 0
        self._key: Hashable = None
        self._empty = clean(empty)
        self._rows: LRUCache[int, list[_Line]] = LRUCache(512)
        self._strips: LRUCache[tuple[int, int, bool, bool, int], Strip] = LRUCache(1024)
        self._drawn_for: tuple[Sequence[LineFilter], Color] | None = None
        self._style_cache: dict[tuple[str, str], Style] = {}
        self.set_reactive(RowList.row_height, row_height)

    # Rows

    @property
    def source(self) -> RowSource:
        """Where the rows come from."""
        return self._source

    @property
    def count(self) -> int:
        """The number of rows."""
        return self._count

    @property
    def empty(self) -> str:
        """What is shown in place of rows when there are none."""
        return self._empty

    @empty.setter
    def empty(self, words: str) -> None:
        words = clean(words)
        if words != self._empty:
            self._empty = words
            self._strips.clear()
            self.refresh()

    def set_rows(self, source: RowSource, *, keep_cursor: bool = True) -> None:
        """Show other rows.

        Args:
            source: the rows; only those on the screen are asked for.
            keep_cursor: leave the cursor on the row that has the same key, if there still is one;
                else it goes to the first row.
        """
        previous = self._key if self.cursor is not None else None
        self._source = source
        self._count = len(source)
        self._rows.clear()
        self._strips.clear()
        self._hovered = None
        index: int | None = None
        if self._count:
            index = source.index_of(previous) if keep_cursor and previous is not None else None
            index = 0 if index is None else index
        self._resize_content()
        moved = index != self.cursor
        self.set_reactive(RowList.cursor, index)
        key = None if index is None else source.key(index)
        changed = key != self._key or (index is None) != (previous is None)
        self._key = key
        if index is None or index == 0:
            self.scroll_to(y=0, animate=False, force=True)
        elif moved:
            self._scroll_to_row(index)
        self.refresh()
        if changed and index is not None:
            self.post_message(self.Highlighted(self, index, key))

    def grow(self) -> None:
        """Take in rows that the source has got at its end; what is seen stays as it is."""
        self._count = len(self._source)
        self._resize_content()
        self.refresh()

    def refresh_rows(self) -> None:
        """Draw the rows again, because what the source says of them has changed."""
        self._rows.clear()
        self._strips.clear()
        self.refresh()

    def move_cursor(self, index: int) -> None:
        """Put the cursor on a row, the nearest one when there is none with that index."""
        if self._count:
            self.cursor = max(0, min(index, self._count - 1))

    def step(self, rows: int) -> None:
        """Move the cursor by that many rows; negative is up."""
        self.move_cursor((self.cursor or 0) + rows)

    def watch_cursor(self, before: int | None, index: int | None) -> None:
        """Bring the row under the cursor into sight and tell it."""
        if index is None:
            return
        self._key = self._source.key(index)
        self._scroll_to_row(index)
        self._refresh_row(before)
        self._refresh_row(index)
        self.post_message(self.Highlighted(self, index, self._key))

    def watch__hovered(self, before: int | None, index: int | None) -> None:
        """Draw the mark of the mouse where it is now."""
        self._refresh_row(before)
        self._refresh_row(index)

    def _refresh_row(self, index: int | None) -> None:
        if index is not None:
            self.refresh_lines(index * self.row_height, self.row_height)

    def watch_row_height(self) -> None:
        """Lay the rows out anew."""
        self._strips.clear()
        self._resize_content()
        if self.cursor is not None:
            self._scroll_to_row(self.cursor)
        self.refresh()

    def _resize_content(self) -> None:
        """Take the new length in. The screen is laid out anew only where that can change something."""
        size = Size(0, self._count * self.row_height)
        before = self.virtual_size
        room = self.scrollable_content_region.height
        if not room or self.styles.is_auto_height or (before.height > room) != (size.height > room):
            self.virtual_size = size
        elif size != before:
            self.set_reactive(RowList.virtual_size, size)
            # What the reactive does apart from a new layout; there is no public way to do just that.
            self._scroll_update(size)

    def _scroll_to_row(self, index: int) -> None:
        height = self.row_height
        self.scroll_to_region(Region(0, index * height, 1, height), animate=False, force=True)

    # Drawing

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """The scroll bar, made when it is first asked for: as in Textual, which takes no other one in any other way."""
        if self._vertical_scrollbar is None:
            self._vertical_scrollbar = _RowScrollBar(name="vertical", thickness=self.scrollbar_size_vertical)
            self._vertical_scrollbar.display = False
            self.app._start_widget(self, self._vertical_scrollbar)
        return self._vertical_scrollbar

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the lines that a list of automatic height takes: its rows, or the words in their place."""
        return self._count * self.row_height or len(self._empty_lines(width)) + 1

    def notify_style_update(self) -> None:
        """Forget what was drawn with the former styles."""
        super().notify_style_update()
        self._strips.clear()
        self._style_cache.clear()

    def on_resize(self) -> None:
        """Keep the cursor's row in sight."""
        if self.cursor is not None:
            self._scroll_to_row(self.cursor)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return lines of what is visible.

        A list has one background and nothing around its rows. What Textual does with each line for
        the sake of borders, padding and opacity is most of what a frame costs, and left out here.
        """
        if not self._style_cache and not self._is_styled():
            # On a busy machine a frame may come before the styles; all is drawn again once these have come.
            return [Strip.blank(crop.width)] * crop.height
        size = self.outer_size
        if self.styles.gutter or self.opacity != 1.0 or crop.column_span != (0, size.width):
            return super().render_lines(crop)
        filters, background = self.get_line_filters(), self.background_colors[1]
        if self._drawn_for != (filters, background):
            self._strips.clear()
            self._drawn_for = (filters, background)
        width = self.scrollable_content_region.width
        # Nobody else fills the room of a scroll bar that is not shown.
        whole = width if self.show_vertical_scrollbar else size.width
        top = round(self.scroll_y)
        strips: list[Strip] = []
        for y in crop.line_range:
            at = (*self._place(y + top), whole)
            strip = self._strips.get(at)
            if strip is None:
                segments = self._draw(*at[:4], width)
                if whole > width:
                    segments.append(Segment(" " * (whole - width), self._style("", "")))
                for line_filter in filters:
                    segments = line_filter.apply(segments, background)
                strip = self._strips[at] = Strip(segments, whole)
            strips.append(strip)
        return strips

    def render_line(self, y: int) -> Strip:
        """Return line `y` of what is visible."""
        width = self.scrollable_content_region.width
        return Strip(self._draw(*self._place(y + round(self.scroll_y)), width), width)

    def _place(self, y: int) -> tuple[int, int, bool, bool]:
        """Return row and line there, whether the cursor and whether the mouse is on it; -1 for no row."""
        index, line = divmod(y, self.row_height)
        if index >= self._count:
            return -1, y, False, False
        under = index == self.cursor
        return index, line, under, index == self._hovered and not under

    def _draw(self, index: int, line: int, under: bool, hovered: bool, width: int) -> list[Segment]:
        if index < 0:
            return self._draw_empty(line, width)
        row = self._rows.get(index)
        if row is None:
            row = self._rows[index] = [_sized(one) for one in self._source.row(index).lines]
        left, taken_left, right, taken = row[line] if line < len(row) else ((), 0, (), 0)
        room = width - 2
        ground = "cursor" if under else "hover" if hovered else ""
        if taken > room // 2:
            right, taken = _cut(right, room // 2)
        if taken_left > room - taken - (2 if taken else 0):
            left, taken_left = _cut(left, room - taken - (2 if taken else 0))
        gap = room - taken - taken_left
        base = self._style("", ground)
        mark = f" {_MARK}" if under else "  "
        spans = [(mark[:width], self._style("mark", ground) if under else base)]
        spans += [(text, self._style(style, ground)) for text, style in left]
        spans.append((" " * gap, base))
        spans += [(text, self._style(style, ground)) for text, style in right]
        return _joined(spans)

    def _empty_lines(self, width: int) -> tuple[str, ...]:
        """Return what stands in an empty list, wrapped: the reason that a forge gives may be long."""
        return _wrapped(self._empty, max(1, width - 2))

    def _draw_empty(self, line: int, width: int) -> list[Segment]:
        lines = self._empty_lines(width)
        spans: list[Span] = []
        if not self._count and 1 <= line <= len(lines):
            spans = cut_spans([("  " + lines[line - 1], "empty")], width)
        segments = [Segment(text, self._style(style, "")) for text, style in spans]
        gap = width - sum(cells(text) for text, _ in spans)
        return [*segments, Segment(" " * gap, self._style("", ""))] if gap > 0 else segments

    def _is_styled(self) -> bool:
        try:
            self.get_component_styles("row-list--cursor")
        except KeyError:
            return False
        return True

    def _style(self, name: str, ground: str) -> Style:
        style = self._style_cache.get((name, ground))
        if style is None:
            known = f"row-list--{name}" in self.COMPONENT_CLASSES
            style = self.get_component_rich_style(f"row-list--{name}") if known else self.rich_style
            if ground:
                under = self.get_component_rich_style(f"row-list--{ground}")
                style += Style(bgcolor=under.bgcolor, bold=under.bold)
            self._style_cache[name, ground] = style
        return style

    # Keys and mouse

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.step(rows)

    def action_page(self, pages: float) -> None:
        """Move the cursor by pages."""
        rows = max(1, self.scrollable_content_region.height // self.row_height)
        self.step(round(rows * pages) or (1 if pages > 0 else -1))

    def action_first(self) -> None:
        """Go to the first row."""
        self.move_cursor(0)

    def action_last(self) -> None:
        """Go to the last row."""
        self.move_cursor(self._count - 1)

    def action_choose(self) -> None:
        """Choose the row under the cursor."""
        if self.cursor is None:
            raise SkipAction
        self.post_message(self.Chosen(self, self.cursor, self._key))

    def _row_at(self, event: events.MouseEvent) -> int | None:
        offset = event.get_content_offset(self)
        if offset is None:
            return None
        index = (offset.y + round(self.scroll_y)) // self.row_height
        return index if index < self._count else None

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the click was; a click on the cursor chooses."""
        index = self._row_at(event)
        if index is None:
            return
        event.stop()
        if index == self.cursor:
            self.action_choose()
        else:
            self.cursor = index

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Mark the row under the mouse."""
        self._hovered = self._row_at(event)

    def on_leave(self) -> None:
        """Forget the mouse."""
        self._hovered = None


class _Line(NamedTuple):
    """A line that is safe to show, with the cells that its sides take."""

    left: Sequence[Span]
    left_cells: int
    right: Sequence[Span]
    right_cells: int


def _sized(content: str | Sequence[Span] | RowLine) -> _Line:
    if isinstance(content, str):
        content = [(content, "")]
    left, right = content if isinstance(content, RowLine) else (content, ())
    left = [(_one_line(text), style) for text, style in left if text]
    right = [(_one_line(text), style) for text, style in right if text]
    return _Line(left, _cells_of(left), right, _cells_of(right))


def _joined(spans: Sequence[tuple[str, Style]]) -> list[Segment]:
    """Return as few segments as look like this: each change of style is forty bytes to the terminal."""
    segments: list[Segment] = []
    words, known = "", None
    for text, style in spans:
        if style is known or (
            known is not None
            and text.isspace()
            and known.bgcolor == style.bgcolor
            and not (known.underline or known.reverse or known.strike)
        ):
            words += text
        else:
            if words:
                segments.append(Segment(words, known))
            words, known = text, style
    return [*segments, Segment(words, known)] if words else segments


def _cells_of(spans: Sequence[Span]) -> int:
    return sum([cells(text) for text, _ in spans])


def _cut(spans: Sequence[Span], width: int) -> tuple[Sequence[Span], int]:
    spans = cut_spans(spans, max(0, width))
    return spans, _cells_of(spans)


def _one_line(text: str) -> str:
    if text.isprintable():
        return clean(text) if not text.isascii() else text
    return clean(text[:2000]).replace("\n", " ").replace("\t", " ")
