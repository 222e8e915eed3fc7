"""Pure: CONTRIBUTING in a few lines: what to run, what a commit must look like, how long a review takes.

Every statement names its document and line; what no guide says is None ("not stated"), never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from isexplore.guide.chat import ChatLink, chat_links
from isexplore.guide.markup import Finding, Line, Section, finding, lines, plain, sections
from isexplore.models import Document
from isexplore.text import clean_line, shorten

MAX_COMMANDS = 6
"""Lines of a code block that are quoted."""
MAX_ITEMS = 8
"""Points of a list that are quoted."""
_MAX_QUOTE = 300


class Digest(Struct, frozen=True, kw_only=True):
    """What a project asks of a change; None means that its guides do not say."""

    setup: Finding | None = None
    """Commands, or a sentence, to get the project running."""
    test: Finding | None = None
    commit_style: Finding | None = None
    sign_off: Finding | None = None
    """Where a sign-off is spoken of."""
    sign_off_required: bool | None = None
    """Whether commits must carry `Signed-off-by` (DCO); None when it is not spoken of."""
    agreement: Finding | None = None
    """A contributor licence agreement that must be signed."""
    branch_naming: Finding | None = None
    review: Finding | None = None
    """How soon somebody promises to look."""
    done: Finding | None = None
    """Definition of done or checklist, one point a line."""
    chat: tuple[ChatLink, ...] = ()


_SETUP_TITLE = re.compile(
    r"set(?:ting)?[ -]?up|getting started|development environment|local (?:development|environment)"
    r"|developing|development|prerequisite|build(?:ing)?\b|checkout|install(?:ation|ing)?\b|quick ?start|how to modify",
    re.IGNORECASE,
)
_TEST_TITLE = re.compile(r"\btest(?:s|ing)?\b", re.IGNORECASE)
_CHECK_TITLE = re.compile(r"\bchecks?\b|\bverify\b|\bbefore you (?:push|commit|submit|open)\b", re.IGNORECASE)
_INSTALLS = re.compile(r"\b(?:install|add|venv|require)\b", re.IGNORECASE)
_TEST_COMMAND = re.compile(
    r"\b(?:pytest|tox|nox|ctest|rspec|phpunit|vitest|jest"
    r"|(?:make|npm|yarn|pnpm|go|cargo|gradle|\./gradlew|mix|dotnet|rake|just|bazel|sbt|swift|hatch|poe|task)"
    r" (?:run )?(?:test|check)\b"
    r"|mvnw? (?:-\S+ )*(?:test|verify))",
    re.IGNORECASE,
)
_COMMIT_TITLE = re.compile(r"\bcommits?\b", re.IGNORECASE)
_COMMIT_LINE = re.compile(
    r"conventional ?commits?|commit (?:message|title|subject)s?\b|messages? .{0,40}\bimperative"
    r"|imperative (?:mood|form)|gitmoji",
    re.IGNORECASE,
)
_SIGN_OFF = re.compile(
    r"signed-off-by|\bsign(?:ed|ing)?[- ]?off\b|--signoff|commit -s\b|developer certificate of origin|\bdco\b",
    re.IGNORECASE,
)
_NOT_NEEDED = re.compile(
    r"\b(?:no|not|without|never|nor|don'?t|doesn'?t|needn'?t|optional|isn'?t)\b", re.IGNORECASE
)
_AGREEMENT = re.compile(r"contributor licen[sc]e agreement|\bcla\b", re.IGNORECASE)
_BRANCH_LINE = re.compile(
    r"\bbranch(?:es)?\b.{0,80}(?:\bnam(?:e|es|ed|ing)\b|\bcall(?:ed)?\b|\bprefix|`[\w<{*-]+[/-])"
    r"|\b(?:name|naming|call|prefix)\b.{0,60}\bbranch(?:es)?\b",
    re.IGNORECASE,
)
_DURATION = (
    r"(?:\d{1,3}|one|two|three|four|five|ten|a|an|a few|a couple of|same|next)"
    r"[ -]*(?:full )?(?:working|business|work|week|calendar)?[ -]*(?:hours?|days?|weeks?|sprints?|h)\b"
)
_REVIEW = re.compile(
    r"\b(?:review|respon[ds]|reply|replies|answer|look|feedback|hear from|get back|triage|turnaround)"
    rf".{{0,100}}\b{_DURATION}"
    rf"|\b(?:within|in|every|usually|after) {_DURATION}.{{0,100}}"
    r"\b(?:review|respon[ds]|reply|answer|look|feedback|hear from|get back)",
    re.IGNORECASE,
)
_DONE_TITLE = re.compile(
    r"definition of done|checklist"
    r"|before (?:you )?(?:submit|open|push|send|creat)\w*|what we (?:look for|expect|check)"
    r"|acceptance criteria|requirements for|(?:merge|pull) request (?:rules|guidelines|requirements)",
    re.IGNORECASE,
)
_CONTRIBUTING_TITLE = re.compile(r"contribut|develop|hacking|how to (?:modify|help)|building", re.IGNORECASE)
_PROMPT = re.compile(r"^\s*(?:\$|>|%)\s+")


def digest(documents: Sequence[Document]) -> Digest:
    """Return what the guides ask of a change.

    CONTRIBUTING is asked first. Of the README only its parts on contributing and development count,
    so that "install" for users is not taken for a set-up; sign-off and chat count wherever they stand.
    """
    guides = [document for document in documents if document.name == "CONTRIBUTING"]
    readmes = [document for document in documents if document.name == "README"]
    parts = [(document, section) for document in guides for section in sections(document)]
    for document in readmes:
        parts += [
            (document, section)
            for section in sections(document)
            if any(_CONTRIBUTING_TITLE.search(title) for title in (section.title, *section.path))
        ]
    prose = [
        (document, line)
        for document in guides
        for line in lines(document.text)
        if line.kind in ("text", "item", "row", "code")
    ]
    for document, section in parts:
        if document.name == "README" and not any(_CONTRIBUTING_TITLE.search(title) for title in section.path):
            prose += [(document, line) for line in section.lines if line.kind != "heading"]
    templates = [
        (document, line)
        for document in documents
        if document.name == "MERGE_REQUEST_TEMPLATE"
        for line in lines(document.text)
    ]
    sign_off, required = _sign_off(prose + templates)
    return Digest(
        setup=_from_section(parts, _SETUP_TITLE, avoid=_TEST_TITLE),
        test=_test(parts, prose),
        commit_style=_sentence(prose, _COMMIT_LINE) or _from_section(parts, _COMMIT_TITLE, code=False),
        sign_off=sign_off,
        sign_off_required=required,
        agreement=_sentence(prose, _AGREEMENT, unless=_NOT_NEEDED),
        branch_naming=_sentence(prose, _BRANCH_LINE),
        review=_sentence(prose, _REVIEW),
        done=_points(parts, _DONE_TITLE),
        chat=chat_links(documents),
    )


_Part = tuple[Document, Section]
_Place = tuple[Document, Line]


def _test(parts: Sequence[_Part], prose: Sequence[_Place]) -> Finding | None:
    """Return how to test: a code block under such a heading, a known command, else a sentence."""
    return (
        _block(parts, _TEST_TITLE)
        or _test_command(prose)
        or _block(parts, _CHECK_TITLE)
        or _from_section(parts, _TEST_TITLE, code=False)
    )


def _block(
    parts: Sequence[_Part], title: re.Pattern[str], avoid: re.Pattern[str] | None = None
) -> Finding | None:
    for document, section in parts:
        if title.search(section.title) and not (avoid is not None and avoid.search(section.title)):
            block = _first_block(section)
            if block:
                text = "\n".join(_PROMPT.sub("", line.text.strip()) for line in block[:MAX_COMMANDS])
                return finding(document, block[0], text)
    return None


def _from_section(
    parts: Sequence[_Part], title: re.Pattern[str], *, avoid: re.Pattern[str] | None = None, code: bool = True
) -> Finding | None:
    """Return the first code block of a section with such a title, else its first sentence."""
    block = _block(parts, title, avoid) if code else None
    if block is not None:
        return block
    for document, section in parts:
        if title.search(section.title) and not (avoid is not None and avoid.search(section.title)):
            for line in section.lines:
                if line.kind in ("text", "item"):
                    return finding(document, line, _quote(line))
    return None


def _first_block(section: Section) -> list[Line]:
    block: list[Line] = []
    for line in section.lines:
        if line.kind == "code" and (not block or line.number - block[-1].number <= 2):
            if not _PROMPT.sub("", line.text).strip().startswith("#"):
                block.append(line)
        elif block:
            break
    return block


def _test_command(prose: Sequence[_Place]) -> Finding | None:
    for document, line in prose:
        commands = [line.text] if line.kind == "code" else re.findall(r"`([^`]+)`", line.text)
        for command in commands:
            match = _TEST_COMMAND.search(command)
            if match is not None and not _INSTALLS.search(command[: match.start()]):
                return finding(document, line, clean_line(_PROMPT.sub("", command)))
    return None


def _sentence(
    prose: Sequence[_Place], wanted: re.Pattern[str], *, unless: re.Pattern[str] | None = None
) -> Finding | None:
    """Return the first line of prose that says something of the kind, with the lines that continue it."""
    for index, (document, line) in enumerate(prose):
        if line.kind == "code":
            continue
        text = line.text
        # Guides are wrapped by hand: a sentence often goes on in the next line.
        follows = index + 1 < len(prose) and prose[index + 1][0] is document
        after = prose[index + 1][1] if follows else None
        if after is not None and after.kind == "text" and after.number == line.number + 1:
            text = f"{text} {after.text}"
        match = wanted.search(text)
        if match is None or match.start() >= len(line.text):
            continue
        quoted = _around(plain(text), wanted)
        if unless is None or not unless.search(quoted):
            return finding(document, line, quoted)
    return None


def _around(text: str, wanted: re.Pattern[str]) -> str:
    """Return the sentence of `text` that holds the match, or all of it when markup hid the match."""
    for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z`*])", text):
        if wanted.search(sentence):
            return shorten(sentence, _MAX_QUOTE)
    return shorten(text, _MAX_QUOTE)


def _sign_off(prose: Sequence[_Place]) -> tuple[Finding | None, bool | None]:
    optional: Finding | None = None
    for document, line in prose:
        if not _SIGN_OFF.search(line.text):
            continue
        quoted = _around(plain(line.text), _SIGN_OFF)
        place = finding(document, line, quoted)
        if (
            line.kind != "code"
            and _NOT_NEEDED.search(quoted)
            and not re.search(r"must|reject|fail", quoted, re.I)
        ):
            optional = optional or place
            continue
        return place, True
    return optional, None if optional is None else False


def _points(parts: Sequence[_Part], title: re.Pattern[str]) -> Finding | None:
    for document, section in parts:
        if not title.search(section.title):
            continue
        items = [line for line in section.lines if line.kind == "item"]
        if items:
            text = "\n".join(shorten(plain(line.text), _MAX_QUOTE) for line in items[:MAX_ITEMS])
            return finding(document, section, text)
    return None


def _quote(line: Line) -> str:
    return shorten(plain(line.text), _MAX_QUOTE)
