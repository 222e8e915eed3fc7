"""The checks, each run on real commits: one that passes, one that fails for the stated reason."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from isexplore.errors import GitError
from isexplore.practice.checks import JobResult, pipeline_status, reason, run_checks
from isexplore.practice.plumbing import Change, git
from isexplore.practice.seed import CheckSeed
from tests.support.practice_learner import commit

BASE: dict[str, str | bytes | None] = {
    "README.md": "# Project\n\nold trailing space \n",
    "LIST.md": "# List\n\n- Ada\n- Carl\n",
    "CHANGELOG.md": "# Changes\n",
    "docs/guide.md": "# Guide\n",
}
NIA = "Nia Newcomer <nia@practice.example>"


class Repo:
    """A bare repository with a default branch and one for the change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        git(("init", "--quiet", "--bare", "--initial-branch=main", str(path)))
        commit(path, "main", BASE, start="", message="Start")

    def push(
        self, files: Mapping[str, str | bytes | None], message: str = "Change", author: str = NIA
    ) -> str:
        exists = git(("for-each-ref", "refs/heads/change"), repositories=(self.path,))
        start = None if exists else "refs/heads/main"
        return commit(self.path, "change", files, message=message, author=author, start=start)

    def run(self, *checks: CheckSeed, branch: str = "change") -> tuple[JobResult, ...]:
        change = Change((self.path,), target="refs/heads/main", head="refs/heads/change")
        return run_checks(checks, change, branch=branch)

    def one(self, **rule: object) -> JobResult:
        (job,) = self.run(CheckSeed(name="lint", **rule))  # type: ignore[arg-type]
        return job


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "project.git")


def test_trailing_space_is_told_by_file_and_line(repo: Repo) -> None:
    repo.push({"LIST.md": "# List\n\n- Ada \n- Carl\n"})
    job = repo.one(kind="no-trailing-space")
    assert job.status == "failed"
    assert "FAILED LIST.md:3:" in job.log
    assert "line 3" in reason(job.log)
    repo.push({"LIST.md": "# List\n\n- Ada\n- Bob\n- Carl\n"})
    assert repo.one(kind="no-trailing-space").status == "success"


def test_nobody_pays_for_what_was_there_before(repo: Repo) -> None:
    repo.push({"docs/guide.md": "# Guide\n\nMore.\n"})
    assert repo.one(kind="no-trailing-space").status == "success"


@pytest.mark.parametrize("kind", ["no-trailing-space", "max-line", "links"])
def test_nobody_pays_for_what_the_same_file_had_before(tmp_path: Path, kind: str) -> None:
    old = "# Old\n\nA long line that ends in a space: [gone](gone.md) \n"
    path = tmp_path / "old.git"
    repo = Repo(path)
    commit(path, "main", {"OLD.md": old}, message="Sin", start="refs/heads/main")
    repo.push({"OLD.md": old + "\nNew.\n"})
    assert repo.one(kind=kind, limit=20).status == "success"
    repo.push({"OLD.md": old + "\nA new line as bad as the old: [gone](gone.md) \n"})
    job = repo.one(kind=kind, limit=20)
    assert job.status == "failed"
    assert "OLD.md:5" in job.log
    assert "OLD.md:3" not in job.log


def test_old_link_counts_when_its_target_is_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "linked.git"
    repo = Repo(path)
    linked = {"OLD.md": "[there](there.md)\n", "there.md": "There.\n"}
    commit(path, "main", linked, message="Link", start="refs/heads/main")
    repo.push({"OLD.md": "[there](there.md)\n\nNew.\n", "there.md": None})
    assert "OLD.md:1" in repo.one(kind="links").log


def test_sign_off_must_be_the_authors(repo: Repo) -> None:
    sha = repo.push({"a": "1\n"}, "Add a")
    job = repo.one(kind="sign-off")
    assert f"commit {sha[:8]}" in job.log
    assert "no line 'Signed-off-by: Nia Newcomer <nia@practice.example>'" in job.log
    repo.push({"b": "1\n"}, "Add b\n\nSigned-off-by: Tom <tom@practice.example>")
    assert "is signed off by <tom@practice.example>" in repo.one(kind="sign-off").log


def test_sign_off_in_any_case_of_the_address_counts(repo: Repo) -> None:
    repo.push({"a": "1\n"}, "Add a\n\nSigned-off-by: Nia <NIA@practice.example>")
    assert repo.one(kind="sign-off").status == "success"


