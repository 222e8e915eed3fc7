"""Beginning a contribution to a project: which issue?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from isexplore.journey.store import Journey
from isexplore.models import ProjectRef
from isexplore.reading.facts import Reading
from isexplore.tui.screens.bookmarks import BookmarksScreen
from isexplore.tui.screens.dialogs import ConfirmDialog, PickDialog
from isexplore.tui.screens.explore import ExploreScreen
from isexplore.tui.screens.journey import JourneyScreen
from isexplore.updates import sync
from tests.support.practice import MARA_TOKEN
from tests.support.world import at_the_screen, fill_catalog, practice_world


async def test_a_project_offers_its_first_issues_before_a_contribution_begins(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services, size=(80, 24)) as person:
            await person.sees_words("tools/alpha")
            await person.press("slash", *"alpha", "enter", "c")
            await person.sees_words(
                "Which issue of tools/alpha do you want to solve?", "#1 Explain the back-off"
            )
            await person.sees_words("free", "Without an issue", "a change of your own")
            await person.press("escape")
            await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
            assert world.services.journey_store.list() == []

            await person.press("c")
            await person.until(lambda: isinstance(person.app.screen, PickDialog))
            await person.press("enter")
            await person.until(lambda: isinstance(person.app.screen, JourneyScreen))
            assert [one.issue for one in world.services.journey_store.list()] == [1]


async def test_an_issue_that_is_no_longer_in_sight_is_not_begun_unasked(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services, size=(80, 24)) as person:
            await person.sees_words("tools/alpha")
            await person.press("slash", *"alpha", "enter", "enter")
            preview = await person.has_read()
            preview.show_tab("Issues")
            await person.until(lambda: preview.issue_number is not None)
            await person.press("escape")
            await person.until(lambda: not preview.display)
            await person.press("c")
            await person.until(lambda: isinstance(person.app.screen, PickDialog))
            await person.press("escape", "enter")
            await person.until(lambda: preview.display)
            await person.press("c")
            await person.until(lambda: isinstance(person.app.screen, JourneyScreen))
            assert [one.issue for one in world.services.journey_store.list()] == [1]


async def test_a_change_without_an_issue_is_one_of_the_answers(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services) as person:
            await person.press("slash", *"alpha", "enter", "c")
            await person.until(lambda: isinstance(person.app.screen, PickDialog))
            await person.press(*"without", "enter")
            await person.until(lambda: isinstance(person.app.screen, JourneyScreen))
            assert [one.issue for one in world.services.journey_store.list()] == [None]


async def test_an_issue_that_was_taken_meanwhile_is_begun_only_when_that_is_meant(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        notes = "/projects/tools%2Falpha/issues/1/notes"
        world.forge.ask(notes, method="POST", data={"body": "I'll take it"}, token=MARA_TOKEN)
        async with at_the_screen(world.services, size=(80, 24)) as person:
            await person.press("slash", *"alpha", "enter", "c")
            await person.until(lambda: isinstance(person.app.screen, PickDialog))
            await person.press("enter")
            await person.sees_words("Issue #1 is probably taken. Begin all the same?", "@mara")
            await person.press("n")
            await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
            assert world.services.journey_store.list() == []
            await person.press("c")
            await person.until(lambda: isinstance(person.app.screen, PickDialog))
            await person.press("enter")
            await person.until(lambda: isinstance(person.app.screen, ConfirmDialog))
            await person.press("y")
            await person.until(lambda: isinstance(person.app.screen, JourneyScreen))
            assert [one.issue for one in world.services.journey_store.list()] == [1]


async def test_a_project_that_was_never_looked_at_is_read_before_its_issues_are_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with practice_world(tmp_path) as world:
        await sync(world.services, looks=0)
        world.services.reopen_catalog()
        answered, read = asyncio.Event(), world.services.read

        async def slowly(ref: ProjectRef, *, again: bool = False) -> Reading:
            await answered.wait()
            return await read(ref, again=again)

        monkeypatch.setattr(world.services, "read", slowly)
        async with at_the_screen(world.services, size=(80, 24)) as person:
            await person.press("slash", *"alpha", "enter", "c")
            await person.sees_words("Reading tools/alpha: which of its issues are good to start with?")
            assert world.services.journey_store.list() == []
            answered.set()
            await person.sees_words(
                "Which issue of tools/alpha do you want to solve?", "#1 Explain the back-off"
            )


async def test_nothing_is_begun_for_somebody_who_went_elsewhere_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with practice_world(tmp_path) as world:
        await sync(world.services, looks=0)
        world.services.reopen_catalog()
        answered, read = asyncio.Event(), world.services.read

        async def slowly(ref: ProjectRef, *, again: bool = False) -> Reading:
            await answered.wait()
            return await read(ref, again=again)

        monkeypatch.setattr(world.services, "read", slowly)
        async with at_the_screen(world.services, size=(80, 24)) as person:
            await person.press("slash", *"alpha", "enter", "c")
            await person.sees_words("Reading tools/alpha")
            await person.press("4")
            await person.sees_words("No bookmarks yet")
            answered.set()
            await person.sees_words("tools/alpha was not begun")
            assert isinstance(person.app.screen, BookmarksScreen)
            assert world.services.journey_store.list() == []


async def test_no_question_about_a_taken_issue_comes_where_somebody_does_something_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        notes = "/projects/tools%2Falpha/issues/1/notes"
        world.forge.ask(notes, method="POST", data={"body": "I'll take it"}, token=MARA_TOKEN)
        answered, begin = asyncio.Event(), world.services.begin

        async def slowly(ref: ProjectRef, issue: int | None = None, **more: Any) -> Journey:
            await answered.wait()
            return await begin(ref, issue, **more)

        monkeypatch.setattr(world.services, "begin", slowly)
        async with at_the_screen(world.services, size=(80, 24)) as person:
            await person.press("slash", *"alpha", "enter", "c")
            await person.until(lambda: isinstance(person.app.screen, PickDialog))
            await person.press("enter")
            await person.sees_words("Asking practice about tools/alpha #1...")
            await person.press("4")
            await person.sees_words("No bookmarks yet")
            answered.set()
            await person.sees_words("tools/alpha was not begun", "Issue #1 is probably taken")
            assert isinstance(person.app.screen, BookmarksScreen)
            assert world.services.journey_store.list() == []
