"""Commits that are made on the forge itself: files are created, changed, moved and deleted without a clone.

Says no in the words of GitLab's own git service.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from isexplore.practice.repository import ZERO, Repository, Signature, TreeEntry

Verb = Literal["create", "update", "move", "delete", "chmod"]
VERBS: tuple[Verb, ...] = ("create", "update", "move", "delete", "chmod")
_REGULAR, _EXECUTABLE = "100644", "100755"


class Edit(Struct, frozen=True, kw_only=True):
    """What happens to one file."""

    verb: Verb
    path: str
    previous_path: str | None = None
    """Where it was before it was moved."""
    content: bytes | None = None
    """None leaves what it holds as it is."""
    executable: bool | None = None
    """None leaves its mode as it is."""


class EditError(Exception):
    """The edit cannot be made; the words are GitLab's."""


def checked_path(path: str) -> str:
    """Return a path as git keeps it; `EditError` where it leads out of the tree or into git's own folder."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts:
        raise EditError("You must provide a file path")
    if ".." in parts:
        raise EditError("Path cannot include directory traversal")
    if any(part.lower() == ".git" for part in parts):
        raise EditError(f"invalid path: '{path}'")
    return "/".join(parts)


class _Files:
    """The files of a commit while edits are made to them."""

    def __init__(self, entries: Sequence[TreeEntry]) -> None:
        self.files = {entry.path: entry for entry in entries if entry.type != "tree"}
        self.touched: set[str] = set()

    def find(self, path: str) -> TreeEntry:
        found = self.files.get(path)
        if found is None:
            raise EditError("A file with this name doesn't exist")
        return found

    def refuse_taken(self, path: str) -> None:
        if path in self.files:
            raise EditError("A file with this name already exists")
        parents = path.split("/")[:-1]
        if any("/".join(parents[: end + 1]) in self.files for end in range(len(parents))):
            raise EditError("A file with this name already exists")
        if any(known.startswith(f"{path}/") for known in self.files):
            raise EditError("A directory with this name already exists")

    def put(self, path: str, sha: str, mode: str) -> None:
        self.files[path] = TreeEntry(mode=mode, type="blob", sha=sha, path=path)
        self.touched.add(path)

    def drop(self, path: str) -> None:
        self.find(path)
        del self.files[path]
        self.touched.add(path)


async def edited_tree(repository: Repository, parent: str | None, edits: Sequence[Edit]) -> str:
    """Return the tree that the edits make of a commit's, one after the other. Changes no branch.

    Args:
        repository: where objects are written.
        parent: the commit to start from; None for no files at all.
        edits: with paths that `checked_path` returned.

    Raises:
        EditError: a file is there that must not be, or is not there.
    """
    entries = await repository.entries(parent, recursive=True) if parent else []
    files = _Files(entries or [])
    for edit in edits:
        await _apply(repository, files, edit)
    lines = [
        f"{files.files[path].mode} {files.files[path].sha}\t{path}\0"
        if path in files.files
        else f"0 {ZERO}\t{path}\0"
        # What goes must be gone before a folder takes its name.
        for path in sorted(files.touched, key=lambda path: (path in files.files, path))
    ]
    work = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="isexplore-edit-"))
    environment = {"GIT_INDEX_FILE": str(work / "index")}
    try:
        await repository.git("read-tree", parent or "--empty", environment=environment)
        await repository.git(
            "update-index", "-z", "--index-info", stdin="".join(lines).encode(), environment=environment
        )
        _, tree = await repository.git("write-tree", environment=environment)
    finally:
        await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
    return tree.decode().strip()


async def _apply(repository: Repository, files: _Files, edit: Edit) -> None:
    before: TreeEntry | None = None
    if edit.verb == "create":
        files.refuse_taken(edit.path)
    elif edit.verb == "move":
        before = files.find(edit.previous_path or "")
        files.drop(before.path)
        files.refuse_taken(edit.path)
    else:
        before = files.find(edit.path)
    if edit.verb == "delete":
        files.drop(edit.path)
        return
    sha = before.sha if before is not None else ""
    if edit.content is not None or before is None:
        sha = await _written(repository, edit.content or b"")
    mode = before.mode if before is not None else _REGULAR
    if edit.executable is not None:
        mode = _EXECUTABLE if edit.executable else _REGULAR
    files.put(edit.path, sha, mode)


async def _written(repository: Repository, content: bytes) -> str:
    _, out = await repository.git("hash-object", "-w", "--stdin", stdin=content)
    return out.decode().strip()


async def commit_edits(
    repository: Repository,
    parent: str | None,
    edits: Sequence[Edit],
    *,
    message: str,
    author: Signature,
    committer: Signature,
) -> str:
    """Make a commit of the edits on top of `parent`, and return its id. Changes no branch.

    Raises:
        EditError: as for `edited_tree`.
    """
    tree = await edited_tree(repository, parent, edits)
    parents = (parent,) if parent else ()
    return await repository.commit_tree(tree, parents, message, author, committer)
