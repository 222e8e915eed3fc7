"""The catalog on disk, for reading: one SQLite file for each forge account, read together.

One file per account keeps what one account may see out of another's sight, lets a forge be removed
or rebuilt alone, and costs nothing in merging: a row's number is its rank on every forge (see
`isexplore.catalog.schema`), so rows of several files merge by comparing numbers.

Only `sqlite3` and itself are imported: a search from the command line starts in the time of bare
Python. Writing is in `isexplore.catalog.write`.
"""

from __future__ import annotations

import os
import time
from _operator import itemgetter

from isexplore.catalog import schema
from isexplore.catalog.driver import sqlite3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

    from isexplore.catalog.issue_index import IssueIndex

_COLUMNS = (
    "id, pid, path, name, url, description, visibility, language, languages, topics, licence, owner, "
    "stars, forks, open_issues, good_first_issues, subscribers, created_at, last_activity, "
    "default_branch, documents, participation, score, fetched_at, first_seen, enriched_at, card, "
    "guidelines, avatar_url"
)
SELECT_ROW = "SELECT " + _COLUMNS + " FROM project"
# The numbers come as one value, so that the statement is always the same and prepared only once.
_SELECT_ROWS = SELECT_ROW + " WHERE id IN (SELECT value FROM json_each(?))"
_SELECT_FITS = (
    "SELECT f.id, f.boost, f.topics_at, f.path_at, f.low "
    "FROM json_each(?) AS wanted CROSS JOIN fit AS f ON f.id = wanted.value"
)
_ROWS_KEPT, _FITS_KEPT = 500, 6_000
"""Rows kept in memory between two searches: who types one more letter narrows what was found just before."""
_NEAR = 5_000
"""Paths that a mistyped one is compared with, letter by letter."""
_LISTS = tuple(
    index
    for index, name in enumerate(_COLUMNS.split(", "), 1)
    if name in ("languages", "topics", "documents")
)


class Row(tuple[object, ...]):
    """A project as the catalog knows it. Times are seconds since 1970 (UTC) or None.

    A named tuple, made by hand because `typing` alone would cost a third of a search's time.
    """

    __slots__ = ()
    forge: str
    rank: int
    """Its row number: lower is better, also across forges."""
    id: str
    """The forge's own id."""
    path: str
    name: str
    url: str
    description: str
    visibility: str
    language: str | None
    languages: tuple[str, ...]
    topics: tuple[str, ...]
    licence: str | None
    owner: str
    stars: int
    forks: int
    open_issues: int | None
    good_first_issues: int | None
    subscribers: int | None
    created_at: int | None
    last_activity: int | None
    default_branch: str
    documents: tuple[str, ...]
    """Names of the guides that the project has, as `README`, `CONTRIBUTING`; empty until looked at."""
    participation: bytes | None
    score: int
    fetched_at: int
    first_seen: int | None
    """When it first turned up; None for what was there when the catalog was begun."""
    enriched_at: int | None
    """When documents and labels were last looked at; None for never."""
    card: str | None
    """The project's innersource.json as JSON, or None."""
    guidelines: str | None
    """Path of its CONTRIBUTING as far as it is known."""
    avatar_url: str
    """Its picture, or its owner's; empty when unknown."""

    @property
    def level(self) -> str:
        """The score in a word."""
        from isexplore.catalog.score import level

        return level(self.score)

    @property
    def weeks(self) -> tuple[int, ...]:
        """Commits of the last weeks, oldest first; empty when unknown."""
        return unpack_weeks(self.participation)

    @property
    def has_contributing(self) -> bool | None:
        """Whether the project says how to contribute; None when nobody has looked yet."""
        return "CONTRIBUTING" in self.documents or (None if self.enriched_at is None else False)

    def reasons(self, now: float | None = None) -> tuple[str, ...]:
        """Return why the project stands where it stands, strongest first."""
        from isexplore.catalog.score import reasons

        return reasons(
            stars=self.stars,
            forks=self.forks,
            open_issues=self.open_issues,
            good_first_issues=self.good_first_issues,
            created_at=self.created_at,
            last_activity=self.last_activity,
            now=int(now if now is not None else time.time()),
            participation=self.weeks,
            description=self.description,
            has_guidelines=self.has_contributing,
        )

    def as_json(self) -> dict[str, object]:
        """Return the project in the stable shape of `isexplore search --json`."""
        return {
            "forge": self.forge,
            "path": self.path,
            "name": self.name,
            "description": self.description,
            "url": self.url,
            "visibility": self.visibility,
            "language": self.language,
            "topics": list(self.topics),
            "stars": self.stars,
            "forks": self.forks,
            "open_issues": self.open_issues,
            "good_first_issues": self.good_first_issues,
            "last_activity": rfc3339(self.last_activity),
            "score": self.score,
            "level": self.level,
        }


