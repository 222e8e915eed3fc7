from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from isexplore.config.edit import append_forge
from isexplore.config.keyring_store import KeyringStore
from isexplore.config.load import load
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.config.secrets import Secret
from isexplore.config.tokens import Tokens
from isexplore.errors import (
    AuthError,
    ConfigError,
    ForbiddenError,
    MovedError,
    ScopeError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.forge.http import ForgeClient
from isexplore.login.sign_in import Candidate, SignIn
from isexplore.login.verify import expiry_words, missing_by_asking
from isexplore.models import ForgeKind
from isexplore.practice.server import NEWCOMER, Grant
from tests.support.forge import ForgeServer, Reply, html
from tests.support.practice import RunningPractice, running_practice
from tests.support.tls import Authority


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPractice]:
    with running_practice(tmp_path_factory.mktemp("practice")) as forge:
        yield forge


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.under(tmp_path)


class FakeKeyring:
    __module__ = "keyring.backends.SecretService"

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[username]


def sign_in(paths: Paths, keyring: FakeKeyring | None = None) -> SignIn:
    backend = keyring or FakeKeyring()
    tokens = Tokens(Config(), paths, keyring=KeyringStore(lambda: backend))
    return SignIn(paths, tokens=tokens)


def grant(practice: RunningPractice, token: str, **more: object) -> Secret:
    practice.forge.tokens[token] = Grant(username=NEWCOMER, **more)  # type: ignore[arg-type]
    return Secret(token)


async def test_from_an_address_to_a_forge_that_is_ready(practice: RunningPractice, paths: Paths) -> None:
    keyring = FakeKeyring()
    flow = sign_in(paths, keyring)
    candidate = await flow.recognise(f"{practice.url}/tools/alpha/-/issues/1")
    assert (candidate.kind, candidate.forge.url, candidate.configured) == (
        ForgeKind.GITLAB,
        practice.url,
        False,
    )
    assert candidate.needs.page.startswith(f"{practice.url}/-/user_settings/personal_access_tokens?")
    assert not candidate.offers_code
    verified = await flow.verify(candidate, Secret(practice.token))
    assert verified.person.username == NEWCOMER
    assert verified.facts.scopes == ("api",)
    assert verified.missing == ()
    assert verified.warnings == ()
    assert verified.git.ok, verified.git
    assert verified.git.detail == "git over HTTPS can read tools/alpha"
    done = await flow.keep(candidate, Secret(practice.token), verified)
    assert done.added
    assert done.kept.lasting
    assert keyring.kept == {practice.url: practice.token}
    written = paths.config_file.read_text()
    assert practice.token not in written
    assert load(paths, environment={}).checked().forges == (
        ForgeConfig(name="127.0.0.1", url=practice.url, kind=ForgeKind.GITLAB, username=NEWCOMER),
    )
    again = await sign_in(paths, keyring).recognise("127.0.0.1")
    assert again.configured


async def test_configured_forge_gets_a_token_only(practice: RunningPractice, paths: Paths) -> None:
    append_forge(paths.config_file, ForgeConfig(name="work", url=practice.url))
    before = paths.config_file.read_bytes()
    keyring = FakeKeyring()
    flow = sign_in(paths, keyring)
    for url in ("work", practice.url, practice.url + "/", f"{practice.url}/tools/alpha"):
        candidate = await flow.recognise(url)
        assert (candidate.forge.name, candidate.kind, candidate.configured) == (
            "work",
            ForgeKind.GITLAB,
            True,
        )
    verified = await flow.verify(candidate, Secret(practice.token), with_git=False)
    assert verified.git.ok is None
    done = await flow.keep(candidate, Secret(practice.token), verified)
    assert not done.added
    assert paths.config_file.read_bytes() == before
    assert keyring.kept == {practice.url: practice.token}


