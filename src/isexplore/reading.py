"""A project as a person reads it: overview, guides, first issues, people; the same for screens and command line.

Comes from the forge when it can be asked, and is kept for when it cannot.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from isexplore.errors import ForgeError, InvalidError, NotVisibleError, UnavailableError
from isexplore.models import (
    Comment,
    Document,
    ForgeKind,
    Issue,
    IssueVerdict,
    Project,
    ProjectRef,
    Verdict,
    Visibility,
)
from isexplore.text import ago, count, literal

if TYPE_CHECKING:
    from isexplore.catalog.issues import FirstIssue
    from isexplore.guide.digest import Digest
    from isexplore.guide.markup import Finding
    from isexplore.guide.people import Contact, People
    from isexplore.guide.preview import Preview
    from isexplore.services import Services

CARD = "innersource.json"
"""What a project says of itself, in the format of SAP's project portal."""
MARKS = {"yes": "✓", "no": "✗", "maybe": "!", "unknown": "?"}
READINGS = 50
"""Projects that were read and are held in memory, with all their documents."""
_FENCE = "```"


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

    @property
    def objection(self) -> str:
        """Why it should not be begun without a thought, for a title; "" where it may."""
        if not self.issue.open:
            return f"Issue #{self.issue.number} is closed"
        if self.verdict.verdict is Verdict.MAYBE_TAKEN:
            return f"Issue #{self.issue.number} is probably taken"
        return ""


_FILE_PAGES = {ForgeKind.GITLAB: "-/blob", ForgeKind.GITHUB: "blob", ForgeKind.GITEA: "src/branch"}


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
    known: dict[str, Any] | None = None
    """The project in its stable shape, where the catalog tells it."""
    """The forge could not be asked: this is what was kept."""

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


def plain(text: str) -> str:
    """Return `text` as one line that Markdown shows as it is."""
    return literal(" ".join(text.split()))


def unmarked(text: str) -> str:
    """Return our own Markdown as plain text: tables as lines, emphasis and escapes gone."""
    lines = []
    for line in text.splitlines():
        if line in ("| | |", "| --- | --- |"):
            continue
        if line.startswith("| ") and line.endswith(" |"):
            first, _, rest = line[2:-2].partition(" | ")
            line = f"{first:<14} {rest}" if len(first) > 1 else f"{first} {rest}"
        lines.append(re.sub(r"(?<!\\)\*", "", line))
    return re.sub(r"\\([^A-Za-z0-9\s])", r"\1", "\n".join(lines))


async def read(services: Services, ref: ProjectRef, *, again: bool = False) -> Reading:
    """Return a project to read, from the forge or from what was kept.

    Args:
        services: where to ask.
        ref: the project.
        again: ask the forge, whatever is in memory.

    Raises:
        ForgeError: the forge cannot be asked, and nothing was kept.
    """
    # Another account gets a dictionary of its own: what is under way for this one must not get into it.
    readings = services.readings
    known = readings.get(ref)
    if known is not None and not again and not known.offline:
        _hold(readings, ref, known)
        return known
    if services.config.forge(ref.forge) is None and (listed := _from_list(services, ref)) is not None:
        return listed
    from isexplore.guide.preview import read_project

    try:
        forge = await services.forge(ref.forge)
        config = services.config
        preview = await read_project(
            forge,
            ref.path,
            first_labels=config.first_labels,
            wanted_labels=config.wanted_labels,
            me=services.username(ref.forge),
        )
    except ForgeError as error:
        kept = _from_shelf(services, ref, error)
        if kept is None:
            raise
        return kept
    reading = compose(ref, preview)
    _hold(readings, ref, reading)
    await asyncio.to_thread(_keep, services, ref, preview)
    return reading


def _hold(readings: dict[ProjectRef, Reading], ref: ProjectRef, reading: Reading) -> None:
    """Put a project last among those that were read, and let go of the first where there are too many."""
    readings.pop(ref, None)
    readings[ref] = reading
    while len(readings) > READINGS:
        del readings[next(iter(readings))]


async def read_file(services: Services, reading: Reading, path: str) -> Document | str:
    """Return a file of a project; its web page where it is missing, a folder, or no text.

    Args:
        services: where to ask.
        reading: the project.
        path: of the file in the project.

    Raises:
        ForgeError: the forge cannot be asked.
    """
    from isexplore.guide.documents import read_document

    forge = await services.forge(reading.ref.forge)
    try:
        document = await read_document(forge, reading.project, path, path)
    except (NotVisibleError, InvalidError):
        document = None
    return document or reading.file_url(path, forge.kind)


