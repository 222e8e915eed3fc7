"""The list: drawing only what is visible, the cursor, keys, mouse, and strangers' words."""

from __future__ import annotations

from collections.abc import Hashable

import pytest
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.widget import Widget

from isexplore.tui.widgets.rows import ListRows, RowLine, RowList, RowSource, RowText
from tests.support.tui import CRASH_STRINGS, TERMINAL_PAYLOADS, HostApp, forbidden, frame

SIZE = (40, 10)


class Counted(RowSource):
    """Rows that remember which of them were asked for."""

    def __init__(self, names: list[str] | range) -> None:
        self.names = names
        self.asked: list[int] = []

    def __len__(self) -> int:
        return len(self.names)

    def row(self, index: int) -> RowText:
        self.asked.append(index)
        return RowText((f"row {self.names[index]}",))

    def key(self, index: int) -> Hashable:
        return self.names[index]


def rows_of(*names: str) -> ListRows[str]:
    return ListRows(names, lambda name: RowText((name,)), key=lambda name: name)


async def test_a_hundred_thousand_rows_cost_what_is_visible() -> None:
    rows = RowList()
    source = Counted(range(100_000))
    async with HostApp(rows).run_test(size=SIZE) as pilot:
        rows.set_rows(source)
        assert source.asked == []
        await pilot.pause()
        assert set(source.asked) <= set(range(SIZE[1] + 1))
        source.asked.clear()
        rows.focus()
        await pilot.press("G")
        assert set(source.asked) <= set(range(100_000 - SIZE[1] - 1, 100_000))
        assert "▌row 99999" in frame(pilot.app)


async def test_a_row_is_drawn_once_while_it_stays() -> None:
    rows = RowList()
    source = Counted(range(50))
    async with HostApp(rows).run_test(size=SIZE) as pilot:
        rows.set_rows(source)
        rows.focus()
        await pilot.press("j", "j", "k")
        assert len(source.asked) == len(set(source.asked))


async def test_keys_move_the_cursor() -> None:
    rows = RowList()
    async with HostApp(rows).run_test(size=SIZE) as pilot:
        rows.set_rows(Counted(range(100)))
        rows.focus()
        for key, expected in [
            ("up", 0),
            ("down", 1),
            ("j", 2),
            ("k", 1),
            ("pagedown", 11),
            ("ctrl+d", 16),
            ("ctrl+u", 11),
            ("pageup", 1),
            ("G", 99),
            ("down", 99),
            ("g", 0),
            ("end", 99),
            ("home", 0),
        ]:
            await pilot.press(key)
            assert rows.cursor == expected, key
            assert f"▌row {expected}" in frame(pilot.app), key


async def test_messages_name_row_and_key() -> None:
    rows = RowList()
    app = HostApp(rows)
    async with app.run_test(size=SIZE, message_hook=app.seen.append) as pilot:
        rows.set_rows(rows_of("a", "b", "c"))
        rows.focus()
        await pilot.press("down", "enter")
        await pilot.pause()
        highlighted = [(told.index, told.key) for told in app.told(RowList.Highlighted)]
        assert highlighted == [(0, "a"), (1, "b")]
        assert [(told.index, told.key) for told in app.told(RowList.Chosen)] == [(1, "b")]


async def test_the_cursor_stays_on_its_row_when_rows_change() -> None:
    rows = RowList()
    app = HostApp(rows)
    async with app.run_test(size=SIZE, message_hook=app.seen.append) as pilot:
        rows.set_rows(rows_of("a", "b", "c"))
        rows.move_cursor(2)
        await pilot.pause()
        told = len(app.told(RowList.Highlighted))
        rows.set_rows(rows_of("new", "c", "a"))
        await pilot.pause()
        assert rows.cursor == 1
        assert len(app.told(RowList.Highlighted)) == told, "the same row is no news"
        rows.set_rows(rows_of("x", "y"))
        await pilot.pause()
        assert rows.cursor == 0
        assert app.told(RowList.Highlighted)[-1].key == "x"
        rows.set_rows(rows_of("y", "x"), keep_cursor=False)
        assert rows.cursor == 0


