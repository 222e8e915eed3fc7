"""The whole main job against a running forge: find, read, fork, clone, commit, push, propose, look.

Runs only with these variables, and takes away what it made (merge request, branch, fork):

    ISEXPLORE_LIVE_URL      web address of the forge
    ISEXPLORE_LIVE_KIND     gitlab, gitea (Forgejo too) or github
    ISEXPLORE_LIVE_TOKEN    token of an account that may fork and propose
    ISEXPLORE_LIVE_PROJECT  path of the project to contribute to; else the first with an InnerSource tag
    ISEXPLORE_LIVE_ISSUE    number of an issue of it; nothing is written to the issue
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import Struct

from isexplore.config.files import StateFile
from isexplore.config.network import git_environment, ssl_context
from isexplore.config.schema import DEFAULT_TAGS, Config, ForgeConfig, NetworkConfig
from isexplore.config.secrets import Secret
from isexplore.connecting import adapter, api_url
from isexplore.errors import ForbiddenError, ForgeError, InvalidError, NotVisibleError, ScopeError
from isexplore.forge.base import Forge
from isexplore.forge.http import ForgeClient
from isexplore.git.client import Git
from isexplore.git.facts import Credential
from isexplore.guide.preview import read_project
from isexplore.journey.runner import Journeys
from isexplore.journey.states import StepName
from isexplore.journey.store import Journey
from isexplore.models import ForgeKind, MergeRequestState, Project

# Read while this file is imported: no test sees the developer's variables.
URL = os.environ.get("ISEXPLORE_LIVE_URL", "").rstrip("/")
KIND = os.environ.get("ISEXPLORE_LIVE_KIND", "")
TOKEN = os.environ.get("ISEXPLORE_LIVE_TOKEN", "")
PROJECT = os.environ.get("ISEXPLORE_LIVE_PROJECT", "")
ISSUE = os.environ.get("ISEXPLORE_LIVE_ISSUE", "")
NAME = "live"

pytestmark = [
    pytest.mark.live,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        not (URL and KIND and TOKEN),
        reason="ISEXPLORE_LIVE_URL, ISEXPLORE_LIVE_KIND and ISEXPLORE_LIVE_TOKEN name no forge",
    ),
]


class Live(Struct, frozen=True):
    """A forge to try, and what stands around it."""

    forge: Forge
    journeys: Journeys
    client: ForgeClient
    """Sends what isexplore itself never does: closing and deleting."""
    folder: Path


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    settings = ForgeConfig(name=NAME, url=URL, kind=ForgeKind(KIND), allow_http=URL.startswith("http://"))
    network = NetworkConfig()
    tls = ssl_context(network)
    token = Secret(TOKEN)
    forge = await adapter(settings, network, token, tls)
    client = ForgeClient(
        name=NAME,
        base_url=api_url(settings, settings.kind or ForgeKind.GITLAB),
        token=token,
        token_header="token" if KIND == "gitea" else "bearer",
        verify=tls,
        allow_http=settings.allow_http,
    )
    login = forge.git_login
    credential = Credential(origin=login.origin, username=login.username, token=token)
    journeys = Journeys(
        forges={NAME: forge},
        git=Git(network_environment=git_environment(network, tmp_path / "cache")),
        state=StateFile(tmp_path / "state.toml"),
        credentials=lambda name: credential,
        config=Config(forges=(settings,), clone_folder=tmp_path / "src"),
    )
    try:
        yield Live(forge, journeys, client, tmp_path / "src" / "clone")
    finally:
        await client.aclose()
        await forge.close()


async def chosen(forge: Forge) -> Project:
    """Return the project to contribute to."""
    if PROJECT:
        return await forge.project(PROJECT)
    async for page in forge.find_projects(DEFAULT_TAGS):
        for project in page.projects:
            if not project.empty and project.merge_requests_enabled:
                return await forge.project(project.path)
    pytest.fail("No project has an InnerSource tag: name one with ISEXPLORE_LIVE_PROJECT")


async def run(live: Live, journey: Journey, step: StepName, **answers: str) -> Journey:
    """Run a step and return the journey as it is recorded then."""
    said = [progress.text async for progress in live.journeys.run(journey, step, answers)]
    assert all(said), f"{step} said nothing"
    return live.journeys.get(journey.id)


async def test_the_main_job(live: Live) -> None:
    forge = live.forge
    server = await forge.server()
    me = await forge.whoami()
    assert server.kind is ForgeKind(KIND)
    assert server.version
    assert me.username
    await forge.token_facts()

    project = await chosen(forge)
    if project.topics:
        found = [one.path async for page in forge.find_projects(project.topics[:1]) for one in page.projects]
        assert project.path in found, f"{project.path} is not found by its topic {project.topics[0]}"
    preview = await read_project(forge, project.path, me=me.username)
    assert preview.complete
    assert [note for note in preview.notes if note.part in ("documents", "issues")] == []
    assert project.clone_url.startswith(forge.git_login.origin)

    number = int(ISSUE) if ISSUE else None
    issue = await forge.issue(project, number) if number else None
    branch = f"isexplore-live-{secrets.token_hex(4)}"
    had_fork = await forge.my_fork(project, me) is not None
    journey = live.journeys.start(project, issue, folder=live.folder, branch=branch)
    try:
        await contribute(live, journey, project, branch)
    finally:
        fork_stays = await clean_up(live, live.journeys.get(journey.id), project, branch, keep_fork=had_fork)
    await assert_gone(live, live.journeys.get(journey.id), project, branch, fork_stays=fork_stays)


async def contribute(live: Live, journey: Journey, project: Project, branch: str) -> None:
    """Walk all steps, then look at the outcome from the other side."""
    journey = await run(live, journey, "check")
    if journey.issue is not None:
        journey = await run(live, journey, "claim", how="skip")
    for step in ("fork", "clone", "branch"):
        journey = await run(live, journey, step)
    assert journey.branch == branch
    assert (live.folder / ".git").is_dir()

    note = live.folder / f"{branch}.md"
    note.write_text("# A test\n\nWritten by the live tests of isexplore; delete it.\n", encoding="utf-8")
    who = {"name": "isexplore live test", "email": "live@example.com"}
    journey = await run(live, journey, "commit", message="Add a note of the live tests", **who)
    journey = await run(live, journey, "push")
    # Twice, because nothing may happen the second time.
    for _ in range(2):
        title = {"title": "Test of isexplore: please ignore", "body": "It will be closed at once."}
        journey = await run(live, journey, "propose", **title)

    assert journey.merge_request is not None
    request = await live.forge.merge_request(project, journey.merge_request)
    assert (request.state, request.source_branch) == (MergeRequestState.OPEN, branch)
    assert request.target_branch == project.default_branch
    fork = await live.forge.project(journey.fork)
    found = await live.forge.find_merge_request(project, source=fork, source_branch=branch)
    assert found is not None
    assert found.number == request.number
    assert request.number in [one.number for one in await live.forge.my_merge_requests()]

    report = await live.journeys.probe(journey)
    assert report.current == "review", [(step.name, step.state, step.detail) for step in report.steps]
    assert report.merge_request is not None
    await live.forge.pipeline(project, request)
    assert not (await live.forge.review(project, request)).approved_by
    said = await live.forge.reply(project, request, "A remark of the live tests.")
    threads = await live.forge.discussions(project, request)
    assert said.body in [comment.body for thread in threads for comment in thread.comments]


# Taking away what was made, with calls that isexplore has no other use for


async def clean_up(live: Live, journey: Journey, project: Project, branch: str, *, keep_fork: bool) -> bool:
    """Close the merge request, delete the branch, and delete the fork if this test made it.

    Returns whether the fork stays: it was there before, or this account or token may not delete projects.
    """
    failures = []
    for method, path, body in closing_calls(journey, project, branch):
        try:
            await live.client.send(method, path, json=body)
        except NotVisibleError:
            pass
        except ForgeError as error:
            failures.append(f"{method} {path}: {error}")
    if journey.fork and not keep_fork and journey.fork != project.path:
        fork = ("projects", journey.fork) if KIND == "gitlab" else ("repos", *journey.fork.split("/"))
        try:
            await live.client.send("DELETE", fork)
        except (ForbiddenError, ScopeError, InvalidError) as error:
            print(f"The fork {journey.fork} stays on {URL}: {error}")
            keep_fork = True
    assert not failures, "Left behind on the forge: " + "; ".join(failures)
    return keep_fork


Call = tuple[str, tuple[str | int, ...], object]


def closing_calls(journey: Journey, project: Project, branch: str) -> list[Call]:
    """Return the requests that close the merge request and delete the branch, as far as a journey got."""
    number, fork = journey.merge_request, journey.fork
    made: list[Call] = []
    if KIND == "gitlab":
        if number is not None:
            path = ("projects", project.id, "merge_requests", number)
            made.append(("PUT", path, {"state_event": "close"}))
        if fork:
            made.append(("DELETE", ("projects", fork, "repository", "branches", branch), None))
        return made
    if number is not None:
        made.append(("PATCH", ("repos", *project.path.split("/"), "pulls", number), {"state": "closed"}))
    if fork:
        refs = ("git", "refs", "heads") if KIND == "github" else ("branches",)
        made.append(("DELETE", ("repos", *fork.split("/"), *refs, branch), None))
    return made


async def assert_gone(
    live: Live, journey: Journey, project: Project, branch: str, *, fork_stays: bool
) -> None:
    """Fail if something of this test is still there."""
    assert journey.merge_request is not None
    request = await live.forge.merge_request(project, journey.merge_request)
    assert request.state is MergeRequestState.CLOSED
    if fork_stays:
        fork = await live.forge.project(journey.fork)
        assert await live.forge.branch(fork, branch) is None
        return
    me = await live.forge.whoami()
    # Some forges delete later than they say.
    for _ in range(60):
        if await live.forge.my_fork(project, me) is None:
            return
        await asyncio.sleep(1)
    pytest.fail(f"{journey.fork} was not deleted")
