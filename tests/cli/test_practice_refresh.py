"""The refresh that practice's screens run: told apart from a forge that somebody starts."""

from __future__ import annotations

from isexplore.cli.practice import practice_paths
from isexplore.config.paths import Paths
from tests.support.cli import CommandLine


def test_no_other_forge_is_started_for_screens_whose_forge_has_ended(cli: CommandLine) -> None:
    said = cli("practice", "sync", "--lines")
    assert said.code == 1
    assert said.json["error"]["kind"] == "unavailable"
    assert said.json["error"]["title"] == "The practice forge has ended"
    assert "isexplore practice" in said.json["error"]["hint"]
    assert not practice_paths(Paths.default()).data_dir.exists()
