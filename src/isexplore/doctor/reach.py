"""The way to a forge, step by step: name, connection (or proxy), TLS, and whom its certificate is from."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from isexplore.config.network import mask_address, no_proxy_ranges, proxy_of, ssl_context
from isexplore.config.schema import NetworkConfig
from isexplore.config.threads import in_daemon_thread
from isexplore.doctor.certificates import CertificateFacts, facts_of, facts_of_verified
from isexplore.doctor.report import Lines
from isexplore.errors import ConfigError
from isexplore.text import clean_line, count

SECONDS = 5.0
"""How long each step may take."""
SOON = timedelta(days=14)
_HEAD_LIMIT = 16 * 1024


class Target(NamedTuple):
    """Where a connection goes first."""

    host: str
    port: int


class ProxyRefusedError(Exception):
    """The proxy said no; says what."""


async def check_way(
    lines: Lines,
    url: str,
    network: NetworkConfig,
    *,
    environment: Mapping[str, str],
    seconds: float = SECONDS,
    now: datetime | None = None,
) -> bool:
    """Add the checks of the way to `url`; return whether there is one.

    Args:
        lines: where to add them.
        url: of the forge.
        network: the settings.
        environment: with the proxies.
        seconds: how long each step may take.
        now: instead of the present time (UTC).
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    target = Target(host, parts.port or (443 if parts.scheme == "https" else 80))
    proxy = proxy_of(url, environment)
    first = target
    ranges = no_proxy_ranges(url, environment)
    if ranges and proxy is not None:
        lines.warn(
            "proxy",
            f"{mask_address(proxy.url)} ({proxy.variable}), although NO_PROXY has {', '.join(ranges)}",
            f"Ranges of addresses do not count here: add {host} itself to NO_PROXY.",
        )
    elif proxy is not None:
        lines.ok("proxy", f"{mask_address(proxy.url)} ({proxy.variable})")
    else:
        lines.ok("proxy", "none")
    if proxy is not None:
        there = urlsplit(proxy.url if "://" in proxy.url else f"http://{proxy.url}")
        try:
            first = Target(there.hostname or "", there.port or (443 if there.scheme == "https" else 80))
        except ValueError:
            first = Target("", 0)
        if not first.host:
            fix = "It looks like http://proxy.example.com:3128."
            lines.bad("proxy", f"{proxy.variable} does not hold the address of a proxy", fix)
            return False
        if there.scheme not in ("http", "https"):
            lines.warn("proxy", f"{there.scheme} proxies are not looked at more closely")
            return True
    if not await _check_name(lines, first, seconds):
        return False
    if not await _check_connection(lines, first, seconds):
        return False
    if parts.scheme != "https":
        lines.warn("TLS", "none: anybody on the way can read the token", "Use https if the forge has it.")
        return True
    return await _check_tls(lines, target, network, proxy.url if proxy else "", environment, seconds, now)


