"""Where links lead: a table of what people and attackers write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isexplore.tui.links import LinkKind, resolve

BASE = "https://git.example/payments/retry-queue"
PATH = "docs/guide/README.md"

DOCUMENT, ANCHOR, WEB, REFUSED = LinkKind.DOCUMENT, LinkKind.ANCHOR, LinkKind.WEB, LinkKind.REFUSED
MAIL = LinkKind.MAIL

TABLE = [
    ("CONTRIBUTING.md", DOCUMENT, "docs/guide/CONTRIBUTING.md"),
    ("./CONTRIBUTING.md", DOCUMENT, "docs/guide/CONTRIBUTING.md"),
    ("../../CONTRIBUTING.md", DOCUMENT, "CONTRIBUTING.md"),
    ("/CONTRIBUTING.md", DOCUMENT, "CONTRIBUTING.md"),
    ("a%20b.md", DOCUMENT, "docs/guide/a b.md"),
    ("set-up.md#Linux", DOCUMENT, "docs/guide/set-up.md"),
    ("README.md#usage", ANCHOR, "usage"),
    ("#Set-Up", ANCHOR, "set-up"),
    ("../../../etc/passwd", REFUSED, ""),
    ("../../../x.sh", REFUSED, ""),
    ("%2e%2e/%2e%2e/%2e%2e/etc/passwd", REFUSED, ""),
    ("/etc/passwd", DOCUMENT, "etc/passwd"),
    ("https://example.org/a?b=c#d", WEB, "https://example.org/a?b=c#d"),
    ("HTTPS://EXAMPLE.org/A", WEB, "https://example.org/A"),
    ("http://localhost:8080/x", WEB, "http://localhost:8080/x"),
    ("//example.org/x", WEB, "https://example.org/x"),
    ("https://exämple.org/", WEB, "https://xn--exmple-cua.org/"),
    ("https://[::1]:3000/", WEB, "https://[::1]:3000/"),
    (f"{BASE}/-/blob/main/docs/a.md", DOCUMENT, "docs/a.md"),
    (f"{BASE}/-/blob/feature/docs/a.md", WEB, f"{BASE}/-/blob/feature/docs/a.md"),
    (f"{BASE}/-/issues/41", WEB, f"{BASE}/-/issues/41"),
    ("https://good.corp@evil.com/", REFUSED, ""),
    ("https://user:password@example.org/", REFUSED, ""),
    ("https://good.corp\\@evil.com/", REFUSED, ""),
    ("https:///etc/passwd", REFUSED, ""),
    ("https://exa mple.org", REFUSED, ""),
    ("https://example.org:99999/", REFUSED, ""),
    ("https://-evil.example/", REFUSED, ""),
    ("javascript:alert(1)", REFUSED, ""),
    ("data:text/html,x", REFUSED, ""),
    ("file:///etc/passwd", REFUSED, ""),
    ("vscode:extension/x", REFUSED, ""),
    ("ssh://-oProxyCommand=x", REFUSED, ""),
    ("smb://server/share", REFUSED, ""),
    ("ms-msdt:/id", REFUSED, ""),
    ("tel:123", REFUSED, ""),
    ("mailto:a@b.c", MAIL, "a@b.c"),
    ("MAILTO:team+help@git.example.org?subject=x&cc=y@z.org", MAIL, "team+help@git.example.org"),
    ("mailto:a@b.c,d@e.f", REFUSED, ""),
    ("mailto:a%0Ab@b.c", REFUSED, ""),
    ("mailto:", REFUSED, ""),
    ("--remote-debug", REFUSED, ""),
    ("-P", REFUSED, ""),
    ("/--upload-pack=x", REFUSED, ""),
    ("a\x1b[2J.md", REFUSED, ""),
    ("a%1b[2J.md", REFUSED, ""),
    ("a\u202egnp.md", REFUSED, ""),
    ("a\\b.md", REFUSED, ""),
    ("..", DOCUMENT, "docs"),
    ("../..", REFUSED, ""),
    ("", REFUSED, ""),
    ("x" * 3_000, REFUSED, ""),
]


@pytest.mark.parametrize(("href", "kind", "target"), TABLE, ids=[row[0][:40] or "empty" for row in TABLE])
def test_where_a_link_leads(href: str, kind: LinkKind, target: str) -> None:
    link = resolve(href, BASE, PATH)
    assert (link.kind, link.target) == (kind, target), link
    assert bool(link.reason) == (kind is REFUSED)


def test_the_host_is_shown_as_it_is_asked_for() -> None:
    assert resolve("https://аррӏе.com/login", BASE).host == "xn--80ak6aa92e.com"
    assert resolve("https://EXAMPLE.org:8443/", BASE).host == "example.org:8443"
    assert resolve("https://example.org./", BASE).host == "example.org"


def test_a_document_keeps_its_heading() -> None:
    assert resolve("set-up.md#On-Linux", BASE, PATH).fragment == "on-linux"


def test_without_a_base_nothing_is_taken_for_the_project() -> None:
    assert resolve(f"{BASE}/-/blob/main/README.md", "").kind is WEB


@given(st.text(max_size=60) | st.text("htps:/@\\#?.%2e-[]ab", max_size=40))
def test_whatever_is_written_only_checked_places_come_out(href: str) -> None:
    link = resolve(href, BASE, PATH)
    if link.kind is WEB:
        assert link.target.startswith(("https://", "http://"))
        assert link.host
        assert link.host.isascii()
        assert "@" not in link.target.split("/")[2]
    elif link.kind is DOCUMENT:
        assert not link.target.startswith(("/", "-"))
        assert ".." not in link.target.split("/")
    assert link.target.isprintable()
