"""What asking a forge puts into the catalog beside a sync."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from isexplore.catalog import schema
from isexplore.catalog.database import Database
from isexplore.catalog.shelf import Failure
from isexplore.catalog.store import Account
from isexplore.catalog.write import Writer
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.errors import StateError
from isexplore.keeping import add_projects, keep_failure
from isexplore.local import LocalServices
from isexplore.models import ForgeKind
from tests.support.catalog import project


@pytest.fixture
def services(tmp_path: Path) -> LocalServices:
    forge = ForgeConfig(name="work", url="https://git.example.com", kind=ForgeKind.GITLAB)
    return LocalServices(Paths.under(tmp_path), Config(forges=(forge,)))


def account(services: LocalServices) -> Account:
    found = services.account_of("work")
    assert found is not None
    return found


@pytest.mark.parametrize("version", [schema.VERSION - 1, schema.VERSION + 1])
def test_a_file_of_another_version_is_left_to_the_next_sync(services: LocalServices, version: int) -> None:
    add_projects(services, "work", [project("a/b")])
    file = services.paths.catalog_dir / account(services).file_name
    with sqlite3.connect(file) as db:
        db.execute(f"PRAGMA user_version = {version}")
    db.close()
    with pytest.raises(StateError, match="was of another version"):
        add_projects(services, "work", [project("a/c")])
    keep_failure(services, "work", Failure("unavailable", "No answer"))
    assert not file.with_name(file.name + ".broken").exists()
    with services.catalog.again() as catalog:
        ((_, reason),) = catalog.incomplete()
    assert reason == (schema.NEWER_VERSION if version > schema.VERSION else schema.OTHER_VERSION)
    with Database(account(services), str(services.paths.catalog_dir)) as database:
        assert Writer(database).count() == 0, "a sync makes it anew"