for _index, _name in enumerate(("forge", "rank", *_COLUMNS.split(", ")[1:])):
    setattr(Row, "id" if _name == "pid" else _name, property(itemgetter(_index)))


def make_row(forge: str, values: Sequence[object]) -> Row:
    """Return the row for what `SELECT_ROW` found."""
    items = [forge, *values]
    for index in _LISTS:
        text = items[index]
        items[index] = tuple(str(text).split("\n")) if text else ()
    return Row(items)


def unpack_weeks(blob: bytes | None) -> tuple[int, ...]:
    """Return the counts of weekly commits that `pack_weeks` put into `blob`."""
    if not blob:
        return ()
    return tuple(int.from_bytes(blob[at : at + 2], "little") for at in range(0, len(blob), 2))


def pack_weeks(weeks: Iterable[int]) -> bytes | None:
    """Return counts of weekly commits as bytes, each at most 65,535; None for none."""
    return b"".join(min(max(0, each), 65_535).to_bytes(2, "little") for each in weeks) or None


def rfc3339(seconds: int | None) -> str | None:
    """Return a moment as RFC 3339 in UTC: `2025-03-01T09:30:00Z`; None for None or an impossible one."""
    if seconds is None:
        return None
    try:
        moment = time.gmtime(seconds)
    except (OverflowError, ValueError, OSError):
        return None
    # Four digits for a year is what the format has, and what `%Y` does not make of the year 12.
    year = f"{moment.tm_year:04d}"
    return year + time.strftime("-%m-%dT%H:%M:%SZ", moment) if len(year) == 4 else None


class NotAsked(str):
    """Why something is missing where nothing went wrong: nobody has asked the forge for it yet."""

    __slots__ = ()


