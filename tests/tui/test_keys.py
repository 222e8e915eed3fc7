"""The ids of keys: the table that the configuration is checked against names all that is bound, and no more."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from textual.binding import Binding

import isexplore.tui
from isexplore.tui.keys import known_ids


def bound() -> set[str]:
    """Return the ids of every binding of every class below `isexplore.tui`."""
    ids = set()
    for found in pkgutil.walk_packages(isexplore.tui.__path__, "isexplore.tui."):
        module = importlib.import_module(found.name)
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ == module.__name__:
                ids |= {one.id for one in vars(kind).get("BINDINGS", ()) if isinstance(one, Binding)}
    return {one for one in ids if one}


def test_every_id_is_known() -> None:
    assert bound() == known_ids()
