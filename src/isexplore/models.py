"""What isexplore talks about: projects, issues, merge requests, people. Frozen data, no I/O.

Every `str` that came from a forge has passed `isexplore.text.clean` or `clean_line` when the object
was made. Times are aware and in UTC. Optional facts that a forge did not tell are None, never
guessed; lists that it did not tell are empty.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct


class ForgeKind(StrEnum):
    """Which API a forge speaks."""

    GITLAB = "gitlab"
    GITEA = "gitea"
    GITHUB = "github"


class Visibility(StrEnum):
    """Who can see a project. Internal means anyone signed in to the forge."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PRIVATE = "private"


class Role(StrEnum):
    """What an account may do in a project, weakest first."""

    NONE = "none"
    GUEST = "guest"
    REPORTER = "reporter"
    DEVELOPER = "developer"
    MAINTAINER = "maintainer"
    OWNER = "owner"

    @property
    def can_push(self) -> bool:
        """Whether the role may push branches to the project itself."""
        return self in (Role.DEVELOPER, Role.MAINTAINER, Role.OWNER)


class ProjectRef(NamedTuple):
    """Names a project across forges; hashable, and what every map is keyed by."""

    forge: str
    """Name of the forge, as in the configuration."""
    path: str
    """Full path on it: `group/sub/name`."""


class Person(Struct, frozen=True, kw_only=True):
    """An account on a forge."""

    username: str
    name: str = ""
    id: str = ""
    url: str = ""
    email: str | None = None
    bot: bool = False
    external: bool = False
    """GitLab's external users see internal projects as missing."""


class TokenFacts(Struct, frozen=True, kw_only=True):
    """What a forge tells of the token in use; None where it does not tell."""

    name: str | None = None
    scopes: tuple[str, ...] | None = None
    expires_on: date | None = None


class Project(Struct, frozen=True, kw_only=True):
    """A repository on a forge."""

    forge: str
    id: str
    """The forge's own id; survives renames."""
    path: str
    name: str
    url: str
    """Its web page."""
    description: str = ""
    visibility: Visibility = Visibility.PRIVATE
    topics: tuple[str, ...] = ()
    language: str | None = None
    languages: tuple[str, ...] = ()
    """Largest share first; empty until asked for."""
    licence: str | None = None
    stars: int = 0
    forks: int = 0
    open_issues: int | None = None
    good_first_issues: int | None = None
    subscribers: int | None = None
    created_at: datetime | None = None
    last_activity: datetime | None = None
    archived: bool = False
    empty: bool = False
    default_branch: str = ""
    clone_url: str = ""
    """HTTP(S) address for git, as the forge gives it; checked against its origin before use."""
    ssh_url: str = ""
    readme_path: str | None = None
    issues_enabled: bool = True
    merge_requests_enabled: bool = True
    forking_enabled: bool | None = None
    """None where the forge does not say."""
    can_propose: bool | None = None
    """Whether this account may open a merge request here; None where the forge does not say."""
    role: Role = Role.NONE
    forked_from: str | None = None
    """Path of the original; None for a project that is no fork, or whose original is hidden."""
    forked_from_id: str | None = None
    owner: str = ""
    """Full path of the group or user that holds it."""
    avatar_url: str = ""
    """Its picture, or else its owner's; empty where the forge names none."""

    @property
    def ref(self) -> ProjectRef:
        """What every map of projects is keyed by."""
        return ProjectRef(self.forge, self.path)


class ForkState(StrEnum):
    """How far a forge is with making a fork."""

    IMPORTING = "importing"
    READY = "ready"
    FAILED = "failed"


class ForkStatus(Struct, frozen=True, kw_only=True):
    """The answer to "is my fork ready?"."""

    state: ForkState
    detail: str = ""


class ForkTarget(Struct, frozen=True, kw_only=True):
    """A namespace that this account may fork into."""

    id: str
    path: str
    personal: bool = False


class Divergence(Struct, frozen=True, kw_only=True):
    """How a fork's branch stands to the original's."""

    ahead: int
    behind: int
    conflicts: bool | None = None


class Issue(Struct, frozen=True, kw_only=True):
    """An issue of a project."""

    forge: str
    project: str
    """Path of its project."""
    number: int
    title: str
    url: str
    id: str = ""
    description: str = ""
    labels: tuple[str, ...] = ()
    author: str = ""
    assignees: tuple[str, ...] = ()
    open: bool = True
    confidential: bool = False
    comments: int = 0
    merge_requests: int | None = None
    """Open or linked merge requests, where the list call tells it."""
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Comment(Struct, frozen=True, kw_only=True):
    """One remark on an issue or a merge request."""

    id: str
    author: str
    body: str
    system: bool = False
    """Written by the forge ("assigned to @x"), not by a person."""
    bot: bool = False
    created_at: datetime | None = None


