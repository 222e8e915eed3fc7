"""How fast a sync goes, and how long it still takes, in numbers that do not jump."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_SETTLED = 1.0
"""Seconds after which the pace says something about what is still to come."""
_ENOUGH = 0.01
"""Share of the whole that must be done by then."""
_WINDOW = 10.0
"""Seconds that the pace is taken from: a forge may become slower."""
_SLOWLY = 3.0
"""Seconds in which what is told comes to a new estimate: pages come in bursts."""


class Pace:
    """Measures one stretch of work."""

    def __init__(self, done: int = 0, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin.

        Args:
            done: what was done before, which says nothing about the pace.
            clock: seconds.
        """
        self._clock = clock
        self._begun = clock()
        self._before = done
        self._samples: deque[tuple[float, int]] = deque([(self._begun, done)])
        self._left: float | None = None
        self._told = self._begun

    def at(self, done: int, total: int | None) -> tuple[float, float | None]:
        """Return how many are done a second, and the seconds that are left; 0 and None while nobody can tell."""
        now = self._clock()
        if now - self._samples[-1][0] >= _WINDOW / 100:
            self._samples.append((now, done))
        while len(self._samples) > 2 and now - self._samples[1][0] >= _WINDOW:
            self._samples.popleft()
        since, then = self._samples[0]
        settled = now - self._begun >= _SETTLED
        rate = max(0, done - then) / (now - since) if settled else 0.0
        if total is None or done >= total or rate <= 0:
            self._left = None
            return rate, None
        if done - self._before < _ENOUGH * (total - self._before):
            return rate, None
        estimate = (total - done) / rate
        if self._left is not None:
            apart = now - self._told
            expected = max(0.0, self._left - apart)
            estimate = expected + min(1.0, apart / _SLOWLY) * (estimate - expected)
        self._left, self._told = estimate, now
        return rate, estimate
