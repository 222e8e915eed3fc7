"""What can go wrong, told to a person: what happened, why, and what to do next.

Every failure that isexplore expects is an `IsexploreError`; anything else is a bug. The subclasses
differ by what the user can do about them, not by where they arose:

    IsexploreError
    ├── UsageError         the command line or the search language was used wrongly
    ├── ConfigError        config.toml, an ISEXPLORE_* variable or the organisation profile is wrong
    ├── StateError         a file of ours cannot be read or written (state, catalog, lock, disk full)
    ├── ForgeError         the forge said no, or could not be asked
    │   ├── AuthError          sign in again: the token is wrong, expired or revoked
    │   ├── ScopeError         make a token with one more scope
    │   ├── ForbiddenError     ask the owners: this account may not do that
    │   ├── NotVisibleError    missing, or hidden from this account
    │   ├── ConflictError      it exists already
    │   ├── InvalidError       the forge refused what was sent
    │   ├── MovedError         the project or the whole forge lives elsewhere now
    │   ├── ArchivedError      the project is read-only
    │   ├── RateLimitedError   wait until `retry_at`
    │   ├── UnavailableError   try later: network, DNS, TLS, proxy, time-out or a 5xx
    │   └── WrongAnswerError   not the API: a web page, a proxy, broken JSON
    ├── GitError           git said no, or is missing
    ├── BlockedError       a step of the journey cannot go on until somebody acts
    └── CancelledError     the user stopped it, or the system did
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import ClassVar

EXIT_OK = 0
EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_BUG = 3
EXIT_INTERRUPTED = 130


class IsexploreError(Exception):
    """An expected failure, in words for the person at the keyboard.

    The three texts must already be free of secrets; they may hold strangers' words, which every
    place that shows them cleans again (`isexplore.text.clean`).
    """

    kind: ClassVar[str] = "error"
    exit_code: int = EXIT_REFUSED

    def __init__(self, title: str, detail: str = "", hint: str = "") -> None:
        super().__init__(title)
        self.title = title
        """What happened, as one sentence without a final stop."""
        self.detail = detail
        """Why, as far as it is known: the server's or git's own words."""
        self.hint = hint
        """What to do next."""

    def __str__(self) -> str:
        return "\n".join(part for part in (self.title, self.detail, self.hint) if part)

    def as_json(self) -> dict[str, dict[str, str]]:
        """Return the error document that `--json` prints (design: `{"error": {...}}`)."""
        return {"error": {"kind": self.kind, "title": self.title, "detail": self.detail, "hint": self.hint}}


class UsageError(IsexploreError):
    """The command line or the search language was used wrongly."""

    kind = "usage"
    exit_code = EXIT_USAGE


class ConfigError(IsexploreError):
    """A configuration value is wrong, wherever it came from."""

    kind = "config"
    exit_code = EXIT_USAGE


class StateError(IsexploreError):
    """A file of isexplore's own cannot be read or written."""

    kind = "state"


class ForgeError(IsexploreError):
    """The forge said no, or could not be asked."""

    kind = "forge"

    def __init__(
        self,
        title: str,
        detail: str = "",
        hint: str = "",
        *,
        forge: str = "",
        status: int | None = None,
        request: str = "",
    ) -> None:
        super().__init__(title, detail, hint)
        self.forge = forge
        """Name of the forge, as in the configuration."""
        self.status = status
        """HTTP status, or None when there was no answer."""
        self.request = request
        """Method and path of the request, without its query."""


class AuthError(ForgeError):
    """401: the token is wrong, expired or revoked."""

    kind = "auth"


class ScopeError(ForgeError):
    """403 that names a missing token scope."""

    kind = "scope"

    def __init__(
        self,
        title: str,
        detail: str = "",
        hint: str = "",
        *,
        missing: tuple[str, ...] = (),
        forge: str = "",
        status: int | None = None,
        request: str = "",
    ) -> None:
        super().__init__(title, detail, hint, forge=forge, status=status, request=request)
        self.missing = missing
        """The scopes of which one would be enough, as the forge names them."""


class ForbiddenError(ForgeError):
    """403: this account may not do that."""

    kind = "forbidden"


class NotVisibleError(ForgeError):
    """404: missing, or hidden from this account; forges do not tell which."""

    kind = "not-visible"


class ConflictError(ForgeError):
    """409, or GitHub's 422 "already exists"."""

    kind = "conflict"


class InvalidError(ForgeError):
    """400, 405, 413 or 422: the forge refused what was sent."""

    kind = "invalid"


class MovedError(ForgeError):
    """A redirect away from the configured address, or a moved project."""

    kind = "moved"


class ArchivedError(ForgeError):
    """423, or a write to an archived project."""

    kind = "archived"


class RateLimitedError(ForgeError):
    """429, or GitHub's 403 with no requests left."""

    kind = "rate-limited"

    def __init__(
        self,
        title: str,
        detail: str = "",
        hint: str = "",
        *,
        retry_at: datetime | None = None,
        forge: str = "",
        status: int | None = None,
        request: str = "",
    ) -> None:
        super().__init__(title, detail, hint, forge=forge, status=status, request=request)
        self.retry_at = retry_at
        """When the forge will answer again (UTC), or None when it did not say."""


class UnavailableError(ForgeError):
    """No answer worth having: network, DNS, TLS, proxy, time-out or a 5xx."""

    kind = "unavailable"


class WrongAnswerError(ForgeError):
    """An answer that is not the API's: a web page, a proxy's error, broken JSON."""

    kind = "wrong-answer"


class GitError(IsexploreError):
    """Git said no, timed out, or is not installed."""

    kind = "git"

    def __init__(
        self,
        title: str,
        detail: str = "",
        hint: str = "",
        *,
        reason: str = "failed",
        returncode: int | None = None,
    ) -> None:
        super().__init__(title, detail, hint)
        self.reason = reason
        """A stable word for code to test (`isexplore.git.client` lists them)."""
        self.returncode = returncode


class BlockedError(IsexploreError):
    """A step of the journey cannot go on until somebody acts."""

    kind = "blocked"


class CancelledError(IsexploreError):
    """The user stopped it, or the system did."""

    kind = "cancelled"

    def __init__(
        self, title: str, detail: str = "", hint: str = "", *, exit_code: int = EXIT_INTERRUPTED
    ) -> None:
        super().__init__(title, detail, hint)
        self.exit_code = exit_code
