"""Git over SSH: the agent's keys, no questions, and host keys explained with the commands that settle them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from isexplore.errors import GitError
from isexplore.git.client import Git
from isexplore.git.runner import Messages
from isexplore.git.ssh import ssh_failure
from tests.support.git import make_bare
from tests.support.ssh import MISSING, SshServer, recorded, ssh_server, stand_in

UNKNOWN = ("Host key verification failed.", "fatal: Could not read from remote repository.")


@pytest.fixture
def repositories(tmp_path: Path) -> Path:
    make_bare(tmp_path / "repositories" / "tools" / "alpha.git")
    return tmp_path / "repositories"


@pytest.fixture
def server(repositories: Path) -> Iterator[SshServer]:
    # A socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="ssh-") as folder, ssh_server(Path(folder), repositories) as one:
        yield one


needs_sshd = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}")


@needs_sshd
async def test_a_clone_with_a_key_of_the_agent(server: SshServer, tmp_path: Path) -> None:
    server.know_host()
    server.load_key()
    git = Git(environment=server.environment)
    await git.clone(server.url("tools/alpha"), tmp_path / "clone")
    assert (tmp_path / "clone" / "README.md").exists()
    await git.fetch(tmp_path / "clone", "origin")
    facts = await git.facts(tmp_path / "clone")
    assert facts.remotes == {"origin": server.url("tools/alpha")}
    assert all("BatchMode=yes" in call for call in server.calls)


@needs_sshd
async def test_a_push_with_a_key_of_the_agent(server: SshServer, tmp_path: Path) -> None:
    server.know_host()
    server.load_key()
    git, clone = Git(environment=server.environment), tmp_path / "clone"
    await git.clone(server.url("tools/alpha"), clone)
    await git.create_branch(clone, "41-news", "origin/main")
    await git.push(clone, "origin", "41-news")
    assert await git.remote_branch(clone, "origin", "41-news") == (await git.facts(clone)).head


@needs_sshd
async def test_a_host_that_is_not_known_is_explained_with_the_commands_to_run(
    server: SshServer, tmp_path: Path
) -> None:
    server.load_key()
    with pytest.raises(GitError) as raised:
        await Git(environment=server.environment).clone(server.url("tools/alpha"), tmp_path / "clone")
    error = raised.value
    assert error.reason == "host-key", error.detail
    assert f"ssh-keyscan -p {server.port} 127.0.0.1 | ssh-keygen -lf -" in error.hint
    assert f"ssh -p {server.port} -T {server.user}@127.0.0.1" in error.hint
    assert not (tmp_path / "clone").exists()


@needs_sshd
async def test_a_host_whose_key_changed_is_a_warning_with_the_command_to_forget_it(
    server: SshServer, tmp_path: Path
) -> None:
    server.load_key()
    server.know_another_key()
    with pytest.raises(GitError) as raised:
        await Git(environment=server.environment).clone(server.url("tools/alpha"), tmp_path / "clone")
    error = raised.value
    assert error.reason == "host-key", error.detail
    assert f"ssh-keygen -R '[127.0.0.1]:{server.port}'" in error.hint
    assert "SHA256:" in error.detail, "the fingerprint that was sent"


@needs_sshd
async def test_an_agent_without_the_key_is_an_answer_and_no_prompt(server: SshServer, tmp_path: Path) -> None:
    server.know_host()
    with pytest.raises(GitError) as raised:
        await Git(environment=server.environment).clone(server.url("tools/alpha"), tmp_path / "clone")
    assert raised.value.reason == "auth", raised.value.detail
    assert "ssh-add" in raised.value.hint


async def test_ssh_is_called_in_batch_mode_and_never_sees_a_token(repositories: Path, tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    git = Git(environment={**stand_in(folder, repositories), "GITLAB_TOKEN": "glpat-of-somebody"})
    await git.clone("git@git.example.com:tools/alpha.git", tmp_path / "clone")
    assert (tmp_path / "clone" / "README.md").exists()
    calls = recorded(folder)
    assert calls
    assert all("-oBatchMode=yes" in call and "git@git.example.com" in call for call in calls)
    environment = (folder / "environment").read_text()
    assert "glpat" not in environment
    assert "SSH_ASKPASS_REQUIRE=never" in environment


@pytest.mark.parametrize(
    ("url", "scan", "log_in"),
    [
        (
            "ssh://git@ssh.example.com:2222/a/b.git",
            "ssh-keyscan -p 2222 ssh.example.com",
            "ssh -p 2222 -T git@",
        ),
        ("ssh://git@ssh.example.com/a/b.git", "ssh-keyscan ssh.example.com", "ssh -T git@ssh.example.com"),
        ("git@ssh.example.com:a/b.git", "ssh-keyscan ssh.example.com", "ssh -T git@ssh.example.com"),
    ],
)
def test_the_commands_name_host_port_and_account(url: str, scan: str, log_in: str) -> None:
    failure = ssh_failure(url, UNKNOWN, 128)
    assert failure is not None
    assert scan in failure.hint
    assert log_in in failure.hint


def test_other_failures_over_ssh_are_not_about_keys() -> None:
    assert ssh_failure("git@a.example:b/c.git", ("fatal: the remote end hung up unexpectedly",), 128) is None


@pytest.mark.parametrize("pieces", [(b"Host key\r\nfailed\r\n",), (b"Host key\r", b"\nfailed\r", b"\n")])
def test_lines_as_ssh_ends_them_are_kept(pieces: tuple[bytes, ...]) -> None:
    messages = Messages(None, ())
    for piece in pieces:
        messages.feed(piece)
    messages.close()
    assert list(messages.kept) == ["Host key", "failed"]


def test_progress_that_is_overwritten_is_not_kept() -> None:
    messages = Messages(None, ())
    for piece in (b"10%\r", b"20%\r30%\r", b"done\n"):
        messages.feed(piece)
    messages.close()
    assert list(messages.kept) == ["done"]
