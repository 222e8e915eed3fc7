"""Git, as isexplore uses it: our own processes for everything that writes or talks to a server.

Every failure is a `GitError`; its `reason` is one of

    missing             git is not installed
    bad-path bad-branch bad-url bad-remote bad-identity     a name that is not given to git
    auth                the sign-in was not accepted
    forbidden           this account may not do that (push to somebody else's project)
    not-found           no such project, branch, commit or remote
    moved               the server redirected; the token was not sent on
    rejected            the branch on the forge has commits that the clone lacks
    declined            the forge's own rules refused the push
    protected           the branch may not be pushed to
    exists              a folder, branch or remote is there already
    not-a-clone         the folder is not the top of a git clone
    no-identity         git knows no name or e-mail address to commit with
    index-locked        another git command is at work, or a crashed one left its lock
    in-progress         a merge or rebase is not finished
    changes-in-the-way  switching would overwrite changes
    nothing-to-commit
    disk-full, not-writable
    hook-failed         a hook said no; its words are in the detail
    signing-failed      the commit could not be signed without asking
    checkout-failed     the clone is complete, its files could not all be written (`finish_checkout`)
    dubious-ownership   the clone belongs to another user account
    stalled             the server sent nothing for too long
    network, tls
    failed              anything else, in git's own words
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from isexplore.config.secrets import Secret
from isexplore.errors import GitError
from isexplore.git import commands, folders
from isexplore.git.environment import base_environment, command_environment
from isexplore.git.facts import Change, CloneFacts, CommitFacts, Credential, Identity
from isexplore.git.failures import Operation, explain, hook_failed
from isexplore.git.names import check_branch_name, check_clone_url, url_origin
from isexplore.git.runner import Finished, run
from isexplore.text import clean, clean_line

if TYPE_CHECKING:
    from git import Repo

__all__ = ["Change", "CloneFacts", "CommitFacts", "Credential", "Git", "Identity", "Secret"]

OnOutput = Callable[[str], None]

MAX_DIFF = 1 << 20
"""Characters of a diff that are returned."""
MAX_CHANGES = 5_000
"""Changed files that are listed."""
HOOK_TIMEOUT = 900.0
"""Seconds that a commit or push, with the user's hooks, may stay silent."""
_CHECKOUT_FAILED = re.compile(r"clone succeeded, but checkout failed", re.IGNORECASE)
_SSH_URL = re.compile(r"(?:ssh://(?:[^@/]+@)?|[^@/:]+@)([^/:]+(?::\d+)?)[:/]")
_IN_PROGRESS = (
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
)
_STATES = {"A": "added", "M": "modified", "T": "modified", "D": "deleted", "R": "renamed", "C": "added"}


