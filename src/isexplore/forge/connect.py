"""Which forge is at an address that somebody pasted?

It is asked without a token: each API answers strangers in its own way, also when it lets none in.
"""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Struct

from isexplore.errors import (
    ConfigError,
    ForgeError,
    MovedError,
    RateLimitedError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.forge.address import api_origin, host_of, is_loopback, origin_of
from isexplore.forge.answers import Answer, refusal, told
from isexplore.forge.http import ForgeClient
from isexplore.models import ForgeKind
from isexplore.text import clean_line

MAX_DEPTH = 4
"""Most parts of the path that a forge is looked for below."""
_MEMBERS_ONLY = "Only signed in user is allowed to call APIs"
"""All that a Gitea or Forgejo with REQUIRE_SIGNIN_VIEW says to strangers."""
_NAME_THE_KIND = "name the kind, and its token is tried: isexplore login URL --kind gitlab"
_EVERY_REFUSAL = tuple(range(400, 600))
_SSH = re.compile(r"(?:ssh://)?(?:[\w.-]+@)(?P<host>[\w.-]+)(?::|/)(?!//)")

_NO_SCHEME = re.compile(r"(?:[A-Za-z]+:(?!\d)|https?/)/*(?P<rest>.*)")
"""What somebody typed who meant `https://`: `htps:/git.example`, `https//git.example`; no `host:8443`."""


class Found(Struct, frozen=True, kw_only=True):
    """The forge at an address."""

    kind: ForgeKind
    url: str
    """Its web address, with the path of a sub-path install, without a trailing slash."""
    api_url: str
    version: str | None = None
    """As far as it tells strangers."""
    name: str = ""
    """Product: "GitLab", "Gitea", "Forgejo", "GitHub", "GitHub Enterprise Server"."""


class _Body(Struct):
    """What any of the three says to a stranger."""

    version: str | None = None
    installed_version: str | None = None
    message: str | None = None
    url: str | None = None
    documentation_url: str | None = None


class _Probe(NamedTuple):
    kind: ForgeKind
    api: str
    question: str


_PROBES = (
    _Probe(ForgeKind.GITLAB, "/api/v4", "/version"),
    _Probe(ForgeKind.GITEA, "/api/v1", "/version"),
    _Probe(ForgeKind.GITHUB, "/api/v3", "/meta"),
)


async def recognise(
    url: str,
    *,
    verify: ssl.SSLContext | None = None,
    allow_http: bool = False,
    timeout: float = 10.0,  # noqa: ASYNC109 - handed on to the client, which keeps it
    kind: ForgeKind | None = None,
) -> Found:
    """Return which forge is at `url`, which may be any of its pages.

    The longest path is tried first, then its parents: a forge below a path comes before another one
    at the root of the same host. With `kind`, the person's word counts: an address without a path is
    asked nothing, and behind a longer one only that kind is looked for; where it does not show itself,
    the address is taken as it is.

    Raises:
        ConfigError: not an address, an SSH address, or plain HTTP without `allow_http`.
        UnavailableError: no answer.
        MovedError: it redirects to another host, which is named.
        RateLimitedError: it wants fewer requests, and says until when.
        AuthError, ForbiddenError: it tells strangers nothing, not even what it is.
        WrongAnswerError: something answers, but no forge that isexplore knows.
    """
    address = readable(url)
    known = _hosted(address)
    if known is not None and kind in (None, known.kind):
        return known
    places = roots(address)
    if kind is not None and len(places) == 1:
        api_origin(places[0], allow_http)
        return _as_named(kind, places[0])
    async with ForgeClient(
        name="",
        base_url=origin_of(address),
        verify=verify,
        allow_http=allow_http,
        timeout=timeout,
        attempts=1,
    ) as client:
        heard: list[str] = []
        refused: list[ForgeError] = []
        moved: MovedError | None = None
        for root in places:
            for probe in _PROBES:
                if kind not in (None, probe.kind):
                    continue
                try:
                    answer = await client.send(
                        "GET",
                        root + probe.api + probe.question,
                        good=_EVERY_REFUSAL,
                        limit=1 << 18,
                        keep="head",
                    )
                except UnavailableError:
                    raise
                except MovedError as error:
                    # An unknown page of a forge may lead to a sign-in elsewhere; its parents tell.
                    moved = moved or error
                except ForgeError as error:
                    heard.append(error.detail)
                else:
                    found = _found(probe, root, answer)
                    if found is not None:
                        return found
                    heard.append(_heard(answer))
                    if answer.status in (401, 403, 429):
                        asked = client.asked("GET", root + probe.api + probe.question)
                        refused.append(refusal(answer, asked, datetime.now(UTC)))
                        if isinstance(refused[-1], RateLimitedError):
                            raise refused[-1]
        if kind is not None:
            return _as_named(kind, places[0])
        if refused and len(refused) == len(heard) and moved is None:
            # Its words are for accounts, but nobody has said yet which one this is.
            refused[0].title = f"{client.host} does not tell strangers what it is"
            refused[0].hint = f"Check the address. If it is right, {_NAME_THE_KIND}"
            raise refused[0]
        raise moved or _nothing_found(client.host, address, heard)


def readable(url: str) -> str:
    """Return what somebody pasted as an http(s) address.

    Raises:
        ConfigError: it is none.
    """
    address = url.strip()
    if len(address.split()) > 1:
        # Which host somebody meant is not for us to guess: the next thing to be sent there is a token.
        raise ConfigError(
            "That is not the address of a forge",
            f"{clean_line(url, 200)}: there are spaces in it.",
            "It looks like https://gitlab.example.com or https://example.com/gitlab.",
        )
    ssh = _SSH.match(address)
    if ssh is not None or address.startswith(("ssh:", "git:")):
        host = ssh["host"] if ssh is not None else "gitlab.example.com"
        raise ConfigError(
            "That is an address for git over SSH, not of a forge",
            clean_line(address, 200),
            f"Give the address of its web page, such as https://{clean_line(host, 100)}",
        )
    mistyped = None if "://" in address or "@" in address else _NO_SCHEME.match(address)
    if mistyped is not None:
        rest = clean_line(mistyped["rest"], 100)
        raise ConfigError(
            "That is not the address of a forge",
            clean_line(url, 200),
            (f"Did you mean https://{rest}? " if "." in rest else "")
            + "It looks like https://gitlab.example.com or https://example.com/gitlab.",
        )
    if "://" not in address:
        # A server on this machine, in a container more often than not, has no certificate.
        scheme = "http" if is_loopback(_parts(f"//{address}").hostname or "") else "https"
        address = f"{scheme}://{address}"
    parts = _parts(address)
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            "That is not the address of a forge",
            clean_line(url, 200),
            "It looks like https://gitlab.example.com or https://example.com/gitlab.",
        )
    if parts.username is not None:
        raise ConfigError(
            "The address has a user name or password in it",
            "A token belongs to the sign-in, not into the address.",
            f"Leave it out: https://{host_of(address)}",
        )
    return f"{origin_of(address)}{parts.path}"


