"""The checks of a merge request: every verdict is read from its commits, and says how to turn it green.

A check looks only at what the merge request brings (its commits, the files it changes), so that a
newcomer never has to repair what was there before. A failing log ends with the file, line or commit
that failed and one way to put it right.
"""

from __future__ import annotations

import ast
import json
import posixpath
import re
import shlex
import tomllib
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple
from urllib.parse import unquote

from msgspec import Struct

from isexplore.practice.plumbing import Change, ChangeCommit
from isexplore.practice.seed import CheckSeed

DEFAULT_CHECKS = (CheckSeed(name="lint", kind="no-trailing-space"),)
"""What a project without rules of its own runs: nobody wants trailing spaces."""

_MOST = 10
"""Findings told one by one; the rest is a number."""


class Finding(Struct, frozen=True):
    """One thing that is not as the rule wants it."""

    place: str
    """`file:line`, a commit, or a file."""
    fault: str
    fix: str
    """What to do, as an instruction."""


class JobResult(Struct, frozen=True):
    """How one job of a pipeline ended."""

    name: str
    status: Literal["success", "failed"]
    log: str


def run_checks(checks: Sequence[CheckSeed], change: Change, *, branch: str = "") -> tuple[JobResult, ...]:
    """Run the checks; those of one name become one job, in the order of their first appearance.

    Args:
        checks: the project's rules; none means `DEFAULT_CHECKS`.
        change: the merge request's commits and files.
        branch: name of its source branch.

    Raises:
        GitError: its commits cannot be read.
    """
    jobs: dict[str, list[tuple[CheckSeed, tuple[Finding, ...]]]] = {}
    for check in checks or DEFAULT_CHECKS:
        findings = _branch(check, branch) if check.kind == "branch" else _RULES[check.kind](check, change)
        jobs.setdefault(check.name, []).append((check, tuple(findings)))
    return tuple(
        JobResult(
            name,
            "failed" if any(findings for _, findings in outcomes) else "success",
            _log(name, outcomes, change),
        )
        for name, outcomes in jobs.items()
    )


def pipeline_status(jobs: Sequence[JobResult]) -> Literal["success", "failed"]:
    """Return how a pipeline of these jobs ended."""
    return "failed" if any(job.status == "failed" for job in jobs) else "success"


def reason(log: str) -> str:
    """Return the first finding of a failing log and how to put it right; "" if it has none."""
    lines = log.splitlines()
    for index, line in enumerate(lines):
        if line.startswith("FAILED "):
            fix = lines[index + 1].strip() if index + 1 < len(lines) else ""
            return f"{line.removeprefix('FAILED ')}. {fix}"
    return ""


_WORDS: dict[str, str] = {
    "sign-off": "every commit is signed off",
    "message": "commit messages follow the project's form",
    "branch": "the branch is named as the project wants it",
    "changelog": "the change is told in {path}",
    "file-matches": "{path} has what it must have",
    "no-trailing-space": "no line ends in a space",
    "max-line": "no line is longer than {limit} characters",
    "links": "links between files lead somewhere",
    "parses": "JSON, TOML and Python files can be read",
    "sorted": "the list in {path} is in alphabetical order",
}


def _log(name: str, outcomes: Sequence[tuple[CheckSeed, tuple[Finding, ...]]], change: Change) -> str:
    files = change.files()
    lines = [
        f"$ check {name}",
        f"Looking at commit {change.head[:8]}: {_count(len(change.commits()), 'commit')}, "
        f"{_count(len(files), 'changed file')}.",
        *(f"    {path}" for path in files[:_MOST]),
    ]
    failed = False
    for check, findings in outcomes:
        words = _WORDS[check.kind].format(path=check.path, limit=check.limit)
        if not findings:
            lines.append(f"ok     {words}")
            continue
        failed = True
        lines += ["", f"not ok {words}: {_count(len(findings), 'finding')}"]
        for finding in findings[:_MOST]:
            lines += [f"FAILED {finding.place}: {finding.fault}", f"       {finding.fix}"]
        if len(findings) > _MOST:
            lines.append(f"       ... and {len(findings) - _MOST} more of the same kind.")
        if check.hint:
            lines += ["", f"       {check.hint}"]
    lines += (
        ["", "Job failed. Push a commit that puts it right: the checks run again by themselves."]
        if failed
        else ["Job succeeded."]
    )
    return "\n".join(lines) + "\n"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


