"""First drafts: names and texts that are right for most, in the project's own style. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from isexplore.git.facts import CommitFacts
from isexplore.git.names import suggest_branch
from isexplore.guide.digest import Digest
from isexplore.journey.leftovers import answered_first
from isexplore.models import Issue

_CONVENTIONAL = re.compile(
    r"conventional\s*commits?|\b(?:feat|fix|docs|chore)(?:\([^)]*\))?!?:", re.IGNORECASE
)
_PLAIN_WORD = re.compile(r"[^\W\d_][a-z]+(?![\w.:/-])")
_KINDS = (
    ("docs", re.compile(r"\b(doc|docs|documentation|readme|typo|explain|describe)\b", re.IGNORECASE)),
    ("fix", re.compile(r"\b(bug|fix|crash|error|wrong|broken|fails?|defect|regression)\b", re.IGNORECASE)),
    ("test", re.compile(r"\btests?\b", re.IGNORECASE)),
)
_BRANCH_KINDS = "feature|feat|fix|bugfix|hotfix|docs?|chore|test|refactor|perf|issue"
# Quoted from a guide without its markup: `feature/<issue>-<words>`, feature/41-add-a-timeout, fix/topic.
_PREFIX = re.compile(
    rf"(?<![\w./-])(?:([a-z]+/)(?=[<{{\[(*\d]|\.\.|issue\b|ticket\b)|((?:{_BRANCH_KINDS})/))(?![\w/-]*\.\w)"
)
_REFERENCE = re.compile(
    r"(?P<word>\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b:?\s*)"
    r"#(?:(?P<number>\d+)|[<{(\[]?[a-z_ -]*[>})\]]?)?"
    r"(?=\s|$|[.,;])",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_VARIABLE = re.compile(r"%\{([a-z_]+)\}")


def kind_of_change(title: str, labels: Collection[str] = ()) -> str:
    """Return the word that a conventional commit begins with."""
    text = " ".join((title, *labels))
    return next((word for word, pattern in _KINDS if pattern.search(text)), "feat")


def branch_name(number: int | None, title: str, rules: Digest | None, taken: Collection[str] = ()) -> str:
    """Return a free branch name, with the prefix that the project asks for (“feature/...”)."""
    plain = suggest_branch(number, title)
    naming = None if rules is None else rules.branch_naming
    prefixes = ["".join(found) for found in _PREFIX.findall(naming.text)] if naming is not None else []
    kind = kind_of_change(title)
    prefix = next((one for one in prefixes if one.startswith(kind)), prefixes[0] if prefixes else "")
    name, attempt = prefix + plain, 2
    while name in taken:
        name, attempt = f"{prefix}{plain}-{attempt}", attempt + 1
    return name


def commit_message(issue: Issue | None, rules: Digest | None) -> str:
    """Return a message to start from; empty when nothing is known of the change."""
    if issue is None:
        return ""
    title = issue.title.strip().rstrip(".")
    # The case of a plain word's first letter is a matter of style; “README” and “iOS” are written as they are.
    first = title[:1] if _PLAIN_WORD.match(title) else ""
    rest = title[len(first) :]
    style = None if rules is None else rules.commit_style
    if style is not None and _CONVENTIONAL.search(style.text):
        subject = f"{kind_of_change(title, issue.labels)}: {first.lower()}{rest}"
    else:
        subject = first.upper() + rest
    return f"{subject}\n\nCloses #{issue.number}"


def follow_up_message(names: Sequence[str]) -> str:
    """Return a message for a commit after the first one, from the names of the files that it changes."""
    if not names:
        return ""
    if len(names) > 3:
        return f"Update {names[0]} and {len(names) - 1} more files"
    return "Update " + (f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0])


def merge_request_title(commits: list[CommitFacts], issue_title: str, branch: str) -> str:
    """Return the only commit's subject, else the issue's title, else the branch in words; all as written."""
    if len(commits) == 1 and commits[0].subject:
        return commits[0].subject
    if issue_title:
        return issue_title
    if commits and commits[-1].subject:
        return commits[-1].subject
    return re.sub(r"^\d+[-_]", "", branch.rsplit("/", 1)[-1]).replace("-", " ").replace("_", " ").strip()


def merge_request_body(
    template: str | None, issue: int | None, commits: list[CommitFacts], branch: str, target: str
) -> str:
    """Return the project's template with what is known filled in.

    That is its variables, or where it has none the words of the only commit at the first line that asks for
    some, and the issue that it closes.
    """
    body = next((one.body for one in commits if one.body), "") if len(commits) == 1 else ""
    body = re.sub(r"(?im)^(signed-off-by|co-authored-by):.*$", "", body).strip()
    if template is None or not template.strip():
        text = body
    else:
        known = {
            "source_branch": branch,
            "target_branch": target,
            "first_commit": body,
            "first_multiline_commit": body,
            "all_commits": "\n".join(f"* {one.subject}" for one in reversed(commits)),
        }
        text = _VARIABLE.sub(lambda match: known.get(match[1], match[0]), template).strip()
        if not _VARIABLE.search(template):
            what = "\n".join(line for line in body.splitlines() if not _REFERENCE.match(line.strip())).strip()
            text = answered_first(text, what or (commits[0].subject if len(commits) == 1 else ""))
    return _with_issue(text, issue).strip()


def _with_issue(text: str, issue: int | None) -> str:
    if issue is None:
        return text
    visible = _COMMENT.sub("", text)
    if any(match["number"] == str(issue) for match in _REFERENCE.finditer(visible)):
        return text
    hidden = [match.span() for match in _COMMENT.finditer(text)]
    for match in _REFERENCE.finditer(text):
        inside = any(start <= match.start() < end for start, end in hidden)
        if match["number"] is None and not inside:
            return f"{text[: match.start()]}{match['word']}#{issue}{text[match.end() :]}"
    return f"{text}\n\nCloses #{issue}" if text else f"Closes #{issue}"
