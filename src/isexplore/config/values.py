"""Turning one value of a configuration into what the schema says, or into words about what is wrong."""

from __future__ import annotations

import re
from difflib import get_close_matches
from ipaddress import ip_address
from math import isfinite
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec

from isexplore.models import ForgeKind
from isexplore.text import clean, pattern

FORGE_NAME = pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a forge may be called, so that `forge:NAME` can be searched for."""

_DURATION = pattern(r"(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|m|h|d|w)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
    "datetime": "a date",
    "date": "a date",
    "time": "a time",
}
_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


class WrongValueError(ValueError):
    """A value that the schema does not allow; says why, to be put behind the key's name."""

    def __init__(self, what: str, nearest: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.nearest = nearest


class Field:
    """A setting as the schema describes it."""

    def __init__(self, key: str, annotation: Any) -> None:
        self.key = key
        self.type: Any = annotation
        self.meta = next((part for part in get_args(annotation)[1:] if isinstance(part, msgspec.Meta)), None)
        self.plain: Any = get_args(annotation)[0] if self.meta else annotation

    @property
    def description(self) -> str:
        """What it means, in one sentence."""
        return (self.meta.description or "") if self.meta else ""

    @property
    def example(self) -> object | None:
        """A value as somebody may write it, or None."""
        return self.meta.examples[0] if self.meta and self.meta.examples else None

    @property
    def check(self) -> str:
        """How the text is checked beyond its type: `url`, `link`, `place` or nothing."""
        return str((self.meta.extra or {}).get("check", "")) if self.meta else ""

    @property
    def is_duration(self) -> bool:
        """Whether it is a number of seconds that may be written with a unit."""
        return bool(self.meta and (self.meta.extra or {}).get("unit") == "duration")

    @property
    def is_list(self) -> bool:
        """Whether it is a list of texts."""
        return any(get_origin(each) is tuple for each in _alternatives(self.plain))

    @property
    def is_table(self) -> bool:
        """Whether it is a table of texts under names of the user's."""
        return get_origin(self.plain) is dict

    @property
    def choices(self) -> tuple[str, ...]:
        """The values it can have, where they are few."""
        for each in _alternatives(self.plain):
            if get_origin(each) is Literal:
                return tuple(str(value) for value in get_args(each))
            if each is ForgeKind:
                return tuple(kind.value for kind in ForgeKind)
        return ()

    @property
    def type_words(self) -> str:
        """Its type, for a table of settings: "text", "list", "https address", "`https` or `ssh`"."""
        kinds = _alternatives(self.plain)
        if self.choices:
            return " or ".join(f"`{choice}`" for choice in self.choices)
        if self.is_list:
            return {"url": "list of addresses", "place": "list of files or addresses"}.get(self.check, "list")
        if self.is_table:
            return "table"
        if self.check:
            return {"place": "file or address"}.get(self.check, "address")
        if Path in kinds:
            return "path"
        if self.is_duration:
            return "duration"
        return {bool: "`true` or `false`", int: "whole number", float: "number"}.get(kinds[0], "text")

    def convert(self, value: object, folder: Path) -> Any:
        """Return `value` as the schema's type; relative paths start from `folder`.

        Raises:
            WrongValueError: it does not fit.
        """
        if self.is_duration and isinstance(value, str):
            value = duration(value)
        elif self.is_duration and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        _check_texts(value)
        if isinstance(value, float) and not isfinite(value):
            raise WrongValueError("must be a number that can be counted to")
        if self.choices and isinstance(value, str) and value not in self.choices:
            raise WrongValueError(
                f"must be {' or '.join(self.choices)}, not {value!r}", nearest(value, self.choices)
            )
        try:
            converted = msgspec.convert(
                value, self.type, dec_hook=lambda kind, text: _special(kind, text, folder)
            )
        except msgspec.ValidationError as error:
            if isinstance(error.__cause__, WrongValueError):
                raise error.__cause__ from None
            raise WrongValueError(_explain(str(error))) from None
        return self._checked(converted, folder)

    def parse(self, text: str) -> object:
        """Return what `text` from the environment or the command line stands for, still unconverted."""
        if self.is_list:
            return [part.strip() for part in text.split(",") if part.strip()]
        kinds = _alternatives(self.plain)
        if bool in kinds:
            word = text.strip().lower()
            if word in ("1", "true", "yes", "on"):
                return True
            if word in ("0", "false", "no", "off", ""):
                return False
            raise WrongValueError(f"must be true or false, not {text!r}")
        if int in kinds:
            if not re.fullmatch(r"[0-9]{1,9}", text.strip()):
                raise WrongValueError(f"must be a whole number, not {text!r}")
            return int(text)
        return text

    def _checked(self, value: Any, folder: Path) -> Any:
        if not self.check:
            return value
        if isinstance(value, tuple):
            return tuple(self._checked_text(item, folder) for item in value)
        return self._checked_text(value, folder)

    def _checked_text(self, text: str, folder: Path) -> str:
        if self.check == "place" and "://" not in text:
            return str(_path(text, folder))
        if self.check == "link":
            return address(text, allow_http=True, trailing_slash=True)
        # Whether a forge's http address is allowed is known only when all of its settings are.
        return address(text, allow_http=self.key.startswith("forge."))


def fields_of(struct: type[msgspec.Struct], prefix: str = "") -> dict[str, Field]:
    """Return the settings of a schema struct by their own name; tables within are left out."""
    hints = get_type_hints(struct, include_extras=True)
    fields = {name: Field(prefix + name, annotation) for name, annotation in hints.items()}
    return {name: field for name, field in fields.items() if field.meta is not None}


def address(text: str, *, allow_http: bool = False, trailing_slash: bool = False) -> str:
    """Return a web address, without its trailing slash unless that is asked for.

    Raises:
        WrongValueError: it is not https (http is fine for this machine), has no host, or has parts that
            do not belong into a configuration: user name, password, query or fragment.
    """
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise WrongValueError("has a character that no address can have")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise WrongValueError(f"is not an address ({error})") from None
    if parts.scheme not in ("https", "http"):
        hint = "" if "://" in text else f"https://{text.lstrip('/')}"
        raise WrongValueError("must begin with https://", hint or None)
    if not host or port == 0:
        raise WrongValueError("has no host" if not host else "has port 0")
    if parts.username is not None or parts.password is not None:
        raise WrongValueError(
            "must not hold a user name or password; `isexplore login` keeps the token safely"
        )
    if parts.query or parts.fragment:
        raise WrongValueError("must end before `?` and `#`")
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise WrongValueError("must begin with https://: over http everyone on the way can read it")
    return text if trailing_slash else text.rstrip("/")


LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Names of this machine that hold everywhere."""


def is_loopback(host: str) -> bool:
    """Whether a host name or address is surely this machine."""
    return host in LOOPBACK


def is_address(host: str) -> bool:
    """Whether a host is given by its IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def duration(text: str) -> float:
    """Return the seconds in "90s", "15m", "6h", "7d", "2w", "500ms" or "20".

    Raises:
        WrongValueError: it is none of these.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None or not text.isascii():
        raise WrongValueError(f"must be a duration such as 90s, 15m, 6h or 7d, not {text!r}")
    return float(match[1]) * _SECONDS[match[2] or "s"]


def nearest(word: str, known: tuple[str, ...]) -> str | None:
    """Return the known word most like `word`, or None if none is close."""
    matches = get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return matches[0] if matches else None


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, UnionType):
        return tuple(part for part in get_args(annotation) if part is not type(None))
    return (annotation,)


def _check_texts(value: object) -> None:
    texts = (
        [*value, *value.values()]
        if isinstance(value, dict)
        else value
        if isinstance(value, list)
        else [value]
    )
    for text in texts:
        if isinstance(text, str):
            if not text.strip():
                raise WrongValueError("must not be empty")
            if clean(text) != text or "\n" in text:
                raise WrongValueError("has a control or invisible character")


def _special(kind: type[Any], value: object, folder: Path) -> object:
    if kind is Path and isinstance(value, str):
        return _path(value, folder)
    raise WrongValueError("must be a path in quotes")


def _path(text: str, folder: Path) -> Path:
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise WrongValueError(f"names a home folder that does not exist: {text}") from None
    return path if path.is_absolute() else (folder / path)


def _explain(message: str) -> str:
    """Put msgspec's words ("Expected `int`, got `str` - at `$[0]`") into ours."""
    item = re.search(r" - at `\$\[(\d+)\]", message)
    key = re.search(r" - at `(?:key in )?\$\[\.\.\.\]", message)
    message = message.split(" - at ")[0]
    bound = re.fullmatch(r"Expected `\w+` (<=|>=|<|>) (\S+)", message)
    length = re.fullmatch(r"Expected `\w+` of length (<=|>=) (\d+)", message)
    types = re.fullmatch(r"Expected `([\w| ]+)`, got `(\w+)`", message)
    if bound:
        what = f"must be {_BOUNDS[bound[1]]} {float(bound[2]):g}"
    elif length:
        what = f"must have {_BOUNDS[length[1]]} {length[2]} entr{'y' if length[2] == '1' else 'ies'}"
    elif types:
        wanted = [
            _WORDS.get(name.strip(), name.strip()) for name in types[1].split("|") if name.strip() != "null"
        ]
        what = f"must be {' or '.join(wanted)}, not {_WORDS.get(types[2], types[2])}"
    else:
        what = f"does not fit: {message}"
    if item:
        return f"entry {int(item[1]) + 1} {what}"
    return f"each value {what}" if key else what
