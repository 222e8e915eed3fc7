"""How much of a forge the catalog knows: what part of it nobody has told yet, so that a part never looks like all."""

from __future__ import annotations

from isexplore.catalog.store import NotAsked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from isexplore.catalog.store import Store

ISSUES_UNASKED = "first_issues_unasked"
"""Fact: projects of which nobody knows whether they have good first issues."""
ISSUES_CUT = "first_issues_cut"
"""Fact: labels, one a line, that more issues have than are taken."""
LANGUAGES_UNASKED = "languages_unasked"
"""Fact: projects whose languages the forge has not told though it would."""


def _facts(store: Store) -> dict[str, object]:
    found = store.query(
        "SELECT name, value FROM fact WHERE name IN (?, ?, ?)",
        (ISSUES_UNASKED, ISSUES_CUT, LANGUAGES_UNASKED),
    )
    return {str(name): value for name, value in found}


def first_issues_missing(store: Store) -> NotAsked | None:
    """Return which good first issues of a forge are not known, in words; None when all are."""
    facts = _facts(store)
    told = facts.get(ISSUES_UNASKED)
    if isinstance(told, int):
        unasked = told
    else:
        # A first sync has not come so far, or the list comes from elsewhere.
        # A file that cannot be read tells no number; why, `Catalog.incomplete` says.
        unasked = sum(
            number
            for (number,) in store.numbers(
                "SELECT count(*) FROM project INDEXED BY project_enriched WHERE enriched_at IS NULL"
            )
        )
    words = []
    if unasked:
        from isexplore.text import count

        words.append(
            f"the first issues of {count(unasked, 'project')} are not known yet; each sync asks for more"
        )
    if cut := str(facts.get(ISSUES_CUT) or ""):
        labels = ", ".join(f'"{label}"' for label in cut.split("\n"))
        words.append(f"so many issues have the label {labels} that only those changed last are known")
    return NotAsked("; ".join(words)) if words else None


def languages_missing(store: Store) -> NotAsked | None:
    """Return how many projects of a forge `lang:` cannot find yet, in words; None when it can find all."""
    unasked = _facts(store).get(LANGUAGES_UNASKED)
    if not isinstance(unasked, int) or not unasked:
        return None
    from isexplore.text import count

    return NotAsked(
        f"the languages of {count(unasked, 'project')} are not known yet; each sync asks for more"
    )
