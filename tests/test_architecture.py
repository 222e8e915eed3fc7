"""The structure that CONTRIBUTING draws: which way imports point, and who may import what."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "isexplore"

LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "text", "suspects", "__init__"),
    ("models",),
    ("config",),
    ("forge", "git"),
    ("guide", "catalog"),
    ("journey", "practice"),
    ("local", "connecting"),
    ("login",),
    ("connected",),
    ("keeping", "clones", "portals"),
    ("reading", "updates"),
    ("services",),
    ("doctor",),
    ("cli", "tui"),
    ("__main__",),
)
"""Lowest first. A module imports lower layers and its own package, never a sibling or a higher layer."""

LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
FRIENDS = {
    ("text", "errors"),
    ("text", "suspects"),
    ("cli", "tui"),
}
"""Pairs on one level of which the first may import the second."""

EXCLUSIVE = {
    "httpx": ("forge/http.py",),
    "git": ("git/client.py",),
    "textual": ("tui/",),
    "starlette": ("practice/",),
    "uvicorn": ("practice/",),
    "keyring": ("config/tokens.py", "config/keyring_store.py"),
    "sqlite3": ("catalog/", "practice/"),
    "_sqlite3": ("catalog/driver.py",),
    "textual._compositor": ("tui/painting.py",),
    "isexplore.forge.gitlab": ("connecting.py",),
    "isexplore.forge.gitea": ("connecting.py",),
    "isexplore.forge.github": ("connecting.py",),
}
"""Packages that only these files or folders import."""


@cache
def modules() -> dict[str, tuple[tuple[str, int], ...]]:
    """What each module imports, and in which line."""
    return {
        path.relative_to(SOURCE).as_posix(): tuple(imports(ast.parse(path.read_text(encoding="utf-8"))))
        for path in sorted(SOURCE.rglob("*.py"))
    }


def imports(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            base = node.module or ""
            if base == "isexplore":
                for alias in node.names:
                    yield f"isexplore.{alias.name}", node.lineno
            else:
                yield base, node.lineno


def layer_of(dotted: str) -> str:
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def test_imports_point_one_way() -> None:
    wrong = []
    for name, imported in modules().items():
        own = name.split("/")[0].removesuffix(".py")
        assert own in LEVEL, f"{name} has no place in LAYERS"
        for dotted, line in imported:
            if not dotted.startswith("isexplore"):
                continue
            other = layer_of(dotted)
            if other == own or other not in LEVEL:
                continue
            if LEVEL[other] > LEVEL[own] or (LEVEL[other] == LEVEL[own] and (own, other) not in FRIENDS):
                wrong.append(f"{name}:{line} imports {dotted}")
    assert not wrong, "\n".join(wrong)


def test_screens_run_nothing_below_the_services() -> None:
    """What lies lower, they may only name as types."""
    seen = {
        "tui",
        "cli",
        "services",
        "local",
        "models",
        "errors",
        "text",
        "suspects",
        "config",
        "__init__",
        "__version__",
    }
    wrong = []
    for path in sorted((SOURCE / "tui").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                node.body.clear()
        wrong += [
            f"{path.relative_to(SOURCE)}:{line} imports {dotted}"
            for dotted, line in imports(tree)
            if dotted.startswith("isexplore") and layer_of(dotted) not in seen
        ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", sorted(EXCLUSIVE))
def test_package_has_one_importer(package: str) -> None:
    allowed = EXCLUSIVE[package]
    wrong = [
        f"{name}:{line}"
        for name, imported in modules().items()
        for dotted, line in imported
        if f"{dotted}.".startswith(f"{package}.")
        and not any(name == place or name.startswith(place) for place in allowed)
    ]
    assert not wrong, f"{package} is imported by {', '.join(wrong)}"


def test_private_parts_of_textual_are_named_above() -> None:
    wrong = [
        f"{name}:{line}"
        for name, imported in modules().items()
        for dotted, line in imported
        if dotted.startswith("textual._") and dotted not in EXCLUSIVE
    ]
    assert not wrong, "\n".join(wrong)


def test_modules_stay_small() -> None:
    long = {
        name: lines
        for name, lines in (
            (path.relative_to(SOURCE).as_posix(), len(path.read_text(encoding="utf-8").splitlines()))
            for path in SOURCE.rglob("*.py")
        )
        if lines > 700 and not name.startswith("practice/projects/")
    }
    assert not long, f"split these: {long}"
