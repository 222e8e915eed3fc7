"""Signing in: the forge's address, a way to sign in, try it, keep it. Words first, one question at a time.

address -> way (where there are several) -> token, or a code in the browser -> lacking? -> no keyring?
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from isexplore.errors import AuthError, ConfigError, IsexploreError
from isexplore.tui.app import IsexploreApp
from isexplore.tui.widgets.bars import StatusLine
from isexplore.tui.widgets.form import Field, Form, FormPane
from isexplore.tui.widgets.key_line import KeyLine
from isexplore.tui.widgets.words import Words

if TYPE_CHECKING:
    from isexplore.config.secrets import Secret
    from isexplore.config.tokens import FoundToken
    from isexplore.login.device import DeviceCode, Signed
    from isexplore.login.sign_in import Candidate, SignedIn, SignIn
    from isexplore.login.verify import Verified

Stage = Literal["address", "way", "token", "code", "lacking", "no-keyring"]
"""The question on the screen."""

TITLE = "Connect to your organisation's forge"
TOKEN = Field("token", "Token", "secret", help="It is not shown, and goes to this forge only.", required=True)
SESSION_ONLY = "until you leave isexplore"
CODE, NEW = "code", "new"
"""Ways to sign in; every other way is the number of an existing login."""


def address_field(url: str) -> Field:
    """Return the question for the forge's address, with an answer to begin with."""
    return Field(
        "url",
        "Address of your organisation's forge",
        default=url,
        help="The address in your browser will do, of any page of it.",
        required=True,
        placeholder="https://git.agency.example",
    )


def way_field(candidate: Candidate, logins: tuple[FoundToken, ...]) -> Field:
    """Return the question which way to sign in."""
    choices = [(CODE, "Type a code on a page of the forge, in your browser")] if candidate.offers_code else []
    for number, login in enumerate(logins):
        who = f" for @{login.username}" if login.username else ""
        choices.append((str(number), f"Use the token that {login.source} holds{who}"))
    choices.append((NEW, f"Make a new {candidate.needs.noun}, and paste it here"))
    return Field("way", "How do you want to sign in?", "choice", choices[0][0], choices)


def token_words(candidate: Candidate, room: int) -> str:
    """Return which token is needed, and where one is made.

    Args:
        candidate: the forge.
        room: cells of a line. An address that is too long for it is given without what it fills in.
    """
    needs = candidate.needs
    widest = max(len(scope.name) for scope in needs.scopes)
    scopes = "\n".join(f"  {scope.name:<{widest}}  to {scope.why}" for scope in needs.scopes)
    page = needs.page if len(needs.page) <= room else needs.page.partition("?")[0]
    how = "opens it with name and permissions filled in" if needs.prefilled else "opens the page"
    steps = "" if needs.prefilled else "\n".join(f"  {n}. {step}" for n, step in enumerate(needs.steps, 1))
    return f"You need a {needs.noun} with:\n{scopes}\n\nMake it here (ctrl+o {how}):\n{page}" + (
        f"\n\n{steps}" if steps else ""
    )


class Recognised(Message):
    """The forge at the address is known, and which programs are signed in to it already."""

    def __init__(self, candidate: Candidate, logins: tuple[FoundToken, ...]) -> None:
        super().__init__()
        self.candidate = candidate
        self.logins = logins


class CodeMade(Message):
    """The forge waits for a code to be typed in a browser."""

    def __init__(self, code: DeviceCode) -> None:
        super().__init__()
        self.code = code


class Tried(Message):
    """The token works, more or less."""

    def __init__(self, signed: Signed, verified: Verified) -> None:
        super().__init__()
        self.signed = signed
        self.verified = verified


class SignInFailed(Message):
    """A step of signing in failed; the answer can be mended."""

    def __init__(self, error: IsexploreError) -> None:
        super().__init__()
        self.error = error


class Kept(Message):
    """The forge is ready, and the token kept: for this session at least."""

    def __init__(self, signed_in: SignedIn) -> None:
        super().__init__()
        self.signed_in = signed_in


