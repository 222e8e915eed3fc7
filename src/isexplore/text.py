"""Pure functions on text: making strangers' words safe to show, shortening, relative time.

Strangers' text (names, READMEs, error bodies, git's output) passes `clean` or `clean_line` once, at
the boundary where it enters the program. Textual does not do this: control and bidirectional
characters in any widget reach the terminal as they are.

Nothing is imported until it is needed: a search from the command line starts in the time of bare Python.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from datetime import datetime

MAX_NAME = 200
"""Characters kept of a name, path or label."""
MAX_TITLE = 500
"""Characters kept of a title."""
MAX_DESCRIPTION = 4_000
"""Characters kept of a description shown in a list."""
MAX_COMBINING = 4
"""Combining marks kept in a row; more make one line eat its neighbours."""

_HARMLESS = (
    ("\u0370", "\u0482"), ("\u2010", "\u2027"), ("\u2030", "\u205e"), ("\u20a0", "\u20cf"),
    ("\u2100", "\u2bff"), ("\u3041", "\u3096"), ("\u30a1", "\u30ff"), ("\u4e00", "\u9fff"),
    ("\uac00", "\ud7a3"), ("\U0001f300", "\U0001faff"),
)  # fmt: skip
"""Blocks of printable characters of which none is replaced: they spare most texts the patterns."""


class _Pattern:
    """A regular expression that is compiled when it is first used."""

    def __init__(self, source: str, flags: int) -> None:
        self._source = source
        self._flags = flags

    def __getattr__(self, name: str) -> object:
        import re

        # Kept, so that this is asked once for each method.
        self.__dict__[name] = found = getattr(re.compile(self._source, self._flags), name)
        return found


def pattern(source: str, flags: int = 0) -> re.Pattern[str]:
    """Return what `re.compile` returns, compiled when it is first used: most of a module's are not at the start.

    Args:
        source: the regular expression.
        flags: those of `re`.
    """
    return _Pattern(source, flags)  # type: ignore[return-value]


_FEW_LINES = 400
"""Characters."""


def _harmless(text: str) -> bool:
    """Tell whether all characters of a printable text are known to need no cleaning."""
    if max(text) < "\u0300":
        return True
    return all(
        char < "\u0300" or any(first <= char <= last for first, last in _HARMLESS) for char in set(text)
    )


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
    # A few lines of ours are shown in the first frame; for a long text the patterns are the faster way.
    lines = text.replace("\n", "") if len(text) < _FEW_LINES else text
    if lines.isprintable() and (text.isascii() or _harmless(text)):
        return text
    from isexplore.suspects import replace_suspects

    return replace_suspects(text, MAX_COMBINING)


def clean_line(text: str, limit: int = MAX_TITLE) -> str:
    """Return `clean(text)` as one line: line feeds, tabs and runs of spaces become one space."""
    if (
        len(text) <= limit
        and text.isascii()
        and text.isprintable()
        and "  " not in text
        and text[:1] != " "
        and text[-1:] != " "
    ):
        # Nearly every name and address: a listing cleans a hundred thousand of them.
        return text
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


def word_start(text: str, cursor: int) -> int:
    """Return where the word begins that ends at `cursor`: behind the last space outside of quotes."""
    start, quoted = 0, False
    for at, char in enumerate(text[:cursor]):
        if char == '"':
            quoted = not quoted
        elif char == " " and not quoted:
            start = at + 1
    return start


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
    from datetime import UTC, datetime

    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    words = age(max(0.0, seconds))
    return words if words == "just now" else f"{words} ago"


def literal(text: str) -> str:
    """Return `text` so that Markdown shows it as it is: what could be markup has a backslash before it."""
    return "".join("\\" + char if char in "\\`*_{}[]<>#|!~&" else char for char in text)
