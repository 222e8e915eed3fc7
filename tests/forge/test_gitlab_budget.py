"""How many requests the common things cost on a GitLab, counted over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from msgspec import structs

from isexplore.catalog.store import Account
from isexplore.catalog.sync import Options, Source, Sync
from isexplore.config.schema import DEFAULT_TAGS
from isexplore.config.secrets import Secret
from isexplore.forge.gitlab import GitLabForge
from isexplore.forge.http import ForgeClient
from isexplore.guide.preview import Preview, read_project
from tests.support.listing_forge import READING
from tests.support.practice import SEEDS, RunningPractice, light_projects, running_practice

PROJECTS = 140


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPractice]:
    spellings = [
        structs.replace(project, topics=("Inner-Source",)) if number % 5 == 0 else project
        for number, project in enumerate(light_projects(PROJECTS))
    ]
    with running_practice(tmp_path_factory.mktemp("forge"), seeds=SEEDS, light=spellings) as forge:
        yield forge


@pytest.fixture
def requests() -> list[str]:
    return []


@pytest.fixture
async def forge(practice: RunningPractice, requests: list[str]) -> AsyncIterator[GitLabForge]:
    client = ForgeClient(
        name="work",
        base_url=f"{practice.url}/api/v4",
        token=Secret(practice.token),
        on_request=lambda method, path: requests.append(f"{method} {path.removeprefix('/api/v4')}"),
    )
    forge = GitLabForge(name="work", url=practice.url, client=client)
    yield forge
    await forge.close()


async def test_a_first_screen_of_100_projects_costs_two_requests(
    forge: GitLabForge, requests: list[str]
) -> None:
    seen = 0
    async for page in forge.find_projects(("innersource",)):
        seen += len(page.projects)
        if seen >= 100:
            break
    assert requests == ["GET /topics", "GET /projects"]


async def test_both_default_spellings_cost_one_question_for_topics_and_one_listing_each(
    forge: GitLabForge, requests: list[str]
) -> None:
    pages = [page async for page in forge.find_projects(DEFAULT_TAGS)]
    found = {project.path for page in pages for project in page.projects}
    assert len(found) == PROJECTS + 2, "those of both spellings, and the two visible seeds"
    assert sorted(requests) == ["GET /projects", "GET /projects", "GET /projects", "GET /topics"], (
        "one listing has two pages"
    )


async def test_the_first_part_of_a_preview_costs_four_requests(
    forge: GitLabForge, requests: list[str]
) -> None:
    counts: list[int] = []

    def on_part(preview: Preview) -> None:
        counts.append(len(requests))

    preview = await read_project(forge, "tools/alpha", on_part=on_part)
    assert preview.document("README") is not None
    assert preview.document("CONTRIBUTING") is not None
    assert counts[0] <= 4, requests[: counts[0]]


async def test_a_sync_without_changes_costs_two_round_trips(
    forge: GitLabForge, requests: list[str], tmp_path: Path, practice: RunningPractice
) -> None:
    source = Source(forge=forge, account=Account("work", practice.url, "nia"), tags=DEFAULT_TAGS)

    async def sync() -> int:
        requests.clear()
        report = await Sync(str(tmp_path), (source,), READING, Options(looks=0)).run()
        assert report.forges[0].failures == ()
        return report.forges[0].changed

    assert await sync() == PROJECTS + 2
    await sync()
    assert sorted(requests) == ["GET /projects", "GET /projects", "GET /projects", "GET /topics"], (
        "the two listings, and what was archived, are asked for side by side"
    )
