"""What Gitea's and Forgejo's answers mean, as models. Pure.

Both make addresses from the ROOT_URL in their settings, which is often not where they were asked:
`here` turns such an address into one below the configured web address.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import UNSET, Struct

from isexplore.forge.answers import moment, picture_url
from isexplore.forge.gitea_wire import (
    WireBranch,
    WireComment,
    WireCommit,
    WireEntry,
    WireIssue,
    WireLabel,
    WireProject,
    WirePull,
    WireReview,
    WireReviewComment,
    WireStatus,
    WireStatuses,
    WireUser,
)
from isexplore.models import (
    Branch,
    Comment,
    Discussion,
    FileEntry,
    Issue,
    Job,
    Label,
    MergeRequest,
    MergeRequestState,
    Person,
    Pipeline,
    PipelineState,
    Project,
    Review,
    Role,
    Visibility,
)
from isexplore.text import MAX_DESCRIPTION, MAX_NAME, MAX_TITLE, clean, clean_line

MAX_BODY = 100_000
"""Characters kept of an issue's description or of a comment."""
WEEKS = 52
CHECKING = timedelta(minutes=2)
"""How long after a change "not mergeable" may still mean "not looked at yet"."""
DRAFT_PREFIX = "WIP: "
_DRAFT_TITLE = re.compile(r"\s*(wip:|\[wip\])", re.IGNORECASE)
_TOPIC = re.compile(r"[a-z0-9][-.a-z0-9]{0,34}")
_BOTS = frozenset(("gitea-actions", "forgejo-actions", "actions-user"))


class Place(Struct, frozen=True):
    """The forge that an answer came from."""

    forge: str
    """Its name in the configuration."""
    url: str
    """Its web address, without a trailing slash."""


def here(place: Place, url: str | None, tail: str) -> str:
    """Return a web address below the configured one.

    Args:
        place: the forge.
        url: as the server made it.
        tail: what the address ends with on any server, with its leading slash; an address that ends
            otherwise belongs to another site (an external issue tracker) and stays as it is.
    """
    url = clean_line(url or "", 1_000)
    if url.startswith(place.url + "/"):
        return url
    return place.url + tail if not url or url.lower().endswith(tail.lower()) else url


def parse_person(wire: WireUser | None, place: Place | None = None) -> Person:
    """Return an account; an empty one where the server hides who it was.

    Args:
        wire: the server's words.
        place: the forge, where the address of the account's page is wanted.
    """
    if wire is None:
        return Person(username="")
    username = clean_line(wire.login or wire.username or "", MAX_NAME)
    return Person(
        username=username,
        name=clean_line(wire.full_name or "", MAX_NAME),
        id="" if wire.id is None else str(wire.id),
        url=here(place, wire.html_url, f"/{username}") if place is not None and username else "",
        email=clean_line(wire.email) if wire.email else None,
        bot=username.lower() in _BOTS or username.endswith("[bot]"),
        external=bool(wire.restricted),
    )


def _author(user: WireUser | None, original: str | None) -> str:
    """Return who wrote something; the author elsewhere of what was imported."""
    return clean_line(original, MAX_NAME) if original else parse_person(user).username


def topic_name(tag: str) -> str | None:
    """Return a tag as the topic it can be here; None if no topic is spelled like that."""
    name = tag.strip().lower()
    return name if _TOPIC.fullmatch(name) else None


def _visibility(wire: WireProject) -> Visibility:
    """Return who sees a repository: an owner may be hidden from strangers, or from everybody else."""
    if wire.private:
        return Visibility.PRIVATE
    owner = wire.owner.visibility if wire.owner is not None else None
    return Visibility.INTERNAL if wire.internal or owner in ("limited", "private") else Visibility.PUBLIC


