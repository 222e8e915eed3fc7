"""An independent client of GitLab's API drives the practice forge: what fits it will fit GitLab."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import gitlab
import gitlab.exceptions
import pytest

from tests.support.practice import (
    MARA_TOKEN,
    README,
    RunningPractice,
    light_projects,
    run_git,
    running_practice,
)


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[RunningPractice]:
    with running_practice(tmp_path / "forge", light=light_projects(250)) as running:
        yield running


@pytest.fixture
def client(practice: RunningPractice) -> Iterator[gitlab.Gitlab]:
    with gitlab.Gitlab(practice.url, private_token=practice.token) as client:
        client.auth()
        yield client


def test_signs_in(client: gitlab.Gitlab) -> None:
    assert client.user is not None
    assert client.user.username == "nia"
    assert client.version()[0].startswith("17.")
    assert client.personal_access_tokens.get("self").scopes == ["api"]


def test_finds_projects_by_topic_over_all_pages(client: gitlab.Gitlab) -> None:
    found = list(client.projects.list(topic="innersource", iterator=True, per_page=100))
    assert len(found) == 252
    assert len({project.id for project in found}) == 252
    keyset = client.projects.list(
        topic="innersource", pagination="keyset", order_by="id", sort="asc", per_page=50, get_all=True
    )
    assert [project.id for project in keyset] == sorted(project.id for project in found)


def test_reads_files(client: gitlab.Gitlab) -> None:
    project = client.projects.get("tools/alpha")
    assert project.files.get("README.md", ref="HEAD").decode() == README.encode()
    assert project.files.raw("docs/usage.md", ref="main") == b"Use it.\n"
    assert {entry["name"] for entry in project.repository_tree(get_all=True)} >= {"README.md", "docs"}
    assert project.languages() == {"Python": 90.0, "Shell": 10.0}


def test_reads_issues_and_people(client: gitlab.Gitlab) -> None:
    project = client.projects.get("tools/alpha")
    [issue] = project.issues.list(
        labels=["good first issue"], state="opened", assignee_id="None", get_all=True
    )
    issue.notes.create({"body": "I would like to work on this."})
    assert [note.body for note in issue.notes.list(get_all=True)] == ["I would like to work on this."]
    assert [member.username for member in project.members_all.list(get_all=True)] == ["mara", "ravi"]
    labels = project.labels.list(search="first", with_counts=True, get_all=True)
    assert [label.open_issues_count for label in labels] == [1]
    issue.assignee_ids = [client.user.id] if client.user else []
    with pytest.raises(gitlab.exceptions.GitlabUpdateError) as caught:
        issue.save()
    assert caught.value.response_code == 403


def test_contributes(client: gitlab.Gitlab, practice: RunningPractice, tmp_path: Path) -> None:
    upstream = client.projects.get("tools/alpha")
    fork_id = upstream.forks.create({}).id
    deadline = time.monotonic() + 10
    while (fork := client.projects.get(fork_id)).import_status != "finished":
        assert time.monotonic() < deadline
    assert fork.forked_from_project["id"] == upstream.id
    with pytest.raises(gitlab.exceptions.GitlabCreateError) as twice:
        upstream.forks.create({})
    assert twice.value.response_code == 409

    fork.branches.create({"branch": "explain", "ref": "main"})
    folder = tmp_path / "clone"
    url = practice.clone_url(fork.path_with_namespace)
    run_git("clone", "-q", "--branch", "explain", url, str(folder), cwd=tmp_path)
    (folder / "docs/usage.md").write_text("Use it, and wait between tries.\n")
    run_git("commit", "-qam", "Explain the back-off", cwd=folder)
    run_git("push", "-q", "origin", "explain", cwd=folder)

    request = fork.mergerequests.create(
        {
            "source_branch": "explain",
            "target_branch": "main",
            "target_project_id": upstream.id,
            "title": "Draft: Explain the back-off",
            "description": "Closes #1",
        }
    )
    assert request.sha is None
    own = upstream.mergerequests.get(request.iid)
    while (own := upstream.mergerequests.get(request.iid)).sha is None:
        assert time.monotonic() < deadline
    assert own.draft is True
    own.title = "Explain the back-off"
    own.save()
    own.notes.create({"body": "Ready for a look."})
    assert "Ready for a look." in [note.body for note in own.notes.list(get_all=True)]
    assert [run.status for run in own.pipelines.list(get_all=True)] == ["pending"]
    assert [one.iid for one in client.mergerequests.list(scope="created_by_me", get_all=True)] == [own.iid]

    row = practice.store.merge_request(upstream.id, own.iid)
    assert row is not None
    practice.store.set_pipeline(row.id, "success")
    with gitlab.Gitlab(practice.url, private_token=MARA_TOKEN) as mara:
        mara.projects.get(upstream.id).mergerequests.get(own.iid).merge()
    assert upstream.mergerequests.get(own.iid).state == "merged"
    assert upstream.issues.get(1).state == "closed"
    assert upstream.files.raw("docs/usage.md", ref="main") == b"Use it, and wait between tries.\n"


def test_commits_without_a_clone(client: gitlab.Gitlab, practice: RunningPractice) -> None:
    upstream = client.projects.get("tools/alpha")
    fork = client.projects.get(practice.fork()["id"])
    made = fork.commits.create(
        {
            "branch": "explain",
            "start_branch": "main",
            "commit_message": "Explain the back-off",
            "actions": [{"action": "update", "file_path": "docs/usage.md", "content": "Wait longer.\n"}],
        }
    )
    assert made.stats == {"additions": 1, "deletions": 1, "total": 2}
    file = fork.files.get("docs/usage.md", ref="explain")
    assert (file.decode(), file.last_commit_id) == (b"Wait longer.\n", made.id)
    file.content = "Wait twice as long.\n"
    file.save(branch="explain", commit_message="Say how long", last_commit_id=made.id)
    new = {"file_path": "docs/new.md", "branch": "explain", "content": "New\n", "commit_message": "Add"}
    fork.files.create(new)
    with pytest.raises(gitlab.exceptions.GitlabCreateError) as twice:
        fork.files.create(new)
    assert twice.value.error_message == "A file with this name already exists"
    fork.files.delete("docs/new.md", branch="explain", commit_message="Remove")
    assert [commit.title for commit in fork.commits.list(ref_name="explain", per_page=4, get_all=False)] == [
        "Remove",
        "Add",
        "Say how long",
        "Explain the back-off",
    ]
    assert fork.files.raw("docs/usage.md", ref="explain") == b"Wait twice as long.\n"
    pushes = fork.events.list(action="pushed", get_all=True)
    assert [event.push_data["commit_title"] for event in pushes][-1] == "Explain the back-off"
    assert [event.target_title for event in upstream.events.list(action="merged", get_all=True)] == [
        "Tidy up"
    ]
    with pytest.raises(gitlab.exceptions.GitlabCreateError) as stranger:
        upstream.files.create({**new, "branch": "main"})
    assert (stranger.value.response_code, stranger.value.error_message) == (403, "403 Forbidden")


def test_stars(client: gitlab.Gitlab) -> None:
    project = client.projects.get("tools/alpha")
    project.star()
    assert client.projects.get("tools/alpha").star_count == 8


def test_tells_errors_as_gitlab_does(client: gitlab.Gitlab, practice: RunningPractice) -> None:
    with pytest.raises(gitlab.exceptions.GitlabGetError) as missing:
        client.projects.get("vault/secret")
    assert missing.value.response_code == 404
    assert missing.value.error_message == "404 Project Not Found"
    with (
        gitlab.Gitlab(practice.url, private_token="wrong") as stranger,
        pytest.raises(gitlab.exceptions.GitlabAuthenticationError),
    ):
        stranger.auth()
