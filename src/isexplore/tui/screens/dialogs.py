"""Small conversations on top of a screen: ask, confirm, read a message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button

from isexplore.tui.widgets.form import Field, Form
from isexplore.tui.widgets.words import Words


class AskDialog(ModalScreen[dict[str, str | bool] | None]):
    """Ask for one or more values; answers None when it is left with escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="dialog.cancel"),
        Binding("ctrl+s", "accept", "Go on", id="dialog.accept", priority=True),
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
        """Lay out the title, the words, the fields and two buttons."""
        with VerticalScroll(classes="dialog"):
            yield Words(self._title, classes="dialog-title")
            if self._text:
                yield Words(self._text, classes="dialog-text")
            if self._error:
                yield Words(self._error, classes="dialog-error")
            yield Form(self._fields)
            with Horizontal(classes="buttons"):
                yield Button(Content("Cancel  esc"), id="cancel")
                yield Button(Content(f"{self._accept}  ctrl+s"), id="accept", variant="primary")

    def on_mount(self) -> None:
        """Put the cursor into the first field."""
        self.query_one(Form).focus_first()

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


class ConfirmDialog(ModalScreen[bool]):
    """Ask a yes-or-no question; no is the default."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="dialog.yes"),
        Binding("n,escape", "answer(False)", "No", id="dialog.no"),
    ]

    def __init__(self, title: str, text: str = "", *, yes: str = "Yes", no: str = "No") -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._yes = yes
        self._no = no

    def compose(self) -> ComposeResult:
        """Lay out the question and two buttons."""
        with Vertical(classes="dialog"):
            yield Words(self._title, classes="dialog-title")
            if self._text:
                yield Words(self._text, classes="dialog-text")
            with Horizontal(classes="buttons"):
                yield Button(Content(f"{self._no}  n"), id="no")
                yield Button(Content(f"{self._yes}  y"), id="yes", variant="primary")

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
        """Rest on the button that closes."""
        self.query_one("#close", Button).focus()

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