def parse_project(place: Place, wire: WireProject, *, topics: Iterable[str] = ()) -> Project:
    """Return a repository.

    Args:
        place: the forge.
        wire: its answer.
        topics: known from elsewhere; old servers do not tell.
    """
    path = clean_line(wire.full_name)
    told = wire.topics if wire.topics is not UNSET and wire.topics else topics
    role = Role.NONE
    if wire.permissions is not None:
        # Everybody who can see a repository may "pull".
        role = Role.MAINTAINER if wire.permissions.admin else role
        role = Role.DEVELOPER if wire.permissions.push and role is Role.NONE else role
    origin = wire.parent
    language = clean_line(wire.language or "", 60)
    return Project(
        forge=place.forge,
        id=str(wire.id),
        path=path,
        name=clean_line(wire.name or path.rpartition("/")[2], MAX_NAME),
        url=here(place, wire.html_url, f"/{path}"),
        description=clean(wire.description or "", MAX_DESCRIPTION),
        visibility=_visibility(wire),
        topics=tuple(clean_line(topic, MAX_NAME) for topic in told),
        language=language or None,
        licence=", ".join(clean_line(name, 60) for name in wire.licenses or ()) or None,
        stars=wire.stars_count or 0,
        forks=wire.forks_count or 0,
        open_issues=wire.open_issues_count,
        subscribers=wire.watchers_count,
        created_at=moment(wire.created_at),
        last_activity=moment(wire.updated_at),
        archived=bool(wire.archived),
        empty=bool(wire.empty),
        default_branch=clean_line(wire.default_branch or "", MAX_NAME),
        # Without an address git over HTTP is off; the one that is given may name another host.
        clone_url=here(place, wire.clone_url, f"/{path}.git") if wire.clone_url else "",
        ssh_url=clean_line(wire.ssh_url or "", 1_000),
        issues_enabled=wire.has_issues is not False,
        merge_requests_enabled=wire.has_pull_requests is not False,
        role=role,
        forked_from=clean_line(origin.full_name) if origin is not None and origin.full_name else None,
        forked_from_id=str(origin.id) if origin is not None and origin.id is not None else None,
        owner=path.rpartition("/")[0],
        avatar_url=picture_url(wire.avatar_url or (wire.owner.avatar_url if wire.owner else None), place.url),
    )


def mentions(project: Project, text: str) -> bool:
    """Whether a text is in a project's name, path or description."""
    wanted = text.casefold()
    return any(wanted in words.casefold() for words in (project.name, project.path, project.description))


def parse_entry(wire: WireEntry) -> FileEntry:
    """Return an entry of a folder."""
    folder = wire.type == "dir"
    return FileEntry(
        path=clean_line(wire.path, 1_000),
        folder=folder,
        size=None if folder else wire.size,
        id=clean_line(wire.sha or "", 64),
    )


def parse_label(wire: WireLabel) -> Label:
    """Return a label."""
    return Label(name=clean_line(wire.name, MAX_NAME), description=clean_line(wire.description or ""))


def parse_issue(place: Place, project: str, wire: WireIssue) -> Issue:
    """Return an issue."""
    people = wire.assignees or ([wire.assignee] if wire.assignee is not None else [])
    return Issue(
        forge=place.forge,
        project=project,
        number=wire.number,
        title=clean_line(wire.title or "", MAX_TITLE),
        url=here(place, wire.html_url, f"/{project}/issues/{wire.number}"),
        id="" if wire.id is None else str(wire.id),
        description=clean(wire.body or "", MAX_BODY),
        labels=tuple(clean_line(label.name, MAX_NAME) for label in wire.labels or ()),
        author=_author(wire.user, wire.original_author),
        assignees=tuple(parse_person(person).username for person in people),
        open=wire.state != "closed",
        comments=wire.comments or 0,
        created_at=moment(wire.created_at),
        updated_at=moment(wire.updated_at),
    )


