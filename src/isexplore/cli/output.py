"""What the subcommands print: one JSON document on stdout, or words; diagnostics on stderr."""

from __future__ import annotations

import os
import sys

from isexplore.text import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, TextIO

    from isexplore.errors import IsexploreError

_passing = False
"""Whether a line is on the terminal that the next one takes the place of."""


def wait_for(words: str, *, quiet: bool = False) -> None:
    """Say at standard error's terminal what is being waited for, until something else is printed.

    Args:
        words: what; cut where they would not fit into one line, which could not be taken back.
        quiet: say nothing: a document is asked for.
    """
    global _passing
    if quiet or not sys.stderr.isatty() or _logs_are_shown():
        return
    import shutil

    from isexplore.text import shorten

    take_back()
    words = shorten(clean(words), shutil.get_terminal_size().columns - 1)
    _passing = True
    _write_in_passing(words)


def take_back() -> None:
    """Take the words of `wait_for` off the terminal, before something is written there."""
    global _passing
    if _passing:
        _passing = False
        _write_in_passing("\r\x1b[K")


def _write_in_passing(text: str) -> None:
    """Write to standard error; a terminal that has gone must not end the work that goes on without it."""
    try:
        print(text, end="", file=sys.stderr, flush=True)
    except OSError:
        abandon(sys.stderr)


def _logs_are_shown() -> bool:
    """Whether `--verbose` writes its lines to standard error, behind whatever stands there."""
    logging = sys.modules.get("logging")
    return logging is not None and any(
        getattr(handler, "stream", None) is sys.stderr for handler in logging.getLogger().handlers
    )


def print_json(document: Any) -> None:
    """Print one JSON document; characters beyond ASCII are escaped, so nothing in it acts on a terminal."""
    import json

    take_back()
    print(json.dumps(document, indent=2, default=str))


def say(*lines: str) -> None:
    """Print words on stdout, cleaned."""
    take_back()
    for line in lines:
        print(clean(line))


def _in_the_log(error: IsexploreError) -> bool:
    """Whether whoever helps will want to see the log: a server's or git's answer is behind the error.

    A name or folder that was turned down before git saw it has no exit code, and nothing in the log.
    """
    if error.kind == "git":
        from isexplore.errors import GitError

        return isinstance(error, GitError) and (error.returncode is not None or error.reason == "stalled")
    return error.kind == "wrong-answer"


def tell(*lines: str) -> None:
    """Print diagnostics on stderr, cleaned; where that cannot be written, there is nobody to tell.

    Raises:
        BrokenPipeError: nobody reads them any more.
    """
    try:
        take_back()
        for line in lines:
            print(clean(line), file=sys.stderr)
    except BrokenPipeError:
        raise
    except OSError:
        abandon(sys.stderr)


def fill_streams() -> None:
    """Put a stream in the place of each that was closed when this process began (`>&-`).

    Python has None there, and the next file that is opened would get its number. Standard output stays one
    that cannot be written, so that nobody takes it for printed. They are open until the process ends.
    """
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115


def output_is_lost() -> bool:
    """Whether standard output cannot take what is still to be written to it."""
    try:
        sys.stdout.flush()
    except OSError:
        return True
    return False


def abandon(*streams: TextIO) -> None:
    """Let what is still buffered go nowhere, so that the interpreter's last flush does not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def print_error(error: IsexploreError, as_json: bool) -> None:
    """Print an expected failure: a document on stdout with `--json`, words on stderr without."""
    if as_json:
        print_json(error.as_json())
        return
    tell(f"isexplore: {error.title}")
    for part in (error.detail, error.hint):
        if part:
            tell(*(f"  {line}" for line in part.splitlines()))
    if _in_the_log(error) and "isexplore.config.logs" in sys.modules:
        from isexplore.config.logs import log_files

        tell(*(f"  What was asked and run before is in {file}" for file in log_files()))


def print_table(rows: Iterable[Sequence[str]], *, gap: str = "  ") -> None:
    """Print rows as columns of equal width; the last column is not padded.

    At a terminal, a row that is too long goes on in a second line, between two words.
    """
    table = [[clean(cell) for cell in row] for row in rows]
    if not table:
        return
    take_back()
    room = _columns_of_terminal()
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        line = gap.join([*cells, row[-1]]).rstrip()
        if room is not None and len(line) > room:
            from textwrap import fill

            line = fill(line, room, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
        print(line)


def _columns_of_terminal() -> int | None:
    """Return how wide the terminal is; None where standard output is none, or does not tell."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    except (OSError, ValueError):
        return None
