"""What speaks to forges and runs git: connections, tokens, credentials; each made on first use."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from isexplore.config.load import load
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.config.secrets import Secret
from isexplore.errors import AuthError, ConfigError, IsexploreError, UnavailableError
from isexplore.local import LocalServices
from isexplore.models import ForgeKind, TokenFacts

if TYPE_CHECKING:
    from isexplore.config.tokens import Grant, Tokens
    from isexplore.connecting import Places
    from isexplore.forge.base import Forge
    from isexplore.git.client import Git
    from isexplore.git.facts import Credential
    from isexplore.login.device import DeviceFlow
    from isexplore.login.renewal import Renewals


class ConnectedServices(LocalServices):
    """What needs no network, and the forges with it."""

    def __init__(self, paths: Paths, config: Config, *, practising: bool = False) -> None:
        """Wire the parts.

        Args:
            paths: where the files are.
            config: the configuration, checked.
            practising: whether this is the practice world.
        """
        super().__init__(paths, config, practising=practising)
        self._forges: dict[str, Forge] = {}
        self._replaced: list[Forge] = []
        """Connections with a token that is no longer used: what was asked there may still be answered."""
        self._credentials: dict[str, Credential] = {}
        self._connecting: dict[str, asyncio.Lock] = {}
        self._signed_in_again: set[str] = set()
        """Forges whose token is another one than when connecting to them began."""
        self._places: Places = {}
        self.on_pause: Callable[[str, float], None] = lambda forge, seconds: None
        """Told when requests to a forge wait because it wants fewer of them, and how many seconds."""

    async def disconnect(self) -> None:
        """Close the connections; they are made again when they are needed."""
        if "_renewals" in self.__dict__:
            await self._renewals.finish()
        for forge in (*self._replaced, *self._forges.values()):
            await forge.close()
        self._replaced.clear()
        self._forges.clear()
        self._connecting.clear()

    def forge_config(self, name: str) -> ForgeConfig:
        """Return the configuration of a forge.

        Raises:
            ConfigError: there is none with this name.
        """
        found = self.config.forge(name)
        if found is None:
            known = ", ".join(forge.name for forge in self.config.forges) or "none"
            raise ConfigError(
                f"No forge is called {name!r}",
                f"Configured are: {known}.",
                "isexplore login URL connects to one.",
            )
        return found

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Whom to trust, for every forge."""
        from isexplore.config.network import ssl_context

        return ssl_context(self.config.network)

    async def forge(self, name: str) -> Forge:
        """Return a forge, connected with its token.

        Raises:
            ConfigError: not configured.
            AuthError: no token is known for it.
            ForgeError: what kind of forge it is cannot be found out.
        """
        lock = self._connecting.setdefault(name, asyncio.Lock())
        async with lock:
            while name not in self._forges:
                self._signed_in_again.discard(name)
                made = await self._connect(self.forge_config(name))
                if name in self._signed_in_again:
                    self._replaced.append(made)
                else:
                    self._forges[name] = made
            return self._forges[name]

    def connected(self, name: str) -> Forge:
        """Return a forge that was connected before.

        Raises:
            ConfigError: not configured.
            UnavailableError: not connected.
        """
        found = self._forges.get(name)
        if found is None:
            self.forge_config(name)
            raise UnavailableError(f"{name} is not connected", "", "Try again.", forge=name)
        return found

    async def _connect(self, config: ForgeConfig) -> Forge:
        from isexplore.connecting import adapter
        from isexplore.git.facts import Credential

        token = await self.token_for(config)
        forge = await adapter(
            config,
            self.config.network,
            token,
            self.tls,
            recognised=self._places,
            on_pause=lambda seconds: self.on_pause(config.name, seconds),
        )
        login = forge.git_login
        self._credentials[config.name] = Credential(origin=login.origin, username=login.username, token=token)
        return forge

    @cached_property
    def tokens(self) -> Tokens:
        """Where the tokens are."""
        from isexplore.config.tokens import Tokens

        return Tokens(self.config, self.paths)

    @cached_property
    def _renewals(self) -> Renewals:
        from isexplore.login.renewal import Renewals

        return Renewals(self.tokens)

    def has_session_tokens(self) -> bool:
        """Tell whether a token is known to this process only."""
        if self.practising or "tokens" not in self.__dict__:
            return False
        return any(self.tokens.in_session(forge) for forge in self.config.forges)

    def prepare(self) -> None:
        """Load what speaks to forges, and read the certificates: for a thread, before the first question."""
        from importlib import import_module

        for name in ("isexplore.connecting", "isexplore.config.tokens", "isexplore.guide.preview"):
            import_module(name)
        with suppress(IsexploreError):
            # What is wrong with the certificates is told when a forge is asked.
            _ = self.tls

    async def token_for(self, config: ForgeConfig) -> Secret:
        """Return the token for a forge.

        Raises:
            AuthError: no source has one; says what each of them answered.
        """
        if config.client_id:
            search = await self._renewals.find(config, lambda: self._device_flow(config))
        else:
            search = await self.tokens.find(config)
        if search.found is None:
            raise AuthError(
                f"No token for {config.name} is known",
                "\n".join(f"{note.source}: {note.what}" for note in search.notes),
                f"isexplore login {config.url} asks for one and keeps it.",
                forge=config.name,
            )
        return search.found.secret

    async def expiry_notes(self, *, connect: bool = False) -> tuple[str, ...]:
        """Return a sentence for each token that runs out soon; never raises, and waits a few seconds at most.

        Args:
            connect: whether to connect forges that are not yet, where they have to be asked.
        """
        if self.practising or not (connect or self._forges):
            return ()
        from isexplore.login.expiry import expiry_notes

        async def ask(config: ForgeConfig) -> TokenFacts | None:
            if config.name not in self._forges and not connect:
                return None
            return await (await self.forge(config.name)).token_facts()

        return await expiry_notes(self.config.forges, self.paths, ask)

    def _device_flow(self, config: ForgeConfig) -> DeviceFlow:
        from isexplore.forge.http import ForgeClient
        from isexplore.login.device import DeviceFlow

        client = ForgeClient(
            name=config.name,
            base_url=config.url,
            verify=self.tls,
            timeout=self.config.network.timeout,
            allow_http=config.allow_http,
        )
        return DeviceFlow(client, config.kind or ForgeKind.GITLAB, config.client_id or "")

    async def refresh_profile(self) -> None:
        """Fetch the organisation profile again when it is old; what it changes holds from the next start on."""
        if self.config.profile is None or self.practising:
            return
        from isexplore.login.profile import refresh_profile

        await refresh_profile(load(self.paths), self.paths, tls=lambda: self.tls)

    @cached_property
    def git(self) -> Git:
        """Git, with the network's certificates and the forges' former addresses."""
        from isexplore.config.network import git_environment
        from isexplore.git.client import Git

        # Whole addresses: a former host may serve other things beside the forge, and sub-paths may differ.
        replaced = {
            former.rstrip("/"): forge.url.rstrip("/")
            for forge in self.config.forges
            for former in forge.former_urls
        }
        return Git(
            network_environment=git_environment(self.config.network, self.paths.cache_dir),
            replaced_origins=replaced,
        )

    def username(self, name: str) -> str:
        """Return the account on a forge as far as it is known here; "" when it is not."""
        config = self.config.forge(name)
        return (config.username or "") if config else ""

    def credential(self, name: str) -> Credential | None:
        """Return how git signs in to a forge that is connected."""
        return self._credentials.get(name)

    def add_forge(self, forge: ForgeConfig, token: Secret, username: str, grant: Grant | None = None) -> None:
        """Take in a forge that was signed in to while the program runs; config.toml holds it already.

        Args:
            forge: as it is configured now.
            token: the new one, used from the next question on.
            username: whose it is.
            grant: what renews the token.
        """
        self.config = load(self.paths).checked()
        self.tokens.remember(forge, token, username, grant)
        if "catalog" in self.__dict__:
            self.catalog.close()
        for derived in ("catalog", "git", "tls"):
            self.__dict__.pop(derived, None)
        if (before := self._forges.pop(forge.name, None)) is not None:
            self._replaced.append(before)
        self._signed_in_again.add(forge.name)
