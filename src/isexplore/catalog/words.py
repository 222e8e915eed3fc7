"""How text becomes words of the index, the same way when it is written and when it is asked for.

Light on purpose: searching from the command line has to start in the time of bare Python, so
nothing here imports `re`, `typing` or `unicodedata` unless a text is not ASCII.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MARK = "\ue000"
"""Starts every filter word in the index. A private-use character: cleaned text never holds one."""
_ESCAPE = "\ue001"

EVERYTHING = MARK + "z"
"""A word that every project has, so that a query of exclusions alone has something to start from."""

LANGUAGE, TOPIC, GROUP, HAS, MONTH, SIGNED = "l", "t", "g", "h", "m", "s"
"""Kinds of filter words; `SIGNED` stands for a word that its signs tell from another one (`signed`)."""

_SIGNS = "+#"
_SPACED = "".join(char if char.isalnum() else " " for char in map(chr, range(128)))
"""ASCII with a space in place of everything that separates words."""


def fold(text: str) -> str:
    """Return `text` without case and accents, as SQLite's `unicode61 remove_diacritics 2` sees it."""
    if text.isascii():
        return text.lower()
    import unicodedata

    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def tokens(text: str) -> list[str]:
    """Return the words of `text`: folded runs of letters and digits."""
    folded = fold(text)
    if folded.isalnum():
        return [folded]
    if folded.isascii():
        return folded.translate(_SPACED).split()
    return "".join(char if char.isalnum() else " " for char in folded).split()


def signed(text: str) -> list[str]:
    """Return the words of `text` that are others without their signs, folded: `C++`, `f#`, `.NET`.

    They are letters and digits with one or two of `+` and `#` behind them, or letters behind a point.
    """
    found: dict[str, None] = {}
    for sign in _SIGNS:
        at = text.find(sign)
        while at >= 0:
            start, end = at, at
            while start and text[start - 1].isalnum():
                start -= 1
            while end < len(text) and text[end] in _SIGNS:
                end += 1
            # `a+b` and `group/name#12` are two words each; `c++17` says c++.
            joined = text[end : end + 1].isalnum() and not (end - at == 2 and text[end].isdigit())
            if start < at and end - at <= 2 and not joined:
                found[fold(text[start:end])] = None
            at = text.find(sign, end)
    at = text.find(".")
    while at >= 0:
        end = at + 1
        while end < len(text) and text[end].isalpha():
            end += 1
        before = text[at - 1 : at] if at else " "
        # `asp.net`, `./run` and `.github/workflows` are other things; the point of a sentence is no matter.
        first, second = text[end : end + 1], text[end + 1 : end + 2]
        part = before.isalnum() or before in ("/", ".") or first == "/" or (first == "." and second.isalnum())
        if end > at + 1 and not part:
            found[fold(text[at:end])] = None
        at = text.find(".", end)
    return list(found)


def key(name: str) -> str:
    """Return the words of a name as one, so that `Billing API` and `billing-api` are the same name."""
    return "".join(tokens(name))


def camel_parts(name: str) -> str:
    """Return `name` with a space before each hump: `BillingAPIClient` becomes `Billing API Client`."""
    if name.islower():
        return name
    out: list[str] = []
    for index, char in enumerate(name):
        if index and char.isupper():
            before = name[index - 1]
            after = name[index + 1] if index + 1 < len(name) else ""
            if before.islower() or before.isdigit() or (before.isupper() and after.islower()):
                out.append(" ")
        out.append(char)
    return "".join(out)


def name_text(name: str) -> str:
    """Return what the index holds for a name: itself and its humps."""
    parts = camel_parts(name)
    return name if parts == name else f"{name} {parts}"


def plain(text: str) -> str:
    """Return `text` for the index: folded as `fold` does, without the characters that mark filter words."""
    return fold(text.replace(MARK, " ").replace(_ESCAPE, " ")) if not text.isascii() else text


def filter_word(kind: str, value: str) -> str:
    """Return the one word of the index that stands for "this project has `value`"."""
    folded = fold(value.strip())
    if not (folded.isalnum() and folded.isascii()):
        folded = "".join(
            char if char.isalnum() and char.isascii() else f"{_ESCAPE}{ord(char):x}{_ESCAPE}"
            for char in folded
        )
    return MARK + kind + folded


def topic_value(topic: str) -> str:
    """Return the spelling under which a topic is counted: folded, with `-` for spaces and `_`."""
    return "-".join(fold(topic).replace("_", " ").replace("-", " ").split())


def ancestors(path: str) -> list[str]:
    """Return the groups that hold a project, outermost first: `a/b/c` gives `a`, `a/b`."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def month(seconds: int) -> str:
    """Return the month of a moment (seconds since 1970, UTC) as `202405`."""
    import time

    moment = time.gmtime(seconds)
    return f"{moment.tm_year:04d}{moment.tm_mon:02d}"


def months_since(start: int, now: int, limit: int = 7) -> list[str] | None:
    """Return the months from `start` until `now`, or None when there are more than `limit`."""
    import time

    first, last = time.gmtime(start), time.gmtime(now)
    begin, end = first.tm_year * 12 + first.tm_mon - 1, last.tm_year * 12 + last.tm_mon - 1
    if end - begin + 1 > limit:
        return None
    # The month after this one too: a forge's clock may be ahead of ours.
    return [f"{each // 12:04d}{each % 12 + 1:02d}" for each in range(begin, end + 2)]


def quoted(text: str) -> str:
    """Return `text` as a string of SQLite's full-text query language."""
    return '"' + text.replace('"', '""') + '"'


def edits(word: str, alphabet: str = "abcdefghijklmnopqrstuvwxyz0123456789") -> Iterable[str]:
    """Return every word one slip away from `word`: a letter dropped, added, replaced, or two swapped."""
    splits = [(word[:index], word[index:]) for index in range(len(word) + 1)]
    near = {head + tail[1] + tail[0] + tail[2:] for head, tail in splits if len(tail) > 1}
    near |= {head + tail[1:] for head, tail in splits if tail}
    near |= {head + letter + tail[1:] for head, tail in splits if tail for letter in alphabet}
    near |= {head + letter + tail for head, tail in splits for letter in alphabet}
    near.discard(word)
    return near


def distance(first: str, second: str, bound: int = 3) -> int:
    """Return how many slips two short words are apart, at most `bound` + 1; two letters swapped are one slip."""
    if abs(len(first) - len(second)) > bound:
        return bound + 1
    before: list[int] = []
    previous = list(range(len(second) + 1))
    for row, left in enumerate(first, 1):
        current = [row]
        for column, right in enumerate(second, 1):
            cost = min(previous[column] + 1, current[-1] + 1, previous[column - 1] + (left != right))
            if row > 1 and column > 1 and left == second[column - 2] and right == first[row - 2]:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, previous = previous, current
    return min(previous[-1], bound + 1)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` most likely meant, or None when none is close."""
    best: tuple[int, str] | None = None
    for candidate in known:
        begins = candidate.startswith(word) or word.startswith(candidate)
        cost = 1 if begins else distance(word, candidate)
        if best is None or (cost, candidate) < best:
            best = (cost, candidate)
    if best is None or best[0] > max(1, min(2, len(word) // 2)):
        return None
    return best[1]
