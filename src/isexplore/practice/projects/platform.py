"""The platform group: libraries that half of the organisation builds on."""

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

_HTTP_CLIENT = text('''
    """An HTTP client that waits, retries and gives up in a predictable way."""

    from __future__ import annotations

    import time
    import urllib.error
    import urllib.request
    from dataclasses import dataclass


    class GaveUp(Exception):
        """The last try failed, too."""


    @dataclass(frozen=True)
    class Retry:
        """When to try again."""

        attempts: int = 3
        first_delay: float = 0.2
        factor: float = 2.0

        def delays(self) -> list[float]:
            """Return the pauses between the attempts, in seconds."""
            return [self.first_delay * self.factor**number for number in range(self.attempts - 1)]


    def get(url: str, *, timeout: float = 10.0, retry: Retry = Retry()) -> bytes:
        """Return the body of an answer; GaveUp when no attempt succeeded."""
        for pause in [*retry.delays(), None]:
            try:
                with urllib.request.urlopen(url, timeout=timeout) as answer:
                    return answer.read()
            except urllib.error.URLError as error:
                if pause is None:
                    raise GaveUp(f"{url} could not be reched: {error.reason}") from error
                time.sleep(pause)
        raise AssertionError("unreachable")
    ''')

_HTTP_HEALTH = text('''
    """Is the other side alive?"""

    from __future__ import annotations

    import urllib.request


    def healthy(base_url: str) -> bool:
        """Return whether GET <base_url>/health answers with 200."""
        try:
            with urllib.request.urlopen(f"{base_url}/health") as answer:
                return answer.status == 200
        except OSError:
            return False
    ''')

