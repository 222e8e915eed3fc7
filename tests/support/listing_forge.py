"""A forge in memory for the catalog's tests: it lists, and it can fail in every way that a listing can."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

from isexplore.catalog.enrich import Reading
from isexplore.catalog.sync import Source
from isexplore.errors import ForgeError, NotVisibleError
from isexplore.forge.base import Capability, Forge, ProjectPage
from isexplore.guide.documents import find_convention
from isexplore.models import (
    Comment,
    Document,
    FileEntry,
    Issue,
    IssueVerdict,
    Label,
    MergeRequest,
    Project,
    Verdict,
)
from tests.support.catalog import ACCOUNT


class ListingForge:
    """Projects by tag, in pages."""

    def __init__(self, name: str = "work", page: int = 10) -> None:
        self.name = name
        self.page = page
        self.projects: dict[str, list[Project]] = {}
        """Projects by tag."""
        self.files: dict[tuple[str, str], bytes] = {}
        """Files by path of the project and path in it."""
        self.project_labels: dict[str, list[Label]] = {}
        self.project_issues: dict[str, list[Issue]] = {}
        self.issue_comments: dict[int, list[Comment]] = {}
        self.shares: dict[str, float] = {}
        self.requests: list[str] = []
        self.fail_page: Callable[[str, int], ForgeError | None] = lambda tag, page: None
        self.fail_details: Callable[[Project], ForgeError | None] = lambda project: None
        self.loops = False
        self.at_once = 0
        self.most_at_once = 0
        self.capabilities = Capability.PARTICIPATION
        self.before_page: Callable[[str, int], None] = lambda tag, page: None

    def as_forge(self) -> Forge:
        return cast("Forge", self)

    def source(self, *tags: str, groups: tuple[str, ...] = ()) -> Source:
        return Source(self.as_forge(), ACCOUNT, tags or ("innersource",), groups)

    async def find_projects(
        self,
        tags: tuple[str, ...],
        *,
        text: str = "",
        changed_after: datetime | None = None,
        groups: tuple[str, ...] = (),
        resume: str = "",
    ) -> AsyncIterator[ProjectPage]:
        begin, _, at = resume.partition(" ")
        for tag in tags[tags.index(begin) :] if begin else tags:
            projects = self.projects.get(tag, [])
            if changed_after is not None:
                projects = [
                    each for each in projects if each.last_activity and each.last_activity > changed_after
                ]
            if groups:
                projects = [
                    each for each in projects if each.path.startswith(tuple(f"{one}/" for one in groups))
                ]
            start = int(at) if tag == begin else 0
            number = start // self.page
            while start < max(1, len(projects)):
                self.requests.append(f"{tag} {number}{' changed' if changed_after else ''}")
                self.before_page(tag, number)
                if (error := self.fail_page(tag, number)) is not None:
                    raise error
                await asyncio.sleep(0)
                cursor = f"{tag} {start + self.page}"
                yield ProjectPage(tuple(projects[start : start + self.page]), len(projects), cursor)
                number += 1
                if not self.loops:
                    start += self.page

    async def _ask(self, project: Project, what: str) -> None:
        self.requests.append(f"{what} {project.path}")
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if (error := self.fail_details(project)) is not None:
            raise error

    async def folder(self, project: Project, path: str = "") -> list[FileEntry]:
        await self._ask(project, "folder")
        return [FileEntry(path=name) for owner, name in self.files if owner == project.path]

    async def file(self, project: Project, path: str, *, ref: str = "", limit: int = 1 << 20) -> bytes | None:
        await self._ask(project, "file")
        data = self.files.get((project.path, path))
        return data[:limit] if data is not None else None

    async def languages(self, project: Project) -> dict[str, float]:
        await self._ask(project, "languages")
        return self.shares

    async def participation(self, project: Project) -> tuple[int, ...]:
        await self._ask(project, "participation")
        return (0,) * 51 + (7,)

    async def labels(self, project: Project) -> list[Label]:
        await self._ask(project, "labels")
        return self.project_labels.get(project.path, [])

    async def issues(
        self, project: Project, *, labels: tuple[str, ...] = (), limit: int = 100
    ) -> list[Issue]:
        await self._ask(project, "issues")
        found = [each for each in self.project_issues.get(project.path, []) if set(each.labels) & set(labels)]
        return found[:limit]

    async def comments(self, project: Project, number: int) -> list[Comment]:
        await self._ask(project, "comments")
        return self.issue_comments.get(number, [])

    async def linked_merge_requests(self, project: Project, number: int) -> list[MergeRequest]:
        await self._ask(project, "linked")
        return []


def judge(
    issue: Issue, comments: Sequence[Comment] | None, linked: Sequence[MergeRequest] | None
) -> IssueVerdict:
    """A simple rule: taken when assigned, unknown when nothing was read."""
    if issue.assignees:
        return IssueVerdict(verdict=Verdict.MAYBE_TAKEN, reasons=("assigned",))
    if comments is None or linked is None:
        return IssueVerdict(verdict=Verdict.UNKNOWN, reasons=("not read",))
    return IssueVerdict(verdict=Verdict.FREE, reasons=("nobody is assigned",))


async def _documents(forge: Forge, project: Project) -> list[Document]:
    found = find_convention(await forge.folder(project))
    documents = []
    for name, path in found.items():
        data = await forge.file(project, path)
        if data is None:
            raise NotVisibleError("gone")
        documents.append(Document(name=name, path=path, text=data.decode()))
    return documents


READING = Reading(
    is_first=lambda label: label.lower().replace("-", " ") == "good first issue",
    judge=judge,
    find_guides=find_convention,
    read_documents=_documents,
)


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self, start: datetime) -> None:
        self.now = start.timestamp()

    def __call__(self) -> float:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time).total_seconds()

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)
