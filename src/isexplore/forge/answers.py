"""What came back from a forge, and what a bad answer means. Pure: no I/O, no HTTP library.

`refusal` is the one place where a status and a body become an error of `isexplore.errors`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urljoin

import msgspec
from msgspec import Struct

from isexplore.errors import (
    ArchivedError,
    AuthError,
    ConflictError,
    ForbiddenError,
    ForgeError,
    InvalidError,
    MovedError,
    NotVisibleError,
    RateLimitedError,
    ScopeError,
    UnavailableError,
    WrongAnswerError,
)
from isexplore.models import MergeRequest
from isexplore.text import clean_line

T = TypeVar("T")

DEFAULT_PAUSE = 60.0
"""Seconds to leave a forge alone that said "too many requests" and not for how long."""
_WORDS_LIMIT = 400
_WORDS_DEPTH = 4


class Answer(Struct, frozen=True):
    """A complete answer, its body unpacked and bounded."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    truncated: bool = False
    """Whether the body was cut at the limit that the caller had set."""

    def header(self, name: str) -> str:
        """Return a header's value, or the empty string."""
        return self.headers.get(name.lower(), "")

    @property
    def media_type(self) -> str:
        """Content type in lower case, without parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def says_page(self) -> bool:
        """Whether the content type is a web page's."""
        return self.media_type in ("text/html", "application/xhtml+xml")

    @property
    def is_page(self) -> bool:
        """Whether this is a web page, by its content type or by how it begins."""
        start = self.body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        return self.says_page or start.startswith((b"<!doctype html", b"<html"))


class Asked(Struct, frozen=True, kw_only=True):
    """What an answer is the answer to, for the words of an error."""

    forge: str
    host: str
    method: str
    path: str
    sign_in: str
    """Command that signs in again."""
    signed_in: bool

    @property
    def request(self) -> str:
        """Method and path, without the query."""
        return f"{self.method} {self.path}"


# Words


def told(answer: Answer) -> str:
    """Return the server's own explanation as one clean line; empty when there is none."""
    if answer.is_page:
        title = re.search(rb"<title[^>]*>(.{1,400}?)</title", answer.body[:65_536], re.IGNORECASE | re.DOTALL)
        if title is None:
            return "a web page"
        return f'a web page titled "{clean_line(title[1].decode("utf-8", "replace"), 100)}"'
    try:
        body: object = msgspec.json.decode(answer.body)
    except (ValueError, RecursionError):
        if answer.media_type not in ("text/plain", ""):
            return ""
        return clean_line(answer.body[:2_000].decode("utf-8", "replace"), _WORDS_LIMIT)
    said: dict[str, None] = {}
    for words in _walk(body, _WORDS_DEPTH):
        line = clean_line(words, _WORDS_LIMIT)
        if line:
            said[line] = None
        if len(said) >= 8:
            break
    return clean_line("; ".join(said), _WORDS_LIMIT)


def _walk(value: object, depth: int) -> Iterator[str]:
    """Yield the words in an error body: `message`, `error_description` or `error`, and `errors`."""
    if isinstance(value, str):
        yield value
    elif depth == 0:
        return
    elif isinstance(value, list):
        for item in value[:20]:
            yield from _walk(item, depth - 1)
    elif isinstance(value, dict):
        known = False
        for key in ("message", "error_description" if "error_description" in value else "error", "errors"):
            known = known or key in value
            if value.get(key):
                yield from _walk(value[key], depth - 1)
        if not known:
            yield from _fields(value, depth)


def _fields(value: Mapping[object, object], depth: int) -> Iterator[str]:
    """Yield "name has already been taken" for what a validation says of each field."""
    if isinstance(value.get("code"), str) and isinstance(value.get("field"), str):
        yield " ".join(str(value.get(key, "")) for key in ("resource", "field", "code")).replace("_", " ")
        return
    for field, words in list(value.items())[:20]:
        if isinstance(words, str | list | dict):
            for word in _walk(words, depth - 1):
                yield word if field == "base" else f"{field} {word}"


# Time


def retry_after(answer: Answer, now: datetime) -> float | None:
    """Return after how many seconds the server wants to be asked again; None when it does not say.

    `Retry-After` may be seconds or a date (RFC 9110, section 10.2.3); a date is held against the
    server's own `Date`, because this machine's clock may be wrong. Rate-limit resets are seconds of
    the epoch.
    """
    value = answer.header("retry-after").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    here = _http_date(answer.header("date")) or now
    moment = _http_date(value)
    if moment is not None:
        return max(0.0, (moment - here).total_seconds())
    for name in ("ratelimit-reset", "x-ratelimit-reset"):
        reset = answer.header(name).strip()
        if re.fullmatch(r"[0-9]{9,10}", reset):
            return max(0.0, int(reset) - here.timestamp())
    return None


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def moment(value: str | None) -> datetime | None:
    """Return an API's time in UTC; None for none, for nonsense and for Go's "never" (year 1)."""
    if not value:
        return None
    try:
        parsed = datetime.fromisoformat(value)
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=UTC)
        parsed = parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return parsed if parsed.year > 1970 else None


