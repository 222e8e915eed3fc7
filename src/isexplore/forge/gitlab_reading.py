"""Finding and reading on GitLab: projects, files, issues, people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from isexplore.errors import (
    ForbiddenError,
    ForgeError,
    InvalidError,
    NotVisibleError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.forge import gitlab_parse as parse
from isexplore.forge.address import origin_of
from isexplore.forge.answers import moment
from isexplore.forge.base import Capability, GitLogin, ProjectPage, ServerFacts
from isexplore.forge.gitlab_bulk import PER_PAGE as PER_PAGE
from isexplore.forge.gitlab_bulk import labelled_issues, languages_of
from isexplore.forge.gitlab_listing import whole_list
from isexplore.forge.gitlab_wire import (
    WireCommit,
    WireContributor,
    WireIssue,
    WireLabel,
    WireMember,
    WireMergeRequest,
    WireNote,
    WireOAuthToken,
    WireProject,
    WireToken,
    WireTopic,
    WireTreeEntry,
    WireUser,
    WireVersion,
)
from isexplore.forge.paging import PROJECT_PAGES
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
from isexplore.text import clean

if TYPE_CHECKING:
    from isexplore.forge.http import ForgeClient
    from isexplore.forge.paging import Params

T = TypeVar("T")

_ARCHIVED_PER_PAGE = 20
"""Few are archived between two refreshes."""
MAX_COMMITS = 5_000
"""Commits of a year looked at for `participation`; a busier project tells nothing."""


class _Topic(NamedTuple):
    """A topic to list."""

    params: Params
    """The filter for it."""
    projects: int | None = None
    """How many carry it, as far as the forge tells: hidden and archived ones count too."""


class _Piece(NamedTuple):
    """A page of one listing, and what is left of that listing."""

    listing: str
    page: ProjectPage
    left: str


class GitLabReading:
    """The half of the adapter that finds and reads; see `isexplore.forge.gitlab`.

    Args:
        name: of the forge in the configuration.
        url: web address, with the path of a sub-path install.
        client: speaks to `url` + `/api/v4`.
        now: the time, for tests.
    """

    kind = ForgeKind.GITLAB
    merge_request_noun = "merge request"
    capabilities = (
        Capability.DRAFTS
        | Capability.FORK_SYNC
        | Capability.PIPELINES
        | Capability.APPROVALS
        | Capability.DISCUSSIONS
        | Capability.TOKEN_FACTS
        | Capability.PARTICIPATION
        | Capability.STARS
        | Capability.SEVERAL_FORKS
        | Capability.ASSIGN_NEEDS_ROLE
    )

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

    @property
    def git_login(self) -> GitLogin:
        """How git signs in: `oauth2` is right for OAuth tokens, and any name for all others."""
        return GitLogin(origin=origin_of(self.url), username="oauth2")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    # Who and what

    async def server(self) -> ServerFacts:
        """Return the version; `/metadata` is there from 15.2 on."""
        try:
            wire = await self._client.get_json(("metadata",), type=WireVersion)
        except NotVisibleError:
            wire = await self._client.get_json(("version",), type=WireVersion)
        return ServerFacts(kind=self.kind, version=clean(wire.version, 60), name="GitLab")

    async def whoami(self) -> Person:
        """Return the account of the token."""
        return parse.parse_person(await self._user())

    async def _user(self) -> WireUser:
        return await self._client.get_json(("user",), type=WireUser)

    async def token_facts(self) -> TokenFacts:
        """Return scopes and expiry; OAuth tokens have an endpoint of their own, outside the API."""
        if not self._client.signed_in:
            return TokenFacts()
        try:
            wire = await self._client.get_json(("personal_access_tokens", "self"), type=WireToken)
        except InvalidError:
            url = f"{self.url}/oauth/token/info"
            return parse.parse_oauth_token(await self._client.get_json(url, type=WireOAuthToken), self._now())
        except NotVisibleError:
            return TokenFacts()
        return parse.parse_token(wire)

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
        """Yield pages of projects with any spelling of the tags.

        GitLab matches topics exactly, case included, so their true names are looked up first (one request
        for all spellings of a tag); each is one listing, and all of them begin at once. They go by id,
        which has no upper end; what changed lately in a group goes by last activity, so that the listing
        can stop at `changed_after`.
        """
        topics = await self._topics(tags) if tags else [_Topic({})]
        in_all = None
        if not groups and topics and all(topic.projects is not None for topic in topics):
            in_all = sum(topic.projects or 0 for topic in topics)
        whole = not text and changed_after is None and all(topic.projects for topic in topics)
        total = in_all if whole else None
        left = _cursor(resume)
        listings: list[AsyncGenerator[_Piece]] = []
        for topic in topics:
            for group in groups or ("",):
                common: Params = {
                    "archived": False,
                    "search": text or None,
                    "per_page": PER_PAGE,
                    **topic.params,
                }
                if group:
                    common = {**common, "include_subgroups": True, "with_shared": False}
                name = " ".join((*map(str, topic.params.values()), *([f"in {group}"] if group else ())))
                if group and changed_after is not None:
                    listings.append(self._lately_in_group(name, group, common, changed_after))
                    continue
                common = {**common, "last_activity_after": _stamp(changed_after)}
                expected = (topic.projects or 0) if total is not None else 0
                listings.append(
                    self._by_id(name, group, common, total, expected, left.setdefault(name, "0-"))
                )
        if changed_after is not None and not text:
            listings += [self._lately_archived(group, changed_after) for group in groups or ("",)]
        async with aclosing(side_by_side(listings)) as pieces:
            async for piece in pieces:
                left[piece.listing] = piece.left
                cursor = msgspec.json.encode(left).decode()
                yield msgspec.structs.replace(piece.page, cursor=cursor, in_all=in_all)

    async def _by_id(
        self, name: str, group: str, params: Params, total: int | None, expected: int, gaps: str
    ) -> AsyncGenerator[_Piece]:
        listed = whole_list(
            self._client,
            params,
            page_size=PER_PAGE,
            lanes=self._client.concurrency,
            expected=expected,
            group=group,
            gaps=gaps,
        )
        try:
            async with aclosing(listed) as pages:
                async for page in pages:
                    whole = page.total if group else total
                    yield _Piece(name, self._page(page.items, whole), page.left)
        except NotVisibleError as error:
            _add_what_may_be_behind(error, group)
            raise

    async def _lately_in_group(
        self, name: str, group: str, common: Params, changed_after: datetime
    ) -> AsyncGenerator[_Piece]:
        params: Params = {**common, "order_by": "last_activity_at", "sort": "desc"}
        try:
            where = ("groups", group, "projects")
            async for page in self._client.pages(where, params, item=WireProject, most=PROJECT_PAGES):
                found = self._page(page.items, page.total)
                yield _Piece(name, found, "")
                oldest = found.projects[-1].last_activity if found.projects else None
                if oldest is not None and oldest < changed_after:
                    return
        except NotVisibleError as error:
            _add_what_may_be_behind(error, group)
            raise

    async def _lately_archived(self, group: str, changed_after: datetime) -> AsyncGenerator[_Piece]:
        """Yield projects that were archived lately, whatever their topics: one page, as a rule.

        Archiving is no activity, but it does change the project. Whoever is not signed in is told neither
        when that was nor whether it is archived.
        """
        params: Params = {
            "archived": True,
            "order_by": "updated_at",
            "sort": "desc",
            "per_page": _ARCHIVED_PER_PAGE,
        }
        where: tuple[str, ...] = ("projects",)
        if group:
            where = ("groups", group, "projects")
            params = {**params, "include_subgroups": True, "with_shared": False}
        try:
            async for page in self._client.pages(where, params, item=WireProject):
                fresh = [
                    wire
                    for wire in page.items
                    if wire.archived and (moment(wire.updated_at) or changed_after) > changed_after
                ]
                if fresh:
                    found = tuple(parse.parse_project(self.name, wire) for wire in fresh)
                    yield _Piece("archived", ProjectPage(found), "")
                if len(fresh) < len(page.items):
                    return
        except (NotVisibleError, ForbiddenError, InvalidError, UnavailableError, WrongAnswerError):
            # What changed is in the other listings; the next full one tells what is archived. It goes
            # through all projects there are, so that it may be too much where those are not.
            return

    def _page(self, items: Sequence[WireProject], total: int | None) -> ProjectPage:
        projects = (parse.parse_project(self.name, wire) for wire in items)
        return ProjectPage(tuple(found for found in projects if not found.archived), total)

    async def _topics(self, tags: tuple[str, ...]) -> list[_Topic]:
        """Return the filter for each topic whose name is a spelling of a tag."""
        try:
            found = await self._known_topics(tags)
        except (NotVisibleError, ForbiddenError):
            found = {}
        if not found:
            # An instance may hide its list of topics and still filter by them.
            return [_Topic({"topic": tag}) for tag in dict.fromkeys(tags) if "," not in tag]
        # A comma separates topics and cannot be escaped.
        return [
            _Topic(
                {"topic_id": topic.id} if "," in topic.name else {"topic": topic.name},
                topic.total_projects_count,
            )
            for topic in found.values()
        ]

    async def _known_topics(self, tags: tuple[str, ...]) -> dict[int, WireTopic]:
        """Return the instance's topics that are spellings of a tag, by id."""
        wanted = {parse.topic_key(tag) for tag in tags}
        found: dict[int, WireTopic] = {}
        for word, covered in parse.topic_searches(tags).items():
            topics = await self._topics_with(word, limit=PER_PAGE if len(covered) > 1 else None)
            if len(covered) > 1 and len(topics) >= PER_PAGE:
                # Too common a word: the spellings may be among those that did not fit.
                for tag in covered:
                    topics += await self._topics_with(tag)
            found |= {topic.id: topic for topic in topics if parse.topic_key(topic.name) in wanted}
        return found

    async def _topics_with(self, word: str, *, limit: int | None = None) -> list[WireTopic]:
        params: Params = {"search": word, "per_page": PER_PAGE}
        return await self._client.get_all(("topics",), params, item=WireTopic, limit=limit)

    async def project(self, path: str) -> Project:
        """Return one project by path or id, also behind a proxy that breaks paths with %2F."""
        return parse.parse_project(self.name, await self._project(path))

    async def _project(self, path: str) -> WireProject:
        try:
            return await self._client.get_json(("projects", path), {"license": True}, type=WireProject)
        except (NotVisibleError, WrongAnswerError) as error:
            if not never_arrived(error, path, "project"):
                raise
            number = await self._projectnumber(path)
            if number is None:
                raise
        return await self._client.get_json(("projects", number), {"license": True}, type=WireProject)

    async def _projectnumber(self, path: str) -> int | None:
        params: Params = {"search": path, "search_namespaces": True, "simple": True, "per_page": PER_PAGE}
        async for page in self._client.pages(("projects",), params, item=WireProject, most=PROJECT_PAGES):
            for wire in page.items:
                if wire.path_with_namespace.lower() == path.lower():
                    return wire.id
        return None

    async def languages(self, project: Project) -> dict[str, float]:
        """Return the share of each language; empty until GitLab has computed them."""
        return parse.parse_languages(
            await self._client.get_json(("projects", project.id, "languages"), type=dict[str, float])
        )

    async def folder(self, project: Project, path: str = "") -> list[FileEntry]:
        """Return a folder's entries; empty if missing, or if the repository is empty."""
        params: Params = {"path": path or None, "per_page": PER_PAGE}
        try:
            entries = await self._client.get_all(
                ("projects", project.id, "repository", "tree"), params, item=WireTreeEntry
            )
        except NotVisibleError as error:
            raise_if_project_is_missing(error)
            return []
        return [parse.parse_entry(entry) for entry in entries]

    async def file(self, project: Project, path: str, *, ref: str = "", limit: int = 1 << 20) -> bytes | None:
        """Return the beginning of a file, or None; by its blob behind a proxy that breaks paths with %2F."""
        try:
            return await self._client.get_bytes(
                ("projects", project.id, "repository", "files", path, "raw"),
                {"ref": ref or "HEAD"},
                limit=limit,
            )
        except (NotVisibleError, WrongAnswerError) as error:
            raise_if_project_is_missing(error)
            if not never_arrived(error, path, "file", "commit"):
                return None
        blob = await self._blob(project, path, ref)
        if blob is None:
            return None
        return await self._client.get_bytes(
            ("projects", project.id, "repository", "blobs", blob, "raw"), limit=limit
        )

    async def _blob(self, project: Project, path: str, ref: str) -> str | None:
        """Return the id of a file's content, from its folder: a folder's path is no part of an address."""
        params: Params = {"path": path.rpartition("/")[0], "ref": ref or None, "per_page": PER_PAGE}
        try:
            entries = await self._client.get_all(
                ("projects", project.id, "repository", "tree"), params, item=WireTreeEntry
            )
        except NotVisibleError as error:
            raise_if_project_is_missing(error)
            return None
        return next((entry.id for entry in entries if entry.path == path and entry.type == "blob"), None)

    async def labels(self, project: Project) -> list[Label]:
        """Return the labels of the project and of its groups, with how many open issues have them."""
        params: Params = {"with_counts": True, "include_ancestor_groups": True, "per_page": PER_PAGE}
        wires = await self._client.get_all(("projects", project.id, "labels"), params, item=WireLabel)
        return [parse.parse_label(wire) for wire in wires]

    async def languages_of(self, projects: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the languages of many projects by one question."""
        return await languages_of(self._client, self.url, projects)

    async def issues_anywhere(self, label: str, *, limit: int) -> list[Issue]:
        """Return open issues with a label in all projects that this account sees."""
        wires = await labelled_issues(self._client, ("issues",), label, limit=limit)
        return [parse.parse_issue(self.name, "", wire) for wire in wires]

    async def issues_below(self, group: str, label: str, *, limit: int) -> list[Issue]:
        """Return open issues with a label in all projects of a group and its subgroups."""
        wires = await labelled_issues(self._client, ("groups", group, "issues"), label, limit=limit)
        return [parse.parse_issue(self.name, "", wire) for wire in wires]

    async def issues(
        self, project: Project, *, labels: tuple[str, ...] = (), limit: int = 100
    ) -> list[Issue]:
        """Return open issues with any of the labels; GitLab combines labels by AND, so one request each."""
        if not project.issues_enabled:
            return []
        found: dict[int, Issue] = {}
        for label in dict.fromkeys(labels) or (None,):
            # A comma separates labels and cannot be escaped: all issues are looked through instead.
            whole = label is not None and "," in label
            params: Params = {
                "state": "opened",
                "labels": None if whole else label,
                "order_by": "updated_at",
                "sort": "desc",
                "per_page": PER_PAGE if whole else max(1, min(limit, PER_PAGE)),
            }
            wires = await self._client.get_all(
                ("projects", project.id, "issues"),
                params,
                item=WireIssue,
                limit=None if whole else limit,
            )
            for wire in wires:
                if label is None or label in (wire.labels or ()):
                    found[wire.iid] = parse.parse_issue(self.name, project.path, wire)
        never = datetime.min.replace(tzinfo=UTC)
        return sorted(found.values(), key=lambda issue: issue.updated_at or never, reverse=True)[:limit]

    async def issue(self, project: Project, number: int) -> Issue:
        """Return one issue."""
        return parse.parse_issue(self.name, project.path, await self._issue(project, number))

    async def _issue(self, project: Project, number: int) -> WireIssue:
        return await self._client.get_json(("projects", project.id, "issues", number), type=WireIssue)

    async def comments(self, project: Project, number: int) -> list[Comment]:
        """Return comments and GitLab's own remarks, oldest first."""
        params: Params = {"sort": "asc", "order_by": "created_at", "per_page": PER_PAGE}
        notes = await self._client.get_all(
            ("projects", project.id, "issues", number, "notes"), params, item=WireNote
        )
        return [parse.parse_comment(note) for note in notes]

    async def linked_merge_requests(self, project: Project, number: int) -> list[MergeRequest]:
        """Return the merge requests that mention the issue, and those that would close it."""
        answers = await asyncio.gather(
            *(
                self._client.get_all(
                    ("projects", project.id, "issues", number, relation),
                    {"per_page": PER_PAGE},
                    item=WireMergeRequest,
                )
                for relation in ("related_merge_requests", "closed_by")
            )
        )
        found: dict[int | str, MergeRequest] = {}
        for wire in (wire for wires in answers for wire in wires):
            key = wire.id if wire.id is not None else wire.web_url or str(wire.iid)
            found[key] = parse.parse_merge_request(self.name, project.path, wire)
        return list(found.values())

    async def comment_on_issue(self, project: Project, number: int, body: str) -> Comment:
        """Write a comment; one of only quick actions leaves none, and comes back without an id."""
        wire = await self._client.send_json(
            "POST", ("projects", project.id, "issues", number, "notes"), {"body": body}, type=WireNote
        )
        return parse.parse_comment(wire)

    async def assign_issue(self, project: Project, number: int, person: Person) -> Issue:
        """Add an assignee to those there are; a plan with a single one keeps the first."""
        wire = await self._issue(project, number)
        there = [user.id for user in wire.assignees or () if user.id is not None]
        wanted = id_number(person.id)
        if wanted not in there:
            wire = await self._client.send_json(
                "PUT",
                ("projects", project.id, "issues", number),
                {"assignee_ids": [*there, wanted]},
                type=WireIssue,
            )
        return parse.parse_issue(self.name, project.path, wire)

    async def members(self, project: Project) -> list[Member]:
        """Return active members, those of the groups above included."""
        return parse.parse_members(
            await self._client.get_all(
                ("projects", project.id, "members", "all"), {"per_page": PER_PAGE}, item=WireMember
            )
        )

    async def contributors(self, project: Project, *, limit: int = 20) -> list[Person]:
        """Return who committed most; an empty repository has nobody."""
        params: Params = {"order_by": "commits", "sort": "desc", "per_page": max(1, min(limit, PER_PAGE))}
        try:
            wires = await self._client.get_all(
                ("projects", project.id, "repository", "contributors"),
                params,
                item=WireContributor,
                limit=limit,
            )
        except NotVisibleError as error:
            raise_if_project_is_missing(error)
            return []
        return [parse.parse_contributor(wire) for wire in wires]

    async def participation(self, project: Project) -> tuple[int, ...]:
        """Return commits of each of the last 52 weeks, counted from the list of commits."""
        now = self._now()
        params: Params = {"since": _stamp(now - timedelta(weeks=parse.WEEKS)), "per_page": PER_PAGE}
        try:
            commits = await self._client.get_all(
                ("projects", project.id, "repository", "commits"),
                params,
                item=WireCommit,
                limit=MAX_COMMITS,
            )
        except NotVisibleError as error:
            raise_if_project_is_missing(error)
            return ()
        return () if len(commits) >= MAX_COMMITS else parse.parse_weeks(commits, now)


def _cursor(text: str) -> dict[str, str]:
    """Return how far each listing had come, from the cursor of a page."""
    try:
        return msgspec.json.decode(text, type=dict[str, str]) if text else {}
    except ValueError:
        return {}


def _add_what_may_be_behind(error: NotVisibleError, group: str) -> None:
    """Add to the hint of an error what a proxy may have done to the address of a group."""
    if group and never_arrived(error, group, "group"):
        error.hint = (
            f"If {group} exists, a proxy may be breaking addresses with a slash in a name: give the "
            "group's number under groups in config.toml. " + error.hint
        )


async def side_by_side(listings: Sequence[AsyncGenerator[T]]) -> AsyncGenerator[T]:
    """Yield the pages of several listings; the first page of each is asked for at the same time.

    What changed since the last time is usually on first pages alone, so it costs one round trip.
    """
    try:
        if len(listings) > 1:
            firsts = await asyncio.gather(
                *(anext(listing, None) for listing in listings), return_exceptions=True
            )
            for first in firsts:
                if isinstance(first, BaseException):
                    raise first
                if first is not None:
                    yield first
        for listing in listings:
            async for page in listing:
                yield page
    finally:
        for listing in listings:
            await listing.aclose()


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def id_number(text: str) -> int:
    """Return an id as GitLab wants it in a JSON body."""
    try:
        return int(text)
    except ValueError as error:
        raise InvalidError("That is not the number of anything on a GitLab", clean(text, 100)) from error


def never_arrived(error: ForgeError, name: str, *things: str) -> bool:
    """Return whether a request for `name` was refused by no part of GitLab that knows such things.

    GitLab itself says "404 File Not Found"; a proxy that turns %2F into a slash leads to an address that
    GitLab does not have.
    """
    words = error.detail.lower()
    return "/" in name and not any(f"{thing} not found" in words for thing in things)


def raise_if_project_is_missing(error: ForgeError) -> None:
    """Raise `error` again when it is the project, and not something in it, that is missing."""
    if "project not found" in error.detail.lower():
        raise error
