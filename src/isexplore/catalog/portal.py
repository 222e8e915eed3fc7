"""Exchange with project portals: `repos.json` of SAP's project portal for InnerSource, and CSV.

A `repos.json` that a scheduled job writes can be read in place of listing the forge: one crawl,
thousands of readers. The format is that of the portal's documentation ("crawling", and the types of
its demo data): an array of GitHub-like repositories with `_InnerSourceMetadata`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from isexplore.catalog.enrich import clean_card
from isexplore.catalog.store import Catalog, Row, rfc3339
from isexplore.catalog.write import Details, Writer
from isexplore.errors import WrongAnswerError
from isexplore.models import Project, Visibility
from isexplore.text import MAX_DESCRIPTION, clean, clean_line

MAX_PROJECTS = 1_000_000
"""Entries of a file that are read."""
_BATCH = 1_000


def all_rows(catalog: Catalog) -> Iterator[Row]:
    """Yield every project, best score first within each forge."""
    for store in catalog.stores:
        last = -1
        while batch := store.where("id > ?", (last,), 500):
            yield from batch
            last = batch[-1].rank


def repos_json(catalog: Catalog) -> str:
    """Return the catalog as `repos.json`. Topics go below the metadata, where the portal looks for them."""
    entries = [_entry(row) for row in all_rows(catalog)]
    # The portal sorts by score only when the first entry has metadata, which all have here.
    return json.dumps(entries, ensure_ascii=False, indent=1) + "\n"


def _entry(row: Row) -> dict[str, object]:
    metadata: dict[str, object] = json.loads(row.card) if row.card else {}
    language = metadata.pop("language", None) or row.language
    metadata |= {"topics": list(row.topics), "participation": list(row.weeks), "score": row.score}
    if row.has_contributing:
        metadata["guidelines"] = "CONTRIBUTING.md"
    updated = rfc3339(row.last_activity) or rfc3339(row.created_at) or rfc3339(row.fetched_at)
    owner = row.owner or row.path.rpartition("/")[0] or row.forge
    return {
        "id": int(row.id) if row.id.isdecimal() and len(row.id) < 16 else row.id,
        "name": row.name,
        "full_name": row.path,
        "html_url": row.url,
        "description": row.description or None,
        "created_at": rfc3339(row.created_at) or updated,
        "updated_at": updated,
        "pushed_at": updated,
        "stargazers_count": row.stars,
        "watchers_count": row.stars,
        "forks_count": row.forks,
        "open_issues_count": row.open_issues or 0,
        "subscribers_count": row.subscribers or 0,
        "language": language,
        "license": {"name": row.licence} if row.licence else None,
        "default_branch": row.default_branch or "main",
        "owner": {"login": owner, "avatar_url": ""},
        "_InnerSourceMetadata": metadata,
    }


_CSV = (
    "forge", "path", "name", "description", "url", "visibility", "language", "topics", "licence", "stars",
    "forks", "open_issues", "good_first_issues", "documents", "created_at", "last_activity", "score", "level",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(catalog: Catalog) -> str:
    """Return the catalog as CSV (RFC 4180).

    A text that a spreadsheet would take for a formula gets an apostrophe in front: descriptions are
    strangers' words.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_CSV)
    for row in all_rows(catalog):
        values: list[object] = [getattr(row, name) for name in _CSV]
        writer.writerow([_cell(name, value) for name, value in zip(_CSV, values, strict=True)])
    return out.getvalue()


def _cell(name: str, value: object) -> object:
    if name in ("created_at", "last_activity"):
        return rfc3339(value if isinstance(value, int) else None) or ""
    if isinstance(value, tuple):
        value = " ".join(map(str, value))
    if isinstance(value, str):
        return "'" + value if value.startswith(_FORMULA) else value
    return "" if value is None else value


class PortalProject(NamedTuple):
    """A project read from a `repos.json`, and what it says beyond the project."""

    project: Project
    details: Details


class PortalFile(NamedTuple):
    """What a `repos.json` holds."""

    projects: tuple[PortalProject, ...]
    skipped: int
    """Entries that are no project: without a name or an address."""