class Git:
    """Runs git; holds no state but its settings, so one serves the whole program."""

    def __init__(
        self,
        *,
        environment: Mapping[str, str] = os.environ,
        network_environment: Mapping[str, str] | None = None,
        replaced_origins: Mapping[str, str] | None = None,
        network_timeout: float = 120.0,
        low_speed_time: int = 30,
        program: str = "git",
    ) -> None:
        """Set up.

        Args:
            environment: what git may inherit parts of.
            network_environment: variables for commands that talk to a server (`GIT_SSL_CAINFO`).
            replaced_origins: former origin of a forge to its current one; git asks the current one
                wherever a clone still names the former (`url.<current>.insteadOf`).
            network_timeout: seconds without a byte from git after which a network command is stopped.
            low_speed_time: seconds below 1,000 bytes a second after which git itself gives up.
            program: name or path of git.
        """
        self._base = base_environment(environment)
        self._network = dict(network_environment or {})
        self._replaced = dict(replaced_origins or {})
        self._network_timeout = network_timeout
        self._low_speed_time = low_speed_time
        self._program = program

    # Running

    async def _run(
        self,
        command: Sequence[str],
        *,
        folder: Path | None = None,
        stdin: bytes | None = None,
        on_output: OnOutput | None = None,
        hooks: bool = True,
        hear_output: bool = False,
        quiet_limit: float | None = None,
    ) -> Finished:
        environment = command_environment(
            self._base, folder=folder, hooks=hooks, replaced_origins=self._replaced
        )
        return await run(
            [self._program, *command[1:]],
            environment,
            stdin=stdin,
            on_output=on_output,
            hear_output=hear_output,
            quiet_limit=quiet_limit,
        )

    async def _run_networked(
        self,
        command: Sequence[str],
        *,
        url: str | None,
        credential: Credential | None,
        folder: Path | None = None,
        on_output: OnOutput | None = None,
        hooks: bool = False,
        quiet_limit: float | None = None,
    ) -> Finished:
        environment = command_environment(
            self._base | self._network,
            folder=folder,
            url=url,
            credential=credential,
            hooks=hooks,
            replaced_origins=self._replaced,
            low_speed_time=self._low_speed_time,
        )
        return await run(
            [self._program, *command[1:]],
            environment,
            on_output=on_output,
            quiet_limit=quiet_limit or self._network_timeout,
            hide=() if credential is None else (credential.token.reveal(),),
        )

    async def _local(self, folder: Path, *words: str, hooks: bool = False) -> Finished:
        return await self._run(["git", "-C", str(folder), *words], folder=folder, hooks=hooks)

    @staticmethod
    def _check(finished: Finished, operation: Operation, *, subject: str = "") -> Finished:
        if finished.returncode != 0:
            raise explain(operation, finished.lines, finished.returncode, subject=subject)
        return finished

    # Git itself

    async def version(self) -> str:
        """Return git's version ("2.50.1").

        Raises:
            GitError: reason "missing".
        """
        finished = self._check(await self._run(["git", "version"]), "local")
        words = clean_line(finished.output.decode("utf-8", "replace"))
        match = re.search(r"\d+(?:\.\d+)+", words)
        return match.group() if match else words

    # Getting and bringing up to date

    async def clone(
        self,
        url: str,
        folder: Path,
        *,
        credential: Credential | None = None,
        on_output: OnOutput | None = None,
        branch: str | None = None,
        filter_blobs: bool = True,
        remote: str = "origin",
        root: Path | None = None,
    ) -> None:
        """Clone `url` into `folder`, which is missing or empty; all of it or nothing.

        Cancelling leaves nothing behind. No hook runs, no submodule is fetched, and large files (LFS)
        stay pointers.

        Args:
            url: HTTP(S) or SSH address; its origin must be that of `credential`.
            folder: where the clone will be; its parents are made.
            credential: how to sign in; None for anonymous HTTPS and for SSH.
            on_output: gets git's lines, progress included.
            branch: branch to check out instead of the project's default one.
            filter_blobs: fetch contents only of files that are checked out (a partial clone).
            remote: name of the remote in the clone.
            root: folder that `folder` must stay in when symbolic links are followed.

        Raises:
            GitError: "checkout-failed" leaves the clone in place (`finish_checkout` retries); with
                every other reason there is none.
        """
        check_clone_url(
            url,
            origin=credential.origin if credential is not None and not _is_ssh(url) else _own_origin(url),
            ssh_host=_ssh_host(url),
        )
        temporary = await asyncio.to_thread(folders.prepare_destination, folder, root=root)
        command = commands.clone_command(
            url, temporary, remote=remote, branch=branch, filter_blobs=filter_blobs
        )
        command.insert(2, "--progress")
        incomplete: GitError | None = None
        try:
            finished = await self._run_networked(command, url=url, credential=credential, on_output=on_output)
            if finished.returncode != 0:
                incomplete = self._clone_failure(finished, url)
            await asyncio.to_thread(folders.install, temporary, folder)
        finally:
            if temporary.exists():
                await asyncio.shield(asyncio.to_thread(folders.remove, temporary))
        if incomplete is not None:
            raise incomplete

    @staticmethod
    def _clone_failure(finished: Finished, url: str) -> GitError:
        """Return the failure that leaves a whole repository without its files; raise any other."""
        error = explain("clone", finished.lines, finished.returncode, subject=url)
        if error.reason == "disk-full" or not any(_CHECKOUT_FAILED.search(line) for line in finished.lines):
            raise error
        return GitError(
            "The project was cloned, but not all of its files could be written",
            error.detail,
            "Fix what git names (often a missing filter program), then try this step again",
            reason="checkout-failed",
            returncode=finished.returncode,
        )

    async def finish_checkout(
        self, folder: Path, *, credential: Credential | None = None, on_output: OnOutput | None = None
    ) -> None:
        """Write the files that a clone with "checkout-failed" lacks; changes to tracked files are lost."""
        finished = await self._run_networked(
            [
                "git",
                "-C",
                str(folder),
                "restore",
                "--progress",
                "--source=HEAD",
                "--staged",
                "--worktree",
                "--",
                ".",
            ],
            url=None,
            credential=credential,
            folder=folder,
            on_output=on_output,
        )
        self._check(finished, "local")

    async def fetch(
        self,
        folder: Path,
        remote: str,
        *,
        credential: Credential | None = None,
        on_output: OnOutput | None = None,
    ) -> None:
        """Bring the remote branches of `remote` up to date."""
        url = await self.remote_url(folder, remote)
        command = commands.fetch_command(folder, remote)
        command.insert(4, "--progress")
        finished = await self._run_networked(
            command, url=url, credential=credential, folder=folder, on_output=on_output
        )
        self._check(finished, "fetch", subject=url)

    async def push(
        self,
        folder: Path,
        remote: str,
        branch: str,
        *,
        credential: Credential | None = None,
        on_output: OnOutput | None = None,
        protected: Collection[str] = (),
    ) -> None:
        """Push `branch` to the branch of the same name; never with force. The user's hooks run.

        Args:
            folder: the clone.
            remote: name of the remote.
            branch: local branch.
            credential: how to sign in.
            on_output: gets git's and the hooks' lines.
            protected: branches that are never pushed to (the default branch and protected ones).

        Raises:
            GitError: "rejected", "forbidden", "declined", "protected", "hook-failed", ... After
                "network" or "stalled" the outcome is unknown: compare with `remote_branch`.
        """
        check_branch_name(branch)
        if branch in protected:
            raise GitError(
                f"isexplore does not push to {branch}",
                "It is the project's default branch, or a protected one",
                "Create a branch of your own for the change",
                reason="protected",
            )
        url = await self.remote_url(folder, remote, push=True)
        command = commands.push_command(folder, remote, branch)
        command.insert(4, "--progress")
        finished = await self._run_networked(
            command,
            url=url,
            credential=credential,
            folder=folder,
            on_output=on_output,
            hooks=True,
            quiet_limit=max(HOOK_TIMEOUT, self._network_timeout) if await self._hooks(folder) else None,
        )
        if finished.returncode == 0:
            return
        error = explain("push", finished.lines, finished.returncode, subject=_project_of(url))
        if error.reason == "failed" and "pre-push" in await self._hooks(folder):
            raise hook_failed("pre-push", finished.lines, finished.returncode)
        raise error

    async def remote_branch(
        self, folder: Path | None, remote: str, branch: str, *, credential: Credential | None = None
    ) -> str | None:
        """Return the commit that `branch` is at on a remote, or None if it has no such branch.

        Args:
            folder: the clone; None when `remote` is an address.
            remote: name of a remote of the clone, or an address.
            branch: branch on the remote.
            credential: how to sign in.
        """
        if folder is None:
            url = check_clone_url(remote, origin=_own_origin(remote), ssh_host=_ssh_host(remote))
        else:
            url = await self.remote_url(folder, remote)
        command = commands.remote_branch_command(folder, remote, branch)
        finished = self._check(
            await self._run_networked(command, url=url, credential=credential, folder=folder),
            "ls-remote",
            subject=url,
        )
        for line in finished.output.decode("utf-8", "replace").splitlines():
            sha, _, ref = line.partition("\t")
            if ref == f"refs/heads/{branch}":
                return clean_line(sha)
        return None

    # Remotes

    async def remote_url(self, folder: Path, remote: str, *, push: bool = False) -> str:
        """Return the address of a remote as git would use it, replaced origins included.

        Raises:
            GitError: reason "not-found" when there is no such remote.
        """
        words = ["remote", "get-url", *(["--push"] if push else []), "--", commands.check_remote(remote)]
        finished = self._check(await self._local(folder, *words), "local")
        return finished.output.decode("utf-8", "replace").split("\n", 1)[0]

    async def add_remote(self, folder: Path, name: str, url: str) -> None:
        """Add a remote.

        Raises:
            GitError: reason "exists" when the name is taken, "bad-url".
        """
        check_clone_url(url, origin=_own_origin(url), ssh_host=_ssh_host(url))
        self._check(await self._run(commands.add_remote_command(folder, name, url), folder=folder), "local")

    async def set_remote_url(self, folder: Path, name: str, url: str) -> None:
        """Change where a remote points to; only when the user asked for it."""
        check_clone_url(url, origin=_own_origin(url), ssh_host=_ssh_host(url))
        self._check(
            await self._run(commands.set_remote_url_command(folder, name, url), folder=folder), "local"
        )

    # Branches and commits

    async def create_branch(
        self,
        folder: Path,
        name: str,
        start_point: str,
        *,
        credential: Credential | None = None,
        on_output: OnOutput | None = None,
    ) -> None:
        """Create `name` at `start_point` and check it out; uncommitted changes come along or nothing happens.

        A partial clone may have to fetch contents for it, hence `credential`; with one, no hook runs.

        Raises:
            GitError: "exists", "not-found" (start point), "changes-in-the-way", "bad-branch".
        """
        command = commands.create_branch_command(folder, name, start_point)
        await self._switch(folder, command, credential, on_output)

    async def switch(
        self,
        folder: Path,
        name: str,
        *,
        credential: Credential | None = None,
        on_output: OnOutput | None = None,
    ) -> None:
        """Check out an existing local branch.

        Raises:
            GitError: "not-found", "changes-in-the-way", "bad-branch".
        """
        await self._switch(folder, commands.switch_command(folder, name), credential, on_output)

    async def _switch(
        self, folder: Path, command: list[str], credential: Credential | None, on_output: OnOutput | None
    ) -> None:
        finished = await self._run_networked(
            command,
            url=None,
            credential=credential,
            folder=folder,
            on_output=on_output,
            hooks=credential is None,
        )
        self._check(finished, "switch")

    async def commit(
        self,
        folder: Path,
        message: str,
        *,
        paths: tuple[str, ...] | None = None,
        sign_off: bool = False,
        on_output: OnOutput | None = None,
    ) -> str:
        """Commit all changes, or those of `paths`, and return the new commit. The user's hooks run.

        Raises:
            GitError: "nothing-to-commit", "no-identity", "hook-failed", "signing-failed", "index-locked".
        """
        if not message.strip():
            raise GitError(
                "The commit needs a message",
                "It is empty",
                "Say in one line what the change does",
                reason="failed",
            )
        self._check(await self._run(commands.add_command(folder, paths), folder=folder), "commit")
        finished = await self._run(
            commands.commit_command(folder, paths=paths, sign_off=sign_off),
            folder=folder,
            stdin=message.encode("utf-8", "surrogateescape"),
            on_output=on_output,
            hear_output=True,
            quiet_limit=HOOK_TIMEOUT,
        )
        if finished.returncode != 0:
            error = explain("commit", finished.lines, finished.returncode)
            if error.reason == "failed":
                for hook in ("pre-commit", "prepare-commit-msg", "commit-msg"):
                    if hook in await self._hooks(folder):
                        raise hook_failed(hook, finished.lines, finished.returncode)
            raise error
        return await self.resolve(folder, "HEAD")

    async def _hooks(self, folder: Path) -> set[str]:
        """Return the names of the hooks that would run in the clone."""
        finished = await self._local(folder, "rev-parse", "--git-path", "hooks", hooks=True)
        if finished.returncode != 0:
            return set()
        where = folder / os.fsdecode(finished.output.rstrip(b"\n"))
        return await asyncio.to_thread(_executables, where)

    async def resolve(self, folder: Path, revision: str) -> str:
        """Return the full name of a commit.

        Raises:
            GitError: reason "not-found".
        """
        words = ("rev-parse", "--verify", "--end-of-options", commands.check_revision(revision) + "^{commit}")
        finished = await self._local(folder, *words)
        if finished.returncode != 0:
            error = explain("local", finished.lines, finished.returncode)
            if error.reason != "failed":
                raise error
            raise GitError(
                f"Git does not know {clean_line(revision, 80)}",
                error.detail,
                "Fetch first, then try again",
                reason="not-found",
                returncode=finished.returncode,
            )
        return finished.output.decode("ascii", "replace").strip()

    # Who commits

    async def identity(self, folder: Path) -> Identity:
        """Return who would commit in the clone, as configured."""
        finished = await self._local(folder, "config", "-z", "--get-regexp", r"^(user|author)\.(name|email)$")
        found: dict[str, str] = {}
        for entry in finished.output.decode("utf-8", "replace").split("\0"):
            key, _, value = entry.partition("\n")
            if value.strip():
                found[key] = clean_line(value)
        return Identity(
            name=found.get("author.name") or found.get("user.name"),
            email=found.get("author.email") or found.get("user.email") or self._base.get("EMAIL"),
        )

    async def set_identity(self, folder: Path, name: str, email: str) -> None:
        """Set who commits, in this clone only.

        Raises:
            GitError: reason "bad-identity" for empty or unprintable values.
        """
        for value in (name, email):
            if not value.strip() or not value.isprintable() or set(value) & set("<>"):
                raise GitError(
                    "This is not a name and e-mail address to commit with",
                    f"“{clean_line(value, 80)}” is empty or holds < > or control characters",
                    "Give your name and address as they should appear in the project's history",
                    reason="bad-identity",
                )
        for command in commands.identity_commands(folder, name.strip(), email.strip()):
            self._check(await self._run(command, folder=folder), "local")

    # Reading

    async def diff(
        self, folder: Path, *, against: str | None = None, credential: Credential | None = None
    ) -> str:
        """Return what changed as a patch: uncommitted changes, or all since the branch left `against`.

        Untracked files are not in it; `changes` names them. At most `MAX_DIFF` characters.
        """
        words = ["diff", "--no-ext-diff", "--no-textconv", "--no-renames", "--submodule=short", "--no-color"]
        if against is None:
            words.append("HEAD")
        else:
            words += ["--merge-base", commands.check_revision(against)]
        finished = await self._run_networked(
            ["git", "-C", str(folder), *words, "--"], url=None, credential=credential, folder=folder
        )
        self._check(finished, "local")
        text = finished.output[: 4 * MAX_DIFF].decode("utf-8", "replace")
        return clean(text, MAX_DIFF)

    async def changes(self, folder: Path) -> list[Change]:
        """Return the files that differ from the last commit, at most `MAX_CHANGES`."""
        return _parse_status(await self._status(folder)).changes

    async def _status(self, folder: Path) -> bytes:
        words = (
            "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--no-renames",
            "--ignore-submodules=dirty",
        )  # fmt: skip
        return self._check(await self._local(folder, *words), "local").output

    async def log(self, folder: Path, range_: str, *, limit: int = 200) -> list[CommitFacts]:
        """Return commits of a range (`origin/main..HEAD`), newest first."""
        words = ("log", "-z", f"--max-count={limit}", "--format=%H%x00%s%x00%an%x00%ae%x00%b")
        finished = self._check(
            await self._local(folder, *words, "--end-of-options", commands.check_revision(range_), "--"),
            "local",
        )
        fields = finished.output.decode("utf-8", "replace").split("\0")
        return [
            CommitFacts(
                sha=sha,
                subject=clean_line(subject),
                author=clean_line(author),
                email=clean_line(email),
                body=clean(body.strip()),
            )
            for sha, subject, author, email, body in zip(*(fields[n::5] for n in range(5)), strict=False)
        ]

    async def facts(self, folder: Path) -> CloneFacts:
        """Return how a folder stands; a missing folder or one that is no clone is an answer, not an error.

        Raises:
            GitError: "dubious-ownership", "missing", or "failed" when a clone is there but broken.
        """
        found = await asyncio.to_thread(_read_clone, folder)
        if not found.is_repo:
            return found
        status = _parse_status(await self._status(folder))
        return CloneFacts(
            exists=True,
            is_repo=True,
            remotes=found.remotes,
            branch=status.branch,
            branches=found.branches,
            remote_branches=found.remote_branches,
            head=status.head,
            changes=len(status.changes),
            conflicts=sum(change.state == "conflicted" for change in status.changes),
            upstream=status.upstream,
            ahead=status.ahead,
            behind=status.behind,
            in_progress=found.in_progress,
        )


