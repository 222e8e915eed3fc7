"""GitHub's answers (REST, version 2022-11-28) as they come over the wire: the fields that are read.

A field that GitHub leaves out or sends as null takes its default; times stay text, so that one odd
date does not cost a whole page. Fields that hold short-lived secrets (`temp_clone_token`,
`download_url`) are not among them.
"""

from __future__ import annotations

from msgspec import Struct, field


class WireUser(Struct):
    """An account, wherever one is embedded."""

    login: str | None = None
    id: int | None = None
    name: str | None = None
    email: str | None = None
    html_url: str | None = None
    avatar_url: str | None = None
    type: str | None = None
    contributions: int | None = None
    permissions: WirePermissions | None = None
    role_name: str | None = None


class WirePermissions(Struct):
    """What an account may do in a repository."""

    admin: bool | None = None
    maintain: bool | None = None
    push: bool | None = None
    triage: bool | None = None
    pull: bool | None = None


class WireLicence(Struct):
    """What GitHub takes a LICENSE file for."""

    key: str | None = None
    name: str | None = None
    spdx_id: str | None = None


class WireOrigin(Struct):
    """What a fork was made from: `parent` directly, `source` at the root of its network."""

    id: int | None = None
    full_name: str | None = None


class WireRepository(Struct):
    """A repository, from a search, a list or by itself."""

    id: int
    full_name: str
    name: str | None = None
    owner: WireUser | None = None
    html_url: str | None = None
    description: str | None = None
    private: bool | None = None
    visibility: str | None = None
    topics: list[str] | None = None
    language: str | None = None
    license: WireLicence | None = None
    stargazers_count: int | None = None
    forks_count: int | None = None
    subscribers_count: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
    pushed_at: str | None = None
    archived: bool | None = None
    disabled: bool | None = None
    default_branch: str | None = None
    clone_url: str | None = None
    ssh_url: str | None = None
    has_issues: bool | None = None
    has_pull_requests: bool | None = None
    pull_request_creation_policy: str | None = None
    allow_forking: bool | None = None
    permissions: WirePermissions | None = None
    fork: bool | None = None
    parent: WireOrigin | None = None
    source: WireOrigin | None = None


class WireRepositories(Struct):
    """One page of a search for repositories."""

    total_count: int = 0
    incomplete_results: bool | None = None
    items: list[WireRepository] | None = None


class WireMeta(Struct):
    """What the server says of itself; the version is there on a server of one's own only."""

    installed_version: str | None = None


class WireEntry(Struct):
    """An entry of a folder, as the contents API lists it."""

    path: str | None = None
    type: str | None = None
    size: int | None = None
    sha: str | None = None


class WireTree(Struct):
    """A folder as git holds it; the paths are relative to it."""

    tree: list[WireEntry] | None = None
    truncated: bool | None = None


class WireLabel(Struct):
    """A label of a repository."""

    name: str | None = None
    description: str | None = None


class WirePull(Struct):
    """That an issue is really a pull request."""

    merged_at: str | None = None


class WireIssue(Struct):
    """An issue, or a pull request in the disguise of one."""

    number: int
    id: int | None = None
    title: str | None = None
    body: str | None = None
    html_url: str | None = None
    user: WireUser | None = None
    labels: list[WireLabel | str] | None = None
    assignees: list[WireUser] | None = None
    state: str | None = None
    draft: bool | None = None
    comments: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
    closed_at: str | None = None
    pull_request: WirePull | None = None
    repository: WireOrigin | None = None
    repository_url: str | None = None


class WireSource(Struct):
    """Where somebody mentioned an issue."""

    issue: WireIssue | None = None


class WireEvent(Struct):
    """Something that happened to an issue."""

    event: str | None = None
    source: WireSource | None = None


class WireComment(Struct):
    """A comment on an issue or pull request, or on a line of its diff."""

    id: int
    user: WireUser | None = None
    body: str | None = None
    created_at: str | None = None
    in_reply_to_id: int | None = None
    path: str | None = None
    line: int | None = None
    original_line: int | None = None


