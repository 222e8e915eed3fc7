"""Accounts, groups and roles of the practice forge."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from isexplore.practice.database import Database
from isexplore.practice.rows import MemberRow, NamespaceRow, ProjectRow, UserRow

GUEST, REPORTER, DEVELOPER, MAINTAINER, OWNER = 10, 20, 30, 40, 50
"""GitLab's access levels."""


class People(Database):
    """Users, groups, members."""

    def create_user(
        self,
        username: str,
        name: str,
        *,
        email: str | None = None,
        bot: bool = False,
        external: bool = False,
        at: datetime | None = None,
    ) -> int:
        """Add an account with its personal namespace; return its id. One that exists stays as it is."""
        existing = self.user(username)
        if existing is not None:
            return existing.id
        now = at or self.now()
        fields = {
            "username": username,
            "name": name,
            "email": email or f"{username}@practice.example",
            "bot": bot,
            "external": external,
            "created_at": now,
        }
        with self.transaction():
            user_id = self.insert("users", fields)
            namespace = {"kind": "user", "full_path": username, "name": name, "created_at": now}
            self.insert("namespaces", namespace)
        return user_id

    def user(self, username: str) -> UserRow | None:
        """Return an account by its name."""
        return self.row(UserRow, "SELECT * FROM users WHERE username = ?", (username,))

    def user_by_id(self, user_id: int) -> UserRow | None:
        """Return an account by its id."""
        return self.row(UserRow, "SELECT * FROM users WHERE id = ?", (user_id,))

    def users(self) -> dict[str, UserRow]:
        """Return all accounts by name."""
        return {user.username: user for user in self.rows(UserRow, "SELECT * FROM users ORDER BY id")}

    def create_group(
        self,
        full_path: str,
        name: str | None = None,
        *,
        members: Mapping[str, int] | None = None,
        at: datetime | None = None,
    ) -> int:
        """Add a group and its missing ancestors; return its id. A group that exists keeps its name.

        Args:
            full_path: `group/sub`.
            name: shown name; the last part of the path when None.
            members: username to access level, for the group and everything below it.
            at: when it came into being; now when None.
        """
        now = at or self.now()
        with self.transaction():
            existing = self.namespace(full_path)
            if existing is None:
                parent, _, last = full_path.rpartition("/")
                fields = {
                    "kind": "group",
                    "full_path": full_path,
                    "name": name or last,
                    "parent_id": self.create_group(parent, at=at) if parent else None,
                    "created_at": now,
                }
                group_id = self.insert("namespaces", fields)
            else:
                group_id = existing.id
            for username, level in (members or {}).items():
                self.execute(
                    "INSERT OR REPLACE INTO group_members VALUES (?, ?, ?, ?)",
                    (group_id, username, level, now),
                )
        return group_id

    def namespace(self, full_path: str) -> NamespaceRow | None:
        """Return a group or a personal namespace by its full path, in any case."""
        return self.row(NamespaceRow, "SELECT * FROM namespaces WHERE full_path = ?", (full_path,))

    def namespace_by_id(self, namespace_id: int) -> NamespaceRow | None:
        """Return a group or a personal namespace by its id."""
        return self.row(NamespaceRow, "SELECT * FROM namespaces WHERE id = ?", (namespace_id,))

    def namespaces_of(self, username: str) -> list[NamespaceRow]:
        """Return the user's personal namespace, then the groups where they have a role, with subgroups."""
        own = self.rows(NamespaceRow, "SELECT * FROM namespaces WHERE full_path = ?", (username,))
        groups = self.rows(
            NamespaceRow,
            "SELECT DISTINCT n.* FROM namespaces n JOIN group_members m JOIN namespaces g"
            " ON g.id = m.namespace_id WHERE m.username = ? AND n.kind = 'group'"
            " AND (n.id = g.id OR n.full_path LIKE g.full_path || '/%') ORDER BY n.full_path",
            (username,),
        )
        return own + groups

    def is_public(self, group: NamespaceRow) -> bool:
        """Whether strangers may see a group: it holds something that they may see."""
        # From the slash to the character after it: what begins with the group's path, by the index.
        found = self.scalar(
            "SELECT 1 FROM projects WHERE full_path >= ? AND full_path < ? AND visibility = 'public' LIMIT 1",
            (f"{group.full_path}/", f"{group.full_path}0"),
        )
        return found is not None

    def group_level(self, namespace: NamespaceRow, username: str) -> int:
        """Return the user's access level in a group, inherited from above; owners have 50 in their own."""
        if namespace.kind == "user":
            return OWNER if namespace.full_path == username else 0
        return self.number(
            "SELECT max(m.access_level) FROM group_members m JOIN namespaces g ON g.id = m.namespace_id"
            " WHERE m.username = ? AND (g.full_path = ? OR ? LIKE g.full_path || '/%')",
            (username, namespace.full_path, namespace.full_path),
        )

    def set_member(
        self, project_id: int, username: str, access_level: int, *, at: datetime | None = None
    ) -> None:
        """Give somebody a role in a project."""
        self.execute(
            "INSERT OR REPLACE INTO members (project_id, username, access_level, created_at)"
            " VALUES (?, ?, ?, ?)",
            (project_id, username, access_level, at or self.now()),
        )

    def direct_members(self, project_id: int) -> list[MemberRow]:
        """Return who has a role in the project itself, strongest first."""
        return self.rows(
            MemberRow,
            "SELECT * FROM members WHERE project_id = ? ORDER BY access_level DESC, created_at, username",
            (project_id,),
        )

    def all_members(self, project: ProjectRow) -> list[MemberRow]:
        """Return who has a role in the project or a group above it, each once, with the strongest."""
        best: dict[str, MemberRow] = {}
        inherited = self.rows(
            MemberRow,
            "SELECT ? AS project_id, m.username, m.access_level, m.created_at FROM group_members m"
            " JOIN namespaces g ON g.id = m.namespace_id WHERE ? LIKE g.full_path || '/%'",
            (project.id, project.full_path),
        )
        for member in [*self.direct_members(project.id), *inherited]:
            known = best.get(member.username)
            if known is None or known.access_level < member.access_level:
                best[member.username] = member
        return sorted(best.values(), key=lambda member: (-member.access_level, member.username))

    def access_level(self, project: ProjectRow, username: str | None) -> int:
        """Return somebody's access level in a project, 0 for none; inherited roles count."""
        if username is None:
            return 0
        direct = self.number(
            "SELECT access_level FROM members WHERE username = ? AND project_id = ?", (username, project.id)
        )
        if direct == OWNER:
            return direct
        inherited = self.number(
            "SELECT max(m.access_level) FROM group_members m JOIN namespaces g ON g.id = m.namespace_id"
            " WHERE m.username = ? AND ? LIKE g.full_path || '/%'",
            (username, project.full_path),
        )
        return max(direct, inherited)
