"""Reading from the forge, which the catalog learns from; from what was kept where the forge cannot be asked."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from isexplore.errors import ForgeError, InvalidError, NotVisibleError
from isexplore.models import Document, ProjectRef
from isexplore.reading.facts import CARD, IssueLine, IssueReading, Reading, read_card
from isexplore.reading.kept import from_list, from_shelf, issue_from_shelf
from isexplore.reading.words import overview, people_words

if TYPE_CHECKING:
    from isexplore.connected import ConnectedServices
    from isexplore.forge.base import Forge
    from isexplore.guide.people import Contact
    from isexplore.guide.preview import Preview
    from isexplore.models import Branch, Project

READINGS = 50
"""Projects that were read and are held in memory, with all their documents."""


async def read(
    services: ConnectedServices, ref: ProjectRef, readings: dict[ProjectRef, Reading], *, again: bool = False
) -> Reading:
    """Return a project to read, from the forge or from what was kept.

    Args:
        services: where to ask.
        ref: the project.
        readings: those in memory, the latest last; another account has a dictionary of its own, so that what is
            under way for this one does not get into it.
        again: ask the forge, whatever is in memory.

    Raises:
        ForgeError: the forge cannot be asked, and nothing was kept.
    """
    known = readings.get(ref)
    if known is not None and not again and not known.offline:
        _hold(readings, ref, known)
        return known
    if services.config.forge(ref.forge) is None and (listed := from_list(services, ref)) is not None:
        return listed
    from isexplore.guide.preview import read_project
    from isexplore.keeping import shelve

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
        kept = from_shelf(services, ref, error)
        if kept is None:
            raise
        return kept
    reading = compose(ref, preview)
    _hold(readings, ref, reading)
    await asyncio.to_thread(shelve, services, ref, preview)
    return reading


def _hold(readings: dict[ProjectRef, Reading], ref: ProjectRef, reading: Reading) -> None:
    """Put a project last among those that were read, and let go of the first where there are too many."""
    readings.pop(ref, None)
    readings[ref] = reading
    while len(readings) > READINGS:
        del readings[next(iter(readings))]


async def read_file(services: ConnectedServices, reading: Reading, path: str) -> Document | str:
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


async def read_issue(services: ConnectedServices, ref: ProjectRef, number: int) -> IssueReading:
    """Return an issue with its comments and a fresh verdict, which the catalog learns too.

    Raises:
        ForgeError: it cannot be read.
    """
    from isexplore.guide.issues import is_first_label, verdict
    from isexplore.keeping import keep_verdict

    forge = await services.forge(ref.forge)
    project = await forge.project(ref.path)
    issue, comments, linked, branches = await asyncio.gather(
        forge.issue(project, number),
        forge.comments(project, number),
        forge.linked_merge_requests(project, number),
        _branches_like(forge, project, str(number)),
    )
    now = datetime.now(UTC)
    judged = verdict(
        issue,
        now=now,
        comments=comments,
        linked=linked,
        branches=branches,
        me=services.username(ref.forge),
    )
    if any(is_first_label(label, services.config.first_labels) for label in issue.labels):
        await asyncio.to_thread(keep_verdict, services, project, issue, judged)
    return IssueReading(
        line=IssueLine(issue=issue, verdict=judged),
        comments=tuple(one for one in comments if not one.system),
        as_of=now,
    )


async def read_or_kept_issue(services: ConnectedServices, ref: ProjectRef, number: int) -> IssueReading:
    """Return an issue from the forge, or what was kept of it when the forge cannot be asked.

    Raises:
        ForgeError: there is no such issue, or the forge cannot be asked and nothing was kept.
    """
    try:
        return await read_issue(services, ref, number)
    except NotVisibleError:
        raise
    except ForgeError as error:
        kept = issue_from_shelf(services, ref, number, error)
        if kept is None:
            raise
        return kept


async def _branches_like(forge: Forge, project: Project, text: str) -> list[Branch] | None:
    """Return branches by a part of their name; None where they cannot be read: an issue is read without, too."""
    try:
        return [] if project.empty else await forge.branches(project, text)
    except ForgeError:
        return None


def compose(ref: ProjectRef, preview: Preview) -> Reading:
    """Return what was read of a project, in words."""
    document = preview.document(CARD)
    card = read_card(document.text) if document is not None else None
    return Reading(
        ref=ref,
        project=preview.project,
        overview=overview(preview, card),
        people=people_words(preview.people),
        contacts=tuple(_contact(one) for one in (*preview.people.contacts, *preview.people.also)),
        documents=preview.documents,
        card=card,
        issues=tuple(
            IssueLine(issue=one.issue, verdict=one.verdict, first=one.tier == "first")
            for one in preview.issues
        ),
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
