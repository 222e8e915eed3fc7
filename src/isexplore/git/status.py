"""Pure parsers of what git prints for programs: status, refs and log, always NUL-separated."""

from __future__ import annotations

from msgspec import Struct

from isexplore.git.facts import Change, CommitFacts
from isexplore.text import clean, clean_line

MAX_CHANGES = 5_000
"""Changed files that are listed."""

STATUS_WORDS = (
    "status",
    "--porcelain=v2",
    "--branch",
    "-z",
    "--untracked-files=all",
    "--no-renames",
    "--ignore-submodules=dirty",
)
BRANCHES_WORDS = ("for-each-ref", "--format=%(refname)%00%(symref)%00", "refs/heads", "refs/remotes")
LOG_FORMAT = "--format=%H%x00%s%x00%an%x00%ae%x00%b"

_STATES = {"A": "added", "M": "modified", "T": "modified", "D": "deleted", "R": "renamed", "C": "added"}


class Status(Struct, kw_only=True):
    """What `git status` said."""

    head: str | None = None
    branch: str | None = None
    upstream: str | None = None
    ahead: int | None = None
    behind: int | None = None
    changes: list[Change] = []


def parse_status(output: bytes) -> Status:
    """Read the output of `STATUS_WORDS` (git-status(1), porcelain format version 2)."""
    status = Status()
    for raw in output.split(b"\0"):
        line = raw.decode("utf-8", "surrogateescape")
        if line.startswith("# "):
            _header(status, line)
        elif line and len(status.changes) < MAX_CHANGES:
            change = _change(line)
            if change is not None:
                status.changes.append(change)
    return status


def _header(status: Status, line: str) -> None:
    _, key, value = line.split(" ", 2)
    if key == "branch.oid" and value != "(initial)":
        status.head = value
    elif key == "branch.head" and value != "(detached)":
        status.branch = value
    elif key == "branch.upstream":
        status.upstream = value
    elif key == "branch.ab":
        ahead, behind = value.split(" ")
        status.ahead, status.behind = int(ahead), -int(behind)


def _change(line: str) -> Change | None:
    if line.startswith("? "):
        return Change(path=line[2:], state="untracked")
    if line.startswith("u "):
        return Change(path=line.split(" ", 10)[10], state="conflicted")
    if line.startswith("1 "):
        parts = line.split(" ", 8)
        staged, unstaged = parts[1][0], parts[1][1]
        if unstaged == "D":
            return Change(path=parts[8], state="deleted")
        return Change(path=parts[8], state=_STATES.get(staged if staged != "." else unstaged, "modified"))
    return None


def parse_branches(output: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read the output of `BRANCHES_WORDS`: local branches and remote ones (`origin/main`), sorted."""
    fields = output.decode("utf-8", "replace").split("\0")
    local, remote = [], []
    for ref, symbolic in zip(fields[::2], fields[1::2], strict=False):
        name = clean_line(ref)
        if name.startswith("refs/heads/"):
            local.append(name.removeprefix("refs/heads/"))
        elif name.startswith("refs/remotes/") and not symbolic:
            remote.append(name.removeprefix("refs/remotes/"))
    return tuple(sorted(local)), tuple(sorted(remote))


def parse_log(output: bytes) -> list[CommitFacts]:
    """Read the output of `git log -z` in `LOG_FORMAT`, newest first."""
    fields = output.decode("utf-8", "replace").split("\0")
    return [
        CommitFacts(
            sha=clean_line(sha),
            subject=clean_line(subject),
            author=clean_line(author),
            email=clean_line(email),
            body=clean(body.strip()),
        )
        for sha, subject, author, email, body in zip(*(fields[n::5] for n in range(5)), strict=False)
    ]
