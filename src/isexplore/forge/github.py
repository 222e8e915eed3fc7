"""GitHub: github.com, Enterprise Server 3.10 and later, and ghe.com (REST 2022-11-28, and GraphQL)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from isexplore.errors import (
    ConflictError,
    ForbiddenError,
    ForgeError,
    InvalidError,
    MovedError,
    NotVisibleError,
    ScopeError,
)
from isexplore.forge import github_parse as parse
from isexplore.forge.answers import decode, ready
from isexplore.forge.github_checks import merge_checks
from isexplore.forge.github_graphql import REFUSALS, Decision, oldest_first
from isexplore.forge.github_reading import HEADERS, GitHubReading
from isexplore.forge.github_search import PER_PAGE
from isexplore.forge.github_wire import (
    WireAnnotation,
    WireBranch,
    WireCheckRun,
    WireCheckRuns,
    WireCombinedStatus,
    WireComment,
    WireComparison,
    WireMembership,
    WireMerged,
    WireOrganization,
    WirePullRequest,
    WireRef,
    WireRepository,
    WireReview,
    WireStatus,
    WireWorkflowRun,
    WireWorkflowRuns,
)
from isexplore.forge.paging import next_query, query_pairs
from isexplore.models import (
    Branch,
    Comment,
    Discussion,
    Divergence,
    ForkState,
    ForkStatus,
    ForkTarget,
    Job,
    MergeRequest,
    MergeRequestState,
    NewMergeRequest,
    Person,
    Pipeline,
    Project,
    Review,
)
from isexplore.text import clean

if TYPE_CHECKING:
    from isexplore.forge.paging import Params

__all__ = ["HEADERS", "GitHubForge"]

T = TypeVar("T")
W = TypeVar("W", WireCombinedStatus, WireCheckRuns, WireWorkflowRuns)

_TEMPLATES = frozenset(("pull_request_template.md", "pull_request_template.txt", "pull_request_template"))
_TEMPLATE_FOLDERS = (".github", "", "docs")
_HIDDEN = (ForbiddenError, NotVisibleError, ScopeError)
_MAX_CHECK_PAGES = 20
_MAX_ORGANIZATIONS = 20
"""Organizations whose rules are read one by one for `fork_targets`."""


class GitHubForge(GitHubReading):
    """A GitHub that this account can talk to: reading as its base does, and contributing.

    Args:
        name: of the forge in the configuration.
        url: web address.
        client: speaks to the REST API, with `HEADERS`; GraphQL is found from its address.
        now: the time, for tests.
    """

    async def my_fork(self, project: Project, me: Person) -> Project | None:
        """Return this account's fork: under the original's name at best, else by asking GraphQL."""
        name = project.path.rpartition("/")[2]
        found = await self._fork_at(f"{me.username}/{name}", project)
        if found is not None:
            return found
        try:
            paths = await self._queries.my_forks(project)
        except REFUSALS:
            # Making a fork returns the one that exists, so that not finding it does no harm.
            return None
        for path in paths:
            if path.partition("/")[0].lower() == me.username.lower():
                found = await self._fork_at(path, project)
                if found is not None:
                    return found
        return None

    async def _fork_at(self, path: str, project: Project) -> Project | None:
        try:
            wire = await self._repository(path)
        except NotVisibleError:
            return None
        if not parse.is_fork_of(wire, project) or wire.archived:
            return None
        return parse.parse_project(self.name, wire)

    async def my_forks(self, project: Project, me: Person) -> list[Project]:
        """Return this account's fork: there is at most one."""
        fork = await self.my_fork(project, me)
        return [] if fork is None else [fork]

    async def fork_targets(self, project: Project) -> list[ForkTarget]:
        """Return the personal account, and the organizations that let this one make repositories."""
        me = await self.whoami()
        targets = [] if me.bot else [ForkTarget(id=me.id, path=me.username, personal=True)]
        try:
            memberships = await self._client.get_all(
                ("user", "memberships", "orgs"),
                {"state": "active", "per_page": PER_PAGE},
                item=WireMembership,
            )
        except (ForbiddenError, ScopeError, NotVisibleError):
            # Without the scope read:org nobody tells.
            memberships = []
        allowed = await asyncio.gather(
            *(self._may_create(membership) for membership in memberships[:_MAX_ORGANIZATIONS])
        )
        targets += [
            parse.parse_target(membership)
            for membership, may in zip(memberships, allowed, strict=False)
            if may and membership.organization.login
        ]
        return [target for target in targets if target.path.lower() != project.owner.lower()]

    async def _may_create(self, membership: WireMembership) -> bool:
        login = membership.organization.login
        if membership.role == "admin" or not login:
            return True
        try:
            wire = await self._client.get_json(("orgs", login), type=WireOrganization)
        except _HIDDEN:
            return False
        return wire.members_can_create_repositories is not False

    async def fork(self, project: Project, *, target: ForkTarget | None = None, name: str = "") -> Project:
        """Start a fork of the default branch; GitHub returns the one that exists, whatever its name."""
        body: dict[str, str | bool] = {"default_branch_only": True}
        if target is not None and not target.personal:
            body["organization"] = target.path
        if name:
            body["name"] = name
        wire = await self._client.send_json("POST", self._at(project, "forks"), body, type=WireRepository)
        if wire.parent is not None and not parse.is_fork_of(wire, project):
            raise ConflictError(
                f"{clean(wire.full_name, 200)} is in the way of a fork of {project.path}",
                "It is no fork of that project.",
                "Fork under another name, or rename what is there.",
                forge=self.name,
            )
        fork = parse.parse_project(self.name, wire)
        if fork.forked_from_id is None:
            # A server may answer before the new repository knows what it was made from.
            return _forked(fork, project)
        return fork

    async def fork_status(self, fork: Project) -> ForkStatus:
        """Return whether the default branch is there: the repository is, long before its content."""
        branch = fork.default_branch or (await self.project(fork.id)).default_branch
        try:
            await self._ref(fork.path, branch)
        except NotVisibleError:
            return ForkStatus(state=ForkState.IMPORTING, detail="GitHub is copying the repository")
        except ConflictError as error:
            if await self._is_empty(fork.forked_from, branch):
                return ForkStatus(state=ForkState.READY)
            return ForkStatus(state=ForkState.IMPORTING, detail=clean(error.detail, 200))
        return ForkStatus(state=ForkState.READY)

    async def _ref(self, path: str, branch: str) -> None:
        parts = [part for part in branch.split("/") if part]
        await self._client.send("GET", self._path(path, "git", "ref", "heads", *parts))

    async def _is_empty(self, path: str | None, branch: str) -> bool:
        """Whether a repository has no commits: a fork of it never gets any."""
        if path is None:
            return False
        try:
            await self._ref(path, branch)
        except ConflictError:
            return True
        except ForgeError as error:
            if error.status is None:
                raise
        return False

    async def divergence(self, fork: Project, upstream: Project, branch: str) -> Divergence | None:
        """Return how far the fork is ahead and behind; whether that conflicts is not told."""
        head = _head(fork.path, branch, beside=upstream.path)
        where = self._at(upstream, "compare", f"{branch}...{head}")
        try:
            wire = await self._client.get_json(where, {"per_page": 1}, type=WireComparison)
        except (NotVisibleError, ConflictError):
            return None
        if wire.ahead_by is None or wire.behind_by is None:
            return None
        return Divergence(ahead=wire.ahead_by, behind=wire.behind_by)

    async def sync_fork(self, fork: Project, branch: str) -> None:
        """Bring the fork's branch up to the original's.

        GitHub would merge where the branches have diverged, and leave a merge commit in the fork: that
        is looked at first.
        """
        origin = fork.forked_from
        if origin is None:
            origin = (await self.project(fork.id)).forked_from
        if origin is not None:
            distance = await self.divergence(fork, _named(fork, origin), branch)
            if distance is not None and distance.ahead:
                raise _diverged(fork, branch, f"It has {distance.ahead} commits that the original lacks.")
        try:
            await self._client.send_json(
                "POST", self._at(fork, "merge-upstream"), {"branch": branch}, type=WireMerged
            )
        except ConflictError as error:
            raise _diverged(fork, branch, error.detail) from error

    async def branch(self, project: Project, name: str) -> Branch | None:
        """Return a branch, or None; GitHub answers for a renamed one with the branch that it became."""
        try:
            wire = await self._client.get_json(self._at(project, "branches", name), type=WireBranch)
        except NotVisibleError:
            return None
        return parse.parse_branch(wire) if wire.name == name else None

    async def branches(self, project: Project, text: str) -> list[Branch]:
        """Return branches whose name begins with `text`; GitHub does not tell when they changed."""
        wires = await self._client.get_json(
            self._at(project, "git", "matching-refs", "heads", text), type=list[WireRef]
        )
        return [parse.parse_ref(wire) for wire in wires]

    async def merge_request_template(self, project: Project) -> str | None:
        """Return the template: the repository's own, else the one of its owner's `.github` repository."""
        shared = _named(project, f"{project.owner}/.github")
        for where in (project, shared):
            listings = await asyncio.gather(*(self.folder(where, folder) for folder in _TEMPLATE_FOLDERS))
            for listing in listings:
                for entry in listing:
                    if not entry.folder and entry.path.rpartition("/")[2].lower() in _TEMPLATES:
                        data = await self.file(where, entry.path, limit=parse.MAX_BODY)
                        if data is not None:
                            return clean(data.decode("utf-8", "replace"), parse.MAX_BODY)
        return None

    async def open_merge_request(self, new: NewMergeRequest) -> MergeRequest:
        """Open a pull request in the target."""
        body: dict[str, object] = {
            "title": new.title,
            "head": new.source_branch,
            "base": new.target_branch,
            "body": new.description,
            "draft": new.draft,
        }
        if new.source.id != new.target.id:
            owner, _, name = new.source.path.partition("/")
            body["head"] = f"{owner}:{new.source_branch}"
            body["maintainer_can_modify"] = new.allow_edits
            if owner.lower() == new.target.owner.lower():
                body["head_repo"] = name
        try:
            wire = await self._opened(new, body)
        except InvalidError as error:
            raise _not_opened(error, new) from error
        return parse.parse_merge_request(self.name, new.target.path, wire)

    async def _opened(self, new: NewMergeRequest, body: dict[str, object]) -> WirePullRequest:
        """Open it; sent again, in other words, only after a refusal that those words can mend.

        An organization's fork cannot let others push to it, and a fork beside its original is named
        with or without its owner.
        """
        where = self._at(new.target, "pulls")
        try:
            return await self._client.send_json("POST", where, body, type=WirePullRequest)
        except InvalidError as error:
            words = error.detail.lower()
            if "fork collab" in words and body.get("maintainer_can_modify"):
                body = {**body, "maintainer_can_modify": False}
            elif "head" in words and "head_repo" in body:
                body = {**body, "head_repo": new.source.path}
            else:
                raise
        return await self._client.send_json("POST", where, body, type=WirePullRequest)

    async def find_merge_request(
        self, target: Project, *, source: Project | None, source_branch: str
    ) -> MergeRequest | None:
        """Return the latest pull request from a branch; a branch of that name in another fork is another."""
        if source is None:
            found = await self._queries.my_pull_requests_from(target, source_branch)
        else:
            params: Params = {
                "head": f"{source.owner}:{source_branch}",
                "state": "all",
                "sort": "created",
                "direction": "desc",
                "per_page": PER_PAGE,
            }
            wires = await self._client.get_all(self._at(target, "pulls"), params, item=WirePullRequest)
            # GitHub drops a filter that it does not understand, and then returns what others have too.
            found = [
                request
                for request in (parse.parse_merge_request(self.name, target.path, wire) for wire in wires)
                if request.source_branch == source_branch and request.source_project == source.id
            ]
        opened = [request for request in found if request.state is MergeRequestState.OPEN]
        return next(iter([*opened, *found]), None)

    async def merge_request(self, target: Project, number: int) -> MergeRequest:
        """Return one pull request; asking makes GitHub compute whether it can be merged."""
        wire = await self._client.get_json(self._at(target, "pulls", number), type=WirePullRequest)
        return parse.parse_merge_request(self.name, target.path, wire)

    async def mark_ready(self, target: Project, request: MergeRequest) -> MergeRequest:
        """Take the draft mark off; REST has no way to."""
        path = self._at(target, "pulls", request.number)
        wire = await self._client.get_json(path, type=WirePullRequest)
        if wire.draft and wire.node_id:
            await self._queries.mark_ready(wire.node_id)
            wire = await self._client.get_json(path, type=WirePullRequest)
        return ready(parse.parse_merge_request(self.name, target.path, wire))

    async def my_merge_requests(self) -> list[MergeRequest]:
        """Return this account's open pull requests across the server."""
        return await self._queries.my_pull_requests()

    async def pipeline(self, target: Project, request: MergeRequest) -> Pipeline | None:
        """Return the checks of the head: statuses, check runs, and workflows that wait for approval.

        Those are three systems, and a token may see some of them only.
        """
        if request.sha is None:
            return None
        commit = self._at(target, "commits", request.sha)
        statuses, checks, workflows = await asyncio.gather(
            self._seen(self._statuses((*commit, "status"))),
            self._seen(self._checks((*commit, "check-runs"))),
            self._seen(self._workflows(target, request.sha)),
        )
        return merge_checks(request, statuses, checks, workflows)

    async def _statuses(self, path: tuple[str | int, ...]) -> list[WireStatus]:
        return [
            status
            async for page in self._wrapped(path, {"per_page": PER_PAGE}, WireCombinedStatus)
            for status in page.statuses or ()
        ]

    async def _checks(self, path: tuple[str | int, ...]) -> list[WireCheckRun]:
        return [
            run
            async for page in self._wrapped(path, {"filter": "latest", "per_page": PER_PAGE}, WireCheckRuns)
            for run in page.check_runs or ()
        ]

    async def _workflows(self, target: Project, sha: str) -> list[WireWorkflowRun]:
        path = self._at(target, "actions", "runs")
        return [
            run
            async for page in self._wrapped(path, {"head_sha": sha, "per_page": PER_PAGE}, WireWorkflowRuns)
            for run in page.workflow_runs or ()
        ]

    async def _wrapped(self, path: tuple[str | int, ...], params: Params, shape: type[W]) -> AsyncIterator[W]:
        """Yield the pages of a list that comes inside an object."""
        query: list[tuple[str, str]] | None = query_pairs(params)
        asked = self._client.asked("GET", path)
        seen = 0
        for _ in range(_MAX_CHECK_PAGES):
            if query is None:
                return
            answer = await self._client.send("GET", path, query=query)
            yield decode(answer, shape, asked)
            seen += PER_PAGE
            query = next_query(answer, query, origin=self._client.origin, seen=seen, count=PER_PAGE)

    async def _seen(self, listing: Awaitable[list[T]]) -> list[T]:
        """Return a list, or an empty one where this token may not see it."""
        try:
            return await listing
        except _HIDDEN:
            return []

    async def job_log(self, target: Project, job: Job, pipeline: Pipeline, *, limit: int = 16_384) -> str:
        """Return the end of a job's log, or what the check remarked.

        github.com keeps logs on a storage of another name, where the token is not sent: there the
        remarks are all.
        """
        if not job.id:
            return ""
        try:
            data = await self._client.get_bytes(
                self._at(target, "actions", "jobs", job.id, "logs"), limit=4 * limit, keep="tail"
            )
        except (*_HIDDEN, MovedError, InvalidError):
            return await self._annotations(target, job, limit)
        return parse.parse_log(data, limit)

    async def _annotations(self, target: Project, job: Job, limit: int) -> str:
        wires = await self._seen(
            self._client.get_all(
                self._at(target, "check-runs", job.id, "annotations"),
                {"per_page": PER_PAGE},
                item=WireAnnotation,
                limit=PER_PAGE,
            )
        )
        return parse.parse_annotations(wires)[-limit:]

    async def review(self, target: Project, request: MergeRequest) -> Review:
        """Return what reviewers say last, and what the branch's rules make of it where GraphQL tells."""
        wires = await self._client.get_all(
            self._at(target, "pulls", request.number, "reviews"), {"per_page": PER_PAGE}, item=WireReview
        )
        try:
            decision = await self._queries.decision(target, request.number)
        except REFUSALS:
            decision = Decision()
        return parse.parse_review(
            wires, author=request.author, decision=decision.word, requested=decision.requested
        )

    async def discussions(self, target: Project, request: MergeRequest) -> list[Discussion]:
        """Return the threads on lines, the words of reviews, and the remarks on the whole.

        Only GraphQL knows which threads are resolved; without it they are told as remarks.
        """
        params: Params = {"per_page": PER_PAGE}
        threads, remarks, reviews = await asyncio.gather(
            self._threads(target, request.number),
            self._client.get_all(
                self._at(target, "issues", request.number, "comments"), params, item=WireComment
            ),
            self._client.get_all(
                self._at(target, "pulls", request.number, "reviews"), params, item=WireReview
            ),
        )
        summaries = [parse.parse_summary(wire) for wire in reviews]
        return oldest_first(
            [
                *threads,
                *(parse.parse_remark(wire) for wire in remarks),
                *(summary for summary in summaries if summary is not None),
            ]
        )

    async def _threads(self, target: Project, number: int) -> list[Discussion]:
        try:
            threads = await self._queries.threads(target, number)
        except REFUSALS:
            threads = None
        if threads is not None:
            return threads
        wires = await self._client.get_all(
            self._at(target, "pulls", number, "comments"), {"per_page": PER_PAGE}, item=WireComment
        )
        return parse.parse_threads(wires)

    async def reply(
        self, target: Project, request: MergeRequest, body: str, *, discussion: Discussion | None = None
    ) -> Comment:
        """Answer a thread on a line, or remark on the pull request: its other remarks have no answers."""
        if discussion is not None and (discussion.file is not None or discussion.resolvable):
            where = self._at(target, "pulls", request.number, "comments", discussion.id, "replies")
        else:
            where = self._at(target, "issues", request.number, "comments")
        wire = await self._client.send_json("POST", where, {"body": body}, type=WireComment)
        return parse.parse_comment(wire)

    async def star(self, project: Project) -> None:
        """Star the repository; 304 means that it has been."""
        owner, _, name = project.path.partition("/")
        await self._client.send("PUT", ("user", "starred", owner, name), good=(304,))


