"""The rows of the practice forge: typed data that `Store` hands out. People are named by username."""

from __future__ import annotations

import re
from datetime import datetime
from typing import ClassVar, Literal

from msgspec import Struct

from isexplore.practice.seed import CheckSeed, ReviewSeed

_DRAFT = re.compile(r"\s*(?:(?:draft:|\[draft\]|\(draft\))\s*)+", re.IGNORECASE)
Noteable = Literal["issue", "merge_request"]
PipelineStatus = Literal[
    "created", "pending", "running", "success", "failed", "canceled", "skipped", "manual"
]  # fmt: skip


class Row(Struct, frozen=True, kw_only=True):
    """A row of one table; `json` names the columns that hold JSON text."""

    table: ClassVar[str] = ""
    json: ClassVar[tuple[str, ...]] = ()


class UserRow(Row, frozen=True, kw_only=True):
    """An account."""

    table: ClassVar[str] = "users"

    id: int
    username: str
    name: str
    email: str
    bot: bool = False
    external: bool = False
    created_at: datetime


class NamespaceRow(Row, frozen=True, kw_only=True):
    """A group, or the personal namespace of a user."""

    table: ClassVar[str] = "namespaces"

    id: int
    kind: Literal["group", "user"]
    full_path: str
    name: str
    parent_id: int | None = None
    created_at: datetime

    @property
    def path(self) -> str:
        """The last part of the full path."""
        return self.full_path.rpartition("/")[2]


class ProjectRow(Row, frozen=True, kw_only=True):
    """A project."""

    table: ClassVar[str] = "projects"
    json: ClassVar[tuple[str, ...]] = ("topics", "languages", "checks", "review")

    id: int
    full_path: str
    name: str
    namespace_id: int
    description: str = ""
    visibility: Literal["public", "internal", "private"] = "internal"
    default_branch: str = "main"
    topics: tuple[str, ...] = ()
    language: str | None = None
    """The largest of `languages`, for filtering."""
    languages: dict[str, float] = {}
    licence: str | None = None
    star_count: int = 0
    forks_count: int = 0
    open_issues_count: int = 0
    archived: bool = False
    forking_enabled: bool = True
    merge_requests_enabled: bool = True
    issues_enabled: bool = True
    merge_method: Literal["merge", "ff"] = "merge"
    creator: str = ""
    created_at: datetime
    last_activity_at: datetime
    forked_from_id: int | None = None
    import_started_at: datetime | None = None
    """When a fork was asked for; None for a project that is no fork."""
    own_repository: bool = True
    """False while it shows the shared template (synthetic projects) or is not copied yet (forks)."""
    empty_repo: bool = False
    readme_path: str | None = None
    checks: tuple[CheckSeed, ...] = ()
    review: ReviewSeed | None = None

    @property
    def path(self) -> str:
        """The last part of the full path."""
        return self.full_path.rpartition("/")[2]

    @property
    def namespace_path(self) -> str:
        """Full path of the group or user that holds it."""
        return self.full_path.rpartition("/")[0]


class LightProject(Struct, frozen=True, kw_only=True):
    """A synthetic project for `Store.create_light_projects`: rows only, one shared repository for all."""

    path: str
    """Full path; groups come into being with their first project."""
    description: str
    topics: tuple[str, ...] = ()
    language: str | None = None
    visibility: Literal["public", "internal", "private"] = "internal"
    stars: int = 0
    forks: int = 0
    open_issues: int = 0
    created_days_ago: float = 400.0
    active_days_ago: float = 10.0
    archived: bool = False


class MemberRow(Row, frozen=True, kw_only=True):
    """Somebody's role in a project."""

    table: ClassVar[str] = "members"

    project_id: int
    username: str
    access_level: int
    created_at: datetime


class LabelRow(Row, frozen=True, kw_only=True):
    """A label of a project."""

    table: ClassVar[str] = "labels"

    id: int
    project_id: int
    name: str
    color: str = "#428bca"
    description: str | None = None


class IssueRow(Row, frozen=True, kw_only=True):
    """An issue."""

    table: ClassVar[str] = "issues"
    json: ClassVar[tuple[str, ...]] = ("labels", "assignees")

    id: int
    iid: int
    project_id: int
    title: str
    description: str = ""
    state: Literal["opened", "closed"] = "opened"
    author: str
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    notes_count: int = 0
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None


