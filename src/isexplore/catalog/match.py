"""From a search to row numbers: what each file is asked, and in which order the answers come.

Every filter is a word of the text index, so that filters and words are intersected by SQLite itself
and reading stops early; only the exact day of `active:` is looked up in the rows.
"""

from __future__ import annotations

from isexplore.catalog import words
from isexplore.catalog.language import Filter, Query, Word, seconds
from isexplore.catalog.store import Catalog, Store, listed, unpack_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Place = tuple[int, int]
"""A hit: its rank, and the number of its store in the catalog."""

BOUND = 500
"""Hits after which reading an index stops at first."""
NAMES = 20
"""Projects looked up by the beginning of their name, whatever their rank."""
_META_READY, _DEEP_READY = 4, 5
"""Length up to which the indexes have the beginnings of words ready (`prefix` in the schema)."""
_SPELT_OUT = 100
"""Words that the beginning of one is replaced with; for more, SQLite joins them itself."""
_FEW = 6
"""Words that may stand for one where each row is asked."""
_PHRASE_CHECKS = 80
_WALKED = 60
"""Hits to find at first where an order's index is walked."""
_TRIES = 60
"""Rows to look at for each hit wanted before such a walk is given up."""
LANGUAGES = {
    "js": "javascript", "ts": "typescript", "py": "python", "golang": "go", "cpp": "c++", "csharp": "c#",
    "rb": "ruby", "rs": "rust", "sh": "shell", "bash": "shell", "kt": "kotlin", "objc": "objective-c",
    "fsharp": "f#", "cs": "c#", "fs": "f#", "vb": "visual basic .net", "vb.net": "visual basic .net",
}  # fmt: skip
"""Other names of languages."""
PLATFORMS = dict.fromkeys((".net", "dotnet"), ("c#", "f#", "visual basic .net"))
"""What people call a language and is several."""
KINDS = {"lang": words.LANGUAGE, "topic": words.TOPIC, "group": words.GROUP, "has": words.HAS}
"""Which kind of filter word each filter looks for."""
ORDERS = {
    "stars": ("stars DESC", "project_stars"),
    "activity": ("last_activity DESC", "project_activity"),
    "updated": ("last_activity DESC", "project_activity"),
    "name": ("key", "project_key"),
}
"""Orders that are not by rank: by what, and the index that has it."""


class Compiled:
    """A search in the words of SQLite's full-text language."""

    __slots__ = ("deep", "filters", "meta", "names", "notice", "phrases", "ready", "since", "until")

    def __init__(self) -> None:
        self.meta = ""
        """For names, paths, descriptions and topics; empty when everything matches."""
        self.deep = ""
        """For the index that has READMEs too; empty when it is not worth asking."""
        self.filters = ""
        """The filters and exclusions alone; empty for none."""
        self.since: int | None = None
        """Last activity at or after this, in seconds since 1970."""
        self.until: int | None = None
        """Last activity before this, or unknown."""
        self.phrases: list[list[str]] = []
        """Phrases, which the index of READMEs knows only as single words."""
        self.names: tuple[str, ...] = ()
        """Beginnings of a name (`words.key`) to look up directly."""
        self.notice: str | None = None
        """What is wrong with a filter's value, in words."""
        self.ready = True
        """Whether asking for one row is cheap: no beginning of a word has to be put together for it."""

    def begins(self, text: str, indexed: int) -> str:
        """Return the term for words, or a phrase, that begin with `text`.

        Args:
            text: what was typed.
            indexed: length up to which the index has beginnings of words ready.
        """
        self.ready = self.ready and len(text.rpartition(" ")[2]) <= indexed
        return words.quoted(text) + " *"

    @property
    def dated(self) -> bool:
        """Whether the day of the last activity matters."""
        return self.since is not None or self.until is not None

    def dates(self, column: str) -> tuple[str, tuple[object, ...]]:
        """Return the condition on the last activity, and its values."""
        conditions, values = [], []
        if self.since is not None:
            conditions.append(f"{column} >= ?")
            values.append(self.since)
        if self.until is not None:
            conditions.append(f"({column} IS NULL OR {column} < ?)")
            values.append(self.until)
        return " AND ".join(conditions), tuple(values)


