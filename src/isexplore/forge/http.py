"""One HTTP client for each forge: the only place that speaks HTTP, and the only one that holds a token.

What it promises: the token goes to the configured origin and nowhere else; every request ends, in
time and in memory; whatever goes wrong is a `ForgeError` in words. GET and HEAD are asked again when
that can help; nothing else ever is, because the first time may have worked.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import random
import ssl
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import quote, urlencode, urljoin, urlsplit

import httpx
import msgspec
from msgspec import Struct

from isexplore import __version__
from isexplore.config.secrets import Secret
from isexplore.errors import (
    ConfigError,
    ForgeError,
    InvalidError,
    MovedError,
    RateLimitedError,
    WrongAnswerError,
)
from isexplore.forge import unanswered
from isexplore.forge.address import api_origin, host_of, is_loopback, origin_of, web_root
from isexplore.forge.answers import Answer, Asked, decode, refusal, retry_after, web_page
from isexplore.forge.authorization import TokenHeader, token_headers, usable_token
from isexplore.forge.body import Body, Keep, UnreadableBodyError
from isexplore.forge.paging import MAX_PAGES, PAGE_ITEMS, Page, Params, next_query, query_pairs, total
from isexplore.text import clean_line

T = TypeVar("T")
Path = tuple[str | int, ...] | str
"""Parts below the API's address, each quoted by itself; or a whole URL of the same origin."""

JSON_LIMIT = 16 << 20
"""Most bytes of a JSON answer."""
FILE_LIMIT = 1 << 20
"""Most bytes kept of a file, unless the caller says otherwise."""
LONGEST_WAIT = 60.0
"""Seconds that a request waits for a forge that wants fewer of them; beyond, the user is told."""
_EMPTY_PAGES = 5
"""Pages in a row with nothing on them after which a list that goes on is not believed any more."""
_LONGEST_PAUSE = 900.0
_MAX_REDIRECTS = 3
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_ASKED_AGAIN = frozenset((429, 502, 503, 504))

# The HTTP library looks for this module at every lock it takes, ten times a request, and a search of
# all folders that finds nothing takes a third of a listing's time.
if importlib.util.find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

log = logging.getLogger(__name__)
# Their debug lines hold whole headers, and so the token.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class _Request(Struct, frozen=True, kw_only=True):
    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None
    limit: int
    keep: Keep
    asked: Asked
    patience: float | None = None


class _AskAgainError(Exception):
    """The connection failed in a way that may not happen twice."""

    def __init__(self, error: ForgeError) -> None:
        super().__init__(error.title)
        self.error = error


