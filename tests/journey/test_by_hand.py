"""Steps that were done outside, in a shell or in the browser, count as done."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from isexplore.errors import BlockedError
from isexplore.journey.runner import Journeys
from isexplore.journey.store import Journey
from isexplore.models import MergeRequestState, NewMergeRequest, Role
from tests.support.contributor import COMMIT, Contributor, states
from tests.support.git import git, write_files

BRANCH = "docs/my-own-name"


def begin(world: Contributor) -> Journey:
    return world.journeys().start(world.project, world.issue)


def clone_by_hand(world: Contributor, path: str, folder: Path | None = None) -> Path:
    """Clone without a server, then point the remote at it, as a person with a token would have it."""
    target = folder or world.folder
    target.parent.mkdir(parents=True, exist_ok=True)
    git("clone", "--quiet", str(world.server.bare(path)), str(target), cwd=world.home)
    git("remote", "set-url", "origin", world.server.url(path), cwd=target)
    return target


async def test_fork_made_in_the_browser(world: Contributor) -> None:
    await world.forge.fork(world.project, name="my-retry-queue")
    journey = begin(world)
    report = await world.probe(journey)
    assert report.step("fork").state == "done"
    assert report.journey.fork == "nia/my-retry-queue"
    await world.run_until(journey, "branch")
    assert len(world.forge.forks_of(world.project)) == 1


async def test_whole_local_work_done_in_a_shell(world: Contributor) -> None:
    journey = begin(world)
    fork = await world.forge.fork(world.project)
    clone_by_hand(world, fork.path)
    world.git("remote", "add", "upstream", f"{world.server.origin}/payments/retry-queue")
    world.git(
        "fetch", "--quiet", str(world.server.bare(world.project.path)), "main:refs/remotes/upstream/main"
    )
    world.git("switch", "--quiet", "--create", BRANCH)
    world.edit()
    world.git("commit", "--quiet", "--all", "--message", "Explain it")
    report = await world.probe(journey)
    assert report.journey.branch == BRANCH
    assert report.journey.folder == str(world.folder)
    assert [name for name, state in states(report).items() if state == "done"] == [
        "check", "fork", "clone", "branch", "change", "commit",
    ]  # fmt: skip
    world.git("push", "--quiet", str(world.server.bare(fork.path)), BRANCH)
    assert (await world.probe(journey)).step("push").state == "done"
    await world.forge.open_merge_request(
        NewMergeRequest(
            source=fork, target=world.project, source_branch=BRANCH, target_branch="main", title="By hand"
        )
    )
    report = await world.probe(journey)
    assert report.current == "review"
    assert report.journey.merge_request == 1
    await world.run(journey, "propose")
    assert len(world.forge.requests_of(world.project)) == 1


async def test_change_made_in_the_web_editor(world: Contributor) -> None:
    """No clone at all: the branch and the merge request were made in the browser."""
    fork = await world.forge.fork(world.project)
    bare = world.server.bare(fork.path)
    work = world.home / "elsewhere"
    git("clone", "--quiet", str(bare), str(work), cwd=world.home)
    write_files(work, {"README.md": "# Better\n"})
    git("commit", "--quiet", "--all", "--message", "Better", cwd=work)
    git("push", "--quiet", "origin", "HEAD:refs/heads/patch-1", cwd=work)
    await world.forge.open_merge_request(
        NewMergeRequest(
            source=fork,
            target=world.project,
            source_branch="patch-1",
            target_branch="main",
            title="Better",
            description="Closes #41",
        )
    )
    journey = begin(world)
    report = await world.probe(journey)
    assert report.current == "review"
    assert (report.journey.merge_request, report.journey.branch) == (1, "patch-1")
    assert report.step("clone").detail == "not on this machine; the branch is on the forge"

    world.forge.ask_for_change(world.project, 1, "Please also mention the unit")
    report = await world.probe(journey)
    assert report.current == "clone", "to change something, the files are needed"
    await world.run(journey, "clone")
    await world.run(journey, "branch")
    assert world.git("branch", "--show-current") == "patch-1"
    assert world.git("log", "-1", "--format=%s") == "Better"


async def test_clone_of_the_original_keeps_its_remotes(world: Contributor) -> None:
    journey = begin(world)
    clone_by_hand(world, world.project.path)
    await world.run(journey, "fork")
    report = await world.probe(journey)
    assert report.step("clone").state == "ready"
    assert "git -C" in report.step("clone").commands[0].text
    await world.run(journey, "clone")
    assert world.git("remote", "get-url", "origin") == world.server.url(world.project.path)
    assert world.git("remote", "get-url", "fork") == world.server.url("nia/retry-queue")
    assert world.git("remote").split() == ["fork", "origin"]

    await world.run(journey, "branch")
    world.edit()
    await world.run(journey, "commit", COMMIT)
    await world.run(journey, "push")
    branch = world.git("branch", "--show-current")
    assert branch in world.forge.branches_of(world.forge.forks_of(world.project)[0])
    assert branch not in world.forge.branches_of(world.project)


async def test_commits_on_the_default_branch_come_along(world: Contributor) -> None:
    journey = begin(world)
    await world.run(journey, "claim")
    await world.run(journey, "fork")
    await world.run(journey, "clone")
    world.edit()
    world.git("commit", "--quiet", "--all", "--message", "Explain it")
    head = world.git("rev-parse", "HEAD")
    world.git(
        "fetch", "--quiet", str(world.server.bare(world.project.path)), "main:refs/remotes/upstream/main"
    )
    report = await world.probe(journey)
    assert report.step("branch").detail == "your commits are on main"
    await world.run(journey, "branch")
    assert world.git("rev-parse", "HEAD") == head
    assert world.git("branch", "--show-current").startswith("41-")


async def test_uncommitted_changes_come_along(world: Contributor) -> None:
    journey = begin(world)
    await world.run(journey, "fork")
    await world.run(journey, "clone")
    world.edit()
    await world.run(journey, "branch")
    assert world.git("status", "--porcelain").strip() == "M README.md"


async def test_two_journeys_in_one_clone_do_not_take_each_others_branch(world: Contributor) -> None:
    first = begin(world)
    await world.run_until(first, "branch")
    other = world.forge.add_issue(world.project, "Add a timeout")
    second = world.journeys().start(world.project, other)
    report = await world.probe(second)
    assert report.step("branch").state == "ready"
    await world.run(second, "claim")
    await world.run(second, "branch")
    assert world.git("branch", "--show-current") == "42-add-a-timeout"
    report = await world.probe(first)
    assert report.step("branch").state == "ready"
    assert report.step("branch").detail == "41-explain-the-back-off-in-the-readme is not checked out"
    await world.run(first, "branch")
    assert world.git("branch", "--show-current") == "41-explain-the-back-off-in-the-readme"
    journeys = world.journeys()
    found = await journeys.find_folder(world.folder / "src")
    assert found is not None
    assert found.id == first.id


async def test_journey_waiting_for_review_does_not_ask_for_its_branch(world: Contributor) -> None:
    first = begin(world)
    await world.run_until(first, "branch")
    world.edit()
    await world.run(first, "commit", COMMIT)
    await world.run_until(first, "propose")
    world.git("switch", "--quiet", "--create", "something-else", "upstream/main")
    report = await world.probe(first)
    assert report.current == "review"
    world.forge.ask_for_change(world.project, 1, "Name the unit")
    report = await world.probe(first)
    assert report.current == "branch"


async def test_commits_made_by_others_on_the_fork_are_not_overwritten(world: Contributor) -> None:
    journey = begin(world)
    await world.run_until(journey, "branch")
    world.edit()
    await world.run(journey, "commit", COMMIT)
    await world.run(journey, "push")
    branch = world.git("branch", "--show-current")
    work = world.home / "suggestion"
    git(
        "clone",
        "--quiet",
        "--branch",
        branch,
        str(world.server.bare("nia/retry-queue")),
        str(work),
        cwd=world.home,
    )
    write_files(work, {"src/retry.py": "DELAY = 2\n"})
    git("commit", "--quiet", "--all", "--message", "Apply a suggestion", cwd=work)
    git("push", "--quiet", "origin", branch, cwd=work)
    theirs = git("rev-parse", "HEAD", cwd=work).strip()

    report = await world.probe(journey)
    assert report.step("push").state == "done"
    assert report.step("push").hint == f"git pull --ff-only origin {branch}"
    world.edit({"docs.md": "more\n"})
    await world.run(journey, "commit", COMMIT | {"message": "More"})
    with pytest.raises(BlockedError) as raised:
        await world.run(journey, "push")
    assert raised.value.title == f"Your fork has commits on {branch} that the clone lacks"
    assert f"git pull --rebase origin {branch}" in raised.value.hint
    fork = world.forge.forks_of(world.project)[0]
    assert world.forge.branches_of(fork)[branch] == theirs


async def test_remote_that_pushes_elsewhere_is_not_used(world: Contributor) -> None:
    journey = begin(world)
    await world.run_until(journey, "branch")
    world.edit()
    await world.run(journey, "commit", COMMIT)
    world.git("remote", "set-url", "--push", "origin", world.server.url(world.project.path))
    with pytest.raises(BlockedError, match="pushes somewhere else") as raised:
        await world.run(journey, "push")
    assert raised.value.hint == f"git remote set-url --push origin {world.server.url('nia/retry-queue')}"
    assert set(world.forge.branches_of(world.project)) == {"main"}


async def test_clone_made_by_hand_is_adopted_for_proposing(world: Contributor) -> None:
    fork = await world.forge.fork(world.project)
    folder = clone_by_hand(world, fork.path, world.home / "elsewhere" / "copy")
    git("switch", "--quiet", "--create", BRANCH, cwd=folder)
    journey = await world.journeys().adopt(folder / "src")
    assert (journey.project, journey.issue) == ("payments/retry-queue", None)
    assert (journey.folder, journey.branch) == (str(folder.resolve()), BRANCH)
    again = await world.journeys().adopt(folder)
    assert again.id == journey.id


@pytest.mark.parametrize(
    ("other", "issue"), [("feature/41-explain", 41), ("feature/141-explain", None), ("tidy-up", None)]
)
async def test_another_branch_of_the_clone_is_proposed_by_itself(
    world: Contributor, other: str, issue: int | None
) -> None:
    """A project's checks may ask for another branch name when the merge request is open already."""
    first = begin(world)
    await world.run_until(first, "branch")
    world.edit()
    await world.run(first, "commit", COMMIT)
    await world.run_until(first, "propose")
    proposed = world.git("branch", "--show-current")
    world.git("switch", "--quiet", "--create", other)
    planned = await world.journeys().adopt(world.folder, record=False)
    assert (planned.id, planned.branch) == ("", other)
    second = await world.journeys().adopt(world.folder)
    assert second.id != first.id
    assert (second.branch, second.issue) == (other, issue)
    await world.run_until(second, "propose")
    assert world.git("branch", "--show-current") == other
    assert [one.source_branch for one in world.forge.requests_of(world.project)] == [proposed, other]
    world.git("switch", "--quiet", proposed)
    assert (await world.journeys().adopt(world.folder)).id == first.id


