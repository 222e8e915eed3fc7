"""Tokens: a type that never shows itself, where tokens come from, and how text is rid of them."""

from __future__ import annotations


class Secret:
    """A token or password; only `reveal` shows it.

    Its `repr`, `str`, format and pickled form hold no part of it, so that it cannot reach a log, a
    traceback or a crash report by accident.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the token itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Secret is not pickled")
