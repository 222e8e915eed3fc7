"""The contract between isexplore and a forge.

Everything above this package works with `Forge` alone. An adapter is a set of endpoints plus pure
`parse_*` functions; it keeps no state but what the server told about itself. All methods raise
only `ForgeError` kinds (`isexplore.errors`); each docstring names the ones with a meaning of their
own. `NotVisibleError` always may mean "no permission": forges answer 404 for both.

Strings in every returned model are clean (`isexplore.text`). Lists are complete unless a method says
otherwise; a listing that the server cut short raises rather than returning a part.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from enum import Flag, auto
from typing import Protocol, runtime_checkable

from msgspec import Struct

from isexplore.models import (
    Branch,
    Comment,
    Discussion,
    Divergence,
    FileEntry,
    ForgeKind,
    ForkStatus,
    ForkTarget,
    Issue,
    Job,
    Label,
    Member,
    MergeRequest,
    NewMergeRequest,
    Person,
    Pipeline,
    Project,
    Review,
    TokenFacts,
)

LANGUAGES_AT_ONCE = 100
"""Projects in one question for languages (`BulkLanguages`)."""


class Capability(Flag):
    """What a forge can do beyond the common ground; the screens hide what is missing."""

    NONE = 0
    DRAFTS = auto()
    """Merge requests can be drafts."""
    FORK_SYNC = auto()
    """`sync_fork` works on the server."""
    PIPELINES = auto()
    """`pipeline` can find something."""
    APPROVALS = auto()
    """`review` tells approvals."""
    DISCUSSIONS = auto()
    """Threads can be resolved, and `discussions` tells which are."""
    TOKEN_FACTS = auto()
    """`token_facts` tells scopes or expiry."""
    PARTICIPATION = auto()
    """`participation` is cheap enough for a catalog."""
    STARS = auto()
    SEVERAL_FORKS = auto()
    """An account may have several forks of one project."""
    ASSIGN_NEEDS_ROLE = auto()
    """Outsiders cannot assign themselves; a comment asks instead."""


class ProjectPage(Struct, frozen=True):
    """One page of a project listing."""

    projects: tuple[Project, ...]
    total: int | None = None
    """How many there are in all; None where the forge does not tell (GitLab above 10,000)."""
    cursor: str = ""
    """Where the listing goes on after this page and all that came before it, for `find_projects`."""
    in_all: int | None = None
    """How many have the tags in all, by the forge's own count, in which hidden and archived ones may be: the
    same whatever is listed, so that it tells when some have left. None where it is not told along the way."""


class ServerFacts(Struct, frozen=True, kw_only=True):
    """What the server says of itself."""

    kind: ForgeKind
    version: str
    name: str = ""
    """Product in its own word: "GitLab", "Forgejo", "Gitea", "GitHub Enterprise Server"."""


class GitLogin(Struct, frozen=True, kw_only=True):
    """How git signs in over HTTPS: the forge's user-name convention; the password is the token."""

    origin: str
    """`scheme://host[:port]` that the token belongs to; git must not send it anywhere else."""
    username: str


