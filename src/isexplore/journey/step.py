"""What every step can do."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from isexplore.journey.states import (
    Answers,
    Command,
    Explanation,
    Progress,
    Question,
    StepName,
    StepState,
)
from isexplore.journey.world import World

NO_ANSWERS: Answers = {}


class Step(Protocol):
    """One step of a journey.

    All methods may raise `ForgeError` and `GitError`; `run` also `BlockedError`, which says what has to
    happen first.
    """

    @property
    def name(self) -> StepName:
        """Its name."""

    @property
    def explanation(self) -> Explanation:
        """What it is for, for someone who has never done it."""

    async def probe(self, world: World) -> StepState:
        """Return how the step stands; reads, never writes, and asks for little."""

    async def questions(self, world: World) -> tuple[Question, ...]:
        """Return what to ask before it runs, with defaults that are right for most."""

    async def plan(self, world: World, answers: Answers = NO_ANSWERS) -> tuple[Command, ...]:
        """Return what `run` would do with these answers."""

    def run(self, world: World, answers: Answers = NO_ANSWERS) -> AsyncGenerator[Progress, None]:
        """Do what is still missing. Running it again, even after a crash at any point, does no harm."""


def yes(answer: str) -> bool:
    """Return whether an answer to a yes-or-no question is yes."""
    return answer.strip().lower() in ("yes", "y", "true", "1")
