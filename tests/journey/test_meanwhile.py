"""The clone that is made while the forge makes the fork ends as the one that is made after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest

from isexplore.errors import BlockedError, ForbiddenError, GitError
from isexplore.journey.states import Progress
from isexplore.journey.store import Journey
from isexplore.journey.world import Surroundings, World
from isexplore.models import ForkState, ForkStatus
from tests.journey.test_crashes import CLONING, CrashingGit
from tests.support.contributor import Contributor, contributor
from tests.support.fake_forge import Crash
from tests.support.git import git, write_files

PATIENCE = 10
"""Seconds after which something that should have happened has not."""


def begin(world: Contributor) -> Journey:
    return world.journeys().start(world.project, world.issue)


def texts(said: list[Progress]) -> list[str]:
    return [progress.text for progress in said]


def settings(folder: Path) -> list[str]:
    return sorted(git("config", "--local", "--list", cwd=folder).splitlines())


def refs(folder: Path) -> set[str]:
    return set(git("for-each-ref", "--format=%(refname) %(objectname) %(symref)", cwd=folder).splitlines())


def leftovers(world: Contributor) -> list[Path]:
    return list(world.root.rglob("*")) if world.root.exists() else []


async def assert_whole(world: Contributor, journey: Journey) -> None:
    assert len(world.forge.forks_of(world.project)) == 1
    report = await world.probe(journey)
    assert (report.step("fork").state, report.step("clone").state) == ("done", "done")
    assert report.journey.folder == str(world.folder)
    assert world.git("remote").split() == ["origin", "upstream"]
    assert world.git("remote", "get-url", "origin") == f"{world.server.origin}/nia/retry-queue.git"
    assert world.git("remote", "get-url", "upstream") == world.server.url(world.project.path)
    assert world.git("rev-parse", "--abbrev-ref", "main@{upstream}") == "origin/main"
    assert world.git("rev-parse", "--abbrev-ref", "main@{push}") == "origin/main"
    assert world.git("status", "--porcelain") == ""
    assert [path.name for path in world.folder.parent.iterdir()] == [world.folder.name]


async def test_the_clone_begins_before_the_fork_is_ready(
    world: Contributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The forge is not done before git has asked for the original: one after the other never ends."""
    waited: list[bool] = []

    async def status(fork: Any) -> ForkStatus:
        return ForkStatus(state=ForkState.READY if any(waited) else ForkState.IMPORTING)

    async def sleep(seconds: float) -> None:
        waited.append(await asyncio.to_thread(world.server.asked.wait, PATIENCE))
        assert waited[-1], "git has not asked for anything"

    monkeypatch.setattr(world.forge, "fork_status", status)
    journeys = world.journeys()
    journeys._around = Surroundings(git=journeys._around.git, config=journeys._around.config, sleep=sleep)
    journey = begin(world)
    said = [progress async for progress in journeys.run(journey, "fork")]
    assert texts(said)[:2] == [
        "Forking payments/retry-queue",
        f"Cloning payments/retry-queue into {world.folder} meanwhile",
    ]
    assert any(text.startswith("Cloning meanwhile: Receiving objects") for text in texts(said))
    assert texts(said)[-1] == f"The clone is in {world.folder}"
    assert "nia/retry-queue is ready" in texts(said)
    assert "/payments/retry-queue.git" in world.server.requests[0][1]
    await assert_whole(world, journey)


