"""Searching lines for words that may be wrapped over several of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from isexplore.tui.markdown.lines import Line


class Part(NamedTuple):
    """Characters `start` to `end` of one line."""

    line: int
    start: int
    end: int


Match = tuple[Part, ...]
"""One hit; more than one part when it is wrapped."""


def find(lines: Sequence[Line], words: str) -> list[Match]:
    """Return where `words` occur, in order and in any case; a space matches a line's end too."""
    parts = [re.escape(part) for part in words.split()]
    if not parts:
        return []
    pattern = re.compile(r" +".join(parts), re.IGNORECASE)
    matches: list[Match] = []
    for first, count in _paragraphs(lines):
        text, starts = _joined(lines[first : first + count])
        for match in pattern.finditer(text):
            matches.append(tuple(_parts(first, starts, lines, match.start(), match.end())))
    return matches


def _paragraphs(lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    start = 0
    for index in range(1, len(lines) + 1):
        if index == len(lines) or lines[index].glue is None:
            yield start, index - start
            start = index


def _joined(lines: Sequence[Line]) -> tuple[str, list[int]]:
    """Return one paragraph's text without what is layout, and where in it each line begins."""
    text: list[str] = []
    starts: list[int] = []
    length = 0
    for number, line in enumerate(lines):
        if number and line.glue:
            text.append(line.glue)
            length += len(line.glue)
        starts.append(length)
        words = line.text[line.prefix :]
        text.append(words)
        length += len(words)
    return "".join(text), starts


def _parts(first: int, starts: list[int], lines: Sequence[Line], start: int, end: int) -> Iterator[Part]:
    for number, begin in enumerate(starts):
        line = lines[first + number]
        length = len(line.text) - line.prefix
        low, high = max(start, begin), min(end, begin + length)
        if low < high:
            yield Part(first + number, low - begin + line.prefix, high - begin + line.prefix)
