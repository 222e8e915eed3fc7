"""Small conversations on top of a screen: ask, confirm, read a message."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button

from isexplore.tui.widgets.form import Field, Form
from isexplore.tui.widgets.rows import ListRows, RowLine, RowList, RowText
from isexplore.tui.widgets.search_bar import SearchBar
from isexplore.tui.widgets.words import Words


class AskDialog(ModalScreen[dict[str, str | bool] | None]):
    """Ask for one or more values; answers None when it is left with escape."""

    DEFAULT_CSS = """
    AskDialog .dialog-error { color: $text-error; height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="dialog.cancel"),
        # Without priority: it must not overtake keys that the fields have not handled yet.
        Binding("ctrl+s", "accept", "Go on", id="dialog.accept"),
    ]

    def __init__(
        self, title: str, fields: Sequence[Field], *, text: str = "", accept: str = "Go on", error: str = ""
    ) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._fields = tuple(fields)
        self._accept = accept
        self._error = error

    def compose(self) -> ComposeResult:
        """Lay out the title, the words, the fields and two buttons; the keys stay in sight in the border."""
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_subtitle = Content(f"{self._accept}  ctrl+s     Cancel  esc")
            yield Words(self._title, classes="dialog-title")
            if self._text:
                yield Words(self._text, classes="dialog-text")
            if self._error:
                yield Words(self._error, id="dialog-error", classes="dialog-error")
            yield Form(self._fields)
            with Horizontal(classes="buttons"):
                yield Button(Content("Cancel  esc"), id="cancel")
                yield Button(Content(f"{self._accept}  ctrl+s"), id="accept", variant="primary")

    def on_mount(self) -> None:
        """Put the cursor into the first field, with what went wrong in sight."""
        if not self._error:
            self.query_one(Form).focus_first()
            return
        self.query_one(Form).focus_first(scroll=False)
        self.call_after_refresh(self._show_error)

    def _show_error(self) -> None:
        dialog = self.query_one(VerticalScroll)
        dialog.scroll_to_widget(self.query_one("#dialog-error"), animate=False, top=True, force=True)

    @on(Form.Submitted)
    def action_accept(self) -> None:
        """Answer with the values, once none that is needed is missing."""
        form = self.query_one(Form)
        if form.check():
            self.dismiss(form.values())

    def action_cancel(self) -> None:
        """Answer with None."""
        self.dismiss(None)

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Take a button for its key."""
        event.stop()
        if event.button.id == "accept":
            self.action_accept()
        else:
            self.action_cancel()


class PickDialog(ModalScreen[str | None]):
    """Choose one of many names by typing parts of it; a name that is not there yet may be typed in full."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", id="dialog.cancel")]
    DEFAULT_CSS = """
    PickDialog {
        .dialog { height: 24; }
        #pick-rows { height: 1fr; }
    }
    """

    def __init__(
        self,
        title: str,
        names: Sequence[str],
        *,
        first: str = "",
        details: Mapping[str, str] | None = None,
        on: Collection[str] = (),
        empty: str = "No file is called that; enter makes a new one.",
        new: bool = True,
    ) -> None:
        """Ask.

        Args:
            title: the question.
            names: what can be chosen.
            first: the likely one.
            details: what is said of a name behind it; looked for as well.
            on: names that are chosen already, and marked.
            empty: what stands there when no name is like what was typed.
            new: whether what was typed may be the answer too.
        """
        super().__init__()
        self._title = title
        self._names = tuple(names)
        self._first = first
        self._details = details or {}
        self._on = on
        self._empty = empty
        self._new = new
        self._shown: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out the search line and the names."""
        with Vertical(classes="dialog"):
            yield Words(self._title, classes="dialog-title")
            yield SearchBar(search=self.show_matches, placeholder="Type a part of its name", id="pick-search")
            yield RowList(row_height=1, empty=self._empty, id="pick-rows")

    def on_mount(self) -> None:
        """Show all names, the likely one first."""
        self.show_matches("")
        self.query_one(SearchBar).focus()

    def show_matches(self, text: str) -> None:
        """Show the names that have all the words."""
        words = text.lower().split()
        found = [
            name
            for name in self._names
            if all(word in f"{name} {self._details.get(name, '')}".lower() for word in words)
        ]
        if self._first in found:
            found.remove(self._first)
            found.insert(0, self._first)
        self._shown = tuple(found)
        rows = self.query_one("#pick-rows", RowList)
        rows.set_rows(ListRows(self._shown, self._row), keep_cursor=False)

    def _row(self, name: str) -> RowText:
        marks = [("✓ " if name in self._on else "  ", "good")] if self._on else []
        return RowText((RowLine([*marks, (name, "")], [(self._details.get(name, ""), "muted")]),))

    @on(SearchBar.Moved)
    def move(self, event: SearchBar.Moved) -> None:
        """Move the cursor while the typing goes on."""
        self.query_one("#pick-rows", RowList).step(event.rows)

    @on(SearchBar.Accepted)
    @on(RowList.Chosen)
    def accept(self) -> None:
        """Answer with the name under the cursor, or with what was typed."""
        rows = self.query_one("#pick-rows", RowList)
        typed = self.query_one(SearchBar).value.strip()
        if self._shown and rows.cursor is not None:
            self.dismiss(self._shown[rows.cursor])
        elif typed and self._new:
            self.dismiss(typed)

    @on(SearchBar.Dismissed)
    def action_cancel(self) -> None:
        """Answer with None."""
        self.dismiss(None)


class ChoiceDialog(ModalScreen[str | None]):
    """Choose one of a few things to do, the most likely one first; answers None when it is left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", id="dialog.cancel")]
    DEFAULT_CSS = """
    ChoiceDialog #choice-rows { height: auto; max-height: 35vh; }
    ChoiceDialog #choice-text { height: auto; max-height: 25vh; margin-bottom: 1; }
    """

    def __init__(self, title: str, choices: Sequence[tuple[str, str, str]], *, text: str = "") -> None:
        """Ask.

        Args:
            title: the question.
            choices: answer, its words, and a line that explains it.
            text: what one needs to know to choose.
        """
        super().__init__()
        self._title = title
        self._choices = tuple(choices)
        self._text = text

    def compose(self) -> ComposeResult:
        """Lay out the question and the choices; both stay in sight, and a long text scrolls between them (tab)."""
        with Vertical(classes="dialog"):
            yield Words(self._title, classes="dialog-title")
            if self._text:
                with VerticalScroll(id="choice-text"):
                    yield Words(self._text)
            yield RowList(row_height=2, id="choice-rows")

    def on_mount(self) -> None:
        """Rest on the first choice."""
        rows = self.query_one(RowList)
        rows.set_rows(
            ListRows(self._choices, lambda one: RowText(([(one[1], "title")], [("  " + one[2], "muted")])))
        )
        rows.focus()

    @on(RowList.Chosen)
    def take(self, event: RowList.Chosen) -> None:
        """Answer with the choice under the cursor."""
        event.stop()
        self.dismiss(self._choices[event.index][0])

    def action_cancel(self) -> None:
        """Answer with None."""
        self.dismiss(None)


