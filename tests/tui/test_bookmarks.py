"""Bookmarks: what is beside the list, the way to its tabs, and a note that cannot be kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from isexplore.errors import StateError
from isexplore.models import ProjectRef
from tests.support.world import at_the_screen, fill_catalog, practice_world

ALPHA = ProjectRef("practice", "tools/alpha")


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
