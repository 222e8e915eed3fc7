"""The world that a command runs in: the services of the real one, or of the practice world."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from isexplore.cli.asking import ENDING, stopped_by
from isexplore.cli.output import tell

if TYPE_CHECKING:
    from isexplore.config.paths import Paths
    from isexplore.services import Services

T = TypeVar("T")

_practice: list[Services] = []


def enter_practice(services: Services) -> None:
    """Let every command of this process run in the practice world."""
    _practice[:] = [services]


def practice_services() -> Services | None:
    """Return the services of the practice world, if that is where commands run."""
    return _practice[0] if _practice else None


def program(services: Services) -> str:
    """Return how this world's commands begin: "isexplore", or "isexplore practice"."""
    return "isexplore practice" if services.practising else "isexplore"


def open_world(paths: Paths) -> Services:
    """Return the services that a command uses.

    Raises:
        ConfigError: the configuration is wrong; all its problems at once.
    """
    from isexplore.services import Services

    return _practice[0] if _practice else Services.open(paths)


def run_in_world(paths: Paths, work: Callable[[Services], Awaitable[T]], *, mind_tokens: bool = False) -> T:
    """Run asynchronous work with services, and close them whatever happens.

    Args:
        paths: where the files are.
        work: what to run.
        mind_tokens: whether to tell afterwards which tokens run out soon.
    """

    async def run() -> T:
        services = open_world(paths)
        try:
            result = await work(services)
            tell_notice(services)
            if mind_tokens:
                tell(*(f"isexplore: {note}" for note in await services.expiry_notes()))
            return result
        finally:
            await services.disconnect()

    return run_to_end(run())


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run asynchronous work; TERM and HUP end it as Ctrl-C does, with its processes and half-made clones.

    Raises:
        CancelledError: one of the two came.
    """
    came: list[int] = []

    async def run() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def stop(number: int) -> None:
            came.append(number)
            task.cancel()

        # The loop takes the handlers away when it is closed, and with that when nothing is left to clean up.
        for number in ENDING:
            # Who runs us with `nohup` does not want to hear of HUP.
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, stop, number)
        return await work

    try:
        return asyncio.run(run())
    except asyncio.CancelledError:
        if not came:
            raise
        raise stopped_by(came[0]) from None


def tell_notice(services: Services) -> None:
    """Tell what a person should know about the state file, where it was looked at."""
    if "state" in vars(services) and services.state.notice:
        tell(f"isexplore: {services.state.notice}")


@contextmanager
def naming(what: str, services: Services, path: str) -> Iterator[None]:
    """Let an error that something is missing name it as the person did, with the nearest that is known.

    Args:
        what: the words for it.
        services: know the catalog.
        path: of the project.

    Raises:
        NotVisibleError: with the name in its title.
    """
    from isexplore.errors import NotVisibleError

    try:
        yield
    except NotVisibleError as error:
        error.title = f"{what} does not exist, or this account may not see it"
        error.hint = services.near_words(path) or error.hint
        raise
