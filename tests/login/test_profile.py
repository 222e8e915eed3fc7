from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from isexplore.config.load import load, profile_cache
from isexplore.config.network import ssl_context
from isexplore.config.paths import Paths
from isexplore.config.schema import NetworkConfig
from isexplore.errors import ConfigError, ForgeError, MovedError, UnavailableError
from isexplore.login.profile import LIMIT, STALE_SECONDS, add_profile, refresh_profile
from tests.support.forge import ForgeServer, Reply, html
from tests.support.tls import Authority

PROFILE = b'tags = ["org"]\n[forge.org]\nurl = "https://git.example.com"\nkind = "gitlab"\n'


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def tls(authority: Authority) -> Callable[[], ssl.SSLContext]:
    return lambda: ssl_context(NetworkConfig(ca_file=authority.file), {})


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.under(tmp_path)


async def test_file_is_checked_and_named_in_the_configuration(paths: Paths, tmp_path: Path) -> None:
    file = tmp_path / "org.toml"
    file.write_bytes(b"\xef\xbb\xbf" + PROFILE)
    added = await add_profile(str(file), paths)
    assert added.place == str(file)
    assert added.loaded.checked().forges[0].name == "org"
    assert paths.config_file.read_text() == f'profile = "{file}"\n'
    await add_profile(str(file), paths)
    assert paths.config_file.read_text().count("profile") == 1


async def test_address_is_fetched_kept_and_used_without_network(
    paths: Paths, authority: Authority, tls: Callable[[], ssl.SSLContext]
) -> None:
    async with ForgeServer().running(authority.server_context()) as server:
        server.on("GET", "/isexplore.toml", Reply(200, PROFILE, {"Content-Type": "text/plain"}))
        place = f"{server.url}/isexplore.toml"
        added = await add_profile(place, paths, tls=tls)
        assert added.loaded.checked().tags == ("org",)
        assert "authorization" not in server.requests[0].headers
    assert load(paths, environment={}).checked().forges[0].url == "https://git.example.com"


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (html("Sign in to the VPN"), ConfigError, "web page"),
        (Reply(404, b"no"), ForgeError, None),
        (Reply(302, b"", {"Location": "https://elsewhere.example.com/"}), MovedError, None),
        (Reply(200, b"tags = ["), ConfigError, "not valid TOML"),
        (Reply(200, b'tgas = ["x"]\neditor = "rm"\n'), ConfigError, "did you mean tags"),
        (Reply(200, b"# " + b"x" * LIMIT), ConfigError, "not an organisation profile"),
    ],
)
async def test_what_is_no_profile_changes_nothing(
    paths: Paths,
    authority: Authority,
    tls: Callable[[], ssl.SSLContext],
    reply: Reply,
    error: type[Exception],
    words: str | None,
) -> None:
    async with ForgeServer().running(authority.server_context()) as server:
        server.on("GET", "/p.toml", reply)
        with pytest.raises(error, match=words):
            await add_profile(f"{server.url}/p.toml", paths, tls=tls)
    assert not paths.config_file.exists()
    assert not paths.cache_dir.exists()


async def test_all_faults_of_a_profile_are_told(paths: Paths, tmp_path: Path) -> None:
    file = tmp_path / "org.toml"
    file.write_text('tgas = []\neditor = "x"\n[network]\ntimeout = 0\n')
    with pytest.raises(ConfigError) as caught:
        await add_profile(str(file), paths)
    assert "org.toml:1" in caught.value.title
    assert "org.toml:2" in caught.value.detail
    assert "org.toml:4" in caught.value.detail


@pytest.mark.parametrize("place", ["http://intranet.example.com/x.toml", "ftp://x/y", "https://u:p@x/y"])
async def test_address_must_be_safe(paths: Paths, place: str) -> None:
    with pytest.raises(ConfigError, match="not the address"):
        await add_profile(place, paths)


async def test_unknown_authority_is_told(paths: Paths, authority: Authority) -> None:
    async with ForgeServer().running(authority.server_context()) as server:
        with pytest.raises(UnavailableError, match="cannot be trusted"):
            await add_profile(f"{server.url}/p.toml", paths, tls=lambda: ssl_context(NetworkConfig(), {}))


async def test_missing_file_is_told(paths: Paths, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no organisation profile"):
        await add_profile(str(tmp_path / "gone.toml"), paths)
    with pytest.raises(ConfigError, match="cannot be read"):
        await add_profile(str(tmp_path), paths)


async def test_another_profile_is_not_replaced(paths: Paths, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(PROFILE)
    await add_profile(str(tmp_path / "one"), paths)
    with pytest.raises(ConfigError, match="sets profile already"):
        await add_profile(str(tmp_path / "two"), paths)


async def test_old_profile_is_fetched_again_and_a_bad_one_ignored(
    paths: Paths, authority: Authority, tls: Callable[[], ssl.SSLContext]
) -> None:
    async with ForgeServer().running(authority.server_context()) as server:
        server.on(
            "GET",
            "/p.toml",
            Reply(200, PROFILE),
            Reply(200, PROFILE.replace(b"org", b"new", 1)),
            Reply(200, PROFILE.replace(b"org", b"new", 1)),
            Reply(200, b"broken ["),
            Reply(500, b""),
        )
        place = f"{server.url}/p.toml"
        loaded = (await add_profile(place, paths, tls=tls)).loaded
        file = profile_cache(paths, place)

        async def again(age: float) -> bool:
            return await refresh_profile(loaded, paths, tls=tls, now=lambda: file.stat().st_mtime + age)

        assert not await again(STALE_SECONDS - 1)
        assert len(server.requests) == 1
        assert await again(STALE_SECONDS + 1)
        assert load(paths, environment={}).checked().tags == ("new",)
        os.utime(file, (1, 1))
        assert not await again(STALE_SECONDS + 1)
        assert file.stat().st_mtime > 1
        assert not await again(STALE_SECONDS + 1)
        assert not await again(STALE_SECONDS + 1)
        assert load(paths, environment={}).checked().tags == ("new",)
    assert not await refresh_profile(load(Paths.under(paths.cache_dir), environment={}), paths)
