"""Whose turn it is: who has an issue, and in a review the author's after a remark, else the reviewer's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from isexplore.forge import gitea_parse, gitea_wire, github_parse, github_wire, gitlab_parse, gitlab_wire
from isexplore.models import Branch, Review
from tests.support.contributor import COMMIT, Contributor
from tests.support.fake_forge import START

WHEN = "2026-03-02T10:00:00+01:00"


async def test_it_is_the_reviewers_turn_after_a_push(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    await world.run_until(journey, "branch")
    world.edit()
    await world.run(journey, "commit", COMMIT)
    await world.run_until(journey, "propose")
    world.forge.ask_for_change(world.project, 1, "Please name the unit", file="README.md", line=3)
    world.forge.set_review(world.project, 1, Review(changes_requested_by=("mara",), reviewers=("mara",)))
    assert (await world.probe(journey)).step("review").state == "ready"

    world.edit({"README.md": "# Retry queue\n\nIt backs off for 2 seconds.\n"})
    await world.run(journey, "commit", COMMIT | {"message": "Name the unit"})
    await world.run(journey, "push")
    report = await world.probe(journey)
    step = report.step("review")
    assert (step.state, step.detail) == ("waiting", "waiting for another look")
    assert "Nothing to do" in step.hint
    assert "Please name the unit" in step.facts[0].text, "what was asked for stays in sight"

    world.forge.ask_for_change(world.project, 1, "And the default, please", file="README.md", line=4)
    step = (await world.probe(journey)).step("review")
    assert (step.state, step.detail) == ("ready", "@mara in README.md:4: And the default, please")


async def test_a_clock_that_is_ahead_hides_no_remark(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    await world.run_until(journey, "branch")
    world.edit()
    await world.run(journey, "commit", COMMIT)
    await world.run_until(journey, "propose")
    world.forge.ask_for_change(world.project, 1, "Please name the unit", file="README.md", line=3)
    (request,) = world.forge.requests_of(world.project)
    assert request.sha
    world.forge.seen[request.sha] = world.forge.now + timedelta(hours=3)
    world.forge.change_request(world.project, 1, updated_at=world.forge.now)
    step = (await world.probe(journey)).step("review")
    assert (step.state, step.detail) == ("ready", "@mara in README.md:3: Please name the unit")

    world.forge.change_request(world.project, 1, updated_at=world.forge.tick())
    step = (await world.probe(journey)).step("review")
    assert step.facts[0].text.startswith("If you have pushed your answer, it is the reviewer's turn: @mara")


async def test_check_says_who_has_the_issue(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    world.forge.say(world.project, 41, "jo", "I'll take it")
    texts = [fact.text for fact in (await world.probe(journey)).step("check").facts]
    assert any(text.startswith("Issue #41 may be taken (@jo asked for it") for text in texts), texts
    world.forge.change_issue(world.issue, assignees=("tom",))
    texts = [fact.text for fact in (await world.probe(journey)).step("check").facts]
    assert any(text.startswith("Issue #41 is taken (by @tom: assigned, active") for text in texts), texts


@pytest.mark.parametrize(
    "branch",
    [
        gitlab_parse.parse_branch(
            gitlab_wire.WireBranch(name="fix", commit=gitlab_wire.WireCommit(id="c0", committed_date=WHEN))
        ),
        gitea_parse.parse_branch(
            gitea_wire.WireBranch(name="fix", commit=gitea_wire.WireBranchCommit(id="c0", timestamp=WHEN))
        ),
        github_parse.parse_branch(
            github_wire.WireBranch(
                name="fix",
                commit=github_wire.WireCommit(
                    sha="c0",
                    commit=github_wire.WireGitCommit(committer=github_wire.WireSignature(date=WHEN)),
                ),
            )
        ),
    ],
    ids=["gitlab", "gitea", "github"],
)
def test_every_forge_tells_how_new_a_branch_is(branch: Branch) -> None:
    assert (branch.sha, branch.committed_at) == ("c0", START)
