"""A stranger's project, a server or a leftover variable runs no code, gets no token, leaves no rubbish."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from isexplore.errors import GitError
from isexplore.git import folders
from isexplore.git.client import Credential, Git
from isexplore.git.commands import clone_command, commit_command, push_command, shell
from tests.support.git import GitServer, add_commit, git, git_server, make_bare, write_files


async def until(fact: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait for a fact, with a deadline."""
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end, "it never happened"
        await asyncio.sleep(0.01)


def processes_naming(text: str) -> list[str]:
    """Return the command lines of running processes that hold `text`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            if text in line:
                found.append(line)
    return found


class ArgvSampler:
    """Reads every process's command line, over and over, while git runs."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.is_set():
            for entry in os.listdir("/proc"):
                if entry.isdigit():
                    try:
                        self.seen.add(Path("/proc", entry, "cmdline").read_bytes())
                    except OSError:
                        continue

    def __enter__(self) -> ArgvSampler:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()


def files_holding(root: Path, text: bytes) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and text in path.read_bytes()]


@pytest.fixture
def second(tmp_path: Path) -> Iterator[GitServer]:
    """Another host that would like to have the token."""
    root = tmp_path / "second"
    make_bare(root / "tools" / "scheduler.git")
    with git_server(root, token="other") as server:
        yield server


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
async def test_the_token_is_in_no_argument_file_or_line(
    served: GitServer, client: Git, tmp_path: Path, isolated_environment: Path
) -> None:
    # A helper of the user's that would keep the token.
    (isolated_environment / ".gitconfig").write_text(
        f'[credential]\n\thelper = store\n[credential "{served.origin}"]\n\thelper = store\n'
    )
    folder = tmp_path / "src" / "x"
    lines: list[str] = []
    with ArgvSampler() as sampler:
        await client.clone(
            served.url("tools/scheduler"), folder, credential=served.credential, on_output=lines.append
        )
        await client.set_identity(folder, "Ada", "ada@example.org")
        await client.create_branch(folder, "41-x", "HEAD", credential=served.credential)
        write_files(folder, {"README.md": "x\n"})
        await client.commit(folder, "Try")
        await client.push(folder, "origin", "41-x", credential=served.credential, on_output=lines.append)
    assert any(b"clone" in line for line in sampler.seen), "the sampler saw nothing"
    assert not [line for line in sampler.seen if served.token.encode() in line]
    assert files_holding(folder, served.token.encode()) == []
    assert files_holding(isolated_environment, served.token.encode()) == []
    assert served.token not in "\n".join(lines)
    assert served.token not in repr(served.credential)
    assert any(served.authorized(header) for _, _, header in served.requests)


async def test_a_redirect_gets_no_token(
    served: GitServer, second: GitServer, client: Git, tmp_path: Path, isolated_environment: Path
) -> None:
    url = served.url("tools/scheduler")
    (isolated_environment / ".gitconfig").write_text(
        f'[http]\n\tfollowRedirects = true\n[http "{url}"]\n\tfollowRedirects = true\n'
    )
    served.mode, served.location = "redirect", second.origin
    with pytest.raises(GitError) as caught:
        await client.clone(url, tmp_path / "x", credential=served.credential)
    assert caught.value.reason == "moved"
    assert second.requests == []
    assert not (tmp_path / "x").exists()


async def test_a_rewritten_address_gets_no_token(
    served: GitServer, second: GitServer, client: Git, tmp_path: Path, isolated_environment: Path
) -> None:
    (isolated_environment / ".gitconfig").write_text(
        f'[url "{second.origin}/"]\n\tinsteadOf = {served.origin}/\n'
    )
    with pytest.raises(GitError):
        await client.clone(served.url("tools/scheduler"), tmp_path / "x", credential=served.credential)
    assert second.requests
    assert all(header is None for _, _, header in second.requests)


async def test_the_address_must_be_on_the_token_s_origin(
    served: GitServer, second: GitServer, client: Git, tmp_path: Path
) -> None:
    with pytest.raises(GitError) as caught:
        await client.clone(second.url("tools/scheduler"), tmp_path / "x", credential=served.credential)
    assert caught.value.reason == "bad-url"
    assert second.requests == []


