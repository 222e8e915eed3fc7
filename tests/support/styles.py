"""Reads each style sheet once for all apps of a process: half a thousand rules, with each of some 200 apps."""

from __future__ import annotations

from typing import Any

from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

_READ: dict[tuple[Any, ...], list[RuleSet]] = {}
_parse_rules = Stylesheet._parse_rules


def _parse_once(self: Stylesheet, css: str, *places: Any, **more: Any) -> list[RuleSet]:
    # A sheet's own memory of this ends with its app. Rules are not changed once they are read: copies share them.
    key = (css, places, tuple(more.items()), tuple(self._variables.items()))
    if key not in _READ:
        _READ[key] = _parse_rules(self, css, *places, **more)
    return _READ[key].copy()


def share_styles() -> None:
    """Have every app of this process share what has been read."""
    Stylesheet._parse_rules = _parse_once  # type: ignore[method-assign]
