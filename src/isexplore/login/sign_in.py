"""The flow of signing in, step by step, for the screens and for `isexplore login` alike.

recognise -> needs / existing logins / code in the browser -> verify -> keep
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cached_property
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from isexplore.config.edit import append_forge
from isexplore.config.load import free_name, load
from isexplore.config.network import git_environment, ssl_context
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig, origin_of
from isexplore.config.secrets import Secret
from isexplore.config.tokens import FoundToken, Kept, Tokens
from isexplore.config.values import FORGE_NAME, WrongValueError, address
from isexplore.connecting import adapter, api_url
from isexplore.errors import ConfigError, ForbiddenError
from isexplore.forge.answers import OWNERS
from isexplore.forge.connect import recognise
from isexplore.forge.http import ForgeClient
from isexplore.git.client import Git
from isexplore.login.device import DeviceFlow, Signed, offers_device_flow
from isexplore.login.expiry import learn
from isexplore.login.needs import TokenNeeds, token_needs
from isexplore.login.verify import Verified, verify
from isexplore.models import ForgeKind

PRODUCTS = {ForgeKind.GITLAB: "GitLab", ForgeKind.GITEA: "Gitea or Forgejo", ForgeKind.GITHUB: "GitHub"}
"""What people call each kind, where the forge itself was not asked."""
Store = Literal["keyring", "file", "session"]


class Candidate(Struct, frozen=True, kw_only=True):
    """A forge that somebody wants to sign in to."""

    forge: ForgeConfig
    kind: ForgeKind
    product: str
    """In its own word: "GitLab", "Forgejo"."""
    version: str | None
    configured: bool
    """Whether it is in the configuration already: then only the token is new."""

    @property
    def needs(self) -> TokenNeeds:
        """Which token it wants."""
        return token_needs(self.kind, self.forge.url)

    @property
    def offers_code(self) -> bool:
        """Whether a code typed in the browser can take a token's place."""
        return offers_device_flow(self.forge, self.kind)


class SignedIn(Struct, frozen=True, kw_only=True):
    """A forge that is ready."""

    forge: ForgeConfig
    kept: Kept
    added: bool
    """Whether a table was appended to `config.toml`."""


