"""What GitLab's answers mean, as models. Pure.

Unknown words of an enumeration are kept where the model has words, else taken as the weakest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import takewhile
from urllib.parse import unquote

from isexplore.forge.answers import moment, picture_url
from isexplore.forge.gitlab_wire import (
    WireApprovals,
    WireBranch,
    WireCommit,
    WireContributor,
    WireDiscussion,
    WireGroup,
    WireIssue,
    WireJob,
    WireLabel,
    WireMember,
    WireMergeRequest,
    WireNote,
    WireOAuthToken,
    WirePermissions,
    WirePipeline,
    WireProject,
    WireReferences,
    WireReviewer,
    WireToken,
    WireTreeEntry,
    WireUser,
)
from isexplore.models import (
    Branch,
    Comment,
    Discussion,
    FileEntry,
    ForkState,
    ForkStatus,
    ForkTarget,
    Issue,
    Job,
    Label,
    Member,
    MergeRequest,
    MergeRequestState,
    Person,
    Pipeline,
    PipelineState,
    Project,
    Review,
    Role,
    TokenFacts,
    Visibility,
)
from isexplore.text import MAX_DESCRIPTION, MAX_NAME, MAX_TITLE, clean, clean_line

MAX_BODY = 100_000
"""Characters kept of an issue's description or of a comment."""
WEEKS = 52
_SEARCHABLE = 4
"""Letters of a word that are worth searching topics for; GitLab finds nothing by less than three."""
_BOT = re.compile(r"(project|group)_\d+_bot")


def parse_person(wire: WireUser | None) -> Person:
    """Return an account; an empty one where GitLab hides who it was."""
    if wire is None:
        return Person(username="")
    username = clean_line(wire.username or "", MAX_NAME)
    return Person(
        username=username,
        name=clean_line(wire.name or "", MAX_NAME),
        id="" if wire.id is None else str(wire.id),
        url=clean_line(wire.web_url or ""),
        email=clean_line(wire.email) if wire.email else None,
        bot=bool(wire.bot) or _BOT.match(username) is not None,
        external=bool(wire.external),
    )


def parse_role(level: int | None) -> Role:
    """Return the role of an access level; Planner (15) counts as Guest."""
    for least, role in (
        (50, Role.OWNER),
        (40, Role.MAINTAINER),
        (30, Role.DEVELOPER),
        (20, Role.REPORTER),
        (10, Role.GUEST),
    ):
        if (level or 0) >= least:
            return role
    return Role.NONE


def _project_role(permissions: WirePermissions | None) -> Role:
    if permissions is None:
        return Role.NONE
    levels = [
        access.access_level or 0
        for access in (permissions.project_access, permissions.group_access)
        if access is not None
    ]
    return parse_role(max(levels, default=0))


def _enabled(switch: bool | None, level: str | None) -> bool:
    """Whether a feature is on; the anonymous and short forms of a project tell nothing."""
    if level is not None:
        return level != "disabled"
    return switch is not False


def _visibility(word: str | None) -> Visibility:
    return Visibility(word) if word in ("public", "internal", "private") else Visibility.PRIVATE


def readme_path(readme_url: str | None, default_branch: str) -> str | None:
    """Return the path of the README that its web address names."""
    if not readme_url or not default_branch:
        return None
    for mark in ("/-/blob/", "/blob/"):
        _, found, rest = readme_url.partition(mark)
        if found:
            path = unquote(rest)
            if path.startswith(default_branch + "/"):
                return clean_line(path.removeprefix(default_branch + "/"), 1_000) or None
    return None


def parse_project(forge: str, wire: WireProject) -> Project:
    """Return a project."""
    role = _project_role(wire.permissions)
    forking = {"enabled": True, "disabled": False, "private": role is not Role.NONE}
    origin = wire.forked_from_project
    branch = clean_line(wire.default_branch or "", MAX_NAME)
    path = clean_line(wire.path_with_namespace)
    held_by = wire.namespace.full_path if wire.namespace is not None else None
    licence = wire.license.name or wire.license.key if wire.license is not None else None
    return Project(
        forge=forge,
        id=str(wire.id),
        path=path,
        name=clean_line(wire.name or path.rpartition("/")[2], MAX_NAME),
        url=clean_line(wire.web_url or "", 1_000),
        description=clean(wire.description or "", MAX_DESCRIPTION),
        visibility=_visibility(wire.visibility),
        topics=tuple(clean_line(topic, MAX_NAME) for topic in wire.topics or wire.tag_list or ()),
        licence=clean_line(licence, MAX_NAME) if licence else None,
        stars=wire.star_count or 0,
        forks=wire.forks_count or 0,
        open_issues=wire.open_issues_count,
        created_at=moment(wire.created_at),
        last_activity=moment(wire.last_activity_at),
        archived=bool(wire.archived),
        empty=bool(wire.empty_repo),
        default_branch=branch,
        clone_url=clean_line(wire.http_url_to_repo or "", 1_000),
        ssh_url=clean_line(wire.ssh_url_to_repo or "", 1_000),
        readme_path=readme_path(wire.readme_url, branch),
        issues_enabled=_enabled(wire.issues_enabled, wire.issues_access_level),
        merge_requests_enabled=_enabled(wire.merge_requests_enabled, wire.merge_requests_access_level),
        forking_enabled=forking.get(wire.forking_access_level or ""),
        can_propose=wire.can_create_merge_request_in,
        role=role,
        forked_from=clean_line(origin.path_with_namespace)
        if origin is not None and origin.path_with_namespace
        else None,
        forked_from_id=str(origin.id) if origin is not None and origin.id is not None else None,
        owner=clean_line(held_by or path.rpartition("/")[0]),
        avatar_url=_avatar(wire),
    )


