"""The security group: rules and templates that everybody may improve."""

# ruff: noqa: E501  (the lines are those of the files that they become)

from __future__ import annotations

from isexplore.practice.seed import CheckSeed, CommitSeed, IssueSeed, NoteSeed, ProjectSeed, ReviewSeed, text

_SECRET_RULES = ProjectSeed(
    path="security/secret-scan-rules",
    description="Patterns that find passwords and keys in commits, with an example for each",
    topics=("innersource", "security", "toml"),
    licence="Apache-2.0",
    languages={"TOML": 85.0, "Python": 15.0},
    stars=104,
    forks=19,
    labels=("good first issue", "false positive", "new rule"),
    members={"oskar": 50, "mara": 40},
    commits=(
        CommitSeed(
            "oskar",
            "The first three rules",
            500,
            {
                "rules.toml": text("""
                    # One table for each rule. `example` must match `pattern`; test.py checks that.

                    [private-key]
                    title = "Private key"
                    pattern = "-----BEGIN [A-Z ]*PRIVATE KEY-----"
                    example = "-----BEGIN PRIVATE KEY-----"

                    [forge-token]
                    title = "Access token of the forge"
                    pattern = "agpat-[0-9a-zA-Z_-]{20}"
                    example = "agpat-EXAMPLE0EXAMPLE0EXAM"

                    [password-in-url]
                    title = "Pasword in a URL"
                    pattern = "://[^/:@]+:[^/:@]+@"
                    example = "postgres://user:EXAMPLE@host/db"
                    """),
                "test.py": text('''
                    """Every example must be found by its own rule."""

                    import re
                    import tomllib

                    with open("rules.toml", "rb") as file:
                        for name, rule in tomllib.load(file).items():
                            assert re.search(rule["pattern"], rule["example"]), name
                    print("all rules find their examples")
                    '''),
                "README.md": "# Secret scan rules\n\nUsed by every pipeline here. `python test.py` needs Python 3.11.\n",
            },
            sign_off=True,
        ),
        CommitSeed(
            "mara",
            "Contributing: what a rule needs",
            310,
            {
                "CONTRIBUTING.md": text("""
                    # Contributing a rule

                    A rule has a title, a pattern and an example. **Never use a real secret as an example**, not even an
                    old one: write `EXAMPLE` in it.

                    ## Check

                        python test.py

                    ## Developer Certificate of Origin

                    All commits must be signed off (`git commit -s`). The job `dco` rejects others.

                    ## Response times

                    - false positives: first review within 1 working day
                    - new rules: within 5 working days

                    ## Maintainers

                    @oskar and @mara, in `#security-guild`. Vulnerabilities: see SECURITY.md, never in an issue.
                    """),
                "SECURITY.md": "# Reporting a vulnerability\n\nWrite to security@agency.example. We answer the same day.\n",
                "CODEOWNERS": "* @oskar @mara\n\n^[Documentation] @mara\n*.md\n",
            },
            sign_off=True,
        ),
        CommitSeed(
            "oskar",
            "Measure how long the scan takes",
            8,
            {
                "docs/speed.md": "# Speed\n\n1.2 seconds for 10,000 commits. Patterns that start with letters are faster.\n"
            },
            sign_off=True,
        ),
    ),
    issues=(
        IssueSeed(
            title='Typo in a title: "Pasword"',
            author="jo",
            days_ago=7,
            labels=("good first issue",),
            body=text("""
                Line 14 of `rules.toml` says "Pasword". It should say "Password".

                **What to do.** Change the word, commit with `git commit -s` (the sign-off is required here), push.

                **How you know it is right.** The jobs `rules`, `lint` and `dco` are green.
                """),
        ),
        IssueSeed(
            title="Rule for the tokens of the chat",
            author="yusuf",
            days_ago=90,
            labels=("new rule",),
            body="They start with `chat-`.",
            notes=(NoteSeed("oskar", "How long are they?", 89),),
        ),
    ),
    checks=(
        CheckSeed(name="rules", kind="parses"),
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(
            name="dco",
            kind="sign-off",
            hint="CONTRIBUTING.md, Developer Certificate of Origin: git commit -s adds the line.",
        ),
    ),
    review=ReviewSeed(
        reviewer="mara",
        request=(
            "Thank you, {author}, good eyes! While you are here: please put a comment line above the rule that you "
            "touched, saying in a few words what it is for, such as `# Somebody can sign in with it.` Comments start with "
            "`# ` in TOML. Same branch, `git commit -s`, push."
        ),
        satisfied_by="file-matches",
        path="rules.toml",
        pattern=r"^# (?!One table)\S.*\n\[",
        missing=(
            "Thank you, {author}. I look for a line that starts with `# ` directly above the `[name]` of the rule; it is "
            "not there yet."
        ),
        thanks="Clear to everybody now. Thank you, {author}; merging. All pipelines have it tonight.",
    ),
)

_THREATS = ProjectSeed(
    path="security/threat-model-template",
    description="A one-page template for threat models that teams really fill in",
    topics=("Inner-Source", "security", "template"),
    languages={"Markdown": 100.0},
    stars=21,
    forks=17,
    labels=("help wanted",),
    members={"mara": 50},
    issues_enabled=True,
    commits=(
        CommitSeed(
            "mara",
            "The template",
            275,
            {
                "README.md": "# Threat model template\n\nCopy [template.md](template.md) into your project. One page, one hour.\n",
                "template.md": text("""
                    # Threat model of ...

                    1. What do we build?
                    2. What can go wrong?
                    3. What do we do about it?
                    4. Did we do a good job?
                    """),
            },
        ),
        CommitSeed(
            "lena",
            "An example that is not about banks",
            104,
            {
                "examples/library.md": "# Threat model of the city library\n\n1. A catalogue.\n2. Somebody reads what others borrow.\n3. We delete loans.\n4. We asked a reader.\n"
            },
        ),
    ),
    issues=(
        IssueSeed(
            title="Add an example about an app",
            author="mara",
            days_ago=100,
            labels=("help wanted",),
            body="One page like `examples/library.md`.",
        ),
    ),
    checks=(CheckSeed(name="docs", kind="links"), CheckSeed(name="lint", kind="no-trailing-space")),
)

PROJECTS: tuple[ProjectSeed, ...] = (_SECRET_RULES, _THREATS)
