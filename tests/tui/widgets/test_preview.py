"""The pane beside a list: what is chosen in it is what was seen, whatever comes meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import structs

from isexplore.models import Issue, IssueVerdict, Project, ProjectRef, Verdict
from isexplore.reading.facts import IssueLine, Reading
from isexplore.tui.messages import PreviewRead
from isexplore.tui.widgets.document import DocumentView
from isexplore.tui.widgets.preview import Preview, issues_words
from isexplore.tui.widgets.rows import RowList
from tests.support.tui import HostApp

REF = ProjectRef("work", "docs/welcome")


def reading(*verdicts: tuple[int, Verdict]) -> Reading:
    """Return a project with these issues."""
    lines = tuple(
        IssueLine(
            issue=Issue(forge=REF.forge, project=REF.path, number=number, title="", url=""),
            verdict=IssueVerdict(verdict=verdict),
        )
        for number, verdict in verdicts
    )
    project = Project(id="1", forge=REF.forge, path=REF.path, name="welcome", url="https://forge.example")
    return Reading(
        ref=REF, project=project, overview="", people="", issues=lines, as_of=datetime(2030, 5, 6, tzinfo=UTC)
    )


async def test_the_issue_that_was_chosen_is_begun_also_when_its_verdict_comes_between() -> None:
    preview = Preview()
    app = HostApp(preview)
    async with app.run_test(message_hook=app.seen.append) as pilot:
        preview.ref = REF
        preview.post_message(PreviewRead(REF, reading((1, Verdict.FREE), (6, Verdict.FREE))))
        await pilot.pause()
        rows = preview.query_one("#preview-issues", RowList)
        rows.action_choose()
        preview.post_message(PreviewRead(REF, reading((1, Verdict.STALE), (6, Verdict.FREE))))
        await pilot.pause()
        assert rows.cursor == 1, "the cursor stays on its issue"
        assert [told.number for told in app.told(Preview.IssueChosen)] == [1]


async def test_whoever_reads_goes_on_there_when_the_project_is_read_anew() -> None:
    preview = Preview()
    app = HostApp(preview)
    async with app.run_test(size=(60, 12)) as pilot:
        preview.ref = REF
        long = "\n\n".join(f"paragraph {number}" for number in range(60))
        before = structs.replace(reading(), overview=long)
        preview.post_message(PreviewRead(REF, before))
        await pilot.pause()
        view = preview.query_one(DocumentView)
        view.go_to(41)
        assert view.top_line == 41
        preview.post_message(PreviewRead(REF, structs.replace(before, overview=long + "\n\nnew")))
        await pilot.pause()
        assert view.text.endswith("new")
        assert view.top_line == 41


def test_the_tab_tells_good_first_issues_from_those_that_help_is_wanted_with() -> None:
    first = reading((1, Verdict.FREE), (6, Verdict.STALE)).issues
    assert issues_words(first) == "Issues 2"
    assert issues_words([*first, structs.replace(first[0], first=False)]) == "Issues 2 first, 1 wanted"
    assert issues_words([]) == "Issues 0"
