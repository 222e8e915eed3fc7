"""A branch that is named after an issue is seen where the issue is read, not where many are listed."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from isexplore.models import ProjectRef, Verdict
from tests.support.practice import ALPHA, MARA_TOKEN
from tests.support.world import FORGE, fill_catalog, practice_world


async def test_reading_an_issue_sees_the_branch_that_somebody_has_begun(tmp_path: Path) -> None:
    ref = ProjectRef(FORGE, ALPHA.path)
    with practice_world(tmp_path) as world:
        await fill_catalog(world.services)
        before = await world.services.read_issue(ref, 1)
        assert before.line.verdict.verdict is Verdict.FREE
        branches = f"/projects/{quote(ALPHA.path, safe='')}/repository/branches"
        world.forge.ask(
            branches, method="POST", data={"branch": "1-explain", "ref": "main"}, token=MARA_TOKEN
        )
        after = await world.services.read_issue(ref, 1)
        assert after.line.verdict.verdict is Verdict.MAYBE_TAKEN
        assert after.line.verdict.reasons[0].startswith("branch 1-explain is named after it")
        world.services.reopen_catalog()
        (listed,) = [one for one in world.services.first_issues("").issues if one.number == 1]
        assert listed.verdict == "maybe-taken", "the list knows it since"
        await world.services.disconnect()
