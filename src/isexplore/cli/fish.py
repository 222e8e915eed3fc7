"""Completion for the fish shell, from the same table as the command line."""

from __future__ import annotations

from isexplore.cli.arguments import COMMANDS


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_script() -> str:
    """Return a script for `~/.config/fish/completions/isexplore.fish`."""
    lines = ["complete -c isexplore -f"]
    for command in COMMANDS:
        lines.append(
            f"complete -c isexplore -n __fish_use_subcommand -a {command.name} -d {_quoted(command.summary)}"
        )
        seen = f"-n '__fish_seen_subcommand_from {command.name}'"
        for argument in command.arguments:
            help_text = str(argument.options.get("help", ""))
            if help_text == "==SUPPRESS==":
                continue
            choices = argument.options.get("choices")
            values = f" -xa {_quoted(' '.join(map(str, choices)))}" if isinstance(choices, tuple) else ""
            for name in argument.names:
                if name.startswith("--"):
                    needs = "" if argument.options.get("action") == "store_true" or values else " -r"
                    lines.append(
                        f"complete -c isexplore {seen} -l {name[2:]}{values}{needs} -d {_quoted(help_text)}"
                    )
                elif values:
                    lines.append(f"complete -c isexplore {seen}{values.replace('-xa', '-a')}")
    return "\n".join(lines) + "\n"
