"""The practice forge's SQLite file: schema, one connection, and rows as typed Structs.

Write-ahead logging makes every committed change survive a kill of the process at any moment.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from isexplore.errors import StateError
from isexplore.practice.rows import Row

R = TypeVar("R", bound=Row)
Value = str | int | float | None

SCHEMA_VERSION = 2
_SCHEMA = """
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
  email TEXT NOT NULL,
  bot INTEGER NOT NULL DEFAULT 0, external INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL);
CREATE TABLE namespaces (
  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,
  full_path TEXT NOT NULL UNIQUE COLLATE NOCASE,
  name TEXT NOT NULL, parent_id INTEGER, created_at TEXT NOT NULL);
CREATE TABLE group_members (
  namespace_id INTEGER NOT NULL, username TEXT NOT NULL, access_level INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (namespace_id, username)) WITHOUT ROWID;
CREATE TABLE projects (
  id INTEGER PRIMARY KEY AUTOINCREMENT, full_path TEXT NOT NULL UNIQUE COLLATE NOCASE,
  name TEXT NOT NULL,
  namespace_id INTEGER NOT NULL, description TEXT NOT NULL DEFAULT '', visibility TEXT NOT NULL,
  default_branch TEXT NOT NULL DEFAULT 'main', topics TEXT NOT NULL DEFAULT '[]', language TEXT,
  languages TEXT NOT NULL DEFAULT '{}', licence TEXT, star_count INTEGER NOT NULL DEFAULT 0,
  forks_count INTEGER NOT NULL DEFAULT 0, open_issues_count INTEGER NOT NULL DEFAULT 0,
  archived INTEGER NOT NULL DEFAULT 0, forking_enabled INTEGER NOT NULL DEFAULT 1,
  merge_requests_enabled INTEGER NOT NULL DEFAULT 1, issues_enabled INTEGER NOT NULL DEFAULT 1,
  merge_method TEXT NOT NULL DEFAULT 'merge', creator TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL,
  last_activity_at TEXT NOT NULL, forked_from_id INTEGER, import_started_at TEXT,
  own_repository INTEGER NOT NULL DEFAULT 1, empty_repo INTEGER NOT NULL DEFAULT 0, readme_path TEXT,
  checks TEXT NOT NULL DEFAULT '[]', review TEXT NOT NULL DEFAULT 'null', words TEXT NOT NULL DEFAULT '');
CREATE INDEX projects_by_namespace ON projects (namespace_id);
CREATE INDEX projects_by_activity ON projects (last_activity_at, id);
CREATE INDEX projects_by_creation ON projects (created_at, id);
CREATE INDEX projects_by_stars ON projects (star_count, id);
CREATE INDEX projects_by_name ON projects (name, id);
CREATE INDEX projects_by_origin ON projects (forked_from_id) WHERE forked_from_id IS NOT NULL;
CREATE INDEX projects_private ON projects (visibility) WHERE visibility = 'private';
CREATE TABLE topics (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  projects INTEGER NOT NULL DEFAULT 0);
CREATE TABLE project_topics (
  topic_id INTEGER NOT NULL, project_id INTEGER NOT NULL, PRIMARY KEY (topic_id,
  project_id)) WITHOUT ROWID;
CREATE TABLE members (
  project_id INTEGER NOT NULL, username TEXT NOT NULL, access_level INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (username, project_id)) WITHOUT ROWID;
CREATE INDEX members_of_project ON members (project_id);
CREATE TABLE stars (
  username TEXT NOT NULL, project_id INTEGER NOT NULL, PRIMARY KEY (username,
  project_id)) WITHOUT ROWID;
CREATE TABLE labels (
  id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, name TEXT NOT NULL,
  color TEXT NOT NULL,
  description TEXT, UNIQUE (project_id, name));
CREATE TABLE issues (
  id INTEGER PRIMARY KEY AUTOINCREMENT, iid INTEGER NOT NULL, project_id INTEGER NOT NULL,
  title TEXT NOT NULL,
  description TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'opened', author TEXT NOT NULL,
  labels TEXT NOT NULL DEFAULT '[]', assignees TEXT NOT NULL DEFAULT '[]',
  notes_count INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL, closed_at TEXT, closed_by TEXT,
  UNIQUE (project_id, iid));