class ForgeClient:
    """The HTTP connection to one forge.

    Args:
        name: of the forge in the configuration, for errors.
        base_url: address of its API, which may have a port and a path.
        token: sent with every request; None for anonymous use.
        token_header: how the token is sent: `Authorization: Bearer`, `Authorization: token`, or
            GitLab's `PRIVATE-TOKEN`.
        verify: how certificates are checked; None for the HTTP library's own store.
        timeout: seconds for a request, repetitions included, waiting for rate limits excluded.
        allow_http: whether plain HTTP to another machine is wanted.
        headers: further headers of every request.
        concurrency: most requests under way at once; more wait for their turn.
        attempts: how often a GET is sent at most.
        transport: replaces the network.
        sleep, clock, now, jitter: time and chance, for tests; `clock` is monotonic seconds.
        on_request: told of every request as it leaves (method, path with its prefix).
        on_pause: told how many seconds a request now waits for the forge's rate limit.

    Raises:
        ConfigError: the address, the token or the proxy setting cannot be used.
    """

    first_pause = 1.0
    """Seconds at most before a request is repeated; each further repetition waits twice as long."""

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        token: Secret | None = None,
        token_header: TokenHeader = "bearer",
        verify: ssl.SSLContext | None = None,
        timeout: float = 20.0,
        user_agent: str = f"isexplore/{__version__}",
        allow_http: bool = False,
        headers: Mapping[str, str] | None = None,
        concurrency: int = 8,
        attempts: int = 3,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        jitter: Callable[[], float] = random.random,
        on_request: Callable[[str, str], None] | None = None,
        on_pause: Callable[[float], None] | None = None,
    ) -> None:
        self.name = name
        self.base_url = base_url.rstrip("/")
        self.origin, self.host = api_origin(self.base_url, allow_http)
        self.timeout = timeout
        self.on_request = on_request
        self.on_pause = on_pause
        self._token = usable_token(token)
        self._headers = {
            "User-Agent": user_agent,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            **(headers or {}),
            **token_headers(self._token, token_header),
        }
        self.sleep, self._clock, self._now, self._jitter = sleep, clock, now, jitter
        self._attempts = attempts
        self._paused_until = float("-inf")
        self.concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)
        # A proxy cannot reach this machine's loopback, and would see the token in clear.
        self._trust_env = not is_loopback(urlsplit(self.base_url).hostname or "")
        self._transport = transport
        try:
            self._verify: ssl.SSLContext | bool = False
            if verify is not None:
                self._verify = verify
            elif self.origin.startswith("https:") and transport is None:
                self._verify = httpx.create_ssl_context(trust_env=self._trust_env)
            self._lanes = [self._lane()]
        except (httpx.InvalidURL, ValueError, ImportError, OSError) as error:
            raise ConfigError(
                "The proxy or certificate settings of this machine cannot be used",
                clean_line(str(error), 200),
                "Check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY and SSL_CERT_FILE: isexplore doctor",
            ) from error
        self._free = self._lanes[:]

    def _lane(self) -> httpx.AsyncClient:
        """Return a client for one conversation at a time.

        With a pool of connections the library looks at each of them several times for every request.
        """
        return httpx.AsyncClient(
            verify=self._verify,
            follow_redirects=False,
            timeout=httpx.Timeout(connect=5.0, read=10.0, write=10.0, pool=5.0),
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            trust_env=self._trust_env,
            transport=self._transport,
        )

    @property
    def signed_in(self) -> bool:
        """Whether requests carry a token."""
        return self._token is not None

    async def aclose(self) -> None:
        """Close the connections."""
        for lane in list(self._lanes):
            await lane.aclose()

    async def __aenter__(self) -> ForgeClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    # Asking

    async def get_json(
        self, path: Path, params: Params | None = None, *, type: type[T], accept: str = ""
    ) -> T:
        """GET an object.

        Raises:
            ForgeError: any of its kinds.
        """
        answer = await self.send("GET", path, params=params, accept=accept)
        return decode(answer, type, self.asked("GET", path))

    async def send_json(
        self,
        method: str,
        path: Path,
        body: object = None,
        *,
        type: type[T],
        params: Params | None = None,
        patience: float | None = None,
    ) -> T:
        """Send `body` with POST, PUT, PATCH or DELETE and return the answer as `type`; never repeated."""
        answer = await self.send(method, path, params=params, json=body, patience=patience)
        return decode(answer, type, self.asked(method, path))

    async def get_bytes(
        self,
        path: Path,
        params: Params | None = None,
        *,
        limit: int = FILE_LIMIT,
        keep: Keep = "head",
        accept: str = "*/*",
    ) -> bytes:
        """GET a file, or the beginning or the end of one."""
        answer = await self.send("GET", path, params=params, limit=limit, keep=keep, accept=accept)
        if answer.says_page:
            raise web_page(answer, self.asked("GET", path))
        return answer.body

    async def pages(
        self,
        path: Path,
        params: Params | None = None,
        *,
        item: type[T],
        accept: str = "",
        most: int = MAX_PAGES,
    ) -> AsyncGenerator[Page[T]]:
        """Yield the pages of a list, following `Link` or `X-Next-Page` on the same address.

        Args:
            path: of the list.
            params: filters.
            item: what it is a list of.
            accept: media type wanted instead of JSON.
            most: pages that are read at most, with `PAGE_ITEMS` entries each on average.

        Raises:
            WrongAnswerError: the list runs in circles, never ends or is longer than that; a part never
                passes for the whole.
        """
        query = query_pairs(params or {})
        visited: set[str] = set()
        seen = empty = 0
        asked = self.asked("GET", path)
        while True:
            answer = await self.send("GET", path, query=query, accept=accept)
            # Gitea writes an empty list as null.
            items = () if answer.body.strip() == b"null" else decode(answer, tuple[item, ...], asked)  # type: ignore[valid-type]
            seen += len(items)
            empty = 0 if items else empty + 1
            yield Page(items, total(answer))
            visited.add(urlencode(sorted(query)))
            following = next_query(answer, query, origin=self.origin, seen=seen, count=len(items))
            if following is None:
                return
            circles = urlencode(sorted(following)) in visited
            if circles or empty >= _EMPTY_PAGES:
                what = "one that came before" if circles else "ever more, with nothing on them"
                raise WrongAnswerError(
                    f"A list of {self.host} does not end",
                    f"After {len(visited):,} pages and {seen:,} entries the server names {what}.",
                    "Tell the forge's administrators; a proxy may be answering from its cache.",
                    forge=self.name,
                    status=answer.status,
                    request=asked.request,
                )
            if len(visited) >= most or seen >= most * PAGE_ITEMS:
                raise WrongAnswerError(
                    f"A list of {self.host} is too long to read",
                    f"There is more after {len(visited):,} pages and {seen:,} entries: the list is incomplete.",
                    "Look at it on the forge's own pages.",
                    forge=self.name,
                    status=answer.status,
                    request=asked.request,
                )
            query = following

    async def get_all(
        self, path: Path, params: Params | None = None, *, item: type[T], limit: int | None = None
    ) -> list[T]:
        """GET a whole list, or its first `limit` items."""
        found: list[T] = []
        async for page in self.pages(path, params, item=item):
            found.extend(page.items)
            if limit is not None and len(found) >= limit:
                return found[:limit]
        return found

    async def send(
        self,
        method: str,
        path: Path,
        *,
        params: Params | None = None,
        query: list[tuple[str, str]] | None = None,
        json: object = None,
        etag: str = "",
        accept: str = "",
        limit: int = JSON_LIMIT,
        keep: Keep = "all",
        good: tuple[int, ...] = (),
        patience: float | None = None,
    ) -> Answer:
        """Send a request and return a good answer: 2xx, one of `good`, or 304 when `etag` was given.

        Args:
            method: upper case.
            path: parts, or a URL of the same origin.
            params: the query.
            query: the query as pairs, instead of `params`.
            json: body, encoded as JSON.
            etag: the last answer's `ETag`; a 304 means that it still holds.
            accept: media type wanted instead of JSON.
            limit: most bytes of the body, unpacked.
            keep: what to do with a longer one.
            good: further statuses that are not errors.
            patience: seconds for a request that takes long on the server, in place of the client's own.

        Raises:
            ForgeError: any of its kinds.
        """
        headers = dict(self._headers)
        if accept:
            headers["Accept"] = accept
        if etag:
            headers["If-None-Match"] = clean_line(etag, 200)
        content = None
        if json is not None:
            headers["Content-Type"] = "application/json"
            content = msgspec.json.encode(json)
        url = self._url(path)
        pairs = query if query is not None else query_pairs(params or {})
        if pairs:
            url += "?" + urlencode(pairs, quote_via=quote, safe="")
        request = _Request(
            method=method,
            url=url,
            headers=headers,
            content=content,
            limit=limit,
            keep=keep,
            asked=self.asked(method, path),
            patience=patience,
        )
        fine = (*good, 304) if etag else good
        return await self._repeated(request, fine)

    def asked(self, method: str, path: Path) -> Asked:
        """Return what a request is called in errors."""
        return Asked(
            forge=self.name,
            host=self.host,
            method=method,
            path=urlsplit(self._url(path)).path,
            sign_in=f"isexplore login {web_root(self.base_url)}",
            signed_in=self.signed_in,
        )

    def _url(self, path: Path) -> str:
        if isinstance(path, str):
            if path != self.origin and not path.startswith(self.origin + "/"):
                raise MovedError(
                    f"An address of another server was refused: {host_of(path)}",
                    f"The token is for {self.host} only.",
                    forge=self.name,
                )
            return path
        for part in path:
            # Quoting leaves dots alone, and a URL library would walk up the path with them.
            if str(part) in ("", ".", ".."):
                raise InvalidError(
                    "That is not the name of anything on a forge",
                    f'"{part}" cannot be part of an address.',
                    forge=self.name,
                )
        return "/".join((self.base_url, *(quote(str(part), safe="") for part in path)))

    # Repeating

    async def _repeated(self, request: _Request, good: tuple[int, ...]) -> Answer:
        left = request.patience or self.timeout
        attempts = self._attempts if request.method in ("GET", "HEAD") else 1
        for attempt in range(1, attempts + 1):
            async with self._turn(request.asked):
                began = asyncio.get_running_loop().time()
                try:
                    answer = await self._within(request, left)
                except _AskAgainError as failure:
                    error, answer = failure.error, None
                left -= asyncio.get_running_loop().time() - began
            if answer is not None:
                if 200 <= answer.status < 300 or answer.status in good:
                    return answer
                error = self._redacted(refusal(answer, request.asked, self._now()))
                self._note_pause(answer, error)
                if answer.status not in _ASKED_AGAIN and not isinstance(error, RateLimitedError):
                    raise error
            paused = self._paused_until - self._clock()
            if attempt == attempts or left <= 0 or paused > LONGEST_WAIT:
                raise error
            if paused <= 0:
                delay = self.first_pause * 2 ** (attempt - 1) * (0.5 + self._jitter() / 2)
                left -= delay
                await self.sleep(delay)
        raise AssertionError("unreachable: the last attempt returns or raises")

    @asynccontextmanager
    async def _turn(self, asked: Asked) -> AsyncGenerator[None]:
        """Be one of the requests under way, once the forge takes any."""
        while True:
            await self._wait_for_pause(asked)
            async with self._slots:
                # The forge may have asked for a pause while this one waited for its turn.
                if self._paused_until <= self._clock():
                    yield
                    return

    async def _wait_for_pause(self, asked: Asked) -> None:
        while (rest := self._paused_until - self._clock()) > 0:
            if rest > LONGEST_WAIT:
                retry_at = self._now() + timedelta(seconds=rest)
                raise RateLimitedError(
                    f"{self.host} wants fewer requests",
                    "It asked to be left alone for a while.",
                    f"Try again at {retry_at.astimezone():%H:%M:%S}.",
                    retry_at=retry_at,
                    forge=self.name,
                    request=asked.request,
                )
            if self.on_pause is not None:
                self.on_pause(rest)
            await self.sleep(rest)

    def _note_pause(self, answer: Answer, error: ForgeError) -> None:
        """Let every request of this client wait when the forge asks for it."""
        seconds = retry_after(answer, self._now())
        if isinstance(error, RateLimitedError):
            wait = LONGEST_WAIT if seconds is None else seconds
        elif answer.status == 503 and answer.header("retry-after") and seconds is not None:
            wait = seconds
        else:
            return
        self._paused_until = max(self._paused_until, self._clock() + min(wait, _LONGEST_PAUSE))

    def _redacted(self, error: ForgeError) -> ForgeError:
        """Take the token out of a server's words, should it repeat what it was sent."""
        if self._token is not None and self._token.reveal() in error.detail:
            error.detail = error.detail.replace(self._token.reveal(), "***")
        return error

    # One attempt

    async def _within(self, request: _Request, seconds: float) -> Answer:
        """Make one attempt, with every failure of the library turned into words.

        Raises:
            _AskAgainError: it may work the next time.
            ForgeError: it will not.
        """
        asked = request.asked
        try:
            async with asyncio.timeout(seconds):
                return await self._followed(request)
        except TimeoutError as error:
            raise unanswered.too_late(asked, request.patience or self.timeout) from error
        except httpx.ConnectTimeout as error:
            raise _AskAgainError(unanswered.cannot_connect(asked, 5)) from error
        except httpx.TimeoutException as error:
            raise _AskAgainError(unanswered.too_late(asked, request.patience or 10)) from error
        except httpx.ProxyError as error:
            raise unanswered.proxy_refused(asked, clean_line(str(error), 200)) from error
        except httpx.ConnectError as error:
            told_to_user = unanswered.no_answer(error, asked)
            if any(isinstance(cause, ssl.SSLError) for cause in unanswered.causes(error)):
                raise told_to_user from error
            raise _AskAgainError(told_to_user) from error
        except httpx.ReadError as error:
            raise _AskAgainError(unanswered.no_answer(error, asked)) from error
        except httpx.RemoteProtocolError as error:
            raise _AskAgainError(unanswered.cut_short(asked)) from error
        except (httpx.HTTPError, OSError) as error:
            raise unanswered.no_answer(error, asked) from error
        except (
            httpx.InvalidURL,
            httpx.StreamError,
            httpx.CookieConflict,
            ValueError,
            AssertionError,
            RecursionError,
        ) as error:
            raise WrongAnswerError(
                f"{self.host} sent an answer that cannot be read",
                f"It breaks the rules of HTTP ({type(error).__name__}).",
                "Check the address and the proxy: isexplore doctor",
                forge=self.name,
                request=asked.request,
            ) from error

    async def _followed(self, request: _Request) -> Answer:
        for _ in range(_MAX_REDIRECTS + 1):
            answer = await self._exchange(request)
            if answer.status not in _REDIRECTS:
                return answer
            request = msgspec.structs.replace(request, url=self._redirected(answer, request))
        raise MovedError(
            f"{self.host} redirects in circles",
            hint="Check the address of the forge.",
            forge=self.name,
            status=answer.status,
            request=request.asked.request,
        )

    def _redirected(self, answer: Answer, request: _Request) -> str:
        """Return where a redirect leads, if the token may go there."""
        location = answer.header("location")
        target = urljoin(request.url, location)
        parts = urlsplit(target)
        if origin_of(target) != self.origin:
            elsewhere = origin_of(target) + parts.path
            hint = "If that is a sign-in page, check the VPN and sign in to the network in a browser."
            if parts.path == urlsplit(request.url).path:
                # The same path elsewhere is the same forge under another name; anything else is a wall.
                hint = (
                    f"The forge seems to have moved: isexplore login {clean_line(web_root(elsewhere), 300)}"
                )
            raise MovedError(
                f"{self.host} redirected the request to {host_of(target)}",
                f"The token is for {self.origin} only, so it was not sent there.",
                hint,
                forge=self.name,
                status=answer.status,
                request=request.asked.request,
            )
        if request.method not in ("GET", "HEAD"):
            raise MovedError(
                f"{self.host} redirected a change to another address",
                clean_line(f"It is now at {parts.path}.", 300),
                "Refresh the catalog to learn the project's new path: isexplore sync.",
                forge=self.name,
                status=answer.status,
                request=request.asked.request,
            )
        return parts._replace(fragment="").geturl()

    async def _exchange(self, request: _Request) -> Answer:
        if origin_of(request.url) != self.origin:
            raise AssertionError("a request left its origin")
        path = urlsplit(request.url).path
        if self.on_request is not None:
            self.on_request(request.method, path)
        began = time.monotonic()
        if not self._free:
            self._lanes.append(self._lane())
            self._free.append(self._lanes[-1])
        # The one that was used last: its connection is open.
        lane = self._free.pop()
        whole = False
        try:
            answer = await self._talk(lane, request)
            whole = True
        finally:
            # A conversation that was broken off may leave its connection taken for ever.
            if whole:
                self._free.append(lane)
            else:
                self._lanes.remove(lane)
                await lane.aclose()
        log.debug(
            "%s %s -> %d, %d bytes, %.0f ms",
            request.method,
            path,
            answer.status,
            len(answer.body),
            (time.monotonic() - began) * 1_000,
        )
        return answer

    async def _talk(self, lane: httpx.AsyncClient, request: _Request) -> Answer:
        timeout = lane.timeout
        if request.patience is not None:
            timeout = httpx.Timeout(connect=5.0, read=request.patience, write=10.0, pool=5.0)
        async with lane.stream(
            request.method,
            request.url,
            headers=request.headers,
            content=request.content,
            timeout=timeout,
        ) as response:
            headers = dict(response.headers.items())
            good = response.status_code < 300
            body, truncated = await self._body(
                response,
                limit=request.limit if good else min(request.limit, 1 << 18),
                keep=request.keep if good else "head",
                asked=request.asked,
            )
            return Answer(response.status_code, headers, body, truncated)

    async def _body(
        self, response: httpx.Response, *, limit: int, keep: Keep, asked: Asked
    ) -> tuple[bytes, bool]:
        try:
            body = Body(response.headers.get("content-encoding", ""), limit=limit, keep=keep)
            async for piece in response.aiter_raw(65_536):
                if not body.take(piece):
                    break
        except UnreadableBodyError as error:
            raise WrongAnswerError(
                f"{self.host} sent an answer that cannot be read",
                str(error),
                "Check the address and the proxy: isexplore doctor",
                forge=self.name,
                request=asked.request,
            ) from error
        if body.cut_short:
            raise _AskAgainError(unanswered.cut_short(asked))
        return body.result()
