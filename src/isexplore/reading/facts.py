"""What is read of a project and of an issue, in its stable shapes: JSON and plain text."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from isexplore.models import (
    Comment,
    Document,
    ForgeKind,
    Issue,
    IssueVerdict,
    Project,
    ProjectRef,
    Verdict,
)
from isexplore.reading.markup import plain, unmarked
from isexplore.text import ago

CARD = "innersource.json"
"""What a project says of itself, in the format of SAP's project portal."""
_FILE_PAGES = {ForgeKind.GITLAB: "-/blob", ForgeKind.GITHUB: "blob", ForgeKind.GITEA: "src/branch"}


class Card(Struct, frozen=True, kw_only=True):
    """What a project says of itself in its innersource.json (the format of SAP's project portal)."""

    title: str = ""
    motivation: str = ""
    contributions: tuple[str, ...] = ()
    """Kinds of contributions that are wanted."""
    skills: tuple[str, ...] = ()
    docs: str = ""
    """Where its documentation is."""

    def rows(self) -> list[tuple[str, str]]:
        """Return what it says, as names and values."""
        facts = (
            ("Why", self.motivation),
            ("Wanted", ", ".join(self.contributions)),
            ("Skills", ", ".join(self.skills)),
            ("Documentation", self.docs),
        )
        return [(name, value) for name, value in facts if value]

    def as_json(self) -> dict[str, Any]:
        """Return the stable shape of `innersource` in `isexplore show --json`."""
        return {
            "title": self.title,
            "motivation": self.motivation,
            "contributions": list(self.contributions),
            "skills": list(self.skills),
            "docs": self.docs,
        }


def read_card(text: str) -> Card | None:
    """Return what an innersource.json says; None for one that says nothing."""
    from isexplore.catalog.enrich import clean_card

    known = clean_card(text.encode())
    if not known:
        return None
    card = msgspec.json.decode(known, type=Card)
    return card if card != Card() else None


class IssueLine(Struct, frozen=True, kw_only=True):
    """An issue for newcomers with its verdict."""

    issue: Issue
    verdict: IssueVerdict
    first: bool = True
    """Whether it is a good first issue; the others are those that help is wanted with."""

    @property
    def objection(self) -> str:
        """Why it should not be begun without a thought, for a title; "" where it may."""
        if not self.issue.open:
            return f"Issue #{self.issue.number} is closed"
        if self.verdict.verdict is Verdict.MAYBE_TAKEN:
            return f"Issue #{self.issue.number} is probably taken"
        return ""


class Reading(Struct, frozen=True, kw_only=True):
    """Everything there is to read of a project."""

    ref: ProjectRef
    project: Project
    overview: str
    """Markdown."""
    people: str
    """Markdown."""
    contacts: tuple[dict[str, str | None], ...] = ()
    documents: tuple[Document, ...] = ()
    """README and CONTRIBUTING first."""
    issues: tuple[IssueLine, ...] = ()
    card: Card | None = None
    """Its innersource.json."""
    notes: tuple[str, ...] = ()
    """What could not be read, in words."""
    as_of: datetime
    offline: bool = False
    """The forge could not be asked: this is what was kept."""
    known: dict[str, Any] | None = None
    """The project in its stable shape, where the catalog tells it."""

    @property
    def url(self) -> str:
        """The project's web page."""
        return self.project.url

    def file_url(self, path: str, kind: ForgeKind) -> str:
        """Return the web page of a file of the project, as that kind of forge names it."""
        branch = quote(self.project.default_branch or "HEAD")
        return f"{self.project.url}/{_FILE_PAGES[kind]}/{branch}/{quote(path)}"

    def as_json(self) -> dict[str, Any]:
        """Return the stable shape of `isexplore show --json`."""
        project = self.project
        has_guidelines = any(one.name == "CONTRIBUTING" for one in self.documents)
        return {
            **(self.known or project_as_json(project, has_guidelines=has_guidelines)),
            "documents": [{"name": one.name, "path": one.path, "text": one.text} for one in self.documents],
            "people": list(self.contacts),
            "innersource": self.card.as_json() if self.card else None,
            "issues": [issue_as_json(line) for line in self.issues],
            "notes": list(self.notes),
            "as_of": self.as_of.isoformat().replace("+00:00", "Z"),
            "offline": self.offline,
        }

    def as_text(self) -> str:
        """Return everything as plain text, for a pipe or a screen reader."""
        parts = [
            f"{self.ref.path}\n{'=' * len(self.ref.path)}",
            unmarked(self.overview),
            "## People\n\n" + unmarked(self.people),
        ]
        if self.issues:
            rows = [
                f"#{line.issue.number}  {line.verdict.verdict.value.replace('-', ' ')}  {line.issue.title}"
                + (f"  ({'; '.join(line.verdict.reasons)})" if line.verdict.reasons else "")
                for line in self.issues
            ]
            parts.append("## First issues\n\n" + "\n".join(rows))
        parts += [f"## {document.path}\n\n{document.text}" for document in self.documents[:2]]
        if self.offline:
            parts.append(f"(Read {ago(self.as_of)}; the forge cannot be asked now.)")
        return "\n\n".join(parts)