_HTTP_KIT = ProjectSeed(
    path="platform/http-kit",
    description="HTTP client with retries, timeouts and tracing; the one that we all use",
    topics=("innersource", "python", "http", "library"),
    licence="Apache-2.0",
    languages={"Python": 97.5, "Makefile": 2.5},
    stars=214,
    forks=38,
    labels=("good first issue", "help wanted", "bug", "python", "docs"),
    members={"tom": 50, "mara": 40, "wei": 30},
    commits=(
        CommitSeed(
            "tom",
            "Start with the client from the order service",
            760,
            {
                "README.md": "# http-kit\n\nHTTP client with retries.\n",
                "http_kit/__init__.py": '"""HTTP with manners."""\n',
                "http_kit/client.py": _HTTP_CLIENT.replace("reched", "reached"),
            },
        ),
        CommitSeed(
            "tom",
            "Say in the error text what could not be reached",
            611,
            {"http_kit/client.py": _HTTP_CLIENT},
        ),
        CommitSeed(
            "wei",
            "Test the pauses",
            540,
            {
                "tests/test_client.py": text("""
                    from http_kit.client import Retry


                    def test_pauses_double() -> None:
                        assert Retry(attempts=4, first_delay=0.5).delays() == [0.5, 1.0, 2.0]


                    def test_one_attempt_has_no_pause() -> None:
                        assert Retry(attempts=1).delays() == []
                    """),
                "Makefile": "dev:\n\tpython3 -m venv .venv\n\t.venv/bin/pip install -e '.[dev]'\n\ntest:\n\t.venv/bin/pytest -q\n\nlint:\n\t.venv/bin/ruff check .\n",
                "pyproject.toml": text("""
                    [project]
                    name = "http-kit"
                    version = "3.4.0"
                    requires-python = ">=3.10"

                    [project.optional-dependencies]
                    dev = ["pytest", "ruff"]
                    """),
            },
        ),
        CommitSeed("mara", "Add a health check", 402, {"http_kit/health.py": _HTTP_HEALTH}),
        CommitSeed(
            "tom",
            "Open up: contributing guide, owners, template",
            318,
            {
                "CONTRIBUTING.md": text("""
                    # Contributing to http-kit

                    We are glad about every contribution, and about questions, too.

                    ## What we take

                    Bug fixes, documentation, and options that at least two teams need. Please open an issue before a
                    larger change; we would hate to see you work in vain.

                    ## Development environment

                        make dev
                        make test

                    Python 3.10 or newer. No network is needed for the tests.

                    ## Formatting a contribution

                    - One topic for each merge request, from a branch of your fork named like `118-health-timeout`.
                    - Commit messages in the imperative: "Add a timeout", not "Added" or "Adds".
                    - Every change of behaviour has a test.

                    ## Review

                    First review within 3 working days. Two of us read everything; one approval is enough. We ask for
                    small changes often, and we explain why.

                    ## Trusted Committers

                    - @tom
                    - @mara

                    ## How to reach us

                    `#http-kit` in chat, or Thursdays 10:00 in the open platform hour.
                    """),
                "CODEOWNERS": "* @tom @mara\n\n[Documentation]\n*.md @tom\n\n[Tests][1]\n/tests/ @wei\n",
                ".gitlab/merge_request_templates/Default.md": text("""
                    ## What and why

                    Closes #

                    ## How it was tested

                    - [ ] `make test`
                    - [ ] a new test fails without the change
                    """),
            },
        ),
        CommitSeed(
            "wei",
            "Write a README that answers the first five questions",
            140,
            {
                "README.md": text("""
                    # http-kit

                    An HTTP client for services: it **retries**, keeps **time limits**, and passes **trace ids** on.

                    ```python
                    from http_kit.client import Retry, get

                    body = get("https://orders.agency.example/v1/42", retry=Retry(attempts=5))
                    ```

                    ## Why not a bare client?

                    | Situation              | bare client      | http-kit                   |
                    | ---------------------- | ---------------- | -------------------------- |
                    | other side restarts    | error at once    | waits, tries again         |
                    | other side hangs       | hangs, too       | gives up after `timeout`   |
                    | who called whom?       | nobody knows     | trace id in every request  |

                    ## Getting started

                        make dev && make test

                    ## Getting involved

                    Issues with the label **good first issue** are small and explained. Chat: `#http-kit`.

                    ## Who we are

                    @tom and @mara (trusted committers), @wei (tests).
                    """),
                "innersource.json": text("""
                    {
                      "title": "HTTP kit",
                      "motivation": "Nobody should write retries twice.",
                      "contributions": ["Bug fixes", "Documentation", "Tests"],
                      "skills": ["Python", "HTTP"],
                      "language": "Python"
                    }
                    """),
            },
        ),
        CommitSeed(
            "mara",
            "Release 3.4.0",
            2.1,
            {
                "CHANGELOG.md": text("""
                    # Changes

                    ## 3.4.0

                    - `Retry.factor` can be set.

                    ## 3.3.2

                    - The error text names the address.
                    """)
            },
        ),
    ),
    issues=(
        IssueSeed(
            title="Typo in error text",
            number=97,
            author="ravi",
            days_ago=62,
            labels=("good first issue", "bug", "python"),
            body=text("""
                Line 36 of `http_kit/client.py` says "could not be reched". It should say "could not be reached".

                **What to do.** Change the word; nothing else. No test looks at this text.
                """),
            notes=(NoteSeed("jo", "I'll take it", 6), NoteSeed("tom", "Thank you, Jo!", 5.8)),
        ),
        IssueSeed(
            title="Support HTTP/2",
            number=104,
            author="oskar",
            days_ago=190,
            labels=("help wanted",),
            body="The gateway speaks it, we do not. Needs a decision about the dependency first; see `#http-kit`.",
            notes=(
                NoteSeed("tom", "We will not before 4.0, but a prototype would help us to decide.", 188),
                NoteSeed("oskar", "Still interested. No time this quarter.", 95),
            ),
        ),
        IssueSeed(
            title="Add a timeout to the health check",
            number=118,
            author="mara",
            days_ago=14,
            labels=("good first issue", "python"),
            body=text("""
                `healthy()` in `http_kit/health.py` calls `urlopen` without a timeout, so a hanging service makes the
                caller hang, too.

                **What to do.**

                1. Give `healthy` a keyword argument `timeout: float = 2.0`, and pass it to `urlopen`.
                2. Say in the docstring that it is in seconds.

                **How you know it is right.** The jobs are green. You need not write a test: one with a hanging server
                is not for the first day.
                """),
        ),
        IssueSeed(
            title="Say in the README which Python versions we support",
            number=121,
            author="wei",
            days_ago=5,
            labels=("good first issue", "docs"),
            body=text("""
                `pyproject.toml` says 3.10 or newer, `README.md` says nothing.

                **What to do.** Add one sentence below "Getting started" in `README.md`.
                """),
        ),
        IssueSeed(
            title="Trace ids are lost on redirects",
            number=122,
            author="priya",
            days_ago=3,
            labels=("bug",),
            body="With a 307, the second request has no `X-Trace-Id`. Reproduced with 3.4.0.",
            assignee="wei",
        ),
        IssueSeed(
            title="`Retry()` as a default argument",
            number=123,
            author="kofi",
            days_ago=2.5,
            labels=("good first issue", "python"),
            body=text("""
                ruff's B008 does not like calls in argument defaults. Ours is frozen, so it is harmless; but let us make
                a constant `DEFAULT_RETRY = Retry()` above `get` in `http_kit/client.py` and use that.
                """),
        ),
    ),
    merge_requests=(
        MergeRequestSeed(
            title="Let the factor be set",
            body="Closes #110\n\nThe batch jobs want to wait longer between the later attempts.",
            author="priya",
            branch="110-retry-factor",
            days_ago=9,
            files={
                "docs/retry.md": text("""
                    # How retries work

                    The pauses grow by `factor`: 0.2, 0.4, 0.8 seconds with the defaults. Set `factor=1.0` for
                    equal pauses.
                    """)
            },
            notes=(
                NoteSeed("tom", "Nice and small. One question about the default; then let us merge.", 8.8),
            ),
        ),
        MergeRequestSeed(
            title="Name a constant for the default retry",
            body="Closes #123",
            author="kofi",
            branch="123-default-retry",
            days_ago=1.2,
            state="opened",
            files={
                "http_kit/client.py": _HTTP_CLIENT.replace(
                    "def get(url: str, *, timeout: float = 10.0, retry: Retry = Retry()) -> bytes:",
                    "DEFAULT_RETRY = Retry()\n\n\n"
                    "def get(url: str, *, timeout: float = 10.0, retry: Retry = DEFAULT_RETRY) -> bytes:",
                )
            },
        ),
    ),
    checks=(
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(name="lint", kind="max-line", limit=110),
        CheckSeed(name="test", kind="parses"),
        CheckSeed(name="docs", kind="links"),
    ),
    review=ReviewSeed(
        reviewer="tom",
        request=(
            "Thank you, {author}, this is what the issue asks for.\n\n"
            "Please also tell our users: a line in `CHANGELOG.md`, under a new heading `## Unreleased` at the top, "
            "e.g. `- The health check has a time limit.`"
        ),
        satisfied_by="file-matches",
        path="CHANGELOG.md",
        pattern=r"^## Unreleased\s*\n+\s*- \S",
        missing=(
            "Nearly there, {author}! I look for a heading `## Unreleased` in `CHANGELOG.md` with a line that starts "
            "with `- ` below it, above `## 3.4.0`. One more push, please."
        ),
        thanks="Great, {author}. Users read that file more than our code. Merging; it will be in the next release.",
    ),
)