def _avatar(wire: WireProject) -> str:
    """Return the picture of a project, or else of what holds it."""
    told = wire.avatar_url or (wire.namespace.avatar_url if wire.namespace is not None else None)
    return picture_url(told, wire.web_url or "")


def parse_fork_status(wire: WireProject, *, upstream_empty: bool) -> ForkStatus:
    """Return how far a fork is: GitLab says "finished" a moment before the branches are there."""
    status = wire.import_status or "none"
    if status == "failed":
        detail = clean_line(wire.import_error or "") or "GitLab could not copy the repository."
        return ForkStatus(state=ForkState.FAILED, detail=detail)
    if status in ("none", "finished") and (upstream_empty or not wire.empty_repo):
        return ForkStatus(state=ForkState.READY)
    return ForkStatus(state=ForkState.IMPORTING, detail=clean_line(status, 60))


def parse_issue(forge: str, project: str, wire: WireIssue) -> Issue:
    """Return an issue."""
    return Issue(
        forge=forge,
        project=_reference_path(wire.references, "#") or project,
        number=wire.iid,
        title=clean_line(wire.title or "", MAX_TITLE),
        url=clean_line(wire.web_url or "", 1_000),
        id="" if wire.id is None else str(wire.id),
        description=clean(wire.description or "", MAX_BODY),
        labels=tuple(clean_line(label, MAX_NAME) for label in wire.labels or ()),
        author=parse_person(wire.author).username,
        assignees=tuple(parse_person(person).username for person in wire.assignees or ()),
        open=wire.state != "closed",
        confidential=bool(wire.confidential),
        comments=wire.user_notes_count or 0,
        merge_requests=wire.merge_requests_count,
        created_at=moment(wire.created_at),
        updated_at=moment(wire.updated_at),
    )


def _reference_path(references: WireReferences | None, mark: str) -> str:
    if references is None or not references.full:
        return ""
    return clean_line(references.full.rpartition(mark)[0])


def parse_comment(wire: WireNote) -> Comment:
    """Return a comment; one of only quick actions has no id, and GitLab's summary as its body."""
    body = wire.body or ""
    if wire.id is None and wire.summary:
        body = wire.summary if isinstance(wire.summary, str) else "\n".join(wire.summary)
    author = parse_person(wire.author)
    return Comment(
        id="" if wire.id is None else str(wire.id),
        author=author.username,
        body=clean(body, MAX_BODY),
        system=bool(wire.system) or wire.id is None,
        bot=author.bot,
        created_at=moment(wire.created_at),
    )


def parse_discussion(wire: WireDiscussion) -> Discussion | None:
    """Return a thread without GitLab's own remarks; None if nothing else is in it."""
    notes = [note for note in wire.notes or () if not note.system]
    if not notes:
        return None
    resolvable = [note for note in notes if note.resolvable]
    position = next((note.position for note in notes if note.position is not None), None)
    path = position.new_path or position.old_path if position is not None else None
    return Discussion(
        id=clean_line(wire.id, MAX_NAME),
        comments=tuple(parse_comment(note) for note in notes),
        resolvable=bool(resolvable),
        resolved=bool(resolvable) and all(note.resolved for note in resolvable),
        file=clean_line(path, 1_000) if path else None,
        line=(position.new_line or position.old_line) if position is not None else None,
    )


_STATES = {
    "opened": MergeRequestState.OPEN,
    # Locked means that the merge is under way.
    "locked": MergeRequestState.OPEN,
    "merged": MergeRequestState.MERGED,
    "closed": MergeRequestState.CLOSED,
}
_NOT_KNOWN_YET = frozenset(("mergeable", "unchecked", "checking", "preparing", "approvals_syncing"))
_DRAFT_TITLE = re.compile(r"\s*(draft:|\[draft\]|\(draft\)|wip:|\[wip\])", re.IGNORECASE)


