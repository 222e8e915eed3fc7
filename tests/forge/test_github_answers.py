"""Whatever GitHub answers, each question of the adapter ends in clean models or a `ForgeError`."""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isexplore.config.secrets import Secret
from isexplore.errors import ForgeError
from isexplore.forge import github_parse as parse
from isexplore.forge.github import GitHubForge
from isexplore.forge.github_checks import check_state
from isexplore.forge.github_graphql import oldest_first
from isexplore.forge.github_wire import WireParticipation, WireReview, WireUser
from isexplore.forge.http import ForgeClient
from isexplore.models import Comment, Discussion, Job, Pipeline, PipelineState
from isexplore.text import clean
from tests.support.forge import Clock
from tests.support.github import ADA, API, FORK, NEW, NOW, REQUEST, UPSTREAM, recorded

JSON = {"Content-Type": "application/json"}
MY_PULLS = {
    "data": {
        "viewer": {
            "pullRequests": {
                "nodes": [
                    {
                        "number": 9,
                        "title": "Explain it",
                        "body": "Closes #2",
                        "url": "https://github.com/acme/retry-kit/pull/9",
                        "state": "OPEN",
                        "isDraft": False,
                        "mergeable": "CONFLICTING",
                        "createdAt": "2026-03-01T08:00:00Z",
                        "headRefName": "topic",
                        "headRefOid": "c0ffee",
                        "baseRefName": "main",
                        "author": {"login": "ada", "__typename": "User"},
                        "headRepository": {"nameWithOwner": "ada/retry-kit"},
                        "baseRepository": {"nameWithOwner": "acme/retry-kit"},
                        "viewerDidAuthor": True,
                    }
                ],
                "pageInfo": {"hasNextPage": False, "endCursor": None},
            }
        }
    }
}
ANSWERS: list[tuple[str, Any]] = [
    (r"GET user", {"login": "ada", "id": 11, "name": "Ada Quill", "type": "User", "email": "a@example.com"}),
    (r"GET search/repositories", {"total_count": 1, "items": [recorded("fork").body]}),
    (r"GET repos/[^/]+/[^/]+", recorded("repository.internal").body),
    (r"GET .*/languages", {"Python": 90, "Shell": 10}),
    (r"GET .*/contents/docs", [{"path": "docs/a.md", "type": "file", "size": 3, "sha": "aa"}]),
    (r"GET .*/labels", [{"id": 1, "name": "bug", "description": "It is broken"}]),
    (r"GET .*/issues", recorded("issues").body),
    (r"(GET|POST) .*/issues/2(/assignees)?", recorded("issue.assigned_ignored").body),
    (r"GET .*/comments", recorded("review_comments").body),
    (r"POST .*/comments", recorded("issue_comments").body[0]),  # type: ignore[index]
    (r"GET .*/timeline", recorded("timeline").body),
    (r"GET .*/assignees", [{"login": "ravi", "id": 13, "name": "Ravi"}]),
    (r"GET .*/contributors", [{"login": "ravi", "id": 13, "contributions": 5}]),
    (r"GET .*/participation", {"all": [3] * 52, "owner": [0] * 52}),
    (r"GET user/memberships/orgs", recorded("memberships").body),
    (r"GET orgs/\w+", {"login": "open", "members_can_create_repositories": True}),
    (r"POST .*/forks", recorded("fork").body),
    (r"GET .*/compare/.*", {"ahead_by": 0, "behind_by": 3}),
    (r"POST .*/merge-upstream", {"message": "ok", "merge_type": "fast-forward"}),
    (r"GET .*/branches/.*", {"name": "main", "commit": {"sha": "aa"}, "protected": True}),
    (r"GET .*/pulls", recorded("pulls").body),
    (r"(GET|POST) .*/pulls(/9)?", recorded("pull").body),
    (r"GET .*/status", recorded("status").body),
    (r"GET .*/check-runs", recorded("check_runs").body),
    (r"GET .*/actions/runs", recorded("runs.waiting").body),
    (r"GET .*/annotations", [{"path": "a.py", "start_line": 3, "message": "no", "title": "x"}]),
    (r"GET .*/reviews", recorded("reviews").body),
    (r"MyPullRequests", MY_PULLS),
    (r"ReviewThreads", recorded("graphql.threads").body),
    (r"ReviewDecision", recorded("graphql.decision").body),
]
JOB = Job(name="tests", state=PipelineState.FAILED, id="31")
QUESTIONS: dict[str, Callable[[GitHubForge], Awaitable[object]]] = {
    "whoami": lambda forge: forge.whoami(),
    "find_projects": lambda forge: _all(forge),
    "project": lambda forge: forge.project("acme/retry-kit"),
    "languages": lambda forge: forge.languages(UPSTREAM),
    "folder": lambda forge: forge.folder(UPSTREAM, "docs"),
    "labels": lambda forge: forge.labels(UPSTREAM),
    "issues": lambda forge: forge.issues(UPSTREAM),
    "issue": lambda forge: forge.issue(UPSTREAM, 2),
    "comments": lambda forge: forge.comments(UPSTREAM, 2),
    "linked": lambda forge: forge.linked_merge_requests(UPSTREAM, 2),
    "comment": lambda forge: forge.comment_on_issue(UPSTREAM, 2, "x"),
    "assign": lambda forge: forge.assign_issue(UPSTREAM, 2, ADA),
    "members": lambda forge: forge.members(UPSTREAM),
    "contributors": lambda forge: forge.contributors(UPSTREAM),
    "participation": lambda forge: forge.participation(UPSTREAM),
    "my_fork": lambda forge: forge.my_fork(UPSTREAM, ADA),
    "fork_targets": lambda forge: forge.fork_targets(UPSTREAM),
    "fork": lambda forge: forge.fork(UPSTREAM),
    "fork_status": lambda forge: forge.fork_status(FORK),
    "divergence": lambda forge: forge.divergence(FORK, UPSTREAM, "main"),
    "sync_fork": lambda forge: forge.sync_fork(FORK, "main"),
    "branch": lambda forge: forge.branch(UPSTREAM, "main"),
    "open": lambda forge: forge.open_merge_request(NEW),
    "find": lambda forge: forge.find_merge_request(UPSTREAM, source=FORK, source_branch="topic"),
    "merge_request": lambda forge: forge.merge_request(UPSTREAM, 9),
    "mine": lambda forge: forge.my_merge_requests(),
    "pipeline": lambda forge: forge.pipeline(UPSTREAM, REQUEST),
    "job_log": lambda forge: forge.job_log(UPSTREAM, JOB, Pipeline(id="", state=PipelineState.FAILED)),
    "review": lambda forge: forge.review(UPSTREAM, REQUEST),
    "discussions": lambda forge: forge.discussions(UPSTREAM, REQUEST),
}


