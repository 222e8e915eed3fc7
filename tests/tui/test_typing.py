"""Keys that do something elsewhere are letters while somebody types."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from isexplore.catalog.store import Account
from isexplore.tui.screens.dialogs import AskDialog
from isexplore.tui.screens.explore import ExploreScreen
from isexplore.tui.screens.help import HelpScreen
from isexplore.tui.widgets.rows import RowList
from isexplore.tui.widgets.search_bar import SearchBar
from tests.support.catalog import fill, made_up
from tests.support.world import at_the_screen, services_for

DEAD = "http://127.0.0.1:9"
ACCOUNT = Account("practice", "practice", "nia")


async def test_modes_and_quit_are_letters_in_the_search_bar(tmp_path: Path) -> None:
    async with at_the_screen(services_for(tmp_path, DEAD, "t")) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        await person.press("slash", *"q2b1c?", "slash")
        assert person.app.screen.query_one(SearchBar).value == "q2b1c?/"
        assert person.app.current_mode == "explore"
        assert person.app.is_running
        await person.press("escape")
        await person.press("2")
        assert person.app.current_mode == "first_issues"


async def test_escape_leaves_the_search_and_then_clears_it(tmp_path: Path) -> None:
    async with at_the_screen(services_for(tmp_path, DEAD, "t")) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        await person.press("slash", *"go", "escape")
        bar = person.app.screen.query_one(SearchBar)
        assert (bar.value, bar.has_focus) == ("go", False)
        await person.press("escape")
        assert bar.value == ""


async def test_a_second_search_takes_the_place_of_the_first(tmp_path: Path) -> None:
    async with at_the_screen(services_for(tmp_path, DEAD, "t")) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        bar = person.app.screen.query_one(SearchBar)
        await person.press("slash", *"handbook", "enter", "slash", *"tea")
        assert bar.value == "tea"
        await person.press("enter", "slash", "right", *" pot")
        assert bar.value == "tea pot"
        await person.press("escape")
        assert bar.selection.is_empty


async def test_the_hint_below_a_search_without_a_hit_names_the_keys_that_work_there(tmp_path: Path) -> None:
    services = services_for(tmp_path, DEAD, "t", refresh_after=1e12)
    fill(services.paths.catalog_dir, made_up(20), account=ACCOUNT)
    async with at_the_screen(services, size=(100, 24)) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        await person.press("slash", *"xyzzyx")
        await person.sees_words("Nothing in the catalog matches.", "esc, then f asks the forge.")
        await person.press("enter")
        await person.sees_words("f asks the forge; / searches anew.")
        assert "esc, then f" not in person.words


async def test_modes_and_quit_are_letters_in_a_dialog(tmp_path: Path) -> None:
    services = services_for(tmp_path, DEAD, "t")
    async with at_the_screen(services) as person:
        await person.press("4")
        from isexplore.tui.widgets.form import Field

        person.app.push_screen(AskDialog("Title", (Field("a", "A"),)))
        await person.until(lambda: isinstance(person.app.focused, Input))
        await person.press(*"q3c")
        assert isinstance(person.app.focused, Input)
        assert person.app.focused.value == "q3c"
        assert person.app.current_mode == "bookmarks"


@pytest.mark.parametrize("mode", ["1", "2", "3", "4"])
async def test_every_screen_has_help_of_its_own(tmp_path: Path, mode: str) -> None:
    async with at_the_screen(services_for(tmp_path, DEAD, "t"), size=(80, 24)) as person:
        await person.press(mode)
        title = person.app.screen.HELP_TITLE  # type: ignore[attr-defined]
        keys = person.app.screen.KEYS  # type: ignore[attr-defined]
        await person.press("question_mark")
        await person.until(lambda: isinstance(person.app.screen, HelpScreen))
        await person.sees_words(title, "esc closes this")
        assert keys[0].tip in person.words
        await person.press("escape")
        await person.until(lambda: not isinstance(person.app.screen, HelpScreen))


async def test_the_help_names_the_keys_of_the_documents_that_a_screen_shows(tmp_path: Path) -> None:
    async with at_the_screen(services_for(tmp_path, DEAD, "t"), size=(100, 120)) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        await person.press("question_mark")
        await person.sees_words("Find words in the document", "Go to one of its headings")


async def test_keys_that_come_with_the_one_that_leaves_the_search_are_for_the_list(tmp_path: Path) -> None:
    services = services_for(tmp_path, DEAD, "t", refresh_after=1e12)
    fill(services.paths.catalog_dir, made_up(300), account=Account("practice", "practice", "nia"))
    async with at_the_screen(services) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        for key in ["/", "k", "i", "t", "\r", "j", "j"]:
            person.app.post_message(events.Key({"/": "slash", "\r": "enter"}.get(key, key), key))
        rows = person.app.screen.query_one(RowList)
        await person.until(lambda: rows.has_focus and rows.cursor == 2)
        assert person.app.screen.query_one(SearchBar).value == "kit"
