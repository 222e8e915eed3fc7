"""The practice forge's world: rows and bare repositories in one folder, and what changes both together.

    data_dir/world.sqlite3            rows (`isexplore.practice.rows`)
    data_dir/repositories/<id>.git    one bare repository per project
    data_dir/repositories/template.git   shared by synthetic projects

One process writes. A kill at any moment loses nothing: rows change in transactions, repositories appear
by renaming, and whatever touches both can be done again (`recover`).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from isexplore.errors import GitError
from isexplore.practice.database import utc_now
from isexplore.practice.repository import Repository, Signature, copy_bare
from isexplore.practice.rows import MergeRequestRow, ProjectRow
from isexplore.practice.store_events import Events


class Store(Events):
    """Everything the practice forge remembers. Row methods are immediate; those that run git are async."""

    def __init__(self, data_dir: Path, clock: Callable[[], datetime] = utc_now) -> None:
        super().__init__(data_dir, clock)
        self.import_time = timedelta(seconds=1.5)
        """How long the forge says that a fork takes."""
        self.prepare_time = timedelta(seconds=0.7)
        """How long a new merge request has neither head nor checks."""
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """Work on one project's repository, or one merge request, is done by one coroutine at a time."""

    @property
    def empty(self) -> bool:
        """Whether nothing was ever put into this world."""
        return self.scalar("SELECT 1 FROM projects LIMIT 1") is None

    def repository(self, project_id: int) -> Repository:
        """Return the repository to read for a project."""
        return Repository(self.repository_path(project_id))

    # -- forks

    def import_status(self, project: ProjectRow) -> str:
        """Return how far a fork is, in GitLab's word; `none` for other projects."""
        if project.import_started_at is None:
            return "none"
        age = self.now() - project.import_started_at
        if age >= self.import_time and project.own_repository:
            return "finished"
        return "scheduled" if age < self.import_time / 3 else "started"

    def visible_by_path(self, project: ProjectRow) -> bool:
        """Whether a fork can be found by its path yet; real forges need a moment."""
        return (
            project.import_started_at is None
            or self.now() - project.import_started_at >= self.import_time / 4
        )

    async def import_fork(self, project_id: int) -> None:
        """Copy the original's branches into a fork; nothing where that is done."""
        project = self.project_or_fail(project_id)
        if project.forked_from_id is not None:
            await self.own_repository(project_id)

    async def own_repository(self, project_id: int) -> Repository:
        """Return the project's own repository to write to, copied from the template where it has none."""
        async with self._turns[f"repository {project_id}"]:
            project = self.project_or_fail(project_id)
            if not project.own_repository:
                source = self.repository_path(project.forked_from_id or project_id)
                branch = self.fact(f"branch of fork {project_id}")
                await copy_bare(source, self.own_repository_path(project_id), branch)
                if branch not in (None, project.default_branch):
                    await self.refresh_project(project_id)
                self.adopt_repository(project_id)
        return Repository(self.own_repository_path(project_id))

    # -- merge requests

    async def prepare(self, merge_request_id: int) -> MergeRequestRow:
        """Look at the branches of a merge request: head, base, changed files, conflicts; start its checks.

        Idempotent; the way by which a new merge request and a pushed-to one become reviewable.
        """
        async with self._turns[f"merge request {merge_request_id}"]:
            return await self._prepare(merge_request_id)

    async def _prepare(self, merge_request_id: int) -> MergeRequestRow:
        merge_request = self.merge_request_or_fail(merge_request_id)
        if merge_request.state != "opened":
            return merge_request
        source = self.repository(merge_request.source_project_id)
        sha = await source.commit_id(f"refs/heads/{merge_request.source_branch}")
        if sha is None or (sha == merge_request.sha and merge_request.base_sha):
            return merge_request
        target = await self.own_repository(merge_request.project_id)
        await target.fetch(
            source.path,
            f"+refs/heads/{merge_request.source_branch}:refs/merge-requests/{merge_request.iid}/head",
        )
        tip = await target.commit_id(f"refs/heads/{merge_request.target_branch}")
        base = await target.merge_base(tip, sha) if tip else None
        changed = await target.changed_files(base, sha) if base else []
        conflicts = bool(tip) and await target.merged_tree(tip or "", sha) is None
        commits = await target.commits(f"{merge_request.sha or base}..{sha}") if base else []
        moment = self.now()
        if merge_request.sha is None:
            # A new one was due shortly after it was opened, whether or not anybody served the world then.
            moment = min(moment, merge_request.created_at + self.prepare_time)
        with self.transaction():
            updated = self.update_merge_request(
                merge_request_id,
                {
                    "sha": sha,
                    "base_sha": base,
                    "changes_count": len(changed),
                    "conflicts": conflicts,
                    "prepared_at": merge_request.prepared_at or moment,
                    "pushed_at": moment,
                },
            )
            if merge_request.sha is not None:
                lines = "".join(f"<li>{commit.sha[:8]} - {commit.title}</li>" for commit in commits)
                count = f"{len(commits)} commit" + ("" if len(commits) == 1 else "s")
                self.add_note(
                    "merge_request",
                    merge_request_id,
                    author=merge_request.author,
                    body=f"added {count}\n\n<ul>{lines}</ul>",
                    system=True,
                )
            checks = self.project_or_fail(merge_request.project_id).checks
            if checks:
                self.set_pipeline(
                    merge_request_id, "pending", [(check.name, "created", "") for check in checks], at=moment
                )
        return updated

    async def prepare_due(self) -> None:
        """Prepare every new merge request whose moment has come."""
        for merge_request in self.open_merge_requests():
            if (
                merge_request.prepared_at is None
                and self.now() - merge_request.created_at >= self.prepare_time
            ):
                await self.prepare(merge_request.id)

    async def after_push(
        self,
        project_id: int,
        branches: Mapping[str, str | None],
        *,
        by: str | None = None,
        before: Mapping[str, str] | None = None,
    ) -> None:
        """Bring rows in line with branches that were pushed.

        Args:
            project_id: whose.
            branches: name to new commit, None for deleted ones.
            by: who pushed; nothing is written down of a push by nobody.
            before: name to earlier commit; new branches are missing.
        """
        project = self.project_or_fail(project_id)
        self.touch(project_id)
        if by is not None:
            for name, sha in branches.items():
                await self._note_push(project, name, (before or {}).get(name), sha, by)
        if project.default_branch in branches or project.empty_repo:
            await self.refresh_project(project_id)
        for merge_request in self.open_merge_requests():
            if merge_request.source_project_id == project_id and merge_request.source_branch in branches:
                if merge_request.prepared_at is not None:
                    await self.prepare(merge_request.id)
            elif merge_request.project_id == project_id and merge_request.target_branch in branches:
                await self.recheck(merge_request.id)

    async def _note_push(
        self, project: ProjectRow, branch: str, before: str | None, after: str | None, by: str
    ) -> None:
        repository = self.repository(project.id)
        since = before
        if since is None and branch != project.default_branch:
            since = await repository.commit_id(f"refs/heads/{project.default_branch}")
        news = await repository.commits(f"{since}..{after}" if since else after) if after else []
        newest = await repository.commits(after, limit=1) if after else []
        self.add_push(
            project.id,
            branch,
            author=by,
            before=before,
            after=after,
            commit_count=len(news),
            title=newest[0].title if newest else None,
        )

    async def refresh_project(self, project_id: int) -> None:
        """Bring a project's row in line with its default branch: empty or not, and where its README is."""
        project = self.project_or_fail(project_id)
        repository = self.repository(project_id)
        head = await repository.commit_id(f"refs/heads/{project.default_branch}")
        if head is None:
            names = sorted(await repository.branches())
            if not names:
                self.describe_repository(project_id, empty_repo=True, readme_path=None)
                return
            self.update("projects", project_id, {"default_branch": names[0]})
            await repository.git("symbolic-ref", "HEAD", f"refs/heads/{names[0]}")
            head = await repository.commit_id(f"refs/heads/{names[0]}")
        entries = await repository.entries(head or "HEAD") or []
        names = sorted(entry.path for entry in entries if entry.type == "blob")
        readme = next((name for name in names if name.lower().partition(".")[0] == "readme"), None)
        self.describe_repository(project_id, empty_repo=False, readme_path=readme)

    async def recheck(self, merge_request_id: int) -> None:
        """Find out anew whether an open merge request conflicts, or is in the target branch already."""
        async with self._turns[f"merge request {merge_request_id}"]:
            merged = await self._recheck(merge_request_id)
        if merged is not None:
            await self._after_merge(merged)

    async def _recheck(self, merge_request_id: int) -> MergeRequestRow | None:
        merge_request = self.merge_request_or_fail(merge_request_id)
        if merge_request.sha is None or merge_request.state != "opened":
            return None
        target = await self.own_repository(merge_request.project_id)
        tip = await target.commit_id(f"refs/heads/{merge_request.target_branch}")
        if tip is None:
            return None
        if tip != merge_request.base_sha and await target.is_ancestor(merge_request.sha, tip):
            return self._note_merged(merge_request, merge_request.merge_user or merge_request.author, tip)
        conflicts = await target.merged_tree(tip, merge_request.sha) is None
        if conflicts != merge_request.conflicts:
            self.update_merge_request(merge_request_id, {"conflicts": conflicts})
        return None

    async def merge(self, merge_request_id: int, username: str) -> MergeRequestRow:
        """Merge for real: the target branch gets a merge commit, or moves forward where the project says so.

        Idempotent: one that git has merged already is only noted as merged. `GitError` (reason `conflict`)
        where git cannot merge.
        """
        async with self._turns[f"merge request {merge_request_id}"]:
            merged = await self._merge(merge_request_id, username)
        await self._after_merge(merged)
        return merged

    async def _merge(self, merge_request_id: int, username: str) -> MergeRequestRow:
        merge_request = await self._prepare(merge_request_id)
        if merge_request.state != "opened":
            return merge_request
        project = self.project_or_fail(merge_request.project_id)
        target = await self.own_repository(project.id)
        tip = await target.commit_id(f"refs/heads/{merge_request.target_branch}")
        sha = merge_request.sha
        if tip is None or sha is None:
            raise GitError("There is nothing to merge", "A branch is missing.", reason="conflict")
        if await target.is_ancestor(sha, tip):
            return self._note_merged(merge_request, username, tip)
        if project.merge_method == "ff" and await target.is_ancestor(tip, sha):
            await target.set_branch(merge_request.target_branch, sha, tip)
            await self._note_push(project, merge_request.target_branch, tip, sha, username)
            return self._note_merged(merge_request, username, None)
        tree = await target.merged_tree(tip, sha)
        if tree is None:
            self.update_merge_request(merge_request_id, {"conflicts": True})
            raise GitError("The branches conflict", "Both changed the same lines.", reason="conflict")
        message = (
            f"Merge branch '{merge_request.source_branch}' into '{merge_request.target_branch}'\n\n"
            f"{merge_request.title}\n\nSee merge request {project.full_path}!{merge_request.iid}\n"
        )
        user = self.user(username)
        signature = Signature(
            name=user.name if user else username,
            email=user.email if user else f"{username}@practice.example",
            when=self.now(),
        )
        commit = await target.commit_tree(tree, (tip, sha), message, signature)
        await target.set_branch(merge_request.target_branch, commit, tip)
        await self._note_push(project, merge_request.target_branch, tip, commit, username)
        return self._note_merged(merge_request, username, commit)

    def _note_merged(
        self, merge_request: MergeRequestRow, username: str, commit: str | None
    ) -> MergeRequestRow:
        now = self.now()
        with self.transaction():
            merged = self.update_merge_request(
                merge_request.id,
                {"state": "merged", "merged_at": now, "merge_user": username, "merge_commit_sha": commit},
            )
            self.add_note("merge_request", merge_request.id, author=username, body="merged", system=True)
            for number in self.closing(merge_request):
                issue = self.issue(merge_request.project_id, number)
                if issue is not None:
                    why = f"closed via merge request !{merge_request.iid}"
                    self.close_issue(issue.id, by=username, why=why)
            self.touch(merge_request.project_id)
        return merged

    async def _after_merge(self, merged: MergeRequestRow) -> None:
        await self.refresh_project(merged.project_id)
        if merged.state == "merged" and merged.remove_source_branch:
            source = self.project_or_fail(merged.source_project_id)
            if merged.source_branch != source.default_branch:
                await (await self.own_repository(source.id)).delete_branch(merged.source_branch)
        for other in self.open_merge_requests():
            same = (other.project_id, other.target_branch) == (merged.project_id, merged.target_branch)
            if same and other.id != merged.id:
                await self.recheck(other.id)

    async def recover(self) -> None:
        """Finish what an earlier process left half done: fork imports, pushes, merges."""
        unfinished = self.rows(
            ProjectRow,
            "SELECT * FROM projects WHERE forked_from_id IS NOT NULL AND own_repository = 0",
        )
        for project in unfinished:
            await self.import_fork(project.id)
        for merge_request in self.open_merge_requests():
            if merge_request.prepared_at is None:
                continue
            await self.prepare(merge_request.id)
            await self.recheck(merge_request.id)
