"""The main job with subcommands only: search, contribute, propose, answer the review, merged. Real HTTP, real git."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.newcomer import (
    as_json,
    git,
    isexplore,
    note_the_change,
    say_hello,
    serving_practice,
    until,
)


@pytest.fixture
def practice_forge(isolated_environment: Path) -> Iterator[dict[str, Any]]:
    with serving_practice() as announced:
        yield announced


@pytest.mark.timeout(120)
def test_a_newcomer_with_four_commands_sees_the_change_merged(practice_forge: dict[str, Any]) -> None:
    found = as_json("practice", "search", "welcome")
    assert [project["path"] for project in found["projects"]] == ["docs/welcome"]

    begun = as_json("practice", "contribute", "docs/welcome", "--issue", "1")
    assert {step["name"]: step["state"] for step in begun["steps"]}["branch"] == "done"
    clone = Path(begun["clone"])
    remotes = git(clone, "remote", "-v")
    assert "nia/welcome.git" in remotes.splitlines()[0]
    assert practice_forge["token"] not in remotes
    assert practice_forge["token"] not in (clone / ".git" / "config").read_text()

    refused = as_json("practice", "propose", str(clone), code=1)
    assert "nothing to propose" in refused["error"]["title"]

    say_hello(clone)
    git(clone, "commit", "-qam", "Add Nia to the contributors")
    proposed = as_json("practice", "propose", str(clone))
    number = proposed["merge_request"]["number"]
    assert proposed["merge_request"]["state"] == "open"
    assert as_json("practice", "propose", str(clone))["merge_request"]["number"] == number

    def review() -> dict[str, Any]:
        (contribution,) = as_json("practice", "status")["contributions"]
        (step,) = (step for step in contribution["steps"] if step["name"] == "review")
        return {**step, "merge_request": contribution["merge_request"]}

    asked = until(lambda: step if (step := review())["state"] == "ready" else None, "the review")
    assert "CHANGELOG.md" in json.dumps(asked["facts"])
    said = isexplore("practice", "status")
    assert "review: one thing to do\n" in said
    assert said.count("@sofia: Welcome") == 1
    note_the_change(clone)
    git(clone, "commit", "-qam", "Add a line to the change log")
    as_json("practice", "propose", str(clone))

    merged = until(lambda: step if (step := review())["state"] == "done" else None, "the merge")
    assert merged["merge_request"]["state"] == "merged"
    assert "merged" in isexplore("practice", "status")
    assert "Add Nia" in git(clone, "log", "--oneline", "-3")


def test_practising_leaves_the_real_world_alone(isolated_environment: Path) -> None:
    isexplore("practice", "bookmark", "add", "docs/welcome", "--note", "try this")
    assert as_json("bookmark", "list")["bookmarks"] == []
    assert as_json("practice", "bookmark", "list")["bookmarks"][0]["note"] == "try this"
    touched = {
        path.relative_to(isolated_environment).parts[:3] for path in isolated_environment.rglob("*.toml")
    }
    assert all(parts[:3] == ("data", "isexplore", "practice") for parts in touched), touched