CREATE TABLE issue_labels (
  name TEXT NOT NULL, issue_id INTEGER NOT NULL, PRIMARY KEY (name, issue_id)) WITHOUT ROWID;
CREATE TABLE notes (
  id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, noteable TEXT NOT NULL,
  noteable_id INTEGER NOT NULL, noteable_iid INTEGER NOT NULL, discussion_id TEXT NOT NULL,
  individual INTEGER NOT NULL, author TEXT NOT NULL, body TEXT NOT NULL,
  system INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL, updated_at TEXT NOT NULL, resolvable INTEGER NOT NULL DEFAULT 0,
  resolved_by TEXT,
  resolved_at TEXT, file TEXT, line INTEGER, head_sha TEXT);
CREATE INDEX notes_of ON notes (noteable, noteable_id, created_at);
CREATE INDEX notes_of_discussion ON notes (discussion_id);
CREATE TABLE merge_requests (
  id INTEGER PRIMARY KEY AUTOINCREMENT, iid INTEGER NOT NULL, project_id INTEGER NOT NULL,
  source_project_id INTEGER NOT NULL, source_branch TEXT NOT NULL, target_branch TEXT NOT NULL,
  title TEXT NOT NULL,
  description TEXT NOT NULL, state TEXT NOT NULL, author TEXT NOT NULL,
  labels TEXT NOT NULL DEFAULT '[]',
  assignees TEXT NOT NULL DEFAULT '[]', reviewers TEXT NOT NULL DEFAULT '[]',
  notes_count INTEGER NOT NULL DEFAULT 0,
  sha TEXT, base_sha TEXT, changes_count INTEGER, conflicts INTEGER NOT NULL DEFAULT 0,
  prepared_at TEXT,
  pushed_at TEXT, merge_commit_sha TEXT, merged_at TEXT, merge_user TEXT, closed_at TEXT,
  closed_by TEXT,
  allow_collaboration INTEGER NOT NULL DEFAULT 0, remove_source_branch INTEGER NOT NULL DEFAULT 0,
  squash INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  memo TEXT NOT NULL DEFAULT '{}', UNIQUE (project_id, iid));
CREATE INDEX merge_requests_by_state ON merge_requests (state);
CREATE INDEX merge_requests_by_source ON merge_requests (source_project_id, source_branch);
CREATE INDEX merge_requests_by_author ON merge_requests (author);
CREATE TABLE approvals (
  merge_request_id INTEGER NOT NULL, username TEXT NOT NULL, created_at TEXT NOT NULL,
  PRIMARY KEY (merge_request_id, username)) WITHOUT ROWID;
CREATE TABLE pipelines (
  id INTEGER PRIMARY KEY AUTOINCREMENT, iid INTEGER NOT NULL, project_id INTEGER NOT NULL,
  merge_request_id INTEGER NOT NULL, sha TEXT NOT NULL, status TEXT NOT NULL, created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL);
CREATE INDEX pipelines_of ON pipelines (merge_request_id);
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, pipeline_id INTEGER NOT NULL, project_id INTEGER NOT NULL,
  name TEXT NOT NULL, status TEXT NOT NULL, log TEXT NOT NULL DEFAULT '', created_at TEXT NOT NULL,
  started_at TEXT, finished_at TEXT);
CREATE INDEX jobs_of ON jobs (pipeline_id);
"""
_PUSHES = """
CREATE TABLE pushes (
  id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, branch TEXT NOT NULL,
  author TEXT NOT NULL,
  commit_from TEXT, commit_to TEXT, commit_count INTEGER NOT NULL, commit_title TEXT,
  created_at TEXT NOT NULL);
CREATE INDEX pushes_of ON pushes (project_id);
"""
_ADDED = {0: _SCHEMA + _PUSHES, 1: _PUSHES}
"""What a world of an earlier format lacks; 0 is an empty file."""


def utc_now() -> datetime:
    """Return the current time, aware, in UTC: the clock that a `Store` uses unless it is given another."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Return `moment` as GitLab writes it (RFC 3339, UTC, milliseconds); such texts sort by time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _column(value: object) -> Value:
    if isinstance(value, datetime):
        return stamp(value)
    if value is None or isinstance(value, (str, int, float)):
        return value
    return msgspec.json.encode(value).decode()


