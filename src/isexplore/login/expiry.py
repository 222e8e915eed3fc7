"""Telling that a token runs out before it does. Each forge is asked once a day at most.

What was learned is kept in the cache: an address and a day, nothing of the token itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from isexplore.config.files import read_bytes, write_atomically
from isexplore.config.paths import Paths
from isexplore.config.schema import ForgeConfig
from isexplore.errors import IsexploreError, StateError
from isexplore.login.verify import SOON, expiry_words
from isexplore.models import TokenFacts

ASK_AFTER = timedelta(days=1)
"""Age at which what is known is asked again."""
SECONDS = 3.0
"""How long all forges together may take to answer; what is not known by then is asked another time."""


class Learned(Struct, frozen=True):
    """What a forge said of the token in use."""

    asked: datetime
    expires_on: date | None
    """None where it does not run out, or the forge does not tell."""


def _file(paths: Paths) -> Path:
    return paths.cache_dir / "expiry.json"


def _learned(paths: Paths) -> dict[str, Learned]:
    """Return what is known by the forges' addresses; nothing where the file is broken."""
    try:
        return msgspec.json.decode(read_bytes(_file(paths)) or b"{}", type=dict[str, Learned])
    except (OSError, ValueError, msgspec.MsgspecError):
        return {}


def learn(paths: Paths, url: str, facts: TokenFacts, *, now: datetime | None = None) -> None:
    """Note until when the token of the forge at `url` holds; where that cannot be noted, it is asked again."""
    known = _learned(paths)
    known[url] = Learned(now or datetime.now(UTC), facts.expires_on)
    with suppress(StateError):
        write_atomically(_file(paths), msgspec.json.encode(known))


async def expiry_notes(
    forges: Iterable[ForgeConfig],
    paths: Paths,
    ask: Callable[[ForgeConfig], Awaitable[TokenFacts | None]],
    *,
    now: datetime | None = None,
    seconds: float = SECONDS,
) -> tuple[str, ...]:
    """Return a sentence for each token that runs out soon, with what to do.

    Nothing is raised: a forge that cannot be asked is asked another time.

    Args:
        forges: whose tokens.
        paths: where the cache is.
        ask: asks a forge about its token; None where it is not to be asked now.
        now: instead of the present (UTC).
        seconds: how long all of them may take to answer.
    """
    moment = now or datetime.now(UTC)
    forges = list(forges)
    known = _learned(paths)

    async def look(forge: ForgeConfig) -> None:
        with suppress(IsexploreError):
            facts = await ask(forge)
            if facts is not None:
                learn(paths, forge.url, facts, now=moment)

    old = [
        forge
        for forge in forges
        if forge.url not in known or not timedelta() <= moment - known[forge.url].asked < ASK_AFTER
    ]
    if old:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as looks:
                for forge in old:
                    looks.create_task(look(forge))
        known = _learned(paths)
    notes = []
    for forge in forges:
        expires_on = known[forge.url].expires_on if forge.url in known else None
        if expires_on is not None and expires_on <= moment.date() + SOON:
            notes.append(
                f"The token for {forge.name} {expiry_words(expires_on, moment.date())}: "
                f"isexplore login {forge.url} takes a new one."
            )
    return tuple(notes)
