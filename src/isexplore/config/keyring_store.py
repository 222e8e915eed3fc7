"""The system's keyring, which may be missing, unsafe, locked behind a dialog, or hang."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from isexplore.config.threads import in_daemon_thread

_Result = TypeVar("_Result")

SERVICE = "isexplore"
SECONDS = 5.0
"""How long the keyring may take for one answer."""

_ALLOWED = {
    "keyring.backends.SecretService": "Secret Service",
    "keyring.backends.libsecret": "Secret Service",
    "keyring.backends.kwallet": "KDE Wallet",
    "keyring.backends.macOS": "macOS Keychain",
    "keyring.backends.Windows": "Windows Credential Manager",
}
"""Back ends that keep passwords encrypted; others (plain text, null, third parties') are not used."""


class Backend(Protocol):
    """The part of a keyring back end that is used."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return a password, or None."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a password."""

    def delete_password(self, service: str, username: str) -> None:
        """Remove a password; raises when there is none."""


class NoKeyringError(Exception):
    """The keyring cannot be used; says why in words."""


class KeyringStore:
    """Passwords under `SERVICE` in the system's keyring.

    Every call runs in a thread that is given up after `SECONDS`; a keyring that hung once is not asked
    again by this object. All methods raise `NoKeyringError`.
    """

    def __init__(self, find: Callable[[], Backend] | None = None, *, seconds: float = SECONDS) -> None:
        """Make a store over the system's keyring.

        Args:
            find: returns the back end; may be slow or raise anything.
            seconds: the limit of each call.
        """
        self._find = find or _system_backend
        self._seconds = seconds
        self._broken: str | None = None

    async def name(self) -> str:
        """Return the name of the keyring in use: "Secret Service", "macOS Keychain"."""
        return await self._call(lambda backend: _name(backend))

    async def get(self, key: str) -> str | None:
        """Return what is kept under `key`, or None."""
        return await self._call(lambda backend: backend.get_password(SERVICE, key))

    async def set(self, key: str, value: str) -> None:
        """Keep `value`, and check that it can be read back."""

        def keep(backend: Backend) -> str | None:
            backend.set_password(SERVICE, key, value)
            return backend.get_password(SERVICE, key)

        if await self._call(keep) != value:
            raise NoKeyringError("the keyring did not keep the token")

    async def remove(self, key: str) -> bool:
        """Remove what is kept under `key`; return whether there was something."""

        def drop(backend: Backend) -> bool:
            if backend.get_password(SERVICE, key) is None:
                return False
            backend.delete_password(SERVICE, key)
            return True

        return await self._call(drop)

    async def _call(self, work: Callable[[Backend], _Result]) -> _Result:
        if self._broken is not None:
            raise NoKeyringError(self._broken)

        def run() -> _Result:
            backend = self._find()
            _name(backend)
            return work(backend)

        try:
            return await in_daemon_thread(run, self._seconds, "keyring")
        except TimeoutError:
            self._broken = f"the keyring did not answer within {self._seconds:g} seconds"
            raise NoKeyringError(self._broken) from None
        except NoKeyringError:
            raise
        except Exception as failure:  # noqa: BLE001 - back ends raise what they like (D-Bus, C libraries)
            raise NoKeyringError(f"the keyring failed ({type(failure).__name__})") from None


def _system_backend() -> Backend:
    import keyring

    return cast("Backend", keyring.get_keyring())


def _name(backend: Any) -> str:
    """Return the name of a back end that may be used.

    Raises:
        NoKeyringError: it may not.
    """
    members = [backend, *backend.backends] if _module(backend) == "keyring.backends.chainer" else [backend]
    for member in members:
        if _module(member) in _ALLOWED:
            if member is not members[0]:
                # A chain asks all its members in turn, the unsafe ones too.
                unsafe = [each for each in members[1:] if _module(each) not in _ALLOWED]
                if unsafe:
                    raise NoKeyringError(f"the keyring is not a safe one ({_module(unsafe[0])})")
            return _ALLOWED[_module(member)]
    if _module(backend) in ("keyring.backends.fail", "keyring.backends.null", "keyring.backends.chainer"):
        raise NoKeyringError("there is no keyring here")
    raise NoKeyringError(f"the keyring is not a safe one ({_module(backend)})")


def _module(backend: object) -> str:
    return type(backend).__module__
