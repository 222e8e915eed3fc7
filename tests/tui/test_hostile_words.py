"""Strangers' words in bookmarks, in contributions and in every dialog: shown as they are, doing nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.screen import ModalScreen

from isexplore.models import ProjectRef
from isexplore.services import Journey
from isexplore.tui.screens.contributions import contribution_row
from isexplore.tui.screens.dialogs import AskDialog, ChoiceDialog, ConfirmDialog, MessageDialog, PickDialog
from isexplore.tui.widgets.form import Field
from isexplore.tui.widgets.rows import ListRows, RowList
from tests.support.tui import CRASH_STRINGS, TERMINAL_PAYLOADS, HostApp, forbidden, frame, settle
from tests.support.world import at_the_screen, services_for

HOSTILE = (
    *CRASH_STRINGS,
    "|".join(text for text in TERMINAL_PAYLOADS if "\x00" not in text and "\ud800" not in text),
)
DIALOGS: tuple[Callable[[str], ModalScreen[Any]], ...] = (
    lambda text: AskDialog(
        text, (Field("a", text, help=text, default=text),), text=text, accept="Go", error=text
    ),
    lambda text: PickDialog(text, [text], details={text: text}),
    lambda text: ChoiceDialog(text, [("a", text, text)], text=text),
    lambda text: ConfirmDialog(text, text),
    lambda text: MessageDialog(text, text),
)


@pytest.mark.parametrize("make", DIALOGS, ids=["ask", "pick", "choice", "confirm", "message"])
async def test_no_dialog_obeys_what_it_shows(make: Callable[[str], ModalScreen[Any]]) -> None:
    app = HostApp()
    async with app.run_test(size=(70, 24)) as pilot:
        for text in HOSTILE:
            await app.push_screen(make(text))
            await settle(pilot)
            assert not forbidden(frame(app)), text
            await pilot.press("escape")
            assert app.is_running


async def test_bookmarks_show_notes_of_any_kind(tmp_path: Path) -> None:
    services = services_for(tmp_path, "http://127.0.0.1:9", "t")
    for number, text in enumerate(HOSTILE):
        services.bookmarks.add(
            ProjectRef("practice", f"tools/p{number}"), note=text, tags=(text.replace(" ", ""),)
        )
    async with at_the_screen(services) as person:
        await person.press("4")
        await person.sees_words("tools/p0")
        for _ in HOSTILE:
            await person.press("down")
            assert not forbidden(frame(person.app))


async def test_contributions_show_titles_of_any_kind() -> None:
    journeys = [
        Journey(
            id=f"j{number}", forge="f", project=f"tools/p{number}", project_id="1", issue=1, issue_title=text
        )
        for number, text in enumerate(HOSTILE)
    ]
    rows = RowList(row_height=3)
    app = HostApp(rows)
    async with app.run_test(size=(100, 120)) as pilot:
        rows.set_rows(ListRows(journeys, lambda journey: contribution_row(journey, None)))
        await settle(pilot)
        assert "tools/p3" in frame(app)
        assert not forbidden(frame(app))
