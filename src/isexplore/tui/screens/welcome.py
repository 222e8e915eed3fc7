"""The first run: two choices, big and plain."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen

from isexplore.tui.app import IsexploreApp
from isexplore.tui.widgets.key_line import KeyLine
from isexplore.tui.widgets.rows import ListRows, RowList, RowText
from isexplore.tui.widgets.words import Words

CHOICES: tuple[tuple[str, str, str, str], ...] = (
    (
        "connect",
        "Connect to your organisation's forge",
        "You need its address.",
        "The next screen says how to sign in.",
    ),
    (
        "practise",
        "Practise first",
        "No account; nothing leaves this machine.",
        "Make a whole contribution in ten minutes.",
    ),
)
PRACTISE = 10
"""Exit code with which the screens ask to be started again in the practice world; never leaves the program."""


class WelcomeScreen(Screen[None]):
    """Connect, or practise."""

    app: IsexploreApp
    keys_told = (("enter", "Choose"),)
    HELP_TITLE = "Welcome"
    HELP_TEXT = "Choose with the arrows and enter. You can do the other one at any time."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "choose('connect')", "Connect", id="welcome.connect"),
        Binding("p", "choose('practise')", "Practise", id="welcome.practise"),
    ]
    DEFAULT_CSS = """
    WelcomeScreen {
        align: center middle;
        #welcome { width: 78; max-width: 96%; height: auto; }
        #welcome Words { height: auto; margin-bottom: 1; }
        #welcome-title { text-style: bold; color: $text-accent; }
        #choices { height: auto; border: round $primary; padding: 0 1; scrollbar-size-vertical: 0; }
    }
    """

    def compose(self) -> ComposeResult:
        """Lay out the words and the two choices."""
        with Vertical(id="welcome"):
            yield Words("isexplore", id="welcome-title")
            yield Words(
                "InnerSource is open-source practice inside your organisation: any project may be found, used and "
                "improved by anyone. isexplore finds the projects, and walks you to your first merge request."
            )
            yield RowList(row_height=3, id="choices")
        yield KeyLine()

    def on_mount(self) -> None:
        """Show the choices."""
        rows = self.query_one("#choices", RowList)
        rows.set_rows(
            ListRows(
                CHOICES,
                lambda one: RowText(
                    ([(one[1], "title")], *([("  " + words, "muted")] for words in one[2:])),
                ),
            )
        )
        rows.focus()

    @on(RowList.Chosen)
    def take(self, event: RowList.Chosen) -> None:
        """Take the choice under the cursor."""
        self.action_choose(CHOICES[event.index][0])

    def action_choose(self, choice: str) -> None:
        """Go on with a choice."""
        if choice == "practise":
            self.app.exit(PRACTISE, return_code=PRACTISE)
        else:
            from isexplore.tui.screens.sign_in import SignInScreen

            self.app.push_screen(SignInScreen())
