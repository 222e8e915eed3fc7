"""Two forges at once: one catalog, each with its own token; what one of them fails at does not hide the other."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from isexplore.catalog.query import search
from isexplore.catalog.store import Row
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.config.secrets import Secret
from isexplore.errors import ForgeError, UsageError
from isexplore.journey.states import JourneyReport
from isexplore.models import ForgeKind, ProjectRef
from isexplore.services import Services
from isexplore.updates import ask_forges, refresh
from tests.support.practice import ALPHA, BETA, RunningPractice, running_practice

pytestmark = pytest.mark.usefixtures("hurried")
TOKENS = {"east": "token-for-the-east", "west": "token-for-the-west"}


@dataclass
class Two:
    """Two practice forges and somebody who is signed in to both."""

    folder: Path
    forges: dict[str, RunningPractice] = field(default_factory=dict)
    running: dict[str, ExitStack] = field(default_factory=dict)

    def start(self, name: str) -> None:
        world = self.folder / name
        world.mkdir()
        seeds = (ALPHA,) if name == "east" else (ALPHA, BETA)
        self.running[name] = ExitStack()
        self.forges[name] = self.running[name].enter_context(
            running_practice(world, seeds=seeds, import_seconds=0.02, token=TOKENS[name])
        )

    def stop(self, name: str) -> None:
        """Let a forge go down; nothing answers on its port any more."""
        self.running[name].close()

    def services(self) -> Services:
        """Start the program."""
        config = Config(
            forges=tuple(
                ForgeConfig(name=name, url=forge.url, kind=ForgeKind.GITLAB, username="nia")
                for name, forge in self.forges.items()
            ),
            clone_folder=self.folder / "src",
        )
        services = Services(Paths.under(self.folder / "isexplore"), config)
        for forge in config.forges:
            services.tokens.remember(forge, Secret(TOKENS[forge.name]), "nia")
        return services


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    both = Two(tmp_path)
    with ExitStack() as stack:
        for name in ("east", "west"):
            both.start(name)
            stack.callback(both.stop, name)
        yield both


def rows(services: Services, text: str) -> list[Row]:
    services.reopen_catalog()
    return search(services.catalog, text, limit=50).rows


def places(services: Services, text: str) -> list[tuple[str, str]]:
    return sorted((row.forge, row.path) for row in rows(services, text))


async def test_both_forges_are_in_one_catalog_and_a_mirrored_project_is_there_twice(two: Two) -> None:
    services = two.services()
    try:
        done = await refresh(services)
        assert done.failures == ()
        assert places(services, "") == [
            ("east", "tools/alpha"),
            ("west", "tools/alpha"),
            ("west", "tools/deep/beta"),
        ]
        assert places(services, "forge:west") == [("west", "tools/alpha"), ("west", "tools/deep/beta")]
        pages = {row.forge: row.url for row in rows(services, "alpha")}
        assert pages == {name: f"{forge.url}/tools/alpha" for name, forge in two.forges.items()}
    finally:
        await services.disconnect()


async def test_a_mirrored_project_must_be_named_with_its_forge(two: Two) -> None:
    services = two.services()
    try:
        await refresh(services)
        services.reopen_catalog()
        with pytest.raises(UsageError) as raised:
            services.resolve("tools/alpha")
        assert "east: tools/alpha" in raised.value.detail
        assert "west: tools/alpha" in raised.value.detail
        assert services.resolve(f"{two.forges['west'].url}/tools/alpha") == ProjectRef("west", "tools/alpha")
        assert services.resolve("beta") == ProjectRef("west", "tools/deep/beta")
    finally:
        await services.disconnect()


async def test_a_forge_that_is_down_is_named_and_does_not_hide_the_other(two: Two) -> None:
    services = two.services()
    try:
        await refresh(services)
    finally:
        await services.disconnect()
    two.stop("east")
    services = two.services()
    try:
        done = await refresh(services, full=True)
        (failure,) = done.failures
        assert failure.startswith("east: ")
        assert {one.forge for one in done.report.forges if not one.failures} == {"west"}
        services.reopen_catalog()
        found = search(services.catalog, "alpha", limit=10)
        assert {row.forge for row in found.rows} == {"east", "west"}, "what is known of it stays"
        ((forge, reason),) = found.incomplete
        assert forge == "east"
        assert reason
        issues = services.first_issues("")
        assert [name for name, _ in issues.incomplete] == ["east"]
        assert {issue.forge for issue in issues.issues} == {"east", "west"}
        asked = await ask_forges(services, "beta")
        assert "1 project" in asked.words
        assert [each.split(":")[0] for each in asked.failures] == ["east"]
        kept = await services.read(ProjectRef("west", "tools/alpha"))
        assert not kept.offline
    finally:
        await services.disconnect()


async def test_a_forge_that_was_never_reached_is_named_as_well(two: Two) -> None:
    two.stop("east")
    services = two.services()
    try:
        await refresh(services)
        services.reopen_catalog()
        found = search(services.catalog, "", limit=10)
        assert {row.forge for row in found.rows} == {"west"}
        assert [forge for forge, _ in found.incomplete] == ["east"]
        with pytest.raises(ForgeError) as raised:
            await services.read(ProjectRef("east", "tools/alpha"))
        assert raised.value.forge == "east"
    finally:
        await services.disconnect()


async def test_contributions_to_both_copies_of_a_project_and_tokens_that_stay_at_home(two: Two) -> None:
    services = two.services()
    try:
        for name in ("east", "west"):
            folder = two.folder / "src" / name
            journey = await services.begin(ProjectRef(name, "tools/alpha"), 1, folder=folder)
            journeys = await services.journeys_for(journey)
            async for _ in journeys.run_until(journey, "clone"):
                pass
            report = await journeys.probe(journeys.get(journey.id))
            assert report.step("clone").state == "done", report.step("clone").detail
            assert two.forges[name].url in (folder / ".git" / "config").read_text()
        assert {journey.forge for journey in services.journey_store.list()} == {"east", "west"}

        two.stop("east")
        outcomes = {
            journey.forge: outcome
            async for journey, outcome in services.probe_all(services.journey_store.list())
        }
        east, west = outcomes["east"], outcomes["west"]
        assert isinstance(east, JourneyReport)
        assert isinstance(west, JourneyReport)
        assert (east.as_last_seen, west.as_last_seen) == (True, False)
        assert (east.step("clone").state, east.step("branch").state) == ("done", "blocked")
        assert west.step("clone").state == "done"
    finally:
        await services.disconnect()
    for name, other in (("east", "west"), ("west", "east")):
        seen = json.dumps(two.forges[name].headers)
        own, foreign = TOKENS[name], TOKENS[other]
        assert own in seen
        assert base64.b64encode(f"oauth2:{own}".encode()).decode() in seen, "git signed in"
        assert foreign not in seen
        assert base64.b64encode(f"oauth2:{foreign}".encode()).decode() not in seen
