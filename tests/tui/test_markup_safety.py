"""No call in the screens can read markup from somebody's words: checked on the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent.parent / "src" / "isexplore" / "tui"

MARKUP_WIDGETS = frozenset(
    {
        "Button",
        "Checkbox",
        "Collapsible",
        "Label",
        "Link",
        "Option",
        "OptionList",
        "RadioButton",
        "Select",
        "SelectionList",
        "Static",
        "Tab",
        "TabPane",
        "Tooltip",
    }
)
"""They read markup from a plain string, and crash on some; `Words` is the label of this program."""
FORBIDDEN_WIDGETS = frozenset({"DataTable", "ListView", "Markdown", "MarkdownViewer", "RichLog", "Tree"})
"""They show strangers' text raw, are too slow, or open files and links on their own."""
TEXT_ATTRIBUTES = frozenset({"border_title", "border_subtitle", "tooltip"})
"""Attributes from whose strings Textual reads markup."""
SAFE_BUILDERS = frozenset({"Content", "content", "Text", "assemble", "styled"})


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _is_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant)


def _is_safe_text(node: ast.expr) -> bool:
    """Return whether an argument is a literal, or is built without reading markup."""
    if _is_literal(node):
        return "[" not in str(getattr(node, "value", ""))
    return isinstance(node, ast.Call) and _name(node.func) in SAFE_BUILDERS


def _without_markup(call: ast.Call) -> bool:
    return any(
        keyword.arg == "markup" and isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        for keyword in call.keywords
    )


def _own_names(tree: ast.Module) -> frozenset[str]:
    """Return names that this module defines, or takes from elsewhere than Textual."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("textual"):
            own |= {alias.asname or alias.name for alias in node.names}
    return frozenset(own)


def _call_faults(call: ast.Call, own: frozenset[str]) -> Iterator[str]:
    name = _name(call.func)
    if isinstance(call.func, ast.Name) and name in own:
        return
    if name in ("escape", "render_markup") and not (
        # `re.escape` and `html.escape` have nothing to do with Textual's markup.
        isinstance(call.func, ast.Attribute) and _name(call.func.value) in ("re", "html")
    ):
        yield f"{name}() is not an escape; use isexplore.tui.text.content"
    if name == "from_markup" and not (call.args and _is_literal(call.args[0])):
        yield "from_markup() of something that is not a literal"
    if name in FORBIDDEN_WIDGETS and isinstance(call.func, ast.Name):
        yield f"{name} is not used here"
    if name in MARKUP_WIDGETS and isinstance(call.func, ast.Name):
        texts = [
            *call.args,
            *(key.value for key in call.keywords if key.arg in ("label", "title", "tooltip")),
        ]
        if not _without_markup(call) and not all(_is_safe_text(text) for text in texts if _is_text(text)):
            yield f"{name}() of something that is neither a plain literal nor Content"
    if name == "run_action" and call.args and isinstance(call.args[0], ast.JoinedStr | ast.BinOp | ast.Call):
        yield f"{name}() of a string that was built from data"


def _is_text(node: ast.expr) -> bool:
    """Leave out arguments that cannot be text: children, flags and numbers."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    return not isinstance(node, ast.Starred | ast.Compare | ast.BoolOp | ast.UnaryOp)


def _faults(source: str) -> list[str]:
    tree = ast.parse(source)
    own = _own_names(tree)
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found += [(node.lineno, fault) for fault in _call_faults(node, own)]
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if (
                    isinstance(target, ast.Attribute)
                    and target.attr in TEXT_ATTRIBUTES
                    and not _is_safe_text(node.value)
                    and not (_is_literal(node.value) and getattr(node.value, "value", "") is None)
                ):
                    found.append((node.lineno, f"{target.attr} of something that may hold markup"))
        elif isinstance(node, ast.ImportFrom):
            found += [
                (node.lineno, f"{alias.name} is not used here")
                for alias in node.names
                if (node.module or "").startswith("textual") and alias.name in FORBIDDEN_WIDGETS | {"escape"}
            ]
        elif isinstance(node, ast.JoinedStr):
            words = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
            if "[@click" in words or "[/" in words:
                found.append((node.lineno, "an f-string that looks like markup"))
    return [f"line {line}: {fault}" for line, fault in sorted(found)]


def _routes_notify_without_markup(tree: ast.AST) -> bool:
    """Return whether the application's own `notify` passes `markup=False` on, whatever it was given."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "notify":
            return any(
                isinstance(call, ast.Call) and _name(call.func) == "notify" and _without_markup(call)
                for call in ast.walk(node)
            )
    return False


@pytest.mark.parametrize(
    "path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.relative_to(SOURCE).as_posix()
)
def test_no_call_reads_markup_from_data(path: Path) -> None:
    assert _faults(path.read_text(encoding="utf-8")) == []


def test_every_toast_goes_through_a_wrapper_without_markup() -> None:
    # Widget.notify and Screen.notify end in App.notify, so overriding it there covers all of them.
    tree = ast.parse((SOURCE / "app.py").read_text(encoding="utf-8"))
    assert _routes_notify_without_markup(tree)
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) == "notify":
                marked = [key for key in node.keywords if key.arg == "markup"]
                assert not marked or _without_markup(node), f"{path.name}:{node.lineno}"


@pytest.mark.parametrize(
    "source",
    [
        "escape(name)",
        "textual.markup.escape(name)",
        "Content.from_markup(name)",
        "Content.from_markup(f'[b]{name}[/]')",
        "Static(name)",
        "Static(f'{name}')",
        "Label(project.name)",
        "Button(name, id='x')",
        "Checkbox(label=name)",
        "Static('[b]x[/b]')",
        "Markdown(text)",
        "DataTable()",
        "self.border_title = project.name",
        "widget.tooltip = words",
        "from textual.widgets import MarkdownViewer",
        "from textual.markup import escape",
        "self.run_action(f'app.open({name})')",
        "x = f'[@click=app.open]{name}[/]'",
    ],
)
def test_the_check_finds_faults(source: str) -> None:
    assert _faults(source)


@pytest.mark.parametrize(
    "source",
    [
        "re.escape(name)",
        "Static(name, markup=False)",
        "Static('plain')",
        "Button(Content(name))",
        "Button(content(name), id='x')",
        "Words(name)",
        "Content.from_markup('[b]bold[/b]')",
        "self.border_title = Content(name)",
        "self.border_title = None",
        "self.border_title = 'steps'",
        "Checkbox(Content(name), value == 'yes')",
    ],
)
def test_the_check_lets_safe_calls_pass(source: str) -> None:
    assert _faults(source) == []
