"""What is new since the last visit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from isexplore.catalog.database import Database
from isexplore.catalog.language import expand
from isexplore.catalog.news import news
from isexplore.catalog.shelf import JudgedIssue, Shelf
from isexplore.catalog.write import Details, Writer
from isexplore.errors import UsageError
from isexplore.models import Issue, IssueVerdict, Verdict
from tests.support.catalog import ACCOUNT, NOW, catalog, fill, project
from tests.support.listing_forge import Clock

FREE = IssueVerdict(verdict=Verdict.FREE, reasons=("nobody is assigned",))


def issue(number: int) -> JudgedIssue:
    one = Issue(
        forge="work", project="a/kept", number=number, title=f"Issue {number}", url=f"https://x/{number}"
    )
    return JudgedIssue(one, FREE)


def test_what_was_there_at_the_first_sync_is_not_new_and_what_came_later_is(tmp_path: Path) -> None:
    fill(tmp_path, [project("a/old", stars=9), project("a/kept")])
    clock = Clock(NOW)
    visit = int(clock())
    clock.pass_(hours=1)
    with Database(ACCOUNT, os.fspath(tmp_path), clock=clock) as database:
        Writer(database).upsert([project("a/old", stars=10), project("a/new")])
    found = news(catalog(tmp_path), visit, [])
    assert [row.path for row in found.projects] == ["a/new"]
    assert found.words == "1 new project since your last visit"
    assert news(catalog(tmp_path), int(clock()), []).words == ""


def test_issues_are_new_in_bookmarks_only_and_not_at_the_first_look(tmp_path: Path) -> None:
    fill(tmp_path, [project("a/kept"), project("a/other")])
    clock = Clock(NOW)
    with Database(ACCOUNT, os.fspath(tmp_path), clock=clock) as database:
        shelf, writer = Shelf(database), Writer(database)
        for pid in ("a/kept", "a/other"):
            shelf.put_issues(pid, [issue(1)])
        writer.enrich((pid, Details(good_first_issues=1)) for pid in ("a/kept", "a/other"))
        visit = int(clock())
        clock.pass_(hours=1)
        for pid in ("a/kept", "a/other"):
            shelf.put_issues(pid, [issue(1), issue(2)])
    found = news(catalog(tmp_path), visit, [("work", "a/kept"), ("work", "a/gone"), ("lab", "a/kept")])
    assert [(one.project, one.number) for one in found.issues] == [("a/kept", 2)]
    assert found.words == "1 new first issue in your bookmarks since your last visit"


def test_before_the_first_visit_nothing_is_new(tmp_path: Path) -> None:
    fill(tmp_path, [project("a/one")])
    with Database(ACCOUNT, os.fspath(tmp_path)) as database:
        Writer(database).upsert([project("a/two")])
    assert news(catalog(tmp_path), None, [("work", "a/one")]).words == ""


def test_many_new_projects_are_counted_and_the_best_are_named(tmp_path: Path) -> None:
    fill(tmp_path, [project("a/one")])
    with Database(ACCOUNT, os.fspath(tmp_path)) as database:
        Writer(database).upsert(project(f"b/p{number}", stars=10 * number) for number in range(250))
    found = news(catalog(tmp_path), int(NOW.timestamp()), [])
    assert (len(found.projects), found.projects_total) == (200, 250)
    assert found.projects[0].path == "b/p249"


SAVED = {"mine": "lang:python has:gfi", "Fresh": "active:30d"}


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("@mine", "lang:python has:gfi"),
        ("retry @fresh -legacy", "retry active:30d -legacy"),
        ("@mine @Fresh", "lang:python has:gfi active:30d"),
        ('"@mine"', '"@mine"'),
        ("mia@example.com", "mia@example.com"),
        ("@", "@"),
        ("group:@mine", "group:@mine"),
    ],
)
def test_a_saved_search_stands_for_its_text(typed: str, means: str) -> None:
    assert expand(typed, SAVED) == means


def test_an_unknown_saved_search_is_named_with_the_nearest_one() -> None:
    with pytest.raises(UsageError) as caught:
        expand("@mime", SAVED)
    assert '"@mime"' in caught.value.title
    assert caught.value.hint == "Did you mean @mine?"
    with pytest.raises(UsageError) as caught:
        expand("@mine", {})
    assert "[searches]" in caught.value.detail


def test_a_saved_search_that_is_being_typed_is_no_error_yet() -> None:
    assert expand("retry @mi", SAVED, typing=True) == "retry "
    with pytest.raises(UsageError):
        expand("@mi retry", SAVED, typing=True)
    with pytest.raises(UsageError):
        expand("-@mine", SAVED, typing=True)
