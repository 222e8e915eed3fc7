"""Which token each kind of forge wants, and on which of its pages one is made. Pure."""

from __future__ import annotations

from urllib.parse import quote

from msgspec import Struct

from isexplore.errors import ScopeError
from isexplore.forge.scopes import has_scope, missing_scopes
from isexplore.models import ForgeKind, TokenFacts


class Scope(Struct, frozen=True):
    """One permission that a token needs."""

    name: str
    """As the forge spells it."""
    why: str
    """What it is for, as the end of "needed to ..."."""


class TokenNeeds(Struct, frozen=True, kw_only=True):
    """What to tell somebody who has to make a token."""

    noun: str
    """What the forge calls it."""
    page: str
    """Address of the page that makes one, filled in where the forge can."""
    prefilled: bool
    """Whether name and scopes are ticked there already."""
    scopes: tuple[Scope, ...]
    """The fewest that contributing needs."""
    reading: tuple[Scope, ...]
    """The fewest that only looking around needs."""
    steps: tuple[str, ...]
    """What to do on the page, in order."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the scopes for contributing."""
        return tuple(scope.name for scope in self.scopes)


def token_needs(kind: ForgeKind, url: str) -> TokenNeeds:
    """Return which token the forge at `url` (without a trailing slash) wants."""
    match kind:
        case ForgeKind.GITLAB:
            return TokenNeeds(
                noun="personal access token",
                page=f"{url}/-/user_settings/personal_access_tokens?name=isexplore&scopes={quote('api')}",
                prefilled=True,
                scopes=(Scope("api", "find projects, fork, push and open merge requests"),),
                reading=(Scope("read_api", "find and read projects"), Scope("read_repository", "clone them")),
                steps=(
                    "Check that the scope api is ticked, and choose when the token runs out.",
                    "Create the token and copy it: it is shown only once.",
                ),
            )
        case ForgeKind.GITEA:
            return TokenNeeds(
                noun="access token",
                page=f"{url}/user/settings/applications",
                prefilled=False,
                scopes=(
                    Scope("read:user", "know who you are"),
                    Scope("read:organization", "offer your organisations as places for a fork"),
                    Scope("write:repository", "fork, push and open pull requests"),
                    Scope("write:issue", "comment on issues"),
                ),
                reading=(
                    Scope("read:user", "know who you are"),
                    Scope("read:repository", "find and clone projects"),
                    Scope("read:issue", "read issues"),
                ),
                steps=(
                    'Under "Generate new token", call it isexplore and give it access to all repositories.',
                    "Under permissions, choose Read for user and organization, and Read and write for repository "
                    "and issue. A forge without this list needs no choice.",
                    "Generate the token and copy it: it is shown only once.",
                ),
            )
        case ForgeKind.GITHUB:
            return TokenNeeds(
                noun="personal access token (classic)",
                page=f"{url}/settings/tokens/new?description=isexplore&scopes=repo",
                prefilled=True,
                scopes=(Scope("repo", "find projects, fork, push and open pull requests"),),
                reading=(Scope("repo", "see internal and private projects"),),
                steps=(
                    "Check that the scope repo is ticked, and choose when the token runs out.",
                    "Generate the token and copy it: it is shown only once.",
                    'If your organisation uses single sign-on, press "Configure SSO" beside it and authorise it.',
                ),
            )


def lacking(kind: ForgeKind, facts: TokenFacts) -> tuple[str, ...]:
    """Return the scopes that contributing needs and the token is known to lack; empty where that is unknown.

    Raises:
        ScopeError: the token is not even enough for looking around; names those that are missing for all.
    """
    scopes = facts.scopes
    if scopes is not None and kind is not ForgeKind.GITHUB:
        needs = token_needs(kind, "")
        # A GitLab project can be read without cloning it.
        reading = needs.reading[:1] if kind is ForgeKind.GITLAB else needs.reading
        if not all(has_scope(kind, scopes, one.name) for one in reading):
            raise too_little(tuple(name for name in needs.names if not has_scope(kind, scopes, name)), scopes)
    return missing_scopes(kind, scopes)


def too_little(missing: tuple[str, ...], scopes: tuple[str, ...] | None) -> ScopeError:
    """Return the error for a token that is not enough for looking around."""
    words = " and ".join(missing)
    has = f"It has {', '.join(scopes)}." if scopes else ""
    return ScopeError(
        f"The token lacks {'the scope' if len(missing) == 1 else 'the scopes'} {words}",
        has,
        f"Make a token with {words}; a token's scopes cannot be changed afterwards on most forges.",
        missing=missing,
    )
