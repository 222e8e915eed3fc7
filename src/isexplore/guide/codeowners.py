"""Pure: CODEOWNERS in its three dialects.

Sources: docs.github.com "About code owners", docs.gitlab.com "Code Owners syntax" (sections, roles,
exclusions), docs.gitea.com "Code Owners" (regular expressions). What a forge would reject is left out
rather than raised: for a newcomer the file is a hint at whom to ask.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from msgspec import Struct

from isexplore.models import ForgeKind

MAX_LINES = 5_000
_MAX_PATTERN = 300
_SECTION = re.compile(r"(\^)?\[([^\]]+)\](?:\[(\d{1,3})\])?\s*(.*)")
_OWNER = re.compile(r"@@?[\w][\w./-]*|[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# Go's expressions take linear time, Python's need not: only what cannot backtrack far is tried.
_TAME = re.compile(r"(?:\\[./_-]|[\w/<> -]|\.[*+]?|\[\^/\][*+]?|\||\((?:\?:)?|\)(?![*+?{])|\^|\$)*")
_REPEATS = re.compile(r"[*+]")


class OwnerRule(Struct, frozen=True, kw_only=True):
    """One line: who owns what."""

    pattern: str
    owners: tuple[str, ...]
    """`@name`, `@group/team`, `@@maintainer` (a role) or an e-mail address."""
    line: int
    section: str = ""
    optional: bool = False
    """An optional section: nobody there has to approve."""
    excludes: bool = False
    """The pattern takes files out of its section (GitLab) or means all others (Gitea)."""


class CodeOwners(Struct, frozen=True, kw_only=True):
    """A whole file."""

    rules: tuple[OwnerRule, ...]
    kind: ForgeKind

    def owners_of(self, path: str) -> tuple[str, ...]:
        """Return who owns a file, each once; the last line that matches wins, in every section of its own."""
        chosen: dict[str, tuple[str, ...]] = {}
        closed: set[str] = set()
        for rule in self.rules:
            if rule.section in closed or not _matches(rule, path, self.kind):
                continue
            if rule.excludes and self.kind is ForgeKind.GITLAB:
                chosen.pop(rule.section, None)
                closed.add(rule.section)
            elif self.kind is ForgeKind.GITEA:
                # Gitea asks the owners of every rule that matches.
                chosen[str(rule.line)] = rule.owners
            else:
                chosen[rule.section] = rule.owners
        return tuple(dict.fromkeys(owner for owners in chosen.values() for owner in owners))

    @property
    def default_owners(self) -> tuple[str, ...]:
        """Who owns everything that is not named; the owners of all lines when there is no such line."""
        everything = self.owners_of("a file that no line names")
        return everything or tuple(dict.fromkeys(owner for rule in self.rules for owner in rule.owners))


def parse_codeowners(text: str, kind: ForgeKind) -> CodeOwners:
    """Read a CODEOWNERS file in the dialect of a forge."""
    rules: list[OwnerRule] = []
    section, optional, inherited = "", False, ()
    names: dict[str, str] = {}
    for number, full in enumerate(text.split("\n")[:MAX_LINES], 1):
        line = full.strip()
        if not line or line.startswith("#"):
            continue
        header = _SECTION.fullmatch(line) if kind is ForgeKind.GITLAB else None
        if header:
            # Sections of the same name, whatever its case, are one.
            section = names.setdefault(header.group(2).strip().lower(), header.group(2).strip())
            optional = bool(header.group(1))
            inherited = tuple(_OWNER.findall(header.group(4)))
            continue
        rule = _rule(line, number, kind)
        if rule is not None:
            rules.append(
                OwnerRule(
                    pattern=rule.pattern,
                    owners=rule.owners or (() if rule.excludes else inherited),
                    line=number,
                    section=section,
                    optional=optional,
                    excludes=rule.excludes,
                )
            )
    return CodeOwners(rules=tuple(rules), kind=kind)


def _rule(line: str, number: int, kind: ForgeKind) -> OwnerRule | None:
    # A space in a path is written `\ `.
    words = re.split(r"(?<!\\)\s+", line)
    pattern, rest = words[0].replace("\\ ", " ").replace("\\#", "#"), words[1:]
    excludes = pattern.startswith("!")
    if excludes and kind is ForgeKind.GITHUB:
        return None
    if kind is ForgeKind.GITHUB:
        comment = next((index for index, word in enumerate(rest) if word.startswith("#")), len(rest))
        rest = rest[:comment]
    owners = tuple(word for word in rest if _OWNER.fullmatch(word))
    if len(pattern) > _MAX_PATTERN:
        return None
    return OwnerRule(pattern=pattern.removeprefix("!"), owners=owners, line=number, excludes=excludes)


def _matches(rule: OwnerRule, path: str, kind: ForgeKind) -> bool:
    path = path.strip("/")[:1_000]
    if kind is ForgeKind.GITEA:
        return _matches_expression(rule.pattern, path) != rule.excludes
    return matches_path(rule.pattern, path)


def _matches_expression(pattern: str, path: str) -> bool:
    if len(_REPEATS.findall(pattern)) > 4 or not _TAME.fullmatch(pattern):
        return False
    try:
        return re.fullmatch(pattern, path) is not None
    except re.error:
        return False


def matches_path(pattern: str, path: str) -> bool:
    """Return whether a path pattern (gitignore's rules without `[ ]` and `!`) names a file."""
    anchored = "/" in pattern.rstrip("/")
    folder = pattern.endswith("/")
    wanted = pattern.strip("/").split("/")
    if not anchored:
        wanted = ["**", *wanted]
    if folder:
        wanted.append("**")
    if len(wanted) > 1 and wanted[-1] == "**":
        # What lies in a folder, not the folder.
        wanted[-1:] = ["*", "**"]
    return _match_parts(wanted, path.split("/"), below=not folder)


def _match_parts(wanted: list[str], parts: list[str], *, below: bool) -> bool:
    """Match folder by folder; `below` also takes what lies in a folder that the whole pattern names."""
    # reachable[i]: the first i parts of the path match the pattern so far.
    reachable = [True] + [False] * len(parts)
    for word in wanted:
        following = [False] * (len(parts) + 1)
        if word == "**":
            seen = False
            for index, here in enumerate(reachable):
                seen = seen or here
                following[index] = seen
        else:
            shape = word.replace("[", "[[]")
            for index, part in enumerate(parts):
                following[index + 1] = reachable[index] and fnmatchcase(part, shape)
        reachable = following
    if reachable[-1]:
        return True
    return below and "*" not in wanted[-1] and any(reachable[1:])
