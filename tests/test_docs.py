"""README and CONTRIBUTING say what is so: tables, links, paths, commands, dependencies, the drawing."""

from __future__ import annotations

import importlib.util
import re
import shlex
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from isexplore.catalog.language import parse as parse_query
from isexplore.cli.arguments import parse
from isexplore.config.load import SPECIAL_VARIABLES
from isexplore.config.reference import settings

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("README.md", "CONTRIBUTING.md")
EACH = pytest.mark.parametrize("name", DOCUMENTS)
SOURCE = ROOT / "src" / "isexplore"


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_current() -> None:
    text = read("README.md")
    assert script("readme_tables").with_tables(text) == text, "run scripts/readme_tables.py"


@EACH
def test_links_and_pictures_exist(name: str) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", read(name))
    assert targets or name != "README.md"
    for target in targets:
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        assert not file or (ROOT / file).exists(), f"{name} links to {target}"
        if anchor:
            titles = re.findall(r"^#+ (.+)$", read(file or name), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in slugs, f"{name} links to {target}"


@EACH
def test_paths_exist(name: str) -> None:
    """Every path in backticks that begins with a folder of the repository, or is a module of the package."""
    found = re.findall(r"`([\w.][\w./-]*)`", read(name))
    paths = [path for path in found if "/" in path or path.endswith((".py", ".toml", ".md"))]
    for path in paths:
        top = path.partition("/")[0]
        if top in ("src", "tests", "scripts", "screenshots", ".ci"):
            assert (ROOT / path).exists(), f"{name} names {path}"
        elif path.endswith(".py") or (path.endswith("/") and top.islower()):
            assert (SOURCE / path).exists(), f"{name} names src/isexplore/{path}"


@EACH
def test_commands_parse(name: str) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", read(name), re.DOTALL)
    targets = set(re.findall(r"^(\w+):", read("Makefile"), re.MULTILINE))
    seen = 0
    for line in "\n".join(blocks).splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            assert set(words[1:]) - {word for word in words if "=" in word} <= targets, line
            seen += 1
        elif words[:1] == ["isexplore"]:
            parse(words[1:])
            if words[1:2] == ["practice"] and len(words) > 2:
                parse(words[2:])
            seen += 1
    assert seen


def test_dependencies_are_those_of_the_package() -> None:
    project = tomllib.loads(read("pyproject.toml"))
    groups = project["dependency-groups"]
    declared = [*project["project"]["dependencies"], *groups["test"], *groups["check"]]
    table = read("CONTRIBUTING.md").partition("## Dependencies, and why")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")][1:]
    told = {name.strip() for row in rows for name in re.sub(r"\*[^*]+\*", "", row).split(",") if name.strip()}
    assert told == {re.split(r"[<>=!~;\[ ]", each)[0].lower() for each in declared}


def test_drawing_has_the_packages_and_nothing_else() -> None:
    drawing = re.search(r"## How it is built\n+```\n(.*?)```", read("CONTRIBUTING.md"), re.DOTALL)
    assert drawing is not None
    left = "\n".join(re.split(r"   +(?=\S*[a-zA-Z])", line.strip())[0] for line in drawing[1].splitlines())
    places = {path.stem for path in SOURCE.iterdir() if path.is_dir() or path.suffix == ".py"}
    packages = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    words = set(re.findall(r"[a-z_]+", drawing[1]))
    assert packages <= words, f"not drawn: {packages - words}"
    assert set(re.findall(r"[a-z_]+", left)) <= places | {"__main__"}


def test_table_of_places_has_every_package() -> None:
    table = read("CONTRIBUTING.md").partition("| where | what |")[2].partition("\n\n")[0]
    for path in SOURCE.iterdir():
        if (path / "__init__.py").exists():
            assert f"`{path.name}/`" in table, f"CONTRIBUTING.md does not say what {path.name}/ is"


def test_variables_in_the_documents_exist() -> None:
    known = {*SPECIAL_VARIABLES, *(setting.variable for setting in settings())}
    for name in DOCUMENTS:
        for variable in re.findall(r"\bISEXPLORE_[A-Z_]+[A-Z]\b", read(name)):
            assert variable in known or variable.startswith("ISEXPLORE_LIVE_"), f"{name} names {variable}"


def test_filters_are_those_of_the_search_language() -> None:
    rows = re.findall(r"^\| (`\w+:.*?) \|", read("README.md"), re.MULTILINE)
    filters = [one for row in rows for one in re.findall(r"`([^`]+)`", row)]
    assert len(filters) > 8
    for one in filters:
        parse_query(one)
