"""What GitHub's answers mean, as models. Pure.

Unknown words of an enumeration are kept where the model has words, else taken as the weakest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from isexplore.forge.answers import moment, picture_url
from isexplore.forge.github_wire import (
    WireAnnotation,
    WireBranch,
    WireComment,
    WireEntry,
    WireIssue,
    WireLabel,
    WireMembership,
    WireOrigin,
    WireParticipation,
    WirePermissions,
    WirePullRequest,
    WireRef,
    WireRepository,
    WireReview,
    WireUser,
)
from isexplore.models import (
    Branch,
    Comment,
    Discussion,
    FileEntry,
    ForkTarget,
    Issue,
    Label,
    Member,
    MergeRequest,
    MergeRequestState,
    Person,
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
_URL = 1_000
_SHA = 64


def number_text(number: int | None) -> str:
    """Return an id as text; empty for none."""
    # Python refuses to print numbers of thousands of digits.
    return str(number) if number is not None and abs(number) < 1 << 64 else ""


def parse_person(wire: WireUser | None) -> Person:
    """Return an account; an empty one where it was deleted."""
    if wire is None:
        return Person(username="")
    username = clean_line(wire.login or "", MAX_NAME)
    return Person(
        username=username,
        name=clean_line(wire.name or "", MAX_NAME),
        id=number_text(wire.id),
        url=clean_line(wire.html_url or "", _URL),
        email=clean_line(wire.email) if wire.email else None,
        bot=wire.type == "Bot" or username.endswith("[bot]"),
    )


def parse_role(permissions: WirePermissions | None, *, public: bool) -> Role:
    """Return the strongest role; that everybody may read a public repository is none."""
    if permissions is None:
        return Role.NONE
    for granted, role in (
        (permissions.admin, Role.OWNER),
        (permissions.maintain, Role.MAINTAINER),
        (permissions.push, Role.DEVELOPER),
        (permissions.triage, Role.REPORTER),
    ):
        if granted:
            return role
    return Role.GUEST if permissions.pull and not public else Role.NONE


def _visibility(wire: WireRepository) -> Visibility:
    """Return who sees a repository: an internal one is `private` as well."""
    if wire.visibility in ("public", "internal", "private"):
        return Visibility(wire.visibility)
    return Visibility.PUBLIC if wire.private is False else Visibility.PRIVATE


def _can_propose(policy: str | None, role: Role) -> bool | None:
    if policy == "collaborators_only":
        return role.can_push
    return True if policy == "all" else None


def _origin(wire: WireRepository) -> WireOrigin | None:
    return wire.parent if wire.fork else None


def parse_project(forge: str, wire: WireRepository) -> Project:
    """Return a project.

    `open_issues_count` counts pull requests too and is not taken; `size` lags, so that nothing tells
    an empty repository.
    """
    visibility = _visibility(wire)
    role = parse_role(wire.permissions, public=visibility is not Visibility.PRIVATE)
    path = clean_line(wire.full_name)
    origin = _origin(wire)
    pushed = moment(wire.pushed_at)
    return Project(
        forge=forge,
        id=number_text(wire.id),
        path=path,
        name=clean_line(wire.name or path.rpartition("/")[2], MAX_NAME),
        url=clean_line(wire.html_url or "", _URL),
        description=clean(wire.description or "", MAX_DESCRIPTION),
        visibility=visibility,
        topics=tuple(clean_line(topic, MAX_NAME) for topic in wire.topics or ()),
        language=clean_line(wire.language, 60) if wire.language else None,
        licence=_licence(wire),
        stars=wire.stargazers_count or 0,
        forks=wire.forks_count or 0,
        subscribers=wire.subscribers_count,
        created_at=moment(wire.created_at),
        last_activity=pushed or moment(wire.updated_at),
        archived=bool(wire.archived) or bool(wire.disabled),
        default_branch=clean_line(wire.default_branch or "", MAX_NAME),
        clone_url=clean_line(wire.clone_url or "", _URL),
        ssh_url=clean_line(wire.ssh_url or "", _URL),
        issues_enabled=wire.has_issues is not False,
        merge_requests_enabled=wire.has_pull_requests is not False,
        forking_enabled=wire.allow_forking,
        can_propose=_can_propose(wire.pull_request_creation_policy, role),
        role=role,
        forked_from=clean_line(origin.full_name) if origin is not None and origin.full_name else None,
        forked_from_id=number_text(origin.id) or None if origin is not None else None,
        owner=clean_line(path.rpartition("/")[0]),
        avatar_url=picture_url(
            wire.owner.avatar_url if wire.owner is not None else None, wire.html_url or ""
        ),
    )


def _licence(wire: WireRepository) -> str | None:
    if wire.license is None:
        return None
    word = wire.license.spdx_id
    if not word or word == "NOASSERTION":
        word = wire.license.name or wire.license.key
    return clean_line(word, MAX_NAME) if word else None


def is_fork_of(wire: WireRepository, project: Project) -> bool:
    """Whether a repository is a fork of `project`, or of its root: one network has one fork for each owner."""
    origins = [number_text(origin.id) for origin in (wire.parent, wire.source) if origin is not None]
    return bool(wire.fork) and project.id in origins


def parse_issue(forge: str, project: str, wire: WireIssue) -> Issue:
    """Return an issue; one that was moved to another repository names that one."""
    return Issue(
        forge=forge,
        project=_path_of(wire.repository_url) or project,
        number=wire.number,
        title=clean_line(wire.title or "", MAX_TITLE),
        url=clean_line(wire.html_url or "", _URL),
        id=number_text(wire.id),
        description=clean(wire.body or "", MAX_BODY),
        labels=label_names(wire),
        author=parse_person(wire.user).username,
        assignees=tuple(parse_person(person).username for person in wire.assignees or ()),
        open=wire.state != "closed",
        comments=wire.comments or 0,
        created_at=moment(wire.created_at),
        updated_at=moment(wire.updated_at),
    )


def _path_of(url: str | None) -> str:
    """Return the path of a repository, of its address in the API."""
    _, found, path = (url or "").rpartition("/repos/")
    return clean_line(path) if found and path.count("/") == 1 else ""


def label_names(wire: WireIssue) -> tuple[str, ...]:
    """Return the labels of an issue, which are objects or plain words."""
    names = [label if isinstance(label, str) else label.name or "" for label in wire.labels or ()]
    return tuple(clean_line(name, MAX_NAME) for name in names if name)


def parse_label(wire: WireLabel) -> Label:
    """Return a label."""
    return Label(
        name=clean_line(wire.name or "", MAX_NAME),
        description=clean_line(wire.description or ""),
    )


def parse_comment(wire: WireComment) -> Comment:
    """Return a comment."""
    author = parse_person(wire.user)
    return Comment(
        id=number_text(wire.id),
        author=author.username,
        body=clean(wire.body or "", MAX_BODY),
        bot=author.bot,
        created_at=moment(wire.created_at),
    )


def parse_remark(wire: WireComment) -> Discussion:
    """Return a comment on a pull request as a whole: a thread of its own that cannot be resolved."""
    return Discussion(id=number_text(wire.id), comments=(parse_comment(wire),))


def parse_summary(wire: WireReview) -> Discussion | None:
    """Return the words of a review; None if it has none, or is not sent yet."""
    if not (wire.body or "").strip() or wire.state == "PENDING":
        return None
    comment = WireComment(id=wire.id, user=wire.user, body=wire.body, created_at=wire.submitted_at)
    return parse_remark(comment)


def parse_threads(wires: Iterable[WireComment]) -> list[Discussion]:
    """Return the threads on lines, put together from their comments; whether they are resolved is unknown."""
    threads: dict[int, list[WireComment]] = {}
    for wire in wires:
        threads.setdefault(wire.in_reply_to_id or wire.id, []).append(wire)
    return [
        Discussion(
            id=number_text(first),
            comments=tuple(parse_comment(wire) for wire in comments),
            file=clean_line(comments[0].path, _URL) if comments[0].path else None,
            line=comments[0].line or comments[0].original_line,
        )
        for first, comments in threads.items()
    ]


def _state(wire: WirePullRequest) -> MergeRequestState:
    if wire.merged or wire.merged_at:
        return MergeRequestState.MERGED
    return MergeRequestState.CLOSED if wire.state == "closed" else MergeRequestState.OPEN


def _named(repository: WireOrigin | None) -> str | None:
    """Return a repository's id, or its path where only that is told (GraphQL)."""
    if repository is None:
        return None
    return number_text(repository.id) or clean_line(repository.full_name or "") or None


