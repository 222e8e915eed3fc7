"""One account's catalog file, open for writing: transactions, and its failures in words."""

from __future__ import annotations

import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

from isexplore.catalog import schema
from isexplore.catalog.store import Account
from isexplore.errors import StateError

_NOT_ALLOWED = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


class Database:
    """One account's file, open for writing by one thread at a time.

    A program that is killed inside `transaction` leaves the file as it was before.
    """

    def __init__(
        self,
        account: Account,
        folder: str,
        *,
        clock: Callable[[], float] = time.time,
        remake: bool = True,
    ) -> None:
        """Open the file, making it anew when it is missing, broken or of another version.

        Args:
            account: whose view of which forge it holds.
            folder: where it is.
            clock: seconds since 1970.
            remake: False leaves a broken one, or one of another version, to the next sync, which fills it
                again: an isexplore of that version may be using it.

        Raises:
            StateError: it cannot be made, for want of space or permission, or is not to be remade.
        """
        self.account = account
        self.path = os.path.join(folder, account.file_name)
        self.clock = clock
        try:
            opened = schema.open_for_writing(self.path, remake=remake)
        except schema.NotAsItShouldBeError as error:
            raise StateError(
                f"The catalog file {error}", self.path, "isexplore sync makes it anew."
            ) from error
        except (sqlite3.Error, OSError) as error:
            raise self._state_error(error) from error
        self.connection = opened.connection
        self.notice = opened.notice
        """What the user should know about how the file was found, or None."""
        with self.transaction():
            self.note("forge", account.forge)
            self.note("url", account.url)
            self.note("username", account.username)
            if self.fact("begun") is None:
                # Tells this file from one that takes its place.
                self.note("begun", uuid.uuid4().hex)

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _state_error(self, error: Exception) -> StateError:
        name = os.path.basename(self.path)
        primary = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        if primary == sqlite3.SQLITE_FULL:
            return StateError(
                "The disk is full, so the catalog cannot be refreshed",
                f"{self.path}: {error}",
                "Free some space, or point ISEXPLORE_CACHE_DIR at another disk; search goes on working.",
            )
        if primary in _NOT_ALLOWED or isinstance(error, PermissionError):
            return StateError(
                "The catalog cannot be written",
                f"{self.path}: {error}",
                "Make the folder writable, or point ISEXPLORE_CACHE_DIR at one that is.",
            )
        if primary == sqlite3.SQLITE_BUSY:
            return StateError(
                "Another isexplore is writing the catalog",
                f"{name} stayed locked",
                "Try again when the other one has finished.",
            )
        return StateError(
            "The catalog cannot be written",
            f"{self.path}: {error}",
            "Try again. The catalog holds nothing of yours alone: deleting the file rebuilds it.",
        )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Do all or nothing.

        Raises:
            StateError: the disk is full, the file is locked, read-only or broken.
        """
        with self.reading():
            try:
                self.connection.execute("BEGIN IMMEDIATE")
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                self._give_up()
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Tell in words what goes wrong in reading.

        Raises:
            StateError: the file is locked or broken.
        """
        try:
            yield self.connection
        except sqlite3.DatabaseError as error:
            if schema.is_damage(error):
                schema.note_damage(self.path)
                raise StateError(
                    "The catalog file is damaged",
                    f"{self.path}: {error}",
                    "Sync again: the forge has it all. Bookmarks and contributions are kept elsewhere.",
                ) from error
            raise self._state_error(error) from error

    def ask(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a statement.

        Raises:
            StateError: the file is locked or broken.
        """
        with self.reading() as db:
            return db.execute(statement, tuple(values)).fetchall()

    def _give_up(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def note(self, name: str, value: object) -> None:
        """Note something about the file, inside a transaction."""
        self.connection.execute("INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)", (name, value))

    def fact(self, name: str) -> object:
        """Return something noted about the file, or None."""
        found = self.ask("SELECT value FROM fact WHERE name = ?", (name,))
        return found[0][0] if found else None

    def number(self, name: str) -> int:
        """Return a number noted about the file, 0 for none."""
        value = self.fact(name)
        return value if isinstance(value, int) else 0

    def set_facts(self, **facts: str | int | None) -> None:
        """Note things about the file."""
        with self.transaction():
            for name, value in facts.items():
                self.note(name, value)
