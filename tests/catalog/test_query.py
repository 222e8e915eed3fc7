from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from isexplore.catalog import facets, match, words
from isexplore.catalog.database import Database
from isexplore.catalog.facets import all_facets, completions
from isexplore.catalog.query import Found, search
from isexplore.catalog.store import Account, Catalog
from isexplore.catalog.write import Details, Writer
from isexplore.errors import UsageError
from tests.support.catalog import ACCOUNT, NOW, catalog, fill, made_up, moment, project

LAB = Account("lab", "https://lab.example.com", "mia")


@pytest.fixture
def small(tmp_path: Path) -> Catalog:
    fill(
        tmp_path,
        [
            project("pay/billing-api", language="Go", topics=("Security", "api"), stars=90, forks=30),
            project("pay/core/ledger", description="Double entry for billing", language="Python", stars=5),
            project("infra/RateLimiter", language="C#", topics=("machine learning",), stars=2),
            project("infra/naïve-Bäyes", description="Größe zählt", language="Python"),
            project("old/billing", language="Java", last_activity=moment(900), created_at=moment(2000)),
            project(
                "web/c-plus", language="C++", description="A dead letter queue", topics=("machine-learning",)
            ),
        ],
    )
    with Database(ACCOUNT, str(tmp_path), clock=NOW.timestamp) as database:
        writer = Writer(database)
        writer.enrich(
            [
                (
                    "pay/core/ledger",
                    Details(
                        documents=("README", "CONTRIBUTING"),
                        readme="# Ledger\nRetries use an exponential back-off with jitter.",
                        good_first_issues=2,
                        languages=("Python", "Rust"),
                    ),
                )
            ]
        )
        writer.finish()
    return catalog(tmp_path)


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("varied")
    fill(folder, made_up(1_500), readmes=100)
    fill(folder, [project("b/sport", last_activity=None, stars=3)])
    fill(folder, made_up(700, forge="lab", seed=9), account=LAB)
    with catalog(folder, ACCOUNT, LAB) as view:
        yield view


def paths(found: Found) -> list[str]:
    return [row.path for row in found.rows]


def find(view: Catalog, text: str) -> list[str]:
    return paths(search(view, text, now=NOW.timestamp()))


def test_everything_comes_by_score(small: Catalog) -> None:
    found = search(small, "")
    scores = [row.score for row in found.rows]
    assert found.total == len(found.rows) == 6
    assert scores == sorted(scores, reverse=True)


def test_the_very_name_comes_first_however_unpopular(small: Catalog) -> None:
    assert find(small, "billing") == ["old/billing", "pay/billing-api", "pay/core/ledger"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("api bill", "pay/billing-api"),
        ("billingapi", "pay/billing-api"),
        ("BILLING-API", "pay/billing-api"),
        ("pay/billing-api", "pay/billing-api"),
        ("rate lim", "infra/RateLimiter"),
        ("limiter", "infra/RateLimiter"),
        ("ratelimiter", "infra/RateLimiter"),
        ("naive", "infra/naïve-Bäyes"),
        ("bayes", "infra/naïve-Bäyes"),
        ("grosse", "infra/naïve-Bäyes"),
        ("jitter", "pay/core/ledger"),
        ("jitter ledger", "pay/core/ledger"),
        ("expon back", "pay/core/ledger"),
        ('"dead letter"', "web/c-plus"),
        ('"exponential back-off"', "pay/core/ledger"),
        ("lang:c++", "web/c-plus"),
        ("lang:csharp", "infra/RateLimiter"),
        ("lang:rust", "pay/core/ledger"),
        ("has:gfi", "pay/core/ledger"),
        ("has:contributing", "pay/core/ledger"),
        ("group:pay/core", "pay/core/ledger"),
        ("topic:security", "pay/billing-api"),
        ("billing -api -java lang:java", "old/billing"),
        ("-active:1y billing lang:java", "old/billing"),
        ("billing -lang:go -lang:java", "pay/core/ledger"),
    ],
)
def test_one_project_is_found(small: Catalog, text: str, expected: str) -> None:
    assert find(small, text)[:1] == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("topic:machine-learning", {"infra/RateLimiter", "web/c-plus"}),
        ('topic:"Machine Learning"', {"infra/RateLimiter", "web/c-plus"}),
        ("lang:py", {"pay/core/ledger", "infra/naïve-Bäyes"}),
        ("lang:go,java", {"pay/billing-api", "old/billing"}),
        ("group:pay", {"pay/billing-api", "pay/core/ledger"}),
        ("-group:pay active:90d", {"infra/RateLimiter", "infra/naïve-Bäyes", "web/c-plus"}),
        ("topic:security topic:api", {"pay/billing-api"}),
        ("topic:security topic:none-such", set()),
        ('"letter dead"', set()),
        ("-billing", {"infra/RateLimiter", "infra/naïve-Bäyes", "web/c-plus"}),
        ("billing active:1y", {"pay/billing-api", "pay/core/ledger"}),
        ("forge:work has:gfi", {"pay/core/ledger"}),
        ("-forge:work", set()),
    ],
)
def test_filters(small: Catalog, text: str, expected: set[str]) -> None:
    assert set(find(small, text)) == expected


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("sort:stars", "pay/billing-api"),
        ("sort:name", "old/billing"),
        ("billing sort:stars", "pay/billing-api"),
        ("billing sort:name", "old/billing"),
        ("billing sort:score", "pay/billing-api"),
    ],
)
def test_orders(small: Catalog, text: str, first: str) -> None:
    assert find(small, text)[0] == first


