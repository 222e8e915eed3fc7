"""Pure: whom to ask. Trusted committers as the guides name them, then owners, maintainers and contributors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from isexplore.guide.chat import ChatLink, chat_links
from isexplore.guide.codeowners import parse_codeowners
from isexplore.guide.markup import Line, Section, links, plain, sections
from isexplore.models import Document, ForgeKind, Member, Person, Role
from isexplore.text import clean_line

MAX_CONTACTS = 12

_TITLES = (
    re.compile(r"\btrusted committers?\b", re.IGNORECASE),
    re.compile(
        r"\b(?:project )?(?:maintainers?|leaders?|leads?)\b|\bcore (?:team|developers?)\b", re.IGNORECASE
    ),
    re.compile(
        r"\bwho we are\b|\b(?:code )?owners?\b|\bthe team\b|\bour team\b|\bproject team\b", re.IGNORECASE
    ),
)
_NOT_A_LIST = re.compile(
    r"\bhow to\b|\bbecom|\bnominat|\bpast\b|\bformer\b|\bemeritus\b|\balumni\b"
    r"|\bguide|\bresponsibilit|\bfor maintainers",
    re.IGNORECASE,
)
_MENTION = re.compile(r"(?<![\w/@.])@([A-Za-z0-9_](?:[\w.-]{0,98}\w)?(?:/[\w.-]{0,98}\w){0,5})")
_PROFILE = re.compile(r"(?:https?://[^/\s]+)?/@?([A-Za-z0-9_][\w.-]{0,99})/?")
_MAIL = re.compile(r"<?(?:mailto:)?([\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})>?")
_NAME = re.compile(r"[^\W\d_][\w'’.-]*(?:\s+(?:[^\W\d_][\w'’.-]*)){1,4}")
_BOT = re.compile(
    r"\bbot\b|\[bot\]|-bot$|^project_\d+_bot|^group_\d+_bot|^ghost$|^dependabot|^renovate", re.IGNORECASE
)
_SOURCES = ("CONTRIBUTING", "README", "MAINTAINERS", "GOVERNANCE", "COMMUNICATION")
_ROLE_WORDS = {Role.OWNER: "owner", Role.MAINTAINER: "maintainer"}


class Contact(Struct, frozen=True, kw_only=True):
    """Somebody to ask."""

    name: str
    """As to be shown: "Sofia Brandt", "@sofia", "@@maintainer"."""
    role: str
    """trusted committer, maintainer, contact, code owner, owner or contributor."""
    source: str
    """Where that is said: "README.md, line 12", "the project's members"."""
    username: str | None = None
    url: str | None = None
    """Address of a profile or `mailto:`."""


class People(Struct, frozen=True, kw_only=True):
    """Whom to ask, the best source first."""

    contacts: tuple[Contact, ...] = ()
    basis: str = ""
    """What `contacts` rests on: "named as trusted committers in README.md"; empty when nobody was found."""
    also: tuple[Contact, ...] = ()
    """Those that the weaker sources name."""
    chat: tuple[ChatLink, ...] = ()


def people(
    documents: Sequence[Document],
    *,
    kind: ForgeKind = ForgeKind.GITLAB,
    members: Iterable[Member] = (),
    contributors: Iterable[Person] = (),
) -> People:
    """Return whom to ask: named in the guides, else CODEOWNERS, else maintainers by role, else contributors.

    Bots are left out. A source that names nobody is passed over.
    """
    groups = [
        *_named(documents),
        _owners(documents, kind),
        _members(members),
        (_contributors(contributors), "who committed most"),
    ]
    known: set[str] = set()
    filled: list[tuple[list[Contact], str]] = []
    for contacts, basis in groups:
        fresh = []
        for contact in contacts:
            keys = {key.lower() for key in (contact.username, contact.name) if key}
            if not keys & known and not _BOT.search(contact.username or contact.name):
                known |= keys
                fresh.append(contact)
        if fresh:
            filled.append((fresh, basis))
    chat = chat_links(documents)
    if not filled:
        return People(chat=chat)
    (first, basis), *rest = filled
    also = [contact for contacts, _ in rest for contact in contacts]
    return People(
        contacts=tuple(first[:MAX_CONTACTS]), basis=basis, also=tuple(also[:MAX_CONTACTS]), chat=chat
    )


def _named(documents: Sequence[Document]) -> list[tuple[list[Contact], str]]:
    """Return people under headings, the best heading first."""
    ordered = [document for name in _SOURCES for document in documents if document.name == name]
    found = []
    for title, role in zip(_TITLES, ("trusted committer", "maintainer", "contact"), strict=True):
        contacts: list[Contact] = []
        places: list[str] = []
        for document in ordered:
            for section in sections(document):
                if not title.search(section.title) or _NOT_A_LIST.search(section.title):
                    continue
                here = list(_in_section(document, section, role))
                contacts += here
                if here and document.path not in places:
                    places.append(document.path)
        found.append((contacts, f"named as {role}s in {' and '.join(places)}"))
    return found


def _in_section(document: Document, section: Section, role: str) -> Iterable[Contact]:
    skipped = 0
    for line in section.lines:
        if line.kind == "heading":
            # A part such as "Past members" is another list.
            if skipped and line.level <= skipped:
                skipped = 0
            if not skipped and _NOT_A_LIST.search(line.text):
                skipped = line.level
        elif not skipped and line.kind != "code":
            yield from _in_line(document, line, role)


def _in_line(document: Document, line: Line, role: str) -> Iterable[Contact]:
    source = f"{document.path}, line {line.number}"
    seen = False
    for words, address in links(line.text):
        contact = _from_link(words, address, role, source)
        if contact is not None:
            seen = True
            yield contact
    if seen:
        return
    text = plain(line.text)
    mentions = _MENTION.findall(text)
    for username in mentions:
        name = _beside(text, username) if len(mentions) == 1 else None
        yield Contact(name=name or f"@{username}", username=username, role=role, source=source)
    if mentions or line.kind == "text":
        return
    cell = text.split("|")[0].strip() if line.kind == "row" else text
    mail = _MAIL.search(text)
    name_match = _NAME.match(cell)
    if (
        name_match
        and _looks_like_a_name(name_match.group())
        and (mail or _ends_name(cell[name_match.end() :]))
    ):
        yield Contact(
            name=name_match.group(),
            role=role,
            source=source,
            url=f"mailto:{mail.group(1)}" if mail else None,
        )


def _ends_name(rest: str) -> bool:
    """Whether a line goes on as it would after a name, not after the first words of a sentence."""
    return not rest.strip() or rest.lstrip()[0] in "(,<:–—-" or rest.lstrip().startswith("|")


def _from_link(words: str, address: str, role: str, source: str) -> Contact | None:
    mail = _MAIL.fullmatch(address)
    if mail and address.startswith("mailto:"):
        name = clean_line(words) or mail.group(1)
        return Contact(name=name, role=role, source=source, url=f"mailto:{mail.group(1)}")
    profile = _PROFILE.fullmatch(address)
    name = plain(words)
    if profile is None or not (name.startswith("@") or _looks_like_a_name(name) or name == profile.group(1)):
        return None
    return Contact(
        name=name,
        username=profile.group(1),
        role=role,
        source=source,
        url=address if address.startswith("http") else None,
    )


def _beside(text: str, username: str) -> str | None:
    """Return the full name beside a mention: "@sofia (Sofia Brandt)", "Sofia Brandt (@sofia)"."""
    after = re.search(rf"@{re.escape(username)}\s*[(:,–—|-]+\s*({_NAME.pattern})", text)
    if after:
        return after.group(1) if _looks_like_a_name(after.group(1)) else None
    before = re.search(rf"({_NAME.pattern})\s*[(:,–—|-]*\s*@{re.escape(username)}", text)
    return before.group(1) if before and _looks_like_a_name(before.group(1)) else None


def _looks_like_a_name(text: str) -> bool:
    """Whether words are a person's name; parts such as "van" and "de" may be small."""
    words = text.split()
    return 2 <= len(words) <= 4 and words[0][0].isupper() and words[-1][0].isupper()


