"""`ChangedCells`: draws what is seen of what has changed, where Textual draws the rectangle around all of that.

A key in the search line changes that line and the list. The rectangle around both is nearly the whole
screen: Textual asks every widget in it for its lines, cuts them up, and sends only what has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import cast

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class ChangedCells(Compositor):
    """Asks only those widgets for lines that show something in what has changed, and only for those lines."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return what has changed since the last frame; None for nothing."""
        regions = self._dirty_regions.copy()
        self._dirty_regions.clear()
        spans = list(self._regions_to_spans(regions))
        if not spans:
            return None
        return ChopsUpdate(self._pieces(spans), spans, [cuts[1:] for cuts in self.cuts])

    def _render_chops(
        self, crop: Region, is_rendered_line: Callable[[int], bool]
    ) -> Sequence[Mapping[int, Strip]]:
        """Return the pieces of a whole frame: what others hide wholly, as the boxes around them, draws nothing."""
        left, right = crop.column_span
        pieces = self._pieces([(y, left, right) for y in crop.line_range if is_rendered_line(y)])
        return cast("Sequence[Mapping[int, Strip]]", pieces)

    def _pieces(self, spans: Sequence[tuple[int, int, int]]) -> Sequence[dict[int, Strip | None]]:
        """Return the pieces of every line that the spans touch, by the column where each begins."""
        cuts = self.cuts
        pieces: list[dict[int, Strip | None]] = [{} for _ in cuts]
        missing: dict[int, set[int]] = {}
        for y, left, right in spans:
            edges = cuts[y]
            missing.setdefault(y, set()).update(
                start for start, end in pairwise(edges) if start < right and end > left
            )
        for y in missing:
            pieces[y] = dict.fromkeys(cuts[y][:-1])
        # The widgets come from the front to the back: the first one that has a piece is the one that is seen.
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            left, right = shown.column_span
            lines = [
                y
                for y in shown.line_range
                if y in missing and any(left <= start < right for start in missing[y])
            ]
            if not lines:
                continue
            first = lines[0]
            strips = widget.render_lines(
                Region(left - region.x, first - region.y, shown.width, lines[-1] + 1 - first)
            )
            for y in lines:
                if y - first < len(strips):
                    self._put(strips[y - first], shown, cuts[y], pieces[y], missing[y])
                if not missing[y]:
                    del missing[y]
            if not missing:
                break
        return pieces

    @staticmethod
    def _put(
        strip: Strip, shown: Region, edges: list[int], line: dict[int, Strip | None], missing: set[int]
    ) -> None:
        """Put the pieces of a widget's line where none is yet."""
        left, right = shown.column_span
        inner = [edge for edge in edges if left <= edge <= right]
        parts = strip.divide([edge - left for edge in inner[1:]])
        for start, part in zip(inner, parts, strict=False):
            if start in missing:
                missing.remove(start)
                line[start] = part
