"""Write the tables of README.md anew from what the program itself knows: keys, subcommands, settings.

    .venv/bin/python scripts/readme_tables.py

`tests/test_docs.py` fails while the tables are not what this would write.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from isexplore.cli.arguments import COMMANDS, Command
from isexplore.config.reference import markdown_table
from isexplore.tui.keys import AREAS, KEY_WORDS, Key

README = Path(__file__).parent.parent / "README.md"


def keys_table() -> str:
    """Return every key of every screen."""
    lines = ["| where | key | does | id |", "| --- | --- | --- | --- |"]
    for area, keys in AREAS.items():
        lines += [f"| {area} | {_written(key)} | {key.tip or key.words} | `{key.id}` |" for key in keys]
    return "\n".join(lines) + "\n"


def _written(key: Key) -> str:
    return " ".join(f"`{KEY_WORDS.get(name, name)}`" for name in key.keys.split(","))


def commands_table() -> str:
    """Return every subcommand with its arguments and what it does."""
    lines = ["| command | does |", "| --- | --- |", "| `isexplore` | opens the screens |"]
    lines += [f"| `isexplore {_usage(command)}` | {command.summary} |" for command in COMMANDS]
    return "\n".join(lines) + "\n"


def _usage(command: Command) -> str:
    words = [command.name]
    for argument in command.arguments:
        if argument.options.get("help") == "==SUPPRESS==":
            continue
        name, choices = argument.names[0], argument.options.get("choices")
        value = (
            "\\|".join(map(str, choices)) if isinstance(choices, tuple) else argument.options.get("metavar")
        )
        if not name.startswith("-"):
            optional = "nargs" in argument.options
            words.append(f"[{value}]" if optional else f"{value}")
        elif argument.options.get("action") == "store_true":
            words.append(f"[{name}]")
        else:
            words.append(f"[{name} {value or name[2:].upper()}]")
    return " ".join(words)


def with_tables(text: str) -> str:
    """Return a README with the tables of today between its markers."""
    for name, table in (
        ("keys", keys_table()),
        ("commands", commands_table()),
        ("settings", markdown_table()),
    ):
        pattern = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
        assert pattern.search(text), f"README.md has lost its marker {name}"
        text = pattern.sub(lambda _, table=table: table, text)  # type: ignore[misc]
    return text


def main() -> int:
    """Write README.md if it changed."""
    before = README.read_text(encoding="utf-8")
    after = with_tables(before)
    if after != before:
        README.write_text(after, encoding="utf-8")
    print("README.md is up to date" if after == before else "README.md has new tables")
    return 0


if __name__ == "__main__":
    sys.exit(main())
