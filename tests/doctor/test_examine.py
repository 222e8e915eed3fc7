from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from isexplore.config.edit import append_forge
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.doctor.clone import check_clone
from isexplore.doctor.examine import examine
from isexplore.doctor.forges import clock_checks, rate_checks
from isexplore.doctor.machine import TerminalFacts
from isexplore.doctor.report import Check, Report
from isexplore.forge.answers import Answer
from isexplore.git.client import Git
from isexplore.models import ForgeKind
from isexplore.practice.server import NEWCOMER, Grant
from tests.support.practice import RunningPractice, run_git, running_practice

TERMINAL = TerminalFacts(True, 120, 40, "utf-8")
TOKEN = "glpat-canary-0123456789"


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPractice]:
    with running_practice(tmp_path_factory.mktemp("practice")) as forge:
        yield forge


class World:
    def __init__(self, root: Path, practice: RunningPractice) -> None:
        self.paths = Paths.under(root)
        self.practice = practice
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "TERM": "xterm-kitty",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }

    def sign_in(self, grant: Grant) -> None:
        self.practice.forge.tokens[TOKEN] = grant
        append_forge(
            self.paths.config_file, ForgeConfig(name="work", url=self.practice.url, kind=ForgeKind.GITLAB)
        )
        self.environment["ISEXPLORE_TOKEN"] = TOKEN

    async def examine(self, directory: Path | None = None) -> tuple[Report, dict[tuple[str, str], Check]]:
        report = await examine(
            self.paths, environment=self.environment, directory=directory, terminal=TERMINAL, seconds=3
        )
        for check in report.checks:
            assert check.state != "bad" or check.fix, check
        text = report.as_text() + json.dumps(report.as_json())
        assert "canary" not in text
        return report, {(check.area, check.name): check for check in report.checks}


@pytest.fixture
def world(tmp_path: Path, practice: RunningPractice) -> World:
    return World(tmp_path, practice)


async def test_everything_is_told_of_a_forge_that_works(world: World) -> None:
    day = datetime.now(UTC).date() + timedelta(days=100)
    world.sign_in(Grant(username=NEWCOMER, expires_on=day))
    report, checks = await world.examine()
    assert not report.blocked, report.as_text()
    assert report.exit_code == 0
    forge = {name: check.detail for (area, name), check in checks.items() if area == "forge work"}
    assert forge["address"] == world.practice.url
    assert forge["API"] == "GitLab"
    assert re.fullmatch(r"GitLab \d+\..*", forge["version"])
    assert forge["token"] == "from ISEXPLORE_TOKEN"
    assert forge["user"].startswith(NEWCOMER)
    assert forge["scopes"] == "api"
    assert forge["expiry"] == f"runs out in 100 days ({day})"
    assert forge["git"] == "git over HTTPS can read tools/alpha"
    assert forge["clock"] == "agrees with the forge's"
    assert "requests" in forge
    assert checks["configuration", "read"].detail == str(world.paths.config_file)
    assert ("catalog", "age") in checks
    assert ("terminal", "size") in checks


@pytest.mark.parametrize(
    ("grant", "name", "state", "words"),
    [
        (Grant(username=NEWCOMER, problem="Token was revoked."), "sign-in", "bad", "isexplore login work"),
        (Grant(username=NEWCOMER, scopes=("read_api",)), "scopes", "warn", "Make a token with api"),
        (Grant(username=NEWCOMER, scopes=("read_user",)), "scopes", "bad", "Make a token with api"),
        (Grant(username="helper-bot"), "user", "warn", "no place of its own"),
        (
            Grant(username=NEWCOMER, expires_on=datetime.now(UTC).date() + timedelta(days=2)),
            "expiry",
            "warn",
            "isexplore login work",
        ),
    ],
)
async def test_what_is_wrong_with_a_token_comes_with_its_fix(
    world: World, grant: Grant, name: str, state: str, words: str
) -> None:
    world.sign_in(grant)
    _, checks = await world.examine()
    check = checks["forge work", name]
    assert check.state == state
    assert words in check.fix


async def test_missing_token_blocks(world: World) -> None:
    world.sign_in(Grant(username=NEWCOMER))
    del world.environment["ISEXPLORE_TOKEN"]
    report, checks = await world.examine()
    assert report.exit_code == 1
    assert "isexplore login work" in checks["forge work", "token"].fix


async def test_wrong_kind_is_told(world: World) -> None:
    append_forge(
        world.paths.config_file, ForgeConfig(name="work", url=world.practice.url, kind=ForgeKind.GITEA)
    )
    _, checks = await world.examine()
    assert checks["forge work", "API"].state == "bad"
    assert 'kind to "gitlab"' in checks["forge work", "API"].fix


async def test_unreachable_forge_still_tells_the_rest(world: World) -> None:
    append_forge(world.paths.config_file, ForgeConfig(name="gone", url="http://127.0.0.1:9"))
    world.sign_in(Grant(username=NEWCOMER))
    world.environment["ISEXPLORE_FORGE"] = "work"
    report, checks = await world.examine()
    assert report.exit_code == 1
    assert checks["forge gone", "connection"].state == "bad"
    assert ("forge gone", "API") not in checks
    assert checks["forge work", "user"].state == "ok"


async def test_first_run_has_nothing_to_mend(world: World) -> None:
    report, checks = await world.examine()
    assert report.exit_code == 0
    assert "isexplore login URL" in checks["forges", "connected"].fix


async def test_broken_configuration_is_reported_not_raised(world: World) -> None:
    world.paths.config_dir.mkdir()
    world.paths.config_file.write_text("tags = [\n")
    report, checks = await world.examine()
    assert report.exit_code == 1
    assert "not valid TOML" in checks["configuration", "problem"].detail


