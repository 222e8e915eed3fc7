"""The words of the journey screen: a step as a document, a step as a line of the list. Pure."""

from __future__ import annotations

import shlex
from pathlib import Path

from isexplore.errors import IsexploreError
from isexplore.services import (
    STEP_NAMES,
    Command,
    Explanation,
    Journey,
    JourneyReport,
    StepName,
    StepReport,
)
from isexplore.text import literal
from isexplore.tui.keys import by_key
from isexplore.tui.widgets.rows import RowText

MARKS = {"done": "✓", "ready": "▸", "waiting": "…", "blocked": "✗"}
STYLES = {"done": "good", "ready": "accent", "waiting": "warning", "blocked": "bad"}
STATE_WORDS = {"done": "done", "ready": "your turn", "waiting": "waiting", "blocked": "not yet"}
YOURS: dict[StepName, str] = {
    "change": "change the files that the issue is about; e opens your editor, s a shell"
}
"""What is the reader's to do, for a step that has no other words for it."""
DIFF_STEPS: frozenset[StepName] = frozenset({"change", "commit", "push", "propose"})
"""Steps that show what was changed."""
DIFF_CHARACTERS = 40_000
"""How much of a change is shown."""

_FENCE = "```"
_NO_FENCE = "'" * 3


def next_step(report: JourneyReport) -> StepName | None:
    """Return the step that is to be run next, or None at the end.

    That is the first one that is not done; a claim that cannot be made now holds nothing up.
    """
    undone = [step for step in report.steps if step.state != "done"]
    if len(undone) > 1 and undone[0].name == "claim" and undone[0].state == "blocked":
        return undone[1].name
    return undone[0].name if undone else None


def plain(text: str) -> str:
    """Return `text` so that Markdown shows it as it is."""
    return literal(text)


def at_home(text: str) -> str:
    """Return `text` with the home folder as `~`, which a shell understands too."""
    home = str(Path.home())
    return text.replace(f"{home}/", "~/") if len(home) > 1 else text


def code_block(text: str, kind: str = "") -> str:
    """Return text as a code block that nothing in it can end."""
    return "\n".join((_FENCE + kind, text.replace(_FENCE, _NO_FENCE).rstrip("\n"), _FENCE))


def step_row(step: StepReport, current: bool) -> RowText:
    """Return the line of a step: mark, name, and a few words."""
    later = step.after is not None
    mark = " " if later else MARKS[step.state]
    style = "muted" if later else STYLES[step.state]
    name = step.name.ljust(9)
    detail = "" if later else at_home(step.detail)
    return RowText(([(f"{mark} ", style), (name, "strong" if current else ""), (detail, "muted")],))


def known_steps(journey: Journey) -> tuple[StepReport, ...]:
    """Return the steps as far as the record tells, for the time until they have been looked at."""
    facts: tuple[tuple[StepName, bool], ...] = (
        ("claim", journey.claim is not None),
        ("fork", bool(journey.fork)),
        ("clone", bool(journey.folder) and Path(journey.folder, ".git").exists()),
        ("branch", bool(journey.branch)),
        ("propose", journey.merge_request is not None),
        ("review", journey.outcome is not None),
    )
    done = max((STEP_NAMES.index(name) for name, known in facts if known), default=-1)
    return tuple(
        StepReport(
            name=name,
            title=name,
            state="done" if number <= done else "waiting",
            detail="as last known" if number <= done else "looking...",
        )
        for number, name in enumerate(STEP_NAMES)
    )


def looking_document(journey: Journey, explanation: Explanation) -> str:
    """Return what is said of a step before anybody has looked how it stands."""
    looking = (
        "**Looking...** The forge and your clone are being asked; until they answer, "
        "the list shows the steps as they were last known."
    )
    return "\n\n".join((f"# {explanation.title}", looking, explanation.why, _places(journey)))


