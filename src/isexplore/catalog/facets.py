"""What stands beside the results: counted languages, topics and groups, and completion of filters."""

from __future__ import annotations

from isexplore.catalog import words
from isexplore.catalog.language import HAS, PROJECT_FILTERS, SORTS, SPANS, VERDICTS, pieces
from isexplore.catalog.match import KINDS, facet_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from isexplore.catalog.match import Place
    from isexplore.catalog.store import Catalog

FacetCount = tuple[str, int]
"""A value, and how many projects have it."""
_BATCH = 5_000


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
    lists = []
    for kind in (words.LANGUAGE, words.TOPIC, words.GROUP):
        counts: dict[str, tuple[str, int]] = {}
        for store in catalog.stores:
            condition = "AND value NOT LIKE '%/%'" if kind == words.GROUP else ""
            for value, label, number in store.query(
                f"SELECT value, label, projects FROM facet WHERE kind = ? {condition} "
                "ORDER BY projects DESC LIMIT ?",
                (kind, 20 * limit),
            ):
                before = counts.get(str(value), (str(label), 0))
                counts[str(value)] = (before[0], before[1] + int(str(number)))
        lists.append(_top(counts, limit))
    return Facets(*lists)


def count_facets(catalog: Catalog, places: list[Place], limit: int = 12) -> Facets:
    """Count over these hits. It reads every one of them: not for the key path."""
    counts: tuple[dict[str, tuple[str, int]], ...] = ({}, {}, {})
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
    return Facets(*(_top(each, limit) for each in counts))


def _add(counts: dict[str, tuple[str, int]], values: list[tuple[str, str]]) -> None:
    for value, label in values:
        before = counts.get(value)
        counts[value] = (before[0], before[1] + 1) if before else (label, 1)


def _top(counts: dict[str, tuple[str, int]], limit: int) -> list[FacetCount]:
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
    counts: dict[str, tuple[str, int]] = {}
    for store in catalog.stores:
        for value, label, number in store.query(
            "SELECT value, label, projects FROM facet WHERE kind = ? AND value >= ? AND value < ? "
            "ORDER BY projects DESC LIMIT ?",
            (kind, begin, begin + "\U0010ffff", limit + 1),
        ):
            before = counts.get(str(value), (str(label), 0))
            counts[str(value)] = (before[0], before[1] + int(str(number)))
    spelt = value_spelling if kind == words.LANGUAGE else str
    return [(spelt(label), f"{number:,}") for label, number in _top(counts, limit + 1)]


def value_spelling(label: str) -> str:
    """Return how a language is written in a search: in small letters."""
    return label.lower()
