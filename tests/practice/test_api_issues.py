from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from isexplore.practice.seed import ProjectSeed
from tests.support.practice import ALPHA, MARA_TOKEN, RunningPractice, quoted, running_practice

ISSUES = f"/projects/{quoted('tools/alpha')}/issues"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [1, 2, 3]),
        ({"state": "opened"}, [1, 2]),
        ({"state": "closed"}, [3]),
        ({"labels": "good first issue"}, [1]),
        ({"labels": "good first issue,bug"}, []),
        ({"labels": "Good First Issue"}, []),
        ({"labels": "None"}, [3]),
        ({"labels": "Any"}, [1, 2]),
        ({"assignee_id": "None", "state": "opened"}, [1]),
        ({"assignee_id": "Any"}, [2]),
        ({"assignee_username": "ravi"}, [2]),
        ({"search": "CRASH"}, [2]),
        ({"search": "see", "in": "title"}, []),
        ({"iids[]": ["1", "3"]}, [1, 3]),
        ({"scope": "created_by_me"}, [2]),
        ({"author_username": "mara"}, [1]),
        ({"confidential": "true"}, []),
        ({"confidential": "false", "milestone": "None", "issue_type": "issue"}, [1, 2, 3]),
        ({"milestone": "Any"}, []),
        ({"issue_type": "incident"}, []),
        ({"my_reaction_emoji": "star"}, []),
    ],
)
def test_filters(practice: RunningPractice, query: dict[str, str], expected: list[int]) -> None:
    found = practice.ask(ISSUES, params=query).json
    assert sorted(issue["iid"] for issue in found) == expected


def test_shows_issues_as_gitlab_does(practice: RunningPractice) -> None:
    issue = practice.ask(f"{ISSUES}/2").json
    assert issue["title"] == "It crashes"
    assert issue["references"]["full"] == "tools/alpha#2"
    assert issue["assignee"]["username"] == "ravi"
    assert issue["web_url"] == f"{practice.url}/tools/alpha/-/issues/2"
    assert issue["type"] == "ISSUE"
    assert practice.ask(f"{ISSUES}/99").json == {"message": "404 Not found"}


def test_details_labels_on_request(practice: RunningPractice) -> None:
    [plain] = practice.ask(ISSUES, labels="bug").json
    [detailed] = practice.ask(ISSUES, labels="bug", with_labels_details="true").json
    assert plain["labels"] == ["bug"]
    assert detailed["labels"][0]["name"] == "bug"
    assert detailed["labels"][0]["color"].startswith("#")


def test_sorts_and_counts(practice: RunningPractice) -> None:
    oldest = practice.ask(ISSUES, order_by="created_at", sort="asc").json
    assert [issue["iid"] for issue in oldest] == [3, 1, 2]
    counts = practice.ask(f"{ISSUES}_statistics", labels="bug").json
    assert counts == {"statistics": {"counts": {"all": 1, "closed": 0, "opened": 1}}}


def test_tells_which_merge_requests_touch_an_issue(practice: RunningPractice) -> None:
    assert practice.ask(f"{ISSUES}/3").json["merge_requests_count"] == 1
    [closing] = practice.ask(f"{ISSUES}/3/closed_by").json
    [related] = practice.ask(f"{ISSUES}/3/related_merge_requests").json
    assert closing["iid"] == related["iid"] == 1
    assert practice.ask(f"{ISSUES}/1/closed_by").json == []


def test_lists_across_projects(practice: RunningPractice) -> None:
    assert len(practice.ask("/issues", scope="all").json) == 3
    assert [issue["iid"] for issue in practice.ask("/issues").json] == [2]
    assert len(practice.ask("/groups/tools/issues", state="opened").json) == 2
    assert practice.ask("/groups/vault/issues").json == []


def test_labels_are_added_and_removed(fresh: RunningPractice) -> None:
    def change(**data: str) -> Any:
        return fresh.ask(f"{ISSUES}/2", method="PUT", data=data, token=MARA_TOKEN).json["labels"]

    assert change(add_labels="new,bug") == ["bug", "new"]
    assert change(add_labels="newer", remove_labels="bug") == ["new", "newer"]
    assert change(labels="bug") == ["bug"]
    assert change(labels="") == []
    assert change(title="It still crashes") == []


