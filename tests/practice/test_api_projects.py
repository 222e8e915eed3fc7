from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from isexplore.practice.launch import write_template
from isexplore.practice.seed import ProjectSeed
from isexplore.practice.server import Grant
from tests.support.practice import (
    ALPHA,
    MARA_TOKEN,
    PEOPLE,
    SEEDS,
    RunningPractice,
    light_projects,
    quoted,
    running_practice,
)

LIGHT = 12_000
ALPHA_KEY = quoted("tools/alpha")


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPractice]:
    with running_practice(tmp_path_factory.mktemp("crowd"), light=light_projects(LIGHT)) as running:
        yield running


def paths(reply: object) -> list[str]:
    assert isinstance(reply, list)
    return [project["path_with_namespace"] for project in reply]


class TestListing:
    def test_shows_what_the_newcomer_may_see_newest_first(self, practice: RunningPractice) -> None:
        found = paths(practice.ask("/projects").json)
        assert set(found) == {"tools/alpha", "tools/deep/beta", "tools/empty"}
        created = [project["created_at"] for project in practice.ask("/projects").json]
        assert created == sorted(created, reverse=True)

    def test_shows_public_projects_only_to_strangers_and_only_basic_facts(
        self, practice: RunningPractice
    ) -> None:
        [beta] = practice.ask("/projects", token=None).json
        assert beta["path_with_namespace"] == "tools/deep/beta"
        assert beta["readme_url"] == f"{practice.url}/tools/deep/beta/-/blob/main/README.rst"
        assert "archived" not in beta
        assert "permissions" not in beta

    def test_shows_private_projects_to_their_members(self, practice: RunningPractice) -> None:
        assert "vault/secret" in paths(practice.ask("/projects", token=MARA_TOKEN).json)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"topic": "innersource"}, {"tools/alpha", "tools/deep/beta"}),
            ({"topic": "innersource,go"}, {"tools/deep/beta"}),
            ({"topic": "InnerSource"}, set()),
            ({"topic": "unheard-of"}, set()),
            ({"search": "retries"}, {"tools/alpha"}),
            ({"search": "LIBRARY small"}, {"tools/alpha"}),
            ({"search": "deep"}, set()),
            ({"search": "deep", "search_namespaces": "true"}, {"tools/deep/beta"}),
            ({"search": "100%"}, set()),
            ({"visibility": "public"}, {"tools/deep/beta"}),
            ({"with_programming_language": "shell"}, {"tools/alpha"}),
            ({"archived": "true"}, set()),
            ({"membership": "true"}, set()),
            ({"owned": "true"}, set()),
            ({"starred": "true"}, set()),
            ({"active": "false"}, set()),
            ({"imported": "true"}, set()),
            ({"topic_id": "1", "topic": "go"}, {"tools/deep/beta"}),
            ({"topic_id": "999"}, set()),
            ({"search": "retries", "order_by": "similarity"}, set()),
            ({"order_by": "similarity"}, {"tools/alpha", "tools/deep/beta", "tools/empty"}),
            ({"updated_after": "2100-01-01"}, set()),
            (
                {"updated_before": "2100-01-01", "order_by": "updated_at", "search": "old"},
                {"tools/deep/beta"},
            ),
            ({"id_after": "2"}, {"tools/empty"}),
            ({"id_before": "2"}, {"tools/alpha"}),
        ],
    )
    def test_filters(self, practice: RunningPractice, query: dict[str, str], expected: set[str]) -> None:
        assert set(paths(practice.ask("/projects", params=query).json)) == expected

    def test_filters_by_role(self, practice: RunningPractice) -> None:
        found = practice.ask("/projects", token=MARA_TOKEN, min_access_level=40).json
        assert set(paths(found)) == {"tools/alpha", "tools/empty", "vault/secret"}
        assert set(paths(practice.ask("/projects", token=MARA_TOKEN, owned="true").json)) == {"vault/secret"}

    def test_filters_by_activity(self, practice: RunningPractice) -> None:
        edge = (datetime.now(UTC) - timedelta(days=30)).isoformat()
        found = paths(practice.ask("/projects", last_activity_after=edge).json)
        assert "tools/alpha" in found
        assert "tools/deep/beta" not in found

    @pytest.mark.parametrize(
        ("query", "error"),
        [
            ({"visibility": "secret"}, "visibility does not have a valid value"),
            ({"order_by": "colour"}, "order_by does not have a valid value"),
            ({"archived": "perhaps"}, "archived is invalid"),
            ({"last_activity_after": "yesterday"}, "last_activity_after is invalid"),
            ({"page": "x"}, "page is invalid"),
        ],
    )
    def test_names_wrong_parameters(
        self, practice: RunningPractice, query: dict[str, str], error: str
    ) -> None:
        reply = practice.ask("/projects", params=query)
        assert (reply.status, reply.json) == (400, {"error": error})


