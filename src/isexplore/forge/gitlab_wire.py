"""GitLab's answers (REST v4) as they come over the wire: the fields that are read, in GitLab's words.

A field that GitLab leaves out or sends as null takes its default; times stay text, so that one odd
date does not cost a whole page.
"""

from __future__ import annotations

from msgspec import Struct


class WireUser(Struct):
    """A user, wherever one is embedded."""

    id: int | None = None
    username: str | None = None
    name: str | None = None
    web_url: str | None = None
    email: str | None = None
    state: str | None = None
    bot: bool | None = None
    external: bool | None = None
    namespace_id: int | None = None
    can_create_project: bool | None = True


class WireNamespace(Struct):
    """The group or user that holds a project."""

    full_path: str | None = None
    kind: str | None = None
    avatar_url: str | None = None
    """Of a group without the host."""


class WireAccess(Struct):
    """A role by its number."""

    access_level: int | None = None


class WirePermissions(Struct):
    """This account's roles in a project and in its group."""

    project_access: WireAccess | None = None
    group_access: WireAccess | None = None


class WireLicence(Struct):
    """What GitLab takes a LICENSE file for."""

    key: str | None = None
    name: str | None = None


class WireOrigin(Struct):
    """What a fork was made from."""

    id: int | None = None
    path_with_namespace: str | None = None


class WireProject(Struct):
    """A project, from a list or by itself."""

    id: int
    path_with_namespace: str
    name: str | None = None
    web_url: str | None = None
    avatar_url: str | None = None
    description: str | None = None
    visibility: str | None = None
    topics: list[str] | None = None
    tag_list: list[str] | None = None
    license: WireLicence | None = None
    star_count: int | None = None
    forks_count: int | None = None
    open_issues_count: int | None = None
    created_at: str | None = None
    last_activity_at: str | None = None
    updated_at: str | None = None
    archived: bool | None = None
    empty_repo: bool | None = None
    default_branch: str | None = None
    http_url_to_repo: str | None = None
    ssh_url_to_repo: str | None = None
    readme_url: str | None = None
    issues_enabled: bool | None = None
    issues_access_level: str | None = None
    merge_requests_enabled: bool | None = None
    merge_requests_access_level: str | None = None
    forking_access_level: str | None = None
    can_create_merge_request_in: bool | None = None
    permissions: WirePermissions | None = None
    namespace: WireNamespace | None = None
    forked_from_project: WireOrigin | None = None
    import_status: str | None = None
    import_error: str | None = None
    marked_for_deletion_on: str | None = None


class WireTopic(Struct):
    """A topic of the instance."""

    id: int
    name: str
    total_projects_count: int | None = None


class WireReferences(Struct):
    """Ways to write an issue's or merge request's number."""

    full: str | None = None


class WireIssue(Struct):
    """An issue."""

    iid: int
    id: int | None = None
    title: str | None = None
    description: str | None = None
    web_url: str | None = None
    state: str | None = None
    labels: list[str] | None = None
    author: WireUser | None = None
    assignees: list[WireUser] | None = None
    confidential: bool | None = None
    user_notes_count: int | None = None
    merge_requests_count: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
    references: WireReferences | None = None


class WirePosition(Struct):
    """Where in the changes a remark stands."""

    new_path: str | None = None
    old_path: str | None = None
    new_line: int | None = None
    old_line: int | None = None


class WireNote(Struct):
    """A comment; without an id where it held nothing but quick actions."""

    id: int | None = None
    body: str | None = None
    author: WireUser | None = None
    system: bool | None = None
    created_at: str | None = None
    resolvable: bool | None = None
    resolved: bool | None = None
    position: WirePosition | None = None
    summary: list[str] | str | None = None


class WireDiscussion(Struct):
    """A thread."""

    id: str
    notes: list[WireNote] | None = None


class WireMergeRequest(Struct):
    """A merge request."""

    iid: int
    id: int | None = None
    title: str | None = None
    description: str | None = None
    web_url: str | None = None
    state: str | None = None
    author: WireUser | None = None
    draft: bool | None = None
    work_in_progress: bool | None = None
    source_project_id: int | None = None
    source_branch: str | None = None
    target_branch: str | None = None
    sha: str | None = None
    has_conflicts: bool | None = None
    detailed_merge_status: str | None = None
    blocking_discussions_resolved: bool | None = True
    created_at: str | None = None
    updated_at: str | None = None
    merged_at: str | None = None
    references: WireReferences | None = None


class WirePipeline(Struct):
    """A pipeline."""

    id: int
    status: str | None = None
    project_id: int | None = None
    sha: str | None = None
    web_url: str | None = None


class WireJob(Struct):
    """A job."""

    id: int
    name: str | None = None
    stage: str | None = None
    status: str | None = None
    web_url: str | None = None
    failure_reason: str | None = None
    allow_failure: bool | None = None


class WireApprover(Struct):
    """One approval."""

    user: WireUser | None = None


class WireApprovals(Struct):
    """The approvals of a merge request; the number required is in paid editions only."""

    approved: bool | None = None
    approved_by: list[WireApprover] | None = None
    approvals_required: int | None = None


class WireReviewer(Struct):
    """A reviewer with where they stand."""

    user: WireUser | None = None
    state: str | None = None


class WireBranch(Struct):
    """A branch."""

    name: str
    commit: WireCommit | None = None
    protected: bool | None = None
    can_push: bool | None = None


class WireCommit(Struct):
    """A commit."""

    id: str | None = None
    committed_date: str | None = None
    created_at: str | None = None


class WireTreeEntry(Struct):
    """One entry of a folder."""

    path: str
    type: str | None = None
    id: str | None = None


class WireLabel(Struct):
    """A label."""

    name: str
    description: str | None = None
    open_issues_count: int | None = None


class WireMember(WireUser):
    """A member."""

    access_level: int | None = None
    membership_state: str | None = None


class WireContributor(Struct):
    """A committer by name and address, as git knows them."""

    name: str | None = None
    email: str | None = None
    commits: int | None = None


class WireGroup(Struct):
    """A group that a project could be made in."""

    id: int
    full_path: str
    project_creation_level: str | None = None


class WireComparison(Struct):
    """What one branch has that another has not."""

    commits: list[WireCommit] | None = None


class WireToken(Struct):
    """What a personal access token tells of itself."""

    name: str | None = None
    scopes: list[str] | None = None
    expires_at: str | None = None


class WireOAuthToken(Struct):
    """What an OAuth token tells of itself (`/oauth/token/info`)."""

    scope: list[str] | str | None = None
    expires_in: int | None = None


class WireVersion(Struct):
    """The server's version."""

    version: str
    enterprise: bool | None = None


class WireTemplate(Struct):
    """A description template."""

    key: str | None = None
    name: str | None = None
    content: str | None = None
