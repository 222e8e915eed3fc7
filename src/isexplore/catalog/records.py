"""Between a `Project` and its row: columns, the words that find it, and its score."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from math import log1p
from typing import Any, NamedTuple

from isexplore.catalog import score, words
from isexplore.catalog.store import unpack_weeks
from isexplore.models import Project, Role, Visibility
from isexplore.text import MAX_DESCRIPTION, MAX_NAME, clean, clean_line

Values = dict[str, Any]
"""A row of the table `project` by column."""

EXCERPT_LIMIT = 4_096
"""Characters kept, and searched, of a README."""
TOPIC_LIMIT = 64
"""Topics kept of a project: some people try how many there can be."""
_LANGUAGE_LIMIT = 3
_POPULAR = 45

COLUMNS = (
    "id", "pid", "path", "name", "url", "description", "visibility", "language", "languages", "topics",
    "licence", "owner", "stars", "forks", "open_issues", "good_first_issues", "subscribers", "created_at",
    "last_activity", "default_branch", "documents", "participation", "score", "fetched_at", "first_seen",
    "enriched_at", "languages_at", "key", "origin", "clone_url", "ssh_url", "readme_path", "role", "flags",
    "card", "guidelines", "avatar_url",
)  # fmt: skip

FROM_LISTING = (
    "language", "languages", "licence", "open_issues", "good_first_issues", "subscribers", "documents",
    "participation", "enriched_at", "languages_at", "readme_path", "created_at", "last_activity", "card",
    "guidelines",
)  # fmt: skip
"""Columns where a listing that says nothing leaves what was known."""

_EMPTY, _ISSUES, _PROPOSALS, _FORKS_ON, _FORKS_OFF, _MAY_PROPOSE, _MAY_NOT = (1 << bit for bit in range(7))


class IndexText(NamedTuple):
    """What the text index holds for a project, column by column."""

    name: str
    path: str
    description: str
    topics: str
    filters: str


class Fit(NamedTuple):
    """What the table `fit` holds for a project, but its number."""

    key: str
    boost: int
    """What the project has in its favour whatever is searched for, in hundredths of `rank.best_first`'s unit."""
    topics_at: int
    path_at: int
    low: str


# The same few languages, topics and groups come back in every project.
_filter_word = lru_cache(1 << 15)(words.filter_word)
_topic_value = lru_cache(1 << 15)(words.topic_value)


def _seconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp()) if moment is not None else None


def _moment(seconds: int | None) -> datetime | None:
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _flags(project: Project) -> int:
    flags = _EMPTY * project.empty | _ISSUES * project.issues_enabled
    flags |= _PROPOSALS * project.merge_requests_enabled
    if project.forking_enabled is not None:
        flags |= _FORKS_ON if project.forking_enabled else _FORKS_OFF
    if project.can_propose is not None:
        flags |= _MAY_PROPOSE if project.can_propose else _MAY_NOT
    return flags


def belongs(project: Project) -> bool:
    """Return whether a project is one to contribute to: no fork, and not archived."""
    return not project.archived and project.forked_from is None and project.forked_from_id is None


def pid_of(project: Project) -> str:
    """Return the forge's id as it is kept."""
    return clean_line(project.id, MAX_NAME)


def _bounded(number: int) -> int:
    """Return a count that a forge told as one that the database, and JavaScript, can hold."""
    return max(0, min(number, 1 << 53))


def values_of(project: Project) -> Values:
    """Return the row of a project, without rank and score; texts are cut to what a list can use."""
    topics: dict[str, str] = {}
    for told in project.topics[: 4 * TOPIC_LIMIT]:
        # In a search these end a value, so that a topic that had them could not be asked for.
        topic = told.replace(",", " ").replace('"', " ")
        topics.setdefault(_topic_value(topic), clean_line(topic, MAX_NAME))
    name = clean_line(project.name, MAX_NAME) or clean_line(project.path, MAX_NAME)
    return {
        "id": 0,
        "pid": pid_of(project),
        "path": clean_line(project.path, 2 * MAX_NAME),
        "name": name,
        "url": clean_line(project.url, 2_000),
        "description": clean(project.description, MAX_DESCRIPTION),
        "visibility": project.visibility.value,
        "language": clean_line(project.language, 100) if project.language else None,
        "languages": "\n".join(clean_line(each, 100) for each in project.languages[:20]),
        "topics": "\n".join([each for each in topics.values() if each][:TOPIC_LIMIT]),
        "licence": clean_line(project.licence, MAX_NAME) if project.licence else None,
        "owner": clean_line(project.owner, MAX_NAME),
        "stars": _bounded(project.stars),
        "forks": _bounded(project.forks),
        "open_issues": None if project.open_issues is None else _bounded(project.open_issues),
        "good_first_issues": project.good_first_issues,
        "subscribers": None if project.subscribers is None else _bounded(project.subscribers),
        "created_at": _seconds(project.created_at),
        "last_activity": _seconds(project.last_activity),
        "default_branch": clean_line(project.default_branch, MAX_NAME),
        "documents": "",
        "participation": None,
        "score": 0,
        "fetched_at": 0,
        "first_seen": None,
        "enriched_at": None,
        "languages_at": None,
        "key": words.key(name),
        "origin": "",
        "clone_url": clean_line(project.clone_url, 2_000)
        if project.clone_url != project.url + ".git"
        else None,
        "ssh_url": clean_line(project.ssh_url, 2_000),
        "readme_path": clean_line(project.readme_path, 2_000) if project.readme_path else None,
        "role": project.role.value,
        "flags": _flags(project),
        "card": None,
        "guidelines": None,
        "avatar_url": clean_line(project.avatar_url, 2_000),
    }


