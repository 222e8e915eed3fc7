"""Bookmarks and last visits in `state.toml`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from isexplore.config.files import StateFile
from isexplore.errors import StateError
from isexplore.text import clean_line

# Searching looks up the last visit here, and must not wait for the models to be loaded.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from isexplore.models import Bookmark, ProjectRef

_KEY = "bookmarks"
_VISITS = "visits"
EXPLORE = "explore"
"""Under which name the last look at the catalog is noted."""
MAX_NOTE = 2_000
"""Characters kept of a note."""


def _now() -> datetime:
    return datetime.now(UTC)


class Bookmarks:
    """Projects that somebody wants to find again, in the order they were added.

    Entries that were edited by hand into something else are skipped, and kept in the file.
    """

    def __init__(
        self,
        state: StateFile,
        *,
        now: Callable[[], datetime] = _now,
        id_of: Callable[[ProjectRef], str] = lambda ref: "",
    ) -> None:
        """Keep bookmarks in `state`.

        Args:
            state: the file.
            now: the clock.
            id_of: knows the forge's id of a project; "" where it does not.
        """
        self._state = state
        self._now = now
        self._id_of = id_of

    def list(self) -> list[Bookmark]:
        """Return all bookmarks, oldest first."""
        found = (_bookmark(entry) for entry in _entries(self._state.read()))
        return [bookmark for bookmark in found if bookmark is not None]

    def get(self, ref: ProjectRef) -> Bookmark | None:
        """Return the bookmark of a project, or None."""
        return next((bookmark for bookmark in self.list() if bookmark.ref == ref), None)

    def add(self, ref: ProjectRef, note: str | None = None, tags: tuple[str, ...] | None = None) -> Bookmark:
        """Bookmark a project, or give its bookmark this note and these tags; return the bookmark.

        Args:
            ref: the project.
            note: one line; None keeps the one there is.
            tags: None keeps those there are.

        Raises:
            StateError: it could not be saved, or what the file calls bookmarks is no list; it is as it was.
        """
        with self._state.edit() as state:
            if not isinstance(state.get(_KEY, []), list):
                raise StateError(
                    "The bookmarks cannot be added to",
                    f"“{_KEY}” in {self._state.path} is not a list of tables",
                    "Write them as [[bookmarks]], or rename that part, then try again.",
                )
            entries = _entries(state)
            state[_KEY] = entries
            entry = next((entry for entry in entries if _ref(entry) == ref), None)
            if entry is None:
                entry = {"forge": ref.forge, "path": ref.path, "added_at": self._now().replace(microsecond=0)}
                entries.append(entry)
            if not entry.get("id") and (known := self._id_of(ref)):
                entry["id"] = known
            if note is not None:
                entry["note"] = clean_line(note, MAX_NOTE)
            if tags is not None:
                entry["tags"] = [clean_line(tag, 100) for tag in tags]
            bookmark = _bookmark(entry)
        assert bookmark is not None
        return bookmark

    def remove(self, ref: ProjectRef) -> bool:
        """Remove the bookmark of a project; return whether there was one.

        Raises:
            StateError: it could not be saved.
        """
        if self.get(ref) is None:
            return False
        with self._state.edit() as state:
            entries = _entries(state)
            state[_KEY] = [entry for entry in entries if _ref(entry) != ref]
            return len(state[_KEY]) < len(entries)

    def rename(self, old: ProjectRef, new: ProjectRef) -> bool:
        """Follow a project that moved; return whether it was bookmarked.

        Where the new place is bookmarked already, the two become one, with the note of either.

        Raises:
            StateError: it could not be saved.
        """
        if self.get(old) is None:
            return False
        with self._state.edit() as state:
            entries = _entries(state)
            moved = [entry for entry in entries if _ref(entry) == old]
            there = next((entry for entry in entries if _ref(entry) == new), None)
            if there is None:
                moved[0]["forge"], moved[0]["path"] = new
                return True
            for name in ("note", "tags", "id"):
                if not there.get(name) and moved[0].get(name):
                    there[name] = moved[0][name]
            state[_KEY] = [entry for entry in entries if entry not in moved]
        return True

    def note_ids(self, ids: Mapping[ProjectRef, str]) -> None:
        """Write down the forge's ids of bookmarked projects; those that are not bookmarked are left out.

        Raises:
            StateError: it could not be saved.
        """
        with self._state.edit() as state:
            for entry in _entries(state):
                ref = _ref(entry)
                if ref is not None and ref in ids:
                    entry["id"] = ids[ref]


class Visits:
    """When somebody last looked at something, for "new since then"."""

    def __init__(self, state: StateFile, *, now: Callable[[], datetime] = _now) -> None:
        self._state = state
        self._now = now

    def last(self, what: str) -> datetime | None:
        """Return when `what` (a screen, or a project's `forge:path`) was last looked at (UTC), or None."""
        visits = self._state.read().get(_VISITS)
        return _moment(visits.get(what)) if isinstance(visits, dict) else None

    def last_second(self, what: str) -> int | None:
        """Return what `last` does in seconds since 1970."""
        moment = self.last(what)
        return int(moment.timestamp()) if moment is not None else None

    def mark(self, what: str, *, patience: float | None = None) -> None:
        """Note that `what` was looked at now.

        Args:
            what: a screen, or a project's `forge:path`.
            patience: seconds to wait for another instance that writes; None for the usual time.

        Raises:
            StateError: it could not be saved.
        """
        with self._state.edit(patience=patience) as state:
            visits = state.get(_VISITS)
            if not isinstance(visits, dict):
                visits = {}
            visits[what] = self._now().replace(microsecond=0)
            state[_VISITS] = visits


def _entries(state: dict[str, Any]) -> list[Any]:
    entries = state.get(_KEY)
    return entries if isinstance(entries, list) else []


def _ref(entry: Any) -> ProjectRef | None:
    from isexplore.models import ProjectRef

    if not isinstance(entry, dict):
        return None
    forge, path = entry.get("forge"), entry.get("path")
    return ProjectRef(forge, path) if isinstance(forge, str) and isinstance(path, str) else None


def _bookmark(entry: Any) -> Bookmark | None:
    from isexplore.models import Bookmark

    ref = _ref(entry)
    if ref is None:
        return None
    note, tags = entry.get("note"), entry.get("tags")
    return Bookmark(
        forge=ref.forge,
        path=ref.path,
        note=clean_line(note, MAX_NOTE) if isinstance(note, str) else "",
        tags=tuple(clean_line(tag, 100) for tag in tags if isinstance(tag, str))
        if isinstance(tags, list)
        else (),
        added_at=_moment(entry.get("added_at")),
        id=entry["id"] if isinstance(entry.get("id"), str) else "",
    )


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
