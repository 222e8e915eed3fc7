"""Numbers that the practice forge cannot start with are wrong usage, told before anything is written."""

from __future__ import annotations

import pytest

from isexplore.cli.practice import practice_paths
from isexplore.config.paths import Paths
from tests.support.cli import CommandLine


@pytest.mark.parametrize("before", [(), ("serve",)], ids=["screens", "serve"])
@pytest.mark.parametrize(
    ("option", "word", "bounds"),
    [
        ("--projects", "-5", "from 0 to 1,000,000"),
        ("--projects", "1000000000000", "from 0 to 1,000,000"),
        ("--projects", "1e5", "from 0 to 1,000,000"),
        pytest.param("--projects", "9" * 5_000, "from 0 to 1,000,000", id="digits"),
        ("--latency", "-1", "from 0 to 60,000"),
        ("--latency", "nan", "from 0 to 60,000"),
        ("--latency", "60001", "from 0 to 60,000"),
    ],
)
def test_out_of_bounds(
    cli: CommandLine, before: tuple[str, ...], option: str, word: str, bounds: str
) -> None:
    told = cli.refused("practice", *before, option, word, code=2)
    assert told.title == f"Argument {option}: {word[:40]!r} is not a whole number {bounds}"
    assert "isexplore practice" in told.hint
    assert not practice_paths(Paths.default()).data_dir.exists()


@pytest.mark.parametrize(
    ("option", "word"), [("--port", "-1"), ("--port", "65536"), ("--pace", "nan"), ("--pace", "-1")]
)
def test_out_of_bounds_for_the_server_alone(cli: CommandLine, option: str, word: str) -> None:
    told = cli.refused("practice", "serve", option, word, code=2)
    assert told.title.startswith(f"Argument {option}: {word!r} is not a")
