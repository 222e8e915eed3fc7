"""The composition root: what it makes of a configuration."""

from __future__ import annotations

from pathlib import Path

from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.models import ForgeKind
from isexplore.services import Services
from tests.support.newcomer import git


def test_a_former_address_is_replaced_as_a_whole(tmp_path: Path) -> None:
    forge = ForgeConfig(
        name="work",
        url="https://gitlab.example",
        kind=ForgeKind.GITLAB,
        former_urls=("https://dev.example/gitlab",),
    )
    services = Services(Paths.under(tmp_path), Config(forges=(forge,)))
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "-q")
    git(folder, "remote", "add", "origin", "https://dev.example/gitlab/g/p.git")
    git(folder, "remote", "add", "wiki", "https://dev.example/wiki.git")

    async def addresses() -> list[str]:
        return [await services.git.remote_url(folder, name) for name in ("origin", "wiki")]

    import asyncio

    assert asyncio.run(addresses()) == ["https://gitlab.example/g/p.git", "https://dev.example/wiki.git"]
