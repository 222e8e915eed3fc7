"""Changing files over REST, without a clone: whole commits, or one file at a time.

https://docs.gitlab.com/api/commits/, https://docs.gitlab.com/api/repository_files/
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence

from msgspec import Struct

from isexplore.errors import GitError
from isexplore.practice.api import FORBIDDEN, Answer, Call, Refusal, Route, answer, refuse
from isexplore.practice.api_repository import (
    FORBIDDEN_IN_REF,
    commit_detail,
    find_commit,
)
from isexplore.practice.edits import VERBS, Edit, EditError, checked_path, commit_edits
from isexplore.practice.repository import ZERO, Repository, Signature
from isexplore.practice.rows import ProjectRow
from isexplore.practice.store_people import DEVELOPER, MAINTAINER

_NOT_THIS_BRANCH = "You are not allowed to push into this branch"
_NO_BRANCH = "You can only create or edit files when you are on a branch"
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


class _Start(Struct, frozen=True):
    """Where a commit begins."""

    project: ProjectRow
    branch: str | None
    sha: str | None


def _may_push(call: Call, project: ProjectRow, branch: str) -> bool:
    """Whether the caller may push to a branch; the default branch is protected, for maintainers only."""
    floor = MAINTAINER if branch == project.default_branch else DEVELOPER
    return not project.archived and call.level(project) >= floor


async def create_commit(call: Call) -> Answer:
    """POST /projects/:id/repository/commits."""
    project = call.project()
    branch, message = call.required("branch"), call.required("commit_message")
    actions = _actions(call)
    if not _may_push(call, project, branch):
        raise refuse(403, f"403 Forbidden - {_NOT_THIS_BRANCH}")
    start = _start(call, project, branch)
    try:
        edits = [_edit(index, action) for index, action in enumerate(actions)]
        for action in actions:
            path = str(action.get("previous_path") or action["file_path"])
            if action["action"] in ("update", "move", "delete") and await _has_changed(
                call, start, path, action.get("last_commit_id")
            ):
                raise EditError(f"The file has changed since you started editing it: {path}")
        repository, sha = await _commit(call, project, branch, start, message, edits)
    except EditError as error:
        raise refuse(400, str(error)) from None
    [facts] = await repository.commits(sha, limit=1)
    return answer(call, await commit_detail(call, project, repository, facts), 201)


async def create_file(call: Call) -> Answer:
    """POST /projects/:id/repository/files/:path."""
    return await _write_file(call, "create")


async def update_file(call: Call) -> Answer:
    """PUT /projects/:id/repository/files/:path."""
    return await _write_file(call, "update")


async def delete_file(call: Call) -> Answer:
    """DELETE /projects/:id/repository/files/:path."""
    return await _write_file(call, "delete")


async def _write_file(call: Call, verb: str) -> Answer:
    project = call.project()
    branch, message = call.required("branch"), call.required("commit_message")
    path = call.place["path"]
    content: bytes | None = None
    if verb != "delete":
        if call.text("content") is None:
            raise Refusal(400, {"error": "content is missing"})
        content = _content(call.text("content") or "", call.choice("encoding", ("text", "base64")), "content")
    call.signed_in()
    if project.archived or call.level(project) < DEVELOPER:
        raise refuse(403, FORBIDDEN)
    start = _start(call, project, branch)
    action = {"action": verb, "file_path": path, "execute_filemode": call.value("execute_filemode")}
    try:
        # Unlike a commit, a file says so with a 400.
        if not _may_push(call, project, branch):
            raise EditError(_NOT_THIS_BRANCH)
        if verb != "create" and await _has_changed(call, start, path, call.text("last_commit_id")):
            raise EditError(
                "You are attempting to update a file that has changed since you started editing it."
            )
        await _commit(call, project, branch, start, message, [_edit(0, action, content)])
    except EditError as error:
        raise refuse(400, str(error)) from None
    if verb == "delete":
        return Answer(status=204)
    return answer(call, {"file_path": path, "branch": branch}, 201 if verb == "create" else 200)


def _actions(call: Call) -> list[Mapping[str, object]]:
    """Return what is to be done, each with its `action` and `file_path`; 400 where something is missing."""
    given = call.value("actions")
    if given is None:
        raise Refusal(400, {"error": "actions is missing"})
    if not isinstance(given, Sequence) or not all(isinstance(action, Mapping) for action in given):
        raise Refusal(400, {"error": "actions is invalid"})
    for index, action in enumerate(given):
        for name in ("action", "file_path", *_NEEDED.get(str(action.get("action")), ())):
            if action.get(name) is None:
                raise Refusal(400, {"error": f"actions[{index}][{name}] is missing"})
        if action["action"] not in VERBS:
            raise Refusal(400, {"error": f"actions[{index}][action] does not have a valid value"})
    return list(given)


_NEEDED = {"update": ("content",), "move": ("previous_path",), "chmod": ("execute_filemode",)}


def _edit(index: int, action: Mapping[str, object], content: bytes | None = None) -> Edit:
    verb = next(verb for verb in VERBS if verb == action["action"])
    given, previous, mode = (action.get(name) for name in ("content", "previous_path", "execute_filemode"))
    if given is not None:
        encoding = action.get("encoding") or "text"
        if encoding not in ("text", "base64"):
            raise Refusal(400, {"error": f"actions[{index}][encoding] does not have a valid value"})
        content = _content(str(given), str(encoding), f"actions[{index}][content]")
    if mode is not None and str(mode).lower() not in _FLAGS:
        raise Refusal(400, {"error": f"actions[{index}][execute_filemode] is invalid"})
    return Edit(
        verb=verb,
        path=checked_path(str(action["file_path"])),
        previous_path=checked_path(str(previous)) if previous is not None else None,
        content=content,
        executable=_FLAGS[str(mode).lower()] if mode is not None else None,
    )


def _content(text: str, encoding: str | None, name: str) -> bytes:
    if encoding != "base64":
        return text.encode()
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise Refusal(400, {"error": f"{name} is invalid"}) from None


def _start(call: Call, project: ProjectRow, branch: str) -> _Start:
    """Return where the commit begins; 400 or 403 where that is no place to begin."""
    other = call.text("start_project")
    begin, sha = call.text("start_branch"), call.text("start_sha")
    if begin and sha:
        raise Refusal(400, {"error": "start_branch, start_sha are mutually exclusive"})
    if other is None:
        return _Start(project, None if sha else begin or branch, sha)
    origin = call.find_project(other)
    if origin is None:
        raise refuse(404, "404 Project Not Found")
    if origin.id not in (project.id, project.forked_from_id):
        why = f"Project is not included in the fork network for {origin.full_path}"
        raise refuse(403, f"403 Forbidden - {why}")
    return _Start(origin, None if sha else begin or branch, sha)


async def _has_changed(call: Call, start: _Start, path: str, known: object) -> bool:
    """Whether a file was changed after the commit that somebody saw it at (`last_commit_id`)."""
    if not known or start.branch is None:
        return False
    there = await find_commit(call, start.project, start.branch)
    seen = await find_commit(call, start.project, str(known))
    if there is None or seen is None:
        return False
    repository = there[0]
    newest, then = [
        await repository.commits(sha, limit=1, path=f":(literal){path}") for sha in (there[1], seen[1])
    ]
    return bool(newest and then) and newest[0].sha != then[0].sha


async def _parent(
    call: Call, project: ProjectRow, branch: str, start: _Start, there: str | None
) -> str | None:
    """Return the commit to build on, None in an empty repository; `EditError` in GitLab's words."""
    begin: str | None = None
    if start.sha is not None:
        found = await find_commit(call, start.project, start.sha)
        if found is None:
            raise EditError(f"Cannot find start_sha '{start.sha}'")
        begin = found[1]
    elif not start.project.empty_repo:
        found = await find_commit(call, start.project, f"refs/heads/{start.branch}")
        if found is None:
            raise EditError(_NO_BRANCH)
        begin = found[1]
    elsewhere = start.project.id != project.id or start.branch != branch
    if elsewhere and there is not None and not call.flag("force"):
        raise EditError(
            f"A branch called '{branch}' already exists. Switch to that branch in order to make changes"
        )
    if there is None and FORBIDDEN_IN_REF.search(branch):
        why = "Branch name is invalid"
        raise EditError(f"Something went wrong when we tried to create '{branch}' for you: {why}")
    return begin


