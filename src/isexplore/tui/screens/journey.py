"""One contribution: its steps on the left; what the step does, what will run and what came out on the right."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer, Log

from isexplore.errors import IsexploreError
from isexplore.services import Journey, JourneyReport, StepName
from isexplore.text import clean
from isexplore.tui.app import IsexploreApp
from isexplore.tui.journey_text import as_shell, plan_document, step_document, step_row
from isexplore.tui.keys import JOURNEY, bindings
from isexplore.tui.outside import editor_command, shell_command
from isexplore.tui.screens.dialogs import AskDialog, PickDialog
from isexplore.tui.widgets.bars import ModeBar, StatusLine, fill_mode_bar
from isexplore.tui.widgets.document import DocumentView
from isexplore.tui.widgets.form import fields_of
from isexplore.tui.widgets.rows import ListRows, RowList
from isexplore.tui.widgets.words import Words

LOOK_AGAIN = 2.5
"""Seconds between two looks at the forge while a step waits for it."""
PAGE_LINES = 400
"""Lines of output kept on the screen."""


class Probed(Message):
    """The journey was compared with the forge and git."""

    def __init__(self, report: JourneyReport) -> None:
        super().__init__()
        self.report = report


class ProbeFailed(Message):
    """The forge or git could not be asked."""

    def __init__(self, error: IsexploreError) -> None:
        super().__init__()
        self.error = error


class StepProgressed(Message):
    """A running step gave a sign of life."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class StepFinished(Message):
    """A step ran to its end; `error` says why it did not."""

    def __init__(self, step: StepName, error: IsexploreError | None) -> None:
        super().__init__()
        self.step = step
        self.error = error


