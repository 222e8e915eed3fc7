"""Two small dialogs over a document: find words in it, go to one of its headings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from isexplore.text import count
from isexplore.tui.markdown import Heading
from isexplore.tui.widgets.document import DocumentView
from isexplore.tui.widgets.key_line import KeyLine
from isexplore.tui.widgets.rows import ListRows, RowList, RowText
from isexplore.tui.widgets.search_bar import SearchBar
from isexplore.tui.widgets.words import Words


class FindDialog(ModalScreen[None]):
    """A line at the bottom; the document below jumps to the first hit while the words are typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "Back", id="find.back"),
    ]
    keys_told = (("enter", "Keep the hits"), ("escape", "Back"))
    DEFAULT_CSS = """
    FindDialog {
        align: left bottom;
        background: transparent;
        #find-line { height: auto; width: 100%; background: $surface; }
    }
    """

    def __init__(self, view: DocumentView) -> None:
        super().__init__()
        self._view = view

    def compose(self) -> ComposeResult:
        """Lay out the line."""
        with Vertical(id="find-line"):
            yield SearchBar(
                search=self.find, placeholder="Find in this document; enter keeps the hits, n N move"
            )
        yield KeyLine()

    def on_mount(self) -> None:
        """Put the cursor into the line."""
        self.query_one(SearchBar).focus()

    def find(self, words: str) -> None:
        """Go to the first hit."""
        bar = self.query_one(SearchBar)
        if not words.strip():
            self._view.clear_find()
            bar.status = ""
            return
        hits = self._view.find(words)
        bar.status = f"{self._view.match_number} of {count(hits, 'hit')}" if hits else "nothing found"

    @on(SearchBar.Accepted)
    def keep(self) -> None:
        """Go back to the document, the hits marked."""
        self.dismiss()

    @on(SearchBar.Dismissed)
    def action_give_up(self) -> None:
        """Go back to the document as it was."""
        self._view.clear_find()
        self.dismiss()


class OutlineDialog(ModalScreen[int | None]):
    """The headings of a document; answers with the line of the chosen one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,t,q", "dismiss(None)", "Back", id="outline.back"),
    ]
    keys_told = (("enter", "Go there"),)
    DEFAULT_CSS = """
    OutlineDialog {
        .dialog { height: 80%; }
        RowList { height: 1fr; }
    }
    """

    def __init__(self, title: str, headings: Sequence[Heading], line: int) -> None:
        super().__init__()
        self._title = title
        self._headings = tuple(headings)
        self._line = line

    def compose(self) -> ComposeResult:
        """Lay out the headings."""
        with Vertical(classes="dialog"):
            yield Words(self._title or "Outline", classes="dialog-title")
            yield RowList(row_height=1, empty="This document has no headings.")
        yield KeyLine()

    def on_mount(self) -> None:
        """Show the headings, the cursor on the one that is read now."""
        rows = self.query_one(RowList)
        rows.set_rows(ListRows(self._headings, heading_row))
        before = [number for number, heading in enumerate(self._headings) if heading.line <= self._line]
        rows.move_cursor(before[-1] if before else 0)
        rows.focus()

    @on(RowList.Chosen)
    def choose(self, event: RowList.Chosen) -> None:
        """Answer with the heading's line."""
        self.dismiss(self._headings[event.index].line)


def heading_row(heading: Heading) -> RowText:
    """Return a heading, indented by its level."""
    return RowText(
        ([("  " * (heading.level - 1), ""), (heading.text, "strong" if heading.level < 3 else "")],)
    )
