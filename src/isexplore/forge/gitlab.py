"""GitLab 15 and later, self-managed or not, also below a path (REST v4, and GraphQL for fork sync)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from isexplore.errors import (
    ConflictError,
    ForbiddenError,
    ForgeError,
    InvalidError,
    NotVisibleError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.forge import gitlab_parse as parse
from isexplore.forge.answers import ready
from isexplore.forge.drafts import ready_title
from isexplore.forge.gitlab_reading import (
    PER_PAGE,
    GitLabReading,
    id_number,
    never_arrived,
    raise_if_project_is_missing,
)
from isexplore.forge.gitlab_sync import fork_distance, sync_fork
from isexplore.forge.gitlab_wire import (
    WireApprovals,
    WireBranch,
    WireDiscussion,
    WireGroup,
    WireJob,
    WireMergeRequest,
    WireNote,
    WirePipeline,
    WireProject,
    WireReviewer,
    WireTemplate,
)
from isexplore.models import (
    Branch,
    Comment,
    Discussion,
    Divergence,
    ForkStatus,
    ForkTarget,
    Job,
    MergeRequest,
    MergeRequestState,
    NewMergeRequest,
    Person,
    Pipeline,
    PipelineState,
    Project,
    Review,
)
from isexplore.text import clean

if TYPE_CHECKING:
    from isexplore.forge.paging import Params


class GitLabForge(GitLabReading):
    """A GitLab that this account can talk to: reading as its base does, and contributing.

    Args:
        name: of the forge in the configuration.
        url: web address, with the path of a sub-path install.
        client: speaks to `url` + `/api/v4`.
        now: the time, for tests.
    """

    async def my_fork(self, project: Project, me: Person) -> Project | None:
        """Return the fork to use of those that this account owns."""
        return next(iter(await self.my_forks(project, me)), None)

    async def my_forks(self, project: Project, me: Person) -> list[Project]:
        """Return the forks that this account owns, personal ones first, then those with the project's name."""
        forks = await self._forks(project, {"owned": True})
        return sorted(
            forks, key=lambda fork: (fork.owner.lower() != me.username.lower(), _renamed(fork, project))
        )

    async def _forks(self, project: Project, mine: Params) -> list[Project]:
        params: Params = {**mine, "per_page": PER_PAGE}
        wires = await self._client.get_all(("projects", project.id, "forks"), params, item=WireProject)
        forks = [
            parse.parse_project(self.name, wire) for wire in wires if wire.marked_for_deletion_on is None
        ]
        return [fork for fork in forks if fork.forked_from_id in (None, project.id) and not fork.archived]

    async def _fork_in(self, project: Project, target: ForkTarget | None) -> Project | None:
        """Return the fork in a namespace: the personal one, or a group's."""
        if target is None or target.personal:
            me = await self.whoami()
            where, mine = me.username, {"owned": True}
        else:
            where, mine = target.path, {"membership": True}
        forks = await self._forks(project, mine)
        there = [fork for fork in forks if fork.owner.lower() == where.lower()]
        return min(there, key=lambda fork: _renamed(fork, project), default=None)

    async def fork_targets(self, project: Project) -> list[ForkTarget]:
        """Return the personal namespace, and the groups where this account may add projects."""
        user = await self._user()
        me = parse.parse_person(user)
        targets = []
        if not me.bot and user.can_create_project is not False:
            namespace = "" if user.namespace_id is None else str(user.namespace_id)
            targets.append(ForkTarget(id=namespace, path=me.username, personal=True))
        groups = await self._groups(30)
        # Which role it takes is the group's own setting; the list does not tell which one I have.
        allowed = {
            group.id for group in groups if (group.project_creation_level or "developer") == "developer"
        }
        for level, role in (("maintainer", 40), ("owner", 50)):
            if any(group.project_creation_level == level for group in groups):
                holding = {group.id for group in await self._groups(role)}
                allowed |= {
                    group.id
                    for group in groups
                    if group.project_creation_level == level and group.id in holding
                }
        return targets + [
            parse.parse_target(group)
            for group in groups
            if group.id in allowed and group.full_path != project.owner
        ]

    async def _groups(self, least: int) -> list[WireGroup]:
        params: Params = {"min_access_level": least, "order_by": "path", "per_page": PER_PAGE}
        return await self._client.get_all(("groups",), params, item=WireGroup)

    async def fork(self, project: Project, *, target: ForkTarget | None = None, name: str = "") -> Project:
        """Start a fork, or adopt the one that is there.

        GitLab refuses a second fork with 409, also when the first request for it got lost on the way
        back, and in some versions with 404: the list of forks decides, not the status.
        """
        existing = await self._fork_in(project, target)
        if existing is not None:
            return existing
        body: dict[str, str | int] = {}
        if target is not None and target.id:
            body["namespace_id"] = id_number(target.id)
        elif target is not None:
            body["namespace_path"] = target.path
        if name:
            body["name"] = body["path"] = name
        try:
            wire = await self._client.send_json(
                "POST", ("projects", project.id, "fork"), body, type=WireProject
            )
        except (ConflictError, NotVisibleError, InvalidError, UnavailableError) as error:
            existing = await self._fork_in(project, target)
            if existing is not None:
                return existing
            raise _fork_refusal(error, project) from error
        return parse.parse_project(self.name, wire)

    async def fork_status(self, fork: Project) -> ForkStatus:
        """Return how far the import is; asked by id, as the path may be missing at first."""
        wire = await self._client.get_json(("projects", fork.id), type=WireProject)
        upstream_empty = False
        if wire.empty_repo and wire.import_status in ("none", "finished"):
            origin = str(wire.forked_from_project.id) if wire.forked_from_project else fork.forked_from_id
            if origin is not None:
                upstream = await self._client.get_json(("projects", origin), type=WireProject)
                upstream_empty = bool(upstream.empty_repo)
        return parse.parse_fork_status(wire, upstream_empty=upstream_empty)

    async def divergence(self, fork: Project, upstream: Project, branch: str) -> Divergence | None:
        """Return how far the fork is ahead and behind."""
        return await fork_distance(self._client, self.url, fork, upstream, branch)

    async def sync_fork(self, fork: Project, branch: str) -> None:
        """Bring the fork's branch up to the original's, and wait until it is."""
        await sync_fork(self._client, self.url, fork, branch)

    async def branch(self, project: Project, name: str) -> Branch | None:
        """Return a branch, or None; from the list behind a proxy that breaks names with %2F."""
        branches = ("projects", project.id, "repository", "branches")
        try:
            return parse.parse_branch(await self._client.get_json((*branches, name), type=WireBranch))
        except (NotVisibleError, WrongAnswerError) as error:
            raise_if_project_is_missing(error)
            if not never_arrived(error, name, "branch"):
                return None
        params: Params = {"search": f"^{name}", "per_page": PER_PAGE}
        wires = await self._client.get_all(branches, params, item=WireBranch)
        return next((parse.parse_branch(wire) for wire in wires if wire.name == name), None)

    async def branches(self, project: Project, text: str) -> list[Branch]:
        """Return branches whose name holds `text`: a page of them."""
        where = ("projects", project.id, "repository", "branches")
        params: Params = {"search": text, "per_page": PER_PAGE}
        wires = await self._client.get_json(where, params, type=list[WireBranch])
        return [parse.parse_branch(wire) for wire in wires]

    async def merge_request_template(self, project: Project) -> str | None:
        """Return the template called "default", in any case; GitLab starts from that one alone."""
        kind = ("projects", project.id, "templates", "merge_requests")
        try:
            templates = await self._client.get_all(kind, item=WireTemplate)
            for template in templates:
                key = template.key or template.name or ""
                if key.lower() == "default":
                    wire = await self._client.get_json((*kind, key), type=WireTemplate)
                    return clean(wire.content, parse.MAX_BODY) if wire.content else None
        except NotVisibleError:
            return None
        return None

    async def open_merge_request(self, new: NewMergeRequest) -> MergeRequest:
        """Open a merge request: the call goes to the source project and names the target."""
        title = new.title
        if new.draft and not parse.is_draft_title(title):
            title = f"Draft: {title}"
        body: dict[str, object] = {
            "source_branch": new.source_branch,
            "target_branch": new.target_branch,
            "target_project_id": id_number(new.target.id),
            "title": title,
            "description": new.description,
        }
        if new.source.id != new.target.id:
            body["allow_collaboration"] = new.allow_edits
        wire = await self._client.send_json(
            "POST", ("projects", new.source.id, "merge_requests"), body, type=WireMergeRequest
        )
        return parse.parse_merge_request(self.name, new.target.path, wire)

    async def find_merge_request(
        self, target: Project, *, source: Project | None, source_branch: str
    ) -> MergeRequest | None:
        """Return the latest merge request from a branch; a branch of that name in another fork is another."""
        params: Params = {
            "source_branch": source_branch,
            "state": "all",
            "scope": "created_by_me" if source is None else "all",
            "source_project_id": None if source is None else source.id,
            "order_by": "created_at",
            "sort": "desc",
            "per_page": PER_PAGE,
        }
        wires = await self._client.get_all(
            ("projects", target.id, "merge_requests"), params, item=WireMergeRequest
        )
        found = [
            parse.parse_merge_request(self.name, target.path, wire)
            for wire in wires
            # Older versions do not know these filters and return what others have as well.
            if (source is None or str(wire.source_project_id) == source.id)
            and wire.source_branch == source_branch
        ]
        opened = [request for request in found if request.state is MergeRequestState.OPEN]
        return next(iter([*opened, *found]), None)

    async def merge_request(self, target: Project, number: int) -> MergeRequest:
        """Return one merge request; asking makes GitLab compute whether it can be merged."""
        wire = await self._client.get_json(
            ("projects", target.id, "merge_requests", number), type=WireMergeRequest
        )
        return parse.parse_merge_request(self.name, target.path, wire)

    async def mark_ready(self, target: Project, request: MergeRequest) -> MergeRequest:
        """Take the draft mark off: it is the beginning of the title."""
        where = ("projects", target.id, "merge_requests", request.number)
        wire = await self._client.get_json(where, type=WireMergeRequest)
        now = parse.parse_merge_request(self.name, target.path, wire)
        if now.draft:
            title = ready_title(wire.title or "")
            wire = await self._client.send_json("PUT", where, {"title": title}, type=WireMergeRequest)
            now = parse.parse_merge_request(self.name, target.path, wire)
        return ready(now)

    async def my_merge_requests(self) -> list[MergeRequest]:
        """Return this account's open merge requests across the instance."""
        params: Params = {
            "scope": "created_by_me",
            "state": "opened",
            "order_by": "updated_at",
            "sort": "desc",
            "per_page": PER_PAGE,
        }
        wires = await self._client.get_all(("merge_requests",), params, item=WireMergeRequest)
        return [parse.parse_merge_request(self.name, "", wire) for wire in wires]

    async def pipeline(self, target: Project, request: MergeRequest) -> Pipeline | None:
        """Return the newest pipeline; one of a fork's merge request runs in the fork.

        GitLab answers 403 where pipelines are off and where they are for members only: None for both.
        """
        try:
            wires = await self._client.get_all(
                ("projects", target.id, "merge_requests", request.number, "pipelines"),
                {"per_page": 20},
                item=WirePipeline,
                limit=20,
            )
        except ForbiddenError:
            return None
        if not wires:
            return None
        newest = max(wires, key=lambda wire: wire.id)
        where = target.id if newest.project_id is None else str(newest.project_id)
        jobs: list[WireJob] = []
        if parse.parse_pipeline_state(newest.status) is PipelineState.FAILED:
            try:
                jobs = await self._client.get_all(
                    ("projects", where, "pipelines", newest.id, "jobs"),
                    {"scope[]": ("failed",), "per_page": PER_PAGE},
                    item=WireJob,
                )
            except (ForbiddenError, NotVisibleError):
                jobs = []
        return parse.parse_pipeline(newest, jobs, where)

    async def job_log(self, target: Project, job: Job, pipeline: Pipeline, *, limit: int = 16_384) -> str:
        """Return the end of a job's log; empty where it is erased, or for members only."""
        where = pipeline.project_id or target.id
        try:
            # A character takes up to four bytes.
            data = await self._client.get_bytes(
                ("projects", where, "jobs", job.id, "trace"), limit=4 * limit, keep="tail"
            )
        except (ForbiddenError, NotVisibleError):
            return ""
        return parse.parse_log(data, limit)

    async def review(self, target: Project, request: MergeRequest) -> Review:
        """Return approvals and what the reviewers say."""
        where = ("projects", target.id, "merge_requests", request.number)

        async def approvals() -> WireApprovals:
            try:
                return await self._client.get_json((*where, "approvals"), type=WireApprovals)
            except (NotVisibleError, ForbiddenError):
                return WireApprovals()

        async def reviewers() -> list[WireReviewer]:
            try:
                return await self._client.get_all((*where, "reviewers"), item=WireReviewer)
            except (NotVisibleError, ForbiddenError):
                return []

        return parse.parse_review(*await asyncio.gather(approvals(), reviewers()))

    async def discussions(self, target: Project, request: MergeRequest) -> list[Discussion]:
        """Return the threads in which a person said something."""
        wires = await self._client.get_all(
            ("projects", target.id, "merge_requests", request.number, "discussions"),
            {"per_page": PER_PAGE},
            item=WireDiscussion,
        )
        threads = (parse.parse_discussion(wire) for wire in wires)
        return [thread for thread in threads if thread is not None]

    async def reply(
        self, target: Project, request: MergeRequest, body: str, *, discussion: Discussion | None = None
    ) -> Comment:
        """Answer a thread, or remark on the merge request."""
        where: tuple[str | int, ...] = ("projects", target.id, "merge_requests", request.number)
        where += ("notes",) if discussion is None else ("discussions", discussion.id, "notes")
        wire = await self._client.send_json("POST", where, {"body": body}, type=WireNote)
        return parse.parse_comment(wire)

    async def star(self, project: Project) -> None:
        """Star the project; 304 means that it has been."""
        await self._client.send("POST", ("projects", project.id, "star"), good=(304,))


def _fork_refusal(error: ForgeError, project: Project) -> ForgeError:
    """Return what a refused fork means, when no fork turned out to exist."""
    if isinstance(error, NotVisibleError) and "project not found" not in error.detail.lower():
        return ForbiddenError(
            f"{project.path} cannot be forked there",
            error.detail,
            "Forking may be switched off, or the namespace may not take it: ask the project's owners.",
            forge=error.forge,
            status=error.status,
            request=error.request,
        )
    if isinstance(error, ConflictError):
        return ConflictError(
            f"The fork of {project.path} needs another name",
            error.detail,
            "Something else has the name, or your fork is archived or about to be deleted: choose another one.",
            forge=error.forge,
            status=error.status,
            request=error.request,
        )
    return error


def _renamed(fork: Project, project: Project) -> bool:
    """Return whether a fork has another name than its project."""
    return fork.path.rpartition("/")[2].lower() != project.path.rpartition("/")[2].lower()
