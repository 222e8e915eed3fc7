"""Guides are found by convention and read whatever their place, case and encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isexplore.guide.documents import MAX_BYTES, decode, find_convention, read_document, read_documents
from isexplore.models import FileEntry, ForgeKind, Project
from tests.support.fake_forge import FakeForge


@pytest.mark.parametrize(
    ("paths", "name", "expected"),
    [
        (["README.md", "docs/README.md"], "README", "README.md"),
        (["docs/readme.MD"], "README", "docs/readme.MD"),
        (["README", "README.rst"], "README", "README"),
        (["README.rst", "README.md"], "README", "README.md"),
        (["README.de.md", "readme_old.md", "src/README.md"], "README", None),
        (
            [".github/CONTRIBUTING.md", ".gitlab/contributing.adoc"],
            "CONTRIBUTING",
            ".gitlab/contributing.adoc",
        ),
        (["COPYING"], "LICENSE", "COPYING"),
        (["LICENCE.txt"], "LICENSE", "LICENCE.txt"),
        (["code-of-conduct.md"], "CODE_OF_CONDUCT", "code-of-conduct.md"),
        ([".github/PULL_REQUEST_TEMPLATE.md"], "MERGE_REQUEST_TEMPLATE", ".github/PULL_REQUEST_TEMPLATE.md"),
        (
            [".gitlab/merge_request_templates/default.md", ".gitlab/merge_request_templates/Release.md"],
            "MERGE_REQUEST_TEMPLATE",
            ".gitlab/merge_request_templates/default.md",
        ),
        (["innersource.json"], "innersource.json", "innersource.json"),
        (["CODEOWNERS.md"], "CODEOWNERS", None),
    ],
)
def test_conventions(paths: list[str], name: str, expected: str | None) -> None:
    assert find_convention(paths).get(name) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ForgeKind.GITHUB, ".github/CODEOWNERS"),
        (ForgeKind.GITLAB, "CODEOWNERS"),
        (ForgeKind.GITEA, "CODEOWNERS"),
    ],
)
def test_every_forge_looks_for_owners_in_its_own_order(kind: ForgeKind, expected: str) -> None:
    paths = ["docs/CODEOWNERS", ".github/CODEOWNERS", "CODEOWNERS", ".gitlab/CODEOWNERS"]
    assert find_convention(paths, kind=kind)["CODEOWNERS"] == expected


def test_folders_are_no_documents() -> None:
    assert (
        find_convention([FileEntry(path="docs", folder=True), FileEntry(path="readme.md", folder=True)]) == {}
    )


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"# Hall\xc3\xb6", "# Hallö"),
        (b"\xef\xbb\xbf# BOM", "# BOM"),
        ("# Wide ö".encode("utf-16"), "# Wide ö"),
        (b"Gr\xfc\xdfe aus alten Zeiten \x93quoted\x94", "Grüße aus alten Zeiten “quoted”"),
        (b"cut within \xc3", "cut within "),
        (b"one\r\ntwo\rthree", "one\ntwo\nthree"),
        (b"\x1b[31mred", "␛[31mred"),
        (b"\x7fELF\0\0", None),
        (b"", ""),
    ],
)
def test_bytes_become_clean_text(data: bytes, text: str | None) -> None:
    assert decode(data) == text


@given(st.binary(max_size=200))
def test_any_bytes_become_text_that_can_be_shown(data: bytes) -> None:
    text = decode(data)
    assert text is None or ("\x1b" not in text and text.encode("utf-8") is not None)


def project_with(forge: FakeForge, files: dict[str, str]) -> Project:
    return forge.add_project("tools/scheduler", files=files)


async def test_all_guides_are_read_in_the_order_of_reading(forge: FakeForge) -> None:
    project = project_with(
        forge,
        {
            "README.md": "# Scheduler\n",
            ".gitlab/CODEOWNERS": "* @ada\n",
            ".gitlab/merge_request_templates/Default.md": "## What\n",
            "docs/CONTRIBUTING.md": "# How\n",
            "docs/other.md": "no guide\n",
            "CHANGELOG.md": "# 1.0\n",
            "src/README.md": "not this one\n",
        },
    )
    documents = await read_documents(forge, project)
    assert [(document.name, document.path) for document in documents] == [
        ("README", "README.md"),
        ("CONTRIBUTING", "docs/CONTRIBUTING.md"),
        ("CODEOWNERS", ".gitlab/CODEOWNERS"),
        ("CHANGELOG", "CHANGELOG.md"),
        ("MERGE_REQUEST_TEMPLATE", ".gitlab/merge_request_templates/Default.md"),
    ]
    assert documents[0].text == "# Scheduler\n"


async def test_a_link_to_the_real_guide_is_followed_once(forge: FakeForge) -> None:
    project = project_with(
        forge,
        {
            "README.md": "docs/README.md",
            "docs/README.md": "# The real one\n",
            "CONTRIBUTING.md": "../../etc/passwd.txt",
            "SUPPORT.md": "SUPPORT.md",
        },
    )
    readme = await read_document(forge, project, "README", "README.md")
    assert readme is not None
    assert (readme.path, readme.text) == ("docs/README.md", "# The real one\n")
    outside = await read_document(forge, project, "CONTRIBUTING", "CONTRIBUTING.md")
    assert outside is not None
    assert outside.text == "../../etc/passwd.txt"
    itself = await read_document(forge, project, "SUPPORT", "SUPPORT.md")
    assert itself is not None
    assert await read_document(forge, project, "CHANGELOG", "CHANGELOG.md") is None


async def test_a_huge_guide_is_cut(forge: FakeForge) -> None:
    project = project_with(forge, {"README.md": "x" * (MAX_BYTES + 10)})
    readme = await read_document(forge, project, "README", "README.md")
    assert readme is not None
    assert readme.truncated
    assert len(readme.text) == MAX_BYTES
