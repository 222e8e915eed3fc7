"""Projects by the thousand: different, believable, repeatable and fast enough to wait for."""

from __future__ import annotations

import time
from collections import Counter
from itertools import islice
from pathlib import Path

from isexplore.practice.projects import PROJECTS
from isexplore.practice.store import Store
from isexplore.practice.synthetic import rows


def test_same_seed_same_rows_whatever_the_number() -> None:
    assert list(rows(50)) == list(islice(rows(500), 50))
    assert list(rows(50, seed=2)) != list(rows(50))


def test_paths_are_different_and_collide_with_nothing() -> None:
    paths = [row.path.lower() for row in rows(20_000)]
    assert len(set(paths)) == 20_000
    groups = {path.rpartition("/")[0] for path in paths}
    assert not groups & set(paths), "a group and a project of one path"
    hand_made = {seed.path for seed in PROJECTS} | {seed.path.split("/")[0] for seed in PROJECTS}
    assert not hand_made & (set(paths) | groups)


def test_every_row_is_found_by_some_spelling() -> None:
    spellings = Counter(row.topics[0] for row in rows(5_000))
    assert set(spellings) == {"innersource", "inner-source", "InnerSource", "inner_source"}


def test_rows_are_believable() -> None:
    projects = list(rows(5_000))
    assert len({project.language for project in projects}) >= 12
    assert all(project.created_days_ago > project.active_days_ago >= 0 for project in projects)
    assert all(project.forks <= project.stars for project in projects)
    assert all(project.open_issues <= 900 for project in rows(20_000))
    assert sum(project.stars < 10 for project in projects) > 4_000
    assert any(project.stars > 500 for project in projects)
    assert len({project.description for project in projects}) > 1_000
    assert all("{" not in project.description for project in projects)


def test_thousands_enter_a_world_in_a_moment(tmp_path: Path) -> None:
    store = Store(tmp_path)
    begin = time.process_time()
    assert store.create_light_projects(rows(10_000)) == 10_000
    assert time.process_time() - begin < 2.0
    store.close()
