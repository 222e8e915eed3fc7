"""From arguments to an exit code: parse, choose the world (real or practice), run, tell what went wrong."""

from __future__ import annotations

import sys

from isexplore.cli.output import (
    abandon,
    fill_streams,
    output_is_lost,
    print_error,
    print_json,
    take_back,
    tell,
)
from isexplore.errors import EXIT_BUG, EXIT_INTERRUPTED, EXIT_OK, EXIT_REFUSED, CancelledError, IsexploreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from isexplore.config.paths import Paths

    Runner = Callable[[argparse.Namespace, Paths], int]

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

    0 done, 1 the world said no, 2 bad usage or configuration, 3 a bug, 130 interrupted, 143 or 129 stopped
    by TERM or HUP.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    fill_streams()
    try:
        try:
            return _answered(words, as_json)
        finally:
            take_back()
            # An error's document and the help are still to be written as well.
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): there is nobody to tell.
        abandon(sys.stdout, sys.stderr)
        return EXIT_OK
    except OSError as error:
        abandon(sys.stdout)
        tell(f"isexplore: The output cannot be written: {error.strerror or type(error).__name__}")
        return EXIT_REFUSED


def _answered(words: Sequence[str], as_json: bool) -> int:
    """Run a command line, and tell what went wrong with it.

    Raises:
        BrokenPipeError: nobody reads the output any more.
        OSError: the output cannot be written.
    """
    try:
        code = _at_once(words)
        if code is None:
            code = run(words)
        sys.stdout.flush()
        return code
    except IsexploreError as error:
        print_error(error, as_json)
        return error.exit_code
    except KeyboardInterrupt:
        stopped = CancelledError("Interrupted", "", "Nothing is lost: the same command goes on where it was.")
        print_error(stopped, as_json)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        # The one place that turns a bug into words and an exit code.
        if isinstance(error, OSError) and output_is_lost():
            raise
        return tell_bug(error, as_json)


def _at_once(words: Sequence[str]) -> int | None:
    """Answer what needs no parsing of the line, and little else; None for everything else."""
    if not words:
        from isexplore.cli.screens import open_screens

        return open_screens()
    if words[:1] != ["search"]:
        return None
    from isexplore.cli.quick import search

    return search(words[1:])


def run(words: Sequence[str], paths: Paths | None = None) -> int:
    """Run one command line in the world that `paths` names.

    Raises:
        IsexploreError: whatever the command expects to go wrong.
    """
    from isexplore.cli.arguments import parse
    from isexplore.config.paths import Paths

    options = parse(words)
    world = paths or Paths.default()
    start_log(options, world)
    return dispatch(options, world)


def start_log(options: argparse.Namespace, paths: Paths) -> None:
    """Begin the log of a command, unless it has nothing to log."""
    if not options.verbose and (options.command is None or options.command in LIGHT):
        # The screens begin theirs once they are seen.
        return
    from isexplore.config.logs import start_logging

    problem = start_logging(paths.log_file, verbose=options.verbose)
    if problem and options.verbose:
        tell(f"isexplore: {problem}")


def dispatch(options: argparse.Namespace, paths: Paths) -> int:
    """Run the subcommand, or the screens where there is none."""
    if options.command is None:
        from isexplore.cli.screens import open_screens

        return open_screens(paths)
    from importlib import import_module

    module, _, name = RUNNERS[options.command].partition(":")
    runner: Runner = getattr(import_module(module), name)
    return runner(options, paths)


def ascii_only(text: str) -> str:
    """Return `text` with every other character spelt out, so that printing it needs nothing that may be broken."""
    return text.encode("ascii", "backslashreplace").decode("ascii")


def tell_bug(error: Exception, as_json: bool) -> int:
    """Write a report of an exception that nobody expected, without secrets; return the exit code."""
    import traceback

    from isexplore.config.logs import log_files
    from isexplore.config.secrets import redact

    trace = redact(ascii_only("".join(traceback.format_exception(error))))
    title = f"This is a bug in isexplore: {type(error).__name__}"
    hint = "Please report it with the lines on standard error; secrets in them are masked."
    tell(
        trace, f"isexplore: {title}", "  Nothing is lost: the same command goes on where it was.", f"  {hint}"
    )
    tell(*(f"  What happened before is in {file}" for file in log_files()))
    if as_json:
        print_json({"error": {"kind": "bug", "title": title, "detail": redact(str(error)), "hint": hint}})
    return EXIT_BUG
