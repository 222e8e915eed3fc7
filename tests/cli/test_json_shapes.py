"""What scripts rely on: the fields of every `--json` document, null for what is absent, times in RFC 3339 UTC."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import CommandLine
from tests.support.newcomer import git
from tests.support.practice import RunningPractice, running_practice

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
PROJECT = {
    "forge": str,
    "path": str,
    "name": str,
    "description": str,
    "url": str,
    "visibility": (str, type(None)),
    "language": (str, type(None)),
    "topics": list,
    "stars": int,
    "forks": int,
    "open_issues": (int, type(None)),
    "good_first_issues": (int, type(None)),
    "last_activity": (str, type(None)),
    "score": (int, type(None)),
    "level": (str, type(None)),
}
ISSUE = {
    "forge": str,
    "project": str,
    "number": int,
    "title": str,
    "url": str,
    "labels": list,
    "verdict": str,
    "reasons": list,
    "updated": (str, type(None)),
}
CONTRIBUTION = {
    "forge": str,
    "project": str,
    "issue": (int, type(None)),
    "fork": (str, type(None)),
    "clone": (str, type(None)),
    "branch": (str, type(None)),
    "merge_request": (dict, type(None)),
    "steps": list,
}
STEP_NAMES = ["check", "claim", "fork", "clone", "branch", "change", "commit", "push", "propose", "review"]


def check_shape(document: dict[str, Any], shape: dict[str, Any]) -> None:
    """Require every field of a shape, present and of its type; more fields are fine."""
    for field, kinds in shape.items():
        assert field in document, f"{field} is missing in {sorted(document)}"
        assert isinstance(document[field], kinds), f"{field} is {document[field]!r}"


def check_moment(text: str | None) -> None:
    assert text is not None
    assert MOMENT.fullmatch(text), text


def test_search(connected: CommandLine) -> None:
    empty = connected.done("search", "--json").json
    assert (empty["projects"], empty["total"], empty["as_of"]) == ([], 0, None)
    assert empty["incomplete"] == [{"forge": "127.0.0.1", "reason": "not synced yet"}]
    connected.done("sync")
    found = connected.done("search", "alpha", "--json")
    assert found.err == ""
    (project,) = found.json["projects"]
    check_shape(project, PROJECT)
    assert (project["path"], project["language"], project["good_first_issues"]) == (
        "tools/alpha",
        "Python",
        1,
    )
    assert project["level"] in ("very high", "high", "medium", "low", "very low")
    check_moment(project["last_activity"])
    check_moment(found.json["as_of"])
    assert found.json["total"] == 1
    limited = connected.done("search", "--limit", "1", "--json").json
    assert len(limited["projects"]) == 1
    assert limited["total"] == 2
    for what in (["search"], ["issues"], ["search", "sort:stars"]):
        assert connected.done(*what, "--limit", "9" * 30, "--json").json["total"] > 0


def test_search_tells_what_is_incomplete(connected: CommandLine, forge: RunningPractice) -> None:
    connected.done("sync")
    forge.forge.tokens[forge.token], kept = (
        forge.forge.tokens["expired-canary-token"],
        forge.forge.tokens[forge.token],
    )
    try:
        assert connected("sync").code == 1
    finally:
        forge.forge.tokens[forge.token] = kept
    found = connected.done("search", "alpha", "--json").json
    assert [project["path"] for project in found["projects"]] == ["tools/alpha"]
    (incomplete,) = found["incomplete"]
    check_shape(incomplete, {"forge": str, "reason": str})
    assert "does not accept the token" in incomplete["reason"]
    said = connected.done("search", "alpha")
    assert incomplete["reason"] in said.err


def test_issues(connected: CommandLine) -> None:
    connected.done("sync")
    found = connected.done("issues", "--json").json
    (issue,) = found["issues"]
    check_shape(issue, ISSUE)
    assert (issue["project"], issue["number"], issue["verdict"]) == ("tools/alpha", 1, "free")
    check_moment(issue["updated"])
    check_moment(found["as_of"])
    assert (found["total"], found["incomplete"]) == (1, [])


def test_show(connected: CommandLine) -> None:
    shown = connected.done("show", "tools/alpha", "--json").json
    check_shape(shown, PROJECT | {"documents": list, "people": list, "issues": list})
    names = [document["name"] for document in shown["documents"]]
    for document in shown["documents"]:
        check_shape(document, {"name": str, "path": str, "text": str})
    assert "readme" in [name.lower() for name in names]
    assert "contributing" in [name.lower() for name in names]
    assert [issue["number"] for issue in shown["issues"]] == [1]
    check_shape(shown["issues"][0], ISSUE)
    check_moment(shown["last_activity"])
    assert any("mara" in str(person) for person in shown["people"])


def test_contribution_from_dry_run_to_status(
    connected: CommandLine, tmp_path: Path, forge: RunningPractice
) -> None:
    assert connected.done("status", "--json").json == {"contributions": []}
    clone = tmp_path / "clone"
    words = ("contribute", "tools/alpha", "--issue", "1", "--into", str(clone))
    planned = connected.done(*words, "--dry-run", "--json").json
    check_shape(planned, CONTRIBUTION)
    assert (planned["fork"], planned["merge_request"]) == (None, None)
    commands = {step["name"]: step["commands"] for step in planned["steps"]}
    assert any("/fork" in line for line in commands["fork"])
    assert any(line.startswith("git clone") for step in ("fork", "clone") for line in commands[step])
    assert not clone.exists()
    assert connected.done("status", "--json").json == {"contributions": []}

    begun = connected.done(*words, "--json").json
    check_shape(begun, CONTRIBUTION)
    assert (begun["project"], begun["issue"], begun["fork"]) == ("tools/alpha", 1, "nia/alpha")
    assert (begun["clone"], begun["branch"]) == (str(clone), "1-explain-the-back-off")
    assert [step["name"] for step in begun["steps"]] == STEP_NAMES
    for step in begun["steps"]:
        check_shape(step, {"name": str, "state": str, "detail": str, "commands": list})
        assert step["state"] in ("done", "ready", "waiting", "blocked")

    (clone / "src" / "alpha.py").write_text("X = 1  # Doubled after each failure.\n")
    git(clone, "commit", "-qam", "Explain the back-off")
    proposed = connected.done("propose", str(clone), "--draft", "--title", "Explain it", "--json").json
    check_shape(proposed, CONTRIBUTION)
    check_shape(proposed["merge_request"], {"number": int, "url": str, "title": str, "state": str})
    assert proposed["merge_request"]["state"] == "open"
    assert "Explain it" in proposed["merge_request"]["title"]

    listed = connected.done("status", "--json").json["contributions"]
    assert [each["merge_request"] for each in listed] == [proposed["merge_request"]]
    check_shape(listed[0], CONTRIBUTION)

    said = connected.done("status").out
    assert f"propose {clone} --ready" in said
    assert "Nothing to do" not in said
    assert "--ready" in connected.done("propose", str(clone)).out
    marked = connected.done("propose", str(clone), "--ready", "--json").json
    assert marked["merge_request"]["title"] == "Explain it"
    assert connected("propose", str(clone), "--ready", "--draft").code == 2


def test_bookmarks(connected: CommandLine) -> None:
    assert connected.done("bookmark", "list", "--json").json == {"bookmarks": []}
    added = connected.done("bookmark", "add", "tools/alpha", "--note", "ask", "--tag", "py", "--json").json
    (bookmark,) = added["bookmarks"]
    assert (bookmark["path"], bookmark["note"], bookmark["tags"]) == ("tools/alpha", "ask", ["py"])
    check_moment(bookmark["added_at"])
    assert connected.done("bookmark", "remove", "tools/alpha", "--json").json == {"bookmarks": []}


def test_documents_are_ascii_on_the_wire(connected: CommandLine) -> None:
    connected.done("bookmark", "add", "tools/alpha", "--note", "naïve \x1b[31m ★")
    assert connected.done("bookmark", "list", "--json").out.isascii()
    assert "\x1b" not in connected.done("bookmark", "list").out


def test_status_lists_a_branch_that_was_made_by_hand(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_practice(tmp_path / "forge", import_seconds=0.02) as forge:
        monkeypatch.setenv("ISEXPLORE_URL", forge.url)
        monkeypatch.setenv("ISEXPLORE_TOKEN", forge.token)
        clone = tmp_path / "clone"
        begun = cli.done("contribute", "tools/alpha", "--into", str(clone), "--json").json
        git(clone, "switch", "-qc", "by-hand")
        (clone / "src" / "alpha.py").write_text("X = 9\n")
        git(clone, "commit", "-qam", "Count to nine")
        first, second = cli.done("status", "--json").json["contributions"]
        check_shape(second, CONTRIBUTION)
        assert (first["branch"], first["current"]) == (begun["branch"], "branch")
        assert (second["id"], second["branch"], second["current"]) == (None, "by-hand", "push")
        assert f"isexplore propose {clone}" in cli.done("status").out
        assert cli.done("propose", str(clone), "--json").json["branch"] == "by-hand"
        assert [each["id"] is None for each in cli.done("status", "--json").json["contributions"]] == [
            False,
            False,
        ]
