"""Every key binding of the program, by area; each has an id, so that `[keys]` in config.toml can remap it.

One table serves the screens, the help, the README and the check of the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from textual.binding import Binding, BindingType

from isexplore.text import pattern

KEY_WORDS = {
    "slash": "/",
    "question_mark": "?",
    "escape": "esc",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "right_curly_bracket": "}",
    "left_curly_bracket": "{",
}
"""How people write the keys whose names Textual spells out."""


class Key(NamedTuple):
    """One thing that a key does."""

    id: str
    """`area.verb`, stable; what `[keys]` names."""
    keys: str
    """Default keys, comma-separated."""
    action: str
    words: str
    """Two or three words for the footer."""
    tip: str = ""
    """One sentence for the help."""
    show: bool = True
    priority: bool = False


APP: tuple[Key, ...] = (
    Key("app.explore", "1", "mode('explore')", "Explore", "Search all InnerSource projects.", show=False),
    Key(
        "app.first-issues",
        "2",
        "mode('first_issues')",
        "First issues",
        "Good first issues of all projects.",
        False,
    ),
    Key(
        "app.contributions",
        "3",
        "mode('contributions')",
        "Contributions",
        "Where my contributions stand.",
        False,
    ),
    Key("app.bookmarks", "4", "mode('bookmarks')", "Bookmarks", "Projects to find again.", False),
    Key("app.help", "question_mark,f1", "help", "Help", "What the keys of this screen do."),
    Key(
        "app.sign-in",
        "L",
        "sign_in",
        "Sign in again",
        "A new token for a forge; contributions stay as they are.",
        show=False,
    ),
    Key("app.palette", "ctrl+p", "command_palette", "Commands", "Everything by name.", show=False),
    Key("app.quit", "q,ctrl+q", "leave", "Quit", "Leave isexplore; nothing is lost."),
)

_TABS: tuple[Key, ...] = (
    Key(
        "preview.next-tab",
        "right_square_bracket,tab",
        "tab(1)",
        "Next tab",
        "Overview, README, CONTRIBUTING, ...",
        False,
    ),
    Key("preview.previous-tab", "left_square_bracket,shift+tab", "tab(-1)", "Previous tab", "", False),
)
"""The same wherever a project is beside a list."""
EXPLORE: tuple[Key, ...] = (
    Key("project.contribute", "c", "contribute", "Contribute", "Begin a contribution to this project."),
    Key(
        "project.bookmark",
        "b",
        "bookmark",
        "Bookmark",
        "Bookmark this project, with a note; again removes it.",
    ),
    Key("project.read", "enter,right", "read", "Read", "Go into the preview.", show=False),
    Key("project.open", "o", "open_page", "Browser", "Open the project's page in the browser."),
    Key("project.copy", "y", "copy", "Copy", "Copy the project's address.", show=False),
    Key(
        "catalog.search",
        "slash",
        "search",
        "Search",
        "Type words and filters such as lang:python has:gfi.",
        priority=True,
    ),
    Key("catalog.refresh", "r", "refresh", "Refresh", "Ask the forges what is new."),
    Key("catalog.ask-forge", "f", "ask_forge", "Ask the forge", "Search on the forge itself.", show=False),
    Key("catalog.facets", "F", "facets", "Narrow", "Languages, topics and groups of what was found."),
    Key("catalog.saved", "S", "saved", "Saved searches", "The searches of config.toml, by name.", show=False),
    Key("project.why", "w", "why", "Why here?", "Why this project stands where it stands.", show=False),
    *_TABS,
    Key("screen.back", "escape", "back", "Back", "One step back: preview, list, search.", show=False),
)

FIRST_ISSUES: tuple[Key, ...] = (
    Key(
        "issue.contribute", "c,enter", "contribute", "Take it", "Begin a contribution that solves this issue."
    ),
    Key("issue.read", "space", "read", "Read", "Read the issue and its comments."),
    Key("issue.open", "o", "open_page", "Browser", "Open the issue in the browser."),
    Key("issue.copy", "y", "copy", "Copy", "Copy the issue's address.", show=False),
    Key(
        "issues.search",
        "slash",
        "search",
        "Search",
        "Type words and filters such as verdict:free lang:go.",
        priority=True,
    ),
    Key("issues.refresh", "r", "refresh", "Refresh", "Ask the forges what is new."),
    Key("issues.back", "escape", "back", "Back", "", show=False),
)

CONTRIBUTIONS: tuple[Key, ...] = (
    Key("contribution.open", "enter,right,l", "open", "Open", "See the steps of this contribution."),
    Key("contribution.browser", "o", "open_page", "Browser", "Open the merge request, or the project."),
    Key(
        "contribution.forget",
        "d",
        "forget",
        "Forget",
        "Take it off the list; fork, clone and merge request stay.",
    ),
    Key("contributions.refresh", "r", "refresh", "Refresh", "Look at the forge and the clones again."),
)

JOURNEY: tuple[Key, ...] = (
    Key(
        "journey.run",
        "enter",
        "run",
        "Run",
        "Run the step under the cursor; shows what it needs to know first.",
        priority=True,
    ),
    Key("journey.cancel", "ctrl+x", "cancel", "Stop", "Stop the running step; nothing half-done is left."),
    Key("journey.editor", "e", "editor", "Edit", "Choose a file of the clone, and open it in your editor."),
    Key("journey.shell", "s", "shell", "Shell", "A shell in the clone; exit comes back here."),
    Key("journey.copy", "y", "copy", "Copy", "Copy this step as shell commands."),
    Key("journey.plan", "d", "plan", "Dry run", "Show what every step would run, and run none."),
    Key("journey.refresh", "r", "refresh", "Look again", "Read the forge and git again.", show=False),
    Key("journey.open", "o", "open_page", "Browser", "Open the merge request, or the project.", show=False),
    Key("journey.read", "right,l,space", "read", "Read", "Scroll what the step says.", show=False),
    Key("journey.back", "escape,left,h", "back", "Back", "Leave; you can come back at any time."),
)

BOOKMARKS: tuple[Key, ...] = (
    Key("bookmark.contribute", "c", "contribute", "Contribute", "Begin a contribution to this project."),
    Key("bookmark.note", "n", "note", "Note", "Change the note."),
    Key("bookmark.remove", "d,b", "remove", "Remove", "Remove the bookmark."),
    Key("bookmark.read", "enter,right,l", "read", "Read", "Read the project."),
    Key("bookmark.open", "o", "open_page", "Browser", "Open the project's page in the browser."),
    Key("bookmark.refresh", "r", "refresh", "Refresh", "Ask the forge what is new.", show=False),
    *_TABS,
)

DOCUMENT: tuple[Key, ...] = (
    Key("document.find", "slash", "find_words", "Find in it", "Find words in the document."),
    Key("document.outline", "t", "outline", "Outline", "Go to one of its headings."),
    Key(
        "document.next",
        "n",
        "next",
        "Next link",
        "The next link; after a search, the next place that was found.",
        show=False,
    ),
    Key("document.previous", "p,N", "previous", "Link before", "The one before.", show=False),
    Key("document.open-link", "enter", "open_link", "Open link", "Open the link.", show=False),
    Key("document.next-heading", "right_curly_bracket", "heading(1)", "Next heading", show=False),
    Key("document.heading-before", "left_curly_bracket", "heading(-1)", "Heading before", show=False),
    Key("document.rest", "m", "show_rest", "Show the rest", "Show the rest of a document that was cut."),
)

AREAS: dict[str, tuple[Key, ...]] = {
    "Everywhere": APP,
    "Explore": EXPLORE,
    "First issues": FIRST_ISSUES,
    "Contributions": CONTRIBUTIONS,
    "A contribution": JOURNEY,
    "Bookmarks": BOOKMARKS,
    "A document": DOCUMENT,
}

_OTHERS = {
    "dialog": "accept cancel close copy leave no text-down text-up yes",
    "document": "bottom down half-down half-up page-down page-up top up",
    "find": "back",
    "help": "close",
    "list": "choose down first half-down half-up last page-down page-up up",
    "outline": "back",
    "preview": "leave read-issue",
    "search": "back complete down page-down page-up up",
    "sign-in": "back open",
    "welcome": "connect practise",
}
"""The ids of what widgets and dialogs bind themselves, by area."""


def known_ids() -> frozenset[str]:
    """Return the ids that `[keys]` may name."""
    own = {key.id for keys in AREAS.values() for key in keys}
    return frozenset(own | {f"{area}.{verb}" for area, verbs in _OTHERS.items() for verb in verbs.split()})


def bindings(keys: tuple[Key, ...]) -> list[BindingType]:
    """Return Textual's bindings for these keys."""
    return [
        Binding(
            key.keys,
            key.action,
            key.words,
            show=key.show,
            key_display=first_key(key),
            priority=key.priority,
            id=key.id,
            tooltip=key.tip or key.words,
        )
        for key in keys
    ]


