"""Programs outside the terminal screen: the browser, the editor, the shell."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import sys
from urllib.parse import urlsplit

_BROWSER_WAIT = 3.0
"""Seconds after which a launcher that still runs is taken to have worked."""


def is_web_address(url: str) -> bool:
    """Tell whether `url` is a plain web page: http(s), a host, no user name, nothing a launcher could misread."""
    if any(ord(char) <= 0x20 or ord(char) == 0x7F for char in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def launcher() -> tuple[str, ...] | None:
    """Return the command that opens a page in a graphical browser, or None where there is none.

    Text browsers are never used: they would draw over the screen.
    """
    if sys.platform == "darwin":
        return ("open",)
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return None
    found = shutil.which("xdg-open")
    return (found,) if found else None


async def open_in_browser(url: str) -> bool:
    """Open `url` in a graphical browser, detached from this terminal; False where that cannot be done."""
    command = launcher()
    if command is None or not is_web_address(url):
        return False
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            url,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        return await asyncio.wait_for(process.wait(), _BROWSER_WAIT) == 0
    except TimeoutError:
        return True


def editor_command() -> tuple[str, ...]:
    """Return the user's editor: $VISUAL, $EDITOR, else the first of the usual ones that is installed."""
    for name in ("VISUAL", "EDITOR"):
        try:
            words = shlex.split(os.environ.get(name, ""))
        except ValueError:
            continue
        if words:
            return tuple(words)
    for name in ("nano", "vim", "vi", "emacs"):
        if shutil.which(name):
            return (name,)
    return ()


def shell_command() -> tuple[str, ...]:
    """Return the user's shell."""
    return (os.environ.get("SHELL") or "/bin/sh",)
