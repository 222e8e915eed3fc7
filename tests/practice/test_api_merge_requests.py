from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from isexplore.practice.seed import ProjectSeed, ReviewSeed
from isexplore.practice.server import Grant
from tests.support.practice import (
    ALPHA,
    MARA_TOKEN,
    RunningPractice,
    quoted,
    run_git,
    running_practice,
)

ALPHA_KEY = quoted("tools/alpha")
LIST = f"/projects/{ALPHA_KEY}/merge_requests"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[RunningPractice]:
    with running_practice(tmp_path / "forge") as running:
        yield running


class Contribution:
    """Nia's fork and clone of tools/alpha, with one pushed branch."""

    def __init__(self, practice: RunningPractice, folder: Path, project: str = "tools/alpha") -> None:
        self.practice = practice
        self.fork = practice.fork(project)
        self.project = self.fork["forked_from_project"]["id"]
        self.folder = folder / "clone"
        run_git("clone", "-q", practice.clone_url(self.fork["path_with_namespace"]), "clone", cwd=folder)
        run_git("switch", "-q", "-c", "fix/one", cwd=self.folder)
        self.head = self.push("src/alpha.py", "X = 3\n")

    def push(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        run_git("add", ".", cwd=self.folder)
        run_git("commit", "-q", "-m", f"Change {name}", cwd=self.folder)
        run_git("push", "-q", "origin", "HEAD", cwd=self.folder)
        return run_git("rev-parse", "HEAD", cwd=self.folder).stdout.strip()

    def open(self, **data: object) -> Any:
        reply = self.practice.ask(
            f"/projects/{self.fork['id']}/merge_requests",
            method="POST",
            data={
                "source_branch": "fix/one",
                "target_branch": "main",
                "target_project_id": self.project,
                "title": "Fix it",
                "description": "Closes #1",
                **data,
            },
        )
        assert reply.status == 201, reply.body
        return reply.json

    def prepared(self, **data: object) -> Any:
        made = self.open(**data)
        return self.practice.wait(f"{LIST}/{made['iid']}", lambda found: found["sha"] is not None)


@pytest.fixture
def contribution(fresh: RunningPractice, tmp_path: Path) -> Contribution:
    return Contribution(fresh, tmp_path)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"labels": "bug"}, True),
        ({"labels": "bug,slow"}, True),
        ({"labels": "bug,new"}, False),
        ({"labels": "None"}, False),
        ({"labels": "Any", "order_by": "popularity"}, True),
        ({"milestone": "None"}, True),
        ({"milestone": "1.0"}, False),
    ],
)
def test_is_found_by_its_labels(fresh: RunningPractice, query: dict[str, str], found: bool) -> None:
    data = {"add_labels": "bug,slow"}
    changed = fresh.ask(f"{LIST}/1", method="PUT", data=data, token=MARA_TOKEN)
    assert changed.json["labels"] == ["bug", "slow"]
    assert bool(fresh.ask(LIST, params=query).json) is found


def test_shows_what_it_changes(contribution: Contribution) -> None:
    contribution.push("docs/new.md", "New\n")
    run_git("rm", "-q", "CONTRIBUTING.md", cwd=contribution.folder)
    contribution.push("src/alpha.py", "X = 4\n")
    made = contribution.prepared()
    reply = contribution.practice.ask(f"{LIST}/{made['iid']}/diffs", per_page=2)
    assert (reply.headers["X-Total"], reply.headers["X-Next-Page"]) == ("3", "2")
    [changed] = contribution.practice.ask(f"{LIST}/{made['iid']}/diffs", per_page=2, page=2).json
    gone, new = reply.json
    assert (gone["deleted_file"], gone["a_mode"], gone["b_mode"]) == (True, "100644", "0")
    assert (new["new_file"], new["new_path"], new["diff"]) == (True, "docs/new.md", "@@ -0,0 +1 @@\n+New\n")
    assert (changed["new_file"], changed["a_mode"], changed["b_mode"]) == (False, "100644", "100644")
    assert changed["diff"] == "@@ -1 +1 @@\n-X = 2\n+X = 4\n"
    assert contribution.practice.ask(f"{LIST}/99/diffs").json == {"message": "404 Not found"}


