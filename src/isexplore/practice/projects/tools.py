"""The tools group: what makes the day of a developer a little shorter."""

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

_BRANCH_TIDY = text("""
    #!/bin/sh
    # Lists local branches whose work is merged; deletes them with --delete.
    set -eu
    main=$(git symbolic-ref --short refs/remotes/origin/HEAD | cut -d/ -f2)
    for branch in $(git branch --format='%(refname:short)' --merged "origin/$main"); do
        [ "$branch" = "$main" ] && continue
        if [ "${1:-}" = "--delete" ]; then
            git branch -d "$branch"
        else
            echo "$branch"
        fi
    done
    """)

_TIDY = ProjectSeed(
    path="tools/cli/branch-tidy",
    description="Finds local branches that you can delete, and asks before it does",
    topics=("innersource", "git", "shell", "cli"),
    licence="MIT",
    languages={"Shell": 100.0},
    stars=73,
    forks=16,
    labels=("good-first-issue", "enhancement"),
    members={"jo": 50, "tom": 30},
    commits=(
        CommitSeed(
            "jo",
            "List merged branches",
            380,
            {
                "branch-tidy": _BRANCH_TIDY.replace(
                    'if [ "${1:-}" = "--delete" ]; then\n        git branch -d "$branch"\n    else\n        echo "$branch"\n    fi',
                    'echo "$branch"',
                ),
                "README.md": "# branch-tidy\n\nPut `branch-tidy` on your `PATH`, and call `git branch-tidy` (or not).\n",
            },
        ),
        CommitSeed("jo", "Delete them when asked", 366, {"branch-tidy": _BRANCH_TIDY}),
        CommitSeed(
            "tom",
            "Contributing: shellcheck and small steps",
            190,
            {
                "CONTRIBUTING.md": text("""
                # Contributing

                `shellcheck branch-tidy` has nothing to say, and `sh -n branch-tidy` neither.

                POSIX sh, no bashisms. One merge request, one idea. I (@jo) review in the evening, within 2 working days.
                """),
            },
        ),
        CommitSeed(
            "kofi",
            "Test with a throw-away repository",
            77,
            {
                "test.sh": '#!/bin/sh\nset -eu\nfolder=$(mktemp -d)\ngit init -q "$folder"\necho ok\n',
            },
        ),
    ),
    issues=(
        IssueSeed(
            title="Say in the README what --delete does",
            author="jo",
            days_ago=44,
            labels=("good-first-issue",),
            body=text("""
                `branch-tidy --delete` exists, but `README.md` does not say so.

                **What to do.** Two sentences in `README.md`: without `--delete` it only lists; with it, `git branch -d`
                deletes, which refuses to delete what is not merged.
                """),
        ),
        IssueSeed(
            title="Leave branches alone that are checked out elsewhere",
            author="tom",
            days_ago=200,
            labels=("enhancement",),
            body="`git worktree list` knows them.",
        ),
    ),
    checks=(CheckSeed(name="lint", kind="no-trailing-space"), CheckSeed(name="docs", kind="links")),
)

_PEEK = ProjectSeed(
    path="tools/cli/json-peek",
    description="Shows the shape of a huge JSON file without reading all of it",
    topics=("inner-source", "rust", "json", "cli"),
    licence="MIT OR Apache-2.0",
    languages={"Rust": 100.0},
    stars=156,
    forks=22,
    labels=("E-easy", "A-docs", "help wanted"),
    members={"ravi": 50, "wei": 40},
    commits=(
        CommitSeed(
            "ravi",
            "Peek at the first bytes",
            270,
            {
                "Cargo.toml": '[package]\nname = "json-peek"\nversion = "1.2.0"\nedition = "2021"\n',
                "src/main.rs": text("""
                use std::io::{self, Read};

                /// Counts how deep the first bytes of a document nest.
                fn depth(text: &str) -> usize {
                    let mut now: usize = 0;
                    let mut most = 0;
                    for character in text.chars() {
                        match character {
                            '{' | '[' => {
                                now += 1;
                                most = most.max(now);
                            }
                            '}' | ']' => now = now.saturating_sub(1),
                            _ => {}
                        }
                    }
                    most
                }

                fn main() -> io::Result<()> {
                    let mut text = String::new();
                    io::stdin().take(65_536).read_to_string(&mut text)?;
                    println!("{}", depth(&text));
                    Ok(())
                }

                #[test]
                fn nested_twice() {
                    assert_eq!(depth("[{}]"), 2);
                }
                """),
                "README.md": "# json-peek\n\n    curl -s https://example.org/huge.json | json-peek\n\nprints how deep it nests.\n",
            },
        ),
        CommitSeed(
            "wei",
            "Open for contributions",
            140,
            {
                "CONTRIBUTING.md": "# Contributing\n\n`cargo test && cargo clippy`. Issues labelled `E-easy` are for a first visit.\n\n## Trusted Committers\n\n@ravi and @wei. First review within 3 working days.\n",
            },
        ),
        CommitSeed(
            "ravi",
            "Release 1.2.0",
            12,
            {"CHANGELOG.md": "# Change log\n\n## 1.2.0\n\n- Reads at most 64 KB.\n"},
        ),
    ),
    issues=(
        IssueSeed(
            title="README: say that only 64 KB are read",
            author="ravi",
            days_ago=11,
            labels=("E-easy", "A-docs"),
            body="**What to do.** One sentence at the end of `README.md`: it reads the first 64 KB only, so it is quick.",
        ),
        IssueSeed(
            title="Strings with braces are counted, too",
            author="lena",
            days_ago=100,
            labels=("help wanted",),
            body='`{"text": "{{{"}` has depth 1, not 4.',
            notes=(NoteSeed("oskar", "I have an idea, I'd like to try it.", 9),),
        ),
    ),
)

