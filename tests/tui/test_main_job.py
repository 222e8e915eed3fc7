"""The main job at the screens: find a project, read it, contribute, answer the review, merged. Real HTTP, real git."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import TextArea

from isexplore.models import MergeRequestState
from isexplore.tui.screens.dialogs import AskDialog, ChoiceDialog, PickDialog
from isexplore.tui.screens.journey import JourneyScreen
from isexplore.tui.widgets.preview import Preview
from tests.support.newcomer import note_the_change, say_hello
from tests.support.world import (
    REPOSITORY_PEOPLE,
    WELCOME,
    Person,
    World,
    at_the_screen,
    fill_catalog,
    practice_world,
)

pytestmark = pytest.mark.timeout(120)


async def to_issue(person: Person) -> JourneyScreen:
    """Search, read, choose the first issue; return the screen with its steps."""
    await person.sees_words("docs/welcome")
    await person.press("slash", *"welcome", "enter", "enter")
    await person.sees_words("Whom to ask")
    for _ in range(6):
        if person.app.screen.query_one(Preview).has_class("-issues"):
            break
        await person.press("right_square_bracket")
    await person.sees_words("#1 ", "free", "enter Take it")
    preview = person.app.screen.query_one(Preview)
    while preview.issue_number != 1:
        await person.press("down")
    await person.press("enter")
    await person.until(lambda: isinstance(person.app.screen, JourneyScreen))
    screen = person.app.screen
    assert isinstance(screen, JourneyScreen)
    return screen


async def run_next(person: Person, screen: JourneyScreen, name: str, *, answer: bool) -> None:
    """Press enter on a step; accept what it asks; wait until it is done."""
    await person.until(lambda: screen.report is not None and screen.running is None)
    await person.sees_words(f"· {name}")
    await person.press("enter")
    if answer:
        await person.until(lambda: isinstance(person.app.screen, AskDialog))
        await person.press("ctrl+s")
    await person.until(lambda: state(screen, name) == "done")


async def commit(person: Person, screen: JourneyScreen, message: str) -> None:
    """Commit with a message, as the dialog asks for it."""
    await person.sees_words("· commit")
    await person.press("enter")
    await person.until(lambda: isinstance(person.app.screen, AskDialog))
    await person.sees_words("All of this goes into the commit:", "modified: ", "Commit message")
    person.app.screen.query(TextArea).first().text = message
    await person.press("ctrl+s")
    await person.until(lambda: state(screen, "commit") == "done")


def state(screen: JourneyScreen, name: str) -> str:
    """Return how a step stands, as the screen knows it."""
    if screen.report is None or screen.running is not None:
        return ""
    return {step.name: step.state for step in screen.report.steps}[name]  # type: ignore[index]


def reviewers_remark(world: World) -> str:
    """Return what the reviewer asks for, as the forge has it."""
    discussions = world.forge.ask("/projects/docs%2Fwelcome/merge_requests/2/discussions").json
    (remark,) = [
        note["body"]
        for thread in discussions
        for note in thread["notes"]
        if note["resolvable"] and note["author"]["username"] != "nia"
    ]
    assert isinstance(remark, str)
    return remark


async def test_a_newcomer_with_the_keyboard_sees_the_change_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JourneyScreen, "LOOK_EVERY", 0.2)
    monkeypatch.setenv("EDITOR", "true")
    with practice_world(tmp_path, seeds=WELCOME, people=REPOSITORY_PEOPLE, maintainer=0.01) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services) as person:
            screen = await to_issue(person)
            await person.sees_words("✓ check", "▸ claim", "enter Run")

            await run_next(person, screen, "claim", answer=True)
            await run_next(person, screen, "fork", answer=False)
            assert state(screen, "clone") == "done"
            await run_next(person, screen, "branch", answer=True)

            # Headless terminals cannot be handed to an editor: the screen says what to do instead.
            await person.press("enter")
            await person.until(lambda: isinstance(person.app.screen, PickDialog))
            await person.sees_words("CONTRIBUTORS.md")
            await person.press("enter")
            await person.sees_words("Your editor cannot open here", "r looks again")
            clone = Path(screen.journey.folder)
            say_hello(clone)
            await person.sees_words("· commit", "modified: CONTRIBUTORS.md", "Your change")
            await person.press("up")
            await person.sees_words("+- Nia, first days of spring")
            await person.press("down")

            await commit(person, screen, "Add Nia to the contributors")
            await run_next(person, screen, "push", answer=False)
            await person.sees_words("· propose")
            await person.press("enter")
            await person.until(lambda: isinstance(person.app.screen, AskDialog))
            body = person.app.screen.query(TextArea).first().text
            assert "## What this changes" in body
            assert "Closes #1" in body
            assert "(one or two sentences)" not in body, "the commit says what it changes"
            await person.press("ctrl+s")

            await person.sees_words("template are as they were", "not ticked: I looked")
            await person.press("escape")
            await person.until(lambda: isinstance(person.app.screen, AskDialog))
            description = person.app.screen.query(TextArea).first()
            assert description.text == body, "whoever leaves the question loses nothing"
            assert person.app.focused is description
            await person.sees_words(
                "Still as the project's template has it", "not ticked: I looked", "## Why"
            )
            assert "Running propose" not in person.sees
            description.text = body.replace("- [ ]", "- [x]")
            await person.press("ctrl+s")

            # The reviewer's words come by themselves, in full and with their place.
            await person.sees_words("· review")
            await person.until(lambda: state(screen, "review") == "ready")
            await person.sees_words("! @sofia: Welcome", "Change it and push, or answer")
            shown = person.words.replace("`", "").split()
            for word in reviewers_remark(world).replace("`", "").split():
                assert word in shown, f"{word} is missing:\n{person.sees}"
            await person.press("enter")
            await person.until(lambda: isinstance(person.app.screen, ChoiceDialog))
            await person.sees_words("Change the files", "Answer in words")
            await person.press("escape")

            note_the_change(clone)
            await person.press("r")
            await commit(person, screen, "Add a line to the change log")
            await run_next(person, screen, "push", answer=False)
            await person.until(lambda: state(screen, "review") == "done")
            await person.sees_words("10 of 10 done", "is merged", "Merged. Thank you!")
            assert screen.report is not None
            assert screen.report.merge_request is not None
            assert screen.report.merge_request.state is MergeRequestState.MERGED

            await person.press("3")
            await person.press("escape")
            await person.press("3")
            await person.sees_words("docs/welcome #1", "is merged")