class WireEnd(Struct):
    """One end of a pull request."""

    ref: str | None = None
    sha: str | None = None
    user: WireUser | None = None
    repo: WireOrigin | None = None


class WirePullRequest(Struct):
    """A pull request; `mergeable` and its state are told of a single one only."""

    number: int
    id: int | None = None
    node_id: str | None = None
    title: str | None = None
    body: str | None = None
    html_url: str | None = None
    state: str | None = None
    user: WireUser | None = None
    draft: bool | None = None
    merged: bool | None = None
    mergeable: bool | None = None
    mergeable_state: str | None = None
    head: WireEnd | None = None
    base: WireEnd | None = None
    requested_reviewers: list[WireUser] | None = None
    created_at: str | None = None
    updated_at: str | None = None
    merged_at: str | None = None


class WireReview(Struct):
    """What somebody thinks of a pull request."""

    id: int
    user: WireUser | None = None
    state: str | None = None
    body: str | None = None
    submitted_at: str | None = None


class WireSignature(Struct):
    """Who git says made a commit, and when."""

    date: str | None = None


class WireGitCommit(Struct):
    """What git itself knows of a commit."""

    committer: WireSignature | None = None


class WireCommit(Struct):
    """A commit, by its hash."""

    sha: str | None = None
    commit: WireGitCommit | None = None


class WireBranch(Struct):
    """A branch."""

    name: str
    commit: WireCommit | None = None
    protected: bool | None = None


class WireObject(Struct):
    """What a name in git stands for."""

    sha: str | None = None


class WireRef(Struct):
    """A name in git, from its beginning: `refs/heads/main`."""

    ref: str
    object: WireObject | None = None


class WireComparison(Struct):
    """How far two branches are from one another."""

    ahead_by: int | None = None
    behind_by: int | None = None


class WireStatus(Struct):
    """One commit status: the older of the two systems."""

    context: str | None = None
    state: str | None = None
    description: str | None = None
    target_url: str | None = None


class WireCombinedStatus(Struct):
    """All commit statuses, the latest of each context."""

    state: str | None = None
    total_count: int | None = None
    statuses: list[WireStatus] | None = None


class WireOutput(Struct):
    """What a check says about itself."""

    title: str | None = None
    summary: str | None = None


class WireCheckRun(Struct):
    """One check: the newer of the two systems. Of GitHub Actions, the id is also the job's."""

    id: int
    name: str | None = None
    status: str | None = None
    conclusion: str | None = None
    html_url: str | None = None
    details_url: str | None = None
    output: WireOutput | None = None


class WireCheckRuns(Struct):
    """One page of checks."""

    total_count: int = 0
    check_runs: list[WireCheckRun] | None = None


class WireWorkflowRun(Struct):
    """One run of a workflow; of those that wait for approval there are no checks yet."""

    id: int
    name: str | None = None
    status: str | None = None
    conclusion: str | None = None
    html_url: str | None = None
    head_sha: str | None = None


class WireWorkflowRuns(Struct):
    """One page of workflow runs."""

    total_count: int = 0
    workflow_runs: list[WireWorkflowRun] | None = None


class WireAnnotation(Struct):
    """A remark of a check on a line."""

    path: str | None = None
    start_line: int | None = None
    annotation_level: str | None = None
    title: str | None = None
    message: str | None = None


class WireParticipation(Struct):
    """Commits of each of the last 52 weeks, oldest first."""

    all: list[int] | None = None


class WireOrganization(Struct):
    """An organization."""

    login: str | None = None
    id: int | None = None
    members_can_create_repositories: bool | None = None


class WireMembership(Struct):
    """This account's place in an organization."""

    state: str | None = None
    role: str | None = None
    organization: WireOrganization = field(default_factory=WireOrganization)


class WireMerged(Struct):
    """What bringing a fork up to date did."""

    message: str | None = None
    merge_type: str | None = None
