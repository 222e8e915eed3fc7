"""How a fork stands to its original on Gitea and Forgejo, and bringing it up to date.

Gitea has `merge-upstream` (1.23), Forgejo `sync_fork`; which one a server has shows when it is asked.
Only `merge-upstream` of 1.25 and later can be held to a fast-forward, so the distance is looked at first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isexplore.errors import (
    ConflictError,
    ForgeError,
    InvalidError,
    NotVisibleError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.forge.gitea_wire import WireComparison, WireSyncInfo
from isexplore.models import Divergence, Project

if TYPE_CHECKING:
    from isexplore.forge.http import ForgeClient

SYNC_PATIENCE = 120.0
"""Seconds for a sync, which ends before it is answered."""


async def fork_distance(client: ForgeClient, fork: str, upstream: str, branch: str) -> Divergence | None:
    """Return how far `branch` of a fork is from the original's; None where the server cannot tell.

    Args:
        client: speaks to the API.
        fork: path of the fork.
        upstream: path of the original.
        branch: name of the branch in both.
    """
    ahead = await _missing(client, there=upstream, here=fork, branch=branch)
    behind = await _missing(client, there=fork, here=upstream, branch=branch)
    if behind is None:
        behind = await _told_behind(client, fork, branch)
    if ahead is None or behind is None:
        return None
    return Divergence(ahead=ahead, behind=behind)


async def _missing(client: ForgeClient, *, there: str, here: str, branch: str) -> int | None:
    """Return how many commits of `here` are not in `there`; old servers do not compare with a fork."""
    owner = here.partition("/")[0]
    # A branch may have slashes, and the route takes all that follows.
    basehead = f"{branch}...{owner}:{branch}".split("/")
    try:
        wire = await client.get_json(("repos", *there.split("/"), "compare", *basehead), type=WireComparison)
    except ForgeError as error:
        if not _means_no(error):
            raise
        return None
    return wire.total_commits


async def _told_behind(client: ForgeClient, fork: str, branch: str) -> int | None:
    try:
        wire = await client.get_json(
            ("repos", *fork.split("/"), "sync_fork", *branch.split("/")), type=WireSyncInfo
        )
    except ForgeError as error:
        if not _means_no(error):
            raise
        return None
    return wire.commits_behind


def _means_no(error: ForgeError) -> bool:
    """Whether the server answered, and not with the comparison."""
    return isinstance(error, NotVisibleError | InvalidError | ConflictError) or error.status in (404, 500)


async def sync_fork(client: ForgeClient, fork: Project, branch: str) -> None:
    """Bring a fork's branch up to the original's.

    Raises:
        ConflictError: the branches have diverged.
        InvalidError: this server cannot do it.
    """
    if fork.forked_from is not None:
        distance = await fork_distance(client, fork.path, fork.forked_from, branch)
        if distance is not None and distance.behind == 0:
            return
        if distance is not None and distance.ahead:
            raise _diverged(fork, branch, f"It has {distance.ahead} of its own.")
    where = ("repos", *fork.path.split("/"))
    try:
        await client.send(
            "POST",
            (*where, "merge-upstream"),
            json={"branch": branch, "ff_only": True},
            patience=SYNC_PATIENCE,
        )
    except (NotVisibleError, InvalidError, WrongAnswerError, UnavailableError) as error:
        if error.status in (400, 500):
            raise _diverged(fork, branch, error.detail) from error
        if error.status not in (404, 405):
            raise
    else:
        return
    try:
        await client.send("POST", (*where, "sync_fork", *branch.split("/")), patience=SYNC_PATIENCE)
    except (NotVisibleError, InvalidError, WrongAnswerError) as error:
        if error.status == 400:
            raise _diverged(fork, branch, error.detail) from error
        if error.status not in (404, 405):
            raise
        raise InvalidError(
            f"This server cannot bring {fork.path} up to date",
            error.detail,
            f"In your clone, merge the original's {branch} and push.",
            forge=fork.forge,
            status=error.status,
            request=error.request,
        ) from error


def _diverged(fork: Project, branch: str, words: str) -> ConflictError:
    return ConflictError(
        f"{branch} of {fork.path} cannot be brought up to date on the server",
        words,
        f"In your clone, merge the original's {branch} and push.",
        forge=fork.forge,
    )
