"""The list of contributions: also what was begun by hand."""

from __future__ import annotations

from pathlib import Path

from isexplore.journey.states import STEP_NAMES, JourneyReport, StepName, StepReport
from isexplore.journey.store import Journey
from isexplore.models import ProjectRef
from isexplore.tui.screens.contributions import ContributionsScreen, contribution_row
from isexplore.tui.screens.journey import JourneyScreen
from tests.support.git import git
from tests.support.world import FORGE, at_the_screen, fill_catalog, practice_world


def standing(step: StepName, detail: str) -> str:
    """Return the second line of a contribution whose next step stands as told."""
    journey = Journey(id="a", forge="f", project="g/p")
    steps = tuple(StepReport(name=name, title=name, state="ready", detail=detail) for name in STEP_NAMES)
    line = contribution_row(journey, JourneyReport(journey=journey, steps=steps, current=step)).lines[1]
    assert isinstance(line, list)
    return "".join(words for words, _ in line).strip()


def test_how_a_step_stands_is_said_once_and_folders_are_short() -> None:
    assert standing("change", "your turn") == "▸ change: your turn  · 0 of 10"
    folder = Path.home() / "src" / "kit"
    assert standing("clone", f"into {folder}") == "▸ clone: your turn  into ~/src/kit  · 0 of 10"


async def test_a_branch_made_by_hand_is_in_the_list_and_opens_as_a_contribution(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        first = await world.services.begin(ProjectRef(FORGE, "tools/alpha"), 1)
        async for _ in world.services.journeys.run_until(first, "branch"):
            pass
        folder = Path(world.services.journey_store.list()[0].folder)
        git("switch", "--quiet", "--create", "tidy-up", cwd=folder)
        (folder / "NEW.md").write_text("new\n")
        git("add", "NEW.md", cwd=folder)
        git("-c", "user.name=Nia", "-c", "user.email=nia@example.com", "commit", "-qm", "Tidy up", cwd=folder)
        async with at_the_screen(world.services, size=(80, 24)) as person:
            await person.press("3")
            await person.until(lambda: isinstance(person.app.screen, ContributionsScreen))
            await person.sees_words("tools/alpha #1", "tidy-up, begun by hand", "push: your turn")
            assert len(world.services.journey_store.list()) == 1, "looking records nothing"
            await person.press("end", "d")
            await person.sees_words("It was begun by hand")
            await person.press("enter")
            await person.until(lambda: isinstance(person.app.screen, JourneyScreen))
            await person.sees_words("▸ push")
            assert {one.branch for one in world.services.journey_store.list()} > {"tidy-up"}
            await person.press("escape")
            await person.until(lambda: isinstance(person.app.screen, ContributionsScreen))
            await person.until(lambda: "begun by hand" not in person.words)
            assert person.words.count("tools/alpha") == 2
