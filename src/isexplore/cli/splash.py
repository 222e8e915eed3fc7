"""The first page of the catalog, on the terminal before the screens' toolkit is loaded.

Loading Textual takes ten times as long as reading a page of rows. So the page is painted first, with
the geometry and the words of the real first frame, which then replaces it. Keys that are typed
meanwhile wait in the terminal's own buffer. Where anything is unusual there is no splash.
"""

from __future__ import annotations

import os
import sys

from isexplore.config.accounts import PRACTICE, noted_accounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J"
_LEAVE = "\x1b[?1049l\x1b[?25h"
_UNSUITED = ("NO_COLOR", "TEXTUAL_DRIVER", "TEXTUAL_THEME", "TEXTUAL_COLOR_SYSTEM", "COLUMNS", "LINES")
"""Variables that make the real first frame another one."""
_SMALLEST = (40, 12)


class Splash:
    """What was changed about the terminal, to be put back."""

    def __init__(self, descriptor: int, attributes: list[object]) -> None:
        self._descriptor = descriptor
        self._attributes = attributes

    def take_away(self) -> None:
        """Leave the alternate screen, when nothing else is going to."""
        sys.stdout.write(_LEAVE)
        sys.stdout.flush()

    def restore(self) -> None:
        """Put the terminal's own settings back."""
        import termios

        try:
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._attributes)  # type: ignore[arg-type]
        except termios.error:
            # The terminal is gone: there is nothing to put back.
            return


def paint(
    config_dir: str, state_dir: str, cache_dir: str, environment: Mapping[str, str] = os.environ
) -> Splash | None:
    """Paint the first page; return how to undo it, or None when nothing was painted."""
    if environment.get("TERM", "dumb") in ("", "dumb", "unknown", "linux"):
        return None
    if any(name in environment for name in _UNSUITED) or sys.platform == "win32":
        return None
    config_file = os.path.join(config_dir, "config.toml")
    accounts = noted_accounts(config_file, cache_dir)
    if not accounts or accounts[0][0] == PRACTICE or _has_own_look(config_file):
        return None
    import termios

    try:
        size = os.get_terminal_size(sys.stdout.fileno())
        if size.columns < _SMALLEST[0] or size.lines < _SMALLEST[1]:
            return None
        colours = environment.get("COLORTERM", "") in ("truecolor", "24bit")
        page = _page(state_dir, cache_dir, accounts, size.columns, size.lines, colours=colours)
        if page is None:
            return None
        splash = _quieten(sys.stdin.fileno())
        sys.stdout.write(_ENTER + page)
        sys.stdout.flush()
    except (OSError, ValueError, termios.error):
        return None
    return splash


def _has_own_look(config_file: str) -> bool:
    """Tell whether the configuration may change colours."""
    with open(config_file, encoding="utf-8", errors="replace") as file:
        return any(line.lstrip().startswith("theme") for line in file)


def _quieten(descriptor: int) -> Splash:
    """Keep what is typed off the screen, and unlost."""
    import termios

    before = termios.tcgetattr(descriptor)
    quiet = list(before)
    quiet[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(descriptor, termios.TCSANOW, quiet)
    return Splash(descriptor, before)


def _page(
    state_dir: str,
    cache_dir: str,
    accounts: list[tuple[str, str, str]],
    columns: int,
    lines: int,
    *,
    colours: bool,
) -> str | None:
    """Return the first page as text for the terminal; None when there is nothing to show."""
    from isexplore.catalog.query import search
    from isexplore.catalog.store import Account, Catalog
    from isexplore.tui.opening import ROW_HEIGHT, WIDE, Page, list_width, place_words, total_words

    room = lines - 6
    with Catalog.open(os.path.join(cache_dir, "catalog"), [Account(*each) for each in accounts]) as catalog:
        found = search(catalog, "", limit=room // ROW_HEIGHT + 1)
        if not found.rows:
            return None
        as_of, size = catalog.as_of(), catalog.count()
    forges = [name for name, _, _ in accounts if not name.startswith("list:")]
    marks, counts = _remembered(os.path.join(state_dir, "state.toml"))
    page = Page(columns, lines, colours=colours)
    page.bar(counts, place_words(forges, as_of))
    page.search(total_words(found.total, found.more, size, None))
    listed = [
        line
        for index, row in enumerate(found.rows)
        for line in page.project(
            row, kept=(row.forge, row.path) in marks, with_forge=len(forges) > 1, cursor=index == 0
        )
    ][:room]
    beside = " ▏" if columns >= WIDE else " "
    listed += [" " * list_width(columns)] * (room - len(listed))
    page.drawn += [line + beside for line in listed]
    return "\x1b[0m\r\n".join(page.drawn) + "\x1b[0m"


def _remembered(state_file: str) -> tuple[set[tuple[str, str]], dict[str, int]]:
    """Return what is bookmarked, and how many bookmarks and contributions that run there are."""
    if not os.path.exists(state_file):
        return set(), {}
    import tomllib

    try:
        with open(state_file, "rb") as file:
            state = tomllib.load(file)
        marks = {(str(each["forge"]), str(each["path"])) for each in state.get("bookmarks", [])}
        # As the screens count them: those that have ended are none.
        running = sum("outcome" not in each for each in state.get("journeys", {}).values())
        return marks, {"bookmarks": len(marks), "contributions": running}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # The screens tell what is wrong with it.
        return set(), {}