def test_the_latest_change_is_last_for_the_oldest(small: Catalog) -> None:
    assert find(small, "sort:updated")[-1] == "old/billing"
    assert find(small, "sort:activity billing")[-1] == "old/billing"


@pytest.mark.parametrize("tries", [2, 10_000])
@pytest.mark.parametrize(
    "text",
    ["s", "limit", "-lang:go", "active:90d", "e active:1y", "lang:java,go s", '"rate"', "-active:4y a"],
)
def test_another_order_is_the_same_however_it_is_found(
    varied: Catalog, monkeypatch: pytest.MonkeyPatch, text: str, tries: int
) -> None:
    monkeypatch.setattr(match, "_TRIES", tries)
    orders = {
        "name": lambda row: (words.key(row.name), row.rank),
        "stars": lambda row: (-row.stars, row.rank),
        "activity": lambda row: (row.last_activity is None, -(row.last_activity or 0), row.rank),
    }
    everything = search(varied, text, limit=10_000, now=NOW.timestamp()).rows
    for name, order in orders.items():
        found = search(varied, f"{text} sort:{name}", now=NOW.timestamp())
        assert found.rows == sorted(everything, key=order)[:50]
        assert found.count() == len(everything)
        assert found.window(0, 10_000) == sorted(everything, key=order)


def test_an_order_is_walked_where_many_match(varied: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "_TRIES", 2)
    found = search(varied, "forge:work s sort:stars")
    assert (found.total, found.more) == (60, True)
    monkeypatch.setattr(match, "_TRIES", 10_000)
    found = search(varied, "forge:work s sort:stars")
    assert (found.total, found.more) == (501, True)


def test_a_typing_error_is_forgiven_and_told(small: Catalog) -> None:
    found = search(small, "biling lang:go")
    assert paths(found) == ["pay/billing-api"]
    assert found.corrected == "billing lang:go"
    assert search(small, "ledgre").corrected == "ledger"
    assert search(small, "zzzzzz").corrected is None
    assert search(small, "billing lang:python topic:api").corrected is None


def test_a_value_that_nobody_has_is_named_with_the_nearest(small: Catalog) -> None:
    found = search(small, "lang:pyhton")
    assert found.total == 0
    assert found.notice == "No project has lang:pyhton; did you mean lang:python?"


def test_an_unknown_forge_is_an_error(small: Catalog) -> None:
    with pytest.raises(UsageError, match="forge"):
        search(small, "forge:wrok")


def test_matches_can_be_marked(small: Catalog) -> None:
    found = search(small, "bill api")
    text = "Billing API for the BillingApi, rebilling"
    assert [text[start:end] for start, end in found.spans(text)] == ["Bill", "API", "Bill", "Api"]
    accents = search(small, "bayes")
    assert accents.spans("Straße: naïve-Bäyes") == [(14, 19)]


def test_facets_count_the_hits(small: Catalog) -> None:
    counted = search(small, "billing").facets()
    assert counted.languages == [("Go", 1), ("Java", 1), ("Python", 1), ("Rust", 1)]
    assert counted.groups == [("pay", 2), ("old", 1)]
    everything = all_facets(small)
    assert everything.languages[0] == ("Python", 2)
    assert [label.lower().replace(" ", "-") for label, number in everything.topics if number == 2] == [
        "machine-learning"
    ]
    assert everything.groups[:2] == [("infra", 2), ("pay", 2)]


