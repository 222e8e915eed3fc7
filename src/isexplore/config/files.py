"""Files that survive crashes, full disks, two instances and hand editing.

A file is replaced as a whole or not at all: written beside the old one under a name of its own,
flushed to the disk, then renamed over it. `state.toml` is changed under a lock, from what is on disk
at that moment, so that two running instances lose nothing of each other's.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from enum import Enum
from math import isnan
from pathlib import Path
from typing import Any

from isexplore.errors import StateError
from isexplore.text import clean

MAX_SIZE = 4 * 1024 * 1024
"""Bytes; a TOML file of ours that is larger is not read."""
LOCK_SECONDS = 5.0
"""How long to wait for another instance that is writing."""
SCHEMA = 1
"""Version of `state.toml`'s shape. A file with a higher one is read, and never written."""

_HINTS = {
    errno.ENOSPC: "Free some space on that disk, then try again.",
    errno.EDQUOT: "Your disk quota is used up: free some space, then try again.",
    errno.EROFS: "The disk is read-only: choose other folders with ISEXPLORE_STATE_DIR, ..._CONFIG_DIR.",
    errno.EACCES: "Make the file and its folder yours, or choose other folders with ISEXPLORE_STATE_DIR, ...",
    errno.EPERM: "Make the file and its folder yours, or choose other folders with ISEXPLORE_STATE_DIR, ...",
    errno.EIO: "The disk reports an error: look at the system's log before you trust it again.",
}
_UNWRITABLE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.ENOENT, errno.ELOOP})
"""Errors that will not go away by trying again: work goes on without saving."""


class Disk:
    """The system calls of a write, in the order they are made; tests let the n-th one fail."""

    def make_folder(self, folder: Path) -> None:
        """Create `folder` and its parents, the new ones for the owner only."""
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for each in reversed(missing):
            try:
                os.mkdir(each, 0o700)
            except FileExistsError:
                if not each.is_dir():
                    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(each)) from None

    def create(self, folder: Path, prefix: str) -> tuple[int, str]:
        """Create an empty file with a name of its own, 0600; return its descriptor and path."""
        return tempfile.mkstemp(prefix=prefix, suffix=".tmp", dir=folder)

    def set_mode(self, descriptor: int, mode: int) -> None:
        """Set the permissions."""
        os.fchmod(descriptor, mode)

    def write(self, descriptor: int, data: memoryview) -> int:
        """Write as much as the system takes; return how much that was."""
        return os.write(descriptor, data)

    def flush(self, descriptor: int) -> None:
        """Wait until the file is on the disk."""
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Close it; network file systems report a full disk only here."""
        os.close(descriptor)

    def replace(self, source: str, target: Path) -> None:
        """Rename over `target`, in one step."""
        os.replace(source, target)

    def flush_folder(self, folder: Path) -> None:
        """Wait until the rename is on the disk."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


DISK = Disk()


def write_atomically(path: Path, data: bytes, mode: int = 0o600, *, disk: Disk = DISK) -> None:
    """Replace the contents of `path`, all or nothing; a symbolic link stays one.

    Folders that are missing are created for the owner only.

    Raises:
        StateError: names the file; what was there before is still there, and nothing is left over.
    """
    try:
        _write(Path(os.path.realpath(path)), data, mode, disk)
    except OSError as error:
        raise not_saved(path, error) from error


