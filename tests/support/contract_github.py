"""The contract suite's world on GitHub: what other people do there, and the adapter of the newcomer."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from isexplore.config.secrets import Secret
from isexplore.forge.base import Forge
from isexplore.forge.github import HEADERS, GitHubForge
from isexplore.forge.http import ForgeClient
from isexplore.models import ForgeKind, Project
from tests.support.contract import ALPHA, Trouble
from tests.support.contract_github_data import API, MADE, ME, sha_of
from tests.support.contract_github_server import GitHubServer
from tests.support.forge import Clock


class GitHubWorld:
    """The contract suite's world on GitHub Enterprise Server."""

    kind = ForgeKind.GITHUB
    me = ME
    other = "tools/beta"
    secret = "tools/secret"

    def __init__(self, server: GitHubServer) -> None:
        self.server = server
        self.adapters: list[GitHubForge] = []
        self.forge: Forge = self.adapter()

    def adapter(self, prefix: str = "") -> GitHubForge:
        clock = Clock()
        client = ForgeClient(
            name="work",
            base_url=f"{self.server.url}{prefix}{API}",
            token=Secret("ghp_newcomer"),
            headers=HEADERS,
            clock=clock,
            sleep=clock.sleep,
        )
        self.adapters.append(GitHubForge(name="work", url=self.server.url, client=client))
        return self.adapters[-1]

    @property
    def requests(self) -> int:
        return len(self.server.requests)

    def troubled(self, trouble: Trouble) -> Forge:
        return self.adapter(f"/{trouble.value}")

    async def push(self, project: Project, branch: str) -> str:
        repo = self.server.repositories[project.path]
        # What can be pushed to has been copied.
        repo.copied = True
        sha = sha_of(f"{project.path} {branch} {self.server.next_id()}")
        repo.branches[branch] = [*repo.branches["main"], sha]
        return sha

    async def move_on(self) -> None:
        self.server.repositories[ALPHA].branches["main"].append(sha_of(f"main {self.server.next_id()}"))

    async def check(self, number: int, *, passed: bool) -> None:
        pull = self.server.pulls[number]
        pull.checks = [
            {
                "id": self.server.next_id(),
                "name": name,
                "head_sha": pull.source.branches[pull.branch][-1],
                "status": "completed",
                "conclusion": "success" if passed or name != "tests" else "failure",
                "html_url": f"{self.server.url}/{ALPHA}/actions/runs/9/job/{name}",
                "output": {"title": None, "summary": None},
            }
            for name in ("lint", "tests")
        ]

    async def review(self, number: int, *, by: str, approve: bool) -> None:
        state = "APPROVED" if approve else "CHANGES_REQUESTED"
        said = self.server.said(by, "", state=state, submitted_at=MADE)
        self.server.pulls[number].reviews.append(said)

    async def remark(self, number: int, *, by: str, body: str, file: str, line: int) -> None:
        said = self.server.said(by, body, path=file, line=line, answers=[])
        self.server.pulls[number].lines.append(said)

    async def merge(self, number: int) -> None:
        pull = self.server.pulls[number]
        pull.state, pull.merged_at = "closed", "2026-02-20T10:00:00Z"
        self.server.repositories[ALPHA].branches["main"].append(pull.source.branches[pull.branch][-1])


@contextlib.asynccontextmanager
async def world() -> AsyncIterator[GitHubWorld]:
    """Yield a GitHub with nobody's work on it yet."""
    async with GitHubServer().running() as server:
        assert isinstance(server, GitHubServer)
        made = GitHubWorld(server)
        try:
            yield made
        finally:
            for adapter in made.adapters:
                await adapter.close()
