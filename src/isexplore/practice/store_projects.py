"""Projects of the practice forge: rows, topics, stars, forks, labels, and where their repositories are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from isexplore.practice.database import Value, stamp
from isexplore.practice.rows import LabelRow, LightProject, ProjectRow
from isexplore.practice.seed import CheckSeed, ReviewSeed
from isexplore.practice.store_people import OWNER, People

TEMPLATE = "template.git"
"""The repository that synthetic projects share until one of them needs its own."""
_LABEL_COLOURS = ("#428bca", "#44ad8e", "#d9534f", "#8e44ad", "#f0ad4e", "#34495e", "#69d100", "#cc338b")


def searchable(name: str, full_path: str, description: str) -> str:
    """Return the text that must contain every word of a search, so that most rows are ruled out cheaply."""
    return f"{name}\n{full_path}\n{description}".lower()


class Projects(People):
    """Rows of projects and what hangs on them."""

    def create_project(
        self,
        full_path: str,
        *,
        name: str | None = None,
        description: str = "",
        visibility: str = "internal",
        default_branch: str = "main",
        topics: Sequence[str] = (),
        languages: Mapping[str, float] | None = None,
        licence: str | None = None,
        stars: int = 0,
        forks: int = 0,
        labels: Sequence[str] = (),
        members: Mapping[str, int] | None = None,
        archived: bool = False,
        forking_enabled: bool = True,
        merge_requests_enabled: bool = True,
        issues_enabled: bool = True,
        merge_method: Literal["merge", "ff"] = "merge",
        checks: Sequence[CheckSeed] = (),
        review: ReviewSeed | None = None,
        creator: str = "",
        empty_repo: bool = False,
        readme_path: str | None = None,
        created_at: datetime | None = None,
        last_activity_at: datetime | None = None,
    ) -> int:
        """Add a project's rows; return its id. Its bare repository (`repository_path`) is the caller's work.

        Groups on the way come into being. `stars` and `forks` are counts to show beside real ones;
        `creator` defaults to the strongest member.
        """
        now = created_at or self.now()
        roles = dict(members or {})
        namespace_path, _, last = full_path.rpartition("/")
        shares = dict(languages or {})
        with self.transaction():
            topics = [self._topic(topic)[1] for topic in topics]
            namespace = self.namespace(namespace_path)
            namespace_id = namespace.id if namespace else self.create_group(namespace_path, at=created_at)
            project_id = self.insert(
                "projects",
                {
                    "full_path": full_path,
                    "name": name or last,
                    "namespace_id": namespace_id,
                    "description": description,
                    "words": searchable(name or last, full_path, description),
                    "visibility": visibility,
                    "default_branch": default_branch,
                    "topics": tuple(topics),
                    "language": max(shares, key=lambda language: shares[language]) if shares else None,
                    "languages": shares,
                    "licence": licence,
                    "star_count": stars,
                    "forks_count": forks,
                    "archived": archived,
                    "forking_enabled": forking_enabled,
                    "merge_requests_enabled": merge_requests_enabled,
                    "issues_enabled": issues_enabled,
                    "merge_method": merge_method,
                    "creator": creator or max(roles, key=lambda who: roles[who], default=""),
                    "created_at": now,
                    "last_activity_at": last_activity_at or now,
                    "empty_repo": empty_repo,
                    "readme_path": readme_path,
                    "checks": tuple(checks),
                    "review": msgspec.json.encode(review).decode(),
                },
            )
            for topic in topics:
                self._add_topic(topic, project_id)
            for label in labels:
                self.create_label(project_id, label)
            for username, level in roles.items():
                self.set_member(project_id, username, level, at=now)
        return project_id

    def create_fork(
        self,
        origin: ProjectRow,
        namespace_path: str,
        *,
        owner: str,
        path: str | None = None,
        name: str | None = None,
        description: str | None = None,
        visibility: str | None = None,
        branch: str | None = None,
    ) -> ProjectRow:
        """Add the rows of a fork that is still being imported; `owner` gets the owner's role.

        Topics stay behind, as on GitLab: a fork is not found where its original is. With `branch` only that
        one is copied.
        """
        now = self.now()
        with self.transaction():
            project_id = self.create_project(
                f"{namespace_path}/{path or origin.path}",
                name=name or origin.name,
                description=origin.description if description is None else description,
                visibility=visibility or origin.visibility,
                default_branch=origin.default_branch,
                languages=origin.languages,
                licence=origin.licence,
                members={owner: OWNER},
                empty_repo=origin.empty_repo,
                readme_path=origin.readme_path,
                created_at=now,
            )
            self.update(
                "projects",
                project_id,
                {"forked_from_id": origin.id, "import_started_at": now, "own_repository": False},
            )
            if branch is not None:
                self.set_fact(f"branch of fork {project_id}", branch)
            self.execute("UPDATE projects SET forks_count = forks_count + 1 WHERE id = ?", (origin.id,))
        return self.project_or_fail(project_id)

    def create_light_projects(self, projects: Iterable[LightProject]) -> int:
        """Add many synthetic projects at once; return how many. They share the template repository."""
        now = self.now()
        known = {str(p): int(i or 0) for p, i in self.tuples("SELECT full_path, id FROM namespaces")}
        known_topics: dict[str, tuple[int, str]] = {}
        next_id = self.number("SELECT max(id) FROM projects") + 1
        first = next_id
        rows: list[tuple[Value, ...]] = []
        links: list[tuple[Value, ...]] = []
        with self.transaction():
            for project in projects:
                group, _, last = project.path.rpartition("/")
                if group not in known:
                    known[group] = self.create_group(group)
                for topic in project.topics:
                    if topic not in known_topics:
                        known_topics[topic] = self._topic(topic)
                chosen = dict.fromkeys(known_topics[topic] for topic in project.topics)
                links += [(topic_id, next_id) for topic_id, _ in chosen]
                names = [name for _, name in chosen]
                rows.append(_light_row(next_id, known[group], last, project, names, now))
                next_id += 1
            self.execute_many(
                "INSERT INTO projects (id, full_path, name, namespace_id, description, visibility, topics,"
                " language, languages, star_count, forks_count, open_issues_count, archived, created_at,"
                " last_activity_at, words, own_repository, readme_path)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 'README.md')",
                rows,
            )
            self.execute_many("INSERT INTO project_topics VALUES (?, ?)", links)
            self.execute(
                "UPDATE topics SET projects ="
                " (SELECT count(*) FROM project_topics WHERE topic_id = topics.id)"
            )
        return next_id - first

    def project(self, project_id: int) -> ProjectRow | None:
        """Return a project by its id."""
        return self.row(ProjectRow, "SELECT * FROM projects WHERE id = ?", (project_id,))

    def project_or_fail(self, project_id: int) -> ProjectRow:
        """Return a project that must exist; `LookupError` where it does not."""
        found = self.project(project_id)
        if found is None:
            raise LookupError(f"no project {project_id}")
        return found

    def project_by_path(self, full_path: str) -> ProjectRow | None:
        """Return a project by its full path, in any case."""
        return self.row(ProjectRow, "SELECT * FROM projects WHERE full_path = ?", (full_path,))

    def forks_of(self, project_id: int) -> list[ProjectRow]:
        """Return the forks of a project, newest first."""
        return self.rows(
            ProjectRow, "SELECT * FROM projects WHERE forked_from_id = ? ORDER BY id DESC", (project_id,)
        )

    def repositories(self) -> Path:
        """Return the folder of all bare repositories."""
        folder = self.data_dir / "repositories"
        folder.mkdir(exist_ok=True, mode=0o700)
        return folder

    def template_path(self) -> Path:
        """Return where the repository that synthetic projects share is, or has to be made."""
        return self.repositories() / TEMPLATE

    def own_repository_path(self, project_id: int) -> Path:
        """Return where the project's own bare repository is, or will be."""
        return self.repositories() / f"{project_id}.git"

    def repository_path(self, project_id: int) -> Path:
        """Return the bare repository to read for a project: its own, or the shared template."""
        project = self.project_or_fail(project_id)
        if project.own_repository or project.forked_from_id is not None:
            return self.own_repository_path(project_id)
        return self.template_path()

    def describe_repository(self, project_id: int, *, empty_repo: bool, readme_path: str | None) -> None:
        """Tell a project's row what its repository holds."""
        self.update("projects", project_id, {"empty_repo": empty_repo, "readme_path": readme_path})

    def adopt_repository(self, project_id: int) -> None:
        """Tell a project's row that its own bare repository exists now."""
        self.update("projects", project_id, {"own_repository": True})

    def touch(self, project_id: int, at: datetime | None = None) -> None:
        """Note that something happened in a project."""
        self.update("projects", project_id, {"last_activity_at": at or self.now()})

    def set_topics(self, project_id: int, topics: Sequence[str]) -> None:
        """Replace a project's topics."""
        with self.transaction():
            self.execute(
                "UPDATE topics SET projects = projects - 1 WHERE id IN"
                " (SELECT topic_id FROM project_topics WHERE project_id = ?)",
                (project_id,),
            )
            self.execute("DELETE FROM project_topics WHERE project_id = ?", (project_id,))
            topics = [self._topic(topic)[1] for topic in topics]
            self.update("projects", project_id, {"topics": tuple(topics)})
            for topic in topics:
                self._add_topic(topic, project_id)

    def _topic(self, name: str) -> tuple[int, str]:
        """Return a topic's id, and its name as first typed: names are unique whatever their case."""
        self.execute("INSERT OR IGNORE INTO topics (name) VALUES (?)", (name,))
        found = self.tuples("SELECT id, name FROM topics WHERE name = ?", (name,))
        return int(found[0][0] or 0), str(found[0][1])

    def _add_topic(self, name: str, project_id: int) -> None:
        topic_id = self._topic(name)[0]
        if self.execute("INSERT OR IGNORE INTO project_topics VALUES (?, ?)", (topic_id, project_id)):
            self.execute("UPDATE topics SET projects = projects + 1 WHERE id = ?", (topic_id,))

    def create_label(
        self, project_id: int, name: str, *, color: str | None = None, description: str | None = None
    ) -> int:
        """Add a label; return its id. A label that exists stays as it is."""
        existing = self.number("SELECT id FROM labels WHERE project_id = ? AND name = ?", (project_id, name))
        if existing:
            return existing
        colour = color or _LABEL_COLOURS[sum(name.encode()) % len(_LABEL_COLOURS)]
        return self.insert(
            "labels", {"project_id": project_id, "name": name, "color": colour, "description": description}
        )

    def labels(self, project_id: int) -> list[LabelRow]:
        """Return a project's labels by name."""
        return self.rows(LabelRow, "SELECT * FROM labels WHERE project_id = ? ORDER BY name", (project_id,))

    def star(self, project_id: int, username: str) -> bool:
        """Add somebody's star; return whether that changed anything."""
        return self._star(
            project_id, "INSERT OR IGNORE INTO stars (username, project_id) VALUES (?, ?)", username, 1
        )

    def unstar(self, project_id: int, username: str) -> bool:
        """Take somebody's star away; return whether that changed anything."""
        return self._star(project_id, "DELETE FROM stars WHERE username = ? AND project_id = ?", username, -1)

    def _star(self, project_id: int, change: str, username: str, step: int) -> bool:
        with self.transaction():
            changed = self.execute(change, (username, project_id)) > 0
            if changed:
                self.execute(
                    "UPDATE projects SET star_count = star_count + ? WHERE id = ?", (step, project_id)
                )
        return changed


def _light_row(
    project_id: int,
    namespace_id: int,
    name: str,
    project: LightProject,
    topics: Sequence[str],
    now: datetime,
) -> tuple[Value, ...]:
    language = project.language
    return (
        project_id,
        project.path,
        name,
        namespace_id,
        project.description,
        project.visibility,
        msgspec.json.encode(topics).decode(),
        language,
        msgspec.json.encode({language: 100.0} if language else {}).decode(),
        project.stars,
        project.forks,
        project.open_issues,
        int(project.archived),
        stamp(now - timedelta(days=project.created_days_ago)),
        stamp(now - timedelta(days=project.active_days_ago)),
        searchable(name, project.path, project.description),
    )
