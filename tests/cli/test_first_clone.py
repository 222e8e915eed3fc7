"""Where the first clone goes is asked at a terminal, once."""

from __future__ import annotations

from pathlib import Path

from tests.support.cli import CommandLine
from tests.support.terminal import terminal


def test_the_folder_of_the_first_clone_is_asked_for_once(connected: CommandLine, tmp_path: Path) -> None:
    place = tmp_path / "Work" / "tools" / "alpha"
    with terminal("contribute", "tools/alpha", "--claim", "skip") as person:
        person.until("Clone into [")
        assert "src/tools/alpha]" in person.seen
        person.type(f"{place}\n")
        assert person.end() == 0
    assert (place / ".git").is_dir()
    with terminal("contribute", "tools/alpha", "--claim", "skip") as person:
        person.until("Your clone: ")
        assert person.end() == 0
    assert "Clone into [" not in person.seen
