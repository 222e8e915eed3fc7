"""A first issue is free only if nobody is at work on it, however they said so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from isexplore.guide.issues import (
    is_claim,
    is_first_label,
    is_named_after,
    is_release,
    label_tier,
    normalise_label,
    verdict,
)
from isexplore.models import Branch, Comment, Issue, IssueVerdict, MergeRequest, MergeRequestState, Verdict

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.mark.parametrize(
    ("label", "normal"),
    [
        ("Good First Issue", "good first issue"),
        ("good-first_issue", "good first issue"),
        ("good first issue :hatching_chick:", "good first issue"),
        ("🐣 good first issue", "good first issue"),
        ("❤️ help wanted", "help wanted"),
        ("type: good first issue", "good first issue"),
        ("[Type] Good First Bug", "good first bug"),
        ("Status/help-wanted", "help wanted"),
        ("difficulty::easy", "difficulty easy"),
        ("good::first::issue", "good first issue"),
        ("good first issue:hatching_chick:", "good first issue"),
        (":hatching_chick:good first issue", "good first issue"),
        ("good\u2011first\u2011issue", "good first issue"),
        ("E-easy", "e easy"),
        ("Tag: Up For Grabs", "up for grabs"),
        ("  ", ""),
    ],
)
def test_spellings_of_a_label_are_one(label: str, normal: str) -> None:
    assert normalise_label(label) == normal


@pytest.mark.parametrize(
    "label",
    [
        "good first issue", "good-first-issue", "beginner", "beginner-friendly", "easy", "first-timers-only", "starter",
        "low-hanging-fruit", "good first bug", "good first contribution", "easy first bug", "your-first-pr", "firstbug",
        "good-first-pr", "[Type] Good First Bug", "good first patch", "good first step", "IdealFirstBug", "E-easy",
        "first timers only", "quick win", "difficulty/easy", "level/easy", "newcomer",
        "good::first::issue", "Good First Issues", "good_first_issues", "GOOD-FIRST-ISSUE", "GoodFirstIssue",
        "contribution::good first issue", "Type::Good First Bugs", "first-timer-only", "beginners", "quick wins",
        "good first patches", "newbie::good-first-task", "difficulty::easy",
    ],
)  # fmt: skip
def test_labels_for_newcomers(label: str) -> None:
    assert label_tier(label) == "first"


@pytest.mark.parametrize(
    "label",
    [
        "help wanted", "up-for-grabs", "Tag: Up For Grabs", "Seeking community contributions", "Community challenge",
        "Accepting Merge Requests", "hotlist: community-help", "Hacktoberfest", "workflow::help-wanted", "Helps wanted",
    ],
)  # fmt: skip
def test_labels_for_anyone(label: str) -> None:
    assert label_tier(label) == "wanted"


@pytest.mark.parametrize(
    "label",
    [
        "bug",
        "not easy",
        "good",
        "first",
        "issue",
        "hard",
        "wontfix",
        "type",
        "",
        "::",
        "area::starter",
        ":+1:",
    ],
)
def test_other_labels(label: str) -> None:
    assert label_tier(label) is None


def test_the_organisation_has_its_own_words() -> None:
    assert is_first_label("Einstiegs-Ticket", ["einstiegs ticket"])
    assert not is_first_label("Einstiegs-Ticket")
    assert is_first_label("Team::Einstiegs_Tickets", ["einstiegs ticket"])
    assert label_tier("easy", wanted=["easy"]) == "wanted"


CLAIMS = (
    "I'll take it",
    "I’ll take this one!",
    "I will work on this",
    "I'd like to work on this, please assign me",
    "I would love to take this on.",
    "Hi! I would be happy to help with it and would like to contribute. Can I take this?",
    "Can I work on this?",
    "Could you please assign this to me?",
    "May I have a go at it?",
    "please assign me",
    "/assign",
    "/assign me",
    "Working on it",
    "On it.",
    "I am currently working on this.",
    "I've started on a fix",
    "I have already begun, draft tomorrow",
    "Let me take this.",
    "dibs",
    "I'm happy to take a look, I'm interested in this",
    "I can take this if nobody else does",
    "Taking this one.",
    "I want to fix this",
)
NO_CLAIMS = (
    "Would you like to work on this?",
    "Anyone can take this.",
    "Feel free to work on it!",
    "@grace you can take it, I'll review",
    "This is still open, help is welcome",
    "How would one test this?",
    "> I'll take it\n\nAre you still on it?",
    "Run `take` to see it. I think the bug is in the retry loop.",
    "I have the same problem.",
    "I assigned it to the next milestone.",
    "It takes me ten seconds to reproduce.",
    "I'm no longer working on this, sorry",
    "",
)


@pytest.mark.parametrize("body", CLAIMS)
def test_claims_are_recognised(body: str) -> None:
    assert is_claim(body)


@pytest.mark.parametrize("body", NO_CLAIMS)
def test_other_remarks_are_no_claims(body: str) -> None:
    assert not is_claim(body)


@pytest.mark.parametrize(
    "body",
    [
        "I'm no longer working on this",
        "Sorry, I can't finish it. Someone else can take it.",
        "unassigning myself",
        "/unassign",
        "I don't have time right now",
    ],
)
def test_giving_an_issue_back(body: str) -> None:
    assert is_release(body)


def test_a_hostile_comment_is_judged_in_no_time() -> None:
    assert not is_claim("i would " * 100_000)
    assert not is_claim("can " * 50_000 + "\n" * 50_000)


def issue(**fields: object) -> Issue:
    base: dict[str, object] = {
        "forge": "work",
        "project": "tools/scheduler",
        "number": 41,
        "title": "Explain the back-off",
        "url": "https://git.example.org/tools/scheduler/-/issues/41",
        "updated_at": days_ago(10),
    }
    return Issue(**(base | fields))  # type: ignore[arg-type]


def said(author: str, body: str, days: float, **fields: bool) -> Comment:
    return Comment(id=f"{author}{days}", author=author, body=body, created_at=days_ago(days), **fields)


def request(state: MergeRequestState, **fields: object) -> MergeRequest:
    return MergeRequest(
        forge="work", project="tools/scheduler", number=12, title="x", url="x", state=state, author="tom",
        updated_at=days_ago(2), **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def judge(of: Issue, *comments: Comment, linked: tuple[MergeRequest, ...] = (), me: str = "") -> IssueVerdict:
    return verdict(of, now=NOW, comments=comments, linked=linked, me=me)


@pytest.mark.parametrize(
    "branch",
    [
        "123-fix-the-typo", "123", "issue-123", "issue/123", "issues/123-docs", "fix/123", "fix-123", "fix_123_typo",
        "feature/gh-123-retry", "ada/123-retry", "GH-123", "bugfix/#123", "docs/0123-typo", "issue123",
    ],
)  # fmt: skip
def test_branches_that_are_named_after_an_issue(branch: str) -> None:
    assert is_named_after(branch, 123)


@pytest.mark.parametrize(
    "branch",
    [
        "main", "1234-fix", "12-3", "release/123", "123-0-stable", "123-stable", "v1.123", "1.123", "node-123",
        "renovate/123-x", "fix-4123", "123.x", "python123", "stable/123", "2024-123", "dependabot/npm/123", "x123-y",
        "",
    ],
)  # fmt: skip
def test_branches_with_a_number_of_something_else(branch: str) -> None:
    assert not is_named_after(branch, 123)


def test_a_branch_tells_that_somebody_is_at_work() -> None:
    def with_branch(days: float | None, linked: tuple[MergeRequest, ...] = ()) -> IssueVerdict:
        moment = None if days is None else days_ago(days)
        branches = [
            Branch(name="41-explain", sha="a", committed_at=moment),
            Branch(name="410-other", sha="b"),
        ]
        return verdict(issue(), now=NOW, comments=(), linked=linked, branches=branches)

    assert with_branch(3).verdict is Verdict.MAYBE_TAKEN
    assert with_branch(3).reasons[0] == "branch 41-explain is named after it, changed 3 days ago"
    assert with_branch(None).reasons[0] == "branch 41-explain is named after it"
    assert with_branch(100).verdict is Verdict.STALE
    assert with_branch(100).reasons[0] == "branch 41-explain is named after it, but quiet for 3 months"
    closed = request(MergeRequestState.CLOSED, source_branch="41-explain")
    assert with_branch(3, (closed,)).verdict is Verdict.FREE, "its merge request says more"


def test_free() -> None:
    found = judge(issue())
    assert found.verdict is Verdict.FREE
    assert found.reasons == ("nobody is assigned", "no merge request mentions it", "last changed 1 week ago")


def test_assigned_and_active() -> None:
    found = judge(issue(assignees=("tom",)))
    assert found.verdict is Verdict.MAYBE_TAKEN
    assert found.reasons[0] == "taken by @tom: assigned, active 1 week ago"


def test_assigned_but_quiet_is_worth_asking() -> None:
    found = judge(issue(assignees=("tom",), updated_at=days_ago(70)))
    assert found.verdict is Verdict.STALE
    assert found.reasons[0] == "assigned to @tom, but quiet for 2 months"


def test_others_talking_does_not_make_the_assignee_active() -> None:
    found = judge(
        issue(assignees=("tom",), updated_at=days_ago(1)),
        said("tom", "Soon", 60),
        said("ada", "Any news?", 1),
    )
    assert found.verdict is Verdict.STALE


def test_assigned_to_me_is_free_for_me() -> None:
    found = judge(issue(assignees=("grace",)), said("grace", "I'll take it", 1), me="grace")
    assert found.verdict is Verdict.FREE
    assert "assigned to you" in found.reasons


@pytest.mark.parametrize(
    ("comments", "expected"),
    [
        ([said("tom", "I'll take it", 3)], Verdict.MAYBE_TAKEN),
        ([said("tom", "I'll take it", 90)], Verdict.FREE),
        ([said("tom", "I'll take it", 5), said("tom", "Sorry, no longer working on it", 1)], Verdict.FREE),
        ([said("tom", "I'll take it", 5), said("ada", "I can't work on it either", 1)], Verdict.MAYBE_TAKEN),
        ([said("helper-bot", "I'll take it", 1, bot=True)], Verdict.FREE),
        ([said("tom", "assigned to me", 1, system=True)], Verdict.FREE),
        ([said("ada", "Nice idea", 1)], Verdict.FREE),
    ],
)
def test_claims_count_for_a_while(comments: list[Comment], expected: Verdict) -> None:
    assert judge(issue(), *comments).verdict is expected


def test_an_old_claim_is_told_all_the_same() -> None:
    found = judge(issue(), said("tom", "I'll take it", 90))
    assert "@tom asked for it 3 months ago, nothing followed" in found.reasons


@pytest.mark.parametrize(
    ("state", "expected", "reason"),
    [
        (
            MergeRequestState.OPEN,
            Verdict.MAYBE_TAKEN,
            "merge request 12 by @tom is open, last changed 2 days ago",
        ),
        (
            MergeRequestState.MERGED,
            Verdict.MAYBE_TAKEN,
            "merge request 12 by @tom was merged: it may be done",
        ),
        (MergeRequestState.CLOSED, Verdict.FREE, "merge request 12 by @tom was closed without a merge"),
    ],
)
def test_linked_merge_requests(state: MergeRequestState, expected: Verdict, reason: str) -> None:
    found = judge(issue(), linked=(request(state),))
    assert found.verdict is expected
    assert reason in found.reasons


def test_forgotten_issues_are_stale() -> None:
    found = judge(issue(updated_at=days_ago(800)))
    assert found.verdict is Verdict.STALE
    assert found.reasons[0] == "nobody touched it for 2 years"


@pytest.mark.parametrize(("days", "expected"), [(179, Verdict.FREE), (181, Verdict.STALE)])
def test_half_a_year_of_silence_is_worth_asking(days: int, expected: Verdict) -> None:
    assert judge(issue(updated_at=days_ago(days))).verdict is expected


def test_what_was_not_read_is_said() -> None:
    unread = verdict(issue(comments=3), now=NOW)
    assert unread.verdict is Verdict.UNKNOWN
    assert unread.reasons[0] == "3 comments not read"
    quiet = verdict(issue(comments=0, merge_requests=0), now=NOW)
    assert quiet.verdict is Verdict.FREE
    assert verdict(issue(merge_requests=1), now=NOW).verdict is Verdict.MAYBE_TAKEN
    assert "merge requests were not looked at" in verdict(issue(), now=NOW).reasons
    assert verdict(issue(comments=3, assignees=("tom",)), now=NOW).verdict is Verdict.MAYBE_TAKEN


def test_a_closed_issue_is_not_free() -> None:
    assert judge(issue(open=False)).verdict is Verdict.MAYBE_TAKEN
