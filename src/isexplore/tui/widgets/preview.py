"""The right-hand pane of a list: one project, in tabs (Overview, README, CONTRIBUTING, Issues, People, ...)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from isexplore.errors import IsexploreError
from isexplore.models import ProjectRef
from isexplore.text import ago, clean_line
from isexplore.tui.garbage import settle
from isexplore.tui.keys import by_key
from isexplore.tui.links import Link, LinkKind
from isexplore.tui.markdown import Kind, load_parser
from isexplore.tui.messages import PreviewFailed, PreviewRead
from isexplore.tui.resting import Resting
from isexplore.tui.widgets.bars import error_words
from isexplore.tui.widgets.document import DocumentView
from isexplore.tui.widgets.rows import ListRows, RowLine, RowList, RowText
from isexplore.tui.widgets.tabs import TabStrip
from isexplore.tui.widgets.words import Words

if TYPE_CHECKING:
    from isexplore.models import Document
    from isexplore.services import IssueLine, Reading
    from isexplore.tui.app import IsexploreApp

MARKDOWN_ENDINGS = (".md", ".markdown", ".mkd", ".mdown")
DEBOUNCE = 0.05
"""Seconds that the cursor rests on a project before it is read from the forge."""
FIRST_READ = 0.35
"""The same before the first reading, which loads a lot and would hold up the first keys."""
SLOW = 0.3
"""Seconds of a reading after which it is said, and what was kept is shown until it has ended."""
OVERVIEW = "Overview"
ISSUES = "Issues"
VERDICT_STYLES = {"free": "good", "maybe-taken": "warning", "stale": "muted", "unknown": "muted"}

_VERDICT_ORDER = tuple(VERDICT_STYLES)


def issue_row(line: IssueLine) -> RowText:
    """Return the three lines of an issue: title, verdict with its reasons, labels."""
    issue, verdict = line.issue, line.verdict
    reasons = "; ".join(verdict.reasons)
    return RowText(
        (
            RowLine(
                [(f"#{issue.number} ", "muted"), (issue.title, "title")], [(ago(issue.updated_at), "muted")]
            ),
            [
                (f"  {verdict.verdict.value.replace('-', ' ')}", VERDICT_STYLES[verdict.verdict.value]),
                (f"  {reasons}" if reasons else "", "muted"),
            ],
            [("  " + " · ".join(issue.labels), "muted")],
        )
    )


def issues_words(lines: Sequence[IssueLine]) -> str:
    """Return the words of the tab: the good first ones are those that the lists of projects and of issues count."""
    first = sum(line.first for line in lines)
    others = len(lines) - first
    return f"Issues {first} first, {others} wanted" if others else f"Issues {first}"


def _free_first(line: IssueLine) -> int:
    return _VERDICT_ORDER.index(line.verdict.verdict.value)


class IssueList(RowList):
    """The issues of a project; the line of keys names what enter and space do with one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Take it", id="list.choose"),
        Binding("space", "read_issue", "Read", id="preview.read-issue"),
    ]

    class Read(Message):
        """The reader wants to read the issue under the cursor."""

    def action_read_issue(self) -> None:
        """Read the issue under the cursor."""
        self.post_message(self.Read())


