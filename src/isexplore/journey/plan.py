"""What a step will do, literally: the request as the forge's API names it, and the git command line.

The lines are for people: to read before they agree, and to paste into a shell instead. The token is never
in them; the shell twin of a request reads it from `$TOKEN`.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from isexplore.forge.drafts import ready_title
from isexplore.journey.states import Command
from isexplore.models import ForgeKind, ForkTarget, Project
from isexplore.text import shorten

Value = str | int | bool | Sequence[str] | Sequence[int]

MAX_SHOWN = 60
"""Characters of a value in a shown line; the shell twin holds all of it."""


def api_base(kind: ForgeKind, url: str, api_url: str | None = None) -> str:
    """Return the address that request paths are added to."""
    if api_url:
        return api_url.rstrip("/")
    base = url.rstrip("/")
    match kind:
        case ForgeKind.GITLAB:
            return f"{base}/api/v4"
        case ForgeKind.GITEA:
            return f"{base}/api/v1"
        case ForgeKind.GITHUB:
            return "https://api.github.com" if base == "https://github.com" else f"{base}/api/v3"


def _header(kind: ForgeKind) -> str:
    match kind:
        case ForgeKind.GITLAB:
            return "PRIVATE-TOKEN: $TOKEN"
        case ForgeKind.GITEA:
            return "Authorization: token $TOKEN"
        case ForgeKind.GITHUB:
            return "Authorization: Bearer $TOKEN"


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        line = shorten(" ".join(value.split()), MAX_SHOWN)
        return f'"{line}"' if not line or " " in line else line
    return ",".join(map(str, value))


class Requests:
    """Writes the requests of one forge, for one project."""

    def __init__(self, kind: ForgeKind, base: str) -> None:
        self._kind = kind
        self._base = base

    def _project(self, project: Project) -> str:
        if self._kind is not ForgeKind.GITLAB:
            return f"/repos/{quote(project.path)}"
        return f"/projects/{project.id or quote(project.path, safe='')}"

    def _request(self, method: str, path: str, body: Mapping[str, Value]) -> Command:
        words = "  ".join(f"{key}={_shown(value)}" for key, value in body.items())
        shell = " ".join(
            (
                f"curl --fail-with-body --request {method}",
                # Double quotes, so that the shell puts the token in.
                f'--header "{_header(self._kind)}"',
                "--header 'Content-Type: application/json'",
                "--data " + shlex.quote(json.dumps(body, ensure_ascii=False)),
                shlex.quote(self._base + path),
            )
        )
        return Command(kind="api", text=f"{method} {path}" + (f"  {words}" if words else ""), shell=shell)

    def assign(self, project: Project, number: int, *, username: str, user_id: str) -> Command:
        """Take an issue."""
        path = f"{self._project(project)}/issues/{number}"
        match self._kind:
            case ForgeKind.GITLAB:
                ids: Value = (int(user_id),) if user_id.isdigit() else (user_id,)
                return self._request("PUT", path, {"assignee_ids": ids})
            case ForgeKind.GITEA:
                return self._request("PATCH", path, {"assignees": (username,)})
            case ForgeKind.GITHUB:
                return self._request("POST", f"{path}/assignees", {"assignees": (username,)})

    def comment(self, project: Project, number: int, body: str) -> Command:
        """Write a comment on an issue."""
        word = "notes" if self._kind is ForgeKind.GITLAB else "comments"
        return self._request("POST", f"{self._project(project)}/issues/{number}/{word}", {"body": body})

    def fork(self, project: Project, *, target: ForkTarget | None = None, name: str = "") -> Command:
        """Make a fork, in one's own namespace when there is no `target`."""
        body: dict[str, Value] = {}
        if self._kind is ForgeKind.GITLAB:
            if target is not None and target.id.isdigit():
                body["namespace_id"] = int(target.id)
            elif target is not None:
                body["namespace_path"] = target.path
            if name:
                body |= {"name": name, "path": name}
            return self._request("POST", f"{self._project(project)}/fork", body)
        if target is not None:
            body["organization"] = target.path
        if name:
            body["name"] = name
        return self._request("POST", f"{self._project(project)}/forks", body)

    def open_merge_request(
        self,
        source: Project,
        target: Project,
        *,
        branch: str,
        into: str,
        title: str,
        body: str,
        draft: bool,
    ) -> Command:
        """Ask the owners to take a branch."""
        if self._kind is ForgeKind.GITLAB:
            target_id: Value = int(target.id) if target.id.isdigit() else target.path
            fields: dict[str, Value] = {
                "source_branch": branch,
                "target_branch": into,
                "target_project_id": target_id,
                "title": f"Draft: {title}" if draft else title,
                "description": body,
            }
            if source.path != target.path:
                fields["allow_collaboration"] = True
            return self._request("POST", f"{self._project(source)}/merge_requests", fields)
        head = branch if source.path == target.path else f"{source.path.split('/')[0]}:{branch}"
        words: dict[str, Value] = {"head": head, "base": into, "title": title, "body": body}
        if self._kind is ForgeKind.GITHUB:
            words |= {"draft": draft, "maintainer_can_modify": True}
        elif draft:
            words["title"] = f"WIP: {title}"
        return self._request("POST", f"{self._project(target)}/pulls", words)

    def mark_ready(self, project: Project, number: int, title: str) -> Command:
        """Take the draft mark off a merge request with this title."""
        match self._kind:
            case ForgeKind.GITLAB:
                path = f"{self._project(project)}/merge_requests/{number}"
                return self._request("PUT", path, {"title": ready_title(title)})
            case ForgeKind.GITEA:
                path = f"{self._project(project)}/pulls/{number}"
                return self._request("PATCH", path, {"title": ready_title(title)})
            case ForgeKind.GITHUB:
                # GraphQL wants an id that has to be asked for first.
                text = f"POST /graphql  markPullRequestReadyForReview  {project.path}#{number}"
                return Command(kind="api", text=text)

    def reply(self, project: Project, number: int, body: str, *, discussion: str | None) -> Command:
        """Answer a reviewer."""
        if self._kind is not ForgeKind.GITLAB:
            return self._request("POST", f"{self._project(project)}/issues/{number}/comments", {"body": body})
        path = f"{self._project(project)}/merge_requests/{number}"
        if discussion is None:
            return self._request("POST", f"{path}/notes", {"body": body})
        return self._request("POST", f"{path}/discussions/{discussion}/notes", {"body": body})


def git(command: Sequence[str]) -> Command:
    """Return a git command line, one line long where it is shown."""
    line = shlex.join(command)
    return Command(kind="git", text=" ".join(line.split()), shell=line)


def you(text: str) -> Command:
    """Return something that only a person can do."""
    return Command(kind="you", text=text)
