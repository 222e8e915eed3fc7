"""Projects to find again, each with its note."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen

from isexplore.errors import IsexploreError
from isexplore.models import Bookmark
from isexplore.text import ago
from isexplore.tui.app import IsexploreApp
from isexplore.tui.begin import begin_contribution
from isexplore.tui.bookmarking import change_note, remove_bookmark
from isexplore.tui.keys import BOOKMARKS, bindings
from isexplore.tui.widgets.bars import ModeBar, StatusLine, fill_mode_bar, tell_state
from isexplore.tui.widgets.key_line import KeyLine
from isexplore.tui.widgets.preview import Preview
from isexplore.tui.widgets.rows import ListRows, RowLine, RowList, RowText

EMPTY = "No bookmarks yet. Press 1 to find a project, then b to bookmark it."


def bookmark_row(bookmark: Bookmark) -> RowText:
    """Return the two lines of a bookmark."""
    tags = "  " + " ".join(f"#{tag}" for tag in bookmark.tags) if bookmark.tags else ""
    return RowText(
        (
            RowLine(
                [("★ ", "accent"), (bookmark.path, "title"), (tags, "muted")],
                [(ago(bookmark.added_at), "muted")],
            ),
            [
                (
                    f"  {bookmark.note}" if bookmark.note else "  no note; n writes one",
                    "" if bookmark.note else "muted",
                )
            ],
        )
    )


class BookmarksScreen(Screen[None]):
    """The bookmarks on the left, the chosen project on the right."""

    app: IsexploreApp
    KEYS = BOOKMARKS
    BINDINGS = bindings(BOOKMARKS)
    HELP_TITLE = "Bookmarks"
    HELP_TEXT = (
        "Projects that you want to find again. They are kept in `state.toml`, and their documents and first issues "
        "stay readable without network."
    )
    AUTO_FOCUS: ClassVar[str] = "#bookmarks"

    @property
    def keys_here(self) -> tuple[str, ...]:
        """Actions to name first: in the preview, the ways on from there."""
        return ("leave_preview", "tab(1)") if self.query_one(Preview).has_focus_within else ()

    def compose(self) -> ComposeResult:
        """Lay out the list and the preview."""
        yield ModeBar("bookmarks")
        with Horizontal(classes="panes"):
            yield RowList(row_height=3, empty=EMPTY, id="bookmarks", classes="list-pane")
            yield Preview(classes="detail-pane")
        yield StatusLine(id="status")
        yield KeyLine()

    def on_screen_resume(self) -> None:
        """Read the list."""
        self._show()

    def _show(self) -> None:
        try:
            bookmarks = self.app.services.bookmarks.list()
        except IsexploreError as error:
            self.query_one(StatusLine).say(str(error), error=True)
            return
        self.query_one("#bookmarks", RowList).set_rows(
            ListRows(bookmarks, bookmark_row, key=lambda bookmark: bookmark.ref)
        )
        fill_mode_bar(self)
        tell_state(self, self.query_one("#bookmarks", RowList), EMPTY)
        self._preview()

    def _current(self) -> Bookmark | None:
        rows = self.query_one("#bookmarks", RowList)
        source = rows.source
        if isinstance(source, ListRows) and rows.cursor is not None and rows.cursor < len(source):
            bookmark = source.items[rows.cursor]
            return bookmark if isinstance(bookmark, Bookmark) else None
        return None

    def _chosen(self) -> Bookmark:
        """Return the bookmark under the cursor; where there is none, the key has nothing to do."""
        bookmark = self._current()
        if bookmark is None:
            raise SkipAction
        return bookmark

    @on(RowList.Highlighted, "#bookmarks")
    def _preview(self) -> None:
        bookmark = self._current()
        self.query_one(Preview).look_at(bookmark.ref if bookmark else None)

    def action_read(self) -> None:
        """Go into the preview; whoever is there already wants to open a link that is not chosen yet."""
        self._chosen()
        if self.query_one(Preview).has_focus_within:
            raise SkipAction
        self.enter_preview()

    @on(RowList.Chosen, "#bookmarks")
    def enter_preview(self) -> None:
        """Put the focus into the preview."""
        self.query_one(".panes").add_class("-reading")
        self.query_one(Preview).take_focus()

    def why_not(self, action: str) -> str:
        """Return why a key does nothing now."""
        if self._current() is None:
            return "There is no bookmark yet: 1 finds a project, b bookmarks it there."
        if action == "open_page":
            return "Its page is not known here: the catalog has no such project. 1, then r asks the forges."
        return ""

    @on(Preview.Left)
    def leave_preview(self) -> None:
        """Come back from the preview."""
        self.query_one(".panes").remove_class("-reading")
        self.query_one("#bookmarks").focus()

    def action_contribute(self) -> None:
        """Begin a contribution, with the issue under the cursor where one is in sight."""
        begin_contribution(self.app, self._chosen().ref, self.query_one(Preview).issue_in_sight)

    @on(Preview.IssueChosen)
    def begin_with_issue(self, event: Preview.IssueChosen) -> None:
        """Begin with the issue that was chosen in the preview."""
        begin_contribution(self.app, event.ref, event.number)

    def action_tab(self, step: int) -> None:
        """Turn the next or previous tab of the preview on."""
        self._chosen()
        self.query_one(Preview).move_tab(step)

    def action_note(self) -> None:
        """Change the note."""
        self.app.ask(self._note(self._chosen()))

    async def _note(self, bookmark: Bookmark) -> None:
        if await change_note(self.app, bookmark):
            self._show()

    def action_remove(self) -> None:
        """Remove the bookmark; the toast says how to get it back, and a note is not lost unasked."""
        self.app.ask(self._remove(self._chosen()))

    async def _remove(self, bookmark: Bookmark) -> None:
        if await remove_bookmark(self.app, bookmark, again="1, then b on the project bookmarks it again."):
            # What was read beside the list is another project by now, or none.
            self.leave_preview()
            self._show()

    def action_open_page(self) -> None:
        """Open the project's page."""
        url = self.app.services.page_of(self._chosen().ref)
        if not url:
            raise SkipAction
        self.app.open_page(url)

    def action_refresh(self) -> None:
        """Read the project from the forge again."""
        self._chosen()
        self.query_one(Preview).read_again()