@pytest.mark.parametrize(
    "problem", ["Token was revoked. You have to re-authorize from the user.", "Token is expired."]
)
async def test_dead_token_is_refused(practice: RunningPractice, paths: Paths, problem: str) -> None:
    flow = sign_in(paths)
    candidate = await flow.recognise(practice.url)
    with pytest.raises(AuthError):
        await flow.verify(candidate, grant(practice, "dead-token", problem=problem))
    with pytest.raises(AuthError):
        await flow.verify(candidate, Secret("no-such-token"))


async def test_missing_scope_is_named(practice: RunningPractice, paths: Paths) -> None:
    flow = sign_in(paths)
    candidate = await flow.recognise(practice.url)
    reading = await flow.verify(candidate, grant(practice, "reading-token", scopes=("read_api",)))
    assert reading.missing == ("api",)
    assert "Without api" in reading.warnings[0]
    assert reading.git.ok is False
    with pytest.raises(ScopeError) as caught:
        await flow.verify(candidate, grant(practice, "little-token", scopes=("read_user",)))
    assert caught.value.missing == ("api",)


async def test_token_that_runs_out_soon_is_told(practice: RunningPractice, paths: Paths) -> None:
    flow = sign_in(paths)
    candidate = await flow.recognise(practice.url)
    soon = datetime.now(UTC).date() + timedelta(days=3)
    verified = await flow.verify(candidate, grant(practice, "soon-token", expires_on=soon), with_git=False)
    assert verified.warnings == (f"The token runs out in 3 days ({soon}).",)
    late = soon + timedelta(days=300)
    verified = await flow.verify(candidate, grant(practice, "late-token", expires_on=late), with_git=False)
    assert verified.warnings == ()


@pytest.mark.parametrize(
    ("days", "words"),
    [(-2, "ran out 2 days ago"), (-1, "ran out 1 day ago"), (0, "runs out today"), (1, "runs out in 1 day")],
)
def test_expiry_is_told_in_words(days: int, words: str) -> None:
    today = date(2026, 3, 4)
    assert expiry_words(today + timedelta(days=days), today).startswith(words + " (2026-03-")


async def test_broken_configuration_is_told_before_anybody_makes_a_token(paths: Paths) -> None:
    paths.config_dir.mkdir()
    paths.config_file.write_text("tags = [")
    with pytest.raises(ConfigError, match="not valid TOML"):
        SignIn(paths)


@pytest.mark.parametrize(("name", "words"), [("a b", "cannot be called"), ("taken", "called taken already")])
async def test_name_must_be_free(practice: RunningPractice, paths: Paths, name: str, words: str) -> None:
    append_forge(paths.config_file, ForgeConfig(name="taken", url="https://git.example.com"))
    with pytest.raises(ConfigError, match=words):
        await sign_in(paths).recognise(practice.url, name=name)
    assert (await sign_in(paths).recognise(practice.url, name="mine")).forge.name == "mine"


