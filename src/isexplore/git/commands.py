"""Git command lines, as the plan of a journey shows them and as `Git` runs them: one source for both.

The command that runs has the same words; only `--progress`, a temporary folder name while cloning,
and settings in the environment (`isexplore.git.environment`) are added.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from isexplore.errors import GitError
from isexplore.git.names import check_branch_name
from isexplore.text import clean_line

Command = list[str]


def shell(command: Sequence[str]) -> str:
    """Return a command line that can be pasted into a shell."""
    return shlex.join(command)


def _git(folder: Path | None, *words: str) -> Command:
    where = [] if folder is None else ["-C", str(folder)]
    return ["git", *where, *words]


def check_revision(revision: str) -> str:
    """Return `revision` if git cannot take it for an option or an address.

    Raises:
        GitError: reason "bad-branch".
    """
    if not revision or revision.startswith("-") or not revision.isprintable() or " " in revision:
        raise GitError(
            f"“{clean_line(revision, 80)}” is not a commit or branch",
            hint="Name a branch such as origin/main",
            reason="bad-branch",
        )
    return revision


def check_remote(name: str) -> str:
    """Return `name` if it is fit for a remote.

    Raises:
        GitError: reason "bad-remote".
    """
    try:
        return check_branch_name(name)
    except GitError as error:
        raise GitError(
            f"“{clean_line(name, 80)}” cannot be the name of a remote",
            error.detail,
            "Choose a plain name, such as fork",
            reason="bad-remote",
        ) from None


def clone_command(
    url: str, folder: Path, *, remote: str = "origin", branch: str | None = None, filter_blobs: bool = True
) -> Command:
    """Clone `url` into `folder`, with file contents fetched only where they are checked out."""
    words = ["clone", "--no-recurse-submodules", "--origin", check_remote(remote)]
    if filter_blobs:
        words.append("--filter=blob:none")
    if branch is not None:
        words += ["--branch", check_branch_name(branch)]
    return _git(None, *words, "--", url, str(folder))


def fetch_command(folder: Path | None, remote: str, branch: str | None = None) -> Command:
    """Bring the remote branches up to date, or one that the clone may have left out; nothing of the user's changes."""
    refs = (
        [] if branch is None else [f"+refs/heads/{check_branch_name(branch)}:refs/remotes/{remote}/{branch}"]
    )
    return _git(folder, "fetch", "--no-recurse-submodules", "--", check_remote(remote), *refs)


def push_command(folder: Path | None, remote: str, branch: str) -> Command:
    """Push one branch to the same name; never with force, never another ref."""
    ref = f"refs/heads/{check_branch_name(branch)}"
    return _git(folder, "push", "--", check_remote(remote), f"{ref}:{ref}")


def remote_branch_command(folder: Path | None, remote: str, branch: str) -> Command:
    """Ask a remote (or address) where a branch is."""
    if remote.startswith("-"):
        raise GitError(
            f"“{clean_line(remote, 80)}” is not a remote",
            hint="Name a remote of the clone, such as origin",
            reason="bad-remote",
        )
    return _git(folder, "ls-remote", "--refs", "--", remote, f"refs/heads/{check_branch_name(branch)}")


def add_remote_command(folder: Path | None, name: str, url: str, *, head: str | None = None) -> Command:
    """Add a remote; `head` is its default branch, which the bare name of the remote then stands for."""
    words = [] if head is None else ["-m", check_branch_name(head)]
    return _git(folder, "remote", "add", *words, "--", check_remote(name), url)


def follow_command(folder: Path | None, branch: str, remote: str) -> Command:
    """Let a local branch follow the branch of the same name on a remote."""
    followed = f"--set-upstream-to={check_remote(remote)}/{check_branch_name(branch)}"
    return _git(folder, "branch", followed, "--", branch)


def create_branch_command(folder: Path | None, name: str, start_point: str) -> Command:
    """Create a branch and check it out; it follows no remote branch, so that no bare push goes astray."""
    return _git(
        folder, "switch", "--no-track", "--create", check_branch_name(name), check_revision(start_point)
    )


def switch_command(folder: Path | None, name: str) -> Command:
    """Check out an existing local branch."""
    return _git(folder, "switch", "--no-guess", check_branch_name(name))


def add_command(folder: Path | None, paths: Sequence[str] | None) -> Command:
    """Take changes into the next commit: all of them, or those of `paths`."""
    return _git(folder, "add", "--all") if paths is None else _git(folder, "add", "--all", "--", *paths)


def commit_command(
    folder: Path | None,
    *,
    paths: Sequence[str] | None = None,
    sign_off: bool = False,
    message: str | None = None,
) -> Command:
    """Commit what was added, with `message` shown in place, or (None) read from standard input.

    Each paragraph of the message is an option of its own, so that the command fits on one line.
    """
    words = ["commit", *(["--signoff"] if sign_off else [])]
    if message is None:
        words.append("--file=-")
    else:
        for paragraph in message.strip().split("\n\n"):
            words += ["--message", paragraph]
    if paths is not None:
        words += ["--only", "--", *paths]
    return _git(folder, *words)


def identity_commands(folder: Path | None, name: str, email: str) -> tuple[Command, Command]:
    """Set who commits, in this clone only."""
    return (
        _git(folder, "config", "--local", "user.name", name),
        _git(folder, "config", "--local", "user.email", email),
    )
