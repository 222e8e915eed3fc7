"""A process that is cancelled while it starts, or that cannot be started."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from contextlib import suppress
from pathlib import Path

import pytest

from isexplore.errors import GitError
from isexplore.git.runner import run


async def test_cancelling_while_it_starts_ends_the_whole_group(tmp_path: Path) -> None:
    for turns in range(1, 8):
        file = tmp_path / f"pid{turns}"
        script = f"sleep 60 & echo $! >{file}.new; mv {file}.new {file}; sleep 60"
        task = asyncio.create_task(run(("sh", "-c", script), os.environ))
        for _ in range(turns):
            await asyncio.sleep(0)
        # The event loop stands still meanwhile: it has not got to the end of starting it.
        stands_still = time.monotonic() + 0.3
        while not file.exists() and time.monotonic() < stands_still:
            time.sleep(0.01)  # noqa: ASYNC251
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(20):
                await task
        if file.exists():
            await end_of(int(file.read_text()))


async def test_what_the_system_refuses_to_start_is_an_error_in_words() -> None:
    with pytest.raises(GitError) as caught:
        await run(("git", "x" * 4_000_000), os.environ)
    assert caught.value.reason == "failed"
    assert caught.value.title == "Git cannot be started"
    assert "too long" in caught.value.detail


async def test_no_descriptors_left_is_an_error_in_words(tmp_path: Path) -> None:
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(name) for name in os.listdir("/proc/self/fd")) + 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (used, most))
    held = []
    try:
        with suppress(OSError):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        with pytest.raises(GitError) as caught:
            await run(("git", "version"), os.environ)
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (least, most))
    assert (caught.value.reason, caught.value.title) == ("failed", "Git cannot be started")


async def end_of(pid: int) -> None:
    """Wait for a process that was sent a signal: it ends when the system gets to it, by itself after a minute."""
    deadline = time.monotonic() + 20
    while alive(pid):
        assert time.monotonic() < deadline, f"{pid} goes on"
        await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    """Tell whether a process does anything yet."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
