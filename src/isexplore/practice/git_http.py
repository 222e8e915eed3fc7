"""Git's smart HTTP protocol in front of the bare repositories, by `git http-backend` as a CGI program.

https://git-scm.com/docs/git-http-backend, https://git-scm.com/docs/gitprotocol-http
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from urllib.parse import unquote

from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from isexplore.practice.api import visible
from isexplore.practice.repository import Repository, git_environment
from isexplore.practice.rows import ProjectRow, UserRow
from isexplore.practice.store import Store
from isexplore.practice.store_people import DEVELOPER, MAINTAINER

PATH = re.compile(
    rb"/(?P<project>[^?]+?)(?P<suffix>\.git)?/(?P<service>info/refs|git-upload-pack|git-receive-pack)"
)
"""Percent-encoded paths that belong to git."""
NOT_ALLOWED = "You are not allowed to push code to this project."
NOT_FOUND = "The project you were looking for could not be found or you don't have permission to view it."
_CHUNK = 65_536
_MAX_HEADER = 16_384
_POST_RECEIVE = """#!/bin/sh
# Says after a push where a merge request can be opened, as forges do.
while read -r old new ref; do
  case "$ref" in
    "refs/heads/$PRACTICE_DEFAULT_BRANCH") ;;
    refs/heads/*)
      case "$new" in *[!0]*)
        echo
        echo "To create a merge request for ${ref#refs/heads/}, visit:"
        echo "  $PRACTICE_PAGE/-/merge_requests/new?merge_request%5Bsource_branch%5D=${ref#refs/heads/}"
        echo
      esac ;;
  esac
done
"""


_PRE_RECEIVE = """#!/bin/sh
# The default branch is protected: maintainers push to it, and nobody rewrites or deletes it.
refuse() {
  echo "GitLab: $1" >&2
  exit 1
}
while read -r old new ref; do
  [ "$ref" = "refs/heads/$PRACTICE_DEFAULT_BRANCH" ] || continue
  case "$old" in *[!0]*) ;; *) continue ;; esac
  case "$new" in
    *[!0]*) ;;
    *) refuse "You can only delete protected branches using the web interface." ;;
  esac
  [ "$PRACTICE_MAY_PUSH" = yes ] ||
    refuse "You are not allowed to push code to protected branches on this project."
  git merge-base --is-ancestor "$old" "$new" ||
    refuse "You are not allowed to force push code to a protected branch on this project."
done
"""


class Visitor(Struct, frozen=True):
    """Who speaks git, and what their token allows."""

    user: UserRow | None
    can_read: bool = False
    can_write: bool = False


class GitHttp:
    """Serves clones, fetches and pushes, under the same rules as the API."""

    def __init__(
        self, store: Store, origin: str, later: Callable[[Coroutine[object, object, object]], None]
    ) -> None:
        """Serve the repositories of a store.

        Args:
            store: the world.
            origin: `http://127.0.0.1:PORT`.
            later: takes work that goes on after the answer.
        """
        self._store = store
        self._origin = origin
        self._later = later
        self._hooks = store.data_dir / "hooks"
        self._hooks.mkdir(exist_ok=True, mode=0o700)
        for name, script in (("pre-receive", _PRE_RECEIVE), ("post-receive", _POST_RECEIVE)):
            hook = self._hooks / name
            hook.write_text(script, encoding="ascii")
            hook.chmod(0o700)

    async def __call__(self, scope: Scope, receive: Receive, send: Send, visitor: Visitor) -> None:
        """Answer one request whose path matches `PATH`."""
        request = Request(scope, receive)
        found = PATH.fullmatch(scope["raw_path"])
        if found is None:
            await _say(send, 404, NOT_FOUND)
            return
        service = found["service"].decode()
        name = request.query_params.get("service") if service == "info/refs" else service
        if name not in ("git-upload-pack", "git-receive-pack"):
            await _say(send, 403, "Only git's smart protocol is spoken here; please upgrade git.")
            return
        full_path = unquote(found["project"].decode("ascii"))
        if found["suffix"] is None:
            target = f"/{found['project'].decode()}.git/{service}"
            await _say(send, 301, "", {"location": f"{target}?{request.url.query}".rstrip("?")})
            return
        project = self._store.project_by_path(full_path)
        refusal = self._refusal(project, visitor, writes=name == "git-receive-pack")
        if refusal is not None or project is None:
            status, words = refusal or (404, NOT_FOUND)
            challenge = {"www-authenticate": 'Basic realm="GitLab"'} if status == 401 else {}
            await _say(send, status, words, challenge)
            return
        await self._serve(request, send, project, visitor, service)

    def _refusal(
        self, project: ProjectRow | None, visitor: Visitor, *, writes: bool
    ) -> tuple[int, str] | None:
        hidden = (
            project is None
            or not visible(self._store, project, visitor.user)
            or not self._store.visible_by_path(project)
        )
        if visitor.user is None and (hidden or writes):
            return 401, "HTTP Basic: Access denied. The provided password or token is incorrect."
        if hidden or project is None:
            return 404, NOT_FOUND
        if not project.own_repository and project.forked_from_id is not None:
            return 404, "A repository for this project does not exist yet."
        if visitor.user is not None and not (visitor.can_write if writes else visitor.can_read):
            return 403, "The token in use does not have the scope that git needs."
        if not writes:
            return None
        username = visitor.user.username if visitor.user else None
        if project.archived or self._store.access_level(project, username) < DEVELOPER:
            return 403, NOT_ALLOWED
        return None

    async def _serve(
        self, request: Request, send: Send, project: ProjectRow, visitor: Visitor, service: str
    ) -> None:
        if service != "git-receive-pack":
            # Synthetic projects show the shared template; it is only ever read.
            path = self._store.repository_path(project.id)
            await self._run(request, send, path, project, visitor, service)
            return
        repository = await self._store.own_repository(project.id)
        before = await repository.branches()
        try:
            finished = await self._run(request, send, repository.path, project, visitor, service)
        except (ClientDisconnect, asyncio.CancelledError):
            self._later(self._take_note(project.id, repository, before, visitor))
            raise
        await self._take_note(project.id, repository, before, visitor)
        await finished()

    async def _take_note(
        self, project_id: int, repository: Repository, before: dict[str, str], visitor: Visitor
    ) -> None:
        after = await repository.branches()
        names = {name for name in before | after if before.get(name) != after.get(name)}
        if names:
            pushed = {name: after.get(name) for name in sorted(names)}
            who = visitor.user.username if visitor.user else None
            await self._store.after_push(project_id, pushed, by=who, before=before)

    def _environment(
        self, request: Request, path: Path, project: ProjectRow, visitor: Visitor, service: str
    ) -> dict[str, str]:
        headers = request.headers
        environment = {
            "GIT_PROJECT_ROOT": str(path.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": request.url.query,
            "PATH_INFO": f"/{path.name}/{service}",
            "CONTENT_TYPE": headers.get("content-type", ""),
            "REMOTE_ADDR": "127.0.0.1",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "PRACTICE_PAGE": f"{self._origin}/{project.full_path}",
            "PRACTICE_DEFAULT_BRANCH": project.default_branch,
        }
        if visitor.user is not None:
            environment["REMOTE_USER"] = visitor.user.username
            if self._store.access_level(project, visitor.user.username) >= MAINTAINER:
                environment["PRACTICE_MAY_PUSH"] = "yes"
        if headers.get("content-length", "").isdecimal():
            environment["CONTENT_LENGTH"] = headers["content-length"]
        if headers.get("content-encoding") in ("gzip", "x-gzip"):
            environment["HTTP_CONTENT_ENCODING"] = "gzip"
        protocol = headers.get("git-protocol", "")
        if re.fullmatch(r"[a-z0-9=:.-]{1,200}", protocol):
            environment["GIT_PROTOCOL"] = protocol
        return git_environment(environment, hooks=self._hooks)

    async def _run(
        self, request: Request, send: Send, path: Path, project: ProjectRow, visitor: Visitor, service: str
    ) -> Callable[[], Coroutine[object, object, None]]:
        """Run the CGI program and send its answer; for pushes all but the end, which the result sends.

        Git takes the answer's end for the push's end, and then asks for what the push has changed.
        """
        process = await asyncio.create_subprocess_exec(
            "git",
            "http-backend",
            cwd=path,
            env=self._environment(request, path, project, visitor, service),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        output = process.stdout or asyncio.StreamReader()
        try:
            await _feed(request, process)
            await _send_head(send, output)
            while chunk := await output.read(_CHUNK):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await process.wait()
        finally:
            if process.returncode is None:
                # Its helpers too: they hold the pipes, and a pipe that nobody reads does not end.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                while await output.read(_CHUNK):
                    pass
                await process.wait()

        async def end() -> None:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        if service != "git-receive-pack":
            await end()
        return end


async def _feed(request: Request, process: asyncio.subprocess.Process) -> None:
    """Give the request's body to the program, as it comes; what git has no use for is dropped.

    Git may be done, and gone, before it has seen the end of what it was promised.
    """
    pipe = process.stdin
    async for chunk in request.stream():
        if pipe is None or not chunk:
            continue
        try:
            pipe.write(chunk)
            await pipe.drain()
        except (BrokenPipeError, ConnectionResetError):
            pipe = None
    if pipe is not None:
        pipe.close()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            await pipe.wait_closed()


async def _send_head(send: Send, output: asyncio.StreamReader) -> None:
    """Translate the CGI head (RFC 3875, 6.2) into the answer's."""
    try:
        head = await output.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        head = b"Status: 500 Internal Server Error\r\n\r\n"
    status = 200
    headers: list[tuple[bytes, bytes]] = []
    for line in head[:_MAX_HEADER].split(b"\r\n"):
        name, separator, value = line.partition(b":")
        if not separator:
            continue
        if name.lower() == b"status":
            status = int(value.split()[0])
        else:
            headers.append((name.lower(), value.strip()))
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _say(send: Send, status: int, words: str, headers: dict[str, str] | None = None) -> None:
    """Answer in plain text, which git shows to its user as `remote: ...`."""
    body = words.encode()
    head = {
        "content-type": "text/plain",
        "content-length": str(len(body)),
        "cache-control": "no-cache",
        **(headers or {}),
    }
    encoded = [(name.encode(), value.encode()) for name, value in head.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body, "more_body": False})