async def _all(forge: GitHubForge) -> list[object]:
    return [page async for page in forge.find_projects(("innersource",))]


def ask(question: str, change: Callable[[Any], Any]) -> object:
    """Return what the adapter makes of answers that were changed."""

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix(API + "/")
        name = f"{request.method} {path}"
        if path == "/api/graphql":
            name = json.loads(request.content)["operationName"]
        for pattern, body in ANSWERS:
            if re.fullmatch(pattern, name):
                content = json.dumps(change(copy.deepcopy(body))).encode("utf-8", "replace")
                return httpx.Response(200, headers=JSON, stream=httpx.ByteStream(content))
        return httpx.Response(404, headers=JSON, stream=httpx.ByteStream(b'{"message": "Not Found"}'))

    async def run() -> object:
        clock = Clock()
        client = ForgeClient(
            name="work",
            base_url=f"http://127.0.0.1{API}",
            token=Secret("ghp_canary"),
            transport=httpx.MockTransport(answer),
            clock=clock,
            sleep=clock.sleep,
        )
        forge = GitHubForge(name="work", url="https://github.example.com", client=client, now=lambda: NOW)
        try:
            return await QUESTIONS[question](forge)
        finally:
            await forge.close()

    return asyncio.run(run())


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(key)
            yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)