@pytest.mark.parametrize("partial", [False, True], ids=["whole", "partial"])
async def test_both_ways_end_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, partial: bool) -> None:
    monkeypatch.setattr(World, "leaves_out_old_files", staticmethod(lambda url: partial))
    found = []
    for way in ("together", "in turn"):
        with contributor(tmp_path / way) as world:
            journey = begin(world)
            if way == "together":
                await world.run(journey, "fork")
                assert world.folder.exists()
            else:
                await world.only_fork(journey)
                assert not world.folder.exists()
                await world.run(journey, "clone")
            await assert_whole(world, journey)
            await world.run(journey, "branch")
            (fork,) = world.forge.forks_of(world.project)
            tip = world.git("rev-parse", "upstream/main")
            found.append(
                (
                    [line.replace(world.server.origin, "") for line in settings(world.folder)],
                    {line.replace(tip, "tip") for line in refs(world.folder)},
                    world.git("branch", "--show-current"),
                    fork.path,
                )
            )
    (together, ours, *rest), (in_turn, theirs, *others) = found
    # Old files come from the original rather than from the fork, which may be deleted one day.
    lazy = ("remote.upstream.promisor", "remote.upstream.partialclonefilter")
    assert sum(line.startswith(lazy) for line in together) == (2 if partial else 0)
    assert (
        sorted(
            line.replace("remote.upstream.", "remote.origin.") if line.startswith(lazy) else line
            for line in together
        )
        == in_turn
    )
    # `git clone` notes the default branch of what it clones; both remotes have one then.
    assert ours - theirs == {"refs/remotes/upstream/HEAD tip refs/remotes/upstream/main"}
    assert theirs <= ours
    assert rest == others


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_killed_at_every_call_of_the_forge(tmp_path: Path, after: bool) -> None:
    number = 0
    while True:
        number += 1
        with contributor(tmp_path / str(number)) as world:
            world.forge.slow_forks = 1
            journey = begin(world)
            calls = len(world.forge.calls)
            world.forge.crash_at(number, after=after)
            # A call that answers with an error is not one to be killed after.
            with suppress(Crash):
                await world.run(journey, "fork")
            made = world.forge.calls[calls:]
            if len(made) < number:
                assert {"my_fork", "fork", "fork_status"} <= set(made)
                return
            world.forge.crash_at(None)
            if world.forge.crashed:
                assert leftovers(world) == []
            for step in ("fork", "clone"):
                await world.run(journey, step)
            await assert_whole(world, journey)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("command", CLONING)
async def test_killed_at_every_call_of_git(world: Contributor, command: str, after: bool) -> None:
    journey = begin(world)
    crashing = CrashingGit(world.forge, {command}, after=after)
    with pytest.raises(Crash):
        async for _ in world.journeys(git_client=crashing).run(journey, "fork"):
            pass
    # The calls end in the order clone(add_remote, fetch, follow): only the first one's end leaves a clone.
    assert world.folder.exists() == (command == "clone" and after)
    for step in ("fork", "clone"):
        await world.run(journey, step)
    await assert_whole(world, journey)


async def test_those_are_all_the_calls_of_git(world: Contributor) -> None:
    watching = CrashingGit(world.forge, set())
    async for _ in world.journeys(git_client=watching).run(begin(world), "fork"):
        pass
    assert watching.given == list(CLONING)


