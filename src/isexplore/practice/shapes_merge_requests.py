"""How merge requests, pipelines and commits of the practice forge look in GitLab's JSON."""

from __future__ import annotations

from collections.abc import Sequence

from isexplore.practice.api import Call, Json
from isexplore.practice.repository import CommitFacts, FileChange
from isexplore.practice.rows import JobRow, MergeRequestRow, PipelineRow, ProjectRow
from isexplore.practice.shapes import person, time
from isexplore.practice.shapes_issues import NO_TIME, tasks
from isexplore.practice.store_people import DEVELOPER


def merge_status(
    call: Call, row: MergeRequestRow, target: ProjectRow, pipeline: PipelineRow | None
) -> tuple[str, str]:
    """Return (`merge_status`, `detailed_merge_status`) in GitLab's words."""
    if row.prepared_at is None and row.state == "opened":
        return "checking", "preparing"
    coarse = "cannot_be_merged" if row.conflicts else "can_be_merged"
    if row.state != "opened":
        return coarse, "not_open"
    if row.draft:
        return coarse, "draft_status"
    if row.conflicts:
        return coarse, "conflict"
    if pipeline is not None and pipeline.status != "success":
        running = pipeline.status in ("created", "pending", "running")
        return coarse, "ci_still_running" if running else "ci_must_pass"
    threads = call.store.discussions("merge_request", row.id) if target.review is not None else []
    if any(thread.unresolved for thread in threads):
        return coarse, "discussions_not_resolved"
    return coarse, "mergeable"


def merge_requests(call: Call, rows: Sequence[MergeRequestRow], *, simple: bool = False) -> list[Json]:
    """Return merge requests as a list shows them."""
    targets = {row.project_id: call.store.project_or_fail(row.project_id) for row in rows}
    return [_merge_request(call, row, targets[row.project_id], simple=simple) for row in rows]


def _merge_request(call: Call, row: MergeRequestRow, target: ProjectRow, *, simple: bool = False) -> Json:
    shape: Json = {
        "id": row.id,
        "iid": row.iid,
        "project_id": row.project_id,
        "title": row.title,
        "description": row.description,
        "state": row.state,
        "created_at": time(row.created_at),
        "updated_at": time(row.updated_at),
        "web_url": f"{call.origin}/{target.full_path}/-/merge_requests/{row.iid}",
    }
    if simple:
        return shape
    coarse, detailed = merge_status(call, row, target, call.store.head_pipeline(row))
    assignees = [person(call, who) for who in row.assignees]
    threads = call.store.discussions("merge_request", row.id)
    shape.update(
        merged_by=person(call, row.merge_user),
        merge_user=person(call, row.merge_user),
        merged_at=time(row.merged_at),
        closed_by=person(call, row.closed_by),
        closed_at=time(row.closed_at),
        target_branch=row.target_branch,
        source_branch=row.source_branch,
        user_notes_count=row.notes_count,
        upvotes=0,
        downvotes=0,
        author=person(call, row.author),
        assignees=assignees,
        assignee=assignees[0] if assignees else None,
        reviewers=[person(call, who) for who in row.reviewers],
        source_project_id=row.source_project_id,
        target_project_id=row.project_id,
        labels=row.labels,
        draft=row.draft,
        work_in_progress=row.draft,
        milestone=None,
        merge_when_pipeline_succeeds=False,
        merge_status=coarse,
        detailed_merge_status=detailed,
        merge_after=None,
        sha=row.sha if row.prepared_at else None,
        merge_commit_sha=row.merge_commit_sha,
        squash_commit_sha=None,
        discussion_locked=None,
        should_remove_source_branch=None,
        force_remove_source_branch=row.remove_source_branch,
        prepared_at=time(row.prepared_at),
        reference=f"!{row.iid}",
        references={
            "short": f"!{row.iid}",
            "relative": f"!{row.iid}",
            "full": f"{target.full_path}!{row.iid}",
        },
        time_stats=NO_TIME,
        squash=row.squash,
        squash_on_merge=row.squash,
        task_completion_status=tasks(row.description),
        has_conflicts=row.conflicts,
        blocking_discussions_resolved=not any(thread.unresolved for thread in threads),
    )
    if row.source_project_id != row.project_id:
        shape["allow_collaboration"] = row.allow_collaboration
        shape["allow_maintainer_to_push"] = row.allow_collaboration
    return shape


