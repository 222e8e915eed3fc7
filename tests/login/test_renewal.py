"""Renewing a token: once, whoever asks, and kept, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from filelock import FileLock

from isexplore.config.keyring_store import KeyringStore
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.config.secrets import Secret
from isexplore.config.tokens import FoundToken, Grant, Tokens
from isexplore.errors import AuthError
from isexplore.forge.http import ForgeClient
from isexplore.login.device import DeviceFlow
from isexplore.login.renewal import Renewals
from isexplore.models import ForgeKind
from isexplore.services import Services
from tests.support.forge import ForgeServer, Reply, Seen

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SIGNED = Reply(
    200, {"access_token": "new-token", "token_type": "Bearer", "expires_in": 7200, "refresh_token": "again-1"}
)
REFUSED = Reply(400, {"error": "invalid_grant", "error_description": "because of invalid_grant"})


class FakeKeyring:
    __module__ = "keyring.backends.SecretService"

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[username]


class Renewal:
    """A forge whose token was kept by a run of isexplore before this one."""

    def __init__(self, root: Path, server: ForgeServer) -> None:
        self.forge = ForgeConfig(name="work", url=server.url, client_id="client-1")
        self.server = server
        self.paths = Paths.under(root)
        self.keyring = FakeKeyring()

    def tokens(self) -> Tokens:
        return Tokens(
            Config(forges=(self.forge,)),
            self.paths,
            environment={"PATH": ""},
            keyring=KeyringStore(lambda: self.keyring),
        )

    def flow(self) -> DeviceFlow:
        client = ForgeClient(name="work", base_url=self.server.url)
        return DeviceFlow(client, ForgeKind.GITLAB, "client-1", now=lambda: NOW)

    async def keep(self, token: str, refresh: str, runs_out: timedelta) -> None:
        await self.tokens().store(self.forge, Secret(token), grant=Grant(Secret(refresh), NOW + runs_out))

    def renewals(self, tokens: Tokens, patience: float = 30.0) -> Renewals:
        return Renewals(tokens, patience=patience, now=lambda: NOW)

    async def find(self, renewals: Renewals) -> str:
        found = (await renewals.find(self.forge, self.flow)).found
        assert found is not None
        return found.secret.reveal()

    async def use(self, tokens: Tokens) -> str:
        return await self.find(self.renewals(tokens))


class Slow:
    """An answer that is held back until somebody lets it go; what was asked has been done by then."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.asked = asyncio.Event()
        self.go = asyncio.Event()

    async def answer(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        self.asked.set()
        await self.go.wait()
        writer.write(self.reply.wire(seen.method))
        await writer.drain()


@pytest.fixture
async def renewal(tmp_path: Path) -> AsyncIterator[Renewal]:
    async with ForgeServer().running() as server:
        yield Renewal(tmp_path, server)


async def test_token_that_holds_is_not_renewed(renewal: Renewal) -> None:
    await renewal.keep("old-token", "again-0", timedelta(minutes=6))
    assert await renewal.use(renewal.tokens()) == "old-token"
    assert renewal.server.requests == []


async def test_token_that_runs_out_is_renewed_and_kept(renewal: Renewal) -> None:
    await renewal.keep("old-token", "again-0", timedelta(minutes=4))
    renewal.server.on("POST", "/oauth/token", SIGNED)
    assert await renewal.use(renewal.tokens()) == "new-token"
    assert renewal.server.requests[0].json == {
        "client_id": "client-1",
        "refresh_token": "again-0",
        "grant_type": "refresh_token",
    }
    later = renewal.tokens()
    assert (await later.find(renewal.forge)).found == FoundToken(
        Secret("new-token"), "keyring (Secret Service)"
    )
    assert await later.grant(renewal.forge) == Grant(Secret("again-1"), NOW + timedelta(hours=2))


async def test_token_that_another_instance_renewed_is_used(renewal: Renewal) -> None:
    await renewal.keep("old-token", "again-0", timedelta(0))
    mine = renewal.tokens()
    found = (await mine.find(renewal.forge)).found
    assert found is not None
    renewal.server.on("POST", "/oauth/token", REFUSED)
    mine.remember(renewal.forge, Secret("old-token"))
    await mine.store(renewal.forge, Secret("old-token"), grant=Grant(Secret("again-0"), NOW))
    await renewal.keep("their-token", "again-9", timedelta(hours=2))
    assert await renewal.use(mine) == "their-token"


async def test_sign_in_that_ran_out_is_told(renewal: Renewal) -> None:
    await renewal.keep("old-token", "again-0", timedelta(0))
    renewal.server.on("POST", "/oauth/token", REFUSED)
    with pytest.raises(AuthError, match="has run out") as caught:
        await renewal.use(renewal.tokens())
    assert "isexplore login" in caught.value.hint


async def test_without_network_the_old_token_is_tried(renewal: Renewal) -> None:
    await renewal.keep("old-token", "again-0", timedelta(0))
    renewal.server.on("POST", "/oauth/token", Reply(502, b""))
    assert await renewal.use(renewal.tokens()) == "old-token"


async def test_what_nobody_waits_for_any_more_is_kept(renewal: Renewal) -> None:
    await renewal.keep("old-token", "again-0", timedelta(0))
    slow = Slow(SIGNED)
    renewal.server.on("POST", "/oauth/token", slow.answer, REFUSED)
    renewals = renewal.renewals(renewal.tokens())
    waiting = asyncio.create_task(renewal.find(renewals))
    await slow.asked.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    again = asyncio.create_task(renewal.find(renewals))
    slow.go.set()
    assert await again == "new-token"
    await renewals.finish()
    later = renewal.tokens()
    assert await renewal.use(later) == "new-token"
    assert await later.grant(renewal.forge) == Grant(Secret("again-1"), NOW + timedelta(hours=2))
    assert len(renewal.server.requests) == 1


async def test_disconnecting_waits_for_what_is_to_be_kept(renewal: Renewal) -> None:
    await renewal.keep("old-token", "again-0", timedelta(0))
    slow = Slow(SIGNED)
    renewal.server.on("POST", "/oauth/token", slow.answer)
    services = Services(renewal.paths, Config(forges=(renewal.forge,)))
    vars(services)["tokens"] = renewal.tokens()
    waiting = asyncio.create_task(services.token_for(renewal.forge))
    await slow.asked.wait()
    waiting.cancel()
    leaving = asyncio.create_task(services.disconnect())
    await asyncio.wait({waiting})
    assert not leaving.done()
    slow.go.set()
    await leaving
    assert await renewal.use(renewal.tokens()) == "new-token"


async def test_of_several_instances_one_renews(renewal: Renewal) -> None:
    await renewal.keep("old-token", "again-0", timedelta(0))
    renewal.server.on("POST", "/oauth/token", SIGNED, REFUSED)
    got = await asyncio.gather(*(renewal.use(renewal.tokens()) for _ in range(3)))
    assert got == ["new-token"] * 3
    assert len(renewal.server.requests) == 1


async def test_token_is_renewed_once_where_no_lock_can_be_made(renewal: Renewal) -> None:
    await renewal.keep("old-token", "again-0", timedelta(0))
    renewal.server.on("POST", "/oauth/token", SIGNED, REFUSED)
    renewal.paths.data_dir.parent.mkdir(parents=True, exist_ok=True)
    renewal.paths.data_dir.write_text("no folder")
    renewals = renewal.renewals(renewal.tokens())
    assert await asyncio.gather(*(renewal.find(renewals) for _ in range(3))) == ["new-token"] * 3
    assert len(renewal.server.requests) == 1


async def test_instance_without_a_lock_that_was_faster_is_believed(renewal: Renewal) -> None:
    await renewal.keep("old-token", "again-0", timedelta(0))
    slow = Slow(REFUSED)
    renewal.server.on("POST", "/oauth/token", slow.answer)
    waiting = asyncio.create_task(renewal.use(renewal.tokens()))
    await slow.asked.wait()
    await renewal.keep("their-token", "again-9", timedelta(hours=2))
    slow.go.set()
    assert await waiting == "their-token"


async def test_signing_in_again_meanwhile_is_what_counts(renewal: Renewal) -> None:
    await renewal.keep("old-token", "again-0", timedelta(0))
    slow = Slow(SIGNED)
    renewal.server.on("POST", "/oauth/token", slow.answer)
    tokens = renewal.tokens()
    waiting = asyncio.create_task(renewal.use(tokens))
    await slow.asked.wait()
    await tokens.store(renewal.forge, Secret("typed-token"), "nia")
    slow.go.set()
    assert await waiting == "typed-token"
    assert (await renewal.tokens().find(renewal.forge)).found == FoundToken(
        Secret("typed-token"), "keyring (Secret Service)"
    )


async def test_instance_that_does_not_let_go_costs_its_time_only(renewal: Renewal) -> None:
    await renewal.keep("old-token", "again-0", timedelta(0))
    renewal.server.on("POST", "/oauth/token", SIGNED)
    tokens = renewal.tokens()
    await renewal.use(tokens)
    await renewal.keep("old-token", "again-1", timedelta(0))
    (lock,) = renewal.paths.data_dir.glob("renewal-*.lock")
    with FileLock(lock):
        assert await renewal.find(renewal.renewals(renewal.tokens(), patience=0)) == "old-token"
    assert len(renewal.server.requests) == 1
