"""The bar with the modes: as many words as fit, and the age of the data before its name."""

from __future__ import annotations

import pytest

from isexplore.tui.opening import mode_labels, place_in, total_words

COUNTS = {"contributions": 2, "bookmarks": 1}


@pytest.mark.parametrize(
    ("width", "current", "bar"),
    [
        (120, "explore", " 1 Explore   2 First issues   3 Contributions (2)   4 Bookmarks (1) "),
        (80, "explore", " 1 Explore   2 First issues   3 Contributions (2)   4 Bookmarks (1) "),
        (80, "contributions", " 1 Explore   2 First issues   3 Contributions (2)   4 Bookmarks (1) "),
        (60, "first_issues", " 1   2 First issues   3   4 "),
    ],
)
def test_the_modes_are_words_where_words_fit(width: int, current: str, bar: str) -> None:
    assert " ".join(mode_labels(width, current, COUNTS)) == bar


@pytest.mark.parametrize(
    ("room", "seen"),
    [(40, "practice forge · 4 minutes ago"), (15, "4 minutes ago"), (10, "4 minutes"), (8, "")],
)
def test_the_age_stays_when_the_name_must_go(room: int, seen: str) -> None:
    assert place_in(room, "practice forge · 4 minutes ago") == seen


@pytest.mark.parametrize(
    ("room", "seen"), [(30, "4 minutes ago, in part"), (19, "4 minutes, in part"), (9, "in part"), (6, "")]
)
def test_an_age_that_holds_for_a_part_never_stands_alone(room: int, seen: str) -> None:
    assert place_in(room, "practice forge at home · 4 minutes ago, in part") == seen


@pytest.mark.parametrize(("room", "seen"), [(14, "practice forge"), (8, "pract..."), (7, "")])
def test_a_name_alone_is_cut(room: int, seen: str) -> None:
    assert place_in(room, "practice forge") == seen


@pytest.mark.parametrize(
    ("sort", "words", "seen"),
    [
        (None, False, "5 of 34 · sort score"),
        (None, True, "5 of 34 · sort relevance"),
        ("score", True, "5 of 34 · sort score"),
        ("relevance", False, "5 of 34 · sort score"),
        ("stars", True, "5 of 34 · sort stars"),
    ],
)
def test_the_order_has_the_name_that_asks_for_it(sort: str | None, words: bool, seen: str) -> None:
    assert total_words(5, False, 34, sort, words=words) == seen
