"""What the catalog does when its file, its disk or a project is not as it should be."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from isexplore.catalog import schema, words
from isexplore.catalog.database import Database
from isexplore.catalog.facets import completions
from isexplore.catalog.query import search
from isexplore.catalog.store import Catalog
from isexplore.catalog.write import Details, Writer
from isexplore.errors import StateError
from tests.support.catalog import ACCOUNT, NOW, catalog, fill, made_up, project

_PAGE = 4_096
DAY = 86_400


def the_file(folder: Path) -> Path:
    return folder / ACCOUNT.file_name


def opened(folder: Path, days: int = 0) -> Database:
    return Database(ACCOUNT, str(folder), clock=lambda: NOW.timestamp() + days * DAY)


def read_all(folder: Path) -> list[tuple[str, str]]:
    """Look at everything that a reader looks at; return what is said to be missing."""
    with catalog(folder) as view:
        for text in ("", "s", "service lang:go", "kuberntes", "sort:name s", '"rate limit"', "active:1y"):
            found = search(view, text, now=NOW.timestamp())
            found.window(0, 1_000)
            found.facets()
        for row in search(view, "").rows[:3]:
            view.readme(row)
            view.documents(row)
        completions(view, "lang:p")
        view.resolve("service")
        view.new_since(1)
        return view.incomplete()


def written(folder: Path) -> str:
    """Do everything that a writer does; return what is told."""
    try:
        write_all(folder)
    except StateError as error:
        return error.title
    return ""


def write_all(folder: Path) -> None:
    with opened(folder, 40) as database:
        writer = Writer(database)
        writer.upsert(made_up(40, seed=9))
        writer.enrich([("10005", Details(readme="something else"))])
        writer.rerank()
        writer.projects_to_enrich(5, first=["a/b"])
        writer.drop_unlisted("never began")
        writer.finish(as_of=5, optimize=True)


def test_a_page_that_went_bad_is_found_in_use_and_mended(tmp_path: Path) -> None:
    fill(tmp_path, made_up(80), readmes=20)
    whole = the_file(tmp_path).read_bytes()
    damaged = 0
    for page in range(2, len(whole) // _PAGE, 7):
        for left in tmp_path.iterdir():
            left.unlink()
        start = page * _PAGE
        the_file(tmp_path).write_bytes(whole[:start] + Random(page).randbytes(_PAGE) + whole[start + _PAGE :])
        said = read_all(tmp_path)
        assert said in ([], [("work", schema.BROKEN)])
        damaged += bool(said)
        told = written(tmp_path)
        assert told in ("", "The catalog file is damaged")
        assert not told or written(tmp_path) == ""
        assert read_all(tmp_path) == []
    assert damaged


def test_damage_that_a_search_with_a_deadline_comes_upon(tmp_path: Path) -> None:
    fill(tmp_path, made_up(80), readmes=20)
    whole = the_file(tmp_path).read_bytes()
    with catalog(tmp_path) as view:
        the_file(tmp_path).write_bytes(whole[:_PAGE] + Random(3).randbytes(len(whole) - _PAGE))
        found = search(view, "service", deadline=3_600.0, typing=True)
        assert found.rows == []
        assert found.incomplete == [("work", schema.BROKEN)]


def test_a_text_that_is_no_text_is_damage(tmp_path: Path) -> None:
    fill(tmp_path, [project("a/b", description="Zebra crossing")])
    the_file(tmp_path).write_bytes(
        the_file(tmp_path).read_bytes().replace(b"Zebra c", b"\xff\xfe\xff\xfe\xff c")
    )
    with opened(tmp_path, 100) as database, pytest.raises(StateError, match="damaged"):
        Writer(database).rerank()
    assert catalog(tmp_path).incomplete() == [("work", schema.BROKEN)]
    with opened(tmp_path) as database:
        assert database.notice is not None


def test_a_file_that_is_out_of_reach_is_not_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, [project("a/b")])
    holder = sqlite3.connect(the_file(tmp_path), isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("PRAGMA journal_mode = DELETE")
    holder.execute("BEGIN EXCLUSIVE")
    connect = sqlite3.connect
    at_once = SimpleNamespace(**vars(sqlite3))
    at_once.connect = lambda *args, **options: connect(*args, **{**options, "timeout": 0})
    monkeypatch.setattr(schema, "sqlite3", at_once)
    monkeypatch.setattr(schema, "_set_up", lambda connection: None)
    with pytest.raises(StateError, match="Another isexplore"):
        opened(tmp_path)
    assert catalog(tmp_path).incomplete() == [("work", "its catalog file cannot be read: database is locked")]
    holder.execute("ROLLBACK")
    holder.close()
    assert catalog(tmp_path).count() == 1
    assert not list(tmp_path.glob("*.broken"))


def test_two_programs_that_find_a_broken_file_make_one_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    the_file(tmp_path).write_bytes(b"not a database" * 1_000)
    fault = schema._fault

    def meanwhile(path: str) -> str | None:
        found = fault(path)
        monkeypatch.setattr(schema, "_fault", fault)
        fill(tmp_path, [project("a/b")])
        return found

    monkeypatch.setattr(schema, "_fault", meanwhile)
    with opened(tmp_path) as database:
        assert Writer(database).count() == 1
        assert database.notice is None


def test_a_disk_that_is_full_changes_nothing(tmp_path: Path) -> None:
    fill(tmp_path, made_up(50))
    with opened(tmp_path, 400) as database:
        (pages,) = database.ask("PRAGMA page_count")[0]
        database.ask(f"PRAGMA max_page_count = {pages + 1}")
        writer = Writer(database)
        for work in (
            lambda: writer.upsert(made_up(500, seed=4)),
            lambda: writer.begin_listing("x" * 100_000),
        ):
            with pytest.raises(StateError, match="disk is full"):
                work()
        assert search(catalog(tmp_path), "").total == 50
        database.ask("PRAGMA max_page_count = 100000")
        assert writer.upsert(made_up(60, seed=4)) == 60


def test_a_disk_that_may_only_be_read(tmp_path: Path) -> None:
    fill(tmp_path, [project("a/b")])
    with opened(tmp_path, 100) as database:
        database.ask("PRAGMA query_only = 1")
        writer = Writer(database)
        for work in (lambda: writer.upsert([project("a/c")]), writer.rerank, writer.finish):
            with pytest.raises(StateError, match="cannot be written") as caught:
                work()
            assert "writable" in caught.value.hint
    assert search(catalog(tmp_path), "").total == 1


def test_another_program_that_does_not_let_go(tmp_path: Path) -> None:
    fill(tmp_path, [project("a/b")])
    with opened(tmp_path) as first, opened(tmp_path) as second:
        second.ask("PRAGMA busy_timeout = 0")
        with first.transaction(), pytest.raises(StateError, match="Another isexplore"):
            Writer(second).upsert([project("a/c")])
        assert Writer(second).upsert([project("a/c")]) == 1


def test_killed_while_projects_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, made_up(80), readmes=20)
    before = [row.path for row in search(catalog(tmp_path), "", limit=100).rows]

    def killed(self: Writer, changes: object) -> None:
        raise KeyboardInterrupt

    with opened(tmp_path, 200) as database:
        writer = Writer(database)
        with monkeypatch.context() as patch:
            patch.setattr(Writer, "_index", killed)
            with pytest.raises(KeyboardInterrupt):
                writer.rerank()
        assert [row.path for row in search(catalog(tmp_path), "", limit=100).rows] == before
        assert writer.rerank() > 40
        for table in ("meta", "deep"):
            database.ask(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")
    after = search(catalog(tmp_path), "", limit=100).rows
    assert sorted(row.path for row in after) == sorted(before)
    assert [row.score for row in after] == sorted((row.score for row in after), reverse=True)


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    folder = tmp_path_factory.mktemp("some")
    fill(folder, made_up(60), readmes=10)
    return catalog(folder)


@pytest.mark.parametrize(
    "text",
    ["\udcff", "topic:\udcff", "-group:\udcff/x lang:\udcff", '"\udcff a"', "topic:\x00", "(((", "{a b}: c", "-- -",
     "a*:* ^a + b", "ﷺ" * 300, "group:" + "a/" * 400, "lang:" + ",".join(map(str, range(300))), "\u202ea\u2069"],
)  # fmt: skip
def test_whatever_is_typed_is_answered(some: Catalog, text: str) -> None:
    for typed in (text, f"s {text}", f"{text} sort:name service"):
        found = search(some, typed, typing=True)
        assert found.count() == len(found.window(0, 100))
        found.facets()
        found.spans("a Service, ﷺ")
    completions(some, text)
    assert some.resolve(text) == []
    assert some.project("work", text) is None


def test_a_long_word_is_no_slip(some: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    edits = words.edits

    def counted(word: str) -> Iterable[str]:
        asked.append(word)
        return edits(word)

    monkeypatch.setattr(words, "edits", counted)
    assert search(some, "x" * 21 + " servcie").corrected is None
    assert asked == ["servcie"]
    late = search(some, "servcie biling", deadline=0.0)
    assert late.late
    assert asked == ["servcie"]


@pytest.mark.parametrize("topic", ['say "hi", you', "a,b", '"', "x:y", "-not", "a:*", "@me"])
def test_a_topic_can_be_asked_for_whatever_it_is_called(tmp_path: Path, topic: str) -> None:
    fill(
        tmp_path, [project("g/it", topics=(topic,)), project("g/other", topics=("hi", "you", "b", "y", "me"))]
    )
    view = catalog(tmp_path)
    known = [
        value
        for value in completions(view, "topic:")
        if value.text.strip('"') not in ["hi", "you", "b", "y", "me"]
    ]
    for value in known:
        assert [row.path for row in search(view, value.applied("topic:")).rows] == ["g/it"]
    assert bool(known) == (topic != '"')
