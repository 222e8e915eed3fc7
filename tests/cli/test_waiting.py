"""A command that waits for the forge says so at a terminal, and takes the words back."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from isexplore.cli.output import say, take_back, tell, wait_for
from tests.support.cli import CommandLine
from tests.support.practice import RunningPractice
from tests.support.terminal import terminal


class Screen(io.StringIO):
    """Standard error, as if it were a terminal."""

    def isatty(self) -> bool:
        return True


def watched(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Put a screen in the place of standard error; in the test, since pytest puts its own there before each."""
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "20")
    return screen


def test_the_next_line_takes_the_place_of_what_is_waited_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = watched(monkeypatch)
    wait_for("Reading tools/alpha...")
    assert screen.getvalue() == "Reading tools/al..."
    wait_for("Asking...")
    tell("Here it is.")
    say("No more.")
    take_back()
    assert screen.getvalue().endswith("...\r\x1b[KAsking...\r\x1b[KHere it is.\n")
    assert capsys.readouterr().out == "No more.\n"


def test_nothing_is_said_where_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = watched(monkeypatch)
    wait_for("Reading...", quiet=True)
    assert screen.getvalue() == ""
    screen.isatty = lambda: False  # type: ignore[method-assign]
    wait_for("Reading...")
    assert screen.getvalue() == ""


def test_each_wait_of_a_contribution_is_named(connected: CommandLine, tmp_path: Path) -> None:
    there = str(tmp_path / "there")
    with terminal("show", "tools/alpha") as person:
        assert person.end() == 0
    assert "Reading tools/alpha..." in person.seen
    with terminal("contribute", "tools/alpha", "--claim", "skip", "--into", there) as person:
        assert person.end() == 0
    assert "Looking at tools/alpha, and what you may do there..." in person.seen
    with terminal("propose", there) as person:
        assert person.end() == 1
    assert "Looking at the clone, and at its project on the forge..." in person.seen
    with terminal("status") as person:
        assert person.end() == 0
    assert "Asking the forge and git..." in person.seen


def test_signing_in_says_what_takes_its_time(
    cli: CommandLine, forge: RunningPractice, monkeypatch: pytest.MonkeyPatch
) -> None:
    with terminal("login", forge.url, "--plain-file") as person:
        person.until("it is not shown): ")
        person.type(f"{forge.token}\n")
        assert person.end() == 0
    assert "Trying the token: " in person.seen
    assert "Reading the catalog: " in person.seen


def test_nothing_stands_before_the_lines_of_the_log(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = watched(monkeypatch)
    cli("--verbose", "show", "tools/alpha")
    assert "Reading" not in screen.getvalue()
