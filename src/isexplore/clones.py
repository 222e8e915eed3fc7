"""Which files of a clone somebody may want to open."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from isexplore.errors import IsexploreError

if TYPE_CHECKING:
    from isexplore.connected import ConnectedServices
    from isexplore.journey.store import Journey

MAX_FILES = 5_000
GUESS_SECONDS = 1.0
"""How long the forge is asked which file is meant: the list itself needs no forge."""


def list_files(folder: Path, limit: int = MAX_FILES) -> list[str]:
    """Return the files below `folder` that git does not keep for itself, nearest and alphabetically first."""
    found: list[str] = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != ".git")
        base = os.path.relpath(place, folder)
        for name in sorted(files):
            path = name if base == "." else f"{base}/{name}"
            if path.isprintable():
                found.append(path)
        if len(found) >= limit:
            break
    return sorted(found[:limit], key=lambda path: (path.count("/"), path.lower()))


def mentioned(text: str, files: list[str]) -> str:
    """Return the file that `text` speaks of first; "" when it speaks of none."""
    known = {path.lower(): path for path in files}
    names = {path.rsplit("/", 1)[-1].lower(): path for path in reversed(files)}
    for word in re.findall(r"[\w./-]+\.\w+", text):
        path = known.get(word.lower().lstrip("./")) or names.get(word.lower())
        if path:
            return path
    return ""


async def files_to_edit(services: ConnectedServices, journey: Journey) -> tuple[list[str], str]:
    """Return the files of a contribution's clone, and the one that the review or the issue most likely means."""
    files = await asyncio.to_thread(list_files, Path(journey.folder))
    texts: list[str] = []
    try:
        async with asyncio.timeout(GUESS_SECONDS):
            await _read_texts(services, journey, texts)
    except (IsexploreError, TimeoutError):
        # The list alone is good enough where the forge cannot be asked.
        texts.append(journey.issue_title)
    likely = next((path for text in texts if (path := mentioned(text, files))), "")
    return files, likely


async def _read_texts(services: ConnectedServices, journey: Journey, texts: list[str]) -> None:
    """Add what the reviewers and the issue say, as it comes."""
    forge = await services.forge(journey.forge)
    project = await forge.project(journey.project_id or journey.project)
    if journey.merge_request is not None:
        request = await forge.merge_request(project, journey.merge_request)
        threads = await forge.discussions(project, request)
        texts += [comment.body for thread in threads if thread.unresolved for comment in thread.comments]
    if journey.issue is not None:
        texts.append((await forge.issue(project, journey.issue)).description)
