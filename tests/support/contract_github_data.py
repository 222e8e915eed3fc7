"""What a small GitHub knows in tests: repositories, issues, pull requests, and their shapes in its API.

Its world is the one of `tests.support.contract`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from tests.support.contract import ALPHA, FIRST_LABEL, README
from tests.support.forge import ForgeServer, Reply

API = "/api/v3"
ME = "newcomer"
USERS = {ME: 11, "mara": 12, "ravi": 13, "tools": 20}
MADE = "2026-01-05T09:00:00Z"
Json = dict[str, Any]


def refused(status: int, message: str, **more: object) -> Reply:
    """Return an error in GitHub's words and shape."""
    body = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return Reply(status, {**body, **more}, {"Content-Type": "application/json; charset=utf-8"})


NOT_FOUND = refused(404, "Not Found")


def sha_of(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


@dataclass
class Repository:
    """What the server knows of a repository; a branch is the list of its commits."""

    id: int
    path: str
    files: dict[str, bytes] = field(default_factory=dict)
    branches: dict[str, list[str]] = field(default_factory=dict)
    facts: Json = field(default_factory=dict)
    parent: Repository | None = None
    copied: bool = True

    @property
    def owner(self) -> str:
        return self.path.partition("/")[0]

    @property
    def name(self) -> str:
        return self.path.partition("/")[2]


@dataclass
class Pull:
    """A pull request of alpha."""

    number: int
    title: str
    author: str
    source: Repository
    branch: str
    body: str = ""
    draft: bool = False
    state: str = "open"
    merged_at: str | None = None
    reviews: list[Json] = field(default_factory=list)
    lines: list[Json] = field(default_factory=list)
    checks: list[Json] = field(default_factory=list)


class GitHubData(ForgeServer):
    """What the server knows, and how it is told."""

    def __init__(self) -> None:
        super().__init__(API)
        self.ids = 1_000
        self.repositories: dict[str, Repository] = {}
        self.pulls: dict[int, Pull] = {}
        self.issues: dict[int, Json] = {}
        self.remarks: dict[int, list[Json]] = {}
        self.starred: set[str] = set()
        self._fill()

    def next_id(self) -> int:
        self.ids += 1
        return self.ids

    def _fill(self) -> None:
        alpha = self.add(
            ALPHA, ["innersource", "python"], "internal", description="A small library for retries"
        )
        alpha.files = {
            "README.md": README,
            "CONTRIBUTING.md": b"# Contributing\n\nWelcome.\n",
            "src/alpha.py": b"X = 1\n",
            "docs/usage.md": b"Use it.\n",
            ".github/PULL_REQUEST_TEMPLATE.md": b"## What\n",
        }
        alpha.branches["main"] = [sha_of("mara"), sha_of("ravi")]
        alpha.branches["tidy"] = [*alpha.branches["main"], sha_of("tidy")]
        alpha.facts |= {
            "stargazers_count": 7,
            "language": "Python",
            "languages": {"Python": 900, "Shell": 100},
            "labels": [
                {"id": 1, "name": FIRST_LABEL, "description": None},
                {"id": 2, "name": "bug", "description": "It is broken"},
            ],
        }
        self.add("tools/beta", ["innersource", "go"], "public").branches["main"] = [sha_of("beta")]
        self.add("tools/secret", ["innersource"], "private", seen=False)
        self.write_issue(1, "Explain the back-off", "mara", FIRST_LABEL)
        self.write_issue(2, "It crashes", ME, "bug", assignee="ravi")
        self.issues[2]["body"] = "See #1."
        self.write_issue(3, "Old one", "mara", state="closed")
        self.pulls[4] = Pull(4, "Tidy up", "ravi", alpha, "tidy")

    def write_issue(
        self, number: int, title: str, author: str, *labels: str, assignee: str = "", state: str = "open"
    ) -> None:
        self.issues[number] = {
            "id": 300 + number,
            "number": number,
            "title": title,
            "body": None,
            "user": author,
            "labels": [{"name": label, "color": "ededed"} for label in labels],
            "assignees": [assignee] if assignee else [],
            "state": state,
            "comments": 0,
            "created_at": MADE,
            "updated_at": f"2026-02-0{number}T10:00:00Z",
        }
        self.remarks[number] = []

    def add(
        self, path: str, topics: list[str], visibility: str, *, seen: bool = True, **facts: object
    ) -> Repository:
        found = Repository(self.next_id(), path)
        found.facts = {
            "topics": topics,
            "visibility": visibility,
            "seen": seen,
            "languages": {},
            "labels": [],
        }
        found.facts |= facts
        self.repositories[path] = found
        return found

    # Shapes

    def user(self, login: str) -> Json:
        return {
            "login": login,
            "id": USERS[login],
            "type": "Organization" if login == "tools" else "User",
            "html_url": f"{self.url}/{login}",
        }

    def repository(self, repo: Repository, *, whole: bool = True) -> Json:
        mine = repo.owner == ME
        shape: Json = {
            "id": repo.id,
            "name": repo.name,
            "full_name": repo.path,
            "owner": self.user(repo.owner),
            "html_url": f"{self.url}/{repo.path}",
            "clone_url": f"{self.url}/{repo.path}.git",
            "ssh_url": f"git@127.0.0.1:{repo.path}.git",
            "description": None,
            "private": repo.facts["visibility"] != "public",
            "default_branch": "main",
            "fork": repo.parent is not None,
            "archived": False,
            "disabled": False,
            "has_issues": repo.parent is None,
            "language": None,
            "license": None,
            "stargazers_count": 0,
            "forks_count": sum(other.parent is repo for other in self.repositories.values()),
            "open_issues_count": 3,
            "created_at": MADE,
            "updated_at": "2026-02-01T00:00:00Z",
            "pushed_at": "2026-02-03T00:00:00Z",
            "permissions": {"admin": mine, "maintain": mine, "push": mine, "triage": mine, "pull": True},
        } | {name: fact for name, fact in repo.facts.items() if name not in ("seen", "languages", "labels")}
        shape["stargazers_count"] += repo.path in self.starred
        if whole and repo.parent is not None:
            shape["parent"] = shape["source"] = self.repository(repo.parent, whole=False)
        return shape

    def pull(self, pull: Pull, *, single: bool = False) -> Json:
        alpha = self.repositories[ALPHA]
        shape = {
            "id": 400 + pull.number,
            "node_id": f"PR_{pull.number}",
            "number": pull.number,
            "title": pull.title,
            "body": pull.body,
            "html_url": f"{self.url}/{ALPHA}/pull/{pull.number}",
            "state": pull.state,
            "draft": pull.draft,
            "user": self.user(pull.author),
            "head": {
                "label": f"{pull.source.owner}:{pull.branch}",
                "ref": pull.branch,
                "sha": pull.source.branches[pull.branch][-1],
                "user": self.user(pull.source.owner),
                "repo": self.repository(pull.source, whole=False),
            },
            "base": {
                "label": "tools:main",
                "ref": "main",
                "sha": alpha.branches["main"][-1],
                "user": self.user("tools"),
                "repo": self.repository(alpha, whole=False),
            },
            "requested_reviewers": [],
            "created_at": MADE,
            "updated_at": f"2026-02-0{min(pull.number, 9)}T10:00:00Z",
            "merged_at": pull.merged_at,
        }
        if single:
            # Whether it can be merged is not computed yet when somebody asks for the first time.
            shape |= {"merged": pull.merged_at is not None, "mergeable": None, "mergeable_state": "unknown"}
        return shape

    def node(self, pull: Pull) -> Json:
        """Return a pull request in GraphQL's shape."""
        rest = self.pull(pull)
        return {
            "number": pull.number,
            "title": pull.title,
            "body": pull.body,
            "url": rest["html_url"],
            "state": "MERGED" if pull.merged_at else pull.state.upper(),
            "isDraft": pull.draft,
            "createdAt": MADE,
            "updatedAt": rest["updated_at"],
            "mergedAt": pull.merged_at,
            "headRefName": pull.branch,
            "headRefOid": rest["head"]["sha"],
            "baseRefName": "main",
            "mergeable": "UNKNOWN",
            "author": {"login": pull.author, "__typename": "User"},
            "headRepository": {"nameWithOwner": pull.source.path},
            "baseRepository": {"nameWithOwner": ALPHA},
            "viewerDidAuthor": pull.author == ME,
        }

    def said(self, by: str, body: str, **more: object) -> Json:
        return {"id": self.next_id(), "user": self.user(by), "body": body, "created_at": MADE, **more}

    def as_issue(self, pull: Pull) -> Json:
        return {
            **{
                name: self.pull(pull)[name] for name in ("id", "number", "title", "html_url", "state", "user")
            },
            "labels": [],
            "updated_at": "2026-02-09T10:00:00Z",
            "pull_request": {"merged_at": pull.merged_at},
        }

    def issue(self, number: int) -> Json:
        issue = self.issues[number]
        return issue | {
            "html_url": f"{self.url}/{ALPHA}/issues/{number}",
            "user": self.user(issue["user"]),
            "assignees": [self.user(login) for login in issue["assignees"]],
            "comments": len(self.remarks[number]),
        }
