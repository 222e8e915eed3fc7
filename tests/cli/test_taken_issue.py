"""`contribute` with an issue that somebody has, or that is closed: it stops before anything is claimed."""

from __future__ import annotations

from tests.support.cli import CommandLine
from tests.support.practice import MARA_TOKEN, RunningPractice

ISSUES = "/projects/tools%2Falpha/issues"


def test_an_issue_that_is_taken_or_closed_is_refused_before_it_is_claimed(
    connected: CommandLine, forge: RunningPractice
) -> None:
    def told(path: str, data: dict[str, str], method: str = "POST") -> None:
        forge.ask(f"{ISSUES}{path}", method=method, data=data, token=MARA_TOKEN)

    made = forge.ask(ISSUES, method="POST", data={"title": "Say more"}, token=MARA_TOKEN).json
    number = str(made["iid"])
    words = ("contribute", "tools/alpha", "--issue", number)

    told(f"/{number}/notes", {"body": "I'll take it"})
    refused = connected.refused(*words)
    assert refused.title == f"Issue #{number} is probably taken"
    assert "@mara" in refused.detail
    assert "--claim skip" in refused.hint

    told(f"/{number}", {"state_event": "close"}, "PUT")
    refused = connected.refused(*words)
    assert refused.title == f"Issue #{number} is closed"
    assert "--yes" in refused.hint

    comments = forge.ask(f"{ISSUES}/{number}/notes").json
    assert [one["author"]["username"] for one in comments if not one["system"]] == ["mara"]
    assert connected.done("status", "--json").json == {"contributions": []}
    assert connected(*words, "--yes", "--dry-run").code == 0
