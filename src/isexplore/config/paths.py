"""Where isexplore keeps its files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from isexplore.config.folders import XDG, folder


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
        return cls(*(Path(folder(what, env)) for what in XDG))

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
