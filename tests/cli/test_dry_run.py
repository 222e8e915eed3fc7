"""`propose --dry-run` tells what `propose` does: the same steps, the same words, the same refusals."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.cli import CommandLine
from tests.support.newcomer import git
from tests.support.practice import RunningPractice, running_practice

BODY = "Counts to three.\n\n" + "\n".join(f"- reason {number}" for number in range(40))


def clone_by_hand(forge: RunningPractice, folder: Path) -> Path:
    """Clone the original with plain git, and commit on a branch of one's own."""
    origin = f"{forge.url}/tools/alpha.git"
    signed_in = origin.replace("://", f"://nia:{forge.token}@")
    git(folder.parent, "clone", "-q", signed_in, str(folder))
    git(folder, "remote", "set-url", "origin", origin)
    git(folder, "switch", "-q", "-c", "count")
    (folder / "src" / "alpha.py").write_text("X = 3\n")
    git(folder, "commit", "-qam", "count to three")
    return folder


def test_a_branch_that_was_made_by_hand(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_practice(tmp_path / "forge", import_seconds=0.02) as forge:
        monkeypatch.setenv("ISEXPLORE_URL", forge.url)
        monkeypatch.setenv("ISEXPLORE_TOKEN", forge.token)
        clone = clone_by_hand(forge, tmp_path / "clone")
        words = ("propose", str(clone), "--body-file", "-")
        planned = cli.done(*words, "--dry-run", "--json", stdin=BODY).json
        commands = {step["name"]: step["commands"] for step in planned["steps"]}
        remote = f"git -C {clone} remote add -- fork {forge.url}/nia/alpha.git"
        assert (commands["clone"], commands["branch"], commands["commit"]) == ([remote], [], [])
        assert commands["push"] == [f"git -C {clone} push -- fork refs/heads/count:refs/heads/count"]
        sent = {"title": "count to three", "description": BODY, "draft": False}
        assert planned["would_send"] == sent
        told = cli.done(*words, "--dry-run", stdin=BODY).out
        assert "switch" not in told
        assert "fetch" not in told
        assert "Title: count to three" in told
        assert all(line in told for line in BODY.splitlines())
        assert git(clone, "remote") == "origin\n"

        history = git(clone, "reflog")
        proposed = cli.done(*words, "--json", stdin=BODY).json
        assert git(clone, "reflog") == history, "nothing was switched"
        assert git(clone, "remote") == "fork\norigin\n"
        (opened,) = [
            each
            for each in forge.ask("/projects/tools%2Falpha/merge_requests?state=opened").json
            if each["iid"] == proposed["merge_request"]["number"]
        ]
        assert (opened["title"], opened["description"]) == (sent["title"], BODY)
        assert cli.done(*words, "--dry-run", "--json", stdin=BODY).json["would_send"] is None


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (b"caf\xe9", "not UTF-8"),
        (b"a" * ((1 << 20) + 1), "too large"),
        (None, "No such file"),
        ("folder", "Is a directory"),
    ],
)
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_a_description_that_cannot_be_sent(
    cli: CommandLine, tmp_path: Path, made: bytes | str | None, words: str, dry: tuple[str, ...]
) -> None:
    """It is told before anything else is looked at: there is no clone, and no forge."""
    body = tmp_path / "body.md"
    if made == "folder":
        body.mkdir()
    elif isinstance(made, bytes):
        body.write_bytes(made)
    told = cli.refused("propose", str(tmp_path), "--body-file", str(body), *dry, code=2)
    assert told.title.startswith(str(body))
    assert words in told.title + told.detail


def test_a_description_without_end(cli: CommandLine, tmp_path: Path) -> None:
    told = cli.refused("propose", str(tmp_path), "--body-file", "/dev/zero", code=2)
    assert "too large" in told.title


def test_standard_input_that_is_no_text(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"\xff\xfe")
    os.close(writing)
    with open(reading, encoding="utf-8", errors="surrogateescape") as broken:
        from isexplore.cli import describing
        from isexplore.errors import UsageError

        monkeypatch.setattr("sys.stdin", broken)
        with pytest.raises(UsageError, match="Standard input"):
            describing.read_description("-")
