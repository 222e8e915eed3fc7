"""Good first issues across all projects, searched without network.

rate limit lang:go group:platform verdict:free updated:90d label:docs sort:updated
"""

from __future__ import annotations

import time

from isexplore.catalog import words
from isexplore.catalog.coverage import first_issues_missing
from isexplore.catalog.language import HAS, PROJECT_FILTERS, Filter, Query, parse, seconds
from isexplore.catalog.rank import match_spans
from isexplore.catalog.store import Catalog, Store, rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Mine = Mapping[tuple[str, str, int], int]
    """Issues of one's own contributions: when that ended (seconds since 1970), 0 while it runs."""

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
_ORDER = {"free": 0, "unknown": 1, "stale": 2, "maybe-taken": 3, YOURS: 4}
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
        self.labels = _several(values[4])
        self.author = str(values[5])
        self.assignees = _several(values[6])
        self.comments = _number(values[7]) or 0
        self.created_at = _number(values[8])
        self.updated_at = _number(values[9])
        self.verdict = str(values[10])
        """`free`, `maybe-taken`, `stale` or `unknown`; `yours` where one's own contribution is about it."""
        self.reasons = _several(values[11])
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


def _several(value: object) -> tuple[str, ...]:
    return tuple(str(value).split("\n")) if value else ()


class FoundIssues:
    """What a search for issues found."""

    __slots__ = ("as_of", "incomplete", "issues", "notice", "query", "total")

    def __init__(self, query: Query) -> None:
        self.query = query
        self.issues: list[FirstIssue] = []
        self.total = 0
        self.as_of: str | None = None
        """Since when nothing here is older (RFC 3339); None before the first sync."""
        self.incomplete: list[tuple[str, str]] = []
        """Forges of which something is missing, each with the reason."""
        self.notice: str | None = None
        """What is not known yet though nothing failed, in words; None when everything is. `incomplete` has it too."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where `text` matches the search."""
        return match_spans(text, self.query)


def first_issues(
    catalog: Catalog,
    text: str = "",
    *,
    limit: int = 200,
    offset: int = 0,
    typing: bool = False,
    now: float | None = None,
    mine: Mine | None = None,
) -> FoundIssues:
    """Return the good first issues that match, those that are free first.

    Args:
        catalog: where to look.
        text: words (of title, labels, description and project) and filters.
        limit: how many to return.
        offset: where to begin.
        typing: somebody still types: the last filter may be unfinished.
        now: the moment that ages count from, in seconds since 1970; the present if None.
        mine: issues of one's own contributions.

    Raises:
        UsageError: an unknown filter or a bad value.
    """
    query = parse(
        text, typing=typing, filters=ISSUE_FILTERS, forges=[store.forge for store in catalog.stores]
    )
    moment = int(time.time() if now is None else now)
    found = FoundIssues(query)
    rated: list[tuple[tuple[object, ...], FirstIssue]] = []
    wanted = any(chosen.name == "verdict" and not chosen.negated for chosen in query.filters)
    theirs = mine or {}
    begins = [f" {token}" for word in query.wanted for token in word.tokens]
    phrases = [
        (" " + " ".join(word.tokens) + " " * (word.exact or word.negated), word.negated)
        for word in query.words
    ]
    for store in catalog.stores:
        for kept in _kept(store, with_texts=bool(query.words)):
            text = kept.text
            if any((phrase in text) == negated for phrase, negated in phrases):
                continue
            if query.filters and not _passes(store, query, kept, moment):
                continue
            issue = kept.issue
            if theirs and (issue.forge, issue.project, issue.number) in theirs:
                # What is kept is asked again with the next key: what is one's own now may not be then.
                issue = FirstIssue(store, kept.values)
                if not issue.still_offered(theirs) or (issue.verdict == YOURS and wanted):
                    continue
            rated.append((_order(query, issue, kept, begins), issue))
    rated.sort(key=lambda each: each[0])
    found.total = len(rated)
    found.issues = [issue for _, issue in rated[offset : offset + limit]]
    found.as_of = rfc3339(catalog.as_of())
    missing = [(store.forge, told) for store in catalog.stores if (told := first_issues_missing(store))]
    found.incomplete = [*catalog.incomplete(), *missing]
    found.notice = "; ".join(told for _, told in missing) or None
    return found


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


