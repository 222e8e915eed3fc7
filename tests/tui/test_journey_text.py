"""The words of a step."""

from __future__ import annotations

from isexplore.journey.states import STEP_NAMES, Explanation, JourneyReport, StepReport
from isexplore.journey.store import Journey
from isexplore.models import Issue
from isexplore.tui.journey_text import step_document

EXPLANATION = Explanation(title="Change", why="Why. More.", afterwards="Then.")
STEPS = tuple(StepReport(name=name, title=name, state="ready", detail="ready") for name in STEP_NAMES)
ISSUE = Issue(
    forge="f",
    project="g/p",
    number=7,
    title="Fix [it]",
    url="https://f/g/p/7",
    description="**Do** this.\n\nIn `x.md`.",
)


def test_the_change_step_says_what_the_issue_asks_for() -> None:
    report = JourneyReport(
        journey=Journey(id="a", forge="f", project="g/p", issue=7), steps=STEPS, current="change", issue=ISSUE
    )
    text = step_document(report, report.step("change"), EXPLANATION)
    assert "issue \\#7 asks for" in text
    assert "In `x.md`." in text
    assert "asks for" not in step_document(report, report.step("push"), EXPLANATION)