def read_repos(data: bytes, *, forge: str, url: str = "", where: str = "repos.json") -> PortalFile:
    """Read a `repos.json`.

    Args:
        data: the file.
        forge: name of the forge that the projects are given.
        url: web address of the forge; entries elsewhere are skipped. All are taken when empty.
        where: the file's name or address, for errors.

    Raises:
        WrongAnswerError: it is not JSON, or not an array.
    """
    try:
        entries = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise WrongAnswerError(
            "The list of projects cannot be read",
            f"{where}: {error}",
            "It must be a repos.json.",
            forge=forge,
        ) from error
    if not isinstance(entries, list):
        raise WrongAnswerError(
            "The list of projects cannot be read",
            f"{where} holds no array.",
            "It must be a repos.json.",
            forge=forge,
        )
    found: dict[str, PortalProject] = {}
    skipped = 0
    for entry in entries[:MAX_PROJECTS]:
        read = _read_entry(entry, forge, url) if isinstance(entry, dict) else None
        if read is None:
            skipped += 1
        else:
            found[read.project.id] = read
    return PortalFile(tuple(found.values()), skipped + max(0, len(entries) - MAX_PROJECTS))


def _read_entry(entry: dict[str, Any], forge: str, url: str) -> PortalProject | None:
    address = _text(entry.get("html_url"))
    path = _text(entry.get("full_name")) or urlsplit(address).path.strip("/")
    if not path or not address.startswith(("https://", "http://")):
        return None
    if url and not (address + "/").startswith(url.rstrip("/") + "/"):
        return None
    raw = entry.get("_InnerSourceMetadata")
    metadata: dict[str, Any] = raw if isinstance(raw, dict) else {}
    owner, licence = entry.get("owner"), entry.get("license")
    project = Project(
        forge=forge,
        id=_text(entry.get("id")) or path,
        path=path,
        name=_text(entry.get("name")) or path.rpartition("/")[2],
        url=address,
        description=clean(str(entry.get("description") or ""), MAX_DESCRIPTION),
        visibility=_visibility(entry),
        topics=_texts(metadata.get("topics")) or _texts(entry.get("topics")),
        language=_text(entry.get("language")) or None,
        licence=_text(licence.get("name")) or None if isinstance(licence, dict) else None,
        stars=_count(entry.get("stargazers_count")) or 0,
        forks=_count(entry.get("forks_count")) or 0,
        open_issues=_count(entry.get("open_issues_count")),
        subscribers=_count(entry.get("subscribers_count")),
        created_at=_time(entry.get("created_at")),
        last_activity=_time(entry.get("pushed_at")) or _time(entry.get("updated_at")),
        archived=entry.get("archived") is True,
        default_branch=_text(entry.get("default_branch")),
        clone_url=_text(entry.get("clone_url")) or address + ".git",
        owner=_text(owner.get("login")) if isinstance(owner, dict) else "",
    )
    weeks = metadata.get("participation")
    guidelines = metadata.get("guidelines")
    details = Details(
        documents=("CONTRIBUTING",) if isinstance(guidelines, str) and guidelines else None,
        participation=tuple(_count(each) or 0 for each in weeks[-52:]) if isinstance(weeks, list) else None,
        card=clean_card(json.dumps(metadata).encode()) or None,
    )
    return PortalProject(project, details)


def _text(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return clean_line(value) if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text for each in value if (text := _text(each))) if isinstance(value, list) else ()


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        return None
    return max(0, min(int(value), 1 << 53)) if abs(value) < 1e300 else None


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _visibility(entry: dict[str, Any]) -> Visibility:
    told = entry.get("visibility")
    if isinstance(told, str) and told in {each.value for each in Visibility}:
        return Visibility(told)
    return Visibility.PUBLIC if entry.get("private") is False else Visibility.INTERNAL


def import_repos(
    writer: Writer, projects: Iterable[PortalProject], *, origin: str, run: str, as_of: int | None = None
) -> int:
    """Write what a `repos.json` told, and take out what it no longer names; return how many changed.

    What the forge itself told of a project is left as it is.

    Args:
        writer: the file of the forge that the projects are on.
        projects: as `read_repos` returned them.
        origin: the source's file or address.
        run: a name for this reading of it, used only once.
        as_of: when the file was made, in seconds since 1970, if it is all that is known of the forge.
    """
    changed = 0
    batch: list[PortalProject] = []

    def flush() -> int:
        wanted = [each for each in batch if not each.project.archived]
        new = writer.upsert((each.project for each in wanted), run=run, origin=origin)
        writer.enrich(((each.project.id, each.details) for each in wanted), looked=False, origin=origin)
        batch.clear()
        return new

    for each in projects:
        batch.append(each)
        if len(batch) >= _BATCH:
            changed += flush()
    changed += flush()
    writer.drop_unlisted(run, origin=origin)
    writer.end_listing(run)
    writer.finish(as_of=as_of)
    return changed
