"""Good first issues of many projects by one question for each group and label."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from isexplore.catalog.across import groups_worth_asking, spellings
from isexplore.catalog.issues import first_issues
from isexplore.catalog.store import faults
from isexplore.forge.answers import Answer
from isexplore.forge.http import ForgeClient
from isexplore.forge.http import Path as Address
from isexplore.practice.seed import IssueSeed, ProjectSeed
from isexplore.practice.server import Fault
from tests.support.listing_forge import READING
from tests.support.syncing import FORGE, syncing


def seed(path: str, *issues: IssueSeed) -> ProjectSeed:
    return ProjectSeed(
        path=path, description="", topics=("innersource",), members={"mara": 40}, commits=(), issues=issues
    )


def issue(title: str, label: str = "good first issue", **told: object) -> IssueSeed:
    return IssueSeed(title=title, body="", author="mara", days_ago=4, labels=(label,), **told)  # type: ignore[arg-type]


SEEDS = (
    *(seed(f"tools/part{number}/p{number}", issue(f"Explain {number}")) for number in range(12)),
    seed("tools/two", issue("One"), issue("Two"), issue("Done", closed=True), issue("A bug", "bug")),
    seed("tools/taken", issue("Mine", assignee="mara")),
    seed("alone/p", issue("Far away")),
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The path of each request that leaves."""
    paths: list[str] = []
    send = ForgeClient.send

    async def noted(self: ForgeClient, method: str, path: Address, **told: Any) -> Answer:
        paths.append("/".join(map(str, path)))
        return await send(self, method, path, **told)

    monkeypatch.setattr(ForgeClient, "send", noted)
    return paths


async def test_projects_that_wait_for_a_closer_look_show_their_first_issues(
    tmp_path: Path, asked: list[str]
) -> None:
    with syncing(tmp_path, seeds=SEEDS) as world:
        report = await world.sync(looks=1)
        with world.catalog() as catalog:
            rows = {row.path: row.good_first_issues for row in world.rows()}
            told = first_issues(catalog, "")
            found = told.issues
    assert report.complete
    assert not [path for path in asked if path.startswith("groups/")], "the forge tells of all of them"
    assert len([path for path in asked if path.endswith("/labels")]) == 1, "one project was looked at"
    assert asked.count("issues") <= 24, "one question for each spelling, not for each project"
    assert [rows[f"tools/part{number}/p{number}"] for number in range(12)] == [1] * 12
    assert rows["tools/two"] == 2
    assert {(one.project, one.title) for one in found} >= {
        ("tools/two", "One"),
        ("tools/part3/p3", "Explain 3"),
    }
    assert {one.verdict for one in found if one.project == "tools/taken"} == {"maybe-taken"}
    assert {one.verdict for one in found if one.project == "tools/two"} <= {"unknown", "free"}
    assert [one.title for one in found if one.project == "alone/p"] == ["Far away"]
    assert told.notice is None
    assert told.incomplete == []


async def test_issues_that_were_closed_leave_though_nobody_looked_closer(tmp_path: Path) -> None:
    with syncing(tmp_path, seeds=SEEDS) as world:
        await world.sync(looks=1)
        for number, title in world.forge.store.tuples("SELECT id, title FROM issues"):
            if str(title).startswith("Explain"):
                world.forge.store.close_issue(int(str(number)), by="mara")
        await world.sync(full=True, looks=1)
        with world.catalog() as catalog:
            assert {one.title for one in first_issues(catalog, "").issues} >= {"One", "Two", "Mine"}
            left = [one for one in first_issues(catalog, "").issues if one.title.startswith("Explain")]
        assert len(left) == 1, "of the project that was looked at, its next look tells"
        assert sum(row.good_first_issues or 0 for row in world.rows() if "/part" in row.path) == 1


TOO_MUCH = Fault(status=500, path="/api/v4/issues")
"""What a large forge answers to a question about all issues."""


