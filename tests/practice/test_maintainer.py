"""The maintainer's reviews, with a clock that the test moves and real git underneath."""

from __future__ import annotations

from pathlib import Path

import pytest

from isexplore.practice import world
from isexplore.practice.claims import is_claim
from isexplore.practice.maintainer import Maintainer
from isexplore.practice.projects import PEOPLE, PROJECTS
from isexplore.practice.rows import MergeRequestRow, ProjectRow
from isexplore.practice.seed import CheckSeed, CommitSeed, IssueSeed, NoteSeed, ProjectSeed
from isexplore.practice.store import Store
from tests.support.practice_learner import Clock, Learner

WELCOME = next(seed for seed in PROJECTS if seed.path == "docs/welcome")
PLAIN = ProjectSeed(
    path="lab/plain",
    description="A project without wishes of its own",
    members={"tom": 40},
    commits=(CommitSeed("tom", "Start", 10, {"README.md": "# Plain\n\nNothing here.\n"}),),
    checks=(CheckSeed(name="lint", kind="no-trailing-space"),),
    issues=(
        IssueSeed(title="Say more", body="The README is short.", author="tom", days_ago=9, labels=("easy",)),
        IssueSeed(
            title="Taken",
            body="",
            author="tom",
            days_ago=8,
            labels=("easy",),
            assignee="jo",
        ),
        IssueSeed(
            title="Asked for yesterday",
            body="",
            author="tom",
            days_ago=8,
            notes=(NoteSeed("jo", "I'll take it!", 1),),
        ),
        IssueSeed(
            title="Asked for in spring",
            body="",
            author="tom",
            days_ago=100,
            notes=(NoteSeed("jo", "I'll take it!", 90),),
        ),
    ),
)
BOTH = "- Nia, rainy Sundays\n"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Store:
    store = Store(tmp_path / "world", clock)
    world.build(store, (WELCOME, PLAIN), PEOPLE, clock.now)
    return store


@pytest.fixture
def nia(store: Store, clock: Clock) -> Learner:
    return Learner(store, clock)


@pytest.fixture
def maintainer(store: Store) -> Maintainer:
    return Maintainer(store, pace=0)


async def propose_name(
    nia: Learner, *, line: str = BOTH, title: str = "Add Nia", message: str = "Add Nia"
) -> tuple[ProjectRow, MergeRequestRow]:
    fork = await nia.fork("docs/welcome")
    names = nia.read(fork, "CONTRIBUTORS.md").replace("- Priya", f"{line}- Priya")
    await nia.push(fork, "1-add-my-name", {"CONTRIBUTORS.md": names}, message=message)
    return fork, await nia.propose("docs/welcome", fork, "1-add-my-name", title, "Closes #1")


async def add_change_log(nia: Learner, fork: ProjectRow) -> None:
    log = nia.read(fork, "CHANGELOG.md", "1-add-my-name").replace("\n- ", "\n- Add Nia (Nia)\n- ", 1)
    await nia.push(fork, "1-add-my-name", {"CHANGELOG.md": log}, message="Tell it in the change log")


async def test_first_contribution_from_push_to_merge(
    nia: Learner, store: Store, maintainer: Maintainer
) -> None:
    fork, request = await propose_name(nia)
    await maintainer.tick(nia.clock.now)
    pipeline = store.head_pipeline(nia.now(request))
    assert pipeline is not None
    assert pipeline.status == "success"
    assert [job.name for job in store.jobs(pipeline.id)] == ["lint", "list"]
    (thread,) = nia.threads(request)
    assert thread.unresolved
    assert "CHANGELOG.md" in thread.notes[0].body
    assert "Welcome, Nia" in thread.notes[0].body
    assert nia.now(request).state == "opened"

    await add_change_log(nia, fork)
    await maintainer.tick(nia.clock.pass_time(60))
    merged = nia.now(request)
    assert merged.state == "merged"
    assert merged.merge_user == "sofia"
    assert [approval.username for approval in store.approvals(request.id)] == ["sofia"]
    assert "Thank you, Nia" in nia.said(request, by="sofia")[-1].body
    assert [thread.unresolved for thread in nia.threads(request)] == [False]
    assert "Add Nia" in nia.on_default_branch("docs/welcome").splitlines()
    assert BOTH in nia.read(nia.project("docs/welcome"), "CONTRIBUTORS.md")
    issue = store.issue(request.project_id, 1)
    assert issue is not None
    assert issue.state == "closed"


