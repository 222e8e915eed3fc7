"""Gitea's and Forgejo's answers (REST v1) as they come over the wire: the fields that are read, in their words.

Go writes an empty list as null and an unset time as year 1, so everything may be missing or null; times
stay text. A field that only newer servers know is `UNSET` where it was not sent at all.
"""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class WireUser(Struct):
    """An account; an organisation looks the same."""

    id: int | None = None
    login: str | None = None
    username: str | None = None
    """Says the same as `login`; an organisation of an old server has only this one."""
    full_name: str | None = None
    email: str | None = None
    html_url: str | None = None
    avatar_url: str | None = None
    restricted: bool | None = None
    visibility: str | None = None


class WirePermissions(Struct):
    """What this account may do."""

    admin: bool | None = None
    push: bool | None = None
    pull: bool | None = None


class WireOrigin(Struct):
    """What a fork was made from."""

    id: int | None = None
    full_name: str | None = None
    empty: bool | None = None


class WireProject(Struct):
    """A repository."""

    id: int
    full_name: str
    name: str | None = None
    owner: WireUser | None = None
    description: str | None = None
    html_url: str | None = None
    avatar_url: str | None = None
    clone_url: str | None = None
    ssh_url: str | None = None
    default_branch: str | None = None
    language: str | None = None
    empty: bool | None = None
    private: bool | None = None
    internal: bool | None = None
    archived: bool | None = None
    fork: bool | None = None
    parent: WireOrigin | None = None
    stars_count: int | None = None
    forks_count: int | None = None
    watchers_count: int | None = None
    open_issues_count: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
    has_issues: bool | None = None
    has_pull_requests: bool | None = None
    permissions: WirePermissions | None = None
    topics: list[str] | UnsetType | None = UNSET
    object_format_name: str | None = None
    licenses: list[str] | None = None


class WireFound(Struct):
    """A page of a search for repositories, which is no bare list."""

    data: list[WireProject] | None = None
    ok: bool | None = None


class WireTopics(Struct):
    """The topics of a repository."""

    topics: list[str] | None = None


class WireEntry(Struct):
    """A file or folder; `content` is left unread."""

    path: str
    type: str | None = None
    size: int | None = None
    sha: str | None = None


class WireLabel(Struct):
    """A label."""

    name: str
    description: str | None = None
    is_archived: bool | None = None


class WireIssuePull(Struct):
    """What an issue says that is a pull request."""

    merged: bool | None = None
    merged_at: str | None = None
    draft: bool | None = None
    html_url: str | None = None


class WireIssueProject(Struct):
    """Where an issue is."""

    full_name: str | None = None


class WireIssue(Struct):
    """An issue, or a pull request in the form of one."""

    number: int
    id: int | None = None
    title: str | None = None
    body: str | None = None
    html_url: str | None = None
    state: str | None = None
    labels: list[WireLabel] | None = None
    user: WireUser | None = None
    original_author: str | None = None
    assignee: WireUser | None = None
    assignees: list[WireUser] | None = None
    comments: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
    pull_request: WireIssuePull | None = None
    repository: WireIssueProject | None = None


class WireComment(Struct):
    """A comment on an issue or pull request."""

    id: int
    body: str | None = None
    user: WireUser | None = None
    original_author: str | None = None
    created_at: str | None = None


class WireEvent(Struct):
    """Something that happened to an issue."""

    type: str | None = None
    ref_issue: WireIssue | None = None


class WireSide(Struct):
    """The base or the head of a pull request."""

    label: str | None = None
    ref: str | None = None
    sha: str | None = None
    repo_id: int | None = None
    repo: WireOrigin | None = None


class WirePull(Struct):
    """A pull request."""

    number: int
    id: int | None = None
    title: str | None = None
    body: str | None = None
    html_url: str | None = None
    state: str | None = None
    draft: bool | None = None
    user: WireUser | None = None
    merged: bool | None = None
    mergeable: bool | None = None
    allow_maintainer_edit: bool | None = None
    base: WireSide | None = None
    head: WireSide | None = None
    created_at: str | None = None
    updated_at: str | None = None
    merged_at: str | None = None


class WireReview(Struct):
    """A review of a pull request, or the request for one."""

    id: int
    state: str | None = None
    body: str | None = None
    user: WireUser | None = None
    official: bool | None = None
    dismissed: bool | None = None
    comments_count: int | None = None
    submitted_at: str | None = None


class WireReviewComment(Struct):
    """A remark on a line of a pull request."""

    id: int
    body: str | None = None
    user: WireUser | None = None
    resolver: WireUser | UnsetType | None = UNSET
    path: str | None = None
    position: int | None = None
    original_position: int | None = None
    created_at: str | None = None


class WireStatus(Struct):
    """What one check says of a commit."""

    id: int | None = None
    status: str | None = None
    context: str | None = None
    description: str | None = None
    target_url: str | None = None


class WireStatuses(Struct):
    """What all checks say of a commit."""

    state: str | None = None
    sha: str | None = None
    statuses: list[WireStatus] | None = None


class WireBranchCommit(Struct):
    """The commit of a branch."""

    id: str | None = None
    timestamp: str | None = None


class WireBranch(Struct):
    """A branch and its protection."""

    name: str
    commit: WireBranchCommit | None = None
    protected: bool | None = None
    user_can_push: bool | None = None
    required_approvals: int | None = None


class WireGitPerson(Struct):
    """Who git says made a commit, and when."""

    name: str | None = None
    email: str | None = None
    date: str | None = None


class WireGitCommit(Struct):
    """A commit in git's words."""

    author: WireGitPerson | None = None
    committer: WireGitPerson | None = None


class WireCommit(Struct):
    """A commit, with the account that its author's address belongs to."""

    author: WireUser | None = None
    commit: WireGitCommit | None = None
    created: str | None = None


class WireComparison(Struct):
    """What one branch has that the other has not."""

    total_commits: int | None = None


class WireSyncInfo(Struct):
    """What Forgejo says of a fork's branch."""

    allowed: bool | None = None
    commits_behind: int | None = None


class WireTeam(Struct):
    """A team of an organisation."""

    id: int
    permission: str | None = None


class WireCollaboratorRole(Struct):
    """What somebody may do in a repository."""

    permission: str | None = None


class WireOrganisationRole(Struct):
    """What this account may do in an organisation."""

    can_create_repository: bool | None = None


class WireVersion(Struct):
    """Version of the server."""

    version: str


class WireToken(Struct):
    """The token in use."""

    name: str | None = None
    scopes: list[str] | None = None
