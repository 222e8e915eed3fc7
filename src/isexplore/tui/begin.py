"""Beginning a contribution from any screen: make or find the journey, then show its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isexplore.errors import IsexploreError
from isexplore.models import ProjectRef

if TYPE_CHECKING:
    from isexplore.tui.app import IsexploreApp


def begin_contribution(app: IsexploreApp, ref: ProjectRef, issue: int | None = None) -> None:
    """Start the contribution, or go on with the one that exists, and open its screen."""
    app.ask(_begin(app, ref, issue))


async def _begin(app: IsexploreApp, ref: ProjectRef, issue: int | None) -> None:
    from isexplore.tui.screens.journey import JourneyScreen

    try:
        journey = await app.services.begin(ref, issue)
    except IsexploreError as error:
        app.tell_error(error)
        return
    app.push_screen(JourneyScreen(journey))