async def test_a_branch_made_by_hand_in_a_known_clone_is_noticed(world: Contributor) -> None:
    first = begin(world)
    await world.run_until(first, "branch")
    assert await world.journeys().made_by_hand() == []
    world.git("switch", "--quiet", "--create", "tidy-up")
    world.edit()
    world.git("commit", "--quiet", "--all", "--message", "Tidy up")
    (found,) = await world.journeys().made_by_hand()
    assert (found.id, found.branch, found.issue) == ("", "tidy-up", None)
    report = await world.journeys().probe(found)
    assert (report.current, report.step("commit").state) == ("push", "done")
    assert [one.id for one in world.journeys().list()] == [first.id], "looking begins nothing"

    world.git("switch", "--quiet", "--create", "41-explain")
    assert [one.issue for one in await world.journeys().made_by_hand()] == [41]
    for known in (("main",), ("--detach", "HEAD"), (world.journeys().get(first.id).branch,)):
        world.git("switch", "--quiet", *known)
        assert await world.journeys().made_by_hand() == []


async def test_a_clone_of_one_branch_learns_what_to_compare_with(world: Contributor) -> None:
    """So does every clone whose default branch got another name."""
    fork = await world.forge.fork(world.project)
    folder = world.home / "one"
    bare = str(world.server.bare(fork.path))
    git("branch", "old", "main", cwd=world.server.bare(fork.path))
    git(
        "clone",
        "--quiet",
        "--single-branch",
        "--branch",
        "old",
        f"file://{bare}",
        str(folder),
        cwd=world.home,
    )
    git("remote", "set-url", "origin", world.server.url(fork.path), cwd=folder)
    git("switch", "--quiet", "--create", BRANCH, cwd=folder)
    write_files(folder, {"README.md": "# Better\n"})
    git("commit", "--quiet", "--all", "--message", "Better", cwd=folder)
    journey = await world.journeys().adopt(folder)
    report = await world.journeys().plan_all(journey)
    assert [line.text.split(" ", 3)[3] for line in report.step("clone").commands] == [
        f"remote add -- upstream {world.server.url(world.project.path)}",
        "fetch --no-recurse-submodules -- upstream +refs/heads/main:refs/remotes/upstream/main",
    ]
    await world.run_until(journey, "clone")
    report = await world.probe(journey)
    assert report.current == "push"
    git("update-ref", "-d", "refs/remotes/upstream/main", cwd=folder)
    report = await world.probe(journey)
    assert report.step("clone").detail == f"{folder} lacks upstream/main"
    await world.run_until(journey, "propose")
    assert len(world.forge.requests_of(world.project)) == 1


