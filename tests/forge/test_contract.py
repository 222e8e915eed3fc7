"""What every adapter promises, asserted once: the same questions to each kind of forge, the same answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from isexplore.errors import (
    AuthError,
    ConflictError,
    ForbiddenError,
    ForgeError,
    InvalidError,
    NotVisibleError,
    RateLimitedError,
    ScopeError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.forge.base import Capability, Forge
from isexplore.models import (
    ForgeKind,
    ForkState,
    MergeRequest,
    MergeRequestState,
    NewMergeRequest,
    PipelineState,
    Project,
    Role,
    Visibility,
)
from tests.support import contract_gitea, contract_github, contract_gitlab
from tests.support.contract import ALPHA, FIRST_LABEL, LOG_END, README, ContractWorld, Trouble

WORLDS: dict[str, Callable[[], AbstractAsyncContextManager[Any]]] = {
    "gitlab": contract_gitlab.world,
    "forgejo": contract_gitea.world,
    "gitea-1.16": partial(contract_gitea.world, old=True),
    "github": contract_github.world,
}


@pytest.fixture(params=WORLDS)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[ContractWorld]:
    async with WORLDS[request.param]() as running:
        yield running


async def alpha(world: ContractWorld) -> Project:
    return await world.forge.project(ALPHA)


async def found(forge: Forge, *tags: str, **wanted: object) -> list[Project]:
    pages = forge.find_projects(tags, **wanted)  # type: ignore[arg-type]
    return [project async for page in pages for project in page.projects]


async def forked(world: ContractWorld) -> Project:
    return await world.forge.fork(await alpha(world))


async def ready(world: ContractWorld, fork: Project) -> Project:
    """Wait until the fork's branches can be read."""
    async with asyncio.timeout(10):
        while (status := await world.forge.fork_status(fork)).state is not ForkState.READY:
            assert status.state is ForkState.IMPORTING
            await asyncio.sleep(0.01)
    return fork


async def proposed(world: ContractWorld, branch: str = "explain", **told: object) -> MergeRequest:
    """Fork alpha unless that was done, push a branch and open a merge request from it."""
    target = await alpha(world)
    source = await ready(world, await forked(world))
    await world.push(source, branch)
    new = {"title": "Explain the back-off", "description": "Closes #1", **told}
    return await world.forge.open_merge_request(
        NewMergeRequest(
            source=source,
            target=target,
            source_branch=branch,
            target_branch="main",
            **new,  # type: ignore[arg-type]
        )
    )


# Who and what


async def test_the_account_and_the_server_are_known(world: ContractWorld) -> None:
    me = await world.forge.whoami()
    server = await world.forge.server()

    assert (me.username, me.name) == (world.me, "Nia Newcomer")
    assert me.id
    assert server.kind is world.kind is world.forge.kind
    assert server.version
    assert server.name


async def test_git_signs_in_to_the_forge_alone(world: ContractWorld) -> None:
    login = world.forge.git_login

    assert world.forge.url.startswith(login.origin)
    assert login.username


async def test_facts_about_the_token_are_told_or_left_open(world: ContractWorld) -> None:
    facts = await world.forge.token_facts()

    assert facts.scopes is None or all(facts.scopes)


# Finding and reading


async def test_projects_are_found_by_tag(world: ContractWorld) -> None:
    by_path = {project.path: project for project in await found(world.forge, "innersource")}

    assert set(by_path) == {ALPHA, world.other}
    assert {"innersource"} <= set(by_path[ALPHA].topics)
    assert by_path[ALPHA].forge == "work"
    assert by_path[ALPHA].description == "A small library for retries"
    assert not by_path[ALPHA].archived


async def test_any_spelling_of_a_tag_finds_a_project(world: ContractWorld) -> None:
    paths = {project.path for project in await found(world.forge, "inner-source", "InnerSource", "go")}

    assert world.other in paths


async def test_an_unknown_tag_finds_nothing(world: ContractWorld) -> None:
    assert await found(world.forge, "no-such-tag") == []


async def test_words_narrow_a_search_by_tag(world: ContractWorld) -> None:
    paths = {project.path for project in await found(world.forge, "innersource", text="alpha")}

    assert paths == {ALPHA}


