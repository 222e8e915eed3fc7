"""The words and measures of the first frame, shared by the screens and by what is painted before them.

Nothing of Textual or Rich is imported here: the first page is on the terminal while they load.
"""

from __future__ import annotations

import time
import unicodedata

from isexplore.text import age, clean, count
from isexplore.tui.cutting import ELLIPSIS, cut_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from isexplore.catalog.store import Row

MODES: tuple[tuple[str, str, str], ...] = (
    ("explore", "1", "Explore"),
    ("first_issues", "2", "First issues"),
    ("contributions", "3", "Contributions"),
    ("bookmarks", "4", "Bookmarks"),
)
"""Mode, its key and its words, in the order shown."""
_NAME = " isexplore "
PLACEHOLDER = "Search: words, lang:python, has:gfi ..."
"""What the empty search line says: 80 columns have room for what was found beside it."""
IN_PART = ", in part"
"""What stands behind the age where the last refresh failed for a part of what it asked for."""
WIDE = 100
"""Columns from which on the preview stands beside the list."""
ROW_HEIGHT = 3
_NARROW_BAR = 92
_BARS = "▁▂▃▄▅▆▇█"
_SPARK = 6


def name_in(width: int) -> str:
    """Return the program's name where there is room for it in front of the modes; theirs come first."""
    return _NAME if width >= _NARROW_BAR else ""


def mode_labels(width: int, current: str, counts: dict[str, int]) -> list[str]:
    """Return what the mode bar shows for each mode: its words, else its number; a mode has one name only."""
    labels = []
    for mode, key, words in MODES:
        number = counts.get(mode)
        labels.append(f" {key} {words}{f' ({number})' if number else ''} ")
    if len(name_in(width)) + 1 + sum(len(label) + 1 for label in labels) <= width:
        return labels
    return [
        label if mode == current else f" {key} " for label, (mode, key, _) in zip(labels, MODES, strict=True)
    ]


def place_in(room: int, place: str) -> str:
    """Return where the data is from and how old it is, as far as there is room: the age before the name."""
    name, _, age_only = place.rpartition(" · ")
    if len(place) <= room:
        return place
    if name:
        part = IN_PART.strip(", ") if age_only.endswith(IN_PART) else ""
        return next(
            (words for words in (age_only, age_only.replace(" ago", ""), part) if len(words) <= room), ""
        )
    return place[: room - 3] + ELLIPSIS if room >= 8 else ""


def place_words(names: Sequence[str], as_of: int | None) -> str:
    """Return where the data is from, and how old it is: "git.agency.example · 4 minutes ago"."""
    name = ", ".join(names) or "no forge"
    if as_of is None:
        return name
    words = age(max(0.0, time.time() - as_of))
    return f"{name} · {words if words == 'just now' else words + ' ago'}"


def total_words(total: int, more: bool, size: int, sort: str | None, *, words: bool = False) -> str:
    """Return how many were found of how many, and in which order they are.

    Args:
        total: how many were found, or at least that many.
        more: whether there are more of them.
        size: how many there are in the catalog.
        sort: the order that was asked for; None where none was.
        words: whether words are searched for: only these can be more or less like a project.
    """
    order = "relevance" if words else "score"
    if sort is not None and sort != "relevance":
        order = sort
    found = f"{total // 100 * 100 or total:,}+" if more else f"{total:,}"
    return f"{found} of {size:,} · sort {order}"


def fact_words(item: Row, *, with_forge: bool) -> str:
    """Return language, stars, first issues, last activity: the third line of a project."""
    facts = [item.language.lower() if item.language else "", f"{item.stars:,} ★"]
    if item.good_first_issues:
        facts.append(count(item.good_first_issues, "first issue"))
    if item.last_activity is not None:
        facts.append(age(max(0.0, time.time() - item.last_activity)))
    if with_forge:
        facts.append(item.forge)
    return " · ".join(part for part in facts if part)


def description_words(item: Row) -> str:
    """Return the second line of a project."""
    return " ".join(item.description.split()) or "No description."


def weeks_in(weeks: tuple[int, ...], bars: int = _SPARK) -> list[float]:
    """Return the year as so many numbers, each the mean of its weeks."""
    if len(weeks) < bars:
        return list(weeks)
    size = len(weeks) / bars
    parts = (weeks[round(bar * size) : round((bar + 1) * size)] for bar in range(bars))
    return [sum(part) / max(1, len(part)) for part in parts]