_BLOCKED = {"dirty": "conflict", "blocked": "blocked", "behind": "behind", "draft": "draft_status"}


def parse_merge_request(forge: str, target: str, wire: WirePullRequest) -> MergeRequest:
    """Return a pull request; `target` is its repository where the answer does not name it."""
    state = _state(wire)
    head, base = wire.head, wire.base
    source = head.repo if head is not None else None
    into = base.repo.full_name if base is not None and base.repo is not None else None
    is_open = state is MergeRequestState.OPEN
    return MergeRequest(
        forge=forge,
        project=clean_line(into or target),
        number=wire.number,
        title=clean_line(wire.title or "", MAX_TITLE),
        url=clean_line(wire.html_url or "", _URL),
        state=state,
        id=number_text(wire.id),
        description=clean(wire.body or "", MAX_BODY),
        author=parse_person(wire.user).username,
        draft=bool(wire.draft),
        source_project=_named(source),
        source_branch=clean_line((head.ref if head else None) or "", MAX_TITLE),
        target_branch=clean_line((base.ref if base else None) or "", MAX_TITLE),
        sha=clean_line(head.sha, _SHA) if head is not None and head.sha else None,
        conflicts=is_open and wire.mergeable_state == "dirty",
        blocked_by=_BLOCKED.get(wire.mergeable_state or "") if is_open else None,
        created_at=moment(wire.created_at),
        updated_at=moment(wire.updated_at),
        merged_at=moment(wire.merged_at),
    )


