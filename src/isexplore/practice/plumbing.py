"""Git plumbing for the practice forge's own bare repositories: no porcelain, nobody's configuration.

Used by what writes the hand-made history and by what reads a merge request to check and review it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from isexplore.errors import GitError
from isexplore.practice.repository import git_environment

_TIMEOUT = 60.0


def git(arguments: Sequence[str], *, repositories: Sequence[Path] = (), stdin: bytes | None = None) -> bytes:
    """Run git and return what it prints.

    Args:
        arguments: without `git` itself.
        repositories: bare repositories; the first is worked in, the objects of the others can be read too.
        stdin: what git is to read.

    Raises:
        GitError: git is missing (`missing`), or ended with an error (`failed`).
    """
    environment = git_environment()
    if repositories:
        environment["GIT_DIR"] = str(repositories[0])
        environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = os.pathsep.join(
            str(repository / "objects") for repository in repositories[1:]
        )
    try:
        result = subprocess.run(
            ["git", *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env=environment,
            timeout=_TIMEOUT,
            check=False,
        )
    except FileNotFoundError as error:
        raise GitError(
            "git is not installed",
            "The practice forge keeps real repositories.",
            "Install git with your package manager, then start again.",
            reason="missing",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise GitError(
            "git did not finish",
            f"git {_command(arguments)} took longer than {_TIMEOUT:.0f} seconds.",
            reason="stalled",
        ) from error
    if result.returncode:
        raise GitError(
            f"git {_command(arguments)} failed",
            result.stderr.decode("utf-8", "replace").strip()[-500:],
            returncode=result.returncode,
        )
    return result.stdout


def _command(arguments: Sequence[str]) -> str:
    return next((word for word in arguments if not word.startswith("-") and "=" not in word), "")


class ChangeCommit(Struct, frozen=True, kw_only=True):
    """One commit of a merge request."""

    sha: str
    name: str
    email: str
    message: str

    @property
    def subject(self) -> str:
        """First line of the message."""
        return self.message.partition("\n")[0]


class Change:
    """What a merge request changes, read from git when first asked for.

    Args:
        repositories: where the commits are: the target's repository, then the fork's.
        target: commit or ref that it is to be merged into.
        head: its newest commit.
    """

    def __init__(self, repositories: Sequence[Path], *, target: str, head: str) -> None:
        self._repositories = tuple(dict.fromkeys(repositories))
        self.target = target
        self.head = head
        self._base: str | None = None
        self._files: tuple[str, ...] | None = None
        self._tree: frozenset[str] | None = None
        self._blobs: dict[tuple[str, str], bytes | None] = {}

    def _git(self, *arguments: str, stdin: bytes | None = None) -> str:
        output = git(arguments, repositories=self._repositories, stdin=stdin)
        return output.decode("utf-8", "replace")

    @property
    def base(self) -> str:
        """The commit where it left the target; the target itself when they share no history."""
        if self._base is None:
            try:
                self._base = self._git("merge-base", self.target, self.head).strip()
            except GitError as error:
                if error.returncode != 1:
                    raise
                self._base = self.target
        return self._base

    def commits(self) -> tuple[ChangeCommit, ...]:
        """Return its commits without merges, oldest first."""
        output = self._git(
            "log",
            "--reverse",
            "--no-merges",
            "-z",
            "--format=%H%n%an%n%ae%n%B",
            f"{self.target}..{self.head}",
        )
        commits = []
        for record in filter(None, output.split("\0")):
            sha, name, email, message = record.split("\n", 3)
            commits.append(ChangeCommit(sha=sha, name=name, email=email, message=message.strip("\n")))
        return tuple(commits)

    def files(self) -> tuple[str, ...]:
        """Return the paths that it adds or changes; what it only deletes is left out."""
        if self._files is None:
            output = self._git("diff-tree", "-r", "-z", "--no-renames", "--name-status", self.base, self.head)
            parts = output.split("\0")
            pairs = zip(parts[::2], parts[1::2], strict=False)
            self._files = tuple(path for status, path in pairs if status and status != "D")
        return self._files

    def tree(self) -> frozenset[str]:
        """Return every file and folder of its newest commit."""
        if self._tree is None:
            output = self._git("ls-tree", "-r", "-t", "-z", "--name-only", self.head)
            self._tree = frozenset(filter(None, output.split("\0")))
        return self._tree

    def content(self, path: str, *, at_base: bool = False) -> bytes | None:
        """Return a file of its newest commit (or of where it started); None when there is none."""
        commit = self.base if at_base else self.head
        key = (commit, path)
        if key not in self._blobs:
            self._blobs[key] = self._read(commit, path)
        return self._blobs[key]

    def _read(self, commit: str, path: str) -> bytes | None:
        if "\n" in path:
            return None
        output = git(
            ("cat-file", "--batch"), repositories=self._repositories, stdin=f"{commit}:{path}\n".encode()
        )
        header, _, rest = output.partition(b"\n")
        words = header.split()
        if len(words) != 3 or words[1] != b"blob":
            return None
        return rest[: int(words[2])]

    def text(self, path: str) -> str | None:
        """Return a file of its newest commit as text; None when it is missing or binary."""
        content = self.content(path)
        if content is None or b"\0" in content[:8000]:
            return None
        return content.decode("utf-8", "replace")

    def changes(self, path: str) -> bool:
        """Return whether it adds or changes the file (a merge of the target does not count)."""
        return path in self.files()

    def matches(self, path: str, pattern: str) -> bool:
        """Return whether the file exists and the pattern is found in it; `^` and `$` match at lines."""
        text = self.text(path)
        return text is not None and re.search(pattern, text, re.MULTILINE) is not None

    def first_line(self, path: str) -> int | None:
        """Return the number, in the newest commit, of the first line that it adds; None if it adds none."""
        patch = self._git("diff-tree", "-r", "-p", "-U0", "--no-renames", self.base, self.head, "--", path)
        for hunk in re.finditer(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", patch, re.MULTILINE):
            if hunk[2] != "0":
                return int(hunk[1])
        return None

    def tree_id(self, commit: str | None = None) -> str:
        """Return the id of everything in a commit (its newest when None); equal ids mean equal files."""
        return self._git("rev-parse", "--verify", f"{commit or self.head}^{{tree}}").strip()
