"""The application: modes, palette, themes, and what happens when something goes wrong. No screen's logic."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, work
from textual.app import App, ScreenStackError, SuspendNotSupported
from textual.binding import Binding
from textual.filter import LineFilter
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen

from isexplore.errors import EXIT_BUG, IsexploreError
from isexplore.services import Services
from isexplore.text import clean
from isexplore.tui.crash import write_report
from isexplore.tui.key_names import spare_the_table
from isexplore.tui.keys import APP, KEY_WORDS, bindings, names_of
from isexplore.tui.messages import CatalogProgressed, CatalogRefreshed, CatalogRefreshFailed
from isexplore.tui.opening import WIDE
from isexplore.tui.text import SafeFilter
from isexplore.tui.widgets.bars import StatusLine, say_below

if TYPE_CHECKING:
    from isexplore.catalog.reports import SyncProgress

SHORT = 18
"""Lines below which dialogs do without frames and empty lines."""
TOAST_CHARACTERS = 300
TOAST_LINES = 5
NOTE_SECONDS = 3.0
"""How long a toast with a mere note covers the text below it."""

ALREADY_ASKING = "The forges are being asked already; what is new comes by itself."


def _explore() -> Screen[None]:
    from isexplore.tui.screens.explore import ExploreScreen

    return ExploreScreen()


def _first_issues() -> Screen[None]:
    from isexplore.tui.screens.first_issues import FirstIssuesScreen

    return FirstIssuesScreen()


def _contributions() -> Screen[None]:
    from isexplore.tui.screens.contributions import ContributionsScreen

    return ContributionsScreen()


def _bookmarks() -> Screen[None]:
    from isexplore.tui.screens.bookmarks import BookmarksScreen

    return BookmarksScreen()


class IsexploreApp(App[int]):
    """isexplore on a terminal."""

    CSS_PATH = "base.tcss"
    TITLE = "isexplore"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        "explore": _explore,
        "first_issues": _first_issues,
        "contributions": _contributions,
        "bookmarks": _bookmarks,
    }
    BINDINGS = bindings(APP)
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 - Textual declares it as an instance's
    VERTICAL_BREAKPOINTS = [(0, "-short"), (SHORT, "-tall")]  # noqa: RUF012 - likewise
    ENABLE_COMMAND_PALETTE = True
    PAUSE_GC_ON_SCROLL = True
    TOKENS_AFTER: ClassVar[float] = 2.0
    """Seconds from the first frame until the tokens are looked at: the first keys come first."""
    TERMINAL_EVERY: ClassVar[float] = 2.0
    """Seconds between two looks whether the terminal is still there."""

    def __init__(self, services: Services, *, first_run: bool = False) -> None:
        super().__init__()
        spare_the_table()
        self.services = services
        self.first_run = first_run
        self.on_first_frame: Callable[[], None] | None = None
        """Called once, when the first screen has been drawn."""
        self.report: Path | None = None
        """Where the report of a crash was written."""
        self.running: dict[str, str] = {}
        """What is at work, in words, by the contribution whose step it is: leaving would stop it."""
        self.refreshing = False
        """Whether the forges are being asked what is new."""
        self.refreshed_in_part = False
        """Whether the last refresh could not ask for all of it, so that its age tells only of the rest."""
        self.looked_at_catalog = False
        """Whether the catalog was shown: what was new in it then is not new the next time."""
        self._safe_filter = SafeFilter()

    # Starting and ending

    def on_mount(self) -> None:
        """Apply the configuration and show the first screen."""
        config = self.services.config
        theme = config.theme or os.environ.get("TEXTUAL_THEME", "")
        if theme:
            if theme in self.available_themes:
                self.theme = theme
            else:
                self.notify(f"There is no theme {theme!r}; using {self.theme}.", severity="warning")
        if config.keys:
            self.set_keymap(config.keys)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._leave_on_signal, int(number))
        if not self.is_headless and os.isatty(0):
            self.set_interval(self.TERMINAL_EVERY, self._leave_without_terminal)
        if self.first_run:
            from isexplore.tui.screens.welcome import WelcomeScreen

            self.push_screen(WelcomeScreen())
            self.tell_first_frame()
        elif self.current_mode != "explore":
            self.switch_mode("explore")

    def tell_first_frame(self) -> None:
        """Let what waited for the first frame happen."""
        if self.on_first_frame is not None:
            self.on_first_frame()
            self.on_first_frame = None
        if not self.first_run:
            self.set_timer(self.TOKENS_AFTER, self._look_at_tokens)

    @work(exclusive=True, group="tokens")
    async def _look_at_tokens(self) -> None:
        """Tell which tokens run out soon, before somebody needs them."""
        if self.services.practising:
            return
        await asyncio.to_thread(self.services.prepare)
        for note in await self.services.expiry_notes(connect=True):
            self.notify(note, title="Soon you need a new token", severity="warning", timeout=12)

    def _leave_on_signal(self, number: int) -> None:
        self.exit(128 + number, return_code=128 + number)

    def _leave_without_terminal(self) -> None:
        """End as at HUP where that was sent to another: a `make` that leads the session keeps it for itself."""
        from isexplore.tui.outside import terminal_is_gone

        if terminal_is_gone(0):
            self._leave_on_signal(signal.SIGHUP)

    def start_exploring(self) -> None:
        """Go from the first run's screens to the list."""
        self.first_run = False
        self.switch_mode("explore")

    async def on_unmount(self) -> None:
        """Note the visit; close the connections to the forges."""
        if self.looked_at_catalog:
            self.services.end_visit()
        await self.services.disconnect()

    async def action_leave(self) -> None:
        """Quit, once nothing runs or its end was agreed to; git and HTTP are stopped with their workers."""
        if not self.running:
            self.exit(0)
            return
        from isexplore.tui.screens.dialogs import LeaveDialog

        def answered(leave: bool | None) -> None:
            if leave:
                self.exit(0)

        self.push_screen(LeaveDialog(tuple(self.running.values())), answered)

    async def action_quit(self) -> None:
        """Quit as the key does; what Textual's own key and palette ask for."""
        await self.action_leave()

    def action_help_quit(self) -> None:
        """Say how to quit: what Textual's ctrl+c does where nothing is selected."""
        say_below(self.screen, "ctrl+q quits; q does, too, where no text is typed.")

    def _fatal_error(self) -> None:
        # Textual's own version prints every local variable of every frame, tokens among them.
        self._return_code = EXIT_BUG
        self.report = write_report(self.services.paths)
        self.panic(
            clean(
                "isexplore has a bug and had to stop. Nothing is lost: a contribution goes on where it was.\n"
                f"The report, with secrets masked: {self.report or 'could not be written'}"
            )
        )

    # Safety net and toasts

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters of every line drawn; ours drops what could act on a terminal."""
        return [*super().get_line_filters(), self._safe_filter]

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a toast; never with markup, since most of its words are strangers'."""
        if timeout is None and severity == "information":
            timeout = NOTE_SECONDS
        text = "\n".join(clean(message, TOAST_CHARACTERS).splitlines()[:TOAST_LINES])
        super().notify(text, title=clean(title, 80), severity=severity, timeout=timeout, markup=False)

    def tell_error(self, error: IsexploreError) -> None:
        """Show an expected failure below what was looked at; as a toast where a screen has no place for it."""
        for line in self.screen.query(StatusLine):
            line.say_error(error)
            return
        self.notify("\n".join(part for part in (error.detail, error.hint) if part), title=error.title,
                    severity="error", timeout=12)  # fmt: skip

    # Modes, help, palette

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out the mode that is on, and hide the modes while the first run asks its question."""
        if action in ("mode", "sign_in"):
            return not (self.first_run or self.screen.is_modal)
        return True

    async def action_mode(self, mode: str) -> None:
        """Switch to another mode, at its top screen; from within a mode, go to its first one."""
        if mode != self.current_mode:
            await self.switch_mode(mode)
            return
        while len(self.screen_stack) > 1:
            step = getattr(self.screen, "running", None)
            if step is not None:
                # Its step would end with the screen.
                self.notify(f"Running: {step}. ctrl+x stops it; the list shows when it has ended.")
                return
            # A dialog that is being made ready would come up without its screen.
            self.give_up_asking()
            await self.pop_screen()

    async def on_key(self, event: events.Key) -> None:
        """Run what a key is bound to; where that is nothing, or nothing that can be done now, say so."""
        event.prevent_default()
        # A dialog names its keys, and one that comes late is not for what is being typed.
        if not await self._check_bindings(event.key) and not self.screen.is_modal:
            typed = event.character if event.is_printable and event.key != "space" else None
            say_below(self.screen, self._why_not(event.key, typed or event.key))

    def _why_not(self, key: str, written: str) -> str:
        for node in (self.focused, self.screen):
            ask: Callable[[str], str] | None = getattr(node, "why_not", None)
            for each in getattr(node, "KEYS", ()):
                named = key in names_of(each, self.services.config.keys)
                if named and ask is not None and (words := ask(each.action.partition("(")[0])):
                    return words
        if key == "escape":
            return "There is nothing to go back to: 1 2 3 4 go elsewhere, q quits."
        return f"{KEY_WORDS.get(key, written)} does nothing here; ? names the keys."

    def action_sign_in(self) -> None:
        """Sign in again to a forge, on top of what is looked at."""
        if self.services.practising or not self.services.config.forges:
            self.notify("The practice forge needs no signing in; isexplore login URL connects to another.")
            return
        from isexplore.tui.screens.sign_in import SignInScreen

        if isinstance(self.screen, SignInScreen):
            say_below(self.screen, "You are signing in already; esc goes back.")
            return
        self.ask(self._sign_in())

    async def _sign_in(self) -> None:
        from isexplore.tui.screens.dialogs import ChoiceDialog
        from isexplore.tui.screens.sign_in import SignInScreen

        forges = self.services.config.forges
        chosen: str | None = forges[0].name
        if len(forges) > 1:
            choices = [(forge.name, forge.name, forge.url) for forge in forges]
            chosen = await self.push_screen_wait(ChoiceDialog("Sign in again, to which forge?", choices))
        if chosen is not None:
            await self.push_screen(SignInScreen(chosen))

    def action_help(self) -> None:
        """Show what the keys of this screen do."""
        from isexplore.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.screen))

    def get_system_commands(self, screen: Screen[Any]) -> Any:
        """Yield the commands of the palette: everything with a key here, then the general ones."""
        from isexplore.tui.commands import palette

        yield from palette(self, screen)

    def handle_bindings_clash(self, clashed_bindings: set[Binding], node: Any) -> None:
        """Say that the configuration gives one key to two things."""
        names = ", ".join(sorted(binding.id or binding.action for binding in clashed_bindings))
        self.notify(
            f"One key is given to several things: {names}", title="[keys] in config.toml", severity="warning"
        )

    # News from the forges

    def refresh_if_old(self) -> None:
        """Refresh the catalog when it is older than the configuration allows."""
        if self.services.catalog_is_old():
            self.refresh_catalog()

    def refresh_catalog(self, *, anew: bool = False) -> None:
        """Ask the forges what is new; one refresh at a time.

        Args:
            anew: end a refresh that is under way, since it asks with what holds no more, and begin another.
        """
        if not self.services.config.forges and not self.services.config.sources:
            self.notify("isexplore login URL connects to a forge.", title="No forge is connected")
            return
        if self.refreshing and not anew:
            for line in self.screen.query(StatusLine):
                line.say(ALREADY_ASKING)
            return
        self.refreshing = True
        self._refresh_catalog()

    @work(exclusive=True, group="catalog")
    async def _refresh_catalog(self) -> None:
        def progressed(progress: SyncProgress) -> None:
            self._tell_screens(CatalogProgressed(progress))

        try:
            outcome = await self.services.refresh_beside(progressed)
        except IsexploreError as error:
            self.refreshing = False
            self._tell_screens(CatalogRefreshFailed(error))
            return
        self.refreshing = False
        self.refreshed_in_part = bool(outcome.failures)
        self.services.reopen_catalog()
        self._tell_screens(CatalogRefreshed(outcome))

    def _tell_screens(self, message: Message) -> None:
        """Tell the screens of this mode, also those below a dialog; nobody when all are being closed."""
        with suppress(ScreenStackError):
            for screen in self.screen_stack:
                screen.post_message(message)

    def ask_forge(self, text: str) -> None:
        """Search on the forges themselves; what they find goes into the catalog."""
        self._ask_forge(text)

    @work(exclusive=True, group="ask-forge")
    async def _ask_forge(self, text: str) -> None:
        try:
            outcome = await self.services.ask_forges(text)
        except IsexploreError as error:
            self._tell_screens(CatalogRefreshFailed(error, "f asks again"))
            return
        self.services.reopen_catalog()
        self._tell_screens(CatalogRefreshed(outcome))

    # Outside programs

    def open_page(self, url: str) -> None:
        """Open a page in the browser, or show its address where there is none."""
        self._open_page(url)

    @work(exclusive=True, group="browser")
    async def _open_page(self, url: str) -> None:
        from isexplore.tui.outside import open_in_browser

        if not await open_in_browser(url):
            self.copy_to_clipboard(url)
            self.notify(url, title="No browser here; the address is copied", timeout=6)

    def copy_mail_address(self, address: str) -> None:
        """Copy an address to write to: no mail program is started from a document."""
        self.copy_to_clipboard(address)
        self.notify(address, title="An address to write to; it is copied")

    def confirm_and_open(self, url: str, host: str) -> None:
        """Open a page that a document links to, once its real host was confirmed."""
        self.ask(self._confirm_and_open(url, host))

    async def _confirm_and_open(self, url: str, host: str) -> None:
        from isexplore.tui.screens.dialogs import ConfirmDialog

        if await self.push_screen_wait(ConfirmDialog(f"Open a page of {host}?", url, yes="Open")):
            self.open_page(url)

    def run_outside(self, command: Sequence[str], folder: Path, words: str = "") -> int | None:
        """Run an interactive program in the terminal, with isexplore out of the way.

        Args:
            command: program and arguments.
            folder: where it runs.
            words: what the terminal says before it begins.

        Returns:
            Its exit code, or None when this terminal cannot be handed over.

        Raises:
            ConfigError: the program cannot be started.
        """
        from isexplore.tui.outside import run_in_terminal

        try:
            return run_in_terminal(self.suspend(), command, folder, words)
        except SuspendNotSupported:
            return None

    def ask(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a conversation of dialogs; only one at a time."""
        self.run_worker(coroutine, group="dialogue", exclusive=True)

    def give_up_asking(self) -> None:
        """End the conversation of dialogs that is under way."""
        self.workers.cancel_group(self, "dialogue")

    def no_longer_runs(self, journey_id: str) -> None:
        """Note that nothing runs for a contribution; a question that was about it goes."""
        from isexplore.tui.screens.dialogs import LeaveDialog

        if self.running.pop(journey_id, None) is None:
            return
        with suppress(ScreenStackError):
            if isinstance(self.screen, LeaveDialog):
                self.screen.now_runs(tuple(self.running.values()))


class ExploringApp(IsexploreApp):
    """isexplore with a forge to explore: it begins with the list, and draws no empty screen before it."""

    DEFAULT_MODE = "explore"
    _starting = True

    @contextmanager
    def batch_update(self) -> Generator[None, None, None]:
        """Hold repaints back until the end of the batch, but for the one that Textual starts with.

        The list is complete within that one already: its first frame would be drawn, dropped, and drawn
        again two frames later.
        """
        if self._starting:
            self._starting = False
            yield
        else:
            with super().batch_update():
                yield
