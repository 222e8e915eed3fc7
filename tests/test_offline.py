"""After the forge is gone: everything that was seen is there, with its age; and what a broken disk does."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from isexplore.catalog import schema
from isexplore.config.bookmarks import EXPLORE
from isexplore.models import ProjectRef
from isexplore.practice.rows import LightProject
from isexplore.practice.seed import CommitSeed
from isexplore.practice.synthetic import rows
from isexplore.reading.facts import read_card
from tests.support.cli import CommandLine, no_log_outlives
from tests.support.practice import ALPHA, SEEDS
from tests.support.syncing import FORGE, Syncing, syncing

CARD = {
    "title": "Alpha",
    "motivation": "Everybody retries, nobody backs off",
    "contributions": ["Bugfixes", "Documentation"],
    "skills": ["Python"],
    "docs": "https://docs.example.com/alpha",
}
WITH_CARD = msgspec.structs.replace(
    ALPHA,
    commits=(
        *ALPHA.commits,
        CommitSeed(
            author="mara",
            message="Say what we want\n",
            days_ago=1,
            files={"innersource.json": json.dumps(CARD)},
        ),
    ),
)
REF = ProjectRef(FORGE, ALPHA.path)


@dataclass
class Left:
    """What is left when the forge has stopped, and the command line there."""

    world: Syncing
    run: CommandLine


@pytest.fixture
def left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, hurried: None
) -> Iterator[Left]:
    """A catalog that was synced with one bookmark, of a forge that is gone."""
    with syncing(tmp_path, seeds=(WITH_CARD, *SEEDS[1:]), light=20) as world:
        world.services().bookmarks.add(REF, note="try this")
        asyncio.run(world.sync(looks=1))
    for name, value in world.environment().items():
        monkeypatch.setenv(name, value)
    with no_log_outlives():
        yield Left(world, CommandLine(capsys, monkeypatch))


def test_a_search_without_network_tells_the_age_and_a_sync_names_the_forge(left: Left) -> None:
    code, out, _ = left.run("search", "--json", "small", "library")
    assert code == 0
    found = json.loads(out)
    assert [one["path"] for one in found["projects"]] == [ALPHA.path]
    assert found["as_of"]
    code, out, err = left.run("sync")
    assert code == 1
    assert FORGE in out + err
    code, out, err = left.run("search", "small library")
    assert code == 0
    assert ALPHA.path in out
    assert f"isexplore: {FORGE}: " in err, "that the forge could not be asked is said beside the results"


def test_a_bookmarked_project_keeps_guides_and_issues(left: Left) -> None:
    code, out, err = left.run("show", ALPHA.path, "--json")
    assert code == 0, err
    shown = json.loads(out)
    assert shown["offline"] is True
    code, out, err = left.run("search", ALPHA.path, "--json")
    (found,) = (one for one in json.loads(out)["projects"] if one["path"] == ALPHA.path)
    assert {name: shown[name] for name in found if name != "new"} == {
        name: value for name, value in found.items() if name != "new"
    }
    assert shown["as_of"]
    assert {"README", "CONTRIBUTING"} <= {one["name"] for one in shown["documents"]}
    (issue,) = shown["issues"]
    assert (issue["number"], issue["verdict"]) == (1, "free")
    assert shown["innersource"]["contributions"] == ["Bugfixes", "Documentation"]
    code, out, err = left.run("show", ALPHA.path)
    assert code == 0
    assert "A small library." in out
    assert "#1  free  Explain the back-off" in out
    assert "Everybody retries" in out
    assert "the forge cannot be asked now" in out


def test_a_first_issue_that_was_kept_is_read_without_network(left: Left) -> None:
    code, out, err = left.run("show", ALPHA.path, "--issue", "1")
    assert code == 0, err
    assert "Explain the back-off" in out
    assert "without its comments; the forge cannot be asked now" in out
    assert "isexplore: " in err
    code, out, err = left.run("show", ALPHA.path, "--issue", "1", "--json")
    assert code == 0, err
    shown = json.loads(out)
    assert (shown["number"], shown["offline"]) == (1, True)
    assert shown["as_of"]
    assert shown["notes"]
    assert left.run("show", ALPHA.path, "--issue", "99")[0] == 1


def test_first_issues_are_listed_without_network(left: Left) -> None:
    code, out, _ = left.run("issues", "--json")
    assert code == 0
    assert [(one["project"], one["number"]) for one in json.loads(out)["issues"]] == [(ALPHA.path, 1)]


def test_a_forge_that_was_never_reached_is_no_empty_catalog(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with syncing(tmp_path, seeds=(WITH_CARD,)) as world:
        pass
    for name, value in world.environment().items():
        monkeypatch.setenv(name, value)
    left = Left(world, CommandLine(capsys, monkeypatch))
    with no_log_outlives():
        _, out, _ = left.run("search", "alpha")
        assert "The catalog is empty" in out, "nobody has asked yet"
        assert left.run("sync")[0] == 1
        for words in (("search", "alpha"), ("issues",), ("issues", "alpha")):
            code, out, err = left.run(*words)
            assert code == 0
            assert f"{FORGE} could not be read. isexplore sync tries again." in out
            assert "is empty" not in out
            assert f"isexplore: {FORGE}: " in err
        code, out, _ = left.run("search", "--json", "alpha")
        ((reason,),) = ((one["reason"],) for one in json.loads(out)["incomplete"])
        assert reason not in (schema.NOTHING_YET, schema.NOT_FINISHED)


def test_a_card_is_shown_while_the_forge_is_there(tmp_path: Path) -> None:
    with syncing(tmp_path, seeds=(WITH_CARD,)) as world:
        asyncio.run(world.sync())
        code, out, err = world.run("show", ALPHA.path, "--json")
    assert code == 0, err
    shown = json.loads(out)
    assert shown["offline"] is False
    assert shown["innersource"] == CARD


def test_a_card_that_says_nothing_is_none() -> None:
    assert read_card("{}") is None
    assert read_card("[1]") is None
    assert read_card('{"motivation": 7}') is None


def test_what_turned_up_since_the_last_visit_is_marked(tmp_path: Path) -> None:
    with syncing(tmp_path, light=20) as world:
        asyncio.run(world.sync())
        services = world.services()
        assert services.news().words == "", "before the first visit everything would be new"
        services.end_visit()
        assert services.visits.last_second(EXPLORE) is not None
        with services.state.edit() as state:
            # The visit was long before what follows, which takes less than the second that it counts in.
            state["visits"][EXPLORE] = state["visits"][EXPLORE].replace(year=2020)
        gamma = LightProject(
            path="tools/gamma", description="Brand-new thing", topics=("innersource",), active_days_ago=0.0
        )
        world.forge.store.create_light_projects([gamma])
        asyncio.run(world.sync())
        fresh = world.services()
        news = fresh.news()
        assert [row.path for row in news.projects] == ["tools/gamma"]
        assert news.words == "1 new project since your last visit"
        rows = fresh.search("tools").rows
        assert {row.path for row in rows if fresh.is_new(row)} == {"tools/gamma"}
        code, out, _ = world.run("search", "--json", "tools")
    assert code == 0
    assert {one["path"] for one in json.loads(out)["projects"] if one["new"]} == {"tools/gamma"}


def test_saved_searches_work_on_the_command_line(left: Left) -> None:
    with left.world.paths.config_file.open("a", encoding="utf-8") as config:
        config.write('\n[searches]\nsmall = "small library"\n')
    found = left.run.done("search", "@small", "--json").json
    assert [one["path"] for one in found["projects"]] == [ALPHA.path]
    unknown = left.run("search", "@smal")
    assert unknown.code == 2
    assert "Did you mean @small?" in unknown.err


# A disk that does not do what it should


def the_file(left: Left) -> Path:
    (file,) = left.world.paths.catalog_dir.glob("*.sqlite")
    return file


def bookmarks(left: Left) -> list[str]:
    code, out, err = left.run("bookmark", "list", "--json")
    assert code == 0, err
    return [one["path"] for one in json.loads(out)["bookmarks"]]


@pytest.mark.parametrize("damage", ["garbage", "truncated", "emptied", "a folder"])
def test_a_damaged_catalog_is_said_and_no_bookmark_is_lost(left: Left, damage: str) -> None:
    file = the_file(left)
    if damage == "garbage":
        file.write_bytes(os.urandom(40_000))
    elif damage == "truncated":
        file.write_bytes(file.read_bytes()[:10_000])
    elif damage == "emptied":
        file.write_bytes(b"")
    else:
        file.unlink()
        file.mkdir()
    for words in (("search", "library"), ("issues",), ("search", "--json")):
        code, out, err = left.run(*words)
        assert code == 0, err
        assert "Traceback" not in err
        assert out.strip()
    assert FORGE in left.run("search", "library")[2]
    code, _, err = left.run("sync")
    assert code == 1
    assert "Traceback" not in err
    assert bookmarks(left) == [ALPHA.path]


def test_a_damaged_catalog_is_rebuilt_by_the_next_sync(tmp_path: Path) -> None:
    with syncing(tmp_path, light=5) as world:
        asyncio.run(world.sync())
        before = {row.path for row in world.rows()}
        (file,) = world.paths.catalog_dir.glob("*.sqlite")
        file.write_bytes(os.urandom(40_000))
        code, _, err = world.run("sync")
        assert code == 0, err
        assert {row.path for row in world.rows()} == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_cache_is_searched_and_said(left: Left) -> None:
    folder = left.world.paths.catalog_dir
    folder.chmod(0o500)
    try:
        code, out, err = left.run("search", "small library")
        assert code == 0, err
        assert ALPHA.path in out
        code, out, err = left.run("sync")
        assert code == 1
        assert "Traceback" not in err
    finally:
        folder.chmod(0o700)


def test_a_full_disk_is_said_and_the_catalog_stays(tmp_path: Path) -> None:
    with syncing(tmp_path, light=300) as world:
        asyncio.run(world.sync())
        before = len(world.rows())
        world.forge.store.create_light_projects(list(rows(3_000, seed=5)))
        limit = max(file.stat().st_size for file in world.paths.catalog_dir.glob("*.sqlite")) + 65_536
        code = (
            "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
            f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}));"
            "sys.argv = ['isexplore', 'sync', '--full'];"
            "from isexplore.__main__ import main; sys.exit(main())"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60,
            env=world.environment(),
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr
        assert "catalog" in done.stdout + done.stderr
        assert len(world.rows()) >= before
        assert world.run("search", "library")[0] == 0
