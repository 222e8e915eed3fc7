"""What REST does not tell on GitHub, or only in many requests: threads, decisions, own requests, own forks.

GraphQL answers 200 whatever happens, with the trouble in `errors` and, sometimes, a part of the data.
Strangers may not use it at all, and organizations may close it to some tokens.
https://docs.github.com/graphql
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field

from isexplore.errors import (
    ForbiddenError,
    ForgeError,
    InvalidError,
    NotVisibleError,
    RateLimitedError,
    ScopeError,
    WrongAnswerError,
)
from isexplore.forge import github_parse as parse
from isexplore.forge.github_wire import WireComment, WireEnd, WireOrigin, WirePullRequest, WireUser
from isexplore.models import Discussion, MergeRequest, Project
from isexplore.text import clean_line

if TYPE_CHECKING:
    from isexplore.forge.http import ForgeClient

REFUSALS = (ForbiddenError, InvalidError, NotVisibleError, ScopeError)
"""What a server or token without GraphQL may answer; REST may know something all the same."""
_MAX_PAGES = 50

_PULL = """number title body url state isDraft createdAt updatedAt mergedAt headRefName headRefOid
  baseRefName mergeable author { login __typename } headRepository { nameWithOwner }
  baseRepository { nameWithOwner } viewerDidAuthor"""
# GitHub is removing the numbers from GraphQL, as they outgrow its integers; addresses have them too.
_COMMENT = "url body createdAt author { login __typename }"

_FORKS = """query MyForks($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) {
    forks(first: 50, affiliations: [OWNER]) { nodes { nameWithOwner } }
  }
}"""
_MINE = f"""query MyPullRequests($after: String) {{
  viewer {{
    pullRequests(states: OPEN, first: 50, after: $after, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
      pageInfo {{ hasNextPage endCursor }} nodes {{ {_PULL} }}
    }}
  }}
}}"""
_BY_BRANCH = f"""query PullRequestsOfBranch($owner: String!, $name: String!, $branch: String!) {{
  repository(owner: $owner, name: $name) {{
    pullRequests(headRefName: $branch, first: 50, orderBy: {{field: CREATED_AT, direction: DESC}}) {{
      nodes {{ {_PULL} }}
    }}
  }}
}}"""
_LINKED = f"""query LinkedPullRequests($owner: String!, $name: String!, $number: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    issue(number: $number) {{
      timelineItems(itemTypes: [CROSS_REFERENCED_EVENT, CONNECTED_EVENT], first: 100, after: $after) {{
        pageInfo {{ hasNextPage endCursor }}
        nodes {{
          ... on CrossReferencedEvent {{ source {{ ... on PullRequest {{ {_PULL} }} }} }}
          ... on ConnectedEvent {{ subject {{ ... on PullRequest {{ {_PULL} }} }} }}
        }}
      }}
    }}
  }}
}}"""
_THREADS = f"""query ReviewThreads($owner: String!, $name: String!, $number: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    pullRequest(number: $number) {{
      reviewThreads(first: 50, after: $after) {{
        pageInfo {{ hasNextPage endCursor }}
        nodes {{
          isResolved path line originalLine
          comments(first: 100) {{ totalCount nodes {{ {_COMMENT} }} }}
        }}
      }}
    }}
  }}
}}"""
_DECISION = """query ReviewDecision($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewDecision
      reviewRequests(first: 50) {
        nodes { requestedReviewer { ... on User { login } ... on Team { combinedSlug } } }
      }
    }
  }
}"""

_READY = """mutation MarkReady($id: ID!) {
  markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { isDraft } }
}"""


class _Actor(Struct):
    login: str | None = None
    kind: str | None = field(default=None, name="__typename")


class _Repository(Struct, rename="camel"):
    name_with_owner: str | None = None


class _Pull(Struct, rename="camel"):
    number: int | None = None
    title: str | None = None
    body: str | None = None
    url: str | None = None
    state: str | None = None
    is_draft: bool | None = None
    mergeable: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    merged_at: str | None = None
    head_ref_name: str | None = None
    head_ref_oid: str | None = None
    base_ref_name: str | None = None
    author: _Actor | None = None
    head_repository: _Repository | None = None
    base_repository: _Repository | None = None
    viewer_did_author: bool | None = None


class _PageInfo(Struct, rename="camel"):
    has_next_page: bool | None = None
    end_cursor: str | None = None


class _Pulls(Struct, rename="camel"):
    nodes: list[_Pull | None] = field(default_factory=list)
    page_info: _PageInfo = field(default_factory=_PageInfo)


class _Repositories(Struct):
    nodes: list[_Repository | None] = field(default_factory=list)


class _Event(Struct):
    source: _Pull | None = None
    subject: _Pull | None = None


class _Events(Struct, rename="camel"):
    nodes: list[_Event | None] = field(default_factory=list)
    page_info: _PageInfo = field(default_factory=_PageInfo)


class _IssueEvents(Struct, rename="camel"):
    timeline_items: _Events = field(default_factory=_Events)


class _Comment(Struct, rename="camel"):
    url: str | None = None
    body: str | None = None
    created_at: str | None = None
    author: _Actor | None = None


class _Comments(Struct, rename="camel"):
    total_count: int = 0
    nodes: list[_Comment | None] = field(default_factory=list)


class _Thread(Struct, rename="camel"):
    is_resolved: bool | None = None
    path: str | None = None
    line: int | None = None
    original_line: int | None = None
    comments: _Comments = field(default_factory=_Comments)


class _Threads(Struct, rename="camel"):
    nodes: list[_Thread | None] = field(default_factory=list)
    page_info: _PageInfo = field(default_factory=_PageInfo)


class _Reviewer(Struct, rename="camel"):
    login: str | None = None
    combined_slug: str | None = None


class _Request(Struct, rename="camel"):
    requested_reviewer: _Reviewer | None = None


class _Requests(Struct):
    nodes: list[_Request | None] = field(default_factory=list)


class _Discussed(Struct, rename="camel"):
    review_threads: _Threads = field(default_factory=_Threads)
    review_decision: str | None = None
    review_requests: _Requests | None = None


class _Held(Struct, rename="camel"):
    forks: _Repositories | None = None
    pull_requests: _Pulls | None = None
    issue: _IssueEvents | None = None
    pull_request: _Discussed | None = None


class _Viewer(Struct, rename="camel"):
    pull_requests: _Pulls = field(default_factory=_Pulls)


class _Marked(Struct, rename="camel"):
    pull_request: _Pull | None = None


class _Data(Struct):
    repository: _Held | None = None
    viewer: _Viewer | None = None
    marked: _Marked | None = field(default=None, name="markPullRequestReadyForReview")


class _Error(Struct):
    type: str | None = None
    message: str | None = None


class _Answer(Struct):
    data: _Data | None = None
    errors: list[_Error] | None = None


class Decision(Struct, frozen=True):
    """What the rules of the target branch make of the reviews, and who was asked for one."""

    word: str | None = None
    """APPROVED, CHANGES_REQUESTED or REVIEW_REQUIRED; None where there are no rules."""
    requested: tuple[str, ...] = ()


class GitHubQueries:
    """GraphQL beside a REST client: same host, same token.

    Args:
        forge: its name in the configuration.
        client: speaks to the REST API.
    """

    def __init__(self, forge: str, client: ForgeClient) -> None:
        self._forge = forge
        self._client = client
        self._url = graphql_url(client.base_url)

    async def my_forks(self, project: Project) -> list[str]:
        """Return the paths of the forks that this account owns."""
        held = (await self._ask(_FORKS, _repository(project))).repository
        nodes = held.forks.nodes if held is not None and held.forks is not None else []
        return [clean_line(node.name_with_owner) for node in nodes if node and node.name_with_owner]

    async def my_pull_requests(self) -> list[MergeRequest]:
        """Return this account's open pull requests, latest change first."""
        found: list[MergeRequest] = []
        after: str | None = None
        for _ in range(_MAX_PAGES):
            viewer = (await self._ask(_MINE, {"after": after})).viewer
            pulls = viewer.pull_requests if viewer is not None else _Pulls()
            found += self._pulls(pulls.nodes)
            after = _next(pulls.page_info, after)
            if after is None:
                return found
        raise self._endless()

    async def my_pull_requests_from(self, target: Project, branch: str) -> list[MergeRequest]:
        """Return this account's pull requests into `target` from any branch of this name, newest first."""
        data = await self._ask(_BY_BRANCH, {**_repository(target), "branch": branch})
        pulls = data.repository.pull_requests if data.repository is not None else None
        nodes = pulls.nodes if pulls is not None else []
        return self._pulls([node for node in nodes if node is not None and node.viewer_did_author])

    async def linked(self, project: Project, number: int) -> list[MergeRequest]:
        """Return the pull requests that mention an issue or were tied to it by hand."""
        found: list[MergeRequest] = []
        after: str | None = None
        for _ in range(_MAX_PAGES):
            data = await self._ask(_LINKED, {**_repository(project), "number": number, "after": after})
            issue = data.repository.issue if data.repository is not None else None
            events = issue.timeline_items if issue is not None else _Events()
            found += self._pulls([event.source or event.subject for event in events.nodes if event])
            after = _next(events.page_info, after)
            if after is None:
                return list({(request.project, request.number): request for request in found}.values())
        raise self._endless()

    async def threads(self, target: Project, number: int) -> list[Discussion] | None:
        """Return the threads on lines; None when one of them is too long for a single answer."""
        found: list[Discussion] = []
        after: str | None = None
        for _ in range(_MAX_PAGES):
            data = await self._ask(_THREADS, {**_repository(target), "number": number, "after": after})
            held = data.repository.pull_request if data.repository is not None else None
            threads = held.review_threads if held is not None else _Threads()
            for thread in threads.nodes:
                if thread is None:
                    continue
                if thread.comments.total_count > len(thread.comments.nodes):
                    return None
                found += _thread(thread)
            after = _next(threads.page_info, after)
            if after is None:
                return found
        raise self._endless()

    async def decision(self, target: Project, number: int) -> Decision:
        """Return what the branch's rules say, and who is asked for a review."""
        data = await self._ask(_DECISION, {**_repository(target), "number": number})
        held = data.repository.pull_request if data.repository is not None else None
        if held is None:
            return Decision()
        nodes = held.review_requests.nodes if held.review_requests is not None else []
        people = [node.requested_reviewer for node in nodes if node and node.requested_reviewer]
        names = (clean_line(person.login or person.combined_slug or "") for person in people)
        return Decision(held.review_decision, tuple(name for name in names if name))

    async def mark_ready(self, node_id: str) -> None:
        """Take the draft mark off the pull request with this id of GraphQL's."""
        await self._ask(_READY, {"id": node_id})

    def _pulls(self, nodes: list[_Pull | None]) -> list[MergeRequest]:
        wires = [_rest(node) for node in nodes if node is not None]
        return [parse.parse_merge_request(self._forge, "", wire) for wire in wires if wire is not None]

    async def _ask(self, query: str, variables: dict[str, object]) -> _Data:
        """Return the data of an answer; a part that has errors beside it counts when its root is there."""
        name = re.match(r"(?:query|mutation) (\w+)", query)
        body = {
            "query": query,
            "variables": variables,
            "operationName": name[1] if name is not None else None,
        }
        answer = await self._client.send_json("POST", self._url, body, type=_Answer)
        data = answer.data
        roots = () if data is None else (data.repository, data.viewer, data.marked)
        if data is not None and any(root is not None for root in roots):
            return data
        raise self._refused(answer.errors or [])

    def _refused(self, errors: list[_Error]) -> ForgeError:
        """Return what an answer without data means."""
        kinds = {error.type for error in errors}
        words = clean_line("; ".join(error.message or "" for error in errors), 400)
        asked = self._client.asked("POST", self._url)
        kind: type[ForgeError] = InvalidError
        title, hint = f"{asked.host} refused the request", ""
        if kinds & {"RATE_LIMITED", "RATE_LIMIT"}:
            kind, title = RateLimitedError, f"{asked.host} wants fewer requests"
            hint = "Try again in a few minutes."
        elif "INSUFFICIENT_SCOPES" in kinds:
            kind, title = ScopeError, "The token may not do that"
            hint = f"Make a token with more scopes and sign in again: {asked.sign_in}"
        elif "FORBIDDEN" in kinds:
            kind, title = ForbiddenError, "This account may not do that"
            hint = "Ask the project's owners for access."
        elif "NOT_FOUND" in kinds or not errors:
            kind, title = NotVisibleError, "That does not exist, or this account may not see it"
            hint = "Check the name. A private or internal project looks missing to accounts without access."
        return kind(title, words, hint, forge=self._forge, status=200, request=asked.request)

    def _endless(self) -> WrongAnswerError:
        return WrongAnswerError(
            f"A list of {self._client.host} does not end",
            f"There is more after {_MAX_PAGES} pages.",
            "Tell the forge's administrators; a proxy may be answering from its cache.",
            forge=self._forge,
            request="POST graphql",
        )


