"""The description of a merge request, before it is sent: what it leaves unanswered, and the editor for it."""

from __future__ import annotations

import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from isexplore.cli.asking import answer_to
from isexplore.cli.output import tell
from isexplore.errors import BlockedError, ConfigError, StateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from isexplore.journey.store import Journey
    from isexplore.services import Services

MAX_DESCRIPTION = 1 << 20
"""Bytes of a description; GitLab takes as many characters, the others fewer."""

_PUSHED = "The branch is on your fork already."


def read_description(name: str) -> str:
    """Return the text of a file, or of standard input for `-`.

    Raises:
        UsageError: it cannot be read, is not UTF-8 text, or is larger than a description may be.
    """
    try:
        if name == "-":
            data = _from_standard_input()
        else:
            with Path(name).expanduser().open("rb") as file:
                data = file.read(MAX_DESCRIPTION + 1)
        text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except (OSError, RuntimeError, ValueError) as error:
        what = "Standard input" if name == "-" else name
        raise UsageError(
            f"{what} cannot be read",
            "It is not UTF-8 text."
            if isinstance(error, UnicodeDecodeError)
            else getattr(error, "strerror", None) or str(error),
            "Give a text file, or - for standard input.",
        ) from error
    if len(data) > MAX_DESCRIPTION:
        raise UsageError(
            f"{'Standard input' if name == '-' else name} is too large for a description",
            f"It holds more than {MAX_DESCRIPTION:,} bytes.",
            "Say what the change does, and link to the rest.",
        )
    return text


def _from_standard_input() -> bytes:
    """Return the bytes of standard input, a few more than are allowed at most."""
    binary = getattr(sys.stdin, "buffer", None)
    if binary is None:
        return sys.stdin.read(MAX_DESCRIPTION + 1).encode("utf-8")
    data: bytes = binary.read(MAX_DESCRIPTION + 1)
    return data


async def settled(
    services: Services, journey: Journey, answers: Mapping[str, str], *, ask: bool
) -> Mapping[str, str]:
    """Tell what of the project's template would be sent as it was; ask, where somebody is there, if it shall be.

    Args:
        services: the journeys, and the editor of the configuration.
        journey: whose merge request is to be opened.
        answers: title, description and draft as far as they were given.
        ask: whether somebody can answer.

    Returns:
        The answers to go on with.

    Raises:
        BlockedError: it shall not be sent.
        ConfigError: there is no editor.
    """
    if not await tell_untouched(services, journey, answers):
        return answers
    if not ask:
        tell("It can be edited on the forge; --body-file F gives another description.")
        return answers
    answer = answer_to("Send it like this? [y/N, e edits it] ")
    if answer in ("y", "yes"):
        return answers
    if answer in ("e", "edit"):
        proposal = await services.journeys.proposal(journey, answers)
        text = edited(services, "" if proposal is None else proposal.body)
        if text.strip():
            return {**answers, "body": text}
        raise BlockedError("Nothing was proposed", "The description is empty.", _PUSHED)
    raise BlockedError(
        "Nothing was proposed",
        "Parts of the project's template are as they were.",
        f"--body-file F gives the description, --draft says that it is not finished. {_PUSHED}",
    )


async def tell_untouched(services: Services, journey: Journey, answers: Mapping[str, str]) -> bool:
    """Tell what the description leaves unanswered; return whether there is anything."""
    untouched = await services.journeys.untouched(journey, answers)
    if untouched:
        path = await services.journeys.template_path(journey)
        tell(
            f"Not answered in the description{f', which begins as {path}' if path else ''}:",
            *(f"  {words}" for words in untouched),
        )
    return bool(untouched)


def edited(services: Services, text: str) -> str:
    """Return a text as it was saved in the user's editor.

    Raises:
        ConfigError: there is no editor, or it cannot be started.
        BlockedError: it ended with an error, as editors do that were told to give up.
        StateError: what it saved cannot be read.
    """
    from isexplore.tui.outside import editor_command, how_it_ended, run_in_terminal

    command = services.editor or editor_command()
    if not command:
        raise ConfigError("There is no editor", "", "Set EDITOR, or `editor` in config.toml.")
    with tempfile.TemporaryDirectory(prefix="isexplore-") as folder:
        file = Path(folder) / "DESCRIPTION.md"
        file.write_text(text + "\n", encoding="utf-8")
        code = run_in_terminal(nullcontext(), (*command, str(file)), Path(folder))
        if code:
            raise BlockedError("Nothing was proposed", how_it_ended(command[0], code), _PUSHED)
        try:
            return file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise StateError("The description cannot be read", str(error), _PUSHED) from error