# Rules about commits


_TRAILER = re.compile(r"^Signed-off-by: *(?P<name>.+?) *<(?P<email>[^<>]+)> *$", re.MULTILINE | re.IGNORECASE)
_REMEDY = re.compile(
    r"I, (?P<name>[^<>]+?) <(?P<email>[^<>]+)>, hereby add my Signed-off-by to this commit: "
    r"(?P<sha>[0-9a-f]{7,64})",
    re.IGNORECASE,
)


def _signed(commit: ChangeCommit) -> bool:
    return any(
        match["email"].casefold() == commit.email.casefold() for match in _TRAILER.finditer(commit.message)
    )


def _sign_off(check: CheckSeed, change: Change) -> list[Finding]:
    commits = change.commits()
    # A later, signed commit may vouch for an earlier one: the way that needs no rewritten history.
    vouched = {
        (match["email"].casefold(), match["sha"].lower())
        for commit in commits
        if _signed(commit)
        for match in _REMEDY.finditer(commit.message)
        if match["email"].casefold() == commit.email.casefold()
    }
    findings = []
    for commit in commits:
        if _signed(commit) or any(
            email == commit.email.casefold() and commit.sha.startswith(sha) for email, sha in vouched
        ):
            continue
        other = next((match["email"] for match in _TRAILER.finditer(commit.message)), None)
        fault = (
            f"is signed off by <{other}>, but its author is <{commit.email}>"
            if other
            else f"has no line 'Signed-off-by: {commit.name} <{commit.email}>'"
        )
        vow = f"I, {commit.name} <{commit.email}>, hereby add my Signed-off-by to this commit: {commit.sha}"
        findings.append(
            Finding(
                f"commit {commit.sha[:8]} ({commit.subject[:60]})",
                fault,
                "Vouch for it with one more commit, then push: git commit --allow-empty --signoff "
                f'-m "Sign off {commit.sha[:8]}" -m {shlex.quote(vow)}',
            )
        )
    return findings


def _message(check: CheckSeed, change: Change) -> list[Finding]:
    pattern = re.compile(check.pattern)
    return [
        Finding(
            f"commit {commit.sha[:8]}",
            f"its first line is '{commit.subject[:80]}', which does not match {check.pattern}",
            "Reword it (git commit --amend for the newest commit, git rebase -i for older ones) and push "
            "your own branch again with git push --force-with-lease.",
        )
        for commit in change.commits()
        if not pattern.search(commit.subject)
    ]


def _branch(check: CheckSeed, branch: str) -> list[Finding]:
    if re.search(check.pattern, branch):
        return []
    return [
        Finding(
            f"branch {branch}",
            f"its name does not match {check.pattern}",
            "Push the same commits under another name (git push origin HEAD:refs/heads/NAME) and open a "
            "merge request from there.",
        )
    ]


# Rules about files


def _changelog(check: CheckSeed, change: Change) -> list[Finding]:
    if change.changes(check.path):
        return []
    return [
        Finding(
            check.path,
            "this merge request does not change it",
            f"Add one line about your change to {check.path} (newest first), commit and push.",
        )
    ]


def _file_matches(check: CheckSeed, change: Change) -> list[Finding]:
    text = change.text(check.path)
    if text is None or re.search(check.pattern, text, re.MULTILINE):
        return []
    return [
        Finding(
            check.path,
            f"nothing in it matches {check.pattern}",
            f"Edit {check.path} so that it does, commit and push.",
        )
    ]


def _texts(change: Change) -> list[tuple[str, list[str]]]:
    texts = ((path, change.text(path)) for path in change.files())
    return [(path, text.split("\n")) for path, text in texts if text is not None]


class _Line(NamedTuple):
    """A line of a changed text."""

    path: str
    number: int
    text: str
    is_new: bool
    """The text did not have it before."""


