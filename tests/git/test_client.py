"""The contributor's path with real git over loopback HTTP: clone, branch, commit, push, look."""

from __future__ import annotations

from pathlib import Path

from isexplore.git.client import Change, Git
from tests.support.git import GitServer, git, write_files


async def test_a_first_contribution_goes_through(served: GitServer, client: Git, tmp_path: Path) -> None:
    folder = tmp_path / "src" / "tools" / "scheduler"
    lines: list[str] = []

    await client.clone(
        served.url("tools/scheduler"), folder, credential=served.credential, on_output=lines.append
    )
    assert (folder / "README.md").read_text() == "# Scheduler\n"
    assert any("100%" in line for line in lines)
    assert [path.name for path in folder.parent.iterdir()] == ["scheduler"]

    await client.create_branch(folder, "41-explain", "origin/main", credential=served.credential)
    await client.set_identity(folder, "Grace Example", "grace@example.org")
    write_files(folder, {"docs/back-off.md": "Why we wait.\n", "README.md": "# Scheduler\n\nMore.\n"})
    assert await client.changes(folder) == [
        Change(path="README.md", state="modified"),
        Change(path="docs/back-off.md", state="untracked"),
    ]
    message = "Explain the back-off\n\n#41 is a heading here, not a comment."
    sha = await client.commit(folder, message, sign_off=True)
    assert git("log", "-1", "--format=%B", cwd=folder).strip() == (
        message + "\n\nSigned-off-by: Grace Example <grace@example.org>"
    )

    assert await client.remote_branch(folder, "origin", "41-explain", credential=served.credential) is None
    await client.push(folder, "origin", "41-explain", credential=served.credential, protected={"main"})
    assert await client.remote_branch(folder, "origin", "41-explain", credential=served.credential) == sha
    url = served.url("tools/scheduler")
    assert await client.remote_branch(None, url, "41-explain", credential=served.credential) == sha
    assert git("rev-parse", "refs/heads/41-explain", cwd=served.bare("tools/scheduler")).strip() == sha

    facts = await client.facts(folder)
    assert facts.is_repo
    assert facts.remotes == {"origin": url}
    assert facts.branch == "41-explain"
    assert facts.branches == ("41-explain", "main")
    assert facts.remote_branches == ("origin/41-explain", "origin/main")
    assert facts.head == sha
    assert facts.changes == 0
    assert facts.in_progress is None
    log = await client.log(folder, "origin/main..HEAD")
    assert [(commit.sha, commit.subject, commit.author) for commit in log] == [
        (sha, "Explain the back-off", "Grace Example")
    ]
    patch = await client.diff(folder, against="origin/main", credential=served.credential)
    assert "+Why we wait." in patch
    assert "-# Scheduler" not in patch
