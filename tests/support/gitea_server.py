"""A Gitea or Forgejo to talk to on the loopback: REST v1 and git over HTTP, with state.

It behaves as `gitea_flavours` says, and, by its switches, as administrators set such servers up:
members only, a ROOT_URL that is not the address in use, below a path, without stars.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

from tests.support.gitea_flavours import Flavour
from tests.support.gitea_shapes import Shapes
from tests.support.gitea_state import GiteaState, Repo, Token

USUAL = 30
"""Items on a page when nobody asks."""
_GIT = re.compile(
    r"/(?P<owner>[^/]+)/(?P<name>[^/]+?)(?:\.git)?/(?P<service>info/refs|git-upload-pack|git-receive-pack)"
)
_PRE_RECEIVE = """#!/bin/sh
while read -r old new ref; do
  for branch in $STAND_IN_PROTECTED; do
    if [ "$ref" = "refs/heads/$branch" ]; then
      echo "" >&2
      echo "Gitea: Not allowed to push to protected branch $branch" >&2
      exit 1
    fi
  done
done
"""
_POST_RECEIVE = """#!/bin/sh
while read -r old new ref; do
  echo
  echo "Create a new pull request for '${ref#refs/heads/}':"
  echo "  $STAND_IN_COMPARE${ref#refs/heads/}"
  echo
