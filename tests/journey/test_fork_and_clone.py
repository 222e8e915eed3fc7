"""How fresh a fork is, what a clone leaves out, and git over SSH, on the way to one's own branch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from isexplore.errors import GitError, UnavailableError
from isexplore.git.client import Git
from isexplore.journey.world import World
from isexplore.models import Divergence, Project
from tests.support.contributor import Contributor, contributor
from tests.support.git import add_commit, git
from tests.support.ssh import recorded, stand_in


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Contributor]:
    with contributor(tmp_path) as one:
        yield one


async def test_a_fork_that_is_behind_says_so_and_blocks_nothing(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    await world.run(journey, "fork")
    (fork,) = world.forge.forks_of(world.project)
    assert (await world.probe(journey)).step("fork").detail == fork.path
    for number in range(2):
        add_commit(world.server.bare(world.project.path), {f"{number}.md": "new\n"}, "News")
    step = (await world.probe(journey)).step("fork")
    assert (step.state, step.detail) == ("done", f"{fork.path}, 2 behind upstream/main")


async def test_a_forge_that_cannot_tell_how_fresh_a_fork_is_is_not_asked_again(
    world: Contributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def no(fork: Project, upstream: Project, branch: str) -> Divergence | None:
        asked.append(branch)
        raise UnavailableError("The comparison took too long")

    monkeypatch.setattr(world.forge, "divergence", no)
    journeys = world.journeys()
    journey = journeys.start(world.project, world.issue)
    async for _ in journeys.run(journey, "fork"):
        pass
    for _ in range(3):
        step = (await journeys.probe(journeys.get(journey.id))).step("fork")
        assert step.state == "done"
    assert asked == ["main"]


async def test_a_clone_from_this_machine_has_every_version_of_every_file(world: Contributor) -> None:
    bare = world.server.bare(world.project.path)
    add_commit(bare, {"README.md": "# Another text\n"}, "Say it differently")
    journey = world.journeys().start(world.project, world.issue)
    await world.only_fork(journey)
    planned = await world.journeys().plan(journey, "clone")
    assert "--filter" not in planned[0].text
    await world.run(journey, "clone")
    missing = git("rev-list", "--objects", "--all", "--missing=print", cwd=world.folder)
    assert not [line for line in missing.splitlines() if line.startswith("?")]
    assert "promisor" not in (world.folder / ".git" / "config").read_text()


@pytest.mark.parametrize(
    ("url", "partial"),
    [
        ("http://127.0.0.1:8080/a/b.git", False),
        ("http://localhost/a/b.git", False),
        ("http://[::1]:3000/a/b.git", False),
        ("https://git.example.com/a/b.git", True),
        ("git@git.example.com:a/b.git", True),
        ("ssh://git@git.example.com:2222/a/b.git", True),
    ],
)
def test_old_versions_of_files_are_left_out_where_they_would_have_to_travel(url: str, partial: bool) -> None:
    assert World.leaves_out_old_files(url) is partial


async def test_a_clone_over_ssh_takes_the_addresses_as_the_forge_gives_them(
    world: Contributor, tmp_path: Path
) -> None:
    home = tmp_path / "ssh"
    home.mkdir()
    client = Git(environment={**os.environ, **stand_in(home, tmp_path / "repositories")})
    journeys = world.journeys(transport="ssh", git_client=client)
    journey = journeys.start(world.project, world.issue)
    async for _ in journeys.run(journey, "fork"):
        pass
    (fork,) = world.forge.forks_of(world.project)
    for project in (fork, world.project):
        world.forge.change_project(project, ssh_url=f"ssh://git@127.0.0.1:2222/{project.path}.git")
    for step in ("clone", "branch"):
        async for _ in journeys.run(journeys.get(journey.id), step):
            pass
    report = await journeys.probe(journeys.get(journey.id))
    assert (report.step("clone").state, report.step("branch").state) == ("done", "done")
    assert world.git("remote", "get-url", "origin") == f"ssh://git@127.0.0.1:2222/{fork.path}.git"
    assert world.git("remote", "get-url", "upstream").endswith(f":2222/{world.project.path}.git")
    assert all("BatchMode=yes" in call for call in recorded(home))
    assert world.server.token not in (home / "environment").read_text()


async def test_an_unknown_host_is_explained_with_the_command_to_run(
    world: Contributor, tmp_path: Path
) -> None:
    home = tmp_path / "ssh"
    (home / "bin").mkdir(parents=True)
    refusing = home / "bin" / "ssh"
    refusing.write_text("#!/bin/sh\nprintf 'Host key verification failed.\\r\\n' >&2\nexit 255\n")
    refusing.chmod(0o755)
    client = Git(environment={**os.environ, "PATH": f"{home / 'bin'}:{os.environ['PATH']}"})
    journeys = world.journeys(transport="ssh", git_client=client)
    journey = journeys.start(world.project, world.issue)
    async for _ in journeys.run(journey, "fork"):
        pass
    (fork,) = world.forge.forks_of(world.project)
    world.forge.change_project(fork, ssh_url=f"ssh://git@127.0.0.1:2222/{fork.path}.git")
    with pytest.raises(GitError) as raised:
        async for _ in journeys.run(journeys.get(journey.id), "clone"):
            pass
    assert raised.value.reason == "host-key"
    assert "ssh -p 2222 -T git@127.0.0.1" in raised.value.hint
    assert not world.folder.exists()
