"""`contribute`, `propose` and `status`: the same runner as the screens, in words or JSON."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from isexplore.cli.asking import line_for, yes
from isexplore.cli.describing import read_description, settled, tell_untouched
from isexplore.cli.output import print_json, print_table, say, tell, wait_for
from isexplore.cli.world import naming, program, run_in_world
from isexplore.errors import (
    EXIT_OK,
    EXIT_REFUSED,
    AuthError,
    BlockedError,
    GitError,
    IsexploreError,
    RateLimitedError,
    UnavailableError,
    UsageError,
    WrongAnswerError,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from isexplore.config.paths import Paths
    from isexplore.journey.states import JourneyReport, StepName
    from isexplore.journey.store import Journey
    from isexplore.models import ProjectRef
    from isexplore.services import IssueLine, Services

_ASKING = "Asking the forge and git..."
"""What is waited for between two lines of a command that goes through the steps."""
_GOES_ON = "The same command then goes on where it was."
MARKS = {"done": "✓", "ready": "▸", "waiting": "…", "blocked": "✗"}


_ANSWERED_BY: dict[StepName | None, str] = {
    "clone": "--into DIR names a folder.",
    "fork": "--fork-name NAME names your fork.",
}
"""The option that answers what a step asks for, by the step that is held up."""


def contribute(options: argparse.Namespace, paths: Paths) -> int:
    """Take the steps from check to branch.

    Raises:
        UsageError: `--into` names nothing.
    """
    if options.into is not None and not options.into.strip():
        raise UsageError("--into names no folder", "", "Leave it out for the usual place.")

    async def work(services: Services) -> int:
        from isexplore.journey.states import STEP_NAMES

        ref = services.resolve(options.project)
        folder = None if options.into is None else Path(options.into)
        if folder is None and not (options.dry_run or options.json) and sys.stdin.isatty():
            folder = _asked_folder(services, ref)
        number = f" #{options.issue}" if options.issue is not None else ""
        wait_for(f"Looking at {ref.path}{number}, and what you may do there...", quiet=options.json)
        with naming(f"{ref.path}{number}", services, ref.path):
            journey = await services.begin(
                ref,
                options.issue,
                folder=folder,
                branch=options.branch or "",
                record=not options.dry_run,
                mind=lambda line: _mind_taken(line, options),
            )
        steps: tuple[StepName, ...] = STEP_NAMES[: STEP_NAMES.index("branch") + 1]
        answers: dict[StepName, dict[str, str]] = {}
        if options.claim:
            answers["claim"] = {"how": options.claim}
        if options.fork_name:
            answers["fork"] = {"name": options.fork_name}
        if options.dry_run:
            return await _dry_run(services, journey, steps, answers, options.json)
        try:
            await _take(services, journey, "check", "branch", answers, options.json)
            report = await services.journeys.probe(services.journeys.get(journey.id))
        except BlockedError as error:
            option = _ANSWERED_BY.get((await services.journeys.probe(journey)).current)
            if option:
                error.hint += f"\n{option}"
            raise
        if options.json:
            print_report(report)
            return EXIT_OK
        _print_steps(report, steps)
        _print_notes(report)
        branch = report.journey.branch
        say("", f"Your clone: {report.journey.folder}", f"Your branch: {branch}", "")
        unknown = await _who_commits(services, Path(report.journey.folder))
        if unknown:
            say(unknown, "")
        say("Next:")
        if report.journey.issue is not None:
            say(f"  {_again(services)}show {ref.path} --issue {report.journey.issue}     says what to do")
        example = [
            line
            for command in await services.journeys.plan(report.journey, "commit")
            if command.kind == "git" and " config " not in command.text
            for line in command.text.splitlines()
        ]
        say(f"  change it in your clone, then commit{', for example:' if example else ''}")
        say(*(f"    {line}" for line in example))
        say(f"  {_again(services)}propose {report.journey.folder}     pushes, and opens the request")
        return EXIT_OK

    return run_in_world(paths, work, mind_tokens=True)


def _asked_folder(services: Services, ref: ProjectRef) -> Path | None:
    """Ask where the first clone goes; None where that is known, or for the usual place."""
    usual = services.folder_to_ask_for(ref)
    answer = line_for(f"Clone into [{usual}]: ") if usual is not None else None
    return Path(answer) if answer else None


def _mind_taken(line: IssueLine, options: argparse.Namespace) -> None:
    """Refuse an issue that is closed or probably taken, before anything is claimed, unless that is meant.

    Raises:
        BlockedError: it is.
    """
    issue = line.issue
    if options.yes or options.dry_run or not line.objection:
        return
    reasons = "\n".join(line.verdict.reasons)
    if not issue.open:
        raise BlockedError(
            line.objection,
            reasons,
            f"Choose another one (isexplore issues), or ask there whether it is still wanted: {issue.url}\n"
            "--yes goes on all the same.",
        )
    if options.claim != "skip":
        raise BlockedError(
            line.objection,
            reasons,
            f"Ask there before you start: {issue.url}\n"
            "--claim skip goes on without claiming it, --yes claims it all the same.",
        )


def propose(options: argparse.Namespace, paths: Paths) -> int:
    """Push, and open the merge request.

    Raises:
        UsageError: both a draft and a finished one was asked for, or the description cannot be read.
    """
    if options.draft and options.ready:
        raise UsageError("--draft and --ready cannot go together", "", "Choose one of them.")
    body = None if options.body_file is None else read_description(options.body_file)

    async def work(services: Services) -> int:
        folder = Path(options.dir or ".").expanduser().resolve()
        wait_for("Looking at the clone, and at its project on the forge...", quiet=options.json)
        await services.connect_all()
        journey = await services.journeys.adopt(folder, record=not options.dry_run)
        answers = {"draft": "yes"} if options.draft else {"draft": "no"} if options.ready else {}
        if options.title:
            answers["title"] = options.title
        if body is not None:
            answers["body"] = body
        try:
            for remark in await services.journeys.before_proposing(journey):
                tell(remark)
            if options.dry_run:
                return await _plan_proposing(services, journey, answers, options)
            await _take(services, journey, "fork", "push", {}, options.json)
            if not options.yes:
                ask = not options.json and sys.stdin.isatty()
                pushed = services.journeys.get(journey.id)
                answers = dict(await settled(services, pushed, answers, ask=ask))
            await _take(services, journey, "propose", "propose", {"propose": answers}, options.json)
            report = await services.journeys.probe(services.journeys.get(journey.id))
            if _wants_ready(report, options):
                report = await _respond(services, report, {"ready": "yes"})
            if options.reply:
                report = await _respond(services, report, {"reply": options.reply})
        except BlockedError as error:
            waits_for = (await services.journeys.probe(journey)).current
            unknown = await _who_commits(services, folder) if waits_for in ("change", "commit") else ""
            error.hint = "\n".join(part for part in (error.hint, unknown) if part)
            raise
        if options.json:
            print_report(report)
            return EXIT_OK
        _print_steps(report, ("push", "propose", "review"))
        if report.merge_request is not None:
            say("", f"Open: {report.merge_request.url}{_only_while(services)}")
            if report.merge_request.draft:
                say(f"It is a draft; when it is finished: {_again(services)}{_marking(report.journey)}")
            say(f"Follow it: {_again(services)}status")
        return EXIT_OK

    return run_in_world(paths, work, mind_tokens=True)


async def _plan_proposing(
    services: Services, journey: Journey, answers: Mapping[str, str], options: argparse.Namespace
) -> int:
    # Also the branch that takes along what was committed on the default one.
    steps: tuple[StepName, ...] = ("fork", "clone", "branch", "push", "propose")
    chosen: dict[StepName, Mapping[str, str]] = {"propose": answers}
    if options.ready:
        steps, chosen = (*steps, "review"), {**chosen, "review": {"ready": "yes"}}
    code = await _dry_run(services, journey, steps, chosen, options.json)
    await tell_untouched(services, journey, answers)
    return code


def _wants_ready(report: JourneyReport, options: argparse.Namespace) -> bool:
    """Return whether an open draft is to be marked as ready; asks where somebody is there and did not say."""
    if report.merge_request is None or not report.merge_request.draft or options.draft:
        return False
    if options.ready or options.json or options.yes or not sys.stdin.isatty():
        return bool(options.ready)
    return yes("It is a draft: reviewers wait. Mark it as ready? [y/N] ", otherwise=False)


def _marking(journey: Journey) -> str:
    return f"propose {journey.folder} --ready"


def status(options: argparse.Namespace, paths: Paths) -> int:
    """Show my contributions, compared with the forge and git."""

    async def work(services: Services) -> int:
        if options.forget:
            return _forget(services, options.forget)
        journeys = services.journey_store.list()
        wait_for(_ASKING, quiet=options.json)
        outcomes = {journey: outcome async for journey, outcome in services.probe_all(journeys)}
        by_hand = await services.probe_by_hand()
        documents: list[dict[str, object]] = []
        failed = False
        for journey, outcome in (*((one, outcomes[one]) for one in journeys), *by_hand):
            if isinstance(outcome, IsexploreError):
                failed = True
                documents.append({"forge": journey.forge, "project": journey.project, **outcome.as_json()})
                if not options.json:
                    say(_title(journey), f"  ! {outcome.title}")
                    if outcome.hint:
                        say(f"    {outcome.hint}")
                continue
            documents.append(as_builtins(outcome))
            failed = failed or outcome.as_last_seen
            failed = failed or (outcome.current == "check" and outcome.step("check").state == "blocked")
            if not options.json:
                _print_status(services, outcome)
        if options.json:
            print_json({"contributions": documents})
        elif not journeys and not services.state.notice:
            begin = f"{_again(services)}contribute group/name begins one."
            connect = "isexplore login URL connects to a forge; isexplore practice needs none."
            say("No contributions yet.", begin if services.config.forges else connect)
        return EXIT_REFUSED if failed or services.state.notice else EXIT_OK

    return run_in_world(paths, work)


async def _who_commits(services: Services, folder: Path) -> str:
    """Return what to do where git does not know whose commits these are; "" where it does."""
    from isexplore.journey.check import NO_IDENTITY

    try:
        identity = await services.git.identity(folder)
    except GitError:
        return ""
    if identity.complete:
        return ""
    return (
        f"{NO_IDENTITY}, and commits need them:\n"
        "  git config --global user.name 'Your Name'\n"
        "  git config --global user.email you@example.org"
    )


def as_builtins(report: JourneyReport) -> dict[str, object]:
    """Return a report in the stable shape of `--json`."""
    import msgspec

    from isexplore.journey.report import report_as_json

    document: dict[str, object] = msgspec.to_builtins(report_as_json(report))
    return document


def print_report(report: JourneyReport) -> None:
    """Print a report as one JSON document."""
    print_json(as_builtins(report))


def _again(services: Services) -> str:
    return program(services) + " "


def _title(journey: Journey) -> str:
    number = f" #{journey.issue}" if journey.issue is not None else ""
    title = journey.title or journey.issue_title
    return f"{journey.project}{number}" + (f"  {title}" if title else "")


def _print_status(services: Services, report: JourneyReport) -> None:
    say(_title(report.journey))
    if report.current is None:
        say(f"  ✓ {report.steps[-1].detail or 'done'}")
    else:
        step = report.step(report.current)
        facts = step.facts if step.name == "review" else ()
        # What is to be done stands below in full.
        said_below = step.state == "ready" and any(
            fact.text.startswith(step.detail.removesuffix("...")) for fact in facts
        )
        say(f"  {MARKS[step.state]} {step.name}: {'one thing to do' if said_below else step.detail}")
        for fact in facts:
            say(*(f"      {line}" for line in f"{fact.mark} {fact.text}".splitlines()))
        hint = _what_next(services, report)
        if hint:
            say(*(f"    {line}" for line in hint.splitlines()))
        asks = next((one for one in report.steps if one.state == "blocked" and one.after is None), step)
        if report.as_last_seen and asks is not step:
            say(f"  {MARKS[asks.state]} {asks.name}: {asks.detail}", f"    {asks.hint}")
    if report.merge_request is not None:
        say(f"    {report.merge_request.url}{_only_while(services)}")
    if report.journey.folder:
        say(f"    {report.journey.folder}")


def _what_next(services: Services, report: JourneyReport) -> str:
    """Return what to do next with subcommands; the hints of the steps speak of the screens."""
    if report.current is None:
        return ""
    step = report.step(report.current)
    journey = report.journey
    again = _again(services)
    if step.state != "ready":
        return step.hint
    if step.name in ("check", "claim", "fork", "clone", "branch"):
        number = f" --issue {journey.issue}" if journey.issue is not None else ""
        return f"{again}contribute {journey.project}{number}"
    proposing = f"{again}propose {journey.folder}"
    if step.name in ("change", "commit"):
        return f"Change and commit there (git commit), then: {proposing}"
    if step.name == "review":
        from isexplore.journey.review import DRAFT

        if step.detail == DRAFT:
            return f"When it is finished: {again}{_marking(journey)}"
        return f"Change what was asked for and commit it (git commit), then: {proposing}\nTo answer: --reply TEXT"
    return proposing


def _only_while(services: Services) -> str:
    return "   (answers only while the practice forge runs)" if services.practising else ""


def _print_notes(report: JourneyReport) -> None:
    """Print what the check found worth knowing: rules for commits, a sign-off, who may see it."""
    from isexplore.journey.check import NO_IDENTITY

    # Who commits is told with the commands for it: there is no step here that asks.
    notes = [fact for fact in report.step("check").facts if fact.mark != "✓" and fact.text != NO_IDENTITY]
    if notes:
        say("", "Worth knowing:")
    for fact in notes:
        say(f"  {fact.mark} {fact.text}")
        if fact.fix:
            say(*(f"      {line}" for line in fact.fix.splitlines()))


async def _respond(services: Services, report: JourneyReport, answers: Mapping[str, str]) -> JourneyReport:
    """Answer the reviewers, or mark a draft as ready."""
    async for _ in services.journeys.run(report.journey, "review", answers):
        pass
    return await services.journeys.probe(services.journeys.get(report.journey.id))


def _forget(services: Services, name: str) -> int:
    """Take a contribution off the list.

    Raises:
        UsageError: none, or several, are called that.
    """
    found = [one for one in services.journey_store.list() if name in (one.id, one.project, one.folder)]
    if len(found) != 1:
        known = "\n".join(f"{one.id}: {_title(one)}" for one in found or services.journey_store.list())
        raise UsageError(
            f"{'Several contributions are' if found else 'No contribution is'} called {name}",
            known,
            "Name it by what stands before the colon." if known else "",
        )
    services.journey_store.forget(found[0].id)
    say(f"{_title(found[0])} is off the list. Fork, clone and merge request stay as they are.")
    return EXIT_OK


def _print_steps(report: JourneyReport, names: tuple[StepName, ...]) -> None:
    steps = [report.step(name) for name in names]
    print_table((MARKS[step.state], step.name, step.detail) for step in steps)


async def _take(
    services: Services,
    journey: Journey,
    first: StepName,
    last: StepName,
    answers: Mapping[StepName, Mapping[str, str]],
    quiet: bool,
) -> None:
    """Run the steps from `first` to `last`; progress goes to stderr, where a person may be watching."""
    show = not quiet and sys.stderr.isatty()
    wait_for(_ASKING, quiet=quiet)
    try:
        async for progress in services.journeys.run_until(journey, last, first=first, answers=answers):
            if show:
                tell(f"  {progress.step + ': ' if progress.step else ''}{progress.text}")
                wait_for(_ASKING)
    except (AuthError, RateLimitedError, UnavailableError, WrongAnswerError, GitError) as error:
        # Half of the steps may be done. A name that git never saw is refused again by the same command.
        if not isinstance(error, GitError) or error.returncode is not None:
            error.hint = "\n".join(part for part in (error.hint, _GOES_ON) if part)
        raise


async def _dry_run(
    services: Services,
    journey: Journey,
    steps: tuple[StepName, ...],
    answers: Mapping[StepName, Mapping[str, str]],
    as_json: bool,
) -> int:
    report = await services.journeys.plan_all(journey, answers)
    proposal = None
    if "propose" in steps:
        proposal = await services.journeys.proposal(report.journey, answers.get("propose"))
    if as_json:
        sent = proposal and {"title": proposal.title, "description": proposal.body, "draft": proposal.draft}
        print_json({**as_builtins(report), "would_send": sent})
        return EXIT_OK
    for name in steps:
        step = report.step(name)
        if name in ("fork", "clone", "branch") and "propose" in steps and step.state == "done":
            continue
        if step.after is not None and step.commands:
            say(f"{MARKS['waiting']} {step.name}: after {step.after}")
        elif step.after is None:
            say(f"{MARKS[step.state]} {step.name}: {step.detail}")
        for command in step.commands:
            say(*(f"    {line}" for line in command.text.splitlines()))
    if proposal is not None:
        say("", f"Title: {'Draft: ' if proposal.draft else ''}{proposal.title}", "Description:")
        say(*(f"    {line}".rstrip() for line in proposal.body.splitlines() or ["(none)"]))
    say("", "Nothing of this has run.")
    return EXIT_OK
