"""Lines of a document: pieces of text with the name of their style, wrapped to a width in cells."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len, split_graphemes

from isexplore.text import pattern


class LinkText(NamedTuple):
    """A link in the text; two links to one place have different numbers."""

    number: int
    """Its place among the links of the document, from 0."""
    href: str
    """Where it leads, in the document's own words: check it with `isexplore.tui.links.resolve`."""


class Segment(NamedTuple):
    """A piece of a line in one style."""

    text: str
    style: str = ""
    """Names of styles that add up, separated by spaces: "h2 code"; "" is plain text."""
    link: LinkText | None = None


class Line(NamedTuple):
    """One line as wide as the screen at most."""

    segments: tuple[Segment, ...] = ()
    source: int = 1
    """The line of the document that it shows, from 1."""
    prefix: int = 0
    """Characters at its beginning that are layout (bullets, bars, indentation), not the document's text."""
    glue: str | None = None
    """What joins it to the line before when both are one wrapped line; None when it is a new one."""
    fill: str = ""
    """Style of the rest of the line, up to the right edge."""

    @property
    def text(self) -> str:
        """The characters of the line."""
        return "".join(segment.text for segment in self.segments)


class Span(NamedTuple):
    """Characters `start` to `end` (exclusive) of an inline text, in one style."""

    start: int
    end: int
    style: str
    link: LinkText | None


class Inline(NamedTuple):
    """Text in which a line feed is a break; `spans` cover all of it, in order."""

    text: str
    spans: tuple[Span, ...] = ()
    soft: tuple[int, ...] = ()
    """Where the document itself has line ends, which are spaces here."""


class Cut(NamedTuple):
    """Characters `start` to `end` that go on one line."""

    start: int
    end: int
    glue: str | None


# Scripts and signs whose characters all take one cell; anything else is measured.
_NARROW = pattern(
    "[\n\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2190-\u2193"
    "\u2500-\u257f]*"
)


def is_narrow(text: str) -> bool:
    """Return whether every character takes one cell, so that positions are cells."""
    return text.isascii() or _NARROW.fullmatch(text) is not None


def width_of(text: str) -> int:
    """Return how many cells the text takes."""
    return len(text) if is_narrow(text) else cell_len(text)


def cuts(text: str, width: int) -> Iterator[Cut]:
    """Yield where to break `text` so that no line takes more than `width` cells.

    Breaks at spaces, else wherever the line is full; every line feed breaks too. A break at a space
    drops that space.
    """
    width = max(1, width)
    if is_narrow(text):
        yield from _narrow_cuts(text, width)
        return
    start = 0
    for part in text.split("\n"):
        for cut in _measured_cuts(part, max(2, width)):
            yield Cut(cut.start + start, cut.end + start, cut.glue)
        start += len(part) + 1


def _narrow_cuts(text: str, width: int) -> Iterator[Cut]:
    position, length = 0, len(text)
    glue: str | None = None
    while True:
        limit = position + width
        feed = text.find("\n", position, limit + 1)
        if feed >= 0:
            yield Cut(position, feed, glue)
            position, glue = feed + 1, None
            continue
        if length <= limit:
            yield Cut(position, length, glue)
            return
        space = text.rfind(" ", position + 1, limit + 1)
        if space > 0:
            yield Cut(position, space, glue)
            position, glue = space + 1, " "
        else:
            yield Cut(position, limit, glue)
            position, glue = limit, ""


def _measured_cuts(text: str, width: int) -> Iterator[Cut]:
    position = used = 0
    glue: str | None = None
    space, used_at_space = -1, 0
    for start, end, size in split_graphemes(text)[0]:
        char = text[start]
        if used + size > width:
            if char == " ":
                yield Cut(position, start, glue)
                position, used, glue, space = end, 0, " ", -1
                continue
            # Wide scripts have no spaces to break at: break anywhere between their characters.
            if space > position and size < 2:
                yield Cut(position, space, glue)
                position, used, glue = space + 1, used - used_at_space, " "
            else:
                yield Cut(position, start, glue)
                position, used, glue = start, 0, ""
            space = -1
        used += size
        if char == " ":
            space, used_at_space = start, used
    yield Cut(position, len(text), glue)


def slice_spans(
    spans: Sequence[Span], text: str, start: int, end: int, first: int
) -> tuple[list[Segment], int]:
    """Return characters `start` to `end` as segments, and the index of the span to go on with.

    Args:
        spans: spans that cover the text, in order.
        text: the text.
        start: first character.
        end: the character after the last one.
        first: index of a span at or before `start`.
    """
    segments: list[Segment] = []
    index = first
    count = len(spans)
    while index < count:
        span = spans[index]
        if span.end <= start:
            index += 1
            continue
        if span.start >= end:
            break
        piece = text[max(start, span.start) : min(end, span.end)]
        if piece:
            segments.append(Segment(piece, span.style, span.link))
        if span.end > end:
            break
        index += 1
    return segments, index


def wrap(
    inline: Inline,
    width: int,
    source: int,
    first: Sequence[Segment] = (),
    rest: Sequence[Segment] = (),
    fill: str = "",
) -> list[Line]:
    """Return the inline text as lines.

    Args:
        inline: the text and its styles.
        width: cells of a whole line, its beginning included.
        source: the line of the document where the text begins.
        first: how the first line begins (a bullet, say).
        rest: how every other line begins.
        fill: style of the space at the right.
    """
    size = max(sum(width_of(part.text) for part in first), sum(width_of(part.text) for part in rest))
    lines: list[Line] = []
    index = 0
    start: Sequence[Segment] = first
    for cut in cuts(inline.text, width - size):
        segments, index = slice_spans(inline.spans, inline.text, cut.start, cut.end, index)
        number = source + bisect_right(inline.soft, cut.start) if inline.soft else source
        prefix = sum(len(part.text) for part in start)
        lines.append(Line((*start, *segments), number, prefix, cut.glue, fill))
        start = rest
    return lines
