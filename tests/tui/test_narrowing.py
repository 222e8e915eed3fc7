"""Filters chosen from counts, and put into the search line."""

from __future__ import annotations

import pytest

from isexplore.catalog.facets import Facets
from isexplore.tui.narrowing import has_filter, narrowings, toggled


@pytest.mark.parametrize(
    ("search", "text", "after"),
    [
        ("", "lang:go", "lang:go"),
        ("retry", "lang:go", "retry lang:go"),
        ("retry lang:Go", "lang:go", "retry"),
        ("lang:go,python x", "lang:go", "lang:python x"),
        ("lang:go", "lang:rust", "lang:go lang:rust"),
        ('topic:"machine learning" x', 'topic:"machine learning"', "x"),
        ('"lang:go x"', "lang:go", '"lang:go x" lang:go'),
        ("-lang:go", "lang:go", "-lang:go lang:go"),
        ('open " quote', "lang:go", 'open " quote lang:go'),
    ],
)
def test_a_filter_goes_in_and_out(search: str, text: str, after: str) -> None:
    assert toggled(search, text) == after
    assert has_filter(search, text) != has_filter(after, text) or '"' in search


def test_every_counted_value_is_offered_as_a_filter_that_can_be_typed() -> None:
    facets = Facets([("Python", 1_204), ("Go", 1)], [("machine learning", 3), ('a"b', 2)], [("payments", 2)])
    offered = list(narrowings(facets, "lang:go"))
    assert [one.text for one in offered] == [
        "lang:python",
        "lang:go",
        'topic:"machine learning"',
        "topic:ab",
        "group:payments",
    ]
    assert offered[0].words == "1,204 projects"
    assert [one.on for one in offered] == [False, True, False, False, False]
