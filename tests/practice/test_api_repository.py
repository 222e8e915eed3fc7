from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.practice import README, RunningPractice, quoted

REPOSITORY = f"/projects/{quoted('tools/alpha')}/repository"
README_FILE = f"{REPOSITORY}/files/README.md"


def test_folders_come_by_keyset(practice: RunningPractice) -> None:
    every = practice.ask(f"{REPOSITORY}/tree").json
    query: dict[str, object] = {"pagination": "keyset", "per_page": 2}
    found: list[object] = []
    for _ in range(0, len(every), 2):
        reply = practice.ask(f"{REPOSITORY}/tree", params=query)
        assert "X-Total" not in reply.headers
        assert "X-Page" not in reply.headers
        found += reply.json
        link = re.search(r"page_token=([^&>]+)", reply.headers.get("Link", ""))
        query["page_token"] = link[1] if link else None
    assert found == every
    assert query["page_token"] is None
    wrong = practice.ask(f"{REPOSITORY}/tree", pagination="keyset", page_token="x")
    assert (wrong.status, wrong.json) == (422, {"message": "invalid page token"})


class TestFiles:
    def test_come_as_base64_with_facts(self, practice: RunningPractice) -> None:
        reply = practice.ask(README_FILE, ref="HEAD")
        assert base64.b64decode(reply.json["content"]) == README.encode()
        assert reply.json["size"] == len(README)
        assert reply.json["content_sha256"] == hashlib.sha256(README.encode()).hexdigest()
        assert reply.headers["X-Gitlab-Blob-Id"] == reply.json["blob_id"]
        assert reply.json["last_commit_id"] != reply.json["commit_id"]

    def test_come_raw(self, practice: RunningPractice) -> None:
        reply = practice.ask(f"{README_FILE}/raw")
        assert reply.body == README.encode()
        assert reply.headers["Content-Type"].startswith("text/plain")
        nested = practice.ask(f"{REPOSITORY}/files/{quoted('docs/usage.md')}/raw", ref="main")
        assert nested.body == b"Use it.\n"

    def test_tell_their_facts_without_a_body(self, practice: RunningPractice) -> None:
        reply = practice.ask(README_FILE, method="HEAD", ref="main")
        assert reply.status == 200
        assert reply.body == b""
        assert reply.headers["X-Gitlab-Size"] == str(len(README))

    @pytest.mark.parametrize(
        ("path", "query", "status", "document"),
        [
            ("README.md", {}, 400, {"error": "ref is missing"}),
            ("NO.md", {"ref": "HEAD"}, 404, {"message": "404 File Not Found"}),
            ("docs", {"ref": "HEAD"}, 404, {"message": "404 File Not Found"}),
            ("README.md", {"ref": "nowhere"}, 404, {"message": "404 Commit Not Found"}),
            ("README.md", {"ref": "--output=x"}, 404, {"message": "404 Commit Not Found"}),
            (quoted("../../etc/passwd"), {"ref": "HEAD"}, 404, {"message": "404 File Not Found"}),
        ],
    )
    def test_are_missed_in_words(
        self, practice: RunningPractice, path: str, query: dict[str, str], status: int, document: object
    ) -> None:
        reply = practice.ask(f"{REPOSITORY}/files/{path}", params=query)
        assert (reply.status, reply.json) == (status, document)


class TestTree:
    def test_lists_folders_first(self, practice: RunningPractice) -> None:
        found = practice.ask(f"{REPOSITORY}/tree").json
        names = [entry["name"] for entry in found]
        assert names == [".gitlab", "docs", "src", "CONTRIBUTING.md", "README.md"]
        assert {entry["type"] for entry in found} == {"tree", "blob"}
        [inner] = practice.ask(f"{REPOSITORY}/tree", path="src").json
        assert inner["path"] == "src/alpha.py"

    def test_goes_down_on_request(self, practice: RunningPractice) -> None:
        found = practice.ask(f"{REPOSITORY}/tree", recursive="true", per_page=100).json
        assert ".gitlab/merge_request_templates/Default.md" in [entry["path"] for entry in found]

    @pytest.mark.parametrize("where", [{"path": "nowhere"}, {"ref": "nowhere"}])
    def test_is_missed_in_words(self, practice: RunningPractice, where: dict[str, str]) -> None:
        reply = practice.ask(f"{REPOSITORY}/tree", params=where)
        assert (reply.status, reply.json) == (404, {"message": "404 Tree Not Found"})

    def test_is_missed_in_an_empty_repository(self, practice: RunningPractice) -> None:
        reply = practice.ask("/projects/tools%2Fempty/repository/tree")
        assert (reply.status, reply.json) == (404, {"message": "404 Tree Not Found"})


