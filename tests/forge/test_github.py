"""Finding and reading on GitHub against recorded answers, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import pytest

from isexplore.errors import (
    AuthError,
    ForbiddenError,
    ForgeError,
    MovedError,
    NotVisibleError,
    RateLimitedError,
    ScopeError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.forge.base import Forge
from isexplore.forge.github import GitHubForge
from isexplore.forge.github_graphql import graphql_url
from isexplore.guide.preview import Preview, read_project
from isexplore.models import Role, Visibility
from tests.support.contract_github import world
from tests.support.forge import Reply, Seen, html
from tests.support.github import ADA, API, NOW, REPO, UPSTREAM, ScriptedGitHub, recorded, scripted


@pytest.fixture
async def pair() -> AsyncIterator[tuple[ScriptedGitHub, GitHubForge]]:
    async with scripted() as made:
        yield made


@pytest.fixture
def server(pair: tuple[ScriptedGitHub, GitHubForge]) -> ScriptedGitHub:
    return pair[0]


@pytest.fixture
def forge(pair: tuple[ScriptedGitHub, GitHubForge]) -> GitHubForge:
    conforms: Forge = pair[1]
    assert conforms is pair[1]
    return pair[1]


# Who and what


async def test_every_request_says_which_version_of_the_api_it_wants(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("GET", "/user", Reply(body={"login": "ada", "id": 11}))
    await forge.whoami()
    headers = server.requests[0].headers
    assert headers["accept"] == "application/vnd.github+json"
    assert headers["x-github-api-version"] == "2022-11-28"
    assert headers["authorization"] == "Bearer ghp_canary"
    assert headers["user-agent"].startswith("isexplore/")


async def test_token_facts_of_a_classic_token(server: ScriptedGitHub, forge: GitHubForge) -> None:
    headers = {
        "X-OAuth-Scopes": "read:org, repo, workflow",
        "GitHub-Authentication-Token-Expiration": "2026-12-31 08:00:00 +0100",
    }
    server.on("GET", "/user", Reply(body={"login": "ada"}, headers=headers))
    facts = await forge.token_facts()
    assert facts.scopes == ("read:org", "repo", "workflow")
    assert facts.expires_on == date(2026, 12, 31)


@pytest.mark.parametrize("headers", [{}, {"X-OAuth-Scopes": ""}])
async def test_a_fine_grained_token_tells_no_scopes(
    server: ScriptedGitHub, forge: GitHubForge, headers: dict[str, str]
) -> None:
    server.on("GET", "/user", Reply(body={"login": "ada"}, headers=headers))
    facts = await forge.token_facts()
    assert facts.scopes is None
    assert facts.expires_on is None


@pytest.mark.parametrize(
    ("body", "headers", "name", "version"),
    [
        ({"installed_version": "3.10.4"}, {}, "GitHub Enterprise Server", "3.10.4"),
        ({}, {"X-GitHub-Enterprise-Version": "3.17.1"}, "GitHub Enterprise Server", "3.17.1"),
        ({"web": ["192.0.2.0/24"]}, {}, "GitHub", ""),
    ],
)
async def test_server(
    server: ScriptedGitHub,
    forge: GitHubForge,
    body: object,
    headers: dict[str, str],
    name: str,
    version: str,
) -> None:
    server.on("GET", "/meta", Reply(body=body, headers=headers))
    facts = await forge.server()
    assert (facts.name, facts.version) == (name, version)


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://api.acme.ghe.com", "https://api.acme.ghe.com/graphql"),
        ("https://git.example.com/api/v3", "https://git.example.com/api/graphql"),
        ("https://git.example.com/api/v3/", "https://git.example.com/api/graphql"),
    ],
)
def test_graphql_is_beside_the_rest_api(base: str, url: str) -> None:
    assert graphql_url(base) == url


# Errors


@pytest.mark.parametrize(
    ("name", "kind", "hint"),
    [
        ("bad_token", AuthError, "isexplore login"),
        ("scope.fine_grained", ScopeError, "pull_requests=write"),
        ("sso", ForbiddenError, "https://github.com/orgs/acme/sso?authorization_request=AB12"),
        ("dmca", ForbiddenError, ""),
        ("locked", ForbiddenError, ""),
    ],
)
async def test_a_refusal_says_what_to_do(
    server: ScriptedGitHub, forge: GitHubForge, name: str, kind: type[ForgeError], hint: str
) -> None:
    server.on("GET", REPO, recorded(name))
    with pytest.raises(kind) as caught:
        await forge.project("acme/retry-kit")
    assert hint in caught.value.hint
    assert caught.value.detail
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", ["rate_limit.primary", "rate_limit.secondary"])
async def test_a_403_may_be_a_rate_limit(server: ScriptedGitHub, forge: GitHubForge, name: str) -> None:
    server.on("POST", f"{REPO}/issues/2/comments", recorded(name))
    with pytest.raises(RateLimitedError) as caught:
        await forge.comment_on_issue(UPSTREAM, 2, "Hello")
    assert caught.value.retry_at is not None
    assert len(server.requests) == 1


async def test_a_server_without_rate_limits_sends_no_headers_and_all_is_well(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("GET", REPO, recorded("repository.internal"))
    for _ in range(3):
        await forge.project("acme/retry-kit")
    assert server.clock.slept == []


async def test_a_renamed_repository_is_followed_when_reading(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    moved = Reply(301, {"message": "Moved Permanently"}, {"Location": f"{server.url}{API}/repositories/71"})
    server.on("GET", "/repos/acme/old-name", moved)
    server.on("GET", "/repositories/71", recorded("repository.internal"))
    assert (await forge.project("acme/old-name")).path == "acme/retry-kit"


async def test_a_renamed_repository_is_not_written_to_under_its_old_name(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    location = {"Location": f"{server.url}{API}/repositories/71/issues/2/comments"}
    server.on("POST", f"{REPO}/issues/2/comments", Reply(307, {"message": "Moved"}, location))
    with pytest.raises(MovedError):
        await forge.comment_on_issue(UPSTREAM, 2, "Hello")
    assert len(server.requests) == 1


async def test_a_path_of_three_parts_is_not_asked_for(server: ScriptedGitHub, forge: GitHubForge) -> None:
    for path in ("acme/tools/retry-kit", "acme", "acme/"):
        with pytest.raises(NotVisibleError):
            await forge.project(path)
    assert server.requests == []


# Finding


def _repository(number: int) -> dict[str, object]:
    return {"id": number, "full_name": f"acme/r{number}", "name": f"r{number}", "visibility": "public"}


def _found(count: int, total: int | None = None, **more: object) -> Reply:
    items = [_repository(number) for number in range(count)]
    return Reply(body={"total_count": count if total is None else total, "items": items, **more})


async def test_a_first_screen_of_a_hundred_projects_costs_two_requests_at_most(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("GET", "/search/repositories", _found(100))
    found = [page async for page in forge.find_projects(("innersource", "inner-source"))]
    assert len(found[0].projects) == 100
    assert len(server.requests) == 2
    assert {seen.query["q"] for seen in server.requests} == {
        "topic:innersource archived:false",
        "topic:inner-source archived:false",
    }
    assert server.requests[0].query["per_page"] == "100"


async def test_the_pages_of_a_search_follow_the_links(server: ScriptedGitHub, forge: GitHubForge) -> None:
    link = {"Link": f'<https://elsewhere.example.com{API}/search/repositories?q=evil&page=2>; rel="next"'}
    first = _found(100, 130)
    first.headers.update(link)
    server.on("GET", "/search/repositories", _found(30, 130), query={"page": "2"})
    server.on("GET", "/search/repositories", first, query={"per_page": "100", "q": "topic:a archived:false"})
    server.on("GET", "/search/repositories", _found(30, 130), query={"page": "2"})
    pages = [page async for page in forge.find_projects(("a",))]
    assert [len(page.projects) for page in pages] == [100, 30]
    assert pages[0].total == 130
    assert [seen.query["q"] for seen in server.requests] == ["topic:a archived:false"] * 2


async def test_a_search_beyond_a_thousand_is_cut_into_slices(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    def answer(seen: Seen) -> Reply:
        created = [word for word in seen.query["q"].split() if word.startswith("created:")]
        if not created:
            return _found(100, 1_800)
        start, end = (
            datetime.fromisoformat(part) for part in created[0].removeprefix("created:").split("..")
        )
        made = datetime(2020, 6, 1, tzinfo=UTC), datetime(2022, 6, 1, tzinfo=UTC)
        there = [moment for moment in made if start <= moment <= end]
        return _found(min(100, 90 * len(there)), 900 * len(there))

    server.on("GET", "/search/repositories", answer)
    pages = [page async for page in forge.find_projects(("a",))]
    slices = [seen.query["q"].split()[-1] for seen in server.requests[1:]]
    assert {page.total for page in pages} == {1_800}, "a slice is not the whole"
    assert len([page for page in pages if page.projects]) == 3
    assert all(len(seen.query["q"]) <= 256 for seen in server.requests)
    ends = sorted(piece.removeprefix("created:").split("..")[0] for piece in slices)
    assert ends[0] == "2007-10-01T00:00:00Z"
    assert len(server.requests) < 15


async def test_a_search_in_slices_goes_on_with_the_slices_that_are_left(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    def answer(seen: Seen) -> Reply:
        created = [word for word in seen.query["q"].split() if word.startswith("created:")]
        return _found(10, 900) if created else _found(10, 1_800)

    server.on("GET", "/search/repositories", answer)
    pages = [page async for page in forge.find_projects(("a",))]
    asked = len(server.requests)
    server.requests.clear()
    rest = [page async for page in forge.find_projects(("a",), resume=pages[1].cursor)]
    assert len(pages) - len(rest) == 2
    assert len(server.requests) == asked - 2
    assert server.requests[0].query["q"].split()[-1].startswith("created:")
    server.requests.clear()
    _ = [page async for page in forge.find_projects(("b",), resume=pages[1].cursor)]
    assert len(server.requests) == asked, "the cursor of another search is none"


async def test_more_than_a_thousand_in_one_second_is_no_list(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("GET", "/search/repositories", _found(100, 5_000))
    with pytest.raises(WrongAnswerError, match="more projects than it gives out"):
        _ = [page async for page in forge.find_projects(("a",))]
    assert len(server.requests) < 60


async def test_incomplete_results_are_asked_for_again_and_never_pass_for_the_whole(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("GET", "/search/repositories", _found(1, incomplete_results=True), _found(3))
    pages = [page async for page in forge.find_projects(("a",))]
    assert [len(page.projects) for page in pages] == [3]
    server.on("GET", "/search/repositories", _found(1, incomplete_results=True))
    with pytest.raises(UnavailableError, match="could not finish"):
        _ = [page async for page in forge.find_projects(("a",))]


async def test_many_groups_are_searched_in_queries_of_a_length_that_github_takes(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("GET", "/search/repositories", _found(0))
    groups = tuple(f"organization-number-{number}" for number in range(20))
    changed = datetime(2026, 3, 1, tzinfo=UTC)
    _ = [page async for page in forge.find_projects(("a",), groups=groups, changed_after=changed)]
    queries = [seen.query["q"] for seen in server.requests]
    assert all(len(query) < 256 for query in queries)
    assert all("pushed:>=2026-03-01T00:00:00Z" in query for query in queries)
    asked = [word for query in queries for word in query.split() if word.startswith("org:")]
    assert asked == [f"org:{group}" for group in groups]


async def test_what_somebody_types_is_no_qualifier(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("GET", "/search/repositories", _found(0))
    _ = [page async for page in forge.find_projects(("a",), text='retry is:private "x OR -org:b')]
    assert server.requests[0].query["q"] == (
        'retry "is:private" x "OR" "-org:b" in:name,description topic:a archived:false'
    )


async def test_a_tag_may_be_a_custom_property(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("GET", "/search/repositories", _found(0))
    _ = [page async for page in forge.find_projects(("prop:innersource=true",), groups=("acme",))]
    assert server.requests[0].query["q"] == "props.innersource:true archived:false org:acme"


async def test_every_spelling_of_a_tag_is_a_search(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("GET", "/search/repositories", _found(0))
    _ = [page async for page in forge.find_projects(("Inner Source", "innersource"))]
    topics = [seen.query["q"].split()[0] for seen in server.requests]
    assert topics == ["topic:inner-source", "topic:innersource"]


async def test_without_tags_github_com_is_what_this_account_belongs_to(server: ScriptedGitHub) -> None:
    forge = GitHubForge(name="work", url="https://github.com", client=server.client())
    server.on("GET", "/user/repos", Reply(body=[_repository(1), _repository(2) | {"fork": True}]))
    pages = [page async for page in forge.find_projects(())]
    await forge.close()
    assert [project.path for page in pages for project in page.projects] == ["acme/r1"]


# Reading


async def test_an_internal_repository_is_private_as_well(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("GET", REPO, recorded("repository.internal"))
    project = await forge.project("acme/retry-kit")
    assert project.visibility is Visibility.INTERNAL
    assert project.can_propose is False
    assert project.forking_enabled is False
    assert project.role is Role.NONE
    assert project.subscribers == 4
    assert project.licence == "Other"
    assert project.last_activity == datetime(2026, 3, 9, 10, 11, 12, tzinfo=UTC)
    assert "secret" not in repr(project)


async def test_open_issues_count_has_pull_requests_in_it_and_is_not_told(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("GET", REPO, recorded("repository.internal"))
    assert (await forge.project("acme/retry-kit")).open_issues is None


async def test_pull_requests_are_not_among_the_issues(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("GET", f"{REPO}/issues", recorded("issues"))
    found = await forge.issues(UPSTREAM)
    assert [issue.number for issue in found] == [2, 1]
    assert found[0].labels == ("good first issue", "docs")
    assert found[0].assignees == ("ravi",)


async def test_a_page_of_pull_requests_alone_does_not_end_the_issues(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    pulls = Reply(
        body=[{"number": number, "title": "x", "pull_request": {}} for number in range(10, 110)],
        headers={"Link": f'<{server.url}{API}/repositories/71/issues?page=2>; rel="next"'},
    )
    server.on("GET", f"{REPO}/issues", pulls)
    server.on("GET", f"{REPO}/issues", recorded("issues"), query={"page": "2"})
    assert [issue.number for issue in await forge.issues(UPSTREAM, limit=1)] == [2]


async def test_labels_are_combined_by_and_so_each_is_a_request(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("GET", f"{REPO}/issues", recorded("issues"), query={"labels": "good first issue"})
    server.on("GET", f"{REPO}/issues", Reply(body=[]), query={"labels": "Docs"})
    found = await forge.issues(UPSTREAM, labels=("good first issue", "Docs"))
    assert [issue.number for issue in found] == [2]
    assert len(server.requests) == 2


async def test_a_label_with_a_comma_is_looked_for_here(server: ScriptedGitHub, forge: GitHubForge) -> None:
    labelled = {"number": 4, "title": "x", "labels": ["help, please"]}
    server.on("GET", f"{REPO}/issues", Reply(body=[labelled, {"number": 5, "title": "y"}]))
    assert [issue.number for issue in await forge.issues(UPSTREAM, labels=("help, please",))] == [4]
    assert "labels" not in server.requests[0].query


async def test_issues_that_were_switched_off_are_none(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("GET", f"{REPO}/issues", recorded("issues_disabled"))
    assert await forge.issues(UPSTREAM) == []
    server.on("POST", f"{REPO}/issues/2/comments", recorded("issues_disabled"))
    with pytest.raises(ForbiddenError, match="Issues are switched off"):
        await forge.comment_on_issue(UPSTREAM, 2, "Hello")


async def test_a_pull_request_is_not_an_issue(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("GET", f"{REPO}/issues/3", Reply(body={"number": 3, "title": "x", "pull_request": {}}))
    with pytest.raises(NotVisibleError, match="is a pull request"):
        await forge.issue(UPSTREAM, 3)


async def test_an_issue_that_was_transferred_names_its_new_repository(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    location = {"Location": f"{server.url}{API}/repositories/72/issues/8"}
    server.on("GET", f"{REPO}/issues/2", Reply(301, {"message": "Moved Permanently"}, location))
    url = f"{server.url}{API}/repos/acme/docs"
    server.on("GET", "/repositories/72/issues/8", Reply(body={"number": 8, "repository_url": url}))
    issue = await forge.issue(UPSTREAM, 2)
    assert (issue.project, issue.number) == ("acme/docs", 8)


async def test_201_for_an_assignment_that_was_ignored(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("POST", f"{REPO}/issues/2/assignees", recorded("issue.assigned_ignored"))
    issue = await forge.assign_issue(UPSTREAM, 2, ADA)
    assert issue.assignees == ()
    assert server.requests[0].json == {"assignees": ["ada"]}


async def test_linked_pull_requests_without_graphql_are_those_that_mention_the_issue(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.graphql(Reply(403, {"message": "Resource not accessible by personal access token"}))
    server.on("GET", f"{REPO}/issues/2/timeline", recorded("timeline"))
    found = await forge.linked_merge_requests(UPSTREAM, 2)
    assert [(request.number, request.state.value, request.project) for request in found] == [
        (5, "merged", "acme/retry-kit")
    ]


async def test_an_empty_repository_has_no_files(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("GET", f"{REPO}/contents", recorded("repository_empty"))
    server.on("GET", f"{REPO}/contents/README.md", recorded("repository_empty"))
    assert await forge.folder(UPSTREAM) == []
    assert await forge.file(UPSTREAM, "README.md") is None


async def test_a_folder_asked_for_as_a_file_is_none(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("GET", f"{REPO}/contents/docs", Reply(body=[{"path": "docs/a.md", "type": "file"}]))
    assert await forge.file(UPSTREAM, "docs") is None
    assert server.requests[0].headers["accept"] == "application/vnd.github.raw+json"


async def test_a_json_file_that_begins_like_a_list_is_a_file(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    raw = {"Content-Type": "application/vnd.github.raw+json; charset=utf-8"}
    server.on("GET", f"{REPO}/contents/a%20b/x.json", Reply(body=b"[1]", headers=raw))
    assert await forge.file(UPSTREAM, "a b/x.json", ref="v1") == b"[1]"
    assert server.requests[0].query == {"ref": "v1"}


async def test_a_sign_in_page_is_no_file(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("GET", f"{REPO}/contents/README.md", html())
    with pytest.raises(WrongAnswerError):
        await forge.file(UPSTREAM, "README.md")


async def test_a_folder_of_a_thousand_entries_is_read_from_git(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    entries = [{"path": f"src/{number}", "type": "file"} for number in range(1_000)]
    server.on("GET", f"{REPO}/contents/src", Reply(body=entries))
    tree = [{"path": f"{number}", "type": "blob", "sha": "aa"} for number in range(1_500)]
    server.on("GET", f"{REPO}/git/trees/HEAD:src", Reply(body={"tree": tree, "truncated": False}))
    found = await forge.folder(UPSTREAM, "src")
    assert (len(found), found[0].path) == (1_500, "src/0")
    server.on("GET", f"{REPO}/git/trees/HEAD:src", Reply(body={"tree": tree, "truncated": True}))
    with pytest.raises(WrongAnswerError, match="too large"):
        await forge.folder(UPSTREAM, "src")


async def test_the_contributors_of_an_empty_repository_are_204(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    server.on("GET", f"{REPO}/contributors", Reply(204))
    assert await forge.contributors(UPSTREAM) == []


async def test_a_history_too_long_to_count_has_no_contributors(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    words = (
        "The history or contributor list is too large to list contributors for this repository via the API."
    )
    server.on("GET", f"{REPO}/contributors", Reply(403, {"message": words}))
    assert await forge.contributors(UPSTREAM) == []


async def test_statistics_are_202_until_they_are_computed(server: ScriptedGitHub, forge: GitHubForge) -> None:
    weeks = list(range(52))
    path = f"{REPO}/stats/participation"
    server.on("GET", path, Reply(202, {}), Reply(202, {}), Reply(body={"all": weeks, "owner": [0] * 52}))
    assert await forge.participation(UPSTREAM) == tuple(weeks)
    assert server.clock.slept == [1.0, 2.0]
    server.on("GET", path, Reply(202, {}))
    assert await forge.participation(UPSTREAM) == ()


async def test_members_are_collaborators_for_those_who_may_push(
    server: ScriptedGitHub, forge: GitHubForge
) -> None:
    from msgspec.structs import replace

    project = replace(UPSTREAM, role=Role.DEVELOPER)
    people = [
        {"login": "ada", "id": 11, "permissions": {"push": True, "pull": True}},
        {"login": "mara", "id": 12, "permissions": {"admin": True, "push": True}},
    ]
    server.on("GET", f"{REPO}/collaborators", Reply(body=people))
    found = await forge.members(project)
    assert [(member.person.username, member.role) for member in found] == [
        ("mara", Role.OWNER),
        ("ada", Role.DEVELOPER),
    ]
    refusal = Reply(403, {"message": "Must have push access to view repository collaborators."})
    server.on("GET", f"{REPO}/collaborators", refusal)
    server.on("GET", f"{REPO}/assignees", Reply(body=[{"login": "ravi"}, {"login": "Acme"}]))
    found = await forge.members(project)
    assert [(member.person.username, member.role) for member in found] == [
        ("Acme", Role.OWNER),
        ("ravi", Role.REPORTER),
    ]


async def test_members_hidden_from_everybody_are_none(server: ScriptedGitHub, forge: GitHubForge) -> None:
    server.on("GET", f"{REPO}/assignees", Reply(403, {"message": "Forbidden"}))
    assert await forge.members(UPSTREAM) == []


async def test_the_first_part_of_a_preview_costs_four_requests_at_most() -> None:
    async with world() as github:
        costs: list[int] = []

        def on_part(preview: Preview) -> None:
            costs.append(github.requests)

        preview = await read_project(github.forge, "tools/alpha", now=NOW, on_part=on_part)
        assert costs[0] <= 4
        assert preview.document("CONTRIBUTING") is not None