class ConfirmDialog(ModalScreen[bool]):
    """Ask a yes-or-no question; no is the default."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="dialog.yes"),
        Binding("n,escape", "answer(False)", "No", id="dialog.no"),
    ]
    YES_KEY: ClassVar[str] = "y"
    """The key that the button names."""

    def __init__(self, title: str, text: str = "", *, yes: str = "Yes", no: str = "No") -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._yes = yes
        self._no = no

    def compose(self) -> ComposeResult:
        """Lay out the question and two buttons."""
        with VerticalScroll(classes="dialog"):
            yield Words(self._title, classes="dialog-title")
            if self._text:
                yield Words(self._text, classes="dialog-text")
            with Horizontal(classes="buttons"):
                yield Button(Content(f"{self._no}  n"), id="no")
                yield Button(Content(f"{self._yes}  {self.YES_KEY}"), id="yes", variant="primary")

    def on_mount(self) -> None:
        """Rest on the harmless answer."""
        self.query_one("#no", Button).focus()

    def action_answer(self, answer: bool) -> None:
        """Answer."""
        self.dismiss(answer)

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Take a button for its key."""
        event.stop()
        self.dismiss(event.button.id == "yes")


class LeaveDialog(ConfirmDialog):
    """Ask whether to quit while something runs; the key that asked to quit agrees, too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+q", "answer(True)", "Quit", id="dialog.leave", show=False)
    ]
    YES_KEY = "q"

    def __init__(self, running: Sequence[str]) -> None:
        super().__init__(
            "Quit while something runs?",
            "At work: "
            + "; ".join(running)
            + ".\n\nQuitting stops it. What the forge was asked for already stays; "
            "of a clone nothing is left. The contribution goes on where it stands when you come back.",
            yes="Quit",
            no="Stay",
        )


class MessageDialog(ModalScreen[None]):
    """Show words that must be read; any of the usual keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss", "Close", id="dialog.close"),
        Binding("y", "copy", "Copy", id="dialog.copy"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """Lay out the title and the words."""
        with VerticalScroll(classes="dialog"):
            yield Words(self._title, classes="dialog-title")
            yield Words(self._text, classes="dialog-text")
            with Horizontal(classes="buttons"):
                yield Button(Content("Copy  y"), id="copy")
                yield Button(Content("Close  esc"), id="close", variant="primary")

    def on_mount(self) -> None:
        """Rest on the words: a button at their end would scroll their beginning away."""
        self.query_one(".dialog", VerticalScroll).focus()

    def action_copy(self) -> None:
        """Copy the words."""
        self.app.copy_to_clipboard(self._text)
        self.app.notify("Copied.")

    @on(Button.Pressed)
    def press(self, event: Button.Pressed) -> None:
        """Take a button for its key."""
        event.stop()
        if event.button.id == "copy":
            self.action_copy()
        else:
            self.dismiss(None)
