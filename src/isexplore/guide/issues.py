"""Pure: which issues suit a newcomer, and whether one is really there to be taken.

Lists of good first issues fail people in known ways: the issue is assigned, or somebody said "I'll take
it" and works on it unassigned, or a merge request is open already, or nobody has looked at it for years.
Each of these is a reason here, in words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from isexplore.config.schema import DEFAULT_FIRST_LABELS, DEFAULT_WANTED_LABELS
from isexplore.models import Branch, Comment, Issue, IssueVerdict, MergeRequest, MergeRequestState, Verdict
from isexplore.text import age, count

Tier = Literal["first", "wanted"]

CLAIM_LASTS = timedelta(days=21)
"""How long an "I'll take it" counts when nothing follows."""
ASSIGNMENT_LASTS = timedelta(days=30)
"""How long an assignment counts when nobody says or does anything."""
BRANCH_LASTS = timedelta(days=60)
"""How long a branch that is named after an issue counts when nothing is added to it."""
STALE_AFTER = timedelta(days=180)
"""An issue that nobody touched for so long may be done, or no longer wanted: ask first."""

_FIRST_LABELS = (
    "good first issue", "good first bug", "good first contribution", "good first task", "good first pr",
    "good first mr", "good first patch", "good first step", "first timers only", "first timer", "first timers",
    "first bug", "firstbug", "first contribution", "first issue", "first pr", "first mr", "your first pr",
    "easy first bug", "ideal first bug", "idealfirstbug", "beginner", "beginner friendly", "newcomer", "newcomers",
    "newcomer friendly", "starter", "starter bug", "starter issue", "easy", "e easy", "difficulty easy",
    "level easy", "effort easy", "quick win", "low hanging fruit", "junior job", "good for newcomers",
    "good for beginners", "onboarding", "difficulty beginner", "level beginner", "experience beginner",
)  # fmt: skip
_WANTED_LABELS = (
    "help wanted", "up for grabs", "tag up for grabs", "seeking community contributions", "community challenge",
    "accepting merge requests", "accepting pull requests", "contributions welcome", "contribution welcome",
    "hotlist community help", "community help", "hacktoberfest", "hackathon",
    "open for contribution", "patches welcome",
    "community contribution", "community contributions welcome",
)  # fmt: skip
_PREFIXES = ("type", "tag", "status", "kind", "community", "label", "t", "s", "meta")
# Of "good::first::issue" the middle is none: a scope ends and begins with two colons.
_SHORTCODE = re.compile(r"^\s*:[a-z0-9_+-]+:(?!:)|(?<!:):[a-z0-9_+-]+:(?![:\w])")
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015_/.|]+|::?")


def normalise_label(label: str) -> str:
    """Return a label for comparing: "[Type] Good-First_Issue :tada:" becomes "good first issue".

    Case, emoji, shortcodes and a category in front (`type:`, `Status/`, `[Type]`) are dropped; `-`, `_`,
    `/`, `::` and spaces are alike.
    """
    text = unicodedata.normalize("NFKC", label).casefold()
    text = _SHORTCODE.sub(" ", text)
    text = "".join(char if unicodedata.category(char)[0] not in "SC" else " " for char in text)
    text = text.replace("\N{VARIATION SELECTOR-16}", "").replace("'", "")
    text = re.sub(r"^\s*\[[^\]]*\]\s*(?=\S)", "", text)
    words = [word for word in _SEPARATORS.split(re.sub(r"[\[\](){}!?,]", " ", text)) if word]
    if len(words) > 2 and words[0] in _PREFIXES:
        words = words[1:]
    return " ".join(words)


@lru_cache(1 << 12)
def _comparable(label: str) -> str:
    """Return what is the same for one label and for many, apart or run together: `GoodFirstIssues`."""
    return "".join(_singular(word) for word in normalise_label(label).split())


def _singular(word: str) -> str:
    if word.endswith(("ches", "shes", "xes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _names(label: str) -> set[str]:
    """Return what a label may be compared as: itself, and where it has a scope of its own what is in it.

    Of one word alone, as in `area::starter`, nobody knows what it says without its scope.
    """
    _, _, value = label.rpartition("::")
    names = {_comparable(label)}
    if len(normalise_label(value).split()) > 1:
        names.add(_comparable(value))
    return names - {""}


_FIRST = frozenset(_comparable(label) for label in (*_FIRST_LABELS, *DEFAULT_FIRST_LABELS))
_WANTED = frozenset(_comparable(label) for label in (*_WANTED_LABELS, *DEFAULT_WANTED_LABELS))


def label_tier(label: str, *, first: Iterable[str] = (), wanted: Iterable[str] = ()) -> Tier | None:
    """Return whether a label marks issues for newcomers ("first"), for anyone ("wanted"), or neither.

    `first` and `wanted` are spellings of the organisation on top of the known ones.
    """
    names = _names(label)
    if not names.isdisjoint(map(_comparable, first)):
        return "first"
    if not names.isdisjoint(map(_comparable, wanted)):
        return "wanted"
    if not names.isdisjoint(_FIRST):
        return "first"
    return "wanted" if not names.isdisjoint(_WANTED) else None


def is_first_label(label: str, spellings: Iterable[str] = ()) -> bool:
    """Whether a label marks good first issues; `spellings` are the organisation's own."""
    return label_tier(label, first=spellings) == "first"


