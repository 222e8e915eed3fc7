"""The shape of `config.toml`: every setting, its type, its default and what it means.

The descriptions here are the only ones: `isexplore config show`, `config check`, the table in the
README and `--help` are made from them (`isexplore.config.reference`). An organisation profile has
the same shape; `PERSONAL_ONLY` names what it may not set.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct, field

from isexplore.models import ForgeKind

DURATION = {"unit": "duration"}
"""Marks a number of seconds that is written as `20`, `"90s"`, `"15m"`, `"6h"` or `"7d"`."""
URL = {"check": "url"}
"""Marks an https address (http for this machine, or where `allow_http` is set)."""
LINK = {"check": "link"}
"""Marks an address that only the browser opens: http is fine."""
PLACE = {"check": "place"}
"""Marks either a file or an https address."""

DEFAULT_TAGS = ("innersource", "inner-source")
DEFAULT_FIRST_LABELS = (
    "good first issue",
    "first-timers-only",
    "first contribution",
    "good first bug",
    "beginner",
    "beginner-friendly",
    "newcomer",
    "starter",
    "easy",
    "quick win",
    "low-hanging-fruit",
)
DEFAULT_WANTED_LABELS = (
    "help wanted",
    "up-for-grabs",
    "contributions welcome",
    "Seeking community contributions",
)


class ForgeConfig(Struct, frozen=True, kw_only=True):
    """A forge: one `[forge.NAME]` table."""

    name: str
    """From the table's name; projects are shown and searched (`forge:NAME`) under it."""
    url: Annotated[
        str,
        Meta(
            description="Web address of the forge, with its sub-path if it has one.",
            examples=["https://gitlab.example.com"],
            extra=URL,
        ),
    ]
    kind: Annotated[
        ForgeKind | None,
        Meta(description="Which API it speaks; found out when left out.", examples=["gitlab"]),
    ] = None
    api_url: Annotated[
        str | None,
        Meta(
            description="Address of its API, where that is not below `url`.",
            examples=["https://api.example.com/v4"],
            extra=URL,
        ),
    ] = None
    username: Annotated[
        str | None,
        Meta(description="Your account name; asked from the forge when left out.", examples=["ada"]),
    ] = None
    tags: Annotated[
        tuple[str, ...] | None,
        Meta(
            description="Topics that mark InnerSource projects on this forge, instead of the general `tags`."
        ),
    ] = None
    groups: Annotated[
        tuple[str, ...],
        Meta(
            description="Look only below these groups; empty means everywhere.",
            examples=[["platform", "data/tools"]],
        ),
    ] = ()
    git: Annotated[
        Literal["https", "ssh"],
        Meta(description="How git talks to the forge: with your token, or with your SSH key."),
    ] = "https"
    ssh_host: Annotated[
        str | None,
        Meta(
            description="Host that git uses over SSH, where it is another than the web address's.",
            examples=["ssh.example.com"],
        ),
    ] = None
    former_urls: Annotated[
        tuple[str, ...],
        Meta(
            description="Addresses that the forge had before; clones made from them keep working.",
            examples=[["https://git.old.example.com"]],
            extra=URL,
        ),
    ] = ()
    allow_http: Annotated[
        bool,
        Meta(description="Send the token over http, readable by all on the way; needless for this machine."),
    ] = False
    client_id: Annotated[
        str | None,
        Meta(description="OAuth application id from an administrator: sign in with a code, not a token."),
    ] = None
    token_command: Annotated[
        str | None,
        Meta(
            description="Command that prints the token; no shell runs it. It sees the variables that it names (`$X`).",
            examples=["pass show forge/token"],
        ),
    ] = None

    @property
    def origin(self) -> str:
        """`scheme://host[:port]` that the forge's token belongs to; a default port is left out."""
        return origin_of(self.url)


class NetworkConfig(Struct, frozen=True, kw_only=True):
    """How to reach the forges: the `[network]` table."""

    ca_file: Annotated[
        Path | None,
        Meta(
            description="Certificates (PEM) to trust besides the system's; used for HTTP and git alike.",
            examples=["/etc/ssl/certs/example-root.pem"],
        ),
    ] = None
    client_cert: Annotated[
        Path | None,
        Meta(description="Certificate (PEM) that identifies this machine, where the network asks for one."),
    ] = None
    client_key: Annotated[
        Path | None, Meta(description="Private key (PEM) of `client_cert`, unless it is in the same file.")
    ] = None
    timeout: Annotated[
        float,
        Meta(
            description="How long one request may take in all.",
            examples=["20s"],
            extra=DURATION,
            gt=0,
            le=600,
        ),
    ] = 20.0
    concurrency: Annotated[
        int, Meta(description="How many requests run at once against one forge.", ge=1, le=64)
    ] = 8