@runtime_checkable
class BulkLanguages(Protocol):
    """A forge whose listing of projects is silent on languages, and that tells those of many at once."""

    async def languages_of(self, projects: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the languages of up to `LANGUAGES_AT_ONCE` projects by id, largest share first.

        A project that is not there any more, or has none, has none.

        Raises:
            InvalidError: this forge cannot be asked so, now or ever.
            NotVisibleError: the same.
        """


@runtime_checkable
class GroupIssues(Protocol):
    """A forge that can be asked for the issues of a whole group, and of all projects."""

    async def issues_anywhere(self, label: str, *, limit: int) -> list[Issue]:
        """Return up to `limit` open issues with a label in all projects, as `issues_below` does.

        Raises:
            UnavailableError: it is too much for the forge; its groups may be asked one by one.
        """

    async def issues_below(self, group: str, label: str, *, limit: int) -> list[Issue]:
        """Return up to `limit` open issues with a label in the projects of a group, subgroups included.

        Latest change first; `Issue.project` is the path of each one's project. A label with a comma
        cannot be asked for.
        """


class Forge(Protocol):
    """A forge that this account can talk to."""

    @property
    def name(self) -> str:
        """Name of the forge in the configuration; `Project.forge` of everything returned."""

    @property
    def kind(self) -> ForgeKind:
        """Which API it speaks."""

    @property
    def url(self) -> str:
        """Web address of the forge, without a trailing slash; may have a path (sub-path installs)."""

    @property
    def capabilities(self) -> Capability:
        """What it can do beyond the common ground."""

    @property
    def git_login(self) -> GitLogin:
        """How git signs in."""

    @property
    def merge_request_noun(self) -> str:
        """What its users call one: "merge request" or "pull request"."""

    async def close(self) -> None:
        """Close the connections; the object cannot be used afterwards."""

    # Who and what

    async def server(self) -> ServerFacts:
        """Return what the server says of itself."""

    async def whoami(self) -> Person:
        """Return the account that the token belongs to.

        Raises:
            AuthError: the token is wrong, expired or revoked.
            ScopeError: the token may not even read its user.
        """

    async def token_facts(self) -> TokenFacts:
        """Return scopes and expiry as far as the forge tells them."""

    # Finding and reading

    def find_projects(
        self,
        tags: tuple[str, ...],
        *,
        text: str = "",
        changed_after: datetime | None = None,
        groups: tuple[str, ...] = (),
        resume: str = "",
    ) -> AsyncIterator[ProjectPage]:
        """Yield pages of unarchived projects that carry any of `tags` (any spelling of them).

        A project that carries two of the tags may come twice. With `text`, only projects in whose
        name, path or description the forge finds it. With `changed_after`, at least those whose
        activity is later, and those archived since, marked as that, where the forge can tell. With
        `groups`, only projects below one of these groups. With `resume`, the cursor of a page of the
        same listing, only what had not come by then, and perhaps some of it again; one that means
        nothing to the forge begins anew.
        """

    async def project(self, path: str) -> Project:
        """Return one project by its full path or by its id, with every field that a single call gives.

        Raises:
            NotVisibleError: missing, or hidden from this account.
        """

    async def languages(self, project: Project) -> dict[str, float]:
        """Return the share of each language, 0 to 1, largest first; empty when not computed."""

    async def folder(self, project: Project, path: str = "") -> list[FileEntry]:
        """Return the entries of a folder on the default branch; empty for a missing folder."""

    async def file(self, project: Project, path: str, *, ref: str = "", limit: int = 1 << 20) -> bytes | None:
        """Return up to `limit` bytes of a file at `ref` (default branch if empty); None if missing."""

    async def labels(self, project: Project) -> list[Label]:
        """Return the labels usable in the project, those of its groups included."""

    async def issues(
        self, project: Project, *, labels: tuple[str, ...] = (), limit: int = 100
    ) -> list[Issue]:
        """Return up to `limit` open issues, latest change first, that carry any of `labels`.

        With no labels, all open issues. Labels are exact spellings, as `labels` returned them.
        Merge requests are never among them.
        """

    async def issue(self, project: Project, number: int) -> Issue:
        """Return one issue."""

    async def comments(self, project: Project, number: int) -> list[Comment]:
        """Return the comments of an issue, oldest first."""

    async def linked_merge_requests(self, project: Project, number: int) -> list[MergeRequest]:
        """Return the merge requests that mention or would close the issue; empty if none is known."""

    async def comment_on_issue(self, project: Project, number: int, body: str) -> Comment:
        """Write a comment on an issue.

        Raises:
            ForbiddenError: the issue is locked, or comments are for members only.
        """

    async def assign_issue(self, project: Project, number: int, person: Person) -> Issue:
        """Try to assign `person`; return the issue as it is afterwards.

        Forges may answer "done" and change nothing: look at `Issue.assignees`.

        Raises:
            ForbiddenError: this account may not assign.
        """

    async def members(self, project: Project) -> list[Member]:
        """Return people with a role, strongest first; shorter than the truth when some are hidden."""

    async def contributors(self, project: Project, *, limit: int = 20) -> list[Person]:
        """Return who committed most, most commits first; `username` may be empty (git knows names only)."""

    async def participation(self, project: Project) -> tuple[int, ...]:
        """Return commits for each of the last 52 weeks, oldest first; empty when the forge cannot tell."""

    # Contributing

    async def my_fork(self, project: Project, me: Person) -> Project | None:
        """Return the first of `my_forks`; None if there is none."""

    async def my_forks(self, project: Project, me: Person) -> list[Project]:
        """Return this account's forks of `project`, whatever their names.

        The one to use comes first: in the personal namespace, with the project's own name.
        """

    async def fork_targets(self, project: Project) -> list[ForkTarget]:
        """Return where this account may fork to, personal namespace first."""

    async def fork(self, project: Project, *, target: ForkTarget | None = None, name: str = "") -> Project:
        """Start making a fork, or return the one that exists; `fork_status` tells when it is ready.

        Raises:
            ForbiddenError: forking is off, or not into this namespace.
            ConflictError: something that is not a fork of `project` has the name.
        """

    async def fork_status(self, fork: Project) -> ForkStatus:
        """Return whether branches of the fork can be read yet."""

    async def divergence(self, fork: Project, upstream: Project, branch: str) -> Divergence | None:
        """Return how far the fork's branch is from the original's; None where the forge cannot tell."""

    async def sync_fork(self, fork: Project, branch: str) -> None:
        """Bring the fork's branch up to the original's (fast-forward only).

        Raises:
            ConflictError: the branches have diverged.
        """

    async def branch(self, project: Project, name: str) -> Branch | None:
        """Return a branch, or None."""

    async def branches(self, project: Project, text: str) -> list[Branch]:
        """Return branches whose name holds `text`, as far as one request tells.

        GitHub tells those that begin with it, Gitea those among the first page of all branches.
        """

    async def merge_request_template(self, project: Project) -> str | None:
        """Return the text that a new merge request's description starts from, or None."""

    async def open_merge_request(self, new: NewMergeRequest) -> MergeRequest:
        """Open a merge request; never sent twice by the HTTP layer.

        Raises:
            ConflictError: an open one exists for this branch; find it with `find_merge_request`.
            InvalidError: no difference between the branches, unknown branch, title rules, ...
        """

    async def find_merge_request(
        self, target: Project, *, source: Project | None, source_branch: str
    ) -> MergeRequest | None:
        """Return the latest merge request into `target` from this branch: open first, else merged or closed.

        `source` is the project that the branch is in; None matches a branch of any project whose
        merge request this account wrote.
        """

    async def merge_request(self, target: Project, number: int) -> MergeRequest:
        """Return one merge request."""

    async def mark_ready(self, target: Project, request: MergeRequest) -> MergeRequest:
        """Take the draft mark off an open merge request, and return it as it is afterwards.

        One that is no draft stays as it is, so asking twice does no harm.

        Raises:
            ForbiddenError: this account may not.
            InvalidError: the forge still calls it a draft afterwards, or cannot be asked.
        """

    async def my_merge_requests(self) -> list[MergeRequest]:
        """Return this account's open merge requests, latest change first."""

    async def pipeline(self, target: Project, request: MergeRequest) -> Pipeline | None:
        """Return the newest pipeline or set of checks, with its failed jobs; None if there is none."""

    async def job_log(self, target: Project, job: Job, pipeline: Pipeline, *, limit: int = 16_384) -> str:
        """Return the end of a job's log, at most `limit` characters; empty where there is none."""

    async def review(self, target: Project, request: MergeRequest) -> Review:
        """Return approvals and requested changes."""

    async def discussions(self, target: Project, request: MergeRequest) -> list[Discussion]:
        """Return the threads, oldest first; the forge's own remarks ("added 1 commit") are left out."""

    async def reply(
        self, target: Project, request: MergeRequest, body: str, *, discussion: Discussion | None = None
    ) -> Comment:
        """Answer a thread, or remark on the merge request as a whole."""

    async def star(self, project: Project) -> None:
        """Star the project; starred already is fine."""
