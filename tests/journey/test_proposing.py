"""What is told before a clone is proposed as it is checked out, and what is not taken for a new change."""

from __future__ import annotations

import pytest

from isexplore.errors import BlockedError
from isexplore.journey.store import Journey
from tests.support.contributor import COMMIT, Contributor


async def committed(world: Contributor) -> Journey:
    """Return a contribution with a commit of its own."""
    journey = world.journeys().start(world.project, world.issue)
    await world.run_until(journey, "branch")
    world.edit()
    await world.run(journey, "commit", COMMIT)
    return world.journeys().get(journey.id)


async def refusal(world: Contributor, journey: Journey) -> BlockedError:
    with pytest.raises(BlockedError) as caught:
        await world.journeys().before_proposing(world.journeys().get(journey.id))
    return caught.value


async def test_another_branch_is_named_and_stays_checked_out(world: Contributor) -> None:
    journey = await committed(world)
    assert await world.journeys().before_proposing(journey) == ()
    world.git("switch", "--quiet", "main")
    error = await refusal(world, journey)
    assert error.title == f"The clone is on main, your contribution on {journey.branch}"
    assert f"git switch {journey.branch}" in error.hint
    world.git("switch", "--quiet", "--detach")
    assert "on no branch" in (await refusal(world, journey)).title
    assert world.git("branch", "--show-current") == ""


async def test_what_is_not_committed_is_told(world: Contributor) -> None:
    journey = await committed(world)
    (world.folder / "new.txt").write_text("later")
    assert await world.journeys().before_proposing(journey) == ("Not in it: 1 file not committed.",)


async def test_commits_that_change_nothing_are_not_proposed(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    await world.run_until(journey, "branch")
    world.git("commit", "--quiet", "--allow-empty", "--message", "Nothing yet")
    error = await refusal(world, journey)
    assert error.title == "There is nothing to propose: 1 commit, and every file is as it is in upstream/main"
    step = (await world.probe(journey)).step("change")
    assert (step.state, step.detail) == ("ready", "1 commit, no change")
    with pytest.raises(BlockedError, match="nothing to propose"):
        await world.run_until(journey, "propose")
    with pytest.raises(BlockedError, match="nothing to propose"):
        await world.run(journey, "push")

    world.edit()
    assert "nothing to propose" in (await refusal(world, journey)).title, "it is not committed"
    await world.run(journey, "commit", COMMIT)
    assert await world.journeys().before_proposing(world.journeys().get(journey.id)) == ()
    world.git("revert", "--no-edit", "HEAD")
    assert "3 commits" in (await refusal(world, journey)).title
    assert world.forge.requests_of(world.project) == []
    fork = world.forge.forks_of(world.project)[0]
    assert list(world.forge.branches_of(fork)) == ["main"]


async def test_an_empty_commit_goes_to_the_merge_request_that_is_open(world: Contributor) -> None:
    """It is a usual way to have the project's checks run once more."""
    journey = await committed(world)
    await world.run_until(journey, "propose")
    world.git("revert", "--no-edit", "HEAD")
    assert await world.journeys().before_proposing(world.journeys().get(journey.id)) == ()
    await world.run(journey, "push")


async def test_a_merge_that_is_not_finished_is_not_proposed(world: Contributor) -> None:
    journey = await committed(world)
    (world.folder / ".git" / "MERGE_HEAD").write_text(world.git("rev-parse", "HEAD") + "\n")
    error = await refusal(world, journey)
    assert error.title == "In the clone, a merge is not finished"
    assert "--abort" in error.hint


async def test_a_rebase_is_told_before_the_branch_that_it_took_away(world: Contributor) -> None:
    journey = await committed(world)
    world.git("switch", "--quiet", "--detach")
    (world.folder / ".git" / "rebase-merge").mkdir()
    assert (await refusal(world, journey)).title == "In the clone, a rebase is not finished"
    (world.folder / ".git" / "rebase-merge").rmdir()
    (world.folder / ".git" / "BISECT_LOG").write_text("")
    assert (await refusal(world, journey)).hint == "End it with git bisect reset"


async def test_nothing_to_propose_is_told_by_a_dry_run_too(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    await world.run_until(journey, "branch")
    assert (
        await refusal(world, journey)
    ).title == "There is nothing to propose yet, since nothing has changed"
    world.edit()
    assert (await refusal(world, journey)).title == "There is nothing to propose yet: 1 file not committed"


async def test_commits_on_no_branch_are_not_left_behind(world: Contributor) -> None:
    journey = await committed(world)
    world.git("switch", "--quiet", "--detach")
    world.git("commit", "--quiet", "--allow-empty", "--message", "Loose")
    head = world.git("rev-parse", "HEAD")
    with pytest.raises(BlockedError, match="1 commit that no branch has"):
        await world.run(journey, "branch")
    assert world.git("rev-parse", "HEAD") == head
    world.git("branch", "kept")
    await world.run(journey, "branch")
    assert world.git("branch", "--show-current") == journey.branch


async def test_a_closed_merge_request_gets_no_more_commits(world: Contributor) -> None:
    journey = await committed(world)
    await world.run_until(journey, "propose")
    world.forge.close_request(world.project, 1)
    error = await refusal(world, journey)
    assert error.title == "!1 was closed, not merged: nobody will look at it"
    assert "git switch -c NAME" in error.hint


async def test_commits_after_the_merge_are_not_taken_for_merged(world: Contributor) -> None:
    journey = await committed(world)
    await world.run_until(journey, "propose")
    world.forge.merge(world.project, 1)
    assert await world.journeys().before_proposing(journey) == ()
    world.git("commit", "--quiet", "--allow-empty", "--message", "One more")
    assert "without your newest commits" in (await refusal(world, journey)).title


async def test_a_branch_that_has_served_is_not_taken_for_the_next_change(world: Contributor) -> None:
    journey = await committed(world)
    await world.run_until(journey, "propose")
    world.forge.merge(world.project, 1)
    await world.probe_all()
    world.journeys().forget(journey.id)
    other = world.journeys().start(world.project, None, folder=world.folder)
    report = await world.probe(other)
    assert report.current == "branch"
    assert report.step("branch").detail.startswith("new branch")
    assert report.merge_request is None
