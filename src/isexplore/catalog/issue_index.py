"""What is kept of all first issues from key to key, so that a key press asks numbers instead of texts.

Every question ("which have a word that begins with `re`?", "which are in Go?") is answered by a number
with one bit for each issue, in the order of the list: joining and counting such answers takes
microseconds for ten thousand issues. Answers are kept, and the one for a longer word looks only at what
the shorter one found.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import compress
from time import perf_counter

from isexplore.catalog import words
from isexplore.catalog.coverage import first_issues_missing
from isexplore.catalog.match import LANGUAGES, PLATFORMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from isexplore.catalog.store import Catalog, Store

    Mine = Mapping[tuple[str, str, int], int]
    """Issues of one's own contributions: when that ended (seconds since 1970), 0 while it runs."""

VERDICTS = ("free", "unknown", "stale", "maybe-taken")
"""In the order of the list."""
_ANSWERS = 4_000
"""Answers that are kept."""
_DIGITS = bytes.maketrans(b"\0\1", b"01")
_AT_ONCE = 1_000
"""Texts to look at between two looks at the clock."""
_CANDIDATES = 12
"""Words that a misspelt one may have meant, of which the most frequent is taken."""
_PROJECTS = (
    "SELECT pid, id, path, name, language, languages, topics, documents, stars, licence, open_issues "
    "FROM project WHERE pid IN (SELECT pid FROM issue)"
)
_ISSUES = "SELECT pid, number, verdict, updated_at, created_at, labels, fetched_at FROM issue"
_TEXTS = "SELECT pid, number, title, description FROM issue"


Version = tuple[str, str, int, int, str, str, str, str]
"""What the text of an issue is made of: forge, project, number, when it was read, and the project's words."""


class TooLateError(Exception):
    """The time of a key press is over."""


class Clock:
    """The time that an answer may take."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else perf_counter() + seconds

    @property
    def runs(self) -> bool:
        """Whether there is an end at all."""
        return self._end is not None

    def look(self) -> None:
        """Go on while there is time.

        Raises:
            TooLateError: there is none left.
        """
        if self._end is not None and perf_counter() > self._end:
            raise TooLateError


class Entry:
    """A first issue as far as searching needs it."""

    __slots__ = ("created", "fetched", "labels", "number", "pid", "project", "store", "updated", "verdict")

    def __init__(self, store: int, project: tuple[object, ...], values: Sequence[object]) -> None:
        self.store = store
        """Number of its store in the catalog."""
        self.project = project
        """What `_PROJECTS` asks for."""
        self.pid = str(values[0])
        self.number = _number(values[1]) or 0
        self.verdict = str(values[2])
        self.updated = _number(values[3])
        self.created = _number(values[4])
        self.labels = str(values[5])
        self.fetched = _number(values[6]) or 0

    @property
    def path(self) -> str:
        """Full path of its project."""
        return str(self.project[2])

    @property
    def rank(self) -> int:
        """Rank of its project: lower is better."""
        return _number(self.project[1]) or 0


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def several(value: object) -> tuple[str, ...]:
    """Return the values of a column that holds several, one a line."""
    return tuple(str(value).split("\n")) if value else ()


def mask_of(places: Iterable[int], size: int) -> int:
    """Return the number that has a bit at each of these places."""
    raw = bytearray(size // 8 + 1)
    for place in places:
        raw[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(raw, "little")


def places_of(mask: int) -> list[int]:
    """Return the places of a number's bits, lowest first."""
    digits = bin(mask)[:1:-1]
    return list(compress(range(len(digits)), map("1".__eq__, digits)))


def read_index(catalog: Catalog, old: IssueIndex | None = None) -> IssueIndex:
    """Read the first issues of all files; texts that are the same as in `old` are not read anew."""
    entries: list[Entry] = []
    for number, store in enumerate(catalog.stores):
        projects = {str(values[0]): values for values in store.query(_PROJECTS)}
        entries += [
            Entry(number, projects[str(values[0])], values)
            for values in store.query(_ISSUES)
            if str(values[0]) in projects
        ]
    missing = [(store.forge, told) for store in catalog.stores if (told := first_issues_missing(store))]
    entries.sort(key=lambda each: (-(each.updated or 0), each.rank, each.number))
    return IssueIndex([store.forge for store in catalog.stores], entries, missing, old)


