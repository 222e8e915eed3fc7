"""What was checked, as data, as a page to paste, and as JSON. Pure."""

from __future__ import annotations

from itertools import groupby
from typing import Literal

from msgspec import Struct

from isexplore.config.secrets import redact
from isexplore.text import clean

State = Literal["ok", "warn", "bad"]
_MARKS = {"ok": "ok  ", "warn": "note", "bad": "BAD "}


class Check(Struct, frozen=True, kw_only=True):
    """One line of the report."""

    area: str
    """What it belongs to: "versions", "forge work", "terminal"."""
    name: str
    state: State
    """Whether it is fine, worth knowing, or blocks somebody."""
    detail: str
    """What was found, without secrets."""
    fix: str = ""
    """What to do about it; never empty for a bad one."""


class Report(Struct, frozen=True, kw_only=True):
    """All lines, in the order to read them."""

    checks: tuple[Check, ...]

    @property
    def blocked(self) -> bool:
        """Whether something has to be mended first."""
        return any(check.state == "bad" for check in self.checks)

    @property
    def exit_code(self) -> int:
        """0 when nothing blocks, else 1."""
        return 1 if self.blocked else 0

    def as_text(self) -> str:
        """Return the page: plain text without secrets, to be read or pasted into an issue."""
        width = max((len(check.name) for check in self.checks), default=0)
        lines: list[str] = []
        for area, checks in groupby(self.checks, key=lambda check: check.area):
            lines += ["", area]
            for check in checks:
                lines.append(f"  {_MARKS[check.state]}  {check.name:<{width}}  {check.detail}")
                lines += [f"        {'':<{width}}  -> {line}" for line in check.fix.splitlines()]
        bad = sum(check.state == "bad" for check in self.checks)
        lines += ["", f"{bad} of {len(self.checks)} checks need mending." if bad else "Nothing blocks you."]
        return clean(redact("\n".join(lines).lstrip("\n"))) + "\n"

    def as_json(self) -> dict[str, object]:
        """Return the document of `isexplore doctor --json`."""
        return {
            "ok": not self.blocked,
            "checks": [
                {
                    "area": check.area,
                    "name": check.name,
                    "state": check.state,
                    "detail": clean(redact(check.detail)),
                    "fix": clean(redact(check.fix)) or None,
                }
                for check in self.checks
            ],
        }


class Lines:
    """Collects the checks of one area."""

    def __init__(self, area: str) -> None:
        self.area = area
        self.checks: list[Check] = []

    def ok(self, name: str, detail: str) -> None:
        """Note what is fine."""
        self.checks.append(Check(area=self.area, name=name, state="ok", detail=detail))

    def warn(self, name: str, detail: str, fix: str = "") -> None:
        """Note what is worth knowing."""
        self.checks.append(Check(area=self.area, name=name, state="warn", detail=detail, fix=fix))

    def bad(self, name: str, detail: str, fix: str) -> None:
        """Note what blocks."""
        self.checks.append(Check(area=self.area, name=name, state="bad", detail=detail, fix=fix))
