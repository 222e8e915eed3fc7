"""Turning the lines of a running git command into progress."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable

from isexplore.journey.states import Progress, StepName

_PERCENT = re.compile(r"(\d{1,3})%")


def percent(line: str) -> float | None:
    """Return how far git says it is, 0 to 1; None where it does not say."""
    found = _PERCENT.search(line)
    return min(int(found[1]), 100) / 100 if found else None


async def running(
    step: StepName, start: Callable[[Callable[[str], None]], Awaitable[object]]
) -> AsyncIterator[Progress]:
    """Run `start(say)` and yield what it says; its error comes after everything it said.

    Closing the generator cancels the command and waits for its end.
    """
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    async def run() -> None:
        try:
            await start(lines.put_nowait)
        finally:
            lines.put_nowait(None)

    task = asyncio.create_task(run())
    try:
        while (line := await lines.get()) is not None:
            yield Progress(text=line, fraction=percent(line), step=step)
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
