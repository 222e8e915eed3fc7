"""What a practice project is made of: plain data, written by hand in `practice/projects/`.

`practice/world.py` turns seeds into bare git repositories and rows of the practice store.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class PersonSeed(Struct, frozen=True, kw_only=True):
    """An account of the practice forge."""

    username: str
    name: str
    bot: bool = False


class CommitSeed(Struct, frozen=True, kw_only=True):
    """One commit on the default branch; `files` maps a path to its new text, or None to delete it."""

    author: str
    """Username."""
    message: str
    days_ago: float
    files: dict[str, str | None]


class NoteSeed(Struct, frozen=True, kw_only=True):
    """A comment."""

    author: str
    body: str
    days_ago: float


class IssueSeed(Struct, frozen=True, kw_only=True):
    """An issue; numbers are given in the order of the list, from 1."""

    title: str
    body: str
    author: str
    days_ago: float
    labels: tuple[str, ...] = ()
    assignee: str | None = None
    notes: tuple[NoteSeed, ...] = ()
    closed: bool = False


class MergeRequestSeed(Struct, frozen=True, kw_only=True):
    """A merge request by somebody else (history, or "somebody is on it"); from a branch of the project itself."""

    title: str
    body: str
    author: str
    branch: str
    days_ago: float
    files: dict[str, str | None]
    """The change, on top of the default branch."""
    state: Literal["opened", "merged", "closed"] = "merged"
    notes: tuple[NoteSeed, ...] = ()


class CheckSeed(Struct, frozen=True, kw_only=True):
    """One checkable rule that the project's pipeline applies to a merge request.

    kind: `sign-off` (every commit carries a matching Signed-off-by), `message` (first lines match
    `pattern`), `changelog` (`path` must change), `file-matches` (`path` must match `pattern` where it
    exists), `no-trailing-space`, `max-line` (`limit` characters in Markdown and code), `links`
    (relative Markdown links point at files that exist), `parses` (JSON, TOML and Python files parse).
    """

    name: str
    """Job name, e.g. `lint`."""
    kind: Literal[
        "sign-off", "message", "changelog", "file-matches", "no-trailing-space", "max-line", "links", "parses"
    ]
    pattern: str = ""
    path: str = ""
    limit: int = 100


class ReviewSeed(Struct, frozen=True, kw_only=True):
    """What this project's maintainer asks for in review, once, in words that a newcomer can follow.

    The maintainer approves when a later push satisfies `satisfied_by`:
    `any-push` (any new commit), `file-matches` (`path` matches `pattern`), `changelog` (`path` changed).
    """

    reviewer: str
    request: str
    satisfied_by: Literal["any-push", "file-matches", "changelog"] = "any-push"
    pattern: str = ""
    path: str = ""
    thanks: str = "Thank you, that is exactly it. Merging."


class ProjectSeed(Struct, frozen=True, kw_only=True):
    """A project of the practice forge."""

    path: str
    """`group/sub/name`; groups come into being with their first project."""
    description: str
    commits: tuple[CommitSeed, ...]
    """Oldest first; empty for a project with an empty repository."""
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
