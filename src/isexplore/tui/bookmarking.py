"""Bookmarking a project from any screen: the questions, and what is said when it cannot be kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from isexplore.errors import IsexploreError
from isexplore.models import Bookmark, ProjectRef

if TYPE_CHECKING:
    from isexplore.tui.app import IsexploreApp


async def add_bookmark(app: IsexploreApp, ref: ProjectRef) -> bool:
    """Bookmark a project, with a note that may stay empty; return whether that was done."""
    from isexplore.tui.screens.dialogs import AskDialog
    from isexplore.tui.widgets.form import Field

    values = await app.push_screen_wait(
        AskDialog(
            f"Bookmark {ref.path}",
            (Field("note", "Note", help="Why do you want to find it again? May stay empty."),),
            accept="Bookmark",
        )
    )
    return values is not None and await _keep(app, ref, str(values["note"]), ())


async def change_note(app: IsexploreApp, bookmark: Bookmark) -> bool:
    """Ask for another note and other tags; return whether they were kept."""
    from isexplore.tui.screens.dialogs import AskDialog
    from isexplore.tui.widgets.form import Field

    values = await app.push_screen_wait(
        AskDialog(
            f"Note on {bookmark.path}",
            (
                Field("note", "Note", default=bookmark.note),
                Field("tags", "Tags", default=" ".join(bookmark.tags), help="Separated by spaces."),
            ),
            accept="Save",
        )
    )
    if values is None:
        return False
    return await _keep(app, bookmark.ref, str(values["note"]), tuple(str(values["tags"]).split()))


async def _keep(app: IsexploreApp, ref: ProjectRef, note: str, tags: tuple[str, ...]) -> bool:
    try:
        await asyncio.to_thread(app.services.bookmarks.add, ref, note=note, tags=tags)
    except IsexploreError as error:
        app.tell_error(error)
        return False
    return True


async def remove_bookmark(app: IsexploreApp, bookmark: Bookmark, *, again: str) -> bool:
    """Remove a bookmark; a note is not lost unasked. Return whether it is gone.

    Args:
        app: where the questions are asked.
        bookmark: the one to remove.
        again: how it is bookmarked again, as a sentence.
    """
    from isexplore.tui.screens.dialogs import ConfirmDialog

    tags = " ".join(f"#{tag}" for tag in bookmark.tags)
    written = "\n".join(part for part in (bookmark.note, tags) if part)
    if written:
        question = ConfirmDialog(f"Remove {bookmark.path} and its note?", written, yes="Remove", no="Keep")
        if not await app.push_screen_wait(question):
            return False
    try:
        await asyncio.to_thread(app.services.bookmarks.remove, bookmark.ref)
    except IsexploreError as error:
        app.tell_error(error)
        return False
    app.notify(again, title=f"No longer bookmarked: {bookmark.path}")
    return True
