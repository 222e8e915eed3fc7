"""A fork cannot have its usual name: what is told, and which option answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import CommandLine
from tests.support.practice import running_practice


def test_a_fork_name_that_is_taken(cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_practice(tmp_path / "forge", import_seconds=0.02) as forge:
        monkeypatch.setenv("ISEXPLORE_URL", forge.url)
        monkeypatch.setenv("ISEXPLORE_TOKEN", forge.token)
        forge.ask(
            "/projects/tools%2Fdeep%2Fbeta/fork", method="POST", data={"name": "alpha", "path": "alpha"}
        )
        words = ("contribute", "tools/alpha", "--into", str(tmp_path / "clone"))
        told = cli.refused(*words)
        assert told.title == "nia/alpha exists and is no fork of tools/alpha"
        assert "--fork-name NAME" in told.hint
        planned = cli.done(*words, "--fork-name", "alpha-fork", "--dry-run").out
        assert "/nia/alpha-fork.git" in planned
        assert "/nia/alpha.git" not in planned
        begun = cli.done(*words, "--fork-name", "alpha-fork", "--json").json
        assert begun["fork"] == "nia/alpha-fork"


def test_the_fork_with_the_projects_name_is_used_of_two(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_practice(tmp_path / "forge", import_seconds=0.02) as forge:
        monkeypatch.setenv("ISEXPLORE_URL", forge.url)
        monkeypatch.setenv("ISEXPLORE_TOKEN", forge.token)
        for name in ("alpha", "newer"):
            forge.ask("/projects/tools%2Falpha/fork", method="POST", data={"name": name, "path": name})
        said = cli.done("contribute", "tools/alpha", "--into", str(tmp_path / "clone"))
        assert "fork    nia/alpha" in said.out
        assert "You have 2 forks: nia/alpha is used, not nia/newer" in said.out