_CONFIG_LOADER = ProjectSeed(
    path="platform/config-loader",
    description="Reads configuration from files, environment and the vault, and tells all mistakes at once",
    topics=("inner-source", "go", "configuration"),
    licence="MIT",
    languages={"Go": 100.0},
    stars=66,
    forks=12,
    labels=("good-first-issue", "kind/bug", "kind/docs"),
    members={"oskar": 50, "kofi": 40},
    commits=(
        CommitSeed(
            "oskar",
            "loader: read TOML and environment",
            480,
            {
                "go.mod": "module git.agency.example/platform/config-loader\n\ngo 1.22\n",
                "loader.go": (
                    "// Package loader reads configuration and tells all mistakes at once.\n"
                    "package loader\n\n"
                    'import (\n\t"errors"\n\t"fmt"\n\t"os"\n)\n\n'
                    "// Get returns the value of an environment variable, or a default.\n"
                    "func Get(name, fallback string) string {\n"
                    "\tif value, found := os.LookupEnv(name); found {\n\t\treturn value\n\t}\n\treturn fallback\n}\n\n"
                    "// Require returns the values of variables, and one error that names every missing one.\n"
                    "func Require(names ...string) (map[string]string, error) {\n"
                    "\tvalues := make(map[string]string, len(names))\n\tvar problems []error\n"
                    "\tfor _, name := range names {\n"
                    "\t\tvalue, found := os.LookupEnv(name)\n"
                    "\t\tif !found {\n"
                    '\t\t\tproblems = append(problems, fmt.Errorf("%s is not set", name))\n'
                    "\t\t}\n\t\tvalues[name] = value\n\t}\n"
                    "\treturn values, errors.Join(problems...)\n}\n"
                ),
                "README.md": "# config-loader\n\nSmall on purpose. `go get git.agency.example/platform/config-loader`\n",
            },
        ),
        CommitSeed(
            "kofi",
            "loader: test that every missing name is told",
            455,
            {
                "loader_test.go": (
                    'package loader\n\nimport (\n\t"strings"\n\t"testing"\n)\n\n'
                    "func TestRequireNamesEveryMissingVariable(t *testing.T) {\n"
                    '\t_, err := Require("ISEX_A", "ISEX_B")\n'
                    '\tif err == nil || !strings.Contains(err.Error(), "ISEX_B") {\n'
                    '\t\tt.Fatalf("got %v", err)\n\t}\n}\n'
                )
            },
        ),
        CommitSeed(
            "oskar",
            "docs: how to contribute",
            260,
            {
                "CONTRIBUTING.md": text("""
                    # Contributing

                    Build: `go build ./...` · Test: `go test ./...` · Format: `gofmt -w .`

                    Commit messages start with the part that they touch: `loader: ...`, `docs: ...`.

                    Branches: `<issue>-<words>`. We answer on merge requests within two working days; if we do not, poke
                    @oskar in `#platform-go`.
                    """),
                "docs/CODEOWNERS": "* @oskar @kofi\n*.md @platform/writers\n",
            },
        ),
        CommitSeed(
            "hana",
            "docs: add an example for the vault",
            33,
            {
                "docs/vault.md": text("""
                    # Values from the vault

                    Names that start with `vault:` are looked up when the service starts:

                        DATABASE_PASSWORD=vault:orders/database#password

                    A value that cannot be read is named together with all other mistakes.
                    """)
            },
        ),
    ),
    issues=(
        IssueSeed(
            title="README: show Require with two names",
            author="oskar",
            days_ago=21,
            labels=("good-first-issue", "kind/docs"),
            body=text("""
                The best thing about this package is that it names *all* mistakes at once, and `README.md` does not show
                it.

                **What to do.** Add a block of Go to `README.md` that calls `loader.Require("DATABASE_URL", "PORT")`
                and prints the error. Ten lines at most. The function is in `loader.go`.

                Commit message: `docs: show Require in the README`.
                """),
        ),
        IssueSeed(
            title="Get: an empty variable is not a missing one",
            author="hana",
            days_ago=70,
            labels=("kind/bug",),
            body="`PORT=` gives an empty string. Should it give the fallback? I would say no, but document it.",
            notes=(NoteSeed("oskar", "Agreed: document it.", 69),),
        ),
    ),
    checks=(
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(
            name="commits",
            kind="message",
            pattern=r"^[a-z]+: \S",
            hint="CONTRIBUTING.md: 'Commit messages start with the part that they touch', e.g. 'docs: ...'.",
        ),
    ),
)

