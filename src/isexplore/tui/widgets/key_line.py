"""`KeyLine`: what the keys do here, in one line; how to leave and how to get help stay in view at any width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from isexplore.tui.keys import KEY_WORDS
from isexplore.tui.text import cells

_TOLD = ""
"""The action of a key that the screen tells in `keys_told`: whatever has the focus does it."""
_ALWAYS = frozenset({"help", "leave", "back", "cancel", "accept", "give_up", "dismiss", "dismiss(None)"})
"""Actions that are named even where there is no room for all."""


class _Shown(NamedTuple):
    """One key as it is shown."""

    key: str
    label: str
    words: str
    action: str
    enabled: bool

    @property
    def width(self) -> int:
        """Cells of the label, the words, the blank between them, and the blank behind."""
        return cells(self.label) + cells(self.words) + 2


class KeyLine(Widget, can_focus=False):
    """The keys of the screen and of what has the focus; a click presses one."""

    ALLOW_SELECT = False

    DEFAULT_CSS = """
    KeyLine {
        dock: bottom;
        height: 1;
        background: $panel;
        color: $footer-foreground;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: tuple[_Shown, ...] | None = None
        self._places: list[tuple[int, int, _Shown]] = []

    def on_mount(self) -> None:
        """Follow the screen's keys."""
        self.screen.bindings_updated_signal.subscribe(self, self._keys_changed)

    def on_unmount(self) -> None:
        """Follow them no longer."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _keys_changed(self, screen: Screen[Any]) -> None:
        if screen.app.app_focus:
            self._known = None
            self.refresh()

    def _keys(self) -> tuple[_Shown, ...]:
        """Return one entry for each action that is to be shown, in the order of the bindings.

        What the screen names in `keys_here` comes first: the ways on from where the focus is. Before all
        stand the pairs of key and words in its `keys_told`: what is done by the field or list with the focus.
        """
        if self._known is None:
            keys: dict[str, _Shown] = {}
            told: Sequence[tuple[str, str]] = getattr(self.screen, "keys_told", ())
            here: tuple[str, ...] = getattr(self.screen, "keys_here", ())
            known = {key for key, _ in told}
            for _, binding, enabled, _ in self.screen.active_bindings.values():
                if binding.key in known or not (binding.show or binding.action in here):
                    continue
                # A list takes enter itself, and tells the screen, which does what its own enter would.
                label = "enter" if binding.key_display == "enter" else self._label(binding)
                if label == binding.key_display:
                    # The key that the action is known by, in its own place.
                    keys.pop(binding.action, None)
                keys.setdefault(
                    binding.action,
                    _Shown(binding.key, label, binding.description, binding.action, enabled),
                )
            first = [keys.pop(action) for action in here if action in keys]
            said = (_Shown(key, KEY_WORDS.get(key, key), words, _TOLD, True) for key, words in told)
            self._known = (*said, *first, *keys.values())
        return self._known

    def _label(self, binding: Binding) -> str:
        """Return how people write the key; the first one of an action may be text here, and another shown."""
        written = KEY_WORDS.get(binding.key, binding.key)
        return self.app.get_key_display(replace(binding, key_display=None)) if "_" in written else written

    def _fitting(self, width: int) -> list[_Shown]:
        """Leave out keys from the right, except those that are always named, until the rest fits."""
        keys = list(self._keys())
        excess = sum(key.width for key in keys) - 1 - width
        for key in reversed(self._keys()):
            if excess <= 0:
                break
            if key.action not in _ALWAYS and key is not self._told_first():
                keys.remove(key)
                excess -= key.width
        return keys

    def _told_first(self) -> _Shown | None:
        """Return the first key that the screen tells: the way on, named whatever else is left out."""
        return next((key for key in self._keys() if key.action == _TOLD), None)

    def render(self) -> Content:
        """Return the line."""
        parts: list[tuple[str, str]] = []
        self._places = []
        column = 0
        for key in self._fitting(self.size.width):
            dim = "" if key.enabled else " dim"
            parts.append((key.label, "bold $footer-key-foreground" + dim))
            parts.append((f" {key.words} ", "$footer-description-foreground" + dim))
            self._places.append((column, column + key.width - 1, key))
            column += key.width
        return Content.assemble(*parts)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Press the key under the mouse."""
        for start, end, key in self._places:
            if start <= event.x < end:
                if key.enabled:
                    self.app.simulate_key(key.key)
                else:
                    self.app.bell()
