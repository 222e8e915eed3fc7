"""A learner on the practice forge, with real git in the fork: no server and no waiting."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from isexplore.practice.plumbing import git
from isexplore.practice.rows import DiscussionRow, MergeRequestRow, NoteRow, ProjectRow
from isexplore.practice.store import Store

START = datetime(2030, 5, 6, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that moves only when told."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


def commit(
    repository: Path,
    branch: str,
    files: Mapping[str, str | bytes | None],
    *,
    message: str = "Change something",
    author: str = "Nia Newcomer <nia@practice.example>",
    start: str | None = None,
    when: datetime = START,
) -> str:
    """Add a commit to a branch of a bare repository (from `start`, or from its own tip); return its id."""
    name, _, email = author.rstrip(">").partition(" <")
    stream = [f"commit refs/heads/{branch}\nmark :1\n"]
    for role in ("author", "committer"):
        stream.append(f"{role} {name} <{email}> {int(when.timestamp())} +0000\n")
    data = message.encode()
    body = "".join(stream).encode() + b"data %d\n%s\n" % (len(data), data)
    parent = start or f"refs/heads/{branch}"
    if start != "":
        body += f"from {git(('rev-parse', parent), repositories=(repository,)).decode().strip()}\n".encode()
    for path, text in files.items():
        if text is None:
            body += f"D {path}\n".encode()
        else:
            content = text if isinstance(text, bytes) else text.encode()
            body += f"M 100644 inline {path}\n".encode() + b"data %d\n%s\n" % (len(content), content)
    git(("fast-import", "--quiet", "--force"), repositories=(repository,), stdin=body)
    return git(("rev-parse", f"refs/heads/{branch}"), repositories=(repository,)).decode().strip()


class Learner:
    """Nia, who forks, pushes and proposes by the store's own ways."""

    def __init__(self, store: Store, clock: Clock, username: str = "nia") -> None:
        self.store = store
        self.clock = clock
        self.username = username

    def project(self, path: str) -> ProjectRow:
        found = self.store.project_by_path(path)
        assert found is not None, path
        return found

    async def fork(self, path: str) -> ProjectRow:
        fork = self.store.create_fork(self.project(path), self.username, owner=self.username)
        await self.store.import_fork(fork.id)
        return self.store.project_or_fail(fork.id)

    def read(self, project: ProjectRow, path: str, branch: str | None = None) -> str:
        ref = f"refs/heads/{branch or project.default_branch}:{path}"
        repository = self.store.repository_path(project.id)
        return git(("cat-file", "blob", ref), repositories=(repository,)).decode()

    async def push(
        self,
        fork: ProjectRow,
        branch: str,
        files: Mapping[str, str | bytes | None],
        *,
        message: str = "Change something",
        start: str | None = None,
    ) -> str:
        """Commit to a branch of the fork, which starts at the default branch, and tell the forge."""
        repository = self.store.own_repository_path(fork.id)
        exists = git(("for-each-ref", f"refs/heads/{branch}"), repositories=(repository,))
        origin = start or (None if exists else f"refs/heads/{fork.default_branch}")
        sha = commit(repository, branch, files, message=message, start=origin, when=self.clock.now)
        await self.store.after_push(fork.id, {branch: sha})
        return sha

    async def propose(
        self, path: str, fork: ProjectRow, branch: str, title: str, description: str = ""
    ) -> MergeRequestRow:
        project = self.project(path)
        row = self.store.create_merge_request(
            project.id,
            source_project_id=fork.id,
            source_branch=branch,
            target_branch=project.default_branch,
            title=title,
            description=description,
            author=self.username,
        )
        return await self.store.prepare(row.id)

    def now(self, request: MergeRequestRow) -> MergeRequestRow:
        return self.store.merge_request_or_fail(request.id)

    def said(self, request: MergeRequestRow, *, by: str | None = None) -> list[NoteRow]:
        """What people (not the forge) said on a merge request."""
        notes = self.store.notes("merge_request", request.id)
        return [note for note in notes if not note.system and (by is None or note.author == by)]

    def threads(self, request: MergeRequestRow) -> list[DiscussionRow]:
        """The threads of a merge request that can be resolved."""
        threads = self.store.discussions("merge_request", request.id)
        return [thread for thread in threads if thread.resolvable]

    def on_default_branch(self, path: str) -> str:
        project = self.project(path)
        repository = self.store.repository_path(project.id)
        return git(("log", "--format=%s", project.default_branch), repositories=(repository,)).decode()