async def _check_name(lines: Lines, target: Target, seconds: float) -> bool:
    def look_up() -> list[str]:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        return sorted({str(each[4][0]) for each in found})

    try:
        addresses = await in_daemon_thread(look_up, seconds, "name look-up")
    except TimeoutError:
        detail = f"no answer about {target.host} within {seconds:g} seconds"
        lines.bad("name", detail, "Check the network, the VPN and the name server.")
        return False
    except (OSError, UnicodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "not a name"
        lines.bad(
            "name",
            f"{target.host} cannot be found ({reason})",
            "Check the spelling, the network and the VPN.",
        )
        return False
    shown = ", ".join(addresses[:4]) + (" ..." if len(addresses) > 4 else "")
    lines.ok("name", f"{target.host} is {shown}")
    return True


async def _check_connection(lines: Lines, target: Target, seconds: float) -> bool:
    fix = "Check the address and the port, the VPN, and whether a proxy is needed (HTTPS_PROXY)."
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(target.host, target.port)
    except TimeoutError:
        lines.bad("connection", f"port {target.port} does not answer within {seconds:g} seconds", fix)
        return False
    except OSError as error:
        lines.bad("connection", f"port {target.port}: {_os_words(error)}", fix)
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    lines.ok("connection", f"port {target.port} answers")
    return True


async def _check_tls(
    lines: Lines,
    target: Target,
    network: NetworkConfig,
    proxy: str,
    environment: Mapping[str, str],
    seconds: float,
    now: datetime | None,
) -> bool:
    try:
        context = ssl_context(network, environment)
    except ConfigError as error:
        lines.bad("TLS", f"{error.title}. {error.detail}".strip(), error.hint)
        return False
    try:
        facts = await handshake(target, context, proxy, seconds)
    except ssl.SSLCertVerificationError as error:
        await _certificate_refused(lines, target, error, network.ca_file, proxy, seconds)
        return False
    except (ssl.SSLError, OSError, TimeoutError, ProxyRefusedError) as error:
        lines.bad("TLS", f"no safe connection: {_words(error, seconds)}", _tls_fix(error))
        return False
    trusted = await _trusted_by(target, network, proxy, environment, seconds)
    moment = now or datetime.now(UTC)
    detail = f"certificate from {facts.issuer or 'an unnamed issuer'}"
    if facts.expires_at is not None:
        detail += f", good until {facts.expires_at:%Y-%m-%d}"
    detail += f", trusted through {trusted}"
    if facts.expires_at is not None and facts.expires_at - moment < SOON:
        days = max(0, (facts.expires_at - moment).days)
        lines.warn("TLS", f"{detail}: {count(days, 'day')} left", "Tell the forge's administrators.")
    else:
        lines.ok("TLS", detail)
    return True


async def _trusted_by(
    target: Target, network: NetworkConfig, proxy: str, environment: Mapping[str, str], seconds: float
) -> str:
    """Return what makes the certificate trusted: the system alone, or `ca_file`."""
    if network.ca_file is None:
        return "the system's store" if not environment.get("SSL_CERT_FILE") else "SSL_CERT_FILE"
    try:
        await handshake(target, ssl_context(replace(network, ca_file=None), environment), proxy, seconds)
    except (ConfigError, ssl.SSLError, OSError, TimeoutError, ProxyRefusedError):
        return f"network.ca_file ({network.ca_file})"
    return "the system's store"


async def _certificate_refused(
    lines: Lines,
    target: Target,
    error: ssl.SSLCertVerificationError,
    ca_file: Path | None,
    proxy: str,
    seconds: float,
) -> None:
    facts = await _presented(target, proxy, seconds)
    who = f" from {facts.issuer}" if facts and facts.issuer else ""
    words = (error.verify_message or str(error)).lower()
    if "expired" in words:
        when = f" on {facts.expires_at:%Y-%m-%d}" if facts and facts.expires_at else ""
        lines.bad(
            "TLS",
            f"the certificate{who} ran out{when}",
            "Check this machine's date; otherwise tell the forge's administrators.",
        )
    elif "not yet valid" in words:
        lines.bad(
            "TLS",
            f"the certificate{who} is not valid yet",
            "Check this machine's clock: it is probably behind.",
        )
    elif "mismatch" in words:
        lines.bad(
            "TLS",
            f"the certificate{who} is for another name than {target.host}",
            "Use the name that the forge's web page has, or check whether the VPN is on.",
        )
    else:
        fix = (
            f"{ca_file} does not hold the issuer's root certificate: ask your administrator for it."
            if ca_file
            else "Ask your administrator for that root certificate as a PEM file, and set network.ca_file to it."
        )
        lines.bad("TLS", f"the certificate{who} is not trusted here", fix)


async def handshake(target: Target, context: ssl.SSLContext, proxy: str, seconds: float) -> CertificateFacts:
    """Make a TLS connection and end it; return whom the certificate is from.

    Raises:
        ssl.SSLError: TLS failed.
        OSError: the connection failed.
        TimeoutError: it took longer than `seconds`.
        ProxyRefusedError: the proxy does not let it through.
    """
    async with asyncio.timeout(seconds), _tunnel(target, context, proxy) as writer:
        return facts_of_verified(writer.get_extra_info("peercert"))


async def _presented(target: Target, proxy: str, seconds: float) -> CertificateFacts | None:
    """Return what the refused certificate says of itself; nothing is sent over this connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(seconds), _tunnel(target, context, proxy) as writer:
            secured = writer.get_extra_info("ssl_object")
            der = secured.getpeercert(binary_form=True)
    except (ssl.SSLError, OSError, TimeoutError, ProxyRefusedError):
        return None
    return facts_of(der) if der else None


@asynccontextmanager
async def _tunnel(target: Target, context: ssl.SSLContext, proxy: str) -> AsyncIterator[asyncio.StreamWriter]:
    """Yield a TLS connection to `target`, through a proxy's CONNECT (RFC 9110, section 9.3.6) if there is one."""
    if proxy:
        writer = await _through(proxy, target)
        try:
            await writer.start_tls(context, server_hostname=target.host)
        except BaseException:
            writer.transport.abort()
            raise
    else:
        _, writer = await asyncio.open_connection(target.host, target.port, ssl=context)
    try:
        yield writer
    finally:
        # Nothing was sent: there is no farewell to wait for.
        writer.transport.abort()


async def _through(proxy: str, target: Target) -> asyncio.StreamWriter:
    there = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    secured = there.scheme == "https"
    reader, writer = await asyncio.open_connection(
        there.hostname, there.port or (443 if secured else 80), ssl=True if secured else None
    )
    name = f"[{target.host}]" if ":" in target.host else target.host
    request = f"CONNECT {name}:{target.port} HTTP/1.1\r\nHost: {name}:{target.port}\r\n"
    if there.username is not None:
        login = f"{unquote(there.username)}:{unquote(there.password or '')}"
        request += f"Proxy-Authorization: Basic {b64encode(login.encode()).decode()}\r\n"
    try:
        writer.write(f"{request}\r\n".encode())
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        writer.transport.abort()
        raise ProxyRefusedError("the proxy did not answer as one") from None
    status = head[:_HEAD_LIMIT].partition(b"\r\n")[0].decode("latin-1").split(" ", 2)
    if len(status) < 2 or not status[1].startswith("2"):
        writer.transport.abort()
        raise ProxyRefusedError(f"the proxy answered {clean_line(' '.join(status[1:]), 100) or 'nonsense'}")
    return writer


def _words(error: Exception, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"not done within {seconds:g} seconds"
    if isinstance(error, ssl.SSLError):
        return (error.reason or "TLS failed").replace("_", " ").lower()
    if isinstance(error, ProxyRefusedError):
        return str(error)
    return _os_words(error)


def _os_words(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if isinstance(number, int) and number > 0:
        return os.strerror(number).lower()
    # Several addresses were tried, and each has its own reason.
    reasons = [os.strerror(int(each)).lower() for each in re.findall(r"\[Errno (\d+)\]", str(error))]
    return ", ".join(dict.fromkeys(reasons)) or type(error).__name__


def _tls_fix(error: Exception) -> str:
    if isinstance(error, ProxyRefusedError):
        if " 407" in str(error):
            return "Put user and password into HTTPS_PROXY (http://user:password@proxy:port)."
        return "Ask whoever runs the proxy to allow this host, or add it to NO_PROXY."
    reason = (getattr(error, "reason", None) or "").upper()
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return "Check the port: what answers there does not speak TLS."
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return "The forge may want a client certificate: set network.client_cert and network.client_key."
    return "Check the network, the VPN and the proxy."
