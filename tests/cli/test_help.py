"""`--help` is the manual: every subcommand has a sentence, an example that parses, and words for each option."""

from __future__ import annotations

import argparse
import shlex

import pytest

from isexplore.cli.arguments import COMMANDS, Command, parse
from isexplore.cli.main import RUNNERS
from isexplore.config.load import SPECIAL_VARIABLES
from isexplore.config.reference import settings
from tests.support.cli import CommandLine

EACH = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)


@EACH
def test_manual_of_a_subcommand(cli: CommandLine, command: Command) -> None:
    said = cli(command.name, "--help")
    assert (said.code, said.err) == (0, "")
    text = " ".join(said.out.split())
    assert f"usage: isexplore {command.name}" in text
    assert command.summary in text.lower() or command.summary[1:] in text
    assert "examples:" in text
    assert max(map(len, said.out.splitlines())) <= 100
    for argument in command.arguments:
        words = argument.options.get("help")
        assert words, f"{argument.names} has no words"
        if words is not argparse.SUPPRESS:
            assert argument.names[0] in text or str(argument.options.get("metavar", "{")) in text


def test_help_lists_the_settings_of_the_schema(cli: CommandLine) -> None:
    everything = cli.done("config", "--help").out
    plain = " ".join(everything.split())
    for setting in settings():
        assert f"  {setting.key}  (" in everything
        assert setting.description.replace("`", "") in plain
        assert setting.variable in plain
    for name, meaning in SPECIAL_VARIABLES.items():
        assert f"{name} {meaning.replace('`', '')}" in plain
    assert "Options of the command line come before ISEXPLORE_... variables" in plain
    of_login = cli.done("login", "--help").out
    assert "network.ca_file" in of_login
    assert "forge.NAME.client_id" in of_login
    assert "ISEXPLORE_TOKEN\n" in of_login
    assert "first_labels" not in of_login
    assert "settings in config.toml" not in cli.done("search", "--help").out


@EACH
def test_examples_parse(command: Command) -> None:
    for line in command.examples.splitlines():
        words = shlex.split(
            line.split("  isexplore ", 1)[-1] if "|" not in line else line.split("| isexplore ")[1]
        )
        words = words[: words.index(">")] if ">" in words else words
        # Two columns: the example, and after several spaces what it is.
        if "   " in line.strip():
            words = shlex.split(line.strip().split("   ")[0])[1:]
        words = words[1:] if words[0] == "isexplore" else words
        assert parse(words).command == command.name, line


def test_overview_names_every_subcommand(cli: CommandLine) -> None:
    said = cli.done("--help").out
    for command in COMMANDS:
        assert f"  {command.name} " in said
        assert command.summary[:30] in " ".join(said.split())
    assert "exit codes" in said
    assert sorted(command.name for command in COMMANDS) == sorted(RUNNERS)
    assert cli.done("--version").out.startswith("isexplore ")
