"""Each step on its own: what stops it, what it asks, and what it does in unusual places."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from isexplore.errors import AuthError, BlockedError, ConflictError, ForbiddenError, GitError, NotVisibleError
from isexplore.forge.base import Capability
from isexplore.git.client import Git
from isexplore.journey.states import STEP_NAMES, Fact, StepReport
from isexplore.journey.store import Journey
from isexplore.models import (
    ForgeKind,
    ForkState,
    ForkStatus,
    ForkTarget,
    Job,
    Pipeline,
    PipelineState,
    Review,
    Role,
    TokenFacts,
    Visibility,
)
from tests.support.contributor import COMMIT, Contributor
from tests.support.fake_forge import START
from tests.support.git import add_commit, git, write_files


def begin(world: Contributor) -> Journey:
    return world.journeys().start(world.project, world.issue)


async def check(world: Contributor) -> StepReport:
    journey = begin(world)
    return (await world.probe(journey)).step("check")


def texts(facts: tuple[Fact, ...], mark: str) -> list[str]:
    return [fact.text for fact in facts if fact.mark == mark]


# check


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"archived": True}, "archived"),
        ({"empty": True}, "empty"),
        ({"merge_requests_enabled": False}, "accepts no merge requests"),
        ({"can_propose": False}, "may not open merge requests"),
        ({"forking_enabled": False}, "Forking is off"),
    ],
)
async def test_what_stops_a_contribution(world: Contributor, fields: dict[str, Any], words: str) -> None:
    world.forge.change_project(world.project, **fields)
    step = await check(world)
    assert step.state == "blocked"
    assert words in step.detail
    assert step.hint


@pytest.mark.parametrize(
    ("kind", "scopes", "enough"),
    [
        (ForgeKind.GITLAB, ("api",), True),
        (ForgeKind.GITLAB, ("read_api", "write_repository"), False),
        (ForgeKind.GITEA, ("write:repository", "write:issue"), True),
        (ForgeKind.GITEA, ("all",), True),
        (ForgeKind.GITEA, ("write:repository",), False),
        (ForgeKind.GITHUB, ("repo",), True),
        (ForgeKind.GITHUB, ("public_repo",), False),
        (ForgeKind.GITHUB, (), True),
    ],
)
async def test_token_scopes(
    world: Contributor, kind: ForgeKind, scopes: tuple[str, ...], enough: bool
) -> None:
    world.forge.kind = kind
    world.forge.token = TokenFacts(scopes=scopes)
    step = await check(world)
    assert (step.state == "done") is enough
    if not enough:
        assert "The token lacks the scope" in step.detail
        assert "isexplore login" in step.hint


async def test_forge_that_tells_nothing_of_the_token_stops_nobody(world: Contributor) -> None:
    world.forge.capabilities &= ~Capability.TOKEN_FACTS
    assert (await check(world)).state == "done"


async def test_table_says_what_is_worth_knowing(world: Contributor) -> None:
    contributing = "# Contributing\n\n## Commits\n\nEvery commit must be signed off (`git commit -s`).\n"
    add_commit(world.server.bare(world.project.path), {"CONTRIBUTING.md": contributing}, "Say how")
    world.forge.change_issue(world.issue, assignees=("tom",))
    step = await check(world)
    assert step.state == "done"
    assert any("signed off (CONTRIBUTING.md, line 5)" in text for text in texts(step.facts, "✓"))
    assert any("internal" in text for text in texts(step.facts, "!"))
    assert any("is taken (by @tom" in text for text in texts(step.facts, "!"))
    assert any("name and e-mail address" in text for text in texts(step.facts, "!"))
    assert any("You may fork it" in text for text in texts(step.facts, "✓"))


async def test_public_project_gets_no_visibility_warning(world: Contributor) -> None:
    world.forge.change_project(world.project, visibility=Visibility.PUBLIC)
    assert not any("keep its code" in fact.text for fact in (await check(world)).facts)


async def test_missing_git_stops_a_contribution(world: Contributor) -> None:
    journeys = world.journeys(git_client=Git(environment=os.environ, program="no-such-git"))
    step = (await journeys.probe(journeys.start(world.project))).step("check")
    assert (step.state, step.detail) == ("blocked", "Git is not installed")


async def test_rejected_token_is_said_in_the_first_step(world: Contributor) -> None:
    journey = begin(world)
    world.forge.fail(
        "project", AuthError("The token was not accepted", "401", "Sign in again: isexplore login")
    )
    report = await world.probe(journey)
    assert report.step("check").hint == "Sign in again: isexplore login"


# claim


async def test_no_issue_needs_no_claim(world: Contributor) -> None:
    report = await world.probe(world.journeys().start(world.project))
    assert (report.step("claim").state, report.step("claim").detail) == ("done", "no issue chosen")


async def test_own_words_in_the_comment(world: Contributor) -> None:
    journey = begin(world)
    (how, comment) = await world.journeys().questions(journey, "claim")
    assert (how.default, comment.kind) == ("comment", "multiline")
    await world.run(journey, "claim", {"how": "comment", "comment": "Mine, please"})
    assert [one.body for one in world.forge.comments_on[world.project.id, 41]] == ["Mine, please"]

    world.forge.say(world.project, 41, "mara", "Gladly! Begin with the README.")
    (fact,) = (await world.probe(journey)).step("claim").facts
    assert fact.text == "@mara answered: Gladly! Begin with the README."


async def test_question_asked_long_ago_counts(world: Contributor) -> None:
    world.forge.say(world.project, 41, "nia", "May I take this?")
    journey = begin(world)
    await world.run(journey, "claim")
    assert len(world.forge.comments_on[world.project.id, 41]) == 1


async def test_what_the_forge_wrote_about_me_does_not_count(world: Contributor) -> None:
    world.forge.say(world.project, 41, "nia", "mentioned in commit 12ab", system=True)
    assert (await world.probe(begin(world))).step("claim").state == "ready"


async def test_skipping_writes_nothing_on_the_forge(world: Contributor) -> None:
    journey = begin(world)
    await world.run(journey, "claim", {"how": "skip"})
    assert (world.project.id, 41) not in world.forge.comments_on
    assert (await world.probe(journey)).step("claim").detail == "skipped"


async def test_assigning_that_is_refused_becomes_a_comment(world: Contributor) -> None:
    journey = begin(world)
    await world.run(journey, "claim", {"how": "assign"})
    assert len(world.forge.comments_on[world.project.id, 41]) == 1


async def test_assigning_that_silently_does_nothing_becomes_a_comment(
    world: Contributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*args: object) -> object:
        return world.forge.issues_of[world.project.id][41]

    monkeypatch.setattr(world.forge, "assign_issue", nothing)
    await world.run(begin(world), "claim", {"how": "assign"})
    assert len(world.forge.comments_on[world.project.id, 41]) == 1


async def test_locked_issue_says_that_claiming_can_be_skipped(world: Contributor) -> None:
    world.forge.fail("comment_on_issue", ForbiddenError("403", "locked"))
    with pytest.raises(ForbiddenError) as raised:
        await world.run(begin(world), "claim")
    assert "Skip this step" in raised.value.hint


# fork


async def test_fork_is_waited_for(world: Contributor) -> None:
    world.forge.slow_forks = 5
    journey = begin(world)
    await world.run(journey, "fork")
    assert world.slept == [1.0, 2.0, 3.0, 5.0, 5.0]


async def test_fork_that_is_never_ready_is_left_alone(world: Contributor) -> None:
    world.forge.slow_forks = 1_000
    journey = begin(world)
    with pytest.raises(BlockedError, match="still not ready"):
        await world.run(journey, "fork")
    assert 600 <= sum(world.slept) < 620
    report = await world.probe(journey)
    assert report.step("fork").state == "waiting"
    assert report.step("clone").detail == "not yet"


async def test_fork_that_failed_says_what_to_delete(world: Contributor) -> None:
    fork = await world.forge.fork(world.project)
    world.forge.imports[fork.id] = [ForkStatus(state=ForkState.FAILED, detail="disk full")] * 9
    journey = begin(world)
    step = (await world.probe(journey)).step("fork")
    assert step.state == "blocked"
    assert "disk full" in step.detail
    assert fork.url in step.hint
    with pytest.raises(BlockedError, match="could not make"):
        await world.run(journey, "fork")


async def test_name_that_is_taken_asks_for_another(world: Contributor) -> None:
    mine = world.forge.add_project("nia/retry-queue", owner="nia")
    journey = begin(world)
    step = (await world.probe(journey)).step("fork")
    assert "is no fork of payments/retry-queue" in step.detail
    (question,) = await world.journeys().questions(journey, "fork")
    assert (question.key, question.default, question.required) == ("name", "retry-queue-fork", True)
    with pytest.raises(BlockedError, match="is no fork"):
        await world.run(journey, "fork")
    with pytest.raises(BlockedError, match="cannot be the name"):
        await world.run(journey, "fork", {"name": "../evil"})
    await world.run(journey, "fork", {"name": "retry-queue-fork"})
    assert (await world.probe(journey)).journey.fork == "nia/retry-queue-fork"
    assert world.forge.projects[mine.id] == mine


async def test_fork_into_a_group(world: Contributor) -> None:
    world.forge.targets.append(ForkTarget(id="88", path="my-team"))
    journey = begin(world)
    (question,) = await world.journeys().questions(journey, "fork")
    assert [choice.value for choice in question.choices] == ["nia", "my-team"]
    command, *meanwhile = await world.journeys().plan(journey, "fork", {"namespace": "my-team"})
    assert any(f" origin {world.server.origin}/my-team/retry-queue.git" in each.text for each in meanwhile)
    assert command.text == f"POST /projects/{world.project.id}/fork  namespace_id=88"
    await world.run(journey, "fork", {"namespace": "my-team"})
    report = await world.probe(journey)
    assert report.journey.fork == "my-team/retry-queue"
    with pytest.raises(BlockedError, match="may not fork into"):
        await world.journeys().plan(
            world.journeys().draft(world.forge.add_project("a/b")), "fork", {"namespace": "x"}
        )


async def test_conflict_without_a_fork_is_about_the_name(world: Contributor) -> None:
    world.forge.fail("fork", ConflictError("409", "has already been taken"))
    with pytest.raises(BlockedError, match="taken by something else"):
        await world.run(begin(world), "fork")


async def test_conflict_about_a_fork_that_exists_adopts_it(world: Contributor) -> None:
    world.forge.fail("fork", ConflictError("409", "being forked already"), after=True)
    journey = begin(world)
    await world.run(journey, "fork")
    assert len(world.forge.forks_of(world.project)) == 1


async def test_fork_that_was_deleted_is_made_again(world: Contributor) -> None:
    journey = begin(world)
    await world.run(journey, "fork")
    (fork,) = world.forge.forks_of(world.project)
    del world.forge.projects[fork.id]
    world.forge.bare(fork).rename(world.home / "gone")
    assert (await world.probe(journey)).step("fork").state == "ready"
    await world.run(journey, "fork")
    assert len(world.forge.forks_of(world.project)) == 1


# clone


async def test_folder_is_asked_for_only_when_nobody_has_said(world: Contributor, tmp_path: Path) -> None:
    journey = begin(world)
    await world.only_fork(journey)
    journey = world.journeys().get(journey.id)
    assert await world.journeys().questions(journey, "clone") == ()
    journeys = world.journeys()
    journeys._around = structs.replace(
        journeys._around, config=structs.replace(journeys._config, clone_folder=None)
    )
    (question,) = await journeys.questions(journey, "clone")
    assert question.kind == "folder"
    assert question.default == str(Path("~/src/payments/retry-queue").expanduser())
    target = tmp_path / "work" / "rq"
    await world.run(journey, "clone", {"folder": str(target)})
    assert (target / "README.md").exists()
    assert world.journeys().get(journey.id).folder == str(target)


@pytest.mark.parametrize("what", ["file", "full folder", "other clone", "link"])
async def test_something_in_the_way_offers_another_folder(world: Contributor, what: str) -> None:
    journey = begin(world)
    await world.only_fork(journey)
    world.folder.parent.mkdir(parents=True)
    match what:
        case "file":
            world.folder.write_text("mine")
        case "full folder":
            write_files(world.folder, {"notes.txt": "mine"})
        case "other clone":
            other = world.forge.add_project("a/other")
            git("clone", "--quiet", str(world.server.bare(other.path)), str(world.folder), cwd=world.home)
            git("remote", "set-url", "origin", world.server.url(other.path), cwd=world.folder)
        case "link":
            (world.home / "empty").mkdir()
            world.folder.symlink_to(world.home / "empty")
    step = (await world.probe(journey)).step("clone")
    assert step.state == "blocked"
    assert "in the way" in step.detail
    journey = world.journeys().get(journey.id)
    (question,) = await world.journeys().questions(journey, "clone")
    assert question.default == f"{world.folder}-2"
    with pytest.raises(BlockedError, match="in the way"):
        await world.run(journey, "clone")
    await world.run(journey, "clone", {"folder": question.default})
    assert (await world.probe(journey)).step("clone").detail == question.default


async def test_address_on_another_host_is_not_cloned(world: Contributor) -> None:
    journey = begin(world)
    await world.only_fork(journey)
    (fork,) = world.forge.forks_of(world.project)
    world.forge.change_project(fork, clone_url="https://evil.example/nia/retry-queue.git")
    with pytest.raises(GitError) as raised:
        await world.run(journey, "clone")
    assert raised.value.reason == "bad-url"
    assert not world.folder.exists()


async def test_files_that_could_not_be_written_are_no_change_of_the_users(
    world: Contributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    journey = begin(world)
    await world.only_fork(journey)
    clone = Git.clone

    async def incomplete(self: Git, url: str, folder: Path, **options: Any) -> None:
        await clone(self, url, folder, **options)
        (folder / "README.md").unlink()
        raise GitError("Not all files could be written", reason="checkout-failed")

    monkeypatch.setattr(Git, "clone", incomplete)
    with pytest.raises(GitError):
        await world.run(journey, "clone")
    report = await world.probe(journey)
    assert report.current == "claim"
    assert report.step("clone").state == "ready"
    assert report.step("commit").detail == "not yet"
    await world.run(journey, "clone")
    assert (world.folder / "README.md").exists()
    assert (await world.probe(journey)).step("clone").state == "done"


@pytest.mark.parametrize(
    ("address", "fine"),
    [
        ("git@127.0.0.1:nia/retry-queue.git", True),
        ("ssh://git@127.0.0.1:2222/nia/retry-queue.git", True),
        ("git@evil.example:nia/retry-queue.git", False),
        ("--upload-pack=touch", False),
    ],
)
async def test_ssh_addresses_are_those_of_the_forge(world: Contributor, address: str, fine: bool) -> None:
    await world.forge.fork(world.project)
    (fork,) = world.forge.forks_of(world.project)
    world.forge.change_project(fork, ssh_url=address)
    world.forge.change_project(world.project, ssh_url=address.replace("nia/", "payments/"))
    journeys = world.journeys(transport="ssh")
    journey = journeys.start(world.project, world.issue)
    if fine:
        commands = await journeys.plan(journey, "clone")
        assert commands[0].text.split()[-2] == address
    else:
        with pytest.raises(GitError) as raised:
            await journeys.plan(journey, "clone")
        assert raised.value.reason == "bad-url"


# branch


async def test_branch_starts_from_the_original_as_it_is_now(world: Contributor) -> None:
    journey = begin(world)
    await world.run(journey, "fork")
    await world.run(journey, "clone")
    add_commit(world.server.bare(world.project.path), {"new.md": "new\n"}, "News")
    await world.run(journey, "branch")
    assert (world.folder / "new.md").exists()


async def test_chosen_name(world: Contributor) -> None:
    journey = begin(world)
    await world.run(journey, "fork")
    await world.run(journey, "clone")
    await world.run(journey, "branch", {"branch": "docs/back-off"})
    assert world.git("branch", "--show-current") == "docs/back-off"
    assert (await world.probe(journey)).journey.branch == "docs/back-off"


@pytest.mark.parametrize("name", ["main", "-f", "a b", "refs/heads/../x"])
async def test_names_that_are_not_branches_of_ones_own(world: Contributor, name: str) -> None:
    journey = begin(world)
    await world.run(journey, "fork")
    await world.run(journey, "clone")
    with pytest.raises((BlockedError, GitError)):
        await world.run(journey, "branch", {"branch": name})
    assert world.git("branch", "--list").split() == ["*", "main"]


async def test_unfinished_merge_comes_first(world: Contributor) -> None:
    journey = begin(world)
    await world.run(journey, "fork")
    await world.run(journey, "clone")
    (world.folder / ".git" / "MERGE_HEAD").write_text(world.git("rev-parse", "HEAD") + "\n")
    step = (await world.probe(journey)).step("branch")
    assert step.state == "blocked"
    assert "git merge --continue" in step.hint
    with pytest.raises(BlockedError, match="merge is not finished"):
        await world.run(journey, "branch")


# commit


async def test_commit_asks_for_what_git_does_not_know(world: Contributor) -> None:
    journey = begin(world)
    await world.run_until(journey, "branch")
    world.edit()
    journey = world.journeys().get(journey.id)
    questions = await world.journeys().questions(journey, "commit")
    defaults = {question.key: question.default for question in questions}
    assert defaults == {
        "message": "Explain the back-off in the README\n\nCloses #41",
        "sign_off": "no",
        "name": "Nia Example",
        "email": "nia@example.org",
    }
    await world.run(journey, "commit", COMMIT | {"sign_off": "yes"})
    assert "Signed-off-by: Nia Example <nia@example.org>" in world.git("log", "-1", "--format=%B")
    assert git("config", "--local", "user.email", cwd=world.folder).strip() == "nia@example.org"
    journey = world.journeys().get(journey.id)
    again = await world.journeys().questions(journey, "commit")
    assert [question.key for question in again] == ["message", "sign_off"]


async def test_commit_without_anyones_address_is_refused(world: Contributor) -> None:
    world.forge.me = structs.replace(world.forge.me, email=None)
    journey = begin(world)
    await world.run_until(journey, "branch")
    world.edit()
    with pytest.raises(BlockedError, match="who commits"):
        await world.run(journey, "commit", {"message": "x"})
    assert world.git("log", "--format=%H", "upstream/main..HEAD") == ""


async def test_missing_sign_off_is_pointed_out(world: Contributor) -> None:
    text = "# Contributing\n\nEvery commit must be signed off (`git commit -s`).\n"
    add_commit(world.server.bare(world.project.path), {"CONTRIBUTING.md": text}, "Say how")
    journey = begin(world)
    await world.run_until(journey, "branch")
    world.edit()
    world.git("commit", "--quiet", "--all", "--message", "Forgot it")
    step = (await world.probe(journey)).step("commit")
    assert step.facts == (Fact("!", "Forgot it: not signed off", "git rebase --signoff upstream/main"),)
    world.edit({"README.md": "# More\n"})
    journey = world.journeys().get(journey.id)
    questions = await world.journeys().questions(journey, "commit")
    assert questions[1].default == "yes"


# propose


async def test_own_title_body_and_draft(world: Contributor) -> None:
    journey = begin(world)
    await world.run_until(journey, "branch")
    world.edit()
    await world.run(journey, "commit", COMMIT)
    await world.run(journey, "push")
    with pytest.raises(NotVisibleError):
        await world.forge.merge_request(world.project, 1)
    await world.run(journey, "propose", {"title": "Better README", "body": "See #41", "draft": "yes"})
    (request,) = world.forge.requests_of(world.project)
    assert (request.title, request.description, request.draft) == ("Better README", "See #41", True)

    step = (await world.probe(journey)).step("review")
    assert (step.state, step.detail) == ("ready", "It is a draft: reviewers wait until it is marked as ready")
    (command,) = await world.journeys().plan(journey, "review", {"ready": "yes"})
    assert command.text.startswith("PUT /projects/")
    await world.run(journey, "review", {"ready": "yes"})
    step = (await world.probe(journey)).step("review")
    assert (step.state, step.detail) == ("waiting", "waiting for a review")


async def test_template_of_the_project_is_filled_in(world: Contributor) -> None:
    world.forge.templates[world.project.id] = "## What\n\n## Issue\nCloses #\n\n- [ ] Tests\n"
    journey = begin(world)
    await world.run_until(journey, "branch")
    world.edit()
    await world.run(journey, "commit", COMMIT)
    await world.run_until(journey, "propose")
    (request,) = world.forge.requests_of(world.project)
    assert request.description == "## What\n\n## Issue\nCloses #41\n\n- [ ] Tests"


@pytest.mark.parametrize(
    ("rule", "insists"),
    [
        ("Every commit must carry a `Signed-off-by:` line.", True),
        ("Sign off with `git commit -s` if you like.", False),
        ("No sign-off needed.", False),
    ],
)
async def test_commits_without_the_sign_off_that_is_insisted_on_are_not_pushed(
    world: Contributor, rule: str, insists: bool
) -> None:
    text = f"# Contributing\n\n{rule}\n"
    add_commit(world.server.bare(world.project.path), {"CONTRIBUTING.md": text}, "Say how")
    journey = begin(world)
    await world.run_until(journey, "branch")
    world.edit()
    await world.run(journey, "commit", COMMIT)
    if not insists:
        await world.run_until(journey, "propose")
        return
    with pytest.raises(BlockedError, match="1 commit without the sign-off") as raised:
        await world.run_until(journey, "propose")
    assert "CONTRIBUTING.md, line 3" in raised.value.detail
    with pytest.raises(BlockedError, match="1 commit without the sign-off"):
        await world.journeys().before_proposing(world.journeys().get(journey.id))
    assert world.forge.requests_of(world.project) == []
    remedy = raised.value.hint.partition(" adds it")[0]
    world.git(*remedy.split()[1:])
    await world.run_until(journey, "propose")
    assert len(world.forge.requests_of(world.project)) == 1


async def test_nothing_is_proposed_before_anything_has_changed(world: Contributor) -> None:
    journey = begin(world)
    await world.run_until(journey, "branch")
    with pytest.raises(BlockedError, match="There is nothing to propose yet, since nothing has changed"):
        await world.run_until(journey, "propose")


async def test_nothing_is_proposed_before_it_is_pushed(world: Contributor) -> None:
    journey = begin(world)
    await world.run_until(journey, "branch")
    world.edit()
    with pytest.raises(BlockedError, match="not on your fork yet"):
        await world.run(journey, "propose")
    with pytest.raises(BlockedError, match="There is nothing to propose yet"):
        await world.run_until(journey, "propose")


# review


async def opened(world: Contributor) -> Journey:
    journey = begin(world)
    await world.run_until(journey, "branch")
    world.edit()
    await world.run(journey, "commit", COMMIT)
    await world.run_until(journey, "propose")
    return journey


async def test_failed_check_says_which_and_why(world: Contributor) -> None:
    journey = await opened(world)
    job = Job(
        name="lint", state=PipelineState.FAILED, url="https://ci/1", detail="...\nREADME.md:3 line too long\n"
    )
    world.forge.set_pipeline(world.project, 1, Pipeline(id="1", state=PipelineState.FAILED, jobs=(job,)))
    step = (await world.probe(journey)).step("review")
    assert step.state == "ready"
    assert step.facts[0] == Fact("✗", "The check “lint” failed: README.md:3 line too long", "https://ci/1")


@pytest.mark.parametrize(
    ("pipeline", "review", "detail"),
    [
        (PipelineState.RUNNING, Review(), "checks are running"),
        (PipelineState.PASSED, Review(), "waiting for a review"),
        (
            PipelineState.PASSED,
            Review(approved=True, approved_by=("mara",)),
            "approved; waiting for the merge",
        ),
    ],
)
async def test_waiting_says_for_whom(
    world: Contributor, pipeline: PipelineState, review: Review, detail: str
) -> None:
    journey = await opened(world)
    world.forge.set_pipeline(world.project, 1, Pipeline(id="1", state=pipeline))
    world.forge.set_review(world.project, 1, review)
    step = (await world.probe(journey)).step("review")
    assert (step.state, step.detail) == ("waiting", detail)


async def test_requested_changes_without_a_thread(world: Contributor) -> None:
    journey = await opened(world)
    world.forge.set_review(world.project, 1, Review(changes_requested_by=("mara",)))
    step = (await world.probe(journey)).step("review")
    assert (step.state, step.detail) == ("ready", "@mara asked for changes")


async def test_what_the_forge_cannot_tell_is_left_out(world: Contributor) -> None:
    journey = await opened(world)
    for method in ("pipeline", "review", "discussions"):
        world.forge.fail(method, ForbiddenError("403"))
    assert (await world.probe(journey)).step("review").detail == "waiting for a review"


async def test_finished_journey_is_not_gone_through_again(world: Contributor) -> None:
    await opened(world)
    world.forge.merge(world.project, 1)
    await world.probe_all()
    world.forge.calls.clear()
    (report,) = await world.probe_all()
    assert report.current is None
    assert set(world.forge.calls) <= {"merge_request", "project", "whoami"}


async def test_a_round_asks_at_once_for_what_does_not_depend_on_each_other(world: Contributor) -> None:
    await check(world)
    assert world.forge.most_at_once >= 4
    journey = await opened(world)
    world.forge.most_at_once = 0
    world.forge.calls.clear()
    await world.journeys().probe(journey)
    assert world.forge.most_at_once >= 3
    assert len(world.forge.calls) == len(set(world.forge.calls)), "a fact is asked for once"


async def test_probing_the_list_asks_for_little(world: Contributor) -> None:
    await opened(world)
    world.forge.calls.clear()
    await world.probe_all()
    assert len(world.forge.calls) <= 10
    assert "folder" not in world.forge.calls
    assert "comments" not in world.forge.calls


async def test_age_of_an_issue_is_told(world: Contributor) -> None:
    world.forge.change_issue(world.issue, updated_at=START - timedelta(days=2_000))
    step = await check(world)
    assert any("has gone quiet" in text for text in texts(step.facts, "!"))


async def test_every_step_explains_itself(world: Contributor) -> None:
    for name in STEP_NAMES:
        explanation = world.journeys().explain(name)
        assert explanation.why.count(". ") == 1, f"{name}: two sentences"
        assert explanation.afterwards.endswith(".")


async def test_member_of_the_project_sees_that_a_fork_is_a_choice(world: Contributor) -> None:
    world.forge.change_project(world.project, role=Role.DEVELOPER)
    step = await check(world)
    assert any("a fork is not needed" in text for text in texts(step.facts, "✓"))
