"""Which of the hits fits best, and where it matches."""

from __future__ import annotations

from isexplore.catalog import words
from isexplore.catalog.language import Query, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from isexplore.catalog.match import Place
    from isexplore.catalog.store import Catalog

_NAME, _TOPIC, _PATH, _TEXT = 7.0, 5.0, 4.0, 1.5
"""What a word is worth by where it begins a word of the project's."""
_FIRST, _WHOLE, _SAME_NAME = 1.0, 1.0, 6.0
"""Extra for the first word of the name, for a whole word, for the very name."""


def best_first(catalog: Catalog, query: Query, by_store: Mapping[int, list[int]]) -> list[Place]:
    """Return hits, told as ranks by store, in order of how well they fit: names, topics, the rest; then score."""
    # What a word says with its signs is not told by where the same letters stand.
    plain = [word for word in query.wanted if not word.is_sign]
    terms = [(term := " " + " ".join(word.tokens), term + " ") for word in plain]
    name = "".join(token for word in plain for token in word.tokens)
    rated: list[tuple[float, int, int]] = []
    # Names of this function's own, which are found faster: the loop runs five hundred times at each key.
    in_name, in_topic, in_path, text, first, complete = _NAME, _TOPIC, _PATH, _TEXT, _FIRST, _WHOLE
    add, count = rated.append, len(terms) or 1
    for number, ranks in by_store.items():
        store = catalog.stores[number]
        same = store.named(name, len(ranks)) if name else set()
        for rank, boost, topics_at, path_at, low in store.fits(ranks):
            fit = 0.0
            for term, whole in terms:
                begin = low.find(term) + 1
                if not begin:
                    fit += text
                    continue
                fit += in_name if begin < topics_at else in_topic if begin < path_at else in_path
                if begin == 1:
                    fit += first
                if whole in low:
                    fit += complete
            fit = fit / count + boost / 100
            add((-fit - _SAME_NAME if rank in same else -fit, rank, number))
    rated.sort()
    return [(rank, number) for _, rank, number in rated]


def match_spans(text: str, query: Query) -> list[tuple[int, int]]:
    """Return where `text` matches the words of a search: (start, end), in order, not overlapping."""
    if text.isascii():
        folded, origin = text.lower(), range(len(text) + 1)
    else:
        chars: list[str] = []
        where: list[int] = []
        for index, char in enumerate(text):
            for part in words.fold(char):
                chars.append(part)
                where.append(index)
        where.append(len(text))
        folded, origin = "".join(chars), where  # type: ignore[assignment]
    marks: list[tuple[int, int]] = []
    for word in query.wanted:
        for needle in dict.fromkeys((word.text, *(() if word.is_sign else word.tokens))):
            marks += [
                (origin[at], origin[at + len(needle) - 1] + 1)
                for at in _starts(text, folded, origin, needle, word)
            ]
    merged: list[tuple[int, int]] = []
    for start, end in sorted(marks):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _starts(text: str, folded: str, origin: Sequence[int], needle: str, word: Word) -> list[int]:
    """Return where `needle` begins a word or a hump of a name."""
    found: list[int] = []
    at = folded.find(needle) if needle else -1
    while at >= 0:
        here = origin[at]
        inside = at > 0 and folded[at - 1].isalnum() and needle[0].isalnum()
        hump = text[here].isupper() and here > 0 and text[here - 1].islower()
        end = at + len(needle)
        whole = end >= len(folded) or not folded[end].isalnum()
        if (not inside or hump) and (whole or not word.exact):
            found.append(at)
        at = folded.find(needle, at + 1)
    return found
