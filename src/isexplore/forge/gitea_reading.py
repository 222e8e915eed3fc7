"""Finding and reading on Gitea and Forgejo: repositories, files, issues, people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, Struct

from isexplore.errors import (
    AuthError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotVisibleError,
    ScopeError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.forge import gitea_parse as parse
from isexplore.forge.address import origin_of
from isexplore.forge.answers import decode
from isexplore.forge.base import Capability, GitLogin, ProjectPage, ServerFacts
from isexplore.forge.gitea_listing import search
from isexplore.forge.gitea_people import find_members
from isexplore.forge.gitea_wire import (
    WireComment,
    WireCommit,
    WireEntry,
    WireEvent,
    WireIssue,
    WireLabel,
    WireProject,
    WireToken,
    WireTopics,
    WireUser,
    WireVersion,
)
from isexplore.models import (
    Comment,
    FileEntry,
    ForgeKind,
    Issue,
    Label,
    Member,
    MergeRequest,
    Person,
    Project,
    TokenFacts,
)
from isexplore.text import clean_line

if TYPE_CHECKING:
    from isexplore.forge.http import ForgeClient
    from isexplore.forge.paging import Page, Params

PER_PAGE = 50
"""The most that these servers put on a page, unless they are set up otherwise."""
DEFAULT_PAGE = 30
"""What they put on a page when nobody asks; few are set up for less."""
MAX_COMMITS = 500
"""Commits of a year looked at for `participation`; a busier project tells nothing."""
RECENT_COMMITS = 200
"""Commits looked at for `contributors`, there being no endpoint for them."""
MAX_EVENTS_PAGES = 20
_COMMITS: Params = {"stat": False, "verification": False, "files": False, "limit": PER_PAGE}
"""Leaves out what makes a list of commits slow."""


class _Come(Struct, frozen=True):
    """How far a listing has come: the cursor of its pages."""

    listing: int = 0
    """Number of the spelling and group that is being listed."""
    what: tuple[str | None, str] | None = None
    """That spelling and group."""
    page: int = 1
    """The next page."""
    last: int = 0
    """The highest id that came."""


def _come(cursor: str, listings: Sequence[tuple[str | None, str]]) -> _Come:
    """Return how far a listing had come, where it is still one of these."""
    try:
        come = msgspec.json.decode(cursor, type=_Come) if cursor else _Come()
    except ValueError:
        return _Come()
    if come.what is None or not 0 <= come.listing < len(listings) or listings[come.listing] != come.what:
        return _Come()
    return come


class GiteaReading:
    """The half of the adapter that finds and reads; see `isexplore.forge.gitea`.

    Args:
        name: of the forge in the configuration.
        url: web address, with the path of a sub-path install.
        client: speaks to `url` + `/api/v1`.
        now: the time, for tests.
    """

    kind = ForgeKind.GITEA
    merge_request_noun = "pull request"

    def __init__(
        self,
        *,
        name: str,
        url: str,
        client: ForgeClient,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = name
        self.url = url.rstrip("/")
        self._client = client
        self._now = now
        self._place = parse.Place(self.name, self.url)
        self._me: Person | None = None
        self._cannot = Capability.NONE

    @property
    def capabilities(self) -> Capability:
        """What it can do; what the server turned out not to know is gone."""
        return (
            Capability.DRAFTS
            | Capability.FORK_SYNC
            | Capability.PIPELINES
            | Capability.APPROVALS
            | Capability.DISCUSSIONS
            | Capability.TOKEN_FACTS
            | Capability.PARTICIPATION
            | Capability.STARS
            | Capability.ASSIGN_NEEDS_ROLE
        ) & ~self._cannot

    @property
    def git_login(self) -> GitLogin:
        """How git signs in: with a token as the password, any user name is right."""
        return GitLogin(origin=origin_of(self.url), username=self._me.username if self._me else "git")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _repo(self, project: Project, *parts: str | int) -> tuple[str | int, ...]:
        return self._at(project.path, *parts)

    def _at(self, path: str, *parts: str | int) -> tuple[str | int, ...]:
        """Return the address of something in a repository.

        Raises:
            NotVisibleError: the path is not `owner/name`; there are no groups in groups here.
        """
        names = path.split("/")
        if len(names) != 2 or not all(names):
            raise NotVisibleError(
                "That does not exist here",
                f'"{clean_line(path, 200)}" is not owner/name.',
                "Check the name.",
                forge=self.name,
            )
        return ("repos", *names, *parts)

    # Who and what

    async def server(self) -> ServerFacts:
        """Return the version; a server that is only for members tells it to them alone."""
        try:
            wire = await self._client.get_json(("version",), type=WireVersion)
        except ForbiddenError as error:
            if self._client.signed_in:
                raise
            raise AuthError(
                f"{self._client.host} wants you to sign in",
                error.detail,
                f"Sign in: isexplore login {self.url}",
                forge=self.name,
                status=error.status,
                request=error.request,
            ) from error
        # Forgejo names the version of Gitea that it is like: 11.0.3+gitea-1.22.0.
        version, _, like = wire.version.partition("+")
        forgejo = like.startswith("gitea")
        return ServerFacts(
            kind=self.kind,
            version=clean_line(version if forgejo else wire.version, 60),
            name="Forgejo" if forgejo else "Gitea",
        )

    async def whoami(self) -> Person:
        """Return the account of the token."""
        self._me = parse.parse_person(await self._client.get_json(("user",), type=WireUser), self._place)
        return self._me

    async def _myself(self) -> Person:
        return self._me or await self.whoami()

    async def token_facts(self) -> TokenFacts:
        """Return name and scopes of the token; only the newest servers tell."""
        if not self._client.signed_in:
            return TokenFacts()
        try:
            wire = await self._client.get_json(("token",), type=WireToken)
        except (NotVisibleError, ForbiddenError, ScopeError, InvalidError, WrongAnswerError):
            self._cannot |= Capability.TOKEN_FACTS
            return TokenFacts()
        return TokenFacts(
            name=clean_line(wire.name, 200) if wire.name else None,
            scopes=None if wire.scopes is None else tuple(clean_line(scope, 60) for scope in wire.scopes),
        )

    # Finding and reading

    async def find_projects(
        self,
        tags: tuple[str, ...],
        *,
        text: str = "",
        changed_after: datetime | None = None,
        groups: tuple[str, ...] = (),
        resume: str = "",
    ) -> AsyncIterator[ProjectPage]:
        """Yield pages of repositories, one listing for each spelling and group.

        Not every server takes several topics at once, none combines a topic with words, and none filters
        by time: the words are looked for here, and a listing by time ends at `changed_after`. A whole
        listing is in the order of ids, so that nothing slips through while it is read.
        """
        topics: tuple[str | None, ...] = (None,)
        if tags:
            named = (parse.topic_name(tag) for tag in tags)
            topics = tuple(dict.fromkeys(name for name in named if name is not None))
        order: Params = {"sort": "id", "order": "asc"}
        if changed_after is not None:
            order = {"sort": "updated", "order": "desc"}
        listings = [(topic, group) for topic in topics for group in groups or ("",)]
        come = _come(resume, listings)
        owners: dict[str, int] = {}
        for group in groups if listings else ():
            owners[group] = await self._owner(group)
        for topic, group in listings[come.listing :]:
            params: Params = {
                "q": topic or text or None,
                "topic": True if topic else None,
                "includeDesc": True if text and not topic else None,
                "uid": owners[group] if group else None,
                "exclusive": True if group else None,
                "archived": False,
                **order,
                "limit": PER_PAGE,
            }
            # Where the reader may stop early, nothing is read ahead.
            lanes = self._client.concurrency if changed_after is None and not text else 1
            pages = search(self._client, params, lanes=lanes, page=come.page, last=come.last)
            async with aclosing(pages) as found:
                async for page in found:
                    come = _Come(come.listing, (topic, group), page.number + 1, max(come.last, page.last))
                    projects = tuple(self._matching(page.items, topic, text))
                    cursor = msgspec.json.encode(come).decode()
                    yield ProjectPage(projects, None if text and topic else page.total, cursor)
                    if changed_after is not None and self._older(page.items, changed_after):
                        break
            come = _Come(come.listing + 1)

    def _older(self, wires: Sequence[WireProject], moment: datetime) -> bool:
        oldest = parse.parse_project(self._place, wires[-1]).last_activity if wires else None
        return oldest is not None and oldest < moment

    def _matching(self, wires: Sequence[WireProject], topic: str | None, text: str) -> list[Project]:
        """Return what was asked for; old servers do not tell the topics, so the question is trusted."""
        found = []
        for wire in wires:
            told = [name.lower() for name in wire.topics] if wire.topics is not UNSET and wire.topics else []
            if wire.archived or (topic is not None and told and topic not in told):
                continue
            project = parse.parse_project(self._place, wire, topics=() if topic is None else (topic,))
            if not text or parse.mentions(project, text):
                found.append(project)
        return found

    async def _owner(self, name: str) -> int:
        """Return the id of an organisation or user."""
        try:
            wire = await self._client.get_json(("orgs", name), type=WireUser)
        except (NotVisibleError, ScopeError):
            # An organisation is found among the users too, without the scope for organisations.
            wire = await self._client.get_json(("users", name), type=WireUser)
        return wire.id or 0

    async def project(self, path: str) -> Project:
        """Return one repository by path or id.

        Servers that do not tell the topics with a repository are asked for them; a fork has none of its
        own. `null` means none from those that tell them (1.22), which tell the kind of hashes as well.
        """
        where = ("repositories", path) if path.isascii() and path.isdigit() else self._at(path)
        wire = await self._client.get_json(where, type=WireProject)
        topics: list[str] | None = None
        untold = wire.topics is UNSET or (wire.topics is None and wire.object_format_name is None)
        if untold and not wire.fork:
            at = self._at(wire.full_name, "topics")
            topics = (await self._client.get_json(at, type=WireTopics)).topics
        return parse.parse_project(self._place, wire, topics=topics or ())

    async def languages(self, project: Project) -> dict[str, float]:
        """Return the share of each language; empty until the server has counted them."""
        sizes = await self._client.get_json(self._repo(project, "languages"), type=dict[str, int])
        return parse.parse_languages(sizes)

    async def folder(self, project: Project, path: str = "") -> list[FileEntry]:
        """Return a folder's entries; empty if missing, or if the repository is empty."""
        parts = [part for part in path.split("/") if part]
        where = self._repo(project, "contents", *parts)
        try:
            answer = await self._client.send("GET", where)
        except (NotVisibleError, ConflictError):
            if not parts:
                # A repository has a top folder, unless it is empty or out of sight.
                await self.project(project.path)
            return []
        if answer.body.lstrip()[:1] == b"{" or answer.body.strip() == b"null":
            # One entry by itself is a file's own description.
            return []
        entries = decode(answer, list[WireEntry], self._client.asked("GET", where))
        return [parse.parse_entry(entry) for entry in entries]

    async def file(self, project: Project, path: str, *, ref: str = "", limit: int = 1 << 20) -> bytes | None:
        """Return the beginning of a file, or None."""
        where = self._repo(project, "raw", *(part for part in path.split("/") if part))
        try:
            return await self._client.get_bytes(where, {"ref": ref or None}, limit=limit)
        except (NotVisibleError, ConflictError):
            return None

    async def labels(self, project: Project) -> list[Label]:
        """Return the labels of the repository and of the organisation that owns it."""
        own, shared = await asyncio.gather(self._labels(project), self._shared_labels(project))
        return [parse.parse_label(wire) for wire in (*own, *shared) if not wire.is_archived]

    async def _labels(self, project: Project) -> list[WireLabel]:
        return await self._client.get_all(self._repo(project, "labels"), {"limit": PER_PAGE}, item=WireLabel)

    async def _shared_labels(self, project: Project) -> list[WireLabel]:
        """Return an organisation's labels; a person has none, and a token may not reach them."""
        try:
            return await self._client.get_all(
                ("orgs", project.owner, "labels"), {"limit": PER_PAGE}, item=WireLabel
            )
        except (NotVisibleError, ForbiddenError, InvalidError, ScopeError):
            return []

    async def issues(
        self, project: Project, *, labels: tuple[str, ...] = (), limit: int = 100
    ) -> list[Issue]:
        """Return open issues with any of the labels.

        The server combines labels by AND, and drops a filter whose label the repository itself does not
        have, so that everything comes back: each label of the repository is asked for by itself, for the
        organisation's labels all issues are looked through, and every issue is looked at again here.
        """
        if not project.issues_enabled:
            return []
        found: dict[int, WireIssue] = {}
        wanted = set(labels)
        if not wanted:
            await self._collect(project, None, wanted, limit, found)
        else:
            own = {wire.name for wire in await self._labels(project)}
            for label in dict.fromkeys(labels):
                # A comma separates labels and cannot be escaped.
                if label in own and "," not in label:
                    await self._collect(project, label, {label}, limit, found)
            rest = {label for label in wanted if label not in own or "," in label}
            if rest - own:
                rest &= own | {wire.name for wire in await self._shared_labels(project)}
            if rest:
                await self._collect(project, None, rest, limit, found)
        never = datetime.min.replace(tzinfo=UTC)
        issues = [parse.parse_issue(self._place, project.path, wire) for wire in found.values()]
        return sorted(issues, key=lambda issue: issue.updated_at or never, reverse=True)[:limit]

    async def _collect(
        self, project: Project, label: str | None, wanted: set[str], limit: int, found: dict[int, WireIssue]
    ) -> None:
        """Add up to `limit` open issues that have any of the wanted labels to what was found."""
        params: Params = {
            "state": "open",
            "type": "issues",
            "labels": label,
            # Forgejo sorts; others give the newest first.
            "sort": "recentupdate",
            "limit": max(1, min(limit, PER_PAGE)) if not wanted else PER_PAGE,
        }
        count = 0
        async for page in self._client.pages(self._repo(project, "issues"), params, item=WireIssue):
            for wire in page.items:
                has = {each.name for each in wire.labels or ()}
                if wire.pull_request is None and (not wanted or has & wanted):
                    found[wire.number] = wire
                    count += 1
            if count >= limit:
                return

    async def issue(self, project: Project, number: int) -> Issue:
        """Return one issue; pull requests have numbers of the same series."""
        return parse.parse_issue(self._place, project.path, await self._issue(project, number))

    async def _issue(self, project: Project, number: int) -> WireIssue:
        wire = await self._client.get_json(self._repo(project, "issues", number), type=WireIssue)
        if wire.pull_request is not None:
            raise NotVisibleError(
                f"#{number} of {project.path} is a pull request, not an issue",
                clean_line(wire.title or ""),
                f"Look at it: {self.url}/{project.path}/pulls/{number}",
                forge=self.name,
            )
        return wire

    async def comments(self, project: Project, number: int) -> list[Comment]:
        """Return the comments, oldest first; this list has no pages."""
        wires = await self._client.get_all(
            self._repo(project, "issues", number, "comments"), item=WireComment
        )
        return [parse.parse_comment(wire) for wire in sorted(wires, key=lambda wire: wire.id)]

    async def linked_merge_requests(self, project: Project, number: int) -> list[MergeRequest]:
        """Return the pull requests that mention the issue; servers before 1.17 cannot tell."""
        found: dict[tuple[str, int], MergeRequest] = {}
        try:
            events = await self._events(project, number)
        except (NotVisibleError, WrongAnswerError, UnavailableError) as error:
            if error.status is None or (isinstance(error, UnavailableError) and error.status != 500):
                raise
            return []
        for event in events:
            wire = event.ref_issue
            if wire is not None and wire.pull_request is not None:
                request = parse.parse_issue_pull(self._place, project.path, wire)
                found[request.project, request.number] = request
        return list(found.values())

    async def _events(self, project: Project, number: int) -> list[WireEvent]:
        """Return what happened to an issue; the count in the header of this list is of the page alone."""
        events: list[WireEvent] = []
        where = self._repo(project, "issues", number, "timeline")
        for number_of_page in range(1, MAX_EVENTS_PAGES + 1):
            params: Params = {"page": number_of_page, "limit": PER_PAGE}
            wires: tuple[WireEvent, ...] = ()
            async for page in self._client.pages(where, params, item=WireEvent):
                wires = page.items
                break
            events += wires
            if len(wires) < DEFAULT_PAGE:
                break
        return events

    async def comment_on_issue(self, project: Project, number: int, body: str) -> Comment:
        """Write a comment."""
        wire = await self._client.send_json(
            "POST", self._repo(project, "issues", number, "comments"), {"body": body}, type=WireComment
        )
        return parse.parse_comment(wire)

    async def assign_issue(self, project: Project, number: int, person: Person) -> Issue:
        """Add an assignee to those there are.

        The answer is 201 also when nothing changed, because the account may write but not assign. An
        account that the server does not know is a 500 without words.
        """
        wire = await self._issue(project, number)
        there = [parse.parse_person(user).username for user in wire.assignees or ()]
        if person.username.lower() not in [name.lower() for name in there]:
            try:
                wire = await self._client.send_json(
                    "PATCH",
                    self._repo(project, "issues", number),
                    {"assignees": [*there, person.username]},
                    type=WireIssue,
                )
            except UnavailableError as error:
                if error.status != 500:
                    raise
                raise InvalidError(
                    f"{person.username} cannot be assigned to #{number}",
                    error.detail,
                    "Is that an account of this forge? Ask in a comment instead.",
                    forge=self.name,
                    status=error.status,
                    request=error.request,
                ) from error
        return parse.parse_issue(self._place, project.path, wire)

    async def members(self, project: Project) -> list[Member]:
        """Return who may push or more, as far as this account may know."""
        return await find_members(self._client, self._place, self._repo(project), project.owner)

    async def contributors(self, project: Project, *, limit: int = 20) -> list[Person]:
        """Return who made most of the latest 200 commits; there is no endpoint for all of them."""
        commits: list[WireCommit] = []
        async for page in self._commits(project):
            commits += page.items
            if len(commits) >= RECENT_COMMITS:
                break
        return parse.parse_contributors(self._place, commits, limit)

    async def participation(self, project: Project) -> tuple[int, ...]:
        """Return commits of each of the last 52 weeks, counted from the list of commits."""
        now = self._now()
        start = now - timedelta(weeks=parse.WEEKS)
        commits: list[WireCommit] = []
        async for page in self._commits(project, since=start):
            commits += page.items
            if len(commits) >= MAX_COMMITS:
                return ()
            # Only the newest servers know `since`.
            oldest = parse.committed_at(page.items[-1]) if page.items else None
            if oldest is not None and oldest < start:
                break
        return parse.parse_weeks(commits, now) if commits else ()

    async def _commits(
        self, project: Project, *, since: datetime | None = None
    ) -> AsyncIterator[Page[WireCommit]]:
        """Yield pages of commits, latest first; none for an empty repository, which is an error there."""
        stamp = None if since is None else since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            async for page in self._client.pages(
                self._repo(project, "commits"), {**_COMMITS, "since": stamp}, item=WireCommit
            ):
                yield page
        except ConflictError:
            return
        except NotVisibleError:
            if not project.empty:
                await self.project(project.path)
            return
