"""How rows of the practice forge look in GitLab's JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from urllib.parse import quote

from isexplore.practice.api import Call, Json
from isexplore.practice.database import stamp
from isexplore.practice.rows import (
    MemberRow,
    NamespaceRow,
    ProjectRow,
    UserRow,
)
from isexplore.practice.store_people import MAINTAINER

_LICENCES = {
    "mit": ("mit", "MIT License"),
    "apache-2.0": ("apache-2.0", "Apache License 2.0"),
    "gpl-3.0": ("gpl-3.0", "GNU General Public License v3.0"),
    "bsd-3-clause": ("bsd-3-clause", 'BSD 3-Clause "New" or "Revised" License'),
    "mpl-2.0": ("mpl-2.0", "Mozilla Public License 2.0"),
}


def time(moment: datetime | None) -> str | None:
    """Return a time as GitLab writes it, or None."""
    return None if moment is None else stamp(moment)


def person(call: Call, username: str | None) -> Json | None:
    """Return the short form of an account; a ghost where it does not exist, None for nobody."""
    if username is None:
        return None
    user = call.users.get(username)
    return {
        "id": user.id if user else 0,
        "username": username,
        "name": user.name if user else "Ghost User",
        "state": "active",
        "locked": False,
        "avatar_url": None,
        "web_url": f"{call.origin}/{username}",
    }


def account(call: Call, user: UserRow) -> Json:
    """Return what `GET /user` tells of the caller."""
    namespace = call.store.namespace(user.username)
    return {
        **(person(call, user.username) or {}),
        "created_at": time(user.created_at),
        "bio": "",
        "email": user.email,
        "commit_email": user.email,
        "public_email": "",
        "bot": user.bot,
        "external": user.external,
        "can_create_project": True,
        "can_create_group": False,
        "projects_limit": 100,
        "two_factor_enabled": False,
        "namespace_id": namespace.id if namespace else None,
    }


def namespace(call: Call, row: NamespaceRow) -> Json:
    """Return the short form of a group or a personal namespace."""
    group = row.kind == "group"
    return {
        "id": row.id,
        "name": row.name,
        "path": row.path,
        "kind": row.kind,
        "full_path": row.full_path,
        "parent_id": row.parent_id,
        "avatar_url": None,
        "web_url": f"{call.origin}/{'groups/' if group else ''}{row.full_path}",
    }


def full_group(call: Call, row: NamespaceRow) -> Json:
    """Return what `GET /groups` tells of a group."""
    return {
        "id": row.id,
        "web_url": f"{call.origin}/groups/{row.full_path}",
        "name": row.name,
        "path": row.path,
        "description": "",
        "visibility": "public" if call.store.is_public(row) else "internal",
        "project_creation_level": "developer",
        "subgroup_creation_level": "maintainer",
        "request_access_enabled": True,
        "full_name": row.full_path.replace("/", " / "),
        "full_path": row.full_path,
        "created_at": time(row.created_at),
        "parent_id": row.parent_id,
        "avatar_url": None,
    }


def _basic(call: Call, row: ProjectRow, holder: NamespaceRow | None) -> Json:
    page = f"{call.origin}/{quote(row.full_path)}"
    readme = None
    if row.readme_path and not _hidden_import(call, row):
        readme = f"{page}/-/blob/{quote(row.default_branch)}/{quote(row.readme_path)}"
    return {
        "id": row.id,
        "description": row.description or None,
        "name": row.name,
        "name_with_namespace": " / ".join([*row.namespace_path.split("/"), row.name]),
        "path": row.path,
        "path_with_namespace": row.full_path,
        "created_at": time(row.created_at),
        "default_branch": row.default_branch,
        "tag_list": row.topics,
        "topics": row.topics,
        "ssh_url_to_repo": f"ssh://git@{call.origin.partition('://')[2].partition(':')[0]}/{row.full_path}.git",
        "http_url_to_repo": f"{page}.git",
        "web_url": page,
        "readme_url": readme,
        "forks_count": row.forks_count,
        "avatar_url": None,
        "star_count": row.star_count,
        "last_activity_at": time(row.last_activity_at),
        "visibility": row.visibility,
        "namespace": namespace(call, holder) if holder else None,
    }


def _hidden_import(call: Call, row: ProjectRow) -> bool:
    return row.import_started_at is not None and call.store.import_status(row) != "finished"


def _full(call: Call, row: ProjectRow, level: int, direct: bool) -> Json:
    access = {"access_level": level, "notification_level": 3} if level else None
    own = f"{call.origin}/api/v4/projects/{row.id}"
    open_for = {True: "enabled", False: "disabled"}
    return {
        "_links": {
            "self": own,
            "issues": f"{own}/issues",
            "merge_requests": f"{own}/merge_requests",
            "repo_branches": f"{own}/repository/branches",
            "labels": f"{own}/labels",
            "events": f"{own}/events",
            "members": f"{own}/members",
        },
        "archived": row.archived,
        "empty_repo": row.empty_repo or _hidden_import(call, row),
        "visibility": row.visibility,
        "issues_enabled": row.issues_enabled,
        "merge_requests_enabled": row.merge_requests_enabled,
        "wiki_enabled": False,
        "jobs_enabled": True,
        "snippets_enabled": False,
        "issues_access_level": open_for[row.issues_enabled],
        "merge_requests_access_level": open_for[row.merge_requests_enabled],
        "repository_access_level": "enabled",
        "forking_access_level": open_for[row.forking_enabled],
        "builds_access_level": "enabled",
        "can_create_merge_request_in": (
            call.user is not None and row.merge_requests_enabled and not row.archived
        ),
        "creator_id": creator.id if (creator := call.users.get(row.creator)) else None,
        "import_status": call.store.import_status(row),
        **({"open_issues_count": row.open_issues_count} if row.issues_enabled else {}),
        "shared_with_groups": [],
        "only_allow_merge_if_pipeline_succeeds": bool(row.checks),
        "only_allow_merge_if_all_discussions_are_resolved": row.review is not None,
        "remove_source_branch_after_merge": False,
        "request_access_enabled": True,
        "merge_method": row.merge_method,
        "squash_option": "default_off",
        "suggestion_commit_message": None,
        "description_html": f"<p>{escape(row.description)}</p>" if row.description else "",
        "autoclose_referenced_issues": True,
        "ci_config_path": None,
        "updated_at": time(row.last_activity_at),
        "repository_object_format": "sha1",
        "marked_for_deletion_on": None,
        "permissions": {
            "project_access": access if direct else None,
            "group_access": None if direct else access,
        },
    }


def projects(call: Call, rows: Sequence[ProjectRow], *, simple: bool = False) -> list[Json]:
    """Return projects as a list shows them: basic for `simple` and anonymous callers, else full."""
    if not rows:
        return []
    holders = {
        holder.id: holder
        for holder in call.store.rows(
            NamespaceRow,
            f"SELECT * FROM namespaces WHERE id IN ({_marks(rows)})",
            [row.namespace_id for row in rows],
        )
    }
    shapes = [_basic(call, row, holders.get(row.namespace_id)) for row in rows]
    if simple or call.user is None:
        return shapes
    own = {
        member.project_id: member.access_level
        for member in call.store.rows(
            MemberRow,
            f"SELECT * FROM members WHERE username = ? AND project_id IN ({_marks(rows)})",
            [call.user.username, *(row.id for row in rows)],
        )
    }
    groups = {
        holder.id: call.store.group_level(holder, call.user.username)
        for holder in holders.values()
        if holder.kind == "group" and holder.id in call.joined_groups
    }
    origins = _origins(call, rows)
    for row, shape in zip(rows, shapes, strict=True):
        level = max(own.get(row.id, 0), groups.get(row.namespace_id, 0))
        shape.update(_full(call, row, level, own.get(row.id, 0) >= groups.get(row.namespace_id, 0)))
        holder = holders.get(row.namespace_id)
        if holder is not None and holder.kind == "user":
            shape["owner"] = person(call, holder.full_path)
        if row.forked_from_id is not None:
            shape["mr_default_target_self"] = False
            if row.forked_from_id in origins:
                shape["forked_from_project"] = origins[row.forked_from_id]
    return shapes


def _origins(call: Call, rows: Sequence[ProjectRow]) -> dict[int, Json]:
    wanted = [row.forked_from_id for row in rows if row.forked_from_id is not None]
    if not wanted:
        return {}
    found = call.store.rows(ProjectRow, f"SELECT * FROM projects WHERE id IN ({_marks(wanted)})", wanted)
    return {
        row.id: _basic(call, row, call.store.namespace_by_id(row.namespace_id))
        for row in found
        if call.can_see(row)
    }


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def project(call: Call, row: ProjectRow, *, licence: bool = False) -> Json:
    """Return one project as `GET /projects/:id` shows it."""
    shape = projects(call, [row])[0]
    if call.user is not None and call.level(row) >= MAINTAINER:
        shape["import_error"] = None
    if licence:
        shape["license_url"] = (
            f"{shape['web_url']}/-/blob/{row.default_branch}/LICENSE" if row.licence else None
        )
        shape["license"] = _licence(row.licence) if row.licence else None
    return shape


def _licence(name: str) -> Json:
    key, title = _LICENCES.get(name.lower(), (name.lower(), name))
    page = f"https://spdx.org/licenses/{name}.html"
    return {"key": key, "name": title, "nickname": None, "html_url": page, "source_url": None}


def member(call: Call, row: MemberRow) -> Json:
    """Return a member of a project."""
    return {
        **(person(call, row.username) or {}),
        "access_level": row.access_level,
        "created_at": time(row.created_at),
        "expires_at": None,
        "membership_state": "active",
    }
