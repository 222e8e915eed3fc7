"""Why no answer came: the causes behind a library's exception, in words. Pure.

Libraries wrap the cause several times and print it in their own way; a person needs to know whether
it was the name, the network, the certificate or the server.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

from isexplore.config.accounts import PRACTICE
from isexplore.errors import UnavailableError
from isexplore.forge.address import is_loopback
from isexplore.forge.answers import Asked

# Numbers of X509_V_ERR_* in OpenSSL's x509_vfy.h.
_NOT_YET_VALID = 9
_EXPIRED = 10
_UNKNOWN_ISSUER = frozenset((18, 19, 20, 21))
_WRONG_HOST = frozenset((62, 64))


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and everything behind it, each once."""
    waiting = [error]
    seen: set[int] = set()
    while waiting and len(seen) < 50:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            waiting.extend(current.exceptions)
        waiting.extend(cause for cause in (current.__cause__, current.__context__) if cause is not None)


def no_answer(error: BaseException, asked: Asked) -> UnavailableError:
    """Return what to tell about a request that got no answer, by what is behind `error`."""
    chain = list(causes(error))
    if asked.forge == PRACTICE and any(isinstance(cause, OSError) for cause in chain):
        return _unavailable(
            asked,
            "The practice forge has stopped",
            "Nothing answers at its address any more.",
            "Quit and start again: isexplore practice. Nothing is lost.",
        )
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(cause, asked)
    for cause in chain:
        if isinstance(cause, ssl.SSLError):
            return _tls(cause, asked)
        if isinstance(cause, socket.gaierror):
            return _unavailable(
                asked,
                f"The name {asked.host} cannot be found",
                "",
                "Check the spelling, the network and the VPN.",
            )
        if isinstance(cause, ConnectionRefusedError):
            return _unavailable(
                asked,
                f"{asked.host} refused the connection",
                "Nothing listens at that port, or a firewall says no.",
                "Check the address and the port, and whether the VPN is on.",
            )
        if isinstance(cause, OSError) and cause.errno in (
            errno.ENETUNREACH,
            errno.EHOSTUNREACH,
            errno.ENETDOWN,
        ):
            return _unavailable(
                asked,
                f"There is no way to {asked.host}",
                "The network is unreachable.",
                "Check the network and the VPN.",
            )
        if isinstance(cause, ConnectionResetError | BrokenPipeError):
            return _unavailable(
                asked,
                f"{asked.host} broke off the connection",
                "",
                "Try again; check the VPN if it stays so.",
            )
    return _unavailable(
        asked,
        f"{asked.host} cannot be reached",
        f"The connection failed ({type(error).__name__}).",
        "Check the network, the VPN and the proxy: isexplore doctor",
    )


def too_late(asked: Asked, seconds: float) -> UnavailableError:
    """Return the error for an answer that was not complete in time."""
    return _unavailable(
        asked,
        f"{asked.host} did not answer in {seconds:.3g} seconds",
        "The server, the network or a proxy is slow.",
        "Try again, or set a longer timeout in the configuration (network.timeout).",
    )


def cannot_connect(asked: Asked, seconds: float) -> UnavailableError:
    """Return the error for a connection that was neither accepted nor refused."""
    return _unavailable(
        asked,
        f"{asked.host} did not accept a connection in {seconds:.3g} seconds",
        "A firewall may be swallowing it.",
        # A small server without encryption waits for more after the greeting of TLS.
        _plain_here(asked) or "Check the address, the VPN and the proxy.",
    )


def cut_short(asked: Asked) -> UnavailableError:
    """Return the error for an answer that ended too early or broke the rules of HTTP."""
    return _unavailable(
        asked,
        f"{asked.host} broke off its answer",
        "The answer is incomplete, or is not HTTP.",
        "Try again; if it stays so, a proxy may be in the way: isexplore doctor",
    )


def proxy_refused(asked: Asked, words: str) -> UnavailableError:
    """Return the error for a proxy that does not let the request through."""
    return _unavailable(
        asked,
        f"The proxy does not let the request to {asked.host} through",
        words,
        "Check HTTPS_PROXY and NO_PROXY: isexplore doctor shows the ones in use.",
    )


def _certificate(error: ssl.SSLCertVerificationError, asked: Asked) -> UnavailableError:
    code = getattr(error, "verify_code", 0)
    words = str(getattr(error, "verify_message", "") or error).lower()
    detail = "Its certificate is signed by an authority that this machine does not know."
    hint = "If your organisation has its own authority, set network.ca_file in the configuration."
    if code == _EXPIRED or "expired" in words:
        detail = "Its certificate has expired."
        hint = "Check this machine's date and time; otherwise tell the forge's administrators."
    elif code == _NOT_YET_VALID or "not yet valid" in words:
        detail = "Its certificate is not valid yet."
        hint = "Check this machine's clock: it is probably behind."
    elif code in _WRONG_HOST or "hostname mismatch" in words or "ip address mismatch" in words:
        detail = f"Its certificate is for another name than {asked.host}."
        hint = "Use the name that the forge's web page has, or check whether the VPN is on."
    elif code not in _UNKNOWN_ISSUER and code != 0:
        detail = f"Its certificate is not accepted ({code})."
    return _unavailable(asked, f"{asked.host} cannot be trusted", detail, hint)


def _tls(error: ssl.SSLError, asked: Asked) -> UnavailableError:
    reason = str(getattr(error, "reason", None) or "").upper()
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return _unavailable(
            asked,
            f"{asked.host} does not speak TLS there",
            "The address begins with https, but the server answers without encryption.",
            _plain_here(asked) or "Check the port, or ask for the https address.",
        )
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return _unavailable(
            asked,
            f"{asked.host} refused the TLS handshake",
            "It may want a client certificate.",
            "Set network.client_cert and network.client_key in the configuration.",
        )
    return _unavailable(
        asked,
        f"No safe connection to {asked.host} could be made",
        f"TLS failed ({reason.replace('_', ' ').lower()})." if reason else "TLS failed.",
        "Check the network and the proxy: isexplore doctor",
    )


def _plain_here(asked: Asked) -> str:
    """Return the way to a server of this machine, which has no certificate more often than not; "" elsewhere."""
    if not is_loopback(asked.host.rpartition(":")[0] or asked.host):
        return ""
    return f"If it has no certificate, write http://{asked.host}: what stays on this machine needs none."


def _unavailable(asked: Asked, title: str, detail: str, hint: str) -> UnavailableError:
    return UnavailableError(title, detail, hint, forge=asked.forge, request=asked.request)
