"""Garbage is looked for when nobody waits."""

from __future__ import annotations

import gc
import sys
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
    # Other versions of Python have other numbers, the first one as large as ours.
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
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    settle()
    assert gc.isenabled()
    assert gc.get_freeze_count() > frozen
    assert gc.get_threshold()[0] > before[0]
    # From 3.14 on, Python looks at everything bit by bit and has no use for the third number.
    assert sys.version_info >= (3, 14) or gc.get_threshold()[2] > before[2]


def test_a_widget_in_another_program_leaves_its_collector_alone() -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    settle()
    assert gc.get_threshold() == before
    # What is frozen may go meanwhile.
    assert gc.get_freeze_count() <= frozen
