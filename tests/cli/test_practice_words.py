"""What to do next in the practice world is said with commands that lead there, and not out of it."""

from __future__ import annotations

import pytest

from isexplore.cli import world
from isexplore.cli.main import RUNNERS
from isexplore.cli.practice import in_practice
from tests.support.cli import CommandLine


@pytest.mark.parametrize("command", sorted({*RUNNERS} - {"practice", "login", "logout", "completion"}))
def test_commands_stay_in_the_practice_world(command: str) -> None:
    assert in_practice(f"Run: isexplore {command}.") == f"Run: isexplore practice {command}."


@pytest.mark.parametrize("words", ["isexplore login URL", "isexplore practice search", "isexplore searches"])
def test_others_are_left_alone(words: str) -> None:
    assert in_practice(words) == words


def test_an_error_names_them(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    # This process is not in the practice world afterwards.
    monkeypatch.setattr(world, "_practice", [])
    told = cli.refused("practice", "show", "nosuch", code=2)
    assert "isexplore practice search" in told.hint
    assert "isexplore practice sync" in told.hint
    assert "isexplore login URL" in cli.refused("practice", "login", code=2).hint
    assert "isexplore practice bookmark add" in cli.done("practice", "bookmark", "list").out
