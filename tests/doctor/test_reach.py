from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from isexplore.config.schema import NetworkConfig
from isexplore.doctor.reach import check_way
from isexplore.doctor.report import Check, Lines
from tests.support.proxy import ConnectProxy
from tests.support.tls import Authority, Fault

FORGE = "forge.example.com"
"""A name that only the proxy of these tests knows."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "Example Corp")


@asynccontextmanager
async def tls_server(context: ssl.SSLContext) -> AsyncIterator[int]:
    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        except OSError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(hold, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def way(
    url: str,
    network: NetworkConfig | None = None,
    environment: dict[str, str] | None = None,
    seconds: float = 3.0,
    now: datetime | None = None,
) -> tuple[bool, dict[str, Check]]:
    lines = Lines("forge x")
    reached = await check_way(
        lines, url, network or NetworkConfig(), environment=environment or {}, seconds=seconds, now=now
    )
    for check in lines.checks:
        assert check.state != "bad" or check.fix, check
    return reached, {check.name: check for check in lines.checks}


async def test_good_way_tells_issuer_expiry_and_who_is_trusted(authority: Authority) -> None:
    async with tls_server(authority.server_context()) as port:
        reached, checks = await way(f"https://localhost:{port}/gitlab", NetworkConfig(ca_file=authority.file))
    assert reached
    assert {check.state for check in checks.values()} == {"ok"}
    assert list(checks) == ["proxy", "name", "connection", "TLS"]
    assert "certificate from Example Corp" in checks["TLS"].detail
    assert f"trusted through network.ca_file ({authority.file})" in checks["TLS"].detail
    assert "127.0.0.1" in checks["name"].detail


async def test_system_store_is_named_when_it_is_enough(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with tls_server(authority.server_context()) as port:
        url = f"https://localhost:{port}"
        _, checks = await way(url, NetworkConfig(ca_file=authority.file))
        assert "trusted through the system's store" in checks["TLS"].detail
        _, checks = await way(url, environment={"SSL_CERT_FILE": str(authority.file)})
        assert "trusted through SSL_CERT_FILE" in checks["TLS"].detail


@pytest.mark.parametrize(
    ("fault", "detail", "fix"),
    [
        ("expired", "ran out on 20", "date"),
        ("not-yet-valid", "is not valid yet", "clock"),
        ("wrong-host", "is for another name than localhost", "the name that the forge's web page has"),
        ("self-signed", "from Nobody", "root certificate"),
    ],
)
async def test_faulty_certificates_are_told_apart(
    authority: Authority, fault: Fault, detail: str, fix: str
) -> None:
    async with tls_server(authority.server_context(fault)) as port:
        reached, checks = await way(f"https://localhost:{port}", NetworkConfig(ca_file=authority.file))
    assert not reached
    assert checks["TLS"].state == "bad"
    assert detail in checks["TLS"].detail
    assert fix in checks["TLS"].fix


async def test_issuer_of_an_untrusted_certificate_is_named(authority: Authority) -> None:
    async with tls_server(authority.server_context()) as port:
        _, checks = await way(f"https://localhost:{port}")
    assert "from Example Corp is not trusted here" in checks["TLS"].detail
    assert "network.ca_file" in checks["TLS"].fix


async def test_certificate_that_runs_out_soon_is_told(authority: Authority) -> None:
    network = NetworkConfig(ca_file=authority.file)
    async with tls_server(authority.server_context()) as port:
        url = f"https://localhost:{port}"
        _, checks = await way(url, network)
        end = datetime.strptime(checks["TLS"].detail.partition("until ")[2][:10], "%Y-%m-%d").replace(
            tzinfo=UTC
        )
        reached, checks = await way(url, network, now=end - timedelta(days=3))
    assert reached
    assert checks["TLS"].state == "warn"
    assert "3 days left" in checks["TLS"].detail


async def test_server_without_tls_is_told() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        _, checks = await way(f"https://localhost:{server.sockets[0].getsockname()[1]}")
    assert checks["TLS"].state == "bad"
    assert "does not speak TLS" in checks["TLS"].fix


async def test_silent_server_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        _, checks = await way(f"https://127.0.0.1:{silent.getsockname()[1]}", seconds=0.2)
    assert "not done within 0.2 seconds" in checks["TLS"].detail


async def test_closed_port_is_told() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        reached, checks = await way(f"https://127.0.0.1:{port}")
    assert not reached
    assert checks["connection"].detail == f"port {port}: connection refused"
    assert "TLS" not in checks


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70 + ".example.com"])
async def test_unknown_name_is_told(host: str) -> None:
    reached, checks = await way(f"https://{host}")
    assert not reached
    assert checks["name"].state == "bad"
    assert "connection" not in checks


async def test_http_is_told() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        reached, checks = await way(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert reached
    assert checks["TLS"].state == "warn"


async def test_missing_ca_file_is_told(tmp_path: Path, authority: Authority) -> None:
    async with tls_server(authority.server_context()) as port:
        reached, checks = await way(f"https://localhost:{port}", NetworkConfig(ca_file=tmp_path / "gone.pem"))
    assert not reached
    assert "gone.pem" in checks["TLS"].detail


# Through a proxy


async def test_way_leads_through_the_proxy(authority: Authority) -> None:
    context = authority.server_context(hosts=(FORGE,))
    async with tls_server(context) as port, ConnectProxy(port, login="ada:hunter2").running() as proxy:
        reached, checks = await way(
            f"https://{FORGE}/gitlab",
            NetworkConfig(ca_file=authority.file),
            {"HTTPS_PROXY": f"http://ada:hunter2@127.0.0.1:{proxy.port}"},
        )
        assert set(proxy.targets) == {f"{FORGE}:443"}
    assert reached, checks
    assert checks["proxy"].detail == f"http://***@127.0.0.1:{proxy.port} (HTTPS_PROXY)"
    assert "certificate from Example Corp" in checks["TLS"].detail


async def test_proxy_that_opens_tls_is_named(authority: Authority, tmp_path: Path) -> None:
    inspector = Authority(tmp_path / "inspector", "Inspection Appliance")
    context = inspector.server_context(hosts=(FORGE,))
    async with tls_server(context) as port, ConnectProxy(port).running() as proxy:
        reached, checks = await way(
            f"https://{FORGE}",
            NetworkConfig(ca_file=authority.file),
            {"https_proxy": f"http://127.0.0.1:{proxy.port}"},
        )
    assert not reached
    assert "from Inspection Appliance is not trusted here" in checks["TLS"].detail
    assert str(authority.file) in checks["TLS"].fix


@pytest.mark.parametrize(
    ("status", "login", "fix"),
    [
        ("403 Forbidden", "", "Ask whoever runs the proxy"),
        ("200 OK", "ada:hunter2", "Put user and password into HTTPS_PROXY"),
        ("502 \x1b[31mBad", "", "Ask whoever runs the proxy"),
    ],
)
async def test_proxy_that_refuses_is_told(status: str, login: str, fix: str) -> None:
    async with ConnectProxy(9, status=status, login=login).running() as proxy:
        reached, checks = await way(
            f"https://{FORGE}", environment={"HTTPS_PROXY": f"127.0.0.1:{proxy.port}"}
        )
    assert not reached
    assert checks["TLS"].state == "bad"
    assert fix in checks["TLS"].fix
    assert "\x1b" not in checks["TLS"].detail


async def test_proxy_that_is_none_is_told() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        _, checks = await way(f"https://{FORGE}", environment={"HTTPS_PROXY": f"http://127.0.0.1:{port}"})
    assert "the proxy did not answer as one" in checks["TLS"].detail


@pytest.mark.parametrize("proxy", ["http://", "http://proxy:99999", "://"])
async def test_proxy_address_that_is_wrong_is_told(proxy: str) -> None:
    reached, checks = await way(f"https://{FORGE}", environment={"HTTPS_PROXY": proxy})
    assert not reached
    assert checks["proxy"].state == "bad"


async def test_range_in_no_proxy_is_told() -> None:
    environment = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "10.0.0.0/8"}
    _, checks = await way("https://10.1.2.3", environment=environment)
    assert checks["proxy"].state == "warn"
    assert "10.1.2.3 itself" in checks["proxy"].fix


async def test_socks_is_left_alone() -> None:
    reached, checks = await way(f"https://{FORGE}", environment={"ALL_PROXY": "socks5://127.0.0.1:9"})
    assert reached
    assert checks["proxy"].state == "warn"