class SignIn:
    """Signs in to one forge after another.

    Raises:
        ConfigError: the configuration is wrong; told before anybody has made a token for nothing.
    """

    def __init__(
        self,
        paths: Paths,
        *,
        environment: Mapping[str, str] | None = None,
        store: Store | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        """Read the configuration.

        Args:
            paths: where it is.
            environment: instead of the process's.
            store: where to keep tokens, instead of the configuration's `token_store`.
            tokens: instead of one made here; so that a running program knows the new token at once.
        """
        self.paths = paths
        self._environment = environment
        self.config: Config = load(paths, environment=environment).checked()
        if store is not None:
            self.config = replace(self.config, token_store=store)
        self.tokens = tokens or Tokens(self.config, paths, environment=environment)

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Whom to trust.

        Raises:
            ConfigError: a certificate file is missing or wrong.
        """
        return ssl_context(self.config.network, self._environment)

    async def recognise(
        self,
        url: str,
        *,
        kind: ForgeKind | None = None,
        name: str | None = None,
        allow_http: bool = False,
    ) -> Candidate:
        """Return the forge at an address, or the configured one of this name.

        Args:
            url: address of the forge or any of its pages, or the name of a configured forge.
            kind: which forge it is, instead of finding out.
            name: what to call it.
            allow_http: take an address without encryption; it is then written down as wanted.

        Raises:
            ConfigError: not an address, or the name is taken or cannot be one.
            ForgeError: nothing there, or no forge that isexplore knows.
        """
        known = self.config.forge(url) or self._configured(url)
        if known is not None and (kind or known.kind) is not None:
            chosen = kind or known.kind
            assert chosen is not None
            product = PRODUCTS[chosen]
            return Candidate(forge=known, kind=chosen, product=product, version=None, configured=True)
        found = await recognise(
            known.url if known else url,
            verify=self.tls,
            allow_http=allow_http or bool(known and known.allow_http),
            timeout=self.config.network.timeout,
            kind=kind,
        )
        known = known or self._configured(found.url)
        forge = known or self._new_forge(found.url, found.kind, found.api_url, name)
        if known is None and allow_http and found.url.startswith("http://"):
            forge = replace(forge, allow_http=True)
        return Candidate(
            forge=forge,
            kind=found.kind,
            product=found.name or PRODUCTS[found.kind],
            version=found.version,
            configured=known is not None,
        )

    async def existing_logins(self, candidate: Candidate) -> tuple[FoundToken, ...]:
        """Return the tokens that `glab`, `gh` and git's credential helper hold for it."""
        return await self.tokens.existing_logins(replace(candidate.forge, kind=candidate.kind))

    def typed(self, token: Secret) -> Signed:
        """Return a token that somebody typed, as what a code in the browser leads to."""
        return Signed(token=token)

    def device_flow(self, candidate: Candidate) -> DeviceFlow:
        """Return the sign-in with a code; its connection is closed with `close`.

        Raises:
            ConfigError: there is none (`Candidate.offers_code`).
        """
        forge = candidate.forge
        client = ForgeClient(
            name=forge.name,
            base_url=forge.url,
            verify=self.tls,
            timeout=self.config.network.timeout,
            allow_http=forge.allow_http,
        )
        return DeviceFlow(client, candidate.kind, forge.client_id or "")

    async def verify(self, candidate: Candidate, token: Secret, *, with_git: bool = True) -> Verified:
        """Try a token; see `isexplore.login.verify.verify`.

        Raises:
            AuthError: the token is wrong, expired or revoked.
            ScopeError: it is not even enough for looking around.
            ForgeError: the forge cannot be asked.
        """
        settings = replace(candidate.forge, kind=candidate.kind)
        network = self.config.network
        forge = await adapter(settings, network, token, self.tls)
        client = ForgeClient(
            name=settings.name,
            base_url=api_url(settings, candidate.kind),
            token=token,
            token_header="token" if candidate.kind is ForgeKind.GITEA else "bearer",
            verify=self.tls,
            timeout=network.timeout,
            allow_http=settings.allow_http,
        )
        git = None
        if with_git:
            git = Git(network_environment=git_environment(network, self.paths.cache_dir, self._environment))
        try:
            async with client:
                return await verify(
                    forge, client, git=git, config=self.config, settings=settings, token=token
                )
        except ForbiddenError as error:
            # Nothing was asked of a project yet: it is the account itself that is not let in.
            if error.hint == OWNERS:
                error.hint = (
                    f"Sign in at {settings.url} in a browser: your account may have to accept or confirm "
                    "something there first."
                )
            raise
        finally:
            await forge.close()

    async def keep(self, candidate: Candidate, signed: Signed | Secret, verified: Verified) -> SignedIn:
        """Add the forge to `config.toml` if it is new, and keep the token.

        Raises:
            ConfigError: `config.toml` cannot be added to; the hint holds what to add.
            StateError: a file cannot be written.
        """
        signed = signed if isinstance(signed, Signed) else Signed(token=signed)
        forge = candidate.forge
        if not candidate.configured:
            forge = replace(forge, kind=candidate.kind, username=verified.person.username)
            append_forge(self.paths.config_file, forge)
        kept = await self.tokens.store(forge, signed.token, verified.person.username, signed.grant)
        learn(self.paths, forge.url, verified.facts)
        return SignedIn(forge=forge, kept=kept, added=not candidate.configured)

    async def keep_in_file(self, done: SignedIn, signed: Signed | Secret, verified: Verified) -> SignedIn:
        """Keep a token that no keyring takes in a file, because somebody said so.

        Raises:
            StateError: the file cannot be written.
        """
        signed = signed if isinstance(signed, Signed) else Signed(token=signed)
        username = verified.person.username
        kept = await self.tokens.store(done.forge, signed.token, username, signed.grant, in_file=True)
        return replace(done, kept=kept)

    def _configured(self, url: str) -> ForgeConfig | None:
        """Return the configured forge at exactly this address."""
        try:
            wanted = address(url if "://" in url else f"https://{url}", allow_http=True)
            origin = origin_of(wanted)
        except (ValueError, WrongValueError):
            return None
        path = urlsplit(wanted).path
        return next(
            (
                each
                for each in self.config.forges
                if each.origin == origin and urlsplit(each.url).path == path
            ),
            None,
        )

    def _new_forge(self, url: str, kind: ForgeKind, api: str, name: str | None) -> ForgeConfig:
        if name is not None:
            if not FORGE_NAME.fullmatch(name):
                raise ConfigError(
                    f"A forge cannot be called {name!r}", "Letters, digits, `-`, `_` and `.` are fine."
                )
            if self.config.forge(name) is not None:
                raise ConfigError(
                    f"Another forge is called {name} already", "", "Choose another name: --name."
                )
        forge = ForgeConfig(name=name or free_name(self.config, url), url=url, kind=kind)
        # Written down only where it cannot be told from the kind.
        return forge if api_url(forge, kind) == api else replace(forge, api_url=api)
