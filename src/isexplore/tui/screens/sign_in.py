"""Signing in: the forge's address, which token it wants, try it, keep it. Words first, one field at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer

from isexplore.errors import ConfigError, IsexploreError
from isexplore.tui.app import IsexploreApp
from isexplore.tui.widgets.bars import StatusLine
from isexplore.tui.widgets.form import Field, Form
from isexplore.tui.widgets.words import Words

if TYPE_CHECKING:
    from isexplore.login.sign_in import Candidate, SignedIn, SignIn
    from isexplore.login.verify import Verified

ADDRESS = Field(
    "url",
    "Address of your organisation's forge",
    help="The address in your browser will do, of any page of it.",
    required=True,
    placeholder="https://git.agency.example",
)
TOKEN = Field("token", "Token", "secret", help="It is not shown, and goes to this forge only.", required=True)


class Recognised(Message):
    """The forge at the address is known."""

    def __init__(self, candidate: Candidate) -> None:
        super().__init__()
        self.candidate = candidate


class SignInFailed(Message):
    """A step of signing in failed; the answer can be mended."""

    def __init__(self, error: IsexploreError) -> None:
        super().__init__()
        self.error = error


class Kept(Message):
    """The token works, and is kept."""

    def __init__(self, signed_in: SignedIn, verified: Verified) -> None:
        super().__init__()
        self.signed_in = signed_in
        self.verified = verified


class SignInScreen(Screen[None]):
    """Connect to a forge."""

    app: IsexploreApp
    HELP_TITLE = "Connect"
    HELP_TEXT = (
        "isexplore needs the address of your forge and a token, which you make on a page of the forge. The token is "
        "kept in your system's keyring, and is sent to that forge only."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="sign-in.back"),
        Binding("ctrl+o", "open_page", "Token page", id="sign-in.open"),
    ]
    DEFAULT_CSS = """
    SignInScreen {
        align: center middle;
        #sign-in { width: 84; max-width: 96%; height: auto; max-height: 90%; border: round $primary; padding: 1 2; }
        #sign-in-title { text-style: bold; margin-bottom: 1; }
        #sign-in-text { height: auto; margin-bottom: 1; }
        StatusLine { dock: bottom; height: auto; max-height: 5; margin-bottom: 1; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._candidate: Candidate | None = None
        self._signing: SignIn | None = None

    def compose(self) -> ComposeResult:
        """Lay out the words and the field."""
        with VerticalScroll(id="sign-in"):
            yield Words("Connect to your organisation's forge", id="sign-in-title")
            yield Words("isexplore finds out which kind of forge it is.", id="sign-in-text")
            yield Form((ADDRESS,), id="address")
        yield StatusLine(id="status")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Put the cursor into the field."""
        self.query_one(Form).focus_first()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the token page once it is known."""
        return self._candidate is not None if action == "open_page" else True

    @on(Form.Submitted)
    def go_on(self, event: Form.Submitted) -> None:
        """Take the answer."""
        form = event.form
        if not form.check():
            return
        values = form.values()
        if self._candidate is None:
            self._say("Asking...")
            self._recognise(str(values["url"]).strip())
        else:
            self._say("Trying the token: who you are, what it may do, git...")
            self._try(str(values["token"]))

    @work(exclusive=True, group="sign-in")
    async def _recognise(self, url: str) -> None:
        from isexplore.login.sign_in import SignIn

        try:
            self._signing = SignIn(self.app.services.paths)
            candidate = await self._signing.recognise(url)
        except IsexploreError as error:
            self.post_message(SignInFailed(error))
        else:
            self.post_message(Recognised(candidate))

    @on(Recognised)
    async def ask_for_token(self, message: Recognised) -> None:
        """Say which token is needed, and ask for it."""
        candidate = self._candidate = message.candidate
        needs = candidate.needs
        scopes = "\n".join(f"  {scope.name:<18} to {scope.why}" for scope in needs.scopes)
        how = "name and permissions are filled in" if needs.prefilled else "choose these permissions"
        steps = (
            "" if needs.prefilled else "\n".join(f"  {n}. {step}" for n, step in enumerate(needs.steps, 1))
        )
        version = f" {candidate.version}" if candidate.version else ""
        self.query_one("#sign-in-title", Words).say(f"{candidate.forge.url} is {candidate.product}{version}")
        self.query_one("#sign-in-text", Words).say(
            f"You need {needs.noun} with:\n\n{scopes}\n\nMake it here ({how}); ctrl+o opens the page:\n\n"
            f"  {needs.page}" + (f"\n\n{steps}" if steps else "")
        )
        await self.query_one(Form).remove()
        form = Form((TOKEN,), id="token")
        await self.query_one("#sign-in").mount(form)
        form.focus_first()
        self._say("")
        self.refresh_bindings()

    @work(exclusive=True, group="sign-in")
    async def _try(self, token: str) -> None:
        from isexplore.config.secrets import check_token

        candidate, signing = self._candidate, self._signing
        if candidate is None or signing is None:
            return
        try:
            secret = check_token(token)
            verified = await signing.verify(candidate, secret)
            signed_in = await signing.keep(candidate, secret, verified)
            self.app.services.add_forge(signed_in.forge, secret, verified.person.username)
        except IsexploreError as error:
            self.post_message(SignInFailed(error))
        else:
            self.post_message(Kept(signed_in, verified))

    @on(Kept)
    def begin(self, message: Kept) -> None:
        """Say who signed in, and go to the projects; the catalog fills there."""
        verified = message.verified
        kept = message.signed_in.kept
        words = [
            f"The token is kept in {kept.place}." + (f" {kept.note}" if kept.note else ""),
            *verified.warnings,
        ]
        self.app.notify("\n".join(words), title=f"Signed in as @{verified.person.username}", timeout=12)
        self.app.pop_screen()
        self.app.start_exploring()

    @on(SignInFailed)
    def complain(self, message: SignInFailed) -> None:
        """Say what is wrong with the answer, where it can be mended."""
        error = message.error
        text = "\n".join(part for part in (error.title, error.detail, error.hint) if part)
        if isinstance(error, ConfigError) and not error.hint:
            text = f"{text}\nMend the file, then try again: isexplore config check"
        self._say(text, error=True)
        self.query_one(Form).focus_first()

    def _say(self, words: str, *, error: bool = False) -> None:
        self.query_one(StatusLine).say(words, error=error)

    def action_open_page(self) -> None:
        """Open the page that makes a token."""
        if self._candidate is not None:
            self.app.open_page(self._candidate.needs.page)

    def action_back(self) -> None:
        """Go back: to the address, then to the two choices."""
        self.dismiss()
