from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from isexplore.config.load import load, variables
from isexplore.config.paths import Paths
from isexplore.config.reference import as_json, markdown_table, settings, show


def test_every_setting_says_what_it_means() -> None:
    found = list(settings())
    assert {"tags", "network.ca_file", "forge.NAME.url"} <= {setting.key for setting in found}
    for setting in found:
        assert setting.description.endswith("."), setting
        assert len(setting.description) < 120, setting
        assert setting.type, setting


def test_examples_and_defaults_are_toml_that_loads(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path)
    paths.config_dir.mkdir()
    profile = tmp_path / "empty.toml"
    profile.touch()
    tables: dict[str, list[str]] = {"": [], "network": [], "forge.NAME": []}
    for setting in settings():
        table, _, name = setting.key.rpartition(".")
        value = f'"{profile}"' if name == "profile" else setting.example or setting.default
        if value:
            tables[table].append(f"{name} = {value}")
    text = "\n".join([*tables[""], "[network]", *tables["network"], "[forge.NAME]", *tables["forge.NAME"]])
    paths.config_file.write_text(text + "\n")
    assert load(paths, environment={}).problems == ()


def test_shown_configuration_reads_back_as_itself(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path)
    paths.config_dir.mkdir()
    paths.config_file.write_text(
        'tags = ["a\\"b", "c\\\\d"]\nrefresh_after = "90m"\nclone_folder = "/src/é"\n'
        '[searches]\n"x y" = "z"\n'
        '[network]\ntimeout = 2.5\n[forge.work]\nurl = "https://x"\nkind = "gitea"\n'
    )
    loaded = load(paths, environment={"ISEXPLORE_THEME": "nord"})
    text = show(loaded)
    assert 'refresh_after = "90m"  # ' + f"{paths.config_file}:2" in text
    assert 'theme = "nord"  # ISEXPLORE_THEME' in text
    assert "# editor is not set" in text
    again = Paths.under(tmp_path / "again")
    again.config_dir.mkdir(parents=True)
    again.config_file.write_text(text)
    assert load(again, environment={}).checked() == loaded.checked()
    assert as_json(loaded)["theme"] == {"value": '"nord"', "origin": "ISEXPLORE_THEME"}


def test_table_for_the_readme_names_everything() -> None:
    table = markdown_table()
    for setting in settings():
        assert f"| `{setting.key}` |" in table
    for variable, _, _ in variables():
        assert f"`{variable}`" in table
    rows = [line for line in table.splitlines() if line.startswith("| `") and "ISEXPLORE" not in line]
    assert {row.replace("\\|", "").count("|") for row in rows} == {5}


@pytest.mark.parametrize("setting", list(settings()), ids=lambda setting: setting.key)
def test_values_are_written_as_toml(setting: object) -> None:
    for value in (setting.default, setting.example):  # type: ignore[attr-defined]
        if value:
            assert tomllib.loads(f"x = {value}")
