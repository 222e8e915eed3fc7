"""The environment that git runs in: an allow-list of the user's, our own settings, and nothing else.

Settings travel as `GIT_CONFIG_COUNT` variables (git-config(1)): they outrank every file, never appear in a
process list and are never written to `.git/config`. The token travels in a variable of our own that only
the credential helper for its origin reads; a redirect, a submodule or another host gets nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from isexplore.config.environment import shared_environment
from isexplore.git.facts import Credential
from isexplore.git.names import url_origin

_KEPT = (
    "EMAIL", "VIRTUAL_ENV", "PRE_COMMIT_HOME", "PYENV_ROOT", "JAVA_HOME", "CARGO_HOME", "RUSTUP_HOME",
    "GOPATH", "GOROOT", "NVM_DIR", "VOLTA_HOME", "ASDF_DIR", "ASDF_DATA_DIR",
)  # fmt: skip
"""Variables that git gets beyond those of every program; all but the first for tools of the user's commit hooks."""

_FIXED = {
    "LC_ALL": "C.UTF-8",
    "TERM": "dumb",
    "GIT_TERMINAL_PROMPT": "0",
    # Whatever asks gets an error at once instead of a prompt over the screen.
    "GIT_ASKPASS": "false",
    "SSH_ASKPASS": "false",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
    "GIT_SSH_VARIANT": "ssh",
    "GCM_INTERACTIVE": "never",
    "GIT_EDITOR": "false",
    "GIT_SEQUENCE_EDITOR": "false",
    "GIT_PAGER": "cat",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_LFS_SKIP_SMUDGE": "1",
}

_ALWAYS = (
    # Both run a program that a repository's own configuration names.
    ("core.fsmonitor", "false"),
    ("safe.bareRepository", "explicit"),
    # A detached clean-up would outlive a cancelled command.
    ("maintenance.auto", "false"),
    ("gc.auto", "0"),
    # A line that begins with an issue's number is text: sign-off would else be put above it.
    ("core.commentChar", "\x1f"),
    ("color.ui", "false"),
    ("log.showSignature", "false"),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("push.recurseSubmodules", "no"),
    ("push.followTags", "false"),
    # An empty value forgets every helper configured so far, those of single hosts included.
    ("credential.helper", ""),
    ("http.followRedirects", "false"),
)

_USER_VARIABLE = "ISEXPLORE_GIT_USERNAME"
_TOKEN_VARIABLE = "ISEXPLORE_GIT_TOKEN"
_HELPER = (
    '!f() { test "$1" = get && '
    f'printf \'username=%s\\npassword=%s\\n\' "${_USER_VARIABLE}" "${_TOKEN_VARIABLE}"; }}; f'
)


def base_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what git inherits: an allow-list of `environment` with every `GIT_*` dropped, plus our own."""
    kept = {name: environment[name] for name in _KEPT if name in environment}
    return shared_environment(environment) | kept | _FIXED


def config_environment(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the variables that set git's configuration for one process (git 2.31 and later)."""
    variables: dict[str, str] = {}
    number = 0
    for key, value in pairs:
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
        number += 1
    variables["GIT_CONFIG_COUNT"] = str(number)
    return variables


def command_environment(
    base: Mapping[str, str],
    *,
    folder: Path | None = None,
    url: str | None = None,
    credential: Credential | None = None,
    hooks: bool = True,
    replaced_origins: Mapping[str, str] | None = None,
    low_speed_time: int = 30,
) -> dict[str, str]:
    """Return the whole environment of one git command.

    Args:
        base: what `base_environment` returned, plus settings of the network (`GIT_SSL_CAINFO`).
        folder: the clone; git looks for a repository there and not above it.
        url: address that the command talks to, where it is known; its scheme is the only one allowed.
        credential: sign-in for its origin; None for commands that need no network.
        hooks: False keeps the user's hooks from running, so that none sees the token.
        replaced_origins: former to current origin of forges that moved; git asks the current one.
        low_speed_time: seconds below 1,000 bytes a second after which git gives up.
    """
    pairs = list(_ALWAYS)
    if not hooks:
        pairs.append(("core.hooksPath", os.devnull))
    for former, current in (replaced_origins or {}).items():
        pairs.append((f"url.{current.rstrip('/')}/.insteadOf", former.rstrip("/") + "/"))
    pairs += [("http.lowSpeedLimit", "1000"), ("http.lowSpeedTime", str(low_speed_time))]
    # The most specific `http.<url>` setting wins in git, so the address itself is named too.
    origins = [credential.origin] if credential is not None else []
    origins += [url] if url is not None and url.startswith(("http://", "https://")) else []
    pairs += [(f"http.{origin}.followRedirects", "false") for origin in origins]
    variables = dict(base)
    if credential is not None:
        pairs.append((f"credential.{credential.origin}.helper", _HELPER))
        variables[_USER_VARIABLE] = credential.username
        variables[_TOKEN_VARIABLE] = credential.token.reveal()
    variables["GIT_ALLOW_PROTOCOL"] = ":".join(_protocols(url, credential, replaced_origins or {}))
    if folder is not None:
        variables["GIT_CEILING_DIRECTORIES"] = str(folder.parent)
    return variables | config_environment(pairs)


def _protocols(url: str | None, credential: Credential | None, replaced: Mapping[str, str]) -> list[str]:
    """Return the transports that the command may use; git refuses every other, helpers included."""
    allowed = {"https"}
    if url is None:
        # A blobless clone fetches missing files from its own remote, which may be SSH.
        allowed.add("ssh")
    elif "://" not in url or url.startswith("ssh://"):
        allowed.add("ssh")
    elif url_origin(url).startswith("http://"):
        allowed.add("http")
    if credential is not None and credential.origin.startswith("http://"):
        allowed.add("http")
    if any(origin.startswith("http://") for origin in replaced.values()):
        allowed.add("http")
    return sorted(allowed)
