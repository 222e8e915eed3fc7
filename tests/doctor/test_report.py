from __future__ import annotations

import json

from isexplore.config.secrets import Secret, register_secret
from isexplore.doctor.report import Lines, Report


def sample() -> Report:
    first, second = Lines("versions"), Lines("forge work")
    first.ok("git", "2.51.0")
    second.warn("expiry", "runs out in 3 days", "Make a new one.\nThen go on.")
    second.bad("token", "glpat-canary12345 \x1b[31mrefused https://u:p@x/", "isexplore login work")
    return Report(checks=(*first.checks, *second.checks))


def test_page_is_plain_and_complete() -> None:
    assert sample().as_text() == (
        "versions\n"
        "  ok    git     2.51.0\n"
        "\n"
        "forge work\n"
        "  note  expiry  runs out in 3 days\n"
        "                -> Make a new one.\n"
        "                -> Then go on.\n"
        "  BAD   token   *** \N{SYMBOL FOR ESCAPE}[31mrefused https://***@x/\n"
        "                -> isexplore login work\n"
        "\n"
        "1 of 3 checks need mending.\n"
    )


def test_json_has_every_check_and_no_secret() -> None:
    document = sample().as_json()
    assert document["ok"] is False
    assert json.loads(json.dumps(document))["checks"][0] == {
        "area": "versions",
        "name": "git",
        "state": "ok",
        "detail": "2.51.0",
        "fix": None,
    }
    assert "canary" not in json.dumps(document)


def test_only_what_blocks_fails() -> None:
    lines = Lines("x")
    lines.ok("a", "b")
    lines.warn("c", "d")
    assert Report(checks=tuple(lines.checks)).exit_code == 0
    assert Report(checks=()).as_text() == "Nothing blocks you.\n"
    lines.bad("e", "f", "g")
    assert Report(checks=tuple(lines.checks)).exit_code == 1


def test_registered_secret_without_a_pattern_is_masked() -> None:
    register_secret(Secret("0123456789abcdef-canary"))
    lines = Lines("x")
    lines.warn("a", "has 0123456789abcdef-canary", "use 0123456789abcdef-canary")
    report = Report(checks=tuple(lines.checks))
    assert "canary" not in report.as_text() + json.dumps(report.as_json())
