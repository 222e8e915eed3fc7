"""First issues: reading one is not disturbed by what is asked meanwhile."""

from __future__ import annotations

from pathlib import Path

from isexplore.tui.screens.first_issues import FirstIssuesScreen
from isexplore.tui.screens.help import HelpScreen
from isexplore.tui.widgets.document import DocumentView
from tests.support.world import at_the_screen, fill_catalog, practice_world


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