def _named(project: Project, path: str) -> Project:
    """Return as much of another repository of the same server as its address takes."""
    return Project(
        forge=project.forge,
        id="",
        path=path,
        name=path.rpartition("/")[2],
        url="",
        owner=path.partition("/")[0],
    )


def _forked(fork: Project, project: Project) -> Project:
    return replace(fork, forked_from=project.path, forked_from_id=project.id)


def _head(path: str, branch: str, *, beside: str) -> str:
    """Return how GitHub calls a branch of a fork when it compares with the repository `beside`."""
    owner, _, name = path.partition("/")
    if owner.lower() == beside.partition("/")[0].lower():
        return f"{owner}:{name}:{branch}"
    return f"{owner}:{branch}"


def _diverged(fork: Project, branch: str, words: str) -> ConflictError:
    return ConflictError(
        f"{branch} of {fork.path} cannot be brought up to date on the server",
        words,
        f"In your clone, merge the original's {branch} and push.",
        forge=fork.forge,
    )


def _not_opened(error: InvalidError, new: NewMergeRequest) -> InvalidError:
    """Return a refused pull request with what to do about it."""
    words = error.detail.lower()
    hint = error.hint
    if "no commits between" in words:
        hint = f"Commit something on {new.source_branch} and push it first."
    elif "head invalid" in words or "head sha" in words:
        hint = f"Push {new.source_branch} to {new.source.path} first."
    elif "base invalid" in words:
        hint = f"{new.target.path} has no branch {new.target_branch}: choose another one."
    elif "draft" in words:
        hint = "Propose it without the draft mark."
    return InvalidError(
        "The pull request was not opened",
        error.detail,
        hint,
        forge=error.forge,
        status=error.status,
        request=error.request,
    )
