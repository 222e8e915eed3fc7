"""Where the next page of a list is. Pure.

A server names the next page by a whole URL, built from what it believes its own address to be.
Behind a proxy that may be another scheme, host or path, so only the query of that URL is used, on
the address that was asked; a token never follows a link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from isexplore.forge.answers import Answer

T = TypeVar("T")

Params = Mapping[str, "str | int | bool | tuple[str, ...] | None"]
"""Query parameters: booleans as `true` and `false`, tuples repeated, None left out."""

MAX_PAGES = 100
"""Pages of a list, unless the caller expects more: no list goes on for ever."""
PROJECT_PAGES = 1_000
"""Pages of a list of projects, of which a large forge has more than anything else has entries."""
PAGE_ITEMS = 100
"""Entries for each page that a list may have; servers choose how many they put on one."""

_FOREIGN_PARAMS = frozenset(
    ("page", "per_page", "limit", "cursor", "page_token", "pagination", "order_by", "sort")
) | frozenset(("id_after", "id_before", "after", "before", "since"))
_SECRET_PARAMS = frozenset(("private_token", "access_token", "token", "job_token"))
_LINK = re.compile(r'<([^<>]*)>\s*((?:;\s*[A-Za-z*]+\s*=\s*(?:"[^"]*"|[^\s",;]+)\s*)*)')
_REL = re.compile(r'rel\s*=\s*"?([^";]*)"?', re.IGNORECASE)


class Page(Struct, Generic[T], frozen=True):
    """One page of a list."""

    items: tuple[T, ...]
    total: int | None = None
    """How many items there are in all, where the server tells."""


def query_pairs(params: Params) -> list[tuple[str, str]]:
    """Return parameters as they go into the query."""
    pairs: list[tuple[str, str]] = []
    for name, value in params.items():
        if isinstance(value, bool):
            pairs.append((name, "true" if value else "false"))
        elif isinstance(value, tuple):
            pairs.extend((name, item) for item in value)
        elif value is not None:
            pairs.append((name, str(value)))
    return pairs


def link(header: str, relation: str) -> str | None:
    """Return the target of a `Link` header (RFC 8288) with this relation."""
    for match in _LINK.finditer(header[:16_384]):
        rel = _REL.search(match[2])
        if rel is not None and relation in rel[1].lower().split():
            return match[1]
    return None


def total(answer: Answer) -> int | None:
    """Return how many items the list has, from `X-Total` (GitLab) or `X-Total-Count` (Gitea)."""
    for name in ("x-total", "x-total-count"):
        value = answer.header(name).strip()
        if re.fullmatch(r"[0-9]{1,9}", value):
            return int(value)
    return None


def next_query(
    answer: Answer, query: Iterable[tuple[str, str]], *, origin: str, seen: int, count: int
) -> list[tuple[str, str]] | None:
    """Return the query of the next page, or None at the end.

    Args:
        answer: the page.
        query: what was asked for.
        origin: `scheme://host[:port]` of the forge; of a link elsewhere only paging parameters count.
        seen: items so far, this page included.
        count: items on this page.
    """
    asked = list(query)
    target = link(answer.header("link"), "next")
    if target is not None:
        try:
            parts = urlsplit(target)
            pairs = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=100)
        except ValueError:
            return None
        own = not parts.netloc or f"{parts.scheme}://{parts.netloc}".lower() == origin
        changes = [
            (name, value)
            for name, value in pairs
            if name not in _SECRET_PARAMS and (own or name in _FOREIGN_PARAMS)
        ]
        names = {name for name, _ in changes}
        return [pair for pair in asked if pair[0] not in names] + changes
    if count == 0:
        return None
    # GitLab sends the header on every page; it is empty on the last one.
    following = answer.headers.get("x-next-page")
    if following is None and not answer.header("link"):
        whole = total(answer)
        page = next((value for name, value in asked if name == "page"), "1")
        if whole is not None and seen < whole and re.fullmatch(r"[0-9]{1,7}", page):
            following = str(int(page) + 1)
    if following is None or not re.fullmatch(r"[0-9]{1,7}", following.strip()):
        return None
    return [pair for pair in asked if pair[0] != "page"] + [("page", following.strip())]
