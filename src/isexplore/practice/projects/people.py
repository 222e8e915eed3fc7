"""The people group: projects about colleagues, by colleagues."""

# ruff: noqa: E501  (the lines are those of the files that they become)

from __future__ import annotations

from isexplore.practice.seed import CheckSeed, CommitSeed, IssueSeed, NoteSeed, ProjectSeed, ReviewSeed, text

_FIRST_WEEK = ProjectSeed(
    path="people/onboarding/first-week",
    description="What everybody should know after the first week; written by those who just had theirs",
    topics=("innersource", "onboarding", "markdown"),
    licence="CC-BY-4.0",
    languages={"Markdown": 100.0},
    stars=96,
    forks=51,
    labels=("good first issue", "newcomers only"),
    members={"sofia": 50, "jo": 40},
    commits=(
        CommitSeed(
            "sofia",
            "Monday to Friday",
            365,
            {
                "README.md": text("""
                # Your first week

                - [Monday](days/1-monday.md): people and doors
                - [Tuesday](days/2-tuesday.md): accounts and tools
                - [Wednesday](days/3-wednesday.md): your first change
                """),
                "days/1-monday.md": "# Monday\n\n- Pick up your badge at the frond desk.\n- Lunch is at twelve; somebody fetches you.\n",
                "days/2-tuesday.md": "# Tuesday\n\n- Sign in to the forge.\n- Join `#newcomers` and `#innersource`.\n",
                "days/3-wednesday.md": "# Wednesday\n\n- Open `docs/welcome` on the forge, and make your first merge request.\n",
            },
        ),
        CommitSeed(
            "jo",
            "Contributing: only newcomers know what is missing",
            230,
            {
                "CONTRIBUTING.md": text("""
                # Contributing

                You are new? Then you are the expert. Whatever puzzled you belongs into this project.

                - Edit the day on which it puzzled you. The web editor is fine; so is a fork and a branch.
                - Short lines, at most 100 characters; the job `lint` counts.
                - @sofia or @jo answer on the same day.
                """),
            },
        ),
        CommitSeed(
            "diego",
            "Say which channels to join",
            19,
            {
                "days/2-tuesday.md": "# Tuesday\n\n- Sign in to the forge.\n- Join `#newcomers`, `#innersource` and the channel of your team.\n",
            },
        ),
    ),
    issues=(
        IssueSeed(
            title='"frond desk"',
            author="diego",
            days_ago=18,
            labels=("good first issue", "newcomers only"),
            body=text("""
                Line 3 of `days/1-monday.md` says "frond desk". It should say "front desk".

                **What to do.** Change that word.
                """),
        ),
        IssueSeed(
            title="What about Thursday?",
            author="sofia",
            days_ago=15,
            labels=("good first issue", "newcomers only"),
            body=text("""
                The week ends on Wednesday at the moment.

                **What to do.** A new file `days/4-thursday.md` with a heading and at least one thing that you would have
                liked to know on your fourth day, and a link to it in `README.md`.
                """),
        ),
    ),
    checks=(
        CheckSeed(name="lint", kind="max-line", limit=100),
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(name="docs", kind="links"),
    ),
    review=ReviewSeed(
        reviewer="jo",
        request=(
            "Thank you, {author}! Nobody sees these things but you. Could you add one more line to `days/1-monday.md` or "
            "another day: something small that you wish you had known? Anything. Then I merge."
        ),
        thanks="Oh, that one I had forgotten! Thank you, {author}. Merging; the next newcomer will be glad.",
    ),
)

_BUDDIES = ProjectSeed(
    path="people/onboarding/buddy-matcher",
    description="Finds a buddy for each newcomer: another team, a shared language, similar hours",
    topics=("inner-source", "python", "onboarding"),
    licence="MIT",
    languages={"Python": 100.0},
    stars=18,
    forks=6,
    labels=("low-hanging fruit", "idea"),
    members={"lena": 50, "sofia": 30},
    commits=(
        CommitSeed(
            "lena",
            "Match by language",
            210,
            {
                "match.py": text('''
                """Find a buddy for a newcomer."""

                from __future__ import annotations

                from dataclasses import dataclass


                @dataclass(frozen=True)
                class Colleague:
                    name: str
                    team: str
                    languages: frozenset[str]


                def buddies(newcomer: Colleague, others: list[Colleague]) -> list[Colleague]:
                    """Return colleagues of other teams who share a language, most shared languages first."""
                    fitting = [
                        other
                        for other in others
                        if other.team != newcomer.team and other.languages & newcomer.languages
                    ]
                    return sorted(fitting, key=lambda other: -len(other.languages & newcomer.languages))
                '''),
                "README.md": "# Buddy matcher\n\n`buddies(newcomer, others)` returns who fits.\n",
            },
        ),
        CommitSeed(
            "sofia",
            "Add the contributing guide and the owners",
            110,
            {
                "CONTRIBUTING.md": "# Contributing\n\nPython 3.11, no dependencies. `python -m doctest match.py`.\n\nReview within a week: @lena.\n",
                ".gitea/CODEOWNERS": ".*\\.py @lena\n.*\\.md @sofia\n",
            },
        ),
    ),
    issues=(
        IssueSeed(
            title="Colleague has no docstring",
            author="lena",
            days_ago=105,
            labels=("low-hanging fruit",),
            body='**What to do.** Below `class Colleague:` in `match.py`, add `"""Somebody who works here."""`.',
            notes=(NoteSeed("kofi", "I can do that.", 103),),
        ),
        IssueSeed(
            title="Match hours, too",
            author="sofia",
            days_ago=60,
            labels=("idea",),
            body="Somebody who starts at six is no buddy for somebody who starts at ten.",
        ),
    ),
    checks=(CheckSeed(name="test", kind="parses"), CheckSeed(name="lint", kind="no-trailing-space")),
)

PROJECTS: tuple[ProjectSeed, ...] = (_FIRST_WEEK, _BUDDIES)