# Clones


def clone_checks(checks: list[Check]) -> dict[str, Check]:
    for check in checks:
        assert check.state != "bad" or check.fix, check
    return {check.name: check for check in checks}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    folder.mkdir()
    run_git("init", "--quiet", "--initial-branch=main", cwd=folder)
    (folder / "a").write_text("1\n")
    run_git("add", "a", cwd=folder)
    run_git("commit", "--quiet", "-m", "Start", cwd=folder)
    return folder


CONFIG = Config(
    forges=(
        ForgeConfig(
            name="work",
            url="https://git.example.com/gitlab",
            ssh_host="ssh.example.com",
            former_urls=("https://old.example.com",),
        ),
    )
)


@pytest.mark.parametrize(
    ("url", "state", "words"),
    [
        ("https://git.example.com/gitlab/a/b.git", "ok", "forge work"),
        ("https://old.example.com/a/b.git", "ok", "forge work"),
        ("git@ssh.example.com:a/b.git", "ok", "forge work"),
        ("ssh://git@git.example.com:22/a/b.git", "ok", "forge work"),
        ("https://elsewhere.example.com/a/b.git", "warn", "no forge"),
        ("https://ada:canary@git.example.com/gitlab/a/b.git", "warn", "***@git.example.com"),
        ("/srv/b.git", "warn", "no forge"),
        ("https://[broken/x", "warn", "no forge"),
    ],
)
async def test_remotes_are_matched_with_forges(clone: Path, url: str, state: str, words: str) -> None:
    run_git("remote", "add", "origin", url, cwd=clone)
    check = clone_checks(await check_clone(clone, Git(), CONFIG))["remote origin"]
    assert check.state == state
    assert words in check.detail
    assert "canary" not in check.detail


async def test_clone_in_good_order(clone: Path) -> None:
    run_git("config", "user.name", "Nia", cwd=clone)
    run_git("config", "user.email", "nia@example.com", cwd=clone)
    (clone / "b").write_text("2\n")
    checks = clone_checks(await check_clone(clone, Git(), CONFIG))
    assert checks["branch"].detail == "main"
    assert checks["changes"].detail == "1 file not committed"
    assert checks["author"].detail == "Nia <nia@example.com>"
    assert checks["remotes"].state == "warn"


async def test_clone_without_identity_blocks(clone: Path) -> None:
    assert clone_checks(await check_clone(clone, Git(), CONFIG))["author"].state == "bad"


async def test_clone_without_branch_and_in_a_merge(clone: Path) -> None:
    run_git("switch", "--quiet", "--detach", cwd=clone)
    assert clone_checks(await check_clone(clone, Git(), CONFIG))["branch"].state == "warn"
    run_git("switch", "--quiet", "-c", "other", cwd=clone)
    (clone / "a").write_text("2\n")
    run_git("commit", "--quiet", "-am", "Two", cwd=clone)
    run_git("switch", "--quiet", "main", cwd=clone)
    (clone / "a").write_text("3\n")
    run_git("commit", "--quiet", "-am", "Three", cwd=clone)
    run_git("merge", "other", cwd=clone, check=False)
    check = clone_checks(await check_clone(clone, Git(), CONFIG))["work"]
    assert check.state == "bad"
    assert "merge" in check.detail


@pytest.mark.parametrize(("name", "words"), [("gone", "does not exist"), ("plain", "is not a clone")])
async def test_folder_that_is_no_clone_is_told(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "plain").mkdir()
    check = clone_checks(await check_clone(tmp_path / name, Git(), CONFIG))["folder"]
    assert check.state == "bad"
    assert words in check.detail


async def test_clone_is_part_of_the_report(world: World, clone: Path) -> None:
    report, checks = await world.examine(clone)
    assert checks[f"clone {clone}", "branch"].detail == "main"
    assert report.exit_code == 1


# Headers


def answer(**headers: str) -> Answer:
    return Answer(200, {name.replace("_", "-"): value for name, value in headers.items()}, b"{}")


@pytest.mark.parametrize(
    ("headers", "state", "detail"),
    [
        ({"ratelimit_remaining": "59", "ratelimit_limit": "60"}, "ok", "59 of 60 left for now"),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_limit": "5000"}, "warn", "none of 5000 left for now"),
        ({"ratelimit_remaining": "7", "ratelimit_limit": "many"}, "ok", "7 left for now"),
        ({"ratelimit_remaining": "٣"}, "ok", "no limit that the forge tells"),
        ({}, "ok", "no limit that the forge tells"),
    ],
)
def test_requests_left_are_read(headers: dict[str, str], state: str, detail: str) -> None:
    (check,) = rate_checks("x", answer(**headers))
    assert (check.state, check.detail) == (state, detail)


@pytest.mark.parametrize(
    ("date", "state", "words"),
    [
        ("Wed, 04 Mar 2026 05:06:07 GMT", "ok", "agrees"),
        ("Wed, 04 Mar 2026 05:05:30 GMT", "ok", "agrees"),
        ("Wed, 04 Mar 2026 03:06:07 GMT", "warn", "2 hours ahead of"),
        ("Wed, 04 Mar 2026 05:16:07 GMT", "warn", "10 minutes behind"),
    ],
)
def test_clocks_are_compared(date: str, state: str, words: str) -> None:
    (check,) = clock_checks("x", answer(date=date), datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
    assert check.state == state
    assert words in check.detail


@pytest.mark.parametrize("date", ["", "yesterday", "Wed, 99 Mar 2026 05:06:07 GMT"])
def test_nonsense_date_is_no_check(date: str) -> None:
    assert clock_checks("x", answer(date=date), datetime.now(UTC)) == []
