"""What needs no network: completing a search."""

from __future__ import annotations

from pathlib import Path

import pytest

from isexplore.catalog.store import Account
from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.local import LocalServices
from isexplore.models import ForgeKind
from tests.support.catalog import fill, project

URL = "https://git.example.com"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("lang:j", 'lang:"jupyter notebook"'),
        ('lang:"jupyter n', 'lang:"jupyter notebook"'),
        ('plots -lang:"jupyter n', '-lang:"jupyter notebook"'),
        ("plots @mi", "@mine"),
    ],
)
def test_the_word_at_the_cursor_is_completed_as_a_whole(tmp_path: Path, text: str, word: str) -> None:
    paths = Paths.under(tmp_path)
    paths.catalog_dir.mkdir(parents=True)
    account = Account("work", URL)
    fill(paths.catalog_dir, [project("lab/plots", language="Jupyter Notebook")], account=account)
    forge = ForgeConfig(name="work", url=URL, kind=ForgeKind.GITLAB)
    local = LocalServices(paths, Config(forges=(forge,), searches={"mine": "lang:go"}))
    assert local.complete(text, len(text)) == [word]
