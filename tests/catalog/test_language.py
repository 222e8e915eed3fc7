from __future__ import annotations

import pytest

from isexplore.catalog import words
from isexplore.catalog.issues import ISSUE_FILTERS
from isexplore.catalog.language import parse, pieces, seconds
from isexplore.errors import UsageError


def test_words_phrases_exclusions_and_filters() -> None:
    query = parse('Rate "dead letter" -legacy lang:Python,go topic:"machine learning" sort:stars')
    assert [(word.text, word.exact, word.negated) for word in query.words] == [
        ("rate", False, False),
        ("dead letter", True, False),
        ("legacy", False, True),
    ]
    assert [(each.name, each.values, each.negated) for each in query.filters] == [
        ("lang", ("Python", "go"), False),
        ("topic", ("machine learning",), False),
    ]
    assert query.sort == "stars"


def test_repeated_filters_mean_any_but_topics_mean_all() -> None:
    query = parse("lang:go lang:rust topic:a topic:b -topic:c -topic:d")
    assert [(each.name, each.values) for each in query.filters] == [
        ("lang", ("go", "rust")),
        ("topic", ("a",)),
        ("topic", ("b",)),
        ("topic", ("c", "d")),
    ]


@pytest.mark.parametrize(
    "text", ["https://git.example.com/a/b", "std::vector", "12:30", "c++", "-", ":x", ""]
)
def test_what_is_no_filter_is_a_word_or_nothing(text: str) -> None:
    assert parse(text).filters == []


@pytest.mark.parametrize(
    ("text", "title", "hint"),
    [
        ("langauge:go", 'There is no filter "langauge:"', "lang:"),
        ("tpoic:x", 'There is no filter "tpoic:"', "topic:"),
        ("has:contribution", '"contribution" is no value of has:', "has:contributing"),
        ("sort:star", '"star" is no value of sort:', "sort:stars"),
        ("active:90x", '"90x" is no value of active:', "active:90d"),
        ("active:9999999d", '"9999999d" is too long a time for active:', "active:90d"),
        ("-active:0d", '"0d" is too short a time for active:', "active:90d"),
        ("active:", '"active:" needs a value', "active:90d"),
        ("lang:,", '"lang:" needs a value', "lang:python"),
        ("forge:wrok", '"wrok" is no value of forge:', "forge:work"),
    ],
)
def test_a_wrong_filter_is_named_with_the_nearest_right_one(text: str, title: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text, forges=["work", "lab"])
    assert caught.value.title == title
    assert hint in caught.value.hint


@pytest.mark.parametrize("text", ["lang:", "rate has:", "sort:st"])
def test_somebody_who_still_types_is_not_told_off(text: str) -> None:
    assert parse(text, typing=True).filters == []


@pytest.mark.parametrize("text", ["hsa:", "retry hsa:gf"])
def test_a_filter_that_there_is_not_is_told_with_its_colon(text: str) -> None:
    with pytest.raises(UsageError, match="hsa"):
        parse(text, typing=True)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("has:con", ("CONTRIBUTING",)),
        ("has:c", ("CONTRIBUTING", "CODEOWNERS", "CODE_OF_CONDUCT", "COMMUNICATION", "CHANGELOG")),
        ("has:gfi,readm", ("gfi", "README")),
        ("verdict:fre", ("free",)),
        ("-verdict:MAY", ("maybe-taken",)),
        ("forge:w", ("work",)),
    ],
)
def test_an_unfinished_value_of_few_means_those_that_begin_like_it(
    text: str, values: tuple[str, ...]
) -> None:
    query = parse(text, typing=True, filters=ISSUE_FILTERS, forges=["work", "lab"])
    assert set(query.filters[0].values) == set(values)


@pytest.mark.parametrize("text", ["verdict:fre", "has:con", "forge:w"])
def test_an_unfinished_value_is_refused_where_nobody_types(text: str) -> None:
    with pytest.raises(UsageError, match="is no value of"):
        parse(text, filters=ISSUE_FILTERS, forges=["work", "lab"])


@pytest.mark.parametrize(
    ("text", "hint"),
    [("verdict:fred", "verdict:free"), ("verdict:5", "verdict:free"), ("has:gfx", "has:gfi")],
)
def test_a_value_that_nothing_begins_with_is_refused_at_once(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text, typing=True, filters=ISSUE_FILTERS)
    assert hint in caught.value.hint


def test_only_the_end_is_still_being_typed() -> None:
    with pytest.raises(UsageError):
        parse("has:con rate", typing=True)


@pytest.mark.parametrize(
    ("span", "expected"),
    [("90d", 90 * 86_400), ("2w", 14 * 86_400), ("30", 30 * 86_400), ("6h", 21_600), ("1y", 31_557_600)],
)
def test_time_spans(span: str, expected: int) -> None:
    assert seconds(span) == expected


@pytest.mark.parametrize("span", ["100y", "1h", "36525d", "0001h"])
def test_time_spans_from_an_hour_to_a_hundred_years_are_taken(span: str) -> None:
    assert parse(f"active:{span}").filters[0].values == (span,)


@pytest.mark.parametrize("span", ["0", "0y", "101y", "36526d", "9" * 900, "9" * 900 + "h"])
def test_other_time_spans_are_named_with_the_bounds(span: str) -> None:
    with pytest.raises(UsageError, match="a time for active:") as caught:
        parse(f"active:{span}", typing=True)
    assert "from 1h to 100y" in caught.value.detail
    assert len(caught.value.title) < 90


@pytest.mark.parametrize("span", ["", "d", "-3d", "1.5d", "x", "٣d", "²d", "3 d"])
def test_what_is_no_time_span(span: str) -> None:
    assert seconds(span) is None


def test_an_endless_search_is_cut() -> None:
    query = parse("word " * 100_000)
    assert len(query.words) == 16


def test_pieces_know_where_they_stand() -> None:
    text = 'a -topic:"x y" "b c'
    assert [(text[each.start : each.end], each.value) for each in pieces(text)] == [
        ("a", "a"),
        ('-topic:"x y"', "x y"),
        ('"b c', "b c"),
    ]


@pytest.mark.parametrize(
    ("text", "signed"),
    [
        ("C++", ["c++"]),
        ("C#, F# and C++17.", ["c#", "f#", "c++"]),
        ("For .NET. (.Net too)", [".net"]),
        ("ASP.NET node.js ./run .github/workflows a/.b ... v1.2", []),
        ("a+b repo#12 #7 ++ C+++ +x", []),
        (".gitignore", [".gitignore"]),
        ("", []),
    ],
)
def test_words_that_their_signs_tell_from_others(text: str, signed: list[str]) -> None:
    assert sorted(words.signed(text)) == sorted(signed)


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("retry \U0001f423", "\U0001f423 is left out: it has neither letters nor digits"),
        ("*", "* is left out: it has neither letters nor digits"),
        ("w " * 17, "Only the first 16 words are looked for"),
        ("a" * 1_001, "Only the first 1,000 characters are looked for"),
        ("retry - -- lang:go -x", None),
        ("", None),
    ],
)
def test_what_is_not_looked_for_is_said(text: str, remark: str | None) -> None:
    assert parse(text).remark == remark
    assert parse("retry (", typing=True).remark is None, "somebody goes on"
