from __future__ import annotations

from typing import Any

import pytest

from isexplore.catalog import score

NOW = 1_750_000_000
DAY = 86_400


def days_ago(days: int) -> int:
    return NOW - days * DAY


FORTY = "x" * 40

VECTORS: dict[str, tuple[int, dict[str, Any]]] = {
    "A: nothing, brand new": (1050, {"created_at": NOW, "last_activity": NOW}),
    "B: nothing, long idle": (0, {"created_at": days_ago(1000), "last_activity": days_ago(400)}),
    "C: a solid project": (
        391,
        {
            "forks": 10,
            "subscribers": 5,
            "stars": 30,
            "open_issues": 20,
            "description": FORTY,
            "participation": [5] * 52,
            "has_guidelines": True,
            "last_activity": days_ago(10),
            "created_at": days_ago(400),
        },
    ),
    "D: above the soft ceiling": (
        3838,
        {
            "forks": 331,
            "stars": 136,
            "open_issues": 98,
            "description": FORTY,
            "participation": [12] * 52,
            "has_guidelines": True,
            "last_activity": days_ago(1),
            "created_at": days_ago(1300),
        },
    ),
    "E: young and busy lately": (
        1129,
        {
            "forks": 2,
            "stars": 4,
            "open_issues": 6,
            "description": "short",
            "participation": [0] * 39 + [10] * 13,
            "has_guidelines": True,
            "last_activity": days_ago(2),
            "created_at": days_ago(60),
        },
    ),
    "F: old, idle, described": (
        169,
        {
            "forks": 3,
            "stars": 9,
            "open_issues": 5,
            "description": "x" * 31,
            "participation": [0] * 52,
            "has_guidelines": True,
            "last_activity": days_ago(100),
            "created_at": days_ago(800),
        },
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_the_published_formula_gives_the_known_numbers(name: str) -> None:
    expected, facts = VECTORS[name]
    assert score.activity_score(now=NOW, **facts) == expected


def test_an_unknown_time_never_lifts_a_project() -> None:
    known = score.activity_score(now=NOW, forks=4, created_at=days_ago(2000), last_activity=days_ago(2000))
    assert score.activity_score(now=NOW, forks=4) == known


def test_a_clock_that_is_ahead_does_no_harm() -> None:
    late = score.activity_score(now=NOW, created_at=NOW + 9_999_999, last_activity=NOW + 9_999_999)
    assert late == score.activity_score(now=NOW, created_at=NOW, last_activity=NOW)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (2501, "extremely high"),
        (2500, "very high"),
        (1001, "very high"),
        (1000, "high"),
        (300, "moderate"),
        (150, "low"),
        (50, "very low"),
        (6, "very low"),
        (5, "none"),
        (0, "none"),
    ],
)
def test_levels_begin_above_their_bound(value: int, word: str) -> None:
    assert score.level(value) == word


def test_reasons_tell_what_lifts_and_what_holds_down() -> None:
    busy = score.reasons(
        now=NOW,
        stars=1200,
        forks=5,
        good_first_issues=1,
        last_activity=days_ago(2),
        created_at=days_ago(30),
        participation=[5] * 52,
        description=FORTY,
        has_guidelines=True,
    )
    assert busy == (
        "changed this week",
        "5 commits a week",
        "new: began 30 days ago",
        "1 good first issue",
        "5 forks",
        "1,200 stars",
        "tells how to contribute",
    )
    quiet = score.reasons(now=NOW, last_activity=days_ago(400), has_guidelines=False)
    assert quiet == ("no change for 400 days", "no CONTRIBUTING file", "hardly a description")


def test_a_sparkline_has_a_bar_for_every_few_weeks() -> None:
    assert score.sparkline([0] * 48 + [4, 4, 4, 4]) == " " * 12 + "█"
    assert score.sparkline([1, 8], width=5) == "▁█"
    assert score.sparkline([0, 0]) == "  "
    assert score.sparkline([]) == ""
    assert len(score.sparkline(list(range(52)), width=13)) == 13
    assert score.sparkline([0, 1, 2], plain=True).isascii()
