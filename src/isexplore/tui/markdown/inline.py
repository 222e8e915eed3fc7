"""Text inside a paragraph, a heading or a table cell: emphasis, code, links, images, stray HTML.

Markdown decodes entities such as `&#8238;` after the document was cleaned, so every piece of text
is cleaned again here, where nothing decodes it any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from isexplore.text import clean, pattern
from isexplore.tui.markdown.lines import Inline, LinkText, Span

if TYPE_CHECKING:
    from markdown_it.token import Token

INLINE_LIMIT = 3_000
"""Characters handed to the parser at once; its worst cases grow faster than the text."""

_SPECIAL = pattern(r"[\\`*_~!\[\]<&]|https?://")
_ADDRESS = pattern(r"https?://[^\s<>()\[\]{}\"'`]+[^\s<>()\[\]{}\"'`.,;:!?*_~]")
_SPACES = pattern(r"[ \t\n\r\f\v]+")
# Possessive throughout: text full of "<" and quotes must not make it try again and again.
_TAG = pattern(
    r"<!--.*?(?:-->|\Z)|<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9-]{0,30}+)"
    r"(?P<attributes>(?:\"[^\"]{0,2000}+\"|'[^']{0,2000}+'|[^'\"<>]++){0,60}+)>",
    re.DOTALL,
)
_ATTRIBUTE = pattern(r"([A-Za-z-]{1,30}+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")

TAG_STYLES = {
    "b": "strong",
    "strong": "strong",
    "summary": "strong",
    "th": "strong",
    "em": "em",
    "i": "em",
    "code": "code",
    "kbd": "code",
    "samp": "code",
    "tt": "code",
    "s": "strike",
    "del": "strike",
}
# fmt: off
BREAK_TAGS = frozenset((
    "address", "article", "aside", "blockquote", "br", "center", "dd", "details", "div", "dl", "dt",
    "figcaption", "figure", "footer", "header", "hr", "li", "main", "nav", "ol", "p", "pre",
    "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul", "h1", "h2", "h3", "h4",
    "h5", "h6",
))
# fmt: on
_HIDDEN_TAGS = frozenset({"script", "style", "template", "title"})


class InlineBuilder:
    """Puts an inline text together: spaces collapse, styles and links open and close."""

    def __init__(self, links: list[str], style: str = "") -> None:
        self._links = links
        self._base = style
        self._styles: list[str] = []
        self._link: LinkText | None = None
        self._parts: list[str] = []
        self._spans: list[Span] = []
        self._soft: list[int] = []
        self._length = 0
        self._space = True
        self._hidden = ""

    @property
    def in_link(self) -> bool:
        """Whether a link is open."""
        return self._link is not None

    def text(self, text: str, style: str = "") -> None:
        """Add text, in a style on top of those that are open."""
        if self._hidden:
            return
        text = clean(text)
        if self._space:
            text = text.lstrip(" \t\n")
        if "  " in text or "\n" in text or "\t" in text:
            text = _SPACES.sub(" ", text)
        self._append(text, style)

    def verbatim(self, text: str, style: str) -> None:
        """Add code, whose spaces count."""
        if not self._hidden:
            self._append(clean(text).replace("\n", " ").replace("\t", "    "), style)

    def space(self) -> None:
        """Add the space that a line end of the document stands for."""
        if not self._space and not self._hidden:
            self._append(" ", "")
        self._soft.append(self._length)

    def feed(self) -> None:
        """Begin a new line, unless at the beginning of one."""
        if self._length and not self._hidden and not self._parts[-1].endswith("\n"):
            self._append("\n", "")

    def open(self, style: str) -> None:
        """Add a style to what follows."""
        self._styles.append(style)

    def close(self, style: str) -> None:
        """Take that style off again."""
        if style in self._styles:
            self._styles.reverse()
            self._styles.remove(style)
            self._styles.reverse()

    def open_link(self, href: str) -> None:
        """Make what follows lead somewhere."""
        self._link = LinkText(len(self._links), href)
        self._links.append(href)

    def close_link(self) -> None:
        """End the link."""
        self._link = None

    def tag(self, match: re.Match[str]) -> None:
        """Act on an HTML tag: a few have a style, breaks break, everything else goes."""
        name = (match["name"] or "").lower()
        if not name:
            return
        closing = bool(match["close"])
        if name in _HIDDEN_TAGS:
            self._hidden = "" if closing else name
        elif name == "img":
            self.image(attributes(match).get("alt", ""))
        elif name == "a":
            href = "" if closing else attributes(match).get("href", "")
            if href:
                self.open_link(href)
            else:
                self.close_link()
        if name in BREAK_TAGS:
            self.feed()
        style = TAG_STYLES.get(name)
        if style is not None:
            if closing:
                self.close(style)
            else:
                self.open(style)
        if not closing and name == "li":
            self.text("• ")
        elif closing and name in ("td", "th"):
            self.text("  ")

    def image(self, alternative: str) -> None:
        """Add an image's words; images themselves are never fetched."""
        words = " ".join(alternative.split())
        self.text(words or "(image)", "image")

    def done(self) -> Inline:
        """Return what was put together, without spaces at the ends."""
        text = "".join(self._parts)
        kept = len(text.rstrip(" \n"))
        spans = [span._replace(end=min(span.end, kept)) for span in self._spans if span.start < kept]
        return Inline(text[:kept], tuple(spans), tuple(self._soft))

    def _append(self, text: str, style: str) -> None:
        if not text:
            return
        self._space = text[-1] in " \n"
        link = self._link
        # Adjacent pieces of one style become one span: fewer to walk when lines are cut.
        names = [self._base, *self._styles, style]
        if link is not None:
            names.append("link")
        full = " ".join(dict.fromkeys(name for name in names if name))
        start, self._length = self._length, self._length + len(text)
        last = self._spans[-1] if self._spans else None
        if last is not None and last.style == full and last.link is link:
            self._spans[-1] = last._replace(end=self._length)
        else:
            self._spans.append(Span(start, self._length, full, link))
        self._parts.append(text)


