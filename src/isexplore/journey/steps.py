"""All steps, in order."""

from __future__ import annotations

from isexplore.journey.branch import Branch
from isexplore.journey.change import Change, Commit
from isexplore.journey.check import Check
from isexplore.journey.claim import Claim
from isexplore.journey.clone import Clone
from isexplore.journey.fork import Fork
from isexplore.journey.propose import Propose
from isexplore.journey.push import Push
from isexplore.journey.review import Review
from isexplore.journey.states import STEP_NAMES, Explanation, StepName
from isexplore.journey.step import Step

STEPS: tuple[Step, ...] = (
    Check(),
    Claim(),
    Fork(),
    Clone(),
    Branch(),
    Change(),
    Commit(),
    Push(),
    Propose(),
    Review(),
)
"""In the order of `STEP_NAMES`."""

OPTIONAL: frozenset[StepName] = frozenset({"claim"})
"""Steps that hold up no other step."""


def step(name: StepName) -> Step:
    """Return a step by its name."""
    return STEPS[STEP_NAMES.index(name)]


def explain(name: StepName) -> Explanation:
    """Return what a step is for."""
    return step(name).explanation