def _write(target: Path, data: bytes, mode: int, disk: Disk) -> None:
    disk.make_folder(target.parent)
    descriptor, name = disk.create(target.parent, f".{target.name}.")
    try:
        try:
            disk.set_mode(descriptor, mode)
            rest = memoryview(data)
            while rest:
                rest = rest[disk.write(descriptor, rest) :]
            disk.flush(descriptor)
        except BaseException:
            with suppress(OSError):
                os.close(descriptor)
            raise
        disk.close(descriptor)
        disk.replace(name, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    with suppress(OSError):
        # The new file is in place; a folder that cannot be flushed (some network file systems) does
        # not undo that.
        disk.flush_folder(target.parent)


def not_saved(path: Path, error: OSError) -> StateError:
    """Return the error for a file that could not be written."""
    reason = error.strerror or type(error).__name__
    hint = _HINTS.get(error.errno or 0, "")
    return StateError(f"{path} could not be saved", reason, hint)


def read_bytes(path: Path, limit: int = MAX_SIZE, *, keep_mark: bool = False) -> bytes | None:
    """Return the contents of a file, without a byte order mark unless asked for; None if there is no file.

    Raises:
        OSError: it cannot be read, or is not a plain file.
        ValueError: it is larger than `limit` bytes.
    """
    try:
        with open(path, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError(errno.EINVAL, "not a plain file", str(path))
            data = file.read(limit + 1)
    except FileNotFoundError:
        return None
    if len(data) > limit:
        raise ValueError(f"larger than {limit // (1024 * 1024)} MiB")
    return data if keep_mark else data.removeprefix(b"\xef\xbb\xbf")


class StateFile:
    """`state.toml`: read at any time, changed only inside `edit`.

    The top level holds one table or array per concern (`bookmarks`, `journeys`, `visits`); keys that
    this version does not know are kept. Where the file cannot be written at all (read-only home),
    changes last as long as this object, `persistent` is False and `notice` says so.
    """

    def __init__(
        self,
        path: Path,
        *,
        disk: Disk = DISK,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        lock_seconds: float = LOCK_SECONDS,
    ) -> None:
        self.path = path
        self.notice: str | None = None
        """What a person should know about the file, in words; None when all is well."""
        self._disk = disk
        self._now = now
        self._lock_seconds = lock_seconds
        self._memory: dict[str, Any] | None = None

    @property
    def persistent(self) -> bool:
        """Whether changes outlive this object, as far as is known."""
        return self._memory is None

    def read(self) -> dict[str, Any]:
        """Return what the file holds, as a copy; empty when there is no file.

        A file that cannot be understood is moved to `state.toml.corrupt-<time>`, told in `notice`.
        """
        if self._memory is not None:
            return _copy_table(self._memory)
        try:
            return self._parse()
        except ValueError:
            pass
        except OSError as error:
            self._keep_in_memory({}, error)
            return {}
        try:
            with self._lock():
                return self._parse_or_quarantine()
        except StateError as error:
            self.notice = f"{self.path} cannot be read. {error.title}."
            return {}

    @contextmanager
    def edit(self, *, patience: float | None = None) -> Iterator[dict[str, Any]]:
        """Yield what the file holds now; write what it was made into. Nothing is written after an exception.

        Blocks while another instance writes. Must not be nested.

        Args:
            patience: seconds to wait for another instance; None for `LOCK_SECONDS`.

        Raises:
            StateError: another instance does not let go, the file is of a newer isexplore, or the disk
                is full; the file is as it was.
        """
        if self._memory is not None:
            changed = _copy_table(self._memory)
            yield changed
            self._memory = _storable_table(changed)
            return
        with self._lock(patience):
            data = self._parse_or_quarantine() if self._memory is None else _copy_table(self._memory)
            self._refuse_newer(data)
            yield data
            self._save(data)

    def _save(self, data: dict[str, Any]) -> None:
        table = _storable_table(data)
        table = {"schema": SCHEMA} | {key: value for key, value in table.items() if key != "schema"}
        if self._memory is not None:
            self._memory = table
            return
        try:
            _write(Path(os.path.realpath(self.path)), dump(table), 0o600, self._disk)
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise not_saved(self.path, error) from error
            self._keep_in_memory(table, error)

    def _parse(self) -> dict[str, Any]:
        """Return the file's table, noting a newer schema.

        Raises:
            OSError: it cannot be read.
            ValueError: it cannot be understood.
        """
        data = read_bytes(self.path)
        table = {} if data is None else parse(data)
        if _schema(table) > SCHEMA:
            self.notice = (
                f"{self.path} was written by a newer isexplore: it is read, not changed. Update isexplore."
            )
        return table

    def _parse_or_quarantine(self) -> dict[str, Any]:
        try:
            return self._parse()
        except ValueError as error:
            return self._quarantine(str(error))
        except OSError as error:
            self._keep_in_memory({}, error)
            return {}

    def _quarantine(self, reason: str) -> dict[str, Any]:
        stamp = self._now().strftime("%Y%m%dT%H%M%SZ")
        real = Path(os.path.realpath(self.path))
        aside = real.with_name(f"{real.name}.corrupt-{stamp}")
        number = 1
        while aside.exists():
            number += 1
            aside = real.with_name(f"{real.name}.corrupt-{stamp}-{number}")
        try:
            os.rename(real, aside)
        except OSError as error:
            self._keep_in_memory({}, error)
        else:
            self.notice = (
                f"{self.path} could not be understood ({reason}). It is kept as {aside}: "
                "mend it and give it its name back, or begin afresh without it."
            )
        return {}

    def _refuse_newer(self, table: dict[str, Any]) -> None:
        if _schema(table) > SCHEMA:
            raise StateError(
                f"{self.path} was written by a newer isexplore",
                f"Its schema is {_schema(table)}; this version knows {SCHEMA}. Nothing was changed.",
                "Update isexplore, or move the file away to start afresh.",
            )

    def _keep_in_memory(self, table: dict[str, Any], error: OSError) -> None:
        self._memory = table
        reason = error.strerror or type(error).__name__
        self.notice = f"{self.path} cannot be used ({reason}): changes last until isexplore ends."

    @contextmanager
    def _lock(self, patience: float | None = None) -> Iterator[None]:
        """Hold the lock file; without a place for one, go on in memory.

        Raises:
            StateError: another instance holds it for too long.
        """
        from filelock import FileLock, Timeout

        real = Path(os.path.realpath(self.path))
        seconds = self._lock_seconds if patience is None else patience
        lock = FileLock(real.with_suffix(".lock"), timeout=seconds)
        held = False
        try:
            self._disk.make_folder(real.parent)
            lock.acquire()
            held = True
        except Timeout as error:
            raise StateError(
                f"Another isexplore is using {self.path}",
                f"It did not let go within {seconds:g} seconds. Nothing was changed.",
                "Wait for it or close it, then try again.",
            ) from error
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise not_saved(self.path, error) from error
            self._keep_in_memory(self._readable(), error)
        try:
            yield
        finally:
            if held:
                lock.release()

    def _readable(self) -> dict[str, Any]:
        """Return what can be read of a file that cannot be written."""
        try:
            return self._parse()
        except (OSError, ValueError):
            return {}


def parse(data: bytes) -> dict[str, Any]:
    """Return the table in `data`.

    Raises:
        ValueError: why it is not TOML, with line and column where known.
    """
    import tomllib

    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"not UTF-8 text (at line {line})") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def dump(table: Mapping[str, Any]) -> bytes:
    """Return `table` as TOML that was read back and found equal.

    Raises:
        StateError: it would not read back as it is; nothing should be written then.
    """
    import tomli_w

    data = tomli_w.dumps(table).encode("utf-8")
    if parse(data) != table:
        raise StateError("Something would not be read back as it is", "", "This is a bug: please report it.")
    return data


def _schema(table: dict[str, Any]) -> int:
    schema = table.get("schema", SCHEMA)
    # Anything but a number is somebody else's file: leave it alone, as one from the future.
    return schema if isinstance(schema, int) and not isinstance(schema, bool) else SCHEMA + 1


def _copy_table(table: dict[str, Any]) -> dict[str, Any]:
    return {key: _copy(item) for key, item in table.items()}


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return _copy_table(value)
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


def _storable_table(table: Mapping[Any, Any]) -> dict[str, Any]:
    stored = {clean(str(key)): _storable(item) for key, item in table.items()}
    return {key: item for key, item in stored.items() if item is not None}


def _storable(value: Any) -> Any:
    """Return `value` as TOML can hold it; None for what it cannot (absent, not a number)."""
    match value:
        case Enum():
            return _storable(value.value)
        case str():
            return clean(value)
        case float():
            return None if isnan(value) else value
        case datetime():
            return value.astimezone(UTC) if value.tzinfo else value
        case bool() | int() | date():
            return value
        case Mapping():
            return _storable_table(value)
        case list() | tuple() | set() | frozenset():
            items = [_storable(item) for item in value]
            return [item for item in items if item is not None]
        case os.PathLike():
            return clean(os.fspath(value))
        case None:
            return None
        case _:
            raise TypeError(f"state.toml cannot hold a {type(value).__name__}")