async def test_a_project_has_everything_that_one_call_gives(world: ContractWorld) -> None:
    project = await alpha(world)

    assert (project.path, project.name, project.owner) == (ALPHA, "alpha", "tools")
    assert project.id
    assert project.stars == 7
    assert project.default_branch == "main"
    assert set(project.topics) == {"innersource", "python"}
    assert project.visibility is not Visibility.PRIVATE
    assert not project.role.can_push
    assert project.forked_from is None
    assert not project.empty
    assert project.issues_enabled
    assert project.merge_requests_enabled
    assert project.last_activity is not None
    assert project.last_activity.tzinfo is UTC


async def test_git_addresses_are_below_the_configured_one(world: ContractWorld) -> None:
    project = await alpha(world)

    assert project.clone_url == f"{world.forge.url}/{ALPHA}.git"
    assert project.url == f"{world.forge.url}/{ALPHA}"
    assert ALPHA in project.ssh_url


async def test_a_project_is_found_by_its_id_too(world: ContractWorld) -> None:
    project = await alpha(world)

    assert (await world.forge.project(project.id)).path == ALPHA


async def test_a_hidden_project_and_a_missing_one_look_the_same(world: ContractWorld) -> None:
    for path in (world.secret, "tools/nothing", "nobody/nothing"):
        with pytest.raises(NotVisibleError):
            await world.forge.project(path)


async def test_files_are_read(world: ContractWorld) -> None:
    project = await alpha(world)
    root = {entry.path: entry for entry in await world.forge.folder(project)}

    assert not root["README.md"].folder
    assert root["src"].folder
    assert [entry.path for entry in await world.forge.folder(project, "src")] == ["src/alpha.py"]
    assert await world.forge.file(project, "README.md") == README
    assert await world.forge.file(project, "docs/usage.md", ref="main") == b"Use it.\n"
    assert await world.forge.file(project, "README.md", limit=7) == README[:7]


async def test_a_missing_file_is_none_and_a_missing_folder_empty(world: ContractWorld) -> None:
    project = await alpha(world)

    assert await world.forge.file(project, "NOTHING.md") is None
    assert await world.forge.folder(project, "nothing") == []


async def test_languages_are_shares_largest_first(world: ContractWorld) -> None:
    shares = await world.forge.languages(await alpha(world))

    assert list(shares) == ["Python", "Shell"]
    assert shares["Python"] == pytest.approx(0.9)


async def test_people_are_told_as_far_as_they_are_visible(world: ContractWorld) -> None:
    project = await alpha(world)
    members = await world.forge.members(project)
    contributors = await world.forge.contributors(project)
    strength = list(Role)

    assert all(member.person.username for member in members)
    roles = [strength.index(member.role) for member in members]
    assert roles == sorted(roles, reverse=True)
    assert len(contributors) == 2
    assert any("mara" in f"{person.username} {person.name} {person.email}".lower() for person in contributors)


async def test_participation_has_a_year_of_weeks_or_nothing(world: ContractWorld) -> None:
    weeks = await world.forge.participation(await alpha(world))

    assert weeks == () or (len(weeks) == 52 and sum(weeks) >= 2)


async def test_a_project_is_starred_twice_without_harm(world: ContractWorld) -> None:
    project = await alpha(world)

    await world.forge.star(project)
    await world.forge.star(project)

    assert (await alpha(world)).stars == 8


# Issues


async def test_open_issues_are_listed_without_merge_requests(world: ContractWorld) -> None:
    issues = await world.forge.issues(await alpha(world))

    assert {issue.number for issue in issues} == {1, 2}
    times = [issue.updated_at for issue in issues]
    assert times == sorted(times, reverse=True)  # type: ignore[type-var]


async def test_issues_of_a_label_have_that_label(world: ContractWorld) -> None:
    project = await alpha(world)
    names = {label.name for label in await world.forge.labels(project)}
    [first] = await world.forge.issues(project, labels=(FIRST_LABEL,))

    assert {FIRST_LABEL, "bug"} <= names
    assert (first.number, first.title, first.author) == (1, "Explain the back-off", "mara")
    assert first.labels == (FIRST_LABEL,)
    assert first.assignees == ()
    assert first.url.startswith(world.forge.url)


async def test_any_of_several_labels_is_enough(world: ContractWorld) -> None:
    issues = await world.forge.issues(await alpha(world), labels=(FIRST_LABEL, "bug"))

    assert {issue.number for issue in issues} == {1, 2}


async def test_a_label_that_does_not_exist_finds_no_issue(world: ContractWorld) -> None:
    assert await world.forge.issues(await alpha(world), labels=("no such label",)) == []


async def test_a_limit_of_issues_is_kept(world: ContractWorld) -> None:
    assert len(await world.forge.issues(await alpha(world), limit=1)) == 1


