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
    nothing-to-commit, no-message
    disk-full, not-writable
    hook-failed         a hook said no; its words are in the detail
    signing-failed      the commit could not be signed without asking
    checkout-failed     the clone is complete, its files could not all be written (`finish_checkout`)
    dubious-ownership   the clone belongs to another user account
    host-key            the SSH key of the host is unknown, or another one than before
    stalled             the server sent nothing for too long
    network, tls
    failed              anything else, in git's own words
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from configparser import Error as ConfigParserError
from pathlib import Path

from isexplore.errors import GitError
from isexplore.git import commands, folders, status
from isexplore.git.facts import Change, CloneFacts, CommitFacts, Credential, Identity
from isexplore.git.failures import explain, hook_failed, incomplete_clone
from isexplore.git.names import check_any_url, check_branch_name, is_ssh, project_of
from isexplore.git.runner import OnOutput
from isexplore.git.session import GitSession, check, with_progress
from isexplore.text import clean, clean_line

__all__ = ["Change", "CloneFacts", "CommitFacts", "Credential", "Git", "Identity", "OnOutput"]

MAX_DIFF = 1 << 20
"""Characters of a diff that are returned."""
HOOK_TIMEOUT = 900.0
"""Seconds that a commit or push may stay silent while the user's hooks run."""
_IN_PROGRESS = (
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
)


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
        self._session = GitSession(
            environment=environment,
            network_environment=network_environment or {},
            replaced_origins=replaced_origins or {},
            network_timeout=network_timeout,
            low_speed_time=low_speed_time,
            program=program,
        )

    # Git itself

    async def version(self) -> str:
        """Return git's version ("2.50.1").

        Raises:
            GitError: reason "missing".
        """
        finished = check(await self._session.local(["git", "version"]), "local")
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
        before_naming: Callable[[Path], Awaitable[None]] | None = None,
    ) -> None:
        """Clone `url` into `folder`, which is missing or empty; all of it or nothing.

        Cancelling leaves nothing behind. No hook runs, no submodule is fetched, and large files (LFS)
        stay pointers.

        Args:
            url: HTTP(S) or SSH address; its origin must be that of `credential`.
            folder: where the clone will be; its parents are made, and go again with a clone that fails.
            credential: how to sign in; None for anonymous HTTPS and for SSH.
            on_output: gets git's lines, progress included.
            branch: branch to check out instead of the project's default one.
            filter_blobs: fetch contents only of files that are checked out (a partial clone).
            remote: name of the remote in the clone.
            root: folder that `folder` must stay in when symbolic links are followed.
            before_naming: completes the clone in the temporary folder that it gets, before that gets the
                name of `folder`; its error undoes the clone.

        Raises:
            GitError: "checkout-failed" leaves the clone in place (`finish_checkout` retries); with
                every other reason there is none.
        """
        check_any_url(url, origin=None if credential is None or is_ssh(url) else credential.origin)
        made = folders.missing_parents(folder)
        preparing = asyncio.ensure_future(asyncio.to_thread(folders.prepare_destination, folder, root=root))
        try:
            temporary = await asyncio.shield(preparing)
        except BaseException:
            await asyncio.wait({preparing})
            folders.remove_empty(made)
            raise
        command = commands.clone_command(
            url, temporary, remote=remote, branch=branch, filter_blobs=filter_blobs
        )
        command = with_progress(command, "clone")
        incomplete: GitError | None = None
        try:
            finished = await self._session.networked(
                command, url=url, credential=credential, on_output=on_output
            )
            if finished.returncode != 0:
                incomplete = incomplete_clone(finished.lines, finished.returncode, subject=url)
            if before_naming is not None:
                await before_naming(temporary)
            await asyncio.to_thread(folders.install, temporary, folder)
        finally:
            if temporary.exists():
                await asyncio.shield(asyncio.to_thread(folders.remove, temporary))
            if not folder.exists():
                folders.remove_empty(made)
        if incomplete is not None:
            raise incomplete

    async def finish_checkout(
        self, folder: Path, *, credential: Credential | None = None, on_output: OnOutput | None = None
    ) -> None:
        """Write the files that a clone with "checkout-failed" lacks; changes to tracked files are lost."""
        finished = await self._session.networked(
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
        check(finished, "local")

    async def fetch(
        self,
        folder: Path,
        remote: str,
        *,
        branch: str | None = None,
        credential: Credential | None = None,
        on_output: OnOutput | None = None,
    ) -> None:
        """Bring the remote branches of `remote` up to date, or one `branch`, also where the clone left it out."""
        url = await self.remote_url(folder, remote)
        command = with_progress(commands.fetch_command(folder, remote, branch), "fetch")
        finished = await self._session.networked(
            command, url=url, credential=credential, folder=folder, on_output=on_output
        )
        check(finished, "fetch", subject=url)

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
        command = with_progress(commands.push_command(folder, remote, branch), "push")
        finished = await self._session.networked(
            command,
            url=url,
            credential=credential,
            folder=folder,
            on_output=on_output,
            hooks=True,
            quiet_limit=max(HOOK_TIMEOUT, self._session.network_timeout)
            if await self._hooks(folder)
            else None,
        )
        if finished.returncode == 0:
            return
        error = explain("push", finished.lines, finished.returncode, subject=project_of(url))
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
            url = check_any_url(remote)
        else:
            url = await self.remote_url(folder, remote)
        command = commands.remote_branch_command(folder, remote, branch)
        finished = check(
            await self._session.networked(command, url=url, credential=credential, folder=folder),
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
        finished = check(await self._session.read(folder, *words), "local")
        return finished.output.decode("utf-8", "replace").split("\n", 1)[0]

    async def add_remote(self, folder: Path, name: str, url: str, *, head: str | None = None) -> None:
        """Add a remote; `head` is its default branch, where that is known.

        Raises:
            GitError: reason "exists" when the name is taken, "bad-url".
        """
        check_any_url(url)
        command = commands.add_remote_command(folder, name, url, head=head)
        check(await self._session.local(command, folder=folder), "local")

    async def follow(self, folder: Path, branch: str, remote: str) -> None:
        """Let a local branch follow the branch of the same name on a remote, as it was last fetched.

        Raises:
            GitError: there is no such branch, here or there.
        """
        command = commands.follow_command(folder, branch, remote)
        check(await self._session.local(command, folder=folder), "local")

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
        finished = await self._session.networked(
            command,
            url=None,
            credential=credential,
            folder=folder,
            on_output=on_output,
            hooks=credential is None,
        )
        check(finished, "switch")

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
                reason="no-message",
            )
        check(await self._session.local(commands.add_command(folder, paths), folder=folder), "commit")
        finished = await self._session.local(
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
        finished = await self._session.read(folder, "rev-parse", "--git-path", "hooks")
        if finished.returncode != 0:
            return set()
        where = folder / os.fsdecode(finished.output.rstrip(b"\n"))
        return await asyncio.to_thread(folders.executables, where)

    async def resolve(self, folder: Path, revision: str) -> str:
        """Return the full name of a commit.

        Raises:
            GitError: reason "not-found".
        """
        words = ("rev-parse", "--verify", "--end-of-options", commands.check_revision(revision) + "^{commit}")
        finished = await self._session.read(folder, *words)
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
        finished = await self._session.read(
            folder, "config", "-z", "--get-regexp", r"^(user|author)\.(name|email)$"
        )
        found: dict[str, str] = {}
        for entry in finished.output.decode("utf-8", "replace").split("\0"):
            key, _, value = entry.partition("\n")
            if value.strip():
                found[key] = clean_line(value)
        return Identity(
            name=found.get("author.name") or found.get("user.name"),
            email=found.get("author.email") or found.get("user.email") or self._session.base.get("EMAIL"),
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
            check(await self._session.local(command, folder=folder), "local")

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
        finished = await self._session.networked(
            ["git", "-C", str(folder), *words, "--"], url=None, credential=credential, folder=folder
        )
        check(finished, "local")
        text = finished.output[: 4 * MAX_DIFF].decode("utf-8", "replace")
        return clean(text, MAX_DIFF)

    async def changes(self, folder: Path) -> list[Change]:
        """Return the files that differ from the last commit, at most `status.MAX_CHANGES`."""
        finished = check(await self._session.read(folder, *status.STATUS_WORDS), "local")
        return status.parse_status(finished.output).changes

    async def log(self, folder: Path, range_: str, *, limit: int = 200) -> list[CommitFacts]:
        """Return commits of a range (`origin/main..HEAD`), newest first."""
        revision = commands.check_revision(range_)
        words = ("log", "-z", f"--max-count={limit}", status.LOG_FORMAT, "--end-of-options", revision, "--")
        return status.parse_log(check(await self._session.read(folder, *words), "local").output)

    async def changes_nothing(self, folder: Path, base: str) -> bool:
        """Return whether every file of the checked-out commit is as it was where it left `base`."""
        words = ("diff-tree", "--quiet", "--merge-base", "--end-of-options", commands.check_revision(base))
        finished = await self._session.read(folder, *words, "HEAD")
        if finished.returncode > 1:
            check(finished, "local")
        return finished.returncode == 0

    async def on_no_branch(self, folder: Path) -> int:
        """Return how many commits of the checked-out one's history no branch has, here or last seen elsewhere."""
        words = ("rev-list", "--count", "--max-count=1000", "HEAD", "--not", "--branches", "--remotes")
        finished = check(await self._session.read(folder, *words, "--"), "local")
        return int(finished.output)

    async def facts(self, folder: Path) -> CloneFacts:
        """Return how a folder stands; a missing folder or one that is no clone is an answer, not an error.

        Raises:
            GitError: "dubious-ownership", "missing", or "failed" when a clone is there but broken.
        """
        found = await asyncio.to_thread(_read_clone, folder)
        if not found.is_repo:
            return found
        now, refs = await asyncio.gather(
            self._session.read(folder, *status.STATUS_WORDS),
            self._session.read(folder, *status.BRANCHES_WORDS),
        )
        state = status.parse_status(check(now, "local").output)
        branches, remote_branches = status.parse_branches(check(refs, "local").output)
        return CloneFacts(
            exists=True,
            is_repo=True,
            remotes=found.remotes,
            branch=state.branch,
            branches=branches,
            remote_branches=remote_branches,
            head=state.head,
            changes=len(state.changes),
            conflicts=sum(change.state == "conflicted" for change in state.changes),
            upstream=state.upstream,
            ahead=state.ahead,
            behind=state.behind,
            in_progress=found.in_progress,
        )


def _read_clone(folder: Path) -> CloneFacts:
    """Read remotes and unfinished work with GitPython, without starting a process.

    Neither the repository's folder above nor a bare one is taken for the clone, and the files are named by
    path: GitPython itself obeys variables such as GIT_COMMON_DIR that a hook may have left behind.
    """
    if not folder.is_dir() or not (folder / ".git").exists():
        return CloneFacts(exists=folder.exists() or folder.is_symlink())
    try:
        from git.exc import GitError as GitPythonError

        from git import GitConfigParser, InvalidGitRepositoryError, Repo
    except ImportError:
        # GitPython's own words speak of its variables.
        raise GitError(
            "Git is not installed",
            "No program “git” was found on PATH",
            "Install git (https://git-scm.com/downloads), then try again",
            reason="missing",
        ) from None
    try:
        with Repo(folder, expand_vars=False, search_parent_directories=False) as repo:
            git_dir = Path(repo.git_dir)
        try:
            common_dir = git_dir / (git_dir / "commondir").read_text("utf-8").rstrip("\n")
        except FileNotFoundError:
            common_dir = git_dir
        with GitConfigParser(common_dir / "config", read_only=True, merge_includes=False) as config:
            remotes = {
                clean_line(section[8:-1]): clean_line(str(config.get(section, "url", fallback="")))
                for section in config.sections()
                if section.startswith('remote "')
            }
    except InvalidGitRepositoryError:
        if not (folder / ".git" / "config").exists():
            return CloneFacts(exists=True)
        raise GitError(
            f"The clone cannot be read: {folder}",
            "Git does not take what is in it for a repository: files of .git are missing or damaged",
            "Look at it in a shell with git status, or choose another folder",
            reason="failed",
        ) from None
    except (GitPythonError, OSError, ValueError, ConfigParserError) as error:
        raise GitError(
            f"The clone cannot be read: {folder}",
            clean_line(str(error), 300),
            "Look at it in a shell with git status",
            reason="failed",
        ) from None
    waiting = next((word for name, word in _IN_PROGRESS if (git_dir / name).exists()), None)
    return CloneFacts(exists=True, is_repo=True, remotes=remotes, in_progress=waiting)
