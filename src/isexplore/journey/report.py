"""A probed journey as the JSON that `contribute`, `propose` and `status` print."""

from __future__ import annotations

from msgspec import Struct

from isexplore.journey.states import JourneyReport, State, StepName
from isexplore.journey.store import Journey
from isexplore.models import MergeRequest


class MergeRequestJson(Struct, frozen=True):
    """The merge request of a journey; as recorded, without address and state, while its forge cannot be asked."""

    number: int
    url: str | None
    title: str
    state: str | None


class StepJson(Struct, frozen=True):
    """A step of a journey."""

    name: StepName
    state: State
    detail: str
    hint: str | None
    facts: list[dict[str, str]]
    commands: list[str]


class JourneyJson(Struct, frozen=True):
    """A journey; fields may be added, never renamed."""

    id: str | None
    forge: str
    project: str
    issue: int | None
    fork: str | None
    clone: str | None
    branch: str | None
    merge_request: MergeRequestJson | None
    current: StepName | None
    steps: list[StepJson]


def report_as_json(report: JourneyReport) -> JourneyJson:
    """Return the report in its stable shape; `msgspec.json.encode` writes it, absent values as null."""
    journey, request = report.journey, report.merge_request
    return JourneyJson(
        id=journey.id or None,
        forge=journey.forge,
        project=journey.project,
        issue=journey.issue,
        fork=journey.fork or None,
        clone=journey.folder or None,
        branch=journey.branch or None,
        merge_request=_merge_request(journey, request),
        current=report.current,
        steps=[
            StepJson(
                name=step.name,
                state=step.state,
                detail=step.detail,
                hint=step.hint or None,
                facts=[{"mark": fact.mark, "text": fact.text, "fix": fact.fix} for fact in step.facts],
                commands=[command.text for command in step.commands],
            )
            for step in report.steps
        ],
    )


def _merge_request(journey: Journey, request: MergeRequest | None) -> MergeRequestJson | None:
    if request is not None:
        return MergeRequestJson(request.number, request.url, request.title, request.state.value)
    if journey.merge_request is not None:
        return MergeRequestJson(journey.merge_request, None, journey.title, journey.outcome)
    return None