async def test_submodules_are_not_asked(
    served: GitServer, second: GitServer, client: Git, tmp_path: Path, isolated_environment: Path
) -> None:
    (isolated_environment / ".gitconfig").write_text("[submodule]\n\trecurse = true\n")
    work = served.bare("tools/scheduler").with_name("scheduler.git.work")
    sha = git("rev-parse", "HEAD", cwd=work).strip()
    (work / "sub").mkdir()
    git("update-index", "--add", "--cacheinfo", f"160000,{sha},sub", cwd=work)
    add_commit(
        served.bare("tools/scheduler"),
        {".gitmodules": f'[submodule "sub"]\n\tpath = sub\n\turl = {second.url("tools/scheduler")}\n'},
        "Submodule",
    )
    folder = tmp_path / "x"
    await client.clone(served.url("tools/scheduler"), folder, credential=served.credential)
    assert git("ls-files", "--stage", "sub", cwd=folder).startswith("160000")
    await client.create_branch(folder, "41-x", "HEAD", credential=served.credential)
    await client.fetch(folder, "origin", credential=served.credential)
    assert second.requests == []


async def test_a_remote_helper_on_the_path_is_never_run(
    served: GitServer, clone: Path, tmp_path: Path
) -> None:
    sentinel = tmp_path / "pwned"
    helper = tmp_path / "bin" / "git-remote-foo"
    helper.parent.mkdir()
    helper.write_text(f"#!/bin/sh\ntouch {sentinel}\n")
    helper.chmod(0o755)
    client = Git(environment={**os.environ, "PATH": f"{helper.parent}:{os.environ['PATH']}"})
    for url in ("foo::bar", "foo://bar", f"ext::touch% {sentinel}", str(served.bare("tools/scheduler"))):
        git("config", "remote.evil.url", url, cwd=clone)
        with pytest.raises(GitError) as caught:
            await client.fetch(clone, "evil")
        assert caught.value.reason == "bad-url", url
        with pytest.raises(GitError):
            await client.remote_branch(clone, "evil", "main")
    assert not sentinel.exists()


async def test_programs_named_by_the_clone_s_configuration_do_not_run(
    client: Git, clone: Path, tmp_path: Path
) -> None:
    sentinel = tmp_path / "pwned"
    script = tmp_path / "evil"
    script.write_text(f"#!/bin/sh\ntouch {sentinel}\n")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "core.pager", "core.editor", "core.askPass"):
        git("config", key, str(script), cwd=clone)
    git("config", "diff.x.textconv", str(script), cwd=clone)
    write_files(clone, {".gitattributes": "*.md diff=x\n", "README.md": "x\n"})
    await client.facts(clone)
    await client.changes(clone)
    await client.diff(clone)
    assert not sentinel.exists()
    bare = clone / "inner"
    make_bare(bare)
    git("config", "core.fsmonitor", str(script), cwd=bare)
    git("config", "core.worktree", ".", cwd=bare)
    with pytest.raises(GitError):
        await client.changes(bare)
    assert not (await client.facts(bare)).is_repo
    assert not sentinel.exists()


async def test_hooks_do_not_run_while_cloning(
    served: GitServer, client: Git, tmp_path: Path, isolated_environment: Path
) -> None:
    hook = tmp_path / "template" / "hooks" / "post-checkout"
    hook.parent.mkdir(parents=True)
    sentinel = tmp_path / "ran"
    hook.write_text(f"#!/bin/sh\ntouch {sentinel}\n")
    hook.chmod(0o755)
    (isolated_environment / ".gitconfig").write_text(f"[init]\n\ttemplateDir = {tmp_path / 'template'}\n")
    folder = tmp_path / "x"
    await client.clone(served.url("tools/scheduler"), folder, credential=served.credential)
    assert (folder / ".git" / "hooks" / "post-checkout").exists()
    assert not sentinel.exists()
    await client.create_branch(folder, "mine", "HEAD")
    assert sentinel.exists(), "the user's own hooks run afterwards"


