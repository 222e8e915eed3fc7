from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock
from msgspec.structs import replace

from isexplore.catalog import schema
from isexplore.catalog.issues import first_issues
from isexplore.catalog.query import search
from isexplore.catalog.reports import ForgeReport, SyncProgress
from isexplore.catalog.store import Account
from isexplore.catalog.sync import Options, Source, Sync
from isexplore.catalog.write import Writer
from isexplore.errors import (
    AuthError,
    ForbiddenError,
    ForgeError,
    RateLimitedError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.forge.base import ProjectPage
from isexplore.models import Issue, Label, ProjectRef
from tests.support.catalog import ACCOUNT, NOW, catalog, made_up, moment, project
from tests.support.listing_forge import READING, Clock, ListingForge

QUICK = Options(looks=0)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def forge() -> ListingForge:
    forge = ListingForge()
    forge.projects["innersource"] = list(made_up(95))
    return forge


async def sync(
    folder: Path,
    forge: ListingForge,
    clock: Clock,
    *tags: str,
    options: Options = QUICK,
    groups: tuple[str, ...] = (),
) -> ForgeReport:
    report = await Sync(
        str(folder), [forge.source(*tags, groups=groups)], READING, options, clock=clock
    ).run()
    return report.forges[0]


async def test_the_first_sync_takes_in_everything(tmp_path: Path, forge: ListingForge, clock: Clock) -> None:
    told: list[SyncProgress] = []
    await Sync(str(tmp_path), [forge.source()], READING, QUICK, clock=clock).run(told.append)
    view = catalog(tmp_path)
    assert view.count() == 95
    assert view.as_of() == int(NOW.timestamp())
    assert view.incomplete() == []
    assert [each.phase for each in told][-1] == "done"
    assert told[3].projects == 40
    assert told[3].total == 95
    assert "40 of 95 projects" in told[3].text
    assert all(row.first_seen is None for row in search(view, "", limit=100).rows)


class PatientForge(ListingForge):
    """A forge whose second page comes once the first is in the catalog, or after some seconds."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.root = folder
        self.seen = 0
        """Projects in the catalog when the second page was asked for."""

    async def find_projects(
        self,
        tags: tuple[str, ...],
        *,
        text: str = "",
        changed_after: datetime | None = None,
        groups: tuple[str, ...] = (),
        resume: str = "",
    ) -> AsyncIterator[ProjectPage]:
        async for page in super().find_projects(tags):
            yield page
            deadline = asyncio.get_running_loop().time() + 5
            while not self.seen and asyncio.get_running_loop().time() < deadline:
                await asyncio.sleep(0.01)
                self.seen = catalog(self.root).count()


async def test_the_first_page_shows_at_once_on_a_machine_just_started(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isexplore.catalog.sync.time", SimpleNamespace(monotonic=lambda: 0.5))
    forge = PatientForge(tmp_path)
    forge.projects["innersource"] = list(made_up(15))
    await sync(tmp_path, forge, clock)
    assert forge.seen == 10


async def test_tags_are_merged_and_what_does_not_belong_stays_out(tmp_path: Path, clock: Clock) -> None:
    forge = ListingForge()
    both = project("a/both")
    forge.projects = {
        "innersource": [
            both,
            project("a/old", archived=True),
            project("me/copy", forked_from="a/both"),
            project("me/hidden", forked_from_id="77"),
        ],
        "shared-code": [both, project("a/other")],
    }
    report = await sync(tmp_path, forge, clock, "innersource", "inner-source", "shared-code")
    assert sorted(row.path for row in search(catalog(tmp_path), "").rows) == ["a/both", "a/other"]
    assert report.listed == 2


async def test_afterwards_only_changes_are_asked_for(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    await sync(tmp_path, forge, clock)
    clock.pass_(hours=2)
    forge.requests.clear()
    report = await sync(tmp_path, forge, clock)
    assert forge.requests == ["innersource 0 changed"]
    assert not report.full
    assert report.changed == 0

    forge.projects["innersource"].append(project("new/arrival", last_activity=clock.moment))
    clock.pass_(hours=1)
    report = await sync(tmp_path, forge, clock)
    assert report.changed == 1
    view = catalog(tmp_path)
    (row,) = search(view, "arrival").rows
    assert row.first_seen == int(clock())
    assert [each.path for each in view.new_since(int(clock()) - 60)] == ["new/arrival"]


async def test_what_is_gone_leaves_with_the_next_full_listing(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    await sync(tmp_path, forge, clock)
    gone = forge.projects["innersource"].pop()
    clock.pass_(hours=5)
    await sync(tmp_path, forge, clock)
    assert catalog(tmp_path).count() == 95
    clock.pass_(hours=20)
    report = await sync(tmp_path, forge, clock)
    assert report.full
    assert report.removed == 1
    view = catalog(tmp_path)
    assert view.count() == 94
    assert view.project("work", gone.path) is None


async def test_a_forge_that_suddenly_has_nothing_is_believed_the_second_time(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    await sync(tmp_path, forge, clock)
    everything, forge.projects["innersource"] = forge.projects["innersource"], []
    full = Options(looks=0, full=True)
    report = await sync(tmp_path, forge, clock, options=full)
    assert (report.removed, report.spared) == (0, 95)
    assert "95 projects" in report.notices[0]
    assert catalog(tmp_path).count() == 95
    report = await sync(tmp_path, forge, clock, options=full)
    assert report.removed == 95
    assert everything
    assert catalog(tmp_path).count() == 0


async def test_a_part_that_fails_keeps_its_rows_and_says_why(tmp_path: Path, clock: Clock) -> None:
    forge = ListingForge()
    forge.projects = {"innersource": [project("a/one")], "shared": [project("b/two")]}
    await sync(tmp_path, forge, clock, "innersource", "shared")
    clock.pass_(days=2)
    forge.fail_page = lambda tag, page: UnavailableError("No answer", "time-out") if tag == "shared" else None
    forge.projects["innersource"].append(project("a/three"))
    report = await sync(tmp_path, forge, clock, "innersource", "shared")
    assert [(each.scope, each.kind) for each in report.failures] == [("shared", "unavailable")]
    found = search(catalog(tmp_path), "")
    assert sorted(row.path for row in found.rows) == ["a/one", "a/three", "b/two"]
    assert found.incomplete == [("work", "shared: No answer: time-out")]
    assert found.as_of == "2025-06-01T12:00:00Z"

    forge.fail_page = lambda tag, page: None
    forge.requests.clear()
    report = await sync(tmp_path, forge, clock, "innersource", "shared")
    assert forge.requests == ["shared 0"], "the part that had answered is not asked again"
    assert report.failures == ()
    assert catalog(tmp_path).incomplete() == []


async def test_a_part_that_always_fails_does_not_keep_the_others_from_what_is_new(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    forge.projects["shared"] = [project("s/one")]
    forge.fail_page = lambda tag, page: UnavailableError("No answer") if tag == "shared" else None
    await sync(tmp_path, forge, clock, "innersource", "shared")
    clock.pass_(hours=2)
    new = project("a/new", last_activity=clock.moment)
    old = replace(forge.projects["innersource"][0], archived=True, last_activity=clock.moment)
    forge.projects["innersource"][0] = old
    forge.projects["innersource"].append(new)
    forge.requests.clear()
    report = await sync(tmp_path, forge, clock, "innersource", "shared")
    assert sorted(forge.requests) == ["innersource 0 changed", "shared 0"]
    assert [each.scope for each in report.failures] == ["shared"]
    paths = {row.path for row in search(catalog(tmp_path), "", limit=200).rows}
    assert (new.path in paths, old.path in paths, len(paths)) == (True, False, 95)

    forge.fail_page = lambda tag, page: None
    clock.pass_(hours=2)
    report = await sync(tmp_path, forge, clock, "innersource", "shared")
    assert (report.failures, report.removed) == ((), 0)
    assert catalog(tmp_path).count() == 96
    assert catalog(tmp_path).as_of() == int(NOW.timestamp()), (
        "since then all that changed is still to be asked for"
    )


async def test_a_failure_at_the_first_sync_is_no_empty_forge(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    forge.fail_page = lambda tag, page: AuthError("The token was refused", "401")
    report = await sync(tmp_path, forge, clock)
    assert not report.full or report.failures
    found = search(catalog(tmp_path), "x")
    assert found.incomplete == [("work", "innersource: The token was refused: 401")]


async def test_one_forge_that_fails_does_not_stop_another(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    broken = ListingForge("lab")
    broken.fail_page = lambda tag, page: UnavailableError("No route to host")
    lab = Account("lab", "https://lab.example.com", "mia")
    sources = [Source(broken.as_forge(), lab, ("innersource",)), forge.source()]
    report = await Sync(str(tmp_path), sources, READING, QUICK, clock=clock).run()
    assert not report.complete
    view = catalog(tmp_path, ACCOUNT, lab)
    assert view.count() == 95
    assert dict(view.incomplete()) == {"lab": "innersource: No route to host"}


async def test_pages_that_go_in_circles_end(tmp_path: Path, forge: ListingForge, clock: Clock) -> None:
    forge.loops = True
    report = await sync(tmp_path, forge, clock)
    assert report.failures[0].kind == "wrong-answer"
    assert "repeats" in report.failures[0].reason
    assert catalog(tmp_path).count() == 10


async def test_a_killed_sync_goes_on(tmp_path: Path, forge: ListingForge, clock: Clock) -> None:
    forge.projects["shared"] = [project(f"s/{number}") for number in range(30)]
    reached = asyncio.Event()

    def stop(tag: str, page: int) -> None:
        if tag == "shared" and page == 2:
            reached.set()
            raise asyncio.CancelledError

    forge.before_page = stop
    one_by_one = Options(looks=0, concurrency=1)
    with pytest.raises(asyncio.CancelledError):
        await sync(tmp_path, forge, clock, "innersource", "shared", options=one_by_one)
    assert reached.is_set()
    view = catalog(tmp_path)
    assert view.count() == 115, "what came is there"
    assert view.incomplete() == [("work", "the first sync has not finished")]
    forge.before_page = lambda tag, page: None
    forge.requests.clear()
    clock.pass_(minutes=10)
    report = await sync(tmp_path, forge, clock, "innersource", "shared")
    assert [each for each in forge.requests if each.startswith("innersource")] == []
    assert report.removed == 0
    assert catalog(tmp_path).count() == 125
    assert catalog(tmp_path).incomplete() == []


async def test_a_kill_loses_no_more_than_two_batches(tmp_path: Path, clock: Clock) -> None:
    forge = ListingForge(page=100)
    forge.projects["innersource"] = list(made_up(9_000))
    lost: list[int] = []

    def look(tag: str, number: int) -> None:
        if number % 5 == 0:
            lost.append(number * forge.page - catalog(tmp_path).count())

    forge.before_page = look
    await sync(tmp_path, forge, clock)
    assert catalog(tmp_path).count() == 9_000
    assert max(lost) <= 2_200, "however fast the forge is"


@pytest.mark.parametrize("size", [4, 95])
async def test_a_death_just_before_the_end_loses_no_project(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    forge = ListingForge()
    forge.projects["innersource"] = list(made_up(size))
    finish = Writer.finish

    def die(self: Writer, *, as_of: int | None = None, optimize: bool = False) -> None:
        if as_of is not None:
            raise asyncio.CancelledError
        finish(self, as_of=as_of, optimize=optimize)

    monkeypatch.setattr(Writer, "finish", die)
    with pytest.raises(asyncio.CancelledError):
        await sync(tmp_path, forge, clock)
    monkeypatch.setattr(Writer, "finish", finish)
    clock.pass_(minutes=10)
    report = await sync(tmp_path, forge, clock)
    assert (report.removed, report.notices) == (0, ())
    assert catalog(tmp_path).count() == size
    assert catalog(tmp_path).incomplete() == []


async def test_how_many_there_are_is_not_told_of_a_part_alone(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    forge.projects["shared"] = [project(f"s/{number}") for number in range(30)]
    forge.fail_page = lambda tag, page: (
        UnavailableError("No answer") if (tag, page) == ("shared", 1) else None
    )
    await sync(tmp_path, forge, clock, "innersource", "shared")
    forge.fail_page = lambda tag, page: None
    told: list[SyncProgress] = []
    source = forge.source("innersource", "shared")
    await Sync(str(tmp_path), [source], READING, QUICK, clock=clock).run(told.append)
    listing = [each for each in told if each.phase == "listing"]
    assert [each.projects for each in listing] == [115, 125]
    assert {each.total for each in listing} <= {None, 125}


@pytest.mark.parametrize("how", ["killed", "failed", "limited"])
async def test_what_was_listed_is_not_asked_for_again(
    tmp_path: Path, forge: ListingForge, clock: Clock, how: str
) -> None:
    await sync(tmp_path, forge, clock)
    gone = forge.projects["innersource"].pop(0)
    clock.pass_(days=2)
    limited = iter([RateLimitedError("Too many requests", retry_at=NOW)])

    def stop(tag: str, page: int) -> ForgeError | None:
        if page != 9 or how == "killed":
            return None
        return next(limited, None) if how == "limited" else UnavailableError("No answer")

    def kill(tag: str, page: int) -> None:
        if page == 9 and how == "killed":
            raise asyncio.CancelledError

    forge.fail_page, forge.before_page = stop, kill
    forge.requests.clear()
    if how == "killed":
        with pytest.raises(asyncio.CancelledError):
            await sync(tmp_path, forge, clock)
    else:
        report = await sync(tmp_path, forge, clock)
        assert (not report.failures) == (how == "limited")
    if how != "limited":
        view = catalog(tmp_path)
        assert view.project("work", gone.path) is not None, "only a complete listing tells what is gone"
        clock.pass_(hours=1)
        forge.fail_page, forge.before_page = lambda tag, page: None, lambda tag, page: None
        report = await sync(tmp_path, forge, clock)
    assert forge.requests.count("innersource 8") == 1
    assert forge.requests[-1] == "innersource 9"
    assert len(forge.requests) == 11
    assert (report.full, report.listed, report.removed) == (True, 94, 1)
    assert catalog(tmp_path).count() == 94


async def test_a_part_that_failed_is_told_until_it_has_come(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    await sync(tmp_path, forge, clock)
    clock.pass_(days=2)
    forge.fail_page = lambda tag, page: UnavailableError("No answer") if page == 5 else None
    await sync(tmp_path, forge, clock)
    told = [("work", "innersource: No answer")]
    assert catalog(tmp_path).incomplete() == told

    def kill(tag: str, page: int) -> None:
        if page == 8:
            raise asyncio.CancelledError

    forge.fail_page, forge.before_page = lambda tag, page: None, kill
    with pytest.raises(asyncio.CancelledError):
        await sync(tmp_path, forge, clock)
    assert catalog(tmp_path).incomplete() == told
    forge.before_page = lambda tag, page: None
    await sync(tmp_path, forge, clock)
    assert catalog(tmp_path).incomplete() == []


async def test_a_place_to_go_on_that_makes_no_sense_is_forgotten(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    forge.fail_page = lambda tag, page: UnavailableError("No answer") if page == 5 else None
    await sync(tmp_path, forge, clock)
    forge.fail_page = lambda tag, page: WrongAnswerError("Not a list")
    await sync(tmp_path, forge, clock)
    assert forge.requests[-1] == "innersource 5"
    forge.fail_page = lambda tag, page: None
    forge.requests.clear()
    report = await sync(tmp_path, forge, clock)
    assert forge.requests[0] == "innersource 0"
    assert not report.failures
    assert report.listed == catalog(tmp_path).count() == 95


async def test_everybody_waits_when_the_forge_says_later(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    told: list[SyncProgress] = []
    limited = iter([RateLimitedError("Too many requests", retry_at=clock.moment)])
    forge.fail_page = lambda tag, page: next(limited, None) if page == 3 else None
    sources = [forge.source()]
    clock.pass_(seconds=2)
    report = await Sync(str(tmp_path), sources, READING, QUICK, clock=clock).run(told.append)
    assert report.complete
    assert catalog(tmp_path).count() == 95
    assert any(each.waiting is not None for each in told)


async def test_too_long_a_wait_is_told_rather_than_waited_for(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    later = Clock(NOW)
    later.pass_(hours=3)
    forge.fail_page = lambda tag, page: RateLimitedError("Too many requests", retry_at=later.moment)
    report = await sync(tmp_path, forge, clock)
    assert report.failures[0].kind == "rate-limited"


async def test_groups_are_listed_one_by_one(tmp_path: Path, clock: Clock) -> None:
    forge = ListingForge()
    forge.projects["innersource"] = [project("pay/a"), project("infra/b"), project("other/c")]
    await sync(tmp_path, forge, clock, groups=("pay", "infra"))
    assert sorted(row.path for row in search(catalog(tmp_path), "").rows) == ["infra/b", "pay/a"]


async def test_another_tag_in_the_configuration_lists_anew(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    await sync(tmp_path, forge, clock)
    forge.projects["shared"] = [project("s/one", last_activity=moment(400))]
    clock.pass_(hours=1)
    report = await sync(tmp_path, forge, clock, "shared")
    assert report.full
    assert (report.removed, report.spared) == (0, 0), "the forge has them all still"
    assert report.notices == ("95 projects are outside the configured tags and groups, and left the catalog",)
    assert [row.path for row in search(catalog(tmp_path), "").rows] == ["s/one"]


async def test_projects_outside_the_groups_leave_as_what_they_are(tmp_path: Path, clock: Clock) -> None:
    forge = ListingForge()
    forge.projects["innersource"] = [
        project(f"{group}/p{n}") for group in ("pay", "infra") for n in range(20)
    ]
    await sync(tmp_path, forge, clock)
    gone = forge.projects["innersource"].pop(0)
    report = await sync(tmp_path, forge, clock, groups=("pay",))
    assert report.notices == ("20 projects are outside the configured tags and groups, and left the catalog",)
    assert (report.removed, report.spared) == (1, 0), "that one is missed at the forge"
    left = {row.path for row in search(catalog(tmp_path), "", limit=100).rows}
    assert left == {f"pay/p{n}" for n in range(20)} - {gone.path}


async def test_a_misspelt_tag_takes_nothing_away_at_once(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    await sync(tmp_path, forge, clock)
    report = await sync(tmp_path, forge, clock, "inersource")
    assert report.spared == 95
    assert "kept until" in report.notices[0]
    assert catalog(tmp_path).count() == 95


async def test_another_isexplore_at_it_is_no_failure(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    await sync(tmp_path, forge, clock)
    with FileLock(str(tmp_path / ACCOUNT.file_name) + ".lock"):
        report = await sync(tmp_path, forge, clock)
    assert report.busy
    assert "another isexplore" in report.text


async def test_a_file_that_another_isexplore_writes_is_not_moved_away(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    await sync(tmp_path, forge, clock)
    with sqlite3.connect(tmp_path / ACCOUNT.file_name) as db:
        db.execute(f"PRAGMA user_version = {schema.VERSION - 1}")
    db.close()
    with FileLock(str(tmp_path / ACCOUNT.file_name) + ".lock"):
        assert (await sync(tmp_path, forge, clock)).busy
    assert not (tmp_path / (ACCOUNT.file_name + ".broken")).exists()
    report = await sync(tmp_path, forge, clock)
    assert "was of another version" in report.notices[0]
    assert catalog(tmp_path).count() == 95


async def test_a_file_that_breaks_in_use_is_rebuilt(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    await sync(tmp_path, forge, clock)
    path = tmp_path / ACCOUNT.file_name
    data = bytearray(path.read_bytes())
    data[8_192:] = os.urandom(len(data) - 8_192)
    path.write_bytes(data)
    view = catalog(tmp_path)
    search(view, "s")
    assert "damaged" in view.incomplete()[0][1]
    report = await sync(tmp_path, forge, clock)
    assert "damaged" in report.notices[0]
    assert catalog(tmp_path).count() == 95


def with_first_issues(forge: ListingForge, path: str, count: int) -> None:
    forge.project_labels[path] = [
        Label(name="Good-First-Issue", open_issues=count),
        Label(name="bug", open_issues=9),
    ]
    forge.project_issues[path] = [
        Issue(
            forge="work",
            project=path,
            number=number,
            title=f"Explain retry {number}",
            url=f"https://git.example.com/{path}/-/issues/{number}",
            labels=("Good-First-Issue", "docs"),
            assignees=("ann",) if number == 2 else (),
            updated_at=moment(number),
            created_at=moment(100),
        )
        for number in range(1, count + 1)
    ]


async def test_a_closer_look_finds_guides_languages_and_first_issues(tmp_path: Path, clock: Clock) -> None:
    forge = ListingForge()
    forge.projects["innersource"] = [project("a/tool"), project("a/empty", empty=True)]
    forge.shares = {"Go": 0.7, "Shell": 0.3}
    forge.files = {
        ("a/tool", "README.md"): b"# Tool\nDoes \x1b[31mwonders\x1b[0m with parquet.",
        ("a/tool", "CONTRIBUTING.md"): b"Sign off.",
        ("a/tool", "innersource.json"): json.dumps({"motivation": "m" * 40, "skills": ["go", 3]}).encode(),
    }
    with_first_issues(forge, "a/tool", 3)
    report = await sync(tmp_path, forge, clock, options=Options())
    assert (report.enriched, report.skipped) == (2, 0)
    view = catalog(tmp_path)
    (row,) = search(view, "parquet").rows
    assert row.documents == ("README", "CONTRIBUTING", "innersource.json")
    assert (row.language, row.languages) == ("Go", ("Go", "Shell"))
    assert row.good_first_issues == 3
    assert row.weeks[-1] == 7
    assert json.loads(row.card or "") == {"motivation": "m" * 40, "skills": ["go"]}
    assert "\x1b" not in view.readme(row)
    assert [each.path for each in search(view, "has:gfi has:contributing lang:shell").rows] == ["a/tool"]
    issues = first_issues(view, "", now=NOW.timestamp())
    assert [(each.number, each.verdict) for each in issues.issues] == [
        (1, "free"),
        (3, "free"),
        (2, "maybe-taken"),
    ]
    forge.requests.clear()
    await sync(tmp_path, forge, clock, options=Options())
    assert forge.requests == ["innersource 0 changed"], "nothing changed, so nothing is looked at again"


async def test_looks_are_bounded_and_go_on_with_the_next_best(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    options = Options(looks=30, concurrency=4)
    for expected in (30, 60, 90, 95):
        clock.pass_(hours=1)
        await sync(tmp_path, forge, clock, options=options)
        rows = search(catalog(tmp_path), "", limit=100).rows
        assert sum(row.enriched_at is not None for row in rows) == expected
    assert forge.most_at_once == 4


async def test_a_sync_soon_after_another_looks_only_at_what_changed(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    options = Options(looks=30)
    await sync(tmp_path, forge, clock, options=options)
    looked_at = {row.path for row in search(catalog(tmp_path), "", limit=100).rows if row.enriched_at}
    clock.pass_(minutes=10)
    forge.requests.clear()
    await sync(tmp_path, forge, clock, options=options)
    assert forge.requests == ["innersource 0 changed"], "65 projects wait for a look, and nothing happened"
    projects = forge.projects["innersource"]
    place = next(at for at, one in enumerate(projects) if one.path in looked_at)
    changed = projects[place] = replace(projects[place], last_activity=clock.moment)
    new = project("brand/new", last_activity=clock.moment)
    projects.append(new)
    clock.pass_(minutes=10)
    forge.requests.clear()
    report = await sync(tmp_path, forge, clock, options=options)
    assert report.enriched == 2
    asked = {request.split(" ", 1)[1] for request in forge.requests[1:]}
    assert asked == {changed.path, new.path}


async def test_looks_that_the_forge_cut_short_go_on_with_the_next_sync(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    forge.fail_details = lambda project: UnavailableError("down") if forge.requests.count("x") else None
    options = Options(looks=10)
    forge.requests.append("x")
    assert (await sync(tmp_path, forge, clock, options=options)).failures
    forge.requests.clear()
    clock.pass_(minutes=1)
    assert (await sync(tmp_path, forge, clock, options=options)).enriched == 10


async def test_bookmarks_are_looked_at_first_and_shelved(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    last = forge.projects["innersource"][-1]
    forge.files[(last.path, "README.md")] = b"# Mine"
    kept = (ProjectRef("work", last.path), ProjectRef("lab", "x/y"), ProjectRef("work", "no/such"))
    await sync(tmp_path, forge, clock, options=Options(looks=1, kept=kept))
    view = catalog(tmp_path)
    row = view.project("work", last.path)
    assert row is not None
    (document,) = view.documents(row)
    assert (document.name, document.text, document.fetched_at) == ("README", "# Mine", int(NOW.timestamp()))


async def test_a_bookmark_made_after_the_look_is_shelved_by_the_next_sync(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    last = forge.projects["innersource"][-1]
    forge.files[(last.path, "README.md")] = b"# Mine"
    await sync(tmp_path, forge, clock, options=Options(looks=200))
    row = catalog(tmp_path).project("work", last.path)
    assert row is not None
    assert catalog(tmp_path).documents(row) == []
    clock.pass_(minutes=10)
    kept = Options(looks=200, kept=(ProjectRef("work", last.path),))
    await sync(tmp_path, forge, clock, options=kept)
    assert [one.text for one in catalog(tmp_path).documents(row)] == ["# Mine"]
    clock.pass_(minutes=10)
    forge.requests.clear()
    await sync(tmp_path, forge, clock, options=kept)
    assert not [one for one in forge.requests if last.path in one], "it is looked at once"


async def test_a_project_that_refuses_is_skipped_with_a_count(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    refusing = forge.projects["innersource"][0].path
    forge.fail_details = lambda project: ForbiddenError("No") if project.path == refusing else None
    report = await sync(tmp_path, forge, clock, options=Options())
    assert (report.enriched, report.skipped, report.failures) == (95, 1, ())


async def test_a_forge_that_goes_away_during_looks_keeps_the_list(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    forge.fail_details = lambda project: UnavailableError("No answer")
    report = await sync(tmp_path, forge, clock, options=Options())
    assert [each.scope for each in report.failures] == ["details"]
    assert catalog(tmp_path).count() == 95
    assert catalog(tmp_path).incomplete() == []
    assert len(forge.requests) < 40, "the others are not asked any more"


async def test_a_full_disk_is_told(tmp_path: Path, forge: ListingForge, clock: Clock) -> None:
    await sync(tmp_path, forge, clock)
    with sqlite3.connect(tmp_path / ACCOUNT.file_name) as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
    forge.projects["innersource"] = list(made_up(3_000, seed=9))
    original = schema.open_for_writing

    def small(path: str, *, remake: bool) -> schema.Opened:
        opened = original(path, remake=remake)
        opened.connection.execute(f"PRAGMA max_page_count = {pages + 5}")
        return opened

    patch = pytest.MonkeyPatch()
    with patch.context() as context:
        context.setattr(schema, "open_for_writing", small)
        report = await sync(tmp_path, forge, clock, options=Options(looks=0, full=True))
    assert report.failures[0].kind == "state"
    assert "disk is full" in report.failures[0].reason
    assert "Free some space" in report.failures[0].reason
    assert catalog(tmp_path).count() >= 95


async def test_a_folder_that_cannot_be_written_is_told_with_what_helps(
    tmp_path: Path, forge: ListingForge, clock: Clock
) -> None:
    (tmp_path / (ACCOUNT.file_name + ".lock")).mkdir()
    report = await sync(tmp_path, forge, clock)
    assert report.failures[0].kind == "state"
    assert "ISEXPLORE_CACHE_DIR" in report.failures[0].reason
    assert "Errno" not in report.failures[0].reason
