"""A forge in memory for every test of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fake_forge import FakeForge


@pytest.fixture
def forge(tmp_path: Path) -> FakeForge:
    return FakeForge(tmp_path / "forge")
