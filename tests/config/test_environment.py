"""What started programs inherit: what is named, and nothing else."""

from __future__ import annotations

import pytest

from isexplore.config.environment import helper_environment, shared_environment

ANYONES = {"HOME": "/home/nia", "DISPLAY": ":0", "SSH_AUTH_SOCK": "/run/agent", "https_proxy": "http://proxy"}
HELPERS = {
    "LANG": "de_DE.UTF-8", "LC_CTYPE": "C.UTF-8", "XDG_SESSION_TYPE": "wayland", "GPG_TTY": "/dev/pts/1",
    "PASSWORD_STORE_DIR": "/home/nia/.pass", "VAULT_ADDR": "https://vault", "BW_SESSION": "x",
    "GIT_CONFIG_GLOBAL": "/home/nia/.gitconfig",
}  # fmt: skip
NOBODYS = {
    "ISEXPLORE_TOKEN": "canary", "ISEXPLORE_CONFIG_DIR": "/x", "GIT_DIR": "/clone/.git", "GIT_CONFIG_COUNT": "1",
    "GIT_EXEC_PATH": "/clone", "LD_PRELOAD": "/clone/x.so", "CI_JOB_TOKEN": "canary", "DATABASE_URL": "canary",
    "PYTHONPATH": "/clone", "BASH_ENV": "/clone/x", "GITHUB_TOKEN": "canary",
}  # fmt: skip
WHOLE = {**ANYONES, **HELPERS, **NOBODYS, "PATH": "/usr/bin:bin::/bin"}
PATH = {"PATH": "/usr/bin:/bin"}


def test_every_program_inherits_little() -> None:
    assert shared_environment(WHOLE) == ANYONES | PATH


def test_a_password_helper_inherits_what_it_needs() -> None:
    assert helper_environment(WHOLE) == ANYONES | HELPERS | PATH


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("sh -c 'echo $CI_JOB_TOKEN'", {"CI_JOB_TOKEN"}),
        ('sh -c "read-secret ${DATABASE_URL%x}"', {"DATABASE_URL"}),
        ("sh -c 'echo $ISEXPLORE_TOKEN $MISSING'", set()),
    ],
)
def test_a_command_inherits_what_it_names(command: str, named: set[str]) -> None:
    found = helper_environment(WHOLE, command=command)
    assert set(found) - set(ANYONES | HELPERS | PATH) == named


def test_a_forge_s_own_tool_inherits_its_own_variables() -> None:
    found = helper_environment(WHOLE, begin=("GITHUB_",))
    assert found.get("GITHUB_TOKEN") == "canary"
    assert "CI_JOB_TOKEN" not in found
