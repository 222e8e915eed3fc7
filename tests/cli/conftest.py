"""The command line, and a practice forge that it can talk to as if it were somebody's GitLab."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from isexplore.practice.server import NEWCOMER, Grant
from tests.support.cli import CommandLine, no_log_outlives
from tests.support.practice import RunningPractice, running_practice


@pytest.fixture(autouse=True)
def no_log_outlives_the_test() -> Iterator[None]:
    """Take away the handlers that a command line adds to this process's log."""
    with no_log_outlives():
        yield


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, hurried: None) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPractice]:
    with running_practice(tmp_path_factory.mktemp("forge"), import_seconds=0.02) as running:
        for token, grant in (
            ("expired-canary-token", Grant(username=NEWCOMER, problem="Token is expired.")),
            ("revoked-canary-token", Grant(username=NEWCOMER, problem="Token was revoked.")),
            ("reading-canary-token", Grant(username=NEWCOMER, scopes=("read_api", "read_repository"))),
            ("little-canary-token", Grant(username=NEWCOMER, scopes=("read_user",))),
        ):
            running.forge.tokens[token] = grant
        yield running


@pytest.fixture
def connected(
    cli: CommandLine, forge: RunningPractice, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CommandLine]:
    """Yield the command line with an address and a token in variables, and no configuration at all."""
    forge.knobs.faults.clear()
    monkeypatch.setenv("ISEXPLORE_URL", forge.url)
    monkeypatch.setenv("ISEXPLORE_TOKEN", forge.token)
    cli.secrets |= set(forge.forge.tokens)
    yield cli
    forge.knobs.faults.clear()
