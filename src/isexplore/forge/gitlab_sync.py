"""How a fork stands to its original on GitLab, and bringing it up to date.

There is no REST endpoint for the sync; GraphQL has `forkDetails` and `projectSyncFork` from 15.11 on.
GraphQL answers 200 whatever happens, with the trouble in `errors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from isexplore.errors import ConflictError, ForgeError, InvalidError, NotVisibleError, RateLimitedError
from isexplore.forge.gitlab_wire import WireComparison
from isexplore.models import Divergence, Project
from isexplore.text import clean_line

if TYPE_CHECKING:
    from isexplore.forge.http import ForgeClient

_POLLS = (0.5, 1.0, 2.0, 3.0, 5.0, 5.0, 5.0)
"""Seconds between questions whether a sync has ended."""

_DETAILS = """query($path: ID!, $ref: String) {
  project(fullPath: $path) { forkDetails(ref: $ref) { ahead behind isSyncing hasConflicts } }
}"""
_SYNC = """mutation($path: ID!, $branch: String!) {
  projectSyncFork(input: {projectPath: $path, targetBranch: $branch}) {
    details { ahead behind isSyncing hasConflicts } errors
  }
}"""


class _Details(Struct, rename="camel"):
    ahead: int | None = None
    behind: int | None = None
    is_syncing: bool | None = None
    has_conflicts: bool | None = None


class _Project(Struct, rename="camel"):
    fork_details: _Details | None = None


class _Sync(Struct):
    details: _Details | None = None
    errors: list[str] | None = None


class _Data(Struct, rename="camel"):
    project: _Project | None = None
    project_sync_fork: _Sync | None = None


class _Error(Struct):
    message: str | None = None


class _Answer(Struct):
    data: _Data | None = None
    errors: list[_Error] = field(default_factory=list)


async def fork_distance(
    client: ForgeClient, url: str, fork: Project, upstream: Project, branch: str
) -> Divergence | None:
    """Return how far `branch` of the fork is from the original's; None where GitLab cannot tell."""
    try:
        details = await _details(client, url, fork, branch)
    except ForgeError as error:
        if error.status is None or isinstance(error, RateLimitedError):
            raise
        details = None
    if details is not None and details.ahead is not None and details.behind is not None:
        return Divergence(ahead=details.ahead, behind=details.behind, conflicts=details.has_conflicts)
    try:
        return Divergence(
            ahead=await _missing(client, there=upstream, here=fork, branch=branch),
            behind=await _missing(client, there=fork, here=upstream, branch=branch),
        )
    except (NotVisibleError, InvalidError):
        return None


async def _missing(client: ForgeClient, *, there: Project, here: Project, branch: str) -> int:
    """Return how many commits of `here` are not in `there`."""
    comparison = await client.get_json(
        ("projects", here.id, "repository", "compare"),
        {"from": branch, "to": branch, "from_project_id": there.id},
        type=WireComparison,
    )
    return len(comparison.commits or ())


async def sync_fork(client: ForgeClient, url: str, fork: Project, branch: str) -> None:
    """Bring a fork's branch up to the original's and wait until that is done.

    Raises:
        ConflictError: the branches have diverged, or the branch may not be updated.
        InvalidError: this GitLab cannot do it (before 15.11, or GraphQL is closed).
    """
    variables = {"path": fork.path, "branch": branch}
    try:
        answer = await client.send_json(
            "POST", f"{url}/api/graphql", {"query": _SYNC, "variables": variables}, type=_Answer
        )
    except NotVisibleError as error:
        raise _impossible(fork, branch, error.detail) from error
    sync = answer.data.project_sync_fork if answer.data is not None else None
    if sync is None:
        words = "; ".join(clean_line(error.message or "") for error in answer.errors)
        raise _impossible(fork, branch, words)
    told = [clean_line(words) for words in sync.errors or () if "already in progress" not in words]
    if told:
        raise _refusal(fork, branch, "; ".join(told))
    details = sync.details
    for pause in _POLLS:
        if details is None or not details.is_syncing:
            break
        await client.sleep(pause)
        details = await _details(client, url, fork, branch)
    if details is not None and details.has_conflicts:
        raise _refusal(fork, branch, "There is a merge conflict.")


async def _details(client: ForgeClient, url: str, fork: Project, branch: str) -> _Details | None:
    variables = {"path": fork.path, "ref": branch}
    answer = await client.send_json(
        "POST", f"{url}/api/graphql", {"query": _DETAILS, "variables": variables}, type=_Answer
    )
    project = answer.data.project if answer.data is not None else None
    return project.fork_details if project is not None else None


def _refusal(fork: Project, branch: str, words: str) -> ForgeError:
    if "too many times" in words:
        return RateLimitedError(
            "The fork was brought up to date too often", words, "Try again in half an hour.", forge=fork.forge
        )
    return ConflictError(
        f"{branch} of {fork.path} cannot be brought up to date on the server",
        words,
        f"In your clone, merge the original's {branch} and push.",
        forge=fork.forge,
    )


def _impossible(fork: Project, branch: str, words: str) -> ForgeError:
    return InvalidError(
        f"This GitLab cannot bring {fork.path} up to date",
        words,
        f"In your clone, merge the original's {branch} and push.",
        forge=fork.forge,
    )
