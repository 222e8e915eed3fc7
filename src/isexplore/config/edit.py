"""Adding to `config.toml` without touching what a person wrote there: every byte of it stays."""

from __future__ import annotations

import os
import stat
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from isexplore.config.files import DISK, Disk, parse, read_bytes, write_atomically
from isexplore.config.positions import statements
from isexplore.config.schema import ForgeConfig
from isexplore.errors import ConfigError

_BOM = b"\xef\xbb\xbf"


def append_forge(path: Path, forge: ForgeConfig, *, disk: Disk = DISK) -> None:
    """Append a `[forge.NAME]` table to the file, or start the file with it.

    Raises:
        ConfigError: the file is broken, has a forge of this name, or cannot be continued by a table;
            it is as it was, and the hint holds the table.
        StateError: the file cannot be written; it is as it was.
    """
    table = forge_table(forge)
    old, data = _read(path, table)
    if forge.name in _forges(old, path, table):
        raise ConfigError(
            f"{path} has a forge named {forge.name} already",
            "",
            f"Change it there, or choose another name:\n\n{table}",
        )
    newline = "\r\n" if b"\r\n" in data else "\n"
    gap = (
        ("" if not data.removeprefix(_BOM) else newline) if data.endswith(b"\n") or not data else newline * 2
    )
    addition = gap + table.replace("\n", newline)
    expected = old | {"forge": _forges(old, path, table) | parse(table.encode())["forge"]}
    _write(path, data + addition.encode(), expected, table, disk)


def insert_setting(
    path: Path, key: str, value: str | list[str] | int | float | bool, *, disk: Disk = DISK
) -> None:
    """Add a setting of the top level behind the last one there, or at the top; the same value is no change.

    Raises:
        ConfigError: the file is broken, or sets `key` to something else; it is as it was.
        StateError: the file cannot be written; it is as it was.
    """
    setting = tomli_w.dumps({key: value})
    old, data = _read(path, setting)
    if key in old:
        if old[key] == value:
            return
        raise ConfigError(f"{path} sets {key} already", "", f"Change it there to:\n\n{setting}")
    newline = "\r\n" if b"\r\n" in data else "\n"
    text = data.removeprefix(_BOM).decode("utf-8")
    offset = 0
    for statement in statements(text):
        if statement.header:
            break
        offset = statement.end
    before, after = text[:offset], text[offset:]
    gap = newline if before and not before.endswith("\n") else ""
    tail = newline if after and not before else ""
    bom = _BOM if data.startswith(_BOM) else b""
    made = before + gap + setting.replace("\n", newline) + tail + after
    _write(path, bom + made.encode(), old | {key: value}, setting, disk)


def forge_table(forge: ForgeConfig) -> str:
    """Return the `[forge.NAME]` table that says what `forge` says; defaults are left out."""
    table: dict[str, Any] = {}
    for field in msgspec.structs.fields(ForgeConfig):
        value = getattr(forge, field.name)
        if field.name != "name" and value != field.default and value is not None:
            table[field.name] = _plain(value)
    return tomli_w.dumps({"forge": {forge.name: table}})


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def _read(path: Path, wanted: str) -> tuple[dict[str, Any], bytes]:
    """Return the file's table and its bytes as they are."""
    try:
        data = read_bytes(path, keep_mark=True) or b""
        return parse(data.removeprefix(_BOM)), data
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except ValueError as error:
        reason = str(error)
    raise ConfigError(
        f"{path} cannot be added to", f"It is left as it is: {reason}.", f"Correct it, then add:\n\n{wanted}"
    )


def _forges(table: dict[str, Any], path: Path, wanted: str) -> dict[str, Any]:
    forges = table.get("forge", {})
    if not isinstance(forges, dict):
        raise ConfigError(
            f"{path} cannot be added to",
            "Its forges are not written as [forge.NAME]; it is left as it is.",
            f"Correct it, then add:\n\n{wanted}",
        )
    return forges


def _write(path: Path, data: bytes, expected: dict[str, Any], wanted: str, disk: Disk) -> None:
    try:
        made: dict[str, Any] | None = parse(data.removeprefix(_BOM))
    except ValueError:
        made = None
    if made != expected:
        # An inline table (`forge = {...}`) cannot be added to from outside.
        raise ConfigError(
            f"{path} cannot be added to",
            "It is written in a way that does not allow it, and left as it is.",
            f"Add by hand:\n\n{wanted}",
        )
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        mode = 0o600
    write_atomically(path, data, mode, disk=disk)
