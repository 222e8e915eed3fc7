"""Project lists of a portal (`repos.json`): as files and addresses, beside forges, and as exported here."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from isexplore.catalog.database import Database
from isexplore.catalog.portal import as_csv, repos_json
from isexplore.catalog.reports import ForgeReport
from isexplore.catalog.schema import NOT_FINISHED
from isexplore.config.accounts import source_names
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.models import ForgeKind, ProjectRef
from isexplore.portals import read_sources
from isexplore.services import Services
from isexplore.updates import sync
from tests.support.forge import ForgeServer, Reply, Seen
from tests.support.practice import ALPHA
from tests.support.syncing import FORGE, syncing

ENTRIES: list[dict[str, object]] = [
    {
        "id": 7,
        "name": "tram-times",
        "full_name": "city/tram-times",
        "html_url": "https://git.example.com/city/tram-times",
        "description": "When the next tram comes",
        "stargazers_count": 12,
        "pushed_at": "2026-05-01T10:00:00Z",
        "language": "Rust",
        "_InnerSourceMetadata": {
            "topics": ["innersource", "trams"],
            "motivation": "Nobody likes to wait in the rain",
            "contributions": ["Bugfixes"],
            "participation": [1] * 52,
        },
    },
    {"name": "no address"},
]


def services(folder: Path, *sources: str) -> Services:
    return Services(Paths.under(folder), Config(sources=sources))


async def read(world: Services) -> ForgeReport:
    (report,) = await read_sources(world)
    world.reopen_catalog()
    return report


@pytest.fixture
async def server() -> AsyncIterator[ForgeServer]:
    async with ForgeServer().running() as running:
        yield running


async def test_a_file_is_read_and_searched(tmp_path: Path) -> None:
    file = tmp_path / "repos.json"
    file.write_text(json.dumps(ENTRIES))
    world = services(tmp_path / "world", str(file))
    report = await read(world)
    assert (report.listed, report.skipped, report.failures) == (1, 1, ())
    assert report.notices == ("1 entry left out, without a path or a web address",)
    (row,) = world.search("tram").rows
    assert (row.forge, row.path, row.stars) == ("list:repos.json", "city/tram-times", 12)
    assert sum(row.weeks) == 52
    assert world.catalog.incomplete() == []


async def test_that_a_list_is_read_is_told(tmp_path: Path) -> None:
    file = tmp_path / "repos.json"
    file.write_text(json.dumps(ENTRIES))
    told: list[str] = []
    await sync(
        services(tmp_path / "world", str(file)), on_progress=lambda progress: told.append(progress.text)
    )
    assert told == ["list:repos.json: reading the list"]


async def test_an_unchanged_file_is_not_taken_in_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "repos.json"
    file.write_text(json.dumps(ENTRIES))
    world = services(tmp_path / "world", str(file))
    await read(world)
    with monkeypatch.context() as patch:
        patch.delattr("isexplore.portals.read_repos")
        assert (await read(world)).failures == ()
    assert world.search("tram").total == 1
    file.write_text(json.dumps([{**ENTRIES[0], "name": "bus-times"}]))
    await read(world)
    assert [row.name for row in world.search("").rows] == ["bus-times"]


async def test_a_list_that_lost_most_of_its_projects_is_believed_the_second_time(tmp_path: Path) -> None:
    file = tmp_path / "repos.json"
    entries = [
        {"id": number, "full_name": f"city/p{number}", "html_url": f"https://git.example.com/city/p{number}"}
        for number in range(30)
    ]
    file.write_text(json.dumps(entries))
    world = services(tmp_path / "world", str(file))
    await read(world)
    file.write_text(json.dumps(entries[:5]))
    report = await read(world)
    assert report.spared == 25
    assert report.notices == (
        "it no longer names 25 projects, which is many at once: kept until it says so again",
    )
    assert world.search("").total == 30
    await read(world)
    assert world.search("").total == 5


async def test_an_address_is_read_and_an_unchanged_list_costs_nothing(
    tmp_path: Path, server: ForgeServer
) -> None:
    def answer(seen: Seen) -> Reply:
        if seen.headers.get("if-none-match") == '"one"':
            return Reply(304)
        return Reply(body=ENTRIES, headers={"ETag": '"one"'})

    server.on("GET", "/repos.json", answer)
    world = services(tmp_path, f"{server.url}/repos.json")
    assert (await read(world)).listed == 1
    again = await read(world)
    assert (again.listed, again.changed, again.failures) == (0, 0, ())
    assert len(server.requests) == 2
    assert [row.path for row in world.search("tram").rows] == ["city/tram-times"]


async def test_a_broken_list_keeps_what_was_and_is_asked_for_again(
    tmp_path: Path, server: ForgeServer
) -> None:
    broken = Reply(body=b'[{"name": ', headers={"ETag": '"broken"', "Content-Type": "application/json"})
    good = Reply(body=ENTRIES, headers={"ETag": '"one"'})
    server.on("GET", "/repos.json", good, broken, good)
    world = services(tmp_path, f"{server.url}/repos.json")
    await read(world)
    (failure,) = (await read(world)).failures
    assert "cannot be read" in failure.reason
    ((name, reason),) = world.catalog.incomplete()
    assert name.startswith("list:127.0.0.1")
    assert "cannot be read" in reason
    assert [row.path for row in world.search("tram").rows] == ["city/tram-times"]
    assert (await read(world)).failures == ()
    assert server.requests[-1].headers.get("if-none-match") == '"one"', "not the broken one's"
    assert world.catalog.incomplete() == []


async def test_a_source_that_is_down_is_named_and_its_projects_stay(
    tmp_path: Path, server: ForgeServer
) -> None:
    server.on("GET", "/repos.json", Reply(body=ENTRIES), Reply(500, {"message": "broken"}))
    world = services(tmp_path, f"{server.url}/repos.json")
    await read(world)
    (failure,) = (await read(world)).failures
    assert failure.kind == "unavailable"
    assert "has a problem" in world.catalog.incomplete()[0][1]
    assert world.search("tram").total == 1


async def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    world = services(tmp_path, str(tmp_path / "nowhere.json"))
    (failure,) = (await read(world)).failures
    assert "nowhere.json" in failure.reason
    assert "nowhere.json" in world.search("tram").incomplete[0][1]


async def test_two_lists_of_one_host_are_two_lists(tmp_path: Path, server: ForgeServer) -> None:
    places = [f"{server.url}/{name}" for name in ("trams.json", "buses.json", "buses.json?key=secret")]
    for name in ("trams", "buses"):
        entry = {
            **ENTRIES[0],
            "full_name": f"city/{name}",
            "html_url": f"https://git.example.com/city/{name}",
        }
        server.on("GET", f"/{name}.json", Reply(body=[entry], headers={"ETag": f'"{name}"'}))
    world = services(tmp_path, *places[:2], places[0])
    for _ in range(2):
        reports = await read_sources(world)
        assert [report.failures for report in reports] == [(), ()]
    world.reopen_catalog()
    host = server.url.partition("://")[2]
    assert {(row.forge, row.path) for row in world.search("").rows} == {
        (f"list:{host}/trams.json", "city/trams"),
        (f"list:{host}/buses.json", "city/buses"),
    }
    assert world.catalog.incomplete() == []
    for seen in server.requests:
        name = seen.path.strip("/").removesuffix(".json")
        assert seen.headers.get("if-none-match") in (None, f'"{name}"')
    named = source_names([*places, "a/repos.json", "b/repos.json", "c/others.json"])
    assert [*named.values()][2:] == [
        f"list:{host}/buses.json (2)",
        "list:a/repos.json",
        "list:b/repos.json",
        "list:others.json",
    ]


@pytest.mark.parametrize(("room", "told"), [(0, False), (-1, True)])
async def test_a_file_that_is_too_large_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, told: bool
) -> None:
    file = tmp_path / "repos.json"
    file.write_text(json.dumps(ENTRIES))
    monkeypatch.setattr("isexplore.portals.LIMIT", file.stat().st_size + room)
    report = await read(services(tmp_path / "world", str(file)))
    assert [("too large" in failure.reason) for failure in report.failures] == [True] * told
    assert report.listed == (0 if told else 1)


async def test_what_left_the_list_leaves_the_catalog(tmp_path: Path) -> None:
    file = tmp_path / "repos.json"
    more = [{**ENTRIES[0], "id": number, "full_name": f"city/t{number}", "name": f"t{number}",
             "html_url": f"https://git.example.com/city/t{number}"} for number in range(5)]  # fmt: skip
    file.write_text(json.dumps(more))
    world = services(tmp_path / "world", str(file))
    await read(world)
    file.write_text(json.dumps(more[:3]))
    await read(world)
    assert world.catalog_size() == 3


async def test_a_list_adds_to_a_forge_and_the_forge_s_own_word_counts(tmp_path: Path) -> None:
    with syncing(tmp_path, light=5) as world:
        await world.sync()
        before = {row.path: row.description for row in world.rows()}
        file = tmp_path / "repos.json"
        entries = [
            {**ENTRIES[0], "id": 9_000_001, "full_name": path, "html_url": f"{world.forge.url}/{path}",
             "description": "From the list"}
            for path in (ALPHA.path, "hidden/elsewhere")
        ]  # fmt: skip
        file.write_text(json.dumps(entries))
        listed = Services(world.paths, Config(forges=world.config.forges, sources=(str(file),)))
        await read_sources(listed)
        after = {row.path: row.description for row in world.rows()}
        assert after[ALPHA.path] == before[ALPHA.path]
        assert after["hidden/elsewhere"] == "From the list"
        assert len(after) == len(before) + 1
        assert {row.forge for row in listed.search("").rows} == {FORGE}


async def test_an_unchanged_list_is_shared_out_anew_when_somebody_signs_in(tmp_path: Path) -> None:
    file = tmp_path / "repos.json"
    file.write_text(json.dumps(ENTRIES))
    forge = ForgeConfig(name=FORGE, url="https://git.example.com", kind=ForgeKind.GITLAB)
    for username in (None, "mia"):
        known = replace(forge, username=username)
        world = Services(Paths.under(tmp_path / "world"), Config(forges=(known,), sources=(str(file),)))
        await read(world)
        assert [(row.forge, row.path) for row in world.search("").rows] == [(FORGE, "city/tram-times")]


async def test_an_unchanged_list_is_shared_out_anew_when_a_forge_s_file_was_damaged(tmp_path: Path) -> None:
    file = tmp_path / "repos.json"
    file.write_text(json.dumps(ENTRIES))
    forge = ForgeConfig(name=FORGE, url="https://git.example.com", kind=ForgeKind.GITLAB)
    world = Services(Paths.under(tmp_path / "world"), Config(forges=(forge,), sources=(str(file),)))
    await read(world)
    account = world.account_of(FORGE)
    assert account is not None
    (world.paths.catalog_dir / account.file_name).write_bytes(b"no database")
    # As the forge's own sync does before the lists are read.
    Database(account, str(world.paths.catalog_dir)).close()
    await read(world)
    assert [(row.forge, row.path) for row in world.search("").rows] == [(FORGE, "city/tram-times")]


async def test_a_list_does_not_tell_that_a_forge_has_told_everything(tmp_path: Path) -> None:
    with syncing(tmp_path) as world:
        file = tmp_path / "repos.json"
        file.write_text(json.dumps([{**ENTRIES[0], "html_url": f"{world.forge.url}/city/tram-times"}]))
        listed = Services(world.paths, Config(forges=world.config.forges, sources=(str(file),)))
        await read_sources(listed)
        with world.catalog() as catalog:
            assert catalog.incomplete() == [(FORGE, NOT_FINISHED)]
        await world.sync()
        assert [row.path for row in world.rows() if row.first_seen is not None] == []
        with world.catalog() as catalog:
            synced = catalog.as_of()
        with Database(listed.account_of(FORGE), str(listed.paths.catalog_dir)) as database:  # type: ignore[arg-type]
            database.set_facts(as_of=int(str(synced)) - 80_000)
        await read_sources(listed)
        with world.catalog() as catalog:
            assert catalog.as_of() == int(str(synced)) - 80_000, "what changed since is still to be asked for"


async def test_an_export_is_a_source_elsewhere_and_finds_the_same(tmp_path: Path) -> None:
    with syncing(tmp_path, light=30) as world:
        await world.sync(looks=3)
        with world.catalog() as catalog:
            exported, table = repos_json(catalog), as_csv(catalog)
            paths = {row.path for row in world.rows()}
    file = tmp_path / "exported.json"
    file.write_text(exported)
    elsewhere = services(tmp_path / "elsewhere", str(file))
    assert (await read(elsewhere)).listed == len(paths)
    found = elsewhere.search("")
    assert {row.path for row in found.window(0, 1_000)} == paths
    here = world.services()
    for text in ("small library", "sort:stars", "lang:python"):
        assert [row.path for row in elsewhere.search(text).rows][:1] == [
            row.path for row in here.search(text).rows
        ][:1]
    lines = list(csv.DictReader(io.StringIO(table, newline="")))
    assert {line["path"] for line in lines} == paths


async def test_the_command_line_exports_and_takes_in(tmp_path: Path) -> None:
    with syncing(tmp_path, light=10) as world:
        await world.sync()
        file = tmp_path / "out.json"
        code, _, err = await asyncio.to_thread(world.run, "export", str(file))
        assert code == 0, err
        written = file.read_text()
        assert len(json.loads(written)) == len(world.rows())
        [catalog] = world.paths.catalog_dir.glob("*.sqlite")
        catalog.write_bytes(b"no database" * 1_000)
        code, _, err = await asyncio.to_thread(world.run, "export", str(file))
        assert (code, file.read_text()) == (1, written)
        assert "nothing was written" in err


async def test_a_project_of_a_list_is_shown_as_far_as_it_is_known(tmp_path: Path) -> None:
    file = tmp_path / "repos.json"
    file.write_text(json.dumps(ENTRIES))
    world = services(tmp_path, str(file))
    await read(world)
    (row,) = world.search("tram").rows
    reading = await world.read(ProjectRef(row.forge, row.path))
    told = reading.as_json()
    assert (told["path"], told["stars"], told["score"]) == (row.path, 12, row.score)
    assert told["visibility"] == row.visibility
    assert any("from a list of projects only" in note for note in told["notes"])
    assert "When the next tram comes" in reading.as_text()


@pytest.mark.parametrize(("limit", "told"), [(3_000, False), (1_500, True)])
async def test_a_list_longer_than_any_other_answer_is_read_to_its_own_limit(
    tmp_path: Path, server: ForgeServer, monkeypatch: pytest.MonkeyPatch, limit: int, told: bool
) -> None:
    monkeypatch.setattr("isexplore.forge.body.STREAM_LIMIT", 1_000)
    monkeypatch.setattr("isexplore.portals.LIMIT", limit)
    server.on("GET", "/repos.json", Reply(body=[*ENTRIES, {"filler": "x" * 1_200}]))
    report = await read(services(tmp_path, f"{server.url}/repos.json"))
    assert bool(report.failures) == told
    assert report.listed == (0 if told else 1)