def test_comments(fresh: RunningPractice) -> None:
    before = fresh.ask(f"{ISSUES}/1").json
    made = fresh.ask(f"{ISSUES}/1/notes", method="POST", data={"body": "May I take this?"})
    assert made.status == 201
    assert made.json["author"]["username"] == "nia"
    assert made.json["noteable_iid"] == 1
    assert [note["body"] for note in fresh.ask(f"{ISSUES}/1/notes").json] == ["May I take this?"]
    after = fresh.ask(f"{ISSUES}/1").json
    assert after["user_notes_count"] == before["user_notes_count"] + 1
    assert after["updated_at"] > before["updated_at"]


@pytest.mark.parametrize(("data", "error"), [({}, "body is missing"), ({"body": "  "}, "body is empty")])
def test_wants_words_in_comments(practice: RunningPractice, data: dict[str, str], error: str) -> None:
    reply = practice.ask(f"{ISSUES}/1/notes", method="POST", data=data)
    assert (reply.status, reply.json) == (400, {"error": error})


def test_refuses_comments_of_strangers(practice: RunningPractice) -> None:
    reply = practice.ask(f"{ISSUES}/1/notes", method="POST", data={"body": "x"}, token=None)
    assert (reply.status, reply.json) == (401, {"message": "401 Unauthorized"})


class TestAssigning:
    def me(self, practice: RunningPractice) -> int:
        found: int = practice.ask("/user").json["id"]
        return found

    def test_is_refused_to_outsiders(self, fresh: RunningPractice) -> None:
        reply = fresh.ask(f"{ISSUES}/1", method="PUT", data={"assignee_ids": [self.me(fresh)]})
        assert (reply.status, reply.json) == (403, {"message": "403 Forbidden"})

    def test_is_ignored_from_an_author_without_a_role(self, fresh: RunningPractice) -> None:
        reply = fresh.ask(f"{ISSUES}/2", method="PUT", data={"assignee_ids": [self.me(fresh)]})
        assert reply.status == 200
        assert [who["username"] for who in reply.json["assignees"]] == ["ravi"]

    def test_works_for_members_one_at_a_time(self, fresh: RunningPractice) -> None:
        ids = [fresh.ask("/users", username=name).json[0]["id"] for name in ("nia", "ravi")]
        reply = fresh.ask(f"{ISSUES}/1", method="PUT", data={"assignee_ids": ids}, token=MARA_TOKEN)
        assert [who["username"] for who in reply.json["assignees"]] == ["nia"]
        [note] = fresh.ask(f"{ISSUES}/1/notes").json
        assert note["system"] is True
        assert note["body"] == "assigned to @nia"

    def test_by_quick_action_obeys_the_same_rule(self, fresh: RunningPractice) -> None:
        def act(token: str) -> int:
            data = {"body": "/assign me"}
            return fresh.ask(f"{ISSUES}/1/notes", method="POST", data=data, token=token).status

        assert act("") == 400
        assert fresh.ask(f"{ISSUES}/1").json["assignees"] == []
        assert act(MARA_TOKEN) == 202
        assert fresh.ask(f"{ISSUES}/1").json["assignee"]["username"] == "mara"


def test_opens_and_closes_issues(fresh: RunningPractice) -> None:
    made = fresh.ask(ISSUES, method="POST", data={"title": "New", "labels": "bug", "assignee_ids": [1]})
    assert made.status == 201
    assert (made.json["iid"], made.json["labels"], made.json["assignees"]) == (4, [], [])
    closed = fresh.ask(f"{ISSUES}/4", method="PUT", data={"state_event": "close"}).json
    assert (closed["state"], closed["closed_by"]["username"]) == ("closed", "nia")
    assert fresh.ask(f"/projects/{quoted('tools/alpha')}").json["open_issues_count"] == 2
    assert fresh.ask(f"{ISSUES}/4", method="PUT", data={"state_event": "reopen"}).json["state"] == "opened"


def test_hides_issues_where_there_are_none(tmp_path: Path) -> None:
    seed = ProjectSeed(path="tools/quiet", description="", commits=ALPHA.commits, issues_enabled=False)
    with running_practice(tmp_path, seeds=(seed,)) as practice:
        reply = practice.ask("/projects/tools%2Fquiet/issues", method="POST", data={"title": "x"})
        assert (reply.status, reply.json) == (403, {"message": "403 Forbidden"})
