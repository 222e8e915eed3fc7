"""Bringing the catalog up to date from a practice forge: real HTTP, thousands of projects."""

from __future__ import annotations

import asyncio
import gzip
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from isexplore.catalog.issues import first_issues
from isexplore.catalog.query import search
from isexplore.catalog.reports import SyncProgress
from isexplore.catalog.write import Writer
from isexplore.config.schema import NetworkConfig
from isexplore.journey.store import Journey
from isexplore.models import ProjectRef
from isexplore.practice.server import Fault, Knobs
from isexplore.updates import sync
from tests.support.practice import ALPHA, MARA_TOKEN
from tests.support.syncing import FORGE, Syncing, syncing

MANY = 3_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Syncing]:
    with syncing(tmp_path, light=MANY) as world:
        yield world


async def test_a_first_sync_tells_how_far_it_is_and_finds_every_project_once(world: Syncing) -> None:
    told: list[SyncProgress] = []
    report = await world.sync(told=told)
    rows = world.rows()
    assert report.complete
    assert len(rows) >= MANY
    assert Counter(row.path for row in rows).most_common(1)[0][1] == 1
    listing = [each for each in told if each.phase == "listing"]
    assert len(listing) >= 20
    assert all(each.total and each.total >= MANY for each in listing)
    assert "of 3," in listing[-1].text
    assert told[-1].phase == "done"
    with world.catalog() as catalog:
        assert catalog.as_of() is not None
        assert catalog.incomplete() == []


async def test_projects_can_be_searched_while_a_first_sync_runs(tmp_path: Path) -> None:
    with syncing(tmp_path, light=MANY, knobs=Knobs(latency=0.02)) as world:
        seen: list[int] = []

        def look(progress: SyncProgress) -> None:
            if progress.phase == "listing" and progress.projects < MANY:
                with world.catalog() as catalog:
                    seen.append(catalog.count())

        services = world.services()
        await sync(services, on_progress=look, looks=0)
        await services.disconnect()
    assert 0 < max(seen) < MANY
    assert seen == sorted(seen)


async def test_a_sync_after_a_kill_keeps_what_was_found_and_finishes(tmp_path: Path) -> None:
    network = NetworkConfig(concurrency=2)
    with syncing(tmp_path, light=MANY, knobs=Knobs(latency=0.05), network=network) as world:
        process = world.start("sync")
        deadline = time.monotonic() + 20
        while (found := len(world.rows()) if world.paths.catalog_dir.exists() else 0) < MANY // 3:
            assert time.monotonic() < deadline
            assert process.poll() is None
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)
        kept = {row.path for row in world.rows()}
        assert len(kept) >= found
        with world.catalog() as catalog:
            assert dict(catalog.incomplete())[FORGE] == "the first sync has not finished"
        world.forge.knobs.latency = 0.0
        before = len(world.forge.headers)
        report = await world.sync()
        assert report.complete
        assert report.forges[0].listed >= MANY, "what came before the kill counts"
        pages_left = (MANY - len(kept)) / 100
        assert len(world.forge.headers) - before <= pages_left + 9, "what had come is not asked for again"
        assert kept < {row.path for row in world.rows()}
        assert len(world.rows()) >= MANY
        assert all(row.first_seen is None for row in world.rows()), "a first sync in two parts brings no news"


async def test_the_next_sync_asks_for_changes_alone(world: Syncing) -> None:
    await world.sync()
    before = len(world.forge.headers)
    report = await world.sync()
    (forge,) = report.forges
    assert not forge.full
    assert forge.listed < MANY / 10
    assert len(world.forge.headers) - before < 10


