"""What GitLab's answers mean, and that none of them can crash the program."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isexplore.errors import WrongAnswerError
from isexplore.forge import gitlab_parse as parse
from isexplore.forge import gitlab_wire as wire
from isexplore.forge.answers import Answer, Asked, decode, moment
from isexplore.models import MergeRequestState, PipelineState, Role, Visibility
from isexplore.text import clean
from tests.support.forge import recorded

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ASKED = Asked(
    forge="work", host="h", method="GET", path="/x", sign_in="isexplore login https://h", signed_in=True
)


@dataclasses.dataclass
class Case:
    name: str
    shape: Any
    meaning: Callable[[Any], object]


def each(function: Callable[..., object], *before: object) -> Callable[[Any], object]:
    return lambda items: [function(*before, item) for item in items]


CASES = [
    Case("gitlab.project", wire.WireProject, lambda body: parse.parse_project("work", body)),
    Case(
        "gitlab.fork.failed",
        wire.WireProject,
        lambda body: parse.parse_fork_status(body, upstream_empty=False),
    ),
    Case("gitlab.projects.keyset.page2", list[wire.WireProject], each(parse.parse_project, "work")),
    Case("gitlab.issue", wire.WireIssue, lambda body: parse.parse_issue("work", "a/b", body)),
    Case("gitlab.notes", list[wire.WireNote], each(parse.parse_comment)),
    Case("gitlab.note.quick_actions_only", wire.WireNote, parse.parse_comment),
    Case("gitlab.mr", wire.WireMergeRequest, lambda body: parse.parse_merge_request("work", "a/b", body)),
    Case(
        "gitlab.mr.created",
        wire.WireMergeRequest,
        lambda body: parse.parse_merge_request("work", "a/b", body),
    ),
    Case(
        "gitlab.pipelines",
        list[wire.WirePipeline],
        lambda body: [parse.parse_pipeline(p, [], "1") for p in body],
    ),
    Case("gitlab.jobs.failed", list[wire.WireJob], each(parse.parse_job)),
    Case("gitlab.approvals.community", wire.WireApprovals, lambda body: parse.parse_review(body, [])),
    Case(
        "gitlab.reviewers",
        list[wire.WireReviewer],
        lambda body: parse.parse_review(wire.WireApprovals(), body),
    ),
    Case("gitlab.discussions", list[wire.WireDiscussion], each(parse.parse_discussion)),
    Case("gitlab.members", list[wire.WireMember], parse.parse_members),
    Case("gitlab.labels", list[wire.WireLabel], each(parse.parse_label)),
    Case("gitlab.user", wire.WireUser, parse.parse_person),
    Case("gitlab.token", wire.WireToken, parse.parse_token),
    Case("gitlab.oauth_token", wire.WireOAuthToken, lambda body: parse.parse_oauth_token(body, NOW)),
    Case("gitlab.groups", list[wire.WireGroup], each(parse.parse_target)),
]


def places(body: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container in a document with a key of it."""
    keys = body.keys() if isinstance(body, dict) else range(len(body)) if isinstance(body, list) else ()
    for key in keys:
        yield body, key
        yield from places(body[key])


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


HOSTILE = "\x1b]52;c;eA==\x07\u202e\r\u2028"


def hostile(value: Any) -> Any:
    """Return a document in which every text but a state holds what could act on a terminal."""
    if isinstance(value, str):
        return f"{value}{HOSTILE}"
    if isinstance(value, list):
        return [hostile(item) for item in value]
    if isinstance(value, dict):
        return {key: item if key.endswith("state") else hostile(item) for key, item in value.items()}
    return value


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_no_text_of_an_answer_can_act_on_a_terminal(case: Case) -> None:
    answer = Answer(200, {}, msgspec.json.encode(hostile(recorded(case.name).body)))
    found = list(texts(msgspec.to_builtins(case.meaning(decode(answer, case.shape, ASKED)))))
    assert found
    for text in found:
        assert clean(text) == text


anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.sampled_from(
        ["\x1b]52;c;x\x07", "a\u202eb", "\u200b", "2026-13-45T99:00:00Z", "0001-01-01T00:00:00Z", ""]
    ),
    st.sampled_from([[], {}, [None], {"id": None}, ["x"], [[]], -1, 2**63, 10**30]).map(copy.deepcopy),
)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_any_change_to_an_answer_is_a_model_with_clean_text_or_a_wrong_answer(
    case: Case, data: st.DataObject
) -> None:
    body = copy.deepcopy(recorded(case.name).body)
    for _ in range(data.draw(st.integers(0, 3))):
        spots = list(places(body))
        if not spots:
            break
        container, key = data.draw(st.sampled_from(spots))
        if data.draw(st.booleans()) and isinstance(container, dict):
            del container[key]
        else:
            container[key] = data.draw(anything)
    answer = Answer(200, {"content-type": "application/json"}, json.dumps(body).encode("utf-8", "replace"))
    try:
        decoded = decode(answer, case.shape, ASKED)
    except WrongAnswerError as error:
        str(error).encode()
        return
    for text in texts(msgspec.to_builtins(case.meaning(decoded))):
        assert clean(text) == text


@settings(max_examples=50, deadline=None)
@given(body=st.binary(max_size=60))
def test_any_bytes_are_a_model_or_a_wrong_answer(body: bytes) -> None:
    answer = Answer(200, {}, body)
    with pytest.raises(WrongAnswerError):
        decode(answer, wire.WireProject, ASKED)


@pytest.mark.parametrize(
    ("url", "branch", "path"),
    [
        ("https://h/g/p/-/blob/main/README.md", "main", "README.md"),
        ("https://h/g/p/-/blob/main/docs/Lies%20mich.rst", "main", "docs/Lies mich.rst"),
        ("https://h/sub/g/p/-/blob/release/1.0/readme", "release/1.0", "readme"),
        ("https://h/g/p/-/blob/main/-/blob/x.md", "main", "-/blob/x.md"),
        ("https://h/g/p/blob/main/README", "main", "README"),
        ("https://h/g/p/-/blob/other/README.md", "main", None),
        ("https://h/g/p/-/blob/main/", "main", None),
        ("https://h/g/p", "main", None),
        (None, "main", None),
        ("https://h/g/p/-/blob/main/README.md", "", None),
    ],
)
def test_readme_url_is_a_web_address_from_which_only_the_path_is_taken(
    url: str | None, branch: str, path: str | None
) -> None:
    assert parse.readme_path(url, branch) == path


@pytest.mark.parametrize(
    ("level", "role"),
    [
        (None, Role.NONE),
        (0, Role.NONE),
        (5, Role.NONE),
        (10, Role.GUEST),
        (15, Role.GUEST),
        (20, Role.REPORTER),
        (30, Role.DEVELOPER),
        (40, Role.MAINTAINER),
        (50, Role.OWNER),
        (60, Role.OWNER),
    ],
)
def test_role(level: int | None, role: Role) -> None:
    assert parse.parse_role(level) is role


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("created", PipelineState.PENDING),
        ("waiting_for_resource", PipelineState.PENDING),
        ("running", PipelineState.RUNNING),
        ("canceling", PipelineState.RUNNING),
        ("success", PipelineState.PASSED),
        ("failed", PipelineState.FAILED),
        ("canceled", PipelineState.CANCELLED),
        ("skipped", PipelineState.SKIPPED),
        ("manual", PipelineState.WAITING),
        ("scheduled", PipelineState.PENDING),
        ("something_new", PipelineState.PENDING),
        (None, PipelineState.PENDING),
    ],
)
def test_pipeline_state(word: str | None, state: PipelineState) -> None:
    assert parse.parse_pipeline_state(word) is state


def merge_request(**fields: object) -> Any:
    body = msgspec.convert({"iid": 1, **fields}, type=wire.WireMergeRequest)
    return parse.parse_merge_request("work", "a/b", body)


@pytest.mark.parametrize(
    ("fields", "blocked"),
    [
        ({"detailed_merge_status": "mergeable"}, None),
        ({"detailed_merge_status": "checking"}, None),
        ({"detailed_merge_status": "something_new"}, "something_new"),
        ({"detailed_merge_status": "not_approved", "state": "merged"}, None),
        ({"has_conflicts": True}, "conflict"),
        ({"work_in_progress": True}, "draft_status"),
        ({"blocking_discussions_resolved": False}, "discussions_not_resolved"),
        ({"blocking_discussions_resolved": None}, None),
        ({}, None),
    ],
)
def test_blocked_by_keeps_gitlabs_word_and_older_versions_are_read_from_their_fields(
    fields: dict[str, object], blocked: str | None
) -> None:
    assert merge_request(**fields).blocked_by == blocked


