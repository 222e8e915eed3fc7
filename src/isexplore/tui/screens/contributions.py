"""My contributions: one line each, as the forge and git see them now."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.message import Message
from textual.screen import Screen

from isexplore.errors import IsexploreError
from isexplore.models import ProjectRef
from isexplore.services import Journey, JourneyReport
from isexplore.text import ago
from isexplore.tui.app import IsexploreApp
from isexplore.tui.begin import open_contribution
from isexplore.tui.journey_text import MARKS, STATE_WORDS, STYLES, at_home
from isexplore.tui.keys import CONTRIBUTIONS, bindings, by_key
from isexplore.tui.screens.dialogs import ConfirmDialog
from isexplore.tui.widgets.bars import ModeBar, StatusLine, fill_mode_bar, tell_state
from isexplore.tui.widgets.key_line import KeyLine
from isexplore.tui.widgets.rows import ListRows, RowLine, RowList, RowText

EMPTY = (
    "You have not begun a contribution yet.\n"
    "Press 1 to find a project, or 2 to find a first issue;\n"
    "c begins there."
)


class ContributionProbed(Message):
    """One contribution was compared with the world."""

    def __init__(self, journey: Journey, outcome: JourneyReport | IsexploreError) -> None:
        super().__init__()
        self.journey = journey
        self.outcome = outcome


class BegunByHand(Message):
    """Branches were found in the clones that were made without isexplore."""

    def __init__(self, found: list[tuple[Journey, JourneyReport | IsexploreError]]) -> None:
        super().__init__()
        self.found = found


def key_of(journey: Journey) -> Hashable:
    """Return what tells a contribution from the others; one that was begun by hand has no id."""
    return journey.id or (journey.folder, journey.branch)


def contribution_row(journey: Journey, outcome: JourneyReport | IsexploreError | None) -> RowText:
    """Return the two lines of a contribution."""
    number = f" #{journey.issue}" if journey.issue is not None else ""
    title = journey.title or journey.issue_title or ("" if journey.id else f"{journey.branch}, begun by hand")
    head = RowLine(
        [(f"{journey.project}{number}", "title"), (f"  {title}" if title else "", "")],
        [(ago(journey.updated_at), "muted")],
    )
    if outcome is None:
        return RowText((head, [("  looking...", "muted")]))
    if isinstance(outcome, IsexploreError):
        words = ". ".join(part for part in (outcome.title, by_key(outcome.hint)) if part)
        return RowText((head, [("  ! ", "warning"), (words, "warning")]))
    if outcome.current is None:
        return RowText(
            (head, [(f"  {MARKS['done']} ", "good"), (outcome.steps[-1].detail or "done", "good")])
        )
    step = outcome.step(outcome.current)
    done = sum(one.state == "done" for one in outcome.steps)
    state = STATE_WORDS[step.state]
    detail = "" if step.detail == state else f"  {at_home(step.detail)}"
    return RowText(
        (
            head,
            [
                (f"  {MARKS[step.state]} ", STYLES[step.state]),
                (f"{step.name}: {state}", STYLES[step.state]),
                (detail, "muted"),
                (f"  · {done} of {len(outcome.steps)}", "muted"),
                ("  · as last seen" if outcome.as_last_seen else "", "muted"),
            ],
        )
    )


class ContributionsScreen(Screen[None]):
    """The list of contributions."""

    app: IsexploreApp
    KEYS = CONTRIBUTIONS
    BINDINGS = bindings(CONTRIBUTIONS)
    HELP_TITLE = "Contributions"
    HELP_TEXT = (
        "Every contribution that you began, with the step that it is at. The marks are read from the forge and your "
        "clones, not remembered: what you did elsewhere shows here too."
    )
    AUTO_FOCUS: ClassVar[str] = "#contributions"

    def __init__(self) -> None:
        super().__init__()
        self._outcomes: dict[Hashable, JourneyReport | IsexploreError] = {}
        self._by_hand: list[Journey] = []

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        yield ModeBar("contributions")
        yield RowList(row_height=3, empty=EMPTY, id="contributions")
        yield StatusLine(id="status")
        yield KeyLine()

    def on_screen_resume(self) -> None:
        """Read the list, and look at each."""
        self.action_refresh()

    def action_refresh(self) -> None:
        """Look at the forge and the clones again."""
        try:
            journeys = self.app.services.journey_store.list()
        except IsexploreError as error:
            self.query_one(StatusLine).say(str(error), error=True)
            return
        self._show([*journeys, *self._by_hand])
        fill_mode_bar(self)
        tell_state(self, self.query_one("#contributions", RowList), EMPTY)
        self._probe_all(journeys)

    def _show(self, journeys: list[Journey]) -> None:
        self.query_one("#contributions", RowList).set_rows(
            ListRows(
                journeys,
                lambda journey: contribution_row(journey, self._outcomes.get(key_of(journey))),
                key=key_of,
            )
        )

    @work(exclusive=True, group="contributions-probe")
    async def _probe_all(self, journeys: list[Journey]) -> None:
        # Closed at once when somebody leaves: the collector would end its requests some time later.
        async with aclosing(self.app.services.probe_all(journeys)) as outcomes:
            async for journey, outcome in outcomes:
                self.post_message(ContributionProbed(journey, outcome))
        with suppress(IsexploreError):
            self.post_message(BegunByHand(await self.app.services.probe_by_hand()))

    @on(ContributionProbed)
    def show_outcome(self, message: ContributionProbed) -> None:
        """Fill in one contribution's line."""
        self._outcomes[key_of(message.journey)] = message.outcome
        self.query_one("#contributions", RowList).refresh_rows()

    @on(BegunByHand)
    def show_begun_by_hand(self, message: BegunByHand) -> None:
        """Add what was begun by hand below the others."""
        by_hand = [journey for journey, _ in message.found]
        self._outcomes.update({key_of(journey): outcome for journey, outcome in message.found})
        if by_hand != self._by_hand:
            self._by_hand = by_hand
            with suppress(IsexploreError):
                self._show([*self.app.services.journey_store.list(), *by_hand])

    def _current(self) -> Journey | None:
        rows = self.query_one("#contributions", RowList)
        source = rows.source
        if isinstance(source, ListRows) and rows.cursor is not None and rows.cursor < len(source):
            journey = source.items[rows.cursor]
            return journey if isinstance(journey, Journey) else None
        return None

    @on(RowList.Chosen, "#contributions")
    def open_chosen(self) -> None:
        """Open the steps of the one that was chosen."""
        if (journey := self._current()) is not None:
            self.app.ask(self._open(journey))

    async def _open(self, journey: Journey) -> None:
        try:
            # Opened, what was begun by hand is a contribution as the others.
            known = journey if journey.id else await self.app.services.adopt(Path(journey.folder))
        except IsexploreError as error:
            self.app.tell_error(error)
            return
        await open_contribution(self.app, known)

    def action_open(self) -> None:
        """Open the steps."""
        if self._current() is None:
            raise SkipAction
        self.open_chosen()

    def why_not(self, action: str) -> str:
        """Return why a key does nothing now."""
        journey = self._current()
        if journey is None:
            return "There is no contribution yet: 1 finds a project, 2 a first issue; c begins there."
        if action == "forget":
            return "It was begun by hand: it leaves this list with its branch, or once another one is checked out."
        return "Its page is not known: the forge has not answered yet. r looks again."

    def action_open_page(self) -> None:
        """Open the merge request, or the project."""
        journey = self._current()
        outcome = self._outcomes.get(key_of(journey)) if journey else None
        found = (outcome.merge_request or outcome.project) if isinstance(outcome, JourneyReport) else None
        url = found.url if found is not None else None
        if url is None and journey is not None:
            # What the forge cannot tell now, the catalog may know.
            url = self.app.services.page_of(ProjectRef(journey.forge, journey.project))
        if url is None:
            raise SkipAction
        self.app.open_page(url)

    def action_forget(self) -> None:
        """Take a contribution off the list, after asking."""
        journey = self._current()
        if journey is None or not journey.id:
            raise SkipAction
        self.app.ask(self._forget(journey))

    async def _forget(self, journey: Journey) -> None:
        sure = await self.app.push_screen_wait(
            ConfirmDialog(
                f"Take {journey.project} off this list?",
                "The fork, the clone and the merge request stay as they are.",
                yes="Take it off",
            )
        )
        if not sure:
            return
        try:
            await asyncio.to_thread(self.app.services.journey_store.forget, journey.id)
        except IsexploreError as error:
            self.app.tell_error(error)
            return
        self.action_refresh()