class IssueIndex:
    """All first issues, and the answers to what was asked of them."""

    def __init__(
        self,
        forges: Sequence[str],
        entries: list[Entry],
        missing: Sequence[tuple[str, str]],
        old: IssueIndex | None = None,
    ) -> None:
        self.forges = forges
        """Names of the forges, by the number of the store."""
        self.entries = entries
        """Latest change first."""
        self.missing = missing
        """What is not known of a forge though nothing failed, in words."""
        self.all = (1 << len(entries)) - 1
        self._texts: list[str] = []
        self._titles: list[str] = []
        self._old_texts = old.texts_by_issue() if old is not None else {}
        self._answers: dict[tuple[str, str], int] = {}
        self._facets: dict[str, dict[str, list[int]]] = {}
        self._orders: dict[str, list[int]] = {}
        self._vocabulary: list[str] = []
        self._places: dict[tuple[str, str, int], int] = {}

    # Texts

    @property
    def has_texts(self) -> bool:
        """Whether words can be looked for."""
        return len(self._texts) == len(self.entries)

    @property
    def has_vocabulary(self) -> bool:
        """Whether a misspelt word can be looked up."""
        return bool(self._vocabulary) or not self.entries

    def texts_by_issue(self) -> dict[Version, tuple[str, str]]:
        """Return the texts with their titles, by what they were made of."""
        if not self.has_texts:
            return self._old_texts
        told = zip(self.entries, self._texts, self._titles, strict=True)
        return {self._version(each): (text, title) for each, text, title in told}

    def _version(self, entry: Entry) -> Version:
        return self.forges[entry.store], entry.pid, entry.number, entry.fetched, *_words_of(entry.project)

    def read_texts(self, stores: Sequence[Store]) -> None:
        """Read and fold the words of all issues."""
        if self.has_texts:
            return
        known = self._old_texts
        told: dict[tuple[int, str, int], tuple[object, object]] = {}
        if any(self._version(each) not in known for each in self.entries):
            for number, store in enumerate(stores):
                for pid, issue, title, description in store.query(_TEXTS):
                    told[number, str(pid), _number(issue) or 0] = (title, description)
        texts, titles = [], []
        for each in self.entries:
            found = known.get(self._version(each))
            if found is None:
                title, description = told.get((each.store, each.pid, each.number), ("", ""))
                found = _folded(each, str(title), str(description))
            texts.append(found[0])
            titles.append(found[1])
        self._titles, self._texts, self._old_texts = titles, texts, {}

    # Answers: each a number with a bit for every issue that fits

    def _kept(self, kind: str, value: str, find: Callable[[], int]) -> int:
        found = self._answers.get((kind, value))
        if found is None:
            if len(self._answers) > _ANSWERS:
                self._answers.clear()
            found = self._answers[kind, value] = find()
        return found

    def word(self, phrase: str, clock: Clock) -> int:
        """Return which have a phrase in their texts: its words with a space before each."""
        return self._kept("text", phrase, lambda: self._look_for(phrase, clock))

    def _look_for(self, phrase: str, clock: Clock) -> int:
        texts = self._texts
        shorter = (self._answers.get(("text", phrase[:end])) for end in range(len(phrase) - 1, 1, -1))
        before = next((found for found in shorter if found is not None), self.all)
        if before.bit_count() * 3 < len(texts):
            found: list[int] = []
            places = places_of(before)
            for start in range(0, len(places), _AT_ONCE):
                clock.look()
                found += [place for place in places[start : start + _AT_ONCE] if phrase in texts[place]]
            return mask_of(found, len(texts))
        flags: list[bool] = []
        for start in range(0, len(texts), _AT_ONCE):
            clock.look()
            flags += [phrase in text for text in texts[start : start + _AT_ONCE]]
        # As digits of the base two, the last one first, a tenth of the time that setting bit by bit takes.
        return int(bytes(flags).translate(_DIGITS)[::-1] or b"0", 2)

    def filtered(self, name: str, value: str) -> int:
        """Return which have one value of a filter, or a value that begins with it where none is it."""
        return self._kept("=" + name, value, lambda: self._filter(name, value))

    def _filter(self, name: str, value: str) -> int:
        facet = self._facet(name)
        chosen = [each for one in _meant(name, value, facet) for each in facet[one]]
        return mask_of(chosen, len(self.entries))

    def known(self, name: str) -> list[str]:
        """Return the values that a filter finds something with."""
        return list(self._facet(name))

    def _facet(self, name: str) -> dict[str, list[int]]:
        if name not in self._facets:
            facet: dict[str, list[int]] = {}
            told: dict[object, list[str]] = {}
            for place, entry in enumerate(self.entries):
                # Many issues say the same: that is taken apart once.
                said: object = (entry.store, entry.pid)
                if name in ("label", "verdict", "forge"):
                    said = {"label": entry.labels, "verdict": entry.verdict}.get(name, entry.store)
                values = told.get(said)
                if values is None:
                    values = told[said] = self._values(name, entry)
                for value in values:
                    facet.setdefault(value, []).append(place)
            self._facets[name] = facet
        return self._facets[name]

    def _values(self, name: str, entry: Entry) -> list[str]:
        if name == "label":
            return [words.topic_value(each) for each in several(entry.labels)]
        if name == "verdict":
            return [entry.verdict]
        if name == "forge":
            return [words.fold(self.forges[entry.store])]
        return _project_values(name, entry.project)

    def updated_since(self, moment: int) -> int:
        """Return which were changed at or after a moment (seconds since 1970)."""
        return (1 << bisect_left(self.entries, -moment + 1, key=lambda each: -(each.updated or 0))) - 1

    def opened_since(self, moment: int) -> int:
        """Return which were opened at or after a moment (seconds since 1970)."""
        return mask_of(
            (place for place, each in enumerate(self.entries) if (each.created or 0) >= moment),
            len(self.entries),
        )

    def dated(self, name: str) -> int:
        """Return of which it is known when they were changed (`updated`) or opened (`age`)."""

        def look() -> int:
            moments = (each.updated if name == "updated" else each.created for each in self.entries)
            return mask_of(
                (place for place, moment in enumerate(moments) if moment is not None), len(self.entries)
            )

        return self._kept("dated", name, look)

    def with_text(self, stores: Sequence[Store]) -> int:
        """Return which have a description."""
        empty = {
            (number, str(pid), issue)
            for number, store in enumerate(stores)
            for pid, issue in store.query("SELECT pid, number FROM issue WHERE description = ''")
        }
        return mask_of(
            (
                place
                for place, each in enumerate(self.entries)
                if (each.store, each.pid, each.number) not in empty
            ),
            len(self.entries),
        )

    def own(self, mine: Mine) -> tuple[int, int]:
        """Return which are one's own contributions now, and which were and have not been seen open since."""
        here = {place: ended for key, ended in mine.items() if (place := self.place_of(key)) is not None}
        size = len(self.entries)
        yours = mask_of((place for place, ended in here.items() if ended == 0), size)
        gone = mask_of(
            (place for place, ended in here.items() if ended and self.entries[place].fetched <= ended), size
        )
        return yours, gone

    def key(self, place: int) -> tuple[str, str, int]:
        """Return forge, project and number of the issue at a place."""
        entry = self.entries[place]
        return self.forges[entry.store], entry.path, entry.number

    def place_of(self, key: tuple[str, str, int]) -> int | None:
        """Return the place of an issue by forge, project and number, or None."""
        if not self._places:
            self._places = {self.key(place): place for place in range(len(self.entries))}
        return self._places.get(key)

    # Orders

    def best_first(self, hits: int, yours: int, begins: Sequence[str]) -> Iterator[int]:
        """Yield hits: free ones first, then those with more of the words in the title, then the latest change.

        Args:
            hits: what matches.
            yours: one's own contributions.
            begins: words, each with a space before it.
        """
        left = hits & ~yours
        groups = []
        for verdict in VERDICTS:
            groups.append(left & self.filtered("verdict", verdict))
            left &= ~groups[-1]
        titles = self._titles
        for group in (*groups, hits & yours, left):
            places = places_of(group)
            if begins:
                places.sort(key=lambda place: sum([begin not in titles[place] for begin in begins]))
            yield from places

    def sorted_by(self, sort: str, hits: int) -> Iterator[int]:
        """Yield hits in an order that knows nothing of words."""
        if sort in ("updated", "activity"):
            yield from places_of(hits)
            return
        if sort not in self._orders:
            keys: dict[str, Callable[[Entry], tuple[object, ...]]] = {
                "score": lambda each: (each.rank, -(each.updated or 0), each.number),
                "stars": lambda each: (-(_number(each.project[8]) or 0), each.rank, -(each.updated or 0)),
                "name": lambda each: (each.path.lower(), each.number),
            }
            order = [keys[sort](each) for each in self.entries]
            self._orders[sort] = sorted(range(len(self.entries)), key=order.__getitem__)
        digits = bin(hits | 1 << len(self.entries))[:1:-1]
        yield from (place for place in self._orders[sort] if digits[place] == "1")

    # Typing errors

    def read_vocabulary(self) -> None:
        """Collect the words of all texts."""
        if not self._vocabulary:
            self._vocabulary = sorted(set().union(*map(str.split, self._texts)))

    def nearest_word(self, typed: str, clock: Clock) -> str | None:
        """Return the word that is one slip away from `typed`, the most frequent first; itself where words begin so."""
        if self._word_from(typed):
            return typed
        near = [(found == each, found) for each in words.edits(typed) if (found := self._word_from(each))]
        whole = sorted({found for same, found in near if same} or {found for _, found in near})
        counted = [(self.word(f" {found} ", clock).bit_count(), found) for found in whole[:_CANDIDATES]]
        return max(counted)[1] if counted else None

    def _word_from(self, begin: str) -> str | None:
        """Return the first known word that begins so."""
        at = bisect_left(self._vocabulary, begin)
        found = self._vocabulary[at] if at < len(self._vocabulary) else ""
        return found if found.startswith(begin) else None


