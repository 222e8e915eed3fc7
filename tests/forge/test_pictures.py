"""Pictures of projects, as each kind of forge names them."""

from __future__ import annotations

import msgspec
import pytest

from isexplore.forge import gitea_parse, gitea_wire, github_parse, github_wire, gitlab_parse, gitlab_wire
from isexplore.forge.answers import picture_url

_PAGE = "https://git.example.com/sub/a/b"
_PICTURE = "https://git.example.com/uploads/7.png"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (None, ""),
        ("", ""),
        (_PICTURE, _PICTURE),
        ("/uploads/7.png", _PICTURE),
        ("javascript:alert(1)", ""),
        ("https://[broken", ""),
    ],
)
def test_a_picture_is_an_address_of_the_web(told: str | None, expected: str) -> None:
    assert picture_url(told, _PAGE) == expected


def test_gitlab_names_a_projects_or_its_groups() -> None:
    def avatar(**facts: object) -> str:
        wire = {"id": 1, "path_with_namespace": "a/b", "web_url": _PAGE, **facts}
        return gitlab_parse.parse_project("work", msgspec.convert(wire, gitlab_wire.WireProject)).avatar_url

    group = {"full_path": "a", "avatar_url": "/uploads/7.png"}
    assert avatar(avatar_url=None, namespace=group) == _PICTURE
    assert avatar(avatar_url="https://a.example.com/1.png", namespace=group) == "https://a.example.com/1.png"
    assert avatar() == ""


def test_gitea_names_a_repositorys_or_its_owners() -> None:
    place = gitea_parse.Place("work", "https://git.example.com")
    wire = {"id": 1, "full_name": "a/b", "avatar_url": "", "owner": {"login": "a", "avatar_url": _PICTURE}}
    found = gitea_parse.parse_project(place, msgspec.convert(wire, gitea_wire.WireProject))
    assert found.avatar_url == _PICTURE


def test_github_names_the_owners() -> None:
    wire = {"id": 1, "full_name": "a/b", "owner": {"login": "a", "avatar_url": _PICTURE}}
    found = github_parse.parse_project("work", msgspec.convert(wire, github_wire.WireRepository))
    assert found.avatar_url == _PICTURE
