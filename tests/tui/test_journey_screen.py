"""The screen of a contribution, with a forge that answers when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from textual.widgets import TextArea

from isexplore.errors import UnavailableError
from isexplore.journey.states import (
    STEP_NAMES,
    Command,
    JourneyReport,
    Progress,
    Question,
    StepName,
    StepReport,
)
from isexplore.journey.store import Journey
from isexplore.tui.screens.bookmarks import BookmarksScreen
from isexplore.tui.screens.dialogs import AskDialog
from isexplore.tui.screens.journey import JourneyScreen
from isexplore.tui.widgets.rows import RowList
from tests.support.world import Person, at_the_screen, services_for

JOURNEY = Journey(id="a", forge="practice", project="tools/alpha", issue=7, issue_title="Wait longer")


class SlowJourneys:
    """Contributions whose forge answers once `answers` is set."""

    def __init__(self, journey: Journey, current: StepName, *questions: Question) -> None:
        self.journey = journey
        self.current = current
        self.questions_asked = questions
        self.answers, self.ends = asyncio.Event(), asyncio.Event()
        self.answers.set()
        self.plans = asyncio.Event()
        self.asked: list[str] = []

    def get(self, journey_id: str) -> Journey:
        return self.journey

    def report(self) -> JourneyReport:
        at = STEP_NAMES.index(self.current)
        rows = [
            StepReport(
                name=name,
                title=name.capitalize(),
                state="done" if number < at else "ready" if number == at else "blocked",
                detail="done" if number < at else "your turn" if number == at else "not yet",
                commands=(Command(kind="git", text=f"git {name}"),),
                after=self.current if number > at else None,
            )
            for number, name in enumerate(STEP_NAMES)
        ]
        return JourneyReport(journey=self.journey, steps=tuple(rows), current=self.current)

    async def probe(
        self, journey: Journey, *, thorough: bool = True, on_step: Callable[[StepReport], object]
    ) -> JourneyReport:
        report = self.report()
        on_step(report.steps[0])
        await self.answers.wait()
        return report

    async def diff(self, journey: Journey) -> str:
        return ""

    async def questions(self, journey: Journey, step: StepName) -> tuple[Question, ...]:
        self.asked.append(step)
        await self.answers.wait()
        return self.questions_asked

    async def plan_all(self, journey: Journey) -> JourneyReport:
        await self.plans.wait()
        return self.report()

    async def run(
        self, journey: Journey, step: StepName, answers: Mapping[str, str]
    ) -> AsyncIterator[Progress]:
        self.asked.append(f"run {step}")
        await self.ends.wait()
        yield Progress(text="done", step=step)


@asynccontextmanager
async def on_a_journey(
    folder: Path, journeys: SlowJourneys, *, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Person, JourneyScreen]]:
    """Show the screen of a contribution while the block lasts."""
    services = services_for(folder, "http://127.0.0.1:9", "token")

    async def journeys_for(journey: Journey) -> Any:
        return journeys

    services.journeys_for = journeys_for  # type: ignore[method-assign]
    # The list below asks no forge: there is none.
    services.catalog_is_old = lambda: False  # type: ignore[method-assign]
    async with at_the_screen(services, size=size) as person:
        screen = JourneyScreen(journeys.journey)
        person.app.push_screen(screen)
        yield person, screen


def with_clone(folder: Path) -> Journey:
    """Return a contribution that has a folder with a file."""
    clone = folder / "clone"
    clone.mkdir()
    (clone / "README.md").write_text("# Alpha\n")
    return structs.replace(JOURNEY, folder=str(clone))


@pytest.mark.parametrize(
    ("key", "variable", "name"), [("e", "EDITOR", "nosuchedit"), ("s", "SHELL", "/nosuchshell")]
)
async def test_a_program_that_is_missing_is_told_at_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, variable: str, name: str
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv(variable, name)
    journeys = SlowJourneys(with_clone(tmp_path), "change")
    async with on_a_journey(tmp_path, journeys) as (person, screen):
        await person.until(lambda: screen.report)
        await person.press(key)
        await person.sees_words(
            f"{name} cannot be started", "There is no program of that name", "Set `editor` in config.toml"
        )
        assert person.app.screen is screen


async def test_the_steps_are_there_before_the_forge_has_answered(tmp_path: Path) -> None:
    journey = structs.replace(JOURNEY, claim="assign", fork="nia/alpha")
    journeys = SlowJourneys(journey, "clone")
    journeys.answers.clear()
    async with on_a_journey(tmp_path, journeys) as (person, screen):
        await person.sees_words(*STEP_NAMES, "✓ check", "✓ fork", "… clone", "Looking...", "nia/alpha")
        assert screen.report is None
        await person.press("down")
        await person.sees_words("Looking at the forge and at your clone...")
        journeys.answers.set()
        await person.sees_words("▸ clone", "3 of 10 done")


QUESTION = Question(key="message", label="Commit message", kind="multiline", default="Wait longer\n\nMore.")


async def test_a_dialog_that_is_made_ready_is_told_waits_for_one_enter_and_can_be_given_up(
    tmp_path: Path,
) -> None:
    journeys = SlowJourneys(JOURNEY, "commit", QUESTION)
    async with on_a_journey(tmp_path, journeys) as (person, _screen):
        await person.sees_words("enter Run")
        journeys.answers.clear()
        await person.press("enter")
        await person.sees_words("Getting commit ready... (esc gives up)")
        assert "enter Run" not in person.words
        await person.press("enter", "enter")
        assert journeys.asked == ["commit"]
        await person.press("escape")
        await person.sees_words("enter Run")
        assert "Getting commit ready" not in person.words
        journeys.answers.set()
        await person.press("enter")
        await person.until(lambda: isinstance(person.app.screen, AskDialog))
        assert journeys.asked == ["commit", "commit"]
        assert "Getting commit ready" not in person.words
        await person.press("ctrl+s")
        await person.sees_words("Running: commit")


async def test_keys_that_were_typed_before_a_late_dialog_do_not_land_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JourneyScreen, "LATE_AFTER", -1.0)
    async with on_a_journey(tmp_path, SlowJourneys(JOURNEY, "commit", QUESTION)) as (person, screen):
        monkeypatch.setattr(AskDialog, "KEYS_AFTER", 3600.0)
        await person.sees_words("enter Run")
        await person.press("enter")
        await person.until(lambda: isinstance(person.app.screen, AskDialog))
        dialog = person.app.screen
        assert isinstance(dialog, AskDialog)
        await person.press("x", "tab", "y", "ctrl+s")
        await person.sees_words("One moment...")
        assert dialog.query_one(TextArea).text == QUESTION.default
        dialog.listen()
        await person.sees_words("enter New line", "Run ctrl+s")
        await person.press("!", "ctrl+s")
        await person.sees_words("Running: commit")
        assert screen._answers["commit"] == {"message": "Wait longer!\n\nMore."}


async def test_a_branch_name_is_refused_where_it_was_typed(tmp_path: Path) -> None:
    journeys = SlowJourneys(JOURNEY, "branch", Question(key="branch", label="Name of the branch"))
    async with on_a_journey(tmp_path, journeys) as (person, screen):
        await person.sees_words("enter Run")
        await person.press("enter")
        await person.until(lambda: isinstance(person.app.screen, AskDialog))
        await person.press(*"a..b", "enter")
        await person.sees_words("“a..b” cannot be a branch name: It holds “..”", "Name of the branch")
        assert screen.running is None
        await person.press("backspace", "backspace", "enter")
        await person.sees_words("“a.” cannot be")
        await person.press("backspace", "enter")
        await person.sees_words("Running: branch")
        assert journeys.asked == ["branch", "run branch"]


async def test_the_pane_shows_the_step_under_the_cursor_and_the_question_to_quit_goes_with_its_reason(
    tmp_path: Path,
) -> None:
    journeys = SlowJourneys(JOURNEY, "fork")
    async with on_a_journey(tmp_path, journeys) as (person, screen):
        await person.sees_words("▸ fork", "enter Run")
        await person.press("enter")
        await person.sees_words("Running: fork")
        await person.press("home")
        await person.sees_words("Can I contribute here?")
        await person.press("q")
        await person.sees_words("Quit while something runs?")
        journeys.current = "clone"
        journeys.ends.set()
        await person.until(lambda: person.app.screen is screen)
        await person.sees_words("▸ clone", "3 of 10 done", "Clone")
        await person.press("home")
        await person.sees_words("Can I contribute here?")
        await person.press("enter")
        await person.sees_words("Next is clone: enter runs it.", "git clone")
        assert journeys.asked == ["fork", "run fork"]


async def test_the_key_of_contributions_leads_back_to_the_list_unless_a_step_runs(tmp_path: Path) -> None:
    journeys = SlowJourneys(JOURNEY, "fork")
    async with on_a_journey(tmp_path, journeys) as (person, _below):
        await person.app.switch_mode("contributions")
        screen = JourneyScreen(JOURNEY)
        await person.app.push_screen(screen)
        await person.until(lambda: screen.report)
        screen.run_step("fork", {})
        await person.press("3")
        await person.sees_words("ctrl+x stops it")
        assert person.app.screen is screen
        journeys.ends.set()
        await person.until(lambda: screen.running is None)
        await person.press("3")
        await person.sees_words("You have not begun a contribution yet")


async def test_leaving_while_a_dialog_is_made_ready_gives_it_up(tmp_path: Path) -> None:
    journeys = SlowJourneys(JOURNEY, "commit", QUESTION)
    async with on_a_journey(tmp_path, journeys) as (person, _below):
        await person.app.switch_mode("contributions")
        screen = JourneyScreen(JOURNEY)
        await person.app.push_screen(screen)
        await person.sees_words("enter Run")
        journeys.answers.clear()
        await person.press("enter")
        await person.sees_words("Getting commit ready")
        await person.press("3")
        await person.sees_words("You have not begun a contribution yet")
        journeys.answers.set()
        await person.until(lambda: not any(one.group == "dialogue" for one in person.app.workers))
        assert person.app.screen is not screen
        assert "You have not begun a contribution yet" in person.words


async def test_a_dry_run_that_comes_late_is_not_shown_over_a_step_that_runs(tmp_path: Path) -> None:
    journeys = SlowJourneys(JOURNEY, "fork")
    async with on_a_journey(tmp_path, journeys) as (person, screen):
        await person.sees_words("enter Run")
        await person.press("d", "enter")
        await person.sees_words("Running: fork")
        journeys.plans.set()
        await person.until(lambda: not any(one.group == "journey-plan" for one in screen.workers))
        assert "Nothing of this has run" not in person.words
        journeys.ends.set()
        await person.until(lambda: screen.running is None)
        await person.press("d")
        await person.sees_words("Nothing of this has run")


async def test_a_dry_run_that_fails_is_not_said_to_be_under_way(tmp_path: Path) -> None:
    class Failing(SlowJourneys):
        async def plan_all(self, journey: Journey) -> JourneyReport:
            raise UnavailableError(
                "The forge does not answer", "It is down.", "Try again later", forge="practice"
            )

    async with on_a_journey(tmp_path, Failing(JOURNEY, "fork")) as (person, _):
        await person.sees_words("enter Run")
        await person.press("d")
        await person.sees_words("The forge does not answer. It is down.")
        await person.press("down")
        await person.until(
            lambda: person.app.screen.query_one("#steps", RowList).cursor == STEP_NAMES.index("clone")
        )
        assert "Looking up what every step would run" not in person.words


async def test_files_that_are_listed_late_are_not_asked_for_in_another_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "true")
    async with on_a_journey(tmp_path, SlowJourneys(with_clone(tmp_path), "change")) as (person, screen):
        listed, under_way = asyncio.Event(), asyncio.Event()

        async def slowly(journey: Journey) -> tuple[list[str], str]:
            under_way.set()
            await listed.wait()
            return ["README.md"], "README.md"

        monkeypatch.setattr(person.app.services, "files_to_edit", slowly)
        await person.until(lambda: screen.report)
        await person.press("e")
        await person.until(under_way.is_set)
        await person.press("4")
        await person.sees_words("No bookmarks yet")
        listed.set()
        await person.until(lambda: not any(one.group == "dialogue" for one in person.app.workers))
        assert isinstance(person.app.screen, BookmarksScreen)
        await person.press("1")
        await person.until(lambda: person.app.screen is screen)
        await person.sees_words("Your files are listed: e asks which one.")
