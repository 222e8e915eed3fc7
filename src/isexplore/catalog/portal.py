"""Exchange with project portals: `repos.json` of SAP's project portal for InnerSource, and CSV.

A `repos.json` that a scheduled job writes can be read in place of listing the forge: one crawl,
thousands of readers. The format is that of the portal's documentation ("crawling", and the types of
its demo data): an array of GitHub-like repositories with `_InnerSourceMetadata`.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from msgspec.structs import replace

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
    metadata |= {"topics": list(row.topics), "score": row.score}
    if row.weeks:
        metadata["participation"] = list(row.weeks)
    if row.has_contributing:
        metadata["guidelines"] = row.guidelines or "CONTRIBUTING.md"
    updated = rfc3339(row.last_activity)
    owner = row.owner or row.path.rpartition("/")[0] or row.forge
    entry = {
        "id": _exported_id(row.id),
        "name": row.name,
        "full_name": row.path,
        "html_url": row.url,
        "description": row.description or None,
        "visibility": row.visibility,
        "private": row.visibility == Visibility.PRIVATE,
        # Nothing, where it is not known: sorted by time these come last.
        "created_at": rfc3339(row.created_at),
        "updated_at": updated,
        "stargazers_count": row.stars,
        "watchers_count": row.stars,
        "forks_count": row.forks,
        "open_issues_count": row.open_issues or 0,
        "subscribers_count": row.subscribers or 0,
        "language": language,
        "license": {"name": row.licence} if row.licence else None,
        "owner": {"login": owner, "avatar_url": row.avatar_url},
        "_InnerSourceMetadata": metadata,
    }
    # These may be absent.
    if updated:
        entry["pushed_at"] = updated
    if row.default_branch:
        entry["default_branch"] = row.default_branch
    return entry


def _exported_id(pid: str) -> int | str:
    """Return an id as it was: a number as one, but `0815`, and what JavaScript could not hold, as text."""
    number = int(pid) if pid.isascii() and pid.isdecimal() and len(pid) < 16 else -1
    return number if str(number) == pid else pid


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
    """Entries that are no project: without a path or a web address."""
    repeated: int = 0
    """Entries with the web address of another one."""


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
    found: dict[str, PortalProject] = {}
    skipped = repeated = 0
    try:
        for number, entry in enumerate(_entries(data)):
            known = number < MAX_PROJECTS and isinstance(entry, dict)
            read = _read_entry(entry, forge, url) if known else None
            if read is None:
                skipped += 1
                continue
            # Lists of several forges have one id twice; an address names one project.
            address = read.project.url.rstrip("/").lower()
            repeated += address in found
            found[address] = read
    except (ValueError, RecursionError) as error:
        raise WrongAnswerError(
            "The list of projects cannot be read",
            f"{where}: {error}",
            "It must be a repos.json.",
            forge=forge,
        ) from error
    return PortalFile(tuple(found.values()), skipped, repeated)


_SPACE = re.compile(r"[ \t\r\n]*")


def _entries(data: bytes) -> Iterator[Any]:
    """Yield the entries of a JSON array one by one: all at once they would take ten times the file's size.

    Raises:
        ValueError: it is no JSON, or no array; what came before the fault has been yielded.
    """
    text = data.decode(json.detect_encoding(data))
    decoder = json.JSONDecoder()

    def next_at(place: int) -> int:
        found = _SPACE.match(text, place)
        return found.end() if found else place

    place = next_at(0)
    if text[place : place + 1] != "[":
        json.loads(text)
        raise ValueError("It holds no array")
    place = next_at(place + 1)
    if text[place : place + 1] != "]":
        while True:
            entry, place = decoder.raw_decode(text, place)
            yield entry
            place = next_at(place)
            if text[place : place + 1] != ",":
                break
            place = next_at(place + 1)
    if text[place : place + 1] != "]" or next_at(place + 1) < len(text):
        raise json.JSONDecodeError("Expecting the end of the array", text, place)


def side_by_side(projects: Iterable[PortalProject]) -> tuple[list[PortalProject], int]:
    """Return the projects that one forge's file can hold, and how many of these it cannot.

    Of several at one path the first counts. An id that two have is the first one's; the other is known
    by its address.
    """
    kept: list[PortalProject] = []
    paths: set[str] = set()
    ids: set[str] = set()
    lost = 0
    for each in projects:
        path = each.project.path.lower()
        if path in paths:
            lost += 1
            continue
        paths.add(path)
        if each.project.id in ids:
            each = each._replace(project=replace(each.project, id=each.project.url))
        ids.add(each.project.id)
        kept.append(each)
    return kept, lost


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
        licence=_licence(licence),
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
        avatar_url=_address(owner.get("avatar_url")) if isinstance(owner, dict) else "",
    )
    weeks = metadata.get("participation")
    guidelines = _text(metadata.get("guidelines"))
    # The list is all that is known of its projects: what it leaves out now, it no longer says.
    details = Details(
        documents=("CONTRIBUTING",) if guidelines else (),
        guidelines=guidelines,
        participation=tuple(_count(each) or 0 for each in weeks[-52:]) if isinstance(weeks, list) else (),
        card=clean_card(json.dumps(metadata).encode()),
    )
    return PortalProject(project, details)


def _licence(value: object) -> str | None:
    if isinstance(value, dict):
        value = value.get("name") or value.get("spdx_id") or value.get("key")
    return _text(value) or None


def _address(value: object) -> str:
    text = _text(value)
    return text if text.startswith(("https://", "http://")) else ""


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


class Imported(NamedTuple):
    """What became of the projects of a list."""

    changed: int
    """New ones among them."""
    spared: int
    """Kept though it no longer names them: too many at once to believe it."""


def import_repos(
    writer: Writer, projects: Iterable[PortalProject], *, origin: str, run: str, as_of: int | None = None
) -> Imported:
    """Write what a `repos.json` told, and take out what it no longer names.

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
    dropped = writer.drop_unlisted(run, origin=origin)
    writer.end_listing(run)
    writer.finish(as_of=as_of)
    return Imported(changed, dropped.spared)