def test_the_source_of_a_deleted_fork_is_none_and_the_state_locked_is_still_open() -> None:
    request = merge_request(source_project_id=None, state="locked")
    assert request.source_project is None
    assert request.state is MergeRequestState.OPEN
    assert merge_request(state="something_new").state is MergeRequestState.OPEN


def project(**fields: object) -> Any:
    body = msgspec.convert({"id": 1, "path_with_namespace": "a/b", **fields}, type=wire.WireProject)
    return parse.parse_project("work", body)


def test_null_and_missing_fields_of_a_project() -> None:
    names = {field.name for field in msgspec.structs.fields(wire.WireProject)} - {"id", "path_with_namespace"}
    assert project(**dict.fromkeys(names)) == project()


@pytest.mark.parametrize(
    ("level", "permissions", "forking"),
    [
        ("enabled", None, True),
        ("disabled", {"project_access": {"access_level": 50}}, False),
        ("private", None, False),
        ("private", {"group_access": {"access_level": 10}}, True),
        ("something_new", None, None),
        (None, None, None),
    ],
)
def test_forking_for_members_only(level: str | None, permissions: object, forking: bool | None) -> None:
    assert project(forking_access_level=level, permissions=permissions).forking_enabled is forking


def test_unknown_words_of_a_project_are_taken_as_the_weakest() -> None:
    assert project(visibility="galactic").visibility is Visibility.PRIVATE
    assert project(issues_enabled=True, issues_access_level="disabled").issues_enabled is False
    assert project(issues_enabled=True, issues_access_level="private").issues_enabled is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T09:30:00.512Z", datetime(2026, 3, 2, 9, 30, 0, 512_000, tzinfo=UTC)),
        ("2026-03-02T11:30:00+02:00", datetime(2026, 3, 2, 9, 30, tzinfo=UTC)),
        ("2026-03-02", datetime(2026, 3, 2, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_times_are_in_utc_or_none(text: str | None, expected: datetime | None) -> None:
    assert moment(text) == expected


def test_weeks_put_a_commit_of_the_future_into_the_last_one() -> None:
    commits = [wire.WireCommit(committed_date=(NOW + timedelta(days=2)).isoformat()), wire.WireCommit()]
    assert parse.parse_weeks(commits, NOW)[-1] == 1


@pytest.mark.parametrize(
    "name", ["innersource", "Inner-Source", "INNER SOURCE", "inner_source", "inner.source"]
)
def test_spellings_of_a_topic_have_one_key(name: str) -> None:
    assert parse.topic_key(name) == "innersource"


def test_a_log_loses_its_colours_sections_and_progress_bars() -> None:
    data = (
        b"\x1b[0Ksection_start:1772000000:step_script\r\x1b[0K\x1b[0K\x1b[36;1mExecuting\x1b[0;m\r\n"
        b"10%\r50%\r100%\n\x1b[31;1mERROR: Job failed\x1b[0;m\n"
    )
    assert parse.parse_log(data, 1_000) == "Executing\n100%\nERROR: Job failed\n"


@pytest.mark.parametrize(
    ("tags", "searches"),
    [
        (("innersource", "inner-source"), {"inner": ["innersource", "inner-source"]}),
        (
            ("Inner Source", "innersource", "inner_source"),
            {"inner": ["Inner Source", "innersource", "inner_source"]},
        ),
        (("innersource", "data-mesh"), {"innersource": ["innersource"], "data-mesh": ["data-mesh"]}),
        (("innersource", "is-innersource"), {"innersource": ["innersource", "is-innersource"]}),
        (("a-i", "ai"), {"a-i": ["a-i"], "ai": ["ai"]}),
        (("innersource", "innersource"), {"innersource": ["innersource"]}),
    ],
)
def test_spellings_of_a_tag_share_one_search_for_topics(
    tags: tuple[str, ...], searches: dict[str, list[str]]
) -> None:
    found = parse.topic_searches(tags)
    assert found == searches
    for word, covered in found.items():
        assert all(word.casefold() in tag.casefold() for tag in covered), (
            "what contains a tag contains the word"
        )
