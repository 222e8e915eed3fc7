"""The record of journeys in the state file: which project, fork, folder and merge request belong together.

The record is never the truth about progress (that is read from the forge and git); it names where to look.
Each journey is one table, `[journeys.<id>]`; keys that this version does not know are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct, structs

from isexplore.config.files import StateFile
from isexplore.errors import StateError, UsageError
from isexplore.models import ProjectRef
from isexplore.text import clean_line

KEY = "journeys"

Claim = Literal["assign", "comment", "skip"]
Outcome = Literal["merged", "closed"]


class Journey(Struct, frozen=True, kw_only=True):
    """One contribution, from a project to its merge."""

    id: str
    """Readable and unique in the state file: "payments-retry-queue-41"."""
    forge: str
    project: str
    """Path of the project that is contributed to."""
    project_id: str = ""
    issue: int | None = None
    issue_title: str = ""
    fork: str = ""
    """Path of the project that is pushed to; the project itself where no fork is needed."""
    fork_id: str = ""
    folder: str = ""
    """Absolute path of the clone."""
    checkout_failed: bool = False
    """The clone is complete but not all files could be written: missing ones are no change of the user's."""
    branch: str = ""
    merge_request: int | None = None
    commit_message: str = ""
    title: str = ""
    body: str = ""
    draft: bool = False
    claim: Claim | None = None
    """How the issue was claimed; None before."""
    outcome: Outcome | None = None
    """How it ended when it was last looked at; an ended journey is not adopted by a new start."""
    intent: datetime | None = None
    """When a merge request was sent whose answer never arrived; None once the answer is known."""
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def ref(self) -> ProjectRef:
        """The project."""
        return ProjectRef(self.forge, self.project)


def _identifier(project: str, issue: int | None, taken: Iterable[str]) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", project.lower()).strip("-") or "journey"
    base = words if issue is None else f"{words}-{issue}"
    names = set(taken)
    number = 2
    name = base
    while name in names:
        name = f"{base}-v{number}"
        number += 1
    return name


def _table(journey: Journey) -> dict[str, Any]:
    return {
        key: value
        for key, value in structs.asdict(journey).items()
        if key != "id" and value is not None and value != ""
    }


def _tables(state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    tables = state.get(KEY)
    return {k: v for k, v in tables.items() if isinstance(v, dict)} if isinstance(tables, dict) else {}


def _journey(name: str, table: dict[str, Any]) -> Journey | None:
    try:
        return msgspec.convert({**table, "id": name}, Journey)
    except msgspec.ValidationError:
        return None


class JourneyStore:
    """Journeys in a state file, safe against other processes that use the same file."""

    def __init__(self, state: StateFile, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._state = state
        self._clock = clock

    def list(self) -> list[Journey]:
        """Return all journeys, latest change first.

        What cannot be understood is left alone, and told in the state file's `notice`.
        """
        state = self._state.read()
        found, odd = [], []
        for name, table in _tables(state).items():
            journey = _journey(name, table)
            if journey is None:
                odd.append(name)
            else:
                found.append(journey)
        if not isinstance(state.get(KEY, {}), dict):
            self._state.notice = (
                f"“{KEY}” in {self._state.path} is not a table, so your contributions are not shown. "
                "Rename or remove that line."
            )
        elif odd:
            self._state.notice = (
                f"Contributions in {self._state.path} that cannot be understood are not shown: "
                f"{clean_line(', '.join(odd), 200)}. They stay as they are in the file."
            )
        oldest = datetime.min.replace(tzinfo=UTC)
        return sorted(found, key=lambda one: one.updated_at or oldest, reverse=True)

    def get(self, journey_id: str) -> Journey:
        """Return one journey.

        Raises:
            UsageError: there is none with this id.
        """
        table = _tables(self._state.read()).get(journey_id)
        journey = None if table is None else _journey(journey_id, table)
        if journey is None:
            raise UsageError(f"There is no journey “{journey_id}”", "", "`isexplore status` lists them")
        return journey

    def start(self, wanted: Journey, matches: Callable[[Journey], bool]) -> Journey:
        """Return the first journey that `matches`, or else write `wanted` under a free id and return it.

        Both happen under the state file's lock, so that two processes end up with one journey.

        Raises:
            StateError: the file cannot be changed.
        """
        with self._state.edit() as state:
            tables = state.setdefault(KEY, {})
            if not isinstance(tables, dict):
                raise StateError(
                    "The record of your contributions cannot be used",
                    f"“{KEY}” in {self._state.path} is not a table",
                    "Rename or remove that line, then try again",
                )
            known = [
                journey
                for name, table in _tables(state).items()
                if (journey := _journey(name, table)) is not None
            ]
            for journey in known:
                if matches(journey):
                    return journey
            now = self._clock()
            journey = structs.replace(
                wanted,
                id=_identifier(wanted.project, wanted.issue, tables),
                created_at=now,
                updated_at=now,
            )
            tables[journey.id] = _table(journey)
            return journey

    def update(self, journey_id: str, changes: dict[str, Any]) -> Journey:
        """Change single fields and return the journey as it is then.

        Raises:
            UsageError: the journey is gone.
        """
        with self._state.edit() as state:
            table = _tables(state).get(journey_id)
            before = None if table is None else _journey(journey_id, table)
            if table is None or before is None:
                raise UsageError(f"There is no journey “{journey_id}”", "", "`isexplore status` lists them")
            after = structs.replace(before, **changes, updated_at=self._clock())
            for key in changes:
                table.pop(key, None)
            known = _table(after)
            table.update({key: known[key] for key in (*changes, "updated_at") if key in known})
            return after

    def forget(self, journey_id: str) -> None:
        """Drop the record; nothing on the forge or on disk changes."""
        with self._state.edit() as state:
            tables = state.get(KEY)
            if isinstance(tables, dict):
                tables.pop(journey_id, None)


def same_folder(one: str, other: Path) -> bool:
    """Return whether a recorded folder is `other`, whatever links lead there."""
    return bool(one) and Path(one).expanduser().resolve() == other.expanduser().resolve()


def root_of_clones(journey: Journey) -> Path | None:
    """Return the folder below which the clone has the path of its project; None where it has a place of its own."""
    folder = Path(journey.folder)
    parts = tuple(journey.project.split("/"))
    if not folder.is_absolute() or folder.parts[-len(parts) :] != parts:
        return None
    return folder.parents[len(parts) - 1]
