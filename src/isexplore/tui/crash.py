"""The report of a bug: a traceback without local variables, secrets masked, in a file of the user's own."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from isexplore import __version__
from isexplore.config.files import write_atomically
from isexplore.config.paths import Paths
from isexplore.config.secrets import redact
from isexplore.errors import StateError


def report_text() -> str:
    """Return the report of the exception that is being handled."""
    import platform
    import traceback
    from importlib.metadata import version

    lines = (
        f"isexplore {__version__}, Textual {version('textual')}, Python {platform.python_version()}",
        f"{platform.system()} {platform.release()}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "",
        "".join(traceback.format_exception(*sys.exc_info(), chain=True)),
    )
    return redact("\n".join(lines))


def write_report(paths: Paths) -> Path | None:
    """Write the report of the exception being handled; return its path, or None when that failed too."""
    target = paths.log_dir / f"crash-{datetime.now(UTC):%Y%m%d-%H%M%S}.txt"
    try:
        write_atomically(target, report_text().encode("utf-8", "replace"))
    except StateError:
        return None
    return target
