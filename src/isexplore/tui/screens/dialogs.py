"""Small conversations on top of a screen: ask, confirm, read a message."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, TextArea

from isexplore.tui.widgets.form import Field, Form, FormPane, TickBox
from isexplore.tui.widgets.key_line import KeyLine
from isexplore.tui.widgets.rows import ListRows, RowLine, RowList, RowText
from isexplore.tui.widgets.search_bar import SearchBar
from isexplore.tui.widgets.words import Words


class AskDialog(ModalScreen[dict[str, str | bool] | None]):
    """Ask for one or more values; answers None when it is left with escape."""

    DEFAULT_CSS = """
    AskDialog {
        /* The place of the scroll bar is kept: the words would be wrapped anew when it comes. */
        #dialog-body { height: auto; max-height: 80vh; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }
        .dialog-error { color: $text-error; height: auto; }
        TextArea { height: auto; min-height: 5; max-height: 10; }
        &.-deaf .buttons { visibility: hidden; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="dialog.cancel"),
        # Without priority: it must not overtake keys that the fields have not handled yet.
        Binding("ctrl+s", "accept", "Go on", show=False, id="dialog.accept"),
    ]
    AUTO_FOCUS = ""
    KEYS_AFTER: ClassVar[float] = 0.7
    """Seconds for which a dialog that comes late takes no keys but escape: they were meant for something else."""

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        *,
        text: str = "",
        accept: str = "Go on",
        error: str = "",
        checks: Mapping[str, Callable[[str], str]] | None = None,
        late: bool = False,
        begin_at: str = "",
    ) -> None:
        """Ask.

        Args:
            title: the question.
            fields: what is asked.
            text: what one needs to know to answer.
            accept: what the answers are for, in one word.
            error: what went wrong with the answers before.
            checks: by key of a field: return what is wrong with an answer, "" where nothing is.
            late: it comes when the person may be typing something else already.
            begin_at: key of the field to begin in; the first where none is named.
        """
        super().__init__()
        self._title = title
        self._text = text
        self._begin_at = begin_at
        self._fields = tuple(fields)
        self._accept = accept
        self._error = error
        self._checks = checks or {}
        self._deaf = late and self.KEYS_AFTER > 0

    def compose(self) -> ComposeResult:
        """Lay out the title, the words and the fields; two buttons and what enter does stay in sight."""
        with Vertical(classes="dialog") as dialog:
            # Without this, tab would find a field.
            dialog.can_focus_children = not self._deaf
            with FormPane(id="dialog-body"):
                yield Words(self._title, classes="dialog-title")
                if self._text:
                    yield Words(self._text, classes="dialog-text")
                if self._error:
                    yield Words(self._error, id="dialog-error", classes="dialog-error")
                yield Form(self._fields)
            with Horizontal(classes="buttons"):
                yield Button(Content("Cancel  esc"), id="cancel", compact=True)
                yield Button(Content(f"{self._accept}  ctrl+s"), id="accept", variant="primary", compact=True)
        yield KeyLine()

    def on_mount(self) -> None:
        """Begin, at once or after a moment."""
        if self._deaf:
            self.add_class("-deaf")
            self._say_moment("One moment...")
            self.set_timer(self.KEYS_AFTER, self.listen)
        else:
            self._begin()

    def listen(self) -> None:
        """Take keys from now on."""
        self._deaf = False
        self._say_moment("")
        self.remove_class("-deaf")
        self.query_one(".dialog").can_focus_children = True
        self._begin()

    def _say_moment(self, words: str) -> None:
        self.query_one(".dialog").border_subtitle = Content(words)

    def _begin(self) -> None:
        """Put the cursor into the first field, or the one that it is about; with what went wrong in sight."""
        form = self.query_one(Form)
        if self._begin_at:
            # That scrolls there.
            form.focus_on(self._begin_at)
            return
        form.focus_first(scroll=False)
        self.call_after_refresh(self._show_error if self._error else form.show_first)

    def _show_error(self) -> None:
        dialog = self.query_one("#dialog-body", VerticalScroll)
        dialog.scroll_to_widget(self.query_one("#dialog-error"), animate=False, top=True, force=True)

    @property
    def keys_told(self) -> tuple[tuple[str, str], ...]:
        """What the field with the focus does itself; nothing while keys are not taken."""
        form, widget = self.query(Form), self.focused
        if widget is None or not form:
            return ()
        accept = ("ctrl+s", self._accept)
        if isinstance(widget, TextArea):
            return ("enter", "New line"), accept, ("tab", "Next")
        if isinstance(widget, Button):
            return ("enter", "Press"), accept
        tick = (("space", "Yes or no"),) if isinstance(widget, TickBox) else ()
        if form.first().ends_with(widget):
            return ("enter", self._accept), *tick
        return ("enter", "Next"), accept, *tick

    def on_descendant_focus(self) -> None:
        """Name the keys of what has the focus now."""
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Take no answer from keys that were meant for something else."""
        return not (action == "accept" and self._deaf)

    @on(Form.Submitted)
    def action_accept(self) -> None:
        """Answer with the values, once none that is needed is missing and none is wrong."""
        form = self.query_one(Form)
        if not form.check():
            return
        values = form.values()
        for key, check in self._checks.items():
            if key in values and (wrong := check(str(values[key]))):
                form.complain(key, wrong)
                return
        self.dismiss(values)

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

    # The search line takes escape itself.
    keys_told = (("enter", "Choose"), ("escape", "Cancel"))

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
        yield KeyLine()

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
    """Choose one of a few things to do, the most likely one first; answers None when it is left.

    Only the choices take the focus: what looks chosen is what enter takes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="dialog.cancel"),
        Binding("tab", "scroll_text(1)", "More of the text", id="dialog.text-down"),
        Binding("shift+tab", "scroll_text(-1)", "The text before", show=False, id="dialog.text-up"),
    ]
    keys_told = (("enter", "Choose"),)
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
                with VerticalScroll(id="choice-text", can_focus=False):
                    yield Words(self._text)
            yield RowList(row_height=2, id="choice-rows")
        yield KeyLine()

    def on_mount(self) -> None:
        """Rest on the first choice."""
        rows = self.query_one(RowList)
        rows.set_rows(
            ListRows(self._choices, lambda one: RowText(([(one[1], "title")], [("  " + one[2], "muted")])))
        )
        rows.focus()
        # Whether the text is longer than its place is known only now.
        self.call_after_refresh(self.refresh_bindings)

    def on_resize(self) -> None:
        """Name the key that reads on where the text has become longer than its place."""
        self.call_after_refresh(self.refresh_bindings)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to read on where the text is longer than its place."""
        if action == "scroll_text":
            return any(text.max_scroll_y for text in self.query("#choice-text").results(VerticalScroll))
        return True

    def action_scroll_text(self, pages: int) -> None:
        """Scroll the text by pages."""
        for text in self.query("#choice-text").results(VerticalScroll):
            text.scroll_relative(y=pages * max(1, text.size.height - 1), animate=False)

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
        Binding("y", "answer(True)", "Yes", show=False, id="dialog.yes"),
        Binding("n,escape", "answer(False)", "No", show=False, id="dialog.no"),
    ]
    YES_KEY: ClassVar[str] = "y"
    """The key that the button names."""

    def __init__(self, title: str, text: str = "", *, yes: str = "Yes", no: str = "No") -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._yes = yes
        self._no = no

    @property
    def keys_told(self) -> tuple[tuple[str, str], ...]:
        """Both answers by their own words, and the key of the button with the focus."""
        return ("n", self._no), (self.YES_KEY, self._yes), ("enter", "Press"), ("tab", "Other button")

    def compose(self) -> ComposeResult:
        """Lay out the question and two buttons."""
        with VerticalScroll(classes="dialog"):
            yield Words(self._title, classes="dialog-title")
            if self._text:
                yield Words(self._text, classes="dialog-text")
            with Horizontal(classes="buttons"):
                yield Button(Content(f"{self._no}  n"), id="no")
                yield Button(Content(f"{self._yes}  {self.YES_KEY}"), id="yes", variant="primary")
        yield KeyLine()

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
        super().__init__("Quit while something runs?", self._words(running), yes="Quit", no="Stay")

    @staticmethod
    def _words(running: Sequence[str]) -> str:
        return (
            "At work: "
            + "; ".join(running)
            + ".\n\nQuitting stops it. What the forge was asked for already stays; "
            "of a clone nothing is left. The contribution goes on where it stands when you come back."
        )

    def now_runs(self, running: Sequence[str]) -> None:
        """Say what is still at work; close where nothing is, since there is nothing left to ask."""
        if running:
            self.query_one(".dialog-text", Words).say(self._words(running))
        else:
            self.notify("The step has ended, and you are still here: q quits.")
            self.dismiss(False)


class MessageDialog(ModalScreen[None]):
    """Show words that must be read; any of the usual keys closes it."""

    DEFAULT_CSS = """
    MessageDialog #dialog-body { height: auto; max-height: 80vh; scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "dismiss", "Close", id="dialog.close"),
        Binding("y", "copy", "Copy", id="dialog.copy"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """Lay out the title and the words, which scroll above two buttons that stay in sight."""
        with Vertical(classes="dialog"):
            with VerticalScroll(id="dialog-body"):
                yield Words(self._title, classes="dialog-title")
                yield Words(self._text, classes="dialog-text")
            with Horizontal(classes="buttons"):
                yield Button(Content("Copy  y"), id="copy", compact=True)
                yield Button(Content("Close  esc"), id="close", variant="primary", compact=True)
        yield KeyLine()

    def on_mount(self) -> None:
        """Rest on the words: the keys that scroll are theirs."""
        self.query_one("#dialog-body", VerticalScroll).focus()

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