async def test_a_kept_cursor_stays_in_sight() -> None:
    rows = RowList(row_height=2)
    async with HostApp(rows).run_test(size=SIZE) as pilot:
        rows.set_rows(Counted(range(100)))
        rows.move_cursor(60)
        await pilot.pause()
        await pilot.resize_terminal(30, 6)
        await pilot.pause()
        assert "▌row 60" in frame(pilot.app)
        rows.row_height = 3
        await pilot.pause()
        assert "▌row 60" in frame(pilot.app)
        assert rows.virtual_size.height == 300


async def test_an_empty_list_says_why() -> None:
    rows = RowList(empty="Nothing matches.\nPress / to search for something else.")
    app = HostApp(rows)
    async with app.run_test(size=SIZE, message_hook=app.seen.append) as pilot:
        rows.focus()
        await pilot.press("down", "enter", "G")
        assert rows.cursor is None
        shown = frame(app)
        assert "Nothing matches." in shown
        assert "Press / to search for something else." in shown
        assert app.told(RowList.Chosen) == []
        rows.empty = "Offline."
        await pilot.pause()
        assert "Offline." in frame(app)


async def test_a_click_moves_the_cursor_and_a_second_one_chooses() -> None:
    rows = RowList(row_height=2)
    app = HostApp(rows)
    async with app.run_test(size=SIZE, message_hook=app.seen.append) as pilot:
        rows.set_rows(rows_of("a", "b", "c"))
        await pilot.pause()
        await pilot.click(rows, offset=(5, 3))
        assert rows.cursor == 1
        assert app.told(RowList.Chosen) == []
        await pilot.click(rows, offset=(5, 2))
        await pilot.pause()
        assert [told.key for told in app.told(RowList.Chosen)] == ["b"]
        await pilot.click(rows, offset=(5, 8))
        assert rows.cursor == 1, "there is no row down there"


async def test_nothing_is_cut_without_saying_so() -> None:
    rows = RowList(row_height=2)
    long = RowText(
        (RowLine([("payments/retry-queue-with-a-long-name", "title")], [("High", "good")]), "字" * 40)
    )
    async with HostApp(rows).run_test(size=SIZE) as pilot:
        rows.set_rows(ListRows([0], lambda _: long))
        await pilot.pause()
        first, second = frame(pilot.app).splitlines()[:2]
        assert first.startswith(" ▌payments/retry-queue-")
        assert "..." in first
        assert first.endswith("High")
        assert second.endswith("字...")


async def test_the_cursor_is_seen_without_colour() -> None:
    rows = RowList()
    async with HostApp(rows).run_test(size=SIZE) as pilot:
        rows.set_rows(rows_of("a", "b"))
        await pilot.pause()
        lines = frame(pilot.app).splitlines()
        assert lines[0].startswith(" ▌")
        assert not lines[1].startswith(" ▌")


async def test_every_theme_has_its_styles() -> None:
    rows = RowList()
    names = ("title", "strong", "muted", "accent", "good", "warning", "bad", "match", "unknown")
    async with HostApp(rows).run_test(size=(80, 10)) as pilot:
        rows.set_rows(ListRows([0, 1], lambda _: RowText(([(name, name) for name in names],))))
        await pilot.pause()
        drawn = set()
        themes = ("textual-dark", "textual-light", "ansi-dark", "ansi-light")
        for theme in themes:
            pilot.app.theme = theme
            await pilot.pause()
            drawn.add(tuple(segment.style for segment in rows.render_line(1)))
            assert "title" in frame(pilot.app)
        assert len(drawn) == len(themes)


async def test_strangers_words_are_text() -> None:
    hostile = [*CRASH_STRINGS, *TERMINAL_PAYLOADS]
    rows = RowList()
    app = HostApp(rows, filtered=False)
    async with app.run_test(size=(100, len(hostile))) as pilot:
        rows.set_rows(
            ListRows(hostile, lambda words: RowText((RowLine([(words, "title")], [("x" + words, "bad")]),)))
        )
        await pilot.pause()
        await pilot.click(rows, offset=(3, 0))
        shown = frame(app)
        # Without the net; that character is unassigned, which only the net looks at.
        assert forbidden(shown) <= {"\u0378"}
        for words in CRASH_STRINGS:
            assert words in shown