class TestBranches:
    def test_are_listed(self, practice: RunningPractice) -> None:
        found = {branch["name"]: branch for branch in practice.ask(f"{REPOSITORY}/branches").json}
        assert found["main"]["default"] is True
        assert found["main"]["protected"] is True
        assert found["main"]["can_push"] is False
        one = practice.ask(f"{REPOSITORY}/branches/main").json
        assert one["commit"]["title"] == "Say more"
        assert practice.ask(f"{REPOSITORY}/branches/none").json == {"message": "404 Branch Not Found"}

    def test_are_made_in_the_own_fork(self, fresh: RunningPractice) -> None:
        fork = fresh.fork()
        own = f"/projects/{fork['id']}/repository/branches"

        def make(branch: str, ref: str = "main") -> tuple[int, object]:
            reply = fresh.ask(own, method="POST", data={"branch": branch, "ref": ref})
            return reply.status, reply.json.get("name") or reply.json["message"]

        assert make("fix/one") == (201, "fix/one")
        assert make("fix/one") == (400, "Branch already exists")
        assert make("two", "nowhere") == (400, "Invalid reference name: nowhere")
        assert make("bad..name")[0] == 400
        assert fresh.ask(f"{own}/{quoted('fix/one')}").json["can_push"] is True
        assert fresh.ask(f"{own}/{quoted('fix/one')}", method="DELETE").status == 204
        assert fresh.ask(f"{own}/{quoted('fix/one')}").status == 404

    def test_are_not_made_in_other_projects(self, practice: RunningPractice) -> None:
        reply = practice.ask(f"{REPOSITORY}/branches", method="POST", data={"branch": "x", "ref": "main"})
        assert (reply.status, reply.json) == (403, {"message": "403 Forbidden"})


def test_lists_commits(practice: RunningPractice) -> None:
    reply = practice.ask(f"{REPOSITORY}/commits", per_page=1)
    [commit] = reply.json
    assert commit["title"] == "Say more"
    assert commit["author_name"] == "Ravi Reviewer"
    assert reply.headers["X-Next-Page"] == "2"
    assert "X-Total" not in reply.headers
    since = (datetime.now(UTC) - timedelta(days=10)).isoformat()
    assert [one["title"] for one in practice.ask(f"{REPOSITORY}/commits", since=since).json] == ["Say more"]
    assert practice.ask(f"{REPOSITORY}/commits/{commit['id']}").json["id"] == commit["id"]
    assert practice.ask("/projects/tools%2Fempty/repository/commits").json == []


def test_lists_contributors(practice: RunningPractice) -> None:
    found = practice.ask(f"{REPOSITORY}/contributors", order_by="commits", sort="desc").json
    assert {who["name"] for who in found} == {"Mara Maintainer", "Ravi Reviewer"}
    counts = [who["commits"] for who in found]
    assert counts == sorted(counts, reverse=True)


def test_compares_a_fork_with_its_original(fresh: RunningPractice) -> None:
    fork = fresh.fork()
    upstream = fresh.ask(f"/projects/{quoted('tools/alpha')}").json["id"]
    where = f"/projects/{fork['id']}/repository/compare"
    same = fresh.ask(where, params={"from": "main", "to": "main", "from_project_id": upstream}).json
    assert same["commits"] == []
    behind = fresh.ask(where, params={"from": "main~1", "to": "main", "from_project_id": upstream}).json
    assert len(behind["commits"]) >= 1
    assert behind["diffs"]
    assert fresh.ask(where, params={"from": "gone", "to": "main"}).status == 404


def test_has_templates(practice: RunningPractice) -> None:
    where = f"/projects/{quoted('tools/alpha')}/templates/merge_requests"
    assert practice.ask(where).json == [{"key": "Default", "name": "Default"}]
    assert practice.ask(f"{where}/Default").json == {"name": "Default", "content": "## What\n"}
    assert practice.ask(f"{where}/default").json == {"message": "404 Template Not Found"}
    assert practice.ask(f"/projects/{quoted('tools/alpha')}/templates/issues").json == []
