"""Pure functions on text: making strangers' words safe to show, shortening, relative time.

Strangers' text (names, READMEs, error bodies, git's output) passes `clean` or `clean_line` once, at
the boundary where it enters the program. Textual does not do this: control and bidirectional
characters in any widget reach the terminal as they are.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

MAX_NAME = 200
"""Characters kept of a name, path or label."""
MAX_TITLE = 500
"""Characters kept of a title."""
MAX_DESCRIPTION = 4_000
"""Characters kept of a description shown in a list."""
MAX_COMBINING = 4
"""Combining marks kept in a row; more make one line eat its neighbours."""

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_ZWJ = "\N{ZERO WIDTH JOINER}"
_VS16 = "\N{VARIATION SELECTOR-16}"
# One pass over this class decides whether a text needs work at all: nearly none does.
_SUSPECT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\ud800-\udfff\ue000-\uf8ff\U000e0000-\U0010ffff]"
)
_MARK = re.compile("[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u1ab0-\u1aff\u1dc0-\u1dff"
                   "\u20d0-\u20ff\ufe20-\ufe2f]" + f"{{{MAX_COMBINING + 1},}}")  # fmt: skip


def _replacement(match: re.Match[str]) -> str:
    char = match.group()
    point = ord(char)
    if point < 0x20:
        return chr(0x2400 + point)
    if point == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    if char == _ZWJ:
        # Dropping it would turn a two-cell emoji family into eight cells.
        return char
    if (
        unicodedata.category(char) == "Cf"
        and char not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    ):
        return ""
    if (
        "\ufe00" <= char <= "\ufe0e"
        or "\U000e0100" <= char <= "\U000e01ef"
        or char in "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u180b\u180c\u180d\u180f"
    ):
        return ""
    return _REPLACEMENT


def clean(text: str, limit: int | None = None) -> str:
    """Return `text` with nothing in it that could act on a terminal.

    Line feeds and tabs stay. Other C0 controls become their Unicode pictures (U+2400 + n); C1
    controls, bidirectional controls, line separators, surrogates, private-use and unassigned
    planes become U+FFFD; zero-width characters vanish, except the joiner inside emoji; at most
    `MAX_COMBINING` combining marks follow one another. Idempotent, and always encodable as UTF-8.

    Args:
        text: anything.
        limit: the most characters to keep; a longer text ends in "...".
    """
    if limit is not None and len(text) > limit:
        text = text[: max(0, limit - 3)] + "..."
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii() or not text.isprintable():
        text = _SUSPECT.sub(_replacement, text)
        text = _MARK.sub(lambda match: match.group()[:MAX_COMBINING], text)
    return text


def clean_line(text: str, limit: int = MAX_TITLE) -> str:
    """Return `clean(text)` as one line: line feeds, tabs and runs of spaces become one space."""
    return clean(" ".join(text[: 4 * limit].split()), limit)


def shorten(text: str, width: int) -> str:
    """Return `text` in at most `width` characters, ending in "..." where something was cut."""
    if len(text) <= width:
        return text
    if width <= 3:
        return "..."[: max(0, width)]
    return text[: width - 3].rstrip() + "..."


def count(number: int, noun: str, plural: str = "") -> str:
    """Return "1 issue", "2 issues", "1,284 projects"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


_UNITS = (
    (365 * 86_400, "year"),
    (30 * 86_400, "month"),
    (7 * 86_400, "week"),
    (86_400, "day"),
    (3_600, "hour"),
    (60, "minute"),
)


def age(seconds: float) -> str:
    """Return a duration in its largest whole unit: "just now", "4 minutes", "2 weeks"."""
    for size, name in _UNITS:
        if seconds >= size:
            return count(int(seconds // size), name)
    return "just now"


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago `moment` was, for a list: "just now", "2 days ago", "never"."""
    if moment is None:
        return "never"
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    words = age(max(0.0, seconds))
    return words if words == "just now" else f"{words} ago"
