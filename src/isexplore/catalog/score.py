"""The Repository Activity Score of the InnerSource Commons patterns, with its level and its reasons.

This is the formula of the pattern text ("Repository Activity Score", structured patterns). The
Python package of the same name computes other numbers (misplaced brackets make its multipliers 0.01
to 1.01 instead of 1 to 2); scores written by tools that use it do not compare with these.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_DAY = 86_400
_LEVELS = (
    (2500, "extremely high"),
    (1000, "very high"),
    (300, "high"),
    (150, "moderate"),
    (50, "low"),
    (5, "very low"),
)
_BARS = " ▁▂▃▄▅▆▇█"
_ASCII_BARS = " .:-=+*#%"


def activity_score(
    *,
    stars: int = 0,
    forks: int = 0,
    open_issues: int = 0,
    subscribers: int = 0,
    created_at: int | None = None,
    last_activity: int | None = None,
    now: int,
    participation: Sequence[int] = (),
    description: str = "",
    motivation: str = "",
    has_guidelines: bool = False,
) -> int:
    """Return the score, 0 or more; times are seconds since 1970.

    An unknown time counts as long ago, so that a gap in what a forge tells never lifts a project.

    Args:
        stars: people who marked the project.
        forks: copies of it.
        open_issues: issues that wait.
        subscribers: people who watch it.
        created_at: when it began.
        last_activity: its last change.
        now: the moment to judge at.
        participation: commits per week, oldest first; empty when unknown.
        description: what the project says it is.
        motivation: `motivation` of its innersource.json.
        has_guidelines: whether it has a CONTRIBUTING file.
    """
    import math

    idle = max(0, now - last_activity) // _DAY if last_activity is not None else 10_000
    age = max(0, now - created_at) // _DAY if created_at is not None else 10_000
    score = 50 + 5 * forks + subscribers + stars / 3 + open_issues / 5
    score *= 1 + (100 - min(idle, 100)) / 100
    if participation:
        average = sum(participation[-13:]) / 13
        score *= 1 + min(max(average - 3, 0), 7) / 7
    score += (1000 - min(idle, 365) * 2.74) * (365 - min(age, 365)) / 365
    if len(description) > 30 or len(motivation) > 30:
        score += 50
    if has_guidelines:
        score += 100
    if score > 3000:
        score = 3000 + math.log(score) * 100
    # JavaScript's Math.round, which the pattern uses, rounds halves up.
    return max(0, math.floor(score - 50 + 0.5))


def level(score: int) -> str:
    """Return the score in a word, as project portals show it: "high", "very low", "none"."""
    for bound, word in _LEVELS:
        if score > bound:
            return word
    return "none"


def reasons(
    *,
    stars: int = 0,
    forks: int = 0,
    open_issues: int | None = None,
    good_first_issues: int | None = None,
    created_at: int | None = None,
    last_activity: int | None = None,
    now: int,
    participation: Sequence[int] = (),
    description: str = "",
    has_guidelines: bool | None = None,
) -> tuple[str, ...]:
    """Return why a project stands where it stands, strongest first, as short phrases."""
    found: list[str] = []
    if last_activity is not None:
        idle = max(0, now - last_activity) // _DAY
        if idle <= 7:
            found.append("changed this week")
        elif idle <= 31:
            found.append("changed this month")
        elif idle >= 100:
            found.append(f"no change for {idle:,} days")
    if participation and (average := sum(participation[-13:]) / 13) > 3:
        found.append(f"{average:.0f} commits a week")
    if created_at is not None and (age := max(0, now - created_at) // _DAY) < 365:
        found.append("new: began this week" if age < 7 else f"new: began {age} days ago")
    if good_first_issues:
        noun = "good first issue" if good_first_issues == 1 else "good first issues"
        found.append(f"{good_first_issues:,} {noun}")
    if forks >= 3:
        found.append(f"{forks:,} forks")
    if stars >= 3:
        found.append(f"{stars:,} stars")
    if open_issues:
        found.append(f"{open_issues:,} open {'issue' if open_issues == 1 else 'issues'}")
    if has_guidelines:
        found.append("tells how to contribute")
    elif has_guidelines is False:
        found.append("no CONTRIBUTING file")
    if len(description) <= 30:
        found.append("hardly a description")
    return tuple(found)


def sparkline(participation: Sequence[int], width: int = 13, *, plain: bool = False) -> str:
    """Return commits over time as one line of bars, newest right; empty when nothing is known.

    Args:
        participation: commits per week, oldest first.
        width: characters to use at most; several weeks share one when there are more.
        plain: use ASCII characters.
    """
    if not participation or width < 1:
        return ""
    weeks = list(participation)
    per_bar = max(1, -(-len(weeks) // width))
    weeks = [0] * (-len(weeks) % per_bar) + weeks
    sums = [sum(weeks[start : start + per_bar]) for start in range(0, len(weeks), per_bar)]
    top = max(sums)
    bars = _ASCII_BARS if plain else _BARS
    if top <= 0:
        return bars[0] * len(sums)
    return "".join(bars[-(-value * (len(bars) - 1) // top) if value > 0 else 0] for value in sums)
