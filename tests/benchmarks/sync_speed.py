"""How fast a first sync is taken in, and what it does to the loop: `python -m tests.benchmarks.sync_speed [SIZE]`.

The forge is in memory, so this is the cost of the catalog alone: checking, scoring, indexing.
A heartbeat of 2 ms on the same loop tells how long a key press would have to wait if the sync ran
in the screen's own process, which it does not (`isexplore.catalog.sync_process`).
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time

from isexplore.catalog.sync import Options, Sync
from tests.support.catalog import NOW, made_up
from tests.support.listing_forge import READING, Clock, ListingForge


async def heartbeat(lags: list[float]) -> None:
    """Note how late each beat comes."""
    while True:
        start = time.perf_counter()
        await asyncio.sleep(0.002)
        lags.append(time.perf_counter() - start - 0.002)


async def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    forge = ListingForge(page=100)
    forge.projects["innersource"] = list(made_up(size))
    clock = Clock(NOW)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("first sync", "no change", "full, no change"):
            lags: list[float] = []
            beat = asyncio.create_task(heartbeat(lags))
            forge.requests.clear()
            options = Options(looks=0, full=name.startswith("full"))
            report = await Sync(folder, [forge.source()], READING, options, clock=clock).run()
            beat.cancel()
            lags.sort()
            late = lags[int(len(lags) * 0.99)] * 1000 if lags else 0.0
            print(
                f"{name:16} {report.seconds:6.2f} s  {len(forge.requests):>5} listing requests  "
                f"{report.forges[0].changed:>7,} written   loop late by {late:.1f} ms (99 %)"
            )
            clock.pass_(hours=2)


if __name__ == "__main__":
    asyncio.run(main())