@pytest.mark.parametrize("how", ["task", "generator"])
async def test_cancelling_leaves_nothing(world: Contributor, how: str) -> None:
    journey = begin(world)
    world.server.mode = "stall"
    running = cast("AsyncGenerator[Progress, None]", world.journeys().run(journey, "fork"))
    if how == "task":

        async def run() -> None:
            async for _ in running:
                pass

        task = asyncio.create_task(run())
        assert await asyncio.to_thread(world.server.asked.wait, PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        async for progress in running:
            if progress.text.endswith(" is ready"):
                break
        assert await asyncio.to_thread(world.server.asked.wait, PATIENCE)
        await running.aclose()
    assert not world.folder.exists()
    assert leftovers(world) == []
    world.server.mode = "ok"
    await world.run(journey, "fork")
    await world.run(journey, "clone")
    await assert_whole(world, journey)


@pytest.mark.parametrize("what", ["clone", "empty folder", "file", "link"])
async def test_what_is_in_the_folder_stays(world: Contributor, what: str) -> None:
    world.folder.parent.mkdir(parents=True)
    match what:
        case "clone":
            git(
                "clone",
                "--quiet",
                str(world.server.bare(world.project.path)),
                world.folder.name,
                cwd=world.folder.parent,
            )
            write_files(world.folder, {"README.md": "mine\n"})
        case "empty folder":
            world.folder.mkdir()
        case "file":
            world.folder.write_text("mine")
        case "link":
            world.folder.symlink_to(world.home / "nowhere")
    before = {path: path.lstat() for path in leftovers(world)}
    journey = begin(world)
    (command,) = await world.journeys().plan(journey, "fork")
    assert command.kind == "api"
    await world.run(journey, "fork")
    assert {path: path.lstat() for path in leftovers(world)} == before
    assert len(world.forge.forks_of(world.project)) == 1
    assert world.server.requests == []


async def test_a_clone_that_fails_leaves_the_fork_done_and_is_told_by_its_own_step(
    world: Contributor,
) -> None:
    world.server.mode = "cut"
    journey = begin(world)
    said = texts(await world.run(journey, "fork"))
    assert "nia/retry-queue is ready" in said
    assert "the step “clone” does it" in said[-1]
    assert world.server.token not in "\n".join(said)
    report = await world.probe(journey)
    assert report.step("fork").state == "done"
    assert report.step("clone").state == "ready"
    assert leftovers(world) == []
    with pytest.raises(GitError):
        await world.run(journey, "clone")
    world.server.mode = "ok"
    await world.run(journey, "clone")
    await assert_whole(world, journey)


async def test_a_clone_whose_files_could_not_be_written_is_finished_by_its_own_step(
    world: Contributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = type(world.journeys()._around.git).clone

    async def incomplete(self: Any, url: str, folder: Path, **options: Any) -> None:
        await clone(self, url, folder, **options)
        (folder / "README.md").unlink()
        raise GitError("Not all files could be written", reason="checkout-failed")

    monkeypatch.setattr(type(world.journeys()._around.git), "clone", incomplete)
    journey = begin(world)
    await world.run(journey, "fork")
    report = await world.probe(journey)
    assert (report.step("fork").state, report.step("clone").state) == ("done", "ready")
    await world.run(journey, "clone")
    await assert_whole(world, journey)


async def test_no_clone_of_what_cannot_be_forked(world: Contributor) -> None:
    world.forge.fail("fork", ForbiddenError("Forking is off", "403"))
    journey = begin(world)
    with pytest.raises(ForbiddenError):
        await world.run(journey, "fork")
    assert not world.folder.exists()
    assert leftovers(world) == []


async def test_no_clone_where_the_forge_fails_to_make_the_fork(
    world: Contributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def status(fork: Any) -> ForkStatus:
        return ForkStatus(state=ForkState.FAILED, detail="disk full")

    monkeypatch.setattr(world.forge, "fork_status", status)
    with pytest.raises(BlockedError, match="could not make"):
        await world.run(begin(world), "fork")
    assert leftovers(world) == []


async def test_a_fork_that_is_still_being_made_is_waited_for_with_a_clone(world: Contributor) -> None:
    world.forge.slow_forks = 3
    journey = begin(world)
    await world.forge.fork(world.project)
    lines = [command.text for command in await world.journeys().plan(journey, "fork")]
    assert [line.split()[0] for line in lines] == ["git"] * 4
    assert await world.journeys().plan(journey, "clone") == ()
    await world.run(journey, "fork")
    await assert_whole(world, journey)
    assert world.forge.calls.count("fork") == 1


async def test_nothing_is_cloned_before_anybody_said_where_to(world: Contributor) -> None:
    journey = begin(world)
    (command,) = await world.journeys(clone_folder=None).plan(journey, "fork")
    assert command.kind == "api"
    await world.only_fork(journey)
    assert world.server.requests == []
    (question,) = await world.journeys(clone_folder=None).questions(journey, "clone")
    assert question.key == "folder"


async def test_a_folder_that_was_named_is_enough(world: Contributor, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere" / "rq"
    journey = world.journeys().start(world.project, world.issue, folder=folder)
    await world.only_fork(journey)
    assert (folder / "README.md").exists()
    assert (await world.probe(journey)).step("clone").state == "done"


async def test_the_plan_is_what_runs(world: Contributor) -> None:
    journey = begin(world)
    planned = [command.text for command in await world.journeys().plan(journey, "fork")]
    url, fork = (world.server.url(path) for path in (world.project.path, "nia/retry-queue"))
    assert planned == [
        f"POST /projects/{world.project.id}/fork",
        f"git clone --no-recurse-submodules --origin upstream -- {url} {world.folder}",
        f"git -C {world.folder} remote add -m main -- origin {fork}",
        f"git -C {world.folder} fetch --no-recurse-submodules -- origin",
        f"git -C {world.folder} branch --set-upstream-to=origin/main -- main",
    ]
    assert await world.journeys().plan(journey, "clone") == ()
    await world.run(journey, "fork")
    assert await world.journeys().plan(journey, "fork") == ()
