"""The record in the state file, dry runs, and the JSON that scripts read."""

from __future__ import annotations

import asyncio
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from filelock import FileLock
from msgspec import structs

from isexplore.config.files import StateFile
from isexplore.errors import BlockedError, GitError, StateError, UsageError
from isexplore.journey.lock import journey_lock
from isexplore.journey.report import report_as_json
from isexplore.journey.states import StepName
from isexplore.journey.store import Journey, JourneyStore
from isexplore.models import ProjectRef
from tests.support.contributor import COMMIT, Contributor


def shell(script: str, *options: str) -> None:
    """Let a shell run a script, or only read it (`-n`)."""
    subprocess.run(["sh", *options, "-euc", script], check=True, capture_output=True)


@pytest.fixture
def store(tmp_path: Path) -> JourneyStore:
    return JourneyStore(StateFile(tmp_path / "state.toml"))


def wanted(**fields: object) -> Journey:
    return msgspec.convert({"id": "", "forge": "work", "project": "a/b", **fields}, Journey)


def never(journey: Journey) -> bool:
    return False


def test_ids_are_readable_and_unique(store: JourneyStore) -> None:
    ids = [store.start(wanted(issue=41), never).id for _ in range(2)]
    ids.append(store.start(wanted(project="Group/Sub.Name"), never).id)
    assert ids == ["a-b-41", "a-b-41-v2", "group-sub-name"]


def test_unknown_keys_are_kept(store: JourneyStore, tmp_path: Path) -> None:
    journey = store.start(wanted(issue=41), never)
    path = tmp_path / "state.toml"
    path.write_text(path.read_text() + "\n[journeys.a-b-41.later]\nx = 1\n\n[visits]\ny = 2\n")
    store.update(journey.id, {"fork": "nia/b", "issue_title": ""})
    table = tomllib.loads(path.read_text())
    assert table["journeys"]["a-b-41"]["later"] == {"x": 1}
    assert table["visits"] == {"y": 2}
    assert store.get(journey.id).fork == "nia/b"


def test_fields_that_become_empty_go_away(store: JourneyStore, tmp_path: Path) -> None:
    journey = store.start(wanted(title="T"), never)
    assert store.update(journey.id, {"title": ""}).title == ""
    assert "title" not in tomllib.loads((tmp_path / "state.toml").read_text())["journeys"][journey.id]


def test_a_broken_entry_hides_no_other(store: JourneyStore, tmp_path: Path) -> None:
    store.start(wanted(), never)
    path = tmp_path / "state.toml"
    path.write_text(path.read_text() + "\n[journeys.broken]\nforge = 7\n")
    assert [journey.id for journey in store.list()] == ["a-b"]
    with pytest.raises(UsageError, match="no journey"):
        store.get("broken")
    store.update("a-b", {"fork": "x/y"})
    assert "broken" in tomllib.loads(path.read_text())["journeys"]


def test_record_that_is_no_table_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.toml"
    path.write_text('journeys = "none"\n')
    store = JourneyStore(StateFile(path))
    assert store.list() == []
    with pytest.raises(StateError):
        store.start(wanted(), never)
    assert path.read_text() == 'journeys = "none"\n'


def test_forgetting_drops_only_the_record(world: Contributor) -> None:
    journeys = world.journeys()
    journey = journeys.start(world.project, world.issue)
    journeys.forget(journey.id)
    journeys.forget(journey.id)
    assert journeys.list() == []


def test_start_adopts_what_was_begun(world: Contributor) -> None:
    first = world.journeys().start(world.project, world.issue)
    assert world.journeys().start(world.project, 41).id == first.id
    assert world.journeys().find(ProjectRef("work", world.project.path), 41) == first
    assert world.journeys().start(world.project).id != first.id
    other = world.journeys().start(world.project, 41, branch="mine")
    assert (other.id, other.branch) == (first.id, "mine")
    assert world.journeys().start(world.project, 41, branch="another").id != first.id


@pytest.mark.parametrize("branch", ["bad..name", "--force", "HEAD", "main"])
def test_branch_that_cannot_be_is_never_recorded(world: Contributor, branch: str) -> None:
    with pytest.raises((GitError, BlockedError)):
        world.journeys().start(world.project, branch=branch)
    assert world.journeys().list() == []


