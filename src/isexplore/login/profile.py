"""The organisation profile: one file from an administrator that brings everything but the token."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from isexplore.config.edit import insert_setting
from isexplore.config.files import read_bytes, write_atomically
from isexplore.config.load import Loaded, check_profile, load, profile_cache
from isexplore.config.paths import Paths
from isexplore.config.schema import origin_of
from isexplore.config.values import WrongValueError, address
from isexplore.errors import ConfigError, ForgeError, StateError
from isexplore.forge.answers import told
from isexplore.forge.http import ForgeClient
from isexplore.text import clean_line

LIMIT = 256 * 1024
"""Bytes; a profile that is larger is none."""
STALE_SECONDS = 24 * 3_600.0
"""Age at which a fetched profile is fetched again."""


class ProfileAdded(NamedTuple):
    """A profile that is in force now."""

    place: str
    """The file or address, as it is written into `config.toml`."""
    loaded: Loaded
    """The configuration with it."""


async def add_profile(
    place: str, paths: Paths, *, tls: Callable[[], ssl.SSLContext] | None = None
) -> ProfileAdded:
    """Fetch and check a profile, and name it in `config.toml`.

    Args:
        place: a file, or an https address.
        paths: where `config.toml` and the cache are.
        tls: makes the context for an https address.

    Raises:
        ConfigError: not a profile, wrong in parts (all are named), or `config.toml` names another one.
        ForgeError: it cannot be fetched.
        StateError: it cannot be kept.
    """
    if "://" in place:
        try:
            place = address(place)
        except WrongValueError as error:
            raise ConfigError(
                "That is not the address of an organisation profile", f"It {error.what}.", error.nearest or ""
            ) from error
        data = await _fetch(place, tls)
        _check(data, place)
        write_atomically(profile_cache(paths, place), data)
    else:
        file = Path(place).expanduser().absolute()
        place = str(file)
        _check(_read(file), place)
    insert_setting(paths.config_file, "profile", place)
    return ProfileAdded(place, load(paths))


async def refresh_profile(
    loaded: Loaded,
    paths: Paths,
    *,
    tls: Callable[[], ssl.SSLContext] | None = None,
    now: Callable[[], float] = time.time,
) -> bool:
    """Fetch the profile again if it is older than a day; return whether it changed.

    Nothing is raised: without network, or with a profile that went wrong, the last good one holds.
    """
    place = loaded.config.profile
    if place is None or "://" not in place:
        return False
    file = profile_cache(paths, place)
    try:
        if now() - file.stat().st_mtime < STALE_SECONDS:
            return False
    except OSError:
        pass
    try:
        data = await _fetch(place, tls)
        _check(data, place)
        changed = data != read_bytes(file, LIMIT)
        # Written also when it is the same: its time says when it was last looked at.
        write_atomically(file, data)
    except (ForgeError, ConfigError, StateError, OSError, ValueError):
        return False
    return changed


async def _fetch(place: str, tls: Callable[[], ssl.SSLContext] | None) -> bytes:
    client = ForgeClient(name="profile", base_url=origin_of(place), verify=tls() if tls else None)
    async with client:
        answer = await client.send(
            "GET", place, accept="application/toml, text/plain, */*", limit=LIMIT, keep="head"
        )
    if answer.is_page:
        raise ConfigError(
            "That address holds a web page, not an organisation profile",
            f"It answered {told(answer)}.",
            "Ask your administrator for the address of the file itself; it may need the VPN.",
        )
    if answer.truncated:
        raise ConfigError("That is not an organisation profile", f"It is larger than {LIMIT // 1024} KiB.")
    return answer.body


def _read(file: Path) -> bytes:
    try:
        data = read_bytes(file, LIMIT)
    except (OSError, ValueError) as error:
        reason = (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
        raise ConfigError(f"The organisation profile cannot be read: {file}", reason) from error
    if data is None:
        raise ConfigError(f"There is no organisation profile at {file}", "", "Check the path.")
    return data


def _check(data: bytes, name: str) -> None:
    problems = check_profile(data.removeprefix(b"\xef\xbb\xbf"), name)
    if problems:
        raise ConfigError(
            f"The organisation profile is wrong: {clean_line(str(problems[0]), 400)}",
            "\n".join(clean_line(str(problem), 400) for problem in problems[1:]),
            "Tell your administrator; nothing was changed here.",
        )
