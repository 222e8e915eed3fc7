"""Folders as people name them, and what is left of them when nothing comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from isexplore.errors import GitError
from isexplore.git.client import Git
from isexplore.git.folders import check_place, real_folder
from tests.support.git import GitServer


def test_a_folder_has_one_name_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    (tmp_path / "real").mkdir()
    for written in (
        "rel/../real/clone", "~/real/clone", "real/clone/", "linked/clone", "./real//clone", "real/clone/x/..",
    ):  # fmt: skip
        assert real_folder(Path(written)) == tmp_path / "real" / "clone", written
    assert not (tmp_path / "rel").exists()


def test_a_link_is_followed_to_a_clone_only(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "clone" / ".git").mkdir(parents=True)
    for name in ("empty", "clone"):
        (tmp_path / f"to-{name}").symlink_to(tmp_path / name)
    assert real_folder(tmp_path / "to-clone") == tmp_path / "clone"
    check_place(real_folder(tmp_path / "to-clone"))
    with pytest.raises(GitError, match="in use"):
        check_place(real_folder(tmp_path / "to-empty"))


@pytest.mark.parametrize("written", ["~nobody-of-that-name/x", "a\0b", "a\nb", "caf\udce9"])
def test_what_cannot_be_a_folder_is_refused(tmp_path: Path, written: str) -> None:
    with pytest.raises(GitError) as caught:
        real_folder(Path(written))
    assert caught.value.reason == "bad-path"


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    with pytest.raises(GitError):
        check_place(real_folder(tmp_path / "one" / "clone"))


def test_a_file_on_the_way_is_told_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GitError) as caught:
        check_place(tmp_path / "file" / "deep" / "clone")
    assert (caught.value.reason, "is no folder" in caught.value.detail) == ("not-writable", True)


async def test_a_clone_that_fails_leaves_no_folder(served: GitServer, client: Git, tmp_path: Path) -> None:
    folder = tmp_path / "src" / "a" / "b"
    with pytest.raises(GitError):
        await client.clone(served.url("tools/missing"), folder, credential=served.credential)
    assert not (tmp_path / "src").exists()


async def test_folders_that_were_there_stay(served: GitServer, client: Git, tmp_path: Path) -> None:
    folder = tmp_path / "src" / "a" / "b"
    folder.mkdir(parents=True)
    with pytest.raises(GitError):
        await client.clone(served.url("tools/missing"), folder, credential=served.credential)
    assert folder.exists()
