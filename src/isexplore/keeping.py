"""What asking a forge puts into the catalog: projects that were found, and what was read of one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from isexplore.catalog.database import Database
from isexplore.catalog.shelf import Failure, JudgedIssue, Scopes, Shelf
from isexplore.catalog.store import Account
from isexplore.catalog.write import Writer
from isexplore.errors import StateError
from isexplore.local import LocalServices
from isexplore.models import Issue, IssueVerdict, Project, ProjectRef

if TYPE_CHECKING:
    from isexplore.guide.preview import Preview


def add_projects(services: LocalServices, forge: str, projects: Sequence[Project]) -> int:
    """Put projects into the catalog; return how many there were."""
    account = services.account_of(forge)
    if account is None or not projects:
        return 0
    with _opened(services, account) as database:
        Writer(database).upsert(projects)
    return len(projects)


def _opened(services: LocalServices, account: Account) -> Database:
    """Return the file of a forge; one that is broken, or of another version, is left to the next sync."""
    return Database(account, str(services.paths.catalog_dir), remake=False)


def keep_failure(services: LocalServices, forge: str, failure: Failure) -> None:
    """Write down that a forge could not even be connected: what the catalog lacks tells nothing of it then."""
    account = services.account_of(forge)
    if account is None:
        return
    with suppress(StateError), _opened(services, account) as database:
        Scopes(database).put("", run="", failure=failure)


def follow_bookmarks(services: LocalServices) -> list[tuple[ProjectRef, ProjectRef]]:
    """Let bookmarks follow projects that have another path since; return where each was and is.

    A bookmark learns the forge's id of its project the first time that the catalog knows it. Where the
    state file cannot be written, another time does as well.
    """
    moved: list[tuple[ProjectRef, ProjectRef]] = []
    learned: dict[ProjectRef, str] = {}
    with suppress(StateError), services.catalog.again() as catalog:
        for bookmark in services.bookmarks.list():
            if not bookmark.id:
                if pid := catalog.id_of(*bookmark.ref):
                    learned[bookmark.ref] = pid
                continue
            if services.config.forge(bookmark.forge) is None:
                # The ids of a list are whatever its author wrote.
                continue
            path = catalog.path_of(bookmark.forge, bookmark.id)
            if path is not None and path.lower() != bookmark.path.lower():
                moved.append((bookmark.ref, ProjectRef(bookmark.forge, path)))
        if learned:
            services.bookmarks.note_ids(learned)
        return [(old, new) for old, new in moved if services.bookmarks.rename(old, new)]
    return []


def shelve(services: LocalServices, ref: ProjectRef, preview: Preview) -> None:
    """Keep what was read of a project for reading without network; where that fails, only that is lost."""
    account = services.account_of(ref.forge)
    if account is None:
        return
    first = [JudgedIssue(one.issue, one.verdict) for one in preview.issues if one.tier == "first"]
    with suppress(StateError), _opened(services, account) as database:
        shelf = Shelf(database)
        shelf.put_documents(preview.project.id, preview.documents)
        if preview.complete and not any(note.part == "issues" for note in preview.notes):
            shelf.put_issues(preview.project.id, first)


def keep_verdict(services: LocalServices, project: Project, issue: Issue, judged: IssueVerdict) -> None:
    """Write down what was just found out about a first issue; where that fails, only that is lost."""
    account = services.account_of(project.forge)
    if account is None:
        return
    with suppress(StateError), _opened(services, account) as database:
        shelf = Shelf(database)
        if issue.open:
            shelf.put_issues(project.id, [JudgedIssue(issue, judged)], complete=False)
        else:
            shelf.drop_issue(project.id, issue.number)
