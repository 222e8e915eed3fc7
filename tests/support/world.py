"""The screens on a running practice forge: services, a pilot, and what a person at the keyboard does and sees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from msgspec import Struct, structs
from textual.pilot import Pilot

from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.config.secrets import Secret
from isexplore.models import ForgeKind
from isexplore.practice import projects
from isexplore.practice.seed import PersonSeed, ProjectSeed
from isexplore.services import Services
from isexplore.tui import app as whole
from isexplore.tui.app import IsexploreApp
from isexplore.tui.screens.dialogs import AskDialog
from isexplore.tui.widgets import bars
from isexplore.tui.widgets.preview import Preview
from isexplore.updates import refresh
from tests.support.practice import PEOPLE, SEEDS, RunningPractice, running_practice
from tests.support.tui import frame

WELCOME: tuple[ProjectSeed, ...] = tuple(one for one in projects.PROJECTS if one.path == "docs/welcome")
"""The project in which a newcomer makes a first contribution."""
REPOSITORY_PEOPLE: tuple[PersonSeed, ...] = projects.PEOPLE
FORGE = "practice"
_DIVIDERS = str.maketrans("│▏▌╭╮╰╯─", " " * 8)
LOOK_AFTER, LOOK_AT_LEAST_EVERY = 0.02, 0.25
"""Seconds between two looks at the screen: each draws all of it, so they become rarer."""
LONG = 30.0
"""Seconds that something may take that forks, clones or reviews; a deadline only."""

# What a test sees, and whom it asks, must not depend on how long it takes.
IsexploreApp.TOKENS_AFTER = 3_600.0
bars.BRIEFLY = whole.NOTE_SECONDS = 30.0


class World(Struct, frozen=True):
    """A practice forge and the services that use it."""

    forge: RunningPractice
    services: Services
    folder: Path


def services_for(folder: Path, url: str, token: str, *, user: str = "nia", **settings: Any) -> Services:
    """Return services below `folder` that know one forge and its token."""
    config = Config(
        forges=(ForgeConfig(name=FORGE, url=url, kind=ForgeKind.GITLAB, username=user),),
        clone_folder=folder / "src",
        refresh_after=86_400.0,
    )
    if settings:
        config = structs.replace(config, **settings)
    services = Services(Paths.under(folder / "isexplore"), config)
    services.tokens.remember(config.forges[0], Secret(token), user)
    return services


@contextmanager
def practice_world(
    folder: Path,
    *,
    seeds: Sequence[ProjectSeed] = SEEDS,
    people: Sequence[PersonSeed] = PEOPLE,
    maintainer: bool | float = False,
    **settings: Any,
) -> Iterator[World]:
    """Run a practice forge while the block lasts, with services that are signed in to it."""
    (folder / "forge").mkdir()
    with running_practice(
        folder / "forge",
        seeds=seeds,
        people=people,
        maintainer=maintainer,
        import_seconds=0.05,
        prepare_seconds=0.03,
    ) as forge:
        services = services_for(folder, forge.url, forge.token, **settings)
        yield World(forge, services, folder)


async def fill_catalog(services: Services) -> None:
    """Read the forge into the catalog, as an earlier run of the program would have done."""
    await refresh(services)
    services.reopen_catalog()


class Person:
    """Somebody at the keyboard."""

    def __init__(self, pilot: Pilot[int]) -> None:
        self.pilot = pilot
        assert isinstance(pilot.app, IsexploreApp)
        self.app = pilot.app

    @property
    def sees(self) -> str:
        """The screen as text, line by line."""
        return frame(self.app)

    @property
    def words(self) -> str:
        """The screen as one line, without the lines that divide it."""
        return " ".join(self.sees.translate(_DIVIDERS).split())

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)

    async def until(self, fact: Callable[[], object], *, seconds: float = LONG) -> None:
        """Wait until something holds; on failure the screen is in the message."""
        deadline, rest = monotonic() + seconds, LOOK_AFTER
        while not fact():
            assert monotonic() < deadline, f"it did not come true in {seconds} s; the screen:\n{self.sees}"
            await asyncio.sleep(rest)
            rest = min(1.5 * rest, LOOK_AT_LEAST_EVERY)
        await self.pilot.pause()

    async def sees_words(self, *words: str, seconds: float = LONG) -> None:
        """Wait until all the words are on the screen."""

        def missing() -> list[str]:
            shown = self.words
            return [word for word in words if word not in shown]

        deadline, rest = monotonic() + seconds, LOOK_AFTER
        while left := missing():
            assert monotonic() < deadline, f"{left} did not come; the screen:\n{self.sees}"
            await asyncio.sleep(rest)
            rest = min(1.5 * rest, LOOK_AT_LEAST_EVERY)

    async def has_read(self) -> Preview:
        """Wait until the project beside the list was read from its forge; what was kept may be shown before."""
        await self.until(self._is_read)
        return self.app.screen.query_one(Preview)

    def _is_read(self) -> bool:
        shown = self.app.screen.query(Preview)
        return any(one.reading is not None and not one.reading.offline for one in shown)


@asynccontextmanager
async def at_the_screen(
    services: Services, *, size: tuple[int, int] = (120, 40), first_run: bool = False
) -> AsyncIterator[Person]:
    """Run the screens while the block lasts; the person at the keyboard waits for every dialog."""
    app = IsexploreApp(services, first_run=first_run)
    before, AskDialog.KEYS_AFTER = AskDialog.KEYS_AFTER, 0.0
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            yield Person(pilot)
    finally:
        AskDialog.KEYS_AFTER = before
        await services.disconnect()
