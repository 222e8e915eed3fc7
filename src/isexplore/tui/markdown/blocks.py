"""What a document is made of, before it is known how wide the screen is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from isexplore.text import pattern
from isexplore.tui.markdown.inline import InlineBuilder, InlineReader, plain_inline, tags
from isexplore.tui.markdown.lines import Inline, Segment
from isexplore.tui.markdown.pieces import TABLE_COLUMNS, Piece, Table, split_row

if TYPE_CHECKING:
    from markdown_it.token import Token

Prefix = tuple[Segment, ...]
_BAR = Segment("│ ", "quote")
_ALERT = pattern(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*(?:\n|$)", re.IGNORECASE)
_TASK = pattern(r"\[([ xX])\](?=[ \n]|$)")


class Frame(NamedTuple):
    """What stands at the left of a block: bars of quotes, bullets and indentation of lists."""

    first: Prefix = ()
    """At its first line."""
    rest: Prefix = ()
    """At every other line."""
    gap: Prefix | None = None
    """At the blank line before it; None when there is no such line."""


class Paragraph(NamedTuple):
    """Text that is wrapped: a paragraph or a heading."""

    frame: Frame
    source: int
    inline: Inline
    level: int = 0
    """1 to 6 for a heading."""


class Code(NamedTuple):
    """Text that is not wrapped at words."""

    frame: Frame
    source: int
    lines: Sequence[str]
    style: str = "code-block"


class Rule(NamedTuple):
    """A line across."""

    frame: Frame
    source: int


class Rows(NamedTuple):
    """A table, or a part of one."""

    frame: Frame
    source: int
    table: Table
    header: tuple[Inline, ...]
    """Empty when this is not the beginning of the table."""
    aligns: tuple[str, ...]
    rows: tuple[tuple[Inline, ...], ...]


Block = Paragraph | Code | Rule | Rows


class _Container:
    """An open list item or quote."""

    def __init__(self, first: Prefix, rest: Prefix) -> None:
        self.first = first
        self.rest = rest
        self.fresh = True


class _List:
    def __init__(self, number: int | None) -> None:
        self.number = number
        self.tight = False
        self.items = 0


class BlockReader:
    """Reads pieces of a document into blocks, in order."""

    def __init__(self, parser: Any, environment: dict[str, Any], links: list[str]) -> None:
        self._parser = parser
        self._environment = environment
        self._links = links
        self._inline = InlineReader(parser, environment, links)
        self._containers: list[_Container] = []
        self._lists: list[_List] = []
        self._first = 1
        self._started = False
        self._joins = False

    def read(self, piece: Piece) -> Iterator[Block]:
        """Yield the blocks of a piece; inline Markdown is read as they are taken."""
        self._containers.clear()
        self._lists.clear()
        self._first = piece.first
        self._joins = not piece.begins
        if piece.kind == "code":
            yield from self._code_piece(piece)
        elif piece.kind == "table":
            yield self._table_piece(piece)
        elif piece.kind == "plain":
            yield Code(self._frame(), piece.first, piece.lines, "plain")
        else:
            yield from self._markdown(piece)

    # Pieces

    def _code_piece(self, piece: Piece) -> Iterator[Block]:
        lines = list(piece.lines)
        first = piece.first
        frame = self._frame()
        if piece.begins:
            lines, first = lines[1:], first + 1
        if piece.ends and lines and lines[-1].strip()[:3] in ("```", "~~~"):
            lines = lines[:-1]
        if lines:
            yield Code(frame, first, lines, _code_style(piece.info))

    def _table_piece(self, piece: Piece) -> Block:
        assert piece.table is not None
        lines = piece.lines[2:] if piece.begins else piece.lines
        aligns = tuple(_align(cell) for cell in split_row(piece.table.delimiter))
        header: tuple[Inline, ...] = ()
        if piece.begins:
            header = tuple(self._inline.read(cell, "strong") for cell in split_row(piece.table.header))
        rows = tuple(self._row(split_row(line), len(aligns)) for line in lines)
        frame = self._frame()
        return Rows(frame, piece.first, piece.table, header, aligns, rows)

    def _row(self, cells: list[str], columns: int) -> tuple[Inline, ...]:
        return tuple(self._inline.read(cell) for cell in (*cells, *("",) * columns)[:columns])

    def _markdown(self, piece: Piece) -> Iterator[Block]:
        tokens = self._parser.parse("\n".join(piece.lines), self._environment)
        deepest = max((token.level for token in tokens), default=0)
        if deepest >= self._parser.options["maxNesting"] - 1:
            # The parser leaves out, without a word, what is nested deeper than that.
            yield Code(self._frame(), piece.first, piece.lines, "plain")
            return
        index = 0
        while index < len(tokens):
            token = tokens[index]
            if token.type == "table_open":
                yield from self._nested_table(tokens, index)
                while tokens[index].type != "table_close":
                    index += 1
            elif token.type in ("inline", "fence", "code_block", "html_block", "hr"):
                yield from self._leaf(tokens, index)
            else:
                self._enter_or_leave(token)
            index += 1

    # Containers

    def _enter_or_leave(self, token: Token) -> None:
        kind = token.type
        if kind == "bullet_list_open":
            self._lists.append(_List(None))
        elif kind == "ordered_list_open":
            start = token.attrGet("start")
            self._lists.append(_List(1 if start is None else int(start)))
        elif kind in ("bullet_list_close", "ordered_list_close"):
            self._lists.pop()
        elif kind == "list_item_open":
            self._open_item()
        elif kind == "blockquote_open":
            self._containers.append(_Container((_BAR,), (_BAR,)))
        elif kind in ("list_item_close", "blockquote_close"):
            self._containers.pop()
        elif kind == "paragraph_open" and self._lists:
            self._lists[-1].tight = token.hidden

    def _open_item(self) -> None:
        current = self._lists[-1]
        bullet = "• " if current.number is None else f"{current.number + current.items}. "
        current.items += 1
        self._containers.append(_Container((Segment(bullet, "bullet"),), (Segment(" " * len(bullet)),)))

    def _frame(self) -> Frame:
        """Return the frame of the block that comes now."""
        first: list[Segment] = []
        rest: list[Segment] = []
        gap: list[Segment] = []
        for container in self._containers:
            first.extend(container.first if container.fresh else container.rest)
            rest.extend(container.rest)
            if not container.fresh:
                gap.extend(container.rest)
        spaced = self._started and not self._joins and not self._is_tight()
        self._joins = False
        for container in self._containers:
            container.fresh = False
        self._started = True
        return Frame(tuple(first), tuple(rest), tuple(gap) if spaced else None)

    def _is_tight(self) -> bool:
        """Return whether the block that comes now follows the one before without a blank line."""
        if not self._lists:
            return False
        current = self._lists[-1]
        begins_list = current.items == 1 and bool(self._containers) and self._containers[-1].fresh
        if begins_list and len(self._lists) == 1:
            return False
        return current.tight

    # Leaves

    def _leaf(self, tokens: Sequence[Token], index: int) -> Iterator[Block]:
        token = tokens[index]
        source = self._first + (token.map[0] if token.map else 0)
        if token.type == "inline":
            opener = tokens[index - 1]
            level = int(opener.tag[1]) if opener.type == "heading_open" else 0
            yield from self._text(token.content, source, level)
        elif token.type == "hr":
            yield Rule(self._frame(), source)
        elif token.type == "html_block":
            yield from self._html(token.content, source)
        else:
            lines = token.content.removesuffix("\n").split("\n")
            yield Code(self._frame(), source + (token.type == "fence"), lines, _code_style(token.info))

    def _text(self, content: str, source: int, level: int) -> Iterator[Block]:
        if level:
            yield Paragraph(self._frame(), source, self._inline.read(content, f"h{level}"), level)
            return
        alert = _ALERT.match(content) if self._containers else None
        if alert is not None:
            words = plain_inline(alert[1].capitalize(), "strong")
            yield Paragraph(self._frame(), source, words)
            content = content[alert.end() :]
            if content:
                frame = self._frame()
                yield Paragraph(frame._replace(gap=None), source + 1, self._inline.read(content))
            return
        task = (
            _TASK.match(content) if self._lists and self._containers and self._containers[-1].fresh else None
        )
        frame = self._frame()
        if task is not None:
            mark = Segment("[x] " if task[1] in "xX" else "[ ] ", "bullet")
            frame = frame._replace(first=(*frame.first, mark), rest=(*frame.rest, Segment("    ")))
            content = content[task.end() :].lstrip(" ")
        yield Paragraph(frame, source, self._inline.read(content))

    def _nested_table(self, tokens: Sequence[Token], index: int) -> Iterator[Block]:
        """Yield the table inside a quote or a list that begins at this token."""
        source = self._first + (tokens[index].map or [0])[0]
        header: list[Inline] = []
        aligns: list[str] = []
        rows: list[list[Inline]] = []
        opener = tokens[index]
        for token in tokens[index:]:
            if token.type == "table_close":
                break
            if token.type == "tr_open":
                rows.append([])
            elif token.type in ("th_open", "td_open"):
                opener = token
            elif token.type == "inline" and opener.type == "th_open":
                aligns.append(str(opener.attrGet("style") or "").removeprefix("text-align:"))
                header.append(self._inline.read(token.content, "strong"))
            elif token.type == "inline":
                rows[-1].append(self._inline.read(token.content))
        if len(header) <= TABLE_COLUMNS:
            body = tuple(tuple(row) for row in rows if row)
            yield Rows(self._frame(), source, Table("", "", {}), tuple(header), tuple(aligns), body)
            return
        for row in ([*header], *rows):
            words = plain_inline(" | ".join(cell.text for cell in row))
            yield Paragraph(self._frame(), source, words)

    def _html(self, source_text: str, source: int) -> Iterator[Block]:
        """Yield the text of HTML, a paragraph per block of it, headings as headings."""
        builder = InlineBuilder(self._links)
        level = 0
        for part in tags(source_text):
            if isinstance(part, str):
                builder.text(part)
                continue
            name = (part["name"] or "").lower()
            if name == "hr":
                yield Rule(self._frame(), source)
            is_heading = len(name) == 2 and name[0] == "h" and name[1] in "123456"
            if is_heading or name == "p":
                inline = builder.done()
                if inline.text:
                    yield Paragraph(self._frame(), source, inline, level)
                level = int(name[1]) if is_heading and not part["close"] else 0
                builder = InlineBuilder(self._links, f"h{level}" if level else "")
            else:
                builder.tag(part)
        inline = builder.done()
        if inline.text:
            yield Paragraph(self._frame(), source, inline, level)


def _code_style(info: str) -> str:
    return "diff" if info.split()[:1] in (["diff"], ["patch"]) else "code-block"


def _align(cell: str) -> str:
    if cell.endswith(":"):
        return "center" if cell.startswith(":") else "right"
    return "left"
