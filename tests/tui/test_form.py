"""Questions and answers: what a reader can tell without colours, and which end of a long answer is in sight."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from isexplore.tui.widgets.form import Field, Form
from tests.support.tui import HostApp, frame, settle


async def test_yes_and_no_are_told_apart_without_colours() -> None:
    app = HostApp(
        lambda: Form((Field("draft", "As a draft", "yesno"), Field("sign", "Sign off", "yesno", True)))
    )
    async with app.run_test(size=(60, 10)) as pilot:
        await settle(pilot)
        assert "[ ] As a draft" in frame(app)
        assert "[x] Sign off" in frame(app)
        app.query_one(Form).focus_first()
        await pilot.press("space")
        await settle(pilot)
        assert "[x] As a draft" in frame(app)
        assert app.query_one(Form).values() == {"draft": True, "sign": True}


async def test_the_end_of_a_long_folder_is_in_sight() -> None:
    folder = str(Path("/home/nia", *(f"a-long-name-{number}" for number in range(8)), "retry-queue"))
    app = HostApp(lambda: Form((Field("folder", "Clone into", "folder", folder),)))
    async with app.run_test(size=(50, 10)) as pilot:
        await settle(pilot)
        assert "retry-queue" in frame(app)
        assert app.query_one(Input).value == folder
