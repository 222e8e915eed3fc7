"""From arguments to an exit code: parse, choose the world (real or practice), run, tell what went wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from isexplore.cli.output import print_error, tell
from isexplore.errors import (
    EXIT_BUG,
    EXIT_INTERRUPTED,
    EXIT_OK,
    IsexploreError,
)

if TYPE_CHECKING:
    import argparse

    from isexplore.config.paths import Paths

Runner = Callable[["argparse.Namespace", "Paths"], int]

RUNNERS = {
    "login": "isexplore.cli.connect:login",
    "logout": "isexplore.cli.connect:logout",
    "doctor": "isexplore.cli.connect:doctor",
    "config": "isexplore.cli.connect:config",
    "completion": "isexplore.cli.connect:completion",
    "sync": "isexplore.cli.find:sync",
    "search": "isexplore.cli.find:search",
    "show": "isexplore.cli.find:show",
    "issues": "isexplore.cli.find:issues",
    "export": "isexplore.cli.find:export",
    "contribute": "isexplore.cli.contribute:contribute",
    "propose": "isexplore.cli.contribute:propose",
    "status": "isexplore.cli.contribute:status",
    "bookmark": "isexplore.cli.bookmarks:bookmark",
    "practice": "isexplore.cli.practice:practice",
}
"""Where each subcommand is; imported only when it is called."""


LIGHT = frozenset({"search", "completion", "practice", "config"})
"""Subcommands that have nothing to log; those of the practice world log there."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run isexplore; return its exit code.

    0 done, 1 the world said no, 2 bad usage or configuration, 3 a bug, 130 interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    try:
        return run(words)
    except IsexploreError as error:
        print_error(error, as_json)
        return error.exit_code
    except KeyboardInterrupt:
        tell("isexplore: interrupted; nothing is lost, the same command goes on where it was")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): there is nobody to tell.
        sys.stderr.close()
        return EXIT_OK
    except Exception as error:  # noqa: BLE001 - the one place that turns a bug into words and an exit code
        return tell_bug(error)


def run(words: Sequence[str], paths: Paths | None = None) -> int:
    """Run one command line in the world that `paths` names.

    Raises:
        IsexploreError: whatever the command expects to go wrong.
    """
    from isexplore.cli.arguments import parse
    from isexplore.config.paths import Paths

    options = parse(words)
    world = paths or Paths.default()
    if options.verbose or options.command not in LIGHT:
        from isexplore.config.logs import start_logging

        start_logging(world.log_file, verbose=options.verbose)
    return dispatch(options, world)


def dispatch(options: argparse.Namespace, paths: Paths) -> int:
    """Run the subcommand, or the screens where there is none."""
    if options.command is None:
        from isexplore.cli.screens import open_screens

        return open_screens(paths)
    module, _, name = RUNNERS[options.command].partition(":")
    runner: Runner = getattr(import_module(module), name)
    return runner(options, paths)


def tell_bug(error: Exception) -> int:
    """Write a report of an exception that nobody expected, without secrets; return the exit code."""
    import traceback

    from isexplore.config.secrets import redact

    tell(redact("".join(traceback.format_exception(error))))
    tell(
        f"isexplore: a bug: {type(error).__name__}",
        "  Nothing is lost: the same command goes on where it was.",
        "  Please report the lines above; secrets in them are masked.",
    )
    return EXIT_BUG
