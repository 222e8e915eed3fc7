"""The payments group: careful people, careful reviews."""

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

_RETRY_QUEUE = ProjectSeed(
    path="payments/retry-queue",
    description="Durable retries for payment calls, with a dead-letter store",
    topics=("innersource", "python", "queue", "payments"),
    licence="Apache-2.0",
    languages={"Python": 93.0, "SQL": 7.0},
    stars=31,
    forks=7,
    labels=("good first issue", "docs", "bug", "help wanted", "breaking"),
    members={"mara": 50, "tom": 40, "priya": 30},
    commits=(
        CommitSeed(
            "mara",
            "Keep payment calls until they have succeeded",
            430,
            {
                "README.md": "# retry-queue\n\nDurable retries for payment calls.\n",
                "retry_queue/__init__.py": '"""Durable retries for payment calls."""\n',
                "retry_queue/backoff.py": text('''
                    """When to try a call again."""

                    from __future__ import annotations

                    import random

                    FIRST = 2.0
                    FACTOR = 3.0
                    LONGEST = 3600.0
                    JITTER = 0.1


                    def pause(attempt: int, rng: random.Random | None = None) -> float:
                        """Return the seconds to wait before attempt `attempt` (the first retry is 1)."""
                        exact = min(FIRST * FACTOR ** (attempt - 1), LONGEST)
                        spread = exact * JITTER
                        return exact + (rng or random).uniform(-spread, spread)
                    '''),
            },
            sign_off=True,
        ),
        CommitSeed(
            "priya",
            "Test that pauses grow and end at an hour",
            401,
            {
                "tests/test_backoff.py": text("""
                    import random

                    from retry_queue.backoff import JITTER, LONGEST, pause


                    def test_pauses_grow() -> None:
                        rng = random.Random(1)
                        assert pause(1, rng) < pause(2, rng) < pause(3, rng)


                    def test_no_pause_is_much_longer_than_an_hour() -> None:
                        assert pause(30, random.Random(1)) <= LONGEST * (1 + JITTER)
                    """)
            },
            sign_off=True,
        ),
        CommitSeed(
            "tom",
            "Store what nobody could deliver",
            322,
            {
                "retry_queue/schema.sql": text("""
                    -- Calls that failed for good; looked at by people, never retried by themselves.
                    CREATE TABLE dead_letter (
                      id         bigint PRIMARY KEY,
                      call       jsonb NOT NULL,
                      last_error text NOT NULL,
                      died_at    timestamptz NOT NULL DEFAULT now()
                    );
                    """),
                "Makefile": "dev:\n\tpython3 -m venv .venv && .venv/bin/pip install -e '.[dev]'\n\ntest:\n\t.venv/bin/pytest -q\n",
                "pyproject.toml": '[project]\nname = "retry-queue"\nversion = "2.3.0"\n\n[project.optional-dependencies]\ndev = ["pytest"]\n',
            },
            sign_off=True,
        ),
        CommitSeed(
            "mara",
            "Invite contributions",
            205,
            {
                "CONTRIBUTING.md": text("""
                    # Contributing

                    Thank you for looking! We move money, so we are slow with the core and quick with everything else.

                    ## What we take

                    Documentation and tests: always. Changes of `retry_queue/`: talk to us first, in an issue.

                    ## Set-up

                        make dev
                        make test

                    ## How to send a change

                    Fork, do not ask for push rights. Name your branch after the issue, e.g. `41-explain-the-back-off`.

                    ## Sign-off required

                    Every commit must carry a `Signed-off-by:` line (DCO). `git commit -s` adds it. The job `dco` checks
                    it, and tells what to do when it is missing.

                    ## Review

                    First review within 3 working days; usually it takes one and a half. A Trusted Committer who asks for a
                    change says what and why.

                    ## Trusted Committers

                    - Mara Okafor (@mara)
                    - Tom Lindqvist (@tom)
                    """),
                "COMMUNICATION.md": text("""
                    # Communication

                    | Action             | Contact                           |
                    | ------------------ | --------------------------------- |
                    | question           | `#payments-dev`                   |
                    | bug                | an issue in this project          |
                    | suspected incident | call the payments duty, 4711      |
                    """),
                "CODEOWNERS": "* @mara\n*.md @tom\n\n[Core][2]\n/retry_queue/ @mara @tom\n",
                ".gitlab/merge_request_templates/Default.md": text("""
                    ## What changes for the callers

                    (nothing, or what)

                    Closes #

                    - [ ] all commits are signed off
                    - [ ] `make test` passes
                    """),
            },
            sign_off=True,
        ),
        CommitSeed(
            "priya",
            "Tell in the README what the queue promises",
            120,
            {
                "README.md": text("""
                    # retry-queue

                    Durable **retries** for payment calls, with a dead-letter store.

                    ## What it promises

                    1. A call that was accepted is tried until it succeeds or has failed twelve times.
                    2. A call that failed for good is kept, and somebody is told.
                    3. No call is made twice at the same time.

                    ## Getting started

                        make dev
                        make test

                    ## Back-off

                    See `retry_queue/backoff.py`.

                    ## Getting involved

                    `#payments-dev` in chat. Small tasks have the label `good first issue`.
                    """),
                "CHANGELOG.md": "# Change log\n\n## 2.3.0\n\n- The dead-letter store keeps the last error.\n",
            },
            sign_off=True,
        ),
    ),
    issues=(
        IssueSeed(
            title="Queue stops after the database restarts",
            number=36,
            author="ines",
            days_ago=51,
            labels=("bug",),
            body="The worker keeps a dead connection. A restart of the worker helps.",
            assignee="tom",
            notes=(NoteSeed("tom", "Reproduced; I am on it.", 49),),
        ),
        IssueSeed(
            title="Explain the back-off in the README",
            number=41,
            author="mara",
            days_ago=3.2,
            labels=("good first issue", "docs"),
            body=text("""
                The section "Back-off" of `README.md` sends readers to the code. Support gets the same question every week:
                *how long until the next try?*

                **What to do.** Replace the one sentence of that section with three or four:

                - the first pause is 2 seconds (`FIRST`), and every next one is three times as long (`FACTOR`);
                - no pause is longer than an hour (`LONGEST`);
                - each pause varies by up to 10 % (`JITTER`), so that not all calls come back at the same moment.

                A table with the first five pauses (2, 6, 18, 54, 162 seconds) would be lovely, but is not a must.

                **How you know it is right.** The jobs `lint` and `dco` are green. Remember `git commit -s`.

                Questions: here, or `#payments-dev`. @tom helps.
                """),
        ),
        IssueSeed(
            title="Say in the Makefile how to run one test",
            number=42,
            author="priya",
            days_ago=1.4,
            labels=("good first issue",),
            body=text("""
                New colleagues ask how to run a single test.

                **What to do.** Add a comment line above `test:` in `Makefile`, e.g.
                `# One test: .venv/bin/pytest -q -k pauses`.
                """),
        ),
        IssueSeed(
            title="Make LONGEST configurable",
            number=43,
            author="diego",
            days_ago=88,
            labels=("help wanted",),
            body="Refunds may wait a day. A setting per call type would do.",
            notes=(NoteSeed("mara", "Needs a design first: two call types share a worker.", 86),),
        ),
    ),
    merge_requests=(
        MergeRequestSeed(
            title="Test that the jitter stays in its limits",
            body="Closes #39",
            sign_off=True,
            author="diego",
            branch="39-test-jitter",
            days_ago=9,
            files={
                "tests/test_jitter.py": text("""
                    import random

                    from retry_queue.backoff import FIRST, JITTER, pause


                    def test_jitter_stays_in_its_limits() -> None:
                        rng = random.Random(7)
                        pauses = [pause(1, rng) for _ in range(1000)]
                        assert FIRST * (1 - JITTER) <= min(pauses) <= max(pauses) <= FIRST * (1 + JITTER)
                    """)
            },
            notes=(
                NoteSeed("mara", "Very nice. Could the seed be a constant?", 8.9),
                NoteSeed("diego", "One use only, so I left it; fine to change.", 8.7),
                NoteSeed("mara", "You are right. Merging.", 8.5),
            ),
        ),
    ),
    checks=(
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(name="lint", kind="parses"),
        CheckSeed(name="lint", kind="links"),
        CheckSeed(
            name="dco",
            kind="sign-off",
            hint="The line is your word that you may contribute the change. Next time: git commit -s.",
        ),
    ),
    review=ReviewSeed(
        reviewer="tom",
        request=(
            "Hello {author}, thank you! Clear and correct; the on-call people will be grateful.\n\n"
            "One wish: please add a line about it to `CHANGELOG.md`, below a new heading `## Unreleased` at the top. "
            "Support reads that file on Mondays. Sign that commit off, too, and push it to the same branch."
        ),
        satisfied_by="changelog",
        path="CHANGELOG.md",
        missing=(
            "Thank you, {author}! `CHANGELOG.md` is still as it was, though. One line below `## Unreleased` is all "
            "that is missing."
        ),
        thanks="Perfect, {author}. That is one question less every week. Merging; welcome to payments!",
    ),
)