@pytest.mark.parametrize("text", ["s", "limit", "lang:go,java", "group:web s", "-topic:security", "e -limit"])
def test_facets_of_many_hits_are_the_same(
    varied: Catalog, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(match, "BOUND", 20)
    read, asked = search(varied, text, limit=10), search(varied, text, limit=10)
    for limit in (3, 12):
        monkeypatch.setattr(facets, "MANY", 1_000_000)
        expected = read.facets(limit)
        monkeypatch.setattr(facets, "MANY", 1)
        found = asked.facets(limit)
        assert (found.languages, found.topics, found.groups) == (
            expected.languages,
            expected.topics,
            expected.groups,
        )
    assert asked.more, "the hits were not read"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("la", ["lang:"]),
        ("rate la", ["rate lang:"]),
        ("lang:p", ["lang:python"]),
        ("lang:go,p", ["lang:go,python"]),
        ("-lang:p", ["-lang:python"]),
        ("has:con", ["has:contributing"]),
        ("sort:st", ["sort:stars"]),
        ("group:pay/", ["group:pay/core"]),
        ("forge:w", ["forge:work"]),
        ('topic:"mach', ['topic:"machine learning"']),
        ("nothing:x", []),
        ('"la', []),
        ("", []),
    ],
)
def test_completion(small: Catalog, text: str, expected: list[str]) -> None:
    assert [each.applied(text) for each in completions(small, text)] == expected


def test_completion_in_the_middle(small: Catalog) -> None:
    text = "lang:p rate"
    (found,) = completions(small, text, cursor=6)
    assert found.applied(text) == "lang:python rate"


def test_a_window_reaches_every_hit_once(tmp_path: Path) -> None:
    fill(tmp_path, made_up(3_000), readmes=5)
    view = catalog(tmp_path)
    for text, least in (("", 3_000), ("s", 1_500), ("lang:python,go,java", 900), ("s sort:stars", 1_500)):
        found = search(view, text)
        every = [row.path for start in range(0, found.count(), 700) for row in found.window(start, 700)]
        assert len(every) == len(set(every)) == found.total
        assert found.total > least - 1
        assert every[:50] == paths(found)
        assert found.window(found.total, 10) == []
        assert found.window(-1, 10) == []


@pytest.mark.parametrize("text", ["", "sort:name", "sort:activity"])
@pytest.mark.parametrize("accounts", [(ACCOUNT,), (ACCOUNT, LAB)])
def test_any_page_of_everything_can_be_read_by_itself(
    varied: Catalog, text: str, accounts: tuple[Account, ...]
) -> None:
    with catalog(Path(varied.folder), *accounts) as view:
        every = search(view, text, limit=10_000).rows
        assert len(every) == view.count()
        for start in (480, 505, len(every) - 3):
            found = search(view, text)
            assert found.window(start, 60) == every[start : start + 60]
            assert found.window(490, 40) == every[490:530]
        found = search(view, text)
        assert [row for start in range(0, len(every), 400) for row in found.window(start, 400)] == every
        found.count()
        assert found.window(0, 10_000) == every


@pytest.mark.parametrize("text", ["", "sort:stars", "s", "s sort:name", "lang:go", "billing"])
def test_a_hit_is_found_again(varied: Catalog, text: str) -> None:
    found = search(varied, text)
    for _ in range(2):
        places = [found.index_of(row.forge, row.path) for row in found.rows]
        assert places == list(range(len(found.rows)))
        assert found.index_of("work", "no/such") is None
        assert found.index_of("elsewhere", found.rows[0].path) is None
        last = found.window(found.total - 1, 1)[0]
        assert found.index_of(last.forge, last.path) == found.total - 1
        found.count()


def test_a_project_far_down_has_its_place_among_all(varied: Catalog) -> None:
    with catalog(Path(varied.folder)) as view:
        found = search(view, "")
        far = found.window(1_200, 1)[0]
        assert found.index_of(far.forge, far.path) == 1_200


def test_what_another_process_writes_is_found_at_the_next_key(small: Catalog) -> None:
    before = search(small, "ledger").rows
    assert [row.description for row in before] == ["Double entry for billing"]
    assert find(small, "entry") == ["pay/core/ledger"]
    with Database(ACCOUNT, small.folder, clock=NOW.timestamp) as database:
        writer = Writer(database)
        writer.upsert([project("pay/core/ledger", description="Single entry", topics=("entry",), stars=5)])
        writer.upsert([project("old/billing", name="entry", last_activity=moment(900))])
        writer.finish()
    assert [row.description for row in search(small, "ledger").rows] == ["Single entry"]
    assert find(small, "entry") == ["old/billing", "pay/core/ledger"]


def test_the_total_is_exact_up_to_a_bound(tmp_path: Path) -> None:
    fill(tmp_path, made_up(3_000))
    found = search(catalog(tmp_path), "s")
    assert found.more
    assert found.total >= 500
    exact = found.count()
    assert not found.more
    assert exact == found.total > 500


