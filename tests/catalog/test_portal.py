from __future__ import annotations

import csv
import io
import json
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isexplore.catalog.database import Database
from isexplore.catalog.portal import as_csv, import_repos, read_repos, repos_json, side_by_side
from isexplore.catalog.query import search
from isexplore.catalog.write import Details, Writer
from isexplore.errors import WrongAnswerError
from isexplore.models import Visibility
from tests.support.catalog import ACCOUNT, NOW, catalog, fill, project

_TYPES: dict[str, type | tuple[type, ...]] = {
    "id": (int, str),
    "name": str,
    "full_name": str,
    "html_url": str,
    "description": (str, type(None)),
    "created_at": (str, type(None)),
    "updated_at": (str, type(None)),
    "stargazers_count": int,
    "watchers_count": int,
    "forks_count": int,
    "open_issues_count": int,
    "subscribers_count": int,
    "language": (str, type(None)),
    "license": (dict, type(None)),
    "owner": dict,
    "_InnerSourceMetadata": dict,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(
        tmp_path,
        [
            project("pay/billing", id="12", language="Go", topics=("api",), stars=20, licence="MIT"),
            project(
                "pay/formula", id="abc", description="=HYPERLINK(1)", created_at=None, last_activity=None
            ),
        ],
    )
    with Database(ACCOUNT, str(tmp_path), clock=NOW.timestamp) as database:
        Writer(database).enrich(
            [
                (
                    "12",
                    Details(
                        documents=("CONTRIBUTING",),
                        guidelines="contributing.rst",
                        participation=(1,) * 52,
                        card='{"motivation": "Why"}',
                    ),
                )
            ]
        )
    return tmp_path


def test_the_export_has_the_portals_types(folder: Path) -> None:
    entries: list[dict[str, Any]] = json.loads(repos_json(catalog(folder)))
    for entry in entries:
        assert {name for name, kind in _TYPES.items() if not isinstance(entry[name], kind)} == set()
        assert isinstance(entry["owner"]["login"], str)
        assert entry["owner"]["login"]
        assert isinstance(entry["_InnerSourceMetadata"]["score"], int)
    billing = next(entry for entry in entries if entry["id"] == 12)
    assert billing["_InnerSourceMetadata"] == {
        "motivation": "Why",
        "topics": ["api"],
        "participation": [1] * 52,
        "score": billing["_InnerSourceMetadata"]["score"],
        "guidelines": "contributing.rst",
    }


def test_what_is_not_known_is_not_made_up(tmp_path: Path) -> None:
    fill(
        tmp_path,
        [project("a/b", id="0815", created_at=None, last_activity=None, default_branch="", avatar_url="")],
    )
    (entry,) = json.loads(repos_json(catalog(tmp_path)))
    assert entry["id"] == "0815"
    assert (entry["created_at"], entry["updated_at"], entry["license"]) == (None, None, None)
    assert {"pushed_at", "default_branch"}.isdisjoint(entry)
    assert {"participation", "guidelines"}.isdisjoint(entry["_InnerSourceMetadata"])


def test_what_is_known_is_told(tmp_path: Path) -> None:
    picture = "https://git.example.com/a.png"
    fill(tmp_path, [project("a/b", avatar_url=picture, licence="MIT", visibility=Visibility.PRIVATE)])
    (entry,) = json.loads(repos_json(catalog(tmp_path)))
    assert entry["owner"] == {"login": "a", "avatar_url": picture}
    assert (entry["license"], entry["visibility"], entry["private"]) == ({"name": "MIT"}, "private", True)


def test_what_was_exported_can_be_read_back(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    before = catalog(folder)
    read = read_repos(repos_json(before).encode(), forge="work", url=ACCOUNT.url)
    assert read.skipped == 0
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with Database(ACCOUNT, str(elsewhere), clock=NOW.timestamp) as database:
        import_repos(Writer(database), read.projects, origin="https://portal/repos.json", run="1", as_of=7)
    after = catalog(elsewhere)
    names = (
        "path",
        "name",
        "url",
        "language",
        "topics",
        "stars",
        "licence",
        "participation",
        "card",
        "score",
    )
    for row in search(before, "billing").rows:
        (copy,) = search(after, "billing has:contributing").rows
        assert {name: getattr(copy, name) for name in names} == {name: getattr(row, name) for name in names}
    assert after.as_of() == 7


def test_a_second_reading_takes_out_what_is_gone_but_never_the_forges_own(folder: Path) -> None:
    def entries(*paths: str) -> bytes:
        return json.dumps(
            [
                {"id": path, "full_name": path, "name": path, "html_url": f"{ACCOUNT.url}/{path}"}
                for path in paths
            ]
        ).encode()

    with Database(ACCOUNT, str(folder), clock=NOW.timestamp) as database:
        writer = Writer(database)
        for run, paths in (("1", ("x/one", "x/two", "pay/billing")), ("2", ("x/two",))):
            read = read_repos(entries(*paths), forge="work", url=ACCOUNT.url)
            import_repos(writer, read.projects, origin="repos.json", run=run)
    view = catalog(folder)
    assert sorted(row.path for row in search(view, "").rows) == ["pay/billing", "pay/formula", "x/two"]
    billing = view.project("work", "pay/billing")
    assert billing is not None
    assert (billing.id, billing.stars) == ("12", 20)


def test_a_list_does_not_take_away_what_a_look_at_the_project_found(folder: Path) -> None:
    entry = {"id": "x", "full_name": "x/one", "html_url": f"{ACCOUNT.url}/x/one"}
    read = read_repos(json.dumps([entry]).encode(), forge="work", url=ACCOUNT.url)
    with Database(ACCOUNT, str(folder), clock=NOW.timestamp) as database:
        writer = Writer(database)
        import_repos(writer, read.projects, origin="repos.json", run="1")
        looked = Details(documents=("CONTRIBUTING", "README"), guidelines="docs/CONTRIBUTING.md")
        writer.enrich([("x", looked)])
        import_repos(writer, read.projects, origin="repos.json", run="2")
    row = catalog(folder).project("work", "x/one")
    assert row is not None
    assert (row.documents, row.guidelines) == (("CONTRIBUTING", "README"), "docs/CONTRIBUTING.md")


@pytest.mark.parametrize("data", [b"", b"{}", b"<html>", b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_list_of_projects_is_refused(data: bytes) -> None:
    with pytest.raises(WrongAnswerError) as caught:
        read_repos(data, forge="work", where="https://portal/repos.json")
    assert "https://portal/repos.json" in caught.value.detail


def test_odd_entries_are_skipped_and_odd_values_survived() -> None:
    odd: list[object] = [
        None,
        3,
        {},
        {"full_name": "no/address"},
        {"full_name": "x", "html_url": "javascript:alert(1)"},
        {"full_name": "other/forge", "html_url": "https://elsewhere.example.com/other/forge"},
        {
            "id": 5,
            "full_name": "a/b",
            "html_url": "https://git.example.com/a/b",
            "description": None,
            "stargazers_count": -4,
            "forks_count": "many",
            "open_issues_count": 1e308,
            "created_at": "yesterday",
            "updated_at": "2024-05-01T10:00:00.877Z",
            "owner": "text",
            "license": [],
            "_InnerSourceMetadata": {
                "topics": ["a", None, 3],
                "participation": ["x", 4],
                "score": "N/A",
                "skills": "go",
            },
        },
    ]
    read = read_repos(json.dumps(odd).encode(), forge="work", url="https://git.example.com/")
    assert read.skipped == 6
    ((found, details),) = read.projects
    assert (found.id, found.stars, found.forks, found.open_issues) == ("5", 0, 0, None)
    assert found.last_activity is not None
    assert found.topics == ("a", "3")
    assert details.participation == (0, 4)


def test_entries_are_told_apart_by_address_and_those_left_out_are_counted() -> None:
    def entry(address: str, **facts: object) -> dict[str, object]:
        return {"id": 5, "full_name": "team/tool", "html_url": address, **facts}

    entries = [
        entry("https://one.example.com/team/tool"),
        entry("https://two.example.com/team/tool"),
        entry("https://two.example.com/team/other", full_name="team/other"),
        entry("https://two.example.com/team/other/", full_name="team/other", name="the last one counts"),
        {"full_name": "no/address"},
    ]
    found = read_repos(json.dumps(entries).encode(), forge="list")
    assert (len(found.projects), found.skipped, found.repeated) == (3, 1, 1)
    kept, lost = side_by_side(found.projects)
    assert [(each.project.id, each.project.path, each.project.name) for each in kept] == [
        ("5", "team/tool", "tool"),
        ("https://two.example.com/team/other/", "team/other", "the last one counts"),
    ]
    assert lost == 1, "two forges have a project at this path"


_LINES = st.text(st.characters(codec="utf-8"), max_size=30)
_NUMBERS = st.integers(0, 1 << 31)
_MOMENTS = st.none() | st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.isoformat())
_ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(0, 10**18) | st.sampled_from(["0815", "12", "٣", "abc", ""]),
            "full_name": st.from_regex(r"[a-z]{1,3}/[a-zA-Z0-9._-]{1,5}", fullmatch=True),
            "html_url": st.from_regex(r"https://[ab]\.example\.com/[a-z]{1,2}/[a-z0-9]{1,3}", fullmatch=True),
        },
        optional={
            "name": _LINES,
            "description": st.none() | _LINES,
            "created_at": _MOMENTS,
            "updated_at": _MOMENTS,
            "pushed_at": _MOMENTS,
            "stargazers_count": _NUMBERS,
            "forks_count": _NUMBERS,
            "open_issues_count": st.none() | _NUMBERS,
            "subscribers_count": _NUMBERS,
            "language": st.none() | _LINES,
            "license": st.none() | _LINES | st.fixed_dictionaries({"name": _LINES}),
            "visibility": st.sampled_from(["public", "internal", "private", "?"]),
            "default_branch": _LINES,
            "owner": st.fixed_dictionaries(
                {"login": _LINES}, optional={"avatar_url": st.sampled_from(["", "https://a/b.png", "x"])}
            ),
            "_InnerSourceMetadata": st.fixed_dictionaries(
                {},
                optional={
                    "topics": st.lists(st.none() | _LINES, max_size=4),
                    "participation": st.lists(st.integers(-5, 70_000), max_size=60),
                    "guidelines": st.none() | st.sampled_from(["CONTRIBUTING.md", "docs/how.rst", ""]),
                    "motivation": _LINES,
                    "skills": st.lists(_LINES, max_size=3),
                    "language": _LINES,
                    "score": st.integers(),
                },
            ),
        },
    ),
    max_size=5,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(entries=_ENTRIES)
def test_what_was_exported_is_exported_again_once_it_was_read(entries: list[dict[str, Any]]) -> None:
    def passed_through(data: str) -> tuple[str, int]:
        found = read_repos(data.encode(), forge="list")
        kept, lost = side_by_side(found.projects)
        with TemporaryDirectory() as folder:
            with Database(ACCOUNT, folder, clock=NOW.timestamp) as database:
                import_repos(Writer(database), kept, origin="list", run="1", as_of=7)
            with catalog(Path(folder)) as view:
                return repos_json(view), found.skipped + found.repeated + lost

    first, left_out = passed_through(json.dumps(entries))
    assert len(json.loads(first)) + left_out == len(entries)
    again, left_out = passed_through(first)
    assert left_out == 0
    assert json.loads(again) == json.loads(first)


def test_csv_holds_no_formulas(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(catalog(folder)))))
    assert {row["path"]: row["description"] for row in rows} == {
        "pay/billing": "",
        "pay/formula": "'=HYPERLINK(1)",
    }
    assert rows[0]["topics"] == "api"


def _entry_at(number: int) -> dict[str, object]:
    return {"full_name": f"a/p{number}", "html_url": f"https://git.example.com/a/p{number}"}


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        " [ ] ",
        json.dumps([_entry_at(1), _entry_at(2)]),
        json.dumps([_entry_at(1), 7, None, "x", [], _entry_at(2)], indent=1),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_list_is_read_in_every_encoding_that_json_may_have(text: str, encoding: str) -> None:
    whole = json.loads(text)
    found = read_repos(text.encode(encoding), forge="work")
    assert len(found.projects) == sum(isinstance(each, dict) for each in whole)
    assert found.skipped == len(whole) - len(found.projects)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "7",
        "null",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,]",
        "[1 2]",
        "[1] 2",
        "[1]]",
        "[{]",
        "no JSON",
        "[" * 100_000,
    ],
)
def test_what_is_no_list_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(WrongAnswerError, match="list of projects cannot be read"):
        read_repos(text.encode(), forge="work")
    with pytest.raises(WrongAnswerError):
        read_repos(text.encode("utf-16"), forge="work")
    with pytest.raises(WrongAnswerError):
        read_repos(text.encode() + b"\xff", forge="work")
