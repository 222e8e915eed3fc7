"""Where isexplore keeps its files."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_NAME = "isexplore"
_XDG = {
    "config": ("XDG_CONFIG_HOME", ".config"),
    "state": ("XDG_STATE_HOME", ".local/state"),
    "cache": ("XDG_CACHE_HOME", ".cache"),
    "data": ("XDG_DATA_HOME", ".local/share"),
}


class Paths(NamedTuple):
    """The folders; none of them need exist yet."""

    config_dir: Path
    """What a person writes: `config.toml`."""
    state_dir: Path
    """What isexplore remembers: `state.toml` and the log."""
    cache_dir: Path
    """What can be fetched again: the catalog, the organisation profile, certificate bundles."""
    data_dir: Path
    """What belongs to the practice forge, and tokens kept in a file on explicit request."""

    @classmethod
    def default(cls, environment: Mapping[str, str] | None = None) -> Paths:
        """Return this system's folders.

        `ISEXPLORE_CONFIG_DIR`, `ISEXPLORE_STATE_DIR`, `ISEXPLORE_CACHE_DIR` and `ISEXPLORE_DATA_DIR`
        come before the XDG Base Directory variables (or what macOS and Windows prescribe).
        """
        env = os.environ if environment is None else environment
        return cls(*(_folder(what, env) for what in _XDG))

    @classmethod
    def under(cls, root: Path) -> Paths:
        """Return folders that all lie below `root`."""
        return cls(root / "config", root / "state", root / "cache", root / "data")

    @property
    def config_file(self) -> Path:
        """The user's configuration."""
        return self.config_dir / "config.toml"

    @property
    def state_file(self) -> Path:
        """Bookmarks, journeys and last visits."""
        return self.state_dir / "state.toml"

    @property
    def log_dir(self) -> Path:
        """Where the log and its predecessors are."""
        return self.state_dir

    @property
    def log_file(self) -> Path:
        """The log, free of secrets."""
        return self.log_dir / "isexplore.log"

    @property
    def catalog_dir(self) -> Path:
        """The local index of projects, one file for each account."""
        return self.cache_dir / "catalog"


def _folder(what: str, env: Mapping[str, str]) -> Path:
    chosen = env.get(f"ISEXPLORE_{what.upper()}_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if sys.platform in ("win32", "darwin"):
        from platformdirs import PlatformDirs

        return Path(getattr(PlatformDirs(_NAME, appauthor=False), f"user_{what}_dir"))
    # The three lines that platformdirs would run here; loading it costs a third of a search.
    variable, fallback = _XDG[what]
    base = env.get(variable, "")
    return (Path(base) if os.path.isabs(base) else Path.home() / fallback) / _NAME