class SignInScreen(Screen[None]):
    """Connect to a forge, or sign in again to one that is connected."""

    app: IsexploreApp
    keys_told = (("enter", "Go on"),)
    HELP_TITLE = "Connect"
    HELP_TEXT = (
        "isexplore needs the address of your forge and a token, which you make on a page of the forge. The token is "
        "kept in your system's keyring, and is sent to that forge only. Signing in again changes the token and "
        "nothing else."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="sign-in.back"),
        Binding("ctrl+o", "open_page", "Open the page", id="sign-in.open"),
    ]
    DEFAULT_CSS = """
    SignInScreen {
        align: center middle;
        #sign-in { width: 96; max-width: 96%; height: auto; max-height: 100%; border: round $primary; padding: 0 2;
                   scrollbar-gutter: stable; scrollbar-size-vertical: 1; }
        #sign-in-title { dock: top; text-style: bold; margin-bottom: 1; height: auto; background: $background; }
        #sign-in-text { height: auto; margin-bottom: 1; }
        Form > .form-label { margin-top: 0; }
        &.-short #sign-in { border: none; padding: 0; max-width: 100%; }
        &.-short #sign-in-title, &.-short #sign-in-text { margin-bottom: 0; }
        StatusLine { dock: bottom; margin-bottom: 1; }
    }
    """

    def __init__(self, forge_name: str = "") -> None:
        """Make the screen.

        Args:
            forge_name: the connected forge to sign in to again; empty to ask for an address.
        """
        super().__init__()
        self.forge_name = forge_name
        self.stage: Stage = "address"
        self._page = ""
        self._url = ""
        self._candidate: Candidate | None = None
        self._signing: SignIn | None = None
        self._logins: tuple[FoundToken, ...] = ()
        self._tried: Tried | None = None
        self._done: SignedIn | None = None
        self._form: Form | None = None
        """The one with the question on the screen; None while it is being put there."""

    def compose(self) -> ComposeResult:
        """Lay out the words and the field."""
        known = self.app.services.config.forge(self.forge_name) if self.forge_name else None
        self._url = known.url if known else ""
        with FormPane(id="sign-in"):
            # Stays in sight, whatever is scrolled to below it.
            yield Words(f"Sign in again to {self.forge_name}" if known else TITLE, id="sign-in-title")
            yield Words("isexplore finds out which kind of forge it is.", id="sign-in-text")
            self._form = Form((address_field(self._url),))
            yield self._form
        yield StatusLine(id="status")
        yield KeyLine()

    def on_mount(self) -> None:
        """Put the cursor into the field; where the address is known, go on at once."""
        self.query_one(Form).focus_first()
        if self._url:
            self._ask_forge(self._url)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the page once it is known."""
        return bool(self._page) if action == "open_page" else True

    # Answers

    @on(Form.Submitted)
    async def go_on(self, event: Form.Submitted) -> None:
        """Take the answer to the question on the screen; one to the question before it comes too late."""
        if event.form is not self._form:
            return
        values = event.form.values()
        match self.stage:
            case "address":
                self._ask_forge(str(values["url"]))
            case "way":
                await self._take_way(str(values["way"]))
            case "token":
                self._begin_try()
                self._try_typed(str(values["token"]))
            case "lacking" if values["keep"] == "no":
                await self._ask_token()
            case "lacking":
                self._keep()
            case "no-keyring":
                if values["in_file"] == "yes":
                    self._keep_in_file()
                else:
                    self._finish(f"The token is known {SESSION_ONLY}.")
            case _:
                pass

    def _ask_forge(self, url: str) -> None:
        self._url = url
        self._say("Asking...")
        self._recognise(url)

    async def _take_way(self, way: str) -> None:
        if way == NEW:
            await self._ask_token()
        elif way == CODE:
            self._say("Asking for a code...")
            self._sign_in_with_code()
        else:
            self._begin_try()
            self._try(self._logins[int(way)].secret)

    def _begin_try(self) -> None:
        self._say("Trying the token: who you are, what it may do, git...")

    # Work

    @work(exclusive=True, group="sign-in")
    async def _recognise(self, url: str) -> None:
        try:
            signing = self._signing = self.app.services.sign_in()
            candidate = await signing.recognise(url)
            logins = await signing.existing_logins(candidate)
        except IsexploreError as error:
            self.post_message(SignInFailed(error))
        else:
            self.post_message(Recognised(candidate, logins))

    @work(exclusive=True, group="sign-in")
    async def _sign_in_with_code(self) -> None:
        candidate, signing = self._known()
        try:
            flow = signing.device_flow(candidate)
            try:
                code = await flow.start()
                self.post_message(CodeMade(code))
                signed = await flow.wait(code)
            finally:
                await flow.close()
            await self._verify(signed)
        except IsexploreError as error:
            self.post_message(SignInFailed(error))

    def _try_typed(self, text: str) -> None:
        from isexplore.config.secrets import check_token

        try:
            secret = check_token(text)
        except IsexploreError as error:
            self.post_message(SignInFailed(error))
        else:
            self._try(secret)

    @work(exclusive=True, group="sign-in")
    async def _try(self, secret: Secret) -> None:
        try:
            await self._verify(self._known()[1].typed(secret))
        except IsexploreError as error:
            self.post_message(SignInFailed(error))

    async def _verify(self, signed: Signed) -> None:
        candidate, signing = self._known()
        self.post_message(Tried(signed, await signing.verify(candidate, signed.token)))

    @work(exclusive=True, group="sign-in")
    async def _keep(self) -> None:
        candidate, signing = self._known()
        tried = self._tried
        assert tried is not None, "nothing is kept before it was tried"
        try:
            kept = await signing.keep(candidate, tried.signed, tried.verified)
            signed, person = tried.signed, tried.verified.person
            self.app.services.add_forge(kept.forge, signed.token, person.username, signed.grant)
        except IsexploreError as error:
            self.post_message(SignInFailed(error))
        else:
            self.post_message(Kept(kept))

    @work(exclusive=True, group="sign-in")
    async def _keep_in_file(self) -> None:
        _, signing = self._known()
        done, tried = self._done, self._tried
        assert done is not None, "a place is asked for when the forge is ready"
        assert tried is not None, "nothing is kept before it was tried"
        try:
            kept = await signing.keep_in_file(done, tried.signed, tried.verified)
        except IsexploreError as error:
            self.post_message(SignInFailed(error))
        else:
            self.post_message(Kept(kept))

    def _known(self) -> tuple[Candidate, SignIn]:
        assert self._candidate is not None, "no way is offered before the forge is known"
        assert self._signing is not None, "no way is offered before the forge is known"
        return self._candidate, self._signing

    # Questions

    @on(Recognised)
    async def choose_way(self, message: Recognised) -> None:
        """Ask how to sign in; where there is one way only, take it."""
        self._candidate, self._logins = message.candidate, message.logins
        if message.logins or message.candidate.offers_code:
            await self._ask_way()
        else:
            await self._ask_token()

    async def _ask_way(self) -> None:
        candidate, _ = self._known()
        words = "You can sign in without making a token." if candidate.offers_code or self._logins else ""
        await self._show("way", words, way_field(candidate, self._logins))

    def _room(self) -> int:
        """Return the cells of a line of words."""
        return self.query_one("#sign-in").scrollable_content_region.width

    def on_resize(self) -> None:
        """Give as much of the page's address as fits now."""
        if self.stage == "token" and self._candidate is not None:
            self.query_one("#sign-in-text", Words).say(token_words(self._candidate, self._room()))

    async def _ask_token(self) -> None:
        candidate, _ = self._known()
        await self._show("token", token_words(candidate, self._room()), TOKEN, page=candidate.needs.page)

    @on(CodeMade)
    async def show_code(self, message: CodeMade) -> None:
        """Say where to type the code."""
        code = message.code
        await self._show(
            "code",
            f"Your code is\n\n  {code.user_code}\n\nType it on this page; ctrl+o opens it:\n\n  {code.page}",
            page=code.filled_page or code.page,
        )
        self._say("Waiting for you there...")

    @on(Tried)
    async def look_closer(self, message: Tried) -> None:
        """Keep the token; where it is not enough to contribute, ask first."""
        self._tried = message
        missing = message.verified.missing
        if not missing:
            self._keep()
            return
        candidate, _ = self._known()
        names = " and ".join(missing)
        await self._show(
            "lacking",
            f"This token works, but it lacks {names}.\n\n{message.verified.warnings[0]}",
            Field(
                "keep",
                "Keep this token?",
                "choice",
                "no",
                (("no", f"No, I make another one with {names}"), ("yes", "Yes, for looking around")),
            ),
            page=candidate.needs.page,
        )

    @on(Kept)
    async def ask_for_a_place(self, message: Kept) -> None:
        """Say who signed in; where there is no keyring, ask whether a file may hold the token."""
        self._done = message.signed_in
        kept = self._done.kept
        if kept.lasting or not kept.note:
            self._finish(
                f"The token is kept in {kept.place}."
                if kept.lasting
                else f"The token is known {SESSION_ONLY}."
            )
            return
        _, signing = self._known()
        await self._show(
            "no-keyring",
            f"The token is good, but no keyring can keep it: {kept.note}.\n\nA file could:\n\n"
            f"  {signing.tokens.file}\n\n"
            "Programs that you run, and administrators of this machine, could read it there.",
            Field(
                "in_file",
                "Keep the token in a file that only you can read?",
                "choice",
                "no",
                (("no", f"No: it is known {SESSION_ONLY}"), ("yes", "Yes, in that file")),
            ),
        )

    def _finish(self, where: str) -> None:
        """Say who signed in and what to know, and go on: to the projects, or back to what was looked at."""
        tried = self._tried
        assert tried is not None, "nobody is signed in before a token was tried"
        verified = tried.verified
        words = [where, *verified.warnings]
        if verified.git.ok is False:
            words.append(" ".join(part for part in (verified.git.detail, verified.git.hint) if part))
        self.app.notify("\n".join(words), title=f"Signed in as @{verified.person.username}", timeout=12)
        if self.app.first_run:
            self.app.pop_screen()
            self.app.start_exploring()
        else:
            self.dismiss()
            self.app.refresh_catalog(anew=True)

    async def _show(self, stage: Stage, words: str, *fields: Field, page: str = "") -> None:
        """Ask another question."""
        self.stage, self._page, self._form = stage, page, None
        candidate = self._candidate
        title = TITLE
        if candidate is not None and stage != "address":
            version = f" {candidate.version}" if candidate.version else ""
            title = f"{candidate.forge.url} is {candidate.product}{version}"
        self.query_one("#sign-in-title", Words).say(title)
        self.query_one("#sign-in-text", Words).say(words)
        await self.query(Form).remove()
        if fields:
            form = Form(fields)
            await self.query_one("#sign-in").mount(form)
            form.focus_first()
            self._form = form
        self._say("")
        self._show_question()
        self.refresh_bindings()

    @on(SignInFailed)
    async def complain(self, message: SignInFailed) -> None:
        """Say what is wrong with the answer, where it can be mended."""
        error = message.error
        hint = error.hint
        if isinstance(error, AuthError) and self.stage == "token":
            hint = "It may be mistyped, expired or revoked: paste another one."
        text = "\n".join(part for part in (error.title, error.detail, hint) if part)
        if isinstance(error, ConfigError) and not error.hint:
            text = f"{text}\nMend the file, then try again: isexplore config check"
        if self.stage == "code":
            await self._ask_way()
        self._say(text, error=True)
        form = self.query_one(Form)
        if self.stage == "token":
            # A token is not shown, so that nobody would see another one stand behind it.
            form.answer_anew()
        else:
            form.focus_first()
        self._show_question()

    def _show_question(self) -> None:
        """Scroll to the question once it has its place: on a small screen the words above it are longer."""
        for form in self.query(Form):
            self.call_after_refresh(form.show_first)

    def _say(self, words: str, *, error: bool = False) -> None:
        self.query_one(StatusLine).say(words, error=error)

    def action_open_page(self) -> None:
        """Open the page that makes a token, or that takes the code."""
        if self._page:
            self.app.open_page(self._page)

    async def action_back(self) -> None:
        """Go back one question; from the first one, to where this screen was opened."""
        self.workers.cancel_group(self, "sign-in")
        several = self._candidate is not None and (self._candidate.offers_code or self._logins)
        match self.stage:
            case "no-keyring":
                self._finish(f"The token is known {SESSION_ONLY}.")
            case "lacking":
                await self._ask_token()
            case "token" | "code" if several:
                await self._ask_way()
            case "way" | "token" | "code" if not self.forge_name:
                await self._show("address", "isexplore finds out which kind of forge it is.",
                                 address_field(self._url))  # fmt: skip
            case _:
                self.dismiss()
