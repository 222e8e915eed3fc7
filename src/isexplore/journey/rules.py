"""What a project's guides ask of a contribution, as far as the steps need it."""

from __future__ import annotations

from msgspec import Struct

from isexplore.forge.base import Forge
from isexplore.models import Project


class Rules(Struct, frozen=True, kw_only=True):
    """Rules with the sentence that states them; None or False where nothing is stated."""

    sign_off: bool = False
    """Every commit needs a `Signed-off-by` line (Developer Certificate of Origin)."""
    sign_off_source: str = ""
    """Where that is said: "CONTRIBUTING.md, line 14"."""
    commit_style: str | None = None
    branch_naming: str | None = None
    review_promise: str | None = None


async def read_rules(forge: Forge, project: Project) -> Rules:
    """Return the rules of a project; empty where its guides say nothing."""
    return Rules()
