"""One run at a time for each journey, across processes."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from isexplore.config.locks import take
from isexplore.errors import BlockedError

PATIENCE = 120.0
"""Seconds to wait for another isexplore that runs a step of the same journey."""


@asynccontextmanager
async def journey_lock(state_file: Path, journey_id: str, patience: float = PATIENCE) -> AsyncIterator[None]:
    """Hold the journey's lock, which the system releases when a process dies.

    Where no lock file can be made (read-only disk) the block runs without: the forge itself still
    refuses a second merge request for a branch.

    Raises:
        BlockedError: another isexplore held it for longer than `patience` seconds.
    """
    # The id is the user's to edit in the state file; a file name is made of its digest.
    name = hashlib.sha256(journey_id.encode()).hexdigest()[:16]
    try:
        lock = await take(state_file.with_name(f"journey-{name}.lock"), patience)
    except TimeoutError:
        raise BlockedError(
            "Another isexplore is at this journey",
            f"It has been running a step for more than {patience:.0f} seconds",
            "Wait until it is done, or close it",
        ) from None
    try:
        yield
    finally:
        if lock is not None:
            lock.release()
