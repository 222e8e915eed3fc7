"""The command line in this process: what it printed, where, and with which exit code."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from isexplore.cli.main import main


@contextmanager
def no_log_outlives() -> Iterator[None]:
    """Take away the handlers that command lines in the block add to this process's log."""
    root, ours = logging.getLogger(), logging.getLogger("isexplore")
    before, level, our_level = list(root.handlers), root.level, ours.level
    try:
        yield
    finally:
        for handler in [each for each in root.handlers if each not in before]:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(level)
        ours.setLevel(our_level)


class Said(NamedTuple):
    """What one command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        return json.loads(self.out)


class Refusal(NamedTuple):
    """An error as it was told."""

    kind: str
    title: str
    detail: str
    hint: str


class CommandLine:
    """Runs command lines, and holds everything they print against the secrets of the test."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.secrets: set[str] = set()

    def __call__(self, *words: str, stdin: str | None = None) -> Said:
        """Run one command line; standard input is no terminal."""
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(stdin or ""))
        self._capsys.readouterr()
        try:
            code = main(words)
        except SystemExit as ended:
            # argparse leaves like this after --help and --version.
            code = int(ended.code or 0)
        out, err = self._capsys.readouterr()
        for secret in self.secrets:
            assert secret not in out + err, f"{words} tells a secret"
        return Said(code, out, err)

    def done(self, *words: str, stdin: str | None = None) -> Said:
        """Run one that must work."""
        said = self(*words, stdin=stdin)
        assert said.code == 0, said
        return said

    def refused(self, *words: str, code: int = 1, stdin: str | None = None) -> Refusal:
        """Run one that must be refused, in words and as JSON; return what was told.

        In words, standard error holds all of it; with `--json`, standard output holds one document and
        standard error nothing.
        """
        spoken = self(*words, stdin=stdin)
        assert spoken.code == code, spoken
        assert "Traceback" not in spoken.err
        written = self(*words, "--json", stdin=stdin)
        assert written.code == code, written
        assert written.err == ""
        refusal = Refusal(**written.json["error"])
        assert list(written.json) == ["error"]
        assert not refusal.title.endswith("."), refusal
        said = [line.strip() for line in spoken.err.splitlines()]
        assert f"isexplore: {refusal.title}" in said
        for line in (*refusal.detail.splitlines(), *refusal.hint.splitlines()):
            assert line.strip() in said
        return refusal
