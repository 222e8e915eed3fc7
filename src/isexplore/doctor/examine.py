"""All checks of `isexplore doctor`, run side by side."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from isexplore.config.load import load
from isexplore.config.network import git_environment, ssl_context
from isexplore.config.paths import Paths
from isexplore.config.schema import Config
from isexplore.config.tokens import Tokens
from isexplore.doctor.clone import check_clone
from isexplore.doctor.forges import ForgeDoctor
from isexplore.doctor.machine import (
    TerminalFacts,
    check_catalog,
    check_configuration,
    check_keyring,
    check_terminal,
    check_versions,
)
from isexplore.doctor.reach import SECONDS
from isexplore.doctor.report import Check, Report
from isexplore.errors import IsexploreError
from isexplore.git.client import Git


async def examine(
    paths: Paths,
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    terminal: TerminalFacts | None = None,
    tokens: Tokens | None = None,
    config: Config | None = None,
    seconds: float = SECONDS,
) -> Report:
    """Return the report; nothing is changed, and nothing is raised for what is wrong.

    Args:
        paths: where isexplore's files are.
        environment: instead of the process's.
        directory: a clone to look at as well.
        terminal: instead of the process's.
        tokens: instead of those that the configuration leads to.
        config: instead of the one in force below `paths`.
        seconds: how long each step of a connection may take.
    """
    env = os.environ if environment is None else environment
    loaded = load(paths, environment=env)
    config = config or loaded.config
    tokens = tokens or Tokens(config, paths, environment=env)
    git_network: dict[str, str] = {}
    tls: ssl.SSLContext | None = None
    # What is wrong with certificate files is told among the checks of the configuration and of each forge.
    with suppress(IsexploreError):
        git_network = git_environment(config.network, paths.cache_dir, env)
        tls = ssl_context(config.network, env)
    git = Git(environment=env, network_environment=git_network)
    doctors = [
        ForgeDoctor(forge, config, tokens, git, tls, environment=env, seconds=seconds)
        for forge in config.forges
    ]
    versions, keyring, clone, *forges = await asyncio.gather(
        check_versions(git),
        check_keyring(tokens, config),
        check_clone(directory, git, config) if directory is not None else _nothing(),
        *(doctor.checks() for doctor in doctors),
    )
    checks = [*versions, *check_configuration(loaded, paths, env), *keyring]
    for found in forges:
        checks += found
    if not config.forges:
        checks.append(
            Check(
                area="forges",
                name="connected",
                state="warn",
                detail="none yet",
                fix="isexplore login URL connects to one; isexplore practice needs none.",
            )
        )
    checks += check_catalog(paths, config)
    checks += clone
    checks += check_terminal(terminal or TerminalFacts.here(), env)
    return Report(checks=tuple(checks))


async def _nothing() -> list[Check]:
    return []