_CHANGELOG_BOT = ProjectSeed(
    path="tools/changelog-bot",
    description="Writes change logs from merge requests, so that nobody has to (we still do)",
    topics=("innersource", "python", "bot"),
    licence="Apache-2.0",
    languages={"Python": 100.0},
    stars=29,
    forks=5,
    labels=("good first issue", "help wanted"),
    members={"sofia": 50, "yusuf": 30},
    commits=(
        CommitSeed(
            "sofia",
            "Collect titles",
            330,
            {
                "bot/titles.py": text('''
                """Turn titles of merge requests into lines of a change log."""

                from __future__ import annotations

                import re


                def line(title: str, number: int) -> str:
                    """Return one line: "Add a timeout (!118)"."""
                    words = re.sub(r"^(Draft: |Resolve )", "", title).strip(" .")
                    return f"- {words} (!{number})"
                '''),
                "README.md": "# Changelog bot\n\nReads titles, writes lines.\n",
            },
            sign_off=True,
        ),
        CommitSeed(
            "yusuf",
            "Test the prefixes",
            300,
            {
                "tests/test_titles.py": 'from bot.titles import line\n\n\ndef test_draft_is_dropped() -> None:\n    assert line("Draft: Add x", 1) == "- Add x (!1)"\n',
            },
            sign_off=True,
        ),
        CommitSeed(
            "sofia",
            "Contributing guide with sign-off",
            170,
            {
                "CONTRIBUTING.md": text("""
                # Contributing

                1. `python -m venv .venv && .venv/bin/pip install pytest`
                2. `.venv/bin/pytest`
                3. `git commit -s`: the sign-off is required, and a job checks it.

                Please write `Closes #<issue>` in the description. First review within 2 working days.
                """),
                "SUPPORT.md": "# Support\n\n`#changelog-bot`, best effort.\n",
            },
            sign_off=True,
        ),
    ),
    issues=(
        IssueSeed(
            title="Drop the prefix 'WIP: ', too",
            author="yusuf",
            days_ago=55,
            labels=("good first issue",),
            body=text("""
                Old titles start with `WIP: `.

                **What to do.** In `bot/titles.py`, extend the pattern `^(Draft: |Resolve )` by `WIP: `. Sign off
                (`git commit -s`).
                """),
        ),
    ),
    merge_requests=(
        MergeRequestSeed(
            title="Explain what the bot reads",
            body="Closes #9",
            sign_off=True,
            author="aoife",
            branch="9-explain",
            days_ago=120,
            files={
                "README.md": "# Changelog bot\n\nReads titles of merged merge requests, writes lines of a change log.\n"
            },
        ),
    ),
    checks=(
        CheckSeed(name="test", kind="parses"),
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(name="dco", kind="sign-off"),
    ),
    review=ReviewSeed(
        reviewer="sofia",
        request=(
            "Thank you, {author}! One thing for those who come after us: please add a test to `tests/test_titles.py` with "
            "a title that starts with `WIP: `. Copy the one that is there and change two words. And `-s`, as before."
        ),
        satisfied_by="file-matches",
        path="tests/test_titles.py",
        pattern="WIP: ",
        missing="I cannot find `WIP: ` in `tests/test_titles.py` yet, {author}. Is the file committed?",
        thanks="Now nobody can break it again. Thank you, {author}; merging.",
    ),
)

_DOTFILES = ProjectSeed(
    path="tools/dotfiles",
    description="",
    languages={"Vim Script": 100.0},
    stars=1,
    members={"kofi": 50},
    commits=(CommitSeed("kofi", "mine", 900, {"README.md": "", "vimrc": "set number\n"}),),
)

PROJECTS: tuple[ProjectSeed, ...] = (_TIDY, _PEEK, _CHANGELOG_BOT, _DOTFILES)
