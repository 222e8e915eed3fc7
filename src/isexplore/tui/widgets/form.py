"""`Form`: questions with their answers, one below the other.

    form = Form([Field("title", "Title", default="Fix it"), Field("draft", "Open as a draft", "yesno")])
    form.values()                    # {"title": "Fix it", "draft": False}
    form.check()                     # False when a required answer is missing; says so at the field
    form.complain("title", "...")    # what is wrong with an answer

Enter goes to the next question, and after the last one posts `Form.Submitted`; in a text of several lines it
makes a new line.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal, NamedTuple, Protocol, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalGroup, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Checkbox, Input, TextArea

from isexplore.text import clean, clean_line
from isexplore.tui.text import cells
from isexplore.tui.widgets.rows import RowList, RowSource, RowText
from isexplore.tui.widgets.words import Words

FieldKind = Literal["text", "multiline", "choice", "yesno", "folder", "secret"]
MAX_FOLDERS = 2_000
"""Entries of a folder looked at for a suggestion."""


class Field(NamedTuple):
    """One question."""

    key: str
    """What `Form.values` calls the answer."""
    label: str
    kind: FieldKind = "text"
    default: str | bool = ""
    """The answer to begin with; for yes and no: True, "yes", or anything else for no."""
    choices: Sequence[tuple[str, str]] = ()
    """Pairs of value and label, for a choice."""
    help: str = ""
    """One line below the question."""
    required: bool = False
    placeholder: str = ""


class Asked(Protocol):
    """What `fields_of` needs to know of a question."""

    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def label(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> Literal["text", "multiline", "choice", "folder", "yesno"]: ...  # noqa: D102
    @property
    def default(self) -> str: ...  # noqa: D102
    @property
    def choices(self) -> Sequence[tuple[str, str]]: ...  # noqa: D102
    @property
    def help(self) -> str: ...  # noqa: D102
    @property
    def required(self) -> bool: ...  # noqa: D102


def fields_of(questions: Iterable[Asked]) -> tuple[Field, ...]:
    """Return the fields for the questions of a step."""
    return tuple(
        Field(
            question.key,
            question.label,
            question.kind,
            question.default,
            tuple((value, label) for value, label in question.choices),
            question.help,
            question.required,
        )
        for question in questions
    )


class _ChoiceRows(RowSource):
    def __init__(self, choices: Sequence[tuple[str, str]], chosen: int) -> None:
        self.choices = choices
        self.chosen = chosen

    def __len__(self) -> int:
        return len(self.choices)

    def row(self, index: int) -> RowText:
        mark = "(x) " if index == self.chosen else "( ) "
        return RowText(([(mark, "accent"), (self.choices[index][1], "")],))


class ChoiceList(RowList):
    """A few answers of which the one under the cursor is taken."""

    DEFAULT_CSS = """
    ChoiceList { height: auto; max-height: 8; }
    """

    def __init__(self, choices: Sequence[tuple[str, str]], value: str) -> None:
        super().__init__(empty="There is nothing to choose from.")
        values = [choice for choice, _ in choices]
        self._choices = _ChoiceRows(choices, values.index(value) if value in values else 0)

    @property
    def value(self) -> str:
        """The answer; "" when there is nothing to choose from."""
        choices = self._choices.choices
        return choices[self.cursor][0] if self.cursor is not None else ""

    def on_mount(self) -> None:
        """Show the choices, with the cursor on the default."""
        chosen = self._choices.chosen
        self.set_rows(self._choices)
        self.move_cursor(chosen)
        self.watch(self, "cursor", self._mark)

    def _mark(self, index: int | None) -> None:
        """Mark the answer that is taken."""
        if index is not None:
            self._choices.chosen = index
            self.refresh_rows()


class TickBox(Checkbox):
    """Yes or no, as `[x]` or `[ ]`: told apart without colours. Space ticks; enter goes on, as in a line."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "go_on", "Go on", show=False)]

    class Passed(Message):
        """Enter was pressed."""

        def __init__(self, box: TickBox) -> None:
            super().__init__()
            self.box = box

        @property
        def control(self) -> TickBox:
            """The box."""
            return self.box

    def action_go_on(self) -> None:
        """Leave it as it is."""
        self.post_message(self.Passed(self))

    @property
    def _button(self) -> Content:
        style = self.get_visual_style("toggle--button")
        return Content.assemble(("[x]" if self.value else "[ ]", style))


