"""`Document`: a text that is read block by block, as far as somebody wants to see it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from isexplore.text import pattern
from isexplore.tui.markdown.blocks import Block, BlockReader, Code, Frame, Paragraph
from isexplore.tui.markdown.layout import lay_out
from isexplore.tui.markdown.lines import Line
from isexplore.tui.markdown.pieces import CODE_LINES, pieces

Kind = Literal["markdown", "plain", "diff"]

LIMIT = 128 * 1024
"""Characters shown at first; the reader asks for the rest."""
LONG_LINE = 3_000
"""Characters after which a line of the document counts as two."""
MAX_DEFINITIONS = 400
"""Link definitions known from the beginning; later ones only to the text near them."""
MAX_NESTING = 40
"""Levels of quotes and lists (a list counts twice) that the parser follows."""
_FRONT_MATTER_LINES = 60
_DEFINITION = pattern(r" {0,3}\[[^\[\]]{1,200}\]:[ \t]*\S")


class Heading(NamedTuple):
    """An entry of the outline."""

    level: int
    """1 to 6."""
    text: str
    line: int
    """Its line in the document, from 1."""
    slug: str
    """How links name it, as forges make it: `#set-up`."""


_parser: Any = None


def load_parser() -> Any:
    """Return the Markdown parser, loading it first (some 25 ms, once; not before the first frame)."""
    global _parser
    if _parser is None:
        from markdown_it import MarkdownIt

        parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable(["table", "strikethrough"])
        # Text inside blocks is read when they are laid out: most of it is never on the screen.
        parser.core.ruler.disable(["inline"])
        _parser = parser
    return _parser


class Document:
    """A text, its blocks as far as they have been read, its headings and links."""

    def __init__(self, text: str, kind: Kind = "markdown", limit: int = LIMIT) -> None:
        """Take a text; nothing of it is read yet.

        Args:
            text: the document; what is shown of it is cleaned when it is laid out.
            kind: Markdown, or text to be shown as it is, or a diff.
            limit: characters to read before `wants_more`.
        """
        self.kind = kind
        self.blocks: list[Block] = []
        """Read so far."""
        self.headings: list[Heading] = []
        """Met so far."""
        self.links: list[str] = []
        """Where the links met so far lead, by their numbers."""
        self.complete = False
        """Whether everything up to the limit has been read."""
        self._lines, self._numbers = _split_lines(text.replace("\r\n", "\n").replace("\r", "\n"))
        self.line_count = self._numbers[-1] if self._numbers else len(self._lines)
        self._limit = limit
        self._size = sum(map(len, self._lines)) + len(self._lines)
        self._taken = 0
        self._slugs: dict[str, int] = {}
        self._skip = 0
        self._parts = self._read()

    @property
    def unread(self) -> int:
        """Characters after the limit; 0 when all has been read."""
        return max(0, self._size - self._taken) if self.complete else 0

    def read_on(self) -> None:
        """Lift the limit."""
        self._limit = self._size + 1
        self.complete = False

    def next_blocks(self) -> Sequence[Block]:
        """Read the next few blocks; none when the end or the limit is reached (`complete`)."""
        found = next(self._parts, None)
        if found is None:
            self.complete = True
            self._taken = self._size
            return ()
        if not found and self._taken > self._limit:
            self.complete = True
            return ()
        self.blocks.extend(found)
        return found

    def lines(self, block: Block, width: int) -> list[Line]:
        """Return a block as lines of at most `width` cells."""
        lines = lay_out(block, width)
        if self._numbers is None:
            return lines
        numbers = self._numbers
        return [line._replace(source=numbers[min(line.source, len(numbers)) - 1]) for line in lines]

    def _read(self) -> Iterator[list[Block]]:
        """Yield blocks in small groups; an empty group where the limit is."""
        groups = self._read_markdown() if self.kind == "markdown" else self._read_plain()
        for size, group in groups:
            while self._taken > self._limit:
                yield []
            yield group
            self._taken += size

    def _read_plain(self) -> Iterator[tuple[int, list[Block]]]:
        style = "diff" if self.kind == "diff" else "plain"
        for start in range(0, len(self._lines), CODE_LINES):
            lines = self._lines[start : start + CODE_LINES]
            yield sum(map(len, lines)) + len(lines), [Code(Frame(), start + 1, lines, style)]

    def _read_markdown(self) -> Iterator[tuple[int, list[Block]]]:
        lines = self._lines
        skipped = _front_matter(lines)
        environment: dict[str, Any] = {}
        parser = load_parser()
        definitions = [line for line in lines if "]:" in line and _DEFINITION.match(line)]
        if definitions:
            # Links may name an address that is defined further down, in a piece not read yet.
            parser.parse("\n\n".join(definitions[:MAX_DEFINITIONS]), environment)
        reader = BlockReader(parser, environment, self.links)
        for piece in pieces(lines[skipped:]):
            piece = piece._replace(first=piece.first + skipped)
            group: list[Block] = []
            size = sum(map(len, piece.lines)) + len(piece.lines)
            for block in reader.read(piece):
                group.append(block)
                if isinstance(block, Paragraph) and block.level:
                    self._note_heading(block)
                if len(group) >= 12:
                    yield 0, group
                    group = []
            yield size, group

    def _note_heading(self, block: Paragraph) -> None:
        text = block.inline.text.replace("\n", " ").strip()
        slug = slugify(text)
        seen = self._slugs.get(slug, 0)
        self._slugs[slug] = seen + 1
        line = self._numbers[block.source - 1] if self._numbers else block.source
        self.headings.append(Heading(block.level, text, line, f"{slug}-{seen}" if seen else slug))


def slugify(text: str) -> str:
    """Return how forges name a heading in a link: lower case, hyphens for spaces, no punctuation."""
    kept = (
        char if char in "-_" or unicodedata.category(char)[0] in "LNM" else "-" if char == " " else ""
        for char in text.lower().strip()
    )
    return "".join(kept)


def _split_lines(text: str) -> tuple[list[str], list[int] | None]:
    """Return the lines, with very long ones cut, and the number of each where that made a difference."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    if not any(len(line) > LONG_LINE for line in lines):
        return lines, None
    shorter: list[str] = []
    numbers: list[int] = []
    for number, line in enumerate(lines, 1):
        while len(line) > LONG_LINE:
            cut = line.rfind(" ", 1, LONG_LINE) + 1 or LONG_LINE
            shorter.append(line[:cut])
            numbers.append(number)
            line = line[cut:]
        shorter.append(line)
        numbers.append(number)
    return shorter, numbers


def _front_matter(lines: Sequence[str]) -> int:
    """Return how many lines of metadata (between `---`) come before the document."""
    if not lines or lines[0].rstrip() != "---":
        return 0
    for number, line in enumerate(lines[1:_FRONT_MATTER_LINES], 1):
        if line.rstrip() in ("---", "..."):
            return number + 1
        if not line.strip() and number == 1:
            return 0
    return 0
