"""This machine: versions, configuration, keyring, catalog, terminal."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from isexplore import __version__
from isexplore.catalog.store import Account, Catalog
from isexplore.config.accounts import accounts_of
from isexplore.config.files import StateFile
from isexplore.config.keyring_store import NoKeyringError
from isexplore.config.load import Loaded, check
from isexplore.config.network import git_environment
from isexplore.config.paths import Paths
from isexplore.config.schema import Config
from isexplore.config.tokens import Tokens
from isexplore.doctor.report import Check, Lines
from isexplore.errors import GitError, IsexploreError
from isexplore.git.client import Git
from isexplore.text import ago, count

SAFE_GIT = (2, 50, 1)
"""The oldest version without known holes in cloning (CVE-2024-32002, 2024-50349, 2025-48384, 2025-48385)."""
OLD_CATALOG_DAYS = 7
"""Age at which the catalog is worth a word."""
SMALLEST = (80, 24)
"""Columns and lines that the screens are made for."""


class TerminalFacts(NamedTuple):
    """What is known of the terminal."""

    interactive: bool
    columns: int
    lines: int
    encoding: str

    @classmethod
    def here(cls) -> TerminalFacts:
        """Return the facts of this process's terminal."""
        size = shutil.get_terminal_size()
        encoding = getattr(sys.stdout, "encoding", None) or ""
        return cls(sys.stdout.isatty(), size.columns, size.lines, encoding)


async def check_versions(git: Git) -> list[Check]:
    """Check the programs that isexplore needs."""
    lines = Lines("versions")
    lines.ok("isexplore", __version__)
    lines.ok("Python", f"{platform.python_version()} on {platform.system()} {platform.release()}")
    try:
        version = await git.version()
    except GitError as error:
        lines.bad("git", error.title, error.hint or "Install git.")
    else:
        parts = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
        if parts < SAFE_GIT:
            lines.warn(
                "git",
                f"{version}: has known security holes unless your system has patched them",
                f"Update git to {'.'.join(map(str, SAFE_GIT))} or later when you can.",
            )
        else:
            lines.ok("git", version)
    for package in ("textual", "httpx", "GitPython"):
        try:
            lines.ok(package, metadata.version(package))
        except metadata.PackageNotFoundError:
            lines.bad(package, "not installed", "Install isexplore again: a part of it is missing.")
    return lines.checks


def check_configuration(loaded: Loaded, paths: Paths, environment: Mapping[str, str]) -> list[Check]:
    """Check the files that isexplore reads and writes."""
    lines = Lines("configuration")
    for file in loaded.files:
        lines.ok("read", str(file))
    if not loaded.files:
        lines.ok("read", f"no file (there is none at {paths.config_file})")
    if loaded.config.profile:
        lines.ok("profile", loaded.config.profile)
    for problem in check(paths, environment=environment):
        lines.bad("problem", str(problem), "Correct it there; `isexplore config check` looks again.")
    names = [name for name in environment if name.startswith("ISEXPLORE_")]
    if names:
        lines.ok("variables", ", ".join(sorted(names)))
    state = StateFile(paths.state_file)
    state.read()
    if state.notice:
        lines.warn("state", state.notice)
    else:
        lines.ok("state", str(paths.state_file) + ("" if paths.state_file.exists() else " (not written yet)"))
    writable = _nearest_folder(paths.state_dir)
    if not os.access(writable, os.W_OK):
        lines.warn(
            "state",
            f"{writable} cannot be written to: bookmarks and contributions are forgotten at the end",
            "Make it yours, or set ISEXPLORE_STATE_DIR.",
        )
    lines.ok("log", str(paths.log_file))
    try:
        git_environment(loaded.config.network, paths.cache_dir, environment)
    except IsexploreError as error:
        lines.bad("certificates", f"{error.title}. {error.detail}".strip(), error.hint or "Correct the path.")
    return lines.checks


