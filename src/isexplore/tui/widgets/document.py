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
from collections.abc import Sequence
from time import perf_counter

from textual import events, work
from textual.actions import SkipAction
from textual.geometry import Region, Size
from textual.message import Message

from isexplore.text import clean_line, count
from isexplore.tui.keys import DOCUMENT, bindings
from isexplore.tui.links import Link, LinkKind, resolve
from isexplore.tui.markdown import LIMIT, Document, Heading, Kind, Line, Match, Segment, find
from isexplore.tui.text import cells
from isexplore.tui.widgets.bars import say_below
from isexplore.tui.widgets.line_view import LineView, Overlay

SLICE = 0.003
"""Seconds of laying out between two looks at the keyboard."""


class DocumentView(LineView):
    """A document that scrolls; its links can be visited and its words searched for."""

    KEYS = DOCUMENT
    BINDINGS = bindings(DOCUMENT)

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
        self.scroll_to_line(0)
        self._restart()

    def show_newer(
        self, text: str, *, title: str = "", base: str = "", path: str = "", kind: Kind = "markdown"
    ) -> None:
        """Show what a document has become; whoever reads it, or finds words in it, goes on where they are."""
        same = self._shown and self.title == clean_line(title)
        if same and text == self._text and base == self.base:
            return
        line, words = (self.top_line, self._words) if same else (1, "")
        self.show(text, title=title, base=base, path=path, kind=kind)
        self._words = words
        if line > 1:
            self.go_to(line)

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
        return self._document.complete and self._laid >= len(self._document.blocks)

    @property
    def top_line(self) -> int:
        """Line of the document at the top of the view, from 1."""
        top = round(self.scroll_y)
        return self._lines[top].source if top < len(self._lines) else 1

    # Laying out

    def on_resize(self) -> None:
        """Wrap anew, keeping the place."""
        if self._shown and self.room != self._width and self.room:
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
        self._width = self.room
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
        if self.is_loaded:
            self._finish()
        else:
            self._lay_out_rest()

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
        while not self.is_loaded:
            deadline = perf_counter() + SLICE
            while not self.is_loaded and perf_counter() < deadline:
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
        if self._lines is self._fresh or not (self.is_loaded or self._is_enough(height)):
            return
        self._lines = self._fresh
        self._strips.clear()
        self._tell_height()
        if self._anchor != (1, 0.0):
            self.scroll_to_line(self._line_at(*self._anchor))
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

    def go_to(self, line: int) -> None:
        """Bring a line of the document (from 1) to the top, as soon as it has been read."""
        if not self._lines or (self._lines[-1].source < line and not self.is_loaded):
            self._wanted_line = line
            return
        self._wanted_line = None
        self.scroll_to_line(self._line_at(line))

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
        if not self.is_loaded:
            self._wanted_slug = slug
        return False

    # Searching

    def find(self, words: str) -> int:
        """Mark where the words occur, go to the first place below the top, and return how many there are."""
        self._words = clean_line(words)
        self._matches = find(self._lines, self._words)
        self._match = -1
        self.redraw()
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
        self.redraw()

    def _find_again(self) -> None:
        if self._words:
            self._matches = find(self._lines, self._words)
            self._match = min(self._match, len(self._matches) - 1)
            self._strips.clear()

    def _go_to_match(self, index: int) -> None:
        self._match = index
        self.redraw()
        self._show_line(self._matches[index][0].line)

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
            say_below(self, "There is no link here.")
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
        self.redraw()
        self._show_line(line)

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
        if action == "outline":
            return len(self.headings) > 1
        return True

    def why_not(self, action: str) -> str:
        """Return why a key does nothing now; "" where the screen knows better."""
        return {
            "open_link": "n goes to a link, which enter then opens."
            if self.links
            else "There is no link here.",
            "outline": "There are no headings to choose from.",
            "show_rest": "All of it is here.",
        }.get(action, "")

    def action_find_words(self) -> None:
        """Ask for words, and go to where they stand."""
        from isexplore.tui.screens.document_dialogs import FindDialog

        self.app.push_screen(FindDialog(self))

    def action_outline(self) -> None:
        """Show the headings, and go to the chosen one."""
        from isexplore.tui.screens.document_dialogs import OutlineDialog

        def go(line: int | None) -> None:
            if line is not None:
                self.go_to(line)

        self.app.push_screen(OutlineDialog(self.title, self.headings, self.top_line), go)

    def action_heading(self, step: int) -> None:
        """Go to the next heading, or the one before."""
        top = self.top_line
        lines = [heading.line for heading in self.headings]
        found = [line for line in lines if line > top] if step > 0 else [line for line in lines if line < top]
        if found:
            self.go_to(found[0] if step > 0 else found[-1])
        else:
            say_below(self, f"There is no heading {'below' if step > 0 else 'above'}.")

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
                    self.redraw()
                    self._open(segment.link.href)
                return

    # Drawing

    @property
    def empty_words(self) -> str:
        """What was given to say about an empty document, once that is known to be empty."""
        return self._empty if self.is_loaded else ""

    def overlays(self, index: int, line: Line) -> list[Overlay]:
        """Return the marks of the visited link and of the hits in this line."""
        overlays: list[Overlay] = []
        if self._link is not None:
            at = 0
            for segment in line.segments:
                end = at + len(segment.text)
                if segment.link is not None and segment.link.number == self._link:
                    overlays.append((at, end, self.style_of("current")))
                at = end
        for number, match in enumerate(self._matches):
            for part in match:
                if part.line == index:
                    name = "current" if number == self._match else "match"
                    overlays.append((part.start, part.end, self.style_of(name)))
        return overlays


def _links_of(lines: Sequence[Line]) -> list[tuple[int, int]]:
    """Return the number of each link and the line where it begins, in order."""
    found: dict[int, int] = {}
    for index, line in enumerate(lines):
        for segment in line.segments:
            if segment.link is not None:
                found.setdefault(segment.link.number, index)
    return list(found.items())
