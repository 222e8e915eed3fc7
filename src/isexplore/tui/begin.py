"""Beginning a contribution from any screen: make or find the journey, then show its steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from isexplore.errors import BlockedError, IsexploreError
from isexplore.models import ProjectRef
from isexplore.text import clean_line
from isexplore.tui.widgets.bars import StatusLine

if TYPE_CHECKING:
    from isexplore.catalog.issues import FirstIssue
    from isexplore.services import IssueLine, Journey
    from isexplore.tui.app import IsexploreApp


NO_ISSUE = "Without an issue"


def begin_contribution(app: IsexploreApp, ref: ProjectRef, issue: int | None = None) -> None:
    """Start the contribution, or go on with the one that exists, and open its screen.

    Where no issue was chosen and the project has good first ones, it is asked for.
    """
    app.ask(_begin(app, ref, issue))


async def _begin(app: IsexploreApp, ref: ProjectRef, issue: int | None) -> None:
    try:
        offered = await _offered(app, ref) if issue is None else ()
        if offered is None:
            _tell_elsewhere(app, ref, "You went elsewhere while it was read; c begins it.")
            return
        if offered:
            chosen = await _choose(app, ref, offered)
            if chosen is None:
                return
            issue = chosen or None
        number = f" #{issue}" if issue is not None else ""
        with _saying(app, f"Asking {ref.forge} about {ref.path}{number}..."):
            journey = await _begin_if_meant(app, ref, issue)
    except IsexploreError as error:
        app.tell_error(error)
        return
    if journey is not None:
        await open_contribution(app, journey)


def _tell_elsewhere(app: IsexploreApp, ref: ProjectRef, words: str) -> None:
    """Say why nothing was begun for somebody who looks at something else by now.

    A dialog would come between what is done there, and its answer begin what nobody thinks of.
    """
    app.notify(words, title=f"{ref.path} was not begun")


@contextmanager
def _saying(app: IsexploreApp, words: str) -> Iterator[None]:
    """Say below what is looked at why it takes a moment, also while a refresh tells how far it is."""
    with ExitStack() as lines:
        for line in app.screen.query(StatusLine):
            lines.enter_context(line.holding(words))
        yield


async def _offered(app: IsexploreApp, ref: ProjectRef) -> Sequence[FirstIssue] | None:
    """Return the first issues of a project; one that was never looked at is read before that is known.

    None where somebody has gone to another screen meanwhile.

    Raises:
        ForgeError: it cannot be read.
    """
    if found := app.services.first_issues_of(ref):
        return found
    asked_on = app.screen
    with _saying(app, f"Reading {ref.path}: which of its issues are good to start with?"):
        await app.services.read(ref)
    if app.screen is not asked_on:
        return None
    return app.services.first_issues_of(ref)


async def _begin_if_meant(app: IsexploreApp, ref: ProjectRef, issue: int | None) -> Journey | None:
    """Begin; ask first where the issue is closed or probably taken. None when it was left."""
    asked_on = app.screen
    objecting: list[IssueLine] = []

    def mind(line: IssueLine) -> None:
        if line.objection:
            objecting.append(line)
            raise BlockedError(line.objection)

    try:
        return await app.services.begin(ref, issue, mind=mind)
    except BlockedError:
        if not objecting:
            raise
    if app.screen is not asked_on:
        _tell_elsewhere(app, ref, f"{objecting[0].objection}; c asks whether to begin all the same.")
        return None
    from isexplore.tui.screens.dialogs import ConfirmDialog

    line = objecting[0]
    reasons = "\n".join(clean_line(reason) for reason in line.verdict.reasons)
    meant = await app.push_screen_wait(
        ConfirmDialog(
            f"{line.objection}. Begin all the same?",
            f"{reasons}\n\nAsk there before you start; another issue may be free.".strip(),
            yes="Begin",
            no="Leave it",
        )
    )
    return await app.services.begin(ref, issue) if meant else None


async def _choose(app: IsexploreApp, ref: ProjectRef, offered: Sequence[FirstIssue]) -> int | None:
    """Ask which issue is to be solved; 0 for a change without one, None when the question was left."""
    from isexplore.tui.screens.dialogs import PickDialog

    numbers = {f"#{issue.number} {clean_line(issue.title)}": issue.number for issue in offered}
    verdicts = [issue.verdict.replace("-", " ") for issue in offered]
    chosen = await app.push_screen_wait(
        PickDialog(
            f"Which issue of {ref.path} do you want to solve?",
            [*numbers, NO_ISSUE],
            details=dict(zip(numbers, verdicts, strict=True)) | {NO_ISSUE: "a change of your own"},
            empty="No issue is called that.",
            new=False,
        )
    )
    return None if chosen is None else numbers.get(chosen, 0)


async def open_contribution(app: IsexploreApp, journey: Journey) -> None:
    """Show the steps of a contribution on top of the mode Contributions, in one screen only.

    A step that runs there goes on, whichever mode is looked at meanwhile.
    """
    from isexplore.tui.screens.journey import JourneyScreen

    came_from = app.current_mode
    if came_from != "contributions":
        await app.switch_mode("contributions")
    while isinstance(top := app.screen, JourneyScreen):
        if top.journey.id == journey.id:
            top.came_from = came_from
            return
        if top.running is not None:
            break
        await app.pop_screen()
    await app.push_screen(JourneyScreen(journey, came_from=came_from))