def _words_of(project: tuple[object, ...]) -> tuple[str, str, str, str]:
    """Return path, name, language and languages of a project, whose words find its issues."""
    _, _, path, name, language, languages, *_ = project
    return str(path), str(name), str(language or ""), str(languages or "")


def _folded(entry: Entry, title: str, description: str) -> tuple[str, str]:
    """Return the words of an issue and its project, and those of its title alone, a space before each."""
    path, name, language, languages = _words_of(entry.project)
    parts = [title, entry.labels, description, path, name]
    signed = words.signed("\n".join((*parts, language, languages)))
    text = " ".join((*words.tokens("\n".join(parts)), *signed))
    return f" {text} ", " " + " ".join((*words.tokens(title), *words.signed(title)))


def _project_values(name: str, project: tuple[object, ...]) -> list[str]:
    """Return what a project has for a filter, each once."""
    _, _, path, _, language, languages, topics, documents, _, licence, issues = project
    if name == "lang":
        found = [words.fold(each) for each in (str(language or ""), *several(languages)[:3])]
    elif name == "topic":
        found = [words.topic_value(each) for each in several(topics)]
    elif name == "group":
        found = [words.fold(each) for each in words.ancestors(str(path))]
    elif name == "project":
        found = [words.fold(str(path))]
    else:
        found = ["gfi", *several(documents), "licence" if licence else "", "issues" if issues else ""]
    return [each for each in dict.fromkeys(found) if each]


def _meant(name: str, value: str, known: Iterable[str]) -> list[str]:
    """Return the known values that one of a filter means: itself, or else those that begin with it."""
    known = list(known)
    if name in ("has", "verdict"):
        return [each for each in known if each == value]
    folded = words.topic_value(value) if name in ("topic", "label") else words.fold(value.strip().strip("/"))
    if name == "label":
        return [each for each in known if folded in each]
    if name == "project":
        return [each for each in known if each == folded or each.endswith("/" + folded)] or [
            each for each in known if f"/{folded}" in f"/{each}"
        ]
    if folded in known:
        return [folded]
    if name == "lang":
        others = [each for each in (*PLATFORMS.get(folded, ()), LANGUAGES.get(folded, "")) if each in known]
        if others:
            return others
    return [each for each in known if each.startswith(folded)]
