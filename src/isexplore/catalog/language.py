"""The search language: words, "phrases", -exclusions and `name:value` filters, in any order.

    rate limit lang:python,go topic:security -legacy has:gfi active:90d sort:stars

Several values of one filter, with commas or by repeating it, mean any of them; `topic:` and `has:`
repeated mean all of them. A value with spaces is put in quotes: `topic:"machine learning"`.
"""

from __future__ import annotations

from isexplore.catalog import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import NoReturn

SORTS = ("relevance", "score", "activity", "updated", "stars", "name")
"""Orders of projects; `activity` and `updated` both put the latest change first."""
HAS = {
    "gfi": "gfi",
    "contributing": "CONTRIBUTING",
    "readme": "README",
    "licence": "licence",
    "license": "licence",
    "codeowners": "CODEOWNERS",
    "code-of-conduct": "CODE_OF_CONDUCT",
    "communication": "COMMUNICATION",
    "governance": "GOVERNANCE",
    "support": "SUPPORT",
    "changelog": "CHANGELOG",
    "innersource": "innersource.json",
    "issues": "issues",
    "description": "description",
}
"""Values of `has:`, and the name that the index knows each by."""
SPANS = ("7d", "30d", "90d", "6m", "1y")
"""Values that `active:` suggests."""

PROJECT_FILTERS = {
    "lang": "a programming language",
    "topic": "a topic",
    "group": "a group, with all below it",
    "forge": "a forge of the configuration",
    "has": "gfi, contributing, readme, ...",
    "active": "changed within: 30d, 12w, 6m, 1y",
    "sort": "relevance, score, activity, updated, stars, name",
}
"""What `isexplore search` understands, each with what it takes."""
_ALIASES = {"language": "lang", "tag": "topic", "org": "group", "owner": "group", "is": "has"}
_ALL_OF = frozenset({"topic", "has", "label"})
_UNITS = {"h": 3_600, "d": 86_400, "w": 604_800, "m": 2_629_800, "y": 31_557_600}
_TIMES = ("active", "updated", "age")
"""Filters that take a time span."""
LONGEST_SPAN = 100 * _UNITS["y"]
"""Seconds; nothing on a forge is older."""
MAX_LENGTH = 1_000
"""Characters of a search that are looked at."""
MAX_WORDS = 16
_SHORTEST_TYPO, _LONGEST_TYPO = 4, 20
"""Letters of a word below which a near word is no better guess than another, and above which looking takes long."""


class Piece:
    """One part of a search as it was typed."""

    __slots__ = ("end", "name", "negated", "quoted", "start", "value", "value_start")

    def __init__(
        self,
        start: int,
        end: int,
        value_start: int,
        name: str | None,
        value: str,
        quoted: bool,
        negated: bool,
    ) -> None:
        self.start = start
        self.end = end
        self.value_start = value_start
        self.name = name
        """What stands before the colon; None for a word."""
        self.value = value
        self.quoted = quoted
        self.negated = negated


class Word:
    """A word or phrase to look for."""

    __slots__ = ("exact", "negated", "signs", "text", "tokens")

    def __init__(self, text: str, *, exact: bool, negated: bool) -> None:
        self.text = words.fold(text)
        self.tokens = words.tokens(text)
        self.signs = words.signed(text) if self.tokens else []
        """The words in it that are others without their signs, as `c++`."""
        self.exact = exact
        """Written in quotes: no prefix, words next to each other."""
        self.negated = negated

    @property
    def is_sign(self) -> bool:
        """Whether it is no more than one word with signs: what it says without them is something else."""
        return self.signs == [self.text]


class Filter:
    """A filter: any of `values`."""

    __slots__ = ("name", "negated", "values")

    def __init__(self, name: str, values: tuple[str, ...], negated: bool) -> None:
        self.name = name
        self.values = values
        self.negated = negated


class Query:
    """A search, understood."""

    __slots__ = ("filters", "remark", "sort", "text", "words")

    def __init__(self, text: str, found: list[Word], filters: list[Filter], sort: str | None) -> None:
        self.text = text
        self.words = found
        self.filters = filters
        self.sort = sort
        """None when none was asked for."""
        self.remark: str | None = None
        """What of it is not looked for, and why; None when all of it is."""

    @property
    def wanted(self) -> list[Word]:
        """The words that must be there."""
        return [word for word in self.words if not word.negated]

    @property
    def is_empty(self) -> bool:
        """Whether everything matches."""
        return not self.words and not self.filters

    def values(self, name: str) -> list[Filter]:
        """Return the filters of one name."""
        return [each for each in self.filters if each.name == name]


def pieces(text: str) -> list[Piece]:
    """Split a search into its parts; an unclosed quote reaches to the end."""
    found: list[Piece] = []
    at, length = 0, min(len(text), MAX_LENGTH)
    while at < length:
        if text[at].isspace():
            at += 1
            continue
        start = at
        negated = text[at] == "-" and at + 1 < length and not text[at + 1].isspace()
        at += negated
        name, value_start = None, at
        value: list[str] = []
        quoted = in_quotes = False
        while at < length and (in_quotes or not text[at].isspace()):
            char = text[at]
            if char == '"':
                in_quotes, quoted = not in_quotes, True
            elif char == ":" and name is None and not quoted and _names_filter(value, text, at):
                name, value, value_start = "".join(value).lower(), [], at + 1
            else:
                value.append(char)
            at += 1
        found.append(Piece(start, at, value_start, name, "".join(value), quoted, negated))
    return found