# Good answers


def picture_url(told: str | None, page: str) -> str:
    """Return the address of a picture; empty where there is none, or it is no address of the web.

    Args:
        told: as the forge names it, perhaps without a host.
        page: a web page of the forge.
    """
    try:
        address = urljoin(page, clean_line(told or "", 2_000)) if told else ""
    except ValueError:
        return ""
    return address if address.startswith(("https://", "http://")) else ""


def decode(answer: Answer, shape: type[T], asked: Asked) -> T:
    """Return the JSON of a good answer as `shape`.

    Raises:
        WrongAnswerError: a web page, no JSON, or JSON of another shape.
    """
    if answer.is_page:
        raise web_page(answer, asked)
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except msgspec.ValidationError as error:
        detail = f"Its answer has an unexpected shape: {clean_line(str(error), 200)}."
    except (ValueError, RecursionError):
        kind = clean_line(answer.media_type, 60) or "of no stated type"
        detail = (
            "Its answer is empty." if not answer.body.strip() else f"Its answer ({kind}) is not valid JSON."
        )
    raise WrongAnswerError(
        f"{asked.host} did not answer as expected",
        detail,
        "Try again; if it stays so, see what is between you and the forge: isexplore doctor",
        forge=asked.forge,
        status=answer.status,
        request=asked.request,
    )


def web_page(answer: Answer, asked: Asked) -> WrongAnswerError:
    """Return the error for HTML where the API should be."""
    return WrongAnswerError(
        f"{asked.host} sent a web page, not the API",
        f"It answered {told(answer)} ({answer.status}, {clean_line(answer.media_type, 60) or 'no type'}).",
        "Check the address, the VPN, and whether the network wants a sign-in in the browser first.",
        forge=asked.forge,
        status=answer.status,
        request=asked.request,
    )


# Bad answers

OWNERS = "Ask the project's owners for access."
"""What to do about a refusal that says no more than that."""
_MOVED = "moved project"
_ON_THE_PAGE = re.compile(r"terms of (?:service|use)|from a web browser", re.IGNORECASE)
"""What an account has to settle on the forge's own pages before its API answers."""
_GITEA_SCOPES = re.compile(r"(?:required=|required scope\(s\): ?)\[([^\]]*)\]")


def refusal(answer: Answer, asked: Asked, now: datetime) -> ForgeError:
    """Return the error that an answer of 300 and above means."""
    words = told(answer)
    status = answer.status
    if is_rate_limit(answer, words):
        return _rate_limited(answer, asked, words, now)
    if status >= 500 or status in (407, 408):
        return _unavailable(answer, asked, words)
    if answer.is_page:
        return web_page(answer, asked)
    if status == 401:
        return _auth(answer, asked, words)
    if status in (403, 451):
        return _forbidden(answer, asked, words)
    lower = words.lower()
    kind: type[ForgeError] = InvalidError
    title = f"{asked.host} refused the request"
    hint = ""
    if status in (404, 410):
        kind, title = NotVisibleError, "That does not exist, or this account may not see it"
        hint = "Check the name. A private or internal project looks missing to accounts without access."
    elif status == 409 or (status == 422 and ("already exist" in lower or "already_exists" in lower)):
        kind, title = ConflictError, "That exists already"
    elif status == 405 and _MOVED in lower:
        kind, title = MovedError, "The project has moved"
        hint = "Refresh the catalog to learn its new path: isexplore sync."
    elif status == 423:
        kind, title = ArchivedError, "The project is archived, so nothing in it can be changed"
    elif 300 <= status < 400:
        kind, title = MovedError, f"{asked.host} redirected the request"
        hint = "Check the address of the forge in the configuration."
    elif status in (413, 414):
        title = "The forge says that this is too large"
    return kind(
        title,
        words or f"It answered {status}.",
        hint,
        forge=asked.forge,
        status=status,
        request=asked.request,
    )


def is_rate_limit(answer: Answer, words: str) -> bool:
    """Whether an answer says "too many requests": 429, or 403 in GitHub's ways of saying it."""
    if answer.status == 429:
        return True
    if answer.status != 403:
        return False
    lower = words.lower()
    return (
        answer.header("x-ratelimit-remaining").strip() == "0"
        or bool(answer.header("retry-after"))
        or "secondary rate limit" in lower
        or "abuse detection" in lower
    )