_FLAGS_TS = text("""
    export interface Flag {
      readonly name: string;
      readonly owner: string;
      /** ISO date after which the flag has to be removed. */
      readonly until: string;
    }

    /** Returns the flags that should be gone by now, oldest first. */
    export function overdue(flags: readonly Flag[], today: string): Flag[] {
      return flags
        .filter((flag) => flag.until < today)
        .sort((one, other) => one.until.localeCompare(other.until));
    }
    """)

_FEATURE_FLAGS = ProjectSeed(
    path="platform/feature-flags",
    description="Feature flags with an owner and an end date, so that they go away again",
    topics=("InnerSource", "typescript", "feature-flags"),
    licence="Apache-2.0",
    languages={"TypeScript": 91.0, "JavaScript": 9.0},
    stars=58,
    forks=9,
    labels=("Good First Issue", "Help Wanted", "ui"),
    members={"hana": 50, "diego": 30},
    commits=(
        CommitSeed(
            "hana",
            "feat: flags with an end date",
            390,
            {
                "src/flags.ts": _FLAGS_TS,
                "package.json": text("""
                    {
                      "name": "@platform/feature-flags",
                      "version": "1.8.0",
                      "type": "module",
                      "scripts": { "test": "vitest run", "lint": "eslint ." }
                    }
                    """),
                "README.md": "# Feature flags\n\nA flag has a name, an owner, and a day on which it dies.\n",
            },
        ),
        CommitSeed(
            "diego",
            "test: overdue flags come oldest first",
            355,
            {
                "src/flags.test.ts": text("""
                    import { expect, test } from "vitest";
                    import { overdue } from "./flags";

                    test("overdue flags come oldest first", () => {
                      const flags = [
                        { name: "b", owner: "x", until: "2024-02-01" },
                        { name: "a", owner: "x", until: "2024-01-01" },
                      ];
                      expect(overdue(flags, "2024-03-01").map((flag) => flag.name)).toEqual(["a", "b"]);
                    });
                    """)
            },
        ),
        CommitSeed(
            "hana",
            "docs: contributing guide",
            240,
            {
                "CONTRIBUTING.md": text("""
                    # Contributing

                    ```sh
                    npm ci
                    npm test
                    ```

                    We use [Conventional Commits](https://www.conventionalcommits.org): `feat: `, `fix: `, `docs: `.

                    **Trusted Committers:** @hana. First review within 2 working days. Chat: `#feature-flags`.
                    """),
                "flags.json": '{\n  "flags": [\n    {"name": "new-checkout", "owner": "payments", "until": "2027-03-31"}\n  ]\n}\n',
            },
        ),
        CommitSeed(
            "release-bot",
            "chore: release 1.8.0",
            18,
            {"CHANGELOG.md": "# 1.8.0\n\n- docs: contributing guide\n"},
        ),
    ),
    issues=(
        IssueSeed(
            title="Fix the example in README: name the three fields",
            author="hana",
            days_ago=16,
            labels=("Good First Issue",),
            body=text("""
                `README.md` says that a flag has a name, an owner and a day, but a newcomer wants to see one.

                **What to do.** Add a JSON block to `README.md` with one flag; copy it from `flags.json`.
                Commit message: `docs: show a flag in the README`.
                """),
        ),
        IssueSeed(
            title="Show flags without an owner in red",
            author="aoife",
            days_ago=47,
            labels=("Help Wanted", "ui"),
            body="Not only red, please: colour alone does not reach everybody. A word and a colour.",
            notes=(NoteSeed("ravi", "Working on this, first version next week.", 3.5),),
        ),
    ),
    checks=(
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(
            name="commits", kind="message", pattern=r"^(feat|fix|docs|test|chore|refactor)(\(.+\))?!?: \S"
        ),
        CheckSeed(name="test", kind="parses"),
    ),
)

