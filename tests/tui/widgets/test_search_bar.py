"""The search line: results in the frame of the key, completions, status, error, messages."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets import Input

from isexplore.tui.widgets.rows import ListRows, RowList, RowText
from isexplore.tui.widgets.search_bar import SearchBar
from tests.support.tui import CRASH_STRINGS, TERMINAL_PAYLOADS, HostApp, forbidden, frame


def languages(text: str, cursor: int) -> list[str]:
    word = text[:cursor].rpartition(" ")[2]
    return [found for found in ("lang:python", "lang:perl", "lang:go") if word and found.startswith(word)]


async def test_results_are_there_before_the_value_has_settled() -> None:
    searched: list[str] = []
    rows = RowList()

    def search(text: str) -> None:
        searched.append(text)
        rows.set_rows(ListRows([text], lambda words: RowText((f"found {words}",))))

    bar = SearchBar(search=search)
    async with HostApp(bar, rows).run_test(size=(60, 8)) as pilot:
        bar.value = "retry"
        # No message has been handled since: the search ran inside the assignment.
        assert searched == ["retry"]
        assert rows.count == 1
        await pilot.press("x")
        assert searched == ["retry", "retryx"]
        assert "found retryx" in frame(pilot.app)


async def test_status_is_at_the_right_and_gives_way_to_the_text() -> None:
    bar = SearchBar()
    async with HostApp(bar).run_test(size=(60, 5)) as pilot:
        bar.status = "37 of 1,284 · sort activity"
        await pilot.pause()
        assert frame(pilot.app).splitlines()[1].endswith("37 of 1,284 · sort activity │")
        bar.value = "a text that needs so much room that both do not fit"
        await pilot.pause()
        line = frame(pilot.app).splitlines()[1]
        assert "1,284" not in line
        assert "both do not fit" in line


async def test_typed_text_looks_as_textual_draws_it() -> None:
    bar = SearchBar()
    async with HostApp(bar).run_test(size=(40, 5)) as pilot:
        for theme in ("textual-dark", "ansi-light"):
            pilot.app.theme = theme
            for keys in (["r", "字", "space"], ["left"], ["shift+left"], ["x"], []):
                await pilot.press(*keys)
                if not keys:
                    bar.insert_text_at_cursor("x" * 49)
                await pilot.pause()
                ours, textuals = bar.render_line(0).simplify(), Input.render_line(bar, 0).simplify()
                assert list(ours) == list(textuals), (theme, keys)


async def test_an_error_takes_a_second_line_and_gives_it_back() -> None:
    bar = SearchBar()
    async with HostApp(bar).run_test(size=(40, 8)) as pilot:
        assert bar.outer_size.height == 3
        bar.error = "There is no filter lan:; did you mean lang:? " * 3
        await pilot.pause()
        assert bar.outer_size.height == 4
        assert "There is no filter lan:; did yo" in frame(pilot.app)
        assert "..." in frame(pilot.app)
        bar.error = ""
        await pilot.pause()
        assert bar.outer_size.height == 3


async def test_tab_takes_completions_in_turn() -> None:
    bar = SearchBar(complete=languages)
    async with HostApp(bar).run_test(size=(60, 5)) as pilot:
        await pilot.press(*"retry lang:p")
        assert "retry lang:python" in frame(pilot.app)
        assert bar.value == "retry lang:p"
        await pilot.press("tab")
        assert bar.value == "retry lang:python"
        await pilot.press("tab")
        assert bar.value == "retry lang:perl"
        await pilot.press("tab")
        assert bar.value == "retry lang:python"
        assert bar.cursor_position == len(bar.value)


async def test_a_value_in_quotes_is_completed_across_its_spaces() -> None:
    def notebooks(text: str, cursor: int) -> list[str]:
        return ['lang:"jupyter notebook"'] if 'lang:"j' in text[:cursor] else []

    bar = SearchBar(complete=notebooks)
    async with HostApp(bar).run_test(size=(60, 5)) as pilot:
        await pilot.press(*'retry lang:"jupyter n')
        assert 'retry lang:"jupyter notebook"' in frame(pilot.app)
        await pilot.press("tab")
        assert bar.value == 'retry lang:"jupyter notebook"'


async def test_right_takes_the_completion_at_the_end() -> None:
    bar = SearchBar(complete=languages)
    async with HostApp(bar).run_test(size=(60, 5)) as pilot:
        await pilot.press(*"lang:g", "right")
        assert bar.value == "lang:go"


async def test_tab_leaves_when_there_is_nothing_to_complete() -> None:
    bar, rows = SearchBar(complete=languages), RowList()
    async with HostApp(bar, rows).run_test(size=(60, 8)) as pilot:
        bar.focus()
        await pilot.press("z", "tab")
        assert rows.has_focus


async def test_keys_become_messages() -> None:
    bar = SearchBar()
    app = HostApp(bar)
    async with app.run_test(size=(60, 5), message_hook=app.seen.append) as pilot:
        bar.value = "words"
        bar.focus()
        await pilot.press("enter", "escape", "down", "up", "pagedown")
        await pilot.pause()
        assert [told.value for told in app.told(SearchBar.Accepted)] == ["words"]
        assert [told.value for told in app.told(SearchBar.Dismissed)] == ["words"]
        assert [told.rows for told in app.told(SearchBar.Moved)] == [1, -1, 10]
        assert bar.value == "words"


async def test_a_pasted_text_becomes_one_clean_line() -> None:
    searched: list[str] = []
    bar = SearchBar(search=searched.append)
    app = HostApp(bar)
    async with app.run_test(size=(60, 5)) as pilot:
        bar.focus()
        from textual.events import Paste

        bar.post_message(Paste("two\nlines\x1b[2J \u202e"))
        await pilot.pause()
        assert forbidden(bar.value) == set()
        assert bar.value.startswith("two lines")
        assert searched == [bar.value]


@pytest.mark.parametrize("compact", [False, True])
async def test_strangers_words_are_text(compact: bool) -> None:
    bar = SearchBar(
        compact=compact,
        placeholder="[/] find",
        complete=lambda text, cursor: [f"{text}\x1b[2J", f"{text}[/]"],
    )
    app = HostApp(bar, filtered=False)
    async with app.run_test(size=(70, 6)) as pilot:
        bar.focus()
        for words in (*CRASH_STRINGS, *TERMINAL_PAYLOADS[:: 3 if compact else 1]):
            bar.value = words
            bar.status = words[:20]
            bar.error = words
            await pilot.pause()
            assert forbidden(frame(app)) <= {"\u0378"}, words
            if words in CRASH_STRINGS:
                assert words in frame(app)


async def test_keys_that_come_at_once_are_taken_in_their_order() -> None:
    bar = SearchBar()
    async with HostApp(bar).run_test(size=(40, 5)) as pilot:
        bar.focus()
        await pilot.pause()
        typed = ["a", "b", "ctrl+u", "r", "e", "x", "backspace", "t", "left", "y"]
        for key in typed:
            pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await pilot.pause()
        assert bar.value == "reyt"
