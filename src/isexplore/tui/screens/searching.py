"""What the screens with a search line above a list have in common: the ways between the two, and the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.actions import SkipAction
from textual.screen import Screen

from isexplore.errors import AuthError, IsexploreError
from isexplore.tui.app import IsexploreApp
from isexplore.tui.keys import SIGNS_IN, by_key
from isexplore.tui.messages import CatalogRefreshFailed
from isexplore.tui.painting import ChangedCells
from isexplore.tui.widgets.bars import StatusLine, fill_mode_bar, sentence
from isexplore.tui.widgets.document import DocumentView
from isexplore.tui.widgets.rows import RowList
from isexplore.tui.widgets.search_bar import SearchBar

if TYPE_CHECKING:
    from isexplore.services import Refreshed


class SearchScreen(Screen[None]):
    """A search line, a list of what it finds, and a pane beside the list."""

    app: IsexploreApp
    LIST: ClassVar[str]
    """Selector of the list."""
    KEYS_IN_PANE: ClassVar[tuple[str, ...]] = ("back",)
    """Actions whose keys are named first where the pane beside the list has the focus."""

    def __init__(self) -> None:
        super().__init__()
        self._compositor = ChangedCells()
        self._query = ""

    def paint(self) -> None:
        """Paint what has changed at once.

        Textual would let it wait for its clock, whose next tick is up to 33 ms after the frame before.
        """
        self._on_timer_update()

    @property
    def keys_here(self) -> tuple[str, ...]:
        """Actions to name first: on a narrow screen the pane is all there is to see."""
        outside = self.focused is None or isinstance(self.focused, SearchBar)
        return () if outside or self.query_one(self.LIST).has_focus else self.KEYS_IN_PANE

    @property
    def keys_told(self) -> tuple[tuple[str, str], ...]:
        """What leaves the search line, and what completes a word in it."""
        if not isinstance(self.focused, SearchBar):
            return ()
        return ("enter", "To the list"), ("escape", "Back"), ("tab", "Complete")

    def why_not(self, action: str) -> str:
        """Return why a key does nothing now: there is nothing under the cursor."""
        if action == "back" or self.page() is not None:
            return ""
        other = "/ searches for something else" if self._query.strip() else "r asks the forges"
        return f"The list is empty: {other}."

    def page(self) -> str | None:
        """Return the address of what is under the cursor; None for an empty list."""
        raise NotImplementedError

    def say_wrong(self, error: IsexploreError) -> None:
        """Say below the search line what is wrong with it."""
        self.query_one(SearchBar).error = ". ".join(part for part in (error.title, error.hint) if part)

    @on(CatalogRefreshFailed)
    def show_refresh_failed(self, message: CatalogRefreshFailed) -> None:
        """Say why there is no news; what is there gets older, also in the words above."""
        error = message.error
        self.query_one(StatusLine).say_error(error, message.again)
        hint = by_key(error.hint)
        next_key = SIGNS_IN if isinstance(error, AuthError) else message.again
        self._say_in_empty_list(error.title, *hint.split(". "), "" if SIGNS_IN in hint else next_key)
        fill_mode_bar(self)

    def show_failures(self, outcome: Refreshed) -> None:
        """Say in a list that stayed empty which forge could not be asked."""
        # A line of the list is short: a sentence each.
        self._say_in_empty_list(*(words for each in outcome.failures for words in each.split(". ")))

    def _say_in_empty_list(self, *parts: str) -> None:
        rows = self.query_one(self.LIST, RowList)
        words = "\n".join(sentence(part) for part in parts if part.strip())
        if words and not len(rows.source) and not self._query.strip():
            rows.empty = words

    def empty_words(self, otherwise: str) -> str:
        """Return what an empty list says where nothing was searched for: an error never looks like "nothing"."""
        faults = self.app.services.faults()
        if not faults:
            return otherwise
        told = (sentence(words) for forge, reason in faults for words in f"{forge}: {reason}".split(". "))
        return "\n".join((*told, "r tries again."))

    def leave_search(self) -> None:
        """Go from the search bar to the list, before the next key of somebody who types fast is looked at."""
        self.set_focus(self.query_one(self.LIST))

    @on(SearchBar.Moved)
    def move_in_list(self, event: SearchBar.Moved) -> None:
        """Move the list's cursor while the typing goes on."""
        self.query_one(self.LIST, RowList).step(event.rows)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the key of the search to whoever types into the search bar, or reads a document."""
        return action != "search" or not isinstance(self.focused, (SearchBar, DocumentView))

    def action_search(self) -> None:
        """Go into the search bar, before the next key of somebody who types fast is looked at.

        What stands there is selected: typing searches for something else, an arrow key goes on with it.
        """
        self.query_one(".panes").remove_class("-reading")
        bar = self.query_one(SearchBar)
        self.set_focus(bar)
        bar.select_for_anew()

    def action_open_page(self) -> None:
        """Open the page of what is under the cursor."""
        url = self.page()
        if url is None:
            raise SkipAction
        self.app.open_page(url)

    def action_copy(self) -> None:
        """Copy the address of what is under the cursor."""
        url = self.page()
        if url is None:
            raise SkipAction
        self.app.copy_to_clipboard(url)
        self.app.notify(url, title="Copied")

    def begin_refresh(self) -> None:
        """Ask the forges what is new, and say so at once: the first of them may take its time."""
        if not self.app.refreshing:
            self.query_one(StatusLine).say("Asking the forges what is new...")
        self.app.refresh_catalog()
