"""The data group: small tools around nightly jobs."""

# ruff: noqa: E501  (the lines are those of the files that they become)

from __future__ import annotations

from isexplore.practice.seed import (
    CheckSeed,
    CommitSeed,
    IssueSeed,
    MergeRequestSeed,
    NoteSeed,
    ProjectSeed,
    ReviewSeed,
    text,
)

_ETL = ProjectSeed(
    path="data/etl-helpers",
    description="Small helpers for nightly jobs",
    topics=("inner-source", "python", "etl"),
    licence="MIT",
    languages={"Python": 100.0},
    stars=12,
    forks=4,
    labels=("good first issue", "help wanted"),
    members={"wei": 40},
    commits=(
        CommitSeed(
            "wei",
            "Collect what four jobs had copied",
            700,
            {
                "etl/chunks.py": text('''
                    """Work through long lists in pieces."""

                    from collections.abc import Iterator, Sequence
                    from typing import TypeVar

                    T = TypeVar("T")


                    def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
                        """Yield pieces of at most `size` items."""
                        for start in range(0, len(items), size):
                            yield items[start : start + size]
                    '''),
                "README.md": "# etl-helpers\n\nSmall helpers for nightly jobs.\n\n## Usage\n\nComming soon.\n",
                "setup.py": 'from setuptools import setup\n\nsetup(name="etl-helpers", version="0.9", python_requires=">=3.8")\n',
            },
        ),
        CommitSeed(
            "priya",
            "Retry the upload once",
            520,
            {
                "etl/upload.py": '"""Upload with one more try."""\n\n\ndef upload(send, data: bytes) -> None:\n    """Call `send(data)`, and once more when it fails."""\n    try:\n        send(data)\n    except OSError:\n        send(data)\n'
            },
        ),
        CommitSeed(
            "wei",
            "contributing: the least that one has to know",
            330,
            {
                "CONTRIBUTING.md": "Fork, change, merge request. Tests: `python -m pytest`. I answer when I can, mostly at weekends. /wei\n"
            },
        ),
        CommitSeed(
            "jo",
            "Add tests for chunks",
            96,
            {
                "tests/test_chunks.py": "from etl.chunks import chunks\n\n\ndef test_last_piece_is_shorter() -> None:\n    assert [list(piece) for piece in chunks([1, 2, 3], 2)] == [[1, 2], [3]]\n"
            },
        ),
    ),
    issues=(
        IssueSeed(
            title="Drop Python 3.8",
            number=12,
            author="wei",
            days_ago=250,
            labels=("good first issue",),
            body="`python_requires` in `setup.py`, and the type hints can be shorter then.",
            notes=(
                NoteSeed("ravi", "Can I take this?", 247),
                NoteSeed("wei", "Sure!", 246),
                NoteSeed("wei", "@ravi are you still on it?", 243),
            ),
        ),
        IssueSeed(
            title="README: replace 'Comming soon' with a real example",
            number=17,
            author="jo",
            days_ago=94,
            labels=("good first issue", "help wanted"),
            body=text("""
                The section "Usage" of `README.md` has said "Comming soon" (with two m) for two years.

                **What to do.** Replace that line with three lines of Python that call `chunks`; the test in
                `tests/test_chunks.py` shows how.
                """),
        ),
    ),
)

