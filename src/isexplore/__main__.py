"""The entry: `isexplore` and `python -m isexplore`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run isexplore with the arguments of this process; return its exit code."""
    from isexplore.cli.main import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
