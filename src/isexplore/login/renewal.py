"""Renewing tokens that last for hours, without losing the sign-in.

A forge takes what renews a token once, and answers with another one. So whoever has asked keeps the
answer, even when nobody waits for it any more, and one at a time asks, of all that run on this machine.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from isexplore.config.locks import take
from isexplore.config.schema import ForgeConfig
from isexplore.config.tokens import Grant, Tokens, TokenSearch
from isexplore.errors import AuthError, ForgeError

if TYPE_CHECKING:
    from filelock import FileLock

    from isexplore.login.device import DeviceFlow

EARLY = timedelta(minutes=5)
"""How long before it runs out a token is renewed."""
PATIENCE = 30.0
"""Seconds to wait for another isexplore that renews the same token."""


class Renewals:
    """Renews the tokens of forges that are signed in to with a code.

    Args:
        tokens: where they are kept.
        patience: seconds to wait for another instance.
        now: time, for tests.
    """

    def __init__(
        self,
        tokens: Tokens,
        *,
        patience: float = PATIENCE,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._tokens = tokens
        self._patience = patience
        self._now = now
        self._under_way: dict[str, asyncio.Task[TokenSearch]] = {}

    async def find(self, forge: ForgeConfig, flow: Callable[[], DeviceFlow]) -> TokenSearch:
        """Return the forge's token, renewed first if it is about to run out.

        Where another instance was faster, what it kept is used. Without network the old token is
        returned: whatever is asked with it will say why it failed. Cancelled, renewing goes on.

        Args:
            forge: whose it is.
            flow: makes the connection, called only when it is needed.

        Raises:
            AuthError: the sign-in has run out.
            StateError: the new token cannot be kept; it was renewed, and lasts for this session.
        """
        # The grant is looked for first and kept last: with a new one comes its own token.
        grant = await self._tokens.grant(forge)
        if grant is None or self._holds(grant):
            return await self._tokens.find(forge)
        running = self._under_way.get(forge.url)
        if running is None:
            try:
                lock = await take(self._lock_file(forge), self._patience)
            except TimeoutError:
                await self._newest(forge)
                return await self._tokens.find(forge)
            running = asyncio.create_task(self._renewed(forge, flow, lock))
            self._under_way[forge.url] = running
            running.add_done_callback(lambda task: self._done(forge.url, task))
        return await asyncio.shield(running)

    async def finish(self) -> None:
        """Wait for what is under way, which takes as long as a request at most."""
        if self._under_way:
            await asyncio.wait([*self._under_way.values()])

    def _done(self, url: str, task: asyncio.Task[TokenSearch]) -> None:
        if self._under_way.get(url) is task:
            del self._under_way[url]

    async def _renewed(
        self, forge: ForgeConfig, flow: Callable[[], DeviceFlow], lock: FileLock | None
    ) -> TokenSearch:
        try:
            grant = await self._newest(forge)
            search = await self._tokens.find(forge)
            if grant is None or self._holds(grant) or search.found is None:
                return search
            way = flow()
            try:
                signed = await way.renew(grant)
            except AuthError:
                # An instance that could not make the lock may have been faster.
                if await self._newest(forge) in (None, grant):
                    raise
                return await self._tokens.find(forge)
            except ForgeError:
                return search
            finally:
                await way.close()
            if await self._tokens.grant(forge) != grant:
                # Somebody signed in meanwhile, perhaps as somebody else.
                return await self._tokens.find(forge)
            await self._tokens.store(forge, signed.token, search.found.username, signed.grant)
            return TokenSearch(search.found._replace(secret=signed.token), search.notes)
        finally:
            if lock is not None:
                lock.release()

    async def _newest(self, forge: ForgeConfig) -> Grant | None:
        """Return what renews the token, as another instance kept it if that is newer than ours."""
        mine = await self._tokens.grant(forge)
        kept = await self._tokens.kept_grant(forge)
        if mine is None or kept is None or kept.refresh == mine.refresh or kept.expires_at <= mine.expires_at:
            return mine
        self._tokens.reread(forge)
        return kept

    def _holds(self, grant: Grant) -> bool:
        return grant.expires_at - self._now() > EARLY

    def _lock_file(self, forge: ForgeConfig) -> Path:
        name = hashlib.sha256(forge.url.encode()).hexdigest()[:16]
        return self._tokens.file.with_name(f"renewal-{name}.lock")
