"""Services on a practice forge that a test runs itself, and the program as a process on the same folders."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct, structs

from isexplore.catalog.reports import SyncProgress, SyncReport
from isexplore.catalog.store import Catalog, Row
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.config.secrets import Secret
from isexplore.models import ForgeKind
from isexplore.practice.launch import write_template
from isexplore.practice.seed import ProjectSeed
from isexplore.practice.server import Knobs
from isexplore.practice.synthetic import rows
from isexplore.services import Services
from isexplore.updates import sync
from tests.support.practice import SEEDS, RunningPractice, running_practice

FORGE = "work"
_HURRIED = """
from isexplore.__main__ import main
from isexplore.forge.http import ForgeClient

ForgeClient.first_pause = 0.01
raise SystemExit(main())
"""
"""The program, but that it does not wait long before it repeats a request."""


class Syncing(Struct, frozen=True):
    """A forge, and whoever syncs with it."""

    forge: RunningPractice
    paths: Paths
    config: Config

    def services(self) -> Services:
        """Return fresh services, as a new start of the program has."""
        services = Services(self.paths, self.config)
        services.tokens.remember(self.config.forges[0], Secret(self.forge.token), self.forge.user)
        return services

    async def sync(
        self, *, full: bool = False, told: list[SyncProgress] | None = None, looks: int = 0
    ) -> SyncReport:
        """Sync in this process; without closer looks at projects unless told to take some."""
        services = self.services()
        try:
            return await sync(
                services, full=full, on_progress=told.append if told is not None else None, looks=looks
            )
        finally:
            await services.disconnect()

    def catalog(self) -> Catalog:
        """Open the catalog."""
        return self.services().catalog

    def rows(self) -> list[Row]:
        """Return every project in the catalog."""
        with self.catalog() as catalog:
            return catalog.store(FORGE).where("1", (), 1_000_000)  # type: ignore[union-attr]

    def environment(self) -> dict[str, str]:
        """Return the environment in which the program knows this forge and its token."""
        self.paths.config_dir.mkdir(parents=True, exist_ok=True)
        forge = self.config.forges[0]
        self.paths.config_file.write_text(
            f'[forge.{forge.name}]\nurl = "{forge.url}"\nkind = "gitlab"\nusername = "{forge.username}"\n'
            f"[network]\nconcurrency = {self.config.network.concurrency}\n",
            encoding="utf-8",
        )
        folders = {"CONFIG": "config", "STATE": "state", "CACHE": "cache", "DATA": "data"}
        root = self.paths.config_dir.parent
        return {
            **os.environ,
            **{f"ISEXPLORE_{name}_DIR": str(root / folder) for name, folder in folders.items()},
            "ISEXPLORE_TOKEN": self.forge.token,
        }

    def start(self, *words: str, program: Sequence[str] = ("-m", "isexplore")) -> subprocess.Popen[bytes]:
        """Start the program as a process."""
        return subprocess.Popen(
            [sys.executable, *program, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(),
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run the program, hurried; return exit code, output and error output."""
        process = self.start(*words, program=("-c", _HURRIED))
        out, err = process.communicate(timeout=60)
        return process.returncode, out.decode(), err.decode()


@contextmanager
def syncing(
    folder: Path,
    *,
    light: int = 0,
    seeds: Sequence[ProjectSeed] = SEEDS,
    knobs: Knobs | None = None,
    **settings: object,
) -> Iterator[Syncing]:
    """Run a practice forge with `light` synthetic projects more while the block lasts."""
    (folder / "forge").mkdir()
    with running_practice(
        folder / "forge", seeds=seeds, light=list(rows(light)) if light else (), knobs=knobs
    ) as forge:
        if light:
            with ThreadPoolExecutor(1) as thread:
                # A test may run in a loop of its own.
                thread.submit(lambda: asyncio.run(write_template(forge.store))).result()
        config = Config(
            forges=(ForgeConfig(name=FORGE, url=forge.url, kind=ForgeKind.GITLAB, username=forge.user),)
        )
        if settings:
            config = structs.replace(config, **settings)
        yield Syncing(forge, Paths.under(folder / "isexplore"), config)


def now() -> int:
    """Return the present in seconds since 1970."""
    return int(datetime.now(UTC).timestamp())
