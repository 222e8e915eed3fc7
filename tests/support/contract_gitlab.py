"""The practice forge as a GitLab for the contract suite: real HTTP, real git."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from isexplore.config.secrets import Secret
from isexplore.forge.gitlab import GitLabForge
from isexplore.forge.http import ForgeClient
from isexplore.models import ForgeKind, Project
from isexplore.practice.rows import MergeRequestRow
from isexplore.practice.server import NEWCOMER
from tests.support.contract import ALPHA, LOG_END, Trouble
from tests.support.forge import ForgeServer, Reply, Seen, html
from tests.support.practice import RunningPractice, run_git, running_practice

_SCOPE = {
    "error": "insufficient_scope",
    "error_description": "The request requires higher privileges than provided by the access token.",
    "scope": "api read_api",
}
_ANSWERS = {
    Trouble.BAD_TOKEN: Reply(401, {"error": "invalid_token", "error_description": "Token was revoked."}),
    Trouble.MISSING_SCOPE: Reply(403, _SCOPE),
    Trouble.NOT_VISIBLE: Reply(404, {"message": "404 Project Not Found"}),
    Trouble.RATE_LIMITED: Reply(429, b"Retry later\n", {"Retry-After": "3600"}),
    Trouble.WEB_PAGE: html("Sign in to the network"),
    Trouble.DOWN: Reply(503, b"", {"Retry-After": "3600"}),
}


class _TroubledServer(ForgeServer):
    def __init__(self) -> None:
        super().__init__()
        self.trouble = Trouble.DOWN

    def _answer(self, seen: Seen) -> Reply:
        return _ANSWERS[self.trouble]


class GitLabWorld:
    """The world of the contract suite on the practice forge."""

    kind = ForgeKind.GITLAB
    me = NEWCOMER
    other = "tools/deep/beta"
    secret = "vault/secret"

    def __init__(
        self,
        practice: RunningPractice,
        troubled: _TroubledServer,
        folder: Path,
        closing: contextlib.AsyncExitStack,
    ) -> None:
        self.requests = 0
        self._practice = practice
        self._troubled = troubled
        self._folder = folder
        self._closing = closing
        self.forge = self._adapter(practice.url, practice.token)

    def _adapter(self, url: str, token: str) -> GitLabForge:
        def count(method: str, path: str) -> None:
            self.requests += 1

        client = ForgeClient(
            name="work", base_url=f"{url}/api/v4", token=Secret(token), attempts=1, on_request=count
        )
        self._closing.push_async_callback(client.aclose)
        return GitLabForge(name="work", url=url, client=client)

    def troubled(self, trouble: Trouble) -> GitLabForge:
        self._troubled.trouble = trouble
        return self._adapter(self._troubled.url, "token")

    async def push(self, project: Project, branch: str) -> str:
        return await asyncio.to_thread(self._commit, project.path, branch, f"{branch}.md")

    def _commit(self, path: str, branch: str, file: str, token: str | None = None) -> str:
        clone = self._folder / f"{path.replace('/', '-')}-{branch}"
        url = self._practice.clone_url(path, token)
        run_git("clone", "--quiet", url, str(clone), cwd=self._folder)
        if branch != "main":
            run_git("switch", "--quiet", "--create", branch, cwd=clone)
        (clone / file).write_text("Something new.\n", encoding="utf-8")
        run_git("add", ".", cwd=clone)
        run_git("commit", "--quiet", "--message", "Add something", cwd=clone)
        run_git("push", "--quiet", "origin", branch, cwd=clone)
        return run_git("rev-parse", "HEAD", cwd=clone).stdout.strip()

    async def move_on(self) -> None:
        await asyncio.to_thread(self._commit, ALPHA, "main", "news.md", "token-of-mara")

    def _row(self, number: int) -> MergeRequestRow:
        project = self._practice.store.project_by_path(ALPHA)
        assert project is not None
        found = self._practice.store.merge_request(project.id, number)
        assert found is not None
        return found

    async def _prepared(self, number: int) -> MergeRequestRow:
        def ready(wire: Any) -> bool:
            return wire["sha"] is not None

        path = f"/projects/{ALPHA.replace('/', '%2F')}/merge_requests/{number}"
        await asyncio.to_thread(self._practice.wait, path, ready)
        return self._row(number)

    async def check(self, number: int, *, passed: bool) -> None:
        row = await self._prepared(number)
        self._practice.store.set_pipeline(
            row.id,
            "success" if passed else "failed",
            [
                ("lint", "success", "fine\n"),
                ("tests", "success" if passed else "failed", f"...\n{LOG_END}\n"),
            ],
        )

    async def review(self, number: int, *, by: str, approve: bool) -> None:
        assert approve, "GitLab's reviewers ask for changes by other means"
        self._practice.store.approve((await self._prepared(number)).id, by)

    async def remark(self, number: int, *, by: str, body: str, file: str, line: int) -> None:
        row = await self._prepared(number)
        self._practice.store.open_discussion(
            row.id, author=by, body=body, file=file, line=line, head_sha=row.sha
        )

    async def merge(self, number: int) -> None:
        await self.check(number, passed=True)
        path = f"/projects/{ALPHA.replace('/', '%2F')}/merge_requests/{number}/merge"

        def ask() -> None:
            reply = self._practice.ask(path, method="PUT", data={}, token="token-of-mara")
            assert reply.status == 200, reply.body

        await asyncio.to_thread(ask)


@contextlib.asynccontextmanager
async def world() -> AsyncIterator[GitLabWorld]:
    """Run a world."""
    with tempfile.TemporaryDirectory(prefix="contract-") as folder:
        work = Path(folder) / "clones"
        work.mkdir()
        with running_practice(Path(folder)) as practice:
            troubled = _TroubledServer()
            async with troubled.running(), contextlib.AsyncExitStack() as closing:
                yield GitLabWorld(practice, troubled, work, closing)
