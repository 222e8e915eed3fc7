"""The catalog's database file: its tables, and opening it whatever state it is in.

A catalog can always be rebuilt by a sync, so a file that is broken or of another version is moved
aside and a new one begun; nothing of the user's is ever kept here alone.

Rank is in the row number. A project's `id` is `(CEILING - score) << 20 | n`: reading any index in
row order yields the best project first, so a LIMIT stops early however many projects match, a
project whose score changes moves by itself, and the rows of several forges (each has its own file)
merge by comparing numbers.

The table `fit` repeats, in few bytes, what ordering hits by relevance needs: reading five hundred
whole rows at every keystroke would be most of its time. For the same reason the index `project_order`
begins with the row number: what another order or `active:` needs of a hit lies close together there.
The table `word` holds every word of the indexes:
the beginning of a word is asked for as "any of these words", which SQLite reads lazily in rank
order, where a prefix that has no index of its own is first put together in full.
"""

from __future__ import annotations

import os

from isexplore.catalog.driver import sqlite3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

VERSION: Final = 7
"""Layout of the tables; a file with another number is rebuilt."""
APPLICATION: Final = 0x15E7C0DE
"""Marks the file as ours (SQLite's `application_id`)."""

CEILING: Final = 1 << 13
"""Above every score that is told apart by rank."""
SLOT_BITS: Final = 20
"""Row numbers for each score: a million."""

DAMAGED: Final = ".damaged"
"""Suffix of the note that a reader leaves beside a file that turned out to be broken."""

NOTHING_YET: Final = "not synced yet"
BROKEN: Final = "its catalog file is damaged; the next sync rebuilds it"
OTHER_VERSION: Final = "its catalog file is of another version; the next sync rebuilds it"
NEWER_VERSION: Final = "its catalog file is of a newer isexplore; start isexplore again"
"""Why there is nothing to read, in words."""
NOT_FINISHED: Final = "the first sync has not finished"

_TABLES = """
CREATE TABLE fact (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE project (
    id INTEGER PRIMARY KEY,
    pid TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL COLLATE NOCASE,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    description TEXT NOT NULL,
    visibility TEXT NOT NULL,
    language TEXT,
    languages TEXT NOT NULL,
    topics TEXT NOT NULL,
    licence TEXT,
    owner TEXT NOT NULL,
    stars INTEGER NOT NULL,
    forks INTEGER NOT NULL,
    open_issues INTEGER,
    good_first_issues INTEGER,
    subscribers INTEGER,
    created_at INTEGER,
    last_activity INTEGER,
    default_branch TEXT NOT NULL,
    documents TEXT NOT NULL,
    participation BLOB,
    score INTEGER NOT NULL,
    fetched_at INTEGER NOT NULL,
    first_seen INTEGER,
    enriched_at INTEGER,
    languages_at INTEGER,
    key TEXT NOT NULL,
    origin TEXT NOT NULL DEFAULT '',
    clone_url TEXT,
    ssh_url TEXT NOT NULL DEFAULT '',
    readme_path TEXT,
    role TEXT NOT NULL DEFAULT 'none',
    flags INTEGER NOT NULL DEFAULT 0,
    card TEXT,
    guidelines TEXT,
    avatar_url TEXT NOT NULL DEFAULT ''
);
CREATE INDEX project_path ON project (path);
CREATE INDEX project_key ON project (key);
CREATE INDEX project_order ON project (id, stars, last_activity, key);
CREATE INDEX project_stars ON project (stars DESC);
CREATE INDEX project_activity ON project (last_activity DESC);
CREATE INDEX project_new ON project (first_seen) WHERE first_seen IS NOT NULL;
CREATE INDEX project_enriched ON project (enriched_at);
CREATE INDEX project_languages ON project (id) WHERE languages_at IS NULL;
CREATE VIRTUAL TABLE meta USING fts5(
    name, path, description, topics, filters,
    content='', columnsize=0, prefix='1 2 3 4', tokenize='unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE deep USING fts5(
    body, content='', columnsize=0, detail=none, prefix='3 4 5', tokenize='unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(meta, 'row');
CREATE TABLE word (term TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE fit (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, boost INTEGER NOT NULL, topics_at INTEGER NOT NULL,
    path_at INTEGER NOT NULL, low TEXT NOT NULL
);
CREATE TABLE readme (pid TEXT PRIMARY KEY, excerpt BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE facet (
    kind TEXT NOT NULL, value TEXT NOT NULL, label TEXT NOT NULL, projects INTEGER NOT NULL,
    PRIMARY KEY (kind, value)
) WITHOUT ROWID;
CREATE INDEX facet_often ON facet (kind, projects DESC);
CREATE INDEX facet_top ON facet (projects DESC) WHERE kind = 'g' AND instr(value, '/') = 0;
CREATE TABLE document (
    pid TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL, text BLOB NOT NULL,
    truncated INTEGER NOT NULL, version TEXT NOT NULL, fetched_at INTEGER NOT NULL,
    PRIMARY KEY (pid, name)
);
CREATE TABLE issue (
    pid TEXT NOT NULL, number INTEGER NOT NULL, title TEXT NOT NULL, url TEXT NOT NULL,
    labels TEXT NOT NULL, author TEXT NOT NULL, assignees TEXT NOT NULL, comments INTEGER NOT NULL,
    created_at INTEGER, updated_at INTEGER, verdict TEXT NOT NULL, reasons TEXT NOT NULL,
    description TEXT NOT NULL, fetched_at INTEGER NOT NULL, first_seen INTEGER, judged_at INTEGER,
    PRIMARY KEY (pid, number)
);
CREATE INDEX issue_updated ON issue (updated_at DESC);
CREATE TABLE scope (
    name TEXT PRIMARY KEY, run TEXT NOT NULL, cursor TEXT NOT NULL, finished INTEGER,
    error_kind TEXT, error TEXT, failed_at INTEGER
) WITHOUT ROWID;
CREATE TABLE listed (run TEXT NOT NULL, pid TEXT NOT NULL, PRIMARY KEY (run, pid)) WITHOUT ROWID;
"""


