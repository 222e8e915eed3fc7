"""`TabStrip`: one line of names of which one is on; a fraction of what `TabbedContent` costs.

    tabs = TabStrip(("overview", "Overview"), ("readme", "README"), ("issues", "Issues 4"))
    tabs.active                      # "overview"
    tabs.rename("issues", "Issues 5")

Posts `TabStrip.Activated` when another tab is turned on, by keys, mouse or `active = key`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from isexplore.text import clean_line
from isexplore.tui.text import cells

_GAP = 3


class TabStrip(Widget, can_focus=True):
    """A row of tabs; what they show is the owner's business."""

    DEFAULT_CSS = """
    TabStrip {
        height: 1;
        width: 1fr;
        color: $text-muted;

        & > .tab-strip--active { color: $text-accent; text-style: bold underline; }
        &:focus > .tab-strip--active { text-style: bold reverse; }
        &:ansi > .tab-strip--active { text-style: bold underline; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"tab-strip--active"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l", "next", "Next tab", show=False, id="tabs.next"),
        Binding("left,h", "previous", "Previous tab", show=False, id="tabs.previous"),
    ]

    active: reactive[str] = reactive("", init=False)
    """Key of the tab that is on."""

    class Activated(Message):
        """Another tab is on."""

        def __init__(self, tabs: TabStrip, key: str) -> None:
            super().__init__()
            self.tabs = tabs
            self.key = key

        @property
        def control(self) -> TabStrip:
            """The strip."""
            return self.tabs

    def __init__(self, *tabs: tuple[str, str], id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._tabs = {key: clean_line(label, 40) for key, label in tabs}
        if tabs:
            self.set_reactive(TabStrip.active, tabs[0][0])

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the tabs, left to right."""
        return tuple(self._tabs)

    def rename(self, key: str, label: str) -> None:
        """Give a tab another label, for example with a count."""
        self._tabs[key] = clean_line(label, 40)
        self.refresh()

    def step(self, tabs: int) -> None:
        """Turn on the tab that many places to the right, going round at the ends."""
        keys = self.keys
        if keys:
            self.active = keys[(keys.index(self.active) + tabs) % len(keys)]

    def validate_active(self, key: str) -> str:
        """Refuse a key that no tab has."""
        if key not in self._tabs:
            raise ValueError(f"there is no tab {key!r}")
        return key

    def watch_active(self, key: str) -> None:
        """Tell that another tab is on."""
        self.post_message(self.Activated(self, key))

    def render(self) -> Content:
        """Return the names, the active one marked, in a window that holds it."""
        parts: list[str | tuple[str, str] | Content] = []
        style = self.get_visual_style("tab-strip--active", partial=True)
        for key, label in self._visible():
            parts.append(Content.styled(label, style) if key == self.active else label)
            parts.append(" " * _GAP)
        return Content.assemble(*parts[:-1])

    def _visible(self) -> Iterator[tuple[str, str]]:
        """Yield the tabs from the first one from which the active one still fits."""
        tabs = list(self._tabs.items())
        keys = [key for key, _ in tabs]
        last = keys.index(self.active) if self.active in keys else 0
        room = self.size.width
        first, used = last, 0
        while first >= 0 and used + cells(tabs[first][1]) <= max(room, 1):
            used += cells(tabs[first][1]) + _GAP
            first -= 1
        yield from tabs[min(first + 1, last) :]

    def on_click(self, event: events.Click) -> None:
        """Turn on the tab under the mouse."""
        x = 0
        for key, label in self._visible():
            if x <= event.x < x + cells(label) + 1:
                self.active = key
                event.stop()
                return
            x += cells(label) + _GAP

    def action_next(self) -> None:
        """Turn on the next tab."""
        self.step(1)

    def action_previous(self) -> None:
        """Turn on the previous tab."""
        self.step(-1)
