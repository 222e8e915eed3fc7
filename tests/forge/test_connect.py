"""Recognising a forge by how it answers a stranger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from isexplore.errors import (
    AuthError,
    ConfigError,
    ForbiddenError,
    ForgeError,
    MovedError,
    RateLimitedError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.forge.connect import readable, recognise, roots
from isexplore.models import ForgeKind
from tests.support.forge import ForgeServer, Reply, html

SWAGGER = "https://git.example.com/api/swagger"
GITLAB = Reply(401, {"message": "401 Unauthorized"})
FORGEJO = Reply(body={"version": "11.0.3+gitea-1.22.0"})
MEMBERS_ONLY = Reply(403, {"message": "Only signed in user is allowed to call APIs."})
GHES = Reply(body={"installed_version": "3.19.1", "verifiable_password_authentication": True})


@pytest.fixture
async def server() -> AsyncIterator[ForgeServer]:
    async with ForgeServer().running() as running:
        yield running


@pytest.mark.parametrize(
    ("path", "answer", "kind", "name", "version"),
    [
        ("/api/v4/version", GITLAB, ForgeKind.GITLAB, "GitLab", None),
        ("/api/v4/version", Reply(403, {"message": "403 Forbidden"}), ForgeKind.GITLAB, "GitLab", None),
        (
            "/api/v4/version",
            Reply(404, {"error": "x"}, {"X-Gitlab-Meta": "{}"}),
            ForgeKind.GITLAB,
            "GitLab",
            None,
        ),
        ("/api/v4/version", Reply(body={"version": "17.4.0-ee"}), ForgeKind.GITLAB, "GitLab", "17.4.0-ee"),
        ("/api/v1/version", FORGEJO, ForgeKind.GITEA, "Forgejo", "11.0.3+gitea-1.22.0"),
        ("/api/v1/version", Reply(body={"version": "1.25.1"}), ForgeKind.GITEA, "Gitea", "1.25.1"),
        ("/api/v1/version", Reply(403, {"message": "no", "url": SWAGGER}), ForgeKind.GITEA, "Gitea", None),
        ("/api/v1/version", MEMBERS_ONLY, ForgeKind.GITEA, "Gitea", None),
        ("/api/v3/meta", GHES, ForgeKind.GITHUB, "GitHub Enterprise Server", "3.19.1"),
        (
            "/api/v3/meta",
            Reply(401, {"message": "Must authenticate"}, {"X-GitHub-Enterprise-Version": "3.18.0"}),
            ForgeKind.GITHUB,
            "GitHub Enterprise Server",
            "3.18.0",
        ),
    ],
)
async def test_each_kind_is_told_by_its_answer_to_a_stranger(
    server: ForgeServer, path: str, answer: Reply, kind: ForgeKind, name: str, version: str | None
) -> None:
    server.on("GET", path, answer)
    found = await recognise(server.url)
    assert (found.kind, found.name, found.version) == (kind, name, version)
    assert found.url == server.url
    assert found.api_url == server.url + path.rpartition("/")[0]


@pytest.mark.parametrize(
    "pasted",
    [
        "/gitlab",
        "/gitlab/",
        "/gitlab/group/sub/project",
        "/gitlab/group/project/-/merge_requests/4?tab=x#note_1",
        "/gitlab/group/project.git",
        "/gitlab/api/v4/projects",
        "/gitlab/users/sign_in",
    ],
)
async def test_a_pasted_page_leads_to_the_forge_below_its_path(server: ForgeServer, pasted: str) -> None:
    server.on("GET", "/gitlab/api/v4/version", GITLAB)
    server.on("GET", "/api/v1/version", FORGEJO)
    found = await recognise(server.url + pasted)
    assert (found.kind, found.url) == (ForgeKind.GITLAB, f"{server.url}/gitlab")
    assert all("authorization" not in seen.headers for seen in server.requests)


async def test_a_path_that_is_no_forge_leads_to_the_one_at_the_root(server: ForgeServer) -> None:
    for page in ("/group/project", "/group"):
        for api in ("/api/v4/version", "/api/v1/version", "/api/v3/meta"):
            server.on("GET", page + api, Reply(302, headers={"Location": "https://sso.example.com/start"}))
    server.on("GET", "/api/v4/version", GITLAB)
    assert (await recognise(f"{server.url}/group/project")).url == server.url


@pytest.mark.parametrize("status", [404, 302])
async def test_a_page_of_a_forge_is_not_its_api(server: ForgeServer, status: int) -> None:
    page = html("Not Found", status)
    page.headers["X-Gitlab-Meta"] = "{}"
    if status == 302:
        page.headers["Location"] = "/users/sign_in"
    server.on("GET", "/tools/alpha/api/v4/version", page)
    server.on("GET", "/users/sign_in", page if status == 404 else html())
    server.on("GET", "/api/v4/version", GITLAB)
    assert (await recognise(f"{server.url}/tools/alpha")).url == server.url


async def test_a_sign_in_elsewhere_is_named(server: ForgeServer) -> None:
    for api in ("/api/v4/version", "/api/v1/version", "/api/v3/meta"):
        server.on("GET", api, Reply(302, headers={"Location": "https://sso.example.com/start"}))
    with pytest.raises(MovedError) as caught:
        await recognise(server.url)
    assert "sso.example.com" in caught.value.title


async def test_a_forge_that_has_moved_gives_its_new_address(server: ForgeServer) -> None:
    for api in ("/api/v4/version", "/api/v1/version", "/api/v3/meta"):
        server.on("GET", f"/old{api}", Reply(301, headers={"Location": f"https://new.example.com/old{api}"}))
    with pytest.raises(MovedError) as caught:
        await recognise(f"{server.url}/old")
    assert caught.value.hint.endswith("isexplore login https://new.example.com/old")


async def test_a_captive_portal_is_told_in_words(server: ForgeServer) -> None:
    for api in ("/api/v4/version", "/api/v1/version", "/api/v3/meta"):
        server.on("GET", api, html("Guest network"))
    with pytest.raises(WrongAnswerError) as caught:
        await recognise(server.url)
    assert "web pages" in caught.value.title
    assert "Guest network" in caught.value.detail


async def test_a_forge_that_is_down_is_unavailable(server: ForgeServer) -> None:
    for api in ("/api/v4/version", "/api/v1/version", "/api/v3/meta"):
        server.on("GET", api, Reply(502, b"<html><title>Bad Gateway</title>", {"Content-Type": "text/html"}))
    with pytest.raises(UnavailableError) as caught:
        await recognise(server.url)
    assert "502" in caught.value.detail


async def test_something_else_is_not_taken_for_a_forge(server: ForgeServer) -> None:
    server.on("GET", "/api/v4/version", Reply(body=["x"]))
    server.on("GET", "/api/v1/version", Reply(401, {"message": "token missing"}))
    server.on("GET", "/api/v3/meta", Reply(body={"hello": "world"}))
    with pytest.raises(WrongAnswerError) as caught:
        await recognise(server.url)
    assert "--kind" in caught.value.hint


async def test_a_kind_that_was_named_is_not_asked_for(server: ForgeServer) -> None:
    found = await recognise(server.url, kind=ForgeKind.GITEA)
    assert (found.kind, found.url, found.api_url) == (ForgeKind.GITEA, server.url, f"{server.url}/api/v1")
    assert server.requests == []
    with pytest.raises(ConfigError, match="without encryption"):
        await recognise("http://git.example.com", kind=ForgeKind.GITEA)


async def test_only_the_kind_that_was_named_is_looked_for_behind_a_page(server: ForgeServer) -> None:
    server.on("GET", "/git/api/v4/version", GITLAB)
    server.on("GET", "/api/v1/version", FORGEJO)
    page = f"{server.url}/git/group/project"
    assert (await recognise(page, kind=ForgeKind.GITLAB)).url == f"{server.url}/git"
    assert (await recognise(page, kind=ForgeKind.GITEA)).url == server.url
    unseen = await recognise(f"{server.url}/git", kind=ForgeKind.GITHUB)
    assert (unseen.url, unseen.api_url) == (f"{server.url}/git", f"{server.url}/git/api/v3")


async def test_too_many_requests_are_told_with_the_time(server: ForgeServer) -> None:
    server.on("GET", "/api/v4/version", Reply(429, {"message": "Slow down."}, {"Retry-After": "90"}))
    with pytest.raises(RateLimitedError) as caught:
        await recognise(server.url)
    assert caught.value.retry_at is not None
    assert caught.value.hint.startswith("Try again at ")
    assert len(server.requests) == 1


@pytest.mark.parametrize(("status", "kind"), [(401, AuthError), (403, ForbiddenError)])
async def test_a_wall_before_every_api_is_a_refusal(
    server: ForgeServer, status: int, kind: type[ForgeError]
) -> None:
    for api in ("/api/v4/version", "/api/v1/version", "/api/v3/meta"):
        server.on("GET", api, Reply(status, {"message": "Members only, says the gate."}))
    with pytest.raises(kind) as caught:
        await recognise(server.url)
    assert "strangers" in caught.value.title
    assert "--kind" in caught.value.hint


async def test_the_servers_own_full_stop_is_enough(server: ForgeServer) -> None:
    server.on("GET", "/api/v4/version", Reply(404, {"message": "Nothing here for the user."}))
    for api in ("/api/v1/version", "/api/v3/meta"):
        server.on("GET", api, Reply(404, {"message": "Nothing here for the user."}))
    with pytest.raises(WrongAnswerError) as caught:
        await recognise(server.url)
    assert caught.value.detail == "It answered 404: Nothing here for the user."


async def test_nobody_there_is_unavailable() -> None:
    async with ForgeServer().running() as gone:
        url = gone.url
    with pytest.raises(UnavailableError):
        await recognise(url)


async def test_https_where_this_machine_speaks_http_leads_to_the_other_address() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as plain:
        host = f"127.0.0.1:{plain.sockets[0].getsockname()[1]}"
        with pytest.raises(UnavailableError, match="does not speak TLS") as caught:
            await recognise(f"https://{host}")
    assert f"http://{host}" in caught.value.hint


async def test_plain_http_elsewhere_is_refused_with_the_way_out() -> None:
    with pytest.raises(ConfigError) as caught:
        await recognise("http://gitlab.example.com")
    assert "https://" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "web", "api"),
    [
        ("github.com/group/project", "https://github.com", "https://api.github.com"),
        ("https://api.github.com/", "https://github.com", "https://api.github.com"),
        ("https://tools.ghe.com/a/b", "https://tools.ghe.com", "https://api.tools.ghe.com"),
    ],
)
async def test_githubs_own_services_are_known_by_name(url: str, web: str, api: str) -> None:
    found = await recognise(url)
    assert (found.kind, found.url, found.api_url) == (ForgeKind.GITHUB, web, api)


@pytest.mark.parametrize(
    ("pasted", "address"),
    [
        ("gitlab.example.com", "https://gitlab.example.com"),
        (" https://GitLab.example.com:443/ \n", "https://gitlab.example.com/"),
        ("gitlab.example.com:8443/x", "https://gitlab.example.com:8443/x"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("localhost:3000", "http://localhost:3000"),
        ("127.0.0.1:3000/git/", "http://127.0.0.1:3000/git/"),
        ("https://localhost:3000", "https://localhost:3000"),
    ],
)
def test_what_people_paste_is_read(pasted: str, address: str) -> None:
    assert readable(pasted) == address


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("git@gitlab.example.com:group/project.git", "https://gitlab.example.com"),
        ("ssh://git@gitlab.example.com:2222/group/project.git", "https://gitlab.example.com"),
        ("https://user:secret@gitlab.example.com/x", "https://gitlab.example.com"),
        ("https://[::1", ""),
        ("ftp://gitlab.example.com", "https://"),
        ("htps:/gitlab.example.com", "Did you mean https://gitlab.example.com?"),
        ("https//gitlab.example.com/x", "Did you mean https://gitlab.example.com/x?"),
        ("user:secret@gitlab.example.com", "https://gitlab.example.com"),
        ("", "https://"),
        ("not a url", "It looks like https://"),
        ("https://git.exa mple.com", "It looks like https://"),
    ],
)
def test_what_is_no_address_is_told_with_a_better_one(pasted: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        readable(pasted)
    assert words in caught.value.hint
    assert "secret" not in str(caught.value)


def test_the_deepest_place_is_tried_first() -> None:
    assert roots("https://h/a/b/c") == ["https://h/a/b/c", "https://h/a/b", "https://h/a", "https://h"]
    assert len(roots("https://h/" + "x/" * 50)) == 5
