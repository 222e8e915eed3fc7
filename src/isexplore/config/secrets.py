"""Tokens that never show themselves, and how text is rid of them."""

from __future__ import annotations

import re
from base64 import b64encode
from urllib.parse import quote

from isexplore.errors import ConfigError
from isexplore.text import pattern

MASK = "***"
"""What stands for a secret in any text."""
_SHORTEST = 6
"""Characters; anything shorter occurs in innocent text, and no forge makes tokens like that."""

_known: set[str] = set()

_PATTERNS = (
    # Tokens that tell by their prefix what they are: GitLab, GitHub, Gitea's and Forgejo's OAuth.
    pattern(r"\b(?:gl(?:pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct|wt)-[\w.=-]{8,})"),
    pattern(r"\b(?:gh[pousr]_\w{16,}|github_pat_\w{16,}|gt[or]_\w{16,})"),
    # What follows a header's or a parameter's name.
    pattern(
        r"(?i)(?<=authorization)[\"']?\s*[:=]\s*[\"']?(?:basic|bearer|token|negotiate)?\s*[^\s\"',;]+"
        r"|(?<=private-token)[\"']?\s*[:=]\s*[\"']?[^\s\"',;]+"
        r"|(?<=job-token)[\"']?\s*[:=]\s*[\"']?[^\s\"',;]+"
        r"|(?<=access_token)[\"']?\s*[:=]\s*[\"']?[^\s\"',;&]+"
        r"|(?<=private_token)[\"']?\s*[:=]\s*[\"']?[^\s\"',;&]+"
        r"|(?<=refresh_token)[\"']?\s*[:=]\s*[\"']?[^\s\"',;&]+"
        r"|(?<=device_code)[\"']?\s*[:=]\s*[\"']?[^\s\"',;&]+"
        r"|(?<=client_secret)[\"']?\s*[:=]\s*[\"']?[^\s\"',;&]+"
        r"|(?<=password)[\"']?\s*[:=]\s*[\"']?[^\s\"',;&]+"
    ),
    pattern(
        r"(?i)(?<=\bbasic )[A-Za-z0-9+/_-]{8,}={0,2}|(?<=\bbearer )[\w.~+/-]{8,}=*"
        r"|(?<=\btoken )[\w.~+/-]{20,}=*"
    ),
    # user:password@ and token@ in an address; every SSH address has the user git.
    pattern(r"(?<=://)(?!git@)[^/\s@'\"?#]+(?=@)"),
)


class Secret:
    """A token or password; only `reveal` shows it.

    Its `repr`, `str`, format and pickled form hold no part of it, so that it cannot reach a log, a
    traceback or a crash report by accident.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the token itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return MASK

    def __format__(self, specification: str) -> str:
        return format(MASK, specification)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Secret is not pickled")


def check_token(text: str) -> Secret:
    """Return what somebody typed, piped or stored as a token, without the space around it; it is registered.

    Raises:
        ConfigError: empty, or with characters that no token has; the message holds no part of it.
    """
    token = text.strip()
    if not token:
        raise ConfigError("The token is empty", "", "Paste the token, then press Enter.")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(
            "This is not a token",
            "It has spaces, line breaks or characters beyond plain letters, digits and signs.",
            "Copy the token again, from its first to its last character.",
        )
    secret = Secret(token)
    register_secret(secret)
    return secret


def register_secret(secret: Secret) -> None:
    """Have `redact` mask this secret from now on, also as part of an address and encoded for HTTP."""
    value = secret.reveal()
    if len(value) >= _SHORTEST:
        _known.update({value, quote(value, safe=""), b64encode(value.encode()).decode().rstrip("=")})


def redact(text: str) -> str:
    """Return `text` with `***` for every known secret and for whatever looks like one."""
    # Longest first: one secret may be the beginning of another.
    for value in sorted(_known, key=len, reverse=True):
        if value in text:
            text = text.replace(value, MASK)
    for shape in _PATTERNS:
        text = shape.sub(_mask, text)
    return text


def _mask(match: re.Match[str]) -> str:
    lead = re.match(r"[\"']?\s*[:=]\s*[\"']?", match.group())
    return (lead.group() if lead else "") + MASK
