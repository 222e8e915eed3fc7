"""What ssh's refusals mean, and the exact commands that help.

Git calls ssh in batch mode: it never asks. An unknown host key, a changed one and a key that is not
loaded are for a person to settle, in a shell, once.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from urllib.parse import urlsplit

from isexplore.errors import GitError
from isexplore.git.failures import quote

_CHANGED = re.compile(r"remote host identification has changed|host key for .* has changed", re.IGNORECASE)
_UNKNOWN = re.compile(r"host key verification failed|no .* host key is known for", re.IGNORECASE)
_REFUSED = re.compile(r"permission denied \([^)]*publickey|too many authentication failures", re.IGNORECASE)
_SCP_LIKE = re.compile(r"(?:([^@/]+)@)?([^/:]+):")


def ssh_failure(url: str, lines: Sequence[str], returncode: int) -> GitError | None:
    """Return what ssh's own words mean; None when the failure is not about host keys or signing in.

    Args:
        url: the address, `ssh://user@host:port/path` or `user@host:path`.
        lines: what git and ssh said.
        returncode: git's.
    """
    text = "\n".join(lines)
    user, host, port = _place(url)
    words = ["-p", str(port)] if port else []
    scan = shlex.join(["ssh-keyscan", *words, host])
    log_in = shlex.join(["ssh", *words, "-T", f"{user}@{host}" if user else host])
    named = f"[{host}]:{port}" if port else host
    if _CHANGED.search(text):
        return GitError(
            f"The SSH key of {named} is not the one that this machine knows",
            quote(list(lines)),
            "Somebody may be listening, or the forge has a new key: ask its administrators for the fingerprint, "
            f"and compare it with {scan} | ssh-keygen -lf -. If it is right, forget the old key with "
            f"{shlex.join(['ssh-keygen', '-R', named])}, then {log_in}",
            reason="host-key",
            returncode=returncode,
        )
    if _UNKNOWN.search(text):
        return GitError(
            f"This machine does not know the SSH key of {named} yet",
            quote(list(lines)),
            f"{scan} | ssh-keygen -lf - shows its fingerprint: compare that with the one that the forge "
            f"publishes. Then run {log_in} once and answer yes",
            reason="host-key",
            returncode=returncode,
        )
    if _REFUSED.search(text):
        return GitError(
            f"{named} accepted none of your SSH keys",
            quote(list(lines)),
            "ssh-add -l lists the keys that are loaded, ssh-add loads yours, and the forge must know its "
            f"public half (your profile, SSH keys). {log_in} tries it",
            reason="auth",
            returncode=returncode,
        )
    return None


def _place(url: str) -> tuple[str, str, int | None]:
    """Return user, host and port (None for the usual one) of an address for git over SSH."""
    if "://" not in url:
        match = _SCP_LIKE.match(url)
        return ("", url, None) if match is None else (match[1] or "", match[2], None)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", url, None
    return parts.username or "", parts.hostname or "", None if port == 22 else port
