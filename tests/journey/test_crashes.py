"""Killed at any moment: one fork, one branch, one merge request, and nothing lost."""

from __future__ import annotations

import asyncio
import copy
import os
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from isexplore.errors import GitError, IsexploreError, RateLimitedError, UnavailableError, WrongAnswerError
from isexplore.git.client import Git
from isexplore.journey.states import STEP_NAMES, StepName
from isexplore.journey.store import Journey
from isexplore.models import Role
from tests.support.contributor import COMMIT, Contributor, contributor
from tests.support.fake_forge import Crash, FakeForge, unavailable

GIT_WRITES = ("clone", "add_remote", "fetch", "follow", "create_branch", "set_identity", "commit", "push")
CLONING = ("clone", "add_remote", "fetch origin", "follow")
"""What is done to a clone that comes with the fork; test_meanwhile.py has a program die at each."""
LATER = ("fetch upstream", "create_branch", "set_identity", "commit", "push")


class CrashingGit(Git):
    """Dies once at each of some commands that change something, before or after it."""

    def __init__(self, forge: FakeForge, at: set[str], *, after: bool = False) -> None:
        super().__init__(environment=os.environ)
        self.forge = forge
        self.at = at
        """The commands at which it has yet to die."""
        self.after = after
        self.given: list[str] = []

    def die(self, command: str) -> None:
        if command in self.at and not self.forge.crashed:
            self.at.remove(command)
            raise self.forge.dying(Crash(command))

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name not in GIT_WRITES:
            return value
        original: Callable[..., Coroutine[Any, Any, Any]] = value

        async def mortal(*args: Any, **kwargs: Any) -> Any:
            command = f"fetch {args[1]}" if name == "fetch" else name
            self.given.append(command)
            if not self.after:
                self.die(command)
            result = await original(*args, **kwargs)
            if self.after:
                self.die(command)
            return result

        return mortal


async def walk(world: Contributor, journey: Journey, git_client: Git | None = None) -> None:
    """Do the whole contribution, as the screens do it: each step that is not done, in order."""
    journeys = world.journeys(git_client=git_client)
    for step in STEP_NAMES[:-1]:
        if step == "change" and not (await journeys.probe(journeys.get(journey.id))).step("change").detail:
            continue
        if (
            step == "change"
            and world.git("status", "--porcelain") == ""
            and not world.git("log", "--format=%H", "upstream/main..HEAD")
        ):
            world.edit()
        async for _ in journeys.run(journey, step, COMMIT if step == "commit" else None):
            pass


def assert_whole(world: Contributor) -> None:
    forks = world.forge.forks_of(world.project)
    assert len(forks) == 1
    requests = world.forge.requests_of(world.project)
    assert len(requests) == 1
    branch = requests[0].source_branch
    assert set(world.forge.branches_of(forks[0])) == {"main", branch}
    assert set(world.forge.branches_of(world.project)) == {"main"}
    assert requests[0].sha == world.git("rev-parse", "HEAD")
    assert len(world.git("log", "--format=%H", "upstream/main..HEAD").splitlines()) == 1
    assert world.git("remote").split() == ["origin", "upstream"]
    claims = len(world.forge.comments_on.get((world.project.id, 41), ()))
    claims += "nia" in world.forge.issues_of[world.project.id][41].assignees
    assert claims == 1
    (recorded,) = world.journeys().list()
    assert recorded.merge_request == 1
    assert recorded.fork == "nia/retry-queue"
    assert not [path for path in world.folder.parent.iterdir() if path.name.startswith(".isx")]


WRITING = ("assign_issue", "comment_on_issue", "fork", "open_merge_request")


@pytest.mark.parametrize("method", WRITING)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_killed_at_a_write_of_the_forge(world: Contributor, method: str, after: bool) -> None:
    if method == "assign_issue":
        world.project = world.forge.change_project(world.project, role=Role.DEVELOPER)
    journey = world.journeys().start(world.project, world.issue)
    world.forge.fail(method, Crash(method), after=after)
    with pytest.raises(Crash):
        await walk(world, journey)
    await walk(world, journey)
    assert_whole(world)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_killed_at_every_later_write_of_git(world: Contributor, after: bool) -> None:
    journey = world.journeys().start(world.project, world.issue)
    at = set(LATER)
    while at:
        with pytest.raises(Crash):
            await walk(world, journey, CrashingGit(world.forge, at, after=after))
    await walk(world, journey)
    assert_whole(world)