def graphql_url(base_url: str) -> str:
    """Return where GraphQL is, for the address of the REST API."""
    return re.sub(r"/v3$", "", base_url.rstrip("/")) + "/graphql"


def _repository(project: Project) -> dict[str, object]:
    owner, _, name = project.path.partition("/")
    return {"owner": owner, "name": name}


def _next(info: _PageInfo, before: str | None) -> str | None:
    """Return the cursor of the next page; one that stands still ends the list."""
    return info.end_cursor if info.has_next_page and info.end_cursor not in (None, before) else None


def _user(actor: _Actor | None) -> WireUser | None:
    return None if actor is None else WireUser(login=actor.login, type=actor.kind)


def _end(repository: _Repository | None, ref: str | None, sha: str | None = None) -> WireEnd:
    origin = None
    if repository is not None:
        origin = WireOrigin(full_name=repository.name_with_owner)
    return WireEnd(ref=ref, sha=sha, repo=origin)


def _rest(pull: _Pull) -> WirePullRequest | None:
    """Return a pull request in the shape of REST; None for another thing of the same place (an issue)."""
    if pull.number is None:
        return None
    closed = pull.state in ("CLOSED", "MERGED")
    return WirePullRequest(
        number=pull.number,
        title=pull.title,
        body=pull.body,
        html_url=pull.url,
        state="closed" if closed else "open",
        user=_user(pull.author),
        draft=pull.is_draft,
        merged=pull.state == "MERGED",
        mergeable_state="dirty" if pull.mergeable == "CONFLICTING" else None,
        head=_end(pull.head_repository, pull.head_ref_name, pull.head_ref_oid),
        base=_end(pull.base_repository, pull.base_ref_name),
        created_at=pull.created_at,
        updated_at=pull.updated_at,
        merged_at=pull.merged_at,
    )


def _thread(thread: _Thread) -> list[Discussion]:
    """Return a thread; none if nothing is left in it. Its id is its first comment's, for answers by REST."""
    comments = []
    for comment in thread.comments.nodes:
        number = re.search(r"#discussion_r([0-9]{1,18})$", (comment.url or "") if comment is not None else "")
        if comment is None or number is None:
            continue
        wire = WireComment(
            id=int(number[1]),
            user=_user(comment.author),
            body=comment.body,
            created_at=comment.created_at,
        )
        comments.append(parse.parse_comment(wire))
    if not comments:
        return []
    return [
        Discussion(
            id=comments[0].id,
            comments=tuple(comments),
            resolvable=True,
            resolved=bool(thread.is_resolved),
            file=clean_line(thread.path, 1_000) if thread.path else None,
            line=thread.line or thread.original_line,
        )
    ]


def oldest_first(threads: list[Discussion]) -> list[Discussion]:
    """Return threads by when their first comment was written; undated ones come last."""
    never = datetime.max.replace(tzinfo=UTC)
    return sorted(threads, key=lambda thread: thread.comments[0].created_at or never)
