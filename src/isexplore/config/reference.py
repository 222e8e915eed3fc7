"""The settings in words: what `config show`, the README's table and the help are made from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple

import msgspec

from isexplore.config.load import FORGE, GENERAL, NETWORK, SPECIAL_VARIABLES, Loaded
from isexplore.config.schema import Config, ForgeConfig, NetworkConfig
from isexplore.config.values import Field


class Setting(NamedTuple):
    """One setting as a person reads about it."""

    key: str
    """Full key; NAME stands for a forge's name."""
    type: str
    default: str
    """As it would be written; empty where there is none."""
    variable: str
    """`ISEXPLORE_...`; empty where there is none."""
    description: str
    example: str
    """As it would be written."""


class Shown(NamedTuple):
    """One value in force."""

    key: str
    value: str
    """As it would be written in TOML; empty when not set."""
    origin: str


def settings() -> Iterator[Setting]:
    """Yield every setting: general ones, then the network's, then a forge's."""
    for struct, fields, prefix in (
        (Config, GENERAL, ""),
        (NetworkConfig, NETWORK, "network."),
        (ForgeConfig, FORGE, "forge.NAME."),
    ):
        defaults = {item.name: item.default for item in msgspec.structs.fields(struct)}
        for name, field in fields.items():
            default = defaults[name]
            yield Setting(
                prefix + name,
                field.type_words,
                "" if default in (None, (), msgspec.NODEFAULT) else write(default, field),
                "" if field.is_table or struct is ForgeConfig else f"ISEXPLORE_{name.upper()}",
                field.description,
                "" if field.example is None else write(field.example, field),
            )


def markdown_table() -> str:
    """Return the settings as a Markdown table, then the variables that are no settings."""
    lines = ["| setting | type | default | meaning |", "| --- | --- | --- | --- |"]
    for setting in settings():
        default = f"`{setting.default}`" if setting.default else ""
        example = f" For example `{setting.example}`." if setting.example and not setting.default else ""
        lines.append(f"| `{setting.key}` | {setting.type} | {default} | {setting.description}{example} |")
    lines += ["", "| variable | meaning |", "| --- | --- |"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in SPECIAL_VARIABLES.items()]
    lines += [f"| `{setting.variable}` | `{setting.key}` |" for setting in settings() if setting.variable]
    return "\n".join(lines) + "\n"


ORDER = (
    "Options of the command line come before ISEXPLORE_... variables, these before your config.toml, and that "
    "before your organisation's profile."
)
"""Which source wins."""


def manual(beginnings: tuple[str, ...] = ("",), width: int = 79) -> str:
    """Return the settings whose keys begin like one of these as plain text, then the variables that are no settings."""
    lines = ["settings in config.toml:", *wrap(ORDER, width, initial_indent="  ", subsequent_indent="  ")]
    for setting in settings():
        if not setting.key.startswith(beginnings):
            continue
        lines += ["", f"  {setting.key}  ({setting.type.replace('`', '')})"]
        facts = [setting.description]
        if setting.default:
            facts.append(f"Default: {setting.default}.")
        elif setting.example:
            facts.append(f"For example {setting.example}.")
        if setting.variable:
            facts.append(f"Variable: {setting.variable}.")
        lines += _indented(" ".join(facts), width)
    lines += ["", "variables that are no settings:"]
    for name, meaning in SPECIAL_VARIABLES.items():
        lines += ["", f"  {name}", *_indented(meaning, width)]
    return "\n".join(lines) + "\n"


def _indented(text: str, width: int) -> list[str]:
    edge = " " * 6
    plain = text.replace("`", "")
    return wrap(plain, width, initial_indent=edge, subsequent_indent=edge, break_on_hyphens=False)


def shown(loaded: Loaded) -> list[Shown]:
    """Return every value in force and where it came from."""
    config = loaded.config
    rows = [_shown(key, getattr(config, key), field, loaded) for key, field in GENERAL.items()]
    rows += [
        _shown(f"network.{key}", getattr(config.network, key), field, loaded)
        for key, field in NETWORK.items()
    ]
    for forge in config.forges:
        rows += [
            _shown(f"forge.{forge.name}.{key}", getattr(forge, key), field, loaded)
            for key, field in FORGE.items()
        ]
    return rows


def show(loaded: Loaded) -> str:
    """Return the values in force as TOML, each with a comment that tells where it came from."""
    lines: list[str] = []
    table = ""
    for row in shown(loaded):
        prefix, _, name = row.key.rpartition(".")
        if prefix != table:
            table = prefix
            lines += ["", f"[{table}]"]
        text = f"{name} = {row.value}" if row.value else f"# {name} is not set"
        lines.append(f"{text}  # {row.origin}" if row.value else text)
    return "\n".join(lines) + "\n"


def as_json(loaded: Loaded) -> dict[str, Any]:
    """Return the values in force for `config show --json`: key to value and origin."""
    return {row.key: {"value": row.value or None, "origin": row.origin} for row in shown(loaded)}


def write(value: object, field: Field) -> str:
    """Return a value as TOML, in one line."""
    match value:
        case Enum():
            return _quoted(str(value.value))
        case Path() | str():
            return _quoted(str(value))
        case bool():
            return "true" if value else "false"
        case int() | float() if field.is_duration:
            return _quoted(_duration(value))
        case int() | float():
            return f"{value:g}"
        case dict():
            return "{ " + ", ".join(f"{_quoted(key)} = {_quoted(item)}" for key, item in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(_quoted(item) for item in value) + "]"
        case _:
            return str(value)


def _shown(key: str, value: object, field: Field, loaded: Loaded) -> Shown:
    text = "" if value is None or value == {} else write(value, field)
    return Shown(key, text, loaded.origins[key])


def _quoted(text: str) -> str:
    # Of the JSON escapes, TOML has all that can occur in a text that passed the schema.
    return json.dumps(text, ensure_ascii=False)


def _duration(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"
