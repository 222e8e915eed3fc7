"""The caller, other accounts, the token, and the server itself over REST. https://docs.gitlab.com/api/users/"""

from __future__ import annotations

from isexplore.practice import shapes
from isexplore.practice.api import Answer, Call, Route, answer, missing, paged, refuse
from isexplore.practice.rows import UserRow

VERSION = "17.11.0"
"""The GitLab version whose behaviour is followed."""
_ANY_SCOPE = ("api", "read_api", "read_user", "read_repository", "write_repository")


async def me(call: Call) -> Answer:
    """GET /user."""
    return answer(call, shapes.account(call, call.signed_in()))


async def get_user(call: Call) -> Answer:
    """GET /users/:id."""
    key = call.place["id"]
    user = call.store.user_by_id(int(key[:18])) if key.isdecimal() else None
    if user is None:
        raise missing("User")
    return answer(call, {**(shapes.person(call, user.username) or {}), **_public(user)})


async def list_users(call: Call) -> Answer:
    """GET /users."""
    name = call.text("username")
    if call.user is None and not name:
        raise refuse(403, "403 Forbidden - Not authorized to access /api/v4/users")
    wanted = (call.text("search") or "").lower()
    found = [
        user
        for user in call.users.values()
        if (name is None or user.username.lower() == name.lower())
        and (wanted in user.username.lower() or wanted in user.name.lower())
    ]
    return paged(call, found, lambda rows: [shapes.person(call, user.username) for user in rows])


def _public(user: UserRow) -> dict[str, object]:
    return {
        "created_at": shapes.time(user.created_at),
        "bio": "",
        "public_email": "",
        "bot": user.bot,
        "followers": 0,
        "following": 0,
    }


async def metadata(call: Call) -> Answer:
    """GET /metadata, and GET /version, which tells the same."""
    call.signed_in()
    kas = {"enabled": False, "externalUrl": None, "externalK8sProxyUrl": None, "version": None}
    return answer(call, {"version": VERSION, "revision": "practice", "kas": kas, "enterprise": False})


async def own_token(call: Call) -> Answer:
    """GET /personal_access_tokens/self."""
    user = call.signed_in()
    return answer(call, _token(call, user))


async def own_tokens(call: Call) -> Answer:
    """GET /personal_access_tokens: the one in use, as there are no others."""
    return paged(call, [call.signed_in()], lambda users: [_token(call, user) for user in users])


def _token(call: Call, user: UserRow) -> dict[str, object]:
    return {
        "id": 1,
        "name": "practice",
        "revoked": False,
        "created_at": shapes.time(user.created_at),
        "scopes": call.scopes,
        "user_id": user.id,
        "last_used_at": shapes.time(call.store.now()),
        "active": True,
        "expires_at": call.expires_on.isoformat() if call.expires_on else None,
    }


ROUTES = (
    Route("GET", "/user", me, ("api", "read_api", "read_user")),
    Route("GET", "/users", list_users, ("api", "read_api", "read_user")),
    Route("GET", "/users/:id", get_user, ("api", "read_api", "read_user")),
    Route("GET", "/version", metadata, ("api", "read_api", "read_user")),
    Route("GET", "/metadata", metadata, ("api", "read_api", "read_user")),
    Route("GET", "/personal_access_tokens", own_tokens),
    Route("GET", "/personal_access_tokens/self", own_token, _ANY_SCOPE),
)
