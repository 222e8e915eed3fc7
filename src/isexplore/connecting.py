"""From a forge's configuration to its adapter: the address of the API, the token header, the client."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping

from msgspec import Struct

from isexplore.config.schema import ForgeConfig, NetworkConfig
from isexplore.config.secrets import Secret
from isexplore.forge.authorization import TokenHeader
from isexplore.forge.base import Forge
from isexplore.forge.connect import recognise
from isexplore.forge.http import ForgeClient
from isexplore.models import ForgeKind

API_PATHS = {ForgeKind.GITLAB: "/api/v4", ForgeKind.GITEA: "/api/v1", ForgeKind.GITHUB: "/api/v3"}
"""Where each kind keeps its API below its web address."""
OnRequest = Callable[[str, str], None]
"""Told of every request as it leaves: method, path."""
OnPause = Callable[[float], None]
"""Told how many seconds a request now waits because the forge wants fewer of them."""


class Place(Struct, frozen=True):
    """What a forge turned out to be, where the configuration does not say."""

    kind: ForgeKind
    url: str
    api_url: str


Places = dict[str, Place]
"""What was recognised, by configured address: a forge does not change its kind while the program runs."""


def api_url(config: ForgeConfig, kind: ForgeKind) -> str:
    """Return the address of the API of a forge: as configured, or where its kind keeps it."""
    if config.api_url:
        return config.api_url
    if kind is ForgeKind.GITHUB:
        scheme, _, host = config.url.partition("://")
        if host == "github.com":
            return "https://api.github.com"
        if host.endswith(".ghe.com"):
            return f"{scheme}://api.{host}"
    return config.url.rstrip("/") + API_PATHS[kind]


async def place_of(
    config: ForgeConfig, network: NetworkConfig, tls: ssl.SSLContext, recognised: Places
) -> Place:
    """Return where a forge's pages and API are; a kind that nobody named is asked for once.

    Args:
        config: the forge.
        network: how to ask it.
        tls: whom to trust.
        recognised: what was found out before; added to.

    Raises:
        ConfigError: the address cannot be used.
        ForgeError: the kind had to be asked for, and could not be found out.
    """
    if config.kind is not None:
        return Place(config.kind, config.url.rstrip("/"), api_url(config, config.kind))
    known = recognised.get(config.url)
    if known is None:
        found = await recognise(config.url, verify=tls, allow_http=config.allow_http, timeout=network.timeout)
        known = recognised[config.url] = Place(found.kind, found.url, found.api_url)
    return Place(known.kind, known.url, config.api_url) if config.api_url else known


async def adapter(
    config: ForgeConfig,
    network: NetworkConfig,
    token: Secret | None,
    tls: ssl.SSLContext,
    *,
    recognised: Places | None = None,
    on_request: OnRequest | None = None,
    on_pause: OnPause | None = None,
) -> Forge:
    """Return the adapter for a forge; which kind it is is found out where nobody said so.

    Args:
        config: the forge.
        network: how to ask it.
        token: sent to its API and nowhere else; None for anonymous use.
        tls: whom to trust.
        recognised: what was found out before, so that it is asked once; added to.
        on_request: told of every request with the token.

    Raises:
        ConfigError: the address or the token cannot be used.
        ForgeError: the kind had to be asked for, and could not be found out.
    """
    place = await place_of(config, network, tls, {} if recognised is None else recognised)
    header: TokenHeader = "token" if place.kind is ForgeKind.GITEA else "bearer"
    headers: Mapping[str, str] | None = None
    if place.kind is ForgeKind.GITHUB:
        from isexplore.forge.github import HEADERS

        headers = HEADERS
    client = ForgeClient(
        name=config.name,
        base_url=place.api_url,
        token=token,
        token_header=header,
        verify=tls,
        timeout=network.timeout,
        allow_http=config.allow_http,
        headers=headers,
        concurrency=network.concurrency,
        on_request=on_request,
        on_pause=on_pause,
    )
    # Each adapter is imported for those who have such a forge.
    match place.kind:
        case ForgeKind.GITLAB:
            from isexplore.forge.gitlab import GitLabForge

            return GitLabForge(name=config.name, url=place.url, client=client)
        case ForgeKind.GITEA:
            from isexplore.forge.gitea import GiteaForge

            return GiteaForge(name=config.name, url=place.url, client=client)
        case ForgeKind.GITHUB:
            from isexplore.forge.github import GitHubForge

            return GitHubForge(name=config.name, url=place.url, client=client)
