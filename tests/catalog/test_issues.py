from __future__ import annotations

from pathlib import Path

import pytest

from isexplore.catalog import issues, words
from isexplore.catalog.database import Database
from isexplore.catalog.issues import first_issues, issues_of
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
        ("lang:golang", [2, 1]),
        ("LANG:GO", [2, 1]),
        ("group:PAY", [2, 1]),
        ("topic:ap", [2, 1]),
        ("has:description", [2, 1, 7]),
        ("-has:contributing", [7]),
        ("topic:api topic:nothing", []),
        ("verdict:free verdict:stale", [2, 1]),
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
    assert (found.notice, found.unseen) == (None, missing)
    assert found.incomplete == [("work", missing)], "a part never looks like all"


def test_an_issue_with_a_number_that_no_database_holds_is_left_out(view: Catalog, tmp_path: Path) -> None:
    with Database(ACCOUNT, str(tmp_path), clock=NOW.timestamp) as database:
        Shelf(database).put_issues(
            "infra/tool",
            [judged("infra/tool", number, "Typo", Verdict.FREE, 1) for number in (3, 0, 10**30)],
        )
    store = view.store("work")
    assert store is not None
    assert [issue.number for issue in issues_of(store, "infra/tool")] == [3]


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


@pytest.mark.parametrize(
    ("text", "expected", "showing"),
    [
        ("drak theme", [2], "dark theme"),
        ("expalin", [1], "explain"),
        ("tpyo lang:python", [7], "typo lang:python"),
        ("zzzzz", [], None),
        ('"drak theme"', [], None),
        ("drak verdict:stale", [], None),
    ],
)
def test_typing_errors_are_forgiven(
    view: Catalog, text: str, expected: list[int], showing: str | None
) -> None:
    found = first_issues(view, text, now=NOW.timestamp())
    assert ([each.number for each in found.issues], found.corrected) == (expected, showing)


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("lang:pyhton", "No first issue has lang:pyhton; did you mean lang:python?"),
        ("topic:apj", "No first issue has topic:apj; did you mean topic:api?"),
        ("group:pya", "No first issue has group:pya; did you mean group:pay?"),
        ("project:bilings", "No first issue has project:bilings; did you mean project:pay/billing?"),
        (
            "label:good-frist-issue",
            "No first issue has label:good-frist-issue; did you mean label:good-first-issue?",
        ),
        ("lang:cobol", "No first issue has lang:cobol"),
        ("lang:go", None),
        ("group:pa", None),
        ("-lang:pyhton", "No first issue has lang:pyhton; did you mean lang:python?"),
    ],
)
def test_a_value_that_no_issue_has_is_named_with_the_nearest(
    view: Catalog, text: str, notice: str | None
) -> None:
    assert first_issues(view, text, typing=True).notice == notice


@pytest.mark.parametrize(
    ("text", "hint"),
    [("verdict:fre", "verdict:free"), ("has:contribution", "has:contributing"), ("sort:star", "sort:stars")],
)
def test_a_bad_value_is_named_with_the_nearest(view: Catalog, text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        first_issues(view, text)
    assert hint in caught.value.hint


def test_a_key_press_does_not_wait_for_many_issues(
    view: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issues, "_SOON_READ", 1)
    late = first_issues(view, "back-off", deadline=60)
    assert (late.late, late.total, late.index) == (True, 0, None)
    assert first_issues(view, "").total == 3
    # Known now, but their words are not.
    assert first_issues(view, "verdict:free", deadline=60).total == 1
    assert first_issues(view, "back-off", deadline=60).late
    assert first_issues(view, "back-off").total == 2
    assert not first_issues(view, "back-off lang:go", deadline=60).late
    assert first_issues(view, "bcak", deadline=60).late, "all words together are not known yet"
    assert first_issues(view, "bcak").corrected == "back"
    assert first_issues(view, "loop", deadline=0).late
    with Database(ACCOUNT, str(tmp_path), clock=NOW.timestamp) as database:
        Shelf(database).put_issues("infra/tool", [judged("infra/tool", 8, "Back-off", Verdict.FREE, 2)])
    before = first_issues(view, "back-off", deadline=60)
    assert (before.late, before.outdated) == (False, True)
    assert [each.number if each else None for each in before.window(0, 9)] == [1, None], "7 has left"
    after = first_issues(view, "back-off")
    assert [each.number for each in after.issues] == [8, 1]
    assert not first_issues(view, "back-off", deadline=60).outdated


def test_an_issue_is_found_among_the_hits(view: Catalog) -> None:
    found = first_issues(view, "lang:go,python sort:name", limit=0)
    keys = [found.key(position) for position in range(found.total)]
    assert keys == [("work", "infra/tool", 7), ("work", "pay/billing", 1), ("work", "pay/billing", 2)]
    assert [found.index_of(*key) for key in keys] == [0, 1, 2]
    assert found.index_of("work", "pay/billing", 9) is None
    assert first_issues(view, "lang:go").index_of("work", "infra/tool", 7) is None


def test_an_issue_is_one_s_own_only_while_it_is(view: Catalog) -> None:
    mine = {("work", "pay/billing", 2): 0}
    assert [each.verdict for each in first_issues(view, "dark", mine=mine).issues] == ["yours"]
    assert [each.verdict for each in first_issues(view, "dark").issues] == ["free"]


def test_issues_are_found_by_what_their_project_is_called_by_now(view: Catalog, tmp_path: Path) -> None:
    assert numbers(view, "billing") == [2, 1]
    with Database(ACCOUNT, str(tmp_path), clock=NOW.timestamp) as database:
        writer = Writer(database)
        writer.upsert([project("pay/invoices", id="pay/billing", language="Go")])
        writer.put_languages({"infra/tool": ("C++",)})
    assert numbers(view, "invoices") == [2, 1]
    assert numbers(view, "billing") == []
    assert numbers(view, "c++") == [7]
