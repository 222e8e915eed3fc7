"""The characters that could act on a terminal or hide what a text says, and what stands for each.

Apart from `isexplore.text` because compiled patterns cost more than a search from the command line;
most texts have no suspect in them.
"""

from __future__ import annotations

import re
import unicodedata

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_ZWJ = "\N{ZERO WIDTH JOINER}"
_VS16 = "\N{VARIATION SELECTOR-16}"
# One pass over this class decides whether a text needs work at all: nearly none does.
_SUSPECT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\ud800-\udfff\ue000-\uf8ff\U000e0000-\U0010ffff]"
)
_MARKS = re.compile("[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u1ab0-\u1aff\u1dc0-\u1dff"
                    "\u20d0-\u20ff\ufe20-\ufe2f]" + "+")  # fmt: skip


def _replacement(match: re.Match[str]) -> str:
    char = match.group()
    point = ord(char)
    if point < 0x20:
        return chr(0x2400 + point)
    if point == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    if char == _ZWJ:
        # Dropping it would turn a two-cell emoji family into eight cells.
        return char
    if (
        unicodedata.category(char) == "Cf"
        and char not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    ):
        return ""
    if (
        "\ufe00" <= char <= "\ufe0e"
        or "\U000e0100" <= char <= "\U000e01ef"
        or char in "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u180b\u180c\u180d\u180f"
    ):
        return ""
    return _REPLACEMENT


def replace_suspects(text: str, marks: int) -> str:
    """Return `text` without suspects, and with at most `marks` combining marks in a row."""
    text = _SUSPECT.sub(_replacement, text)
    return _MARKS.sub(lambda match: match.group()[:marks], text)