def parse_issue_pull(place: Place, project: str, wire: WireIssue) -> MergeRequest:
    """Return a pull request that came in the form of an issue, which does not tell its branches."""
    where = wire.repository.full_name if wire.repository is not None else None
    path = clean_line(where) if where else project
    pull = wire.pull_request
    merged = pull is not None and bool(pull.merged)
    title = clean_line(wire.title or "", MAX_TITLE)
    return MergeRequest(
        forge=place.forge,
        project=path,
        number=wire.number,
        title=title,
        url=here(
            place, (pull.html_url if pull is not None else None) or None, f"/{path}/pulls/{wire.number}"
        ),
        state=_state(wire.state, merged=merged),
        id="" if wire.id is None else str(wire.id),
        description=clean(wire.body or "", MAX_BODY),
        author=_author(wire.user, wire.original_author),
        draft=bool(pull.draft) if pull is not None and pull.draft is not None else is_draft_title(title),
        created_at=moment(wire.created_at),
        updated_at=moment(wire.updated_at),
        merged_at=moment(pull.merged_at) if pull is not None and merged else None,
    )


def parse_comment(wire: WireComment) -> Comment:
    """Return a comment."""
    return Comment(
        id=str(wire.id),
        author=_author(wire.user, wire.original_author),
        body=clean(wire.body or "", MAX_BODY),
        bot=parse_person(wire.user).bot,
        created_at=moment(wire.created_at),
    )


# Pull requests


def is_draft_title(title: str) -> bool:
    """Whether a title makes a pull request a draft, as servers are set up by default."""
    return _DRAFT_TITLE.match(title) is not None


def _state(word: str | None, *, merged: bool) -> MergeRequestState:
    if merged:
        return MergeRequestState.MERGED
    return MergeRequestState.CLOSED if word == "closed" else MergeRequestState.OPEN


def source_branch(wire: WirePull) -> str:
    """Return the branch that a pull request comes from.

    `ref` becomes `refs/pull/N/head` once the branch is deleted; `label` keeps its name, and has the
    owner before it on some servers.
    """
    head = wire.head
    if head is None:
        return ""
    if head.ref and not head.ref.startswith("refs/pull/"):
        return clean_line(head.ref, MAX_TITLE)
    return clean_line((head.label or "").rpartition(":")[2], MAX_TITLE)


def parse_pull(place: Place, project: str, wire: WirePull, now: datetime) -> MergeRequest:
    """Return a pull request; `now` tells whether the server has had time to look for conflicts."""
    state = _state(wire.state, merged=bool(wire.merged))
    title = clean_line(wire.title or "", MAX_TITLE)
    draft = is_draft_title(title) if wire.draft is None else wire.draft
    head, base = wire.head, wire.base
    source: str | None = None
    if head is not None and head.repo is not None and head.repo.full_name:
        source = clean_line(head.repo.full_name)
    changed = moment(wire.updated_at)
    settled = changed is None or now - changed > CHECKING
    stuck = state is MergeRequestState.OPEN and wire.mergeable is False and not draft and settled
    return MergeRequest(
        forge=place.forge,
        project=project,
        number=wire.number,
        title=title,
        url=here(place, wire.html_url, f"/{project}/pulls/{wire.number}"),
        state=state,
        id="" if wire.id is None else str(wire.id),
        description=clean(wire.body or "", MAX_BODY),
        author=parse_person(wire.user).username,
        draft=draft,
        source_project=source,
        source_branch=source_branch(wire),
        target_branch=clean_line((base.ref or base.label or "") if base is not None else "", MAX_TITLE),
        sha=clean_line(head.sha, 64) if head is not None and head.sha else None,
        conflicts=stuck,
        blocked_by="draft_status" if draft and state is MergeRequestState.OPEN else None,
        created_at=moment(wire.created_at),
        updated_at=changed,
        merged_at=moment(wire.merged_at) if wire.merged else None,
    )


_CHECK_STATES = {
    "success": PipelineState.PASSED,
    "warning": PipelineState.PASSED,
    "failure": PipelineState.FAILED,
    "error": PipelineState.FAILED,
    "skipped": PipelineState.SKIPPED,
}


