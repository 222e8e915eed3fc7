"""A forge that does not answer takes nothing of the progress away."""

from __future__ import annotations

from isexplore.errors import UnavailableError
from tests.support.contributor import COMMIT, Contributor, states
from tests.support.fake_forge import unavailable

STOPPED = "The forge does not answer"


def stop(world: Contributor) -> None:
    for method in ("project", "whoami", "merge_request", "my_fork", "branch", "issue"):
        world.forge.fail(method, unavailable(STOPPED), times=100)


async def test_what_is_recorded_and_local_stays_and_one_step_says_what_is_wrong(world: Contributor) -> None:
    assert isinstance(unavailable(STOPPED), UnavailableError)
    journey = world.journeys().start(world.project, world.issue)
    await world.run_until(journey, "branch")
    stop(world)

    report = await world.probe(journey)
    seen = states(report)
    assert report.as_last_seen
    assert [name for name, state in seen.items() if state == "done"] == [
        "check", "claim", "fork", "clone", "branch"
    ]  # fmt: skip
    assert (report.current, seen["change"]) == ("change", "ready")
    assert report.step("fork").detail.endswith("as last seen")
    assert [step.name for step in report.steps if STOPPED in step.detail] == ["push"]

    world.edit()
    report = await world.probe(journey)
    assert (report.current, report.step("commit").state) == ("commit", "ready")
    await world.run(journey, "commit", COMMIT)
    report = await world.probe(journey)
    assert (report.current, report.step("commit").detail) == ("push", "1 commit")


async def test_after_the_proposal_the_review_is_what_cannot_be_asked_for(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    await world.run_until(journey, "branch")
    world.edit()
    await world.run(journey, "commit", COMMIT)
    await world.run_until(journey, "propose")
    stop(world)

    report = await world.probe(journey)
    assert [step.name for step in report.steps if step.state != "done"] == ["review"]
    assert STOPPED in report.step("review").detail


async def test_a_journey_that_has_only_begun_is_stopped_at_its_check(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    stop(world)
    report = await world.probe(journey)
    assert report.current == "check"
    assert [step.name for step in report.steps if STOPPED in step.detail] == ["check"]
