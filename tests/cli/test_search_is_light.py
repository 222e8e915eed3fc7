"""A search from the command line starts about as fast as Python does: it loads next to nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import CommandLine

HEAVY = frozenset({"textual", "httpx", "httpcore", "git", "msgspec", "markdown_it", "keyring", "truststore"})
NEEDLESS = frozenset({"asyncio", "dataclasses", "inspect", "ssl", "logging", "tomllib", "difflib"})

_RUN = """
import sys
from isexplore.cli.main import main
code = main(sys.argv[1:])
print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)
raise SystemExit(code)
"""


def loaded_by(*words: str) -> tuple[str, set[str]]:
    """Run a command line in a fresh process; return what it printed and which packages it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *words], capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout, set(done.stderr.splitlines()[-1].split())


@pytest.fixture
def catalog(cli: CommandLine, tmp_path: Path, isolated_environment: Path) -> None:
    """A catalog and the configuration that it was made with, as after any sync."""
    listed = tmp_path / "repos.json"
    listed.write_text(
        '[{"id": 1, "name": "queue", "full_name": "red/queue", "html_url": "https://x.example/red/queue"}]'
    )
    file = Path(cli.done("config", "path").out.strip())
    file.parent.mkdir(parents=True)
    file.write_text(f'sources = ["{listed}"]\n')
    cli.done("sync")
    cli.done("search")


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize(
    "words", [["search", "queue"], ["search", "queue", "--json"], ["search", "--limit", "5"]]
)
def test_search_loads_next_to_nothing(words: list[str]) -> None:
    printed, loaded = loaded_by(*words)
    if "--json" in words:
        assert [project["path"] for project in json.loads(printed)["projects"]] == ["red/queue"]
    else:
        assert "red/queue" in printed
    assert loaded & (HEAVY | NEEDLESS) == set()


@pytest.mark.parametrize("words", [["config", "path"], ["completion", "fish"], ["--version"]])
def test_small_commands_load_no_heavy_package(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "isexplore", *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    loaded = {
        line.rpartition("|")[2].strip().partition(".")[0]
        for line in done.stderr.splitlines()
        if line.startswith("import time:")
    }
    assert not loaded & (HEAVY - {"msgspec"})
