"""How to reach forges from inside an organisation: certificates and proxies, for HTTP and git alike."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from hashlib import sha256
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from isexplore.config.files import write_atomically
from isexplore.config.schema import NetworkConfig
from isexplore.config.secrets import MASK
from isexplore.config.values import LOOPBACK, is_loopback
from isexplore.errors import ConfigError

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
    "/opt/homebrew/etc/ca-certificates/cert.pem",
)
"""Where systems keep the certificates they trust, as one file."""
_HOW = "Ask your administrator for the root certificate in PEM form (-----BEGIN CERTIFICATE-----)."


class Proxy(NamedTuple):
    """The proxy that requests to an address go through."""

    url: str
    """With its user name and password: to be shown only through `mask_address`."""
    variable: str
    """Which environment variable says so."""

    def __repr__(self) -> str:
        return f"Proxy({mask_address(self.url)!r}, {self.variable!r})"


def ssl_context(network: NetworkConfig, environment: Mapping[str, str] | None = None) -> ssl.SSLContext:
    """Return a context that trusts the system's store and `ca_file`, and shows the client certificate.

    Verification cannot be turned off.

    Raises:
        ConfigError: names the file that is missing or not what it should be.
    """
    import truststore

    env = os.environ if environment is None else environment
    own = env.get("SSL_CERT_FILE")
    if own and not os.path.isfile(own):
        raise ConfigError(
            "SSL_CERT_FILE names a file that does not exist",
            own,
            "Correct or unset the variable SSL_CERT_FILE.",
        )
    context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if network.ca_file is not None:
        _load_authorities(context, network.ca_file)
    if network.client_cert is not None:
        _load_client(context, network.client_cert, network.client_key)
    return context


def _load_authorities(context: ssl.SSLContext, file: Path) -> None:
    try:
        context.load_verify_locations(cafile=os.fspath(file))
    except ssl.SSLError as error:
        raise ConfigError(
            f"network.ca_file is not a certificate in PEM form: {file}", _reason(error), _HOW
        ) from error
    except OSError as error:
        raise ConfigError(f"network.ca_file cannot be read: {file}", _reason(error), _HOW) from error


def _load_client(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    def no_password() -> str:
        # Without this OpenSSL would ask on the terminal, behind the screen.
        raise ConfigError(
            "The client key has a password",
            f"{key or certificate} is encrypted; isexplore and git need one that is not.",
            f"Decrypt it into a file of yours: openssl pkey -in {key or certificate} -out client.key",
        )

    try:
        context.load_cert_chain(certificate, key, password=no_password)
    except ssl.SSLError as error:
        raise ConfigError(
            f"network.client_cert and network.client_key do not work together: {certificate}",
            _reason(error),
            "Both must be in PEM form, and the key must be the certificate's own.",
        ) from error
    except OSError as error:
        raise ConfigError(
            f"network.client_cert or network.client_key cannot be read: {certificate}",
            _reason(error),
            "Correct the path in config.toml, or the file's permissions.",
        ) from error


def _reason(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or type(error).__name__


def git_environment(
    network: NetworkConfig, cache_dir: Path, environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the variables with which git trusts, identifies itself and finds its way as isexplore does.

    git takes one file of trusted certificates instead of the system's, so `ca_file` and the system's
    are put together into one in `cache_dir`. curl, which git uses, knows `http_proxy` in lower case
    only.

    Raises:
        ConfigError: `ca_file` is missing or not PEM.
        StateError: the combined file cannot be written.
    """
    env = os.environ if environment is None else environment
    result: dict[str, str] = {}
    base = env.get("GIT_SSL_CAINFO") or env.get("SSL_CERT_FILE")
    if network.ca_file is not None:
        result["GIT_SSL_CAINFO"] = str(_combined(network.ca_file, base, cache_dir))
    elif base:
        result["GIT_SSL_CAINFO"] = base
    if network.client_cert is not None:
        result["GIT_SSL_CERT"] = str(network.client_cert)
        result["GIT_SSL_KEY"] = str(network.client_key or network.client_cert)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        value = env.get(name) or env.get(name.upper())
        if value:
            result[name] = value
    if any(name.endswith("_proxy") and name != "no_proxy" for name in result):
        # As `proxy_of` does for HTTP.
        result["no_proxy"] = ",".join(filter(None, (result.get("no_proxy"), *LOOPBACK)))
    return result


def _combined(ca_file: Path, base: str | None, cache_dir: Path) -> Path:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _load_authorities(context, ca_file)
    system = Path(base) if base else system_bundle()
    parts = [ca_file.read_bytes()]
    if system is not None:
        try:
            parts.insert(0, system.read_bytes())
        except OSError as error:
            raise ConfigError(f"The trusted certificates cannot be read: {system}", _reason(error)) from error
    data = b"\n".join(parts)
    path = cache_dir / f"trusted-{sha256(data).hexdigest()[:16]}.pem"
    if not path.is_file():
        write_atomically(path, data)
    return path


def system_bundle() -> Path | None:
    """Return the system's trusted certificates as one file, or None where there is no such file."""
    default = ssl.get_default_verify_paths().cafile
    for candidate in (default, *_BUNDLES):
        if candidate and os.path.isfile(candidate):
            return Path(candidate)
    return None


def proxy_of(url: str, environment: Mapping[str, str] | None = None) -> Proxy | None:
    """Return the proxy that requests to `url` go through, ready for use; None when they go directly."""
    env = os.environ if environment is None else environment
    parts = urlsplit(url)
    if is_loopback(parts.hostname or ""):
        # A proxy cannot reach this machine's own servers.
        return None
    if _excluded(parts.hostname or "", parts.port, env.get("no_proxy") or env.get("NO_PROXY") or ""):
        return None
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        for variable in (name, name.upper()):
            if env.get(variable):
                return Proxy(env[variable], variable)
    return None


def no_proxy_ranges(url: str, environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the address ranges of NO_PROXY that hold the host of `url`; HTTP here does not know ranges."""
    env = os.environ if environment is None else environment
    try:
        host = ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return ()
    found = []
    for entry in (env.get("no_proxy") or env.get("NO_PROXY") or "").split(","):
        try:
            if "/" in entry and host in ip_network(entry.strip(), strict=False):
                found.append(entry.strip())
        except ValueError:
            continue
    return tuple(found)


def mask_address(url: str) -> str:
    """Return an address with `***` for its user name and password."""
    scheme, separator, rest = url.rpartition("://")
    authority, slash, path = rest.partition("/")
    userinfo, at, host = authority.rpartition("@")
    return scheme + separator + (MASK + at if userinfo or at else "") + host + slash + path


def _excluded(host: str, port: int | None, no_proxy: str) -> bool:
    for entry in (part.strip().lower() for part in no_proxy.split(",")):
        if entry == "*":
            return True
        name, colon, wanted = entry.partition(":") if entry.count(":") == 1 else (entry, "", "")
        if colon and wanted != str(port):
            continue
        name = name.strip("[]")
        if name and (host == name or host.endswith(name if name.startswith(".") else "." + name)):
            return True
    return False