def _is_ssh(url: str) -> bool:
    return url.startswith("ssh://") or "://" not in url


def _own_origin(url: str) -> str:
    """Return the origin of an HTTP(S) address, for checks where no other origin is known."""
    return "https://ssh.invalid" if _is_ssh(url) else url_origin(url)


def _ssh_host(url: str) -> str | None:
    match = _SSH_URL.match(url)
    return match.group(1) if match else None


def _project_of(url: str) -> str:
    """Return `group/name` of an address, for a title."""
    path = url.split("://", 1)[-1].split("/", 1)[-1] if "://" in url else url.rsplit(":", 1)[-1]
    return path.removesuffix("/").removesuffix(".git")


def _executables(folder: Path) -> set[str]:
    found = set()
    try:
        entries = list(folder.iterdir())
    except OSError:
        return found
    for entry in entries:
        try:
            mode = entry.stat().st_mode
        except OSError:
            continue
        if stat.S_ISREG(mode) and mode & 0o111:
            found.add(entry.name)
    return found


class _Status:
    """What `git status --porcelain=v2 --branch -z` said."""

    def __init__(self) -> None:
        self.head: str | None = None
        self.branch: str | None = None
        self.upstream: str | None = None
        self.ahead: int | None = None
        self.behind: int | None = None
        self.changes: list[Change] = []

    def header(self, line: str) -> None:
        _, key, value = line.split(" ", 2)
        if key == "branch.oid" and value != "(initial)":
            self.head = value
        elif key == "branch.head" and value != "(detached)":
            self.branch = value
        elif key == "branch.upstream":
            self.upstream = value
        elif key == "branch.ab":
            ahead, behind = value.split(" ")
            self.ahead, self.behind = int(ahead), -int(behind)


