from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from isexplore.config.paths import Paths
from isexplore.config.schema import ForgeConfig
from isexplore.errors import UnavailableError
from isexplore.login.expiry import expiry_notes, learn
from isexplore.models import TokenFacts

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORK = ForgeConfig(name="work", url="https://git.agency.example")
OTHER = ForgeConfig(name="other", url="https://code.example.com")


class Forges:
    """Two forges that know until when their tokens hold, and count how often they were asked."""

    def __init__(self, **days: date | None) -> None:
        self.days = days
        self.asked: list[str] = []

    async def ask(self, forge: ForgeConfig) -> TokenFacts | None:
        self.asked.append(forge.name)
        if forge.name not in self.days:
            raise UnavailableError("It is not there", "", "", forge=forge.name)
        return TokenFacts(expires_on=self.days[forge.name])


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.under(tmp_path)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 3, 15), "runs out in 14 days (2026-03-15)"),
        (date(2026, 3, 1), "runs out today (2026-03-01)"),
        (date(2026, 2, 27), "ran out 2 days ago (2026-02-27)"),
        (date(2026, 3, 16), None),
        (None, None),
    ],
)
async def test_only_what_runs_out_soon_is_told_with_its_fix(
    paths: Paths, day: date | None, words: str | None
) -> None:
    forges = Forges(work=day)
    notes = await expiry_notes([WORK], paths, forges.ask, now=NOW)
    fix = f"The token for work {words}: isexplore login https://git.agency.example takes a new one."
    assert notes == ((fix,) if words else ())


async def test_forges_are_asked_once_a_day(paths: Paths) -> None:
    forges = Forges(work=date(2026, 3, 4), other=None)
    first = await expiry_notes([WORK, OTHER], paths, forges.ask, now=NOW)
    again = await expiry_notes([WORK, OTHER], paths, forges.ask, now=NOW + timedelta(hours=11))
    assert first == again
    assert sorted(forges.asked) == ["other", "work"]
    later = await expiry_notes([WORK], paths, forges.ask, now=NOW + timedelta(days=1))
    assert "in 2 days" in later[0]
    assert len(forges.asked) == 3


async def test_new_token_ends_the_warning_at_once(paths: Paths) -> None:
    forges = Forges(work=date(2026, 3, 4))
    assert await expiry_notes([WORK], paths, forges.ask, now=NOW)
    learn(paths, WORK.url, TokenFacts(expires_on=date(2027, 3, 1)), now=NOW)
    assert await expiry_notes([WORK], paths, forges.ask, now=NOW) == ()
    assert forges.asked == ["work"]


async def test_forge_that_cannot_be_asked_or_is_slow_costs_little_and_hides_no_other(paths: Paths) -> None:
    forges = Forges(work=date(2026, 3, 4))
    notes = await expiry_notes([OTHER, WORK], paths, forges.ask, now=NOW)
    assert len(notes) == 1

    async def never(forge: ForgeConfig) -> TokenFacts | None:
        await asyncio.Event().wait()
        return None

    assert await expiry_notes([OTHER, WORK], paths, never, now=NOW + timedelta(days=2), seconds=0.01) == (
        "The token for work runs out in 1 day (2026-03-04): isexplore login https://git.agency.example "
        "takes a new one.",
    )


@pytest.mark.parametrize("content", [b"", b"[]", b'{"https://git.agency.example": 3}', b"\xff"])
async def test_broken_cache_is_asked_anew(paths: Paths, content: bytes) -> None:
    learn(paths, WORK.url, TokenFacts(), now=NOW)
    (paths.cache_dir / "expiry.json").write_bytes(content)
    forges = Forges(work=date(2026, 3, 4))
    assert await expiry_notes([WORK], paths, forges.ask, now=NOW)


async def test_clock_that_was_set_back_is_no_reason_to_believe_the_cache(paths: Paths) -> None:
    forges = Forges(work=None)
    learn(paths, WORK.url, TokenFacts(), now=NOW + timedelta(days=400))
    await expiry_notes([WORK], paths, forges.ask, now=NOW)
    assert forges.asked == ["work"]