def _names_filter(before: list[str], text: str, colon: int) -> bool:
    """Return whether a colon ends a filter's name; addresses and `std::vector` are words."""
    return (
        bool(before)
        and all(char.isalpha() for char in before)
        and text[colon + 1 : colon + 2] not in (":", "/")
    )


def parse(
    text: str,
    *,
    typing: bool = False,
    filters: Mapping[str, str] = PROJECT_FILTERS,
    forges: Iterable[str] = (),
) -> Query:
    """Return the search that `text` means.

    Args:
        text: as typed.
        typing: somebody is still typing at the end: a filter that is not finished there means every value
            that begins like it; one without a value yet, or an order, is ignored.
        filters: names that are understood.
        forges: the forges that `forge:` can name; any when empty.

    Raises:
        UsageError: no such filter, or a value that it does not take; the nearest valid one is named.
    """
    found: list[Word] = []
    chosen: list[Filter] = []
    sort: str | None = None
    remark: str | None = None
    parts = pieces(text)
    if len(text.rstrip()) > MAX_LENGTH:
        remark = f"Only the first {MAX_LENGTH:,} characters are looked for"
    for part in parts:
        open_end = typing and part is parts[-1] and part.end >= len(text.rstrip("\n"))
        if part.name is None:
            word = Word(part.value, exact=part.quoted, negated=part.negated)
            if not word.tokens:
                if part.value.strip("-") and not open_end:
                    remark = remark or f"{_short(part.value)} is left out: it has neither letters nor digits"
            elif len(found) < MAX_WORDS:
                found.append(word)
            else:
                remark = remark or f"Only the first {MAX_WORDS} words are looked for"
            continue
        name = _ALIASES.get(part.name, part.name)
        if name not in filters:
            # With its colon a name is whole, also while somebody types on.
            _unknown_filter(part.name, filters)
        values = tuple(dict.fromkeys(each.strip() for each in part.value.split(",") if each.strip()))
        if not values:
            if open_end:
                continue
            _fail(
                f'"{part.name}:" needs a value',
                f"It takes {filters[name]}, without a space before it.",
                f"For example {_example(name)}",
            )
        values = _checked_values(name, values, tuple(forges), open_end=open_end)
        if not values:
            continue
        if name == "sort":
            sort = values[-1]
        else:
            chosen.append(Filter(name, values, part.negated))
    query = Query(text, found, _merged(chosen), sort)
    query.remark = remark
    return query


def corrected(query: Query, nearest: Callable[[str], str | None]) -> str | None:
    """Return a search with other words for those that nothing begins with; None where there is no other.

    Args:
        query: the search that found nothing.
        nearest: returns the known word that a word may have meant, itself for one that is known.
    """
    text, changed = query.text, False
    for word in query.wanted:
        if word.exact or word.signs or len(word.tokens) != 1:
            continue
        typed = word.tokens[0]
        better = nearest(typed) if _SHORTEST_TYPO <= len(typed) <= _LONGEST_TYPO else None
        if better and better != typed:
            text, changed = _replaced(text, word, better), True
    return text if changed else None


def _replaced(text: str, word: Word, better: str) -> str:
    for part in pieces(text):
        if part.name is None and not part.negated and words.fold(part.value) == word.text:
            return text[: part.start] + better + text[part.end :]
    return text


def expand(text: str, searches: Mapping[str, str], *, typing: bool = False) -> str:
    """Return a search with every `@name` replaced by the saved search of that name.

    Args:
        text: as typed.
        searches: saved searches by name.
        typing: somebody is still typing at the end: a name that is not finished there is left out.

    Raises:
        UsageError: no saved search has the name; the nearest one is named.
    """
    if "@" not in text:
        return text
    known = {words.fold(name): saved for name, saved in searches.items()}
    out, at = "", 0
    parts = pieces(text)
    for part in parts:
        if part.name is not None or part.quoted or not part.value.startswith("@") or len(part.value) < 2:
            continue
        name = words.fold(part.value[1:])
        saved = known.get(name)
        if saved is None:
            open_end = typing and part is parts[-1] and part.end >= len(text)
            if not (open_end and any(each.startswith(name) for each in known)):
                _unknown_search(part.value, searches)
            saved = ""
        elif part.negated:
            _fail(
                f'"-{part.value}" cannot be excluded',
                "A saved search may hold several words and filters.",
                f"It stands for: {saved}",
            )
        out += text[at : part.start] + saved
        at = part.end
    return out + text[at:]


