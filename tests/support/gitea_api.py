"""The REST API v1 of the stand-in for Gitea and Forgejo."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.support.gitea_state import Account, Repo, Review, Said, Topic

if TYPE_CHECKING:
    from tests.support.gitea_server import Call, GiteaServer, Reply

_SORTS = ("", "alpha", "created", "updated", "size", "git_size", "lfs_size", "id", "stars", "forks")
_REPO = r"/repos/(?P<owner>[^/]+)/(?P<name>[^/]+)"
Handler = Callable[..., "Reply"]


class Api:
    """Answers calls. Every handler gets the call, then the parts of its address."""

    def __init__(self, server: GiteaServer) -> None:
        self.server = server
        self.state = server.state
        self.shapes = server.shapes
        here = self
        # Method, address, handler, categories of the scopes that it wants.
        table: list[tuple[str, str, Handler, tuple[str, ...]]] = [
            ("GET", "/version", here.version, ()),
            ("GET", "/token", here.token, ()),
            ("GET", "/user", here.me, ("user",)),
            ("GET", "/user/orgs", here.my_organisations, ("user", "organization")),
            ("PUT", "/user/starred/(?P<owner>[^/]+)/(?P<name>[^/]+)", here.star, ("user", "repository")),
            ("GET", "/users/(?P<login>[^/]+)", here.user, ("user",)),
            (
                "GET",
                "/users/(?P<login>[^/]+)/orgs/(?P<org>[^/]+)/permissions",
                here.organisation_role,
                ("user", "organization"),
            ),
            ("GET", "/orgs/(?P<org>[^/]+)", here.organisation, ("organization",)),
            ("GET", "/orgs/(?P<org>[^/]+)/labels", here.organisation_labels, ("organization",)),
            ("GET", r"/teams/(?P<number>\d+)/members", here.team_members, ("organization",)),
            ("GET", "/repos/search", here.search, ("repository",)),
            ("GET", "/repos/issues/search", here.search_issues, ("issue",)),
            ("GET", r"/repositories/(?P<number>\d+)", here.repo_by_id, ("repository",)),
        ]
        below: list[tuple[str, str, Handler, tuple[str, ...]]] = [
            ("GET", "", here.repo, ("repository",)),
            ("GET", "/topics", here.topics, ("repository",)),
            ("GET", "/languages", here.languages, ("repository",)),
            ("GET", "/contents(?:/(?P<path>.*))?", here.contents, ("repository",)),
            ("GET", "/raw/(?P<path>.+)", here.raw, ("repository",)),
            ("GET", "/branches", here.branches, ("repository",)),
            ("GET", "/branches/(?P<branch>.+)", here.branch, ("repository",)),
            ("GET", "/commits", here.commits, ("repository",)),
            ("GET", "/commits/(?P<sha>[^/]+)/status", here.status, ("repository",)),
            ("GET", "/compare/(?P<basehead>.+)", here.compare, ("repository",)),
            ("GET", "/teams", here.teams, ("repository",)),
            ("GET", "/collaborators", here.collaborators, ("repository",)),
            ("GET", "/assignees", here.assignees, ("repository",)),
            ("GET", "/forks", here.forks, ("repository",)),
            ("POST", "/forks", here.fork, ("repository",)),
            ("POST", "/merge-upstream", here.merge_upstream, ("repository",)),
            ("GET", "/sync_fork/(?P<branch>.+)", here.sync_info, ("repository",)),
            ("POST", "/sync_fork/(?P<branch>.+)", here.sync, ("repository",)),
            ("GET", "/labels", here.labels, ("issue",)),
            ("GET", "/issues", here.issues, ("issue",)),
            ("GET", r"/issues/(?P<n>\d+)", here.issue, ("issue",)),
            ("PATCH", r"/issues/(?P<n>\d+)", here.edit_issue, ("issue",)),
            ("GET", r"/issues/(?P<n>\d+)/comments", here.comments, ("issue",)),
            ("POST", r"/issues/(?P<n>\d+)/comments", here.comment, ("issue",)),
            ("GET", r"/issues/(?P<n>\d+)/timeline", here.timeline, ("issue",)),
            ("GET", "/pulls", here.pulls, ("repository",)),
            ("POST", "/pulls", here.open_pull, ("repository",)),
            ("GET", r"/pulls/(?P<n>\d+)", here.pull, ("repository",)),
            ("PATCH", r"/pulls/(?P<n>\d+)", here.edit_pull, ("repository",)),
            ("GET", r"/pulls/(?P<n>\d+)/reviews", here.reviews, ("repository",)),
            ("POST", r"/pulls/(?P<n>\d+)/reviews", here.write_review, ("repository",)),
            ("GET", r"/pulls/(?P<n>\d+)/reviews/(?P<id>\d+)/comments", here.remarks, ("repository",)),
        ]
        table += [(method, _REPO + path, handler, wants) for method, path, handler, wants in below]
        self.table = [(method, re.compile(path), handler, wants) for method, path, handler, wants in table]

    def __call__(self, call: Call) -> Reply:
        """Answer a call."""
        from tests.support.gitea_server import Reply

        others = False
        for method, path, handler, wants in self.table:
            found = path.fullmatch(call.path)
            if found is None:
                continue
            if method != call.method:
                others = True
                continue
            if call.method != "GET" and call.token is None:
                return self.server.refusal(401, "token is required")
            level = "read" if call.method == "GET" else "write"
            self.server.need(call, level, *wants)
            parts = found.groupdict()
            if "owner" in parts:
                parts["repo"] = self.server.find(call, parts.pop("owner"), parts.pop("name"))
            answer: Reply = handler(call, **parts)
            return answer
        self.server.unknown.append((call.method, call.path))
        return Reply(405, b"") if others else Reply(404, b"404 page not found\n")

    def _ok(self, body: Any, status: int = 200) -> Reply:
        from tests.support.gitea_server import Reply

        return Reply(status, body)

    def _missing(self) -> Reply:
        from tests.support.gitea_server import Reply

        return Reply(404, b"404 page not found\n")

    # Server and people

    def version(self, call: Call) -> Reply:
        return self._ok({"version": self.server.flavour.version})

    def token(self, call: Call) -> Reply:
        if not self.server.flavour.token_endpoint:
            return self._missing()
        if call.token is None:
            return self.server.refusal(401, "token is required")
        scopes = sorted(call.token.scopes) if call.token.scopes is not None else ["all"]
        return self._ok({"id": 1, "name": "isexplore", "scopes": scopes, "user": {"login": call.login}})

    def me(self, call: Call) -> Reply:
        if call.login is None:
            return self.server.refusal(401, "token is required")
        return self._ok(self.shapes.user(call.login))

    def my_organisations(self, call: Call) -> Reply:
        if call.login is None:
            return self.server.refusal(401, "token is required")
        mine = [each for each in self.state.accounts.values() if call.login in each.members]
        return self.server.page(call, [self.shapes.organisation(each) for each in mine])

    def _account(self, login: str) -> Account:
        account = self.state.accounts.get(unquote(login).lower())
        if account is None:
            raise self.server.not_found(
                f"user redirect does not exist [name: {login}]", message="GetUserByName"
            )
        return account

    def user(self, call: Call, login: str) -> Reply:
        return self._ok(self.shapes.user(self._account(login)))

    def organisation(self, call: Call, org: str) -> Reply:
        account = self._account(org)
        if not account.organisation:
            raise self.server.not_found(message="GetOrgByName")
        return self._ok(self.shapes.organisation(account))

    def organisation_role(self, call: Call, login: str, org: str) -> Reply:
        account = self._account(org)
        permission = account.members.get(unquote(login), "")
        may = permission == "owner" or (bool(permission) and account.open_to_members)
        return self._ok(
            {
                "is_owner": permission == "owner",
                "is_admin": permission in ("owner", "admin"),
                "can_write": permission in ("owner", "admin", "write"),
                "can_read": True,
                "can_create_repository": may,
            }
        )

    def organisation_labels(self, call: Call, org: str) -> Reply:
        account = self._account(org)
        if not account.organisation:
            raise self.server.not_found(message="GetOrgByName")
        return self.server.page(call, [self.shapes.label(name, 900) for name in account.labels])

    def team_members(self, call: Call, number: str) -> Reply:
        account = next(each for each in self.state.accounts.values() if each.id == int(number))
        if call.login not in account.members:
            return self.server.refusal(403, "Must be a team member")
        return self.server.page(call, [self.shapes.user(login) for login in account.members])

    def star(self, call: Call, repo: Repo) -> Reply:
        if not self.server.stars:
            return self.server.refusal(403, "stars disabled by administrator")
        repo.stars.add(call.login or "")
        return self._ok(None, 204)

    # Repositories

    def search(self, call: Call) -> Reply:
        asked = call.query
        if asked.get("sort", "") not in _SORTS:
            return self.server.refusal(422, f'Invalid sort mode: "{asked["sort"]}"')
        if asked.get("mode", "") not in ("", "source", "fork", "mirror", "collaborative"):
            return self.server.refusal(422, f'Invalid search mode: "{asked["mode"]}"')
        words = asked.get("q", "").lower()
        found = [each for each in self.state.repos.values() if self.state.role(each, call.login) != "none"]
        if asked.get("topic") == "true":
            names = words.split(",") if self.server.flavour.topic_list else [words]
            found = [each for each in found if set(names) & set(each.topics)]
        elif words:
            found = [
                each
                for each in found
                if words in each.name.lower()
                or (asked.get("includeDesc") == "true" and words in each.description.lower())
            ]
        if asked.get("uid"):
            owner = next(a.login for a in self.state.accounts.values() if a.id == int(asked["uid"]))
            found = [each for each in found if each.owner == owner]
        if asked.get("archived"):
            found = [each for each in found if each.archived == (asked["archived"] == "true")]
        key: Callable[[Repo], Any] = lambda each: each.name.lower()  # noqa: E731
        if asked.get("sort") in ("updated", "created"):
            key = lambda each: each.changed  # noqa: E731
        elif asked.get("sort") == "id":
            key = lambda each: each.id  # noqa: E731
        found.sort(key=key, reverse=asked.get("order") == "desc")
        reply = self.server.page(call, [self.shapes.repo(each, call.login) for each in found])
        reply.body = {"ok": True, "data": reply.body}
        return reply

    def repo(self, call: Call, repo: Repo) -> Reply:
        return self._ok(self.shapes.repo(repo, call.login))

    def repo_by_id(self, call: Call, number: str) -> Reply:
        for repo in self.state.repos.values():
            if repo.id == int(number) and self.state.role(repo, call.login) != "none":
                return self._ok(self.shapes.repo(repo, call.login))
        raise self.server.not_found()

    def topics(self, call: Call, repo: Repo) -> Reply:
        return self._ok({"topics": repo.topics})

    def languages(self, call: Call, repo: Repo) -> Reply:
        return self._ok({} if repo.empty else {"Python": 900, "Shell": 100})

    def contents(self, call: Call, repo: Repo, path: str | None) -> Reply:
        where = unquote(path or "").strip("/")
        ref = call.query.get("ref") or repo.default_branch
        if repo.empty:
            if self.server.flavour.null_lists:
                return self._ok([])
            raise self.server.not_found("object does not exist", message="GetContentsOrList")
        lines = repo.ask("ls-tree", "-l", ref, "--", f"{where}/" if where else ".", check=False)
        if not where:
            lines = repo.ask("ls-tree", "-l", ref, check=False)
        if lines:
            return self._ok([self._entry(line) for line in lines.splitlines()])
        line = repo.ask("ls-tree", "-l", ref, "--", where, check=False).strip()
        if not line:
            raise self.server.not_found(
                f"object does not exist [id: , rel_path: {where}]", message="GetContentsOrList"
            )
        return self._ok({**self._entry(line), "encoding": "base64", "content": ""})

    def _entry(self, line: str) -> dict[str, Any]:
        head, path = line.split("\t")
        _, kind, sha, size = head.split()
        return {
            "name": path.rpartition("/")[2],
            "path": path,
            "sha": sha,
            "type": "dir" if kind == "tree" else "file",
            "size": 0 if size == "-" else int(size),
            "encoding": None,
            "content": None,
            "target": None,
            "submodule_git_url": None,
            "html_url": f"{self.shapes.root_url}/src/{path}",
        }

    def raw(self, call: Call, repo: Repo, path: str) -> Reply:
        ref = call.query.get("ref") or repo.default_branch
        name = f"{ref}:{unquote(path)}"
        if repo.empty or repo.ask("cat-file", "-t", name, check=False).strip() != "blob":
            raise self.server.not_found(f"object does not exist [id: , rel_path: {unquote(path)}]")
        return self._ok(repo.ask("cat-file", "blob", name).encode())

    def branches(self, call: Call, repo: Repo) -> Reply:
        found = [self.shapes.branch(repo, *each, call.login) for each in repo.branches().items()]
        return self.server.page(call, found)

    def branch(self, call: Call, repo: Repo, branch: str) -> Reply:
        name = unquote(branch)
        sha = repo.branches().get(name)
        if sha is None:
            raise self.server.not_found(f"branch does not exist [name: {name}]")
        return self._ok(self.shapes.branch(repo, name, sha, call.login))

    def commits(self, call: Call, repo: Repo) -> Reply:
        if repo.empty:
            return self.server.refusal(409, "Git Repository is empty.")
        ref = call.query.get("sha") or repo.default_branch
        lines = repo.ask("log", "--format=%H%x1f%an%x1f%ae%x1f%aI", ref)
        return self.server.page(call, [self.shapes.commit(repo, line) for line in lines.splitlines()])

    def status(self, call: Call, repo: Repo, sha: str) -> Reply:
        statuses = repo.statuses.get(sha)
        if not statuses:
            if self.server.flavour.null_status:
                return self._ok(b"null\n")
            return self._ok({"state": "pending", "sha": sha, "total_count": 0, "statuses": []})
        return self._ok({"state": "success", "sha": sha, "total_count": 1, "statuses": statuses})

    def compare(self, call: Call, repo: Repo, basehead: str) -> Reply:
        base, _, head = unquote(basehead).partition("...")
        owner, _, branch = head.rpartition(":")
        other: Repo | None = repo
        if owner and owner.lower() != repo.owner.lower():
            if not self.server.flavour.compares_forks:
                raise self.server.not_found()
            family = [*self.state.forks(repo), repo.parent, *self.state.forks(repo.parent or repo)]
            other = next((each for each in family if each and each.owner.lower() == owner.lower()), None)
        if other is None or branch not in other.branches() or base not in repo.branches():
            raise self.server.not_found()
        repo.take(other, branch, f"refs/compare/{owner or 'own'}")
        count = repo.ask("rev-list", "--count", f"{base}..refs/compare/{owner or 'own'}").strip()
        return self._ok({"total_commits": int(count), "commits": []})

    def teams(self, call: Call, repo: Repo) -> Reply:
        owner = self._account(repo.owner)
        if not owner.organisation:
            return self.server.refusal(405, "repo is not owned by an organization")
        return self._ok([{"id": owner.id, "name": "Owners", "permission": "owner"}])

    def collaborators(self, call: Call, repo: Repo) -> Reply:
        if call.login is None:
            return self.server.refusal(401, "token is required")
        return self.server.page(call, [self.shapes.user(login) for login in repo.collaborators])

    def assignees(self, call: Call, repo: Repo) -> Reply:
        if call.login is None:
            return self.server.refusal(401, "token is required")
        people = [each for each in self.state.accounts.values() if not each.organisation]
        able = [each for each in people if self.state.may_write(repo, each.login)]
        return self._ok([self.shapes.user(each) for each in able])

    # Forks

    def forks(self, call: Call, repo: Repo) -> Reply:
        seen = [each for each in self.state.forks(repo) if self.state.role(each, call.login) != "none"]
        shapes = [self.shapes.repo(each, call.login) for each in seen]
        return self.server.page(call, shapes, link=self.server.flavour.errors == "words")

    def fork(self, call: Call, repo: Repo) -> Reply:
        owner = call.login or ""
        if call.body.get("organization"):
            account = self._account(call.body["organization"])
            permission = account.members.get(owner, "")
            if permission != "owner" and not (permission and account.open_to_members):
                return self.server.refusal(
                    403, "User is not allowed to create repositories in this organization."
                )
            owner = account.login
        existing = next((each for each in self.state.forks(repo) if each.owner == owner), None)
        if existing is not None:
            if self.server.flavour.second_fork == 500:
                return self.server.refusal(500, "")
            return self.server.refusal(
                409,
                f"repository is already forked by user [uname: {owner}, repo path: {repo.path}, "
                f"fork path: {existing.path}]",
            )
        name = call.body.get("name") or repo.name
        if f"{owner}/{name}".lower() in self.state.repos:
            return self.server.refusal(
                409, f"The repository with the same name already exists. [uname: {owner}, name: {name}]"
            )
        if repo.owner == owner:
            return self.server.refusal(500, "")
        made = self.state.fork(repo, owner, name)
        time.sleep(self.server.fork_takes)
        return self._ok(self.shapes.repo(made, call.login), 202)

    def _behind(self, fork: Repo, branch: str) -> tuple[int, int]:
        """Return how many commits a fork's branch lacks, and how many it has of its own."""
        assert fork.parent is not None
        fork.take(fork.parent, branch, f"refs/upstream/{branch}")
        counts = fork.ask("rev-list", "--left-right", "--count", f"refs/upstream/{branch}...{branch}").split()
        return int(counts[0]), int(counts[1])

    def _fast_forward(self, fork: Repo, branch: str) -> None:
        fork.git("update-ref", f"refs/heads/{branch}", f"refs/upstream/{branch}")

    def merge_upstream(self, call: Call, repo: Repo) -> Reply:
        if self.server.flavour.sync != "merge-upstream":
            return self._missing()
        branch = call.body["branch"]
        if repo.parent is None or branch not in repo.branches():
            raise self.server.not_found()
        if not self.state.may_write(repo, call.login):
            return self.server.refusal(403, "user should have a permission to write to a repo")
        behind, ahead = self._behind(repo, branch)
        if not behind:
            return self._ok({"merge_type": "up-to-date"})
        if ahead:
            return self.server.refusal(400, "fast-forward merge is not possible")
        self._fast_forward(repo, branch)
        return self._ok({"merge_type": "fast-forward"})

    def sync_info(self, call: Call, repo: Repo, branch: str) -> Reply:
        if self.server.flavour.sync != "sync_fork":
            return self._missing()
        if repo.parent is None:
            return self.server.refusal(400, "The repo must be a fork")
        behind, ahead = self._behind(repo, unquote(branch))
        return self._ok({"allowed": bool(behind) and not ahead, "commits_behind": behind})

    def sync(self, call: Call, repo: Repo, branch: str) -> Reply:
        if self.server.flavour.sync != "sync_fork":
            return self._missing()
        if repo.parent is None:
            return self.server.refusal(400, "The repo must be a fork")
        behind, ahead = self._behind(repo, unquote(branch))
        if ahead or not behind:
            return self.server.refusal(400, "You can't sync this branch")
        self._fast_forward(repo, unquote(branch))
        return self._ok(None, 204)

    # Issues

    def labels(self, call: Call, repo: Repo) -> Reply:
        return self.server.page(call, [self.shapes.label(name, 10 + n) for n, name in enumerate(repo.labels)])

    def _topics(self, repo: Repo, call: Call) -> list[Topic]:
        state, kind = call.query.get("state", "open"), call.query.get("type", "")
        found = list(repo.topics_by_number.values())
        if state != "all":
            found = [each for each in found if each.open == (state == "open")]
        if kind:
            found = [each for each in found if each.is_pull == (kind == "pulls")]
        return sorted(found, key=lambda each: -each.number)

    def issues(self, call: Call, repo: Repo) -> Reply:
        if not repo.has_issues:
            raise self.server.not_found()
        asked = [name for name in call.query.get("labels", "").split(",") if name in repo.labels]
        found = [each for each in self._topics(repo, call) if set(asked) <= set(each.labels)]
        return self.server.page(call, [self.shapes.issue(repo, each) for each in found])

    def search_issues(self, call: Call) -> Reply:
        every = {name for repo in self.state.repos.values() for name in repo.labels}
        every |= {name for account in self.state.accounts.values() for name in account.labels}
        asked = {name for name in call.query.get("labels", "").split(",") if name in every}
        found = []
        for repo in self.state.repos.values():
            if self.state.role(repo, call.login) == "none":
                continue
            for each in self._topics(repo, call):
                if call.query.get("created") == "true" and each.author != call.login:
                    continue
                if not asked or asked & set(each.labels):
                    found.append(self.shapes.issue(repo, each))
        return self.server.page(call, found)

    def _topic(self, repo: Repo, number: str) -> Topic:
        topic = repo.topics_by_number.get(int(number))
        if topic is None:
            raise self.server.not_found()
        return topic

    def issue(self, call: Call, repo: Repo, n: str) -> Reply:
        return self._ok(self.shapes.issue(repo, self._topic(repo, n)))

    def edit_issue(self, call: Call, repo: Repo, n: str) -> Reply:
        topic = self._topic(repo, n)
        if not self.state.may_write(repo, call.login):
            if topic.author != call.login:
                return self._ok(b"", 403)
            return self._ok(self.shapes.issue(repo, topic), 201)
        people = call.body.get("assignees")
        if any(login.lower() not in self.state.accounts for login in people or ()):
            return self.server.refusal(500, "")
        topic.assignees = list(people) if people is not None else topic.assignees
        return self._ok(self.shapes.issue(repo, topic), 201)

    def comments(self, call: Call, repo: Repo, n: str) -> Reply:
        topic = self._topic(repo, n)
        return self._ok([self.shapes.comment(repo, topic, said) for said in topic.comments])

    def comment(self, call: Call, repo: Repo, n: str) -> Reply:
        topic = self._topic(repo, n)
        if repo.archived:
            return self.server.refusal(423, f"{repo.path} is archived")
        said = Said(self.state.next_id(), call.login or "", call.body["body"], datetime.now(UTC))
        topic.comments.append(said)
        return self._ok(self.shapes.comment(repo, topic, said), 201)

    def timeline(self, call: Call, repo: Repo, n: str) -> Reply:
        if not self.server.flavour.timeline:
            return self._missing()
        topic = self._topic(repo, n)
        events: list[dict[str, Any]] = [{"type": "label", "ref_issue": None}]
        for other in repo.topics_by_number.values():
            if other.is_pull and re.search(rf"#{topic.number}\b", other.body):
                events.append({"type": "pull_ref", "ref_issue": self.shapes.issue(repo, other)})
        return self.server.page(call, events, link=False)

    # Pull requests

    def pulls(self, call: Call, repo: Repo) -> Reply:
        found = [each for each in self._topics(repo, call) if each.is_pull]
        poster = call.query.get("poster")
        if poster and self.server.flavour.scoped:
            found = [each for each in found if each.author == poster]
        return self.server.page(
            call, [self.shapes.pull(repo, each, call.login, listed=True) for each in found]
        )

    def pull(self, call: Call, repo: Repo, n: str) -> Reply:
        topic = self._topic(repo, n)
        if not topic.is_pull:
            raise self.server.not_found()
        return self._ok(self.shapes.pull(repo, topic, call.login))

    def open_pull(self, call: Call, repo: Repo) -> Reply:
        body = call.body
        if not body.get("title"):
            return self.server.refusal(422, "[Title]: Required")
        owner, _, branch = body["head"].rpartition(":")
        head: Repo | None = repo
        if owner and owner.lower() != repo.owner.lower():
            mine = (each for each in self.state.forks(repo) if each.owner.lower() == owner.lower())
            head = next(mine, None)
        if head is None or branch not in head.branches() or body["base"] not in repo.branches():
            raise self.server.not_found()
        for each in repo.topics_by_number.values():
            same = each.head is head and each.head_branch == branch and each.base_branch == body["base"]
            if same and each.open:
                return self.server.refusal(
                    409,
                    f"pull request already exists for these targets [id: {each.id}, issue_id: {each.number}, "
                    f"head_repo_id: {head.id}, base_repo_id: {repo.id}, head_branch: {branch}, "
                    f"base_branch: {each.base_branch}]",
                )
        base = body["base"]
        made = self.state.pull(
            repo, call.login or "", body["title"], head, branch, base, body.get("body", "")
        )
        return self._ok(self.shapes.pull(repo, made, call.login), 201)

    def edit_pull(self, call: Call, repo: Repo, n: str) -> Reply:
        topic = self._topic(repo, n)
        if topic.author != call.login and not self.state.may_write(repo, call.login):
            return self._ok(b"", 403)
        topic.title = call.body.get("title", topic.title)
        topic.maintainers_may_edit = call.body.get("allow_maintainer_edit", topic.maintainers_may_edit)
        return self._ok(self.shapes.pull(repo, topic, call.login), 201)

    def reviews(self, call: Call, repo: Repo, n: str) -> Reply:
        topic = self._topic(repo, n)
        return self.server.page(call, [self.shapes.review(repo, topic, each) for each in topic.reviews])

    def write_review(self, call: Call, repo: Repo, n: str) -> Reply:
        topic = self._topic(repo, n)
        remarks = [
            (each["path"], each.get("new_position", 0), each["body"]) for each in call.body["comments"]
        ]
        made = Review(
            self.state.next_id(), call.login or "", call.body["event"], "", datetime.now(UTC), remarks
        )
        topic.reviews.append(made)
        return self._ok(self.shapes.review(repo, topic, made))

    def remarks(self, call: Call, repo: Repo, n: str, id: str) -> Reply:
        review = next(each for each in self._topic(repo, n).reviews if each.id == int(id))
        return self._ok([self.shapes.remark(review, number) for number in range(len(review.remarks))])
