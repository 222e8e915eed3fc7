"""Good first issues of all projects in one list, each with its verdict: free, maybe taken, stale."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from textual import on, work
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.containers import Horizontal

from isexplore.errors import IsexploreError
from isexplore.local import QUERY_SECONDS
from isexplore.models import ProjectRef
from isexplore.text import count
from isexplore.tui.begin import begin_contribution
from isexplore.tui.catalog_rows import FoundIssueRows
from isexplore.tui.keys import FIRST_ISSUES, bindings
from isexplore.tui.links import LinkKind
from isexplore.tui.messages import CatalogProgressed, CatalogRefreshed
from isexplore.tui.resting import Resting
from isexplore.tui.screens.searching import SearchScreen
from isexplore.tui.widgets.bars import ModeBar, StatusLine, fill_mode_bar, one_stop
from isexplore.tui.widgets.document import DocumentView
from isexplore.tui.widgets.key_line import KeyLine
from isexplore.tui.widgets.rows import RowList
from isexplore.tui.widgets.search_bar import SearchBar

if TYPE_CHECKING:
    from isexplore.catalog.issues import FirstIssue, FoundIssues

EMPTY = "No good first issues are known yet. r asks the forges."
NO_HIT = "No first issue matches. Try fewer words, or verdict:free."


READING = "Reading the first issues;\nthey appear here by themselves."


def _version_of(row: FirstIssue) -> tuple[object, ...]:
    """Return what tells whether a reading would bring something new; a verdict alone, or a label, does not."""
    return row.forge, row.project, row.number, row.updated_at


class FirstIssuesScreen(SearchScreen):
    """First issues across projects."""

    KEYS = FIRST_ISSUES
    BINDINGS = bindings(FIRST_ISSUES)
    HELP_TITLE = "First issues"
    HELP_TEXT = (
        "Issues that the owners marked as good for a start. The verdict says whether one is really there to be "
        "taken:\n\n**free**: nobody is on it. **maybe taken**: somebody is assigned, said so in a comment, or has a "
        "merge request. "
        "**stale**: silent for so long that you should ask first.\n\n"
        "Filters: lang: group: verdict:free|maybe-taken|stale age:30d"
    )
    LIST = AUTO_FOCUS = "#issues"

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[object, ...] | None = None
        """Which issue is beside the list, and of when; None also where it could not be read."""
        self._resting = Resting(self, self._show_issue)

    def compose(self) -> ComposeResult:
        """Lay out search bar, issues, and the issue's text."""
        yield ModeBar("first_issues")
        yield SearchBar(
            search=self.show_results,
            complete=self.app.services.complete_issues,
            leave=self.leave_search,
            placeholder="Search: words, lang:python, verdict:free ...",
            id="issue-search",
        )
        with Horizontal(classes="panes"):
            yield RowList(row_height=3, empty=EMPTY, id="issues", classes="list-pane")
            yield DocumentView(id="issue-text", classes="detail-pane")
        yield StatusLine(id="status")
        yield KeyLine()

    def on_mount(self) -> None:
        """Fill the list from the disk."""
        self.show_results("")

    def on_screen_resume(self) -> None:
        """Show what has changed meanwhile."""
        self.show_results(self._query)
        fill_mode_bar(self)

    def show_results(self, text: str) -> None:
        """Search, and show what was found; called within the key press."""
        # The same search again brings news: whoever has gone down its list stays there.
        keep_cursor = not text or text == self._query
        self._query = text
        try:
            found = self.app.services.first_issues(text, limit=0, deadline=QUERY_SECONDS)
        except IsexploreError as error:
            self.say_wrong(error)
            return
        rows = self.query_one("#issues", RowList)
        if not found.late:
            self._show_found(text, found, keep_cursor=keep_cursor)
        elif not len(rows.source):
            rows.empty = READING
        if found.late or found.outdated:
            # The time of a key press has passed, or what is shown is of before: it is replaced when all is known.
            self._search_on(text, found, keep_cursor=keep_cursor or not found.late)

    @work(exclusive=True, group="search")
    async def _search_on(self, text: str, late: FoundIssues, *, keep_cursor: bool) -> None:
        found = await asyncio.to_thread(self.app.services.first_issues_to_the_end, late)
        if text == self._query:
            self._show_found(text, found, keep_cursor=keep_cursor)

    def _show_found(self, text: str, found: FoundIssues, *, keep_cursor: bool) -> None:
        bar = self.query_one(SearchBar)
        rows = self.query_one("#issues", RowList)
        corrected = f"Nothing is spelt like that; showing {found.corrected}" if found.corrected else ""
        bar.error = corrected or found.notice or ""
        nothing = NO_HIT if text.strip() else EMPTY if found.total else self.empty_words(EMPTY)
        # A line of the list is short: what is not known, and what comes of it, on one each.
        rows.empty = "\n".join((nothing, *found.unseen.split("; "))) if found.unseen else nothing
        rows.set_rows(FoundIssueRows(found, self.app.services), keep_cursor=keep_cursor)
        told = count(found.total, "first issue")
        bar.status = f"{told} so far" if found.unseen else told
        self._resting.begin()

    def current(self) -> FirstIssue | None:
        """Return the issue under the cursor."""
        rows = self.query_one("#issues", RowList)
        source = rows.source
        if isinstance(source, FoundIssueRows) and rows.cursor is not None and rows.cursor < len(source):
            return source.item(rows.cursor)
        return None

    def page(self) -> str | None:
        """Return the issue's address."""
        row = self.current()
        return row.url if row else None

    @on(RowList.Highlighted, "#issues")
    def _look(self) -> None:
        self._resting.begin()

    def _show_issue(self) -> None:
        """Show the issue under the cursor beside the list; never within the frame of a key."""
        row = self.current()
        shown = _version_of(row) if row is not None else None
        if shown is not None and shown == self._shown:
            # Whoever reads it, or finds words in it, goes on where they are.
            return
        self._shown = shown
        view = self.query_one("#issue-text", DocumentView)
        if row is None:
            view.show("", title="")
            return
        view.show(self.app.services.issue_document(row), title=f"{row.project} #{row.number}", base=row.url)
        self._read_issue(row)

    @work(exclusive=True, group="issue")
    async def _read_issue(self, row: FirstIssue) -> None:
        await asyncio.sleep(0.15)
        try:
            issue = await self.app.services.read_issue(ProjectRef(row.forge, row.project), row.number)
        except IsexploreError as error:
            if self._shown == _version_of(row):
                self._shown = None
                self.query_one(StatusLine).say_error(error)
            return
        if self._shown == _version_of(row):
            self.query_one(StatusLine).say("")
            view = self.query_one("#issue-text", DocumentView)
            view.show_newer(issue.as_markdown(), title=f"{row.project} #{row.number}", base=row.url)

    def action_read(self) -> None:
        """Go into the issue's text."""
        if self.current() is None:
            raise SkipAction
        self._resting.now()
        self.query_one(".panes").add_class("-reading")
        self.query_one("#issue-text").focus()

    @on(DocumentView.LinkActivated)
    def _follow(self, event: DocumentView.LinkActivated) -> None:
        event.stop()
        link = event.link
        if link.kind is LinkKind.WEB:
            self.app.confirm_and_open(link.target, link.host)
        elif link.kind is LinkKind.DOCUMENT:
            self.app.notify(
                "o opens the issue in the browser.", title=f"{link.target} is a file of the project"
            )
        elif link.kind is LinkKind.MAIL:
            self.app.copy_mail_address(link.target)
        elif link.kind is LinkKind.REFUSED:
            self.app.notify(
                f"{link.reason}: {event.href}", title="This link is not followed", severity="warning"
            )

    @on(RowList.Chosen, "#issues")
    def _choose(self, event: RowList.Chosen) -> None:
        # The issue that was chosen, also where a refresh has moved or removed its row since.
        forge, project, number = cast("tuple[str, str, int]", event.key)
        begin_contribution(self.app, ProjectRef(forge, project), number)

    def action_contribute(self) -> None:
        """Begin a contribution that solves the issue."""
        row = self.current()
        if row is None:
            raise SkipAction
        begin_contribution(self.app, ProjectRef(row.forge, row.project), row.number)

    def action_back(self) -> None:
        """Go one step back: to the list, then to all issues."""
        bar = self.query_one(SearchBar)
        if self.query_one("#issue-text").has_focus:
            self.query_one(".panes").remove_class("-reading")
            self.query_one("#issues").focus()
        elif bar.value:
            bar.value = ""
        else:
            raise SkipAction

    def action_refresh(self) -> None:
        """Ask the forges what is new; the issue is read again, too."""
        self._shown = None
        self.begin_refresh()

    @on(CatalogProgressed)
    def show_progress(self, message: CatalogProgressed) -> None:
        """Show how far the refresh is."""
        self.query_one(StatusLine).say(message.progress.text)

    @on(CatalogRefreshed)
    def show_refreshed(self, message: CatalogRefreshed) -> None:
        """Show the new issues."""
        self.show_results(self._query)
        self.query_one(StatusLine).say(one_stop(message.outcome.words), error=bool(message.outcome.failures))
        self.show_failures(message.outcome)
        fill_mode_bar(self)
