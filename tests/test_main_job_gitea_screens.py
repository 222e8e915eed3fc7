"""The main job at the screens on Gitea and Forgejo: the same steps, in their words and with their addresses."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import TextArea

from isexplore.config.paths import Paths
from isexplore.config.schema import Config, ForgeConfig
from isexplore.config.secrets import Secret
from isexplore.models import ForgeKind
from isexplore.services import Services
from isexplore.tui.screens.dialogs import AskDialog, PickDialog
from isexplore.tui.screens.journey import JourneyScreen
from isexplore.tui.widgets.preview import Preview
from tests.support.gitea_flavours import FORGEJO
from tests.support.gitea_server import gitea_server
from tests.support.gitea_world import TOKEN, settle
from tests.support.world import Person, at_the_screen, fill_catalog

pytestmark = pytest.mark.timeout(180)


def services_for(folder: Path, url: str) -> Services:
    """Return services of somebody who is signed in."""
    forge = ForgeConfig(name="forge", url=url, kind=ForgeKind.GITEA, username="nia")
    config = Config(forges=(forge,), clone_folder=folder / "src", refresh_after=86_400.0)
    services = Services(Paths.under(folder / "isexplore"), config)
    services.tokens.remember(forge, Secret(TOKEN), "nia")
    return services


def state(screen: JourneyScreen, name: str) -> str:
    """Return how a step stands, as the screen knows it."""
    if screen.report is None or screen.running is not None:
        return ""
    return next(step.state for step in screen.report.steps if step.name == name)


def current(screen: JourneyScreen) -> str:
    """Return the step whose turn it is."""
    assert screen.report is not None
    assert screen.report.current is not None
    return screen.report.current


async def to_first_issue(person: Person) -> JourneyScreen:
    """Search, read, choose the first issue; return the screen with its steps."""
    await person.sees_words("Platform/Retry.Queue")
    await person.press("slash", *"retry", "enter", "enter")
    await person.sees_words("Whom to ask", "mara")
    preview = person.app.screen.query_one(Preview)
    for _ in range(6):
        if preview.has_class("-issues"):
            break
        await person.press("right_square_bracket")
    await person.sees_words("#1 ", "free")
    while preview.issue_number != 1:
        await person.press("down")
    await person.press("enter")
    await person.until(lambda: isinstance(person.app.screen, JourneyScreen))
    screen = person.app.screen
    assert isinstance(screen, JourneyScreen)
    await person.until(lambda: screen.report is not None)
    return screen


async def take(person: Person, screen: JourneyScreen, name: str, *, answer: bool) -> None:
    """Press enter on a step, accept what it asks, and wait until it is done."""
    await person.until(lambda: screen.report is not None and screen.running is None)
    await person.sees_words(f"· {name}")
    await person.press("enter")
    if answer:
        await person.until(lambda: isinstance(person.app.screen, AskDialog))
        await person.press("ctrl+s")
    await person.until(lambda: state(screen, name) == "done")


async def test_a_newcomer_with_the_keyboard_sees_the_change_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JourneyScreen, "LOOK_EVERY", 0.2)
    monkeypatch.setenv("EDITOR", "true")
    with gitea_server(FORGEJO, tmp_path / "server", root_url="http://localhost:3000") as server:
        repo = settle(server)
        services = services_for(tmp_path, server.url)
        await fill_catalog(services)
        async with at_the_screen(services) as person:
            screen = await to_first_issue(person)
            while (name := current(screen)) != "change":
                await take(person, screen, name, answer=name in ("claim", "branch"))

            await person.press("enter")
            await person.until(lambda: isinstance(person.app.screen, PickDialog))
            await person.press("escape")
            with (Path(screen.journey.folder) / "README.md").open("a", encoding="utf-8") as text:
                text.write("The delay is one second.\n")
            await person.press("r")
            await person.sees_words("· commit")
            await person.press("enter")
            await person.until(lambda: isinstance(person.app.screen, AskDialog))
            for field, words in (("name", "Nia Newcomer"), ("email", "nia@example.com")):
                for box in person.app.screen.query(f"#{field}"):
                    box.value = words  # type: ignore[attr-defined]
            person.app.screen.query(TextArea).first().text = "Say how long the delay is"
            await person.press("ctrl+s")
            await person.until(lambda: state(screen, "commit") == "done")

            await take(person, screen, "push", answer=False)
            await person.sees_words("· propose")
            await person.press("enter")
            await person.until(lambda: isinstance(person.app.screen, AskDialog))
            assert "Closes #1" in person.app.screen.query(TextArea).first().text
            await person.press("ctrl+s")
            await person.sees_words("template are as they were", "not ticked: Tests", "Send it anyway")
            await person.press("down", "enter")
            await person.until(lambda: state(screen, "propose") == "done")

            pull = repo.topics_by_number[5]
            server.state.review(pull, "mara", "REQUEST_CHANGES", "", ("README.md", 4, "Which unit is that?"))
            await person.until(lambda: state(screen, "review") == "ready")
            await person.sees_words("Which unit is that?")
            server.state.merge(repo, pull)
            await person.until(lambda: state(screen, "review") == "done")
            assert "localhost:3000" not in person.sees
