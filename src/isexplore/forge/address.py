"""Addresses of forges: which are fit to send a token to, and what to call them. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from isexplore.errors import ConfigError
from isexplore.text import clean_line

_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    return host.lower().strip("[]") in _LOOPBACK


def api_origin(url: str, allow_http: bool) -> tuple[str, str]:
    """Return the origin and the host (with a port that is not the scheme's own) of an API's address.

    Raises:
        ConfigError: it is no address, holds a password, or would send the token in clear.
    """
    hint = "It looks like https://gitlab.example.com or https://example.com/gitlab."
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        origin = origin_of(url)
    except ValueError as error:
        raise ConfigError("The address of the forge cannot be read", clean_line(url, 200), hint) from error
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise ConfigError("That is not the address of a forge", clean_line(url, 200), hint)
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            "The address of the forge has a user name or password in it",
            "A token belongs to the sign-in, not into the address.",
            hint,
        )
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise ConfigError(
            f"{host} would be asked without encryption",
            "Over http:// everybody on the way can read the token.",
            "Use the https:// address. If there is none and the network is yours: "
            f"isexplore login {origin} --allow-http (or allow_http = true in the forge's table of config.toml).",
        )
    return origin, host_of(url)


def origin_of(url: str) -> str:
    """Return `scheme://host[:port]` in lower case, without the scheme's own port."""
    parts = urlsplit(url)
    return f"{parts.scheme.lower()}://{host_of(url)}"


def host_of(url: str) -> str:
    """Return `host[:port]` in lower case, without the scheme's own port."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return clean_line(url, 100)
    if ":" in host:
        host = f"[{host}]"
    own = {"https": 443, "http": 80}.get(parts.scheme.lower())
    return clean_line(host if port in (None, own) else f"{host}:{port}", 260)


def web_root(url: str) -> str:
    """Return what comes before the API in an address."""
    return re.sub(r"/api/v[0-9](/.*)?$", "", url)
