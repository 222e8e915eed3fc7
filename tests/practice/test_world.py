"""Seeds become real repositories and rows that agree with them."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from isexplore.errors import GitError
from isexplore.practice import world
from isexplore.practice.plumbing import git
from isexplore.practice.seed import (
    CommitSeed,
    IssueSeed,
    MergeRequestSeed,
    NoteSeed,
    PersonSeed,
    ProjectSeed,
    text,
)
from isexplore.practice.store import Store
from tests.support.practice_learner import START, Clock

PEOPLE = (PersonSeed(username="ada", name="Ada L"), PersonSeed(username="bob", name="Bób"))
SEED = ProjectSeed(
    path="group/sub/project",
    description="A project",
    topics=("innersource",),
    languages={"Python": 70.0, "Shell": 30.0},
    labels=("easy",),
    members={"ada": 50},
    commits=(
        CommitSeed("ada", "Start", 30, {"README.md": "# One\n", "run.sh": "#!/bin/sh\n", "gone.txt": "x\n"}),
        CommitSeed("bob", "Change\n\nWhy.", 10, {"README.md": "# Two\n", "gone.txt": None}, sign_off=True),
        CommitSeed("ada", "Odd bytes", 5, {"d/K ö.bin": b"\xff\x00\xfe"}),
    ),
    issues=(
        IssueSeed(title="First", body="b", author="bob", days_ago=9, notes=(NoteSeed("ada", "hm", 4),)),
        IssueSeed(title="Jump", body="", author="bob", days_ago=8, number=41, labels=("easy", "new")),
        IssueSeed(title="Done", body="", author="bob", days_ago=7, closed=True, assignee="ada"),
    ),
    merge_requests=(
        MergeRequestSeed(
            title="Open",
            body="Closes #41",
            author="bob",
            branch="b",
            days_ago=1,
            state="opened",
            files={"n": "n\n"},
        ),
        MergeRequestSeed(
            title="Old", body="", author="bob", branch="a", days_ago=20, files={"old.md": "# o\n"}
        ),
    ),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "world", Clock())


def log(store: Store, project_id: int, *arguments: str) -> list[str]:
    output = git(("log", *arguments), repositories=(store.repository_path(project_id),))
    return output.decode().splitlines()


def built(store: Store, seed: ProjectSeed = SEED) -> int:
    world.build(store, (seed,), PEOPLE, START)
    project = store.project_by_path(seed.path)
    assert project is not None
    return project.id


def test_history_has_authors_dates_and_content(store: Store) -> None:
    project_id = built(store)
    lines = log(store, project_id, "--first-parent", "--format=%an|%ae|%at|%s", "main")
    days = [(START - timedelta(days=days)).timestamp() for days in (5, 10, 30)]
    assert lines[0] == f"Ada L|ada@practice.example|{days[0]:.0f}|Odd bytes"
    assert lines[1] == f"Bób|bob@practice.example|{days[1]:.0f}|Change"
    assert lines[2].endswith("Merge branch 'a' into 'main'")
    assert lines[3] == f"Ada L|ada@practice.example|{days[2]:.0f}|Start"
    assert "Signed-off-by: Bób <bob@practice.example>" in log(
        store, project_id, "-1", "--format=%b", "main~1"
    )
    repository = (store.repository_path(project_id),)
    tree = git(("ls-tree", "-r", "-z", "main"), repositories=repository).decode().split("\0")
    facts = {entry.partition("\t")[2]: entry.split()[0] for entry in tree if entry}
    assert facts == {"README.md": "100644", "run.sh": "100755", "d/K ö.bin": "100644", "old.md": "100644"}
    assert git(("cat-file", "blob", "main:d/K ö.bin"), repositories=repository) == b"\xff\x00\xfe"
    git(("fsck", "--strict", "--no-progress"), repositories=repository)


def test_rows_agree(store: Store) -> None:
    project_id = built(store)
    project = store.project_or_fail(project_id)
    assert project.readme_path == "README.md"
    assert not project.empty_repo
    assert project.language == "Python"
    assert project.open_issues_count == 2
    assert project.last_activity_at == START - timedelta(days=1)
    assert project.created_at < START - timedelta(days=30)
    assert project.checks, "every project has at least one job"
    issues = store.issues(project_id)
    assert [(issue.iid, issue.title, issue.state) for issue in issues] == [
        (1, "First", "opened"),
        (41, "Jump", "opened"),
        (42, "Done", "closed"),
    ]
    (note,) = store.notes("issue", issues[0].id)
    assert (note.body, note.noteable_iid) == ("hm", 1)
    assert issues[0].updated_at == START - timedelta(days=4)
    assert {label.name for label in store.labels(project_id)} == {"easy", "new"}


def test_merge_requests_of_the_past_and_the_present(store: Store) -> None:
    project_id = built(store)
    old, new = store.merge_requests(project_id)
    assert (old.title, old.state, old.merge_user) == ("Old", "merged", "ada")
    assert (new.title, new.state, new.iid) == ("Open", "opened", 2)
    assert store.closing(new) == (41,)
    repository = (store.repository_path(project_id),)
    refs = (
        git(("for-each-ref", "--format=%(refname) %(objectname)"), repositories=repository)
        .decode()
        .splitlines()
    )
    assert f"refs/heads/b {new.sha}" in refs
    assert f"refs/merge-requests/2/head {new.sha}" in refs
    assert not any(ref.startswith("refs/heads/a ") for ref in refs)
    assert old.merge_commit_sha is not None
    parents = log(store, project_id, "-1", "--format=%P", old.merge_commit_sha)
    assert parents == [f"{old.base_sha} {old.sha}"]
    for request in (old, new):
        pipeline = store.head_pipeline(request)
        assert pipeline is not None
        assert pipeline.status == "success"
        assert store.jobs(pipeline.id)[0].name == "lint"
    assert [approval.username for approval in store.approvals(old.id)] == ["ada"]


async def test_store_leaves_what_was_built_alone(store: Store) -> None:
    project_id = built(store)
    before = store.merge_requests(project_id)
    await store.recover()
    assert store.merge_requests(project_id) == before


def test_empty_repository(store: Store) -> None:
    project_id = built(store, ProjectSeed(path="g/new", description="", commits=(), members={"ada": 50}))
    assert store.project_or_fail(project_id).empty_repo
    head = git(("symbolic-ref", "HEAD"), repositories=(store.repository_path(project_id),))
    assert head == b"refs/heads/main\n"


def test_same_seeds_make_same_commits(tmp_path: Path) -> None:
    worlds = [Store(tmp_path / name, Clock()) for name in ("one", "two")]
    assert len({tuple(log(store, built(store), "--all", "--format=%H")) for store in worlds}) == 1


def test_failing_half_way_leaves_no_rows_and_can_be_done_again(store: Store) -> None:
    broken = ProjectSeed(
        path="g/broken",
        description="",
        members={"ada": 50},
        commits=(CommitSeed("ada", "x", 1, {"a": "a"}),),
        merge_requests=(
            MergeRequestSeed(
                title="x", body="", author="ada", branch="a..b", days_ago=0.5, state="opened", files={}
            ),
        ),
    )
    with pytest.raises(GitError):
        world.build(store, (SEED, broken), PEOPLE, START)
    assert store.empty
    assert store.users() == {}
    assert built(store) > 0


def test_whole_world_is_there_in_a_moment(store: Store) -> None:
    begin = time.perf_counter()
    world.populate(store, START)
    assert time.perf_counter() - begin < 3.0
    assert store.number("SELECT count(*) FROM projects") >= 30


def test_git_is_not_influenced_by_the_users_settings(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text(
        "[init]\n\ttemplateDir = /nowhere\n[core]\n\tautocrlf = true\n[broken\n", encoding="utf-8"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody Else")
    assert log(store, built(store), "-1", "--format=%an", "main") == ["Ada L"]


def test_text_keeps_tabs_and_inner_indentation() -> None:
    assert text("\n        a:\n        \tb\n            c\n        ") == "a:\n\tb\n    c\n"
