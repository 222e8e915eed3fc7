"""Where the first clone goes is asked at a terminal, once."""

from __future__ import annotations

from pathlib import Path

import pytest

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


def test_who_commits_is_asked_for_once_with_the_commands_for_it(
    connected: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    words = ("contribute", "tools/alpha", "--claim", "skip", "--into", str(tmp_path / "clone"))
    said = connected.done(*words).out
    assert said.count("Git does not know your name") == 1
    assert "git config --global user.name" in said
    assert "The step “commit”" not in said
