from __future__ import annotations

import gzip
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from isexplore.practice.server import Grant
from tests.support.practice import (
    MARA_TOKEN,
    RunningPractice,
    fetch,
    quoted,
    run_git,
    running_practice,
)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[RunningPractice]:
    with running_practice(tmp_path / "forge") as running:
        yield running


def clone(practice: RunningPractice, project: str, folder: Path, token: str | None = None) -> Path:
    run_git("clone", "-q", practice.clone_url(project, token), str(folder), cwd=folder.parent)
    return folder


def try_git(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run_git(*words, cwd=cwd, check=False)


def commit(folder: Path, name: str = "new.md", text: str = "New.\n") -> str:
    (folder / name).write_text(text)
    run_git("add", ".", cwd=folder)
    run_git("commit", "-q", "-m", f"Add {name}", cwd=folder)
    return run_git("rev-parse", "HEAD", cwd=folder).stdout.strip()


class TestReading:
    def test_clones_with_history(self, fresh: RunningPractice, tmp_path: Path) -> None:
        folder = clone(fresh, "tools/alpha", tmp_path / "alpha")
        assert (folder / "docs/usage.md").read_text() == "Use it.\n"
        assert "Start" in run_git("log", "--format=%s", cwd=folder).stdout.split()

    def test_clones_public_projects_without_a_token(self, fresh: RunningPractice, tmp_path: Path) -> None:
        run_git("clone", "-q", f"{fresh.url}/tools/deep/beta.git", "beta", cwd=tmp_path)
        assert (tmp_path / "beta" / "README.rst").exists()

    def test_follows_an_address_without_its_ending(self, fresh: RunningPractice, tmp_path: Path) -> None:
        run_git("clone", "-q", f"{fresh.url}/tools/deep/beta", "beta", cwd=tmp_path)
        assert (tmp_path / "beta" / "README.rst").exists()

    def test_clones_without_blobs(self, fresh: RunningPractice, tmp_path: Path) -> None:
        run_git("clone", "-q", "--filter=blob:none", fresh.clone_url("tools/alpha"), "alpha", cwd=tmp_path)
        assert (tmp_path / "alpha" / "README.md").exists()

    @pytest.mark.parametrize("project", ["tools/alpha", "vault/secret", "no/such"])
    def test_asks_strangers_who_they_are(self, fresh: RunningPractice, project: str) -> None:
        reply = fetch(f"{fresh.url}/{project}.git/info/refs?service=git-upload-pack")
        assert reply.status == 401
        assert reply.headers["WWW-Authenticate"] == 'Basic realm="GitLab"'

    @pytest.mark.parametrize("project", ["vault/secret", "no/such"])
    def test_hides_what_may_not_be_seen(self, fresh: RunningPractice, tmp_path: Path, project: str) -> None:
        done = try_git("ls-remote", fresh.clone_url(project), cwd=tmp_path)
        assert done.returncode != 0
        assert "could not be found or you don't have permission to view it" in done.stderr

    def test_refuses_a_wrong_token(self, fresh: RunningPractice, tmp_path: Path) -> None:
        done = try_git("ls-remote", fresh.clone_url("tools/alpha", "wrong"), cwd=tmp_path)
        assert done.returncode != 0
        assert "Authentication failed" in done.stderr

    def test_speaks_the_second_protocol(self, fresh: RunningPractice) -> None:
        reply = fetch(
            f"{fresh.url}/tools/deep/beta.git/info/refs?service=git-upload-pack",
            headers={"Git-Protocol": "version=2"},
        )
        assert b"version 2" in reply.body
        assert reply.headers["Content-Type"] == "application/x-git-upload-pack-advertisement"

    def test_unpacks_compressed_requests(self, fresh: RunningPractice) -> None:
        body = b"0014command=ls-refs\n00010009peel\n0000"
        reply = fetch(
            f"{fresh.url}/tools/deep/beta.git/git-upload-pack",
            method="POST",
            headers={
                "Git-Protocol": "version=2",
                "Content-Type": "application/x-git-upload-pack-request",
                "Content-Encoding": "gzip",
            },
            body=gzip.compress(body),
        )
        assert reply.status == 200
        assert b"refs/heads/main" in reply.body

    @pytest.mark.parametrize("path", ["HEAD", "objects/info/packs", "config", "info/refs"])
    def test_speaks_no_dumb_protocol(self, fresh: RunningPractice, path: str) -> None:
        reply = fetch(f"{fresh.url}/tools/deep/beta.git/{path}")
        assert reply.status in (403, 404)

    def test_waits_for_the_fork(self, fresh: RunningPractice, tmp_path: Path) -> None:
        fork = fresh.fork()
        folder = clone(fresh, fork["path_with_namespace"], tmp_path / "fork")
        assert (folder / "README.md").exists()


class TestPushing:
    def test_to_the_original_is_refused_in_gitlabs_words(
        self, fresh: RunningPractice, tmp_path: Path
    ) -> None:
        folder = clone(fresh, "tools/alpha", tmp_path / "alpha")
        commit(folder)
        done = try_git("push", "origin", "HEAD:refs/heads/mine", cwd=folder)
        assert done.returncode != 0
        assert "remote: You are not allowed to push code to this project." in done.stderr
        assert "403" in done.stderr
        assert fresh.ask(f"/projects/{quoted('tools/alpha')}/repository/branches/mine").status == 404

    def test_to_the_own_fork_works(self, fresh: RunningPractice, tmp_path: Path) -> None:
        fork = fresh.fork()
        before = fresh.ask(f"/projects/{fork['id']}").json["last_activity_at"]
        folder = clone(fresh, fork["path_with_namespace"], tmp_path / "fork")
        head = commit(folder)
        done = run_git("push", "origin", "HEAD:refs/heads/fix/it", cwd=folder)
        branch = fresh.ask(f"/projects/{fork['id']}/repository/branches/{quoted('fix/it')}").json
        assert branch["commit"]["id"] == head
        assert fresh.ask(f"/projects/{fork['id']}").json["last_activity_at"] > before
        assert f"remote:   {fresh.url}/nia/alpha/-/merge_requests/new" in done.stderr

    def test_of_members_reaches_the_original(self, fresh: RunningPractice, tmp_path: Path) -> None:
        folder = clone(fresh, "tools/alpha", tmp_path / "alpha", MARA_TOKEN)
        (folder / "README.md").unlink()
        commit(folder, "readme.rst", "Hello\n")
        run_git("push", "-q", "origin", "main", cwd=folder)
        shown = fresh.ask(f"/projects/{quoted('tools/alpha')}").json
        assert shown["readme_url"].endswith("/readme.rst")

    def test_of_developers_to_the_default_branch_is_refused(
        self, fresh: RunningPractice, tmp_path: Path
    ) -> None:
        fresh.forge.tokens["ravi"] = Grant(username="ravi")
        folder = clone(fresh, "tools/alpha", tmp_path / "alpha", "ravi")
        commit(folder)
        done = try_git("push", "origin", "main", cwd=folder)
        assert done.returncode != 0
        words = "remote: GitLab: You are not allowed to push code to protected branches on this project."
        assert words in done.stderr
        run_git("push", "-q", "origin", "main:refs/heads/topic", cwd=folder)

    def test_rewrites_no_default_branch(self, fresh: RunningPractice, tmp_path: Path) -> None:
        fork = fresh.fork()
        folder = clone(fresh, fork["path_with_namespace"], tmp_path / "fork")
        commit(folder)
        run_git("push", "-q", "origin", "main", cwd=folder)
        run_git("commit", "-q", "--amend", "-m", "Say it again", cwd=folder)
        forced = try_git("push", "-f", "origin", "main", cwd=folder)
        assert "not allowed to force push code to a protected branch" in forced.stderr
        deleted = try_git("push", "origin", ":main", cwd=folder)
        assert "only delete protected branches using the web interface" in deleted.stderr
        for _ in range(2):
            run_git("push", "-q", "-f", "origin", "main:refs/heads/topic", cwd=folder)
            run_git("commit", "-q", "--amend", "-m", "And again", cwd=folder)

    def test_fills_an_empty_project(self, fresh: RunningPractice, tmp_path: Path) -> None:
        folder = clone(fresh, "tools/empty", tmp_path / "empty", MARA_TOKEN)
        run_git("switch", "-q", "-c", "trunk", cwd=folder)
        commit(folder, "README.md")
        run_git("push", "-q", "origin", "trunk", cwd=folder)
        shown = fresh.ask("/projects/tools%2Fempty").json
        assert (shown["empty_repo"], shown["default_branch"]) == (False, "trunk")

    def test_of_a_big_file_goes_through_in_pieces(self, fresh: RunningPractice, tmp_path: Path) -> None:
        fork = fresh.fork()
        folder = clone(fresh, fork["path_with_namespace"], tmp_path / "fork")
        # Over http.postBuffer git sends chunks without telling a length.
        noise = "".join(f"{number * 7919 % 1_000_003}\n" for number in range(400_000))
        commit(folder, "big.txt", noise)
        run_git("-c", "http.postBuffer=65536", "push", "-q", "origin", "HEAD:refs/heads/big", cwd=folder)
        again = clone(fresh, fork["path_with_namespace"], tmp_path / "again")
        run_git("switch", "-q", "big", cwd=again)
        assert (again / "big.txt").read_text() == noise

    def test_runs_no_hook_of_the_repository(self, fresh: RunningPractice, tmp_path: Path) -> None:
        fork = fresh.fork()
        hooks = fresh.store.own_repository_path(fork["id"]) / "hooks"
        hooks.mkdir(exist_ok=True)
        (hooks / "pre-receive").write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n")
        (hooks / "pre-receive").chmod(0o755)
        folder = clone(fresh, fork["path_with_namespace"], tmp_path / "fork")
        commit(folder)
        run_git("push", "-q", "origin", "HEAD:refs/heads/x", cwd=folder)
        assert not (tmp_path / "ran").exists()

    @pytest.mark.parametrize(
        ("scopes", "read", "push"),
        [
            (("api",), True, True),
            (("read_api",), False, False),
            (("read_api", "read_repository"), True, False),
            (("write_repository",), True, True),
        ],
    )
    def test_needs_the_scope(self, tmp_path: Path, scopes: tuple[str, ...], read: bool, push: bool) -> None:
        with running_practice(tmp_path / "forge") as practice:
            fork = practice.fork()["path_with_namespace"]
            folder = clone(practice, fork, tmp_path / "fork")
            commit(folder)
            practice.forge.tokens["narrow"] = Grant(username="nia", scopes=scopes)
            url = practice.clone_url(fork, "narrow")
            assert (try_git("ls-remote", url, cwd=tmp_path).returncode == 0) is read
            assert (try_git("push", url, "HEAD:refs/heads/x", cwd=folder).returncode == 0) is push
