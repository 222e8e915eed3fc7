"""Gitea's and Forgejo's JSON, field by field as recorded ones have it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.support.gitea_flavours import Flavour
from tests.support.gitea_state import Account, GiteaState, Repo, Review, Said, Topic

Json = dict[str, Any]
ZERO = "0001-01-01T00:00:00Z"
NEVER = "1970-01-01T00:00:00Z"


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Shapes:
    """Writes the JSON of one server, whose addresses begin with its ROOT_URL."""

    def __init__(self, state: GiteaState, flavour: Flavour) -> None:
        self.state = state
        self.flavour = flavour
        self.root_url = ""

    def user(self, account: Account | str) -> Json:
        """Return a user or an organisation in a user's shape."""
        if isinstance(account, str):
            account = self.state.accounts[account.lower()]
        return {
            "id": account.id,
            "login": account.login,
            "login_name": "",
            "source_id": 0,
            "full_name": account.full_name,
            "email": f"{account.login}@noreply.example.com",
            "avatar_url": f"{self.root_url}/avatars/{account.id}",
            "html_url": f"{self.root_url}/{account.login}",
            "language": "",
            "is_admin": False,
            "last_login": ZERO,
            "created": "2025-02-12T13:52:32Z",
            "restricted": False,
            "active": False,
            "prohibit_login": False,
            "location": "",
            "website": "",
            "description": "",
            "visibility": account.visibility,
            "followers_count": 0,
            "following_count": 0,
            "starred_repos_count": 0,
            "username": account.login,
        }

    def organisation(self, account: Account) -> Json:
        return {
            "id": account.id,
            "name": account.login,
            "full_name": account.full_name,
            "email": "",
            "avatar_url": "",
            "description": "",
            "website": "",
            "location": "",
            "visibility": account.visibility,
            "repo_admin_change_team_access": False,
            "username": account.login,
        }

    def repo(self, repo: Repo, login: str | None, *, with_parent: bool = True) -> Json:
        role = self.state.role(repo, login)
        issues = [each for each in repo.topics_by_number.values() if each.open]
        shape: Json = {
            "id": repo.id,
            "owner": self.user(repo.owner),
            "name": repo.name,
            "full_name": repo.path,
            "description": repo.description,
            "empty": repo.empty,
            "private": repo.private,
            "fork": repo.parent is not None,
            "template": False,
            "parent": self.repo(repo.parent, login, with_parent=False)
            if with_parent and repo.parent
            else None,
            "mirror": False,
            "size": 42,
            "language": "",
            "languages_url": f"{self.root_url}/api/v1/repos/{repo.path}/languages",
            "html_url": f"{self.root_url}/{repo.path}",
            "url": f"{self.root_url}/api/v1/repos/{repo.path}",
            "link": "",
            "ssh_url": f"git@git.internal:{repo.path}.git",
            "clone_url": f"{self.root_url}/{repo.path}.git",
            "original_url": "",
            "website": "",
            "stars_count": len(repo.stars),
            "forks_count": len(self.state.forks(repo)),
            "watchers_count": 1,
            "open_issues_count": sum(not each.is_pull for each in issues),
            "open_pr_counter": sum(each.is_pull for each in issues),
            "release_counter": 0,
            "default_branch": repo.default_branch,
            "archived": repo.archived,
            "archived_at": NEVER,
            "created_at": "2025-04-24T09:04:55Z",
            "updated_at": stamp(repo.changed),
            "permissions": {
                "admin": role in ("admin", "owner"),
                "push": role in ("write", "admin", "owner"),
                "pull": role != "none",
            },
            "has_issues": repo.has_issues,
            "has_wiki": False,
            "has_pull_requests": repo.has_pulls,
            "has_projects": False,
            "ignore_whitespace_conflicts": False,
            "allow_merge_commits": True,
            "allow_rebase": True,
            "allow_rebase_explicit": True,
            "allow_squash_merge": True,
            "default_merge_style": "merge",
            "avatar_url": "",
            "internal": False,
            "mirror_interval": "",
            "mirror_updated": ZERO,
            "repo_transfer": None,
        }
        if self.flavour.topics == "told":
            shape["object_format_name"] = "sha1"
            shape["topics"] = repo.topics or None
        elif self.flavour.topics == "null":
            shape["topics"] = None
        return shape

    def label(self, name: str, number: int) -> Json:
        return {
            "id": number,
            "name": name,
            "exclusive": False,
            "is_archived": False,
            "color": "fbca04",
            "description": "",
            "url": f"{self.root_url}/api/v1/labels/{number}",
        }

    def issue(self, repo: Repo, topic: Topic) -> Json:
        """Return an issue, or a pull request in the form of one."""
        people = [self.user(login) for login in topic.assignees]
        kind = "pulls" if topic.is_pull else "issues"
        page = f"{self.root_url}/{repo.path}/{kind}/{topic.number}"
        pull = None
        if topic.is_pull:
            pull = {
                "merged": topic.merged,
                "merged_at": stamp(topic.changed) if topic.merged else None,
                "draft": topic.title.lower().startswith(("wip:", "[wip]")),
                "html_url": page,
            }
        return {
            "id": topic.id,
            "url": f"{self.root_url}/api/v1/repos/{repo.path}/issues/{topic.number}",
            "html_url": page,
            "number": topic.number,
            "user": self.user(topic.author),
            "original_author": "",
            "original_author_id": 0,
            "title": topic.title,
            "body": topic.body,
            "ref": "",
            "assets": [],
            "labels": [self.label(name, 1 + number) for number, name in enumerate(topic.labels)],
            "milestone": None,
            "assignee": people[0] if people else None,
            "assignees": people or None,
            "state": "open" if topic.open else "closed",
            "is_locked": False,
            "comments": len(topic.comments),
            "created_at": stamp(topic.at),
            "updated_at": stamp(topic.changed),
            "closed_at": None if topic.open else stamp(topic.changed),
            "due_date": None,
            "pull_request": pull,
            "repository": {
                "id": repo.id,
                "name": repo.name,
                "owner": repo.owner,
                "full_name": repo.path,
            },
            "pin_order": 0,
        }

    def comment(self, repo: Repo, topic: Topic, said: Said) -> Json:
        page = f"{self.root_url}/{repo.path}/issues/{topic.number}"
        return {
            "id": said.id,
            "html_url": f"{page}#issuecomment-{said.id}",
            "pull_request_url": page if topic.is_pull else "",
            "issue_url": "" if topic.is_pull else page,
            "user": self.user(said.author),
            "original_author": "",
            "original_author_id": 0,
            "body": said.body,
            "assets": [],
            "created_at": stamp(said.at),
            "updated_at": stamp(said.at),
        }

    def pull(self, repo: Repo, topic: Topic, login: str | None, *, listed: bool = False) -> Json:
        """Return a pull request; a list leaves the sizes out."""
        issue = self.issue(repo, topic)
        head = topic.head
        there = head is not None and head.path.lower() in self.state.repos
        sha = repo.commit(f"refs/pull/{topic.number}/head")
        gone = head is None or topic.head_branch not in head.branches()
        draft = issue["pull_request"]["draft"]
        number = None if listed else 1
        return {
            **{
                key: issue[key]
                for key in (
                    "id",
                    "number",
                    "user",
                    "title",
                    "body",
                    "labels",
                    "milestone",
                    "assignee",
                    "assignees",
                    "state",
                    "is_locked",
                    "comments",
                    "html_url",
                    "due_date",
                    "created_at",
                    "updated_at",
                    "closed_at",
                    "pin_order",
                )
            },
            "url": issue["html_url"],
            "requested_reviewers": None,
            "requested_reviewers_teams": None,
            "draft": draft,
            "review_comments": 0,
            "additions": number,
            "deletions": number,
            "changed_files": number,
            "diff_url": f"{issue['html_url']}.diff",
            "patch_url": f"{issue['html_url']}.patch",
            "mergeable": topic.open and not draft,
            "merged": topic.merged,
            "merged_at": issue["pull_request"]["merged_at"],
            "merge_commit_sha": topic.merge_commit or None,
            "merged_by": None,
            "allow_maintainer_edit": topic.maintainers_may_edit,
            "base": {
                "label": topic.base_branch,
                "ref": topic.base_branch,
                "sha": repo.commit(topic.base_branch),
                "repo_id": repo.id,
                "repo": self.repo(repo, login),
            },
            "head": {
                "label": topic.head_branch,
                "ref": f"refs/pull/{topic.number}/head" if gone else topic.head_branch,
                "sha": sha,
                "repo_id": head.id if head is not None else 0,
                "repo": self.repo(head, login) if there and head is not None else None,
            },
            "merge_base": topic.base_sha,
            "flow": 0,
        }

    def review(self, repo: Repo, pull: Topic, review: Review) -> Json:
        return {
            "id": review.id,
            "user": self.user(review.author),
            "team": None,
            "state": review.state,
            "body": review.body,
            "commit_id": repo.commit(f"refs/pull/{pull.number}/head"),
            "stale": False,
            "official": self.state.may_write(repo, review.author),
            "dismissed": review.dismissed,
            "comments_count": len(review.remarks),
            "submitted_at": stamp(review.at),
            "updated_at": stamp(review.at),
            "html_url": f"{self.root_url}/{repo.path}/pulls/{pull.number}#issuecomment-{review.id}",
            "pull_request_url": f"{self.root_url}/{repo.path}/pulls/{pull.number}",
        }

    def remark(self, review: Review, number: int) -> Json:
        path, line, body = review.remarks[number]
        return {
            "id": review.id * 100 + number,
            "body": body,
            "user": self.user(review.author),
            "resolver": None,
            "pull_request_review_id": review.id,
            "path": path,
            "commit_id": "",
            "original_commit_id": "",
            "diff_hunk": f"@@ -1,1 +1,{line} @@",
            "position": line,
            "original_position": 0,
            "created_at": stamp(review.at),
            "updated_at": stamp(review.at),
            "html_url": "",
        }

    def branch(self, repo: Repo, name: str, sha: str, login: str | None) -> Json:
        protected = name in repo.protected
        return {
            "name": name,
            "commit": {"id": sha, "message": "", "url": "", "author": None, "added": None},
            "protected": protected,
            "required_approvals": repo.protected.get(name, 0),
            "enable_status_check": False,
            "status_check_contexts": [] if not self.flavour.null_lists else None,
            "user_can_push": self.state.may_write(repo, login) and not protected,
            "user_can_merge": self.state.may_write(repo, login),
            "effective_branch_protection_name": name if protected else "",
        }

    def commit(self, repo: Repo, line: str) -> Json:
        sha, name, email, when = line.split("\x1f")
        signature = {"name": name, "email": email, "date": when}
        return {
            "url": f"{self.root_url}/api/v1/repos/{repo.path}/git/commits/{sha}",
            "sha": sha,
            "created": when,
            "html_url": f"{self.root_url}/{repo.path}/commit/{sha}",
            "commit": {"author": signature, "committer": signature, "message": "", "tree": None},
            "author": None,
            "committer": None,
            "parents": [],
            "files": None,
            "stats": None,
        }
