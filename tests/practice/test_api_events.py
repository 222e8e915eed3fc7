from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from isexplore.practice.database import SCHEMA_VERSION
from isexplore.practice.store import Store
from tests.support.practice import MARA_TOKEN, RunningPractice, at, quoted

ALPHA = f"/projects/{quoted('tools/alpha')}"


def told(events: list[dict[str, Any]]) -> list[tuple[str, str | None, str]]:
    return [(event["action_name"], event["target_title"], event["author_username"]) for event in events]


class TestOfAProject:
    def test_are_told_newest_first(self, practice: RunningPractice) -> None:
        reply = practice.ask(f"{ALPHA}/events", per_page=100)
        assert told(reply.json) == [
            ("pushed to", None, "ravi"),
            ("opened", "It crashes", "nia"),
            ("opened", "Explain the back-off", "mara"),
            ("accepted", "Tidy up", "mara"),
            ("pushed to", None, "mara"),
            ("approved", "Tidy up", "mara"),
            ("opened", "Tidy up", "ravi"),
            ("closed", "Old one", "mara"),
            ("opened", "Old one", "ravi"),
            ("pushed new", None, "mara"),
            ("joined", None, "ravi"),
            ("joined", None, "mara"),
            ("created", None, "mara"),
        ]
        times = [event["created_at"] for event in reply.json]
        assert times == sorted(times, reverse=True)
        assert len({event["id"] for event in reply.json}) == len(times)
        assert reply.headers["X-Total"] == str(len(times))

    def test_say_what_was_pushed(self, practice: RunningPractice) -> None:
        newest, *_, first = practice.ask(f"{ALPHA}/events", action="pushed").json
        tip = practice.ask(f"{ALPHA}/repository/branches/main").json["commit"]
        assert newest["push_data"] == {
            "commit_count": 1,
            "action": "pushed",
            "ref_type": "branch",
            "commit_from": tip["parent_ids"][0],
            "commit_to": tip["id"],
            "ref": "main",
            "commit_title": "Say more",
            "ref_count": None,
        }
        assert (newest["target_type"], newest["target_id"]) == (None, None)
        assert (first["push_data"]["action"], first["push_data"]["commit_from"]) == ("created", None)

    def test_come_in_pages(self, practice: RunningPractice) -> None:
        every = practice.ask(f"{ALPHA}/events", per_page=100).json
        second = practice.ask(f"{ALPHA}/events", per_page=5, page=2)
        assert second.json == every[5:10]
        assert (second.headers["X-Next-Page"], second.headers["X-Total-Pages"]) == ("3", "3")
        assert practice.ask(f"{ALPHA}/events", per_page=100, sort="asc").json == every[::-1]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"action": "merged"}, ["accepted"]),
            ({"action": "closed"}, ["closed"]),
            ({"action": "commented"}, []),
            ({"target_type": "issue", "action": "created"}, ["opened"] * 3),
            ({"target_type": "merge_request"}, ["accepted", "approved", "opened"]),
            ({"after": f"{at(6):%Y-%m-%d}"}, ["pushed to", "opened"]),
            ({"before": f"{at(39):%Y-%m-%d}", "action": "pushed"}, ["pushed new"]),
        ],
    )
    def test_are_filtered(
        self, practice: RunningPractice, query: dict[str, str], expected: list[str]
    ) -> None:
        found = practice.ask(f"{ALPHA}/events", params=query).json
        assert [event["action_name"] for event in found] == expected

    @pytest.mark.parametrize("name", ["before", "after"])
    def test_leave_out_the_day_itself(self, practice: RunningPractice, name: str) -> None:
        day = f"{at(9):%Y-%m-%d}"
        found = practice.ask(f"{ALPHA}/events", params={name: day, "per_page": 100}).json
        assert day not in {event["created_at"][:10] for event in found}
        assert found

    @pytest.mark.parametrize(
        ("query", "error"),
        [
            ({"action": "sung"}, "action does not have a valid value"),
            ({"target_type": "song"}, "target_type does not have a valid value"),
            ({"after": "soon"}, "after is invalid"),
            ({"sort": "up"}, "sort does not have a valid value"),
        ],
    )
    def test_name_wrong_parameters(
        self, practice: RunningPractice, query: dict[str, str], error: str
    ) -> None:
        reply = practice.ask(f"{ALPHA}/events", params=query)
        assert (reply.status, reply.json) == (400, {"error": error})

    def test_of_hidden_projects_are_hidden(self, practice: RunningPractice) -> None:
        assert practice.ask("/projects/vault%2Fsecret/events").status == 404
        assert practice.ask(f"{ALPHA}/events", token=None).status == 404
        beta = practice.ask(f"/projects/{quoted('tools/deep/beta')}/events", token=None)
        assert [event["action_name"] for event in beta.json] == ["pushed new", "joined", "created"]

    def test_follow_what_happens(self, fresh: RunningPractice) -> None:
        before = datetime.now(UTC) - timedelta(seconds=1)
        body = {"body": "I would like to work on this."}
        noted = fresh.ask(f"{ALPHA}/issues/1/notes", method="POST", data=body).json
        data = {
            "branch": "topic",
            "start_branch": "main",
            "commit_message": "Add\n\nMore.",
            "actions": [{"action": "create", "file_path": "x", "content": "x"}],
        }
        fresh.ask(f"{ALPHA}/repository/commits", method="POST", data=data, token=MARA_TOKEN)
        fresh.ask(f"{ALPHA}/repository/branches/topic", method="DELETE", token=MARA_TOKEN)
        deleted, pushed, commented = fresh.ask(f"{ALPHA}/events", per_page=3).json
        assert (deleted["action_name"], deleted["push_data"]["action"]) == ("deleted", "removed")
        assert deleted["push_data"]["commit_from"] == pushed["push_data"]["commit_to"]
        assert (pushed["action_name"], pushed["push_data"]["commit_title"]) == ("pushed new", "Add")
        assert pushed["push_data"]["commit_count"] == 1
        assert (commented["action_name"], commented["target_type"]) == ("commented on", "Note")
        assert commented["target_title"] == "Explain the back-off"
        assert commented["note"]["id"] == noted["id"] == commented["target_id"]
        assert datetime.fromisoformat(commented["created_at"]) >= before