_ROW_CHECKS = ProjectSeed(
    path="data/quality/row-checks",
    description="Checks for tables, written as plain SQL with a sentence that says what is wrong",
    topics=("innersource", "sql", "data-quality"),
    licence="Apache-2.0",
    languages={"SQL": 62.0, "Python": 38.0},
    stars=52,
    forks=18,
    labels=("good first issue", "new check"),
    members={"priya": 50, "lena": 40},
    commits=(
        CommitSeed(
            "priya",
            "Run every file in checks/",
            310,
            {
                "run.py": text('''
                    """Run every check against a database; print the sentence of each that finds rows."""

                    import pathlib
                    import sqlite3
                    import sys


                    def main(database: str) -> int:
                        """Return how many checks found something."""
                        found = 0
                        connection = sqlite3.connect(database)
                        for path in sorted(pathlib.Path("checks").glob("*.sql")):
                            text = path.read_text(encoding="utf-8")
                            sentence = text.splitlines()[0].removeprefix("-- ")
                            if connection.execute(text).fetchone():
                                print(f"{path.stem}: {sentence}")
                                found += 1
                        return found


                    if __name__ == "__main__":
                        sys.exit(min(main(sys.argv[1]), 1))
                    '''),
                "checks/negative_amount.sql": "-- An amount is below zero.\nSELECT id FROM payment WHERE amount < 0;\n",
                "README.md": text("""
                    # row-checks

                    Every file in `checks/` is one rule: a comment that says what is wrong, and a `SELECT` that finds
                    the rows.

                        python run.py orders.sqlite

                    ## Who we are

                    Trusted Committers: @priya, @lena.
                    """),
            },
        ),
        CommitSeed(
            "lena",
            "Explain how a check is made",
            200,
            {
                "CONTRIBUTING.md": text("""
                    # Contributing a check

                    - One file in `checks/`, named after what it finds.
                    - First line: `-- ` and a sentence that somebody without SQL understands.
                    - Then one `SELECT`.

                    `python run.py example.sqlite` runs all. First review within 3 working days; `#data-quality`.
                    """),
                "checks/README.md": "# The checks\n\n- negative_amount: an amount is below zero\n",
                ".gitlab/merge_request_templates/Default.md": "## Which rows does it find?\n\n## How many are there today?\n\nCloses #\n",
            },
        ),
        CommitSeed(
            "kofi",
            "Find orders without a customer",
            15,
            {
                "checks/order_without_customer.sql": "-- An order belongs to nobody.\nSELECT id FROM orders WHERE customer_id IS NULL;\n",
                "checks/README.md": "# The checks\n\n- negative_amount: an amount is below zero\n- order_without_customer: an order belongs to nobody\n",
            },
        ),
    ),
    issues=(
        IssueSeed(
            title="New check: birthdays in the future",
            author="lena",
            days_ago=13,
            labels=("good first issue", "new check"),
            body=text("""
                We found a customer who will be born in 2041.

                **What to do.** A new file `checks/future_birthday.sql`:

                ```sql
                -- Somebody is born in the future.
                SELECT id FROM customer WHERE birthday > date('now');
                ```

                `checks/README.md` lists all checks: whoever reviews will ask for a line there.
                """),
        ),
        IssueSeed(
            title="New check: two customers with one e-mail address",
            author="lena",
            days_ago=13,
            labels=("good first issue", "new check"),
            body="`GROUP BY email HAVING count(*) > 1`, in a new file `checks/shared_email.sql`.",
            notes=(NoteSeed("hana", "I'd like to work on this one, please assign me.", 0.8),),
        ),
    ),
    checks=(
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(name="list", kind="sorted", path="checks/README.md"),
        CheckSeed(name="docs", kind="links"),
    ),
    review=ReviewSeed(
        reviewer="lena",
        request=(
            "Great, {author}! Please also add your check to the list in `checks/README.md`, in alphabetical order, in the "
            "same form as the others. Then it is complete."
        ),
        satisfied_by="changelog",
        path="checks/README.md",
        missing="The list in `checks/README.md` is still without it, {author}. One line, and we are there.",
        thanks="Complete. Thank you, {author}; it runs tonight for the first time. Merging.",
    ),
)

_EXPORT = ProjectSeed(
    path="data/catalog-export",
    description="Exports the data catalogue as CSV, nightly",
    topics=("csv", "nightly"),
    languages={"Python": 100.0},
    stars=3,
    members={"wei": 50},
    commits=(
        CommitSeed(
            "wei",
            "Export the catalogue",
            500,
            {
                "export.py": 'import csv\nimport sys\n\nwriter = csv.writer(sys.stdout)\nwriter.writerow(["table", "owner"])\n',
                "README.md": "# catalog-export\n\nRuns at 02:00. Not an InnerSource project (yet).\n",
            },
        ),
    ),
)


def _notebook_guide() -> str:
    sections = []
    for number in range(1, 401):
        sections.append(
            f"## {number}. Recipe {number}\n\n"
            f"How to read partition {number} of the events table and plot it. Replace `DAY_{number}` by a date.\n\n"
            f"```python\nframe = events.partition({number})\nframe.groupby('kind').size().plot.bar(title='Partition {number}')\n```\n\n"
            f"| column | meaning | example |\n| --- | --- | --- |\n| `kind` | what happened | `order_{number}` |\n"
            f"| `at` | when, UTC | `2026-01-{number % 28 + 1:02d}T08:00:00Z` |\n| `by` | who | `user-{number * 37}` |\n\n"
        )
    return (
        "# Notebooks\n\nEvery recipe that anybody ever sent us. It has become a little long.\n\n"
        + "".join(sections)
    )


_NOTEBOOKS = ProjectSeed(
    path="data/notebooks",
    description="400 recipes for notebooks in one very long README",
    topics=("innersource", "notebooks", "python"),
    languages={"Jupyter Notebook": 99.0, "Python": 1.0},
    stars=77,
    forks=21,
    labels=("help wanted",),
    members={"lena": 50},
    commits=(
        CommitSeed("lena", "Start collecting", 640, {"README.md": "# Notebooks\n"}),
        CommitSeed("lena", "Put everything into one page", 49, {"README.md": _notebook_guide()}),
    ),
    issues=(
        IssueSeed(
            title="Split the README into one page for each topic",
            author="priya",
            days_ago=45,
            labels=("help wanted",),
            body="It is 200 kilobytes long. Browsers manage, people do not.",
        ),
    ),
    merge_requests=(
        MergeRequestSeed(
            title="Draft: split off the first ten recipes",
            body="See #1. Not finished.",
            author="yusuf",
            branch="1-split",
            days_ago=12,
            state="opened",
            files={"recipes/001-010.md": "# Recipes 1 to 10\n\nTo come.\n"},
        ),
    ),
)

PROJECTS: tuple[ProjectSeed, ...] = (_ETL, _ROW_CHECKS, _EXPORT, _NOTEBOOKS)