def test_is_not_ready_at_once(contribution: Contribution) -> None:
    contribution.practice.store.prepare_time *= 1000
    made = contribution.open(remove_source_branch=True)
    assert made["project_id"] == made["target_project_id"] == contribution.project
    assert made["source_project_id"] == contribution.fork["id"]
    assert made["iid"] == 2
    for name in ("sha", "changes_count", "head_pipeline", "prepared_at"):
        assert made[name] is None
    assert made["merge_status"] == "checking"
    assert made["detailed_merge_status"] == "preparing"
    assert made["references"]["full"] == "tools/alpha!2"
    contribution.practice.store.prepare_time *= 0
    found = contribution.practice.wait(f"{LIST}/2", lambda found: found["sha"] is not None)
    assert found["sha"] == contribution.head
    assert found["changes_count"] == "1"
    assert found["diff_refs"]["head_sha"] == contribution.head
    assert found["head_pipeline"]["status"] == "pending"
    assert found["first_contribution"] is True


@pytest.mark.parametrize("title", ["Draft: Fix it", "[Draft] Fix it", "draft: x"])
def test_knows_drafts(contribution: Contribution, title: str) -> None:
    found = contribution.prepared(title=title)
    assert found["draft"] is True
    assert found["detailed_merge_status"] == "draft_status"
    ready = contribution.practice.ask(f"{LIST}/{found['iid']}", method="PUT", data={"title": "Fix it"})
    assert ready.json["draft"] is False
    notes = contribution.practice.ask(f"{LIST}/{found['iid']}/notes").json
    assert "marked this merge request as **ready**" in [note["body"] for note in notes]


def test_exists_once(contribution: Contribution) -> None:
    first = contribution.open()
    again = contribution.practice.ask(
        f"/projects/{contribution.fork['id']}/merge_requests",
        method="POST",
        data={
            "source_branch": "fix/one",
            "target_branch": "main",
            "target_project_id": contribution.project,
            "title": "Once more",
        },
    )
    words = f"Another open merge request already exists for this source branch: !{first['iid']}"
    assert (again.status, again.json) == (409, {"message": [words]})


def test_names_what_is_wrong(contribution: Contribution) -> None:
    own = f"/projects/{contribution.fork['id']}/merge_requests"

    def refused(where: str = own, **data: object) -> tuple[int, object]:
        whole = {"source_branch": "fix/one", "target_branch": "main", "title": "T", **data}
        reply = contribution.practice.ask(where, method="POST", data=whole)
        return reply.status, reply.json

    up = {"target_project_id": contribution.project}
    assert refused(title=None, **up) == (400, {"error": "title is missing"})
    assert refused(source_branch="none", **up) == (400, {"message": {"source_branch": ["does not exist"]}})
    assert refused(target_branch="fix/one") == (
        422,
        {"message": ["You can't use same project/branch for source and target"]},
    )
    assert refused(target_project_id=2) == (
        422,
        {"message": ["Source project is not a fork of the target project"]},
    )
    assert refused(target_project_id=3) == (404, {"message": "404 Project Not Found"})
    assert refused(LIST) == (403, {"message": "403 Forbidden"})