async def _commit(
    call: Call,
    project: ProjectRow,
    branch: str,
    start: _Start,
    message: str,
    edits: Sequence[Edit],
) -> tuple[Repository, str]:
    """Make the commit and point the branch at it; `EditError` in GitLab's words."""
    store, user = call.store, call.signed_in()
    found = await find_commit(call, project, f"refs/heads/{branch}")
    there = found[1] if found else None
    parent = await _parent(call, project, branch, start, there)
    repository = await store.own_repository(project.id)
    if parent is not None and start.project.id != project.id:
        await repository.fetch(store.repository_path(start.project.id), parent)
    now = store.now()
    committer = Signature(name=user.name, email=user.email, when=now)
    author = Signature(
        name=(call.text("author_name") or "").strip() or user.name,
        email=(call.text("author_email") or "").strip() or user.email,
        when=now,
    )
    sha = await commit_edits(
        repository,
        parent,
        edits,
        message=message,
        author=author,
        committer=committer,
    )
    try:
        await repository.set_branch(branch, sha, there or ZERO)
    except GitError:
        raise EditError(f"Could not update refs/heads/{branch}. Please refresh and try again.") from None
    before = {branch: there} if there else {}
    await store.after_push(project.id, {branch: sha}, by=user.username, before=before)
    return repository, sha


_FILE = "/projects/:id/repository/files/:path"
ROUTES = (
    Route("POST", "/projects/:id/repository/commits", create_commit),
    Route("POST", _FILE, create_file),
    Route("PUT", _FILE, update_file),
    Route("DELETE", _FILE, delete_file),
)