async def test_everything_takes_its_time(nia: Learner, store: Store, clock: Clock) -> None:
    maintainer = Maintainer(store)
    fork, request = await propose_name(nia)

    async def after(seconds: float) -> str:
        await maintainer.tick(clock.pass_time(seconds))
        pipeline = store.head_pipeline(nia.now(request))
        return pipeline.status if pipeline else ""

    assert await after(0.5) == "pending"
    assert await after(0.6) == "running"
    assert await after(1.3) == "running"
    assert await after(0.2) == "success"
    assert not nia.said(request)
    assert await after(1.5) == "success"
    assert len(nia.said(request, by="sofia")) == 1

    await add_change_log(nia, fork)
    assert await after(0.2) == "pending"
    assert await after(2.4) == "success"
    assert not store.approvals(request.id)
    await after(1.5)
    assert store.approvals(request.id)
    assert nia.now(request).state == "opened"
    await after(1.5)
    assert nia.now(request).state == "merged"


async def test_tick_twice_is_tick_once(nia: Learner, store: Store, maintainer: Maintainer) -> None:
    fork, request = await propose_name(nia)
    for step in range(2):
        await maintainer.tick(nia.clock.pass_time(10))
        before = store.notes("merge_request", request.id), store.pipelines(request.id), nia.now(request)
        await maintainer.tick(nia.clock.pass_time(10))
        after = store.notes("merge_request", request.id), store.pipelines(request.id), nia.now(request)
        assert after == before
        if step == 0:
            await add_change_log(nia, fork)
    assert nia.now(request).state == "merged"


async def test_new_maintainer_at_every_moment_changes_nothing(
    nia: Learner, store: Store, clock: Clock, tmp_path: Path
) -> None:
    fork, request = await propose_name(nia)
    pushed = False
    for _ in range(40):
        store.close()
        nia.store = store = Store(tmp_path / "world", clock)
        await Maintainer(store).tick(clock.pass_time(0.4))
        if nia.said(request, by="sofia") and not pushed:
            pushed = True
            await add_change_log(nia, fork)
    assert nia.now(request).state == "merged"
    assert len(nia.said(request, by="sofia")) == 2
    assert [pipeline.status for pipeline in store.pipelines(request.id)] == ["success", "success"]


async def test_what_fell_due_while_it_was_off_has_its_own_time(
    nia: Learner, store: Store, clock: Clock
) -> None:
    _, request = await propose_name(nia)
    pushed = clock.now
    await Maintainer(store).tick(clock.pass_time(3600))
    (note,) = nia.said(request)
    assert (note.created_at - pushed).total_seconds() == pytest.approx(4.0)
    pipeline = store.head_pipeline(nia.now(request))
    assert pipeline is not None
    (job, _) = store.jobs(pipeline.id)
    assert job.started_at is not None
    assert job.finished_at is not None
    assert (job.started_at - pushed).total_seconds() == pytest.approx(1.0)
    assert (job.finished_at - pushed).total_seconds() == pytest.approx(2.5)


async def test_merge_request_opened_just_before_the_end_is_reviewed_at_the_next_start(
    nia: Learner, store: Store, clock: Clock
) -> None:
    """A command that proposes ends, and the forge with it, before the merge request is looked at."""
    fork, first = await propose_name(nia)
    project = nia.project("docs/welcome")
    store.close_merge_request(first.id, by="nia")
    opened = clock.now
    request = store.create_merge_request(
        project.id,
        source_project_id=fork.id,
        source_branch=first.source_branch,
        target_branch=project.default_branch,
        title="Add my name",
        author="nia",
    )
    await Maintainer(store).tick(clock.pass_time(60))
    (note,) = nia.said(request, by="sofia")
    assert (note.created_at - opened).total_seconds() == pytest.approx(4.7)


