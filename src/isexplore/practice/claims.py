""" "I'd like to work on this": how maintainers of the practice forge answer on issues."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from isexplore.practice.rows import IssueRow, NoteRow, ProjectRow
from isexplore.practice.store import Store
from isexplore.practice.store_merge_requests import mentioned_issues

PATIENCE = timedelta(seconds=2)
"""From the question to the answer."""
_RECENT = timedelta(days=14)
"""For how long somebody's "I'll take it" counts when nothing follows."""
_CLAIM = re.compile(
    r"\bassign(?:ed)? (?:it |this |me\b|to me\b)|\bwork(?:ing)? on (?:this|it)\b|\btake (?:this|it)\b"
    r"|\b(?:may|can|could) i (?:have|take|try|do|work)\b|\bi(?:'ll| will) (?:take|do|try)\b|\bclaim"
    r"|\bi(?:'d| would) like to (?:work|take|do|try|help|fix|contribute)\b",
    re.IGNORECASE,
)


def is_claim(body: str) -> bool:
    """Return whether a comment asks for the issue."""
    return _CLAIM.search(body.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")) is not None


def answer(store: Store, learner: str, now: datetime, patience: timedelta) -> None:
    """Answer every request of the learner for an issue that nobody has answered; due `patience` after it."""
    asked = store.rows(
        NoteRow,
        "SELECT * FROM notes AS asked WHERE author = ? AND noteable = 'issue' AND system = 0 AND NOT EXISTS ("
        " SELECT 1 FROM notes AS later WHERE later.noteable = asked.noteable"
        " AND later.noteable_id = asked.noteable_id AND later.id > asked.id AND later.system = 0"
        " AND later.author <> asked.author) ORDER BY id",
        (learner,),
    )
    newest = {note.noteable_id: note for note in asked if is_claim(note.body)}
    for note in newest.values():
        due = note.created_at + patience
        if now >= due:
            _answer(store, learner, note, due)


def _answer(store: Store, learner: str, note: NoteRow, due: datetime) -> None:
    issue = store.issue_or_fail(note.noteable_id)
    project = store.project_or_fail(issue.project_id)
    reviewer = _reviewer(store, project, learner)
    notes = [other for other in store.notes("issue", issue.id) if not other.system]
    answered = any(other.author == reviewer and other.id < note.id for other in notes)
    if reviewer is None or (answered and learner in issue.assignees):
        return
    user = store.user(learner)
    name = user.name.split(" ")[0] if user else learner
    obstacle = _obstacle(store, project, issue, notes, learner, due)
    with store.transaction():
        if obstacle:
            body = f"Thank you for asking, {name}! {obstacle} {_alternatives(store, project, issue)}".rstrip()
        else:
            mine = learner in issue.assignees
            if not mine:
                store.assign_issue(issue.id, (learner,), by=reviewer)
            body = (
                f"With pleasure, {name}: it is {'already ' if mine else ''}yours. You need no rights here: "
                f"fork the project, work on a branch, and write `Closes #{issue.iid}` in the description of "
                "your merge request. Take your time, and ask here when something is unclear."
            )
        store.add_note("issue", issue.id, author=reviewer, body=body, at=due)


def _reviewer(store: Store, project: ProjectRow, learner: str) -> str | None:
    if project.review is not None:
        return project.review.reviewer
    names = (member.username for member in store.all_members(project))
    return next((name for name in names if name != learner), None)


def _obstacle(
    store: Store, project: ProjectRow, issue: IssueRow, notes: list[NoteRow], learner: str, now: datetime
) -> str:
    """Return why the learner cannot have the issue, in words; "" when it is free."""
    if issue.state != "opened":
        return "This one is closed: somebody has done it."
    others = [who for who in issue.assignees if who != learner]
    if others:
        return f"@{others[0]} is working on this one."
    for request in store.merge_requests(project.id):
        text = f"{request.title}\n{request.description}"
        if (
            request.state == "opened"
            and request.author != learner
            and issue.iid in mentioned_issues(text, project.full_path)
        ):
            return f"There is an open merge request for it already: !{request.iid} by @{request.author}."
    if learner in issue.assignees:
        return ""
    for other in notes:
        if other.author != learner and is_claim(other.body) and now - other.created_at < _RECENT:
            return f"@{other.author} asked for it a few days ago, so it is fair to wait a little."
    return ""


def _alternatives(store: Store, project: ProjectRow, taken: IssueRow) -> str:
    free = [
        f"#{issue.iid} ({issue.title})"
        for issue in store.issues(project.id)
        if issue.state == "opened" and not issue.assignees and issue.id != taken.id and issue.labels
    ]
    return f"How about {' or '.join(free[:2])}?" if free else "Other projects have free ones, too."
