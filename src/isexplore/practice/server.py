"""The practice forge as a web server: authentication, limits and faults around the API, git, and a few pages.

Loopback only. Answers under `/api/v4` as GitLab does, git's smart HTTP under `/<project>.git/`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import html
import json
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime
from email.parser import BytesParser
from email.policy import HTTP
from typing import Protocol
from urllib.parse import parse_qsl, unquote, unquote_to_bytes

from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from isexplore.errors import GitError
from isexplore.practice import (
    api_commits,
    api_events,
    api_graphql,
    api_groups,
    api_issues,
    api_merge_requests,
    api_projects,
    api_repository,
    api_reviews,
    api_users,
    git_http,
)
from isexplore.practice.api import Answer, Call, Refusal, Router, malformed, refuse
from isexplore.practice.git_http import GitHttp, Visitor
from isexplore.practice.store import Store
from isexplore.practice.throttle import Standing, Throttle

NEWCOMER = "nia"
"""The account that the learner plays."""
TICK = 0.3
"""Seconds between two looks at what is due."""
PATIENCE = 3.0
"""Seconds that a start waits for what fell due meanwhile; the rest happens while it serves."""
_API = b"/api/v4/"
_GRAPHQL = b"/api/graphql"
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_BODY = 8 * 1024 * 1024
_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_log = logging.getLogger(__name__)

ROUTER = Router(
    (
        *api_projects.ROUTES,
        *api_groups.ROUTES,
        *api_repository.ROUTES,
        *api_events.ROUTES,
        *api_commits.ROUTES,
        *api_issues.ROUTES,
        *api_merge_requests.ROUTES,
        *api_reviews.ROUTES,
        *api_users.ROUTES,
    )
)


class Ticking(Protocol):
    """Somebody who does what is due."""

    async def tick(self, now: datetime) -> None:
        """Do everything that is due by `now`."""
        ...


class Fault(Struct, frozen=True, kw_only=True):
    """An answer to give instead of the right one, once."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"
    headers: dict[str, str] = {}
    path: str = ""
    """Part of the path that a request must contain; any when empty."""
    method: str = ""
    """Any when empty."""
    hang_up: bool = False
    """Close the connection without an answer."""


class Grant(Struct, frozen=True, kw_only=True):
    """What a token stands for."""

    username: str
    scopes: tuple[str, ...] = ("api",)
    expires_on: date | None = None
    problem: str = ""
    """Why it no longer works ("Token was revoked. ..."); empty for one that does."""


class Knobs(Struct, kw_only=True):
    """How the forge behaves; may be turned while it runs."""

    latency: float = 0.0
    """Seconds that every answer waits."""
    faults: list[Fault] = []
    """Answered first, each once."""
    request_limit: int | None = None
    """Requests in all after which every one gets 429, until it is turned up."""
    retry_after: int = 60
    """Seconds that a 429 asks to wait."""
    graphql: bool = True
    """Whether GraphQL is answered at all; some GitLabs close it."""
    decodes_slashes: bool = False
    """Whether a careless proxy is in front, which turns %2F in paths into a slash."""
    complexity_limit: int = 250
    """The highest price of a GraphQL query."""