async def test_one_issue_tells_who_has_it(world: ContractWorld) -> None:
    project = await alpha(world)
    issue = await world.forge.issue(project, 2)

    assert issue.assignees == ("ravi",)
    assert issue.author == world.me
    assert issue.description == "See #1."
    assert not (await world.forge.issue(project, 3)).open
    with pytest.raises(NotVisibleError):
        await world.forge.issue(project, 999)


async def test_a_comment_is_there_afterwards(world: ContractWorld) -> None:
    project = await alpha(world)
    made = await world.forge.comment_on_issue(project, 1, "May I?")
    comments = [comment for comment in await world.forge.comments(project, 1) if not comment.system]

    assert (made.author, made.body) == (world.me, "May I?")
    assert [(comment.id, comment.author, comment.body) for comment in comments] == [
        (made.id, world.me, "May I?")
    ]


async def test_an_outsider_is_never_told_to_be_assigned_without_being_it(world: ContractWorld) -> None:
    project, me = await alpha(world), await world.forge.whoami()
    try:
        issue = await world.forge.assign_issue(project, 1, me)
    except (ForbiddenError, NotVisibleError):
        issue = await world.forge.issue(project, 1)

    assert issue.assignees == (await world.forge.issue(project, 1)).assignees


async def test_a_merge_request_that_mentions_an_issue_is_linked(world: ContractWorld) -> None:
    made = await proposed(world)
    linked = await world.forge.linked_merge_requests(await alpha(world), 1)

    assert [(request.project, request.number) for request in linked] == [(ALPHA, made.number)]
    assert linked[0].state is MergeRequestState.OPEN


# Forks


async def test_a_fork_is_made_once_and_adopted_afterwards(world: ContractWorld) -> None:
    project, me = await alpha(world), await world.forge.whoami()
    assert await world.forge.my_fork(project, me) is None

    made = await world.forge.fork(project)
    again = await world.forge.fork(project)
    mine = await world.forge.my_fork(project, me)

    assert made.owner == me.username
    assert mine is not None
    assert made.id == again.id == mine.id
    assert mine.forked_from == ALPHA
    assert mine.role.can_push


async def test_a_fork_gets_ready(world: ContractWorld) -> None:
    await ready(world, await forked(world))


async def test_the_own_namespace_is_the_first_to_fork_into(world: ContractWorld) -> None:
    targets = await world.forge.fork_targets(await alpha(world))

    assert targets[0].personal
    assert targets[0].path == world.me


async def test_a_branch_is_told_or_none(world: ContractWorld) -> None:
    fork = await ready(world, await forked(world))
    sha = await world.push(fork, "explain")
    branch = await world.forge.branch(fork, "explain")

    assert branch is not None
    assert (branch.name, branch.sha) == ("explain", sha)
    assert await world.forge.branch(fork, "nothing") is None


async def test_branches_are_found_by_what_their_name_begins_with(world: ContractWorld) -> None:
    fork = await ready(world, await forked(world))
    sha = await world.push(fork, "12-explain")
    found = await world.forge.branches(fork, "12")
    assert [(branch.name, branch.sha) for branch in found] == [("12-explain", sha)]
    assert await world.forge.branches(fork, "13") == []


async def test_a_fork_behind_its_original_is_brought_up_to_date(world: ContractWorld) -> None:
    project, fork = await alpha(world), await ready(world, await forked(world))
    await world.move_on()
    distance = await world.forge.divergence(fork, project, "main")
    if distance is None:
        with pytest.raises((InvalidError, ConflictError)):
            await world.forge.sync_fork(fork, "main")
        assert Capability.FORK_SYNC not in world.forge.capabilities
        return

    assert (distance.ahead, distance.behind) == (0, 1)
    await world.forge.sync_fork(fork, "main")

    after = await world.forge.divergence(fork, project, "main")
    assert after is not None
    assert (after.ahead, after.behind) == (0, 0)


# Merge requests


async def test_the_template_is_where_the_forge_looks_for_it(world: ContractWorld) -> None:
    assert await world.forge.merge_request_template(await alpha(world)) == "## What\n"