def merge_request(call: Call, row: MergeRequestRow) -> Json:
    """Return one merge request as `GET …/merge_requests/:iid` shows it."""
    target = call.store.project_or_fail(row.project_id)
    shape = _merge_request(call, row, target)
    head = call.store.head_pipeline(row) if row.sha and row.prepared_at else None
    ready = row.prepared_at is not None
    merged_before = call.store.scalar(
        "SELECT 1 FROM merge_requests WHERE project_id = ? AND author = ? AND state = 'merged' AND id <> ?",
        (row.project_id, row.author, row.id),
    )
    shape.update(
        subscribed=row.author == call.username,
        changes_count=str(row.changes_count) if ready and row.changes_count is not None else None,
        latest_build_started_at=time(head.created_at) if head else None,
        latest_build_finished_at=None,
        first_deployed_to_production_at=None,
        pipeline=pipeline(call, head) if head else None,
        head_pipeline=_head_pipeline(call, head) if head else None,
        diff_refs={"base_sha": row.base_sha, "head_sha": row.sha, "start_sha": row.base_sha}
        if ready
        else None,
        merge_error=None,
        first_contribution=merged_before is None,
        user={"can_merge": call.level(target) >= DEVELOPER},
    )
    return shape


def pipeline(call: Call, row: PipelineRow) -> Json:
    """Return a pipeline as a list shows it."""
    path = call.store.project_or_fail(row.project_id).full_path
    merge = call.store.merge_request_or_fail(row.merge_request_id)
    return {
        "id": row.id,
        "iid": row.iid,
        "project_id": row.project_id,
        "sha": row.sha,
        "ref": f"refs/merge-requests/{merge.iid}/head",
        "status": row.status,
        "source": "merge_request_event",
        "created_at": time(row.created_at),
        "updated_at": time(row.updated_at),
        "web_url": f"{call.origin}/{path}/-/pipelines/{row.id}",
    }


def _head_pipeline(call: Call, row: PipelineRow) -> Json:
    words = {"success": "passed"}
    shown = words.get(row.status, row.status)
    return {
        **pipeline(call, row),
        "detailed_status": {
            "icon": f"status_{row.status}",
            "text": shown.capitalize(),
            "label": shown,
            "group": row.status,
            "tooltip": shown,
            "has_details": True,
        },
        "yaml_errors": None,
    }


def full_pipeline(call: Call, row: PipelineRow) -> Json:
    """Return one pipeline."""
    return _head_pipeline(call, row)


def job(call: Call, row: JobRow, of: PipelineRow) -> Json:
    """Return a job of a pipeline."""
    path = call.store.project_or_fail(row.project_id).full_path
    seconds = (
        (row.finished_at - row.started_at).total_seconds() if row.finished_at and row.started_at else None
    )
    return {
        "id": row.id,
        "name": row.name,
        "stage": "test",
        "status": row.status,
        "ref": f"refs/merge-requests/{call.store.merge_request_or_fail(of.merge_request_id).iid}/head",
        "allow_failure": False,
        "created_at": time(row.created_at),
        "started_at": time(row.started_at),
        "finished_at": time(row.finished_at),
        "duration": seconds,
        "failure_reason": "script_failure" if row.status == "failed" else None,
        "web_url": f"{call.origin}/{path}/-/jobs/{row.id}",
        "pipeline": pipeline(call, of),
    }


def change(row: FileChange, patch: str, *, generated: bool = False) -> Json:
    """Return what a change does to a file; `patch` is git's, of which GitLab shows the hunks only.

    `generated` adds what merge requests tell on top.
    """
    head, mark, hunks = patch.partition("\n@@ ")
    modes = {"A": ("0", "100644"), "D": ("100644", "0")}.get(row.state, ("100644", "100644"))
    for line in head.splitlines():
        words = line.split()
        if line.startswith("new file mode"):
            modes = ("0", words[-1])
        elif line.startswith("deleted file mode"):
            modes = (words[-1], "0")
        elif line.startswith("old mode"):
            modes = (words[-1], modes[1])
        elif line.startswith("new mode"):
            modes = (modes[0], words[-1])
        elif line.startswith("index ") and len(words) == 3:
            modes = (words[-1], words[-1])
    shape: Json = {
        "old_path": row.old_path,
        "new_path": row.path,
        "a_mode": modes[0],
        "b_mode": modes[1],
        "new_file": row.state == "A",
        "renamed_file": row.state == "R",
        "deleted_file": row.state == "D",
        "diff": f"@@ {hunks}" if mark else "",
    }
    if generated:
        shape |= {"generated_file": False, "collapsed": False, "too_large": False}
    return shape


def commit(call: Call, row: CommitFacts, project_path: str) -> Json:
    """Return a commit."""
    return {
        "id": row.sha,
        "short_id": row.sha[:8],
        "created_at": time(row.committed_at),
        "parent_ids": row.parents,
        "title": row.title,
        "message": row.message,
        "author_name": row.author_name,
        "author_email": row.author_email,
        "authored_date": time(row.authored_at),
        "committer_name": row.committer_name,
        "committer_email": row.committer_email,
        "committed_date": time(row.committed_at),
        "trailers": {},
        "web_url": f"{call.origin}/{project_path}/-/commit/{row.sha}",
    }