class PracticeForge:
    """The ASGI application."""

    def __init__(
        self,
        store: Store,
        *,
        origin: str,
        tokens: Mapping[str, Grant] | None = None,
        knobs: Knobs | None = None,
        maintainer: Ticking | None = None,
        tick: float = TICK,
        patience: float = PATIENCE,
    ) -> None:
        """Serve a world.

        Args:
            store: the world; stays open when the server ends.
            origin: `http://127.0.0.1:PORT`, which all links start with.
            tokens: which work, and for whom; one random token for the newcomer when None.
            knobs: how it behaves.
            maintainer: who does what is due; nobody when None.
            tick: seconds between two looks at what is due.
            patience: seconds that the first answer waits for what fell due while nobody served the world.
        """
        self.store = store
        self.origin = origin
        self.knobs = knobs or Knobs()
        self.tokens = dict(tokens or {secrets.token_urlsafe(24): Grant(username=NEWCOMER)})
        self.failure: BaseException | None = None
        """The bug that stopped the world from turning."""
        self.when_failed: Callable[[], None] = lambda: None
        """Called once when that happened."""
        self._maintainer = maintainer
        self._tick = tick
        self._patience = patience
        self._caught_up = asyncio.Event()
        self._tasks: set[asyncio.Task[object]] = set()
        self._git = GitHttp(store, origin, self.later)
        self._requests = 0
        self._throttle = Throttle()
        self.app = Starlette(routes=[Mount("/", app=self._front)], lifespan=self._lifespan)

    def later(self, work: Coroutine[object, object, object]) -> None:
        """Do work that goes on after the answer."""
        task: asyncio.Task[object] = asyncio.ensure_future(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        ticking = asyncio.create_task(self._do_what_is_due())
        ticking.add_done_callback(self._note_failure)
        try:
            # Who asks first must not be told what was true when the world was last served.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._caught_up.wait(), self._patience)
            yield
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, *self._tasks, return_exceptions=True)

    def _note_failure(self, ticking: asyncio.Task[None]) -> None:
        self._caught_up.set()
        error = None if ticking.cancelled() else ticking.exception()
        if error is not None:
            # A forge on which nothing happens any more would only look alive.
            _log.critical("The practice forge stops: %r", error, exc_info=error)
            self.failure = error
            self.when_failed()

    async def _do_what_is_due(self) -> None:
        await _logged(self.store.recover())
        while True:
            await _logged(self.store.prepare_due())
            if self._maintainer is not None:
                await _logged(self._maintainer.tick(self.store.now()))
            self._caught_up.set()
            await asyncio.sleep(self._tick)

    async def _front(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        if self.knobs.latency:
            await asyncio.sleep(self.knobs.latency)
        # A web page in the user's browser must not reach this server under a name of its own.
        if request.headers.get("host", "").rpartition(":")[0] not in _HOSTS:
            await Response("Misdirected request\n", 421)(scope, receive, send)
            return
        self._requests += 1
        fault = self._fault(request)
        if fault is not None:
            await self._fail(fault, scope, receive, send)
            return
        if git_http.PATH.fullmatch(scope["raw_path"]):
            await self._speak_git(request, send)
            return
        if not scope["raw_path"].startswith((_API, _GRAPHQL)):
            await _reply(self._page(request))(scope, receive, send)
            return
        started = time.monotonic()
        standing = self._standing(request)
        if standing.exceeded:
            await Response("Retry later\n", 429, standing.headers(), "text/plain")(scope, receive, send)
            return
        try:
            answer = await self._answer(request)
        except ClientDisconnect:
            return
        name = secrets.token_hex(13).upper()
        headers = {
            **standing.headers(),
            "Vary": "Origin",
            "X-Gitlab-Meta": json.dumps({"correlation_id": name, "version": "1"}, separators=(",", ":")),
            "X-Request-Id": name,
            "X-Runtime": f"{time.monotonic() - started:.6f}",
            **answer.headers,
        }
        await _reply(answer, headers)(scope, receive, send)

    # -- faults and limits

    def _fault(self, request: Request) -> Fault | None:
        limit = self.knobs.request_limit
        if limit is not None and self._requests > limit:
            headers = {"Retry-After": str(self.knobs.retry_after)}
            return Fault(status=429, body=b"Retry later\n", media_type="text/plain", headers=headers)
        for index, fault in enumerate(self.knobs.faults):
            if fault.path in request.url.path and fault.method in ("", request.method):
                return self.knobs.faults.pop(index)
        return None

    async def _fail(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.hang_up:
            # An answer that is shorter than it promises makes the server drop the connection.
            head = [(b"content-length", b"1000"), (b"connection", b"close")]
            await send({"type": "http.response.start", "status": 200, "headers": head})
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
            raise ConnectionAbortedError("a fault was asked for")
        response = Response(fault.body, fault.status, fault.headers, fault.media_type)
        await response(scope, receive, send)

    def _standing(self, request: Request) -> Standing:
        """Count a request: with its account, or with its address where no token vouches for it."""
        grant = self._sent_grant(request)
        return self._throttle.count(
            username=grant.username if grant is not None and not grant.problem else None,
            address=request.client.host if request.client else "",
        )

    # -- who

    def _grant(self, token: str) -> Grant | None:
        found = None
        for known, grant in self.tokens.items():
            if hmac.compare_digest(known.encode(), token.encode()):
                found = grant
        return found

    def _sent_grant(self, request: Request) -> Grant | None:
        """Return the grant of the first token that works, of all that a request carries."""
        for token in _sent_tokens(request):
            grant = self._grant(token)
            if grant is not None:
                return grant
        return None

    def _authenticate(self, request: Request) -> Grant | None:
        """Return the grant of the token that was sent, None for no token; 401 for one that does not work."""
        grant = self._sent_grant(request)
        if grant is None and _sent_tokens(request):
            raise refuse(401, "401 Unauthorized")
        if grant is not None and grant.problem:
            document = {"error": "invalid_token", "error_description": grant.problem}
            raise Refusal(401, document, {"WWW-Authenticate": 'Bearer realm="Protected by OAuth 2.0"'})
        return grant

    async def _speak_git(self, request: Request, send: Send) -> None:
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        token = request.headers.get("private-token")
        if scheme.lower() == "basic":
            try:
                token = base64.b64decode(rest, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                token = ""
        elif scheme.lower() == "bearer":
            token = rest.strip()
        grant = self._grant(token) if token else None
        visitor = Visitor(None)
        if grant is not None and not grant.problem:
            scopes = set(grant.scopes)
            visitor = Visitor(
                self.store.user(grant.username),
                can_read=bool(scopes & {"api", "read_repository", "write_repository"}),
                can_write=bool(scopes & {"api", "write_repository"}),
            )
        await self._git(request.scope, request.receive, send, visitor)

    # -- what

    async def _answer(self, request: Request) -> Answer:
        raw = request.scope["raw_path"]
        graphql = raw == _GRAPHQL and self.knobs.graphql
        if not raw.startswith(_API) and not graphql:
            return self._page(request)
        try:
            if graphql:
                return await self._graphql(request)
            path = raw[len(_API) :].decode("ascii")
            return await self._endpoint(
                request, path.replace("%2F", "/") if self.knobs.decodes_slashes else path
            )
        except Refusal as refusal:
            return refusal.answer
        except GitError as error:
            _log.error("%s", error)
            return refuse(500, "500 Internal Server Error").answer

    async def _endpoint(self, request: Request, path: str) -> Answer:
        if not all(map(_is_text, (request.scope["raw_path"], request.scope["query_string"]))):
            raise malformed()
        grant = self._authenticate(request)
        found = ROUTER.find(request.method, path)
        if found is None:
            known = ROUTER.methods(path)
            if known and request.method == "OPTIONS":
                return Answer(status=204, headers={"Allow": ", ".join(known)})
            if known:
                raise Refusal(405, {"error": "405 Not Allowed"}, {"Allow": ", ".join(known)})
            raise Refusal(404, {"error": "404 Not Found"})
        route, place = found
        if grant is not None and not set(route.allowed()) & set(grant.scopes):
            raise Refusal(
                403,
                {
                    "error": "insufficient_scope",
                    "error_description": (
                        "The request requires higher privileges than provided by the access token."
                    ),
                    "scope": " ".join(route.allowed()),
                },
            )
        if grant is None and route.method != "GET":
            raise refuse(401, "401 Unauthorized")
        call = await self._call(request, grant)
        call.place = place
        return await route.endpoint(call)

    async def _graphql(self, request: Request) -> Answer:
        try:
            grant = self._authenticate(request)
        except Refusal:
            raise Refusal(401, {"errors": [{"message": "Invalid token"}]}) from None
        if request.method != "POST":
            raise Refusal(404, {"error": "404 Not Found"})
        allowed = set(grant.scopes) & {"api", "read_api"} if grant else set()
        if grant is not None and not allowed:
            raise Refusal(403, {"errors": [{"message": "Insufficient scope"}]})
        call = await self._call(request, grant)
        return await api_graphql.graphql(call, limit=self.knobs.complexity_limit, may_change="api" in allowed)

    async def _call(self, request: Request, grant: Grant | None) -> Call:
        return Call(
            store=self.store,
            user=self.store.user(grant.username) if grant else None,
            scopes=grant.scopes if grant else (),
            expires_on=grant.expires_on if grant else None,
            method=request.method,
            origin=self.origin,
            path=request.scope["raw_path"].decode("ascii"),
            query=request.query_params.multi_items(),
            body=await _document(request),
            headers=request.headers,
            later=self.later,
        )

    def _page(self, request: Request) -> Answer:
        """A page for those who open a link of the practice forge in a browser."""
        if request.url.path.startswith("/api/"):
            return Refusal(404, {"error": "404 Not Found"}).answer
        path = unquote(request.url.path).strip("/").partition("/-/")[0]
        project = self.store.project_by_path(path) if path else None
        known = project is not None and project.visibility == "public"
        title = html.escape(path) if known else "Practice forge"
        about = html.escape(project.description) if known and project else ""
        body = _PAGE.format(title=title, about=about).encode()
        found = known or path in ("", "users/sign_in", "-/user_settings/personal_access_tokens")
        return Answer(
            status=200 if found else 404,
            body=body,
            media_type="text/html",
            headers={"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"},
        )


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<h1>{title}</h1>
<p>{about}</p>
<p>This is the practice forge of isexplore. It runs on this machine only, and has no web pages of its own:
everything on it is shown in isexplore.</p>
</html>
"""


def _reply(answer: Answer, headers: Mapping[str, str] | None = None) -> Response:
    # The length of what a GET would give is told to a HEAD; the server leaves the body out.
    return Response(
        answer.body,
        answer.status,
        headers or answer.headers,
        None if answer.status in (204, 304) else answer.media_type,
    )


def _sent_tokens(request: Request) -> list[str]:
    """Return the tokens that a request carries, in the order in which GitLab looks at them; none is empty.

    Those in the address work as well, as GitLab has it; nothing here writes addresses anywhere.
    """
    query = request.query_params
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    found = [
        bearer.strip() if scheme.lower() == "bearer" else "",
        query.get("access_token", ""),
        query.get("bearer_token", ""),
        query.get("private_token", ""),
        request.headers.get("private-token", ""),
    ]
    return [token for token in found if token]


def _is_text(encoded: bytes) -> bool:
    """Whether a percent-encoded part of an address stands for text."""
    try:
        return "\0" not in unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        return False


def _holds_text(value: object) -> bool:
    """Whether all words of a decoded body, names included, are text that can be stored."""
    if isinstance(value, dict):
        return all(_holds_text(word) for pair in value.items() for word in pair)
    if isinstance(value, list):
        return all(map(_holds_text, value))
    # Half of a pair of surrogates can be written in JSON, but in no encoding.
    return not isinstance(value, str) or ("\0" not in value and not _SURROGATE.search(value))


async def _document(request: Request) -> dict[str, object]:
    """Return the request's body, JSON or form; 400 where it is neither, or holds what is no text."""
    try:
        found = await _decoded(request)
        if _holds_text(found):
            return found
    except RecursionError:
        pass
    raise malformed()


async def _decoded(request: Request) -> dict[str, object]:
    if request.method in ("GET", "HEAD"):
        return {}
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > _MAX_BODY:
        raise refuse(413, "413 Request Entity Too Large")
    body = await request.body()
    if not body:
        return {}
    if "json" in request.headers.get("content-type", "").lower():
        try:
            found = json.loads(body)
        except ValueError:
            raise Refusal(400, {"error": "The request body is not valid JSON."}) from None
        if not isinstance(found, dict):
            raise Refusal(400, {"error": "The provided content-type and body do not fit."})
        return found
    form_type = request.headers.get("content-type", "")
    try:
        if form_type.lower().startswith("multipart/form-data"):
            pairs = _multipart(form_type, body)
        else:
            pairs = parse_qsl(body.decode(), keep_blank_values=True)
    except UnicodeDecodeError:
        raise malformed() from None
    form: dict[str, object] = {}
    for name, value in pairs:
        if name.endswith("[]"):
            known = form.setdefault(name, [])
            if isinstance(known, list):
                known.append(value)
        else:
            form[name] = value
    return form


def _multipart(form_type: str, body: bytes) -> list[tuple[str, str]]:
    """Return the fields of a multipart form (RFC 7578), as `curl --form` sends it."""
    head = f"Content-Type: {form_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    found = []
    for part in message.iter_parts() if message.is_multipart() else ():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found.append((name, content.decode()))
    return found


async def _logged(work: Coroutine[object, object, object]) -> object:
    """Do work; a git that fails is told in the log, and tried again where somebody asks again."""
    try:
        return await work
    except GitError as error:
        _log.error("%s", error)
        return None
