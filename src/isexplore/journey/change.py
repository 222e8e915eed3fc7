"""The steps “change” and “commit”: the work itself, and recording it."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator

from isexplore.errors import BlockedError
from isexplore.git import commands
from isexplore.git.facts import CommitFacts, Identity
from isexplore.journey import plan
from isexplore.journey.branch import unfinished
from isexplore.journey.output import running
from isexplore.journey.states import (
    Answers,
    Command,
    Explanation,
    Fact,
    Progress,
    Question,
    StepName,
    StepState,
)
from isexplore.journey.step import NO_ANSWERS, yes
from isexplore.journey.suggestions import commit_message, follow_up_message
from isexplore.journey.world import World, maybe
from isexplore.text import clean_line, count

MAX_ROWS = 50
"""Changed files that are listed one by one."""

_INSISTS = re.compile(r"\b(?:must|required?|need(?:s|ed)?|every|all|reject\w*|fails?)\b", re.IGNORECASE)
"""Words of a guide that leaves no choice."""
_WORDS = {"untracked": "new", "added": "new"}


async def changed_files(world: World) -> tuple[Fact, ...]:
    """Return a row for each file that is not committed."""
    changes = await world.changes()
    rows = [
        Fact(
            "✗" if one.state == "conflicted" else "✓",
            f"{_WORDS.get(one.state, one.state)}: {clean_line(one.path, 200)}",
        )
        for one in changes[:MAX_ROWS]
    ]
    if len(changes) > MAX_ROWS:
        rows.append(Fact("!", f"... and {count(len(changes) - MAX_ROWS, 'more file')}"))
    return tuple(rows)


async def lacks_sign_off(world: World) -> BlockedError | None:
    """Return the refusal for commits without the sign-off that the project insists on; None when all is well.

    Before the first push a sign-off is added with one command; afterwards only by changing what others saw.
    """
    rules, base = await maybe(world.rules()), await world.base()
    if rules is None or rules.sign_off is None or not rules.sign_off_required:
        return None
    if not _INSISTS.search(rules.sign_off.text):
        return None
    missing = [one for one in await world.commits() if not _is_signed(one)]
    if not missing:
        return None
    said = rules.sign_off
    return BlockedError(
        f"{count(len(missing), 'commit')} without the sign-off that the project asks for",
        f"“{clean_line(missing[0].subject, 80)}”; {said.document}, line {said.line}: {said.text}",
        f"git rebase --signoff {base} adds it; then try again (git commit -s adds it from the start)",
    )


async def refuse_no_change(world: World) -> None:
    """Raise BlockedError where a new merge request would show no change: an empty commit, or one taken back."""
    if await world.merge_request() is None and await world.commits_nothing():
        number = count(len(await world.commits()), "commit")
        raise BlockedError(
            f"There is nothing to propose: {number}, and every file is as it is in {await world.base()}",
            f"Looked at {world.folder()}. A {world.forge.merge_request_noun} would show no change.",
            "Change something and commit it (git commit), then try again",
        )


def _is_signed(commit: CommitFacts) -> bool:
    return "signed-off-by:" in commit.body.lower()


class Change:
    """Waits for the person: nobody else can do this one."""

    name: StepName = "change"
    explanation = Explanation(
        title="Change",
        why="This is your part: edit the files, build and test as the project's CONTRIBUTING says. "
        "Keep to what the issue asks for, since a small change is reviewed sooner.",
        afterwards="The files in the clone hold your change.",
    )

    async def probe(self, world: World) -> StepState:
        """Return done when there is something to propose."""
        facts = await world.clone()
        if not facts.is_repo or await world.merge_request() is not None:
            words = count(facts.changes, "changed file") if facts.changes else "proposed already"
            return StepState(state="done", detail=words, facts=await changed_files(world))
        commits = await world.commits()
        if facts.changes:
            return StepState(
                state="done", detail=count(facts.changes, "changed file"), facts=await changed_files(world)
            )
        if commits and await world.commits_nothing():
            return StepState(
                state="ready",
                detail=f"{count(len(commits), 'commit')}, no change",
                hint=f"Every file is as it is in {await world.base()}: edit some in {world.folder()}",
            )
        if commits:
            return StepState(state="done", detail=count(len(commits), "commit"))
        return StepState(
            state="ready",
            detail="your turn",
            hint=f"Edit the files in {world.folder()}, in your editor or a shell",
        )

    async def questions(self, world: World) -> tuple[Question, ...]:
        """Return nothing."""
        return ()

    async def plan(self, world: World, answers: Answers = NO_ANSWERS) -> tuple[Command, ...]:
        """Return what the person does, while nothing is changed."""
        facts = await world.clone()
        if facts.is_repo and (facts.changes or await world.commits()) and not await world.commits_nothing():
            return ()
        return (plan.you(f"edit the files in {world.folder()}"),)

    async def run(self, world: World, answers: Answers = NO_ANSWERS) -> AsyncGenerator[Progress, None]:
        """Tell how it stands.

        Raises:
            BlockedError: nothing has changed yet.
        """
        world.forget_facts()
        await world.need_clone()
        state = await self.probe(world)
        if state.state != "done":
            raise BlockedError("Nothing has changed yet", f"Looked at {world.folder()}", state.hint)
        yield Progress(text=state.detail, step=self.name)


class Commit:
    """Records all changes in one commit, in the project's style."""

    name: StepName = "commit"
    explanation = Explanation(
        title="Commit",
        why="A commit records your change with a message that says what it is for; reviewers read it first. "
        "Some projects ask for a sign-off, a line by which you state that you may contribute this.",
        afterwards="Your change is in the branch's history, on your machine only.",
    )

    async def probe(self, world: World) -> StepState:
        """Return done when all changes are committed and there is a commit to propose."""
        facts = await world.clone()
        if not facts.is_repo:
            return StepState(state="done", detail="on the forge")
        busy = unfinished(facts)
        if busy is not None:
            return busy
        if facts.conflicts:
            return StepState(
                state="blocked",
                detail=f"{count(facts.conflicts, 'file')} with conflicts",
                hint="Settle the conflicts in your editor, then git add them",
                facts=await changed_files(world),
            )
        commits = await world.commits()
        if world.journey.branch and facts.branch != world.journey.branch:
            return StepState(state="done", detail="on the forge")
        if facts.changes:
            return StepState(
                state="ready",
                detail=f"{count(facts.changes, 'file')} not committed",
                hint="Run it to commit all of them",
                facts=await changed_files(world),
            )
        if commits:
            return StepState(
                state="done", detail=count(len(commits), "commit"), facts=await self._rows(world)
            )
        if await world.merge_request() is not None:
            return StepState(state="done", detail="proposed already")
        return StepState(state="blocked", detail="nothing to commit yet", hint="Change something first")

    async def _rows(self, world: World) -> tuple[Fact, ...]:
        """Return the commits; those that lack a sign-off that is required stand out."""
        rules, base = await maybe(world.rules()), await world.base()
        required = rules is not None and bool(rules.sign_off_required)
        rows = []
        for commit in (await world.commits())[:MAX_ROWS]:
            if required and not _is_signed(commit):
                rows.append(Fact("!", f"{commit.subject}: not signed off", f"git rebase --signoff {base}"))
            else:
                rows.append(Fact("✓", commit.subject))
        return tuple(rows)

    async def questions(self, world: World) -> tuple[Question, ...]:
        """Ask for the message, the sign-off, and who commits if git does not know."""
        rules, issue = await maybe(world.rules()), await maybe(world.issue())
        again = await world.merge_request() is not None or bool(await world.commits())
        first = await self._follow_up(world) if again else commit_message(issue, rules)
        asked = [
            Question(
                key="message",
                label="Commit message",
                kind="multiline",
                default=world.journey.commit_message or first,
                help="One line that says what the change does, as an order: “Explain the back-off”."
                if rules is None or rules.commit_style is None
                else f"{rules.commit_style.document} says: {rules.commit_style.text}",
                required=True,
            ),
            Question(
                key="sign_off",
                label="Sign off (Signed-off-by)",
                kind="yesno",
                default="yes" if rules is not None and bool(rules.sign_off_required) else "no",
                help="You state that you may contribute this (Developer Certificate of Origin).",
            ),
        ]
        identity = await self._identity(world)
        if not identity.complete:
            me = await world.me()
            asked += [
                Question(
                    key="name",
                    label="Your name",
                    default=identity.name or me.name or me.username,
                    help="As it should appear in the project's history.",
                    required=True,
                ),
                Question(
                    key="email",
                    label="Your e-mail address",
                    default=identity.email or me.email or "",
                    help="Use the address that the forge knows; it is kept for this clone only.",
                    required=True,
                ),
            ]
        return tuple(asked)

    @staticmethod
    async def _follow_up(world: World) -> str:
        """Return a message for a commit after the first one: which files it changes."""
        names = [change.path.rsplit("/", 1)[-1] for change in await maybe(world.changes()) or []]
        return follow_up_message(names)

    @staticmethod
    async def _identity(world: World) -> Identity:
        return await maybe(world.identity()) or Identity()

    async def _message(self, world: World, answers: Answers) -> str:
        default = (await self.questions(world))[0].default
        return answers.get("message", "").strip() or default

    async def _sign_off(self, world: World, answers: Answers) -> bool:
        rules = await maybe(world.rules())
        answer = answers.get("sign_off", "")
        return yes(answer) if answer else rules is not None and bool(rules.sign_off_required)

    async def _who(self, world: World, answers: Answers) -> tuple[str, str] | None:
        """Return the name and address to set, or None when git knows them."""
        identity = await self._identity(world)
        if identity.complete and not (answers.get("name") or answers.get("email")):
            return None
        me = await world.me()
        name = answers.get("name", "").strip() or identity.name or me.name
        email = answers.get("email", "").strip() or identity.email or me.email or ""
        return name, email

    async def plan(self, world: World, answers: Answers = NO_ANSWERS) -> tuple[Command, ...]:
        """Return add and commit, after setting who commits where that is missing; nothing where all is committed."""
        folder, lines = world.folder(), []
        facts = await world.clone()
        if (
            facts.is_repo
            and not facts.changes
            and await world.commits()
            and not await world.commits_nothing()
        ):
            return ()
        who = await self._who(world, answers)
        if who is not None:
            lines += [
                plan.git(line)
                for line in commands.identity_commands(folder, who[0], who[1] or "YOU@EXAMPLE.ORG")
            ]
        lines.append(plan.git(commands.add_command(folder, None)))
        message = await self._message(world, answers) or "SAY WHAT THE CHANGE DOES"
        sign_off = await self._sign_off(world, answers)
        lines.append(plan.git(commands.commit_command(folder, sign_off=sign_off, message=message)))
        return tuple(lines)

    async def run(self, world: World, answers: Answers = NO_ANSWERS) -> AsyncGenerator[Progress, None]:
        """Commit all changes; nothing when all is committed."""
        world.forget_facts()
        await world.need_clone()
        state = await self.probe(world)
        if state.state != "ready":
            if state.state == "blocked":
                raise BlockedError(state.detail[:1].upper() + state.detail[1:], "", state.hint)
            yield Progress(text=state.detail, step=self.name)
            return
        message = await self._message(world, answers)
        if not message:
            raise BlockedError("The commit needs a message", "", "Say in one line what the change does")
        await self._need_branch(world)
        who = await self._who(world, answers)
        if who is not None:
            if not all(who):
                raise BlockedError(
                    "Git does not know who commits",
                    "A commit carries a name and an e-mail address",
                    "Give both, or set them for all clones: git config --global user.name and user.email",
                )
            await world.git.set_identity(world.folder(), *who)
        sign_off = await self._sign_off(world, answers)
        world.learn(commit_message=message)
        yield Progress(text="Committing", step=self.name)
        async for progress in running(
            self.name, lambda say: world.git.commit(world.folder(), message, sign_off=sign_off, on_output=say)
        ):
            yield progress
        # The next commit of this journey says something else.
        world.learn(commit_message="")
        world.forget_facts()
        yield Progress(text="Committed", fraction=1.0, step=self.name)

    @staticmethod
    async def _need_branch(world: World) -> None:
        facts, project = await world.clone(), await world.project()
        if facts.branch is None or facts.branch == project.default_branch:
            raise BlockedError(
                "No branch of your own is checked out",
                f"A commit would go to {facts.branch or 'no branch at all'}",
                "Run the step “branch” first",
            )