def _unknown_search(name: str, searches: Mapping[str, str]) -> NoReturn:
    near = words.nearest(words.fold(name[1:]), [words.fold(each) for each in searches])
    spelt = next((each for each in searches if words.fold(each) == near), None)
    hint = f"Did you mean @{spelt}?" if spelt else f'To search for the text itself, quote it: "{name}"'
    _fail(
        f'There is no saved search "{name}"',
        "Saved are " + ", ".join(f"@{each}" for each in searches) + "."
        if searches
        else "None is saved: they are in the section [searches] of the configuration.",
        hint,
    )


def _merged(chosen: list[Filter]) -> list[Filter]:
    """Join repeated filters that mean "any of these"."""
    out: list[Filter] = []
    for each in chosen:
        same = next(
            (other for other in out if (other.name, other.negated) == (each.name, each.negated)), None
        )
        if same is None or (each.name in _ALL_OF and not each.negated):
            out.append(each)
        else:
            same.values = tuple(dict.fromkeys(same.values + each.values))
    return out


class _UnknownValue(Exception):
    def __init__(self, value: str, known: tuple[str, ...]) -> None:
        super().__init__(value)
        self.value = value
        self.known = known


VERDICTS = ("free", "maybe-taken", "stale", "unknown")
"""Values of `verdict:`."""


def _checked_values(
    name: str, values: Iterable[str], forges: tuple[str, ...], *, open_end: bool
) -> tuple[str, ...]:
    """Return values as the search uses them; none where the only one is not finished and means nothing yet.

    Raises:
        UsageError: one that the filter does not take.
    """
    checked: list[str] = []
    last = list(values)[-1]
    for value in values:
        try:
            checked.append(_checked(name, value, forges))
        except _UnknownValue as problem:
            begun = _begun(name, problem) if open_end and value is last else None
            if begun is None:
                _bad_value(name, problem)
            checked += [_checked(name, each, forges) for each in begun]
    return tuple(dict.fromkeys(checked))


def _begun(name: str, problem: _UnknownValue) -> tuple[str, ...] | None:
    """Return the values that an unfinished one may become; none where it filters nothing yet, None if it cannot."""
    begun = tuple(each for each in problem.known if each.lower().startswith(problem.value.lower()))
    if not begun:
        return None
    return () if name == "sort" else begun


def _checked(name: str, value: str, forges: Iterable[str]) -> str:
    """Return a value as the search uses it."""
    low = value.lower()
    if name == "has":
        if low not in HAS:
            raise _UnknownValue(value, tuple(HAS))
        return HAS[low]
    if name == "sort":
        if low not in SORTS:
            raise _UnknownValue(value, SORTS)
        return low
    if name == "verdict":
        if low not in VERDICTS:
            raise _UnknownValue(value, VERDICTS)
        return low
    if name in _TIMES:
        span = seconds(value)
        if span is None:
            raise _UnknownValue(value, SPANS)
        if not 0 < span <= LONGEST_SPAN:
            _fail(
                f'"{_short(value)}" is too {"long" if span else "short"} a time for {name}:',
                "It takes from 1h to 100y.",
                f"For example {_example(name)}",
            )
        return low
    if name == "forge":
        known = {each.lower(): each for each in forges}
        if known and low not in known:
            raise _UnknownValue(value, tuple(known.values()))
        return known.get(low, value)
    return value


def seconds(span: str) -> int | None:
    """Return how long "90d", "12w", "6m", "1y" or "90" (days) is; None for anything else."""
    number, unit = (span[:-1], span[-1:].lower()) if not span.isdigit() else (span, "d")
    if not number.isdigit() or not number.isascii() or unit not in _UNITS:
        return None
    # Of a number with more digits it is enough to know that it is too long.
    return int(number.lstrip("0")[:12] or "0") * _UNITS[unit]


def _example(name: str) -> str:
    examples = {"lang": "lang:python", "has": "has:gfi", "active": "active:90d", "sort": "sort:stars"}
    examples.update(verdict="verdict:free", updated="updated:30d", age="age:1y")
    return examples.get(name, f"{name}:name")


def _unknown_filter(name: str, filters: Mapping[str, str]) -> NoReturn:
    near = words.nearest(name, (*filters, *_ALIASES))
    near = _ALIASES.get(near, near) if near else None
    _fail(
        f'There is no filter "{_short(name)}:"',
        "Filters are " + ", ".join(f"{each}:" for each in filters) + ".",
        f"Did you mean {near}: ?"
        if near in filters
        else f'To search for the text itself, quote it: "{_short(name)}:"',
    )


def _bad_value(name: str, problem: _UnknownValue) -> NoReturn:
    near = words.nearest(problem.value.lower(), problem.known)
    if name in _TIMES:
        detail = "It takes a time span: a number with h, d, w, m or y."
        hint = f"For example {_example(name)}"
    else:
        detail = "It takes " + ", ".join(problem.known) + "."
        hint = f"Did you mean {name}:{near}?" if near else f"For example {name}:{problem.known[0]}"
    _fail(f'"{_short(problem.value)}" is no value of {name}:', detail, hint)


def _short(text: str) -> str:
    """Return what somebody typed for a sentence about it."""
    return text if len(text) <= 40 else text[:37] + "..."


def _fail(title: str, detail: str, hint: str) -> NoReturn:
    from isexplore.errors import UsageError

    raise UsageError(title, detail, hint)
