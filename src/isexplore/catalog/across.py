"""Good first issues of many projects by one question, where the forge can be asked about a whole group.

A closer look at a project costs several requests, so most projects of a large forge wait for theirs for
days. One list of a group's issues with a label tells for all projects below it how many good first issues
they have; the verdict on each comes with the closer look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence

from isexplore.catalog.enrich import ISSUES_PER_PROJECT, Reading
from isexplore.catalog.pause import Pause
from isexplore.catalog.shelf import JudgedIssue
from isexplore.errors import ForbiddenError, InvalidError, NotVisibleError, UnavailableError, WrongAnswerError
from isexplore.forge.base import GroupIssues
from isexplore.models import Issue

_GROUPS = 20
"""Groups asked about, those with most projects first."""
_LEAST = 3
"""Projects that a group must have for a question to be worth it."""
_SPELLINGS = 4
_ISSUES = 1_000
"""Issues taken of one group and label."""
_REFUSED = (NotVisibleError, ForbiddenError, InvalidError, WrongAnswerError)


def groups_worth_asking(paths: Sequence[str], groups: Sequence[str] = ()) -> list[str]:
    """Return the groups to ask about: those of the configuration, or the outermost ones of the projects."""
    counts = Counter(path.partition("/")[0] for path in paths if "/" in path)
    if groups:
        # Of a group that is given by its number, nobody can tell here which projects are below it.
        counts = Counter(
            {group: _LEAST if group.isdecimal() else len(_below(group, paths)) for group in groups}
        )
    return [group for group, number in counts.most_common(_GROUPS) if number >= _LEAST]


def _below(group: str, paths: Iterable[str]) -> list[str]:
    begin = f"{group.lower()}/"
    return [path for path in paths if path.lower().startswith(begin)]


def spellings(reading: Reading, known: Sequence[str]) -> list[str]:
    """Return the labels to ask for: those in use that mark first issues, then those of the configuration."""
    counts = Counter(label for label in known if reading.is_first(label))
    found = dict.fromkeys(label for label, _ in counts.most_common())
    found.update(dict.fromkeys(reading.first_labels))
    # A comma separates labels and cannot be escaped.
    return [label for label in found if "," not in label][:_SPELLINGS]


async def gather(
    forge: GroupIssues,
    reading: Reading,
    pause: Pause,
    projects: Mapping[str, str],
    *,
    groups: Sequence[str] = (),
    known: Sequence[str] = (),
) -> AsyncGenerator[dict[str, tuple[JudgedIssue, ...]]]:
    """Yield the good first issues of each group by project id, with what can be said of them unread.

    A group that refuses is left out. Of one that told everything, every project is there: those without
    such an issue with none.

    Args:
        forge: whom to ask.
        reading: the rules.
        pause: shared by everybody who talks to this forge.
        projects: id of each project by its path.
        groups: of the configuration.
        known: labels of the first issues known so far, one for each issue.

    Raises:
        RateLimitedError: the forge wants fewer requests for longer than is worth waiting.
    """
    ids = {path.lower(): pid for path, pid in projects.items()}
    labels = spellings(reading, known)

    async def ask(group: str) -> dict[str, dict[int, Issue]]:
        found: dict[str, dict[int, Issue]] = {}
        whole = bool(labels)
        for label in labels:
            issues = await pause.ask(lambda label=label: forge.issues_below(group, label, limit=_ISSUES))  # type: ignore[misc]
            whole = whole and len(issues) < _ISSUES
            for issue in issues:
                pid = ids.get(issue.project.lower())
                if pid is not None and issue.open and not issue.confidential:
                    found.setdefault(pid, {})[issue.number] = issue
        for path in _below(group, projects) if whole else ():
            found.setdefault(projects[path], {})
        return found

    for group in groups_worth_asking(list(projects), groups):
        try:
            found = await ask(group)
        except _REFUSED:
            # A person's own projects look like a group's, and are not.
            continue
        except UnavailableError:
            # The question is a heavy one: who does not answer it is not asked any more.
            return
        yield {
            pid: tuple(
                JudgedIssue(issue, reading.judge(issue, None, None))
                for issue in list(issues.values())[:ISSUES_PER_PROJECT]
            )
            for pid, issues in found.items()
        }