class Preview(Vertical):
    """One project."""

    app: IsexploreApp
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,left", "leave_preview", "Back", show=False, id="preview.leave"),
    ]
    DEFAULT_CSS = """
    Preview {
        & > #preview-title { height: 1; text-style: bold; }
        & > TabStrip { height: 1; margin-bottom: 1; }
        & > #preview-document { height: 1fr; }
        & > #preview-issues { height: 1fr; display: none; }
        & > #preview-note { height: auto; max-height: 3; color: $text-warning; display: none; }
        &.-issues > #preview-document { display: none; }
        &.-issues > #preview-issues { display: block; }
    }
    """

    class Left(Message):
        """The reader goes back to the list."""

    class IssueChosen(Message):
        """The reader wants to solve this issue."""

        def __init__(self, ref: ProjectRef, number: int) -> None:
            super().__init__()
            self.ref = ref
            self.number = number

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.ref: ProjectRef | None = None
        self.reading: Reading | None = None
        self._issues: list[IssueLine] = []
        self._loaded = False
        self._came_from: list[tuple[Document | None, int]] = []
        """What was read before links were followed, and at which line; None for what the tab shows."""
        self._file: Document | None = None
        """The file that a link led to, and no tab shows."""
        self._issue_read: int | None = None
        """The issue whose text stands where the list of issues was."""
        self._note_on_link = False
        """Whether the note is about what a link leads to, and goes with it."""
        self._resting = Resting(self, self._begin_reading, seconds=DEBOUNCE)

    def compose(self) -> ComposeResult:
        """Lay out title, tabs, document, issues and a line for trouble."""
        yield Words(id="preview-title")
        yield TabStrip((OVERVIEW,))
        yield DocumentView(id="preview-document")
        yield IssueList(
            row_height=3, empty="No issue here is marked as a good first one.", id="preview-issues"
        )
        yield Words(id="preview-note")

    # What is looked at

    def look_at(self, ref: ProjectRef | None, *, quick: str = "") -> None:
        """Show a project: `quick` at once, the rest when it has been read.

        Args:
            ref: the project; None empties the pane.
            quick: what the catalog knows already, as plain text: nothing is loaded to read it.
        """
        if ref == self.ref and (self.reading is not None or ref is None):
            return
        self.ref = ref
        self.reading = None
        self._came_from, self._file, self._issue_read = [], None, None
        # The issues of the project before must not stand under this one's name, nor be chosen.
        self.remove_class("-issues")
        self.query_one("#preview-issues", RowList).set_rows(ListRows((), issue_row))
        self.query_one("#preview-title", Words).say(ref.path if ref else "")
        self._note("")
        # Nor may its text: where nothing is known yet, nothing stands there.
        self.query_one(TabStrip).show((OVERVIEW,), {})
        self.query_one("#preview-document", DocumentView).show(
            quick, title=ref.path if ref else "", kind="plain"
        )
        if ref is None:
            self.workers.cancel_group(self, "preview")
            return
        if self._loaded:
            self._resting.begin()
        else:
            # Counted from the frame that shows what is known already, however late it is: reading loads a lot at first.
            self.call_after_refresh(self._resting.begin, FIRST_READ)

    def _begin_reading(self) -> None:
        if self.ref is not None and self.reading is None:
            self._read(self.ref, again=False)

    def read_again(self) -> None:
        """Read the project from the forge, whatever is kept here."""
        if self.ref is not None:
            self._read(self.ref, again=True)

    @work(exclusive=True, group="preview")
    async def _read(self, ref: ProjectRef, *, again: bool) -> None:
        await self._load()
        waiting = self.set_timer(SLOW, partial(self._tell_reading, ref))
        try:
            reading = await self.app.services.read(ref, again=again)
        except IsexploreError as error:
            self.post_message(PreviewFailed(ref, error))
        else:
            self.post_message(PreviewRead(ref, reading))
        finally:
            waiting.stop()

    def _tell_reading(self, ref: ProjectRef) -> None:
        """Say that the forge takes its time, and show what was kept of the project until it has answered."""
        if ref != self.ref or self._came_from:
            return
        said = f"Reading it from {ref.forge}..."
        if self.reading is None and (kept := self.app.services.kept(ref)) is not None:
            self._take(kept)
            self._fill_tab()
            said += f" Until then as it was {ago(kept.as_of)}."
        self._note(said)

    async def _load(self) -> None:
        """Load what reading takes, beside the keyboard: on the loop it would hold the next key up."""
        if not self._loaded:
            await asyncio.to_thread(load_parser)
            await asyncio.to_thread(self.app.services.prepare)
            settle()
            self._loaded = True

    @on(PreviewRead)
    def show_reading(self, message: PreviewRead) -> None:
        """Fill the tabs, unless the reader has gone on to another project."""
        message.stop()
        if message.ref != self.ref:
            return
        reading, again = message.reading, self.reading is not None
        self._take(reading)
        if self._came_from:
            # What a link led to is read on; esc finds the rest as it is now.
            return
        self._note_reading(reading)
        self._fill_tab(again=again)

    def _take(self, reading: Reading) -> None:
        """Take what was read for what there is to show."""
        self.reading = reading
        self._issues = sorted(reading.issues, key=_free_first)
        names = (
            OVERVIEW,
            *(document.name for document in reading.documents[:2]),
            ISSUES,
            "People",
            *(document.name for document in reading.documents[2:]),
        )
        self.query_one(TabStrip).show(names, {ISSUES: issues_words(self._issues)})
        self.query_one("#preview-issues", RowList).set_rows(
            ListRows(self._issues, issue_row, key=lambda line: line.issue.number)
        )

    def _note_reading(self, reading: Reading) -> None:
        """Say what of the project could not be read, and how old it is where that matters."""
        notes = list(reading.notes)
        if reading.offline:
            notes.insert(0, f"Read {ago(reading.as_of)}; the forge cannot be asked now.")
        self._note(by_key(clean_line(" ".join(notes))))

    @on(PreviewFailed)
    def show_failure(self, message: PreviewFailed) -> None:
        """Say why the project cannot be read, with what to do."""
        message.stop()
        if message.ref == self.ref:
            self._note(error_words(message.error))

    def _note(self, words: str, *, on_link: bool = False) -> None:
        self._note_on_link = on_link
        # Not by a class of the pane: that would style everything in it anew.
        note = self.query_one("#preview-note", Words)
        note.say(words)
        note.display = bool(words)

    # Tabs

    def show_tab(self, name: str) -> None:
        """Turn a tab on by its name."""
        strip = self.query_one(TabStrip)
        if name in strip.names:
            strip.active = name

    def move_tab(self, step: int) -> None:
        """Turn the next or previous tab on."""
        self.query_one(TabStrip).move(step)

    @on(TabStrip.Changed)
    def _turn_tab(self) -> None:
        """Show what the tab is of; what a link led to, or was to lead to, is left behind with its note."""
        self.workers.cancel_group(self, "file")
        if self.reading is not None and self._note_on_link:
            self._note_reading(self.reading)
        self._fill_tab()

    def _fill_tab(self, *, again: bool = False) -> None:
        """Show what the tab is of; `again` where it shows that already, so that whoever reads goes on there."""
        reading = self.reading
        if reading is None:
            return
        name = self.query_one(TabStrip).active
        self._came_from, self._file, self._issue_read = [], None, None
        focused = self.has_focus_within
        self.set_class(name == ISSUES, "-issues")
        if name == OVERVIEW:
            self._document(reading.overview, reading.ref.path, again=again)
        elif name == "People":
            self._document(reading.people, "People", again=again)
        elif name != ISSUES:
            document = next((one for one in reading.documents if one.name == name), None)
            if document is not None:
                self._show_file(document, again=again)
        if focused:
            self.take_focus()

    def _show_file(self, document: Document, *, again: bool = False) -> None:
        kind: Kind = "markdown" if document.path.lower().endswith(MARKDOWN_ENDINGS) else "plain"
        text = document.text + (
            "\n\n(The file is longer; press o to read it on the forge.)" if document.truncated else ""
        )
        base = self.reading.url if self.reading else ""
        view = self.query_one("#preview-document", DocumentView)
        show = view.show_newer if again else view.show
        show(text, title=document.path, base=base, path=document.path, kind=kind)

    def _document(self, text: str, title: str, *, again: bool = False) -> None:
        view = self.query_one("#preview-document", DocumentView)
        show = view.show_newer if again else view.show
        show(text, title=title, base=self.reading.url if self.reading else "")

    def take_focus(self) -> None:
        """Put the focus on what the tab shows."""
        self.query_one("#preview-issues" if self.has_class("-issues") else "#preview-document").focus()

    # What the reader does

    @on(RowList.Chosen, "#preview-issues")
    def _choose_issue(self, event: RowList.Chosen) -> None:
        event.stop()
        # By its key: where it stands may have changed since the key was pressed.
        if self.reading is not None and self.ref is not None and isinstance(event.key, int):
            self.post_message(self.IssueChosen(self.ref, event.key))

    @on(IssueList.Read)
    def _read_chosen(self, event: IssueList.Read) -> None:
        event.stop()
        number, reading = self.issue_number, self.reading
        if number is not None and reading is not None:
            self._note(f"Reading #{number}...", on_link=True)
            self._fetch_issue(reading, number)

    @work(exclusive=True, group="file")
    async def _fetch_issue(self, reading: Reading, number: int) -> None:
        failure: IsexploreError | None = None
        text = ""
        try:
            text = (await self.app.services.read_or_kept_issue(reading.ref, number)).as_markdown()
        except IsexploreError as error:
            failure = error
        if self.ref != reading.ref or self.issue_number != number or self._issue_read is not None:
            # The reader has gone on.
            return
        if failure is not None:
            self._note(error_words(failure))
            return
        self._came_from, self._file, self._issue_read = [(None, 1)], None, number
        focused = self.has_focus_within
        self._note(f"#{number}; esc goes back to the issues", on_link=True)
        self._document(text, f"{reading.ref.path} #{number}")
        self.remove_class("-issues")
        if focused:
            self.take_focus()

    @on(RowList.Highlighted, "#preview-issues")
    def _keep_highlight(self, event: RowList.Highlighted) -> None:
        event.stop()

    @property
    def issue_number(self) -> int | None:
        """The issue under the cursor while the issues are shown, or the one that is read."""
        if self._issue_read is not None:
            return self._issue_read
        if not self.has_class("-issues") or self.reading is None:
            return None
        cursor = self.query_one("#preview-issues", RowList).cursor
        if cursor is None or cursor >= len(self._issues):
            return None
        return self._issues[cursor].issue.number

    @property
    def issue_in_sight(self) -> int | None:
        """The same, but None where the list hides it: on a narrow screen, until one goes into the preview."""
        panes = self.parent
        reading = isinstance(panes, Widget) and panes.has_class("-reading")
        return self.issue_number if reading or not self.screen.has_class("-narrow") else None

    @on(DocumentView.LinkActivated)
    def _follow(self, event: DocumentView.LinkActivated) -> None:
        event.stop()
        reading = self.reading
        if reading is None:
            return
        link = event.link
        if link.kind is LinkKind.WEB:
            self.app.confirm_and_open(link.target, link.host)
        elif link.kind is LinkKind.DOCUMENT:
            self._open_file(reading, link)
        elif link.kind is LinkKind.MAIL:
            self.app.copy_mail_address(link.target)
        elif link.kind is LinkKind.REFUSED:
            self.app.notify(
                f"{link.reason}: {event.href}", title="This link is not followed", severity="warning"
            )

    def _open_file(self, reading: Reading, link: Link) -> None:
        """Show a file of the project: in its tab, or in place of what is read now."""
        document = next((one for one in reading.documents if one.path == link.target), None)
        if document is None:
            self._note(f"Reading {link.target}...", on_link=True)
            self._fetch_file(reading, link)
            return
        # At once, and also where it is that tab's already: its heading is looked for in what is shown now.
        with self.prevent(TabStrip.Changed):
            self.show_tab(document.name)
        self._turn_tab()
        if link.fragment:
            self.query_one("#preview-document", DocumentView).go_to_heading(link.fragment)

    def _place(self) -> tuple[object, ...]:
        """Return where the reader is; the same where only a newer reading of the project has come."""
        return self.ref, self.query_one(TabStrip).active, len(self._came_from), self._issue_read

    @work(exclusive=True, group="file")
    async def _fetch_file(self, reading: Reading, link: Link) -> None:
        shown = self.query_one("#preview-document", DocumentView)
        before = self._place()
        failure: IsexploreError | None = None
        try:
            found = await self.app.services.read_file(reading, link.target)
        except IsexploreError as error:
            failure = error
        if self._place() != before:
            # The reader has gone on.
            return
        if failure is not None:
            self._note(error_words(failure))
            return
        if isinstance(found, str):
            self._note_reading(reading)
            self.app.open_page(found)
            return
        self._came_from.append((self._file, shown.top_line))
        self._file = found
        self._note(f"{found.path}; esc goes back", on_link=True)
        self._show_file(found)
        if link.fragment:
            shown.go_to_heading(link.fragment)

    def action_leave_preview(self) -> None:
        """Go back to what a link was followed from, and then to the list."""
        if not self._came_from or self.reading is None:
            self.post_message(self.Left())
            return
        *earlier, (file, line) = self._came_from
        self._note_reading(self.reading)
        if file is None:
            self._fill_tab()
        else:
            self._file, self._came_from = file, earlier
            self._show_file(file)
            self._note(f"{file.path}; esc goes back", on_link=True)
        self.query_one("#preview-document", DocumentView).go_to(line)