def _check_state(wire: WireStatus) -> PipelineState:
    """Return how a check stands; Actions tell in the description what its "pending" means."""
    state = _CHECK_STATES.get(wire.status or "")
    if state is not None:
        return state
    words = (wire.description or "").lower()
    if words.startswith("blocked"):
        return PipelineState.WAITING
    return PipelineState.RUNNING if "running" in words else PipelineState.PENDING


def _together(states: Sequence[PipelineState]) -> PipelineState:
    """Return how several checks stand: a failure decides, then what has not ended."""
    if PipelineState.FAILED in states:
        return PipelineState.FAILED
    if PipelineState.RUNNING in states:
        return PipelineState.RUNNING
    # A job that waits for another one is blocked too; only when nothing else is left, a person has to act.
    if PipelineState.WAITING in states:
        rest = set(states) - {PipelineState.WAITING}
        return PipelineState.PENDING if rest else PipelineState.WAITING
    if PipelineState.PENDING in states:
        return PipelineState.PENDING
    return PipelineState.PASSED if PipelineState.PASSED in states else PipelineState.SKIPPED


def parse_pipeline(place: Place, project: Project, sha: str, wire: WireStatuses | None) -> Pipeline | None:
    """Return the checks of a commit with those that failed; None without any."""
    statuses = (wire.statuses or ()) if wire is not None else ()
    if not statuses:
        return None
    jobs = tuple(
        Job(
            name=clean_line(status.context or "", MAX_NAME),
            state=_check_state(status),
            id="" if status.id is None else str(status.id),
            url=_check_url(place, status.target_url),
            detail=clean_line(status.description or ""),
        )
        for status in statuses
    )
    failed = tuple(job for job in jobs if job.state is PipelineState.FAILED)
    return Pipeline(
        id=sha,
        state=_together([job.state for job in jobs]),
        url=next((job.url for job in (*failed, *jobs) if job.url), ""),
        sha=sha,
        project_id=project.id,
        jobs=failed,
    )


def _check_url(place: Place, url: str | None) -> str:
    """Return where a check can be read about; Actions give a path alone."""
    url = clean_line(url or "", 1_000)
    if url.startswith("/") and not url.startswith("//"):
        # The path has that of a sub-path install in it already.
        origin = "/".join(place.url.split("/", 3)[:3])
        return origin + url
    return url if url.startswith(("https://", "http://")) else ""


def parse_review(wires: Iterable[WireReview], required: int | None) -> Review:
    """Return where the people stand: each one's latest word counts, a plain comment is none."""
    latest: dict[str, WireReview] = {}
    asked: dict[str, None] = {}
    for wire in sorted(wires, key=lambda each: each.id):
        name = parse_person(wire.user).username
        if not name or wire.state == "PENDING":
            continue
        asked[name] = None
        if wire.state in ("APPROVED", "REQUEST_CHANGES", "REQUEST_REVIEW"):
            latest[name] = wire
    standing = {name: wire for name, wire in latest.items() if not wire.dismissed}
    approved = [name for name, wire in standing.items() if wire.state == "APPROVED"]
    against = tuple(name for name, wire in standing.items() if wire.state == "REQUEST_CHANGES")
    counting = [name for name in approved if standing[name].official is not False]
    return Review(
        approved=not against and len(counting) >= max(1, required or 0),
        approved_by=tuple(approved),
        approvals_required=required,
        changes_requested_by=against,
        reviewers=tuple(asked),
    )


