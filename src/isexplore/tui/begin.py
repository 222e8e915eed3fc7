"""Beginning a contribution from any screen: make or find the journey, then show its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isexplore.errors import IsexploreError
from isexplore.models import ProjectRef

if TYPE_CHECKING:
    from isexplore.services import Journey
    from isexplore.tui.app import IsexploreApp


def begin_contribution(app: IsexploreApp, ref: ProjectRef, issue: int | None = None) -> None:
    """Start the contribution, or go on with the one that exists, and open its screen."""
    app.ask(_begin(app, ref, issue))


async def _begin(app: IsexploreApp, ref: ProjectRef, issue: int | None) -> None:
    try:
        journey = await app.services.begin(ref, issue)
    except IsexploreError as error:
        app.tell_error(error)
        return
    await open_contribution(app, journey)


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
