"""What the user's own environment and settings must not change, one setting at a time, with real git."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from isexplore.errors import GitError
from isexplore.git.client import Git
from tests.support.git import GitServer, add_commit, git, write_files


@pytest.fixture
def settings(isolated_environment: Path) -> Path:
    """The user's `.gitconfig`."""
    return isolated_environment / ".gitconfig"


async def test_a_program_in_the_present_folder_is_not_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentinel = tmp_path / "ran"
    fake = tmp_path / "git"
    fake.write_text(f"#!/bin/sh\ntouch {sentinel}\n")
    fake.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    for first in ("", ".", "bin/.."):
        (tmp_path / "bin").mkdir(exist_ok=True)
        await Git(environment={**os.environ, "PATH": f"{first}:{os.environ['PATH']}"}).version()
    assert not sentinel.exists()


async def test_a_repository_above_the_folder_is_not_taken_for_the_clone(client: Git, clone: Path) -> None:
    inner = clone / "inner"
    inner.mkdir()
    with pytest.raises(GitError) as caught:
        await client.changes(inner)
    assert caught.value.reason == "not-a-clone"


async def test_only_the_branch_is_pushed(served: GitServer, client: Git, clone: Path, settings: Path) -> None:
    settings.write_text("[push]\n\tfollowTags = true\n[remote]\n\tpushDefault = elsewhere\n")
    await client.create_branch(clone, "41-x", "HEAD")
    write_files(clone, {"README.md": "mine\n"})
    await client.commit(clone, "Mine")
    git("tag", "--annotate", "--message", "v9", "v9", cwd=clone)
    await client.push(clone, "origin", "41-x", credential=served.credential)
    refs = git("for-each-ref", "--format=%(refname)", cwd=served.bare("tools/scheduler")).split()
    assert refs == ["refs/heads/41-x", "refs/heads/main"]


async def test_a_file_s_name_is_no_pattern(client: Git, clone: Path) -> None:
    write_files(clone, {"*.md": "odd\n", "README.md": "changed\n", ":(top)x": "odd too\n"})
    await client.commit(clone, "Only these", paths=("*.md", ":(top)x"))
    changed = git("show", "--name-only", "--format=", "-z", "HEAD", cwd=clone).split("\0")
    assert sorted(filter(None, changed)) == ["*.md", ":(top)x"]
    assert [one.path for one in await client.changes(clone)] == ["README.md"]


async def test_large_files_stay_pointers(
    served: GitServer, client: Git, tmp_path: Path, settings: Path
) -> None:
    files = {".gitattributes": "*.bin filter=lfs\n", "big.bin": "pointer\n"}
    add_commit(served.bare("tools/scheduler"), files, "Add a large file")
    settings.write_text('[filter "lfs"]\n\tsmudge = echo skip=$GIT_LFS_SKIP_SMUDGE\n')
    await client.clone(served.url("tools/scheduler"), tmp_path / "x", credential=served.credential)
    assert (tmp_path / "x" / "big.bin").read_text() == "skip=1\n"
