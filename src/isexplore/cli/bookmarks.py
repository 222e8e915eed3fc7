"""`bookmark`: projects to find again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isexplore.cli.output import print_json, print_table, say, tell
from isexplore.cli.world import open_world, program, tell_notice
from isexplore.errors import EXIT_OK, StateError, UsageError

if TYPE_CHECKING:
    import argparse

    from isexplore.config.paths import Paths
    from isexplore.models import Bookmark
    from isexplore.services import Services


def bookmark(options: argparse.Namespace, paths: Paths) -> int:
    """Add, remove or list bookmarks.

    Raises:
        UsageError: which project is missing or unclear.
        StateError: the bookmarks cannot be read or written.
    """
    services = open_world(paths)
    code = _bookmark(options, services)
    tell_notice(services)
    return code


def _bookmark(options: argparse.Namespace, services: Services) -> int:
    if options.action != "list" and not options.project:
        raise UsageError(
            f"Which project should be {options.action}ed"
            if options.action == "add"
            else "Which bookmark should go",
            "",
            f"isexplore bookmark {options.action} group/name",
        )
    if options.action == "add":
        ref = services.resolve(options.project)
        tags = None if options.tag is None else tuple(options.tag)
        services.bookmarks.add(ref, note=options.note, tags=tags)
        _check_kept(services)
        if not services.knows(ref):
            # Bookmarks ask no forge, and the catalog does not have everything that is on one.
            near = services.near_words(ref.path) or f"{program(services)} show {ref.path} asks the forge."
            tell(f"isexplore: {ref.path} is not in the catalog. {near}")
        if not options.json:
            say(f"Bookmarked {ref.path}.")
            return EXIT_OK
    elif options.action == "remove":
        known = [one for one in services.bookmarks.list() if one.path == options.project]
        ref = known[0].ref if len(known) == 1 else services.resolve(options.project)
        removed = services.bookmarks.remove(ref)
        _check_kept(services)
        if not removed:
            raise UsageError(f"{ref.path} is not bookmarked", "", "isexplore bookmark list shows what is.")
        if not options.json:
            say(f"Removed the bookmark on {ref.path}.")
            return EXIT_OK
    bookmarks = services.bookmarks.list()
    if options.json:
        print_json({"bookmarks": [_as_json(one) for one in bookmarks]})
    elif not bookmarks:
        # Nothing to show is not the same as nothing that can be shown: that is told afterwards.
        if not services.state.notice:
            say(f"No bookmarks yet. {program(services)} bookmark add group/name makes one.")
    else:
        print_table((one.path, one.note, " ".join(f"#{tag}" for tag in one.tags)) for one in bookmarks)
    return EXIT_OK


def _check_kept(services: Services) -> None:
    """Refuse to call something done that is gone when this process ends.

    Raises:
        StateError: the state file cannot be written.
    """
    if not services.state.persistent:
        raise StateError(
            "The bookmark is not kept",
            services.state.notice or "",
            "Make the state folder writable: isexplore doctor names it.",
        )


def _as_json(bookmark: Bookmark) -> dict[str, object]:
    return {
        "forge": bookmark.forge,
        "path": bookmark.path,
        "note": bookmark.note,
        "tags": list(bookmark.tags),
        "added_at": f"{bookmark.added_at:%Y-%m-%dT%H:%M:%SZ}" if bookmark.added_at else None,
    }
