"""`search` without waiting: from the words to the rows with nothing loaded that a search does not need.

A line that is plain (words, `--limit N`, `--json`) and whose accounts are written down is answered
here, in about the time that Python itself takes to start. Everything else, errors among it, goes the
usual way, which ends in the same `print_found`.
"""

from __future__ import annotations

import gc
import os
import sys

from isexplore.cli.output import print_json, print_table, say, tell
from isexplore.errors import EXIT_OK, UsageError
from isexplore.text import shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from isexplore.catalog.store import Catalog

LIMIT = 20
"""Rows shown unless told otherwise."""

_MAPPED = "PRAGMA mmap_size = 1073741824"


class Plain:
    """A search as it was asked for on the command line."""

    __slots__ = ("as_json", "limit", "text")

    def __init__(self, text: str, limit: int, as_json: bool) -> None:
        self.text = text
        self.limit = limit
        self.as_json = as_json


def plain(words: Sequence[str]) -> Plain | None:
    """Return what follows `search`, understood; None when it takes `argparse` to understand it."""
    query: list[str] = []
    limit, as_json, ended = LIMIT, False, False
    waiting = iter(words)
    for word in waiting:
        if word == "--json":
            as_json = True
        elif word == "--limit":
            number = next(waiting, "")
            if not (number.isascii() and number.isdigit() and int(number)):
                return None
            limit = int(number)
        elif word.startswith("-") or "@" in word:
            # A saved search is in the configuration, which is not read here.
            return None
        else:
            # One run of words only: what argparse makes of several is its own affair.
            if ended:
                return None
            query.append(word)
            continue
        ended = bool(query)
    return Plain(" ".join(query), limit, as_json)


def search(words: Sequence[str]) -> int | None:
    """Answer a plain search; return the exit code, or None when it has to go the usual way."""
    from isexplore.config.accounts import noted_accounts
    from isexplore.config.folders import folder

    asked = plain(words)
    if asked is None:
        return None
    cache = folder("cache", os.environ)
    accounts = noted_accounts(os.path.join(folder("config", os.environ), "config.toml"), cache)
    if accounts is None:
        return None
    with open_briefly(os.path.join(cache, "catalog"), accounts) as catalog:
        try:
            state = os.path.join(folder("state", os.environ), "state.toml")
            return print_found(catalog, asked.text, asked.limit, asked.as_json, state=state)
        except UsageError:
            gc.enable()
            return None


def open_briefly(folder: str, accounts: Iterable[tuple[str, str, str]]) -> Catalog:
    """Return the catalog for a process that ends after one search."""
    # It has nothing to collect.
    gc.disable()
    from isexplore.catalog.store import Account, Catalog

    catalog = Catalog.open(folder, [Account(*each) for each in accounts])
    for store in catalog.stores:
        if store.connection is not None:
            # Each page is looked at once: to map them spares a call and a copy for each.
            store.connection.execute(_MAPPED)
    return catalog


def print_found(catalog: Catalog, text: str, limit: int, as_json: bool, *, state: str) -> int:
    """Search, and print what was found; return the exit code.

    Args:
        catalog: where to search.
        text: the search.
        limit: rows to print.
        as_json: print JSON, which also tells what is new.
        state: the file that knows when the catalog was last looked at; read for JSON only.

    Raises:
        UsageError: an unknown filter or a bad value; nothing has been printed.
    """
    from isexplore.catalog.query import search as find

    found = find(catalog, text, limit=limit)
    if as_json:
        since = _last_visit(state)
        print_json(
            {
                "projects": [
                    {**row.as_json(), "new": since is not None and (row.first_seen or 0) > since}
                    for row in found.rows
                ],
                "total": found.count(),
                "as_of": found.as_of,
                "incomplete": [{"forge": forge, "reason": reason} for forge, reason in found.incomplete],
                "corrected": found.corrected,
            }
        )
        return EXIT_OK
    for forge, reason in found.incomplete:
        tell(f"isexplore: {forge}: {reason}")
    if found.corrected:
        tell(f"isexplore: nothing is spelt like that; showing {found.corrected}")
    told = {reason for _, reason in found.incomplete}
    if found.notice and not told.issuperset(found.notice.split("; ")):
        tell(f"isexplore: {found.notice}")
    if not found.rows:
        fault = could_not_be_read(catalog.incomplete())
        if fault:
            known = (
                "No project matches, of those that are known" if catalog.count() else "No project is known"
            )
            say(f"{known}: {fault}")
        elif catalog.count():
            say("No project matches.")
        elif found.as_of is None:
            say("The catalog is empty. isexplore sync fills it; isexplore login URL connects to a forge.")
        else:
            say(
                "The forge was asked, and no project there carries one of the topics that mark InnerSource.",
                "Name other topics as `tags` in the configuration (isexplore config path), or name a project:",
                "  isexplore show group/name",
            )
        return EXIT_OK
    print_table(
        (
            row.path,
            row.language or "",
            f"{row.stars} ★",
            f"{row.good_first_issues} first" if row.good_first_issues else "",
            shorten(row.description.replace("\n", " "), 70),
        )
        for row in found.rows
    )
    # Counting all hits reads them all: not before the rows are on the screen.
    sys.stdout.flush()
    total = found.count()
    if total > len(found.rows):
        tell(f"{len(found.rows)} of {total:,}; --limit shows more")
    return EXIT_OK


def could_not_be_read(incomplete: Iterable[tuple[str, str]]) -> str:
    """Return which forges failed, for a list that is empty and perhaps should not be; "" where none did."""
    from isexplore.catalog.store import faults

    names = ", ".join(dict.fromkeys(forge for forge, _ in faults(incomplete)))
    return f"{names} could not be read. isexplore sync tries again." if names else ""


def _last_visit(state: str) -> int | None:
    from pathlib import Path

    from isexplore.config.bookmarks import EXPLORE, Visits
    from isexplore.config.files import StateFile
    from isexplore.errors import StateError

    file = StateFile(Path(state))
    try:
        return Visits(file).last_second(EXPLORE)
    except StateError:
        return None
    finally:
        # Reading puts a broken file aside, so nobody after this would learn of it.
        if file.notice:
            tell(f"isexplore: {file.notice}")
