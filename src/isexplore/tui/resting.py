"""`Resting`: what is done once the keys rest, so that no key press pays for it.

self._resting = Resting(self, self._show_preview)
self._resting.begin()      # with each key; the wait starts anew
self._resting.now()        # somebody goes there: do it at once, if it is still to be done
"""

from __future__ import annotations

from collections.abc import Callable

from textual.message_pump import MessagePump
from textual.timer import Timer

REST = 0.12
"""Seconds without a key after which more than the results is shown: longer than between two keys of a fast typist."""


class Resting:
    """One thing to do later; asked again, it waits anew."""

    def __init__(self, owner: MessagePump, action: Callable[[], None], *, seconds: float = REST) -> None:
        self._owner = owner
        self._action = action
        self._seconds = seconds
        self._timer: Timer | None = None

    def begin(self) -> None:
        """Do it after the rest, counted from now."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._owner.set_timer(self._seconds, self._due)

    def now(self) -> None:
        """Do it at once, if it is still to be done."""
        if self._timer is not None:
            self._due()

    def _due(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
            self._action()