_LOG_FORMAT = ProjectSeed(
    path="platform/observability/log-format",
    description="One line of JSON per event: the format, and a checker for it",
    topics=("innersource", "rust", "logging", "observability"),
    licence="MIT OR Apache-2.0",
    languages={"Rust": 98.0, "Markdown": 2.0},
    stars=37,
    forks=6,
    labels=("contribute::good first issue", "contribute::help wanted", "area::docs"),
    members={"wei": 50, "lena": 30},
    commits=(
        CommitSeed(
            "wei",
            "Describe the format",
            300,
            {
                "README.md": text("""
                    # log-format

                    Every line is one JSON object with at least these members:

                    | member  | meaning                          |
                    | ------- | -------------------------------- |
                    | `time`  | RFC 3339, UTC                    |
                    | `level` | `debug` `info` `warn` `error`    |
                    | `text`  | for people                       |
                    | `trace` | id that follows a request around |

                    `cargo run -- FILE` checks a file.
                    """),
                "Cargo.toml": '[package]\nname = "log-format"\nversion = "0.6.1"\nedition = "2021"\n',
                "src/main.rs": text("""
                    use std::{env, fs, process};

                    const REQUIRED: [&str; 4] = ["\\"time\\"", "\\"level\\"", "\\"text\\"", "\\"trace\\""];

                    fn missing(line: &str) -> Vec<&'static str> {
                        REQUIRED.iter().copied().filter(|member| !line.contains(member)).collect()
                    }

                    fn main() {
                        let path = env::args().nth(1).expect("usage: log-format FILE");
                        let text = fs::read_to_string(&path).expect("file can be read");
                        let mut bad = 0;
                        for (number, line) in text.lines().enumerate() {
                            for member in missing(line) {
                                println!("{path}:{}: no {member}", number + 1);
                                bad += 1;
                            }
                        }
                        process::exit(i32::from(bad > 0));
                    }

                    #[cfg(test)]
                    mod tests {
                        use super::missing;

                        #[test]
                        fn names_what_is_missing() {
                            assert_eq!(missing(r#"{"time": 1, "level": 2, "text": 3}"#), ["\\"trace\\""]);
                        }
                    }
                    """),
            },
        ),
        CommitSeed(
            "lena",
            "Say how to contribute",
            150,
            {
                "CONTRIBUTING.md": text("""
                    # Contributing

                    `cargo test` must pass, `cargo fmt` must have nothing to do.

                    Every commit needs a `Signed-off-by` line (Developer Certificate of Origin): use `git commit -s`.

                    First review within 5 working days, by @wei.
                    """)
            },
            sign_off=True,
        ),
        CommitSeed(
            "wei",
            "Give an example for every level",
            44,
            {
                "examples/levels.jsonl": (
                    '{"time": "2026-01-05T08:00:00Z", "level": "info", "text": "started", "trace": "a1"}\n'
                    '{"time": "2026-01-05T08:00:01Z", "level": "warn", "text": "slow answer", "trace": "a1"}\n'
                )
            },
            sign_off=True,
        ),
    ),
    issues=(
        IssueSeed(
            title="Add an example for the level error",
            author="wei",
            days_ago=40,
            labels=("contribute::good first issue", "area::docs"),
            body=text("""
                `examples/levels.jsonl` has `info` and `warn`, but no `error`.

                **What to do.** Add a third line with `"level": "error"`; every member of the table in `README.md` must
                be there. Sign your commit off (`git commit -s`): the job `dco` looks for it.
                """),
        ),
        IssueSeed(
            title="Check the time, not only that it is there",
            author="lena",
            days_ago=120,
            labels=("contribute::help wanted",),
            body="`2026-13-45` passes at the moment.",
        ),
    ),
    checks=(
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(
            name="dco",
            kind="sign-off",
            hint="Why: with the line you say that you may contribute this (Developer Certificate of Origin).",
        ),
    ),
    review=ReviewSeed(
        reviewer="wei",
        request=(
            "Thanks, {author}! Could you make the `text` in your change a little more like something a service "
            "would really say? People copy these examples. A short push with `git commit -s` is enough."
        ),
        thanks="Ha, I have seen exactly that line at three in the morning. Merging, thank you!",
    ),
)

