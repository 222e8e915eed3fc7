"""How fast a sync goes and how long it takes, told without jumps."""

from __future__ import annotations

from itertools import pairwise

from isexplore.catalog.pace import Pace
from isexplore.catalog.reports import SyncProgress, Together


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_nothing_is_said_of_the_end_before_the_pace_is_known() -> None:
    time = Time()
    pace = Pace(clock=time)
    assert pace.at(100, 100_000)[1] is None
    time.now += 0.5
    assert pace.at(900, 100_000)[1] is None
    time.now += 3
    assert pace.at(950, 100_000)[1] is None, "too little for a guess"


def test_the_time_left_falls_evenly_though_pages_come_in_bursts() -> None:
    time = Time()
    pace = Pace(clock=time)
    told = []
    done = 0
    for step in range(400):
        time.now += 0.05
        done += 800 if step % 8 == 7 else 30
        if (left := pace.at(done, 50_000)[1]) is not None:
            told.append(left)
        if done >= 50_000:
            break
    assert 10 < told[0] < 60
    assert all(abs(after - before) < 0.15 * before + 0.3 for before, after in pairwise(told))
    assert told[-1] < 2


def test_what_was_done_before_says_nothing_about_the_pace() -> None:
    time = Time()
    pace = Pace(90_000, clock=time)
    time.now += 2
    rate, left = pace.at(91_000, 100_000)
    assert (rate, left) == (500, 18)
    assert pace.at(100_000, 100_000)[1] is None
    assert pace.at(10, None)[1] is None


def test_a_pace_that_is_not_known_is_not_told() -> None:
    time = Time()
    pace = Pace(clock=time)
    assert pace.at(100, None) == (0.0, None), "everything of the first answer came at once"
    time.now += 0.5
    assert pace.at(100, None) == (0.0, None)
    time.now += 1.5
    assert pace.at(120, None) == (60.0, None)
    for rate, words in ((0.0, ""), (0.3, ""), (1.2, ", 1 a second"), (1_500.0, ", 1,500 a second")):
        assert (
            SyncProgress(forge="lab", phase="listing", projects=5, rate=rate).text
            == f"lab: found 5 projects{words}"
        )


def test_several_forges_share_a_line_each_in_its_place() -> None:
    told: list[str] = []
    together = Together(("work", "lab"), lambda progress: told.append(progress.text))
    together(SyncProgress(forge="lab", phase="listing", projects=5, total=10))
    together(SyncProgress(forge="work", phase="listing", projects=1, total=2, left=240))
    together(SyncProgress(forge="lab", phase="done", projects=10))
    assert told == [
        "lab: found 5 of 10 projects",
        "work: found 1 of 2 projects, 4 minutes left; lab: found 5 of 10 projects",
        "work: found 1 of 2 projects, 4 minutes left; lab: done, 10 projects",
    ]
