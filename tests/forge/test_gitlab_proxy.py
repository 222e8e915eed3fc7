"""A GitLab behind a proxy that turns %2F into a slash: what is asked for by path is found in another way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from isexplore.config.secrets import Secret
from isexplore.errors import NotVisibleError
from isexplore.forge.gitlab import GitLabForge
from isexplore.forge.http import ForgeClient
from isexplore.practice.server import Knobs
from tests.support.practice import RunningPractice, run_git, running_practice


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPractice]:
    folder = tmp_path_factory.mktemp("forge")
    with running_practice(folder, knobs=Knobs(decodes_slashes=True)) as forge:
        clone: Path = folder / "clone"
        run_git("clone", "-q", forge.clone_url("tools/alpha", "token-of-mara"), str(clone), cwd=folder)
        for name in ("docs/usage", "docs/usage-2"):
            run_git("push", "-q", "origin", f"HEAD:refs/heads/{name}", cwd=clone)
        yield forge


@pytest.fixture
async def forge(practice: RunningPractice) -> AsyncIterator[GitLabForge]:
    client = ForgeClient(name="work", base_url=f"{practice.url}/api/v4", token=Secret(practice.token))
    forge = GitLabForge(name="work", url=practice.url, client=client)
    yield forge
    await forge.close()


async def test_a_project_is_found_by_searching(forge: GitLabForge) -> None:
    assert (await forge.project("tools/alpha")).path == "tools/alpha"
    with pytest.raises(NotVisibleError):
        await forge.project("tools/nothing")


async def test_a_file_in_a_folder_is_found_by_its_folder(forge: GitLabForge) -> None:
    project = await forge.project("tools/alpha")
    assert await forge.file(project, "docs/usage.md") == b"Use it.\n"
    assert await forge.file(project, "docs/usage.md", ref="main", limit=3) == b"Use"
    assert await forge.file(project, ".gitlab/merge_request_templates/Default.md") == b"## What\n"
    assert await forge.file(project, "README.md") is not None
    assert await forge.file(project, "docs/nothing.md") is None
    assert await forge.file(project, "nowhere/nothing.md") is None


async def test_a_branch_with_a_slash_is_found_in_the_list(forge: GitLabForge) -> None:
    project = await forge.project("tools/alpha")
    branch = await forge.branch(project, "docs/usage")
    assert branch is not None
    assert branch.name == "docs/usage"
    assert await forge.branch(project, "docs/us") is None
    assert await forge.branch(project, "nothing") is None


async def test_a_group_below_another_is_explained(forge: GitLabForge) -> None:
    with pytest.raises(NotVisibleError) as caught:
        async for _ in forge.find_projects(("innersource",), groups=("tools/deep",)):
            pass
    assert "proxy" in caught.value.hint
    assert "number" in caught.value.hint
