"""The practice forge as most of these tests ask it: one that a module shares, and one of a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.practice import RunningPractice, running_practice


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPractice]:
    with running_practice(tmp_path_factory.mktemp("practice")) as running:
        yield running


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[RunningPractice]:
    with running_practice(tmp_path) as running:
        yield running
