"""Turns seeds into the practice forge's world: bare repositories with history, and rows of the store."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct

from isexplore.practice.checks import DEFAULT_CHECKS, pipeline_status, run_checks
from isexplore.practice.plumbing import Change, git
from isexplore.practice.seed import CommitSeed, IssueSeed, MergeRequestSeed, PersonSeed, ProjectSeed
from isexplore.practice.store import Store

_WORKERS = 4
_REVIEW_DAYS = 0.6
"""How long a merged merge request of the past was open."""

Files = dict[str, str | bytes | None]


class Author(Struct, frozen=True):
    """A name as git writes it."""

    name: str
    email: str


class ImportedRequest(Struct, frozen=True, kw_only=True):
    """What became of a merge request of the past in git."""

    sha: str
    base_sha: str
    merge_commit_sha: str | None


class Pushed(Struct, frozen=True, kw_only=True):
    """A push of the past to the default branch."""

    author: str
    title: str
    days_ago: float
    commit_from: str | None
    commit_to: str


class History:
    """A project's history as one stream for `git fast-import` (format: git-fast-import(1)).

    Args:
        seed: the project; its commits and merge requests are written in the order of their dates.
        people: authors by username.
        now: the moment that `days_ago` counts from.
    """

    def __init__(self, seed: ProjectSeed, people: dict[str, Author], now: datetime) -> None:
        self.seed = seed
        self._people = people
        self._now = now
        self._stream: list[bytes] = []
        self._marks = 0
        self._tip: int | None = None
        self._requests: list[tuple[int, int | None, int | None]] = []
        self._moves: list[tuple[int | None, int, str, str, float]] = []
        self.pushes: list[Pushed] = []
        """What moved the default branch, oldest first; known once it is written."""
        self.files: Files = {}
        """The default branch in the end."""
        requests = sorted(seed.merge_requests, key=lambda request: -request.days_ago)
        events: list[tuple[float, CommitSeed | tuple[int, MergeRequestSeed]]] = [
            *((commit.days_ago, commit) for commit in seed.commits),
            *((request.days_ago, (number, request)) for number, request in enumerate(requests, 1)),
        ]
        for _, event in sorted(events, key=lambda event: -event[0]):
            if isinstance(event, CommitSeed):
                self._commit_to_default(event)
            else:
                self._propose(*event)

    def write(self, repository: Path) -> list[ImportedRequest]:
        """Make the bare repository (replacing what is left of an earlier try); return its merge requests."""
        shutil.rmtree(repository, ignore_errors=True)
        branch = self.seed.default_branch
        git(("init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}", str(repository)))
        if not self._stream:
            return []
        marks = repository / "fast-import-marks"
        git(
            ("-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", f"--export-marks={marks}"),
            repositories=(repository,),
            stdin=b"".join(self._stream),
        )
        pairs = (line.split() for line in marks.read_text(encoding="ascii").splitlines())
        shas = {int(mark[1:]): sha for mark, sha in pairs}
        marks.unlink()
        self.pushes = [
            Pushed(
                author=author,
                title=title,
                days_ago=days_ago,
                commit_from=shas[start] if start else None,
                commit_to=shas[end],
            )
            for start, end, author, title, days_ago in self._moves
        ]
        return [
            ImportedRequest(
                sha=shas[head],
                base_sha=shas[base] if base else "",
                merge_commit_sha=shas[merge] if merge else None,
            )
            for head, base, merge in self._requests
        ]

    def _commit_to_default(self, commit: CommitSeed) -> None:
        message = self._message(commit.author, commit.message, commit.sign_off)
        ref = f"refs/heads/{self.seed.default_branch}"
        start = self._tip
        self._tip = self._commit(ref, commit.author, message, commit.days_ago, commit.files, start)
        self._moves.append((start, self._tip, commit.author, message, commit.days_ago))
        self._remember(commit.files)

    def _propose(self, number: int, request: MergeRequestSeed) -> None:
        base = self._tip
        ref = f"refs/merge-requests/{number}/head"
        words = f"{request.title}\n\n{request.body.strip()}"
        message = self._message(request.author, words, request.sign_off)
        head = self._commit(ref, request.author, message, request.days_ago, request.files, base)
        merge = None
        if request.state == "merged":
            merge = self._commit(
                f"refs/heads/{self.seed.default_branch}",
                strongest_member(self.seed) or request.author,
                f"Merge branch '{request.branch}' into '{self.seed.default_branch}'\n\n{request.title}\n\n"
                f"See merge request {self.seed.path}!{number}",
                request.days_ago - _REVIEW_DAYS,
                request.files,
                base,
                merged=head,
            )
            self._tip = merge
            pusher = strongest_member(self.seed) or request.author
            title = f"Merge branch '{request.branch}' into '{self.seed.default_branch}'"
            self._moves.append((base, merge, pusher, title, request.days_ago - _REVIEW_DAYS))
            self._remember(request.files)
        else:
            self._write(f"reset refs/heads/{request.branch}\nfrom :{head}\n\n")
        self._requests.append((head, base, merge))

    def _message(self, username: str, words: str, sign_off: bool) -> str:
        author = self._people[username]
        trailer = f"\n\nSigned-off-by: {author.name} <{author.email}>" if sign_off else ""
        return words.rstrip() + trailer

    def _commit(
        self,
        ref: str,
        username: str,
        message: str,
        days_ago: float,
        files: Files,
        parent: int | None,
        *,
        merged: int | None = None,
    ) -> int:
        self._marks += 1
        author = self._people[username]
        seconds = int((self._now - timedelta(days=days_ago)).timestamp())
        who = f"{author.name} <{author.email}> {seconds} +0000"
        self._write(f"commit {ref}\nmark :{self._marks}\nauthor {who}\ncommitter {who}\n")
        self._data(message.rstrip().encode() + b"\n")
        if parent is not None:
            self._write(f"from :{parent}\n")
        if merged is not None:
            self._write(f"merge :{merged}\n")
        for path, content in files.items():
            if content is None:
                self._write(f"D {path}\n")
                continue
            data = content if isinstance(content, bytes) else content.encode()
            mode = "100755" if data.startswith(b"#!") else "100644"
            self._write(f"M {mode} inline {path}\n")
            self._data(data)
        self._write("\n")
        return self._marks

    def _remember(self, files: Files) -> None:
        for path, content in files.items():
            if content is None:
                self.files.pop(path, None)
            else:
                self.files[path] = content

    def _write(self, words: str) -> None:
        self._stream.append(words.encode())

    def _data(self, data: bytes) -> None:
        self._stream += (b"data %d\n" % len(data), data, b"\n")


def strongest_member(seed: ProjectSeed) -> str | None:
    """Return who has the most to say in a project; None where nobody has."""
    return max(seed.members, key=lambda who: seed.members[who], default=None)


def readme_of(files: Files) -> str | None:
    """Return the path of the README in the root folder, or None."""
    names = sorted(path for path in files if "/" not in path)
    return next((name for name in names if name.lower().partition(".")[0] == "readme"), None)


def build(store: Store, projects: Sequence[ProjectSeed], people: Sequence[PersonSeed], now: datetime) -> None:
    """Write the seeds into an empty world: everything or, when interrupted, nothing that shows.

    Args:
        store: where to.
        projects: what to write; their people must be among `people`.
        people: the accounts.
        now: the moment that `days_ago` counts from.

    Raises:
        GitError: git is missing or cannot write here.
    """
    with store.transaction(), ThreadPoolExecutor(_WORKERS) as pool:
        oldest = max((commit.days_ago for seed in projects for commit in seed.commits), default=0.0) + 30
        for person in people:
            store.create_user(person.username, person.name, bot=person.bot, at=now - timedelta(days=oldest))
        authors = {user.username: Author(user.name, user.email) for user in store.users().values()}
        histories = [(History(seed, authors, now), _create_project(store, seed, now)) for seed in projects]
        writing = [
            pool.submit(history.write, store.own_repository_path(project_id))
            for history, project_id in histories
        ]
        for (history, project_id), future in zip(histories, writing, strict=True):
            store.describe_repository(
                project_id, empty_repo=not history.files, readme_path=readme_of(history.files)
            )
            for number, issue in enumerate(history.seed.issues, 1):
                _create_issue(store, project_id, history.seed, issue, number, now)
            _create_merge_requests(store, project_id, history.seed, future.result(), now)
            for push in history.pushes:
                store.add_push(
                    project_id,
                    history.seed.default_branch,
                    author=push.author,
                    before=push.commit_from,
                    after=push.commit_to,
                    commit_count=1,
                    title=push.title.partition("\n")[0],
                    at=now - timedelta(days=push.days_ago),
                )


def _create_project(store: Store, seed: ProjectSeed, now: datetime) -> int:
    ages = [commit.days_ago for commit in seed.commits] + [issue.days_ago for issue in seed.issues]
    return store.create_project(
        seed.path,
        description=seed.description,
        visibility=seed.visibility,
        default_branch=seed.default_branch,
        topics=seed.topics,
        languages=seed.languages,
        licence=seed.licence,
        stars=seed.stars,
        forks=seed.forks,
        labels=seed.labels,
        members=seed.members,
        archived=seed.archived,
        forking_enabled=seed.forking_enabled,
        merge_requests_enabled=seed.merge_requests_enabled,
        issues_enabled=seed.issues_enabled,
        merge_method=seed.merge_method,
        checks=seed.checks or DEFAULT_CHECKS,
        review=seed.review,
        created_at=now - timedelta(days=max(ages, default=seed.created_days_ago or 1.0) + 0.1),
        last_activity_at=now - timedelta(days=min(ages, default=seed.created_days_ago or 1.0)),
    )


def _create_issue(
    store: Store, project_id: int, seed: ProjectSeed, issue: IssueSeed, number: int, now: datetime
) -> None:
    row = store.create_issue(
        project_id,
        issue.title,
        issue.body,
        author=issue.author,
        labels=issue.labels,
        assignee=issue.assignee,
        at=now - timedelta(days=issue.days_ago),
    )
    if issue.number is not None:
        store.update("issues", row.id, {"iid": issue.number})
    for note in issue.notes:
        at = now - timedelta(days=note.days_ago)
        store.add_note("issue", row.id, author=note.author, body=note.body, at=at)
    if issue.closed:
        latest = min((note.days_ago for note in issue.notes), default=issue.days_ago)
        by = strongest_member(seed) or issue.author
        store.close_issue(row.id, by=by, at=now - timedelta(days=max(0.0, latest - 0.1)))


def _create_merge_requests(
    store: Store, project_id: int, seed: ProjectSeed, imported: Sequence[ImportedRequest], now: datetime
) -> None:
    requests = sorted(seed.merge_requests, key=lambda request: -request.days_ago)
    reviewer = strongest_member(seed)
    for request, result in zip(requests, imported, strict=True):
        opened = now - timedelta(days=request.days_ago)
        row = store.create_merge_request(
            project_id,
            source_branch=request.branch,
            target_branch=seed.default_branch,
            title=request.title,
            description=request.body,
            author=request.author,
            state=request.state,
            sha=result.sha,
            base_sha=result.base_sha or None,
            changes_count=len(request.files),
            merge_commit_sha=result.merge_commit_sha,
            merge_user=reviewer if request.state == "merged" else None,
            at=opened,
            done_at=opened + timedelta(days=_REVIEW_DAYS),
        )
        for note in request.notes:
            at = now - timedelta(days=note.days_ago)
            store.add_note("merge_request", row.id, author=note.author, body=note.body, at=at)
        if request.state == "merged" and reviewer:
            store.approve(row.id, reviewer, at=opened + timedelta(days=_REVIEW_DAYS))
        change = Change(
            (store.own_repository_path(project_id),), target=result.base_sha or result.sha, head=result.sha
        )
        results = run_checks(seed.checks or DEFAULT_CHECKS, change, branch=request.branch)
        jobs = [(job.name, job.status, job.log) for job in results]
        store.set_pipeline(row.id, pipeline_status(results), jobs, at=opened + timedelta(minutes=2))


def populate(store: Store, now: datetime) -> None:
    """Write the whole hand-made world into an empty store.

    Raises:
        GitError: git is missing or cannot write here.
    """
    # Imported late: the texts of all projects are only needed by a world that does not exist yet.
    from isexplore.practice.projects import PEOPLE, PROJECTS

    build(store, PROJECTS, PEOPLE, now)