_PATIENCE = 5.0
"""Seconds to wait while another process writes."""
_OUT_OF_REACH = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


class Opened:
    """An open database file, and what the user should know about how it was found."""

    __slots__ = ("connection", "notice", "writable")

    def __init__(self, connection: sqlite3.Connection, *, writable: bool, notice: str | None = None) -> None:
        self.connection = connection
        self.writable = writable
        self.notice = notice


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA cache_size = -16000")
    connection.execute("PRAGMA temp_store = MEMORY")


def _version(connection: sqlite3.Connection) -> tuple[int, int]:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    return int(application), int(version)


def open_for_reading(path: str) -> tuple[sqlite3.Connection | None, str]:
    """Return a read-only connection, or None and why there is none, in words.

    A broken file is marked for the next writer to rebuild.

    Works in a folder that may not be written, where SQLite could not even share its log.
    """
    if not os.path.exists(path):
        return None, NOTHING_YET
    if os.path.exists(path + DAMAGED):
        return None, BROKEN
    fault = ""
    for suffix in ("?mode=ro", "?mode=ro&immutable=1"):
        try:
            connection = sqlite3.connect(
                "file:" + _uri_path(path) + suffix,
                timeout=_PATIENCE,
                uri=True,
                check_same_thread=False,
                isolation_level=None,
            )
        except sqlite3.OperationalError as error:
            # A folder, or a file that may not even be opened.
            fault = unreadable(error)
            continue
        try:
            _set_up(connection)
            found = _version(connection)
            if found == (APPLICATION, VERSION):
                return connection, ""
            connection.close()
            if found == (0, 0):
                return None, NOTHING_YET
            # Most likely this one runs since before an update.
            newer = found[0] == APPLICATION and found[1] > VERSION
            return None, NEWER_VERSION if newer else OTHER_VERSION
        except sqlite3.DatabaseError as error:
            connection.close()
            fault = unreadable(error)
            if is_damage(error):
                note_damage(path)
            if error.sqlite_errorcode & 0xFF not in _OUT_OF_REACH:
                # Reading as if nobody could write would take what is half written for damage.
                break
    return None, fault


