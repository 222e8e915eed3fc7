from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from isexplore.config.bookmarks import Bookmarks, Visits
from isexplore.config.files import StateFile
from isexplore.errors import StateError
from isexplore.models import Bookmark, ProjectRef

NOW = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
API = ProjectRef("work", "platform/api")
WEB = ProjectRef("work", "platform/web")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state.toml"


def test_a_visit_is_not_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "state.toml"
    visits = Visits(StateFile(file, lock_seconds=3_600))
    with StateFile(file).edit(), pytest.raises(StateError, match=r"within 0\.01 seconds"):
        visits.mark("explore", patience=0.01)


def test_bookmarks_last_in_the_order_they_were_made(file: Path) -> None:
    bookmarks = Bookmarks(StateFile(file), now=lambda: NOW)
    assert bookmarks.list() == []
    made = bookmarks.add(API, "ask\nAda  first", ("java", "later"))
    bookmarks.add(WEB)
    again = Bookmarks(StateFile(file))
    assert again.list() == [
        Bookmark(
            forge="work",
            path="platform/api",
            note="ask Ada first",
            tags=("java", "later"),
            added_at=NOW.replace(microsecond=0),
        ),
        Bookmark(forge="work", path="platform/web", added_at=NOW.replace(microsecond=0)),
    ]
    assert again.get(API) == made
    assert again.get(ProjectRef("other", API.path)) is None


def test_adding_again_changes_note_and_tags_only(file: Path) -> None:
    Bookmarks(StateFile(file), now=lambda: NOW).add(API, "old", ("a",))
    Bookmarks(StateFile(file)).add(API, "new", ())
    found = Bookmarks(StateFile(file)).list()
    assert [(each.note, each.tags, each.added_at) for each in found] == [
        ("new", (), NOW.replace(microsecond=0))
    ]


def test_adding_again_keeps_what_is_not_given(file: Path) -> None:
    bookmarks = Bookmarks(StateFile(file))
    bookmarks.add(API, "ask Ada first", ("java",))
    again = bookmarks.add(API)
    assert (again.note, again.tags) == ("ask Ada first", ("java",))
    assert bookmarks.add(API, "ask Bo").tags == ("java",)
    assert bookmarks.list() == [bookmarks.get(API)]


def test_removing_tells_whether_there_was_one(file: Path) -> None:
    bookmarks = Bookmarks(StateFile(file))
    assert not bookmarks.remove(API)
    assert not file.exists()
    bookmarks.add(API)
    bookmarks.add(WEB)
    assert bookmarks.remove(API)
    assert not bookmarks.remove(API)
    assert [each.ref for each in bookmarks.list()] == [WEB]


def test_bookmark_follows_a_moved_project(file: Path) -> None:
    bookmarks = Bookmarks(StateFile(file))
    bookmarks.add(API, "note")
    assert bookmarks.rename(API, ProjectRef("work", "core/api"))
    assert not bookmarks.rename(API, WEB)
    assert [(each.path, each.note) for each in bookmarks.list()] == [("core/api", "note")]


def test_two_bookmarks_of_one_project_become_one(file: Path) -> None:
    bookmarks = Bookmarks(StateFile(file), id_of=lambda ref: "7" if ref == API else "")
    bookmarks.add(WEB)
    bookmarks.add(API, "note", ("java",))
    assert bookmarks.rename(API, WEB)
    assert [(each.path, each.note, each.tags, each.id) for each in bookmarks.list()] == [
        (WEB.path, "note", ("java",), "7")
    ]


def test_hand_edited_entries_are_skipped_and_kept(file: Path) -> None:
    file.write_text(
        'bookmarks = [3, "x", {forge = 1, path = "p"}, {forge = "f"},\n'
        '  {forge = "f", path = "p", note = 5, tags = ["a", 2], added_at = 2026-01-02T03:04:05, colour = "red"}]\n'
    )
    bookmarks = Bookmarks(StateFile(file))
    assert bookmarks.list() == [
        Bookmark(forge="f", path="p", tags=("a",), added_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    ]
    bookmarks.add(API)
    bookmarks.remove(API)
    entries = StateFile(file).read()["bookmarks"]
    assert entries[:4] == [3, "x", {"forge": 1, "path": "p"}, {"forge": "f"}]
    assert entries[4]["colour"] == "red"


def test_bookmarks_of_another_shape_do_not_break_anything(file: Path) -> None:
    file.write_text('bookmarks = "mine"\nvisits = 3\n')
    assert Bookmarks(StateFile(file)).list() == []
    assert Visits(StateFile(file)).last("explore") is None


def test_bookmarks_of_another_shape_are_not_written_over(file: Path) -> None:
    text = '[bookmarks.mine]\nforge = "work"\npath = "platform/api"\nnote = "by hand"\n'
    file.write_text(text)
    with pytest.raises(StateError, match="cannot be added to") as raised:
        Bookmarks(StateFile(file)).add(API)
    assert "[[bookmarks]]" in raised.value.hint
    assert file.read_text() == text


def test_newer_file_is_not_changed(file: Path) -> None:
    file.write_text("schema = 99\n")
    with pytest.raises(StateError, match="newer"):
        Bookmarks(StateFile(file)).add(API)
    assert file.read_text() == "schema = 99\n"


def test_visits_are_remembered(file: Path) -> None:
    visits = Visits(StateFile(file), now=lambda: NOW)
    assert visits.last("explore") is None
    visits.mark("explore")
    visits.mark("work:platform/api")
    assert Visits(StateFile(file)).last("explore") == NOW.replace(microsecond=0)
    assert Visits(StateFile(file)).last("issues") is None
