"""Writing projects into one account's catalog file, and keeping its indexes in step.

Every public method is one transaction, or several that each leave the file whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from isexplore.catalog import schema, words
from isexplore.catalog.database import Database
from isexplore.catalog.records import (
    COLUMNS,
    EXCERPT_LIMIT,
    FROM_LISTING,
    Fit,
    IndexText,
    Values,
    fit_of,
    index_readme,
    index_text,
    languages_of,
    pid_of,
    project_of,
    score_of,
    topics_of,
    values_of,
)
from isexplore.catalog.store import pack_text, pack_weeks, unpack_text
from isexplore.models import Project
from isexplore.text import clean, clean_line

_DRIFT = 0.03
"""Share by which an untouched project's score may be off before it is moved."""
_AT_ONCE = 500
"""Values in one question to the database."""
_ROW = itemgetter(*COLUMNS)
_TOLD = itemgetter(*(name for name in COLUMNS if name not in ("id", "fetched_at", "score", "first_seen")))
"""What makes a row another one than it was."""
_UNSHELVED = (
    "(documents LIKE '%README%' OR documents LIKE '%CONTRIBUTING%') "
    "AND NOT EXISTS (SELECT 1 FROM document WHERE document.pid = project.pid)"
)
"""Has guides that are not kept here, as the project was looked at before it was bookmarked."""
_INSERT = f"INSERT INTO project ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"


class Details(NamedTuple):
    """What a closer look at one project found; None leaves what was known."""

    languages: tuple[str, ...] | None = None
    documents: tuple[str, ...] | None = None
    readme: str | None = None
    good_first_issues: int | None = None
    participation: tuple[int, ...] | None = None
    card: str | None = None
    licence: str | None = None
    guidelines: str | None = None
    """Path of its CONTRIBUTING; empty for none."""


class Dropped(NamedTuple):
    """What became of the projects that a full listing did not name."""

    removed: int
    """The forge has them no more."""
    spared: int
    """Too many at once to believe it."""
    excluded: int
    """Taken out because nobody asks for them any more."""


class Reached(NamedTuple):
    """How far a listing has come with the projects that are written."""

    scope: str
    """The part of the forge that is listed (`isexplore.catalog.shelf.Scopes`)."""
    cursor: str


class _Change(NamedTuple):
    """One change of the text indexes: FTS5 wants them in the order of row numbers."""

    rank: int
    insert: bool
    text: IndexText
    fit: Fit
    readme: str | None


def _bodies(changes: Sequence[_Change]) -> Iterable[tuple[int, str]]:
    """Yield what the index with the READMEs holds, for projects whose README is known."""
    return (
        (each.rank, " ".join((*each.text, index_readme(each.readme))))
        for each in changes
        if each.readme is not None
    )


class _Batch:
    """What one transaction does, and which of its projects and paths are in the file already."""

    def __init__(self, now: int, *, fresh: bool = False, origin: str = "") -> None:
        self.now = now
        self.fresh = fresh
        self.origin = origin
        self.changes: list[_Change] = []
        self.rows: list[tuple[object, ...]] = []
        """Rows to insert: in order of their numbers, and all at once, that takes half the time."""
        self.old: dict[str, Values] = {}
        """Rows that are in the file, by project id."""
        self.paths: set[str] = set()
        """In small letters."""
        self.same: list[int] = []
        """Numbers of the rows that are as they were."""


