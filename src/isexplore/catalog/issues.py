"""Good first issues across all projects, searched without network.

rate limit lang:go group:platform verdict:free updated:90d label:docs sort:updated
"""

from __future__ import annotations

import time
from itertools import islice

from isexplore.catalog import words
from isexplore.catalog.issue_index import Clock, IssueIndex, TooLateError, read_index, several
from isexplore.catalog.language import PROJECT_FILTERS, Query, Word, corrected, parse, seconds
from isexplore.catalog.rank import match_spans
from isexplore.catalog.store import Catalog, Store, rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from isexplore.catalog.issue_index import Mine

ISSUE_FILTERS = {
    "verdict": "free, maybe-taken, stale, unknown",
    "lang": PROJECT_FILTERS["lang"],
    "topic": PROJECT_FILTERS["topic"],
    "group": PROJECT_FILTERS["group"],
    "project": "a project, by the end of its path",
    "label": "a label",
    "forge": PROJECT_FILTERS["forge"],
    "updated": "changed within: 30d, 12w, 6m, 1y",
    "age": "opened within: 30d, 12w, 6m, 1y",
    "has": "contributing, readme, ... of the project",
    "sort": "relevance, updated, score, stars, name",
}
"""What `isexplore issues` understands, each with what it takes."""

YOURS = "yours"
"""Instead of a verdict: one's own contribution is about this issue."""
_SOON_READ = 1_000
"""Issues that are read, or looked through for the first time, within the time of a key press."""
_COLUMNS = (
    "i.pid, i.number, i.title, i.url, i.labels, i.author, i.assignees, i.comments, i.created_at, i.updated_at, "
    "i.verdict, i.reasons, i.description <> '', i.fetched_at, i.first_seen, i.judged_at, p.id, p.path, p.name, "
    "p.language, p.languages, p.topics, p.documents, p.stars, p.licence, p.open_issues"
)
_SELECT = f"SELECT {_COLUMNS} FROM issue AS i JOIN project AS p ON p.pid = i.pid"
"""Without descriptions, which are most of the bytes: they are read where one is shown or looked for."""


class FirstIssue:
    """A good first issue as the catalog knows it. Times are seconds since 1970 (UTC) or None."""

    __slots__ = (
        "_pid",
        "_store",
        "assignees",
        "author",
        "comments",
        "created_at",
        "fetched_at",
        "first_seen",
        "forge",
        "judged_at",
        "labels",
        "language",
        "number",
        "project",
        "rank",
        "reasons",
        "stars",
        "title",
        "updated_at",
        "url",
        "verdict",
    )

    def __init__(self, store: Store, values: Sequence[object]) -> None:
        self._store = store
        self._pid = str(values[0])
        self.forge = store.forge
        self.number = _number(values[1]) or 0
        self.title = str(values[2])
        self.url = str(values[3])
        self.labels = several(values[4])
        self.author = str(values[5])
        self.assignees = several(values[6])
        self.comments = _number(values[7]) or 0
        self.created_at = _number(values[8])
        self.updated_at = _number(values[9])
        self.verdict = str(values[10])
        """`free`, `maybe-taken`, `stale` or `unknown`; `yours` where one's own contribution is about it."""
        self.reasons = several(values[11])
        self.fetched_at = _number(values[13]) or 0
        self.first_seen = _number(values[14])
        """When it first turned up; None for what was there at the first look at its project."""
        self.judged_at = _number(values[15])
        self.rank = _number(values[16]) or 0
        """Rank of its project: lower is better."""
        self.project = str(values[17])
        """Full path of its project."""
        self.language = str(values[19]) if values[19] else None
        self.stars = _number(values[23]) or 0
        """Stars of its project."""

    @property
    def description(self) -> str:
        """The beginning of its text, read when it is asked for; empty once it has left the catalog."""
        found = self._store.query(
            "SELECT description FROM issue WHERE pid = ? AND number = ?", (self._pid, self.number)
        )
        return str(found[0][0]) if found else ""

    def still_offered(self, mine: Mine) -> bool:
        """Return whether it is still to be had, and say so where it is one's own already.

        A contribution that has ended takes its issue along, until the forge was seen to have it open still.
        """
        ended = mine.get((self.forge, self.project, self.number))
        if ended == 0:
            self.verdict, self.reasons = YOURS, ("your contribution is about it",)
        return not ended or self.fetched_at > ended

    def as_json(self) -> dict[str, object]:
        """Return the issue in the stable shape of `isexplore issues --json`."""
        return {
            "forge": self.forge,
            "project": self.project,
            "number": self.number,
            "title": self.title,
            "url": self.url,
            "labels": list(self.labels),
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "updated": rfc3339(self.updated_at),
            "created": rfc3339(self.created_at),
            "language": self.language,
        }


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