class EndInput(Input):
    """A line whose end matters most, such as a folder: the end is in sight before anything is typed."""

    def on_resize(self) -> None:
        """Show the end, now that it is known how much fits."""
        size = cells(self.value) + 1
        self.virtual_size = Size(size, 1)
        self.scroll_to(x=max(0, size - self.scrollable_content_region.width), animate=False, force=True)


class LongText(TextArea):
    """A text of several lines, with the keys for its beginning and its end."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+home", "go_to_start", "Start of the text", show=False),
        Binding("ctrl+end", "go_to_end", "End of the text", show=False),
    ]

    def action_go_to_start(self) -> None:
        """Put the cursor before the first word."""
        self.move_cursor(self.document.start)

    def action_go_to_end(self) -> None:
        """Put the cursor behind the last word."""
        self.move_cursor(self.document.end)


class FolderSuggester(Suggester):
    """Completes the path of a folder, as a shell does."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Return the path of the first folder that begins like `value`."""
        return await asyncio.to_thread(complete_folder, value)


def complete_folder(value: str) -> str | None:
    """Return `value` completed to a folder that exists; None when there is none."""
    parent, _, start = value.rpartition("/")
    if not value.startswith(("/", "~")):
        return None
    try:
        with os.scandir(os.path.expanduser(parent or "/")) as entries:
            names = [
                entry.name for _, entry in zip(range(MAX_FOLDERS), entries, strict=False) if entry.is_dir()
            ]
    except OSError:
        return None
    found = sorted(
        name
        for name in names
        if name.startswith(start) and name.isprintable() and (start or not name.startswith("."))
    )
    return f"{parent}/{found[0]}" if found else None


