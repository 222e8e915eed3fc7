from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from platformdirs import PlatformDirs

from isexplore.config.paths import Paths


def test_default_folders_are_this_systems() -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        os.environ.pop(name, None)
    dirs = PlatformDirs("isexplore", appauthor=False)
    assert Paths.default() == Paths(
        Path(dirs.user_config_dir),
        Path(dirs.user_state_dir),
        Path(dirs.user_cache_dir),
        Path(dirs.user_data_dir),
    )


def test_xdg_variables_count_when_absolute(tmp_path: Path) -> None:
    paths = Paths.default({"XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": "relative"})
    assert paths.config_file == tmp_path / "isexplore" / "config.toml"
    assert paths.state_file == Path.home() / ".local/state/isexplore/state.toml"


def test_own_variables_come_first(tmp_path: Path) -> None:
    paths = Paths.default(
        {
            "XDG_CONFIG_HOME": "/nowhere",
            "ISEXPLORE_CONFIG_DIR": "~/c",
            "ISEXPLORE_STATE_DIR": str(tmp_path / "s"),
            "ISEXPLORE_CACHE_DIR": "rel",
        }
    )
    assert paths.config_dir == Path.home() / "c"
    assert paths.log_file == tmp_path / "s" / "isexplore.log"
    assert paths.cache_dir == Path.cwd() / "rel"


def test_under_keeps_everything_together(tmp_path: Path) -> None:
    assert {folder.parent for folder in Paths.under(tmp_path)} == {tmp_path}


@pytest.mark.parametrize(
    "module", ["isexplore.config.paths", "isexplore.config.files", "isexplore.config.secrets"]
)
def test_light_modules_load_nothing_heavy(module: str) -> None:
    code = f"import {module}, sys\nfrom isexplore.config.paths import Paths\nPaths.default()\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {
        "msgspec",
        "platformdirs",
        "filelock",
        "tomllib",
        "tomli_w",
        "keyring",
        "asyncio",
        "logging",
    }