_IBAN_PY = text('''
    """Check an IBAN (ISO 13616) and say what is wrong with it."""

    from __future__ import annotations

    LENGTHS = {
        "AT": 20,
        "BE": 16,
        "CH": 21,
        "DE": 22,
        "ES": 24,
        "FR": 27,
        "GB": 22,
        "IE": 22,
        "NL": 18,
        "SE": 24,
    }


    def fault(iban: str) -> str | None:
        """Return what is wrong with it, in words; None when it can be right."""
        iban = iban.replace(" ", "").upper()
        country = iban[:2]
        if country not in LENGTHS:
            return f"no country has the code {country}"
        if len(iban) != LENGTHS[country]:
            return f"an IBAN of {country} has {LENGTHS[country]} characters, this one has {len(iban)}"
        digits = "".join(str(int(character, 36)) for character in iban[4:] + iban[:4])
        return None if int(digits) % 97 == 1 else "the check digits do not fit: is there a typo?"
    ''')

_IBAN = ProjectSeed(
    path="payments/iban-check",
    description="Checks IBANs of 34 countries, and says in words what is wrong with one",
    topics=("inner-source", "python", "validation"),
    licence="MIT",
    languages={"Python": 100.0},
    stars=45,
    forks=15,
    labels=("good-first-issue", "country"),
    members={"priya": 50, "ravi": 40},
    commits=(
        CommitSeed(
            "priya",
            "Check length and check digits",
            350,
            {
                "iban.py": _IBAN_PY,
                "test_iban.py": text("""
                    from iban import fault


                    def test_right_one() -> None:
                        assert fault("DE89 3704 0044 0532 0130 00") is None


                    def test_typo() -> None:
                        assert "typo" in (fault("DE89 3704 0044 0532 0130 01") or "")
                    """),
                "README.md": '# iban-check\n\n`fault("DE89...")` returns None, or what is wrong.\n\nTests: `python -m pytest`\n',
            },
        ),
        CommitSeed(
            "ravi",
            "How to add a country",
            180,
            {
                "CONTRIBUTING.md": text("""
                    # How to add a country

                    1. Look up its length in the registry (SWIFT, table "IBAN length").
                    2. Add it to `LENGTHS` in `iban.py`. Keep the alphabet.
                    3. Mention it in `CHANGELOG.md`.

                    No other rules. @priya or @ravi look at it within two working days; chat `#payments-dev`.
                    """),
                "CHANGELOG.md": "# Changes\n\n- Add Sweden\n- Add Ireland\n",
                ".github/CODEOWNERS": "# Mirror on the other forge\n* @priya @ravi\niban.py @priya\n",
            },
        ),
        CommitSeed(
            "ravi",
            "Test the message about the length",
            61,
            {
                "test_length.py": 'from iban import fault\n\n\ndef test_too_short() -> None:\n    assert "22 characters" in (fault("DE89 3704") or "")\n'
            },
        ),
    ),
    issues=(
        IssueSeed(
            title="Add Denmark (18 characters)",
            author="priya",
            days_ago=24,
            labels=("good-first-issue", "country"),
            body=text("""
                **What to do.** Add `"DK": 18,` to `LENGTHS` in `iban.py`, between DE and ES, and a line `- Add Denmark`
                to the top of the list in `CHANGELOG.md`.

                **How you know it is right.** The job `test` can read the file, and `changelog` finds your line.
                """),
        ),
        IssueSeed(
            title="Add Norway (15 characters)",
            author="priya",
            days_ago=24,
            labels=("good-first-issue", "country"),
            body='Like #1: `"NO": 15,` after NL in `iban.py`.',
            notes=(NoteSeed("lena", "I will take it", 200 / 24),),
        ),
        IssueSeed(
            title="Add Poland (28 characters)",
            author="priya",
            days_ago=24,
            labels=("good-first-issue", "country"),
            body='Like #1: `"PL": 28,` before SE in `iban.py`.',
        ),
    ),
    merge_requests=(
        MergeRequestSeed(
            title="Add Poland",
            body="Closes #3",
            author="oskar",
            branch="3-poland",
            days_ago=2,
            state="opened",
            files={
                "iban.py": _IBAN_PY.replace('    "SE": 24,', '    "PL": 28,\n    "SE": 24,'),
                "CHANGELOG.md": "# Changes\n\n- Add Poland\n- Add Sweden\n- Add Ireland\n",
            },
        ),
    ),
    checks=(
        CheckSeed(name="test", kind="parses"),
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(name="changelog", kind="changelog", path="CHANGELOG.md"),
    ),
    review=ReviewSeed(
        reviewer="priya",
        request=(
            "Thank you, {author}! The number is right. Please add a test for it, too: a file `test_countries.py` with "
            "one assertion about your country is enough, for example that an IBAN of the wrong length is told so. "
            "`test_length.py` shows how."
        ),
        satisfied_by="file-matches",
        path="test_countries.py",
        pattern=r"^\s*assert ",
        missing="Thank you! I look for a file `test_countries.py` with a line that starts with `assert`. Nearly there.",
        thanks="Wonderful, {author}. One country more, and a test with it. Merging.",
    ),
)