async def test_those_are_all_the_writes_of_git(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    watching = CrashingGit(world.forge, set())
    await walk(world, journey, watching)
    assert watching.given == [*CLONING, *LATER]


@pytest.mark.parametrize("step", ["claim", "fork", "propose", "push"])
async def test_killed_at_every_call_of_a_step(tmp_path: Path, step: StepName) -> None:
    number = 0
    with contributor(tmp_path / "world") as world:
        journey = world.journeys().start(world.project, world.issue)
        await _up_to(world, journey, step)
        back = keep(world, tmp_path / "kept")
        while True:
            number += 1
            back()
            world.forge.crash_at(number, after=number % 2 == 0)
            try:
                await world.run(journey, step)
            except Crash:
                finished = False
            else:
                finished = True
            world.forge.crash_at(None)
            if finished and number > 1:
                return
            await world.run(journey, step)
            report = await world.probe(journey)
            assert report.step(step).state == "done"
            assert len(world.forge.forks_of(world.project)) <= 1
            assert len(world.forge.requests_of(world.project)) <= 1
            assert len(world.forge.comments_on.get((world.project.id, 41), ())) <= 1


def keep(world: Contributor, folder: Path) -> Callable[[], None]:
    """Keep a copy of the world in `folder`; return what puts it back as it was."""
    facts = copy.deepcopy(vars(world.forge))
    shutil.copytree(world.home, folder, symlinks=True)

    def back() -> None:
        vars(world.forge).update(copy.deepcopy(facts))
        shutil.rmtree(world.home)
        shutil.copytree(folder, world.home, symlinks=True)

    return back


async def _up_to(world: Contributor, journey: Journey, step: StepName) -> None:
    for name in STEP_NAMES[: STEP_NAMES.index(step)]:
        if name == "change":
            world.edit()
        await world.run(journey, name, COMMIT if name == "commit" else None)


@pytest.mark.parametrize("method", WRITING[1:])
async def test_lost_answers_are_found_again_at_once(world: Contributor, method: str) -> None:
    journey = world.journeys().start(world.project, world.issue)
    world.forge.fail(method, unavailable(), after=True)
    if method == "comment_on_issue":
        with pytest.raises(UnavailableError):
            await walk(world, journey)
    await walk(world, journey)
    assert_whole(world)
    assert world.forge.calls.count(method) == 1


async def test_a_web_page_instead_of_an_answer_is_no_reason_to_send_twice(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    world.forge.fail("open_merge_request", WrongAnswerError("Not the API", "a web page"), after=True)
    await walk(world, journey)
    assert_whole(world)


async def test_merge_request_that_comes_into_being_late(
    world: Contributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks, the program is killed, and the forge finishes only afterwards."""
    journey = world.journeys().start(world.project, world.issue)
    await _up_to(world, journey, "propose")
    late = world.forge.find_merge_request
    looks = 0

    async def find(*args: Any, **kwargs: Any) -> Any:
        nonlocal looks
        looks += 1
        return None if looks <= 3 else await late(*args, **kwargs)

    world.forge.fail("open_merge_request", Crash("killed"), after=True)
    with pytest.raises(Crash):
        await world.run(journey, "propose")
    assert world.journeys().get(journey.id).intent is not None
    monkeypatch.setattr(world.forge, "find_merge_request", find)
    await world.run(journey, "propose")
    assert looks == 4
    assert world.forge.calls.count("open_merge_request") == 1
    assert world.journeys().get(journey.id).merge_request == 1
    assert world.journeys().get(journey.id).intent is None


async def test_a_refusal_leaves_no_intent(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    await _up_to(world, journey, "propose")
    world.forge.fail("open_merge_request", RateLimitedError("Too many requests"))
    with pytest.raises(RateLimitedError):
        await world.run(journey, "propose")
    assert world.journeys().get(journey.id).intent is None
    await world.run(journey, "propose")
    assert len(world.forge.requests_of(world.project)) == 1


async def test_two_programs_race_to_propose(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    await _up_to(world, journey, "propose")
    await asyncio.gather(*(world.run(journey, "propose") for _ in range(3)))
    assert world.forge.calls.count("open_merge_request") == 1
    assert len(world.forge.requests_of(world.project)) == 1


async def test_two_programs_race_from_the_start(world: Contributor) -> None:
    first, second = (world.journeys().start(world.project, world.issue) for _ in range(2))
    assert first.id == second.id
    results = await asyncio.gather(
        *(world.run_until(first, "branch") for _ in range(2)), return_exceptions=True
    )
    assert not [result for result in results if isinstance(result, BaseException)]
    assert len(world.forge.forks_of(world.project)) == 1
    assert len(world.forge.comments_on[world.project.id, 41]) == 1


async def test_push_whose_answer_is_lost_counts(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    await _up_to(world, journey, "push")
    world.server.mode = "cut-after-push"
    said = await world.run(journey, "push")
    assert any("connection broke" in progress.text for progress in said)
    assert (await world.probe(journey)).step("push").state == "done"


async def test_push_that_did_not_arrive_is_an_error(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    await _up_to(world, journey, "push")
    world.server.mode = "cut"
    with pytest.raises(GitError):
        await world.run(journey, "push")
    world.server.mode = "ok"
    await world.run(journey, "push")
    assert (await world.probe(journey)).step("push").state == "done"


async def test_cancelling_a_clone_leaves_nothing(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    await world.only_fork(journey)
    world.server.mode = "stall"
    world.server.asked.clear()
    running = asyncio.create_task(world.run(journey, "clone"))
    assert await asyncio.to_thread(world.server.asked.wait, 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not world.root.exists()
    world.server.mode = "ok"
    await world.run(journey, "clone")
    assert (world.folder / "README.md").exists()


@pytest.mark.parametrize("error", [unavailable(), RateLimitedError("Too many requests")])
async def test_a_probe_that_cannot_look_says_so(world: Contributor, error: IsexploreError) -> None:
    journey = world.journeys().start(world.project, world.issue)
    world.forge.fail("project", error)
    report = await world.journeys().probe(journey)
    assert report.current == "check"
    assert report.step("check").state == "blocked"
    assert error.title in report.step("check").detail
    assert {step.detail for step in report.steps[1:]} == {"not yet"}
