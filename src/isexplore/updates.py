"""Bringing the catalog up to date, told in words.

The screens refresh in a child process, so that nothing it does can delay a key; the command line does
it in its own.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from isexplore.catalog.enrich import Reading as Rules
from isexplore.catalog.records import belongs
from isexplore.catalog.reports import ForgeReport, SyncProgress, SyncReport
from isexplore.catalog.shelf import Failure
from isexplore.errors import AuthError, IsexploreError
from isexplore.guide.documents import find_convention, read_documents
from isexplore.guide.issues import is_first_label, verdict
from isexplore.keeping import add_projects, follow_bookmarks, keep_failure
from isexplore.models import Comment, Issue, IssueVerdict, MergeRequest, Project, ProjectRef
from isexplore.text import count

if TYPE_CHECKING:
    from isexplore.connected import ConnectedServices

LOOKS = 300
"""Projects of each forge that a refresh looks at more closely: half a minute's worth."""
ASKED_PROJECTS = 200
"""Projects taken from the answer of a forge that was asked for words."""

OnProgress = Callable[[SyncProgress], None]


class Refreshed(Struct, frozen=True, kw_only=True):
    """How a refresh ended."""

    words: str
    report: SyncReport = SyncReport()
    failures: tuple[str, ...] = ()
    """Forges, or parts of them, that could not be asked, each with the reason."""

    def as_json(self) -> dict[str, Any]:
        """Return what `sync --json` prints."""
        return {
            "forges": [
                {
                    "forge": one.forge,
                    "projects": one.listed,
                    "changed": one.changed,
                    "removed": one.removed,
                    "skipped": one.skipped,
                    "failures": [
                        {"scope": each.scope, "kind": each.kind, "reason": each.reason}
                        for each in one.failures
                    ],
                    "notices": list(one.notices),
                }
                for one in self.report.forges
            ],
            "seconds": round(self.report.seconds, 3),
        }


def in_words(report: SyncReport) -> Refreshed:
    """Return how a sync ended, for people."""
    failures = tuple(words for forge in report.forges for words in _failures_of(forge))
    changed = sum(forge.changed for forge in report.forges)
    gone = sum(forge.removed for forge in report.forges)
    parts = [f"{count(changed, 'project')} new or changed"] if changed else []
    if gone:
        parts.append(f"{gone:,} gone")
    nobody_answered = all(forge.failures or forge.busy for forge in report.forges) and bool(report.forges)
    if not parts and not nobody_answered:
        parts.append("Nothing new")
    sentences = [", ".join(parts)] if parts else []
    sentences += [f"{forge.forge}: {notice}" for forge in report.forges for notice in forge.notices]
    sentences += failures
    if any(failure.kind != AuthError.kind for forge in report.forges for failure in forge.failures):
        sentences.append("r tries again")
    return Refreshed(words=". ".join(sentences), report=report, failures=failures)


def _failures_of(forge: ForgeReport) -> list[str]:
    """Return what went wrong at a forge, each reason once, and what helps where trying again does not."""
    if forge.busy:
        return [f"{forge.forge}: another isexplore is refreshing it"]
    if any(failure.kind == AuthError.kind for failure in forge.failures):
        return [f"{forge.forge} does not accept the token. L signs in again"]
    if len({failure.reason for failure in forge.failures}) == 1:
        return [f"{forge.forge}: {forge.failures[0].reason}"]
    return [f"{forge.forge}: {failure.text}" for failure in forge.failures]


def rules(services: ConnectedServices) -> Rules:
    """Return how projects are read during a refresh: the guide's rules with the configuration's labels."""
    config = services.config
    spellings = config.first_labels

    def judge(
        issue: Issue, comments: Sequence[Comment] | None, linked: Sequence[MergeRequest] | None
    ) -> IssueVerdict:
        return verdict(
            issue,
            now=datetime.now(UTC),
            comments=comments,
            linked=linked,
            me=services.username(issue.forge),
        )

    return Rules(
        is_first=lambda label: is_first_label(label, spellings),
        judge=judge,
        find_guides=find_convention,
        read_documents=read_documents,
        first_labels=spellings,
    )


