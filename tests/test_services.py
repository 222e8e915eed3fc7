"""The composition root: what it makes of a configuration."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.config.secrets import Secret
from isexplore.models import ForgeKind, ProjectRef
from isexplore.services import Journey, JourneyReport, Services
from tests.support.fake_forge import FakeForge
from tests.support.newcomer import git


def test_a_former_address_is_replaced_as_a_whole(tmp_path: Path) -> None:
    forge = ForgeConfig(
        name="work",
        url="https://gitlab.example",
        kind=ForgeKind.GITLAB,
        former_urls=("https://dev.example/gitlab",),
    )
    services = Services(Paths.under(tmp_path), Config(forges=(forge,)))
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "-q")
    git(folder, "remote", "add", "origin", "https://dev.example/gitlab/g/p.git")
    git(folder, "remote", "add", "wiki", "https://dev.example/wiki.git")

    async def addresses() -> list[str]:
        return [await services.git.remote_url(folder, name) for name in ("origin", "wiki")]

    assert asyncio.run(addresses()) == ["https://gitlab.example/g/p.git", "https://dev.example/wiki.git"]


async def test_signing_in_again_leaves_no_connection_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = Paths.under(tmp_path)
    paths.config_file.parent.mkdir(parents=True)
    paths.config_file.write_text('[forge.work]\nurl = "https://gitlab.example"\nkind = "gitlab"\n')
    services = Services.open(paths)
    made: list[FakeForge] = []

    async def connect(config: ForgeConfig) -> FakeForge:
        made.append(FakeForge(tmp_path))
        return made[-1]

    monkeypatch.setattr(services, "_connect", connect)
    before = await services.forge("work")
    services.add_forge(services.forge_config("work"), Secret("another"), "nia")
    assert await services.forge("work") is not before
    await services.disconnect()
    assert [one.calls for one in made] == [["close"], ["close"]]


async def test_a_connection_in_the_making_is_not_used_once_somebody_signed_in_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = Paths.under(tmp_path)
    paths.config_file.parent.mkdir(parents=True)
    paths.config_file.write_text('[forge.work]\nurl = "https://gitlab.example"\nkind = "gitlab"\n')
    services = Services.open(paths)
    made: list[FakeForge] = []

    async def connect(config: ForgeConfig) -> FakeForge:
        made.append(FakeForge(tmp_path))
        if len(made) == 1:
            services.add_forge(config, Secret("another"), "nia")
        return made[-1]

    monkeypatch.setattr(services, "_connect", connect)
    first, second = await services.forge("work"), await services.forge("work")
    assert len(made) == 2
    assert first is second is made[1]
    await services.disconnect()
    assert [one.calls for one in made] == [["close"], ["close"]]


async def test_looks_at_contributions_end_with_whoever_wanted_them(tmp_path: Path) -> None:
    services = Services(Paths.under(tmp_path), Config())
    silence = asyncio.Event()

    class Silent:
        async def probe(self, journey: Journey, *, thorough: bool) -> JourneyReport:
            if journey.id != "1":
                await silence.wait()
            return JourneyReport(journey=journey, steps=(), current=None)

    async def journeys_for(journey: Journey) -> Any:
        return Silent()

    services.journeys_for = journeys_for  # type: ignore[method-assign]
    before = asyncio.all_tasks()
    journeys = [Journey(id=str(number), forge="work", project="tools/alpha") for number in range(1, 9)]
    async with aclosing(services.probe_all(journeys)) as outcomes:
        journey, _ = await anext(outcomes)
    assert journey.id == "1"
    assert asyncio.all_tasks() == before


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Services, FakeForge]:
    """Services whose forge has the projects a/0, a/1 and a/2."""
    paths = Paths.under(tmp_path / "world")
    paths.config_file.parent.mkdir(parents=True)
    paths.config_file.write_text('[forge.work]\nurl = "https://gitlab.example"\nkind = "gitlab"\n')
    services = Services.open(paths)
    forge = FakeForge(tmp_path / "forge")
    for number in range(3):
        forge.add_project(f"a/{number}")

    async def connect(config: ForgeConfig) -> FakeForge:
        return forge

    monkeypatch.setattr(services, "_connect", connect)
    return services, forge


async def test_what_was_read_longest_ago_is_not_kept_for_ever(
    reader: tuple[Services, FakeForge], monkeypatch: pytest.MonkeyPatch
) -> None:
    services, forge = reader
    monkeypatch.setattr("isexplore.reading.asking.READINGS", 2)
    for path in ("a/0", "a/1", "a/0", "a/2"):
        await services.read(ProjectRef("work", path))
    assert [ref.path for ref in services.readings] == ["a/0", "a/2"]
    assert forge.calls.count("project") == 3


async def test_what_somebody_else_read_is_read_again(
    reader: tuple[Services, FakeForge], monkeypatch: pytest.MonkeyPatch
) -> None:
    services, forge = reader
    await services.read(ProjectRef("work", "a/0"))
    services.add_forge(services.forge_config("work"), Secret("another"), "nia")
    assert not services.readings

    def meanwhile(name: str) -> None:
        if name == "project":
            services.add_forge(services.forge_config("work"), Secret("a third"), "ravi")

    monkeypatch.setattr(forge, "before_call", meanwhile)
    await services.read(ProjectRef("work", "a/0"))
    assert not services.readings, "it was asked for with the token before"