class NoteRow(Row, frozen=True, kw_only=True):
    """A remark on an issue or a merge request; notes with one `discussion_id` are a thread."""

    table: ClassVar[str] = "notes"

    id: int
    project_id: int
    noteable: Noteable
    noteable_id: int
    """Row id (not iid) of the issue or the merge request."""
    noteable_iid: int
    discussion_id: str
    individual: bool = True
    """False for notes of a thread that can be answered and resolved."""
    author: str
    body: str
    system: bool = False
    created_at: datetime
    updated_at: datetime
    resolvable: bool = False
    resolved_by: str | None = None
    resolved_at: datetime | None = None
    file: str | None = None
    line: int | None = None
    head_sha: str | None = None

    @property
    def resolved(self) -> bool:
        """Whether somebody marked the thread as settled."""
        return self.resolved_at is not None


class DiscussionRow(Struct, frozen=True, kw_only=True):
    """A thread: its notes, oldest first."""

    id: str
    notes: tuple[NoteRow, ...]

    @property
    def resolvable(self) -> bool:
        """Whether it can be marked as settled."""
        return any(note.resolvable for note in self.notes)

    @property
    def unresolved(self) -> bool:
        """Whether somebody still waits for an answer here."""
        return any(note.resolvable and not note.resolved for note in self.notes)


class MergeRequestRow(Row, frozen=True, kw_only=True):
    """A merge request; `project_id` and `iid` are the target's."""

    table: ClassVar[str] = "merge_requests"
    json: ClassVar[tuple[str, ...]] = ("labels", "assignees", "reviewers", "memo")

    id: int
    iid: int
    project_id: int
    source_project_id: int
    source_branch: str
    target_branch: str
    title: str
    description: str = ""
    state: Literal["opened", "merged", "closed"] = "opened"
    author: str
    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    notes_count: int = 0
    sha: str | None = None
    """Head commit; None until the merge request has been prepared."""
    base_sha: str | None = None
    changes_count: int | None = None
    conflicts: bool = False
    prepared_at: datetime | None = None
    pushed_at: datetime | None = None
    """When `sha` last changed, i.e. when this round of checks and review began."""
    merge_commit_sha: str | None = None
    merged_at: datetime | None = None
    merge_user: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    allow_collaboration: bool = False
    remove_source_branch: bool = False
    squash: bool = False
    created_at: datetime
    updated_at: datetime
    memo: dict[str, str] = {}
    """What the maintainer wants to remember about it; never shown."""

    @property
    def draft(self) -> bool:
        """Whether the title marks it as not ready, by GitLab's rule."""
        return _DRAFT.match(self.title) is not None

    @property
    def title_without_mark(self) -> str:
        """The title without what marks it as not ready."""
        return _DRAFT.sub("", self.title) or self.title


class PipelineRow(Row, frozen=True, kw_only=True):
    """A run of the checks on one commit of a merge request."""

    table: ClassVar[str] = "pipelines"

    id: int
    iid: int
    project_id: int
    """Where it runs: the source project."""
    merge_request_id: int
    sha: str
    status: PipelineStatus
    created_at: datetime
    updated_at: datetime


class JobRow(Row, frozen=True, kw_only=True):
    """One check of a pipeline."""

    table: ClassVar[str] = "jobs"

    id: int
    pipeline_id: int
    project_id: int
    name: str
    status: PipelineStatus
    log: str = ""
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


class PushRow(Row, frozen=True, kw_only=True):
    """A push to one branch."""

    table: ClassVar[str] = "pushes"

    id: int
    project_id: int
    branch: str
    author: str
    commit_from: str | None = None
    """None where the branch is new."""
    commit_to: str | None = None
    """None where the branch was deleted."""
    commit_count: int = 0
    commit_title: str | None = None
    created_at: datetime


class EventRow(Row, frozen=True, kw_only=True):
    """Something that happened, with what `GET /events` asks for; of no table, read from many."""

    id: int
    action: str
    """GitLab's word for asking."""
    target_type: str | None = None
    target_id: int | None = None
    target_iid: int | None = None
    title: str | None = None
    author: str
    created_at: datetime
    project_id: int
    row_id: int
    """The row that tells more."""


class ApprovalRow(Row, frozen=True, kw_only=True):
    """Somebody's approval of a merge request."""

    table: ClassVar[str] = "approvals"

    merge_request_id: int
    username: str
    created_at: datetime
