"""SQLite's driver, `_sqlite3`, loaded without what a search does not use.

Of `functools` it wants `lru_cache` alone, for the statements that it has prepared; but `functools`
loads `collections` and nine more modules, which take as long as half of Python's own start.
"""

from __future__ import annotations

import sys


def _stand_in() -> bool:
    """Put a module in the place of `functools` that has a cache and nothing else; return whether it is there.

    Not where `functools` is loaded already, and not where another thread could come upon it.
    """
    if "functools" in sys.modules or "threading" in sys.modules:
        return False
    try:
        from _functools import _lru_cache_wrapper as cached  # type: ignore[import-not-found]

        cached(len, 1, False, tuple)
    except (ImportError, TypeError):
        # Nobody promised that the next Python has it, and with these parameters.
        return False
    module = type(sys)("functools")
    module.lru_cache = lambda size: lambda made: cached(made, size, False, tuple)  # type: ignore[attr-defined]
    sys.modules["functools"] = module
    return True


_lent = _stand_in()
try:
    import _sqlite3 as sqlite3
finally:
    if _lent:
        del sys.modules["functools"]

__all__ = ["sqlite3"]