def sparkline(values: Sequence[float]) -> str:
    """Return one bar per value, the highest filling its cell: "▁▂▃▅▇█"; nothing for no values."""
    top = max(values, default=0)
    if top <= 0:
        return _BARS[0] * len(values)
    steps = len(_BARS) - 1
    return "".join(_BARS[round(steps * max(0.0, value) / top)] for value in values)


def list_width(columns: int) -> int:
    """Return the columns of the list, without its scroll bar."""
    return (columns if columns < WIDE else max(36, columns * 44 // 100)) - 1


# One page, drawn without a toolkit


class Page:
    """The first frame as lines of terminal text, each exactly as wide as the terminal."""

    def __init__(self, columns: int, lines: int, *, colours: bool) -> None:
        self.columns = columns
        self.lines = lines
        self._colours = colours
        self.drawn: list[str] = []

    def bar(self, counts: dict[str, int], place: str) -> None:
        """Draw the mode bar."""
        labels = mode_labels(self.columns, "explore", counts)
        name = name_in(self.columns) + " "
        text = name + " ".join(labels) + " "
        used = len(text)
        room = self.columns - used - 1
        place = place_in(room, clean(place))
        if place:
            text += " " * (room - len(place)) + place
        at = len(name)
        text = _fit(text, self.columns)
        self.drawn.append(
            self._styled(text[:at], "1;38;2;255;196;115;48;2;36;47;56")
            + self._styled(text[at : at + len(labels[0])], "1;7")
            + self._styled(text[at + len(labels[0]) :], "38;2;226;227;229;48;2;36;47;56")
        )

    def search(self, status: str) -> None:
        """Draw the search line, empty."""
        width = self.columns - 4
        line = PLACEHOLDER
        if width - (len(PLACEHOLDER) + 2) >= len(status):
            line = PLACEHOLDER + status.rjust(width - len(PLACEHOLDER))
        edge = "─" * (self.columns - 2)
        self.drawn += [
            self._styled(f"╭{edge}╮", "2"),
            self._styled(f"│ {_fit(line, width)} │", "2"),
            self._styled(f"╰{edge}╯", "2"),
        ]

    def project(self, item: Row, *, kept: bool, with_forge: bool, cursor: bool) -> list[str]:
        """Return the three lines of a project, as wide as the list."""
        width = list_width(self.columns)
        room = width - 2
        spark = sparkline(weeks_in(item.weeks)) + " " if item.weeks else ""
        right = spark + item.level
        head = ("★ " if kept else "") + _line(item.path)
        left = cut(head, max(0, room - len(right) - 2))
        gap = max(0, room - len(right) - cells(left))
        mark = " ▌" if cursor else "  "
        ground = "48;2;13;43;66" if cursor else ""
        return [
            self._styled(mark + left + " " * gap, "1;" + ground) + self._styled(right, "2;" + ground),
            self._styled(mark + _fit("  " + _line(description_words(item)), room), ground),
            self._styled(
                mark + _fit("  " + _line(fact_words(item, with_forge=with_forge)), room), "2;" + ground
            ),
        ]

    def _styled(self, text: str, style: str) -> str:
        if not self._colours:
            style = ";".join(part for part in style.split(";")[:1] if part in ("1", "2", "7"))
        style = style.strip(";")
        return f"\x1b[{style}m{text}\x1b[0m" if style else text


def _line(text: str) -> str:
    return clean(text[:2000]).replace("\n", " ").replace("\t", " ")


def _fit(text: str, width: int) -> str:
    text = cut(text, width)
    return text + " " * (width - cells(text))


def cells(text: str) -> int:
    """Return how many cells a cleaned text takes on a terminal, as far as that is known without a table."""
    return len(text) if text.isascii() else sum(_cell(char) for char in text)


def _cell(char: str) -> int:
    if char < "\u0300":
        return 1
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, width: int) -> str:
    """Return `text` in at most `width` cells, ending in "..." where something was cut."""
    return cut_to(text, width, cells, _characters)


def _characters(text: str) -> Iterator[tuple[int, int]]:
    return ((end, _cell(char)) for end, char in enumerate(text, 1))
