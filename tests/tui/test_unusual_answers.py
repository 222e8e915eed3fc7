"""The steps' questions where the usual answer does not do, and reading when the forge is gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input, TextArea

from isexplore.models import ProjectRef
from isexplore.tui.screens.dialogs import AskDialog, PickDialog
from isexplore.tui.screens.journey import JourneyScreen
from isexplore.tui.widgets.preview import Preview
from tests.support.git import git
from tests.support.world import Person, at_the_screen, fill_catalog, practice_world, services_for

pytestmark = pytest.mark.usefixtures("hurried")


async def asked(person: Person, step: str, *words: str) -> AskDialog:
    """Press enter on the step that is next; return its questions."""
    await person.sees_words(f"· {step}")
    await person.press("enter")
    await person.until(lambda: isinstance(person.app.screen, AskDialog))
    await person.sees_words(*words)
    assert isinstance(person.app.screen, AskDialog)
    return person.app.screen


@pytest.mark.timeout(90)
async def test_skipped_claim_taken_fork_name_and_an_own_name_in_the_commit(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        taken = {"name": "alpha", "path": "alpha"}
        world.forge.ask("/projects/tools%2Fdeep%2Fbeta/fork", method="POST", data=taken)
        await fill_catalog(world.services)
        async with at_the_screen(world.services) as person:
            await person.press("slash", *"alpha", "enter", "c")
            await person.until(lambda: isinstance(person.app.screen, PickDialog))
            await person.press("enter")
            await person.until(lambda: isinstance(person.app.screen, JourneyScreen))
            screen = person.app.screen
            assert isinstance(screen, JourneyScreen)

            await asked(person, "claim", "How do you want to claim it?", "Do not claim it")
            await person.press("end", "ctrl+s")
            await person.sees_words("✓ claim skipped")
            assert world.forge.ask("/projects/tools%2Falpha/issues/1").json["assignees"] == []

            dialog = await asked(person, "fork", "Name of your fork", "it stays as it is")
            assert dialog.query_one(Input).value == "alpha-fork"
            await person.press("ctrl+s")
            await person.sees_words("✓ fork nia/alpha-fork", "✓ clone")

            await asked(person, "branch", "Name of the branch")
            await person.press("enter")
            await person.sees_words("· change")
            clone = Path(screen.journey.folder)
            (clone / "README.md").write_text("# Alpha\n\nIt waits longer each time.\n")
            await person.press("r")

            dialog = await asked(person, "commit", "modified: README.md", "Your name", "Your e-mail address")
            dialog.query(TextArea).first().text = "Explain the back-off"
            name, email = dialog.query(Input)
            name.value, email.value = "Nia of Old", "nia@old.example"
            email.focus()
            await person.press("enter")
            await person.sees_words("✓ commit")
            assert git("log", "-1", "--format=%an <%ae>", cwd=clone).strip() == "Nia of Old <nia@old.example>"


async def test_kept_documents_tell_their_age_when_the_forge_is_gone(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        await world.services.read(ProjectRef("practice", "tools/alpha"))
        await world.services.disconnect()
    later = services_for(tmp_path, world.forge.url, world.forge.token)
    async with at_the_screen(later) as person:
        await person.sees_words("tools/alpha")
        await person.press("slash", *"alpha", "enter", "enter")
        preview = person.app.screen.query_one(Preview)
        await person.until(lambda: preview.reading is not None and preview.reading.offline)
        await person.sees_words("Read just now; the forge cannot be asked now.")
        await person.press("right_square_bracket")
        await person.sees_words("A small library.")
