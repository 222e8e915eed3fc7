"""On which line of a TOML file a key is.

The standard parser tells positions only of syntax errors; a message about a value needs its line as
well. One pass over the text finds where statements begin; the parser itself reads their keys.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any, NamedTuple

from isexplore.text import pattern

_TOKEN = pattern(
    r'"""(?:[^\\]|\\.)*?"""'
    r"|'''.*?'''"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[\[\]{}\n=]"
    r"|[^\"'\#\[\]{}\n=]+"
    r"|.",
    re.DOTALL,
)
KeyPath = tuple[str, ...]


class Statement(NamedTuple):
    """A header or a setting of a TOML file."""

    path: KeyPath
    """Full path of what it sets or opens."""
    line: int
    """Its first line, counted from 1."""
    end: int
    """Offset in the text just behind its last line's line feed."""
    header: bool


def statements(text: str) -> list[Statement]:
    """Return the statements of `text`, which must be valid TOML (not checked), in order."""
    found: list[Statement] = []
    table: KeyPath = ()
    for start, end, line in _spans(text):
        source = text[start:end].strip()
        if source.startswith("["):
            table = _path(source)
            found.append(Statement(table, line, end, True))
        elif source and not source.startswith("#"):
            found.append(Statement(table + _path(_key(source) + "=0"), line, end, False))
    return found


class Positions:
    """Line numbers of the keys of one file."""

    def __init__(self, text: str) -> None:
        self._lines: dict[KeyPath, int] = {}
        for statement in statements(text):
            self._lines.setdefault(statement.path, statement.line)

    def line(self, path: KeyPath) -> int | None:
        """Return the line that sets `path`, or that of the table or value it is in; None if unknown."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return None


def _spans(text: str) -> list[tuple[int, int, int]]:
    """Return (start, end, first line) of every run of lines that belong together."""
    spans = []
    start, line, depth = 0, 1, 0
    position, current_line = 0, 1
    for match in _TOKEN.finditer(text):
        token = match.group()
        position = match.end()
        current_line += token.count("\n")
        if token in ("[", "{"):
            depth += 1
        elif token in ("]", "}"):
            depth -= 1
        elif token == "\n" and depth <= 0:
            spans.append((start, position, line))
            start, line, depth = position, current_line, 0
    if start < len(text):
        spans.append((start, len(text), line))
    return spans


def _key(source: str) -> str:
    """Return what stands before the first `=` outside quotes."""
    for match in _TOKEN.finditer(source):
        if match.group() == "=":
            return source[: match.start()]
    return source


def _path(source: str) -> KeyPath:
    """Return the key path of a statement that sets or opens just one thing."""
    try:
        node: Any = tomllib.loads(source)
    except (ValueError, RecursionError):
        return ()
    path: list[str] = []
    while isinstance(node, dict | list) and node:
        if isinstance(node, list):
            node = node[0]
            continue
        key, node = next(iter(node.items()))
        path.append(key)
    return tuple(path)
