"""The ids of keys: the table that the configuration is checked against names all that is bound, and no more."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest
from textual.binding import Binding

import isexplore.tui
from isexplore.tui.keys import by_key, known_ids
from tests.support.world import at_the_screen, services_for


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


async def test_the_palette_and_the_help_name_the_keys_as_they_are_configured(tmp_path: Path) -> None:
    services = services_for(tmp_path, "http://127.0.0.1:9", "token", keys={"catalog.refresh": "f5"})
    async with at_the_screen(services, size=(80, 40)) as person:
        await person.press("ctrl+p")
        await person.sees_words("Explore: Refresh (f5)", "Explore: Read (enter right)")
        await person.press("escape", "question_mark")
        await person.sees_words("f5 Ask the forges what is new.")


@pytest.mark.parametrize(
    ("advice", "here"),
    [
        (
            "It may be revoked. Sign in again: isexplore login https://git.example.org",
            "It may be revoked. L signs in again",
        ),
        (
            "Make a token with the scope api and sign in again: isexplore login https://git.example.org",
            "Make a token with the scope api and sign in again with L",
        ),
        (
            "Sign in again (isexplore login); for SSH, check your key",
            "L signs in again; for SSH, check your key",
        ),
        (
            "isexplore login https://git.example.org asks for one and keeps it.",
            "L asks for one and keeps it.",
        ),
        ("Check the address.", "Check the address."),
    ],
)
def test_advice_names_the_key_that_signs_in(advice: str, here: str) -> None:
    assert by_key(advice) == here
