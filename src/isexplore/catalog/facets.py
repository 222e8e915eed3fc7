"""What stands beside the results: counted languages, topics and groups, and completion of filters."""

from __future__ import annotations

from isexplore.catalog import words
from isexplore.catalog.language import HAS, PROJECT_FILTERS, SORTS, SPANS, VERDICTS, pieces
from isexplore.catalog.match import KINDS, facet_value, only_in_readmes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from isexplore.catalog.match import Compiled, Place
    from isexplore.catalog.store import Catalog

FacetCount = tuple[str, int]
"""A value, and how many projects have it."""
Counts = dict[str, FacetCount]
"""By the folded value: how it is spelt, and how many projects have it."""
_BATCH = 5_000
_VALUES = 5_000
MANY = 10_000
"""Hits from which on asking the index for each value is quicker than reading them."""


class Facets:
    """Counted values of the hits, most frequent first."""

    __slots__ = ("groups", "languages", "topics")

    def __init__(
        self, languages: list[FacetCount], topics: list[FacetCount], groups: list[FacetCount]
    ) -> None:
        self.languages = languages
        self.topics = topics
        self.groups = groups
        """Top-level groups."""


def all_facets(catalog: Catalog, limit: int = 12) -> Facets:
    """Return the counts over all projects, which the last sync has made: cheap."""
    everywhere = range(len(catalog.stores))
    kinds = (words.LANGUAGE, words.TOPIC, words.GROUP)
    return Facets(*(_top(_known(catalog, everywhere, kind, 20 * limit), limit) for kind in kinds))


def count_facets(catalog: Catalog, places: Sequence[Place], limit: int = 12) -> Facets:
    """Count over these hits. It reads every one of them: not for the key path."""
    return Facets(*(_top(each, limit) for each in _counted(catalog, places)))


def _counted(catalog: Catalog, places: Sequence[Place]) -> tuple[Counts, Counts, Counts]:
    """Return how many of the hits have each language, topic and top-level group."""
    counts: tuple[Counts, Counts, Counts] = ({}, {}, {})
    by_store: dict[int, list[int]] = {}
    for rank, number in places:
        by_store.setdefault(number, []).append(rank)
    for number, ranks in by_store.items():
        for start in range(0, len(ranks), _BATCH):
            marks = ",".join(map(str, ranks[start : start + _BATCH]))
            for path, language, languages, topics in catalog.stores[number].query(
                f"SELECT path, language, languages, topics FROM project WHERE id IN ({marks})"
            ):
                names = dict.fromkeys([str(language)] if language else [])
                names.update(dict.fromkeys(str(languages).split("\n")[:3] if languages else []))
                labels = str(topics).split("\n") if topics else []
                group, slash, _ = str(path).partition("/")
                _add(counts[0], [(words.fold(name), name) for name in names])
                _add(counts[1], [(words.topic_value(name), name) for name in labels])
                _add(counts[2], [(words.fold(group), group)] if slash else [])
    return counts


def matching_facets(
    catalog: Catalog, numbers: Sequence[int], compiled: Compiled, limit: int = 12
) -> Facets | None:
    """Count over everything that matches, by asking the index for each value that may be among the first.

    Many hits are counted so in a tenth of the time that reading them takes. The values come from the
    last sync, the most frequent first; where even all projects with a value are too few, no other can be.

    Returns:
        None when the hits are few, or the index cannot tell: count them with `count_facets`.
    """
    if compiled.dated or not compiled.meta or (compiled.deep and compiled.phrases):
        return None
    hits = sum(_matching(catalog, number, compiled.meta) for number in numbers)
    if hits < MANY:
        return None
    more = [
        (rank, number) for number in numbers for rank in only_in_readmes(catalog.stores[number], compiled)
    ]
    lists = []
    for kind, beside in zip((words.LANGUAGE, words.TOPIC, words.GROUP), _counted(catalog, more), strict=True):
        known = _known(catalog, numbers, kind, _VALUES)
        if not known:
            return None
        counts: Counts = {}
        for value, (label, projects) in sorted(known.items(), key=lambda each: -each[1][1]):
            first = sorted((number for _, number in counts.values()), reverse=True)[:limit]
            if len(first) == limit and projects < first[-1]:
                break
            match = f"({compiled.meta}) AND {words.quoted(words.filter_word(kind, value))}"
            number = sum(_matching(catalog, each, match) for each in numbers) + beside.get(value, ("", 0))[1]
            if number:
                counts[value] = (label, number)
        lists.append(_top(counts, limit))
    return Facets(*lists)