def test_is_found_from_everywhere(contribution: Contribution) -> None:
    found = contribution.prepared()
    ask = contribution.practice.ask
    mine = ask("/merge_requests", scope="created_by_me", state="opened").json
    assert [one["iid"] for one in mine] == [found["iid"]]
    by_branch = ask(LIST, source_branch="fix/one", state="opened").json
    assert [one["iid"] for one in by_branch] == [found["iid"]]
    by_source = ask(LIST, source_project_id=contribution.fork["id"]).json
    assert [one["iid"] for one in by_source] == [found["iid"]]
    assert [one["iid"] for one in ask(LIST, state="merged").json] == [1]
    assert set(ask(LIST, view="simple").json[0]) == {
        "id", "iid", "project_id", "title", "description", "state", "created_at", "updated_at", "web_url"
    }  # fmt: skip
    assert ask(f"{LIST}/99").json == {"message": "404 Not found"}
    assert ask(f"/projects/{ALPHA_KEY}/issues/1/closed_by").json[0]["iid"] == found["iid"]


def test_follows_a_push(contribution: Contribution) -> None:
    found = contribution.prepared()
    where = f"{LIST}/{found['iid']}"
    head = contribution.push("docs/usage.md", "Use it well.\n")
    after = contribution.practice.ask(where).json
    assert after["sha"] == head
    assert after["changes_count"] == "2"
    pipelines = contribution.practice.ask(f"{where}/pipelines").json
    assert [run["sha"] for run in pipelines] == [head, found["sha"]]
    notes = contribution.practice.ask(f"{where}/notes").json
    assert [note["system"] for note in notes] == [True]
    assert notes[0]["body"].startswith("added 1 commit")


def test_is_closed_and_reopened_by_its_author(contribution: Contribution) -> None:
    where = f"{LIST}/{contribution.prepared()['iid']}"
    ask = contribution.practice.ask
    closed = ask(where, method="PUT", data={"state_event": "close"}).json
    assert (closed["state"], closed["detailed_merge_status"]) == ("closed", "not_open")
    assert ask(where, method="PUT", data={"state_event": "reopen"}).json["state"] == "opened"
    assert ask(f"{LIST}/1", method="PUT", data={"title": "Mine now"}).status == 403


class TestConflicts:
    def test_are_found_and_told(self, contribution: Contribution, tmp_path: Path) -> None:
        found = contribution.prepared()
        assert found["has_conflicts"] is False
        practice = contribution.practice
        run_git("clone", "-q", practice.clone_url("tools/alpha", MARA_TOKEN), "mara", cwd=tmp_path)
        (tmp_path / "mara" / "src/alpha.py").write_text("X = 4\n")
        run_git("commit", "-qam", "Collide", cwd=tmp_path / "mara")
        run_git("push", "-q", "origin", "main", cwd=tmp_path / "mara")
        after = practice.ask(f"{LIST}/{found['iid']}").json
        assert after["has_conflicts"] is True
        assert after["detailed_merge_status"] == "conflict"
        diverged = practice.ask(f"{LIST}/{found['iid']}", include_diverged_commits_count="true").json
        assert diverged["diverged_commits_count"] == 1


