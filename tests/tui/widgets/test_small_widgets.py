"""Labels, tabs and forms."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

import pytest
from textual.content import Content
from textual.widgets import Input

from isexplore.tui.text import content
from isexplore.tui.widgets.form import ChoiceList, Field, Form, complete_folder, fields_of
from isexplore.tui.widgets.tabs import TabStrip
from isexplore.tui.widgets.words import Words
from tests.support.tui import CRASH_STRINGS, TERMINAL_PAYLOADS, HostApp, forbidden, frame, settle

# Words


async def test_words_show_any_text_as_it_is() -> None:
    hostile = (*CRASH_STRINGS, *TERMINAL_PAYLOADS)
    shapes = [Words(text) for text in hostile] + [Words(Content(text)) for text in hostile]
    changed = [Words("before") for _ in hostile]
    app = HostApp(*shapes, *changed, filtered=False)
    async with app.run_test(size=(70, 3 * len(hostile) + 20)) as pilot:
        for words, text in zip(changed, hostile, strict=True):
            words.say(content("said: ", (text, "bold")))
        await pilot.pause()
        shown = frame(app)
        assert forbidden(shown) <= {"\u0378"}
        for text in CRASH_STRINGS:
            assert shown.count(text) >= 3
            assert f"said: {text}" in shown
        await pilot.click(shapes[4])
        assert app.is_running


async def test_words_take_nothing_but_text() -> None:
    words = Words("x")
    async with HostApp(words).run_test(size=(70, 4)):
        with pytest.raises(TypeError, match="not int"):
            words.update(3)  # type: ignore[arg-type]
        assert words.words == "x"


# Tabs


async def test_tabs_are_turned_on_by_mouse_and_steps() -> None:
    tabs = TabStrip(("Overview", "README", "Issues"), {"Issues": "Issues 4"})
    app = HostApp(tabs)
    async with app.run_test(size=(60, 3), message_hook=app.seen.append) as pilot:
        assert frame(app).splitlines()[0] == "Overview   README   Issues 4"
        assert tabs.active == "Overview"
        await pilot.click(tabs, offset=(12, 0))
        tabs.move(1)
        tabs.move(1)
        tabs.move(-1)
        await pilot.pause()
        told = [message.name for message in app.told(TabStrip.Changed)]
        assert told == ["README", "Issues", "Overview", "Issues"]
        with pytest.raises(ValueError, match="no tab"):
            tabs.active = "Nothing"


async def test_the_active_tab_stays_on_when_tabs_change() -> None:
    tabs = TabStrip(("Overview", "README"))
    app = HostApp(tabs)
    async with app.run_test(size=(60, 3)) as pilot:
        tabs.active = "README"
        tabs.show(("Overview", "CONTRIBUTING", "README"))
        assert tabs.active == "README"
        tabs.show(("Overview",))
        assert tabs.active == "Overview"
        tabs.show(())
        tabs.move(1)
        await pilot.pause()
        assert tabs.active == ""


async def test_the_active_tab_is_in_sight_on_a_narrow_screen() -> None:
    names = tuple(f"Document {number}" for number in range(9))
    tabs = TabStrip(names)
    async with HostApp(tabs).run_test(size=(30, 3)) as pilot:
        for name in names:
            tabs.active = name
            await pilot.pause()
            assert name in frame(pilot.app)


async def test_tab_labels_are_text() -> None:
    tabs = TabStrip()
    app = HostApp(tabs, filtered=False)
    async with app.run_test(size=(90, 3)) as pilot:
        for words in (*CRASH_STRINGS, *TERMINAL_PAYLOADS):
            tabs.show(("a", words), {"a": words})
            tabs.active = words
            await pilot.pause()
            assert forbidden(frame(app)) <= {"\u0378"}
        await pilot.click(tabs, offset=(1, 0))
        assert app.is_running


# Forms

ALL = (
    Field("title", "Title", default="Fix it", required=True),
    Field(
        "target",
        "Where to",
        "choice",
        "own",
        (("group", "The group's"), ("own", "My own")),
        "One line of help.",
    ),
    Field("draft", "Open as a draft", "yesno", "yes"),
    Field("body", "Description", "multiline", "a\nb"),
    Field("folder", "Folder", "folder"),
    Field("token", "Token", "secret"),
)


async def test_a_form_has_its_defaults_and_takes_answers() -> None:
    form = Form(ALL)
    async with HostApp(form).run_test(size=(60, 60)) as pilot:
        assert form.values() == {
            "title": "Fix it",
            "target": "own",
            "draft": True,
            "body": "a\nb",
            "folder": "",
            "token": "",
        }
        form.focus_first()
        await pilot.press("!", "enter", "up", "enter", "space")
        form.query(Input).last().value = " s3cret "
        await pilot.pause()
        shown = frame(pilot.app)
        assert form.values() == {
            "title": "Fix it!",
            "target": "group",
            "draft": False,
            "body": "a\nb",
            "folder": "",
            "token": "s3cret",
        }
        assert "(x) The group's" in shown
        assert "( ) My own" in shown
        assert "One line of help." in shown
        assert "s3cret" not in shown


async def test_enter_on_the_last_question_submits_a_complete_form() -> None:
    form = Form((Field("name", "Name", required=True), Field("note", "Note")))
    app = HostApp(form)
    async with app.run_test(size=(60, 30), message_hook=app.seen.append) as pilot:
        form.focus_first()
        await pilot.press("enter", "x", "enter")
        await pilot.pause()
        assert app.told(Form.Submitted) == []
        assert Form.MISSING in frame(app)
        await pilot.press("n", "enter", "enter")
        await pilot.pause()
        assert [told.form for told in app.told(Form.Submitted)] == [form]
        assert Form.MISSING not in frame(app)
        assert form.values() == {"name": "n", "note": "x"}


async def test_a_complaint_is_shown_at_its_question() -> None:
    form = Form((Field("name", "Name"), Field("note", "Note")))
    async with HostApp(form).run_test(size=(60, 30)) as pilot:
        form.complain("note", "Too long [/] \x1b[2J")
        await pilot.pause()
        shown = frame(pilot.app)
        assert "Too long [/] " in shown
        assert shown.index("Note") < shown.index("Too long")
        form.complain("note", "")
        await pilot.pause()
        assert "Too long" not in frame(pilot.app)


async def test_an_empty_choice_has_no_answer() -> None:
    form = Form((Field("which", "Which", "choice"),))
    async with HostApp(form).run_test(size=(60, 10)):
        assert form.values() == {"which": ""}
        assert "nothing to choose" in frame(form.app)


async def test_a_choice_is_as_high_as_its_answers() -> None:
    choices = tuple((str(number), f"choice {number}") for number in range(3))
    form = Form((Field("which", "Which", "choice", choices=choices),))
    async with HostApp(form).run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert form.query_one(ChoiceList).size.height == 3


async def test_strangers_words_in_a_form_are_text() -> None:
    kinds: tuple[Literal["text", "yesno", "multiline", "choice"], ...] = (
        "text",
        "yesno",
        "multiline",
        "choice",
    )
    hostile = (*CRASH_STRINGS, *TERMINAL_PAYLOADS[::3])
    forms = [
        Form([Field(kind, words, kind, words, ((words, words),), words) for kind in kinds])
        for words in hostile
    ]
    app = HostApp(*forms, filtered=False, css="TextArea { height: 3 !important; }")
    async with app.run_test(size=(90, 30 * len(hostile))):
        shown = frame(app)
        assert forbidden(shown) <= {"\u0378"}
        for words in CRASH_STRINGS:
            assert shown.count(words) >= 4


class Question(NamedTuple):
    key: str = "title"
    label: str = "Title"
    kind: Literal["text", "multiline", "choice", "folder", "yesno"] = "choice"
    default: str = "b"
    choices: tuple[tuple[str, str], ...] = (("a", "A"), ("b", "B"))
    help: str = "h"
    required: bool = True


def test_questions_of_a_step_become_fields() -> None:
    assert fields_of([Question()]) == (
        Field("title", "Title", "choice", "b", (("a", "A"), ("b", "B")), "h", required=True),
    )


def test_folders_are_completed(tmp_path: Path) -> None:
    for name in ("source", "sources", "other", ".hidden", "ev\x1bil"):
        (tmp_path / name).mkdir()
    (tmp_path / "so-a-file").touch()
    assert complete_folder(f"{tmp_path}/so") == f"{tmp_path}/source"
    assert complete_folder(f"{tmp_path}/") == f"{tmp_path}/other"
    assert complete_folder(f"{tmp_path}/ev") is None
    assert complete_folder(f"{tmp_path}/missing/x") is None
    assert complete_folder("relative") is None


async def test_the_folder_field_offers_a_completion(tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    form = Form((Field("folder", "Folder", "folder", f"{tmp_path}/w"),))
    async with HostApp(form).run_test(size=(120, 10)) as pilot:
        form.focus_first()
        await pilot.press("o")
        await settle(pilot)
        await pilot.press("right")
        assert form.values() == {"folder": f"{tmp_path}/workspace"}