class Writer:
    """Writes the projects of one file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next_slot = 0
        """Read anew in each transaction that uses it: another process may write in between."""

    def count(self) -> int:
        """Return how many projects there are."""
        return int(self._database.ask("SELECT count(*) FROM project")[0][0])

    def upsert(
        self,
        projects: Iterable[Project],
        *,
        run: str = "",
        origin: str = "",
        reached: Reached | None = None,
    ) -> int:
        """Write what a listing told of projects; return how many were new or changed.

        Facts that only a closer look tells (languages, documents, issue counts) are kept from before
        where the listing leaves them open. A project of another `origin` at the same path is left as
        it is when this one comes from an imported file: the forge's own word is better.

        Args:
            projects: any number; duplicates are fine, the last one counts.
            run: name of the full listing this is part of (see `drop_unlisted`), or empty.
            origin: where they come from: empty for the forge itself, else the source's address.
            reached: how far the listing has come with them; noted together with them, or not at all.
        """
        unique = {pid_of(project): project for project in projects}
        changed = 0
        with self._database.transaction() as db:
            batch = _Batch(
                int(self._database.clock()), fresh=self._database.fact("filled") is None, origin=origin
            )
            self._next_slot = self._database.number("next_slot")
            if run:
                db.executemany("INSERT OR IGNORE INTO listed VALUES (?, ?)", ((run, pid) for pid in unique))
            rows = [values_of(project) for project in unique.values()]
            self._look_up(rows, batch)
            for new in rows:
                changed += self._write(new, batch)
            self._apply(batch)
            db.executemany(
                "UPDATE project SET fetched_at = ? WHERE id = ?", ((batch.now, rank) for rank in batch.same)
            )
            self._database.note("next_slot", self._next_slot)
            if reached is not None:
                db.execute(
                    # Why it failed before stays told until all of it has come.
                    "INSERT INTO scope (name, run, cursor) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE "
                    "SET run = excluded.run, cursor = excluded.cursor, finished = NULL",
                    (reached.scope, run, reached.cursor),
                )
        return changed

    def listed(self, run: str) -> int:
        """Return how many projects the full listing `run` has named."""
        return int(self._database.ask("SELECT count(*) FROM listed WHERE run = ?", (run,))[0][0])

    def _look_up(self, rows: Sequence[Values], batch: _Batch) -> None:
        """Read the rows of projects and paths that are in the file, many at once."""
        for name in ("pid", "path"):
            wanted = [str(values[name]) for values in rows]
            for start in range(0, len(wanted), _AT_ONCE):
                some = wanted[start : start + _AT_ONCE]
                marks = ",".join("?" * len(some))
                if name == "pid":
                    found = self._read_all(f"pid IN ({marks})", some)
                    batch.old.update((str(values["pid"]), values) for values in found)
                    continue
                batch.paths.update(
                    str(path).lower()
                    for (path,) in self._database.connection.execute(
                        f"SELECT path FROM project WHERE path IN ({marks})", some
                    )
                )

    def _write(self, new: Values, batch: _Batch) -> bool:
        new.update(origin=batch.origin, fetched_at=batch.now)
        if not self._take_path(new, batch):
            return False
        old = batch.old.get(new["pid"])
        if old is None:
            new["first_seen"] = None if batch.fresh else batch.now
            self._insert(new, batch)
            return True
        if batch.origin and not old["origin"]:
            return False
        for name in FROM_LISTING:
            if new[name] is None or new[name] == "":
                new[name] = old[name]
        if _TOLD(new) == _TOLD(old):
            batch.same.append(old["id"])
            return False
        self._replace(old, {**old, **new, "first_seen": old["first_seen"]}, batch)
        return True

    def _take_path(self, new: Values, batch: _Batch) -> bool:
        """Make room at the path of a project; return whether it may be written there."""
        low = str(new["path"]).lower()
        known = low in batch.paths
        batch.paths.add(low)
        if not known:
            return True
        self._insert_rows(batch)
        for other in self._read_all("path = ? AND pid <> ?", (new["path"], new["pid"])):
            if batch.origin and not other["origin"]:
                return False
            self._remove(other, batch)
            # It may be in this batch too, and have moved elsewhere.
            batch.old.pop(other["pid"], None)
            # Two projects may claim one path in the same batch: the first is then not indexed yet.
            pending = [each for each in batch.changes if each.insert and each.rank == other["id"]]
            if pending:
                batch.changes.pop()
                batch.changes.remove(pending[0])
        return True

    def _read(self, condition: str, *values: object) -> Values | None:
        found = self._read_all(condition, values)
        return found[0] if found else None

    def _read_all(self, condition: str, values: Sequence[object]) -> list[Values]:
        found = self._database.ask(f"SELECT {', '.join(COLUMNS)} FROM project WHERE {condition}", values)
        return [dict(zip(COLUMNS, each, strict=True)) for each in found]

    def _free_rank(self, score: int) -> int:
        base = (schema.CEILING - min(score, schema.CEILING - 1)) << schema.SLOT_BITS
        while True:
            rank = base + (self._next_slot & ((1 << schema.SLOT_BITS) - 1))
            self._next_slot += 1
            if (
                self._next_slot <= 1 << schema.SLOT_BITS
                or not self._database.connection.execute(
                    "SELECT 1 FROM project WHERE id = ?", (rank,)
                ).fetchone()
            ):
                return rank

    def _insert(self, values: Values, batch: _Batch, readme: str | None = None) -> None:
        values["score"] = score = score_of(values, batch.now)
        values["id"] = rank = self._free_rank(score)
        batch.rows.append(_ROW(values))
        batch.changes.append(_Change(rank, True, index_text(values), fit_of(values), readme))

    def _replace(
        self,
        old: Values,
        new: Values,
        batch: _Batch,
        *,
        readme: tuple[str | None, ...] = (),
    ) -> None:
        """Write `new` over `old`; `readme` is (before, after) where the README changed."""
        new["score"] = score = score_of(new, batch.now)
        if readme:
            before, after = readme
        else:
            before = after = self._excerpt(str(old["pid"]))
        if score == old["score"]:
            new["id"] = old["id"]
            names = [name for name in COLUMNS if new[name] != old[name]]
            if names:
                self._database.connection.execute(
                    f"UPDATE project SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?",
                    [*(new[name] for name in names), old["id"]],
                )
            texts = index_text(old), index_text(new)
            fits = fit_of(old), fit_of(new)
            if texts[0] != texts[1] or fits[0] != fits[1] or before != after:
                batch.changes.append(_Change(old["id"], False, texts[0], fits[0], before))
                batch.changes.append(_Change(old["id"], True, texts[1], fits[1], after))
            return
        self._database.connection.execute("DELETE FROM project WHERE id = ?", (old["id"],))
        batch.changes.append(_Change(old["id"], False, index_text(old), fit_of(old), before))
        self._insert(new, batch, after)

    def _excerpt(self, pid: str) -> str | None:
        found = self._database.connection.execute(
            "SELECT excerpt FROM readme WHERE pid = ?", (pid,)
        ).fetchone()
        return unpack_text(found[0]) if found else None

    def _remove(self, old: Values, batch: _Batch) -> None:
        pid = str(old["pid"])
        batch.changes.append(_Change(old["id"], False, index_text(old), fit_of(old), self._excerpt(pid)))
        self._database.connection.execute("DELETE FROM project WHERE id = ?", (old["id"],))
        for table in ("readme", "document", "issue"):
            self._database.connection.execute(f"DELETE FROM {table} WHERE pid = ?", (pid,))

    def _insert_rows(self, batch: _Batch) -> None:
        batch.rows.sort(key=itemgetter(0))
        self._database.connection.executemany(_INSERT, batch.rows)
        batch.rows.clear()

    def _apply(self, batch: _Batch) -> None:
        """Bring the table and the text indexes up to date.

        In row order, because FTS5 starts a new segment whenever a row number goes down.
        """
        self._insert_rows(batch)
        changes = batch.changes
        changes.sort(key=lambda change: (change.rank, change.insert))
        found: set[str] = set()
        for each in changes:
            if each.insert:
                found.update(words.tokens(" ".join((*each.text[:4], each.readme or ""))))
        self._database.connection.executemany(
            "INSERT OR IGNORE INTO word VALUES (?)", ((term,) for term in sorted(found))
        )
        for insert, run in groupby(changes, lambda change: change.insert):
            (self._index if insert else self._unindex)(list(run))

    def _index(self, changes: Sequence[_Change]) -> None:
        db = self._database.connection
        db.executemany(
            "INSERT INTO fit (id, key, boost, topics_at, path_at, low) VALUES (?,?,?,?,?,?)",
            ((each.rank, *each.fit) for each in changes),
        )
        db.executemany(
            "INSERT INTO meta (rowid, name, path, description, topics, filters) VALUES (?,?,?,?,?,?)",
            ((each.rank, *each.text) for each in changes),
        )
        db.executemany("INSERT INTO deep (rowid, body) VALUES (?, ?)", _bodies(changes))

    def _unindex(self, changes: Sequence[_Change]) -> None:
        db = self._database.connection
        db.executemany("DELETE FROM fit WHERE id = ?", ((each.rank,) for each in changes))
        db.executemany(
            "INSERT INTO meta (meta, rowid, name, path, description, topics, filters) "
            "VALUES ('delete',?,?,?,?,?,?)",
            ((each.rank, *each.text) for each in changes),
        )
        db.executemany("INSERT INTO deep (deep, rowid, body) VALUES ('delete', ?, ?)", _bodies(changes))

    def enrich(
        self, found: Iterable[tuple[str, Details]], *, looked: bool = True, origin: str | None = None
    ) -> None:
        """Write what a closer look told, by the forge's project id; unknown projects are skipped.

        Args:
            found: project id and details; of two for one project the last counts.
            looked: the project itself was looked at, just now.
            origin: write only to projects that came from there, and that nobody has looked at since.
        """
        now = int(self._database.clock())
        with self._database.transaction() as db:
            batch = _Batch(now)
            self._next_slot = self._database.number("next_slot")
            for pid, details in dict(found).items():
                old = self._read("pid = ?", pid)
                if old is None:
                    continue
                if origin is not None and (old["origin"] != origin or old["enriched_at"] is not None):
                    continue
                new: Values = {**old, "enriched_at": now if looked else old["enriched_at"]}
                if details.languages is not None:
                    new["languages"] = "\n".join(clean_line(each, 100) for each in details.languages)
                    new["language"] = new["languages"].split("\n")[0] or old["language"]
                    new["languages_at"] = now
                if details.documents is not None:
                    new["documents"] = "\n".join(clean_line(each, 100) for each in details.documents)
                if details.good_first_issues is not None:
                    new["good_first_issues"] = details.good_first_issues
                if details.participation is not None:
                    new["participation"] = pack_weeks(details.participation)
                if details.card is not None:
                    new["card"] = clean(details.card) or None
                if details.licence is not None:
                    new["licence"] = clean_line(details.licence, 200)
                if details.guidelines is not None:
                    new["guidelines"] = clean_line(details.guidelines, 1_000) or None
                before = after = self._excerpt(pid)
                if details.readme is not None:
                    after = clean(details.readme, EXCERPT_LIMIT) or None
                    if after is None:
                        db.execute("DELETE FROM readme WHERE pid = ?", (pid,))
                    elif after != before:
                        db.execute("INSERT OR REPLACE INTO readme VALUES (?, ?)", (pid, pack_text(after)))
                self._replace(old, new, batch, readme=(before, after))
            self._apply(batch)
            self._database.note("next_slot", self._next_slot)

    def without_languages(self, older_than: int | None = None) -> list[str]:
        """Return the ids of projects, best first, whose languages nobody has asked the forge for.

        Args:
            older_than: also those that changed since they were asked for, if that was before this moment
                (seconds since 1970); it means looking through all of them.
        """
        due = "languages_at IS NULL"
        if older_than is not None:
            due += f" OR (languages_at < {older_than:d} AND last_activity > languages_at)"
        found = self._database.ask(f"SELECT pid FROM project WHERE ({due}) AND origin = '' ORDER BY id")
        return [str(pid) for (pid,) in found]

    def put_languages(self, found: Mapping[str, Sequence[str]]) -> None:
        """Write the languages of projects, largest first, by the forge's project id.

        One that is known, and of which none are told, keeps what it had.
        """
        now = int(self._database.clock())
        pids = list(found)
        with self._database.transaction() as db:
            batch = _Batch(now)
            self._next_slot = self._database.number("next_slot")
            same: list[int] = []
            for start in range(0, len(pids), _AT_ONCE):
                some = pids[start : start + _AT_ONCE]
                for old in self._read_all(f"pid IN ({','.join('?' * len(some))})", some):
                    named = "\n".join(clean_line(each, 100) for each in found[old["pid"]])
                    if not named or named == old["languages"]:
                        same.append(old["id"])
                        continue
                    language = named.partition("\n")[0]
                    new = {**old, "languages": named, "language": language, "languages_at": now}
                    self._replace(old, new, batch)
            db.executemany("UPDATE project SET languages_at = ? WHERE id = ?", ((now, each) for each in same))
            self._apply(batch)
            self._database.note("next_slot", self._next_slot)

    def remove(self, pids: Iterable[str]) -> int:
        """Take projects out, with everything kept of them; return how many were there."""
        batch = _Batch(int(self._database.clock()))
        with self._database.transaction():
            for pid in pids:
                if (old := self._read("pid = ?", pid)) is not None:
                    self._remove(old, batch)
            self._apply(batch)
        return len(batch.changes)

    def begin_listing(self, run: str) -> None:
        """Begin the full listing `run` of the forge; one that was given up is forgotten."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM listed WHERE run <> ?", (run,))
            self._database.note("run", run)
            self._database.note("run_started", int(self._database.clock()))

    def drop_unlisted(
        self, run: str, *, origin: str = "", excluded: Callable[[str, Sequence[str]], bool] | None = None
    ) -> Dropped:
        """Take out the projects that the full listing `run` did not name.

        When more than half would go at once, or it named none, they are spared the first time: rights
        that were lost for an hour look exactly like projects that were deleted. That is not so for those
        that nobody asked for any more.

        Args:
            run: name of the listing.
            origin: where the projects come from.
            excluded: whether a project, by its path and its topics, is none that was asked for.
        """
        missing: list[str] = []
        unwanted: list[str] = []
        for pid, path, topics in self._database.ask(
            "SELECT pid, path, topics FROM project WHERE origin = ? "
            "AND pid NOT IN (SELECT pid FROM listed WHERE run = ?)",
            (origin, run),
        ):
            outside = excluded is not None and excluded(str(path), topics_of(str(topics)))
            (unwanted if outside else missing).append(str(pid))
        if not self.listed(run):
            # What is asked for may be misspelt.
            missing, unwanted = missing + unwanted, []
        left = self._remove_many(unwanted)
        shrunk = bool(missing) and (len(missing) > max(10, self.count() // 2) or not self.listed(run))
        warned = f"shrunk {origin}".strip()
        if shrunk and not self._database.number(warned):
            self._database.set_facts(**{warned: 1})
            return Dropped(0, len(missing), left)
        removed = self._remove_many(missing)
        self._database.set_facts(**{warned: 0})
        return Dropped(removed, 0, left)

    def _remove_many(self, pids: Sequence[str]) -> int:
        """Take projects out, a thousand with each transaction; return how many were there."""
        return sum(self.remove(pids[at : at + 1_000]) for at in range(0, len(pids), 1_000))

    def end_listing(self, run: str, /, **facts: str | int | None) -> None:
        """Forget which projects the full listing `run` named, and note `facts`: both or neither.

        A listing that goes on after a death must still know what it has named.
        """
        with self._database.transaction() as db:
            db.execute("DELETE FROM listed WHERE run = ?", (run,))
            for name, value in facts.items():
                self._database.note(name, value)

    def rerank(self) -> int:
        """Move the projects whose score time has changed by more than 3 %; return how many.

        To be called about once a day: activity fades without anything being changed.
        """
        now = int(self._database.clock())
        last, moved = -1, 0
        while True:
            some = self._read_all("id > ? ORDER BY id LIMIT 2000", (last,))
            if not some:
                break
            last = some[-1]["id"]
            stale = []
            for values in some:
                before, after = values["score"], score_of(values, now)
                if abs(after - before) > max(3, _DRIFT * before):
                    stale.append(values)
            if stale:
                # A project that moves down is met again further on, where its score is right.
                batch = _Batch(now)
                with self._database.transaction():
                    self._next_slot = self._database.number("next_slot")
                    for values in stale:
                        self._replace(values, dict(values), batch)
                    self._apply(batch)
                    self._database.note("next_slot", self._next_slot)
                moved += len(stale)
        self._database.set_facts(reranked_at=now)
        return moved

    def project(self, pid: str) -> Project | None:
        """Return a project as the forge told it."""
        values = self._read("pid = ?", pid)
        return project_of(values, self._database.account.forge) if values else None

    def never_looked_at(self) -> dict[str, str]:
        """Return the id of each project that nobody has looked at closely, by its path."""
        found = self._database.ask("SELECT path, pid FROM project WHERE enriched_at IS NULL AND origin = ''")
        return {str(path): str(pid) for path, pid in found}

    def first_issue_numbers(self) -> dict[str, int]:
        """Return how many good first issues each project has that has any, by its id, as its row tells."""
        found = self._database.ask("SELECT pid, good_first_issues FROM project WHERE good_first_issues > 0")
        return {str(pid): int(number) for pid, number in found}

    def projects_to_enrich(
        self,
        limit: int,
        *,
        first: Sequence[str] = (),
        older_than: int | None = None,
        only_news: bool = False,
    ) -> list[Project]:
        """Return projects worth a closer look: those at the paths `first`, then best first.

        A project is due when nobody has looked yet, or it changed since, or the look is older than
        `older_than` (seconds since 1970); one of `first` also while its guides are not kept here.

        Args:
            limit: how many at most, unless more are `first`.
            first: paths of projects that somebody keeps.
            older_than: a look before that is too old; None for none.
            only_news: leave out those that are due though nothing happened, but for `first`.
        """
        due = "(enriched_at IS NULL OR last_activity > enriched_at OR enriched_at < ?)"
        bound = older_than if older_than is not None else 0
        found: dict[str, Values] = {}
        for path in first:
            for values in self._read_all(f"path = ? AND ({due} OR {_UNSHELVED})", (path, bound)):
                found[str(values["pid"])] = values
        if only_news:
            # Each by an index of its own: going through all projects would take longer than the forge.
            rest = [
                values
                for changed in (
                    "enriched_at > 0 AND last_activity > enriched_at ORDER BY +id LIMIT ?",
                    "first_seen IS NOT NULL AND enriched_at IS NULL ORDER BY +id LIMIT ?",
                )
                for values in self._read_all(changed, (limit,))
            ]
        else:
            rest = self._read_all(f"{due} ORDER BY id LIMIT ?", (bound, limit))
        for values in rest:
            if len(found) >= max(limit, len(first)):
                break
            found.setdefault(str(values["pid"]), values)
        return [project_of(values, self._database.account.forge) for values in found.values()]

    # Finishing

    def finish(self, *, as_of: int | None = None, optimize: bool = False) -> None:
        """Count the facets anew, and note that everything is here as of `as_of` (seconds since 1970).

        Args:
            as_of: None when the listing is not complete.
            optimize: merge the index's segments; worth it after a large change.
        """
        self._count_facets()
        with self._database.transaction() as db:
            if optimize:
                db.execute("INSERT INTO meta (meta) VALUES ('optimize')")
                db.execute("INSERT INTO deep (deep) VALUES ('optimize')")
            if as_of is not None:
                self._database.note("as_of", as_of)
                self._database.note("filled", 1)
        self._database.ask("PRAGMA wal_checkpoint(PASSIVE)")

    def _count_facets(self) -> None:
        counts: dict[tuple[str, str], list[object]] = {}
        with self._database.reading() as db:
            for path, language, languages, topics in db.execute(
                "SELECT path, language, languages, topics FROM project"
            ):
                labels = [
                    (words.LANGUAGE, words.fold(name), name) for name in languages_of(language, languages)
                ]
                labels += [(words.TOPIC, words.topic_value(name), name) for name in topics_of(topics)]
                labels += [(words.GROUP, words.fold(name), name) for name in words.ancestors(path)]
                for kind, value, label in labels:
                    entry = counts.setdefault((kind, value), [label, 0])
                    entry[1] = int(str(entry[1])) + 1
        with self._database.transaction() as db:
            db.execute("DELETE FROM facet")
            db.executemany(
                "INSERT INTO facet VALUES (?, ?, ?, ?)",
                ((kind, value, label, number) for (kind, value), (label, number) in counts.items() if value),
            )
