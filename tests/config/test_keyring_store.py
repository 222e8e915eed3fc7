from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import keyring
import pytest
from keyring.backends import chainer, fail, null

from isexplore.config.keyring_store import KeyringStore, NoKeyringError


class FakeKeyring:
    """A back end in memory that claims to be one of the system's."""

    __module__ = "keyring.backends.SecretService"

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.calls = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.calls += 1
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class PlainText(FakeKeyring):
    __module__ = "keyrings.alt.file"


class Forgetful(FakeKeyring):
    __module__ = FakeKeyring.__module__

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep nothing."""


class Locked(FakeKeyring):
    __module__ = FakeKeyring.__module__

    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError(f"locked, token canary for {username}")


class Hanging(FakeKeyring):
    __module__ = FakeKeyring.__module__

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.calls += 1
        self.released.wait(30)
        return None


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    backend = Hanging()
    yield backend
    backend.released.set()


def store(backend: Any, seconds: float = 5.0) -> KeyringStore:
    return KeyringStore(lambda: backend, seconds=seconds)


async def test_tokens_are_kept_and_removed() -> None:
    backend = FakeKeyring()
    kept = store(backend)
    assert await kept.name() == "Secret Service"
    assert await kept.get("https://x") is None
    await kept.set("https://x", "token")
    assert backend.kept == {("isexplore", "https://x"): "token"}
    assert await kept.get("https://x") == "token"
    assert await kept.remove("https://x")
    assert not await kept.remove("https://x")


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        (fail.Keyring, "there is no keyring"),
        (null.Keyring, "there is no keyring"),
        (PlainText, "not a safe one"),
        (Locked, r"the keyring failed \(RuntimeError\)"),
        (object, "not a safe one"),
    ],
)
async def test_unusable_keyrings_are_told_apart(backend: type[Any], words: str) -> None:
    with pytest.raises(NoKeyringError, match=words) as caught:
        await store(backend()).get("https://x")
    assert "canary" not in str(caught.value)


async def test_nothing_is_written_to_an_unsafe_keyring() -> None:
    backend = PlainText()
    with pytest.raises(NoKeyringError, match="not a safe one"):
        await store(backend).set("https://x", "token")
    assert backend.kept == {}


async def test_keyring_that_keeps_nothing_is_found_out() -> None:
    with pytest.raises(NoKeyringError, match="did not keep"):
        await store(Forgetful()).set("https://x", "token")


async def test_keyring_that_hangs_is_given_up_and_not_asked_again(hanging: Hanging) -> None:
    kept = store(hanging, seconds=0.1)
    started = time.monotonic()
    for _ in range(5):
        with pytest.raises(NoKeyringError, match=r"within 0\.1 seconds"):
            await kept.get("https://x")
    assert time.monotonic() - started < 1
    assert hanging.calls == 1


async def test_finding_the_back_end_may_fail() -> None:
    def find() -> FakeKeyring:
        raise ImportError("no D-Bus")

    with pytest.raises(NoKeyringError, match="ImportError"):
        await KeyringStore(find).name()


class Chain:
    __module__ = "keyring.backends.chainer"

    def __init__(self, *backends: object) -> None:
        self.backends = backends

    def get_password(self, service: str, username: str) -> str | None:
        return "token"


async def test_chain_counts_when_all_its_members_do() -> None:
    assert await store(Chain(FakeKeyring())).name() == "Secret Service"
    for chain in (Chain(FakeKeyring(), PlainText()), Chain(PlainText(), FakeKeyring()), Chain()):
        with pytest.raises(NoKeyringError):
            await store(chain).get("x")
    assert Chain.__module__ == chainer.ChainerBackend.__module__


async def test_systems_own_keyring_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = FakeKeyring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    await KeyringStore().set("https://x", "token")
    assert ("isexplore", "https://x") in backend.kept
