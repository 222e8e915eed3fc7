"""The log file: rotating, readable by its owner only, and free of secrets."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from isexplore.config.secrets import redact
from isexplore.text import clean

MAX_BYTES = 1024 * 1024
"""Size at which a log becomes a predecessor."""
KEPT = 3
"""Predecessors that are kept."""
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class RedactingFormatter(logging.Formatter):
    """Formats a record, its traceback included, without secrets and terminal controls."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's text."""
        return clean(redact(super().format(record)))


class _PrivateFileHandler(RotatingFileHandler):
    written = False
    """Whether this process has written something to it."""

    def emit(self, record: logging.LogRecord) -> None:
        self.written = True
        super().emit(record)

    def _open(self) -> TextIO:  # type: ignore[override]
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return open(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def close(self) -> None:
        with suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:
        """Lose the line: a full disk must not cost anybody their work, nor write into the screen."""


def log_files() -> list[str]:
    """Return the files that this process has logged something to."""
    return [
        each.baseFilename
        for each in logging.getLogger().handlers
        if isinstance(each, _PrivateFileHandler) and each.written
    ]


def start_logging(file: Path, *, verbose: bool = False) -> str | None:
    """Send the program's log to `file`, and with `verbose` to stderr; return why there is no file, if so.

    What isexplore itself asks and runs is always written to the file: whoever looks there after an error
    did not know beforehand that there would be one. The HTTP libraries are kept from logging requests:
    their headers hold tokens.
    """
    root = logging.getLogger()
    for before in [each for each in root.handlers if isinstance(each.formatter, RedactingFormatter)]:
        # Begun again in one process, each line would be written to both.
        root.removeHandler(before)
        before.close()
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    logging.getLogger("isexplore").setLevel(logging.DEBUG)
    for name in ("httpx", "httpcore", "asyncio", "markdown_it", "git", "filelock", "keyring"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if verbose:
        stream = logging.StreamHandler(sys.stderr)
        stream.setFormatter(RedactingFormatter("%(levelname)s %(name)s: %(message)s"))
        root.addHandler(stream)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = _PrivateFileHandler(file, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8")
    except OSError as error:
        return f"{file} cannot be written: {error.strerror or type(error).__name__}"
    handler.setFormatter(RedactingFormatter(_FORMAT))
    root.addHandler(handler)
    return None
