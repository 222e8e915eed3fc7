"""A Gitea or Forgejo on the loopback for the contract suite, in the shape of recorded answers.

Two generations: Forgejo as it is, and Gitea 1.16, which leaves topics out of repositories, does not
compare with forks, cannot sync, and refuses a second fork with an empty 500. Both believe that their
own address is another one, as a server with a wrong ROOT_URL does.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from isexplore.config.secrets import Secret
from isexplore.forge.gitea import GiteaForge
from isexplore.forge.http import ForgeClient
from isexplore.models import ForgeKind, Project
from tests.support.contract import ALPHA, FIRST_LABEL, README, Trouble
from tests.support.forge import RECORDED, Answering, ForgeServer, Reply, Seen, html

ROOT_URL = "http://git.internal:3000"
TOKEN = "token-of-nia"
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
PAGE = 50
FILES = {
    "README.md": README,
    "CONTRIBUTING.md": b"# Contributing\n\nWelcome.\n",
    "src/alpha.py": b"X = 1\n",
    "docs/usage.md": b"Use it.\n",
    ".gitea/pull_request_template.md": b"## What\n",
}
NAMES = {"nia": "Nia Newcomer", "mara": "Mara Maintainer", "ravi": "Ravi Reviewer"}
_TIME = "%Y-%m-%dT%H:%M:%SZ"


def shape(name: str) -> Any:
    """Return a fresh copy of a recorded body."""
    return json.loads((RECORDED / "gitea" / f"{name}.json").read_text(encoding="utf-8"))["body"]


def refusal(status: int, message: str = "The target couldn't be found.", *errors: str) -> Reply:
    return Reply(status, {"errors": list(errors), "message": message, "url": f"{ROOT_URL}/api/swagger"})


def stamp(days_ago: float) -> str:
    return (NOW - timedelta(days=days_ago)).strftime(_TIME)


def user(login: str) -> dict[str, Any]:
    number = 1 + sorted(NAMES).index(login) if login in NAMES else 50
    told = {"id": number, "login": login, "username": login, "full_name": NAMES.get(login, "")}
    return {**shape("user"), **told, "html_url": f"{ROOT_URL}/{login}"}


@dataclass
class Commit:
    author: str
    days_ago: float
    sha: str


@dataclass
class Repo:
    """A repository: branches are lists of commits, oldest first."""

    id: int
    path: str
    description: str = ""
    topics: list[str] = field(default_factory=list)
    private: bool = False
    archived: bool = False
    parent: Repo | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    branches: dict[str, list[Commit]] = field(default_factory=dict)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    reviews: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    remarks: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    statuses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    mentions: dict[int, list[int]] = field(default_factory=dict)
    stars: int = 0

    @property
    def owner(self) -> str:
        return self.path.partition("/")[0]


Route = tuple[str, re.Pattern[str], Callable[..., Reply]]


class GiteaServer(ForgeServer):
    """Answers `/api/v1` from its repositories."""

    def __init__(self, *, old: bool = False) -> None:
        super().__init__(prefix="/api/v1")
        self.old = old
        self.repos: dict[str, Repo] = {}
        self.starred: set[str] = set()
        self.trouble: Trouble | None = None
        self.overrides: dict[str, Reply] = {}
        self._serial = 1_000
        repo = r"/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)"
        routes: list[tuple[str, str, Callable[..., Reply]]] = [
            ("GET", "/version", self._version),
            ("GET", "/user", lambda seen: Reply(200, user("nia"))),
            ("GET", "/user/orgs", lambda seen: Reply(200, [])),
            ("GET", "/repos/search", self._find),
            ("GET", "/repos/issues/search", self._find_issues),
            ("PUT", "/user/starred/(?P<path>.+)", self._star),
            ("GET", r"/repositories/(?P<number>\d+)", self._by_id),
            ("GET", repo, self._repo),
            ("GET", repo + "/topics", self._topics),
            ("GET", repo + "/languages", lambda seen, at: Reply(200, {"Python": 900, "Shell": 100})),
            ("GET", repo + "/contents(?:/(?P<path>.*))?", self._contents),
            ("GET", repo + "/raw/(?P<path>.+)", self._raw),
            ("GET", repo + "/labels", self._labels),
            ("GET", repo + "/issues", self._issues),
            ("GET", repo + r"/issues/(?P<n>\d+)", self._issue),
            ("PATCH", repo + r"/issues/(?P<n>\d+)", self._assign),
            ("GET", repo + r"/issues/(?P<n>\d+)/comments", self._comments),
            ("POST", repo + r"/issues/(?P<n>\d+)/comments", self._comment),
            ("GET", repo + r"/issues/(?P<n>\d+)/timeline", self._timeline),
            ("GET", repo + "/teams", lambda seen, at: Reply(403, {"message": "Forbidden"})),
            ("GET", repo + "/collaborators", lambda seen, at: Reply(200, [user("mara"), user("ravi")])),
            ("GET", repo + "/assignees", lambda seen, at: Reply(200, [user("mara"), user("ravi")])),
            ("GET", repo + "/commits", self._commits),
            ("GET", repo + "/commits/(?P<sha>[0-9a-f]+)/status", self._status),
            ("GET", repo + "/branches", self._branches),
            ("GET", repo + "/branches/(?P<branch>.+)", self._branch),
            ("GET", repo + "/compare/(?P<base>.+)[.]{3}(?P<who>[^:]+):(?P<head>.+)", self._compare),
            ("GET", repo + "/forks", self._forks),
            ("POST", repo + "/forks", self._fork),
            ("POST", repo + "/sync_fork/(?P<branch>.+)", self._sync),
            ("GET", repo + "/pulls", self._pulls),
            ("POST", repo + "/pulls", self._propose),
            ("GET", repo + r"/pulls/(?P<n>\d+)", self._pull),
            ("PATCH", repo + r"/pulls/(?P<n>\d+)", self._pull),
            ("GET", repo + r"/pulls/(?P<n>\d+)/reviews", self._reviews),
            ("POST", repo + r"/pulls/(?P<n>\d+)/reviews", self._answer_thread),
            ("GET", repo + r"/pulls/(?P<n>\d+)/reviews/(?P<review>\d+)/comments", self._remarks),
        ]
        self._api: list[Route] = [(method, re.compile(path), call) for method, path, call in routes]

    # Getting there

    def _answer(self, seen: Seen) -> Answering:
        path = unquote(seen.path).removeprefix(self.prefix)
        if f"{seen.method} {path}" in self.overrides:
            return self.overrides[f"{seen.method} {path}"]
        if self.trouble is not None:
            return self._troubled(self.trouble)
        if seen.headers.get("authorization") != f"token {TOKEN}":
            return refusal(401, "invalid username, password or token")
        for method, pattern, call in self._api:
            match = pattern.fullmatch(path)
            if match is None or method != seen.method:
                continue
            found = match.groupdict()
            owner, name = found.pop("owner", None), found.pop("name", None)
            if owner is None:
                return call(seen, **found)
            repo = self.repos.get(f"{owner}/{name}")
            if repo is None or repo.private:
                return Reply(404, shape("repo_missing"))
            return call(seen, repo, **{key: value for key, value in found.items() if value is not None})
        return refusal(404, "Not Found")

    def _troubled(self, trouble: Trouble) -> Reply:
        wanted = "token does not have at least one of required scope(s), required=[read:repository]"
        return {
            Trouble.BAD_TOKEN: refusal(401, "user does not exist [uid: 0, name: ]"),
            Trouble.MISSING_SCOPE: refusal(403, f"{wanted}, token scope=read:user"),
            Trouble.NOT_VISIBLE: Reply(404, shape("repo_missing")),
            Trouble.RATE_LIMITED: Reply(429, b"slow down", {"Retry-After": "3600"}),
            Trouble.WEB_PAGE: html("Sign in to the network"),
            Trouble.DOWN: Reply(503, b"", {"Retry-After": "3600"}),
        }[trouble]

    def serial(self) -> int:
        self._serial += 1
        return self._serial

    def new_commit(self, author: str, days_ago: float = 0.0) -> Commit:
        sha = hashlib.sha1(str(self.serial()).encode(), usedforsecurity=False).hexdigest()
        return Commit(author, days_ago, sha)

    def _listed(self, seen: Seen, items: list[Any], wrap: Callable[[list[Any]], object] = list) -> Reply:
        """Return a page with the headers of these servers: `Link` names ROOT_URL, joined without a space."""
        size = min(int(seen.query.get("limit", "30")), PAGE)
        page = int(seen.query.get("page", "1"))
        last = max(1, -(-len(items) // size))
        links = []
        for word, number in (("next", page + 1), ("last", last)):
            if page < last:
                links.append(f'<{ROOT_URL}/api/v1/elsewhere?page={number}&limit={size}>; rel="{word}"')
        headers = {"X-Total-Count": str(len(items)), **({"Link": ",".join(links)} if links else {})}
        found = items[(page - 1) * size : page * size]
        return Reply(200, wrap(found) if found else wrap([]), headers)

    # Repositories

    def wire(self, repo: Repo, *, nested: bool = False) -> dict[str, Any]:
        """Return a repository in its recorded shape."""
        owner = user(repo.owner)
        owner["visibility"] = "limited" if repo.owner == "tools" else "public"
        mine = repo.owner == "nia"
        found = {
            **shape("repo"),
            "id": repo.id,
            "name": repo.path.partition("/")[2],
            "full_name": repo.path,
            "owner": owner,
            "description": repo.description,
            "private": repo.private,
            "archived": repo.archived,
            "empty": not repo.branches,
            "fork": repo.parent is not None,
            "parent": None,
            "default_branch": "main",
            "stars_count": repo.stars + (repo.path in self.starred),
            "forks_count": sum(each.parent is repo for each in self.repos.values()),
            "open_issues_count": sum(issue["state"] == "open" for issue in repo.issues.values()),
            "html_url": f"{ROOT_URL}/{repo.path}",
            "clone_url": f"{ROOT_URL}/{repo.path}.git",
            "ssh_url": f"ssh://git@git.internal:2222/{repo.path}.git",
            "updated_at": stamp(3 if repo.path == ALPHA else 90),
            "has_issues": repo.parent is None,
            "permissions": {"admin": mine, "push": mine, "pull": True},
            "topics": repo.topics or None,
        }
        if self.old:
            del found["topics"]
        if repo.parent is not None and not nested:
            found["parent"] = self.wire(repo.parent, nested=True)
        return found

    def _version(self, seen: Seen) -> Reply:
        return Reply(200, {"version": "1.16.0" if self.old else "13.0.2+gitea-1.22.0"})

    def _find(self, seen: Seen) -> Reply:
        wanted = seen.query.get("q", "").lower()
        found = [repo for repo in self.repos.values() if not repo.private]
        if seen.query.get("archived") == "false":
            found = [repo for repo in found if not repo.archived]
        if seen.query.get("topic") == "true":
            found = [repo for repo in found if wanted in repo.topics]
        elif wanted:
            found = [repo for repo in found if wanted in repo.path.partition("/")[2].lower()]
        wires = [self.wire(repo) for repo in found]
        reverse = seen.query.get("order") == "desc"
        key = "updated_at" if seen.query.get("sort") == "updated" else "id"
        wires.sort(key=lambda wire: str(wire[key]).zfill(30), reverse=reverse)
        return self._listed(seen, wires, lambda page: {"ok": True, "data": page})

    def _by_id(self, seen: Seen, number: str) -> Reply:
        found = next((repo for repo in self.repos.values() if repo.id == int(number)), None)
        return Reply(200, self.wire(found)) if found and not found.private else refusal(404)

    def _repo(self, seen: Seen, repo: Repo) -> Reply:
        return Reply(200, self.wire(repo))

    def _topics(self, seen: Seen, repo: Repo) -> Reply:
        return Reply(200, {"topics": repo.topics})

    def _star(self, seen: Seen, path: str) -> Reply:
        self.starred.add(path)
        return Reply(204)

    def _contents(self, seen: Seen, repo: Repo, path: str = "") -> Reply:
        below = f"{path}/" if path else ""
        names: dict[str, int | None] = {}
        for file, data in repo.files.items():
            if file.startswith(below):
                rest = file.removeprefix(below)
                names[rest.partition("/")[0]] = None if "/" in rest else len(data)
        if not names:
            return Reply(404, shape("file_missing"))
        entries = []
        for name, size in sorted(names.items()):
            kind = "dir" if size is None else "file"
            entries.append(
                {**shape("entry"), "name": name, "path": below + name, "type": kind, "size": size or 0}
            )
        return Reply(200, entries)

    def _raw(self, seen: Seen, repo: Repo, path: str) -> Reply:
        if path not in repo.files:
            return Reply(404, shape("file_missing"))
        return Reply(200, repo.files[path], {"Content-Type": "text/plain; charset=utf-8"})

    def _commits(self, seen: Seen, repo: Repo) -> Reply:
        if "main" not in repo.branches:
            return refusal(409, "Git Repository is empty.")
        wires = []
        for commit in reversed(repo.branches["main"]):
            git = {"name": NAMES[commit.author], "email": f"{commit.author}@forge.example.com"}
            dated = {**git, "date": stamp(commit.days_ago)}
            known = {"author": user(commit.author), "commit": {"author": dated, "committer": dated}}
            wires.append({"sha": commit.sha, "created": stamp(commit.days_ago), **known})
        return self._listed(seen, wires)

    # Branches and forks

    def branch(self, repo: Repo, name: str) -> dict[str, Any]:
        head = repo.branches[name][-1]
        protected = {"protected": name == "main", "required_approvals": 1 if name == "main" else 0}
        return {"name": name, "commit": {"id": head.sha}, "user_can_push": repo.owner == "nia", **protected}

    def _branches(self, seen: Seen, repo: Repo) -> Reply:
        return self._listed(seen, [self.branch(repo, name) for name in repo.branches])

    def _branch(self, seen: Seen, repo: Repo, branch: str) -> Reply:
        if branch not in repo.branches:
            return Reply(404, shape("branch_missing"))
        return Reply(200, self.branch(repo, branch))

    def _compare(self, seen: Seen, repo: Repo, base: str, who: str, head: str) -> Reply:
        other = next(
            (each for each in self.repos.values() if each.owner == who and related(each, repo)), None
        )
        if self.old or other is None or head not in other.branches or base not in repo.branches:
            return refusal(404)
        have = {commit.sha for commit in repo.branches[base]}
        more = [commit for commit in other.branches[head] if commit.sha not in have]
        return Reply(200, {"total_commits": len(more), "commits": []})

    def _forks(self, seen: Seen, repo: Repo) -> Reply:
        return self._listed(
            seen,
            [self.wire(each) for each in self.repos.values() if each.parent is repo and not each.private],
        )

    def _fork(self, seen: Seen, repo: Repo) -> Reply:
        path = f"nia/{seen.json.get('name') or repo.path.partition('/')[2]}"
        existing = next((r for r in self.repos.values() if r.parent is repo and r.owner == "nia"), None)
        if existing is not None or path in self.repos:
            if self.old:
                return Reply(500, {"message": "", "url": f"{ROOT_URL}/api/swagger"})
            if existing is None:
                return refusal(409, "The repository with the same name already exists.")
            told = f"repo path: {repo.path}, fork path: {existing.path}"
            return refusal(409, f"repository is already forked by user [uname: nia, {told}]")
        fork = Repo(
            id=self.serial(),
            path=path,
            description=repo.description,
            parent=repo,
            files=dict(repo.files),
            branches={name: list(commits) for name, commits in repo.branches.items()},
        )
        self.repos[path] = fork
        return Reply(202, self.wire(fork))

    def _sync(self, seen: Seen, repo: Repo, branch: str) -> Reply:
        if self.old:
            return refusal(404, "Not Found")
        assert repo.parent is not None
        theirs = {commit.sha for commit in repo.parent.branches[branch]}
        if any(commit.sha not in theirs for commit in repo.branches[branch]):
            return refusal(400, "You can't sync this branch")
        repo.branches[branch] = list(repo.parent.branches[branch])
        return Reply(204)

    # Issues

    def add_issue(self, repo: Repo, number: int, title: str, author: str, **more: Any) -> None:
        labels = [
            {"id": 7, "name": name, "color": "fbca04", "description": ""} for name in more.pop("labels", ())
        ]
        repo.issues[number] = {
            **shape("issue"),
            "id": self.serial(),
            "number": number,
            "title": title,
            "user": user(author),
            "labels": labels,
            "html_url": f"{ROOT_URL}/{repo.path}/issues/{number}",
            "updated_at": stamp(30 - number),
            "repository": {"id": repo.id, "full_name": repo.path, "name": "alpha", "owner": repo.owner},
            **more,
        }

    def as_issue(self, repo: Repo, pull: dict[str, Any]) -> dict[str, Any]:
        """Return a pull request in the form of an issue."""
        told = {"merged": pull["merged"], "merged_at": pull["merged_at"], "html_url": pull["html_url"]}
        kept = ("id", "number", "title", "body", "user", "state", "created_at", "updated_at")
        where = {"id": repo.id, "full_name": repo.path, "name": "alpha", "owner": repo.owner}
        same = {key: pull[key] for key in kept}
        return {**shape("issue"), **same, "labels": [], "pull_request": told, "repository": where}

    def _labels(self, seen: Seen, repo: Repo) -> Reply:
        return self._listed(
            seen, [{"id": 7, "name": name, "color": "fbca04", "description": ""} for name in repo.labels]
        )

    def _issues(self, seen: Seen, repo: Repo) -> Reply:
        found = [copy.deepcopy(issue) for issue in repo.issues.values()]
        if seen.query.get("type") != "issues":
            found += [self.as_issue(repo, pull) for pull in repo.pulls.values()]
        if seen.query.get("state", "open") != "all":
            found = [issue for issue in found if issue["state"] == seen.query.get("state", "open")]
        # Unknown labels are dropped; the others are combined by AND.
        known = [name for name in seen.query.get("labels", "").split(",") if name in repo.labels]
        for name in known:
            found = [issue for issue in found if name in [label["name"] for label in issue["labels"]]]
        return self._listed(seen, sorted(found, key=lambda issue: -issue["number"]))

    def _find_issues(self, seen: Seen) -> Reply:
        found = [
            self.as_issue(repo, pull)
            for repo in self.repos.values()
            for pull in repo.pulls.values()
            if pull["state"] == seen.query["state"] and pull["user"]["login"] == "nia"
        ]
        return self._listed(seen, found)

    def _issue(self, seen: Seen, repo: Repo, n: str) -> Reply:
        number = int(n)
        if number in repo.pulls:
            return Reply(200, self.as_issue(repo, repo.pulls[number]))
        return Reply(200, repo.issues[number]) if number in repo.issues else refusal(404)

    def _assign(self, seen: Seen, repo: Repo, n: str) -> Reply:
        issue = repo.issues[int(n)]
        if any(name not in NAMES for name in seen.json["assignees"]):
            return Reply(500, shape("assignee_unknown"))
        if issue["user"]["login"] != "nia":
            return Reply(403, b"")
        # Who wrote an issue may edit it, but not assign it: 201, and nothing changed.
        return Reply(201, issue)

    def _comments(self, seen: Seen, repo: Repo, n: str) -> Reply:
        found = repo.comments.get(int(n), [])
        return Reply(200, found or None, {"X-Total-Count": str(len(found))})

    def comment(self, repo: Repo, number: int, author: str, body: str) -> dict[str, Any]:
        made = {**shape("comment"), "id": self.serial(), "body": body, "user": user(author)}
        made["created_at"] = made["updated_at"] = stamp(0)
        repo.comments.setdefault(number, []).append(made)
        return made

    def _comment(self, seen: Seen, repo: Repo, n: str) -> Reply:
        return Reply(201, self.comment(repo, int(n), "nia", seen.json["body"]))

    def _timeline(self, seen: Seen, repo: Repo, n: str) -> Reply:
        events = [
            {"id": self.serial(), "type": "pull_ref", "ref_issue": self.as_issue(repo, repo.pulls[number])}
            for number in repo.mentions.get(int(n), ())
        ]
        events.insert(0, {"id": 1, "type": "label", "ref_issue": None})
        return Reply(200, events, {"X-Total-Count": str(len(events))})

    # Pull requests

    def add_pull(self, repo: Repo, source: Repo, branch: str, author: str, **told: Any) -> dict[str, Any]:
        number = 1 + max((*repo.issues, *repo.pulls), default=0)
        pull = {
            **shape("pull"),
            "id": self.serial(),
            "number": number,
            "user": user(author),
            "html_url": f"{ROOT_URL}/{repo.path}/pulls/{number}",
            "state": "open",
            "created_at": stamp(1),
            "updated_at": stamp(1),
            "body": "",
            **told,
        }
        pull["draft"] = pull["title"].lower().startswith(("wip:", "[wip]"))
        pull["base"] = {
            "label": "main",
            "ref": "main",
            "repo_id": repo.id,
            "repo": self.wire(repo, nested=True),
        }
        pull["head"] = {"label": branch, "ref": branch, "repo_id": source.id, "repo": self.wire(source)}
        pull["head"]["sha"] = source.branches[branch][-1].sha
        repo.pulls[number] = pull
        for mentioned in re.findall(r"#(\d+)", pull["body"]):
            repo.mentions.setdefault(int(mentioned), []).append(number)
        return pull

    def _pulls(self, seen: Seen, repo: Repo) -> Reply:
        state = seen.query.get("state", "open")
        found = [pull for pull in repo.pulls.values() if state in ("all", pull["state"])]
        if not self.old and "poster" in seen.query:
            found = [pull for pull in found if pull["user"]["login"] == seen.query["poster"]]
        return self._listed(seen, sorted(found, key=lambda pull: -pull["number"]))

    def _propose(self, seen: Seen, repo: Repo) -> Reply:
        who, _, branch = seen.json["head"].rpartition(":")
        owner = who or repo.owner
        source = next((r for r in self.repos.values() if r.owner == owner and related(r, repo)), None)
        if source is None or branch not in source.branches or seen.json["base"] not in repo.branches:
            return refusal(404)
        for pull in repo.pulls.values():
            if pull["state"] == "open" and (pull["head"]["repo_id"], pull["head"]["ref"]) == (
                source.id,
                branch,
            ):
                told = f"id: {pull['id']}, issue_id: {pull['number']}, head_repo_id: {source.id}"
                return refusal(409, f"pull request already exists for these targets [{told}]")
        have = {commit.sha for commit in repo.branches["main"]}
        if source.branches[branch][-1].sha in have:
            return refusal(422, "Invalid PullRequest: There are no changes between the head and the base")
        title, body = seen.json["title"], seen.json["body"]
        return Reply(201, self.add_pull(repo, source, branch, "nia", title=title, body=body))

    def _pull(self, seen: Seen, repo: Repo, n: str) -> Reply:
        pull = repo.pulls.get(int(n))
        if pull is None:
            return refusal(404)
        if seen.method == "PATCH":
            pull.update(seen.json)
            pull["draft"] = pull["title"].lower().startswith(("wip:", "[wip]"))
            return Reply(201, pull)
        return Reply(200, pull)

    def _status(self, seen: Seen, repo: Repo, sha: str) -> Reply:
        statuses = repo.statuses.get(sha)
        if statuses is None:
            return Reply(200, None)
        return Reply(
            200, {"state": "pending", "sha": sha, "statuses": statuses, "total_count": len(statuses)}
        )

    def _reviews(self, seen: Seen, repo: Repo, n: str) -> Reply:
        return self._listed(seen, repo.reviews.get(int(n), []))

    def add_review(self, repo: Repo, number: int, by: str, state: str, body: str = "") -> dict[str, Any]:
        made = {"id": self.serial(), "user": user(by), "state": state, "body": body, "official": True}
        made |= {"dismissed": False, "stale": False, "comments_count": 0, "submitted_at": stamp(0)}
        repo.reviews.setdefault(number, []).append(made)
        return made

    def add_remark(self, repo: Repo, number: int, by: str, body: str, file: str, line: int) -> dict[str, Any]:
        review = self.add_review(repo, number, by, "COMMENT")
        review["comments_count"] = 1
        place = {"path": file, "position": line, "original_position": 0, "resolver": None}
        made = {"id": self.serial(), "body": body, "user": user(by), "created_at": stamp(0), **place}
        repo.remarks.setdefault(review["id"], []).append(made)
        return review

    def _remarks(self, seen: Seen, repo: Repo, n: str, review: str) -> Reply:
        return Reply(200, repo.remarks.get(int(review)))

    def _answer_thread(self, seen: Seen, repo: Repo, n: str) -> Reply:
        if seen.json["event"] != "COMMENT" or len(seen.json["comments"]) != 1:
            return refusal(422, "unexpected")
        said = seen.json["comments"][0]
        review = self.add_remark(repo, int(n), "nia", said["body"], said["path"], said["new_position"])
        return Reply(200, review)


def related(one: Repo, other: Repo) -> bool:
    return one is other or one.parent is other or other.parent is one


class GiteaWorld:
    """The world of the contract suite on a Gitea or Forgejo."""

    kind = ForgeKind.GITEA
    me = "nia"
    other = "tools/beta"
    secret = "vault/secret"

    def __init__(self, server: GiteaServer, closing: contextlib.AsyncExitStack) -> None:
        self.server = server
        self._closing = closing
        self.alpha = Repo(
            id=11,
            path=ALPHA,
            description="A small library for retries",
            topics=["innersource", "python"],
            files=dict(FILES),
            branches={"main": [server.new_commit("mara", 40), server.new_commit("ravi", 3)]},
            labels=["bug", FIRST_LABEL],
            stars=7,
        )
        beta = Repo(id=12, path=self.other, topics=["innersource", "go"], files={"README.rst": b"Beta\n"})
        beta.branches["main"] = [server.new_commit("ravi", 90)]
        secret = Repo(id=13, path=self.secret, topics=["innersource"], private=True)
        archived = Repo(id=14, path="tools/old", topics=["innersource"], archived=True)
        server.repos |= {repo.path: repo for repo in (self.alpha, beta, secret, archived)}
        server.add_issue(self.alpha, 1, "Explain the back-off", "mara", labels=[FIRST_LABEL], body="Please.")
        taken = {"assignee": user("ravi"), "assignees": [user("ravi")]}
        server.add_issue(self.alpha, 2, "It crashes", "nia", labels=["bug"], body="See #1.", **taken)
        server.add_issue(self.alpha, 3, "Old one", "ravi", state="closed")
        self.alpha.branches["tidy"] = [*self.alpha.branches["main"], server.new_commit("ravi", 20)]
        server.add_pull(self.alpha, self.alpha, "tidy", "ravi", title="Tidy up", body="Closes #3")
        self.forge = self._adapter(server)

    def _adapter(self, server: GiteaServer) -> GiteaForge:
        client = ForgeClient(
            name="work",
            base_url=f"{server.url}/api/v1",
            token=Secret(TOKEN),
            token_header="token",
            attempts=1,
        )
        self._closing.push_async_callback(client.aclose)
        return GiteaForge(name="work", url=server.url, client=client, now=lambda: NOW)

    @property
    def requests(self) -> int:
        return len(self.server.requests)

    def troubled(self, trouble: Trouble) -> GiteaForge:
        self.server.trouble = trouble
        return self._adapter(self.server)

    def _at(self, project: Project) -> Repo:
        return self.server.repos[project.path]

    async def push(self, project: Project, branch: str) -> str:
        repo = self._at(project)
        repo.branches[branch] = [*repo.branches["main"], self.server.new_commit("nia")]
        return repo.branches[branch][-1].sha

    async def move_on(self) -> None:
        self.alpha.branches["main"].append(self.server.new_commit("mara"))

    async def check(self, number: int, *, passed: bool) -> None:
        sha = self.alpha.pulls[number]["head"]["sha"]
        url = {"target_url": f"/{ALPHA}/actions/runs/1/jobs/0"}
        lint = {**shape("status"), **url, "id": 1, "context": "lint", "status": "success"}
        word = "success" if passed else "failure"
        tests = {**shape("status"), **url, "id": 2, "context": "tests", "status": word}
        self.alpha.statuses[sha] = [lint, tests]

    async def review(self, number: int, *, by: str, approve: bool) -> None:
        self.server.add_review(self.alpha, number, by, "APPROVED" if approve else "REQUEST_CHANGES")

    async def remark(self, number: int, *, by: str, body: str, file: str, line: int) -> None:
        self.server.add_remark(self.alpha, number, by, body, file, line)

    async def merge(self, number: int) -> None:
        pull = self.alpha.pulls[number]
        head = pull["head"]
        source = next(repo for repo in self.server.repos.values() if repo.id == head["repo_id"])
        self.alpha.branches["main"].append(source.branches[head["ref"]][-1])
        pull |= {"state": "closed", "merged": True, "merged_at": stamp(0)}
        # The branch is deleted with the merge.
        head["ref"] = f"refs/pull/{number}/head"


@contextlib.asynccontextmanager
async def world(*, old: bool = False) -> AsyncIterator[GiteaWorld]:
    """Run a world.

    Args:
        old: whether it is Gitea 1.16 in place of Forgejo.
    """
    server = GiteaServer(old=old)
    async with server.running(), contextlib.AsyncExitStack() as closing:
        yield GiteaWorld(server, closing)
