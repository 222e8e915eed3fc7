"""A GitHub adapter in front of scripted answers, and the projects that its tests talk about."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from isexplore.config.secrets import Secret
from isexplore.forge.github import HEADERS, GitHubForge
from isexplore.forge.http import ForgeClient
from isexplore.models import MergeRequest, MergeRequestState, NewMergeRequest, Person, Project
from tests.support.forge import Clock, ForgeServer, Reply
from tests.support.forge import recorded as recorded_anywhere

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
API = "/api/v3"
ADA = Person(username="ada", id="11")
UPSTREAM = Project(
    forge="work",
    id="71",
    path="acme/retry-kit",
    name="retry-kit",
    url="https://github.com/acme/retry-kit",
    default_branch="main",
    owner="acme",
)
FORK = Project(
    forge="work",
    id="205",
    path="ada/retry-kit",
    name="retry-kit",
    url="https://github.com/ada/retry-kit",
    default_branch="main",
    forked_from="acme/retry-kit",
    forked_from_id="71",
    owner="ada",
)
REQUEST = MergeRequest(
    forge="work",
    project=UPSTREAM.path,
    number=9,
    title="Explain the back-off",
    url="https://github.com/acme/retry-kit/pull/9",
    state=MergeRequestState.OPEN,
    author="ada",
    sha="c0ffee" + "0" * 34,
)
NEW = NewMergeRequest(
    source=FORK,
    target=UPSTREAM,
    source_branch="topic",
    target_branch="main",
    title="Explain the back-off",
    description="Closes #2",
)
REPO = "/repos/acme/retry-kit"


def recorded(name: str) -> Reply:
    """Return an answer from `tests/forge/recorded/github`."""
    return recorded_anywhere(f"github/{name}")


class ScriptedGitHub(ForgeServer):
    """GitHub Enterprise Server by routes; GraphQL answers by the name of the query."""

    def __init__(self) -> None:
        super().__init__(API)
        self.clock = Clock()

    def graphql(self, *answers: Reply) -> None:
        prefix, self.prefix = self.prefix, "/api"
        self.on("POST", "/graphql", *answers)
        self.prefix = prefix

    def client(self, token: str | None = "ghp_canary") -> ForgeClient:
        return ForgeClient(
            name="work",
            base_url=self.url + API,
            token=None if token is None else Secret(token),
            headers=HEADERS,
            clock=self.clock,
            sleep=self.clock.sleep,
            now=lambda: NOW,
        )


@contextlib.asynccontextmanager
async def scripted() -> AsyncIterator[tuple[ScriptedGitHub, GitHubForge]]:
    """Yield a server without answers, and the adapter that asks it."""
    async with ScriptedGitHub().running() as server:
        assert isinstance(server, ScriptedGitHub)
        forge = GitHubForge(
            name="work", url="https://github.example.com", client=server.client(), now=lambda: NOW
        )
        yield server, forge
        await forge.close()
