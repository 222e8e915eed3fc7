"""Signing in with a code instead of a token: OAuth 2.0 Device Authorization Grant (RFC 8628).

GitLab (17.3 and later) and GitHub know it; an administrator registers the application and puts its
client id into the configuration. GitLab's tokens last for two hours and are renewed from then on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from isexplore.config.schema import ForgeConfig, origin_of
from isexplore.config.secrets import Secret, check_token, register_secret
from isexplore.config.tokens import Grant
from isexplore.errors import AuthError, ConfigError, WrongAnswerError
from isexplore.forge.answers import decode
from isexplore.forge.http import ForgeClient
from isexplore.models import ForgeKind
from isexplore.text import clean_line

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
SCOPES = {ForgeKind.GITLAB: "api", ForgeKind.GITHUB: "repo"}
"""What is asked for; kinds that are missing have no device flow."""
_START = {ForgeKind.GITLAB: ("oauth", "authorize_device"), ForgeKind.GITHUB: ("login", "device", "code")}
_TOKEN = {ForgeKind.GITLAB: ("oauth", "token"), ForgeKind.GITHUB: ("login", "oauth", "access_token")}
_REFUSALS = (400, 401, 403)
_MAX_SECONDS = 1_800.0


class DeviceCode(Struct, frozen=True, kw_only=True):
    """What somebody types into the forge's page in a browser."""

    user_code: str
    page: str
    """Address of the page."""
    filled_page: str
    """The same with the code filled in, where the forge offers that."""
    device_code: Secret
    interval: float
    """Seconds between two questions whether it has been typed."""
    seconds: float
    """How long the code holds."""


class Signed(Struct, frozen=True, kw_only=True):
    """The outcome: a token, and what renews it."""

    token: Secret
    grant: Grant | None = None


class _Started(Struct):
    device_code: str = ""
    user_code: str = ""
    verification_uri: str = ""
    verification_uri_complete: str = ""
    expires_in: float = 300
    interval: float = 5
    error: str = ""
    error_description: str = ""


class _Answered(Struct):
    access_token: str = ""
    refresh_token: str = ""
    expires_in: float | None = None
    interval: float | None = None
    error: str = ""
    error_description: str = ""


def offers_device_flow(forge: ForgeConfig, kind: ForgeKind) -> bool:
    """Whether a code can be used instead of a token."""
    return bool(forge.client_id) and kind in SCOPES


class DeviceFlow:
    """Signs in to one forge with a code.

    Args:
        client: a connection to the forge's web address, without a token.
        kind: which forge it is.
        client_id: of the application that is registered there.
        sleep, clock, now: time, for tests; `clock` is monotonic seconds.
    """

    def __init__(
        self,
        client: ForgeClient,
        kind: ForgeKind,
        client_id: str,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if kind not in SCOPES:
            raise ConfigError(
                "This forge cannot sign in with a code",
                f"{kind.value} does not offer it.",
                "Remove client_id from the configuration and sign in with a token.",
            )
        self._client = client
        self._kind = kind
        self._client_id = client_id
        self._sleep, self._clock, self._now = sleep, clock, now

    async def start(self) -> DeviceCode:
        """Ask for a code.

        Raises:
            ConfigError: the forge does not know the client id, or has no such sign-in.
            ForgeError: it cannot be asked.
        """
        path = _START[self._kind]
        body = {"client_id": self._client_id, "scope": SCOPES[self._kind]}
        answer = await self._client.send("POST", path, json=body, good=(*_REFUSALS, 404))
        if answer.status == 404:
            raise ConfigError(
                "This forge cannot sign in with a code",
                "GitLab knows it from version 17.3 on; GitHub needs it enabled in the application.",
                "Remove client_id from the configuration and sign in with a token.",
            )
        started = decode(answer, _Started, self._client.asked("POST", path))
        if started.error or not started.device_code or not started.user_code:
            raise ConfigError(
                "The forge does not accept the client id",
                clean_line(started.error_description or started.error, 300),
                "Ask your administrator for the client_id of isexplore on this forge, or sign in with a token.",
            )
        page = clean_line(started.verification_uri, 500)
        filled = clean_line(started.verification_uri_complete, 500) or page
        for address in (page, filled):
            self._check_page(address)
        device_code = Secret(started.device_code)
        register_secret(device_code)
        return DeviceCode(
            user_code=clean_line(started.user_code, 40),
            page=page,
            filled_page=filled,
            device_code=device_code,
            interval=min(max(started.interval, 1.0), 60.0),
            seconds=min(max(started.expires_in, 0.0), _MAX_SECONDS),
        )

    async def wait(self, code: DeviceCode) -> Signed:
        """Return the token once somebody has typed the code; can be cancelled.

        Raises:
            AuthError: refused, or not typed in time.
            ForgeError: the forge cannot be asked.
        """
        path = _TOKEN[self._kind]
        body = {
            "client_id": self._client_id,
            "device_code": code.device_code.reveal(),
            "grant_type": GRANT_TYPE,
        }
        interval = code.interval
        deadline = self._clock() + code.seconds
        while self._clock() < deadline:
            await self._sleep(interval)
            answer = await self._client.send("POST", path, json=body, good=_REFUSALS)
            answered = decode(answer, _Answered, self._client.asked("POST", path))
            match answered.error:
                case "" if answered.access_token:
                    return self._signed(answered)
                case "authorization_pending":
                    continue
                case "slow_down":
                    interval = min(60.0, answered.interval or interval + 5)
                case "access_denied":
                    raise AuthError(
                        "The sign-in was refused in the browser", "", "Start again, and allow it."
                    )
                case "expired_token":
                    break
                case _:
                    raise AuthError(
                        "The forge refused the sign-in",
                        clean_line(answered.error_description or answered.error, 300),
                        "Start again, or sign in with a token.",
                    )
        raise AuthError("The code was not typed in time", "", "Start again to get a new one.")

    async def renew(self, grant: Grant) -> Signed:
        """Return a new token.

        Raises:
            AuthError: the sign-in has run out, was revoked, or was renewed by another instance.
            ForgeError: the forge cannot be asked.
        """
        path = _TOKEN[self._kind]
        body = {
            "client_id": self._client_id,
            "refresh_token": grant.refresh.reveal(),
            "grant_type": "refresh_token",
        }
        answer = await self._client.send("POST", path, json=body, good=_REFUSALS)
        answered = decode(answer, _Answered, self._client.asked("POST", path))
        if not answered.access_token:
            raise AuthError(
                "The sign-in has run out",
                clean_line(answered.error_description or answered.error, 300),
                f"Sign in again: isexplore login {self._client.base_url}",
                status=answer.status,
            )
        return self._signed(answered)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    def _check_page(self, address: str) -> None:
        try:
            origin = origin_of(address)
        except ValueError:
            origin = ""
        if origin != self._client.origin:
            raise WrongAnswerError(
                "The forge names a sign-in page of another server",
                clean_line(address, 200),
                "Do not type anything there; tell the forge's administrators.",
            )

    def _signed(self, answered: _Answered) -> Signed:
        token = check_token(answered.access_token)
        if not answered.refresh_token or answered.expires_in is None:
            return Signed(token=token)
        refresh = check_token(answered.refresh_token)
        lasts = timedelta(seconds=min(max(answered.expires_in, 0.0), 10 * 365 * 86_400.0))
        return Signed(token=token, grant=Grant(refresh, self._now() + lasts))
