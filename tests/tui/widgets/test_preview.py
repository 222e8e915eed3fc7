"""The pane beside a list: what is chosen in it is what was seen, whatever comes meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime

from isexplore.models import Issue, IssueVerdict, Project, ProjectRef, Verdict
from isexplore.reading import IssueLine, Reading
from isexplore.tui.messages import PreviewRead
from isexplore.tui.widgets.preview import Preview
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