class Kept:
    """An issue with what the search makes of it, kept from key to key until somebody writes to the file."""

    __slots__ = ("issue", "last", "text", "title", "values")

    def __init__(self, store: Store, values: tuple[object, ...]) -> None:
        self.values = values
        self.issue = FirstIssue(store, values)
        self.text = ""
        """Its words and its project's, folded, a space before and after each; made for the first search of words."""
        self.title = ""
        """The same of its title alone; made together with `text`."""
        self.last = (-(self.issue.updated_at or 0), self.issue.rank, self.issue.number)
        """What it is ordered by among equals."""


def _kept(store: Store, *, with_texts: bool) -> list[Kept]:
    """Return all issues of a file; read and folded once for each time that somebody wrote."""
    version = store.numbers("PRAGMA data_version")
    if not version:
        return []
    if store.issues is None or store.issues[0] != version[0][0]:
        found = [Kept(store, values) for values in store.query(_SELECT)]
        store.issues = (version[0][0], found)
    kept = store.issues[1]
    if with_texts and kept and not all(each.text for each in kept):
        texts = {
            (pid, number): text
            for pid, number, text in store.query("SELECT pid, number, description FROM issue")
        }
        for each in kept:
            values = each.values
            parts = (values[2], values[4], texts.get((values[0], values[1]), ""), values[17], values[18])
            each.text = f" {' '.join(words.tokens(chr(10).join(map(str, parts))))} "
            each.title = " " + " ".join(words.tokens(str(values[2])))
    return kept


def _passes(store: Store, query: Query, kept: Kept, now: int) -> bool:
    for chosen in query.filters:
        if chosen.name in ("updated", "age"):
            moment = kept.issue.updated_at if chosen.name == "updated" else kept.issue.created_at
            if moment is None:
                # When it was, nobody knows: neither within a time nor outside it.
                return False
            hit = moment >= now - max(seconds(value) or 0 for value in chosen.values)
        elif chosen.name == "verdict":
            hit = kept.issue.verdict in chosen.values
        else:
            hit = any(_has(store, chosen, words.fold(value), kept.values) for value in chosen.values)
        if hit == chosen.negated:
            return False
    return True


def _has(store: Store, chosen: Filter, value: str, values: Sequence[object]) -> bool:
    name, path = chosen.name, words.fold(str(values[17]))
    if name == "forge":
        return words.fold(store.forge) == value
    if name == "group":
        return path.startswith(value.strip("/") + "/")
    if name == "project":
        return path == value or path.endswith("/" + value)
    if name == "label":
        return any(words.topic_value(value) in words.topic_value(label) for label in _several(values[4]))
    if name == "lang":
        names = [words.fold(each) for each in (str(values[19] or ""), *_several(values[20])[:3])]
        return value in names or any(each.startswith(value) for each in names)
    if name == "topic":
        return words.topic_value(value) in [words.topic_value(each) for each in _several(values[21])]
    facts = {"gfi": True, "licence": values[24], "issues": values[25], "description": values[12]}
    wanted = next((each for each in HAS.values() if each.lower() == value), value)
    return bool(facts[wanted]) if wanted in facts else wanted in _several(values[22])


def _order(query: Query, issue: FirstIssue, kept: Kept, begins: Sequence[str]) -> tuple[object, ...]:
    latest = kept.last[0]
    if query.sort in ("updated", "activity"):
        return (latest, issue.rank, issue.number)
    if query.sort == "score":
        return (issue.rank, latest, issue.number)
    if query.sort == "stars":
        return (-issue.stars, issue.rank, latest, issue.number)
    if query.sort == "name":
        return (issue.project.lower(), issue.number, latest)
    missed = sum([begin not in kept.title for begin in begins])
    return (_ORDER.get(issue.verdict, 9), missed, kept.last)
