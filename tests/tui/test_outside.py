"""Programs outside: whatever becomes of them, the screen comes back and says what happened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from isexplore.errors import ConfigError
from isexplore.tui import outside
from isexplore.tui.outside import terminal_is_gone


class Terminal:
    """A terminal that is given away as Textual does it: back only where nothing was raised."""

    def __init__(self) -> None:
        self.told: list[str] = []

    @contextmanager
    def suspended(self) -> Iterator[None]:
        self.told.append("away")
        yield
        self.told.append("back")


def test_a_program_that_is_missing_is_told_without_giving_the_terminal_away(tmp_path: Path) -> None:
    terminal = Terminal()
    with pytest.raises(ConfigError, match="nosuchedit cannot be started") as refusal:
        outside.run_in_terminal(terminal.suspended(), ("nosuchedit", "a"), tmp_path)
    assert refusal.value.detail == "There is no program of that name"
    assert "EDITOR" in refusal.value.hint
    assert terminal.told == []


def test_the_screen_comes_back_when_a_program_does_not_start(tmp_path: Path) -> None:
    broken = tmp_path / "editor"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    terminal = Terminal()
    with pytest.raises(ConfigError, match="editor cannot be started"):
        outside.run_in_terminal(terminal.suspended(), ("./editor",), tmp_path)
    assert terminal.told == ["away", "back"]


@pytest.mark.parametrize(
    ("script", "words"), [("exit 0", ""), ("exit 3", "exit code 3"), ("kill -9 $$", "signal 9")]
)
def test_an_exit_code_is_told(tmp_path: Path, script: str, words: str) -> None:
    terminal = Terminal()
    code = outside.run_in_terminal(terminal.suspended(), ("sh", "-c", script), tmp_path)
    said = outside.how_it_ended("Your editor", code)
    assert words in said
    assert bool(said) is bool(words)
    assert terminal.told == ["away", "back"]


def test_ctrl_c_in_the_program_does_not_end_isexplore(tmp_path: Path) -> None:
    code = outside.run_in_terminal(Terminal().suspended(), ("sh", "-c", "kill -INT $PPID"), tmp_path)
    assert code == 0


def test_a_shell_is_told_about_before_it_begins(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    outside.run_in_terminal(Terminal().suspended(), ("sh", "-c", "echo begun"), tmp_path, "exit comes back")
    assert capfd.readouterr().out.splitlines() == ["exit comes back", "begun"]


def test_a_terminal_that_was_closed_is_noticed() -> None:
    master, inner = os.openpty()
    try:
        assert not terminal_is_gone(inner)
        os.close(master)
        assert terminal_is_gone(inner)
    finally:
        os.close(inner)
