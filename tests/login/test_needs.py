from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from isexplore.errors import ScopeError
from isexplore.login.needs import lacking, token_needs
from isexplore.models import ForgeKind, TokenFacts


@pytest.mark.parametrize("kind", list(ForgeKind))
def test_needs_say_where_what_and_why(kind: ForgeKind) -> None:
    needs = token_needs(kind, "https://git.example.com/sub")
    assert needs.page.startswith("https://git.example.com/sub/")
    assert needs.steps
    assert all(scope.why for scope in (*needs.scopes, *needs.reading))
    filled = parse_qs(urlsplit(needs.page).query)
    assert needs.prefilled == bool(filled)
    if needs.prefilled:
        assert filled["scopes"] == [",".join(needs.names)]
    for name in needs.names:
        assert any(name.rpartition(":")[2] in step for step in needs.steps)


@pytest.mark.parametrize(
    ("kind", "scopes", "missing"),
    [
        (ForgeKind.GITLAB, ("api",), ()),
        (ForgeKind.GITLAB, ("api", "read_user"), ()),
        (ForgeKind.GITLAB, ("read_api", "read_repository"), ("api",)),
        (ForgeKind.GITEA, ("all",), ()),
        (ForgeKind.GITEA, ("write:user", "write:repository", "write:issue"), ()),
        (ForgeKind.GITEA, ("read:user", "read:organization", "write:repository", "write:issue"), ()),
        (ForgeKind.GITEA, ("read:user", "read:repository", "write:issue"), ("write:repository",)),
        (ForgeKind.GITHUB, ("repo", "gist"), ()),
        (ForgeKind.GITHUB, ("public_repo",), ("repo",)),
        (ForgeKind.GITHUB, (), ()),
        (ForgeKind.GITHUB, None, ()),
        (ForgeKind.GITLAB, None, ()),
    ],
)
def test_missing_scopes_are_named(
    kind: ForgeKind, scopes: tuple[str, ...] | None, missing: tuple[str, ...]
) -> None:
    assert lacking(kind, TokenFacts(scopes=scopes)) == missing


@pytest.mark.parametrize(
    ("kind", "scopes", "missing"),
    [
        (ForgeKind.GITLAB, ("read_user",), ("api",)),
        (ForgeKind.GITLAB, ("write_repository",), ("api",)),
        (ForgeKind.GITEA, ("read:user",), ("read:organization", "write:repository", "write:issue")),
    ],
)
def test_token_that_cannot_even_read_is_refused(
    kind: ForgeKind, scopes: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    with pytest.raises(ScopeError) as caught:
        lacking(kind, TokenFacts(scopes=scopes))
    assert caught.value.missing == missing
    assert all(name in caught.value.hint for name in missing)
    assert scopes[0] in caught.value.detail
