"""`search`, `show`, `issues`, `sync` and `export`: what the catalog and the forges know."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from isexplore.cli.output import print_json, print_table, say, tell, wait_for
from isexplore.errors import EXIT_OK, EXIT_REFUSED

if TYPE_CHECKING:
    import argparse

    from isexplore.catalog.store import Catalog
    from isexplore.config.paths import Paths
    from isexplore.services import Services


def search(options: argparse.Namespace, paths: Paths) -> int:
    """Search the catalog on disk; asks no forge.

    Raises:
        UsageError: an unknown filter or a bad value.
    """
    from isexplore.catalog.language import expand
    from isexplore.cli.quick import print_found
    from isexplore.cli.world import practice_services

    practice = practice_services()
    with practice.catalog if practice else _catalog(paths) as catalog:
        text = " ".join(options.query)
        state = (practice.paths if practice else paths).state_file
        if "@" in text:
            text = expand(text, practice.config.searches if practice else _searches(paths))
        return print_found(catalog, text, options.limit, options.json, state=str(state))


def _searches(paths: Paths) -> dict[str, str]:
    from isexplore.config.load import load

    return load(paths).checked().searches


def _catalog(paths: Paths) -> Catalog:
    from isexplore.catalog.store import Account, Catalog
    from isexplore.config.accounts import known_accounts

    return Catalog.open(paths.catalog_dir, [Account(*account) for account in known_accounts(paths)])


def issues(options: argparse.Namespace, paths: Paths) -> int:
    """List good first issues across projects, from the catalog.

    Raises:
        UsageError: an unknown filter or a bad value.
    """
    from isexplore.cli.quick import could_not_be_read
    from isexplore.cli.world import open_world

    services = open_world(paths)
    found = services.first_issues(" ".join(options.query), limit=options.limit, typing=False)
    rows = found.issues
    if options.json:
        print_json(
            {
                "issues": [row.as_json() for row in rows],
                "total": found.total,
                "as_of": found.as_of,
                "incomplete": [{"forge": forge, "reason": reason} for forge, reason in found.incomplete],
                "corrected": found.corrected,
            }
        )
        return EXIT_OK
    for forge, reason in found.incomplete:
        tell(f"isexplore: {forge}: {reason}")
    if found.corrected:
        tell(f"isexplore: nothing is spelt like that; showing {found.corrected}")
    if found.notice:
        tell(f"isexplore: {found.notice}")
    if not rows:
        matching = bool(options.query) and services.catalog.count() > 0
        if fault := could_not_be_read(services.catalog.incomplete()):
            known = (
                "No first issue matches, of those that are known" if matching else "No first issue is known"
            )
            say(f"{known}: {fault}")
        elif matching:
            say(
                "No first issue matches, of those that are known."
                if found.unseen
                else "No first issue matches."
            )
        else:
            say("No first issues are known. isexplore sync asks for them.")
        return EXIT_OK
    print_table(
        (row.verdict.replace("-", " "), f"{row.project} #{row.number}", row.title, "; ".join(row.reasons))
        for row in rows
    )
    return EXIT_OK


def show(options: argparse.Namespace, paths: Paths) -> int:
    """Show what the preview shows."""
    from isexplore.cli.world import naming, program, run_in_world

    async def work(services: Services) -> int:
        ref = services.resolve(options.project)
        which = f" #{options.issue}" if options.issue is not None else ""
        wait_for(f"Reading {ref.path}{which}...", quiet=options.json)
        if options.issue is not None:
            with naming(f"{ref.path} #{options.issue}", services, ref.path):
                reading_issue = await services.read_or_kept_issue(ref, options.issue)
            if options.json:
                print_json(reading_issue.as_json())
                return EXIT_OK
            say(reading_issue.as_text())
            if reading_issue.note:
                tell(f"isexplore: {reading_issue.note}")
                return EXIT_OK
            say("", f"Next: {program(services)} contribute {ref.path} --issue {options.issue}")
            return EXIT_OK
        with naming(ref.path, services, ref.path):
            reading = await services.read(ref)
        if options.json:
            print_json(reading.as_json())
            return EXIT_OK
        say(reading.as_text())
        if reading.issues:
            number = reading.issues[0].issue.number
            say("", f"Next: {program(services)} show {ref.path} --issue {number}     reads an issue")
        for note in reading.notes:
            tell(f"isexplore: {note}")
        return EXIT_OK

    return run_in_world(paths, work)


def sync(options: argparse.Namespace, paths: Paths) -> int:
    """Refresh the catalog, with progress on a terminal's stderr.

    Raises:
        ConfigError: there is nothing to refresh it from.
    """
    from msgspec import structs

    from isexplore.cli.world import run_in_world
    from isexplore.errors import ConfigError

    async def work(services: Services) -> int:
        from isexplore.catalog.reports import SyncProgress
        from isexplore.updates import refresh, serve_lines

        if not services.config.forges and not services.config.sources:
            raise ConfigError(
                "No forge is connected yet",
                "",
                "isexplore login URL connects to one; isexplore practice needs none.",
            )
        if options.lines:
            return await serve_lines(services, full=options.full)

        def tell_progress(progress: SyncProgress) -> None:
            wait_for(progress.text, quiet=options.json)

        outcome = await refresh(services, full=options.full, on_progress=tell_progress)
        if options.json:
            print_json(outcome.as_json())
            return EXIT_REFUSED if outcome.failures else EXIT_OK
        for forge in outcome.report.forges:
            if forge.listed or not forge.failures:
                say(structs.replace(forge, failures=()).text)
            for failure in forge.failures:
                tell(f"isexplore: {forge.forge}: {failure.text}")
            for notice in forge.notices:
                tell(f"isexplore: {forge.forge}: {notice}")
        if outcome.failures:
            tell("  What the catalog knew of them is kept. isexplore doctor says more.")
        return EXIT_REFUSED if outcome.failures else EXIT_OK

    return run_in_world(paths, work, mind_tokens=True)


def export(options: argparse.Namespace, paths: Paths) -> int:
    """Write the catalog for a portal or a spreadsheet.

    Raises:
        UsageError: the format is unclear.
        StateError: the file cannot be written, or the catalog is not complete.
    """
    from pathlib import Path

    from isexplore.catalog.portal import as_csv, repos_json
    from isexplore.cli.world import open_world
    from isexplore.config.files import write_atomically
    from isexplore.errors import StateError, UsageError

    kind = options.format or {".json": "repos-json", ".csv": "csv"}.get(Path(options.file).suffix.lower())
    if kind is None:
        raise UsageError(
            f"What format {options.file} should have is unclear",
            "",
            "Give --format repos-json or --format csv.",
        )
    target = Path(options.file).expanduser().absolute()
    if options.file != "-" and not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}", "", "Make it first, or name another file.")
    services = open_world(paths)
    unread = services.catalog.unread()
    if unread:
        # A portal would show that there are no projects.
        raise StateError(
            f"The catalog of {unread[0][0]} is not complete, so nothing was written",
            "\n".join(f"{forge}: {reason}" for forge, reason in unread),
            "isexplore sync completes it.",
        )
    data = (as_csv if kind == "csv" else repos_json)(services.catalog).encode()
    if options.file == "-":
        sys.stdout.buffer.write(data)
    else:
        write_atomically(target, data, mode=0o644)
        tell(f"Wrote {services.catalog.count():,} projects to {options.file}")
    return EXIT_OK
