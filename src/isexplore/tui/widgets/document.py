"""`DocumentView`: a README, an issue or a diff, drawn line by line; never Textual's `Markdown` widget.

    view.show(text, title="README", base=project.url, path="docs/README.md")
    view.show(diff, title="your change", kind="diff")
    view.headings            # [Heading(level, text, line, slug)] as far as the document has been read
    view.go_to(14)           # line of the document; waits for the line when it is not read yet
    view.find("retry")       # 3, the number of hits; `find_next`, `find_previous`, `clear_find`

The first screenful is there when `show` returns; the rest is read in slices of a few milliseconds
between which keys are answered. Beyond `limit` characters the reader asks for the rest (`m`).
Messages: `LinkActivated` (its `link` says where it leads and whether that is allowed), `Loaded`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import ClassVar

from rich.segment import Segment as RichSegment
from rich.style import Style
from textual import events, work
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from isexplore.text import clean_line, count
from isexplore.tui.links import Link, LinkKind, resolve
from isexplore.tui.markdown import LIMIT, Document, Heading, Kind, Line, Match, Segment, find
from isexplore.tui.text import cells

SLICE = 0.003
"""Seconds of laying out between two looks at the keyboard."""
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
_Overlay = tuple[int, int, Style]


class DocumentView(ScrollView, can_focus=True):
    """A document that scrolls; its links can be visited and its words searched for."""

    DEFAULT_CSS = """
    DocumentView {
        height: 1fr;
        padding: 0 1;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
        scrollbar-gutter: stable;
        background: transparent;

        & > .document--h1 { text-style: bold; color: $text-primary; }
        & > .document--h2 { text-style: bold underline; color: $text-primary; }
        & > .document--h3 { text-style: bold; color: $text-primary; }
        & > .document--h4, & > .document--h5, & > .document--h6 { text-style: bold italic; }
        & > .document--strong { text-style: bold; }
        & > .document--em { text-style: italic; }
        & > .document--strike { text-style: strike; }
        & > .document--code { color: $text-accent; }
        & > .document--code-block { background: $foreground 6%; }
        & > .document--link { color: $text-accent; text-style: underline; }
        & > .document--image { color: $text-muted; text-style: italic; }
        & > .document--quote, & > .document--rule { color: $foreground 40%; }
        & > .document--bullet { color: $text-accent; }
        & > .document--diff-add { color: $text-success; }
        & > .document--diff-remove { color: $text-error; }
        & > .document--diff-hunk { color: $text-accent; }
        & > .document--diff-file { text-style: bold; }
        & > .document--notice { color: $text-muted; text-style: italic; }
        & > .document--match { background: $warning 40%; text-style: underline; }
        & > .document--current { text-style: bold reverse; }

        &:ansi {
            & > .document--code, & > .document--h1 { text-style: bold; }
            & > .document--image, & > .document--quote, & > .document--rule { text-style: dim; }
            & > .document--match { text-style: bold underline; }
        }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"document--{name}" for name in _STYLES}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_lines(1)", "Down", show=False, id="document.down"),
        Binding("up,k", "scroll_lines(-1)", "Up", show=False, id="document.up"),
        Binding("pagedown,space,ctrl+f", "scroll_pages(1)", "Page down", show=False, id="document.page-down"),
        Binding("pageup,ctrl+b", "scroll_pages(-1)", "Page up", show=False, id="document.page-up"),
        Binding("ctrl+d", "scroll_pages(0.5)", "Half a page down", show=False, id="document.half-down"),
        Binding("ctrl+u", "scroll_pages(-0.5)", "Half a page up", show=False, id="document.half-up"),
        Binding("home,g", "first_line", "Top", show=False, id="document.top"),
        Binding("end,G", "last_line", "Bottom", show=False, id="document.bottom"),
        Binding("right_curly_bracket", "heading(1)", "Next heading", show=False, id="document.next-heading"),
        Binding(
            "left_curly_bracket", "heading(-1)", "Heading before", show=False, id="document.heading-before"
        ),
        Binding("n", "next", "Next link", show=False, id="document.next"),
        Binding("p,N", "previous", "Link before", show=False, id="document.previous"),
        Binding("enter", "open_link", "Open link", show=False, id="document.open-link"),
        Binding("m", "show_rest", "Show the rest", id="document.rest"),
    ]

    class LinkActivated(Message):
        """A link was opened; what to do about it is up to the screen."""

        def __init__(self, view: DocumentView, href: str, link: Link) -> None:
            super().__init__()
            self.view = view
            self.href = href
            """The link as the document has it, cleaned."""
            self.link = link
            """Where it leads; links to a heading of the same document have been followed already."""

        @property
        def control(self) -> DocumentView:
            """The view."""
            return self.view

    class Loaded(Message):
        """The document has been read to its end or limit, and its outline is complete up to there."""

        def __init__(self, view: DocumentView, title: str) -> None:
            super().__init__()
            self.view = view
            self.title = title

        @property
        def control(self) -> DocumentView:
            """The view."""
            return self.view

    def __init__(
        self,
        *,
        limit: int = LIMIT,
        empty: str = "",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.title = ""
        """What the document is called."""
        self.base = ""
        self.path = ""
        self._limit = limit
        self._empty = clean_line(empty)
        self._document = Document("", "plain")
        self._text = ""
        self._shown = False
        self._lines: list[Line] = []
        self._fresh: list[Line] = []
        self._laid = 0
        self._width = 0
        self._anchor: tuple[int, float] = (1, 0.0)
        self._wanted_line: int | None = None
        self._wanted_slug = ""
        self._link_at: list[tuple[int, int]] = []
        self._link: int | None = None
        self._words = ""
        self._matches: list[Match] = []
        self._match = -1
        self._strips: LRUCache[int, Strip] = LRUCache(512)
        self._style_cache: dict[str, Style] = {}

    # What is shown

    def show(
        self, text: str, *, title: str = "", base: str = "", path: str = "", kind: Kind = "markdown"
    ) -> None:
        """Show a document from its beginning.

        Args:
            text: the document, in anybody's words.
            title: what to call it.
            base: web page of its project, to resolve links; "" when there is none.
            path: its path in the project, where relative links start.
            kind: how to read it.
        """
        self.title = clean_line(title)
        self.base, self.path = base, path
        self._text = text
        self._shown = True
        self._document = Document(text, kind, self._limit)
        self._lines = []
        self._link = None
        self._words, self._matches, self._match = "", [], -1
        self._wanted_line, self._wanted_slug = None, ""
        self._anchor = (1, 0.0)
        self._scroll(0)
        self._restart()

    def clear(self) -> None:
        """Show nothing."""
        self.show("", kind="plain")

    @property
    def text(self) -> str:
        """The document as it was given."""
        return self._text

    @property
    def headings(self) -> Sequence[Heading]:
        """The outline, as far as the document has been read."""
        return self._document.headings

    @property
    def links(self) -> Sequence[str]:
        """Where the links lead, as the document has them, as far as it has been read."""
        return self._document.links

    @property
    def is_loaded(self) -> bool:
        """Whether the document has been read to its end or limit, and laid out."""
        return self._is_done()

    @property
    def lines(self) -> Sequence[Line]:
        """The lines as wrapped now."""
        return self._lines

    @property
    def top_line(self) -> int:
        """Line of the document at the top of the view, from 1."""
        top = round(self.scroll_y)
        return self._lines[top].source if top < len(self._lines) else 1

    # Laying out

    @property
    def _room(self) -> int:
        """Cells that a line has, beside the scrollbar (whose place is always kept free)."""
        return self.scrollable_content_region.width

    def on_resize(self) -> None:
        """Wrap anew, keeping the place."""
        if self._shown and self._room != self._width and self._room:
            if self._lines:
                self._anchor = self._place()
            self._restart()

    def _place(self) -> tuple[int, float]:
        """Return the line of the document at the top, and how far into its wrapped lines that is."""
        top = min(round(self.scroll_y), len(self._lines) - 1)
        source = self._lines[top].source
        first = last = top
        while first and self._lines[first - 1].source == source:
            first -= 1
        while last + 1 < len(self._lines) and self._lines[last + 1].source == source:
            last += 1
        return source, (top - first) / (last - first + 1)

    def _restart(self) -> None:
        """Lay the document out from its beginning; the lines so far stay until there is enough."""
        self.workers.cancel_group(self, "document")
        self._width = self._room
        self._fresh, self._laid = [], 0
        if not self._width:
            return
        deadline = perf_counter() + 2 * SLICE
        enough = self.size.height + 1
        while not self._document.complete or self._laid < len(self._document.blocks):
            self._lay_out_next()
            if self._is_enough(enough) or (self._lines and perf_counter() > deadline):
                break
        self._take_fresh(enough)
        if self._is_done():
            self._finish()
        else:
            self._lay_out_rest()

    def _is_done(self) -> bool:
        return self._document.complete and self._laid >= len(self._document.blocks)

    def _is_enough(self, height: int) -> bool:
        """Return whether the new lines reach to the bottom of the screen."""
        if len(self._fresh) < height:
            return False
        return self._anchor == (1, 0.0) or self._fresh[-height].source > self._anchor[0]

    def _lay_out_next(self) -> None:
        document = self._document
        if self._laid >= len(document.blocks):
            document.next_blocks()
        if self._laid < len(document.blocks):
            block = document.blocks[self._laid]
            self._laid += 1
            self._fresh.extend(document.lines(block, max(1, self._width)))

    @work(exclusive=True, group="document")
    async def _lay_out_rest(self) -> None:
        announced = 0
        while not self._is_done():
            deadline = perf_counter() + SLICE
            while not self._is_done() and perf_counter() < deadline:
                self._lay_out_next()
            self._take_fresh(self.size.height + 1)
            # Each change of the height lays the whole screen out; so it is told in growing steps.
            if self._lines is self._fresh and len(self._lines) > 2 * announced:
                announced = len(self._lines)
                self._tell_height()
            await asyncio.sleep(0)
        self._take_fresh(0)
        self._finish()

    def _take_fresh(self, height: int) -> None:
        """Show the new lines in place of the former ones as soon as they reach far enough."""
        if self._lines is self._fresh or not (self._is_done() or self._is_enough(height)):
            return
        self._lines = self._fresh
        self._strips.clear()
        self._tell_height()
        if self._anchor != (1, 0.0):
            self._scroll(self._line_at(*self._anchor))
        self.refresh()

    def _finish(self) -> None:
        unread = self._document.unread
        if unread:
            words = f"... {count(max(1, unread // 1024), 'KB', 'KB')} more; press m to show the rest"
            source = self._lines[-1].source if self._lines else 1
            self._lines += [Line((), source), Line((Segment(words, "notice"),), source)]
        self._link_at = _links_of(self._lines)
        self._tell_height()
        self._find_again()
        self.refresh_bindings()
        self.refresh()
        if self._wanted_slug:
            self.go_to_heading(self._wanted_slug)
        elif self._wanted_line is not None:
            self.go_to(self._wanted_line)
        self.post_message(self.Loaded(self, self.title))

    def _tell_height(self) -> None:
        self.virtual_size = Size(0, len(self._lines))

    def _line_at(self, source: int, part: float = 0.0) -> int:
        """Return the index of the line that shows that line of the document."""
        first = next(
            (at for at, line in enumerate(self._lines) if line.source >= source), len(self._lines) - 1
        )
        last = first
        while last + 1 < len(self._lines) and self._lines[last + 1].source == source:
            last += 1
        # The blank line above a block belongs to it, but nobody wants to arrive there.
        if part == 0.0 and first < last and not self._lines[first].text.strip():
            first += 1
        return max(0, first + round(part * (last - first + 1)))

    # Places

    def _scroll(self, y: float) -> None:
        # Forced, because Textual refuses before the first layout has shown the scrollbar.
        self.scroll_to(y=y, animate=False, force=True)

    def go_to(self, line: int) -> None:
        """Bring a line of the document (from 1) to the top, as soon as it has been read."""
        if not self._lines or (self._lines[-1].source < line and not self._is_done()):
            self._wanted_line = line
            return
        self._wanted_line = None
        self._scroll(self._line_at(line))

    def go_to_heading(self, slug: str) -> bool:
        """Bring the heading that links call `slug` to the top.

        Returns:
            Whether there is one; while the document is being read, whether there is one so far.
        """
        self._wanted_slug = ""
        for heading in self.headings:
            if heading.slug == slug.lower():
                self.go_to(heading.line)
                return True
        if not self._is_done():
            self._wanted_slug = slug
        return False

    # Searching

    def find(self, words: str) -> int:
        """Mark where the words occur, go to the first place below the top, and return how many there are."""
        self._words = clean_line(words)
        self._matches = find(self._lines, self._words)
        self._match = -1
        self._strips.clear()
        self.refresh()
        if self._matches:
            top = round(self.scroll_y)
            at = (index for index, match in enumerate(self._matches) if match[0].line >= top)
            self._go_to_match(next(at, 0))
        return len(self._matches)

    @property
    def match_number(self) -> int:
        """Which of the hits is marked, from 1; 0 without a hit."""
        return self._match + 1

    def find_next(self) -> None:
        """Go to the next hit, after the last one to the first."""
        if self._matches:
            self._go_to_match((self._match + 1) % len(self._matches))

    def find_previous(self) -> None:
        """Go to the hit before."""
        if self._matches:
            self._go_to_match((self._match - 1) % len(self._matches))

    def clear_find(self) -> None:
        """Take the marks of the hits off."""
        self._words, self._matches, self._match = "", [], -1
        self._strips.clear()
        self.refresh()

    def _find_again(self) -> None:
        if self._words:
            self._matches = find(self._lines, self._words)
            self._match = min(self._match, len(self._matches) - 1)
            self._strips.clear()

    def _go_to_match(self, index: int) -> None:
        self._match = index
        self._strips.clear()
        self._show_line(self._matches[index][0].line)
        self.refresh()

    def _show_line(self, index: int) -> None:
        self.scroll_to_region(Region(0, max(0, index - 1), 1, 3), animate=False, force=True)

    # Links

    @property
    def focused_link(self) -> str | None:
        """Where the marked link leads, as the document has it."""
        return None if self._link is None else self._document.links[self._link]

    def _step_link(self, step: int) -> None:
        places = self._link_at or _links_of(self._lines)
        if not places:
            return
        numbers = [number for number, _ in places]
        top = round(self.scroll_y)
        bottom = top + self.size.height
        at = numbers.index(self._link) if self._link in numbers else -1
        if at >= 0 and top <= places[at][1] < bottom:
            index = (at + step) % len(places)
        else:
            visible = [index for index, (_, line) in enumerate(places) if top <= line < bottom]
            below = [index for index, (_, line) in enumerate(places) if line >= top]
            index = (visible or below or [0])[0 if step > 0 else -1]
        self._link, line = places[index]
        self._strips.clear()
        self._show_line(line)
        self.refresh()

    def _open(self, href: str) -> None:
        link = resolve(href, self.base, self.path)
        if link.kind is LinkKind.ANCHOR:
            self.go_to_heading(link.target)
        self.post_message(self.LinkActivated(self, clean_line(href), link))

    # Keys and mouse

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer "show the rest" only when there is a rest."""
        if action == "show_rest":
            return self._document.unread > 0
        return True

    def action_scroll_lines(self, lines: int) -> None:
        """Scroll by lines."""
        self._scroll(self.scroll_y + lines)

    def action_scroll_pages(self, pages: float) -> None:
        """Scroll by pages; a page keeps one line of the one before."""
        self._scroll(self.scroll_y + round(pages * max(1, self.size.height - 1)))

    def action_first_line(self) -> None:
        """Go to the top."""
        self._scroll(0)

    def action_last_line(self) -> None:
        """Go to the bottom."""
        self._scroll(self.max_scroll_y)

    def action_heading(self, step: int) -> None:
        """Go to the next heading, or the one before."""
        top = self.top_line
        lines = [heading.line for heading in self.headings]
        found = [line for line in lines if line > top] if step > 0 else [line for line in lines if line < top]
        if found:
            self.go_to(found[0] if step > 0 else found[-1])

    def action_next(self) -> None:
        """Go to the next hit of the search, or without one to the next link."""
        if self._matches:
            self.find_next()
        else:
            self._step_link(1)

    def action_previous(self) -> None:
        """Go to the hit before, or without a search to the link before."""
        if self._matches:
            self.find_previous()
        else:
            self._step_link(-1)

    def action_open_link(self) -> None:
        """Open the marked link."""
        if self.focused_link is None:
            raise SkipAction
        self._open(self.focused_link)

    def action_show_rest(self) -> None:
        """Read on beyond the limit."""
        if self._document.unread:
            self._anchor = self._place()
            self._document.read_on()
            self._restart()

    def on_click(self, event: events.Click) -> None:
        """Open the link under the mouse."""
        offset = event.get_content_offset(self)
        if offset is None or self.text_selection is not None:
            return
        index = offset.y + round(self.scroll_y)
        if index >= len(self._lines):
            return
        x = 0
        for segment in self._lines[index].segments:
            x += cells(segment.text)
            if offset.x < x:
                if segment.link is not None:
                    event.stop()
                    self._link = segment.link.number
                    self._strips.clear()
                    self.refresh()
                    self._open(segment.link.href)
                return

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
        width = self._room
        if index >= len(self._lines):
            if index == 0 and self._empty and self._is_done():
                text = [RichSegment(self._empty[:width], self._style("notice"))]
                return Strip(text).adjust_cell_length(width, self.rich_style)
            return Strip.blank(width, self.rich_style)
        strip = self._strips.get(index)
        if strip is None or strip.cell_length != width:
            strip = self._strips[index] = self._draw(index, width)
        return strip.apply_offsets(0, index)

    def _draw(self, index: int, width: int) -> Strip:
        line = self._lines[index]
        parts: Iterable[RichSegment] = [
            RichSegment(segment.text, self._style(segment.style)) for segment in line.segments
        ]
        overlays = self._overlays(index, line)
        if overlays:
            parts = _overlaid(parts, overlays)
        fill = self._style(line.fill) if line.fill else self.rich_style
        return Strip(parts).adjust_cell_length(width, fill)

    def _overlays(self, index: int, line: Line) -> list[_Overlay]:
        overlays: list[_Overlay] = []
        if self._link is not None:
            at = 0
            for segment in line.segments:
                end = at + len(segment.text)
                if segment.link is not None and segment.link.number == self._link:
                    overlays.append((at, end, self._style("current")))
                at = end
        for number, match in enumerate(self._matches):
            for part in match:
                if part.line == index:
                    name = "current" if number == self._match else "match"
                    overlays.append((part.start, part.end, self._style(name)))
        selection = self.text_selection
        if selection is not None:
            span = selection.get_span(index)
            if span is not None:
                start, end = span
                end = len(line.text) if end == -1 else end
                overlays.append((start, end, self.screen.get_component_rich_style("screen--selection")))
        return overlays

    def _style(self, names: str) -> Style:
        style = self._style_cache.get(names)
        if style is None:
            style = self.rich_style
            for name in names.split():
                if name in _STYLES:
                    style += self._own_style(f"document--{name}")
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


def _links_of(lines: Sequence[Line]) -> list[tuple[int, int]]:
    """Return the number of each link and the line where it begins, in order."""
    found: dict[int, int] = {}
    for index, line in enumerate(lines):
        for segment in line.segments:
            if segment.link is not None:
                found.setdefault(segment.link.number, index)
    return list(found.items())


def _overlaid(parts: Iterable[RichSegment], overlays: Sequence[_Overlay]) -> Iterable[RichSegment]:
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
