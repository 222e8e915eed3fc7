"""What a practice project is made of: plain data, written by hand in `practice/projects/`.

`practice/world.py` turns seeds into bare git repositories and rows of the practice store.
"""

from __future__ import annotations

from textwrap import dedent
from typing import Literal

from msgspec import Struct

NEWCOMER = "nia"
"""The account that the learner signs in with."""


def text(block: str) -> str:
    """Return an indented triple-quoted block as the text of a file, ending in one line feed."""
    return dedent(block).strip("\n") + "\n"


class PersonSeed(Struct, frozen=True, kw_only=True):
    """An account of the practice forge."""

    username: str
    name: str
    bot: bool = False


class CommitSeed(Struct, frozen=True):
    """One commit on the default branch.

    `files` maps a path to its new text (bytes where it is not UTF-8), or to None to delete it.
    """

    author: str
    """Username."""
    message: str
    days_ago: float
    files: dict[str, str | bytes | None]
    sign_off: bool = False
    """Whether the message ends with the author's Signed-off-by."""


class NoteSeed(Struct, frozen=True):
    """A comment."""

    author: str
    body: str
    days_ago: float


class IssueSeed(Struct, frozen=True, kw_only=True):
    """An issue; numbers follow the order of the list from 1, and go on from an explicit `number`."""

    title: str
    body: str
    author: str
    days_ago: float
    labels: tuple[str, ...] = ()
    assignee: str | None = None
    notes: tuple[NoteSeed, ...] = ()
    closed: bool = False
    number: int | None = None
    """Set to leave a gap before it, as years of closed issues do; must be larger than the one before."""


class MergeRequestSeed(Struct, frozen=True, kw_only=True):
    """A merge request by somebody else (history, or "somebody is on it"), from a branch of the project."""

    title: str
    body: str
    author: str
    branch: str
    days_ago: float
    files: dict[str, str | bytes | None]
    """The change, on top of the default branch."""
    state: Literal["opened", "merged", "closed"] = "merged"
    notes: tuple[NoteSeed, ...] = ()
    sign_off: bool = False
    """Whether the commit's message ends with the author's Signed-off-by."""


class CheckSeed(Struct, frozen=True, kw_only=True):
    """One checkable rule that the project's pipeline applies to a merge request.

    kind: `sign-off` (every commit carries a matching Signed-off-by), `message` (first lines match
    `pattern`), `branch` (the source branch's name matches `pattern`), `changelog` (`path` must change),
    `file-matches` (`path` must match `pattern` where it exists), `no-trailing-space`, `max-line` (`limit`
    characters in text files), `links` (relative Markdown links point at files that exist), `parses` (JSON,
    TOML and Python files parse), `sorted` (the list items of `path` are in alphabetical order). The rules
    about files look at the files that the merge request changes, so nobody pays for what was there before.
    """

    name: str
    """Job name, e.g. `lint`."""
    kind: Literal[
        "sign-off",
        "message",
        "branch",
        "changelog",
        "file-matches",
        "no-trailing-space",
        "max-line",
        "links",
        "parses",
        "sorted",
    ]
    pattern: str = ""
    path: str = ""
    limit: int = 100
    hint: str = ""
    """How to satisfy it, in the project's own words; shown at the end of a failing log."""


class ReviewSeed(Struct, frozen=True, kw_only=True):
    """What this project's maintainer asks for in review, once, in words that a newcomer can follow.

    The maintainer approves when a later push satisfies `satisfied_by`:
    `any-push` (any new commit), `file-matches` (`path` matches `pattern`), `changelog` (`path` changed).
    A merge request that satisfies the last two from the start is thanked for it and merged.
    """

    reviewer: str
    request: str
    """May use `{author}` (first name) and `{file}` (the first file that the merge request changes)."""
    satisfied_by: Literal["any-push", "file-matches", "changelog"] = "any-push"
    pattern: str = ""
    path: str = ""
    missing: str = ""
    """What is still missing after a push that does not satisfy it; empty for words from `satisfied_by`."""
    thanks: str = "Thank you, that is exactly it. Merging."


class ProjectSeed(Struct, frozen=True, kw_only=True):
    """A project of the practice forge."""

    path: str
    """`group/sub/name`; groups come into being with their first project."""
    description: str
    commits: tuple[CommitSeed, ...]
    """Oldest first; empty for a project with an empty repository."""
    created_days_ago: float | None = None
    """Of a project without commits; with commits, the first one tells."""
    topics: tuple[str, ...] = ()
    visibility: Literal["public", "internal", "private"] = "internal"
    licence: str | None = None
    languages: dict[str, float] = {}
    """Percentages."""
    stars: int = 0
    forks: int = 0
    labels: tuple[str, ...] = ()
    members: dict[str, int] = {}
    """Username to GitLab access level (30 developer, 40 maintainer, 50 owner)."""
    issues: tuple[IssueSeed, ...] = ()
    merge_requests: tuple[MergeRequestSeed, ...] = ()
    checks: tuple[CheckSeed, ...] = ()
    review: ReviewSeed | None = None
    archived: bool = False
    forking_enabled: bool = True
    merge_requests_enabled: bool = True
    issues_enabled: bool = True
    default_branch: str = "main"
    merge_method: Literal["merge", "ff"] = "merge"
