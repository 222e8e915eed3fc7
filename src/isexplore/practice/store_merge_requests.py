"""Merge requests of the practice forge: rows, approvals, pipelines, and the issues that they mention."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from isexplore.practice.rows import (
    ApprovalRow,
    JobRow,
    MergeRequestRow,
    PipelineRow,
    PipelineStatus,
)
from isexplore.practice.store_issues import Issues

_CLOSING = re.compile(
    r"\b(?:clos(?:e|es|ed|ing)|fix(?:es|ed|ing)?|resolv(?:e|es|ed|ing)|implement(?:s|ed|ing)?):?\s+"
    r"((?:issues?\s+)?(?:[\w./-]*#\d+)(?:(?:\s*,\s*|\s+and\s+)[\w./-]*#\d+)*)",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"([\w./-]*)#(\d+)\b")
_FINISHED: tuple[PipelineStatus, ...] = ("success", "failed", "canceled", "skipped")


def closed_issues(text: str, project_path: str) -> tuple[int, ...]:
    """Return the numbers of the issues of `project_path` that `text` closes on merge ("Closes #12")."""
    found: dict[int, None] = {}
    for phrase in _CLOSING.finditer(text):
        for path, number in _REFERENCE.findall(phrase.group(1)):
            if path.lower() in ("", project_path.lower()):
                found[int(number)] = None
    return tuple(found)


def mentioned_issues(text: str, project_path: str) -> tuple[int, ...]:
    """Return the numbers of the issues of `project_path` that `text` mentions at all ("see #12")."""
    found = {
        int(number): None
        for path, number in _REFERENCE.findall(text)
        if path.lower() in ("", project_path.lower())
    }
    return tuple(found)


class MergeRequests(Issues):
    """Rows of merge requests and what hangs on them."""

    def create_merge_request(
        self,
        project_id: int,
        *,
        source_project_id: int | None = None,
        source_branch: str,
        target_branch: str,
        title: str,
        description: str = "",
        author: str,
        state: Literal["opened", "merged", "closed"] = "opened",
        sha: str | None = None,
        base_sha: str | None = None,
        changes_count: int | None = None,
        merge_commit_sha: str | None = None,
        merge_user: str | None = None,
        reviewers: Sequence[str] = (),
        assignees: Sequence[str] = (),
        labels: Sequence[str] = (),
        allow_collaboration: bool = False,
        remove_source_branch: bool = False,
        squash: bool = False,
        at: datetime | None = None,
        done_at: datetime | None = None,
    ) -> MergeRequestRow:
        """Add a merge request with the target's next number.

        Without `sha` it is still being prepared: the forge looks at the branches and starts the checks
        a moment later. With `sha` (history) nothing more happens by itself at once.

        Args:
            project_id: the target.
            source_project_id: the fork; the target itself when None.
            source_branch: its branch.
            target_branch: the target's branch.
            title: a draft when it starts with `Draft:`.
            description: may close issues ("Closes #12").
            author: username.
            state: for history.
            sha: head commit.
            base_sha: where it left the target branch.
            changes_count: how many files it touches.
            merge_commit_sha: for a merged one.
            merge_user: who merged it.
            reviewers: usernames.
            assignees: usernames.
            labels: names.
            allow_collaboration: whether members of the target may push to the source branch.
            remove_source_branch: whether merging deletes it.
            squash: remembered only.
            at: when it was opened; now when None.
            done_at: when it was merged or closed; `at` when None.
        """
        now = at or self.now()
        done = done_at or now
        with self.transaction():
            iid = self.number("SELECT max(iid) FROM merge_requests WHERE project_id = ?", (project_id,)) + 1
            row_id = self.insert(
                "merge_requests",
                {
                    "iid": iid,
                    "project_id": project_id,
                    "source_project_id": source_project_id or project_id,
                    "source_branch": source_branch,
                    "target_branch": target_branch,
                    "title": title,
                    "description": description,
                    "state": state,
                    "author": author,
                    "labels": tuple(labels),
                    "assignees": tuple(assignees),
                    "reviewers": tuple(reviewers),
                    "sha": sha,
                    "base_sha": base_sha,
                    "changes_count": changes_count,
                    "prepared_at": now if sha else None,
                    "pushed_at": now if sha else None,
                    "merge_commit_sha": merge_commit_sha,
                    "merged_at": done if state == "merged" else None,
                    "merge_user": merge_user,
                    "closed_at": done if state == "closed" else None,
                    "allow_collaboration": allow_collaboration,
                    "remove_source_branch": remove_source_branch,
                    "squash": squash,
                    "created_at": now,
                    "updated_at": now if state == "opened" else done,
                },
            )
            self.execute(
                "UPDATE projects SET last_activity_at = max(last_activity_at, ?) WHERE id = ?",
                (now, project_id),
            )
        return self.merge_request_or_fail(row_id)

    def merge_request(self, project_id: int, iid: int) -> MergeRequestRow | None:
        """Return a merge request by its number in its target project."""
        return self.row(
            MergeRequestRow,
            "SELECT * FROM merge_requests WHERE project_id = ? AND iid = ?",
            (project_id, iid),
        )

    def merge_request_or_fail(self, merge_request_id: int) -> MergeRequestRow:
        """Return a merge request, by row id, that must exist."""
        found = self.row(MergeRequestRow, "SELECT * FROM merge_requests WHERE id = ?", (merge_request_id,))
        if found is None:
            raise LookupError(f"no merge request {merge_request_id}")
        return found

    def open_merge_requests(self) -> list[MergeRequestRow]:
        """Return all open merge requests of all projects, oldest first; also those still being prepared."""
        return self.rows(MergeRequestRow, "SELECT * FROM merge_requests WHERE state = 'opened' ORDER BY id")

    def merge_requests(self, project_id: int) -> list[MergeRequestRow]:
        """Return a project's merge requests in the order of their numbers."""
        return self.rows(
            MergeRequestRow, "SELECT * FROM merge_requests WHERE project_id = ? ORDER BY iid", (project_id,)
        )

    def update_merge_request(self, merge_request_id: int, fields: Mapping[str, object]) -> MergeRequestRow:
        """Change columns of a merge request and its `updated_at`; return it."""
        self.update("merge_requests", merge_request_id, {"updated_at": self.now(), **fields})
        return self.merge_request_or_fail(merge_request_id)

    def set_memo(self, merge_request_id: int, memo: Mapping[str, str]) -> None:
        """Replace what the maintainer remembers about a merge request; touches nothing that shows."""
        self.update("merge_requests", merge_request_id, {"memo": dict(memo)})

    def set_reviewers(self, merge_request_id: int, reviewers: Sequence[str], *, by: str) -> None:
        """Replace who is asked to review, noting it as the forge does."""
        merge_request = self.merge_request_or_fail(merge_request_id)
        with self.transaction():
            self.update_merge_request(merge_request_id, {"reviewers": tuple(reviewers)})
            for who in reviewers:
                if who not in merge_request.reviewers:
                    body = f"requested review from @{who}"
                    self.add_note("merge_request", merge_request_id, author=by, body=body, system=True)

    def close_merge_request(self, merge_request_id: int, *, by: str) -> None:
        """Close a merge request without merging it."""
        if self.merge_request_or_fail(merge_request_id).state != "opened":
            return
        with self.transaction():
            closing = {"state": "closed", "closed_at": self.now(), "closed_by": by}
            self.update_merge_request(merge_request_id, closing)
            self.add_note("merge_request", merge_request_id, author=by, body="closed", system=True)

    def reopen_merge_request(self, merge_request_id: int, *, by: str) -> None:
        """Open a closed merge request again."""
        if self.merge_request_or_fail(merge_request_id).state != "closed":
            return
        with self.transaction():
            opening = {"state": "opened", "closed_at": None, "closed_by": None}
            self.update_merge_request(merge_request_id, opening)
            self.add_note("merge_request", merge_request_id, author=by, body="reopened", system=True)

    def closing(self, merge_request: MergeRequestRow) -> tuple[int, ...]:
        """Return the numbers of the target's issues that merging closes."""
        project = self.project_or_fail(merge_request.project_id)
        return closed_issues(f"{merge_request.title}\n{merge_request.description}", project.full_path)

    # -- approvals

    def approve(self, merge_request_id: int, username: str, *, at: datetime | None = None) -> None:
        """Record somebody's approval, noting it as the forge does."""
        now = at or self.now()
        with self.transaction():
            added = self.execute(
                "INSERT OR IGNORE INTO approvals VALUES (?, ?, ?)", (merge_request_id, username, now)
            )
            if added:
                body = "approved this merge request"
                self.add_note(
                    "merge_request", merge_request_id, author=username, body=body, system=True, at=now
                )

    def unapprove(self, merge_request_id: int, username: str) -> None:
        """Take somebody's approval back."""
        with self.transaction():
            removed = self.execute(
                "DELETE FROM approvals WHERE merge_request_id = ? AND username = ?",
                (merge_request_id, username),
            )
            if removed:
                body = "unapproved this merge request"
                self.add_note("merge_request", merge_request_id, author=username, body=body, system=True)

    def approvals(self, merge_request_id: int) -> list[ApprovalRow]:
        """Return who approved, first to last."""
        return self.rows(
            ApprovalRow,
            "SELECT * FROM approvals WHERE merge_request_id = ? ORDER BY created_at, username",
            (merge_request_id,),
        )

    # -- pipelines

    def set_pipeline(
        self,
        merge_request_id: int,
        status: PipelineStatus,
        jobs: Sequence[tuple[str, PipelineStatus, str]] = (),
        *,
        at: datetime | None = None,
    ) -> PipelineRow:
        """Bring the pipeline of a merge request's present head to `status`, making it where there is none.

        Args:
            merge_request_id: row id; the merge request must have its `sha`.
            status: GitLab's word.
            jobs: (name, status, log) of its jobs; those known by name change, others are added.
            at: now when None.
        """
        now = at or self.now()
        merge_request = self.merge_request_or_fail(merge_request_id)
        with self.transaction():
            pipeline = self.head_pipeline(merge_request)
            if pipeline is None:
                project_id = merge_request.source_project_id
                last = self.number("SELECT max(iid) FROM pipelines WHERE project_id = ?", (project_id,))
                pipeline_id = self.insert(
                    "pipelines",
                    {
                        "iid": last + 1,
                        "project_id": project_id,
                        "merge_request_id": merge_request_id,
                        "sha": merge_request.sha or "",
                        "status": status,
                        "created_at": now,
                        "updated_at": now,
                    },
                )
            else:
                pipeline_id = pipeline.id
                self.update("pipelines", pipeline_id, {"status": status, "updated_at": now})
            for name, job_status, log in jobs:
                self._set_job(pipeline_id, merge_request.source_project_id, name, job_status, log, now)
        return self.pipeline_or_fail(pipeline_id)

    def _set_job(
        self, pipeline_id: int, project_id: int, name: str, status: PipelineStatus, log: str, now: datetime
    ) -> None:
        job = self.row(JobRow, "SELECT * FROM jobs WHERE pipeline_id = ? AND name = ?", (pipeline_id, name))
        started = job.started_at if job and job.started_at else now
        fields = {
            "status": status,
            "log": log,
            "started_at": started if status == "running" or status in _FINISHED else None,
            "finished_at": (job.finished_at if job and job.finished_at else now)
            if status in _FINISHED
            else None,
        }
        if job is not None:
            self.update("jobs", job.id, fields)
            return
        self.insert(
            "jobs",
            {"pipeline_id": pipeline_id, "project_id": project_id, "name": name, "created_at": now, **fields},
        )

    def head_pipeline(self, merge_request: MergeRequestRow) -> PipelineRow | None:
        """Return the pipeline of the merge request's present head, or None."""
        return self.row(
            PipelineRow,
            "SELECT * FROM pipelines WHERE merge_request_id = ? AND sha = ? ORDER BY id DESC",
            (merge_request.id, merge_request.sha or ""),
        )

    def pipelines(self, merge_request_id: int) -> list[PipelineRow]:
        """Return all pipelines of a merge request, newest first."""
        return self.rows(
            PipelineRow,
            "SELECT * FROM pipelines WHERE merge_request_id = ? ORDER BY id DESC",
            (merge_request_id,),
        )

    def pipeline_or_fail(self, pipeline_id: int) -> PipelineRow:
        """Return a pipeline that must exist."""
        found = self.row(PipelineRow, "SELECT * FROM pipelines WHERE id = ?", (pipeline_id,))
        if found is None:
            raise LookupError(f"no pipeline {pipeline_id}")
        return found

    def jobs(self, pipeline_id: int) -> list[JobRow]:
        """Return the jobs of a pipeline in the order they were made."""
        return self.rows(JobRow, "SELECT * FROM jobs WHERE pipeline_id = ? ORDER BY id", (pipeline_id,))
