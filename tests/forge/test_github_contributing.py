"""Contributing on GitHub against recorded answers, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from isexplore.errors import (
    ConflictError,
    ForbiddenError,
    ForgeError,
    InvalidError,
    NotVisibleError,
    RateLimitedError,
    ScopeError,
)
from isexplore.forge.github import GitHubForge
from isexplore.models import (
    Discussion,
    ForkState,
    ForkTarget,
    Job,
    MergeRequestState,
    Pipeline,
    PipelineState,
)
from tests.support.forge import Reply
from tests.support.github import (
    ADA,
    API,
    FORK,
    NEW,
    REPO,
    REQUEST,
    UPSTREAM,
    ScriptedGitHub,
    recorded,
    scripted,
)

COMMIT = f"{REPO}/commits/{REQUEST.sha}"
PULL = f"{REPO}/pulls/9"
CLOSED = Reply(403, {"message": "Resource not accessible by personal access token"})


@pytest.fixture
async def pair() -> AsyncIterator[tuple[ScriptedGitHub, GitHubForge]]:
    async with scripted() as made:
        yield made


@pytest.fixture
def server(pair: tuple[ScriptedGitHub, GitHubForge]) -> ScriptedGitHub:
    return pair[0]


@pytest.fixture
def forge(pair: tuple[ScriptedGitHub, GitHubForge]) -> GitHubForge:
    return pair[1]


def refused(message: str, status: int = 403) -> Reply:
    return Reply(status, {"message": message, "status": str(status)})


# Forks


async def test_202_for_a_fork_that_exists_under_another_name(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("POST", f"{REPO}/forks", recorded("fork.renamed"))
    fork = await forge.fork(UPSTREAM)
    assert fork.path == "ada/retry-kit-1"
    assert fork.forked_from_id == "71"
    assert server.requests[0].json == {"default_branch_only": True}


async def test_a_fork_into_an_organization_names_it(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("POST", f"{REPO}/forks", recorded("fork"))
    await forge.fork(UPSTREAM, target=ForkTarget(id="23", path="open"), name="kit")
    assert server.requests[0].json == {"default_branch_only": True, "organization": "open", "name": "kit"}


async def test_a_fork_that_does_not_know_its_original_yet(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("POST", f"{REPO}/forks", Reply(202, {"id": 205, "full_name": "ada/retry-kit"}))
    fork = await forge.fork(UPSTREAM)
    assert (fork.forked_from, fork.forked_from_id) == ("acme/retry-kit", "71")


async def test_something_else_in_the_way_of_a_fork_is_a_conflict(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    other = {"id": 3, "full_name": "eve/other"}
    body = {"id": 205, "full_name": "ada/retry-kit", "fork": True, "parent": other, "source": other}
    server.on("POST", f"{REPO}/forks", Reply(202, body))
    with pytest.raises(ConflictError, match="in the way"):
        await forge.fork(UPSTREAM)


async def test_forking_that_is_switched_off_is_forbidden(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("POST", f"{REPO}/forks", refused("The repository exists, but forking is disabled."))
    with pytest.raises(ForbiddenError) as caught:
        await forge.fork(UPSTREAM)
    assert "forking is disabled" in caught.value.detail
    assert len(server.requests) == 1


async def test_my_fork_has_another_name(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("GET", "/repos/ada/retry-kit", recorded("no_fork"))
    server.on("GET", "/repos/ada/retry-kit-1", recorded("fork.renamed"))
    nodes = [{"nameWithOwner": "acme-labs/retry-kit"}, None, {"nameWithOwner": "ada/retry-kit-1"}]
    server.graphql(Reply(body={"data": {"repository": {"forks": {"nodes": nodes}}}}))
    fork = await forge.my_fork(UPSTREAM, ADA)
    assert fork is not None
    assert fork.path == "ada/retry-kit-1"


async def test_my_fork_is_none_where_graphql_is_closed(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.graphql(CLOSED)
    assert await forge.my_fork(UPSTREAM, ADA) is None


async def test_my_fork_does_not_take_trouble_for_none(server: ScriptedGitHub, forge: GitHubForge) -> None:
    limited = {"data": None, "errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}
    server.graphql(Reply(body=limited))
    with pytest.raises(RateLimitedError):
        await forge.my_fork(UPSTREAM, ADA)


async def test_a_fork_is_ready_when_its_branch_is_there(server: ScriptedGitHub, forge: GitHubForge) -> None:
    ref = "/repos/ada/retry-kit/git/ref/heads/main"
    server.on("GET", ref, refused("Not Found", 404), recorded("git_empty"), Reply(body={"ref": "x"}))
    server.on("GET", f"{REPO}/git/ref/heads/main", Reply(body={"ref": "x"}))
    states = [(await forge.fork_status(FORK)).state for _ in range(3)]
    assert states == [ForkState.IMPORTING, ForkState.IMPORTING, ForkState.READY]


async def test_the_fork_of_an_empty_repository_is_ready(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("GET", "/repos/ada/retry-kit/git/ref/heads/main", recorded("git_empty"))
    server.on("GET", f"{REPO}/git/ref/heads/main", recorded("git_empty"))
    assert (await forge.fork_status(FORK)).state is ForkState.READY


async def test_fork_targets_are_where_i_may_make_repositories(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("GET", "/user", Reply(body={"login": "ada", "id": 11}))
    server.on("GET", "/user/memberships/orgs", recorded("memberships"))
    server.on("GET", "/orgs/strict", Reply(body={"members_can_create_repositories": False}))
    server.on("GET", "/orgs/open", Reply(body={"members_can_create_repositories": True}))
    found = await forge.fork_targets(UPSTREAM)
    assert [(target.path, target.personal) for target in found] == [
        ("ada", True),
        ("mine", False),
        ("open", False),
    ]


async def test_without_the_scope_for_organizations_the_personal_account_is_left(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("GET", "/user", Reply(body={"login": "ada", "id": 11}))
    server.on("GET", "/user/memberships/orgs", refused("You need at least read:org scope"))
    assert [target.path for target in await forge.fork_targets(UPSTREAM)] == ["ada"]


async def test_divergence_between_two_repositories_of_one_owner_names_the_repository(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    answer = Reply(body={"ahead_by": 2, "behind_by": 5})
    server.on("GET", f"{REPO}/compare/main...ada:main", answer)
    server.on("GET", f"{REPO}/compare/main...acme:kit:main", answer)
    beside = replace(FORK, path="acme/kit", owner="acme")
    for fork in (FORK, beside):
        distance = await forge.divergence(fork, UPSTREAM, "main")
        assert distance is not None
        assert (distance.ahead, distance.behind) == (2, 5)
    assert await forge.divergence(FORK, UPSTREAM, "gone") is None


async def test_a_sync_that_would_leave_a_merge_commit_is_not_begun(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("GET", f"{REPO}/compare/main...ada:main", Reply(body={"ahead_by": 1, "behind_by": 5}))
    with pytest.raises(ConflictError, match="cannot be brought up to date"):
        await forge.sync_fork(FORK, "main")
    assert server.asked("POST", "/repos/ada/retry-kit/merge-upstream") == []


async def test_a_sync_with_conflicts_is_a_conflict(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("GET", f"{REPO}/compare/main...ada:main", Reply(body={"ahead_by": 0, "behind_by": 5}))
    where = "/repos/ada/retry-kit/merge-upstream"
    server.on("POST", where, refused("There are merge conflicts", 409))
    with pytest.raises(ConflictError) as caught:
        await forge.sync_fork(FORK, "main")
    assert "merge conflicts" in caught.value.detail
    assert server.asked("POST", where)[0].json == {"branch": "main"}


# Branches and templates


async def test_a_renamed_branch_answers_under_its_new_name_and_is_not_there(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    location = {"Location": f"{server.url}{API}{REPO}/branches/main"}
    server.on("GET", f"{REPO}/branches/master", Reply(301, {"message": "Moved Permanently"}, location))
    server.on("GET", f"{REPO}/branches/main", Reply(body={"name": "main", "commit": {"sha": "aa"}}))
    assert await forge.branch(UPSTREAM, "master") is None
    assert (await forge.branch(UPSTREAM, "main")) is not None


async def test_a_branch_with_slashes(server: ScriptedGitHub, forge: GitHubForge) -> None:
    body = {"name": "fix/a#1", "commit": {"sha": "aa"}, "protected": True}
    server.on("GET", f"{REPO}/branches/fix%2Fa%231", Reply(body=body))
    branch = await forge.branch(UPSTREAM, "fix/a#1")
    assert branch is not None
    assert branch.protected
    assert server.requests[0].path.endswith("/branches/fix%2Fa%231")


async def test_the_template_may_be_the_organizations(server: ScriptedGitHub, forge: GitHubForge) -> None:
    raw = {"Content-Type": "application/vnd.github.raw+json"}
    entry = {"path": "docs/Pull_Request_Template.md", "type": "file"}
    server.on("GET", f"{REPO}/contents", Reply(body=[{"path": "README.md", "type": "file"}]))
    server.on("GET", "/repos/acme/.github/contents/docs", Reply(body=[entry]))
    file = "/repos/acme/.github/contents/docs/Pull_Request_Template.md"
    server.on("GET", file, Reply(body=b"## Why\n", headers=raw))
    assert await forge.merge_request_template(UPSTREAM) == "## Why\n"


# Pull requests


async def test_a_pull_request_from_a_fork(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("POST", f"{REPO}/pulls", Reply(201, recorded("pull").body))
    request = await forge.open_merge_request(replace(NEW, draft=True))
    assert server.requests[0].json == {
        "title": "Explain the back-off",
        "head": "ada:topic",
        "base": "main",
        "body": "Closes #2",
        "draft": True,
        "maintainer_can_modify": True,
    }
    assert (request.number, request.source_project, request.project) == (9, "205", "acme/retry-kit")


async def test_a_pull_request_within_a_repository_has_a_bare_head(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("POST", f"{REPO}/pulls", Reply(201, recorded("pull").body))
    await forge.open_merge_request(replace(NEW, source=UPSTREAM))
    assert server.requests[0].json["head"] == "topic"
    assert "maintainer_can_modify" not in server.requests[0].json


async def test_a_fork_beside_its_original_is_named_by_head_repo(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("POST", f"{REPO}/pulls", recorded("pull.head_invalid"), Reply(201, recorded("pull").body))
    await forge.open_merge_request(replace(NEW, source=replace(FORK, path="acme/kit", owner="acme")))
    bodies = [seen.json for seen in server.requests]
    assert [body["head"] for body in bodies] == ["acme:topic", "acme:topic"]
    assert [body["head_repo"] for body in bodies] == ["kit", "acme/kit"]


async def test_422_that_says_already_exists_is_a_conflict(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("POST", f"{REPO}/pulls", recorded("pull.exists"))
    with pytest.raises(ConflictError) as caught:
        await forge.open_merge_request(NEW)
    assert "A pull request already exists for ada:topic." in caught.value.detail
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("pull.no_commits", "Commit something on topic"),
        ("pull.head_invalid", "Push topic to ada/retry-kit"),
        ("pull.drafts_off", "without the draft mark"),
    ],
)
async def test_other_422_say_what_to_do(
    server: ScriptedGitHub, forge: GitHubForge, name: str, hint: str
) -> None:
    server.on("POST", f"{REPO}/pulls", recorded(name))
    with pytest.raises(InvalidError, match="was not opened") as caught:
        await forge.open_merge_request(NEW)
    assert hint in caught.value.hint
    assert len(server.requests) == 1


async def test_an_organizations_fork_cannot_let_maintainers_push(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("POST", f"{REPO}/pulls", recorded("pull.fork_collab"), Reply(201, recorded("pull").body))
    await forge.open_merge_request(NEW)
    assert [seen.json["maintainer_can_modify"] for seen in server.requests] == [True, False]


async def test_a_dropped_filter_does_not_find_somebody_elses_pull_request(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("GET", f"{REPO}/pulls", recorded("pulls"))
    found = await forge.find_merge_request(UPSTREAM, source=FORK, source_branch="topic")
    assert found is not None
    assert found.number == 7
    assert server.requests[0].query["head"] == "ada:topic"
    assert server.requests[0].query["state"] == "all"


async def test_an_open_pull_request_comes_before_a_later_merged_one(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    def node(number: int, state: str, mine: bool) -> dict[str, object]:
        return {"number": number, "state": state, "headRefName": "topic", "viewerDidAuthor": mine}

    nodes = [node(9, "OPEN", False), node(8, "MERGED", True), node(7, "OPEN", True), node(6, "CLOSED", True)]
    server.graphql(Reply(body={"data": {"repository": {"pullRequests": {"nodes": nodes}}}}))
    found = await forge.find_merge_request(UPSTREAM, source=None, source_branch="topic")
    assert found is not None
    assert found.number == 7


async def test_conflicts_of_a_pull_request(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("GET", PULL, recorded("pull"))
    request = await forge.merge_request(UPSTREAM, 9)
    assert request.conflicts
    assert request.blocked_by == "conflict"
    assert request.state is MergeRequestState.OPEN


async def test_my_pull_requests_come_in_pages(server: ScriptedGitHub, forge: GitHubForge) -> None:
    def page(number: int, cursor: str | None) -> Reply:
        pulls = {
            "nodes": [{"number": number, "state": "OPEN", "headRepository": None}],
            "pageInfo": {"hasNextPage": cursor is not None, "endCursor": cursor},
        }
        return Reply(body={"data": {"viewer": {"pullRequests": pulls}}})

    server.graphql(page(1, "A"), page(2, None))
    found = await forge.my_merge_requests()
    assert [request.number for request in found] == [1, 2]
    assert found[0].source_project is None
    assert [seen.json["variables"]["after"] for seen in server.requests] == [None, "A"]


async def test_a_list_of_graphql_that_stands_still_ends(server: ScriptedGitHub, forge: GitHubForge) -> None:
    pulls = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "A"}}
    server.graphql(Reply(body={"data": {"viewer": {"pullRequests": pulls}}}))
    assert await forge.my_merge_requests() == []
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("NOT_FOUND", NotVisibleError),
        ("FORBIDDEN", ForbiddenError),
        ("INSUFFICIENT_SCOPES", ScopeError),
        ("RATE_LIMITED", RateLimitedError),
        (None, InvalidError),
    ],
)
async def test_graphql_answers_200_with_errors(
    server: ScriptedGitHub, forge: GitHubForge, kind: str | None, error: type[ForgeError]
) -> None:
    server.graphql(Reply(body={"data": None, "errors": [{"type": kind, "message": "No such thing"}]}))
    with pytest.raises(error) as caught:
        await forge.my_merge_requests()
    assert caught.value.detail == "No such thing"


# Checks


def on_checks(
    server: ScriptedGitHub,
    status: Reply | None = None,
    checks: Reply | None = None,
    runs: Reply | None = None,
) -> None:
    server.on("GET", f"{COMMIT}/status", status or recorded("status.none"))
    server.on("GET", f"{COMMIT}/check-runs", checks or Reply(body={"total_count": 0, "check_runs": []}))
    server.on("GET", f"{REPO}/actions/runs", runs or recorded("runs.none"))


async def test_pending_with_no_statuses_is_no_pipeline(server: ScriptedGitHub, forge: GitHubForge) -> None:
    on_checks(server)
    assert await forge.pipeline(UPSTREAM, REQUEST) is None
    assert server.asked("GET", f"{REPO}/actions/runs")[0].query["head_sha"] == REQUEST.sha


async def test_statuses_and_check_runs_are_one_pipeline(server: ScriptedGitHub, forge: GitHubForge) -> None:
    on_checks(server, recorded("status"), recorded("check_runs"))
    pipeline = await forge.pipeline(UPSTREAM, REQUEST)
    assert pipeline is not None
    assert pipeline.state is PipelineState.FAILED
    assert [(job.name, job.detail) for job in pipeline.jobs] == [("tests", "2 tests failed")]


async def test_a_workflow_of_a_first_time_contributor_waits_for_approval(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    on_checks(server, recorded("status"), runs=recorded("runs.waiting"))
    pipeline = await forge.pipeline(UPSTREAM, REQUEST)
    assert pipeline is not None
    assert pipeline.state is PipelineState.WAITING
    assert "approve" in pipeline.jobs[0].detail


async def test_a_workflow_waits_also_where_another_check_has_passed(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    passed = {"id": 1, "name": "DCO", "status": "completed", "conclusion": "success"}
    checks = Reply(body={"total_count": 1, "check_runs": [passed]})
    on_checks(server, checks=checks, runs=recorded("runs.waiting"))
    pipeline = await forge.pipeline(UPSTREAM, REQUEST)
    assert pipeline is not None
    assert pipeline.state is PipelineState.WAITING


async def test_checks_that_the_token_may_not_see_leave_the_others(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    on_checks(server, recorded("status"), CLOSED, refused("Not Found", 404))
    pipeline = await forge.pipeline(UPSTREAM, REQUEST)
    assert pipeline is not None
    assert pipeline.state is PipelineState.PASSED


async def test_checks_come_in_pages(server: ScriptedGitHub, forge: GitHubForge) -> None:
    link = {"Link": f'<{server.url}{API}{COMMIT}/check-runs?filter=latest&per_page=100&page=2>; rel="next"'}
    passed = [{"id": number, "status": "completed", "conclusion": "success"} for number in range(100)]
    on_checks(server, checks=Reply(body={"total_count": 103, "check_runs": passed}, headers=link))
    server.on("GET", f"{COMMIT}/check-runs", recorded("check_runs"), query={"page": "2"})
    pipeline = await forge.pipeline(UPSTREAM, REQUEST)
    assert pipeline is not None
    assert pipeline.state is PipelineState.FAILED


async def test_a_log_on_another_host_is_not_fetched_with_the_token(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    away = Reply(302, b"", {"Location": "https://logs.example.net/31?sig=abc"})
    server.on("GET", f"{REPO}/actions/jobs/31/logs", away)
    remarks = [
        {"path": ".github", "annotation_level": "warning", "message": "Old runner"},
        {"path": "t.py", "start_line": 4, "annotation_level": "failure", "message": "1 != 2"},
    ]
    server.on("GET", f"{REPO}/check-runs/31/annotations", Reply(body=remarks))
    job = Job(name="tests", state=PipelineState.FAILED, id="31")
    pipeline = Pipeline(id="x", state=PipelineState.FAILED)
    assert await forge.job_log(UPSTREAM, job, pipeline) == "t.py:4: 1 != 2"
    assert await forge.job_log(UPSTREAM, replace(job, id=""), pipeline) == ""


# Reviews


async def test_the_latest_review_of_each_person_counts(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("GET", f"{PULL}/reviews", recorded("reviews"))
    server.graphql(CLOSED)
    review = await forge.review(UPSTREAM, REQUEST)
    assert review.approved_by == ("mara",)
    assert review.changes_requested_by == ()
    assert review.approved
    assert review.reviewers == ("mara", "ravi")


async def test_an_approval_is_not_enough_where_the_branch_wants_more(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("GET", f"{PULL}/reviews", recorded("reviews"))
    server.graphql(recorded("graphql.decision"))
    review = await forge.review(UPSTREAM, REQUEST)
    assert not review.approved
    assert review.approved_by == ("mara",)
    assert review.reviewers == ("mara", "ravi", "zoe", "acme/retry-team")


async def test_threads_are_resolved_or_not_and_remarks_are_neither(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.graphql(recorded("graphql.threads"))
    server.on("GET", f"{REPO}/issues/9/comments", recorded("issue_comments"))
    server.on("GET", f"{PULL}/reviews", recorded("reviews"))
    threads = await forge.discussions(UPSTREAM, REQUEST)
    told = [(thread.id, thread.unresolved, thread.resolvable, thread.file, thread.line) for thread in threads]
    assert told == [
        ("71", False, False, None, None),
        ("1", False, False, None, None),
        ("5", False, False, None, None),
        ("63", False, True, "README.md", 1),
        ("61", True, True, "src/retry.py", 7),
    ]
    assert [comment.author for comment in threads[-1].comments] == ["mara", ""]
    assert threads[0].comments[0].bot


async def test_threads_without_graphql_are_put_together_from_their_comments(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.graphql(CLOSED)
    server.on("GET", f"{REPO}/issues/9/comments", Reply(body=[]))
    server.on("GET", f"{PULL}/reviews", Reply(body=[]))
    server.on("GET", f"{PULL}/comments", recorded("review_comments"))
    [thread] = await forge.discussions(UPSTREAM, REQUEST)
    assert [comment.id for comment in thread.comments] == ["61", "62"]
    assert (thread.file, thread.line, thread.resolvable) == ("src/retry.py", 7, False)


async def test_an_answer_goes_to_the_first_comment_of_a_thread_and_else_to_the_whole(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    said = Reply(201, {"id": 99, "body": "Done", "user": {"login": "ada"}})
    server.on("POST", f"{PULL}/comments/61/replies", said)
    server.on("POST", f"{REPO}/issues/9/comments", said)
    thread = Discussion(id="61", comments=(), file="src/retry.py")
    await forge.reply(UPSTREAM, REQUEST, "Done", discussion=thread)
    await forge.reply(UPSTREAM, REQUEST, "Done", discussion=Discussion(id="71", comments=()))
    await forge.reply(UPSTREAM, REQUEST, "Done")
    assert server.paths() == [
        f"POST {PULL}/comments/61/replies",
        f"POST {REPO}/issues/9/comments",
        f"POST {REPO}/issues/9/comments",
    ]


async def test_a_star_has_no_body_and_says_so(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("PUT", "/user/starred/acme/retry-kit", Reply(204), Reply(304))
    await forge.star(UPSTREAM)
    await forge.star(UPSTREAM)
    assert server.requests[0].headers["content-length"] == "0"
