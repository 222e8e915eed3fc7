"""Names are allow-listed: what the forge or the user says can be no option, path or transport for git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isexplore.errors import GitError
from isexplore.git.names import (
    check_any_url,
    check_branch_name,
    check_clone_url,
    clone_folder,
    project_of,
    suggest_branch,
    url_origin,
)

ORIGIN = "https://git.example.org"

HOSTILE_URLS = (
    "ext::sh -c touch% /tmp/pwned",
    "fd::17",
    "foo::bar",
    "foo://bar/baz",
    "file:///etc/passwd",
    "/etc",
    "../sibling",
    "--upload-pack=touch /tmp/pwned",
    "-u touch",
    "ssh://-oProxyCommand=touch/x",
    "git://git.example.org/tools/scheduler.git",
    "http://git.example.org/tools/scheduler.git",
    "https://git.example.org:8443/tools/scheduler.git",
    "https://git.example.org@evil.example.com/tools/scheduler.git",
    "https://user:pass@git.example.org/tools/scheduler.git",
    "https://git.example.org.evil.example.com/tools/scheduler.git",
    "https://git.example.org/tools/../../admin.git",
    "https://git.example.org/tools/%2e%2e/admin.git",
    "https://git.example.org/tools/scheduler.git?x=1",
    "https://git.example.org/tools/scheduler.git\n--upload-pack=x",
    "https://git.example.org\\@evil.example.com/x/y.git",
    "https://git.еxample.org/tools/scheduler.git",
    "https://git.example.org:99999/tools/scheduler.git",
    "https://git.example.org",
    "git@git.example.org:tools/scheduler.git",
    "",
)


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_hostile_addresses_are_refused(url: str) -> None:
    with pytest.raises(GitError) as caught:
        check_clone_url(url, origin=ORIGIN)
    assert caught.value.reason == "bad-url"
    assert caught.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.org/tools/scheduler.git",
        "https://git.example.org:443/tools/deep/er/scheduler.git",
        "https://GIT.example.org/tools/scheduler",
        "https://git.example.org/gitlab/tools/c++_lib~old.git",
    ],
)
def test_addresses_of_the_forge_pass_unchanged(url: str) -> None:
    assert check_clone_url(url, origin=ORIGIN) == url
    assert check_any_url(url) == url


def test_ssh_needs_its_host_set_up() -> None:
    for url in ("git@git.example.org:tools/scheduler.git", "ssh://git@git.example.org/tools/scheduler.git"):
        assert check_clone_url(url, origin=ORIGIN, ssh_host="git.example.org") == url
        assert check_any_url(url, origin=ORIGIN) == url
        with pytest.raises(GitError):
            check_clone_url(url, origin=ORIGIN, ssh_host="other.example.org")
    port = "ssh://git@git.example.org:2222/tools/scheduler.git"
    assert check_clone_url(port, origin=ORIGIN, ssh_host="git.example.org:2222") == port
    for url in (
        port,
        "-oProxyCommand=x@git.example.org:tools/scheduler.git",
        "git@git.example.org:-x/scheduler.git",
        "git@git.example.org:../scheduler.git",
        "ssh://git:secret@git.example.org/tools/scheduler.git",
        "ssh://-oX@git.example.org/tools/scheduler.git",
    ):
        with pytest.raises(GitError):
            check_clone_url(url, origin=ORIGIN, ssh_host="git.example.org")


def test_loopback_ipv6_and_http_origins() -> None:
    assert url_origin("http://[::1]:8080/x") == "http://[::1]:8080"
    assert url_origin("HTTPS://Git.Example.org:443/x") == ORIGIN
    assert check_clone_url("http://[::1]:8080/a/b.git", origin="http://[::1]:8080")


BAD_BRANCHES = (
    "", "-f", "--output=x", "HEAD", "head", "FETCH_HEAD", "+main", "main:evil", "refs/heads/x", "a..b", "a b",
    "a~1", "a^", "a?", "a*", "a[b", "a\\b", "a@{1}", "a//b", "/a", "a/", "a.", ".a", "a/.b", "a.lock", "a.lock/b",
    "a/-b", "a\nb", "a\x1b[31m", "ünï", "x" * 201, "0123456789" * 4, "@",
)  # fmt: skip
GOOD_BRANCHES = (
    "main",
    "41-explain-the-back-off",
    "feature/PROJ-12_retry",
    "v1.2.x",
    "dependabot/npm/a+b",
    "gh-#12",
    "fix/user@host",
    "_x",
)


@pytest.mark.parametrize("name", BAD_BRANCHES)
def test_bad_branch_names_are_refused_with_the_rule(name: str) -> None:
    with pytest.raises(GitError) as caught:
        check_branch_name(name)
    assert caught.value.reason == "bad-branch"
    assert caught.value.detail


@pytest.mark.parametrize("name", GOOD_BRANCHES)
def test_good_branch_names_pass(name: str) -> None:
    assert check_branch_name(name) == name


def test_git_agrees_with_every_name_that_passes() -> None:
    for name in GOOD_BRANCHES:
        checked = subprocess.run(
            ["git", "check-ref-format", "--branch", name], capture_output=True, check=False
        )
        assert checked.returncode == 0, name


@given(st.text(alphabet="aB0-_./@{+#=~:^ \\\n", max_size=12))
def test_git_agrees_with_whatever_passes(name: str) -> None:
    try:
        check_branch_name(name)
    except GitError:
        return
    checked = subprocess.run(
        ["git", "check-ref-format", f"refs/heads/{name}"], capture_output=True, check=False
    )
    assert checked.returncode == 0


@pytest.mark.parametrize(
    ("number", "title", "expected"),
    [
        (41, "Explain the back-off", "41-explain-the-back-off"),
        (7, "[WIP] Größe: don't crash!", "7-wip-grosse-dont-crash"),
        (3, "日本語", "3-change"),
        (None, "日本語", "my-change"),
        (None, "HEAD", "change-head"),
        (None, "Add retries", "add-retries"),
    ],
)
def test_suggested_branches(number: int | None, title: str, expected: str) -> None:
    assert suggest_branch(number, title) == expected


@given(st.one_of(st.none(), st.integers(1, 10**6)), st.text(max_size=300))
def test_a_suggestion_is_always_a_branch_name(number: int | None, title: str) -> None:
    name = suggest_branch(number, title)
    assert check_branch_name(name) == name
    assert len(name) < 70


@pytest.mark.parametrize(
    "path",
    [
        "",
        "..",
        "a/..",
        "/etc",
        "a//b",
        "a/.git",
        ".git/hooks",
        "con",
        "a/NUL.txt",
        "a/b.",
        "a/ b",
        "-x/y",
        "C:/x",
        "a\\b",
    ],
)
def test_paths_that_are_no_folders(path: str) -> None:
    with pytest.raises(GitError) as caught:
        clone_folder(Path("/src"), path)
    assert caught.value.reason == "bad-path"


@given(st.text(max_size=40) | st.text(alphabet="ab./-\\:", max_size=12))
def test_a_clone_folder_is_strictly_below_the_root(path: str) -> None:
    root = Path("/home/grace/src")
    try:
        folder = clone_folder(root, path)
    except GitError:
        return
    normal = Path(*[part for part in folder.parts if part != "."])
    assert ".." not in folder.parts
    assert root in normal.parents
    assert folder.relative_to(root).as_posix() == path


def test_project_of() -> None:
    assert project_of("https://git.example.org/tools/scheduler.git") == "tools/scheduler"
    assert project_of("git@git.example.org:tools/scheduler.git") == "tools/scheduler"
