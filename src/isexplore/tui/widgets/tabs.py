"""`TabStrip`: one line of names of which one is on; a fraction of what `TabbedContent` costs.

    tabs = TabStrip(("Overview", "README", "Issues"))
    tabs.show(("Overview", "Issues"), {"Issues": "Issues 4"})     # other tabs, other labels
    tabs.active = "Issues"
    tabs.move(1)

Posts `TabStrip.Changed` when another tab is turned on by the mouse, `move` or `active = name`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from isexplore.text import clean_line
from isexplore.tui.text import cells, cut

_GAP = 3
_LONGEST = 40


class TabStrip(Widget, can_focus=False):
    """A row of tabs; what they show, and the keys that move along them, are the owner's business."""

    DEFAULT_CSS = """
    TabStrip {
        height: 1;
        width: 1fr;
        color: $text-muted;

        & > .tab-strip--active { color: $text-accent; text-style: bold underline; }
        &:ansi > .tab-strip--active { text-style: bold underline; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"tab-strip--active"}

    active: reactive[str] = reactive("", init=False)
    """Name of the tab that is on; "" when there are no tabs."""

    class Changed(Message):
        """Another tab is on."""

        def __init__(self, tabs: TabStrip, name: str) -> None:
            super().__init__()
            self.tabs = tabs
            self.name = name

        @property
        def control(self) -> TabStrip:
            """The strip."""
            return self.tabs

    def __init__(
        self,
        names: Sequence[str] = (),
        labels: Mapping[str, str] | None = None,
        *,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._labels: dict[str, str] = {}
        self.show(names, labels)

    @property
    def names(self) -> tuple[str, ...]:
        """The tabs, left to right."""
        return tuple(self._labels)

    def show(self, names: Sequence[str], labels: Mapping[str, str] | None = None) -> None:
        """Show other tabs; the active one stays on when it is among them, else the first one is on.

        Args:
            names: what the tabs are called in the program; doubles are dropped.
            labels: what to show in place of a name, for example with a count.
        """
        shown = labels or {}
        self._labels = {name: clean_line(shown.get(name, name), _LONGEST) for name in names}
        if self.active not in self._labels:
            self.set_reactive(TabStrip.active, next(iter(self._labels), ""))
        self.refresh()

    def move(self, tabs: int) -> None:
        """Turn on the tab that many places to the right, going round at the ends."""
        names = self.names
        if names:
            self.active = names[(names.index(self.active) + tabs) % len(names)]

    def validate_active(self, name: str) -> str:
        """Refuse a name that no tab has."""
        if name not in self._labels:
            raise ValueError(f"there is no tab {name!r}")
        return name

    def watch_active(self, name: str) -> None:
        """Tell that another tab is on."""
        self.post_message(self.Changed(self, name))

    def render(self) -> Content:
        """Return the names, the active one marked, from the first one with which the active one fits."""
        style = self.get_visual_style("tab-strip--active", partial=True)
        parts: list[Content] = []
        for name, label in self._visible():
            text = cut(label, self.size.width)
            parts.append(Content.styled(text, style) if name == self.active else Content(text))
        return Content(" " * _GAP).join(parts)

    def _visible(self) -> Iterator[tuple[str, str]]:
        tabs = list(self._labels.items())
        names = self.names
        first = names.index(self.active) if self.active in names else 0
        used = cells(tabs[first][1]) if tabs else 0
        while first > 0 and used + _GAP + cells(tabs[first - 1][1]) <= self.size.width:
            first -= 1
            used += _GAP + cells(tabs[first][1])
        yield from tabs[first:]

    def on_click(self, event: events.Click) -> None:
        """Turn on the tab under the mouse."""
        x = 0
        for name, label in self._visible():
            if x <= event.x < x + cells(label) + 1:
                self.active = name
                event.stop()
                return
            x += cells(label) + _GAP
