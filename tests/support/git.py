"""Real git for tests: bare repositories in a temporary folder, and a loopback server that serves them.

`GitServer` speaks git's smart HTTP through `git http-backend`, as a forge does. Its `mode` lets it
misbehave in the ways in which networks and forges do.
"""

from __future__ import annotations

import base64
import functools
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

from isexplore.config.secrets import Secret
from isexplore.git.facts import Credential

Mode = Literal["ok", "forbidden-push", "redirect", "stall", "cut", "cut-after-push", "slow"]

PERSON = {
    "GIT_AUTHOR_NAME": "Ada Example",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada Example",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "2024-05-01T12:00:00Z",
    "GIT_COMMITTER_DATE": "2024-05-01T12:00:00Z",
}


def git(*words: str, cwd: Path, environment: Mapping[str, str] | None = None, stdin: str = "") -> str:
    """Run plain git, the way a person would, and return what it printed."""
    finished = subprocess.run(
        ["git", *words],
        cwd=cwd,
        env={**os.environ, **PERSON, **(environment or {})},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, f"git {' '.join(words)}: {finished.stderr}"
    return finished.stdout


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write text files below `folder`."""
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")


def make_bare(path: Path, files: Mapping[str, str] | None = None, *, branch: str = "main") -> Path:
    """Make a bare repository with one commit of `files` on `branch`; PATH.work beside it made that commit."""
    made = _made(
        tuple((files or {"README.md": "# Scheduler\n", "src/retry.py": "DELAY = 1\n"}).items()), branch
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(made, path, symlinks=True)
    shutil.copytree(made.with_name("bare.work"), path.with_name(path.name + ".work"), symlinks=True)
    return path


_templates = tempfile.TemporaryDirectory(prefix="isexplore-bare-")
"""Repositories to copy: making one takes ten processes. It goes when the interpreter ends."""


@functools.cache
def _made(files: tuple[tuple[str, str], ...], branch: str) -> Path:
    """Make a bare repository, once for all that are like it; nobody writes to it."""
    path = Path(tempfile.mkdtemp(dir=_templates.name)) / "bare"
    path.mkdir()
    git("init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}", ".", cwd=path)
    (path / "hooks").mkdir()
    for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant", "http.receivepack"):
        git("config", key, "true", cwd=path)
    work = path.with_name(path.name + ".work")
    work.mkdir()
    git("init", "--quiet", "--template=", f"--initial-branch={branch}", ".", cwd=work)
    write_files(work, dict(files))
    git("add", "--all", cwd=work)
    git("commit", "--quiet", "--message", "Begin", cwd=work)
    git("push", "--quiet", str(path), f"HEAD:refs/heads/{branch}", cwd=work)
    return path


def add_commit(bare: Path, files: Mapping[str, str], message: str, *, branch: str = "main") -> str:
    """Commit `files` on top of a branch of a bare repository; return the commit."""
    work = bare.with_name(bare.name + ".work")
    git("fetch", "--quiet", str(bare), branch, cwd=work)
    git("checkout", "--quiet", "--detach", "FETCH_HEAD", cwd=work)
    write_files(work, files)
    git("add", "--all", cwd=work)
    git("commit", "--quiet", "--message", message, cwd=work)
    git("push", "--quiet", str(bare), f"HEAD:refs/heads/{branch}", cwd=work)
    return git("rev-parse", "HEAD", cwd=work).strip()


_COMMIT = re.compile(r"[0-9a-f]{40}")
_answers: dict[tuple[tuple[str, ...], bytes], tuple[int, bytes]] = {}


def ask(bare: Path, *words: str) -> tuple[int, bytes]:
    """Ask git what a bare repository holds; return its exit code and what it printed.

    Git runs once for the same question to repositories whose refs are the same: those have the same answer.
    Only whether a commit is there refs do not tell, so a question that names one is always asked.
    """
    key = words, _refs(bare)
    known = _answers.get(key)
    if known is not None:
        return known
    done = subprocess.run(["git", "--git-dir", str(bare), *words], capture_output=True, check=False)
    answer = done.returncode, done.stdout
    # Somebody may have pushed in between.
    if not any(_COMMIT.search(word) for word in words) and _refs(bare) == key[1]:
        _answers[key] = answer
    return answer


def _refs(bare: Path) -> bytes:
    """Return all refs of a bare repository, as its files hold them."""
    parts = []
    for name in ("HEAD", "packed-refs"):
        with suppress(FileNotFoundError):
            parts.append((bare / name).read_bytes())
    for folder, _, names in os.walk(bare / "refs"):
        for name in names:
            with suppress(FileNotFoundError), open(os.path.join(folder, name), "rb") as file:
                parts.append(b"%s %s" % (os.path.join(folder, name)[len(str(bare)) :].encode(), file.read()))
    return b"\n".join(sorted(parts))


@dataclass
class GitServer:
    """A loopback forge for git over HTTP; `requests` holds what it was asked."""

    root: Path
    origin: str
    token: str
    username: str = "oauth2"
    private: bool = True
    mode: Mode = "ok"
    location: str = ""
    """Where `redirect` sends to."""
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, path with query, Authorization header."""
    asked: threading.Event = field(default_factory=threading.Event)
    """Set with the first request."""
    pack_after: float = 0.0
    """Seconds that files take on their way."""
    release: threading.Event = field(default_factory=threading.Event)
    """Ends `stall`; set at the end of the test."""

    def url(self, project: str) -> str:
        return f"{self.origin}/{project}.git"

    def bare(self, project: str) -> Path:
        return self.root / f"{project}.git"

    @property
    def credential(self) -> Credential:
        return Credential(origin=self.origin, username=self.username, token=Secret(self.token))

    def authorized(self, header: str | None) -> bool:
        expected = base64.b64encode(f"{self.username}:{self.token}".encode()).decode()
        return header == f"Basic {expected}"


class _Handler(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"
    state: GitServer

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline().strip() or b"0", 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._serve(body)

    def _serve(self, body: bytes) -> None:
        state = self.state
        header = self.headers.get("Authorization")
        state.requests.append((self.command, self.path, header))
        state.asked.set()
        pushing = "git-receive-pack" in self.path
        if state.mode == "redirect":
            self._answer(302, Location=state.location + self.path)
        elif state.mode == "stall":
            state.release.wait(20)
            self.close_connection = True
        elif (state.private or pushing) and not state.authorized(header):
            self._answer(401, b"HTTP Basic: Access denied", WWW_Authenticate='Basic realm="Git"')
        elif state.mode == "forbidden-push" and pushing:
            self._answer(403, b"You are not allowed to push code to this project.", Content_Type="text/plain")
        elif state.mode == "cut" and body:
            self.send_response(200)
            self.send_header("Content-Type", "application/x-git-upload-pack-result")
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"0008NAK\n")
            self.close_connection = True
        else:
            if state.pack_after and b"command=fetch" in body:
                state.release.wait(state.pack_after)
            self._backend(body, header)
            if state.mode == "slow":
                state.release.wait(0.2)

    def _backend(self, body: bytes, header: str | None) -> None:
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PROJECT_ROOT": str(self.state.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": self.state.username if header else "",
            "REMOTE_ADDR": "127.0.0.1",
        }
        finished = subprocess.run(
            ["git", "http-backend"], env=environment, input=body, capture_output=True, check=False
        )
        if self.state.mode == "cut-after-push" and body and "git-receive-pack" in path:
            self.close_connection = True
            return
        head, _, rest = finished.stdout.partition(b"\r\n\r\n")
        status, headers = 200, {}
        for line in head.decode("latin-1").split("\r\n"):
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                status = int(value.split()[0])
            elif value:
                headers[name.replace("-", "_")] = value
        self._answer(status, rest, **headers)


@contextmanager
def git_server(root: Path, *, token: str = "glpat-canary-5f1e", private: bool = True) -> Iterator[GitServer]:
    """Serve the bare repositories below `root` on a loopback port of their own."""
    handler = type("_BoundHandler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    state = GitServer(
        root=root, origin=f"http://127.0.0.1:{server.server_address[1]}", token=token, private=private
    )
    handler.state = state  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.release.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
