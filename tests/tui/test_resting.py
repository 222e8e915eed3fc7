"""What is done once the keys rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from textual.message_pump import MessagePump

from isexplore.tui import resting
from isexplore.tui.resting import Resting


class Owner:
    """Notes the timers and the calls that it is asked for."""

    def __init__(self) -> None:
        self.timers: list[float] = []
        self.after_refresh: list[object] = []

    def call_after_refresh(self, callback: Callable[..., None], *words: object) -> None:
        self.after_refresh.append(callback)

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


def test_the_first_key_is_one_after_a_rest_also_on_a_machine_that_has_just_been_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resting, "monotonic", lambda: 0.01)
    owner = Owner()
    waiting = Resting(cast("MessagePump", owner), lambda: None)
    waiting.soon()
    assert len(owner.after_refresh) == 1
    waiting.soon()
    assert len(owner.after_refresh) == 1
    waiting.now()
    waiting.soon()
    assert len(owner.after_refresh) == 2