def is_draft_title(title: str) -> bool:
    """Whether a title makes a merge request a draft."""
    return _DRAFT_TITLE.match(title) is not None


def _blocked_by(wire: WireMergeRequest, *, draft: bool) -> str | None:
    status = wire.detailed_merge_status
    if status is not None:
        return None if status in _NOT_KNOWN_YET else clean_line(status, 60)
    if wire.has_conflicts:
        return "conflict"
    if draft:
        return "draft_status"
    return "discussions_not_resolved" if wire.blocking_discussions_resolved is False else None


def parse_merge_request(forge: str, target: str, wire: WireMergeRequest) -> MergeRequest:
    """Return a merge request; `target` is its project where the answer does not name it."""
    state = _STATES.get(wire.state or "", MergeRequestState.OPEN)
    draft = bool(wire.draft if wire.draft is not None else wire.work_in_progress)
    return MergeRequest(
        forge=forge,
        project=_reference_path(wire.references, "!") or target,
        number=wire.iid,
        title=clean_line(wire.title or "", MAX_TITLE),
        url=clean_line(wire.web_url or "", 1_000),
        state=state,
        id="" if wire.id is None else str(wire.id),
        description=clean(wire.description or "", MAX_BODY),
        author=parse_person(wire.author).username,
        draft=draft,
        source_project=None if wire.source_project_id is None else str(wire.source_project_id),
        source_branch=clean_line(wire.source_branch or "", MAX_TITLE),
        target_branch=clean_line(wire.target_branch or "", MAX_TITLE),
        sha=clean_line(wire.sha, 64) if wire.sha else None,
        conflicts=bool(wire.has_conflicts) or wire.detailed_merge_status == "conflict",
        blocked_by=_blocked_by(wire, draft=draft) if state is MergeRequestState.OPEN else None,
        created_at=moment(wire.created_at),
        updated_at=moment(wire.updated_at),
        merged_at=moment(wire.merged_at),
    )


_PIPELINE_STATES = {
    "running": PipelineState.RUNNING,
    "canceling": PipelineState.RUNNING,
    "success": PipelineState.PASSED,
    "failed": PipelineState.FAILED,
    "canceled": PipelineState.CANCELLED,
    "skipped": PipelineState.SKIPPED,
    "manual": PipelineState.WAITING,
}


def parse_pipeline_state(word: str | None) -> PipelineState:
    """Return a pipeline's or job's state; what has not begun, and what is unknown, is pending."""
    return _PIPELINE_STATES.get(word or "", PipelineState.PENDING)


def parse_job(wire: WireJob) -> Job:
    """Return a job."""
    detail = clean_line(wire.failure_reason or "", MAX_TITLE).replace("_", " ")
    if wire.allow_failure:
        detail = f"{detail} (allowed to fail)".strip()
    return Job(
        name=clean_line(wire.name or "", MAX_NAME),
        state=parse_pipeline_state(wire.status),
        id=str(wire.id),
        url=clean_line(wire.web_url or "", 1_000),
        detail=detail,
    )


def parse_pipeline(wire: WirePipeline, jobs: Iterable[WireJob], project_id: str) -> Pipeline:
    """Return a pipeline with its failed jobs; `project_id` is where it ran if it does not say."""
    return Pipeline(
        id=str(wire.id),
        state=parse_pipeline_state(wire.status),
        url=clean_line(wire.web_url or "", 1_000),
        sha=clean_line(wire.sha or "", 64),
        project_id=project_id if wire.project_id is None else str(wire.project_id),
        jobs=tuple(parse_job(job) for job in jobs),
    )


def parse_review(approvals: WireApprovals, reviewers: Iterable[WireReviewer]) -> Review:
    """Return where the people stand.

    Editions that require no approval answer `approved: true` with nobody in `approved_by`; that is
    not taken for an approval.
    """
    by = [parse_person(item.user).username for item in approvals.approved_by or ()]
    known = [(parse_person(item.user).username, item.state) for item in reviewers]
    by += [name for name, state in known if state == "approved" and name not in by]
    return Review(
        approved=bool(by) and approvals.approved is not False,
        approved_by=tuple(by),
        approvals_required=approvals.approvals_required,
        changes_requested_by=tuple(name for name, state in known if state == "requested_changes"),
        reviewers=tuple(name for name, _ in known),
    )


def parse_branch(wire: WireBranch) -> Branch:
    """Return a branch."""
    return Branch(
        name=clean_line(wire.name),
        sha=clean_line(wire.commit.id or "", 64) if wire.commit is not None else "",
        protected=bool(wire.protected),
        can_push=wire.can_push,
        committed_at=moment(wire.commit.committed_date) if wire.commit is not None else None,
    )