def project_of(values: Values, forge: str) -> Project:
    """Return the project that `values_of` made a row of."""
    flags = int(values["flags"])
    clone_url = values["clone_url"]
    return Project(
        forge=forge,
        id=values["pid"],
        path=values["path"],
        name=values["name"],
        url=values["url"],
        description=values["description"],
        visibility=Visibility(values["visibility"]),
        topics=topics_of(values["topics"]),
        language=values["language"],
        languages=topics_of(values["languages"]),
        licence=values["licence"],
        stars=values["stars"],
        forks=values["forks"],
        open_issues=values["open_issues"],
        good_first_issues=values["good_first_issues"],
        subscribers=values["subscribers"],
        created_at=_moment(values["created_at"]),
        last_activity=_moment(values["last_activity"]),
        empty=bool(flags & _EMPTY),
        default_branch=values["default_branch"],
        clone_url=clone_url if clone_url is not None else values["url"] + ".git",
        ssh_url=values["ssh_url"],
        readme_path=values["readme_path"],
        issues_enabled=bool(flags & _ISSUES),
        merge_requests_enabled=bool(flags & _PROPOSALS),
        forking_enabled=True if flags & _FORKS_ON else False if flags & _FORKS_OFF else None,
        can_propose=True if flags & _MAY_PROPOSE else False if flags & _MAY_NOT else None,
        role=Role(values["role"]),
        owner=values["owner"],
        avatar_url=values["avatar_url"],
    )


def topics_of(text: str) -> tuple[str, ...]:
    """Return the entries of a column that holds several."""
    return tuple(text.split("\n")) if text else ()


def languages_of(language: str | None, languages: str) -> tuple[str, ...]:
    """Return the languages that a project counts for: the main one and the next largest."""
    names = dict.fromkeys([language] if language else [])
    names.update(dict.fromkeys(topics_of(languages)[:_LANGUAGE_LIMIT]))
    return tuple(names)


def filter_words(values: Values) -> str:
    """Return the words that `lang:`, `topic:`, `group:`, `has:`, `active:` and words with signs look for."""
    found = [words.EVERYTHING]
    found += [
        _filter_word(words.LANGUAGE, each) for each in languages_of(values["language"], values["languages"])
    ]
    found += [_filter_word(words.TOPIC, _topic_value(each)) for each in topics_of(values["topics"])]
    found += [_filter_word(words.GROUP, each) for each in words.ancestors(values["path"])]
    found += [_filter_word(words.HAS, each) for each in topics_of(values["documents"])]
    for name, present in (
        ("gfi", values["good_first_issues"]),
        ("issues", values["open_issues"]),
        ("description", values["description"]),
        ("licence", values["licence"]),
    ):
        if present:
            found.append(_filter_word(words.HAS, name))
    told = "\n".join(
        (
            values["name"],
            values["description"],
            values["topics"],
            values["language"] or "",
            values["languages"],
        )
    )
    found += [_filter_word(words.SIGNED, each) for each in words.signed(told)]
    if values["last_activity"] is not None:
        found.append(_filter_word(words.MONTH, words.month(values["last_activity"])))
    return " ".join(found)


def index_text(values: Values) -> IndexText:
    """Return what the text index holds for a row."""
    return IndexText(
        words.plain(words.name_text(values["name"])),
        words.plain(values["path"]),
        words.plain(values["description"]),
        words.plain(values["topics"].replace("\n", " ")),
        filter_words(values),
    )


def index_readme(readme: str) -> str:
    """Return what the text index holds for a README."""
    signed = [words.filter_word(words.SIGNED, each) for each in words.signed(readme)]
    return " ".join((words.plain(readme), *signed))


def fit_of(values: Values) -> Fit:
    """Return what the table `fit` holds for a row, but its number.

    `low` is the words of name, then topics, then language and path, each with a space on both sides.
    """
    name = " ".join(words.tokens(words.name_text(values["name"])))
    topics = " ".join(words.tokens(values["topics"]))
    rest = " ".join(words.tokens(f"{values['language'] or ''} {values['path']}"))
    start = len(name) + 3
    welcoming = 30 * bool(values["good_first_issues"]) + 20 * (
        "CONTRIBUTING" in topics_of(values["documents"])
    )
    boost = round(_POPULAR * log1p(values["score"])) + welcoming
    low = f" {name} | {topics} | {rest} "
    return Fit(values["key"], boost, start, start + len(topics) + 2, low)


def score_of(values: Values, now: int) -> int:
    """Return the Repository Activity Score of a row at the moment `now`."""
    return score.activity_score(
        stars=values["stars"],
        forks=values["forks"],
        open_issues=values["open_issues"] or 0,
        subscribers=values["subscribers"] or 0,
        created_at=values["created_at"],
        last_activity=values["last_activity"],
        now=now,
        participation=unpack_weeks(values["participation"]),
        description=values["description"],
        motivation=_motivation(values["card"]),
        has_guidelines="CONTRIBUTING" in topics_of(values["documents"]),
    )


def _motivation(card: str | None) -> str:
    if not card:
        return ""
    import json

    try:
        motivation = json.loads(card).get("motivation")
    except (ValueError, AttributeError):
        return ""
    return motivation if isinstance(motivation, str) else ""