class TestOfPeople:
    def test_are_those_of_visible_projects(self, practice: RunningPractice) -> None:
        mine = practice.ask("/events").json
        assert told(mine) == [("opened", "It crashes", "nia")]
        assert practice.ask("/users/nia/events").json == mine
        assert practice.ask("/events", token=None).status == 401
        assert practice.ask("/users/nobody/events").json == {"message": "404 User Not Found"}
        secret = practice.ask("/projects/vault%2Fsecret", token=MARA_TOKEN).json["id"]
        projects = {event["project_id"] for event in practice.ask("/users/mara/events", per_page=100).json}
        assert projects
        assert secret not in projects
        seen = practice.ask("/users/mara/events", per_page=100, token=MARA_TOKEN).json
        assert secret in {event["project_id"] for event in seen}

    def test_may_be_all_of_the_callers_projects(self, practice: RunningPractice) -> None:
        assert practice.ask("/events", scope="all").json == []
        found = practice.ask("/events", scope="all", per_page=100, token=MARA_TOKEN).json
        assert {"ravi", "mara", "nia"} == {event["author_username"] for event in found}


def test_worlds_from_before_pushes_were_written_down_go_on(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.create_project("tools/one", empty_repo=True)
    store.execute("DROP TABLE pushes")
    store.execute("PRAGMA user_version = 1")
    store.close()
    again = Store(tmp_path)
    assert again.number("PRAGMA user_version") == SCHEMA_VERSION
    assert again.number("SELECT count(*) FROM pushes") == 0
    assert again.project_by_path("tools/one") is not None
    again.close()
