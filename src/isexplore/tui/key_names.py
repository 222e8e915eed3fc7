"""Which character a key's name stands for, without Unicode's table of all names.

Textual looks every key of a screen up in it, arrows and function keys too, to tell which ones a focused
input would take for itself: 0.8 MiB of the table are in memory then, before the first key is pressed.
"""

from __future__ import annotations

from functools import lru_cache

from textual import keys, screen
from textual.keys import Keys

from isexplore.tui.keys import KEY_WORDS

_NAMED = frozenset(key.value for key in Keys if len(key.value) > 1) - {"space"} | {"slash"}
"""Keys that are no character, and the one whose name Unicode does not have."""
_CHARACTERS = {name: words for name, words in KEY_WORDS.items() if len(words) == 1 and name not in _NAMED}


@lru_cache(1024)
def character_of(key: str) -> str | None:
    """Return the printable character of a key; None for a key that has none."""
    if key in _NAMED:
        return None
    return _CHARACTERS.get(key) or keys.key_to_character(key)


def spare_the_table() -> None:
    """Let screens tell keys from characters without the table.

    Textual offers no place for it but the name by which its screens know the function.
    """
    screen.key_to_character = character_of  # type: ignore[attr-defined]  # imported there, not exported
