"""Finds and reads a project's guides: README, CONTRIBUTING and their friends, wherever convention puts them."""

from __future__ import annotations

import asyncio
import codecs
import re
from collections.abc import Iterable, Sequence

from isexplore.errors import ForgeError
from isexplore.forge.base import Forge
from isexplore.models import Document, FileEntry, ForgeKind, Project
from isexplore.text import clean

MAX_BYTES = 256 * 1024
"""Bytes read of one guide."""
FOLDERS = ("", "docs", ".gitlab", ".github", ".gitea", ".forgejo")
"""Where guides live, the first place winning for most of them."""
TEMPLATE_FOLDER = ".gitlab/merge_request_templates"
FIRST = ("README", "CONTRIBUTING")
"""What a newcomer reads first."""

_STEMS = {
    "readme": "README",
    "contributing": "CONTRIBUTING",
    "contribute": "CONTRIBUTING",
    "codeowners": "CODEOWNERS",
    "communication": "COMMUNICATION",
    "code_of_conduct": "CODE_OF_CONDUCT",
    "license": "LICENSE",
    "licence": "LICENSE",
    "copying": "LICENSE",
    "changelog": "CHANGELOG",
    "changes": "CHANGELOG",
    "history": "CHANGELOG",
    "governance": "GOVERNANCE",
    "support": "SUPPORT",
    "maintainers": "MAINTAINERS",
    "security": "SECURITY",
    "pull_request_template": "MERGE_REQUEST_TEMPLATE",
    "merge_request_template": "MERGE_REQUEST_TEMPLATE",
}
_ONLY_BARE = frozenset({"CODEOWNERS"})
_SUFFIXES = ("md", "markdown", "", "rst", "adoc", "asciidoc", "org", "txt")
_CODEOWNERS_FOLDERS = {
    ForgeKind.GITLAB: ("", "docs", ".gitlab"),
    ForgeKind.GITHUB: (".github", "", "docs"),
    ForgeKind.GITEA: ("", "docs", ".gitea", ".forgejo"),
}
_LINK = re.compile(r"(?:\.{1,2}/)?[\w.-]+(?:/[\w.-]+)*\.(?:md|markdown|rst|adoc|txt)")


def _place(path: str, kind: ForgeKind | None) -> tuple[str, tuple[int, int, str]] | None:
    """Return which guide a path is, with how good a place it has (smaller is better), or None."""
    folder, _, file = path.rpartition("/")
    if folder.lower() == TEMPLATE_FOLDER and file.lower() == "default.md":
        return "MERGE_REQUEST_TEMPLATE", (0, 0, path)
    if file.lower() == "innersource.json" and folder in ("", ".github", ".gitlab"):
        return "innersource.json", (0, 0, path)
    stem, _, suffix = file.lower().rpartition(".") if "." in file[1:] else (file.lower(), "", "")
    name = _STEMS.get(stem.replace("-", "_").replace(" ", "_"))
    if name is None or suffix not in _SUFFIXES or (name in _ONLY_BARE and suffix):
        return None
    places = _CODEOWNERS_FOLDERS.get(kind, FOLDERS) if name == "CODEOWNERS" and kind else FOLDERS
    if folder.lower() not in places:
        return None
    return name, (places.index(folder.lower()), _SUFFIXES.index(suffix), path)


def find_convention(entries: Iterable[FileEntry | str], *, kind: ForgeKind | None = None) -> dict[str, str]:
    """Return the path of each guide among `entries`, whatever its case, ending and place.

    `kind` decides where a CODEOWNERS file counts: every forge looks in other folders first. Sources:
    docs.github.com "about code owners", docs.gitlab.com "code owners", docs.gitea.com "code owners".
    """
    best: dict[str, tuple[int, int, str]] = {}
    for entry in entries:
        if isinstance(entry, FileEntry):
            if entry.folder:
                continue
            entry = entry.path
        found = _place(entry, kind)
        if found is not None and (found[0] not in best or found[1] < best[found[0]]):
            best[found[0]] = found[1]
    return {name: rank[2] for name, rank in best.items()}


def decode(data: bytes) -> str | None:
    """Return a guide's text, clean; None for what is no text.

    UTF-8 first, a byte-order mark decides otherwise, and Windows-1252 reads the rest: it was what
    editors wrote before, and it cannot fail.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return clean(data.decode("utf-16", "replace"))
    if b"\0" in data[:8_000]:
        return None
    try:
        return clean(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        # A file that was cut at the size limit may end within a character.
        if error.end == len(data) and error.start > len(data) - 4:
            return clean(data[: error.start].decode("utf-8-sig"))
    return clean(data.decode("cp1252", "replace"))


async def read_document(forge: Forge, project: Project, name: str, path: str) -> Document | None:
    """Return one guide; None when it is missing or no text.

    Forges give a symbolic link as a file that holds its target: one such step is followed.

    Raises:
        ForgeError: as `Forge.file`.
    """
    for _ in range(2):
        data = await forge.file(project, path, limit=MAX_BYTES + 1)
        text = None if data is None else decode(data[:MAX_BYTES])
        if data is None or text is None:
            return None
        target = text.strip()
        if len(target) < 200 and "\n" not in target and _LINK.fullmatch(target):
            joined = _join(path.rpartition("/")[0], target)
            if joined is not None and joined != path:
                path = joined
                continue
        return Document(name=name, path=path, text=text, truncated=len(data) > MAX_BYTES)
    return None


def _join(folder: str, target: str) -> str | None:
    parts = folder.split("/") if folder else []
    for part in target.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


async def list_guides(forge: Forge, project: Project, root: Sequence[FileEntry]) -> dict[str, str]:
    """Return the path of each guide, `root` being the listing of the top folder.

    Only folders that exist are listed; one that cannot be listed counts as empty.
    """
    entries = list(root)
    folders = [entry.path for entry in root if entry.folder and entry.path.lower() in FOLDERS]
    for listing in await asyncio.gather(*(_listing(forge, project, folder) for folder in folders)):
        entries += listing
    templates = [entry.path for entry in entries if entry.folder and entry.path.lower() == TEMPLATE_FOLDER]
    for folder in templates:
        entries += await _listing(forge, project, folder)
    return find_convention(entries, kind=forge.kind)


async def _listing(forge: Forge, project: Project, folder: str) -> list[FileEntry]:
    try:
        return await forge.folder(project, folder)
    except ForgeError:
        return []


async def read_documents(forge: Forge, project: Project) -> list[Document]:
    """Return every guide of a project that can be read, README and CONTRIBUTING first.

    Raises:
        ForgeError: the top folder cannot be listed; a single guide that cannot be read is left out.
    """
    guides = await list_guides(forge, project, await forge.folder(project))
    found = await asyncio.gather(*(_readable(forge, project, name, path) for name, path in guides.items()))
    return in_order(document for document in found if document is not None)


async def _readable(forge: Forge, project: Project, name: str, path: str) -> Document | None:
    try:
        return await read_document(forge, project, name, path)
    except ForgeError:
        return None


_ORDER = (*FIRST, *dict.fromkeys(name for name in _STEMS.values() if name not in FIRST), "innersource.json")


def in_order(documents: Iterable[Document]) -> list[Document]:
    """Return documents in the order of reading."""
    return sorted(documents, key=lambda document: _ORDER.index(document.name))