def _matching(catalog: Catalog, number: int, match: str) -> int:
    found = catalog.stores[number].numbers("SELECT count(*) FROM meta WHERE meta MATCH ?", (match,))
    return found[0][0] if found else 0


def _known(catalog: Catalog, numbers: Sequence[int], kind: str, most: int) -> Counts:
    """Return the most frequent values of one kind, of groups the top-level ones, and how many projects have each."""
    source = f"facet WHERE kind = '{kind}'"
    if kind == words.GROUP:
        source = f"facet INDEXED BY facet_top WHERE kind = '{kind}' AND instr(value, '/') = 0"
    statement = f"SELECT value, label, projects FROM {source} ORDER BY projects DESC LIMIT {most}"
    counts: Counts = {}
    for number in numbers:
        for value, label, projects in catalog.stores[number].query(statement):
            before = counts.get(str(value), (str(label), 0))
            counts[str(value)] = (before[0], before[1] + int(str(projects)))
    return counts


def _add(counts: Counts, values: list[tuple[str, str]]) -> None:
    for value, label in values:
        before = counts.get(value)
        counts[value] = (before[0], before[1] + 1) if before else (label, 1)


def _top(counts: Counts, limit: int) -> list[FacetCount]:
    return sorted(counts.values(), key=lambda each: (-each[1], each[0].lower()))[:limit]


class Completion:
    """What could stand instead of `text[start:end]`."""

    __slots__ = ("detail", "end", "start", "text")

    def __init__(self, start: int, end: int, text: str, detail: str) -> None:
        self.start = start
        self.end = end
        self.text = text
        self.detail = detail
        """What the filter takes, or how many projects have the value."""

    def applied(self, to: str) -> str:
        """Return the search with this in place."""
        return to[: self.start] + self.text + to[self.end :]


def completions(
    catalog: Catalog,
    text: str,
    cursor: int | None = None,
    *,
    limit: int = 8,
    filters: Mapping[str, str] = PROJECT_FILTERS,
) -> list[Completion]:
    """Return how the filter at the cursor could go on: names of filters, or values that exist, best first."""
    at = len(text) if cursor is None else min(cursor, len(text))
    part = next((each for each in pieces(text) if each.start < at <= each.end), None)
    if part is None:
        return []
    if part.name is None:
        typed = text[part.value_start : at].lower()
        if part.quoted or not typed:
            return []
        return [
            Completion(part.value_start, part.end, f"{name}:", takes)
            for name, takes in filters.items()
            if name.startswith(typed)
        ][:limit]
    if part.name not in filters or at < part.value_start:
        return []
    before = text[part.value_start : at]
    start = part.value_start + before.rfind(",") + 1
    end = text.find(",", at, part.end)
    typed = text[start:at].strip('"')
    values = _values(catalog, part.name, typed, limit)
    return [
        Completion(start, end if end >= 0 else part.end, f'"{value}"' if " " in value else value, detail)
        for value, detail in values
        if value != typed
    ][:limit]


def _values(catalog: Catalog, name: str, typed: str, limit: int) -> list[tuple[str, str]]:
    fixed: dict[str, tuple[str, ...]] = {
        "has": tuple(HAS),
        "sort": SORTS,
        "active": SPANS,
        "updated": SPANS,
        "age": SPANS,
        "verdict": VERDICTS,
        "forge": tuple(store.forge for store in catalog.stores),
    }
    if name in fixed:
        return [(value, "") for value in fixed[name] if value.lower().startswith(typed.lower())]
    if name not in KINDS:
        return []
    kind = KINDS[name]
    begin = words.fold(typed) if kind == words.GROUP else facet_value(kind, typed)
    # Without a beginning, the index of the most frequent values ends at the limit.
    condition, bounds = ("AND value >= ? AND value < ?", (begin, begin + "\U0010ffff")) if begin else ("", ())
    statement = (
        f"SELECT value, label, projects FROM facet WHERE kind = ? {condition} ORDER BY projects DESC LIMIT ?"
    )
    counts: Counts = {}
    for store in catalog.stores:
        for value, label, number in store.query(statement, (kind, *bounds, limit + 1)):
            before = counts.get(str(value), (str(label), 0))
            counts[str(value)] = (before[0], before[1] + int(str(number)))
    spelt = value_spelling if kind == words.LANGUAGE else str
    return [(spelt(label), f"{number:,}") for label, number in _top(counts, limit + 1)]


def value_spelling(label: str) -> str:
    """Return how a language is written in a search: in small letters."""
    return label.lower()
