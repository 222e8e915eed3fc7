"""Pure: the little that is read out of a guide's markup, by line. Markdown, and enough of rst and AsciiDoc."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from isexplore.models import Document
from isexplore.text import clean_line

Kind = Literal["heading", "code", "item", "row", "text"]

_HEADING = re.compile(r"(#{1,6}|={2,6})\s+(\S.*)")
_UNDERLINE = re.compile(r"(=|-|~|\^){3,}\s*")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?(.*)")
_LINK = re.compile(r"!?\[([^\]\[]*)\]\(([^()\s]*)(?:\s[^()]*)?\)")
_EMPHASIS = re.compile(r"\*\*|__|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)|`")
_RULE_ROW = re.compile(r"[\s|:-]+")
MAX_LINES = 8_000
"""Lines of a guide that are looked at."""
MAX_TEXT = 1_000
"""Characters of a line that are looked at, so that no expression takes long over one."""


class Line(Struct, frozen=True):
    """One line of a guide."""

    kind: Kind
    text: str
    """Without its markers (`#`, `-`, `|`); code keeps its indent."""
    number: int
    """Line number in the document, from 1."""
    level: int = 0
    """Of a heading, from 1."""


class Section(Struct, frozen=True):
    """A heading with all lines up to the next heading of its level or above, those of its parts included."""

    title: str
    level: int
    number: int
    lines: tuple[Line, ...]
    path: tuple[str, ...] = ()
    """Titles of the headings above it."""


class Finding(Struct, frozen=True, kw_only=True):
    """Something that a guide says, with the place where it says so."""

    text: str
    document: str
    """Path of the document."""
    line: int


def finding(document: Document, line: Line | Section, text: str) -> Finding:
    """Return a finding at a line."""
    return Finding(text=text, document=document.path, line=line.number)


def _blank_comments(text: str) -> str:
    """Remove HTML comments (hints for authors in templates), keeping line numbers."""
    kept: list[str] = []
    start = 0
    while (begin := text.find("<!--", start)) >= 0:
        end = text.find("-->", begin + 4)
        if end < 0:
            break
        kept += (text[start:begin], "\n" * text.count("\n", begin, end))
        start = end + 3
    return "".join(kept) + text[start:]


def lines(text: str) -> tuple[Line, ...]:
    """Return the lines of a guide that say something."""
    found: list[Line] = []
    fence = ""
    raw = _blank_comments(text).split("\n")[:MAX_LINES]
    for number, full in enumerate(raw, 1):
        line = full[:MAX_TEXT].rstrip()
        opening = _FENCE.match(line)
        if fence:
            if opening and opening.group(1).startswith(fence) and line.strip() == opening.group(1):
                fence = ""
            elif line.strip():
                found.append(Line("code", line, number))
        elif opening:
            fence = opening.group(1)
        elif line.strip():
            found.append(_classify(line, number, found, raw))
    return tuple(line for line in found if line.text)


def _classify(line: str, number: int, before: list[Line], raw: Sequence[str]) -> Line:
    heading = _HEADING.fullmatch(line)
    if heading:
        return Line("heading", plain(heading.group(2).rstrip("# \t=")), number, len(heading.group(1)))
    if _UNDERLINE.fullmatch(line):
        # A line of === or --- makes a heading of the text line right above it.
        if before and before[-1].kind == "text" and before[-1].number == number - 1:
            level = 1 if line.startswith("=") else 2
            before[-1] = Line("heading", plain(before[-1].text), number - 1, level)
        return Line("text", "", number)
    if line.startswith(("    ", "\t")) and not (before and before[-1].kind in ("item", "text")):
        return Line("code", line, number)
    item = _ITEM.fullmatch(line)
    if item:
        return Line("item", item.group(1).strip(), number)
    if line.lstrip().startswith("|"):
        return Line("row", "" if _RULE_ROW.fullmatch(line) else line.strip().strip("|").strip(), number)
    if line.lstrip().startswith("$ "):
        return Line("code", line.strip(), number)
    return Line("text", line.strip(), number)


def sections(document: Document) -> tuple[Section, ...]:
    """Return the sections of a guide, outer ones before the inner; what stands above the first heading is none."""
    found = []
    all_lines = lines(document.text)
    path: list[Line] = []
    for index, line in enumerate(all_lines):
        if line.kind != "heading":
            continue
        path = [above for above in path if above.level < line.level]
        end = next(
            (
                later
                for later in range(index + 1, len(all_lines))
                if all_lines[later].kind == "heading" and all_lines[later].level <= line.level
            ),
            len(all_lines),
        )
        titles = tuple(above.text for above in path)
        found.append(Section(line.text, line.level, line.number, all_lines[index + 1 : end], titles))
        path.append(line)
    return tuple(found)


def plain(text: str) -> str:
    """Return a line without links' addresses and emphasis."""
    return clean_line(_EMPHASIS.sub("", _LINK.sub(r"\1", text)))


def links(text: str) -> Iterator[tuple[str, str]]:
    """Yield words and address of each Markdown link in a line."""
    for match in _LINK.finditer(text):
        yield match.group(1), match.group(2)