def compile_query(catalog: Catalog, query: Query, now: int) -> Compiled:
    """Return what to ask the files of the catalog for."""
    out = Compiled()
    positive: list[str] = []
    negative: list[str] = []
    for each in query.filters:
        if each.name == "active" and each.negated:
            out.until = now - max(seconds(value) or 0 for value in each.values)
        elif each.name == "active":
            out.since = now - max(seconds(value) or 0 for value in each.values)
            months = words.months_since(out.since, now)
            if months is not None:
                positive.append(_any([words.quoted(words.filter_word(words.MONTH, one)) for one in months]))
        elif each.name in KINDS:
            (negative if each.negated else positive).append(_any(_filter_terms(catalog, each, out)))
    excluded = negative + [_excluded(word, " ") for word in query.words if word.negated]
    wanted = query.wanted
    out.filters = _expression(positive, excluded)
    out.meta = _expression([_meta_term(catalog, word, out) for word in wanted] + positive, excluded)
    if wanted and any(word.signs or len(token) > 2 for word in wanted for token in word.tokens):
        deep_terms = [term for word in wanted for term in _deep_terms(catalog, word, out)]
        deep_excluded = negative + [_excluded(word, "") for word in query.words if word.negated]
        out.deep = _expression(deep_terms + positive, deep_excluded)
        out.phrases = [word.tokens for word in wanted if word.exact and len(word.tokens) > 1]
    if wanted and not any(word.is_sign for word in wanted):
        joined = "".join(token for word in wanted for token in word.tokens)
        out.names = tuple(dict.fromkeys((joined, "".join(wanted[-1].text.rpartition("/")[2:]))))
        out.names = tuple(words.key(name) for name in out.names if words.key(name))
    return out


def _any(terms: list[str]) -> str:
    return terms[0] if len(terms) == 1 else "(" + " OR ".join(terms) + ")"


def _expression(wanted: list[str], excluded: list[str]) -> str:
    if not wanted and not excluded:
        return ""
    text = " AND ".join(wanted or [words.quoted(words.EVERYTHING)])
    return f"({text}) NOT {_any(excluded)}" if excluded else text


def _meta_term(catalog: Catalog, word: Word, out: Compiled) -> str:
    if word.is_sign:
        return _sign_term(word.text, out, exact=word.exact)
    if word.exact:
        term = words.quoted(" ".join(word.tokens))
    elif len(word.tokens) > 1:
        term = out.begins(" ".join(word.tokens), _META_READY)
    else:
        term = _begins(catalog, word.tokens[0], _META_READY, out)
    return " AND ".join((term, *(_sign_term(sign, out, exact=True) for sign in word.signs)))


def _deep_terms(catalog: Catalog, word: Word, out: Compiled) -> list[str]:
    if word.is_sign:
        return [_sign_term(word.text, out, exact=word.exact)]
    terms = [words.quoted(token) for token in word.tokens]
    if not word.exact and len(word.tokens[-1]) > 2:
        terms[-1] = _begins(catalog, word.tokens[-1], _DEEP_READY, out)
    return [*terms, *(_sign_term(sign, out, exact=True) for sign in word.signs)]


def _sign_term(sign: str, out: Compiled, *, exact: bool) -> str:
    term = words.filter_word(words.SIGNED, sign)
    return words.quoted(term) if exact else out.begins(term, _META_READY)


def _excluded(word: Word, between: str) -> str:
    """Return the term for a word that must not be there; its parts are a phrase where `between` is a space."""
    signs = [words.quoted(words.filter_word(words.SIGNED, sign)) for sign in word.signs]
    tokens = [] if word.is_sign else word.tokens
    terms = (
        [words.quoted(" ".join(tokens))] if between and tokens else [words.quoted(each) for each in tokens]
    )
    return terms[0] if len(terms := [*terms, *signs]) == 1 else f"({' AND '.join(terms)})"


def _begins(catalog: Catalog, token: str, indexed: int, out: Compiled) -> str:
    """Return the term for words that begin with `token`: of few long ones, these words themselves."""
    if len(token) > indexed and token.isascii():
        known: set[str] = set()
        for store in catalog.stores:
            found = store.query(
                "SELECT term FROM word WHERE term >= ? AND term < ? LIMIT ?",
                (token, token + "\U0010ffff", _SPELT_OUT + 1),
            )
            known.update(str(term) for (term,) in found)
        if 0 < len(known) <= _SPELT_OUT:
            out.ready = out.ready and len(known) <= _FEW
            return _any([words.quoted(term) for term in sorted(known)])
    return out.begins(token, indexed)