_INVOICE_PDF = ProjectSeed(
    path="payments/invoice-pdf",
    description="Invoices as accessible PDF files",
    topics=("innersource", "typescript", "pdf", "accessibility"),
    languages={"TypeScript": 88.0, "CSS": 12.0},
    stars=14,
    forks=2,
    labels=("beginner", "accessibility"),
    members={"ines": 50},
    forking_enabled=False,
    commits=(
        CommitSeed(
            "ines",
            "Render an invoice",
            160,
            {
                "src/amount.ts": text("""
                    /** Writes cents as euros: 123456 becomes "1.234,56 €". */
                    export function amount(cents: number): string {
                      return new Intl.NumberFormat("de-DE", { style: "currency", currency: "EUR" }).format(cents / 100);
                    }
                    """),
                "README.md": "# Invoices as PDF\n\nForks are switched off here: ask @ines for a branch.\n",
            },
        ),
        CommitSeed(
            "ines",
            "Tag headings for screen readers",
            29,
            {"styles/invoice.css": "h1 { string-set: title content(); }\n"},
        ),
    ),
    issues=(
        IssueSeed(
            title="The logo needs an alternative text",
            author="aoife",
            days_ago=26,
            labels=("beginner", "accessibility"),
            body="Screen readers say 'image' at the moment.",
        ),
    ),
)

_LEDGER = ProjectSeed(
    path="payments/ledger",
    description="The general ledger. Private: members of payments only.",
    visibility="private",
    topics=("innersource",),
    languages={"Java": 100.0},
    members={"mara": 50},
    commits=(
        CommitSeed(
            "mara",
            "Start the ledger",
            800,
            {"README.md": "# Ledger\n\nIf you can read this, you are one of us.\n"},
        ),
    ),
    issues=(
        IssueSeed(
            title="Close the books faster",
            author="mara",
            days_ago=90,
            labels=("good first issue",),
            body="Private.",
        ),
    ),
)

PROJECTS: tuple[ProjectSeed, ...] = (_RETRY_QUEUE, _IBAN, _INVOICE_PDF, _LEDGER)
