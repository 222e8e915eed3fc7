"""What of a template was left as it was."""

from __future__ import annotations

import pytest

from isexplore.journey.leftovers import answered_first, leftovers

TEMPLATE = """<!-- Describe what changes -->
## What this changes

[Describe what changes]

## How it was tested

- [ ] `make test` passes
- [x] I read CONTRIBUTING

## Why

TODO: the reason

```sh
make test   # [all of it]
```
"""


def test_a_template_that_nobody_touched() -> None:
    assert leftovers(TEMPLATE.replace("TODO: the reason", ""), TEMPLATE) == (
        "still there: [Describe what changes]",
        "not ticked: `make test` passes",
    )


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (
            "## What this changes\n\nIt backs off.\n\n## Why\n\nTODO: the reason",
            ("still there: TODO: the reason",),
        ),
        ("## What this changes\n\n## Why\n\nBecause.", ("nothing below “What this changes”",)),
        ("## Why\n<!-- really? -->\n", ("nothing below “Why”",)),
        ("## Why\n### In short\nBecause.", ()),
        ("- [x] `make test` passes", ()),
        ("- [ ] `make test` passes", ("not ticked: `make test` passes",)),
        ("My own words, [a link](https://x.example) and a TODO of mine", ()),
        ("", ()),
    ],
)
def test_only_what_the_template_asked_for_is_named(body: str, left: tuple[str, ...]) -> None:
    assert leftovers(body, TEMPLATE) == left


@pytest.mark.parametrize(
    "line", ["(one or two sentences)", "_(nothing, or what)_", "<your words>", "Tested: TBD"]
)
def test_other_spellings_of_a_placeholder(line: str) -> None:
    assert leftovers(line, line) == (f"still there: {line}",)


@pytest.mark.parametrize(
    "line", ["Closes #41", "See [the guide](docs/x.md)", "[docs]: https://x.example", "Thanks!"]
)
def test_sentences_of_a_template_are_no_placeholders(line: str) -> None:
    assert leftovers(line, line) == ()


def test_without_a_template_nothing_is_left() -> None:
    assert leftovers("[Describe]", None) == ()


@pytest.mark.parametrize(
    ("line", "left"),
    [("Closes #", True), ("fixes: # and more", True), ("Closes #4", False), ("A # b", False)],
)
@pytest.mark.parametrize("template", [None, TEMPLATE])
def test_a_reference_without_a_number_is_meant_by_nobody(line: str, left: bool, template: str | None) -> None:
    assert leftovers(line, template) == ((f"no number: {line}",) if left else ())


@pytest.mark.parametrize("start", ["", "```\n", "<!--"])
def test_a_template_of_nothing_but_lines_takes_no_time_to_speak_of(start: str) -> None:
    template = start + "\n" * 200_000
    assert leftovers(template, template) == ()
    assert answered_first(template, "Why.") == template
