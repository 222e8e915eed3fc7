"""Why a check failed, taken from its log where the forge tells only that it did."""

from __future__ import annotations

import pytest

from isexplore.journey.review import reason_in


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (
            "checking\nFAILED README.md:3: ends in a space\n       Delete it.\n\nJob failed. Push a commit.",
            "FAILED README.md:3: ends in a space Delete it.",
        ),
        (
            "$ pytest\nE   assert 1 == 2\n1 failed\nCleaning up project directory\nERROR: Job failed: exit code 1",
            "E   assert 1 == 2 1 failed",
        ),
        (
            "$ make\nmake: *** No rule to make target 'lint'.\nERROR: Job failed: exit code 2",
            "make: *** No rule to make target 'lint'.",
        ),
        ("", ""),
        ("ERROR: Job failed: exit code 1", ""),
    ],
)
def test_the_reason_is_the_last_fault_of_the_log(log: str, reason: str) -> None:
    assert reason_in(log) == reason
