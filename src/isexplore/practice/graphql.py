"""A reader for the part of GraphQL that clients of the practice forge write, and its price in GitLab's coin.

One operation with variables; fields with arguments, aliases and selections; no fragments, no directives.
https://spec.graphql.org/October2021/, https://docs.gitlab.com/api/graphql/#max-query-complexity
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

MAX_TEXT = 10_000
"""Characters of a query."""
PAGE = 100
"""Nodes of a connection, asked for or not."""
_TOKEN = re.compile(r'\s*(?:#[^\n]*\n\s*)*("(?:[^"\\]|\\.)*"|\$?[A-Za-z_]\w*|-?\d+(?:\.\d+)?|[{}()\[\]:,!=])')
_NAME = re.compile(r"[A-Za-z_]\w*")
_NUMBER = re.compile(r"-?\d+")

Value = object


class GraphQLError(Exception):
    """The query cannot be read or answered; the message is GitLab's."""


class Field(Struct, frozen=True):
    """One field that is asked for."""

    name: str
    alias: str
    arguments: dict[str, Value]
    """With the variables' values put in."""
    fields: tuple[Field, ...] = ()


class Operation(Struct, frozen=True):
    """What is asked for."""

    kind: Literal["query", "mutation"]
    fields: tuple[Field, ...]


def read(text: str, variables: Mapping[str, Value]) -> Operation:
    """Return the operation that a query's text asks for.

    Raises:
        GraphQLError: it cannot be read.
    """
    if len(text) > MAX_TEXT:
        raise GraphQLError(f"Query too large, exceeds maximum length of {MAX_TEXT}")
    return _Reader(text, variables).operation()


def complexity(fields: Sequence[Field]) -> int:
    """Return the price of fields: one each, and a connection's once more for every hundred nodes."""
    price = 0
    for field in fields:
        inner = complexity(field.fields)
        price += 1 + inner
        size = field.arguments.get("first")
        if isinstance(size, int):
            price += math.ceil(inner * min(size, PAGE) * 0.01)
    return price


class _Reader:
    def __init__(self, text: str, variables: Mapping[str, Value]) -> None:
        self._tokens = self._split(text)
        self._place = 0
        self._variables = variables

    @staticmethod
    def _split(text: str) -> list[str]:
        tokens, place = [], 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if match is None:
                raise GraphQLError(f'Unexpected "{text[place:].strip()[:1]}"')
            tokens.append(match[1])
            place = match.end()
        return tokens

    @property
    def _next(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> str:
        token = self._next
        if not token or wanted not in ("", token):
            raise GraphQLError(f'Expected "{wanted or "more"}", got "{token or "end of file"}"')
        self._place += 1
        return token

    def _name(self) -> str:
        token = self._take()
        if not _NAME.fullmatch(token):
            raise GraphQLError(f'Expected a name, got "{token}"')
        return token

    def operation(self) -> Operation:
        kind: Literal["query", "mutation"] = "query"
        if self._next in ("query", "mutation"):
            kind = "mutation" if self._take() == "mutation" else "query"
            if self._next not in ("(", "{"):
                self._name()
            if self._next == "(":
                self._skip_declarations()
        fields = self._selection()
        if self._next:
            raise GraphQLError(f'Unexpected "{self._next}"')
        return Operation(kind, fields)

    def _skip_declarations(self) -> None:
        while self._take() != ")":
            pass

    def _selection(self) -> tuple[Field, ...]:
        self._take("{")
        fields = []
        while self._next != "}":
            fields.append(self._field())
        self._take("}")
        return tuple(fields)

    def _field(self) -> Field:
        name = alias = self._name()
        if self._next == ":":
            self._take()
            name = self._name()
        arguments = {}
        if self._next == "(":
            self._take()
            while self._next != ")":
                key = self._name()
                self._take(":")
                arguments[key] = self._value()
                if self._next == ",":
                    self._take()
            self._take(")")
        return Field(name, alias, arguments, self._selection() if self._next == "{" else ())

    def _value(self) -> Value:
        token = self._take()
        if token.startswith("$"):
            return self._variables.get(token[1:])
        if token.startswith('"'):
            return token[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        if token == "[":
            return self._list()
        if token == "{":
            return self._object()
        if _NUMBER.fullmatch(token):
            return int(token)
        return {"true": True, "false": False, "null": None}.get(token, token)

    def _list(self) -> list[Value]:
        found = []
        while self._next != "]":
            found.append(self._value())
            if self._next == ",":
                self._take()
        self._take("]")
        return found

    def _object(self) -> dict[str, Value]:
        found = {}
        while self._next != "}":
            key = self._name()
            self._take(":")
            found[key] = self._value()
            if self._next == ",":
                self._take()
        self._take("}")
        return found