async def test_what_left_the_forge_leaves_the_catalog_and_what_moved_moves(tmp_path: Path) -> None:
    with syncing(tmp_path, light=50) as world:
        await world.sync()
        archived, untagged, moved = [row for row in world.rows() if row.path != ALPHA.path][:3]
        store = world.forge.store
        store.update("projects", int(archived.id), {"archived": 1})
        store.set_topics(int(untagged.id), ["something-else"])
        store.update("projects", int(moved.id), {"full_path": f"{moved.path}-moved"})
        before = {row.path for row in world.rows()}
        report = await world.sync(full=True)
        after = {row.path for row in world.rows()}
    assert report.forges[0].removed == 2
    assert before - after == {archived.path, untagged.path, moved.path}
    assert after - before == {f"{moved.path}-moved"}


async def test_what_was_archived_leaves_with_the_next_sync(tmp_path: Path) -> None:
    with syncing(tmp_path, light=150) as world:
        await world.sync()
        gone = [row for row in world.rows() if row.path != ALPHA.path][:30]
        for row in gone:
            world.forge.store.update("projects", int(row.id), {"archived": 1})
            world.forge.store.touch(int(row.id))
        before = len(world.forge.paths)
        report = await world.sync()
        (forge,) = report.forges
        assert (forge.full, forge.removed) == (False, 30)
        assert "30 gone" in forge.text
        assert not {row.path for row in gone} & {row.path for row in world.rows()}
        assert len(world.forge.paths) - before <= 8
        assert (await world.sync()).forges[0].removed == 0


async def test_what_lost_its_tag_leaves_with_the_next_sync_unless_everything_was_just_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with syncing(tmp_path, light=150) as world:
        await world.sync()
        untagged = next(row for row in world.rows() if row.path != ALPHA.path)
        world.forge.store.set_topics(int(untagged.id), ["something-else"])
        world.forge.store.create_project("brand/new", topics=("innersource",))
        (forge,) = (await world.sync()).forges
        assert (forge.full, forge.removed) == (False, 0), "everything was listed a moment ago"
        monkeypatch.setattr("isexplore.catalog.sync._FULL_SOONEST", 0)
        (forge,) = (await world.sync()).forges
        assert (forge.full, forge.removed) == (True, 1)
        paths = {row.path for row in world.rows()}
        assert untagged.path not in paths
        assert "brand/new" in paths
        (forge,) = (await world.sync()).forges
        assert not forge.full, "the forge's count is what it should be"


async def test_what_leaves_after_a_listing_in_two_parts_is_noticed_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(self: Writer, *_: object, **__: object) -> None:
        raise asyncio.CancelledError

    with syncing(tmp_path, light=50) as world:
        with monkeypatch.context() as patch:
            patch.setattr(Writer, "drop_unlisted", die)
            with pytest.raises(asyncio.CancelledError):
                await world.sync()
        assert (await world.sync()).complete
        assert not (await world.sync()).forges[0].full
        untagged = next(row for row in world.rows() if row.path != ALPHA.path)
        world.forge.store.set_topics(int(untagged.id), ["something-else"])
        monkeypatch.setattr("isexplore.catalog.sync._FULL_SOONEST", 0)
        (forge,) = (await world.sync()).forges
        assert (forge.full, forge.removed) == (True, 1)


async def test_when_the_forge_wants_fewer_requests_everybody_waits_and_the_sync_says_so(
    tmp_path: Path,
) -> None:
    with syncing(tmp_path, light=1_500, knobs=Knobs(request_limit=6, retry_after=1)) as world:
        told: list[SyncProgress] = []
        asked_while_waiting: list[int] = []

        async def lift() -> None:
            while not any(each.waiting for each in told):  # noqa: ASYNC110 - progress is told by a plain call
                await asyncio.sleep(0.01)
            asked_while_waiting.append(len(world.forge.headers))
            world.forge.knobs.request_limit = None

        lifting = asyncio.create_task(lift())
        report = await world.sync(told=told)
        await lifting
        assert report.complete
        assert len(world.rows()) >= 1_500
    waiting = next(each for each in told if each.waiting)
    assert "asks to wait 1 s" in waiting.text
    refused = asked_while_waiting[0] - 6
    assert refused <= world.config.network.concurrency, "each of the places was refused once at most"