async def test_failed_checks_are_pointed_at_once_and_a_fix_goes_on(
    nia: Learner, store: Store, maintainer: Maintainer
) -> None:
    fork, request = await propose_name(nia, line="- Nia, rainy Sundays \n")
    await maintainer.tick(nia.clock.now)
    await maintainer.tick(nia.clock.pass_time(5))
    (note,) = nia.said(request)
    assert "`lint`" in note.body
    assert "CONTRIBUTORS.md:11" in note.body
    assert "list" not in note.body.replace("lists", "")
    assert [thread.unresolved for thread in nia.threads(request)] == [True]
    text = nia.read(fork, "CONTRIBUTORS.md", "1-add-my-name").replace("Sundays ", "Sundays")
    await nia.push(fork, "1-add-my-name", {"CONTRIBUTORS.md": text})
    await maintainer.tick(nia.clock.pass_time(5))
    assert "CHANGELOG.md" in nia.said(request)[-1].body
    assert [pipeline.status for pipeline in store.pipelines(request.id)] == ["success", "failed"]
    checks, review = nia.threads(request)
    assert (checks.unresolved, checks.notes[0].resolved_by) == (False, "sofia")
    assert checks.notes[0].resolved_at == review.notes[0].created_at
    assert review.unresolved


async def test_checks_that_fail_again_are_told_in_the_same_thread_until_they_pass(
    nia: Learner, store: Store, maintainer: Maintainer
) -> None:
    fork, request = await propose_name(nia, line="- Nia, rainy Sundays \n")
    await maintainer.tick(nia.clock.now)
    good = nia.read(fork, "CONTRIBUTORS.md", "1-add-my-name").replace("Sundays ", "Sundays")

    async def push(text: str) -> list[tuple[int, bool]]:
        await nia.push(fork, "1-add-my-name", {"CONTRIBUTORS.md": text})
        await maintainer.tick(nia.clock.pass_time(5))
        await maintainer.tick(nia.clock.pass_time(5))
        return [(len(thread.notes), thread.unresolved) for thread in nia.threads(request)]

    assert await push(good.replace("Sundays", "Mondays  ")) == [(2, True)]
    assert await push(good) == [(2, False), (1, True)]
    assert await push(good.replace("Sundays", "Fridays ")) == [(2, False), (1, True), (1, True)]


async def test_nothing_is_merged_over_an_open_thread(
    nia: Learner, store: Store, maintainer: Maintainer
) -> None:
    fork, request = await propose_name(nia, line="- Nia, rainy Sundays \n")
    await maintainer.tick(nia.clock.now)
    store.add_note("merge_request", request.id, author="nia", body="What is a trailing space?")
    await maintainer.tick(nia.clock.pass_time(5))
    text = nia.read(fork, "CONTRIBUTORS.md", "1-add-my-name").replace("Sundays ", "Sundays")
    await nia.push(fork, "1-add-my-name", {"CONTRIBUTORS.md": text})
    await add_change_log(nia, fork)
    await maintainer.tick(nia.clock.pass_time(5))
    await maintainer.tick(nia.clock.pass_time(5))
    assert nia.now(request).state == "merged"
    assert not any(thread.unresolved for thread in nia.threads(request))


async def test_draft_is_checked_but_reviewed_when_ready(
    nia: Learner, store: Store, maintainer: Maintainer
) -> None:
    _, request = await propose_name(nia, title="Draft: Add Nia")
    await maintainer.tick(nia.clock.now)
    await maintainer.tick(nia.clock.pass_time(5))
    (note,) = nia.said(request)
    assert "mark it as ready" in note.body
    store.update_merge_request(request.id, {"title": "Add Nia"})
    await maintainer.tick(nia.clock.pass_time(5))
    assert len(nia.said(request)) == 2
    assert [thread.unresolved for thread in nia.threads(request)] == [True]


async def test_push_that_misses_the_point_is_told_so_once(
    nia: Learner, store: Store, maintainer: Maintainer
) -> None:
    fork, request = await propose_name(nia)
    await maintainer.tick(nia.clock.now)
    for number in (1, 2):
        text = nia.read(fork, "CONTRIBUTORS.md", "1-add-my-name").replace("Sundays", f"Sundays{number}")
        await nia.push(fork, "1-add-my-name", {"CONTRIBUTORS.md": text})
        await maintainer.tick(nia.clock.pass_time(5))
        await maintainer.tick(nia.clock.pass_time(5))
        assert len(nia.said(request)) == 1 + number
        assert "cannot see a new line" in nia.said(request)[-1].body
    assert nia.now(request).state == "opened"
    await add_change_log(nia, fork)
    await maintainer.tick(nia.clock.pass_time(5))
    assert nia.now(request).state == "merged"