class TestPaging:
    def test_tells_where_the_pages_are(self, practice: RunningPractice) -> None:
        first = practice.ask("/projects", per_page=2, order_by="name", sort="asc")
        assert paths(first.json) == ["tools/alpha", "tools/deep/beta"]
        assert first.headers["X-Next-Page"] == "2"
        assert first.headers["X-Total"] == "3"
        assert first.headers["X-Total-Pages"] == "2"
        links = re.findall(r'<([^>]+)>; rel="(\w+)"', first.headers["Link"])
        assert sorted(relation for _, relation in links) == ["first", "last", "next"]
        assert [link for link, relation in links if relation == "next"] == [
            f"{practice.url}/api/v4/projects?order_by=name&page=2&per_page=2&sort=asc"
        ]
        last = practice.ask("/projects", per_page=2, page=2)
        assert last.headers["X-Next-Page"] == ""
        assert last.headers["X-Prev-Page"] == "1"
        assert 'rel="next"' not in last.headers["Link"]

    def test_keeps_totals_to_itself_above_ten_thousand(self, crowd: RunningPractice) -> None:
        reply = crowd.ask("/projects", per_page=100, topic="innersource")
        assert len(reply.json) == 100
        assert "X-Total" not in reply.headers
        assert "X-Total-Pages" not in reply.headers
        assert 'rel="last"' not in reply.headers["Link"]
        assert reply.headers["X-Next-Page"] == "2"
        assert crowd.ask("/projects", topic="even").headers["X-Total"] == str(LIGHT // 2)

    def test_refuses_deep_offsets(self, crowd: RunningPractice) -> None:
        reply = crowd.ask("/projects", per_page=100, page=501)
        assert reply.status == 405
        assert reply.json["error"].startswith("Offset pagination has a maximum allowed offset of 50000")
        assert crowd.ask("/projects", per_page=100, page=500).status == 200

    def test_walks_everything_by_keyset(self, crowd: RunningPractice) -> None:
        seen: list[int] = []
        query: dict[str, object] = {"id_after": 0}
        while True:
            reply = crowd.ask(
                "/projects",
                pagination="keyset",
                order_by="id",
                sort="asc",
                per_page=100,
                simple="true",
                topic="odd",
                params=query,
            )
            seen += [project["id"] for project in reply.json]
            assert "X-Total" not in reply.headers
            if "Link" not in reply.headers:
                break
            query["id_after"] = re.findall(r"id_after=(\d+)", reply.headers["Link"])[0]
        assert len(seen) == LIGHT // 2
        assert seen == sorted(set(seen))

    def test_has_keysets_for_ids_only(self, crowd: RunningPractice) -> None:
        reply = crowd.ask("/projects", pagination="keyset", order_by="star_count")
        assert reply.status == 405
        assert reply.json == {"error": "Keyset pagination is not yet available for this type of request"}

    @pytest.mark.parametrize("order", ["last_activity_at", "star_count", "name", "created_at"])
    def test_sorts_across_pages(self, crowd: RunningPractice, order: str) -> None:
        pages = [
            crowd.ask("/projects", topic="even", order_by=order, per_page=100, page=page).json
            for page in (1, 2, 3)
        ]
        keys = [project[order] for page in pages for project in page]
        assert keys == sorted(keys, reverse=True)
        assert len({project["id"] for page in pages for project in page}) == 300


class TestOneProject:
    def test_tells_the_newcomers_rights(self, practice: RunningPractice) -> None:
        alpha = practice.ask(f"/projects/{ALPHA_KEY}", license="true").json
        assert alpha["permissions"] == {"project_access": None, "group_access": None}
        assert alpha["can_create_merge_request_in"] is True
        assert alpha["license"]["key"] == "mit"
        assert alpha["import_status"] == "none"
        assert alpha["empty_repo"] is False
        assert alpha["open_issues_count"] == 2
        own = practice.ask(f"/projects/{ALPHA_KEY}", token=MARA_TOKEN).json
        assert own["permissions"]["project_access"]["access_level"] == 40

    @pytest.mark.parametrize("key", ["vault%2Fsecret", "3", "no%2Fsuch", "alpha", "99999", "9" * 40])
    def test_hides_what_may_not_be_seen(self, practice: RunningPractice, key: str) -> None:
        reply = practice.ask(f"/projects/{key}")
        assert (reply.status, reply.json) == (404, {"message": "404 Project Not Found"})

    def test_hides_internal_projects_from_strangers(self, practice: RunningPractice) -> None:
        assert practice.ask(f"/projects/{ALPHA_KEY}", token=None).status == 404

    def test_knows_an_empty_repository(self, practice: RunningPractice) -> None:
        empty = practice.ask("/projects/tools%2Fempty").json
        assert empty["empty_repo"] is True
        assert empty["readme_url"] is None
        assert empty["default_branch"] == "main"

    def test_lists_languages_members_and_labels(self, practice: RunningPractice) -> None:
        assert practice.ask(f"/projects/{ALPHA_KEY}/languages").json == {"Python": 90.0, "Shell": 10.0}
        members = practice.ask(f"/projects/{ALPHA_KEY}/members/all").json
        assert [(row["username"], row["access_level"]) for row in members] == [("mara", 40), ("ravi", 30)]
        [label] = practice.ask(f"/projects/{ALPHA_KEY}/labels", search="first", with_counts="true").json
        assert label["name"] == "good first issue"
        assert (label["open_issues_count"], label["closed_issues_count"]) == (1, 0)
        assert "open_issues_count" not in practice.ask(f"/projects/{ALPHA_KEY}/labels").json[0]

    def test_lists_topics_with_their_true_spelling(self, practice: RunningPractice) -> None:
        [topic] = practice.ask("/topics", search="INNER").json
        assert topic["name"] == "innersource"
        assert topic["total_projects_count"] == 3

    def test_lists_group_projects(self, practice: RunningPractice) -> None:
        assert set(paths(practice.ask("/groups/tools/projects").json)) == {"tools/alpha", "tools/empty"}
        deep = practice.ask("/groups/tools/projects", include_subgroups="true").json
        assert "tools/deep/beta" in paths(deep)
        assert practice.ask("/groups/nowhere/projects").json == {"message": "404 Group Not Found"}


def test_updates_are_filtered_and_sorted_together(practice: RunningPractice) -> None:
    reply = practice.ask("/projects", updated_after="2020-01-01", order_by="name")
    words = "400 Bad request - `updated_at` filter and `updated_at` sorting must be paired"
    assert (reply.status, reply.json) == (400, {"message": words})


def test_people_have_projects_that_they_starred_and_worked_on(fresh: RunningPractice) -> None:
    fresh.ask(f"/projects/{ALPHA_KEY}/star", method="POST")
    assert paths(fresh.ask("/users/nia/starred_projects").json) == ["tools/alpha"]
    assert paths(fresh.ask("/users/ravi/contributed_projects").json) == ["tools/alpha", "tools/deep/beta"]
    mara = fresh.store.user("mara")
    assert mara is not None
    assert "vault/secret" not in paths(fresh.ask(f"/users/{mara.id}/contributed_projects").json)
    assert fresh.ask("/users/nobody/projects").json == {"message": "404 User Not Found"}


def test_one_member_one_topic_and_one_namespace_can_be_asked_for(practice: RunningPractice) -> None:
    mara = practice.store.user("mara")
    assert mara is not None
    for members in ("members", "members/all"):
        found = practice.ask(f"/projects/{ALPHA_KEY}/{members}/{mara.id}").json
        assert (found["username"], found["access_level"]) == ("mara", 40)
        missing = practice.ask(f"/projects/{ALPHA_KEY}/{members}/999")
        assert (missing.status, missing.json) == (404, {"message": "404 Not found"})
    topic = practice.ask("/topics", search="python").json[0]
    assert practice.ask(f"/topics/{topic['id']}").json == topic
    own = practice.ask("/namespaces/nia").json
    assert practice.ask(f"/namespaces/{own['id']}").json == own
    assert practice.ask("/namespaces/tools").status == 404


def test_strangers_see_groups_that_hold_something_for_them(practice: RunningPractice) -> None:
    def groups(token: str | None) -> list[str]:
        return [group["full_path"] for group in practice.ask("/groups", token=token).json]

    assert groups("") == ["tools/deep", "tools", "vault"]
    assert groups(None) == ["tools/deep", "tools"]
    assert practice.ask("/groups/vault", token=None).json == {"message": "404 Group Not Found"}
    assert practice.ask("/groups/vault").json["visibility"] == "internal"
    [below] = practice.ask("/groups/tools/subgroups").json
    assert (below["full_path"], below["visibility"]) == ("tools/deep", "public")
    [request] = practice.ask("/groups/tools/merge_requests").json
    assert request["title"] == "Tidy up"
    assert practice.ask("/groups/tools/merge_requests", token=None).json == []


def test_stars_once(fresh: RunningPractice) -> None:
    def star(verb: str) -> int:
        return fresh.ask(f"/projects/{ALPHA_KEY}/{verb}", method="POST").status

    assert star("star") == 201
    assert star("star") == 304
    assert fresh.ask(f"/projects/{ALPHA_KEY}").json["star_count"] == 8
    assert paths(fresh.ask("/projects", starred="true").json) == ["tools/alpha"]
    assert star("unstar") == 201
    assert star("unstar") == 304
    assert fresh.ask(f"/projects/{ALPHA_KEY}").json["star_count"] == 7


class TestFork:
    def test_takes_its_time(self, tmp_path: Path) -> None:
        class Clock:
            now = datetime(2030, 1, 1, tzinfo=UTC)

            def __call__(self) -> datetime:
                return self.now

        clock = Clock()
        with running_practice(tmp_path, clock=clock, import_seconds=1.5) as practice:
            made = practice.ask(f"/projects/{ALPHA_KEY}/fork", method="POST", data={})
            assert made.status == 201
            assert made.json["import_status"] == "scheduled"
            assert made.json["empty_repo"] is True
            assert made.json["readme_url"] is None
            assert made.json["forked_from_project"]["path_with_namespace"] == "tools/alpha"
            assert made.json["owner"]["username"] == "nia"
            fork = made.json["id"]
            assert practice.ask("/projects/nia%2Falpha").status == 404
            assert practice.ask(f"/projects/{fork}").status == 200
            clock.now += timedelta(seconds=0.6)
            assert practice.ask("/projects/nia%2Falpha").json["import_status"] == "started"
            clock.now += timedelta(seconds=1)
            done = practice.wait(f"/projects/{fork}", lambda found: found["import_status"] == "finished")
            assert done["empty_repo"] is False
            assert done["permissions"]["project_access"]["access_level"] == 50
            assert practice.ask(f"/projects/{fork}/import").json["import_status"] == "finished"

    def test_exists_once(self, fresh: RunningPractice) -> None:
        fork = fresh.fork()
        again = fresh.ask(f"/projects/{ALPHA_KEY}/fork", method="POST", data={})
        assert again.status == 409
        assert again.json == {
            "message": [
                "Project namespace name has already been taken",
                "Name has already been taken",
                "Path has already been taken",
            ]
        }
        [found] = fresh.ask(f"/projects/{ALPHA_KEY}/forks", owned="true").json
        assert found["id"] == fork["id"]
        assert fresh.ask(f"/projects/{ALPHA_KEY}").json["forks_count"] == 1

    def test_has_the_files(self, fresh: RunningPractice) -> None:
        fork = fresh.fork()
        names = [entry["name"] for entry in fresh.ask(f"/projects/{fork['id']}/repository/tree").json]
        assert "README.md" in names

    def test_goes_only_where_the_caller_belongs(self, fresh: RunningPractice) -> None:
        fresh.store.create_group("guild", members={"nia": 30})
        fresh.store.create_group("club", members={"nia": 10})

        def fork(**data: object) -> tuple[int, object]:
            reply = fresh.ask(f"/projects/{ALPHA_KEY}/fork", method="POST", data=data)
            return reply.status, reply.json.get("message") or reply.json["path_with_namespace"]

        assert fork(namespace_path="guild") == (201, "guild/alpha")
        assert fork(namespace_path="club") == (404, "404 Target Namespace Not Found")
        assert fork(namespace_path="vault") == (404, "404 Namespace Not Found")
        assert fork(namespace_id=9999) == (404, "404 Namespace Not Found")
        assert fork(path="other-name", name="Other") == (201, "nia/other-name")

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (
                {"path": "free"},
                ["Project namespace name has already been taken", "Name has already been taken"],
            ),
            ({"name": "Free"}, ["Path has already been taken"]),
            ({"path": "ALPHA", "name": "Free"}, ["Path has already been taken"]),
            (
                {"path": "x.git", "name": "Free"},
                [
                    "Path can contain only letters, digits, '_', '-' and '.'."
                    " Cannot start with '-', end in '.git' or end in '.atom'"
                ],
            ),
            (
                {"path": "free", "name": "<b>"},
                [
                    "Name can contain only letters, digits, emoji, '_', '.', '+', dashes, or spaces."
                    " It must start with a letter, digit, emoji, or '_'."
                ],
            ),
        ],
    )
    def test_needs_a_name_and_a_path_of_its_own(
        self, fresh: RunningPractice, data: dict[str, str], message: list[str]
    ) -> None:
        fresh.ask(f"/projects/{ALPHA_KEY}/fork", method="POST", data={})
        reply = fresh.ask(f"/projects/{ALPHA_KEY}/fork", method="POST", data=data)
        assert (reply.status, reply.json) == (409, {"message": message})

    def test_is_no_more_open_than_its_original(self, fresh: RunningPractice) -> None:
        def fork(name: str, visibility: str) -> Any:
            data = {"path": name, "name": name, "visibility": visibility}
            return fresh.ask(f"/projects/{ALPHA_KEY}/fork", method="POST", data=data).json["visibility"]

        assert fork("one", "public") == "internal"
        assert fork("two", "private") == "private"

    def test_is_not_found_by_the_topics_of_its_original(self, fresh: RunningPractice) -> None:
        assert fresh.fork()["topics"] == []
        assert "nia/alpha" not in paths(fresh.ask("/projects", topic="innersource").json)

    def test_may_have_one_branch_only(self, fresh: RunningPractice) -> None:
        branches = f"/projects/{ALPHA_KEY}/repository/branches"
        fresh.ask(branches, method="POST", data={"branch": "next", "ref": "main"}, token=MARA_TOKEN)
        wrong = fresh.ask(f"/projects/{ALPHA_KEY}/fork", method="POST", data={"branches": "nowhere"})
        assert (wrong.status, wrong.json) == (404, {"message": "404 Source Branch Not Found"})
        made = fresh.ask(f"/projects/{ALPHA_KEY}/fork", method="POST", data={"branches": "next"}).json
        fork = fresh.wait(f"/projects/{made['id']}", lambda found: found["import_status"] == "finished")
        assert fork["default_branch"] == "next"
        found = fresh.ask(f"/projects/{made['id']}/repository/branches").json
        assert [branch["name"] for branch in found] == ["next"]

    def test_may_be_forbidden(self, tmp_path: Path) -> None:
        closed = ProjectSeed(
            path="tools/closed", description="", commits=ALPHA.commits, forking_enabled=False
        )
        with running_practice(tmp_path, seeds=(closed,), people=PEOPLE) as practice:
            shown = practice.ask("/projects/tools%2Fclosed").json
            assert shown["forking_access_level"] == "disabled"
            reply = practice.ask("/projects/tools%2Fclosed/fork", method="POST")
            assert (reply.status, reply.json) == (404, {"message": "404 Not Found"})

    def test_of_a_synthetic_project_has_a_repository_of_its_own(self, tmp_path: Path) -> None:
        with running_practice(tmp_path, light=light_projects(3)) as practice:
            asyncio.run(write_template(practice.store))
            fork = practice.fork("mass1/project-00001")
            tree = practice.ask(f"/projects/{fork['id']}/repository/tree").json
            assert [entry["name"] for entry in tree] == ["CONTRIBUTING.md", "README.md"]
            assert practice.store.own_repository_path(fork["id"]).is_dir()


def test_external_accounts_see_public_projects_only(tmp_path: Path) -> None:
    with running_practice(tmp_path, seeds=SEEDS, grant=Grant(username="guest")) as practice:
        practice.store.create_user("guest", "Guest", external=True)
        assert paths(practice.ask("/projects").json) == ["tools/deep/beta"]
        assert practice.ask(f"/projects/{ALPHA_KEY}").status == 404
        assert practice.ask("/user").json["external"] is True
        assert practice.ask("/merge_requests", scope="all").json == []
        assert practice.ask("/groups/vault").status == 404
