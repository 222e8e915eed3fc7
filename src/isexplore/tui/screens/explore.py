"""Search all InnerSource projects as you type; read the one under the cursor beside the list."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from textual import events, on, work
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.containers import Horizontal

from isexplore.errors import IsexploreError, StateError
from isexplore.models import Bookmark, ProjectRef
from isexplore.tui.app import SHORT
from isexplore.tui.begin import begin_contribution
from isexplore.tui.bookmarking import add_bookmark, remove_bookmark
from isexplore.tui.catalog_rows import FoundRows, quick_overview
from isexplore.tui.garbage import IDLE, tidy
from isexplore.tui.keys import EXPLORE, bindings
from isexplore.tui.messages import CatalogProgressed, CatalogRefreshed
from isexplore.tui.narrowing import narrowings, toggled
from isexplore.tui.opening import PLACEHOLDER, WIDE, total_words
from isexplore.tui.resting import Resting
from isexplore.tui.screens.searching import SearchScreen
from isexplore.tui.widgets.bars import ModeBar, StatusLine, fill_mode_bar, one_stop
from isexplore.tui.widgets.key_line import KeyLine
from isexplore.tui.widgets.preview import Preview
from isexplore.tui.widgets.rows import RowList
from isexplore.tui.widgets.search_bar import SearchBar

if TYPE_CHECKING:
    from isexplore.catalog.facets import Facets
    from isexplore.catalog.query import Found
    from isexplore.catalog.store import Row as CatalogRow

SCREENFUL = 100
"""Rows before the end of what is known from which on the rest is looked for."""
NEWS_AFTER = 0.4
"""Seconds after the first frame, when nobody waits for anything else."""
FILL_EVERY = 2.0
"""Seconds between two looks at a listing that goes on."""
EMPTY_CATALOG = "The catalog is empty.\nr asks the forges for projects."
LOADING = "Asking the forges for projects;\nthey appear here by themselves."
NO_HIT = "Nothing in the catalog matches.\nf asks the forge; / searches anew."
NO_HIT_YET = "Nothing in the catalog matches.\nesc, then f asks the forge."
"""The same while the search line has the focus, where letters are text."""


class ExploreScreen(SearchScreen):
    """The catalog."""

    KEYS = EXPLORE
    BINDINGS = bindings(EXPLORE)
    HELP_TITLE = "Explore"
    HELP_TEXT = (
        "All projects of your organisation that ask for contributions. Type words in any order, and filters:\n\n"
        "| filter | finds |\n| --- | --- |\n"
        "| lang:python | projects in a language |\n"
        "| topic:payments | projects with a topic |\n"
        "| group:platform | projects below a group |\n"
        "| has:gfi | projects with good first issues (also has:contributing, has:readme) |\n"
        "| active:90d | changed in the last 90 days |\n"
        "| sort:stars | also sort:score (without words), sort:relevance (with words), sort:activity, "
        "sort:updated, sort:name |\n"
        '| "two words" | a phrase |\n'
        "| -word | without this word |"
    )
    LIST = AUTO_FOCUS = "#results"
    KEYS_IN_PANE = ("leave_preview", "back", "tab(1)")

    def __init__(self) -> None:
        super().__init__()
        # The classes that the first layout would add: added then, they would style every widget twice.
        size = self.app.size
        self.add_class(
            "-wide" if size.width >= WIDE else "-narrow",
            "-tall" if size.height >= SHORT else "-short",
            update=False,
        )
        self._notice = ""
        """What the search remarked on its filters, for the list that stays empty."""
        self._filled_at = float("-inf")
        self._resting = Resting(self, self._show_preview)
        self._idle = Resting(self, tidy, seconds=IDLE)

    async def on_event(self, event: events.Event) -> None:
        """Spare the first frame a second styling of every widget: all have been styled when they were mounted."""
        if isinstance(event, events.ScreenResume) and not self.stack_updates:
            event.refresh_styles = False
        await super().on_event(event)

    def compose(self) -> ComposeResult:
        """Lay out search bar, results, preview."""
        yield ModeBar("explore")
        yield SearchBar(
            search=self.show_results,
            complete=self.app.services.complete,
            leave=self.leave_search,
            placeholder=PLACEHOLDER,
            id="search",
        )
        with Horizontal(classes="panes"):
            yield RowList(row_height=3, empty=EMPTY_CATALOG, id="results", classes="list-pane")
            yield Preview(classes="detail-pane")
        yield StatusLine(id="status")
        yield KeyLine()

    def on_mount(self) -> None:
        """Fill the list from the disk, then see whether the forges have news."""
        self.show_results("")
        self._resting.now()
        self.call_after_refresh(self.app.tell_first_frame)
        self.app.looked_at_catalog = True
        self.set_timer(NEWS_AFTER, self.show_news)
        self.app.refresh_if_old()
        self._show_loading()

    def _show_loading(self) -> None:
        """Say in the empty list that it is being filled; the line below tells how far that is."""
        rows = self.query_one("#results", RowList)
        if self.app.refreshing and not len(rows.source) and not self._query.strip():
            rows.empty = LOADING

    def show_news(self) -> None:
        """Say what turned up since the last visit, unless something else is said already."""
        line = self.query_one(StatusLine)
        if not line.message:
            with suppress(StateError):
                line.say(self.app.services.news().words)

    def on_screen_resume(self) -> None:
        """Show what other screens may have changed."""
        fill_mode_bar(self)
        rows = self.query_one("#results", RowList)
        if isinstance(rows.source, FoundRows):
            rows.source.read_bookmarks()
            if rows.source.found.catalog is not self.app.services.catalog:
                # A refresh or a new token has opened the files anew, and closed those of what is shown.
                self.show_results(self._query)
        rows.refresh_rows()
        self._read_again_after_contribution()

    def _read_again_after_contribution(self) -> None:
        """Read the project anew where a contribution to it has ended since: its issue may be solved."""
        preview = self.query_one(Preview)
        if preview.reading is None:
            return
        # A state file that cannot be read is told by the screen that shows it.
        with suppress(StateError):
            if any(
                one.outcome is not None
                and ProjectRef(one.forge, one.project) == preview.ref
                and one.updated_at is not None
                and one.updated_at > preview.reading.as_of
                for one in self.app.services.journey_store.list()
            ):
                preview.read_again()

    # Searching

    def show_results(self, text: str) -> None:
        """Search, and show what was found; called within the key press."""
        # The same search again brings news: whoever has gone down its list stays there.
        keep_cursor = not text or text == self._query
        self._query = text
        try:
            found = self.app.services.search(text)
        except IsexploreError as error:
            # What was found before stays: half a filter is no reason to empty the list.
            self.say_wrong(error)
            return
        if found.late:
            # The deadline of a key press has passed: what was found before stays until all is known.
            self._search_on(text, keep_cursor=keep_cursor)
            return
        self._show_found(text, found, keep_cursor=keep_cursor)

    @work(exclusive=True, group="search")
    async def _search_on(self, text: str, *, keep_cursor: bool) -> None:
        found = await asyncio.to_thread(self.app.services.search_to_the_end, text)
        if text == self._query:
            self._show_found(text, found, keep_cursor=keep_cursor)

    def _show_found(self, text: str, found: Found, *, keep_cursor: bool) -> None:
        bar = self.query_one(SearchBar)
        rows = self.query_one("#results", RowList)
        corrected = f"Nothing is spelt like that; showing {found.corrected}" if found.corrected else ""
        bar.error = corrected or found.notice or ""
        self._notice = found.notice or ""
        rows.empty = self._no_hit() if text.strip() else self._nothing(found)
        kept = rows.source.kept if isinstance(rows.source, FoundRows) else None
        rows.set_rows(FoundRows(found, self.app.services, kept), keep_cursor=keep_cursor)
        self._show_total(found)
        self._resting.begin()

    def _nothing(self, found: Found) -> str:
        return EMPTY_CATALOG if found.total else self.empty_words(EMPTY_CATALOG)

    def _no_hit(self) -> str:
        words = NO_HIT_YET if isinstance(self.focused, SearchBar) else NO_HIT
        # A line of the list is short: what is misspelt, and what is like it, on one each.
        return "\n".join((*self._notice.split("; "), words)) if self._notice else words

    @on(events.DescendantFocus)
    def _tell_other_keys(self) -> None:
        """Name the keys that work where the focus is now."""
        rows = self.query_one("#results", RowList)
        if rows.empty.endswith((NO_HIT, NO_HIT_YET)):
            rows.empty = self._no_hit()

    def _show_total(self, found: Found) -> None:
        """Show how many there are; counting many to the last would take longer than a key press may."""
        size = self.app.services.catalog_size()
        self.query_one(SearchBar).status = total_words(
            found.total, found.more, size, found.query.sort, words=bool(found.query.wanted)
        )

    @work(exclusive=True, group="all-hits")
    async def _find_all(self, source: FoundRows) -> None:
        """Find the hits beyond the first ones, and let the list grow by them."""
        rows = self.query_one("#results", RowList)
        found = await asyncio.to_thread(self.app.services.find_all, source.found)
        if rows.source is source:
            source.take_all(found)
            rows.grow()
            self._show_total(found)

    def action_facets(self) -> None:
        """Choose a language, a topic or a group of what was found."""
        source = self.query_one("#results", RowList).source
        if not isinstance(source, FoundRows) or not len(source):
            raise SkipAction
        self.app.ask(self._narrow(source.found))

    async def _narrow(self, found: Found) -> None:
        from isexplore.tui.screens.dialogs import PickDialog

        catalog = self.app.services.catalog

        def counted() -> Facets:
            with catalog.again() as own:
                return found.rebound(own).facets()

        choices = list(narrowings(await asyncio.to_thread(counted), self._query))
        chosen = await self.app.push_screen_wait(
            PickDialog(
                "Narrow the search",
                [one.text for one in choices],
                details={one.text: one.words for one in choices},
                on=frozenset(one.text for one in choices if one.on),
                empty="Nothing that was found is called that.",
                new=False,
            )
        )
        if chosen is not None:
            self._put_search(toggled(self._query, chosen))

    def action_saved(self) -> None:
        """Choose one of the saved searches."""
        saved = self.app.services.saved_searches()
        if saved:
            self.app.ask(self._take_saved(saved))
        else:
            self.app.notify(
                'config.toml keeps them: [searches] mine = "lang:python has:gfi"',
                title="No saved searches yet",
            )

    async def _take_saved(self, saved: dict[str, str]) -> None:
        from isexplore.tui.screens.dialogs import PickDialog

        names = {f"@{name}": text for name, text in saved.items()}
        chosen = await self.app.push_screen_wait(
            PickDialog("Saved searches", list(names), details=names, empty="None is called that.", new=False)
        )
        if chosen is not None:
            self._put_search(chosen)

    def _put_search(self, text: str) -> None:
        bar = self.query_one(SearchBar)
        bar.value = text
        bar.cursor_position = len(text)

    def action_ask_forge(self) -> None:
        """Search on the forges themselves."""
        if not self._query.strip():
            self.action_refresh()
            return
        self.query_one(StatusLine).say(f"Asking the forge for {self._query.strip()!r}...")
        self.app.ask_forge(self._query)

    # The project under the cursor

    def current(self) -> CatalogRow | None:
        """Return the project under the cursor."""
        rows = self.query_one("#results", RowList)
        source = rows.source
        if isinstance(source, FoundRows) and rows.cursor is not None and rows.cursor < len(source):
            return source.item(rows.cursor)
        return None

    def page(self) -> str | None:
        """Return the project's address."""
        row = self.current()
        return row.url if row else None

    def _ref(self) -> ProjectRef | None:
        row = self.current()
        return ProjectRef(row.forge, row.path) if row else None

    @on(RowList.Highlighted, "#results")
    def _look(self, event: RowList.Highlighted) -> None:
        source = event.row_list.source
        if isinstance(source, FoundRows) and source.found.more and event.index >= len(source) - SCREENFUL:
            self._find_all(source)
        # Nothing to do where it is shown already, as when the list has just been filled.
        if self._ref() != self.query_one(Preview).ref:
            self._resting.soon()

    def _show_preview(self) -> None:
        """Show the project under the cursor beside the list; never within the frame of a key."""
        self._idle.begin()
        row = self.current()
        preview = self.query_one(Preview)
        if row is None:
            preview.look_at(None)
        else:
            preview.look_at(ProjectRef(row.forge, row.path), quick=quick_overview(row))

    def action_read(self) -> None:
        """Go into the preview; whoever is there already wants to open a link that is not chosen yet."""
        if self._ref() is None or self.query_one(Preview).has_focus_within:
            raise SkipAction
        self.enter_preview()

    @on(RowList.Chosen, "#results")
    def enter_preview(self) -> None:
        """Put the focus into the preview, unless the project has left the catalog meanwhile."""
        if self._ref() is None:
            return
        self._resting.now()
        self.query_one(".panes").add_class("-reading")
        self.query_one(Preview).take_focus()

    @on(Preview.Left)
    def leave_preview(self) -> None:
        """Come back from the preview."""
        self.query_one(".panes").remove_class("-reading")
        self.query_one("#results").focus()

    @on(Preview.IssueChosen)
    def begin_with_issue(self, event: Preview.IssueChosen) -> None:
        """Begin with the issue that was chosen in the preview."""
        begin_contribution(self.app, event.ref, event.number)

    def action_tab(self, step: int) -> None:
        """Turn the next or previous tab of the preview on."""
        if self._ref() is None:
            raise SkipAction
        self._resting.now()
        self.query_one(Preview).move_tab(step)

    def action_contribute(self) -> None:
        """Begin a contribution, with the issue under the cursor where one is in sight."""
        ref = self._ref()
        if ref is None:
            raise SkipAction
        self._resting.now()
        begin_contribution(self.app, ref, self.query_one(Preview).issue_in_sight)

    def action_bookmark(self) -> None:
        """Bookmark the project with a note, or take its bookmark away."""
        ref = self._ref()
        if ref is None:
            raise SkipAction
        try:
            known = self.app.services.bookmarks.get(ref)
        except IsexploreError as error:
            self.app.tell_error(error)
            return
        self.app.ask(self._change_bookmark(ref, known))

    async def _change_bookmark(self, ref: ProjectRef, known: Bookmark | None) -> None:
        changed = (
            await add_bookmark(self.app, ref)
            if known is None
            else await remove_bookmark(self.app, known, again="b bookmarks it again.")
        )
        if changed:
            self.on_screen_resume()

    def action_why(self) -> None:
        """Tell why the project under the cursor stands where it stands."""
        row = self.current()
        if row is None:
            raise SkipAction
        from isexplore.tui.screens.dialogs import MessageDialog

        reasons = self.app.services.why(row) or ("nothing more is known of it",)
        words = "\n".join(f"  · {reason}" for reason in reasons)
        self.app.push_screen(
            MessageDialog(
                f"Why is {row.path} here?",
                f"Its activity is {row.level}: {row.score:,} points.\n\n{words}\n\n"
                "Projects with more points come first, after those that fit the words of the search better.",
            )
        )

    def action_back(self) -> None:
        """Go one step back: to the list, then to the whole catalog."""
        bar = self.query_one(SearchBar)
        if self.query_one(".panes").has_class("-reading") or self.query_one(Preview).has_focus_within:
            self.leave_preview()
        elif bar.value:
            bar.value = ""
        else:
            raise SkipAction

    # News from the forges

    def action_refresh(self) -> None:
        """Ask the forges what is new."""
        self.begin_refresh()
        self._show_loading()

    @on(CatalogProgressed)
    def show_progress(self, message: CatalogProgressed) -> None:
        """Show how far the refresh is; the list fills as it goes."""
        self.query_one(StatusLine).say(message.progress.text)
        self._fill()
        self._show_loading()

    def _fill(self) -> None:
        """Show what has come of a first listing: the first rows at once, then more every now and then."""
        services = self.app.services
        if not services.catalog_size():
            # Its file may have been made only after it was looked for.
            services.reopen_catalog()
        empty = not len(self.query_one("#results", RowList).source)
        now = time.monotonic()
        due = now - self._filled_at >= FILL_EVERY and services.catalog_is_being_filled()
        if services.catalog_size() and (empty or due):
            self._filled_at = now
            self.show_results(self._query)

    @on(CatalogRefreshed)
    def show_refreshed(self, message: CatalogRefreshed) -> None:
        """Show the new rows, and which forge could not be asked."""
        self.show_results(self._query)
        outcome = message.outcome
        words = one_stop(outcome.words)
        with suppress(StateError):
            words = ". ".join(part for part in (words, self.app.services.news().words) if part)
        self.query_one(StatusLine).say(words, error=bool(outcome.failures))
        self.show_failures(outcome)
        fill_mode_bar(self)
        # What is read of the project in the preview may be another by now: its issues were solved, say.
        preview = self.query_one(Preview)
        if preview.reading is not None:
            preview.read_again()
