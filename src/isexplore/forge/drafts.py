"""Pure: the marks that make a merge request a draft where that is written in its title."""

from __future__ import annotations

import re

# GitLab takes "Draft:" and what it once took; Gitea and Forgejo take what they were set up with, and tell
# nobody: "WIP:" and "[WIP]" unless somebody chose others.
_MARK = re.compile(r"\s*(?:draft:|\[draft\]|\(draft\)|wip:|\[wip\])", re.IGNORECASE)


def ready_title(title: str) -> str:
    """Return a draft's title without its marks; the whole of it where nothing else would be left."""
    rest = title
    while (mark := _MARK.match(rest)) is not None:
        rest = rest[mark.end() :]
    return rest.strip() or title