class Config(Struct, frozen=True, kw_only=True):
    """Everything that can be set."""

    forges: tuple[ForgeConfig, ...] = ()
    """The `[forge.NAME]` tables, in the order of the file."""
    tags: Annotated[
        tuple[str, ...],
        Meta(
            description="Topics that mark InnerSource projects; case, `-`, `_` and spaces are ignored.",
            examples=[["innersource", "inner-source"]],
            min_length=1,
        ),
    ] = DEFAULT_TAGS
    first_labels: Annotated[
        tuple[str, ...],
        Meta(description="Labels of issues that suit a newcomer.", examples=[["good first issue"]]),
    ] = DEFAULT_FIRST_LABELS
    wanted_labels: Annotated[
        tuple[str, ...],
        Meta(description="Labels of issues that anyone may take.", examples=[["help wanted"]]),
    ] = DEFAULT_WANTED_LABELS
    clone_folder: Annotated[
        Path | None,
        Meta(
            description="Where clones go, as `clone_folder/group/name`; asked the first time.",
            examples=["~/src"],
        ),
    ] = None
    sources: Annotated[
        tuple[str, ...],
        Meta(
            description="Project lists (a portal's `repos.json`) to read besides searching the forges.",
            examples=[["https://portal.example.com/repos.json"]],
            extra=PLACE,
        ),
    ] = ()
    communication_url: Annotated[
        str | None,
        Meta(
            description="Address of your chat: a project's channel name is put behind it.",
            examples=["https://chat.example.com/channels/"],
            extra=LINK,
        ),
    ] = None
    profile: Annotated[
        str | None,
        Meta(
            description="Organisation profile (file or https address): settings below your own.",
            examples=["https://innersource.example.com/isexplore.toml"],
            extra=PLACE,
        ),
    ] = None
    refresh_after: Annotated[
        float,
        Meta(
            description="Refresh the catalog in the background when it is older than this.",
            examples=["1h"],
            extra=DURATION,
            ge=0,
        ),
    ] = 3_600.0
    token_store: Annotated[
        Literal["keyring", "file", "session"],
        Meta(
            description="Where signing in puts the token: the system's keyring, a file only you can read, "
            "or nowhere (gone when isexplore ends)."
        ),
    ] = "keyring"
    theme: Annotated[str | None, Meta(description="Colours of the screen.", examples=["nord"])] = None
    editor: Annotated[
        str | None,
        Meta(
            description="Command that opens a file, instead of `$VISUAL` or `$EDITOR`.",
            examples=["code --wait"],
        ),
    ] = None
    keys: Annotated[
        dict[str, str],
        Meta(
            description="Keys for actions, by their ids (README, Keys).",
            examples=[{"catalog.search": "ctrl+f"}],
        ),
    ] = field(default_factory=dict)
    searches: Annotated[
        dict[str, str],
        Meta(
            description="Saved searches: a name and what to search for.",
            examples=[{"mine": "lang:python topic:api"}],
        ),
    ] = field(default_factory=dict)
    network: NetworkConfig = field(default_factory=NetworkConfig)

    def forge(self, name: str) -> ForgeConfig | None:
        """Return the forge with this name, or None."""
        return next((forge for forge in self.forges if forge.name == name), None)

    def tags_of(self, forge: ForgeConfig) -> tuple[str, ...]:
        """Return the topics that mark InnerSource projects on `forge`."""
        return self.tags if forge.tags is None else forge.tags


PERSONAL_ONLY = frozenset(
    {"profile", "editor", "token_store", "forge.token_command", "forge.allow_http", "forge.username"}
)
"""Settings that an organisation profile may not make: they run commands here, weaken how the token is
kept, or are about one person."""

SUGGESTED_CLONE_FOLDER = "~/src"
"""What the first clone offers while `clone_folder` is not set."""


def origin_of(url: str) -> str:
    """Return `scheme://host[:port]` of `url`, in lower case and without a default port (RFC 6454).

    Raises:
        ValueError: `url` has no host, or a port that is none.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if not host:
        raise ValueError(f"no host in {url!r}")
    if ":" in host:
        host = f"[{host}]"
    port = parts.port
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None and port != default else "")
