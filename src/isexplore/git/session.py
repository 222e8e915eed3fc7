"""Settings of git commands in one place: which environment a local and which a networked one gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from isexplore.git.environment import base_environment, command_environment
from isexplore.git.facts import Credential
from isexplore.git.failures import Operation, explain
from isexplore.git.names import is_ssh
from isexplore.git.runner import Finished, OnOutput, run
from isexplore.git.ssh import ssh_failure


class GitSession:
    """Runs git command lines in environments of our own."""

    def __init__(
        self,
        *,
        environment: Mapping[str, str],
        network_environment: Mapping[str, str],
        replaced_origins: Mapping[str, str],
        network_timeout: float,
        low_speed_time: int,
        program: str,
    ) -> None:
        self.base = base_environment(environment)
        self.network_timeout = network_timeout
        self._network = dict(network_environment)
        self._replaced = dict(replaced_origins)
        self._low_speed_time = low_speed_time
        self._program = program

    async def local(
        self,
        command: Sequence[str],
        *,
        folder: Path | None = None,
        stdin: bytes | None = None,
        on_output: OnOutput | None = None,
        hooks: bool = True,
        hear_output: bool = False,
        quiet_limit: float | None = None,
    ) -> Finished:
        """Run a command that needs no server and gets no token, whatever its exit code."""
        environment = command_environment(
            self.base, folder=folder, hooks=hooks, replaced_origins=self._replaced
        )
        return await run(
            [self._program, *command[1:]],
            environment,
            stdin=stdin,
            on_output=on_output,
            hear_output=hear_output,
            quiet_limit=quiet_limit,
        )

    async def read(self, folder: Path, *words: str) -> Finished:
        """Run a command that only reads a clone."""
        return await self.local(["git", "-C", str(folder), *words], folder=folder)

    async def networked(
        self,
        command: Sequence[str],
        *,
        url: str | None,
        credential: Credential | None,
        folder: Path | None = None,
        on_output: OnOutput | None = None,
        hooks: bool = False,
        quiet_limit: float | None = None,
    ) -> Finished:
        """Run a command that may talk to a server, whatever its exit code.

        Args:
            command: the command line.
            url: the address that it talks to; None when a partial clone may fetch from its own.
            credential: how to sign in.
            folder: the clone.
            on_output: gets git's lines.
            hooks: whether the user's hooks run; they see the token.
            quiet_limit: seconds of silence before it is stopped, instead of the network's.

        Raises:
            GitError: reason "host-key" or "auth", where ssh itself would not go on.
        """
        if url is not None and is_ssh(url):
            # ssh signs in with its own keys; the token is none of its business.
            credential = None
        environment = command_environment(
            self.base | self._network,
            folder=folder,
            url=url,
            credential=credential,
            hooks=hooks,
            replaced_origins=self._replaced,
            low_speed_time=self._low_speed_time,
        )
        finished = await run(
            [self._program, *command[1:]],
            environment,
            on_output=on_output,
            quiet_limit=quiet_limit or self.network_timeout,
            hide=() if credential is None else (credential.token.reveal(),),
        )
        if finished.returncode != 0 and url is not None and is_ssh(url):
            failure = ssh_failure(url, finished.lines, finished.returncode)
            if failure is not None:
                raise failure
        return finished


def check(finished: Finished, operation: Operation, *, subject: str = "") -> Finished:
    """Return `finished` if git succeeded, else raise what its last words amount to."""
    if finished.returncode != 0:
        raise explain(operation, finished.lines, finished.returncode, subject=subject)
    return finished


def with_progress(command: Sequence[str], subcommand: str) -> list[str]:
    """Return a command line that also tells its progress (`--progress` after the subcommand)."""
    place = list(command).index(subcommand) + 1
    return [*command[:place], "--progress", *command[place:]]
