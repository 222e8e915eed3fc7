"""Markdown as lines: what each kind of block looks like, and that nothing of it acts on a terminal."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from isexplore.tui.markdown import Document, Kind, Line, find, slugify
from tests.support.tui import TERMINAL_PAYLOADS, forbidden


def rendered(text: str, width: int = 60, kind: Kind = "markdown") -> list[Line]:
    document = Document(text, kind)
    return lines_of(document, width)


def lines_of(document: Document, width: int = 60) -> list[Line]:
    lines: list[Line] = []
    while not document.complete:
        for block in document.next_blocks():
            lines += document.lines(block, width)
    return lines


def shown(text: str, width: int = 60, kind: Kind = "markdown") -> str:
    return "\n".join(line.text.rstrip() for line in rendered(text, width, kind))


def styles(text: str) -> list[tuple[str, str]]:
    return [
        (segment.text, segment.style)
        for line in rendered(text)
        for segment in line.segments
        if segment.text.strip()
    ]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("one\ntwo", "one two"),
        ("one  \ntwo", "one\ntwo"),
        ("one\\\ntwo", "one\ntwo"),
        ("a\n\nb", "a\n\nb"),
        ("# Title", "Title\n━━━━━"),
        ("## Part #", "Part"),
        ("Title\n===", "Title\n━━━━━"),
        ("- a\n- b", "• a\n• b"),
        ("- a\n\n- b", "• a\n\n• b"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("- a\n  - b\n    - c", "• a\n  • b\n    • c"),
        ("- a\n\n  more", "• a\n\n  more"),
        ("text\n- a", "text\n\n• a"),
        ("- [ ] to do\n- [x] done", "• [ ] to do\n• [x] done"),
        ("> a\n> b", "│ a b"),
        ("> a\n>\n> > b", "│ a\n│\n│ │ b"),
        ("> [!WARNING]\n> hot", "│ Warning\n│ hot"),
        ("```py\nx = 1\n\n\ty\n```", "  x = 1\n\n      y"),
        ("    indented", "  indented"),
        ("- a\n\n  ```\n  x\n  ```", "• a\n\n    x"),
        ("---", "─" * 60),
        ("![Logo](x.png) text", "Logo text"),
        ("![](x.png)", "(image)"),
        ("[![Build](b.svg)](https://ci.example)", "Build"),
        ("a &amp; b &lt;c&gt; &copy;", "a & b <c> ©"),
        ("<b>bold</b> and <unknown>tag</unknown>", "bold and tag"),
        ("a<br>b", "a\nb"),
        ("<h1 align='center'>Name</h1>\n\ntext", "Name\n━━━━\n\ntext"),
        ("<p>\n  one\n  two\n</p>", "one two"),
        ("<ul><li>a</li><li>b</li></ul>", "• a\n• b"),
        ("<details>\n<summary>More</summary>\n\ninside\n\n</details>", "More\n\ninside"),
        ("<!-- hidden -->\n\ntext", "text"),
        ("<script>alert(1)</script>\n\ntext", "text"),
        ("<style>p { color: red }</style>\n\ntext", "text"),
        ("<img src=x alt='An image'>", "An image"),
        ("~~gone~~ \\*literal\\*", "gone *literal*"),
        ("a\n\n[ref]: https://e.example", "a"),
        ("---\ntitle: x\n---\ntext", "text"),
        ("", ""),
        ("\n\n\n", ""),
    ],
)
def test_what_markdown_looks_like(markdown: str, expected: str) -> None:
    assert shown(markdown) == expected


def test_styles_add_up() -> None:
    assert styles("## A *b* `c`") == [("A ", "h2"), ("b", "h2 em"), ("c", "h2 code")]
    assert styles("**a _b_**, ~~c~~") == [
        ("a ", "strong"),
        ("b", "strong em"),
        (", ", ""),
        ("c", "strike"),
    ]
    assert styles("[a **b**](u)") == [("a ", "link"), ("b", "strong link")]


def test_links_are_numbered_and_kept_as_written() -> None:
    document = Document(
        "[a](CONTRIBUTING.md#x) [b][r] https://e.example/x?y=1. <https://f.example>\n\n[r]: http://r"
    )
    lines = lines_of(document)
    assert document.links == ["CONTRIBUTING.md#x", "http://r", "https://e.example/x?y=1", "https://f.example"]
    found = [(segment.text, segment.link.number) for segment in lines[0].segments if segment.link is not None]
    assert found == [("a", 0), ("b", 1), ("https://e.example/x?y=1", 2), ("https://f.example", 3)]
    assert lines[0].text.endswith("https://e.example/x?y=1. https://f.example")


def test_a_link_defined_in_a_later_piece_is_found() -> None:
    filler = "".join(f"# Part {number}\n\nSome words.\n\n" for number in range(400))
    document = Document(f"See [the guide].\n\n{filler}\n[the guide]: https://guide.example\n")
    document.next_blocks()
    assert document.links == ["https://guide.example"]
    assert len(document.blocks) < 400


def test_schemes_that_run_something_are_no_links() -> None:
    document = Document("[a](javascript:alert(1)) [b](file:///etc/passwd) [c](data:text/html,x)")
    lines = lines_of(document)
    assert document.links == []
    assert "javascript:alert(1)" in lines[0].text


def test_tables_fit() -> None:
    table = "| Name | What it does | Count |\n|:--|:-:|--:|\n| `a` | short | 1 |\n| b \\| c | [x](y) | 23 |"
    assert shown(table, 40).splitlines() == [
        "Name  │ What it does │ Count",
        "──────┼──────────────┼──────",
        "a     │    short     │     1",
        "b | c │      x       │    23",
    ]
    narrow = rendered("| a | b |\n|--|--|\n| x | " + "word " * 20 + "|", 30)
    assert all(cell_len(line.text) <= 30 for line in narrow)
    assert len(narrow) > 4


def test_a_table_with_an_empty_header_is_a_list_of_facts() -> None:
    assert shown("| | |\n| --- | --- |\n| Fork | nia/welcome |\n| Branch | 1-hello |", 40).splitlines() == [
        "Fork     nia/welcome",
        "Branch   1-hello",
    ]


def test_a_table_that_cannot_fit_becomes_a_list() -> None:
    columns = 12
    table = (
        "|"
        + "|".join(f"col{n}" for n in range(columns))
        + "|\n"
        + "|--" * columns
        + "|\n"
        + "|v" * columns
        + "|"
    )
    lines = shown(table, 40).splitlines()
    assert lines[:2] == ["col0: v", "col1: v"]


def test_a_long_table_keeps_its_columns_from_piece_to_piece() -> None:
    rows = "".join(f"| {number} | word |\n" for number in range(500))
    lines = [line.text for line in rendered("| n | w |\n|--:|---|\n" + rows + "\nafter")]
    assert len(lines) == 2 + 500 + 2
    assert lines[-1] == "after"
    assert len({line.index("│") for line in lines[2:-2]}) == 1
    assert lines[0].strip().startswith("n │ w")


def test_a_list_that_is_cut_into_pieces_has_no_holes() -> None:
    lines = [line.text for line in rendered("- item of a long list\n" * 2_000)]
    assert lines == ["• item of a long list"] * 2_000


@pytest.mark.parametrize("width", [20, 33, 60, 120])
def test_every_line_fits_and_no_word_is_lost(width: int) -> None:
    words = [f"word{number}" for number in range(400)]
    text = f"{' '.join(words)}\n\n> - {' '.join(words)}\n\n1. a\n   > {' '.join(words)}"
    lines = rendered(text, width)
    assert all(cell_len(line.text) <= width for line in lines)
    joined = " ".join(line.text[line.prefix :] for line in lines).split()
    assert joined == [*words, *words, "a", *words]


@pytest.mark.parametrize("text", ["字" * 100, "word 字字字字字 " * 20, "👨‍👩‍👧‍👦 " * 30, "é" * 90, "x" * 300])
def test_wide_characters_are_measured(text: str) -> None:
    lines = rendered(text, 30)
    assert all(cell_len(line.text) <= 30 for line in lines)
    assert "".join(line.text for line in lines).replace(" ", "") == text.replace(" ", "")


def test_prose_is_not_wider_than_can_be_read() -> None:
    lines = rendered("word " * 100 + "\n\n```\n" + "x" * 150 + "\n```", 200)
    assert max(len(line.text) for line in lines if not line.fill) <= 96
    assert max(len(line.text) for line in lines if line.fill) == 152


def test_lines_know_where_they_come_from() -> None:
    text = "# Title\n\nfirst\nsecond\n\n```\ncode\nmore\n```\n\n| a |\n|---|\n| x |\n"
    sources = {line.text.strip(): line.source for line in rendered(text, 60) if line.text.strip()}
    assert sources["Title"] == 1
    assert sources["first second"] == 3
    assert (sources["code"], sources["more"]) == (7, 8)
    assert (sources["a"], sources["x"]) == (11, 13)
    wrapped = rendered("\n\n" + "aaaa\n" * 30, 20)
    assert wrapped[0].source == 3
    assert wrapped[-1].source > 20


def test_very_long_lines_keep_their_numbers() -> None:
    lines = rendered("word " * 3_000 + "\n\nlast\n")
    assert lines[0].source == 1
    assert lines[-1].text == "last"
    assert lines[-1].source == 3


def test_headings_make_an_outline() -> None:
    document = Document("# One `x`\n\n## Set up!\n\ntext\n\n## Set up!\n\n### Ünder_score & more\n")
    lines_of(document)
    assert [(heading.level, heading.text, heading.line, heading.slug) for heading in document.headings] == [
        (1, "One x", 1, "one-x"),
        (2, "Set up!", 3, "set-up"),
        (2, "Set up!", 7, "set-up-1"),
        (3, "Ünder_score & more", 9, "ünder_score--more"),
    ]
    assert slugify("What's new?") == "whats-new"


def test_a_diff_is_coloured_by_line() -> None:
    text = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n same\n"
    kinds = [line.segments[0].style for line in rendered(text, kind="diff")]
    assert kinds == ["diff-file", "diff-file", "diff-file", "diff-hunk", "diff-remove", "diff-add", "plain"]
    assert shown(text, kind="diff") == text.rstrip("\n")


@pytest.mark.parametrize("indentation", ["", "  "])
def test_a_diff_in_a_fence_is_coloured_too(indentation: str) -> None:
    body = "".join(f"{indentation}{line}\n" for line in ("```diff", "-old", *["+new"] * 200, "```"))
    kinds = [line.segments[-1].style for line in rendered(body if not indentation else f"- item\n\n{body}")]
    assert kinds[-201:] == ["diff-remove", *["diff-add"] * 200]


def test_plain_text_stays_as_it_is() -> None:
    text = "# not a heading\n  *two* spaces\n\n[x](y)\ttab"
    assert shown(text, kind="plain") == text.replace("\t", "    ")


def test_the_limit_is_kept_until_the_reader_asks() -> None:
    text = "".join(f"# Part {number}\n\n{'word ' * 100}\n\n" for number in range(100))
    document = Document(text, limit=10_000)
    few = lines_of(document)
    assert 10_000 < len(text) - document.unread < 16_000
    assert len(document.headings) < 30
    document.read_on()
    rest = lines_of(document)
    assert document.unread == 0
    assert len(document.headings) == 100
    assert [line.text for line in [*few, *rest]] == [line.text for line in rendered(text)]


def test_words_are_found_across_wrapped_lines() -> None:
    lines = rendered("- " + "filler " * 6 + "dead letter store, and a DEAD letter office\n\n`dead`", 30)
    matches = find(lines, "dead  Letter")
    assert len(matches) == 2
    for match in matches:
        text = " ".join(lines[part.line].text[part.start : part.end] for part in match)
        assert text.lower() == "dead letter"
    assert find(lines, "• filler") == [], "bullets are not text"
    assert find(lines, " ") == []
    assert len(find(lines, "dead")) == 3


@pytest.mark.parametrize("payload", TERMINAL_PAYLOADS)
@pytest.mark.parametrize("kind", ["markdown", "plain", "diff"])
def test_nothing_acts_on_the_terminal(payload: str, kind: Kind) -> None:
    encoded = "".join(f"&#{ord(char)};" for char in payload)
    text = (
        f"# h {payload}\n\n{payload} `{payload}` [{payload}](<{payload}>) ![{payload}](x) {encoded}\n\n"
        f"&#x{ord(payload[0]):x};\n\n"
        f"- {payload}\n\n> {encoded}\n\n```{payload}\n{payload}\n```\n\n| {payload} |\n|---|\n| {encoded} |\n\n"
        f"<p title='{payload}'>{payload}{encoded}</p>\n\n<img alt='{encoded}'>\n\n    {payload}\n"
    )
    for line in rendered(text, 40, kind):
        # What Unicode has not assigned yet is harmless; the net behind the widgets takes it.
        assert forbidden(line.text) <= {"\u0378"}


@settings(max_examples=150, deadline=None)
@given(
    st.text(st.sampled_from(list("ab \n\n#*_`~[]()<>!|-+:1.&;\\\t\"'=/x字é")), max_size=300),
    st.integers(1, 50),
)
def test_any_text_is_laid_out_within_its_width(text: str, width: int) -> None:
    for line in rendered(text, width):
        assert "\n" not in line.text
        assert forbidden(line.text) == set()
        if width >= 20:
            assert cell_len(line.text) <= width


def test_the_parser_is_not_loaded_before_it_is_needed() -> None:
    code = (
        "import sys\n"
        "from isexplore.tui.widgets import document, form, rows, search_bar, tabs, words\n"
        "from isexplore.tui import links, text\n"
        "document.DocumentView()\n"
        "late = {'markdown_it', 'pygments', 'rich.markdown', 'linkify_it', 'textual.widgets._markdown'}\n"
        "print(*sorted(late & set(sys.modules)))\n"
        "from isexplore.tui.markdown import load_parser; load_parser()\n"
        "print('markdown_it' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.splitlines() == ["", "True"]


def test_markdown_is_read_without_textual() -> None:
    code = (
        "import sys, isexplore.tui.markdown, isexplore.tui.links\n"
        "print(any(name.startswith('textual') for name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "False"
