"""Connecting at the screens, against a forge on loopback: every way in, and what is asked before a token is kept."""

from __future__ import annotations

import os
import urllib.parse
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.events import Paste
from textual.widgets import Input

from isexplore.config.keyring_store import KeyringStore
from isexplore.config.load import load
from isexplore.config.paths import Paths
from isexplore.config.tokens import Tokens
from isexplore.practice.server import NEWCOMER, Grant
from isexplore.services import Services
from isexplore.tui.app import IsexploreApp
from isexplore.tui.screens.explore import ExploreScreen
from isexplore.tui.screens.sign_in import SignInScreen
from isexplore.tui.widgets.bars import StatusLine
from isexplore.tui.widgets.form import Form
from tests.support.forge import ForgeServer, Reply
from tests.support.practice import RunningPractice, running_practice
from tests.support.tui import settle
from tests.support.world import Person, at_the_screen, services_for

GOOD = "good-canary-token"
READING = "reading-canary-token"
REVOKED = "revoked-canary-token"


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPractice]:
    with running_practice(tmp_path_factory.mktemp("forge")) as running:
        running.forge.tokens[GOOD] = Grant(username=NEWCOMER)
        running.forge.tokens[READING] = Grant(username=NEWCOMER, scopes=("read_api", "read_repository"))
        running.forge.tokens[REVOKED] = Grant(username=NEWCOMER, problem="Token was revoked.")
        yield running


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.under(tmp_path / "isexplore")


class Keyring:
    """A keyring of a kind that isexplore uses."""

    __module__ = "keyring.backends.SecretService"

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[username]


@asynccontextmanager
async def newcomer(
    paths: Paths, keyring: Keyring | None = None, *, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Person]:
    """Somebody who starts isexplore for the first time, with a keyring or without, at the question for the address."""
    services = Services(paths, load(paths).checked())
    if keyring is not None:
        services.__dict__["tokens"] = Tokens(services.config, paths, keyring=KeyringStore(lambda: keyring))
    async with at_the_screen(services, size=size, first_run=True) as person:
        await person.press("c")
        await person.sees_words("Address of your organisation's forge")
        yield person


async def answer(person: Person, text: str, *then_sees: str) -> None:
    """Paste an answer, send it, and wait for what comes of it."""
    person.app.screen.query_one(Input).value = text
    await person.press("enter")
    await person.sees_words(*then_sees)


async def is_exploring(person: Person) -> None:
    """Wait until the list of projects is there."""
    await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
    await person.sees_words("tools/alpha")


