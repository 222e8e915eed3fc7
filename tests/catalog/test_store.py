from __future__ import annotations

import os
import random
import sqlite3
import string
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from isexplore.catalog import schema
from isexplore.catalog.database import Database
from isexplore.catalog.query import search
from isexplore.catalog.shelf import Shelf
from isexplore.catalog.store import Account, Catalog, pack_weeks, rfc3339, unpack_weeks
from isexplore.catalog.write import Details, Writer
from isexplore.errors import StateError
from isexplore.models import Document, Role, Visibility
from tests.support.catalog import ACCOUNT, NOW, catalog, fill, made_up, moment, project

ROOT = Path(__file__).parents[2]


def open_writer(folder: Path, clock: float = NOW.timestamp()) -> tuple[Database, Writer]:
    database = Database(ACCOUNT, str(folder), clock=lambda: clock)
    return database, Writer(database)


def test_a_project_comes_back_as_it_was(tmp_path: Path) -> None:
    original = project(
        "g/sub/name",
        id="77",
        description="What it does",
        visibility=Visibility.PRIVATE,
        topics=("a", "b c"),
        language="Go",
        languages=("Go", "C"),
        licence="MIT",
        stars=3,
        forks=2,
        open_issues=4,
        good_first_issues=1,
        subscribers=9,
        ssh_url="ssh://git@git.example.com:2222/g/sub/name.git",
        clone_url="https://other.example.com/clone",
        readme_path="docs/README.md",
        merge_requests_enabled=False,
        forking_enabled=False,
        can_propose=True,
        role=Role.DEVELOPER,
    )
    database, writer = open_writer(tmp_path)
    with database:
        writer.upsert([original])
        assert writer.project("77") == original
        assert writer.project("78") is None


def test_rows_tell_what_scripts_rely_on(tmp_path: Path) -> None:
    fill(tmp_path, [project("g/name", language="Go", topics=("a",), stars=3)])
    (row,) = search(catalog(tmp_path), "").rows
    assert row.as_json() == {
        "forge": "work",
        "path": "g/name",
        "name": "name",
        "description": "",
        "url": "https://git.example.com/g/name",
        "visibility": "internal",
        "language": "Go",
        "topics": ["a"],
        "stars": 3,
        "forks": 0,
        "open_issues": None,
        "good_first_issues": None,
        "last_activity": "2025-05-12T12:00:00Z",
        "score": row.score,
        "level": row.level,
    }
    assert row.has_contributing is None
    assert "changed this month" in row.reasons(NOW.timestamp())


def test_an_update_moves_the_project_to_its_new_rank(tmp_path: Path) -> None:
    database, writer = open_writer(tmp_path)
    with database:
        writer.upsert([project("a/one", stars=900), project("a/two", stars=1)])
        writer.upsert([project("a/two", stars=9_000, description="now about parquet")])
        writer.upsert([project("a/two", stars=9_000, description="now about parquet")])
        writer.finish(as_of=1)
    view = catalog(tmp_path)
    assert [row.path for row in search(view, "").rows] == ["a/two", "a/one"]
    assert [row.path for row in search(view, "parquet two").rows] == ["a/two"]
    assert search(view, "").total == 2


def test_a_renamed_project_stays_one(tmp_path: Path) -> None:
    database, writer = open_writer(tmp_path)
    with database:
        writer.upsert([project("old/name", id="5")])
        writer.upsert([project("new/place", id="5")])
        writer.upsert([project("old/name", id="6", description="a successor")])
    view = catalog(tmp_path)
    assert sorted((row.path, row.id) for row in search(view, "").rows) == [
        ("new/place", "5"),
        ("old/name", "6"),
    ]
    assert search(view, "place").total == 1


def test_two_projects_that_claim_one_path_leave_one(tmp_path: Path) -> None:
    database, writer = open_writer(tmp_path)
    with database:
        writer.upsert([project("same/path", id="1"), project("same/path", id="2", description="second")])
        writer.remove(["2"])
    view = catalog(tmp_path)
    assert search(view, "path").total == 0


