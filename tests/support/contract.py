"""What every forge's world offers to the contract suite (`tests/forge/test_contract.py`).

The suite asserts the same of each adapter. A world is a small forge on the loopback that answers in the
shape of its kind and remembers what it was told: what is forked, pushed, proposed and commented is there
afterwards. Each `tests/support/contract_KIND.py` has an async context manager `world()` that yields one.

What is in it (the newcomer is `me`; nothing else than `innersource` is searched for):

- people: `me` ("Nia Newcomer"), mara (maintains alpha), ravi (may push to alpha, owns beta).
- `tools/alpha`: description "A small library for retries", topics innersource and python, 7 stars,
  default branch main, languages Python 90 % and Shell 10 %, label "good first issue" and "bug"; visible to
  anyone signed in, and the newcomer may not push to it. Files: README.md ("# Alpha\\n\\nA small
  library.\\n"), CONTRIBUTING.md ("# Contributing\\n\\nWelcome.\\n"), src/alpha.py ("X = 1\\n"),
  docs/usage.md ("Use it.\\n"), and a template for merge requests ("## What\\n") where the forge looks for
  one. Two commits, by mara and by ravi, within the last 52 weeks.
- Issues of alpha: 1 "Explain the back-off", open, by mara, "good first issue", nobody's; 2 "It crashes",
  open, by the newcomer, "bug", assigned to ravi, with the text "See #1."; 3 "Old one", closed. One
  merge request of ravi's, open, "Tidy up", from the branch `tidy` of alpha itself; where issues and
  merge requests share their numbers it is 4, and the forge's list of issues has it unless asked otherwise.
- `other` (tools/beta, deeper on a forge that has subgroups): topics innersource and go, no issues, public.
- `secret`: exists, has the topic innersource, and is hidden from the newcomer.
- Addresses in the answers are below the address that the adapter is configured with, unless the forge is
  known to get them wrong. A star counts.
- The newcomer has no fork at first, owns nothing, and may fork into their own namespace.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from isexplore.forge.base import Forge
from isexplore.models import ForgeKind, Project

ALPHA = "tools/alpha"
README = b"# Alpha\n\nA small library.\n"
FIRST_LABEL = "good first issue"
LOG_END = "AssertionError: 1 != 2"
"""How the log of the failing job ends, where the forge has logs."""


class Trouble(StrEnum):
    """What can be wrong with every answer; each forge says it in its own way."""

    BAD_TOKEN = "bad-token"
    """401: the token was revoked."""
    MISSING_SCOPE = "missing-scope"
    """403: the token may not do that, and the forge says what it lacks."""
    NOT_VISIBLE = "not-visible"
    """404 for everything below a project."""
    RATE_LIMITED = "rate-limited"
    """The forge's way of saying "too many requests", with the time to wait: an hour."""
    WEB_PAGE = "web-page"
    """200 with a page of HTML: a sign-in wall before the forge."""
    DOWN = "down"
    """503."""


class ContractWorld(Protocol):
    """A running forge, and what other people do on it."""

    kind: ForgeKind
    forge: Forge
    """The adapter, signed in as the newcomer, configured under the name "work"."""
    me: str
    """User name of the newcomer."""
    other: str
    """Path of the second project."""
    secret: str
    """Path of the hidden one."""
    requests: int
    """How many API requests were answered so far (whoever asked)."""

    def troubled(self, trouble: Trouble) -> Forge:
        """Return an adapter (named "work", closed by the world) whose every request meets this trouble."""
        ...

    async def push(self, project: Project, branch: str) -> str:
        """Push a new branch with one commit on top of main, as git would; return its full sha."""
        ...

    async def move_on(self) -> None:
        """Add a commit to the default branch of alpha: forks are one behind."""
        ...

    async def check(self, number: int, *, passed: bool) -> None:
        """Finish the checks of the head of a merge request of alpha; the one called `tests` may fail."""
        ...

    async def review(self, number: int, *, by: str, approve: bool) -> None:
        """Approve a merge request of alpha, or ask for changes."""
        ...

    async def remark(self, number: int, *, by: str, body: str, file: str, line: int) -> None:
        """Open an unresolved thread on a line of a merge request of alpha."""
        ...

    async def merge(self, number: int) -> None:
        """Merge a merge request of alpha."""
        ...
