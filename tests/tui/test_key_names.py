"""What a key's name says of its character is what Textual would have found in Unicode's table."""

from __future__ import annotations

import pytest
from textual import keys
from textual.keys import Keys

from isexplore.tui.key_names import character_of

NAMES = (
    *(key.value for key in Keys),
    "a",
    "A",
    "1",
    "space",
    "comma",
    "minus",
    "colon",
    "ctrl+a",
    "shift+tab",
)
NAMES_OF_OURS = ("slash", "question_mark", "right_square_bracket", "left_curly_bracket", "tilde")


@pytest.mark.parametrize("name", [*NAMES, *NAMES_OF_OURS])
def test_a_key_has_the_character_that_textual_knows(name: str) -> None:
    known = keys.key_to_character(name)
    # Textual knows tab and escape as characters, too; none of these goes into a line of text.
    assert character_of(name) == (known if known is not None and known.isprintable() else None)


def test_the_keys_of_a_screen_are_told_without_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(keys, "key_to_character", asked.append)
    character_of.cache_clear()
    try:
        names = ("tab", "f1", "escape", "slash", "question_mark")
        assert [character_of(name) for name in names] == [None, None, None, None, "?"]
    finally:
        character_of.cache_clear()
    assert asked == []
