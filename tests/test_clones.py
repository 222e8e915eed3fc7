"""Which files of a clone are offered, and which of them first."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from isexplore import clones
from isexplore.journey.store import Journey
from isexplore.services import Services


class SilentServices:
    """Services whose forge never answers."""

    async def forge(self, name: str) -> Any:
        await asyncio.Event().wait()


async def test_a_forge_that_does_not_answer_does_not_hold_back_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clones, "GUESS_SECONDS", 0.01)
    (tmp_path / "README.md").write_text("# Alpha\n")
    (tmp_path / "setup.cfg").write_text("")
    journey = Journey(
        id="a",
        forge="work",
        project="tools/alpha",
        issue=7,
        issue_title="Say more in setup.cfg",
        folder=str(tmp_path),
    )
    files, likely = await clones.files_to_edit(cast("Services", SilentServices()), journey)
    assert files == ["README.md", "setup.cfg"]
    assert likely == "setup.cfg"
