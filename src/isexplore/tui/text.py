"""Text on the screen: measured in cells, cut with "...", and never able to act on the terminal.

Two defences, because either alone leaks. The fence is `isexplore.text.clean`, applied before the
layout by everything here that builds `Content`. The net is `SafeFilter`, a line filter that the
application puts behind every widget; it looks at what is about to be drawn, and so also covers
text that Textual or a library has decoded or made up.

A *span* is a pair of text and style name; widgets that draw lines themselves (`RowList`,
`DocumentView`) map the names to their component classes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len, split_graphemes
from rich.segment import Segment
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter

from isexplore.text import clean
from isexplore.tui.cutting import ELLIPSIS, cut_to

Span = tuple[str, str]
"""A piece of text and the name of its style; "" is the plain style."""

_ZWJ = "\N{ZERO WIDTH JOINER}"


def cells(text: str) -> int:
    """Return how many terminal cells `text` takes."""
    return len(text) if text.isascii() else cell_len(text)


def cut(text: str, width: int) -> str:
    """Return `text` in at most `width` cells, ending in "..." where something was cut.

    Never cuts inside a two-cell character or an emoji sequence, so the result may be a cell short.
    """
    # A cell holds at most a few code points (`clean` limits the marks), so a prefix is enough.
    return cut_to(text, width, cells, lambda whole: _graphemes(whole[: width * 16]))


def _graphemes(text: str) -> Iterator[tuple[int, int]]:
    return ((stop, size) for _, stop, size in split_graphemes(text)[0])


def cut_spans(spans: Sequence[Span], width: int) -> list[Span]:
    """Return `spans` in at most `width` cells, ending in "..." where something was cut."""
    total = sum(cells(text) for text, _ in spans)
    if total <= width:
        return list(spans)
    kept: list[Span] = []
    room = width - len(ELLIPSIS)
    if room <= 0:
        return [(ELLIPSIS[: max(0, width)], "")]
    for text, style in spans:
        size = cells(text)
        if size <= room:
            kept.append((text, style))
            room -= size
            continue
        kept.append((cut(text, room + len(ELLIPSIS)), style))
        break
    return kept


def content(*parts: str | Span | Content) -> Content:
    """Return `Content` of the parts, cleaned, and with no markup read from them.

    A part is a plain string, a pair of text and Textual style (`"bold"`, `"$text-muted"`), or
    `Content`. This, and not `Content.from_markup`, is how strangers' words get into a widget.
    """
    return Content.assemble(
        *(
            clean_content(part)
            if isinstance(part, Content)
            else clean(part)
            if isinstance(part, str)
            else (clean(part[0]), part[1])
            for part in parts
        )
    )


def clean_content(text: Content) -> Content:
    """Return `text` itself where it is harmless, else its cleaned words without styles."""
    plain = text.plain
    cleaned = clean(plain)
    return text if cleaned == plain else Content(cleaned)


def highlight(text: str, words: Iterable[str], style: str = "match", plain: str = "") -> list[Span]:
    """Return `text` as spans in which the beginnings of words that match `words` have `style`.

    Args:
        text: one line.
        words: what was searched for, in any case.
        style: the style of what matches.
        plain: the style of the rest.
    """
    wanted = [re.escape(word) for word in words if word]
    if not wanted:
        return [(text, plain)] if text else []
    pattern = re.compile(
        r"(?<![^\W_])(?:" + "|".join(sorted(wanted, key=len, reverse=True)) + ")", re.IGNORECASE
    )
    spans: list[Span] = []
    at = 0
    for match in pattern.finditer(text):
        if match.start() > at:
            spans.append((text[at : match.start()], plain))
        spans.append((match.group(), style))
        at = match.end()
    if at < len(text):
        spans.append((text[at:], plain))
    return spans


def safe(text: str) -> str:
    """Return `text` with nothing left that a terminal would act on, in as many cells as before.

    Everything of the Unicode categories Cc, Cf (but the joiner inside emoji), Cs, Zl, Zp, Co and Cn
    goes; what took cells leaves as many U+FFFD, because the layout has been done.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == _ZWJ else _substitute(char) for char in text)


def _substitute(char: str) -> str:
    if unicodedata.category(char) == "Zs":
        return char
    return "\N{REPLACEMENT CHARACTER}" * max(0, cell_len(char))


class SafeFilter(LineFilter):
    """Keeps control, bidirectional and unassigned characters from the terminal (see `safe`).

    Runs over every line that any widget draws; links (OSC 8) with such characters are dropped.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return `segments` with their text made safe; the very same list when it was."""
        for text, style, control in segments:
            if control or not text.isprintable() or (style is not None and style.link):
                break
        else:
            return segments
        filtered: list[Segment] = []
        for text, style, _ in segments:
            if style is not None and style.link and not style.link.isprintable():
                style = style.update_link(None)
            filtered.append(Segment(safe(text), style))
        return filtered