class TestMerging:
    def passed(self, contribution: Contribution) -> Any:
        found = contribution.prepared()
        store = contribution.practice.store
        row = store.merge_request(contribution.project, found["iid"])
        assert row is not None
        store.set_pipeline(row.id, "success", [(job.name, "success", "ok") for job in store.jobs(1)])
        return contribution.practice.ask(f"{LIST}/{found['iid']}").json

    def test_is_for_members(self, contribution: Contribution) -> None:
        found = self.passed(contribution)
        assert found["detailed_merge_status"] == "mergeable"
        reply = contribution.practice.ask(f"{LIST}/{found['iid']}/merge", method="PUT")
        assert (reply.status, reply.json) == (401, {"message": "401 Unauthorized"})

    def test_really_merges_and_closes_the_issue(self, contribution: Contribution) -> None:
        found = self.passed(contribution)
        ask = contribution.practice.ask
        done = ask(f"{LIST}/{found['iid']}/merge", method="PUT", token=MARA_TOKEN)
        assert done.status == 200
        assert done.json["state"] == "merged"
        assert done.json["merge_user"]["username"] == "mara"
        raw = ask(f"/projects/{ALPHA_KEY}/repository/files/{quoted('src/alpha.py')}/raw").body
        assert raw == b"X = 3\n"
        assert ask(f"/projects/{ALPHA_KEY}/repository/commits").json[0]["id"] == done.json["merge_commit_sha"]
        issue = ask(f"/projects/{ALPHA_KEY}/issues/1").json
        assert issue["state"] == "closed"
        notes = ask(f"/projects/{ALPHA_KEY}/issues/1/notes").json
        assert notes[0]["body"] == f"closed via merge request !{found['iid']}"

    def test_waits_for_the_checks(self, contribution: Contribution) -> None:
        found = contribution.prepared()
        assert found["detailed_merge_status"] == "ci_still_running"
        reply = contribution.practice.ask(f"{LIST}/{found['iid']}/merge", method="PUT", token=MARA_TOKEN)
        assert reply.status == 405

    def test_removes_the_source_branch_when_asked(self, contribution: Contribution) -> None:
        made = contribution.open(remove_source_branch=True)
        where = f"{LIST}/{made['iid']}"
        contribution.practice.wait(where, lambda found: found["sha"] is not None)
        row = contribution.practice.store.merge_request(contribution.project, made["iid"])
        assert row is not None
        contribution.practice.store.set_pipeline(row.id, "success")
        branch = f"/projects/{contribution.fork['id']}/repository/branches/{quoted('fix/one')}"
        assert contribution.practice.ask(branch).status == 200
        assert contribution.practice.ask(f"{where}/merge", method="PUT", token=MARA_TOKEN).status == 200
        assert contribution.practice.ask(branch).status == 404


def test_obeys_its_author(contribution: Contribution) -> None:
    where = f"{LIST}/{contribution.prepared(title='Draft: Fix it')['iid']}"
    ask = contribution.practice.ask

    def say(body: str, token: str = "") -> Any:
        reply = ask(f"{where}/notes", method="POST", data={"body": body}, token=token)
        return reply.status, reply.json.get("summary") or reply.json.get("message") or reply.json["body"]

    assert say("/ready") == (202, ["Marked this merge request as ready."])
    assert ask(where).json["title"] == "Fix it"
    assert say("/draft\n/close\n") == (
        202,
        ["Marked this merge request as a draft.", "Closed this merge request."],
    )
    assert (ask(where).json["title"], ask(where).json["state"]) == ("Draft: Fix it", "closed")
    assert say("/reopen") == (202, ["Reopened this merge request."])
    assert say("/approve") == (400, {"base": ["Could not apply approve command."]})
    assert say("/etc/hosts is read twice") == (201, "/etc/hosts is read twice")
    assert say("/close\nplease") == (201, "/close\nplease")
    contribution.practice.forge.tokens["eve"] = Grant(username="eve")
    contribution.practice.store.create_user("eve", "Eve")
    assert say("/close", "eve")[0] == 400