def roots(address: str) -> list[str]:
    """Return where a forge may begin, for the address of one of its pages: the deepest place first."""
    path = urlsplit(address).path
    # Everything behind these is inside a forge: a page of a project, its API, its settings.
    path = re.split(r"/(?:-|api/v\d|users/sign_in|user/login|explore|dashboard)(?:/|$)", path)[0]
    parts = [part for part in path.split("/") if part not in ("", ".", "..")]
    if parts and parts[-1].endswith(".git"):
        parts.pop()
    origin = origin_of(address)
    depths = range(min(len(parts), MAX_DEPTH), -1, -1)
    return ["/".join([origin, *parts[:depth]]) for depth in depths]


def _parts(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as error:
        raise ConfigError("The address cannot be read", clean_line(address, 200)) from error
    return parts


def _as_named(kind: ForgeKind, root: str) -> Found:
    """Return a forge of which only the person says what it is."""
    api = next(probe.api for probe in _PROBES if probe.kind is kind)
    return Found(kind=kind, url=root, api_url=root + api)


def _hosted(address: str) -> Found | None:
    """Return GitHub's own services, whose API is on another host than their pages."""
    host = host_of(address)
    if host in ("github.com", "www.github.com", "api.github.com"):
        return Found(
            kind=ForgeKind.GITHUB, url="https://github.com", api_url="https://api.github.com", name="GitHub"
        )
    if host.endswith(".ghe.com"):
        host = host.removeprefix("api.")
        return Found(
            kind=ForgeKind.GITHUB,
            url=f"https://{host}",
            api_url=f"https://api.{host}",
            name="GitHub Enterprise Cloud",
        )
    return None


def _found(probe: _Probe, root: str, answer: Answer) -> Found | None:
    """Return the forge, if this is how its kind answers a stranger."""
    try:
        body = _Body() if answer.is_page else msgspec.json.decode(answer.body, type=_Body)
    except (ValueError, RecursionError):
        body = _Body()
    told_version = body.version if answer.status == 200 else None
    name = ""
    if probe.kind is ForgeKind.GITLAB:
        refused = answer.status in (401, 403) and (body.message or "").startswith(("401 ", "403 "))
        # Its web pages and the redirects to its sign-in carry the header too, below every path.
        marked = answer.header("x-gitlab-meta") and not answer.is_page and answer.status // 100 != 3
        if marked or told_version or refused:
            name = "GitLab"
    elif probe.kind is ForgeKind.GITEA:
        known = (body.url or "").endswith("/api/swagger") or (body.message or "").startswith(_MEMBERS_ONLY)
        refused = answer.status in (401, 403) and known
        if told_version or refused:
            name = "Forgejo" if "+gitea" in (told_version or "") else "Gitea"
    else:
        told_version = body.installed_version or answer.header("x-github-enterprise-version") or None
        refused = answer.status in (401, 403) and "/enterprise" in (body.documentation_url or "")
        if told_version or refused:
            name = "GitHub Enterprise Server"
    if not name:
        return None
    return Found(
        kind=probe.kind,
        url=root,
        api_url=root + probe.api,
        version=clean_line(told_version, 60) if told_version else None,
        name=name,
    )


def _heard(answer: Answer) -> str:
    words = told(answer)
    return f"{answer.status}: {words}" if words else str(answer.status)


def _nothing_found(host: str, address: str, heard: list[str]) -> ForgeError:
    said = clean_line("; ".join(dict.fromkeys(words for words in heard if words)), 300).removesuffix(".")
    if heard and all(words.startswith("5") for words in heard):
        return UnavailableError(
            f"{host} is not available", f"It answered {said}.", "Try again in a few minutes."
        )
    if any("web page" in words for words in heard):
        return WrongAnswerError(
            f"{host} sends web pages, but no forge's API",
            f"It answered {said}.",
            "Check the address, the VPN, and whether the network wants a sign-in in the browser first.",
        )
    return WrongAnswerError(
        f"No GitLab, Gitea, Forgejo or GitHub was recognised at {clean_line(address, 200)}",
        f"It answered {said}." if said else "",
        f"Check the address. If it is right, {_NAME_THE_KIND}",
    )
