"""Which scopes a token needs for contributing. Pure."""

from __future__ import annotations

from isexplore.models import ForgeKind

CONTRIBUTING: dict[ForgeKind, tuple[str, ...]] = {
    ForgeKind.GITLAB: ("api",),
    ForgeKind.GITEA: ("write:repository", "write:issue"),
    ForgeKind.GITHUB: ("repo",),
}
"""The fewest scopes that the steps of a contribution need, as the forge names them."""


def has_scope(kind: ForgeKind, scopes: tuple[str, ...], name: str) -> bool:
    """Return whether a token with these scopes may do what the scope `name` allows."""
    if name in scopes:
        return True
    if kind is ForgeKind.GITLAB:
        return "api" in scopes
    if kind is ForgeKind.GITHUB:
        return False
    action, _, what = name.partition(":")
    return "all" in scopes or (action == "read" and f"write:{what}" in scopes)


def missing_scopes(
    kind: ForgeKind, scopes: tuple[str, ...] | None, *, public: bool = False
) -> tuple[str, ...]:
    """Return the scopes that contributing needs and the token is known to lack; empty where that is unknown.

    Args:
        kind: the forge's.
        scopes: the token's; None where the forge does not tell them.
        public: the contribution is to a public project.
    """
    if scopes is None:
        return ()
    # Fine-grained tokens have permissions in place of scopes; GitHub lists none of them.
    if kind is ForgeKind.GITHUB and (not scopes or (public and "public_repo" in scopes)):
        return ()
    return tuple(name for name in CONTRIBUTING[kind] if not has_scope(kind, scopes, name))
