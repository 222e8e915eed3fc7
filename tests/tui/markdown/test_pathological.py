"""Documents made to stop a viewer: bounded work per step, bounded output, nothing lost."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from isexplore.tui.markdown import Document
from isexplore.tui.markdown.document import LONG_LINE
from isexplore.tui.markdown.pieces import LONGEST_PIECE, LONGEST_RAW, pieces
from tests.support.documents import PATHOLOGICAL

WIDTH = 80
READ = 2 * max(LONGEST_PIECE, LONGEST_RAW)
"""Characters that are read: many pieces; what comes after them is more of the same."""


@pytest.mark.parametrize("name", PATHOLOGICAL)
def test_a_document_is_shown_in_bounded_steps(name: str) -> None:
    text = PATHOLOGICAL[name][:READ]
    document = Document(text)
    steps = lines = laid = 0
    while not document.complete:
        found = document.next_blocks()
        # A step is what the screen waits for: a few blocks, of a piece of text of bounded size.
        assert len(found) <= 12
        steps += 1
        for block in found:
            laid += 1
            made = document.lines(block, WIDTH)
            assert len(made) <= 2 * LONGEST_RAW
            lines += len(made)
            assert all(cell_len(line.text) <= WIDTH for line in made)
    size = len(text)
    assert steps <= size
    assert lines <= size + 10
    assert laid == len(document.blocks)


@pytest.mark.parametrize("name", PATHOLOGICAL)
def test_pieces_are_small_and_hold_every_line_once(name: str) -> None:
    lines = [line[:LONG_LINE] for line in PATHOLOGICAL[name].splitlines()]
    following = 1
    for piece in pieces(lines):
        assert piece.first == following
        following += len(piece.lines)
        size = sum(len(line) + 1 for line in piece.lines)
        assert (
            size - len(piece.lines[-1]) <= max(LONGEST_PIECE, LONGEST_RAW) + LONG_LINE
            or piece.kind != "markdown"
        )
    assert following == len(lines) + 1


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in PATHOLOGICAL
        if name not in ("nested list", "table with marks", "reference definitions", "comment without end")
    ],
)
def test_letters_are_not_lost(name: str) -> None:
    """Markup may go, but a letter that was there must be there still."""
    text = PATHOLOGICAL[name][:20_000]
    document = Document(text)
    seen: set[str] = set()
    while not document.complete:
        for block in document.next_blocks():
            seen |= set("".join(line.text for line in document.lines(block, WIDTH)))
    if name in (
        "tags",
        "quotes in tags",
        "html",
        "links",
        "images",
        "references",
        "entities",
        "link openers",
    ):
        assert seen
        return
    wanted = {char for char in text if char.isalnum()} - set("python")
    assert wanted <= seen


def test_deep_nesting_is_shown_as_text() -> None:
    document = Document(">" * 200 + " deep\n\n" + "- " * 200 + "deeper\n\nafter")
    text = ""
    while not document.complete:
        for block in document.next_blocks():
            text += "\n".join(line.text for line in document.lines(block, WIDTH)) + "\n"
    assert "deep" in text
    assert "deeper" in text
    assert "after" in text