def places(body: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container in a document with a key of it."""
    keys = body.keys() if isinstance(body, dict) else range(len(body)) if isinstance(body, list) else ()
    for key in keys:
        yield body, key
        yield from places(body[key])


HOSTILE = "\x1b]52;c;eA==\x07\u202e\r\u2028"
# Words that decide what an answer means; and addresses and names that are compared.
KEPT = {"state", "status", "conclusion", "event", "type", "ref", "name", "headRefName", "created_at"}


def hostile(value: Any, key: str = "") -> Any:
    """Return a document in which nearly every text holds what could act on a terminal."""
    if isinstance(value, str):
        return value if key in KEPT else f"{value}{HOSTILE}"
    if isinstance(value, list):
        return [hostile(item, key) for item in value]
    if isinstance(value, dict):
        return {name: hostile(item, name) for name, item in value.items()}
    return value


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_text_of_an_answer_can_act_on_a_terminal(question: str) -> None:
    for text in texts(msgspec.to_builtins(ask(question, hostile))):
        assert clean(text) == text


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.sampled_from(["\x1b]52;c;x\x07", "a\u202eb", "2026-13-45T99:00:00Z", "0001-01-01T00:00:00Z", "", "/"]),
    st.sampled_from([[], {}, [None], {"id": None}, ["x"], [[]], -1, 2**63, 10**30]).map(copy.deepcopy),
)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("question", QUESTIONS)
def test_any_change_to_an_answer_is_a_model_with_clean_text_or_a_forge_error(
    question: str, data: st.DataObject
) -> None:
    def changed(body: Any) -> Any:
        if data.draw(st.integers(0, 9)) == 0:
            return data.draw(anything)
        for _ in range(data.draw(st.integers(0, 3))):
            spots = list(places(body))
            if not spots:
                break
            container, key = data.draw(st.sampled_from(spots))
            if data.draw(st.booleans()) and isinstance(container, dict):
                del container[key]
            else:
                container[key] = data.draw(anything)
        return body

    try:
        found = ask(question, changed)
    except ForgeError as error:
        str(error).encode()
        return
    for text in texts(msgspec.to_builtins(found)):
        assert clean(text) == text


# Small meanings


@pytest.mark.parametrize(
    ("status", "conclusion", "state"),
    [
        ("queued", None, PipelineState.PENDING),
        ("waiting", None, PipelineState.PENDING),
        ("in_progress", None, PipelineState.RUNNING),
        ("completed", "success", PipelineState.PASSED),
        ("completed", "neutral", PipelineState.PASSED),
        ("completed", "timed_out", PipelineState.FAILED),
        ("completed", "startup_failure", PipelineState.FAILED),
        ("completed", "action_required", PipelineState.WAITING),
        ("completed", "stale", PipelineState.CANCELLED),
        ("completed", "from_the_future", PipelineState.PENDING),
        (None, None, PipelineState.PENDING),
    ],
)
def test_check_states(status: str | None, conclusion: str | None, state: PipelineState) -> None:
    assert check_state(status, conclusion) is state


@pytest.mark.parametrize(
    ("tag", "topics"),
    [
        ("innersource", ("innersource",)),
        ("Inner Source", ("inner-source", "innersource")),
        ("inner_source", ("inner-source", "innersource")),
        ("--", ()),
        ("", ()),
    ],
)
def test_topics_are_lower_case_with_hyphens(tag: str, topics: tuple[str, ...]) -> None:
    assert parse.topic_spellings(tag) == topics


def test_a_log_loses_its_times_groups_and_colours() -> None:
    log = (
        b"\xef\xbb\xbf2026-03-01T08:00:00.1234567Z ##[group]Run pytest\r\n"
        b"2026-03-01T08:00:01.1234567Z \x1b[31mFAILED\x1b[0m test_a\r\n"
        b"2026-03-01T08:00:02.1234567Z ##[endgroup]\r\n"
    )
    assert parse.parse_log(log, 1_000).strip() == "FAILED test_a"
    assert len(parse.parse_log(b"x" * 5_000, 100)) == 100


def test_an_empty_language_list_has_no_shares() -> None:
    assert parse.parse_languages({}) == {}
    assert parse.parse_languages({"Python": 0}) == {}


def test_participation_of_another_length_is_none() -> None:
    assert parse.parse_participation(WireParticipation(all=[1, 2])) == ()


def test_a_dismissed_review_is_no_verdict() -> None:
    person = WireUser(login="mara")
    wires = [WireReview(id=1, user=person, state="CHANGES_REQUESTED"), WireReview(id=2, user=None)]
    wires.append(WireReview(id=3, user=person, state="DISMISSED"))
    review = parse.parse_review(wires, author="ada", decision=None, requested=())
    assert review.changes_requested_by == ()
    assert not review.approved


def test_threads_without_a_time_come_last() -> None:
    undated = Discussion(id="1", comments=(Comment(id="1", author="a", body="x"),))
    dated = Discussion(id="2", comments=(Comment(id="2", author="a", body="x", created_at=NOW),))
    assert [thread.id for thread in oldest_first([undated, dated])] == ["2", "1"]
