"""A running practice forge for tests: a small world, real HTTP and real git on a loopback port."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path
from typing import Any

import uvicorn
from msgspec import Struct
from starlette.types import Receive, Scope, Send

from isexplore.practice import world
from isexplore.practice.maintainer import Maintainer
from isexplore.practice.rows import LightProject
from isexplore.practice.seed import (
    CommitSeed,
    IssueSeed,
    MergeRequestSeed,
    PersonSeed,
    ProjectSeed,
)
from isexplore.practice.server import NEWCOMER, Grant, Knobs, PracticeForge
from isexplore.practice.store import Store

PEOPLE = (
    PersonSeed(username="nia", name="Nia Newcomer"),
    PersonSeed(username="mara", name="Mara Maintainer"),
    PersonSeed(username="ravi", name="Ravi Reviewer"),
    PersonSeed(username="helper-bot", name="Helper", bot=True),
)
README = "# Alpha\n\nA small library.\n"
ALPHA = ProjectSeed(
    path="tools/alpha",
    description="A small library for retries",
    topics=("innersource", "python"),
    languages={"Python": 90.0, "Shell": 10.0},
    licence="MIT",
    stars=7,
    labels=("bug", "good first issue"),
    members={"mara": 40, "ravi": 30},
    commits=(
        CommitSeed(
            author="mara",
            message="Start\n",
            days_ago=40,
            files={
                "README.md": README,
                "CONTRIBUTING.md": "# Contributing\n\nWelcome.\n",
                "src/alpha.py": "X = 1\n",
                ".gitlab/merge_request_templates/Default.md": "## What\n",
            },
        ),
        CommitSeed(author="ravi", message="Say more\n", days_ago=3, files={"docs/usage.md": "Use it.\n"}),
    ),
    issues=(
        IssueSeed(
            title="Explain the back-off",
            body="Please.",
            author="mara",
            days_ago=9,
            labels=("good first issue",),
        ),
        IssueSeed(
            title="It crashes", body="See #1.", author="nia", days_ago=5, labels=("bug",), assignee="ravi"
        ),
        IssueSeed(title="Old one", body="", author="ravi", days_ago=30, closed=True),
    ),
    merge_requests=(
        MergeRequestSeed(
            title="Tidy up",
            body="Closes #3",
            author="ravi",
            branch="tidy",
            days_ago=20,
            files={"src/alpha.py": "X = 2\n"},
        ),
    ),
)
BETA = ProjectSeed(
    path="tools/deep/beta",
    description="Public and older",
    topics=("innersource", "go"),
    visibility="public",
    languages={"Go": 100.0},
    members={"ravi": 50},
    commits=(CommitSeed(author="ravi", message="Start\n", days_ago=90, files={"README.rst": "Beta\n"}),),
)
SECRET = ProjectSeed(
    path="vault/secret",
    description="Not for everybody",
    topics=("innersource",),
    visibility="private",
    members={"mara": 50},
    commits=(CommitSeed(author="mara", message="Start\n", days_ago=9, files={"README.md": "Secret\n"}),),
)
EMPTY = ProjectSeed(path="tools/empty", description="Nothing yet", commits=(), members={"mara": 40})
SEEDS = (ALPHA, BETA, SECRET, EMPTY)
MARA_TOKEN = "token-of-mara"


class Reply(Struct, frozen=True):
    """What the forge answered."""

    status: int
    headers: Message
    """Found by name in any case."""
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)


class RunningPractice:
    """A practice forge that runs in a thread of this process."""

    def __init__(
        self, forge: PracticeForge, store: Store, loop: asyncio.AbstractEventLoop, token: str
    ) -> None:
        self.forge = forge
        self.store = store
        self.url = forge.origin
        self.token = token
        self.user = NEWCOMER
        self.knobs = forge.knobs
        self.headers: list[dict[str, str]] = []
        """Headers of every request that came, git's included; names in small letters."""
        self.paths: list[str] = []
        """Path of every request that came, in the same order."""
        self._loop = loop

    def ask(
        self,
        path: str,
        /,
        *,
        method: str = "GET",
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        token: str | None = "",
        headers: Mapping[str, str] | None = None,
        **query: object,
    ) -> Reply:
        """Ask the API (`path` below /api/v4) as the newcomer, or with another token, or with None."""
        target = f"{self.url}/api/v4{path}"
        wanted = {**(params or {}), **query}
        if wanted:
            target += "?" + urllib.parse.urlencode(wanted, doseq=True)
        sent = dict(headers or {})
        if token is not None:
            sent["PRIVATE-TOKEN"] = token or self.token
        body = None
        if data is not None:
            sent["Content-Type"] = "application/json"
            body = json.dumps(data).encode()
        return fetch(target, method=method, headers=sent, body=body)

    def wait(self, path: str, ready: Callable[[Any], bool], seconds: float = 30.0) -> Any:
        """Ask until `ready` likes the answer; fail after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            reply = self.ask(path)
            if reply.status == 200 and ready(reply.json):
                return reply.json
            assert time.monotonic() < deadline, f"{path} never became ready: {reply.status} {reply.body!r}"
            time.sleep(0.01)

    def fork(self, project: str = "tools/alpha") -> Any:
        """Fork a project and wait until the fork can be used."""
        made = self.ask(f"/projects/{quoted(project)}/fork", method="POST", data={})
        assert made.status == 201, made.body
        return self.wait(f"/projects/{made.json['id']}", lambda fork: fork["import_status"] == "finished")

    def clone_url(self, project: str, token: str | None = None) -> str:
        """Return an address that git can use without asking for a password."""
        host = self.url.partition("//")[2]
        return f"http://oauth2:{token or self.token}@{host}/{project}.git"


def quoted(path: str) -> str:
    """Return a path as one part of an address."""
    return urllib.parse.quote(path, safe="")


class _Unfollowed(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Unfollowed)


def fetch(
    target: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Reply:
    """Send one HTTP request; return whatever comes back, without following redirects."""
    request = urllib.request.Request(target, data=body, headers=dict(headers or {}), method=method)
    try:
        with _opener.open(request, timeout=20) as answer:
            return Reply(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.headers, error.read())


def git_environment(**extra: str) -> dict[str, str]:
    """Return an environment in which git knows who Nia is and nothing of this machine."""
    who = {"NAME": "Nia Newcomer", "EMAIL": "nia@practice.example"}
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "LC_ALL": "C",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()},
        **extra,
    }


def run_git(*words: str, cwd: Path, check: bool = True, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run real git."""
    return subprocess.run(
        ["git", *words],
        cwd=cwd,
        env=git_environment(**extra),
        capture_output=True,
        text=True,
        check=check,
        timeout=30,
    )


