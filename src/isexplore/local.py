"""What needs no network: bookmarks, journeys on record, the catalog, searching, and what is new."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from isexplore.catalog.query import Found
from isexplore.catalog.store import Account, Catalog
from isexplore.config.accounts import accounts_of
from isexplore.config.bookmarks import EXPLORE, Bookmarks, Visits
from isexplore.config.files import StateFile
from isexplore.config.paths import Paths
from isexplore.config.schema import Config
from isexplore.errors import ConfigError, StateError, UsageError
from isexplore.journey.store import JourneyStore
from isexplore.models import ProjectRef, Verdict
from isexplore.text import age, word_start

if TYPE_CHECKING:
    from isexplore.catalog.facets import Completion
    from isexplore.catalog.issues import FirstIssue, FoundIssues
    from isexplore.catalog.news import News
    from isexplore.catalog.store import Row

QUERY_SECONDS = 0.014
"""How long a search may hold up the echo of a key: less than one frame of a screen with 60 a second.

A search that is cut short begins again in a thread, which takes twice as long until the rows are seen:
those of other orders at 100,000 projects end in 8 to 14 ms.
"""


class LocalServices:
    """The part of the services that reads and writes this machine only."""

    def __init__(self, paths: Paths, config: Config, *, practising: bool = False) -> None:
        """Take over the folders and the configuration.

        Args:
            paths: where the files are.
            config: the configuration, checked.
            practising: this is the practice world.
        """
        self.paths = paths
        self.config = config
        self.practising = practising
        self._reading_issues = Lock()
        self._mine: tuple[tuple[int, int], dict[tuple[str, str, int], int]] | None = None
        """Issues of my contributions, with the state file's version that they were read from."""

    # What is on disk

    @cached_property
    def state(self) -> StateFile:
        """Bookmarks, journeys, visits."""
        return StateFile(self.paths.state_file)

    @cached_property
    def bookmarks(self) -> Bookmarks:
        """Projects to find again."""
        return Bookmarks(self.state, id_of=lambda ref: self.catalog.id_of(*ref))

    @cached_property
    def visits(self) -> Visits:
        """When what was last looked at."""
        return Visits(self.state)

    @cached_property
    def journey_store(self) -> JourneyStore:
        """The records of contributions, readable without forge or git."""
        return JourneyStore(self.state)

    def accounts(self) -> list[Account]:
        """Return whose view of which forge the catalog holds."""
        return [Account(*each) for each in accounts_of(self.config)]

    def account_of(self, forge: str) -> Account | None:
        """Return whose view of a forge the catalog holds."""
        return next((one for one in self.accounts() if one.forge == forge), None)

    @cached_property
    def catalog(self) -> Catalog:
        """The local index."""
        return Catalog.open(self.paths.catalog_dir, self.accounts())

    # Searching: from disk, in the key path

    def search(self, text: str) -> Found:
        """Search the catalog.

        Raises:
            UsageError: an unknown filter or a bad value.
        """
        from isexplore.catalog.query import search

        return search(self.catalog, self.expanded(text), limit=30, deadline=QUERY_SECONDS, typing=True)

    def saved_searches(self) -> dict[str, str]:
        """Return the saved searches of the configuration by name; `@name` in a search stands for one."""
        return dict(self.config.searches)

    def expanded(self, text: str, *, typing: bool = True) -> str:
        """Return a search with `@name` replaced by what it stands for.

        Args:
            text: as typed.
            typing: somebody still types at the end: a name there may be unfinished.

        Raises:
            UsageError: no saved search has the name.
        """
        if "@" not in text:
            return text
        from isexplore.catalog.language import expand

        return expand(text, self.config.searches, typing=typing)

    def why(self, row: Row) -> tuple[str, ...]:
        """Return why a project stands where it stands among the others, strongest reason first."""
        return row.reasons()

    # What is new

    @cached_property
    def last_visit(self) -> int | None:
        """When the catalog was last looked at before now, in seconds since 1970; None for never."""
        return self.visits.last_second(EXPLORE)

    def is_new(self, seen: Row | FirstIssue) -> bool:
        """Tell whether a project or a first issue turned up since the last visit."""
        return (
            self.last_visit is not None and seen.first_seen is not None and seen.first_seen > self.last_visit
        )

    def news(self) -> News:
        """Return what turned up since the last visit; its `words` are for a status line."""
        from isexplore.catalog.news import news

        return news(self.catalog, self.last_visit, [one.ref for one in self.bookmarks.list()])

    def end_visit(self) -> None:
        """Note that the catalog was looked at until now; to be called on leaving, so that marks stay until then.

        Where it cannot be noted, what is new stays new.
        """
        with suppress(StateError):
            # Whoever quits does not wait for another isexplore.
            self.visits.mark(EXPLORE, patience=0.1)

    def search_to_the_end(self, text: str) -> Found:
        """Search however long it takes: for a thread, after a search that its deadline cut short.

        Raises:
            UsageError: an unknown filter or a bad value.
        """
        from isexplore.catalog.query import search

        with self.catalog.again() as own:
            found = search(own, self.expanded(text), limit=30, typing=True)
        return found.rebound(self.catalog)

    def find_all(self, found: Found) -> Found:
        """Return a result of which every hit is known. Takes long where there are many: for a thread."""
        with self.catalog.again() as own:
            complete = found.rebound(own)
            complete.count()
        return complete.rebound(self.catalog)

    def complete(self, text: str, cursor: int) -> list[str]:
        """Return completions of the word at the cursor, best first."""
        from isexplore.catalog.facets import completions

        return self._saved_at(text, cursor) or _words(text, cursor, completions(self.catalog, text, cursor))

    def _saved_at(self, text: str, cursor: int) -> list[str]:
        begin = word_start(text, cursor)
        typed = text[begin:cursor]
        if not typed.startswith("@"):
            return []
        return [f"@{name}" for name in self.config.searches if name.lower().startswith(typed[1:].lower())]

    def complete_issues(self, text: str, cursor: int) -> list[str]:
        """Return completions of the word at the cursor, for a search of issues."""
        from isexplore.catalog.facets import completions
        from isexplore.catalog.issues import ISSUE_FILTERS

        return self._saved_at(text, cursor) or _words(
            text, cursor, completions(self.catalog, text, cursor, filters=ISSUE_FILTERS)
        )

    def first_issues_of(self, ref: ProjectRef) -> list[FirstIssue]:
        """Return the good first issues of one project that the catalog knows, free ones first."""
        from isexplore.catalog.issues import YOURS, issues_of

        store = self.catalog.store(ref.forge)
        mine = self._my_issues()
        kept = issues_of(store, ref.path) if store is not None else []
        found = [issue for issue in kept if issue.still_offered(mine)]
        order = [
            verdict.value for verdict in (Verdict.FREE, Verdict.UNKNOWN, Verdict.STALE, Verdict.MAYBE_TAKEN)
        ] + [YOURS]
        return sorted(found, key=lambda issue: order.index(issue.verdict))

    def first_issues(
        self, text: str, *, limit: int = 30, typing: bool = True, deadline: float | None = None
    ) -> FoundIssues:
        """Search the first issues of all projects.

        Args:
            text: words and filters.
            limit: how many to read at once.
            typing: somebody still types: the last filter may be unfinished.
            deadline: seconds that it may take; more is done by `first_issues_to_the_end`.

        Raises:
            UsageError: an unknown filter or a bad value.
        """
        from isexplore.catalog.issues import first_issues

        return first_issues(
            self.catalog,
            self.expanded(text, typing=typing),
            limit=limit,
            typing=typing,
            mine=self._my_issues(),
            deadline=deadline,
        )

    def first_issues_to_the_end(self, late: FoundIssues) -> FoundIssues:
        """Search first issues however long it takes: for a thread, after a search that was late or is outdated."""
        from isexplore.catalog.issues import first_issues

        catalog = late.catalog
        # One after the other: who types fast would have them read as often as there are keys.
        with self._reading_issues, catalog.again() as own:
            kept = catalog.first_issues
            if kept is not None and kept[0] == late.revision:
                own.first_issues = (own.revision(), kept[1])
            elif kept is not None:
                own.first_issues = ((), kept[1])
            found = first_issues(own, late.query.text, limit=0, typing=True, mine=self._my_issues())
            if found.index is not None:
                catalog.first_issues = (late.revision, found.index)
        return found.rebound(catalog)

    def _my_issues(self) -> dict[tuple[str, str, int], int]:
        """Return the issues of my contributions, each with when that ended, 0 while it runs; asked at every key."""
        try:
            now = self.state.path.stat()
        except OSError:
            return {}
        version = (now.st_mtime_ns, now.st_size)
        if self._mine is None or self._mine[0] != version:
            found: dict[tuple[str, str, int], int] = {}
            for journey in reversed(self.journey_store.list()):
                if journey.issue is not None:
                    moment = int(journey.updated_at.timestamp()) if journey.updated_at else 0
                    key = (journey.forge, journey.project, journey.issue)
                    if found.get(key) != 0:
                        found[key] = 0 if journey.outcome is None else max(1, moment)
            self._mine = (version, found)
        return self._mine[1]

    def faults(self) -> list[tuple[str, str]]:
        """Return the forges that could not be read to the end, with the reasons; not those that only wait for it."""
        from isexplore.catalog.store import faults

        return faults(self.catalog.incomplete())

    def catalog_size(self) -> int:
        """Return how many projects the catalog has."""
        return self.catalog.count()

    def reopen_catalog(self) -> None:
        """Look at the catalog's files anew, after a refresh by another process."""
        fresh = self.catalog.again()
        if self.catalog.first_issues is not None:
            # Of before, but shown until they have been read anew; most of their texts are the same.
            fresh.first_issues = ((), self.catalog.first_issues[1])
        self.catalog.close()
        self.__dict__["catalog"] = fresh

    def catalog_is_being_filled(self) -> bool:
        """Tell whether some forge's projects have never been listed to the end."""
        return self.catalog.as_of() is None

    def catalog_is_old(self) -> bool:
        """Tell whether the catalog should be refreshed without being asked to."""
        as_of = self.catalog.as_of()
        return as_of is None or time.time() - as_of >= self.config.refresh_after

    @property
    def editor(self) -> tuple[str, ...]:
        """The editor that the configuration names, as a command; empty when it names none."""
        import shlex

        try:
            return tuple(shlex.split(self.config.editor or ""))
        except ValueError:
            return ()

    def place_words(self) -> str:
        """Return where the data is from, and how old it is: "git.agency.example · 4 minutes ago"."""
        names = ", ".join(forge.name for forge in self.config.forges) or "no forge"
        name = "practice forge" if self.practising else names
        as_of = self.catalog.as_of()
        if as_of is None:
            return name
        words = age(max(0.0, time.time() - as_of))
        return f"{name} · {words if words == 'just now' else words + ' ago'}"

    def resolve(self, text: str) -> ProjectRef:
        """Return the project that a person named: `group/name`, a URL, or an unambiguous end of one.

        Raises:
            UsageError: several projects end like that, or nothing is known that the name could mean.
        """
        found = self.catalog.resolve(text)
        if len(found) == 1:
            return ProjectRef(found[0].forge, found[0].path)
        if found:
            raise UsageError(
                f"{text} may mean several projects",
                "\n".join(f"{row.forge}: {row.path}" for row in found[:8]),
                "Name one of them in full.",
            )
        return self._not_in_catalog(text)

    def knows(self, ref: ProjectRef) -> bool:
        """Whether the catalog has a project."""
        return self.catalog.project(*ref) is not None

    def near_words(self, path: str) -> str:
        """Return "Did you mean docs/welcome?" for a path that the catalog does not have; "" where none is near."""
        if self.catalog.resolve(path):
            return ""
        near = self.catalog.nearest(path)
        return f"Did you mean {near}?" if near else ""

    def _not_in_catalog(self, text: str) -> ProjectRef:
        if not self.config.forges:
            raise ConfigError(
                "No forge is connected yet",
                "",
                "isexplore login URL connects to one; isexplore practice needs none.",
            )
        wanted = text.strip().rstrip("/").removesuffix(".git")
        if "://" in wanted:
            for forge in self.config.forges:
                if wanted.startswith(forge.url.rstrip("/") + "/"):
                    path = wanted[len(forge.url.rstrip("/")) + 1 :].split("/-/")[0]
                    return ProjectRef(forge.name, path)
            raise UsageError(
                f"{text} is on no forge that is connected",
                "Connected: " + ", ".join(forge.url for forge in self.config.forges),
                "isexplore login URL connects to another one.",
            )
        if "/" in wanted and len(self.config.forges) == 1:
            return ProjectRef(self.config.forges[0].name, wanted.strip("/"))
        raise UsageError(
            f"No project in the catalog is called {text}",
            "",
            "isexplore search finds it by its words; isexplore sync asks the forges for new ones.",
        )

    def page_of(self, ref: ProjectRef) -> str | None:
        """Return the web page of a project that the catalog knows."""
        row = self.catalog.project(*ref)
        return row.url if row else None


def _words(text: str, cursor: int, found: Sequence[Completion]) -> list[str]:
    """Return completions as whole words: what stands before the changed part belongs to the word too."""
    begin = word_start(text, cursor)
    return [text[begin : one.start] + one.text for one in found if one.start >= begin]
