"""CONTRIBUTING in a few lines, each with its place; what is not said stays unsaid."""

from __future__ import annotations

import time

import pytest

from isexplore.guide.chat import chat_links
from isexplore.guide.digest import Digest, digest
from isexplore.guide.markup import lines, sections
from isexplore.guide.people import people
from isexplore.models import Document


def guide(text: str, name: str = "CONTRIBUTING") -> Document:
    return Document(name=name, path=f"{name}.md", text=text)


FULL = """\
# Contributing

<!-- Authors:
sign-off is spoken of here, but this is a comment -->

Thank you!

## Getting started

You need Python 3.11.

```sh
# once
$ python -m venv .venv
$ pip install -e .
```

## Running the tests

```
make test
```

## Commits

We follow [Conventional Commits](https://www.conventionalcommits.org/). Keep
the subject short.

Every commit must be signed off (`git commit -s`); the DCO job rejects others.

Name your branch after the issue, for example `41-explain-the-back-off`.

## Review

We promise a first answer within two working days, and
merge within a week.

## Definition of done

- [ ] Tests are green
- [ ] The **changelog** has a line

## Questions

Ask in #scheduler-dev on Slack (https://example.slack.com/archives/C1).
"""


def test_a_full_guide() -> None:
    found = digest([guide(FULL)])
    assert found.setup is not None
    assert (found.setup.text, found.setup.line) == ("python -m venv .venv\npip install -e .", 14)
    assert found.test is not None
    assert (found.test.text, found.test.line, found.test.document) == ("make test", 21, "CONTRIBUTING.md")
    assert found.commit_style is not None
    assert found.commit_style.text == "We follow Conventional Commits."
    assert found.sign_off_required is True
    assert found.sign_off is not None
    assert found.sign_off.line == 29
    assert found.branch_naming is not None
    assert found.branch_naming.text.endswith("for example 41-explain-the-back-off.")
    assert found.review is not None
    assert found.review.text == "We promise a first answer within two working days, and merge within a week."
    assert found.done is not None
    assert found.done.text == "Tests are green\nThe changelog has a line"
    assert [(link.text, link.url) for link in found.chat] == [
        ("#scheduler-dev on Slack", "https://example.slack.com/archives/C1")
    ]
    assert found.agreement is None


def test_nothing_is_guessed() -> None:
    assert digest([]) == Digest()
    assert (
        digest([guide("# Contributing\n\nBe nice.\n"), guide("# Tool\n\nIt works.\n", "README")]) == Digest()
    )


def test_installing_for_users_is_not_a_set_up() -> None:
    readme = "# Tool\n\n## Installation\n\n```\npip install tool\n```\n\n"
    readme += "## Contributing\n\n### Set up\n\n```\nmake dev\n```\n"
    found = digest([guide(readme, "README")])
    assert found.setup is not None
    assert found.setup.text == "make dev"


@pytest.mark.parametrize(
    ("text", "required"),
    [
        ("Every commit needs a Signed-off-by line.", True),
        ("Use `git commit -s`.", True),
        ("Commits that are not signed off must be fixed first.", True),
        ("No sign-off needed.", False),
        ("We do not require a DCO.", False),
        ("You need not sign off your commits.", False),
        ("Sign in with your account, then push off.", None),
    ],
)
def test_sign_off(text: str, required: bool | None) -> None:
    assert digest([guide(text)]).sign_off_required is required


@pytest.mark.parametrize(
    "text",
    [
        "We review within 3 working days.",
        "First review within 2 business days, by @ada.",
        "Expect an answer in a week.",
        "Within five days somebody will look at it.",
        "Turnaround: usually 48 hours.",
    ],
)
def test_review_promises(text: str) -> None:
    found = digest([guide(text)]).review
    assert found is not None
    assert found.text == text


@pytest.mark.parametrize(
    "text", ["We review everything.", "The job looks 3 files up.", "Wait 2 days before you complain."]
)
def test_no_review_promise(text: str) -> None:
    assert digest([guide(text)]).review is None


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("Run `pytest -q` before you push.", "pytest -q"),
        ("Get `pip install pytest`, then `python -m pytest`.", "python -m pytest"),
        ("```\npip install tox\ngo test ./...\n```", "go test ./..."),
        ("## Testing\n\nWe click through it by hand.", "We click through it by hand."),
        ("## Checks\n\n    ./check.sh\n", "./check.sh"),
    ],
)
def test_how_to_test(text: str, command: str) -> None:
    found = digest([guide(text)]).test
    assert found is not None
    assert found.text == command


def test_a_licence_agreement_is_told() -> None:
    assert digest([guide("You must sign the Contributor License Agreement first.")]).agreement is not None
    assert digest([guide("There is no CLA.")]).agreement is None


def test_lines_know_their_kind_and_number() -> None:
    text = "Title\n=====\n\n- one\n* [x] two\n1. three\n\n~~~\n# code\n~~~\n| a | b |\n|---|---|\n| c | d |\n"
    assert [(line.kind, line.text, line.number) for line in lines(text)] == [
        ("heading", "Title", 1),
        ("item", "one", 4),
        ("item", "two", 5),
        ("item", "three", 6),
        ("code", "# code", 9),
        ("row", "a | b", 11),
        ("row", "c | d", 13),
    ]


def test_sections_hold_their_parts() -> None:
    found = sections(guide("# A\n\n## B ##\n\nx\n\n### C\n\ny\n\n## D\n\nz\n"))
    assert [(section.title, section.path, len(section.lines)) for section in found] == [
        ("A", (), 6),
        ("B", ("A",), 3),
        ("C", ("A", "B"), 1),
        ("D", ("A",), 1),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Poke us in #platform-go.", ["#platform-go"]),
        ("Chat: #ops", ["#ops"]),
        ("Fixes #12, colour #ff00aa, see [top](#getting-started) and #c0ffee", []),
        ("https://matrix.to/#/#room:example.org", ["https://matrix.to/#/#room:example.org"]),
        ("Write to team@example.org", ["team@example.org"]),
        (
            "https://mattermost.example.org/tools/channels/x.",
            ["https://mattermost.example.org/tools/channels/x"],
        ),
        ("https://notslack.com/x", []),
    ],
)
def test_chat(text: str, expected: list[str]) -> None:
    assert [link.text for link in chat_links([guide(text)])] == expected


@pytest.mark.parametrize(
    "unit",
    [
        "<!--", "[a](", "[a](x ", "# ", "#" * 7 + " ", "| a ", "- ", "`", "**", "review ", "branch name ", "@a ", "a@",
        "in #", "https://", " " * 999 + "x\n", "commit message\n", "## Maintainers\n- a b\n", "```\n", "within two ",
    ],
)  # fmt: skip
def test_hostile_guides_are_read_in_no_time(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    documents = [guide(text), guide(text, "README"), guide(text, "COMMUNICATION")]
    begun = time.process_time()
    digest(documents)
    people(documents)
    assert time.process_time() - begun < 5
