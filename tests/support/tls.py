"""A certificate authority of our own, certificates with every fault, and an HTTPS server on loopback."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import trustme

Fault = Literal["good", "expired", "not-yet-valid", "wrong-host", "self-signed"]
HOSTS = ("localhost", "127.0.0.1")
Answer = tuple[int, dict[str, str], bytes]


class Authority:
    """Issues certificates; `file` is what somebody puts into `ca_file`."""

    def __init__(self, folder: Path, name: str = "Example Corp Root") -> None:
        self._ca = trustme.CA(organization_name=name)
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.file = folder / "root.pem"
        self._ca.cert_pem.write_to_path(str(self.file))

    def certificate(self, fault: Fault = "good", hosts: tuple[str, ...] = HOSTS) -> trustme.LeafCert:
        """Return a server certificate with one fault."""
        now = datetime.now(UTC)
        match fault:
            case "expired":
                return self._ca.issue_cert(
                    *hosts, not_before=now - timedelta(days=30), not_after=now - timedelta(days=1)
                )
            case "not-yet-valid":
                return self._ca.issue_cert(
                    *hosts, not_before=now + timedelta(days=1), not_after=now + timedelta(days=30)
                )
            case "wrong-host":
                return self._ca.issue_cert("other.example.com")
            case "self-signed":
                return trustme.CA(organization_name="Nobody").issue_cert(*hosts)
            case _:
                return self._ca.issue_cert(*hosts)

    def client(self, name: str = "ada@example.com") -> tuple[Path, Path]:
        """Return the files of a client's certificate and key."""
        leaf = self._ca.issue_cert(name)
        certificate, key = self._folder / "client.pem", self._folder / "client.key"
        certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        key.write_bytes(leaf.private_key_pem.bytes())
        return certificate, key

    def server_context(
        self, fault: Fault = "good", *, wants_client: bool = False, hosts: tuple[str, ...] = HOSTS
    ) -> ssl.SSLContext:
        """Return the context of a server with such a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.certificate(fault, hosts).configure_cert(context)
        if wants_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.file)
        return context


def hello(path: str, headers: dict[str, str]) -> Answer:
    """Answer everything with "hello"."""
    return 200, {"Content-Type": "text/plain"}, b"hello"


@contextmanager
def https_server(
    context: ssl.SSLContext | None, answer: Callable[[str, dict[str, str]], Answer] = hello
) -> Iterator[int]:
    """Serve on 127.0.0.1 (plain HTTP without a context); yields the port.

    `answer` gets the path and the headers of GET, POST and HEAD requests alike.
    """

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True
        timeout = 5

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length:
                self.rfile.read(length)
            status, headers, body = answer(self.path, dict(self.headers))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_POST = do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test's output clean."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: object, client_address: object) -> None:
            if context is None:
                super().finish_request(request, client_address)  # type: ignore[arg-type]
                return
            # In the request's own thread: a client that breaks off the handshake holds up nobody.
            with context.wrap_socket(request, server_side=True) as secured:  # type: ignore[arg-type]
                super().finish_request(secured, client_address)

        def handle_error(self, request: object, client_address: object) -> None:
            """Clients that refuse the certificate are what many tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