async def test_an_empty_list_may_say_what_was_searched_for() -> None:
    rows = RowList()
    app = HostApp(rows, filtered=False)
    async with app.run_test(size=(80, 4)) as pilot:
        for words in (*CRASH_STRINGS, *TERMINAL_PAYLOADS[:6]):
            rows.empty = f"Nothing matches {words}"
            await pilot.pause()
            assert forbidden(frame(app)) == set()
            assert "Nothing matches" in frame(app)


async def test_the_list_with_the_focus_is_told_apart() -> None:
    first, second = RowList(), RowList()
    async with HostApp(first, second).run_test(size=SIZE) as pilot:
        for rows in (first, second):
            rows.set_rows(rows_of("a"))
        first.focus()
        await pilot.pause()
        lit = [segment.style for segment in first.render_line(0)]
        assert lit != [segment.style for segment in second.render_line(0)]
        second.focus()
        await pilot.pause()
        assert [segment.style for segment in second.render_line(0)] == lit


async def test_rows_may_come_before_the_screen() -> None:
    rows = RowList()

    def prepared() -> RowList:
        rows.set_rows(rows_of("a", "b"))
        rows.move_cursor(1)
        return rows

    async with HostApp(prepared).run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "▌b" in frame(pilot.app)


def looks(strips: list[Strip], width: int) -> list[list[tuple[object, ...]]]:
    """Return what is seen in the first `width` cells of each line; a blank has no colour of its own."""
    return [
        [
            (char, style.bgcolor, style.meta, style.reverse, char != " " and (style.color, style.bold))
            for text, style, _ in strip.crop(0, width)
            for char in text
            if style is not None
        ]
        for strip in strips
    ]


@pytest.mark.parametrize("count", [0, 2, 30, 500])
async def test_lines_are_drawn_as_textual_would_draw_them(count: int) -> None:
    rows = RowList(row_height=2, empty="Nothing is here, and nothing was.\nNothing will be.")
    async with HostApp(rows).run_test(size=SIZE) as pilot:
        for theme in ("textual-dark", "ansi-dark"):
            pilot.app.theme = theme
            rows.set_rows(ListRows(range(count), lambda index: RowText((f"row {index}", "words " * 9))))
            rows.move_cursor(count // 2)
            rows.focus()
            await pilot.pause()
            bar = rows.vertical_scrollbar
            assert bar.display == (count > 2)
            pairs: list[tuple[Widget, type[Widget]]] = [(rows, ScrollView), (bar, ScrollBar)]
            for widget, textuals in pairs if bar.display else pairs[:1]:
                region = widget.outer_size.region
                width = region.width - (widget is rows and bar.display)
                plain = textuals.render_lines(widget, region)
                assert looks(widget.render_lines(region), width) == looks(plain, width)
                assert all(looks(plain, width))


async def test_moving_the_cursor_draws_two_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = RowList(row_height=2)
    refreshed: list[Region] = []
    async with HostApp(rows).run_test(size=SIZE) as pilot:
        rows.set_rows(Counted(range(50)))
        rows.focus()
        await pilot.pause()
        refresh = rows.refresh

        def noted(*regions: Region, **options: bool) -> RowList:
            refreshed.extend(regions or [Region()])
            return refresh(*regions, **options)

        monkeypatch.setattr(rows, "refresh", noted)
        await pilot.press("j")
        assert sorted((region.y, region.height) for region in refreshed) == [(0, 2), (2, 2)]
        assert "▌row 1" in frame(pilot.app)
        assert frame(pilot.app).count("▌") == 2


async def test_a_frame_before_the_styles_is_blank_and_no_end() -> None:
    rows = RowList(row_height=1)
    async with HostApp(rows).run_test(size=(20, 5)):
        rows.set_rows(rows_of("one"))
        # As it is between being mounted and being styled.
        rows._component_styles.clear()
        rows.notify_style_update()
        strips = rows.render_lines(Region(0, 0, 20, 2))
        assert [strip.text.strip() for strip in strips] == ["", ""]
