"""A small GitHub Enterprise Server on the loopback: REST and GraphQL in its shapes, with a memory."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from urllib.parse import unquote

from tests.support.contract import ALPHA, LOG_END, Trouble
from tests.support.contract_github_data import (
    API,
    ME,
    NOT_FOUND,
    GitHubData,
    Json,
    Pull,
    Repository,
    refused,
    sha_of,
)
from tests.support.forge import Reply, Seen, html


class GitHubServer(GitHubData):
    """Answers from what happened so far."""

    def __init__(self) -> None:
        super().__init__()
        routes: list[tuple[str, str, Callable[..., Reply]]] = [
            ("GET", r"meta", self._meta),
            ("GET", r"user", self._me),
            ("GET", r"user/memberships/orgs", lambda seen: Reply(body=[])),
            ("GET", r"search/repositories", self._search),
            ("PUT", r"user/starred/(.+)", self._star),
            ("GET", r"repositories/(\d+)", self._by_id),
            ("GET", r"repos/([^/]+/[^/]+)", lambda seen, repo: Reply(body=self.repository(repo))),
            ("GET", r"repos/([^/]+/[^/]+)/languages", lambda s, r: Reply(body=r.facts["languages"])),
            ("GET", r"repos/([^/]+/[^/]+)/labels", lambda s, r: Reply(body=r.facts["labels"])),
            ("GET", r"repos/([^/]+/[^/]+)/contents/?(.*)", self._contents),
            ("GET", r"repos/([^/]+/[^/]+)/issues", self._list_issues),
            ("GET", r"repos/([^/]+/[^/]+)/issues/(\d+)", self._issue),
            ("GET", r"repos/([^/]+/[^/]+)/issues/(\d+)/comments", self._comments),
            ("POST", r"repos/([^/]+/[^/]+)/issues/(\d+)/comments", self._comment),
            ("POST", r"repos/([^/]+/[^/]+)/issues/(\d+)/assignees", self._assign),
            ("GET", r"repos/([^/]+/[^/]+)/assignees", self._assignees),
            ("GET", r"repos/([^/]+/[^/]+)/contributors", self._contributors),
            ("GET", r"repos/([^/]+/[^/]+)/stats/participation", self._participation),
            ("POST", r"repos/([^/]+/[^/]+)/forks", self._fork),
            ("GET", r"repos/([^/]+/[^/]+)/git/ref/heads/(.+)", self._ref),
            ("GET", r"repos/([^/]+/[^/]+)/git/matching-refs/heads/(.+)", self._matching_refs),
            ("GET", r"repos/([^/]+/[^/]+)/compare/(.+)\.\.\.(.+)", self._compare),
            ("POST", r"repos/([^/]+/[^/]+)/merge-upstream", self._merge_upstream),
            ("GET", r"repos/([^/]+/[^/]+)/branches/(.+)", self._branch),
            ("GET", r"repos/([^/]+/[^/]+)/pulls", self._list_pulls),
            ("POST", r"repos/([^/]+/[^/]+)/pulls", self._open),
            ("GET", r"repos/([^/]+/[^/]+)/pulls/(\d+)", self._pull),
            ("GET", r"repos/([^/]+/[^/]+)/pulls/(\d+)/reviews", self._reviews),
            ("POST", r"repos/([^/]+/[^/]+)/pulls/(\d+)/comments/(\d+)/replies", self._reply),
            ("GET", r"repos/([^/]+/[^/]+)/commits/(\w+)/status", self._status),
            ("GET", r"repos/([^/]+/[^/]+)/commits/(\w+)/check-runs", self._check_runs),
            ("GET", r"repos/([^/]+/[^/]+)/actions/runs", self._runs),
            ("GET", r"repos/([^/]+/[^/]+)/actions/jobs/(\d+)/logs", self._log),
        ]
        self._routes_here = [(method, re.compile(pattern), answer) for method, pattern, answer in routes]

    # Answers

    def _answer(self, seen: Seen) -> Reply:
        path = unquote(seen.path)
        trouble = re.fullmatch(r"/([a-z-]+)/api/.*", path)
        if trouble is not None:
            return _troubled(Trouble(trouble[1]))
        if seen.headers.get("authorization") != "Bearer ghp_newcomer":
            return refused(401, "Bad credentials")
        if path == "/api/graphql":
            return Reply(body=self._graphql(seen.json))
        for method, pattern, answer in self._routes_here:
            match = pattern.fullmatch(path.removeprefix(API + "/"))
            if match is None or seen.method != method:
                continue
            if not path.startswith(API + "/repos/"):
                return answer(seen, *match.groups())
            repo = self.repositories.get(match[1])
            if repo is None or repo.facts["seen"] is False:
                return NOT_FOUND
            return answer(seen, repo, *match.groups()[1:])
        return NOT_FOUND

    def _meta(self, seen: Seen) -> Reply:
        return Reply(body={"verifiable_password_authentication": True, "installed_version": "3.15.2"})

    def _me(self, seen: Seen) -> Reply:
        headers = {
            "X-OAuth-Scopes": "repo, read:org",
            "github-authentication-token-expiration": "2027-01-31 08:00:00 UTC",
        }
        return Reply(body=self.user(ME) | {"name": "Nia Newcomer", "email": None}, headers=headers)

    def _search(self, seen: Seen) -> Reply:
        words = seen.query["q"].split()
        topics = {word.removeprefix("topic:") for word in words if word.startswith("topic:")}
        owners = {word.removeprefix("org:") for word in words if word.startswith("org:")}
        text = [word.strip('"') for word in words if ":" not in word]
        found = [
            self.repository(repo, whole=False)
            for repo in self.repositories.values()
            if repo.facts["seen"]
            and repo.parent is None
            and topics <= set(repo.facts["topics"])
            and (not owners or repo.owner in owners)
            and all(word in f"{repo.name} {repo.facts.get('description', '')}".lower() for word in text)
        ]
        return Reply(body={"total_count": len(found), "incomplete_results": False, "items": found})

    def _star(self, seen: Seen, path: str) -> Reply:
        assert seen.headers.get("content-length") == "0"
        if path in self.starred:
            return Reply(304)
        self.starred.add(path)
        return Reply(204)

    def _by_id(self, seen: Seen, number: str) -> Reply:
        for repo in self.repositories.values():
            if repo.id == int(number) and repo.facts["seen"]:
                return Reply(body=self.repository(repo))
        return NOT_FOUND

    def _contents(self, seen: Seen, repo: Repository, path: str) -> Reply:
        if path in repo.files:
            if "raw" in seen.headers["accept"]:
                media = {"Content-Type": "application/vnd.github.raw+json; charset=utf-8"}
                return Reply(body=repo.files[path], headers=media)
            return Reply(body={"path": path, "type": "file", "encoding": "base64", "content": ""})
        below = path + "/" if path else ""
        entries: dict[str, Json] = {}
        for name, data in repo.files.items():
            if name.startswith(below):
                first, slash, _ = name.removeprefix(below).partition("/")
                kind = "dir" if slash else "file"
                size = 0 if slash else len(data)
                entries[first] = {
                    "path": below + first,
                    "name": first,
                    "type": kind,
                    "size": size,
                    "sha": sha_of(name),
                }
        return Reply(body=list(entries.values())) if entries else NOT_FOUND

    def _list_issues(self, seen: Seen, repo: Repository) -> Reply:
        if repo.path != ALPHA:
            return Reply(body=[])
        label = seen.query.get("labels", "").lower()
        found = [
            *(self.issue(number) for number in self.issues),
            *(self.as_issue(pull) for pull in self.pulls.values()),
        ]
        found = [one for one in found if one["state"] == seen.query.get("state", "open")]
        if label:
            found = [one for one in found if label in {item["name"].lower() for item in one["labels"]}]
        return Reply(body=sorted(found, key=lambda one: one["updated_at"], reverse=True))

    def _issue(self, seen: Seen, repo: Repository, number: str) -> Reply:
        if repo.path == ALPHA and int(number) in self.pulls:
            return Reply(body=self.as_issue(self.pulls[int(number)]))
        if repo.path != ALPHA or int(number) not in self.issues:
            return NOT_FOUND
        return Reply(body=self.issue(int(number)))

    def _comments(self, seen: Seen, repo: Repository, number: str) -> Reply:
        return Reply(body=self.remarks.get(int(number), []))

    def _comment(self, seen: Seen, repo: Repository, number: str) -> Reply:
        remark = self.said(ME, seen.json["body"])
        self.remarks.setdefault(int(number), []).append(remark)
        return Reply(201, remark)

    def _assign(self, seen: Seen, repo: Repository, number: str) -> Reply:
        # 201 and nothing changes: the newcomer has no role.
        return Reply(201, self.issue(int(number)))

    def _assignees(self, seen: Seen, repo: Repository) -> Reply:
        return Reply(body=[self.user("mara"), self.user("ravi")])

    def _contributors(self, seen: Seen, repo: Repository) -> Reply:
        return Reply(body=[self.user(name) | {"contributions": 1} for name in ("mara", "ravi")])

    def _participation(self, seen: Seen, repo: Repository) -> Reply:
        if not repo.facts.get("computed"):
            repo.facts["computed"] = True
            return Reply(202, {})
        return Reply(body={"all": [*[0] * 50, 1, 1], "owner": [0] * 52})

    def _fork(self, seen: Seen, repo: Repository) -> Reply:
        owner = seen.json.get("organization", ME)
        for other in self.repositories.values():
            if other.parent is repo and other.owner == owner:
                return Reply(202, self.repository(other))
        name = seen.json.get("name", repo.name)
        fork = self.add(f"{owner}/{name}", [], repo.facts["visibility"])
        fork.parent, fork.files, fork.copied = repo, repo.files, False
        fork.branches["main"] = list(repo.branches["main"])
        return Reply(202, self.repository(fork))

    def _ref(self, seen: Seen, repo: Repository, branch: str) -> Reply:
        if not repo.copied:
            # It is copied by the next time.
            repo.copied = True
            return refused(409, "Git Repository is empty.")
        if branch not in repo.branches:
            return NOT_FOUND
        sha = repo.branches[branch][-1]
        return Reply(body={"ref": f"refs/heads/{branch}", "object": {"type": "commit", "sha": sha}})

    def _compare(self, seen: Seen, repo: Repository, base: str, head: str) -> Reply:
        owner, _, branch = head.rpartition(":")
        there = next((other for other in self.repositories.values() if other.owner == owner), None)
        there = next((one for one in self.repositories.values() if one.owner == owner and one.parent), there)
        if there is None or base not in repo.branches or branch not in there.branches:
            return NOT_FOUND
        ours, theirs = repo.branches[base], there.branches[branch]
        ahead = [sha for sha in theirs if sha not in ours]
        behind = [sha for sha in ours if sha not in theirs]
        return Reply(
            body={"status": "diverged", "ahead_by": len(ahead), "behind_by": len(behind), "commits": []}
        )

    def _merge_upstream(self, seen: Seen, repo: Repository) -> Reply:
        branch = seen.json["branch"]
        assert repo.parent is not None
        if branch not in repo.branches:
            return refused(404, "Branch not found")
        repo.branches[branch] = list(repo.parent.branches[branch])
        said = {"message": "Successfully fetched", "merge_type": "fast-forward", "base_branch": "tools:main"}
        return Reply(body=said)

    def _branch(self, seen: Seen, repo: Repository, name: str) -> Reply:
        if name not in repo.branches:
            return refused(404, "Branch not found")
        shown = {"name": name, "commit": {"sha": repo.branches[name][-1]}, "protected": name == "main"}
        return Reply(body=shown)

    def _matching_refs(self, seen: Seen, repo: Repository, begin: str) -> Reply:
        found = {name: commits[-1] for name, commits in repo.branches.items() if name.startswith(begin)}
        return Reply(
            body=[{"ref": f"refs/heads/{name}", "object": {"sha": sha}} for name, sha in found.items()]
        )

    def _list_pulls(self, seen: Seen, repo: Repository) -> Reply:
        found = [self.pull(pull) for pull in self.pulls.values() if repo.path == ALPHA]
        state, head = seen.query.get("state", "open"), seen.query.get("head", "")
        if ":" in head:
            found = [pull for pull in found if pull["head"]["label"] == head]
        return Reply(body=[pull for pull in reversed(found) if state in ("all", pull["state"])])

    def _open(self, seen: Seen, repo: Repository) -> Reply:
        owner, _, branch = seen.json["head"].rpartition(":")
        source = next((one for one in self.repositories.values() if one.owner == owner and one.parent), repo)
        if branch not in source.branches:
            error = {"resource": "PullRequest", "field": "head", "code": "invalid"}
            return refused(422, "Validation Failed", errors=[error])
        words = ""
        if any(
            one.source is source and one.branch == branch and one.state == "open"
            for one in self.pulls.values()
        ):
            words = f"A pull request already exists for {owner}:{branch}."
        elif set(source.branches[branch]) <= set(repo.branches["main"]):
            words = f"No commits between {repo.owner}:main and {owner}:{branch}"
        if words:
            error = {"resource": "PullRequest", "code": "custom", "message": words}
            return refused(422, "Validation Failed", errors=[error])
        number = max([*self.pulls, *self.issues]) + 1
        pull = Pull(number, seen.json["title"], ME, source, branch, seen.json["body"], seen.json["draft"])
        self.pulls[number] = pull
        self.remarks[number] = []
        return Reply(201, self.pull(pull, single=True))

    def _pull(self, seen: Seen, repo: Repository, number: str) -> Reply:
        if repo.path != ALPHA or int(number) not in self.pulls:
            return NOT_FOUND
        return Reply(body=self.pull(self.pulls[int(number)], single=True))

    def _reviews(self, seen: Seen, repo: Repository, number: str) -> Reply:
        return Reply(body=self.pulls[int(number)].reviews)

    def _reply(self, seen: Seen, repo: Repository, number: str, comment: str) -> Reply:
        thread = next(line for line in self.pulls[int(number)].lines if line["id"] == int(comment))
        answer = self.said(ME, seen.json["body"], in_reply_to_id=int(comment), path=thread["path"])
        thread["answers"].append(answer)
        return Reply(201, answer)

    def _of(self, sha: str) -> list[Json]:
        return [run for pull in self.pulls.values() for run in pull.checks if run["head_sha"] == sha]

    def _status(self, seen: Seen, repo: Repository, sha: str) -> Reply:
        return Reply(body={"state": "pending", "statuses": [], "total_count": 0, "sha": sha})

    def _check_runs(self, seen: Seen, repo: Repository, sha: str) -> Reply:
        runs = self._of(sha)
        return Reply(body={"total_count": len(runs), "check_runs": runs})

    def _runs(self, seen: Seen, repo: Repository) -> Reply:
        return Reply(body={"total_count": 0, "workflow_runs": []})

    def _log(self, seen: Seen, repo: Repository, number: str) -> Reply:
        lines = ("##[group]Run pytest", "==== FAILURES ====", LOG_END)
        text = "\r\n".join(f"2026-02-03T10:00:00.1234567Z {line}" for line in lines)
        return Reply(body=text.encode(), headers={"Content-Type": "text/plain; charset=utf-8"})

    # GraphQL

    def _graphql(self, asked: Json) -> Json:
        name, variables = asked["operationName"], asked["variables"]
        end = {"pageInfo": {"hasNextPage": False, "endCursor": None}}
        pulls = [self.node(pull) for pull in self.pulls.values()]
        if name == "MyPullRequests":
            mine = [node for node in pulls if node["viewerDidAuthor"] and node["state"] == "OPEN"]
            return {"data": {"viewer": {"pullRequests": {"nodes": mine, **end}}}}
        if name == "MarkReady":
            marked = self.pulls[int(variables["id"].removeprefix("PR_"))]
            marked.draft = False
            return {"data": {"markPullRequestReadyForReview": {"pullRequest": {"isDraft": False}}}}
        repo = self.repositories.get(f"{variables['owner']}/{variables['name']}")
        if repo is None or not repo.facts["seen"]:
            error = {
                "type": "NOT_FOUND",
                "path": ["repository"],
                "message": "Could not resolve to a Repository.",
            }
            return {"data": {"repository": None}, "errors": [error]}
        held: Json = {}
        if name == "MyForks":
            forks = [one for one in self.repositories.values() if one.parent is repo and one.owner == ME]
            held["forks"] = {"nodes": [{"nameWithOwner": one.path} for one in forks]}
        elif name == "PullRequestsOfBranch":
            branch = variables["branch"]
            held["pullRequests"] = {"nodes": [node for node in pulls if node["headRefName"] == branch]}
        elif name == "LinkedPullRequests":
            mark = f"#{variables['number']}"
            linked = [{"source": node} for node in pulls if mark in node["body"]]
            held["issue"] = {"timelineItems": {"nodes": [*linked, {"source": {}}, {}], **end}}
        elif name == "ReviewThreads":
            threads = [_thread(line) for line in self.pulls[variables["number"]].lines]
            held["pullRequest"] = {"reviewThreads": {"nodes": threads, **end}}
        elif name == "ReviewDecision":
            held["pullRequest"] = {"reviewDecision": None, "reviewRequests": {"nodes": []}}
        return {"data": {"repository": held}}


def _thread(line: Json) -> Json:
    comments = [
        {
            "url": f"https://github.example.com/{ALPHA}/pull/5#discussion_r{said['id']}",
            "body": said["body"],
            "createdAt": said["created_at"],
            "author": {"login": said["user"]["login"], "__typename": "User"},
        }
        for said in (line, *line["answers"])
    ]
    return {
        "isResolved": False,
        "path": line["path"],
        "line": line["line"],
        "originalLine": line["line"],
        "comments": {"totalCount": len(comments), "nodes": comments},
    }


def _troubled(trouble: Trouble) -> Reply:
    match trouble:
        case Trouble.BAD_TOKEN:
            return refused(401, "Bad credentials")
        case Trouble.MISSING_SCOPE:
            reply = refused(403, "Resource not accessible by personal access token")
            reply.headers["X-Accepted-GitHub-Permissions"] = "contents=read; metadata=read"
            return reply
        case Trouble.RATE_LIMITED:
            reply = refused(403, "API rate limit exceeded for user ID 11.")
            reset = str(int(time.time()) + 3_600)
            reply.headers |= {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
            return reply
        case Trouble.WEB_PAGE:
            return html()
        case Trouble.DOWN:
            return refused(503, "Service unavailable")
        case Trouble.NOT_VISIBLE:
            return NOT_FOUND
