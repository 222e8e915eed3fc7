"""When objects that only know each other are looked for: while no key waits for its answer.

Looking through everything takes as long as several frames, and Python begins with it in the middle of
whatever makes the most objects: drawing the answer to a key.
"""

from __future__ import annotations

import gc

IDLE = 2.0
"""Seconds without a key after which to look for garbage."""
_THRESHOLDS = (2_000, 5, 200)
"""New objects before a look at them; such looks before one at the last few thousand; those before one at all.

A look takes less than two milliseconds then. Somebody who never rests for `IDLE` seconds pays for a look
at everything once in hundreds of keys.
"""


def settle() -> None:
    """Leave alone what has been loaded so far, and look for garbage from now on.

    Only where that was put off for the screens (`cli.screens`), or has been settled before: a widget that
    is shown elsewhere, as in a test, changes nothing of its process.
    """
    if gc.isenabled() and gc.get_threshold()[:2] != _THRESHOLDS[:2]:
        return
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    gc.enable()


def tidy() -> None:
    """Look for garbage among everything that was made since it last settled."""
    gc.collect()