class Database:
    """One connection to the file; safe to share between threads, each change in its own transaction."""

    def __init__(self, data_dir: Path, clock: Callable[[], datetime] = utc_now) -> None:
        """Open the file in `data_dir`, creating both where missing.

        Args:
            data_dir: the world's folder; nobody else may write in it meanwhile.
            clock: tells the time of everything that happens; must return aware datetimes.
        """
        self.data_dir = data_dir
        self._clock = clock
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(
            data_dir / "world.sqlite3", check_same_thread=False, isolation_level=None, timeout=10
        )
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("PRAGMA cache_size=-65536")
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version not in (*_ADDED, SCHEMA_VERSION):
            self._connection.close()
            raise StateError(
                "The practice world was made by another version of isexplore",
                f"{data_dir} holds format {version}; this version writes format {SCHEMA_VERSION}.",
                "Start it with --fresh to make a new world, or give another folder with --data.",
            )
        if version != SCHEMA_VERSION:
            with self.transaction():
                for statement in _ADDED[version].split(";\n"):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    def now(self) -> datetime:
        """Return the world's present moment."""
        return self._clock()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all changes inside happen together or not at all; may be nested."""
        with self._lock:
            if self._depth:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            else:
                self._connection.execute("COMMIT")
            finally:
                self._depth = 0

    def rows(self, kind: type[R], sql: str, values: Iterable[object] = ()) -> list[R]:
        """Return what a SELECT finds, as Structs; its columns must be the table's."""
        with self._lock:
            cursor = self._connection.execute(sql, [_column(value) for value in values])
            found = cursor.fetchall()
        if not found:
            return []
        names = [column[0] for column in cursor.description]
        json = [index for index, name in enumerate(names) if name in kind.json]
        return [msgspec.convert(_decoded(names, json, row), kind, strict=False) for row in found]

    def row(self, kind: type[R], sql: str, values: Iterable[object] = ()) -> R | None:
        """Return the first row that a SELECT finds, or None."""
        found = self.rows(kind, sql, values)
        return found[0] if found else None

    def scalar(self, sql: str, values: Iterable[object] = ()) -> Value:
        """Return the first column of the first row, or None."""
        with self._lock:
            found = self._connection.execute(sql, [_column(value) for value in values]).fetchone()
        return found[0] if found else None

    def number(self, sql: str, values: Iterable[object] = ()) -> int:
        """Return a count: the first column of the first row as an int, 0 when there is none."""
        return int(self.scalar(sql, values) or 0)

    def tuples(self, sql: str, values: Iterable[object] = ()) -> list[tuple[Value, ...]]:
        """Return what a SELECT finds, as it is."""
        with self._lock:
            return self._connection.execute(sql, [_column(value) for value in values]).fetchall()

    def execute(self, sql: str, values: Iterable[object] = ()) -> int:
        """Run one change; return how many rows it touched."""
        with self.transaction():
            return self._connection.execute(sql, [_column(value) for value in values]).rowcount

    def execute_many(self, sql: str, values: Iterable[tuple[Value, ...]]) -> None:
        """Run one change for each of many tuples of plain values."""
        with self.transaction():
            self._connection.executemany(sql, values)

    def insert(self, table: str, fields: Mapping[str, object]) -> int:
        """Insert one row; return its id."""
        names = ", ".join(fields)
        marks = ", ".join("?" * len(fields))
        with self.transaction():
            cursor = self._connection.execute(
                f"INSERT INTO {table} ({names}) VALUES ({marks})", [_column(v) for v in fields.values()]
            )
            return int(cursor.lastrowid or 0)

    def update(self, table: str, row_id: int, fields: Mapping[str, object]) -> None:
        """Change columns of one row."""
        changes = ", ".join(f"{name} = ?" for name in fields)
        self.execute(f"UPDATE {table} SET {changes} WHERE id = ?", [*fields.values(), row_id])

    def fact(self, key: str) -> str | None:
        """Return a remembered word of the world itself, or None."""
        found = self.scalar("SELECT value FROM facts WHERE key = ?", (key,))
        return None if found is None else str(found)

    def set_fact(self, key: str, value: str) -> None:
        """Remember a word of the world itself."""
        self.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (key, value))


def _decoded(names: list[str], json: list[int], row: tuple[Value, ...]) -> dict[str, object]:
    fields: dict[str, object] = dict(zip(names, row, strict=True))
    for index in json:
        fields[names[index]] = msgspec.json.decode(str(row[index]))
    return fields
