"""Garbage is looked for when nobody waits."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from isexplore.tui.garbage import settle, tidy


class Ring:
    """Something that nobody but itself knows."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _collector_as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    # Another test of this process may have run the screens, which settle.
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)
    gc.enable()


def test_tidying_takes_away_what_only_knows_itself() -> None:
    gc.disable()
    gone = weakref.ref(Ring())
    tidy()
    assert gone() is None


def test_after_the_start_everything_is_looked_at_rarely() -> None:
    gc.disable()
    before = gc.get_threshold()
    settle()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold()[0] > before[0]
    assert gc.get_threshold()[2] > before[2]