def compose(ref: ProjectRef, preview: Preview) -> Reading:
    """Return what was read of a project, in words."""
    return Reading(
        ref=ref,
        project=preview.project,
        overview=overview(preview),
        people=people_words(preview.people),
        contacts=tuple(_contact(one) for one in (*preview.people.contacts, *preview.people.also)),
        documents=preview.documents,
        card=_card_of(preview),
        issues=tuple(IssueLine(issue=one.issue, verdict=one.verdict) for one in preview.issues),
        notes=tuple(
            f"{note.part.capitalize()}: {note.title}." + (f" {note.hint}" if note.hint else "")
            for note in preview.notes
        ),
        as_of=datetime.now(UTC),
    )


def _contact(contact: Contact) -> dict[str, str | None]:
    return {
        "name": contact.name,
        "role": contact.role,
        "source": contact.source,
        "username": contact.username,
        "url": contact.url,
    }


def _card_of(preview: Preview) -> Card | None:
    document = preview.document(CARD)
    return read_card(document.text) if document is not None else None


def _card_words(card: Card | None) -> list[str]:
    """Return what the project says of itself, as a section of Markdown; empty when it says nothing."""
    rows = card.rows() if card is not None else []
    if not rows:
        return []
    lines = [f"| {name} | {plain(value)} |" for name, value in rows]
    return ["\n".join(("## In its own words", "", "| | |", "| --- | --- |", *lines))]


def overview(preview: Preview) -> str:
    """Return the first things to know of a project, as Markdown."""
    project = preview.project
    parts = [plain(project.description) or "*No description.*", *_card_words(_card_of(preview))]
    if preview.checks:
        rows = ["## May I contribute?", "", "| | |", "| --- | --- |"]
        for check in preview.checks:
            words = plain(check.text) + (f". *{plain(check.hint)}*" if check.hint else "")
            rows.append(f"| {MARKS[check.mark]} | {words} |")
        parts.append("\n".join(rows))
    rules = digest_rows(preview.digest)
    if rules:
        parts.append("\n".join(("## What the project asks for", "", "| | |", "| --- | --- |", *rules)))
    contacts = preview.people.contacts[:3]
    if contacts:
        names = ", ".join(plain(_called(contact)) for contact in contacts)
        chat = "".join(f" · {plain(link.text)}" for link in preview.people.chat[:2])
        parts.append(f"## Whom to ask\n\n{names}{chat}")
    facts = [
        ("Visibility", project.visibility.value),
        ("Language", project.language or ""),
        ("Licence", project.licence or ""),
        ("Topics", ", ".join(project.topics)),
        ("Stars, forks", f"{project.stars:,}, {project.forks:,}"),
        ("Last activity", ago(project.last_activity)),
        ("Address", project.url),
    ]
    rows = [f"| {name} | {plain(value)} |" for name, value in facts if value]
    parts.append("\n".join(("## The project", "", "| | |", "| --- | --- |", *rows)))
    return "\n\n".join(parts)


def digest_rows(rules: Digest) -> Iterable[str]:
    """Return what the guides ask of a change, as rows of a Markdown table; says where each is written."""
    named: list[tuple[str, Finding | None]] = [
        ("Set-up", rules.setup),
        ("Tests", rules.test),
        ("Commits", rules.commit_style),
        ("Sign-off", rules.sign_off if rules.sign_off_required else None),
        ("Agreement", rules.agreement),
        ("Branches", rules.branch_naming),
        ("Review", rules.review),
        ("Done means", rules.done),
    ]
    return [
        f"| {name} | {plain('; '.join(found.text.splitlines()))} *({plain(found.document)}, line {found.line})* |"
        for name, found in named
        if found is not None
    ]


def _called(contact: Contact) -> str:
    if contact.username and contact.username not in contact.name:
        return f"{contact.name} (@{contact.username})"
    return contact.name


def people_words(people: People) -> str:
    """Return whom to ask, and how that is known, as Markdown."""
    if not people.contacts and not people.chat:
        return "Nobody is named in its documents. The last people to merge something are on its web page."
    parts = []
    if people.contacts:
        rows = "\n".join(f"- {plain(_called(one))}: {plain(one.role)}" for one in people.contacts)
        parts.append(f"{plain(people.basis[:1].upper() + people.basis[1:])}:\n\n{rows}")
    if people.chat:
        parts.append(
            "Where they talk:\n\n"
            + "\n".join(
                f"- {plain(link.text)}{' ' + link.url if link.url else ''} *({plain(link.document)}, line {link.line})*"
                for link in people.chat
            )
        )
    if people.also:
        rows = "\n".join(f"- {plain(_called(one))}: {plain(one.role)}" for one in people.also[:10])
        parts.append(f"Also:\n\n{rows}")
    return "\n\n".join(parts)


# Keeping


def _keep(services: Services, ref: ProjectRef, preview: Preview) -> None:
    """Put the documents on the shelf, for reading without network."""
    from isexplore.updates import shelve

    shelve(services, ref, preview)