async def test_inherited_git_variables_change_nothing(
    served: GitServer, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_bare(tmp_path / "other.git").with_name("other.git.work")
    trace = tmp_path / "trace"
    hostile = {
        "GIT_DIR": str(other / ".git"),
        "GIT_WORK_TREE": str(other),
        "GIT_INDEX_FILE": str(other / ".git" / "index"),
        "GIT_OBJECT_DIRECTORY": str(other / ".git" / "objects"),
        "GIT_COMMON_DIR": str(other / ".git"),
        "GIT_NAMESPACE": "elsewhere",
        "GIT_SSL_NO_VERIFY": "1",
        "GIT_TRACE": str(trace),
        "GIT_TRACE_CURL": str(trace),
        "GIT_EXTERNAL_DIFF": "false",
        "GIT_EXEC_PATH": str(tmp_path),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.bare",
        "GIT_CONFIG_VALUE_0": "true",
        "GIT_ASKPASS": str(tmp_path / "askpass"),
        "GIT_ALLOW_PROTOCOL": "ext",
        "GIT_AUTHOR_NAME": "Mallory",
    }
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    client = Git()
    await client.create_branch(clone, "41-x", "HEAD")
    write_files(clone, {"README.md": "mine\n"})
    await client.commit(clone, "Mine")
    await client.push(clone, "origin", "41-x", credential=served.credential)
    facts = await client.facts(clone)
    for name in hostile:
        monkeypatch.delenv(name)
    assert facts.remotes == {"origin": served.url("tools/scheduler")}
    assert facts.branch == "41-x"
    assert git("log", "-1", "--format=%an %s", cwd=clone).strip() == "Grace Example Mine"
    assert not trace.exists()
    assert git("status", "--porcelain", cwd=other) == ""


async def test_a_stalled_server_ends_in_words(served: GitServer, client: Git, tmp_path: Path) -> None:
    served.mode = "stall"
    client = Git(network_timeout=0.3)
    with pytest.raises(GitError) as caught:
        await client.clone(served.url("tools/scheduler"), tmp_path / "x", credential=served.credential)
    assert caught.value.reason == "stalled"
    assert not {name for name in os.listdir(tmp_path) if name == "x" or name.startswith(".isx")}


async def test_git_itself_gives_up_below_the_speed_limit(served: GitServer, tmp_path: Path) -> None:
    served.mode = "stall"
    client = Git(low_speed_time=1)
    with pytest.raises(GitError) as caught:
        await client.clone(served.url("tools/scheduler"), tmp_path / "x", credential=served.credential)
    assert caught.value.reason == "stalled"


async def test_a_cut_connection_leaves_nothing(served: GitServer, client: Git, tmp_path: Path) -> None:
    served.mode = "cut"
    with pytest.raises(GitError) as caught:
        await client.clone(served.url("tools/scheduler"), tmp_path / "x", credential=served.credential)
    assert caught.value.reason == "network"
    assert not {name for name in os.listdir(tmp_path) if name == "x" or name.startswith(".isx")}


async def test_cancelling_a_clone_leaves_no_process_and_no_folder(
    served: GitServer, client: Git, tmp_path: Path
) -> None:
    served.mode = "stall"
    url = served.url("tools/scheduler")
    task = asyncio.create_task(client.clone(url, tmp_path / "src" / "x", credential=served.credential))
    await until(served.asked.is_set)
    assert processes_naming(url)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert processes_naming(url) == []
    assert not (tmp_path / "src").exists()


async def test_a_program_that_ignores_the_polite_signal_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "git"
    started = tmp_path / "started"
    script.write_text(f"#!/bin/sh\ntrap '' TERM\ntouch {started}\nsleep 60 & wait\nsleep 61\n")
    script.chmod(0o755)
    client = Git(program=str(script))
    task = asyncio.create_task(client.version())
    await until(started.exists)
    task.cancel()
    begun = time.monotonic()
    await asyncio.sleep(0)
    task.cancel()  # an impatient user
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - begun < 1.5
    assert processes_naming(str(script)) == []


async def test_a_program_that_is_only_starting_when_somebody_is_impatient_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "git"
    script.write_text("#!/bin/sh\ntrap '' TERM\nsleep 60 & wait\n")
    script.chmod(0o755)
    loop, runs, go_on = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    start = loop.subprocess_exec

    async def slowly(*words: Any, **more: Any) -> Any:
        made = await start(*words, **more)
        runs.set()
        await go_on.wait()
        return made

    monkeypatch.setattr(loop, "subprocess_exec", slowly)
    task = asyncio.create_task(Git(program=str(script)).version())
    await runs.wait()
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert processes_naming(str(script)) == []


async def test_of_racing_clones_one_wins_and_is_whole(served: GitServer, client: Git, tmp_path: Path) -> None:
    folder = tmp_path / "src" / "x"
    results = await asyncio.gather(
        *(
            client.clone(served.url("tools/scheduler"), folder, credential=served.credential)
            for _ in range(3)
        ),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["GitError", "GitError", "NoneType"]
    assert {result.reason for result in results if isinstance(result, GitError)} == {"exists"}
    git("fsck", cwd=folder)
    assert os.listdir(folder.parent) == ["x"]


async def test_destinations(served: GitServer, client: Git, tmp_path: Path) -> None:
    async def attempt(folder: Path, root: Path | None = None) -> str:
        try:
            await client.clone(served.url("tools/scheduler"), folder, credential=served.credential, root=root)
        except GitError as error:
            return error.reason
        return "cloned"

    full, empty, outside, root = (tmp_path / name for name in ("full", "empty", "outside", "root"))
    for folder in (full, empty, outside, root):
        folder.mkdir()
    (full / "mine.txt").write_text("keep me")
    (tmp_path / "file").write_text("keep me")
    (tmp_path / "link").symlink_to(empty)
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    (root / "group").symlink_to(outside)
    asked = len(served.requests)
    assert await attempt(full) == "exists"
    assert await attempt(tmp_path / "file") == "exists"
    assert await attempt(tmp_path / "file" / "below") == "not-writable"
    assert await attempt(tmp_path / "link") == "exists"
    assert await attempt(tmp_path / "broken") == "exists"
    assert await attempt(root / "group" / "x", root) == "bad-path"
    assert len(served.requests) == asked
    assert list(empty.iterdir()) == list(outside.iterdir()) == []
    assert await attempt(empty) == "cloned"
    assert await attempt(empty) == "exists"
    assert await attempt(root / "new" / "x", root) == "cloned"
    assert (full / "mine.txt").read_text() == "keep me"


def test_left_overs_of_dead_processes_are_swept(tmp_path: Path) -> None:
    dead = tmp_path / ".isx-clone-999999999-abcd"
    (dead / ".git").mkdir(parents=True)
    alive = tmp_path / f".isx-clone-{os.getppid()}-abcd"
    mine = tmp_path / f".isx-clone-{os.getpid()}-abcd"
    strange = tmp_path / ".isx-clone-readme-x"
    old = tmp_path / f".isx-clone-{os.getppid()}-old"
    for folder in (alive, mine, strange, old):
        folder.mkdir()
    long_ago = time.time() - 3 * 86_400
    os.utime(old, (long_ago, long_ago))
    (tmp_path / ".isx-clone-999999998-link").symlink_to(tmp_path / "elsewhere")
    assert set(folders.sweep(tmp_path)) == {dead, old}
    assert {path.name for path in tmp_path.iterdir()} == {
        alive.name,
        mine.name,
        strange.name,
        ".isx-clone-999999998-link",
    }


async def test_a_clone_of_a_former_origin_is_asked_at_the_new_one(served: GitServer, clone: Path) -> None:
    former = "https://old.example.org"
    git("remote", "set-url", "origin", f"{former}/tools/scheduler.git", cwd=clone)
    client = Git(replaced_origins={former: served.origin})
    await client.fetch(clone, "origin", credential=served.credential)
    assert (await client.facts(clone)).remotes == {"origin": f"{former}/tools/scheduler.git"}
    assert await client.remote_url(clone, "origin") == served.url("tools/scheduler")


async def test_a_partial_clone_fetches_what_a_branch_needs(
    served: GitServer, client: Git, tmp_path: Path
) -> None:
    bare = served.bare("tools/scheduler")
    add_commit(bare, {"late.txt": "only on next\n"}, "Next", branch="main")
    git("update-ref", "refs/heads/next", "refs/heads/main", cwd=bare)
    git("update-ref", "refs/heads/main", "refs/heads/main~1", cwd=bare)
    folder = tmp_path / "x"
    await client.clone(served.url("tools/scheduler"), folder, credential=served.credential)
    await client.create_branch(folder, "41-x", "origin/next", credential=served.credential)
    assert (folder / "late.txt").read_text() == "only on next\n"


def test_the_lines_shown_are_the_lines_run() -> None:
    folder = Path("/home/grace/my src/x")
    assert shell(clone_command("https://git.example.org/a/b.git", folder)) == (
        "git clone --no-recurse-submodules --origin origin --filter=blob:none "
        "-- https://git.example.org/a/b.git '/home/grace/my src/x'"
    )
    assert shell(push_command(None, "fork", "41-x")) == "git push -- fork refs/heads/41-x:refs/heads/41-x"
    assert shell(commit_command(None, sign_off=True, message="It's done")) == (
        "git commit --signoff --message 'It'\"'\"'s done'"
    )


def test_a_credential_hides_its_token(served: GitServer) -> None:
    credential: Credential = served.credential
    assert served.token not in f"{credential!r} {credential}"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
async def test_looking_often_keeps_no_file_and_no_process(client: Git, clone: Path) -> None:
    await client.facts(clone)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(30):
        await client.facts(clone)
    assert len(os.listdir("/proc/self/fd")) <= before + 1
    assert processes_naming(str(clone)) == []
