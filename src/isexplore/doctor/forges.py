"""One forge: the way there, its API, the token, what the token may do, and git."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from isexplore.config.schema import Config, ForgeConfig
from isexplore.config.secrets import Secret
from isexplore.config.tokens import Tokens, TokenSearch
from isexplore.connecting import adapter, api_url
from isexplore.doctor.reach import check_way
from isexplore.doctor.report import Check, Lines
from isexplore.errors import AuthError, ForgeError, IsexploreError, ScopeError
from isexplore.forge.answers import Answer
from isexplore.forge.connect import recognise
from isexplore.forge.http import ForgeClient
from isexplore.git.client import Git
from isexplore.login.needs import lacking, token_needs
from isexplore.login.verify import SOON, expiry_words, missing_by_asking, try_git
from isexplore.models import ForgeKind, TokenFacts
from isexplore.text import age, clean_line

SKEW_SECONDS = 60.0
"""Difference between two clocks that is worth a word."""


class ForgeDoctor:
    """Checks one forge.

    Args:
        forge: which one.
        config: with the network's settings and the tags.
        tokens: where its token is found.
        git: with the network's certificates.
        tls: whom to trust; None when that could not be made, which another check tells.
        environment: with the proxies.
        seconds: how long each step may take.
        now: the present time.
    """

    def __init__(
        self,
        forge: ForgeConfig,
        config: Config,
        tokens: Tokens,
        git: Git,
        tls: ssl.SSLContext | None,
        *,
        environment: Mapping[str, str],
        seconds: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._forge = forge
        self._config = config
        self._tokens = tokens
        self._git = git
        self._tls = tls
        self._environment = environment
        self._seconds = seconds
        self._now = now
        self._lines = Lines(f"forge {forge.name}")

    async def checks(self) -> list[Check]:
        """Return the checks, in the order in which things have to work."""
        lines = self._lines
        lines.ok("address", self._forge.url)
        searching = asyncio.create_task(self._tokens.find(self._forge))
        try:
            reachable = await check_way(
                lines,
                self._forge.url,
                self._config.network,
                environment=self._environment,
                seconds=self._seconds,
            )
            kind = await self._check_kind() if reachable and self._tls is not None else None
            search = await searching
        finally:
            searching.cancel()
        self._check_token(search)
        if kind is not None and search.found is not None:
            await self._check_account(kind, search.found.secret)
        return lines.checks

    async def _check_kind(self) -> ForgeKind | None:
        configured = self._forge.kind
        try:
            found = await recognise(
                self._forge.url,
                verify=self._tls,
                allow_http=self._forge.allow_http,
                timeout=self._config.network.timeout,
            )
        except IsexploreError as error:
            self._lines.bad("API", _sentence(error), error.hint or "Check the address with your browser.")
            return None
        version = f" {found.version}" if found.version else ""
        if configured is not None and configured is not found.kind:
            self._lines.bad(
                "API",
                f"{found.name}{version}, but the configuration says {configured.value}",
                f'Set forge.{self._forge.name}.kind to "{found.kind.value}", or leave it out.',
            )
            return None
        if found.url != self._forge.url:
            self._lines.warn(
                "API", f"{found.name}{version}, but it begins at {found.url}", f'Set url = "{found.url}".'
            )
        else:
            self._lines.ok("API", f"{found.name}{version}")
        return found.kind

    def _check_token(self, search: TokenSearch) -> None:
        for note in search.notes:
            if note.source == "keyring":
                # Told once, for all forges.
                continue
            self._lines.warn("token", f"{note.source}: {note.what}")
        login = f"isexplore login {self._forge.name} asks for one and keeps it."
        if search.found is None:
            self._lines.bad("token", "none is known", login)
        else:
            account = f" for {search.found.username}" if search.found.username else ""
            self._lines.ok("token", f"from {search.found.source}{account}")

    async def _check_account(self, kind: ForgeKind, token: Secret) -> None:
        forge, network = self._forge, self._config.network
        assert self._tls is not None
        client = ForgeClient(
            name=forge.name,
            base_url=api_url(forge, kind),
            token=token,
            token_header="token" if kind is ForgeKind.GITEA else "bearer",
            verify=self._tls,
            timeout=network.timeout,
            allow_http=forge.allow_http,
        )
        async with client:
            try:
                answer = await client.send("GET", ("user",))
            except AuthError as error:
                self._lines.bad(
                    "sign-in", _sentence(error), f"isexplore login {forge.name} takes a new token."
                )
                return
            except ForgeError as error:
                needs = ", ".join(token_needs(kind, forge.url).names)
                self._lines.bad("sign-in", _sentence(error), error.hint or f"Make a token with {needs}.")
                return
            await self._check_rights(kind, token, client)
        self._check_headers(answer)

    async def _check_rights(self, kind: ForgeKind, token: Secret, client: ForgeClient) -> None:
        forge = await adapter(
            self._forge, self._config.network, token, self._tls or ssl.create_default_context()
        )
        try:
            server = await forge.server()
            self._lines.ok("version", f"{server.name or kind.value} {server.version}")
            person = await forge.whoami()
            facts = await forge.token_facts()
            who = person.username + (f" ({person.name})" if person.name else "")
            if person.bot:
                self._lines.warn("user", f"{who} is a bot account", "It has no place of its own for forks.")
            elif person.external:
                self._lines.warn(
                    "user", f"{who} is external", "External accounts do not see internal projects."
                )
            else:
                self._lines.ok("user", who)
            await self._check_scopes(kind, facts, client)
            self._check_expiry(facts)
            checked = await try_git(forge, self._git, config=self._config, settings=self._forge, token=token)
        except ForgeError as error:
            self._lines.bad("user", _sentence(error), error.hint or "Try again later.")
            return
        finally:
            await forge.close()
        if checked.ok is None:
            self._lines.warn("git", checked.detail)
        elif checked.ok:
            self._lines.ok("git", checked.detail)
        else:
            self._lines.bad("git", checked.detail, checked.hint or "Try the same with git in a shell.")

    async def _check_scopes(self, kind: ForgeKind, facts: TokenFacts, client: ForgeClient) -> None:
        fix = (
            f"Make a token with {', '.join(token_needs(kind, '').names)}: isexplore login {self._forge.name}"
        )
        try:
            missing = lacking(kind, facts)
            if facts.scopes is None and kind is ForgeKind.GITEA:
                missing = await missing_by_asking(client)
        except ScopeError as error:
            self._lines.bad("scopes", _sentence(error), fix)
            return
        has = ", ".join(facts.scopes) if facts.scopes else "the forge does not tell them"
        if missing:
            self._lines.warn(
                "scopes", f"{has}; {', '.join(missing)} is missing: good for looking around only", fix
            )
        else:
            self._lines.ok("scopes", has)

    def _check_expiry(self, facts: TokenFacts) -> None:
        if facts.expires_on is None:
            self._lines.ok("expiry", "none that the forge tells")
            return
        today = self._now().date()
        words = expiry_words(facts.expires_on, today)
        if facts.expires_on <= today + SOON:
            fix = f"Make a new one: isexplore login {self._forge.name} takes its place; nothing else changes."
            self._lines.warn("expiry", words, fix)
        else:
            self._lines.ok("expiry", words)

    def _check_headers(self, answer: Answer) -> None:
        self._lines.checks.extend(rate_checks(self._lines.area, answer))
        self._lines.checks.extend(clock_checks(self._lines.area, answer, self._now()))


def rate_checks(area: str, answer: Answer) -> list[Check]:
    """Return how many requests are left, from the headers of GitLab and GitHub."""
    lines = Lines(area)
    for prefix in ("ratelimit", "x-ratelimit"):
        left, limit = answer.header(f"{prefix}-remaining").strip(), answer.header(f"{prefix}-limit").strip()
        if re.fullmatch(r"[0-9]{1,9}", left):
            of = f" of {limit}" if re.fullmatch(r"[0-9]{1,9}", limit) else ""
            if int(left) == 0:
                lines.warn("requests", f"none{of} left for now", "Wait a little; isexplore waits by itself.")
            else:
                lines.ok("requests", f"{left}{of} left for now")
            return lines.checks
    lines.ok("requests", "no limit that the forge tells")
    return lines.checks


def clock_checks(area: str, answer: Answer, now: datetime) -> list[Check]:
    """Return how far this machine's clock is from the forge's (`Date`, RFC 9110 section 6.6.1)."""
    lines = Lines(area)
    try:
        there = parsedate_to_datetime(answer.header("date"))
        there = there if there.tzinfo else there.replace(tzinfo=UTC)
        skew = (now - there).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return []
    if abs(skew) > SKEW_SECONDS:
        side = "ahead of" if skew > 0 else "behind"
        lines.warn(
            "clock", f"this machine is {age(abs(skew))} {side} the forge", "Set the clock by the network."
        )
    else:
        lines.ok("clock", "agrees with the forge's")
    return lines.checks


def _sentence(error: IsexploreError) -> str:
    return clean_line(f"{error.title}. {error.detail}" if error.detail else error.title, 500)