def test_forges_are_searched_together(tmp_path: Path) -> None:
    fill(tmp_path, [project("a/shared-tool", stars=3), project("a/tool", stars=400, forks=80)])
    fill(tmp_path, [project("b/shared-tool", forge="lab", stars=90, forks=20)], account=LAB)
    view = catalog(tmp_path, ACCOUNT, LAB)
    found = search(view, "shared")
    assert [(row.forge, row.path) for row in found.rows] == [
        ("lab", "b/shared-tool"),
        ("work", "a/shared-tool"),
    ]
    assert [row.path for row in search(view, "").rows] == ["a/tool", "b/shared-tool", "a/shared-tool"]
    assert [row.path for row in search(view, "sort:stars").rows] == [
        "a/tool",
        "b/shared-tool",
        "a/shared-tool",
    ]
    assert [row.forge for row in search(view, "forge:lab").rows] == ["lab"]
    assert dict(all_facets(view).groups) == {"a": 2, "b": 1}


def test_another_account_sees_its_own_file(tmp_path: Path) -> None:
    fill(tmp_path, [project("secret/plan")])
    other = Account(ACCOUNT.forge, ACCOUNT.url, "noa")
    found = search(catalog(tmp_path, other), "")
    assert found.rows == []
    assert found.incomplete == [("work", "not synced yet")]


def test_a_deadline_returns_what_there_is(tmp_path: Path) -> None:
    fill(tmp_path, made_up(3_000))
    view = catalog(tmp_path)
    found = search(view, "s sort:stars", deadline=0.0)
    assert found.late
    assert not search(view, "s sort:stars", deadline=30.0).late
    assert search(view, "s").total


def test_a_search_whose_time_is_over_begins_nothing_longer(tmp_path: Path) -> None:
    fill(tmp_path, made_up(3_000))
    view = catalog(tmp_path)
    connection = view.stores[0].connection
    assert connection is not None
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    assert search(view, "s", deadline=-1.0).late
    matching = [one for one in statements if " MATCH " in one]
    assert matching
    assert not [one for one in matching if "LIMIT" not in one]


@pytest.mark.parametrize(
    "text", ['"', '""', "'", "*", "a*b", "NEAR(", "AND", "a OR b", "^x", "{name}:x", "\x00", "\ue000l"]
)
def test_nothing_typed_reaches_sqlite_as_syntax(small: Catalog, text: str) -> None:
    search(small, text)
    search(small, f"{text} billing -{text} topic:{text}x", typing=True)


def test_searching_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from isexplore.catalog.query import search\n"
        "from isexplore.catalog.store import Account, Catalog\n"
        "search(Catalog.open('/nonexistent', [Account('work', 'https://x')]), 'a lang:py')\n"
        "heavy = {'msgspec', 'typing', 're', 'dataclasses', 'argparse', 'asyncio', 'json', 'isexplore.models',"
        " 'isexplore.errors', 'isexplore.text', 'httpx', 'textual', 'git', 'zlib',"
        " 'functools', 'collections', 'operator'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "from functools import cache, partial\n"
        "import sqlite3\n"
    )
    source = Path(__file__).parents[2] / "src"
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(source)!r})\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def signs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    folder = tmp_path_factory.mktemp("signs")
    fill(
        folder,
        [
            project("a/c", language="C", description="Plain C", stars=500),
            project("a/cpp", language="C++"),
            project("a/csharp", language="C#", description="In C# for .NET."),
            project("a/fsharp", language="F#"),
            project("a/mention", language="Python", description="Calls C++17 (and C#)"),
            project("a/net", language="Java", description="A net of sensors", stars=900),
            project("a/read", language="Go"),
        ],
    )
    with Database(ACCOUNT, str(folder), clock=NOW.timestamp) as database:
        writer = Writer(database)
        writer.enrich([("a/read", Details(readme="Once it was written in modern C++."))])
        writer.finish()
    with catalog(folder) as view:
        yield view


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C++", "cpp mention read"),
        ("c#", "csharp mention"),
        ("F#", "fsharp"),
        (".NET", "csharp"),
        ("c+", "cpp mention read"),
        ('"C#"', "csharp mention"),
        ("c++ calls", "mention"),
        ("calls -c#", ""),
        ("-c++ -c# -f#", "c net read"),
        ('"modern c++"', "read"),
        ('"plain c++"', ""),
        ("lang:c++", "cpp"),
        ("lang:C#", "csharp"),
        ("lang:f#", "fsharp"),
        ("lang:c", "c"),
        ("lang:.NET", "csharp fsharp"),
        ("lang:cpp,csharp,fsharp", "cpp csharp fsharp"),
        ("c++ sort:name", "cpp mention read"),
    ],
)
def test_a_word_with_signs_is_not_what_it_is_without(signs: Catalog, text: str, expected: str) -> None:
    found = search(signs, text, now=NOW.timestamp())
    assert sorted(row.name for row in found.rows) == expected.split()
    assert (found.corrected, found.notice) == (None, None)


def test_only_the_word_with_its_signs_is_marked(signs: Catalog) -> None:
    found = search(signs, "c++")
    assert found.spans("Calls C and C++") == [(12, 15)]