class IssueReading(Struct, frozen=True, kw_only=True):
    """An issue with its comments and a fresh verdict."""

    line: IssueLine
    comments: tuple[Comment, ...]
    """Those of people, oldest first."""
    as_of: datetime
    offline: bool = False
    """It is what was kept of it: the forge cannot be asked, and its comments are not known."""
    note: str = ""
    """Why the forge cannot be asked."""

    @property
    def _age(self) -> str:
        """How old it is, where it was kept."""
        if not self.offline:
            return ""
        return f"Read {ago(self.as_of)}, without its comments; the forge cannot be asked now."

    def as_markdown(self) -> str:
        """Return it for the screens."""
        issue, verdict = self.line.issue, self.line.verdict
        labels = ", ".join(plain(label) for label in issue.labels)
        parts = [
            f"# {plain(issue.title)}",
            f"**{verdict.verdict.value.replace('-', ' ').capitalize()}**: {plain('; '.join(verdict.reasons))}",
            f"{plain(issue.project)} \\#{issue.number} by @{plain(issue.author)} "
            f"{ago(issue.created_at, self.as_of)}" + (f" · {labels}" if labels else ""),
            issue.description,
        ]
        parts += [
            f"---\n\n**@{plain(one.author)}** {ago(one.created_at, self.as_of)}\n\n{one.body}"
            for one in self.comments
        ]
        parts.append(f"---\n\n*{self._age}*" if self.offline else "")
        return "\n\n".join(part for part in parts if part)

    def as_text(self) -> str:
        """Return it as plain text, everybody's words as they are."""
        issue, verdict = self.line.issue, self.line.verdict
        parts = [
            f"{issue.project} #{issue.number}  {issue.title}",
            f"{verdict.verdict.value.replace('-', ' ')}: {'; '.join(verdict.reasons)}",
            f"by @{issue.author} {ago(issue.created_at, self.as_of)}  {', '.join(issue.labels)}".rstrip(),
            issue.description,
        ]
        parts += [f"@{one.author} {ago(one.created_at, self.as_of)}:\n{one.body}" for one in self.comments]
        parts.append(f"({self._age})" if self.offline else "")
        return "\n\n".join(part for part in parts if part)

    def as_json(self) -> dict[str, Any]:
        """Return the shape of `isexplore show --issue --json`."""
        return {
            **issue_as_json(self.line),
            "description": self.line.issue.description,
            "comments": [
                {"author": one.author, "body": one.body, "created": _time(one.created_at)}
                for one in self.comments
            ],
            "as_of": _time(self.as_of),
            "offline": self.offline,
            "notes": [self.note] if self.note else [],
        }


def project_as_json(project: Project, *, has_guidelines: bool = False) -> dict[str, Any]:
    """Return the stable shape of a project, as `isexplore search --json` has it."""
    from isexplore.catalog import score

    points = score.activity_score(
        stars=project.stars,
        forks=project.forks,
        open_issues=project.open_issues or 0,
        subscribers=project.subscribers or 0,
        created_at=int(project.created_at.timestamp()) if project.created_at else None,
        last_activity=int(project.last_activity.timestamp()) if project.last_activity else None,
        now=int(time.time()),
        description=project.description,
        has_guidelines=has_guidelines,
    )
    return {
        "forge": project.forge,
        "path": project.path,
        "name": project.name,
        "description": project.description,
        "url": project.url,
        "visibility": project.visibility.value,
        "language": project.language,
        "topics": list(project.topics),
        "stars": project.stars,
        "forks": project.forks,
        "open_issues": project.open_issues,
        "good_first_issues": project.good_first_issues,
        "last_activity": _time(project.last_activity),
        "score": points,
        "level": score.level(points),
    }


def issue_as_json(line: IssueLine) -> dict[str, Any]:
    """Return the stable shape of an issue, as `isexplore issues --json` has it."""
    issue = line.issue
    return {
        "forge": issue.forge,
        "project": issue.project,
        "number": issue.number,
        "title": issue.title,
        "url": issue.url,
        "labels": list(issue.labels),
        "verdict": line.verdict.verdict.value,
        "reasons": list(line.verdict.reasons),
        "updated": _time(issue.updated_at),
    }


def _time(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