async def test_forge_behind_the_organisations_authority(paths: Paths, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    async with ForgeServer("/gitlab").running(authority.server_context()) as server:
        server.on("GET", "/api/v4/version", Reply(401, {"message": "401 Unauthorized"}))
        paths.config_dir.mkdir()
        with pytest.raises(UnavailableError, match="cannot be trusted"):
            await sign_in(paths).recognise(f"{server.url}/gitlab")
        paths.config_file.write_text(f'[network]\nca_file = "{authority.file}"\n')
        candidate = await sign_in(paths).recognise(f"{server.url}/gitlab/group/project")
        assert candidate.forge.url == f"{server.url}/gitlab"


@pytest.mark.parametrize(
    "reply",
    [
        html("Corporate single sign-on"),
        Reply(302, b"", {"Location": "https://sso.example.com/login"}),
        Reply(200, b"hi"),
    ],
)
async def test_login_wall_is_not_taken_for_a_forge(paths: Paths, reply: Reply) -> None:
    async with ForgeServer().running() as server:
        for path in ("/api/v4/version", "/api/v1/version", "/api/v3/meta"):
            server.on("GET", path, reply)
        with pytest.raises((WrongAnswerError, MovedError)) as caught:
            await sign_in(paths).recognise(server.url)
        assert caught.value.title
    assert not paths.config_file.exists()


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        (
            "You must accept the Terms of Service in order to perform this action. "
            "Please access GitLab from a web browser to accept these terms.",
            "in a browser and accept there",
        ),
        ("403 Forbidden - Your account has been blocked.", "your account may have to accept or confirm"),
    ],
)
async def test_account_that_is_not_let_in_is_sent_to_the_forges_pages(
    paths: Paths, said: str, hint: str
) -> None:
    async with ForgeServer().running() as server:
        for path in ("/api/v4/version", "/api/v4/metadata", "/api/v4/user"):
            server.on("GET", path, Reply(403, {"message": said}))
        signing = sign_in(paths)
        candidate = await signing.recognise(server.url, kind=ForgeKind.GITLAB)
        with pytest.raises(ForbiddenError) as caught:
            await signing.verify(candidate, Secret("token"), with_git=False)
    assert caught.value.detail == said
    assert hint in caught.value.hint
    assert server.url.removeprefix("http://") in caught.value.hint


# Gitea does not tell a token's scopes


def gitea_answer(status: int, required: str = "") -> Reply:
    words = (
        f"token does not have at least one of required scope(s), required=[{required}], token scope=read:user"
    )
    return Reply(status, {"message": words if status == 403 else "not found", "url": "https://x/api/swagger"})


GITEA_PATHS = {
    "read:repository": ("GET", "/repos/search"),
    "read:issue": ("GET", "/repos/issues/search"),
    "write:repository": ("POST", "/repos/-/-/forks"),
    "write:issue": ("POST", "/repos/-/-/issues/1/comments"),
}


async def ask_gitea(*missing: str) -> tuple[str, ...]:
    async with ForgeServer().running() as server:
        for scope, (method, path) in GITEA_PATHS.items():
            fine = Reply(200, {"data": []}) if method == "GET" else gitea_answer(404)
            server.on(method, path, gitea_answer(403, scope) if scope in missing else fine)
        async with ForgeClient(name="x", base_url=server.url, token=Secret("token")) as client:
            return await missing_by_asking(client)


async def test_gitea_scopes_are_found_by_asking() -> None:
    assert await ask_gitea() == ()
    assert await ask_gitea("write:repository") == ("write:repository",)
    assert await ask_gitea("write:repository", "write:issue") == ("write:repository", "write:issue")
    with pytest.raises(ScopeError) as caught:
        await ask_gitea("read:repository", "write:repository")
    assert "write:repository" in caught.value.missing


async def test_code_is_offered_where_an_administrator_registered_isexplore(paths: Paths) -> None:
    forge = ForgeConfig(
        name="work", url="https://git.example.com", kind=ForgeKind.GITLAB, client_id="client-1"
    )
    append_forge(paths.config_file, forge)
    flow = sign_in(paths)
    candidate = await flow.recognise("work")
    assert candidate == Candidate(
        forge=forge, kind=ForgeKind.GITLAB, product="GitLab", version=None, configured=True
    )
    assert candidate.offers_code
    device = flow.device_flow(candidate)
    await device.close()


async def test_plain_http_is_taken_where_it_is_wanted_and_written_down(tmp_path: Path) -> None:
    signing = SignIn(Paths.under(tmp_path), environment={})
    with pytest.raises(ConfigError, match="without encryption") as refused:
        await signing.recognise("http://forge.invalid:3000")
    assert "--allow-http" in refused.value.hint
    forge = signing._new_forge(
        "http://forge.invalid:3000", ForgeKind.GITEA, "http://forge.invalid:3000/api/v1", None
    )
    append_forge(signing.paths.config_file, msgspec.structs.replace(forge, allow_http=True))
    assert SignIn(Paths.under(tmp_path), environment={}).config.forges[0].allow_http