def test_a_listing_does_not_forget_what_a_closer_look_found(tmp_path: Path) -> None:
    database, writer = open_writer(tmp_path)
    with database:
        writer.upsert([project("a/b")])
        writer.enrich(
            [("a/b", Details(languages=("Go",), documents=("README",), good_first_issues=2, readme="zebra"))]
        )
        writer.upsert([project("a/b", stars=40)])
    (row,) = search(catalog(tmp_path), "zebra has:gfi has:readme lang:go").rows
    assert (row.stars, row.good_first_issues, row.language) == (40, 2, "Go")


def test_indexes_stay_true_through_many_changes(tmp_path: Path) -> None:
    rng = random.Random(3)
    database, writer = open_writer(tmp_path)
    alive: dict[str, str] = {}
    with database:
        for _ in range(60):
            batch = []
            for number in rng.sample(range(40), 8):
                word = rng.choice(["alpha", "beta", "gamma", "delta"])
                alive[str(number)] = word
                batch.append(
                    project(f"g/p{number}", id=str(number), description=word, stars=rng.randrange(5_000))
                )
            writer.upsert(batch)
            writer.enrich([(rng.choice(sorted(alive)), Details(readme=f"readme {rng.choice('xyz')}q"))])
            gone = rng.choice(sorted(alive))
            writer.remove([gone])
            del alive[gone]
        writer.rerank()
        database.connection.execute("INSERT INTO meta (meta) VALUES ('integrity-check')")
        database.connection.execute("INSERT INTO deep (deep) VALUES ('integrity-check')")
    view = catalog(tmp_path)
    for word in ("alpha", "beta", "gamma", "delta"):
        expected = {f"g/p{number}" for number, each in alive.items() if each == word}
        assert {row.path for row in search(view, word).rows} == expected
    assert {row.path for row in search(view, "").rows} == {f"g/p{number}" for number in alive}


def test_activity_fades_without_a_change(tmp_path: Path) -> None:
    fill(
        tmp_path, [project("busy/then", last_activity=moment(0), stars=120), project("calm/ever", stars=130)]
    )
    assert search(catalog(tmp_path), "").rows[0].path == "busy/then"
    database, writer = open_writer(tmp_path, NOW.timestamp() + 300 * 86_400)
    with database:
        assert writer.rerank() == 2
        assert writer.rerank() == 0
    assert search(catalog(tmp_path), "").rows[0].path == "calm/ever"


