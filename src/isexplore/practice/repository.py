"""Bare git repositories of the practice forge: reading and merging, by git's own plumbing.

Every call runs git as a child process without a shell, with an environment of ours, and without hooks.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from msgspec import Struct

from isexplore.errors import GitError

ZERO = "0" * 40
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""What git calls a folder without files, in every repository."""
_FIELDS = "%H%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B%x00"
_CONFIG = (
    ("core.quotePath", "false"),
    ("gc.auto", "0"),
    ("protocol.file.allow", "always"),
    ("safe.directory", "*"),
    ("uploadpack.allowFilter", "true"),
    ("uploadpack.allowAnySHA1InWant", "true"),
    ("receive.denyDeleteCurrent", "refuse"),
    ("receive.fsckObjects", "true"),
)


def git_environment(extra: Mapping[str, str] | None = None, *, hooks: Path | None = None) -> dict[str, str]:
    """Return an allow-listed environment for git: none of the user's configuration, and no prompts.

    Args:
        extra: more variables.
        hooks: the folder of the hooks to run; none when None, whatever a repository says.
    """
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "LC_ALL": "C",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": str(len(_CONFIG) + 1),
        f"GIT_CONFIG_KEY_{len(_CONFIG)}": "core.hooksPath",
        f"GIT_CONFIG_VALUE_{len(_CONFIG)}": str(hooks or os.devnull),
    }
    for index, (key, value) in enumerate(_CONFIG):
        environment[f"GIT_CONFIG_KEY_{index}"] = key
        environment[f"GIT_CONFIG_VALUE_{index}"] = value
    return {**environment, **(extra or {})}


class CommitFacts(Struct, frozen=True, kw_only=True):
    """One commit."""

    sha: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str
    authored_at: datetime
    committer_name: str
    committer_email: str
    committed_at: datetime
    message: str

    @property
    def title(self) -> str:
        """First line of the message."""
        return self.message.partition("\n")[0]


class TreeEntry(Struct, frozen=True, kw_only=True):
    """One name in a folder of a commit."""

    mode: str
    type: Literal["tree", "blob", "commit"]
    sha: str
    path: str


class FileChange(Struct, frozen=True, kw_only=True):
    """One file that differs between two commits."""

    state: str
    """Git's letter: A, M, D, R."""
    path: str
    old_path: str


class Signature(Struct, frozen=True, kw_only=True):
    """Who makes a commit, and when."""

    name: str
    email: str
    when: datetime

    def environment(self, role: Literal["AUTHOR", "COMMITTER"]) -> dict[str, str]:
        """Return the variables that git reads it from."""
        return {
            f"GIT_{role}_NAME": self.name,
            f"GIT_{role}_EMAIL": self.email,
            f"GIT_{role}_DATE": f"{int(self.when.timestamp())} +0000",
        }


