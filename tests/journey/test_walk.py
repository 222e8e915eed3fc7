"""The whole way, from a project to a merge, with real git and a forge that keeps its contract."""

from __future__ import annotations

import pytest

from isexplore.errors import BlockedError, ScopeError
from isexplore.journey.states import STEP_NAMES
from isexplore.models import Role
from tests.support.contributor import COMMIT, Contributor, states


async def test_the_whole_way(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    report = await world.probe(journey)
    assert states(report)["check"] == "done"
    assert report.current == "claim"

    await world.run_until(journey, "branch")
    report = await world.probe(journey)
    assert report.current == "change"
    assert report.journey.fork == "nia/retry-queue"
    assert world.git("remote", "get-url", "origin") == f"{world.server.origin}/nia/retry-queue.git"
    assert world.git("remote", "get-url", "upstream") == f"{world.server.origin}/payments/retry-queue.git"
    assert world.git("branch", "--show-current") == "41-explain-the-back-off-in-the-readme"
    assert len(world.forge.comments_on[world.project.id, 41]) == 1

    with pytest.raises(BlockedError, match="Nothing has changed"):
        await world.run(journey, "change")
    world.edit()
    report = await world.probe(journey)
    assert report.current == "commit"
    assert [fact.text for fact in report.step("commit").facts] == ["modified: README.md"]

    await world.run(journey, "commit", COMMIT)
    assert world.git("log", "-1", "--format=%s|%an|%ae") == "Explain the back-off|Nia Example|nia@example.org"
    report = await world.probe(journey)
    assert report.current == "push"

    await world.run(journey, "push")
    fork = world.forge.forks_of(world.project)[0]
    branch = report.journey.branch
    assert world.forge.branches_of(fork)[branch] == world.git("rev-parse", "HEAD")
    assert branch not in world.forge.branches_of(world.project)

    await world.run(journey, "propose")
    (request,) = world.forge.requests_of(world.project)
    assert request.title == "Explain the back-off"
    assert "Closes #41" in request.description
    assert (request.source_project, request.target_branch) == ("nia/retry-queue", "main")
    report = await world.probe(journey)
    assert report.current == "review"
    assert report.step("review").state == "waiting"

    world.forge.merge(world.project, request.number)
    report = await world.probe(journey)
    assert report.current is None
    assert set(states(report).values()) == {"done"}
    assert report.journey.outcome == "merged"


async def test_running_every_step_twice_changes_nothing(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    for step in STEP_NAMES:
        if step == "change":
            world.edit()
        for _ in range(2):
            await world.run(journey, step, COMMIT if step == "commit" else None)
    assert len(world.forge.forks_of(world.project)) == 1
    assert len(world.forge.requests_of(world.project)) == 1
    assert len(world.forge.comments_on[world.project.id, 41]) == 1
    assert len(world.git("log", "--format=%H", "upstream/main..HEAD").splitlines()) == 1


async def test_reviewer_asks_and_the_loop_begins_again(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    await world.run_until(journey, "branch")
    world.edit()
    await world.run(journey, "commit", COMMIT)
    await world.run_until(journey, "propose")
    thread = world.forge.ask_for_change(world.project, 1, "Please name the unit", file="README.md", line=3)

    report = await world.probe(journey)
    assert report.current == "review"
    assert report.step("review").state == "ready"
    assert report.step("review").facts[0].text == "@mara in README.md:3: Please name the unit"

    world.edit({"README.md": "# Retry queue\n\nIt backs off for 2 seconds.\n"})
    report = await world.probe(journey)
    assert report.current == "commit"
    assert report.step("review").state == "ready", "what the reviewer asks stays in sight"
    await world.run(journey, "commit", COMMIT | {"message": "Name the unit"})
    assert (await world.probe(journey)).current == "push"
    await world.run(journey, "push")
    report = await world.probe(journey)
    assert report.current == "review"
    assert report.merge_request is not None
    assert report.merge_request.sha == world.git("rev-parse", "HEAD")

    reply = {"reply": "Done, thank you", "discussion": thread.id}
    await world.run(journey, "review", reply)
    await world.run(journey, "review", reply)
    (answered,) = world.forge.threads[world.project.id, 1].discussions
    assert [comment.body for comment in answered.comments] == ["Please name the unit", "Done, thank you"]
    assert (await world.probe(journey)).step("review").state == "waiting"
    assert len(world.forge.requests_of(world.project)) == 1


async def test_someone_with_push_rights_still_forks(world: Contributor) -> None:
    world.project = world.forge.change_project(world.project, role=Role.DEVELOPER)
    journey = world.journeys().start(world.project, world.issue)
    await world.run_until(journey, "fork")
    report = await world.probe(journey)
    assert report.journey.fork == "nia/retry-queue"
    assert world.forge.issues_of[world.project.id][41].assignees == ("nia",)
    assert report.step("claim").detail == "assigned to you"


async def test_own_project_needs_no_fork(world: Contributor) -> None:
    own = world.forge.add_project("nia/tools", owner="nia", role=Role.OWNER)
    world.project = own
    journey = world.journeys().start(own)
    await world.run_until(journey, "branch")
    assert world.forge.forks_of(own) == []
    assert world.git("remote") == "origin"
    world.edit()
    await world.run(journey, "commit", COMMIT)
    await world.run_until(journey, "propose")
    (request,) = world.forge.requests_of(own)
    assert request.source_project == "nia/tools"


async def test_a_token_that_may_not_comment_does_not_stop_the_way(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    refusal = ScopeError(
        "The token may not write comments", "", "Make one with write:issue", missing=("write:issue",)
    )
    for method in ("comment_on_issue", "assign_issue"):
        world.forge.fail(method, refusal)
    told = [progress.text async for progress in world.journeys().run_until(journey, "branch")]
    assert any("left out" in text and "write:issue" in text for text in told)
    assert states(await world.probe(journey))["branch"] == "done"
