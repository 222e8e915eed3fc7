"""What is outside the screen: the terminal itself, and programs such as the browser, the editor, the shell."""

from __future__ import annotations

import asyncio
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from isexplore.errors import ConfigError

_BROWSER_WAIT = 3.0
"""Seconds after which a launcher that still runs is taken to have worked."""


def terminal_is_gone(descriptor: int) -> bool:
    """Tell whether the terminal behind a file descriptor was closed: its other end hung up (poll(2))."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


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


def find_program(command: Sequence[str], folder: Path) -> None:
    """Make sure that a program can be started in `folder`, before the screen makes room for it.

    Raises:
        ConfigError: there is no such program, or it may not be run.
    """
    name = command[0]
    # A name with a slash is looked for from the folder in which it is started.
    if shutil.which(str(folder / name) if "/" in name else name) is None:
        known = Path(name).exists() if "/" in name else False
        raise _not_started(name, "It may not be run" if known else "There is no program of that name")


def run_in_terminal(
    suspended: AbstractContextManager[None], command: Sequence[str], folder: Path, words: str = ""
) -> int:
    """Run an interactive program while the screen is out of the way; return its exit code.

    Args:
        suspended: what takes the screen away, and brings it back.
        command: program and arguments.
        folder: where it runs.
        words: what the terminal says before it begins: a shell does not tell how to come back.

    Raises:
        ConfigError: it cannot be started; the screen is back by then.
    """
    find_program(command, folder)
    refusal = ""
    code = 0
    with suspended, _interrupts_are_for_the_program():
        # Textual brings its screen back only where nothing is raised in here.
        if words:
            print(words, flush=True)
        try:
            code = subprocess.run(list(command), cwd=folder, check=False).returncode
        except (OSError, ValueError) as error:
            refusal = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if refusal:
        raise _not_started(command[0], refusal)
    return code


@contextmanager
def _interrupts_are_for_the_program() -> Iterator[None]:
    """Leave ctrl+c to the program in the terminal; the terminal sends it to this one as well."""
    # A function, not SIG_IGN: the program would inherit that.
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _not_started(name: str, why: str) -> ConfigError:
    return ConfigError(
        f"{name} cannot be started",
        why,
        "Set `editor` in config.toml or EDITOR (for a shell: SHELL) to a program that is installed",
    )


def how_it_ended(name: str, code: int) -> str:
    """Return in words how a program ended; "" where all went well."""
    if code == 0:
        return ""
    return f"{name} ended with exit code {code}." if code > 0 else f"{name} was ended by signal {-code}."
