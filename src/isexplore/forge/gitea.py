"""Gitea 1.16 and later, and Forgejo 7 and later, also below a path (REST v1).

What a version can do shows in its answers; the version itself is never compared.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from isexplore.errors import (
    ConflictError,
    ForbiddenError,
    ForgeError,
    InvalidError,
    MovedError,
    NotVisibleError,
    ScopeError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.forge import gitea_parse as parse
from isexplore.forge.answers import decode, ready
from isexplore.forge.base import Capability
from isexplore.forge.drafts import ready_title
from isexplore.forge.gitea_reading import PER_PAGE, GiteaReading
from isexplore.forge.gitea_sync import fork_distance, sync_fork
from isexplore.forge.gitea_wire import (
    WireBranch,
    WireComment,
    WireIssue,
    WireOrganisationRole,
    WireProject,
    WirePull,
    WireReview,
    WireReviewComment,
    WireStatuses,
    WireUser,
)
from isexplore.forge.paging import PROJECT_PAGES
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
    NewMergeRequest,
    Person,
    Pipeline,
    Project,
    Review,
)

if TYPE_CHECKING:
    from isexplore.forge.paging import Params

FORK_PATIENCE = 600.0
"""Seconds for a fork: the server copies everything before it answers, and takes it back if nobody waits."""
MAX_CLOSED = 500
"""Closed pull requests looked through for one of a branch."""
_TEMPLATE_FOLDERS = ("", ".forgejo", ".gitea", ".github", "docs")
_TEMPLATE = re.compile(r"pull_request_template\.md", re.IGNORECASE)
_FORK_PATH = re.compile(r"fork path: ([^\s\],]+)")


class GiteaForge(GiteaReading):
    """A Gitea or Forgejo that this account can talk to: reading as its base does, and contributing.

    Args:
        name: of the forge in the configuration.
        url: web address, with the path of a sub-path install.
        client: speaks to `url` + `/api/v1`.
        now: the time, for tests.
    """

    # Forks

    async def my_fork(self, project: Project, me: Person) -> Project | None:
        """Return this account's fork: there is at most one, usually with the name of the original."""
        return await self._fork_of(project, me.username)

    async def _fork_of(self, project: Project, owner: str, name: str = "") -> Project | None:
        """Return the fork of a project that somebody owns, also under another name."""
        usual = name or project.path.rpartition("/")[2]
        try:
            wire = await self._client.get_json(("repos", owner, usual), type=WireProject)
        except (NotVisibleError, MovedError):
            # A renamed repository leads to its new address, which a server may get wrong.
            wire = None
        if wire is not None and _is_fork(wire, project):
            return parse.parse_project(self._place, wire)
        async for page in self._client.pages(
            self._repo(project, "forks"), {"limit": PER_PAGE}, item=WireProject, most=PROJECT_PAGES
        ):
            for each in page.items:
                if each.full_name.partition("/")[0].lower() == owner.lower():
                    return parse.parse_project(self._place, each)
        return None

    async def my_forks(self, project: Project, me: Person) -> list[Project]:
        """Return this account's fork: there is at most one."""
        fork = await self.my_fork(project, me)
        return [] if fork is None else [fork]

    async def fork_targets(self, project: Project) -> list[ForkTarget]:
        """Return the personal namespace, and the organisations where this account may add repositories.

        A token without the scope for organisations leaves the personal one.
        """
        me = await self._myself()
        targets = []
        if me.username.lower() != project.owner.lower():
            targets.append(ForkTarget(id=me.id, path=me.username, personal=True))
        try:
            wires = await self._client.get_all(("user", "orgs"), {"limit": PER_PAGE}, item=WireUser)
        except (ScopeError, ForbiddenError, NotVisibleError):
            return targets
        others = [parse.parse_person(wire) for wire in wires]
        others = [org for org in others if org.username.lower() != project.owner.lower()]
        allowed = await asyncio.gather(*(self._may_create(me, org) for org in others))
        return targets + [
            ForkTarget(id=org.id, path=org.username) for org, may in zip(others, allowed, strict=True) if may
        ]

    async def _may_create(self, me: Person, organisation: Person) -> bool:
        try:
            wire = await self._client.get_json(
                ("users", me.username, "orgs", organisation.username, "permissions"),
                type=WireOrganisationRole,
            )
        except (NotVisibleError, ForbiddenError, ScopeError):
            return False
        return bool(wire.can_create_repository)

    async def fork(self, project: Project, *, target: ForkTarget | None = None, name: str = "") -> Project:
        """Make a fork, or adopt the one that is there.

        The server answers when the copy is done. A second fork is refused with 409, by old servers with
        500 and no words: whether there is one decides, not the status.
        """
        elsewhere = None if target is None or target.personal else target.path
        owner = elsewhere or (await self._myself()).username
        existing = await self._fork_of(project, owner, name)
        if existing is not None:
            return existing
        body = {}
        if elsewhere is not None:
            body["organization"] = elsewhere
        if name:
            body["name"] = name
        try:
            wire = await self._client.send_json(
                "POST", self._repo(project, "forks"), body, type=WireProject, patience=FORK_PATIENCE
            )
        except (ConflictError, InvalidError, UnavailableError, WrongAnswerError) as error:
            existing = await self._fork_named_in(error, project) or await self._fork_of(project, owner, name)
            if existing is not None:
                return existing
            raise self._fork_refusal(error, project) from error
        return parse.parse_project(self._place, wire)

    async def _fork_named_in(self, error: ForgeError, project: Project) -> Project | None:
        """Return the fork that a refusal names: "... fork path: me/alpha]"."""
        named = _FORK_PATH.search(error.detail)
        if named is None:
            return None
        try:
            wire = await self._client.get_json(self._at(named[1]), type=WireProject)
        except NotVisibleError:
            return None
        return parse.parse_project(self._place, wire) if _is_fork(wire, project) else None

    def _fork_refusal(self, error: ForgeError, project: Project) -> ForgeError:
        """Return what a refused fork means, when no fork turned out to exist."""
        if not isinstance(error, ConflictError):
            return error
        return ConflictError(
            f"The fork of {project.path} needs another name",
            error.detail,
            "Another repository has the name, or you have as many as you may have: choose another name.",
            forge=error.forge,
            status=error.status,
            request=error.request,
        )

    async def fork_status(self, fork: Project) -> ForkStatus:
        """Return whether the fork has branches; while it is being copied, git's part answers with errors."""
        wire = await self._client.get_json(self._repo(fork), type=WireProject)
        if wire.archived:
            return ForkStatus(
                state=ForkState.FAILED, detail="It is archived, so nothing can be pushed to it."
            )
        if wire.empty and wire.parent is not None and wire.parent.empty:
            return ForkStatus(state=ForkState.READY)
        try:
            branches = await self._client.get_all(
                self._repo(fork, "branches"), {"limit": 1}, item=WireBranch, limit=1
            )
        except (NotVisibleError, ConflictError, UnavailableError) as error:
            if error.status not in (404, 409, 500):
                raise
            branches = []
        if branches:
            return ForkStatus(state=ForkState.READY)
        return ForkStatus(state=ForkState.IMPORTING, detail="the server copies the repository")

    async def divergence(self, fork: Project, upstream: Project, branch: str) -> Divergence | None:
        """Return how far the fork is ahead and behind; servers before 1.18 cannot tell."""
        return await fork_distance(self._client, fork.path, upstream.path, branch)

    async def sync_fork(self, fork: Project, branch: str) -> None:
        """Bring the fork's branch up to the original's."""
        try:
            await sync_fork(self._client, fork, branch)
        except InvalidError as error:
            if error.status in (404, 405):
                self._cannot |= Capability.FORK_SYNC
            raise

    async def branch(self, project: Project, name: str) -> Branch | None:
        """Return a branch, or None."""
        wire = await self._branch(project.path, name)
        return None if wire is None else parse.parse_branch(wire)

    async def branches(self, project: Project, text: str) -> list[Branch]:
        """Return branches whose name holds `text`, of the first page: the list cannot be searched."""
        wires = await self._client.get_json(
            self._repo(project, "branches"), {"limit": PER_PAGE}, type=list[WireBranch]
        )
        return [parse.parse_branch(wire) for wire in wires if text.lower() in wire.name.lower()]

    async def _branch(self, path: str, name: str) -> WireBranch | None:
        try:
            # A branch may have slashes, and the route takes all that follows.
            return await self._client.get_json(self._at(path, "branches", *name.split("/")), type=WireBranch)
        except (NotVisibleError, ConflictError):
            return None

    # Pull requests

    async def merge_request_template(self, project: Project) -> str | None:
        """Return the first template where the server looks for one; there is no endpoint for it.

        A template that is a form (YAML) is left out: it has no text to start from.
        """
        root = await self.folder(project)
        there = {entry.path for entry in root if entry.folder}
        for folder in _TEMPLATE_FOLDERS:
            if folder and folder not in there:
                continue
            entries = root if not folder else await self.folder(project, folder)
            for entry in entries:
                if not entry.folder and _TEMPLATE.fullmatch(entry.path.rpartition("/")[2]):
                    data = await self.file(project, entry.path)
                    return None if data is None else parse.parse_template(data)
        return None

    async def open_merge_request(self, new: NewMergeRequest) -> MergeRequest:
        """Open a pull request: the call goes to the target, and names the fork by its owner."""
        title = new.title
        if new.draft and not parse.is_draft_title(title):
            title = parse.DRAFT_PREFIX + title
        within = new.source.path.lower() == new.target.path.lower()
        body = {
            "title": title,
            "body": new.description,
            "base": new.target_branch,
            "head": new.source_branch if within else f"{new.source.owner}:{new.source_branch}",
        }
        try:
            wire = await self._client.send_json("POST", self._repo(new.target, "pulls"), body, type=WirePull)
        except NotVisibleError as error:
            raise InvalidError(
                f"The server knows no branch {new.source_branch} in {new.source.path}",
                error.detail,
                f"Push the branch first, and check that {new.target.path} has a branch {new.target_branch}.",
                forge=self.name,
                status=error.status,
                request=error.request,
            ) from error
        if new.allow_edits and not within and not wire.allow_maintainer_edit:
            wire = await self._allow_edits(new.target, wire)
        return parse.parse_pull(self._place, new.target.path, wire, self._now())

    async def _allow_edits(self, target: Project, wire: WirePull) -> WirePull:
        """Let maintainers push to the branch; the pull request is there also where they cannot."""
        try:
            return await self._client.send_json(
                "PATCH",
                self._repo(target, "pulls", wire.number),
                {"allow_maintainer_edit": True},
                type=WirePull,
            )
        except (ForbiddenError, NotVisibleError, InvalidError, ConflictError, UnavailableError):
            return wire

    async def find_merge_request(
        self, target: Project, *, source: Project | None, source_branch: str
    ) -> MergeRequest | None:
        """Return the latest pull request from a branch; there is no filter for it, so the list is read.

        All open ones are looked at, and the latest closed ones of this account, as far as the server
        tells them apart.
        """
        me = (await self._myself()).username

        def fits(wire: WirePull) -> bool:
            if parse.source_branch(wire) != source_branch:
                return False
            if source is None:
                return parse.parse_person(wire.user).username.lower() == me.lower()
            return _is_from(wire, source)

        opened: Params = {"state": "open", "sort": "recentupdate", "limit": PER_PAGE}
        closed: Params = {**opened, "state": "closed", "poster": me}
        for params, most in ((opened, None), (closed, MAX_CLOSED)):
            wires = await self._client.get_all(self._repo(target, "pulls"), params, item=WirePull, limit=most)
            found = [
                parse.parse_pull(self._place, target.path, wire, self._now()) for wire in wires if fits(wire)
            ]
            if found:
                return max(found, key=lambda request: request.number)
        return None

    async def merge_request(self, target: Project, number: int) -> MergeRequest:
        """Return one pull request."""
        wire = await self._client.get_json(self._repo(target, "pulls", number), type=WirePull)
        return parse.parse_pull(self._place, target.path, wire, self._now())

    async def mark_ready(self, target: Project, request: MergeRequest) -> MergeRequest:
        """Take the draft mark off: it is the beginning of the title."""
        where = self._repo(target, "pulls", request.number)
        wire = await self._client.get_json(where, type=WirePull)
        now = parse.parse_pull(self._place, target.path, wire, self._now())
        if now.draft:
            body = {"title": ready_title(wire.title or "")}
            wire = await self._client.send_json("PATCH", where, body, type=WirePull)
            now = parse.parse_pull(self._place, target.path, wire, self._now())
        return ready(now)

    async def my_merge_requests(self) -> list[MergeRequest]:
        """Return this account's open pull requests; the branches are not told here."""
        params: Params = {"type": "pulls", "state": "open", "created": True, "limit": PER_PAGE}
        wires = await self._client.get_all(("repos", "issues", "search"), params, item=WireIssue)
        found = [
            parse.parse_issue_pull(self._place, "", wire) for wire in wires if wire.pull_request is not None
        ]
        never = datetime.min.replace(tzinfo=UTC)
        return sorted(found, key=lambda request: request.updated_at or never, reverse=True)

    async def pipeline(self, target: Project, request: MergeRequest) -> Pipeline | None:
        """Return the checks of the head commit: what Actions and others wrote as its statuses.

        A commit without any is null, or pending with none in the list.
        """
        sha = request.sha
        if not sha:
            return None
        where = self._repo(target, "commits", sha, "status")
        try:
            answer = await self._client.send("GET", where, params={"limit": PER_PAGE})
        except (NotVisibleError, ForbiddenError):
            return None
        if answer.body.strip() in (b"", b"null"):
            return None
        statuses = decode(answer, WireStatuses, self._client.asked("GET", where))
        return parse.parse_pipeline(self._place, target, sha, statuses)

    async def job_log(self, target: Project, job: Job, pipeline: Pipeline, *, limit: int = 16_384) -> str:
        """Return nothing: a check is known by its status alone, which has an address but no log."""
        return ""

    async def review(self, target: Project, request: MergeRequest) -> Review:
        """Return who approved or asked for changes, and how many approvals the target branch wants."""
        reviews = await self._reviews(target, request)
        branch = None
        if request.target_branch:
            branch = await self._branch(target.path, request.target_branch)
        return parse.parse_review(reviews, branch.required_approvals if branch is not None else None)

    async def _reviews(self, target: Project, request: MergeRequest) -> list[WireReview]:
        return await self._client.get_all(
            self._repo(target, "pulls", request.number, "reviews"), {"limit": PER_PAGE}, item=WireReview
        )

    async def discussions(self, target: Project, request: MergeRequest) -> list[Discussion]:
        """Return threads at lines of code, what reviews say as a whole, and remarks on the pull request."""
        reviews, comments = await asyncio.gather(
            self._reviews(target, request),
            self._client.get_all(self._repo(target, "issues", request.number, "comments"), item=WireComment),
        )
        said = [review for review in reviews if review.state not in ("PENDING", "REQUEST_REVIEW")]
        lists = await asyncio.gather(
            *(
                self._client.get_all(
                    self._repo(target, "pulls", request.number, "reviews", review.id, "comments"),
                    item=WireReviewComment,
                )
                for review in said
                if review.comments_count != 0
            )
        )
        found = parse.parse_threads(remark for remarks in lists for remark in remarks)
        found += [parse.parse_review_words(review) for review in said if (review.body or "").strip()]
        found += [
            Discussion(id=f"comment-{wire.id}", comments=(parse.parse_comment(wire),)) for wire in comments
        ]
        never = datetime.min.replace(tzinfo=UTC)
        return sorted(found, key=lambda thread: thread.comments[0].created_at or never)

    async def reply(
        self, target: Project, request: MergeRequest, body: str, *, discussion: Discussion | None = None
    ) -> Comment:
        """Answer a thread, or remark on the pull request.

        A remark at the same side of the same line joins the thread there; it comes as a review of its
        own. Where the server does not take that, the answer goes to the pull request with a quotation.
        """
        if discussion is not None and discussion.file and discussion.line:
            try:
                return await self._remark(target, request, body, discussion)
            except (InvalidError, NotVisibleError, ForbiddenError):
                pass
        if discussion is not None:
            quoted = discussion.comments[0].body.strip().split("\n")[0]
            body = f"> {quoted}\n\n{body}"
        wire = await self._client.send_json(
            "POST", self._repo(target, "issues", request.number, "comments"), {"body": body}, type=WireComment
        )
        return parse.parse_comment(wire)

    async def _remark(
        self, target: Project, request: MergeRequest, body: str, discussion: Discussion
    ) -> Comment:
        side = "old_position" if discussion.id.startswith("old-") else "new_position"
        remark = {"path": discussion.file, "body": body, side: discussion.line}
        wire = await self._client.send_json(
            "POST",
            self._repo(target, "pulls", request.number, "reviews"),
            {"event": "COMMENT", "comments": [remark]},
            type=WireReview,
        )
        said = parse.parse_review_words(wire).comments[0]
        return Comment(id=said.id, author=said.author, body=body, created_at=said.created_at)

    async def star(self, project: Project) -> None:
        """Star the repository; starred already is fine."""
        await self._client.send("PUT", ("user", "starred", *project.path.split("/")))


def _is_fork(wire: WireProject, project: Project) -> bool:
    """Whether a repository is a fork of this very project."""
    if not wire.fork or wire.parent is None:
        return False
    same = (wire.parent.full_name or "").lower() == project.path.lower()
    return same or (wire.parent.id is not None and str(wire.parent.id) == project.id)


def _is_from(wire: WirePull, source: Project) -> bool:
    """Whether a pull request comes from this repository."""
    head = wire.head
    if head is None:
        return False
    if head.repo is not None and head.repo.full_name:
        return head.repo.full_name.lower() == source.path.lower()
    return head.repo_id is not None and str(head.repo_id) == source.id
