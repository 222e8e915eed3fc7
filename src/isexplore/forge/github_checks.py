"""GitHub's checks as one pipeline: commit statuses, check runs, and workflows that wait for approval. Pure.

https://docs.github.com/rest/checks and https://docs.github.com/rest/commits/statuses
"""

from __future__ import annotations

from collections.abc import Iterable

from isexplore.forge.github_parse import number_text
from isexplore.forge.github_wire import WireCheckRun, WireStatus, WireWorkflowRun
from isexplore.models import Job, MergeRequest, Pipeline, PipelineState
from isexplore.text import MAX_NAME, MAX_TITLE, clean_line

_STATUSES = {
    "success": PipelineState.PASSED,
    "failure": PipelineState.FAILED,
    "error": PipelineState.FAILED,
}
_CONCLUSIONS = {
    "success": PipelineState.PASSED,
    "neutral": PipelineState.PASSED,
    "skipped": PipelineState.SKIPPED,
    "failure": PipelineState.FAILED,
    "timed_out": PipelineState.FAILED,
    "startup_failure": PipelineState.FAILED,
    "cancelled": PipelineState.CANCELLED,
    "stale": PipelineState.CANCELLED,
    "action_required": PipelineState.WAITING,
}
# The worst decides, but for what is still to come: a failure is news before the rest is done.
_ORDER = (
    PipelineState.FAILED,
    PipelineState.WAITING,
    PipelineState.RUNNING,
    PipelineState.PENDING,
    PipelineState.CANCELLED,
    PipelineState.PASSED,
    PipelineState.SKIPPED,
)
_TOLD = frozenset((PipelineState.FAILED, PipelineState.WAITING))


def check_state(status: str | None, conclusion: str | None) -> PipelineState:
    """Return the state of a check run or workflow run; unknown words are pending."""
    if status == "completed" or (status is None and conclusion is not None):
        return _CONCLUSIONS.get(conclusion or "", PipelineState.PENDING)
    return PipelineState.RUNNING if status == "in_progress" else PipelineState.PENDING


def merge_checks(
    request: MergeRequest,
    statuses: Iterable[WireStatus],
    checks: Iterable[WireCheckRun],
    workflows: Iterable[WireWorkflowRun],
) -> Pipeline | None:
    """Return everything that was checked about a commit as one pipeline; None if nothing was.

    Workflow runs count only where no checks stand for them: waiting for approval, or not begun.
    """
    jobs = [_status_job(wire) for wire in statuses]
    runs = [_check_job(wire) for wire in checks]
    jobs += runs
    for wire in workflows:
        state = check_state(wire.status, wire.conclusion)
        if state is PipelineState.WAITING or (not runs and wire.head_sha in (None, request.sha)):
            jobs.append(_workflow_job(wire, state))
    if not jobs:
        return None
    states = {job.state for job in jobs}
    return Pipeline(
        id=request.sha or "",
        state=next(state for state in _ORDER if state in states),
        url=f"{request.url}/checks" if request.url else "",
        sha=request.sha or "",
        jobs=tuple(job for job in jobs if job.state in _TOLD),
    )


def _status_job(wire: WireStatus) -> Job:
    return Job(
        name=clean_line(wire.context or "", MAX_NAME),
        state=_STATUSES.get(wire.state or "", PipelineState.PENDING),
        url=clean_line(wire.target_url or "", 1_000),
        detail=clean_line(wire.description or "", MAX_TITLE),
    )


def _check_job(wire: WireCheckRun) -> Job:
    said = wire.output
    detail = (said.title or said.summary or "") if said is not None else ""
    if not detail and wire.conclusion not in (None, "success", "failure"):
        detail = wire.conclusion.replace("_", " ")
    return Job(
        name=clean_line(wire.name or "", MAX_NAME),
        state=check_state(wire.status, wire.conclusion),
        id=number_text(wire.id),
        url=clean_line(wire.html_url or wire.details_url or "", 1_000),
        detail=clean_line(detail, MAX_TITLE),
    )


def _workflow_job(wire: WireWorkflowRun, state: PipelineState) -> Job:
    waiting = state is PipelineState.WAITING
    return Job(
        name=clean_line(wire.name or "", MAX_NAME),
        state=state,
        url=clean_line(wire.html_url or "", 1_000),
        detail="somebody of the project has to approve the run" if waiting else "",
    )