def unreadable(error: sqlite3.DatabaseError) -> str:
    """Return why a file cannot be read, in words."""
    return BROKEN if is_damage(error) else f"its catalog file cannot be read: {error}"


def _uri_path(path: str) -> str:
    return os.path.abspath(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


class NotAsItShouldBeError(Exception):
    """A file is broken or of another version, in words that follow its name."""


def open_for_writing(path: str, *, remake: bool = True) -> Opened:
    """Return a connection that may write, making the file where there is none.

    A file that is broken or of another version is moved to `<name>.broken` (one is kept) and the
    notice says so.

    Args:
        path: of the file.
        remake: False leaves such a file to whoever is about to fill it anew.

    Raises:
        NotAsItShouldBeError: it is broken or of another version, and not to be remade.
        sqlite3.Error: not even a new file can be made (no space, no permission).
        OSError: the folder cannot be made.
    """
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    notice = None
    reason = _reason(path)
    if reason and not remake:
        raise NotAsItShouldBeError(reason)
    if reason and _set_aside_once(path):
        notice = f"The catalog file {os.path.basename(path)} {reason}, and was begun anew"
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=_PATIENCE)
    try:
        _set_up(connection)
        _create(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error:
        connection.close()
        raise
    return Opened(connection, writable=True, notice=notice)


def _reason(path: str) -> str | None:
    """Return why a file has to be made anew, in words that follow its name; None for a good one."""
    return "was damaged" if os.path.exists(path + DAMAGED) else _fault(path)


def _set_aside_once(path: str) -> bool:
    """Move a file out of the way, unless another process has just done so and made it anew."""
    from filelock import FileLock

    with FileLock(path + ".aside.lock", timeout=5.0):
        if not _reason(path):
            return False
        set_aside(path)
        return True


def _create(connection: sqlite3.Connection) -> None:
    """Make the tables unless another process just did."""
    if _version(connection) == (APPLICATION, VERSION):
        return
    _keep_a_log(connection)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _version(connection) != (APPLICATION, VERSION):
            for statement in _TABLES.split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _keep_a_log(connection: sqlite3.Connection) -> None:
    """Turn write-ahead logging on; where another process does the same, SQLite refuses without waiting."""
    from time import monotonic, sleep

    end = monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > end:
                raise
            sleep(0.01)


def _fault(path: str) -> str | None:
    """Return what is wrong with an existing file, in words that follow its name; None if nothing is."""
    if os.path.isdir(path):
        return "is not a catalog"
    if not os.path.exists(path) or os.path.getsize(path) == 0:
        return None
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=_PATIENCE)
    try:
        application, version = _version(connection)
        if (application, version) == (0, 0):
            # Another process is making it, or it is somebody else's empty database.
            count = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            return "is not a catalog" if count else None
        if application != APPLICATION:
            return "is not a catalog"
        if version != VERSION:
            return "was of another version"
        connection.execute("SELECT count(*) FROM fact").fetchone()
        connection.execute("SELECT rowid FROM meta WHERE meta MATCH 'a' LIMIT 1").fetchone()
    except sqlite3.DatabaseError as error:
        # SQLITE_ERROR: a table is not there. Anything else may be as it should be, only out of reach now.
        missing = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF == sqlite3.SQLITE_ERROR
        return "was damaged" if missing or is_damage(error) else None
    finally:
        connection.close()
    return None


def set_aside(path: str) -> None:
    """Move a database file out of the way, its log files with it."""
    for suffix in ("-wal", "-shm"):
        if os.path.exists(path + suffix):
            os.replace(path + suffix, path + ".broken" + suffix)
    if os.path.exists(path):
        os.replace(path, path + ".broken")
    if os.path.exists(path + DAMAGED):
        os.unlink(path + DAMAGED)


def note_damage(path: str) -> bool:
    """Leave word for the next writer that the file is broken; return whether that was possible."""
    try:
        with open(path + DAMAGED, "wb"):
            return True
    except OSError:
        return False


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Return whether the error says that the file itself is broken."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # Python's own complaint about a text, which has no number.
        return str(error).startswith("Could not decode to UTF-8")
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
