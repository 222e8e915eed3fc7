"""Finding and reading on GitHub: repositories, files, issues, people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from isexplore.errors import ConflictError, ForbiddenError, ForgeError, NotVisibleError, WrongAnswerError
from isexplore.forge import github_parse as parse
from isexplore.forge import github_search
from isexplore.forge.address import host_of, origin_of
from isexplore.forge.answers import decode, web_page
from isexplore.forge.base import Capability, GitLogin, ProjectPage, ServerFacts
from isexplore.forge.github_graphql import REFUSALS, GitHubQueries
from isexplore.forge.github_search import PER_PAGE
from isexplore.forge.github_wire import (
    WireComment,
    WireEntry,
    WireEvent,
    WireIssue,
    WireLabel,
    WireMeta,
    WireParticipation,
    WireRepository,
    WireTree,
    WireUser,
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
    from isexplore.forge.answers import Answer
    from isexplore.forge.http import ForgeClient
    from isexplore.forge.paging import Params

HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
"""Further headers of every request: to be given to the client that the adapter gets."""
_RAW = "application/vnd.github.raw+json"
_FOLDER_LIMIT = 1_000
"""Entries of a folder that the contents API lists at most."""
_STATISTICS_PAUSES = (1.0, 2.0, 3.0)
"""Seconds before statistics are asked for again that GitHub is still computing."""


class GitHubReading:
    """The half of the adapter that finds and reads; see `isexplore.forge.github`.

    Args:
        name: of the forge in the configuration.
        url: web address.
        client: speaks to the REST API, with `HEADERS`; GraphQL is found from its address.
        now: the time, for tests.
    """

    kind = ForgeKind.GITHUB
    merge_request_noun = "pull request"
    capabilities = (
        Capability.DRAFTS
        | Capability.FORK_SYNC
        | Capability.PIPELINES
        | Capability.APPROVALS
        | Capability.DISCUSSIONS
        | Capability.TOKEN_FACTS
        | Capability.PARTICIPATION
        | Capability.STARS
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
        self._queries = GitHubQueries(name, client)
        self._now = now

    @property
    def git_login(self) -> GitLogin:
        """How git signs in: any user name does, and this one also does for the tokens of apps."""
        return GitLogin(origin=origin_of(self.url), username="x-access-token")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    # Who and what

    async def server(self) -> ServerFacts:
        """Return the version, which a server of one's own has; one in private mode wants a token first."""
        answer = await self._client.send("GET", ("meta",))
        wire = decode(answer, WireMeta, self._client.asked("GET", ("meta",)))
        version = wire.installed_version or answer.header("x-github-enterprise-version")
        if version:
            return ServerFacts(kind=self.kind, version=clean(version, 60), name="GitHub Enterprise Server")
        tenant = host_of(self.url).endswith(".ghe.com")
        return ServerFacts(kind=self.kind, version="", name="GitHub Enterprise Cloud" if tenant else "GitHub")

    async def whoami(self) -> Person:
        """Return the account of the token."""
        return parse.parse_person(await self._client.get_json(("user",), type=WireUser))

    async def token_facts(self) -> TokenFacts:
        """Return what the headers of an answer tell; fine-grained tokens tell no scopes."""
        if not self._client.signed_in:
            return TokenFacts()
        answer = await self._client.send("GET", ("user",))
        return parse.parse_token(
            answer.header("x-oauth-scopes"), answer.header("github-authentication-token-expiration")
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
        """Yield pages of repositories with any spelling of the tags; forks are left out.

        A tag `prop:name=value` is a custom property instead of a topic. Without tags, text and groups
        github.com would be everybody's: there it is what this account belongs to.
        """
        if not (tags or text or groups) and self._client.signed_in and host_of(self.url) == "github.com":
            async for page in self._own():
                yield page
            return
        searches = [
            query
            for marker in (github_search.markers(tags) if tags else [""])
            for query in github_search.queries(marker, text=text, changed_after=changed_after, groups=groups)
        ]
        come = github_search.come(resume, searches)
        if come.search:
            searches = searches[searches.index(come.search) :]
        for query in searches:
            slices = come.slices if query == come.search else ()
            async for page in github_search.search(self._client, self.name, query, self._now(), slices):
                yield page

    async def _own(self) -> AsyncIterator[ProjectPage]:
        params: Params = {"sort": "pushed", "per_page": PER_PAGE}
        async for page in self._client.pages(
            ("user", "repos"), params, item=WireRepository, most=PROJECT_PAGES
        ):
            projects = (parse.parse_project(self.name, wire) for wire in page.items if not wire.fork)
            yield ProjectPage(tuple(project for project in projects if not project.archived))

    async def project(self, path: str) -> Project:
        """Return one repository by path or id; a renamed one answers under its new path."""
        return parse.parse_project(self.name, await self._repository(path))

    async def _repository(self, path: str) -> WireRepository:
        where = ("repositories", path) if path.isascii() and path.isdigit() else self._path(path)
        return await self._client.get_json(where, type=WireRepository)

    def _path(self, path: str, *below: str | int) -> tuple[str | int, ...]:
        """Return the address of something in a repository.

        Raises:
            NotVisibleError: a path of more or fewer than two parts, which GitHub cannot have.
        """
        owner, slash, name = path.partition("/")
        if not (owner and slash and name) or "/" in name:
            raise NotVisibleError(
                "That does not exist, or this account may not see it",
                f"A path on GitHub is owner/name: {clean(path, 200)}",
                "Check the name.",
                forge=self.name,
            )
        return ("repos", owner, name, *below)

    def _at(self, project: Project, *below: str | int) -> tuple[str | int, ...]:
        return self._path(project.path, *below)

    async def languages(self, project: Project) -> dict[str, float]:
        """Return the share of each language by bytes."""
        return parse.parse_languages(
            await self._client.get_json(self._at(project, "languages"), type=dict[str, int])
        )

    async def folder(self, project: Project, path: str = "") -> list[FileEntry]:
        """Return a folder's entries; empty if it or its repository is missing: GitHub does not tell which."""
        parts = [part for part in path.split("/") if part]
        where = self._at(project, "contents", *parts)
        try:
            answer = await self._client.send("GET", where)
        except (NotVisibleError, ConflictError):
            return []
        # A file's own entry is an object.
        if answer.body.lstrip().startswith(b"{"):
            return []
        wires = decode(answer, list[WireEntry], self._client.asked("GET", where))
        if len(wires) >= _FOLDER_LIMIT:
            return await self._large_folder(project, "/".join(parts))
        return [parse.parse_entry(wire) for wire in wires if wire.path]

    async def _large_folder(self, project: Project, path: str) -> list[FileEntry]:
        """Return a folder's entries as git holds them, where the contents API stops at a thousand."""
        where = self._at(project, "git", "trees", f"HEAD:{path}" if path else "HEAD")
        tree = await self._client.get_json(where, type=WireTree)
        if tree.truncated:
            raise WrongAnswerError(
                f"The folder {path or '/'} of {project.path} is too large to be listed",
                "GitHub sent a part of its entries only.",
                "Look at it in the browser, or in a clone.",
                forge=self.name,
            )
        return [parse.parse_entry(wire, path) for wire in tree.tree or () if wire.path]

    async def file(self, project: Project, path: str, *, ref: str = "", limit: int = 1 << 20) -> bytes | None:
        """Return the beginning of a file; None if it is missing, or a folder."""
        where = self._at(project, "contents", *(part for part in path.split("/") if part))
        try:
            answer = await self._client.send(
                "GET", where, params={"ref": ref or None}, accept=_RAW, limit=limit, keep="head"
            )
        except (NotVisibleError, ConflictError):
            return None
        if answer.says_page:
            raise web_page(answer, self._client.asked("GET", where))
        return None if _is_listing(answer) else answer.body

    async def labels(self, project: Project) -> list[Label]:
        """Return the labels of the repository."""
        wires = await self._client.get_all(
            self._at(project, "labels"), {"per_page": PER_PAGE}, item=WireLabel
        )
        return [parse.parse_label(wire) for wire in wires if wire.name]

    async def issues(
        self, project: Project, *, labels: tuple[str, ...] = (), limit: int = 100
    ) -> list[Issue]:
        """Return open issues with any of the labels; GitHub combines labels by AND, so one request each.

        Its list has the pull requests among them, so that a page may hold fewer issues, or none.
        """
        if not project.issues_enabled:
            return []
        found: dict[int, Issue] = {}
        for label in dict.fromkeys(labels) or (None,):
            for wire in await self._labelled(project, label, limit):
                found[wire.number] = parse.parse_issue(self.name, project.path, wire)
        never = datetime.min.replace(tzinfo=UTC)
        return sorted(found.values(), key=lambda issue: issue.updated_at or never, reverse=True)[:limit]

    async def _labelled(self, project: Project, label: str | None, limit: int) -> list[WireIssue]:
        params: Params = {
            "state": "open",
            # A comma separates labels and cannot be escaped: all issues are looked through instead.
            "labels": None if label is None or "," in label else label,
            "sort": "updated",
            "direction": "desc",
            "per_page": PER_PAGE,
        }
        found: list[WireIssue] = []
        try:
            async for page in self._client.pages(self._at(project, "issues"), params, item=WireIssue):
                found += [wire for wire in page.items if wire.pull_request is None and _has(wire, label)]
                if len(found) >= limit:
                    break
        except NotVisibleError as error:
            if error.status != 410:
                raise
            # Issues were switched off since the project was read.
            return []
        return found[:limit]

    async def issue(self, project: Project, number: int) -> Issue:
        """Return one issue; a pull request of that number is none."""
        wire = await self._client.get_json(self._at(project, "issues", number), type=WireIssue)
        if wire.pull_request is not None:
            raise NotVisibleError(
                f"{project.path}#{number} is a pull request, not an issue",
                "GitHub numbers both together.",
                "Check the number.",
                forge=self.name,
                request=self._client.asked("GET", self._at(project, "issues", number)).request,
            )
        return parse.parse_issue(self.name, project.path, wire)

    async def comments(self, project: Project, number: int) -> list[Comment]:
        """Return the comments, oldest first."""
        wires = await self._client.get_all(
            self._at(project, "issues", number, "comments"), {"per_page": PER_PAGE}, item=WireComment
        )
        return [parse.parse_comment(wire) for wire in wires]

    async def linked_merge_requests(self, project: Project, number: int) -> list[MergeRequest]:
        """Return the pull requests that mention the issue, and those tied to it by hand.

        REST tells of mentions alone and without branches: it is for strangers, and for tokens that may
        not use GraphQL.
        """
        if self._client.signed_in:
            try:
                return await self._queries.linked(project, number)
            except REFUSALS:
                pass
        events = await self._client.get_all(
            self._at(project, "issues", number, "timeline"), {"per_page": PER_PAGE}, item=WireEvent
        )
        mentions = [event.source.issue for event in events if event.source and event.source.issue]
        requests = [parse.parse_mention(self.name, wire) for wire in mentions]
        known = {(found.project, found.number): found for found in requests if found is not None}
        return list(known.values())

    async def comment_on_issue(self, project: Project, number: int, body: str) -> Comment:
        """Write a comment."""
        try:
            wire = await self._client.send_json(
                "POST", self._at(project, "issues", number, "comments"), {"body": body}, type=WireComment
            )
        except NotVisibleError as error:
            raise _switched_off(error, project) from error
        return parse.parse_comment(wire)

    async def assign_issue(self, project: Project, number: int, person: Person) -> Issue:
        """Add an assignee; GitHub answers 201 also when it ignores the wish."""
        wire = await self._client.send_json(
            "POST",
            self._at(project, "issues", number, "assignees"),
            {"assignees": [person.username]},
            type=WireIssue,
        )
        return parse.parse_issue(self.name, project.path, wire)

    async def members(self, project: Project) -> list[Member]:
        """Return the collaborators to those who may push; to others, who may be assigned to issues."""
        if project.role.can_push:
            try:
                return parse.parse_collaborators(
                    await self._client.get_all(
                        self._at(project, "collaborators"), {"per_page": PER_PAGE}, item=WireUser
                    )
                )
            except (ForbiddenError, NotVisibleError):
                pass
        try:
            # Of a large organization that would be everybody; the first page has the owner.
            wires = await self._client.get_all(
                self._at(project, "assignees"), {"per_page": PER_PAGE}, item=WireUser, limit=PER_PAGE
            )
        except (ForbiddenError, NotVisibleError):
            return []
        return parse.parse_assignees(wires, project.owner)

    async def contributors(self, project: Project, *, limit: int = 20) -> list[Person]:
        """Return who committed most; nobody for an empty repository, or one with too long a history."""
        where = self._at(project, "contributors")
        try:
            answer = await self._client.send("GET", where, params={"per_page": max(1, min(limit, PER_PAGE))})
        except (ForbiddenError, NotVisibleError):
            return []
        if answer.status == 204:
            return []
        wires = decode(answer, list[WireUser], self._client.asked("GET", where))
        return [parse.parse_person(wire) for wire in wires][:limit]

    async def participation(self, project: Project) -> tuple[int, ...]:
        """Return commits of each of the last 52 weeks; empty while GitHub is computing them, after some patience."""
        where = self._at(project, "stats", "participation")
        for pause in (*_STATISTICS_PAUSES, None):
            try:
                answer = await self._client.send("GET", where)
            except (ForbiddenError, NotVisibleError):
                return ()
            if answer.status != 202:
                break
            if pause is not None:
                await self._client.sleep(pause)
        if answer.status != 200:
            return ()
        return parse.parse_participation(decode(answer, WireParticipation, self._client.asked("GET", where)))


def _has(wire: WireIssue, label: str | None) -> bool:
    """Whether an issue carries a label; case is no difference on GitHub."""
    return label is None or label.casefold() in {name.casefold() for name in parse.label_names(wire)}


def _is_listing(answer: Answer) -> bool:
    """Whether the answer to a request for raw bytes is a folder's listing instead."""
    return answer.media_type == "application/json" and answer.body.lstrip().startswith(b"[")


def _switched_off(error: NotVisibleError, project: Project) -> ForgeError:
    """Return what a refused comment means: 410 is for issues that are switched off."""
    if error.status != 410:
        return error
    return ForbiddenError(
        f"Issues are switched off in {project.path}",
        error.detail,
        "Ask the project's owners where they talk about their work.",
        forge=error.forge,
        status=error.status,
        request=error.request,
    )