async def sync(
    services: ConnectedServices,
    *,
    full: bool = False,
    on_progress: OnProgress | None = None,
    looks: int = LOOKS,
) -> SyncReport:
    """Refresh the catalog in this process. A forge that fails is in the report, and keeps its rows.

    Args:
        services: the forges and the folders.
        full: list everything again.
        on_progress: told how far it is.
        looks: projects of each forge to look at more closely; the next sync goes on with the next ones.

    Raises:
        IsexploreError: no forge could even be connected.
    """
    from isexplore.catalog.reports import ForgeReport, ScopeFailure
    from isexplore.catalog.sync import Options, Source, Sync

    await services.refresh_profile()
    sources: list[Source] = []
    lost: list[ForgeReport] = []
    accounts = {account.forge: account for account in services.accounts()}
    for config in services.config.forges:
        try:
            forge = await services.forge(config.name)
        except IsexploreError as error:
            reason = f"{error.title}. {error.hint}"
            await asyncio.to_thread(keep_failure, services, config.name, Failure(error.kind, reason))
            if len(services.config.forges) == 1 and not services.config.sources:
                raise
            lost.append(
                ForgeReport(
                    forge=config.name, failures=(ScopeFailure(scope="", kind=error.kind, reason=reason),)
                )
            )
            continue
        sources.append(
            Source(
                forge=forge,
                account=accounts[config.name],
                tags=services.config.tags_of(config),
                groups=config.groups,
            )
        )
    options = Options(
        full=full,
        concurrency=services.config.network.concurrency,
        looks=looks,
        kept=tuple(bookmark.ref for bookmark in services.bookmarks.list()),
    )
    tell = on_progress or (lambda progress: None)
    runner = Sync(str(services.paths.catalog_dir), sources, rules(services), options)
    services.on_pause = lambda forge, seconds: tell(
        SyncProgress(forge=forge, phase="listing", waiting=seconds)
    )
    try:
        report = await runner.run(tell)
    finally:
        services.on_pause = lambda forge, seconds: None
    lists: list[ForgeReport] = []
    if services.config.sources:
        from isexplore.config.accounts import source_names
        from isexplore.portals import read_sources

        # It may take minutes, and nobody could tell it from standing still.
        names = ", ".join(source_names(services.config.sources).values())
        tell(SyncProgress(forge=names, phase="list"))
        lists = await read_sources(services)
    moved = await asyncio.to_thread(follow_bookmarks, services)
    forges = tuple(_with_moves(each, moved) for each in (*report.forges, *lost, *lists))
    return SyncReport(forges=forges, seconds=report.seconds)


def _with_moves(report: ForgeReport, moved: Sequence[tuple[ProjectRef, ProjectRef]]) -> ForgeReport:
    """Return the report with a word on each bookmark that follows its project."""
    told = tuple(
        f"{old.path} is {new.path} now, and its bookmark with it"
        for old, new in moved
        if old.forge == report.forge
    )
    return replace(report, notices=(*report.notices, *told)) if told else report


async def refresh(
    services: ConnectedServices, *, full: bool = False, on_progress: OnProgress | None = None
) -> Refreshed:
    """Refresh the catalog in this process, and tell how it ended.

    Raises:
        IsexploreError: no forge could even be connected.
    """
    return in_words(await sync(services, full=full, on_progress=on_progress))


async def refresh_beside(services: ConnectedServices, on_progress: OnProgress) -> Refreshed:
    """Refresh the catalog in a child process; stops with whoever waits for it.

    Raises:
        IsexploreError: the refresh as a whole failed.
    """
    from isexplore.catalog.sync_process import SyncProcess

    if services.has_session_tokens():
        # They are in this process only, and stay there.
        return await refresh(services, on_progress=on_progress)
    world = ("practice",) if services.practising else ()
    child = SyncProcess((sys.executable, "-m", "isexplore", *world, "sync", "--lines"))
    report = SyncReport()
    async for event in child.events():
        if isinstance(event, SyncReport):
            report = event
        else:
            on_progress(event)
    return in_words(report)


async def serve_lines(services: ConnectedServices, *, full: bool = False) -> int:
    """Be the child process of `refresh_beside`."""
    from isexplore.catalog.sync_process import serve

    async def run(on_progress: OnProgress) -> SyncReport:
        return await sync(services, full=full, on_progress=on_progress)

    return await serve(run)


async def ask_forges(services: ConnectedServices, text: str) -> Refreshed:
    """Search on the forges themselves; what they find goes into the catalog.

    Raises:
        IsexploreError: no forge answered.
    """
    from isexplore.catalog.language import parse

    words = " ".join(word.text for word in parse(text, typing=True).wanted) or text
    failures: list[str] = []
    errors: list[IsexploreError] = []

    async def ask(name: str) -> int:
        try:
            forge = await services.forge(name)
            config = services.forge_config(name)
            found: list[Project] = []
            async for page in forge.find_projects(
                services.config.tags_of(config), text=words, groups=config.groups
            ):
                found += [one for one in page.projects if belongs(one)]
                if len(found) >= ASKED_PROJECTS:
                    break
            return await asyncio.to_thread(add_projects, services, name, found)
        except IsexploreError as error:
            errors.append(error)
            failures.append(f"{name}: {error.title}")
            return 0

    counts = await asyncio.gather(*(ask(forge.name) for forge in services.config.forges))
    if errors and len(errors) == len(services.config.forges):
        raise errors[0]
    total = sum(counts)
    return Refreshed(
        words=f"The forge found {count(total, 'project')} for {words!r}"
        + "".join(f"; {each}" for each in failures),
        failures=tuple(failures),
    )
