"""What stands against proposing a clone as it is checked out, told before anything is pushed."""

from __future__ import annotations

from isexplore.errors import BlockedError
from isexplore.git.facts import CloneFacts
from isexplore.journey.branch import unfinished
from isexplore.journey.change import lacks_sign_off, refuse_no_change
from isexplore.journey.world import World
from isexplore.models import MergeRequest, MergeRequestState
from isexplore.text import count


async def before_proposing(world: World) -> tuple[str, ...]:
    """Return what is worth knowing about what is going to be proposed, in sentences.

    Raises:
        BlockedError: another branch is checked out than the contribution's, git waits for the end of a
            merge or rebase, the merge request has ended without what is checked out, nothing has
            changed, or a sign-off is missing that is insisted on.
    """
    facts = await world.clone()
    if not facts.is_repo:
        return ()
    busy = unfinished(facts)
    if busy is not None:
        raise BlockedError(f"In the clone, {busy.detail.removesuffix(' in the clone')}", "", busy.hint)
    _refuse_another_branch(world, facts)
    request = await world.merge_request()
    if request is not None:
        await _refuse_ended(world, facts, request)
    await refuse_no_change(world)
    commits = await world.commits()
    if request is None and not commits and await world.base() is not None:
        waiting = f": {count(facts.changes, 'file')} not committed" if facts.changes else ""
        raise BlockedError(
            f"There is nothing to propose yet{waiting or ', since nothing has changed'}",
            f"Looked at {world.folder()}",
            "Commit your change first (git commit)"
            if waiting
            else f"Edit the files in {world.folder()}, in your editor or a shell",
        )
    refusal = await lacks_sign_off(world) if request is None else None
    if refusal is not None:
        raise refusal
    left = await world.changes() if commits else []
    return (f"Not in it: {count(len(left), 'file')} not committed.",) if left else ()


def _refuse_another_branch(world: World, facts: CloneFacts) -> None:
    wanted = world.journey.branch
    if not wanted or facts.branch == wanted or wanted not in facts.branches:
        return
    raise BlockedError(
        f"The clone is on {facts.branch or 'no branch'}, your contribution on {wanted}",
        f"Looked at {world.folder()}. Nothing was pushed.",
        f"git switch {wanted} goes back to it.\n"
        "git switch -c NAME takes the commits that are checked out to a branch of their own; then propose that.",
    )


async def _refuse_ended(world: World, facts: CloneFacts, request: MergeRequest) -> None:
    called = world.called(request.number)
    anew = "git switch -c NAME takes your commits to another branch; then propose that."
    if request.state is MergeRequestState.CLOSED:
        raise BlockedError(
            f"{called} was closed, not merged: nobody will look at it",
            f"{request.title}. Nothing was pushed.",
            f"Ask why, or reopen it, on its page: {request.url}\n{anew}",
        )
    newer = request.sha not in (None, "", facts.head)
    if (
        request.state is MergeRequestState.MERGED
        and newer
        and await world.git.log(world.folder(), f"{request.sha}..HEAD", limit=1)
    ):
        raise BlockedError(
            f"{called} is merged already, without your newest commits",
            f"{request.title}. Nothing was pushed.",
            anew,
        )
