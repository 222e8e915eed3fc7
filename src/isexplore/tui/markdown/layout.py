"""Blocks laid out as lines of a given width."""

from __future__ import annotations

from collections.abc import Sequence

from isexplore.tui.markdown.blocks import Block, Code, Frame, Paragraph, Prefix, Rows, Rule
from isexplore.tui.markdown.inline import plain_inline
from isexplore.tui.markdown.lines import Inline, Line, Segment, cuts, slice_spans, width_of, wrap

MIN_TEXT = 16
"""Cells that text keeps beside its bars and bullets; deeper nesting loses its outer ones."""
MAX_PROSE = 96
"""Cells after which prose is wrapped even on a wider screen: longer lines are hard to read."""
_BETWEEN = " │ "
_CROSSING = "─┼─"
_MIN_COLUMN = 6
_LONGEST_WORD = 16


def lay_out(block: Block, width: int) -> list[Line]:
    """Return the lines of a block, the blank one before it included."""
    frame = _fit(block.frame, width)
    lines = _gap(frame, block.source)
    if isinstance(block, Paragraph):
        style = f"h{block.level}" if block.level else ""
        room = min(width, MAX_PROSE)
        lines += wrap(block.inline, room, block.source, frame.first, frame.rest)
        if block.level == 1:
            size = min(room, max((width_of(line.text) for line in lines), default=0))
            lines.append(Line((*frame.rest, Segment("━" * size, style)), block.source, glue=None))
        return lines
    if isinstance(block, Code):
        return lines + _code(block, frame, width)
    if isinstance(block, Rule):
        size = max(1, min(width, MAX_PROSE) - _size(frame.first))
        return [*lines, Line((*frame.first, Segment("─" * size, "rule")), block.source)]
    return lines + _table(block, frame, width)


def _size(prefix: Prefix) -> int:
    return sum(width_of(part.text) for part in prefix)


def _fit(frame: Frame, width: int) -> Frame:
    """Drop outer bars and indentation until text has its room."""
    room = width - MIN_TEXT
    if max(_size(frame.first), _size(frame.rest)) <= room:
        return frame
    return Frame(
        _innermost(frame.first, room),
        _innermost(frame.rest, room),
        None if frame.gap is None else _innermost(frame.gap, room),
    )


def _innermost(prefix: Prefix, room: int) -> Prefix:
    start = 0
    while start < len(prefix) and _size(prefix[start:]) > max(0, room):
        start += 1
    return prefix[start:]


def _gap(frame: Frame, source: int) -> list[Line]:
    if frame.gap is None:
        return []
    return [Line(frame.gap, source, sum(len(part.text) for part in frame.gap))]


def _code(block: Code, frame: Frame, width: int) -> list[Line]:
    lines: list[Line] = []
    start = frame.first
    style = block.style
    indent = () if style in ("plain", "diff") else (Segment("  ", style),)
    room = width - max(_size(frame.first), _size(frame.rest)) - (2 if indent else 0)
    for number, text in enumerate(block.lines):
        inline = plain_inline(text, _diff_style(text) if style == "diff" else style)
        for cut in cuts(inline.text, room):
            segments, _ = slice_spans(inline.spans, inline.text, cut.start, cut.end, 0)
            prefix = (*start, *indent)
            size = sum(len(part.text) for part in prefix)
            fill = "" if style in ("plain", "diff") else style
            lines.append(Line((*prefix, *segments), block.source + number, size, cut.glue, fill))
            start = frame.rest
    return lines


def _diff_style(text: str) -> str:
    if text.startswith(
        ("+++", "---", "diff ", "index ", "new file", "deleted file", "rename ", "similarity ")
    ):
        return "diff-file"
    if text.startswith("@@"):
        return "diff-hunk"
    if text.startswith("+"):
        return "diff-add"
    return "diff-remove" if text.startswith("-") else "plain"


# Tables


