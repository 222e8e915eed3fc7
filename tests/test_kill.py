"""The real program, killed without warning at the writes of a contribution, and started again each time."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from isexplore.practice.server import NEWCOMER, Grant
from tests.support.newcomer import as_json, git
from tests.support.practice import RunningPractice, running_practice

Moment = Literal["before", "after"]
SECONDS = 30.0
PROJECT = "tools/alpha"
CLAIM = re.compile(r"POST .*/issues/1/notes")
FORK = re.compile(r"POST .*/fork")
CLONE = re.compile(r"POST .*/git-upload-pack")
PUSH = re.compile(r"POST .*/git-receive-pack")
PROPOSE = re.compile(r"POST .*/merge_requests")
# Before a merge request is missing here: then isexplore waits on purpose, for one that comes into being late.
WHILE_CONTRIBUTING: tuple[tuple[re.Pattern[str], Moment], ...] = (
    (CLAIM, "after"),
    (FORK, "before"),
    (FORK, "after"),
    (CLONE, "after"),
)
WHILE_PROPOSING: tuple[tuple[re.Pattern[str], Moment], ...] = (
    (PUSH, "before"),
    (PUSH, "after"),
    (PROPOSE, "after"),
)


class Trap:
    """Holds one request back, so that its sender can be killed exactly there.

    Every victim has a token of its own: git outlives the program that started it, and what it still asks
    must not be taken for a request of the next victim.
    """

    def __init__(self, forge: RunningPractice, monkeypatch: pytest.MonkeyPatch) -> None:
        self.written: list[str] = []
        """Every request that changed something, as the forge carried it out, in order."""
        self._tokens = forge.forge.tokens
        self._inner: ASGIApp = forge.forge.app
        self._victims = 0
        self._sender = ""
        self._awaited: re.Pattern[str] | None = None
        self._moment: Moment = "before"
        self._caught = threading.Event()
        self._sender_is_gone = threading.Event()
        monkeypatch.setattr(forge.forge, "app", self._app)

    def kill_at(self, request: re.Pattern[str], moment: Moment, *words: str) -> None:
        """Start isexplore, and kill it before or after the forge carries this request of it out."""
        self._victims += 1
        token = f"token-of-victim-{self._victims:04}"
        self._tokens[token] = Grant(username=NEWCOMER)
        self._caught.clear()
        self._sender_is_gone.clear()
        self._moment = moment
        self._sender = token
        self._awaited = request
        victim = subprocess.Popen(
            [sys.executable, "-m", "isexplore", *words],
            env={**os.environ, "ISEXPLORE_TOKEN": token},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            caught = self._caught.wait(SECONDS)
        finally:
            victim.kill()
            code = victim.wait()
            self._awaited = None
            self._sender_is_gone.set()
        assert caught, f"{words} never sent {request.pattern} and ended with {code}"
        assert code < 0

    def count(self, request: re.Pattern[str]) -> int:
        """Return how often the forge carried such a request out."""
        return sum(1 for name in self.written if request.fullmatch(name))

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = f"{scope.get('method')} {scope.get('path')}"
        if not self._is_awaited(name, scope):
            await self._carry_out(name, scope, receive, send)
            return
        self._awaited = None
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        if self._moment == "after":
            await self._carry_out(name, scope, receive, keep)
        else:
            answer.append({"type": "http.response.start", "status": 503, "headers": []})
            answer.append({"type": "http.response.body", "body": b""})
        self._caught.set()
        await asyncio.to_thread(self._sender_is_gone.wait, SECONDS)
        for message in answer:
            await send(message)

    def _is_awaited(self, name: str, scope: Scope) -> bool:
        if self._awaited is None or not self._awaited.fullmatch(name):
            return False
        sent = {key.lower(): value.decode() for key, value in scope["headers"]}
        scheme, _, word = sent.get(b"authorization", "").partition(" ")
        if scheme.lower() == "basic":
            word = base64.b64decode(word).decode()
        return self._sender in f"{word} {sent.get(b'private-token', '')}"

    async def _carry_out(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        async def note(message: Message) -> None:
            if message.get("status", 500) < 300 and name.startswith(("POST ", "PUT ", "DELETE ")):
                self.written.append(name)
            await send(message)

        await self._inner(scope, receive, note)


@pytest.fixture
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningPractice]:
    with running_practice(tmp_path / "forge", import_seconds=0.05) as running:
        monkeypatch.setenv("ISEXPLORE_URL", running.url)
        monkeypatch.setenv("ISEXPLORE_TOKEN", running.token)
        yield running


@pytest.mark.timeout(120)
def test_killed_and_started_again_nothing_happens_twice(
    forge: RunningPractice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = Trap(forge, monkeypatch)
    clone = tmp_path / "src" / "alpha"
    contribute = ("contribute", PROJECT, "--issue", "1", "--claim", "comment", "--into", str(clone))
    for request, moment in WHILE_CONTRIBUTING:
        trap.kill_at(request, moment, *contribute)
    begun = as_json(*contribute)
    assert {step["name"]: step["state"] for step in begun["steps"]}["branch"] == "done"
    assert git(clone, "rev-parse", "--abbrev-ref", "HEAD").strip() == begun["branch"]
    assert git(clone, "remote").split() == ["origin", "upstream"]
    assert git(clone, "status", "--porcelain") == ""

    (clone / "README.md").write_text("# Alpha\n\nA small library that waits between retries.\n")
    git(clone, "commit", "-qam", "Explain the back-off")
    propose = ("propose", str(clone))
    for request, moment in WHILE_PROPOSING:
        trap.kill_at(request, moment, *propose)
    proposed = as_json(*propose)

    once = {request.pattern: trap.count(request) for request in (CLAIM, FORK, PUSH, PROPOSE)}
    assert set(once.values()) == {1}, once
    (fork,) = forge.ask("/projects", membership="true", owned="true").json
    assert proposed["fork"] == fork["path_with_namespace"]
    branches = {each["name"]: each for each in forge.ask(f"/projects/{fork['id']}/repository/branches").json}
    assert set(branches) == {"main", begun["branch"]}
    assert branches[begun["branch"]]["commit"]["id"] == git(clone, "rev-parse", "HEAD").strip()
    assert proposed["merge_request"]["state"] == "open"
    (contribution,) = as_json("status")["contributions"]
    assert contribution["merge_request"]["number"] == proposed["merge_request"]["number"]
    assert os.listdir(clone.parent) == ["alpha"]
