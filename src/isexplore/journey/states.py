"""What steps, runs and reports of a journey are made of: frozen data, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

from msgspec import Struct

from isexplore.journey.store import Journey
from isexplore.models import Issue, MergeRequest, Project

StepName = Literal[
    "check", "claim", "fork", "clone", "branch", "change", "commit", "push", "propose", "review"
]
"""The steps, in the order in which they are taken."""
STEP_NAMES: tuple[StepName, ...] = get_args(StepName)

State = Literal["done", "ready", "waiting", "blocked"]
"""done: nothing to do. ready: your turn (run it, or do it by hand). waiting: for the forge or for people.
blocked: cannot go on before something else happens, which the detail and hint name."""

Mark = Literal["✓", "!", "✗"]
"""fine, worth knowing, in the way. Always shown together with words."""

Answers = Mapping[str, str]
"""Answers to a step's questions by `Question.key`; yes and no are "yes" and "no"."""


class Fact(NamedTuple):
    """One row of what a step found out."""

    mark: Mark
    text: str
    fix: str = ""
    """What to do about it; empty where nothing needs doing."""


class StepState(Struct, frozen=True, kw_only=True):
    """How a step stands in the real world."""

    state: State
    detail: str
    """A few words: "assigned to you", "nia/retry-queue"."""
    hint: str = ""
    """What to do next; empty when done."""
    facts: tuple[Fact, ...] = ()


class Command(Struct, frozen=True, kw_only=True):
    """One thing that a step does, as it is done."""

    kind: Literal["api", "git", "you"]
    text: str
    """The line that is shown: "POST /projects/812/fork  namespace_path=nia", "git push ..."."""
    shell: str | None = None
    """The same for a shell (curl, with the token as `$TOKEN`); None where a person has to act."""


class Progress(Struct, frozen=True, kw_only=True):
    """A sign of life of a running step."""

    text: str
    fraction: float | None = None
    """0 to 1; None where nobody knows how far it is."""
    step: StepName | None = None


class Choice(NamedTuple):
    """One answer of a choice."""

    value: str
    label: str


class Question(Struct, frozen=True, kw_only=True):
    """Something that a step wants to know before it runs; without an answer the default is taken."""

    key: str
    label: str
    kind: Literal["text", "multiline", "choice", "folder", "yesno"] = "text"
    default: str = ""
    choices: tuple[Choice, ...] = ()
    help: str = ""
    required: bool = False
    """There is no usable default: running without an answer raises `BlockedError`."""


class Explanation(Struct, frozen=True, kw_only=True):
    """A step for someone who has never done it."""

    title: str
    why: str
    """What it does and why, in two sentences."""
    afterwards: str
    """What is true when it is done, in one sentence."""


class StepReport(Struct, frozen=True, kw_only=True):
    """A step of one journey, probed."""

    name: StepName
    title: str
    state: State
    detail: str
    hint: str = ""
    facts: tuple[Fact, ...] = ()
    commands: tuple[Command, ...] = ()
    """What it would run; empty when done, or when an earlier step comes first."""
    after: StepName | None = None
    """The step that has to be done first; the step itself was not looked at then."""


class JourneyReport(Struct, frozen=True, kw_only=True):
    """A journey, probed."""

    journey: Journey
    steps: tuple[StepReport, ...]
    current: StepName | None
    """The first step that is not done; None at the end of the journey."""
    as_last_seen: bool = False
    """The forge could not be asked: this is what the record and the clone tell, and one step says why."""
    project: Project | None = None
    merge_request: MergeRequest | None = None
    issue: Issue | None = None
    """What is to be solved, while that still matters: up to the merge request."""

    def step(self, name: StepName) -> StepReport:
        """Return the report of one step."""
        return self.steps[STEP_NAMES.index(name)]