class _Prompt(uvicorn.Server):
    """Starts to end when it is told, where the original looks ten times a second and then pauses."""

    async def main_loop(self) -> None:
        told = self._told = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in self.servers:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        patience = time.monotonic() + 1.0
        while self.server_state.connections or self.server_state.tasks:
            if time.monotonic() > patience:
                break
            await asyncio.sleep(0.002)
        if tasks := set(self.server_state.tasks):
            for task in tasks:
                task.cancel()
            # They end the processes that they started.
            await asyncio.wait(tasks, timeout=5)
        await self.lifespan.shutdown()

    def end(self) -> None:
        """Tell it to end, from another thread."""
        self.should_exit = True
        if hasattr(self, "_loop"):
            self._loop.call_soon_threadsafe(self._told.set)


@contextlib.contextmanager
def running_practice(
    folder: Path,
    *,
    seeds: Sequence[ProjectSeed] = SEEDS,
    people: Sequence[PersonSeed] = PEOPLE,
    light: Sequence[LightProject] = (),
    knobs: Knobs | None = None,
    grant: Grant | None = None,
    maintainer: bool | float = False,
    clock: Callable[[], datetime] | None = None,
    import_seconds: float = 0.02,
    prepare_seconds: float = 0.01,
    tls: ssl.SSLContext | None = None,
    token: str = "token-of-the-newcomer",
) -> Iterator[RunningPractice]:
    """Run a practice forge on a free loopback port while the block lasts.

    Args:
        folder: an empty folder for the world.
        seeds: its projects.
        people: its accounts; `nia` is the newcomer.
        light: synthetic projects.
        knobs: how it behaves; may be turned while it runs (`forge.knobs`).
        grant: what the newcomer's token stands for.
        maintainer: whether somebody reviews; a number makes them that much faster or slower (1.0 is lifelike).
        clock: tells the world's time.
        import_seconds: how long a fork takes.
        prepare_seconds: how long a merge request is being prepared.
        tls: serves https on "localhost" with this.
        token: the newcomer's.
    """
    store = Store(folder / "world", **({"clock": clock} if clock else {}))
    store.import_time = timedelta(seconds=import_seconds)
    store.prepare_time = timedelta(seconds=prepare_seconds)
    world.build(store, seeds, people, store.now())
    if light:
        store.create_light_projects(light)
    tokens = {token: grant or Grant(username=NEWCOMER), MARA_TOKEN: Grant(username="mara")}
    keeper = Maintainer(store, pace=float(maintainer)) if maintainer else None
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        origin = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        forge = PracticeForge(store, origin=origin, tokens=tokens, knobs=knobs, maintainer=keeper, tick=0.02)
        loop = asyncio.new_event_loop()
        running = RunningPractice(forge, store, loop, token)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                running.headers.append(
                    {name.decode().lower(): value.decode() for name, value in scope["headers"]}
                )
                running.paths.append(scope["path"])
            await forge.app(scope, receive, send)

        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on")
        config.load()
        config.ssl = tls
        server = _Prompt(config)
        thread = threading.Thread(
            target=lambda: loop.run_until_complete(server.serve(sockets=[listener])), name="practice"
        )
        thread.start()
        try:
            deadline = time.monotonic() + 30
            while not server.started:
                assert thread.is_alive(), "the practice forge did not start"
                assert time.monotonic() < deadline, "the practice forge did not start in time"
                time.sleep(0.002)
            yield running
        finally:
            server.end()
            thread.join(15)
            assert not thread.is_alive(), "the practice forge did not end"
            loop.close()
            store.close()
    assert forge.failure is None, f"the practice forge broke: {forge.failure!r}"


def light_projects(count: int) -> list[LightProject]:
    """Return many projects that differ in everything that can be sorted by."""
    return [
        LightProject(
            path=f"mass{number % 7}/project-{number:05}",
            description=f"Number {number}",
            topics=("innersource", "even" if number % 2 == 0 else "odd"),
            language="Rust" if number % 10 == 0 else "Go",
            stars=number % 13,
            open_issues=number % 3,
            created_days_ago=1000 - number / 200,
            active_days_ago=number / 300,
        )
        for number in range(count)
    ]


def at(days_ago: float) -> datetime:
    """Return a moment in the past."""
    return datetime.now(UTC) - timedelta(days=days_ago)
