"""The screen of a contribution, with a forge that answers when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

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
from isexplore.tui.screens.journey import JourneyScreen
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

    async def probe(self, journey: Journey) -> JourneyReport:
        await self.answers.wait()
        return self.report()

    async def diff(self, journey: Journey) -> str:
        return ""

    async def questions(self, journey: Journey, step: StepName) -> tuple[Question, ...]:
        self.asked.append(step)
        await self.answers.wait()
        return self.questions_asked

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
