"""A forge in memory with real bare repositories: the one fake of the whole test suite.

`FakeForge` keeps the contract of `isexplore.forge.base.Forge`. What other people do (assign, review,
merge, run checks) is done by plain methods without `async`. Failures are planned with `fail`, and a
crash at any call with `crash_at`.
"""

from __future__ import annotations

import asyncio
import functools
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from msgspec import structs

from isexplore.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    IsexploreError,
    NotVisibleError,
)
from isexplore.forge.base import Capability, GitLogin, ProjectPage, ServerFacts
from isexplore.models import (
    Branch,
    Comment,
    Discussion,
    Divergence,
    FileEntry,
    ForgeKind,
    ForkState,
    ForkStatus,
    ForkTarget,
    Issue,
    Job,
    Label,
    Member,
    MergeRequest,
    MergeRequestState,
    NewMergeRequest,
    Person,
    Pipeline,
    Project,
    Review,
    Role,
    TokenFacts,
    Visibility,
)
from tests.support.git import ask, make_bare

P = ParamSpec("P")
R = TypeVar("R")

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Crash(BaseException):
    """The program is killed here."""


@dataclass
class Fault:
    """A planned failure of one method."""

    error: BaseException
    after: bool
    times: int


def call(
    method: Callable[Concatenate[FakeForge, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[FakeForge, P], Coroutine[Any, Any, R]]:
    """Record a call, and let it fail as planned: before it does anything, or with its answer lost."""

    @functools.wraps(method)
    async def wrapped(self: FakeForge, *args: P.args, **kwargs: P.kwargs) -> R:
        name = method.__name__
        self.calls.append(name)
        self.before_call(name)
        fault = self.take_fault(name)
        if fault is not None and not fault.after:
            raise self.dying(fault.error)
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            # Whoever asks at once for something else does so now.
            await asyncio.sleep(0)
            result = await method(self, *args, **kwargs)
        finally:
            self.under_way -= 1
        if fault is not None:
            raise self.dying(fault.error)
        self.after_call(name)
        return result

    return wrapped  # type: ignore[return-value]


@dataclass
class Threads:
    """What belongs to one merge request."""

    discussions: list[Discussion] = field(default_factory=list)
    pipeline: Pipeline | None = None
    review: Review = field(default_factory=Review)


class FakeForge:
    """A forge with one signed-in account, `nia`."""

    def __init__(
        self,
        repositories: Path,
        origin: str = "https://git.example.org",
        *,
        name: str = "work",
        kind: ForgeKind = ForgeKind.GITLAB,
        username: str = "nia",
    ) -> None:
        """Begin an empty forge.

        Args:
            repositories: folder of the bare repositories, as `GitServer` serves it.
            origin: its address; `GitServer.origin` for git over HTTP.
            name: name in the configuration.
            kind: which API it pretends to speak.
            username: the account.
        """
        self.repositories = repositories
        self.name = name
        self.kind = kind
        self.url = origin
        self.capabilities = (
            Capability.DRAFTS
            | Capability.FORK_SYNC
            | Capability.PIPELINES
            | Capability.APPROVALS
            | Capability.DISCUSSIONS
            | Capability.TOKEN_FACTS
            | Capability.ASSIGN_NEEDS_ROLE
        )
        self.me = Person(username=username, name="Nia Example", id="7", email=f"{username}@example.org")
        self.token = TokenFacts(name="laptop", scopes=("api",))
        self.projects: dict[str, Project] = {}
        self.files: dict[tuple[str, str], bytes] = {}
        """Files by project id and path; others are read from the repository."""
        self.issues_of: dict[str, dict[int, Issue]] = {}
        self.comments_on: dict[tuple[str, int], list[Comment]] = {}
        self.requests: dict[str, dict[int, MergeRequest]] = {}
        self.threads: dict[tuple[str, int], Threads] = {}
        self.templates: dict[str, str] = {}
        self.targets: list[ForkTarget] = [ForkTarget(id="70", path=username, personal=True)]
        self.imports: dict[str, list[ForkStatus]] = {}
        """Answers of `fork_status` still to come, by fork id; then it is ready."""
        self.slow_forks = 0
        """How often a new fork is answered with "importing"."""
        self.starred: set[str] = set()
        self.seen: dict[str, datetime] = {}
        """When a commit was first looked at on a branch."""
        self.calls: list[str] = []
        self.under_way = 0
        self.most_at_once = 0
        self._faults: dict[str, list[Fault]] = {}
        self.crash_before: int | None = None
        self.crash_after: int | None = None
        self.crashed = False
        """Set by the first `Crash`: from then on the dying program may not write its state any more."""
        self._calls_seen = 0
        self._next_id = 100
        self.now = START

    # Planning failures

    def fail(self, method: str, error: BaseException, *, after: bool = False, times: int = 1) -> None:
        """Let the next `times` calls of a method fail: before it acts, or with its answer lost (`after`)."""
        self._faults.setdefault(method, []).append(Fault(error, after, times))

    def crash_at(self, number: int | None, *, after: bool = False) -> None:
        """Raise `Crash` at the call with this number (from 1, counted from now); None for never."""
        self._calls_seen = 0
        self.crash_before = None if after else number
        self.crash_after = number if after else None

    def take_fault(self, method: str) -> Fault | None:
        faults = self._faults.get(method)
        if not faults:
            return None
        faults[0].times -= 1
        return faults.pop(0) if faults[0].times == 0 else faults[0]

    def dying(self, error: BaseException) -> BaseException:
        """Note that the program is being killed, if `error` says so."""
        self.crashed = self.crashed or isinstance(error, Crash)
        return error

    def before_call(self, method: str) -> None:
        self._calls_seen += 1
        if self.crash_before == self._calls_seen:
            raise self.dying(Crash(method))

    def after_call(self, method: str) -> None:
        if self.crash_after == self._calls_seen:
            raise self.dying(Crash(method))

    # Making the world

    def new_id(self) -> str:
        self._next_id += 1
        return str(self._next_id)

    def bare(self, project: Project) -> Path:
        """Return the project's bare repository."""
        return self.repositories / f"{project.path}.git"

    def add_project(
        self, path: str, files: Mapping[str, str] | None = None, *, repository: bool = True, **fields: Any
    ) -> Project:
        """Add a project with one commit of `files`; `fields` are those of `Project`."""
        name = path.rsplit("/", 1)[-1]
        project = Project(
            forge=self.name,
            **_merged(
                {
                    "id": self.new_id(),
                    "path": path,
                    "name": name,
                    "url": f"{self.url}/{path}",
                    "visibility": Visibility.INTERNAL,
                    "default_branch": "main",
                    "clone_url": f"{self.url}/{path}.git",
                    "ssh_url": f"git@git.example.org:{path}.git",
                    "owner": path.rsplit("/", 1)[0],
                    "forking_enabled": True,
                },
                fields,
            ),
        )
        self.projects[project.id] = project
        if repository:
            make_bare(self.bare(project), files, branch=project.default_branch or "main")
        return project

    def change_project(self, project: Project, **fields: Any) -> Project:
        """Change fields of a project."""
        changed = structs.replace(self.projects[project.id], **fields)
        self.projects[project.id] = changed
        return changed

    def add_issue(self, project: Project, title: str, **fields: Any) -> Issue:
        """Add an issue."""
        issues = self.issues_of.setdefault(project.id, {})
        number = len(issues) + 41
        issue = Issue(
            forge=self.name,
            project=project.path,
            number=number,
            title=title,
            url=f"{project.url}/-/issues/{number}",
            id=self.new_id(),
            **_merged({"author": "mara", "updated_at": self.now}, fields),
        )
        issues[number] = issue
        return issue

    def change_issue(self, issue: Issue, **fields: Any) -> Issue:
        """Change fields of an issue."""
        project = self._by_path(issue.project)
        changed = structs.replace(self.issues_of[project.id][issue.number], **fields)
        self.issues_of[project.id][issue.number] = changed
        return changed

    def say(self, project: Project, number: int, author: str, body: str, **fields: Any) -> Comment:
        """Let somebody comment on an issue."""
        comment = Comment(id=self.new_id(), author=author, body=body, created_at=self.tick(), **fields)
        self.comments_on.setdefault((project.id, number), []).append(comment)
        return comment

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    # What other people and the forge's own jobs do

    def change_request(self, project: Project, number: int, **fields: Any) -> MergeRequest:
        """Change fields of a merge request."""
        changed = structs.replace(self._request(project, number), **fields)
        self.requests[project.id][number] = changed
        return changed

    def merge(self, project: Project, number: int) -> None:
        """Let the owners merge."""
        request = self._request(project, number)
        source = self._by_path(request.source_project or project.path)
        self._git(self.bare(project), "fetch", "--quiet", str(self.bare(source)), request.source_branch)
        self._git(self.bare(project), "update-ref", f"refs/heads/{request.target_branch}", "FETCH_HEAD")
        self.change_request(project, number, state=MergeRequestState.MERGED, merged_at=self.tick())

    def close_request(self, project: Project, number: int) -> None:
        """Let the owners close it."""
        self.change_request(project, number, state=MergeRequestState.CLOSED)

    def ask_for_change(
        self, project: Project, number: int, body: str, *, file: str | None = None, line: int | None = None
    ) -> Discussion:
        """Let a reviewer open a thread."""
        comment = Comment(id=self.new_id(), author="mara", body=body, created_at=self.tick())
        thread = Discussion(id=self.new_id(), comments=(comment,), resolvable=True, file=file, line=line)
        self._threads(project, number).discussions.append(thread)
        return thread

    def resolve(self, project: Project, number: int, thread: Discussion) -> None:
        """Let the reviewer be content."""
        threads = self._threads(project, number)
        threads.discussions = [
            structs.replace(one, resolved=True) if one.id == thread.id else one for one in threads.discussions
        ]

    def set_pipeline(self, project: Project, number: int, pipeline: Pipeline | None) -> None:
        """Set what the checks say."""
        self._threads(project, number).pipeline = pipeline

    def set_review(self, project: Project, number: int, review: Review) -> None:
        """Set where the reviewers stand."""
        self._threads(project, number).review = review

    def _threads(self, project: Project, number: int) -> Threads:
        return self.threads.setdefault((project.id, number), Threads())

    # Lookup

    def forks_of(self, project: Project) -> list[Project]:
        """Return all forks of a project."""
        return [one for one in self.projects.values() if one.forked_from_id == project.id]

    def requests_of(self, project: Project) -> list[MergeRequest]:
        """Return all merge requests of a project, oldest first."""
        return [self._fresh(one) for _, one in sorted(self.requests.get(project.id, {}).items())]

    def branches_of(self, project: Project) -> dict[str, str]:
        """Return commit by branch."""
        lines = self._ask(
            self.bare(project), "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads"
        )
        return dict(line.split(" ") for line in lines.splitlines())

    def _by_path(self, path: str) -> Project:
        for project in self.projects.values():
            if path in (project.path, project.id):
                return project
        raise NotVisibleError(f"There is no project {path}", "404", "", forge=self.name, status=404)

    def _request(self, project: Project, number: int) -> MergeRequest:
        try:
            return self._fresh(self.requests[project.id][number])
        except KeyError:
            raise NotVisibleError(
                f"There is no merge request {number}", forge=self.name, status=404
            ) from None

    def _fresh(self, request: MergeRequest) -> MergeRequest:
        if request.state is not MergeRequestState.OPEN or request.source_project is None:
            return request
        source = self._by_path(request.source_project)
        sha = self.branches_of(source).get(request.source_branch)
        return structs.replace(request, sha=sha or request.sha)

    @staticmethod
    def _git(folder: Path, *words: str) -> str:
        return subprocess.run(
            ["git", "--git-dir", str(folder), *words], capture_output=True, text=True, check=True
        ).stdout

    @staticmethod
    def _ask(folder: Path, *words: str) -> str:
        code, answer = ask(folder, *words)
        if code:
            raise subprocess.CalledProcessError(code, words)
        return answer.decode()

    @staticmethod
    def _show(folder: Path, name: str, limit: int) -> bytes | None:
        code, found = ask(folder, "show", name)
        return found[:limit] if code == 0 else None

    # The Forge protocol

    @property
    def git_login(self) -> GitLogin:
        return GitLogin(origin=self.url, username="oauth2")

    @property
    def merge_request_noun(self) -> str:
        return "merge request" if self.kind is ForgeKind.GITLAB else "pull request"

    async def close(self) -> None:
        self.calls.append("close")

    @call
    async def server(self) -> ServerFacts:
        return ServerFacts(kind=self.kind, version="1.0", name="Fake")

    @call
    async def whoami(self) -> Person:
        return self.me

    @call
    async def token_facts(self) -> TokenFacts:
        return self.token

    async def find_projects(
        self,
        tags: tuple[str, ...],
        *,
        text: str = "",
        changed_after: datetime | None = None,
        groups: tuple[str, ...] = (),
        resume: str = "",
    ) -> AsyncIterator[ProjectPage]:
        self.calls.append("find_projects")
        self.before_call("find_projects")
        fault = self.take_fault("find_projects")
        if fault is not None and not fault.after:
            raise fault.error

        def wanted(project: Project) -> bool:
            words = (project.name, project.path, project.description)
            return (
                not project.archived
                and bool({_plain(tag) for tag in tags} & {_plain(topic) for topic in project.topics})
                and any(text.lower() in word.lower() for word in words)
                and (not groups or any(project.path.startswith(f"{group}/") for group in groups))
                and (
                    changed_after is None
                    or project.last_activity is None
                    or project.last_activity > changed_after
                )
            )

        found = [project for project in self.projects.values() if wanted(project)]
        for start in range(0, len(found), 20):
            yield ProjectPage(tuple(found[start : start + 20]), len(found))
        if fault is not None:
            raise fault.error

    @call
    async def project(self, path: str) -> Project:
        return self._by_path(path)

    @call
    async def languages(self, project: Project) -> dict[str, float]:
        share = 1 / len(project.languages) if project.languages else 0.0
        return dict.fromkeys(project.languages, share)

    @call
    async def folder(self, project: Project, path: str = "") -> list[FileEntry]:
        if not self.bare(project).exists():
            return []
        tree = f"{project.default_branch}:{path}"
        try:
            lines = self._ask(self.bare(project), "ls-tree", "-l", tree).splitlines()
        except subprocess.CalledProcessError:
            return []
        entries = []
        for line in lines:
            head, name = line.split("\t")
            _, kind, blob, size = head.split()
            entries.append(
                FileEntry(
                    path=f"{path}/{name}" if path else name,
                    folder=kind == "tree",
                    size=int(size) if size.isdigit() else None,
                    id=blob,
                )
            )
        return entries

    @call
    async def file(self, project: Project, path: str, *, ref: str = "", limit: int = 1 << 20) -> bytes | None:
        if (project.id, path) in self.files:
            return self.files[project.id, path][:limit]
        if not self.bare(project).exists():
            return None
        return self._show(self.bare(project), f"{ref or project.default_branch}:{path}", limit)

    @call
    async def labels(self, project: Project) -> list[Label]:
        names = {label for issue in self.issues_of.get(project.id, {}).values() for label in issue.labels}
        return [Label(name=name) for name in sorted(names)]

    @call
    async def issues(
        self, project: Project, *, labels: tuple[str, ...] = (), limit: int = 100
    ) -> list[Issue]:
        found = [
            issue
            for issue in self.issues_of.get(project.id, {}).values()
            if issue.open and (not labels or set(labels) & set(issue.labels))
        ]
        found.sort(key=lambda issue: issue.updated_at or START, reverse=True)
        return found[:limit]

    @call
    async def issue(self, project: Project, number: int) -> Issue:
        try:
            return self.issues_of[project.id][number]
        except KeyError:
            raise NotVisibleError(f"There is no issue {number}", forge=self.name, status=404) from None

    @call
    async def comments(self, project: Project, number: int) -> list[Comment]:
        return list(self.comments_on.get((project.id, number), ()))

    @call
    async def linked_merge_requests(self, project: Project, number: int) -> list[MergeRequest]:
        return [one for one in self.requests_of(project) if f"#{number}" in f"{one.title} {one.description}"]

    @call
    async def comment_on_issue(self, project: Project, number: int, body: str) -> Comment:
        return self.say(project, number, self.me.username, body)

    @call
    async def assign_issue(self, project: Project, number: int, person: Person) -> Issue:
        if not self.projects[project.id].role.can_push:
            raise ForbiddenError("You may not assign issues", "403 Forbidden", forge=self.name, status=403)
        issue = self.issues_of[project.id][number]
        return self.change_issue(issue, assignees=(person.username,))

    @call
    async def members(self, project: Project) -> list[Member]:
        return [Member(person=Person(username="mara"), role=Role.MAINTAINER)]

    @call
    async def contributors(self, project: Project, *, limit: int = 20) -> list[Person]:
        return [Person(username="", name="Ada Example")][:limit]

    @call
    async def participation(self, project: Project) -> tuple[int, ...]:
        return ()

    @call
    async def my_fork(self, project: Project, me: Person) -> Project | None:
        return next((one for one in self.forks_of(project) if one.owner == me.username), None)

    @call
    async def my_forks(self, project: Project, me: Person) -> list[Project]:
        return [one for one in self.forks_of(project) if one.owner == me.username]

    @call
    async def fork_targets(self, project: Project) -> list[ForkTarget]:
        return list(self.targets)

    @call
    async def fork(self, project: Project, *, target: ForkTarget | None = None, name: str = "") -> Project:
        if project.forking_enabled is False:
            raise ForbiddenError("Forking is off", "403 Forbidden", forge=self.name, status=403)
        owner = self.me.username if target is None else target.path
        existing = next((one for one in self.forks_of(project) if one.owner == owner), None)
        if existing is not None:
            return existing
        path = f"{owner}/{name or project.path.rsplit('/', 1)[-1]}"
        if any(one.path == path for one in self.projects.values()):
            raise ConflictError("The name is taken", "409 Conflict", forge=self.name, status=409)
        fork = self.add_project(
            path,
            repository=False,
            forked_from=project.path,
            forked_from_id=project.id,
            role=Role.OWNER,
            owner=owner,
            visibility=project.visibility,
            default_branch=project.default_branch,
        )
        shutil.copytree(self.bare(project), self.bare(fork))
        self.imports[fork.id] = [ForkStatus(state=ForkState.IMPORTING)] * self.slow_forks
        return fork

    @call
    async def fork_status(self, fork: Project) -> ForkStatus:
        left = self.imports.get(fork.id)
        return left.pop(0) if left else ForkStatus(state=ForkState.READY)

    @call
    async def divergence(self, fork: Project, upstream: Project, branch: str) -> Divergence | None:
        ours, theirs = self.branches_of(fork).get(branch), self.branches_of(upstream).get(branch)
        if ours is None or theirs is None:
            return None
        if ours == theirs:
            return Divergence(ahead=0, behind=0)
        self._git(self.bare(fork), "fetch", "--quiet", str(self.bare(upstream)), branch)
        counts = self._git(self.bare(fork), "rev-list", "--left-right", "--count", f"{ours}...{theirs}")
        ahead, behind = counts.split()
        return Divergence(ahead=int(ahead), behind=int(behind))

    @call
    async def sync_fork(self, fork: Project, branch: str) -> None:
        upstream = self.projects[fork.forked_from_id or ""]
        theirs = self.branches_of(upstream)[branch]
        if self.branches_of(fork)[branch] == theirs:
            return
        self._git(self.bare(fork), "fetch", "--quiet", str(self.bare(upstream)), branch)
        ours = self.branches_of(fork)[branch]
        if self._git(self.bare(fork), "rev-list", f"{theirs}..{ours}").strip():
            raise ConflictError("The branches have diverged", forge=self.name, status=409)
        self._git(self.bare(fork), "update-ref", f"refs/heads/{branch}", theirs)

    @call
    async def branch(self, project: Project, name: str) -> Branch | None:
        sha = self.branches_of(project).get(name)
        if sha is None:
            return None
        if sha not in self.seen:
            # By this forge's clock: git's own is not the one that the remarks go by.
            self.seen[sha] = self.tick()
        return Branch(
            name=name, sha=sha, protected=name == project.default_branch, committed_at=self.seen[sha]
        )

    @call
    async def branches(self, project: Project, text: str) -> list[Branch]:
        return [
            Branch(name=name, sha=sha, committed_at=self.seen.get(sha))
            for name, sha in self.branches_of(project).items()
            if text in name
        ]

    @call
    async def merge_request_template(self, project: Project) -> str | None:
        return self.templates.get(project.id)

    @call
    async def open_merge_request(self, new: NewMergeRequest) -> MergeRequest:
        target, source = self.projects[new.target.id], self.projects[new.source.id]
        sha = self.branches_of(source).get(new.source_branch)
        if sha is None:
            raise InvalidError("The source branch does not exist", forge=self.name, status=422)
        if sha == self.branches_of(target).get(new.target_branch):
            raise InvalidError("There is no difference", forge=self.name, status=422)
        for one in self.requests_of(target):
            same = (one.source_project, one.source_branch) == (source.path, new.source_branch)
            if same and one.state is MergeRequestState.OPEN:
                raise ConflictError(
                    "Another open merge request exists", f"!{one.number}", forge=self.name, status=409
                )
        self.seen.setdefault(sha, self.now)
        requests = self.requests.setdefault(target.id, {})
        number = len(requests) + 1
        request = MergeRequest(
            forge=self.name,
            project=target.path,
            number=number,
            title=new.title,
            url=f"{target.url}/-/merge_requests/{number}",
            state=MergeRequestState.OPEN,
            id=self.new_id(),
            description=new.description,
            author=self.me.username,
            draft=new.draft,
            source_project=source.path,
            source_branch=new.source_branch,
            target_branch=new.target_branch,
            sha=sha,
            created_at=self.tick(),
        )
        requests[number] = request
        return request

    @call
    async def find_merge_request(
        self, target: Project, *, source: Project | None, source_branch: str
    ) -> MergeRequest | None:
        found = [
            one
            for one in self.requests_of(target)
            if one.source_branch == source_branch
            and (one.source_project == source.path if source is not None else one.author == self.me.username)
        ]
        found.sort(key=lambda one: (one.state is MergeRequestState.OPEN, one.number))
        return found[-1] if found else None

    @call
    async def merge_request(self, target: Project, number: int) -> MergeRequest:
        return self._request(target, number)

    @call
    async def mark_ready(self, target: Project, request: MergeRequest) -> MergeRequest:
        return self.change_request(target, request.number, draft=False)

    @call
    async def my_merge_requests(self) -> list[MergeRequest]:
        mine: Iterable[MergeRequest] = (
            one
            for project in list(self.projects.values())
            for one in self.requests_of(project)
            if one.author == self.me.username and one.state is MergeRequestState.OPEN
        )
        return sorted(mine, key=lambda one: one.updated_at or START, reverse=True)

    @call
    async def pipeline(self, target: Project, request: MergeRequest) -> Pipeline | None:
        return self._threads(target, request.number).pipeline

    @call
    async def job_log(self, target: Project, job: Job, pipeline: Pipeline, *, limit: int = 16_384) -> str:
        return job.detail[-limit:]

    @call
    async def review(self, target: Project, request: MergeRequest) -> Review:
        return self._threads(target, request.number).review

    @call
    async def discussions(self, target: Project, request: MergeRequest) -> list[Discussion]:
        return list(self._threads(target, request.number).discussions)

    @call
    async def reply(
        self, target: Project, request: MergeRequest, body: str, *, discussion: Discussion | None = None
    ) -> Comment:
        comment = Comment(id=self.new_id(), author=self.me.username, body=body, created_at=self.tick())
        threads = self._threads(target, request.number)
        if discussion is None:
            threads.discussions.append(Discussion(id=self.new_id(), comments=(comment,)))
        else:
            threads.discussions = [
                structs.replace(one, comments=(*one.comments, comment)) if one.id == discussion.id else one
                for one in threads.discussions
            ]
        return comment

    @call
    async def star(self, project: Project) -> None:
        self.starred.add(project.id)


def _merged(usual: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    return usual | given


def _plain(tag: str) -> str:
    return tag.lower().replace("-", "").replace("_", "").replace(" ", "")


def unavailable(title: str = "The forge does not answer") -> IsexploreError:
    """Return the error of a lost connection."""
    from isexplore.errors import UnavailableError

    return UnavailableError(title, "connection reset", "Try again", forge="work")
