"""One clone: where it leads, and whether git is ready to commit in it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from isexplore.config.network import mask_address
from isexplore.config.schema import Config, origin_of
from isexplore.doctor.report import Check, Lines
from isexplore.errors import GitError
from isexplore.git.client import Git
from isexplore.git.facts import CloneFacts
from isexplore.text import clean_line, count

_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+):(?!//)")
"""The short form of an SSH address: `git@host:group/name.git`."""


async def check_clone(folder: Path, git: Git, config: Config) -> list[Check]:
    """Check a folder that should be a clone."""
    lines = Lines(f"clone {folder}")
    try:
        facts = await git.facts(folder)
        if not facts.exists:
            lines.bad("folder", "does not exist", "Check the path.")
            return lines.checks
        if not facts.is_repo:
            lines.bad("folder", "is not a clone (nor the top of one)", "Give the folder that holds .git.")
            return lines.checks
        identity = await git.identity(folder)
    except GitError as error:
        lines.bad("git", f"{error.title}. {error.detail}".strip(), error.hint or "Try `git status` there.")
        return lines.checks
    _check_remotes(lines, facts, config)
    _check_work(lines, facts)
    if identity.complete:
        lines.ok("author", f"{identity.name} <{identity.email}>")
    else:
        lines.bad(
            "author",
            "git does not know your name and address, and will not commit",
            'git config --global user.name "Your Name"\ngit config --global user.email you@example.com',
        )
    return lines.checks


def _check_remotes(lines: Lines, facts: CloneFacts, config: Config) -> None:
    if not facts.remotes:
        lines.warn(
            "remotes", "none: there is nowhere to push to", "isexplore contribute PROJECT makes a clone."
        )
    for name, url in sorted(facts.remotes.items()):
        shown = clean_line(mask_address(url) if url.startswith("http") else url, 300)
        forge = _forge_of(url, config)
        if _holds_password(url):
            lines.warn(
                f"remote {name}",
                f"{shown} holds a password",
                f"git remote set-url {name} ADDRESS without it; isexplore signs in by itself.",
            )
        elif forge is None:
            lines.warn(f"remote {name}", f"{shown} is on no forge that is connected", "isexplore login URL")
        else:
            lines.ok(f"remote {name}", f"{shown} (forge {forge})")


def _holds_password(url: str) -> bool:
    try:
        return "://" in url and urlsplit(url).password is not None
    except ValueError:
        return False


def _forge_of(url: str, config: Config) -> str | None:
    """Return the name of the forge that an address of git leads to."""
    short = _SCP.match(url) if "://" not in url else None
    try:
        host = short["host"] if short else urlsplit(url).hostname or ""
        origin = "" if short or not url.startswith(("http://", "https://")) else origin_of(url)
    except ValueError:
        return None
    for forge in config.forges:
        if origin and origin in (forge.origin, *(origin_of(former) for former in forge.former_urls)):
            return forge.name
        if not origin and host.lower() in (forge.ssh_host or "", urlsplit(forge.url).hostname):
            return forge.name
    return None


def _check_work(lines: Lines, facts: CloneFacts) -> None:
    if facts.in_progress:
        fix = f"Finish it (git {facts.in_progress} --continue) or give it up (--abort)."
        lines.bad("work", f"a {facts.in_progress} waits for its end", fix)
    elif facts.conflicts:
        lines.bad("work", f"{count(facts.conflicts, 'file')} with conflicts", "Resolve them, then commit.")
    elif facts.branch is None:
        lines.warn("branch", "none is checked out (detached HEAD)", "git switch -c NAME makes one from here.")
    else:
        lines.ok("branch", facts.branch)
    if facts.changes:
        lines.ok("changes", f"{count(facts.changes, 'file')} not committed")
    if facts.behind:
        lines.warn("behind", f"{count(facts.behind, 'commit')} behind {facts.upstream}", "git pull --ff-only")