class Discussion(Struct, frozen=True, kw_only=True):
    """A thread of remarks on a merge request."""

    id: str
    comments: tuple[Comment, ...]
    resolvable: bool = False
    resolved: bool = False
    file: str | None = None
    line: int | None = None

    @property
    def unresolved(self) -> bool:
        """Whether somebody still waits for an answer here."""
        return self.resolvable and not self.resolved


class MergeRequestState(StrEnum):
    """Where a merge request ended up."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"


class MergeRequest(Struct, frozen=True, kw_only=True):
    """A merge request (a pull request on Gitea and GitHub)."""

    forge: str
    project: str
    """Path of the target project, whose numbering `number` follows."""
    number: int
    title: str
    url: str
    state: MergeRequestState
    id: str = ""
    description: str = ""
    author: str = ""
    draft: bool = False
    source_project: str | None = None
    """Path or id of the fork; None when it was deleted."""
    source_branch: str = ""
    target_branch: str = ""
    sha: str | None = None
    """Head commit; None while the forge is still preparing."""
    conflicts: bool = False
    blocked_by: str | None = None
    """Why it cannot be merged yet, in the forge's word (`not_approved`, `draft_status`, ...)."""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    merged_at: datetime | None = None


class NewMergeRequest(Struct, frozen=True, kw_only=True):
    """A merge request to be opened: from `source_branch` of `source` to `target_branch` of `target`."""

    source: Project
    target: Project
    source_branch: str
    target_branch: str
    title: str
    description: str = ""
    draft: bool = False
    allow_edits: bool = True
    """Let those who may merge push to the source branch."""


class PipelineState(StrEnum):
    """How the checks of a merge request stand."""

    PENDING = "pending"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    WAITING = "waiting"
    """Somebody has to start it by hand."""


class Job(Struct, frozen=True, kw_only=True):
    """One check of a pipeline."""

    name: str
    state: PipelineState
    id: str = ""
    url: str = ""
    detail: str = ""
    """Why it failed, where the forge tells it (the end of its log, or a description)."""


class Pipeline(Struct, frozen=True, kw_only=True):
    """All checks of one commit of a merge request."""

    id: str
    state: PipelineState
    url: str = ""
    sha: str = ""
    project_id: str = ""
    """Where it ran, where the forge tells: the target, or the fork."""
    jobs: tuple[Job, ...] = ()


class Review(Struct, frozen=True, kw_only=True):
    """Where the people stand on a merge request."""

    approved: bool = False
    approved_by: tuple[str, ...] = ()
    approvals_required: int | None = None
    changes_requested_by: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()


class Branch(Struct, frozen=True, kw_only=True):
    """A branch on the forge."""

    name: str
    sha: str
    protected: bool = False
    can_push: bool | None = None
    committed_at: datetime | None = None
    """When its newest commit was made, by the clock of whoever made it."""


class FileEntry(Struct, frozen=True, kw_only=True):
    """One entry of a folder on the forge."""

    path: str
    folder: bool = False
    size: int | None = None
    id: str = ""
    """Blob id where the forge tells it."""


class Document(Struct, frozen=True, kw_only=True):
    """A guide: README, CONTRIBUTING or one of their friends, as its text."""

    name: str
    """What it is for: `README`, `CONTRIBUTING`, `CODEOWNERS`, ..."""
    path: str
    text: str
    truncated: bool = False


class Label(Struct, frozen=True, kw_only=True):
    """A label of a project, in its own spelling."""

    name: str
    description: str = ""
    open_issues: int | None = None


class Member(Struct, frozen=True, kw_only=True):
    """A person with a role in a project."""

    person: Person
    role: Role


class Verdict(StrEnum):
    """Whether a good first issue is really there to be taken."""

    FREE = "free"
    MAYBE_TAKEN = "maybe-taken"
    STALE = "stale"
    UNKNOWN = "unknown"


class IssueVerdict(Struct, frozen=True, kw_only=True):
    """A verdict with what speaks for it."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()


class Bookmark(Struct, frozen=True, kw_only=True):
    """A project that somebody wants to find again."""

    forge: str
    path: str
    note: str = ""
    tags: tuple[str, ...] = ()
    added_at: datetime | None = None
    id: str = ""
    """The forge's own id of the project, by which it is found where it has moved; empty while it is not known."""

    @property
    def ref(self) -> ProjectRef:
        """The project."""
        return ProjectRef(self.forge, self.path)
