"""Fixtures of the journey's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.contributor import Contributor, contributor


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Contributor]:
    with contributor(tmp_path) as made:
        yield made
