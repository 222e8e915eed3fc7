from __future__ import annotations

from pathlib import Path

import pytest

from isexplore.catalog import words
from isexplore.catalog.database import Database
from isexplore.catalog.issues import first_issues
from isexplore.catalog.shelf import JudgedIssue, Shelf
from isexplore.catalog.store import Catalog
from isexplore.catalog.write import Details, Writer
from isexplore.errors import UsageError
from isexplore.models import Issue, IssueVerdict, Verdict
from tests.support.catalog import ACCOUNT, NOW, catalog, fill, moment, project


def judged(path: str, number: int, title: str, verdict: Verdict, days: float, *labels: str) -> JudgedIssue:
    issue = Issue(
        forge="work",
        project=path,
        number=number,
        title=title,
        url=f"https://git.example.com/{path}/-/issues/{number}",
        labels=("good first issue", *labels),
        description="The **retry** loop",
        created_at=moment(days + 100),
        updated_at=moment(days),
    )
    return JudgedIssue(issue, IssueVerdict(verdict=verdict, reasons=("because",)))


@pytest.fixture
def view(tmp_path: Path) -> Catalog:
    fill(
        tmp_path,
        [
            project("pay/billing", language="Go", stars=200, forks=30, topics=("api",)),
            project("infra/tool", language="Python", stars=1),
            project("infra/unseen"),
        ],
    )
    with Database(ACCOUNT, str(tmp_path), clock=NOW.timestamp) as database:
        shelf = Shelf(database)
        shelf.put_issues(
            "pay/billing",
            [
                judged("pay/billing", 1, "Explain the back-off", Verdict.STALE, 400),
                judged("pay/billing", 2, "Add a dark theme", Verdict.FREE, 30, "UI"),
            ],
        )
        shelf.put_issues(
            "infra/tool", [judged("infra/tool", 7, "Typo in back-off docs", Verdict.MAYBE_TAKEN, 1, "docs")]
        )
        Writer(database).enrich(
            [("pay/billing", Details(documents=("CONTRIBUTING",))), ("infra/tool", Details())]
        )
    return catalog(tmp_path)


def numbers(view: Catalog, text: str) -> list[int]:
    return [each.number for each in first_issues(view, text, now=NOW.timestamp()).issues]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [2, 1, 7]),
        ("sort:updated", [7, 2, 1]),
        ("sort:stars", [2, 1, 7]),
        ("sort:name", [7, 1, 2]),
        ("back-off", [1, 7]),
        ("retry -dark", [1, 7]),
        ("billing", [2, 1]),
        ('"dark theme"', [2]),
        ("verdict:free,stale", [2, 1]),
        ("-verdict:free", [1, 7]),
        ("lang:go", [2, 1]),
        ("lang:py", [7]),
        ("group:infra", [7]),
        ("project:tool", [7]),
        ("project:pay/billing label:ui", [2]),
        ("topic:api has:contributing", [2, 1]),
        ("updated:90d", [2, 7]),
        ("-updated:90d", [1]),
        ("updated:7d,90d", [2, 7]),
        ("age:200d", [2, 7]),
        ("forge:work lang:rust", []),
    ],
)
def test_filters_and_orders(view: Catalog, text: str, expected: list[int]) -> None:
    assert numbers(view, text) == expected


def test_the_shape_that_scripts_rely_on(view: Catalog) -> None:
    found = first_issues(view, "verdict:free")
    assert found.issues[0].as_json() == {
        "forge": "work",
        "project": "pay/billing",
        "number": 2,
        "title": "Add a dark theme",
        "url": "https://git.example.com/pay/billing/-/issues/2",
        "labels": ["good first issue", "UI"],
        "verdict": "free",
        "reasons": ["because"],
        "updated": "2025-05-02T12:00:00Z",
        "created": "2025-01-22T12:00:00Z",
        "language": "Go",
    }
    assert found.as_of == "2025-06-01T12:00:00Z"
    missing = "the first issues of 1 project are not known yet; each sync asks for more"
    assert found.notice == missing
    assert found.incomplete == [("work", missing)], "a part never looks like all"


def test_new_issues_are_told_from_those_of_the_first_look(view: Catalog, tmp_path: Path) -> None:
    later = NOW.timestamp() + 1_000
    with Database(ACCOUNT, str(tmp_path), clock=lambda: later) as database:
        Shelf(database).put_issues(
            "pay/billing",
            [
                judged("pay/billing", 2, "Add a dark theme", Verdict.FREE, 30),
                judged("pay/billing", 3, "Brand new", Verdict.FREE, 0),
            ],
        )
    found = {each.number: each.first_seen for each in first_issues(view, "project:billing").issues}
    assert found == {2: None, 3: int(later)}


def test_paging_and_errors(view: Catalog) -> None:
    found = first_issues(view, "", limit=1, offset=1)
    assert (found.total, [each.number for each in found.issues]) == (3, [1])
    with pytest.raises(UsageError, match="verdict"):
        first_issues(view, "verdict:maybe")
    with pytest.raises(UsageError):
        first_issues(view, "active:90d")


def test_texts_are_read_once_until_somebody_writes(
    view: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folded: list[str] = []
    tokens = words.tokens

    def counted(text: str) -> list[str]:
        folded.append(text)
        return tokens(text)

    monkeypatch.setattr(words, "tokens", counted)

    def descriptions_folded() -> int:
        number = sum("retry" in text for text in folded)
        folded.clear()
        return number

    assert numbers(view, "loop") == [2, 1, 7]
    assert descriptions_folded() == 3
    assert numbers(view, "loo") == [2, 1, 7]
    assert descriptions_folded() == 0
    with Database(ACCOUNT, str(tmp_path), clock=NOW.timestamp) as database:
        Shelf(database).put_issues("infra/tool", [judged("infra/tool", 8, "Another", Verdict.FREE, 2)])
    assert numbers(view, "loop") == [8, 2, 1]
    assert first_issues(view, "another").issues[0].description == "The **retry** loop"


def test_an_issue_is_one_s_own_only_while_it_is(view: Catalog) -> None:
    mine = {("work", "pay/billing", 2): 0}
    assert [each.verdict for each in first_issues(view, "dark", mine=mine).issues] == ["yours"]
    assert [each.verdict for each in first_issues(view, "dark").issues] == ["free"]