async def test_clone_on_the_default_branch_is_still_of_its_journey(world: Contributor) -> None:
    first = begin(world)
    await world.run_until(first, "branch")
    for place in (("main",), ("--detach", "HEAD")):
        world.git("switch", "--quiet", *place)
        assert (await world.journeys().adopt(world.folder)).id == first.id


async def test_folder_that_is_no_clone_is_not_adopted(world: Contributor) -> None:
    with pytest.raises(BlockedError, match="is not a git clone"):
        await world.journeys().adopt(world.home)


async def test_an_old_merge_request_of_the_same_branch_name_is_not_mine(world: Contributor) -> None:
    first = begin(world)
    await world.run_until(first, "branch")
    world.edit()
    await world.run(first, "commit", COMMIT)
    await world.run_until(first, "propose")
    branch = world.git("branch", "--show-current")
    world.forge.close_request(world.project, 1)
    report = await world.probe(first)
    assert report.step("review").detail == "!1 was closed"
    assert report.journey.outcome == "closed"

    second = begin(world)
    assert second.id != first.id
    world.git("switch", "--quiet", "main")
    await world.run_until(second, "branch")
    assert world.git("branch", "--show-current") == f"{branch}-2"
    assert (await world.probe(second)).merge_request is None


async def test_merge_request_that_was_reopened_goes_on(world: Contributor) -> None:
    journey = begin(world)
    await world.run_until(journey, "branch")
    world.edit()
    await world.run(journey, "commit", COMMIT)
    await world.run_until(journey, "propose")
    world.forge.close_request(world.project, 1)
    assert (await world.probe(journey)).journey.outcome == "closed"
    world.forge.change_request(world.project, 1, state=MergeRequestState.OPEN)
    report = await world.probe(journey)
    assert (report.current, report.journey.outcome) == ("review", None)


