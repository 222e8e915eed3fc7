"""No key is silent: what it cannot do now, it says, with what can be done instead."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from isexplore.errors import StateError
from isexplore.journey.runner import Journeys
from isexplore.journey.store import Journey
from isexplore.tui.journey_text import why_not
from isexplore.tui.messages import StepFinished
from isexplore.tui.screens.explore import ExploreScreen
from isexplore.tui.screens.journey import JourneyScreen
from isexplore.tui.widgets.bars import StatusLine
from isexplore.tui.widgets.document import DocumentView
from tests.support.world import Person, at_the_screen, fill_catalog, practice_world, services_for

DEAD = "http://127.0.0.1:9"


async def answers(person: Person, key: str, *words: str) -> None:
    """Press a key; the line below the list has these words then, whatever stood there before."""
    person.app.screen.query_one(StatusLine).say("")
    await person.press(key)
    await person.sees_words(*words)


async def test_an_empty_list_says_what_fills_it(tmp_path: Path) -> None:
    async with at_the_screen(services_for(tmp_path, DEAD, "token")) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen) and not person.app.refreshing)
        for key in ("c", "b", "o", "y", "w", "F", "enter", "right_square_bracket"):
            await answers(person, key, "The list is empty: r asks the forges.")
        await person.press("2")
        await person.sees_words("0 first issues")
        for key in ("c", "enter", "space", "o", "y"):
            await answers(person, key, "The list is empty: r asks the forges.")
        await person.press("3")
        await person.sees_words("You have not begun a contribution yet.")
        for key in ("enter", "o", "d"):
            await answers(person, key, "There is no contribution yet")
        await person.press("4")
        await person.sees_words("No bookmarks yet.")
        for key in ("c", "n", "d", "enter", "o", "r"):
            await answers(person, key, "There is no bookmark yet")


async def test_a_key_without_a_meaning_points_to_the_help_and_escape_to_the_way_out(tmp_path: Path) -> None:
    async with at_the_screen(services_for(tmp_path, DEAD, "token")) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen) and not person.app.refreshing)
        for mode in "1234":
            await person.press(mode)
            await answers(person, "Z", "Z does nothing here; ? names the keys.")
            await answers(person, "percent_sign", "% does nothing here; ? names the keys.")
            await answers(person, "escape", "1 2 3 4 go elsewhere, q quits.")
            await answers(person, "ctrl+c", "ctrl+q quits")


async def test_a_document_says_what_it_does_not_have(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services) as person:
            preview = await person.has_read()
            view = preview.query_one(DocumentView)
            view.show("Words only.")
            view.focus()
            for key in ("n", "p", "enter"):
                await answers(person, key, "There is no link here.")
            await answers(person, "right_curly_bracket", "There is no heading below.")
            await answers(person, "t", "There are no headings to choose from.")
            await answers(person, "m", "All of it is here.")
            view.show("A [link](README.md).")
            await answers(person, "enter", "n goes to a link, which enter then opens.")


async def test_a_contribution_without_a_clone_says_so(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        journey = world.services.journey_store.start(
            Journey(id="", forge="practice", project="tools/alpha", issue=1), lambda known: False
        )
        async with at_the_screen(world.services) as person:
            await person.press("3", "enter")
            await person.until(lambda: isinstance(person.app.screen, JourneyScreen))
            await person.sees_words("▸ claim", "enter Run")
            for key in ("e", "s"):
                await answers(person, key, "There is no clone yet: the step clone makes it.")
            await answers(person, "ctrl+x", "Nothing runs that could be stopped.")
            assert journey.id


@pytest.mark.parametrize("action", ["run", "editor", "shell", "open_page", "cancel"])
def test_every_key_of_a_contribution_has_a_reason(action: str) -> None:
    assert why_not(action, None, None, looked=True)
    assert why_not(action, None, None, looked=False)
    assert why_not(action, "clone", None, looked=True) == "Running: clone; ctrl+x stops it."
    assert why_not(action, None, "push", looked=True) == "Getting push ready; esc gives up."


async def test_refreshing_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_the_screen(services_for(tmp_path, DEAD, "token")) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen) and not person.app.refreshing)
        monkeypatch.setattr(person.app, "_refresh_catalog", lambda: None)
        await answers(person, "r", "Asking the forges what is new...")
        await answers(person, "r", "The forges are being asked already")


async def test_after_a_step_the_key_that_runs_waits_until_it_is_known_how_things_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        world.services.journey_store.start(
            Journey(id="", forge="practice", project="tools/alpha", issue=1), lambda known: False
        )
        async with at_the_screen(world.services) as person:
            await person.press("3", "enter")
            await person.sees_words("▸ claim", "enter Run")
            answered, journeys_for = asyncio.Event(), world.services.journeys_for

            async def slowly(journey: Journey) -> Journeys:
                await answered.wait()
                return await journeys_for(journey)

            monkeypatch.setattr(world.services, "journeys_for", slowly)
            screen = person.app.screen
            assert isinstance(screen, JourneyScreen)
            screen.post_message(StepFinished("claim", None))
            await person.sees_words("Ran claim; looking at how everything stands now...")
            assert "enter Run" not in person.words
            await answers(person, "enter", "still being looked at")
            answered.set()
            await person.sees_words("enter Run")


async def test_a_contribution_that_cannot_be_taken_off_the_list_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = services_for(tmp_path, DEAD, "token")
    services.journey_store.start(
        Journey(id="", forge="practice", project="tools/alpha", issue=1), lambda known: False
    )

    def full(journey_id: str) -> None:
        raise StateError("It stays on the list", "No space left on device", "Make room, then try again")

    monkeypatch.setattr(services.journey_store, "forget", full)
    async with at_the_screen(services) as person:
        await person.press("3")
        await person.sees_words("tools/alpha #1")
        await person.press("d")
        await person.sees_words("Take tools/alpha off this list?")
        await person.press("y")
        await person.sees_words("It stays on the list. No space left on device.")