def parse_mention(forge: str, wire: WireIssue) -> MergeRequest | None:
    """Return the pull request that mentions an issue, as far as a mention tells; None if it is none."""
    if wire.pull_request is None:
        return None
    merged = moment(wire.pull_request.merged_at)
    state = MergeRequestState.CLOSED if wire.state == "closed" else MergeRequestState.OPEN
    return MergeRequest(
        forge=forge,
        project=clean_line((wire.repository.full_name if wire.repository else None) or ""),
        number=wire.number,
        title=clean_line(wire.title or "", MAX_TITLE),
        url=clean_line(wire.html_url or "", _URL),
        state=MergeRequestState.MERGED if merged is not None else state,
        id=number_text(wire.id),
        description=clean(wire.body or "", MAX_BODY),
        author=parse_person(wire.user).username,
        draft=bool(wire.draft),
        created_at=moment(wire.created_at),
        updated_at=moment(wire.updated_at),
        merged_at=merged,
    )


def parse_review(
    wires: Iterable[WireReview],
    *,
    author: str,
    decision: str | None,
    requested: Sequence[str],
) -> Review:
    """Return where the people stand: the latest verdict of each counts, and a comment is none.

    Args:
        wires: all reviews, oldest first.
        author: who wrote the pull request; their own remarks are no review.
        decision: what the branch's rules make of it (`APPROVED`, ...); None where there are no rules.
        requested: who has been asked.
    """
    verdicts: dict[str, str] = {}
    people: dict[str, None] = {}
    for wire in wires:
        name = parse_person(wire.user).username
        if not name or name == author or wire.state == "PENDING":
            continue
        people[name] = None
        if wire.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
            verdicts[name] = wire.state
    approved_by = tuple(name for name, word in verdicts.items() if word == "APPROVED")
    against = tuple(name for name, word in verdicts.items() if word == "CHANGES_REQUESTED")
    approved = decision == "APPROVED" if decision else not against
    return Review(
        approved=bool(approved_by) and approved,
        approved_by=approved_by,
        changes_requested_by=against,
        reviewers=tuple(dict.fromkeys((*people, *requested))),
    )


def parse_branch(wire: WireBranch) -> Branch:
    """Return a branch."""
    made = wire.commit.commit if wire.commit is not None else None
    return Branch(
        name=clean_line(wire.name),
        sha=clean_line((wire.commit.sha if wire.commit else None) or "", _SHA),
        protected=bool(wire.protected),
        committed_at=moment(made.committer.date) if made is not None and made.committer is not None else None,
    )


def parse_ref(wire: WireRef) -> Branch:
    """Return a branch of which no more than name and commit are told."""
    sha = wire.object.sha if wire.object is not None else None
    return Branch(name=clean_line(wire.ref.removeprefix("refs/heads/")), sha=clean_line(sha or "", _SHA))


