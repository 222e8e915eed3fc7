"""What git tells: plain data, no I/O. Texts are clean (`isexplore.text`); paths are as git spells them."""

from __future__ import annotations

from msgspec import Struct

from isexplore.config.secrets import Secret


class Credential(Struct, frozen=True, kw_only=True):
    """How git signs in over HTTPS, for one origin only."""

    origin: str
    """`scheme://host[:port]`; git gets the token for no other."""
    username: str
    token: Secret


class Identity(Struct, frozen=True, kw_only=True):
    """Who commits, as git is configured; None where it is not."""

    name: str | None = None
    email: str | None = None

    @property
    def complete(self) -> bool:
        """Whether git can commit with it."""
        return bool(self.name and self.email)


class Change(Struct, frozen=True, kw_only=True):
    """A file that differs from the last commit."""

    path: str
    """Relative to the clone, `/` between parts; bytes that are not UTF-8 are surrogate-escaped."""
    state: str
    """added, modified, deleted, renamed, untracked or conflicted."""


class CommitFacts(Struct, frozen=True, kw_only=True):
    """One commit."""

    sha: str
    subject: str
    author: str
    email: str
    body: str = ""


class CloneFacts(Struct, frozen=True, kw_only=True):
    """How a folder stands; everything but `exists` keeps its default where it is no clone."""

    exists: bool = False
    is_repo: bool = False
    """The folder itself is the top of a working tree (not a folder inside one, not a bare repository)."""
    remotes: dict[str, str] = {}
    """Fetch address by remote name."""
    branch: str | None = None
    """The branch that is checked out; None when HEAD is detached."""
    branches: tuple[str, ...] = ()
    """Local branches, sorted."""
    remote_branches: tuple[str, ...] = ()
    """Remote branches as last fetched: `origin/main`, sorted."""
    head: str | None = None
    """Commit that is checked out; None before the first commit."""
    changes: int = 0
    """Files that differ from the last commit, untracked ones included."""
    conflicts: int = 0
    upstream: str | None = None
    """The remote branch that the branch follows: `origin/main`."""
    ahead: int | None = None
    behind: int | None = None
    """Commits against `upstream`; None when there is none, or it was never fetched."""
    in_progress: str | None = None
    """merge, rebase, cherry-pick, revert or bisect, when git waits for its end."""
