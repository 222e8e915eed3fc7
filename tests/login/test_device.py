from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from isexplore.config.schema import ForgeConfig
from isexplore.config.secrets import Secret, redact
from isexplore.config.tokens import Grant
from isexplore.errors import AuthError, ConfigError, ForgeError, WrongAnswerError
from isexplore.forge.http import ForgeClient
from isexplore.login.device import GRANT_TYPE, DeviceCode, DeviceFlow, offers_device_flow
from isexplore.models import ForgeKind
from tests.support.forge import Clock, ForgeServer, Reply, html

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class World:
    def __init__(self, server: ForgeServer, kind: ForgeKind) -> None:
        self.server = server
        self.clock = Clock()
        self.client = ForgeClient(name="work", base_url=server.url)
        self.flow = DeviceFlow(
            self.client, kind, "client-1", sleep=self.clock.sleep, clock=self.clock, now=lambda: NOW
        )

    def started(self, **more: object) -> Reply:
        body: dict[str, object] = {
            "device_code": "device-canary-123",
            "user_code": "0A44-L90H",
            "verification_uri": f"{self.server.url}/oauth/device",
            "verification_uri_complete": f"{self.server.url}/oauth/device?user_code=0A44-L90H",
            "expires_in": 300,
            "interval": 5,
        }
        return Reply(200, body | more)


@pytest.fixture
async def gitlab() -> AsyncIterator[World]:
    async with ForgeServer().running() as server:
        world = World(server, ForgeKind.GITLAB)
        yield world
        await world.flow.close()


@pytest.fixture
async def github() -> AsyncIterator[World]:
    async with ForgeServer().running() as server:
        world = World(server, ForgeKind.GITHUB)
        yield world
        await world.flow.close()


def refused(error: str, **more: object) -> Reply:
    return Reply(400, {"error": error, "error_description": f"because of {error}", **more})


SIGNED = Reply(
    200, {"access_token": "new-token", "token_type": "Bearer", "expires_in": 7200, "refresh_token": "again-1"}
)


async def test_gitlab_signs_in_with_a_code(gitlab: World) -> None:
    gitlab.server.on("POST", "/oauth/authorize_device", gitlab.started())
    gitlab.server.on(
        "POST",
        "/oauth/token",
        refused("authorization_pending"),
        refused("slow_down"),
        refused("authorization_pending"),
        SIGNED,
    )
    code = await gitlab.flow.start()
    assert (code.user_code, code.interval, code.seconds) == ("0A44-L90H", 5.0, 300.0)
    assert code.page == f"{gitlab.server.url}/oauth/device"
    assert code.filled_page.endswith("?user_code=0A44-L90H")
    assert "canary" not in repr(code)
    assert redact("device-canary-123") == "***"
    signed = await gitlab.flow.wait(code)
    assert signed.token.reveal() == "new-token"
    assert signed.grant == Grant(Secret("again-1"), NOW + timedelta(hours=2))
    assert gitlab.clock.slept == [5, 5, 10, 10]
    assert gitlab.server.requests[0].json == {"client_id": "client-1", "scope": "api"}
    assert gitlab.server.requests[1].json == {
        "client_id": "client-1",
        "device_code": "device-canary-123",
        "grant_type": GRANT_TYPE,
    }


async def test_github_signs_in_with_a_code(github: World) -> None:
    page = f"{github.server.url}/login/device"
    github.server.on(
        "POST", "/login/device/code", github.started(verification_uri=page, verification_uri_complete="")
    )
    # GitHub answers 200 either way.
    github.server.on(
        "POST",
        "/login/oauth/access_token",
        Reply(200, {"error": "slow_down", "interval": 12}),
        Reply(200, {"access_token": "gho_0123456789abcdef", "token_type": "bearer", "scope": "repo"}),
    )
    code = await github.flow.start()
    assert code.filled_page == code.page == page
    signed = await github.flow.wait(code)
    assert (signed.token.reveal(), signed.grant) == ("gho_0123456789abcdef", None)
    assert github.clock.slept == [5, 12]
    assert github.server.requests[0].json["scope"] == "repo"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (refused("access_denied"), "refused in the browser"),
        (refused("expired_token"), "not typed in time"),
        (refused("invalid_grant"), "refused the sign-in"),
        (Reply(200, {"error": "incorrect_client_credentials"}), "refused the sign-in"),
        (Reply(200, {}), "refused the sign-in"),
        (refused("authorization_pending"), "not typed in time"),
    ],
)
async def test_refusals_are_told_apart(gitlab: World, reply: Reply, words: str) -> None:
    gitlab.server.on("POST", "/oauth/token", reply)
    code = DeviceCode(
        user_code="x", page="", filled_page="", device_code=Secret("device"), interval=5, seconds=60
    )
    with pytest.raises(AuthError, match=words):
        await gitlab.flow.wait(code)
    assert sum(gitlab.clock.slept) <= 65


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (Reply(404, {"error": "404 Not Found"}), ConfigError, "cannot sign in with a code"),
        (Reply(401, {"error": "invalid_client"}), ConfigError, "does not accept the client id"),
        (Reply(200, {"error": "device_flow_disabled"}), ConfigError, "does not accept the client id"),
        (Reply(200, {}), ConfigError, "does not accept the client id"),
        (html(), WrongAnswerError, "web page"),
        (Reply(200, [1]), WrongAnswerError, "did not answer as expected"),
        (Reply(500, {}), ForgeError, None),
    ],
)
async def test_start_that_fails_says_why(
    gitlab: World, reply: Reply, error: type[Exception], words: str | None
) -> None:
    gitlab.server.on("POST", "/oauth/authorize_device", reply)
    with pytest.raises(error, match=words):
        await gitlab.flow.start()


@pytest.mark.parametrize("field", ["verification_uri", "verification_uri_complete"])
@pytest.mark.parametrize("page", ["https://evil.example.com/device", "javascript:alert(1)", "x"])
async def test_page_of_another_server_is_refused(gitlab: World, field: str, page: str) -> None:
    gitlab.server.on("POST", "/oauth/authorize_device", gitlab.started(**{field: page}))
    with pytest.raises(WrongAnswerError, match="another server"):
        await gitlab.flow.start()


@pytest.mark.parametrize(("interval", "expires_in", "expected"), [(-5, -1, (1, 0)), (1e9, 1e9, (60, 1800))])
async def test_times_are_kept_within_reason(
    gitlab: World, interval: float, expires_in: float, expected: tuple[float, float]
) -> None:
    gitlab.server.on(
        "POST", "/oauth/authorize_device", gitlab.started(interval=interval, expires_in=expires_in)
    )
    code = await gitlab.flow.start()
    assert (code.interval, code.seconds) == expected


async def test_gitea_has_no_such_sign_in() -> None:
    async with ForgeClient(name="x", base_url="http://127.0.0.1:9") as client:
        with pytest.raises(ConfigError, match="cannot sign in with a code"):
            DeviceFlow(client, ForgeKind.GITEA, "client-1")
    forge = ForgeConfig(name="x", url="https://x", client_id="client-1")
    assert [kind for kind in ForgeKind if offers_device_flow(forge, kind)] == [
        ForgeKind.GITLAB,
        ForgeKind.GITHUB,
    ]
    assert not offers_device_flow(ForgeConfig(name="x", url="https://x"), ForgeKind.GITLAB)