def _owners(documents: Sequence[Document], kind: ForgeKind) -> tuple[list[Contact], str]:
    contacts = []
    for document in documents:
        if document.name != "CODEOWNERS":
            continue
        for owner in parse_codeowners(document.text, kind).default_owners:
            person = owner.startswith("@") and not owner.startswith("@@")
            contacts.append(
                Contact(
                    name=owner,
                    username=owner[1:] if person else None,
                    role="code owner",
                    source=document.path,
                    url=None if owner.startswith("@") else f"mailto:{owner}",
                )
            )
    return contacts, "code owners"


def _members(members: Iterable[Member]) -> tuple[list[Contact], str]:
    contacts = [
        Contact(
            name=member.person.name or f"@{member.person.username}",
            username=member.person.username or None,
            role=_ROLE_WORDS[member.role],
            source="the project's members",
            url=member.person.url or None,
        )
        for member in members
        if member.role in _ROLE_WORDS and not member.person.bot
    ]
    return contacts, "maintainers by their role"


def _contributors(contributors: Iterable[Person]) -> list[Contact]:
    return [
        Contact(
            name=person.name or f"@{person.username}",
            username=person.username or None,
            role="contributor",
            source="the project's history",
            url=person.url or None,
        )
        for person in contributors
        if not person.bot and (person.name or person.username)
    ]