async def test_a_merge_request_is_opened_and_found_again(world: ContractWorld) -> None:
    made = await proposed(world)
    target, fork = await alpha(world), await forked(world)
    by_fork = await world.forge.find_merge_request(target, source=fork, source_branch="explain")
    by_author = await world.forge.find_merge_request(target, source=None, source_branch="explain")
    read = await world.forge.merge_request(target, made.number)

    assert by_fork is not None
    assert by_author is not None
    assert made.number == by_fork.number == by_author.number == read.number
    assert (read.project, read.title, read.author) == (ALPHA, "Explain the back-off", world.me)
    assert (read.source_branch, read.target_branch) == ("explain", "main")
    assert read.state is MergeRequestState.OPEN
    assert not read.draft
    assert read.url.startswith(f"{world.forge.url}/{ALPHA}/")
    assert [one.number for one in await world.forge.my_merge_requests()] == [made.number]


async def test_a_draft_is_one(world: ContractWorld) -> None:
    made = await proposed(world, draft=True)

    assert (await world.forge.merge_request(await alpha(world), made.number)).draft


async def test_a_draft_is_marked_as_ready_and_once_more_does_no_harm(world: ContractWorld) -> None:
    made = await proposed(world, draft=True)
    target = await alpha(world)
    for _ in range(2):
        marked = await world.forge.mark_ready(target, made)
        assert (marked.number, marked.title, marked.draft) == (made.number, "Explain the back-off", False)

    assert not (await world.forge.merge_request(target, made.number)).draft


async def test_another_branch_has_no_merge_request(world: ContractWorld) -> None:
    await proposed(world)
    target, fork = await alpha(world), await forked(world)

    assert await world.forge.find_merge_request(target, source=fork, source_branch="other") is None
    # Somebody else's branch of the project itself.
    assert await world.forge.find_merge_request(target, source=fork, source_branch="tidy") is None
    assert await world.forge.find_merge_request(target, source=None, source_branch="tidy") is None


async def test_a_second_merge_request_from_a_branch_is_a_conflict(world: ContractWorld) -> None:
    made = await proposed(world)
    target, fork = await alpha(world), await forked(world)
    with pytest.raises(ConflictError):
        await world.forge.open_merge_request(
            NewMergeRequest(
                source=fork, target=target, source_branch="explain", target_branch="main", title="Again"
            )
        )

    there = await world.forge.find_merge_request(target, source=fork, source_branch="explain")
    assert there is not None
    assert there.number == made.number


async def test_a_branch_that_was_never_pushed_is_refused_in_words(world: ContractWorld) -> None:
    target, fork = await alpha(world), await forked(world)
    with pytest.raises(InvalidError) as refused:
        await world.forge.open_merge_request(
            NewMergeRequest(
                source=fork, target=target, source_branch="nothing", target_branch="main", title="Nothing"
            )
        )

    assert refused.value.title
    assert refused.value.detail


async def test_a_merged_request_is_still_found(world: ContractWorld) -> None:
    made = await proposed(world)
    await world.merge(made.number)
    target, fork = await alpha(world), await forked(world)
    there = await world.forge.find_merge_request(target, source=fork, source_branch="explain")

    assert there is not None
    assert (there.number, there.state) == (made.number, MergeRequestState.MERGED)


async def test_checks_are_open_then_failed_with_their_jobs_then_passed(world: ContractWorld) -> None:
    made = await proposed(world)
    target = await alpha(world)

    async def pipeline() -> tuple[PipelineState | None, set[str]]:
        request = await world.forge.merge_request(target, made.number)
        there = await world.forge.pipeline(target, request)
        if there is None:
            return None, set()
        return there.state, {job.name for job in there.jobs if job.state is PipelineState.FAILED}

    assert await pipeline() in ((None, set()), (PipelineState.PENDING, set()))
    await world.check(made.number, passed=False)
    assert await pipeline() == (PipelineState.FAILED, {"tests"})
    await world.check(made.number, passed=True)
    assert (await pipeline())[0] is PipelineState.PASSED


async def test_the_log_of_a_failed_job_ends_with_why_or_is_empty(world: ContractWorld) -> None:
    made = await proposed(world)
    await world.check(made.number, passed=False)
    target = await alpha(world)
    there = await world.forge.pipeline(target, await world.forge.merge_request(target, made.number))
    assert there is not None
    [job] = [job for job in there.jobs if job.name == "tests"]
    log = await world.forge.job_log(target, job, there)

    assert log == "" or log.rstrip().endswith(LOG_END)


async def test_an_approval_is_told(world: ContractWorld) -> None:
    made = await proposed(world)
    target = await alpha(world)
    before = await world.forge.review(target, await world.forge.merge_request(target, made.number))
    await world.review(made.number, by="mara", approve=True)
    after = await world.forge.review(target, await world.forge.merge_request(target, made.number))

    assert not before.approved
    assert before.approved_by == ()
    assert after.approved
    assert after.approved_by == ("mara",)