_TERRAFORM = ProjectSeed(
    path="platform/infra/terraform-modules",
    description="Terraform modules for networks, buckets and databases that pass the security review",
    topics=("inner-source", "terraform", "infrastructure"),
    licence="Apache-2.0",
    languages={"HCL": 94.0, "Shell": 6.0},
    stars=91,
    forks=27,
    labels=("good first issue", "module::bucket", "module::network"),
    members={"kofi": 50, "oskar": 40, "ines": 30},
    merge_method="ff",
    commits=(
        CommitSeed(
            "kofi",
            "bucket: private by default",
            610,
            {
                "modules/bucket/main.tf": text("""
                    variable "name" {
                      type        = string
                      description = "Name of the bucket, without the prefix of the organisation."
                    }

                    variable "keep_days" {
                      type    = number
                      default = 30
                    }

                    resource "object_bucket" "this" {
                      name   = "agency-${var.name}"
                      public = false

                      lifecycle_rule {
                        expire_after_days = var.keep_days
                      }
                    }

                    output "url" {
                      value = object_bucket.this.url
                    }
                    """),
                "README.md": "# Terraform modules\n\nSee `modules/`. Each module has its own README, or will have.\n",
            },
        ),
        CommitSeed(
            "ines",
            "network: one subnet for each zone",
            420,
            {
                "modules/network/main.tf": text("""
                    variable "zones" {
                      type = list(string)
                    }

                    resource "network_subnet" "zone" {
                      for_each = toset(var.zones)
                      cidr     = cidrsubnet("10.20.0.0/16", 4, index(var.zones, each.key))
                    }
                    """),
                "modules/network/README.md": "# network\n\nOne subnet for each zone. Input: `zones`.\n",
            },
        ),
        CommitSeed(
            "oskar",
            "Write down how changes get in",
            200,
            {
                "CONTRIBUTING.md": text("""
                    # Contributing

                    ## Before you start

                    Modules are used by 60 services. New inputs need a default, so that nobody has to change anything.

                    ## Check your change

                    `terraform fmt -check -recursive && terraform validate`

                    ## Form

                    First line of a commit: `module: what it does now`, e.g. `bucket: describe keep_days`.
                    History is linear: we fast-forward, so rebase on `main` before the review.

                    ## Who reviews, and when

                    @kofi on Tuesdays and Fridays; @oskar when he is away.
                    """),
                "CODEOWNERS": "* @kofi\n[Network] @ines\n/modules/network/\n",
            },
        ),
        CommitSeed(
            "kofi",
            "Check formatting before every push",
            77,
            {"scripts/check.sh": "#!/bin/sh\nset -eu\nterraform fmt -check -recursive\nterraform validate\n"},
        ),
    ),
    issues=(
        IssueSeed(
            title="bucket: keep_days has no description",
            author="kofi",
            days_ago=33,
            labels=("good first issue", "module::bucket"),
            body=text("""
                `name` has a description, `keep_days` in `modules/bucket/main.tf` has not.

                **What to do.** Add `description = "After how many days objects are deleted."` to it.
                Commit message: `bucket: describe keep_days`.
                """),
        ),
        IssueSeed(
            title="bucket: write a README like that of network",
            author="ines",
            days_ago=30,
            labels=("good first issue", "module::bucket"),
            body="`modules/network/README.md` shows the form. Inputs: `name`, `keep_days`. Output: `url`.",
            assignee="aoife",
        ),
    ),
    checks=(
        CheckSeed(name="lint", kind="no-trailing-space"),
        CheckSeed(
            name="commits",
            kind="message",
            pattern=r"^[a-z][a-z-]*: \S",
            hint="CONTRIBUTING.md, Form: 'module: what it does now', e.g. 'bucket: describe keep_days'.",
        ),
    ),
)