def _lines(change: Change) -> Iterator[_Line]:
    for path, lines in _texts(change):
        before = set((change.content(path, at_base=True) or b"").decode("utf-8", "replace").split("\n"))
        for number, line in enumerate(lines, 1):
            yield _Line(path, number, line, line not in before)


def _no_trailing_space(check: CheckSeed, change: Change) -> list[Finding]:
    return [
        Finding(
            f"{line.path}:{line.number}",
            f"the line ends in a space: '{line.text.rstrip()[-40:]}' and then nothing visible",
            f"Delete what follows the last letter of line {line.number}, commit and push.",
        )
        for line in _lines(change)
        if line.is_new and line.text.rstrip("\r").endswith((" ", "\t"))
    ]


def _max_line(check: CheckSeed, change: Change) -> list[Finding]:
    return [
        Finding(
            f"{line.path}:{line.number}",
            f"the line has {len(line.text)} characters; at most {check.limit} are wanted",
            f"Break line {line.number} in two, commit and push.",
        )
        for line in _lines(change)
        if line.is_new and len(line.text) > check.limit
    ]


_LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")


def _links(check: CheckSeed, change: Change) -> list[Finding]:
    findings = []
    for line in _lines(change):
        if not line.path.lower().endswith((".md", ".markdown")):
            continue
        for target in _LINK.findall(line.text):
            if re.match(r"[a-z][a-z0-9+.-]*:|#|/", target, re.IGNORECASE):
                continue
            wanted = posixpath.normpath(
                posixpath.join(posixpath.dirname(line.path), unquote(target.partition("#")[0]))
            )
            if wanted == "." or wanted in change.tree():
                continue
            # An old link counts where this change took its target away.
            if line.is_new or change.content(wanted, at_base=True) is not None:
                findings.append(
                    Finding(
                        f"{line.path}:{line.number}",
                        f"the link goes to {wanted}, and there is no such file",
                        "Correct the path in the link, or add the file; then commit and push.",
                    )
                )
    return findings


def _python_fault(text: str) -> str | None:
    try:
        with warnings.catch_warnings(action="ignore"):
            ast.parse(text)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or "it is nested too deeply"
    return None


def _json_fault(text: str) -> str | None:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        return str(error)
    return None


def _toml_fault(text: str) -> str | None:
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return str(error)
    return None


_PARSERS: dict[str, Callable[[str], str | None]] = {
    ".py": _python_fault,
    ".json": _json_fault,
    ".toml": _toml_fault,
}


def _parses(check: CheckSeed, change: Change) -> list[Finding]:
    findings = []
    for path in change.files():
        parse = _PARSERS.get(posixpath.splitext(path)[1])
        text = change.text(path) if parse else None
        fault = parse(text) if parse and text is not None else None
        if fault:
            findings.append(
                Finding(path, f"it cannot be read: {fault}", "Repair the place it names, commit and push.")
            )
    return findings


_ITEM = re.compile(r"^[-*+] +(.*\S)")


def _sort_key(item: str) -> str:
    return re.sub(r"[^\w ]", "", item).casefold()


def _sorted(check: CheckSeed, change: Change) -> list[Finding]:
    text = change.text(check.path)
    if text is None or not change.changes(check.path):
        return []
    findings = []
    previous = ""
    for number, line in enumerate(text.split("\n"), 1):
        match = _ITEM.match(line)
        if match is None:
            previous = previous if not line.strip() else ""
            continue
        item = match[1]
        if previous and _sort_key(item) < _sort_key(previous):
            findings.append(
                Finding(
                    f"{check.path}:{number}",
                    f"'{item[:40]}' stands after '{previous[:40]}'",
                    f"Move line {number} up to its place in the alphabet, commit and push.",
                )
            )
        previous = item
    return findings


_RULES: dict[str, Callable[[CheckSeed, Change], list[Finding]]] = {
    "sign-off": _sign_off,
    "message": _message,
    "changelog": _changelog,
    "file-matches": _file_matches,
    "no-trailing-space": _no_trailing_space,
    "max-line": _max_line,
    "links": _links,
    "parses": _parses,
    "sorted": _sorted,
}
