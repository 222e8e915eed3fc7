from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from isexplore.catalog.reports import SyncProgress, SyncReport
from isexplore.catalog.sync_process import SyncProcess
from isexplore.errors import AuthError, StateError

_CHILD = """
import asyncio, sys
from isexplore.catalog.reports import ForgeReport, SyncProgress, SyncReport
from isexplore.catalog.sync_process import serve
from isexplore.errors import AuthError

async def run(on_progress):
    print("a stray word on standard output", flush=True)
    for number in range(3):
        on_progress(SyncProgress(forge="work", phase="listing" if number < 2 else "done", projects=number))
    {what}
    return SyncReport(forges=(ForgeReport(forge="work", listed=3),), seconds=0.5)

sys.exit(asyncio.run(serve(run)))
"""


def child(what: str = "pass") -> SyncProcess:
    return SyncProcess([sys.executable, "-c", _CHILD.replace("{what}", what)])


async def test_progress_and_report_come_through() -> None:
    events = [event async for event in child().events()]
    *progress, report = events
    assert [each.phase for each in progress if isinstance(each, SyncProgress)] == ["listing", "done"]
    assert isinstance(report, SyncReport)
    assert report.complete
    assert report.forges[0].listed == 3


async def test_an_error_keeps_its_kind_and_words() -> None:
    with pytest.raises(AuthError) as caught:
        _ = [event async for event in child('raise AuthError("Refused", "401", "Sign in")').events()]
    assert (caught.value.title, caught.value.detail, caught.value.hint) == ("Refused", "401", "Sign in")


async def test_a_crash_is_told_with_its_last_words() -> None:
    with pytest.raises(StateError) as caught:
        _ = [event async for event in child("raise MemoryError('all gone')").events()]
    assert "all gone" in caught.value.detail


async def test_a_child_that_cannot_start() -> None:
    with pytest.raises(StateError, match="cannot be started"):
        _ = [event async for event in SyncProcess(["/nonexistent/program"]).events()]


async def test_leaving_early_stops_the_child(tmp_path: Path) -> None:
    mark = tmp_path / "stopped"
    what = (
        "try:\n        await asyncio.Event().wait()\n"
        f"    except asyncio.CancelledError:\n        open({str(mark)!r}, 'w').close()\n        raise"
    )
    process = child(what)
    events = process.events()
    async with asyncio.timeout(20):
        first = await anext(events)
        assert isinstance(first, SyncProgress)
        await events.aclose()  # type: ignore[attr-defined]
    assert mark.exists()
