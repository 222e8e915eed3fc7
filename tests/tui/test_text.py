"""Text on the screen: cells, cutting, highlighting, and the net behind every widget."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content

from isexplore.tui.opening import sparkline
from isexplore.tui.text import (
    SafeFilter,
    cells,
    content,
    cut,
    cut_spans,
    highlight,
    safe,
)
from tests.support.tui import CRASH_STRINGS, TERMINAL_PAYLOADS, forbidden

FAMILY = "👨‍👩‍👧‍👦"
BLACK = Color.parse("black")


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("é", 1), ("e\u0301", 1), ("字", 2), ("🚀", 2), (FAMILY, 2), ("❤️", 2), ("", 0)],
)
def test_cells(text: str, width: int) -> None:
    assert cells(text) == width


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("short", 10, "short"),
        ("exactly", 7, "exactly"),
        ("one too many", 11, "one too..."),
        ("abcdef", 3, "..."),
        ("abcdef", 2, ".."),
        ("abcdef", 0, ""),
        ("字字字字", 6, "字..."),
        (f"{FAMILY}{FAMILY}{FAMILY}", 5, f"{FAMILY}..."),
    ],
)
def test_cut_says_that_something_is_missing(text: str, width: int, expected: str) -> None:
    assert cut(text, width) == expected


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=60), st.integers(0, 30)
)
def test_cut_fits(text: str, width: int) -> None:
    assert cells(cut(text, width)) <= width


def test_cut_spans_keeps_styles_and_marks_the_cut() -> None:
    assert cut_spans([("payments", "title"), (" retry queue", "muted")], 14) == [
        ("payments", "title"),
        (" re...", "muted"),
    ]
    assert cut_spans([("abc", "x")], 3) == [("abc", "x")]
    assert sum(cells(text) for text, _ in cut_spans([("abcdef", ""), ("字字", "")], 5)) <= 5


def test_highlight_marks_beginnings_of_words_in_any_case() -> None:
    assert highlight("Retry queue, no retries", ["retr"], plain="muted") == [
        ("Retr", "match"),
        ("y queue, no ", "muted"),
        ("retr", "match"),
        ("ies", "muted"),
    ]
    assert highlight("a (b", ["(b"]) == [("a ", ""), ("(b", "match")]
    assert highlight("fret", ["ret"]) == [("fret", "")]
    assert highlight("plain", []) == [("plain", "")]


def test_sparkline() -> None:
    assert sparkline([0, 1, 2, 7]) == "▁▂▃█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""


@pytest.mark.parametrize("words", CRASH_STRINGS)
def test_content_reads_no_markup(words: str) -> None:
    built = content(words, (words, "bold"), Content(words))
    assert built.plain == words * 3
    assert [span.style for span in built.spans] == ["bold"]


@pytest.mark.parametrize("payload", TERMINAL_PAYLOADS)
def test_content_is_cleaned(payload: str) -> None:
    # Characters that Unicode has not assigned yet do nothing; the net behind the widgets takes them.
    left = forbidden(content(payload, (payload, "bold"), Content(payload)).plain)
    assert {char for char in left if unicodedata.category(char) != "Cn"} == set()


@given(st.text())
def test_safe_leaves_nothing_that_acts_on_a_terminal(text: str) -> None:
    kept = safe(text)
    assert forbidden(kept.replace("\n", "")) == set()
    assert safe(kept) == kept


@pytest.mark.parametrize("text", ["plain", FAMILY, "字é❤️", "a\u00a0b\u3000c", "e\u0301"])
def test_safe_leaves_harmless_text_alone(text: str) -> None:
    assert safe(text) == text


def test_safe_keeps_the_width() -> None:
    assert safe("a\ue000b") == "a\N{REPLACEMENT CHARACTER}b"
    assert safe("a\x1bb\u202ec") == "abc"


def test_the_net_returns_clean_lines_untouched() -> None:
    segments = [Segment("plain ", Style(bold=True)), Segment("字")]
    assert SafeFilter().apply(segments, BLACK) is segments


def test_the_net_drops_escapes_and_hostile_links() -> None:
    style = Style(bold=True, link="https://e.vil/\x1b]0;PWN\x07")
    filtered = SafeFilter().apply(
        [Segment("a\x1b[2Jb", style), Segment("ok", Style(link="https://fine"))], BLACK
    )
    assert [segment.text for segment in filtered] == ["a[2Jb", "ok"]
    assert filtered[0].style is not None
    assert filtered[0].style.link is None
    assert filtered[0].style.bold
    assert filtered[1].style is not None
    assert filtered[1].style.link == "https://fine"
