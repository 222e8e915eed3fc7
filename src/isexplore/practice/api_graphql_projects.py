"""`projects(ids:)` over GraphQL: a few facts of many projects by one question.

https://docs.gitlab.com/api/graphql/reference/#queryprojects
"""

from __future__ import annotations

from isexplore.practice.api import Call, Json
from isexplore.practice.api_projects import visible_projects
from isexplore.practice.graphql import PAGE, Field, GraphQLError
from isexplore.practice.rows import ProjectRow

_GID = "gid://gitlab/Project/"


def projects_by_id(call: Call, field: Field) -> Json:
    """Return the connection `projects`, of those that the caller may see, newest first.

    Raises:
        GraphQLError: a field that it does not have, or an id that is none.
    """
    given = field.arguments.get("ids")
    first = field.arguments.get("first")
    wanted = [_number(each) for each in given] if isinstance(given, list) else []
    most = min(first, PAGE) if isinstance(first, int) else PAGE
    found = visible_projects(call, wanted, most)
    answer: Json = {}
    for inner in field.fields:
        if inner.name != "nodes":
            raise _no_field(inner, "ProjectConnection")
        answer[inner.alias] = [_node(project, inner) for project in found]
    return answer


def _number(given: object) -> int:
    text = str(given).removeprefix(_GID)
    if not text.isdecimal() or len(text) > 18:
        raise GraphQLError(f'"{given}" is not a valid GitLab ID.')
    return int(text)


def _node(project: ProjectRow, field: Field) -> Json:
    found: Json = {}
    for inner in field.fields:
        if inner.name == "languages":
            shares = sorted(project.languages.items(), key=lambda each: -each[1])
            found[inner.alias] = [
                _chosen(inner, "RepositoryLanguage", {"name": name, "share": share}) for name, share in shares
            ]
        else:
            facts: Json = {
                "id": f"{_GID}{project.id}",
                "fullPath": project.full_path,
                "name": project.name,
                "archived": project.archived,
            }
            found |= _chosen(Field(field.name, field.alias, {}, (inner,)), "Project", facts)
    return found


def _chosen(field: Field, kind: str, facts: Json) -> Json:
    for inner in field.fields:
        if inner.name not in facts:
            raise _no_field(inner, kind)
    return {inner.alias: facts[inner.name] for inner in field.fields}


def _no_field(field: Field, kind: str) -> GraphQLError:
    return GraphQLError(f"Field '{field.name}' doesn't exist on type '{kind}'")
