"""When the first issues of all projects are asked for, and what is left of it after a failure or a death."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from isexplore.catalog.across import ask_everywhere
from isexplore.catalog.database import Database
from isexplore.catalog.issues import first_issues
from isexplore.catalog.pause import Pause
from isexplore.catalog.reports import ForgeReport
from isexplore.catalog.shelf import JudgedIssue, Shelf
from isexplore.catalog.sync import Options, Sync
from isexplore.catalog.write import Writer
from isexplore.errors import ForgeError, NotVisibleError, RateLimitedError
from isexplore.models import Issue, IssueVerdict, Verdict
from tests.support.catalog import ACCOUNT, NOW, catalog, moment, project
from tests.support.listing_forge import READING, Clock, ListingForge

RULES = replace(READING, first_labels=("good first issue",))


class TellingForge(ListingForge):
    """A forge that tells the issues of all projects by label."""

    def __init__(self) -> None:
        super().__init__()
        self.projects["innersource"] = [project(f"a/{number}") for number in range(5)]
        self.offers = {f"a/{number}": 1 for number in range(5)}
        """How many good first issues there are, by project."""
        self.updated = moment(3)
        self.fail_issues: ForgeError | None = None

    @property
    def asked(self) -> int:
        """How often it was asked for the issues of all projects since the last look."""
        number = self.requests.count("everywhere good first issue")
        self.requests.clear()
        return number

    async def issues_anywhere(self, label: str, *, limit: int) -> list[Issue]:
        self.requests.append(f"everywhere {label}")
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if self.fail_issues is not None:
            raise self.fail_issues
        return [
            Issue(
                forge=self.name,
                project=path,
                number=number + 1,
                title=f"Paint {number}",
                url="",
                labels=(label,),
                updated_at=self.updated,
            )
            for path, count in self.offers.items()
            for number in range(count)
            if label == "good first issue"
        ]

    async def issues_below(self, group: str, label: str, *, limit: int) -> list[Issue]:
        return await self.issues_anywhere(label, limit=limit)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def forge() -> TellingForge:
    return TellingForge()


async def sync(
    folder: Path, forge: TellingForge, clock: Clock, *tags: str, full: bool = False
) -> ForgeReport:
    options = Options(looks=1, full=full)
    report = await Sync(str(folder), [forge.source(*tags)], RULES, options, clock=clock).run()
    return report.forges[0]


def known(folder: Path) -> dict[str, int | None]:
    """Return how many good first issues each project has by its row, of those that nobody looked at."""
    with catalog(folder) as view:
        rows = view.stores[0].where("enriched_at IS NULL", ())
        return {row.path: row.good_first_issues for row in rows}


async def test_all_first_issues_are_asked_for_once_a_day(
    tmp_path: Path, forge: TellingForge, clock: Clock
) -> None:
    await sync(tmp_path, forge, clock)
    assert forge.asked == 1
    clock.pass_(hours=2)
    await sync(tmp_path, forge, clock)
    assert forge.asked == 0
    await sync(tmp_path, forge, clock, full=True)
    assert forge.asked == 1
    clock.pass_(days=1)
    await sync(tmp_path, forge, clock)
    assert forge.asked == 1


async def test_only_a_few_labels_are_asked_for_side_by_side(forge: TellingForge) -> None:
    labels = tuple(f"good first issue {number}" for number in range(20))
    told = await ask_everywhere(forge, replace(RULES, first_labels=labels), Pause(), {"a/1": "1", "a/2": "2"})
    assert told is not None
    assert len(forge.requests) == 24, "their other spellings too, as far as allowed"
    assert forge.most_at_once == 4, "each may be fifty thousand issues in memory"


async def test_a_part_that_always_fails_asks_for_first_issues_once_a_day_too(
    tmp_path: Path, forge: TellingForge, clock: Clock
) -> None:
    forge.fail_page = lambda tag, page: NotVisibleError("Not there") if tag == "lost" else None
    times = []
    for _ in range(4):
        report = await sync(tmp_path, forge, clock, "innersource", "lost")
        assert report.full
        assert report.failures
        times.append(forge.asked)
        clock.pass_(hours=8)
    assert times == [1, 0, 0, 1]


async def test_first_issues_that_could_not_be_asked_for_come_with_the_next_sync(
    tmp_path: Path, forge: TellingForge, clock: Clock
) -> None:
    forge.fail_issues = RateLimitedError("Too many requests", retry_at=moment(-2))
    assert [each.scope for each in (await sync(tmp_path, forge, clock)).failures] == ["first issues"]
    forge.fail_issues = None
    clock.pass_(minutes=10)
    report = await sync(tmp_path, forge, clock)
    assert not report.full
    assert set(known(tmp_path).values()) == {1}


async def test_a_death_before_first_issues_are_asked_for_does_not_put_them_off(
    tmp_path: Path, forge: TellingForge, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        async def die(label: str, *, limit: int) -> list[Issue]:
            raise asyncio.CancelledError

        patch.setattr(forge, "issues_anywhere", die)
        with pytest.raises(asyncio.CancelledError):
            await sync(tmp_path, forge, clock)
    clock.pass_(minutes=10)
    await sync(tmp_path, forge, clock)
    assert set(known(tmp_path).values()) == {1}


async def test_what_too_many_issues_have_is_not_told_any_more_when_all_were_looked_at(
    tmp_path: Path, forge: TellingForge, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("isexplore.catalog.across.ISSUES_ANYWHERE", 2)
        await sync(tmp_path, forge, clock)
        with catalog(tmp_path) as view:
            assert "so many issues" in str(first_issues(view, "").unseen)
    for _ in range(4):
        clock.pass_(hours=2)
        await sync(tmp_path, forge, clock)
    forge.requests.clear()
    clock.pass_(days=1)
    await sync(tmp_path, forge, clock)
    assert forge.asked == 0
    with catalog(tmp_path) as view:
        assert first_issues(view, "").unseen is None


async def test_a_death_between_issues_and_their_number_is_mended_by_the_next_answer(
    tmp_path: Path, forge: TellingForge, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sync(tmp_path, forge, clock)
    forge.offers = dict.fromkeys(forge.offers, 3)
    with monkeypatch.context() as patch:

        def die(self: Writer, *_: object, **told: object) -> None:
            if told.get("looked") is False:
                raise asyncio.CancelledError

        patch.setattr(Writer, "enrich", die)
        with pytest.raises(asyncio.CancelledError):
            await sync(tmp_path, forge, clock, full=True)
    await sync(tmp_path, forge, clock, full=True)
    assert set(known(tmp_path).values()) == {3}


async def test_what_somebody_found_out_about_an_issue_is_not_forgotten_while_it_stays_the_same(
    tmp_path: Path, forge: TellingForge, clock: Clock
) -> None:
    await sync(tmp_path, forge, clock)
    path = list(known(tmp_path))[-1]
    (issue,) = [
        one for one in await forge.issues_anywhere("good first issue", limit=9) if one.project == path
    ]
    taken = IssueVerdict(verdict=Verdict.MAYBE_TAKEN, reasons=("ada works on it",))
    with Database(ACCOUNT, str(tmp_path), clock=clock) as database:
        Shelf(database).put_issues(path, [JudgedIssue(issue, taken)], complete=False)

    def verdict() -> tuple[str, tuple[str, ...]]:
        with catalog(tmp_path) as view:
            (found,) = [one for one in first_issues(view, "").issues if one.project == path]
            return found.verdict, found.reasons

    await sync(tmp_path, forge, clock, full=True)
    assert verdict() == ("maybe-taken", ("ada works on it",))
    forge.updated = moment(1)
    await sync(tmp_path, forge, clock, full=True)
    assert verdict() == ("unknown", ("not read",))
