"""What the stand-in for Gitea and Forgejo holds: accounts, tokens, repositories (real bare ones), requests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.support.git import PERSON, ask, make_bare

_CLOSES = re.compile(r"\b(?:close|fix|resolve)[sd]?:? #(\d+)", re.IGNORECASE)


@dataclass
class Account:
    """A user or an organisation."""

    id: int
    login: str
    full_name: str = ""
    organisation: bool = False
    visibility: str = "public"
    members: dict[str, str] = field(default_factory=dict)
    """Of an organisation: login to team permission (owner, admin, write, read)."""
    labels: list[str] = field(default_factory=list)
    open_to_members: bool = False
    """Whether members may add repositories."""


@dataclass
class Token:
    """An access token; `scopes` None is one that may do everything."""

    text: str
    login: str
    scopes: frozenset[str] | None = None

    def holds(self, level: str, category: str) -> bool:
        """Whether it is enough for a level (read or write) of a category."""
        if self.scopes is None or "all" in self.scopes:
            return True
        return f"write:{category}" in self.scopes or f"{level}:{category}" in self.scopes


@dataclass
class Said:
    """A comment."""

    id: int
    author: str
    body: str
    at: datetime


@dataclass
class Review:
    """A review of a pull request with its remarks: (path, line, body)."""

    id: int
    author: str
    state: str
    body: str
    at: datetime
    remarks: list[tuple[str, int, str]] = field(default_factory=list)
    dismissed: bool = False


@dataclass
class Topic:
    """An issue, or, with `head`, a pull request: both are numbered together."""

    id: int
    number: int
    author: str
    title: str
    body: str = ""
    labels: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    open: bool = True
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    changed: datetime = field(default_factory=lambda: datetime.now(UTC))
    comments: list[Said] = field(default_factory=list)
    head: Repo | None = None
    head_branch: str = ""
    base_branch: str = ""
    base_sha: str = ""
    merged: bool = False
    merge_commit: str = ""
    maintainers_may_edit: bool = False
    reviews: list[Review] = field(default_factory=list)

    @property
    def is_pull(self) -> bool:
        return self.head_branch != ""


@dataclass
class Repo:
    """A repository; `bare` is None while it is empty in the way of one that nobody ever pushed to."""

    id: int
    owner: str
    name: str
    bare: Path
    description: str = ""
    topics: list[str] = field(default_factory=list)
    private: bool = False
    archived: bool = False
    empty: bool = False
    default_branch: str = "main"
    parent: Repo | None = None
    labels: list[str] = field(default_factory=list)
    collaborators: dict[str, str] = field(default_factory=dict)
    protected: dict[str, int] = field(default_factory=dict)
    """Branch to approvals needed."""
    topics_by_number: dict[int, Topic] = field(default_factory=dict)
    statuses: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    stars: set[str] = field(default_factory=set)
    has_issues: bool = True
    has_pulls: bool = True
    changed: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def path(self) -> str:
        return f"{self.owner}/{self.name}"

    def git(self, *words: str, check: bool = True, environment: Mapping[str, str] | None = None) -> str:
        """Run git in the bare repository; the empty string when it fails and nobody checks."""
        done = subprocess.run(
            ["git", *words],
            cwd=self.bare,
            env={**os.environ, **PERSON, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, f"git {words}: {done.stderr}"
        return done.stdout if done.returncode == 0 else ""

    def ask(self, *words: str, check: bool = True) -> str:
        """Ask git what the repository holds; the empty string when it fails and nobody checks."""
        code, answer = ask(self.bare, *words)
        assert not check or code == 0, f"git {words}"
        return answer.decode() if code == 0 else ""

    def take(self, other: Repo, branch: str, ref: str) -> None:
        """Bring a branch of another repository here, as `ref`, unless it is here already."""
        there = other.commit(f"refs/heads/{branch}")
        if there and self.commit(ref) != there:
            self.git(
                "fetch", "--quiet", "--no-auto-maintenance", str(other.bare), f"+refs/heads/{branch}:{ref}"
            )

    def branches(self) -> dict[str, str]:
        """Return the branches with their commits."""
        if self.empty:
            return {}
        lines = self.ask("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
        return dict(line.rsplit(" ", 1) for line in lines.splitlines())

    def commit(self, ref: str) -> str:
        """Return the commit of a branch or a commit's own name, or the empty string."""
        return self.ask("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", check=False).strip()