def faults(incomplete: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return of forges of which something is missing, with the reasons, those where something went wrong.

    The others only wait for a sync, or for its end.
    """
    waiting = (schema.NOTHING_YET, schema.NOT_FINISHED)
    return [
        (forge, reason)
        for forge, reason in incomplete
        if reason not in waiting and not isinstance(reason, NotAsked)
    ]


class Account(tuple[str, str, str]):
    """Whose view of which forge a file holds: name and address of the forge, and the user's name."""

    __slots__ = ()

    def __new__(cls, forge: str, url: str, username: str = "") -> Self:
        """Return the account; a slash at the end of the address does not count."""
        return super().__new__(cls, (forge, url.rstrip("/"), username))

    @property
    def forge(self) -> str:
        """Name of the forge in the configuration."""
        return self[0]

    @property
    def url(self) -> str:
        """Its web address."""
        return self[1]

    @property
    def username(self) -> str:
        """The account; empty when nobody is signed in."""
        return self[2]

    @property
    def file_name(self) -> str:
        """Name of the file in the catalog's folder: readable, and safe whatever the forge is called."""
        readable = "".join(char if char.isalnum() and char.isascii() else "-" for char in self.forge.lower())
        # FNV-1a: told apart is all they need to be, and hashing libraries take longer to load than a search.
        mark = 0xCBF29CE484222325
        for byte in "\n".join(self).encode("utf-8", "surrogatepass"):
            mark = (mark ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
        return f"{readable.strip('-')[:40] or 'forge'}-{mark:016x}.sqlite"


def _first_number(record: object) -> int:
    """Return the whole number that a record of SQLite begins with: seven bits a byte, the last below 128."""
    number = 0
    for byte in record if isinstance(record, bytes) else b"":
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return number


def listed(numbers: Iterable[int]) -> str:
    """Return numbers as one value for a statement, which takes them apart with `json_each`."""
    return f"[{','.join(map(str, numbers))}]"


Fit = tuple[int, int, int, int, str]
"""A row of `fit`: row number, what speaks for the project in any search, where topics and path begin, the text."""


class Store:
    """One account's file, open for reading. `connection` is None when there is nothing to read yet."""

    def __init__(self, account: Account, path: str) -> None:
        self.account = account
        self.forge = account.forge
        self.path = path
        self.connection, self._fault = schema.open_for_reading(path)
        self._counted: tuple[int, int] | None = None
        self._seen = -1
        self._rows: dict[int, Row] = {}
        self._fits: dict[int, Fit] = {}

    def close(self) -> None:
        """Close the file."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def failed(self, error: sqlite3.DatabaseError) -> None:
        """Stop using the file because of `error`; a broken one is marked to be rebuilt."""
        self._fault = schema.unreadable(error)
        if schema.is_damage(error):
            schema.note_damage(self.path)
        self.close()

    def query(self, statement: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Return all rows of a statement; none when the file cannot be read (see `problem`)."""
        if self.connection is None:
            return []
        try:
            return self.connection.execute(statement, values).fetchall()
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                raise
            self.failed(error)
            return []
        except UnicodeEncodeError:
            # Half a character, as an argument in another encoding has: nothing here is spelt like that.
            return []

    def numbers(self, statement: str, values: Sequence[object] = ()) -> list[tuple[int, ...]]:
        """Return all rows of a statement whose columns are all whole numbers."""
        return self.query(statement, values)  # type: ignore[return-value]

    def rows(self, ranks: Sequence[int]) -> list[Row]:
        """Return the projects with these row numbers, in this order; those that have left are missing."""
        self._renew()
        known = self._rows
        if len(known) > _ROWS_KEPT:
            known.clear()
        missing = [rank for rank in ranks if rank not in known]
        if missing:
            for values in self.query(_SELECT_ROWS, (listed(missing),)):
                row = make_row(self.forge, values)
                known[row.rank] = row
        return [known[rank] for rank in ranks if rank in known]

    def fits(self, ranks: Sequence[int]) -> list[Fit]:
        """Return what ordering by relevance needs of the projects with these row numbers."""
        self._renew()
        known = self._fits
        if len(known) > _FITS_KEPT:
            known.clear()
        if missing := set(ranks).difference(known):
            found: list[Fit] = self.query(_SELECT_FITS, (listed(sorted(missing)),))  # type: ignore[assignment]
            known.update({fit[0]: fit for fit in found})
        return list(filter(None, map(known.get, ranks)))

    def named(self, name: str, limit: int) -> set[int]:
        """Return the row numbers of the best `limit` projects whose name has exactly these words (`words.key`)."""
        statement = "SELECT id FROM project WHERE key = ? ORDER BY id LIMIT ?"
        return {rank for (rank,) in self.numbers(statement, (name, limit))}

    def _renew(self) -> None:
        """Forget what was read before somebody wrote."""
        for (version,) in self.numbers("PRAGMA data_version"):
            if version != self._seen:
                self._seen = version
                self._rows.clear()
                self._fits.clear()

    def where(self, condition: str, values: Sequence[object], limit: int = 100) -> list[Row]:
        """Return up to `limit` projects by a condition of SQL, best first."""
        found = self.query(f"{SELECT_ROW} WHERE {condition} ORDER BY id LIMIT {int(limit)}", values)
        return [make_row(self.forge, each) for each in found]

    def fact(self, name: str) -> object:
        """Return something that the writer noted about the file, or None."""
        found = self.query("SELECT value FROM fact WHERE name = ?", (name,))
        return found[0][0] if found else None

    def count(self) -> int:
        """Return how many projects there are; counted once for each time that somebody wrote."""
        version = self.numbers("PRAGMA data_version")
        if not version:
            return 0
        if self._counted is None or self._counted[0] != version[0][0]:
            # The index of words holds a row for each project, and FTS5 notes how many at the beginning of
            # its record of averages. To count the rows would read a megabyte before the first frame.
            found = self.query("SELECT block FROM meta_data WHERE id = 1")
            self._counted = (version[0][0], _first_number(found[0][0])) if found else None
        return self._counted[1] if self._counted else 0

    def as_of(self) -> int | None:
        """Return when the forge last told everything, in seconds since 1970; None for never."""
        value = self.fact("as_of")
        return value if isinstance(value, int) else None

    def problem(self) -> str | None:
        """Return why what is here may be less than the forge has, in words; None when it is all."""
        if self.connection is None:
            return self._fault or schema.NOTHING_YET
        failures = self.query(
            "SELECT name, error FROM scope WHERE error IS NOT NULL ORDER BY failed_at DESC, name LIMIT 1"
        )
        if failures:
            scope, error = failures[0]
            return f"{scope}: {error}" if scope else str(error)
        began = self.as_of() is not None
        if self.connection is None:
            # Just now it turned out that the file cannot be read.
            return self._fault
        return None if began else schema.NOT_FINISHED


class Catalog:
    """All accounts' files, read together.

    Not to be used by two threads at once: a worker makes its own with `again`, which costs less than
    a millisecond.
    """

    def __init__(self, folder: str, accounts: Iterable[Account]) -> None:
        self.folder = os.fspath(folder)
        self.accounts = tuple(accounts)
        self.stores = [Store(each, os.path.join(self.folder, each.file_name)) for each in self.accounts]
        self.first_issues: tuple[tuple[int, ...], IssueIndex] | None = None
        """What `isexplore.catalog.issues` has read, with the `revision` that it is of."""

    @classmethod
    def open(cls, folder: str | os.PathLike[str], accounts: Iterable[Account]) -> Self:
        """Return the catalog of these accounts, whatever state its files are in.

        A missing or broken file is an account without projects; `incomplete` says why.
        """
        return cls(os.fspath(folder), accounts)

    def again(self) -> Self:
        """Return another view of the same files, for another thread or to see what a sync made anew."""
        return type(self)(self.folder, self.accounts)

    def close(self) -> None:
        """Close the files."""
        for store in self.stores:
            store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def store(self, forge: str) -> Store | None:
        """Return the file of a forge, or None."""
        return next((store for store in self.stores if store.forge == forge), None)

    def count(self) -> int:
        """Return how many projects there are on all forges."""
        return sum(store.count() for store in self.stores)

    def as_of(self) -> int | None:
        """Return since when nothing is older: the earliest of the forges' last syncs; None for never."""
        moments = [moment for store in self.stores if (moment := store.as_of()) is not None]
        return min(moments) if moments else None

    def incomplete(self) -> list[tuple[str, str]]:
        """Return the forges that hold more than is here, each with the reason."""
        return [(store.forge, reason) for store in self.stores if (reason := store.problem())]

    def unread(self) -> list[tuple[str, str]]:
        """Return the forges of which nothing can be told: never listed to the end, or the file cannot be read."""
        told = self.incomplete()
        readable = {store.forge for store in self.stores if store.as_of() is not None}
        return [(forge, reason) for forge, reason in told if forge not in readable]

    def revision(self) -> tuple[int, ...]:
        """Return numbers that change when another process has written; cheap enough for a timer."""
        found: list[int] = []
        for store in self.stores:
            for values in store.query("PRAGMA data_version"):
                found.append(int(str(values[0])))
        return tuple(found)

    def project(self, forge: str, path: str) -> Row | None:
        """Return a project by its full path or by the forge's id."""
        store = self.store(forge)
        if store is None:
            return None
        found = store.where("path = ?", (path,), 1) or store.where("pid = ?", (path,), 1)
        return found[0] if found else None

    def path_of(self, forge: str, pid: str) -> str | None:
        """Return where the project with this id of the forge is now, or None."""
        store = self.store(forge)
        found = store.query("SELECT path FROM project WHERE pid = ?", (pid,)) if store is not None else []
        return str(found[0][0]) if found else None

    def id_of(self, forge: str, path: str) -> str:
        """Return the forge's id of the project at a path; empty where there is none."""
        store = self.store(forge)
        found = store.query("SELECT pid FROM project WHERE path = ?", (path,)) if store is not None else []
        return str(found[0][0]) if found else ""

    def resolve(self, text: str, limit: int = 20) -> list[Row]:
        """Return the projects that `text` may name: one when it is clear, best first.

        Args:
            text: full path, web address or clone address, or the end of a path (`name`, `sub/name`).
            limit: how many to return of those that an end fits.
        """
        wanted = text.strip().rstrip("/").removesuffix(".git")
        if not wanted:
            return []
        if "://" in wanted:
            wanted, _, _ = wanted.partition("/-/")
            return self._everywhere("url = ? COLLATE NOCASE", (wanted,), limit)
        exact = self._everywhere("path = ?", (wanted,), limit)
        if exact:
            return exact
        escaped = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return self._everywhere("path LIKE ? ESCAPE '\\'", ("%/" + escaped,), limit)

    def nearest(self, path: str) -> str | None:
        """Return the path that a mistyped one most likely meant, or None."""
        from isexplore.catalog import words

        wanted = path.strip("/").lower()
        group, _, name = wanted.rpartition("/")
        condition, values = "length(path) BETWEEN ? AND ?", [len(wanted) - 2, len(wanted) + 2]
        found = [
            str(near)
            for store in self.stores
            for (near,) in store.query(f"SELECT path FROM project WHERE {condition}", values)
        ]
        if len(found) > _NEAR:
            # Too many to compare with each: one half of the path is spelt right more often than not.
            found = [
                each
                for each in found
                if each.lower().startswith(group + "/") or each.lower().endswith("/" + name)
            ]
        spelt = {each.lower(): each for each in found}
        return spelt.get(words.nearest(wanted, spelt) or "")

    def _everywhere(self, condition: str, values: Sequence[object], limit: int) -> list[Row]:
        found = [row for store in self.stores for row in store.where(condition, values, limit)]
        return sorted(found, key=lambda row: row.rank)[:limit]

    def readme(self, row: Row) -> str:
        """Return the beginning of the project's README as far as it was kept; empty for none."""
        store = self.store(row.forge)
        found = store.query("SELECT excerpt FROM readme WHERE pid = ?", (row.id,)) if store else []
        return unpack_text(found[0][0]) if found else ""

    def documents(self, row: Row) -> list[Shelved]:
        """Return the guides on the offline shelf, README first."""
        store = self.store(row.forge)
        if store is None:
            return []
        found = store.query(
            "SELECT name, path, text, truncated, version, fetched_at FROM document WHERE pid = ? "
            "ORDER BY name <> 'README', name <> 'CONTRIBUTING', name",
            (row.id,),
        )
        return [Shelved((name, path, unpack_text(blob), bool(cut), version, fetched_at))
                for name, path, blob, cut, version, fetched_at in found]  # fmt: skip

    def new_since(self, moment: int, limit: int = 100) -> list[Row]:
        """Return projects that first turned up after `moment` (seconds since 1970), best first."""
        return self._everywhere("first_seen > ?", (moment,), limit)

    def count_new_since(self, moment: int) -> int:
        """Return how many projects first turned up after `moment` (seconds since 1970)."""
        asked = "SELECT count(*) FROM project WHERE first_seen > ?"
        return sum(number for store in self.stores for (number,) in store.numbers(asked, (moment,)))


class Shelved(tuple[object, ...]):
    """A guide kept for reading without network."""

    __slots__ = ()
    name: str
    path: str
    text: str
    truncated: bool
    version: str
    """The forge's id of the text (blob id or ETag); empty when it told none."""
    fetched_at: int


for _index, _name in enumerate(("name", "path", "text", "truncated", "version", "fetched_at")):
    setattr(Shelved, _name, property(itemgetter(_index)))


def pack_text(text: str) -> bytes:
    """Return a text as it is kept on disk."""
    from zlib import compress

    return compress(text.encode("utf-8", "replace"), 1)


def unpack_text(blob: object) -> str:
    """Return the text that `pack_text` packed; empty for anything else."""
    from zlib import decompress, error

    if not isinstance(blob, bytes):
        return ""
    try:
        return decompress(blob).decode("utf-8", "replace")
    except error:
        return ""
