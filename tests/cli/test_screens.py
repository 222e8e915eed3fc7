"""Opening the screens: what they change of Python's settings is theirs only."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from isexplore.cli import splash
from isexplore.cli.screens import open_screens
from isexplore.config.paths import Paths
from isexplore.tui.garbage import settle


def test_python_has_its_settings_back_whatever_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    within: list[tuple[object, ...]] = []

    def settings() -> tuple[object, ...]:
        return gc.isenabled(), gc.get_threshold(), sys.getswitchinterval()

    def fails(*words: object) -> None:
        within.append(settings())
        settle()
        within.append(settings())
        raise RuntimeError

    monkeypatch.setenv("TEXTUAL_DRIVER", "none")
    monkeypatch.setattr(splash, "paint", fails)
    before = settings()
    with pytest.raises(RuntimeError):
        open_screens(Paths.under(tmp_path))
    assert settings() == before
    assert before not in within