def _parse_status(output: bytes) -> _Status:
    status = _Status()
    for raw in output.split(b"\0"):
        line = raw.decode("utf-8", "surrogateescape")
        if line.startswith("# "):
            status.header(line)
        elif line and len(status.changes) < MAX_CHANGES:
            change = _parse_change(line)
            if change is not None:
                status.changes.append(change)
    return status


def _parse_change(line: str) -> Change | None:
    if line.startswith("? "):
        return Change(path=line[2:], state="untracked")
    if line.startswith("u "):
        return Change(path=line.split(" ", 10)[10], state="conflicted")
    if line.startswith("1 "):
        parts = line.split(" ", 8)
        staged, unstaged = parts[1]
        state = _STATES.get(staged if staged != "." else unstaged, "modified")
        return Change(path=parts[8], state="deleted" if unstaged == "D" else state)
    return None


def _read_clone(folder: Path) -> CloneFacts:
    """Read remotes and branches with GitPython, without starting a process."""
    if not folder.is_dir():
        return CloneFacts(exists=folder.exists() or folder.is_symlink())
    # A bare repository, or one that only looks like one, is not read at all.
    if not (folder / ".git").exists():
        return CloneFacts(exists=True)
    try:
        from git import InvalidGitRepositoryError, NoSuchPathError, Repo
        from git.exc import GitError as GitPythonError
    except ImportError as error:
        raise GitError(
            "Git is not installed",
            clean_line(str(error), 300),
            "Install git (https://git-scm.com/downloads), then try again",
            reason="missing",
        ) from None
    try:
        with Repo(folder, search_parent_directories=False) as repo:
            return _read_repo(repo)
    except (InvalidGitRepositoryError, NoSuchPathError):
        return CloneFacts(exists=True)
    except (GitPythonError, OSError, ValueError) as error:
        raise GitError(
            f"The clone cannot be read: {folder}",
            clean_line(str(error), 300),
            "Look at it in a shell with git status",
            reason="failed",
        ) from None


def _read_repo(repo: Repo) -> CloneFacts:
    git_dir = Path(repo.git_dir)
    remotes = {}
    for remote in repo.remotes:
        with remote.config_reader as reader:
            remotes[clean_line(remote.name)] = clean_line(str(reader.get("url", "")))
    return CloneFacts(
        exists=True,
        is_repo=True,
        remotes=remotes,
        branches=tuple(sorted(clean_line(head.name) for head in repo.heads)),
        remote_branches=tuple(
            sorted(
                clean_line(ref.name)
                for remote in repo.remotes
                for ref in remote.refs
                if ref.remote_head != "HEAD"
            )
        ),
        in_progress=next((word for name, word in _IN_PROGRESS if (git_dir / name).exists()), None),
    )
