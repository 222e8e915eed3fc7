"""Good first issues of many projects by one question, where the forge can be asked about all or a whole group.

A closer look at a project costs several requests, so most projects of a large forge wait for theirs for
days. One list of the issues with a label tells for all projects how many good first issues they have; the
verdict on each comes with the closer look. A forge for which that is too much is asked group by group, some
at each sync, those that waited longest first.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import NamedTuple

from isexplore.catalog.enrich import ISSUES_PER_PROJECT, Reading
from isexplore.catalog.pause import Pause
from isexplore.catalog.shelf import JudgedIssue
from isexplore.catalog.together import together
from isexplore.errors import (
    AuthError,
    ForbiddenError,
    InvalidError,
    NotVisibleError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.forge.base import GroupIssues
from isexplore.models import Issue

GROUPS = 20
"""Groups asked about in one sync."""
_LEAST = 3
"""Projects that a group must have for a question to be worth it."""
_SPELLINGS, _SPELLINGS_ANYWHERE = 4, 24
_ISSUES, ISSUES_ANYWHERE = 1_000, 50_000
"""Issues taken of one label, of a group and of all projects."""
_LABELS_AT_ONCE = 4
"""Labels asked for side by side: all that a forge tells of one is in memory until it has been looked through."""
_AT_ONCE = 500
"""Projects told of at once."""
REFUSED = (NotVisibleError, ForbiddenError, InvalidError, WrongAnswerError)
"""What a forge answers that cannot be asked so, now or ever."""
_NOT_AT_ONCE = (*REFUSED, UnavailableError, AuthError)
"""What a forge answers that cannot be asked about all projects: too much, unknown, or not for everybody."""

Found = dict[str, tuple[JudgedIssue, ...]]
"""Good first issues by project id."""


class Told(NamedTuple):
    """What a group told."""

    group: str
    issues: Found
    whole: bool
    """Everything: a project below the group that is not named has no such issue."""


class Everything(NamedTuple):
    """What a forge told of all projects."""

    issues: Found
    """Of every project, with nothing for those without; of those with some alone where a label was cut."""
    cut: tuple[str, ...]
    """Labels that more issues have than were taken."""


def groups_worth_asking(paths: Sequence[str], groups: Sequence[str] = ()) -> list[str]:
    """Return the groups to ask about: those of the configuration, or the outermost ones of the projects."""
    counts = Counter(path.partition("/")[0] for path in paths if "/" in path)
    if groups:
        # Of a group that is given by its number, nobody can tell here which projects are below it.
        counts = Counter(
            {group: _LEAST if group.isdecimal() else len(below(group, paths)) for group in groups}
        )
    return [group for group, number in counts.most_common() if number >= _LEAST]


def below(group: str, paths: Iterable[str]) -> list[str]:
    """Return the paths that are below a group."""
    begin = f"{group.lower()}/"
    return [path for path in paths if path.lower().startswith(begin)]


def spellings(reading: Reading, known: Sequence[str], most: int = _SPELLINGS) -> list[str]:
    """Return the labels to ask for: those in use that mark first issues, then those of the configuration.

    Args:
        reading: the rules.
        known: labels of the first issues known so far, one for each issue.
        most: how many to return; where it allows for them, other ways to write the same come last.
    """
    counts = Counter(label for label in known if reading.is_first(label))
    found = dict.fromkeys(label for label, _ in counts.most_common())
    found.update(dict.fromkeys(reading.first_labels))
    for change in (lambda label: label.replace(" ", "-"), str.capitalize, str.title):
        found.update(dict.fromkeys(change(label) for label in reading.first_labels))
    # A comma separates labels and cannot be escaped.
    return [label for label in found if "," not in label][:most]


async def ask_everywhere(
    forge: GroupIssues,
    reading: Reading,
    pause: Pause,
    projects: Mapping[str, str],
    *,
    known: Sequence[str] = (),
) -> Everything | None:
    """Return the good first issues of all projects; None where this forge cannot be asked for them.

    Args:
        forge: whom to ask.
        reading: the rules.
        pause: shared by everybody who talks to this forge.
        projects: id of each project by its path.
        known: labels of the first issues known so far, one for each issue.

    Raises:
        RateLimitedError: the forge wants fewer requests for longer than is worth waiting.
    """
    ids = {path.lower(): pid for path, pid in projects.items()}
    labels = spellings(reading, known, _SPELLINGS_ANYWHERE)
    places = asyncio.Semaphore(_LABELS_AT_ONCE)

    async def ask(label: str) -> tuple[int, list[Issue]]:
        async with places:
            issues = await pause.ask(lambda: forge.issues_anywhere(label, limit=ISSUES_ANYWHERE))
            # Most of a large forge's may be of projects that are not here.
            return len(issues), [issue for issue in issues if issue.project.lower() in ids]

    try:
        answers = await together([ask(label) for label in labels])
    except _NOT_AT_ONCE:
        return None
    cut = tuple(
        label for label, (number, _) in zip(labels, answers, strict=True) if number >= ISSUES_ANYWHERE
    )
    found: dict[str, dict[int, Issue]] = {} if cut else {pid: {} for pid in projects.values()}
    for _, issues in answers:
        _sort_in(found, issues, ids)
    return Everything(_judged(reading, found), cut)


async def ask_groups(
    forge: GroupIssues,
    reading: Reading,
    pause: Pause,
    projects: Mapping[str, str],
    groups: Sequence[str],
    *,
    known: Sequence[str] = (),
) -> AsyncGenerator[Told]:
    """Yield the good first issues of each group, with what can be said of them unread.

    A group that refuses has told nothing, and neither has one for which that is too much: it is the last
    that is asked. Of one that told everything, every project is there: those without such an issue with none.

    Args:
        forge: whom to ask.
        reading: the rules.
        pause: shared by everybody who talks to this forge.
        projects: id of each project by its path.
        groups: which.
        known: labels of the first issues known so far, one for each issue.

    Raises:
        RateLimitedError: the forge wants fewer requests for longer than is worth waiting.
    """
    ids = {path.lower(): pid for path, pid in projects.items()}
    labels = spellings(reading, known)

    async def ask(group: str) -> Told:
        found: dict[str, dict[int, Issue]] = {}
        whole = bool(labels)
        for label in labels:
            issues = await pause.ask(lambda label=label: forge.issues_below(group, label, limit=_ISSUES))  # type: ignore[misc]
            whole = whole and len(issues) < _ISSUES
            _sort_in(found, issues, ids)
        for path in below(group, projects) if whole else ():
            found.setdefault(projects[path], {})
        return Told(group, _judged(reading, found), whole)

    for group in groups:
        try:
            yield await ask(group)
        except REFUSED:
            # A person's own projects look like a group's, and are not.
            yield Told(group, {}, False)
        except UnavailableError:
            # The question is a heavy one: who does not answer it is not asked any more. That this one was
            # asked is told, so that the next sync does not begin with it and come no further.
            yield Told(group, {}, False)
            return


def _sort_in(found: dict[str, dict[int, Issue]], issues: Iterable[Issue], ids: Mapping[str, str]) -> None:
    for issue in issues:
        pid = ids.get(issue.project.lower())
        if pid is not None and issue.open and not issue.confidential:
            found.setdefault(pid, {})[issue.number] = issue


def _judged(reading: Reading, found: Mapping[str, Mapping[int, Issue]]) -> Found:
    return {
        pid: tuple(
            JudgedIssue(issue, reading.judge(issue, None, None))
            for issue in list(issues.values())[:ISSUES_PER_PROJECT]
        )
        for pid, issues in found.items()
    }


def in_parts(found: Found) -> Iterable[Found]:
    """Yield what was found, some hundreds of projects at a time."""
    pids = list(found)
    for start in range(0, len(pids), _AT_ONCE):
        yield {pid: found[pid] for pid in pids[start : start + _AT_ONCE]}
