"""The command palette: whatever has a key on this screen, by its words; then themes and the like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand
from textual.screen import Screen

from isexplore.tui.keys import APP, Key, written

if TYPE_CHECKING:
    from isexplore.tui.app import IsexploreApp


def palette(app: IsexploreApp, screen: Screen[Any]) -> Iterator[SystemCommand]:
    """Yield the commands that can be run now, each with its keys."""
    remapped = app.services.config.keys
    area = getattr(screen, "HELP_TITLE", "isexplore")
    for key in getattr(screen, "KEYS", ()):
        if screen.check_action(key.action.partition("(")[0], ()) and key.tip:
            yield SystemCommand(
                f"{area}: {key.words}  ({written(key, remapped)})", key.tip, _runner(app, screen, key)
            )
    for key in APP:
        if key.action != "command_palette":
            yield SystemCommand(
                f"isexplore: {key.words}  ({written(key, remapped)})",
                key.tip or key.words,
                _runner(app, app, key),
            )
    yield SystemCommand("isexplore: Theme", "Change the colours until you leave", app.action_change_theme)


def _runner(app: IsexploreApp, node: Any, key: Key) -> Callable[[], None]:
    def run() -> None:
        app.run_worker(app.run_action(key.action, node), group="palette")

    return run
