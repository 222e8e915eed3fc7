"""The words of the journey screen: a step as a document, a step as a line of the list. Pure."""

from __future__ import annotations

from isexplore.errors import IsexploreError
from isexplore.services import Command, Explanation, JourneyReport, StepReport
from isexplore.tui.widgets.rows import RowText

MARKS = {"done": "✓", "ready": "▸", "waiting": "…", "blocked": "✗"}
STYLES = {"done": "good", "ready": "accent", "waiting": "warning", "blocked": "bad"}
STATE_WORDS = {"done": "done", "ready": "your turn", "waiting": "waiting", "blocked": "not yet"}

_FENCE = "```"


def plain(text: str) -> str:
    """Return `text` so that Markdown shows it as it is."""
    return "".join("\\" + char if char in "\\`*_{}[]<>#|!~&" else char for char in text)


def step_row(step: StepReport, current: bool) -> RowText:
    """Return the line of a step: mark, name, and a few words."""
    later = step.state == "blocked" and not current
    mark = " " if later else MARKS[step.state]
    style = "muted" if later else STYLES[step.state]
    name = step.name.ljust(9)
    detail = "" if later else step.detail
    return RowText(([(f"{mark} ", style), (name, "strong" if current else ""), (detail, "muted")],))


def commands_block(commands: tuple[Command, ...]) -> str:
    """Return the literal commands as a code block."""
    lines = [command.text for command in commands]
    return "\n".join((_FENCE, *lines, _FENCE))


def step_document(
    report: JourneyReport,
    step: StepReport,
    explanation: Explanation,
    error: IsexploreError | None = None,
) -> str:
    """Return a step as Markdown: what it is, how it stands, what will run, what is true afterwards."""
    parts = [f"# {explanation.title}", explanation.why]
    if error is not None:
        parts.append(f"## What went wrong\n\n**{plain(error.title)}**")
        if error.detail:
            parts.append("\n".join((_FENCE, error.detail.replace(_FENCE, "'''"), _FENCE)))
        if error.hint:
            parts.append(f"**Next:** {plain(error.hint)}")
    parts.append(f"**{STATE_WORDS[step.state].capitalize()}:** {plain(step.detail)}")
    if step.hint and error is None:
        parts.append(f"**Next:** {plain(step.hint)}")
    if step.facts:
        rows = ["| | |", "| --- | --- |"]
        for fact in step.facts:
            words = plain(fact.text) + (f" **→ {plain(fact.fix)}**" if fact.fix else "")
            rows.append(f"| {fact.mark} | {' '.join(words.split())} |")
        parts.append("\n".join(rows))
    if step.commands:
        if all(command.kind == "you" for command in step.commands):
            parts.append("## For you to do\n\n" + commands_block(step.commands))
        else:
            parts.append("## Will run\n\n" + commands_block(step.commands))
    if step.state != "done":
        parts.append(f"## Afterwards\n\n{explanation.afterwards}")
    journey = report.journey
    places = [
        ("Project", journey.project),
        ("Fork", journey.fork),
        ("Clone", journey.folder),
        ("Branch", journey.branch),
        ("Merge request", report.merge_request.url if report.merge_request else ""),
    ]
    known = [f"| {name} | {plain(place)} |" for name, place in places if place]
    parts.append("\n".join(("## Where things are", "", "| | |", "| --- | --- |", *known)))
    return "\n\n".join(parts)


def plan_document(report: JourneyReport) -> str:
    """Return every remaining step with its commands."""
    parts = ["# Dry run", "What each step that is not done would run. Nothing of this has run."]
    for step in report.steps:
        if step.state == "done":
            parts.append(f"## ✓ {step.title}\n\n{plain(step.detail)}")
        else:
            body = commands_block(step.commands) if step.commands else plain(step.detail or step.hint)
            parts.append(f"## {step.title}\n\n{body}")
    return "\n\n".join(parts)


def as_shell(commands: tuple[Command, ...]) -> str:
    """Return the commands for a shell; what a person has to do becomes a comment."""
    return "\n".join(command.shell or f"# {command.text}" for command in commands)
