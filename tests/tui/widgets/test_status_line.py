"""The line below a screen: what is held, what is said for a moment, and what stands there afterwards."""

from __future__ import annotations

import pytest

from isexplore.tui.widgets import bars
from isexplore.tui.widgets.bars import StatusLine
from tests.support.tui import HostApp, until


async def test_an_answer_to_a_key_does_not_outlast_what_is_held() -> None:
    line = StatusLine()
    async with HostApp(line).run_test():
        with line.holding("Reading tools/alpha..."):
            line.say_briefly("Z does nothing here.")
            assert line.message == "Z does nothing here."
        assert line.message == ""


async def test_what_is_held_comes_back_after_an_answer_to_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bars, "BRIEFLY", 0.01)
    line = StatusLine()
    async with HostApp(line).run_test():
        with line.holding("Reading tools/alpha..."):
            line.say_briefly("Z does nothing here.")
            await until(lambda: line.message == "Reading tools/alpha...")
        assert line.message == ""


async def test_what_is_held_may_overlap() -> None:
    line = StatusLine()
    async with HostApp(line).run_test():
        first, second = line.holding("Reading tools/alpha..."), line.holding("Reading tools/beta...")
        first.__enter__()
        second.__enter__()
        assert line.message == "Reading tools/beta..."
        first.__exit__(None, None, None)
        line.say("3 of 40 projects")
        assert line.message == "Reading tools/beta..."
        second.__exit__(None, None, None)
        assert line.message == "3 of 40 projects"


async def test_two_answers_to_keys_give_way_to_what_stood_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bars, "BRIEFLY", 0.01)
    line = StatusLine()
    async with HostApp(line).run_test():
        line.say("The forge does not answer.", error=True)
        line.say_briefly("Z does nothing here.")
        line.say_briefly("X does nothing here.")
        await until(lambda: line.message == "The forge does not answer.")
        assert line.has_class("-error")
