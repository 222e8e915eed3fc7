from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from isexplore.config.network import (
    git_environment,
    mask_address,
    no_proxy_ranges,
    proxy_of,
    ssl_context,
    system_bundle,
)
from isexplore.config.schema import NetworkConfig
from isexplore.errors import ConfigError
from tests.support.tls import Authority, Fault, https_server


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def greet(context: ssl.SSLContext, port: int, host: str = "localhost") -> bytes:
    """Make one request over TLS and return the whole answer."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        secured.sendall(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
        answer = b""
        while chunk := secured.recv(4096):
            answer += chunk
        return answer


def test_ca_file_is_trusted_for_http(authority: Authority) -> None:
    with https_server(authority.server_context()) as port:
        assert b"hello" in greet(ssl_context(NetworkConfig(ca_file=authority.file), {}), port)


def test_unknown_authority_is_not_trusted(authority: Authority) -> None:
    with https_server(authority.server_context()) as port, pytest.raises(ssl.SSLCertVerificationError):
        greet(ssl_context(NetworkConfig(), {}), port)


@pytest.mark.parametrize("fault", ["expired", "not-yet-valid", "wrong-host", "self-signed"])
def test_ca_file_does_not_excuse_faults(authority: Authority, fault: Fault) -> None:
    context = ssl_context(NetworkConfig(ca_file=authority.file), {})
    with https_server(authority.server_context(fault)) as port, pytest.raises(ssl.SSLCertVerificationError):
        greet(context, port)


def test_system_store_is_still_trusted_besides_ca_file(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Authority(tmp_path / "other")
    # OpenSSL's way of naming the system's store.
    monkeypatch.setenv("SSL_CERT_FILE", str(other.file))
    context = ssl_context(NetworkConfig(ca_file=authority.file))
    with https_server(other.server_context()) as first, https_server(authority.server_context()) as second:
        assert b"hello" in greet(context, first)
        assert b"hello" in greet(context, second)


def test_client_certificate_is_shown(authority: Authority) -> None:
    certificate, key = authority.client()
    network = NetworkConfig(ca_file=authority.file, client_cert=certificate, client_key=key)
    with https_server(authority.server_context(wants_client=True)) as port:
        assert b"hello" in greet(ssl_context(network, {}), port)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            greet(ssl_context(NetworkConfig(ca_file=authority.file), {}), port)


@pytest.mark.parametrize("content", [None, b"", b"not a certificate", b"\x30\x82\x01\x0a"])
def test_bad_ca_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    for use in (
        lambda: ssl_context(NetworkConfig(ca_file=file), {}),
        lambda: git_environment(NetworkConfig(ca_file=file), tmp_path / "cache", {}),
    ):
        with pytest.raises(ConfigError, match=r"network\.ca_file") as caught:
            use()
        assert str(file) in caught.value.title
        assert "PEM" in caught.value.hint


def test_missing_ssl_cert_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SSL_CERT_FILE"):
        ssl_context(NetworkConfig(), {"SSL_CERT_FILE": str(tmp_path / "gone.pem")})


def test_bad_client_certificates_are_named(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.client()
    missing = NetworkConfig(client_cert=certificate, client_key=tmp_path / "gone.key")
    with pytest.raises(ConfigError, match="cannot be read"):
        ssl_context(missing, {})
    _, foreign = Authority(tmp_path / "other").client()
    with pytest.raises(ConfigError, match="do not work together"):
        ssl_context(NetworkConfig(client_cert=certificate, client_key=foreign), {})
    locked = tmp_path / "locked.key"
    private: Any = serialization.load_pem_private_key(key.read_bytes(), None)
    locked.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(ConfigError, match="has a password"):
        ssl_context(NetworkConfig(client_cert=certificate, client_key=locked), {})


def test_git_trusts_what_http_trusts(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    base = {"SSL_CERT_FILE": str(other.file)}
    network = NetworkConfig(ca_file=authority.file)
    environment = git_environment(network, tmp_path / "cache", base)
    bundle = Path(environment["GIT_SSL_CAINFO"])
    assert bundle.parent == tmp_path / "cache"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(bundle)
    assert context.cert_store_stats()["x509_ca"] == 2
    with https_server(authority.server_context(), lambda path, headers: (404, {}, b"")) as port:
        for variables, words in ((environment, "not found"), ({}, "certificate")):
            done = subprocess.run(
                ["git", "ls-remote", f"https://localhost:{port}/x.git"],
                env={
                    "PATH": "/usr/bin:/bin",
                    "HOME": str(tmp_path),
                    "LC_ALL": "C",
                    "GIT_TERMINAL_PROMPT": "0",
                }
                | variables,
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
            )
            assert done.returncode == 128
            assert words in done.stderr


def test_bundle_holds_the_system_store(authority: Authority, tmp_path: Path) -> None:
    system = system_bundle()
    if system is None:
        pytest.skip("this system keeps no bundle")
    environment = git_environment(NetworkConfig(ca_file=authority.file), tmp_path, {})
    assert system.read_bytes() in Path(environment["GIT_SSL_CAINFO"]).read_bytes()


def test_git_gets_client_certificate_and_proxies(tmp_path: Path) -> None:
    network = NetworkConfig(client_cert=tmp_path / "c.pem")
    env = {"HTTP_PROXY": "http://upper:1", "https_proxy": "http://lower:2", "HTTPS_PROXY": "http://upper:2"}
    assert git_environment(network, tmp_path, env | {"NO_PROXY": "a"}) == {
        "GIT_SSL_CERT": str(tmp_path / "c.pem"),
        "GIT_SSL_KEY": str(tmp_path / "c.pem"),
        "http_proxy": "http://upper:1",
        "https_proxy": "http://lower:2",
        "no_proxy": "a,localhost,127.0.0.1,::1",
    }
    assert git_environment(NetworkConfig(), tmp_path, {"no_proxy": "a"}) == {"no_proxy": "a"}


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "https://forge.example.com", None),
        ({"HTTPS_PROXY": "http://p:3128"}, "https://forge.example.com", "http://p:3128"),
        ({"HTTPS_PROXY": "http://p:3128"}, "http://forge.example.com", None),
        ({"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:2"}, "https://x", "http://a:1"),
        ({"ALL_PROXY": "http://p:1"}, "http://x", "http://p:1"),
        ({"HTTPS_PROXY": "http://ada:hunter2@p:1"}, "https://x", "http://***@p:1"),
        ({"HTTPS_PROXY": "ada:hunter2@p:1"}, "https://x", "***@p:1"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.com"}, "https://forge.example.com", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "ample.com"}, "https://forge.example.com", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".example.com"}, "https://forge.example.com", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".example.com"}, "https://example.com", "http://p:1"),
        ({"HTTPS_PROXY": "http://p:1", "no_proxy": "*"}, "https://x", None),
        ({"HTTPS_PROXY": "http://p:1", "no_proxy": " x , [::2]"}, "https://[::2]/", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://localhost:8443", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, "https://10.1.2.3", "http://p:1"),
    ],
)
def test_the_proxy_on_the_way_is_known(environment: dict[str, str], url: str, proxy: str | None) -> None:
    found = proxy_of(url, environment)
    assert (mask_address(found.url) if found else None) == proxy
    assert "hunter2" not in repr(found)


def test_ranges_in_no_proxy_are_found() -> None:
    env = {"NO_PROXY": "10.0.0.0/8, nonsense/99, 192.168.0.0/16"}
    assert no_proxy_ranges("https://10.1.2.3:8443/x", env) == ("10.0.0.0/8",)
    assert no_proxy_ranges("https://forge.example.com", env) == ()


def test_mask_address_keeps_what_is_no_secret() -> None:
    assert mask_address("http://proxy:3128/x") == "http://proxy:3128/x"
    assert mask_address("socks5://u@proxy") == "socks5://***@proxy"
