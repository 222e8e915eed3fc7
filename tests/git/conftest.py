"""A served project and a git client for every test of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from isexplore.git.client import Git
from tests.support.git import GitServer, git_server, make_bare


@pytest.fixture
def served(tmp_path: Path) -> Iterator[GitServer]:
    """`tools/scheduler` on a server that wants the token."""
    root = tmp_path / "forge"
    make_bare(root / "tools" / "scheduler.git")
    with git_server(root) as server:
        yield server


@pytest.fixture
def client() -> Git:
    return Git(low_speed_time=1)


@pytest.fixture
async def clone(served: GitServer, client: Git, tmp_path: Path) -> Path:
    """A clone of `tools/scheduler` with an identity."""
    folder = tmp_path / "src" / "tools" / "scheduler"
    await client.clone(served.url("tools/scheduler"), folder, credential=served.credential)
    await client.set_identity(folder, "Grace Example", "grace@example.org")
    return folder
