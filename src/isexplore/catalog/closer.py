"""What a sync learns beyond the listing: languages, good first issues, and a closer look at some projects.

Only what changed or is due is asked for. The languages of all projects come by the hundred where the forge
tells them so, first issues by one question for all of it or for a group; closer looks, which cost several
requests each, go on with the next best projects once an hour.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from functools import partial

from isexplore.catalog import across, coverage
from isexplore.catalog.desk import Desk
from isexplore.catalog.enrich import Look, Looker, Reading
from isexplore.catalog.pace import Pace
from isexplore.catalog.shelf import JudgedIssue
from isexplore.catalog.together import together
from isexplore.catalog.write import Details
from isexplore.errors import ForgeError
from isexplore.forge.base import LANGUAGES_AT_ONCE, BulkLanguages, GroupIssues
from isexplore.models import Project

LOOK_AGAIN = 7 * 86_400
"""Seconds after which an unchanged project is looked at again."""
LOOK_ON_EVERY = 3_600
"""Seconds after which a sync goes on with projects that wait for a look though nothing happened in them."""
_FIRST_ISSUES_AGAIN = 86_400
"""Seconds after which all first issues are asked for again, though no listing has come to its end since."""
_LANGUAGES_AGAIN = 30 * 86_400
"""Seconds after which the languages of a project that changed are asked for again."""
_LOOKS_AT_ONCE_WRITTEN = 25
_LANGUAGES_AT_ONCE_WRITTEN = 10
"""Questions for languages whose answers are written together."""
_GROUPS = "first_issues_groups"
"""Fact: of each group when it was asked for first issues (seconds since 1970), and whether it told all."""
_ROUND = "first_issues_round"
"""Fact: since when groups are asked one after the other; 0 when that has come to an end."""
_EVERYWHERE = "first_issues_at"
"""Fact: when the forge last told the first issues of all projects."""
_ASKED = "first_issues_asked_at"
"""Fact: when it was last asked for them, and answered whatever it did."""
_LOOKED_ON = "looked_on_at"
"""Fact: when a sync last went on with the projects that wait for a closer look."""


class Closer:
    """Learns more about the projects of one forge."""

    def __init__(self, desk: Desk, reading: Reading) -> None:
        """Prepare.

        Args:
            desk: what the sync's parts share.
            reading: the rules.
        """
        self._desk = desk
        self._reading = reading
        self._looker = Looker(desk.source.forge, reading, desk.pause)
        self._learnt = False

    async def run(self, *, full: bool) -> None:
        """Learn what is due; what fails is in the tally.

        Args:
            full: everything has just been listed, to its end.
        """
        if not self._desk.options.looks:
            # What somebody keeps is looked at all the same.
            await self._look_closer(full=full)
            return
        before = len(self._desk.tally.failures)
        await self._ask_languages(full=full)
        await self._look_closer(full=full)
        if len(self._desk.tally.failures) == before:
            await self._ask_across(full=full)
        if full or self._learnt or self._desk.tally.changed:
            await self._desk.write(self._note_coverage)

    # Languages

    async def _ask_languages(self, *, full: bool) -> None:
        desk, forge = self._desk, self._desk.source.forge
        if not isinstance(forge, BulkLanguages):
            return
        again = int(desk.clock()) - _LANGUAGES_AGAIN if full else None
        due = await desk.write(lambda: desk.writer.without_languages(again))
        if not due:
            return
        parts = iter([due[at : at + LANGUAGES_AT_ONCE] for at in range(0, len(due), LANGUAGES_AT_ONCE)])
        desk.pace = Pace()
        found: dict[str, Sequence[str]] = {}
        written = asyncio.Lock()
        stopped: list[ForgeError] = []
        done = 0

        async def write(least: int) -> None:
            async with written:
                if len(found) >= least:
                    some = dict(found)
                    found.clear()
                    await desk.write(lambda: desk.writer.put_languages(some))

        async def ask(part: Sequence[str]) -> None:
            nonlocal done
            try:
                async with desk.places:
                    found.update(await desk.pause.ask(partial(forge.languages_of, part)))
            except ForgeError as error:
                stopped.append(error)
                return
            done += len(part)
            desk.tell("languages", done, len(due))
            await write(_LANGUAGES_AT_ONCE_WRITTEN * LANGUAGES_AT_ONCE)

        async def lane() -> None:
            for part in parts:
                if stopped:
                    return
                await ask(part)

        try:
            # One alone, as a forge that refuses is asked at every sync.
            await ask(next(parts))
            await together([lane() for _ in range(max(1, desk.options.concurrency))])
        finally:
            await write(1)
        self._learnt = True
        if done:
            await desk.write(desk.writer.finish)
        if stopped and not isinstance(stopped[0], across.REFUSED):
            # Where GraphQL is closed, nothing failed: the closer looks tell languages one by one.
            desk.tally.fail("languages", stopped[0])

    # Closer looks

    async def _look_closer(self, *, full: bool) -> None:
        desk = self._desk
        forge = desk.source.account.forge
        kept = [ref.path for ref in desk.options.kept if ref.forge == forge]
        now = int(desk.clock())
        go_on = full or now - desk.database.number(_LOOKED_ON) >= LOOK_ON_EVERY
        due = await desk.write(
            lambda: desk.writer.projects_to_enrich(
                desk.options.looks, first=kept, older_than=now - LOOK_AGAIN, only_news=not go_on
            )
        )
        stopped = await self._look_at(due, kept) if due else None
        if stopped is not None:
            desk.tally.fail("details", stopped)
        elif go_on:
            await desk.write(lambda: desk.database.set_facts(**{_LOOKED_ON: now}))

    async def _look_at(self, due: Sequence[Project], kept: Sequence[str]) -> ForgeError | None:
        """Look at projects; return what made the forge stop answering."""
        desk = self._desk
        desk.pace = Pace()
        self._learnt = True
        looks: list[Look] = []
        written = asyncio.Lock()
        stopped: list[ForgeError] = []

        async def look(project: Project) -> None:
            async with desk.places:
                if stopped:
                    return
                try:
                    found = await self._looker.look(project, shelve=project.path in kept)
                except ForgeError as error:
                    stopped.append(error)
                    return
            looks.append(found)
            desk.tally.enriched += 1
            desk.tally.skipped += found.refused
            desk.tell("details", desk.tally.enriched, len(due))
            async with written:
                if len(looks) >= _LOOKS_AT_ONCE_WRITTEN:
                    await self._keep(looks)

        try:
            await together([look(project) for project in due])
        finally:
            await self._keep(looks)
        await desk.write(desk.writer.finish)
        return stopped[0] if stopped else None

    async def _keep(self, looks: list[Look]) -> None:
        batch = looks[:]
        looks.clear()
        if batch:
            await self._desk.write(lambda: self._keep_now(batch))

    def _keep_now(self, batch: Sequence[Look]) -> None:
        shelf = self._desk.shelf
        for look in batch:
            if look.issues is not None:
                shelf.put_issues(look.project.id, look.issues)
            if look.documents is not None:
                shelf.put_documents(look.project.id, look.documents)
        self._desk.writer.enrich((look.project.id, look.details) for look in batch)

    # First issues of many projects

    async def _ask_across(self, *, full: bool) -> None:
        """Learn about the first issues of projects whose turn for a closer look has not come."""
        desk, forge = self._desk, self._desk.source.forge
        if not isinstance(forge, GroupIssues):
            return
        now = int(desk.clock())
        anew = full or now - desk.database.number(_ASKED) >= _FIRST_ISSUES_AGAIN
        if not (anew or desk.database.number(_ROUND)):
            return
        projects = await desk.write(desk.writer.never_looked_at)
        self._learnt = True
        facts: dict[str, str | int] = {_ASKED: now, _ROUND: 0, coverage.ISSUES_CUT: ""}
        if not projects:
            # All have been looked at: that told more than a list of issues would.
            await desk.write(lambda: desk.database.set_facts(**facts))
            return
        known = await desk.write(desk.shelf.issue_labels)
        try:
            if anew and not await self._ask_everywhere(forge, projects, known):
                # What groups are asked for, they are asked for anew.
                await desk.write(partial(desk.database.set_facts, **(facts | {_ROUND: now})))
            if desk.database.number(_ROUND):
                await self._ask_groups(forge, projects, known)
        except ForgeError as error:
            desk.tally.fail("first issues", error)

    async def _ask_everywhere(
        self, forge: GroupIssues, projects: Mapping[str, str], known: Sequence[str]
    ) -> bool:
        """Ask for the first issues of the whole forge; return whether it told them."""
        desk = self._desk
        if desk.source.groups:
            # A part of a forge is smaller than all of it, by as much as nobody knows.
            return False
        now = int(desk.clock())
        told = await across.ask_everywhere(forge, self._reading, desk.pause, projects, known=known)
        if told is None:
            return False
        before = await desk.write(self._known_before)
        for part in across.in_parts(told.issues):
            await desk.write(partial(self._keep_issues, part, before))
        facts: dict[str, str | int] = {
            _EVERYWHERE: now,
            _ASKED: now,
            _ROUND: 0,
            _GROUPS: "",
            coverage.ISSUES_CUT: "\n".join(told.cut),
        }
        await desk.write(lambda: desk.database.set_facts(**facts))
        return True

    async def _ask_groups(
        self, forge: GroupIssues, projects: Mapping[str, str], known: Sequence[str]
    ) -> None:
        """Ask the next groups; those asked longest ago, or never, come first."""
        desk = self._desk
        begun = desk.database.number(_ROUND)
        asked = _asked_groups(desk.database.fact(_GROUPS))
        wanted = across.groups_worth_asking(list(projects), desk.source.groups)
        waiting = [group for group in wanted if asked.get(group, (0, False))[0] < begun]
        waiting.sort(key=lambda group: asked.get(group, (0, False))[0])
        turn = waiting[: across.GROUPS]
        answers = across.ask_groups(forge, self._reading, desk.pause, projects, turn, known=known)
        told = 0
        before = await desk.write(self._known_before)
        async for answer in answers:
            await desk.write(partial(self._keep_issues, answer.issues, before))
            asked[answer.group] = (int(desk.clock()), answer.whole)
            told += 1
            await desk.write(partial(desk.database.set_facts, **{_GROUPS: json.dumps(asked)}))
        if told == len(waiting):
            await desk.write(lambda: desk.database.set_facts(**{_ROUND: 0}))

    def _known_before(self) -> dict[str, int]:
        """Return the number of first issues that the row of a project tells, for those with one or with issues."""
        # After a death between the two, issues are kept that the row does not count yet, or the other way round.
        return dict.fromkeys(self._desk.shelf.issue_counts(), 0) | self._desk.writer.first_issue_numbers()

    def _keep_issues(self, found: Mapping[str, Sequence[JudgedIssue]], before: Mapping[str, int]) -> None:
        """Write the first issues of projects; `before` is what `_known_before` told."""
        # Where there were none and are none, nothing has to be written.
        told = {pid: issues for pid, issues in found.items() if issues or pid in before}
        if not told:
            return
        self._desk.shelf.put_issues_of_many(told)
        self._desk.writer.enrich(
            (
                (pid, Details(good_first_issues=len(issues)))
                for pid, issues in told.items()
                if len(issues) != before.get(pid, 0)
            ),
            looked=False,
        )

    # How much is known

    def _note_coverage(self) -> None:
        """Note of how many projects something is not known that the forge would tell."""
        database, forge = self._desk.database, self._desk.source.forge
        everywhere = database.number(_EVERYWHERE)
        if everywhere:
            found = database.ask(
                "SELECT count(*) FROM project WHERE first_seen > ? AND enriched_at IS NULL", (everywhere,)
            )
            unasked = int(found[0][0])
        else:
            waiting = self._desk.writer.never_looked_at()
            known = {
                path
                for group, (_, whole) in _asked_groups(database.fact(_GROUPS)).items()
                if whole
                for path in across.below(group, waiting)
            }
            unasked = len(waiting) - len(known)
        languages = len(self._desk.writer.without_languages()) if isinstance(forge, BulkLanguages) else 0
        database.set_facts(**{coverage.ISSUES_UNASKED: unasked, coverage.LANGUAGES_UNASKED: languages})


def _asked_groups(fact: object) -> dict[str, tuple[int, bool]]:
    """Return of each group when it was asked, and whether it told all."""
    return {group: (when, whole) for group, (when, whole) in json.loads(str(fact or "{}")).items()}
