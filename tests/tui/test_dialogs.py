"""Dialogs: no key is lost, enter goes on, what went wrong is in sight on a small screen, quitting asks."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.app import App
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, TextArea

import isexplore.tui.app
from isexplore.errors import ForgeError
from isexplore.journey import steps
from isexplore.journey.states import StepReport
from isexplore.tui.app import IsexploreApp
from isexplore.tui.screens.dialogs import (
    AskDialog,
    ChoiceDialog,
    ConfirmDialog,
    LeaveDialog,
    MessageDialog,
    PickDialog,
)
from isexplore.tui.screens.document_dialogs import OutlineDialog
from isexplore.tui.screens.step_dialog import step_dialog
from isexplore.tui.widgets.form import Field
from tests.support.tui import HostApp, frame, settle, until
from tests.support.world import at_the_screen, services_for

SMALL = (80, 24)
CSS = (Path(isexplore.tui.app.__file__).parent / IsexploreApp.CSS_PATH).read_text()
WHY = "A clone is the project with its history in a folder on your machine, for changing and testing. " * 4


def ask(app: App[Any], dialog: ModalScreen[Any]) -> list[Any]:
    """Show a dialog; return the list that its answer will be in."""
    answers: list[Any] = []
    app.push_screen(dialog, answers.append)
    return answers


@pytest.mark.parametrize("kind", ["text", "multiline"])
async def test_keys_that_were_typed_before_ctrl_s_are_in_the_answer(kind: Any) -> None:
    app = HostApp(css=CSS)
    async with app.run_test(size=SMALL) as pilot:
        answers = ask(app, AskDialog("Commit", (Field("message", "Message", kind),)))
        await settle(pilot)
        for key in "abcx":
            app.post_message(events.Key(key, key))
        app.post_message(events.Key("backspace", None))
        app.post_message(events.Key("ctrl+s", None))
        await until(lambda: answers)
        assert answers == [{"message": "abc"}]


async def test_enter_goes_from_question_to_question_and_runs_after_the_last() -> None:
    fields = (
        Field("title", "Title"),
        Field("draft", "As a draft", "yesno", True),
        Field("name", "Name"),
        Field("sign", "Sign off", "yesno"),
    )
    app = HostApp(css=CSS)
    async with app.run_test(size=SMALL) as pilot:
        answers = ask(app, AskDialog("Propose", fields))
        await settle(pilot)
        await pilot.press("a", "enter", "enter", "b", "enter", "space", "enter")
        await settle(pilot)
        assert answers == [{"title": "a", "draft": True, "name": "b", "sign": True}]


async def test_what_went_wrong_is_in_sight_on_a_small_screen() -> None:
    fields = (Field("folder", "Clone into", "folder", "/src/a", help="The folder is made."),)
    app = HostApp(css=CSS)
    async with app.run_test(size=SMALL):
        ask(app, AskDialog("Clone", fields, text=WHY * 3, error="/src/a is in the way: it is not empty"))
        await until(lambda: "is in the way" in frame(app))
        assert "Clone into" in frame(app)
        assert isinstance(app.focused, Input)


async def test_the_field_that_lacks_an_answer_is_in_sight_with_the_reason() -> None:
    fields = (
        Field("title", "Title of it", required=True),
        *(Field(f"text{number}", f"Text {number}", "multiline") for number in range(3)),
    )
    app = HostApp(css=CSS)
    async with app.run_test(size=SMALL) as pilot:
        ask(app, AskDialog("Propose", fields, text=WHY))
        await settle(pilot)
        app.screen.query(TextArea).last().focus()
        await until(lambda: "Title of it" not in frame(app))
        await pilot.press("ctrl+s")
        await until(lambda: "Title of it" in frame(app))
        assert "This is needed." in frame(app)


async def test_a_long_question_scrolls_and_its_buttons_are_in_sight() -> None:
    app = HostApp(css=CSS)
    async with app.run_test(size=SMALL):
        ask(app, ConfirmDialog("Really?", WHY * 6))
        await until(lambda: "Yes  y" in frame(app))
        assert app.screen.query_one(VerticalScroll).max_scroll_y > 0


async def test_a_long_text_leaves_the_question_and_the_choices_in_sight() -> None:
    choices = [(name, f"Choice {name}", "What it does.") for name in "abcdef"]
    app = HostApp(css=CSS)
    async with app.run_test(size=SMALL) as pilot:
        answers = ask(app, ChoiceDialog("What do you want to do?", choices, text=WHY * 9 + "The end."))
        await until(lambda: "Choice a" in frame(app))
        assert "What do you want to do?" in frame(app)
        assert "The end." not in frame(app)
        await until(lambda: "tab More of the text" in frame(app))
        for _ in range(9):
            await pilot.press("tab")
        await until(lambda: "The end." in frame(app))
        # Whatever tab did, the choices have the keys.
        await pilot.press("end")
        await until(lambda: "Choice f" in frame(app))
        await pilot.press("enter")
        await until(lambda: answers)
        assert answers == ["f"]


async def test_quitting_while_a_step_runs_asks_and_the_second_q_leaves(tmp_path: Path) -> None:
    async with at_the_screen(services_for(tmp_path, "http://127.0.0.1:9", "token"), size=SMALL) as person:
        app = person.app
        app.running["1"] = "the step “clone” of payments/retry-queue"
        await person.press("q")
        await person.sees_words(
            "Quit while something runs?", "clone", "payments/retry-queue", "Quit q", "Stay n"
        )
        await person.press("n")
        assert not isinstance(app.screen, LeaveDialog)
        assert app.return_code is None
        await person.press("q", "q")
        await until(lambda: app.return_code is not None)
        assert app.return_code == 0


async def test_an_empty_list_says_that_it_is_being_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    from isexplore import updates
    from isexplore.catalog.reports import SyncProgress
    from isexplore.errors import UnavailableError

    gone_on = asyncio.Event()

    async def refresh_beside(services: object, progressed: Any) -> None:
        progressed(SyncProgress(forge="work", phase="listing", projects=22, total=36))
        await gone_on.wait()
        raise UnavailableError("The forge does not answer", "", "Look at the network")

    monkeypatch.setattr(updates, "refresh_beside", refresh_beside)
    async with at_the_screen(services_for(tmp_path, "http://127.0.0.1:9", "token"), size=SMALL) as person:
        await person.sees_words("they appear here by themselves", "work: found 22 of 36 projects")
        assert "The catalog is empty" not in person.sees
        gone_on.set()
        await person.sees_words("The forge does not answer. Look at the network. r tries again.")


CLAIM = (
    Field(
        "how",
        "How do you want to claim it?",
        "choice",
        "assign",
        (("assign", "Assign it to me"), ("comment", "Ask in a comment"), ("skip", "Do not claim it")),
        "Where you may not assign yourself, isexplore asks in a comment instead.",
    ),
    Field(
        "comment",
        "Comment",
        "multiline",
        "Hello! I would like to work on this issue. Is it still free?",
        help="Everybody who can see the project can read it.",
    ),
)


async def test_the_claim_is_in_sight_whole_on_a_small_screen_with_its_buttons_and_keys() -> None:
    why = steps.explain("claim").why
    app = HostApp(css=CSS)
    async with app.run_test(size=SMALL) as pilot:
        answers = ask(app, AskDialog("Claim the issue", CLAIM, text=why, accept="Run"))
        await until(lambda: "enter Next" in frame(app) and "Is it still free?" in frame(app))
        shown = frame(app)
        assert "Claim the issue" in shown
        assert "How do you want to claim it?" in shown
        assert shown.index("Cancel  esc") < shown.index("Run  ctrl+s")
        assert shown.splitlines()[-1] == "enter Next ctrl+s Run esc Cancel"
        await pilot.press("enter")
        await until(lambda: "enter New line" in frame(app))
        await pilot.press("enter", "x", "ctrl+s")
        await until(lambda: answers)
        assert answers == [{"how": "assign", "comment": f"{CLAIM[1].default}\nx"}]


async def test_the_last_line_names_the_keys_of_the_dialog_and_none_of_the_screen_behind(
    tmp_path: Path,
) -> None:
    async with at_the_screen(services_for(tmp_path, "http://127.0.0.1:9", "token"), size=SMALL) as person:

        def last_line() -> str:
            return person.sees.rpartition("\n")[2]

        def is_last(keys: str) -> bool:
            return last_line() == keys

        app = person.app
        await person.until(lambda: "c Contribute" in last_line())
        dialogs: tuple[tuple[ModalScreen[Any], str], ...] = (
            (AskDialog("Note", (Field("note", "Note"),), accept="Save"), "enter Save esc Cancel"),
            (PickDialog("Which file?", ["README.md"]), "enter Choose esc Cancel"),
            (ChoiceDialog("What now?", [("a", "A", "The first.")]), "enter Choose esc Cancel"),
            (ConfirmDialog("Really?", yes="Begin", no="Leave it"),
             "n Leave it y Begin enter Press tab Other button"),
            (MessageDialog("Why?", "Because."), "esc Close y Copy"),
            (OutlineDialog("README", (), 1), "enter Go there esc Back"),
        )  # fmt: skip
        for dialog, keys in dialogs:
            app.push_screen(dialog)
            await person.until(partial(is_last, keys))
            app.pop_screen()
        await person.press("question_mark")
        await person.until(lambda: "esc Close" in last_line() and "c Contribute" not in last_line())


async def test_the_first_screens_name_the_key_that_goes_on(tmp_path: Path) -> None:
    services = services_for(tmp_path, "http://127.0.0.1:9", "token")
    async with at_the_screen(services, size=SMALL, first_run=True) as person:
        await person.sees_words("enter Choose c Connect p Practise")
        await person.press("enter")
        await person.sees_words("Address of your organisation's forge", "enter Go on esc Back")


async def test_on_ten_lines_the_question_with_the_focus_has_its_label_and_the_way_to_send(
    tmp_path: Path,
) -> None:
    services = services_for(tmp_path, "http://127.0.0.1:9", "token")
    async with at_the_screen(services, size=(40, 10)) as person:
        dialog = AskDialog("Claim the issue", CLAIM, text=steps.explain("claim").why, accept="Run")
        person.app.push_screen(dialog)
        await person.sees_words("How do you want to claim it?", "(x) Assign it to me", "ctrl+s Run")
        await person.press("tab")
        await person.sees_words("Comment", "Is it still free?", "enter New line ctrl+s Run")
        await person.press("shift+tab")
        await person.sees_words("How do you want to claim it?", "enter Next ctrl+s Run esc Cancel")


async def test_the_place_of_the_scroll_bar_is_kept_free() -> None:
    app = HostApp(css=CSS)
    async with app.run_test(size=(80, 50)) as pilot:
        ask(app, AskDialog("Claim the issue", CLAIM, text=WHY, accept="Run"))
        await settle(pilot)
        text = app.screen.query_one(".dialog-text")
        wide = text.size.width
        await pilot.resize_terminal(80, 20)
        await settle(pilot)
        assert app.screen.query_one("#dialog-body").max_scroll_y > 0
        assert text.size.width == wide


async def test_what_the_template_asks_is_answered_where_it_was_written_just_now() -> None:
    app = HostApp(css=CSS)
    async with app.run_test(size=SMALL) as pilot:
        dialog = step_dialog(
            StepReport(name="propose", title="Propose", state="ready", detail="ready"),
            steps.explain("propose"),
            (
                Field("title", "Title", default="New"),
                Field("body", "Description", "multiline", "What is new"),
            ),
            error=ForgeError("The forge said no"),
            given={"title": "Old", "body": "What is old"},
            branch_objection=lambda name: "",
            late=False,
            unanswered=("not ticked: make test",),
        )
        app.push_screen(dialog)
        await settle(pilot)
        written = app.screen.query_one(TextArea)
        assert app.focused is written
        assert written.text == "What is new"
        assert "not ticked: make test" in frame(app)


async def test_a_long_text_has_keys_for_its_beginning_and_end() -> None:
    app = HostApp(css=CSS)
    async with app.run_test(size=SMALL) as pilot:
        body = Field("body", "Description", "multiline", "\n".join(map(str, range(40))))
        answers = ask(app, AskDialog("Propose", (body,)))
        await settle(pilot)
        await pilot.press("ctrl+end", "x", "ctrl+home", "y", "ctrl+s")
        await until(lambda: answers)
        text = str(answers[0]["body"])
        assert text.startswith("y0\n")
        assert text.endswith("\n39x")


async def test_a_long_message_scrolls_and_its_buttons_are_in_sight() -> None:
    app = HostApp(css=CSS)
    async with app.run_test(size=SMALL) as pilot:
        app.push_screen(MessageDialog("Why is it here?", "\n".join(f"Reason {n}" for n in range(40))))
        await settle(pilot)
        assert "Why is it here?" in frame(app)
        assert "Copy  y" in frame(app)
        assert "Close  esc" in frame(app)
        await pilot.press("end")
        await settle(pilot)
        assert "Reason 39" in frame(app)
        assert "Close  esc" in frame(app)