HOSTILE = [
    "a\x00b",
    "'; DROP TABLE project; --",
    '"quoted" AND *',
    'NEAR("a" b, 2) ^x -y {c}:z,w',
    "\ue000lpython",
    "\x1b[2J\x07",
    "\u202egnp.exe",
    "é" * 50,
    "e" + "\u0301" * 200,
    "x" * 100_000,
    "👩‍👩‍👧" * 30,
    "../../etc/passwd",
    "-rf",
    "\ud800",
    " ",
    "ﬁ ligature Ⅷ ²",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(tmp_path: Path, name: str) -> None:
    hostile = project(
        "g/hostile", name=name, description=name, topics=(name, name), owner=name, language=name
    )
    database, writer = open_writer(tmp_path)
    with database:
        writer.upsert([hostile, project("g/plain", language="Python")])
        writer.enrich([("g/hostile", Details(readme=name, documents=(name,)))])
        writer.finish(as_of=1)
        writer.upsert([project("g/hostile", name="calm")])
        database.connection.execute("INSERT INTO meta (meta) VALUES ('integrity-check')")
    view = catalog(tmp_path)
    assert [row.path for row in search(view, "calm").rows] == ["g/hostile"]
    assert [row.path for row in search(view, "lang:python").rows] == ["g/plain"]
    for row in search(view, "").rows:
        assert row.name.isprintable()
        row.name.encode()


def test_a_project_with_endless_topics(tmp_path: Path) -> None:
    many = project("g/many", topics=tuple(f"topic-{number}" for number in range(100_000)))
    fill(tmp_path, [many, project("g/few", topics=("topic-99999",))])
    view = catalog(tmp_path)
    (row,) = search(view, "many").rows
    assert len(row.topics) == 64
    assert [each.path for each in search(view, "topic:topic-99999").rows] == ["g/few"]


@pytest.mark.parametrize(
    "text", ["g/sub/name", "https://git.example.com/g/sub/name", "https://git.example.com/g/sub/name.git",
             "https://git.example.com/g/sub/name/-/issues/4", "sub/name", "name", "NAME/"]
)  # fmt: skip
def test_a_project_is_named_in_many_ways(tmp_path: Path, text: str) -> None:
    fill(tmp_path, [project("g/sub/name"), project("g/sub/other-name"), project("g/na_me")])
    assert [row.path for row in catalog(tmp_path).resolve(text)] == ["g/sub/name"]


def test_an_ambiguous_end_gives_all(tmp_path: Path) -> None:
    fill(tmp_path, [project("a/tool", stars=1), project("b/tool", stars=500)])
    view = catalog(tmp_path)
    assert [row.path for row in view.resolve("tool")] == ["b/tool", "a/tool"]
    assert view.resolve("a/tool")[0].path == "a/tool"
    assert (view.nearest("b/tol"), view.nearest("z/other")) == ("b/tool", None)
    assert view.resolve("%") == view.resolve("") == view.resolve("none") == []


def test_a_missing_catalog_is_empty_and_says_so(tmp_path: Path) -> None:
    found = search(catalog(tmp_path / "nowhere"), "x")
    assert (found.rows, found.total, found.as_of) == ([], 0, None)
    assert found.incomplete == [("work", "not synced yet")]
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\x00" + b"\xff" * 5_000])
def test_a_broken_file_is_set_aside_and_rebuilt(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / ACCOUNT.file_name
    path.write_bytes(content)
    assert search(catalog(tmp_path), "x").incomplete
    database, writer = open_writer(tmp_path)
    with database:
        assert (database.notice is not None) == bool(content)
        assert (database.notice or "begun anew").endswith("begun anew")
        writer.upsert([project("a/b")])
        writer.finish(as_of=5)
    assert catalog(tmp_path).incomplete() == []
    assert catalog(tmp_path).count() == 1
    assert not content or (tmp_path / (ACCOUNT.file_name + ".broken")).read_bytes() == content


@pytest.mark.parametrize("version", [1, schema.VERSION - 1, schema.VERSION + 1])
def test_a_file_of_another_version_is_rebuilt(tmp_path: Path, version: int) -> None:
    fill(tmp_path, [project("a/b")])
    with sqlite3.connect(tmp_path / ACCOUNT.file_name) as db:
        db.execute(f"PRAGMA user_version = {version}")
    db.close()
    assert catalog(tmp_path).count() == 0
    told = schema.NEWER_VERSION if version > schema.VERSION else schema.OTHER_VERSION
    assert catalog(tmp_path).incomplete() == [("work", told)]
    database, writer = open_writer(tmp_path)
    with database:
        assert "another version" in (database.notice or "")
        assert writer.count() == 0


def test_a_catalog_is_not_rebuilt_when_it_is_opened_again(tmp_path: Path) -> None:
    fill(tmp_path, [project("a/b")])
    database, writer = open_writer(tmp_path)
    with database:
        assert database.notice is None
        assert writer.count() == 1


def test_reading_works_where_nothing_may_be_written(tmp_path: Path) -> None:
    fill(tmp_path, [project("a/readable")])
    if os.geteuid() == 0:
        # Root may write anywhere, so the connection itself is asked not to.
        view = catalog(tmp_path)
        assert view.stores[0].connection is not None
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            view.stores[0].connection.execute("DELETE FROM project")
    else:
        tmp_path.chmod(0o500)
        view = catalog(tmp_path)
    assert search(view, "readable").total == 1
    tmp_path.chmod(0o700)


def test_a_folder_that_cannot_be_made_is_a_state_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError) as caught:
        Database(ACCOUNT, str(tmp_path / "file" / "catalog"))
    assert caught.value.hint


_OTHER = """
import sys
from pathlib import Path
sys.path[:0] = [{root!r}]
from tests.support.catalog import ACCOUNT, made_up
from isexplore.catalog.database import Database
from isexplore.catalog.write import Writer
with Database(ACCOUNT, {folder!r}) as database:
    writer = Writer(database)
    projects = list(made_up(300, seed=int(sys.argv[1])))
    for start in range(0, 300, 20):
        writer.upsert(projects[start : start + 20])
    writer.finish(as_of=1)
"""


def test_two_programs_write_and_a_third_reads(tmp_path: Path) -> None:
    code = _OTHER.format(root=str(ROOT), folder=str(tmp_path))
    running = [
        subprocess.Popen([sys.executable, "-c", code, seed], stderr=subprocess.PIPE, text=True)
        for seed in ("7", "7")
    ]
    counts = []
    while any(each.poll() is None for each in running):
        with catalog(tmp_path) as view:
            counts.append(search(view, "").total)
    for each in running:
        assert each.communicate()[1] == ""
        assert each.returncode == 0
    assert counts == sorted(counts)
    assert catalog(tmp_path).count() == 300
    assert catalog(tmp_path).incomplete() == []


def test_several_make_the_same_new_file_at_once(tmp_path: Path) -> None:
    together = threading.Barrier(6)

    def open_it(path: str) -> None:
        together.wait(10)
        schema.open_for_writing(path).connection.close()

    with ThreadPoolExecutor(6) as pool:
        for number in range(60):
            list(pool.map(open_it, [str(tmp_path / f"{number}.sqlite3")] * 6))


def test_a_reader_sees_that_somebody_wrote(tmp_path: Path) -> None:
    fill(tmp_path, [project("a/b")])
    view = catalog(tmp_path)
    before = view.revision()
    assert view.revision() == before
    database, writer = open_writer(tmp_path)
    with database:
        writer.upsert([project("a/c")])
        assert view.revision() != before
        assert search(view, "").total == 2


def test_guides_are_kept_for_the_train(tmp_path: Path) -> None:
    fill(tmp_path, [project("a/b")])
    database, _ = open_writer(tmp_path, 99.0)
    with database:
        shelf = Shelf(database)
        documents = [
            Document(name="CONTRIBUTING", path="CONTRIBUTING.md", text="Sign off. " * 9_000, truncated=True),
            Document(name="README", path="README.md", text="# Größe"),
        ]
        shelf.put_documents("a/b", documents, {"README.md": "abc"})
        shelf.put_documents("a/b", documents, {"README.md": "abc"})
    view = catalog(tmp_path)
    (row,) = search(view, "").rows
    readme, contributing = view.documents(row)
    assert (readme.name, readme.text, readme.version, readme.fetched_at) == ("README", "# Größe", "abc", 99)
    assert contributing.truncated
    assert contributing.text == "Sign off. " * 9_000


def test_account_files_are_safe_and_apart() -> None:
    names = {
        Account(forge, url, user).file_name
        for forge in ("work", "../../etc", "a/b", "Ä" * 300, "")
        for url in ("https://a", "https://b/")
        for user in ("mia", "noa")
    }
    assert len(names) == 20
    assert all(set(name) <= {*string.ascii_lowercase, *string.digits, *"-."} for name in names)
    assert all(len(name) < 80 for name in names)
    assert Account("a", "https://x/") == Account("a", "https://x")


def test_weeks_and_times() -> None:
    assert unpack_weeks(pack_weeks([0, 3, 70_000, -1])) == (0, 3, 65_535, 0)
    assert unpack_weeks(pack_weeks([])) == ()
    assert rfc3339(0) == "1970-01-01T00:00:00Z"
    assert rfc3339(10**30) is None
    assert rfc3339(None) is None


def test_a_search_survives_projects_that_leave_meanwhile(tmp_path: Path) -> None:
    fill(tmp_path, made_up(100))
    view: Catalog = catalog(tmp_path)
    found = search(view, "", limit=10)
    database, writer = open_writer(tmp_path)
    with database:
        writer.remove([row.id for row in found.rows[:5]])
    assert len(found.window(0, 10)) == 5
    assert len(search(view, "", limit=10).rows) == 10
