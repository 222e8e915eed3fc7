"""Bookmarks: what is beside the list, the way to its tabs, and a note that cannot be kept."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from isexplore.errors import StateError
from isexplore.models import ProjectRef
from isexplore.reading.facts import Reading
from isexplore.tui.screens.bookmarks import BookmarksScreen
from isexplore.tui.screens.journey import JourneyScreen
from tests.support.world import at_the_screen, fill_catalog, practice_world

ALPHA, BETA = ProjectRef("practice", "tools/alpha"), ProjectRef("practice", "tools/beta")


async def test_an_issue_of_a_bookmark_is_found_by_keys_and_begun_with(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        world.services.bookmarks.add(ALPHA)
        async with at_the_screen(world.services) as person:
            await person.press("4")
            await person.until(lambda: isinstance(person.app.screen, BookmarksScreen))
            await person.has_read()
            await person.press(*["right_square_bracket"] * 3)
            await person.sees_words("#1 Explain the back-off")
            await person.press("enter")
            await person.sees_words("enter Take it")
            await person.press("enter")
            await person.until(lambda: isinstance(person.app.screen, JourneyScreen))
            assert [one.issue for one in world.services.journey_store.list()] == [1]


async def test_a_contribution_begins_with_the_issue_that_is_read(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        world.services.bookmarks.add(ALPHA)
        async with at_the_screen(world.services) as person:
            await person.press("4")
            await person.until(lambda: isinstance(person.app.screen, BookmarksScreen))
            await person.has_read()
            await person.press(*["right_square_bracket"] * 3)
            await person.sees_words("#1 Explain the back-off")
            await person.press("c")
            await person.until(lambda: isinstance(person.app.screen, JourneyScreen))
            assert [one.issue for one in world.services.journey_store.list()] == [1]


async def test_no_project_is_shown_under_the_name_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        world.services.bookmarks.add(ALPHA)
        world.services.bookmarks.add(BETA)
        answered, read = asyncio.Event(), world.services.read

        async def slowly(ref: ProjectRef, *, again: bool = False) -> Reading:
            if ref == BETA:
                await answered.wait()
            return await read(ref, again=again)

        monkeypatch.setattr(world.services, "read", slowly)
        async with at_the_screen(world.services) as person:
            await person.press("4")
            await person.until(lambda: isinstance(person.app.screen, BookmarksScreen))
            await person.press("end" if world.services.bookmarks.list()[-1].ref == ALPHA else "home")
            await person.sees_words("A small library for retries")
            await person.press("home" if world.services.bookmarks.list()[-1].ref == ALPHA else "end")
            await person.until(lambda: "Reading it from practice" in person.words)
            assert "A small library for retries" not in person.words


async def test_a_note_that_cannot_be_kept_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        world.services.bookmarks.add(ALPHA)

        def full(*_: Any, **__: Any) -> None:
            raise StateError("The note was not kept", "No space left on device", "Make room, then try again")

        monkeypatch.setattr(world.services.bookmarks, "add", full)
        async with at_the_screen(world.services) as person:
            await person.press("4")
            await person.sees_words("tools/alpha")
            await person.press("n", *"later", "tab", "ctrl+s")
            await person.sees_words("The note was not kept. No space left on device.")


async def test_a_bookmark_that_is_removed_while_it_is_read_leads_back_to_the_list(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        world.services.bookmarks.add(ALPHA)
        async with at_the_screen(world.services, size=(80, 24)) as person:
            await person.press("4")
            await person.until(lambda: isinstance(person.app.screen, BookmarksScreen))
            await person.has_read()
            await person.press("enter")
            await person.sees_words("Overview README")
            await person.press("d")
            await person.sees_words("No bookmarks yet. Press 1 to find a project")
