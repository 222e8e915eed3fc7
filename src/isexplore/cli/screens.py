"""Starting the screens, from here and from `practice`."""

from __future__ import annotations

import gc
import os
import sys

from isexplore.errors import EXIT_OK, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from isexplore.config.paths import Paths
    from isexplore.services import Services

_SWITCH = 0.0005
"""Seconds that a thread waits for another one while the screens are open."""


def open_screens(paths: Paths | None = None, services: Services | None = None) -> int:
    """Run the screens until they are left; return the exit code.

    Args:
        paths: where the files are; None for this system's folders.
        services: what is made already, as for the practice world; None for the real world.

    Raises:
        UsageError: this is no terminal.
        ConfigError: the configuration is wrong; all its problems at once.
    """
    # The screens are written to standard error, and what stands there before them to standard output.
    at_a_terminal = sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()
    if not at_a_terminal and "TEXTUAL_DRIVER" not in os.environ:
        raise UsageError(
            "The screens need a terminal",
            "Standard input, output or error is a file or a pipe.",
            "Use a subcommand instead: isexplore --help",
        )
    usual, thresholds = sys.getswitchinterval(), gc.get_threshold()
    # Nothing that starting makes is garbage; looking for some costs a twentieth of the start.
    gc.disable()
    # A thread writes to the terminal, in pieces of a few thousand bytes, and waits this long for each
    # while the loop goes on: with Python's own 5 ms the first frame came 10 ms later, and the answer to a
    # key that also changes the preview 3 ms.
    sys.setswitchinterval(_SWITCH)
    splash = None
    try:
        from isexplore.cli.splash import paint

        splash = None if services else paint(*_folders(paths))
        return _run(paths, services)
    except BaseException:
        if splash is not None:
            splash.take_away()
        raise
    finally:
        gc.set_threshold(*thresholds)
        gc.enable()
        sys.setswitchinterval(usual)
        if splash is not None:
            splash.restore()


def _folders(paths: Paths | None) -> tuple[str, str, str]:
    """Return the folders of the configuration, of the state and of the cache, with no `pathlib` loaded for it."""
    if paths is not None:
        return str(paths.config_dir), str(paths.state_dir), str(paths.cache_dir)
    from isexplore.config.folders import folder

    return folder("config", os.environ), folder("state", os.environ), folder("cache", os.environ)


def _run(paths: Paths | None, services: Services | None) -> int:
    from isexplore.services import Services

    if paths is None:
        from isexplore.config.paths import Paths

        paths = Paths.default()
    chosen = services or Services.open(paths)
    # A frame waits for the clock where another was just painted: for up to 33 ms with Textual's own 60 ticks.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    from isexplore.tui.app import ExploringApp, IsexploreApp
    from isexplore.tui.garbage import settle

    def seen() -> None:
        settle()
        from isexplore.config.logs import start_logging

        start_logging(paths.log_file)

    app = ExploringApp(chosen) if chosen.config.forges else IsexploreApp(chosen, first_run=True)
    app.on_first_frame = seen
    answer = app.run()
    from isexplore.tui.screens.welcome import PRACTISE

    if answer == PRACTISE:
        from isexplore.cli.main import run

        return run(["practice"], paths)
    return app.return_code or EXIT_OK
