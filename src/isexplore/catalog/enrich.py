"""A closer look at one project: languages, guides, good first issues and who would take them.

It costs four to six requests for each project, so a sync does it for the best ones and for those
that somebody keeps, and goes on with the next ones another time.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from isexplore.catalog.pause import Pause
from isexplore.catalog.records import EXCERPT_LIMIT
from isexplore.catalog.shelf import JudgedIssue
from isexplore.catalog.write import Details
from isexplore.errors import (
    ForbiddenError,
    ForgeError,
    InvalidError,
    NotVisibleError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.forge.base import Capability, Forge
from isexplore.models import Comment, Document, FileEntry, Issue, IssueVerdict, MergeRequest, Project
from isexplore.text import clean, clean_line

Judge = Callable[[Issue, "Sequence[Comment] | None", "Sequence[MergeRequest] | None"], IssueVerdict]
"""Says whether an issue is free; None for what was not read."""

ISSUES_PER_PROJECT = 50
JUDGED_PER_PROJECT = 10
"""Issues of a project whose comments and merge requests are read, latest change first."""
_README_BYTES = 32_768
_CARD_BYTES = 65_536
_CARD = "innersource.json"
_LANGUAGES = 5
_REFUSED = (NotVisibleError, ForbiddenError, InvalidError, WrongAnswerError, UnavailableError)
"""What one project may answer without the next one being in doubt; see `_its_own`."""


def _its_own(error: ForgeError) -> None:
    """Return when the error is this project's alone; a broken repository makes a forge answer 500.

    Raises:
        ForgeError: the same one, when the forge as a whole does not answer.
    """
    if isinstance(error, UnavailableError) and error.status != 500:
        raise error


@dataclass(frozen=True)
class Reading:
    """How projects are read: rules that belong to the guide, given to the sync by whoever starts it."""

    is_first: Callable[[str], bool]
    """Whether a label marks good first issues."""
    judge: Judge
    find_guides: Callable[[Sequence[FileEntry]], Mapping[str, str]]
    """Path of each guide among the entries of the top folder, by its name (`README`, ...)."""
    read_documents: Callable[[Forge, Project], Awaitable[Sequence[Document]]] | None = None
    """Reads all guides of a project, for the offline shelf."""
    first_labels: tuple[str, ...] = ()
    """Spellings of the labels of good first issues, the usual ones first, for where they must be named."""


@dataclass(frozen=True)
class Look:
    """What a closer look found."""

    project: Project
    details: Details
    issues: tuple[JudgedIssue, ...] | None = None
    """None when they could not be read."""
    documents: tuple[Document, ...] | None = None
    """For the shelf; None when not asked for."""
    refused: bool = False
    """Something of the project could not be read."""


class Looker:
    """Takes closer looks at projects of one forge."""

    def __init__(self, forge: Forge, reading: Reading, pause: Pause, *, judged: int = 500) -> None:
        """Take closer looks.

        Args:
            forge: where the projects are.
            reading: the rules.
            pause: shared by everybody who talks to this forge.
            judged: issues whose comments are read in all.
        """
        self._forge = forge
        self._reading = reading
        self._pause = pause
        self._judged = judged

    async def look(self, project: Project, *, shelve: bool = False) -> Look:
        """Return what there is to know of a project; parts that it refuses are left out.

        Raises:
            ForgeError: the forge itself does not answer, or the token is not taken any more.
        """
        refused = False
        documents: tuple[str, ...] | None = None
        readme = card = guidelines = None
        languages: tuple[str, ...] | None = None
        issues: tuple[JudgedIssue, ...] | None = None
        shelf: tuple[Document, ...] | None = None
        weeks: tuple[int, ...] | None = None
        try:
            if not project.empty:
                root = await self._pause.ask(lambda: self._forge.folder(project))
                guides = dict(self._reading.find_guides(root))
                documents = tuple(clean_line(name, 60) for name in guides)
                guidelines = guides.get("CONTRIBUTING", "")
                readme = await self._readme(project, guides.get("README") or project.readme_path)
                card = await self._card(project, root)
                if not card:
                    # One that says nothing is no more than a file of this name.
                    documents = tuple(name for name in documents if name != _CARD)
                languages = await self._languages(project)
                if Capability.PARTICIPATION in self._forge.capabilities:
                    weeks = await self._pause.ask(lambda: self._forge.participation(project))
            elif not project.languages:
                languages = ()
        except _REFUSED as error:
            _its_own(error)
            refused = True
        try:
            issues = await self.first_issues(project)
        except _REFUSED as error:
            _its_own(error)
            refused = True
        read = self._reading.read_documents
        if shelve and read is not None:
            try:
                shelf = tuple(await self._pause.ask(lambda: read(self._forge, project)))
            except _REFUSED as error:
                _its_own(error)
                refused = True
        details = Details(
            languages=languages,
            documents=documents,
            readme=readme,
            good_first_issues=len(issues) if issues is not None else None,
            participation=weeks or None,
            card=card,
            guidelines=guidelines,
        )
        return Look(project, details, issues, shelf, refused)

    async def _languages(self, project: Project) -> tuple[str, ...] | None:
        if project.languages:
            return None
        found = await self._pause.ask(lambda: self._forge.languages(project))
        return tuple(clean_line(name, 60) for name in list(found)[:_LANGUAGES])

    async def _readme(self, project: Project, path: str | None) -> str | None:
        if path is None:
            return ""
        data = await self._pause.ask(lambda: self._forge.file(project, path, limit=_README_BYTES))
        if data is None or b"\x00" in data[:4_096]:
            return ""
        return clean(data.decode("utf-8", "replace"), EXCERPT_LIMIT)

    async def _card(self, project: Project, root: Sequence[FileEntry]) -> str | None:
        """Return the project's innersource.json, cleaned; empty when it has none worth showing."""
        if not any(entry.path == _CARD and not entry.folder for entry in root):
            return ""
        data = await self._pause.ask(lambda: self._forge.file(project, _CARD, limit=_CARD_BYTES))
        return clean_card(data or b"")

    async def first_issues(self, project: Project) -> tuple[JudgedIssue, ...]:
        """Return the project's open good first issues with their verdicts."""
        if not project.issues_enabled:
            return ()
        labels = await self._pause.ask(lambda: self._forge.labels(project))
        first = tuple(label.name for label in labels if self._reading.is_first(label.name))
        counts = [label.open_issues for label in labels if label.name in first]
        if not first or all(number == 0 for number in counts):
            return ()
        issues = await self._pause.ask(
            lambda: self._forge.issues(project, labels=first, limit=ISSUES_PER_PROJECT)
        )
        unique = {issue.number: issue for issue in issues if issue.open and not issue.confidential}
        judged: list[JudgedIssue] = []
        for number, issue in enumerate(unique.values()):
            if number < JUDGED_PER_PROJECT and self._judged > 0:
                self._judged -= 1
                judged.append(await self.judge(project, issue))
            else:
                judged.append(JudgedIssue(issue, self._reading.judge(issue, None, None)))
        return tuple(judged)

    async def judge(self, project: Project, issue: Issue) -> JudgedIssue:
        """Return an issue with a fresh verdict: comments and merge requests are read."""
        comments: list[Comment] | None = []
        linked: list[MergeRequest] | None = None
        try:
            if issue.comments or issue.assignees:
                comments = await self._pause.ask(lambda: self._forge.comments(project, issue.number))
        except _REFUSED as error:
            _its_own(error)
            comments = None
        try:
            linked = await self._pause.ask(lambda: self._forge.linked_merge_requests(project, issue.number))
        except _REFUSED as error:
            _its_own(error)
            linked = None
        return JudgedIssue(issue, self._reading.judge(issue, comments, linked))


_CARD_TEXTS = ("title", "motivation", "logo", "docs", "language")
_CARD_LISTS = ("contributions", "skills")


def clean_card(data: bytes) -> str:
    """Return an innersource.json with the known keys alone, their texts cleaned; empty for what is none."""
    try:
        card = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(card, dict):
        return ""
    kept: dict[str, str | list[str]] = {
        name: clean_line(card[name], 2_000) for name in _CARD_TEXTS if isinstance(card.get(name), str)
    }
    for name in _CARD_LISTS:
        if isinstance(values := card.get(name), list):
            kept[name] = [clean_line(each, 200) for each in values[:30] if isinstance(each, str)]
    return json.dumps(kept, ensure_ascii=False) if kept else ""
