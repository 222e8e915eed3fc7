"""Fixtures for every test: a world of its own, with nobody's home, configuration or git settings in it."""

from __future__ import annotations

import gc
import itertools
import logging
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# By default the same examples every time, and none is too slow for a busy machine. With
# HYPOTHESIS_PROFILE=long it looks for new ones.
_EVERYWHERE = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile(
    "quick",
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=_EVERYWHERE,
)
hypothesis.settings.register_profile(
    "long", max_examples=1000, deadline=None, database=None, suppress_health_check=_EVERYWHERE
)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
_KEPT = (
    "PATH",
    "LANG",
    "TERM",
    "TMPDIR",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
    "PYTEST_XDIST_WORKER",
    "CI",
)
_LONGEST = (
    "test_pty.py",
    "tui/test_main_job.py",
    "test_main_job_cli.py",
    "test_kill.py",
    "tui/test_bad_input.py",
)


_MEMORY = Path("/dev/shm")
_ROOM = 2 << 30
"""Bytes that must be free there; a whole run leaves some 400 MB until it ends."""


def _work_in_memory() -> None:
    """Put temporary files into memory where there is room: waiting for the disk is half the time of a run.

    Only where nobody said where they go (TMPDIR), and where programs may be run from (git's hooks).
    """
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK | os.X_OK):
        return
    facts = os.statvfs(_MEMORY)
    if facts.f_bavail * facts.f_frsize >= _ROOM and not facts.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None


_work_in_memory()

# Whoever starts the tests in the background of a shell has them ignore Ctrl-C, and so would every program they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run two workers more than there are cores: tests wait for processes and terminals."""
    return (os.cpu_count() or 1) + 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no worker ends long after the others."""
    folder = Path(__file__).parent
    first = {folder / name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: first.get(item.path, len(first)))


# Python looks for garbage after 700 new objects; a quarter of the time of the screens' tests went into that.
gc.set_threshold(20_000, 20, 20)


def pytest_collection_finish() -> None:
    """Keep the garbage collector from looking through all tests and modules again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield names of folders of their own; `mktemp` would read a list of all folders for each."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def log_of_one_test() -> Iterator[None]:
    """End the log that the test began: the next ones would write each of their lines to all logs before."""
    root, own = logging.getLogger(), logging.getLogger("isexplore")
    handlers, levels = list(root.handlers), (root.level, own.level)
    yield
    for handler in root.handlers[:]:
        if handler not in handlers:
            root.removeHandler(handler)
            handler.close()
    root.setLevel(levels[0])
    own.setLevel(levels[1])


@pytest.fixture(autouse=True)
def isolated_environment(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test an empty home, no git configuration and no variables of the developer's."""
    home = next(homes)
    home.mkdir()
    for name in list(os.environ):
        if name not in _KEPT and not name.startswith(("PYTEST_", "COVERAGE_", "HYPOTHESIS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    for name, folder in (
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_STATE_HOME", "state"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_DATA_HOME", "data"),
    ):
        monkeypatch.setenv(name, str(home / folder))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    return home


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat requests after milliseconds, where the forge is down on purpose."""
    from isexplore.forge.http import ForgeClient

    monkeypatch.setattr(ForgeClient, "first_pause", 0.01)