def parse_entry(wire: WireEntry, folder: str = "") -> FileEntry:
    """Return an entry of a folder; `folder` is where its path begins."""
    path = "/".join(part for part in (folder, wire.path or "") if part)
    return FileEntry(
        path=clean_line(path, _URL),
        folder=wire.type in ("dir", "tree"),
        size=wire.size,
        id=clean_line(wire.sha or "", _SHA),
    )


def parse_collaborators(wires: Iterable[WireUser]) -> list[Member]:
    """Return people with a role, strongest first."""
    found = [
        Member(person=parse_person(wire), role=parse_role(wire.permissions, public=False)) for wire in wires
    ]
    strength = list(Role)
    return sorted(found, key=lambda member: -strength.index(member.role))


def parse_assignees(wires: Iterable[WireUser], owner: str) -> list[Member]:
    """Return who may be assigned to issues: all that outsiders see of the members; the owner first."""
    found = []
    for wire in wires:
        person = parse_person(wire)
        mine = person.username.lower() == owner.lower()
        found.append(Member(person=person, role=Role.OWNER if mine else Role.REPORTER))
    return sorted(found, key=lambda member: member.role is not Role.OWNER)


def parse_languages(sizes: dict[str, int]) -> dict[str, float]:
    """Return shares of 0 to 1, largest first, from bytes of each language."""
    positive = {name: size for name, size in sizes.items() if 0 < size < 1 << 60}
    whole = sum(positive.values())
    return {
        clean_line(name, 60): size / whole
        for name, size in sorted(positive.items(), key=lambda item: (-item[1], item[0]))
    }


def parse_participation(wire: WireParticipation) -> tuple[int, ...]:
    """Return commits for each of the last 52 weeks, oldest first; empty for anything else."""
    weeks = tuple(max(0, count) for count in wire.all or ())
    return weeks if len(weeks) == WEEKS else ()


def parse_token(scopes: str | None, expiry: str) -> TokenFacts:
    """Return what the headers of an answer tell of the token.

    Args:
        scopes: `X-OAuth-Scopes`; fine-grained tokens and apps leave it out or empty.
        expiry: `github-authentication-token-expiration`: "2026-12-31 08:00:00 UTC", or with an offset.
    """
    names = [clean_line(name, 60) for name in re.split(r"[,\s]+", scopes or "") if name]
    expires_on = None
    day = re.match(r"(\d{4})-(\d{2})-(\d{2})\b", expiry.strip())
    if day is not None:
        try:
            expires_on = date(int(day[1]), int(day[2]), int(day[3]))
        except ValueError:
            expires_on = None
    return TokenFacts(scopes=tuple(names) or None, expires_on=expires_on)


def parse_target(wire: WireMembership) -> ForkTarget:
    """Return an organization to fork into."""
    return ForkTarget(id=number_text(wire.organization.id), path=clean_line(wire.organization.login or ""))


def parse_annotations(wires: Iterable[WireAnnotation]) -> str:
    """Return what a check remarked, one line each, with failures alone if there are any."""
    remarks = list(wires)
    failures = [wire for wire in remarks if wire.annotation_level == "failure"]
    lines = []
    for wire in failures or remarks:
        place = wire.path or ""
        if place and wire.start_line is not None:
            place = f"{place}:{number_text(wire.start_line)}"
        words = (wire.message or wire.title or "").strip()
        lines.append(f"{place}: {words}" if place else words)
    return clean("\n".join(line for line in lines if line))


def topic_spellings(tag: str) -> tuple[str, ...]:
    """Return the topics that a tag may be: GitHub has lower case, digits and hyphens only."""
    words = [word for word in re.split(r"[^a-z0-9]+", tag.lower()) if word]
    return tuple(dict.fromkeys(("-".join(words), "".join(words)))) if words else ()


def parse_log(data: bytes, limit: int) -> str:
    """Return the end of a job's log without the time before each line, group marks and terminal colours."""
    text = data.decode("utf-8", "replace")
    text = re.sub(r"^\ufeff?\d{4}-\d{2}-\d{2}T[\d:.]+Z ?", "", text, flags=re.MULTILINE)
    text = re.sub(r"^##\[(?:group|endgroup|section)\].*\n?", "", text, flags=re.MULTILINE)
    text = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", text)
    return clean(text[-limit:])
