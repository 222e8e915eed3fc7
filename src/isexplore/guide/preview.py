"""Reads a project for a newcomer: what it is, may I contribute, how, with whom, and what is free to take.

The first part costs at most four requests (project, top folder, README, CONTRIBUTING); the rest follows.
What cannot be read becomes a note: a project whose members are hidden still has a README.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Literal, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from isexplore.errors import ForgeError
from isexplore.forge.base import Forge
from isexplore.guide.digest import Digest, digest
from isexplore.guide.documents import FIRST, find_convention, in_order, list_guides, read_document
from isexplore.guide.issues import Tier, issue_tier, label_tier, verdict
from isexplore.guide.people import People, people
from isexplore.models import Document, FileEntry, Issue, IssueVerdict, Person, Project
from isexplore.text import ago, count

MAX_ISSUES = 50
"""First issues that are listed."""
MAX_JUDGED = 12
"""Issues whose comments and merge requests are read; the rest is judged by the list alone."""
_PAGE = 100
_AT_ONCE = 6

T = TypeVar("T")


class Check(Struct, frozen=True, kw_only=True):
    """One answer to "can I contribute here?"."""

    mark: Literal["yes", "no", "maybe", "unknown"]
    text: str
    hint: str = ""


class FirstIssue(Struct, frozen=True, kw_only=True):
    """An issue for newcomers, and whether it is free."""

    issue: Issue
    tier: Tier
    verdict: IssueVerdict


class Note(Struct, frozen=True, kw_only=True):
    """Something that could not be read, in words."""

    part: str
    """documents, issues, people or comments."""
    title: str
    hint: str = ""


class Preview(Struct, frozen=True, kw_only=True):
    """Everything that a newcomer wants to know of a project."""

    project: Project
    documents: tuple[Document, ...] = ()
    """README and CONTRIBUTING first."""
    digest: Digest = Digest()
    people: People = People()
    issues: tuple[FirstIssue, ...] = ()
    """First issues before wanted ones, latest change first."""
    checks: tuple[Check, ...] = ()
    notes: tuple[Note, ...] = ()
    complete: bool = False
    """False while more is on its way."""

    def document(self, name: str) -> Document | None:
        """Return a guide by what it is for (`README`)."""
        return next((document for document in self.documents if document.name == name), None)


OnPart = Callable[[Preview], None]


async def read_project(
    forge: Forge,
    project: Project | str,
    *,
    now: datetime | None = None,
    first_labels: Iterable[str] = (),
    wanted_labels: Iterable[str] = (),
    me: str = "",
    on_part: OnPart | None = None,
) -> Preview:
    """Read a project, calling `on_part` with each part as it comes, and return the whole.

    Args:
        forge: the forge that it is on.
        project: its path, or the project itself when it is at hand and fresh (one request less).
        now: the present, for ages.
        first_labels: spellings of the organisation for issues that suit newcomers.
        wanted_labels: spellings for issues that anyone may take.
        me: own user name.
        on_part: gets the preview so far; the last call is the whole.

    Raises:
        ForgeError: the project itself cannot be read.
    """
    reader = _Reader(
        forge,
        now or datetime.now(UTC),
        first=tuple(first_labels),
        wanted=tuple(wanted_labels),
        me=me,
        on_part=on_part,
    )
    return await reader.read(project)


class _Reader:
    """One reading of one project."""

    def __init__(
        self,
        forge: Forge,
        now: datetime,
        *,
        first: tuple[str, ...],
        wanted: tuple[str, ...],
        me: str,
        on_part: OnPart | None,
    ) -> None:
        self._forge = forge
        self._now = now
        self._first = first
        self._wanted = wanted
        self._me = me
        self._on_part = on_part
        self._notes: list[Note] = []
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def read(self, project: Project | str) -> Preview:
        if isinstance(project, str):
            project = await self._forge.project(project)
        preview = Preview(project=project)
        root: list[FileEntry] = []
        if not project.empty:
            listed = await self._part("documents", lambda: self._forge.folder(project))
            root = listed or []
            guides = find_convention(root, kind=self._forge.kind)
            if "README" not in guides and project.readme_path:
                guides["README"] = project.readme_path
            preview = self._told(preview, documents=await self._documents(project, guides, FIRST))
        issues, documents, members, contributors = await asyncio.gather(
            self._part("issues", lambda: self._find_issues(project)),
            self._other_documents(project, root, preview.documents),
            self._part("people", lambda: self._forge.members(project)),
            self._part("people", lambda: self._contributors(project)),
        )
        found = issues or []
        preview = self._told(
            preview,
            documents=tuple(in_order((*preview.documents, *documents))),
            issues=tuple(self._judged(issue, tier) for issue, tier in found),
        )
        contacts = people(
            preview.documents, kind=self._forge.kind, members=members or (), contributors=contributors or ()
        )
        preview = self._told(preview, people=contacts)
        closer = await asyncio.gather(*(self._judge(project, *each) for each in found[:MAX_JUDGED]))
        return self._told(preview, issues=(*closer, *preview.issues[MAX_JUDGED:]), complete=True)

    def _told(
        self,
        preview: Preview,
        *,
        documents: tuple[Document, ...] | None = None,
        issues: tuple[FirstIssue, ...] | None = None,
        people: People | None = None,
        complete: bool = False,
    ) -> Preview:
        """Return the preview with what is new, told to the listener."""
        preview = replace(
            preview,
            documents=preview.documents if documents is None else documents,
            digest=preview.digest if documents is None else digest(documents),
            issues=preview.issues if issues is None else issues,
            people=preview.people if people is None else people,
            notes=tuple(dict.fromkeys(self._notes)),
            complete=complete,
        )
        preview = replace(preview, checks=checks(preview, self._now))
        if self._on_part is not None:
            self._on_part(preview)
        return preview

    async def _part(self, part: str, ask: Callable[[], Awaitable[T]]) -> T | None:
        """Return a part, or None with a note of why it is missing. Asks only once there is a slot."""
        try:
            async with self._slots:
                return await ask()
        except ForgeError as error:
            self._notes.append(Note(part=part, title=error.title, hint=error.hint))
            return None

    async def _documents(
        self, project: Project, guides: dict[str, str], names: Iterable[str]
    ) -> tuple[Document, ...]:
        wanted = [(name, guides[name]) for name in names if name in guides]
        found = await asyncio.gather(
            *(
                self._part("documents", partial(read_document, self._forge, project, name, path))
                for name, path in wanted
            )
        )
        return tuple(in_order(document for document in found if document is not None))

    async def _other_documents(
        self, project: Project, root: list[FileEntry], have: tuple[Document, ...]
    ) -> tuple[Document, ...]:
        if not root:
            return ()
        guides = await list_guides(self._forge, project, root)
        names = [name for name in guides if name not in {document.name for document in have}]
        return await self._documents(project, guides, names)

    async def _contributors(self, project: Project) -> list[Person]:
        return [] if project.empty else await self._forge.contributors(project)

    # Issues

    async def _find_issues(self, project: Project) -> list[tuple[Issue, Tier]]:
        if not project.issues_enabled:
            return []
        issues = await self._forge.issues(project, limit=_PAGE)
        if len(issues) >= _PAGE:
            # The labelled ones may be among those that did not fit.
            names = [label.name for label in await self._forge.labels(project) if self._tier(label.name)]
            issues = await self._forge.issues(project, labels=tuple(names), limit=_PAGE) if names else []
        found = []
        for issue in issues:
            tier = issue_tier(issue, first=self._first, wanted=self._wanted)
            if tier is not None and issue.open and not issue.confidential:
                found.append((issue, tier))
        found.sort(key=lambda each: each[1] != "first")
        return found[:MAX_ISSUES]

    def _tier(self, label: str) -> Tier | None:
        return label_tier(label, first=self._first, wanted=self._wanted)

    def _judged(self, issue: Issue, tier: Tier) -> FirstIssue:
        return FirstIssue(issue=issue, tier=tier, verdict=verdict(issue, now=self._now, me=self._me))

    async def _judge(self, project: Project, issue: Issue, tier: Tier) -> FirstIssue:
        comments, linked = await asyncio.gather(
            self._part("comments", lambda: self._forge.comments(project, issue.number)),
            self._part("comments", lambda: self._forge.linked_merge_requests(project, issue.number)),
        )
        judged = verdict(issue, now=self._now, comments=comments, linked=linked, me=self._me)
        return FirstIssue(issue=issue, tier=tier, verdict=judged)


def checks(preview: Preview, now: datetime) -> tuple[Check, ...]:
    """Return the answers to "can I contribute here?", obstacles first."""
    found = [*_access(preview.project), *_life(preview.project, now)]
    if preview.documents or preview.complete:
        found += _guidance(preview)
    if preview.issues or preview.complete:
        found.append(_work(preview))
    order = {"no": 0, "maybe": 1, "yes": 2, "unknown": 3}
    return tuple(sorted(found, key=lambda check: order[check.mark]))


def _access(project: Project) -> list[Check]:
    if project.archived:
        return [
            Check(mark="no", text="Archived: it takes no changes", hint="Ask its owners whether it moved")
        ]
    found = []
    if not project.merge_requests_enabled:
        found.append(
            Check(
                mark="no", text="Merge requests are switched off", hint="Ask the owners how they take changes"
            )
        )
    elif project.can_propose is False:
        found.append(
            Check(mark="no", text="You may not open a merge request here", hint="Ask the owners for access")
        )
    if project.role.can_push:
        found.append(Check(mark="yes", text="You may push branches here, so no fork is needed"))
    elif project.forking_enabled is False:
        found.append(
            Check(
                mark="no",
                text="Forking is switched off",
                hint="Ask the owners to switch it on for internal users",
            )
        )
    elif project.forking_enabled is None:
        found.append(Check(mark="unknown", text="Whether you may fork it shows when you try"))
    else:
        found.append(Check(mark="yes", text="You may fork it and propose changes"))
    if project.empty:
        found.append(Check(mark="no", text="The repository is empty: there is nothing to change yet"))
    return found


def _life(project: Project, now: datetime) -> list[Check]:
    if project.last_activity is None:
        return []
    text = f"Last activity {ago(project.last_activity, now)}"
    quiet = (now - project.last_activity).days
    if quiet > 365:
        return [Check(mark="maybe", text=text, hint="Ask whether somebody still reviews before you start")]
    return [Check(mark="yes" if quiet <= 90 else "maybe", text=text)]


def _guidance(preview: Preview) -> list[Check]:
    rules = preview.digest
    found = []
    if preview.document("CONTRIBUTING") is not None:
        found.append(Check(mark="yes", text="It has a CONTRIBUTING guide"))
    elif not any(note.part == "documents" for note in preview.notes):
        found.append(
            Check(mark="maybe", text="No CONTRIBUTING guide", hint="Ask in an issue how they take changes")
        )
    if rules.review is not None:
        found.append(Check(mark="yes", text=f"On reviews: {rules.review.text}"))
    if rules.agreement is not None:
        found.append(
            Check(mark="maybe", text="It wants a contributor licence agreement", hint=rules.agreement.text)
        )
    if rules.sign_off_required:
        found.append(
            Check(mark="yes", text="Commits need a sign-off: git commit -s, or the step “commit” here")
        )
    return found


def _work(preview: Preview) -> Check:
    if not preview.project.issues_enabled:
        return Check(mark="unknown", text="Issues are switched off", hint="Ask where its work is listed")
    if any(note.part == "issues" for note in preview.notes):
        return Check(mark="unknown", text="Its issues could not be read")
    free = sum(issue.verdict.verdict == "free" for issue in preview.issues)
    if free:
        return Check(mark="yes", text=f"{count(free, 'issue')} for newcomers free to take")
    if preview.issues:
        return Check(
            mark="maybe", text=f"{count(len(preview.issues), 'issue')} for newcomers, none surely free"
        )
    hint = "Propose something of your own in an issue first"
    return Check(mark="maybe", text="No issues are marked for newcomers", hint=hint)