done
echo ". Processing 1 references"
echo "Processed 1 references in total"
"""


@dataclass
class Call:
    """A request to the API."""

    method: str
    path: str
    """Below `/api/v1`, still encoded."""
    query: dict[str, str]
    body: dict[str, Any]
    token: Token | None

    @property
    def login(self) -> str | None:
        return self.token.login if self.token is not None else None


@dataclass
class Reply:
    """An answer; bytes as they are, anything else as JSON, None for an empty body."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """Ends a request."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class GiteaServer:
    """Everything that one server is. `origin` and `url` are set while it runs."""

    def __init__(self, flavour: Flavour, root: Path) -> None:
        """Keep repositories below `root`."""
        from tests.support.gitea_api import Api

        self.flavour = flavour
        self.state = GiteaState(root / "repositories")
        self.shapes = Shapes(self.state, flavour)
        self.members_only = False
        self.stars = True
        self.most = 50
        """Items on a page at most."""
        self.fork_takes = 0.0
        """Seconds."""
        self.prefix = ""
        self.root_url: str | None = None
        """As its settings have it; None for the address in use."""
        self.origin = ""
        self.calls: list[tuple[str, str]] = []
        """Method and path with query of every request, git's too."""
        self.unknown: list[tuple[str, str]] = []
        """Requests to addresses that this server does not have."""
        self.authorizations: set[str] = set()
        """First words of the Authorization headers."""
        self.lose_answers: set[tuple[str, str]] = set()
        """Requests (method, end of the path) that are done but answered with 502, once each."""
        self.lock = threading.RLock()
        self.api = Api(self)
        self.hooks = root / "hooks"
        self.hooks.mkdir(parents=True)
        for name, text in (("pre-receive", _PRE_RECEIVE), ("post-receive", _POST_RECEIVE)):
            (self.hooks / name).write_text(text, encoding="ascii")
            (self.hooks / name).chmod(0o700)

    @property
    def url(self) -> str:
        """Its web address as its users reach it."""
        return self.origin + self.prefix

    # Answers

    def refusal(self, status: int, message: str, *errors: str) -> Reply:
        """Return an error in this flavour's shape."""
        swagger = f"{self.shapes.root_url}/api/swagger"
        if status == 404 and self.flavour.errors == "words":
            return Reply(404, {"message": "not found", "url": swagger})
        if status == 404:
            return Reply(404, {"errors": list(errors), "message": message, "url": swagger})
        return Reply(status, {"message": message, "url": swagger})

    def not_found(self, *errors: str, message: str = "The target couldn't be found.") -> Refusal:
        return Refusal(self.refusal(404, message, *errors))

    def page(self, call: Call, items: list[Any], *, link: bool = True) -> Reply:
        """Return the page of a list that was asked for."""
        limit = min(int(call.query.get("limit") or USUAL) or USUAL, self.most)
        number = max(int(call.query.get("page") or 1), 1)
        part = items[(number - 1) * limit : number * limit]
        headers = {"X-Total-Count": str(len(items)), "Access-Control-Expose-Headers": "Link, X-Total-Count"}
        last = -(-len(items) // limit)
        links = []

        def to(page: int, rel: str) -> None:
            query = urlencode({**call.query, "page": page})
            links.append(f'<{self.shapes.root_url}/api/v1{call.path}?{query}>; rel="{rel}"')

        if number < last:
            to(number + 1, "next")
            to(last, "last")
        if number > 1:
            to(1, "first")
            to(min(number - 1, last), "prev")
        if links and link:
            headers["Link"] = ",".join(links)
        return Reply(200, None if not part and self.flavour.null_lists else part, headers)

    # Who asks

    def bearer(self, header: str | None, *, git: bool = False) -> Token | None:
        """Return the token of an Authorization header.

        Raises:
            Refusal: it is wrong.
        """
        if not header:
            return None
        scheme, _, value = header.partition(" ")
        self.authorizations.add(scheme)
        given: Token | None = None
        if scheme.lower() in ("token", "bearer") and not git:
            given = self.state.tokens.get(value.strip())
        elif scheme.lower() == "basic":
            try:
                user, _, password = base64.b64decode(value).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                user = password = ""
            as_name = password in ("", "x-oauth-basic")
            given = self.state.tokens.get(user if as_name else password)
        if given is None:
            words = "invalid username, password or token"
            if self.flavour.errors == "list":
                words = "user does not exist [uid: 0, name: ]"
            raise Refusal(self.refusal(401, words))
        return given

    def need(self, call: Call, level: str, *categories: str) -> None:
        """Check the token's scopes.

        Raises:
            Refusal: one is missing.
        """
        if call.token is None or not self.flavour.scoped:
            return
        for category in categories:
            if not call.token.holds(level, category):
                words = self.flavour.scope_words.format(
                    needs=f"{level}:{category}", has=",".join(sorted(call.token.scopes or ()))
                )
                raise Refusal(self.refusal(403, words))

    def find(self, call: Call, owner: str, name: str) -> Repo:
        """Return a repository that the caller may see.

        Raises:
            Refusal: there is none, or it has another name now.
        """
        path = f"{unquote(owner)}/{unquote(name)}"
        repo = self.state.repos.get(path.lower())
        if repo is None:
            renamed = self.state.renamed.get(path.lower())
            if renamed is not None:
                target = call.path.replace(f"{owner}/{name}", renamed, 1)
                raise Refusal(Reply(307, b"", {"Location": f"{self.prefix}/api/v1{target}"}))
            if unquote(owner).lower() not in self.state.accounts:
                raise self.not_found(
                    f"user redirect does not exist [name: {unquote(owner)}]", message="GetUserByName"
                )
            raise self.not_found()
        if self.state.role(repo, call.login) == "none":
            raise self.not_found()
        return repo

    # Requests

    def answer(self, method: str, target: str, header: str | None, body: bytes) -> Reply:
        """Answer a request to anything but git."""
        path, _, query = target.partition("?")
        if not path.startswith(self.prefix + "/"):
            return Reply(404, b"<html><body>Not here</body></html>", {"Content-Type": "text/html"})
        path = path[len(self.prefix) :]
        if not path.startswith("/api/v1/"):
            if self.members_only and path != "/user/login":
                return Reply(303, b"", {"Location": f"{self.prefix}/user/login"})
            status = 200 if path == "/user/login" else 404
            return Reply(status, b"<!DOCTYPE html><html>A page</html>", {"Content-Type": "text/html"})
        try:
            token = self.bearer(header)
            if token is None and self.members_only:
                return Reply(403, {"message": "Only signed in user is allowed to call APIs."})
            pairs = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
            sent = json.loads(body) if body else {}
            call = Call(method, path[len("/api/v1") :], pairs, sent, token)
            with self.lock:
                reply = self.api(call)
        except Refusal as refusal:
            return refusal.reply
        for key in self.lose_answers:
            if method == key[0] and path.endswith(key[1]) and reply.status < 300:
                self.lose_answers.discard(key)
                return Reply(502, b"<html>Bad gateway</html>", {"Content-Type": "text/html"})
        return reply

    def git(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Reply | None:
        """Answer git, or return None for what is no request of git's."""
        path, _, query = target.partition("?")
        found = _GIT.fullmatch(path[len(self.prefix) :]) if path.startswith(self.prefix) else None
        if found is None:
            return None
        writes = "git-receive-pack" in (found["service"] + query)
        challenge = Reply(401, b"Unauthorized\n", {"WWW-Authenticate": f'Basic realm="{self.flavour.realm}"'})
        try:
            token = self.bearer(headers.get("authorization"), git=True)
        except Refusal:
            return challenge
        login = token.login if token is not None else None
        path = f"{unquote(found['owner'])}/{unquote(found['name'])}".lower()
        repo = self.state.repos.get(path)
        if token is None and (writes or self.members_only or repo is None or repo.private):
            return challenge
        if repo is None or self.state.role(repo, login) == "none":
            return Reply(404, b"Repository not found\n")
        if token is not None and self.flavour.scoped:
            level = "write" if writes else "read"
            if not token.holds(level, "repository"):
                return Reply(403, b"")
        if writes and not self.state.may_write(repo, login):
            return Reply(403, b"User permission denied for writing.\n")
        if writes and repo.archived:
            return Reply(403, b"This repo is archived. You can view files and clone it, but cannot push.\n")
        reply = self._backend(method, repo, found["service"], query, headers, body, login)
        if found["service"] == "git-receive-pack":
            with self.lock:
                self.state.pushed(repo)
        return reply

    def _backend(
        self,
        method: str,
        repo: Repo,
        service: str,
        query: str,
        headers: dict[str, str],
        body: bytes,
        login: str | None,
    ) -> Reply:
        base = repo.parent or repo
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "core.hooksPath",
            "GIT_CONFIG_VALUE_0": str(self.hooks),
            "STAND_IN_PROTECTED": " ".join(repo.protected),
            "STAND_IN_COMPARE": f"{self.shapes.root_url}/{base.path}/compare/"
            f"{base.default_branch}...{repo.owner}:",
            "GIT_PROJECT_ROOT": str(repo.bare.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{repo.bare.name}/{service}",
            "QUERY_STRING": query,
            "REQUEST_METHOD": method,
            "CONTENT_TYPE": headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
            "GIT_PROTOCOL": headers.get("git-protocol", ""),
            "REMOTE_USER": login or "",
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(
            ["git", "http-backend"], env=environment, input=body, capture_output=True, check=False
        )
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        status, sent = 200, {}
        for line in head.decode("latin-1").split("\r\n"):
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                status = int(value.split()[0])
            elif value:
                sent[name] = value
        return Reply(status, rest, sent)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server_of: GiteaServer

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _serve(self) -> None:
        stand_in, body = self.server_of, self._body()
        stand_in.calls.append((self.command, self.path))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = stand_in.git(self.command, self.path, headers, body)
        if reply is None:
            reply = stand_in.answer(self.command, self.path, headers.get("authorization"), body)
        data = reply.body
        sent = dict(reply.headers)
        if isinstance(data, bytes):
            sent.setdefault("Content-Type", "text/plain; charset=utf-8")
        elif reply.status == 204 or (data is None and reply.status >= 300):
            data = b""
        else:
            data = json.dumps(data).encode() + b"\n"
            sent["Content-Type"] = "application/json;charset=utf-8"
        self.send_response(reply.status)
        for name, value in sent.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve


@contextmanager
def gitea_server(
    flavour: Flavour,
    root: Path,
    *,
    prefix: str = "",
    root_url: str | None = None,
    members_only: bool = False,
    stars: bool = True,
) -> Iterator[GiteaServer]:
    """Run a server on a free port.

    Args:
        flavour: which product and version.
        root: where its repositories go.
        prefix: path of a sub-path install.
        root_url: what it takes for its own address; None for the right one.
        members_only: whether strangers may see nothing at all.
        stars: whether there are any.
    """
    stand_in = GiteaServer(flavour, root)
    stand_in.prefix, stand_in.members_only, stand_in.stars = prefix, members_only, stars
    handler = type("_BoundHandler", (_Handler,), {"server_of": stand_in})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    stand_in.origin = f"http://127.0.0.1:{server.server_address[1]}"
    stand_in.root_url = root_url
    stand_in.shapes.root_url = root_url or stand_in.url
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
