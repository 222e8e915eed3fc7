from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isexplore.config.secrets import Secret, check_token, redact, register_secret
from isexplore.errors import ConfigError

CANARY = "glpat-canary-0123456789"
PLAIN = "0123456789abcdef0123456789abcdef01234567"
"""Gitea's tokens tell by nothing that they are one."""


def test_secret_shows_itself_nowhere() -> None:
    secret = Secret(CANARY)
    shown = f"{secret} {secret!r} {secret!s} {secret:>30} {[secret]} { ({'token': secret}) }"
    assert "canary" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy(secret)
    assert secret.reveal() == CANARY
    assert not hasattr(secret, "__dict__")
    assert secret == Secret(CANARY) != Secret("other")


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the tokens that other tests of this process made known."""
    monkeypatch.setattr("isexplore.config.secrets._known", set())


@pytest.mark.parametrize("text", [f" {CANARY}\n", f"{CANARY}\r\n", CANARY])
def test_token_is_taken_without_the_space_around_it(text: str) -> None:
    assert check_token(text).reveal() == CANARY


@pytest.mark.parametrize(
    "text", ["", " \n", "canary canary", "canary\ncanary", "canary\x1b", "canäry", "canary\u200b"]
)
def test_what_is_no_token_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_token(text)
    assert "can" not in str(caught.value).replace("cannot", "")


@pytest.mark.parametrize(
    "text",
    [
        "PRIVATE-TOKEN: {}",
        "{{'private-token': '{}'}}",
        'Authorization: "Bearer {}"',
        "authorization=token {}",
        "Authorization: Basic {}",
        "> Authorization: {}",
        "got Bearer {} there",
        "header token {} was",
        "https://oauth2:{}@git.example.com/x.git",
        "https://{}@git.example.com",
        "https://x/?private_token={}&page=2",
        "https://x/?access_token={}",
        '{{"access_token": "{}", "expires_in": 7200}}',
        '{{"refresh_token":"{}"}}',
        "device_code={}&client_id=1",
        "client_secret={}",
        "password={}\nhost=x",
    ],
)
def test_tokens_that_nobody_registered_are_masked_by_their_place(text: str) -> None:
    line = text.format(PLAIN)
    assert PLAIN not in redact(line)
    assert "***" in redact(line)
    for kept in ("git.example.com", "page=2", "expires_in", "client_id=1", "host=x"):
        assert (kept in line) == (kept in redact(line))


@pytest.mark.parametrize(
    "token",
    [
        "glpat-AbCd1234_-efghIJKL",
        "glpat-AbCd1234efghIJKL5678.01.0abcdef12",
        "gloas-" + "a" * 64,
        "glcbt-64_abcdefgh",
        "ghp_" + "a" * 36,
        "gho_" + "a" * 36,
        "ghs_" + "a" * 36,
        "github_pat_" + "a1B2_" * 10,
        "gto_" + "a" * 52,
    ],
)
def test_tokens_are_masked_by_their_prefix(token: str) -> None:
    assert redact(f"x {token}, y") == "x ***, y"
    assert redact(f"\n{token}\n") == "\n***\n"


def test_registered_tokens_are_masked_anywhere_and_encoded() -> None:
    secret = "s3cr3t/with+signs%"
    register_secret(Secret(secret))
    assert redact(f"a{secret}b") == "a***b"
    assert "s3cr3t" not in redact("q=s3cr3t%2Fwith%2Bsigns%25")
    assert redact("czNjcjN0L3dpdGgrc2lnbnMl==").startswith("***")


def test_a_secret_that_begins_another_hides_both() -> None:
    register_secret(Secret("abcdefgh"))
    register_secret(Secret("abcdefghijkl"))
    assert redact("abcdefghijkl abcdefgh") == "*** ***"


def test_short_values_do_not_eat_text() -> None:
    register_secret(Secret("a"))
    register_secret(Secret(""))
    assert redact("a banana") == "a banana"


@pytest.mark.parametrize(
    "text",
    [
        "The token is expired or was revoked; make a new token with scope api.",
        "Basic usage: see docs. A bearer of news.",
        "https://git.example.com/group/project/-/issues/1?page=2#note_3",
        "mail ada@example.com, see https://x/@ada",
        "origin\tgit@git.example.com:group/x.git (fetch)",
        "origin\tssh://git@git.example.com:2222/group/x.git (push)",
        "gh pr view; glab mr list; github_pats",
    ],
)
def test_innocent_text_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=200))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
