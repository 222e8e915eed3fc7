"""One contribution: its steps on the left; what the step does, what will run and what came out on the right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import ClassVar

from textual import on, work
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Log

from isexplore.errors import ForgeError, IsexploreError
from isexplore.services import STEP_NAMES, Journey, JourneyReport, StepName, StepReport
from isexplore.text import clean
from isexplore.tui.app import IsexploreApp
from isexplore.tui.journey_text import (
    ANSWER,
    EDIT,
    LOOK,
    READY,
    as_shell,
    at_home,
    known_steps,
    looking_document,
    next_step,
    plan_document,
    step_document,
    step_row,
    title_words,
    why_not,
)
from isexplore.tui.keys import JOURNEY, bindings
from isexplore.tui.messages import (
    JourneyProbed,
    JourneyProbeFailed,
    StepFinished,
    StepProbed,
    StepProgressed,
)
from isexplore.tui.outside import how_it_ended, shell_command
from isexplore.tui.screens.step_questions import StepQuestions, ask_about_review, ask_what_to_edit
from isexplore.tui.text import cut
from isexplore.tui.widgets.bars import ModeBar, StatusLine, TitleLine, fill_mode_bar, say_below
from isexplore.tui.widgets.document import DocumentView
from isexplore.tui.widgets.form import Field, fields_of
from isexplore.tui.widgets.key_line import KeyLine
from isexplore.tui.widgets.rows import ListRows, RowList

PAGE_LINES = 400
"""Lines of output kept on the screen."""
OWN_STEPS: frozenset[StepName] = frozenset({"change", "commit"})
"""Steps that people often take in their editor or a shell."""


class JourneyScreen(Screen[None]):
    """The steps of one contribution."""

    app: IsexploreApp
    KEYS = JOURNEY
    BINDINGS = bindings(JOURNEY)
    LOOK_EVERY: ClassVar[float] = 3.0
    """Seconds between two looks at the forge while a step waits for it."""
    OWN_LOOKS: ClassVar[int] = 4
    """While the next step is one of `OWN_STEPS`, only one look of so many is taken."""
    LATE_AFTER: ClassVar[float] = 0.5
    """Seconds from the key to its dialog after which the person may be typing something else."""
    HELP_TITLE = "A contribution"
    HELP_TEXT = (
        "The list on the left is the way from a project to a merged change. Its marks are read from the forge "
        "and from your clone each time, so whatever you do by hand in a shell or in the browser counts as done, "
        "and you can leave at any moment and come back.\n\n"
        "| mark | |\n| --- | --- |\n"
        "| ✓ | done |\n| ▸ | your turn: enter runs it |\n| … | waits for the forge or for people |\n"
        "| ✗ | something is in the way; the right side says what |\n\n"
        "Nothing runs that is not shown first. While a step runs you may look elsewhere (1 2 3 4): it goes on."
    )
    DEFAULT_CSS: ClassVar[str] = """
    JourneyScreen {
        #journey-title { height: 1; padding: 0 1; }
        #steps { width: 30%; min-width: 34; max-width: 56; height: 1fr; }
        #step-pane { width: 1fr; height: 1fr; border-left: vkey $surface-lighten-2; padding-left: 1; }
        #output { height: auto; max-height: 40%; display: none; border-top: hkey $surface-lighten-2; }
        &.-running #output, &.-output #output { display: block; }
    }
    JourneyScreen.-narrow {
        #steps { width: 16; min-width: 16; }
        #step-pane { padding-left: 0; }
    }
    """

    def __init__(self, journey: Journey, *, came_from: str = "contributions") -> None:
        """Show a contribution.

        Args:
            journey: as recorded.
            came_from: the mode to go back to.
        """
        super().__init__()
        self.journey = journey
        self.came_from = came_from
        self.report: JourneyReport | None = None
        self.running: StepName | None = None
        self._diff = ""
        self._first_look = known_steps(journey)
        """The steps as last known, and those that the first look has come to."""
        self._ran: StepName | None = None
        """The step that has just run, until it is known how everything stands now."""
        self._preparing: StepName | None = None
        """The step whose dialog is being made ready."""
        self._shown: StepName | None = None
        self._errors: dict[StepName, IsexploreError] = {}
        self._answers: dict[StepName, dict[str, str]] = {}
        self._notice = ""
        self._looks = 0
        self._showing_plan = False
        self._unreachable = False

    def compose(self) -> ComposeResult:
        """Lay out title, steps, the step's document and its output."""
        yield ModeBar("contributions")
        yield TitleLine(id="journey-title")
        with Horizontal(classes="panes"):
            yield RowList(row_height=1, empty="Looking...", id="steps")
            with Vertical(id="step-pane"):
                yield DocumentView(id="step")
                yield Log(highlight=False, max_lines=PAGE_LINES, id="output")
        yield StatusLine(id="status")
        yield KeyLine()

    def on_mount(self) -> None:
        """Look at the world."""
        fill_mode_bar(self)
        self._show_title()
        steps = self.query_one("#steps", RowList)
        self._show_first_look()
        steps.move_cursor(sum(step.state == "done" for step in self._first_look))
        steps.focus()
        self.say_status()
        self.set_interval(self.LOOK_EVERY, self._look_again)
        self.watch(self.app, "app_focus", self._terminal_focused, init=False)
        self.probe()

    def on_screen_resume(self) -> None:
        """Look again after having been away."""
        if self.report is not None and self.running is None:
            self.probe()

    def _show_title(self) -> None:
        self.query_one(TitleLine).say(*title_words(self.journey, self.report))

    # Looking

    @work(exclusive=True, group="journey-probe")
    async def probe(self) -> None:
        """Compare the journey with the forge and git."""
        try:
            journeys = await self.app.services.journeys_for(self.journey)
            report = await journeys.probe(
                journeys.get(self.journey.id), on_step=lambda step: self.post_message(StepProbed(step))
            )
        except ForgeError as error:
            report = await self.app.services.journeys.last_seen(self.journey, error)
            self.post_message(JourneyProbed(report, ""))
            return
        except IsexploreError as error:
            self.post_message(JourneyProbeFailed(error))
            return
        try:
            diff = await journeys.diff(report.journey)
        except IsexploreError:
            # The change is shown as a help only; the steps themselves say what is wrong with the clone.
            diff = ""
        self.post_message(JourneyProbed(report, diff))

    @on(StepProbed)
    def show_one_step(self, message: StepProbed) -> None:
        """Show what the first look has found out so far; later ones replace the whole list at once."""
        if self.report is None:
            self._first_look = tuple(
                message.step if step.name == message.step.name else step for step in self._first_look
            )
            self._show_first_look()

    def _show_first_look(self) -> None:
        self.query_one("#steps", RowList).set_rows(
            ListRows(self._first_look, lambda step: step_row(step, False), key=lambda step: step.name)
        )

    @on(JourneyProbed)
    def show_report(self, message: JourneyProbed) -> None:
        """Show the steps, and go to the one that is next when that has changed."""
        before = next_step(self.report) if self.report else None
        first = self.report is None
        self.report, self._diff = message.report, message.diff
        self.journey = message.report.journey
        current = next_step(self.report)
        steps = self.query_one("#steps", RowList)
        steps.set_rows(
            ListRows(
                self.report.steps,
                lambda step: step_row(step, step.name == current),
                key=lambda step: step.name,
            )
        )
        if first or before != current:
            if self._preparing is None:
                self._notice = ""
            steps.move_cursor(STEP_NAMES.index(current or STEP_NAMES[-1]))
        self._unreachable, self._ran = message.report.as_last_seen, None
        self._show_title()
        self.say_status()
        self.show_step()
        self.refresh_bindings()

    def say_status(self) -> None:
        """Say what is going on: running, waiting, or what the reader was told last."""
        if self.report is None:
            # What the first look failed of stays until the next one.
            if not self._unreachable:
                self.query_one(StatusLine).say("Looking at the forge and at your clone...")
            return
        words = self._notice
        if self.running is not None:
            words = f"Running: {self.running}   (ctrl+x stops it)"
        elif self._preparing is not None:
            words = f"Getting {self._preparing} ready...   (esc gives up)"
        elif self._ran is not None:
            words = f"Ran {self._ran}; looking at how everything stands now..."
        elif not words:
            current = next_step(self.report)
            if current is not None and self._is_with_others(current):
                words = f"Looking again every {self.LOOK_EVERY:g} s; you can also leave and come back."
        error = self._errors.get(self._under_cursor) if self._under_cursor and not words else None
        self.query_one(StatusLine).say(error.title if error else words, error=error is not None)

    def _tell(self, words: str) -> None:
        """Say something that stays until there is something new."""
        self._notice = words
        if self.is_attached:
            self.say_status()

    @on(JourneyProbeFailed)
    def show_failure(self, message: JourneyProbeFailed) -> None:
        """Say why nothing can be told now."""
        self._unreachable, self._ran = True, None
        self.query_one(StatusLine).say_error(message.error, "r looks again")
        self.refresh_bindings()

    def _look_again(self) -> None:
        if self.running is not None or not self.is_current or self.report is None or self._is_looking():
            return
        current = next_step(self.report)
        if current is None:
            return
        self._looks += 1
        with_others = self._is_with_others(current)
        rarely = self._unreachable or current in OWN_STEPS
        if (with_others and not self._unreachable) or (rarely and self._looks % self.OWN_LOOKS == 0):
            self.probe()

    def _is_looking(self) -> bool:
        """Return whether a look is under way: a slow forge would never be heard if the next one ended it."""
        return any(worker.group == "journey-probe" and not worker.is_finished for worker in self.workers)

    def _is_with_others(self, name: StepName) -> bool:
        """Return whether the forge or people may change how a step stands, so that looking again pays."""
        return name == "review" or (self.report is not None and self.report.step(name).state == "waiting")

    def _terminal_focused(self, focused: bool) -> None:
        if focused and self.running is None and self.is_current and self.report is not None:
            self.probe()

    # Showing

    @on(RowList.Highlighted, "#steps")
    def select(self, event: RowList.Highlighted) -> None:
        """Show another step."""
        if self._under_cursor != self._shown:
            self._showing_plan = False
        self.say_status()
        self.show_step()
        self.refresh_bindings()

    @property
    def _under_cursor(self) -> StepName | None:
        cursor = self.query_one("#steps", RowList).cursor
        return STEP_NAMES[cursor] if cursor is not None else None

    def _step(self) -> StepReport | None:
        """Return the step under the cursor."""
        name = self._under_cursor
        return self.report.step(name) if self.report is not None and name is not None else None

    def show_step(self) -> None:
        """Show the selected step's document; what is shown already stays where it was scrolled to."""
        name = self._under_cursor
        if name is None or self._showing_plan:
            return
        self._shown = name
        step, explanation = self._step(), self.app.services.explain(name)
        if self.report is None or step is None:
            text = looking_document(self.journey, explanation)
        else:
            text = step_document(
                self.report,
                step,
                explanation,
                self._errors.get(name),
                self._diff,
                preparing=name == self._preparing,
            )
        self.query_one("#step", DocumentView).show_newer(text, title=explanation.title)

    # Running

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a key only where it can do something."""
        idle = self.running is None and self._preparing is None and self._ran is None
        if action == "cancel":
            return self.running is not None
        if action == "run":
            return idle and self.report is not None and next_step(self.report) is not None
        if action in ("shell", "editor"):
            return idle and bool(self.journey.folder) and Path(self.journey.folder).is_dir()
        if action in ("copy", "plan"):
            return idle and self.report is not None
        return True

    def why_not(self, action: str) -> str:
        """Return why a key does nothing now."""
        looked = self.report is not None and self._ran is None
        return why_not(action, self.running, self._preparing, looked=looked)

    @on(RowList.Chosen, "#steps")
    def _cannot_run(self) -> None:
        """Answer enter where the key of the screen is not offered, so that the list took it."""
        say_below(self, self.why_not("run"))

    def action_run(self) -> None:
        """Ask what the step under the cursor wants to know, then run it."""
        view = self.query_one("#step", DocumentView)
        if view.has_focus and view.focused_link is not None:
            view.action_open_link()
            return
        step = self._step()
        if self.report is None or step is None or self.running is not None or self._preparing is not None:
            return
        current = next_step(self.report)
        if current is None:
            return
        if self._showing_plan or step.state == "done" or step.after is not None:
            # What would run is shown first; the next enter runs it.
            self._go_to(current)
            self._tell(f"Next is {current}: enter runs it.")
        elif step.name == "change":
            self.action_editor()
        elif step.name == "review":
            self.app.ask(self._respond(step))
        else:
            self.app.ask(self._ask_and_run(step))

    def _go_to(self, name: StepName) -> None:
        self._showing_plan = False
        self._put_cursor(name)
        self.query_one("#steps").focus()
        self.show_step()
        self.refresh_bindings()

    def _put_cursor(self, name: StepName) -> None:
        self.query_one("#steps", RowList).move_cursor(STEP_NAMES.index(name))

    async def _respond(self, step: StepReport) -> None:
        """Ask what to do about a review: change the files first, else answer in words."""
        request = self.report.merge_request if self.report is not None else None
        chosen = await ask_about_review(self.app, step, draft=request is not None and request.draft)
        if chosen == EDIT:
            if Path(self.journey.folder or "-").is_dir():
                await self._edit()
            else:
                self._go_to("clone")
        elif chosen == READY:
            self.run_step(step.name, {"ready": "yes"})
        elif chosen == ANSWER:
            await self._ask_and_run(step)
        elif chosen == LOOK:
            self.action_refresh()

    async def _ask_and_run(self, step: StepReport) -> None:
        name, asked_at = step.name, monotonic()
        self._prepare(name)
        try:
            journeys = await self.app.services.journeys_for(self.journey)
            questions = await journeys.questions(journeys.get(self.journey.id), name)
        except IsexploreError as error:
            self.post_message(StepFinished(name, error))
            return
        finally:
            self._prepare(None)
        if not self.is_attached:
            return
        answers: dict[str, str] = {}
        if questions:
            if not self.is_current:
                self._tell(f"{name} is ready: enter asks what it needs to know.")
                return
            given = await self._asking(step, fields_of(questions)).ask(
                self.app, self._tell, late=monotonic() - asked_at > self.LATE_AFTER
            )
            if given is None:
                self._tell("")
                return
            answers = given
        self.run_step(name, answers)

    def _asking(self, step: StepReport, fields: Sequence[Field]) -> StepQuestions:
        error = self._errors.get(step.name)
        project = self.report.project if self.report is not None else None
        return StepQuestions(
            self.journey,
            step,
            fields,
            error=error,
            given=self._answers.get(step.name, {}) if error is not None else {},
            default_branch=project.default_branch if project is not None else "",
        )

    def _prepare(self, name: StepName | None) -> None:
        """Say that a step's dialog is being made ready, or that it no longer is."""
        self._preparing = name
        if not self.is_attached:
            # Left meanwhile: there is nothing to say it on.
            return
        self._notice = ""
        self.say_status()
        self.show_step()
        self.refresh_bindings()

    def run_step(self, step: StepName, answers: dict[str, str]) -> None:
        """Run a step, with its output on the screen."""
        self.running = step
        self.app.running[self.journey.id] = f"the step “{step}” of {self.journey.project}"
        self._put_cursor(step)
        self._answers[step] = answers
        self._errors.pop(step, None)
        self._notice = ""
        self._showing_plan = False
        self.workers.cancel_group(self, "journey-probe")
        # A plan that comes later would say over the running step that nothing has run.
        self.workers.cancel_group(self, "journey-plan")
        self.add_class("-running", "-output")
        self.query_one("#output", Log).clear()
        self.say_status()
        self.show_step()
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
        """Add what a running step says to the output."""
        output = self.query_one("#output", Log)
        width = output.scrollable_content_region.width
        for line in at_home(clean(message.text, 1_000)).splitlines():
            output.write_line(cut(line, width) if width else line)

    @on(StepFinished)
    def finish(self, message: StepFinished) -> None:
        """Show how it ended, and look at the world again."""
        self._no_longer_runs()
        self._ran = message.step if message.error is None else None
        self.remove_class("-running")
        if message.error is None or not self.query_one("#output", Log).line_count:
            self.remove_class("-output")
        if message.error is not None:
            self._errors[message.step] = message.error
            self._put_cursor(message.step)
        self.say_status()
        self.show_step()
        self.refresh_bindings()
        self.probe()

    def _no_longer_runs(self) -> None:
        self.running = None
        self.app.no_longer_runs(self.journey.id)

    def on_unmount(self) -> None:
        """Nothing runs without its screen."""
        self._no_longer_runs()

    def action_cancel(self) -> None:
        """Stop the running step."""
        if self.running is None:
            return
        step = self.running
        self.workers.cancel_group(self, "journey")
        self._no_longer_runs()
        self.remove_class("-running", "-output")
        self._tell(f"Stopped: {step}. Nothing half-done is left; enter runs it again.")
        self.refresh_bindings()
        self.probe()

    # Everything else

    def action_refresh(self) -> None:
        """Look at the forge and git again."""
        self._showing_plan = False
        self._errors.clear()
        self._notice = ""
        self.query_one(StatusLine).say("Looking again...")
        self.probe()

    def action_read(self) -> None:
        """Go into the step's document."""
        self.query_one("#step").focus()

    def action_copy(self) -> None:
        """Copy the selected step as shell commands."""
        step = self._step()
        if step is None:
            return
        text = as_shell(step.commands)
        if not text:
            self.app.notify("This step has nothing to run now.")
            return
        self.app.copy_to_clipboard(text)
        self.app.notify(text, title="Copied")

    @work(exclusive=True, group="journey-plan")
    async def action_plan(self) -> None:
        """Show what every remaining step would run."""
        self._tell("Looking up what every step would run...")
        try:
            journeys = await self.app.services.journeys_for(self.journey)
            report = await journeys.plan_all(journeys.get(self.journey.id))
        except IsexploreError as error:
            self._notice = ""
            self.post_message(JourneyProbeFailed(error))
            return
        self._showing_plan = True
        self.query_one("#step", DocumentView).show(plan_document(report), title="Dry run")
        self._tell("Nothing of this has run. esc goes back to the step.")

    def action_shell(self) -> None:
        """Hand the terminal to a shell in the clone."""
        self._outside(shell_command(), "Your shell", "A shell in your clone; exit comes back to isexplore.")

    def action_editor(self) -> None:
        """Choose a file of the clone, then hand the terminal to the editor."""
        if not self.journey.folder or not Path(self.journey.folder).is_dir():
            self.app.notify("There is no clone yet to change something in.", severity="warning")
            return
        self.app.ask(self._edit())

    async def _edit(self) -> None:
        try:
            command = await ask_what_to_edit(self, self.journey, self._tell)
        except IsexploreError as error:
            self._show_error(error)
            return
        if command:
            self._outside(command, "Your editor")

    def _outside(self, command: tuple[str, ...], name: str, words: str = "") -> None:
        if not self.is_attached:
            return
        folder = Path(self.journey.folder)
        try:
            code = self.app.run_outside(command, folder, words)
        except IsexploreError as error:
            self._show_error(error)
            return
        if code is None:
            self._tell(
                f"{name} cannot open here. In another terminal: cd {at_home(str(folder))}   then r looks again."
            )
            return
        self._errors.pop(self._under_cursor or "change", None)
        self._tell(how_it_ended(name, code))
        self.probe()

    def _show_error(self, error: IsexploreError) -> None:
        """Show what went wrong at the step under the cursor, until something else is done there."""
        if not self.is_attached:
            return
        step = self._step()
        if step is not None:
            self._errors[step.name] = error
        self._tell("")
        self.show_step()

    def action_open_page(self) -> None:
        """Open the merge request, else the project."""
        report = self.report
        if report is not None and report.merge_request is not None:
            self.app.open_page(report.merge_request.url)
        elif report is not None and report.project is not None:
            self.app.open_page(report.project.url)
        else:
            raise SkipAction

    def action_back(self) -> None:
        """Go one step back: from the dry run, from the document, then to where the reader came from."""
        if self._preparing is not None:
            self.app.give_up_asking()
        elif self._showing_plan:
            self._showing_plan = False
            self._tell("")
            self.show_step()
        elif self.query_one("#step").has_focus:
            self.query_one("#steps").focus()
        elif self.running is not None and self.came_from == "contributions":
            self.query_one(StatusLine).say(
                f"Running: {self.running}. ctrl+x stops it; 1, 2 and 4 look elsewhere."
            )
        else:
            if self.running is None:
                self.dismiss()
            if self.came_from != "contributions":
                self.app.switch_mode(self.came_from)
