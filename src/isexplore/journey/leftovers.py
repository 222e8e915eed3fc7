"""Pure: what of a merge request's template stands in the description as nobody may have meant it.

Instructions in comments (`<!-- ... -->`) are no leftovers: the forge does not show them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from isexplore.text import clean_line, shorten

MAX_WORDS = 60
"""Characters of a leftover that are shown."""

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~).*?(?:^[ \t]*(?:```|~~~)[^\n]*$|\Z)", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^(#{1,6})\s+(\S.*)$")
_BOX = re.compile(r"^[-*+]\s+\[ \]\s*(.*)$")
_NO_NUMBER = re.compile(r"(?i)\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+#(?![\w#])")
_TODO = re.compile(r"\b(?:TODO|TBD|FIXME)\b")
_IN_BRACKETS = re.compile(r"\[(?!\s*[xX ]\s*\])[^\[\]]{3,}\](?![\[(:])")
_ASKING = re.compile(r"^[_*]*(?:\([^()\n]{3,}\)|\[[^\[\]\n]{4,}\])[_*.]*[ \t]*$", re.MULTILINE)
_IN_PARENTHESES = re.compile(r"^[_*]*\([^()]{3,}\)[_*.]*$|^<[^<>/]{3,}>$")


def leftovers(body: str, template: str | None) -> tuple[str, ...]:
    """Return, in words, what the description took over from the template without an answer.

    That are placeholders ("[Describe what changes]", "(one or two sentences)", "TODO"), boxes that are not
    ticked and headings with nothing below them. What the template does not hold is the author's own, but for
    a "Closes #" without a number, which nobody means.
    """
    lines = [line for line in _visible(body) if line]
    asked = frozenset(_visible(template)) if template is not None else frozenset()
    unnumbered = (f"no number: {_shown(line)}" for line in lines if _NO_NUMBER.search(line))
    return tuple(dict.fromkeys((*_left(lines, asked), *unnumbered)))


def answered_first(template: str, answer: str) -> str:
    """Return the template with the first line that only asks for words replaced by `answer`."""
    if not answer:
        return template
    hidden = [match.span() for pattern in (_COMMENT, _FENCE) for match in pattern.finditer(template)]
    for match in _ASKING.finditer(template):
        if not any(start <= match.start() < end for start, end in hidden):
            return f"{template[: match.start()]}{answer}{template[match.end() :]}"
    return template


def _visible(text: str) -> list[str]:
    return [line.strip() for line in _FENCE.sub("code", _COMMENT.sub("", text)).splitlines()]


def _left(lines: list[str], asked: frozenset[str]) -> Iterator[str]:
    for at, line in enumerate(lines):
        if line not in asked:
            continue
        heading, box = _HEADING.match(line), _BOX.match(line)
        if heading is not None:
            following = _HEADING.match(lines[at + 1]) if at + 1 < len(lines) else None
            ends = at + 1 == len(lines) or (following is not None and len(following[1]) <= len(heading[1]))
            if ends:
                yield f"nothing below “{_shown(heading[2])}”"
        elif box is not None:
            yield f"not ticked: {_shown(box[1])}"
        elif _TODO.search(line) or _IN_BRACKETS.search(line) or _IN_PARENTHESES.match(line):
            yield f"still there: {_shown(line)}"


def _shown(text: str) -> str:
    return shorten(clean_line(text), MAX_WORDS)
