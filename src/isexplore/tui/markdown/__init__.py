"""Markdown, plain text and diffs as styled lines; no widgets and no Textual in here.

    document = Document(text)
    while not document.complete:
        for block in document.next_blocks():
            lines += document.lines(block, width)

Style names of segments: `h1` to `h6`, `strong`, `em`, `strike`, `code`, `code-block`, `link`, `image`,
`quote`, `bullet`, `rule`, `plain`, `diff-add`, `diff-remove`, `diff-hunk`, `diff-file`; several are
separated by spaces and add up.
"""

from isexplore.tui.markdown.document import LIMIT, Document, Heading, Kind, load_parser, slugify
from isexplore.tui.markdown.find import Match, Part, find
from isexplore.tui.markdown.lines import Line, LinkText, Segment

__all__ = [
    "LIMIT",
    "Document",
    "Heading",
    "Kind",
    "Line",
    "LinkText",
    "Match",
    "Part",
    "Segment",
    "find",
    "load_parser",
    "slugify",
]
