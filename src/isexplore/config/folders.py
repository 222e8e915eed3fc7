"""Which folders are isexplore's own, as plain strings: `pathlib` would be a third of a search's time."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = "isexplore"
XDG = {
    "config": ("XDG_CONFIG_HOME", ".config"),
    "state": ("XDG_STATE_HOME", ".local/state"),
    "cache": ("XDG_CACHE_HOME", ".cache"),
    "data": ("XDG_DATA_HOME", ".local/share"),
}
"""The four kinds of folder: the variable that names its parent, and the parent below the home folder."""


def folder(what: str, environment: Mapping[str, str]) -> str:
    """Return a folder of this system, absolute; it need not exist.

    `ISEXPLORE_CONFIG_DIR` and the like come before the XDG Base Directory variables (or what macOS
    and Windows prescribe).

    Args:
        what: a key of `XDG`.
        environment: the variables to look at.
    """
    chosen = environment.get(f"ISEXPLORE_{what.upper()}_DIR")
    if chosen:
        chosen = os.path.expanduser(chosen)
        return chosen if os.path.isabs(chosen) else os.path.join(os.getcwd(), chosen)
    if sys.platform in ("win32", "darwin"):
        from platformdirs import PlatformDirs

        return str(getattr(PlatformDirs(_NAME, appauthor=False), f"user_{what}_dir"))
    # The three lines that platformdirs would run here.
    variable, fallback = XDG[what]
    base = environment.get(variable, "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), fallback)
    return os.path.join(base, _NAME)
