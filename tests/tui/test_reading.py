"""Reading in the panes beside the lists: words are found where the reader is."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest
from msgspec import structs

from isexplore.models import Document, ProjectRef
from isexplore.reading.facts import Reading
from isexplore.tui.screens.document_dialogs import FindDialog
from isexplore.tui.widgets.document import DocumentView
from isexplore.tui.widgets.preview import Preview
from isexplore.tui.widgets.rows import RowList
from isexplore.tui.widgets.search_bar import SearchBar
from tests.support.practice import ALPHA
from tests.support.world import REPOSITORY_PEOPLE, WELCOME, at_the_screen, fill_catalog, practice_world

pytestmark = pytest.mark.usefixtures("hurried")


async def test_slash_in_a_document_finds_its_words_and_outside_finds_projects(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services) as person:
            await person.sees_words("tools/alpha")
            await person.press("slash", *"alpha", "enter", "enter")
            await person.sees_words("README")
            await person.press("right_square_bracket")
            await person.sees_words("A small library.")
            view = person.app.focused
            assert isinstance(view, DocumentView)
            await person.press("slash", *"small")
            assert isinstance(person.app.screen, FindDialog)
            await person.press("enter")
            await person.until(lambda: view.match_number == 1)
            await person.press("escape")
            await person.press("escape")
            await person.until(lambda: not isinstance(person.app.focused, DocumentView))
            await person.press("slash")
            assert isinstance(person.app.focused, SearchBar)


async def test_slash_in_an_issue_finds_its_words(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services) as person:
            await person.press("2")
            await person.sees_words("Explain the back-off")
            await person.press("space", "slash", *"please")
            assert isinstance(person.app.screen, FindDialog)


async def test_space_reads_an_issue_of_a_project_and_escape_comes_back_to_the_list(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services, size=(80, 24)) as person:
            await person.sees_words("tools/alpha")
            await person.press("slash", *"alpha", "enter", "enter")
            preview = await person.has_read()
            preview.show_tab("Issues")
            rows = preview.query_one("#preview-issues", RowList)
            await person.until(lambda: rows.has_focus and rows.count)
            await person.sees_words("enter Take it", "space Read")
            number = preview.issue_number
            await person.press("space")
            await person.sees_words(f"#{number}; esc goes back to the issues", "by @mara")
            assert isinstance(person.app.focused, DocumentView)
            assert preview.issue_number == number, "c takes the one that is read"
            await person.press("escape")
            await person.until(lambda: rows.has_focus)
            assert preview.issue_number == number


async def test_another_projects_issues_never_stand_under_this_ones_name(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services) as person:
            preview = person.app.screen.query_one(Preview)
            preview.look_at(ProjectRef("practice", "tools/alpha"))
            await person.has_read()
            preview.show_tab("Issues")
            await person.until(lambda: preview.has_class("-issues"))
            preview.look_at(ProjectRef("practice", "tools/beta"), quick="quick words")
            assert not preview.has_class("-issues")
            assert preview.issue_number is None
            assert preview.query_one("#preview-issues", RowList).count == 0


def is_shown(view: DocumentView, path: str) -> bool:
    return view.path == path


async def test_a_link_to_a_file_of_the_project_is_read_here_and_escape_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with practice_world(tmp_path, seeds=WELCOME, people=REPOSITORY_PEOPLE) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services) as person:
            preview = await person.has_read()
            preview.show_tab("README")
            preview.take_focus()
            view = preview.query_one(DocumentView)
            await person.until(lambda: view.is_loaded and view.path == "README.md")
            for path in ("CONTRIBUTORS.md", "guide/first-steps.md"):
                await person.press("n")
                assert view.focused_link == path
                await person.press("enter")
                await person.until(partial(is_shown, view, path))
                assert view.text
                await person.sees_words(f"{path}; esc goes back")
                await person.press("escape")
                await person.until(lambda: view.path == "README.md")
                if path == "CONTRIBUTORS.md":
                    await person.press("n")
            opened: list[str] = []
            monkeypatch.setattr(person.app, "open_page", opened.append)
            view.show("[none](none.md)", base=view.base, path=view.path)
            await person.press("n", "enter")
            await person.until(lambda: opened)
            assert opened == [f"{world.forge.url}/docs/welcome/-/blob/main/none.md"]
            await person.press("escape")
            assert not isinstance(person.app.focused, DocumentView)


async def test_a_slow_reading_is_said_and_what_was_kept_is_read_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = ProjectRef("practice", "tools/alpha")
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        await world.services.read(ref)
        world.services.readings.clear()
        answered, read = asyncio.Event(), world.services.read

        async def slowly(ref: ProjectRef, *, again: bool = False) -> Reading:
            await answered.wait()
            return await read(ref, again=again)

        monkeypatch.setattr(world.services, "read", slowly)
        async with at_the_screen(world.services) as person:
            await person.press("slash", *"alpha", "enter")
            preview = person.app.screen.query_one(Preview)
            await person.sees_words("Reading it from practice... Until then as it was", "README", "Issues 1")
            preview.show_tab("README")
            await person.sees_words("A small library.")
            answered.set()
            await person.has_read()
            await person.until(lambda: "Reading it from" not in person.words)
            assert "A small library." in person.words, "whoever reads goes on there"


async def test_reading_anew_is_said_where_the_forge_takes_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services) as person:
            await person.press("slash", *"alpha", "enter")
            preview = await person.has_read()

            async def never(ref: ProjectRef, *, again: bool = False) -> Reading:
                await asyncio.Event().wait()
                raise AssertionError

            monkeypatch.setattr(world.services, "read", never)
            preview.read_again()
            await person.sees_words("Reading it from practice...")


async def test_a_link_to_write_to_somebody_copies_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services) as person:
            copied: list[str] = []
            monkeypatch.setattr(person.app, "copy_to_clipboard", copied.append)
            preview = await person.has_read()
            view = preview.query_one(DocumentView)
            view.show("[write](mailto:team@git.example.org?subject=hello)")
            view.focus()
            await person.press("n", "enter")
            await person.sees_words("An address to write to; it is copied", "team@git.example.org")
            assert copied == ["team@git.example.org"]


async def test_a_link_is_followed_where_the_project_is_read_anew_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        answered, read_file = asyncio.Event(), world.services.read_file

        async def slowly(reading: Reading, path: str) -> Document | str:
            await answered.wait()
            return await read_file(reading, path)

        monkeypatch.setattr(world.services, "read_file", slowly)
        async with at_the_screen(world.services) as person:
            preview = await person.has_read()
            before = preview.reading
            view = preview.query_one(DocumentView)
            view.show("[usage](docs/usage.md)", base=view.base, path="README.md")
            view.focus()
            await person.press("n", "enter")
            await person.sees_words("Reading docs/usage.md...")
            preview.read_again()
            await person.until(lambda: preview.reading is not before)
            answered.set()
            await person.sees_words("Use it.", "docs/usage.md; esc goes back")


async def test_the_note_on_a_file_goes_with_it(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services) as person:
            preview = await person.has_read()
            view = preview.query_one(DocumentView)
            view.show("[usage](docs/usage.md)", base=view.base, path="README.md")
            view.focus()
            await person.press("n", "enter")
            await person.sees_words("docs/usage.md; esc goes back")
            await person.press("right_square_bracket")
            await person.sees_words("A small library.")
            assert "esc goes back" not in person.words


async def test_a_file_that_comes_after_the_reader_has_turned_the_tab_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        answered, read_file = asyncio.Event(), world.services.read_file

        async def slowly(reading: Reading, path: str) -> Document | str:
            await answered.wait()
            return await read_file(reading, path)

        monkeypatch.setattr(world.services, "read_file", slowly)
        async with at_the_screen(world.services) as person:
            preview = await person.has_read()
            view = preview.query_one(DocumentView)
            view.show("[usage](docs/usage.md)", base=view.base, path="README.md")
            view.focus()
            await person.press("n", "enter")
            await person.sees_words("Reading docs/usage.md...")
            await person.press("right_square_bracket")
            await person.sees_words("A small library.")
            assert "Reading docs/usage.md" not in person.words
            answered.set()
            await person.until(lambda: not any(one.group == "file" for one in person.app.workers))
            assert "A small library." in person.words


async def test_a_link_leads_back_to_the_document_of_the_tab(tmp_path: Path) -> None:
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services) as person:
            preview = await person.has_read()
            preview.show_tab("README")
            view = preview.query_one(DocumentView)
            await person.until(lambda: view.path == "README.md")
            view.show("[usage](docs/usage.md)", base=view.base, path="README.md")
            view.focus()
            await person.press("n", "enter")
            await person.sees_words("docs/usage.md; esc goes back")
            view.show("[back](../README.md)", base=view.base, path="docs/usage.md")
            await person.press("n", "enter")
            await person.sees_words("A small library.")
            assert "esc goes back" not in person.words


async def test_a_link_into_another_tab_leads_to_its_heading(tmp_path: Path) -> None:
    long = "# Contributing\n\n" + "Words.\n\n" * 200 + "## Set up\n\nHere.\n" + "More.\n\n" * 200
    commit = structs.replace(ALPHA.commits[0], files={"CONTRIBUTING.md": long})
    with practice_world(tmp_path, seeds=(structs.replace(ALPHA, commits=(commit,)),)) as world:
        await fill_catalog(world.services)
        async with at_the_screen(world.services) as person:
            preview = await person.has_read()
            view = preview.query_one(DocumentView)
            view.show("[set up](CONTRIBUTING.md#set-up)", base=view.base, path="README.md")
            view.focus()
            await person.press("n", "enter")
            await person.until(lambda: view.path == "CONTRIBUTING.md" and view.is_loaded)
            await person.sees_words("Set up")