def parse_threads(remarks: Iterable[WireReviewComment]) -> list[Discussion]:
    """Return the threads at lines of code; remarks at the same side of the same line are one thread.

    The id tells where an answer has to go: the side of the line and the first remark.
    """
    places: dict[tuple[str, int, bool], list[WireReviewComment]] = {}
    for wire in sorted(remarks, key=lambda each: each.id):
        new = bool(wire.position)
        places.setdefault((wire.path or "", wire.position or wire.original_position or 0, new), []).append(
            wire
        )
    found = []
    for (path, line, new), wires in places.items():
        told = [wire.resolver for wire in wires if wire.resolver is not UNSET]
        found.append(
            Discussion(
                id=f"{'new' if new else 'old'}-{wires[0].id}",
                comments=tuple(
                    Comment(
                        id=str(wire.id),
                        author=parse_person(wire.user).username,
                        body=clean(wire.body or "", MAX_BODY),
                        bot=parse_person(wire.user).bot,
                        created_at=moment(wire.created_at),
                    )
                    for wire in wires
                ),
                resolvable=bool(told),
                resolved=any(resolver is not None for resolver in told),
                file=clean_line(path, 1_000) or None,
                line=line or None,
            )
        )
    return found


def parse_review_words(wire: WireReview) -> Discussion:
    """Return what a review says as a whole."""
    author = parse_person(wire.user)
    comment = Comment(
        id=str(wire.id),
        author=author.username,
        body=clean(wire.body or "", MAX_BODY),
        bot=author.bot,
        created_at=moment(wire.submitted_at),
    )
    return Discussion(id=f"review-{wire.id}", comments=(comment,))


def parse_branch(wire: WireBranch) -> Branch:
    """Return a branch."""
    return Branch(
        name=clean_line(wire.name, MAX_TITLE),
        sha=clean_line((wire.commit.id or "") if wire.commit is not None else "", 64),
        protected=bool(wire.protected),
        can_push=wire.user_can_push,
        committed_at=moment(wire.commit.timestamp) if wire.commit is not None else None,
    )


# Figures


def parse_languages(sizes: Mapping[str, int]) -> dict[str, float]:
    """Return shares of 0 to 1, largest first, from bytes."""
    whole = sum(sizes.values())
    if whole <= 0:
        return {}
    return {
        clean_line(name, 60): size / whole
        for name, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
    }


def committed_at(wire: WireCommit) -> datetime | None:
    """Return when a commit was made."""
    commit = wire.commit
    for person in (commit.committer, commit.author) if commit is not None else ():
        when = moment(person.date) if person is not None else None
        if when is not None:
            return when
    return moment(wire.created)


def parse_weeks(commits: Iterable[WireCommit], now: datetime) -> tuple[int, ...]:
    """Return commits for each of the last 52 weeks, oldest first."""
    weeks = [0] * WEEKS
    for commit in commits:
        made = committed_at(commit)
        if made is None:
            continue
        back = max(timedelta(0), now - made) // timedelta(weeks=1)
        if back < WEEKS:
            weeks[WEEKS - 1 - back] += 1
    return tuple(weeks)


def parse_contributors(place: Place, commits: Iterable[WireCommit], limit: int) -> list[Person]:
    """Return who made most of these commits, by account, else by the address in the commit."""
    tally: Counter[str] = Counter()
    people: dict[str, Person] = {}
    for wire in commits:
        person = parse_person(wire.author, place)
        git = wire.commit.author if wire.commit is not None else None
        if not person.username:
            if git is None or not (git.email or git.name):
                continue
            person = Person(
                username="",
                name=clean_line(git.name or "", MAX_NAME),
                email=clean_line(git.email) if git.email else None,
            )
        key = person.username.lower() or (person.email or person.name).lower()
        people.setdefault(key, person)
        tally[key] += 1
    return [people[key] for key, _ in tally.most_common(limit)]


_FRONT_MATTER = re.compile(r"\A---\r?\n.*?\n---[ \t]*\r?\n(?:\r?\n)?", re.DOTALL)


def parse_template(data: bytes) -> str | None:
    """Return the text of a template without what stands in front for the server; None if nothing is left."""
    text = _FRONT_MATTER.sub("", data.decode("utf-8", "replace").lstrip("\ufeff"), count=1)
    return clean(text, MAX_BODY) or None