def _filter_terms(catalog: Catalog, chosen: Filter, out: Compiled) -> list[str]:
    """Return the filter words of any of the values, as the language, topic or group is spelt here."""
    kind = KINDS[chosen.name]
    if kind == words.HAS:
        return [words.quoted(words.filter_word(kind, value)) for value in chosen.values]
    terms = []
    for value in _spelt_out(catalog, kind, chosen.values):
        folded = facet_value(kind, value)
        exact, begins, known = _facet_state(catalog, kind, folded)
        if not exact and kind == words.LANGUAGE and folded in LANGUAGES:
            folded = LANGUAGES[folded]
            exact, begins, known = _facet_state(catalog, kind, folded)
        term = words.filter_word(kind, folded)
        # A beginning that no value has would be looked for in vain, and through the whole index.
        whole = exact or (known and not begins)
        terms.append(words.quoted(term) if whole else out.begins(term, _META_READY))
        if known and not begins and out.notice is None:
            near = nearest_value(catalog, kind, folded)
            out.notice = f"No project has {chosen.name}:{value}"
            if near:
                out.notice += f"; did you mean {chosen.name}:{near}?"
    return terms


def _spelt_out(catalog: Catalog, kind: str, values: Iterable[str]) -> list[str]:
    """Return the values of a filter, with those languages of a platform that there are in place of its name."""
    found: list[str] = []
    for value in values:
        several = PLATFORMS.get(value.lower(), ()) if kind == words.LANGUAGE else ()
        found += [one for one in several if _facet_state(catalog, kind, one)[0]] or [value]
    return found


def facet_value(kind: str, value: str) -> str:
    """Return the spelling under which a filter's value is counted."""
    return words.topic_value(value) if kind == words.TOPIC else words.fold(value.strip().strip("/"))


def _facet_state(catalog: Catalog, kind: str, value: str) -> tuple[bool, bool, bool]:
    """Return whether a value exists, whether one begins with it, and whether any is known at all."""
    begins = known = False
    for store in catalog.stores:
        found = store.query(
            "SELECT value FROM facet WHERE kind = ? AND value >= ? ORDER BY value LIMIT 1", (kind, value)
        )
        if found:
            known = True
            if found[0][0] == value:
                return True, True, True
            begins = begins or str(found[0][0]).startswith(value)
        known = known or bool(store.query("SELECT 1 FROM facet LIMIT 1"))
    return False, begins, known


def nearest_value(catalog: Catalog, kind: str, value: str) -> str | None:
    """Return the known value of a filter that `value` most likely meant."""
    known = [
        str(found[0])
        for store in catalog.stores
        for found in store.query(
            "SELECT value FROM facet WHERE kind = ? ORDER BY projects DESC LIMIT 2000", (kind,)
        )
    ]
    return words.nearest(value, known)


# Asking the files


def _statement(table: str, compiled: Compiled) -> tuple[str, tuple[object, ...]]:
    match = compiled.deep if table == "deep" else compiled.meta
    if not compiled.dated:
        return f"SELECT rowid FROM {table} WHERE {table} MATCH ? ORDER BY rowid", (match,)
    condition, dates = compiled.dates("p.last_activity")
    return f"SELECT p.id {_joined(table)} AND {condition} ORDER BY t.rowid", (match, *dates)


def _joined(table: str) -> str:
    """Return the part of a statement that gives the hits of a text index what ordering them needs."""
    return (
        f"FROM {table} AS t CROSS JOIN project AS p INDEXED BY project_order ON p.id = t.rowid "
        f"WHERE t.{table} MATCH ?"
    )


def _ranks(store: Store, statement: str, values: Sequence[object], limit: int | None) -> list[int]:
    if limit is not None:
        statement += f" LIMIT {limit}"
    return [rank for (rank,) in store.numbers(statement, values)]


def _deep_ranks(store: Store, compiled: Compiled, limit: int | None) -> tuple[list[int], bool]:
    """Return hits in READMEs, and whether these are all."""
    if not compiled.deep:
        return [], True
    if compiled.phrases:
        limit = _PHRASE_CHECKS
    found = _ranks(store, *_statement("deep", compiled), limit)
    if compiled.phrases:
        # Checking each text costs, so a phrase is looked for in the best of them only.
        return [rank for rank in found if _has_phrases(store, rank, compiled.phrases)], True
    return found, limit is None or len(found) < limit


def only_in_readmes(store: Store, compiled: Compiled) -> list[int]:
    """Return the hits that are none but for their README, if neither phrases nor days matter."""
    if not compiled.deep:
        return []
    statement = "SELECT rowid FROM deep WHERE deep MATCH ? AND rowid NOT IN (SELECT rowid FROM meta WHERE meta MATCH ?)"
    return _ranks(store, statement, (compiled.deep, compiled.meta), None)


