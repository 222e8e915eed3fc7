"""Whatever git or the server refuses comes back as a reason, in words, and with the next thing to do."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from isexplore.config.secrets import Secret
from isexplore.errors import GitError
from isexplore.git.client import Credential, Git
from isexplore.git.failures import explain
from tests.support.git import GitServer, add_commit, git, write_files


def hook(clone: Path, name: str, script: str) -> None:
    path = clone / ".git" / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)


async def branch_with_commit(client: Git, clone: Path, name: str = "41-explain") -> str:
    await client.create_branch(clone, name, "HEAD")
    write_files(clone, {"README.md": f"# Changed for {name}\n"})
    return await client.commit(clone, "Explain it")


async def refused(awaitable: object) -> GitError:
    with pytest.raises(GitError) as caught:
        await awaitable  # type: ignore[misc]
    error = caught.value
    assert error.title
    assert error.hint
    assert not error.title.endswith(".")
    return error


async def test_a_wrong_token_asks_to_sign_in(served: GitServer, client: Git, tmp_path: Path) -> None:
    wrong = Credential(origin=served.origin, username="oauth2", token=Secret("glpat-wrong"))
    error = await refused(client.clone(served.url("tools/scheduler"), tmp_path / "x", credential=wrong))
    assert error.reason == "auth"
    assert "isexplore login" in error.hint
    assert not {name for name in os.listdir(tmp_path) if name == "x" or name.startswith(".isx")}


async def test_no_token_asks_to_sign_in_without_a_prompt(
    served: GitServer, client: Git, tmp_path: Path
) -> None:
    error = await refused(client.clone(served.url("tools/scheduler"), tmp_path / "x"))
    assert error.reason == "auth"


async def test_a_missing_project(served: GitServer, client: Git, tmp_path: Path) -> None:
    error = await refused(
        client.clone(served.url("tools/gone"), tmp_path / "x", credential=served.credential)
    )
    assert error.reason == "not-found"


async def test_a_missing_branch_of_a_project(served: GitServer, client: Git, tmp_path: Path) -> None:
    error = await refused(
        client.clone(
            served.url("tools/scheduler"), tmp_path / "x", credential=served.credential, branch="gone"
        )
    )
    assert error.reason == "not-found"


async def test_a_folder_that_takes_nothing_is_told_as_one(served: GitServer, client: Git) -> None:
    if not Path("/proc/self").exists():
        pytest.skip("this system has no /proc")
    error = await refused(
        client.clone(served.url("tools/scheduler"), Path("/proc/clone"), credential=served.credential)
    )
    assert (error.reason, error.title) == ("not-writable", "The folder of the clone cannot be written")
    assert "Choose a folder" in error.hint


async def test_push_to_somebody_elses_project_points_at_the_fork(
    served: GitServer, client: Git, clone: Path
) -> None:
    await branch_with_commit(client, clone)
    served.mode = "forbidden-push"
    error = await refused(client.push(clone, "origin", "41-explain", credential=served.credential))
    assert error.reason == "forbidden"
    assert error.title == "You cannot push to tools/scheduler"
    assert "fork" in error.hint


async def test_push_that_would_lose_commits_is_rejected(served: GitServer, client: Git, clone: Path) -> None:
    bare = served.bare("tools/scheduler")
    await branch_with_commit(client, clone)
    await client.push(clone, "origin", "41-explain", credential=served.credential)
    theirs = add_commit(bare, {"other.txt": "x\n"}, "Somebody else", branch="41-explain")
    write_files(clone, {"README.md": "again\n"})
    await client.commit(clone, "Again")
    error = await refused(client.push(clone, "origin", "41-explain", credential=served.credential))
    assert error.reason == "rejected"
    assert git("rev-parse", "41-explain", cwd=bare).strip() == theirs


async def test_push_to_a_protected_branch_is_refused_before_git_runs(
    served: GitServer, client: Git, clone: Path
) -> None:
    asked = len(served.requests)
    error = await refused(
        client.push(clone, "origin", "main", credential=served.credential, protected={"main", "release"})
    )
    assert error.reason == "protected"
    assert len(served.requests) == asked


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("GitLab: You are not allowed to push code to protected branches on this project.", "protected"),
        ("GitLab: Commit message does not follow the pattern", "declined"),
    ],
)
async def test_push_that_the_forge_declines_quotes_its_words(
    served: GitServer, client: Git, clone: Path, words: str, reason: str
) -> None:
    pre_receive = served.bare("tools/scheduler") / "hooks" / "pre-receive"
    pre_receive.write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 1\n")
    pre_receive.chmod(0o755)
    await branch_with_commit(client, clone)
    error = await refused(client.push(clone, "origin", "41-explain", credential=served.credential))
    assert error.reason == reason
    assert words in error.detail


async def test_a_push_whose_answer_was_lost_can_be_looked_up(
    served: GitServer, client: Git, clone: Path
) -> None:
    sha = await branch_with_commit(client, clone)
    served.mode = "cut-after-push"
    error = await refused(client.push(clone, "origin", "41-explain", credential=served.credential))
    assert error.reason == "network"
    served.mode = "ok"
    there = await client.remote_branch(clone, "origin", "41-explain", credential=served.credential)
    assert there == sha


async def test_a_missing_branch_or_remote(served: GitServer, client: Git, clone: Path) -> None:
    error = await refused(client.push(clone, "origin", "nothing", credential=served.credential))
    assert error.reason == "not-found"
    error = await refused(client.push(clone, "fork", "main", credential=served.credential))
    assert error.reason == "not-found"
    error = await refused(client.create_branch(clone, "x", "origin/gone"))
    assert error.reason == "not-found"
    error = await refused(client.resolve(clone, "gone"))
    assert error.reason == "not-found"
    assert (await refused(client.resolve(clone, "--all"))).reason == "bad-branch"


async def test_a_branch_that_exists_and_changes_in_the_way(client: Git, clone: Path) -> None:
    await client.create_branch(clone, "41-explain", "HEAD")
    error = await refused(client.create_branch(clone, "41-explain", "HEAD"))
    assert error.reason == "exists"
    write_files(clone, {"README.md": "on the branch\n"})
    await client.commit(clone, "On the branch")
    write_files(clone, {"README.md": "uncommitted\n"})
    error = await refused(client.switch(clone, "main"))
    assert error.reason == "changes-in-the-way"
    assert "README.md" in error.detail
    assert (clone / "README.md").read_text() == "uncommitted\n"


async def test_hooks_speak_and_cannot_act_on_the_terminal(client: Git, clone: Path) -> None:
    hook(
        clone, "pre-commit", "printf 'lint: \\033[31mline too long\\033[0m\\n' >&2; echo also stdout; exit 1"
    )
    write_files(clone, {"README.md": "x\n"})
    lines: list[str] = []
    error = await refused(client.commit(clone, "Try", on_output=lines.append))
    assert error.reason == "hook-failed"
    assert error.title == "The pre-commit hook said no"
    assert "line too long" in error.detail
    assert "also stdout" in "\n".join(lines)
    assert "\x1b" not in str(error) + "".join(lines)
    hook(clone, "pre-commit", "exit 0")
    assert await client.commit(clone, "Try")


async def test_a_hook_that_wants_the_terminal_gets_none(client: Git, clone: Path) -> None:
    hook(clone, "pre-commit", "exec < /dev/tty || { echo no terminal >&2; exit 1; }")
    write_files(clone, {"README.md": "x\n"})
    error = await refused(client.commit(clone, "Try"))
    assert error.reason == "hook-failed"


async def test_a_hook_that_leaves_a_child_behind_does_not_hang(client: Git, clone: Path) -> None:
    hook(clone, "post-commit", "sleep 30 & echo $! > .git/child")
    write_files(clone, {"README.md": "x\n"})
    try:
        assert await client.commit(clone, "Try")
    finally:
        os.kill(int((clone / ".git" / "child").read_text()), 9)


async def test_pre_push_hook(served: GitServer, client: Git, clone: Path) -> None:
    await branch_with_commit(client, clone)
    hook(clone, "pre-push", "echo tests are red >&2; exit 1")
    error = await refused(client.push(clone, "origin", "41-explain", credential=served.credential))
    assert error.reason == "hook-failed"
    assert "tests are red" in error.detail


async def test_a_commit_hook_never_sees_the_token(served: GitServer, client: Git, clone: Path) -> None:
    for name in ("pre-commit", "post-commit", "post-checkout"):
        hook(clone, name, f"env > .git/env-{name}")
    await client.create_branch(clone, "41-explain", "HEAD")
    write_files(clone, {"README.md": "x\n"})
    await client.commit(clone, "Try")
    await client.switch(clone, "main", credential=served.credential)
    seen = {
        path.name: path.read_text()
        for path in sorted((clone / ".git").iterdir())
        if path.name.startswith("env-")
    }
    assert set(seen) == {"env-pre-commit", "env-post-commit", "env-post-checkout"}
    assert served.token not in "".join(seen.values())


async def test_nothing_to_commit_no_message_no_identity(
    served: GitServer, client: Git, tmp_path: Path
) -> None:
    folder = tmp_path / "x"
    await client.clone(served.url("tools/scheduler"), folder, credential=served.credential)
    assert not (await client.identity(folder)).complete
    write_files(folder, {"README.md": "x\n"})
    git("config", "user.useConfigOnly", "true", cwd=folder)
    error = await refused(client.commit(folder, "Try"))
    assert error.reason == "no-identity"
    assert (await refused(client.commit(folder, "  \n"))).reason == "no-message"
    for name, email in (("", "a@b"), ("Ada", "a\nb"), ("Ada <x>", "a@b")):
        assert (await refused(client.set_identity(folder, name, email))).reason == "bad-identity"
    await client.set_identity(folder, "Ada", "ada@example.org")
    assert (await client.identity(folder)).complete
    await client.commit(folder, "Try")
    assert (await refused(client.commit(folder, "Try"))).reason == "nothing-to-commit"


async def test_signing_without_a_key(client: Git, clone: Path) -> None:
    git("config", "commit.gpgSign", "true", cwd=clone)
    git("config", "gpg.program", "false", cwd=clone)
    write_files(clone, {"README.md": "x\n"})
    assert (await refused(client.commit(clone, "Try"))).reason == "signing-failed"


async def test_an_index_lock_is_named_and_kept(client: Git, clone: Path) -> None:
    lock = clone / ".git" / "index.lock"
    lock.touch()
    write_files(clone, {"README.md": "x\n"})
    error = await refused(client.commit(clone, "Try"))
    assert error.reason == "index-locked"
    assert lock.exists()


async def test_only_the_named_paths_are_committed(client: Git, clone: Path) -> None:
    write_files(clone, {"README.md": "x\n", "new*.txt": "1\n", "newer.txt": "2\n", "-odd": "3\n"})
    await client.commit(clone, "Some", paths=("new*.txt", "-odd"))
    left = {change.path: change.state for change in await client.changes(clone)}
    assert left == {"README.md": "modified", "newer.txt": "untracked"}


async def test_file_names_of_every_kind_are_read(client: Git, clone: Path) -> None:
    for name in (b"with space", b"esc\x1b[31m", b"line\nfeed", b"bytes\xff"):
        write_files(clone, {os.fsdecode(name): "x"})
    (clone / "src" / "retry.py").unlink()
    found = {change.path: change.state for change in await client.changes(clone)}
    assert found == {
        "with space": "untracked",
        "esc\x1b[31m": "untracked",
        "line\nfeed": "untracked",
        "bytes\udcff": "untracked",
        "src/retry.py": "deleted",
    }


async def test_conflicts_and_unfinished_work_are_facts(client: Git, clone: Path) -> None:
    await branch_with_commit(client, clone, "mine")
    await client.switch(clone, "main")
    write_files(clone, {"README.md": "other\n"})
    await client.commit(clone, "Other")
    with pytest.raises(AssertionError):
        git("merge", "mine", cwd=clone)
    facts = await client.facts(clone)
    assert facts.in_progress == "merge"
    assert facts.conflicts == 1
    git("merge", "--abort", cwd=clone)
    git("checkout", "--quiet", "--detach", cwd=clone)
    facts = await client.facts(clone)
    assert (facts.in_progress, facts.branch) == (None, None)


async def test_facts_of_folders_that_are_no_clone(client: Git, clone: Path, tmp_path: Path) -> None:
    assert not (await client.facts(tmp_path / "missing")).exists
    empty = tmp_path / "empty"
    empty.mkdir()
    assert (await client.facts(empty)).exists
    for folder in (empty, clone / "src", tmp_path / "forge" / "tools" / "scheduler.git"):
        assert not (await client.facts(folder)).is_repo
    (empty / ".git").mkdir()
    assert not (await client.facts(empty)).is_repo


async def test_a_fresh_repository_has_no_head(client: Git, tmp_path: Path) -> None:
    git("init", "--quiet", "--initial-branch=main", str(tmp_path / "new"), cwd=tmp_path)
    facts = await client.facts(tmp_path / "new")
    assert (facts.head, facts.branch, facts.branches) == (None, "main", ())


async def test_ahead_and_behind(served: GitServer, client: Git, clone: Path) -> None:
    add_commit(served.bare("tools/scheduler"), {"new.txt": "x\n"}, "Theirs")
    write_files(clone, {"README.md": "mine\n"})
    await client.commit(clone, "Mine")
    await client.fetch(clone, "origin", credential=served.credential)
    facts = await client.facts(clone)
    assert (facts.upstream, facts.ahead, facts.behind) == ("origin/main", 1, 1)


async def test_remotes(served: GitServer, client: Git, clone: Path) -> None:
    fork = f"{served.origin}/grace/scheduler.git"
    await client.add_remote(clone, "fork", fork)
    assert (await client.facts(clone)).remotes["fork"] == fork
    assert (await refused(client.add_remote(clone, "fork", fork))).reason == "exists"
    assert (await refused(client.add_remote(clone, "--mirror", fork))).reason == "bad-remote"
    assert (await refused(client.add_remote(clone, "x", "ext::sh -c x"))).reason == "bad-url"
    assert (await client.remote_url(clone, "fork")) == fork


async def test_missing_git(tmp_path: Path) -> None:
    client = Git(environment={"PATH": str(tmp_path)})
    error = await refused(client.version())
    assert error.reason == "missing"


async def test_the_version_is_told(client: Git) -> None:
    assert (await client.version())[0].isdigit()


async def test_dubious_ownership_is_explained(
    client: Git, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(clone, 12345, 12345)
    error = await refused(client.changes(clone))
    assert error.reason == "dubious-ownership"


async def test_a_failing_filter_leaves_a_clone_that_can_be_finished(
    served: GitServer, client: Git, tmp_path: Path, isolated_environment: Path
) -> None:
    add_commit(served.bare("tools/scheduler"), {".gitattributes": "*.py filter=big\n"}, "Filter")
    config = isolated_environment / ".gitconfig"
    config.write_text('[filter "big"]\n\trequired = true\n\tsmudge = false\n')
    folder = tmp_path / "x"
    error = await refused(client.clone(served.url("tools/scheduler"), folder, credential=served.credential))
    assert error.reason == "checkout-failed"
    assert (await client.facts(folder)).is_repo
    config.write_text('[filter "big"]\n\trequired = true\n\tsmudge = cat\n\tclean = cat\n')
    await client.finish_checkout(folder, credential=served.credential)
    assert (folder / "src" / "retry.py").read_text() == "DELAY = 1\n"
    assert (await client.facts(folder)).changes == 0


async def test_a_full_disk(served: GitServer, client: Git, tmp_path: Path) -> None:
    script = tmp_path / "bin" / "git"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\necho 'fatal: write error: No space left on device' >&2\nexit 128\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    client = Git(program=str(script))
    error = await refused(
        client.clone(served.url("tools/scheduler"), tmp_path / "x", credential=served.credential)
    )
    assert error.reason == "disk-full"


async def test_a_token_in_a_remote_s_address_is_not_repeated(
    served: GitServer, client: Git, clone: Path
) -> None:
    git(
        "remote",
        "set-url",
        "origin",
        served.url("tools/gone").replace("//", "//oauth2:glpat-in-the-address-1234@"),
        cwd=clone,
    )
    lines: list[str] = []
    with pytest.raises(GitError) as caught:
        await client.fetch(clone, "origin", on_output=lines.append)
    assert lines
    assert "glpat-in-the-address" not in "\n".join([str(caught.value), *lines])


@pytest.mark.parametrize(
    ("returncode", "words"),
    [(3, "exit code 3"), (-25, "SIGXFSZ"), (-200, "signal 200")],
)
def test_a_silent_end_is_told_with_its_cause(returncode: int, words: str) -> None:
    assert words in explain("clone", (), returncode).detail
