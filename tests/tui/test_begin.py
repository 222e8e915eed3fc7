"""Beginning a contribution to a project: which issue?"""

from __future__ import annotations

from pathlib import Path

from isexplore.tui.screens.dialogs import ConfirmDialog, PickDialog
from isexplore.tui.screens.explore import ExploreScreen
from isexplore.tui.screens.journey import JourneyScreen
from tests.support.practice import MARA_TOKEN
from tests.support.world import at_the_screen, fill_catalog, practice_world


async def test_a_project_offers_its_first_issues_before_a_contribution_begins(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services, size=(80, 24)) as person:
            await person.sees_words("tools/alpha")
            await person.press("slash", *"alpha", "enter", "c")
            await person.sees_words("Which issue do you want to solve?", "#1 Explain the back-off")
            await person.sees_words("free", "Without an issue", "a change of your own")
            await person.press("escape")
            await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
            assert world.services.journey_store.list() == []

            await person.press("c")
            await person.until(lambda: isinstance(person.app.screen, PickDialog))
            await person.press("enter")
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