async def test_renamed_project_is_followed_by_its_id(world: Contributor) -> None:
    journey = begin(world)
    await world.run(journey, "fork")
    moved = world.server.bare("payments/queue")
    world.forge.bare(world.project).rename(moved)
    world.forge.change_project(world.project, path="payments/queue", role=Role.NONE)
    report = await world.probe(journey)
    assert report.journey.project == "payments/queue"
    assert report.step("fork").state == "done"


async def test_where_clones_go_is_asked_the_first_time_only(world: Contributor, tmp_path: Path) -> None:
    def unsettled() -> Journeys:
        journeys = world.journeys()
        config = structs.replace(journeys._around.config, clone_folder=None)
        journeys._around = structs.replace(journeys._around, config=config)
        return journeys

    other = structs.replace(world.project, id="77", path="platform/tools/http-kit")
    unsettled().start(other, folder=tmp_path / "a place of its own")
    journey = unsettled().start(world.project, world.issue)
    async for _ in unsettled().run(journey, "fork"):
        pass
    (question,) = await unsettled().questions(journey, "clone")
    assert question.default == str(Path("~/src/payments/retry-queue").expanduser())

    unsettled().start(structs.replace(other, id="78", path="a/b"), folder=tmp_path / "code" / "a" / "b")
    assert await unsettled().questions(journey, "clone") == ()
    async for _ in unsettled().run(journey, "clone"):
        pass
    assert (tmp_path / "code" / "payments" / "retry-queue" / "README.md").exists()