class JourneyScreen(Screen[None]):
    """The steps of one contribution."""

    app: IsexploreApp
    KEYS = JOURNEY
    BINDINGS = bindings(JOURNEY)
    HELP_TITLE = "A contribution"
    HELP_TEXT = (
        "The list on the left is the way from a project to a merged change. Its marks are read from the forge "
        "and from your clone each time, so whatever you do by hand in a shell or in the browser counts as done, "
        "and you can leave at any moment and come back.\n\n"
        "**enter** runs the step that is marked with ▸. Nothing runs that is not shown first."
    )
    DEFAULT_CSS: ClassVar[str] = """
    JourneyScreen {
        #journey-title { height: 1; padding: 0 1; text-style: bold; }
        #steps { width: 34; height: 1fr; }
        #step-pane { width: 1fr; height: 1fr; border-left: vkey $surface-lighten-2; padding-left: 1; }
        #output { height: auto; max-height: 40%; display: none; border-top: hkey $surface-lighten-2; }
        &.-running #output, &.-output #output { display: block; }
    }
    JourneyScreen.-narrow {
        #steps { width: 16; }
    }
    """

    def __init__(self, journey: Journey) -> None:
        super().__init__()
        self.journey = journey
        self.report: JourneyReport | None = None
        self.running: StepName | None = None
        self._selected: StepName | None = None
        self._errors: dict[StepName, IsexploreError] = {}
        self._timer: Timer | None = None
        self._showing_plan = False

    def compose(self) -> ComposeResult:
        """Lay out title, steps, the step's document and its output."""
        yield ModeBar("contributions")
        yield Words(self._heading(), id="journey-title")
        with Horizontal(classes="panes"):
            yield RowList(row_height=1, empty="Looking at the forge and at your clone...", id="steps")
            with Vertical(id="step-pane"):
                yield DocumentView(id="step")
                yield Log(highlight=False, max_lines=PAGE_LINES, id="output")
        yield StatusLine(id="status")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Look at the world."""
        fill_mode_bar(self)
        self.query_one("#steps").focus()
        self.probe()

    def on_screen_resume(self) -> None:
        """Look again after having been away."""
        if self.report is not None and self.running is None:
            self.probe()

    def _heading(self) -> str:
        journey = self.journey
        number = f" #{journey.issue}" if journey.issue is not None else ""
        title = f"  {journey.issue_title}" if journey.issue_title else ""
        where = ""
        if self.report is not None:
            done = sum(step.state == "done" for step in self.report.steps)
            current = self.report.current
            where = f"   {done} of {len(self.report.steps)}" + (f" · {current}" if current else " · all done")
        return clean(f"{journey.project}{number}{title}{where}")

    # Looking

    @work(exclusive=True, group="journey-probe")
    async def probe(self) -> None:
        """Compare the journey with the forge and git."""
        try:
            journeys = await self.app.services.journeys_for(self.journey)
            report = await journeys.probe(journeys.get(self.journey.id))
        except IsexploreError as error:
            self.post_message(ProbeFailed(error))
        else:
            self.post_message(Probed(report))

    @on(Probed)
    def show_report(self, message: Probed) -> None:
        """Show the steps, and go to the one that is next."""
        before = self.report.current if self.report else None
        self.report = message.report
        self.journey = message.report.journey
        steps = self.query_one("#steps", RowList)
        current = self.report.current
        steps.set_rows(
            ListRows(
                self.report.steps,
                lambda step: step_row(step, step.name == current),
                key=lambda step: step.name,
            )
        )
        if current is not None and (before != current or self._selected is None):
            steps.move_cursor([step.name for step in self.report.steps].index(current))
            self._selected = current
        elif current is None and before is not None:
            steps.move_cursor(len(self.report.steps) - 1)
            self._selected = self.report.steps[-1].name
        self.query_one("#journey-title", Words).say(self._heading())
        self.query_one(StatusLine).say("" if self.running is None else f"Running: {self.running}")
        self.show_step()
        self._look_again_if_waiting()
        self.refresh_bindings()

    @on(ProbeFailed)
    def show_failure(self, message: ProbeFailed) -> None:
        """Say why nothing can be told now."""
        error = message.error
        words = ". ".join(part for part in (error.title, error.detail) if part)
        self.query_one(StatusLine).say(f"{words}\n{error.hint or 'r looks again'}", error=True)
        self._look_again_if_waiting()

    def _look_again_if_waiting(self) -> None:
        report = self.report
        waiting = bool(report and report.current and report.step(report.current).state == "waiting")
        if waiting and self._timer is None:
            self._timer = self.set_interval(LOOK_AGAIN, self._look_again)
        elif not waiting and self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _look_again(self) -> None:
        if self.running is None and self.is_current:
            self.probe()

    # Showing

    @on(RowList.Highlighted, "#steps")
    def select(self, event: RowList.Highlighted) -> None:
        """Show another step."""
        if self.report is not None and 0 <= event.index < len(self.report.steps):
            self._selected = self.report.steps[event.index].name
            self._showing_plan = False
            self.show_step()

    def show_step(self) -> None:
        """Show the selected step's document."""
        if self.report is None or self._showing_plan:
            return
        step = self.report.step(self._selected or self.report.current or "review")
        text = step_document(
            self.report, step, self.app.services.explain(step.name), self._errors.get(step.name)
        )
        view = self.query_one("#step", DocumentView)
        view.show(text, title=step.title, base="")

    # Running

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a key only where it can do something."""
        if action == "cancel":
            return self.running is not None
        if action == "run":
            if self.running is not None or self.report is None or self.report.current is None:
                return None
            return True
        if action in ("shell", "editor"):
            return True if self.journey.folder and Path(self.journey.folder).is_dir() else None
        return True

    def action_run(self) -> None:
        """Ask what the current step wants to know, then run it."""
        view = self.query_one("#step", DocumentView)
        if view.has_focus and view.focused_link is not None:
            view.action_open_link()
            return
        if self.report is None or self.report.current is None or self.running is not None:
            return
        step = self.report.step(self.report.current)
        if step.name == "change":
            self.action_editor()
            return
        self.app.ask(self._ask_and_run(step.name))

    async def _ask_and_run(self, step: StepName) -> None:
        try:
            journeys = await self.app.services.journeys_for(self.journey)
            questions = await journeys.questions(self.journey, step)
        except IsexploreError as error:
            self.post_message(StepFinished(step, error))
            return
        answers: dict[str, str] = {}
        if questions:
            explanation = self.app.services.explain(step)
            values = await self.app.push_screen_wait(
                AskDialog(explanation.title, fields_of(questions), text=explanation.why, accept="Run")
            )
            if values is None:
                return
            answers = {
                key: value if isinstance(value, str) else ("yes" if value else "no")
                for key, value in values.items()
            }
        self.run_step(step, answers)

    def run_step(self, step: StepName, answers: dict[str, str]) -> None:
        """Run a step, with its output on the screen."""
        self.running = step
        self._selected = step
        self._errors.pop(step, None)
        self.add_class("-running", "-output")
        output = self.query_one("#output", Log)
        output.clear()
        self.query_one(StatusLine).say(f"Running: {step}   (ctrl+x stops it)")
        self.refresh_bindings()
        self._run_step(step, answers)

    @work(exclusive=True, group="journey")
    async def _run_step(self, step: StepName, answers: dict[str, str]) -> None:
        failure: IsexploreError | None = None
        try:
            journeys = await self.app.services.journeys_for(self.journey)
            async for progress in journeys.run(journeys.get(self.journey.id), step, answers):
                self.post_message(StepProgressed(progress.text))
        except IsexploreError as error:
            failure = error
        self.post_message(StepFinished(step, failure))

    @on(StepProgressed)
    def show_progress(self, message: StepProgressed) -> None:
        """Add a line to the output."""
        self.query_one("#output", Log).write_line(clean(message.text, 1_000))

    @on(StepFinished)
    def finish(self, message: StepFinished) -> None:
        """Show how it ended, and look at the world again."""
        self.running = None
        self.remove_class("-running")
        if message.error is None:
            self.remove_class("-output")
            self.query_one(StatusLine).say("")
        else:
            self._errors[message.step] = message.error
            self.query_one(StatusLine).say(message.error.title, error=True)
        self.show_step()
        self.refresh_bindings()
        self.probe()

    def action_cancel(self) -> None:
        """Stop the running step."""
        if self.running is None:
            return
        step = self.running
        self.workers.cancel_group(self, "journey")
        self.running = None
        self.remove_class("-running")
        self.query_one("#output", Log).write_line("Stopped.")
        self.query_one(StatusLine).say(f"Stopped: {step}. Nothing half-done is left; enter runs it again.")
        self.refresh_bindings()
        self.probe()

    # Everything else

    def action_refresh(self) -> None:
        """Look at the forge and git again."""
        self._showing_plan = False
        self._errors.clear()
        self.query_one(StatusLine).say("Looking again...")
        self.probe()

    def action_copy(self) -> None:
        """Copy the selected step as shell commands."""
        if self.report is None:
            return
        step = self.report.step(self._selected or self.report.current or "review")
        text = as_shell(step.commands)
        if not text:
            self.app.notify("This step has nothing to run now.")
            return
        self.app.copy_to_clipboard(text)
        self.app.notify(text, title="Copied")

    @work(exclusive=True, group="journey-plan")
    async def action_plan(self) -> None:
        """Show what every remaining step would run."""
        try:
            journeys = await self.app.services.journeys_for(self.journey)
            report = await journeys.plan_all(journeys.get(self.journey.id))
        except IsexploreError as error:
            self.post_message(ProbeFailed(error))
            return
        self._showing_plan = True
        self.query_one("#step", DocumentView).show(plan_document(report), title="Dry run")

    def action_shell(self) -> None:
        """Hand the terminal to a shell in the clone."""
        self._outside(shell_command(), "Your shell")

    def action_editor(self) -> None:
        """Choose a file of the clone, then hand the terminal to the editor."""
        if not self.journey.folder or not Path(self.journey.folder).is_dir():
            self.app.notify("There is no clone yet to change something in.", severity="warning")
            return
        self.app.ask(self._edit())

    async def _edit(self) -> None:
        command = self.app.services.editor or editor_command()
        if not command:
            self.app.notify(
                "Set $EDITOR, or press s for a shell.", title="No editor found", severity="warning"
            )
            return
        try:
            files, likely = await self.app.services.files_to_edit(self.journey)
        except IsexploreError as error:
            self.app.tell_error(error)
            return
        chosen = await self.app.push_screen_wait(PickDialog("Which file?", files, first=likely))
        if chosen is not None:
            self._outside((*command, chosen), "Your editor")

    def _outside(self, command: tuple[str, ...], name: str) -> None:
        folder = Path(self.journey.folder) if self.journey.folder else None
        if folder is None or not folder.is_dir():
            self.app.notify("The clone is not there yet.", severity="warning")
            return
        if self.app.run_outside(command, folder) is None:
            self.app.notify(f"cd {folder}", title=f"{name} cannot open here. In another terminal", timeout=20)
        self.probe()

    def action_open_page(self) -> None:
        """Open the merge request, else the issue or project."""
        report = self.report
        if report is not None and report.merge_request is not None:
            self.app.open_page(report.merge_request.url)
        elif report is not None and report.project is not None:
            self.app.open_page(report.project.url)

    def action_back(self) -> None:
        """Leave; a running step is stopped first."""
        if self._showing_plan:
            self._showing_plan = False
            self.show_step()
            return
        if self.running is not None:
            self.action_cancel()
        self.dismiss()
