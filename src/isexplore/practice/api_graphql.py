"""The few things that GitLab tells and does better over GraphQL: forks, and facts of many projects.

GraphQL answers 200 whatever happens, with the trouble in `errors`. https://docs.gitlab.com/api/graphql/
"""

from __future__ import annotations

from isexplore.practice.api import Answer, Call, Json, answer
from isexplore.practice.api_graphql_projects import projects_by_id
from isexplore.practice.api_repository import repository_of
from isexplore.practice.graphql import Field, GraphQLError, Operation, complexity, read
from isexplore.practice.repository import Repository, Signature
from isexplore.practice.rows import ProjectRow
from isexplore.practice.shapes import time
from isexplore.practice.store_people import DEVELOPER

_UNKNOWN = (
    "The resource that you are attempting to access does not exist "
    "or you don't have permission to perform this action"
)


async def graphql(call: Call, *, limit: int, may_change: bool) -> Answer:
    """POST /api/graphql.

    Args:
        call: the request.
        limit: the highest price of a query.
        may_change: whether the token may do more than read.
    """
    variables = call.value("variables")
    try:
        operation = read(call.text("query") or "", variables if isinstance(variables, dict) else {})
        score = complexity(operation.fields)
        if score > limit:
            raise GraphQLError(f"Query has complexity of {score}, which exceeds max complexity of {limit}")
        if operation.kind == "mutation" and not may_change:
            raise GraphQLError(_UNKNOWN)
        return answer(call, {"data": await _root(call, operation, score, limit)})
    except GraphQLError as error:
        return answer(call, {"errors": [{"message": str(error)}], "data": None})


async def _root(call: Call, operation: Operation, score: int, limit: int) -> Json:
    data: Json = {}
    for field in operation.fields:
        if operation.kind == "mutation":
            if field.name != "projectSyncFork":
                raise _no_field(field, "Mutation")
            data[field.alias] = await _sync(call, field)
        elif field.name == "project":
            path = str(field.arguments.get("fullPath"))
            project = call.find_project(path)
            data[field.alias] = None if project is None else await _project(call, project, field)
        elif field.name == "projects":
            data[field.alias] = projects_by_id(call, field)
        elif field.name == "queryComplexity":
            data[field.alias] = _chosen(field, {"score": score, "limit": limit})
        elif field.name == "currentUser":
            data[field.alias] = _chosen(field, {"username": call.username}) if call.user else None
        else:
            raise _no_field(field, "Query")
    return data


def _no_field(field: Field, kind: str) -> GraphQLError:
    return GraphQLError(f"Field '{field.name}' doesn't exist on type '{kind}'")


def _chosen(field: Field, facts: Json) -> Json:
    for inner in field.fields:
        if inner.name not in facts:
            raise _no_field(inner, field.name[:1].upper() + field.name[1:])
    return {inner.alias: facts[inner.name] for inner in field.fields}


async def _project(call: Call, project: ProjectRow, field: Field) -> Json:
    facts: Json = {
        "id": f"gid://gitlab/Project/{project.id}",
        "fullPath": project.full_path,
        "name": project.name,
        "topics": project.topics,
        "starCount": project.star_count,
        "archived": project.archived,
        "isForked": project.forked_from_id is not None,
        "createdAt": time(project.created_at),
        "lastActivityAt": time(project.last_activity_at),
    }
    found: Json = {}
    for inner in field.fields:
        if inner.name == "forkDetails":
            branch = str(inner.arguments.get("ref") or project.default_branch)
            details = await _details(call, project, branch)
            found[inner.alias] = None if details is None else _chosen(inner, details)
        else:
            found |= _chosen(Field(field.name, field.alias, {}, (inner,)), facts)
    return found


async def _tips(
    call: Call, project: ProjectRow, branch: str
) -> tuple[Repository, str, ProjectRow, Repository, str] | None:
    """Return fork's repository and commit, and the original's; None where there is nothing to compare."""
    origin = call.find_project(str(project.forked_from_id or ""))
    here = repository_of(call, project)
    there = repository_of(call, origin) if origin is not None else None
    if origin is None or here is None or there is None:
        return None
    mine = await here.commit_id(f"refs/heads/{branch}")
    theirs = await there.commit_id(f"refs/heads/{branch}")
    if mine is None or theirs is None:
        return None
    return Repository(here.path, borrowed=(there.path,)), mine, origin, there, theirs


async def _details(call: Call, project: ProjectRow, branch: str) -> Json | None:
    tips = await _tips(call, project, branch)
    if tips is None:
        return None
    both, mine, _, _, theirs = tips
    ahead = len(await both.commits(f"{theirs}..{mine}"))
    behind = len(await both.commits(f"{mine}..{theirs}"))
    clash = bool(ahead and behind) and await both.merged_tree(mine, theirs) is None
    return {"ahead": ahead, "behind": behind, "isSyncing": False, "hasConflicts": clash}


async def _sync(call: Call, field: Field) -> Json:
    """Bring a fork's branch up to the original's: forward, or by a merge where that is free of conflicts."""
    given = field.arguments.get("input")
    wanted = given if isinstance(given, dict) else {}
    user = call.signed_in()
    project = call.find_project(str(wanted.get("projectPath")))
    if project is None or call.level(project) < DEVELOPER:
        raise GraphQLError(_UNKNOWN)
    branch = str(wanted.get("targetBranch"))
    tips = await _tips(call, project, branch)
    if tips is None:
        return _outcome(field, None, ["This branch of this project cannot be updated from the upstream"])
    both, mine, _, there, theirs = tips
    details = await _details(call, project, branch) or {}
    if details["behind"] and not details["hasConflicts"]:
        own = await call.store.own_repository(project.id)
        await own.fetch(there.path, f"refs/heads/{branch}")
        tip = theirs
        if details["ahead"]:
            tree = await both.merged_tree(mine, theirs)
            author = Signature(name=user.name, email=user.email, when=call.store.now())
            tip = await own.commit_tree(
                tree or "", (mine, theirs), f"Merge branch '{branch}' from upstream\n", author
            )
        await own.set_branch(branch, tip, mine)
        await call.store.after_push(project.id, {branch: tip}, by=user.username, before={branch: mine})
        details = await _details(call, project, branch) or {}
    return _outcome(field, details, [])


def _outcome(field: Field, details: Json | None, errors: list[str]) -> Json:
    found: Json = {}
    for inner in field.fields:
        if inner.name == "details":
            found[inner.alias] = None if details is None else _chosen(inner, details)
        elif inner.name == "errors":
            found[inner.alias] = errors
        else:
            raise _no_field(inner, "ProjectSyncForkPayload")
    return found
