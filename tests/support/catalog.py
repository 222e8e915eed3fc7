"""Made-up projects by the thousand, and catalogs full of them."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from isexplore.catalog.database import Database
from isexplore.catalog.shelf import JudgedIssue, Shelf
from isexplore.catalog.store import Account, Catalog
from isexplore.catalog.write import Details, Writer
from isexplore.models import Issue, IssueVerdict, Project, Verdict, Visibility

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
ACCOUNT = Account("work", "https://git.example.com", "mia")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST = _words(
    "billing payment invoice ledger rate limit retry queue event stream search index cache session "
    "token auth login profile image video upload thumbnail mail notify alert metric trace log audit "
    "report export import schema config feature flag deploy release build pipeline cluster node "
    "agent proxy gateway router edge shop cart order stock price catalog review map route fleet "
    "sensor telemetry firmware battery charge grid solar"
)
LAST = _words("service library client server tool kit api sdk worker bot plugin dashboard cli engine core")
_LANGUAGES = _words(
    "Python Go Java TypeScript Rust C++ Kotlin Ruby C# Shell JavaScript Scala Swift PHP Elixir"
)
_TOPICS = _words(
    "kubernetes security testing data ml frontend backend mobile docs devops observability networking "
    "database storage messaging identity compliance embedded analytics"
)
_GROUPS = _words("payments platform identity mobility energy retail media logistics research infra tools web")
_SENTENCE = "A {0} {5} for {1} and {2}; {4} included, and no more {3}"


def moment(days_ago: float) -> datetime:
    """Return a moment some days before `NOW`."""
    return NOW - timedelta(days=days_ago)


def project(path: str, *, forge: str = "work", **facts: object) -> Project:
    """Return a project with sensible facts, changed by `facts`."""
    values: dict[str, object] = {
        "forge": forge,
        "id": facts.pop("id", path),
        "path": path,
        "name": path.rpartition("/")[2],
        "url": f"https://git.example.com/{path}",
        "visibility": Visibility.INTERNAL,
        "created_at": moment(900),
        "last_activity": moment(20),
        "default_branch": "main",
        "clone_url": f"https://git.example.com/{path}.git",
        "owner": path.rpartition("/")[0],
    }
    values.update(facts)
    return Project(**values)  # type: ignore[arg-type]


def made_up(count: int, *, forge: str = "work", seed: int = 7) -> Iterator[Project]:
    """Yield `count` projects, the same ones for the same seed: few are popular, many are not."""
    rng = random.Random(seed)
    for number in range(count):
        words = rng.sample(FIRST, 2)
        name = "-".join((*words, rng.choice(LAST))) + (f"-{number}" if number >= 500 else "")
        path = f"{rng.choice(_GROUPS)}/team-{rng.randrange(1 + count // 50)}/{name}"
        popular = rng.paretovariate(1.1)
        yield project(
            path,
            forge=forge,
            id=str(10_000 + number),
            description=_SENTENCE.format(*rng.choices(FIRST, k=4), rng.choice(_TOPICS), rng.choice(LAST)),
            language=rng.choices(_LANGUAGES, weights=range(len(_LANGUAGES), 0, -1))[0],
            topics=("innersource", *rng.sample(_TOPICS, rng.randrange(4))),
            stars=min(20_000, int(popular)),
            forks=min(3_000, int(popular / 3)),
            open_issues=rng.randrange(60),
            created_at=moment(rng.uniform(1, 2500)),
            last_activity=moment(min(rng.expovariate(1 / 200), 2500)),
        )


def readme(rng: random.Random, words: int = 300) -> str:
    """Return a README of made-up sentences."""
    return "# README\n\n" + " ".join(rng.choices((*FIRST, *LAST, *_TOPICS), k=words))


def fill(
    folder: Path,
    projects: Iterable[Project],
    *,
    account: Account = ACCOUNT,
    readmes: int = 0,
    batch: int = 2_000,
    whole: bool = True,
) -> None:
    """Write a catalog file with these projects; the first `readmes` of each batch get a README.

    With `whole` False it looks as while the listing still goes on.
    """
    rng = random.Random(11)
    with Database(account, os.fspath(folder), clock=NOW.timestamp) as database:
        writer = Writer(database)
        waiting: list[Project] = []

        def flush() -> None:
            writer.upsert(waiting)
            writer.enrich((each.id, Details(readme=readme(rng))) for each in waiting[:readmes])
            waiting.clear()

        for each in projects:
            waiting.append(each)
            if len(waiting) >= batch:
                flush()
        flush()
        if whole:
            writer.finish(as_of=int(NOW.timestamp()), optimize=True)


def fill_issues(folder: Path, projects: Iterable[Project], count: int, *, account: Account = ACCOUNT) -> None:
    """Give these projects `count` good first issues each."""
    rng = random.Random(13)
    with Database(account, os.fspath(folder), clock=NOW.timestamp) as database:
        shelf = Shelf(database)
        for each in projects:
            shelf.put_issues(each.id, [_issue(rng, each, number) for number in range(1, count + 1)])


def _issue(rng: random.Random, of: Project, number: int) -> JudgedIssue:
    issue = Issue(
        forge=of.forge,
        project=of.path,
        number=number,
        title=" ".join(rng.choices((*FIRST, *LAST), k=5)).capitalize(),
        url=f"{of.url}/-/issues/{number}",
        labels=("good first issue", rng.choice(_TOPICS)),
        description=readme(rng, 60),
        created_at=moment(rng.uniform(500, 900)),
        updated_at=moment(rng.uniform(0, 500)),
    )
    return JudgedIssue(issue, IssueVerdict(verdict=rng.choice(list(Verdict)), reasons=("because",)))


def catalog(folder: Path, *accounts: Account) -> Catalog:
    """Open the catalog in `folder`."""
    return Catalog.open(folder, accounts or (ACCOUNT,))