def _has_phrases(store: Store, rank: int, phrases: list[list[str]]) -> bool:
    found = store.query(
        "SELECT r.excerpt, p.name, p.path, p.description, p.topics FROM project AS p "
        "JOIN readme AS r ON r.pid = p.pid WHERE p.id = ?",
        (rank,),
    )
    if not found:
        return False
    excerpt, *rest = found[0]
    texts = [" " + " ".join(words.tokens(each)) for each in (unpack_text(excerpt), *map(str, rest))]
    return all(any(" " + " ".join(phrase) in text for text in texts) for phrase in phrases)


def _undated(compiled: Compiled) -> tuple[str, tuple[object, ...]]:
    condition, dates = compiled.dates("last_activity")
    where = f"WHERE {condition} " if condition else ""
    return f"SELECT id FROM project INDEXED BY project_order {where}ORDER BY id", dates


def first_hits(store: Store, compiled: Compiled) -> tuple[list[int], bool]:
    """Return the best hits in rank order, and whether these are all; else the next ones follow."""
    limit = BOUND + 1
    if not compiled.meta:
        found = _ranks(store, *_undated(compiled), limit)
        return found, len(found) < limit
    meta = _ranks(store, *_statement("meta", compiled), limit)
    deep, deep_whole = _deep_ranks(store, compiled, limit)
    meta_whole = len(meta) < limit
    # Both are in order: sorting them is no more than merging.
    hits = list(dict.fromkeys(sorted(meta + deep))) if deep else meta
    ends = [found[-1] for found, whole in ((meta, meta_whole), (deep, deep_whole)) if not whole]
    if ends:
        # Beyond the end of a list that was cut short, what the other one has is not all.
        hits = hits[: hits.index(min(ends)) + 1]
    return hits, not ends


def page(store: Store, sort: str, offset: int, count: int) -> list[int]:
    """Return `count` of one file's projects from `offset` on; `sort` is one of `ORDERS`, else they come by rank."""
    order, index = ORDERS.get(sort, ("", "project_order"))
    by = f"{order}, id" if order else "id"
    statement = f"SELECT id FROM project INDEXED BY {index} ORDER BY {by} LIMIT ? OFFSET ?"
    return _ranks(store, statement, (count, offset), None)


def count_before(store: Store, rank: int) -> int:
    """Return how many projects of one file are better than the row number `rank`."""
    statement = "SELECT count(*) FROM project INDEXED BY project_order WHERE id < ?"
    return sum(number for (number,) in store.numbers(statement, (rank,)))


def best_after(catalog: Catalog, numbers: Sequence[int], rank: int, need: int) -> tuple[list[Place], bool]:
    """Return at least `need` projects of several files that come after a row number, and whether these are all."""
    limit = max(need, BOUND)
    places: list[Place] = []
    ends: list[int] = []
    for number in numbers:
        statement = "SELECT id FROM project INDEXED BY project_order WHERE id > ? ORDER BY id"
        found = _ranks(catalog.stores[number], statement, (rank,), limit)
        places += [(each, number) for each in found]
        if len(found) == limit:
            ends.append(found[-1])
    end = min(ends, default=None)
    return sorted(place for place in places if end is None or place[0] <= end), end is None


def all_hits(store: Store, number: int, compiled: Compiled) -> list[Place]:
    """Return every hit of one file, in rank order."""
    if not compiled.meta:
        found = _ranks(store, *_undated(compiled), None)
    else:
        found = _ranks(store, *_statement("meta", compiled), None)
        found = list({*found, *_deep_ranks(store, compiled, None)[0]})
    return [(rank, number) for rank in sorted(found)]


Keyed = tuple[tuple[int, int, str], int, int]
"""A hit in an order that is not by rank: what it is ordered by, its rank, the number of its store."""


def sorted_places(
    catalog: Catalog, numbers: Sequence[int], compiled: Compiled, sort: str, need: int | None
) -> tuple[list[Place], bool]:
    """Return hits of several files in an order that is not by rank, and whether these are all.

    Args:
        catalog: where to look.
        numbers: the files to ask.
        compiled: what to ask them.
        sort: one of `ORDERS`.
        need: how many to return at least, if there are so many; None for all.
    """
    from heapq import merge

    lists: list[list[Keyed]] = []
    end: Keyed | None = None
    for number in numbers:
        for found, whole in _sorted_lists(catalog.stores[number], compiled, sort, need):
            lists.append([(_sort_key(key), rank, number) for rank, key in found])
            if not whole and (end is None or lists[-1][-1] < end):
                # Beyond the end of a list that was cut short, what the others have is not all.
                end = lists[-1][-1]
    places = dict.fromkeys((each[1], each[2]) for each in merge(*lists) if end is None or each <= end)
    return list(places), end is None


