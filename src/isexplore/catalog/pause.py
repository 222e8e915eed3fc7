"""One pause for everybody who talks to a forge: when it says "later", nobody goes on asking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from isexplore.errors import RateLimitedError

T = TypeVar("T")

LONGEST = 900.0
"""Seconds that a sync waits for a forge at most; after that, it says so and stops."""
_UNSTATED = 30.0
_ATTEMPTS = 6


class Pause:
    """When a forge may be asked again."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        longest: float = LONGEST,
        on_pause: Callable[[float], None] = lambda until: None,
    ) -> None:
        """Begin without a pause.

        Args:
            clock: seconds since 1970.
            sleep: waits some seconds.
            longest: seconds above which a pause is not worth waiting for.
            on_pause: told when a pause begins, and until when.
        """
        self._clock = clock
        self._sleep = sleep
        self._longest = longest
        self._on_pause = on_pause
        self._until = 0.0

    async def wait(self) -> None:
        """Return when the forge may be asked."""
        while (left := self._until - self._clock()) > 0:
            await self._sleep(left)

    def limited(self, error: RateLimitedError) -> None:
        """Take note that the forge said "later".

        Raises:
            RateLimitedError: the same one, when the wait would be too long.
        """
        now = self._clock()
        until = error.retry_at.timestamp() if error.retry_at is not None else now + _UNSTATED
        if until - now > self._longest:
            raise error
        if until > self._until:
            # A second more than asked for: the forge's clock is not ours.
            self._until = until + 1.0
            self._on_pause(self._until)

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """Return the answer to `question`, asked again after each pause.

        Raises:
            RateLimitedError: the forge goes on saying "later", or names too late a time.
        """
        for _ in range(_ATTEMPTS - 1):
            await self.wait()
            try:
                return await question()
            except RateLimitedError as error:
                self.limited(error)
        await self.wait()
        return await question()
