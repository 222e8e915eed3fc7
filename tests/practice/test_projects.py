"""The hand-made projects keep what their texts promise to a newcomer."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest

from isexplore.practice.checks import pipeline_status, run_checks
from isexplore.practice.maintainer import Maintainer
from isexplore.practice.plumbing import Change
from isexplore.practice.projects import PEOPLE, PROJECTS
from isexplore.practice.seed import NEWCOMER, IssueSeed, ProjectSeed
from isexplore.practice.store import Store
from isexplore.practice.world import Author, History, populate
from tests.support.practice_learner import START, Clock, Learner

BY_PATH = {seed.path: seed for seed in PROJECTS}
FIRST = re.compile(r"good.first.issue|beginner|easy|starter|low.hanging", re.IGNORECASE)
AUTHORS = {person.username: Author(person.name, f"{person.username}@practice.example") for person in PEOPLE}


@cache
def files(path: str) -> dict[str, str | bytes | None]:
    """The default branch of a project."""
    return History(BY_PATH[path], AUTHORS, START).files


def first_issues() -> list[tuple[ProjectSeed, IssueSeed]]:
    """Good first issues that are open, unassigned, in projects that a newcomer can contribute to."""
    return [
        (seed, issue)
        for seed in PROJECTS
        for issue in seed.issues
        if any(FIRST.search(label) for label in issue.labels)
        and not issue.closed
        and issue.assignee is None
        and not seed.archived
        and seed.visibility != "private"
        and not seed.path.startswith("lab/")
    ]


def named(value: object) -> str:
    if isinstance(value, ProjectSeed):
        return value.path
    return value.title[:30] if isinstance(value, IssueSeed) else str(value)


@pytest.mark.parametrize("seed", PROJECTS, ids=named)
def test_people_exist_and_dates_are_in_order(seed: ProjectSeed) -> None:
    names = {person.username for person in PEOPLE}
    authors = {
        *(commit.author for commit in seed.commits),
        *(issue.author for issue in seed.issues),
        *(note.author for issue in seed.issues for note in issue.notes),
        *(request.author for request in seed.merge_requests),
        *(note.author for request in seed.merge_requests for note in request.notes),
        *(issue.assignee for issue in seed.issues if issue.assignee),
        *seed.members,
        *([seed.review.reviewer] if seed.review else []),
    }
    assert authors <= names
    assert NEWCOMER not in authors, "the learner has done nothing here yet"
    days = [commit.days_ago for commit in seed.commits]
    assert days == sorted(days, reverse=True)
    for issue in seed.issues:
        assert all(note.days_ago <= issue.days_ago for note in issue.notes)
    for request in seed.merge_requests:
        assert all(note.days_ago <= request.days_ago for note in request.notes)
    assert seed.review is None or seed.review.reviewer in seed.members


@pytest.mark.parametrize("seed", PROJECTS, ids=named)
def test_python_json_and_toml_of_the_projects_can_be_read(seed: ProjectSeed) -> None:
    import ast
    import json
    import tomllib

    for path, content in files(seed.path).items():
        if isinstance(content, str) and path.endswith(".py"):
            ast.parse(content)
        elif isinstance(content, str) and path.endswith(".json"):
            json.loads(content)
        elif isinstance(content, str) and path.endswith(".toml"):
            tomllib.loads(content)


@pytest.mark.parametrize(("seed", "issue"), first_issues(), ids=named)
def test_first_issue_says_where_to_work(seed: ProjectSeed, issue: IssueSeed) -> None:
    known = files(seed.path)
    mentioned = [word for word in re.findall(r"`([^`\n]+)`", issue.body) if word in known]
    new = [word for word in re.findall(r"`([\w./-]+/[\w.-]+\.\w+)`", issue.body) if word not in known]
    outside = seed.path in {"data/etl-helpers", "payments/invoice-pdf"}
    assert mentioned or new or outside, f"names no file of {sorted(known)}"


@pytest.mark.parametrize(("seed", "issue"), first_issues(), ids=named)
def test_stated_line_says_what_the_issue_says(seed: ProjectSeed, issue: IssueSeed) -> None:
    for number, path, words in re.findall(r'Line (\d+) of `([^`]+)` says "([^"]+)"', issue.body):
        content = files(seed.path)[path]
        assert isinstance(content, str)
        assert words in content.splitlines()[int(number) - 1]


def test_some_first_issues_state_a_line() -> None:
    stated = [issue for _, issue in first_issues() if re.search(r"Line \d+ of `", issue.body)]
    assert len(stated) >= 5


def test_world_is_varied_enough() -> None:
    assert len(PROJECTS) >= 30
    assert len({seed.path.split("/")[0] for seed in PROJECTS}) >= 9
    assert any(seed.path.count("/") > 1 for seed in PROJECTS)
    topics = Counter(topic for seed in PROJECTS for topic in seed.topics)
    assert {"innersource", "inner-source", "InnerSource", "inner_source"} <= set(topics)
    labels = {label for seed in PROJECTS for label in seed.labels}
    spellings = {"good first issue", "good-first-issue", "Good First Issue", "contribute::good first issue"}
    assert spellings | {"beginner", "starter", "easy", "E-easy", "help wanted"} <= labels
    assert len({seed.path for seed, issue in first_issues() if not issue.notes}) >= 12
    assert any(seed.archived for seed in PROJECTS)
    assert any(seed.visibility == "private" for seed in PROJECTS)
    assert any(not seed.forking_enabled for seed in PROJECTS)
    assert any(not seed.merge_requests_enabled for seed in PROJECTS)
    assert any(seed.default_branch != "main" for seed in PROJECTS)
    assert any(not seed.commits for seed in PROJECTS)


def test_documents_are_of_every_quality() -> None:
    readmes = {
        path: content for seed in PROJECTS for path, content in files(seed.path).items() if "README" in path
    }
    assert "README.rst" in readmes
    contents = [content for seed in PROJECTS if (content := files(seed.path).get("README.md")) is not None]
    assert "" in contents
    assert any(isinstance(content, bytes) for content in contents)
    texts = [content for content in contents if isinstance(content, str)]
    assert any(len(content) > 150_000 for content in texts)
    assert any("\x1b" in content for content in texts)
    assert any(content.count("\n") < 50 and "| c300 |" in content for content in texts)
    assert any("README.md" not in files(seed.path) and seed.commits for seed in PROJECTS)
    owners = {path for seed in PROJECTS for path in files(seed.path) if path.endswith("CODEOWNERS")}
    assert owners >= {
        "CODEOWNERS",
        "docs/CODEOWNERS",
        ".gitlab/CODEOWNERS",
        ".github/CODEOWNERS",
        ".gitea/CODEOWNERS",
    }


def test_projects_that_the_documentation_shows_exist() -> None:
    titles = {(seed.path, issue.number): issue.title for seed in PROJECTS for issue in seed.issues}
    assert titles["payments/retry-queue", 41] == "Explain the back-off in the README"
    assert titles["platform/http-kit", 118] == "Add a timeout to the health check"
    assert titles["platform/http-kit", 97] == "Typo in error text"
    assert titles["data/etl-helpers", 12] == "Drop Python 3.8"


@pytest.mark.parametrize("seed", [seed for seed in PROJECTS if seed.review], ids=named)
def test_review_is_not_satisfied_by_what_is_there_already(seed: ProjectSeed) -> None:
    review = seed.review
    assert review is not None
    if review.satisfied_by == "file-matches":
        content = files(seed.path).get(review.path) or ""
        assert isinstance(content, str)
        assert not re.search(review.pattern, content, re.MULTILINE)
    elif review.satisfied_by == "changelog":
        assert review.path in files(seed.path)


@pytest.fixture(scope="module")
def whole_world(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("whole") / "world", Clock())
    populate(store, START)
    return store


def test_history_passed_its_own_checks(whole_world: Store) -> None:
    for seed in PROJECTS:
        project = whole_world.project_by_path(seed.path)
        assert project is not None
        for request in whole_world.merge_requests(project.id):
            pipeline = whole_world.head_pipeline(request)
            assert pipeline is not None
            assert pipeline.status == "success", f"{seed.path}!{request.iid}"


DOABLE: dict[tuple[str, int], tuple[str, str, str, str]] = {
    ("docs/welcome", 2): ("guide/first-steps.md", "teh same", "the same", "Fix a typo"),
    ("docs/welcome", 3): ("guide/first-steps.md", "recieve", "receive", "Fix a typo"),
    ("docs/style-guide", 1): ("rules/words-to-avoid.txt", "just\n", "just\neasily\n", "Forbid easily"),
    ("platform/http-kit", 97): ("http_kit/client.py", "reched", "reached", "Fix a typo"),
    ("platform/http-kit", 121): (
        "README.md",
        "    make dev &&",
        "Python 3.10 or newer.\n\n    make dev &&",
        "Say it",
    ),
    ("platform/infra/terraform-modules", 1): (
        "modules/bucket/main.tf",
        "  default = 30",
        '  default = 30\n  description = "After how many days objects are deleted."',
        "bucket: describe keep_days",
    ),
    ("payments/retry-queue", 42): (
        "Makefile",
        "test:\n",
        "# One test: .venv/bin/pytest -q -k pauses\ntest:\n",
        "Say how to run one test\n\nSigned-off-by: Nia <nia@practice.example>",
    ),
    ("design-system/tokens", 1): (
        "tokens/space.json",
        '"value": "4px"',
        '"value": "4px", "use": "between an icon and its label"',
        "Say what small is for",
    ),
    ("design-system/icons", 1): (
        "INDEX.md",
        "- done: finished without a problem\n",
        "- done: finished without a problem\n- waiting: somebody else has to act\n",
        "List waiting",
    ),
    ("mobile/android/login-screen", 1): (
        "app/src/main/res/values/strings.xml",
        "Error -2",
        "No connection. Are you in flight mode?",
        "Say it in words",
    ),
    ("security/secret-scan-rules", 1): (
        "rules.toml",
        "Pasword",
        "Password",
        "Fix a typo\n\nSigned-off-by: Nia <nia@practice.example>",
    ),
    ("people/onboarding/first-week", 1): ("days/1-monday.md", "frond", "front", "Fix a typo"),
}
"""First issues by project and number: the file, and what to replace by what."""


@pytest.mark.parametrize(("path", "number"), DOABLE, ids=str)
async def test_first_issue_can_be_done_by_editing_one_file(
    whole_world: Store, path: str, number: int
) -> None:
    edited, old, new, message = DOABLE[path, number]
    nia = Learner(whole_world, Clock())
    project = nia.project(path)
    assert whole_world.issue(project.id, number) is not None
    fork = whole_world.project_by_path(f"nia/{project.path}") or await nia.fork(path)
    before = nia.read(fork, edited)
    assert before.count(old) == 1
    head = await nia.push(fork, f"{number}-x", {edited: before.replace(old, new)}, message=message)
    repositories = (whole_world.repository_path(project.id), whole_world.repository_path(fork.id))
    change = Change(repositories, target=f"refs/heads/{project.default_branch}", head=head)
    jobs = run_checks(project.checks, change, branch=f"{number}-x")
    assert pipeline_status(jobs) == "success", "\n".join(job.log for job in jobs)


ANSWERS: dict[str, tuple[str, str]] = {
    "platform/http-kit": (
        "# Changes\n",
        "# Changes\n\n## Unreleased\n\n- The health check has a time limit.\n",
    ),
    "payments/iban-check": (
        "",
        "from iban import fault\n\n\ndef test_dk() -> None:\n    assert fault('DK')\n",
    ),
    "mobile/release-notes": ("- Perfomance improvements.", "- Your app starts in half the time."),
    "tools/changelog-bot": (
        "def test_draft",
        "def test_wip() -> None:\n    line('WIP: x', 1)\n\n\ndef test_draft",
    ),
    "security/secret-scan-rules": ("[password-in-url]", "# Somebody can sign in with it.\n[password-in-url]"),
}
"""What a newcomer changes after the review, by project: text and its replacement ("" is a new file)."""


@pytest.mark.parametrize("seed", [seed for seed in PROJECTS if seed.review], ids=named)
async def test_review_can_be_satisfied(whole_world: Store, seed: ProjectSeed) -> None:
    review = seed.review
    assert review is not None
    clock = Clock()
    nia = Learner(whole_world, clock)
    project = nia.project(seed.path)
    fork = whole_world.project_by_path(f"nia/{project.path}") or await nia.fork(seed.path)
    signed = "docs: change something\n\nSigned-off-by: Nia <nia@practice.example>"
    extra = (
        {"CHANGELOG.md": "# Changes\n\n- x\n"}
        if any(check.kind == "changelog" for check in seed.checks)
        else {}
    )
    readme = nia.read(fork, "README.md") + "\nOne more sentence.\n"
    await nia.push(fork, "docs/7-more", {"README.md": readme, **extra}, message=signed)
    request = await nia.propose(seed.path, fork, "docs/7-more", "Say more")
    maintainer = Maintainer(whole_world, pace=0)
    await maintainer.tick(clock.now)
    (question,) = nia.said(request)
    assert question.author == review.reviewer
    assert "{" not in question.body
    assert nia.threads(request), question.body

    if review.satisfied_by == "any-push":
        change = {"README.md": readme + "And another.\n"}
    elif review.satisfied_by == "changelog":
        change = {review.path: f"{nia.read(fork, review.path)}- zzz\n"}
    else:
        old, new = ANSWERS[seed.path]
        change = {review.path: nia.read(fork, review.path).replace(old, new) if old else new}
    await nia.push(fork, "docs/7-more", change, message=signed)
    await maintainer.tick(clock.pass_time(60))
    assert nia.now(request).state == "merged", [note.body for note in nia.said(request)]


def test_issue_numbers_grow() -> None:
    for seed in PROJECTS:
        numbers = [issue.number for issue in seed.issues if issue.number is not None]
        assert numbers == sorted(set(numbers))