def test_the_fix_that_the_sign_off_log_names_works(repo: Repo, tmp_path: Path) -> None:
    repo.push({"a": "1\n"}, "Add a", author="Aoife O'Brien <aoife@practice.example>")
    fix = reason(repo.one(kind="sign-off").log).partition("push: ")[2]
    assert fix.startswith("git commit --allow-empty --signoff -m ")
    clone = tmp_path / "clone"
    git(("clone", "--quiet", "--branch", "change", str(repo.path), str(clone)))
    import subprocess

    from isexplore.practice.repository import git_environment

    identity = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", "Aoife O'Brien"), ("EMAIL", "aoife@practice.example"))
    }
    subprocess.run(
        ["sh", "-c", f"{fix} && git push -q"], cwd=clone, env=git_environment(identity), check=True
    )
    assert repo.one(kind="sign-off").status == "success"


def test_somebody_else_cannot_vouch(repo: Repo) -> None:
    sha = repo.push({"a": "1\n"}, "Add a")
    vow = f"I, Nia <nia@practice.example>, hereby add my Signed-off-by to this commit: {sha}"
    repo.push(
        {}, f"Vouch\n\n{vow}\n\nSigned-off-by: Tom <tom@practice.example>", "Tom <tom@practice.example>"
    )
    assert repo.one(kind="sign-off").status == "failed"


def test_message_names_the_commit(repo: Repo) -> None:
    repo.push({"a": "1\n"}, "docs: add a")
    second = repo.push({"b": "1\n"}, "add b")
    job = repo.one(kind="message", pattern=r"^docs: \S")
    assert f"FAILED commit {second[:8]}: its first line is 'add b'" in job.log
    assert job.log.count("FAILED") == 1


def test_merges_of_the_target_are_not_judged(repo: Repo) -> None:
    repo.push({"a": "1\n"}, "docs: add a")
    commit(repo.path, "main", {"z": "1 \n"}, message="something else")
    tree = git(("rev-parse", "refs/heads/change^{tree}"), repositories=(repo.path,)).decode().strip()
    change = Change((repo.path,), target="refs/heads/main", head="refs/heads/change")
    assert change.files() == ("a",)
    assert change.tree_id() == tree
    assert repo.one(kind="message", pattern=r"^docs: \S").status == "success"


def test_branch_name(repo: Repo) -> None:
    repo.push({"a": "1\n"})
    rule = CheckSeed(name="branch", kind="branch", pattern=r"^feature/\d+-")
    assert repo.run(rule, branch="feature/1-x")[0].status == "success"
    (job,) = repo.run(rule, branch="my-change")
    assert "FAILED branch my-change" in job.log


def test_change_log_must_change(repo: Repo) -> None:
    repo.push({"a": "1\n"})
    assert "Add one line" in reason(repo.one(kind="changelog", path="CHANGELOG.md").log)
    repo.push({"CHANGELOG.md": "# Changes\n\n- a\n"})
    assert repo.one(kind="changelog", path="CHANGELOG.md").status == "success"


def test_deleting_the_change_log_does_not_count(repo: Repo) -> None:
    repo.push({"CHANGELOG.md": None})
    assert repo.one(kind="changelog", path="CHANGELOG.md").status == "failed"


def test_file_matches(repo: Repo) -> None:
    repo.push({"a": "1\n"})
    assert repo.one(kind="file-matches", path="README.md", pattern="^# Project$").status == "success"
    assert repo.one(kind="file-matches", path="README.md", pattern="^# Other$").status == "failed"
    assert repo.one(kind="file-matches", path="missing.md", pattern="x").status == "success"


def test_long_lines_count_when_they_are_new(repo: Repo) -> None:
    repo.push({"docs/guide.md": "# Guide\n\n" + "x" * 30 + "\n"})
    job = repo.one(kind="max-line", limit=20)
    assert "docs/guide.md:3: the line has 30 characters; at most 20" in job.log
    commit(repo.path, "main", {"docs/guide.md": "# Guide\n\n" + "x" * 30 + "\n"}, message="Long")
    assert repo.one(kind="max-line", limit=20).status == "failed"