def _from_list(services: Services, ref: ProjectRef) -> Reading | None:
    """Return what a portal's list tells of a project on a forge that is not connected, or None."""
    row = services.catalog.project(*ref)
    if row is None:
        return None
    known = UnavailableError(
        f"{ref.path} is known from a list of projects only",
        "",
        f"isexplore login connects to its forge; its page: {row.url}",
    )
    return _from_shelf(services, ref, known)


def _from_shelf(services: Services, ref: ProjectRef, error: ForgeError) -> Reading | None:
    """Return what was kept of a project, or None."""
    row = services.catalog.project(*ref)
    if row is None:
        return None
    documents = services.catalog.documents(row)
    project = Project(
        forge=row.forge,
        id=row.id,
        path=row.path,
        name=row.name,
        url=row.url,
        description=row.description,
        visibility=next((one for one in Visibility if one == row.visibility), Visibility.PRIVATE),
        open_issues=row.open_issues,
        topics=row.topics,
        language=row.language,
        licence=row.licence,
        stars=row.stars,
        forks=row.forks,
        default_branch=row.default_branch,
        last_activity=datetime.fromtimestamp(row.last_activity, UTC)
        if row.last_activity is not None
        else None,
    )
    kept = tuple(
        Document(name=one.name, path=one.path, text=one.text, truncated=one.truncated) for one in documents
    )
    moment = documents[0].fetched_at if documents else row.fetched_at
    facts = [
        ("Language", row.language or ""),
        ("Topics", ", ".join(row.topics)),
        ("Activity", f"{row.level} ({row.score})"),
        ("First issues", count(row.good_first_issues, "issue") if row.good_first_issues else ""),
        ("Address", row.url),
    ]
    rows = "\n".join(f"| {name} | {plain(value)} |" for name, value in facts if value)
    card = read_card(row.card or "")
    return Reading(
        ref=ref,
        project=project,
        overview="\n\n".join(
            (
                plain(row.description) or "*No description.*",
                *_card_words(card),
                f"| | |\n| --- | --- |\n{rows}",
            )
        ),
        people="The forge cannot be asked now.",
        documents=kept,
        card=card,
        issues=_kept_issues(services, ref),
        notes=(f"{error.title}." + (f" {error.hint}" if error.hint else ""),),
        as_of=datetime.fromtimestamp(moment, UTC),
        offline=True,
        known=row.as_json(),
    )


def _kept_issues(services: Services, ref: ProjectRef) -> tuple[IssueLine, ...]:
    from isexplore.catalog.issues import issues_of

    store = services.catalog.store(ref.forge)
    found = issues_of(store, ref.path) if store is not None else []
    return tuple(
        IssueLine(
            issue=Issue(
                forge=one.forge,
                project=one.project,
                number=one.number,
                title=one.title,
                url=one.url,
                description=one.description,
                labels=one.labels,
                author=one.author,
                assignees=one.assignees,
                comments=one.comments,
                created_at=_moment(one.created_at),
                updated_at=_moment(one.updated_at),
            ),
            verdict=IssueVerdict(verdict=Verdict(one.verdict), reasons=one.reasons),
        )
        for one in found
    )


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None


# Issues


def issue_document(row: FirstIssue) -> str:
    """Return what the catalog knows of an issue, as Markdown."""
    labels = ", ".join(plain(label) for label in row.labels)
    parts = [
        f"# {plain(row.title)}",
        f"**{row.verdict.replace('-', ' ').capitalize()}**: {plain('; '.join(row.reasons)) or 'not looked at yet'}",
        f"{plain(row.project)} \\#{row.number}" + (f" · {labels}" if labels else ""),
        row.description,
    ]
    return "\n\n".join(part for part in parts if part)


class IssueReading(Struct, frozen=True, kw_only=True):
    """An issue with its comments and a fresh verdict."""

    line: IssueLine
    comments: tuple[Comment, ...]
    """Those of people, oldest first."""
    as_of: datetime

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
        }


async def read_issue(services: Services, ref: ProjectRef, number: int) -> IssueReading:
    """Return an issue with its comments and a fresh verdict, which the catalog learns too.

    Raises:
        ForgeError: it cannot be read.
    """
    from isexplore.guide.issues import is_first_label, verdict
    from isexplore.updates import keep_verdict

    forge = await services.forge(ref.forge)
    project = await forge.project(ref.path)
    issue, comments, linked = await asyncio.gather(
        forge.issue(project, number),
        forge.comments(project, number),
        forge.linked_merge_requests(project, number),
    )
    now = datetime.now(UTC)
    judged = verdict(issue, now=now, comments=comments, linked=linked, me=services.username(ref.forge))
    if any(is_first_label(label, services.config.first_labels) for label in issue.labels):
        await asyncio.to_thread(keep_verdict, services, project, issue, judged)
    return IssueReading(
        line=IssueLine(issue=issue, verdict=judged),
        comments=tuple(one for one in comments if not one.system),
        as_of=now,
    )