_RUNNER_IMAGES = ProjectSeed(
    path="platform/infra/runner-images",
    description="Container images for CI jobs",
    topics=("ci", "docker"),
    languages={"Dockerfile": 70.0, "Shell": 30.0},
    stars=19,
    forks=3,
    labels=("bug",),
    members={"ravi": 50},
    commits=(
        CommitSeed(
            "ravi",
            "Add the Python image",
            230,
            {
                "python/Dockerfile": "FROM debian:12-slim\nRUN apt-get update && apt-get install -y python3 python3-venv git\n",
                "README.md": "# Runner images\n\nNot open for contributions yet; ask @ravi.\n",
            },
        ),
        CommitSeed(
            "ravi",
            "Build all images in a loop",
            85,
            {
                "build.sh": '#!/bin/sh\nfor folder in */; do\n    docker build -t "runner-${folder%/}" "$folder"\ndone\n'
            },
        ),
    ),
    merge_requests_enabled=False,
    forking_enabled=False,
)

_SOAP_BRIDGE = ProjectSeed(
    path="platform/legacy-soap-bridge",
    description="Bridge to the SOAP services. Retired: everything speaks REST since last year.",
    topics=("innersource", "java", "soap"),
    languages={"Java": 100.0},
    stars=11,
    forks=14,
    labels=("good first issue",),
    members={"mara": 50},
    archived=True,
    commits=(
        CommitSeed(
            "mara",
            "Import from the old version control",
            1480,
            {
                "src/main/java/bridge/Bridge.java": text("""
                    package bridge;

                    /** Turns a REST call into a SOAP envelope. */
                    public final class Bridge {
                        public String envelope(String body) {
                            return "<soap:Envelope><soap:Body>" + body + "</soap:Body></soap:Envelope>";
                        }
                    }
                    """),
                "README.md": "# SOAP bridge\n",
            },
        ),
        CommitSeed(
            "mara",
            "Say goodbye",
            410,
            {
                "README.md": "# SOAP bridge\n\n**Retired.** Use the REST services. Thank you to everybody who helped.\n"
            },
        ),
    ),
    issues=(
        IssueSeed(
            title="Escape ampersands in the body",
            author="diego",
            days_ago=900,
            labels=("good first issue",),
            body="`&` breaks the envelope.",
        ),
    ),
)

PROJECTS: tuple[ProjectSeed, ...] = (
    _HTTP_KIT,
    _CONFIG_LOADER,
    _FEATURE_FLAGS,
    _LOG_FORMAT,
    _TERRAFORM,
    _RUNNER_IMAGES,
    _SOAP_BRIDGE,
)
