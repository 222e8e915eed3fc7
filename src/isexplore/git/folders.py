"""Where a clone may go: destinations, and the temporary folder that becomes one.

A clone grows in a sibling of its destination and gets its name in one step (rename(2)), so that a folder
with a project's name is always a whole clone.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterable
from pathlib import Path

from isexplore.errors import GitError
from isexplore.text import clean, clean_line

_PREFIX = ".isx-clone-"
_STALE_AFTER = 24 * 3_600.0


def _exists(folder: Path, why: str) -> GitError:
    return GitError(
        f"The folder is in use: {folder}",
        why,
        "Choose another folder, or open the clone that is there",
        reason="exists",
    )


def real_folder(folder: Path) -> Path:
    """Return the one absolute path of a folder that somebody named: without `~`, `..` and links on the way.

    The folder itself may be missing. Where it is a link, only one to a clone is followed: nothing is cloned
    through the others.

    Raises:
        GitError: reason "bad-path" for what is no path, or cannot be written down.
    """
    try:
        named = folder.expanduser().absolute()
        real = named.parent.resolve() / named.name if named.name not in ("", "..") else named.resolve()
        if (real / ".git").exists():
            real = real.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        why = getattr(error, "strerror", None) or clean_line(str(error), 200)
        raise _bad_path(folder, why) from None
    if clean(str(real)) != str(real) or set(str(real)) & set("\n\t"):
        raise _bad_path(folder, "Its name holds characters that cannot be shown")
    return real


def check_place(folder: Path) -> None:
    """Refuse, before anything is made, a folder that is neither a clone nor a place for one.

    Raises:
        GitError: reason "exists" when something is in the way, "not-writable".
    """
    if (folder / ".git").exists():
        return
    check_destination(folder)
    above = next(each for each in folder.parents if os.path.lexists(each))
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise GitError(
            f"The folder cannot be made: {folder}",
            f"{above} cannot be written to" if above.is_dir() else f"{above} is no folder",
            "Choose a folder that you may write to",
            reason="not-writable",
        )


def _bad_path(folder: Path, why: str) -> GitError:
    return GitError(
        f"This cannot be a clone's folder: {clean_line(str(folder), 200)}",
        why,
        "Choose another folder",
        reason="bad-path",
    )


def missing_parents(folder: Path) -> list[Path]:
    """Return the folders above `folder` that are still to be made for it, innermost first."""
    return [each for each in folder.parents if not os.path.lexists(each)]


def remove_empty(made: Iterable[Path]) -> None:
    """Remove folders that were made for nothing, innermost first; one that holds something stays, and all above."""
    for each in made:
        try:
            each.rmdir()
        except OSError:
            return


def prepare_destination(folder: Path, *, root: Path | None = None) -> Path:
    """Make the parents of `folder` and return the temporary sibling to clone into (not made yet).

    Args:
        folder: where the clone shall be; it may exist as an empty folder.
        root: folder that the parents must stay in once symbolic links are followed.

    Raises:
        GitError: reason "exists" when something is in the way, "bad-path" outside `root`,
            "not-writable" when a folder cannot be made.
    """
    check_destination(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        parent = folder.parent.resolve(strict=True)
    except OSError as error:
        raise GitError(
            f"The folder cannot be made: {folder.parent}",
            error.strerror or str(error),
            "Choose a folder that you may write to",
            reason="disk-full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "not-writable",
        ) from None
    if root is not None and not parent.is_relative_to(root.resolve()):
        raise GitError(
            f"The folder leads outside {root}",
            f"{folder.parent} is or holds a symbolic link to {parent}",
            "Choose the folder yourself (--into DIR)",
            reason="bad-path",
        )
    sweep(parent)
    return parent / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"


def check_destination(folder: Path) -> None:
    """Raise GitError (reason "exists") unless `folder` is missing or an empty real folder."""
    if folder.is_symlink():
        raise _exists(folder, "It is a symbolic link; isexplore does not clone through one")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise _exists(folder, "A file has this name")
    if (folder / ".git").exists():
        raise _exists(folder, "It is a git clone already")
    if any(folder.iterdir()):
        raise _exists(folder, "It is not empty")


def install(temporary: Path, folder: Path) -> None:
    """Give a finished clone its name, atomically.

    Raises:
        GitError: reason "exists" when somebody else took the name meanwhile.
    """
    check_destination(folder)
    try:
        temporary.rename(folder)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise _exists(folder, "Something else was put there meanwhile") from None
        raise GitError(
            f"The clone cannot be put in place: {folder}",
            error.strerror or str(error),
            "Choose another folder",
            reason="not-writable",
        ) from None


def remove(temporary: Path) -> None:
    """Remove a temporary clone; what cannot be removed is left for the next sweep."""
    if temporary.name.startswith(_PREFIX):
        shutil.rmtree(temporary, ignore_errors=True)


def sweep(parent: Path) -> list[Path]:
    """Remove temporary clones whose process is gone; return them.

    Process numbers are used again, so one that is a day old goes even if its number is taken.
    """
    removed = []
    for path in parent.glob(f"{_PREFIX}*-*"):
        number = path.name.removeprefix(_PREFIX).split("-")[0]
        try:
            old = time.time() - path.lstat().st_mtime > _STALE_AFTER
        except OSError:
            continue
        if path.is_symlink() or not path.is_dir() or not number.isdigit():
            continue
        if int(number) != os.getpid() and (old or not _alive(int(number))):
            remove(path)
            removed.append(path)
    return removed


def _alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def executables(folder: Path) -> set[str]:
    """Return the names of executable files in a folder of hooks; empty when there is none."""
    found: set[str] = set()
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