async def test_dry_run_of_what_was_begun_goes_on_with_it(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    await world.run_until(journey, "branch")
    journeys = world.journeys()
    planned = await journeys.plan_all(journeys.draft(world.project, world.issue))
    assert planned.step("branch").state == "done"
    assert planned.journey.id == journey.id
    assert journeys.draft(world.project, world.issue, branch="other").id == ""
    assert len(journeys.list()) == 1


async def test_two_clones_of_one_forge_are_two_worlds(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue, folder=world.home / "x" / "clone")
    await world.run_until(journey, "branch")
    assert (world.home / "x" / "clone" / "README.md").exists()


async def test_lock_gives_up_in_words(tmp_path: Path) -> None:
    state = tmp_path / "state.toml"
    async with journey_lock(state, "a"):
        async with journey_lock(state, "b", patience=0):
            pass
        with pytest.raises(BlockedError, match="Another isexplore"):
            async with journey_lock(state, "a", patience=0):
                pass
    async with journey_lock(state, "a", patience=0):
        pass


async def test_lock_is_free_again_after_cancelling(tmp_path: Path) -> None:
    state = tmp_path / "state.toml"
    held = asyncio.Event()

    async def hold() -> None:
        async with journey_lock(state, "a"):
            held.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await held.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with journey_lock(state, "a", patience=0):
        pass


async def test_lock_without_a_place_for_it_does_not_stop_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with journey_lock(tmp_path / "file" / "state.toml", "a", patience=0):
        pass


async def test_dry_run_writes_nothing_anywhere(world: Contributor) -> None:
    journeys = world.journeys()
    report = await journeys.plan_all(journeys.draft(world.project, world.issue))
    lines = [command.text for step in report.steps for command in step.commands]
    fork = f"{world.server.origin}/nia/retry-queue.git"
    assert any(line.startswith(f"POST /projects/{world.project.id}/issues/41/notes") for line in lines)
    assert f"POST /projects/{world.project.id}/fork" in lines
    upstream = f"{world.server.origin}/payments/retry-queue.git"
    (clone,) = [line for line in lines if line.startswith("git clone")]
    assert f" --origin upstream -- {upstream} " in clone
    assert f"git -C {world.folder} remote add -m main -- origin {fork}" in lines
    assert report.step("clone").commands == ()
    assert any("--create 41-explain-the-back-off-in-the-readme upstream/main" in line for line in lines)
    assert any(" push -- origin refs/heads/41-" in line for line in lines)
    assert any(
        line.startswith("POST /projects/nia%2Fretry-queue/merge_requests  source_branch=41-")
        for line in lines
    )
    assert not world.state.exists()
    assert not world.root.exists()
    assert not set(world.forge.calls) & {"fork", "comment_on_issue", "assign_issue", "open_merge_request"}


@pytest.mark.parametrize("first", ["fork", "clone"])
async def test_plan_is_what_runs(world: Contributor, first: StepName) -> None:
    """The git lines of the dry run, run by a shell, end where the steps would have ended."""
    journey = world.journeys().start(world.project, world.issue)
    if first == "clone":
        await world.only_fork(journey)
    report = await world.journeys().plan_all(world.journeys().get(journey.id))
    if first == "fork":
        await world.only_fork(journey)
    lines = []
    for name in (first, "branch"):
        for command in report.step(name).commands:
            if command.kind == "api":
                continue
            assert command.shell is not None
            lines.append(command.shell)
    world.server.private = False
    world.folder.parent.mkdir(parents=True)
    shell("\n".join(lines))
    report = await world.probe(journey)
    assert report.step("clone").state == "done"
    assert report.step("branch").state == "done"


async def test_json_has_the_promised_shape(world: Contributor) -> None:
    journey = world.journeys().start(world.project, world.issue)
    report = await world.probe(journey)
    document = msgspec.json.decode(msgspec.json.encode(report_as_json(report)))
    assert document["project"] == "payments/retry-queue"
    assert document["issue"] == 41
    assert (document["fork"], document["clone"], document["merge_request"]) == (None, None, None)
    assert [step["name"] for step in document["steps"]][:3] == ["check", "claim", "fork"]
    assert document["steps"][1]["commands"][0].startswith("POST /projects/")

    await world.run_until(journey, "branch")
    world.edit()
    await world.run(journey, "commit", COMMIT)
    await world.run_until(journey, "propose")
    report = await world.probe(journey)
    document = msgspec.json.decode(msgspec.json.encode(report_as_json(report)))
    assert document["clone"] == str(world.folder)
    assert document["merge_request"] == {
        "number": 1,
        "url": f"{world.project.url}/-/merge_requests/1",
        "title": "Explain the back-off",
        "state": "open",
    }


async def test_status_shows_what_could_not_be_looked_at(world: Contributor) -> None:
    journeys = world.journeys()
    journeys.start(world.project, world.issue)
    journeys.start(structs.replace(world.project, forge="gone"))
    reports = {report.journey.forge: report for report in await world.probe_all()}
    assert reports["gone"].step("check").detail == "The forge gone is not set up"
    assert reports["work"].step("check").state == "done"


async def test_state_that_cannot_be_written_does_not_hide_the_world(
    world: Contributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.forge.fork(world.project)
    journeys = world.journeys()
    journey = journeys.start(world.project, world.issue)

    def refuse(*args: object) -> None:
        raise StateError("state.toml could not be saved", "No space left on device")

    monkeypatch.setattr(JourneyStore, "update", refuse)
    report = await journeys.probe(journey)
    assert report.step("fork").state == "done"
    with pytest.raises(StateError):
        async for _ in journeys.run(journey, "fork"):
            pass


async def test_the_event_loop_goes_on_while_another_program_has_the_record(
    world: Contributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    journeys = world.journeys()
    journey = journeys.start(world.project, world.issue)
    writing, update, loop = asyncio.Event(), JourneyStore.update, asyncio.get_running_loop()

    def noted(store: JourneyStore, journey_id: str, changes: dict[str, Any]) -> Journey:
        loop.call_soon_threadsafe(writing.set)
        return update(store, journey_id, changes)

    async def fork() -> None:
        async for _ in journeys.run(journey, "fork"):
            pass

    monkeypatch.setattr(JourneyStore, "update", noted)
    others = FileLock(world.state.with_suffix(".lock"), thread_local=False)
    others.acquire()
    running = asyncio.ensure_future(fork())
    try:
        # Only a loop that goes on gets to letting go; the writer would give up otherwise.
        await writing.wait()
    finally:
        others.release()
    await running
    assert journeys.get(journey.id).fork == "nia/retry-queue"