class TestReview:
    @pytest.fixture
    def practice(self, tmp_path: Path) -> Iterator[RunningPractice]:
        seed = ProjectSeed(
            path="tools/alpha",
            description="",
            commits=ALPHA.commits,
            members={"mara": 40, "ravi": 30},
            review=ReviewSeed(reviewer="mara", request="Please add a line."),
        )
        with running_practice(tmp_path / "forge", seeds=(seed,)) as running:
            yield running

    @pytest.fixture
    def where(self, practice: RunningPractice, tmp_path: Path) -> str:
        found = Contribution(practice, tmp_path).prepared()
        return f"{LIST}/{found['iid']}"

    def row(self, practice: RunningPractice) -> Any:
        return practice.store.open_merge_requests()[0]

    def test_may_have_approvals(self, practice: RunningPractice, where: str) -> None:
        practice.store.set_pipeline(self.row(practice).id, "success")
        assert practice.ask("/metadata").json["enterprise"] is False
        assert practice.ask(where).json["detailed_merge_status"] == "mergeable"
        nobody = {"user_has_approved": False, "user_can_approve": False, "approved": False, "approved_by": []}
        assert practice.ask(f"{where}/approvals").json == nobody
        assert practice.ask(f"{where}/approvals", token=None).status == 404
        assert practice.ask(f"{where}/approval_state").json == {"error": "404 Not Found"}
        assert practice.ask(f"{where}/approve", method="POST").status == 403
        stale = practice.ask(f"{where}/approve", method="POST", data={"sha": "0"}, token=MARA_TOKEN)
        assert stale.status == 409
        given = practice.ask(f"{where}/approve", method="POST", token=MARA_TOKEN)
        assert given.status == 201
        assert given.json["approved_by"][0]["user"]["username"] == "mara"
        assert (given.json["approved"], given.json["user_has_approved"]) == (True, True)
        assert practice.ask(f"{where}/approve", method="POST", token=MARA_TOKEN).status == 401
        notes = practice.ask(f"{where}/notes").json
        assert notes[0]["body"] == "approved this merge request"
        assert practice.ask(f"{where}/unapprove", method="POST", token=MARA_TOKEN).status == 201
        assert practice.ask(f"{where}/unapprove", method="POST", token=MARA_TOKEN).status == 404

    def test_has_threads_that_are_answered_and_resolved(self, practice: RunningPractice, where: str) -> None:
        row = self.row(practice)
        practice.store.set_pipeline(row.id, "success")
        opened = practice.store.open_discussion(
            row.id, author="mara", body="Why?", file="src/alpha.py", line=1, head_sha=row.sha
        )
        assert practice.ask(where).json["detailed_merge_status"] == "discussions_not_resolved"
        assert practice.ask(where).json["blocking_discussions_resolved"] is False
        thread = f"{where}/discussions/{opened.id}"
        answered = practice.ask(f"{thread}/notes", method="POST", data={"body": "Because."})
        assert answered.status == 201
        [shown] = practice.ask(f"{where}/discussions").json
        assert [note["body"] for note in shown["notes"]] == ["Why?", "Because."]
        assert shown["notes"][0]["position"]["new_path"] == "src/alpha.py"
        assert shown["notes"][0]["resolved"] is False
        assert practice.ask(thread, method="PUT", data={}).status == 400
        settled = practice.ask(thread, method="PUT", resolved="true").json
        assert all(note["resolved"] for note in settled["notes"])
        assert practice.ask(where).json["blocking_discussions_resolved"] is True
        assert practice.ask(f"{where}/discussions/none").json == {"message": "404 Discussion Not Found"}

    def test_names_its_reviewers(self, practice: RunningPractice, where: str) -> None:
        row = self.row(practice)
        practice.store.set_reviewers(row.id, ("mara",), by="mara")
        assert practice.ask(f"{where}/reviewers").json[0]["state"] == "unreviewed"
        practice.store.approve(row.id, "mara")
        [reviewer] = practice.ask(f"{where}/reviewers").json
        assert (reviewer["user"]["username"], reviewer["state"]) == ("mara", "approved")

    def test_shows_the_jobs_and_their_logs(self, practice: RunningPractice, where: str) -> None:
        row = self.row(practice)
        practice.store.set_pipeline(row.id, "failed", [("lint", "failed", "line 1\nline 2\n")])
        [run] = practice.ask(f"{where}/pipelines").json
        assert run["status"] == "failed"
        assert practice.ask(where).json["detailed_merge_status"] == "ci_must_pass"
        jobs = practice.ask(
            f"/projects/{run['project_id']}/pipelines/{run['id']}/jobs", params={"scope[]": "failed"}
        )
        [job] = jobs.json
        assert (job["name"], job["failure_reason"]) == ("lint", "script_failure")
        trace = practice.ask(f"/projects/{run['project_id']}/jobs/{job['id']}/trace")
        assert trace.body == b"line 1\nline 2\n"
        assert trace.headers["Content-Type"].startswith("text/plain")
