"""Lists on a narrow terminal break between words, and lose none."""

from __future__ import annotations

from tests.support.cli import CommandLine
from tests.support.terminal import terminal

NARROW = 40


def test_a_list_breaks_between_words(connected: CommandLine) -> None:
    connected.done("sync")
    for command in ("search", "issues"):
        listed = connected.done(command).out
        assert max(map(len, listed.splitlines())) > NARROW
        with terminal(command, columns=NARROW) as person:
            assert person.end() == 0
        shown = person.seen.replace("\r", "")
        assert max(map(len, shown.splitlines())) <= NARROW, shown
        assert shown.split() == listed.split()
