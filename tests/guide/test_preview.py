"""A project is read in parts: the first is cheap, the rest follows, and a part that fails is a note."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from isexplore.errors import ForbiddenError, NotVisibleError, UnavailableError
from isexplore.guide.preview import Preview, checks, read_project
from isexplore.models import Project, Role, Verdict
from tests.support.fake_forge import START, FakeForge

NOW = START + timedelta(days=3)
FILES = {
    "README.md": "# Scheduler\n\n## Trusted Committers\n\n- @sofia\n",
    "CONTRIBUTING.md": "# How\n\nCommits need a Signed-off-by line.\n\nWe review within 3 working days.\n",
    "docs/COMMUNICATION.md": "Chat in #scheduler.\n",
}


@pytest.fixture
def project(forge: FakeForge) -> Project:
    project = forge.add_project("tools/scheduler", files=FILES, last_activity=START)
    forge.add_issue(project, "Explain the back-off", labels=("good first issue",), updated_at=START)
    taken = forge.add_issue(project, "Name the queue", labels=("help wanted",), updated_at=START, comments=1)
    forge.say(project, taken.number, "tom", "I'll take it")
    forge.add_issue(project, "Rewrite everything", labels=("epic",))
    forge.calls.clear()
    return project


async def test_the_whole(forge: FakeForge, project: Project) -> None:
    preview = await read_project(forge, project.path, now=NOW)
    assert preview.complete
    assert [document.name for document in preview.documents] == ["README", "CONTRIBUTING", "COMMUNICATION"]
    assert preview.digest.sign_off_required
    assert [contact.name for contact in preview.people.contacts] == ["@sofia"]
    assert [contact.name for contact in preview.people.also] == ["@mara", "Ada Example"]
    assert [link.text for link in preview.people.chat] == ["#scheduler"]
    assert [(found.issue.title, found.tier, found.verdict.verdict) for found in preview.issues] == [
        ("Explain the back-off", "first", Verdict.FREE),
        ("Name the queue", "wanted", Verdict.MAYBE_TAKEN),
    ]
    assert [(check.mark, check.text) for check in preview.checks] == [
        ("yes", "You may fork it and propose changes"),
        ("yes", "Last activity 3 days ago"),
        ("yes", "It has a CONTRIBUTING guide"),
        ("yes", "On reviews: We review within 3 working days."),
        ("yes", "Commits need a sign-off: git commit -s, or the step “commit” here"),
        ("yes", "1 issue for newcomers free to take"),
    ]
    assert preview.notes == ()


async def test_the_first_part_costs_four_requests(forge: FakeForge, project: Project) -> None:
    parts: list[tuple[int, Preview]] = []
    await read_project(
        forge, project.path, now=NOW, on_part=lambda part: parts.append((len(forge.calls), part))
    )
    asked, first = parts[0]
    assert asked == 4
    assert [document.name for document in first.documents] == ["README", "CONTRIBUTING"]
    assert first.digest.review is not None
    assert not first.complete
    assert [part.complete for _, part in parts[1:]] == [False, False, True]


@pytest.mark.parametrize(
    ("method", "part"),
    [("members", "people"), ("contributors", "people"), ("issues", "issues"), ("folder", "documents")],
)
async def test_a_part_that_fails_is_a_note(
    forge: FakeForge, project: Project, method: str, part: str
) -> None:
    forge.fail(method, ForbiddenError("You may not see this", hint="Ask the owners"))
    preview = await read_project(forge, project, now=NOW)
    assert preview.complete
    assert [(note.part, note.title, note.hint) for note in preview.notes] == [
        (part, "You may not see this", "Ask the owners")
    ]
    assert preview.documents or method == "folder"
    assert preview.issues or method == "issues"
    assert preview.people.contacts


async def test_comments_that_cannot_be_read_leave_the_verdict_open(
    forge: FakeForge, project: Project
) -> None:
    forge.fail("comments", UnavailableError("The forge did not answer"), times=2)
    preview = await read_project(forge, project, now=NOW)
    verdicts = {found.issue.title: found.verdict.verdict for found in preview.issues}
    assert verdicts["Name the queue"] is Verdict.UNKNOWN
    assert [note.part for note in preview.notes] == ["comments"]


async def test_a_hidden_project_is_an_error(forge: FakeForge) -> None:
    with pytest.raises(NotVisibleError):
        await read_project(forge, "tools/hidden")


async def test_an_empty_project(forge: FakeForge) -> None:
    project = forge.add_project("tools/empty", repository=False, empty=True)
    preview = await read_project(forge, project, now=NOW)
    assert preview.complete
    assert preview.documents == ()
    assert [check.text for check in preview.checks if check.mark == "no"] == [
        "The repository is empty: there is nothing to change yet"
    ]


async def test_spellings_of_the_organisation_count(forge: FakeForge, project: Project) -> None:
    preview = await read_project(forge, project, now=NOW, first_labels=("epic",))
    assert {found.issue.title for found in preview.issues if found.tier == "first"} == {
        "Explain the back-off",
        "Rewrite everything",
    }


async def test_many_issues_are_searched_by_label(forge: FakeForge, project: Project) -> None:
    for number in range(100):
        forge.add_issue(project, f"Newer {number}", labels=("bug",), updated_at=START + timedelta(hours=1))
    preview = await read_project(forge, project, now=NOW)
    assert "Explain the back-off" in {found.issue.title for found in preview.issues}


@pytest.mark.parametrize(
    ("fields", "mark", "text"),
    [
        ({"archived": True}, "no", "Archived: it takes no changes"),
        ({"merge_requests_enabled": False}, "no", "Merge requests are switched off"),
        ({"can_propose": False}, "no", "You may not open a merge request here"),
        ({"forking_enabled": False}, "no", "Forking is switched off"),
        ({"forking_enabled": None}, "unknown", "Whether you may fork it shows when you try"),
        (
            {"role": Role.DEVELOPER, "forking_enabled": False},
            "yes",
            "You may push branches here, so no fork is needed",
        ),
        ({"last_activity": NOW - timedelta(days=800)}, "maybe", "Last activity 2 years ago"),
        ({"issues_enabled": False}, "unknown", "Issues are switched off"),
    ],
)
def test_can_i_contribute(forge: FakeForge, fields: dict[str, Any], mark: str, text: str) -> None:
    project = forge.add_project("tools/scheduler", files=FILES, **fields)
    found = checks(Preview(project=project, complete=True), NOW)
    assert (mark, text) in [(check.mark, check.text) for check in found]
    order = [check.mark for check in found]
    assert order == sorted(order, key=["no", "maybe", "yes", "unknown"].index)
