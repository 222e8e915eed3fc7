"""From a forge's configuration to its adapter: the address of the API, the token header, the client."""

from __future__ import annotations

import ssl

from isexplore.config.schema import ForgeConfig, NetworkConfig
from isexplore.config.secrets import Secret
from isexplore.forge.base import Forge
from isexplore.forge.connect import recognise
from isexplore.forge.http import ForgeClient
from isexplore.models import ForgeKind

API_PATHS = {ForgeKind.GITLAB: "/api/v4", ForgeKind.GITEA: "/api/v1", ForgeKind.GITHUB: "/api/v3"}
"""Where each kind keeps its API below its web address."""


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


async def adapter(
    config: ForgeConfig, network: NetworkConfig, token: Secret | None, tls: ssl.SSLContext
) -> Forge:
    """Return the adapter for a forge; which kind it is is found out where nobody said so.

    Raises:
        ConfigError: the address or the token cannot be used.
        ForgeError: the kind had to be asked for, and could not be found out.
    """
    kind = config.kind
    if kind is None:
        found = await recognise(config.url, verify=tls, allow_http=config.allow_http, timeout=network.timeout)
        kind = found.kind

    def client(header: str) -> ForgeClient:
        return ForgeClient(
            name=config.name,
            base_url=api_url(config, kind),
            token=token,
            token_header="token" if header == "token" else "bearer",
            verify=tls,
            timeout=network.timeout,
            allow_http=config.allow_http,
            concurrency=network.concurrency,
        )

    from isexplore.forge.gitlab import GitLabForge

    return GitLabForge(name=config.name, url=config.url, client=client("bearer"))
