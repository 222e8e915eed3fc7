"""Whom to ask: the people whom the guides name, then owners, maintainers, contributors."""

from __future__ import annotations

import pytest

from isexplore.guide.codeowners import matches_path, parse_codeowners
from isexplore.guide.people import people
from isexplore.models import Document, ForgeKind, Member, Person, Role


def guide(text: str, name: str = "README") -> Document:
    return Document(name=name, path=name if name == "CODEOWNERS" else f"{name}.md", text=text)


@pytest.mark.parametrize(
    ("line", "name", "username", "url"),
    [
        ("- @sofia (Sofia Brandt), who reviews most", "Sofia Brandt", "sofia", None),
        ("- Sofia Brandt (@sofia)", "Sofia Brandt", "sofia", None),
        ("- @sofia", "@sofia", "sofia", None),
        ("- @sofia, ask her anything", "@sofia", "sofia", None),
        (
            "- [Sofia Brandt](https://git.example.org/sofia)",
            "Sofia Brandt",
            "sofia",
            "https://git.example.org/sofia",
        ),
        ("- [@sofia](/sofia)", "@sofia", "sofia", None),
        ("- Sofia Brandt <sofia@example.org>", "Sofia Brandt", None, "mailto:sofia@example.org"),
        ("- [Sofia Brandt](mailto:sofia@example.org)", "Sofia Brandt", None, "mailto:sofia@example.org"),
        ("| Sofia Brandt | sofia@example.org |", "Sofia Brandt", None, "mailto:sofia@example.org"),
        ("* Sofia Brandt", "Sofia Brandt", None, None),
        ("* **Sofia Brandt**, releases", "Sofia Brandt", None, None),
        ("Ask @sofia.", "@sofia", "sofia", None),
    ],
)
def test_ways_to_write_a_person(line: str, name: str, username: str | None, url: str | None) -> None:
    found = people([guide(f"# Tool\n\n## Trusted Committers\n\n{line}\n")])
    assert [(contact.name, contact.username, contact.url) for contact in found.contacts] == [
        (name, username, url)
    ]
    assert found.contacts[0].source == "README.md, line 5"
    assert found.basis == "named as trusted committers in README.md"


@pytest.mark.parametrize(
    "text",
    [
        "## How to become a Trusted Committer\n\n- Ask @sofia\n",
        "## Past maintainers\n\n- @sofia\n",
        "## Maintainers\n\n### Former members\n\n- @sofia\n",
        "## Maintainers\n\n- We look at every merge request\n- Review takes a day\n",
        "## Maintainers\n\n- @release-bot\n",
        "## Maintainers\n\n```\n@sofia\n```\n",
        "## Maintainers\n\n- [the guide](docs/guide.md)\n",
    ],
)
def test_who_is_not_meant(text: str) -> None:
    assert people([guide(text)]).contacts == ()


MEMBERS = [
    Member(person=Person(username="ada", name="Ada Example"), role=Role.OWNER),
    Member(person=Person(username="project_1_bot", name="deploy", bot=True), role=Role.MAINTAINER),
    Member(person=Person(username="dev", name="Dev Eloper"), role=Role.DEVELOPER),
]
CONTRIBUTORS = [Person(username="", name="Grace Example"), Person(username="renovate-bot", name="Renovate")]


def test_the_sources_stand_in_for_one_another_in_order() -> None:
    owners = guide("* @tom\n", "CODEOWNERS")
    named = guide("## Who we are\n\n- @mara\n- @tom\n")
    found = people([named, owners], members=MEMBERS, contributors=CONTRIBUTORS)
    assert [contact.name for contact in found.contacts] == ["@mara", "@tom"]
    assert [contact.name for contact in found.also] == ["Ada Example", "Grace Example"]
    found = people([owners], members=MEMBERS, contributors=CONTRIBUTORS)
    assert (found.basis, [contact.name for contact in found.contacts]) == ("code owners", ["@tom"])
    found = people([], members=MEMBERS, contributors=CONTRIBUTORS)
    assert (found.basis, [contact.role for contact in found.contacts]) == (
        "maintainers by their role",
        ["owner"],
    )
    found = people([], contributors=CONTRIBUTORS)
    assert (found.basis, [contact.name for contact in found.contacts]) == (
        "who committed most",
        ["Grace Example"],
    )
    assert people([]).basis == ""


def test_trusted_committers_come_before_maintainers() -> None:
    found = people(
        [guide("## Maintainers\n\n- @mara\n"), guide("## Trusted Committers\n\n- @sofia\n", "CONTRIBUTING")]
    )
    assert [contact.name for contact in found.contacts] == ["@sofia"]
    assert [contact.name for contact in found.also] == ["@mara"]


GITLAB = """\
# comment
* @default
!*.lock
docs/ @docs @group/sub/writers
/src/**/api/ @api

^[Optional][2] @helpers
*.md
*.py @python docs@example.org

[optional]
Makefile @@maintainers
a\\ b.txt @space
broken line without
"""


def test_gitlab_sections_defaults_roles_and_exclusions() -> None:
    owners = parse_codeowners(GITLAB, ForgeKind.GITLAB)
    assert owners.owners_of("x.txt") == ("@default",)
    assert owners.owners_of("yarn.lock") == ()
    assert owners.owners_of("docs/a/b.md") == ("@docs", "@group/sub/writers", "@helpers")
    assert owners.owners_of("src/x/y/api/z.py") == ("@api", "@python", "docs@example.org")
    assert owners.owners_of("Makefile") == ("@default", "@@maintainers")
    assert owners.owners_of("a b.txt") == ("@default", "@space")
    assert owners.default_owners == ("@default",)
    assert {rule.section for rule in owners.rules} == {"", "Optional"}


def test_github_last_match_wins_and_empty_clears() -> None:
    text = "* @all\n/docs/ @docs # inline\n*.md @md\n/docs/private.md\n!negated @x\n[section]\n"
    owners = parse_codeowners(text, ForgeKind.GITHUB)
    assert owners.owners_of("docs/a.txt") == ("@docs",)
    assert owners.owners_of("docs/a.md") == ("@md",)
    assert owners.owners_of("docs/private.md") == ()
    assert owners.owners_of("negated") == ("@all",)


def test_gitea_expressions() -> None:
    text = ".*\\.go @gopher\ndocs/.* @docs\n!src/.* @outside\n(a+)+b @evil\n[ @broken\n"
    owners = parse_codeowners(text, ForgeKind.GITEA)
    assert owners.owners_of("src/main.go") == ("@gopher",)
    assert owners.owners_of("docs/x.go") == ("@gopher", "@docs", "@outside")
    assert owners.owners_of("a" * 200) == ("@outside",)


def test_owners_without_a_line_for_everything() -> None:
    owners = parse_codeowners("/a @ada\n/b @bob @ada\n", ForgeKind.GITHUB)
    assert owners.default_owners == ("@ada", "@bob")


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*", "a/b/c", True),
        ("*.md", "a/b.md", True),
        ("/*.md", "a/b.md", False),
        ("/docs/*", "docs/a", True),
        ("/docs/*", "docs/a/b", False),
        ("docs/", "x/docs/y/z", True),
        ("docs/", "docs", False),
        ("docs", "x/docs/y", True),
        ("a/**/z", "a/z", True),
        ("a/**/z", "a/b/c/z", True),
        ("a/**", "a/b/c", True),
        ("[ab].txt", "a.txt", False),
    ],
)
def test_path_patterns(pattern: str, path: str, matches: bool) -> None:
    assert matches_path(pattern, path) is matches
