"""Project lists of an InnerSource portal (`repos.json`) as a source: one crawl somewhere, many readers."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from isexplore.catalog.database import Database
from isexplore.catalog.portal import PortalFile, PortalProject, import_repos, read_repos, side_by_side
from isexplore.catalog.reports import ForgeReport, ScopeFailure
from isexplore.catalog.shelf import Failure, Scopes
from isexplore.catalog.store import Account
from isexplore.catalog.write import Writer
from isexplore.config.accounts import source_names
from isexplore.config.schema import origin_of
from isexplore.errors import ConfigError, IsexploreError, StateError
from isexplore.text import count

if TYPE_CHECKING:
    from isexplore.connected import ConnectedServices

LIMIT = 128 << 20
"""Bytes; what `isexplore export` writes of some 170,000 projects. They take seven times as much of memory."""
_PATIENCE = 300.0
"""Seconds that a list may take on its way."""


async def read_sources(services: ConnectedServices) -> list[ForgeReport]:
    """Bring the catalog up to date with every configured list; one that fails keeps what it had."""
    return list(
        await asyncio.gather(
            *(_read_source(services, place) for place in source_names(services.config.sources))
        )
    )


def _name(services: ConnectedServices, place: str) -> str:
    return source_names(services.config.sources)[place]


async def _read_source(services: ConnectedServices, place: str) -> ForgeReport:
    name = _name(services, place)
    try:
        data, etag = await _fetch(services, place)
        report = ForgeReport(forge=name)
        if data is not None:
            report = await asyncio.to_thread(_import, services, place, data)
        # What it leaves out is believed when it says so twice: it is to be sent again, though it stays the same.
        await asyncio.to_thread(_note, services, place, etag="" if report.spared else etag)
        return report
    except IsexploreError as error:
        reason = f"{error.title}. {error.hint}"
        with suppress(StateError):
            await asyncio.to_thread(_note, services, place, failure=Failure(error.kind, reason))
        return ForgeReport(forge=name, failures=(ScopeFailure(scope=place, kind=error.kind, reason=reason),))


def _note(services: ConnectedServices, place: str, *, etag: str = "", failure: Failure | None = None) -> None:
    """Write down how reading a list went, for `Catalog.incomplete` and for the next time."""
    account = services.account_of(_name(services, place))
    if account is None:
        return
    with Database(account, str(services.paths.catalog_dir)) as database:
        now = int(time.time())
        Scopes(database).put(place, run="", finished=None if failure else now, failure=failure)
        if failure is None:
            # Noted last: a list that could not be taken in is to be sent again in full.
            database.set_facts(etag=etag, as_of=now, read_for=_read_for(services))


def _read_for(services: ConnectedServices) -> str:
    """Return the accounts, one a line, among whose files a list is shared out, and which files they are."""
    with services.catalog.again() as view:
        files = {store.account: store.fact("begun") for store in view.stores}
    # A file that was damaged and begun anew has lost what only the list tells.
    return "\n".join(" ".join((*account, str(files.get(account)))) for account in services.accounts())


async def _fetch(services: ConnectedServices, place: str) -> tuple[bytes | None, str]:
    """Return the list, or None when it is the same as last time, and its ETag; of a file, what stands for one."""
    account = services.account_of(_name(services, place))
    known = ""
    if account is not None:
        with Database(account, str(services.paths.catalog_dir)) as database:
            # For other forges, or accounts on them, it is to be shared out anew.
            same = database.fact("read_for") == _read_for(services)
            known = str(database.fact("etag") or "") if same else ""
    if "://" not in place:
        return await asyncio.to_thread(_read_file, Path(place).expanduser(), known)
    from isexplore.forge.http import ForgeClient

    client = ForgeClient(
        name=_name(services, place),
        base_url=origin_of(place),
        verify=services.tls,
        timeout=services.config.network.timeout,
    )
    async with client:
        answer = await client.send(
            "GET",
            place,
            accept="application/json, */*",
            limit=LIMIT,
            keep="all",
            patience=max(_PATIENCE, services.config.network.timeout),
            etag=known,
            good=(304,),
        )
    if answer.status == 304:
        return None, known
    return answer.body, answer.headers.get("etag", "")


def _read_file(file: Path, known: str) -> tuple[bytes | None, str]:
    """Return what a file holds, or None where it is as it was when it was `known` so, and what it is known by."""
    try:
        with file.open("rb") as opened:
            status = os.fstat(opened.fileno())
            stamp = f"{status.st_ino} {status.st_size} {status.st_mtime_ns}"
            if stamp == known:
                return None, known
            data = opened.read(LIMIT + 1)
    except OSError as error:
        raise ConfigError(
            f"The project list {file} cannot be read",
            error.strerror or "",
            "Correct `sources` in the configuration.",
        ) from error
    if len(data) > LIMIT:
        raise ConfigError(
            f"The project list {file} is too large",
            f"It has more than {LIMIT >> 20} MiB.",
            "Split it, and name the parts under `sources` in the configuration.",
        )
    return data, stamp


def _import(services: ConnectedServices, place: str, data: bytes) -> ForgeReport:
    """Write the list: projects on a connected forge under its name, all others under the list's."""
    name = _name(services, place)
    found = read_repos(data, forge=name, where=place)
    rest: list[PortalProject] = list(found.projects)
    changed = lost = spared = 0
    run = uuid.uuid4().hex
    groups: list[tuple[Account, list[PortalProject], int | None]] = []
    for forge in services.config.forges:
        begin = forge.url.rstrip("/") + "/"
        mine = [one for one in rest if one.project.url.startswith(begin)]
        rest = [one for one in rest if not one.project.url.startswith(begin)]
        account = services.account_of(forge.name)
        if account is not None:
            named = [PortalProject(replace(one.project, forge=forge.name), one.details) for one in mine]
            # How far that forge itself has told is not for the list to say.
            groups.append((account, named, None))
    account = services.account_of(name)
    if account is not None:
        groups.append((account, rest, int(time.time())))
    for account, listed, as_of in groups:
        projects, beside = side_by_side(listed)
        lost += beside
        with Database(account, str(services.paths.catalog_dir)) as database:
            done = import_repos(Writer(database), projects, origin=place, run=run, as_of=as_of)
        changed += done.changed
        spared += done.spared
    return ForgeReport(
        forge=name,
        full=True,
        listed=len(found.projects) - lost,
        changed=changed,
        spared=spared,
        skipped=found.skipped + found.repeated + lost,
        notices=(*_left_out(found, lost), *_kept(spared)),
    )


def _left_out(found: PortalFile, lost: int) -> tuple[str, ...]:
    """Return which entries of a list are no project of the catalog, in words."""
    told = (
        (found.skipped, "left out, without a path or a web address"),
        (found.repeated, "left out, at an address that another one has"),
        (lost, "left out, at a path that another one has"),
    )
    return tuple(f"{count(number, 'entry', 'entries')} {why}" for number, why in told if number)


def _kept(spared: int) -> tuple[str, ...]:
    """Return how many projects are kept though the list does not name them any more, in words."""
    told = count(spared, "project")
    return (f"it no longer names {told}, which is many at once: kept until it says so again",) * bool(spared)
