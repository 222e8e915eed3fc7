"""What is done once the keys rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from textual.message_pump import MessagePump

from isexplore.tui.resting import Resting


class Owner:
    """Notes the timers that it is asked for."""

    def __init__(self) -> None:
        self.timers: list[float] = []

    def set_timer(self, seconds: float, callback: Callable[[], None]) -> Any:
        self.timers.append(seconds)
        return self

    def stop(self) -> None:
        pass


def test_no_timer_is_asked_for_without_time() -> None:
    owner = Owner()
    Resting(cast("MessagePump", owner), lambda: None).begin(seconds=-1.0)
    assert owner.timers
    assert min(owner.timers) > 0