def _table(block: Rows, frame: Frame, width: int) -> list[Line]:
    room = width - max(_size(frame.first), _size(frame.rest))
    widths = block.table.widths
    if room not in widths:
        widths[room] = _column_widths(block, room)
    columns = widths[room]
    if columns is None:
        return _records(block, frame, width)
    lines: list[Line] = []
    start = frame.first
    # A table whose header says nothing is a list of facts: it needs neither the header nor lines.
    bare = bool(block.table.header) and not block.table.header.replace("|", "").strip()
    between = Segment(" " * len(_BETWEEN)) if bare else Segment(_BETWEEN, "rule")
    if block.header and not bare:
        lines += _row(block.header, columns, block.aligns, block.source, start, frame.rest, between)
        start = frame.rest
        across = _CROSSING.join("─" * column for column in columns)
        lines.append(Line((*frame.rest, Segment(across, "rule")), block.source + 1))
    for number, row in enumerate(block.rows, 2 if block.header else 0):
        lines += _row(row, columns, block.aligns, block.source + number, start, frame.rest, between)
        start = frame.rest
    return lines


def _column_widths(block: Rows, room: int) -> tuple[int, ...] | None:
    """Return how wide each column is, or None when they do not fit side by side."""
    count = len(block.aligns) or 1
    room -= len(_BETWEEN) * (count - 1)
    wanted = [1] * count
    least = [1] * count
    for row in (block.header, *block.rows):
        for column, cell in enumerate(row[:count]):
            for part in cell.text.split("\n"):
                wanted[column] = max(wanted[column], width_of(part))
            longest = max((len(word) for word in cell.text.split()), default=1)
            least[column] = max(least[column], min(longest, _LONGEST_WORD))
    for column, (cell_size, word_size) in enumerate(block.table.later[:count]):
        wanted[column] = max(wanted[column], cell_size)
        least[column] = max(least[column], min(word_size, _LONGEST_WORD))
    if sum(wanted) <= room:
        return tuple(wanted)
    if sum(least) > room:
        least = [min(size, _MIN_COLUMN) for size in least]
        if sum(least) > room:
            return None
    # What is left over goes to the columns in the measure of what they lack.
    spare = room - sum(least)
    lacking = [max(0, want - have) for want, have in zip(wanted, least, strict=True)]
    total = sum(lacking) or 1
    return tuple(have + spare * lack // total for have, lack in zip(least, lacking, strict=True))


def _row(
    row: Sequence[Inline],
    columns: Sequence[int],
    aligns: Sequence[str],
    source: int,
    first: Prefix,
    rest: Prefix,
    between: Segment,
) -> list[Line]:
    wrapped = [wrap(cell, column, source) for cell, column in zip(row, columns, strict=False)]
    height = max((len(lines) for lines in wrapped), default=1)
    lines: list[Line] = []
    for number in range(height):
        segments: list[Segment] = list(first if number == 0 else rest)
        prefix = sum(len(part.text) for part in segments)
        for index, cell in enumerate(wrapped):
            if index:
                segments.append(between)
            parts = cell[number].segments if number < len(cell) else ()
            space = columns[index] - sum(width_of(part.text) for part in parts)
            align = aligns[index] if index < len(aligns) else "left"
            before = space if align == "right" else space // 2 if align == "center" else 0
            if before > 0:
                segments.append(Segment(" " * before))
            segments.extend(parts)
            if space > before and index + 1 < len(wrapped):
                segments.append(Segment(" " * (space - before)))
        lines.append(Line(tuple(segments), source, prefix))
    return lines


def _records(block: Rows, frame: Frame, width: int) -> list[Line]:
    """Lay a table out that is wider than the screen: each row as a list of "column: value"."""
    lines: list[Line] = []
    start = frame.first
    names = [cell.text for cell in block.header]
    for number, row in enumerate(block.rows, 2 if names else 0):
        for index, cell in enumerate(row):
            if not cell.text:
                continue
            name = f"{names[index]}: " if index < len(names) and names[index] else ""
            label = Segment(name, "strong")
            lines += wrap(cell, width, block.source + number, (*start, label), (*frame.rest, Segment("  ")))
            start = frame.rest
        lines.append(Line(frame.rest, block.source + number))
    return lines[:-1]
