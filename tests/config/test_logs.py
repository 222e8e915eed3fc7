from __future__ import annotations

import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from isexplore.config import logs
from isexplore.config.logs import start_logging


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[logging.Logger]:
    root, ours = logging.getLogger(), logging.getLogger("isexplore")
    handlers, level, our_level = list(root.handlers), root.level, ours.level
    yield root
    for handler in root.handlers:
        if handler not in handlers:
            root.removeHandler(handler)
            handler.close()
    root.setLevel(level)
    ours.setLevel(our_level)


def test_log_is_private_and_redacted(tmp_path: Path) -> None:
    file = tmp_path / "state" / "isexplore.log"
    assert start_logging(file) is None
    log = logging.getLogger("isexplore.test")
    log.info("GET https://oauth2:canary@x/ PRIVATE-TOKEN: %s\x1b[31m", "canary")
    try:
        raise ValueError("glpat-canary12345")
    except ValueError:
        log.exception("failed")
    logging.getLogger("httpx").info("not written")
    text = file.read_text()
    assert "failed" in text
    assert "ValueError" in text
    assert "canary" not in text
    assert "\x1b" not in text
    assert "not written" not in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_what_is_asked_and_run_is_in_the_file_without_verbose(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "isexplore.log"
    start_logging(file)
    assert str(file) not in logs.log_files(), "nothing is in it yet"
    logging.getLogger("isexplore.forge.http").debug("GET /api/v4/user -> 200")
    logging.getLogger("somebody.else").debug("their own affair")
    assert "DEBUG isexplore.forge.http: GET /api/v4/user -> 200" in file.read_text()
    assert "their own affair" not in file.read_text()
    assert str(file) in logs.log_files()
    assert capsys.readouterr() == ("", "")


def test_log_rotates_and_stays_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 2_000)
    file = tmp_path / "isexplore.log"
    assert start_logging(file) is None
    for number in range(200):
        logging.getLogger("isexplore").debug("line %d %s", number, "x" * 60)
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == ["isexplore.log", *(f"isexplore.log.{n}" for n in (1, 2, 3))]
    for path in files:
        assert path.stat().st_size <= 2_000
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_a_place_for_the_log_work_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    reason = start_logging(tmp_path / "file" / "isexplore.log")
    assert reason is not None
    assert "isexplore.log" in reason
    logging.getLogger("isexplore").error("said")
    assert capsys.readouterr().out == ""


def test_verbose_goes_to_stderr_redacted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start_logging(tmp_path / "isexplore.log", verbose=True)
    logging.getLogger("isexplore").debug("token glpat-canary12345")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "DEBUG isexplore: token ***\n"


def test_full_disk_costs_the_line_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    link = tmp_path / "isexplore.log"
    link.symlink_to(full)
    assert start_logging(link) is None
    logging.getLogger("isexplore").error("lost")
    assert capsys.readouterr() == ("", "")


def test_begun_again_in_one_process_the_log_before_is_closed(tmp_path: Path) -> None:
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    start_logging(first)
    logging.getLogger("isexplore.test").info("one")
    start_logging(second)
    logging.getLogger("isexplore.test").info("two")
    assert "two" not in first.read_text()
    assert second.read_text().count("\n") == 1
