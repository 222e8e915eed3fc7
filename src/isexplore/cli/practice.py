"""`practice`: the same program on the built-in forge, or that forge alone."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from isexplore.cli.output import take_back, wait_for
from isexplore.cli.world import enter_practice
from isexplore.config.paths import Paths
from isexplore.errors import EXIT_OK, IsexploreError, UsageError
from isexplore.text import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from isexplore.catalog.reports import SyncProgress
    from isexplore.services import Services

_COMMAND = pattern(
    r"\bisexplore (?=(?:bookmark|config|contribute|doctor|export|issues|propose|search|show|status|sync)\b)"
)
"""How the commands begin that the practice world has as well."""


def practice(options: argparse.Namespace, paths: Paths) -> int:
    """Start or join the practice forge, and run the screens or a subcommand on it.

    Raises:
        UsageError: the rest of the line is wrong.
    """
    rest: list[str] = list(options.rest)
    world = practice_paths(paths)
    if rest[:1] == ["serve"]:
        return serve(rest[1:], options, world)
    from isexplore.cli.arguments import parse
    from isexplore.practice.launch import start_child
    from isexplore.services import open_practice

    inner = None
    if rest:
        inner = parse(rest)
        if inner.command in ("practice", "login", "logout"):
            raise UsageError(
                f"There is no {inner.command} in the practice world",
                "",
                "isexplore practice needs no account. isexplore login URL connects to a forge of your own.",
            )
        if getattr(inner, "lines", False):
            return _refresh_for_screens(inner, world)
    quiet = bool(getattr(inner, "json", False))
    known = not options.fresh and (world.data_dir / "world").exists()
    wait_for(f"{'Starting' if known else 'Making'} the practice forge...", quiet=quiet)
    server = start_child(
        world.data_dir / "world",
        fresh=options.fresh,
        projects=options.projects or 0,
        latency=options.latency or 0,
    )
    services = open_practice(world, server)
    if options.fresh:
        services.start_over()
    try:
        if inner is None:
            from isexplore.cli.screens import open_screens

            take_back()
            return open_screens(world, services)
        enter_practice(services)
        from isexplore.cli.main import dispatch, start_log

        inner.verbose = inner.verbose or options.verbose
        start_log(inner, world)
        if inner.command in ("search", "issues", "show", "contribute", "export", "bookmark"):
            _fill_catalog(services, quiet)
        return dispatch(inner, world)
    except IsexploreError as error:
        error.hint = in_practice(error.hint)
        raise
    finally:
        server.stop()


def in_practice(hint: str) -> str:
    """Return advice with the commands of this world in the place of the real one's."""
    return _COMMAND.sub("isexplore practice ", hint)


def _refresh_for_screens(inner: argparse.Namespace, world: Paths) -> int:
    """Be the refresh of screens that run: of the forge that they know, never of one started in its place."""
    import asyncio

    from isexplore.catalog.reports import SyncReport
    from isexplore.catalog.sync_process import serve as tell_lines
    from isexplore.cli.main import dispatch
    from isexplore.errors import UnavailableError
    from isexplore.practice.launch import find_running
    from isexplore.services import open_practice

    server = find_running(world.data_dir / "world")
    if server is not None:
        enter_practice(open_practice(world, server))
        return dispatch(inner, world)

    async def refuse(_: Callable[[SyncProgress], None]) -> SyncReport:
        raise UnavailableError(
            "The practice forge has ended",
            "What was read of it stays; nothing of it can be changed.",
            "Quit, and run isexplore practice again: everything goes on where it was.",
        )

    return asyncio.run(tell_lines(refuse))


def _fill_catalog(services: Services, quiet: bool) -> None:
    """Read the practice world into the catalog, the first time; the real world's catalog waits for `sync`."""
    import asyncio

    from isexplore.updates import refresh

    if services.catalog_size():
        return

    def tell_progress(progress: SyncProgress) -> None:
        wait_for(f"Reading the practice forge: {progress.text}", quiet=quiet)

    async def fill() -> None:
        await refresh(services, on_progress=tell_progress)
        await services.disconnect()

    asyncio.run(fill())
    services.reopen_catalog()


def practice_paths(paths: Paths) -> Paths:
    """Return the practice world's own folders; nothing outside them is touched."""
    return Paths.under(paths.data_dir / "practice")


def _pace(word: str) -> float:
    try:
        pace = float(word)
    except ValueError:
        pace = -1.0
    # Not a number is in no order with others.
    if not 0.0 <= pace <= 1_000.0:
        raise argparse.ArgumentTypeError(f"{word!r} is not a number from 0 to 1,000")
    return pace


def serve(words: Sequence[str], outer: argparse.Namespace, world: Paths) -> int:
    """Run the practice forge alone until it is told to end.

    Raises:
        UsageError: the options are wrong.
    """
    from pathlib import Path

    from isexplore.cli.arguments import LATENCY, PORT, PROJECTS, Parser
    from isexplore.practice.launch import serve as run

    parser = Parser(prog="isexplore practice serve", description="Run the practice forge alone.")
    parser.add_argument(
        "--port", type=PORT, default=0, metavar="N", help="listen on this port of this machine"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep the world here")
    parser.add_argument(
        "--projects", type=PROJECTS, default=outer.projects or 0, metavar="N", help="add N projects"
    )
    parser.add_argument(
        "--latency", type=LATENCY, default=outer.latency or 0, metavar="MS", help="delay every answer"
    )
    parser.add_argument("--fresh", action="store_true", default=outer.fresh, help="start the world over")
    parser.add_argument("--parent-pipe", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--pace", type=_pace, default=1.0, help=argparse.SUPPRESS)
    options = parser.parse_args(list(words))
    code = run(
        data=(options.data or world.data_dir / "world").absolute(),
        port=options.port,
        projects=options.projects,
        latency=options.latency,
        fresh=options.fresh,
        parent_pipe=options.parent_pipe,
        pace=options.pace,
    )
    return code or EXIT_OK