def _sorted_lists(
    store: Store, compiled: Compiled, sort: str, need: int | None
) -> list[tuple[list[tuple[int, object]], bool]]:
    """Return the hits of one file as lists of (rank, key), each with whether it is whole; they may overlap."""
    limit = None if need is None else max(need, BOUND + 1)
    if not compiled.meta:
        condition, dates = compiled.dates("last_activity")
        where = f"WHERE {condition}" if condition else ""
        # Few may be in the span of time: then the walk along another order would not end soon.
        index = ORDERS[sort][1] if not condition or "last_activity" in ORDERS[sort][0] else "project_order"
        return [_keyed(store, f"FROM project AS p INDEXED BY {index} {where}", dates, sort, limit)]
    lists = []
    for table in ("meta", "deep"):
        match = compiled.deep if table == "deep" else compiled.meta
        if not match:
            continue
        if table == "deep" and compiled.phrases:
            marks = ",".join(map(str, _deep_ranks(store, compiled, limit)[0]))
            lists.append(_keyed(store, f"FROM project AS p WHERE p.id IN ({marks})", (), sort, None))
            continue
        walked = _walk(store, compiled, table, sort, max(need, _WALKED)) if need is not None else []
        condition, dates = compiled.dates("p.last_activity")
        also = f" AND {condition}" if condition else ""
        lists.append(
            (walked, False) if walked else _keyed(store, _joined(table) + also, (match, *dates), sort, limit)
        )
    return lists


def _keyed(
    store: Store, source: str, values: Sequence[object], sort: str, limit: int | None
) -> tuple[list[tuple[int, object]], bool]:
    order = ORDERS[sort][0]
    tail = f" LIMIT {limit}" if limit is not None else ""
    found = store.query(f"SELECT p.id, p.{order.split()[0]} {source} ORDER BY p.{order}, p.id{tail}", values)
    return found, limit is None or len(found) < limit  # type: ignore[return-value]


def _walk(store: Store, compiled: Compiled, table: str, sort: str, need: int) -> list[tuple[int, object]]:
    """Return the first `need` hits by walking along an order's index; none when there is a quicker way.

    Where many match, asking row by row whether it does ends soon; where few do, fetching all is quicker.
    """
    if compiled.dated or not compiled.ready or need > BOUND:
        return []
    match = compiled.deep if table == "deep" else compiled.meta
    # Walking costs about `_TRIES` times as much for a row as fetching does, for `need * size / many` rows.
    many = int((_TRIES * need * store.count()) ** 0.5)
    counted = store.numbers(
        f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {table} MATCH ? LIMIT {many})", (match,)
    )
    if not counted or counted[0][0] < many:
        return []
    order, index = ORDERS[sort]
    column = order.split()[0]
    rows = f"SELECT id, {column} FROM project INDEXED BY {index} ORDER BY {order}, id LIMIT {_TRIES * need}"
    statement = (
        f"SELECT p.id, p.{column} FROM ({rows}) AS p CROSS JOIN {table} AS t ON t.rowid = p.id "
        f"WHERE t.{table} MATCH ? LIMIT {need}"
    )
    found = store.query(statement, (match,))
    return found if len(found) == need else []  # type: ignore[return-value]


def _sort_key(key: object) -> tuple[int, int, str]:
    """Return what sorts as SQLite does: large numbers first, texts upwards, nothing last."""
    if isinstance(key, int):
        return (0, -key, "")
    return (0, 0, key) if isinstance(key, str) else (1, 0, "")


def name_hits(store: Store, compiled: Compiled) -> list[int]:
    """Return projects whose name begins with what was typed, exact names first."""
    found: dict[int, None] = {}
    for name in compiled.names:
        condition, dates = compiled.dates("last_activity")
        names = "FROM project WHERE key >= ? AND key < ? ORDER BY key, id LIMIT"
        statement = f"SELECT id {names} {NAMES}"
        if condition:
            # Of a letter's names none may be of that time: not all of them are looked at.
            some = f"SELECT id, last_activity {names} {10 * NAMES}"
            statement = f"SELECT id FROM ({some}) WHERE {condition} LIMIT {NAMES}"
        values = (name, name + "\U0010ffff", *dates)
        found.update((rank, None) for (rank,) in store.numbers(statement, values))
    if compiled.filters and found:
        statement = (
            "SELECT t.rowid FROM json_each(?) AS wanted CROSS JOIN meta AS t ON t.rowid = wanted.value "
            "WHERE t.meta MATCH ?"
        )
        kept = {rank for (rank,) in store.numbers(statement, (listed(found), compiled.filters))}
        return [rank for rank in found if rank in kept]
    return list(found)
