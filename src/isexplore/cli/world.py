"""The world that a command runs in: the services of the real one, or of the practice world."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

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


def open_world(paths: Paths) -> Services:
    """Return the services that a command uses.

    Raises:
        ConfigError: the configuration is wrong; all its problems at once.
    """
    from isexplore.services import Services

    return _practice[0] if _practice else Services.open(paths)


def run_in_world(paths: Paths, work: Callable[[Services], Awaitable[T]]) -> T:
    """Run asynchronous work with services, and close them whatever happens."""

    async def run() -> T:
        services = open_world(paths)
        try:
            return await work(services)
        finally:
            await services.disconnect()

    return asyncio.run(run())