def commands_block(commands: tuple[Command, ...], folder: str = "") -> str:
    """Return the commands as a code block; those in the clone after one `cd`, so that its path is there once.

    The `cd` comes right before the first of them: what makes the clone runs while the folder is missing.
    """
    option = f"git -C {shlex.quote(folder)} "
    lines = []
    inside = False
    for command in commands:
        if folder and not inside and option in command.text:
            lines.append(f"cd {shlex.quote(folder)}")
            inside = True
        lines.append(command.text.replace(option, "git ") if folder else command.text)
    return code_block("\n".join(at_home(line) for line in lines))


ISSUE_STEPS = ("check", "claim", "change")
"""Steps at which the reader wants to have the issue's words at hand."""


def step_document(
    report: JourneyReport,
    step: StepReport,
    explanation: Explanation,
    error: IsexploreError | None = None,
    diff: str = "",
    preparing: bool = False,
) -> str:
    """Return a step as Markdown: what it is, how it stands, what will run, what is true afterwards.

    Args:
        report: the contribution as it stands.
        step: the step.
        explanation: the step for somebody who has never done it.
        error: why its last run failed.
        diff: what the clone changes, for the steps that are about it.
        preparing: its questions are being made ready.
    """
    parts = [f"# {explanation.title}"]
    if preparing:
        parts.append(f"**Getting {step.name} ready...** What it will ask is looked up. esc gives up.")
    parts.append(explanation.why)
    if error is not None:
        parts += _what_went_wrong(error)
    state = STATE_WORDS[step.state]
    mine = step.state == "ready" and step.name in YOURS
    if error is None or step.state != "blocked" or not step.detail.startswith(error.title):
        # What went wrong still does: it stands above, with what to do.
        parts.append(f"**{state.capitalize()}:** {plain(at_home(_detail(step, state)))}")
    if mine and report.journey.folder:
        parts.append(f"**Clone:** {plain(at_home(report.journey.folder))}")
    elif step.hint and error is None:
        parts.append(f"**Next:** {plain(at_home(by_key(step.hint)))}")
    if step.facts:
        rows = ["| | |", "| --- | --- |"]
        for fact in step.facts:
            words = plain(fact.text) + (f" **→ {plain(fact.fix)}**" if fact.fix else "")
            rows.append(f"| {fact.mark} | {' '.join(words.split())} |")
        parts.append("\n".join(rows))
    if step.commands and step.state != "blocked" and not mine:
        you = all(command.kind == "you" for command in step.commands)
        block = commands_block(step.commands, report.journey.folder)
        parts.append(("## For you to do" if you else "## Will run") + "\n\n" + block)
    if diff and step.name in DIFF_STEPS:
        parts.append("## Your change\n\n" + code_block(diff[:DIFF_CHARACTERS], "diff"))
        if len(diff) > DIFF_CHARACTERS:
            parts.append("(The change is longer; s opens a shell, where git diff shows all of it.)")
    if report.issue is not None and step.name in ISSUE_STEPS and step.state != "done":
        issue = report.issue
        parts.append(f"## What issue \\#{issue.number} asks for\n\n{issue.description or plain(issue.title)}")
    if step.state != "done":
        parts.append(f"## Afterwards\n\n{explanation.afterwards}")
    elif step.name == "review" and report.journey.outcome is not None:
        parts.append(_what_next(report.journey))
    url = report.merge_request.url if report.merge_request else ""
    return "\n\n".join((*parts, _places(report.journey, url)))


def _detail(step: StepReport, state: str) -> str:
    """Return how a step stands, without what a row of its table says in full."""
    if step.detail == state:
        return YOURS.get(step.name, "enter begins")
    beginning = step.detail.removesuffix("...").removesuffix("…")
    if step.name == "review" and any(fact.fix and fact.text.startswith(beginning) for fact in step.facts):
        return "one thing to do"
    return step.detail


