"""What narrows a search: counted values to choose from, and a filter put into the search line or taken out. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from isexplore.text import clean_line, count, pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isexplore.catalog.facets import Facets

_WORD = pattern(r'(?:[^\s"]|"[^"]*"?)+')


class Narrowing(NamedTuple):
    """A filter that can be chosen."""

    text: str
    """As it stands in a search: `lang:python`."""
    words: str
    """How many of the hits have it."""
    on: bool
    """Whether the search has it already."""


def narrowings(facets: Facets, search: str) -> Iterator[Narrowing]:
    """Yield a filter for every counted value: languages, topics, groups, each by frequency."""
    lists = (("lang", facets.languages), ("topic", facets.topics), ("group", facets.groups))
    for name, values in lists:
        for label, number in values:
            value = clean_line(label.lower() if name == "lang" else label).replace('"', "")
            if value:
                text = f'{name}:"{value}"' if re.search(r"[\s,]", value) else f"{name}:{value}"
                yield Narrowing(text, count(number, "project"), has_filter(search, text))


def has_filter(search: str, text: str) -> bool:
    """Return whether a search has a filter, alone or among the values of one."""
    wanted = text.casefold()
    return any(wanted in _alone(word) for word in _WORD.findall(search))


def toggled(search: str, text: str) -> str:
    """Return the search with the filter, or without it where it was there."""
    wanted = text.casefold()
    words: list[str] = []
    for word in _WORD.findall(search):
        name, _, values = word.partition(":")
        parts = _alone(word)
        if wanted not in parts:
            words.append(word)
        elif len(parts) > 1:
            left = [value for value, part in zip(values.split(","), parts, strict=True) if part != wanted]
            words.append(f"{name}:{','.join(left)}")
    if not has_filter(search, text):
        words.append(text)
    return " ".join(words)


def _alone(word: str) -> list[str]:
    """Return `lang:go,rust` as `lang:go` and `lang:rust`; quoted values are not divided."""
    name, colon, values = word.casefold().partition(":")
    return (
        [f"{name}:{value}" for value in values.split(",")]
        if colon and '"' not in values
        else [word.casefold()]
    )
