"""Waiting for calls that may hang: name look-ups, keyrings behind a dialog."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar, cast

_Result = TypeVar("_Result")


async def in_daemon_thread(work: Callable[[], _Result], seconds: float, name: str) -> _Result:
    """Return what `work` returns, or raise what it raises.

    The thread is given up after `seconds`, and the program can end while it hangs: unlike those of the
    event loop's executor, which is waited for at the end.

    Raises:
        TimeoutError: it did not end in time.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_Result] = loop.create_future()

    def settle(result: _Result | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast("_Result", result))

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - handed on to whoever waits
            failure = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name=name, daemon=True).start()
    async with asyncio.timeout(seconds):
        return await future