def written(key: Key, remapped: Mapping[str, str]) -> str:
    """Return the keys as people write them: "/", "esc", "d b".

    Args:
        key: what they do.
        remapped: `[keys]` of the configuration: other keys, by id.
    """
    return " ".join(KEY_WORDS.get(name, name) for name in names_of(key, remapped))


def names_of(key: Key, remapped: Mapping[str, str]) -> list[str]:
    """Return the keys as Textual names them; see `written`."""
    return [name.strip() for name in remapped.get(key.id, key.keys).split(",")]


def first_key(key: Key) -> str:
    """Return the key that the footer names, as people write it."""
    name = key.keys.partition(",")[0]
    return KEY_WORDS.get(name, name)


SIGNS_IN = "L signs in again"
_BY_COMMAND = (
    (pattern(r"Sign in again(?:: | \()isexplore login(?: [^\s)]+)?\)?"), SIGNS_IN),
    (pattern(r"sign in again(?:: | \()isexplore login(?: [^\s)]+)?\)?"), "sign in again with L"),
    (pattern(r"isexplore login \S+ asks for one"), "L asks for one"),
)


def by_key(words: str) -> str:
    """Return advice that names the command that signs in, with the key that does so here in its place."""
    for command, key in _BY_COMMAND:
        words = command.sub(key, words)
    return words
