"""First issues: reading one is not disturbed by what is asked meanwhile."""

from __future__ import annotations

from pathlib import Path

from isexplore.tui.catalog_rows import FoundIssueRows
from isexplore.tui.screens.first_issues import FirstIssuesScreen
from isexplore.tui.screens.help import HelpScreen
from isexplore.tui.widgets.document import DocumentView
from isexplore.tui.widgets.rows import RowLine
from tests.support.world import at_the_screen, fill_catalog, practice_world, services_for


async def test_a_dialog_leaves_the_issue_that_is_read_as_it_is(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services, size=(80, 24)) as person:
            await person.press("2")
            await person.sees_words("Explain the back-off")
            await person.press("space")
            await person.sees_words("by @mara", "Please.")
            screen = person.app.screen
            assert isinstance(screen, FirstIssuesScreen)
            document = screen.query_one(DocumentView)._document
            await person.press("question_mark")
            await person.until(lambda: isinstance(person.app.screen, HelpScreen))
            await person.press("escape")
            await person.until(lambda: person.app.screen is screen)
            screen._resting.now()
            assert screen.query_one(DocumentView)._document is document
            await person.press("escape", "r")
            await person.until(lambda: screen.query_one(DocumentView)._document is not document)


async def test_what_matches_the_search_is_marked(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        await world.services.disconnect()
        rows = FoundIssueRows(world.services.first_issues("explain alpha"), world.services)
        head, where, _ = rows.row(0).lines
    assert isinstance(head, RowLine)
    assert ("Explain", "match") in head.left
    assert not isinstance(where, RowLine)
    assert ("alpha", "match") in where


async def test_a_page_that_an_issue_links_to_is_opened_once_its_host_was_confirmed(tmp_path: Path) -> None:
    async with at_the_screen(services_for(tmp_path, "http://127.0.0.1:9", "t", refresh_after=1e12)) as person:
        await person.press("2")
        await person.until(lambda: isinstance(person.app.screen, FirstIssuesScreen))
        screen = person.app.screen
        assert isinstance(screen, FirstIssuesScreen)
        await person.sees_words("r tries again")
        # Nothing is left that would show another text meanwhile.
        await person.until(lambda: not person.app.refreshing and screen._resting._at is None)
        view = screen.query_one(DocumentView)
        view.show("See [the notes](https://notes.example/x).")
        view.focus()
        view.action_next()
        view.action_open_link()
        await person.sees_words("Open a page of notes.example?", "https://notes.example/x")
