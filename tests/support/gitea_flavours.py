"""In which ways one Gitea or Forgejo differs from another, as far as clients notice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Flavour:
    """A product and its version."""

    name: str
    version: str
    topics: Literal["told", "null", "absent"]
    """What the field of a repository holds; `/topics` knows them always."""
    scoped: bool
    """Whether tokens have scopes."""
    scope_words: str
    """How a missing scope is named; `{needs}` and `{has}` are filled in."""
    second_fork: Literal[409, 500]
    compares_forks: bool
    sync: Literal["sync_fork", "merge-upstream", ""]
    token_endpoint: bool
    errors: Literal["list", "words"]
    """Whether a 404 has a list of errors and a vague message, or "not found"."""
    timeline: bool
    null_lists: bool
    """Whether an empty list is `null`."""
    null_status: bool
    """Whether a commit without checks has the status `null`."""
    topic_list: bool
    """Whether a comma in a topic search means "or"."""
    realm: str
    """Of the 401 for git."""


FORGEJO = Flavour(
    name="forgejo13",
    version="13.0.3+gitea-1.22.0",
    topics="told",
    scoped=True,
    scope_words="token does not have at least one of required scope(s): [{needs}]",
    second_fork=409,
    compares_forks=True,
    sync="sync_fork",
    token_endpoint=False,
    errors="list",
    timeline=True,
    null_lists=False,
    null_status=True,
    topic_list=False,
    realm="Gitea",
)
GITEA_OLD = Flavour(
    name="gitea116",
    version="1.16.0+dev-1084-gb59b0cad0",
    topics="null",
    scoped=False,
    scope_words="",
    second_fork=500,
    compares_forks=False,
    sync="",
    token_endpoint=False,
    errors="list",
    timeline=False,
    null_lists=True,
    null_status=True,
    topic_list=True,
    realm=".",
)
GITEA_NEW = Flavour(
    name="gitea_main",
    version="1.27.0+dev-12-g0123456789",
    topics="told",
    scoped=True,
    scope_words=(
        "token does not have at least one of required scope(s), required=[{needs}], token scope={has}"
    ),
    second_fork=409,
    compares_forks=True,
    sync="merge-upstream",
    token_endpoint=True,
    errors="words",
    timeline=True,
    null_lists=False,
    null_status=False,
    topic_list=True,
    realm="Gitea",
)
FLAVOURS = (FORGEJO, GITEA_OLD, GITEA_NEW)