def _rate_limited(answer: Answer, asked: Asked, words: str, now: datetime) -> RateLimitedError:
    seconds = retry_after(answer, now)
    wait = DEFAULT_PAUSE if seconds is None else seconds
    try:
        retry_at = now + timedelta(seconds=wait)
        local = retry_at.astimezone().strftime("%H:%M:%S" if wait < 43_200 else "%Y-%m-%d %H:%M")
    except OverflowError:
        retry_at, local = None, "much later"
    return RateLimitedError(
        f"{asked.host} wants fewer requests",
        words,
        f"Try again at {local}.",
        retry_at=retry_at,
        forge=asked.forge,
        status=answer.status,
        request=asked.request,
    )


def _unavailable(answer: Answer, asked: Asked, words: str) -> ForgeError:
    status = answer.status
    where = {"forge": asked.forge, "request": asked.request}
    if status == 407:
        return UnavailableError(
            "The proxy wants a sign-in",
            words,
            "Put user and password into the HTTPS_PROXY variable, or ask for a host exception.",
            status=status,
            **where,
        )
    said = f"It answered {status}: {words.removesuffix('.')}." if words else f"It answered {status}."
    number = clean_line(answer.header("x-request-id"), 60)
    if number:
        said += f" (request id {number})"
    title = f"{asked.host} has a problem"
    if status in (502, 503, 504):
        title = f"{asked.host} is not available"
    elif status == 408:
        title = f"{asked.host} took too long"
    return UnavailableError(title, said, "Try again in a few minutes.", status=status, **where)


def ready(request: MergeRequest) -> MergeRequest:
    """Return a merge request that was to be marked as ready.

    Raises:
        InvalidError: it still is a draft.
    """
    if not request.draft:
        return request
    raise InvalidError(
        "It still is a draft",
        f"{request.forge} took the request and kept the mark. Its title: {request.title}",
        f"Mark it as ready on its page: {request.url}",
        forge=request.forge,
    )


def _auth(answer: Answer, asked: Asked, words: str) -> AuthError:
    if asked.signed_in:
        title = f"{asked.host} does not accept the token"
        hint = f"It may be mistyped, expired or revoked. Sign in again: {asked.sign_in}"
    else:
        title = f"{asked.host} wants you to sign in"
        hint = f"Sign in: {asked.sign_in}"
    return AuthError(title, words, hint, forge=asked.forge, status=answer.status, request=asked.request)


class _Insufficient(Struct):
    """The body of a 403 for want of a scope (RFC 6750, section 3.1)."""

    error: str = ""
    scope: str = ""


def _forbidden(answer: Answer, asked: Asked, words: str) -> ForgeError:
    missing = _missing_scopes(answer, words)
    if missing is not None:
        needs = " or ".join(missing)
        return ScopeError(
            "The token may not do that",
            words,
            f"Make a token with the scope {needs} and sign in again: {asked.sign_in}"
            if needs
            else f"Make a token with more scopes and sign in again: {asked.sign_in}",
            missing=missing,
            forge=asked.forge,
            status=answer.status,
            request=asked.request,
        )
    lower = words.lower()
    if "archived" in lower and "read-only" in lower:
        return ArchivedError(
            "The project is archived, so nothing in it can be changed",
            words,
            forge=asked.forge,
            status=answer.status,
            request=asked.request,
        )
    hint = OWNERS
    if _ON_THE_PAGE.search(words):
        hint = f"Sign in to {asked.host} in a browser and accept there what it asks for, then try again."
    sso = re.search(r"url=(https://[^\s;]+)", answer.header("x-github-sso"))
    if sso is not None:
        hint = f"Authorise the token for the organisation's single sign-on: {clean_line(sso[1], 300)}"
    return ForbiddenError(
        "This account may not do that",
        words or f"{asked.host} answered {answer.status}.",
        hint,
        forge=asked.forge,
        status=answer.status,
        request=asked.request,
    )


def _missing_scopes(answer: Answer, words: str) -> tuple[str, ...] | None:
    """Return the scopes that a 403 asks for; empty when it does not name them, None if it is another 403."""
    try:
        body = msgspec.json.decode(answer.body, type=_Insufficient)
    except (ValueError, RecursionError):
        body = _Insufficient()
    if body.error == "insufficient_scope" or 'error="insufficient_scope"' in answer.header(
        "www-authenticate"
    ):
        return _scopes(body.scope.split())
    if "required scope" in words:
        required = _GITEA_SCOPES.search(words)
        return _scopes(required[1].replace(",", " ").split() if required else ())
    if "not accessible by personal access token" in words or "not accessible by integration" in words:
        header = answer.header("x-accepted-github-permissions") or answer.header("x-accepted-oauth-scopes")
        return _scopes(re.split(r"[,;]\s*", header) if header else ())
    return None


def _scopes(names: list[str] | tuple[()]) -> tuple[str, ...]:
    return tuple(clean_line(name, 60) for name in names[:10] if name)
