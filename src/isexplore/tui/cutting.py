"""Cutting a text to a number of cells; how many a character takes is told by whoever asks.

The screens know it from Rich's tables. What is painted before those are loaded does without them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ELLIPSIS = "..."
"""What stands where something was cut."""


def cut_to(
    text: str,
    width: int,
    cells: Callable[[str], int],
    characters: Callable[[str], Iterable[tuple[int, int]]],
) -> str:
    """Return `text` in at most `width` cells, ending in "..." where something was cut.

    Args:
        text: one line.
        width: cells.
        cells: return how many a text takes.
        characters: yield for each character that must not be divided where it ends, and its cells.
    """
    if width <= 0:
        return ""
    if cells(text) <= width:
        return text
    room = width - len(ELLIPSIS)
    if room <= 0:
        return ELLIPSIS[:width]
    if text.isascii():
        return text[:room].rstrip() + ELLIPSIS
    used = end = 0
    for stop, size in characters(text):
        if used + size > room:
            break
        used += size
        end = stop
    return text[:end].rstrip() + ELLIPSIS
