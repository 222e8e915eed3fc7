"""Git over SSH for tests: a real sshd on loopback with its own keys, or a stand-in for ssh that needs none."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
TOOLS = ("ssh", "ssh-keygen", "ssh-keyscan", "ssh-agent", "ssh-add")
MISSING = ", ".join(
    [*(["sshd"] if SSHD is None else []), *(tool for tool in TOOLS if shutil.which(tool) is None)]
)
"""What this machine lacks for `ssh_server`; empty when it has all."""

_SERVE = """#!/bin/sh
set -- $SSH_ORIGINAL_COMMAND
path=$(printf %s "$2" | tr -d "'")
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
exec "$1" "{root}/$path"
"""
_RECORD = """#!/bin/sh
printf '%s\\n' "$*" >> "{folder}/argv"
env > "{folder}/environment"
"""


@dataclass
class SshServer:
    """A running sshd that serves the repositories below a folder."""

    folder: Path
    port: int
    user: str
    agent: str
    """Socket of an agent without keys until `load_key`."""

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, project: str) -> str:
        """Return the address that a forge would give."""
        return f"ssh://{self.user}@{self.host}/{project}.git"

    @property
    def environment(self) -> dict[str, str]:
        """Where git finds an ssh that knows this test's files alone, and the agent."""
        return {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "SSH_AUTH_SOCK": self.agent,
        }

    @property
    def calls(self) -> list[str]:
        """Return the arguments of each ssh that was run."""
        return recorded(self.folder)

    def load_key(self) -> None:
        """Put the person's key into the agent."""
        _run("ssh-add", "-q", str(self.folder / "user"), SSH_AUTH_SOCK=self.agent)

    def know_host(self) -> None:
        """Trust the server's key, as a person does who compared the fingerprint."""
        found = _run("ssh-keyscan", "-p", str(self.port), "127.0.0.1")
        (self.folder / "known").write_text(found)

    def know_another_key(self) -> None:
        """Have another key on record for the server."""
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / "other"))
        kind, key, *_ = (self.folder / "other.pub").read_text().split()
        (self.folder / "known").write_text(f"[127.0.0.1]:{self.port} {kind} {key}\n")


def recorded(folder: Path) -> list[str]:
    """Return what the recording ssh was called with."""
    argv = folder / "argv"
    return argv.read_text().splitlines() if argv.exists() else []


def _run(*words: str, **environment: str) -> str:
    return subprocess.run(
        words, check=True, capture_output=True, text=True, env={**os.environ, **environment}, timeout=30
    ).stdout


def _program(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def stand_in(folder: Path, repositories: Path) -> dict[str, str]:
    """Return an environment whose ssh serves `repositories` without a network, and writes down its calls."""
    _program(folder / "serve", _SERVE.format(root=repositories))
    _program(
        folder / "bin" / "ssh",
        _RECORD.format(folder=folder)
        + f'for word; do last="$word"; done\nSSH_ORIGINAL_COMMAND="$last" exec "{folder}/serve"\n',
    )
    return {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(folder)}


@contextmanager
def ssh_server(folder: Path, repositories: Path) -> Iterator[SshServer]:
    """Run an sshd for the repositories below a folder while the block lasts."""
    assert SSHD is not None
    for name in ("host", "user"):
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
    _program(folder / "serve", _SERVE.format(root=repositories))
    allowed = f'command="{folder}/serve",restrict {(folder / "user.pub").read_text()}'
    (folder / "authorized").write_text(allowed)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
    )
    (folder / "ssh_config").write_text(
        f"UserKnownHostsFile {folder}/known\nGlobalKnownHostsFile none\nIdentityFile none\n"
    )
    _program(
        folder / "bin" / "ssh",
        _RECORD.format(folder=folder) + f'exec "{shutil.which("ssh")}" -F "{folder}/ssh_config" "$@"\n',
    )
    if os.geteuid() == 0:
        # sshd of the superuser parts its privileges in this folder, which an init system would have made.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    agent = subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(folder / "agent")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    with (folder / "sshd.log").open("wb") as log:
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log)
    try:
        _until_open(port, server, folder / "sshd.log")
        yield SshServer(folder, port, getpass.getuser(), str(folder / "agent"))
    finally:
        for process in (server, agent):
            process.terminate()
            process.wait(10)


def _until_open(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 10
    while True:
        assert server.poll() is None, f"sshd did not start: {log.read_text()}"
        assert time.monotonic() < deadline, "sshd did not start in time"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
