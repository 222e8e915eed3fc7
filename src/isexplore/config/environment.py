"""What programs that isexplore starts inherit: an allow-list of its own environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

_ALL = frozenset(
    {
        "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ",
        "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR",
        "SSH_AUTH_SOCK", "GNUPGHOME", "DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "KRB5CCNAME",
        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
        "http_proxy", "https_proxy", "all_proxy", "no_proxy",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "NIX_SSL_CERT_FILE", "NIX_PATH", "LD_LIBRARY_PATH",
    }
)  # fmt: skip
"""Variables that every program gets: who and where one is, the agents, the network."""

_SECRETS = frozenset(
    {
        "LANG", "LANGUAGE", "TERM", "XAUTHORITY", "SSH_AGENT_PID", "SSH_CONNECTION", "SECURITYSESSIONID",
        "PINENTRY_USER_DATA", "SYSTEMROOT", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
        "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM",
    }
)  # fmt: skip
_SECRETS_BEGIN = (
    "LC_", "XDG_", "GPG_", "GNOME_KEYRING_", "KDE_", "PASSWORD_STORE_", "GOPASS_", "RBW_", "BW_", "BITWARDENCLI_",
    "OP_", "KEEPASS", "SOPS_", "AGE_", "VAULT_", "AWS_", "AZURE_", "CLOUDSDK_", "LPASS_", "GCM_",
)  # fmt: skip
"""What programs that keep secrets are set up and unlocked with. Of git's own only where a person's settings
are: others, which a hook leaves behind, would have it read those of some repository."""

_NAMED = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_OURS = "ISEXPLORE_"


def shared_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what every program inherits of `environment`.

    Relative entries of `PATH` are dropped: they would name programs inside a stranger's project.
    """
    kept = {name: value for name, value in environment.items() if name in _ALL}
    folders = environment.get("PATH", os.defpath).split(os.pathsep)
    kept["PATH"] = os.pathsep.join(folder for folder in folders if os.path.isabs(folder))
    return kept


def helper_environment(
    environment: Mapping[str, str], *, command: str = "", begin: tuple[str, ...] = ()
) -> dict[str, str]:
    """Return what a program that knows tokens inherits of `environment`.

    Args:
        environment: the process's own.
        command: the person's own command line; variables that it names (`$NAME`) are for it.
        begin: beginnings of further names, which the program itself reads.
    """
    named = frozenset(_NAMED.findall(command))
    kept = {
        name: value
        for name, value in environment.items()
        if (name in _SECRETS or name.startswith((*_SECRETS_BEGIN, *begin)) or name in named)
        and not name.startswith(_OURS)
    }
    return kept | shared_environment(environment)
