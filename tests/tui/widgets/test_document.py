"""The document view: first screenful at once, places, links, searching, resizing, hostile words."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.app import App
from textual.geometry import Offset

from isexplore.tui.links import LinkKind
from isexplore.tui.widgets.document import DocumentView
from tests.support.documents import PATHOLOGICAL
from tests.support.tui import CRASH_STRINGS, TERMINAL_PAYLOADS, HostApp, forbidden, frame, settle

SIZE = (60, 20)
BASE = "https://git.example/payments/retry-queue"


def manual(parts: int) -> str:
    return "# Manual\n\n" + "".join(
        f"## Part {number}\n\nThis is part {number} with a [link {number}](part-{number}.md) and words "
        f"that go on until the line is full and wrapped.\n\n"
        for number in range(parts)
    )


def top_text(app: App[Any]) -> str:
    """Return the text of the first line, without the scrollbar."""
    return frame(app).splitlines()[0][: SIZE[0] - 5].strip()


async def test_the_first_screenful_is_there_at_once() -> None:
    view = DocumentView()
    async with HostApp(view).run_test(size=SIZE):
        view.show(manual(2_000))
        assert len(view.lines) >= SIZE[1]
        assert not view.is_loaded
        assert "".join(segment.text for segment in view.render_line(0)).startswith("Manual")


async def test_the_rest_follows_and_is_told() -> None:
    view = DocumentView()
    app = HostApp(view)
    async with app.run_test(size=SIZE, message_hook=app.seen.append) as pilot:
        view.show(manual(300), title="Manual")
        await settle(pilot)
        assert view.is_loaded
        assert [told.title for told in app.told(DocumentView.Loaded)] == ["Manual"]
        assert len(view.headings) == 301
        assert view.virtual_size.height == len(view.lines)


async def test_the_loop_is_free_while_a_document_is_read() -> None:
    view = DocumentView()
    async with HostApp(view).run_test(size=SIZE):
        view.show(manual(600))
        turns = 0
        while not view.is_loaded:
            # Each turn is a chance for a key; a document read in one go would leave none.
            await asyncio.sleep(0)
            turns += 1
        assert turns > 10


async def test_a_newer_document_replaces_one_that_is_being_read() -> None:
    view = DocumentView()
    app = HostApp(view)
    async with app.run_test(size=SIZE, message_hook=app.seen.append) as pilot:
        view.show(manual(2_000), title="old")
        view.show("# New\n", title="new")
        await settle(pilot)
        assert [told.title for told in app.told(DocumentView.Loaded)] == ["new"]
        assert frame(app).split() == ["New", "━━━"]
        assert view.scroll_y == 0


async def test_keys_scroll() -> None:
    view = DocumentView()
    async with HostApp(view).run_test(size=SIZE) as pilot:
        view.show(manual(50))
        await settle(pilot)
        view.focus()
        for key, top in [
            ("up", 0),
            ("j", 1),
            ("down", 2),
            ("k", 1),
            ("space", 20),
            ("pageup", 1),
            ("ctrl+d", 11),
            ("ctrl+u", 1),
            ("G", view.max_scroll_y),
            ("g", 0),
        ]:
            await pilot.press(key)
            assert view.scroll_y == top, key


async def test_bottom_shows_the_last_line() -> None:
    view = DocumentView()
    async with HostApp(view).run_test(size=SIZE) as pilot:
        view.show(manual(50) + "the very end")
        await settle(pilot)
        view.focus()
        await pilot.press("G")
        assert frame(pilot.app).splitlines()[-1].strip() == "the very end"


async def test_lines_and_headings_are_places() -> None:
    view = DocumentView()
    async with HostApp(view).run_test(size=SIZE) as pilot:
        text = manual(100)
        view.show(text)
        wanted = text.split("\n").index("## Part 70") + 1
        # Asked for before it has been read: it waits.
        view.go_to(wanted)
        await settle(pilot)
        assert view.top_line == wanted
        assert top_text(pilot.app) == "Part 70"
        assert view.go_to_heading("part-3")
        assert not view.go_to_heading("nowhere")
        await pilot.pause()
        assert top_text(pilot.app) == "Part 3"
        view.focus()
        await pilot.press("right_curly_bracket")
        assert top_text(pilot.app) == "Part 4"
        await pilot.press("left_curly_bracket", "left_curly_bracket")
        assert top_text(pilot.app) == "Part 2"


@pytest.mark.parametrize("size", [(90, 20), (34, 20), (60, 9)])
async def test_the_place_is_kept_when_the_screen_changes(size: tuple[int, int]) -> None:
    view = DocumentView()
    async with HostApp(view).run_test(size=SIZE) as pilot:
        view.show(manual(400))
        await settle(pilot)
        view.go_to_heading("part-300")
        await pilot.pause()
        place = view.top_line
        await pilot.resize_terminal(*size)
        await settle(pilot)
        assert view.top_line == place
        assert top_text(pilot.app) == "Part 300"
        await pilot.resize_terminal(*SIZE)
        await settle(pilot)
        assert view.top_line == place


async def test_links_are_visited_and_opened() -> None:
    view = DocumentView()
    app = HostApp(view)
    async with app.run_test(size=SIZE, message_hook=app.seen.append) as pilot:
        view.show("[a](one.md) and [b](https://e.example/)\n\n[c](--evil)", base=BASE, path="docs/README.md")
        await settle(pilot)
        view.focus()
        await pilot.press("enter")
        assert app.told(DocumentView.LinkActivated) == []
        await pilot.press("n", "enter", "n", "enter", "n", "enter", "n")
        assert view.focused_link == "one.md"
        await pilot.press("p")
        assert view.focused_link == "--evil"
        told = [(message.link.kind, message.link.target) for message in app.told(DocumentView.LinkActivated)]
        assert told == [
            (LinkKind.DOCUMENT, "docs/one.md"),
            (LinkKind.WEB, "https://e.example/"),
            (LinkKind.REFUSED, ""),
        ]


async def test_the_next_link_begins_where_the_reader_is() -> None:
    view = DocumentView()
    async with HostApp(view).run_test(size=SIZE) as pilot:
        view.show(manual(100))
        await settle(pilot)
        view.focus()
        view.go_to_heading("part-50")
        await pilot.press("n")
        assert view.focused_link == "part-50.md"
        for _ in range(12):
            await pilot.press("n")
        assert view.focused_link == "part-62.md"
        assert "link 62" in frame(pilot.app)


async def test_a_click_opens_a_link() -> None:
    view = DocumentView()
    app = HostApp(view)
    async with app.run_test(size=SIZE, message_hook=app.seen.append) as pilot:
        view.show("字字 [here](x.md) there", base=BASE)
        await settle(pilot)
        await pilot.click(view, offset=Offset(2, 0))
        assert app.told(DocumentView.LinkActivated) == []
        await pilot.click(view, offset=Offset(8, 0))
        await pilot.pause()
        assert [told.href for told in app.told(DocumentView.LinkActivated)] == ["x.md"]


async def test_a_link_to_a_heading_goes_there() -> None:
    view = DocumentView()
    async with HostApp(view).run_test(size=SIZE) as pilot:
        view.show("[to the end](#part-80)\n\n" + manual(100))
        await settle(pilot)
        view.focus()
        await pilot.press("n", "enter")
        await pilot.pause()
        assert top_text(pilot.app) == "Part 80"


async def test_words_are_found_and_visited() -> None:
    view = DocumentView()
    async with HostApp(view).run_test(size=SIZE) as pilot:
        view.show(manual(100))
        await settle(pilot)
        view.focus()
        assert view.find("THIS is part 7") == 11
        await pilot.pause()
        assert view.match_number == 1
        assert "This is part 7 " in frame(pilot.app)
        await pilot.press("n")
        assert view.match_number == 2
        assert "This is part 70" in frame(pilot.app)
        await pilot.press("N", "N")
        assert view.match_number == 11
        await pilot.resize_terminal(40, 20)
        await settle(pilot)
        view.find_next()
        view.find_next()
        await pilot.pause()
        assert view.match_number == 2
        assert "part 70" in frame(pilot.app)
        assert view.find("no such words") == 0
        view.clear_find()
        await pilot.press("n")
        assert view.focused_link is not None


async def test_a_match_is_marked_where_it_is() -> None:
    view = DocumentView()
    async with HostApp(view).run_test(size=SIZE) as pilot:
        view.show("some words\n\nmore words here")
        await settle(pilot)
        view.find("words")
        plain = view.rich_style
        marked = [
            [
                segment.text
                for segment in view.render_line(y)
                if segment.text.strip() and segment.style != plain
            ]
            for y in (0, 2)
        ]
        assert all("words" in texts for texts in marked)
        first = next(segment for segment in view.render_line(0) if segment.text == "words")
        second = next(segment for segment in view.render_line(2) if segment.text == "words")
        assert first.style is not None
        assert first.style.reverse
        assert second.style is not None
        assert not second.style.reverse


async def test_a_long_document_waits_for_the_reader() -> None:
    view = DocumentView(limit=20_000)
    app = HostApp(view)
    async with app.run_test(size=SIZE) as pilot:
        view.show("short")
        await settle(pilot)
        view.focus()
        await pilot.press("m")
        assert "more;" not in frame(app)
        view.show(manual(500))
        await settle(pilot)
        few = len(view.headings)
        assert few < 300
        await pilot.press("G")
        assert "KB more; press m to show the rest" in frame(app)
        place = view.top_line
        await pilot.press("m")
        await settle(pilot)
        assert len(view.headings) == 501
        assert view.top_line == place
        assert "press m" not in "\n".join(line.text for line in view.lines)


async def test_nothing_is_laid_out_while_it_is_hidden() -> None:
    view = DocumentView()
    async with HostApp(view).run_test(size=SIZE) as pilot:
        view.display = False
        await pilot.pause()
        view.show("# Shown later")
        view.display = True
        await settle(pilot)
        assert "Shown later" in frame(pilot.app)


async def test_an_empty_document_says_so() -> None:
    view = DocumentView(empty="This project has no README.")
    async with HostApp(view).run_test(size=SIZE) as pilot:
        view.clear()
        await settle(pilot)
        assert "This project has no README." in frame(pilot.app)
        await pilot.press("n", "p", "G", "right_curly_bracket")
        assert view.find("x") == 0


async def test_every_theme_has_its_styles() -> None:
    view = DocumentView()
    async with HostApp(view).run_test(size=SIZE) as pilot:
        view.show(
            "# a\n\n**b** *c* `d` [e](f) ~~g~~\n\n> h\n\n```\ni\n```\n\n- j\n\n---\n\n| k |\n|---|\n| l |\n"
        )
        await settle(pilot)
        drawn = set()
        themes = ("textual-dark", "textual-light", "ansi-dark", "ansi-light", "nord")
        for theme in themes:
            pilot.app.theme = theme
            await pilot.pause()
            drawn.add(tuple(segment.style for y in range(len(view.lines)) for segment in view.render_line(y)))
        assert len(drawn) == len(themes)


async def test_code_is_shaded_to_the_edge() -> None:
    view = DocumentView()
    async with HostApp(view).run_test(size=SIZE) as pilot:
        view.show("text\n\n```\ncode\n```")
        await settle(pilot)
        code = list(view.render_line(2))
        assert {segment.style.bgcolor for segment in code if segment.style} == {code[0].style.bgcolor}  # type: ignore[union-attr]
        assert code[0].style is not None
        assert code[0].style.bgcolor != view.rich_style.bgcolor
        assert sum(len(segment.text) for segment in code) == view.scrollable_content_region.width


@pytest.mark.parametrize("kind", ["markdown", "plain", "diff"])
async def test_strangers_words_reach_no_terminal(kind: str) -> None:
    view = DocumentView()
    # Without the net: what the view itself draws is looked at.
    app = HostApp(view, filtered=False)
    hostile = [*CRASH_STRINGS, *TERMINAL_PAYLOADS]
    async with app.run_test(size=(100, 160)) as pilot:
        view.show(
            "\n\n".join(
                f"{words} `{words}` [{words}](x) {''.join(f'&#{ord(c)};' for c in words)}"
                for words in hostile
            ),
            title="\x1b]0;PWN\x07",
            kind=kind,  # type: ignore[arg-type]
        )
        await settle(pilot)
        await pilot.click(view, offset=Offset(2, 0))
        shown = frame(app)
        assert forbidden(shown) <= {"\u0378"}
        assert forbidden(view.title) == set()
        assert "[@click=app.quit]" in shown
        assert app.is_running


@pytest.mark.parametrize("name", ["long table", "wide table", "one line", "fence", "nested quotes"])
async def test_documents_that_stop_other_viewers(name: str) -> None:
    view = DocumentView()
    async with HostApp(view).run_test(size=SIZE) as pilot:
        view.show(PATHOLOGICAL[name])
        await settle(pilot)
        view.focus()
        await pilot.press("G", "g", "n")
        await pilot.resize_terminal(30, 12)
        await settle(pilot)
        assert view.is_loaded
        # One widget, whatever the document is: widgets are what makes viewers slow.
        assert len(list(pilot.app.query("DocumentView *"))) == 0


async def test_text_can_be_selected() -> None:
    view = DocumentView()
    app = HostApp(view)
    async with app.run_test(size=SIZE, message_hook=app.seen.append) as pilot:
        view.show("# Title\n\nsome [words](x.md) here")
        await settle(pilot)
        await pilot.mouse_down(view, offset=(1, 0))
        await pilot.hover(view, offset=(5, 3))
        await pilot.mouse_up(view, offset=(5, 3))
        await pilot.pause()
        assert app.screen.get_selected_text() == "Title\n━━━━━\n\nsome "
        assert app.told(DocumentView.LinkActivated) == []
        marked = [segment.text for segment in view.render_line(3) if segment.style != view.rich_style]
        assert marked[0] == "some "


async def test_a_document_may_come_before_the_screen() -> None:
    view = DocumentView()

    def prepared() -> DocumentView:
        view.show(manual(100))
        view.go_to_heading("part-40")
        return view

    async with HostApp(prepared).run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert top_text(pilot.app) == "Part 40"


async def test_who_reads_a_document_goes_on_in_what_it_has_become() -> None:
    view = DocumentView()
    app = HostApp(view)
    async with app.run_test(size=SIZE) as pilot:
        view.show_newer(manual(40), title="Manual")
        await settle(pilot)
        view.find("part 20 with")
        view.go_to(61)
        await settle(pilot)
        before, place = view.top_line, top_text(app)
        assert before > 1
        view.show_newer(manual(45), title="Manual")
        await settle(pilot)
        assert (view.top_line, top_text(app)) == (before, place)
        view.find_next()
        assert view.match_number == 1
        view.show_newer(manual(45), title="Another")
        await settle(pilot)
        assert view.top_line == 1
