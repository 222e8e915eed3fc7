"""A project as it was kept, for when its forge cannot be asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from isexplore.errors import ForgeError, UnavailableError
from isexplore.models import Document, Issue, IssueVerdict, Project, ProjectRef, Verdict, Visibility
from isexplore.reading.facts import IssueLine, IssueReading, Reading, read_card
from isexplore.reading.markup import plain
from isexplore.reading.words import card_words
from isexplore.text import count

if TYPE_CHECKING:
    from isexplore.catalog.issues import FirstIssue
    from isexplore.local import LocalServices


def from_list(services: LocalServices, ref: ProjectRef) -> Reading | None:
    """Return what a portal's list tells of a project on a forge that is not connected, or None."""
    row = services.catalog.project(*ref)
    if row is None:
        return None
    known = UnavailableError(
        f"{ref.path} is known from a list of projects only",
        "",
        f"isexplore login connects to its forge; its page: {row.url}",
    )
    return from_shelf(services, ref, known)


def from_shelf(services: LocalServices, ref: ProjectRef, error: ForgeError) -> Reading | None:
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
        last_activity=_moment(row.last_activity),
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
                *card_words(card),
                f"| | |\n| --- | --- |\n{rows}",
            )
        ),
        people="The forge cannot be asked now.",
        documents=kept,
        card=card,
        issues=tuple(_line(one) for one in _first_issues(services, ref)),
        notes=(_why(error),),
        as_of=datetime.fromtimestamp(moment, UTC),
        offline=True,
        known=row.as_json(),
    )


def issue_from_shelf(
    services: LocalServices, ref: ProjectRef, number: int, error: ForgeError
) -> IssueReading | None:
    """Return what was kept of a first issue, or None."""
    for kept in _first_issues(services, ref):
        if kept.number == number:
            return IssueReading(
                line=_line(kept),
                comments=(),
                as_of=datetime.fromtimestamp(kept.fetched_at, UTC),
                offline=True,
                note=_why(error),
            )
    return None


def _first_issues(services: LocalServices, ref: ProjectRef) -> list[FirstIssue]:
    from isexplore.catalog.issues import issues_of

    store = services.catalog.store(ref.forge)
    return issues_of(store, ref.path) if store is not None else []


def _line(one: FirstIssue) -> IssueLine:
    return IssueLine(
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


def _why(error: ForgeError) -> str:
    """Return why the forge is not asked, and what to do."""
    return f"{error.title}." + (f" {error.hint}" if error.hint else "")


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