async def test_a_half_failed_sync_keeps_the_old_rows_and_says_what_failed(tmp_path: Path) -> None:
    with syncing(tmp_path, light=50) as world:
        await world.sync()
        before = {row.path for row in world.rows()}
        world.forge.knobs.faults.append(
            Fault(status=500, body=b'{"message":"500 Internal Server Error"}', path="/api/v4/projects")
        )
        code, out, err = await asyncio.to_thread(world.run, "sync", "--full")
        assert code != 0
        assert f"{FORGE}: innersource: " in err
        assert "500" in err
        assert {row.path for row in world.rows()} == before
        with world.catalog() as catalog:
            ((forge, reason),) = catalog.incomplete()
            assert forge == FORGE
            assert "innersource" in reason
            assert "500" in reason
        code, out, err = await asyncio.to_thread(world.run, "search", "--limit", "1")
        assert code == 0
        assert out.strip()
        assert f"{FORGE}: innersource" in err
        assert (await world.sync()).complete
        with world.catalog() as catalog:
            assert catalog.incomplete() == []


async def test_a_small_forge_is_looked_at_in_full(tmp_path: Path) -> None:
    with syncing(tmp_path) as world:
        report = await world.sync(looks=50)
        assert report.forges[0].enriched == len(world.rows())
        with world.catalog() as catalog:
            alpha = catalog.project(FORGE, ALPHA.path)
            assert alpha is not None
            assert alpha.good_first_issues == 1
            assert "CONTRIBUTING" in alpha.documents
            (issue,) = first_issues(catalog, "").issues
            assert (issue.project, issue.number, issue.verdict) == (ALPHA.path, 1, "free")
            assert [row.path for row in search(catalog, "small library").rows] == [ALPHA.path]


async def test_a_readme_that_never_ends_is_read_to_its_limit(tmp_path: Path) -> None:
    with syncing(tmp_path) as world:
        huge = gzip.compress(b"endless words " * 4_000_000)
        world.forge.knobs.faults.append(
            Fault(
                status=200,
                body=huge,
                media_type="text/plain",
                headers={"Content-Encoding": "gzip"},
                path="/repository/files/README.md/raw",
            )
        )
        report = await world.sync(looks=50)
        assert report.complete
        with world.catalog() as catalog:
            texts = [catalog.readme(row) for row in world.rows()]
        assert any(text.startswith("endless words") for text in texts)
        assert max(map(len, texts)) <= 4_096


async def test_a_fresh_verdict_is_in_the_list_of_first_issues_too(tmp_path: Path) -> None:
    with syncing(tmp_path) as world:
        await world.sync(looks=50)
        services = world.services()

        def listed() -> list[tuple[int, str]]:
            services.reopen_catalog()
            return [(one.number, one.verdict) for one in services.first_issues("").issues]

        assert listed() == [(1, "free")]
        store = services.journey_store
        journey = store.start(Journey(id="", forge=FORGE, project=ALPHA.path, issue=1), lambda known: False)
        assert listed() == [(1, "yours")]
        assert services.first_issues("verdict:free").issues == []
        store.update(journey.id, {"outcome": "merged"})
        assert listed() == []
        store.forget(journey.id)
        assert listed() == [(1, "free")]
        world.forge.ask(
            "/projects/tools%2Falpha/issues/1/notes",
            method="POST",
            data={"body": "I'll take it"},
            token=MARA_TOKEN,
        )
        verdict = (await services.read_issue(ProjectRef(FORGE, ALPHA.path), 1)).line.verdict
        assert verdict.verdict.value == "maybe-taken"
        assert listed() == [(1, "maybe-taken")]
        world.forge.ask(
            "/projects/tools%2Falpha/issues/1", method="PUT", data={"state_event": "close"}, token=MARA_TOKEN
        )
        await services.read_issue(ProjectRef(FORGE, ALPHA.path), 1)
        assert listed() == []
        await services.disconnect()