async def test_words_alone_are_answered_once_for_each_push(
    nia: Learner, store: Store, maintainer: Maintainer
) -> None:
    _, request = await propose_name(nia)
    await maintainer.tick(nia.clock.now)
    (thread,) = nia.threads(request)
    for words in ("Done!", "Really done!"):
        store.reply(thread.id, author="nia", body=words)
        await maintainer.tick(nia.clock.pass_time(5))
    answers = nia.said(request, by="sofia")
    assert len(answers) == 2
    assert "pushed to `1-add-my-name`" in answers[-1].body
    assert answers[-1].discussion_id == thread.id


async def test_question_about_failed_checks_is_answered(
    nia: Learner, store: Store, maintainer: Maintainer
) -> None:
    _, request = await propose_name(nia, line="- Nia, rainy Sundays \n")
    await maintainer.tick(nia.clock.now)
    store.add_note("merge_request", request.id, author="nia", body="What is a trailing space?")
    await maintainer.tick(nia.clock.pass_time(5))
    assert [note.author for note in nia.said(request)] == ["sofia", "nia", "sofia"]


async def test_nothing_to_ask_when_it_is_there_from_the_start(
    nia: Learner, store: Store, maintainer: Maintainer
) -> None:
    fork, request = await propose_name(nia)
    await add_change_log(nia, fork)
    await maintainer.tick(nia.clock.now)
    assert nia.now(request).state == "merged"
    (note,) = nia.said(request)
    assert "done it already" in note.body


async def test_conflict_is_explained_and_a_merge_solves_it(
    nia: Learner, store: Store, maintainer: Maintainer
) -> None:
    fork, request = await propose_name(nia)
    await maintainer.tick(nia.clock.now)
    project = nia.project("docs/welcome")
    upstream = nia.read(project, "CONTRIBUTORS.md").replace("- Priya", "- Oskar, knots\n- Priya")
    other = Learner(store, nia.clock, "sofia")
    await other.push(project, "main", {"CONTRIBUTORS.md": upstream}, message="Add Oskar")
    await add_change_log(nia, fork)
    await maintainer.tick(nia.clock.pass_time(5))
    await maintainer.tick(nia.clock.pass_time(5))
    assert nia.now(request).state == "opened"
    assert "git cannot merge" in nia.said(request)[-1].body
    assert sum("git cannot merge" in note.body for note in nia.said(request)) == 1
    assert nia.threads(request)[-1].unresolved

    both = upstream.replace("- Oskar", f"{BOTH}- Oskar")
    log = nia.read(fork, "CHANGELOG.md", "1-add-my-name")
    await store.own_repository(fork.id)
    await store.repository(fork.id).fetch(
        store.repository_path(project.id), "+refs/heads/main:refs/heads/base"
    )
    files = {"CONTRIBUTORS.md": both, "CHANGELOG.md": log}
    await nia.push(fork, "1-add-my-name", files, start="refs/heads/base", message="Add Nia")
    await maintainer.tick(nia.clock.pass_time(5))
    assert nia.now(request).state == "merged"
    assert both == nia.read(nia.project("docs/welcome"), "CONTRIBUTORS.md")


async def test_project_without_wishes_is_reviewed_on_the_changed_line(
    nia: Learner, store: Store, maintainer: Maintainer
) -> None:
    fork = await nia.fork("lab/plain")
    await nia.push(fork, "more", {"README.md": "# Plain\n\nNothing here.\n\nReally.\n"})
    request = await nia.propose("lab/plain", fork, "more", "Say more")
    await maintainer.tick(nia.clock.now)
    (note,) = nia.said(request, by="tom")
    assert (note.file, note.line) == ("README.md", 4)
    assert "`README.md`" in note.body
    await nia.push(fork, "more", {"README.md": "# Plain\n\nNothing here.\n\nReally nothing.\n"})
    await maintainer.tick(nia.clock.pass_time(5))
    assert nia.now(request).state == "merged"


async def test_push_without_a_difference_does_not_count(
    nia: Learner, store: Store, maintainer: Maintainer
) -> None:
    fork = await nia.fork("lab/plain")
    await nia.push(fork, "more", {"README.md": "# Plain\n\nMore.\n"})
    request = await nia.propose("lab/plain", fork, "more", "Say more")
    await maintainer.tick(nia.clock.now)
    await nia.push(fork, "more", {}, message="Nothing")
    await maintainer.tick(nia.clock.pass_time(5))
    assert "the same as before" in nia.said(request)[-1].body
    assert nia.now(request).state == "opened"