class GiteaState:
    """The world behind a server, and what maintainers do in it by other means than the API."""

    def __init__(self, root: Path) -> None:
        """Keep the bare repositories below `root`."""
        self.root = root
        self.accounts: dict[str, Account] = {}
        self.tokens: dict[str, Token] = {}
        self.repos: dict[str, Repo] = {}
        self.renamed: dict[str, str] = {}
        """Former to present path, both in lower case."""
        self._serial = 100

    def next_id(self) -> int:
        self._serial += 1
        return self._serial

    def account(self, login: str, **more: object) -> Account:
        """Add a user or an organisation."""
        made = Account(self.next_id(), login, **more)  # type: ignore[arg-type]
        self.accounts[login.lower()] = made
        return made

    def token(self, text: str, login: str, scopes: str | None = None) -> Token:
        """Add a token with scopes separated by blanks."""
        made = Token(text, login, None if scopes is None else frozenset(scopes.split()))
        self.tokens[text] = made
        return made

    def repo(
        self, owner: str, name: str, files: Mapping[str, str] | None = None, *, branch: str = "main"
    ) -> Repo:
        """Add a repository with one commit; an empty one without files."""
        bare = self.root / owner.lower() / f"{name.lower()}.git"
        if files is None:
            bare.mkdir(parents=True)
            words = ("init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}", ".")
            subprocess.run(["git", *words], cwd=bare, check=True)
        else:
            make_bare(bare, files, branch=branch)
        made = Repo(self.next_id(), owner, name, bare, default_branch=branch, empty=files is None)
        self.repos[made.path.lower()] = made
        return made

    def rename(self, repo: Repo, name: str) -> None:
        """Give a repository another name; the old address leads to the new one."""
        former = repo.path.lower()
        del self.repos[former]
        repo.name = name
        self.repos[repo.path.lower()] = repo
        self.renamed[former] = repo.path

    def fork(self, repo: Repo, owner: str, name: str = "") -> Repo:
        """Copy a repository."""
        name = name or repo.name
        bare = self.root / owner.lower() / f"{name.lower()}-{self.next_id()}.git"
        # Branches alone, as a clone has them: nothing of pull requests.
        shutil.copytree(repo.bare, bare, ignore=shutil.ignore_patterns("pull", "compare", "upstream"))
        made = Repo(
            self.next_id(),
            owner,
            name,
            bare,
            description=repo.description,
            private=repo.private,
            default_branch=repo.default_branch,
            empty=repo.empty,
            parent=repo,
        )
        self.repos[made.path.lower()] = made
        return made

    def forks(self, repo: Repo) -> list[Repo]:
        return [each for each in self.repos.values() if each.parent is repo]

    def issue(self, repo: Repo, author: str, title: str, *labels: str, body: str = "") -> Topic:
        """Add an issue."""
        made = Topic(
            self.next_id(), len(repo.topics_by_number) + 1, author, title, body=body, labels=list(labels)
        )
        repo.topics_by_number[made.number] = made
        return made

    def pull(
        self, repo: Repo, author: str, title: str, head: Repo, head_branch: str, base: str, body: str = ""
    ) -> Topic:
        """Add a pull request."""
        made = Topic(self.next_id(), len(repo.topics_by_number) + 1, author, title, body=body)
        made.head, made.head_branch, made.base_branch = head, head_branch, base
        repo.topics_by_number[made.number] = made
        self.follow(repo, made)
        made.base_sha = repo.ask("merge-base", base, f"refs/pull/{made.number}/head").strip()
        return made

    def follow(self, repo: Repo, pull: Topic) -> None:
        """Bring what was pushed to a pull request's branch into the original."""
        if pull.head is None or not pull.open:
            return
        repo.take(pull.head, pull.head_branch, f"refs/pull/{pull.number}/head")
        pull.changed = datetime.now(UTC)

    def pushed(self, repo: Repo) -> None:
        """Take note of a push."""
        repo.empty = not repo.ask("for-each-ref", "refs/heads").strip()
        repo.changed = datetime.now(UTC)
        for other in self.repos.values():
            for topic in other.topics_by_number.values():
                if topic.head is repo:
                    self.follow(other, topic)

    # What maintainers do

    def review(self, pull: Topic, author: str, state: str, body: str, *remarks: tuple[str, int, str]) -> None:
        """Review a pull request: APPROVED, REQUEST_CHANGES or COMMENT."""
        pull.reviews.append(Review(self.next_id(), author, state, body, datetime.now(UTC), list(remarks)))
        pull.changed = datetime.now(UTC)

    def merge(self, repo: Repo, pull: Topic) -> None:
        """Merge a pull request with a commit, and close the issues that it names."""
        head = repo.commit(f"refs/pull/{pull.number}/head")
        base = repo.commit(pull.base_branch)
        tree = repo.git("merge-tree", "--write-tree", base, head).split()[0]
        merged = repo.git("commit-tree", tree, "-p", base, "-p", head, "-m", f"Merge #{pull.number}").strip()
        repo.git("update-ref", f"refs/heads/{pull.base_branch}", merged)
        pull.merged, pull.open, pull.merge_commit = True, False, merged
        pull.changed = datetime.now(UTC)
        for number in _CLOSES.findall(pull.body):
            repo.topics_by_number[int(number)].open = False

    # Who may what

    def role(self, repo: Repo, login: str | None) -> str:
        """Return none, read, write, admin or owner."""
        if login is None:
            return "none" if repo.private else "read"
        if login.lower() == repo.owner.lower():
            return "owner"
        owner = self.accounts[repo.owner.lower()]
        team = owner.members.get(login, "") if owner.organisation else ""
        given = team or repo.collaborators.get(login, "")
        if given:
            return given
        hidden = repo.private or (owner.visibility == "private")
        return "none" if hidden else "read"

    def may_write(self, repo: Repo, login: str | None) -> bool:
        return self.role(repo, login) in ("write", "admin", "owner")
