"""Which remote is which project: comparing git addresses that are written differently. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit

from isexplore.models import Project

_SCP_LIKE = re.compile(r"^(?:[^@/:]+@)?([^/:@]+):(?!//)(.+)$")


def address_key(url: str, moved: Mapping[str, str] | None = None) -> tuple[str, str] | None:
    """Return (place, path) of a git address so that two spellings of one project are equal.

    The user, the scheme's `http`/`https`, a default port, a final `/` or `.git` and the letter case
    make no difference; a web port does. None for what is no network address.

    Args:
        url: as written in a remote.
        moved: former to present web address of forges that moved.
    """
    for former, present in (moved or {}).items():
        if url.startswith(former.rstrip("/") + "/"):
            url = present.rstrip("/") + url[len(former.rstrip("/")) :]
            break
    if "://" not in url:
        match = _SCP_LIKE.match(url)
        return None if match is None else (f"ssh:{match[1].lower()}", _path(match[2]))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = (parts.hostname or "").lower()
    if parts.scheme in ("ssh", "git+ssh"):
        return f"ssh:{host}", _path(parts.path)
    if parts.scheme not in ("http", "https"):
        return None
    if port in (None, 80, 443):
        return f"web:{host}", _path(parts.path)
    return f"web:{host}:{port}", _path(parts.path)


def _path(path: str) -> str:
    return unquote(path).strip("/").removesuffix(".git").lower()


def is_address_of(url: str, project: Project, moved: Mapping[str, str] | None = None) -> bool:
    """Return whether `url` is one of the project's addresses (HTTPS, SSH or its web page)."""
    key = address_key(url, moved)
    if key is None:
        return False
    own = (project.clone_url, project.ssh_url, project.url)
    return any(key == address_key(each, moved) for each in own if each)


def remote_of(
    remotes: Mapping[str, str],
    project: Project,
    preferred: Iterable[str] = (),
    moved: Mapping[str, str] | None = None,
) -> str | None:
    """Return the remote that points at `project`, one of the `preferred` names first; None without any."""
    found = sorted(name for name, url in remotes.items() if is_address_of(url, project, moved))
    return next((name for name in preferred if name in found), found[0] if found else None)


def path_on(url: str, forge_url: str, ssh_hosts: Iterable[str] = ()) -> str | None:
    """Return the project path that a remote's address names on a forge; None if it is elsewhere."""
    key = address_key(url)
    base = address_key(forge_url + "/")
    if key is None or base is None:
        return None
    place, path = key
    if place.startswith("ssh:"):
        host = base[0].removeprefix("web:").split(":")[0]
        hosts = {host, *(each.lower().split(":")[0] for each in ssh_hosts)}
        return path if place.removeprefix("ssh:") in hosts and path else None
    if place != base[0]:
        return None
    if base[1]:
        return path.removeprefix(base[1] + "/") if path.startswith(base[1] + "/") else None
    return path or None
