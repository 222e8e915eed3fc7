"""Searching the catalog: which projects, in which order, and what stands beside them.

A search looks at no more rows than it needs. The indexes are read in rank order and stop after
`match.BOUND` hits; the best `CANDIDATES` of these, and every project whose name begins with what
was typed, are ordered by how well they fit; the rest follow by score. Nothing here imports more
than `sqlite3`.
"""

from __future__ import annotations

import time

from isexplore.catalog import match, words
from isexplore.catalog.coverage import languages_missing
from isexplore.catalog.driver import sqlite3
from isexplore.catalog.language import Query, corrected, parse
from isexplore.catalog.match import Compiled, Place
from isexplore.catalog.rank import best_first, match_spans
from isexplore.catalog.store import Catalog, Row, Store, rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from isexplore.catalog.facets import Facets

CANDIDATES = 500
"""Hits, best score first, that are ordered by how well they fit."""


class Found:
    """What a search found. Rows beyond the first ones are fetched when they are asked for."""

    def __init__(self, catalog: Catalog, query: Query) -> None:
        self.catalog = catalog
        self.query = query
        self.rows: list[Row] = []
        """The rows that the search was asked for."""
        self.total = 0
        """How many projects match; a lower bound while `more` is true."""
        self.more = False
        """Whether there are more than `total`; `count` tells how many."""
        self.late = False
        """The deadline passed: these are the hits found until then. Ask again without one."""
        self.corrected: str | None = None
        """The search that these are the results of, when the one asked for has none."""
        self.notice: str | None = None
        """A remark on the search: a filter's value that no project has, with the nearest one."""
        self.as_of: str | None = None
        """Since when nothing here is older (RFC 3339); None before the first sync."""
        self.incomplete: list[tuple[str, str]] = []
        """Forges of which something is missing, each with the reason."""
        self._effective = query
        self._head: list[Place] = []
        self._tail: list[Place] = []
        self._whole = True
        self._compiled = Compiled()
        self._stores: list[int] = []
        self._now = 0

    def window(self, offset: int, count: int) -> list[Row]:
        """Return `count` hits from `offset` on, in order; fewer at the end."""
        if offset < 0 or count <= 0:
            return []
        if offset + count > len(self._head) and not self._whole:
            if self._effective.is_empty and (paged := self._page(offset, count)) is not None:
                return self._rows(paged)
            self._complete()
        places = self._head[offset : offset + count]
        if len(places) < count:
            start = max(0, offset - len(self._head))
            places = places + self._tail[start : start + count - len(places)]
        return self._rows(places)

    def index_of(self, forge: str, path: str) -> int | None:
        """Return where a project stands among the hits known so far, or None; none of their rows is read."""
        for number in self._stores:
            store = self.catalog.stores[number]
            if store.forge != forge:
                continue
            for (rank,) in store.numbers("SELECT id FROM project WHERE path = ?", (path,)):
                place = (rank, number)
                if place in self._head:
                    return self._head.index(place)
                if place in self._tail:
                    return len(self._head) + self._tail.index(place)
                if self._is_paged and self._effective.sort not in match.ORDERS:
                    return match.count_before(store, rank)
        return None

    def count(self) -> int:
        """Return exactly how many projects match."""
        if self.more:
            self._complete()
        return self.total

    def places(self) -> list[Place]:
        """Return every hit, in order, as (rank, number of its store)."""
        self._complete()
        return self._head + self._tail

    def facets(self, limit: int = 12) -> Facets:
        """Count languages, topics and groups over all hits. It may read each: not for the key path."""
        from isexplore.catalog.facets import MANY, all_facets, count_facets, matching_facets

        if self._effective.is_empty:
            return all_facets(self.catalog, limit)
        counted = None
        if self.more or self.total >= MANY:
            counted = matching_facets(self.catalog, self._stores, self._compiled, limit)
        return counted or count_facets(self.catalog, self.places(), limit)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where `text` matches the search, as (start, end), in order and not overlapping."""
        return match_spans(text, self._effective)

    def rebound(self, catalog: Catalog) -> Found:
        """Return this result on another view of the same files, for another thread."""
        other = Found(catalog, self.query)
        other.__dict__.update(self.__dict__)
        other.catalog = catalog
        return other

    @property
    def _is_paged(self) -> bool:
        """Whether the hits are all projects of one file, of which any page can be read by itself."""
        return not self._whole and self._effective.is_empty and len(self._stores) == 1

    def _page(self, offset: int, count: int) -> list[Place] | None:
        """Return hits of a search for everything without finding those before; None where that cannot be."""
        sort = str(self._effective.sort)
        if self._is_paged:
            number = self._stores[0]
            return [(rank, number) for rank in match.page(self.catalog.stores[number], sort, offset, count)]
        if sort in match.ORDERS or not self._head:
            return None
        found = match.best_after(
            self.catalog, self._stores, self._head[-1][0], offset + count - len(self._head)
        )
        self._head = self._head + found[0]
        self._whole = found[1]
        return self._head[offset : offset + count]

    def _complete(self) -> None:
        """Find every hit, where so far only the best were looked at."""
        if self._whole:
            return
        if self._effective.sort in match.ORDERS:
            sort = str(self._effective.sort)
            everything, _ = match.sorted_places(self.catalog, self._stores, self._compiled, sort, None)
        else:
            from heapq import merge

            lists = [match.all_hits(self.catalog.stores[each], each, self._compiled) for each in self._stores]
            everything = list(merge(*lists))
        head = set(self._head)
        self._tail = [place for place in everything if place not in head]
        self.total, self.more, self._whole = len(self._head) + len(self._tail), False, True

    def _rows(self, places: Sequence[Place]) -> list[Row]:
        by_store: dict[int, list[int]] = {}
        for rank, number in places:
            by_store.setdefault(number, []).append(rank)
        found = {
            (row.rank, number): row
            for number, ranks in by_store.items()
            for row in self.catalog.stores[number].rows(ranks)
        }
        return [found[place] for place in places if place in found]


def search(
    catalog: Catalog,
    text: str,
    *,
    limit: int = 50,
    offset: int = 0,
    deadline: float | None = None,
    typing: bool = False,
    now: float | None = None,
) -> Found:
    """Return the projects that match.

    Args:
        catalog: where to look.
        text: the search, in the language of `isexplore.catalog.language`.
        limit: rows to fetch at once; `Found.window` fetches others.
        offset: where they begin.
        deadline: seconds after which to return with what there is (`Found.late`).
        typing: somebody still types: the last filter may be unfinished.
        now: the moment that `active:` counts from, in seconds since 1970; the present if None.

    Raises:
        UsageError: an unknown filter or a bad value.
    """
    query = parse(text, typing=typing, forges=[store.forge for store in catalog.stores])
    found = Found(catalog, query)
    found._now = int(time.time() if now is None else now)
    stop = _Deadline(catalog, deadline)
    try:
        _run(found, stop, offset + limit)
        if not found.total and not found.late and query.wanted:
            found = _forgiven(found, stop, offset + limit) or found
        if not found.late:
            found.rows = found.window(offset, limit)
    except sqlite3.OperationalError:
        if not stop.passed:
            raise
        found.late = True
    finally:
        stop.lift()
    found.as_of = rfc3339(catalog.as_of())
    found.incomplete = catalog.incomplete()
    if any(chosen.name == "lang" for chosen in found.query.filters):
        missing = [(store.forge, told) for store in catalog.stores if (told := languages_missing(store))]
        found.incomplete += missing
        if missing and found.notice is None:
            found.notice = "; ".join(told for _, told in missing)
    return found


class _Deadline:
    """Interrupts SQLite when the time is over."""

    def __init__(self, catalog: Catalog, seconds: float | None) -> None:
        self.passed = False
        self._stores = catalog.stores if seconds is not None else []
        self._end = float("inf") if seconds is None else time.perf_counter() + seconds
        for store in self._stores:
            if store.connection is not None:
                store.connection.set_progress_handler(self._check, 1_000)

    @property
    def over(self) -> bool:
        """Whether the time is over now."""
        self.passed = self.passed or time.perf_counter() > self._end
        return self.passed

    def _check(self) -> int:
        return int(self.over)

    def lift(self) -> None:
        for store in self._stores:
            # A file that turned out to be damaged has been closed meanwhile.
            if store.connection is not None:
                store.connection.set_progress_handler(None, 0)


def _run(found: Found, stop: _Deadline, need: int) -> None:
    """Fill `found` with the first hits in their order, with at least `need` if there are so many."""
    catalog, query = found.catalog, found._effective
    found._stores = [
        number
        for number, store in enumerate(catalog.stores)
        if store.connection is not None and _on_forge(store, query)
    ]
    found._compiled = match.compile_query(catalog, query, found._now)
    found.notice = found._compiled.notice or query.remark
    try:
        if query.sort in match.ORDERS:
            found._head, found._whole = match.sorted_places(
                catalog, found._stores, found._compiled, str(query.sort), need
            )
        else:
            _first(found)
    except sqlite3.OperationalError:
        if not stop.passed:
            raise
        found.late, found._whole = True, False
    found.total = len(found._head)
    found.more = not found._whole
    if query.is_empty and found.more:
        found.total, found.more = sum(catalog.stores[each].count() for each in found._stores), False


def _first(found: Found) -> None:
    """Take the best hits of every file, and put them in order."""
    catalog, query, compiled = found.catalog, found._effective, found._compiled
    places: list[Place] = []
    ends: list[int] = []
    for number in found._stores:
        hits, whole = match.first_hits(catalog.stores[number], compiled)
        places += [(rank, number) for rank in hits]
        if not whole:
            found._whole = False
            ends.append(hits[-1] if hits else 0)
    if len(found._stores) > 1:
        places.sort()
        if ends:
            # Beyond this, a file that was cut short may have more.
            end = min(ends)
            places = [place for place in places if place[0] <= end]
    if query.wanted and query.sort != "score":
        best: dict[int, list[int]] = {number: [] for number in found._stores}
        for rank, number in places[:CANDIDATES]:
            best[number].append(rank)
        named: set[Place] = set()
        for number, ranks in best.items():
            others = set(match.name_hits(catalog.stores[number], compiled)).difference(ranks)
            named.update((rank, number) for rank in others)
            ranks += others
        rest = [place for place in places[CANDIDATES:] if place not in named]
        places = best_first(catalog, query, best) + rest
    found._head = places


def _on_forge(store: Store, query: Query) -> bool:
    for chosen in query.values("forge"):
        named = store.forge.lower() in [value.lower() for value in chosen.values]
        if named == chosen.negated:
            return False
    return True


# Typing errors


def _forgiven(found: Found, stop: _Deadline, need: int) -> Found | None:
    """Return what is found with each unknown word replaced by the nearest known one; None if nothing is."""

    def nearest(typed: str) -> str | None:
        found.late = found.late or stop.over
        return None if found.late else _nearest_word(found, typed)

    text = corrected(found.query, nearest)
    if text is None or found.late:
        return None
    again = Found(found.catalog, found.query)
    again._now = found._now
    again._effective = parse(text, typing=True, forges=[store.forge for store in found.catalog.stores])
    _run(again, stop, need)
    if not again.total:
        return None
    again.corrected = text
    return again


def _nearest_word(found: Found, typed: str) -> str | None:
    """Return the indexed word that is one slip away from `typed`, the most frequent first."""
    stores = [found.catalog.stores[number] for number in found._stores]
    exists = "SELECT term FROM word WHERE term >= ? AND term < ? ORDER BY term LIMIT 1"
    if any(store.query(exists, (typed, typed + "\U0010ffff")) for store in stores):
        return typed
    near = [
        (term == each, each)
        for each in words.edits(typed)
        for store in stores
        for (term,) in store.query(exists, (each, each + "\U0010ffff"))
    ]
    whole = {each for same, each in near if same}
    return max(
        whole or {each for _, each in near}, key=lambda each: (_frequency(stores, each), each), default=None
    )


def _frequency(stores: Sequence[Store], word: str) -> int:
    """Return how many projects have a word in their name, path, description or topics."""
    statement = "SELECT doc FROM vocabulary WHERE term = ?"
    return sum(projects for store in stores for (projects,) in store.numbers(statement, (word,)))
