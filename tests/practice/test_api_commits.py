from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.practice import MARA_TOKEN, Reply, RunningPractice, quoted, running_practice

ALPHA = f"/projects/{quoted('tools/alpha')}"
CREATE = {"action": "create", "file_path": "new.md", "content": "New\n"}


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[RunningPractice]:
    with running_practice(tmp_path) as running:
        yield running


@pytest.fixture
def fork(practice: RunningPractice) -> str:
    return f"/projects/{practice.fork()['id']}"


def commit(practice: RunningPractice, project: str, *actions: dict[str, Any], **more: object) -> Reply:
    token = str(more.pop("token", ""))
    data = {"branch": "main", "commit_message": "Say more", "actions": actions, **more}
    return practice.ask(f"{project}/repository/commits", method="POST", data=data, token=token)


def raw(practice: RunningPractice, project: str, path: str, ref: str = "main") -> bytes | None:
    reply = practice.ask(f"{project}/repository/files/{quoted(path)}/raw", ref=ref)
    return reply.body if reply.status == 200 else None


class TestCommits:
    def test_do_everything_to_files(self, practice: RunningPractice, fork: str) -> None:
        reply = commit(
            practice,
            fork,
            CREATE,
            {"action": "update", "file_path": "README.md", "content": "IyBB\n", "encoding": "base64"},
            {"action": "move", "file_path": "guide/use.md", "previous_path": "docs/usage.md"},
            {"action": "delete", "file_path": "CONTRIBUTING.md"},
            {"action": "chmod", "file_path": "src/alpha.py", "execute_filemode": True},
            author_name="Ada",
            author_email="ada@example.com",
        )
        assert reply.status == 201
        assert reply.json["title"] == "Say more"
        assert (reply.json["author_name"], reply.json["committer_name"]) == ("Ada", "Nia Newcomer")
        assert reply.json["stats"] == {"additions": 2, "deletions": 6, "total": 8}
        assert len(reply.json["parent_ids"]) == 1
        assert raw(practice, fork, "new.md") == b"New\n"
        assert raw(practice, fork, "README.md") == b"# A"
        assert raw(practice, fork, "guide/use.md") == b"Use it.\n"
        assert raw(practice, fork, "docs/usage.md") is None
        assert raw(practice, fork, "CONTRIBUTING.md") is None
        script = practice.ask(f"{fork}/repository/files/{quoted('src/alpha.py')}", ref="main").json
        assert (script["execute_filemode"], script["last_commit_id"]) == (True, reply.json["id"])
        again = practice.ask(f"{fork}/repository/commits/{reply.json['id']}").json
        assert again == reply.json

    def test_start_branches(self, practice: RunningPractice, fork: str) -> None:
        made = commit(practice, fork, CREATE, branch="topic", start_branch="main")
        assert made.status == 201
        assert raw(practice, fork, "new.md", "topic") == b"New\n"
        assert raw(practice, fork, "new.md") is None
        again = commit(practice, fork, CREATE, branch="topic", start_branch="main")
        assert again.status == 400
        assert again.json["message"] == (
            "A branch called 'topic' already exists. Switch to that branch in order to make changes"
        )
        forced = commit(practice, fork, CREATE, branch="topic", start_branch="main", force=True, stats=False)
        assert forced.status == 201
        assert "stats" not in forced.json
        from_commit = commit(practice, fork, CREATE, branch="other", start_sha=made.json["parent_ids"][0])
        assert from_commit.json["parent_ids"] == made.json["parent_ids"]

    def test_start_from_the_original(self, practice: RunningPractice, fork: str) -> None:
        upstream = commit(practice, ALPHA, CREATE, token=MARA_TOKEN)
        assert upstream.status == 201
        made = commit(
            practice,
            fork,
            {**CREATE, "action": "update", "content": "Newer\n"},
            branch="newer",
            start_branch="main",
            start_project="tools/alpha",
        )
        assert made.json["parent_ids"] == [upstream.json["id"]]
        stranger = commit(practice, fork, CREATE, branch="x", start_project="tools/deep/beta")
        assert stranger.status == 403
        assert stranger.json["message"] == (
            "403 Forbidden - Project is not included in the fork network for tools/deep/beta"
        )

    def test_are_the_first_of_an_empty_project(self, practice: RunningPractice) -> None:
        made = commit(practice, f"/projects/{quoted('tools/empty')}", CREATE, token=MARA_TOKEN)
        assert made.status == 201
        assert made.json["parent_ids"] == []
        assert made.json["stats"]["additions"] == 1
        project = practice.ask(f"/projects/{quoted('tools/empty')}").json
        assert (project["empty_repo"], project["default_branch"]) == (False, "main")

    def test_move_an_open_merge_request_on(self, practice: RunningPractice, fork: str) -> None:
        commit(practice, fork, CREATE, branch="topic", start_branch="main")
        target = practice.ask(ALPHA).json["id"]
        data = {
            "source_branch": "topic",
            "target_branch": "main",
            "title": "T",
            "target_project_id": target,
        }
        made = practice.ask(f"{fork}/merge_requests", method="POST", data=data).json
        request = f"{ALPHA}/merge_requests/{made['iid']}"
        practice.wait(request, lambda found: found["sha"] is not None)
        pushed = commit(practice, fork, {**CREATE, "file_path": "two.md"}, branch="topic").json
        assert practice.ask(request).json["sha"] == pushed["id"]

    @pytest.mark.parametrize(
        ("action", "message"),
        [
            ({**CREATE, "file_path": "README.md"}, "A file with this name already exists"),
            ({**CREATE, "file_path": "README.md/x"}, "A file with this name already exists"),
            ({**CREATE, "file_path": "docs"}, "A directory with this name already exists"),
            ({**CREATE, "action": "update"}, "A file with this name doesn't exist"),
            ({"action": "delete", "file_path": "no.md"}, "A file with this name doesn't exist"),
            ({**CREATE, "file_path": "../x"}, "Path cannot include directory traversal"),
            ({**CREATE, "file_path": ".git/hooks/x"}, "invalid path: '.git/hooks/x'"),
            ({**CREATE, "file_path": "/"}, "You must provide a file path"),
        ],
    )
    def test_refuse_what_does_not_fit(
        self, practice: RunningPractice, fork: str, action: dict[str, Any], message: str
    ) -> None:
        reply = commit(practice, fork, action)
        assert (reply.status, reply.json) == (400, {"message": message})

    @pytest.mark.parametrize(
        ("data", "error"),
        [
            ({"branch": None}, "branch is missing"),
            ({"commit_message": " "}, "commit_message is empty"),
            ({"actions": None}, "actions is missing"),
            ({"actions": "x"}, "actions is invalid"),
            ({"actions": [{"file_path": "x"}]}, "actions[0][action] is missing"),
            ({"actions": [{"action": "chop", "file_path": "x"}]},
             "actions[0][action] does not have a valid value"),
            ({"actions": [CREATE, {"action": "move", "file_path": "x"}]},
             "actions[1][previous_path] is missing"),
            ({"actions": [{**CREATE, "encoding": "utf-7"}]},
             "actions[0][encoding] does not have a valid value"),
            ({"start_branch": "main", "start_sha": "1"}, "start_branch, start_sha are mutually exclusive"),
        ],
    )  # fmt: skip
    def test_want_all_their_parts(
        self, practice: RunningPractice, fork: str, data: dict[str, Any], error: str
    ) -> None:
        body = {"branch": "main", "commit_message": "Say more", "actions": [CREATE], **data}
        reply = practice.ask(f"{fork}/repository/commits", method="POST", data=body)
        assert (reply.status, reply.json) == (400, {"error": error})

    def test_are_for_those_who_may_push(self, practice: RunningPractice) -> None:
        words = "403 Forbidden - You are not allowed to push into this branch"
        reply = commit(practice, ALPHA, CREATE)
        assert (reply.status, reply.json) == (403, {"message": words})
        assert commit(practice, "/projects/vault%2Fsecret", CREATE).status == 404
        anonymous = practice.ask(f"{ALPHA}/repository/commits", method="POST", data={}, token=None)
        assert anonymous.status == 401
        assert commit(practice, ALPHA, CREATE, token=MARA_TOKEN).status == 201

    def test_need_a_branch(self, practice: RunningPractice, fork: str) -> None:
        words = "You can only create or edit files when you are on a branch"
        reply = commit(practice, fork, CREATE, branch="nowhere")
        assert (reply.status, reply.json) == (400, {"message": words})

    def test_notice_what_others_changed(self, practice: RunningPractice, fork: str) -> None:
        update = {**CREATE, "action": "update", "file_path": "README.md"}
        seen = practice.ask(f"{fork}/repository/files/README.md", ref="main").json["last_commit_id"]
        assert commit(practice, fork, {**update, "content": "1", "last_commit_id": seen}).status == 201
        reply = commit(practice, fork, {**update, "content": "2", "last_commit_id": seen})
        words = "The file has changed since you started editing it: README.md"
        assert (reply.status, reply.json) == (400, {"message": words})


