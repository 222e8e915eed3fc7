"""Gitea and Forgejo in their odder moments: each test is named after what these servers do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any, cast

import pytest
from msgspec import structs

from isexplore.errors import (
    ArchivedError,
    AuthError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotVisibleError,
    ScopeError,
    UnavailableError,
)
from isexplore.forge import gitea_reading
from isexplore.forge.base import Capability, ProjectPage
from isexplore.guide.preview import Preview, read_project
from isexplore.models import (
    ForkState,
    MergeRequest,
    MergeRequestState,
    NewMergeRequest,
    PipelineState,
    Project,
    Role,
    Visibility,
)
from tests.support.contract import ALPHA, FIRST_LABEL
from tests.support.contract_gitea import NOW, ROOT_URL, GiteaWorld, Repo, refusal, shape, stamp, user, world
from tests.support.forge import Reply


@pytest.fixture
async def forgejo() -> AsyncIterator[GiteaWorld]:
    async with world() as running:
        yield running


@pytest.fixture
async def old() -> AsyncIterator[GiteaWorld]:
    """Gitea 1.16."""
    async with world(old=True) as running:
        yield running


async def alpha(there: GiteaWorld) -> Project:
    return await there.forge.project(ALPHA)


async def find(there: GiteaWorld, *tags: str, **wanted: Any) -> list[Project]:
    return [project async for page in there.forge.find_projects(tags, **wanted) for project in page.projects]


async def propose(there: GiteaWorld, **told: Any) -> MergeRequest:
    target = await alpha(there)
    source = await there.forge.fork(target)
    await there.push(source, "fix/back-off")
    new = NewMergeRequest(
        source=source, target=target, source_branch="fix/back-off", target_branch="main", title="Explain"
    )
    return await there.forge.open_merge_request(structs.replace(new, **told))


def many(there: GiteaWorld, count: int, topic: str = "innersource") -> None:
    for number in range(count):
        path = f"mass/project-{number:03}"
        there.server.repos[path] = Repo(id=500 + number, path=path, topics=[topic])


# Searching


async def test_a_first_screen_of_a_hundred_projects_costs_two_requests(forgejo: GiteaWorld) -> None:
    many(forgejo, 150)
    began = forgejo.requests
    seen = 0
    async for page in forgejo.forge.find_projects(("innersource", "inner-source")):
        seen += len(page.projects)
        if seen >= 100:
            break

    assert forgejo.requests - began == 2


async def test_a_long_list_is_read_several_pages_at_once_and_each_comes_once(
    forgejo: GiteaWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gitea_reading, "PER_PAGE", 5)
    many(forgejo, 103)
    began = forgejo.requests
    found = [one.path for one in await find(forgejo, "innersource") if one.path.startswith("mass/")]
    assert len(set(found)) == len(found) == 103
    assert forgejo.requests - began <= 105 // 5 + 1


@pytest.mark.parametrize("stop", [1, 7, 20])
async def test_a_list_goes_on_where_it_was_left_also_when_some_were_deleted(
    forgejo: GiteaWorld, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gitea_reading, "PER_PAGE", 5)
    many(forgejo, 103)
    expected = {one.path for one in await find(forgejo, "innersource", "shared")}
    came: set[str] = set()
    cursor = ""
    pages = cast(AsyncGenerator[ProjectPage], forgejo.forge.find_projects(("innersource", "shared")))
    async with aclosing(pages) as listed:
        async for page in listed:
            came |= {project.path for project in page.projects}
            cursor = page.cursor
            if not (stop := stop - 1):
                break
    deleted = {f"mass/project-{number:03}" for number in range(20)}
    for path in deleted:
        del forgejo.server.repos[path]
    began = forgejo.requests
    rest = await find(forgejo, "innersource", "shared", resume=cursor)
    assert came | {project.path for project in rest} == expected - (deleted - came)
    assert forgejo.requests - began <= (103 - len(came)) // 5 + 9


async def first_part(there: GiteaWorld) -> int:
    """Return how many requests a preview costs until README and CONTRIBUTING are there."""
    costs: list[int] = []

    def note(preview: Preview) -> None:
        if not costs and preview.document("README") and preview.document("CONTRIBUTING"):
            costs.append(there.requests)

    await read_project(there.forge, ALPHA, now=NOW, on_part=note)
    return costs[0]


async def test_the_first_part_of_a_preview_by_path_costs_four_requests(forgejo: GiteaWorld) -> None:
    assert await first_part(forgejo) <= 4


async def test_where_topics_have_an_address_of_their_own_a_preview_costs_one_more(old: GiteaWorld) -> None:
    assert await first_part(old) <= 5


async def test_link_has_a_foreign_host_and_only_its_page_is_taken(forgejo: GiteaWorld) -> None:
    many(forgejo, 120)

    found = await find(forgejo, "innersource")

    assert len({project.path for project in found}) == 122
    asked = forgejo.server.asked("GET", "/repos/search")
    assert [seen.query.get("page") for seen in asked] == [None, "2", "3"]
    assert all(seen.query["q"] == "innersource" and seen.query["topic"] == "true" for seen in asked)
    assert all(seen.headers["host"] in forgejo.forge.url for seen in forgejo.server.requests)


async def test_the_total_comes_from_x_total_count(forgejo: GiteaWorld) -> None:
    many(forgejo, 60)
    totals = [page.total async for page in forgejo.forge.find_projects(("innersource",))]

    assert totals == [62, 62]


async def test_each_spelling_is_asked_by_itself_in_lower_case(forgejo: GiteaWorld) -> None:
    await find(forgejo, "InnerSource", "innersource", "inner-source", "inner source", "a,b")

    asked = [seen.query["q"] for seen in forgejo.server.asked("GET", "/repos/search")]
    assert asked == ["innersource", "inner-source"]


async def test_a_tag_that_cannot_be_a_topic_finds_nothing_and_asks_nothing(forgejo: GiteaWorld) -> None:
    assert await find(forgejo, "inner source") == []
    assert forgejo.server.requests == []


async def test_topics_are_missing_in_old_search_results_and_the_question_is_trusted(old: GiteaWorld) -> None:
    [found] = [project for project in await find(old, "InnerSource") if project.path == ALPHA]

    assert found.topics == ("innersource",)


async def test_topics_missing_from_a_repository_are_asked_for_by_themselves(old: GiteaWorld) -> None:
    assert (await alpha(old)).topics == ("innersource", "python")
    assert old.server.paths() == [f"GET /repos/{ALPHA}", f"GET /repos/{ALPHA}/topics"]


async def test_topics_that_are_null_are_none_and_cost_nothing(forgejo: GiteaWorld) -> None:
    forgejo.alpha.topics = []

    assert (await alpha(forgejo)).topics == ()
    assert len(forgejo.server.requests) == 1


async def test_results_without_the_topic_are_dropped(forgejo: GiteaWorld) -> None:
    wire = forgejo.server.wire(forgejo.alpha)
    other = {**wire, "id": 99, "full_name": "tools/inner", "topics": ["innersource-tools"]}
    forgejo.server.overrides["GET /repos/search"] = Reply(200, {"ok": True, "data": [wire, other]})

    assert [project.path for project in await find(forgejo, "innersource")] == [ALPHA]


async def test_a_listing_by_time_ends_where_it_is_old(forgejo: GiteaWorld) -> None:
    many(forgejo, 200)
    found = await find(forgejo, "innersource", changed_after=NOW - timedelta(days=30))

    assert ALPHA in {project.path for project in found}
    asked = forgejo.server.asked("GET", "/repos/search")
    assert [(seen.query["sort"], seen.query["order"]) for seen in asked] == [("updated", "desc")]


async def test_a_group_is_asked_for_by_the_id_of_its_owner(forgejo: GiteaWorld) -> None:
    forgejo.server.overrides["GET /orgs/tools"] = Reply(200, {**user("mara"), "id": 77})

    await find(forgejo, "innersource", groups=("tools",))

    [asked] = forgejo.server.asked("GET", "/repos/search")
    assert (asked.query["uid"], asked.query["exclusive"]) == ("77", "true")


async def test_without_tags_words_are_searched_by_the_server(forgejo: GiteaWorld) -> None:
    assert [project.path for project in await find(forgejo, text="beta")] == ["tools/beta"]
    [asked] = forgejo.server.asked("GET", "/repos/search")
    assert "topic" not in asked.query
    assert asked.query["includeDesc"] == "true"


# Repositories


async def test_root_url_names_another_host_and_addresses_are_put_right(forgejo: GiteaWorld) -> None:
    project = await alpha(forgejo)
    issue = await forgejo.forge.issue(project, 1)

    assert project.clone_url == f"{forgejo.forge.url}/{ALPHA}.git"
    assert project.url == f"{forgejo.forge.url}/{ALPHA}"
    assert issue.url == f"{forgejo.forge.url}/{ALPHA}/issues/1"
    # SSH may have a host of its own, so it stays as the server gave it.
    assert project.ssh_url == f"ssh://git@git.internal:2222/{ALPHA}.git"


async def test_no_clone_url_means_that_git_over_http_is_off(forgejo: GiteaWorld) -> None:
    wire = {**forgejo.server.wire(forgejo.alpha), "clone_url": ""}
    forgejo.server.overrides[f"GET /repos/{ALPHA}"] = Reply(200, wire)

    assert (await alpha(forgejo)).clone_url == ""


@pytest.mark.parametrize(
    ("told", "owner", "seen"),
    [
        ({"private": True}, "public", Visibility.PRIVATE),
        ({"internal": True}, "private", Visibility.INTERNAL),
        ({}, "limited", Visibility.INTERNAL),
        ({}, "public", Visibility.PUBLIC),
    ],
)
async def test_an_owner_that_strangers_cannot_see_makes_a_project_internal(
    forgejo: GiteaWorld, told: dict[str, bool], owner: str, seen: Visibility
) -> None:
    wire = {**forgejo.server.wire(forgejo.alpha), **told}
    wire["owner"]["visibility"] = owner
    forgejo.server.overrides[f"GET /repos/{ALPHA}"] = Reply(200, wire)

    assert (await alpha(forgejo)).visibility is seen


async def test_everybody_may_pull_and_that_is_no_role(forgejo: GiteaWorld) -> None:
    wire = forgejo.server.wire(forgejo.alpha)
    roles = []
    for permissions in ({"pull": True}, {"pull": True, "push": True}, {"push": True, "admin": True}, None):
        forgejo.server.overrides[f"GET /repos/{ALPHA}"] = Reply(200, {**wire, "permissions": permissions})
        roles.append((await alpha(forgejo)).role)

    assert roles == [Role.NONE, Role.DEVELOPER, Role.MAINTAINER, Role.NONE]


@pytest.mark.parametrize("never", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", None])
async def test_zero_dates_are_no_dates(forgejo: GiteaWorld, never: str | None) -> None:
    wire = {**forgejo.server.wire(forgejo.alpha), "updated_at": never, "created_at": never}
    forgejo.server.overrides[f"GET /repos/{ALPHA}"] = Reply(200, wire)
    project = await alpha(forgejo)

    assert (project.last_activity, project.created_at) == (None, None)


async def test_a_path_that_is_not_owner_and_name_exists_nowhere(forgejo: GiteaWorld) -> None:
    for path in ("alpha", "tools/deep/alpha"):
        with pytest.raises(NotVisibleError):
            await forgejo.forge.project(path)
    assert forgejo.server.requests == []


async def test_an_empty_repository_has_no_files_people_or_commits(forgejo: GiteaWorld) -> None:
    forgejo.server.repos["tools/empty"] = Repo(id=20, path="tools/empty")
    empty = await forgejo.forge.project("tools/empty")

    assert empty.empty
    assert await forgejo.forge.folder(empty) == []
    assert await forgejo.forge.file(empty, "README.md") is None
    assert await forgejo.forge.contributors(empty) == []
    assert await forgejo.forge.participation(empty) == ()


async def test_the_top_folder_of_a_hidden_repository_is_not_empty_but_hidden(forgejo: GiteaWorld) -> None:
    project = await alpha(forgejo)
    forgejo.alpha.private = True
    with pytest.raises(NotVisibleError):
        await forgejo.forge.folder(project)


async def test_a_file_in_place_of_a_folder_has_no_entries(forgejo: GiteaWorld) -> None:
    forgejo.server.overrides[f"GET /repos/{ALPHA}/contents/README.md"] = Reply(200, shape("entry"))

    assert await forgejo.forge.folder(await alpha(forgejo), "README.md") == []


async def test_the_names_of_files_keep_their_case(forgejo: GiteaWorld) -> None:
    project = await alpha(forgejo)

    assert await forgejo.forge.file(project, "readme.md") is None
    assert await forgejo.forge.file(project, "README.md") is not None


async def test_languages_that_were_not_counted_are_empty(forgejo: GiteaWorld) -> None:
    forgejo.server.overrides[f"GET /repos/{ALPHA}/languages"] = Reply(200, {})

    assert await forgejo.forge.languages(await alpha(forgejo)) == {}


# Signing in


async def test_the_token_goes_into_the_authorization_header(forgejo: GiteaWorld) -> None:
    await forgejo.forge.whoami()

    assert forgejo.server.requests[0].headers["authorization"] == "token token-of-nia"
    assert forgejo.forge.git_login.username == "nia"


async def test_a_missing_scope_is_named_in_both_ways_of_saying_it(forgejo: GiteaWorld) -> None:
    for words in (
        "token does not have at least one of required scope(s), required=[read:user], token scope=",
        "token does not have at least one of required scope(s): [read:user]",
    ):
        forgejo.server.overrides["GET /user"] = refusal(403, words)
        with pytest.raises(ScopeError) as refused:
            await forgejo.forge.whoami()
        assert refused.value.missing == ("read:user",)


async def test_a_server_for_members_only_tells_strangers_to_sign_in(forgejo: GiteaWorld) -> None:
    from isexplore.forge.gitea import GiteaForge
    from isexplore.forge.http import ForgeClient

    forgejo.server.overrides["GET /version"] = refusal(403, "Only signed in user is allowed to call APIs.")
    async with ForgeClient(name="work", base_url=f"{forgejo.server.url}/api/v1") as client:
        with pytest.raises(AuthError) as refused:
            await GiteaForge(name="work", url=forgejo.server.url, client=client).server()

    assert "isexplore login" in refused.value.hint


@pytest.mark.parametrize(
    ("said", "name", "version"),
    [
        ("11.0.3+gitea-1.22.0", "Forgejo", "11.0.3"),
        ("1.24.3", "Gitea", "1.24.3"),
        ("1.16.0+dev-1-gabcdef", "Gitea", "1.16.0+dev-1-gabcdef"),
    ],
)
async def test_the_version_tells_which_of_the_two_it_is(
    forgejo: GiteaWorld, said: str, name: str, version: str
) -> None:
    forgejo.server.overrides["GET /version"] = Reply(200, {"version": said})
    server = await forgejo.forge.server()

    assert (server.name, server.version) == (name, version)


async def test_only_the_newest_servers_tell_of_the_token(forgejo: GiteaWorld) -> None:
    assert (await forgejo.forge.token_facts()).scopes is None
    assert Capability.TOKEN_FACTS not in forgejo.forge.capabilities

    told = {"id": 1, "name": "isexplore", "scopes": ["read:user", "write:repository"]}
    forgejo.server.overrides["GET /token"] = Reply(200, told)
    facts = await forgejo.forge.token_facts()
    assert (facts.name, facts.scopes) == ("isexplore", ("read:user", "write:repository"))


# Issues


async def test_an_unknown_label_drops_the_filter_and_finds_nothing_all_the_same(forgejo: GiteaWorld) -> None:
    project = await alpha(forgejo)

    assert await forgejo.forge.issues(project, labels=("newcomers",)) == []
    assert [issue.number for issue in await forgejo.forge.issues(project, labels=("newcomers", "bug"))] == [2]


async def test_labels_of_the_organisation_are_looked_for_among_all_issues(forgejo: GiteaWorld) -> None:
    shared = {"id": 9, "name": "starter", "color": "fbca04", "description": "From the organisation"}
    forgejo.server.overrides["GET /orgs/tools/labels"] = Reply(200, [shared])
    forgejo.alpha.issues[1]["labels"] = [shared]
    project = await alpha(forgejo)

    assert "starter" in {label.name for label in await forgejo.forge.labels(project)}
    assert [issue.number for issue in await forgejo.forge.issues(project, labels=("starter",))] == [1]


async def test_a_label_with_a_comma_cannot_be_a_filter(forgejo: GiteaWorld) -> None:
    forgejo.alpha.labels.append("easy, small")
    forgejo.alpha.issues[1]["labels"].append({"id": 8, "name": "easy, small"})
    found = await forgejo.forge.issues(await alpha(forgejo), labels=("easy, small",))

    assert [issue.number for issue in found] == [1]
    assert all("labels" not in seen.query for seen in forgejo.server.asked("GET", f"/repos/{ALPHA}/issues"))


async def test_pull_requests_among_issues_are_left_out_also_where_the_filter_is_not_known(
    forgejo: GiteaWorld,
) -> None:
    mixed = [forgejo.server.as_issue(forgejo.alpha, forgejo.alpha.pulls[4]), forgejo.alpha.issues[1]]
    forgejo.server.overrides[f"GET /repos/{ALPHA}/issues"] = Reply(200, mixed)

    assert [issue.number for issue in await forgejo.forge.issues(await alpha(forgejo))] == [1]


async def test_the_number_of_a_pull_request_is_no_issue(forgejo: GiteaWorld) -> None:
    with pytest.raises(NotVisibleError) as refused:
        await forgejo.forge.issue(await alpha(forgejo), 4)

    assert "pull request" in refused.value.title


async def test_lists_that_are_null_are_empty(forgejo: GiteaWorld) -> None:
    project = await alpha(forgejo)
    issue = {**forgejo.alpha.issues[1], "assignees": None, "assignee": None, "labels": None}
    forgejo.server.overrides[f"GET /repos/{ALPHA}/issues"] = Reply(200, [issue])
    forgejo.server.overrides[f"GET /repos/{ALPHA}/issues/1/comments"] = Reply(200, None)

    [found] = await forgejo.forge.issues(project)
    assert (found.labels, found.assignees) == ((), ())
    assert await forgejo.forge.comments(project, 1) == []
    forgejo.server.overrides[f"GET /repos/{ALPHA}/issues"] = Reply(200, None)
    assert await forgejo.forge.issues(project) == []


async def test_201_on_patch_that_assigned_nobody_is_seen_in_the_issue(forgejo: GiteaWorld) -> None:
    project, me = await alpha(forgejo), await forgejo.forge.whoami()

    issue = await forgejo.forge.assign_issue(project, 2, me)

    [patch] = forgejo.server.asked("PATCH", f"/repos/{ALPHA}/issues/2")
    assert patch.json == {"assignees": ["ravi", "nia"]}
    assert issue.assignees == ("ravi",)


async def test_403_with_an_empty_body_is_forbidden_in_words(forgejo: GiteaWorld) -> None:
    me = await forgejo.forge.whoami()
    with pytest.raises(ForbiddenError) as refused:
        await forgejo.forge.assign_issue(await alpha(forgejo), 1, me)

    assert refused.value.detail


async def test_500_for_an_unknown_assignee_is_an_invalid_request(forgejo: GiteaWorld) -> None:
    me = structs.replace(await forgejo.forge.whoami(), username="nobody")
    with pytest.raises(InvalidError) as refused:
        await forgejo.forge.assign_issue(await alpha(forgejo), 2, me)

    assert "nobody" in refused.value.title


async def test_a_locked_issue_takes_no_comment(forgejo: GiteaWorld) -> None:
    forgejo.server.overrides[f"POST /repos/{ALPHA}/issues/1/comments"] = refusal(403, "Issue is locked")
    with pytest.raises(ForbiddenError):
        await forgejo.forge.comment_on_issue(await alpha(forgejo), 1, "Hello")


async def test_423_means_archived(forgejo: GiteaWorld) -> None:
    forgejo.server.overrides[f"POST /repos/{ALPHA}/issues/1/comments"] = refusal(423, "Repo is archived")
    with pytest.raises(ArchivedError):
        await forgejo.forge.comment_on_issue(await alpha(forgejo), 1, "Hello")


async def test_a_server_without_a_timeline_knows_no_linked_requests(forgejo: GiteaWorld) -> None:
    forgejo.server.overrides[f"GET /repos/{ALPHA}/issues/1/timeline"] = refusal(404)

    assert await forgejo.forge.linked_merge_requests(await alpha(forgejo), 1) == []


async def test_the_timeline_counts_only_its_page_so_all_pages_are_read(forgejo: GiteaWorld) -> None:
    event = {"id": 1, "type": "label"}
    reference = {
        "type": "pull_ref",
        "ref_issue": forgejo.server.as_issue(forgejo.alpha, forgejo.alpha.pulls[4]),
    }
    pages: list[list[object]] = [[event] * 50, [event, reference]]
    answers = [Reply(200, page, {"X-Total-Count": str(len(page))}) for page in pages]
    path = f"GET /repos/{ALPHA}/issues/1/timeline"
    project = await alpha(forgejo)
    original = forgejo.server._answer

    def answer(seen: Any) -> Any:
        if f"{seen.method} {seen.path.removeprefix('/api/v1')}" == path:
            return answers[int(seen.query["page"]) - 1]
        return original(seen)

    forgejo.server._answer = answer  # type: ignore[method-assign]

    assert [one.number for one in await forgejo.forge.linked_merge_requests(project, 1)] == [4]


# People


async def test_405_for_teams_means_that_a_person_owns_it(forgejo: GiteaWorld) -> None:
    forgejo.server.overrides[f"GET /repos/{ALPHA}/teams"] = Reply(405, shape("teams_of_a_person"))
    members = await forgejo.forge.members(await alpha(forgejo))

    assert (members[0].person.username, members[0].role) == ("tools", Role.OWNER)
    assert {member.person.username for member in members[1:]} == {"mara", "ravi"}


async def test_teams_tell_who_is_stronger(forgejo: GiteaWorld) -> None:
    teams = [
        {"id": 1, "permission": "owner"},
        {"id": 2, "permission": "write"},
        {"id": 3, "permission": "none"},
    ]
    forgejo.server.overrides[f"GET /repos/{ALPHA}/teams"] = Reply(200, teams)
    forgejo.server.overrides["GET /teams/1/members"] = Reply(200, [user("mara")])
    forgejo.server.overrides["GET /teams/2/members"] = refusal(403, "Must be a team member")
    members = await forgejo.forge.members(await alpha(forgejo))

    assert [(one.person.username, one.role) for one in members] == [
        ("mara", Role.OWNER),
        ("ravi", Role.DEVELOPER),
    ]


async def test_members_that_are_hidden_leave_an_empty_list(forgejo: GiteaWorld) -> None:
    for what in ("collaborators", "assignees"):
        forgejo.server.overrides[f"GET /repos/{ALPHA}/{what}"] = refusal(403, "Forbidden")

    assert await forgejo.forge.members(await alpha(forgejo)) == []


async def test_the_busiest_of_the_latest_commits_come_first(forgejo: GiteaWorld) -> None:
    forgejo.alpha.branches["main"] += [forgejo.server.new_commit("ravi", 1) for _ in range(120)]
    people = await forgejo.forge.contributors(await alpha(forgejo), limit=1)

    assert [person.username for person in people] == ["ravi"]


async def test_a_busy_year_tells_nothing_and_an_old_commit_ends_the_reading(forgejo: GiteaWorld) -> None:
    project = await alpha(forgejo)
    forgejo.alpha.branches["main"] = [
        *(forgejo.server.new_commit("mara", 900) for _ in range(200)),
        *(forgejo.server.new_commit("mara", 10) for _ in range(30)),
    ]
    began = forgejo.requests
    weeks = await forgejo.forge.participation(project)
    assert (sum(weeks), forgejo.requests - began) == (30, 1)

    forgejo.alpha.branches["main"] = [forgejo.server.new_commit("mara", 10) for _ in range(700)]
    assert await forgejo.forge.participation(project) == ()


# Forks


async def test_a_fork_is_ready_when_202_is_answered(forgejo: GiteaWorld) -> None:
    fork = await forgejo.forge.fork(await alpha(forgejo))

    assert (await forgejo.forge.fork_status(fork)).state is ForkState.READY


async def test_a_fork_of_another_name_is_found_in_the_list_of_forks(forgejo: GiteaWorld) -> None:
    project, me = await alpha(forgejo), await forgejo.forge.whoami()
    made = await forgejo.forge.fork(project, name="my-alpha")
    found = await forgejo.forge.my_fork(project, me)

    assert made.path == "nia/my-alpha"
    assert found is not None
    assert found.id == made.id


async def test_a_project_of_the_same_name_is_no_fork_of_it(forgejo: GiteaWorld) -> None:
    forgejo.server.repos["nia/alpha"] = Repo(id=30, path="nia/alpha")
    project, me = await alpha(forgejo), await forgejo.forge.whoami()

    assert await forgejo.forge.my_fork(project, me) is None
    with pytest.raises(ConflictError) as refused:
        await forgejo.forge.fork(project)
    assert "name" in refused.value.title


async def test_a_renamed_fork_that_leads_elsewhere_is_found_in_the_list(forgejo: GiteaWorld) -> None:
    project, me = await alpha(forgejo), await forgejo.forge.whoami()
    made = await forgejo.forge.fork(project, name="renamed")
    elsewhere = {"Location": f"{ROOT_URL}/api/v1/repos/nia/renamed"}
    forgejo.server.overrides["GET /repos/nia/alpha"] = Reply(301, b"", elsewhere)
    found = await forgejo.forge.my_fork(project, me)

    assert found is not None
    assert found.id == made.id


async def test_409_names_the_fork_that_exists(forgejo: GiteaWorld) -> None:
    project = await alpha(forgejo)
    made = await forgejo.forge.fork(project, name="elsewhere")
    # The list of forks is cut by a server that hides the account's own.
    forgejo.server.overrides[f"GET /repos/{ALPHA}/forks"] = Reply(200, [])

    assert (await forgejo.forge.fork(project)).id == made.id


async def test_500_without_words_on_an_existing_fork_is_looked_into(old: GiteaWorld) -> None:
    project = await alpha(old)
    answers = [Reply(404, shape("repo_missing"))]
    made = await old.forge.fork(project)
    original = old.server._answer

    def answer(seen: Any) -> Any:
        # Somebody else makes the fork between the look and the request.
        if seen.path.endswith("/repos/nia/alpha") and answers:
            return answers.pop()
        if seen.path.endswith("/forks") and seen.method == "GET":
            return Reply(200, [])
        return original(seen)

    old.server._answer = answer  # type: ignore[method-assign]

    assert (await old.forge.fork(project)).id == made.id
    assert len(old.server.asked("POST", f"/repos/{ALPHA}/forks")) == 2


async def test_500_without_a_fork_stays_an_error(old: GiteaWorld) -> None:
    old.server.repos["nia/alpha"] = Repo(id=30, path="nia/alpha")
    with pytest.raises(UnavailableError):
        await old.forge.fork(await alpha(old))


async def test_a_fork_may_take_longer_than_any_other_request(forgejo: GiteaWorld) -> None:
    import asyncio

    project = await alpha(forgejo)
    made = forgejo.server.wire(Repo(id=40, path="nia/alpha", parent=forgejo.alpha))

    async def slow(seen: Any, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.4)
        writer.write(Reply(202, made, {"Connection": "close"}).wire("POST"))
        await writer.drain()

    original = forgejo.server._answer
    forgejo.server._answer = (  # type: ignore[method-assign]
        lambda seen: slow if seen.method == "POST" else original(seen)
    )
    forgejo.forge._client.timeout = 0.2

    assert (await forgejo.forge.fork(project)).path == "nia/alpha"


async def test_a_repository_without_branches_is_still_being_copied(forgejo: GiteaWorld) -> None:
    fork = await forgejo.forge.fork(await alpha(forgejo))
    path = "GET /repos/nia/alpha/branches"
    for reply in (
        Reply(200, []),
        Reply(200, None),
        refusal(409, "Git Repository is empty."),
        refusal(500, ""),
    ):
        forgejo.server.overrides[path] = reply
        assert (await forgejo.forge.fork_status(fork)).state is ForkState.IMPORTING
    del forgejo.server.overrides[path]
    forgejo.server.repos["nia/alpha"].archived = True
    assert (await forgejo.forge.fork_status(fork)).state is ForkState.FAILED


async def test_organisations_are_asked_whether_they_take_repositories(forgejo: GiteaWorld) -> None:
    orgs = [{"id": number, "username": name} for number, name in ((5, "tools"), (6, "lab"), (7, "closed"))]
    forgejo.server.overrides["GET /user/orgs"] = Reply(200, orgs)
    for name, may in (("lab", True), ("closed", False)):
        answer = Reply(200, {"can_create_repository": may})
        forgejo.server.overrides[f"GET /users/nia/orgs/{name}/permissions"] = answer
    targets = await forgejo.forge.fork_targets(await alpha(forgejo))

    assert [(target.path, target.personal) for target in targets] == [("nia", True), ("lab", False)]


async def test_a_token_without_organisations_leaves_the_personal_namespace(forgejo: GiteaWorld) -> None:
    words = "token does not have at least one of required scope(s), required=[read:organization]"
    forgejo.server.overrides["GET /user/orgs"] = refusal(403, words)

    assert [target.path for target in await forgejo.forge.fork_targets(await alpha(forgejo))] == ["nia"]


async def test_compare_is_404_on_old_servers_so_the_distance_is_not_known(old: GiteaWorld) -> None:
    project = await alpha(old)
    fork = await old.forge.fork(project)

    assert await old.forge.divergence(fork, project, "main") is None


async def test_a_fork_with_commits_of_its_own_is_not_merged_into(forgejo: GiteaWorld) -> None:
    fork = await forgejo.forge.fork(await alpha(forgejo))
    forgejo.server.repos[fork.path].branches["main"].append(forgejo.server.new_commit("nia"))
    await forgejo.move_on()
    with pytest.raises(ConflictError):
        await forgejo.forge.sync_fork(fork, "main")

    assert not [seen for seen in forgejo.server.requests if seen.path.endswith("merge-upstream")]


async def test_gitea_syncs_by_merge_upstream_held_to_a_fast_forward(old: GiteaWorld) -> None:
    fork = await old.forge.fork(await alpha(old))
    path = "/repos/nia/alpha/merge-upstream"
    old.server.overrides[f"POST {path}"] = Reply(200, {"merge_type": "fast-forward"})
    await old.forge.sync_fork(fork, "main")

    [asked] = old.server.asked("POST", path)
    assert asked.json == {"branch": "main", "ff_only": True}
    old.server.overrides[f"POST {path}"] = refusal(400, "fast forward only merge is not possible")
    with pytest.raises(ConflictError):
        await old.forge.sync_fork(fork, "main")


# Pull requests


async def test_a_draft_has_a_title_that_says_so(forgejo: GiteaWorld) -> None:
    made = await propose(forgejo, draft=True)

    assert (made.title, made.draft) == ("WIP: Explain", True)
    assert (await forgejo.forge.my_merge_requests())[0].draft


@pytest.mark.parametrize("title", ["WIP: Explain", "[WIP] Explain", "wip:Explain"])
async def test_a_title_that_says_draft_is_not_made_one_twice(forgejo: GiteaWorld, title: str) -> None:
    assert (await propose(forgejo, draft=True, title=title)).title == title


async def test_the_head_names_the_owner_of_the_fork(forgejo: GiteaWorld) -> None:
    await propose(forgejo)
    [asked] = forgejo.server.asked("POST", f"/repos/{ALPHA}/pulls")

    assert (asked.json["head"], asked.json["base"]) == ("nia:fix/back-off", "main")


async def test_the_head_within_one_repository_is_the_branch_alone(forgejo: GiteaWorld) -> None:
    target = await alpha(forgejo)
    await forgejo.push(target, "direct")
    new = NewMergeRequest(
        source=target, target=target, source_branch="direct", target_branch="main", title="X"
    )
    made = await forgejo.forge.open_merge_request(new)
    found = await forgejo.forge.find_merge_request(target, source=target, source_branch="direct")

    [asked] = forgejo.server.asked("POST", f"/repos/{ALPHA}/pulls")
    assert asked.json["head"] == "direct"
    assert found is not None
    assert found.number == made.number


async def test_edits_by_maintainers_are_allowed_afterwards_and_never_in_the_way(forgejo: GiteaWorld) -> None:
    made = await propose(forgejo)
    [patch] = forgejo.server.asked("PATCH", f"/repos/{ALPHA}/pulls/{made.number}")
    assert patch.json == {"allow_maintainer_edit": True}

    forgejo.server.overrides[f"PATCH /repos/{ALPHA}/pulls/6"] = Reply(403, b"")
    fork = await forgejo.forge.fork(await alpha(forgejo))
    await forgejo.push(fork, "second")
    second = await propose(forgejo, source_branch="second")
    assert second.state is MergeRequestState.OPEN


async def test_a_head_label_without_an_owner_and_a_deleted_branch_are_recognised(forgejo: GiteaWorld) -> None:
    made = await propose(forgejo)
    head = forgejo.alpha.pulls[made.number]["head"]
    head["ref"] = f"refs/pull/{made.number}/head"
    target = await alpha(forgejo)
    fork = await forgejo.forge.fork(target)
    for label in ("fix/back-off", "nia:fix/back-off"):
        head["label"] = label
        found = await forgejo.forge.find_merge_request(target, source=fork, source_branch="fix/back-off")
        assert found is not None
        assert found.source_branch == "fix/back-off"


async def test_a_deleted_fork_is_no_source(forgejo: GiteaWorld) -> None:
    made = await propose(forgejo)
    forgejo.alpha.pulls[made.number]["head"] |= {"repo": None, "repo_id": -1}

    assert (await forgejo.forge.merge_request(await alpha(forgejo), made.number)).source_project is None


async def test_the_poster_filter_may_be_ignored(old: GiteaWorld) -> None:
    made = await propose(old)
    await old.merge(made.number)
    foreign = {**old.alpha.pulls[made.number], "number": 99, "user": user("ravi")}
    old.alpha.pulls[99] = foreign
    found = await old.forge.find_merge_request(await alpha(old), source=None, source_branch="fix/back-off")

    assert found is not None
    assert found.number == made.number


async def test_not_mergeable_means_a_conflict_only_after_the_server_had_time(forgejo: GiteaWorld) -> None:
    made = await propose(forgejo)
    pull = forgejo.alpha.pulls[made.number]
    conflicts = []
    for title, updated in (("Explain", stamp(0)), ("Explain", stamp(1)), ("WIP: Explain", stamp(1))):
        pull |= {"mergeable": False, "updated_at": updated, "title": title, "draft": title.startswith("WIP")}
        conflicts.append((await forgejo.forge.merge_request(await alpha(forgejo), made.number)).conflicts)

    assert conflicts == [False, True, False]


async def test_no_difference_is_refused_in_the_servers_words(forgejo: GiteaWorld) -> None:
    target = await alpha(forgejo)
    fork = await forgejo.forge.fork(target)
    new = NewMergeRequest(
        source=fork, target=target, source_branch="main", target_branch="main", title="Same"
    )
    with pytest.raises(InvalidError) as refused:
        await forgejo.forge.open_merge_request(new)

    assert "no changes" in refused.value.detail


async def test_templates_may_have_a_head_for_the_server_and_forms_have_no_text(forgejo: GiteaWorld) -> None:
    project = await alpha(forgejo)
    forgejo.alpha.files[".gitea/pull_request_template.md"] = b"---\nabout: x\n---\n\n## Why\n"
    assert await forgejo.forge.merge_request_template(project) == "## Why\n"
    del forgejo.alpha.files[".gitea/pull_request_template.md"]
    forgejo.alpha.files[".github/PULL_REQUEST_TEMPLATE.yaml"] = b"name: x\n"
    assert await forgejo.forge.merge_request_template(project) is None


# Checks and reviews


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        ([("success", ""), ("skipped", "")], PipelineState.PASSED),
        ([("success", ""), ("warning", "")], PipelineState.PASSED),
        ([("success", ""), ("error", "")], PipelineState.FAILED),
        ([("pending", ""), ("failure", "")], PipelineState.FAILED),
        ([("pending", "Has started running"), ("success", "")], PipelineState.RUNNING),
        ([("pending", "Waiting to run"), ("success", "")], PipelineState.PENDING),
        ([("pending", "Blocked by required conditions")], PipelineState.WAITING),
        ([("pending", "Blocked by required conditions"), ("success", "")], PipelineState.PENDING),
        ([("skipped", "")], PipelineState.SKIPPED),
        ([("nonsense", "")], PipelineState.PENDING),
    ],
)
async def test_statuses_add_up(
    forgejo: GiteaWorld, statuses: list[tuple[str, str]], state: PipelineState
) -> None:
    made = await propose(forgejo)
    forgejo.alpha.statuses[made.sha or ""] = [
        {"id": number, "status": status, "description": words, "context": f"job {number}", "target_url": ""}
        for number, (status, words) in enumerate(statuses)
    ]
    found = await forgejo.forge.pipeline(await alpha(forgejo), made)

    assert found is not None
    assert found.state is state


async def test_a_commit_without_statuses_is_null_or_an_empty_list(forgejo: GiteaWorld) -> None:
    made = await propose(forgejo)
    path = f"GET /repos/{ALPHA}/commits/{made.sha}/status"
    empty: tuple[object, ...] = (None, {"state": "pending", "statuses": None}, {"statuses": []})
    for body in empty:
        forgejo.server.overrides[path] = Reply(200, body)
        assert await forgejo.forge.pipeline(await alpha(forgejo), made) is None


async def test_the_address_of_a_check_may_be_a_path(forgejo: GiteaWorld) -> None:
    made = await propose(forgejo)
    await forgejo.check(made.number, passed=False)
    found = await forgejo.forge.pipeline(await alpha(forgejo), made)

    assert found is not None
    assert found.jobs[0].url == f"{forgejo.forge.url}/{ALPHA}/actions/runs/1/jobs/0"


async def test_requests_and_drafts_of_reviews_and_dismissed_ones_do_not_count(forgejo: GiteaWorld) -> None:
    made = await propose(forgejo)
    for by, state in (("ravi", "REQUEST_REVIEW"), ("mara", "REQUEST_CHANGES"), ("mara", "PENDING")):
        forgejo.server.add_review(forgejo.alpha, made.number, by, state)
    review = await forgejo.forge.review(await alpha(forgejo), made)
    assert review.changes_requested_by == ("mara",)
    assert set(review.reviewers) == {"ravi", "mara"}
    assert review.approvals_required == 1

    forgejo.alpha.reviews[made.number][1]["dismissed"] = True
    review = await forgejo.forge.review(await alpha(forgejo), made)
    assert (review.approved, review.changes_requested_by) == (False, ())


async def test_a_comment_after_an_approval_takes_nothing_back(forgejo: GiteaWorld) -> None:
    made = await propose(forgejo)
    forgejo.server.add_review(forgejo.alpha, made.number, "mara", "APPROVED")
    forgejo.server.add_review(forgejo.alpha, made.number, "mara", "COMMENT", "Nice.")
    target = await alpha(forgejo)

    assert (await forgejo.forge.review(target, made)).approved_by == ("mara",)
    assert [thread.comments[0].body for thread in await forgejo.forge.discussions(target, made)] == ["Nice."]


async def test_an_approval_of_somebody_without_a_say_is_shown_but_not_enough(forgejo: GiteaWorld) -> None:
    made = await propose(forgejo)
    forgejo.server.add_review(forgejo.alpha, made.number, "ravi", "APPROVED")["official"] = False
    review = await forgejo.forge.review(await alpha(forgejo), made)

    assert (review.approved, review.approved_by) == (False, ("ravi",))


async def test_a_thread_is_resolved_when_somebody_resolved_it(forgejo: GiteaWorld) -> None:
    made = await propose(forgejo)
    await forgejo.remark(made.number, by="mara", body="Why?", file="src/alpha.py", line=1)
    await forgejo.remark(made.number, by="ravi", body="And here?", file="src/alpha.py", line=9)
    [first, second] = forgejo.alpha.remarks.values()
    first[0]["resolver"] = user("mara")
    del second[0]["resolver"]
    threads = await forgejo.forge.discussions(await alpha(forgejo), made)

    # A server that does not tell whether it is resolved has threads that nobody waits for.
    assert [(thread.resolvable, thread.unresolved) for thread in threads] == [(True, False), (False, False)]


async def test_an_answer_that_cannot_join_its_thread_quotes_it(forgejo: GiteaWorld) -> None:
    made = await propose(forgejo)
    target = await alpha(forgejo)
    await forgejo.remark(made.number, by="mara", body="Why?\nReally.", file="src/alpha.py", line=1)
    [thread] = await forgejo.forge.discussions(target, made)
    forgejo.server.overrides[f"POST /repos/{ALPHA}/pulls/{made.number}/reviews"] = refusal(
        422, "no such line"
    )
    said = await forgejo.forge.reply(target, made, "Because.", discussion=thread)

    assert said.body == "> Why?\n\nBecause."


async def test_stars_that_are_switched_off_are_refused(forgejo: GiteaWorld) -> None:
    forgejo.server.overrides[f"PUT /user/starred/{ALPHA}"] = refusal(403, "Stars are disabled.")
    with pytest.raises(ForbiddenError):
        await forgejo.forge.star(await alpha(forgejo))


async def test_nothing_of_root_url_is_left_in_what_is_shown(forgejo: GiteaWorld) -> None:
    made = await propose(forgejo)
    target = await alpha(forgejo)
    shown = [target.url, target.clone_url, made.url]
    shown += [issue.url for issue in await forgejo.forge.issues(target, labels=(FIRST_LABEL,))]
    shown += [one.url for one in await forgejo.forge.my_merge_requests()]

    assert not [url for url in shown if url.startswith(ROOT_URL)]
