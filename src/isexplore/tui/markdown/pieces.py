"""Cuts a document into pieces that can be read one after the other, each in a few milliseconds.

The parser is fast on prose and slow on some other things (a table of 80 KB takes it longer than a
screen may stand still), and it needs the whole text at once. So the text is cut where Markdown
allows it: before headings, and before anything that begins at the left margin after a blank line.
Fenced code and tables at the left margin become pieces of their own and need no parser. A stretch
without such a place is cut anyway when it is long; it may then look a little different, but it
cannot stop the screen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from isexplore.text import pattern

PIECE = 2_000
"""Characters after which a piece ends at the next good place."""
LONG_PIECE = 4_000
"""Characters after which a piece ends at the next line that could begin a block."""
LONGEST_PIECE = 6_000
"""Characters after which a piece ends at the next line."""
LONGEST_RAW = 16_000
"""The same inside indented code or raw HTML, which cost less and look wrong when they are cut."""
CODE_LINES = 100
"""Lines of code in one piece."""
TABLE_ROWS = 40
"""Rows of a table in one piece."""
TABLE_COLUMNS = 40
"""A table with more columns is shown as the text that it is."""


class Table(NamedTuple):
    """What the pieces of one table have in common; compared by identity."""

    header: str
    delimiter: str
    widths: dict[int, tuple[int, ...] | None]
    """Widths of the columns by width of the screen, as the first piece laid them out; None: as a list."""
    later: tuple[tuple[int, int], ...] = ()
    """By column, characters of the longest cell and of the longest word alone in a cell, in the rows that
    the first piece does not have; cells with markup are left out, as their length says little."""


class Piece(NamedTuple):
    """Some successive lines of the document."""

    kind: Literal["markdown", "code", "table", "plain"]
    first: int
    """Number of its first line, from 1."""
    lines: Sequence[str]
    begins: bool = True
    """Whether it is the beginning of its list, paragraph, code or table, and not cut out of one."""
    ends: bool = True
    """Whether it is the end of it."""
    table: Table | None = None
    info: str = ""
    """The language that the code names."""


_FENCE = pattern(r"( {0,9})(`{3,}(?=[^`]*$)|~{3,})")
_DELIMITER = pattern(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_HEADING = pattern(r"#{1,6}(?:[ \t]|$)")
_ITEM = pattern(r"(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_ENDS_TABLE = pattern(r"[ \t]*$|#{1,6}[ \t]|>|```|~~~|<")
_MARKUP = pattern(r"[\[\]<>`*_~&\\!]")
_RAW_HTML = pattern(r" {0,3}<(?:(!--)|(pre|script|style|textarea)(?=[\s>]|$))", re.IGNORECASE)


class _State:
    """Where the line reader is: the lines of the piece to come, and what is still open."""

    def __init__(self) -> None:
        self.start = 0
        self.size = 0
        self.fence = ""
        self.raw_end = ""
        self.blank_before = True
        self.whole = True
        """Whether the piece to come begins where a block does."""


def pieces(lines: Sequence[str]) -> Iterator[Piece]:
    """Yield the pieces of a Markdown document, in order, each line in exactly one."""
    state = _State()
    number, count = 0, len(lines)
    while number < count:
        line = lines[number]
        if not state.fence and not state.raw_end:
            special = _special(lines, number)
            if special is not None:
                if number > state.start:
                    yield Piece("markdown", state.start + 1, lines[state.start : number], state.whole)
                end = number
                for piece in special:
                    yield piece
                    end = piece.first - 1 + len(piece.lines)
                number = state.start = end
                state.size, state.blank_before, state.whole = 0, True, True
                continue
        if number > state.start and _is_good_place(state, line):
            yield Piece("markdown", state.start + 1, lines[state.start : number], state.whole)
            state.start, state.size = number, 0
            state.whole = state.blank_before or _HEADING.match(line) is not None
        _follow(state, line)
        state.size += len(line) + 1
        state.blank_before = not line or line.isspace()
        number += 1
    if state.start < count:
        yield Piece("markdown", state.start + 1, lines[state.start :], state.whole)


def _special(lines: Sequence[str], number: int) -> Iterator[Piece] | None:
    """Return the pieces of the code or table that begins at this line, if one does."""
    line = lines[number]
    if line.startswith(("```", "~~~")) and _FENCE.match(line):
        return _code(lines, number)
    if "|" in line and number + 1 < len(lines) and not line.startswith(("    ", "\t")):
        delimiter = lines[number + 1]
        if "-" in delimiter and _DELIMITER.fullmatch(delimiter) and "|" in delimiter + line:
            columns = len(split_row(delimiter))
            if columns == len(split_row(line)) and not line.startswith((">", "- ", "* ", "#")):
                return _table(lines, number, columns)
    return None


def _code(lines: Sequence[str], number: int) -> Iterator[Piece]:
    marker = lines[number].strip()
    fence = marker[: len(marker) - len(marker.lstrip(marker[0]))]
    closing = re.compile(rf" {{0,3}}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*")
    info = marker.strip(fence[0]).strip()
    end = number + 1
    while end < len(lines) and not closing.fullmatch(lines[end]):
        end += 1
    end = min(end + 1, len(lines))
    for start in range(number, end, CODE_LINES):
        stop = min(start + CODE_LINES, end)
        yield Piece("code", start + 1, lines[start:stop], start == number, stop == end, info=info)


def _table(lines: Sequence[str], number: int, columns: int) -> Iterator[Piece]:
    end = number + 2
    while end < len(lines) and not _ENDS_TABLE.match(lines[end]):
        end += 1
    if columns > TABLE_COLUMNS:
        for start in range(number, end, CODE_LINES):
            stop = min(start + CODE_LINES, end)
            yield Piece("plain", start + 1, lines[start:stop], begins=start == number, ends=stop == end)
        return
    size = max(4, min(TABLE_ROWS, 160 // columns))
    later = _longest_cells(lines[number + 2 + size : end], columns)
    table = Table(lines[number], lines[number + 1], {}, later)
    first = number
    while first < end:
        stop = min((number + 2 if first == number else first) + size, end)
        yield Piece("table", first + 1, lines[first:stop], first == number, stop == end, table)
        first = stop


def _longest_cells(lines: Sequence[str], columns: int) -> tuple[tuple[int, int], ...]:
    cells = [0] * columns
    words = [0] * columns
    for line in lines:
        if _MARKUP.search(line):
            continue
        for column, cell in enumerate(split_row(line)[:columns]):
            size = len(cell)
            if size > cells[column]:
                cells[column] = size
            if size > words[column] and " " not in cell:
                words[column] = size
    return tuple(zip(cells, words, strict=True))


def _is_good_place(state: _State, line: str) -> bool:
    """Return whether the piece may end before this line."""
    if state.size < PIECE:
        return False
    raw = bool(state.fence or state.raw_end)
    if state.size >= (LONGEST_RAW if raw else LONGEST_PIECE):
        return True
    if raw or not line or line[0] in " \t":
        return False
    if _HEADING.match(line):
        return True
    if state.size >= LONG_PIECE and (state.blank_before or _ITEM.match(line)):
        return True
    return state.blank_before and not _ITEM.match(line)


def _follow(state: _State, line: str) -> None:
    """Take note of code and raw HTML that this line opens or closes."""
    if state.fence:
        stripped = line.strip()
        if stripped.startswith(state.fence) and not stripped.strip(state.fence[0]):
            state.fence = ""
        return
    if state.raw_end:
        if state.raw_end in line.lower():
            state.raw_end = ""
        return
    fence = _FENCE.match(line)
    if fence:
        state.fence = fence[2]
        return
    raw = _RAW_HTML.match(line)
    if raw:
        end = "-->" if raw[1] else f"</{raw[2].lower()}>"
        if end not in line[raw.end() :].lower():
            state.raw_end = end


_ROW = pattern(r"(?:\\.|[^|\\])+|\|")


def split_row(line: str) -> list[str]:
    """Return the cells of a table's line; a bar after a backslash is part of its cell."""
    line = line.strip()
    if line.startswith("|"):
        line = line[1:]
    if line.endswith("|") and not line.endswith("\\|"):
        line = line[:-1]
    if "\\" not in line:
        return [cell.strip() for cell in line.split("|")]
    cells = [""]
    for match in _ROW.finditer(line):
        if match.group() == "|":
            cells.append("")
        else:
            cells[-1] += match.group().replace("\\|", "|")
    return [cell.strip() for cell in cells]