class Form(VerticalGroup):
    """Questions and their answers."""

    DEFAULT_CSS = """
    Form {
        height: auto;

        & > .form-label { text-style: bold; margin-top: 1; }
        & > .form-help { color: $text-muted; &:ansi { text-style: dim; } }
        & > .form-error { color: $text-error; display: none; }
        & > .form-error.-shown { display: block; }
        & > Input, & > TextArea, & > ChoiceList { margin: 0; }
        & > TextArea { height: 8; }
        & > Checkbox { border: none; padding: 0; margin-top: 1; background: transparent; }
    }
    """

    class Submitted(Message):
        """Enter on the last question, with nothing missing."""

        def __init__(self, form: Form) -> None:
            super().__init__()
            self.form = form

        @property
        def control(self) -> Form:
            """The form."""
            return self.form

    MISSING: ClassVar[str] = "This is needed."

    def __init__(self, fields: Sequence[Field], *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._fields = tuple(fields)
        self._inputs: dict[str, Widget] = {}
        self._tops: dict[str, Widget] = {}
        """Where each question begins."""
        self._errors: dict[str, Words] = {}

    def compose(self) -> ComposeResult:
        """Lay out label, help, input and a line for what is wrong, question by question."""
        for field in self._fields:
            answer = self._inputs[field.key] = self._tops[field.key] = _input(field)
            if field.kind != "yesno":
                self._tops[field.key] = Words(clean_line(field.label), classes="form-label")
                yield self._tops[field.key]
            if field.kind == "yesno":
                yield answer
            if field.help:
                yield Words(field.help, classes="form-help")
            if field.kind != "yesno":
                yield answer
            error = self._errors[field.key] = Words(classes="form-error")
            yield error

    def focus_first(self, *, scroll: bool = True) -> None:
        """Put the focus on the first question, and scroll there."""
        for answer in self._inputs.values():
            answer.focus(scroll_visible=scroll)
            return

    def focus_on(self, key: str) -> None:
        """Put the focus on one question, and scroll there."""
        self._inputs[key].focus(scroll_visible=False)

    def answer_anew(self) -> None:
        """Put the focus on the first question, its answer selected: what is pasted or typed takes its place."""
        self.focus_first()
        for answer in self._inputs.values():
            if isinstance(answer, Input):
                answer.select_all()
            return

    def show_first(self) -> None:
        """Bring the whole first question into sight, and what stands above it as far as there is room."""
        for field in self._fields[:1]:
            self._show(field.key)

    def on_descendant_focus(self) -> None:
        """Bring the whole question into sight: its label too, where there is room for both."""
        # After Textual has brought the answer alone to the middle, which it does after a refresh.
        self.call_after_refresh(self.call_after_refresh, self.show_focused)

    def show_focused(self) -> None:
        """Bring the question with the focus into sight; nothing where none has it."""
        for key, answer in self._inputs.items():
            if answer.has_focus:
                self._show(key)

    def _show(self, key: str) -> None:
        # At once: where the second is scrolled to depends on where the first was.
        self._inputs[key].scroll_visible(animate=False, immediate=True)
        self._tops[key].scroll_visible(animate=False, immediate=True)

    def ends_with(self, answer: Widget) -> bool:
        """Return whether enter in this answer submits the form."""
        return [*self._inputs.values()][-1] is answer

    def values(self) -> dict[str, str | bool]:
        """Return the answers by key: text without spaces around it, a choice's value, True for yes."""
        return {key: _value(answer) for key, answer in self._inputs.items()}

    def complain(self, key: str, words: str) -> None:
        """Say what is wrong with an answer and go there; "" takes it back."""
        error = self._errors[key]
        error.say(words)
        error.set_class(bool(words), "-shown")
        if words:
            self._inputs[key].focus(scroll_visible=False)
            # The whole question with what is wrong; that has a place only after the next layout.
            self.call_after_refresh(self._tops[key].scroll_visible, animate=False, top=True, force=True)

    def check(self) -> bool:
        """Return whether every required answer is there; say at the first field where one is not."""
        missing = [
            field.key for field in self._fields if field.required and not _value(self._inputs[field.key])
        ]
        for field in self._fields:
            self.complain(field.key, "")
        if missing:
            self.complain(missing[0], self.MISSING)
        return not missing

    @on(Input.Submitted)
    @on(RowList.Chosen)
    @on(TickBox.Passed)
    def _go_on(self, event: Input.Submitted | RowList.Chosen | TickBox.Passed) -> None:
        event.stop()
        answers = list(self._inputs.values())
        at = next(number for number, answer in enumerate(answers) if answer is event.control)
        if at + 1 < len(answers):
            answers[at + 1].focus()
        elif self.check():
            self.post_message(self.Submitted(self))

    @on(RowList.Highlighted)
    def _keep(self, event: RowList.Highlighted) -> None:
        event.stop()


class FormPane(VerticalScroll, can_focus=False):
    """What a form scrolls in: when its height changes, the question with the focus stays in sight."""

    def on_resize(self) -> None:
        """Scroll to the question."""
        for form in self.query(Form):
            self.call_after_refresh(form.show_focused)


def _input(field: Field) -> Widget:
    default = field.default if isinstance(field.default, str) else ""
    if field.kind == "yesno":
        return TickBox(Content(clean_line(field.label)), field.default in (True, "yes"), compact=True)
    if field.kind == "choice":
        return ChoiceList([(value, clean_line(label)) for value, label in field.choices], default)
    if field.kind == "multiline":
        area = LongText(clean(default), soft_wrap=True, show_line_numbers=False)
        # Behind the words that are there: enter would push them down from in front of them.
        area.move_cursor((0, len(area.document.get_line(0))))
        return area
    kind = EndInput if field.kind == "folder" else Input
    return kind(
        clean_line(default, 4_000),
        placeholder=clean_line(field.placeholder),
        password=field.kind == "secret",
        suggester=FolderSuggester() if field.kind == "folder" else None,
        select_on_focus=False,
    )


def _value(answer: Widget) -> str | bool:
    if isinstance(answer, Checkbox):
        return answer.value
    if isinstance(answer, TextArea):
        return answer.text.strip()
    if isinstance(answer, ChoiceList):
        return answer.value
    return cast("Input", answer).value.strip()