async def run_git(
    folder: Path,
    *arguments: str,
    stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
    ok: Sequence[int] = (0,),
) -> tuple[int, bytes]:
    """Run git in `folder`; return its exit code and output. `GitError` unless the code is one of `ok`."""
    process = await asyncio.create_subprocess_exec(
        "git",
        *arguments,
        cwd=folder,
        env=git_environment(environment),
        stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await process.communicate(stdin)
    except asyncio.CancelledError:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    code = process.returncode or 0
    if code not in ok:
        raise GitError(
            f"git {arguments[0]} failed in the practice forge",
            err.decode(errors="replace").strip(),
            returncode=code,
        )
    return code, out


class Repository:
    """A bare repository; every method reads or changes it anew, so instances cost nothing."""

    def __init__(self, path: Path, *, borrowed: Sequence[Path] = ()) -> None:
        """Take a repository's folder.

        Args:
            path: the bare repository.
            borrowed: repositories whose objects can be read too.
        """
        self.path = path
        self._here = {"GIT_DIR": str(path)}
        if borrowed:
            objects = os.pathsep.join(str(other / "objects") for other in borrowed)
            self._here["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = objects

    async def git(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        ok: Sequence[int] = (0,),
    ) -> tuple[int, bytes]:
        """Run git on this repository (see `run_git`)."""
        here = {**self._here, **(environment or {})}
        return await run_git(self.path, *arguments, stdin=stdin, environment=here, ok=ok)

    async def commit_id(self, ref: str) -> str | None:
        """Return the full id of the commit that `ref` (branch, tag, id, HEAD) names, or None."""
        if not ref or ref.startswith("-") or "\0" in ref:
            return None
        code, out = await self.git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", ok=(0, 1, 128)
        )
        sha = out.decode().strip().splitlines()[-1:] if code == 0 else []
        return sha[0] if sha else None

    async def branches(self) -> dict[str, str]:
        """Return every branch with its commit id, by name."""
        _, out = await self.git("for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads/")
        pairs = (line.split(" ", 1) for line in out.decode(errors="replace").splitlines())
        return {name: sha for sha, name in pairs}

    async def entries(self, ref: str, folder: str = "", *, recursive: bool = False) -> list[TreeEntry] | None:
        """Return what `folder` of `ref` holds, folders first; None where it does not exist."""
        tree = f"{ref}:{folder.strip('/')}"
        options = ("-r", "-t") if recursive else ()
        code, out = await self.git("ls-tree", "-z", *options, tree, ok=(0, 128))
        if code:
            return None
        prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
        found = []
        for line in out.decode(errors="replace").split("\0"):
            if not line:
                continue
            facts, path = line.split("\t", 1)
            mode, kind, sha = facts.split()
            found.append(
                TreeEntry(
                    mode=mode,
                    type="tree" if kind == "tree" else "commit" if kind == "commit" else "blob",
                    sha=sha,
                    path=prefix + path,
                )
            )
        return found if recursive else sorted(found, key=lambda entry: entry.type != "tree")

    async def entry(self, ref: str, path: str) -> TreeEntry | None:
        """Return one file or folder of `ref`, or None."""
        path = path.strip("/")
        if not path:
            return None
        parent, _, name = path.rpartition("/")
        listed = await self.entries(ref, parent) or []
        return next((entry for entry in listed if entry.path.rpartition("/")[2] == name), None)

    async def blob(self, sha: str) -> bytes:
        """Return a blob's bytes."""
        _, out = await self.git("cat-file", "blob", sha)
        return out

    async def file(self, ref: str, path: str) -> bytes | None:
        """Return a file's bytes at `ref`, or None where there is no such file."""
        code, out = await self.git("cat-file", "blob", f"{ref}:{path.strip('/')}", ok=(0, 128))
        return None if code else out

    async def commits(
        self,
        revisions: str,
        *,
        limit: int | None = None,
        skip: int = 0,
        since: str | None = None,
        until: str | None = None,
        path: str | None = None,
    ) -> list[CommitFacts]:
        """Return the commits of a revision range (`main`, `base..head`), newest first."""
        options = [f"--format={_FIELDS}", f"--skip={skip}"]
        if limit is not None:
            options.append(f"--max-count={limit}")
        if since:
            options.append(f"--since={since}")
        if until:
            options.append(f"--until={until}")
        tail = ("--", path) if path else ("--",)
        code, out = await self.git("log", *options, "--end-of-options", revisions, *tail, ok=(0, 128))
        return [] if code else _parse_commits(out.decode(errors="replace"))

    async def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor, or None for unrelated histories."""
        _, out = await self.git("merge-base", one, other, ok=(0, 1, 128))
        return out.decode().strip() or None

    async def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether `descendant` already contains `ancestor`."""
        code, _ = await self.git("merge-base", "--is-ancestor", ancestor, descendant, ok=(0, 1, 128))
        return code == 0

    async def changed_files(self, base: str, head: str) -> list[FileChange]:
        """Return the files that differ between two commits."""
        _, out = await self.git("diff", "--name-status", "-z", "-M", base, head)
        words = iter(out.decode(errors="replace").split("\0"))
        found = []
        for letter in words:
            if not letter:
                break
            old = next(words)
            found.append(
                FileChange(state=letter[0], old_path=old, path=next(words) if letter[0] in "RC" else old)
            )
        return found

    async def diff(self, base: str, head: str, path: str | None = None) -> str:
        """Return the patch from `base` to `head`, of one path where given."""
        _, out = await self.git("diff", "-M", base, head, *(("--", path) if path else ()))
        return out.decode(errors="replace")

    async def set_branch(self, name: str, sha: str, expected: str | None = None) -> None:
        """Point a branch at a commit; `expected` is where it must point until then (ZERO: nowhere)."""
        await self.git("update-ref", f"refs/heads/{name}", sha, *((expected,) if expected else ()))

    async def delete_branch(self, name: str) -> None:
        """Remove a branch; nothing where it does not exist."""
        await self.git("update-ref", "-d", f"refs/heads/{name}")

    async def fetch(self, source: Path, refspec: str) -> None:
        """Copy a ref and its objects from another repository of the forge."""
        await self.git("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(source), refspec)

    async def merged_tree(self, ours: str, theirs: str) -> str | None:
        """Return the tree of merging two commits, or None when they conflict. Changes no branch."""
        base = await self.merge_base(ours, theirs)
        if base is None:
            return None
        # A throw-away index and work tree: `merge-tree --write-tree` came with git 2.38 only.
        work = Path(tempfile.mkdtemp(prefix="isexplore-merge-"))
        environment = {"GIT_INDEX_FILE": str(work / "index"), "GIT_WORK_TREE": str(work / "tree")}
        (work / "tree").mkdir()
        try:
            await self.git(
                "read-tree", "-i", "-m", "--aggressive", base, ours, theirs, environment=environment
            )
            code, _ = await self.git(
                "merge-index", "-q", "git-merge-one-file", "-a", environment=environment, ok=(0, 1, 128)
            )
            if code:
                return None
            _, out = await self.git("write-tree", environment=environment)
            return out.decode().strip()
        finally:
            shutil.rmtree(work, ignore_errors=True)

    async def commit_tree(
        self,
        tree: str,
        parents: Sequence[str],
        message: str,
        author: Signature,
        committer: Signature | None = None,
    ) -> str:
        """Make a commit object, committed by its author where nobody else is named; return its id."""
        options = [word for parent in parents for word in ("-p", parent)]
        environment = {**author.environment("AUTHOR"), **(committer or author).environment("COMMITTER")}
        _, out = await self.git(
            "commit-tree", tree, *options, stdin=message.encode(), environment=environment
        )
        return out.decode().strip()

    async def line_counts(self, base: str | None, head: str) -> tuple[int, int]:
        """Return how many lines `head` adds to `base` and takes away from it; None for nothing at all."""
        _, out = await self.git("diff", "--numstat", base or EMPTY_TREE, head)
        added = removed = 0
        for line in out.decode(errors="replace").splitlines():
            more, fewer, _ = line.split("\t", 2)
            # A binary file has dashes in place of numbers.
            added += int(more) if more.isdecimal() else 0
            removed += int(fewer) if fewer.isdecimal() else 0
        return added, removed

    async def contributors(self, ref: str) -> list[tuple[str, str, int]]:
        """Return (name, email, commits) of everybody in the history of `ref`, most commits first."""
        code, out = await self.git("shortlog", "-sne", "--end-of-options", ref, ok=(0, 128))
        if code:
            return []
        found = []
        for line in out.decode(errors="replace").splitlines():
            count, _, who = line.strip().partition("\t")
            name, _, email = who.rpartition(" <")
            found.append((name, email.rstrip(">"), int(count)))
        return found


def _parse_commits(text: str) -> list[CommitFacts]:
    words = text.split("\0")
    found = []
    for start in range(0, len(words) - 9, 9):
        sha, parents, an, ae, at, cn, ce, ct, message = words[start : start + 9]
        found.append(
            CommitFacts(
                sha=sha.strip(),
                parents=tuple(parents.split()),
                author_name=an,
                author_email=ae,
                authored_at=datetime.fromtimestamp(int(at), UTC),
                committer_name=cn,
                committer_email=ce,
                committed_at=datetime.fromtimestamp(int(ct), UTC),
                message=message.rstrip("\n") + "\n",
            )
        )
    return found


async def create_bare(path: Path, default_branch: str) -> Repository:
    """Make an empty bare repository without template files (so without hooks)."""
    await asyncio.to_thread(path.mkdir, parents=True, exist_ok=True)
    await run_git(path, "init", "--quiet", "--bare", "--template=", f"--initial-branch={default_branch}", ".")
    return Repository(path)


async def copy_bare(source: Path, target: Path, branch: str | None = None) -> Repository:
    """Copy branches and tags of a repository of the forge to `target`, which appears complete or not at all.

    Args:
        source: the original.
        target: the copy; nothing happens where it exists already.
        branch: copy this branch only.
    """
    if await asyncio.to_thread(target.exists):
        return Repository(target)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    only = ("--single-branch", f"--branch={branch}") if branch else ()
    try:
        await run_git(
            source, "clone", "--quiet", "--bare", "--template=", *only, str(source), str(temporary / "copy")
        )
        copy = Repository(temporary / "copy")
        await copy.git("config", "--remove-section", "remote.origin", ok=(0, 128))
        (temporary / "copy").rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Repository(target)