async def test_the_last_word_of_a_reviewer_counts(world: ContractWorld) -> None:
    if world.kind is ForgeKind.GITLAB:
        pytest.skip("the practice forge has approvals only")
    made = await proposed(world)
    target = await alpha(world)
    request = await world.forge.merge_request(target, made.number)
    await world.review(made.number, by="mara", approve=False)
    asked = await world.forge.review(target, request)
    await world.review(made.number, by="mara", approve=True)
    approved = await world.forge.review(target, request)

    assert (asked.approved, asked.changes_requested_by) == (False, ("mara",))
    assert (approved.approved, approved.changes_requested_by) == (True, ())


async def test_a_thread_is_unresolved_and_can_be_answered(world: ContractWorld) -> None:
    made = await proposed(world)
    target = await alpha(world)
    request = await world.forge.merge_request(target, made.number)
    await world.remark(made.number, by="mara", body="Why so?", file="src/alpha.py", line=1)
    [thread] = await world.forge.discussions(target, request)

    assert [(comment.author, comment.body) for comment in thread.comments] == [("mara", "Why so?")]
    assert (thread.file, thread.line) == ("src/alpha.py", 1)
    assert thread.unresolved or Capability.DISCUSSIONS not in world.forge.capabilities

    answer = await world.forge.reply(target, request, "Because.", discussion=thread)
    [answered] = await world.forge.discussions(target, request)

    assert (answer.author, answer.body) == (world.me, "Because.")
    assert [comment.body for comment in answered.comments] == ["Why so?", "Because."]


async def test_a_remark_on_the_whole_is_a_thread_of_its_own(world: ContractWorld) -> None:
    made = await proposed(world)
    target = await alpha(world)
    request = await world.forge.merge_request(target, made.number)
    await world.forge.reply(target, request, "Ready for a look.")
    [thread] = await world.forge.discussions(target, request)

    assert thread.comments[0].body == "Ready for a look."
    assert not thread.unresolved


# Errors


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (Trouble.BAD_TOKEN, AuthError),
        (Trouble.MISSING_SCOPE, ScopeError),
        (Trouble.NOT_VISIBLE, NotVisibleError),
        (Trouble.RATE_LIMITED, RateLimitedError),
        (Trouble.WEB_PAGE, WrongAnswerError),
        (Trouble.DOWN, UnavailableError),
    ],
)
async def test_every_trouble_has_its_own_error_in_words(
    world: ContractWorld, trouble: Trouble, kind: type[ForgeError]
) -> None:
    project = await alpha(world)
    forge = world.troubled(trouble)
    with pytest.raises(ForgeError) as first:
        await forge.project(ALPHA)
    with pytest.raises(ForgeError) as second:
        await world.troubled(trouble).issues(project)

    for refused in (first.value, second.value):
        assert type(refused) is kind
        assert refused.forge == "work"
        assert refused.title
        assert not refused.title.endswith(".")
        assert refused.hint


async def test_a_rate_limit_says_when_to_come_back(world: ContractWorld) -> None:
    forge = world.troubled(Trouble.RATE_LIMITED)
    with pytest.raises(RateLimitedError) as limited:
        await forge.whoami()

    assert limited.value.retry_at is not None
    wait = limited.value.retry_at - datetime.now(UTC)
    assert timedelta(minutes=50) < wait <= timedelta(minutes=61)


async def test_a_missing_scope_is_named_if_the_forge_names_it(world: ContractWorld) -> None:
    with pytest.raises(ScopeError) as refused:
        await world.troubled(Trouble.MISSING_SCOPE).whoami()

    assert refused.value.missing or world.kind is ForgeKind.GITHUB


# Cost


async def test_the_first_part_of_a_preview_costs_at_most_four_requests(world: ContractWorld) -> None:
    from isexplore.guide.preview import Preview, read_project

    [project] = [one for one in await found(world.forge, "innersource") if one.path == ALPHA]
    began = world.requests
    costs: list[int] = []

    def note(preview: Preview) -> None:
        documents = {document.name for document in preview.documents}
        if not costs and {"README", "CONTRIBUTING"} <= documents:
            costs.append(world.requests - began)

    await read_project(world.forge, project, on_part=note)

    assert costs
    assert costs[0] <= 4
