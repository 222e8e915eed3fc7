"""What has to be asked before a step runs: its own questions, what to do about a review, which file to change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from textual.screen import Screen

from isexplore.errors import IsexploreError
from isexplore.services import Journey, StepReport
from isexplore.text import clean, clean_line
from isexplore.tui.app import IsexploreApp
from isexplore.tui.journey_text import EDIT, review_choices
from isexplore.tui.outside import editor_command, find_program
from isexplore.tui.screens.dialogs import ChoiceDialog, PickDialog
from isexplore.tui.screens.step_dialog import as_answers, step_dialog
from isexplore.tui.widgets.form import Field

Tell = Callable[[str], None]
"""Says below the steps what is going on between two dialogs; "" when nothing is."""
_SEND = "send"


class StepQuestions(NamedTuple):
    """The questions of a step, and what is known when they are asked."""

    journey: Journey
    step: StepReport
    """As it stands."""
    fields: Sequence[Field]
    error: IsexploreError | None
    """Why its last run failed, if it did."""
    given: Mapping[str, str]
    """The answers of that run."""
    default_branch: str
    """Which no branch may be called; "" where it is not known."""

    async def ask(self, app: IsexploreApp, tell: Tell, *, late: bool) -> dict[str, str] | None:
        """Ask; once more where a template was left as it was, unless that is meant. None when it was left.

        Args:
            app: where it is asked.
            tell: see `Tell`.
            late: whether it comes so late that keys may be meant for something else.
        """
        answers = await self._ask(app, late=late)
        if answers is None or self.step.name != "propose":
            return answers
        tell("Running propose: reading the description...")
        try:
            journeys = await app.services.journeys_for(self.journey)
            untouched = await journeys.untouched(journeys.get(self.journey.id), answers)
        except IsexploreError:
            # Whatever is in the way of reading the template is told by the step itself.
            return answers
        if not untouched:
            return answers
        tell("")
        edit = (EDIT, "Edit the description", "With what you have written so far.")
        send = (_SEND, "Send it anyway", "Reviewers see it like this; it can be edited on the forge.")
        chosen = await app.push_screen_wait(
            ChoiceDialog(
                "Parts of the project's template are as they were",
                [edit, send],
                text="\n".join(clean_line(words) for words in untouched),
            )
        )
        if chosen == _SEND:
            return answers
        # Also where the question was left: nobody writes a description twice.
        written = [one._replace(default=answers[one.key]) for one in self.fields]
        return await self._replace(fields=written)._ask(app, unanswered=untouched)

    async def _ask(
        self, app: IsexploreApp, *, late: bool = False, unanswered: Sequence[str] = ()
    ) -> dict[str, str] | None:
        dialog = step_dialog(
            self.step,
            app.services.explain(self.step.name),
            self.fields,
            error=self.error,
            given=self.given,
            branch_objection=lambda name: app.services.branch_objection(name, self.default_branch),
            late=late,
            unanswered=unanswered,
        )
        return as_answers(await app.push_screen_wait(dialog))


async def ask_about_review(app: IsexploreApp, step: StepReport, *, draft: bool) -> str | None:
    """Ask what to do about a review: one of `review_choices`; None when that was left.

    Args:
        app: where it is asked.
        step: the step "review", as it stands.
        draft: whether the merge request still is a draft.
    """
    text = "\n\n".join(fact.text for fact in step.facts if fact.fix) or step.hint
    return await app.push_screen_wait(
        ChoiceDialog("What do you want to do?", review_choices(step, draft=draft), text=clean(text, 2_000))
    )


async def ask_what_to_edit(screen: Screen[None], journey: Journey, tell: Tell) -> tuple[str, ...]:
    """Ask which file of the clone is to be changed; return the command that edits it, () when that was left.

    Args:
        screen: where it is asked; nothing is where something else is looked at by then.
        journey: the contribution, which has a clone.
        tell: see `Tell`.

    Raises:
        IsexploreError: the editor is not there, or the files cannot be listed.
    """
    app = cast("IsexploreApp", screen.app)
    command = app.services.editor or editor_command()
    if not command:
        app.notify("Set $EDITOR, or press s for a shell.", title="No editor found", severity="warning")
        return ()
    tell("Listing the files of your clone...")
    find_program(command, Path(journey.folder))
    files, likely = await app.services.files_to_edit(journey)
    if not screen.is_attached:
        return ()
    if not screen.is_current:
        tell("Your files are listed: e asks which one.")
        return ()
    tell("")
    chosen = await app.push_screen_wait(PickDialog("Which file?", files, first=likely))
    return () if chosen is None else (*command, chosen)
