"""The questions of a step, as a dialog."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from isexplore.errors import IsexploreError
from isexplore.services import Explanation, StepReport
from isexplore.text import clean_line
from isexplore.tui.screens.dialogs import AskDialog
from isexplore.tui.widgets.form import Field

DESCRIPTION = "body"
"""Key of the question that asks for the description of a merge request."""


def step_dialog(
    step: StepReport,
    explanation: Explanation,
    fields: Sequence[Field],
    *,
    error: IsexploreError | None,
    given: Mapping[str, str],
    branch_objection: Callable[[str], str],
    late: bool,
    unanswered: Sequence[str] = (),
) -> AskDialog:
    """Return the dialog that asks what a step wants to know.

    Args:
        step: the step, as it stands.
        explanation: what it is for.
        fields: its questions.
        error: why its last run failed, if it did.
        given: the answers of that run.
        branch_objection: says why a name is not fit for a branch; "" where it is.
        late: whether it comes so late that keys may be meant for something else.
        unanswered: what the description leaves of the project's template: it is asked for once more.
    """
    text = explanation.why
    if unanswered:
        # The fields hold what was written just now: newer than the answers of a run that failed.
        error, given = None, {}
        text = "\n".join(
            ("Still as the project's template has it:", *(f"  {clean_line(one)}" for one in unanswered))
        )
    if step.name == "commit":
        text = "\n".join(("All of this goes into the commit:", *(f"  {fact.text}" for fact in step.facts)))
    return AskDialog(
        explanation.title,
        [
            # A folder that was in the way is no answer to begin with: the step offers a free one.
            field if field.kind == "folder" else field._replace(default=given.get(field.key, field.default))
            for field in fields
        ],
        text=text,
        accept="Run",
        error=str(error) if error is not None else "",
        checks={"branch": branch_objection},
        late=late,
        begin_at=DESCRIPTION if unanswered else "",
    )


def as_answers(values: dict[str, str | bool] | None) -> dict[str, str] | None:
    """Return what was answered as a step takes it, with "yes" and "no"; None where the dialog was left."""
    if values is None:
        return None
    return {
        key: value if isinstance(value, str) else ("yes" if value else "no") for key, value in values.items()
    }
