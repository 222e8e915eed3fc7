from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from isexplore.errors import StateError, UsageError
from isexplore.practice.launch import _listen, find_running, serve, start_child
from isexplore.practice.store import Store
from tests.support.practice import fetch


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.setenv(f"ISEXPLORE_{name}_DIR", str(tmp_path / "home" / name.lower()))


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A data folder with a world so small that it need not be written first."""
    folder = tmp_path / "world"
    store = Store(folder)
    store.create_user("nia", "Nia Newcomer")
    store.create_project("tools/one", empty_repo=True)
    store.close()
    return folder


def ask_user(url: str, token: str) -> str:
    reply = fetch(f"{url}/api/v4/user", headers={"PRIVATE-TOKEN": token})
    return str(reply.json["username"]) if reply.status == 200 else str(reply.status)


def wait_for(fact: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class TestServe:
    @pytest.fixture
    def started(self, world: Path) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            [sys.executable, "-m", "isexplore", "practice", "serve", "--data", str(world)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        yield process
        if process.poll() is None:
            process.kill()
        process.communicate()

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_prints_one_line_and_ends_cleanly(
        self, started: subprocess.Popen[str], world: Path, number: signal.Signals
    ) -> None:
        assert started.stdout is not None
        line = json.loads(started.stdout.readline())
        assert line["url"].startswith("http://127.0.0.1:")
        assert ask_user(line["url"], line["token"]) == line["user"] == "nia"
        assert line["pid"] == started.pid
        note = world / "server.json"
        assert json.loads(note.read_text()) == line
        assert stat.S_IMODE(note.stat().st_mode) == 0o600
        started.send_signal(number)
        out, err = started.communicate(timeout=10)
        assert (started.returncode, out, err) == (0, "", "")
        assert not note.exists()

    def test_writes_down_no_token_of_an_address(self, started: subprocess.Popen[str], world: Path) -> None:
        assert started.stdout is not None
        line = json.loads(started.stdout.readline())
        for token, status in ((line["token"], 200), ("a-wrong-token", 401)):
            for name in ("private_token", "access_token"):
                assert fetch(f"{line['url']}/api/v4/user?{name}={token}").status == status
        started.terminate()
        out, err = started.communicate(timeout=10)
        written = [file.read_bytes() for file in world.rglob("*") if file.is_file()]
        written += [out.encode(), err.encode()]
        assert not any(
            token.encode() in text for token in (line["token"], "a-wrong-token") for text in written
        )

    async def test_sends_its_answers_at_once(self) -> None:
        """Head and body go in two pieces; with Nagle's algorithm the second waits for the first's ACK."""
        at_once = asyncio.get_running_loop().create_future()

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            at_once.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = _listen(0, None)
        async with await asyncio.start_server(answer, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            assert await at_once
            writer.close()
            await writer.wait_closed()

    def test_remembers_its_address(self, world: Path) -> None:
        first = start_child(world)
        first.stop()
        second = start_child(world)
        second.stop()
        assert second.url == first.url
        assert second.token != first.token
        assert second.former_origins == ()

    def test_moves_when_its_address_is_taken_and_tells_the_old_one(self, world: Path) -> None:
        first = start_child(world)
        first.stop()
        with socket.socket() as squatter:
            squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            squatter.bind(("127.0.0.1", int(first.url.rpartition(":")[2])))
            squatter.listen()
            second = start_child(world)
            second.stop()
        assert second.url != first.url
        assert second.former_origins == (first.url,)

    def test_takes_the_port_that_it_is_given(self, world: Path) -> None:
        port = free_port()
        server = start_child(world, port=port)
        server.stop()
        assert server.url == f"http://127.0.0.1:{port}"

    def test_says_when_the_port_is_taken(self, world: Path) -> None:
        with socket.socket() as squatter:
            squatter.bind(("127.0.0.1", 0))
            squatter.listen()
            port = squatter.getsockname()[1]
            with pytest.raises(UsageError, match=f"Port {port} cannot be used"):
                serve(data=world, port=port)

    def test_keeps_away_from_folders_of_others(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").write_text("years of work")
        with pytest.raises(StateError, match="something else"):
            serve(data=tmp_path, fresh=True)
        assert (tmp_path / "thesis.txt").read_text() == "years of work"

    def test_leaves_worlds_of_other_versions_alone(self, world: Path) -> None:
        store = Store(world)
        store.execute("PRAGMA user_version = 99")
        store.close()
        with pytest.raises(StateError, match="another version"):
            serve(data=world)


class TestStartChild:
    def test_joins_the_one_that_runs(self, world: Path) -> None:
        first = start_child(world)
        try:
            second = start_child(world)
            assert second.process is None
            assert (second.url, second.token) == (first.url, first.token)
            second.stop()
            assert ask_user(first.url, first.token) == "nia"
            with pytest.raises(StateError, match="in use"):
                serve(data=world)
            with pytest.raises(StateError, match="in use"):
                start_child(world, fresh=True)
        finally:
            first.stop()
        assert find_running(world) is None

    def test_keeps_the_token_off_the_command_line(self, world: Path) -> None:
        server = start_child(world)
        try:
            words = Path(f"/proc/{server.announcement.pid}/cmdline").read_bytes()
            assert b"serve" in words
            assert server.token.encode() not in words
        finally:
            server.stop()

    def test_is_not_fooled_by_what_a_killed_server_left(self, world: Path) -> None:
        first = start_child(world)
        os.kill(first.announcement.pid, signal.SIGKILL)
        first.stop()
        assert (world / "server.json").exists()
        second = start_child(world)
        try:
            assert second.process is not None
            assert ask_user(second.url, second.token) == "nia"
        finally:
            second.stop()

    def test_ends_with_its_parent(self, world: Path) -> None:
        code = (
            "import sys, pathlib, time\n"
            "from isexplore.practice.launch import start_child\n"
            "print(start_child(pathlib.Path(sys.argv[1])).announcement.pid, flush=True)\n"
            "time.sleep(60)\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code, str(world)], stdout=subprocess.PIPE, text=True
        ) as parent:
            assert parent.stdout is not None
            child = int(parent.stdout.readline())
            parent.kill()
        wait_for(lambda: gone(child))
        assert not (world / "server.json").exists()

    def test_tells_why_it_does_not_start(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").write_text("years of work")
        with pytest.raises(StateError, match="does not start") as caught:
            start_child(tmp_path)
        assert "thesis.txt" in caught.value.detail

    def test_adds_synthetic_projects_once(self, world: Path) -> None:
        for wanted, total in ((5, 6), (5, 6), (8, 9)):
            server = start_child(world, projects=wanted)
            try:
                reply = fetch(f"{server.url}/api/v4/projects", headers={"PRIVATE-TOKEN": server.token})
                assert len(reply.json) == total
            finally:
                server.stop()

    def test_starts_over(self, world: Path) -> None:
        server = start_child(world, fresh=True)
        try:
            headers = {"PRIVATE-TOKEN": server.token}
            assert fetch(f"{server.url}/api/v4/projects/tools%2Fone", headers=headers).status == 404
            found = fetch(f"{server.url}/api/v4/projects?topic=innersource", headers=headers)
            assert len(found.json) >= 1
        finally:
            server.stop()

    def test_delays_answers(self, world: Path) -> None:
        server = start_child(world, latency=150)
        try:
            started = time.monotonic()
            ask_user(server.url, server.token)
            assert time.monotonic() - started >= 0.15
        finally:
            server.stop()