@pytest.mark.parametrize(
    ("link", "good"),
    [
        ("guide.md", True),
        ("./guide.md#top", True),
        ("../README.md", True),
        ("../docs", True),
        ("https://example.org/x", True),
        ("#here", True),
        ("mailto:x@example.org", True),
        ("/api/v4", True),
        ("../Gone.md", False),
        ("guide", False),
    ],
)
def test_links(repo: Repo, link: str, good: bool) -> None:
    repo.push({"docs/more.md": f"# More\n\nSee [this]({link}).\n"})
    job = repo.one(kind="links")
    assert job.status == ("success" if good else "failed")
    assert good or "FAILED docs/more.md:3" in job.log


@pytest.mark.parametrize(
    ("path", "good", "bad"),
    [
        ("x.json", '{"a": [1]}', '{"a": [1}'),
        ("x.toml", "a = 1\n", "a = \n"),
        ("x.py", "def f() -> int:\n    return 1\n", "def f(:\n"),
        ("x.py", 'x = "\\d"\n', "\0"),
        ("x.json", "1", "[" * 100_000),
    ],
)
def test_parses(repo: Repo, path: str, good: str, bad: str) -> None:
    repo.push({path: good})
    assert repo.one(kind="parses").status == "success"
    repo.push({path: bad})
    expected = "success" if "\0" in bad else "failed"
    assert repo.one(kind="parses").status == expected


def test_sorted(repo: Repo) -> None:
    repo.push({"LIST.md": "# List\n\n- Ada\n- Carl\n- Bob\n\nOthers:\n\n- Aaron\n"})
    job = repo.one(kind="sorted", path="LIST.md")
    assert "FAILED LIST.md:5: 'Bob' stands after 'Carl'" in job.log
    assert job.log.count("FAILED") == 1
    repo.push({"LIST.md": "# List\n\n- Ada\n- bob\n- Carl\n"})
    assert repo.one(kind="sorted", path="LIST.md").status == "success"


def test_rules_of_one_name_are_one_job(repo: Repo) -> None:
    repo.push({"docs/guide.md": "# Guide\n\n[x](y.md) \n"})
    jobs = repo.run(
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(name="list", kind="sorted", path="LIST.md"),
        CheckSeed(name="lint", kind="links", hint="Ask in the channel."),
    )
    assert [(job.name, job.status) for job in jobs] == [("lint", "failed"), ("list", "success")]
    assert jobs[0].log.count("FAILED") == 2
    assert "Ask in the channel." in jobs[0].log
    assert jobs[1].log.endswith("Job succeeded.\n")
    assert pipeline_status(jobs) == "failed"
    assert pipeline_status(jobs[1:]) == "success"


def test_no_rules_mean_the_common_one(repo: Repo) -> None:
    repo.push({"a": "x \n"})
    (job,) = repo.run()
    assert (job.name, job.status) == ("lint", "failed")


def test_many_findings_are_told_shortly(repo: Repo) -> None:
    repo.push({"a": "x \n" * 5000})
    log = repo.one(kind="no-trailing-space").log
    assert "5000 findings" in log
    assert "and 4990 more" in log
    assert len(log) < 4000


def test_binary_and_broken_text_do_not_disturb(repo: Repo) -> None:
    repo.push({"a.bin": bytes(range(256)), "b.md": b"K\xf6ln \n", "LIST.md": None})
    job = repo.one(kind="no-trailing-space")
    assert "FAILED b.md:1" in job.log
    assert "a.bin:" not in job.log
    assert repo.one(kind="sorted", path="LIST.md").status == "success"


def test_fork_and_original_are_read_together(repo: Repo, tmp_path: Path) -> None:
    fork = tmp_path / "fork.git"
    git(("clone", "--quiet", "--bare", str(repo.path), str(fork)))
    head = commit(fork, "change", {"a": "x \n"}, start="refs/heads/main")
    commit(repo.path, "main", {"b": "1\n"})
    change = Change((repo.path, fork), target="refs/heads/main", head=head)
    (job,) = run_checks((), change)
    assert "FAILED a:1" in job.log


def test_commit_that_is_not_there_is_an_error(repo: Repo) -> None:
    change = Change((repo.path,), target="refs/heads/main", head="0" * 39 + "1")
    with pytest.raises(GitError) as caught:
        run_checks((), change)
    assert caught.value.reason == "failed"


def test_reason_of_a_passing_log_is_empty(repo: Repo) -> None:
    repo.push({"a": "x\n"})
    assert reason(repo.one(kind="no-trailing-space").log) == ""
