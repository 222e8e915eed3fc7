"""Our own Markdown: strangers' words in it as they are, and the way back to plain text."""

from __future__ import annotations

import re

from isexplore.text import literal


def plain(text: str) -> str:
    """Return `text` as one line that Markdown shows as it is."""
    return literal(" ".join(text.split()))


def unmarked(text: str) -> str:
    """Return our own Markdown as plain text: tables as lines, emphasis and escapes gone."""
    lines = []
    for line in text.splitlines():
        if line in ("| | |", "| --- | --- |"):
            continue
        if line.startswith("| ") and line.endswith(" |"):
            first, _, rest = line[2:-2].partition(" | ")
            line = f"{first:<14} {rest}" if len(first) > 1 else f"{first} {rest}"
        lines.append(re.sub(r"(?<!\\)\*", "", line))
    return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", "\n".join(lines))