async def test_merge_requests_of_others_rest(nia: Learner, store: Store, maintainer: Maintainer) -> None:
    tom = Learner(store, nia.clock, "tom")
    fork = await tom.fork("docs/welcome")
    await tom.push(fork, "x", {"guide/words.md": "# Words\n"})
    request = await tom.propose("docs/welcome", fork, "x", "Shorten")
    await maintainer.tick(nia.clock.pass_time(60))
    assert not tom.said(request)


async def test_broken_repository_is_logged_once_and_the_rest_goes_on(
    nia: Learner, store: Store, maintainer: Maintainer, caplog: pytest.LogCaptureFixture
) -> None:
    fork = await nia.fork("lab/plain")
    await nia.push(fork, "more", {"README.md": "# Plain\n\nMore.\n"})
    lost = await nia.propose("lab/plain", fork, "more", "Say more")
    store.update_merge_request(lost.id, {"sha": "0" * 39 + "1"})
    _, request = await propose_name(nia)
    await maintainer.tick(nia.clock.now)
    await maintainer.tick(nia.clock.pass_time(5))
    assert nia.said(request)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize(
    ("words", "claims"),
    [
        ("Hello! I would like to work on this issue. Is it still free?", True),
        ("I'd like to work on this, please assign me.", True),
        ("I\u2019ll take it", True),
        ("Can I take this?", True),
        ("May I have this one?", True),
        ("Thank you, I'd like to know more.", False),
        ("Does this work on Windows?", False),
        ("It takes this long?", False),
    ],
)
def test_words_that_ask_for_an_issue(words: str, claims: bool) -> None:
    assert is_claim(words) is claims


class TestIssues:
    async def ask(self, nia: Learner, maintainer: Maintainer, number: int) -> str:
        project = nia.project("lab/plain")
        issue = nia.store.issue(project.id, number)
        assert issue is not None
        nia.store.add_note(
            "issue", issue.id, author="nia", body="I’d like to work on this, please assign me."
        )
        for _ in range(2):
            await maintainer.tick(nia.clock.pass_time(3))
        answers = [note.body for note in nia.store.notes("issue", issue.id) if note.author == "tom"]
        people = [note for note in answers if not note.startswith("assigned")]
        assert len(people) == 1
        return people[0]

    def assignees(self, nia: Learner, number: int) -> tuple[str, ...]:
        issue = nia.store.issue(nia.project("lab/plain").id, number)
        assert issue is not None
        return issue.assignees

    async def test_free_issue_is_assigned(self, nia: Learner, maintainer: Maintainer) -> None:
        assert "Closes #1" in await self.ask(nia, maintainer, 1)
        assert self.assignees(nia, 1) == ("nia",)

    async def test_taken_issue_stays_taken_and_another_is_offered(
        self, nia: Learner, maintainer: Maintainer
    ) -> None:
        answer = await self.ask(nia, maintainer, 2)
        assert "@jo" in answer
        assert "#1 (Say more)" in answer
        assert self.assignees(nia, 2) == ("jo",)

    async def test_recent_claim_of_somebody_else_counts(self, nia: Learner, maintainer: Maintainer) -> None:
        assert "@jo" in await self.ask(nia, maintainer, 3)
        assert self.assignees(nia, 3) == ()

    async def test_old_claim_of_somebody_else_has_lapsed(self, nia: Learner, maintainer: Maintainer) -> None:
        await self.ask(nia, maintainer, 4)
        assert self.assignees(nia, 4) == ("nia",)

    async def test_answer_takes_its_time(self, nia: Learner, store: Store) -> None:
        issue = store.issue(nia.project("lab/plain").id, 1)
        assert issue is not None
        store.add_note("issue", issue.id, author="nia", body="May I take this?")
        maintainer = Maintainer(store)
        await maintainer.tick(nia.clock.pass_time(1.9))
        assert self.assignees(nia, 1) == ()
        await maintainer.tick(nia.clock.pass_time(0.2))
        assert self.assignees(nia, 1) == ("nia",)

    @pytest.mark.parametrize(
        "words", ["Thanks, that helps!", "What does this mean?", "Is this still wanted?"]
    )
    async def test_other_remarks_claim_nothing(
        self, nia: Learner, store: Store, maintainer: Maintainer, words: str
    ) -> None:
        issue = store.issue(nia.project("lab/plain").id, 1)
        assert issue is not None
        store.add_note("issue", issue.id, author="nia", body=words)
        await maintainer.tick(nia.clock.pass_time(5))
        assert self.assignees(nia, 1) == ()
