"""What the keys do: those of the screen below first, then everybody's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen

from isexplore.tui.app import IsexploreApp
from isexplore.tui.keys import APP, DOCUMENT, Key, written
from isexplore.tui.widgets.document import DocumentView
from isexplore.tui.widgets.key_line import KeyLine

MOVING = """\
| key | |
| --- | --- |
| j k, arrows | one line |
| ctrl+d ctrl+u, page keys | half a page, a page |
| g G, home end | first, last |
"""


def key_table(keys: Iterable[Key], remapped: Mapping[str, str]) -> str:
    """Return a Markdown table of keys and what they do; `remapped` has other keys by id."""
    rows = [
        f"| {written(key, remapped).replace('|', chr(92) + '|')} | {key.tip or key.words} |" for key in keys
    ]
    return "\n".join(("| key | |", "| --- | --- |", *rows))


class HelpScreen(ModalScreen[None]):
    """The keys and the ideas of the screen that it was called from."""

    app: IsexploreApp

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Close", id="help.close"),
    ]

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        self._below = below

    def compose(self) -> ComposeResult:
        """Lay out one document."""
        with Vertical(classes="dialog help"):
            yield DocumentView(id="help-text")
        yield KeyLine()

    def on_mount(self) -> None:
        """Write the help of the screen below."""
        title: str = getattr(self._below, "HELP_TITLE", "isexplore")
        words: str = getattr(self._below, "HELP_TEXT", "")
        keys: tuple[Key, ...] = getattr(self._below, "KEYS", ())
        remapped = self.app.services.config.keys
        parts = [f"# {title}", "**esc** closes this."]
        if keys:
            parts.append(key_table(keys, remapped))
        parts.append(words)
        if self._below.query(DocumentView):
            parts += ["## In a document", key_table(DOCUMENT, remapped)]
        parts += ["## Moving", MOVING, "## Everywhere", key_table(APP, remapped)]
        parts.append("Every key can be changed: `[keys]` in config.toml names it by its id, e.g. "
                     f"`{(keys or APP)[0].id}`.")  # fmt: skip
        view = self.query_one(DocumentView)
        view.show("\n\n".join(part for part in parts if part), title=title)
        view.focus()
