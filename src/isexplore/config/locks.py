"""Locks between processes, waited for without stopping the event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

from filelock import FileLock, Timeout

from isexplore.config.files import DISK

_LOOK_EVERY = 0.05


async def take(file: Path, patience: float) -> FileLock | None:
    """Return a lock that is held, for the caller to release; the system does so when a process dies.

    None where no lock file can be made (read-only disk): whoever wants one has to go on without.

    Args:
        file: the lock's own, in a folder that is made where it is missing.
        patience: seconds to wait for another process, or for another part of this one.

    Raises:
        TimeoutError: it was held for longer than that.
    """
    lock = FileLock(file, thread_local=False)
    clock = asyncio.get_running_loop().time
    deadline = clock() + patience
    while True:
        try:
            DISK.make_folder(file.parent)
            lock.acquire(timeout=0)
        except Timeout:
            if clock() > deadline:
                raise
        except OSError:
            return None
        else:
            return lock
        await asyncio.sleep(_LOOK_EVERY)
