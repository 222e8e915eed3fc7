"""How a token goes into a request. Pure."""

from __future__ import annotations

from typing import Literal

from isexplore.config.secrets import Secret
from isexplore.errors import ConfigError

TokenHeader = Literal["bearer", "token", "private-token"]
"""`Authorization: Bearer`, `Authorization: token`, or GitLab's `PRIVATE-TOKEN`."""


def usable_token(token: Secret | None) -> Secret | None:
    """Return the token without white space around it; None if nothing is left.

    Raises:
        ConfigError: it has characters that cannot go into a header.
    """
    if token is None:
        return None
    value = token.reveal().strip()
    if not value:
        return None
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigError(
            "The token has characters that no token has",
            "Only printable ASCII without spaces can be sent.",
            "Copy it again from the forge's page; sign in with: isexplore login",
        )
    return Secret(value)


def token_headers(token: Secret | None, how: TokenHeader) -> dict[str, str]:
    """Return the header that carries the token."""
    if token is None:
        return {}
    if how == "private-token":
        return {"PRIVATE-TOKEN": token.reveal()}
    return {"Authorization": f"{'Bearer' if how == 'bearer' else 'token'} {token.reveal()}"}
