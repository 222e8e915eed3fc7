"""Trying a token: who it is, what it may do, until when, for the API and for git."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from isexplore.config.schema import Config, ForgeConfig
from isexplore.config.secrets import Secret
from isexplore.errors import ForgeError, GitError, IsexploreError, ScopeError
from isexplore.forge.base import Forge, ServerFacts
from isexplore.login.needs import lacking, token_needs, too_little
from isexplore.models import ForgeKind, Person, Project, TokenFacts, Visibility
from isexplore.text import count

if TYPE_CHECKING:
    from isexplore.forge.http import ForgeClient
    from isexplore.git.client import Git

SOON = timedelta(days=14)
"""How long before a token runs out it is told."""

_NOBODY = "-"
"""No forge lets anybody be called this, so that a request about it changes nothing."""
_GITEA_QUESTIONS: tuple[tuple[str, tuple[str, ...], bool], ...] = (
    ("GET", ("repos", "search"), True),
    ("GET", ("repos", "issues", "search"), True),
    ("POST", ("repos", _NOBODY, _NOBODY, "forks"), False),
    ("POST", ("repos", _NOBODY, _NOBODY, "issues", "1", "comments"), False),
)
"""Method, path, and whether looking around needs it. Gitea checks scopes before it looks for the
project: with the scope the answer to the last two is "not found"."""


class GitCheck(Struct, frozen=True, kw_only=True):
    """Whether git could sign in; `ok` is None when there was nothing to try it on."""

    ok: bool | None
    detail: str
    hint: str = ""


class Verified(Struct, frozen=True, kw_only=True):
    """A token that works, and how far."""

    person: Person
    server: ServerFacts
    facts: TokenFacts
    missing: tuple[str, ...] = ()
    """Scopes without which the token is good for looking around only."""
    warnings: tuple[str, ...] = ()
    """What to know before relying on it, each one sentence."""
    git: GitCheck = GitCheck(ok=None, detail="not tried")


async def verify(
    forge: Forge,
    client: ForgeClient | None,
    *,
    git: Git | None = None,
    config: Config,
    settings: ForgeConfig,
    token: Secret,
    today: date | None = None,
) -> Verified:
    """Return what the token can do.

    Args:
        forge: connected with the token.
        client: the same connection; needed only where scopes have to be found out by asking (Gitea).
        git: to try git's own sign-in with; None leaves that out.
        config: for the tags by which a project to try git on is found.
        settings: the forge's.
        token: the token.
        today: instead of the present day (UTC).

    Raises:
        AuthError: the token is wrong, expired or revoked.
        ScopeError: it is not even enough for looking around; names what is missing.
        ForgeError: the forge cannot be asked.
    """
    server = await forge.server()
    person = await forge.whoami()
    facts = await forge.token_facts()
    missing = lacking(server.kind, facts)
    if facts.scopes is None and server.kind is ForgeKind.GITEA and client is not None:
        missing = await missing_by_asking(client)
    checked = await try_git(forge, git, config=config, settings=settings, token=token) if git else None
    return Verified(
        person=person,
        server=server,
        facts=facts,
        missing=missing,
        warnings=tuple(_warnings(person, facts, missing, today or datetime.now(UTC).date())),
        git=checked or GitCheck(ok=None, detail="not tried"),
    )


def _warnings(person: Person, facts: TokenFacts, missing: tuple[str, ...], today: date) -> list[str]:
    warnings = []
    if missing:
        warnings.append(
            f"Without {' and '.join(missing)} you can look around, but not fork, push or open merge requests."
        )
    if facts.expires_on is not None and facts.expires_on <= today + SOON:
        warnings.append(f"The token {expiry_words(facts.expires_on, today)}.")
    if person.bot:
        warnings.append(f"{person.username} is a bot account: it has no place of its own for forks.")
    if person.external:
        warnings.append("External accounts do not see internal projects.")
    return warnings


def expiry_words(expires_on: date, today: date) -> str:
    """Return "runs out in 3 days (2026-03-04)", "ran out yesterday (...)" and the like."""
    days = (expires_on - today).days
    if days < 0:
        return f"ran out {count(-days, 'day')} ago ({expires_on})"
    if days == 0:
        return f"runs out today ({expires_on})"
    return f"runs out in {count(days, 'day')} ({expires_on})"


async def missing_by_asking(client: ForgeClient) -> tuple[str, ...]:
    """Return the scopes that a Gitea token lacks, found by requests that change nothing.

    Raises:
        ScopeError: it is not even enough for looking around.
    """
    missing: dict[str, None] = {}
    for method, path, needed in _GITEA_QUESTIONS:
        try:
            params = {"limit": "1"} if method == "GET" else None
            await client.send(method, path, params=params, json=None if method == "GET" else {})
        except ScopeError as error:
            named = error.missing or ("write:repository",)
            if needed:
                raise too_little(token_needs(ForgeKind.GITEA, "").names, None) from error
            missing.update(dict.fromkeys(named))
        except ForgeError:
            continue
    return tuple(missing)


async def try_git(
    forge: Forge, git: Git, *, config: Config, settings: ForgeConfig, token: Secret | None
) -> GitCheck:
    """Return whether git can read a project with this token, or with the SSH key where that is configured."""
    from isexplore.git.facts import Credential

    project = await project_to_try(forge, config.tags_of(settings))
    if project is None:
        return GitCheck(ok=None, detail="no project was found to try it on")
    over_ssh = settings.git == "ssh"
    url = project.ssh_url if over_ssh else project.clone_url
    login = forge.git_login
    credential = None
    if token is not None and not over_ssh:
        credential = Credential(origin=login.origin, username=login.username, token=token)
    way = "SSH" if over_ssh else "HTTPS"
    try:
        await git.remote_branch(None, url, project.default_branch or "main", credential=credential)
    except GitError as error:
        return GitCheck(
            ok=False, detail=f"git over {way}: {error.title}. {error.detail}".strip(), hint=error.hint
        )
    known = "" if project.visibility is not Visibility.PUBLIC or over_ssh else ", which anybody may"
    return GitCheck(ok=True, detail=f"git over {way} can read {project.path}{known}")


async def project_to_try(forge: Forge, tags: tuple[str, ...]) -> Project | None:
    """Return a project that git can be tried on, rather one that not everybody may read; None if there is none."""
    try:
        async for page in forge.find_projects(tags):
            usable = [project for project in page.projects if project.clone_url and not project.empty]
            if usable:
                return next((each for each in usable if each.visibility is not Visibility.PUBLIC), usable[0])
    except IsexploreError:
        return None
    return None
