"""Pure: where a project's people talk, out of COMMUNICATION, CONTRIBUTING, SUPPORT and README."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from msgspec import Struct

from isexplore.guide.markup import Line, lines
from isexplore.models import Document
from isexplore.text import clean_line

_SOURCES = ("COMMUNICATION", "CONTRIBUTING", "SUPPORT", "README")
_HOSTS = re.compile(
    r"(?:^|\.)(?:slack\.com|teams\.microsoft\.com|discord\.(?:gg|com)|matrix\.to|gitter\.im|zulipchat\.com"
    r"|webex\.com|chat\.google\.com|app\.element\.io)$|^(?:mattermost|chat|rocketchat|zulip|slack|element)\.",
    re.IGNORECASE,
)
_TOOL = re.compile(
    r"\b(slack|mattermost|(?:microsoft )?teams|matrix|zulip|discord|rocket\.?chat|irc|webex|google chat|gitter"
    r"|chat|channel)\b",
    re.IGNORECASE,
)
_CHANNEL = re.compile(r"(?<![\w&/#(])([#~][a-z][\w-]{1,79})(?!\w)")
_PLACE = re.compile(r"\b(?:in|on|at|join|to)\s+[`*_]*$", re.IGNORECASE)
_COLOUR = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})")
_URL = re.compile(r"https?://[^\s<>()\[\]\"'`|]+")
_MAIL = re.compile(r"(?<![\w.@+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_LIST = re.compile(r"mailing list|e-?mail|write to|contact", re.IGNORECASE)
MAX_LINKS = 8


class ChatLink(Struct, frozen=True, kw_only=True):
    """A place to talk: a channel, a link or a mailing list."""

    text: str
    """As to be shown: `#scheduler on Slack`, an address."""
    document: str
    line: int
    url: str | None = None
    """http(s) or mailto address; None for a channel without one."""


def chat_links(documents: Sequence[Document]) -> tuple[ChatLink, ...]:
    """Return where to talk to a project's people, the most specific document first."""
    found: dict[str, ChatLink] = {}
    for name in _SOURCES:
        for document in documents:
            if document.name == name:
                for line in lines(document.text):
                    if line.kind != "code":
                        _collect(document, line, found)
    return tuple(found.values())[:MAX_LINKS]


def _collect(document: Document, line: Line, found: dict[str, ChatLink]) -> None:
    tool = _TOOL.search(line.text)
    urls = [url.rstrip(".,;:!?") for url in _URL.findall(line.text)]
    chat_urls = [url for url in urls if _is_chat(url)]
    certain = bool(tool or chat_urls) or document.name == "COMMUNICATION"
    channels = [
        match.group(1)
        for match in _CHANNEL.finditer(line.text)
        if not _COLOUR.fullmatch(match.group(1))
        and (certain or "-" in match.group(1) or _PLACE.search(line.text[: match.start()]))
    ]
    for index, channel in enumerate(channels):
        url = chat_urls[index] if index < len(chat_urls) else None
        word = "" if tool is None or tool.group(1).lower() in ("chat", "channel") else f" on {tool.group(1)}"
        _add(document, line, found, channel + word, url, key=channel)
    for url in chat_urls[len(channels) :]:
        _add(document, line, found, url, url, key=url)
    if document.name in ("COMMUNICATION", "SUPPORT") or _LIST.search(line.text):
        for mail in _MAIL.findall(line.text):
            _add(document, line, found, mail, f"mailto:{mail}", key=mail)


def _is_chat(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return bool(_HOSTS.search(host))


def _add(
    document: Document, line: Line, found: dict[str, ChatLink], text: str, url: str | None, *, key: str
) -> None:
    link = ChatLink(text=clean_line(text, 200), url=url, document=document.path, line=line.number)
    found.setdefault(key.lower(), link)
