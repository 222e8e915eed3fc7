"""Which forges the catalog holds, known without reading the configuration again.

Searching from the command line must start as fast as Python does; typed decoding of `config.toml`
alone would double that. So the names are kept beside the catalog, stamped with the files that they
came from, and are believed as long as the stamp fits.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from isexplore.config.paths import Paths
    from isexplore.config.schema import Config

Account = tuple[str, str, str]
"""Name of the forge, its address, the account's user name ("" while nobody has signed in)."""

PRACTICE = "practice"
"""Name of the practice forge. It has another port at each start, and is still the same one."""
_NAMING = 2
"""Changes with the rules by which accounts are named: a note that was made by other ones is not believed."""
_FOLDERS = frozenset(f"ISEXPLORE_{each}_DIR" for each in ("CONFIG", "STATE", "CACHE", "DATA"))


def accounts_of(config: Config) -> list[Account]:
    """Return whose view of which forge the catalog holds."""
    forges = [
        (forge.name, PRACTICE if forge.name == PRACTICE else forge.url, forge.username or "")
        for forge in config.forges
    ]
    return forges + [(name, source, "") for source, name in source_names(config.sources).items()]


def source_names(places: Iterable[str]) -> dict[str, str]:
    """Return what each project list is called, as if it were a forge: its host, or its file's name.

    Of lists whose host or file has the same name, each is called by its whole place.
    """
    wanted = list(dict.fromkeys(places))
    short = {place: _short_name(place) for place in wanted}
    names: dict[str, str] = {}
    for place in wanted:
        name = short[place]
        if list(short.values()).count(name) > 1:
            # Without what follows a question mark, which may be a token.
            name = "list:" + place.split("://", 1)[-1].split("?", 1)[0]
        taken, number = name, 2
        while name in names.values():
            name, number = f"{taken} ({number})", number + 1
        names[place] = name
    return names


def _short_name(place: str) -> str:
    if "://" in place:
        return "list:" + place.split("://", 1)[1].split("/", 1)[0]
    return "list:" + os.path.basename(place)


def noted_accounts(config_file: str, cache_dir: str) -> list[Account] | None:
    """Return the accounts that were written down; None when the configuration must be read again."""
    stamp = _stamp(config_file, cache_dir)
    if not stamp:
        return None
    try:
        with open(_note(cache_dir), encoding="utf-8") as file:
            lines = file.read().split("\n")
    except (OSError, UnicodeDecodeError):
        return None
    found = [tuple(line.split("\t")) for line in lines[1:] if line]
    if lines[0] != stamp or any(len(each) != 3 for each in found):
        return None
    return [(each[0], each[1], each[2]) for each in found]


def known_accounts(paths: Paths) -> list[Account]:
    """Return the accounts of the configuration in force.

    Raises:
        ConfigError: the configuration had to be read, and is wrong.
    """
    noted = noted_accounts(str(paths.config_file), str(paths.cache_dir))
    if noted is not None:
        return noted
    from isexplore.config.load import load

    accounts = accounts_of(load(paths).checked())
    keep_accounts(paths, accounts)
    return accounts


def keep_accounts(paths: Paths, accounts: list[Account]) -> None:
    """Write the accounts down for the next search; where that fails, the next search is slower."""
    stamp = _stamp(str(paths.config_file), str(paths.cache_dir))
    if not stamp or any("\t" in part or "\n" in part for each in accounts for part in each):
        return
    from pathlib import Path

    from isexplore.config.files import write_atomically
    from isexplore.errors import StateError

    text = "\n".join((stamp, *("\t".join(each) for each in accounts))) + "\n"
    try:
        write_atomically(Path(_note(str(paths.cache_dir))), text.encode())
    except StateError:
        return


def _note(cache_dir: str) -> str:
    return os.path.join(cache_dir, "accounts.txt")


def _stamp(config_file: str, cache_dir: str) -> str:
    """Return what the accounts depend on; "" when variables may add to the files."""
    if any(name.startswith("ISEXPLORE_") and name not in _FOLDERS for name in os.environ):
        return ""
    try:
        status = os.stat(config_file)
    except OSError:
        return ""
    profile = ""
    try:
        profiles = [entry for entry in os.scandir(cache_dir) if entry.name.endswith(".toml")]
        profile = str(max((entry.stat().st_mtime_ns for entry in profiles), default=0))
    except OSError:
        pass
    return f"{_NAMING} {status.st_mtime_ns} {status.st_size} {profile} {config_file}"