def program(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program of ours into the PATH."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


async def test_from_an_address_and_a_token_to_the_projects(forge: RunningPractice, paths: Paths) -> None:
    keyring = Keyring()
    async with newcomer(paths, keyring) as person:
        await answer(
            person, f"{forge.url}/tools/alpha", "is GitLab", "api", "find projects, fork, push", "Token"
        )
        assert "How do you want to sign in?" not in person.words
        await answer(person, GOOD, "Signed in as @nia", "kept in keyring")
        assert GOOD not in person.sees
        await is_exploring(person)
    assert keyring.kept == {forge.url: GOOD}


async def test_wrong_token_is_told_and_may_be_typed_again(forge: RunningPractice, paths: Paths) -> None:
    async with newcomer(paths, Keyring()) as person:
        address = person.app.screen.query_one(Form)
        await answer(person, forge.url, "Token")
        # Enter pressed twice: the second comes when another question is asked already.
        person.app.screen.post_message(Form.Submitted(address))
        await settle(person.pilot)
        await answer(person, REVOKED, "revoked", "paste another one")
        assert not paths.config_file.exists()
        await answer(person, GOOD, "Signed in as @nia")


async def test_a_token_that_is_pasted_takes_the_place_of_the_refused_one(
    forge: RunningPractice, paths: Paths
) -> None:
    async with newcomer(paths, Keyring()) as person:
        await answer(person, forge.url, "Token")
        await answer(person, REVOKED, "revoked", "paste another one")
        person.app.screen.query_one(Input).post_message(Paste(GOOD))
        await person.press("enter")
        await person.sees_words("Signed in as @nia")


async def test_on_a_small_screen_the_question_is_in_sight(forge: RunningPractice, paths: Paths) -> None:
    async with newcomer(paths, Keyring(), size=(80, 24)) as person:
        await answer(person, forge.url, "It is not shown, and goes to this forge only.", "is GitLab")
        for text in ("no-such-token", GOOD):
            entry = person.app.screen.query_one(Input)
            await person.until(lambda: person.app.screen.query_one("#sign-in").region.contains_region(
                person.app.screen.query_one(Input).region))  # fmt: skip
            entry.value = text
            await person.press("enter")
            await person.sees_words("paste another one" if text != GOOD else "Signed in as @nia")


async def test_the_page_for_a_token_fits_whole_with_its_address_unbroken(
    forge: RunningPractice, paths: Paths
) -> None:
    page = f"{forge.url}/-/user_settings/personal_access_tokens"
    async with newcomer(paths, Keyring(), size=(80, 24)) as person:
        await answer(person, forge.url, "You need a personal access token with:", page, "Token")
        assert person.app.screen.query_one("#sign-in").max_scroll_y == 0
        assert f"{page}?" not in person.words
        await person.pilot.resize_terminal(100, 24)
        await person.sees_words(f"{page}?name=isexplore&scopes=api")


async def test_on_ten_lines_the_token_can_be_typed_and_a_refusal_read(
    forge: RunningPractice, paths: Paths
) -> None:
    async with newcomer(paths, Keyring(), size=(40, 10)) as person:
        await answer(person, forge.url, "Token", "It is not shown", "enter Go on")
        await answer(person, "no-such-token", "does not accept the token", "•••", "Token", "enter Go on")


async def test_a_refused_address_is_told_whole_on_a_small_screen(paths: Paths) -> None:
    async with newcomer(paths, Keyring(), size=(80, 24)) as person:
        await answer(person, "http://git.example.com", "without encryption")
        line = person.app.screen.query_one(StatusLine)
        await person.until(lambda: line.message.split()[-1] in person.words)
        assert " ".join(line.message.split()) in person.words


async def test_login_of_another_program_is_offered(
    forge: RunningPractice, paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = urllib.parse.urlsplit(forge.url).netloc
    script = f'test "$*" = "config get token --host {host}" && echo {GOOD}'
    program(tmp_path / "bin", "glab", script, monkeypatch)
    keyring = Keyring()
    async with newcomer(paths, keyring) as person:
        await answer(
            person,
            forge.url,
            "How do you want to sign in?",
            "the token that glab holds",
            "Make a new personal",
        )
        await person.press("enter")
        await person.sees_words("Signed in as @nia")
        assert GOOD not in person.sees
    assert keyring.kept == {forge.url: GOOD}


async def test_login_of_another_program_that_no_longer_works_leaves_the_other_ways(
    forge: RunningPractice, paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin", "glab", f"echo {REVOKED}", monkeypatch)
    async with newcomer(paths, Keyring()) as person:
        await answer(person, forge.url, "How do you want to sign in?")
        await person.press("enter")
        await person.sees_words("revoked", "How do you want to sign in?")
        await person.press("down", "enter")
        await person.sees_words("Make it here")
        await person.press("escape")
        await person.sees_words("How do you want to sign in?")
        await person.press("down", "enter")
        await person.sees_words("Make it here")
        await answer(person, GOOD, "Signed in as @nia")


async def test_missing_scope_is_named_before_anything_is_kept(forge: RunningPractice, paths: Paths) -> None:
    keyring = Keyring()
    async with newcomer(paths, keyring) as person:
        await answer(person, forge.url, "Token")
        await answer(
            person, READING, "it lacks api", "not fork, push or open merge requests", "Keep this token?"
        )
        assert keyring.kept == {}
        assert not paths.config_file.exists()
        await person.press("enter")
        await person.sees_words("Make it here")
        await answer(person, READING, "Keep this token?")
        await person.press("down", "enter")
        await person.sees_words("Signed in as @nia")
    assert keyring.kept == {forge.url: READING}


@pytest.mark.parametrize("yes", [True, False])
async def test_without_a_keyring_a_file_is_offered_and_no_is_the_answer_to_begin_with(
    forge: RunningPractice, paths: Paths, yes: bool
) -> None:
    file = paths.data_dir / "tokens.toml"
    async with newcomer(paths) as person:
        await answer(person, forge.url, "Token")
        await answer(person, GOOD, "no keyring can keep it", "in a file that only you can read?")
        assert not file.exists()
        await person.press(*["down"] * yes, "enter")
        await person.sees_words("Signed in as @nia", "tokens.toml" if yes else "until you leave isexplore")
        await is_exploring(person)
    assert file.exists() is yes
    if yes:
        assert file.stat().st_mode & 0o777 == 0o600
        assert GOOD in file.read_text()


async def test_code_in_the_browser_where_an_administrator_registered_isexplore(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ForgeServer().running() as server:
        started = {
            "device_code": "device-canary",
            "user_code": "0A44-L90H",
            "verification_uri": f"{server.url}/oauth/device",
            "verification_uri_complete": f"{server.url}/oauth/device?user_code=0A44-L90H",
            "expires_in": 60,
            "interval": 1,
        }
        signed = {"access_token": GOOD, "refresh_token": "refresh-canary", "expires_in": 7200}
        server.on("POST", "/oauth/authorize_device", Reply(body=started))
        server.on("POST", "/oauth/token", Reply(body=signed))
        server.on(
            "GET", "/api/v4/user", Reply(body={"id": 7, "username": "nia", "name": "Nia", "state": "active"})
        )
        server.on("GET", "/api/v4/metadata", Reply(body={"version": "18.1.0", "enterprise": False}))
        server.on("GET", "/api/v4/version", Reply(body={"version": "18.1.0"}))
        server.on("GET", "/api/v4/personal_access_tokens/self", Reply(body={"name": "x", "scopes": ["api"]}))
        paths.config_file.parent.mkdir(parents=True)
        paths.config_file.write_text(
            f'[forge.work]\nurl = "{server.url}"\nkind = "gitlab"\nclient_id = "registered"\n'
        )
        keyring = Keyring()
        opened: list[str] = []
        async with newcomer(paths, keyring) as person:
            monkeypatch.setattr(person.app, "open_page", opened.append)
            await answer(person, server.url, "Type a code on a page of the forge", "Make a new personal")
            await person.press("enter")
            await person.sees_words("0A44-L90H", f"{server.url}/oauth/device", "Waiting for you there")
            await person.press("ctrl+o")
            await person.sees_words("Signed in as @nia")
            assert "canary" not in person.sees
            renewal = await person.app.services.tokens.grant(person.app.services.config.forges[0])
        assert opened == [f"{server.url}/oauth/device?user_code=0A44-L90H"]
        assert keyring.kept[server.url] == GOOD
        assert renewal is not None, "the running program can renew it, too"


async def test_signing_in_again_changes_the_token_and_nothing_else(
    forge: RunningPractice, paths: Paths
) -> None:
    written = f'# Mine.\n[forge.work]\nurl = "{forge.url}"\nkind = "gitlab"\nusername = "nia"\n'
    paths.config_file.parent.mkdir(parents=True)
    paths.config_file.write_text(written)
    paths.state_file.parent.mkdir(parents=True, exist_ok=True)
    services = Services(paths, load(paths).checked())
    keyring = Keyring()
    keyring.kept[forge.url] = REVOKED
    services.__dict__["tokens"] = Tokens(services.config, paths, keyring=KeyringStore(lambda: keyring))
    journeys = services.journey_store.list()
    async with at_the_screen(services) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        before = person.app.screen
        person.app.push_screen(SignInScreen("work"))
        await person.sees_words(f"{forge.url} is GitLab", "Make it here")
        await answer(person, GOOD, "Signed in as @nia")
        assert person.app.screen is before
        await person.sees_words("tools/alpha")
    assert keyring.kept == {forge.url: GOOD}
    assert paths.config_file.read_text() == written
    assert services.journey_store.list() == journeys


@pytest.mark.parametrize(("days", "told"), [(5, True), (40, False)])
async def test_token_that_runs_out_soon_is_told_on_start(
    forge: RunningPractice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, told: bool
) -> None:
    monkeypatch.setattr(IsexploreApp, "TOKENS_AFTER", 0.01)
    expires_on = datetime.now(UTC).date() + timedelta(days=days)
    forge.forge.tokens["ending-canary-token"] = Grant(username=NEWCOMER, expires_on=expires_on)
    services = services_for(tmp_path, forge.url, "ending-canary-token")
    async with at_the_screen(services) as person:
        await person.sees_words("tools/alpha")
        if told:
            await person.sees_words("Soon you need a new token", "runs out in 5 days", "isexplore login")
        else:
            await person.until((services.paths.cache_dir / "expiry.json").exists)
            await settle(person.pilot)
            assert "runs out" not in person.words


async def test_the_key_that_signs_in_asks_only_once(tmp_path: Path) -> None:
    async with at_the_screen(services_for(tmp_path, "http://127.0.0.1:9", "token")) as person:
        await person.until(lambda: isinstance(person.app.screen, ExploreScreen))
        await person.press("L")
        await person.until(lambda: isinstance(person.app.screen, SignInScreen))
        signing_in = person.app.screen
        # As where a code is waited for: there is no field that would take the letter.
        signing_in.set_focus(None)
        await person.press("L")
        await person.sees_words("You are signing in already; esc goes back.")
        assert person.app.screen is signing_in
