"""How many requests of one caller the practice forge answers in a minute, and the headers that tell it.

https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers
"""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate

from msgspec import Struct

_MINUTE = 60
USER_LIMIT = 36_000
"""Requests of one account in a minute: more than screens and a refresh of 100,000 projects want."""
ADDRESS_LIMIT = 500
"""Requests of one address in a minute without a token, or with one that does not work."""


class Standing(Struct, frozen=True, kw_only=True):
    """How a caller stands with one request more."""

    name: str
    limit: int
    observed: int
    resets_at: int
    """Seconds since 1970."""
    wait: int
    """Seconds until then."""

    @property
    def exceeded(self) -> bool:
        """Whether the request is one too many."""
        return self.observed > self.limit

    def headers(self) -> dict[str, str]:
        """Return what every answer tells; an answer that is refused tells more."""
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Name": self.name,
            "RateLimit-Observed": str(self.observed),
            "RateLimit-Remaining": str(max(0, self.limit - self.observed)),
            "RateLimit-Reset": str(self.resets_at),
        }
        if self.exceeded:
            told["RateLimit-ResetTime"] = formatdate(self.resets_at, usegmt=True)
            told["Retry-After"] = str(self.wait)
        return told


class Throttle:
    """Counts requests by account, or by address where no account vouches for them, minute by minute."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Count from now on; `clock` tells seconds since 1970."""
        self._clock = clock
        self._minute = 0
        self._counts: dict[tuple[str, str], int] = {}

    def count(self, *, username: str | None, address: str) -> Standing:
        """Count one request.

        Args:
            username: whose token it came with; None without one that works, so that guesses are never
                counted with the account that they are made at.
            address: where it came from.
        """
        now = int(self._clock())
        if self._minute != now // _MINUTE:
            self._minute, self._counts = now // _MINUTE, {}
        kind = "unauthenticated" if username is None else "authenticated"
        key = (kind, address if username is None else username)
        self._counts[key] = self._counts.get(key, 0) + 1
        resets_at = (self._minute + 1) * _MINUTE
        return Standing(
            name=f"throttle_{kind}_api",
            limit=ADDRESS_LIMIT if username is None else USER_LIMIT,
            observed=self._counts[key],
            resets_at=resets_at,
            wait=resets_at - now,
        )