def _what_next(journey: Journey) -> str:
    branch = f"The branch {plain(journey.branch)}" if journey.branch else "The branch"
    return (
        "## What next\n\n**2** shows other first issues; in **1**, **b** bookmarks this project to find it again. "
        f"{branch} can be deleted, in your clone and in your fork."
    )


def _what_went_wrong(error: IsexploreError) -> list[str]:
    parts = [f"## What went wrong\n\n**{plain(error.title)}**"]
    if error.detail:
        parts.append(code_block(error.detail))
    if error.hint:
        parts.append(f"**Next:** {plain(by_key(error.hint))}")
    parts.append("**enter** runs the step again.")
    return parts


def _places(journey: Journey, merge_request: str = "") -> str:
    places = [
        ("Project", journey.project),
        ("Fork", journey.fork),
        ("Clone", at_home(journey.folder)),
        ("Branch", journey.branch),
        ("Merge request", merge_request),
    ]
    known = [f"| {name} | {plain(place)} |" for name, place in places if place]
    return "\n".join(("## Where things are", "", "| | |", "| --- | --- |", *known))


def plan_document(report: JourneyReport) -> str:
    """Return every remaining step with its commands."""
    parts = ["# Dry run", "What each step that is not done would run. Nothing of this has run."]
    for step in report.steps:
        if step.state == "done":
            parts.append(f"## ✓ {step.title}\n\n{plain(at_home(step.detail))}")
        else:
            folder = report.journey.folder
            body = commands_block(step.commands, folder) if step.commands else plain(step.detail or step.hint)
            parts.append(f"## {step.title}\n\n{body}")
    return "\n\n".join(parts)


def as_shell(commands: tuple[Command, ...]) -> str:
    """Return the commands for a shell; what a person has to do becomes a comment."""
    return "\n".join(command.shell or f"# {command.text}" for command in commands)


def why_not(action: str, running: StepName | None, preparing: StepName | None, *, looked: bool) -> str:
    """Return why a key of the journey screen does nothing now.

    Args:
        action: what the key would do.
        running: the step that runs.
        preparing: the step whose questions are being made ready.
        looked: whether it is known how the steps stand.
    """
    if running is not None:
        return f"Running: {running}; ctrl+x stops it."
    if preparing is not None:
        return f"Getting {preparing} ready; esc gives up."
    if action == "cancel":
        return "Nothing runs that could be stopped."
    if not looked:
        return "The forge and your clone are still being looked at."
    return {
        "editor": "There is no clone yet: the step clone makes it.",
        "shell": "There is no clone yet: the step clone makes it.",
        "run": "Nothing is left to run: this contribution has come to its end. esc goes back.",
        "open_page": "Its page is not known: the forge has not answered yet. r looks again.",
    }.get(action, "")


def title_words(journey: Journey, report: JourneyReport | None) -> tuple[str, str]:
    """Return what a contribution is about, and how far it is where that is known."""
    number = f" #{journey.issue}" if journey.issue is not None else ""
    title = f"  {journey.issue_title}" if journey.issue_title else ""
    where = ""
    if report is not None:
        done = sum(step.state == "done" for step in report.steps)
        current = next_step(report)
        where = f"{done} of {len(report.steps)} done" + (f" · {current}" if current else "")
    return f"{journey.project}{number}{title}", where


EDIT, ANSWER, LOOK, READY = "edit", "answer", "look", "ready"
"""What can be done about a review."""


def review_choices(step: StepReport, *, draft: bool) -> list[tuple[str, str, str]]:
    """Return what can be done about a review, the likeliest first: answer, its words, a line that explains it."""
    answer = (ANSWER, "Answer in words", "A comment for the reviewers, in their thread or for the whole.")
    edit = (EDIT, "Change the files", "Then commit and push: the merge request follows by itself.")
    look = (LOOK, "Look again", "It is also looked at by itself, every few seconds.")
    ready = (READY, "Mark as ready", "It is a draft: the reviewers wait for this mark.")
    return [ready] * draft + ([edit, answer] if step.state == "ready" else [look, answer])
