"""Finding words in a document, and its outline, by keys."""

from __future__ import annotations

from isexplore.tui.screens.document_dialogs import FindDialog, OutlineDialog
from isexplore.tui.widgets.document import DocumentView
from tests.support.tui import HostApp, frame, settle

TEXT = "\n\n".join(
    ["# Guide", *(f"## Part {number}\n\n" + "words " * 40 + f"needle{number}" for number in range(12))]
)


async def test_slash_finds_words_while_they_are_typed_and_n_goes_on() -> None:
    view = DocumentView()
    app = HostApp(view)
    async with app.run_test(size=(60, 16)) as pilot:
        view.show(TEXT, title="GUIDE.md")
        view.focus()
        await settle(pilot)
        await pilot.press("slash", *"needle")
        await settle(pilot)
        assert isinstance(app.screen, FindDialog)
        assert "1 of 12 hits" in frame(app)
        await pilot.press("enter")
        await settle(pilot)
        first = view.top_line
        await pilot.press("n", "n", "n", "n")
        await settle(pilot)
        assert view.match_number == 5
        assert view.top_line > first


async def test_escape_forgets_the_words() -> None:
    view = DocumentView()
    app = HostApp(view)
    async with app.run_test(size=(60, 16)) as pilot:
        view.show(TEXT)
        view.focus()
        await pilot.press("slash", *"needle9", "escape")
        await settle(pilot)
        assert app.screen.query_one(DocumentView) is view
        assert view.match_number == 0


async def test_the_outline_goes_to_a_heading() -> None:
    view = DocumentView()
    app = HostApp(view)
    async with app.run_test(size=(60, 16)) as pilot:
        view.show(TEXT, title="GUIDE.md")
        view.focus()
        await settle(pilot)
        await pilot.press("t")
        await settle(pilot)
        assert isinstance(app.screen, OutlineDialog)
        await pilot.press("G", "enter")
        await settle(pilot)
        assert "Part 11" in frame(app)
        assert "Part 2" not in frame(app)
