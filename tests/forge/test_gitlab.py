"""The GitLab adapter against recorded answers, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from isexplore.config.secrets import Secret
from isexplore.errors import (
    AuthError,
    ConflictError,
    ForbiddenError,
    ForgeError,
    InvalidError,
    NotVisibleError,
    RateLimitedError,
    ScopeError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.forge.base import Forge
from isexplore.forge.gitlab import GitLabForge
from isexplore.forge.http import ForgeClient
from isexplore.models import (
    ForkState,
    ForkTarget,
    MergeRequest,
    MergeRequestState,
    NewMergeRequest,
    Person,
    PipelineState,
    Project,
    Role,
    Visibility,
)
from tests.support.forge import Clock, ForgeServer, Reply, Seen, html, recorded

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ADA = Person(username="ada", id="11")
UPSTREAM = Project(
    forge="work",
    id="71",
    path="platform/tools/retry-kit",
    name="retry-kit",
    url="https://gitlab.example.com/platform/tools/retry-kit",
    default_branch="main",
    owner="platform/tools",
)
FORK = Project(
    forge="work",
    id="205",
    path="ada/retry-kit",
    name="retry-kit",
    url="https://gitlab.example.com/ada/retry-kit",
    default_branch="main",
    forked_from_id="71",
    owner="ada",
)
REQUEST = MergeRequest(
    forge="work",
    project=UPSTREAM.path,
    number=9,
    title="Explain the back-off",
    url="",
    state=MergeRequestState.OPEN,
)
API = "/gitlab/api/v4"
"""Every test here runs on an install below a path."""


@pytest.fixture
async def server() -> AsyncIterator[ForgeServer]:
    async with ForgeServer(API).running() as running:
        yield running


@pytest.fixture
async def forge(server: ForgeServer) -> AsyncIterator[GitLabForge]:
    clock = Clock()
    client = ForgeClient(
        name="work",
        base_url=server.url + API,
        token=Secret("glpat-canary"),
        clock=clock,
        sleep=clock.sleep,
        now=lambda: NOW,
    )
    forge = GitLabForge(name="work", url=f"{server.url}/gitlab", client=client, now=lambda: NOW)
    conforms: Forge = forge
    yield forge
    await conforms.close()


# Who and what


async def test_whoami(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/user", recorded("gitlab.user"))
    me = await forge.whoami()
    assert (me.username, me.name, me.id, me.email, me.bot, me.external) == (
        "ada",
        "Ada Quill",
        "11",
        "ada@example.com",
        False,
        False,
    )


async def test_a_bad_token_is_an_auth_error_with_the_command_to_sign_in_again(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("GET", "/user", recorded("gitlab.user.bad_token"))
    with pytest.raises(AuthError) as caught:
        await forge.whoami()
    assert caught.value.detail == "401 Unauthorized"
    assert f"isexplore login {server.url}/gitlab" in caught.value.hint
    assert caught.value.request == f"GET {API}/user"


async def test_insufficient_scope_names_the_scopes(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/user", recorded("gitlab.insufficient_scope"))
    with pytest.raises(ScopeError) as caught:
        await forge.whoami()
    assert caught.value.missing == ("api", "read_api")
    assert "api or read_api" in caught.value.hint


async def test_server_asks_version_where_metadata_is_not_there_yet(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("GET", "/version", Reply(body={"version": "15.0.3-ee", "revision": "7da3936"}))
    assert (await forge.server()).version == "15.0.3-ee"
    server.on("GET", "/metadata", Reply(body={"version": "18.2.1", "enterprise": False}))
    assert (await forge.server()).version == "18.2.1"


async def test_token_facts_of_a_personal_access_token(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/personal_access_tokens/self", recorded("gitlab.token"))
    facts = await forge.token_facts()
    assert facts.scopes == ("api", "read_repository")
    assert facts.expires_on == date(2027, 1, 31)


async def test_token_facts_of_an_oauth_token_come_from_outside_the_api(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("GET", "/personal_access_tokens/self", recorded("gitlab.token.oauth_refused"))
    server.prefix = "/gitlab"
    server.on("GET", "/oauth/token/info", recorded("gitlab.oauth_token"))
    facts = await forge.token_facts()
    assert facts.scopes == ("api",)
    assert facts.expires_on == date(2026, 3, 10)


async def test_git_signs_in_as_oauth2_at_the_origin_without_the_path(
    server: ForgeServer, forge: GitLabForge
) -> None:
    assert forge.git_login.username == "oauth2"
    assert forge.git_login.origin == server.url


# Finding


async def found(forge: GitLabForge, tags: tuple[str, ...], **how: object) -> list[str]:
    return [
        project.path
        async for page in forge.find_projects(tags, **how)  # type: ignore[arg-type]
        for project in page.projects
    ]


async def test_topics_are_resolved_to_their_true_spelling_because_the_filter_is_case_sensitive(
    server: ForgeServer, forge: GitLabForge
) -> None:
    def listing(seen: Seen) -> Reply:
        assert seen.query["archived"] == "false"
        return recorded("gitlab.projects.keyset.page2")

    server.on("GET", "/topics", recorded("gitlab.topics"), query={"search": "inner"})
    server.on("GET", "/projects", listing)
    await found(forge, ("innersource", "inner-source"))
    asked = {seen.query["topic"] for seen in server.asked("GET", "/projects")}
    assert asked == {"InnerSource", "inner source"}, "not innersource-portal, which only contains the tag"
    assert len(server.asked("GET", "/topics")) == 1, "one question for all spellings"


async def test_a_word_that_too_many_topics_share_is_followed_by_one_question_for_each_spelling(
    server: ForgeServer, forge: GitLabForge
) -> None:
    crowd = [{"id": number, "name": f"inner-{number}"} for number in range(1, 101)]
    server.on("GET", "/topics", Reply(body=crowd), query={"search": "inner"})
    server.on(
        "GET", "/topics", Reply(body=[{"id": 500, "name": "InnerSource"}]), query={"search": "innersource"}
    )
    server.on("GET", "/topics", Reply(body=[]), query={"search": "inner-source"})
    server.on("GET", "/projects", Reply(body=[]))
    await found(forge, ("innersource", "inner-source"))
    assert [seen.query["topic"] for seen in server.asked("GET", "/projects")] == ["InnerSource"]


async def test_a_listing_that_fails_beside_another_one_fails_the_whole(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("GET", "/topics", recorded("gitlab.topics"))
    server.on("GET", "/projects", recorded("gitlab.projects.keyset.page2"))
    server.on("GET", "/projects", Reply(403, {"message": "403 Forbidden"}), query={"topic": "inner source"})
    with pytest.raises(ForbiddenError):
        await found(forge, ("innersource", "inner-source"))


async def test_keyset_pages_are_followed_although_the_link_names_another_host(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("GET", "/topics", Reply(body=[{"id": 3, "name": "InnerSource"}]))
    server.on("GET", "/projects", recorded("gitlab.projects.keyset.page1"))
    server.on("GET", "/projects", recorded("gitlab.projects.keyset.page2"), query={"id_after": "74"})
    assert await found(forge, ("innersource",)) == ["platform/tools/retry-kit", "data/loader", "web/shell"]
    first, second = server.asked("GET", "/projects")
    assert first.query["pagination"] == "keyset"
    assert first.query["order_by"] == "id"
    assert "page" not in first.query
    assert second.query["topic"] == "InnerSource"


async def test_changed_after_is_sent_with_its_plus_sign_escaped(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("GET", "/topics", Reply(body=[{"id": 3, "name": "C++ & friends"}]))
    server.on("GET", "/projects", Reply(body=[]))
    since = datetime(2026, 3, 1, 14, 0, tzinfo=UTC).astimezone(tz=None)
    await found(forge, ("c++ & friends",), changed_after=since, text="a b+c")
    (seen,) = server.asked("GET", "/projects")
    assert seen.query["last_activity_after"] == "2026-03-01T14:00:00Z"
    assert seen.query["topic"] == "C++ & friends"
    assert "search=a%20b%2Bc" in seen.target


async def test_a_topic_with_a_comma_is_asked_for_by_id(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/topics", Reply(body=[{"id": 5, "name": "inner, source"}]))
    server.on("GET", "/projects", Reply(body=[]))
    await found(forge, ("inner, source",))
    assert server.asked("GET", "/projects")[0].query["topic_id"] == "5"


async def test_an_instance_that_hides_its_topics_is_asked_with_the_tags_as_they_are(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("GET", "/topics", Reply(403, {"message": "403 Forbidden"}))
    server.on("GET", "/projects", Reply(body=[]))
    await found(forge, ("innersource", "InnerSource"))
    assert {seen.query["topic"] for seen in server.asked("GET", "/projects")} == {
        "innersource",
        "InnerSource",
    }


async def test_groups_include_their_subgroups_and_stop_at_what_has_not_changed(
    server: ForgeServer, forge: GitLabForge
) -> None:
    page = recorded("gitlab.projects.keyset.page1")
    page.headers = {"X-Next-Page": "2", "X-Total": "300"}
    server.on("GET", "/topics", Reply(body=[{"id": 3, "name": "InnerSource"}]))
    server.on("GET", "/groups/platform%2Ftools/projects", page)
    paths = await found(
        forge, ("innersource",), groups=("platform/tools",), changed_after=datetime(2026, 3, 5, tzinfo=UTC)
    )
    assert paths == ["platform/tools/retry-kit", "data/loader"]
    seen, archived = sorted(
        server.asked("GET", "/groups/platform%2Ftools/projects"), key=lambda one: one.query["order_by"]
    )
    assert (archived.query["archived"], archived.query["order_by"]) == ("true", "updated_at")
    assert seen.path == f"{API}/groups/platform%2Ftools/projects"
    assert seen.query["include_subgroups"] == "true"
    assert seen.query["order_by"] == "last_activity_at"


async def test_what_was_archived_since_comes_with_what_changed(
    server: ForgeServer, forge: GitLabForge
) -> None:
    def project(number: int, updated: str | None, **told: object) -> dict[str, object]:
        return {"id": number, "path_with_namespace": f"a/p{number}", "updated_at": updated, **told}

    since = datetime(2026, 3, 5, tzinfo=UTC)
    server.on("GET", "/topics", Reply(body=[{"id": 3, "name": "InnerSource", "total_projects_count": 9}]))
    server.on("GET", "/projects", Reply(body=[project(1, None)]), query={"archived": "false"})
    lately = [
        project(2, "2026-03-07T10:00:00Z", archived=True),
        project(3, "2026-03-04T10:00:00Z", archived=True),
    ]
    more = {"X-Next-Page": "2"}
    server.on("GET", "/projects", Reply(body=lately, headers=more), query={"archived": "true"})
    pages = [page async for page in forge.find_projects(("innersource",), changed_after=since)]
    told = {(one.path, one.archived) for page in pages for one in page.projects}
    assert told == {("a/p1", False), ("a/p2", True)}
    assert {page.in_all for page in pages} == {9}
    assert len(server.asked("GET", "/projects")) == 2, "what was archived before is not asked for"


@pytest.mark.parametrize("status", [400, 500])
async def test_a_forge_that_does_not_tell_what_is_archived_still_tells_what_changed(
    server: ForgeServer, forge: GitLabForge, status: int
) -> None:
    since = datetime(2026, 3, 5, tzinfo=UTC)
    server.on("GET", "/topics", Reply(body=[{"id": 3, "name": "InnerSource"}]))
    server.on(
        "GET", "/projects", Reply(body=[{"id": 1, "path_with_namespace": "a/b"}]), query={"archived": "false"}
    )
    server.on("GET", "/projects", Reply(status, {"error": "no"}), query={"archived": "true"})
    assert await found(forge, ("innersource",), changed_after=since) == ["a/b"]


async def test_a_rate_limit_in_the_middle_of_a_listing_waits_and_goes_on(
    server: ForgeServer, forge: GitLabForge
) -> None:
    busy = Reply(429, b"Retry later\n", {"Content-Type": "text/plain", "Retry-After": "7"})
    server.on("GET", "/topics", Reply(body=[{"id": 3, "name": "InnerSource"}]))
    server.on("GET", "/projects", recorded("gitlab.projects.keyset.page1"))
    server.on("GET", "/projects", busy, recorded("gitlab.projects.keyset.page2"), query={"id_after": "74"})
    assert len(await found(forge, ("innersource",))) == 3


# A project


async def test_project_with_everything_that_one_call_gives(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/projects/platform%2Ftools%2Fretry-kit", recorded("gitlab.project"))
    project = await forge.project("platform/tools/retry-kit")
    assert server.requests[0].path == f"{API}/projects/platform%2Ftools%2Fretry-kit"
    assert server.requests[0].headers["authorization"] == "Bearer glpat-canary"
    assert project.id == "71"
    assert project.description == "Retries with a\ufffd back-off", "a bidirectional control does not pass"
    assert project.topics == ("InnerSource", "python")
    assert project.visibility is Visibility.INTERNAL
    assert project.licence == "Apache License 2.0"
    assert project.readme_path == "docs/Read me.md"
    assert project.role is Role.DEVELOPER, "the stronger of project and group"
    assert (project.stars, project.forks, project.open_issues) == (12, 3, 7)
    assert (project.forking_enabled, project.can_propose, project.empty) == (True, True, False)
    assert project.owner == "platform/tools"
    assert project.last_activity == datetime(2026, 3, 2, 9, 30, 0, 512_000, tzinfo=UTC)


async def test_anonymous_projects_lack_keys_and_nothing_is_guessed(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("GET", "/projects/71", recorded("gitlab.project.anonymous"))
    project = await forge.project("71")
    assert (project.open_issues, project.can_propose, project.forking_enabled) == (None, None, None)
    assert (project.issues_enabled, project.archived, project.role) == (True, False, Role.NONE)


async def test_a_missing_project_may_also_be_a_hidden_one(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/projects/a%2Fb", recorded("gitlab.project.not_found"))
    with pytest.raises(NotVisibleError) as caught:
        await forge.project("a/b")
    assert "may not see" in caught.value.title
    assert len(server.requests) == 1


@pytest.mark.parametrize("answer", [Reply(404, {"error": "404 Not Found"}), html("Not Found", 404)])
async def test_a_proxy_that_breaks_encoded_slashes_is_got_around_by_number(
    server: ForgeServer, forge: GitLabForge, answer: Reply
) -> None:
    path = "platform/tools/retry-kit"
    server.on("GET", f"/projects/{path}", answer)
    server.on("GET", "/projects", recorded("gitlab.projects.keyset.page2"), query={"search": path})
    with pytest.raises(ForgeError):
        await forge.project(path)
    server.on("GET", "/projects", Reply(body=[recorded("gitlab.project").body]), query={"search": path})
    server.on("GET", "/projects/71", recorded("gitlab.project"))
    assert (await forge.project(path)).id == "71"


async def test_a_renamed_project_is_followed_to_its_number(server: ForgeServer, forge: GitLabForge) -> None:
    moved = Reply(301, b"moved", {"Location": f"{server.url}{API}/projects/71", "Content-Type": "text/plain"})
    server.on("GET", "/projects/old%2Fname", moved)
    server.on("GET", "/projects/71", recorded("gitlab.project"))
    assert (await forge.project("old/name")).path == "platform/tools/retry-kit"


async def test_languages_are_shares(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/projects/71/languages", Reply(body={"Shell": 9.5, "Python": 90.5}))
    assert await forge.languages(UPSTREAM) == {"Python": 0.905, "Shell": 0.095}


async def test_folder_and_file(server: ForgeServer, forge: GitLabForge) -> None:
    tree = [
        {"id": "e1", "name": "docs", "type": "tree", "path": "docs", "mode": "040000"},
        {"id": "e2", "name": "README.md", "type": "blob", "path": "README.md", "mode": "100644"},
    ]
    server.on("GET", "/projects/71/repository/tree", Reply(body=tree))
    assert [(entry.path, entry.folder) for entry in await forge.folder(UPSTREAM)] == [
        ("docs", True),
        ("README.md", False),
    ]
    text = Reply(body=b"<html> is how it begins", headers={"Content-Type": "text/plain"})
    server.on("GET", "/projects/71/repository/files/docs%2F..%2Fa%20b%23.md/raw", text)
    assert await forge.file(UPSTREAM, "docs/../a b#.md", limit=6) == b"<html>"
    assert server.requests[-1].path.endswith("/files/docs%2F..%2Fa%20b%23.md/raw")
    assert server.requests[-1].query == {"ref": "HEAD"}


@pytest.mark.parametrize("words", ["404 File Not Found", "404 Commit Not Found", "404 Tree Not Found"])
async def test_missing_files_are_none_and_missing_projects_are_errors(
    server: ForgeServer, forge: GitLabForge, words: str
) -> None:
    missing = Reply(404, {"message": words})
    server.on("GET", "/projects/71/repository/files/NOTICE/raw", missing)
    server.on("GET", "/projects/71/repository/tree", missing)
    assert await forge.file(UPSTREAM, "NOTICE") is None
    assert await forge.folder(UPSTREAM, "docs") == []
    server.on("GET", "/projects/71/repository/files/NOTICE/raw", recorded("gitlab.project.not_found"))
    with pytest.raises(NotVisibleError):
        await forge.file(UPSTREAM, "NOTICE")


# Issues


async def test_label_spellings_are_asked_one_by_one_because_gitlab_ands_them(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on(
        "GET", "/projects/71/issues", recorded("gitlab.issues.label1"), query={"labels": "good first issue"}
    )
    server.on(
        "GET", "/projects/71/issues", recorded("gitlab.issues.label2"), query={"labels": "good-first-issue"}
    )
    issues = await forge.issues(UPSTREAM, labels=("good first issue", "good-first-issue"))
    assert [issue.number for issue in issues] == [20, 12, 4], "latest change first, each once"
    assert issues[2].assignees == ("cleo",)
    assert all(seen.query["state"] == "opened" for seen in server.requests)
    assert [i.number for i in await forge.issues(UPSTREAM, labels=("good first issue",), limit=1)] == [12]


async def test_a_label_with_a_comma_is_looked_for_among_all_issues(
    server: ForgeServer, forge: GitLabForge
) -> None:
    rows = [
        {"iid": 1, "title": "a", "labels": ["easy, small"]},
        {"iid": 2, "title": "b", "labels": ["easy"]},
    ]
    server.on("GET", "/projects/71/issues", Reply(body=rows))
    assert [issue.number for issue in await forge.issues(UPSTREAM, labels=("easy, small",))] == [1]
    assert "labels" not in server.requests[0].query


async def test_comments_tell_people_forge_and_bots_apart(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/projects/71/issues/12/notes", recorded("gitlab.notes"))
    comments = await forge.comments(UPSTREAM, 12)
    assert [(c.author, c.system, c.bot) for c in comments] == [
        ("ada", False, False),
        ("ben", True, False),
        ("project_71_bot_ab12", False, True),
    ]


async def test_a_comment_is_posted_once(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("POST", "/projects/71/issues/12/notes", recorded("gitlab.note.created"))
    comment = await forge.comment_on_issue(UPSTREAM, 12, "I would like to take this.")
    assert comment.id == "504"
    assert server.requests[0].json == {"body": "I would like to take this."}


async def test_a_comment_of_only_quick_actions_answers_202_without_a_note(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("POST", "/projects/71/issues/12/notes", recorded("gitlab.note.quick_actions_only"))
    comment = await forge.comment_on_issue(UPSTREAM, 12, "/assign @ada")
    assert (comment.id, comment.body, comment.system) == ("", "Assigned @ada.", True)


async def test_assigning_keeps_who_is_assigned_already(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/projects/71/issues/12", recorded("gitlab.issue.taken"))
    server.on("PUT", "/projects/71/issues/12", recorded("gitlab.issue.assigned"))
    issue = await forge.assign_issue(UPSTREAM, 12, ADA)
    assert issue.assignees == ("cleo", "ada")
    assert server.requests[-1].json == {"assignee_ids": [13, 11]}


async def test_assigning_answers_200_and_changes_nothing_for_an_author_without_a_role(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("GET", "/projects/71/issues/12", recorded("gitlab.issue"))
    server.on("PUT", "/projects/71/issues/12", recorded("gitlab.issue"))
    assert (await forge.assign_issue(UPSTREAM, 12, ADA)).assignees == ()


async def test_assigning_without_permission_is_forbidden(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/projects/71/issues/12", recorded("gitlab.issue"))
    server.on("PUT", "/projects/71/issues/12", Reply(403, {"message": "403 Forbidden"}))
    with pytest.raises(ForbiddenError):
        await forge.assign_issue(UPSTREAM, 12, ADA)


async def test_linked_merge_requests_come_from_two_lists_without_doubles(
    server: ForgeServer, forge: GitLabForge
) -> None:
    one = recorded("gitlab.mr").body
    server.on("GET", "/projects/71/issues/12/related_merge_requests", Reply(body=[one]))
    server.on(
        "GET", "/projects/71/issues/12/closed_by", Reply(body=[one, {"iid": 3, "id": 3, "state": "merged"}])
    )
    assert [request.number for request in await forge.linked_merge_requests(UPSTREAM, 12)] == [9, 3]


async def test_labels_keep_their_spelling(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/projects/71/labels", recorded("gitlab.labels"))
    labels = await forge.labels(UPSTREAM)
    assert [(label.name, label.open_issues) for label in labels] == [
        ("good first issue", 2),
        ("contribute::good-first-issue", None),
    ]
    assert server.requests[0].query["include_ancestor_groups"] == "true"


async def test_members_are_active_and_strongest_first(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/projects/71/members/all", recorded("gitlab.members"))
    members = await forge.members(UPSTREAM)
    assert [(m.person.username, m.role, m.person.bot) for m in members] == [
        ("cleo", Role.OWNER, False),
        ("ben", Role.MAINTAINER, False),
        ("project_71_bot_ab12", Role.MAINTAINER, True),
        ("finn", Role.GUEST, False),
        ("gwen", Role.NONE, False),
    ]


async def test_participation_counts_commits_by_week(server: ForgeServer, forge: GitLabForge) -> None:
    def commit(days: float) -> dict[str, str]:
        return {"id": "c0", "committed_date": (NOW - timedelta(days=days)).isoformat()}

    first = Reply(body=[commit(0.1), commit(6.9)], headers={"X-Next-Page": "2"})
    second = Reply(body=[commit(7.1), commit(363.9), commit(400)], headers={"X-Next-Page": ""})
    server.on("GET", "/projects/71/repository/commits", first)
    server.on("GET", "/projects/71/repository/commits", second, query={"page": "2"})
    weeks = await forge.participation(UPSTREAM)
    assert len(weeks) == 52
    assert (weeks[51], weeks[50], weeks[0], sum(weeks)) == (2, 1, 1, 4)
    assert server.requests[0].query["since"] == "2025-03-11T12:00:00Z"


async def test_an_empty_repository_has_neither_participation_nor_contributors(
    server: ForgeServer, forge: GitLabForge
) -> None:
    for path in ("commits", "contributors"):
        server.on(
            "GET", f"/projects/71/repository/{path}", Reply(404, {"message": "404 Repository Not Found"})
        )
    assert await forge.participation(UPSTREAM) == ()
    assert await forge.contributors(UPSTREAM) == []


# Forking


async def test_my_fork_is_found_whatever_its_name(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/projects/71/forks", recorded("gitlab.forks"))
    fork = await forge.my_fork(UPSTREAM, ADA)
    assert fork is not None
    assert (fork.id, fork.path, fork.forked_from, fork.forked_from_id) == (
        "205",
        "ada/retry-kit",
        "platform/tools/retry-kit",
        "71",
    )
    assert server.requests[0].query["owned"] == "true"


async def test_the_personal_fork_with_the_projects_name_comes_first(
    server: ForgeServer, forge: GitLabForge
) -> None:
    row = msgspec.json.decode(msgspec.json.encode(recorded("gitlab.forks").body))[0]

    def named(number: int, path: str) -> dict[str, object]:
        owner, _, name = path.partition("/")
        namespace = {**row["namespace"], "full_path": owner, "path": owner}
        return {**row, "id": number, "path_with_namespace": path, "path": name, "namespace": namespace}

    newest_first = ["team/retry-kit", "ada/kit-again", "ada/retry-kit", "team/kit"]
    rows = [named(300 + number, path) for number, path in enumerate(newest_first)]
    server.on("GET", "/projects/71/forks", Reply(body=rows))
    forks = [fork.path for fork in await forge.my_forks(UPSTREAM, ADA)]
    assert forks == ["ada/retry-kit", "ada/kit-again", "team/retry-kit", "team/kit"]
    chosen = await forge.my_fork(UPSTREAM, ADA)
    assert chosen is not None
    assert chosen.path == "ada/retry-kit"


async def test_a_fork_waiting_for_its_deletion_is_no_fork(server: ForgeServer, forge: GitLabForge) -> None:
    rows = msgspec.json.decode(msgspec.json.encode(recorded("gitlab.forks").body))
    rows[0]["marked_for_deletion_on"] = "2026-03-12"
    server.on("GET", "/projects/71/forks", Reply(body=rows))
    assert await forge.my_fork(UPSTREAM, ADA) is None


async def test_fork_is_made_by_number(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/user", recorded("gitlab.user"))
    server.on("GET", "/projects/71/forks", Reply(body=[]))
    server.on("POST", "/projects/71/fork", recorded("gitlab.fork.scheduled"))
    fork = await forge.fork(UPSTREAM, target=ForkTarget(id="911", path="ada", personal=True), name="kit")
    assert fork.id == "205"
    assert server.asked("POST", "/projects/71/fork")[0].json == {
        "namespace_id": 911,
        "name": "kit",
        "path": "kit",
    }


async def test_an_existing_fork_is_returned_without_a_post(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/user", recorded("gitlab.user"))
    server.on("GET", "/projects/71/forks", recorded("gitlab.forks"))
    assert (await forge.fork(UPSTREAM)).id == "205"
    assert not server.asked("POST", "/projects/71/fork")


async def drop(_: Seen, writer: object) -> None:
    """Take the request and say nothing: the server did it, and the answer got lost."""


@pytest.mark.parametrize(
    "answer",
    [
        recorded("gitlab.fork.conflict"),
        Reply(404, {"message": "404 Not Found"}),
        Reply(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}),
        drop,
    ],
    ids=["409", "404", "502", "no answer"],
)
async def test_a_fork_that_turns_out_to_exist_is_adopted_and_posted_once(
    server: ForgeServer, forge: GitLabForge, answer: Reply
) -> None:
    server.on("GET", "/user", recorded("gitlab.user"))
    server.on("GET", "/projects/71/forks", Reply(body=[]), recorded("gitlab.forks"))
    server.on("POST", "/projects/71/fork", answer)
    assert (await forge.fork(UPSTREAM)).path == "ada/retry-kit"
    assert len(server.asked("POST", "/projects/71/fork")) == 1


async def test_a_project_that_is_no_fork_but_has_the_name_asks_for_another_name(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("GET", "/user", recorded("gitlab.user"))
    server.on("GET", "/projects/71/forks", Reply(body=[]))
    server.on("POST", "/projects/71/fork", recorded("gitlab.fork.conflict"))
    with pytest.raises(ConflictError) as caught:
        await forge.fork(UPSTREAM)
    assert "Path has already been taken" in caught.value.detail
    assert "another one" in caught.value.hint


@pytest.mark.parametrize("words", ["404 Not Found", "404 Target Namespace Not Found"])
async def test_a_fork_refused_with_404_is_a_matter_of_permission(
    server: ForgeServer, forge: GitLabForge, words: str
) -> None:
    server.on("GET", "/user", recorded("gitlab.user"))
    server.on("GET", "/projects/71/forks", Reply(body=[]))
    server.on("POST", "/projects/71/fork", Reply(404, {"message": words}))
    with pytest.raises(ForbiddenError) as caught:
        await forge.fork(UPSTREAM)
    assert caught.value.detail == words


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("gitlab.fork.scheduled", ForkState.IMPORTING),
        ("gitlab.fork.started", ForkState.IMPORTING),
        ("gitlab.fork.finished", ForkState.READY),
        ("gitlab.fork.failed", ForkState.FAILED),
    ],
)
async def test_fork_status_goes_by_import_status_not_by_empty_repo(
    server: ForgeServer, forge: GitLabForge, answer: str, state: ForkState
) -> None:
    server.on("GET", "/projects/205", recorded(answer))
    status = await forge.fork_status(FORK)
    assert status.state is state
    if state is ForkState.FAILED:
        assert "deadline exceeded" in status.detail


@pytest.mark.parametrize(("upstream_empty", "state"), [(True, ForkState.READY), (False, ForkState.IMPORTING)])
async def test_the_fork_of_an_empty_project_is_ready_though_empty(
    server: ForgeServer, forge: GitLabForge, upstream_empty: bool, state: ForkState
) -> None:
    fork = {
        "id": 205,
        "path_with_namespace": "ada/retry-kit",
        "import_status": "finished",
        "empty_repo": True,
    }
    server.on("GET", "/projects/205", Reply(body=fork))
    server.on(
        "GET",
        "/projects/71",
        Reply(body={"id": 71, "path_with_namespace": "a/b", "empty_repo": upstream_empty}),
    )
    assert (await forge.fork_status(FORK)).state is state


async def test_fork_targets_are_the_personal_namespace_and_groups_where_the_role_is_enough(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("GET", "/user", recorded("gitlab.user"))
    server.on("GET", "/groups", recorded("gitlab.groups"), query={"min_access_level": "30"})
    server.on("GET", "/groups", recorded("gitlab.groups.maintained"), query={"min_access_level": "40"})
    targets = await forge.fork_targets(UPSTREAM)
    assert [(target.path, target.id, target.personal) for target in targets] == [
        ("ada", "911", True),
        ("web", "33", False),
        ("lab", "35", False),
    ]


async def test_a_bot_has_no_personal_namespace_to_fork_into(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/user", Reply(body={"id": 90, "username": "group_5_bot", "bot": True}))
    server.on("GET", "/groups", Reply(body=[]))
    assert await forge.fork_targets(UPSTREAM) == []


def graphql(server: ForgeServer, *answers: Reply) -> None:
    server.prefix = "/gitlab"
    server.on("POST", "/api/graphql", *answers)


def language_answer(seen: Seen, *, at_once: int) -> Reply:
    """Answer as a GitLab whose time suffices for some projects in one question."""
    ids = seen.json["variables"]["ids"]
    nodes = [
        {"id": each, "languages": [{"name": "Go", "share": 90.0}] if number < at_once else None}
        for number, each in enumerate(ids)
    ]
    answer: dict[str, object] = {"data": {"projects": {"nodes": nodes}}}
    if len(ids) > at_once:
        answer["errors"] = [{"message": "Timeout on Project.languages", "path": ["projects"]}]
    return Reply(body=answer)


async def test_languages_that_came_too_late_are_asked_for_in_halves(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.prefix = "/gitlab"
    server.on("POST", "/api/graphql", lambda seen: language_answer(seen, at_once=30))
    ids = [str(number) for number in range(100)]
    assert await forge.languages_of(ids) == dict.fromkeys(ids, ("Go",))
    assert len(server.requests) == 7


async def test_languages_that_always_come_too_late_are_not_taken_for_none(
    server: ForgeServer, forge: GitLabForge
) -> None:
    late = [{"message": "Timeout on Query.projects"}]
    graphql(server, Reply(body={"data": {"projects": None}, "errors": late}))
    with pytest.raises(UnavailableError, match="takes too long"):
        await forge.languages_of(["1", "2"])


async def test_divergence_in_one_call(server: ForgeServer, forge: GitLabForge) -> None:
    graphql(server, recorded("gitlab.graphql.fork_details"))
    stand = await forge.divergence(FORK, UPSTREAM, "main")
    assert stand is not None
    assert (stand.ahead, stand.behind, stand.conflicts) == (1, 4, False)
    assert server.requests[0].json["variables"] == {"path": "ada/retry-kit", "ref": "main"}


async def test_divergence_is_compared_where_graphql_does_not_know_it(
    server: ForgeServer, forge: GitLabForge
) -> None:
    graphql(server, Reply(body={"errors": [{"message": "Field 'forkDetails' doesn't exist"}], "data": None}))
    server.prefix = API
    ahead = {"commits": [{"id": "a"}]}
    behind = {"commits": [{"id": "b"}, {"id": "c"}]}
    server.on("GET", "/projects/205/repository/compare", Reply(body=ahead), query={"from_project_id": "71"})
    server.on("GET", "/projects/71/repository/compare", Reply(body=behind), query={"from_project_id": "205"})
    stand = await forge.divergence(FORK, UPSTREAM, "main")
    assert stand is not None
    assert (stand.ahead, stand.behind, stand.conflicts) == (1, 2, None)


async def test_sync_fork(server: ForgeServer, forge: GitLabForge) -> None:
    graphql(server, recorded("gitlab.graphql.synced"))
    await forge.sync_fork(FORK, "main")
    assert server.requests[0].json["variables"] == {"path": "ada/retry-kit", "branch": "main"}


async def test_sync_fork_answers_200_with_the_conflict_inside(
    server: ForgeServer, forge: GitLabForge
) -> None:
    graphql(server, recorded("gitlab.graphql.sync_conflict"))
    with pytest.raises(ConflictError) as caught:
        await forge.sync_fork(FORK, "main")
    assert "merge conflict" in caught.value.detail


async def test_sync_fork_waits_until_it_is_done(server: ForgeServer, forge: GitLabForge) -> None:
    busy = {"ahead": 0, "behind": 4, "isSyncing": True, "hasConflicts": False}
    graphql(
        server,
        Reply(body={"data": {"projectSyncFork": {"details": busy, "errors": []}}}),
        Reply(body={"data": {"project": {"forkDetails": busy}}}),
        recorded("gitlab.graphql.fork_details"),
    )
    await forge.sync_fork(FORK, "main")
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "answer",
    [
        Reply(body={"errors": [{"message": "Field 'projectSyncFork' doesn't exist on type 'Mutation'"}]}),
        Reply(404, {"error": "404 Not Found"}),
    ],
)
async def test_sync_fork_on_an_older_gitlab_says_what_to_do_instead(
    server: ForgeServer, forge: GitLabForge, answer: Reply
) -> None:
    graphql(server, answer)
    with pytest.raises(InvalidError) as caught:
        await forge.sync_fork(FORK, "main")
    assert "In your clone" in caught.value.hint


async def test_sync_fork_too_often_is_a_rate_limit(server: ForgeServer, forge: GitLabForge) -> None:
    words = "This service has been called too many times."
    graphql(server, Reply(body={"data": {"projectSyncFork": {"details": None, "errors": [words]}}}))
    with pytest.raises(RateLimitedError):
        await forge.sync_fork(FORK, "main")


async def test_branch(server: ForgeServer, forge: GitLabForge) -> None:
    body = {"name": "fix/a b", "commit": {"id": "abc"}, "protected": False, "can_push": True}
    server.on("GET", "/projects/205/repository/branches/fix%2Fa%20b", Reply(body=body))
    branch = await forge.branch(FORK, "fix/a b")
    assert branch is not None
    assert (branch.name, branch.sha, branch.can_push) == ("fix/a b", "abc", True)
    server.on("GET", "/projects/205/repository/branches/no", Reply(404, {"message": "404 Branch Not Found"}))
    assert await forge.branch(FORK, "no") is None


# Merge requests


def new(**changes: object) -> NewMergeRequest:
    request = NewMergeRequest(
        source=FORK,
        target=UPSTREAM,
        source_branch="12-explain",
        target_branch="main",
        title="Explain the back-off",
        description="Closes #12",
    )
    return msgspec.structs.replace(request, **changes)


async def test_a_merge_request_is_opened_on_the_source_project(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("POST", "/projects/205/merge_requests", recorded("gitlab.mr.created"))
    request = await forge.open_merge_request(new(draft=True))
    assert server.requests[0].json == {
        "source_branch": "12-explain",
        "target_branch": "main",
        "target_project_id": 71,
        "title": "Draft: Explain the back-off",
        "description": "Closes #12",
        "allow_collaboration": True,
    }
    assert (request.number, request.project, request.draft) == (9, "platform/tools/retry-kit", True)
    assert (request.sha, request.blocked_by) == (None, None), "both are unknown while GitLab prepares"


@pytest.mark.parametrize("title", ["Draft: x", "[draft] x", "(Draft) x", "WIP: x"])
async def test_a_title_that_is_a_draft_already_is_left_alone(
    server: ForgeServer, forge: GitLabForge, title: str
) -> None:
    server.on("POST", "/projects/205/merge_requests", recorded("gitlab.mr.created"))
    await forge.open_merge_request(new(draft=True, title=title))
    assert server.requests[0].json["title"] == title


async def test_a_second_merge_request_of_a_branch_is_a_conflict_that_names_the_first(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("POST", "/projects/205/merge_requests", recorded("gitlab.mr.conflict"))
    with pytest.raises(ConflictError) as caught:
        await forge.open_merge_request(new())
    assert caught.value.detail.endswith("!9")


async def test_a_merge_request_whose_answer_got_lost_is_not_posted_again(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("POST", "/projects/205/merge_requests", drop)
    with pytest.raises(UnavailableError):
        await forge.open_merge_request(new())
    assert len(server.requests) == 1


async def test_find_merge_request_takes_the_open_one_of_this_fork(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("GET", "/projects/71/merge_requests", recorded("gitlab.mrs"))
    request = await forge.find_merge_request(UPSTREAM, source=FORK, source_branch="12-explain")
    assert request is not None
    assert (request.number, request.state) == (7, MergeRequestState.OPEN)
    assert await forge.find_merge_request(UPSTREAM, source=FORK, source_branch="other") is None


async def test_find_merge_request_also_finds_the_one_of_a_deleted_fork_by_its_author(
    server: ForgeServer, forge: GitLabForge
) -> None:
    rows = recorded("gitlab.mrs").body
    assert isinstance(rows, list)
    server.on("GET", "/projects/71/merge_requests", Reply(body=rows[-1:]), query={"scope": "created_by_me"})
    request = await forge.find_merge_request(UPSTREAM, source=None, source_branch="12-explain")
    assert request is not None
    assert (request.state, request.source_project) == (MergeRequestState.MERGED, None)


async def test_merge_request(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/projects/71/merge_requests/9", recorded("gitlab.mr"))
    request = await forge.merge_request(UPSTREAM, 9)
    assert (request.blocked_by, request.source_project) == ("discussions_not_resolved", "205")


async def test_my_merge_requests_know_their_projects(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/merge_requests", recorded("gitlab.mrs"), query={"scope": "created_by_me"})
    requests = await forge.my_merge_requests()
    assert {request.project for request in requests} == {"platform/tools/retry-kit"}


async def test_the_pipeline_of_a_forks_merge_request_runs_in_the_fork(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("GET", "/projects/71/merge_requests/9/pipelines", recorded("gitlab.pipelines"))
    server.on("GET", "/projects/205/pipelines/700/jobs", recorded("gitlab.jobs.failed"))
    pipeline = await forge.pipeline(UPSTREAM, REQUEST)
    assert pipeline is not None
    assert (pipeline.id, pipeline.state, pipeline.project_id) == ("700", PipelineState.FAILED, "205")
    assert [(job.name, job.detail) for job in pipeline.jobs] == [
        ("unit: 3.11", "script failure"),
        ("lint", "(allowed to fail)"),
    ]
    assert server.requests[-1].query["scope[]"] == "failed"
    trace = b"x" * 100_000 + b"\nsection_start:1:a\r\x1b[0K\x1b[31mFAILED\x1b[0m 10%\rtest_units\n"
    server.on(
        "GET", "/projects/205/jobs/8101/trace", Reply(body=trace, headers={"Content-Type": "text/plain"})
    )
    log = await forge.job_log(UPSTREAM, pipeline.jobs[0], pipeline, limit=40)
    assert log.endswith("x\ntest_units\n")
    assert len(log) == 40


@pytest.mark.parametrize("answer", [Reply(body=[]), Reply(403, {"message": "403 Forbidden"})])
async def test_without_ci_there_is_no_pipeline(
    server: ForgeServer, forge: GitLabForge, answer: Reply
) -> None:
    server.on("GET", "/projects/71/merge_requests/9/pipelines", answer)
    assert await forge.pipeline(UPSTREAM, REQUEST) is None


async def test_review(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/projects/71/merge_requests/9/approvals", recorded("gitlab.approvals.community"))
    server.on("GET", "/projects/71/merge_requests/9/reviewers", recorded("gitlab.reviewers"))
    review = await forge.review(UPSTREAM, REQUEST)
    assert (review.approved, review.approved_by, review.approvals_required) == (True, ("cleo",), None)
    assert (review.changes_requested_by, review.reviewers) == (("ben",), ("ben", "cleo"))


async def test_approved_by_nobody_is_not_approved(server: ForgeServer, forge: GitLabForge) -> None:
    server.on(
        "GET", "/projects/71/merge_requests/9/approvals", recorded("gitlab.approvals.paid_none_required")
    )
    review = await forge.review(UPSTREAM, REQUEST)
    assert (review.approved, review.approvals_required) == (False, 0)


async def test_discussions_leave_the_forges_own_remarks_out(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/projects/71/merge_requests/9/discussions", recorded("gitlab.discussions"))
    threads = await forge.discussions(UPSTREAM, REQUEST)
    assert [(thread.id, thread.unresolved) for thread in threads] == [
        ("b2", True),
        ("c3", False),
        ("d4", False),
    ]
    assert [comment.id for comment in threads[0].comments] == ["601", "602"]
    assert (threads[0].file, threads[0].line) == ("retry.py", 14)
    server.on("POST", "/projects/71/merge_requests/9/discussions/b2/notes", recorded("gitlab.note.created"))
    server.on("POST", "/projects/71/merge_requests/9/notes", recorded("gitlab.note.created"))
    await forge.reply(UPSTREAM, REQUEST, "Done", discussion=threads[0])
    await forge.reply(UPSTREAM, REQUEST, "Thanks")
    assert [seen.json["body"] for seen in server.requests if seen.method == "POST"] == ["Done", "Thanks"]


async def test_the_default_template_is_found_in_any_case(server: ForgeServer, forge: GitLabForge) -> None:
    base = "/projects/71/templates/merge_requests"
    server.on("GET", base, Reply(body=[{"key": "Bug", "name": "Bug"}, {"key": "default", "name": "default"}]))
    server.on("GET", f"{base}/default", Reply(body={"name": "default", "content": "## What\n"}))
    assert await forge.merge_request_template(UPSTREAM) == "## What\n"
    server.on("GET", base, Reply(body=[{"key": "Bug", "name": "Bug"}]))
    assert await forge.merge_request_template(UPSTREAM) is None


async def test_starring_twice_answers_304_and_is_fine(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("POST", "/projects/71/star", Reply(201, {"id": 71}), Reply(304))
    await forge.star(UPSTREAM)
    await forge.star(UPSTREAM)


async def test_a_write_to_a_moved_project_says_so(server: ForgeServer, forge: GitLabForge) -> None:
    words = "Non GET methods are not allowed for moved projects"
    server.on("POST", "/projects/71/star", Reply(405, {"message": words}))
    with pytest.raises(ForgeError) as caught:
        await forge.star(UPSTREAM)
    assert caught.value.kind == "moved"


async def test_a_login_page_is_never_an_empty_list(server: ForgeServer, forge: GitLabForge) -> None:
    server.on("GET", "/projects/71/issues", html("Sign in · Proxy"))
    with pytest.raises(WrongAnswerError) as caught:
        await forge.issues(UPSTREAM)
    assert "Sign in · Proxy" in caught.value.detail


# Many projects at once


def labelled(numbers: Iterable[int]) -> Reply:
    return Reply(
        body=[
            {"iid": n, "title": f"Issue {n}", "state": "opened", "references": {"full": f"a/p#{n}"}}
            for n in numbers
        ]
    )


async def test_issues_of_all_projects_come_in_the_forges_order_to_their_end_or_the_limit(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("GET", "/issues", labelled([]))
    for page, numbers in enumerate((range(100), range(100, 200), range(200, 230)), 1):
        server.on("GET", "/issues", labelled(numbers), query={"page": str(page)})
    found = await forge.issues_anywhere("good first issue", limit=1_000)
    assert [issue.number for issue in found] == list(range(230))
    assert {issue.project for issue in found} == {"a/p"}
    asked = server.asked("GET", "/issues")
    assert len(asked) <= 3 + 3, "those on their way when the end showed, and no more"
    assert {(one.query["scope"], one.query["labels"]) for one in asked} == {("all", "good first issue")}
    assert len(await forge.issues_anywhere("good first issue", limit=150)) == 150
    assert {one.query["page"] for one in server.asked("GET", "/issues")[len(asked) :]} == {"1", "2"}


async def test_issues_on_pages_that_go_in_circles_are_refused(
    server: ForgeServer, forge: GitLabForge
) -> None:
    server.on("GET", "/issues", labelled(range(100)))
    with pytest.raises(WrongAnswerError, match="does not go on"):
        await forge.issues_anywhere("easy", limit=50_000)
    assert len(server.asked("GET", "/issues")) < 20
