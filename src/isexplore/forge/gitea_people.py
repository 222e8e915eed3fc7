"""Who has a role in a repository on Gitea and Forgejo.

No endpoint says it to outsiders, so several are put together: the teams of an organisation, the
collaborators, and who may be assigned to issues, which is everybody who may push.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from isexplore.errors import AuthError, ForgeError, RateLimitedError
from isexplore.forge import gitea_parse as parse
from isexplore.forge.gitea_wire import WireTeam, WireUser
from isexplore.models import Member, Person, Role

if TYPE_CHECKING:
    from isexplore.forge.http import ForgeClient

T = TypeVar("T")
Where = tuple[str | int, ...]

_TEAM_ROLES = {
    "owner": Role.OWNER,
    "admin": Role.MAINTAINER,
    "write": Role.DEVELOPER,
    "read": Role.REPORTER,
}
_STRENGTH = {role: strength for strength, role in enumerate(Role)}
_PER_PAGE = 50
_MAX_TEAMS = 10


async def find_members(client: ForgeClient, place: parse.Place, repo: Where, owner: str) -> list[Member]:
    """Return the people with a role, strongest first; lists that are closed to this account are left out.

    Args:
        client: speaks to the API.
        place: the forge.
        repo: address of the repository.
        owner: user or organisation that it belongs to.
    """
    teams, collaborators, assignees = await asyncio.gather(
        _teams(client, repo),
        _visible(client, (*repo, "collaborators")),
        _visible(client, (*repo, "assignees")),
    )
    roles: dict[str, Role] = {}
    people: dict[str, Person] = {}

    def add(wires: list[WireUser], role: Role) -> None:
        for wire in wires:
            person = parse.parse_person(wire, place)
            key = person.username.lower()
            if not key:
                continue
            # A repository of a person has no teams; its owner is among those who can be assigned.
            own = Role.OWNER if teams is None and key == owner.lower() else role
            people.setdefault(key, person)
            if _STRENGTH[own] > _STRENGTH[roles.get(key, Role.NONE)]:
                roles[key] = own

    add(assignees, Role.DEVELOPER)
    add(collaborators, Role.REPORTER)
    held = [team for team in teams or () if team.permission in _TEAM_ROLES][:_MAX_TEAMS]
    lists = await asyncio.gather(*(_visible(client, ("teams", team.id, "members")) for team in held))
    for team, wires in zip(held, lists, strict=True):
        add(wires, _TEAM_ROLES[team.permission or ""])
    if teams is None and owner.lower() not in people:
        people[owner.lower()], roles[owner.lower()] = (
            Person(username=owner, url=f"{place.url}/{owner}"),
            Role.OWNER,
        )
    found = [Member(person=people[key], role=role) for key, role in roles.items()]
    return sorted(found, key=lambda member: -_STRENGTH[member.role])


async def _teams(client: ForgeClient, repo: Where) -> list[WireTeam] | None:
    """Return the teams of a repository; None for one that a person owns (405), empty if they are hidden."""
    try:
        return await client.get_all((*repo, "teams"), item=WireTeam)
    except (AuthError, RateLimitedError):
        raise
    except ForgeError as error:
        if error.status is None:
            raise
        return None if error.status == 405 else []


async def _visible(client: ForgeClient, path: Where) -> list[WireUser]:
    """Return a list of accounts; empty where it is closed to this account."""
    try:
        return await client.get_all(path, {"limit": _PER_PAGE}, item=WireUser)
    except (AuthError, RateLimitedError):
        raise
    except ForgeError as error:
        if error.status is None:
            raise
        return []
