"""What is read of a project and of an issue, told in Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from isexplore.reading.facts import Card
from isexplore.reading.markup import plain
from isexplore.text import ago

if TYPE_CHECKING:
    from isexplore.catalog.issues import FirstIssue
    from isexplore.guide.chat import ChatLink
    from isexplore.guide.digest import Digest
    from isexplore.guide.markup import Finding
    from isexplore.guide.people import Contact, People
    from isexplore.guide.preview import Preview

MARKS = {"yes": "✓", "no": "✗", "maybe": "!", "unknown": "?"}


def overview(preview: Preview, card: Card | None) -> str:
    """Return the first things to know of a project, as Markdown."""
    project = preview.project
    parts = [plain(project.description) or "*No description.*", *card_words(card)]
    if preview.checks:
        rows = ["## May I contribute?", "", "| | |", "| --- | --- |"]
        for check in preview.checks:
            words = plain(check.text) + (f". *{plain(check.hint)}*" if check.hint else "")
            rows.append(f"| {MARKS[check.mark]} | {words} |")
        parts.append("\n".join(rows))
    rules = digest_rows(preview.digest)
    if rules:
        parts.append("\n".join(("## What the project asks for", "", "| | |", "| --- | --- |", *rules)))
    contacts = preview.people.contacts[:3]
    if contacts:
        names = ", ".join(plain(_called(contact)) for contact in contacts)
        chat = "".join(f" · {plain(link.text)}" for link in preview.people.chat[:2])
        parts.append(f"## Whom to ask\n\n{names}{chat}")
    facts = [
        ("Visibility", project.visibility.value),
        ("Language", project.language or ""),
        ("Licence", project.licence or ""),
        ("Topics", ", ".join(project.topics)),
        ("Stars, forks", f"{project.stars:,}, {project.forks:,}"),
        ("Last activity", ago(project.last_activity)),
        ("Address", project.url),
    ]
    rows = [f"| {name} | {plain(value)} |" for name, value in facts if value]
    parts.append("\n".join(("## The project", "", "| | |", "| --- | --- |", *rows)))
    return "\n\n".join(parts)


def card_words(card: Card | None) -> list[str]:
    """Return what the project says of itself, as a section of Markdown; empty when it says nothing."""
    rows = card.rows() if card is not None else []
    if not rows:
        return []
    lines = [f"| {name} | {plain(value)} |" for name, value in rows]
    return ["\n".join(("## In its own words", "", "| | |", "| --- | --- |", *lines))]


def digest_rows(rules: Digest) -> Iterable[str]:
    """Return what the guides ask of a change, as rows of a Markdown table; says where each is written."""
    named: list[tuple[str, Finding | None]] = [
        ("Set-up", rules.setup),
        ("Tests", rules.test),
        ("Commits", rules.commit_style),
        ("Sign-off", rules.sign_off if rules.sign_off_required else None),
        ("Agreement", rules.agreement),
        ("Branches", rules.branch_naming),
        ("Review", rules.review),
        ("Done means", rules.done),
    ]
    return [
        f"| {name} | {plain('; '.join(found.text.splitlines()))} *({plain(found.document)}, line {found.line})* |"
        for name, found in named
        if found is not None
    ]


def _called(contact: Contact) -> str:
    if contact.username and contact.username not in contact.name:
        return f"{contact.name} (@{contact.username})"
    return contact.name


def _address(link: ChatLink) -> str:
    """Return a chat's address, where its words are not that already: a mailing list is called by its own."""
    url = (link.url or "").removeprefix("mailto:")
    return f" {url}" if url and url not in link.text else ""


def people_words(people: People) -> str:
    """Return whom to ask, and how that is known, as Markdown."""
    if not people.contacts and not people.chat:
        return "Nobody is named in its documents. The last people to merge something are on its web page."
    parts = []
    if people.contacts:
        rows = "\n".join(f"- {plain(_called(one))}: {plain(one.role)}" for one in people.contacts)
        parts.append(f"{plain(people.basis[:1].upper() + people.basis[1:])}:\n\n{rows}")
    if people.chat:
        parts.append(
            "Where they talk:\n\n"
            + "\n".join(
                f"- {plain(link.text)}{_address(link)} *({plain(link.document)}, line {link.line})*"
                for link in people.chat
            )
        )
    if people.also:
        rows = "\n".join(f"- {plain(_called(one))}: {plain(one.role)}" for one in people.also[:10])
        parts.append(f"Also:\n\n{rows}")
    return "\n\n".join(parts)


def issue_document(row: FirstIssue) -> str:
    """Return what the catalog knows of an issue, as Markdown."""
    labels = ", ".join(plain(label) for label in row.labels)
    parts = [
        f"# {plain(row.title)}",
        f"**{row.verdict.replace('-', ' ').capitalize()}**: {plain('; '.join(row.reasons)) or 'not looked at yet'}",
        f"{plain(row.project)} \\#{row.number}" + (f" · {labels}" if labels else ""),
        row.description,
    ]
    return "\n\n".join(part for part in parts if part)