class FoundIssues:
    """What a search for issues found. Rows beyond the first ones are read when they are asked for."""

    def __init__(self, catalog: Catalog, query: Query) -> None:
        self.catalog = catalog
        self.query = query
        self.issues: list[FirstIssue] = []
        """Those that the search was asked for; one that has left meanwhile is missing."""
        self.total = 0
        self.late = False
        """The deadline passed, and nothing was found out: ask again without one."""
        self.outdated = False
        """Somebody has written since this was read: ask again without a deadline."""
        self.corrected: str | None = None
        """The search that these are the results of, when the one asked for has none."""
        self.notice: str | None = None
        """A remark on the search: a filter's value that no issue has, with the nearest one."""
        self.unseen: str | None = None
        """What is not known yet though nothing failed, in words; None when everything is. `incomplete` has it too."""
        self.as_of: str | None = None
        """Since when nothing here is older (RFC 3339); None before the first sync."""
        self.incomplete: list[tuple[str, str]] = []
        """Forges of which something is missing, each with the reason."""
        self.index: IssueIndex | None = None
        """What was asked; None where it has not been read."""
        self.revision: tuple[int, ...] = ()
        """The state of the files (`Catalog.revision`) before it was read."""
        self._mine: Mine = {}
        self._hits = 0
        self._places: list[int] = []
        """The first hits in order, each as its place in the index."""
        self._rest: Iterator[int] = iter(())
        """The others."""

    def window(self, offset: int, count: int) -> list[FirstIssue | None]:
        """Return `count` hits from `offset` on; None in place of one that has left the catalog."""
        return [self._read(place) for place in self._until(offset + count)[offset:]]

    def key(self, position: int) -> tuple[str, str, int]:
        """Return forge, project and number of the hit at a position."""
        assert self.index is not None
        return self.index.key(self._until(position + 1)[position])

    def index_of(self, forge: str, project: str, number: int) -> int | None:
        """Return where an issue stands among the hits, or None."""
        place = self.index.place_of((forge, project, number)) if self.index is not None else None
        if place is None or not self._hits >> place & 1:
            return None
        self._until(self.total)
        return self._places.index(place)

    def take(self, hits: int, order: Iterator[int]) -> None:
        """Take over what matches, as the index told it, and its order."""
        self._hits, self._places, self._rest = hits, [], order
        self.total = hits.bit_count()

    def _until(self, end: int) -> list[int]:
        """Return the places of the hits before the position `end`."""
        if len(self._places) < end:
            self._places += islice(self._rest, end - len(self._places))
        return self._places[:end]

    def _read(self, place: int) -> FirstIssue | None:
        assert self.index is not None
        entry = self.index.entries[place]
        store = self.catalog.stores[entry.store]
        found = store.query(f"{_SELECT} WHERE i.pid = ? AND i.number = ?", (entry.pid, entry.number))
        if not found:
            return None
        issue = FirstIssue(store, found[0])
        issue.still_offered(self._mine)
        return issue

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where `text` matches the search."""
        return match_spans(text, self.query)

    def rebound(self, catalog: Catalog) -> FoundIssues:
        """Return this result on another view of the same files, for another thread."""
        other = FoundIssues(catalog, self.query)
        other.__dict__.update(self.__dict__)
        other.catalog = catalog
        return other


def first_issues(
    catalog: Catalog,
    text: str = "",
    *,
    limit: int = 200,
    offset: int = 0,
    typing: bool = False,
    now: float | None = None,
    mine: Mine | None = None,
    deadline: float | None = None,
) -> FoundIssues:
    """Return the good first issues that match, those that are free first.

    Args:
        catalog: where to look.
        text: words (of title, labels, description and project) and filters.
        limit: how many to read at once; `FoundIssues.window` reads others.
        offset: where to begin.
        typing: somebody still types: the last filter may be unfinished.
        now: the moment that ages count from, in seconds since 1970; the present if None.
        mine: issues of one's own contributions.
        deadline: seconds after which to return with nothing (`FoundIssues.late`); what is known of many
            issues is then not read anew either (`FoundIssues.outdated`).

    Raises:
        UsageError: an unknown filter or a bad value.
    """
    forges = [store.forge for store in catalog.stores]
    found = FoundIssues(catalog, parse(text, typing=typing, filters=ISSUE_FILTERS, forges=forges))
    found._mine = mine or {}
    found.notice = found.query.remark
    clock = Clock(deadline)
    moment = int(time.time() if now is None else now)
    try:
        index = _index_of(found, clock)
        _search(found, index, found.query, moment, clock)
        if not found.total and found.query.wanted:
            _forgive(found, index, moment, clock, forges)
    except TooLateError:
        found.late = True
    else:
        found.issues = [issue for issue in found.window(offset, limit) if issue is not None]
        found.unseen = "; ".join(told for _, told in index.missing) or None
    found.as_of = rfc3339(catalog.as_of())
    found.incomplete = [*catalog.incomplete(), *(found.index.missing if found.index is not None else ())]
    return found


def _index_of(found: FoundIssues, clock: Clock) -> IssueIndex:
    """Return what is kept of the issues, read anew where somebody wrote and there is the time for it."""
    catalog = found.catalog
    found.revision = catalog.revision()
    kept = catalog.first_issues
    found.index = kept[1] if kept is not None else None
    found.outdated = kept is None or kept[0] != found.revision
    if found.outdated and clock.runs and _many(catalog):
        if found.index is None:
            raise TooLateError
    elif found.outdated:
        found.index = read_index(catalog, found.index)
        catalog.first_issues = (found.revision, found.index)
        found.outdated = False
    assert found.index is not None
    if found.query.words and not found.index.has_texts:
        if clock.runs and len(found.index.entries) > _SOON_READ:
            raise TooLateError
        found.index.read_texts(catalog.stores)
    return found.index


def _many(catalog: Catalog) -> bool:
    """Whether reading all issues takes longer than a key press may."""
    counted = (store.numbers("SELECT count(*) FROM issue") for store in catalog.stores)
    return sum(number for rows in counted for (number,) in rows) > _SOON_READ


def _search(found: FoundIssues, index: IssueIndex, query: Query, now: int, clock: Clock) -> None:
    hits = index.all
    for chosen in query.filters:
        known = index.dated(chosen.name) if chosen.name in ("updated", "age") else index.all
        some = 0
        for value in chosen.values:
            some |= _with(found, index, chosen.name, value, now)
        # When an issue was changed nobody knows of some: these are neither within a time nor outside it.
        hits &= known & (~some if chosen.negated else some)
        clock.look()
    for word in query.words:
        having = index.all
        for phrase in _phrases(word):
            having &= index.word(phrase, clock)
        hits &= ~having if word.negated else having
    yours, gone = index.own(found._mine)
    hits &= ~gone
    if any(chosen.name == "verdict" and not chosen.negated for chosen in query.filters):
        hits &= ~yours
    if query.sort in ("updated", "activity", "score", "stars", "name"):
        found.take(hits, index.sorted_by(query.sort, hits))
    else:
        begins = [
            f" {each}" for word in query.wanted for each in ((word.text,) if word.is_sign else word.tokens)
        ]
        found.take(hits, index.best_first(hits, yours, begins))


def _with(found: FoundIssues, index: IssueIndex, name: str, value: str, now: int) -> int:
    """Return which issues have a value of a filter; remarks on one that none has."""
    if name in ("updated", "age"):
        moment = now - (seconds(value) or 0)
        return index.updated_since(moment) if name == "updated" else index.opened_since(moment)
    if (name, value) == ("has", "description"):
        return index.with_text(found.catalog.stores)
    some = index.filtered(name, value)
    if not some and index.entries and name in ("lang", "topic", "group", "project", "label"):
        known = index.known(name)
        near = words.nearest(words.fold(value.strip("/")), known)
        if near is None and name == "project":
            ends = {each.rpartition("/")[2]: each for each in known}
            near = ends.get(words.nearest(words.fold(value.rpartition("/")[2]), ends) or "")
        found.notice = f"No first issue has {name}:{value}" + (
            f"; did you mean {name}:{near}?" if near else ""
        )
    return some


def _phrases(word: Word) -> list[str]:
    """Return what a text must hold to have a word, its words with a space before each."""
    end = " " * (word.exact or word.negated)
    if word.is_sign:
        return [f" {word.text}{end}"]
    return [f" {' '.join(word.tokens)}{end}", *(f" {sign} " for sign in word.signs)]


def _forgive(found: FoundIssues, index: IssueIndex, now: int, clock: Clock, forges: Sequence[str]) -> None:
    """Find what there is with each unknown word replaced by the nearest known one."""
    if not index.has_vocabulary:
        if clock.runs and len(index.entries) > _SOON_READ:
            raise TooLateError
        index.read_vocabulary()
    text = corrected(found.query, lambda word: index.nearest_word(word, clock))
    if text is None:
        return
    query = parse(text, typing=True, filters=ISSUE_FILTERS, forges=forges)
    _search(found, index, query, now, clock)
    if found.total:
        found.corrected, found.query = text, query


def issues_of(store: Store, path: str, *, since: int | None = None) -> list[FirstIssue]:
    """Return the good first issues of one project that are kept, latest change first.

    Args:
        store: the forge's file.
        path: full path of the project.
        since: only those that first turned up later (seconds since 1970).
    """
    later = "AND i.first_seen > ?" if since is not None else ""
    found = store.query(
        f"{_SELECT} WHERE p.path = ? {later} ORDER BY i.updated_at DESC",
        (path, since) if since is not None else (path,),
    )
    return [FirstIssue(store, values) for values in found]
