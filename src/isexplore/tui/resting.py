"""`Resting`: what is done once the keys rest, so that no key press pays for it.

self._resting = Resting(self, self._show_preview)
self._resting.begin()      # with each key; the wait starts anew
self._resting.soon()       # after this key's frame, unless one came just before; then as `begin`
self._resting.now()        # somebody goes there: do it at once, if it is still to be done
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from textual.message_pump import MessagePump
from textual.timer import Timer

REST = 0.12
"""Seconds without a key after which more than the results is shown: longer than between two keys of a fast typist."""
_LONG_AGO = float("-inf")
"""Before anything was asked for: the monotonic clock of a machine that has just been started begins near 0."""
SOON = 0.01
"""Seconds after the frame of a key in which a thread writes it to the terminal, and a next one would have to wait."""


class Resting:
    """One thing to do later; asked again, it waits anew."""

    def __init__(self, owner: MessagePump, action: Callable[[], None], *, seconds: float = REST) -> None:
        self._owner = owner
        self._action = action
        self._seconds = seconds
        self._at: float | None = None
        """When to do it, by the monotonic clock; None while there is nothing to do."""
        self._timer: Timer | None = None
        self._wakes = 0.0
        self._asked = _LONG_AGO

    def begin(self, seconds: float | None = None) -> None:
        """Do it after the rest, counted from now; after other `seconds` where these are given."""
        self._asked = monotonic()
        self._at = self._asked + (self._seconds if seconds is None else seconds)
        # A timer for each key would be a task for each key: the one that runs looks whether it is due.
        if self._timer is None or self._at < self._wakes:
            self._wake()

    def soon(self) -> None:
        """Do it once the frame of this key is drawn: who presses a single key waits for nothing.

        Where it was asked for less than a rest ago, keys come fast, and it is done after a rest.
        """
        resting = self._at is None and monotonic() - self._asked >= self._seconds
        self.begin()
        if resting:
            self._owner.call_after_refresh(self._do_soon, self._asked)

    def _do_soon(self, asked: float) -> None:
        # Another key has begun the wait anew where it was asked for since.
        if self._at is not None and self._asked == asked:
            self._at = monotonic() + SOON
            self._wake()

    def now(self) -> None:
        """Do it at once, if it is still to be done; the next key is one after a rest."""
        self._asked = _LONG_AGO
        self._do()

    def _do(self) -> None:
        if self._at is not None:
            self._stop()
            self._at = None
            self._action()

    def _wake(self) -> None:
        """Look whether it is due when it will be as it looks now."""
        self._stop()
        assert self._at is not None
        self._wakes = self._at
        # A timer of no seconds that comes late divides by them, and that ends the program.
        self._timer = self._owner.set_timer(max(0.001, self._at - monotonic()), self._look)

    def _look(self) -> None:
        if self._at is not None and self._at > monotonic():
            self._wake()
        else:
            self._do()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