def _decoded(text: str) -> str:
    """Return text with its HTML entities decoded; their table, which is large, is loaded for the first one."""
    if "&" not in text:
        return text
    from html import unescape

    return unescape(text)


def attributes(match: re.Match[str]) -> dict[str, str]:
    """Return the attributes of a tag that `tags` matched, entities decoded, names in lower case."""
    return {
        found[1].lower(): _decoded(found[2] or found[3] or found[4] or "")
        for found in _ATTRIBUTE.finditer(match["attributes"] or "")
    }


def tags(source: str) -> Iterator[str | re.Match[str]]:
    """Yield the text between tags (entities decoded) and the tags of a piece of HTML."""
    at = 0
    for match in _TAG.finditer(source):
        if match.start() > at:
            yield _decoded(source[at : match.start()])
        yield match
        at = match.end()
    if at < len(source):
        yield _decoded(source[at:])


def plain_inline(text: str, style: str = "") -> Inline:
    """Return text that has no markup to look for, as it is."""
    text = clean(text).replace("\t", "    ")
    return Inline(text, (Span(0, len(text), style, None),) if text else ())


class InlineReader:
    """Reads inline Markdown with a parser; numbers the links it meets."""

    def __init__(self, parser: Any, environment: dict[str, Any], links: list[str]) -> None:
        self._parser = parser
        self._environment = environment
        self._links = links

    def read(self, content: str, style: str = "") -> Inline:
        """Return inline Markdown as text with styles.

        Args:
            content: Markdown of one paragraph, heading or cell.
            style: the style of all of it.
        """
        builder = InlineBuilder(self._links, style)
        if not _SPECIAL.search(content):
            lines = content.split("\n")
            for number, line in enumerate(lines):
                if number:
                    self._line_end(builder, lines[number - 1])
                builder.text(line)
            return builder.done()
        for part in _portions(content):
            tokens: list[Token] = []
            self._parser.inline.parse(part, self._parser, self._environment, tokens)
            for token in tokens:
                self._take(builder, token)
        return builder.done()

    def _line_end(self, builder: InlineBuilder, line: str) -> None:
        if line.endswith("  "):
            builder.feed()
        builder.space()

    def _take(self, builder: InlineBuilder, token: Token) -> None:
        kind = token.type
        if kind in ("text", "text_special"):
            _add_text(builder, token.content)
        elif kind == "code_inline":
            builder.verbatim(token.content, "code")
        elif kind == "softbreak":
            builder.space()
        elif kind == "hardbreak":
            builder.feed()
            builder.space()
        elif kind == "html_inline":
            for part in tags(token.content):
                if isinstance(part, str):
                    builder.text(part)
                else:
                    builder.tag(part)
        elif kind == "image":
            builder.image(_words(token.children or ()))
        elif kind == "link_open":
            builder.open_link(str(token.attrGet("href") or ""))
        elif kind == "link_close":
            builder.close_link()
        elif kind in _STYLED:
            style, opens = _STYLED[kind]
            if opens:
                builder.open(style)
            else:
                builder.close(style)


_STYLED = {
    "strong_open": ("strong", True),
    "strong_close": ("strong", False),
    "em_open": ("em", True),
    "em_close": ("em", False),
    "s_open": ("strike", True),
    "s_close": ("strike", False),
}


def _words(tokens: Sequence[Token]) -> str:
    return "".join(
        _words(token.children) if token.children else " " if token.type == "softbreak" else token.content
        for token in tokens
    )


def _add_text(builder: InlineBuilder, text: str) -> None:
    """Add text, with the addresses in it as links."""
    at = 0
    if not builder.in_link and "://" in text:
        for match in _ADDRESS.finditer(text):
            builder.text(text[at : match.start()])
            builder.open_link(match.group())
            builder.text(match.group())
            builder.close_link()
            at = match.end()
    builder.text(text[at:] if at else text)


def _portions(content: str) -> Iterator[str]:
    """Yield content in portions of at most `INLINE_LIMIT`, cut after a sentence or at a space."""
    at = 0
    while len(content) - at > INLINE_LIMIT:
        window = content[at : at + INLINE_LIMIT]
        end = max(window.rfind(". "), window.rfind("\n")) + 1 or window.rfind(" ") + 1 or INLINE_LIMIT
        yield content[at : at + end]
        at += end
    yield content[at:]
