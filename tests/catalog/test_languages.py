"""The languages of all projects, a hundred by one question."""

from __future__ import annotations

from pathlib import Path

import pytest

from isexplore.catalog.query import search
from isexplore.catalog.store import faults
from isexplore.practice.seed import CommitSeed, ProjectSeed
from isexplore.practice.server import Fault
from tests.support.practice import SEEDS
from tests.support.syncing import FORGE, Syncing, syncing

MANY = 450


def asked(world: Syncing, word: str) -> int:
    """Return how many requests for something the forge has had."""
    return sum(word in path for path in world.forge.paths)


async def test_the_languages_of_every_project_are_known_after_the_first_sync(tmp_path: Path) -> None:
    with syncing(tmp_path, light=MANY) as world:
        report = await world.sync(looks=1)
        rows = world.rows()
        store = world.forge.store
        told = {
            str(path): str(language)
            for path, language in store.tuples("SELECT full_path, language FROM projects")
            if language
        }
        assert report.complete
        assert asked(world, "/graphql") == -(-len(rows) // 100)
        assert {row.path: row.language for row in rows if row.language} == {
            row.path: told[row.path] for row in rows if row.path in told
        }
        with world.catalog() as catalog:
            some = search(catalog, "lang:java", limit=1_000)
            assert some.incomplete == []
            assert {row.path for row in some.rows} == {row.path for row in rows if row.language == "Java"}


async def test_a_sync_without_changes_asks_for_changes_alone(tmp_path: Path) -> None:
    with syncing(tmp_path, light=MANY) as world:
        await world.sync(looks=20)
        before = len(world.forge.paths)
        report = await world.sync(looks=20)
        later = world.forge.paths[before:]
        assert report.forges[0].enriched == 0
        assert len(later) <= 5, later
        assert {path.rpartition("/")[2] for path in later} <= {"version", "metadata", "topics", "projects"}


async def test_only_what_is_new_is_asked_for_later(tmp_path: Path) -> None:
    with syncing(tmp_path, light=50) as world:
        await world.sync(looks=1)
        assert asked(world, "/graphql") == 1
        world.forge.store.create_project(
            "brand/new", topics=("innersource",), languages={"Zig": 80.0, "C": 20.0}
        )
        await world.sync(looks=1)
        assert asked(world, "/graphql") == 2
        assert [row.languages for row in world.rows() if row.path == "brand/new"] == [("Zig", "C")]


@pytest.mark.parametrize("status", [404, 403])
async def test_where_graphql_is_closed_a_search_says_what_is_missing(tmp_path: Path, status: int) -> None:
    with syncing(tmp_path, light=50) as world:
        world.forge.knobs.faults.append(Fault(status=status, path="/api/graphql"))
        report = await world.sync(looks=10)
        assert report.complete, "the closer looks go on telling languages one by one"
        with world.catalog() as catalog:
            found = search(catalog, "lang:python")
            (missing,) = found.incomplete
            assert missing[0] == FORGE
            assert "are not known yet" in missing[1]
            assert faults(found.incomplete) == [], "nothing went wrong"
            assert search(catalog, "python").incomplete == []
        known = sum(row.language is not None for row in world.rows())
        assert 0 < known <= 10
        world.forge.knobs.faults.clear()
        await world.sync(looks=10)
        with world.catalog() as catalog:
            assert search(catalog, "lang:python").incomplete == []


async def test_too_heavy_a_question_is_asked_in_halves(tmp_path: Path) -> None:
    with syncing(tmp_path, light=50) as world:
        world.forge.knobs.faults.append(Fault(status=502, path="/api/graphql"))
        report = await world.sync(looks=1)
        assert report.complete
        assert asked(world, "/graphql") == 3
        assert sum(row.language is not None for row in world.rows()) > 40


async def test_where_graphql_is_closed_a_project_without_languages_is_known_once_it_was_looked_at(
    tmp_path: Path,
) -> None:
    words = CommitSeed("mara", "Write it down", 40, {"README.md": "# Words"})
    seeds = [
        ProjectSeed(path=path, description="", topics=("innersource",), members={"mara": 40}, commits=commits)
        for path, commits in (("docs/only", (words,)), ("docs/empty", ()))
    ]
    with syncing(tmp_path, seeds=[*SEEDS, *seeds]) as world:
        world.forge.knobs.faults.append(Fault(status=404, path="/api/graphql"))
        await world.sync(looks=50)
        rows = world.rows()
        assert all(row.enriched_at for row in rows)
        assert {"docs/only", "docs/empty"} <= {row.path for row in rows if row.language is None}
        with world.catalog() as catalog:
            assert search(catalog, "lang:python").incomplete == []


async def test_where_graphql_is_closed_it_is_asked_once_in_a_sync(tmp_path: Path) -> None:
    with syncing(tmp_path, light=MANY) as world:
        for times in (1, 2):
            world.forge.knobs.faults[:] = [Fault(status=403, path="/api/graphql")] * 10
            assert (await world.sync(looks=1)).complete
            assert asked(world, "/graphql") == times
