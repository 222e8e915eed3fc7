"""SQLite's driver without `functools`, in a fresh Python, and with it where its inside is another one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import isexplore

SOURCES = str(Path(isexplore.__file__).parents[1])
USE = f"""
import sys
sys.path.insert(0, {SOURCES!r})
import isexplore.catalog.driver as driver
lent = "functools" not in sys.modules
connection = driver.sqlite3.connect(":memory:")
for number in range(300):
    assert connection.execute(f"SELECT {{number % 140}}").fetchone() == (number % 140,)
import functools
print(lent, functools.partial(max, 3)(4))
"""
CHOOSY = """
import _functools
usual = _functools._lru_cache_wrapper
def choosy(made, size, typed, info):
    if info is tuple:
        raise TypeError
    return usual(made, size, typed, info)
_functools._lru_cache_wrapper = choosy
"""
WITHOUT = "import _functools\ndel _functools._lru_cache_wrapper\n"


@pytest.mark.parametrize(
    ("before", "said"),
    [("", "True 4"), ("import functools\n", "False 4"), (CHOOSY, "False 4"), (WITHOUT, "False 4")],
    ids=["alone", "loaded", "other parameters", "not there"],
)
def test_statements_are_prepared_whatever_functools_is(before: str, said: str) -> None:
    # Without `site`, which may have loaded anything.
    found = subprocess.run([sys.executable, "-I", "-S", "-c", before + USE], capture_output=True, text=True)
    assert (found.stdout.strip(), found.stderr) == (said, "")
