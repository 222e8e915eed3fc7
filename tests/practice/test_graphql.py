"""GraphQL of the practice forge: how a fork stands, bringing it up to date, and the price of a query."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from isexplore.config.secrets import Secret
from isexplore.errors import ConflictError, InvalidError
from isexplore.forge.gitlab import GitLabForge
from isexplore.forge.http import ForgeClient
from isexplore.practice.graphql import Field, GraphQLError, complexity, read
from isexplore.practice.server import Grant
from tests.support.practice import RunningPractice, fetch, run_git, running_practice

ASK = "query($path: ID!) { project(fullPath: $path) { fullPath isForked } queryComplexity { score limit } }"


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[RunningPractice]:
    with running_practice(tmp_path, import_seconds=0.02) as forge:
        yield forge


@pytest.fixture
async def forge(practice: RunningPractice) -> AsyncIterator[GitLabForge]:
    client = ForgeClient(name="work", base_url=f"{practice.url}/api/v4", token=Secret(practice.token))
    forge = GitLabForge(name="work", url=practice.url, client=client)
    yield forge
    await forge.close()


def ask(practice: RunningPractice, query: str, token: str | None = "", **variables: object) -> Any:

    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token or practice.token}"
    body = json.dumps({"query": query, "variables": variables}).encode()
    return fetch(f"{practice.url}/api/graphql", method="POST", headers=headers, body=body)


def commit(practice: RunningPractice, project: str, file: str, folder: Path) -> None:
    """Push a commit to main, as somebody who may."""
    run_git("clone", "-q", practice.clone_url(project, "token-of-mara" if "nia" not in project else None), str(folder),
            cwd=folder.parent)  # fmt: skip
    (folder / file).write_text(f"{folder.name}\n")
    run_git("add", "-A", cwd=folder)
    run_git("commit", "-q", "-m", f"Add {file}", cwd=folder)
    run_git("push", "-q", "origin", "HEAD:main", cwd=folder)


# Over HTTP, as the adapter asks


async def test_a_fork_behind_its_original_is_told_and_brought_up_to_date(
    practice: RunningPractice, forge: GitLabForge, tmp_path: Path
) -> None:
    made = practice.fork()
    upstream, fork = await forge.project("tools/alpha"), await forge.project(made["path_with_namespace"])
    commit(practice, "tools/alpha", "news.md", tmp_path / "one")
    distance = await forge.divergence(fork, upstream, "main")
    assert distance is not None
    assert (distance.ahead, distance.behind, distance.conflicts) == (0, 1, False)
    await forge.sync_fork(fork, "main")
    distance = await forge.divergence(fork, upstream, "main")
    assert distance is not None
    assert (distance.ahead, distance.behind) == (0, 0)
    theirs, mine = await forge.branch(upstream, "main"), await forge.branch(fork, "main")
    assert theirs is not None
    assert mine is not None
    assert theirs.sha == mine.sha


async def test_a_fork_that_clashes_with_its_original_is_a_conflict(
    practice: RunningPractice, forge: GitLabForge, tmp_path: Path
) -> None:
    made = practice.fork()
    upstream, fork = await forge.project("tools/alpha"), await forge.project(made["path_with_namespace"])
    commit(practice, "tools/alpha", "news.md", tmp_path / "one")
    commit(practice, fork.path, "news.md", tmp_path / "two")
    distance = await forge.divergence(fork, upstream, "main")
    assert distance is not None
    assert (distance.ahead, distance.behind, distance.conflicts) == (1, 1, True)
    with pytest.raises(ConflictError):
        await forge.sync_fork(fork, "main")


@pytest.mark.parametrize("closed", ["off", "too complex"])
async def test_a_gitlab_without_graphql_still_tells_how_a_fork_stands(
    practice: RunningPractice, forge: GitLabForge, tmp_path: Path, closed: str
) -> None:
    made = practice.fork()
    upstream, fork = await forge.project("tools/alpha"), await forge.project(made["path_with_namespace"])
    commit(practice, "tools/alpha", "news.md", tmp_path / "one")
    practice.knobs.graphql = closed != "off"
    practice.knobs.complexity_limit = 3
    distance = await forge.divergence(fork, upstream, "main")
    assert distance is not None
    assert (distance.ahead, distance.behind) == (0, 1)
    with pytest.raises(InvalidError):
        await forge.sync_fork(fork, "main")


# Over HTTP, by hand


def test_a_query_is_answered_with_its_price(practice: RunningPractice) -> None:
    data = ask(practice, ASK, path="tools/alpha").json["data"]
    assert data["project"] == {"fullPath": "tools/alpha", "isForked": False}
    assert data["queryComplexity"] == {"score": 6, "limit": 250}


def test_a_query_that_costs_too_much_is_an_error_with_status_200(practice: RunningPractice) -> None:
    practice.knobs.complexity_limit = 5
    reply = ask(practice, ASK, path="tools/alpha")
    assert reply.status == 200
    assert reply.json["data"] is None
    assert reply.json["errors"][0]["message"] == (
        "Query has complexity of 6, which exceeds max complexity of 5"
    )


def test_what_an_account_may_not_see_is_null(practice: RunningPractice) -> None:
    assert ask(practice, ASK, path="vault/secret").json["data"]["project"] is None
    assert ask(practice, ASK, token=None, path="tools/alpha").json["data"]["project"] is None


def test_a_wrong_token_is_a_401_in_graphqls_words(practice: RunningPractice) -> None:
    reply = ask(practice, ASK, token="wrong", path="tools/alpha")
    assert (reply.status, reply.json) == (401, {"errors": [{"message": "Invalid token"}]})


def test_a_token_that_may_only_read_changes_nothing(tmp_path: Path) -> None:
    mutation = """mutation($path: ID!) {
      projectSyncFork(input: {projectPath: $path, targetBranch: "main"}) { details { behind } errors } }"""
    grant = Grant(username="nia", scopes=("read_api",))
    with running_practice(tmp_path, grant=grant) as practice:
        reply = ask(practice, mutation, path="tools/alpha")
        assert "permission" in reply.json["errors"][0]["message"]
        assert ask(practice, ASK, path="tools/alpha").json["data"]["project"]


def test_unknown_fields_are_named(practice: RunningPractice) -> None:
    reply = ask(practice, 'query { project(fullPath: "tools/alpha") { colour } }')
    assert reply.json["errors"][0]["message"] == "Field 'colour' doesn't exist on type 'Project'"


# Reading


def test_arguments_aliases_and_variables_are_read() -> None:
    operation = read(
        'query Q($a: [String!], $n: Int = 3) { # a remark\n x: projects(topics: $a, first: 100, sort: "a\\"b", '
        "active: true, input: {deep: [1, 2]}) { nodes { id } } }",
        {"a": ["one"]},
    )
    (field,) = operation.fields
    assert (field.alias, field.name) == ("x", "projects")
    assert field.arguments == {
        "topics": ["one"],
        "first": 100,
        "sort": 'a"b',
        "active": True,
        "input": {"deep": [1, 2]},
    }
    assert field.fields == (Field("nodes", "nodes", {}, (Field("id", "id", {}),)),)
    assert complexity(operation.fields) == 1 + 2 + 2, "a connection of 100 costs its nodes once more"


@pytest.mark.parametrize(
    "text", ["", "{", "{ a", "{ a(b: ) }", "{ a } b", "query { ~ }", "{ 1 }", "{ a(b: [1 }"]
)
def test_what_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(GraphQLError):
        read(text, {})


def test_a_query_that_is_too_long_is_refused() -> None:
    with pytest.raises(GraphQLError, match="too large"):
        read("{ a }" + " " * 10_000, {})


def test_facts_of_many_projects_come_by_one_question_for_those_who_may_see_them(
    practice: RunningPractice,
) -> None:
    store = practice.store
    hidden = store.create_project("tools/hidden", visibility="private", languages={"C": 100.0})
    shown = store.create_project("tools/shown", languages={"Go": 10.0, "Zig": 90.0})
    query = "query($ids: [ID!]) { projects(ids: $ids, first: 100) { nodes { id languages { name share } } } }"
    ids = [f"gid://gitlab/Project/{each}" for each in (hidden, shown, 999_999)]
    nodes = ask(practice, query, ids=ids).json["data"]["projects"]["nodes"]
    assert nodes == [
        {
            "id": f"gid://gitlab/Project/{shown}",
            "languages": [{"name": "Zig", "share": 90.0}, {"name": "Go", "share": 10.0}],
        }
    ]
    wrong = ask(practice, query, ids=["seven"]).json
    assert wrong["data"] is None
    assert "valid" in wrong["errors"][0]["message"]
