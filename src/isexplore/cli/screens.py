"""Starting the screens, from here and from `practice`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from isexplore.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from isexplore.config.paths import Paths
    from isexplore.services import Services


def open_screens(paths: Paths, services: Services | None = None) -> int:
    """Run the screens until they are left; return the exit code.

    Raises:
        UsageError: this is no terminal.
        ConfigError: the configuration is wrong; all its problems at once.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()) and "TEXTUAL_DRIVER" not in os.environ:
        raise UsageError(
            "The screens need a terminal",
            "Standard input or output is a file or a pipe.",
            "Use a subcommand instead: isexplore --help",
        )
    import gc

    # Nothing that starting makes is garbage; looking for some costs a twentieth of the start.
    gc.disable()
    from isexplore.services import Services

    chosen = services or Services.open(paths)
    from isexplore.tui.app import IsexploreApp

    def seen() -> None:
        gc.freeze()
        gc.enable()
        from isexplore.config.logs import start_logging

        start_logging(paths.log_file)

    app = IsexploreApp(chosen, first_run=not chosen.config.forges)
    app.on_first_frame = seen
    answer = app.run()
    gc.enable()
    from isexplore.tui.screens.welcome import PRACTISE

    if answer == PRACTISE:
        from isexplore.cli.main import run

        return run(["practice"], paths)
    return app.return_code or EXIT_OK
