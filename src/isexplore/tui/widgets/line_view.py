"""`LineView`: draws styled lines and scrolls them; what the lines are is up to its subclasses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.segment import Segment as RichSegment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from isexplore.tui.markdown import Line
from isexplore.tui.text import cut

_STYLES = (
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "strong",
    "em",
    "strike",
    "code",
    "code-block",
    "link",
    "image",
    "quote",
    "bullet",
    "rule",
    "diff-add",
    "diff-remove",
    "diff-hunk",
    "diff-file",
    "notice",
    "match",
    "current",
)
Overlay = tuple[int, int, Style]
"""Characters `start` to `end` of a line, and the style that goes over theirs."""


class LineView(ScrollView, can_focus=True):
    """Lines in the styles that `isexplore.tui.markdown` names, with the keys that scroll."""

    DEFAULT_CSS = """
    LineView {
        height: 1fr;
        padding: 0 1;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
        scrollbar-gutter: stable;
        background: transparent;

        & > .line--h1 { text-style: bold; color: $text-primary; }
        & > .line--h2 { text-style: bold underline; color: $text-primary; }
        & > .line--h3 { text-style: bold; color: $text-primary; }
        & > .line--h4, & > .line--h5, & > .line--h6 { text-style: bold italic; }
        & > .line--strong { text-style: bold; }
        & > .line--em { text-style: italic; }
        & > .line--strike { text-style: strike; }
        & > .line--code { color: $text-accent; }
        & > .line--code-block { background: $foreground 6%; }
        & > .line--link { color: $text-accent; text-style: underline; }
        & > .line--image { color: $text-muted; text-style: italic; }
        & > .line--quote, & > .line--rule { color: $foreground 40%; }
        & > .line--bullet { color: $text-accent; }
        & > .line--diff-add { color: $text-success; }
        & > .line--diff-remove { color: $text-error; }
        & > .line--diff-hunk { color: $text-accent; }
        & > .line--diff-file { text-style: bold; }
        & > .line--notice { color: $text-muted; text-style: italic; }
        & > .line--match { background: $warning 40%; text-style: underline; }
        & > .line--current { text-style: bold reverse; }

        &:ansi {
            & > .line--code, & > .line--h1 { text-style: bold; }
            & > .line--image, & > .line--quote, & > .line--rule { text-style: dim; }
            & > .line--match { text-style: bold underline; }
        }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{name}" for name in _STYLES}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_lines(1)", "Down", show=False, id="document.down"),
        Binding("up,k", "scroll_lines(-1)", "Up", show=False, id="document.up"),
        Binding("pagedown,space,ctrl+f", "scroll_pages(1)", "Page down", show=False, id="document.page-down"),
        Binding("pageup,ctrl+b", "scroll_pages(-1)", "Page up", show=False, id="document.page-up"),
        Binding("ctrl+d", "scroll_pages(0.5)", "Half a page down", show=False, id="document.half-down"),
        Binding("ctrl+u", "scroll_pages(-0.5)", "Half a page up", show=False, id="document.half-up"),
        Binding("home,g", "first_line", "Top", show=False, id="document.top"),
        Binding("end,G", "last_line", "Bottom", show=False, id="document.bottom"),
    ]

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._lines: list[Line] = []
        self._strips: LRUCache[int, Strip] = LRUCache(512)
        self._style_cache: dict[str, Style] = {}

    @property
    def lines(self) -> Sequence[Line]:
        """The lines as wrapped now."""
        return self._lines

    @property
    def room(self) -> int:
        """Cells that a line has, beside the scrollbar (whose place is always kept free)."""
        return self.scrollable_content_region.width

    @property
    def empty_words(self) -> str:
        """What stands in place of lines when there are none."""
        return ""

    def overlays(self, index: int, line: Line) -> list[Overlay]:
        """Return what is marked in this line."""
        return []

    def redraw(self) -> None:
        """Draw all lines again, because marks have changed."""
        self._strips.clear()
        self.refresh()

    # Scrolling

    def scroll_to_line(self, y: float) -> None:
        """Bring a line, by its index, to the top, without any animation."""
        # Forced, because Textual refuses before the first layout has shown the scrollbar.
        self.scroll_to(y=y, animate=False, force=True)

    def action_scroll_lines(self, lines: int) -> None:
        """Scroll by lines."""
        self.scroll_to_line(self.scroll_y + lines)

    def action_scroll_pages(self, pages: float) -> None:
        """Scroll by pages; a page keeps one line of the one before."""
        self.scroll_to_line(self.scroll_y + round(pages * max(1, self.size.height - 1)))

    def action_first_line(self) -> None:
        """Go to the top."""
        self.scroll_to_line(0)

    def action_last_line(self) -> None:
        """Go to the bottom."""
        self.scroll_to_line(self.max_scroll_y)

    # Drawing

    def notify_style_update(self) -> None:
        """Forget what was drawn with the former styles."""
        super().notify_style_update()
        self._strips.clear()
        self._style_cache.clear()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text, wrapped lines as they are on the screen."""
        return selection.extract("\n".join(line.text for line in self._lines)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw the selection."""
        self._strips.clear()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return line `y` of what is visible."""
        index = y + round(self.scroll_y)
        width = self.room
        if index >= len(self._lines):
            words = self.empty_words if index == 0 else ""
            if words:
                text = [RichSegment(cut(words, width), self.style_of("notice"))]
                return Strip(text).adjust_cell_length(width, self.rich_style)
            return Strip.blank(width, self.rich_style)
        strip = self._strips.get(index)
        if strip is None or strip.cell_length != width:
            strip = self._strips[index] = self._draw(index, width)
        return strip.apply_offsets(0, index)

    def _draw(self, index: int, width: int) -> Strip:
        line = self._lines[index]
        parts: Iterable[RichSegment] = [
            RichSegment(segment.text, self.style_of(segment.style)) for segment in line.segments
        ]
        overlays = self.overlays(index, line)
        selection = self.text_selection
        if selection is not None:
            span = selection.get_span(index)
            if span is not None:
                start, end = span
                end = len(line.text) if end == -1 else end
                overlays.append((start, end, self.screen.get_component_rich_style("screen--selection")))
        if overlays:
            parts = _overlaid(parts, overlays)
        fill = self.style_of(line.fill) if line.fill else self.rich_style
        return Strip(parts).adjust_cell_length(width, fill)

    def style_of(self, names: str) -> Style:
        """Return the style for names of styles that add up, over the background of the view."""
        style = self._style_cache.get(names)
        if style is None:
            style = self.rich_style
            for name in names.split():
                if name in _STYLES:
                    style += self._own_style(f"line--{name}")
            self._style_cache[names] = style
        return style

    def _own_style(self, name: str) -> Style:
        """Return what a component class itself says, with its colours blended over the background."""
        rules = self.get_component_styles(name)
        whole = self.get_component_rich_style(name)
        coloured = rules.has_rule("color") or rules.has_rule("auto_color")
        colours = Style(
            color=whole.color if coloured else None,
            bgcolor=whole.bgcolor if rules.has_rule("background") else None,
        )
        return colours + rules.text_style


def _overlaid(parts: Iterable[RichSegment], overlays: Sequence[Overlay]) -> Iterable[RichSegment]:
    """Return the segments with styles laid over some of their characters."""
    edges = sorted({edge for start, end, _ in overlays for edge in (start, end)})
    at = 0
    for text, style, _ in parts:
        end = at + len(text)
        stops = [*(edge for edge in edges if at < edge < end), end]
        start = at
        for stop in stops:
            extra = style or Style()
            for low, high, over in overlays:
                if low <= start < high:
                    extra += over
            yield RichSegment(text[start - at : stop - at], extra)
            start = stop
        at = end