def issue_tier(issue: Issue, *, first: Iterable[str] = (), wanted: Iterable[str] = ()) -> Tier | None:
    """Return the better tier of an issue's labels."""
    tiers = {label_tier(label, first=tuple(first), wanted=tuple(wanted)) for label in issue.labels}
    return "first" if "first" in tiers else "wanted" if "wanted" in tiers else None


# "I" may be left out ("Working on it", "Taking this"); questions to others begin with you, anyone, ...
_CLAIM = re.compile(
    r"\bi(?:'ll| will| shall|'m going to| am going to|'m gonna) (?:\w+ ){0,2}?(?:take|do|fix|try|tackle|handle|grab"
    r"|pick|work|look|have a go|give it|give this|start|open|submit|send|raise|prepare|implement|get started)\b"
    r"|\bi(?:'d| would) (?:\w+ )?(?:like|love|want|be happy|be glad|be interested|be keen)\b"
    r"(?: \w+){0,3}? (?:to |in )(?:\w+ )?"
    r"(?:take|taking|work|working|try|do|help|fix|fixing|contribute|tackle|pick|give)"
    r"|\bi(?:'m| am)(?: \w+){0,2}? (?:working on|on it|taking|looking into|picking|fixing|happy to|interested in"
    r"|keen to|willing to|starting)\b"
    r"|\bi(?:'ve| have) (?:already )?(?:started|begun|been working|taken|picked)\b"
    r"|\bi(?: have)? want(?:ed)? to (?:work|take|try|do|fix|contribute|help)\b"
    r"|\b(?:can|could|may|might|shall) i (?:please )?(?:\w+ )?(?:take|work|have|try|do|fix|pick|be assigned"
    r"|get this|grab"
    r"|claim|give|help|contribute|tackle)\b"
    r"|\b(?:please )?assign (?:this |it |the issue |this issue )?(?:to )?me\b"
    r"|\bassign me\b|\bassigned to me\b|\blet me (?:take|try|do|work|fix|handle|have|give|pick)\b"
    r"|\bi (?:take|claim|can take|can do|can fix|can work|can pick|can have a)\b"
    r"|\bdibs\b|\bclaim(?:ing)? (?:this|it)\b|^\s*/assign(?: me)?\s*$|^\s*\.take\s*$|^\s*take\s*$|^\s*#?claim\s*$"
    r"|^\s*(?:working|started|starting|taking|picking|on it|mine)\b(?: (?:on|up|work))*(?: (?:this|it|that))?"
    r"(?: (?:one|issue|now|up))?\s*[.!:)]*\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_RELEASE = re.compile(
    r"\bno longer (?:working|able|have)\b|\b(?:can't|cannot|can not|won't|unable to|not able to) (?:\w+ ){0,2}"
    r"(?:work|continue|finish|do|take|complete)\b|\bgive (?:this|it) up\b|\bgiving up\b"
    r"|\bun-?assign(?:ing)? (?:me|myself)\b"
    r"|\bfree(?:ing)? (?:this|it) up\b|\bsomeone else (?:can|may|should|is welcome)\b|\banyone else (?:can|may)\b"
    r"|\bdon't have (?:the )?time\b|\bno time\b|^\s*/unassign\b|\bfeel free to take (?:it|this) over\b",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTE = re.compile(r"^\s*>.*$|```.*?(?:```|\Z)|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_MAX_BODY = 4_000

_ISSUE_BRANCH = re.compile(
    r"(?:^|/)(?:(?:issues?|gh|gl|bug|bugfix|fix|fixes|hotfix|feat|feature|task|ticket|docs?|chore|close|closes"
    r"|resolve|resolves|work)[-_#]*)?#?(?P<number>\d{1,9})(?=$|[-_/])",
    re.IGNORECASE,
)
_VERSION = re.compile(
    r"(?:^|/)(?:releases?|stable|support|maint|maintenance|versions?|backports?|dependabot|renovate)[-_/]"
    r"|(?:^|/)v?\d+[-_.]\d+(?=$|[-_./])|[-_/](?:stable|lts)$",
    re.IGNORECASE,
)


def _own_words(body: str) -> str:
    text = _QUOTE.sub("", body[:_MAX_BODY])
    return text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("\N{MODIFIER LETTER APOSTROPHE}", "'")


def is_claim(body: str) -> bool:
    """Whether somebody says that they take the issue, or asks for it."""
    text = _own_words(body)
    return _CLAIM.search(text) is not None and _RELEASE.search(text) is None


def is_release(body: str) -> bool:
    """Whether somebody gives an issue back."""
    return _RELEASE.search(_own_words(body)) is not None


def open_claims(comments: Sequence[Comment]) -> list[Comment]:
    """Return each person's latest claim that they did not take back, oldest first."""
    claims: dict[str, Comment] = {}
    for comment in comments:
        if comment.system or comment.bot:
            continue
        if is_release(comment.body):
            claims.pop(comment.author, None)
        elif is_claim(comment.body):
            claims.pop(comment.author, None)
            claims[comment.author] = comment
    return list(claims.values())


def verdict(
    issue: Issue,
    *,
    now: datetime,
    comments: Sequence[Comment] | None = None,
    linked: Sequence[MergeRequest] | None = None,
    branches: Sequence[Branch] | None = None,
    me: str = "",
) -> IssueVerdict:
    """Return whether an issue is there to be taken, with everything that speaks for the verdict.

    Args:
        issue: as the list or the issue call gave it.
        now: the present.
        comments: oldest first; None when they were not read.
        linked: merge requests that mention or close it; None when they were not asked for.
        branches: of its project, whatever their names; None when they were not asked for.
        me: own user name; what this account claimed is no obstacle.

    Returns:
        maybe-taken: somebody is at work, or it is done already.
        stale: a claim or the whole issue has gone quiet; worth asking before starting.
        unknown: what would tell was not read.
        free: otherwise.
    """
    taken: list[str] = []
    stale: list[str] = []
    unknown: list[str] = []
    notes: list[str] = []
    if not issue.open:
        taken.append("closed")
    _judge_linked(issue, linked, now, taken, notes, unknown)
    _judge_assignees(issue, comments, now, me, taken, stale, notes)
    _judge_claims(issue, comments, now, me, taken, notes, unknown)
    _judge_branches(issue, branches or (), linked or (), now, taken, stale)
    quiet = None if issue.updated_at is None else now - issue.updated_at
    if quiet is None:
        notes.append("the forge does not tell when it last changed")
    elif quiet >= STALE_AFTER:
        stale.append(f"nobody touched it for {_age(quiet)}")
    if taken:
        return IssueVerdict(verdict=Verdict.MAYBE_TAKEN, reasons=(*taken, *stale, *notes))
    if stale:
        return IssueVerdict(verdict=Verdict.STALE, reasons=(*stale, *notes, *unknown))
    if unknown:
        return IssueVerdict(verdict=Verdict.UNKNOWN, reasons=(*unknown, *notes))
    reasons = [] if issue.assignees else ["nobody is assigned"]
    if linked is not None and not linked:
        reasons.append("no merge request mentions it")
    if quiet is not None:
        reasons.append(f"last changed {_age(quiet)} ago" if _age(quiet) != "just now" else "changed just now")
    return IssueVerdict(verdict=Verdict.FREE, reasons=(*reasons, *notes))


def _age(duration: timedelta) -> str:
    return age(max(0.0, duration.total_seconds()))


def _judge_linked(
    issue: Issue,
    linked: Sequence[MergeRequest] | None,
    now: datetime,
    taken: list[str],
    notes: list[str],
    unknown: list[str],
) -> None:
    if linked is None:
        if issue.merge_requests:
            taken.append(f"{count(issue.merge_requests, 'merge request')} linked")
        elif issue.merge_requests is None:
            notes.append("merge requests were not looked at")
        return
    for request in linked:
        who = f" by @{request.author}" if request.author else ""
        name = f"merge request {request.number}{who}"
        if request.state is MergeRequestState.OPEN:
            moved = "" if request.updated_at is None else f", last changed {_ago(now - request.updated_at)}"
            taken.append(f"{name} is open{moved}")
        elif request.state is MergeRequestState.MERGED:
            taken.append(f"{name} was merged: it may be done")
        else:
            notes.append(f"{name} was closed without a merge")


def is_named_after(branch: str, number: int) -> bool:
    """Whether somebody seems to work on an issue in a branch: `12-fix`, `issue-12`, `fix/12`, `ada/gh-12-docs`.

    `release/12`, `12-0-stable` and `node-12` are numbers of something else.
    """
    found = _ISSUE_BRANCH.search(branch)
    while found is not None:
        if int(found["number"]) == number and not _VERSION.search(branch):
            return True
        found = _ISSUE_BRANCH.search(branch, found.start() + 1)
    return False


def _judge_branches(
    issue: Issue,
    branches: Sequence[Branch],
    linked: Sequence[MergeRequest],
    now: datetime,
    taken: list[str],
    stale: list[str],
) -> None:
    told = {request.source_branch for request in linked}
    for branch in branches:
        if branch.name in told or not is_named_after(branch.name, issue.number):
            continue
        if branch.committed_at is None:
            taken.append(f"branch {branch.name} is named after it")
        elif now - branch.committed_at < BRANCH_LASTS:
            taken.append(f"branch {branch.name} is named after it, changed {_ago(now - branch.committed_at)}")
        else:
            stale.append(
                f"branch {branch.name} is named after it, but quiet for {_age(now - branch.committed_at)}"
            )


def _ago(duration: timedelta) -> str:
    words = _age(duration)
    return words if words == "just now" else f"{words} ago"


def _judge_assignees(
    issue: Issue,
    comments: Sequence[Comment] | None,
    now: datetime,
    me: str,
    taken: list[str],
    stale: list[str],
    notes: list[str],
) -> None:
    if me and me in issue.assignees:
        notes.append("assigned to you")
    others = [name for name in issue.assignees if name != me]
    if not others:
        return
    names = ", ".join(f"@{name}" for name in others)
    moments = [
        comment.created_at for comment in comments or () if comment.author in others and comment.created_at
    ]
    if issue.updated_at is not None and not moments:
        moments.append(issue.updated_at)
    if not moments:
        taken.append(f"taken by {names}: assigned")
        return
    idle = now - max(moments)
    if idle < ASSIGNMENT_LASTS:
        taken.append(f"taken by {names}: assigned, active {_ago(idle)}")
    else:
        stale.append(f"assigned to {names}, but quiet for {_age(idle)}")


def _judge_claims(
    issue: Issue,
    comments: Sequence[Comment] | None,
    now: datetime,
    me: str,
    taken: list[str],
    notes: list[str],
    unknown: list[str],
) -> None:
    if comments is None:
        if issue.comments:
            unknown.append(f"{count(issue.comments, 'comment')} not read")
        return
    for claim in open_claims(comments):
        if claim.author == me:
            notes.append("you asked for it")
        elif claim.created_at is None:
            taken.append(f"@{claim.author} asked for it")
        elif now - claim.created_at < CLAIM_LASTS:
            taken.append(f"@{claim.author} asked for it {_ago(now - claim.created_at)}")
        elif claim.author not in issue.assignees:
            notes.append(f"@{claim.author} asked for it {_ago(now - claim.created_at)}, nothing followed")
