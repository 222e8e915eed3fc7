"""The real world of one journey, as one round of probing sees it: forge, git, and the record.

Every fact is asked for at most once in a round; a step that runs starts a new round afterwards. Nothing here
decides anything: steps do.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from msgspec import Struct, structs

from isexplore.config.schema import Config, ForgeConfig
from isexplore.errors import BlockedError, ForgeError, GitError, NotVisibleError
from isexplore.forge.address import is_loopback
from isexplore.forge.base import Capability, Forge
from isexplore.git import names
from isexplore.git.client import Git
from isexplore.git.facts import Change, CloneFacts, CommitFacts, Credential, Identity
from isexplore.guide.digest import Digest, digest
from isexplore.guide.documents import list_guides, read_documents
from isexplore.journey import plan
from isexplore.journey.addresses import is_address_of, remote_of
from isexplore.journey.store import Journey
from isexplore.models import (
    Branch,
    Comment,
    Discussion,
    ForgeKind,
    ForkStatus,
    Issue,
    Job,
    MergeRequest,
    MergeRequestState,
    Person,
    Pipeline,
    Project,
    Review,
    TokenFacts,
)

T = TypeVar("T")

DEFAULT_ROOT = Path("~/src")
"""Where clones go when nobody has said so."""


class Surroundings(Struct, frozen=True, kw_only=True):
    """What all journeys of the program share."""

    git: Git
    config: Config
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """How waiting for the forge waits; seconds."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    """The time, aware."""


class Remotes(Struct, frozen=True, kw_only=True):
    """Which remote of the clone is which."""

    fork: str | None = None
    upstream: str | None = None


class World:
    """One journey's facts, asked for once. All methods may raise `ForgeError` or `GitError`."""

    def __init__(
        self,
        journey: Journey,
        forge: Forge,
        around: Surroundings,
        *,
        credential: Credential | None = None,
        lasting: dict[str, Any] | None = None,
        other_branches: frozenset[str] = frozenset(),
        thorough: bool = True,
    ) -> None:
        """Begin a round.

        Args:
            journey: the record.
            forge: its forge.
            around: what all journeys share.
            credential: how git signs in.
            lasting: facts that outlive the round (account, token, guides), shared between journeys.
            other_branches: branches of the same clone that belong to other journeys.
            thorough: ask for all that the check's table shows, not only for what can stop the journey.
        """
        self.journey = journey
        self.forge = forge
        self.git = around.git
        self.config = around.config
        self.sleep = around.sleep
        self.clock = around.clock
        self.credential = credential
        self.other_branches = other_branches
        self.thorough = thorough
        self._lasting = {} if lasting is None else lasting
        self._facts: dict[str, Any] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """Held while a fact is asked for, so that it is asked for once."""
        self.learned: dict[str, Any] = {}
        """Fields of the record that turned out to be different; the runner writes them down."""

    async def _once(self, key: str, ask: Callable[[], Awaitable[T]], *, lasting: bool = False) -> T:
        known = self._lasting if lasting else self._facts
        if key not in known:
            async with self._asking[key]:
                if key not in known:
                    known[key] = await ask()
        value: T = known[key]
        return value

    async def look_ahead(self) -> None:
        """Ask at once for what the steps ask for one after the other: a round trip to a forge takes its time.

        What cannot be told now is asked for again by the step that needs it, and is that step's to tell.

        Raises:
            ForgeError: the project, without which nothing can be told.
        """
        journey = self.journey
        begun = journey.merge_request is not None
        account: list[Callable[[], Awaitable[object]]] = [self.me, self.clone]
        if self.thorough and not begun and Capability.TOKEN_FACTS in self.forge.capabilities:
            account.append(self.token)
        answers = await asyncio.gather(
            self.project(), *(maybe(ask()) for ask in account), return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        if begun and journey.outcome is not None:
            return
        questions: list[Callable[[], Awaitable[object]]] = [self.fork]
        if begun:
            questions.append(self.merge_request)
        elif journey.issue is not None and (self.thorough or journey.claim != "skip"):
            questions += [self.issue, self.comments]
            if self.thorough or not journey.branch:
                questions.append(self.linked)
        if self.thorough and not begun:
            questions.append(self.rules)
        await asyncio.gather(*(maybe(ask()) for ask in questions))
        request = await maybe(self.merge_request()) if begun else None
        if request is not None and request.state is not MergeRequestState.OPEN:
            return
        fork, project = await maybe(self.fork()), await self.project()
        if fork is None or fork.id == project.id:
            return
        about_fork: list[Callable[[], Awaitable[object]]] = [self.fork_status, self.behind]
        about_fork.append(self.fork_branch if begun else self.merge_request)
        await asyncio.gather(*(maybe(ask()) for ask in about_fork))

    def learn(self, **fields: Any) -> None:
        """Correct the record from what the world shows."""
        changed = {key: value for key, value in fields.items() if getattr(self.journey, key) != value}
        if changed:
            self.journey = structs.replace(self.journey, **changed)
            self.learned |= changed

    def forget_facts(self) -> None:
        """Begin a new round."""
        self._facts.clear()

    # Settings

    @property
    def settings(self) -> ForgeConfig | None:
        """The forge's table in the configuration."""
        return self.config.forge(self.journey.forge)

    @property
    def requests(self) -> plan.Requests:
        """Writes the forge's requests as text."""
        api_url = None if self.settings is None else self.settings.api_url
        return plan.Requests(self.forge.kind, plan.api_base(self.forge.kind, self.forge.url, api_url))

    @property
    def moved(self) -> dict[str, str]:
        """Former web addresses of the forge, with its present one."""
        former = () if self.settings is None else self.settings.former_urls
        return dict.fromkeys(former, self.forge.url)

    def clone_url(self, project: Project) -> str:
        """Return the address that git uses for a project.

        Raises:
            GitError: reason "bad-url" when the forge's answer points somewhere else.
        """
        settings = self.settings
        if settings is not None and settings.git == "ssh":
            host = settings.ssh_host or urlsplit(self.forge.url).hostname
            return names.check_clone_url(
                project.ssh_url,
                origin=self.forge.git_login.origin,
                ssh_host=_with_port(project.ssh_url, host),
            )
        return names.check_clone_url(project.clone_url, origin=self.forge.git_login.origin)

    @staticmethod
    def leaves_out_old_files(url: str) -> bool:
        """Return whether a clone fetches old versions of files only when they are looked at.

        Not from a forge on this machine: nothing has to travel, and the practice forge does not run
        between two commands, when `git log -p` wants them.
        """
        return names.is_ssh(url) or not is_loopback(urlsplit(url).hostname or "")

    # Who, what, where

    async def me(self) -> Person:
        """Return the account."""
        return await self._once("me", self.forge.whoami, lasting=True)

    async def token(self) -> TokenFacts:
        """Return what the forge tells of the token."""
        return await self._once("token", self.forge.token_facts, lasting=True)

    async def git_version(self) -> str:
        """Return git's version."""
        return await self._once("git", self.git.version, lasting=True)

    async def project(self) -> Project:
        """Return the project, by its id where that is known, so that a rename does no harm."""

        async def ask() -> Project:
            project = await self.forge.project(self.journey.project_id or self.journey.project)
            self.learn(project=project.path, project_id=project.id)
            return project

        return await self._once("project", ask)

    async def rules(self) -> Digest:
        """Return what the project's guides ask; empty in a round that is not thorough and never read them."""
        project = await self.project()
        key = f"rules {project.id}"
        if not self.thorough and key not in self._lasting:
            return Digest()

        async def read() -> Digest:
            return digest(await read_documents(self.forge, project))

        return await self._once(key, read, lasting=True)

    async def template(self) -> str | None:
        """Return the text that a new merge request starts from."""
        project = await self.project()
        return await self._once(
            f"template {project.id}", lambda: self.forge.merge_request_template(project), lasting=True
        )

    async def template_path(self) -> str:
        """Return the path of the file that holds that text; "" where it is in the project's settings."""
        project = await self.project()
        guides = await list_guides(self.forge, project, await self.forge.folder(project))
        return guides.get("MERGE_REQUEST_TEMPLATE", "")

    async def issue(self) -> Issue | None:
        """Return the issue that was chosen, if any."""
        number = self.journey.issue
        if number is None:
            return None
        project = await self.project()

        async def ask() -> Issue:
            issue = await self.forge.issue(project, number)
            self.learn(issue_title=issue.title)
            return issue

        return await self._once("issue", ask)

    async def comments(self) -> list[Comment]:
        """Return the comments of the issue, oldest first."""
        number = self.journey.issue
        if number is None:
            return []
        project = await self.project()
        return await self._once("comments", lambda: self.forge.comments(project, number))

    async def linked(self) -> list[MergeRequest]:
        """Return the merge requests that belong to the issue."""
        number = self.journey.issue
        if number is None:
            return []
        project = await self.project()
        return await self._once("linked", lambda: self.forge.linked_merge_requests(project, number))

    # The fork

    async def works_in_project(self) -> bool:
        """Return whether the project itself is pushed to: it is one's own, or only pushing is allowed."""
        project = await self.project()
        if self.journey.fork and self.journey.fork_id == project.id:
            return True
        if project.owner and project.owner.lower() == (await self.me()).username.lower():
            return True
        return project.forking_enabled is False and project.role.can_push

    async def fork(self) -> Project | None:
        """Return the project that is pushed to, or None while there is none."""
        project = await self.project()

        async def ask() -> Project | None:
            if await self.works_in_project():
                fork: Project | None = project
            else:
                fork = await self._recorded_fork(project)
                if fork is None and Capability.SEVERAL_FORKS in self.forge.capabilities:
                    fork = next(iter(await self.my_forks()), None)
                elif fork is None:
                    fork = await self.forge.my_fork(project, await self.me())
            if fork is not None:
                self.learn(fork=fork.path, fork_id=fork.id)
            return fork

        return await self._once("fork", ask)

    async def my_forks(self) -> list[Project]:
        """Return this account's forks, the one to use first, where a forge lets it have several."""
        if Capability.SEVERAL_FORKS not in self.forge.capabilities:
            return []
        project, me = await self.project(), await self.me()
        return await self._once("my forks", lambda: self.forge.my_forks(project, me))

    async def _recorded_fork(self, project: Project) -> Project | None:
        """Return the fork that the record names, if it still is one of `project`."""
        if not self.journey.fork_id:
            return None
        try:
            fork = await self.forge.project(self.journey.fork_id)
        except NotVisibleError:
            return None
        if project.id in (fork.id, fork.forked_from_id) or fork.forked_from == project.path:
            return fork
        return None

    async def fork_status(self) -> ForkStatus | None:
        """Return whether the fork can be used yet."""
        fork = await self.fork()
        if fork is None:
            return None
        return await self._once("fork status", lambda: self.forge.fork_status(fork))

    async def behind(self) -> int | None:
        """Return how many commits the fork's default branch lacks; None where the forge cannot tell.

        Asked for once: it only informs, as branches begin at the original's newest state.
        """
        project, fork = await self.project(), await self.fork()
        if fork is None or fork.id == project.id or not self.thorough:
            return None

        async def ask() -> int | None:
            distance = await maybe(self.forge.divergence(fork, project, project.default_branch))
            return None if distance is None else distance.behind

        return await self._once(f"behind {fork.id}", ask, lasting=True)

    async def expected_fork(self, path: str = "") -> Project:
        """Return the fork, or what it will most likely be, for plans; `path` where that was asked for."""
        fork = await self.fork()
        if fork is not None:
            return fork
        project = await self.project()
        path = path or self.journey.fork or f"{(await self.me()).username}/{project.path.rsplit('/', 1)[-1]}"

        def moved(url: str) -> str:
            return path.join(url.rsplit(project.path, 1)) if project.path in url else url

        return structs.replace(
            project,
            id="",
            path=path,
            url=moved(project.url),
            clone_url=moved(project.clone_url),
            ssh_url=moved(project.ssh_url),
            forked_from=project.path,
            forked_from_id=project.id,
        )

    async def name_taken(self) -> Project | None:
        """Return a project of one's own that has the fork's name and is no fork of this one."""
        expected = await self.expected_fork()

        async def ask() -> Project | None:
            try:
                return await self.forge.project(expected.path)
            except NotVisibleError:
                return None

        return await self._once("name taken", ask)

    async def fork_branch(self) -> Branch | None:
        """Return the journey's branch on the forge."""
        fork, name = await self.fork(), self.journey.branch
        if fork is None or not name:
            return None
        return await self._once("fork branch", lambda: self.forge.branch(fork, name))

    async def fork_branch_exists(self, name: str) -> bool:
        """Return whether the fork has a branch, on the forge."""
        fork = await self.fork()
        return fork is not None and await self.forge.branch(fork, name) is not None

    # The clone

    def folder(self) -> Path:
        """Return where the clone is, or will be.

        Raises:
            GitError: reason "bad-path" when the project's path is not fit for a folder.
        """
        if self.journey.folder:
            return Path(self.journey.folder)
        return names.clone_folder(self.root(), self.journey.project)

    def choose_folder(self, folder: Path) -> None:
        """Look for the clone somewhere else."""
        if folder != self.folder():
            self._facts.pop("clone", None)
            self._facts.pop("changes", None)
            self._facts.pop("commits", None)
        self.learn(folder=str(folder))

    def root(self) -> Path:
        """Return the folder that clones go to."""
        return (self.config.clone_folder or DEFAULT_ROOT).expanduser()

    async def clone(self) -> CloneFacts:
        """Return how the folder stands."""
        return await self._once("clone", lambda: self.git.facts(self.folder()))

    async def remotes(self) -> Remotes:
        """Return which remotes point at the fork and at the project."""
        facts = await self.clone()
        if not facts.is_repo:
            return Remotes()
        project, fork = await self.project(), await self.fork()
        return Remotes(
            fork=None if fork is None else remote_of(facts.remotes, fork, ("origin", "fork"), self.moved),
            upstream=remote_of(facts.remotes, project, ("upstream", "origin"), self.moved),
        )

    async def is_clone_of_project(self) -> bool:
        """Return whether the folder is a clone of the project or of the fork."""
        remotes = await self.remotes()
        return remotes.fork is not None or remotes.upstream is not None

    def points_at(self, url: str, project: Project) -> bool:
        """Return whether a git address is the project's."""
        return is_address_of(url, project, self.moved)

    async def changes(self) -> list[Change]:
        """Return what is not committed."""
        facts = await self.clone()
        if not facts.is_repo or not facts.changes:
            return []
        return await self._once("changes", lambda: self.git.changes(self.folder()))

    async def base(self) -> str | None:
        """Return the original's default branch as last fetched: "upstream/main"."""
        facts, remotes, project = await self.clone(), await self.remotes(), await self.project()
        names_ = [
            f"{remote}/{project.default_branch}" for remote in (remotes.upstream, remotes.fork) if remote
        ]
        return next((name for name in names_ if name in facts.remote_branches), None)

    async def commits(self) -> list[CommitFacts]:
        """Return the commits of the checked-out branch that the original lacks, newest first."""
        base, facts = await self.base(), await self.clone()
        if base is None or facts.head is None:
            return []
        return await self._once("commits", lambda: self.git.log(self.folder(), f"{base}..HEAD"))

    async def commits_nothing(self) -> bool:
        """Return whether there are commits to propose, and none of them changes a file in the end."""
        base = await self.base()
        if base is None or not await self.commits():
            return False

        async def ask() -> bool | None:
            return await maybe(self.git.changes_nothing(self.folder(), base))

        return await self._once("commits nothing", ask) is True

    async def identity(self) -> Identity:
        """Return who would commit."""
        facts = await self.clone()
        folder = self.folder() if facts.is_repo else Path.home()
        return await self._once("identity", lambda: self.git.identity(folder))

    # The merge request

    async def merge_request(self) -> MergeRequest | None:
        """Return the journey's merge request: the recorded one, or one that was opened by hand.

        One that ended counts only if it is known, or if it is of exactly the commit that is checked out:
        a branch name may be used twice.
        """

        async def ask() -> MergeRequest | None:
            found = await self._find_merge_request()
            if found is not None:
                self.learn(merge_request=found.number, intent=None)
                if found.source_branch and not self.journey.branch:
                    self.learn(branch=found.source_branch)
            return found

        return await self._once("merge request", ask)

    async def _find_merge_request(self) -> MergeRequest | None:
        project = await self.project()
        if self.journey.merge_request is not None:
            return await self.forge.merge_request(project, self.journey.merge_request)
        fork = await self.fork()
        if fork is None:
            return None
        if self.journey.branch:
            found = await self.forge.find_merge_request(
                project, source=fork, source_branch=self.journey.branch
            )
            if found is None or found.state is MergeRequestState.OPEN:
                return found
            head = (await self.clone()).head
            return found if head is not None and found.sha == head else None
        if self.journey.issue is None:
            return None
        me = (await self.me()).username
        return next(
            (
                request
                for request in await self.linked()
                if request.author == me and request.state is MergeRequestState.OPEN
            ),
            None,
        )

    async def pipeline(self, request: MergeRequest) -> Pipeline | None:
        """Return the checks of the merge request."""
        project = await self.project()
        return await self._once("pipeline", lambda: self.forge.pipeline(project, request))

    async def job_log(self, job: Job, pipeline: Pipeline) -> str:
        """Return the end of a job's log."""
        project = await self.project()
        return await self._once(
            f"log {job.id}", lambda: self.forge.job_log(project, job, pipeline), lasting=True
        )

    async def review(self, request: MergeRequest) -> Review:
        """Return where the reviewers stand."""
        project = await self.project()
        return await self._once("review", lambda: self.forge.review(project, request))

    async def discussions(self, request: MergeRequest) -> list[Discussion]:
        """Return the reviewers' threads."""
        project = await self.project()
        return await self._once("discussions", lambda: self.forge.discussions(project, request))

    def called(self, number: int) -> str:
        """Return how a merge request is written: "!7" on GitLab, "#7" elsewhere."""
        return f"{'!' if self.forge.kind is ForgeKind.GITLAB else '#'}{number}"

    # For steps that run

    async def need_fork(self) -> Project:
        """Return the fork.

        Raises:
            BlockedError: there is none.
        """
        fork = await self.fork()
        if fork is None:
            raise BlockedError("There is no fork yet", "", "Run the step “fork” first")
        return fork

    async def need_clone(self) -> CloneFacts:
        """Return the clone.

        Raises:
            BlockedError: there is none of this project.
        """
        facts = await self.clone()
        if not facts.is_repo or not await self.is_clone_of_project():
            raise BlockedError(
                "There is no clone of the project yet",
                f"Looked at {self.folder()}",
                "Run the step “clone” first",
            )
        return facts

    async def clone_credential(self) -> Credential | None:
        """Return the sign-in for what a partial clone fetches when files are looked at; None for SSH."""
        urls = (await self.clone()).remotes.values()
        return self.credential if any(url.startswith(("https://", "http://")) for url in urls) else None

    def credential_for(self, url: str) -> Credential | None:
        """Return the sign-in for an address; None for SSH."""
        return self.credential if url.startswith(("https://", "http://")) else None


def _with_port(url: str, host: str | None) -> str | None:
    """Return `host` with the port of an `ssh://` address: forges choose where they listen for SSH."""
    if host is None or not url.startswith("ssh://"):
        return host
    try:
        port = urlsplit(url).port
    except ValueError:
        return host
    return f"{host}:{port}" if port is not None and ":" not in host else host


async def maybe(awaitable: Awaitable[T]) -> T | None:
    """Return the result, or None where the forge or git could not tell; for facts that only inform."""
    try:
        return await awaitable
    except (ForgeError, GitError):
        return None