class TestFiles:
    def put(self, practice: RunningPractice, project: str, method: str, **more: object) -> Reply:
        data = {"branch": "main", "commit_message": "Write", "content": "Text\n", **more}
        target = f"{project}/repository/files/{quoted('docs/new.md')}"
        return practice.ask(target, method=method, data=data)

    def test_are_created_changed_and_deleted(self, practice: RunningPractice, fork: str) -> None:
        made = self.put(practice, fork, "POST")
        assert (made.status, made.json) == (201, {"file_path": "docs/new.md", "branch": "main"})
        content = base64.b64encode(b"\x00\x01").decode()
        changed = self.put(practice, fork, "PUT", content=content, encoding="base64")
        assert (changed.status, changed.json) == (200, {"file_path": "docs/new.md", "branch": "main"})
        assert raw(practice, fork, "docs/new.md") == b"\x00\x01"
        assert self.put(practice, fork, "DELETE").status == 204
        assert raw(practice, fork, "docs/new.md") is None

    def test_that_exist_or_do_not_are_told_apart(self, practice: RunningPractice, fork: str) -> None:
        missing = self.put(practice, fork, "PUT")
        assert (missing.status, missing.json) == (400, {"message": "A file with this name doesn't exist"})
        self.put(practice, fork, "POST")
        twice = self.put(practice, fork, "POST")
        assert (twice.status, twice.json) == (400, {"message": "A file with this name already exists"})

    def test_that_others_changed_are_not_overwritten(self, practice: RunningPractice, fork: str) -> None:
        self.put(practice, fork, "POST")
        facts = practice.ask(f"{fork}/repository/files/{quoted('docs/new.md')}", ref="main").json
        seen = facts["last_commit_id"]
        assert self.put(practice, fork, "PUT", content="1", last_commit_id=seen).status == 200
        late = self.put(practice, fork, "PUT", content="2", last_commit_id=seen)
        words = "You are attempting to update a file that has changed since you started editing it."
        assert (late.status, late.json) == (400, {"message": words})

    def test_of_the_original_are_not_for_strangers(self, practice: RunningPractice) -> None:
        reply = self.put(practice, ALPHA, "POST")
        assert (reply.status, reply.json) == (403, {"message": "403 Forbidden"})
