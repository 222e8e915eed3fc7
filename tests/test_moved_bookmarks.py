"""A bookmark stays with its project, whatever that is called."""

from __future__ import annotations

from pathlib import Path

from isexplore.catalog.database import Database
from isexplore.catalog.write import Writer
from isexplore.keeping import follow_bookmarks
from isexplore.models import Bookmark, Project, ProjectRef
from isexplore.services import Services
from tests.support.catalog import project
from tests.support.world import FORGE, services_for


def at(path: str) -> ProjectRef:
    return ProjectRef(FORGE, path)


def told(services: Services, *projects: Project) -> None:
    """Write what the forge told of projects."""
    with Database(services.accounts()[0], str(services.paths.catalog_dir)) as database:
        Writer(database).upsert(projects)
    services.reopen_catalog()


def kept(services: Services) -> list[Bookmark]:
    return services.bookmarks.list()


def test_a_bookmark_follows_the_id(tmp_path: Path) -> None:
    services = services_for(tmp_path, "https://git.example.com", "token")
    told(services, project("team/tool", id="7", forge=FORGE), project("team/other", id="8", forge=FORGE))
    services.bookmarks.add(at("team/tool"), note="try this")
    assert [(one.path, one.id) for one in kept(services)] == [("team/tool", "7")]
    assert follow_bookmarks(services) == []
    told(services, project("new/tool", id="7", forge=FORGE), project("team/tool", id="9", forge=FORGE))
    assert follow_bookmarks(services) == [(at("team/tool"), at("new/tool"))]
    assert [(one.path, one.note) for one in kept(services)] == [("new/tool", "try this")]


def test_a_bookmark_that_was_made_without_the_catalog_learns_the_id(tmp_path: Path) -> None:
    services = services_for(tmp_path, "https://git.example.com", "token")
    services.bookmarks.add(at("team/tool"))
    assert follow_bookmarks(services) == []
    assert kept(services)[0].id == ""
    told(services, project("team/tool", id="7", forge=FORGE))
    assert follow_bookmarks(services) == []
    assert kept(services)[0].id == "7"


def test_a_project_that_is_gone_keeps_its_bookmark(tmp_path: Path) -> None:
    services = services_for(tmp_path, "https://git.example.com", "token")
    told(services, project("team/tool", id="7", forge=FORGE))
    services.bookmarks.add(at("team/tool"))
    with Database(services.accounts()[0], str(services.paths.catalog_dir)) as database:
        Writer(database).remove(["7"])
    assert follow_bookmarks(services) == []
    assert [one.path for one in kept(services)] == ["team/tool"]