def parse_entry(wire: WireTreeEntry) -> FileEntry:
    """Return an entry of a folder."""
    return FileEntry(
        path=clean_line(wire.path, 1_000), folder=wire.type == "tree", id=clean_line(wire.id or "", 64)
    )


def parse_label(wire: WireLabel) -> Label:
    """Return a label."""
    return Label(
        name=clean_line(wire.name, MAX_NAME),
        description=clean_line(wire.description or ""),
        open_issues=wire.open_issues_count,
    )


def parse_members(wires: Iterable[WireMember]) -> list[Member]:
    """Return the active members, strongest role first."""
    active = [
        wire for wire in wires if wire.state in (None, "active") and wire.membership_state in (None, "active")
    ]
    active.sort(key=lambda wire: -(wire.access_level or 0))
    return [Member(person=parse_person(wire), role=parse_role(wire.access_level)) for wire in active]


def parse_contributor(wire: WireContributor) -> Person:
    """Return a committer; git knows no user names."""
    return Person(
        username="",
        name=clean_line(wire.name or "", MAX_NAME),
        email=clean_line(wire.email) if wire.email else None,
    )


def parse_languages(shares: dict[str, float]) -> dict[str, float]:
    """Return shares of 0 to 1, largest first, from GitLab's percentages."""
    return {
        clean_line(name, 60): share / 100
        for name, share in sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    }


def parse_weeks(commits: Iterable[WireCommit], now: datetime) -> tuple[int, ...]:
    """Return commits for each of the last 52 weeks, oldest first."""
    weeks = [0] * WEEKS
    for commit in commits:
        made = moment(commit.committed_date or commit.created_at)
        if made is None:
            continue
        back = max(timedelta(0), now - made) // timedelta(weeks=1)
        if back < WEEKS:
            weeks[WEEKS - 1 - back] += 1
    return tuple(weeks)


def parse_token(wire: WireToken) -> TokenFacts:
    """Return what a personal access token tells."""
    expires = moment(wire.expires_at)
    return TokenFacts(
        name=clean_line(wire.name, MAX_NAME) if wire.name else None,
        scopes=None if wire.scopes is None else tuple(clean_line(scope, 60) for scope in wire.scopes),
        expires_on=expires.date() if expires is not None else None,
    )


def parse_oauth_token(wire: WireOAuthToken, now: datetime) -> TokenFacts:
    """Return what an OAuth token tells."""
    scopes = wire.scope.split() if isinstance(wire.scope, str) else wire.scope
    seconds = wire.expires_in
    return TokenFacts(
        name="OAuth",
        scopes=None if scopes is None else tuple(clean_line(scope, 60) for scope in scopes),
        expires_on=(now + timedelta(seconds=seconds)).date()
        if seconds is not None and 0 <= seconds < 10**9
        else None,
    )


def parse_target(wire: WireGroup) -> ForkTarget:
    """Return a group to fork into."""
    return ForkTarget(id=str(wire.id), path=clean_line(wire.full_path))


def topic_key(name: str) -> str:
    """Return what all spellings of a topic have in common: `Inner-Source`, `inner source`, ..."""
    return re.sub(r"[\s_.-]+", "", name).casefold()


def topic_searches(tags: Iterable[str]) -> dict[str, list[str]]:
    """Return words to search topics for, each with the tags that its answer covers.

    GitLab finds topics that contain a word, so spellings of one tag share a question: "inner" finds
    `InnerSource` and `inner-source`.
    """
    covered: dict[str, list[str]] = {}
    for tag in dict.fromkeys(tags):
        for word, others in covered.items():
            shared = _shared_word(word, tag)
            if shared:
                covered[shared] = [*covered.pop(word), tag] if shared != word else [*others, tag]
                break
        else:
            covered[tag] = [tag]
    return covered


def _shared_word(one: str, other: str) -> str:
    """Return how two spellings of a tag both begin, or the one that is part of the other; else nothing."""
    one, other = one.casefold(), other.casefold()
    if topic_key(one) == topic_key(other):
        same = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
        shared = "".join(letter for letter, _ in same).strip()
    else:
        shared = next((word for word in (one, other) if word in one and word in other), "")
    return shared if len(shared) >= _SEARCHABLE else ""


def parse_log(data: bytes, limit: int) -> str:
    """Return the end of a job's log without GitLab's section marks and the colours of a terminal."""
    text = data.decode("utf-8", "replace")
    text = re.sub(r"(?:\x1b\[0K)?section_(?:start|end):\d+:[^\r\n]*\r?(?:\x1b\[0K)?", "", text)
    text = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", text)
    # A carriage return overwrites the line, as a progress bar does.
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]
    return clean("\n".join(lines)[-limit:])
