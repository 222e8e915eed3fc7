"""From a forge's configuration to the adapter that speaks its API, with the token in its kind's header."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import pytest

from isexplore.config.schema import ForgeConfig, NetworkConfig
from isexplore.config.secrets import Secret
from isexplore.connecting import Places, adapter, api_url
from isexplore.models import ForgeKind
from tests.support.forge import ForgeServer, Reply

TLS = ssl.create_default_context()
TOKEN = "glpat-of-a-test"
ACCOUNTS = {
    ForgeKind.GITLAB: ("/api/v4/user", {"id": 7, "username": "nia", "name": "Nia", "state": "active"}),
    ForgeKind.GITEA: ("/api/v1/user", {"id": 7, "login": "nia", "full_name": "Nia"}),
    ForgeKind.GITHUB: ("/api/v3/user", {"id": 7, "login": "nia", "name": "Nia", "type": "User"}),
}
STRANGERS = {
    ForgeKind.GITLAB: ("/api/v4/version", Reply(401, {"message": "401 Unauthorized"})),
    ForgeKind.GITEA: ("/api/v1/version", Reply(body={"version": "11.0.3+gitea-1.22.0"})),
    ForgeKind.GITHUB: ("/api/v3/meta", Reply(body={"installed_version": "3.19.1"})),
}


@pytest.fixture
async def server() -> AsyncIterator[ForgeServer]:
    async with ForgeServer().running() as running:
        yield running


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        (ForgeKind.GITLAB, f"Bearer {TOKEN}"),
        (ForgeKind.GITEA, f"token {TOKEN}"),
        (ForgeKind.GITHUB, f"Bearer {TOKEN}"),
    ],
)
@pytest.mark.parametrize("named", [True, False])
async def test_each_kind_gets_its_adapter_its_api_and_its_header(
    server: ForgeServer, kind: ForgeKind, header: str, named: bool
) -> None:
    path, account = ACCOUNTS[kind]
    server.on("GET", path, Reply(body=account))
    server.on("GET", *STRANGERS[kind])
    config = ForgeConfig(name="one", url=server.url, kind=kind if named else None)
    forge = await adapter(config, NetworkConfig(), Secret(TOKEN), TLS)
    try:
        assert (forge.kind, forge.name, forge.url) == (kind, "one", server.url)
        assert (await forge.whoami()).username == "nia"
    finally:
        await forge.close()
    assert [seen.headers.get("authorization") for seen in server.asked("GET", path)] == [header]
    strangers = [seen for seen in server.requests if seen.path != path]
    assert not any("authorization" in seen.headers for seen in strangers)
    assert bool(strangers) is not named


async def test_a_kind_that_nobody_named_is_asked_for_once_in_a_session(server: ForgeServer) -> None:
    question, answer = STRANGERS[ForgeKind.GITEA]
    server.on("GET", question, answer)
    config = ForgeConfig(name="one", url=server.url)
    recognised: Places = {}
    for _ in range(2):
        forge = await adapter(config, NetworkConfig(), None, TLS, recognised=recognised)
        await forge.close()
    assert forge.kind is ForgeKind.GITEA
    assert len(server.asked("GET", question)) == 1


async def test_a_configured_api_address_outranks_the_found_one(server: ForgeServer) -> None:
    server.on("GET", "/behind/user", Reply(body=ACCOUNTS[ForgeKind.GITLAB][1]))
    server.on("GET", *STRANGERS[ForgeKind.GITLAB])
    config = ForgeConfig(name="one", url=server.url, api_url=f"{server.url}/behind")
    forge = await adapter(config, NetworkConfig(), Secret(TOKEN), TLS)
    try:
        assert (await forge.whoami()).username == "nia"
    finally:
        await forge.close()


@pytest.mark.parametrize(
    ("url", "kind", "expected"),
    [
        ("https://github.com", ForgeKind.GITHUB, "https://api.github.com"),
        ("https://team.ghe.com", ForgeKind.GITHUB, "https://api.team.ghe.com"),
        ("https://git.example.com", ForgeKind.GITHUB, "https://git.example.com/api/v3"),
        ("https://example.com/gitea", ForgeKind.GITEA, "https://example.com/gitea/api/v1"),
        ("https://example.com/gitlab/", ForgeKind.GITLAB, "https://example.com/gitlab/api/v4"),
    ],
)
def test_the_api_is_where_its_kind_keeps_it(url: str, kind: ForgeKind, expected: str) -> None:
    assert api_url(ForgeConfig(name="one", url=url), kind) == expected
