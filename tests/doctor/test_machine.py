from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from isexplore import __version__
from isexplore.config.keyring_store import KeyringStore, NoKeyringError
from isexplore.config.load import load
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.config.tokens import Tokens
from isexplore.doctor.machine import (
    TerminalFacts,
    check_catalog,
    check_configuration,
    check_keyring,
    check_terminal,
    check_versions,
)
from isexplore.doctor.report import Check
from isexplore.git.client import Git

GOOD = TerminalFacts(True, 120, 40, "utf-8")


def by_name(checks: list[Check]) -> dict[str, Check]:
    for check in checks:
        assert check.state != "bad" or check.fix, check
    return {check.name: check for check in checks}


def git_that_says(tmp_path: Path, words: str) -> Git:
    program = tmp_path / "git"
    program.write_text(f"#!/bin/sh\necho '{words}'\n")
    program.chmod(0o755)
    return Git(program=str(program))


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("git version 2.39.5", "warn"),
        ("git version 2.50.0", "warn"),
        ("git version 2.50.1", "ok"),
        ("git version 2.51.0.windows.1", "ok"),
        ("git version 3.0", "ok"),
        ("git version 2.39.5 (Apple Git-154)", "warn"),
    ],
)
async def test_old_git_is_worth_a_word(tmp_path: Path, words: str, state: str) -> None:
    checks = by_name(await check_versions(git_that_says(tmp_path, words)))
    assert checks["git"].state == state
    assert checks["isexplore"].detail == __version__
    assert checks["Python"].detail.startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert checks["textual"].state == "ok"


async def test_missing_git_blocks(tmp_path: Path) -> None:
    checks = by_name(await check_versions(Git(program=str(tmp_path / "none"))))
    assert checks["git"].state == "bad"


def test_configuration_names_files_and_every_problem(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path)
    paths.config_dir.mkdir()
    paths.config_file.write_text('tgas = []\n[network]\nca_file = "gone.pem"\n')
    paths.state_dir.mkdir()
    paths.state_file.write_text("broken [")
    environment = {"ISEXPLORE_TOKEN": "canary", "ISEXPLORE_TIMEOUT": "x"}
    checks = check_configuration(load(paths, environment=environment), paths, environment)
    problems = [check.detail for check in checks if check.name == "problem"]
    assert len(problems) == 3
    assert "did you mean tags" in problems[0]
    found = by_name(checks)
    assert found["read"].detail == str(paths.config_file)
    assert found["variables"].detail == "ISEXPLORE_TIMEOUT, ISEXPLORE_TOKEN"
    assert found["certificates"].state == "bad"
    assert found["state"].state == "warn"
    assert "corrupt" in found["state"].detail
    assert "canary" not in "".join(check.detail for check in checks)


def test_nothing_there_yet_is_fine(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path)
    checks = by_name(check_configuration(load(paths, environment={}), paths, {}))
    assert {check.state for check in checks.values()} == {"ok"}
    assert not paths.state_dir.exists()


class Keyring:
    __module__ = "keyring.backends.SecretService"


def no_keyring() -> Keyring:
    raise NoKeyringError("there is no keyring here")


async def test_keyring_is_named_or_its_lack_explained(tmp_path: Path) -> None:
    def tokens(keyring: KeyringStore) -> Tokens:
        return Tokens(Config(), Paths.under(tmp_path), keyring=keyring)

    good = KeyringStore(lambda: Keyring())  # type: ignore[arg-type,return-value]
    missing = KeyringStore(no_keyring)  # type: ignore[arg-type]
    assert by_name(await check_keyring(tokens(good), Config()))["keyring"].detail == "Secret Service"
    lacking = by_name(await check_keyring(tokens(missing), Config()))["keyring"]
    assert lacking.state == "warn"
    assert "token_command" in lacking.fix
    in_file = by_name(await check_keyring(tokens(missing), Config(token_store="file")))
    assert {check.state for check in in_file.values()} == {"ok"}


def test_catalog_that_was_never_filled(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path)
    assert by_name(check_catalog(paths, Config()))["age"].state == "ok"
    config = Config(forges=(ForgeConfig(name="work", url="https://x"),))
    check = by_name(check_catalog(paths, config, datetime(2026, 3, 4, tzinfo=UTC)))["age"]
    assert check.state == "warn"
    assert "isexplore sync" in check.fix


@pytest.mark.parametrize(
    ("environment", "name", "state", "words"),
    [
        ({"TERM": "xterm-256color"}, "colours", "ok", "256"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "colours", "ok", "16 million"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, "colours", "ok", "off"),
        ({"TERM": "xterm"}, "colours", "ok", "16"),
        ({"TERM": "dumb"}, "kind", "warn", "dumb"),
        ({}, "kind", "warn", "not set"),
        ({"TERM": "xterm", "SSH_CONNECTION": "x"}, "kind", "ok", "over SSH"),
        ({"TERM": "xterm-kitty"}, "clipboard", "ok", "OSC 52"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "clipboard", "ok", "OSC 52"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, "clipboard", "warn", "does not"),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, "clipboard", "warn", "does not"),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/x", "TERM_PROGRAM": "WezTerm"}, "clipboard", "warn", "tmux"),
        ({"TERM": "screen", "STY": "1"}, "clipboard", "warn", "screen"),
        ({"TERM": "xterm"}, "clipboard", "warn", "unknown"),
    ],
)
def test_terminal_is_described(environment: dict[str, str], name: str, state: str, words: str) -> None:
    check = by_name(check_terminal(GOOD, environment))[name]
    assert check.state == state
    assert words in check.detail


@pytest.mark.parametrize(
    ("facts", "name", "state"),
    [
        (GOOD, "size", "ok"),
        (GOOD._replace(columns=79), "size", "warn"),
        (GOOD._replace(lines=23), "size", "warn"),
        (GOOD, "Unicode", "ok"),
        (GOOD._replace(encoding="UTF8"), "Unicode", "ok"),
        (GOOD._replace(encoding="ANSI_X3.4-1968"), "Unicode", "warn"),
        (GOOD._replace(encoding=""), "Unicode", "warn"),
        (GOOD._replace(interactive=False), "screens", "ok"),
    ],
)
def test_size_and_encoding_are_checked(facts: TerminalFacts, name: str, state: str) -> None:
    assert by_name(check_terminal(facts, {"TERM": "xterm"}))[name].state == state


def test_this_terminal_has_facts() -> None:
    facts = TerminalFacts.here()
    assert facts.columns > 0
    assert facts.lines > 0
