"""The HTTP client against a real server that does everything wrong."""

from __future__ import annotations

import asyncio
import functools
import gzip
import logging
import resource
import socket
import ssl
import sys
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from isexplore.config.secrets import Secret
from isexplore.errors import (
    ArchivedError,
    AuthError,
    ConfigError,
    ConflictError,
    ForbiddenError,
    ForgeError,
    InvalidError,
    IsexploreError,
    MovedError,
    NotVisibleError,
    RateLimitedError,
    ScopeError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.forge.http import ForgeClient
from tests.support.forge import Clock, ForgeServer, Reply, Seen, html
from tests.support.tls import Authority, Fault

TOKEN = "glpat-canary0123456789"
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


class Thing(Struct):
    id: int
    name: str = ""


@asynccontextmanager
async def client_of(url: str, **how: Any) -> AsyncIterator[ForgeClient]:
    clock = Clock()
    settings: dict[str, Any] = {
        "clock": clock,
        "sleep": clock.sleep,
        "now": lambda: NOW,
        "token": Secret(TOKEN),
    }
    settings |= how
    client = ForgeClient(name="work", base_url=url, **settings)
    try:
        yield client
    finally:
        await client.aclose()


@pytest.fixture
async def server() -> AsyncIterator[ForgeServer]:
    async with ForgeServer("/api/v4").running() as running:
        yield running


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def client(server: ForgeServer, clock: Clock) -> AsyncIterator[ForgeClient]:
    async with client_of(server.url + "/api/v4", clock=clock, sleep=clock.sleep) as client:
        yield client


def json_reply(body: bytes, **headers: str) -> Reply:
    return Reply(200, body, {"Content-Type": "application/json", **headers})


# The token


@pytest.mark.parametrize(
    ("how", "header", "value"),
    [
        ("bearer", "authorization", f"Bearer {TOKEN}"),
        ("token", "authorization", f"token {TOKEN}"),
        ("private-token", "private-token", TOKEN),
    ],
)
async def test_the_token_goes_out_the_way_the_forge_wants_it(
    server: ForgeServer, how: Any, header: str, value: str
) -> None:
    server.on("GET", "/a", Reply(body={"id": 1}))
    async with client_of(server.url + "/api/v4", token_header=how) as client:
        await client.get_json(("a",), type=Thing)
    assert server.requests[0].headers[header] == value


@pytest.mark.parametrize("how", ["bearer", "private-token"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_another_port_is_not_followed_and_names_it(
    server: ForgeServer, how: Any, status: int
) -> None:
    async with (
        ForgeServer().running() as other,
        client_of(server.url + "/api/v4", token_header=how) as client,
    ):
        server.on("GET", "/a", Reply(status, headers={"Location": f"{other.url}/login?next=/a"}))
        server.on("POST", "/a", Reply(status, headers={"Location": f"{other.url}/login"}))
        for method in ("GET", "POST"):
            with pytest.raises(MovedError) as caught:
                await client.send(method, ("a",), json={} if method == "POST" else None)
            assert other.url.removeprefix("http://") in caught.value.title
        assert other.requests == []


async def test_a_redirect_to_the_same_path_elsewhere_gives_the_new_address_to_sign_in(
    server: ForgeServer, client: ForgeClient
) -> None:
    server.on("GET", "/a", Reply(301, headers={"Location": "https://new.example.com/api/v4/a"}))
    with pytest.raises(MovedError) as caught:
        await client.send("GET", ("a",))
    assert "isexplore login https://new.example.com" in caught.value.hint


async def test_redirects_on_the_same_origin_are_followed_for_get_only(
    server: ForgeServer, client: ForgeClient
) -> None:
    server.on("GET", "/a", Reply(302, headers={"Location": "b?x=1#y"}))
    server.on("GET", "/b", Reply(body={"id": 2}))
    assert (await client.get_json(("a",), type=Thing)).id == 2
    server.on("PUT", "/a", Reply(307, headers={"Location": "/api/v4/b"}))
    with pytest.raises(MovedError):
        await client.send("PUT", ("a",), json={})
    assert not server.asked("PUT", "/b")


async def test_redirects_in_circles_end(server: ForgeServer, client: ForgeClient) -> None:
    server.on("GET", "/a", Reply(302, headers={"Location": "/api/v4/a"}))
    with pytest.raises(MovedError):
        await client.send("GET", ("a",))
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/api/v4/a",
        "http://127.0.0.1:1/a",
        "http://127.0.0.1.evil.example.com/",
        "//x/y",
    ],
)
async def test_an_absolute_url_of_another_origin_is_never_asked(
    server: ForgeServer, client: ForgeClient, url: str
) -> None:
    with pytest.raises(MovedError):
        await client.send("GET", url)
    with pytest.raises(MovedError):
        await client.send("GET", server.url + ".evil.example.com/")
    with pytest.raises(MovedError):
        await client.send("GET", server.url + "@evil.example.com/")
    assert server.requests == []


@pytest.mark.parametrize("token", ["glpat-\u00e9", "a\nb", "a\r\nX: y", "a b", "\x00", "\ud800"])
def test_a_token_that_cannot_be_sent_is_refused_before_it_is(token: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ForgeClient(name="work", base_url="https://h.example", token=Secret(token))
    assert token.strip() not in str(caught.value)


async def test_white_space_around_a_token_does_not_matter(server: ForgeServer) -> None:
    server.on("GET", "/a", Reply(body={"id": 1}))
    async with client_of(server.url + "/api/v4", token=Secret(f" {TOKEN}\n")) as client:
        await client.send("GET", ("a",))
    assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


async def test_a_server_that_repeats_the_token_does_not_get_it_onto_the_screen(
    server: ForgeServer, client: ForgeClient
) -> None:
    server.on("GET", "/a", Reply(400, {"message": f"bad header Bearer {TOKEN}"}))
    with pytest.raises(InvalidError) as caught:
        await client.send("GET", ("a",))
    assert TOKEN not in str(caught.value)
    assert "***" in caught.value.detail


async def test_no_log_line_holds_the_token(server: ForgeServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.on("GET", "/a", Reply(body={"id": 1}))
    async with client_of(server.url + "/api/v4", token_header="private-token") as client:
        await client.send("GET", ("a",), params={"search": "secret-words"})
    assert "/api/v4/a -> 200" in caplog.text
    assert TOKEN not in caplog.text
    assert "secret-words" not in caplog.text


# The address


@pytest.mark.parametrize(
    "url",
    [
        "http://gitlab.example.com/api/v4",
        "ftp://gitlab.example.com",
        "gitlab.example.com",
        "https://",
        "https://user:pw@gitlab.example.com",
        "https://gitlab.example.com?x=1",
        "https://gitlab.example.com:notaport",
        "https://[::1",
    ],
)
def test_an_address_unfit_for_a_token_is_a_config_error(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ForgeClient(name="work", base_url=url)
    assert "pw" not in caught.value.detail


@pytest.mark.parametrize("url", ["http://localhost:8080", "http://127.0.0.1", "http://[::1]:3000/api/v4"])
async def test_plain_http_is_fine_on_this_machine(url: str) -> None:
    async with client_of(url) as client:
        assert client.origin.startswith("http://")


async def test_plain_http_elsewhere_needs_to_be_allowed() -> None:
    async with client_of("http://gitlab.example.com", allow_http=True) as client:
        assert client.host == "gitlab.example.com"


@pytest.mark.parametrize(
    ("part", "sent"),
    [
        ("group/sub/name", "group%2Fsub%2Fname"),
        ("../../evil", "..%2F..%2Fevil"),
        ("a?b#c", "a%3Fb%23c"),
        ("%2e%2e", "%252e%252e"),
        ("a b+c", "a%20b%2Bc"),
        ("\u00fcber", "%C3%BCber"),
        ("x;y=z", "x%3By%3Dz"),
    ],
)
async def test_every_part_of_a_path_is_quoted(
    server: ForgeServer, client: ForgeClient, part: str, sent: str
) -> None:
    server.on("GET", f"/projects/{part}", Reply(body={"id": 1}))
    with pytest.raises(NotVisibleError):
        await client.send("GET", ("projects", part, "nothing"))
    assert server.requests[0].target == f"/api/v4/projects/{sent}/nothing"


@pytest.mark.parametrize("part", ["", ".", ".."])
async def test_a_part_that_would_walk_up_the_path_is_refused(
    server: ForgeServer, client: ForgeClient, part: str
) -> None:
    with pytest.raises(InvalidError):
        await client.send("GET", ("projects", part))
    assert server.requests == []


async def test_a_proxy_setting_that_cannot_be_used_is_a_config_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://[::1")
    with pytest.raises(ConfigError):
        ForgeClient(name="work", base_url="https://gitlab.example.com")
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1")
    with pytest.raises(ConfigError):
        ForgeClient(name="work", base_url="https://gitlab.example.com")


async def test_loopback_is_asked_past_the_proxy(server: ForgeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ForgeServer().running() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        server.on("GET", "/a", Reply(body={"id": 1}))
        async with client_of(server.url + "/api/v4") as client:
            await client.send("GET", ("a",))
        assert proxy.requests == []


async def test_a_proxy_that_wants_a_sign_in_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ForgeServer().running() as proxy:
        proxy.on("CONNECT", "gitlab.example.com:443", Reply(407, b"", {"Proxy-Authenticate": "Basic"}))
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        async with client_of("https://gitlab.example.com") as client:
            with pytest.raises(UnavailableError) as caught:
                await client.send("GET", ("a",))
        assert "proxy" in caught.value.title
        assert "407" in caught.value.detail
        assert "authorization" not in proxy.requests[0].headers


# Bodies


def page(status: int = 200, media_type: str = "text/html") -> Reply:
    return html("Welcome", status, media_type)


BODIES: list[tuple[str, Reply, type[ForgeError]]] = [
    ("login page", page(), WrongAnswerError),
    ("page that says it is JSON", page(media_type="application/json"), WrongAnswerError),
    ("page with a byte order mark", json_reply(b"\xef\xbb\xbf  <!doctype HTML><p>"), WrongAnswerError),
    ("page for 404", page(404), WrongAnswerError),
    ("page for 401", page(401), WrongAnswerError),
    ("page for 403", page(403), WrongAnswerError),
    ("page for 502", page(502), UnavailableError),
    ("empty", json_reply(b""), WrongAnswerError),
    ("204", Reply(204), WrongAnswerError),
    ("cut JSON", json_reply(b'{"id": 1'), WrongAnswerError),
    ("null", json_reply(b"null"), WrongAnswerError),
    ("list for object", json_reply(b"[]"), WrongAnswerError),
    ("string for object", json_reply(b'"hello"'), WrongAnswerError),
    ("missing field", json_reply(b"{}"), WrongAnswerError),
    ("text for a number", json_reply(b'{"id": "one"}'), WrongAnswerError),
    ("null for a number", json_reply(b'{"id": null}'), WrongAnswerError),
    ("number of 5,000 digits", json_reply(b'{"id": ' + b"9" * 5_000 + b"}"), WrongAnswerError),
    ("1e999", json_reply(b'{"id": 1e999}'), WrongAnswerError),
    ("NaN", json_reply(b'{"id": NaN}'), WrongAnswerError),
    ("100,000 nested lists", json_reply(b'{"id": ' + b"[" * 100_000), WrongAnswerError),
    (
        "nested where nobody looks",
        json_reply(b'{"x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
        WrongAnswerError,
    ),
    ("latin-1", json_reply(b'{"id": 1, "name": "\xfc"}'), WrongAnswerError),
    ("lone surrogate", json_reply(b'{"id": 1, "name": "\\ud800"}'), WrongAnswerError),
    ("UTF-16", json_reply('{"id": 1}'.encode("utf-16")), WrongAnswerError),
    ("two documents", json_reply(b'{"id": 1}{"id": 2}'), WrongAnswerError),
    ("JSON lines prefix", json_reply(b')]}\'\n{"id": 1}'), WrongAnswerError),
    ("not gzip", json_reply(b'{"id": 1}', **{"Content-Encoding": "gzip"}), WrongAnswerError),
    (
        "cut gzip",
        json_reply(gzip.compress(b'{"id": 1}')[:-9], **{"Content-Encoding": "gzip"}),
        UnavailableError,
    ),
    ("brotli", json_reply(b"\x0b", **{"Content-Encoding": "br"}), WrongAnswerError),
    ("double gzip", json_reply(b"x", **{"Content-Encoding": "gzip, gzip"}), WrongAnswerError),
    ("deflate", json_reply(zlib.compress(b"{}"), **{"Content-Encoding": "deflate"}), WrongAnswerError),
    (
        "unknown charset",
        json_reply(b"\xff", **{"Content-Type": "application/json; charset=zlib"}),
        WrongAnswerError,
    ),
    ("too large", json_reply(b'{"id": 1, "name": "' + b"x" * (17 << 20) + b'"}'), WrongAnswerError),
    (
        "cut body",
        json_reply(b'{"id": 1', **{"Content-Length": "4000", "Connection": "close"}),
        UnavailableError,
    ),
    ("odd length", json_reply(b"{}", **{"Content-Length": "many"}), UnavailableError),
    ("cut chunk", json_reply(b"5\r\nab", **{"Transfer-Encoding": "chunked"}), UnavailableError),
    ("header of a megabyte", json_reply(b"{}", X="y" * 1_000_000), UnavailableError),
    ("status 299 with nothing", Reply(299), WrongAnswerError),
    ("status 304 not asked for", Reply(304), MovedError),
    ("redirect to nowhere", Reply(302), MovedError),
    ("redirect to nonsense", Reply(302, headers={"Location": "http://[::1"}), ForgeError),
]


async def finish(seen: Seen, writer: asyncio.StreamWriter, reply: Reply) -> None:
    writer.write(reply.wire(seen.method))
    await writer.drain()


@pytest.mark.parametrize(("reply", "kind"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
async def test_every_wrong_body_has_its_kind(
    server: ForgeServer, client: ForgeClient, reply: Reply, kind: type[ForgeError]
) -> None:
    async def once(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await finish(seen, writer, reply)

    server.on("GET", "/a", once)
    with pytest.raises(kind) as caught:
        await client.get_json(("a",), type=Thing)
    assert caught.value.title
    assert caught.value.forge == "work"
    # No library's exception text, and nothing that could act on a terminal.
    for word in ("httpx", "h11", "Traceback", "codec", "\x1b"):
        assert word not in str(caught.value)
    server.on("GET", "/a", Reply(body={"id": 5}))
    assert (await client.get_json(("a",), type=Thing)).id == 5, "the client is still usable"


async def test_a_wrong_shape_names_the_field(server: ForgeServer, client: ForgeClient) -> None:
    server.on("GET", "/a", Reply(body={"id": 1, "name": 5}))
    with pytest.raises(WrongAnswerError) as caught:
        await client.get_json(("a",), type=Thing)
    assert "$.name" in caught.value.detail


_SCOPES = "token does not have at least one of required scope(s), required=[write:repository], token scope=x"
_FINE_GRAINED = "Resource not accessible by personal access token"
_CUSTOM = {"resource": "PullRequest", "code": "custom", "message": "A pull request already exists"}
_MISSING = {"resource": "Issue", "field": "title", "code": "missing_field"}
_MOVED = "Non GET methods are not allowed for moved projects"
_TOO_MANY = "This endpoint has been requested too many times."

ANSWERS: list[tuple[int, object, dict[str, str], type[ForgeError], str]] = [
    (401, {"message": "401 Unauthorized"}, {}, AuthError, "401 Unauthorized"),
    (401, {"error": "invalid_token", "error_description": "Token was revoked."}, {}, AuthError, "Token was revoked."),
    (401, {"errors": [{"message": "Invalid token"}]}, {}, AuthError, "Invalid token"),
    (401, {"message": "Bad credentials", "documentation_url": "x"}, {}, AuthError, "Bad credentials"),
    (403, {"error": "insufficient_scope", "scope": "api"}, {}, ScopeError, "insufficient_scope"),
    (403, {"message": _SCOPES}, {}, ScopeError, _SCOPES),
    (403, {"message": _FINE_GRAINED}, {"X-Accepted-GitHub-Permissions": "issues=write"}, ScopeError, _FINE_GRAINED),
    (403, {"message": "403 Forbidden"}, {}, ForbiddenError, "403 Forbidden"),
    (403, b"", {}, ForbiddenError, "127.0.0.1"),
    (403, {"message": "Terms of Service must be accepted"}, {}, ForbiddenError, "Terms of Service must be accepted"),
    (403, {"message": "Repository was archived so is read-only."}, {}, ArchivedError, "was archived so is read-only."),
    (403, {"message": "x"}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1773144600"}, RateLimitedError, "x"),
    (403, {"message": "You have exceeded a secondary rate limit"}, {}, RateLimitedError, "secondary"),
    (404, {"message": "404 Project Not Found"}, {}, NotVisibleError, "404 Project Not Found"),
    (404, {"errors": ["no redirect"], "message": "GetUserByName"}, {}, NotVisibleError, "GetUserByName; no redirect"),
    (405, {"message": _MOVED}, {}, MovedError, _MOVED),
    (405, {"message": "405 Method Not Allowed"}, {}, InvalidError, "405 Method Not Allowed"),
    (409, {"message": ["Another one exists: !1"]}, {}, ConflictError, "Another one exists: !1"),
    (422, {"message": "Failed", "errors": [_CUSTOM]}, {}, ConflictError, "Failed; A pull request already exists"),
    (422, {"message": "Failed", "errors": [_MISSING]}, {}, InvalidError, "Failed; Issue title missing field"),
    (400, {"message": {"name": ["is taken"], "base": ["No"]}}, {}, InvalidError, "name is taken; No"),
    (400, {"error": "visibility does not have a valid value"}, {}, InvalidError, "visibility does not have"),
    (400, {"message": {"a": {"b": {"c": {"d": {"e": "deep"}}}}}}, {}, InvalidError, "It answered 400."),
    (400, ["one", "two"], {}, InvalidError, "one; two"),
    (400, {"message": "esc \x1b[31m\u202e"}, {}, InvalidError, "esc \u241b[31m\ufffd"),
    (410, {"message": "Issues are disabled for this repo"}, {}, NotVisibleError, "Issues are disabled"),
    (413, b"too big", {"Content-Type": "text/plain"}, InvalidError, "too big"),
    (423, {"message": "locked"}, {}, ArchivedError, "locked"),
    (429, {"message": {"error": _TOO_MANY}}, {"Retry-After": "90"}, RateLimitedError, _TOO_MANY),
    (429, b"Retry later\n", {"Content-Type": "text/plain", "Retry-After": "90"}, RateLimitedError, "Retry later"),
    (408, {"message": {"error": "Request timed out"}}, {}, UnavailableError, "Request timed out"),
    (500, {"message": "", "url": "x"}, {"X-Request-Id": "01AB"}, UnavailableError, "answered 500. (request id 01AB)"),
    (503, b"\x00\xff", {"Content-Type": "application/octet-stream"}, UnavailableError, "It answered 503."),
    (407, b"", {}, UnavailableError, ""),
    (418, {"message": "teapot"}, {}, InvalidError, "teapot"),
    (999, b"", {}, UnavailableError, "It answered 999."),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "headers", "kind", "words"), ANSWERS)
async def test_every_refusal_has_its_kind_and_the_forges_own_words(
    server: ForgeServer,
    client: ForgeClient,
    status: int,
    body: object,
    headers: dict[str, str],
    kind: type[ForgeError],
    words: str,
) -> None:
    server.on("POST", "/a", Reply(status, body, headers))
    with pytest.raises(ForgeError) as caught:
        await client.send("POST", ("a",), json={})
    assert type(caught.value) is kind
    assert words in caught.value.detail
    assert caught.value.status == status
    assert caught.value.request == "POST /api/v4/a"
    assert len(server.requests) == 1


async def test_scopes_are_named(server: ForgeServer, client: ForgeClient) -> None:
    words = "required scope(s), required=[write:repository,read:user], token scope=x"
    server.on("GET", "/a", Reply(403, {"message": words}))
    with pytest.raises(ScopeError) as caught:
        await client.send("GET", ("a",))
    assert caught.value.missing == ("write:repository", "read:user")


async def test_single_sign_on_names_the_address_to_authorise_at(
    server: ForgeServer, client: ForgeClient
) -> None:
    header = {"X-GitHub-SSO": "required; url=https://github.example.com/orgs/a/sso?x=1"}
    server.on("GET", "/a", Reply(403, {"message": "Resource protected by organization SAML"}, header))
    with pytest.raises(ForbiddenError) as caught:
        await client.send("GET", ("a",))
    assert "https://github.example.com/orgs/a/sso?x=1" in caught.value.hint


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["message", "error", "errors", "scope", "code", "field", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(status=st.sampled_from([200, 201, 400, 401, 403, 404, 409, 422, 429, 500, 600]), body=json_values)
async def test_any_json_with_any_status_is_an_answer_or_a_forge_error(
    server: ForgeServer, client: ForgeClient, status: int, body: object
) -> None:
    server.on("POST", "/a", Reply(status, body))
    client._paused_until = 0.0
    try:
        await client.send_json("POST", ("a",), {}, type=Thing)
    except ForgeError as error:
        str(error).encode()


# Size


@functools.cache
def packed_spaces() -> bytes:
    """Return 200 MB of spaces in few bytes, as the beginning of a stream."""
    packer = zlib.compressobj(1, wbits=31)
    return b"".join(packer.compress(b" " * (1 << 20)) for _ in range(200)) + packer.flush(zlib.Z_SYNC_FLUSH)


async def bomb(seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\r\n")
    packed = packed_spaces()
    for start in range(0, len(packed), 4_096):
        writer.write(packed[start : start + 4_096])
        await writer.drain()


@pytest.mark.parametrize("keep", ["all", "head", "tail"])
async def test_a_bomb_costs_no_memory(server: ForgeServer, client: ForgeClient, keep: Any) -> None:
    server.on("GET", "/bomb", bomb)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        answer = await client.send("GET", ("bomb",), limit=1 << 20, keep=keep)
    except WrongAnswerError:
        assert keep != "head"
    else:
        assert keep == "head"
        assert len(answer.body) == 1 << 20
        assert answer.truncated
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 60_000, "kilobytes"


async def test_gzip_is_unpacked_with_several_members(server: ForgeServer, client: ForgeClient) -> None:
    packed = gzip.compress(b'{"id": 7, ') + gzip.compress(b'"name": "x"}')
    server.on("GET", "/a", json_reply(packed, **{"Content-Encoding": "gzip"}))
    assert await client.get_json(("a",), type=Thing) == Thing(id=7, name="x")
    assert server.requests[0].headers["accept-encoding"] == "gzip"


async def test_the_beginning_and_the_end_of_a_long_file(server: ForgeServer, client: ForgeClient) -> None:
    text = Reply(200, b"0123456789" * 50_000, {"Content-Type": "text/plain"})
    server.on("GET", "/file", text)
    assert await client.get_bytes(("file",), limit=15) == b"012345678901234"
    assert await client.get_bytes(("file",), limit=15, keep="tail") == b"567890123456789"
    assert len(await client.get_bytes(("file",))) == 500_000


async def test_a_captive_portal_is_not_a_file(server: ForgeServer, client: ForgeClient) -> None:
    server.on("GET", "/file", html("Hotel WiFi"))
    with pytest.raises(WrongAnswerError):
        await client.get_bytes(("file",))


# Time


async def test_a_slow_loris_is_cut_off_by_the_deadline_in_headers_and_in_the_body(
    server: ForgeServer,
) -> None:
    def drip(head: bytes) -> Callable[[Seen, asyncio.StreamWriter], Any]:
        async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
            writer.write(head)
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)

        return answer

    server.on("GET", "/headers", drip(b"HTTP/1.1 200 OK\r\nX-Slow: "))
    server.on("GET", "/body", drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"))
    server.on("GET", "/fine", Reply(body={"id": 1}))
    async with client_of(server.url + "/api/v4", timeout=0.2) as client:
        loop = asyncio.get_running_loop()
        for path in ("headers", "body"):
            began = loop.time()
            with pytest.raises(UnavailableError) as caught:
                await client.send("GET", (path,))
            assert loop.time() - began < 1.0
            assert "0.2 seconds" in caught.value.title
        assert (await client.get_json(("fine",), type=Thing)).id == 1


async def test_a_request_can_be_cancelled_and_the_client_goes_on(
    server: ForgeServer, client: ForgeClient
) -> None:
    arrived = asyncio.Event()

    async def hang(seen: Seen, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await asyncio.Event().wait()

    server.on("GET", "/hang", hang)
    server.on("GET", "/fine", Reply(body={"id": 1}))
    task = asyncio.create_task(client.send("GET", ("hang",)))
    await asyncio.wait_for(arrived.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await client.get_json(("fine",), type=Thing)).id == 1


async def test_a_request_may_be_cancelled_at_every_turn_of_the_loop(server: ForgeServer) -> None:
    server.on("GET", "/x", Reply(body={"a": 1}))
    async with client_of(server.url + "/api/v4", concurrency=2) as client:
        turns = 0
        while True:
            asked = asyncio.create_task(client.send("GET", ("x",)))
            for _ in range(turns):
                await asyncio.sleep(0)
            if asked.done():
                break
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            assert (await asyncio.wait_for(client.send("GET", ("x",)), 3)).status == 200, turns
            turns += 1
    assert turns > 5


async def drop(seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def hang_up(seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Close without an answer."""


@pytest.mark.parametrize(
    "trouble",
    [drop, hang_up, Reply(502), Reply(503), Reply(504)],
    ids=["reset", "close", "502", "503", "504"],
)
async def test_get_is_asked_again_twice_and_post_never(
    server: ForgeServer, client: ForgeClient, clock: Clock, trouble: Any
) -> None:
    server.on("GET", "/a", trouble, trouble, Reply(body={"id": 1}))
    server.on("GET", "/b", trouble)
    assert (await client.get_json(("a",), type=Thing)).id == 1
    assert len(clock.slept) == 2
    assert clock.slept[1] > clock.slept[0] > 0
    with pytest.raises(UnavailableError):
        await client.get_json(("b",), type=Thing)
    assert len(server.asked("GET", "/b")) == 3
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        server.on(method, "/c", trouble)
        with pytest.raises(UnavailableError):
            await client.send(method, ("c",), json={})
        assert len(server.asked(method, "/c")) == 1


async def test_a_server_error_is_not_asked_again(server: ForgeServer, client: ForgeClient) -> None:
    server.on("GET", "/a", Reply(500))
    with pytest.raises(UnavailableError):
        await client.send("GET", ("a",))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": " 0 "}, 0.0),
        ({"Retry-After": "Tue, 10 Mar 2026 12:00:20 GMT", "Date": "Tue, 10 Mar 2026 12:00:00 GMT"}, 20.0),
        # The server's clock is a year behind this machine's; only the difference counts.
        ({"Retry-After": "Mon, 10 Mar 2025 12:00:05 GMT", "Date": "Mon, 10 Mar 2025 12:00:00 GMT"}, 5.0),
        ({"Retry-After": "Mon, 09 Mar 2026 12:00:00 GMT"}, 0.0),
        ({"RateLimit-Reset": "1773144030", "Date": "Tue, 10 Mar 2026 12:00:00 GMT"}, 30.0),
        ({"X-RateLimit-Reset": "1773144010"}, 10.0),
        ({}, 60.0),
        ({"Retry-After": "-1"}, 60.0),
        ({"Retry-After": "nan"}, 60.0),
        ({"Retry-After": "inf"}, 60.0),
        ({"Retry-After": "1e9"}, 60.0),
        ({"Retry-After": "0x10"}, 60.0),
        ({"Retry-After": "9999999999"}, 60.0),
        ({"Retry-After": "1_0"}, 60.0),
        ({"Retry-After": "soon"}, 60.0),
    ],
)
async def test_retry_after(
    server: ForgeServer, client: ForgeClient, clock: Clock, headers: dict[str, str], wait: float
) -> None:
    server.on("GET", "/a", Reply(429, b"", headers), Reply(body={"id": 1}))
    told: list[float] = []
    client.on_pause = told.append
    await client.get_json(("a",), type=Thing)
    if wait:
        assert told == clock.slept == [pytest.approx(wait)]
    else:
        assert told == []


async def test_a_long_rate_limit_is_told_with_its_time_and_not_waited_for(
    server: ForgeServer, client: ForgeClient, clock: Clock
) -> None:
    server.on("GET", "/a", Reply(429, b"", {"Retry-After": "3600"}))
    with pytest.raises(RateLimitedError) as caught:
        await client.send("GET", ("a",))
    assert caught.value.retry_at == NOW + timedelta(hours=1)
    assert clock.slept == []
    # Other requests of this client are not sent either, reads and writes alike.
    with pytest.raises(RateLimitedError):
        await client.send("POST", ("b",), json={})
    assert len(server.requests) == 1


async def test_all_requests_of_a_client_wait_together(
    server: ForgeServer, client: ForgeClient, clock: Clock
) -> None:
    server.on("GET", "/a", Reply(429, b"", {"Retry-After": "5"}), Reply(body={"id": 1}))
    server.on("GET", "/b", Reply(body={"id": 2}))
    first = asyncio.create_task(client.get_json(("a",), type=Thing))
    assert (await first).id == 1
    paused = clock.seconds
    server.on("POST", "/c", Reply(429, b"", {"Retry-After": "9"}))
    with pytest.raises(RateLimitedError):
        await client.send("POST", ("c",), json={})
    await client.get_json(("b",), type=Thing)
    assert clock.seconds == pytest.approx(paused + 9)
    assert len(server.asked("POST", "/c")) == 1


async def test_requests_that_wait_for_their_turn_wait_for_the_forge_as_well(server: ForgeServer) -> None:
    clock = Clock()
    asked = 0
    waiting = 0
    known = asyncio.Event()
    over = asyncio.Event()

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            await finish(seen, writer, Reply(429, b"", {"Retry-After": "5"}))
            return
        known.set()
        await finish(seen, writer, Reply(body={"id": 1}))

    async def sleep(seconds: float) -> None:
        nonlocal waiting
        waiting += 1
        if waiting == 4:
            known.set()
        await over.wait()
        clock.seconds = max(clock.seconds, 1_005.0)

    server.on("GET", "/a", answer)
    async with client_of(server.url + "/api/v4", concurrency=1, clock=clock, sleep=sleep) as client:
        tasks = [asyncio.create_task(client.get_json(("a",), type=Thing)) for _ in range(4)]
        await known.wait()
        assert asked == 1
        over.set()
        await asyncio.gather(*tasks)
    assert asked == 5


async def test_requests_are_counted_and_limited(server: ForgeServer) -> None:
    under_way = most = 0

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.005)
        under_way -= 1
        await finish(seen, writer, Reply(body={"id": 1}, headers={"Connection": "close"}))

    server.on("GET", "/a", answer)
    sent: list[tuple[str, str]] = []
    async with client_of(
        server.url + "/api/v4", concurrency=3, on_request=lambda method, path: sent.append((method, path))
    ) as client:
        await asyncio.gather(*(client.get_json(("a",), type=Thing) for _ in range(12)))
    assert most == 3
    assert sent == [("GET", "/api/v4/a")] * 12


async def test_one_conversation_uses_one_connection_and_several_no_more_than_they_need(
    server: ForgeServer,
) -> None:
    server.on("GET", "/a", Reply(body={"id": 1}))
    async with client_of(server.url + "/api/v4", concurrency=3) as client:
        for _ in range(5):
            await client.get_json(("a",), type=Thing)
        assert server.connections == 1
        await asyncio.gather(*(client.get_json(("a",), type=Thing) for _ in range(12)))
        assert server.connections == 3
        await client.get_json(("a",), type=Thing)
    assert server.connections == 3


def test_the_library_does_not_search_all_folders_at_every_lock() -> None:
    assert "sniffio" in sys.modules


async def test_an_etag_answers_304(server: ForgeServer, client: ForgeClient) -> None:
    server.on("GET", "/a", Reply(body={"id": 1}, headers={"ETag": 'W/"x"'}))
    first = await client.send("GET", ("a",))
    server.on("GET", "/a", Reply(304))
    again = await client.send("GET", ("a",), etag=first.header("ETag"))
    assert again.status == 304
    assert server.requests[-1].headers["if-none-match"] == 'W/"x"'


# Connections


async def test_a_refused_connection_says_so(server: ForgeServer) -> None:
    async with ForgeServer().running() as gone:
        url = gone.url
    async with client_of(url) as client:
        with pytest.raises(UnavailableError) as caught:
            await client.send("GET", ("a",))
    assert "refused the connection" in caught.value.title

    async with ForgeClient(name="practice", base_url=url, allow_http=True, attempts=1) as practice:
        with pytest.raises(UnavailableError) as stopped:
            await practice.send("GET", ("a",))
    assert "start again" in stopped.value.hint
    assert "VPN" not in str(stopped.value)


async def test_a_name_that_cannot_be_found_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    async with client_of("https://gitlab.invalid") as client:
        with pytest.raises(UnavailableError) as caught:
            await client.send("GET", ("a",))
    assert "gitlab.invalid" in caught.value.title
    assert "httpx" not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("expired", "has expired"),
        ("not-yet-valid", "not valid yet"),
        ("wrong-host", "another name"),
        ("self-signed", "does not know"),
    ],
)
async def test_every_bad_certificate_is_told_apart(tmp_path: Path, fault: Fault, words: str) -> None:
    authority = Authority(tmp_path)
    trusting = ssl.create_default_context(cafile=str(authority.file))
    context = authority.server_context(fault)
    async with ForgeServer().running(context) as server, client_of(server.url, verify=trusting) as client:
        with pytest.raises(UnavailableError) as caught:
            await client.send("GET", ("a",))
    assert words in caught.value.detail
    assert server.requests == []


async def test_a_good_certificate_works_and_plain_http_behind_https_says_so(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    trusting = ssl.create_default_context(cafile=str(authority.file))
    async with ForgeServer().running(authority.server_context()) as server:
        server.on("GET", "/a", Reply(body={"id": 1}))
        async with client_of(server.url, verify=trusting) as client:
            assert (await client.get_json(("a",), type=Thing)).id == 1

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    plain = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with plain, client_of(f"https://127.0.0.1:{plain.sockets[0].getsockname()[1]}") as client:
        with pytest.raises(UnavailableError) as caught:
            await client.send("GET", ("a",))
    assert "does not speak TLS" in caught.value.title


@settings(max_examples=30, deadline=None)
@given(
    error=st.sampled_from(
        [
            httpx.ReadTimeout("x"),
            httpx.ConnectTimeout("x"),
            httpx.PoolTimeout("x"),
            httpx.WriteError("x"),
            httpx.CloseError("x"),
            httpx.LocalProtocolError("x"),
            httpx.UnsupportedProtocol("x"),
            httpx.DecodingError("x"),
            httpx.TooManyRedirects("x"),
            httpx.StreamClosed(),
            httpx.InvalidURL("x"),
            httpx.CookieConflict("x"),
            OSError(5, "x"),
            UnicodeDecodeError("ascii", b"x", 0, 1, "x"),
            ValueError("x"),
            AssertionError(),
            RecursionError(),
            ssl.SSLError(1, "x"),
        ]
    ),
    method=st.sampled_from(["GET", "POST"]),
)
async def test_every_exception_of_the_library_becomes_a_forge_error(error: Exception, method: str) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    async with client_of("https://gitlab.example.com", transport=httpx.MockTransport(fail)) as client:
        with pytest.raises(ForgeError) as caught:
            await client.send(method, ("a",))
    assert isinstance(caught.value, IsexploreError)
    assert caught.value.title
    assert caught.value.hint
