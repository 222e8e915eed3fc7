"""Where a link in somebody's document leads, and whether isexplore goes there. Pure: no I/O.

A document names an address in its own words; nothing of it is trusted. Only `http` and `https`
pages are ever opened, a relative link means a file of the same project, and everything else is
refused with a reason to show.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from isexplore.text import pattern

MAX_HREF = 2_000
"""Characters of a link; nobody types a longer one, and terminals choke on them."""


class LinkKind(StrEnum):
    """What following a link means."""

    DOCUMENT = "document"
    """Another file of the same project; `target` is its path."""
    ANCHOR = "anchor"
    """A heading of the same document; `target` is its slug."""
    WEB = "web"
    """A web page; `target` is its address."""
    MAIL = "mail"
    """Somebody to write to; `target` is the bare address."""
    REFUSED = "refused"
    """Nowhere; `reason` says why."""


class Link(NamedTuple):
    """A link after the check."""

    kind: LinkKind
    target: str = ""
    host: str = ""
    """Host (and port) of a web page in ASCII, as it is really asked for: what a question shows."""
    fragment: str = ""
    """Slug of a heading in the document that `target` names."""
    reason: str = ""
    """Why it was refused, as half a sentence: "the link holds a user name"."""


_MAIL = pattern(
    r"(?i:mailto):(?P<address>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})(?:\?.*)?", re.ASCII
)
"""What comes behind a question mark, a subject or a copy for somebody, is the document's idea and left out."""
_SCHEME = pattern(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_HOST_LABEL = pattern(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_IPV6 = re.compile(r"[0-9a-f:.]{2,45}")
_MAIN_BRANCHES = frozenset({"HEAD", "main", "master", "trunk", "develop"})
# GitLab: /-/blob/REF/path; Gitea: /src/branch/REF/path; GitHub: /blob/REF/path. `raw`, `tree` alike.
_IN_PROJECT = pattern(r"/(?:-/)?(?:blob|raw|tree|src/branch|raw/branch)/(?P<ref>[^/]+)/(?P<path>.+)")


def resolve(href: str, base: str, document_path: str = "") -> Link:
    """Return where `href` leads from a document.

    Args:
        href: the link as the document has it.
        base: the web page of the project, to tell its own files from the rest of the web; "" when unknown.
        document_path: path of the document in its project; relative links start in its folder.
    """
    href = href.strip()
    reason = _refusal(href)
    if reason:
        return Link(LinkKind.REFUSED, reason=reason)
    if href.startswith("#"):
        return Link(LinkKind.ANCHOR, _slug_of(href[1:]))
    if href.startswith("//"):
        return _web("https:" + href, base)
    if _SCHEME.match(href):
        if href[:5].lower() == "http:" or href[:6].lower() == "https:":
            return _web(href, base)
        if mail := _MAIL.fullmatch(href):
            return Link(LinkKind.MAIL, mail["address"])
        return Link(LinkKind.REFUSED, reason=f"{href.partition(':')[0].lower()}: links are not opened")
    return _in_project(href, document_path)


def _refusal(href: str) -> str:
    if not href:
        return "the link is empty"
    if len(href) > MAX_HREF:
        return "the link is too long"
    if not href.isprintable():
        return "the link holds invisible characters"
    if "\\" in href or " " in href:
        return "the link holds a backslash or a space"
    if href.startswith("-"):
        return "the link starts with a dash"
    return ""


def _web(href: str, base: str) -> Link:
    try:
        parts = urlsplit(href)
        port = parts.port
    except ValueError:
        return Link(LinkKind.REFUSED, reason="the address is malformed")
    if "@" in parts.netloc:
        return Link(LinkKind.REFUSED, reason="the address holds a user name, which hides its real host")
    host = _ascii_host(parts.hostname or "")
    if not host:
        return Link(LinkKind.REFUSED, reason="the host name is malformed")
    shown = host if port is None else f"{host}:{port}"
    target = parts._replace(scheme=parts.scheme.lower(), netloc=shown)
    return _own_document(target, base) or Link(LinkKind.WEB, target.geturl(), shown)


def _ascii_host(host: str) -> str:
    """Return `host` in punycode, or "" when it is no host name."""
    host = host.lower().rstrip(".")
    if ":" in host:
        return f"[{host}]" if _IPV6.fullmatch(host) else ""
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    labels = host.split(".")
    return host if len(host) <= 253 and all(_HOST_LABEL.fullmatch(label) for label in labels) else ""


def _own_document(page: SplitResult, base: str) -> Link | None:
    """Return the file of this project that a web address shows, if it is one on a main branch."""
    if not base:
        return None
    home = urlsplit(base)
    folder = home.path.rstrip("/") + "/"
    if (page.scheme, page.netloc) != (home.scheme, home.netloc) or not page.path.startswith(folder):
        return None
    match = _IN_PROJECT.fullmatch(page.path[len(folder) - 1 :])
    if match is None or match["ref"] not in _MAIN_BRANCHES or page.query:
        return None
    link = _in_project("/" + match["path"] + (f"#{page.fragment}" if page.fragment else ""), "")
    return link if link.kind is LinkKind.DOCUMENT else None


def _in_project(href: str, document_path: str) -> Link:
    path, _, fragment = href.partition("#")
    path = unquote(path.partition("?")[0])
    if not path.isprintable() or "\\" in path:
        return Link(LinkKind.REFUSED, reason="the link holds invisible characters")
    # Forges read a leading slash as the root of the project, not of the host.
    folder = "" if path.startswith("/") else document_path.rpartition("/")[0]
    walked = folder.split("/") if folder else []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part != "..":
            walked.append(part)
        elif walked:
            walked.pop()
        else:
            return Link(LinkKind.REFUSED, reason="the link leads out of the project")
    target = "/".join(walked)
    slug = _slug_of(fragment)
    if not path or (target and target == document_path):
        return Link(LinkKind.ANCHOR, slug)
    if not target:
        return Link(LinkKind.REFUSED, reason="the link leads to the project itself")
    if any(part.startswith("-") for part in walked):
        return Link(LinkKind.REFUSED, reason="the path starts with a dash")
    return Link(LinkKind.DOCUMENT, target, fragment=slug)


def _slug_of(fragment: str) -> str:
    slug = unquote(fragment).lower()
    return slug if slug.isprintable() else ""