def _nearest_folder(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


async def check_keyring(tokens: Tokens, config: Config) -> list[Check]:
    """Check where tokens can be kept."""
    lines = Lines("tokens")
    try:
        lines.ok("keyring", await tokens.keyring_name())
    except NoKeyringError as error:
        if config.token_store == "keyring":
            lines.warn(
                "keyring",
                f"{error}: new tokens last for the session",
                "To keep them: `isexplore login --plain-file`, git's credential helper, or token_command.",
            )
            return lines.checks
        lines.ok("keyring", f"not used ({error})")
    kept = {"keyring": "the keyring", "file": "a file only you can read", "session": "the session"}
    lines.ok("new ones", f"are kept in {kept[config.token_store]}")
    return lines.checks


def check_catalog(paths: Paths, config: Config, now: datetime | None = None) -> list[Check]:
    """Check the local index."""
    lines = Lines("catalog")
    size = 0
    with suppress(OSError):
        size = sum(entry.stat().st_size for entry in os.scandir(paths.catalog_dir) if entry.is_file())
    with Catalog.open(paths.catalog_dir, [Account(*each) for each in accounts_of(config)]) as catalog:
        projects, as_of, incomplete = catalog.count(), catalog.as_of(), catalog.incomplete()
    detail = f"{count(projects, 'project')}, {size / 1_048_576:.1f} MiB in {paths.catalog_dir}"
    moment = now or datetime.now(UTC)
    if as_of is None:
        if config.forges:
            lines.warn("age", f"{detail}; never filled", "isexplore sync fills it.")
        else:
            lines.ok("age", f"{detail}; no forge is connected yet")
        return lines.checks
    filled = datetime.fromtimestamp(as_of, UTC)
    if (moment - filled).days >= OLD_CATALOG_DAYS:
        lines.warn("age", f"{detail}; filled {ago(filled, moment)}", "isexplore sync refreshes it.")
    else:
        lines.ok("age", f"{detail}; filled {ago(filled, moment)}")
    for forge, reason in incomplete:
        lines.warn("incomplete", f"{forge}: {reason}", "isexplore sync tries again.")
    return lines.checks


def check_terminal(facts: TerminalFacts, environment: Mapping[str, str]) -> list[Check]:
    """Check what the screens need."""
    lines = Lines("terminal")
    term = environment.get("TERM", "")
    program = environment.get("TERM_PROGRAM", "") or environment.get("LC_TERMINAL", "")
    if not facts.interactive:
        lines.ok("screens", "this output is not a terminal; sizes may be guesses")
    if term in ("", "dumb"):
        lines.warn(
            "kind", f"TERM is {term or 'not set'}: the screens will not work here", "Use the subcommands."
        )
    else:
        over = " over SSH" if environment.get("SSH_CONNECTION") else ""
        lines.ok("kind", f"{term}{f' in {program}' if program else ''}{over}")
    lines.ok("colours", _colours(environment, term))
    size = f"{facts.columns} columns, {facts.lines} lines"
    if facts.columns < SMALLEST[0] or facts.lines < SMALLEST[1]:
        lines.warn("size", size, f"The screens are made for {SMALLEST[0]} by {SMALLEST[1]} and more.")
    else:
        lines.ok("size", size)
    encoding = facts.encoding.lower().replace("-", "").replace("_", "")
    if encoding == "utf8":
        lines.ok("Unicode", facts.encoding)
    else:
        lines.warn(
            "Unicode", facts.encoding or "unknown encoding", "Set LC_ALL=C.UTF-8 (or your own UTF-8 locale)."
        )
    works, detail, fix = _clipboard(environment, term, program)
    if works:
        lines.ok("clipboard", detail)
    else:
        lines.warn("clipboard", detail, fix)
    return lines.checks


def _colours(environment: Mapping[str, str], term: str) -> str:
    if environment.get("NO_COLOR"):
        return "off (NO_COLOR)"
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "16 million"
    if "256" in term or term.startswith(
        ("xterm-kitty", "alacritty", "foot", "xterm-ghostty", "tmux", "screen")
    ):
        return "256"
    return "16"


def _clipboard(environment: Mapping[str, str], term: str, program: str) -> tuple[bool, str, str]:
    """Return whether copying through the terminal (OSC 52) should work, in words, and what to do if not."""
    if environment.get("TMUX"):
        return False, "tmux passes copies on only when told to", "In ~/.tmux.conf: set -g set-clipboard on"
    if environment.get("STY"):
        return False, "screen does not pass copies on", "Copy with the mouse, or use tmux."
    known = ("iTerm.app", "iTerm2", "WezTerm", "ghostty", "vscode", "rio", "contour")
    terms = ("xterm-kitty", "alacritty", "foot", "xterm-ghostty", "wezterm", "contour")
    if program in known or term.startswith(terms) or environment.get("WT_SESSION"):
        return True, "through the terminal (OSC 52)", ""
    if program == "Apple_Terminal" or environment.get("VTE_VERSION"):
        return (
            False,
            "this terminal does not take copies (OSC 52)",
            "Copy with the mouse and Shift held down.",
        )
    return (
        False,
        "it is unknown whether this terminal takes copies (OSC 52)",
        "If copying fails, use the mouse.",
    )
