from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from isexplore.config.commands import MAX_OUTPUT, NoAnswerError, ask

ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}


async def until(fact: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


async def test_answer_is_returned_with_errors_and_code() -> None:
    answer = await ask(
        ("sh", "-c", "cat; echo $X; echo no >&2; exit 3"),
        environment=ENVIRONMENT | {"X": "y"},
        seconds=5,
        text="in\n",
    )
    assert answer == (3, "in\ny\n", "no\n")


async def test_only_the_given_variables_are_there() -> None:
    os.environ["ISEXPLORE_TOKEN"] = "canary"
    answer = await ask(
        (sys.executable, "-c", "import os; print(os.environ)"), environment=ENVIRONMENT, seconds=5
    )
    assert "canary" not in answer.output


async def test_it_runs_away_from_any_clone_and_terminal() -> None:
    code = "import os; print(os.getcwd(), os.getsid(0) == os.getpid())"
    assert (await ask((sys.executable, "-c", code), environment=ENVIRONMENT, seconds=5)).output == "/ True\n"


async def test_missing_program_is_told() -> None:
    with pytest.raises(NoAnswerError, match="is not installed"):
        await ask(("isexplore-no-such-program",), environment=ENVIRONMENT, seconds=5)


async def test_program_that_may_not_run_is_told(tmp_path: Path) -> None:
    program = tmp_path / "tool"
    program.write_text("x")
    with pytest.raises(NoAnswerError, match="cannot be started: Permission denied"):
        await ask((str(program),), environment=ENVIRONMENT, seconds=5)


@pytest.mark.parametrize("script", ["sleep 60", "sleep 60 & echo $! >$F; wait", "trap '' TERM; sleep 60"])
async def test_program_that_hangs_is_killed_with_its_children(tmp_path: Path, script: str) -> None:
    file = tmp_path / "pid"
    started = time.monotonic()
    with pytest.raises(NoAnswerError, match=r"within 0\.3 seconds"):
        await ask(
            ("sh", "-c", f"echo $$ >{file}; {script}"),
            environment=ENVIRONMENT | {"F": str(file)},
            seconds=0.3,
        )
    assert time.monotonic() - started < 3
    pid = int(file.read_text())
    await until(lambda: not alive(pid))


async def test_cancelling_kills_it(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    task = asyncio.create_task(
        ask(
            ("sh", "-c", f"echo $$ >{file}.new; mv {file}.new {file}; sleep 60"),
            environment=ENVIRONMENT,
            seconds=60,
        )
    )
    await until(file.exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(int(file.read_text()))


async def test_cancelling_while_it_starts_kills_it_and_its_children(tmp_path: Path) -> None:
    for turns in range(1, 8):
        file = tmp_path / f"pid{turns}"
        script = f"sleep 60 & echo $! >{file}.new; mv {file}.new {file}; sleep 60"
        task = asyncio.create_task(ask(("sh", "-c", script), environment=ENVIRONMENT, seconds=60))
        for _ in range(turns):
            await asyncio.sleep(0)
        # The event loop stands still meanwhile: it has not got to the end of starting it.
        stands_still = time.monotonic() + 0.3
        while not file.exists() and time.monotonic() < stands_still:
            time.sleep(0.01)  # noqa: ASYNC251
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(20):
                await task
        async with asyncio.timeout(10):
            # Killed is not yet gone: whoever inherits an orphan takes its time to bury it.
            while file.exists() and alive(int(file.read_text())):  # noqa: ASYNC110 - no event tells of it
                await asyncio.sleep(0.02)


async def test_daemon_of_a_program_that_answered_lives_on(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    script = f"sleep 60 >/dev/null 2>&1 </dev/null & echo $! >{file}"
    await ask(("sh", "-c", script), environment=ENVIRONMENT, seconds=5)
    pid = int(file.read_text())
    try:
        assert alive(pid)
    finally:
        os.kill(pid, 9)


async def test_flood_is_refused_within_bounds() -> None:
    with pytest.raises(NoAnswerError, match="far too much"):
        await ask(("sh", "-c", f"head -c {MAX_OUTPUT * 4} /dev/zero"), environment=ENVIRONMENT, seconds=5)


async def test_program_that_does_not_listen_is_fine() -> None:
    answer = await ask(
        ("sh", "-c", "exec <&-; echo ok"), environment=ENVIRONMENT, seconds=5, text="x" * 1_000_000
    )
    assert answer.output == "ok\n"
