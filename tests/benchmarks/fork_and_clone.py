"""What cloning while the forge makes the fork saves: `python -m tests.benchmarks.fork_and_clone [ROUNDS]`.

The forge takes a second to make a fork, and the git server about as long for a clone. Round by round: the
fork alone, the clone alone after it, and both at once as the step “fork” does it. Waiting is real here.
The ratio is the time of both at once over that of the slower one alone, 1.0 being the best there can be;
in brackets the same for one after the other.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from isexplore.config.schema import Config, ForgeConfig
from isexplore.git.client import Git
from isexplore.journey.runner import Journeys
from isexplore.journey.states import StepName
from isexplore.models import ForkState, ForkStatus, ForkTarget, Project
from tests.support.contributor import Contributor, MortalState, contributor
from tests.support.fake_forge import FakeForge

IMPORT = 1.0
"""Seconds until a fork can be used, and until the files of a clone arrive."""
ALONE: StepName = "fork"


class SlowForge(FakeForge):
    """Needs `IMPORT` seconds for a fork."""

    began = 0.0

    async def fork(self, project: Project, *, target: ForkTarget | None = None, name: str = "") -> Project:
        made = await super().fork(project, target=target, name=name)
        self.began = time.monotonic()
        return made

    async def fork_status(self, fork: Project) -> ForkStatus:
        ready = time.monotonic() - self.began >= IMPORT
        return ForkStatus(state=ForkState.READY if ready else ForkState.IMPORTING)


def program(world: Contributor, *, decided: bool) -> Journeys:
    """Start the program with waiting that is real; `decided` is whether it is known where clones go."""
    config = Config(
        forges=(ForgeConfig(name="work", url=world.server.origin),),
        clone_folder=world.root if decided else None,
    )
    return Journeys(
        forges={"work": world.forge},
        git=Git(environment=os.environ),
        state=MortalState(world.state, world.forge),
        credentials=lambda name: world.server.credential,
        config=config,
    )


async def timed(journeys: Journeys, journey_id: str, step: StepName) -> float:
    """Return how many seconds a step takes."""
    began = time.perf_counter()
    async for _ in journeys.run(journeys.get(journey_id), step):
        pass
    return time.perf_counter() - began


async def measure(home: Path, *, together: bool) -> dict[str, float]:
    """Return seconds by step, in a world of its own."""
    with contributor(home) as world:
        world.forge.__class__ = SlowForge
        world.server.pack_after = IMPORT
        first = program(world, decided=together)
        journey = first.start(world.project, world.issue)
        took: dict[str, Any] = {"fork": await timed(first, journey.id, ALONE)}
        assert world.folder.exists() == together
        if not together:
            took["clone"] = await timed(program(world, decided=True), journey.id, "clone")
        assert (world.folder / "README.md").exists()
        return took


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    ratios, before = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(rounds):
            home = Path(scratch) / str(number)
            alone = asyncio.run(measure(home / "alone", together=False))
            both = asyncio.run(measure(home / "both", together=True))["fork"]
            slower = max(alone.values())
            ratios.append(both / slower)
            before.append(sum(alone.values()) / slower)
            print(
                f"fork {alone['fork']:.2f} s, clone {alone['clone']:.2f} s, both at once {both:.2f} s: "
                f"{ratios[-1]:.2f} ({before[-1]:.2f})"
            )
    print(f"median {statistics.median(ratios):.2f} ({statistics.median(before):.2f} one after the other)")


if __name__ == "__main__":
    main()