async def test_a_forge_that_cannot_tell_all_at_once_is_asked_for_some_groups_at_each_sync(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isexplore.catalog.across.GROUPS", 2)
    seeds = [
        seed(f"team{team}/p{number}", issue(f"Paint {number}")) for team in range(5) for number in range(4)
    ]
    unknown, known, groups = [], [], []
    with syncing(tmp_path, seeds=[*seeds, seed("alone/p", issue("Far away"))]) as world:
        world.forge.knobs.faults.append(TOO_MUCH)
        for _ in range(5):
            assert (await world.sync(looks=1)).complete
            groups.append(len({path for path in asked if path.startswith("groups/")}))
            asked.clear()
            with world.catalog() as catalog:
                found = first_issues(catalog, "")
            known.append(len({one.project for one in found.issues} - {world.rows()[0].path}))
            unknown.append(found.unseen)
            assert found.incomplete == [(FORGE, found.unseen)]
            assert faults(found.incomplete) == []
    assert groups == [2, 2, 1, 0, 0], "those that waited come next, then nothing is due until tomorrow"
    assert known[0] < known[1] < known[2] == known[3]
    assert unknown[-1] == "the first issues of 1 project are not known yet; each sync asks for more"
    assert len(set(unknown)) == 3


async def test_labels_that_too_many_issues_have_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isexplore.catalog.across.ISSUES_ANYWHERE", 5)
    with syncing(tmp_path, seeds=SEEDS) as world:
        await world.sync(looks=1)
        with world.catalog() as catalog:
            notice = first_issues(catalog, "").unseen
    assert notice is not None
    assert '"good first issue"' in notice
    assert "only those changed last are known" in notice


async def test_what_the_first_groups_told_is_kept_when_the_forge_has_enough(tmp_path: Path) -> None:
    seeds = (*SEEDS, *(seed(f"web/p{number}", issue(f"Paint {number}")) for number in range(4)))
    with syncing(tmp_path, seeds=seeds) as world:
        world.forge.knobs.faults.append(TOO_MUCH)
        world.forge.knobs.faults.append(
            Fault(status=429, path="/groups/web/issues", headers={"Retry-After": "86400"})
        )
        report = await world.sync(looks=1)
        (failure,) = report.forges[0].failures
        assert (failure.scope, failure.kind) == ("first issues", "rate-limited")
        rows = {row.path: row.good_first_issues for row in world.rows()}
    assert rows["tools/two"] == 2


async def test_a_group_that_refuses_costs_nothing_else(tmp_path: Path) -> None:
    with syncing(tmp_path, seeds=SEEDS[:5]) as world:
        world.forge.knobs.faults.append(TOO_MUCH)
        world.forge.knobs.faults.append(Fault(status=404, path="/groups/tools/issues"))
        report = await world.sync(looks=1)
        assert report.complete
        assert len(world.rows()) == 5
        with world.catalog() as catalog:
            assert dict(catalog.incomplete()).get(FORGE) is None
            assert "of 4 projects are not known" in str(first_issues(catalog, "").unseen)


def test_which_groups_and_labels_are_asked_for() -> None:
    paths = ["a/x/1", "a/2", "a/3", "b/1", "b/2", "c/1", "c/2", "c/y/3", "c/4"]
    assert groups_worth_asking(paths) == ["c", "a"]
    assert groups_worth_asking(paths, ["a/x", "b", "c"]) == ["c"]
    assert groups_worth_asking(paths, ["C", "17", "b"]) == ["C", "17"]
    known = ["bug", "Good First Issue", "good-first-issue", "good-first-issue", "good first issue, easy"]
    assert spellings(READING, known) == ["good-first-issue", "Good First Issue"]
    reading = replace(READING, first_labels=("good first issue", "easy"))
    assert spellings(reading, [], 9) == [
        "good first issue",
        "easy",
        "good-first-issue",
        "Good first issue",
        "Easy",
        "Good First Issue",
    ]


async def test_a_forge_is_not_asked_about_all_projects_when_each_was_looked_at(
    tmp_path: Path, asked: list[str]
) -> None:
    with syncing(tmp_path, seeds=SEEDS) as world:
        assert (await world.sync(looks=50)).complete
        assert "issues" not in asked, "nobody waits for the answer"
        with world.catalog() as catalog:
            assert first_issues(catalog, "").total == 16
            assert first_issues(catalog, "").unseen is None


async def test_a_group_that_is_too_much_does_not_keep_the_others_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = [
        *(seed(f"big/p{number}", issue(f"Lift {number}")) for number in range(6)),
        *(seed(f"small/p{number}", issue(f"Paint {number}")) for number in range(4)),
    ]
    with syncing(tmp_path, seeds=seeds) as world:
        for _ in range(3):
            world.forge.knobs.faults[:] = [TOO_MUCH, Fault(status=500, path="/groups/big/issues")]
            await world.sync(looks=1)
        rows = {row.path: row.good_first_issues for row in world.rows()}
    assert [rows[f"small/p{number}"] for number in range(4)] == [1] * 4
