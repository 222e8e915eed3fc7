"""The words of a step."""

from __future__ import annotations

from isexplore.errors import UnavailableError
from isexplore.journey.states import STEP_NAMES, Command, Explanation, Fact, JourneyReport, StepReport
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


def report_with(step: StepReport, **journey: object) -> JourneyReport:
    """Return a report in which one step is as given."""
    steps = tuple(step if one.name == step.name else one for one in STEPS)
    known = Journey(id="a", forge="f", project="g/p", issue=7, **journey)  # type: ignore[arg-type]
    return JourneyReport(journey=known, steps=steps, current=step.name, issue=ISSUE)


def test_the_path_of_the_clone_is_there_once_above_the_issue() -> None:
    folder = "/srv/deep/in/the/file/system/retry-queue"
    step = StepReport(
        name="change",
        title="Change",
        state="ready",
        detail="your turn",
        hint=f"Edit the files in {folder}, in your editor or a shell",
        commands=(Command(kind="you", text=f"edit the files in {folder}"),),
    )
    text = step_document(report_with(step, folder=folder), step, EXPLANATION)
    assert text.partition("asks for")[0].count(folder) == 1
    assert len(text.partition("## What issue")[0].splitlines()) <= 8


def test_commands_are_told_from_the_clone() -> None:
    folder = "/srv/a clone"
    commands = (
        Command(kind="git", text=f"git -C '{folder}' fetch upstream"),
        Command(kind="git", text=f"git -C '{folder}' switch -c 7-fix"),
    )
    step = StepReport(name="branch", title="Branch", state="ready", detail="new", commands=commands)
    text = step_document(report_with(step, folder=folder), step, EXPLANATION)
    assert f"cd '{folder}'\ngit fetch upstream\ngit switch -c 7-fix" in text


def test_the_command_that_makes_the_clone_is_told_from_outside_of_it() -> None:
    folder = "/srv/a clone"
    commands = (
        Command(kind="git", text=f"git clone -- https://x.example/a.git '{folder}'"),
        Command(kind="git", text=f"git -C '{folder}' remote add upstream https://x.example/b.git"),
    )
    step = StepReport(name="clone", title="Clone", state="ready", detail="new", commands=commands)
    text = step_document(report_with(step, folder=folder), step, EXPLANATION)
    assert f"```\n{commands[0].text}\ncd '{folder}'\ngit remote add upstream https" in text


def test_what_a_reviewer_says_is_there_once_and_whole() -> None:
    words = "@sofia in a.md:3: One small thing: " + "please say why it waits longer each time. " * 4
    step = StepReport(
        name="review",
        title="Review",
        state="ready",
        detail=words[:97] + "...",
        facts=(Fact("!", words, "Change it and push, or answer"),),
    )
    text = step_document(report_with(step), step, EXPLANATION)
    assert text.count("One small thing") == 1
    assert "one thing to do" in text


def test_after_the_merge_it_says_what_next() -> None:
    step = StepReport(name="review", title="Review", state="done", detail="!2 is merged")
    text = step_document(report_with(step, outcome="merged", branch="7-fix"), step, EXPLANATION)
    assert "What next" in text
    assert "7-fix can be deleted" in text
    assert "What next" not in step_document(report_with(step), step, EXPLANATION)


def test_what_went_wrong_and_still_does_is_told_once() -> None:
    step = StepReport(name="fork", title="Fork", state="blocked", detail="it refused: Nothing listens.")
    text = step_document(
        report_with(step), step, EXPLANATION, UnavailableError("it refused", "Nothing listens.")
    )
    assert text.count("it refused") == 1
    other = step_document(report_with(step), step, EXPLANATION, UnavailableError("it was slow"))
    assert "it refused" in other
