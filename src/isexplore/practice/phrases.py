"""What the maintainer says on a merge request: friendly, exact, and never a dead end."""

from __future__ import annotations

from collections.abc import Sequence

from isexplore.practice.rows import MergeRequestRow
from isexplore.practice.seed import ReviewSeed


def default_review(reviewer: str, *, change_log: bool) -> ReviewSeed:
    """Return what a project without wishes of its own asks for.

    Args:
        reviewer: who asks.
        change_log: whether the project has a CHANGELOG.md, which then is the natural thing to ask for.
    """
    if change_log:
        return ReviewSeed(
            reviewer=reviewer,
            request=(
                "Thank you for this, {author}! I like it. One thing is missing before I merge: please add "
                "a line to `CHANGELOG.md` that tells what changes for people who use this project."
            ),
            satisfied_by="changelog",
            path="CHANGELOG.md",
            thanks="Perfect, thank you, {author}. Merging.",
        )
    return ReviewSeed(
        reviewer=reviewer,
        request=(
            "Thank you for this, {author}! Before I merge: please read `{file}` once more with fresh eyes "
            "and push one small commit that makes it clearer, such as a better name, a shorter sentence "
            "or a missing word. Whatever you choose is fine."
        ),
        thanks="Clearer now, thank you, {author}. Merging.",
    )


class Words:
    """The maintainer's sentences about one merge request.

    Args:
        review: the project's wishes.
        request: the merge request.
        author_name: full name of its author.
    """

    def __init__(self, review: ReviewSeed, request: MergeRequestRow, author_name: str) -> None:
        self._review = review
        self._branch = request.source_branch
        self._target = request.target_branch
        self._draft = request.draft
        self._author = author_name.split(" ")[0] or request.author

    def _filled(self, words: str, file: str = "") -> str:
        return words.replace("{author}", self._author).replace("{file}", file or "your change")

    def request(self, file: str) -> str:
        """Ask for the one change; `file` is the first that the merge request touches."""
        return self._filled(self._review.request, file)

    def thanks(self) -> str:
        """Say thank you for it."""
        return self._filled(self._review.thanks)

    def nothing_to_ask(self) -> str:
        """Say thank you where the change was there before anybody asked."""
        return (
            f"Thank you, {self._author}! I wanted to ask for one more thing, and you had done it already. "
            "Nothing to add: approved, and I merge it in a moment."
        )

    def failed(self, failures: Sequence[tuple[str, str]]) -> str:
        """Point at what the checks found: (job, its reason)."""
        lines = [f"- `{name}`: {why or 'its log tells why.'}" for name, why in failures]
        job = "One job is" if len(lines) == 1 else f"{len(lines)} jobs are"
        return (
            f"Hello {self._author}, thank you for the merge request! {job} not green yet; that happens to "
            "all of us, and it is quickly put right:\n\n"
            + "\n".join(lines)
            + f"\n\nPush the fix to `{self._branch}` and the checks run again by themselves. I review as "
            "soon as they pass. If the log makes no sense to you, ask here."
        )

    def draft(self) -> str:
        """Tell when the review of a draft starts."""
        return (
            f"Hello {self._author}! The checks pass, so this is in good shape. I see that it is still a "
            "draft: I start my review when you mark it as ready."
        )

    def conflict(self) -> str:
        """Tell how to get rid of a conflict."""
        return (
            f"Somebody else changed the same lines on `{self._target}` meanwhile, so git cannot merge this "
            f"by itself. Please bring the newest `{self._target}` of the original project into "
            f"`{self._branch}` (`git fetch upstream`, then `git merge upstream/{self._target}`, or "
            "whatever your remote is called), keep what both sides meant, commit and push. Ask if the two "
            "versions puzzle you."
        )

    def missing(self) -> str:
        """Tell kindly what a push does not contain yet."""
        if self._review.missing:
            return self._filled(self._review.missing)
        if self._review.satisfied_by == "changelog":
            what = f"I cannot see a change in `{self._review.path}` yet"
        elif self._review.satisfied_by == "file-matches":
            what = f"`{self._review.path}` does not have it yet"
        else:
            what = "the files are the same as before"
        return (
            f"Thank you for the push, {self._author}! It seems that something stayed behind, though: {what}. "
            "`git status` tells whether the file is committed. What I asked for is at the top of this thread."
        )

    def waiting(self) -> str:
        """Answer words with the hint what counts."""
        if self._draft:
            return (
                f"Thank you for the note, {self._author}! Take the time you need: I look at it as soon as "
                "it is marked as ready. If you want an opinion before that, mark it as ready and say so."
            )
        return (
            f"Thank you for the answer, {self._author}! What I go by is the branch: as soon as a commit "
            f"with the change is pushed to `{self._branch}`, the checks run and I look again. Nothing else "
            "to do, and no need for a new merge request."
        )
